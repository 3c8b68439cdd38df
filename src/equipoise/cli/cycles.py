"""``equipoise cycles``: what the cycles of cells say, measured or simulated."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.cell_options import (
    AsJson,
    Figures,
    Form,
    Group,
    Map,
    Mass,
    OneC,
    ReaderName,
    Record,
    Reference,
    Repair,
    Sign,
    counted,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.study.cell_statistics import CellStatistics
    from equipoise.study.measured_cell import CellData

MOST_ROWS = 20
COLUMNS = {
    "cycle_count": ("cycle", ".0f", 1.0),
    "cycle_kind": ("kind", "", 1.0),
    "charge_c_rate": ("C-rate", ".3g", 1.0),
    "charging_capacity_mah_per_g_positive": ("charge\nmAh g⁻¹", ".2f", 1.0),
    "discharging_capacity_mah_per_g_positive": ("discharge\nmAh g⁻¹", ".2f", 1.0),
    "coulombic_efficiency": ("CE", ".4f", 1.0),
    "mean_discharging_voltage_volt": ("mean\nV", ".3f", 1.0),
    "upper_potential_vs_li_volt": ("UP\nV", ".4f", 1.0),
    "lower_potential_vs_li_volt": ("LP\nV", ".4f", 1.0),
}
PER_CELL = {
    "charging_capacity_mah_per_g_positive": ("charging_capacity_ah", "charge"),
    "discharging_capacity_mah_per_g_positive": ("discharging_capacity_ah", "discharge"),
}

Files = Annotated[
    list[Path],
    typer.Argument(help="Files of cells; those of one group are replicates."),
]
Threshold = Annotated[
    float,
    typer.Option("--threshold", help="Retention that ends a life.", min=0.0, max=1.0),
]
ReferenceCycle = Annotated[
    int | None,
    typer.Option(
        "--reference-cycle",
        min=0,
        max=1_000_000_000,
        help="Cycle that is 100 %. Default: the first like one after the rate block.",
    ),
]


def cycles(
    files: Files,
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables and figures.")
    ] = None,
    threshold: Threshold = 0.8,
    reference_cycle: ReferenceCycle = None,
    record: Record = None,
    mass_mg: Mass = None,
    one_c_ma: OneC = None,
    reference: Reference = None,
    group: Group = None,
    column_map: Map = None,
    reader: ReaderName = None,
    repair: Repair = "",
    current_sign: Sign = None,
    form: Form = "parquet",
    figures: Figures = True,
    as_json: AsJson = False,
) -> None:
    """Sum up cycles: capacities, efficiencies, kinds, life, rates, end potentials.

    Example: equipoise cycles lb1.mpr lb2.mpr --mass-mg 5.4 --group LB --out lb
    """
    from equipoise.cli.cell_options import changes, loaded, told_apart
    from equipoise.cli.output import told_warnings
    from equipoise.study.cell_statistics import cell_statistics

    with told_warnings():
        changed = changes(
            mass_mg=mass_mg, one_c_ma=one_c_ma, reference=reference, group=group
        )
        how = (reader, column_map, repair, current_sign)
        cells = told_apart([loaded(f, record, changed, *how) for f in files])
        statistics = [
            cell_statistics(
                data,
                threshold_retention=threshold,
                reference="auto" if reference_cycle is None else reference_cycle,
            )
            for data in cells
        ]
        written = [] if out is None else _written(cells, statistics, out, form)
        if out is not None and figures:
            written += _figures(labelled(cells), statistics, out / "figures")
    _say(cells, statistics, written, as_json)


def names_of(cells: Sequence[CellData]) -> list[str]:
    """Names fit for files, each once."""
    names: list[str] = []
    for data in cells:
        stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in data.name)
        name, number = stem or "cell", 2
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names


def labelled(cells: Sequence[CellData]) -> list[CellData]:
    """The cells with their names in their records, other data under another name."""
    from dataclasses import replace

    hashes: dict[str, str] = {}
    found: list[CellData] = []
    for data in cells:
        name, number = data.name, 2
        while hashes.setdefault(name, data.source_sha256) != data.source_sha256:
            name, number = f"{data.name} ({number})", number + 1
        record = data.record.model_copy(update={"name": name})
        found.append(replace(data, name=name, record=record))
    return found


def _written(
    cells: Sequence[CellData],
    statistics: Sequence[CellStatistics],
    out: Path,
    form: str,
) -> list[Path]:
    from equipoise.core.files import output_folder, write_atomic
    from equipoise.io.bdf import table_bytes

    tables: dict[str, pl.DataFrame] = {}
    for name, data, found in zip(names_of(cells), cells, statistics, strict=True):
        tables[f"{name}.cycles"] = data.cycles
        if found.rates is not None:
            tables[f"{name}.rates"] = found.rates
        if found.electrodes is not None:
            tables[f"{name}.electrodes"] = found.electrodes.cycles
    content = {n: table_bytes(t, form) for n, t in tables.items()}
    folder = output_folder(out)
    return [write_atomic(folder / f"{n}.{form}", raw) for n, raw in content.items()]


def _figures(
    cells: Sequence[CellData], statistics: Sequence[CellStatistics], folder: Path
) -> list[Path]:
    """Draw what the cycles allow: capacity always, rates and potentials if there."""
    from equipoise.cli.output import echo_progress
    from equipoise.core.errors import DataError
    from equipoise.viz import cutoff_potentials as potentials
    from equipoise.viz import rate_table as rates
    from equipoise.viz.cycling import capacity_and_efficiency
    from equipoise.viz.style import save_figure

    echo_progress("figures")
    drawn = {"capacity_and_efficiency": capacity_and_efficiency(cells)}
    tested = [d for d, s in zip(cells, statistics, strict=True) if s.rates is not None]
    if tested:
        try:
            groups = rates.rates_by_group(tested)
            drawn["rate_capability"] = rates.rate_capability_measured(groups)
        except DataError as error:
            typer.echo(f"equipoise: no figure of rates: {error.message}", err=True)
    followed = {
        name: s.electrodes
        for name, s in zip(names_of(cells), statistics, strict=True)
        if s.electrodes is not None
    }
    if followed:
        drawn["cutoff_potentials"] = potentials.cutoff_potentials(followed)
    return [f for stem, d in drawn.items() for f in save_figure(d, folder, stem)]


def _say(
    cells: Sequence[CellData],
    statistics: Sequence[CellStatistics],
    written: list[Path],
    as_json: bool,
) -> None:
    from equipoise.cli.output import echo_json

    if as_json:
        content = [_content(d, s) for d, s in zip(cells, statistics, strict=True)]
        echo_json({"cells": content, "files": [str(f) for f in written]})
        return
    for data, found in zip(cells, statistics, strict=True):
        _print_cell(data, found)
    for file in written:
        typer.echo(f"written: {file}")


def _content(data: CellData, found: CellStatistics) -> dict[str, object]:
    recording = data.recording
    return {
        "name": data.name,
        "group": data.group,
        "file": data.source,
        "origin": data.origin,
        "proven": recording.proven if recording else None,
        "findings": [f.as_dict() for f in recording.findings] if recording else [],
        "cycles_derived": data.cycles_derived,
        "cell": data.record.model_dump(exclude_none=True, exclude_defaults=True),
        "cycles": data.cycles.to_dicts(),
        **found.as_dict(),
    }


def _print_cell(data: CellData, found: CellStatistics) -> None:
    from equipoise.cli.output import echo_table

    columns = _columns(data.cycles)
    rows = [_row(r, columns) for r in data.cycles.to_dicts()]
    if len(rows) > MOST_ROWS:
        middle = ("...",) * len(columns)
        rows = [*rows[: MOST_ROWS // 2], middle, *rows[1 - MOST_ROWS // 2 :]]
    of = "per g of positive active material; " if _specific(data.cycles) else ""
    number = counted(data.cycles.height, "cycle")
    echo_table(
        f"{data.name}: {number}, {data.origin}, {data.source}",
        [c[0] for c in columns.values()],
        rows,
        note=f"{of}CE: {data.record.efficiency}; mean: of the discharge",
    )
    for line in _verdicts(data, found):
        typer.echo(f"  {line}")


def _specific(table: pl.DataFrame) -> bool:
    return "discharging_capacity_mah_per_g_positive" in table.columns


def _columns(table: pl.DataFrame) -> dict[str, tuple[str, str, float]]:
    """Columns to print: per gram if the mass is known, else mAh or µAh of the cell."""
    import polars as pl

    columns = {k: v for k, v in COLUMNS.items() if k in table.columns}
    if not _specific(table) and "discharging_capacity_ah" in table.columns:
        both = table.select(pl.col("^(dis)?charging_capacity_ah$").fill_nan(None).max())
        largest = max((x for x in both.row(0) if x is not None), default=1.0)
        factor, unit = next(
            ((f, u) for f, u in ((1.0, "Ah"), (1e3, "mAh")) if largest * f >= 1.0),
            (1e6, "µAh"),
        )
        ordered: dict[str, tuple[str, str, float]] = {}
        for key, shown in COLUMNS.items():
            if key in PER_CELL:
                column, word = PER_CELL[key]
                ordered[column] = (f"{word}\n{unit}", ".4g", factor)
            elif key in columns:
                ordered[key] = shown
        return ordered
    return columns


def _row(
    row: dict[str, object], columns: dict[str, tuple[str, str, float]]
) -> tuple[str, ...]:
    texts: list[str] = []
    for key, (_, form, factor) in columns.items():
        value = row[key]
        if isinstance(value, int | float):
            texts.append("-" if value != value else format(value * factor, form))
        else:
            texts.append("-" if value is None else str(value))
    return tuple(texts)


def _verdicts(data: CellData, found: CellStatistics) -> list[str]:
    """Life, fade, efficiency, drift: a line each."""
    lines = [_kinds(data.cycles), *_doubts(data)]
    if data.cycles_derived:
        lines.append("cycles are counted as the current alternates: the file has none")
    if data.left_out is not None:
        first, count = data.left_out
        lines.append(f"{count} cycles are not in this file, the first is {first}")
    life = found.life
    if life is not None and life.censored:
        lines.append(
            f"life to {100 * life.threshold_retention:g} %: not reached in "
            f"{counted(life.last_cycle_count, 'cycle')} since cycle "
            f"{life.reference_cycle_count}"
        )
    elif life is not None:
        lines.append(
            f"life to {100 * life.threshold_retention:g} %: "
            f"{life.life_cycle_count:.0f} cycles since cycle "
            f"{life.reference_cycle_count}"
        )
    fade = found.fade
    if fade is not None and not math.isnan(fade.low_fade_per_cycle_percent):
        lines.append(
            f"fade: {fade.fade_per_cycle_percent:z.4f} % per cycle "
            f"({fade.low_fade_per_cycle_percent:z.4f} to "
            f"{fade.high_fade_per_cycle_percent:z.4f})"
        )
    if found.efficiency is not None:
        lines.append(
            f"CE over {counted(found.efficiency.cycles_count, 'like cycle')}: median "
            f"{found.efficiency.median_coulombic_efficiency:.5f}"
        )
    if found.recovery is not None:
        lines.append(
            f"after the rate test {100 * found.recovery.recovery_retention:.1f} % of "
            "the first block come back"
        )
    lines += _check_up_lines(found)
    if found.electrodes is not None:
        lines += list(found.electrodes.notes)
    if life is None and "life" in found.reasons:
        lines.append(f"no life: {found.reasons['life']}")
    return lines


def _kinds(cycles: pl.DataFrame) -> str:
    """How many there are of each kind, and how many of these are complete."""
    import polars as pl

    found = (
        cycles.group_by("cycle_kind")
        .agg(pl.len(), pl.col("complete").fill_null(value=False).sum())
        .sort("len", descending=True)
    )
    parts: list[str] = []
    for kind, number, whole in found.rows():
        part = f"{number} {kind}"
        if kind not in ("rest", "eis", "incomplete", "pulse") and whole < number:
            part += f" ({whole} complete)"
        parts.append(part)
    return "kinds: " + ", ".join(parts)


def _doubts(data: CellData) -> list[str]:
    """What the reading left open, and what the file could have told."""
    recording = data.recording
    if recording is None:
        return []
    lines: list[str] = []
    if not recording.proven:
        lines.append("the unit of the current is not proven: equipoise read --explain")
    mass = recording.metadata.get("active_mass_mg")
    if data.record.positive_active_mass_mg is None and mass is not None:
        lines.append(f"the file names an active mass: --mass-mg {mass} gives mAh/g")
    return lines


def _check_up_lines(found: CellStatistics) -> list[str]:
    """First and last check-up of each rate: ageing cycles may not be full ones."""
    if found.check_ups is None:
        return []
    lines: list[str] = []
    for _, group in found.check_ups.group_by("rate_index", maintain_order=True):
        if group.height < 2:
            continue
        ampere = float(group["discharge_current_ampere"][0])
        at = "" if ampere != ampere else f" at {1e3 * ampere:.3g} mA"
        first, last = group["cycle_count"][0], group["cycle_count"][-1]
        share = 100 * float(group["capacity_retention"][-1])
        lines.append(
            f"check-ups{at}: {share:.1f} % in cycle {last} of that in cycle {first}"
        )
    return lines
