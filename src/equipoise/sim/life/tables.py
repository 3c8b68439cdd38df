"""From the raw records of a life to a table: cycles and the wear behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.kernels.layout import INTERFACE
from equipoise.kernels.program import End
from equipoise.sim.life.ageing_cell import Mark
from equipoise.sim.tables import AT_ONCE_SECOND, COULOMB_PER_MAH, cycle_table

if TYPE_CHECKING:
    import polars as pl

    from equipoise.sim.life.blocks import Blocks
    from equipoise.sim.life.life import Life

Array = NDArray[np.float64]
CM2_PER_M2 = 1e4


def discharged_coulomb(results: Array, cycle: int) -> float:
    """Discharge of a cycle, > 0; steps that ended as they began do not count.

    Parameters
    ----------
    results
        Rows of the solved cycles in order of time, shape (steps, len(End)).
    """
    first, last = np.searchsorted(results[:, End.CYCLE], [cycle, cycle + 1])
    rows = results[first:last]
    lasted = rows[:, End.END_SECOND] - rows[:, End.START_SECOND] > AT_ONCE_SECOND
    coulomb = rows[lasted, End.COULOMB]
    return float(-coulomb[coulomb < 0.0].sum())


def may_be_reference(blocks: Blocks, cycle: int) -> bool:
    """Whether a cycle that discharges is the reference if none before it was.

    It is one of the ageing from its first cycle on, or, after the last of these, any.
    """
    if cycle < blocks.reference_cycle:
        return False
    if blocks.kinds[cycle - 1] == blocks.ageing_kind:
        return True
    return not (blocks.kinds[cycle:] == blocks.ageing_kind).any()


def reference_of(blocks: Blocks, results: Array, records: Array) -> int | None:
    """Number of the first cycle of the ageing that discharged; None: none has yet.

    A cell that is built discharged and begins with a discharge gives nothing in its
    first cycle: nothing can be relative to that.

    Parameters
    ----------
    results, records
        Of the solved cycles, shapes (steps, len(End)) and (cycles, len(Mark)).
    """
    settled = records[records[:, Mark.SETTLED] > 0.0, Mark.CYCLE]
    for number in settled.astype(np.int64).tolist():
        if may_be_reference(blocks, number) and discharged_coulomb(results, number):
            return number
    return None


def life_table(life: Life) -> pl.DataFrame:
    """One row per solved cycle: the columns of `Run.cycles` and those of the wear."""
    import polars as pl  # 0.5 s: only where a table is made

    table = cycle_table(life.results, life.program, life.lowered)
    marks = life.records
    number = marks[:, Mark.CYCLE].astype(np.int64)
    ageing = life.blocks.kinds[number - 1] == life.ageing_kind
    ageing &= number >= life.reference_cycle
    discharge = table["discharging_capacity_mah_per_g_positive"].to_numpy()
    charge = table["charging_capacity_mah_per_g_positive"].to_numpy()
    at = np.flatnonzero(number == life.reference_cycle)
    reference = int(at[0]) if at.size else -1
    per_gram = 1.0 / (COULOMB_PER_MAH * life.lowered.positive_mass_g)
    positive, negative = life.lowered.positive, life.lowered.negative

    def retention(capacity: np.ndarray) -> np.ndarray:
        if reference < 0 or not capacity[reference] > 0.0:
            return np.full(capacity.size, np.nan)
        return np.where(ageing, capacity / capacity[reference], np.nan)

    discharge = np.where(np.isnan(discharge), 0.0, discharge)
    interface = [
        float(e.column[INTERFACE].sum()) * e.width for e in (positive, negative)
    ]
    columns = {
        "is_ageing_cycle": ageing,
        "is_settled": marks[:, Mark.SETTLED] > 0.0,
        "discharge_retention": retention(discharge),
        "charge_retention": retention(charge),
        "positive_active_fraction": marks[:, Mark.POSITIVE_ACTIVE],
        "positive_contact_fraction": marks[:, Mark.POSITIVE_CONTACT],
        "positive_film_growth_ohm_cm2": (
            marks[:, Mark.POSITIVE_FILM] * CM2_PER_M2 / interface[0]
        ),
        "positive_diffusion_length_ratio": marks[:, Mark.POSITIVE_PATH],
        "negative_active_fraction": marks[:, Mark.NEGATIVE_ACTIVE],
        "negative_contact_fraction": marks[:, Mark.NEGATIVE_CONTACT],
        "negative_film_growth_ohm_cm2": (
            marks[:, Mark.NEGATIVE_FILM] * CM2_PER_M2 / interface[1]
        ),
        "negative_diffusion_length_ratio": marks[:, Mark.NEGATIVE_PATH],
        "volume_swing_percent": marks[:, Mark.STRAIN],
        "h2h3_usage_mah_per_g_positive": marks[:, Mark.H2H3] * per_gram,
        "lithium_inventory_mah_per_g_positive": marks[:, Mark.LITHIUM] * per_gram,
        "isolated_lithium_mah_per_g_positive": marks[:, Mark.ISOLATED] * per_gram,
        "slippage_mah_per_g_positive": marks[:, Mark.SLIPPED] * per_gram,
        "positive_side_mah_per_g_positive": marks[:, Mark.POSITIVE_SIDE] * per_gram,
        "negative_side_mah_per_g_positive": marks[:, Mark.NEGATIVE_SIDE] * per_gram,
    }
    return table.with_columns(**{k: pl.Series(v) for k, v in columns.items()})
