"""``equipoise read``: what a file is, how that was proved, and the file as BDF."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.cell_options import (
    AsJson,
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
    from equipoise.io.readers.recording import Finding
    from equipoise.study.measured_cell import CellData

MARKS = {
    "proven": "proven",
    "not proven": "NOT proven",
    "look": "look",
    "repaired": "repaired",
    "recognised": "recognised",
}


def read(
    file: Annotated[Path, typer.Argument(help="A cycler's file, or a BDF table.")],
    explain: Annotated[
        bool, typer.Option("--explain", help="Every column and every proof.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write NAME.bdf.parquet or NAME.bdf.csv, with .json beside."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option("--figures", help="Folder for a figure of voltage and current."),
    ] = None,
    record: Record = None,
    mass_mg: Mass = None,
    one_c_ma: OneC = None,
    reference: Reference = None,
    column_map: Map = None,
    reader: ReaderName = None,
    repair: Repair = "",
    current_sign: Sign = None,
    as_json: AsJson = False,
) -> None:
    """Read a cycler file, prove its units and signs, write it as BDF.

    Example: equipoise read cell.mpr --explain --out cell.bdf.parquet
    """
    from equipoise.cli.cell_options import changes, loaded
    from equipoise.cli.output import told_warnings
    from equipoise.io.bdf import metadata_path, write_bdf

    files: list[Path] = []
    with told_warnings():
        _refuse_the_same(file, out)
        changed = changes(mass_mg=mass_mg, one_c_ma=one_c_ma, reference=reference)
        data = loaded(
            file,
            record=record,
            changed=changed,
            reader=reader,
            column_map=column_map,
            repair=repair,
            current_sign=current_sign,
            warn=False,
        )
        table = data.table
        if out is not None:
            table = data.require_table()
            files = [write_bdf(table, out, metadata=data.metadata), metadata_path(out)]
        if figures is not None:
            files += _figure(data, figures)
    _say(data, files, explain, as_json)


def _figure(data: CellData, folder: Path) -> list[Path]:
    from equipoise.viz.style import save_figure
    from equipoise.viz.time_series import time_series

    vs_li = data.metadata.get("reference_electrode") == "li"
    reference = "Li⁺/Li" if vs_li else ""
    drawn = time_series(data.require_table(), name=data.name, reference=reference)
    return save_figure(drawn, folder, "time_series")


def _refuse_the_same(file: Path, out: Path | None) -> None:
    from equipoise.core.errors import DataError

    if out is not None and out.exists() and file.exists() and out.samefile(file):
        raise DataError(
            "the output is the file that is read",
            where=str(out),
            remedy="give --out another name: measured files are never replaced",
        )


def _say(data: CellData, files: list[Path], explain: bool, as_json: bool) -> None:
    from equipoise.cli.output import echo_json

    if as_json:
        echo_json(_content(data) | {"files": [str(f) for f in files]})
        return
    _print_summary(data)
    if data.recording is not None:
        _print_findings(data.recording.findings, explain)
    if explain:
        _print_columns(data)
    for path in files:
        typer.echo(f"written: {path}")


def _content(data: CellData) -> dict[str, object]:
    recording, table = data.recording, data.table
    return {
        "file": data.source,
        "format": recording.format if recording else "table of cycles",
        "origin": data.origin,
        "sha256": data.source_sha256,
        "rows_count": table.height if table is not None else 0,
        "cycles_count": data.cycles.height,
        "columns": list(table.columns) if table is not None else data.cycles.columns,
        "proven": recording.proven if recording else False,
        "findings": [f.as_dict() for f in recording.findings] if recording else [],
        "metadata": dict(recording.metadata) if recording else dict(data.metadata),
        "cell": data.record.model_dump(exclude_none=True, exclude_defaults=True),
    }


def _print_summary(data: CellData) -> None:
    table = data.table
    if table is None:
        typer.echo(f"{data.source}: a table of {counted(data.cycles.height, 'cycle')}")
        for line in data.metadata.get("findings", ()):  # pyright: ignore[reportGeneralTypeIssues]
            typer.echo(f"  {line}")
        return
    recording = data.recording
    assert recording is not None  # a file with a time series was recorded
    time, volt, current = (
        table[n] for n in ("test_time_second", "voltage_volt", "current_ampere")
    )
    hours = (time[-1] - time[0]) / 3600.0
    typer.echo(f"{data.source}: {recording.format}")
    number = counted(data.cycles.height, "cycle")
    typer.echo(
        f"  {table.height:,} rows, {number}, {hours:,.1f} h, "
        f"{volt.min():.4g} to {volt.max():.4g} V, "
        f"{_current(current.min())} to {_current(current.max())}"
    )


def _current(ampere: object) -> str:
    value = float(ampere)  # pyright: ignore[reportArgumentType]
    for factor, unit in ((1.0, "A"), (1e3, "mA"), (1e6, "µA")):
        if abs(value) * factor >= 0.1 or unit == "µA" or value == 0.0:
            return f"{value * factor:.4g} {unit}"
    raise AssertionError


def _print_findings(findings: tuple[Finding, ...], explain: bool) -> None:
    for finding in findings:
        if not explain and finding.level == "recognised":
            continue
        line = f"  {MARKS[finding.level]}: {finding.what}: {finding.how}"
        if finding.residual_ratio is not None and finding.tolerance_ratio is not None:
            off, allowed = finding.residual_ratio, finding.tolerance_ratio
            shown = f"{100 * off:+.2f} %" if abs(off) >= 1e-4 else f"{100 * off:+.0e} %"
            line += f" (off by {shown}, {100 * allowed:.2g} % allowed)"
        typer.echo(line)


def _print_columns(data: CellData) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.core.columns import COLUMNS

    table = data.table
    if table is None:
        return
    rows: list[tuple[str, ...]] = []
    for column in table.get_columns():
        known = COLUMNS.get(column.name)
        numeric = column.dtype.is_numeric()
        low, high = (
            (f"{column.min():.6g}", f"{column.max():.6g}")
            if numeric and column.len() > column.null_count()
            else ("", "")
        )
        label = known.label if known else f"{column.name} (the file's own)"
        rows.append((label, low, high, str(column.null_count() or "")))
    echo_table(
        "columns", ["column", "lowest", "highest", "empty"], rows, note=_of_file(data)
    )


def _of_file(data: CellData) -> str:
    """What the file says of itself."""
    recording = data.recording
    if recording is None or not recording.metadata:
        return ""
    return "; ".join(f"{k}: {str(v)[:60]}" for k, v in recording.metadata.items())
