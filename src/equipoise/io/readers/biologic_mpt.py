r"""Text that EC-Lab and BT-Lab export (.mpt), also without its preamble or renamed.

The preamble says how many lines it has, the last of which names the columns. Decimal
signs follow the language of Windows: a comma is a decimal comma, never a separator of
thousands. Times may be seconds or dates, as was chosen at the export.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import clocks
from equipoise.io.readers.biologic_columns import NUMBERS, fill, is_table
from equipoise.io.readers.biologic_settings import NOT_ENTERED
from equipoise.io.readers.delimited import (
    TextTable,
    decimal_sign,
    read_delimited,
    sniff_separator,
)
from equipoise.io.readers.draft import Draft

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.delimited import Decimal
    from equipoise.io.readers.options import Options
    from equipoise.io.readers.source import Source

FORMAT = "Bio-Logic text"
_FIRST_LINE = re.compile(r"^(EC|BT)-Lab ASCII FILE", re.IGNORECASE)
_LINES = re.compile(r"^Nb header lines\s*:\s*(\d+)", re.IGNORECASE)
MOST_PREAMBLE_BYTES = 1_000_000
"""Sequences and later changes of the settings make long preambles."""
_SEPARATORS = re.compile(r"[\t;,]")
_SHOWN_LINES = 30
_TEMPERATURE = re.compile(r"^Temperature/\W*C$")


def recognise(source: Source) -> str:
    """Evidence that this is an export of EC-Lab; empty if it is not."""
    if not source.is_text:
        return ""
    lines = source.head_lines
    if lines and _FIRST_LINE.match(lines[0]):
        return f"begins with {lines[0].strip()!r}"
    at = _header_line(lines)
    return f"line {at} names time/s and a voltage as EC-Lab does" if at else ""


def draft(source: Source, options: Options) -> Draft:
    """Read the table.

    Raises
    ------
    DataError
        If no line names the columns, a needed one is missing, or a row is broken.
    """
    where = str(source.path)
    text = source.text_bytes
    lines = text[:MOST_PREAMBLE_BYTES].decode("utf-8", errors="replace").split("\n")
    at = _header_line(lines)
    if not at:
        raise DataError(
            "no line names the columns time/s and Ewe/V, <Ewe>/V or Ecell/V",
            where=where,
            remedy="export time and potential too; a linear sweep without time is no "
            "time series",
        )
    table = read_delimited(
        where,
        text,
        header_line=at,
        separator=sniff_separator(
            lines[at - 1], [x for x in lines[at : at + 50] if x.strip()]
        ),
        drop_last_row="last-row" in options.repairs,
    )
    made = Draft(FORMAT)
    made.recognised(
        "table",
        f"names in line {at}, separator {table.separator!r}, {table.frame.height} "
        f"rows, {source.encoding}",
    )
    made.metadata |= preamble(lines[: at - 1])
    fill(made, _cells(table, made, where), options, where)
    return made


def _header_line(lines: list[str]) -> int:
    """Number (from 1) of the line that names the columns; 0 if there is none."""
    for line in lines[:3]:
        told = _LINES.match(line)
        if told and 0 < int(told[1]) <= len(lines) and _names(lines[int(told[1]) - 1]):
            return int(told[1])
    return next((n for n, x in enumerate(lines, start=1) if _names(x)), 0)


def _names(line: str) -> bool:
    return "time/s" in line and is_table(
        {c.strip().strip('"') for c in _SEPARATORS.split(line)}
    )


def _label(header: str) -> str:
    """The label as EC-Lab means it: broken degree signs and Greek letters mended."""
    if _TEMPERATURE.match(header.replace("ø", "").replace("Â", "")):
        return "Temperature/°C"
    return "control/V/mA" if header == "control/V or mA" else header


def _cells(table: TextTable, made: Draft, where: str) -> dict[str, pl.Series]:
    """Labelled columns, as numbers where they are."""
    labels = [_label(h) for h in table.header]
    twice = sorted({x for x in labels if x and labels.count(x) > 1})
    if twice:
        raise DataError(
            f"column {twice[0]!r} is there {labels.count(twice[0])} times",
            where=where,
            remedy="remove the one that is not from the instrument",
        )
    if "time/s" not in labels:
        raise DataError(
            f"the line of names cannot be cut at {table.separator!r}: it is "
            f"{'; '.join(labels):.100}",
            where=f"{where}, line {table.header_line}",
            remedy="use one separator in the whole file: tab, semicolon or comma",
        )
    clock = _is_clock(table.text(labels.index("time/s")))
    numeric = [
        i
        for i, x in enumerate(labels)
        if x in NUMBERS and not (clock and x == "time/s")
    ]
    decimal = decimal_sign(table, numeric)
    if decimal == ",":
        made.recognised("numbers", "decimal comma")
    cells: dict[str, pl.Series] = {}
    for index, label in enumerate(labels):
        if not label:
            continue
        if label == "time/s" and clock:
            cells[label] = _since_first(table, index, made)
        elif label in NUMBERS:
            cells[label] = table.numbers(index, decimal)
        else:
            cells[label] = _numbers_or_text(table, index, decimal)
    return cells


def _numbers_or_text(table: TextTable, index: int, decimal: Decimal) -> pl.Series:
    try:
        return table.numbers(index, decimal)
    except DataError:
        return table.text(index)


def _is_clock(text: pl.Series) -> bool:
    first = text.drop_nulls().head(1)
    return bool(len(first)) and (":" in first[0] or "/" in first[0])


def _since_first(table: TextTable, index: int, made: Draft) -> pl.Series:
    """Seconds since the first row, of dates and times."""
    import polars as pl

    text = table.text(index).str.replace(",", ".", literal=True)
    found = clocks.clock(text)
    if found is None:
        raise table.not_a_number(index, 0, "and no date and time that is known")
    known = found.second[np.isfinite(found.second)]
    made.recognised(
        "test time", f"dates in column 'time/s': since the first, {found.first}"
    )
    if found.first:
        made.metadata["first_row_local"] = found.first
    return pl.Series(found.second - known[0])


_KEYS = {
    "acquisition started on": "started_local",
    "comments": "comment",
    "electrode material": "electrode_material",
    "electrolyte": "electrolyte",
    "mass of active material": "active_mass_mg",
    "electrode surface area": "electrode_area_cm2",
    "characteristic mass": "characteristic_mass_g",
    "battery capacity": "battery_capacity_ah",
    "reference electrode": "reference_in_file",
    "run on channel": "channel",
    "device": "device",
}
_FACTORS = {
    "active_mass_mg": {"mg": 1.0, "g": 1e3, "µg": 1e-3, "kg": 1e6},
    "characteristic_mass_g": {"g": 1.0, "mg": 1e-3, "kg": 1e3, "µg": 1e-6},
    "electrode_area_cm2": {"cm²": 1.0, "cm2": 1.0, "mm²": 1e-2, "m²": 1e4},
    "battery_capacity_ah": {"A.h": 1.0, "mA.h": 1e-3},
}
_VALUE = re.compile(r"^([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)\s*(\S+)")


def preamble(lines: list[str]) -> dict[str, object]:
    """What the lines above the names say; computer names and paths are not read."""
    found: dict[str, object] = {}
    for line in lines:
        words, colon, rest = line.partition(" :")
        name = _KEYS.get(words.strip().lower())
        value = re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", rest).strip()
        if not colon or name is None or not value or name in found:
            continue
        content = _value(name, value)
        if content is not None:
            found[name] = content
    if lines and _FIRST_LINE.match(lines[0]):
        technique = next(
            (x.strip() for x in lines[2:_SHOWN_LINES] if x.strip() and " :" not in x),
            "",
        )
        if technique:
            found["technique"] = technique
    return found


def _value(name: str, value: str) -> object | None:
    """Text as it is, a number in the unit of its name; None if not entered."""
    if name in _FACTORS:
        parts = _VALUE.match(value)
        if parts is None or parts[2] not in _FACTORS[name]:
            return None
        number = float(parts[1].replace(",", "."))
        return None if number in NOT_ENTERED else number * _FACTORS[name][parts[2]]
    if name == "channel":
        number = re.match(r"\d+", value)
        return int(number[0]) if number else value
    if name == "started_local":
        return _iso(value)
    return None if value == "(unspecified)" else value


def _iso(text: str) -> str | None:
    import polars as pl

    clock = clocks.clock(pl.Series([text.replace(",", ".")]))
    return clock.first or None if clock is not None else None
