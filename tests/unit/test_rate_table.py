"""Blocks of a rate test, normalised capacity, recovery."""

import math

import numpy as np
import polars as pl
import pytest
from test_retention import table

from equipoise.analysis.rate import rate_recovery, rate_table
from equipoise.core.errors import DataError, SpecError

ONE_C = 2e-3
HB = {0.1: 204.0, 1.0: 164.0, 2.0: 141.0, 5.0: 96.0}  # zhang2026, sec. 2.4
LB = {0.1: 199.0, 1.0: 147.0, 2.0: 125.0, 5.0: 85.0}


def rate_test(rates, capacity, *, cycles_each=3, fade=0.0, kinds="rate step", **more):
    """Cycle table of blocks; the capacity of the last cycle of each is as given."""
    rate = np.repeat(rates, cycles_each).astype(float)
    last = np.tile(np.arange(cycles_each)[::-1], len(rates))
    values = np.repeat([float(c) for c in capacity], cycles_each) + fade * last
    columns = {
        "charge_current_ampere": rate * ONE_C,
        "discharge_current_ampere": rate * ONE_C,
        "charge_c_rate": rate,
        "discharge_c_rate": rate,
        "mean_charging_voltage_volt": 2.3 + 0.05 * rate,
        "mean_discharging_voltage_volt": 2.3 - 0.04 * rate,
    }
    return table(values, kinds=kinds, **(columns | more))


def test_each_rate_is_one_block_and_its_last_cycle_counts():
    found = rate_table(rate_test(list(HB), HB.values(), fade=2.0))
    assert found["block_index"].to_list() == [1, 2, 3, 4]
    assert found["discharge_c_rate"].to_list() == list(HB)
    assert found["first_cycle_count"].to_list() == [1, 4, 7, 10]
    assert found["last_cycle_count"].to_list() == [3, 6, 9, 12]
    assert found["last_used_cycle_count"].to_list() == [3, 6, 9, 12]
    assert found["first_used_cycle_count"].to_list() == [3, 6, 9, 12]
    assert found["cycles_count"].to_list() == [3, 3, 3, 3]
    capacity = found["discharging_capacity_mah_per_g_positive"].to_list()
    assert capacity == list(HB.values())
    assert found["polarisation_volt"].to_list() == pytest.approx(
        [0.09 * rate for rate in HB]
    )


def test_the_mean_takes_all_complete_cycles_of_a_block():
    complete = [True] * 12
    complete[4] = False
    cycles = rate_test(list(HB), HB.values(), fade=2.0, complete=complete)
    found = rate_table(cycles, use="mean")
    capacity = found["discharging_capacity_mah_per_g_positive"].to_list()
    assert capacity == pytest.approx([206.0, 166.0, 143.0, 98.0])
    assert found["cycles_count"].to_list() == [3, 2, 3, 3]
    assert found["first_used_cycle_count"].to_list() == [1, 4, 7, 10]


def test_the_last_cycle_of_a_block_is_the_last_complete_one():
    complete = [True] * 11 + [False]
    found = rate_table(rate_test(list(HB), HB.values(), fade=2.0, complete=complete))
    assert found["last_used_cycle_count"][3] == 11
    assert found["discharging_capacity_mah_per_g_positive"][3] == 98.0


def test_normalised_capacity_is_relative_to_the_first_block():
    found = rate_table(rate_test(list(HB), HB.values()))
    assert found["capacity_retention"].to_list() == pytest.approx(
        [1.0, 164 / 204, 141 / 204, 96 / 204]
    )


def test_printed_capacities_are_nearly_identical_relative_to_1c_not_to_0_1c():
    """zhang2026 Fig. 4f does not say what it is normalised by."""

    def apart(rate):
        hb, lb = (
            rate_table(rate_test(list(c), c.values()), normalise_to=rate)
            for c in (HB, LB)
        )
        difference = hb["capacity_retention"] - lb["capacity_retention"]
        return difference.slice(1).abs().max()  # from 1C on

    assert apart(1.0) < 0.015
    assert apart(0.1) > 0.06


def test_one_can_normalise_to_any_rate():
    cycles = rate_test([0.1, 0.2, 1.0, 0.2], [200.0, 190.0, 150.0, 188.0])
    found = rate_table(cycles, normalise_to=0.2)
    assert found["capacity_retention"].to_list() == pytest.approx(
        [200 / 190, 1.0, 150 / 190, 188 / 190]
    )


def test_a_charging_capacity_can_be_normalised_too():
    charge = np.repeat([210.0, 105.0], 3)
    cycles = rate_test([0.1, 1.0], [200.0, 150.0], charging_capacity_ah=charge)
    found = rate_table(cycles, quantity="charging_capacity_ah")
    assert found["capacity_retention"].to_list() == [1.0, 0.5]


def test_recovery_is_the_last_block_at_the_first_rate():
    rates = [0.1, 1.0, 5.0, 0.1, 1.0, 5.0, 0.1, 1.0]
    capacity = [200.0, 150.0, 90.0, 198.0, 148.0, 88.0, 194.0, 147.0]
    found = rate_recovery(rate_table(rate_test(rates, capacity)))
    assert found.recovery_retention == pytest.approx(0.97)
    assert (found.first_block_index, found.last_block_index) == (1, 7)
    assert found.cycles_between_count == 18
    other = rate_table(rate_test(rates, capacity), normalise_to=1.0)
    assert rate_recovery(other).recovery_retention == pytest.approx(0.97)


def test_a_test_that_does_not_come_back_has_no_recovery():
    rates = rate_table(rate_test([0.1, 1.0], [200.0, 150.0]))
    with pytest.raises(DataError, match=r"discharge_c_rate = 0\.1, 1"):
        rate_recovery(rates)


def test_recovery_at_another_charge_rate_is_none():
    charge = np.repeat([0.1, 0.1, 1.0], 3) * ONE_C
    cycles = rate_test([0.1, 1.0, 0.1], [200.0, 150.0, 180.0])
    cycles = cycles.with_columns(charge_current_ampere=pl.Series(charge))
    with pytest.raises(DataError, match="does not come back"):
        rate_recovery(rate_table(cycles))


def test_without_1c_blocks_are_found_by_their_currents():
    cycles = rate_test([0.1, 1.0, 0.1], [200.0, 150.0, 199.0])
    found = rate_table(cycles.drop("charge_c_rate", "discharge_c_rate"))
    assert found["discharge_current_ampere"].to_list() == pytest.approx(
        [0.1 * ONE_C, ONE_C, 0.1 * ONE_C]
    )
    assert found["discharge_c_rate"].is_nan().all()
    assert rate_recovery(found).recovery_retention == pytest.approx(0.995)


def test_a_charge_of_another_current_is_another_block():
    charge = np.repeat([0.1, 0.5], 3) * ONE_C
    cycles = rate_test([0.1, 0.1], [200.0, 190.0])
    cycles = cycles.with_columns(charge_current_ampere=pl.Series(charge))
    assert rate_table(cycles).height == 2


def test_a_current_that_drifts_is_one_block():
    """A hold at constant voltage lowers the mean current from cycle to cycle."""
    cycles = rate_test([1.0], [150.0], cycles_each=10)
    drift = pl.Series(ONE_C * 0.95 ** np.arange(10))
    cycles = cycles.with_columns(charge_current_ampere=drift)
    assert rate_table(cycles).height == 1
    assert rate_table(cycles, same_rate_ratio=0.04).height == 10


def test_a_current_that_is_never_known_divides_nothing():
    cycles = rate_test([0.1, 1.0, 0.1], [200.0, 150.0, 199.0])
    cycles = cycles.with_columns(charge_current_ampere=math.nan)
    found = rate_table(cycles)
    assert found.height == 3
    assert rate_recovery(found).last_block_index == 3


def test_another_kind_between_ends_a_block_an_incomplete_cycle_does_not():
    kinds = ["rate step"] * 2 + ["check-up"] + ["rate step"] * 3
    cycles = rate_test([1.0], [150.0], cycles_each=6, kinds=kinds)
    assert rate_table(cycles)["last_cycle_count"].to_list() == [2, 6]
    incomplete = cycles.with_columns(complete=pl.col("cycle_kind") != "check-up")
    assert rate_table(incomplete)["cycles_count"].to_list() == [5]


def test_formation_and_ageing_can_be_blocks_of_the_test():
    kinds = ["formation"] * 3 + ["rate step"] * 3 + ["ageing"] * 3
    cycles = rate_test([0.1, 1.0, 0.1], [200.0, 150.0, 198.0], kinds=kinds)
    assert rate_table(cycles).height == 1
    whole = rate_table(cycles, kinds=None)
    assert rate_recovery(whole).recovery_retention == pytest.approx(0.99)


def test_columns_that_the_cycle_table_lacks_are_left_out():
    cycles = rate_test([0.1], [200.0]).drop("mean_charging_voltage_volt")
    found = rate_table(cycles)
    assert "mean_charging_voltage_volt" not in found.columns
    assert math.isnan(found["polarisation_volt"][0])


@pytest.mark.parametrize(
    ("cycles", "arguments", "message"),
    [
        (rate_test([], []), {}, "no rows"),
        (rate_test([0.1], [200.0], complete=False), {}, "none of the 3"),
        (rate_test([0.1], [200.0], kinds="ageing"), {}, "found: ageing"),
        (rate_test([0.1], [200.0]), {"normalise_to": 1.0}, "at 1C; found: 0.1"),
        (rate_test([0.1], [0.0]), {}, "which is 100 %, is 0"),
        (
            rate_test([0.1], [200.0]).drop("charge_c_rate", "discharge_c_rate"),
            {"normalise_to": 0.1},
            "give one_c_ma",
        ),
        (
            rate_test([0.1], [200.0]).drop(
                "charge_current_ampere", "discharge_current_ampere"
            ),
            {},
            "needs the column 'discharge_current_ampere'",
        ),
    ],
)
def test_a_bad_table_is_refused(cycles, arguments, message):
    with pytest.raises(DataError) as refused:
        rate_table(cycles, **arguments)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "arguments",
    [{"use": "first"}, {"same_rate_ratio": 15.0}, {"quantity": "voltage_volt"}],
)
def test_a_wrong_argument_is_refused(arguments):
    with pytest.raises(SpecError):
        rate_table(rate_test([0.1], [200.0]), **arguments)
