"""One half-cycle out of a Battery Data Format table (CSV or Parquet).

Current above zero charges. In a half cell the material under test is the working
electrode, positive or negative alike: charging it takes lithium out (delithiation).
"""

from __future__ import annotations

import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.columns import COLUMNS, to_names
from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.io.curve_csv import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from equipoise.spec.treatment import Direction

    Array = NDArray[np.float64]

REST_FRACTION = 1e-4
"""A current below this share of the largest is a rest."""
AGREEMENT_FRACTION = 0.02
"""How well the integral of the current must meet the capacity column."""
FINE_FRACTION = 0.5
"""A capacity column with fewer different values than this share of the rows is
rounded; the integral of the current gives the shape."""


class _Table(NamedTuple):
    hours: Array
    volts: Array
    amperes: Array
    counted: Array | None  # the instrument's capacity in this direction, Ah
    cycles: Array | None


def read_bdf_branch(
    path: Path, *, direction: Direction, cycle: int | None = None
) -> tuple[Array, Array]:
    """Read the capacity (Ah, from 0 upward) and voltage of one half-cycle.

    Parameters
    ----------
    direction
        "delithiation" takes a charge, "lithiation" a discharge.
    cycle
        Value of the cycle count; in a table without one, the how-many-th charge or
        discharge, from 1. May be left out if there is only one.

    Raises
    ------
    DataError
        If a required column is missing, the half-cycle is absent or not the only
        one, or the current and the capacity column contradict each other.
    """
    table = _table(path, direction)
    sign = 1.0 if direction == "delithiation" else -1.0
    start, stop = _half_cycle(path, table, sign, cycle)
    part = slice(start, stop)
    amperes = sign * table.amperes[part]
    hours, volts = table.hours[part], table.volts[part]
    if (np.diff(hours) < 0.0).any():
        raise DataError("the test time runs back in the half-cycle", where=str(path))
    step = 0.5 * np.diff(hours) * (amperes[1:] + amperes[:-1])
    capacity = np.concatenate(([0.0], np.cumsum(step)))
    if table.counted is not None:
        counted = table.counted[part] - table.counted[start]
        capacity = _proven(path, amperes, capacity, counted, direction)
    flows = amperes > REST_FRACTION * amperes.max()
    return capacity[flows], volts[flows]


def _table(path: Path, direction: Direction) -> _Table:
    frame = _frame(path)
    names = to_names(frame.columns, where=str(path))
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    clock = (
        "test_time_hour" if "test_time_hour" in frame.columns else "test_time_second"
    )
    required = ("voltage_volt", "current_ampere", clock)
    for name in required:
        if name not in frame.columns:
            raise DataError(
                f"there is no column {COLUMNS[name].label!r} (or {name!r}), which the "
                f"Battery Data Format requires; found: {', '.join(frame.columns)}",
                where=str(path),
                remedy="for any other table give capacity_column, capacity_unit and "
                "potential_column",
            )
    charging = direction == "delithiation"
    counter = "charging_capacity_ah" if charging else "discharging_capacity_ah"
    volts, amperes, time = (_numbers(path, frame, name) for name in required)
    return _Table(
        time if clock == "test_time_hour" else time / 3600.0,
        volts,
        amperes,
        _numbers(path, frame, counter) if counter in frame.columns else None,
        _numbers(path, frame, "cycle_count")
        if "cycle_count" in frame.columns
        else None,
    )


def _frame(path: Path) -> pl.DataFrame:
    raw = read_bytes(path)
    import polars as pl

    if path.suffix.lower() != ".parquet":
        _refuse_twins(path, raw)

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema_length=None, comment_prefix="#")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this is not a readable BDF table ({str(error).splitlines()[0]})",
            where=str(path),
            remedy="for a table in another form give capacity_column, capacity_unit "
            "and potential_column",
        ) from None


def _refuse_twins(path: Path, raw: bytes) -> None:
    """Polars renames the second of two columns with one name: refuse them here."""
    lines = (line for line in raw.splitlines() if not line.startswith(b"#"))
    header = [c.strip(b' "\xef\xbb\xbf') for c in next(lines, b"").split(b",")]
    for name in header:
        if name and header.count(name) > 1:
            raise DataError(
                f"{header.count(name)} columns are named {name.decode('latin-1')!r}",
                where=str(path),
                remedy="keep the one that is right",
            )


def _numbers(path: Path, frame: pl.DataFrame, name: str) -> Array:
    column = frame[name]
    if not column.dtype.is_numeric():
        raise DataError(
            f"column {name!r} holds text, numbers were expected", where=str(path)
        )
    values = column.to_numpy().astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise DataError(
            f"column {name!r} has no number in data row {bad[0] + 1}", where=str(path)
        )
    return values


def _half_cycle(
    path: Path, table: _Table, sign: float, cycle: int | None
) -> tuple[int, int]:
    """First row and past-the-last row of the wanted half-cycle."""
    kind = "charge" if sign > 0.0 else "discharge"
    found = _half_cycles(table.amperes, sign)
    if not found:
        raise DataError(
            f"there is no {kind} in this table (current {table.amperes.min():.3g} to "
            f"{table.amperes.max():.3g} A)",
            where=str(path),
            remedy="current above zero charges in BDF; a delithiation needs a charge, "
            "a lithiation a discharge",
        )
    labels = (
        list(range(1, len(found) + 1))
        if table.cycles is None
        else [int(table.cycles[start]) for start, _ in found]
    )
    wanted = [
        f for f, label in zip(found, labels, strict=True) if cycle in (None, label)
    ]
    if len(wanted) == 1:
        return wanted[0]
    listed = ", ".join(str(label) for label in labels[:10])
    if not wanted:
        raise DataError(
            f"there is no {kind} with cycle {cycle}; found: {listed}", where=str(path)
        )
    which = "" if cycle is None else f" in cycle {cycle}"
    raise DataError(
        f"{len(wanted)} half-cycles are a {kind}{which}, one was expected",
        where=str(path),
        remedy=f"choose one: cycle = {labels[0]} (found: {listed})"
        if cycle is None
        else "cut the file to the one half-cycle",
    )


def _half_cycles(amperes: Array, sign: float) -> list[tuple[int, int]]:
    """Stretches of one current sign; rests neither begin, end nor break one."""
    rest = REST_FRACTION * float(np.abs(amperes).max())
    rows = np.flatnonzero(np.abs(amperes) > rest)
    if rows.size == 0:
        return []
    flow = np.sign(amperes[rows])
    cuts = np.flatnonzero(np.diff(flow)) + 1
    first = np.concatenate(([0], cuts))
    last = np.append(cuts, rows.size) - 1
    return [
        (int(rows[a]), int(rows[b]) + 1)
        for a, b in zip(first, last, strict=True)
        if flow[a] == sign and b > a
    ]


def _proven(
    path: Path, amperes: Array, integral: Array, counted: Array, direction: str
) -> Array:
    """Capacity from the instrument's column, if the current does not contradict it.

    A column that is rounded too coarsely to be a curve gives the total only, where
    it is finer than the rounding of the current; the integral gives the shape.
    """
    total, column = float(integral[-1]), float(counted[-1])
    usual = float(np.median(amperes[amperes > 0.0]))
    rounding = min(0.5 * _printed_resolution(amperes) / usual, 0.5)
    coarseness = _resolution(counted)
    allowed = (AGREEMENT_FRACTION + rounding) * total + coarseness
    if abs(column - total) > allowed:
        raise DataError(
            f"the capacity column of the {direction} says {column:.4g} Ah, the "
            f"integral of the current {total:.4g} Ah",
            where=str(path),
            remedy="check the units of both columns and the sign of the current "
            "(above zero charges); remove the wrong column",
        )
    if abs(column - total) > AGREEMENT_FRACTION * total + coarseness:
        warnings.warn(
            f"{path}: the capacity column of the {direction} says {column:.4g} Ah, the "
            f"integral of the current {total:.4g} Ah; the current is printed with so "
            "few digits that both may be right",
            EquipoiseWarning,
            stacklevel=2,
        )
    if np.unique(counted).size >= FINE_FRACTION * counted.size:
        return counted
    return integral * column / total if coarseness < rounding * total else integral


def _printed_resolution(values: Array) -> float:
    """Smallest decimal place of the values as they are printed.

    0.0002 A may stand for anything between 0.00015 and 0.00025 A.
    """
    levels = np.unique(np.abs(values[values != 0.0]))[:1000]
    places = [Decimal(repr(float(v))).normalize().as_tuple().exponent for v in levels]
    return 10.0 ** min(int(p) for p in places) if places else 0.0


def _resolution(values: Array) -> float:
    """Smallest difference between the values of a rounded column."""
    steps = np.diff(np.unique(np.abs(values)))
    return float(steps.min()) if steps.size else 0.0
