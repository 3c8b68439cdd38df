"""The stand-in for a slow model: predicts, knows its error, does not learn scatter."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal

from equipoise.core.errors import SpecError
from equipoise.fit import emulator
from equipoise.fit.emulator import Emulator

INPUTS = 4


def _smooth(x):
    return np.stack(
        [3.0 * x[:, 0] + np.exp(0.7 * x[:, 1]), 100.0 - 40.0 * x[:, 2] * x[:, 0]], 1
    )


def _points(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, INPUTS))


def test_predicts_a_smooth_function_where_it_was_not_computed():
    x, new = _points(120), 0.8 * _points(200, 1)
    found = Emulator.fit(x, _smooth(x), np.ones(INPUTS))
    off = found.predict(new) - _smooth(new)
    assert np.sqrt(np.mean(off**2, axis=0)) == pytest.approx(
        [0.0, 0.0],
        abs=0.05,  # of 3.3 and 40: a few thousandths, as 120 points allow
    )


def test_likelihood_is_that_of_a_normal_distribution():
    """Differences of the misfit against scipy's density; priors of lengths removed."""
    x = _points(30)
    y = _smooth(x)[:, 0]
    y = (y - y.mean()) / y.std()
    linear = emulator._LINEAR_VARIANCE * (1.0 + x @ x.T)
    values = []
    for hyper in (np.array([-0.5, -2.0, 1.0, 0.4, 0.9, 1.3]), np.full(6, -0.3)):
        length = np.exp(hyper[2:])
        square = (((x[:, None] - x[None]) / length) ** 2).sum(axis=2)
        whole = linear + np.exp(2 * hyper[0] - 0.5 * square)
        whole = whole + np.exp(2 * hyper[1]) * np.eye(30)
        expected = multivariate_normal(np.zeros(30), whole).logpdf(y)
        prior = 0.5 * np.sum(
            ((hyper[2:] - emulator._LENGTH[0]) / emulator._LENGTH[1]) ** 2
        )
        values.append(emulator._misfit(hyper, x, y, linear)[0] - prior + expected)
    assert values[0] == pytest.approx(values[1], abs=1e-8)


def test_slope_of_the_likelihood():
    x = _points(40)
    y = _smooth(x)[:, 1]
    y = (y - y.mean()) / y.std()
    linear = emulator._LINEAR_VARIANCE * (1.0 + x @ x.T)
    hyper = np.array([-0.4, -1.5, 0.8, 1.1, 0.5, 1.6])
    _, slope = emulator._misfit(hyper, x, y, linear)
    numeric = approx_fprime(hyper, lambda h: emulator._misfit(h, x, y, linear)[0], 1e-7)
    assert slope == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_left_out_error_is_what_leaving_a_point_out_gives():
    """The closed form against learning again without the point, same settings."""
    x = _points(25)
    y = _smooth(x) + 0.1 * np.random.default_rng(8).standard_normal((25, 2))
    whole = Emulator.fit(x, y, np.ones(INPUTS))
    process = whole.processes[0]
    covariance, _ = emulator._covariance(
        process.hyper,
        whole.inputs,
        emulator._LINEAR_VARIANCE * (1.0 + whole.inputs @ whole.inputs.T),
    )
    scaled = (y[:, 0] - process.mean) / process.scale
    for i in (0, 7, 24):
        rest = np.delete(np.arange(25), i)
        weights = np.linalg.solve(covariance[np.ix_(rest, rest)], covariance[rest, i])
        off = process.scale * (scaled[i] - weights @ scaled[rest])
        assert process.left_out[i] == pytest.approx(off, rel=1e-6)


def test_scatter_is_not_taken_for_structure():
    """With 5 % scatter the prediction is closer to the truth than the data are."""
    rng = np.random.default_rng(3)
    x, new = _points(200), 0.7 * _points(300, 4)
    noise = np.array([0.15, 2.0])
    y = _smooth(x) + noise * rng.standard_normal((200, 2))
    found = Emulator.fit(x, y, np.ones(INPUTS))
    off = np.sqrt(np.mean((found.predict(new) - _smooth(new)) ** 2, axis=0))
    assert np.all(off < 0.6 * noise)
    assert np.all(found.left_out_error() > 0.9 * noise)


def test_units_do_not_matter():
    x = _points(60)
    y = _smooth(x)
    width = np.array([2.0, 1e-3, 50.0, 1.0])
    one = Emulator.fit(x, y, np.ones(INPUTS))
    other = Emulator.fit(x * width + 7.0, 1e6 * y - 3.0, width)
    new = _points(20, 5)
    assert other.predict(new * width + 7.0) == pytest.approx(
        1e6 * one.predict(new) - 3.0,
        abs=1e3,  # 2e-5 of the spread of the outputs: the search ends a little apart
    )


def test_a_constant_output_stays_constant():
    x = _points(30)
    found = Emulator.fit(x, np.full((30, 1), 5.0), np.ones(INPUTS))
    assert found.predict(_points(5, 2)) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (np.zeros((4, 2)), np.zeros((3, 1)), r"shape \(4, 2\), outputs \(3, 1\)"),
        (np.zeros((2, 2)), np.zeros((2, 1)), "2 points"),
        (np.zeros((4, 2)), np.full((4, 1), np.nan), "not finite"),
    ],
)
def test_bad_points(x, y, said):
    with pytest.raises(SpecError, match=said):
        Emulator.fit(x, y, np.ones(2))
