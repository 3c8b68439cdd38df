from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp
from equipoise.core.errors import SpecError
from equipoise.design.formed import formed
from equipoise.spec.inventory import Inventory


def aged(cell, **values):
    inventory = cell.spec.inventory.model_copy(update=values)
    return replace(cell, spec=cell.spec.model_copy(update={"inventory": inventory}))


def test_nothing_lost_changes_nothing(lb):
    row = eqp.compensation_by_loss(lb, 0.0).row(0, named=True)
    design = eqp.design_cell(lb)
    assert row["charge_change_percent"] == 0.0
    assert row["charge_mah_per_g_positive"] == pytest.approx(
        design.first_charge_mah_per_g_positive, rel=1e-12
    )
    assert row["h2h3_usage_mah_per_g_positive"] == pytest.approx(
        design.h2h3_usage_mah_per_g_positive, rel=1e-12
    )
    assert row["volume_change_b_percent"] == pytest.approx(
        design.volume_change_percent, rel=1e-12
    )


def test_charge_of_the_cell_is_charge_of_the_active_times_its_share(lb):
    table = eqp.compensation_by_loss(lb, [0.0, 0.05, 0.2])
    np.testing.assert_allclose(
        table["charge_mah_per_g_positive"],
        table["charge_per_active_mah_per_g"] * (1.0 - table["loss_fraction"]),
        rtol=1e-12,
    )


@pytest.mark.parametrize("loss", [1.0, 1.2, -0.1, np.nan])
def test_a_loss_outside_nought_to_one_is_refused(lb, loss):
    with pytest.raises(SpecError, match=r"loss|active_fraction"):
        eqp.compensation_by_loss(lb, [0.0, loss])


def test_polarisation_shows_in_the_upper_potential(lb):
    table = eqp.compensation_by_polarisation(lb, [0.0, 0.02])
    upper = table["upper_potential_vs_li_volt"]
    negative = table["negative_end_of_charge_potential_vs_li_volt"]
    np.testing.assert_allclose(upper - negative, 2.75, atol=1e-9)
    # kappa of the fresh LB cell is 0.87: most of the 20 mV is given back
    assert upper[1] - upper[0] == pytest.approx(0.02 * 0.87, abs=5e-4)


def test_an_aged_cell_uses_h2h3_as_its_active_share_does(lb):
    cell = aged(lb, positive_active_fraction=0.9)
    table = eqp.compensation_by_polarisation(cell, [0.0])
    result = formed(cell, Inventory.of(cell))
    assert table["h2h3_usage_mah_per_g_positive"][0] == pytest.approx(
        float(result.h2h3_usage_mah_per_g_positive), rel=1e-12
    )


@pytest.mark.parametrize("drop", [0.01, 0.05, 0.10])
def test_the_reserve_is_the_loss_that_costs_the_drop(lb, hb, drop):
    for cell in (lb, hb):
        (found,) = eqp.reserve(cell, drop)
        table = eqp.compensation_by_loss(cell, found.tolerated_loss_fraction)
        # interpolated on a grid of 0.4 %: good to 0.01 points of the charge
        assert table["charge_change_percent"][0] == pytest.approx(-100 * drop, abs=0.01)


def test_particles_lost_charged_leave_no_reserve(lb):
    for found in eqp.reserve(lb, (0.01, 0.05, 0.2)):
        assert found.tolerated_loss_low_fraction == pytest.approx(
            found.charge_drop_fraction, abs=1e-9
        )


def test_low_balancing_has_a_reserve_and_high_balancing_has_none(lb, hb):
    low, high = eqp.reserve(lb, 0.01)[0], eqp.reserve(hb, 0.01)[0]
    assert low.gain_ratio > 4.0
    assert high.gain_ratio == pytest.approx(1.0, abs=0.01)


def test_the_reserve_in_capacity_is_its_share_of_the_first_charge(lb):
    found = eqp.reserve(lb, 0.05)[0]
    charge = eqp.design_cell(lb).first_charge_mah_per_g_positive
    assert found.tolerated_mah_per_g_positive == pytest.approx(
        found.tolerated_loss_fraction * charge, rel=1e-9
    )


def test_a_reserve_is_a_band_around_its_central_answer(lb, hb):
    for cell in (lb, hb):
        for r in eqp.reserve(cell, (0.01, 0.05, 0.2)):
            assert (
                r.tolerated_loss_low_fraction
                <= r.tolerated_loss_fraction
                <= r.tolerated_loss_high_fraction
            )


@pytest.mark.parametrize("fraction", [0.95, 0.9, 0.8])
def test_an_aged_cell_still_has_a_reserve_of_at_least_the_drop(lb, fraction):
    # what a further loss costs, counted from the aged cell: never a negative loss
    cell = aged(lb, positive_active_fraction=fraction)
    for r in eqp.reserve(cell, (0.01, 0.05)):
        assert r.tolerated_loss_fraction >= 0.9 * r.charge_drop_fraction
        assert r.tolerated_loss_low_fraction >= 0.0


def test_no_further_loss_changes_nothing_in_an_aged_cell(lb):
    # the loss is relative to the cell as given, or an aged cell is refused
    cell = aged(lb, positive_active_fraction=0.9)
    row = eqp.compensation_by_loss(cell, 0.0).row(0, named=True)
    assert row["charge_change_percent"] == pytest.approx(0.0, abs=1e-9)


def test_a_prelithiated_start_counts_only_what_is_charged(lb):
    cell = aged(lb, positive_start_mah_per_g=10.0, negative_start_mah_per_g=5.0)
    row = eqp.compensation_by_loss(cell, 0.0).row(0, named=True)
    result = formed(cell, Inventory.of(cell))
    assert row["charge_mah_per_g_positive"] == pytest.approx(
        float(result.first_charge_mah_per_g_positive), rel=1e-12
    )


@pytest.mark.parametrize("state", [0.0, 50.0, 200.0])
def test_two_losses_in_one_state_are_one_loss(lb, state):
    # 0.9 left of 0.8: 0.72, so 28 % of the cell as built
    once = eqp.compensation_by_loss(lb, 0.28, isolated_at_mah_per_g=state)
    before = aged(
        lb, positive_active_fraction=0.8, positive_isolated_at_mah_per_g=state
    )
    twice = eqp.compensation_by_loss(before, 0.1, isolated_at_mah_per_g=state)
    for name in (
        "charge_mah_per_g_positive",
        "discharge_mah_per_g_positive",
        "upper_potential_vs_li_volt",
        "compensation_fraction",
        "h2h3_usage_mah_per_g_positive",
    ):
        assert twice[name][0] == pytest.approx(once[name][0], rel=1e-10), name


def test_losses_in_two_states_keep_the_lithium_of_both(lb):
    # lost pristine before, lost charged now: of 0.28, 0.2 hold 0 and 0.08 hold 200
    before = aged(lb, positive_active_fraction=0.8)
    now = eqp.compensation_by_loss(before, 0.1, isolated_at_mah_per_g=200.0)
    inventory = Inventory.of(
        lb,
        positive_active_fraction=0.72,
        positive_isolated_at_mah_per_g=0.08 * 200.0 / 0.28,
    )
    assert now["charge_mah_per_g_positive"][0] == pytest.approx(
        float(formed(lb, inventory).first_charge_mah_per_g_positive), rel=1e-12
    )


PRELITHIATED = {"positive_start_mah_per_g": 30.0, "negative_start_mah_per_g": 10.0}


@pytest.mark.parametrize("drop", [0.01, 0.05, 0.2])
def test_the_reserve_of_a_prelithiated_cell_counts_from_its_start(lb, drop):
    cell = aged(lb, **PRELITHIATED)
    (found,) = eqp.reserve(cell, drop)
    table = eqp.compensation_by_loss(cell, found.tolerated_loss_fraction)
    assert table["charge_change_percent"][0] == pytest.approx(-100 * drop, abs=0.01)
    charge = eqp.design_cell(cell).first_charge_mah_per_g_positive
    assert charge < eqp.design_cell(lb).first_charge_mah_per_g_positive - 20.0
    assert found.tolerated_mah_per_g_positive == pytest.approx(
        found.tolerated_loss_fraction * charge, rel=1e-9
    )


def test_particles_of_a_prelithiated_cell_are_lost_as_they_were_built(lb):
    cell = aged(lb, **PRELITHIATED)
    silent = eqp.compensation_by_loss(cell, 0.1)
    said = eqp.compensation_by_loss(cell, 0.1, isolated_at_mah_per_g=30.0)
    assert silent.equals(said)
    formed_now = formed(cell, Inventory.of(cell, positive_active_fraction=0.9))
    assert silent["charge_mah_per_g_positive"][0] == pytest.approx(
        float(formed_now.first_charge_mah_per_g_positive), rel=1e-12
    )


def test_discharge_columns_are_the_discharge_of_the_aged_cell(lb):
    losses = [0.0, 0.05, 0.2]
    table = eqp.compensation_by_loss(lb, losses)
    result = formed(
        lb, Inventory.of(lb, positive_active_fraction=[1.0 - x for x in losses])
    )
    discharge = result.first_discharge_mah_per_g_positive
    np.testing.assert_allclose(
        table["discharge_mah_per_g_positive"], discharge, rtol=1e-12
    )
    np.testing.assert_allclose(
        table["discharge_change_percent"],
        100.0 * (discharge / discharge[0] - 1.0),
        atol=1e-9,
    )


def test_a_loss_weighs_less_on_the_discharge_than_on_the_charge(lb):
    # what stays behind after the first charge is lost with the particles too
    table = eqp.compensation_by_loss(lb, [0.02, 0.05, 0.1])
    charge, discharge = (
        table[f"{x}_change_percent"].to_numpy() for x in ("charge", "discharge")
    )
    assert (discharge > charge).all()


def test_polarisation_shortens_the_discharge_from_both_ends(lb):
    table = eqp.compensation_by_polarisation(lb, [0.0, 0.05])
    lost = -np.diff(table["discharge_mah_per_g_positive"])[0]
    assert lost > -np.diff(table["charge_mah_per_g_positive"])[0] > 0.0
    result = formed(lb, Inventory.of(lb), polarisation_volt=0.05)
    assert table["discharge_mah_per_g_positive"][1] == pytest.approx(
        float(result.first_discharge_mah_per_g_positive), rel=1e-12
    )


def test_a_loss_the_curves_cannot_follow_is_a_bound_and_noted(lb):
    # 3.0 V on a plateau of 1.55 V: 4.55 V, which the curve (to 4.3 V) never reaches
    high = lb.with_window(upper_volt=3.0)
    (found,) = eqp.reserve(high, 0.4)
    assert found.bounded_by_curves
    assert found.tolerated_loss_fraction < 0.4
    assert any("lower bound" in n for n in eqp.design_cell(high).notes)
    # at the bound the cell is still solved
    eqp.compensation_by_loss(high, found.tolerated_loss_fraction)
    assert not any(r.bounded_by_curves for r in eqp.reserve(lb, (0.01, 0.05, 0.4)))


@pytest.mark.parametrize("drop", [-0.1, 0.9, np.nan])
def test_a_drop_outside_its_range_is_refused(lb, drop):
    # the docstring: each between 0 and 0.4
    with pytest.raises(SpecError, match="drop"):
        eqp.reserve(lb, drop)
