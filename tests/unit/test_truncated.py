"""Samples of a normal distribution within x >= 0: moments known in closed form."""

import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm

from equipoise.kernels.truncated import sample

DROPPED = 50
MOST = 100_000_000  # bounces, more than any test needs


def draw(mean, covariance, count, seed=0, start=None):
    mean = np.asarray(mean, float)
    covariance = np.asarray(covariance, float)
    normals = np.random.default_rng(seed).standard_normal((count + DROPPED, mean.size))
    out = np.empty_like(normals)
    first = np.maximum(mean, 0.0) + 1.0 if start is None else np.array(start, float)
    factor = np.linalg.cholesky(covariance)
    work = np.empty((3, mean.size))
    drawn = sample(mean, covariance, factor, first, normals, out, work, MOST)
    assert drawn == normals.shape[0]
    return out[DROPPED:]


def error_of_mean(chain):
    """Standard error of means of a chain, from 50 batches: it is correlated."""
    batches = chain[: chain.shape[0] // 50 * 50].reshape(50, -1, chain.shape[1])
    return batches.mean(axis=1).std(axis=0, ddof=1) / np.sqrt(50)


def within(chain, expected, sigmas=4.0):
    assert (np.abs(chain.mean(axis=0) - expected) < sigmas * error_of_mean(chain)).all()


def test_half_a_normal_distribution():
    chain = draw([0.0], [[4.0]], 60_000)
    within(chain, 2.0 * np.sqrt(2.0 / np.pi))
    within(chain**2, 4.0)
    assert chain.min() >= 0.0


@pytest.mark.parametrize("mean", [-3.0, -1.0, 0.7, 2.0])
def test_one_variable_is_scipys_truncated_normal(mean):
    chain = draw([mean], [[1.0]], 60_000, seed=1)
    exact = truncnorm(-mean, np.inf, loc=mean)
    within(chain, exact.mean())
    within((chain - exact.mean()) ** 2, exact.var())
    # every 50th is independent even where the wall binds most (0.98^50)
    assert kstest(chain[::50, 0], exact.cdf).pvalue > 1e-3


@pytest.mark.parametrize("correlation", [0.8, -0.9])
def test_two_variables_are_those_of_rejection_sampling(correlation):
    mean, covariance = np.array([0.3, -0.2]), [[1.0, correlation], [correlation, 1.0]]
    chain = draw(mean, covariance, 60_000, seed=2)
    rejected = np.random.default_rng(3).multivariate_normal(mean, covariance, 1_000_000)
    kept = rejected[(rejected > 0.0).all(axis=1)]
    for moment in (lambda x: x, lambda x: x**2, lambda x: x[:, :1] * x[:, 1:]):
        expected = moment(kept).mean(axis=0)
        own = moment(kept).std(axis=0) / np.sqrt(kept.shape[0])
        spread = np.hypot(error_of_mean(moment(chain)), own)
        assert (np.abs(moment(chain).mean(axis=0) - expected) < 4.0 * spread).all()


def test_far_from_the_walls_samples_are_independent_and_normal():
    draws = np.random.default_rng(4)
    root = draws.standard_normal((6, 6))
    covariance = root @ root.T + np.eye(6)
    chain = draw(np.full(6, 200.0), covariance, 40_000, seed=4)
    # standard error of a covariance of K independent samples: <= sqrt(2 / K) of it
    own = np.diag(covariance)
    close = 5.0 * np.sqrt(2.0 * np.outer(own, own) / 40_000)
    assert (np.abs(np.cov(chain.T) - covariance) < close).all()
    standard = (chain[:, 0] - 200.0) / np.sqrt(own[0])
    assert abs(np.corrcoef(standard[1:], standard[:-1])[0, 1]) < 5.0 / np.sqrt(40_000)
    assert kstest(standard, norm.cdf).pvalue > 1e-3


def test_without_a_wall_one_step_is_the_fresh_normals():
    # a quarter of a period turns the start into the velocity: mean + L z, whatever x
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    normals = np.random.default_rng(5).standard_normal((DROPPED + 9, 2))
    chain = draw([50.0, 60.0], covariance, 9, seed=5)
    expected = [50.0, 60.0] + normals[DROPPED:] @ np.linalg.cholesky(covariance).T
    np.testing.assert_allclose(chain, expected, rtol=1e-12)


def test_walls_that_are_hit_at_the_same_time():
    # start, mean and velocity equal in all variables: all walls at one instant, always
    n = 4
    normals = np.repeat(np.random.default_rng(6).standard_normal((20_000, 1)), n, 1)
    out, work = np.empty_like(normals), np.empty((3, n))
    mean = np.zeros(n)
    drawn = sample(mean, np.eye(n), np.eye(n), np.ones(n), normals, out, work, MOST)
    assert drawn == 20_000
    assert (out >= 0.0).all()
    np.testing.assert_allclose(out, out[:, :1] * np.ones(n), atol=1e-9)
    within(out[:, :1], np.sqrt(2.0 / np.pi))


def test_a_start_on_the_wall_and_a_mean_far_behind_it():
    mean, spread = -40.0, 1.0
    chain = draw(np.full(5, mean), np.eye(5), 20_000, seed=7, start=np.zeros(5))
    assert (chain >= 0.0).all()
    # the tail of a normal is exponential there: mean 1/40 (1 - 1/40^2 ...)
    within(chain, truncnorm.mean(-mean, np.inf) + mean, sigmas=5.0)
    assert chain.mean() == pytest.approx(spread / 40.0, rel=0.1)


def test_it_stops_when_it_may_bounce_no_more():
    normals = np.random.default_rng(8).standard_normal((1000, 2))
    out, work = np.empty_like(normals), np.empty((3, 2))
    one = np.eye(2)
    mean = np.full(2, -3.0)
    drawn = sample(mean, one, one, np.ones(2), normals, out, work, 500)
    assert 0 < drawn < 500  # behind the wall every trajectory meets it
    again = np.empty_like(normals)
    all_of_them = sample(mean, one, one, np.ones(2), normals, again, work, MOST)
    assert all_of_them == 1000
    np.testing.assert_array_equal(out[:drawn], again[:drawn])
