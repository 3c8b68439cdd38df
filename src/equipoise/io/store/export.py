"""Out of a store into Battery Data Format files, one per cell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from equipoise.core.errors import DataError
from equipoise.core.files import output_folder
from equipoise.io.bdf import FORMS, write_bdf

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

    from equipoise.io.store.catalogue import Entry


def export_cells(
    entries: Sequence[Entry],
    read: Callable[[Entry], pl.DataFrame],
    folder: str | Path,
    form: str,
) -> list[Path]:
    """Write the time series of these cells; see `Store.export`."""
    if form not in FORMS:
        raise DataError(
            f"{form!r} is not a form of a table", remedy=f"use {' or '.join(FORMS)}"
        )
    without = [e.name for e in entries if "timeseries" not in e.kinds]
    if without:
        raise DataError(
            f"{len(without)} of these cells have no time series, such as "
            f"{without[0]!r}: there is nothing to write as Battery Data Format",
            remedy="leave them out (rows_count > 0)",
        )
    target = output_folder(folder)
    return [
        write_bdf(
            read(entry),
            target / f"{_stem(entry)}.bdf.{form}",
            metadata=_metadata(entry),
        )
        for entry in entries
    ]


def _stem(entry: Entry) -> str:
    """What is safe of the name, and enough of the id that no two cells meet."""
    safe = re.sub(r"[^\w-]+", "_", entry.name, flags=re.ASCII).strip("_")
    return f"{safe[:80] or 'cell'}-{entry.id}"


def _metadata(entry: Entry) -> dict[str, object]:
    return {
        **entry.metadata,
        "name": entry.name,
        "cell_record": entry.record.model_dump(exclude_none=True),
        "source": {
            "path": entry.source_path,
            "format": entry.source_format,
            "sha256": entry.source_sha256,
        },
    }
