"""Two groups of cells side by side: the question a balancing study asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.analysis.replicates import (
    LifeComparison,
    compare_cycle_life,
    mean_over_replicates,
    paired_comparison,
)
from equipoise.analysis.retention import cycle_life
from equipoise.core.errors import DataError, StoreError
from equipoise.study.measured_cell import load_cell_data

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from equipoise.analysis.replicates import Align
    from equipoise.analysis.retention import CycleLife
    from equipoise.io.store.store import Store
    from equipoise.study.measured_cell import CellData

PER_GRAM = "discharging_capacity_mah_per_g_positive"
PER_CELL = "discharging_capacity_ah"
RETENTION = "capacity_retention"
LEFT_OUT = (".toml", ".json", ".md", ".svg", ".png", ".pdf", ".html", ".py", ".log")
"""Files of a folder that are no data."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Cells of A against cells of B.

    Attributes
    ----------
    quantity
        Capacity that both groups have: per gram if every mass is known.
    differences
        Per cycle, A minus B; see `analysis.replicates.paired_comparison`.
    retention_differences
        The same of the retention; None if a reference cycle is lacking.
    means
        Mean and standard deviation per cycle of each group.
    lives, life
        Life of each cell, A then B, and their comparison; None where it cannot be.
    reasons
        What is missing -> why.
    """

    name_a: str
    name_b: str
    quantity: str
    cells_a: tuple[str, ...]
    cells_b: tuple[str, ...]
    differences: pl.DataFrame
    retention_differences: pl.DataFrame | None
    means: tuple[pl.DataFrame, pl.DataFrame]
    lives: tuple[tuple[CycleLife, ...], tuple[CycleLife, ...]] | None
    life: LifeComparison | None
    reasons: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """Fit for JSON."""
        pair = zip(("a", "b"), self.means, strict=True)
        return {
            "a": {"name": self.name_a, "cells": list(self.cells_a)},
            "b": {"name": self.name_b, "cells": list(self.cells_b)},
            "quantity": self.quantity,
            "differences": self.differences.to_dicts(),
            "retention_differences": None
            if self.retention_differences is None
            else self.retention_differences.to_dicts(),
            "means": {k: table.to_dicts() for k, table in pair},
            "lives": None
            if self.lives is None
            else {
                k: [asdict(x) for x in found]
                for k, found in zip(("a", "b"), self.lives, strict=True)
            },
            "life_comparison": None if self.life is None else asdict(self.life),
            "reasons": dict(self.reasons),
        }


def compare(
    a: Sequence[CellData],
    b: Sequence[CellData],
    *,
    name_a: str = "A",
    name_b: str = "B",
    at: Sequence[int] | None = None,
    align: Align | None = None,
    threshold_retention: float = 0.8,
    consecutive_count: int = 3,
) -> Comparison:
    """Compare two groups of cells over like cycles.

    Parameters
    ----------
    at
        Counts (of `align`) to compare at; None for all that both have.
    align
        As in `analysis.replicates`. By default cycles as many after the reference; if
        a cell has no ageing cycles, complete cycles of any kind with the same number.
    threshold_retention, consecutive_count
        As in `analysis.retention`.

    Raises
    ------
    DataError
        If a group is empty, one cell is in both, or no cycle is common.
    SpecError
        If an argument is not what it may be.
    """
    _check(a, b, name_a, name_b)
    masses = all(d.record.positive_active_mass_mg is not None for d in (*a, *b))
    simulated = all(PER_GRAM in d.cycles.columns for d in (*a, *b))
    quantity = PER_GRAM if masses or simulated else PER_CELL
    groups = (_labelled(a), _labelled(b))
    reasons: dict[str, str] = {}
    aged = all((d.cycles["cycle_kind"] == "ageing").any() for d in (*a, *b))
    if align is None:
        align = "ageing_cycle_count" if aged else "cycle_count"
    kinds = ("ageing",) if aged else None
    if not aged:
        reasons["ageing cycles in every cell"] = "all complete cycles are compared"
    retained = None
    try:
        retained = paired_comparison(
            groups[0], groups[1], RETENTION, at=at, align=align, kinds=kinds
        )
    except DataError as error:
        reasons["retention"] = error.message
    lives = life = None
    try:
        found = [
            tuple(
                cycle_life(
                    d.cycles,
                    threshold_retention=threshold_retention,
                    consecutive_count=consecutive_count,
                )
                for d in group
            )
            for group in (a, b)
        ]
        lives = (found[0], found[1])
        life = compare_cycle_life(found[0], found[1])
    except DataError as error:
        reasons["life"] = error.message
    means = [
        mean_over_replicates(g, quantity, align=align, kinds=kinds) for g in groups
    ]
    return Comparison(
        name_a=name_a,
        name_b=name_b,
        quantity=quantity,
        cells_a=tuple(groups[0]),
        cells_b=tuple(groups[1]),
        differences=paired_comparison(
            groups[0], groups[1], quantity, at=at, align=align, kinds=kinds
        ),
        retention_differences=retained,
        means=(means[0], means[1]),
        lives=lives,
        life=life,
        reasons=reasons,
    )


def cells_of(
    text: str, *, changes: Mapping[str, object] | None = None
) -> list[CellData]:
    """The cells of a folder, or of files with commas between them.

    Raises
    ------
    DataError
        If there is no file, or one cannot be read.
    """
    if Path(text).is_dir():
        files = [
            f
            for f in sorted(Path(text).iterdir())
            if f.is_file() and f.suffix not in LEFT_OUT and not f.name.startswith(".")
        ]
        if not files:
            raise DataError("there is no data file in this folder", where=text)
    else:
        files = [Path(p.strip()) for p in text.split(",") if p.strip()]
    return [load_cell_data(f, changes=changes) for f in files]


def cells_of_group(store: Store, group: str) -> list[CellData]:
    """The cells of a group in a store, else the one of that name or id.

    Raises
    ------
    StoreError
        If there is neither.
    """
    from equipoise.study.campaign import cell_data_from

    cells = store.cells()
    ids = cells.filter(cells["grp"] == group)["cell_id"].to_list()
    if not ids:
        known = sorted(set(cells["grp"].drop_nulls().to_list()))
        try:
            ids = [store.entry(group).id]
        except StoreError:
            raise StoreError(
                f"no group or cell {group!r}; groups: {', '.join(known) or 'none'}",
                where=str(store.folder),
                remedy="groups come from the key 'group' of the cell records",
            ) from None
    return [cell_data_from(store, i) for i in ids]


def _labelled(group: Sequence[CellData]) -> dict[str, pl.DataFrame]:
    """Tables under names that differ."""
    tables: dict[str, pl.DataFrame] = {}
    for data in group:
        name, number = data.name, 2
        while name in tables:
            name, number = f"{data.name} ({number})", number + 1
        tables[name] = data.cycles
    return tables


def _check(
    a: Sequence[CellData], b: Sequence[CellData], name_a: str, name_b: str
) -> None:
    for group, name in ((a, name_a), (b, name_b)):
        if not group:
            raise DataError(f"group {name} has no cell")
    hashes = [d.source_sha256 for d in (*a, *b) if d.source_sha256]
    twice = next((h for h in hashes if hashes.count(h) > 1), None)
    if twice is not None:
        names = [d.source or d.name for d in (*a, *b) if d.source_sha256 == twice]
        raise DataError(
            f"the same data are there {len(names)} times: {', '.join(names)}",
            remedy="a cell counts once; copies are no replicates",
        )
