"""Into a store: all or nothing, and once.

Tables are written under temporary names, synced and renamed, then the catalogue is
replaced. Killed before that last step, nothing of it is visible and the next writer
removes the files; after it, all of it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from equipoise import __version__
from equipoise.core.columns import require
from equipoise.core.errors import DataError, StoreError, nearest
from equipoise.io.store.catalogue import (
    Catalogue,
    Entry,
    TableFile,
    commit,
    json_text,
    read_catalogue,
    utf8,
)
from equipoise.io.store.layout import (
    ID_LENGTH,
    KINDS,
    READERS,
    alone,
    data_file,
    leftovers,
    locked,
    put,
    sync,
)
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from pathlib import Path

    import polars as pl

_SHA256 = re.compile(r"[0-9a-f]{64}")
RESERVED = ("cell_id", "equipoise_file")
"""Names that the views of `query.py` add."""
ROW_GROUP_ROWS = 50_000
"""Measured: reading one cycle out of 10 M rows takes 2 ms, with 122,880 rows 4 ms."""

_SYNCS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Import:
    """One cell to put into a store.

    Attributes
    ----------
    source_sha256
        Of the file it was read from (`source_hash`): the same source is one cell.
    name
        For people; need not be unique.
    tables
        Kind ("timeseries", "cycles", "spectra") -> table.
    metadata
        What JSON can hold, such as what a reader reports.
    source, source_format
        Path and format of the file it was read from.
    """

    source_sha256: str
    name: str
    tables: Mapping[str, pl.DataFrame]
    record: CellRecord = field(default_factory=CellRecord)
    metadata: Mapping[str, object] = field(default_factory=dict[str, object])
    source: str = ""
    source_format: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an import; `already`: it was there and nothing changed."""

    entry: Entry
    already: bool


@contextmanager
def writing(folder: Path, wait_second: float) -> Generator[Catalogue]:
    """Hold the lock and the present catalogue; leave no file behind, come what may.

    Raises
    ------
    StoreError
        If another writer does not finish, or the store cannot be written or read.
    """
    with locked(folder, wait_second):
        catalogue = read_catalogue(folder)
        _sweep(catalogue)
        try:
            yield catalogue
        finally:
            with suppress(StoreError):  # it would hide the error; the next one sweeps
                _sweep(read_catalogue(folder))


def add_all(
    folder: Path, imports: Iterable[Import], *, replace: bool, wait_second: float
) -> list[Added]:
    """Put cells into a store with one commit; see `Store.add_many`."""
    fresh: dict[str, Entry] = {}
    added: list[Added] = []
    written: list[Entry] = []
    with writing(folder, wait_second) as catalogue:
        for item in imports:
            cell_id = _checked(item)
            known = fresh.get(cell_id) or catalogue.entry(cell_id)
            if known is not None:
                _refuse_other_source(known, item)
                if not replace:
                    _refuse_difference(known, item)
                    added.append(Added(known, already=True))
                    continue
            entry = _stored(folder, cell_id, item)
            written.append(entry)  # also if it is the same: it may mend a lost file
            if known is not None and entry.same_as(known):
                added.append(Added(known, already=True))
            else:
                fresh[cell_id] = entry
                added.append(Added(entry, already=False))
        _sync(folder, written)
        if fresh:
            commit(folder, catalogue.with_entries(fresh.values()))
    return added


def remove_entry(folder: Path, key: str, *, wait_second: float) -> Entry:
    """Take a cell out of a store, catalogue first; see `Store.remove`."""
    import polars as pl

    with writing(folder, wait_second) as catalogue:
        entry = catalogue.find(key)
        commit(folder, catalogue.frame.filter(pl.col("cell_id") != entry.id))
    return entry


def _sweep(catalogue: Catalogue) -> None:
    folder = catalogue.folder
    left = leftovers(folder, catalogue.paths)
    if not left:
        return
    with alone(folder, READERS) as nobody_reads:
        for file in left if nobody_reads else ():
            with suppress(OSError):  # invisible all the same
                (folder / file).unlink()


def _checked(item: Import) -> str:
    """The id of an import that is sound."""
    import polars as pl

    where = item.source or item.name
    if not _SHA256.fullmatch(item.source_sha256):
        raise DataError(
            f"{item.source_sha256!r:.80} is no SHA-256 (64 hex digits, lower case)",
            where=where,
            remedy="use source_hash(path)",
        )
    if not item.name:
        raise DataError("a cell in a store needs a name", where=where)
    if not item.tables:
        raise DataError("there is no table to store", where=where)
    for kind, table in item.tables.items():
        if kind not in KINDS:
            raise DataError(
                f"{kind!r} is no kind of table",
                where=where,
                remedy=nearest(kind, KINDS),
            )
        if kind == "timeseries":
            require(table.columns, where=where)
        for name, dtype in table.schema.items():
            if name.lower() in RESERVED:
                raise DataError(
                    f"a column may not be named {name!r}: a store adds one", where=where
                )
            if dtype == pl.Object:
                raise DataError(
                    f"column {name!r} of {kind} holds Python objects",
                    where=where,
                    remedy="store numbers, text or times",
                )
    return item.source_sha256[:ID_LENGTH]


def _refuse_other_source(known: Entry, item: Import) -> None:
    if known.source_sha256 != item.source_sha256:
        raise StoreError(
            f"two sources begin with the same {ID_LENGTH} digits: "
            f"{known.source_sha256} and {item.source_sha256}",
            where=item.source or item.name,
        )


def _refuse_difference(known: Entry, item: Import) -> None:
    """Refuse what the entry of the same source would lose or keep silently."""
    before, after = known.record.model_dump(), item.record.model_dump()
    different = [
        f"{key}: {before[key]!r} -> {after[key]!r}"
        for key in before
        if before[key] != after[key]
    ]
    more = [kind for kind in item.tables if kind not in known.kinds]
    if more:
        different.append(f"tables: {', '.join(known.kinds)} -> also {', '.join(more)}")
    if different:
        raise StoreError(
            f"the same source is in the store as {known.name!r} ({known.id}) with "
            f"another record; {'; '.join(different)}",
            where=item.source or item.name,
            remedy="import it with replace=True (--replace) to change it",
        )


def _stored(folder: Path, cell_id: str, item: Import) -> Entry:
    """Write the tables of one import; not visible before the commit."""
    try:
        metadata = json_text(dict(item.metadata))
    except (TypeError, ValueError) as error:
        raise DataError(
            f"these metadata cannot be written as JSON ({error})",
            where=item.source or item.name,
            remedy="give text, finite numbers, lists and dictionaries",
        ) from None
    ordered = [(kind, item.tables[kind]) for kind in KINDS if kind in item.tables]
    return Entry(
        id=cell_id,
        name=utf8(item.name),
        record=item.record,
        metadata=cast("dict[str, Any]", json.loads(metadata)),
        source_path=utf8(item.source),
        source_sha256=item.source_sha256,
        source_format=utf8(item.source_format),
        imported_utc=datetime.now(UTC).replace(tzinfo=None),
        equipoise_version=__version__,
        cycles_count=_cycles_count(item.tables),
        files=tuple(_write(folder, cell_id, kind, table) for kind, table in ordered),
    )


def _write(folder: Path, cell_id: str, kind: str, table: pl.DataFrame) -> TableFile:
    import polars as pl

    buffer = io.BytesIO()
    try:
        table.write_parquet(
            buffer,
            # Long tables are a matter of size. Of short ones a thousand are opened for
            # one query: 15 % faster so.
            compression="zstd" if kind == "timeseries" else "lz4",
            row_group_size=ROW_GROUP_ROWS,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(
            f"this {kind} table cannot be written as Parquet "
            f"({str(error).splitlines()[0]})",
            remedy="store numbers, text or times",
        ) from None
    raw = buffer.getbuffer()
    sha256 = hashlib.sha256(raw).hexdigest()
    file = data_file(kind, cell_id, sha256)
    put(folder / file, raw, sync=False)
    columns = {name: str(dtype) for name, dtype in table.schema.items()}
    return TableFile(kind, file, table.height, raw.nbytes, sha256, columns)


def _sync(folder: Path, entries: Iterable[Entry]) -> None:
    """Bring tables to the disk before the catalogue names them.

    All at the end and several at once: measured for 1,000 files, 0.2 s instead of 0.6.
    """
    paths = [folder / file.file for entry in entries for file in entry.files]
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(sync, paths))
    for parent in {path.parent for path in paths}:
        sync(parent)


def _cycles_count(tables: Mapping[str, pl.DataFrame]) -> int | None:
    for kind in ("cycles", "timeseries"):
        table = tables.get(kind)
        if table is not None and "cycle_count" in table.columns:
            column = table["cycle_count"]
            return column.n_unique() - (column.null_count() > 0)
    return None
