"""What to weigh: masses, thicknesses and currents of one cell (Eq. 1).

References
----------
zhang2026 Eq. 1, sec. 4.2-4.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell


@dataclass(frozen=True, slots=True)
class WeighSheet:
    """Masses of the whole cell (two different areas), thicknesses, the 1C current.

    `one_c_ma` is None when neither the cell nor the material defines 1C.
    """

    positive_active_mg: float
    positive_composite_mg: float
    negative_active_mg: float
    negative_composite_mg: float
    separator_mg: float
    positive_area_cm2: float
    negative_area_cm2: float
    separator_area_cm2: float
    positive_loading_mg_per_cm2: float
    negative_loading_mg_per_cm2: float
    positive_thickness_um: float
    negative_thickness_um: float
    separator_thickness_um: float
    one_c_ma: float | None
    one_c_positive_ma_per_cm2: float | None
    one_c_negative_ma_per_g: float | None

    @property
    def np_mass_ratio(self) -> float:
        """Gram of negative per gram of positive active material."""
        return self.negative_active_mg / self.positive_active_mg

    def masses_mg(self) -> dict[str, float]:
        """The masses only, by what they are of."""
        return {
            "positive_active": self.positive_active_mg,
            "positive_composite": self.positive_composite_mg,
            "negative_active": self.negative_active_mg,
            "negative_composite": self.negative_composite_mg,
            "separator": self.separator_mg,
        }


def negative_mass_mg(cell: Cell) -> float:
    """Eq. 1: active mass of the negative for the cell's n/p ratio."""
    return cell.np_ratio * cell.positive_mass_mg * cell.mass_per_np_ratio


def weigh_sheet(cell: Cell) -> WeighSheet:
    """Weigh sheet of a cell.

    Examples
    --------
    >>> from equipoise import load_cell
    >>> sheet = weigh_sheet(load_cell("zhang2026-lb"))
    >>> round(sheet.negative_active_mg, 2), round(sheet.negative_composite_mg, 1)
    (9.1, 30.3)
    """
    positive, negative = cell.positive.spec, cell.negative.spec
    m_p, m_n = cell.positive_mass_mg, negative_mass_mg(cell)
    one_c = cell.one_c_ma_per_g_positive
    current = None if one_c is None else one_c * m_p * 1e-3
    return WeighSheet(
        positive_active_mg=m_p,
        positive_composite_mg=m_p / positive.active_fraction,
        negative_active_mg=m_n,
        negative_composite_mg=m_n / negative.active_fraction,
        separator_mg=cell.spec.separator.mass_mg,
        positive_area_cm2=positive.area_cm2,
        negative_area_cm2=negative.area_cm2,
        separator_area_cm2=cell.separator_area_cm2,
        positive_loading_mg_per_cm2=m_p / positive.area_cm2,
        negative_loading_mg_per_cm2=m_n / negative.area_cm2,
        positive_thickness_um=cell.positive.thickness_um(m_p),
        negative_thickness_um=cell.negative.thickness_um(m_n),
        separator_thickness_um=separator_thickness_um(cell),
        one_c_ma=current,
        one_c_positive_ma_per_cm2=(
            None if current is None else current / positive.area_cm2
        ),
        one_c_negative_ma_per_g=None if current is None else current / m_n * 1e3,
    )


def separator_thickness_um(cell: Cell) -> float:
    """Thickness of the separator as pressed, pores included."""
    separator = cell.spec.separator
    solid = cell.separator_material.density_g_per_cm3.value
    areal = separator.mass_mg / cell.separator_area_cm2
    return areal / (solid * (1.0 - separator.porosity_fraction)) * 10.0
