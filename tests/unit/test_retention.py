"""Retention, cycle life, fade and efficiency over like cycles."""

import math

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.retention import (
    cycle_life,
    efficiency_statistics,
    fade_rate,
    retention,
)
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError

MASS_G = 0.01


def table(capacity, *, first=1, kinds="ageing", complete=True, **more):
    """Cycle table of capacities in mAh/g, with successive numbers."""
    capacity = np.asarray(capacity, dtype=float)
    n = capacity.size
    number = np.arange(first, first + n) if np.isscalar(first) else first
    return pl.DataFrame(
        {
            "cycle_count": number,
            "cycle_kind": [kinds] * n if isinstance(kinds, str) else kinds,
            "complete": [complete] * n if isinstance(complete, bool) else complete,
            "discharging_capacity_ah": capacity * MASS_G * 1e-3,
            "discharging_capacity_mah_per_g_positive": capacity,
            **more,
        }
    )


def after_rate_block(ageing, rate=(203.0, 195.0, 178.0, 160.0, 134.0)):
    kinds = ["rate step"] * len(rate) + ["ageing"] * len(ageing)
    return table([*rate, *ageing], kinds=kinds)


# --- the reference


def test_the_reference_is_the_first_cycle_after_the_rate_block():
    """zhang2026, HB at 1C: 111 mAh/g are ~69 % of 161, not of 203 or 160."""
    found = retention(after_rate_block([161.0, 150.0, 111.0]))
    assert found["cycle_count"].to_list() == [6, 7, 8]
    assert found["ageing_cycle_count"].to_list() == [0, 1, 2]
    assert found["capacity_retention"][0] == 1.0
    assert found["capacity_retention"][2] == pytest.approx(0.69, abs=0.005)


def test_printed_retention_of_120_cycles_counts_from_the_first():
    """zhang2026 Fig. 2c: 199 to 169 mAh/g is ~85 %, without any rate block."""
    found = retention(table([199.0, 169.0], first=[1, 120]))
    assert found["capacity_retention"][1] == pytest.approx(0.85, abs=0.005)
    assert found["ageing_cycle_count"][1] == 119


def test_a_rate_test_at_the_end_of_life_does_not_move_the_reference():
    kinds = ["formation", "ageing", "ageing", "rate step"]
    found = retention(table([220.0, 200.0, 150.0, 160.0], kinds=kinds))
    assert found["cycle_count"].to_list() == [2, 3]


def test_ageing_before_the_rate_block_is_warned_of():
    kinds = ["formation", "ageing", "ageing", "rate step", "ageing", "ageing"]
    cycles = table([210.0, 200.0, 190.0, 150.0, 180.0, 170.0], kinds=kinds)
    with pytest.warns(EquipoiseWarning, match=r"cycle 5.*2 like cycles.*reference=2"):
        assert retention(cycles)["cycle_count"].to_list() == [5, 6]
    given = retention(cycles, reference=2)
    assert given["cycle_count"].to_list() == [2, 3, 5, 6]
    assert given["capacity_retention"][-1] == pytest.approx(0.85)


def test_an_incomplete_first_cycle_is_no_reference():
    cycles = table([20.0, 200.0, 190.0], complete=[False, True, True])
    assert retention(cycles)["cycle_count"].to_list() == [2, 3]


def test_a_null_in_complete_or_kind_does_not_count():
    cycles = table(
        [200.0, 199.0, 198.0],
        complete=[True, None, True],
        kinds=["ageing", "ageing", None],
    )
    assert retention(cycles)["cycle_count"].to_list() == [1]


def test_a_reference_of_another_kind_is_warned_of():
    cycles = after_rate_block([160.0, 150.0])
    with pytest.warns(EquipoiseWarning, match="cycle 4 is a 'rate step' cycle"):
        found = retention(cycles, reference=4)
    assert found["ageing_cycle_count"].to_list() == [2, 3]
    assert found["capacity_retention"].to_list() == [1.0, 150.0 / 160.0]


def test_all_complete_cycles_need_no_kinds():
    cycles = table([200.0, 100.0]).drop("cycle_kind")
    assert retention(cycles, kinds=None)["capacity_retention"].to_list() == [1.0, 0.5]


def test_check_ups_can_be_compared_with_each_other():
    kinds = ["rate step", "ageing", "check-up", "ageing", "check-up"]
    cycles = table([150.0, 100.0, 200.0, 90.0, 190.0], kinds=kinds)
    found = retention(cycles, kinds="check-up")
    assert found["cycle_count"].to_list() == [3, 5]
    assert found["capacity_retention"][1] == 0.95


def test_other_currents_are_warned_of():
    current = [1e-3, 1e-3, 2e-3, math.nan]
    cycles = table([200.0] * 4, discharge_current_ampere=current)
    with pytest.warns(EquipoiseWarning, match="1 of 4 cycles, the first is 3"):
        retention(cycles)


def test_rows_may_be_in_any_order():
    cycles = table([200.0, 190.0, 180.0])
    assert retention(cycles.reverse()).equals(retention(cycles))


# --- life


def test_life_is_interpolated_between_the_neighbours():
    life = cycle_life(after_rate_block([160.0, 132.0, 124.0, 120.0, 119.0]))
    assert life.life_cycle_count == pytest.approx(1.5)  # 128 between 132 and 124
    assert life.absolute_life_cycle_count == pytest.approx(7.5)
    assert (life.lower_bound_cycle_count, life.upper_bound_cycle_count) == (1, 2)
    assert life.reference_cycle_count == 6
    assert life.reference_capacity_mah_per_g_positive == 160.0
    assert life.reference_capacity_ah == pytest.approx(160e-3 * MASS_G)
    assert not life.censored
    assert "cycle 6" in life.rule
    assert "80 %" in life.rule


def test_without_interpolation_it_is_the_first_cycle_below():
    cycles = table([160.0, 132.0, 124.0, 120.0, 119.0])
    assert cycle_life(cycles, interpolate=False).life_cycle_count == 2.0


def test_a_capacity_at_the_threshold_is_not_below_it():
    cycles = table([200.0, 160.0, 160.0, 159.0, 158.0, 157.0])
    life = cycle_life(cycles)
    assert life.life_cycle_count == 2.0
    assert life.lower_bound_cycle_count == 2.0


def test_one_outlier_is_not_the_end_of_life():
    cycles = table([200.0, 100.0, 199.0, 198.0, 150.0, 149.0, 148.0])
    assert cycle_life(cycles).lower_bound_cycle_count == 3.0
    assert cycle_life(cycles, consecutive_count=1).lower_bound_cycle_count == 0.0


def test_recovery_after_a_check_up_postpones_the_end():
    kinds = ["ageing"] * 3 + ["check-up"] + ["ageing"] * 4
    capacity = [200.0, 158.0, 157.0, 190.0, 165.0, 159.0, 158.0, 150.0]
    life = cycle_life(table(capacity, kinds=kinds))
    assert life.lower_bound_cycle_count == 4.0  # check-ups count as cycles made
    assert life.upper_bound_cycle_count == 5.0
    assert not life.recovers


def test_recovery_after_the_end_of_life_is_said():
    cycles = table([200.0, 150.0, 149.0, 148.0, 170.0])
    life = cycle_life(cycles)
    assert life.upper_bound_cycle_count == 1.0
    assert life.recovers


def test_capacity_that_rises_first_keeps_its_reference():
    cycles = table([200.0, 210.0, 220.0, 164.0, 156.0, 150.0, 149.0])
    assert retention(cycles)["capacity_retention"].max() == pytest.approx(1.1)
    assert cycle_life(cycles).life_cycle_count == pytest.approx(3.5)


def test_missing_cycles_widen_the_bounds():
    cycles = table([200.0, 180.0, 140.0, 139.0, 138.0], first=[1, 11, 31, 32, 33])
    life = cycle_life(cycles)
    assert (life.lower_bound_cycle_count, life.upper_bound_cycle_count) == (10, 30)
    assert life.life_cycle_count == pytest.approx(20.0)


def test_incomplete_cycles_do_not_end_a_life():
    capacity = [200.0, 190.0, 10.0, 9.0, 8.0, 189.0]
    complete = [True, True, False, False, False, True]
    life = cycle_life(table(capacity, complete=complete))
    assert life.censored
    assert life.last_cycle_count == 5


def test_a_life_not_reached_is_censored():
    life = cycle_life(table([200.0, 195.0, 190.0]))
    assert life.censored
    assert math.isnan(life.life_cycle_count)
    assert math.isnan(life.absolute_life_cycle_count)
    assert (life.lower_bound_cycle_count, life.last_cycle_count) == (2.0, 2)
    assert life.upper_bound_cycle_count == math.inf


def test_too_few_cycles_below_confirm_nothing():
    life = cycle_life(table([200.0, 170.0, 150.0, 149.0]))
    assert life.censored
    assert life.unconfirmed_count == 2
    assert life.lower_bound_cycle_count == 1.0
    assert life.last_cycle_count == 3


def test_a_reference_outside_the_like_cycles_begins_the_life():
    cycles = after_rate_block([150.0, 149.0, 148.0])
    with pytest.warns(EquipoiseWarning, match="unlike"):
        life = cycle_life(cycles, reference=1)
    assert 0.0 < life.life_cycle_count < 5.0
    assert life.upper_bound_cycle_count == 5.0


def test_noise_gives_an_earliest_and_a_latest_life():
    cycles = table(200.0 - np.arange(60.0))  # 0.5 % of the reference per cycle
    life = cycle_life(cycles, uncertainty_retention=0.01)
    assert life.life_cycle_count == pytest.approx(40.0)
    assert life.earliest_life_cycle_count == pytest.approx(38.0)
    assert life.latest_life_cycle_count == pytest.approx(42.0)
    none = cycle_life(cycles)
    assert none.earliest_life_cycle_count == none.latest_life_cycle_count
    cut = cycle_life(cycles.head(44), uncertainty_retention=0.02)
    assert cut.latest_life_cycle_count == math.inf


# --- fade and efficiency


def test_a_straight_fade_has_its_slope():
    fade = fade_rate(table(200.0 - 0.5 * np.arange(30.0)))
    assert fade.fade_per_cycle_percent == pytest.approx(0.25)
    assert fade.cycles_count == 30


def test_one_outlier_does_not_move_the_fade():
    capacity = 200.0 - 0.5 * np.arange(31.0)
    capacity[15] = 10.0
    fade = fade_rate(table(capacity))
    assert fade.fade_per_cycle_percent == pytest.approx(0.25, rel=0.01)
    assert fade.low_fade_per_cycle_percent <= fade.fade_per_cycle_percent
    assert fade.fade_per_cycle_percent <= fade.high_fade_per_cycle_percent


def test_the_interval_of_a_noisy_fade_holds_the_true_slope():
    rng = np.random.default_rng(4)
    capacity = 200.0 - 0.1 * np.arange(200.0) + rng.normal(0.0, 1.0, 200)
    capacity[0] = 200.0
    fade = fade_rate(table(capacity))
    assert fade.low_fade_per_cycle_percent < 0.05 < fade.high_fade_per_cycle_percent
    assert fade.high_fade_per_cycle_percent - fade.low_fade_per_cycle_percent < 0.01


def test_fade_counts_only_the_stretch_asked_for():
    capacity = np.concatenate((200.0 - np.arange(10.0), 191.0 - 3.0 * np.arange(1, 11)))
    fade = fade_rate(table(capacity), between=(9, 19))
    assert fade.fade_per_cycle_percent == pytest.approx(1.5)
    assert (fade.first_ageing_cycle_count, fade.last_ageing_cycle_count) == (9, 19)


def test_thinning_a_long_series_keeps_its_slope():
    fade = fade_rate(table(200.0 - 0.01 * np.arange(5000.0)))
    assert fade.fade_per_cycle_percent == pytest.approx(0.005)
    assert fade.cycles_count == 5000


def test_fade_needs_three_cycles():
    with pytest.raises(DataError, match="found 2 between 1 and 2 of 4"):
        fade_rate(table([4.0, 3.0, 2.0, 1.0]), between=(1, 2))


def test_efficiency_is_that_of_like_cycles_only():
    kinds = ["formation", "ageing", "check-up", "ageing", "ageing"]
    values = [0.88, 0.99, 7.5, 0.97, math.nan]
    cycles = table([200.0] * 5, kinds=kinds, coulombic_efficiency=values)
    found = efficiency_statistics(cycles)
    assert found.cycles_count == 2
    assert found.mean_coulombic_efficiency == pytest.approx(0.98)
    assert found.median_coulombic_efficiency == pytest.approx(0.98)
    assert found.standard_deviation_coulombic_efficiency == pytest.approx(
        0.02 / math.sqrt(2.0)
    )
    one = efficiency_statistics(cycles.head(2))
    assert math.isnan(one.standard_deviation_coulombic_efficiency)


# --- bad input


@pytest.mark.parametrize("capacity", [math.nan, 0.0, None, math.inf])
def test_a_reference_without_capacity_is_refused(capacity):
    cycles = table([200.0, 190.0]).with_columns(
        discharging_capacity_mah_per_g_positive=pl.Series([capacity, 190.0])
    )
    with pytest.raises(DataError, match="of the reference cycle 1 is"):
        retention(cycles, reference=1, kinds=None)


def test_a_first_cycle_of_zero_capacity_is_refused():
    with pytest.raises(DataError, match="reference cycle 1 is 0"):
        retention(table([0.0, 190.0]))


@pytest.mark.parametrize(
    ("cycles", "message"),
    [
        (table([]), "no rows"),
        (table([1.0]).drop("cycle_kind"), "classify"),
        (table([1.0]).drop("complete"), "classify"),
        (table([1.0], complete=False), "none of the 1 cycles is complete"),
        (table([1.0], kinds="pulse"), "no complete cycle is of kind ageing; found: pu"),
        (table([2.0, 1.0], first=[7, 7]), "cycle 7 is in the table 2 times"),
        (table([1.0], first=[1.0]), "whole numbers"),
        (table([1.0, 1.0], first=[1, None]), "1 nulls"),
        (table([math.nan]), "missing in every like cycle"),
        (table([2.0, -1.0]), "= -1 < 0 in cycle 2"),
    ],
)
def test_a_bad_table_is_refused(cycles, message):
    with pytest.raises(DataError) as refused:
        cycle_life(cycles)
    assert message in str(refused.value)


def test_a_missing_specific_capacity_says_what_gives_it():
    cycles = table([1.0]).drop("discharging_capacity_mah_per_g_positive")
    with pytest.raises(DataError, match="give positive_active_mass_mg"):
        retention(cycles, quantity="discharging_capacity_mah_per_g_positive")
    life = cycle_life(cycles)
    assert life.quantity == "discharging_capacity_ah"
    assert math.isnan(life.reference_capacity_mah_per_g_positive)


@pytest.mark.parametrize("threshold", [0.0, 1.0, 80.0, -0.1, math.nan])
def test_a_threshold_outside_0_to_1_is_refused(threshold):
    with pytest.raises(SpecError, match=r"0\.8 is 80 %"):
        cycle_life(table([1.0]), threshold_retention=threshold)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"consecutive_count": 0}, "consecutive_count = 0"),
        ({"uncertainty_retention": 0.9}, "uncertainty_retention"),
        (
            {"quantity": "discharging_capacity"},
            "did you mean 'discharging_capacity_ah'",
        ),
        ({"reference": "first"}, "neither 'auto' nor"),
    ],
)
def test_a_wrong_argument_is_refused(arguments, message):
    with pytest.raises(SpecError, match=message):
        cycle_life(table([1.0]), **arguments)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (9, r"9 is not in the table \(cycles 1 to 3\)"),
        (2, "2 is not complete"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(reference, message):
    cycles = table([1.0, 1.0, 1.0], complete=[True, False, True])
    with pytest.raises(DataError, match=message):
        retention(cycles, reference=reference)


def test_a_reference_after_all_like_cycles_is_refused():
    cycles = table([2.0, 1.0], kinds=["ageing", "check-up"])
    with pytest.raises(DataError, match="no like cycle comes after"):
        retention(cycles, reference=2)
