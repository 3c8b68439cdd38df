from dataclasses import replace

import numpy as np
import pytest

from equipoise.core.errors import SolveError, SpecError
from equipoise.core.status import Status
from equipoise.design.states import (
    discharge_curve,
    end_of_charge,
    end_of_discharge,
    polarisation,
    reached_mah_per_g,
)
from equipoise.spec.curve import Curve
from equipoise.spec.inventory import Inventory


def with_polarisation(cell, **values):
    new = cell.spec.polarisation.model_copy(update=values)
    return replace(cell, spec=cell.spec.model_copy(update={"polarisation": new}))


def with_lock(cell, lock_mah_per_g):
    """The cell with a lock of its own, over that of the material."""
    spec = cell.positive.spec.model_copy(
        update={"locked_capacity_mah_per_g": lock_mah_per_g}
    )
    return replace(cell, positive=replace(cell.positive, spec=spec))


def test_at_the_cut_off_the_electrodes_differ_by_it(lb):
    state = end_of_charge(lb, Inventory.of(lb))
    cell = state.positive_potential_vs_li_volt - state.negative_potential_vs_li_volt
    assert cell == pytest.approx(2.75, abs=1e-9)
    assert state.status == 0


def test_polarisation_is_put_on_the_positive(lb):
    state = end_of_charge(lb, Inventory.of(lb), polarisation_volt=0.05)
    shown = state.terminal_potential_vs_li_volt - state.negative_potential_vs_li_volt
    assert shown == pytest.approx(2.75, abs=1e-9)
    assert state.terminal_potential_vs_li_volt == pytest.approx(
        state.positive_potential_vs_li_volt + 0.05
    )


def test_the_discharge_ends_at_the_lower_cut_off(lb):
    inventory = Inventory.of(lb)
    state = end_of_discharge(lb, inventory, end_of_charge(lb, inventory))
    assert state.positive_potential_vs_li_volt - (
        state.negative_potential_vs_li_volt
    ) == pytest.approx(1.35, abs=1e-9)
    assert state.positive_delithiated_mah_per_g < 40.0


def test_the_fast_path_gives_the_same_answer(lb):
    inventory = Inventory.of(lb, np_ratio=[1.0, 1.1, 1.5])
    np.testing.assert_array_equal(
        reached_mah_per_g(lb, inventory.line(lb)),
        end_of_charge(lb, inventory).positive_delithiated_mah_per_g,
    )


def test_a_batch_is_its_single_cells(lb):
    ratios = [0.95, 1.1, 1.3]
    batch = end_of_charge(lb, Inventory.of(lb, np_ratio=ratios))
    for i, ratio in enumerate(ratios):
        single = end_of_charge(lb, Inventory.of(lb, np_ratio=ratio))
        assert (
            batch.positive_delithiated_mah_per_g[i]
            == single.positive_delithiated_mah_per_g
        )


def test_an_unreachable_cut_off_names_the_curves_and_a_remedy(hb):
    with pytest.raises(SpecError) as caught:
        end_of_charge(hb, Inventory.of(hb), upper_volt=3.5)
    text = str(caught.value)
    for word in ("never reaches 3.5 V", "window.upper_volt", "4.300", "1.000-2.000"):
        assert word in text
    assert "lower the cut-off" in text


def test_a_cut_off_below_the_curves_says_so(lb):
    with pytest.raises(SpecError, match=r"already past 0\.5 V(.|\n)*window"):
        end_of_charge(lb, Inventory.of(lb), upper_volt=0.5)


def test_a_lower_cut_off_above_the_charged_cell_says_so(lb):
    # hysteresis: at the end of charge the discharge branch is 30 mV lower already
    inventory = Inventory.of(lb)
    charged = end_of_charge(lb, inventory)
    with pytest.raises(SpecError, match="lower_volt") as caught:
        end_of_discharge(lb, inventory, charged, lower_volt=2.745)
    text = str(caught.value)
    assert "never reaches" not in text, text
    assert "already" in text, text


def test_without_strict_a_failed_cell_is_nan_with_its_status(hb):
    state = end_of_charge(
        hb, Inventory.of(hb), upper_volt=[2.75, 3.5, 0.5], strict=False
    )
    assert list(state.status) == [
        Status.OK,
        Status.CUTOFF_ABOVE_CURVES,
        Status.CUTOFF_BELOW_CURVES,
    ]
    for name in (
        "positive_delithiated_mah_per_g",
        "negative_lithiated_mah_per_g",
        "terminal_potential_vs_li_volt",
        "compensation_fraction",
    ):
        values = getattr(state, name)
        assert np.isfinite(values[0])
        assert np.isnan(values[1:]).all(), name


def test_a_nan_polarisation_is_a_solve_error(lb):
    with pytest.raises(SolveError, match="not finite") as caught:
        end_of_charge(lb, Inventory.of(lb), polarisation_volt=np.nan)
    assert caught.value.status is Status.NOT_FINITE
    assert caught.value.exit_code == 3


def test_polarisation_is_resistance_times_current_density(lb):
    # 1C is 190 mA/g at 8.5 mg/cm2: 1.615 mA/cm2; 0.2C through 100 ohm cm2: 32.3 mV
    cell = with_polarisation(lb, resistance_ohm_cm2=100.0, c_rate_ratio=0.2)
    assert polarisation(cell) == pytest.approx(0.0323, rel=1e-12)
    assert polarisation(lb) == 0.0


@pytest.mark.parametrize("missing", ["resistance_ohm_cm2", "c_rate_ratio"])
def test_no_resistance_or_no_current_is_no_polarisation(lb, missing):
    values = {"resistance_ohm_cm2": 100.0, "c_rate_ratio": 0.2} | {missing: 0.0}
    assert polarisation(with_polarisation(lb, **values)) == 0.0


def test_a_c_rate_needs_the_current_of_1c(lb):
    cell = with_polarisation(lb, resistance_ohm_cm2=100.0, c_rate_ratio=0.2)
    bare = cell.positive.material.model_copy(update={"one_c_ma_per_g": None})
    cell = replace(
        cell,
        spec=cell.spec.model_copy(update={"one_c_ma_per_g_positive": None}),
        positive=replace(cell.positive, material=bare),
    )
    with pytest.raises(SpecError, match=r"one_c_ma_per_g_positive(.|\n)*1C"):
        polarisation(cell)


def test_the_discharge_branch_passes_the_locked_capacity_where_it_was_seen(lb):
    # zhang2026: the windows end at 2.9 V vs Li+/Li, so there the lock was counted
    assert float(discharge_curve(lb).potential(27.0)) == pytest.approx(2.90, abs=1e-9)
    assert discharge_curve(lb) is discharge_curve(lb)  # tabulated once


@pytest.mark.parametrize("lock", [0.0, 10.0, 17.0, 40.0])
def test_a_given_lock_is_seen_at_the_potential_of_the_material(lb, lock):
    curve = discharge_curve(with_lock(lb, lock))
    assert float(curve.potential(lock)) == pytest.approx(2.90, abs=1e-9)
    assert curve.stop_mah_per_g == pytest.approx(227.0, abs=1e-9)


@pytest.mark.parametrize("lock", [0.0, 17.0, 40.0])
def test_a_lock_seen_at_no_stated_potential_is_where_the_measured_branch_ends(lb, lock):
    cell = with_lock(lb, lock)
    unstated = lb.positive.material.model_copy(update={"locked_at_vs_li_volt": None})
    curve = discharge_curve(
        replace(cell, positive=replace(cell.positive, material=unstated))
    )
    assert curve.measured_from_mah_per_g == pytest.approx(lock, abs=1e-9)
    # the source of the bundled branch ends at 3.000 V
    assert float(curve.potential(lock)) == pytest.approx(3.0, abs=1e-3)


def test_a_cell_that_stops_where_the_lock_was_seen_keeps_exactly_the_lock(lb):
    # a constant negative of 1.55 V makes 1.35 V of the cell 2.90 V of the positive
    flat = Curve.through([0.0, 50.0, 100.0, 400.0], [1.55] * 4, axis="lithiated")
    half_cell = replace(lb.negative.half_cell, delithiation=flat, lithiation=flat)
    inventory = Inventory.of(lb)
    charged = end_of_charge(lb, inventory, negative=half_cell)
    state = end_of_discharge(lb, inventory, charged, negative=half_cell)
    assert float(state.positive_delithiated_mah_per_g) == pytest.approx(27.0, abs=1e-6)


def test_without_a_known_lock_the_discharge_branch_is_used_as_measured(lb):
    material = lb.positive.material.model_copy(
        update={"locked_capacity_mah_per_g": None}
    )
    cell = replace(lb, positive=replace(lb.positive, material=material))
    assert cell.locked_capacity_mah_per_g is None
    assert discharge_curve(cell) is lb.positive.half_cell.lithiation


def test_use_outside_the_measured_range_is_reported(hb, lb):
    inside = end_of_charge(lb, Inventory.of(lb))
    assert inside.beyond_mah_per_g == 0.0
    beyond = end_of_charge(hb, Inventory.of(hb), upper_volt=2.80)
    q = beyond.positive_delithiated_mah_per_g
    assert q > 227.0
    assert beyond.beyond_mah_per_g == pytest.approx(q - 227.0, rel=1e-9)


def test_a_cell_that_starts_beyond_its_cut_off_is_refused(lb):
    # as built 215 mAh/g are out already, the charge would end at less
    inventory = Inventory.of(
        lb, positive_start_mah_per_g=215.0, negative_start_mah_per_g=215.0 / 1.6833
    )
    with pytest.raises(SpecError, match="already past"):
        end_of_charge(lb, inventory)


@pytest.mark.parametrize("loss", [50.0, 100.0, 200.0])
def test_no_more_lithium_leaves_the_negative_than_is_in_it(lb, loss):
    """A discharge that empties the negative ends there, like one of the positive."""
    inventory = Inventory.of(lb, lithium_loss_mah_per_g_positive=loss)
    state = end_of_discharge(lb, inventory, end_of_charge(lb, inventory))
    assert float(state.negative_lithiated_mah_per_g) >= -1e-6


@pytest.mark.parametrize("lock", [227.0, 300.0])
def test_a_lock_larger_than_the_curve_names_the_cell_and_the_key(lb, lock):
    with pytest.raises(SpecError, match="locked_capacity_mah_per_g") as caught:
        discharge_curve(with_lock(lb, lock))
    text = str(caught.value)
    assert "positive.locked_capacity_mah_per_g" in text, text
    assert "zhang2026-lb" in text, text
