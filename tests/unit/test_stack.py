import numpy as np
import pytest

from equipoise.design.stack import stack, stack_energy
from equipoise.design.weigh_sheet import weigh_sheet


def test_a_stack_is_the_sum_of_its_layers(lb):
    sheet, layers = weigh_sheet(lb), stack(lb, lb.np_ratio)
    # half of two 12 um aluminium foils (2.70 g/cm3) on their own areas
    foils = 0.5 * 12e-4 * 2.70e3 * (sheet.positive_area_cm2 + sheet.negative_area_cm2)
    expected = (
        sheet.positive_composite_mg
        + sheet.negative_composite_mg
        + sheet.separator_mg
        + foils
    )
    assert layers.mass_mg == pytest.approx(expected, rel=1e-12)
    volume = 1e-4 * (
        sheet.positive_thickness_um * sheet.positive_area_cm2
        + sheet.negative_thickness_um * sheet.negative_area_cm2
        + sheet.separator_thickness_um * sheet.separator_area_cm2
        + 6.0 * (sheet.positive_area_cm2 + sheet.negative_area_cm2)
    )
    assert layers.volume_cm3 == pytest.approx(volume, rel=1e-12)


def test_a_thin_separator_is_lighter_in_proportion(lb):
    sheet = weigh_sheet(lb)
    thick, thin = stack(lb, 1.1), stack(lb, 1.1, separator_um=30.0)
    saved = sheet.separator_mg * (1.0 - 30.0 / sheet.separator_thickness_um)
    assert thick.mass_mg - thin.mass_mg == pytest.approx(saved, rel=1e-10)


def test_a_stack_over_np_has_its_shape(lb):
    layers = stack(lb, np.array([[1.0, 1.1], [1.2, 1.3]]))
    assert layers.mass_mg.shape == layers.volume_cm3.shape == (2, 2)
    assert (np.diff(layers.mass_mg.ravel()) > 0.0).all()


def test_energy_per_mass_and_volume(lb):
    layers = stack(lb, 1.1)
    per_kg, per_l = stack_energy(lb, 400.0, layers)
    energy_mwh = 400.0 * lb.positive_mass_mg * 1e-3
    assert per_kg * layers.mass_mg * 1e-3 == pytest.approx(energy_mwh)
    assert per_l * layers.volume_cm3 == pytest.approx(energy_mwh)
