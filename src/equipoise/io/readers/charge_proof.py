"""The current against the charge that the cycler counted.

Between two rows the current is taken to lie between its two values: the integral is
then between two bounds, with the trapezoid in their middle. Rows that are far apart
(a cycler that stores at steps of voltage) make the bounds wide, and the proof weak.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers.draft import Array, Counter, Direction
from equipoise.kernels import proofs as kernel

TOLERANCE_RATIO = 0.01
"""Of the total charge: cyclers integrate faster than they store, 0.1 % is usual."""
STRETCH_SHARE = 0.1
"""Of the largest half-cycle: smaller ones are not compared by themselves."""
ROUNDED_RATIO = 0.05
"""Of the charge: digits that leave more open prove no more than the order."""
WIDEST_RATIO = 0.2
"""If the bounds are farther apart than this, meeting them proves nothing."""


class Rows(NamedTuple):
    """What the integral is taken over.

    Attributes
    ----------
    seconds, volts, amperes
        Shape (N,); current > 0 charges.
    use
        Rows whose interval is looked at, shape (N,), as 0 and 1; empty for all.
    """

    seconds: Array
    volts: Array
    amperes: Array
    use: NDArray[np.uint8]


class Totals(NamedTuple):
    """What a counter counted, and what current (or power) gives, in Ah or Wh.

    Attributes
    ----------
    counted, middle, lowest, highest
        Sums over all intervals: of the counter, of the integral and of its bounds.
    moved_ratio
        Share of the intervals with charge in which the counter moved.
    """

    counted: float
    middle: float
    lowest: float
    highest: float
    moved_ratio: float


class Verdict(NamedTuple):
    """Comparison of a counter with an integral.

    Attributes
    ----------
    counted, integral
        Totals in Ah or Wh.
    residual_ratio
        (integral - counted) / counted.
    kind
        "proven"; "coarse": only within wide bounds; "rounded": only within what the
        printed digits leave open; "nothing": no charge passed; "wrong".
    """

    counted: float
    integral: float
    residual_ratio: float
    allowed_ratio: float
    kind: str


SIDES: dict[Direction, int] = {"charge": 1, "discharge": -1, "both": 0, "net": 0}


def totals(rows: Rows, counter: Counter, increments: Array) -> Totals:
    """Sum up a counter and the integral that it should agree with.

    Parameters
    ----------
    increments
        Of the counter, shape (N,); see `counters.counted`.
    """
    sums = np.empty(kernel.SUMS)
    arguments = _arguments(rows, counter, increments)
    kernel.interval_sums(*arguments, sums)  # pyright: ignore[reportCallIssue]
    expected = sums[kernel.EXPECTED]
    return Totals(
        float(sums[kernel.COUNTED]),
        float(sums[kernel.MIDDLE]),
        float(sums[kernel.LOWEST]),
        float(sums[kernel.HIGHEST]),
        float(sums[kernel.MOVED] / expected) if expected else 1.0,
    )


def _arguments(rows: Rows, counter: Counter, increments: Array) -> Any:  # noqa: ANN401 (what the kernels take, in their order)
    return (
        rows.seconds,
        rows.volts,
        rows.amperes,
        counter.values,
        increments,
        _between_values(rows.use, counter.values),
        SIDES[counter.direction],
        counter.quantity == "energy",
    )


def _between_values(use: NDArray[np.uint8], values: Array) -> NDArray[np.uint8]:
    """Rows to use from behind the first to the last value of a counter."""
    if values.size and np.isfinite(values[0]) and np.isfinite(values[-1]):
        return use
    known = np.flatnonzero(np.isfinite(values))
    inside = np.zeros(values.size, dtype=np.uint8)
    if known.size:
        inside[known[0] + 1 : known[-1] + 1] = 1
    return inside * use if use.size else inside


def integral_of(rows: Rows, factor: float = 1.0) -> float:
    """Charge that passed in both directions, Ah; `factor` stretches the time."""
    nothing = np.zeros_like(rows.amperes)
    counter = Counter("", "capacity", "both", nothing)
    return factor * totals(rows, counter, nothing).middle


def verdict(found: Totals, *, rounding: float, slack: float) -> Verdict:
    """Compare what was counted with the integral.

    Parameters
    ----------
    rounding
        Charge that the printed digits of the current leave open.
    slack
        Charge that the printed digits of the counter and its resets leave open.
    """
    counted, total = found.counted, found.middle
    largest = max(counted, total)
    if largest <= 2.0 * slack + rounding or largest == 0.0:
        return Verdict(counted, total, 0.0, TOLERANCE_RATIO, "nothing")
    allowed = TOLERANCE_RATIO * counted + rounding + slack
    low, high = found.lowest, found.highest
    residual = (total - counted) / counted if counted > 0.0 else np.inf
    ratio = allowed / counted if counted > 0.0 else 0.0
    off = abs(total - counted)
    if off <= TOLERANCE_RATIO * counted + slack and slack <= WIDEST_RATIO * counted:
        kind = "proven"  # they agree, however few the digits of the current are
    elif off <= allowed:
        few = rounding + slack > ROUNDED_RATIO * counted
        kind = "rounded" if few else "proven"
    elif low - allowed <= counted <= high + allowed:
        kind = "proven" if high - low <= WIDEST_RATIO * counted else "coarse"
        ratio += max(high - total, total - low) / counted
    else:
        kind = "wrong"
    return Verdict(counted, total, residual, ratio, kind)


def wrong_row(
    rows: Rows, counter: Counter, increments: Array, *, rest_ampere: float, slack: float
) -> int | None:
    """First row of a stretch that is off by a factor of two; None if there is none.

    A change of unit within a file can hide in the total. A stretch is of one direction
    of the current, with at least a tenth of the charge of the largest.
    """
    arguments = _arguments(rows, counter, increments)
    more = (rest_ampere, STRETCH_SHARE, slack)
    row = kernel.first_wrong_stretch(*arguments, *more)  # pyright: ignore[reportCallIssue]
    return None if row < 0 else int(row)
