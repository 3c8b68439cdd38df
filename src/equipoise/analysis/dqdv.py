"""dQ/dV and dV/dQ of all half-cycles at once, with all of the charge in the curve.

The charge of each pair of rows is spread evenly over the voltage that they span, and
the bins are then smoothed by weights that keep the sum. Nothing is sorted or
interpolated, so noise, voltages that run back or repeat, plateaus and relaxations
neither lose nor double charge.

Sign, as curves are usually drawn: charge above zero, discharge below; the integral over
the voltage axis is the signed charge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.binning import (
    MOST_VALUES,
    between,
    binned,
    charge_beside,
    directions,
    flat,
    gathered,
    grid,
    middles,
    numbered,
    segments,
    smoothed_bins,
    whole,
)
from equipoise.analysis.half_cycles import (
    HalfCycles,
    Source,
    charge_passed,
    cycles_begin_with,
    floats,
    half_cycles,
)
from equipoise.analysis.smoothing import Smoothing, convolve, smoother
from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.kernels import dqdv as kernel
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    from collections.abc import Collection

    import polars as pl

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Axis = Literal["cell", "positive", "negative"]
Direction = Literal["charge", "discharge"]

STEP_VOLT = 1e-3
SMOOTHING_MILLIVOLT = 5.0
"""Standard deviation: 50 times the noise of a good cycler, a seventh of the width at
half height of the narrowest peak of NCM, H2-H3 (34-49 mV in rehm2025)."""
HOLD_MILLIVOLT = 1.0
CAPACITY_STEPS = 1000
SMOOTHING_OF_CAPACITY = 0.005
"""Of the largest half-cycle: 1 mAh/g of 200, the width of the narrowest features."""
UNKNOWN = CellRecord()
AXES = {
    "cell": "voltage_volt",
    "positive": "positive_electrode_potential_volt",
    "negative": "negative_electrode_potential_volt",
}


@dataclass(frozen=True, slots=True)
class DifferentialCapacity:
    """dQ/dV of K half-cycles on one grid of M voltages.

    Attributes
    ----------
    voltage_volt
        Middles of the bins, shape (M,); edges are whole multiples of `step_volt`.
    axis
        "cell" voltage, or potential of the "positive" or "negative" electrode.
    cycle_count, direction
        Of each half-cycle, shape (K,): as reported, and +1 charge or -1 discharge.
    dqdv_ah_per_volt
        Shape (K, M); > 0 on charge, < 0 on discharge, 0 where the half-cycle was not,
        NaN in rows that have a flaw.
    capacity_ah
        Charge that the curve stands for, >= 0, shape (K,).
    cv_capacity_ah
        Charge of the hold at the end, >= 0, shape (K,), whether in the curve or not.
    outside_capacity_ah
        Part of `capacity_ah` beyond the ends of the grid, >= 0, shape (K,).
    area_residual_fraction
        | integral + outside - capacity | / capacity, shape (K,).
    low_volt, high_volt
        Range of each half-cycle, shape (K,).
    flaws
        Why a row is NaN, "" where it is not, K of them.
    smoothing
        What was applied; its steps are those of the grid.
    positive_active_mass_mg
        None if not known.
    """

    voltage_volt: Array
    step_volt: float
    axis: Axis
    cycle_count: Integers
    direction: Integers
    dqdv_ah_per_volt: Array
    capacity_ah: Array
    cv_capacity_ah: Array
    outside_capacity_ah: Array
    area_residual_fraction: Array
    low_volt: Array
    high_volt: Array
    flaws: tuple[str, ...]
    smoothing: Smoothing
    hold_included: bool = False
    positive_active_mass_mg: float | None = None

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which half-cycles have a curve, shape (K,)."""
        return np.array([not f for f in self.flaws])

    def of_cycles(self, cycles: Collection[int]) -> DifferentialCapacity:
        """The half-cycles of some cycles; choose them here, not in the time series."""
        rows = np.flatnonzero(np.isin(self.cycle_count, list(cycles)))
        of_rows = {
            name: getattr(self, name)[rows]
            for name in (
                *("cycle_count", "direction", "dqdv_ah_per_volt", "capacity_ah"),
                *("cv_capacity_ah", "outside_capacity_ah", "area_residual_fraction"),
                *("low_volt", "high_volt"),
            )
        }
        return replace(self, **of_rows, flaws=tuple(self.flaws[i] for i in rows))

    @property
    def dqdv_mah_per_g_per_volt(self) -> Array:
        """The curves per gram of positive active material, shape (K, M).

        Raises
        ------
        DataError
            If the mass is not known.
        """
        if self.positive_active_mass_mg is None:
            raise DataError(
                "the mass of positive active material of this cell is not known",
                remedy="give CellRecord(positive_active_mass_mg=...)",
            )
        return self.dqdv_ah_per_volt * (1e6 / self.positive_active_mass_mg)

    def table(self, *, covered_only: bool = True) -> pl.DataFrame:
        """Long table: one row per half-cycle and voltage, flawed half-cycles left out.

        Parameters
        ----------
        covered_only
            Leave out voltages that a half-cycle did not reach.
        """
        import polars as pl

        keep = np.repeat(self.usable[:, None], self.voltage_volt.size, axis=1)
        if covered_only:
            keep &= self.covered
        k, j = np.nonzero(keep)
        columns: dict[str, Array | Integers] = {
            "cycle_count": self.cycle_count[k],
            "direction": self.direction[k],
            "half_cycle_index": k,
            self._axis_column: self.voltage_volt[j],
            "dqdv_ah_per_volt": self.dqdv_ah_per_volt[k, j],
        }
        if self.positive_active_mass_mg is not None:
            columns["dqdv_mah_per_g_per_volt"] = self.dqdv_mah_per_g_per_volt[k, j]
        return pl.DataFrame(columns)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Which bins lie within the range of each half-cycle, shape (K, M)."""
        half = 0.5 * self.step_volt
        return (self.voltage_volt >= self.low_volt[:, None] - half) & (
            self.voltage_volt <= self.high_volt[:, None] + half
        )

    @property
    def _axis_column(self) -> str:
        return AXES[self.axis]


@dataclass(frozen=True, slots=True)
class DifferentialVoltage:
    """dV/dQ of K half-cycles on one grid of M charges since each one's start.

    Attributes
    ----------
    passed_capacity_ah
        Middles of the bins, >= 0, shape (M,).
    dvdq_volt_per_ah
        Shape (K, M); > 0 on charge, < 0 on discharge; NaN beyond the end of a
        half-cycle and in rows that have a flaw.
    voltage_change_volt
        End minus start, the integral of the curve, shape (K,).
    residual_volt
        | integral - voltage_change_volt |, shape (K,).
    """

    passed_capacity_ah: Array
    step_ah: float
    axis: Axis
    cycle_count: Integers
    direction: Integers
    dvdq_volt_per_ah: Array
    capacity_ah: Array
    voltage_change_volt: Array
    residual_volt: Array
    flaws: tuple[str, ...]
    smoothing: Smoothing


class _Rows(NamedTuple):
    charge: Array
    along: Array
    halves: HalfCycles
    holds: Integers


def dqdv(
    table: pl.DataFrame,
    *,
    record: CellRecord = UNKNOWN,
    axis: Axis = "cell",
    step_volt: float = STEP_VOLT,
    smoothing: str = "gaussian",
    smoothing_millivolt: float = SMOOTHING_MILLIVOLT,
    order: int = 3,
    hold: Literal["apart", "included"] = "apart",
    hold_millivolt: float = HOLD_MILLIVOLT,
    voltage_range_volt: tuple[float, float] | None = None,
    source: Source = "auto",
) -> DifferentialCapacity:
    """Differential capacity of every half-cycle of a time series.

    Parameters
    ----------
    table
        Time series; see `core.columns`.
    record
        Its mass gives curves per gram.
    axis
        Whose potential: the cell voltage, or one electrode vs Li+/Li.
    step_volt, voltage_range_volt
        Grid; by default over all that the half-cycles reach.
    smoothing, smoothing_millivolt, order
        See `smoothing.smoother`; the width is the standard deviation ("gaussian") or
        half of the window ("savitzky-golay").
    hold
        Charge of a hold at the end: "apart" leaves it out of the curve, where it would
        be one bin wide and as high as the bin is narrow; "included" puts it in. Either
        way it is in `cv_capacity_ah`. A hold before the end is part of the curve.
    hold_millivolt
        A hold stays this close to its last voltage while the current fades.
    source
        Of the charge; see `half_cycles`.

    Raises
    ------
    DataError
        If a column is missing, or no half-cycle has a curve.
    SpecError
        If an option makes no sense.

    Warns
    -----
    EquipoiseWarning
        If some half-cycles have no curve; `flaws` says why.
    """
    by = smoother(smoothing, smoothing_millivolt * 1e-3 / _step(step_volt), order=order)
    rows = _rows_of(table, axis, hold_millivolt * 1e-3, source, record)
    return dqdv_of(
        rows.charge,
        rows.along,
        rows.halves.start,
        rows.halves.stop,
        cycle_count=rows.halves.cycle_count,
        direction=rows.halves.direction,
        capacity_ah=rows.halves.capacity_ah,
        hold_starts=rows.holds,
        hold=hold,
        axis=axis,
        step_volt=step_volt,
        by=by,
        voltage_range_volt=voltage_range_volt,
        positive_active_mass_mg=record.positive_active_mass_mg,
    )


def dqdv_of(
    charge_ah: Array,
    voltage_volt: Array,
    starts: Integers,
    stops: Integers,
    *,
    cycle_count: Integers | None = None,
    direction: Integers | None = None,
    capacity_ah: Array | None = None,
    hold_starts: Integers | None = None,
    hold: Literal["apart", "included"] = "apart",
    axis: Axis = "cell",
    step_volt: float = STEP_VOLT,
    by: Smoothing | None = None,
    voltage_range_volt: tuple[float, float] | None = None,
    positive_active_mass_mg: float | None = None,
) -> DifferentialCapacity:
    """Differential capacity of half-cycles given as rows of flat arrays.

    Parameters
    ----------
    charge_ah, voltage_volt
        Signed charge since any row (> 0 charges) and voltage or potential, shape (N,).
    starts, stops
        Half-cycle k is the rows starts[k] <= i < stops[k], shape (K,).
    cycle_count
        Of each half-cycle, shape (K,); counted from 0 if not given.
    direction
        +1 charge or -1 discharge of each, shape (K,); from its charge if not given.
    capacity_ah
        Charge of each half-cycle, >= 0, shape (K,), where it is more than what passes
        between its first and its last row: the difference is put where these are.
    hold_starts
        Row where a hold at the end begins (the last row if there is none), shape (K,).
    by
        Smoother in steps of the grid; a Gaussian of 5 mV if not given.

    Raises
    ------
    DataError, SpecError
        As `dqdv`.
    """
    step = _step(step_volt)
    if by is None:
        by = smoother("gaussian", SMOOTHING_MILLIVOLT * 1e-3 / step)
    q, v, starts, stops = flat(charge_ah, voltage_volt, starts, stops)
    holds = stops - 1 if hold_starts is None else whole(hold_starts)
    signs = directions(q, starts, stops, direction)
    before, after = charge_beside(q, starts, stops, signs, capacity_ah)
    held = np.where(holds < stops - 1, between(q, holds, stops - 1) + after, 0.0)
    ends = stops
    if _apart(hold):
        ends = whole(holds + 1)
        after = np.where(holds < stops - 1, 0.0, after)
    charge = before + between(q, starts, ends - 1) + after
    narrow = "the voltage spans less than one bin"
    part = segments(v, q, starts, ends, charge=charge, step=step, narrow=narrow)
    volt, z, outside = smoothed_bins(
        v, q, part, step, by, voltage_range_volt, (before, after)
    )
    residual = np.abs(step * z.sum(axis=1) + outside - charge)
    bad = ~part.usable
    z[bad] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(bad, np.nan, residual / np.abs(charge))
    return DifferentialCapacity(
        voltage_volt=volt,
        step_volt=step,
        axis=axis,
        cycle_count=numbered(cycle_count, starts),
        direction=signs,
        dqdv_ah_per_volt=z,
        capacity_ah=np.abs(charge),
        cv_capacity_ah=np.abs(held),
        outside_capacity_ah=np.where(bad, np.nan, np.abs(outside)),
        area_residual_fraction=relative,
        low_volt=np.where(bad, np.nan, part.low),
        high_volt=np.where(bad, np.nan, part.high),
        flaws=part.flaws,
        smoothing=by,
        hold_included=not _apart(hold),
        positive_active_mass_mg=positive_active_mass_mg,
    )


def _rows_of(
    table: pl.DataFrame,
    axis: str,
    tolerance_volt: float,
    source: Source,
    record: CellRecord,
) -> _Rows:
    """Half-cycles, charge and the voltage to plot against, as arrays."""
    if axis not in AXES:
        raise SpecError(f"axis = {axis!r} is not known", remedy=nearest(axis, AXES))
    if not tolerance_volt >= 0.0:
        raise SpecError(
            f"hold_millivolt = {1e3 * tolerance_volt:g}", remedy="give >= 0"
        )
    if AXES[axis] not in table.columns:
        raise DataError(
            f"there is no column {AXES[axis]!r}; found: {', '.join(table.columns)}",
            remedy='axis="cell" needs no reference electrode',
        )
    halves = half_cycles(table, source=source, begins=cycles_begin_with(record))
    if len(halves) == 0:
        raise DataError("no current flows in this table: it has no half-cycle")
    voltage, current = floats(table, "voltage_volt"), floats(table, "current_ampere")
    holds = np.empty(len(halves), np.int64)
    starts, stops = whole(halves.start), whole(halves.stop)
    kernel.hold_starts(current, voltage, starts, stops, tolerance_volt, holds)
    return _Rows(
        charge=charge_passed(table, source),
        along=voltage if axis == "cell" else floats(table, AXES[axis]),
        halves=halves,
        holds=holds,
    )


def dvdq(
    table: pl.DataFrame,
    *,
    record: CellRecord = UNKNOWN,
    axis: Axis = "cell",
    step_ah: float | None = None,
    smoothing: str = "gaussian",
    smoothing_ah: float | None = None,
    order: int = 3,
    hold: Literal["apart", "included"] = "apart",
    hold_millivolt: float = HOLD_MILLIVOLT,
    source: Source = "auto",
) -> DifferentialVoltage:
    """Differential voltage of every half-cycle, against the charge since its start.

    Parameters
    ----------
    step_ah
        Of the grid; by default a thousandth of the largest half-cycle.
    smoothing_ah
        Width; by default half a percent of the largest half-cycle.

    Other parameters are those of `dqdv`.

    Raises
    ------
    DataError, SpecError
        As `dqdv`.
    """
    rows = _rows_of(table, axis, hold_millivolt * 1e-3, source, record)
    starts = rows.halves.start
    stops = rows.holds + 1 if _apart(hold) else rows.halves.stop
    largest = float(np.max(np.abs(between(rows.charge, starts, stops - 1))))
    step = largest / CAPACITY_STEPS if step_ah is None else step_ah
    width = SMOOTHING_OF_CAPACITY * largest if smoothing_ah is None else smoothing_ah
    return dvdq_of(
        rows.charge,
        rows.along,
        starts,
        stops,
        cycle_count=rows.halves.cycle_count,
        direction=rows.halves.direction,
        axis=axis,
        step_ah=step,
        by=smoother(smoothing, width / _step(step), order=order),
    )


def dvdq_of(
    charge_ah: Array,
    voltage_volt: Array,
    starts: Integers,
    stops: Integers,
    *,
    step_ah: float,
    by: Smoothing,
    cycle_count: Integers | None = None,
    direction: Integers | None = None,
    axis: Axis = "cell",
) -> DifferentialVoltage:
    """Differential voltage of half-cycles given as rows of flat arrays.

    Arguments as those of `dqdv_of`; `by` in steps of the grid.

    Raises
    ------
    DataError, SpecError
        As `dqdv`.
    """
    step = _step(step_ah)
    q, v, starts, stops = flat(charge_ah, voltage_volt, starts, stops)
    signs = directions(q, starts, stops, direction)
    rows, begin, end = gathered(starts, stops)
    lengths = np.maximum(stops - starts, 0)
    zero = q[np.minimum(starts, q.size - 1)]
    passed = np.repeat(signs, lengths) * (q[rows] - np.repeat(zero, lengths))
    charge = between(q, starts, stops - 1)
    passed, along, begin, end = flat(passed, v[rows], begin, end)
    narrow = "the charge is less than one bin"
    part = segments(passed, along, begin, end, charge=charge, step=step, narrow=narrow)
    lowest, bins, _ = grid(part, step, by, None)
    z, _, first, last = binned(passed, along, part, lowest=lowest, step=step, bins=bins)
    convolve(z, first, last, np.full(starts.size, 1.0 / step), by)
    bad = ~part.usable
    residual = np.where(bad, np.nan, np.abs(step * z.sum(axis=1) - part.change))
    inside = np.arange(bins)
    z[(inside < first[:, None]) | (inside >= last[:, None])] = np.nan
    return DifferentialVoltage(
        passed_capacity_ah=middles(lowest, bins, step),
        step_ah=step,
        axis=axis,
        cycle_count=numbered(cycle_count, starts),
        direction=signs,
        dvdq_volt_per_ah=z,
        capacity_ah=np.abs(charge),
        voltage_change_volt=part.change,
        residual_volt=residual,
        flaws=part.flaws,
        smoothing=by,
    )


def dqdv_map(
    dq: DifferentialCapacity,
    direction: Direction,
    *,
    per_gram: bool = False,
    covered_only: bool = False,
) -> tuple[Integers, Array, Array]:
    """Curves against cycle and voltage, as 2-D and 3-D contour figures want them.

    Parameters
    ----------
    direction
        Half-cycles of which direction. A cycle that has several (a pulse of the other
        direction divides it) gives their sum.
    per_gram
        In mAh/(g V) of positive active material instead of Ah/V.
    covered_only
        NaN instead of 0 where a half-cycle was not.

    Returns
    -------
    cycle_count, voltage_volt, z
        Shapes (C,), (M,), (C, M): every cycle from the first to the last one; those
        without a curve are rows of NaN, never interpolated.

    Raises
    ------
    DataError
        If there is no curve in this direction, or the mass is wanted and not known.
    """
    wanted = np.flatnonzero((dq.direction == _sign(direction)) & dq.usable)
    if wanted.size == 0:
        raise DataError(
            f"none of {dq.direction.size:,} half-cycles has a curve on {direction}",
            remedy="see `flaws` of the differential capacity",
        )
    curves = dq.dqdv_mah_per_g_per_volt if per_gram else dq.dqdv_ah_per_volt
    of = dq.cycle_count[wanted]
    cycles = np.arange(of.min(), of.max() + 1)
    if cycles.size * dq.voltage_volt.size > MOST_VALUES:
        raise DataError(
            f"cycles {cycles[0]} to {cycles[-1]} at {dq.voltage_volt.size:,} voltages "
            "are too many for one map",
            remedy="choose cycles, or a coarser grid",
        )
    z = np.zeros((cycles.size, dq.voltage_volt.size))
    reached = np.zeros(z.shape, bool)
    np.add.at(z, of - cycles[0], curves[wanted])
    np.logical_or.at(reached, of - cycles[0], dq.covered[wanted])
    z[~np.isin(cycles, of)] = np.nan
    if covered_only:
        z[~reached] = np.nan
    return cycles, dq.voltage_volt, z


def _sign(direction: str) -> int:
    signs = {"charge": 1, "discharge": -1}
    if direction not in signs:
        raise SpecError(
            f"direction = {direction!r}", remedy="give 'charge' or 'discharge'"
        )
    return signs[direction]


def _apart(hold: str) -> bool:
    if hold not in ("apart", "included"):
        raise SpecError(f"hold = {hold!r}", remedy="give 'apart' or 'included'")
    return hold == "apart"


def _step(step: float) -> float:
    if not (np.isfinite(step) and step > 0.0):
        raise SpecError(f"the step of the grid is {step:g}", remedy="give one > 0")
    return float(step)
