"""Compiled kernels give what their Python source says."""

import numpy as np
import pytest

from equipoise.kernels import cutoff as cutoff_module
from equipoise.kernels.cutoff import cutoff
from equipoise.kernels.table import lookup, lookup_held, lookup_integral

RNG = np.random.default_rng(20260105)
U_P = np.cumsum(RNG.uniform(0.0, 0.02, 129)) + 3.0
U_N = 2.0 - np.cumsum(RNG.uniform(0.0, 0.01, 129))


def run(function, cells):
    a, b, volt = cells
    n = a.size
    q, status = np.empty(n), np.empty(n, np.int8)
    function(
        U_P,
        0.0,
        0.6,
        U_N,
        -1.0,
        1.0,
        a,
        b,
        volt,
        np.zeros(n),
        np.full(n, 200.0),
        q,
        status,
    )
    return q, status


def random_cells(n):
    a = RNG.uniform(-2.0, 10.0, n)
    b = RNG.uniform(0.05, 1.0, n)
    volt = RNG.uniform(0.5, 4.5, n)
    volt[::17] = np.nan
    return a, b, volt


def test_cutoff_is_its_python_source():
    cells = random_cells(400)
    q, status = run(cutoff, cells)
    q_python, status_python = run(cutoff.py_func, cells)
    np.testing.assert_array_equal(status, status_python)
    assert {0, 3} < set(status.tolist())
    # the compiler may fuse multiply-adds: equal within the kernel's own tolerance
    np.testing.assert_allclose(q, q_python, rtol=1e-10, atol=1e-10)


def test_the_next_abscissa_is_its_python_source():
    step = cutoff_module._fraction
    for _ in range(200):
        x1, x2, x3 = RNG.uniform(0.0, 1.0, 3)
        g1, g2, g3 = RNG.uniform(0.1, 1.0), -RNG.uniform(0.1, 1.0), RNG.normal()
        arguments = (x1, x2, x3, g1, g2, g3, 1e-9)
        compiled, python = step(*arguments), step.py_func(*arguments)
        assert compiled == pytest.approx(python, rel=1e-9)
        assert 1e-9 <= compiled <= 1.0 - 1e-9


@pytest.mark.parametrize("kernel", [lookup, lookup_held])
def test_look_ups_are_their_python_source(kernel):
    x = np.append(RNG.uniform(-50.0, 300.0, 500), [np.nan, np.inf, -np.inf])
    compiled, python = np.empty_like(x), np.empty_like(x)
    kernel(U_P, 0.0, 0.6, x, compiled)
    kernel.py_func(U_P, 0.0, 0.6, x, python)
    np.testing.assert_allclose(compiled, python, rtol=1e-14)
    assert np.isnan(compiled[-3:]).all()


def test_the_integral_is_its_python_source():
    steps = 0.5 * (U_P[1:] + U_P[:-1]) / 0.6
    cumulative = np.concatenate(([0.0], np.cumsum(steps)))
    x = np.append(RNG.uniform(-50.0, 300.0, 500), np.nan)
    compiled, python = np.empty_like(x), np.empty_like(x)
    lookup_integral(U_P, cumulative, 0.0, 0.6, x, compiled)
    lookup_integral.py_func(U_P, cumulative, 0.0, 0.6, x, python)
    np.testing.assert_allclose(compiled, python, rtol=1e-13, atol=1e-12)
