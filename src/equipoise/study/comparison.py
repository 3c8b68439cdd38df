"""Two groups of cells side by side: the question a balancing study asks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from equipoise.analysis.replicates import (
    LifeComparison,
    compare_cycle_life,
    mean_over_replicates,
    paired_comparison,
)
from equipoise.analysis.retention import cycle_life
from equipoise.core.errors import DataError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
    per_gram = all(PER_GRAM in d.cycles.columns for d in (*a, *b))
    quantity = PER_GRAM if per_gram else PER_CELL
    groups = (_labelled(a), _labelled(b))
    reasons: dict[str, str] = {}
    aged = all((d.cycles["cycle_kind"] == "ageing").any() for d in (*a, *b))
    alike = _Alike(
        align or ("ageing_cycle_count" if aged else "cycle_count"),
        ("ageing",) if aged else None,
        at,
    )
    retained = lives = life = None
    if not aged:
        reasons["ageing cycles in every cell"] = "all complete cycles are compared"
    else:
        retained, lives, life = _of_ageing(
            (a, b), groups, alike, threshold_retention, consecutive_count, reasons
        )
    means = [
        mean_over_replicates(g, quantity, align=alike.align, kinds=alike.kinds)
        for g in groups
    ]
    return Comparison(
        name_a=name_a,
        name_b=name_b,
        quantity=quantity,
        cells_a=tuple(groups[0]),
        cells_b=tuple(groups[1]),
        differences=_differences(groups, quantity, alike),
        retention_differences=retained,
        means=(means[0], means[1]),
        lives=lives,
        life=life,
        reasons=reasons,
    )


class _Alike(NamedTuple):
    """Which cycles are compared with which."""

    align: Align
    kinds: tuple[str, ...] | None
    at: Sequence[int] | None


Tables = tuple["dict[str, pl.DataFrame]", "dict[str, pl.DataFrame]"]
Lives = tuple[tuple["CycleLife", ...], tuple["CycleLife", ...]]


def _differences(groups: Tables, quantity: str, alike: _Alike) -> pl.DataFrame:
    return paired_comparison(
        groups[0],
        groups[1],
        quantity,
        at=alike.at,
        align=alike.align,
        kinds=alike.kinds,
    )


def _of_ageing(
    cells: tuple[Sequence[CellData], Sequence[CellData]],
    groups: Tables,
    alike: _Alike,
    threshold_retention: float,
    consecutive_count: int,
    reasons: dict[str, str],
) -> tuple[pl.DataFrame | None, Lives | None, LifeComparison | None]:
    """Retention and life, as far as every cell allows them."""
    retained = lives = life = None
    try:
        retained = _differences(groups, RETENTION, alike)
    except DataError as error:
        reasons["retention"] = error.message

    def lives_of(group: Sequence[CellData]) -> tuple[CycleLife, ...]:
        return tuple(
            cycle_life(
                d.cycles,
                threshold_retention=threshold_retention,
                consecutive_count=consecutive_count,
            )
            for d in group
        )

    try:
        lives = (lives_of(cells[0]), lives_of(cells[1]))
        life = compare_cycle_life(lives[0], lives[1])
    except DataError as error:
        reasons["life"] = error.message
    return retained, lives, life


def cells_of(text: str, load: Callable[[Path], CellData]) -> list[CellData]:
    """The cells of a folder, or of files with commas between them.

    Parameters
    ----------
    load
        How to read one, such as `load_cell_data`.

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
        whole = Path(text)  # a name may hold commas
        parts = [p.strip() for p in text.split(",") if p.strip()]
        files = [whole] if whole.is_file() else [Path(p) for p in parts]
    return [load(f) for f in files]


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
