"""Random non-negative problems: scipy's answer, and the conditions of an optimum."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from equipoise.core.status import Status
from equipoise.kernels.active_set import nonnegative


@st.composite
def problems(draw):
    n = draw(st.integers(1, 25))
    rows = n + draw(st.integers(5, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.standard_normal((rows, n)) + draw(st.floats(-2.0, 2.0))
    A /= np.linalg.norm(A, axis=0)
    b = rng.standard_normal(rows) * 10.0 ** draw(st.floats(-6.0, 6.0))
    return A, b, rng.random(n) < draw(st.floats(0.0, 1.0))


@settings(max_examples=150)
@given(problems())
def test_the_answer_is_optimal_and_that_of_scipy(problem):
    A, b, free = problem
    n = A.shape[1]
    H, c = A.T @ A, A.T @ b
    x, y = np.empty(n), np.empty(n)
    work = np.empty((n, n)), np.empty(n), np.empty(n, np.int64)
    assert nonnegative(H, c, 1e-10, free, x, y, *work) == Status.OK
    scale = np.abs(c).max()
    gradient = H @ x - c
    np.testing.assert_allclose(y, gradient, atol=1e-10 * scale)
    assert (x >= 0.0).all()
    assert (gradient >= -1e-9 * scale).all()
    assert np.abs(gradient[x > 0.0]).max(initial=0.0) <= 1e-9 * scale
    assert not x[~free].any()
    expected, left = nnls(A, b)
    assert np.linalg.norm(A @ x - b) <= left * (1.0 + 1e-10)
    loss = 1e-11 * np.linalg.cond(H) * max(np.abs(expected).max(), scale)
    np.testing.assert_allclose(x, expected, atol=loss)
