"""Cells of one design as one curve, and two designs against each other.

A number of cells, not of cycles, is what supports a comparison: the cycles of one cell
repeat its own history. With n = 2 per group, as in zhang2026 (Fig. 2c, d), an interval
comes from t with 1 to 2 degrees of freedom, so it is 4.3 to 12.7 standard errors wide
to either side: it excludes zero only for differences far beyond the scatter of cells.
There are no p-values here; looking for the cycle with the largest difference and
reporting that one is no comparison: choose cycles, or a range, beforehand.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.retention import CycleLife, Reference, retention
from equipoise.analysis.statistics import (
    check_confidence,
    comparable_cycles,
    floats,
    hedges_g,
    mean_and_deviation,
    welch,
)
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    import polars as pl

    Cells = (
        Mapping[str, pl.DataFrame]
        | Sequence[pl.DataFrame]
        | Sequence[tuple[CellRecord, pl.DataFrame]]
    )

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Align = Literal["cycle_count", "ageing_cycle_count"]
RETENTION = "capacity_retention"


@dataclass(frozen=True, slots=True)
class LifeComparison:
    """Cycle lives of group A over those of group B; censored lives are bounds.

    Attributes
    ----------
    shortest_a_cycle_count, longest_a_cycle_count
        Range of the lives of A; a censored life reaches from its lower bound to
        infinity. Likewise for B.
    a_cells_count, b_cells_count, a_censored_count, b_censored_count
        Cells of each group, and how many of them did not reach the threshold.
    life_ratio
        Geometric mean of A over that of B; NaN if any life is censored.
    low_life_ratio, high_life_ratio
        Welch interval of the ratio, from logarithms; NaN with one cell in a group or a
        censored life.
    least_life_ratio, greatest_life_ratio
        What the ratio of geometric means can be, given the bounds of censored lives:
        equal to `life_ratio` without any, 0 or infinite where nothing bounds it.
    apart
        Every life of one group is beyond every life of the other.
    chance_of_apart_fraction
        How often that happens to cells of one population: 2 / C(n_a + n_b, n_a), so
        1/3 for n = 2 and 2.
    """

    shortest_a_cycle_count: float
    longest_a_cycle_count: float
    shortest_b_cycle_count: float
    longest_b_cycle_count: float
    a_cells_count: int
    b_cells_count: int
    a_censored_count: int
    b_censored_count: int
    life_ratio: float
    low_life_ratio: float
    high_life_ratio: float
    least_life_ratio: float
    greatest_life_ratio: float
    confidence_fraction: float
    apart: bool
    chance_of_apart_fraction: float


@dataclass(frozen=True, slots=True)
class _Stack:
    """One quantity of several cells on one axis of cycles."""

    count: Counts  # (m,), rising
    values: Array  # (cells, m), NaN where a cell has no like cycle

    @property
    def moments(self) -> tuple[Array, Array, Counts]:
        return mean_and_deviation(self.values)


def mean_over_replicates(
    cells: Cells,
    quantity: str = "discharging_capacity_mah_per_g_positive",
    *,
    align: Align = "cycle_count",
    kinds: Sequence[str] | None = ("ageing",),
    reference: Reference = "auto",
    minimum_cells_count: int = 1,
) -> pl.DataFrame:
    """Mean and standard deviation over the cells of a group, cycle by cycle.

    Parameters
    ----------
    cells
        Cycle tables: a mapping of label to table, a sequence of tables, or of pairs
        of `CellRecord` and table.
    quantity
        Column of the cycle tables, or "capacity_retention", which is computed.
    align
        "cycle_count": cycles of one number belong together. "ageing_cycle_count":
        cycles as many after the reference of their own cell, for cells that were
        numbered differently or had longer formation.
    kinds
        Of `cycle_kind`; None for every complete cycle.
    reference
        As in `retention`; one number holds for all cells.
    minimum_cells_count
        Cycles of fewer cells are left out. Where a cell ends, the mean of those left
        may jump: with as many as there are cells it cannot.

    Returns
    -------
    pl.DataFrame
        The count named in `align`; ``mean_``, ``standard_deviation_`` (n - 1; NaN for
        one cell, which says nothing of the scatter), ``minimum_`` and
        ``maximum_`` + `quantity`; `cells_count`.

    Raises
    ------
    DataError
        If no cell or no cycle is left, two records have one label, or a table is not
        usable, naming the cell.
    SpecError
        If `align` or `minimum_cells_count` is not what it may be.

    Warns
    -----
    EquipoiseWarning
        If the records belong to more than one group.
    """
    import polars as pl  # 0.5 s: only where a table is made

    if minimum_cells_count < 1:
        raise SpecError(f"minimum_cells_count = {minimum_cells_count} is not >= 1")
    stack = _stacked(cells, quantity, align, kinds, reference)
    mean, deviation, n = stack.moments
    enough = n >= minimum_cells_count
    if not enough.any():
        raise DataError(
            f"no cycle has {minimum_cells_count} cells; the most is {n.max()} of "
            f"{stack.values.shape[0]}",
            remedy="align='ageing_cycle_count' if cycles are numbered differently",
        )
    return pl.DataFrame(
        {
            align: stack.count,
            f"mean_{quantity}": mean,
            f"standard_deviation_{quantity}": deviation,
            f"minimum_{quantity}": np.nanmin(stack.values, axis=0),
            f"maximum_{quantity}": np.nanmax(stack.values, axis=0),
            "cells_count": n,
        }
    ).filter(enough)


def paired_comparison(
    a: Cells,
    b: Cells,
    quantity: str = "discharging_capacity_mah_per_g_positive",
    *,
    at: Sequence[int] | None = None,
    between: tuple[int, int] | None = None,
    align: Align = "ageing_cycle_count",
    kinds: Sequence[str] | None = ("ageing",),
    reference: Reference = "auto",
    confidence_fraction: float = 0.95,
) -> pl.DataFrame:
    """Difference of two groups of cells at the same cycles, A minus B.

    Paired by cycle: the cells are different ones, so that the interval is Welch's for
    two independent groups. Intervals of many cycles of the same cells are not
    independent of each other, nor corrected for their number.

    Parameters
    ----------
    a, b
        As `cells` in `mean_over_replicates`.
    quantity, align, kinds, reference
        As in `mean_over_replicates`.
    at
        Counts (of `align`) to compare at; None for all that both groups have.
    between
        First and last count: compares means over the cycles of this range that every
        cell has, one per cell, so that n stays the number of cells. One row.
    confidence_fraction
        Of the interval.

    Returns
    -------
    pl.DataFrame
        `first_cycle_count` and `last_cycle_count` with `between`, else the count named
        in `align`; ``mean_a_``, ``mean_b_``, ``difference_``, ``low_difference_``,
        ``high_difference_`` + `quantity`; `degrees_of_freedom_count` (Welch: between
        the smaller n - 1 and n_a + n_b - 2), `hedges_g_ratio` (difference in pooled
        standard deviations, corrected for small n), `a_cells_count`, `b_cells_count`,
        `basis` (what the interval rests on, in words). Interval and g are NaN where a
        group has one cell or none of them any spread.

    Raises
    ------
    DataError
        If the groups have no cycle in common, or not one asked for; else as in
        `mean_over_replicates`.
    SpecError
        If `at` and `between` are both given, or the confidence is not in [0.5, 1).

    References
    ----------
    Welch, Biometrika 34 (1947) 28; Hedges, J. Educ. Stat. 6 (1981) 107.
    """
    import polars as pl

    check_confidence(confidence_fraction)
    if at is not None and between is not None:
        raise SpecError("give either `at` or `between`, not both")
    groups = [_stacked(g, quantity, align, kinds, reference) for g in (a, b)]
    head: dict[str, Any]
    if between is not None:
        groups, head = _over_range(groups, between)
    else:
        groups = _at_common(groups, at, align)
        head = {align: groups[0].count}
    first, second = (g.moments for g in groups)
    difference, low, high, freedom = welch(
        first, second, confidence_fraction=confidence_fraction
    )
    return pl.DataFrame(
        {
            **head,
            f"mean_a_{quantity}": first[0],
            f"mean_b_{quantity}": second[0],
            f"difference_{quantity}": difference,
            f"low_difference_{quantity}": low,
            f"high_difference_{quantity}": high,
            "degrees_of_freedom_count": freedom,
            "hedges_g_ratio": hedges_g(first, second),
            "a_cells_count": first[2],
            "b_cells_count": second[2],
            "basis": [
                _basis(int(n), int(m), float(f))
                for n, m, f in zip(first[2], second[2], freedom, strict=True)
            ],
        }
    )


def compare_cycle_life(
    a: Sequence[CycleLife],
    b: Sequence[CycleLife],
    *,
    confidence_fraction: float = 0.95,
) -> LifeComparison:
    """Lives of two groups: ranges, ratio of geometric means, and what n allows.

    Parameters
    ----------
    a, b
        One `CycleLife` per cell, all by one threshold and rule.
    confidence_fraction
        Of the interval of the ratio.

    Raises
    ------
    DataError
        If a group is empty, or the lives are of different thresholds or rules.
    SpecError
        If the confidence is not in [0.5, 1).
    """
    check_confidence(confidence_fraction)
    if not a or not b:
        raise DataError("a group without cells has no cycle life to compare")
    rules = {
        (x.threshold_retention, x.consecutive_count, x.interpolated) for x in (*a, *b)
    }
    if len(rules) > 1:
        raise DataError(
            "the lives have different thresholds or rules: "
            + "; ".join(sorted({x.rule for x in (*a, *b)})),
            remedy="compute all of them with the same arguments of cycle_life",
        )
    (low_a, high_a), (low_b, high_b) = _bounds(a), _bounds(b)
    n_a, n_b = len(a), len(b)
    censored = sum(x.censored for x in a), sum(x.censored for x in b)
    ratio = low = high = math.nan
    if not any(censored):
        moments = [
            tuple(float(x[0]) for x in mean_and_deviation(np.log(g)[:, None]))
            for g in (low_a, low_b)
        ]
        found = welch(
            (moments[0][0], moments[0][1], moments[0][2]),
            (moments[1][0], moments[1][1], moments[1][2]),
            confidence_fraction=confidence_fraction,
        )
        ratio, low, high = (float(np.exp(x)) for x in found[:3])
    return LifeComparison(
        shortest_a_cycle_count=float(low_a.min()),
        longest_a_cycle_count=float(high_a.max()),
        shortest_b_cycle_count=float(low_b.min()),
        longest_b_cycle_count=float(high_b.max()),
        a_cells_count=n_a,
        b_cells_count=n_b,
        a_censored_count=censored[0],
        b_censored_count=censored[1],
        life_ratio=ratio,
        low_life_ratio=low,
        high_life_ratio=high,
        least_life_ratio=_ratio(low_a, high_b),
        greatest_life_ratio=_ratio(high_a, low_b),
        confidence_fraction=confidence_fraction,
        apart=bool(low_a.min() > high_b.max() or low_b.min() > high_a.max()),
        chance_of_apart_fraction=2.0 / math.comb(n_a + n_b, n_a),
    )


def _bounds(lives: Sequence[CycleLife]) -> tuple[Array, Array]:
    low = [
        x.lower_bound_cycle_count if x.censored else x.life_cycle_count for x in lives
    ]
    high = [math.inf if x.censored else x.life_cycle_count for x in lives]
    return np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)


def _ratio(above: Array, below: Array) -> float:
    """Ratio of geometric means; 0 or infinite where a bound is."""
    with np.errstate(divide="ignore"):
        over, under = float(np.log(above).mean()), float(np.log(below).mean())
    if over == -math.inf or under == math.inf:
        return 0.0
    return (
        math.inf if over == math.inf or under == -math.inf else math.exp(over - under)
    )


def _basis(n_a: int, n_b: int, degrees_of_freedom: float) -> str:
    """What an interval rests on."""
    cells = f"n = {n_a} and {n_b}"
    if min(n_a, n_b) < 2:
        return f"{cells}: no interval, one cell has no scatter"
    if math.isnan(degrees_of_freedom):
        return f"{cells}: no interval, neither group has any spread"
    return f"{cells}: interval from t with {degrees_of_freedom:.1f} degrees of freedom"


def _labelled(cells: Cells) -> list[tuple[str, pl.DataFrame]]:
    """Label and table of each cell, whichever way they were given."""
    if isinstance(cells, Mapping):
        return list(cells.items())
    found: list[tuple[str, pl.DataFrame]] = []
    groups: set[str] = set()
    for i, cell in enumerate(cells, start=1):
        if not isinstance(cell, tuple):
            found.append((f"cell {i}", cell))
            continue
        record, table = cell
        groups |= {record.group} if record.group else set()
        plain = record.label == CellRecord().label
        label = f"cell {i}" if plain else record.label
        if label in {other for other, _ in found}:
            raise DataError(
                f"two cells are {label!r}; counted twice, one cell looks like two",
                remedy="give name, or group and replicate, in the record of each cell",
            )
        found.append((label, table))
    if len(groups) > 1:
        warnings.warn(
            f"cells of the groups {', '.join(sorted(groups))} are taken as one",
            EquipoiseWarning,
            stacklevel=4,
        )
    return found


def _stacked(
    cells: Cells,
    quantity: str,
    align: Align,
    kinds: Sequence[str] | None,
    reference: Reference,
) -> _Stack:
    """Values of all cells on the union of their cycles."""
    if align not in ("cycle_count", "ageing_cycle_count"):
        raise SpecError(
            f"align = {align!r} is neither 'cycle_count' nor 'ageing_cycle_count'"
        )
    labelled = _labelled(cells)
    if not labelled:
        raise DataError("there is no cell to average")
    series: list[tuple[Counts, Array]] = []
    for label, table in labelled:
        try:
            series.append(_values(table, quantity, align, kinds, reference))
        except DataError as error:
            raise DataError(error.message, where=label, remedy=error.remedy) from error
    count = np.unique(np.concatenate([c for c, _ in series]))
    values = np.full((len(series), count.size), np.nan)
    for row, (own, value) in zip(values, series, strict=True):
        row[np.searchsorted(count, own)] = value
    return _Stack(count, values)


def _values(
    table: pl.DataFrame,
    quantity: str,
    align: Align,
    kinds: Sequence[str] | None,
    reference: Reference,
) -> tuple[Counts, Array]:
    """Counts and values of the like cycles of one cell."""
    needs_reference = align == "ageing_cycle_count" or quantity == RETENTION
    if not needs_reference:
        like = comparable_cycles(table, quantity, kinds=kinds, needed_by="replicates")
        return _integers(like, align), floats(like, quantity)
    kept = retention(table, reference=reference, kinds=kinds)
    if quantity == RETENTION:
        return _integers(kept, align), floats(kept, quantity)
    like = comparable_cycles(table, quantity, kinds=kinds, needed_by="replicates")
    both = kept.join(
        like.select("cycle_count", quantity), on="cycle_count", maintain_order="left"
    )
    return _integers(both, align), floats(both, quantity)


def _integers(table: pl.DataFrame, name: str) -> Counts:
    return table[name].to_numpy().astype(np.int64)


def _at_common(
    groups: Sequence[_Stack], at: Sequence[int] | None, align: Align
) -> list[_Stack]:
    """Both groups at the cycles asked for, or at all that both have."""
    common = np.intersect1d(groups[0].count, groups[1].count)
    if common.size == 0:
        raise DataError(
            f"the groups have no {align} in common: {_range(groups[0].count)} and "
            f"{_range(groups[1].count)}"
        )
    if at is not None:
        wanted = np.asarray(at, dtype=np.int64)
        missing = wanted[~np.isin(wanted, common)]
        if wanted.size == 0 or missing.size:
            which = f"{align} {missing[0]}" if missing.size else f"any {align}"
            raise DataError(
                f"not both groups have {which}; common: {_range(common)}",
                remedy="give counts of like cycles that both groups have",
            )
        common = wanted
    return [
        _Stack(common, g.values[:, np.searchsorted(g.count, common)]) for g in groups
    ]


def _over_range(
    groups: Sequence[_Stack], between: tuple[int, int]
) -> tuple[list[_Stack], dict[str, Any]]:
    """Mean of each cell over the cycles of a range that every cell has."""
    everywhere = [g.count[np.isfinite(g.values).all(axis=0)] for g in groups]
    common = np.intersect1d(everywhere[0], everywhere[1])
    common = common[(common >= between[0]) & (common <= between[1])]
    if common.size == 0:
        raise DataError(
            f"no cycle from {between[0]} to {between[1]} is there in every cell",
            remedy="give a range within the shortest test",
        )
    means = [
        g.values[:, np.searchsorted(g.count, common)].mean(axis=1, keepdims=True)
        for g in groups
    ]
    head = {
        "first_cycle_count": common[:1],
        "last_cycle_count": common[-1:],
        "cycles_count": np.array([common.size]),
    }
    return [_Stack(common[:1], m) for m in means], head


def _range(count: Counts) -> str:
    return f"{count[0]} to {count[-1]}"
