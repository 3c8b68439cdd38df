"""Find the tables of a text: a header that names frequency and impedance, its rows."""

from __future__ import annotations

import re

from equipoise.core.errors import DataError
from equipoise.io.spectra.cells import SEPARATORS, cut, is_row, number
from equipoise.io.spectra.labels import Meaning, is_unit, meaning, unit_of, with_unit

MOST_BETWEEN = 3
"""Lines between a header and its first row: units, "End Comments", a rule."""
_WORDY = re.compile(r"[A-DF-Za-df-zωΩθφ]|[eE](?![+-]?\d)")
_DEFINITION = re.compile(r"^\s*Definition\s*=")
_GLUE = (re.compile(r"\s+(?=[(\[])"), re.compile(r"\s*/\s*"))


class Table:
    """A header and the rows below it.

    Attributes
    ----------
    columns
        Meaning of each column, None where it has none here.
    labels
        As in the file.
    rows
        Number of the line from 1, cells.
    counted
        Whether a first column without a header is taken to number the rows.
    trailing
        Whether rows end in a separator.
    misfit
        What the first line of numbers looks like that does not fit the header.
    """

    def __init__(
        self,
        labels: list[str],
        columns: list[Meaning | None],
        *,
        header_line: int,
        separator: str,
    ) -> None:
        self.labels, self.columns = labels, columns
        self.header_line, self.separator = header_line, separator
        self.rows: list[tuple[int, list[str]]] = []
        self.counted = self.trailing = False
        self.misfit = ""


def has_header(lines: list[str]) -> int:
    """Number of the first line that names frequency and impedance; 0: none."""
    for at, line in enumerate(lines, start=1):
        if _header(line, at) is not None:
            return at
    return 0


def tables(lines: list[str], where: str) -> list[Table]:
    """All tables of a text, in order.

    Raises
    ------
    DataError
        If a row is broken, or text stands between rows.
    """
    found: list[Table] = []
    at = 0
    while at < len(lines):
        table = _header(lines[at], at + 1)
        if table is None:
            if found:
                _refuse_lost(found[-1], lines[at], at + 1, where)
            at += 1
            continue
        at = _fill(table, lines, at + 1, where)
        if table.counted:
            _check_numbering(table, where)
        if table.rows:
            found.append(table)
        elif table.misfit:
            raise DataError(
                f"{len(table.labels)} columns are named, and {table.misfit}",
                where=f"{where}, line {table.header_line}",
                remedy="name each column once, between the same separators as the "
                "numbers",
            )
    return found


def _check_numbering(table: Table, where: str) -> None:
    first = number(table.rows[0][1][0], ".") or 0.0
    for i, (line, cells) in enumerate(table.rows):
        if number(cells[0], ".") != first + i:
            raise DataError(
                f"{len(cells)} cells below {len(cells) - 1} names, and the first does "
                "not number the rows",
                where=f"{where}, line {line}",
                remedy="name every column in the header",
            )


def is_comment(line: str) -> bool:
    """Whether a line is left out."""
    return line.lstrip().startswith(("#", "%", "!"))


def _header(line: str, number_of_line: int) -> Table | None:
    """A table whose header this line is; None if it is no header."""
    if not _WORDY.search(line) or len(line) > 20_000:
        return None
    text = _DEFINITION.sub("", line.strip("\r\n"))
    if is_comment(text):
        text = text.lstrip().lstrip("#%!").lstrip()
    for separator in SEPARATORS:
        if separator not in text:
            continue
        labels = _labels(text, separator)
        columns = [meaning(x) for x in labels]
        known = [c for c in columns if c is not None]
        if _enough({c.quantity for c in known}):
            return Table(
                labels, columns, header_line=number_of_line, separator=separator
            )
    return None


def _labels(text: str, separator: str) -> list[str]:
    if separator == " ":
        text = _GLUE[1].sub("/", _GLUE[0].sub("", text))
    if separator == "  " and text.count('"') == 2:
        text = text.strip().strip('"')
    if separator not in (" ", "  ") and '"' in text:
        # quotes around cells; a quote within a label is a double prime
        cells = [c.strip() for c in text.split(separator)]
        if any(c.count('"') == 1 and c.startswith('"') for c in cells):
            cells = cut(text, separator)
        return [c[1:-1] if _quoted(c) else c for c in cells]
    return cut(text, separator)


def _quoted(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _enough(quantities: set[str]) -> bool:
    """Whether these quantities make a spectrum, or say why they do not."""
    if not quantities & {"frequency", "logarithm"}:
        return False
    return (
        {"real", "imaginary"} <= quantities
        or {"magnitude", "phase"} <= quantities
        or "admittance" in quantities
    )


def _fill(table: Table, lines: list[str], start: int, where: str) -> int:
    """Read the rows from a line on (from 0); return the line behind the last."""
    between = 0
    at = start
    while at < len(lines):
        line = lines[at]
        if not line.strip() or (is_comment(line) and _header(line, at + 1) is None):
            if not table.rows:
                _take_units(table, line)  # one may begin with "#", the unit of a number
            at += 1
            continue
        if not table.rows:
            cells = _first_row(table, line)
            if cells is None:
                if _header(line, at + 1) is not None or between >= MOST_BETWEEN:
                    return at
                _take_units(table, line)
                if is_row(cut(line, " "), 3) or is_row(cut(line, ","), 3):
                    table.misfit = (
                        table.misfit or f"line {at + 1}: {line.strip()!r:.60}"
                    )
                between += 1
                at += 1
                continue
        else:
            cells = _cells(table, line)
            if cells is not None and _starts_anew(table, cells, line):
                return at
            if cells is None:
                if _broken(table, line):
                    raise _ragged(table, lines, at, where)
                return at
        table.rows.append((at + 1, cells))
        at += 1
    return at


def _starts_anew(table: Table, cells: list[str], line: str) -> bool:
    """Whether a line with as many cells as the rows is another header."""
    at = next(i for i, c in enumerate(table.columns) if c is not None)
    words = number(cells[at], ".") is None and number(cells[at], ",") is None
    return words and _header(line, 0) is not None


def _first_row(table: Table, line: str) -> list[str] | None:
    """Cells of the first row, which settles the separator; None if it is none."""
    for separator in dict.fromkeys((table.separator, *SEPARATORS)):
        table_now, table.separator = table.separator, separator
        width = len(table.labels)
        cells = _cells(table, line)
        if cells is not None and is_row(cells, 3):
            return cells
        loose = cut(line, separator)
        if len(loose) == width + 1 and is_row(loose, 4):
            counter = number(loose[0], ".")
            if counter in (0.0, 1.0) and loose[-1]:
                # the column of row numbers has no header
                table.labels.insert(0, "")
                table.columns.insert(0, None)
                table.counted = True
                return loose
        if width > 1 and table.labels[-1] == "" and len(loose) == width - 1:
            table.labels.pop()
            table.columns.pop()
            cells = _cells(table, line)
            if cells is not None and is_row(cells, 3):
                return cells
        table.separator = table_now
    return None


def _cells(table: Table, line: str) -> list[str] | None:
    """Cells of a line if there are as many as columns."""
    cells = cut(line, table.separator)
    width = len(table.labels)
    if (
        len(cells) == width + 1
        and cells[-1] == ""
        and (table.trailing or not table.rows)
    ):
        cells = cells[:-1]
        table.trailing = True
    elif len(cells) == width - 1 and table.labels[-1] == "":
        cells = [*cells, ""]
    return cells if len(cells) == width else None


def _take_units(table: Table, line: str) -> None:
    """Take units from a row of them, such as "Hz;ohm;ohm"."""
    for separator in dict.fromkeys((table.separator, *SEPARATORS)):
        cells = cut(line, separator)
        if len(cells) != len(table.labels) or not all(is_unit(c) for c in cells):
            continue
        if not any(unit_of(c, "frequency") for c in cells if c):
            continue
        table.columns = [
            m if m is None else with_unit(m, c)
            for m, c in zip(table.columns, cells, strict=True)
        ]
        return


def _broken(table: Table, line: str) -> bool:
    """Whether a line with another number of cells still looks like a row."""
    cells = cut(line, table.separator)
    return is_row(cells, 1) and not _WORDY.search(cells[0])


def _ragged(table: Table, lines: list[str], at: int, where: str) -> DataError:
    cells = cut(lines[at], table.separator)
    last = not any(x.strip() for x in lines[at + 1 :])
    cause = "the file was cut, or is still being written" if last else "a broken row"
    return DataError(
        f"{len(cells)} cells ({lines[at].strip()!r:.60}), {len(table.labels)} were "
        f"expected: {cause}",
        where=f"{where}, line {at + 1}",
        remedy="export the file again, or repair the line; where the comma separates "
        "cells, decimals need a point",
    )


def _refuse_lost(table: Table, line: str, at: int, where: str) -> None:
    """Rows behind the end of their table would be lost."""
    cells = _cells(table, line)
    if cells is None or not is_row(cells, 2):
        return
    at_frequency = next(
        i for i, c in enumerate(table.columns) if c and c.quantity == "frequency"
    )
    if is_row([cells[at_frequency]]):
        raise DataError(
            f"a row stands behind text that interrupts the table of line "
            f"{table.header_line}",
            where=f"{where}, line {at}",
            remedy="remove the text between the rows, or give each table its header",
        )
