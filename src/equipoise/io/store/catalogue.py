"""What a store holds: one small table that is replaced as a whole.

Why not a DuckDB file: it may be open in one process that writes or in several that
read, never in both, and a reader must not be shut out by an import. This table is a
Parquet file; a commit renames a new one over it, so that every reader has the state
before or after, of all cells alike, and takes no lock. DuckDB reads it and the tables
of the cells through views in memory (`query.py`). A commit costs time in proportion to
the number of cells, a few milliseconds for 1,000.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from equipoise.core.errors import StoreError, nearest
from equipoise.io.store.layout import (
    CATALOGUE,
    LOCK,
    alone,
    leftovers,
    put,
    source_hash,
    sync,
)
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    import polars as pl

_SHOWN_APART = ("name", "group", "replicate")
INTERNAL = ("record_json", "files")
"""Columns of the catalogue that only this program needs."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table of one cell on disk.

    Attributes
    ----------
    file
        Path relative to the store.
    columns
        Name -> data type, as polars prints it.
    """

    kind: str
    file: str
    rows_count: int
    bytes_count: int
    sha256: str
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell in a store.

    Attributes
    ----------
    id
        First 16 hex digits of `source_sha256`.
    imported_utc
        Without time zone.
    cycles_count
        Distinct cycles of the cycle table, else of the time series; None if neither
        counts cycles.
    """

    id: str
    name: str
    record: CellRecord
    metadata: dict[str, Any]
    source_path: str
    source_sha256: str
    source_format: str
    imported_utc: datetime
    equipoise_version: str
    cycles_count: int | None
    files: tuple[TableFile, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of its tables."""
        return tuple(f.kind for f in self.files)

    def same_as(self, other: Entry) -> bool:
        """Whether all but the time and program of the import agree."""
        return self == replace(
            other,
            imported_utc=self.imported_utc,
            equipoise_version=self.equipoise_version,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """What `Store.verify` found: a file, its cell (or ""), what is wrong with it."""

    file: str
    cell_id: str
    what: str


@dataclass(frozen=True)
class Catalogue:
    """One state of a store; `raw` are the bytes of the file, by which states differ."""

    folder: Path
    raw: bytes

    @cached_property
    def frame(self) -> pl.DataFrame:
        """One row per cell, in the order of import.

        Raises
        ------
        StoreError
            If the catalogue is damaged.
        """
        import polars as pl

        try:
            frame = pl.read_parquet(self.raw)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise StoreError(
                f"the catalogue of the store is damaged ({str(error).splitlines()[0]})",
                where=str(self.folder / CATALOGUE),
                remedy="restore this file and the tables beside it from one backup",
            ) from None
        lacking = {"cell_id", "name", "files"} - set(frame.columns)
        if lacking:
            raise StoreError(
                f"the catalogue of the store has no column {min(lacking)!r}",
                where=str(self.folder / CATALOGUE),
                remedy="restore this file and the tables beside it from one backup",
            )
        empty = pl.DataFrame(schema=schema())  # a record may have got new keys since
        return pl.concat([empty, frame], how="diagonal_relaxed")

    @cached_property
    def files(self) -> pl.DataFrame:
        """One row per table: cell_id and the fields of `TableFile`."""
        return self.frame.select("cell_id", "files").explode("files").unnest("files")

    @property
    def paths(self) -> set[str]:
        """Of all tables, relative to the store."""
        return set(self.files["file"].to_list())

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {cell: row for row, cell in enumerate(self.frame["cell_id"].to_list())}

    def entry(self, cell_id: str) -> Entry | None:
        """The cell of that id, None if there is none."""
        row = self._row_of.get(cell_id)
        return None if row is None else self._entry(self.frame.row(row, named=True))

    def find(self, key: str) -> Entry:
        """The cell of that id, else the only one of that name.

        Raises
        ------
        StoreError
            If there is none, or several have that name.
        """
        import polars as pl

        if entry := self.entry(key):
            return entry
        frame = self.frame
        rows = frame.filter(pl.col("name") == key).to_dicts()
        if len(rows) == 1:
            return self._entry(rows[0])
        if rows:
            raise StoreError(
                f"{len(rows)} cells are named {key!r}",
                where=str(self.folder),
                remedy=f"use an id: {', '.join(row['cell_id'] for row in rows[:5])}",
            )
        known = [*frame["name"].to_list(), *frame["cell_id"].to_list()]
        raise StoreError(
            f"there is no cell {key!r}" + ("" if known else "; the store is empty"),
            where=str(self.folder),
            remedy=nearest(key, known) if 0 < len(known) < 20_000 else "",
        )

    def with_entries(self, entries: Iterable[Entry]) -> pl.DataFrame:
        """The table with these entries in the place of those of the same id."""
        import polars as pl

        rows = pl.DataFrame([_row(e) for e in entries], schema=schema())
        kept = self.frame.filter(~pl.col("cell_id").is_in(rows["cell_id"].to_list()))
        return pl.concat([kept, rows], how="diagonal_relaxed")

    def _entry(self, row: Mapping[str, Any]) -> Entry:
        try:
            record = CellRecord.model_validate_json(row["record_json"])
        except ValidationError as error:
            raise StoreError(
                f"the record of cell {row['cell_id']} cannot be read "
                f"({error.errors()[0]['msg']})",
                where=str(self.folder / CATALOGUE),
                remedy="it may be of a newer equipoise: upgrade",
            ) from None
        return Entry(
            id=row["cell_id"],
            name=row["name"],
            record=record,
            metadata=cast("dict[str, Any]", json.loads(row["metadata_json"])),
            source_path=row["source_path"],
            source_sha256=row["source_sha256"],
            source_format=row["source_format"],
            imported_utc=row["imported_utc"],
            equipoise_version=row["equipoise_version"],
            cycles_count=row["cycles_count"],
            files=tuple(_table_file(f) for f in row["files"]),
        )


def read_catalogue(folder: Path) -> Catalogue:
    """The present state of a store.

    Raises
    ------
    StoreError
        If the catalogue is missing or cannot be read.
    """
    try:
        return Catalogue(folder, (folder / CATALOGUE).read_bytes())
    except OSError as error:
        raise StoreError(
            f"the catalogue of the store cannot be read ({error.strerror or error})",
            where=str(folder / CATALOGUE),
            remedy="restore this file from a backup; the tables are not touched",
        ) from None


def commit(folder: Path, frame: pl.DataFrame | None = None) -> None:
    """Make a table the catalogue, at once and for all readers; None: an empty one.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    import polars as pl

    content = pl.DataFrame(schema=schema()) if frame is None else frame
    buffer = io.BytesIO()
    content.write_parquet(buffer, compression="zstd")
    put(folder / CATALOGUE, buffer.getbuffer())
    sync(folder)


def verify_files(catalogue: Catalogue) -> tuple[Problem, ...]:
    """Compare every file with the hash in the catalogue; list what was left over."""
    folder = catalogue.folder
    problems: list[Problem] = []
    names = ("cell_id", "file", "bytes_count", "sha256")
    for cell_id, file, bytes_count, sha256 in catalogue.files.select(names).iter_rows():
        try:
            found = source_hash(folder / file)
        except StoreError as error:
            problems.append(Problem(file, cell_id, error.message))
            continue
        if found != sha256:
            what = f"damaged: not the {bytes_count} bytes that were written"
            problems.append(Problem(file, cell_id, what))
    with alone(folder, LOCK) as nobody_writes:
        known = read_catalogue(folder).paths
        left = leftovers(folder, known) if nobody_writes else []
    what = "left by a killed or replaced import; the next writer removes it"
    problems += [Problem(file, "", what) for file in left]
    return tuple(problems)


def schema() -> dict[str, pl.DataType]:
    """Columns of the catalogue."""
    import polars as pl

    text, number, count = pl.String(), pl.Float64(), pl.Int64()
    of_record = {
        name: number if "float" in repr(field.annotation) else text
        for name, field in CellRecord.model_fields.items()
        if name not in _SHOWN_APART
    }
    return {
        "cell_id": text,
        "name": text,
        "grp": text,
        "replicate": text,
        "kinds": text,
        "rows_count": count,
        "cycles_count": count,
        **of_record,
        "source_name": text,
        "source_path": text,
        "source_sha256": text,
        "source_format": text,
        "imported_utc": pl.Datetime("us"),
        "equipoise_version": text,
        "metadata_json": text,
        "record_json": text,
        "files": pl.List(
            pl.Struct(
                {
                    "kind": text,
                    "file": text,
                    "rows_count": count,
                    "bytes_count": count,
                    "sha256": text,
                    "columns_json": text,
                }
            )
        ),
    }


def _row(entry: Entry) -> dict[str, object]:
    record = entry.record.model_dump()
    rows = {f.kind: f.rows_count for f in entry.files}
    return {
        "cell_id": entry.id,
        "name": entry.name,
        "grp": entry.record.group,
        "replicate": entry.record.replicate,
        "kinds": ", ".join(entry.kinds),
        "rows_count": rows.get("timeseries", 0),
        "cycles_count": entry.cycles_count,
        **{k: v for k, v in record.items() if k not in _SHOWN_APART},
        "source_name": entry.source_path.replace("\\", "/").rpartition("/")[2],
        "source_path": entry.source_path,
        "source_sha256": entry.source_sha256,
        "source_format": entry.source_format,
        "imported_utc": entry.imported_utc,
        "equipoise_version": entry.equipoise_version,
        "metadata_json": json_text(entry.metadata),
        "record_json": entry.record.model_dump_json(exclude_none=True),
        "files": [_table_row(f) for f in entry.files],
    }


def _table_row(file: TableFile) -> dict[str, object]:
    fields = {name: getattr(file, name) for name in file.__slots__}
    return {**fields, "columns_json": json.dumps(fields.pop("columns"))}


def _table_file(row: dict[str, Any]) -> TableFile:
    fields = dict(row)
    columns = json.loads(fields.pop("columns_json"))
    return TableFile(**fields, columns=columns)


def json_text(content: object) -> str:
    """As JSON in valid UTF-8, whatever is in a file name.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it.
    """
    return utf8(json.dumps(content, ensure_ascii=False, allow_nan=False))


def utf8(text: str) -> str:
    """The same text with what UTF-8 cannot hold (undecoded bytes) written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
