import numpy as np
import pytest

import equipoise as eqp
from equipoise.design.tolerance import DEFAULT_ERRORS, ErrorSource


def test_one_percent_of_lto_costs_what_the_specification_says(lb):
    # specs/balancing.md: about 1.8 mAh/g at n/p 1.1
    row = eqp.tolerance(lb).row(0, named=True)
    assert row["error_in"] == "negative composite mass"
    assert row["charge_change_mah_per_g_positive"] == pytest.approx(1.8, abs=0.05)
    assert row["np_change_ratio"] == pytest.approx(0.011, rel=1e-9)


def test_effects_are_half_the_difference_of_the_exact_answers(lb):
    row = eqp.tolerance(lb).row(0, named=True)
    high, low = (eqp.design_cell(lb.with_np_ratio(1.1 * f)) for f in (1.01, 0.99))
    assert row["charge_change_mah_per_g_positive"] == pytest.approx(
        0.5
        * (high.first_charge_mah_per_g_positive - low.first_charge_mah_per_g_positive)
    )
    assert row["upper_potential_change_millivolt"] == pytest.approx(
        500.0 * (high.upper_potential_vs_li_volt - low.upper_potential_vs_li_volt)
    )


def test_more_positive_has_the_opposite_sign(lb):
    table = eqp.tolerance(lb)
    signs = np.sign(table["charge_change_mah_per_g_positive"].to_numpy())[:-1]
    assert signs.tolist() == [e.np_exponent for e in DEFAULT_ERRORS]


def test_all_together_is_the_root_of_the_sum_of_squares(lb):
    table = eqp.tolerance(lb)
    for name in (
        "charge_change_mah_per_g_positive",
        "upper_potential_change_millivolt",
    ):
        values = table[name].to_numpy()
        assert values[-1] == pytest.approx(np.sqrt(np.sum(values[:-1] ** 2)))
    assert table["error_in"][-1] == "all (root sum of squares)"
    assert table["error_percent"][-1] is None


def test_high_balancing_does_not_mind_weighing_errors(lb, hb):
    low, high = (
        eqp.tolerance(c)["charge_change_mah_per_g_positive"][-1] for c in (lb, hb)
    )
    assert high < 0.02 * low


def test_own_errors_replace_the_default_ones(lb):
    table = eqp.tolerance(lb, (ErrorSource("my scale", 2.0, 1),))
    assert table["error_in"].to_list() == ["my scale", "all (root sum of squares)"]
    assert (
        table["charge_change_mah_per_g_positive"][0]
        == (table["charge_change_mah_per_g_positive"][1])
    )
