"""The integral of the diffusivity and its inverse, also beyond empty and full."""

import numpy as np
import pytest

from equipoise.kernels.particle import _integral, _where_integral

D = np.array([1.0, 4.0, 0.01, 0.5])  # four nodes: nothing hides in a fine table
G = np.concatenate(([0.0], np.cumsum(0.5 * (D[1:] + D[:-1]) / 3.0)))


@pytest.mark.parametrize("x", [-0.3, 0.0, 0.1, 1 / 3, 0.5, 0.65, 0.9, 1.0, 1.2])
def test_integral_of_a_piecewise_linear_diffusivity_and_back(x):
    fine = np.linspace(0.0, x, 100_001)
    expected = np.trapezoid(np.interp(fine, np.linspace(0.0, 1.0, 4), D), fine)
    found, d = _integral(D, G, x)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-14)
    assert d == pytest.approx(np.interp(x, np.linspace(0.0, 1.0, 4), D), rel=1e-12)
    for guess in (0.0, 0.5, 1.0):
        back, d_back = _where_integral(D, G, found, guess)
        assert back == pytest.approx(x, rel=1e-9, abs=1e-12)
        assert d_back == pytest.approx(d, rel=1e-9)
