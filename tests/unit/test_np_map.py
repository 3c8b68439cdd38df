import numpy as np
import pytest

import equipoise as eqp
from equipoise.core.errors import SpecError
from equipoise.core.units import unit_token

RATIOS = [0.95, 1.0, 1.1, 1.3, 1.5, 2.0]


def test_a_row_of_the_map_is_the_design_of_that_cell(lb):
    table = eqp.np_map(lb, RATIOS)
    for row in table.iter_rows(named=True):
        design = eqp.design_cell(lb.with_np_ratio(row["np_ratio"]))
        for name in (
            "first_charge_mah_per_g_positive",
            "first_discharge_mah_per_g_positive",
            "upper_potential_vs_li_volt",
            "lower_potential_vs_li_volt",
            "negative_end_of_charge_potential_vs_li_volt",
            "negative_end_of_charge_lithiation_fraction",
            "volume_change_percent",
            "h2h3_usage_mah_per_g_positive",
            "compensation_fraction",
            "mean_discharge_volt",
            "energy_wh_per_kg_positive",
            "energy_wh_per_kg_stack",
            "energy_wh_per_l_stack",
        ):
            assert row[name] == pytest.approx(getattr(design, name), rel=1e-9), name
        limit = design.limiting_electrode_end_of_charge
        assert row["limiting_electrode"] == limit


def test_the_map_keeps_the_order_and_number_of_ratios(lb):
    ratios = [1.5, 1.0, 1.2]
    assert eqp.np_map(lb, ratios)["np_ratio"].to_list() == ratios


def test_a_single_number_gives_one_row(lb):
    assert eqp.np_map(lb, 1.1).height == 1


def test_every_numeric_column_ends_in_a_unit(lb):
    for name in eqp.np_map(lb, RATIOS).columns:
        if name not in ("limiting_electrode", "status"):
            assert unit_token(name) is not None, name


def test_a_voltage_map_has_the_ratio_slow_and_the_voltage_fast(lb):
    table = eqp.np_voltage_map(lb, [1.0, 1.1], [2.65, 2.70, 2.75])
    assert table["np_ratio"].to_list() == [1.0] * 3 + [1.1] * 3
    assert table["upper_volt"].to_list() == [2.65, 2.70, 2.75] * 2
    single = eqp.design_cell(lb.with_window(upper_volt=2.65))
    assert table["first_charge_mah_per_g_positive"][3] == pytest.approx(
        single.first_charge_mah_per_g_positive, rel=1e-12
    )


def test_an_unreachable_cell_has_nulls_and_a_status(hb):
    table = eqp.np_voltage_map(hb, [1.5], [2.75, 3.5])
    assert table["status"].to_list() == [0, 1]
    for name in (
        "first_charge_mah_per_g_positive",
        "upper_potential_vs_li_volt",
        "energy_wh_per_kg_stack",
        "volume_change_percent",
    ):
        assert table[name][0] is not None
        assert table[name][1] is None, name


def test_nothing_limits_a_cell_that_was_not_solved(hb):
    table = eqp.np_voltage_map(hb, [1.5], [2.75, 3.5])
    assert table["limiting_electrode"].to_list() == ["positive", None]


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.nan])
def test_an_impossible_ratio_is_refused(lb, ratio):
    with pytest.raises(SpecError, match="np_ratio must be > 0"):
        eqp.np_map(lb, [1.1, ratio])


@pytest.mark.parametrize("volt", [1.35, 0.0, np.nan])
def test_an_upper_cut_off_below_the_lower_one_is_refused(lb, volt):
    with pytest.raises(SpecError, match=r"above the lower one, 1\.35 V"):
        eqp.np_voltage_map(lb, [1.1], [2.75, volt])


def test_volume_bands_enclose_the_chosen_variant(lb):
    table = eqp.np_map(lb, RATIOS)
    for row in table.iter_rows(named=True):
        low, high = row["volume_change_low_percent"], row["volume_change_high_percent"]
        assert low <= row["volume_change_percent"] <= high


def test_a_thin_separator_raises_only_the_stack_energy(lb):
    thick, thin = eqp.np_map(lb, RATIOS), eqp.np_map(lb, RATIOS, separator_um=30.0)
    raised = (
        thin["energy_wh_per_kg_stack"] / thick["energy_wh_per_kg_stack"]
    ).to_list()
    assert min(raised) > 2.0
    same = [n for n in thick.columns if "stack" not in n]
    assert thick.select(same).equals(thin.select(same))


@pytest.mark.parametrize("ratio", [1e-6, 0.02, 0.05, 0.1])
def test_a_cell_that_charges_less_than_the_lock_does_not_discharge_backwards(lb, ratio):
    row = eqp.np_map(lb, ratio).row(0, named=True)
    if row["status"] == 0:
        assert row["first_discharge_mah_per_g_positive"] >= 0.0
        assert row["energy_wh_per_kg_positive"] >= 0.0
    else:
        assert row["first_discharge_mah_per_g_positive"] is None


@pytest.mark.parametrize("thickness", [0.0, -5.0, np.nan])
def test_an_impossible_separator_is_refused(lb, thickness):
    with pytest.raises(SpecError, match="separator_um"):
        eqp.np_map(lb, [1.1], separator_um=thickness)


def test_ratios_of_two_dimensions_are_refused_in_words(lb):
    with pytest.raises(SpecError, match=r"np_ratio"):
        eqp.np_map(lb, [[1.0, 1.1], [1.2, 1.3]])


def test_the_larger_extrapolation_of_charge_and_discharge_is_shown(lb, hb):
    from equipoise.design.formed import formed
    from equipoise.spec.inventory import Inventory

    def ends(cell):
        result = formed(cell, Inventory.of(cell))
        return [float(s.beyond_mah_per_g) for s in (result.charged, result.discharged)]

    # 2.80 V charges HB beyond 4.3 V, where the curve of the positive ends; 1.0 V
    # discharges both below 3.0 V, where its lithiation branch does
    for cell, larger in (
        (hb.with_window(upper_volt=2.80, lower_volt=1.8), 0),
        (lb.with_window(lower_volt=1.0), 1),
    ):
        found = ends(cell)
        assert found[larger] > found[1 - larger]
        shown = eqp.np_map(cell, cell.np_ratio)["extrapolated_mah_per_g_positive"][0]
        assert shown == pytest.approx(found[larger], rel=1e-12)
