"""The unit of the test time, and rows whose time runs back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CLOCK_TOLERANCE_RATIO = 0.005
"""A clock of one second over steps of minutes."""
MOST_STEPS = 100_000
"""From which the usual distance of rows is taken."""
UNIT_NAMES = {1.0: "s", 60.0: "min", 3600.0: "h", 1e-3: "ms", 86400.0: "d"}


class ClockVerdict(NamedTuple):
    """Test time against the clock of the file.

    Attributes
    ----------
    ratio
        Clock second per unit of the test time, while both run.
    spread
        Relative half-width of the middle half of it.
    """

    ratio: float
    spread: float


def against_clock(
    time: Array, clock_second: Array, resolution_second: float
) -> ClockVerdict | None:
    """Ratio of clock to test time; None if the clock cannot tell.

    Both are compared over stretches so long that the clock's resolution does not
    matter. Where a test is paused the clock runs on, so the ratio is a median.
    """
    known = np.isfinite(clock_second)
    if known.sum() < 3:
        return None
    t, c = time[known], clock_second[known]
    span = float(c.max() - c.min())
    if span < 100.0 * resolution_second:
        return None
    blocks = int(min(200, max(3, span / (100.0 * resolution_second))))
    at = np.unique(np.searchsorted(c, np.linspace(c[0], c[-1], blocks + 1)))
    at = at[at < c.size]
    dt, dc = np.diff(t[at]), np.diff(c[at])
    use = (dt > 0.0) & (dc > 20.0 * resolution_second)
    if not use.any():
        return None
    ratios = dc[use] / dt[use]
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    return ClockVerdict(float(middle), float(0.5 * (high - low) / middle))


def unit_by_clock(verdict: ClockVerdict, factors: tuple[float, ...]) -> float | None:
    """The one of the possible factors that the clock confirms."""
    for value in factors:
        allowed = CLOCK_TOLERANCE_RATIO + verdict.spread
        if abs(verdict.ratio / value - 1.0) <= min(allowed, 0.2):
            return value
    return None


def backward_rows(time: Array) -> NDArray[np.int64]:
    """Rows whose time lies before that of the row above."""
    return np.flatnonzero(np.diff(time) < 0.0) + 1


def duplicated_rows(columns: list[Array]) -> NDArray[np.int64]:
    """Rows that repeat the row above in all of the columns."""
    same = np.ones(max(columns[0].size - 1, 0), dtype=bool)
    for values in columns:
        same &= values[1:] == values[:-1]
    return np.flatnonzero(same) + 1


def gaps(time: Array) -> NDArray[np.int64]:
    """Rows that follow the row above by far longer than is usual for the file."""
    steps = np.diff(time)
    if steps.size < 10:
        return np.flatnonzero(steps < -1.0)
    some = steps[:: max(steps.size // MOST_STEPS, 1)]
    usual = float(np.quantile(some, 0.99))
    return np.flatnonzero(steps > max(50.0 * usual, 3600.0)) + 1
