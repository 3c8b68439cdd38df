"""Non-negative least squares on normal equations, against scipy and by its conditions.

Random problems: tests/property/test_drt_active_set.py.
"""

import numpy as np
import pytest
from scipy.optimize import nnls

from equipoise.core.status import Status
from equipoise.kernels.active_set import nonnegative, nonnegative_series

CLOSE = 1e-10


def solve(H, c, free=None, function=nonnegative):
    """x, multipliers, passive set and status."""
    n = c.size
    free = np.zeros(n, bool) if free is None else free.copy()
    x, y = np.full(n, 7.0), np.full(n, 7.0)
    work = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
    status = function(H, c, CLOSE, free, x, y, *work)
    return x, y, free, status


def normal_equations(seed, rows=40, n=12):
    draw = np.random.default_rng(seed)
    A = draw.standard_normal((rows, n))
    A /= np.linalg.norm(A, axis=0)
    b = draw.standard_normal(rows)
    return A, b, A.T @ A, A.T @ b


def test_two_variables_by_hand():
    # unconstrained: (4/3, -2/3); with x_2 = 0, x_1 = c_1 and y_2 = x_1 / 2 - c_2
    H = np.array([[1.0, 0.5], [0.5, 1.0]])
    x, y, free, status = solve(H, np.array([1.0, 0.0]))
    assert status == Status.OK
    np.testing.assert_allclose(x, [1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(y, [0.0, 0.5], atol=1e-15)
    assert free.tolist() == [True, False]


def test_a_zero_right_side_gives_zero_whatever_the_start():
    _, _, H, c = normal_equations(0)
    x, y, free, status = solve(H, np.zeros_like(c), np.ones(c.size, bool))
    assert status == Status.OK
    assert not x.any()
    assert not y.any()
    assert not free.any()


def test_nothing_is_free_where_all_right_sides_are_negative():
    _, _, H, c = normal_equations(1)
    x, y, free, status = solve(H, -np.abs(c), np.ones(c.size, bool))
    assert status == Status.OK
    assert not x.any()
    np.testing.assert_allclose(y, np.abs(c), rtol=1e-14)
    assert not free.any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_a_status(bad):
    _, _, H, c = normal_equations(2)
    c[3] = bad
    assert solve(H, c)[3] == Status.NOT_FINITE


def test_a_matrix_that_is_not_definite_is_a_status():
    # two equal columns, both wanted: the free part is singular
    H = np.array([[1.0, 1.0], [1.0, 1.0]])
    status = solve(H, np.array([1.0, 1.0]), np.ones(2, bool))[3]
    assert status == Status.STEP_NOT_SOLVED
    H = np.array([[1.0, 2.0], [2.0, 1.0]])
    status = solve(H, np.array([1.0, 1.0]), np.ones(2, bool))[3]
    assert status == Status.STEP_NOT_SOLVED


def test_the_start_does_not_matter():
    draw = np.random.default_rng(3)
    for seed in range(20):
        _, _, H, c = normal_equations(seed)
        cold = solve(H, c)
        for _ in range(5):
            warm = solve(H, c, draw.random(c.size) < 0.5)
            np.testing.assert_allclose(warm[0], cold[0], atol=1e-13)
            np.testing.assert_array_equal(warm[2], cold[2])


def test_the_scale_of_the_right_side_does_not_matter():
    _, _, H, c = normal_equations(4)
    x = solve(H, c)[0]
    for factor in (1e-150, 1e-9, 1e9, 1e150):
        scaled = solve(H, c * factor)
        assert scaled[3] == Status.OK
        np.testing.assert_allclose(scaled[0] / factor, x, rtol=1e-12)


def test_ill_conditioned_problems_agree_with_lawson_and_hanson():
    # neighbouring bells overlap: condition of H about 1e6
    t, centres = np.linspace(0, 1, 90), np.linspace(0, 1, 30)
    A = np.exp(-(((t[:, None] - centres) / 0.06) ** 2))
    A /= np.linalg.norm(A, axis=0)
    H = A.T @ A
    assert 5e5 < np.linalg.cond(H) < 5e6
    draw = np.random.default_rng(5)
    for _ in range(20):
        b = A @ np.maximum(draw.standard_normal(30), 0) + draw.normal(0, 0.01, 90)
        x, y, _, status = solve(H, A.T @ b)
        assert status == Status.OK
        expected, left = nnls(A, b)
        # both optimal: same residual to rounding, weights to condition times rounding
        assert np.linalg.norm(A @ x - b) == pytest.approx(left, rel=1e-12)
        np.testing.assert_allclose(x, expected, atol=1e-8 * np.abs(expected).max())
        assert (y > -CLOSE * np.abs(A.T @ b).max()).all()


def test_a_series_is_each_of_its_members():
    H = normal_equations(6)[2]
    C = np.stack([normal_equations(s)[3] for s in range(30)])
    X, Y = np.empty_like(C), np.empty_like(C)
    n = C.shape[1]
    status = np.full(30, 99, np.int64)
    work = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
    nonnegative_series(H, C, CLOSE, np.zeros(n, bool), X, Y, *work, status)
    assert not status.any()
    for c, x, y in zip(C, X, Y, strict=True):
        alone = solve(H, c)
        np.testing.assert_allclose(x, alone[0], atol=1e-13)
        np.testing.assert_allclose(y, alone[1], atol=1e-13)
