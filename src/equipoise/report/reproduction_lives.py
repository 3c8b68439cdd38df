"""Lives of many draws as one table: medians, and the members behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from equipoise.study.zhang2026.predict import Prediction

CYCLE, AGEING, SETTLED = "cycle_count", "is_ageing_cycle", "is_settled"
EVERY_UP_TO, POINTS_COUNT = 150, 120
"""Cycles of the ageing kind up to which each is a point; then evenly spread."""


def tables_of(
    predictions: Sequence[Prediction], case: str, *, all_alike: bool = False
) -> list[pl.DataFrame]:
    """`Life.cycles` of a case in every draw.

    The first cycle after one of another rate charges and discharges at states that do
    not belong together: but for the reference cycle it is of another kind here.

    Parameters
    ----------
    all_alike
        Take all cycles as of the ageing kind, whatever their rates.
    """
    import polars as pl

    tables = [p.lives[case].cycles for p in predictions if case in p.lives]
    if all_alike:
        alike = pl.lit(value=True).alias(AGEING)
        return [t.with_columns(alike) for t in tables]
    return [_without_changes(t) for t in tables]


def _without_changes(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    others = table.filter(~pl.col(AGEING))[CYCLE]
    first = table.filter(pl.col(AGEING))[CYCLE].min()
    changed = (pl.col(CYCLE) - 1).is_in(others.implode()) & (pl.col(CYCLE) != first)
    return table.with_columns((pl.col(AGEING) & ~changed).alias(AGEING))


def median_life(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Medians of every column over the draws, cycle by cycle.

    Cycles of the ageing kind are interpolated where a draw jumped over them, as far as
    all draws have run; of other cycles those that every draw has solved are kept.

    Raises
    ------
    DataError
        If there is no table, or the draws have no cycle in common.
    """
    import polars as pl

    settled = [t.filter(t[SETTLED]) for t in tables]
    ageing = [t.filter(t[AGEING]) for t in settled]
    rest = [t.filter(~t[AGEING]) for t in settled]
    if not ageing or not all(t.height for t in ageing):
        raise DataError("no draw has a cycle of the test", where="median_life")
    first = max(int(t[CYCLE][0]) for t in ageing)
    last = min(int(t[CYCLE][-1]) for t in ageing)
    if last < first:
        raise DataError("the draws have no cycle in common", where="median_life")
    parts = [_at(ageing, _grid(first, last, ageing))]
    shared = set.intersection(*(set(t[CYCLE].to_list()) for t in rest))
    if shared:
        parts.insert(0, _at(rest, np.array(sorted(shared), dtype=np.int64)))
    flagged = [
        part.with_columns(
            pl.lit(value=part is parts[-1]).alias(AGEING),
            pl.lit(value=True).alias(SETTLED),
        )
        for part in parts
    ]
    return pl.concat(flagged).sort(CYCLE)


def _grid(first: int, last: int, ageing: Sequence[pl.DataFrame]) -> np.ndarray:
    """Cycles to show: never one of another kind between two of the ageing kind."""
    known = sorted({int(c) for t in ageing for c in t[CYCLE].to_list()})
    inside = [c for c in known if first <= c <= last]
    if last - first <= EVERY_UP_TO or len(inside) <= POINTS_COUNT:
        return np.array(inside, dtype=np.int64)
    at = np.unique(np.round(np.linspace(0, len(inside) - 1, POINTS_COUNT)).astype(int))
    return np.array(inside, dtype=np.int64)[at]


def _at(tables: Sequence[pl.DataFrame], cycles: np.ndarray) -> pl.DataFrame:
    """Medians of all numbers at some cycles."""
    import polars as pl

    columns = [c for c, kind in tables[0].schema.items() if kind.is_float()]
    found: dict[str, np.ndarray] = {CYCLE: cycles}
    for name in columns:
        stacked = [
            np.interp(cycles, t[CYCLE].to_numpy(), t[name].to_numpy()) for t in tables
        ]
        found[name] = np.median(stacked, axis=0)
    return pl.DataFrame(found)
