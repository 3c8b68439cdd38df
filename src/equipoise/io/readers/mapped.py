"""Any table of separated text, its columns described by a map.

The header is searched for in the lines at the beginning of the file; the map that
knows most of it is taken. What the table says is then proved like any other file:
a map that is wrong about a unit or a sign does not pass. See `column_map`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from equipoise.core.columns import REQUIRED
from equipoise.core.errors import DataError
from equipoise.io.readers.column_map import (
    ColumnMap,
    Header,
    Matched,
    bundled_maps,
    closest,
    fits,
    headers_of,
    load_map,
    match,
)
from equipoise.io.readers.delimited import TextTable, read_delimited
from equipoise.io.readers.draft import Draft
from equipoise.io.readers.labels import split_label
from equipoise.io.readers.mapped_columns import Filling
from equipoise.io.readers.repairs import note_cut_line

if TYPE_CHECKING:
    from equipoise.io.readers.options import Options
    from equipoise.io.readers.source import Source

FORMAT = "table"
MOST_LINES = 1000
"""Looked through for the header; it has to stand in the first 64 kB."""
MOST_CELLS = 2000
FEWEST_CELLS = 3
SEPARATORS = ("\t", ";", ",", " ")
"""A blank is only tried where none of the others gives three cells."""


class Found(NamedTuple):
    """A header that a map knows.

    Attributes
    ----------
    at
        Number of its line, from 1.
    separator
        A blank stands for any number of blanks.
    """

    mapping: ColumnMap
    at: int
    separator: str
    headers: tuple[Header, ...]
    matched: Matched


def recognise(source: Source) -> str:
    """Evidence that a bundled map knows the header; empty if none does."""
    if not source.is_text:
        return ""
    lines = _lines(source.head_text)
    if _layered(lines):
        return "three headers, of cycles, steps and records"
    found = _candidates(lines)
    if not found:
        return ""
    names = ", ".join(
        f"{f.mapping.name} ({len(f.matched.used)} headers)" for f in found
    )
    return f"line {found[0].at} has the headers of the map {names}"


def draft(source: Source, options: Options) -> Draft:
    """Read the table.

    Raises
    ------
    DataError
        If no map or more than one fits, a header is missing or ambiguous, a column
        names no unit, or a row is broken.
    SpecError
        If the user's own map is wrong.
    """
    where = str(source.path)
    if options.column_map is None:
        found, own, text = _by_content(source, where), False, source.text_bytes
    else:
        mapping, own = load_map(options.column_map)
        text = _decoded(source, mapping.table.encoding, where)
        found = _by_map(mapping, text, where, own=own)
    _refuse_ambiguous(found, where)
    made = Draft(
        found.mapping.description or f"{FORMAT} ({found.mapping.name})",
        current_sign="unknown",
    )
    table, units = _cut(found, text, where, options)
    note_cut_line(made, table.cut_line)
    made.recognised(
        "table",
        f"map {found.mapping.name}: {len(found.matched.columns)} columns; header in "
        f"line {found.at}, separator {found.separator!r}, {table.frame.height} rows, "
        f"{found.mapping.table.encoding or source.encoding}",
    )
    if not text.rstrip(b" \x00\x1a").endswith((b"\n", found.separator.encode())):
        made.look(
            "last line",
            "has no line end: if the file was cut there, the last value is too short",
        )
    Filling(found.mapping, found.matched, table, units, made, options, where).read()
    return made


def _lines(text: str) -> list[str]:
    """Lines as `delimited` counts them: other breaks than these may be in a comment."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n", MOST_LINES)[:MOST_LINES]


def _decoded(source: Source, encoding: str | None, where: str) -> bytes:
    if encoding is None:
        return source.text_bytes
    try:
        text = source.raw.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise DataError(
            f"is not text in the encoding {encoding!r} of the map ({error})"[:200],
            where=where,
            remedy="correct the encoding, or leave it out",
        ) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return text.encode()


def _cells(line: str, separator: str) -> list[str]:
    return line.split() if separator == " " else line.split(separator)


def _rows_of_text(line: str, separator: str | None) -> list[tuple[str, list[str]]]:
    """A line cut in all ways that give at least three cells, most of them words."""
    ways: list[tuple[str, list[str]]] = []
    for candidate in SEPARATORS if separator is None else (separator,):
        if candidate == " " and ways:
            continue
        if line.count(candidate) > MOST_CELLS:
            continue
        cells = _cells(line, candidate)
        words = sum(1 for c in cells if re.search(r"[^\W\d]", c))
        if words >= FEWEST_CELLS:
            ways.append((candidate, cells))
    return ways


def _candidates(lines: list[str]) -> list[Found]:
    """The maps that know most headers of the first line that any map knows."""
    for number, line in enumerate(lines, start=1):
        found: list[Found] = []
        for separator, cells in _rows_of_text(line, None):
            headers = headers_of(cells)
            for mapping in bundled_maps().values():
                matched = fits(mapping, headers)
                if matched is not None:
                    found.append(Found(mapping, number, separator, headers, matched))
        if found:
            most = max(len(f.matched.used) for f in found)
            return [f for f in found if len(f.matched.used) == most]
    return []


def _by_content(source: Source, where: str) -> Found:
    lines = _lines(source.head_text)
    if _layered(lines):
        raise DataError(
            "cycles, steps and records are layered in one table",
            where=where,
            remedy="export the records alone ('general report' or the record sheet as "
            "CSV), or read the .nda/.ndax file itself",
        )
    found = _candidates(lines)
    if not found:
        raise DataError(
            f"no bundled map knows the headers; maps: {', '.join(bundled_maps())}",
            where=where,
            remedy="describe the columns in a map of your own: --map FILE; see "
            "docs/howto/read-any-table.md",
        )
    if len(found) > 1:
        names = " and ".join(dict.fromkeys(f.mapping.name for f in found))
        raise DataError(
            f"the maps {names} know equally many headers of line {found[0].at}",
            where=where,
            remedy=f"choose one: --map {found[0].mapping.name}",
        )
    return found[0]


def _by_map(mapping: ColumnMap, text: bytes, where: str, *, own: bool) -> Found:
    """The line with the headers of one map.

    Raises
    ------
    DataError
        If there is none; it says what is missing, and what is there instead.
    """
    lines = _lines(text[: 1 << 18].decode(errors="ignore"))
    fixed = mapping.table.line_of_header
    if fixed is not None and fixed > len(lines):
        raise DataError(
            f"there is no line {fixed}, in which the map has the header",
            where=where,
            remedy="correct header_line (or skip_lines) of the map",
        )
    numbers = range(1, len(lines) + 1) if fixed is None else (fixed,)
    best: Found | None = None
    for number in numbers:
        line = lines[number - 1]
        ways = _rows_of_text(line, mapping.table.cut_at)
        if not ways and fixed is not None:
            cut = mapping.table.cut_at or ","
            ways = [(cut, _cells(line, cut))]
        for separator, cells in ways:
            headers = headers_of(cells)
            matched = match(mapping, headers)
            here = Found(mapping, number, separator, headers, matched)
            if best is None or len(matched.used) > len(best.matched.used):
                best = here
        if best is not None and best.matched.complete and best.at == number:
            break
    if best is None:
        raise DataError(
            "there is no line with three or more headers",
            where=where,
            remedy="give header_line and separator in [table] of the map",
        )
    absent = [n for n in best.matched.missing if _needed(mapping, n, own=own)]
    if absent:
        raise _missing(best, absent, where)
    return best


def _needed(mapping: ColumnMap, name: str, *, own: bool) -> bool:
    """A user's map names what is there; a bundled one what may be there."""
    if name in REQUIRED:
        return True
    return own and not (name in mapping.columns and mapping.columns[name].optional)


def _missing(found: Found, absent: list[str], where: str) -> DataError:
    parts: list[str] = []
    hints: list[str] = []
    for name in absent:
        entry = found.mapping.columns.get(name)
        text = found.mapping.text.get(name, (name,))
        labels = text if entry is None else entry.label
        if entry is not None and entry.clock:
            labels = (*labels, *entry.clock)
        parts.append(f"{' or '.join(repr(x) for x in labels)} ({name})")
        hint = closest(labels, found.headers)
        if hint and hint not in hints:
            hints.append(hint)
    there = ", ".join(repr(h.text) for h in found.headers if h.text)
    return DataError(
        f"there is no column {', '.join(parts)}; the headers are {there:.600}",
        where=f"{where}, line {found.at}",
        remedy=" ".join(hints) or "correct the labels of the map, or give header_line",
    )


def _refuse_ambiguous(found: Found, where: str) -> None:
    for name, labels in found.matched.twice.items():
        shown = ", ".join(repr(x) for x in labels)
        raise DataError(
            f"{len(labels)} columns may be {name}: {shown}",
            where=f"{where}, line {found.at}",
            remedy="name the right one in a map (--map FILE), or rename the other",
        )
    owners: dict[int, str] = {}
    for name, index in found.matched.columns.items():
        if index in owners:
            raise DataError(
                f"column {found.headers[index].text!r} is both {owners[index]} and "
                f"{name}",
                where=f"{where}, line {found.at}",
                remedy="a column has one meaning: correct the map",
            )
        owners[index] = name


def _cut(
    found: Found, text: bytes, where: str, options: Options
) -> tuple[TextTable, dict[int, str]]:
    """The cells below the header, and the units of a row of units."""
    form, separator = found.mapping.table, found.separator
    if separator == " ":
        text = re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", text))
        separator = "\t"
    if form.comment is not None:
        mark = re.escape(form.comment.encode())
        head = b"\n".join(text.split(b"\n", found.at)[: found.at])
        text = head + re.sub(rb"(?m)^[ \t]*" + mark + rb".*$", b"", text[len(head) :])
    table = read_delimited(
        where,
        text,
        header_line=found.at,
        separator=separator,
        drop_last_row="last-row" in options.repairs,
    )
    units = _units_row(found, table)
    if units is None:
        return table, {}
    if table.frame.height == 1:
        raise DataError(
            "there is no row below the units",
            where=f"{where}, line {found.at + 1}",
            remedy="export the file again when the test has data",
        )
    below = replace(
        table, frame=table.frame.slice(1), line_numbers=table.line_numbers[1:]
    )
    return below, units


def _units_row(found: Found, table: TextTable) -> dict[int, str] | None:
    """Units in the first row, by column; None if it is a row of values."""
    cells = [str(c or "").strip(' \t"[]()') for c in table.frame.row(0)]
    units = {
        i: split_label(f"x [{c}]").unit for i, c in enumerate(cells) if not _number(c)
    }
    known = {i: u for i, u in units.items() if u and u != "1"}
    if found.mapping.table.units_row:
        return known
    needed = [found.matched.columns.get(n, -1) for n in REQUIRED]
    return known if all(i in known for i in needed if i >= 0) else None


def _number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _layered(lines: list[str]) -> bool:
    """The old export of BTS: a header for cycles, one for steps, one for records."""
    first = [x for x in lines[:10] if x.strip()][:3]
    if len(first) < FEWEST_CELLS:
        return False
    cells = [re.split(r"[\t,;]", x.replace('"', "")) for x in first]
    names = [[c.strip().lower() for c in row] for row in cells]
    return (
        names[0][0].startswith("cycle")
        and names[1][0] == ""
        and any(c.startswith("step") for c in names[1])
        and names[2][0] == ""
        and names[2][1:2] == [""]
        and any(c.startswith("record") for c in names[2])
    )
