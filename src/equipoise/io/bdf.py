"""Time series on disk: Battery Data Format (BDF) with our metadata beside it."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from equipoise import __version__
from equipoise.core.columns import BDF_VERSION, COLUMNS, require, to_labels, to_names
from equipoise.core.errors import DataError
from equipoise.core.files import output_folder, write_atomic
from equipoise.io.curve_csv import read_bytes
from equipoise.kernels.program import Ask, End, Reason
from equipoise.spec.half_cell_spec import HalfCellSetup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from equipoise.sim.simulate import Run
    from equipoise.spec.cell import Cell

FORMS = ("parquet", "csv")
_ENDINGS = tuple(f".bdf.{form}" for form in FORMS)

_FIRST_CYCLE = {
    "charging_capacity_mah_per_g_positive": "first_charge_mah_per_g_positive",
    "discharging_capacity_mah_per_g_positive": "first_discharge_mah_per_g_positive",
}
"""Columns of the cycles whose first row has another name in a design."""


def write_bdf(
    table: pl.DataFrame, path: str | Path, *, metadata: Mapping[str, object]
) -> Path:
    """Write the time series of one cell, and its metadata beside it.

    Parameters
    ----------
    table
        Machine names of `core.columns`; other columns keep their names.
    path
        Ends in ``.bdf.parquet`` (exact) or ``.bdf.csv`` (shortest text that reads
        back as the same number).
    metadata
        What JSON can hold; written first, to ``<name>.bdf.json``, with the program
        version, the reference electrode "li" unless it names another, and the unit
        and meaning of every column.

    Returns
    -------
    Path
        Of the table.

    Raises
    ------
    DataError
        If the name ends otherwise, a required column is missing, or the metadata do
        not fit into JSON.
    StoreError
        If a file cannot be written.
    """
    target = Path(path)
    if not target.name.endswith(_ENDINGS):
        raise DataError(
            f"the name of this file does not end in {' or '.join(_ENDINGS)}",
            where=str(target),
            remedy=f"for example {target.name.split('.')[0] or 'cell'}{_ENDINGS[0]}",
        )
    require(table.columns, where=str(target))
    content: dict[str, object] = {
        "equipoise": __version__,
        "reference_electrode": "li",
        "reference_potential_vs_li_volt": 0.0,
        **metadata,
        "columns": _described(table.columns),
    }
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"these metadata cannot be written as JSON ({error})",
            where=str(target),
            remedy="give text, finite numbers, lists and dictionaries",
        ) from None
    labels = dict(zip(table.columns, to_labels(table.columns), strict=True))
    raw = table_bytes(table.rename(labels), target.suffix[1:])
    write_atomic(metadata_path(target), f"{text}\n")
    return write_atomic(target, raw)


def read_bdf(path: str | Path) -> pl.DataFrame:
    """Read a BDF table (Parquet, else CSV) under machine names.

    Labels that are not known, and their columns, stay as they are. Lines that begin
    with # are left out of a CSV table.

    Raises
    ------
    DataError
        If it cannot be read, lacks a required column, has one twice, or a known
        column holds something else than numbers.
    """
    source = Path(path)
    where = str(source)
    frame = _frame(source, read_bytes(source))
    names = to_names(frame.columns, where=where)
    require(names, where=where)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return frame.with_columns([_typed(frame[n], where) for n in names])


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read the metadata beside a BDF table; empty if there are none.

    Raises
    ------
    DataError
        If they are no JSON object.
    """
    beside = metadata_path(path)
    if not beside.exists():
        return {}
    try:
        content: object = json.loads(read_bytes(beside))
    except ValueError as error:
        raise DataError(f"this is no JSON ({error})", where=str(beside)) from None
    if not isinstance(content, dict):
        raise DataError(
            f"a JSON object was expected, found {content!r:.60}", where=str(beside)
        )
    return cast("dict[str, Any]", content)


def metadata_path(path: str | Path) -> Path:
    """Where the metadata of a table are: ``cell.bdf.csv`` -> ``cell.bdf.json``."""
    return Path(path).with_suffix(".json")


def write_run(run: Run, folder: str | Path, *, form: str = "parquet") -> list[Path]:
    """Write cycles, steps, and the trace as BDF with its metadata.

    Parameters
    ----------
    folder
        Created if missing; files of an earlier run are replaced one by one.
    form
        "parquet" or "csv".

    Returns
    -------
    list of Path
        cycles, steps, trace.bdf and its trace.bdf.json.

    Raises
    ------
    DataError
        If the form is neither.
    StoreError
        If the folder or a file cannot be written.
    """
    tables = {
        f"{name}.{form}": table_bytes(table, form)
        for name, table in (("cycles", run.cycles), ("steps", run.steps))
    }
    target = output_folder(folder)
    files = [write_atomic(target / name, raw) for name, raw in tables.items()]
    path = target / f"trace.bdf.{form}"
    write_bdf(run.trace, path, metadata=run_metadata(run))
    return [*files, path, metadata_path(path)]


def run_metadata(run: Run) -> dict[str, object]:
    """What a reader of the tables of a run has to know, fit for JSON."""
    cell, spec = run.cell, run.cell.spec
    one_c = run.lowered.one_c_ampere
    return {
        "kind": "simulated",
        "bdf": BDF_VERSION,
        "cell": run.name,
        "protocol": run.program.name,
        "model": run.model,
        "mesh": run.mesh.model_dump(),
        "stepping": run.stepping.model_dump(),
        "status": outcome(run),
        "finished": run.finished,
        "notes": [*notes(run)],
        "temperature_celsius": spec.temperature_celsius,
        "window": spec.window.model_dump(),
        "one_c_ma": 1e3 * one_c,
        **(_half_cell(cell) if isinstance(cell, HalfCellSetup) else _full_cell(cell)),
        "kinetics": None if cell.kinetics is None else cell.kinetics.name,
        "evidence_of_rates": evidence_of_rates(run),
        "roles": roles(run),
        "roles_after_first_cycle": "predicted, unless a rate is calibrated",
    }


def outcome(run: Run) -> str:
    """OK, INTERRUPTED, or the name of the status with which the kernels gave up."""
    return "INTERRUPTED" if run.interrupted else run.status.name


def notes(run: Run) -> tuple[str, ...]:
    """Notes of a run, with the one that its last cycle is not a whole one."""
    if run.finished or not run.results.shape[0]:
        return run.notes
    last, program = run.results[-1], run.program
    cycle, step, reason = (int(last[c]) for c in (End.CYCLE, End.STEP, End.REASON))
    after = int(program.skip_to[step - 1]) if reason == Reason.VOLTAGE else step
    goes_on = (
        after < program.steps.shape[0] and program.steps[after, Ask.CYCLE] == cycle
    )
    if reason == Reason.FAILED or goes_on:
        return (*run.notes, f"cycle {cycle} is not a whole cycle: the run ended in it")
    return run.notes


def roles(run: Run) -> dict[str, str]:
    """Role of every column of the cycles in the first of them.

    "calibrated" is what the curves (at equilibrium) or the rates were adjusted to
    meet, as long as the cell is the one they were adjusted on.
    """
    half = isinstance(run.cell, HalfCellSetup)
    met = () if isinstance(run.cell, HalfCellSetup) else run.cell.calibrated
    at_rest = run.model == "quasi-static"
    if at_rest and _other_curves(run):
        met = ()  # they belong to the curves of the materials
    by_rates = "calibrated" in evidence_of_rates(run) and (half or bool(met))

    def role(name: str) -> str:
        if name == "cycle_count" or name.endswith("_c_rate"):
            return "input"
        known = _FIRST_CYCLE.get(name, name) in met if at_rest else by_rates
        return "calibrated" if known else "predicted"

    return {name: role(name) for name in run.cycles.columns}


def _other_curves(run: Run) -> bool:
    """Whether the rates bring open-circuit curves of their own."""
    rates = run.cell.kinetics
    return rates is not None and any(
        side.open_circuit is not None or side.open_circuit_stretch_ratio != 1.0
        for side in (rates.positive, rates.negative)
    )


def evidence_of_rates(run: Run) -> dict[str, int]:
    """How many rates of a cell are assumed, printed, calibrated, ...; most first."""
    rates = run.cell.kinetics
    if rates is None or run.model == "quasi-static":
        return {}
    leave = ""
    if isinstance(run.cell, HalfCellSetup):
        is_positive = run.cell.working.half_cell.axis == "delithiated"
        leave = "negative" if is_positive else "positive"
    return dict(Counter(_evidence(rates, leave)).most_common())


def _evidence(model: BaseModel, leave: str = "") -> Iterator[str]:
    """Evidence of every sourced number in a specification, nested ones too."""
    if (found := getattr(model, "evidence", None)) is not None:
        yield str(found)
        return
    for key in type(model).model_fields:
        inner = getattr(model, key)
        if key != leave and isinstance(inner, BaseModel):
            yield from _evidence(inner)


def _full_cell(cell: Cell) -> dict[str, object]:
    positive = cell.positive_mass_mg
    return {
        "np_ratio": cell.np_ratio,
        "active_masses_mg": {
            "positive": positive,
            "negative": positive * cell.np_ratio * cell.mass_per_np_ratio,
        },
        "areas_cm2": {
            "positive": cell.positive.spec.area_cm2,
            "negative": cell.negative.spec.area_cm2,
            "separator": cell.separator_area_cm2,
        },
    }


def _half_cell(cell: HalfCellSetup) -> dict[str, object]:
    return {
        "counter": cell.spec.counter,
        "counter_potential_vs_li_volt": cell.counter_potential_vs_li_volt,
        "active_masses_mg": {"working": cell.working.spec.active_mass_mg},
        "areas_cm2": {"working": cell.working.spec.area_cm2},
    }


def table_bytes(table: pl.DataFrame, form: str) -> bytes:
    """A table as the bytes of a Parquet or CSV file.

    Raises
    ------
    DataError
        If the form is neither.
    """
    if form not in FORMS:
        raise DataError(
            f"{form!r} is not a form of a table", remedy=f"use {' or '.join(FORMS)}"
        )
    buffer = io.BytesIO()
    if form == "parquet":
        table.write_parquet(buffer)
    else:
        table.write_csv(buffer)
    return buffer.getvalue()


def _described(names: Iterable[str]) -> dict[str, dict[str, str]]:
    keys = ("label", "unit", "level", "meaning")
    known = [COLUMNS[n] for n in names if n in COLUMNS]
    return {c.name: {k: getattr(c, k) for k in keys} for c in known}


def _frame(path: Path, raw: bytes) -> pl.DataFrame:
    """The table as it is; all text if it is CSV."""
    import polars as pl  # 0.5 s: only where a table is read

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(raw)
        frame = pl.read_csv(raw, infer_schema=False, comment_prefix="#")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this is not a readable table ({str(error).splitlines()[0]})",
            where=str(path),
            remedy="a BDF table is Parquet or comma-separated text with one header",
        ) from None
    twins = [c for c in frame.columns if "_duplicated_" in c]  # polars renames them
    if twins:
        name = twins[0].rpartition("_duplicated_")[0]
        raise DataError(
            f"more than one column is named {name!r}",
            where=str(path),
            remedy="keep the one that is right",
        )
    return frame


def _typed(column: pl.Series, where: str) -> pl.Series:
    """A known column as numbers, whole ones if it counts; any other as it is."""
    import polars as pl

    known = COLUMNS.get(column.name)
    if known is None or known.kind == "text":
        return column
    if column.dtype == pl.String:
        values = column.str.strip_chars().cast(pl.Float64, strict=False)
    elif column.dtype.is_numeric():
        values = column
    else:
        values = pl.Series(column.name, [None] * len(column), dtype=pl.Float64)
    lost = values.is_null() & column.is_not_null()
    if known.kind == "count" and not values.dtype.is_integer():
        lost |= (values != values.round()).fill_null(value=False)
        lost |= ~values.is_finite().fill_null(value=True)
    if lost.any():
        row = int(lost.arg_max() or 0)
        what = "a whole number" if known.kind == "count" else "a number"
        raise DataError(
            f"column {column.name!r}, data row {row + 1}: found {column[row]!r:.40}, "
            f"{what} was expected",
            where=where,
        )
    return values.cast(pl.Int64) if known.kind == "count" else values
