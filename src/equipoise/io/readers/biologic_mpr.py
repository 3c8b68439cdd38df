"""Bio-Logic .mpr files: EC-Lab's and BT-Lab's own binary format.

A header of 52 bytes, then modules: settings ("VMP Set"), records ("VMP data"), log
("VMP LOG"), loops. The records are packed structures; the numbers of their columns
stand before them. That their sizes add up to the size of the module is the check of
every assumption made here. Written from descriptions of the format and from files.
"""

from __future__ import annotations

import re
import struct
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers.biologic_columns import fill
from equipoise.io.readers.biologic_ids import FLAGS, IDS
from equipoise.io.readers.biologic_settings import log, settings
from equipoise.io.readers.draft import Draft

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.options import Options
    from equipoise.io.readers.source import Source

FORMAT = "Bio-Logic .mpr"
_MARK = b"BIO-LOGIC MODULAR FILE"
_MODULE = b"MODULE"
_FIRST_MODULE = 52
_DATE = re.compile(rb"\d\d[/.-]\d\d[/.-]\d\d")
_WIDTHS = {1: "u1", 2: "u2", 4: "f4", 8: "f8"}
MOST_UNKNOWN = 4
"""Columns of unknown width; with more, their sizes cannot be told apart anyway."""


class _Header(NamedTuple):
    """Where the fields of a module's header lie, counted from its mark."""

    length: int
    version: int
    date: int
    size: int


_HEADERS = (_Header(45, 53, 57, 65), _Header(41, 45, 49, 57))
"""EC-Lab 11.50 and later, before."""


class _Module(NamedTuple):
    name: str
    version: int
    date: str
    payload: memoryview
    missing_bytes: int


class _Layout(NamedTuple):
    """Where "VMP data" keeps the numbers of its columns and its records."""

    counter: str
    first_id: int
    id_type: str
    records: int


_OLDEST = _Layout("<B", 5, "<u1", 100)
_OLD = _Layout("<B", 5, "<u2", 405)
_OLD_3 = _Layout("<B", 5, "<u2", 406)
_NEW = _Layout("<H", 6, "<u2", 1007)
_LAYOUTS = {0: _OLDEST, 2: _OLD, 3: _OLD_3, 10: _NEW, 11: _NEW}


class _Records(NamedTuple):
    """Rows as they lie in the file, and how they were understood."""

    rows: np.ndarray[tuple[int], np.dtype[np.void]]
    labels: list[str]
    """Of each field."""
    notes: list[tuple[str, str]]


def recognise(source: Source) -> str:
    """Evidence that this is a .mpr file; empty if it is not."""
    if source.head.startswith(_MARK):
        return f"begins with {_MARK.decode()!r}"
    return ""


def draft(source: Source, options: Options) -> Draft:
    """Read the records.

    Raises
    ------
    DataError
        If the file is cut or damaged, or holds a column of unknown width.
    """
    where = str(source.path)
    made = Draft(FORMAT, printed=False)
    modules = _modules(source, made, where)
    data = next((m for m in modules if m.name == "VMP data"), None)
    if data is None:
        raise DataError(
            "there is no module of data: found "
            + (", ".join(m.name for m in modules) or "none"),
            where=where,
            remedy="copy the file again, or open it in EC-Lab and save it",
        )
    records = _records(data, where, drop_last="last-row" in options.repairs)
    for what, how in records.notes:
        level = "repaired" if what == "rows" else "look"
        _note(made, level, what, how)
    names = ", ".join(x for x in records.labels if x)
    made.recognised(
        "table", f"data version {data.version}, {records.rows.size} records: {names}"
    )
    _metadata(made, modules)
    fill(made, _cells(records), options, where)
    return made


def _note(made: Draft, level: str, what: str, how: str) -> None:
    from equipoise.io.readers.recording import Finding

    made.findings.append(
        Finding("repaired" if level == "repaired" else "look", what, how)
    )


# modules -----------------------------------------------------------------------


def _modules(source: Source, made: Draft, where: str) -> list[_Module]:
    raw = source.raw
    found: list[_Module] = []
    at = _FIRST_MODULE
    while at < len(raw):
        module = _module(raw, at)
        if module is None:
            if not any(m.name == "VMP data" for m in found):
                raise DataError(
                    f"damaged at byte {at}: a module should begin there, of "
                    f"{len(raw)} bytes in all",
                    where=where,
                    remedy="copy the file again from the instrument's computer",
                )
            made.look("file", f"{len(raw) - at} bytes at its end are no module")
            break
        found.append(module)
        at += _size_of(raw, at, module)
    return found


def _size_of(raw: bytes, at: int, module: _Module) -> int:
    if module.missing_bytes:
        return len(raw) - at
    header = next(h for h in _HEADERS if _fits(raw, at, h) == len(module.payload))
    return header.size + len(module.payload)


def _fits(raw: bytes, at: int, header: _Header) -> int | None:
    """Length of the payload if a module has this header; it may pass the end."""
    if at + header.size > len(raw) or not raw.startswith(_MODULE, at):
        return None
    if not _DATE.fullmatch(raw, at + header.date, at + header.date + 8):
        return None
    return int(struct.unpack_from("<I", raw, at + header.length)[0])


def _module(raw: bytes, at: int) -> _Module | None:
    """The module that begins at a byte; None if there is none."""
    best: tuple[int, _Header, int] | None = None
    for header in _HEADERS:
        length = _fits(raw, at, header)
        if length is None:
            continue
        end = at + header.size + length
        closed = end == len(raw) or raw.startswith(_MODULE, end)
        rank = 2 if closed else (1 if end < len(raw) else 0)
        if best is None or rank > best[0]:
            best = (rank, header, length)
    if best is None:
        return None
    _, header, length = best
    start = at + header.size
    payload = memoryview(raw)[start : start + length]
    name = raw[at + 6 : at + 16].decode("latin-1").strip()
    date = raw[at + header.date : at + header.date + 8].decode("latin-1")
    version = int(struct.unpack_from("<I", raw, at + header.version)[0])
    return _Module(name, version, date, payload, length - len(payload))


def _metadata(made: Draft, modules: list[_Module]) -> None:
    date = ""
    for module in modules:
        if module.name == "VMP Set" and not date:
            date = module.date
            made.metadata |= settings(bytes(module.payload))
        elif module.name == "VMP LOG" and "channel" not in made.metadata:
            made.metadata |= log(bytes(module.payload), date)
    if "started_local" not in made.metadata:
        made.look(
            "start",
            f"no time of the start in this file; its settings are of {date or '?'}",
        )


# records -----------------------------------------------------------------------


def _records(data: _Module, where: str, *, drop_last: bool) -> _Records:
    """The records, their layout checked against the size of the module."""
    own = _LAYOUTS.get(data.version)
    others = [x for x in dict.fromkeys(_LAYOUTS.values()) if x is not own]
    reading = None if own is None else _reading(data, own)
    if reading is None or not reading.exact:
        exact = [r for r in (_reading(data, x) for x in others) if r and r.exact]
        if len(exact) == 1:
            reading = exact[0]
    if reading is None:
        raise DataError(
            f"data of version {data.version} in {len(data.payload)} bytes cannot be "
            "understood",
            where=where,
            remedy="the file is damaged; or export it as text (.mpt) and report it",
        )
    return _cut(data, reading, where, drop_last=drop_last)


class _Reading(NamedTuple):
    """The heads of a module's data under one layout."""

    layout: _Layout
    points: int
    ids: tuple[int, ...]
    widths: tuple[str, ...]
    """Types of the unknown columns; empty if there is none, or none fits."""
    solutions: int
    """How many choices of them close the sum."""

    @property
    def unknown(self) -> list[int]:
        """Numbers of columns that are not known, in order."""
        return [i for i in self.ids if i not in IDS and i not in FLAGS]

    @property
    def size(self) -> int:
        """Bytes of a record, unknown columns as found."""
        return _known_bytes(self.ids) + sum(int(w[1]) for w in self.widths)

    exact: bool


def _known_bytes(ids: tuple[int, ...]) -> int:
    flags = 1 if any(i in FLAGS for i in ids) else 0
    return flags + sum(int(IDS[i][1][1]) for i in ids if i in IDS)


def _reading(data: _Module, layout: _Layout) -> _Reading | None:
    """Numbers of the columns under a layout; None if they cannot lie there."""
    payload = data.payload
    width = int(layout.id_type[2])
    if len(payload) < layout.records:
        return None
    points = int(struct.unpack_from("<I", payload, 0)[0])
    count = int(struct.unpack_from(layout.counter, payload, 4)[0])
    if count == 0 or layout.first_id + count * width > layout.records:
        return None
    ids = tuple(
        int(i) for i in np.frombuffer(payload, layout.id_type, count, layout.first_id)
    )
    if 0 in ids:
        return None
    body = len(payload) + data.missing_bytes - layout.records
    unknown = [i for i in ids if i not in IDS and i not in FLAGS]
    known = _known_bytes(ids)
    if not unknown:
        return _Reading(layout, points, ids, (), 1, points * known == body)
    solutions = _widths(len(unknown), body, points, known)
    widths = solutions[0] if len(solutions) == 1 else ()
    return _Reading(layout, points, ids, widths, len(solutions), len(solutions) == 1)


def _widths(unknown: int, body: int, points: int, known: int) -> list[tuple[str, ...]]:
    """All types of unknown columns with which the records fill the module."""
    if unknown > MOST_UNKNOWN or points == 0 or body % points:
        return []
    left = body // points - known
    return [
        tuple(_WIDTHS[w] for w in chosen)
        for chosen in product(_WIDTHS, repeat=unknown)
        if sum(chosen) == left
    ]


def _cut(data: _Module, found: _Reading, where: str, *, drop_last: bool) -> _Records:
    if found.unknown and found.solutions != 1:
        raise DataError(
            f"column{'s' if len(found.unknown) > 1 else ''} of unknown kind: number "
            f"{', '.join(map(str, found.unknown))}; "
            + (
                f"{found.solutions} choices of their widths fit the file"
                if found.solutions
                else "no choice of their widths fits the file"
            ),
            where=where,
            remedy="export the file as text (.mpt) in EC-Lab and read that; and report "
            "the number with the label that EC-Lab prints for it",
        )
    if found.points == 0 or found.size == 0:
        raise DataError(
            "the file holds no record",
            where=where,
            remedy="it was saved before the first one: copy it again after the test",
        )
    there = (len(data.payload) - found.layout.records) // found.size
    points, notes = found.points, list[tuple[str, str]]()
    if there < points:
        if not (drop_last and there == points - 1 and there > 0):
            raise _truncated(there, points, where, one=there == points - 1)
        points = there
        notes.append(("rows", "the last record is incomplete: left out"))
    dtype, labels = _fields(found)
    for number, kind in zip(found.unknown, found.widths, strict=True):
        notes.append(
            (
                f"unknown column {number}",
                f"{kind[1]} bytes wide, as the size of the records proves; read as "
                f"{'float' if kind[0] == 'f' else 'whole number'}, meaning unknown",
            )
        )
    rows = np.frombuffer(data.payload, dtype, points, found.layout.records)
    return _Records(rows, labels, notes)


def _truncated(there: int, points: int, where: str, *, one: bool) -> DataError:
    return DataError(
        f"the file was cut: {there} of {points} records are there",
        where=where,
        remedy="copy it again"
        + (", or read it without the last record: --repair last-row" if one else ""),
    )


def _fields(found: _Reading) -> tuple[np.dtype[np.void], list[str]]:
    """The structure of a record, and the label of each of its fields."""
    formats: list[str] = []
    labels: list[str] = []
    widths = iter(found.widths)
    for number in found.ids:
        if number in FLAGS:
            if "" in labels:
                continue  # all flags share the byte of the first
            label, kind = "", "u1"
        elif number in IDS:
            label, kind = IDS[number]
        else:
            label, kind = f"unknown column {number}", next(widths)
        if label in labels:
            label = f"{label} ({number})"
        labels.append(label)
        formats.append(f"<{kind}")
    names = [f"f{i}" for i in range(len(labels))]
    return np.dtype({"names": names, "formats": formats}), labels


def _cells(records: _Records) -> dict[str, pl.Series]:
    """Labelled columns; the byte of flags gives one for each."""
    import polars as pl

    cells: dict[str, pl.Series] = {}
    for name, label in zip(records.rows.dtype.names or (), records.labels, strict=True):
        values = np.ascontiguousarray(records.rows[name])
        if label:
            cells[label] = pl.Series(values)
            continue
        for flag, mask in FLAGS.values():
            bits = values & mask
            on = bits if flag == "mode" else (bits > 0).astype(np.uint8)
            cells[flag] = pl.Series(on)
    return cells
