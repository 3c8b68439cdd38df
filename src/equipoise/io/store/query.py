"""Out of a store: one table of one cell, or SQL over all of them.

SQL runs in a DuckDB in memory whose views read the Parquet files. It can read nothing
outside the store and write nothing at all: see `_guarded`.
"""

from __future__ import annotations

import operator
import re
import threading
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import numpy as np

from equipoise.core.errors import DataError, StoreError, nearest
from equipoise.io.store.catalogue import INTERNAL
from equipoise.io.store.layout import ID_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import duckdb
    import polars as pl

    from equipoise.io.store.catalogue import Catalogue, TableFile

_NAME_LENGTH = len("0123456789abcdef-0123456789abcdef.parquet")
_EMPTY = {
    "cycles": "cycle_count BIGINT",
    "timeseries": "test_time_second DOUBLE, voltage_volt DOUBLE, current_ampere DOUBLE",
    "spectra": "frequency_hertz DOUBLE",
}
"""Columns of a view while the store has no such table."""
_RUNS_TEXT = re.compile(r"\b(query|json_execute_serialized_sql)\b", re.IGNORECASE)
_LAST_SEMICOLON = re.compile(r"(?:;|\s|--[^\n]*+(?:\n|$)|(?>/\*.*?\*/))*+$", re.DOTALL)
_POLL_SECOND = 0.05


def read_table(
    folder: Path,
    file: TableFile,
    *,
    cycles: list[int] | None,
    columns: Iterable[str] | None,
) -> pl.DataFrame:
    """Rows of these cycles and columns of a stored table; see `Store.table`."""
    where = str(folder / file.file)
    wanted = list(file.columns) if columns is None else list(columns)
    for name in wanted:
        if name not in file.columns:
            raise DataError(
                f"there is no column {name!r} in this table",
                where=where,
                remedy=nearest(name, file.columns),
            )
    if cycles is None:
        return _scanned(where, wanted, None, file.rows_count)
    if "cycle_count" not in file.columns:
        raise DataError("this table does not count cycles", where=where)
    with_count = list(dict.fromkeys([*wanted, "cycle_count"]))
    found = _scanned(where, with_count, cycles, None)
    lost = sorted(set(cycles) - set(found["cycle_count"].unique().to_list()))
    if lost:
        shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        raise DataError(f"there is no cycle {shown} in this table", where=where)
    return found.select(wanted)


def whole_numbers(cycles: int | Iterable[int]) -> list[int]:
    """One cycle or several as a list.

    Raises
    ------
    DataError
        If they are no whole numbers.
    """
    if isinstance(cycles, str) or not hasattr(cycles, "__iter__"):
        given = [cycles]
    else:
        given = list(cast("Iterable[int]", cycles))
    try:
        return [operator.index(cast("int", cycle)) for cycle in given]
    except TypeError:
        raise DataError(f"cycles are whole numbers, found {cycles!r:.60}") from None


def _scanned(
    path: str, columns: list[str], cycles: list[int] | None, rows_count: int | None
) -> pl.DataFrame:
    import polars as pl

    try:
        # No globbing, no "key=value" folders: the path of the store is taken literally.
        frame = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        if cycles is not None:
            count = pl.col("cycle_count")
            low, high = min(cycles, default=0), max(cycles, default=-1)
            frame = frame.filter(count.is_between(low, high))  # skips row groups
            if len(set(cycles)) != high - low + 1:
                frame = frame.filter(count.is_in(cycles))
        found = frame.select(columns).collect()
    except FileNotFoundError:
        raise _damaged(path, "it is missing") from None
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        OSError,
    ) as error:
        raise _damaged(path, (str(error).splitlines() or ["?"])[0]) from None
    if rows_count is not None and columns and found.height != rows_count:
        raise _damaged(path, f"{found.height} rows, {rows_count} were written")
    return found


def _damaged(path: str, why: str) -> StoreError:
    return StoreError(
        f"this table cannot be read ({why})",
        where=path,
        remedy="see what is damaged with `store verify` (Store.verify), and import the "
        "source again with replace=True (--replace)",
    )


def connect(catalogue: Catalogue) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the views of this state of a store, shut off from all else.

    Raises
    ------
    StoreError
        If a file is missing or damaged.
    """
    import duckdb

    base = str(catalogue.folder)
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("SET parquet_metadata_cache = true")  # files never change
        _create_cells(connection, catalogue.frame)
        for kind, columns in _EMPTY.items():
            select = _view(base, catalogue.files, kind) or _empty_view(columns)
            connection.execute(f"CREATE VIEW {kind} AS {select}")
        for setting in (
            "temp_directory = ''",  # otherwise large sorts go to the working directory
            f"allowed_directories = [{_quoted(base)}]",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "python_enable_replacements = false",  # variables of the caller as tables
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
    except duckdb.Error as error:
        connection.close()
        raise _translated(error, base) from None
    return connection


def run(
    connection: duckdb.DuckDBPyConnection, query: str, folder: Path
) -> pl.DataFrame:
    """Answer one SELECT; Ctrl-C stops it.

    Raises
    ------
    DataError
        If it is not one, or DuckDB does not accept it; with DuckDB's message.
    StoreError
        If a file is missing or damaged.
    """
    import duckdb

    cursor = connection.cursor()
    answer: list[tuple[list[str], dict[str, Any]]] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            cursor.execute(guarded)
            types = [str(column[1]) for column in cursor.description or ()]
            answer.append((types, cast("dict[str, Any]", cursor.fetchnumpy())))
        except BaseException as error:  # raised again in the caller
            errors.append(error)
        finally:
            done.set()

    try:
        guarded = _guarded(cursor, query)
        # In a thread of its own: while DuckDB computes in the main one, it does not see
        # Ctrl-C (measured: 40 s late); interrupt() from outside takes < 1 ms.
        threading.Thread(target=work, daemon=True).start()
        try:
            while not done.wait(_POLL_SECOND):
                pass
        except BaseException:
            cursor.interrupt()
            done.wait()
            raise
        if errors:
            raise errors[0]
    except duckdb.Error as error:
        raise _translated(error, str(folder)) from None
    finally:
        cursor.close()
    types, columns = answer[0]
    return _polars(types, columns)


def _guarded(cursor: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query in a form that cannot write, if it is one SELECT.

    A COPY may hide in the WITH of a SELECT, but only at the top level; hence the outer
    SELECT. Changes of the tables in memory are refused by the read-only transaction.
    """
    if found := _RUNS_TEXT.search(query):
        raise DataError(
            f"{found[0]!r} runs text as SQL, which a store does not do",
            remedy="write that SQL itself",
        )
    statements = cursor.extract_statements(query)
    kinds = [s.type.name for s in statements]
    if kinds != ["SELECT"]:
        raise DataError(
            "a store answers one SELECT at a time, found "
            + (" and ".join(kinds) if kinds else "nothing"),
            remedy="change a store with its own functions, such as add and remove",
        )
    import duckdb

    whole = f"SELECT * FROM (\n{query}\n) AS answer"
    try:
        cursor.extract_statements(whole)
    except duckdb.ParserException:  # the semicolon at its end
        return f"SELECT * FROM (\n{_LAST_SEMICOLON.sub('', query)}\n) AS answer"
    return whole


def _create_cells(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> None:
    """The table `cells`, by way of numpy: polars itself would need pyarrow."""
    import polars as pl

    types: dict[pl.DataType, str] = {
        pl.String(): "VARCHAR",
        pl.Float64(): "DOUBLE",
        pl.Int64(): "BIGINT",
        pl.Datetime("us"): "TIMESTAMP",
    }
    shown = frame.drop(INTERNAL)
    casts = ", ".join(
        f'CAST("{name}" AS {types[dtype]}) AS "{name}"'
        for name, dtype in shown.schema.items()
    )
    connection.register("arrays", {c.name: _array(c) for c in shown})
    connection.execute(f"CREATE TABLE cells AS SELECT {casts} FROM arrays")
    connection.unregister("arrays")


def _array(column: pl.Series) -> Any:  # noqa: ANN401  numpy's masked arrays
    import polars as pl

    if column.dtype == pl.String:
        return np.array(column.to_list(), dtype=object)
    mask = column.is_null().to_numpy()
    values = column.fill_null(strategy="zero") if mask.any() else column
    return np.ma.array(values.to_numpy(), mask=mask)


def _empty_view(columns: str) -> str:
    fields = [field.rpartition(" ") for field in columns.split(", ")]
    nulls = ", ".join(f"NULL::{kind} AS {name}" for name, _, kind in fields)
    return f"SELECT NULL::VARCHAR AS cell_id, {nulls} WHERE false"


def _view(base: str, files: pl.DataFrame, kind: str) -> str:
    """SELECT over the files of one kind, with the cell of each row; "" if none.

    Files of the same columns are read as one: DuckDB then opens only one to know them.
    It leaves out files whose name does not fit a condition on cell_id.
    """
    import polars as pl

    alike = (
        files.filter(pl.col("kind") == kind)
        .group_by("columns_json", maintain_order=True)
        .agg("file")
    )
    parts = [
        f"SELECT * FROM read_parquet([{', '.join(_quoted(f'{base}/{f}') for f in of)}],"
        " filename = 'equipoise_file', hive_partitioning = false)"
        for of in alike["file"].to_list()
    ]
    if not parts:
        return ""
    return (
        f"SELECT substr(equipoise_file, -{_NAME_LENGTH}, {ID_LENGTH}) AS cell_id, "
        f"* EXCLUDE (equipoise_file) FROM ({' UNION ALL BY NAME '.join(parts)})"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _polars(types: list[str], columns: dict[str, Any]) -> pl.DataFrame:
    import polars as pl

    series = [
        _series(name, kind, values)
        for kind, (name, values) in zip(types, columns.items(), strict=True)
    ]
    return pl.DataFrame(series)


def _series(name: str, kind: str, values: Any) -> pl.Series:  # noqa: ANN401
    """One column of an answer; masked is null, NaN stays NaN."""
    import polars as pl

    mask = np.ma.getmaskarray(values)
    raw = np.ma.getdata(values)
    if raw.dtype == object:
        cells = [None if m else _plain(v) for v, m in zip(raw, mask, strict=True)]
        text = pl.String() if kind in ("VARCHAR", "UUID") else None
        return pl.Series(name, cells, dtype=text, strict=False)
    column = pl.Series(name, raw)
    if kind == "HUGEINT":  # sums of whole numbers
        exact = np.all(np.abs(raw[~mask]) <= 2.0**53)
        column = column.cast(pl.Int64, strict=False) if exact else column
    elif kind == "DATE":
        column = column.cast(pl.Date)
    elif kind == "TIMESTAMP WITH TIME ZONE":
        column = column.dt.replace_time_zone("UTC")
    if not mask.any():
        return column
    present = pl.Series("present", ~mask)
    return column.to_frame().select(pl.when(present).then(pl.col(name)))[name]


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, bytearray):
        return bytes(value)
    return str(value) if isinstance(value, UUID) else value


def _translated(error: duckdb.Error, base: str) -> DataError | StoreError:
    """The user's mistake (SQL), or that of the store (files)."""
    import duckdb

    text = str(error).strip()
    if isinstance(error, duckdb.PermissionException):
        return DataError(
            text,
            where="SQL",
            remedy="SQL reaches the views cells, cycles and timeseries of the store",
        )
    of_files = (
        duckdb.IOException,
        duckdb.SerializationException,
        duckdb.FatalException,
    )
    if isinstance(error, of_files) or base in text:
        return StoreError(
            text,
            where=base,
            remedy="see what is damaged with `store verify` (Store.verify)",
        )
    return DataError(text, where="SQL", remedy="columns: DESCRIBE cells (or cycles)")
