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


@pytest.mark.parametrize("drop", [-0.1, 0.9, np.nan])
def test_a_drop_outside_its_range_is_refused(lb, drop):
    # the docstring: each between 0 and 0.4
    with pytest.raises(SpecError, match="drop"):
        eqp.reserve(lb, drop)
