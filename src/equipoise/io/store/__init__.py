"""A store of cells: Parquet files, a catalogue, SQL by DuckDB."""

from equipoise.io.store.catalogue import Entry, Problem, TableFile
from equipoise.io.store.importing import Added, Import
from equipoise.io.store.layout import KINDS, source_hash
from equipoise.io.store.store import Store

__all__ = [
    "KINDS",
    "Added",
    "Entry",
    "Import",
    "Problem",
    "Store",
    "TableFile",
    "source_hash",
]
