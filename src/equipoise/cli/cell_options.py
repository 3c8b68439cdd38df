"""Options that commands on measured data share: metadata of the cell, reading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from equipoise.io.readers.settle_sign import CurrentSign
    from equipoise.study.measured_cell import CellData

Record = Annotated[
    Path | None,
    typer.Option(help="Metadata of the cell, TOML. Default: FILE.cell.toml beside it."),
]
Mass = Annotated[
    float | None,
    typer.Option(
        "--positive-active-mass-mg",
        "--mass-mg",
        help="Positive active material; gives mAh/g.",
    ),
]
OneC = Annotated[
    float | None,
    typer.Option("--one-c-ma", help="Current of 1C; gives C-rates."),
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference-electrode",
        "--reference",
        help="li, lto, in_inli, or its potential vs Li+/Li in volt.",
    ),
]
Map = Annotated[
    Path | None,
    typer.Option("--map", help="What the columns mean, TOML; see docs."),
]
ReaderName = Annotated[
    str | None,
    typer.Option(
        "--reader",
        help="bdf, biologic-mpr, biologic-mpt, neware, maccor or table. "
        "Default: by the content.",
    ),
]
Repair = Annotated[
    str,
    typer.Option(
        help="last-row, backward-time, sort-time, duplicates; commas between."
    ),
]
Sign = Annotated[
    str | None,
    typer.Option(
        "--current-sign", help="charging-positive or charging-negative, if not told."
    ),
]
Group = Annotated[
    str | None,
    typer.Option(help="Group of all files, such as LB. Default: of their records."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Form = Annotated[str, typer.Option("--format", help="With --out: parquet or csv.")]
Figures = Annotated[
    bool,
    typer.Option(
        "--figures/--no-figures",
        "--figure/--no-figure",
        help="With --out: draw figures.",
    ),
]


def changes(
    *,
    mass_mg: float | None = None,
    one_c_ma: float | None = None,
    reference: str | None = None,
    group: str | None = None,
    name: str | None = None,
) -> dict[str, object]:
    """What options say of the cell, as keys of a record."""
    found: dict[str, object] = {
        "positive_active_mass_mg": mass_mg,
        "one_c_ma": one_c_ma,
        "group": group,
        "name": name,
    }
    if reference is not None:
        try:
            found["reference_potential_vs_li_volt"] = float(reference)
        except ValueError:
            found["reference_electrode"] = reference
    return {k: v for k, v in found.items() if v is not None}


def repairs(text: str) -> list[str]:
    """Names between commas."""
    return [p.strip() for p in text.split(",") if p.strip()]


def sign(text: str | None) -> CurrentSign | None:
    """The option as the reader takes it.

    Raises
    ------
    SpecError
        If it is neither.
    """
    from equipoise.core.errors import SpecError, nearest

    known = {
        "charging-positive": "charging positive",
        "charging-negative": "charging negative",
    }
    if text is None:
        return None
    if text not in known:
        raise SpecError(
            f"{text!r} is not known",
            where="--current-sign",
            remedy=nearest(text, known),
        )
    return cast("Literal['charging positive', 'charging negative']", known[text])


def loaded(
    file: Path,
    record: Path | None,
    changed: Mapping[str, object],
    reader: str | None = None,
    column_map: Path | None = None,
    repair: str = "",
    current_sign: str | None = None,
    *,
    warn: bool = True,
) -> CellData:
    """Read a file and sum its cycles up, as all commands on measured data do."""
    from equipoise.io.cell_records import load_record
    from equipoise.study.measured_cell import load_cell_data

    data = load_cell_data(
        file,
        record=None if record is None else load_record(record),
        changes=changed,
        reader=reader,
        column_map=column_map,
        repair=repairs(repair),
        current_sign=sign(current_sign),
    )
    if warn:
        _warn_of_doubts(data)
    return data


def _warn_of_doubts(data: CellData) -> None:
    """What the reading left open has to be known before its numbers are used."""
    import warnings

    from equipoise.core.errors import EquipoiseWarning

    for finding in () if data.recording is None else data.recording.findings:
        matters = finding.what.startswith(("voltage", "current", "test time"))
        if finding.level == "look" and matters:
            text = f"{data.source}: {finding.what}: {finding.how}"
            warnings.warn(text, EquipoiseWarning, stacklevel=3)


def counted(number: int, noun: str) -> str:
    """Number and noun: 1 cycle, 2 cycles."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def told_apart(cells: Sequence[CellData]) -> list[CellData]:
    """Cells under names that differ: replicates of one simulated cell have one name.

    The same data given twice keep theirs: they are no replicates, and are refused where
    cells are counted.
    """
    from dataclasses import replace

    seen: dict[str, list[str]] = {}
    found: list[CellData] = []
    for data in cells:
        known = seen.setdefault(data.name, [])
        key = data.source_sha256 or data.source
        if key not in known:
            known.append(key)
        number = known.index(key) + 1
        if number > 1:
            name = f"{data.name} ({number})"
            record = data.record.model_copy(
                update={"name": name, "group": data.record.group or data.name}
            )
            data = replace(data, name=name, record=record)
        found.append(data)
    return found
