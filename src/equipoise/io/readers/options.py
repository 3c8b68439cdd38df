"""What a caller may say about a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of a reading.

    Attributes
    ----------
    repairs
        Names from `repairs.REPAIRS`.
    column_map
        A TOML file that says what the columns of a table mean.
    record
        Metadata of the cell: the reference electrode, for one.
    """

    repairs: frozenset[str] = frozenset()
    column_map: Path | None = None
    record: CellRecord = field(default_factory=CellRecord)
