"""Matrices of the distribution: adaptive quadrature, printed numbers, py_func."""

import numpy as np
import pytest
from scipy.integrate import quad

from drt_surrogates import CLEANED, FREQUENCY, S1, reference_penalty
from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.problem import basis_impedance, basis_of
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.kernels import active_set, drt, truncated

DRTTOOLS = DrtSettings(collocation="drttools", inductance="none")
UNEVEN = 10.0 ** np.sort(np.random.default_rng(0).uniform(-3.0, 9.0, 9))[::-1]


def impedance_of_one(frequency, tau, epsilon):
    """Of exp(-(eps ln(tau'/tau))^2), by quad over ln tau' without rearrangement."""

    def part(real):
        def f(y):
            z = 1.0 / (1.0 + 2j * np.pi * frequency * tau * np.exp(y))
            return np.exp(-((epsilon * y) ** 2)) * (z.real if real else z.imag)

        turn = -np.log(2.0 * np.pi * frequency * tau)  # where 1 / (1 + j w tau') bends
        reach = 7.0 / epsilon
        points = [turn] if abs(turn) < reach else None
        return quad(f, -reach, reach, points=points, epsabs=1e-14, limit=400)[0]

    return part(True), part(False)


@pytest.mark.parametrize("epsilon", [0.5, 3.615738735, 12.0])
@pytest.mark.parametrize(
    ("frequency", "tau"),
    [
        (FREQUENCY[::14], 1.0 / FREQUENCY[::14]),
        (UNEVEN, 10.0 ** np.random.default_rng(1).uniform(-9.0, 3.0, 7)),
    ],
    ids=["uniform", "arbitrary"],
)
def test_impedance_of_a_basis_function_is_its_integral(frequency, tau, epsilon):
    real, imaginary = basis_impedance(frequency, tau, epsilon)
    area = np.sqrt(np.pi) / epsilon
    for n, f in enumerate(frequency):
        for m, t in enumerate(tau):
            a, b = impedance_of_one(f, t, epsilon)
            assert real[n, m] == pytest.approx(a, abs=1e-12 * area)
            assert imaginary[n, m] == pytest.approx(b, abs=1e-12 * area)


def test_equal_differences_are_not_mistaken_on_uneven_grids():
    # a uniform grid with one point moved: entries after it may not be copied
    f = FREQUENCY[:12].copy()
    f[5] *= 1.01
    tau = 1.0 / FREQUENCY[:12]
    whole = basis_impedance(f, tau, 3.6)
    for n in range(12):
        row = basis_impedance(f[n : n + 1], tau, 3.6)
        np.testing.assert_allclose(whole[0][n], row[0][0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(whole[1][n], row[1][0], rtol=0, atol=1e-12)


def test_far_from_its_frequency_a_basis_function_is_a_resistor_or_nothing():
    area = np.sqrt(np.pi) / 3.6
    tau = np.array([1.0])
    low, low_imaginary = basis_impedance(np.array([1e-300]), tau, 3.6)
    high, high_imaginary = basis_impedance(np.array([1e300]), tau, 3.6)
    assert low[0, 0] == pytest.approx(area, rel=1e-14)
    assert abs(low_imaginary[0, 0]) < 1e-200
    assert 0.0 <= high[0, 0] < 1e-15
    assert abs(high_imaginary[0, 0]) < 1e-200


def derivative(y, epsilon, order):
    """Of exp(-(eps y)^2), by hand."""
    bell, e2 = np.exp(-((epsilon * y) ** 2)), epsilon**2
    if order == 1:
        return -2.0 * e2 * y * bell
    return (4.0 * e2 * e2 * y * y - 2.0 * e2) * bell


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("epsilon", [0.5, 3.615738735])
def test_the_penalty_is_the_integral_of_the_derivatives(order, epsilon):
    log_tau = np.array([0.0, 0.23, 0.31, 1.0, 4.0])
    out = np.empty((5, 5))
    drt.penalty(log_tau, epsilon, order, out)
    for i, a in enumerate(log_tau):
        for j, b in enumerate(log_tau):
            expected, _ = quad(
                lambda y, a=a, b=b: (
                    derivative(y - a, epsilon, order)
                    * derivative(y - b, epsilon, order)
                ),
                -8.0 / epsilon,
                4.0 + 8.0 / epsilon,
                epsabs=1e-13,
                limit=300,
            )
            assert out[i, j] == pytest.approx(expected, abs=1e-11 * epsilon**3 + 1e-12)
    np.testing.assert_allclose(
        out, reference_penalty(np.exp(log_tau), epsilon, order), rtol=1e-12, atol=1e-13
    )
    assert np.linalg.eigvalsh(out).min() > -1e-12 * np.abs(out).max()


def test_printed_matrices_of_drttools():
    basis = basis_of(FREQUENCY, DRTTOOLS)
    assert basis.shape_factor_ratio == pytest.approx(3.615738735089, abs=5e-13)
    half = 5e-9  # half a unit of the last printed digit
    rows = (
        (basis.real[0], (0.01299219, 0.00829126, 0.00526956), half),
        (basis.imaginary[0], (-0.07725513, -0.06201727, -0.0495951), half),
        (basis.penalty[0, :2], (4.53165647, 0.98326844), 2 * half),
    )
    for row, printed, tolerance in rows:
        np.testing.assert_allclose(row[: len(printed)], printed, rtol=0, atol=tolerance)


def test_the_penalty_two_points_apart_in_closed_form():
    # two spacings are a = 2 sqrt(ln 2): (1 - 4 ln 2) / 4 of the diagonal
    row = basis_of(FREQUENCY, DRTTOOLS).penalty[0]
    assert row[2] / row[0] == pytest.approx(0.25 - np.log(2.0), rel=1e-12)


def test_printed_distribution_of_drttools():
    """Noise-free S1 without inductance and tail: the optimum, not cvxopt's stop."""
    d = distribution(CLEANED.spectrum(), DRTTOOLS, tail="none")
    assert d.series_resistance_ohm == pytest.approx(14.30709926, abs=5e-9)
    # 3.16e-2 and 0.316 s are printed roundings of the grid points 10^-1.5, 10^-0.5
    gamma = d.gamma_at([1e-6, 10**-1.5, 10**-0.5])
    np.testing.assert_allclose(gamma, [13.408460, 14.434596, 15.394396], atol=5e-7)
    assert d.inductance_henry == 0.0
    assert d.kkt_residual_ratio <= 1e-8


def test_the_spectral_shape_factor_is_that_of_the_manual():
    # FWHM = spacing / coefficient: 0.2 decade at ten points per decade and 0.5
    basis = basis_of(FREQUENCY, DrtSettings())
    width = 2.0 * np.sqrt(np.log(2.0)) / basis.shape_factor_ratio / np.log(10.0)
    assert width == pytest.approx(0.2, rel=1e-12)


def test_the_extended_grid_ends_where_it_says():
    tau = basis_of(FREQUENCY, DrtSettings()).tau_second
    assert tau[-1] == pytest.approx(1.0 / (2 * np.pi * 0.1), rel=1e-12)
    assert tau[0] == pytest.approx(0.1 / (2 * np.pi * 1e6), rel=1e-9)
    assert tau.size == 81
    np.testing.assert_allclose(np.diff(np.log10(tau)), 0.1, rtol=1e-9)
    flush = basis_of(FREQUENCY, DrtSettings(short_side_decades_count=0.0)).tau_second
    np.testing.assert_allclose(flush, tau[10:], rtol=1e-12)
    theirs = basis_of(FREQUENCY, DRTTOOLS).tau_second
    np.testing.assert_allclose(theirs, 1.0 / FREQUENCY, rtol=1e-14)


def test_basis_and_penalty_are_their_python_source():
    log_omega, log_tau = np.log(2 * np.pi * UNEVEN), -np.log(UNEVEN[::-1])
    y, weight = drt.quadrature(3.6)
    results = []
    for function in (drt.basis, drt.basis.py_func):
        for grid in (log_omega, np.linspace(14.0, -1.0, 9)):
            real, imaginary = np.empty((9, 9)), np.empty((9, 9))
            function(grid, -grid[::-1] + 0.3, y, weight, real, imaginary)
            results.append((real, imaginary))
    for compiled, python in zip(results[:2], results[2:], strict=True):
        np.testing.assert_allclose(compiled, python, rtol=1e-12, atol=1e-16)
    for order in (1, 2):
        compiled, python = np.empty((9, 9)), np.empty((9, 9))
        drt.penalty(log_tau, 3.6, order, compiled)
        drt.penalty.py_func(log_tau, 3.6, order, python)
        # the polynomial cancels near its roots
        np.testing.assert_allclose(compiled, python, rtol=1e-12, atol=1e-12)


def test_the_active_set_is_its_python_source():
    basis = basis_of(FREQUENCY, DrtSettings())
    z = S1.spectrum(1e-3).impedance_ohm
    H = basis.gram + 1e-4 * basis.penalty
    scale = 1.0 / np.sqrt(np.diag(H))
    H = H * scale[:, None] * scale
    c = (z.real @ basis.real + z.imag @ basis.imaginary) * scale
    n = c.size
    C = np.stack([c, c[::-1]])
    answers = []
    for function in (
        active_set.nonnegative_series,
        active_set.nonnegative_series.py_func,
    ):
        X, Y, status = np.empty_like(C), np.empty_like(C), np.empty(2, np.int64)
        work = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
        function(H, C, 1e-10, c > 0.0, X, Y, *work, status)
        assert not status.any()
        answers.append(X)
    # condition of H times rounding
    close = 1e-14 * np.linalg.cond(H) * answers[0].max()
    np.testing.assert_allclose(answers[0], answers[1], rtol=0, atol=close)
    np.testing.assert_array_equal(answers[0] > 0.0, answers[1] > 0.0)


def test_one_problem_is_its_python_source():
    draw = np.random.default_rng(2)
    A = draw.standard_normal((20, 8))
    A /= np.linalg.norm(A, axis=0)
    H = A.T @ A
    for c in (A.T @ draw.standard_normal(20), np.zeros(8), np.full(8, np.nan)):
        answers = []
        for function in (active_set.nonnegative, active_set.nonnegative.py_func):
            x, y = np.zeros(8), np.zeros(8)
            work = np.empty((8, 8)), np.empty(8), np.empty(8, np.int64)
            status = function(H, c, 1e-10, np.ones(8, bool), x, y, *work)
            answers.append((status, *x, *y))
        np.testing.assert_allclose(answers[0], answers[1], rtol=1e-10, atol=1e-14)


def test_samples_are_their_python_source():
    draw = np.random.default_rng(3)
    root = draw.standard_normal((5, 5))
    S = root @ root.T + np.eye(5)
    mean, normals = np.array([1.0, -1.0, 0.2, -0.3, 3.0]), draw.standard_normal((60, 5))
    answers = []
    for function in (truncated.sample, truncated.sample.py_func):
        out = np.empty_like(normals)
        start = np.ones(5)
        L = np.linalg.cholesky(S)
        work = np.empty((3, 5))
        assert function(mean, S, L, start, normals, out, work, 10**6) == 60
        answers.append(out)
    # a trajectory repeats its bounces; rounding grows along it, slowly
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-8, atol=1e-8)
