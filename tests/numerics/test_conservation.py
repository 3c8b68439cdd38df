"""No lithium and no charge appears or vanishes."""

from dataclasses import replace

import numpy as np
import pytest

from equipoise.design.formed import formed
from equipoise.spec.inventory import Inventory

THEORETICAL = 274.98  # of the positive, mAh/g: only an offset here


def random_inventory(cell, n, seed):
    rng = np.random.default_rng(seed)
    return Inventory.of(
        cell,
        np_ratio=rng.uniform(0.95, 2.0, n),
        positive_active_fraction=rng.uniform(0.8, 1.0, n),
        negative_active_fraction=rng.uniform(0.9, 1.0, n),
        lithium_loss_mah_per_g_positive=rng.uniform(-5.0, 5.0, n),
        positive_start_mah_per_g=rng.uniform(0.0, 10.0, n),
        negative_start_mah_per_g=rng.uniform(5.0, 15.0, n),
        positive_isolated_at_mah_per_g=rng.uniform(0.0, 40.0, n),
        negative_isolated_at_mah_per_g=rng.uniform(0.0, 15.0, n),
    )


def lithium(cell, inv, q, z, *, lost):
    """All lithium of the cell, mAh per gram of positive as built."""
    f_p, f_n = inv.positive_active_fraction, inv.negative_active_fraction
    rho = inv.np_ratio * cell.mass_per_np_ratio
    in_positive = f_p * (THEORETICAL - q) + (1.0 - f_p) * (
        THEORETICAL - inv.positive_isolated_at_mah_per_g
    )
    in_negative = rho * (f_n * z + (1.0 - f_n) * inv.negative_isolated_at_mah_per_g)
    return in_positive + in_negative + lost


@pytest.mark.parametrize("loss_of_negative", [0.0, 3.0])
@pytest.mark.parametrize("seed", range(5))
def test_lithium_is_the_same_as_built_charged_and_discharged(
    lb, seed, loss_of_negative
):
    spec = lb.negative.spec.model_copy(
        update={"first_lithiation_loss_mah_per_g": loss_of_negative}
    )
    cell = replace(lb, negative=replace(lb.negative, spec=spec))
    inv = random_inventory(cell, 200, seed)
    result = formed(cell, inv, strict=False)
    ok = (result.charged.status == 0) & (result.discharged.status == 0)
    assert ok.sum() > 150
    rho = inv.np_ratio * cell.mass_per_np_ratio
    built = (
        THEORETICAL
        - inv.positive_start_mah_per_g
        + (rho * inv.negative_start_mah_per_g)
    )
    lost = inv.lithium_loss_mah_per_g_positive + rho * loss_of_negative
    for state in (result.charged, result.discharged):
        now = lithium(
            cell,
            inv,
            state.positive_delithiated_mah_per_g,
            state.negative_lithiated_mah_per_g,
            lost=lost,
        )
        np.testing.assert_allclose(now[ok], built[ok], rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_before_any_charge_passes_both_electrodes_are_as_built(lb, seed):
    """Isolated as built: no lithium moves by cutting particles off."""
    rng = np.random.default_rng(seed)
    n = 100
    start = rng.uniform(1.0, 60.0, (2, n))
    inv = Inventory.of(
        lb,
        np_ratio=rng.uniform(0.95, 2.0, n),
        positive_active_fraction=rng.uniform(0.5, 1.0, n),
        negative_active_fraction=rng.uniform(0.5, 1.0, n),
        positive_start_mah_per_g=start[0],
        negative_start_mah_per_g=start[1],
    )
    a, b = inv.line(lb)
    np.testing.assert_allclose(a + b * start[0], start[1], rtol=1e-12)
    rho = inv.np_ratio * lb.mass_per_np_ratio
    np.testing.assert_allclose(
        lithium(lb, inv, start[0], start[1], lost=0.0),
        THEORETICAL - start[0] + rho * start[1],
        rtol=1e-12,
    )


def test_a_start_in_the_file_is_where_its_particles_are_isolated(lb):
    values = {
        "positive_start_mah_per_g": 20.0,
        "negative_start_mah_per_g": 8.0,
        "positive_active_fraction": 0.9,
        "negative_active_fraction": 0.8,
    }
    given = lb.spec.inventory.model_copy(update=values)
    cell = replace(lb, spec=lb.spec.model_copy(update={"inventory": given}))
    a, b = Inventory.of(cell).line(cell)
    assert float(a + b * 20.0) == pytest.approx(8.0, rel=1e-12)
    said = given.model_copy(
        update={
            "positive_isolated_at_mah_per_g": 100.0,
            "negative_isolated_at_mah_per_g": 3.0,
        }
    )
    cell = replace(lb, spec=lb.spec.model_copy(update={"inventory": said}))
    inventory = Inventory.of(cell)
    assert float(inventory.positive_isolated_at_mah_per_g) == 100.0
    assert float(inventory.negative_isolated_at_mah_per_g) == 3.0


def test_the_charge_passed_is_the_same_in_both_electrodes(lb):
    inv = random_inventory(lb, 300, 11)
    result = formed(lb, inv, strict=False)
    ok = (result.charged.status == 0) & (result.discharged.status == 0)
    rho = inv.np_ratio * lb.mass_per_np_ratio
    taken_up = (
        rho
        * inv.negative_active_fraction
        * (
            result.charged.negative_lithiated_mah_per_g
            - result.discharged.negative_lithiated_mah_per_g
        )
    )
    np.testing.assert_allclose(
        taken_up[ok], result.first_discharge_mah_per_g_positive[ok], rtol=1e-12
    )


def test_first_cycle_charge_balances_in_a_fresh_cell(lb, hb):
    for cell in (lb, hb):
        result = formed(cell, Inventory.of(cell))
        rho = cell.np_ratio * cell.mass_per_np_ratio
        assert float(result.first_charge_mah_per_g_positive) == pytest.approx(
            rho * float(result.charged.negative_lithiated_mah_per_g), rel=1e-12
        )
        left = rho * float(result.discharged.negative_lithiated_mah_per_g)
        kept = float(
            result.first_charge_mah_per_g_positive
            - result.first_discharge_mah_per_g_positive
        )
        assert kept == pytest.approx(left, rel=1e-11)


def test_what_is_lost_with_isolated_particles_is_missing_in_the_cell(lb):
    # isolated pristine: the charge of the rest is all that reaches the negative
    inv = Inventory.of(lb, positive_active_fraction=0.9)
    result = formed(lb, inv)
    rho = lb.np_ratio * lb.mass_per_np_ratio
    assert 0.9 * float(result.charged.positive_delithiated_mah_per_g) == pytest.approx(
        rho * float(result.charged.negative_lithiated_mah_per_g), rel=1e-12
    )
