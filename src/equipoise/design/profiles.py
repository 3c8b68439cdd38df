"""Both electrodes and the cell against the charge: profiles and dQ/dV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.design.formed import Formed, formed
from equipoise.design.states import discharge_curve
from equipoise.spec.inventory import Inventory

if TYPE_CHECKING:
    import polars as pl

    from equipoise.spec.cell import Cell
    from equipoise.spec.curve import Curve

Array = NDArray[np.float64]
SMOOTHING_MAH_PER_G = 2.0
"""Standard deviation: the sharpest feature, H2-H3, is 20 mAh/g wide."""


def profiles(
    cell: Cell,
    direction: Literal["charge", "discharge"] = "charge",
    *,
    points: int = 801,
    smoothing_mah_per_g: float = SMOOTHING_MAH_PER_G,
    inventory: Inventory | None = None,
) -> pl.DataFrame:
    """Quasi-static half cycle between the cut-offs, one row per point.

    Columns: the capacity passed (per gram of positive, rising from 0), cell
    voltage, both potentials vs Li+/Li, and the differential capacities of the
    cell and of each electrode, all per gram of positive as built and per volt; and
    by how much a curve is used outside its measured range::

        1 / dQdV(cell) = 1 / dQdV(positive) + 1 / dQdV(negative)

    The slope of the positive is smoothed over `smoothing_mah_per_g` (a standard
    deviation; 0 switches it off), because that of a measured curve has kinks at the
    knots.

    The charge is the first one, from the as-built state; the discharge follows it.
    Lithium that the first lithiation consumes is consumed first, at the potential
    of the empty negative.

    Raises
    ------
    SpecError
        If the direction is another word, or the cell does not reach its window.
    """
    import polars as pl  # 0.5 s: only where a table is made

    if points < 2:
        raise SpecError(f"points = {points}", remedy="give at least 2 points")
    if direction not in ("charge", "discharge"):
        raise SpecError(
            f"direction = {direction!r}", remedy="use 'charge' or 'discharge'"
        )
    inventory = inventory or Inventory.of(cell)
    result = formed(cell, inventory)
    positive, negative = _curves(cell, direction)
    start, stop = _ends(result, inventory, direction)
    q = np.linspace(start, stop, points)
    a, b = (float(x) for x in inventory.line(cell))
    z = a + b * q
    taking_up = np.ones_like(q)
    if direction == "charge":  # what the first lithiation consumes comes first
        begin = float(inventory.negative_start_mah_per_g)
        taking_up = np.where(z > begin, 1.0, 0.0)
        z = np.maximum(z, begin)
    f_p = float(inventory.positive_active_fraction)
    polarisation = (
        result.charged if direction == "charge" else result.discharged
    ).polarisation_volt
    up, un = positive.potential(q), negative.potential(z)
    slope_p = positive.smooth_slope(q, width_mah_per_g=smoothing_mah_per_g) / f_p
    slope_n = -negative.slope(z) * b / f_p * taking_up
    with np.errstate(divide="ignore"):
        columns = {
            "passed_capacity_mah_per_g_positive": f_p * np.abs(q - start),
            "voltage_volt": up - un + polarisation,
            "positive_electrode_potential_volt": up + polarisation,
            "negative_electrode_potential_volt": un,
            "dqdv_mah_per_g_per_volt": 1.0 / (slope_p + slope_n),
            "positive_dqdv_mah_per_g_per_volt": 1.0 / slope_p,
            "negative_dqdv_mah_per_g_per_volt": 1.0 / slope_n,
            "compensation_fraction": slope_n / (slope_p + slope_n),
            "positive_delithiated_mah_per_g": q,
            "positive_extrapolated_mah_per_g_positive": (
                positive.beyond_mah_per_g(q) * f_p
            ),
            "negative_extrapolated_mah_per_g_positive": (
                negative.beyond_mah_per_g(z) * f_p / b
            ),
            "negative_lithiation_fraction": z / cell.negative_capacity_mah_per_g,
        }
    return pl.DataFrame(columns)


def _curves(cell: Cell, direction: str) -> tuple[Curve, Curve]:
    if direction == "charge":
        return cell.positive.half_cell.delithiation, cell.negative.half_cell.lithiation
    return discharge_curve(cell), cell.negative.half_cell.delithiation


def _ends(result: Formed, inventory: Inventory, direction: str) -> tuple[float, float]:
    top = float(result.charged.positive_delithiated_mah_per_g)
    if direction == "charge":
        return float(inventory.positive_start_mah_per_g), top
    return top, float(result.discharged.positive_delithiated_mah_per_g)
