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
    part = np.maximum(sign * values, 0.0)
    hours = np.diff(seconds) / 3600.0
    before, after = part[:-1], part[1:]
    zero = np.zeros(1)
    return Integral(
        np.concatenate((zero, 0.5 * (before + after) * hours)),
        np.concatenate((zero, np.minimum(before, after) * hours)),
        np.concatenate((zero, np.maximum(before, after) * hours)),
    )


def together(parts: list[Integral]) -> Integral:
    """Sum of integrals: a counter without a sign counts both directions."""
    return Integral(*(np.sum(x, axis=0) for x in zip(*parts, strict=True)))


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
