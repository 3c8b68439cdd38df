"""Value, slope and integral of tables of known functions."""

import numpy as np
import pytest
from scipy.integrate import quad

from equipoise.spec.curve import Curve


def form(q):
    return 3.5 + 0.002 * q + 0.1 * np.tanh((q - 90.0) / 12.0)


def slope(q):
    return 0.002 + 0.1 / 12.0 / np.cosh((q - 90.0) / 12.0) ** 2


CURVE = Curve.sampled(form, 0.0, 220.0, axis="delithiated")
Q = np.random.default_rng(5).uniform(0.0, 220.0, 2000)
STEP = 220.0 / 8192


def test_linear_interpolation_is_as_good_as_its_step():
    # h^2 / 8 * max|U''|; max|U''| of 0.1 tanh(x/12) is 0.1/144 * 0.77
    bound = STEP**2 / 8.0 * 0.1 / 144.0 * 0.77
    assert np.abs(CURVE.potential(Q) - form(Q)).max() < 1.01 * bound + 1e-14


def test_the_slope_is_second_order():
    # central differences h^2/6 |U'''| and interpolation h^2/8 |U'''|, U''' <= 0.2/12^3
    bound = STEP**2 * (1 / 6 + 1 / 8) * 0.2 / 12.0**3
    inner = Q[(Q > STEP) & (Q < 220.0 - STEP)]
    assert np.abs(CURVE.slope(inner) - slope(inner)).max() < 1.1 * bound


def test_the_slope_is_held_beyond_the_ends():
    assert CURVE.slope(-10.0) == CURVE.slope(0.0)
    assert CURVE.slope(300.0) == CURVE.slope(220.0)


@pytest.mark.parametrize("stop", [0.0, 12.3, 90.0, 219.99, 220.0])
def test_the_integral_is_that_of_the_function(stop):
    exact, _ = quad(form, 0.0, stop, points=[90.0] if stop > 90 else None)
    # the error of trapezoids, a twelfth of h^2 times the change of slope, is 5e-7
    assert CURVE.integral(stop) == pytest.approx(exact, abs=1e-6)


def test_the_integral_of_the_table_is_exact_for_the_table():
    # the derivative of the integral is the piecewise linear value itself
    q = Q[(Q > 1.0) & (Q < 219.0)]
    h = 1e-3
    numeric = (CURVE.integral(q + h) - CURVE.integral(q - h)) / (2.0 * h)
    np.testing.assert_allclose(numeric, CURVE.potential(q), atol=1e-8)


def test_the_integral_goes_on_beyond_the_table_like_the_value():
    for q in (-5.0, 230.0):
        h = 1e-3
        numeric = (CURVE.integral(q + h) - CURVE.integral(q - h)) / (2.0 * h)
        assert numeric == pytest.approx(float(CURVE.potential(q)), abs=1e-8)


@pytest.mark.parametrize("nodes", [1025, 2049, 4097])
def test_halving_the_step_quarters_the_error(nodes):
    coarse, fine = (
        Curve.sampled(form, 0.0, 220.0, axis="delithiated", nodes=n)
        for n in (nodes, 2 * nodes - 1)
    )
    at = Q[(Q > 60) & (Q < 120)]
    ratio = np.abs(coarse.potential(at) - form(at)).max() / (
        np.abs(fine.potential(at) - form(at)).max()
    )
    assert ratio == pytest.approx(4.0, rel=0.05)
