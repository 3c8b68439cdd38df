"""Even grids: half-cycles cut apart, their increments counted into bins."""

from __future__ import annotations

import warnings
from math import ceil, floor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.smoothing import Smoothing, convolve
from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.kernels import dqdv as kernel

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)

ROUNDING = 1e-12
"""Of the charge of a half-cycle: less is missing only by rounding."""
MOST_BINS = 200_000
MOST_VALUES = 250_000_000
"""2 GB; the curves of 1,000 cycles over 1.4 V in steps of 1 mV are 2.8 million."""


class Segments(NamedTuple):
    """Rows of the half-cycles, how far they go and what is wrong with them."""

    starts: Integers
    stops: Integers
    low: Array
    high: Array
    change: Array
    flaws: tuple[str, ...]
    usable: NDArray[np.bool_]


def whole(values: Integers) -> Integers:
    """Row or cycle numbers as the kernels want them."""
    return _read_only(np.ascontiguousarray(values, dtype=np.int64))


def _read_only(array: NDArray[Number]) -> NDArray[Number]:
    """All arrays alike: kernels are compiled once, not for each mixture."""
    view = array.view()
    view.flags.writeable = False
    return view


def flat(
    charge: Array, along: Array, starts: Integers, stops: Integers
) -> tuple[Array, Array, Integers, Integers]:
    """Arrays as the kernels want them.

    Raises
    ------
    DataError
        If their shapes do not match, or a half-cycle is not inside the rows.
    """
    q = np.ascontiguousarray(charge, dtype=np.float64)
    v = np.ascontiguousarray(along, dtype=np.float64)
    a, b = whole(starts), whole(stops)
    sound = q.shape == v.shape and q.ndim == 1 and a.shape == b.shape and q.size > 0
    if not sound or a.size == 0:
        raise DataError(
            f"{q.size:,} charges, {v.size:,} voltages, {a.size:,} starts and "
            f"{b.size:,} stops do not make half-cycles",
            remedy="give one charge and one voltage per row, and at least one "
            "half-cycle",
        )
    if a.min() < 0 or b.max() > q.size or np.any(b <= a):
        raise DataError(
            f"half-cycles must be rows inside 0 to {q.size:,} with start < stop",
            remedy="half-cycle k is the rows starts[k] <= i < stops[k]",
        )
    return _read_only(q), _read_only(v), a, b


def between(q: Array, begin: Integers, end: Integers) -> Array:
    """Change of q between rows, shape (K,)."""
    return q[end] - q[begin]


def gathered(starts: Integers, stops: Integers) -> tuple[Integers, Integers, Integers]:
    """Rows of all half-cycles, one after the other, and where each begins and ends."""
    lengths = stops - starts
    end = np.cumsum(lengths)
    begin = end - lengths
    rows = np.arange(int(end[-1])) + np.repeat(starts - begin, lengths)
    return rows, begin, end


def segments(
    x: Array,
    y: Array,
    starts: Integers,
    stops: Integers,
    *,
    charge: Array,
    step: float,
    narrow: str,
) -> Segments:
    """How far half-cycles go along x, what they count (y), and what is wrong with them.

    Raises
    ------
    DataError
        If none can give a curve; it says why.
    """
    low, high = np.empty(starts.size), np.empty(starts.size)
    finite = np.empty(starts.size, np.bool_)
    kernel.extents(x, y, starts, stops, low, high, finite)
    change = between(y, starts, stops - 1)
    none = charge == 0.0
    reasons = ("fewer than 3 rows", "a value is not finite", "no charge", narrow)
    tests = (stops - starts < 3, ~finite, none, high - low < step)
    which = np.select(tests, np.arange(1, 5), 0)
    flaws = tuple(("", *reasons)[w] for w in which.tolist())
    usable = which == 0
    _tell(flaws, usable)
    return Segments(starts, stops, low, high, change, flaws, usable)


def _tell(flaws: tuple[str, ...], usable: NDArray[np.bool_]) -> None:
    """Fail if no half-cycle is usable, warn if some are not."""
    if usable.all():
        return
    counts = {f: flaws.count(f) for f in sorted(set(flaws)) if f}
    text = ", ".join(f"{n:,} because {f}" for f, n in counts.items())
    if not usable.any():
        raise DataError(
            f"none of {usable.size:,} half-cycles can give a curve: {text}",
            remedy="check the columns of voltage and charge, or take a finer step",
        )
    warnings.warn(
        f"{int((~usable).sum()):,} of {usable.size:,} half-cycles have no curve: "
        f"{text}; see `flaws`",
        EquipoiseWarning,
        stacklevel=4,
    )


def grid(
    part: Segments,
    step: float,
    by: Smoothing,
    wanted: tuple[float, float] | None,
) -> tuple[int, int, int]:
    """Lowest edge in steps, number of bins, and bins beside a chosen range."""
    low = float(part.low[part.usable].min())
    high = float(part.high[part.usable].max())
    margin = 0
    if wanted is not None:
        if not (wanted[0] < wanted[1] and wanted[0] < high and wanted[1] > low):
            raise DataError(
                f"no half-cycle is between {wanted[0]:g} and {wanted[1]:g} V: they "
                f"reach from {low:.4g} to {high:.4g} V",
                remedy="give voltage_range_volt=(low, high) inside of that",
            )
        low, high = wanted
        margin = by.weight_fraction.size // 2 + 1
    lowest = floor(low / step + 1e-6)
    bins = max(1, ceil(high / step - 1e-6) - lowest)
    if bins > MOST_BINS or part.starts.size * bins > MOST_VALUES:
        raise DataError(
            f"{part.starts.size:,} half-cycles from {low:.4g} to {high:.4g} in steps "
            f"of {step:g} are {part.starts.size * bins:,} values",
            remedy="look for an outlier in the data, take a coarser step, or give "
            "voltage_range_volt",
        )
    return lowest, bins, margin


def middles(lowest: int, bins: int, step: float) -> Array:
    """Middles of the bins, shape (M,)."""
    return np.asarray((lowest + 0.5 + np.arange(bins)) * step, np.float64)


def binned(
    x: Array,
    y: Array,
    part: Segments,
    *,
    lowest: int,
    step: float,
    bins: int,
    beside: tuple[Array, Array] | None = None,
) -> tuple[Array, Array, Integers, Integers]:
    """Increments of y in bins of x, and the first and last bin of each half-cycle.

    Parameters
    ----------
    beside
        What y counted before the first and after the last row of each half-cycle.

    Returns
    -------
    tuple
        Sums in the bins (K, M), what fell beside all bins (K,), and the range of bins
        of each half-cycle (K,), (K,).
    """
    z = np.zeros((part.starts.size, bins))
    outside = np.zeros(part.starts.size)
    edge = lowest * step
    first, last = np.zeros_like(part.starts), np.zeros_like(part.starts)
    ok = part.usable
    first[ok] = np.floor((part.low[ok] - edge) / step + 0.5)
    last[ok] = np.floor((part.high[ok] - edge) / step + 0.5)
    last[ok] = np.maximum(last[ok], first[ok] + 1)
    stops = np.where(ok, part.stops, part.starts)
    before, after = (outside.copy(), outside.copy()) if beside is None else beside
    where = (part.starts, whole(stops), edge, 1.0 / step, first, last)
    kernel.bin_increments(x, y, before, after, *where, z, outside)
    return z, outside, first, last


def numbered(cycle_count: Integers | None, starts: Integers) -> Integers:
    """Cycle of each half-cycle, counted from 0 if it is not given.

    Raises
    ------
    DataError
        If there is not one per half-cycle.
    """
    if cycle_count is None:
        return np.arange(starts.size)
    if np.shape(cycle_count) != starts.shape:
        raise DataError(
            f"{np.size(cycle_count):,} cycle numbers for {starts.size:,} half-cycles",
            remedy="give one per half-cycle",
        )
    return whole(cycle_count)


def charge_beside(
    q: Array,
    starts: Integers,
    stops: Integers,
    signs: Integers,
    capacity: Array | None,
) -> tuple[Array, Array]:
    """Charge of each half-cycle before its first and after its last row.

    What the row before it has counted less, if that is of the same sign and not too
    much, came before; what then is missing came after.
    """
    if capacity is None:
        return np.zeros(starts.size), np.zeros(starts.size)
    inside = between(q, starts, stops - 1)
    missing = signs * capacity - inside
    missing[np.abs(missing) < ROUNDING * capacity] = 0.0
    step = between(q, np.maximum(starts - 1, 0), starts)
    fits = (step * missing > 0.0) & (np.abs(step) <= np.abs(missing))
    before = np.where(fits, step, missing)
    return before, missing - before


def directions(
    q: Array, starts: Integers, stops: Integers, given: Integers | None
) -> Integers:
    """+1 charge or -1 discharge, from the charge between first and last row.

    Raises
    ------
    DataError
        If what is given is not one of the two for each half-cycle.
    """
    if given is None:
        change = between(q, starts, stops - 1)
        return np.where(change < 0.0, -1, 1).astype(np.int64)
    if np.shape(given) != starts.shape or not np.all(np.abs(given) == 1):
        raise DataError(
            f"the directions of {starts.size:,} half-cycles are not as many +1 or -1",
            remedy="give +1 for a charge and -1 for a discharge",
        )
    return whole(given)


def smoothed_bins(
    x: Array,
    y: Array,
    part: Segments,
    step: float,
    by: Smoothing,
    wanted: tuple[float, float] | None,
    beside: tuple[Array, Array],
) -> tuple[Array, Array, Array]:
    """Middles of bins (M,), smoothed y per x (K, M), and y beside the grid (K,)."""
    lowest, bins, margin = grid(part, step, by, wanted)
    z, outside, first, last = binned(
        x,
        y,
        part,
        lowest=lowest - margin,
        step=step,
        bins=bins + 2 * margin,
        beside=beside,
    )
    convolve(z, first, last, np.full(part.starts.size, 1.0 / step), by)
    outside += step * (z[:, :margin].sum(axis=1) + z[:, bins + margin :].sum(axis=1))
    if margin:
        z = np.ascontiguousarray(z[:, margin : bins + margin])
    return middles(lowest, bins, step), z, outside
