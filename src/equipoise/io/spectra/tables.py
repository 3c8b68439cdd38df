"""Find the tables of a text: a header that names frequency and impedance, its rows."""

from __future__ import annotations

import re

from equipoise.core.errors import DataError
from equipoise.io.spectra.cells import SEPARATORS, cut, is_grouped, is_row, number
from equipoise.io.spectra.labels import Meaning, meaning, unit_of, with_unit

MOST_BETWEEN = 3
"""Lines between a header and its first row: units, "End Comments", a rule."""
_WORDY = re.compile(r"[A-DF-Za-df-zωΩθφ]|[eE](?![+-]?\d)")
_NUMBER_FIRST = re.compile(r"""^[\s,;|"']*[+-]?[.,]?\d[\d.,'eEdD+-]*(?:[\s,;|"']|$)""")
_PHYSICAL = ("frequency", "real", "imaginary", "magnitude", "phase")
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
    misfit, remedy
        What is wrong with the first line of numbers that is no row, and what to do.
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
        self.misfit = self.remedy = ""


def has_header(lines: list[str]) -> int:
    """Number of the first line that names frequency and impedance; 0: none."""
    for at, line in enumerate(lines, start=1):
        if _header(line, at) is not None:
            return at
    return 0


def only_numbers(lines: list[str]) -> bool:
    """Whether lines beside comments hold no word: a table without a header."""
    content = [x for x in lines if x.strip() and not is_comment(x)]
    return bool(content) and not any(_WORDY.search(x) for x in content)


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
            raise _misfit(table, where)
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
                # one may begin with "#", the unit of a number
                _take_units(table, line, at + 1, where)
            at += 1
            continue
        if not table.rows:
            cells = _first_row(table, line)
            if cells is None:
                if _header(line, at + 1) is not None or between >= MOST_BETWEEN:
                    return at
                if not _take_units(table, line, at + 1, where):
                    _refuse_between(table, lines, at, where)
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


def _note_misfit(table: Table, line: str, number_of_line: int) -> None:
    """Say why a line of numbers is no row; nothing, if it is no line of numbers."""
    shown = f"line {number_of_line}: {line.strip()!r:.60}"
    cells = cut(line, table.separator)
    by_comma, width = cut(line, ","), len(table.labels)
    thousands = next((c for c in cells if is_grouped(c)), "")
    if thousands and all(is_grouped(c) or is_row([c]) for c in cells if c):
        table.misfit = f"{thousands!r} has separators of thousands ({shown})"
        table.remedy = "export the numbers without separators of thousands"
    elif (
        table.separator == "," and len(by_comma) > width and is_row(by_comma, width + 1)
    ):
        table.misfit = (
            f"{width} columns are named, and {shown} has {len(by_comma)} cells: the "
            "comma separates cells, and seems to stand before decimals as well"
        )
        table.remedy = (
            "export with semicolons between the cells, or with decimal points; and "
            "name each column once"
        )
    elif is_row(cut(line, " "), 3) or is_row(by_comma, 3):
        table.misfit = f"{width} columns are named, and {shown}"
        table.remedy = (
            "name each column once, between the same separators as the numbers"
        )


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
        own = separator == table_now
        if cells is not None and (
            is_row(cells, 3) or (own and _is_point(table, cells))
        ):
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


def _is_point(table: Table, cells: list[str]) -> bool:
    """Whether cells below the header are a row, though perhaps a broken one."""
    meant = [
        cells[i]
        for i, c in enumerate(table.columns)
        if c is not None and c.quantity in _PHYSICAL
    ]
    hertz = [
        cells[i]
        for i, c in enumerate(table.columns)
        if c is not None and c.quantity == "frequency"
    ]
    if is_row(hertz):
        return True
    known = [number(c, "." if "," not in c else ",") is not None for c in meant]
    return all(known) and is_row(cells)


def _cells(table: Table, line: str) -> list[str] | None:
    """Cells of a line if there are as many as columns."""
    cells = cut(line, table.separator)
    width = len(table.labels)
    if table.trailing and table.rows and len(cells) == width:
        return None  # the first row ended in a separator: a lost last digit, perhaps
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


def _take_units(table: Table, line: str, number_of_line: int, where: str) -> bool:
    """Take units from a row of them, such as "Hz;ohm;ohm" or "[Hz] [ohm] [ohm]"."""
    for separator in dict.fromkeys((table.separator, *SEPARATORS)):
        cells = cut(line, separator)
        if len(cells) != len(table.labels):
            continue
        columns = list(table.columns)
        taken = False
        for i, (column, cell) in enumerate(zip(table.columns, cells, strict=True)):
            if column is None or column.quantity not in _PHYSICAL or cell in ("", "-"):
                continue
            made = with_unit(column, cell)
            if made.unit_ratio is None or not made.unit:
                if column.quantity == "phase" or made.unit_ratio is not None:
                    continue  # a sign of degrees or ohms that an encoding lost
                break
            known = (column.unit_ratio, column.area_specific)
            if column.unit and known != (made.unit_ratio, made.area_specific):
                raise DataError(
                    f"column {column.label!r} is in {column.unit!r}, and {cell!r} "
                    "stands below",
                    where=f"{where}, line {number_of_line}",
                    remedy="remove the unit that is wrong",
                )
            columns[i] = column if column.unit else made
            taken = True
        else:
            if taken:
                table.columns = columns
                return True
    return False


def _refuse_between(table: Table, lines: list[str], at: int, where: str) -> None:
    """Refuse a line below the header that would be lost, or may hold units."""
    line = lines[at]
    if not table.misfit:
        _note_misfit(table, line, at + 1)
    cells = cut(line, table.separator)
    if _NUMBER_FIRST.match(line):
        fits = any(_first_row(table, x) for x in lines[at + 1 : at + 20] if x.strip())
        if table.misfit and (not fits or any(is_grouped(c) for c in cells)):
            raise _misfit(table, where)
        raise _ragged(table, lines, at, where)
    if table.misfit or not any(c.isalnum() for c in line):
        return
    meant = [c for c in table.columns if c is not None and c.quantity in _PHYSICAL]
    without = any(not c.unit for c in meant if c.quantity != "phase")
    same = len(cells) == len(table.labels)
    numbers = same and any(
        is_row([cell])
        for cell, c in zip(cells, table.columns, strict=True)
        if c is not None and c.quantity in _PHYSICAL
    )
    units = any(
        unit_of(w, "frequency") or unit_of(w, "real")
        for w in re.split(r"[\s,;|]+", line)
        if w
    )
    lost = same and table.separator not in (" ", "  ")
    if numbers or (without and (units or lost)):
        raise DataError(
            f"below the header stand neither numbers nor units that are known: "
            f"{line.strip()!r:.60}",
            where=f"{where}, line {at + 1}",
            remedy="repair or remove the line; units stand one below each name, such "
            "as Hz, ohm, ohm",
        )


def _misfit(table: Table, where: str) -> DataError:
    return DataError(
        table.misfit,
        where=f"{where}, line {table.header_line}",
        remedy=table.remedy,
    )


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
        "cells, decimals need a point: else export with semicolons",
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
