import numpy as np
import pytest

import equipoise as eqp
from equipoise.core.errors import SpecError
from equipoise.core.units import unit_token
from equipoise.spec.inventory import Inventory

DIRECTIONS = ["charge", "discharge"]


def test_a_charge_ends_at_the_upper_cut_off(lb):
    table, design = eqp.profiles(lb), eqp.design_cell(lb)
    assert table["voltage_volt"][-1] == pytest.approx(2.75, abs=1e-9)
    assert table["passed_capacity_mah_per_g_positive"][0] == 0.0
    assert table["passed_capacity_mah_per_g_positive"][-1] == pytest.approx(
        design.first_charge_mah_per_g_positive
    )
    assert table["positive_electrode_potential_volt"][-1] == pytest.approx(
        design.upper_potential_vs_li_volt
    )


def test_a_discharge_ends_at_the_lower_cut_off(lb):
    table, design = eqp.profiles(lb, "discharge"), eqp.design_cell(lb)
    assert table["voltage_volt"][-1] == pytest.approx(1.35, abs=1e-9)
    assert table["passed_capacity_mah_per_g_positive"][-1] == pytest.approx(
        design.first_discharge_mah_per_g_positive
    )
    assert table["negative_lithiation_fraction"][-1] == pytest.approx(
        design.negative_end_of_discharge_lithiation_fraction
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_cell_is_the_difference_of_its_electrodes(lb, direction):
    table = eqp.profiles(lb, direction)
    np.testing.assert_allclose(
        table["voltage_volt"],
        table["positive_electrode_potential_volt"]
        - table["negative_electrode_potential_volt"],
        atol=1e-12,
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_voltage_is_monotone_along_the_capacity(lb, direction):
    table = eqp.profiles(lb, direction, points=301)
    assert table.height == 301
    assert (np.diff(table["passed_capacity_mah_per_g_positive"]) > 0.0).all()
    sign = 1.0 if direction == "charge" else -1.0
    assert (sign * np.diff(table["voltage_volt"]) > 0.0).all()


def test_polarisation_separates_charge_from_discharge(lb):
    from dataclasses import replace

    loud = lb.spec.polarisation.model_copy(
        update={"resistance_ohm_cm2": 100.0, "c_rate_ratio": 0.2}
    )
    cell = replace(lb, spec=lb.spec.model_copy(update={"polarisation": loud}))
    for direction, end in (("charge", 2.75), ("discharge", 1.35)):
        table = eqp.profiles(cell, direction)
        assert table["voltage_volt"][-1] == pytest.approx(end, abs=1e-9)


def test_an_aged_inventory_is_followed(lb):
    inventory = Inventory.of(lb, positive_active_fraction=0.9)
    table = eqp.profiles(lb, inventory=inventory, smoothing_mah_per_g=0.0)
    row = eqp.compensation_by_loss(lb, 0.1).row(0, named=True)
    assert table["passed_capacity_mah_per_g_positive"][-1] == pytest.approx(
        row["charge_mah_per_g_positive"]
    )
    assert table["compensation_fraction"][-1] == pytest.approx(
        row["compensation_fraction"]
    )


def test_every_column_ends_in_a_unit(lb):
    for name in eqp.profiles(lb).columns:
        assert unit_token(name) is not None, name


def test_another_word_than_charge_or_discharge_is_refused(lb):
    with pytest.raises(SpecError, match="lithiation"):
        eqp.profiles(lb, "lithiation")


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_potentials_of_a_profile_stay_near_their_curves(graphite, direction):
    """Lithium lost on the first lithiation leaves no negative content behind."""
    table = eqp.profiles(graphite, direction)
    u = table["negative_electrode_potential_volt"].to_numpy()
    curve = graphite.negative.half_cell.lithiation.potential_vs_li_volt
    assert curve.min() - 0.1 < u.min()
    assert u.max() < curve.max() + 0.1
    assert table["voltage_volt"].min() > 0.0
    assert table["negative_lithiation_fraction"].min() > -1e-3


def test_a_profile_of_a_prelithiated_cell_begins_as_built(lb):
    inventory = Inventory.of(
        lb,
        positive_start_mah_per_g=20.0,
        negative_start_mah_per_g=8.0,
        positive_active_fraction=0.9,
        negative_active_fraction=0.9,
    )
    table = eqp.profiles(lb, inventory=inventory)
    assert table["passed_capacity_mah_per_g_positive"][0] == 0.0
    assert table["positive_delithiated_mah_per_g"][0] == 20.0
    assert table["negative_lithiation_fraction"][0] == pytest.approx(8.0 / 132.0)
    # both count gram of positive: the active ones as their state, all as the charge
    np.testing.assert_allclose(
        table["passed_capacity_mah_per_g_positive"],
        0.9 * (table["positive_delithiated_mah_per_g"] - 20.0),
        atol=1e-12,
    )
