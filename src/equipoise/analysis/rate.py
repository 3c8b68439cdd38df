"""Rate capability: capacity per block of cycles at one current, and its recovery.

zhang2026 shows "normalized discharge capacities from rate-performance testing" (Fig.
4f) that are "nearly identical" for LB and HB, and does not print what they are
normalised by. Relative to 0.1C the printed capacities differ by several percent (1C:
164/204 = 0.80 for HB, 147/199 = 0.74 for LB). So nothing is assumed of the figure: the
default is the first block, and `normalise_to` takes any other rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.statistics import (
    capacity_column,
    comparable_cycles,
    floats,
)
from equipoise.core.errors import DataError, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Use = Literal["last", "mean"]

CURRENTS = ("charge_current_ampere", "discharge_current_ampere")
C_RATES = ("charge_c_rate", "discharge_c_rate")
AVERAGED = (
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_capacity_mah_per_g_positive",
    "discharging_capacity_mah_per_g_positive",
    "coulombic_efficiency",
    "energy_efficiency",
    "mean_charging_voltage_volt",
    "mean_discharging_voltage_volt",
)
"""Columns of a cycle table that a block carries on, if they are there."""
SAME_RATE = 0.15
"""Relative; rates of a test are a factor of 1.5 or more apart, and with a hold at
constant voltage the mean current drifts by a few percent from cycle to cycle."""


@dataclass(frozen=True, slots=True)
class RateRecovery:
    """Capacity of the last block at the rate of the first, relative to the first.

    Attributes
    ----------
    recovery_retention
        1 where all of the capacity comes back after the high rates.
    first_block_index, last_block_index
        As in the rate table, from 1.
    cycles_between_count
        From the cycle used of the first block to that of the last.
    """

    recovery_retention: float
    first_block_index: int
    last_block_index: int
    cycles_between_count: int


def rate_table(
    cycles: pl.DataFrame,
    *,
    normalise_to: float | None = None,
    use: Use = "last",
    quantity: str = "auto",
    kinds: Sequence[str] | None = ("rate step",),
    same_rate_ratio: float = SAME_RATE,
) -> pl.DataFrame:
    """Capacity, voltages and polarisation of each block of cycles at one rate.

    A block is a run of successive complete cycles of the kinds asked for whose
    currents, of charge and of discharge, stay within `same_rate_ratio` of those of the
    cycle before. A complete cycle of another kind ends it, an incomplete one does not.

    Parameters
    ----------
    cycles
        Cycle table.
    normalise_to
        C-rate of discharge of the block that is 100 %, the first one if there are
        several; None for the first block of all.
    use
        "last" takes the last complete cycle of a block, in which the cell is closest
        to a steady state; "mean" averages all complete ones.
    quantity
        Capacity column of `capacity_retention`, as in `retention`.
    kinds
        Of `cycle_kind`; None for every complete cycle. If the first block was
        classified as formation: ``("formation", "rate step")``.
    same_rate_ratio
        Relative change of the current that begins a new block.

    Returns
    -------
    pl.DataFrame
        One row per block: `block_index` (from 1), `charge_c_rate` and
        `discharge_c_rate` (NaN if the current of 1C is not known), currents,
        `first_cycle_count`, `last_cycle_count`, `cycles_count` (complete ones of the
        block), `first_used_cycle_count`, `last_used_cycle_count`, capacities,
        `capacity_retention`, efficiencies and mean voltages as far as the cycle table
        has them, and `polarisation_volt`: mean voltage of charge minus discharge.

    Raises
    ------
    DataError
        If a column is missing, no cycle is left, or the capacity that is 100 % is not
        > 0; if `normalise_to` is not among the rates, or these are not known.
    SpecError
        If an argument is not what it may be.
    """
    import polars as pl  # 0.5 s: only where a table is made

    _check(use, same_rate_ratio)
    quantity = capacity_column(cycles, quantity)
    chosen = comparable_cycles(cycles, quantity, kinds=kinds, needed_by="rate_table")
    starts = _starts(cycles, chosen, same_rate_ratio)
    stops = np.append(starts[1:], chosen.height)
    number = chosen["cycle_count"].to_numpy()
    begin = starts if use == "mean" else stops - 1
    columns: dict[str, NDArray[np.float64] | NDArray[np.int64]] = {
        "block_index": np.arange(1, starts.size + 1),
        **{name: _of_blocks(chosen, name, begin, stops) for name in C_RATES + CURRENTS},
        "first_cycle_count": number[starts].astype(np.int64),
        "last_cycle_count": number[stops - 1].astype(np.int64),
        "cycles_count": stops - starts,
        "first_used_cycle_count": number[begin].astype(np.int64),
        "last_used_cycle_count": number[stops - 1].astype(np.int64),
    }
    there = [c for c in AVERAGED if c in chosen.columns]
    columns |= {name: _of_blocks(chosen, name, begin, stops) for name in there}
    capacity = _of_blocks(chosen, quantity, begin, stops)
    columns["capacity_retention"] = capacity / _hundred_percent(
        capacity,
        _of_blocks(chosen, C_RATES[1], begin, stops),
        normalise_to,
        same_rate_ratio,
    )
    columns["polarisation_volt"] = _of_blocks(
        chosen, "mean_charging_voltage_volt", begin, stops
    ) - _of_blocks(chosen, "mean_discharging_voltage_volt", begin, stops)
    return pl.DataFrame(columns)


def rate_recovery(
    rates: pl.DataFrame, *, same_rate_ratio: float = SAME_RATE
) -> RateRecovery:
    """How much of the first block's capacity the last block at its rate gives.

    Of a test in two rounds that is the block which begins the second one. What is
    missing is what the test cost the cell, not what the rate does.

    Parameters
    ----------
    rates
        From `rate_table`.
    same_rate_ratio
        Relative difference of the currents that still is the same rate.

    Raises
    ------
    DataError
        If the test never comes back to the rate it began with.
    """
    _check("last", same_rate_ratio)
    alike = np.ones(rates.height, dtype=np.bool_)
    for name in CURRENTS:
        current = floats(rates, name)
        alike &= _near(current, current[0], same_rate_ratio)
    back = np.flatnonzero(alike)
    if back.size == 0 or back[-1] == 0:
        known = C_RATES[1] if np.isfinite(floats(rates, C_RATES[1])).all() else None
        found = ", ".join(f"{x:.3g}" for x in floats(rates, known or CURRENTS[1]))
        raise DataError(
            "the rate test does not come back to its first rate; "
            f"blocks at {known or CURRENTS[1]} = {found}",
            remedy="take the kind of the later cycles too, such as "
            "rate_table(..., kinds=('rate step', 'ageing'))",
        )
    at = int(back[-1])
    used = rates["last_used_cycle_count"]
    retained = floats(rates, "capacity_retention")
    return RateRecovery(
        recovery_retention=float(retained[at] / retained[0]),
        first_block_index=int(rates["block_index"][0]),
        last_block_index=int(rates["block_index"][at]),
        cycles_between_count=int(used[at] - used[0]),
    )


def _check(use: str, same_rate_ratio: float) -> None:
    if use not in ("last", "mean"):
        raise SpecError(f"use = {use!r} is neither 'last' nor 'mean'")
    if not 0.0 < same_rate_ratio < 1.0:
        raise SpecError(
            f"same_rate_ratio = {same_rate_ratio:g} is not between 0 and 1",
            remedy="0.15 is 15 %",
        )


def _starts(
    cycles: pl.DataFrame, chosen: pl.DataFrame, same_rate_ratio: float
) -> NDArray[np.int64]:
    """First row of each block."""
    new = np.zeros(chosen.height, dtype=np.bool_)
    new[0] = True
    number = chosen["cycle_count"].to_numpy()
    known = False
    for name in CURRENTS:
        if name in chosen.columns:
            known = True
            current = floats(chosen, name)
            new[1:] |= ~_near(current[1:], current[:-1], same_rate_ratio)
    if not known:
        raise DataError(
            f"rate_table needs the column {CURRENTS[1]!r}; "
            f"found: {', '.join(cycles.columns)}",
            remedy="make the table with cycle_summary",
        )
    complete = cycles.filter(cycles["complete"].fill_null(value=False))
    others = np.setdiff1d(complete["cycle_count"].to_numpy(), number)
    after = np.searchsorted(number, others)  # the block that follows another kind
    new[after[after < number.size]] = True
    return np.flatnonzero(new)


def _near(values: Array, to: Array | np.float64, same_rate_ratio: float) -> Flags:
    """Whether currents are the same; two that are both unknown are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.abs(np.log(values / to)) <= np.log1p(same_rate_ratio)
    return near | (np.isnan(values) & np.isnan(to))


def _of_blocks(
    table: pl.DataFrame, name: str, begin: NDArray[np.int64], stops: NDArray[np.int64]
) -> Array:
    """Mean of a column over the rows used of each block; NaN where it is not there."""
    if name not in table.columns:
        return np.full(begin.size, np.nan)
    values = floats(table, name)
    return np.array(
        [values[a:b].mean() for a, b in zip(begin, stops, strict=True)],
        dtype=np.float64,
    )


def _hundred_percent(
    capacity: Array, c_rate: Array, normalise_to: float | None, same_rate_ratio: float
) -> float:
    """Capacity of the block that is 100 %."""
    at = 0
    if normalise_to is not None:
        if not np.isfinite(c_rate).any():
            raise DataError(
                f"normalise_to = {normalise_to:g}: the C-rates are not known",
                remedy="give one_c_ma in the record of the cell",
            )
        with np.errstate(invalid="ignore"):
            hits = np.flatnonzero(
                _near(c_rate, np.float64(normalise_to), same_rate_ratio)
            )
        if hits.size == 0:
            found = ", ".join(f"{x:.3g}" for x in c_rate)
            raise DataError(
                f"no block discharges at {normalise_to:g}C; found: {found}",
                remedy="give one of these as normalise_to",
            )
        at = int(hits[0])
    if not capacity[at] > 0.0:
        raise DataError(
            f"the capacity of block {at + 1}, which is 100 %, is {capacity[at]:g}",
            remedy="give another rate as normalise_to",
        )
    return float(capacity[at])
