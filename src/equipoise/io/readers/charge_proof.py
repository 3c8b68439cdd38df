"""The current against the charge that the cycler counted.

Between two rows the current is taken to lie between its two values: the integral is
then between two bounds, with the trapezoid in their middle. Rows that are far apart
(a cycler that stores at steps of voltage) make the bounds wide, and the proof weak.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE_RATIO = 0.01
"""Of the total charge: cyclers integrate faster than they store, 0.1 % is usual."""
WIDEST_RATIO = 0.2
"""If the bounds are farther apart than this, meeting them proves nothing."""


class Integral(NamedTuple):
    """Integral of one direction of the current between consecutive rows.

    Attributes
    ----------
    middle, lowest, highest
        Shape (N,), in unit of current times hour, >= 0; 0 in the first row.
    """

    middle: Array
    lowest: Array
    highest: Array


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


def integral(seconds: Array, values: Array, sign: float) -> Integral:
    """Integrate the part of `values` with one sign over time, in unit x hour."""
    # in place: half of the time of large files went into memory for temporaries
    part = sign * values
    np.maximum(part, 0.0, out=part)
    hours = np.diff(seconds)
    hours /= 3600.0
    lowest, highest = np.zeros(part.size), np.zeros(part.size)
    np.minimum(part[:-1], part[1:], out=lowest[1:])
    np.maximum(part[:-1], part[1:], out=highest[1:])
    lowest[1:] *= hours
    highest[1:] *= hours
    middle = lowest + highest
    middle *= 0.5
    return Integral(middle, lowest, highest)


def together(parts: list[Integral]) -> Integral:
    """Sum of integrals: a counter without a sign counts both directions."""
    if len(parts) == 1:
        return parts[0]
    return Integral(*(np.sum(x, axis=0) for x in zip(*parts, strict=True)))


def within(rows: NDArray[np.bool_], against: Integral) -> Integral:
    """The part of an integral in some of the rows."""
    return against if rows.all() else Integral(*(x * rows for x in against))


def while_known(values: Array, against: Integral) -> Integral:
    """The part of an integral from the first to the last value of a counter."""
    known = np.isfinite(values)
    if known.all():
        return against
    rows = np.flatnonzero(known)
    if rows.size == 0:
        return Integral(*(np.zeros_like(x) for x in against))
    inside = np.zeros(values.size, dtype=bool)
    inside[rows[0] + 1 : rows[-1] + 1] = True
    return within(inside, against)


def after_values(values: Array, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Starts of blocks, moved to just behind a row in which the counter has a value.

    What a counter gained over rows without a value stands in the row behind them.
    """
    known = np.isfinite(values)
    if known.all():
        return starts
    last = np.maximum.accumulate(np.where(known, np.arange(values.size), -1))
    return np.unique(last[np.maximum(starts - 1, 0)] + 1)


def verdict(
    increments: Array, against: Integral, *, rounding: float, slack: float
) -> Verdict:
    """Compare what was counted with the integral.

    Parameters
    ----------
    rounding
        Charge that the printed digits of the current leave open.
    slack
        Charge that the printed digits of the counter and its resets leave open.
    """
    counted = float(increments.sum())
    total = float(against.middle.sum())
    largest = max(counted, total)
    if largest <= 2.0 * slack + rounding or largest == 0.0:
        return Verdict(counted, total, 0.0, TOLERANCE_RATIO, "nothing")
    allowed = TOLERANCE_RATIO * counted + rounding + slack
    low, high = float(against.lowest.sum()), float(against.highest.sum())
    residual = (total - counted) / counted if counted > 0.0 else np.inf
    ratio = allowed / counted if counted > 0.0 else 0.0
    within = low - allowed <= counted <= high + allowed
    if abs(total - counted) <= allowed:
        kind = "proven" if rounding + slack <= WIDEST_RATIO * counted else "rounded"
    elif within:
        kind = "proven" if high - low <= WIDEST_RATIO * counted else "coarse"
        ratio += max(high - total, total - low) / counted
    else:
        kind = "wrong"
    return Verdict(counted, total, residual, ratio, kind)


def wrong_block(
    increments: Array, against: Integral, starts: NDArray[np.int64], slack: float
) -> int | None:
    """Index of a block that is off by a factor of two or more; None if there is none.

    A change of unit within a file can hide in the total; a block is a half-cycle or a
    reset interval with at least one part in a hundred of the charge.
    """
    if starts.size == 0:
        return None
    sums = [
        np.add.reduceat(x, starts)
        for x in (increments, against.lowest, against.highest)
    ]
    counted, low, high = sums
    total = counted.sum()
    relevant = np.maximum(counted, low) > np.maximum(0.01 * total, 10.0 * slack)
    off = (counted > 2.0 * high + slack) | (2.0 * counted + slack < low)
    found = np.flatnonzero(relevant & off)
    return int(found[0]) if found.size else None
