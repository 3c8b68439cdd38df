"""A cell with its time series and cycles, whether measured, simulated or stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from equipoise.analysis.classify import classify
from equipoise.analysis.summary import cycle_summary
from equipoise.core.errors import DataError
from equipoise.io.bdf import read_metadata
from equipoise.io.cell_records import find_record
from equipoise.io.cycle_tables import is_cycle_table, read_cycles
from equipoise.io.readers.read import measured_metadata, read
from equipoise.io.readers.source import open_source
from equipoise.sim.record import record_of
from equipoise.spec.cell_record import CellRecord
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from equipoise.io.readers.recording import Recording
    from equipoise.io.readers.settle_sign import CurrentSign
    from equipoise.sim.simulate import Run

Origin = Literal["measured", "simulated"]


@dataclass(frozen=True, slots=True)
class CellData:
    """What is known of one cell under test.

    Attributes
    ----------
    name
        As figures and tables call it.
    table
        Time series; None if only a table of cycles is known.
    cycles
        One row per cycle, classified; see `analysis.summary.cycle_summary`.
    record
        Masses, areas, reference electrode, group and replicate.
    origin
        "measured" or "simulated".
    recording
        How the file was understood; None for simulated cells and tables of cycles.
    metadata
        What is written beside the table.
    source_sha256
        Hash of the file; empty if there is none.
    """

    name: str
    table: pl.DataFrame | None
    cycles: pl.DataFrame
    record: CellRecord
    origin: Origin
    recording: Recording | None
    metadata: Mapping[str, object]
    source: str = ""
    source_sha256: str = ""

    @property
    def group(self) -> str:
        """Cells of one group are compared as one; alone, a cell is its own group."""
        return self.record.group or self.name

    @property
    def cycles_derived(self) -> bool:
        """Whether the cycles were counted by us, since the file numbers none."""
        return self.table is not None and "cycle_count" not in self.table.columns

    @property
    def left_out(self) -> tuple[int, int] | None:
        """First cycle that is missing between others, and how many are; else None."""
        jumps = np.diff(self.cycles["cycle_count"].to_numpy())
        if not (jumps > 1).any():
            return None
        first = int(self.cycles["cycle_count"][int((jumps > 1).argmax())]) + 1
        return first, int((jumps - 1).sum())

    def require_table(self) -> pl.DataFrame:
        """The time series.

        Raises
        ------
        DataError
            If there is only a table of cycles.
        """
        if self.table is None:
            raise DataError(
                "this is a table of cycles; the time series was expected",
                where=self.source or self.name,
                remedy="give the file with voltage and current over time",
            )
        return self.table


def load_cell_data(
    path: str | Path,
    *,
    record: CellRecord | None = None,
    changes: Mapping[str, object] | None = None,
    reader: str | None = None,
    column_map: str | Path | None = None,
    repair: Iterable[str] = (),
    current_sign: CurrentSign | None = None,
) -> CellData:
    """Read a file of a cell, measured or simulated, and sum its cycles up.

    Parameters
    ----------
    path
        A cycler's file, a BDF table, or a table with one row per cycle.
    record
        Metadata; by default those of ``<file>.cell.toml`` beside it. They win over
        those that `equipoise` itself wrote beside a BDF table.
    changes
        Values that win over the record.
    reader, column_map, repair, current_sign
        As of `io.readers.read.read`.

    Raises
    ------
    DataError
        If the file cannot be read, or contradicts itself.
    SpecError
        If the record is wrong.
    """
    file = open_source(path).path
    found = _record(file, find_record(file) if record is None else record)
    if changes:
        found = validated(CellRecord, _above(changes, found), where="cell record")
    if reader is None and column_map is None and is_cycle_table(file):
        return _of_cycles(file, found)
    recording = read(
        file,
        reader=reader,
        column_map=column_map,
        record=found,
        repair=repair,
        current_sign=current_sign,
    )
    beside = read_metadata(file) if _is_bdf(file) else {}
    origin: Origin = "simulated" if beside.get("kind") == "simulated" else "measured"
    return CellData(
        _called(found, file),
        recording.table,
        cycle_summary(recording.table, record=found),
        found,
        origin,
        recording,
        beside if origin == "simulated" else measured_metadata(recording, found),
        str(file),
        recording.sha256,
    )


def cell_data_of(run: Run) -> CellData:
    """The same for a run of the simulator, of its traced cycles."""
    record = record_of(run)
    cycles = cycle_summary(run.trace, record=record)
    return CellData(
        run.name, run.trace, cycles, record, "simulated", None, {"kind": "simulated"}
    )


def _of_cycles(file: Path, record: CellRecord) -> CellData:
    from equipoise.analysis.kinds import KINDS

    read_in = read_cycles(file)
    table = _of_record(read_in.table, record)
    kinds = table["cycle_kind"].to_list() if "cycle_kind" in table.columns else []
    whole = kinds and "complete" in table.columns
    if not whole or any(k not in KINDS for k in kinds):
        table = classify(table, labels=read_in.labels)
    return CellData(
        _called(record, file),
        None,
        table,
        record,
        "measured",
        None,
        {"kind": "cycles", "findings": list(read_in.findings)},
        str(file),
        read_in.source.sha256(),
    )


def _of_record(cycles: pl.DataFrame, record: CellRecord) -> pl.DataFrame:
    """Columns that follow from the record, also where another record made some."""
    import polars as pl

    up, down = (pl.col(f"{d}charging_capacity_ah") for d in ("", "dis"))
    inverted = record.efficiency == "charge/discharge"
    made = [(up / down if inverted else down / up).alias("coulombic_efficiency")]
    mass, one_c = record.positive_active_mass_mg, record.one_c_ampere
    for way in ("", "dis"):
        scaled = (
            (f"{way}charging_capacity_ah", "capacity_mah_per_g_positive", 1e6, mass),
            (f"{way}charging_energy_wh", "energy_wh_per_kg_positive", 1e6, mass),
        )
        made += [
            (pl.col(source) * factor / over).alias(f"{way}charging_{name}")
            for source, name, factor, over in scaled
            if over is not None and source in cycles.columns
        ]
        current = f"{way}charge_current_ampere"
        if one_c is not None and current in cycles.columns:
            made.append((pl.col(current) / one_c).alias(f"{way}charge_c_rate"))
    return cycles.with_columns(made)


_SAME_THING = {
    "one_c_ma": "one_c_ma_per_g_positive",
    "one_c_ma_per_g_positive": "one_c_ma",
    "reference_electrode": "reference_potential_vs_li_volt",
}
"""Key of a record -> the key below it that would contradict it, or win over it."""


def _above(given: Mapping[str, object], below: CellRecord) -> dict[str, object]:
    """Values of a record with those `given` in their place."""
    content = below.model_dump(exclude_none=True, exclude_unset=True)
    lost = {_SAME_THING[k] for k in given if k in _SAME_THING}
    return {k: v for k, v in content.items() if k not in lost} | dict(given)


def _record(file: Path, found: CellRecord) -> CellRecord:
    """What our own metadata beside a table say, and above it the record of the user."""
    own = _own_record(file) if _is_bdf(file) else {}
    if not own:
        return found
    where = f"{file}: record"
    given = found.model_dump(exclude_none=True, exclude_unset=True)
    below = validated(CellRecord, own, where=where)
    return validated(CellRecord, _above(given, below), where=where)


def _own_record(file: Path) -> dict[str, object]:
    """Keys of a record in the metadata that `equipoise` wrote beside a table."""
    beside = read_metadata(file)
    own = beside.get("cell")
    if isinstance(own, dict):
        return cast("dict[str, object]", own)
    if beside.get("kind") != "simulated":
        return {}
    masses = beside.get("active_masses_mg", {})
    areas = beside.get("areas_cm2", {})
    content = {
        "name": own if isinstance(own, str) else None,
        "one_c_ma": beside.get("one_c_ma"),
        "np_ratio": beside.get("np_ratio"),
        "positive_active_mass_mg": masses.get("positive", masses.get("working")),
        "negative_active_mass_mg": masses.get("negative"),
        "positive_area_cm2": areas.get("positive", areas.get("working")),
        "negative_area_cm2": areas.get("negative"),
        "reference_electrode": "li",
        "temperature_celsius": beside.get("temperature_celsius"),
        "efficiency": beside.get("efficiency", "discharge/charge"),
    }
    return {k: v for k, v in content.items() if v is not None}


def _is_bdf(file: Path) -> bool:
    return ".bdf." in file.name


def _called(record: CellRecord, file: Path) -> str:
    """Name of a cell; a group alone names all its cells, so that the file does."""
    named = record.name is not None or record.replicate is not None
    return record.label if named else _stem(file)


def _stem(file: Path) -> str:
    """Name of a cell by its file."""
    return file.name.split(".bdf.")[0] if _is_bdf(file) else file.stem
