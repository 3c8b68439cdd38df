"""Lines of text into cells, cells into numbers: nothing is guessed."""

from __future__ import annotations

import csv
import math
import re
from typing import Literal

from equipoise.core.errors import DataError

Decimal = Literal[".", ","]
SEPARATORS = ("\t", ";", ",", "|", "  ", " ")
"""In the order of preference; "  ": two blanks or more, " ": any blanks."""
NOTHING = frozenset(
    (
        "",
        "n/a",
        "na",
        "nan",
        "null",
        "none",
        "-",
        "--",
        "#n/a",
        "inf",
        "-inf",
        "1.#qnan",
    )
)
"""Cells that hold no value, without case."""
_POINT = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?$")
_COMMA = re.compile(r"^[+-]?(\d+,?\d*|,\d+)([eEdD][+-]?\d+)?$")
_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(,\d{3})+$")
_GROUPED = re.compile(
    r"^[+-]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:,\d{3})+\.\d+|(?:\.\d{3}){2,}|(?:,\d{3}){2,}"
    r"|(?:['\u2019\u00a0\u202f]\d{3})+(?:[.,]\d+)?)$"
)
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})


def cut(line: str, separator: str) -> list[str]:
    """Cells of a line, blanks around them removed."""
    if separator == " ":
        return line.split()
    if separator == "  ":
        return [c.strip() for c in re.split(r"\s{2,}", line.strip())]
    if '"' in line and separator in ",;\t|" and line.count('"') % 2 == 0:
        try:
            row = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
        except (csv.Error, StopIteration):
            row = line.split(separator)
        if len(row) > 1 or not line.strip().startswith('"'):
            return [c.strip() for c in row]
    return [c.strip() for c in line.split(separator)]


def number(cell: str, decimal: Decimal) -> float | None:
    """A number; NaN for a cell that says there is none; None for anything else."""
    text = cell.strip().strip('"').strip().translate(_MINUS)
    if text.lower() in NOTHING:
        return math.nan
    pattern = _POINT if decimal == "." else _COMMA
    if not pattern.match(text):
        return None
    text = text.replace(",", ".").replace("D", "e").replace("d", "e")
    value = float(text)
    return value if math.isfinite(value) else math.nan


def is_grouped(cell: str) -> bool:
    """Whether a number has separators of thousands for certain: 1.000.000,5.

    Examples
    --------
    >>> is_grouped("1.000,5"), is_grouped("1,000,000.0"), is_grouped("1.000")
    (True, True, False)
    """
    return bool(_GROUPED.match(cell.strip().strip('"').translate(_MINUS)))


def is_row(cells: list[str], least: int = 1) -> bool:
    """Whether at least so many cells are numbers, in either decimal sign."""
    found = 0
    for cell in cells:
        value = number(cell, ".")
        if value is None:
            value = number(cell, ",")
        if value is not None and not math.isnan(value):
            found += 1
            if found >= least:
                return True
    return False


def decimal_of(
    rows: list[tuple[int, list[str]]],
    *,
    told: Decimal | None,
    where: str,
) -> Decimal:
    """Decimal sign of the cells of a table.

    Parameters
    ----------
    rows
        Number of the line, cells.
    told
        What the user says.

    Raises
    ------
    DataError
        If signs are mixed, or a comma may as well separate thousands.
    """
    if told is not None:
        return told
    comma: tuple[int, str] | None = None
    point: tuple[int, str] | None = None
    clear = False
    for line, cells in rows:
        for cell in cells:
            text = cell.strip().strip('"').translate(_MINUS)
            if "," in text and _COMMA.match(text):
                comma = comma or (line, text)
                clear = clear or not _THOUSANDS.match(text)
            elif "." in text and _POINT.match(text):
                point = point or (line, text)
    if comma is None:
        return "."
    if point is not None:
        raise DataError(
            f"decimal signs are mixed: {point[1]!r} in line {point[0]}, {comma[1]!r} "
            f"in line {comma[0]}",
            where=where,
            remedy="export with one decimal sign and without separators of thousands",
        )
    if not clear:
        raise DataError(
            f"the comma of {comma[1]!r} may stand before decimals or before thousands",
            where=f"{where}, line {comma[0]}",
            remedy='say decimal="," if it is a decimal comma, or export with points',
        )
    return ","
