import math
from dataclasses import fields, replace

import pytest

from equipoise.design.weigh_sheet import negative_mass_mg, weigh_sheet


def test_equation_1_gives_the_negative_mass(lb):
    sheet = weigh_sheet(lb)
    positive = 8.5 * math.pi * 0.45**2
    assert sheet.positive_active_mg == pytest.approx(positive, rel=1e-12)
    assert sheet.negative_active_mg == pytest.approx(
        1.1 * positive * 202.0 / 132.0, rel=1e-12
    )
    assert sheet.np_mass_ratio == pytest.approx(1.1 * 202.0 / 132.0, rel=1e-12)


def test_composites_are_heavier_by_their_active_share(lb):
    sheet = weigh_sheet(lb)
    assert sheet.positive_composite_mg == pytest.approx(
        sheet.positive_active_mg / 0.686, rel=1e-12
    )
    assert sheet.negative_composite_mg == pytest.approx(
        sheet.negative_active_mg / 0.30, rel=1e-12
    )


def test_masses_belong_to_the_electrode_they_are_in(lb):
    sheet = weigh_sheet(lb)
    assert sheet.positive_loading_mg_per_cm2 == pytest.approx(8.5)
    assert sheet.negative_loading_mg_per_cm2 * sheet.negative_area_cm2 == (
        pytest.approx(sheet.negative_active_mg)
    )
    assert sheet.positive_area_cm2 / sheet.negative_area_cm2 == pytest.approx(0.81)


def test_the_current_of_1c_refers_to_each_electrode(lb):
    sheet = weigh_sheet(lb)
    assert sheet.one_c_ma == pytest.approx(190.0 * sheet.positive_active_mg * 1e-3)
    assert sheet.one_c_positive_ma_per_cm2 == pytest.approx(190.0 * 8.5e-3)
    assert sheet.one_c_negative_ma_per_g == pytest.approx(190.0 / (1.1 * 202.0 / 132.0))


def test_without_a_definition_of_1c_there_is_no_current(lb):
    bare = lb.positive.material.model_copy(update={"one_c_ma_per_g": None})
    cell = replace(
        lb,
        spec=lb.spec.model_copy(update={"one_c_ma_per_g_positive": None}),
        positive=replace(lb.positive, material=bare),
    )
    sheet = weigh_sheet(cell)
    assert sheet.one_c_ma is None
    assert sheet.one_c_positive_ma_per_cm2 is None
    assert sheet.one_c_negative_ma_per_g is None


def test_the_masses_are_all_there(lb):
    sheet = weigh_sheet(lb)
    named = {f.name for f in fields(sheet) if f.name.endswith("_mg")}
    assert {f"{k}_mg" for k in sheet.masses_mg()} == named
    assert all(mass > 0.0 for mass in sheet.masses_mg().values())


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_the_negative_mass_is_proportional_to_np(lb, ratio):
    cell = lb.with_np_ratio(ratio)
    assert negative_mass_mg(cell) == pytest.approx(
        ratio / 1.1 * negative_mass_mg(lb), rel=1e-12
    )
