"""Tables of separated text: strict about cells, decimal signs and where a line is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.io.readers.printed import MOST_CELLS, rounding_of_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

Decimal = Literal[".", ","]
NOTHING = ("", "N/A", "n/a", "NA", "NaN", "nan", "NULL", "null", "None", "-")
"""Cells that say that there is no value."""
_COMMA = r"^[+-]?\d+,\d+([eE][+-]?\d+)?$"
MOST_LINE_BYTES = 1_000_000
MOST_BLANKS = 80
"""A longer line is looked upon as a row even if it were blank."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """Cells as text, under the file's own headers.

    Attributes
    ----------
    header
        As in the file; twice the same name is refused only where it is used.
    frame
        Columns named by position, "0", "1", ...; all of type text.
    header_line, line_numbers
        Number of the header's line in the file, from 1, and of each row's.
    cut_line
        Number of an incomplete last line that was left out on request; else 0.
    """

    path: str
    header: tuple[str, ...]
    frame: pl.DataFrame
    body: bytes
    header_line: int
    separator: str
    line_numbers: NDArray[np.int64]
    cut_line: int = 0

    def line_of(self, row: int) -> int:
        """Line of the file (from 1) that holds a row (from 0)."""
        return int(self.line_numbers[row])

    def text(self, index: int) -> pl.Series:
        """One column, blanks around the cells removed, "no value" as null."""
        import polars as pl

        column = self.frame.to_series(index).str.strip_chars(' \t"')
        return (
            column.to_frame()
            .select(pl.when(pl.first().is_in(NOTHING)).then(None).otherwise(pl.first()))
            .to_series()
        )

    def numbers(self, index: int, decimal: Decimal) -> pl.Series:
        """One column as numbers; null where the file has no value.

        Raises
        ------
        DataError
            If a cell is neither a number nor empty; it names the line.
        """
        import polars as pl

        text = self.text(index)
        if decimal == ",":
            pointed = text.str.contains(".", literal=True).fill_null(value=False)
            if pointed.any():
                row = int(pointed.arg_max() or 0)
                raise self.not_a_number(index, row, "the decimal sign is a comma here")
            values = text.str.replace_all(",", ".", literal=True)
        else:
            values = text
        numbers = values.cast(pl.Float64, strict=False)
        lost = numbers.is_null() & text.is_not_null()
        if lost.any():
            raise self.not_a_number(index, int(lost.arg_max() or 0), "")
        return numbers

    def rounding(self, index: int) -> float | None:
        """Half of the last printed place of a column; None if it has no number."""
        every = max(self.frame.height // MOST_CELLS, 1)
        return rounding_of_cells(self.text(index).gather_every(every).drop_nulls())

    def not_a_number(self, index: int, row: int, reason: str) -> DataError:
        """The error for one cell, or for the second header that it belongs to."""
        cell = self.frame.to_series(index)[row]
        line = self.line_of(row)
        again = self.body.find(_signature(self.header, self.separator))
        if again >= 0:
            at = _lines(self.body, self.header_line + 1)
            second = int(np.searchsorted(at.starts, again, side="right")) - 1
            return _concatenated(self.path, int(at.numbers[second]), line)
        why = f" ({reason})" if reason else ""
        return DataError(
            f"column {self.header[index]!r}: {cell!r:.60} is not a number{why}",
            where=f"{self.path}, line {line}",
            remedy="repair or remove the line; decimal signs must be the same in the "
            "whole file",
        )


def read_delimited(
    path: str,
    text: bytes,
    *,
    header_line: int,
    separator: str,
    drop_last_row: bool = False,
) -> TextTable:
    r"""Cut the lines below a header into cells.

    Parameters
    ----------
    text
        UTF-8, lines end with "\n".
    header_line
        Number of the header's line, from 1; empty lines below it do not count.
    drop_last_row
        Leave out the last line if it has too few cells (a repair).

    Raises
    ------
    DataError
        If there is no row, a line has another number of cells than the header, or is
        longer than a megabyte.
    """
    start = 0
    for _ in range(header_line - 1):
        start = text.index(b"\n", start) + 1
    end = text.find(b"\n", start)
    head = text[start : end if end >= 0 else len(text)].decode()
    body = text[end + 1 :] if end >= 0 else b""
    body = body.rstrip(b" \n\x1a\x00")
    header = [c.strip().strip('"').strip() for c in head.split(separator)]
    if not body:
        raise DataError(
            "there is no row below the header",
            where=f"{path}, line {header_line}",
            remedy="export the file again when the test has data",
        )
    header = _with_trailing(header, body, separator)
    lines, body = _without_blanks(body, header_line + 1)
    _refuse_long_lines(path, lines)
    cut_line = 0
    if b'"' not in body:  # else separators may stand inside quotes
        lines, body, cut_line = _even(
            path, lines, body, header, separator, drop_last_row
        )
    frame = _cut(path, body, separator, len(header))
    if frame.height != lines.numbers.size:
        raise DataError(
            f"{lines.numbers.size} lines were cut into {frame.height} rows",
            where=path,
            remedy="quotes or line ends are broken; export the file again",
        )
    return TextTable(
        path,
        tuple(header),
        frame,
        body,
        header_line,
        separator,
        lines.numbers,
        cut_line,
    )


def _even(
    path: str,
    lines: _Lines,
    body: bytes,
    header: list[str],
    separator: str,
    drop_last_row: bool,
) -> tuple[_Lines, bytes, int]:
    """Lines that all have as many cells as the header, and one that was left out."""
    width, last = len(header), lines.ends.size - 1
    cells = _cells_a_line(body, lines, separator)
    wrong = np.flatnonzero(cells != width)
    if not wrong.size:
        return lines, body, 0
    if wrong[0] == last and header[-1] == "" and cells[last] == width - 1:
        # the last line lacks the trailing separator
        return lines, body[: int(lines.ends[last])] + separator.encode(), 0
    if wrong[0] == last and drop_last_row and last > 0:
        fewer = _Lines(*(x[:-1] for x in lines))
        return fewer, body[: int(fewer.ends[-1])], int(lines.numbers[-1])
    row = int(wrong[0])
    raise _ragged(path, body, lines, header, separator, row, int(cells[row]))


def _without_blanks(body: bytes, first_number: int) -> tuple[_Lines, bytes]:
    """Lines with something in them, and the body of these alone."""
    lines = _lines(body, first_number)
    if lines.ends.size == body.count(b"\n") + 1:
        return lines, body
    body = b"\n".join(body[a:b] for a, b in zip(lines.starts, lines.ends, strict=True))
    whole = _lines(body, 0)
    return _Lines(whole.starts, whole.ends, lines.numbers), body


def _refuse_long_lines(path: str, lines: _Lines) -> None:
    lengths = lines.ends - lines.starts
    if int(lengths.max()) > MOST_LINE_BYTES:
        row = int(lengths.argmax())
        raise DataError(
            f"{lengths[row]} bytes in one line",
            where=f"{path}, line {lines.numbers[row]}",
            remedy="this is no table of a cycler, or its line ends are lost",
        )


def _cut(path: str, body: bytes, separator: str, width: int) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_csv(
            body,
            separator=separator,
            has_header=False,
            infer_schema=False,
            quote_char='"' if b'"' in body else None,
            schema={str(i): pl.String for i in range(width)},
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this is no readable table ({str(error).splitlines()[0]})",
            where=path,
            remedy="export the file again; quotes must come in pairs",
        ) from None


def decimal_sign(table: TextTable, columns: list[int]) -> Decimal:
    """Decimal sign of the numbers in some columns.

    Raises
    ------
    DataError
        If points and commas are mixed: nothing tells which separates thousands.
    """
    if table.separator == "," or b"," not in table.body:
        return "."
    with_comma: tuple[int, int] | None = None
    with_point: tuple[int, int] | None = None
    for index in columns:
        text = table.text(index)
        if with_comma is None:
            comma = text.str.contains(_COMMA).fill_null(value=False)
            if comma.any():
                with_comma = (index, int(comma.arg_max() or 0))
        if with_point is None:
            point = text.str.contains(r"\d\.\d").fill_null(value=False)
            if point.any():
                with_point = (index, int(point.arg_max() or 0))
    if with_comma and with_point:
        shown = [
            f"{table.frame.to_series(i)[r]!r} in line {table.line_of(r)}"
            for i, r in (with_comma, with_point)
        ]
        raise DataError(
            f"decimal signs are mixed: {shown[0]}, {shown[1]}",
            where=table.path,
            remedy="export with one decimal sign and without separators of thousands",
        )
    return "," if with_comma else "."


def sniff_separator(header: str, lines: list[str]) -> str:
    """Separator of a header and the first lines below it.

    Tabs win over semicolons, semicolons over commas: a decimal comma is then no
    separator.
    """
    for candidate in ("\t", ";", ","):
        cells = header.count(candidate)
        fit = sum(x.count(candidate) >= cells - 1 for x in lines[:20])
        if cells and fit >= 0.8 * len(lines[:20]):  # broken lines are named later
            return candidate
    return ","


def _with_trailing(header: list[str], body: bytes, separator: str) -> list[str]:
    """The header as wide as the rows: one may end in a separator and the other not."""
    begin = len(body) - len(body.lstrip(b" \n")) if body[:1] in (b" ", b"\n") else 0
    begin = body.rfind(b"\n", 0, begin) + 1
    end = body.find(b"\n", begin)
    first = body[begin : end if end >= 0 else len(body)]
    cells = first.count(separator.encode()) + 1
    if b'"' not in first:
        if cells == len(header) + 1 and first.endswith(separator.encode()):
            return [*header, ""]
        if cells == len(header) - 1 and header[-1] == "":
            return header[:-1]
    return header


class _Lines(NamedTuple):
    """Lines of a body: where they begin and end, and which number each has."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    numbers: NDArray[np.int64]


def _lines(body: bytes, first_number: int) -> _Lines:
    """All lines that are not blank."""
    raw = np.frombuffer(body, dtype=np.uint8)
    ends = np.append(np.flatnonzero(raw == ord("\n")), raw.size)
    starts = np.concatenate(([0], ends[:-1] + 1))
    numbers = first_number + np.arange(ends.size)
    first = raw[np.minimum(starts, raw.size - 1)]
    begins_blank = (ends == starts) | (first == ord(" ")) | (first == ord("\t"))
    short = np.flatnonzero(begins_blank & (ends - starts < MOST_BLANKS))
    blank = [i for i in short if not body[starts[i] : ends[i]].strip(b" ")]
    if blank:
        starts, ends, numbers = (np.delete(x, blank) for x in (starts, ends, numbers))
    return _Lines(starts, ends, numbers)


def _cells_a_line(body: bytes, lines: _Lines, separator: str) -> NDArray[np.int64]:
    at = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == ord(separator))
    return np.searchsorted(at, lines.ends) - np.searchsorted(at, lines.starts) + 1


def _ragged(
    path: str,
    body: bytes,
    lines: _Lines,
    header: list[str],
    separator: str,
    row: int,
    cells: int,
) -> DataError:
    line = int(lines.numbers[row])
    again = body.find(_signature(header, separator))
    if again >= 0:
        at = int(np.searchsorted(lines.starts, again, side="right")) - 1
        return _concatenated(path, int(lines.numbers[at]), line)
    if row == lines.ends.size - 1:
        return DataError(
            f"the last line has {cells} cells, {len(header)} were expected: the file "
            "was cut, or is still being written",
            where=f"{path}, line {line}",
            remedy="export it again, or read it without that line: --repair last-row",
        )
    found = body[int(lines.starts[row]) : int(lines.ends[row])]
    return DataError(
        f"{cells} cells ({found.decode(errors='replace')!r:.60}), {len(header)} were "
        "expected",
        where=f"{path}, line {line}",
        remedy="repair the line; separators may stand inside quotes only",
    )


def _signature(header: Sequence[str], separator: str) -> bytes:
    """Beginning of a header's line, as it would stand again."""
    return separator.join(header).rstrip(separator).encode()[:200]


def _concatenated(path: str, second_header: int, first_strange: int) -> DataError:
    return DataError(
        f"the header stands again in line {second_header}: more than one recording",
        where=path,
        remedy=f"cut the file at line {min(first_strange, second_header)} and read "
        "the parts one by one",
    )
