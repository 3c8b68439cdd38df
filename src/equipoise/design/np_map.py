"""Maps over the n/p ratio, and over n/p and the upper cut-off voltage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SpecError
from equipoise.design.formed import Formed, formed
from equipoise.design.stack import stack, stack_energy
from equipoise.design.volume import volume_changes_percent
from equipoise.spec.inventory import Inventory

if TYPE_CHECKING:
    import polars as pl

    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]


def np_map(
    cell: Cell, np_ratios: ArrayLike, *, separator_um: float | None = None
) -> pl.DataFrame:
    """One row per n/p ratio, everything else as in `cell`.

    Columns are those of `map_columns`. A cell that does not reach a cut-off has
    nulls and a `status` other than 0.

    Parameters
    ----------
    np_ratios
        Shape (m,), each > 0.
    separator_um
        Engineered separator for the stack energies; default: as built.

    Raises
    ------
    SpecError
        If a ratio is not > 0.
    """
    return _frame(cell, _row(np_ratios, "np_ratios"), None, separator_um)


def np_voltage_map(
    cell: Cell,
    np_ratios: ArrayLike,
    upper_volts: ArrayLike,
    *,
    separator_um: float | None = None,
) -> pl.DataFrame:
    """One row per pair of n/p ratio (slow) and upper cut-off (fast).

    Parameters
    ----------
    np_ratios, upper_volts
        Shapes (m,) and (k,); the table has m * k rows.

    Raises
    ------
    SpecError
        If a ratio is not > 0 or a voltage not above the lower cut-off.
    """
    ratios, volts = _row(np_ratios, "np_ratios"), _row(upper_volts, "upper_volts")
    lower = cell.spec.window.lower_volt
    if not np.all(volts > lower):
        raise SpecError(
            f"upper cut-offs must lie above the lower one, {lower:g} V; the lowest "
            f"given is {float(np.min(volts)):g} V"
        )
    b, v = (x.ravel() for x in np.meshgrid(ratios, volts, indexing="ij"))
    return _frame(cell, b, v, separator_um)


def _row(values: ArrayLike, name: str) -> Array:
    row = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if row.ndim != 1 or row.size == 0:
        raise SpecError(
            f"{name} has the shape {row.shape}",
            where=name,
            remedy="give a list of at least one number",
        )
    return row


def map_columns(
    cell: Cell,
    np_ratio: Array,
    upper_volt: Array,
    result: Formed,
    *,
    separator_um: float | None = None,
) -> dict[str, Array]:
    """Name with unit -> values, shape (m,), of a batch of first cycles."""
    charged, discharged = result.charged, result.discharged
    energy = result.discharge_energy_wh_per_kg_positive
    layers = stack(cell, np_ratio, separator_um=separator_um)
    per_kg, per_l = stack_energy(cell, energy, layers)
    columns = {
        "np_ratio": np_ratio,
        "upper_volt": upper_volt,
        "negative_to_positive_mass_ratio": np_ratio * cell.mass_per_np_ratio,
        "first_charge_mah_per_g_positive": result.first_charge_mah_per_g_positive,
        "first_discharge_mah_per_g_positive": (
            result.first_discharge_mah_per_g_positive
        ),
        "upper_potential_vs_li_volt": charged.terminal_potential_vs_li_volt,
        "negative_end_of_charge_potential_vs_li_volt": (
            charged.negative_potential_vs_li_volt
        ),
        "negative_end_of_charge_lithiation_fraction": (
            charged.negative_lithiated_mah_per_g / cell.negative_capacity_mah_per_g
        ),
        "lower_potential_vs_li_volt": discharged.terminal_potential_vs_li_volt,
        "compensation_fraction": charged.compensation_fraction,
        "charge_per_polarisation_mah_per_g_per_volt": (
            charged.charge_per_polarisation_mah_per_g_per_volt
        ),
        "mean_discharge_volt": result.mean_discharge_volt,
        "energy_wh_per_kg_positive": energy,
        "energy_wh_per_kg_stack": per_kg,
        "energy_wh_per_l_stack": per_l,
        "extrapolated_mah_per_g_positive": np.maximum(
            charged.beyond_mah_per_g, discharged.beyond_mah_per_g
        ),
    }
    if cell.positive.material.h2h3_onset_vs_li_volt is not None:
        columns["h2h3_usage_mah_per_g_positive"] = result.h2h3_usage_mah_per_g_positive
    volumes = volume_changes_percent(cell, charged.positive_delithiated_mah_per_g)
    if volumes:
        values = list(volumes.values())
        columns["volume_change_percent"] = values[0]
        columns["volume_change_low_percent"] = np.minimum.reduce(values)
        columns["volume_change_high_percent"] = np.maximum.reduce(values)
    return columns


def _frame(
    cell: Cell, ratios: Array, volts: Array | None, separator_um: float | None
) -> pl.DataFrame:
    import polars as pl  # 0.5 s: only where a table is made

    inventory = Inventory.of(cell, np_ratio=ratios)
    result = formed(cell, inventory, upper_volt=volts, strict=False)
    shown = (
        np.full_like(ratios, cell.spec.window.upper_volt) if volts is None else volts
    )
    columns = map_columns(cell, ratios, shown, result, separator_um=separator_um)
    status = np.where(
        result.charged.status != 0, result.charged.status, result.discharged.status
    )
    table = pl.DataFrame(columns).with_columns(pl.all().fill_nan(None))
    return table.with_columns(
        limiting_electrode=pl.when(pl.col("compensation_fraction") > 0.5)
        .then(pl.lit("negative"))
        .when(pl.col("compensation_fraction") <= 0.5)
        .then(pl.lit("positive")),
        status=pl.Series(status),
    )
