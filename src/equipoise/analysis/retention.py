"""Capacity retention, cycle life, fade rate and efficiency of a cell.

All of it over *like* cycles: complete cycles of the kinds asked for. Mixed with rate
steps, check-ups and pulses such numbers mean nothing. Where ageing cycles end by charge
or time instead of voltage, their capacity is the protocol's, not the cell's: ask for
the check-ups (``kinds=("check-up",)``).

Three ways to count a cycle:

- `cycle_count`: as the cycler numbered it, from the start of the test;
- `ageing_cycle_count`: that minus the number of the reference cycle, so 0 at the
  reference. Check-ups, incomplete cycles and cycles missing from the table since then
  count too: the cell has made them;
- in print often the ordinal, 1 at the reference: `ageing_cycle_count` + 1.

The reference is the first cycle after the rate block: in zhang2026 (sec. 2.4, Fig. 5)
111 mAh/g after 718 cycles are "~69 %" of 161, the first capacity of the cycling at 1C,
not of the 160 mAh/g at 1C or 203 at 0.1C in the rate test before it.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.statistics import (
    capacity_column,
    comparable_cycles,
    floats,
    require_columns,
    theil_sen,
)
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

Array = NDArray[np.float64]
Reference = int | Literal["auto"]

PREPARATION = ("formation", "rate step")
"""Kinds of cycles after which the reference cycle comes."""
OTHER_CURRENT = 0.2
"""Relative; a capacity at a current that differs by more is not comparable."""


@dataclass(frozen=True, slots=True)
class CycleLife:
    """When the retention of a cell fell below a threshold, or that it did not.

    Counts are cycles since the reference cycle (0 there), unless named absolute. The
    end of a simulated life, `sim.life.life.EndOfLife`, counts the reference as 1 and is
    one more for the same cell.

    Attributes
    ----------
    life_cycle_count
        NaN if `censored`.
    absolute_life_cycle_count
        The same in the numbers of the cycler.
    censored
        The threshold was not crossed, or too few cycles at the end confirm it.
    lower_bound_cycle_count, upper_bound_cycle_count
        Last like cycle at or above the threshold before the crossing, first one
        below; if censored the last one at or above of all, and infinity.
    earliest_life_cycle_count, latest_life_cycle_count
        Life for a threshold moved up and down by the uncertainty of the retention;
        the latest is infinity if that threshold was not reached.
    last_cycle_count
        Last like cycle of the table.
    unconfirmed_count
        Like cycles below the threshold at the end, fewer than `consecutive_count`.
    recovers
        Whether a like cycle after the crossing is at or above the threshold again.
    reference_capacity_ah, reference_capacity_mah_per_g_positive
        100 %; NaN where the table does not have it.
    quantity
        Column the retention is of.
    """

    life_cycle_count: float
    absolute_life_cycle_count: float
    censored: bool
    lower_bound_cycle_count: float
    upper_bound_cycle_count: float
    earliest_life_cycle_count: float
    latest_life_cycle_count: float
    last_cycle_count: int
    unconfirmed_count: int
    recovers: bool
    reference_cycle_count: int
    reference_capacity_ah: float
    reference_capacity_mah_per_g_positive: float
    threshold_retention: float
    consecutive_count: int
    interpolated: bool
    quantity: str

    @property
    def rule(self) -> str:
        """How the life was determined, in words."""
        how = "interpolated to" if self.interpolated else "counted to"
        return (
            f"cycles since cycle {self.reference_cycle_count}, {how} the first of "
            f"{self.consecutive_count} successive like cycles with less than "
            f"{100 * self.threshold_retention:g} % of its {self.quantity}"
        )


@dataclass(frozen=True, slots=True)
class FadeRate:
    """Median loss of capacity per cycle; > 0 where capacity is lost.

    In percent of the reference capacity. The interval takes the residuals of
    successive cycles for independent, so the true one is wider.
    """

    fade_per_cycle_percent: float
    low_fade_per_cycle_percent: float
    high_fade_per_cycle_percent: float
    confidence_fraction: float
    cycles_count: int
    first_ageing_cycle_count: int
    last_ageing_cycle_count: int


@dataclass(frozen=True, slots=True)
class EfficiencyStatistics:
    """Coulombic efficiency of like cycles from the reference cycle on.

    The standard deviation (n - 1) is that of cycles of one cell, not of cells; NaN for
    a single cycle.
    """

    median_coulombic_efficiency: float
    mean_coulombic_efficiency: float
    standard_deviation_coulombic_efficiency: float
    minimum_coulombic_efficiency: float
    maximum_coulombic_efficiency: float
    cycles_count: int


@dataclass(frozen=True, slots=True)
class _Series:
    """Like cycles from the reference on, and the reference."""

    table: pl.DataFrame
    quantity: str
    reference_cycle_count: int
    capacity_retention: Array

    @property
    def ageing_cycle_count(self) -> NDArray[np.int64]:
        return self.table["cycle_count"].to_numpy() - self.reference_cycle_count


def retention(
    cycles: pl.DataFrame,
    *,
    reference: Reference = "auto",
    quantity: str = "auto",
    kinds: Sequence[str] | None = ("ageing",),
) -> pl.DataFrame:
    """Capacity of like cycles relative to that of the reference cycle.

    Parameters
    ----------
    cycles
        Cycle table.
    reference
        Number of the cycle that is 100 %. "auto": the first like cycle after the last
        formation or rate step that is followed by like cycles (the paper's); with
        `kinds=None` the first complete cycle.
    quantity
        A capacity column. "auto": discharging, per gram if the table has it; the
        retention is the same in any unit.
    kinds
        Kinds of cycles that are compared; None for all complete ones.

    Returns
    -------
    pl.DataFrame
        `cycle_count`, `ageing_cycle_count` (cycles since the reference), and
        `capacity_retention`, which may exceed 1; like cycles from the reference on.

    Raises
    ------
    DataError
        If a column is missing, no like cycle is there, a cycle is there twice, or the
        capacity of the reference is missing or not > 0.
    SpecError
        If `quantity` is not a capacity.

    Warns
    -----
    EquipoiseWarning
        If like cycles come before the reference found, if it is of another kind, or
        if discharge currents differ by more than 20 % from that of the reference.
    """
    import polars as pl

    series = _series(cycles, reference, quantity, kinds, "retention")
    return pl.DataFrame(
        {
            "cycle_count": series.table["cycle_count"].cast(pl.Int64),
            "ageing_cycle_count": series.ageing_cycle_count.astype(np.int64),
            "capacity_retention": series.capacity_retention,
        }
    )


def cycle_life(
    cycles: pl.DataFrame,
    *,
    threshold_retention: float = 0.8,
    reference: Reference = "auto",
    quantity: str = "auto",
    consecutive_count: int = 3,
    interpolate: bool = True,
    uncertainty_retention: float = 0.0,
    kinds: Sequence[str] | None = ("ageing",),
) -> CycleLife:
    """Cycles until the retention falls below a threshold and stays there.

    The crossing is between a like cycle at or above the threshold and the first of
    `consecutive_count` like cycles in a row below it, so that one outlier, or the dip
    before a check-up lets the cell recover, is not the end of life. Later recovery
    does not undo it, see `CycleLife.recovers`.

    Parameters
    ----------
    cycles, reference, quantity, kinds
        As in `retention`.
    threshold_retention
        Between 0 and 1.
    consecutive_count
        Like cycles in a row, of those in the table; 1 takes the first crossing.
    interpolate
        On a line between the two cycles; otherwise the life is the first cycle below.
    uncertainty_retention
        Of a retention, such as 0.005; it gives the earliest and latest life.

    Returns
    -------
    CycleLife

    Raises
    ------
    SpecError
        If the threshold is not between 0 and 1, or another argument is out of range.
    DataError
        As in `retention`.
    """
    _check_life(threshold_retention, consecutive_count, uncertainty_retention)
    series = _series(cycles, reference, quantity, kinds, "cycle_life")
    count = series.ageing_cycle_count.astype(np.float64)
    ratio = series.capacity_retention
    if count[0] > 0.0:  # the reference is no like cycle, but it is where life begins
        count, ratio = np.append(0.0, count), np.append(1.0, ratio)

    def crossing(threshold: float) -> tuple[float, int]:
        at = _first_run(ratio < threshold, consecutive_count)
        if at < 0:
            return math.inf, -1
        if not interpolate:
            return float(count[at]), at
        share = (ratio[at - 1] - threshold) / (ratio[at - 1] - ratio[at])
        return float(count[at - 1] + share * (count[at] - count[at - 1])), at

    life, at = crossing(threshold_retention)
    # No threshold above 1: the reference itself would be beyond its end of life.
    earliest, _ = crossing(min(threshold_retention + uncertainty_retention, 1.0))
    latest, _ = crossing(threshold_retention - uncertainty_retention)
    if at < 0:
        _warn_of_a_dead_end(cycles, series, threshold_retention, consecutive_count)
    held = np.flatnonzero(ratio >= threshold_retention)
    capacity = _reference_capacities(cycles, series)
    life = math.nan if at < 0 else life
    return CycleLife(
        life_cycle_count=life,
        absolute_life_cycle_count=life + series.reference_cycle_count,
        censored=at < 0,
        lower_bound_cycle_count=float(count[held[-1] if at < 0 else at - 1]),
        upper_bound_cycle_count=math.inf if at < 0 else float(count[at]),
        earliest_life_cycle_count=earliest,
        latest_life_cycle_count=latest,
        last_cycle_count=int(count[-1]),
        unconfirmed_count=int(count.size - 1 - held[-1]) if at < 0 else 0,
        recovers=bool(at >= 0 and held[-1] > at),
        reference_cycle_count=series.reference_cycle_count,
        reference_capacity_ah=capacity[0],
        reference_capacity_mah_per_g_positive=capacity[1],
        threshold_retention=threshold_retention,
        consecutive_count=consecutive_count,
        interpolated=interpolate,
        quantity=series.quantity,
    )


def _warn_of_a_dead_end(
    cycles: pl.DataFrame, series: _Series, threshold: float, consecutive_count: int
) -> None:
    """Cycles of another kind at the end may be those of a cell that died."""
    import polars as pl

    last = int(series.table["cycle_count"][-1])
    reference = cycles.filter(pl.col("cycle_count") == series.reference_cycle_count)
    after = cycles.filter(pl.col("cycle_count") > last)[series.quantity]
    low = after.fill_nan(0.0).fill_null(0.0) < threshold * reference[series.quantity][0]
    if low.len() >= consecutive_count and low.all():
        warnings.warn(
            f"after cycle {last} come {low.len()} cycles with less than "
            f"{100 * threshold:g} % of the reference, none of them a like cycle: if "
            "the cell failed there, its life ends there and is not censored",
            EquipoiseWarning,
            stacklevel=3,
        )


def fade_rate(
    cycles: pl.DataFrame,
    *,
    reference: Reference = "auto",
    quantity: str = "auto",
    kinds: Sequence[str] | None = ("ageing",),
    between: tuple[int, int] | None = None,
    confidence_fraction: float = 0.95,
) -> FadeRate:
    """Loss per cycle as the median slope (Theil-Sen) of the retention of like cycles.

    Parameters
    ----------
    cycles, reference, quantity, kinds
        As in `retention`.
    between
        First and last `ageing_cycle_count` to use, both included; None for all. Fade
        is seldom linear: give the stretch that is.
    confidence_fraction
        Of the interval.

    Raises
    ------
    DataError
        If fewer than three cycles are left, or as in `retention`.
    SpecError
        If the confidence is not in [0.5, 1).
    """
    series = _series(cycles, reference, quantity, kinds, "fade_rate")
    count, ratio = series.ageing_cycle_count, series.capacity_retention
    if between is not None:
        inside = (count >= between[0]) & (count <= between[1])
        count, ratio = count[inside], ratio[inside]
    if count.size < 3:
        asked = "" if between is None else f" between {between[0]} and {between[1]}"
        raise DataError(
            f"fade_rate needs three like cycles; found {count.size}{asked} of "
            f"{series.ageing_cycle_count.size} since the reference"
        )
    slope, low, high = theil_sen(
        count.astype(np.float64), ratio, confidence_fraction=confidence_fraction
    )
    return FadeRate(
        fade_per_cycle_percent=-100.0 * slope,
        low_fade_per_cycle_percent=-100.0 * high,
        high_fade_per_cycle_percent=-100.0 * low,
        confidence_fraction=confidence_fraction,
        cycles_count=int(count.size),
        first_ageing_cycle_count=int(count[0]),
        last_ageing_cycle_count=int(count[-1]),
    )


def efficiency_statistics(
    cycles: pl.DataFrame,
    *,
    reference: Reference = "auto",
    kinds: Sequence[str] | None = ("ageing",),
) -> EfficiencyStatistics:
    """Coulombic efficiency over like cycles, from the reference cycle on.

    Which capacity is divided by which is that of the table (`CellRecord.efficiency`).

    Raises
    ------
    DataError
        If no like cycle has an efficiency, or as in `retention`.
    """
    require_columns(cycles, ["coulombic_efficiency"], "efficiency_statistics")
    series = _series(cycles, reference, "auto", kinds, "efficiency_statistics")
    values = floats(series.table, "coulombic_efficiency")
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise DataError("no like cycle has a finite coulombic_efficiency")
    return EfficiencyStatistics(
        median_coulombic_efficiency=float(np.median(values)),
        mean_coulombic_efficiency=float(np.mean(values)),
        standard_deviation_coulombic_efficiency=(
            float(np.std(values, ddof=1)) if values.size > 1 else math.nan
        ),
        minimum_coulombic_efficiency=float(values.min()),
        maximum_coulombic_efficiency=float(values.max()),
        cycles_count=int(values.size),
    )


def _check_life(threshold: float, consecutive: int, uncertainty: float) -> None:
    if not 0.0 < threshold < 1.0:
        raise SpecError(
            f"threshold_retention = {threshold:g} is not between 0 and 1",
            remedy="0.8 is 80 %",
        )
    if consecutive < 1:
        raise SpecError(f"consecutive_count = {consecutive} is not >= 1")
    if not 0.0 <= uncertainty < threshold:
        raise SpecError(
            f"uncertainty_retention = {uncertainty:g} is not in [0, {threshold:g})",
            remedy="0.005 is half a percent of the reference capacity",
        )


def _series(
    cycles: pl.DataFrame,
    reference: Reference,
    quantity: str,
    kinds: Sequence[str] | None,
    needed_by: str,
) -> _Series:
    quantity = capacity_column(cycles, quantity)
    like = comparable_cycles(cycles, quantity, kinds=kinds, needed_by=needed_by)
    capacities = floats(like, quantity)
    if (capacities < 0.0).any():
        at = int(like["cycle_count"][int(np.argmin(capacities))])
        raise DataError(f"{quantity} = {capacities.min():g} < 0 in cycle {at}")
    if reference == "auto":
        number = _auto_reference(cycles, like, kinds)
    else:
        number = _given_reference(cycles, like, reference)
    row = cycles.filter(cycles["cycle_count"] == number).row(0, named=True)
    value = row[quantity]
    if value is None or not (math.isfinite(value) and value > 0.0):
        raise DataError(
            f"{quantity} of the reference cycle {number} is {value}; it must be > 0",
            remedy="give another cycle as reference",
        )
    table = like.filter(like["cycle_count"] >= number)
    if table.height == 0:
        raise DataError(
            f"no like cycle comes after the reference cycle {number}",
            remedy="give an earlier reference, or other kinds",
        )
    _warn_unlike(row, like, number)
    _warn_other_currents(table, row)
    return _Series(table, quantity, number, floats(table, quantity) / float(value))


def _auto_reference(
    cycles: pl.DataFrame, like: pl.DataFrame, kinds: Sequence[str] | None
) -> int:
    """First like cycle after the last preparation that like cycles follow."""
    count = like["cycle_count"].to_numpy()
    if kinds is None:
        return int(count[0])
    asked = (kinds,) if isinstance(kinds, str) else kinds
    before = [k for k in PREPARATION if k not in asked]
    prepared = cycles.filter(cycles["cycle_kind"].is_in(before).fill_null(value=False))
    ends = prepared["cycle_count"].to_numpy()
    ends = ends[ends < count[-1]]  # a rate test at the end of life prepares nothing
    if ends.size == 0:
        return int(count[0])
    first = int(count[count > ends.max()][0])
    skipped = int((count < first).sum())
    if skipped:
        warnings.warn(
            f"the reference is cycle {first}, the first after the rate block that ends "
            f"with cycle {int(ends.max())}; {skipped} like cycles come before it: give "
            f"reference={int(count[0])} to count from the first of them",
            EquipoiseWarning,
            stacklevel=4,
        )
    return first


def _given_reference(cycles: pl.DataFrame, like: pl.DataFrame, reference: int) -> int:
    """Return the cycle asked for, if it is there and complete."""
    if isinstance(reference, str):
        raise SpecError(
            f"reference = {reference!r} is neither 'auto' nor the number of a cycle"
        )
    numbers = cycles["cycle_count"]
    rows = cycles.filter(numbers == reference)
    if rows.height == 0:
        raise DataError(
            f"the reference cycle {reference} is not in the table "
            f"(cycles {numbers.min()} to {numbers.max()})"
        )
    if not rows["complete"][0]:
        raise DataError(
            f"the reference cycle {reference} is not complete",
            remedy=f"the first like cycle is {like['cycle_count'][0]}",
        )
    return int(reference)


def _warn_unlike(row: dict[str, object], like: pl.DataFrame, number: int) -> None:
    """A given reference may be of any kind, but then it is seldom what was meant."""
    kind = row.get("cycle_kind")
    if kind is not None and number not in like["cycle_count"]:
        warnings.warn(
            f"the reference cycle {number} is a {kind!r} cycle, unlike those compared "
            "with it",
            EquipoiseWarning,
            stacklevel=4,
        )


def _warn_other_currents(table: pl.DataFrame, reference: dict[str, object]) -> None:
    """Capacities at different currents do not measure the same loss."""
    name = "discharge_current_ampere"
    own = reference.get(name)
    if not isinstance(own, float) or not (math.isfinite(own) and own > 0.0):
        return
    current = floats(table, name)
    with np.errstate(invalid="ignore"):
        other = np.abs(current / own - 1.0) > OTHER_CURRENT
    if other.any():
        first = int(table["cycle_count"][int(np.argmax(other))])
        warnings.warn(
            f"{int(other.sum())} of {table.height} cycles, the first is {first}, "
            f"discharge at a current more than {OTHER_CURRENT:.0%} off that of the "
            f"reference ({own:.3g} A): their retention is not loss alone",
            EquipoiseWarning,
            stacklevel=4,
        )


def _first_run(below: NDArray[np.bool_], length: int) -> int:
    """Where the first `length` True in a row begin, -1 if nowhere."""
    if below.size < length:
        return -1
    inside = np.convolve(below, np.ones(length, dtype=np.int64), mode="valid")
    runs = np.flatnonzero(inside == length)
    return int(runs[0]) if runs.size else -1


def _reference_capacities(cycles: pl.DataFrame, series: _Series) -> tuple[float, float]:
    direction = series.quantity.partition("_")[0]
    number = series.reference_cycle_count
    row = cycles.filter(cycles["cycle_count"] == number)
    names = [f"{direction}_capacity_{u}" for u in ("ah", "mah_per_g_positive")]
    found = [floats(row, n)[0] if n in row.columns else math.nan for n in names]
    return float(found[0]), float(found[1])
