"""The cut-off kernel against scipy's brentq on the same tables."""

import numpy as np
import pytest
from scipy.optimize import brentq

from equipoise.design.states import discharge_curve, end_of_charge, end_of_discharge
from equipoise.kernels.cutoff import cutoff
from equipoise.spec.inventory import Inventory


def on_table(curve):
    """Linear interpolation of the table, and on with the end slopes, in numpy."""
    x, u = curve.capacity_mah_per_g, curve.potential_vs_li_volt
    left, right = (u[1] - u[0]) / (x[1] - x[0]), (u[-1] - u[-2]) / (x[-1] - x[-2])

    def potential(at):
        if at < x[0]:
            return u[0] + left * (at - x[0])
        if at > x[-1]:
            return u[-1] + right * (at - x[-1])
        return np.interp(at, x, u)

    return potential


def random_inventory(cell, n, seed):
    rng = np.random.default_rng(seed)
    return Inventory.of(
        cell,
        np_ratio=rng.uniform(0.9, 2.0, n),
        positive_active_fraction=rng.uniform(0.7, 1.0, n),
        positive_isolated_at_mah_per_g=rng.uniform(0.0, 227.0, n),
        negative_active_fraction=rng.uniform(0.9, 1.0, n),
        negative_isolated_at_mah_per_g=rng.uniform(0.0, 60.0, n),
        lithium_loss_mah_per_g_positive=rng.uniform(0.0, 10.0, n),
    )


def test_charges_stop_where_brentq_does(lb):
    inventory = random_inventory(lb, 60, 1)
    state = end_of_charge(lb, inventory, strict=False)
    positive = on_table(lb.positive.half_cell.delithiation)
    negative = on_table(lb.negative.half_cell.lithiation)
    a, b = inventory.line(lb)
    solved = np.flatnonzero(state.status == 0)
    assert solved.size > 30
    for i in solved:
        q = brentq(
            lambda q, i=i: positive(q) - negative(a[i] + b[i] * q) - 2.75,
            0.0,
            238.0,
            xtol=1e-13,
            rtol=1e-14,
        )
        # the kernel's tolerance is 1e-11 of q; a slope of 1 mV per mAh/g and the
        # rounding of volts (4e-16) leave 1e-9
        assert state.positive_delithiated_mah_per_g[i] == pytest.approx(q, abs=1e-8)


def test_discharges_stop_where_brentq_does(lb):
    inventory = Inventory.of(lb, np_ratio=np.linspace(0.95, 2.0, 40))
    charged = end_of_charge(lb, inventory)
    state = end_of_discharge(lb, inventory, charged)
    curve = discharge_curve(lb)
    positive = on_table(curve)
    negative = on_table(lb.negative.half_cell.delithiation)
    a, b = (np.broadcast_to(x, 40) for x in inventory.line(lb))
    for i in range(40):
        q = brentq(
            lambda q, i=i: positive(q) - negative(a[i] + b[i] * q) - 1.35,
            curve.start_mah_per_g,
            charged.positive_delithiated_mah_per_g[i],
            xtol=1e-13,
            rtol=1e-14,
        )
        assert state.positive_delithiated_mah_per_g[i] == pytest.approx(q, abs=1e-8)


@pytest.mark.parametrize("seed", range(20))
def test_rough_monotone_tables_are_solved_to_the_last_digit(seed):
    rng = np.random.default_rng(seed)
    u_p = 3.0 + np.cumsum(rng.exponential(0.01, 65) ** 2 * 30.0)
    u_n = 2.0 - np.cumsum(rng.exponential(0.01, 65) ** 2 * 30.0)
    n = 50
    low = u_p[0] - u_n[0]
    high = u_p[-1] - u_n[-1]
    volt = np.linspace(low, high, n + 2)[1:-1]
    q, status = np.empty(n), np.empty(n, np.int8)
    zero, one = np.zeros(n), np.ones(n)
    cutoff(u_p, 0.0, 1.0, u_n, 0.0, 1.0, zero, one, volt, zero, 64 * one, q, status)
    assert (status == 0).all()
    x = np.arange(65.0)
    reached = np.interp(q, x, u_p) - np.interp(q, x, u_n)
    np.testing.assert_allclose(reached, volt, atol=1e-10, rtol=0)


@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("seed", range(5))
def test_a_cut_off_exactly_at_an_end_of_the_bracket_is_that_end(seed, end):
    rng = np.random.default_rng(seed)
    u_p = 3.0 + np.cumsum(rng.uniform(0.001, 0.02, 65))
    u_n = 2.0 - np.cumsum(rng.uniform(0.001, 0.02, 65))
    volt = np.array([u_p[0] - u_n[0] if end == "low" else u_p[-1] - u_n[-1]])
    q, status = np.empty(1), np.empty(1, np.int8)
    zero, one = np.zeros(1), np.ones(1)
    cutoff(u_p, 0.0, 1.0, u_n, 0.0, 1.0, zero, one, volt, zero, 64 * one, q, status)
    assert status[0] == 0
    assert q[0] == pytest.approx(0.0 if end == "low" else 64.0, abs=1e-9)
