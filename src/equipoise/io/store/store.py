"""A folder of measured and simulated cells that many may read while one writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.core.errors import DataError, StoreError, nearest
from equipoise.io.store.catalogue import (
    INTERNAL,
    Catalogue,
    Entry,
    Problem,
    commit,
    read_catalogue,
    verify_files,
)
from equipoise.io.store.export import export_cells
from equipoise.io.store.importing import Added, Import, add_all, remove_entry
from equipoise.io.store.layout import (
    CATALOGUE,
    KINDS,
    MARKER,
    check_marker,
    locked,
    prepare,
    reading,
    write_marker,
)
from equipoise.io.store.query import connect, read_table, run, whole_numbers
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    import duckdb
    import polars as pl

    Answer = TypeVar("Answer")

_TRIES = 5
"""Where the system has no locks, so often may a file be replaced before it is read."""


class Store:
    """Cells in a folder: a catalogue, and Parquet files of their tables.

    Any number of processes may read while one writes; none sees half an import, and a
    killed one leaves nothing visible. Every call sees the state of its moment. One
    object is for one thread.

    Parameters
    ----------
    folder
        Of the store.
    create
        Make it a store if it is empty or not there; an existing store stays.
    wait_second
        How long a writer waits for another.

    Raises
    ------
    StoreError
        If it is no store, one of a newer version, or cannot be created.
    """

    def __init__(
        self, folder: str | Path, *, create: bool = False, wait_second: float = 10.0
    ) -> None:
        self.folder = Path(folder).resolve()
        self._wait_second = wait_second
        self._seen: Catalogue | None = None
        self._views: tuple[Catalogue, duckdb.DuckDBPyConnection] | None = None
        if create and not (self.folder / MARKER).exists():
            _create(self.folder, wait_second)
        check_marker(self.folder)

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

    def __len__(self) -> int:
        return self._catalogue().frame.height

    def add(
        self,
        *,
        source_sha256: str,
        name: str,
        tables: Mapping[str, pl.DataFrame],
        record: CellRecord | None = None,
        metadata: Mapping[str, object] | None = None,
        source: str | Path = "",
        source_format: str = "",
        replace: bool = False,
    ) -> Added:
        """Put one cell into the store; parameters as of `Import`, else `add_many`."""
        item = Import(
            source_sha256=source_sha256,
            name=name,
            tables=tables,
            record=record or CellRecord(),
            metadata=metadata or {},
            source=str(source),
            source_format=source_format,
        )
        return self.add_many([item], replace=replace)[0]

    def add_many(
        self, imports: Iterable[Import], *, replace: bool = False
    ) -> list[Added]:
        """Put cells into the store, all of them or, after any error, none.

        The same source with the same record changes nothing, whatever its name and
        tables. Different sources of the same name are different cells. The store is
        locked for other writers while `imports` runs.

        Parameters
        ----------
        replace
            A cell whose source is in the store already is replaced as a whole: record,
            metadata and tables.

        Returns
        -------
        list of Added
            In the order of the imports.

        Raises
        ------
        DataError
            If an import is not sound: hash, kinds, columns, metadata.
        StoreError
            If a source is there with another record or fewer tables (without
            `replace`), another writer does not finish, or a file cannot be written.
        """
        return add_all(
            self.folder, imports, replace=replace, wait_second=self._wait_second
        )

    def remove(self, cell: str) -> Entry:
        """Take a cell (id, or a name that is unique) out of the store.

        Raises
        ------
        StoreError
            If there is no such cell, or the store cannot be written.
        """
        return remove_entry(self.folder, cell, wait_second=self._wait_second)

    def cells(self) -> pl.DataFrame:
        """One row per cell, in the order of import.

        cell_id, name, grp (the group; GROUP is a word of SQL), replicate, kinds,
        rows_count (time series), cycles_count, the rest of the record, source_name,
        source_path, source_sha256, source_format, imported_utc, equipoise_version.

        Raises
        ------
        StoreError
            If the catalogue cannot be read.
        """
        return self._catalogue().frame.drop(*INTERNAL, "metadata_json")

    def entry(self, cell: str) -> Entry:
        """All that is known of a cell (id, or a name that is unique) but its tables.

        Raises
        ------
        StoreError
            If there is no such cell.
        """
        return self._catalogue().find(cell)

    def table(
        self,
        cell: str,
        kind: str,
        *,
        cycles: int | Iterable[int] | None = None,
        columns: Iterable[str] | None = None,
    ) -> pl.DataFrame:
        """One table of a cell, exactly as it was added.

        Parameters
        ----------
        cell
            Id, or a name that is unique.
        kind
            "timeseries", "cycles" or "spectra".
        cycles
            Only rows of these (`cycle_count`); the rest of the file is not read.
        columns
            Only these, in this order.

        Raises
        ------
        DataError
            If the cell has no such table, column or cycle.
        StoreError
            If there is no such cell, or its file is missing or damaged.
        """
        numbers = None if cycles is None else whole_numbers(cycles)
        names = None if columns is None else list(columns)

        def read(catalogue: Catalogue) -> pl.DataFrame:
            entry = catalogue.find(cell)
            for file in entry.files:
                if file.kind == kind:
                    return read_table(self.folder, file, cycles=numbers, columns=names)
            raise DataError(
                f"cell {entry.name!r} has no table {kind!r}; it has "
                f"{', '.join(entry.kinds)}",
                where=str(self.folder),
                remedy="" if kind in KINDS else nearest(kind, KINDS),
            )

        return self._steady(read)

    def sql(self, query: str) -> pl.DataFrame:
        """Answer one SELECT over all cells, in DuckDB's SQL.

        Views: `cells` (columns as of `cells()`, and `metadata_json`), `cycles`,
        `timeseries` and `spectra` with the `cell_id` of every row. Missing columns are
        null. Nothing can be changed, no other file be read.

        Raises
        ------
        DataError
            If the query is no single SELECT or wrong, with DuckDB's message.
        StoreError
            If a file is missing or damaged.

        Examples
        --------
        End of life of the cells of one group::

            store.sql('''
                SELECT name, min(cycle_count) AS end_of_life
                FROM cycles JOIN cells USING (cell_id)
                WHERE grp = 'LB' AND discharging_capacity_ah < 0.8 * 2e-3
                GROUP BY name
            ''')
        """

        def answer(catalogue: Catalogue) -> pl.DataFrame:
            if self._views is None or self._views[0] is not catalogue:
                if self._views is not None:
                    self._views[1].close()
                    self._views = None
                self._views = (catalogue, connect(catalogue))
            return run(self._views[1], query, self.folder)

        return self._steady(answer)

    def select(self, selection: str | Iterable[str]) -> list[str]:
        """Ids of cells, in the order of import for a condition.

        Parameters
        ----------
        selection
            One id or unique name, several of them, or a condition in SQL on the
            columns of `cells`, such as ``"grp = 'LB' AND cycles_count > 100"``.

        Raises
        ------
        DataError
            If it is neither a cell nor a condition.
        StoreError
            If there is no such cell, or no cell that fulfils the condition.
        """
        catalogue = self._catalogue()
        if not isinstance(selection, str):
            return list(dict.fromkeys(catalogue.find(cell).id for cell in selection))
        known = (catalogue.frame["cell_id"], catalogue.frame["name"])
        if any((column == selection).any() for column in known):
            return [catalogue.find(selection).id]
        found = self.sql(f"SELECT cell_id FROM cells WHERE ({selection}\n)")
        ids = found["cell_id"].to_list()
        if not ids:
            raise StoreError(f"no cell fulfils {selection!r}", where=str(self.folder))
        order = catalogue.frame["cell_id"].to_list()
        return [cell for cell in order if cell in set(ids)]

    def export(
        self,
        selection: str | Iterable[str],
        folder: str | Path,
        form: str = "parquet",
    ) -> list[Path]:
        """Write the time series of cells in the Battery Data Format.

        One file per cell, named after it and its id, with the metadata beside it.

        Parameters
        ----------
        selection
            As of `select`.
        form
            "parquet" or "csv".

        Returns
        -------
        list of Path
            Of the tables.

        Raises
        ------
        DataError
            If a cell has no time series, or the form is none of these.
        StoreError
            If there is no such cell, or a file cannot be read or written.
        """
        entries = [self.entry(cell) for cell in self.select(selection)]

        def read(entry: Entry) -> pl.DataFrame:
            return self.table(entry.id, "timeseries")

        return export_cells(entries, read, folder, form)

    def verify(self) -> tuple[Problem, ...]:
        """Compare every file with its hash in the catalogue; empty if all is well.

        Lists what killed imports left over, too. Reads all files.

        Raises
        ------
        StoreError
            If the catalogue cannot be read.
        """
        with reading(self.folder):
            return verify_files(self._catalogue())

    def _catalogue(self) -> Catalogue:
        """The present state; the same object as long as it does not change."""
        present = read_catalogue(self.folder)
        if self._seen is None or self._seen.raw != present.raw:
            self._seen = present
        return self._seen

    def _steady(self, read: Callable[[Catalogue], Answer]) -> Answer:
        """Read a state; again if a writer removed its files meanwhile."""
        with reading(self.folder):
            catalogue = self._catalogue()
            for _ in range(_TRIES):
                try:
                    return read(catalogue)
                except StoreError:
                    before, catalogue = catalogue, self._catalogue()
                    if catalogue is before:
                        raise
            return read(catalogue)


def _create(folder: Path, wait_second: float) -> None:
    prepare(folder)  # needs no lock: it only makes what is not there
    with locked(folder, wait_second):
        if (folder / MARKER).exists():  # by another process, meanwhile
            return
        if not (folder / CATALOGUE).exists():
            commit(folder)
        write_marker(folder)
