"""The metadata of a cell, in a TOML file beside its data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.core.errors import DataError
from equipoise.io.toml_file import read_toml
from equipoise.spec.cell_record import CellRecord
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDING = ".cell.toml"


def load_record(
    path: str | Path | None, *, changes: Mapping[str, object] | None = None
) -> CellRecord:
    """Read a record, and replace some of its values.

    Parameters
    ----------
    path
        A TOML file; None to start from nothing.
    changes
        Values that win over the file, such as those of a command line.

    Raises
    ------
    SpecError
        If the file cannot be read, a key is not known or a value is wrong.
    """
    content = {} if path is None else read_toml(Path(path))
    where = "cell record" if path is None else str(path)
    return validated(CellRecord, content | dict(changes or {}), where=where)


def find_record(path: Path) -> CellRecord:
    """The record beside a data file: ``a.mpr`` has ``a.cell.toml``; else an empty one.

    Raises
    ------
    DataError
        If there are two: by the name with and without the ending of the data file.
    SpecError
        If it is wrong.
    """
    found = [p for p in record_paths(path) if p.exists()]
    if len(found) > 1:
        raise DataError(
            f"two records: {found[0].name} and {found[1].name}",
            where=str(path),
            remedy="keep one of them",
        )
    return load_record(found[0]) if found else CellRecord()


def record_paths(path: Path) -> list[Path]:
    """Where the record of a data file may be."""
    stem = path.name
    for ending in (".bdf.csv", ".bdf.parquet", path.suffix):
        if ending and stem.endswith(ending):
            stem = stem.removesuffix(ending)
            break
    names = dict.fromkeys((f"{stem}{ENDING}", f"{path.name}{ENDING}"))
    return [path.with_name(n) for n in names]
