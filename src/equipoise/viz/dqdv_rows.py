"""One dQ/dV curve per cycle, as the lines and maps over cycles draw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.dqdv import DifferentialCapacity
from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.core.units import UNITS
from equipoise.viz.labels import LITHIUM, MINUS

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Direction = Literal["charge", "discharge"]
Curves = DifferentialCapacity | Mapping[str, DifferentialCapacity]
"""Of one cell, or of several by their names."""

SIGNS = {"charge": 1, "discharge": -1}
ALONG = {
    "cell": "Cell voltage / V",
    "positive": f"Positive vs {LITHIUM} / V",
    "negative": f"Negative vs {LITHIUM} / V",
}
SMALL_AH_PER_VOLT = 1.0
"""Curves below it are drawn in mAh/V."""
TOP_PERCENT = 98.0
SPIKE_RATIO = 1.5
"""Highest point over that percentile of the highest points of all curves, from which on
the common scale ends there, so that one spike does not make all others pale."""


class Rows(NamedTuple):
    """Curves of one cell in one direction, a row per cycle.

    Attributes
    ----------
    cycle_count
        Rising, shape (K,).
    voltage_volt
        Middles of the bins, shape (M,).
    height
        Shape (K, M), in the unit of `Drawn.label`, > 0 in either direction; NaN at
        voltages that a cycle did not reach.
    half_cycle_index
        Row of each cycle in the curves it is from, shape (K,).
    """

    name: str
    cycle_count: Integers
    voltage_volt: Array
    step_volt: float
    height: Array
    half_cycle_index: Integers


class Drawn(NamedTuple):
    """Cells on one scale, with its labels."""

    rows: tuple[Rows, ...]
    along: str
    label: str
    title: str
    top: float
    range_volt: tuple[float, float]

    @property
    def beyond_count(self) -> int:
        """Curves that are higher than the scale."""
        limit = self.top * (1.0 + 1e-9)
        tops = [np.nanmax(r.height, axis=1) for r in self.rows if r.cycle_count.size]
        return int(sum((t > limit).sum() for t in tops))

    @property
    def low(self) -> float:
        """Lowest point, 0 or below it."""
        lows = [float(np.nanmin(r.height)) for r in self.rows if r.cycle_count.size]
        return min(0.0, *lows)


def named(curves: Curves) -> dict[str, DifferentialCapacity]:
    """Curves by name of the cell; "" for one cell without a name.

    Raises
    ------
    SpecError
        If there are none.
    """
    if isinstance(curves, DifferentialCapacity):
        return {"": curves}
    if not curves:
        raise SpecError(
            "there are no curves to draw", remedy="give dqdv(...) of a cell"
        )
    return dict(curves)


def drawn(
    curves: Curves, direction: Direction, *, cycles: Sequence[int] | None = None
) -> Drawn:
    """Choose the largest half-cycle of each cycle in one direction.

    Parameters
    ----------
    cycles
        Cycles to draw; by default all that have a curve.

    Raises
    ------
    SpecError
        If the direction is unknown, cells differ in axis or smoothing, or a cycle
        asked for has no curve in any cell.
    DataError
        If a cell has no curve in this direction.
    """
    if direction not in SIGNS:
        raise SpecError(
            f"direction = {direction!r} is not known", remedy=nearest(direction, SIGNS)
        )
    by_name = named(curves)
    _same(by_name)
    per_gram, factor, unit = _unit(by_name.values())
    rows = tuple(
        _rows(
            name,
            dq,
            _chosen(name, dq, direction),
            dq.dqdv_mah_per_g_per_volt if per_gram else factor * dq.dqdv_ah_per_volt,
            cycles,
        )
        for name, dq in by_name.items()
    )
    if not any(r.cycle_count.size for r in rows):
        raise SpecError(
            f"none of the cycles {list(cycles or ())[:5]} has a curve of {direction}",
            remedy="give cycles as the table numbers them",
        )
    tops = np.concatenate(
        [np.nanmax(r.height, axis=1) for r in rows if r.cycle_count.size]
    )
    one = next(iter(by_name.values()))
    sign = "" if direction == "charge" else MINUS
    return Drawn(
        rows=rows,
        along=ALONG[one.axis],
        label=f"{sign}dQ/dV / {unit}",
        title=f"{direction.capitalize()}, {smoothing_text(one)}",
        top=_top(tops),
        range_volt=_reached(rows),
    )


def _top(tops: Array) -> float:
    """Where the common scale ends: at the highest point, unless few are that high."""
    usual, highest = float(np.percentile(tops, TOP_PERCENT)), float(tops.max())
    return highest if highest <= SPIKE_RATIO * usual else usual


def smoothing_text(dq: DifferentialCapacity) -> str:
    """How curves were smoothed, in words: ``Gaussian smoothing, SD 5 mV``."""
    step = 1e3 * dq.step_volt
    by = dq.smoothing
    if by.kind == "gaussian":
        return f"Gaussian smoothing, SD {step * by.variance**0.5:.2g} mV"
    if by.kind == "savitzky-golay":
        half = by.weight_fraction.size // 2
        return f"Savitzky-Golay smoothing, order {by.order}, ± {step * half:.2g} mV"
    return f"bins of {step:.2g} mV, not smoothed"


def _same(by_name: Mapping[str, DifferentialCapacity]) -> None:
    axes = {c.axis for c in by_name.values()}
    if len(axes) > 1:
        raise SpecError(
            f"curves against different potentials: {', '.join(sorted(axes))}",
            where=", ".join(by_name),
            remedy="compute all of them with the same axis",
        )
    ways = {smoothing_text(c) for c in by_name.values()}
    if len(ways) > 1:
        raise SpecError(
            f"curves smoothed differently: {'; '.join(sorted(ways))}",
            where=", ".join(by_name),
            remedy="heights depend on it: compute all of them with the same options",
        )


def _unit(curves: Iterable[DifferentialCapacity]) -> tuple[bool, float, str]:
    """Whether per gram, the factor from Ah/V, and the unit drawn."""
    found = list(curves)
    if all(c.positive_active_mass_mg is not None for c in found):
        return True, 1.0, UNITS["mah_per_g_per_volt"]
    tops = [np.abs(c.dqdv_ah_per_volt[c.usable]).max(initial=0.0) for c in found]
    if max(tops) < SMALL_AH_PER_VOLT:
        return False, 1e3, f"{UNITS['mah']} V⁻¹"
    return False, 1.0, f"{UNITS['ah']} V⁻¹"


def _rows(
    name: str,
    dq: DifferentialCapacity,
    chosen: Integers,
    values: Array,
    cycles: Sequence[int] | None,
) -> Rows:
    if cycles is not None:
        chosen = chosen[np.isin(dq.cycle_count[chosen], list(cycles))]
    height = np.where(dq.covered[chosen], values[chosen], np.nan)
    height *= dq.direction[chosen].astype(np.float64)[:, None]
    return Rows(
        name=name,
        cycle_count=dq.cycle_count[chosen],
        voltage_volt=dq.voltage_volt,
        step_volt=dq.step_volt,
        height=height,
        half_cycle_index=chosen,
    )


def _chosen(name: str, dq: DifferentialCapacity, direction: Direction) -> Integers:
    """Of each cycle the half-cycle of this direction with the most charge, in order."""
    mine = np.flatnonzero(dq.usable & (dq.direction == SIGNS[direction]))
    if mine.size == 0:
        why = dict.fromkeys(f for f in dq.flaws if f)
        raise DataError(
            f"no half-cycle of {direction} has a curve",
            where=name,
            remedy="; ".join(why) or "draw the other direction",
        )
    order = mine[np.lexsort((-dq.capacity_ah[mine], dq.cycle_count[mine]))]
    _, first = np.unique(dq.cycle_count[order], return_index=True)
    return order[first].astype(np.int64)


def _reached(rows: Iterable[Rows]) -> tuple[float, float]:
    """Voltages that any row has."""
    ends = [
        r.voltage_volt[np.flatnonzero(np.isfinite(r.height).any(axis=0))[[0, -1]]]
        for r in rows
        if r.cycle_count.size
    ]
    return float(np.min(ends)), float(np.max(ends))
