"""Causality tells Z'' from -Z''."""

import numpy as np
import pytest

from equipoise.io.spectra.quadrant import PROVEN_RATIO, quadrant

F = np.logspace(6, -1, 71)
JW = 2j * np.pi * F


def zarc(ohm, second, exponent):
    return ohm / (1.0 + (JW * second) ** exponent)


CELLS = {
    "one relaxation": 10.0 + zarc(50.0, 1e-3, 1.0),
    "depressed arc": 10.0 + zarc(50.0, 1e-3, 0.8),
    "cell": 12.0
    + zarc(6.0, 3e-7, 0.9)
    + zarc(20.0, 0.02, 0.88)
    + 14.0 * JW**-0.5
    + JW * 2e-7,
    "blocking electrode": 5.0 + 1.0 / (1e-5 * JW**0.95),
    "capacitor": 5.0 + 1.0 / (1e-6 * JW),
    "coil": 5.0 + JW * 1e-6,
    "Warburg": JW**-0.5,
    "inductive loop": 10.0 + zarc(50.0, 1e-5, 0.9) - 20.0 / (1.0 + JW * 0.1),
    "half an arc": 10.0 + 1.0 / (1e-9 * JW**0.85 + 1e-9),
}


def noisy(z, share, seed=1):
    draws = np.random.default_rng(seed).standard_normal((2, z.size))
    return z * (1.0 + share * (draws[0] + 1j * draws[1]))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.01])
def test_a_passive_cell_is_proven_and_its_conjugate_is_refuted(name, share):
    z = noisy(CELLS[name], share)
    assert quadrant(F, z).sign == 1
    assert quadrant(F, z.conj()).sign == -1


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05])
def test_a_resistor_proves_nothing(share):
    assert quadrant(F, noisy(np.full(71, 10.0 + 0j), share)).sign == 0


@pytest.mark.parametrize("points", [8, 12, 71])
def test_noise_alone_never_proves_a_sign(points):
    f = np.geomspace(1e5, 0.1, points)
    rng = np.random.default_rng(3)
    worst = 0.0
    for _ in range(300):
        z = 100.0 + rng.standard_normal(points) + 1j * rng.standard_normal(points)
        found = quadrant(f, z)
        assert found.sign == 0
        worst = max(worst, found.contrast_ratio)
    assert worst < PROVEN_RATIO


@pytest.mark.parametrize("keep", [slice(0, 7), slice(0, 71, 12)])
def test_too_few_points_prove_nothing(keep):
    assert quadrant(F[keep], CELLS["cell"][keep]).sign == 0


def test_a_third_of_a_decade_proves_nothing():
    f = np.geomspace(1.0, 2.0, 20)
    z = 10.0 + 50.0 / (1.0 + 2j * np.pi * f * 0.1)
    assert quadrant(f, z).sign == 0


def test_the_order_of_the_points_does_not_matter():
    z = noisy(CELLS["cell"], 0.01)
    order = np.random.default_rng(0).permutation(F.size)
    one, other = quadrant(F, z), quadrant(F[order], z[order])
    assert one.sign == other.sign
    assert other.residual_ratio == pytest.approx(one.residual_ratio, rel=1e-6)


def test_the_unit_of_the_impedance_does_not_matter():
    z = noisy(CELLS["cell"], 0.01)
    one, other = quadrant(F, z), quadrant(F, 1e-6 * z)
    assert other.residual_ratio == pytest.approx(one.residual_ratio, rel=1e-6)


def test_the_residual_is_the_noise():
    # 71 complex points and 24 coefficients: 1 % in each part leaves
    # 1 % * sqrt(2) * sqrt(1 - 24/142) = 1.29 %, give or take 10 % for one draw
    found = quadrant(F, noisy(CELLS["cell"], 0.01))
    assert found.residual_ratio == pytest.approx(0.0129, rel=0.2)
