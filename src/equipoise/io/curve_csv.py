"""Two columns out of a text table, whatever its separator and decimal sign."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Line = tuple[int, str]
"""Row number in the file, from 1, and its text."""

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_DECIMAL_COMMA = re.compile(r"^[+-]?\d*,\d+([eE][+-]?\d+)?$")
_NUMBER = re.compile(
    r"^[+-]?((\d+(\.\d*|,\d+)?|[.,]\d+)(e[+-]?\d+)?|nan|inf(inity)?)$", re.IGNORECASE
)


def read_csv_columns(
    path: Path,
    *,
    columns: tuple[str, str],
    separator: str | None = None,
    decimal: str | None = None,
) -> tuple[Array, Array]:
    """Read two columns of a text table.

    Parameters
    ----------
    path
        UTF-8 (with or without byte order mark) or latin-1; lines that begin with
        ``#`` are comments; the first line may be a header.
    columns
        Names in the header, or "1", "2", ... in a table without one.
    separator, decimal
        Default: taken from the first lines (tab, semicolon, comma, blanks).

    Raises
    ------
    DataError
        If the file is not a readable text table, a column is missing, a row has
        another number of cells, or a cell is not a number.
    """
    lines = _lines(path)
    separator = separator or _separator([text for _, text in lines[:20]])
    header, rows = _split(path, lines, separator, columns)
    if not rows:
        raise DataError(
            "the table has a header but no rows" if header else "the table is empty",
            where=str(path),
        )
    width = len(header) if header else len(rows[0][1])
    for number, cells in rows:
        if len(cells) != width:
            raise _ragged(path, number, len(cells), width, separator)
    picked = [_index(path, name, header, width) for name in columns]
    first, second = (
        _numbers(path, rows, i, name, decimal)
        for i, name in zip(picked, columns, strict=True)
    )
    return first, second


def read_bytes(path: Path) -> bytes:
    """Content of a file.

    Raises
    ------
    DataError
        If it is absent, a folder, unreadable or empty.
    """
    try:
        if path.is_dir():
            raise DataError("this is a folder, a file was expected", where=str(path))
        if path.exists() and not path.is_file():
            raise DataError("this is no regular file", where=str(path))
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            "there is no such file",
            where=str(path),
            remedy="file names are relative to the folder of the TOML declaration",
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot be read ({reason})", where=str(path)) from None
    if not raw.strip():
        raise DataError("the file is empty", where=str(path))
    return raw


def _lines(path: Path) -> list[Line]:
    raw = read_bytes(path)
    if _CONTROL.search(raw[:4096]):
        kind = "UTF-16 text" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "binary data"
        raise DataError(
            f"this is {kind}, not a plain text table",
            where=str(path),
            remedy="export it as text (CSV) in UTF-8",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise DataError("the file holds only comments", where=str(path))
    return lines


def _separator(sample: list[str]) -> str:
    for candidate in ("\t", ";"):
        if all(candidate in line for line in sample):
            return candidate
    blanks_apart = all(len(line.split()) > 1 for line in sample)
    if blanks_apart and all(
        _NUMBER.match(cell) for cell in sample[-1].split()
    ):  # "3,5 210,1": the commas are decimal
        return " "
    return "," if all("," in line for line in sample) else " "


def _cells(line: str, separator: str) -> list[str]:
    if separator.isspace() and separator != "\t":
        return line.split()
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    quoted = csv.reader([line], delimiter=separator, skipinitialspace=True)
    return [cell.strip() for cell in next(quoted)]


def _split(
    path: Path, lines: list[Line], separator: str, columns: tuple[str, str]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header (empty if there is none) and rows."""
    try:
        rows = [(number, _cells(text, separator)) for number, text in lines]
    except csv.Error as error:
        raise DataError(
            f"the quotes of this table cannot be followed ({error})", where=str(path)
        ) from None
    number, first = rows[0]
    if not all(_NUMBER.match(cell) or not cell for cell in first):
        return first, rows[1:]
    if all(c in first and int(float(c)) > len(first) for c in columns if c.isdecimal()):
        named = [c for c in columns if c in first]
        if len(named) == len(columns):  # a header of numbers, such as years
            return first, rows[1:]
    counted = [cell for cell in first if cell]
    if len(rows) > 1 and counted == [str(i) for i in range(len(counted))]:
        raise DataError(
            f"the first line is {separator.join(first)!r}: column numbers, not data",
            where=f"{path}, line {number}",
            remedy="remove the line or begin it with '#', and name columns by "
            'position, "1", "2", ...',
        )
    return [], rows


def _ragged(
    path: Path, number: int, found: int, width: int, separator: str
) -> DataError:
    return DataError(
        f"{found} cells, {width} were expected (separator {separator!r})",
        where=f"{path}, line {number}",
        remedy="repair the line, give the right separator, or begin comment lines "
        "with '#'",
    )


def _index(path: Path, name: str, header: list[str], width: int) -> int:
    if header:
        if header.count(name) > 1:
            places = [i for i, c in enumerate(header, 1) if c == name]
            raise DataError(
                f"{len(places)} columns are named {name!r} (positions "
                f"{', '.join(map(str, places))})",
                where=str(path),
                remedy="rename the wrong ones",
            )
        if name in header:
            return header.index(name)
        raise DataError(
            f"there is no column {name!r}",
            where=str(path),
            remedy=nearest(name, header),
        )
    if name.isdecimal() and 1 <= int(name) <= width:
        return int(name) - 1
    raise DataError(
        f"there is no column {name!r}: the table has no header",
        where=str(path),
        remedy=f'name columns by position, "1" to "{width}"',
    )


def _numbers(
    path: Path,
    rows: list[tuple[int, list[str]]],
    index: int,
    name: str,
    decimal: str | None,
) -> Array:
    cells = [row[index] for _, row in rows]
    if decimal is None and _has_decimal_comma(cells[:20]):
        decimal = ","
    if decimal == ",":
        cells = [c.replace(".", "?").replace(",", ".") for c in cells]
    try:
        return np.array([float(c) for c in cells])
    except ValueError:
        pass
    for (number, row), cell in zip(rows, cells, strict=True):
        try:
            float(cell)
        except ValueError:
            raise _not_a_number(path, number, name, row[index], decimal) from None
    raise AssertionError  # one of them was not a number


def _has_decimal_comma(cells: list[str]) -> bool:
    return any(_DECIMAL_COMMA.match(c) for c in cells) and not any(
        "." in c for c in cells
    )


def _not_a_number(
    path: Path, number: int, name: str, cell: str, decimal: str | None
) -> DataError:
    remedy = "remove the row, or begin it with '#'"
    if "," in cell and decimal != ",":
        remedy = 'if the comma is the decimal sign, set decimal = ","'
    elif "." in cell and decimal == ",":
        remedy = 'the decimal sign was taken to be a comma; set decimal = "."'
    found = f"{cell!r} is not a number" if cell else "the cell is empty"
    return DataError(
        f"column {name!r}: {found}", where=f"{path}, line {number}", remedy=remedy
    )
