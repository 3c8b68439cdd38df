"""Mass, volume and specific energy of the electrode stack.

The stack holds both composites, the separator and half of each current collector
(shared with its neighbours), each on its own area; no housing, no tabs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SpecError
from equipoise.design.weigh_sheet import separator_thickness_um

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]
MOST_SEPARATOR_UM = 1e5


@dataclass(frozen=True, slots=True)
class Stack:
    """Mass and volume of the stack, arrays over n/p."""

    mass_mg: Array
    volume_cm3: Array


def stack(
    cell: Cell, np_ratio: ArrayLike, *, separator_um: float | None = None
) -> Stack:
    """Stack for n/p ratios of any shape.

    Parameters
    ----------
    separator_um
        Thickness of an engineered separator, same porosity; default: as built
        (pressed pellets of laboratory cells are 20 times too thick for products).

    Raises
    ------
    SpecError
        If the thickness is not above 0 and below 0.1 m.
    """
    if separator_um is not None and not 0.0 < separator_um < MOST_SEPARATOR_UM:
        raise SpecError(
            f"a separator of {separator_um:g} µm is impossible",
            where="separator_um / --separator-um",
            remedy=f"give a thickness above 0 and below {MOST_SEPARATOR_UM:g} µm",
        )
    m_p = cell.positive_mass_mg
    m_n = np.asarray(np_ratio, np.float64) * m_p * cell.mass_per_np_ratio
    as_built_um = separator_thickness_um(cell)
    thickness_um = as_built_um if separator_um is None else separator_um
    separator_mg = cell.spec.separator.mass_mg * thickness_um / as_built_um
    collector_mg, collector_cm3 = _collectors(cell)
    positive, negative = cell.positive, cell.negative
    mass = (
        m_p / positive.spec.active_fraction
        + m_n / negative.spec.active_fraction
        + separator_mg
        + collector_mg
    )
    volume = (
        positive.spec.area_cm2 * positive.thickness_um(m_p) * 1e-4
        + negative.spec.area_cm2 * negative.thickness_um(1.0) * m_n * 1e-4
        + cell.separator_area_cm2 * thickness_um * 1e-4
        + collector_cm3
    )
    return Stack(np.asarray(mass), np.asarray(volume))


def _collectors(cell: Cell) -> tuple[float, float]:
    c = cell.spec.collectors
    positive = 0.5 * c.positive_thickness_um * 1e-4 * cell.positive.spec.area_cm2
    negative = 0.5 * c.negative_thickness_um * 1e-4 * cell.negative.spec.area_cm2
    mass = (
        positive * c.positive_density_g_per_cm3
        + negative * c.negative_density_g_per_cm3
    ) * 1e3
    return mass, positive + negative


def stack_energy(
    cell: Cell, energy_wh_per_kg_positive: ArrayLike, of: Stack
) -> tuple[Array, Array]:
    """Specific (Wh/kg) and volumetric (Wh/L) energy of a stack."""
    energy_mwh = np.asarray(energy_wh_per_kg_positive) * cell.positive_mass_mg * 1e-3
    return energy_mwh / of.mass_mg * 1e3, energy_mwh / of.volume_cm3
