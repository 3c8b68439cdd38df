"""Time series on disk: Battery Data Format (BDF) with our metadata beside it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from equipoise import __version__
from equipoise.core.columns import COLUMNS, require, to_labels, to_names
from equipoise.core.errors import DataError
from equipoise.core.files import write_atomic
from equipoise.io.curve_csv import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

FORMS = ("parquet", "csv")
_ENDINGS = tuple(f".bdf.{form}" for form in FORMS)


def write_bdf(
    table: pl.DataFrame, path: str | Path, *, metadata: Mapping[str, object]
) -> Path:
    """Write the time series of one cell, and its metadata beside it.

    Parameters
    ----------
    table
        Machine names of `core.columns`; other columns keep their names.
    path
        Ends in ``.bdf.parquet`` (exact) or ``.bdf.csv`` (shortest text that reads
        back as the same number).
    metadata
        What JSON can hold; written first, to ``<name>.bdf.json``, with the program
        version, the reference electrode "li" unless it names another, and the unit
        and meaning of every column.

    Returns
    -------
    Path
        Of the table.

    Raises
    ------
    DataError
        If the name ends otherwise, a required column is missing, or the metadata do
        not fit into JSON.
    StoreError
        If a file cannot be written.
    """
    target = Path(path)
    if not target.name.endswith(_ENDINGS):
        raise DataError(
            f"the name of this file does not end in {' or '.join(_ENDINGS)}",
            where=str(target),
            remedy=f"for example {target.name.split('.')[0] or 'cell'}{_ENDINGS[0]}",
        )
    require(table.columns, where=str(target))
    content: dict[str, object] = {
        "equipoise": __version__,
        "reference_electrode": "li",
        "reference_potential_vs_li_volt": 0.0,
        **metadata,
        "columns": _described(table.columns),
    }
    try:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"these metadata cannot be written as JSON ({error})",
            where=str(target),
            remedy="give text, finite numbers, lists and dictionaries",
        ) from None
    labels = dict(zip(table.columns, to_labels(table.columns), strict=True))
    raw = table_bytes(table.rename(labels), target.suffix[1:])
    write_atomic(metadata_path(target), f"{text}\n")
    return write_atomic(target, raw)


def read_bdf(path: str | Path) -> pl.DataFrame:
    """Read a BDF table (Parquet, else CSV) under machine names.

    Labels that are not known, and their columns, stay as they are. Lines that begin
    with # are left out of a CSV table.

    Raises
    ------
    DataError
        If it cannot be read, lacks a required column, has one twice, or a known
        column holds something else than numbers.
    """
    source = Path(path)
    where = str(source)
    frame = _frame(source, read_bytes(source))
    names = to_names(frame.columns, where=where)
    require(names, where=where)
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    return frame.with_columns([_typed(frame[n], where) for n in names])


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read the metadata beside a BDF table; empty if there are none.

    Raises
    ------
    DataError
        If they are no JSON object.
    """
    beside = metadata_path(path)
    if not beside.exists():
        return {}
    try:
        content: object = json.loads(read_bytes(beside))
    except ValueError as error:
        raise DataError(f"this is no JSON ({error})", where=str(beside)) from None
    if not isinstance(content, dict):
        raise DataError(
            f"a JSON object was expected, found {content!r:.60}", where=str(beside)
        )
    return cast("dict[str, Any]", content)


def metadata_path(path: str | Path) -> Path:
    """Where the metadata of a table are: ``cell.bdf.csv`` -> ``cell.bdf.json``."""
    return Path(path).with_suffix(".json")


def table_bytes(table: pl.DataFrame, form: str) -> bytes:
    """A table as the bytes of a Parquet or CSV file.

    Raises
    ------
    DataError
        If the form is neither.
    """
    if form not in FORMS:
        raise DataError(
            f"{form!r} is not a form of a table", remedy=f"use {' or '.join(FORMS)}"
        )
    buffer = io.BytesIO()
    if form == "parquet":
        table.write_parquet(buffer)
    else:
        table.write_csv(buffer)
    return buffer.getvalue()


def _described(names: Iterable[str]) -> dict[str, dict[str, str]]:
    keys = ("label", "unit", "level", "meaning")
    known = [COLUMNS[n] for n in names if n in COLUMNS]
    return {c.name: {k: getattr(c, k) for k in keys} for c in known}


def _frame(path: Path, raw: bytes) -> pl.DataFrame:
    """The table as it is; all text if it is CSV."""
    import polars as pl  # 0.5 s: only where a table is read

    try:
        if path.suffix.lower() == ".parquet":
            return pl.read_parquet(raw)
        frame = pl.read_csv(raw, infer_schema=False, comment_prefix="#")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this is not a readable table ({str(error).splitlines()[0]})",
            where=str(path),
            remedy="a BDF table is Parquet or comma-separated text with one header",
        ) from None
    twins = [c for c in frame.columns if "_duplicated_" in c]  # polars renames them
    if twins:
        name = twins[0].rpartition("_duplicated_")[0]
        raise DataError(
            f"more than one column is named {name!r}",
            where=str(path),
            remedy="keep the one that is right",
        )
    return frame


def _typed(column: pl.Series, where: str) -> pl.Series:
    """A known column as numbers, whole ones if it counts; any other as it is."""
    import polars as pl

    known = COLUMNS.get(column.name)
    if known is None or known.kind == "text":
        return column
    if column.dtype == pl.String:
        values = column.str.strip_chars().cast(pl.Float64, strict=False)
    elif column.dtype.is_numeric():
        values = column
    else:
        values = pl.Series(column.name, [None] * len(column), dtype=pl.Float64)
    lost = values.is_null() & column.is_not_null()
    if known.kind == "count" and not values.dtype.is_integer():
        lost |= (values != values.round()).fill_null(value=False)
        lost |= ~values.is_finite().fill_null(value=True)
    if lost.any():
        row = int(lost.arg_max() or 0)
        what = "a whole number" if known.kind == "count" else "a number"
        raise DataError(
            f"column {column.name!r}, data row {row + 1}: found {column[row]!r:.40}, "
            f"{what} was expected",
            where=where,
        )
    return values.cast(pl.Int64) if known.kind == "count" else values
