"""Charge passed and half-cycles of a time series, from its counters or its current.

**Source of the charge.** Capacity counters are used if the table has them, for the
cycler counts between the rows too: those of the whole test first, then those of the
cycle, of the step, the net one, and the one that counts both directions alike. What a
row adds is the difference to the row before; where a counter starts anew it counts
from zero. Without counters, or with `source="current"`, each row's current holds for
half of the time to both of its neighbours: the trapezoid, unless the sign jumps.

**Rest.** Rows whose current is at most 1e-4 of the largest, and impedance rows (those
with a frequency), carry no current: they neither begin nor end a half-cycle, and
nothing is integrated over them.

**Cycles.** A given cycle_count is never renumbered; rows without one belong to the
cycle before them. Where the number jumps, cycles were left out of the table, and
nothing is counted between the two rows. Without the column, cycles are derived and
counted from 1: a new one begins with each charge after a discharge (or with each
discharge after a charge, `begins`), so that a charge and the discharge that answers it
are one cycle, whatever the test starts with. See `HalfCycles.cycles_derived`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.core import columns
from equipoise.core.errors import DataError
from equipoise.kernels import cycling as kernel
from equipoise.kernels.cycling import Bad, Count

if TYPE_CHECKING:
    import polars as pl

    from equipoise.spec.cell_record import CellRecord

Source = Literal["auto", "counter", "current"]
Begins = Literal["charge", "discharge"]
T = TypeVar("T", bound=np.generic)
Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Marks = NDArray[np.uint8]

REST_FRACTION = 1e-4
"""Of the largest current; offsets of cyclers are about 1e-4 of their range, and holds
end at 1e-2 of the current before them."""

COUNTER_NOISE_FRACTION = 1e-4
"""Of the largest value of a counter: by less than this it may run backwards."""

CAPACITY_COUNTERS: tuple[tuple[Count, tuple[str, ...], str], ...] = (
    (Count.PAIR, ("charging_capacity_ah", "discharging_capacity_ah"), "test"),
    (
        Count.PAIR,
        ("cycle_charging_capacity_ah", "cycle_discharging_capacity_ah"),
        "cycle",
    ),
    (
        Count.PAIR,
        ("step_charging_capacity_ah", "step_discharging_capacity_ah"),
        "step",
    ),
    (Count.NET, ("net_capacity_ah",), "test"),
    (Count.UNSIGNED, ("step_cumulative_capacity_ah",), "step"),
)
"""In order of preference: what is counted, the columns, and since when."""

ENERGY_COUNTERS: tuple[tuple[Count, tuple[str, ...], str], ...] = (
    (Count.PAIR, ("charging_energy_wh", "discharging_energy_wh"), "test"),
    (Count.PAIR, ("cycle_charging_energy_wh", "cycle_discharging_energy_wh"), "cycle"),
    (Count.PAIR, ("step_charging_energy_wh", "step_discharging_energy_wh"), "step"),
    (Count.NET, ("net_energy_wh",), "test"),
)


class Counters(NamedTuple):
    """Arguments of the kernels; `up` and `down` are empty where nothing is counted."""

    mode: int
    up: Array
    down: Array
    reset: Ints
    resets: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """A time series as arrays of shape (N,), checked.

    Attributes
    ----------
    eis
        1 in impedance rows; shape (0,) if there is none.
    rest_ampere
        Up to this magnitude a current is rest.
    cycles_count, cycles_derived
        Number of cycles; whether the table had no cycle_count.
    charge, charge_source
        Counters of charge and the names of their columns, or "current".
    energy, energy_source
        The same of energy, or "integral".
    """

    time_second: Array
    voltage_volt: Array
    current_ampere: Array
    cycle: Ints
    eis: Marks
    rest_ampere: float
    cycles_count: int
    cycles_derived: bool
    charge: Counters
    charge_source: str
    energy: Counters
    energy_source: str


@dataclass(frozen=True, slots=True)
class HalfCycles:
    """Stretches of one sign of the current within one cycle, in order.

    A hold at constant voltage after a charge is part of it; rests within are too.

    Attributes
    ----------
    cycle_count
        Cycle of each, shape (M,).
    direction
        +1 charge, -1 discharge, shape (M,).
    start, stop
        Rows ``start <= row < stop``, from the first to the last row with current of
        this direction, shape (M,).
    capacity_ah
        Charge passed in this direction, shape (M,); the sum of direction times
        capacity is the charge passed in the whole table.
    source
        Columns of the counters, or "current".
    cycles_derived
        The table has no cycle_count: cycles are derived from the alternation.
    """

    cycle_count: Ints
    direction: Ints
    start: Ints
    stop: Ints
    capacity_ah: Array
    source: str
    cycles_derived: bool

    def __len__(self) -> int:
        """Number of half-cycles."""
        return self.start.size


def half_cycles(
    table: pl.DataFrame, *, source: Source = "auto", begins: Begins = "charge"
) -> HalfCycles:
    """Find the charges and discharges of a time series.

    Parameters
    ----------
    table
        Time series of one cell; see `equipoise.core.columns`.
    source
        "counter" or "current" insists; "auto" takes counters if there are any.
    begins
        What a cycle begins with, where cycles have to be derived.

    Returns
    -------
    HalfCycles
        Empty if no current ever flows.

    Raises
    ------
    DataError
        As `cycle_summary`.
    """
    rows = rows_of(table, source, begins)
    own, _ = _charges(rows)
    none, no_sign = np.empty(0, np.int64), np.empty(0, np.int64)
    where = (rows.current_ampere, rows.cycle, rows.eis, rows.rest_ampere)
    n = int(kernel.half_cycles(*where, none, none, no_sign))
    start, stop, sign = (np.empty(n, np.int64) for _ in range(3))
    if n:
        kernel.half_cycles(*where, start, stop, sign)
    capacity = np.zeros(n)
    if n:
        capacity += sign * np.add.reduceat(own, start)
    return HalfCycles(
        cycle_count=rows.cycle[start],
        direction=sign,
        start=start,
        stop=stop,
        capacity_ah=capacity,
        source=rows.charge_source,
        cycles_derived=rows.cycles_derived,
    )


def charge_passed(table: pl.DataFrame, source: Source = "auto") -> Array:
    """Signed charge in Ah since the first row, > 0 on charging, shape (N,).

    Raises
    ------
    DataError
        As `cycle_summary`.
    """
    return _charges(rows_of(table, source))[1]


def rows_of(
    table: pl.DataFrame, source: Source = "auto", begins: Begins = "charge"
) -> Rows:
    """Check a time series and take the arrays of it that cycling analysis needs.

    Raises
    ------
    DataError
        As `cycle_summary`.
    """
    columns.require(table.columns, where="time series")
    if table.height == 0:
        raise DataError(
            "the table has no rows",
            where="time series",
            remedy="check the file, or the filter before this call",
        )
    if source not in ("auto", "counter", "current"):
        raise DataError(
            f"source = {source!r} is not one of 'auto', 'counter', 'current'"
        )
    time, voltage, current = (_required(table, n) for n in columns.REQUIRED)
    most = max(float(np.max(current)), -float(np.min(current)))
    if not np.isfinite(most):
        _refuse_not_finite("current_ampere", current)
    rest = REST_FRACTION * most
    eis = _impedance_rows(table)
    cycle, derived = _cycles(table, current, eis, rest, begins)
    cycles, bad, row = kernel.survey(time, voltage, cycle)
    if bad != Bad.NOTHING:
        _refuse(Bad(int(bad)), int(row), time, voltage, cycle)
    found = (table, cycle, derived)
    charge, by = _counters(*found, current, rest, source, CAPACITY_COUNTERS)
    if source == "counter" and not by:
        wanted = ", ".join(names[0] for _, names, _ in CAPACITY_COUNTERS)
        raise DataError(
            "there is no capacity counter that can be used; found: "
            f"{', '.join(table.columns)}",
            where="time series",
            remedy=f"give {wanted}, or integrate the current (source='current')",
        )
    energy, e_by = _counters(*found, current, rest, source, ENERGY_COUNTERS)
    return Rows(
        time_second=time,
        voltage_volt=voltage,
        current_ampere=current,
        cycle=cycle,
        eis=eis,
        rest_ampere=rest,
        cycles_count=int(cycles),
        cycles_derived=derived,
        charge=charge,
        charge_source=by or "current",
        energy=energy,
        energy_source=e_by or "integral",
    )


def cycles_begin_with(record: CellRecord) -> Begins:
    """What derived cycles begin with: what the efficiency divides by."""
    return "charge" if record.efficiency == "discharge/charge" else "discharge"


def _charges(rows: Rows) -> tuple[Array, Array]:
    own, running = np.empty(rows.time_second.size), np.empty(rows.time_second.size)
    where = (
        rows.time_second,
        rows.current_ampere,
        rows.cycle,
        rows.eis,
        rows.rest_ampere,
    )
    kernel.row_charges(*where, tuple(rows.charge), own, running)
    return own, running


def _required(table: pl.DataFrame, name: str) -> Array:
    column = table[name]
    if column.null_count():
        row = int(column.is_null().arg_max() or 0)
        raise DataError(
            f"{name} has no value in row {row}",
            where=f"row {row}",
            remedy="drop the rows without a value",
        )
    return floats(table, name)


def floats(table: pl.DataFrame, name: str) -> Array:
    """A column as float64, shape (N,), read-only; NaN where it has no value."""
    import polars as pl

    column = table[name].cast(pl.Float64)
    if column.null_count():
        column = column.fill_null(float("nan"))
    return _read_only(column.to_numpy())


def _read_only(array: NDArray[T]) -> NDArray[T]:
    """All arrays alike: kernels are compiled once, not for each mixture."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _impedance_rows(table: pl.DataFrame) -> Marks:
    if "frequency_hertz" in table.columns:
        frequency = floats(table, "frequency_hertz")
        with np.errstate(invalid="ignore"):
            rows = frequency > 0.0
        if rows.any():
            return _read_only(rows.astype(np.uint8))
    return _read_only(np.empty(0, np.uint8))


def _cycles(
    table: pl.DataFrame, current: Array, eis: Marks, rest: float, begins: Begins
) -> tuple[Ints, bool]:
    import polars as pl

    if "cycle_count" in table.columns:
        column = table["cycle_count"]
        if column.null_count() < table.height:
            if column.null_count():
                column = column.fill_null(strategy="forward")
                column = column.fill_null(strategy="backward")
            whole = column.cast(pl.Int64, strict=False)
            if not column.dtype.is_integer() and not (whole == column).all():
                raise DataError(
                    "cycle_count holds values that are no whole numbers",
                    where="cycle_count",
                    remedy="give the numbers that the cycler reports",
                )
            return _read_only(whole.to_numpy()), False
    out = np.empty(table.height, np.int64)
    first = 1 if begins == "charge" else -1
    kernel.derive_cycles(current, eis, rest, first, out)
    return _read_only(out), True


def _counters(
    table: pl.DataFrame,
    cycle: Ints,
    derived: bool,
    current: Array,
    rest: float,
    source: Source,
    known: tuple[tuple[Count, tuple[str, ...], str], ...],
) -> tuple[Counters, str]:
    none = _read_only(np.empty(0))
    if source != "current":
        for mode, names, since in known:
            if not all(n in table.columns for n in names):
                continue
            reset = _reset(table, since, cycle, derived)
            if reset is None or not all(
                _counts_the_current(table, n, current, rest) for n in names
            ):
                continue
            up, down = floats(table, names[0]), floats(table, names[-1])
            resets = since != "test"
            if mode != Count.NET:
                for name, values in zip(names, (up, down), strict=False):
                    _refuse_falling(name, values, cycle, reset, resets)
            return Counters(int(mode), up, down, reset, resets), ", ".join(names)
    return Counters(int(Count.NONE), none, none, cycle, False), ""


def _reset(table: pl.DataFrame, since: str, cycle: Ints, derived: bool) -> Ints | None:
    """What changes where the counter starts anew; None if the table does not say."""
    if since == "test":
        return cycle
    if since == "cycle":
        return None if derived else cycle
    import polars as pl

    for name in ("step_count", "step_index"):
        if name in table.columns and not table[name].null_count():
            return _read_only(table[name].cast(pl.Int64).to_numpy())
    return None


def _counts_the_current(
    table: pl.DataFrame, name: str, current: Array, rest: float
) -> bool:
    """Whether the counter has a value wherever a current flows (impedance aside)."""
    import polars as pl

    column = table[name].cast(pl.Float64)
    if not column.null_count():
        return True
    flows = np.abs(current) > rest
    if "frequency_hertz" in table.columns:
        flows &= ~(floats(table, "frequency_hertz") > 0.0)
    return not bool((column.is_null().to_numpy() & flows).any())


def _refuse_falling(
    name: str, values: Array, cycle: Ints, reset: Ints, resets: bool
) -> None:
    most = np.nanmax(values) if not np.isnan(values).all() else 0.0
    allowed = COUNTER_NOISE_FRACTION * max(float(most), 0.0)
    row = int(kernel.first_fall(values, cycle, reset, resets, allowed))
    if row >= 0:
        before = values[row - 1] if row else 0.0
        raise DataError(
            f"{name} falls from {before:g} to {values[row]:g} in row {row} (cycle "
            f"{cycle[row]}): a counter is >= 0 and starts anew at most where its name "
            "says",
            where=f"row {row}",
            remedy="name it by when it is reset, or integrate the current "
            "(source='current')",
        )


def _refuse(bad: Bad, row: int, time: Array, voltage: Array, cycle: Ints) -> None:
    if bad == Bad.VOLTAGE:
        _refuse_not_finite("voltage_volt", voltage)
    if bad == Bad.CYCLE:
        raise DataError(
            f"cycle_count falls from {cycle[row - 1]} to {cycle[row]} in row {row}",
            where=f"row {row}",
            remedy="one table holds one test, in order of time: split or sort it",
        )
    if not np.isfinite(time[row]):
        _refuse_not_finite("test_time_second", time)
    raise DataError(
        f"test_time_second runs back from {time[row - 1]:g} to {time[row]:g} in row "
        f"{row}",
        where=f"row {row}",
        remedy="one table holds one test, in order of time: split or sort it",
    )


def _refuse_not_finite(name: str, values: Array) -> None:
    row = int(np.argmin(np.isfinite(values)))
    raise DataError(
        f"{name} is {values[row]} in row {row}",
        where=f"row {row}",
        remedy="drop the rows without a value",
    )
