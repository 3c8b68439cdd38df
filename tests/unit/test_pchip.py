import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from equipoise.spec.pchip import pchip, pchip_slopes


def knots(seed, *, monotone):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.01, 2.0, 30))
    y = np.cumsum(rng.exponential(1.0, 30)) if monotone else rng.normal(size=30)
    return x, y


@pytest.mark.parametrize("monotone", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_interpolant_is_that_of_scipy(seed, monotone):
    x, y = knots(seed, monotone=monotone)
    at = np.linspace(x[0], x[-1], 1001)
    np.testing.assert_allclose(
        pchip(x, y, at), PchipInterpolator(x, y)(at), rtol=1e-12, atol=1e-12
    )


def test_slopes_at_the_knots_are_those_of_scipy():
    x, y = knots(7, monotone=False)
    np.testing.assert_allclose(
        pchip_slopes(x, y), PchipInterpolator(x, y).derivative()(x), atol=1e-12
    )


def test_flat_knots_give_a_flat_interpolant():
    x = np.arange(6.0)
    y = np.array([0.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    between = pchip(x, y, np.linspace(1.0, 3.0, 50))
    assert np.ptp(between) < 1e-15


def test_beyond_the_knots_the_end_slope_goes_on():
    x, y = knots(3, monotone=True)
    slopes = pchip_slopes(x, y)
    out = pchip(x, y, np.array([x[0] - 2.0, x[-1] + 2.0]))
    np.testing.assert_allclose(
        out, [y[0] - 2.0 * slopes[0], y[-1] + 2.0 * slopes[-1]], rtol=1e-12
    )
