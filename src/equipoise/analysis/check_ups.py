"""What check-ups say of a cell whose ageing cycles do not use its whole capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.statistics import capacity_column, comparable_cycles, floats

if TYPE_CHECKING:
    import polars as pl

SAME_RATE_RATIO = 1.15
"""Check-ups whose currents differ by more are of another kind; see `classify`."""
CURRENTS = ("maximum_discharge_current_ampere", "discharge_current_ampere")


def check_ups(cycles: pl.DataFrame, *, quantity: str = "auto") -> pl.DataFrame:
    """Capacity of every check-up, relative to the first at its rate.

    Parameters
    ----------
    cycles
        Cycle table.
    quantity
        Capacity column, as in `retention`.

    Returns
    -------
    pl.DataFrame
        `rate_index` (from 0, slowest first), `cycle_count`,
        `discharge_current_ampere` (the largest of the cycle; NaN if not known), the
        capacity, and `capacity_retention`.

    Raises
    ------
    DataError
        If a column is missing, or no complete cycle is a check-up.
    """
    import polars as pl

    name = capacity_column(cycles, quantity)
    found = comparable_cycles(cycles, name, kinds=("check-up",), needed_by="check_ups")
    current = next((c for c in CURRENTS if c in found.columns), "")
    ampere = floats(found, current) if current else np.full(found.height, np.nan)
    capacity = floats(found, name)
    index = _rates(ampere)
    retention = np.empty(found.height)
    for one in np.unique(index):
        rows = index == one
        retention[rows] = capacity[rows] / capacity[rows][0]
    return pl.DataFrame(
        {
            "rate_index": index,
            "cycle_count": found["cycle_count"],
            "discharge_current_ampere": ampere,
            name: capacity,
            "capacity_retention": retention,
        }
    ).sort("rate_index", "cycle_count")


def _rates(ampere: np.ndarray) -> np.ndarray:
    """Number currents by size; gaps wider than the ratio part them."""
    if not np.isfinite(ampere).all() or (ampere <= 0.0).any():
        return np.zeros(ampere.size, np.int64)
    order = np.argsort(ampere, kind="stable")
    steps = np.diff(np.log(ampere[order]), prepend=np.log(ampere[order][0]))
    index = np.empty(ampere.size, np.int64)
    index[order] = np.cumsum(steps > np.log(SAME_RATE_RATIO))
    return index
