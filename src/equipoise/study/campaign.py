"""Files into the store and back: read, prove, sum up, keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from equipoise.io.store.importing import Import
from equipoise.study.measured_cell import CellData, Origin

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.store.store import Store


def import_of(data: CellData) -> Import:
    """A cell as the store takes it: time series and cycles, with how they were read."""
    tables: dict[str, pl.DataFrame] = {"cycles": data.cycles}
    if data.table is not None:
        tables["timeseries"] = data.table
        spectra = _spectra(data.table)
        if spectra is not None:
            tables["spectra"] = spectra
    return Import(
        source_sha256=data.source_sha256,
        name=data.name,
        tables=tables,
        record=data.record,
        metadata={**data.metadata, "origin": data.origin},
        source=data.source,
        source_format="" if data.recording is None else data.recording.format,
    )


def cell_data_from(store: Store, cell: str) -> CellData:
    """A cell of the store, as if its file had been read.

    Raises
    ------
    StoreError
        If there is no such cell.
    """
    entry = store.entry(cell)
    has_series = "timeseries" in entry.kinds
    return CellData(
        entry.name,
        store.table(entry.id, "timeseries") if has_series else None,
        store.table(entry.id, "cycles"),
        entry.record,
        cast("Origin", entry.metadata.get("origin", "measured")),
        None,
        entry.metadata,
        entry.source_path,
        entry.source_sha256,
    )


def _spectra(table: pl.DataFrame) -> pl.DataFrame | None:
    """Rows of impedance spectra, with the columns that hold anything there."""
    import polars as pl

    if "frequency_hertz" not in table.columns:
        return None
    rows = table.filter(pl.col("frequency_hertz") > 0.0)
    if rows.height == 0:
        return None
    return rows.select(c for c in rows.get_columns() if c.null_count() < rows.height)
