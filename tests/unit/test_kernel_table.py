import numpy as np
import pytest

from equipoise.kernels.table import at

U = np.cumsum(np.random.default_rng(1).uniform(0.0, 1.0, 101))
START, STEP = -3.0, 0.25
NODES = START + STEP * np.arange(U.size)


@pytest.mark.parametrize("look_up", [at, at.py_func], ids=["compiled", "python"])
def test_inside_the_table_it_is_numpy_interp(look_up):
    x = np.random.default_rng(2).uniform(NODES[0], NODES[-1], 300)
    ours = [look_up(U, START, 1.0 / STEP, v) for v in x]
    np.testing.assert_allclose(ours, np.interp(x, NODES, U), rtol=1e-12)


@pytest.mark.parametrize("look_up", [at, at.py_func], ids=["compiled", "python"])
def test_at_the_nodes_it_is_the_table(look_up):
    ours = [look_up(U, START, 1.0 / STEP, v) for v in NODES]
    np.testing.assert_allclose(ours, U, rtol=1e-14)


@pytest.mark.parametrize("look_up", [at, at.py_func], ids=["compiled", "python"])
def test_outside_the_table_the_end_slope_goes_on(look_up):
    below = look_up(U, START, 1.0 / STEP, NODES[0] - 10 * STEP)
    above = look_up(U, START, 1.0 / STEP, NODES[-1] + 10 * STEP)
    assert below == pytest.approx(U[0] - 10 * (U[1] - U[0]), rel=1e-12)
    assert above == pytest.approx(U[-1] + 10 * (U[-1] - U[-2]), rel=1e-12)
