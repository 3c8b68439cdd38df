"""Chains against closed forms and quadrature.

Tolerances are four standard errors of a mean by the effective number of draws; the
seed is fixed, so a test that passes passes always.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from equipoise.core.errors import SpecError
from equipoise.fit.inference import Parameter, Problem, infer
from equipoise.fit.sampling import Draws, sample


@dataclass(frozen=True)
class Number:
    name: str
    value: float
    uncertainty: float
    case: str = "made up"
    unit: str = "1"


A = np.array([[1.0, 0.8], [0.5, -1.0], [0.3, 1.2]])
TARGETS = [Number("y0", 1.0, 0.3), Number("y1", -0.4, 0.5), Number("y2", 0.9, 0.4)]
PAIR = [Parameter(n, 0.0, -30.0, 30.0, 1.0, logarithmic=False) for n in ("a", "b")]


def linear(values):
    return dict(zip(("y0", "y1", "y2"), A @ [values["a"], values["b"]], strict=True))


def linear_posterior():
    noise = np.array([t.uncertainty for t in TARGETS])
    covariance = np.linalg.inv(np.eye(2) + (A.T / noise**2) @ A)
    mean = covariance @ (A.T / noise**2) @ np.array([t.value for t in TARGETS])
    return mean, covariance


def chain(model, parameters, targets, count, *, seed=1, estimate=None, **options):
    problem = Problem(model, parameters, targets)
    estimate = estimate or infer(model, parameters, targets)
    rng = np.random.default_rng(seed)
    return sample(problem, estimate, count, rng=rng, **options)


def agrees(draws, mean, covariance):
    width = np.sqrt(np.diag(covariance))
    error = 4.0 * width / np.sqrt(draws.effective_count())
    assert np.all(np.abs(draws.scaled.mean(axis=0) - mean) < error)
    # a normal variance of n draws has the relative error sqrt(2 / n)
    wide = 4.0 * np.sqrt(2.0 / draws.effective_count())
    found = np.cov(draws.scaled.T)
    assert np.sqrt(np.diag(found)) / width == pytest.approx(1.0, abs=wide / 2.0)
    correlation = covariance[0, 1] / np.prod(width)
    ours = np.corrcoef(draws.scaled.T)[0, 1]
    assert ours == pytest.approx(correlation, abs=wide)


def test_a_chain_has_the_mean_and_covariance_of_a_linear_model():
    draws = chain(linear, PAIR, TARGETS, 3000)
    assert draws.effective_count() > 500.0
    agrees(draws, *linear_posterior())


def test_a_wrong_estimate_only_costs_draws():
    """The chain corrects what it proposes from; else it would copy it."""
    mean, covariance = linear_posterior()
    off = replace(
        infer(linear, PAIR, TARGETS),
        scaled=mean + np.sqrt(np.diag(covariance)),
        covariance=0.5 * covariance,
    )
    draws = chain(linear, PAIR, TARGETS, 5000, estimate=off)
    agrees(draws, mean, covariance)
    assert (
        draws.effective_count() < chain(linear, PAIR, TARGETS, 5000).effective_count()
    )


def flat(values):  # the data say nothing: the posterior is the prior
    return {"y": 0.0 * values["x"]}


def half_normal(draws):
    x = draws.scaled[:, 0]
    error = 4.0 * 0.603 / np.sqrt(draws.effective_count())
    assert x.mean() == pytest.approx(np.sqrt(2.0 / np.pi), abs=error)
    assert x.std() == pytest.approx(np.sqrt(1.0 - 2.0 / np.pi), abs=error)


def test_bounds_cut_the_posterior_and_are_respected():
    x = Parameter("x", 0.0, 0.0, 9.0, 1.0, logarithmic=False)
    draws = chain(flat, [x], [Number("y", 0.0, 1.0)], 4000)
    assert draws.scaled.min() >= 0.0
    half_normal(draws)


def test_there_is_no_draw_where_the_model_cannot_answer():
    x = Parameter("x", 0.0, -9.0, 9.0, 1.0, logarithmic=False)

    def model(values):
        return None if values["x"] < 0.0 else flat(values)

    start = infer(flat, [x], [Number("y", 0.0, 1.0)])
    draws = chain(model, [x], [Number("y", 0.0, 1.0)], 4000, estimate=start)
    assert draws.scaled.min() >= 0.0
    half_normal(draws)


def test_a_posterior_that_is_not_normal_is_sampled_as_quadrature_has_it():
    """y = k with lg k as the scale: skewed, and Laplace's width is wrong."""
    k = Parameter("k", 0.0, -3.0, 2.0, 0.8)
    targets = [Number("y", 0.3, 0.5)]
    draws = chain(lambda v: {"y": v["k"]}, [k], targets, 6000)
    grid = np.linspace(-3.0, 2.0, 4001)
    density = np.exp(-0.5 * (((10.0**grid - 0.3) / 0.5) ** 2 + (grid / 0.8) ** 2))
    density /= density.sum()
    mean = grid @ density
    width = np.sqrt((grid - mean) ** 2 @ density)
    x, count = draws.scaled[:, 0], draws.effective_count()
    assert x.mean() == pytest.approx(mean, abs=4.0 * width / np.sqrt(count))
    below = np.cumsum(density)
    for share in (0.05, 0.5, 0.95):
        level = grid[np.searchsorted(below, share)]
        error = 4.0 * np.sqrt(share * (1.0 - share) / count)
        assert np.mean(x < level) == pytest.approx(share, abs=error)


def test_the_same_seed_gives_the_same_draws():
    one, same = (chain(linear, PAIR, TARGETS, 50, seed=7) for _ in range(2))
    other = chain(linear, PAIR, TARGETS, 50, seed=8)
    assert np.array_equal(one.scaled, same.scaled)
    assert np.array_equal(one.cost, same.cost)
    assert not np.array_equal(one.scaled, other.scaled)


def test_draws_that_warm_up_are_thrown_away():
    whole = chain(linear, PAIR, TARGETS, 50, burn_in_count=0)
    rest = chain(linear, PAIR, TARGETS, 30, burn_in_count=20)
    assert np.array_equal(whole.scaled[20:], rest.scaled)
    assert rest.accepted_fraction == whole.accepted_fraction


def test_a_draw_carries_its_numbers_and_its_cost():
    draws = chain(linear, PAIR, TARGETS, 40)
    problem = Problem(linear, PAIR, TARGETS)
    for x, numbers, cost in zip(draws.scaled, draws.computed, draws.cost, strict=True):
        assert dict(numbers) == pytest.approx(dict(problem.compute(x)))
        assert cost == pytest.approx(np.sum(problem.residuals(x) ** 2))
    moved = np.mean(np.any(np.diff(draws.scaled, axis=0) != 0.0, axis=1))
    assert draws.accepted_fraction == pytest.approx(moved, abs=0.2)


def test_progress_counts_all_proposals():
    said = []
    chain(linear, PAIR, TARGETS, 5, burn_in_count=3, progress=lambda *n: said.append(n))
    assert said == [(n, 8) for n in range(1, 9)]


def test_no_draw_is_refused():
    with pytest.raises(SpecError, match="draws_count = 0") as error:
        chain(linear, PAIR, TARGETS, 0)
    assert "at least one" in error.value.remedy


# --- effective number of draws


def of(*columns):
    return Draws(np.stack(columns, axis=1), (), np.zeros(0), 1.0)


def autoregressive(memory, count=100_000, seed=0):
    """x(k + 1) = memory x(k) + noise."""
    noise = np.random.default_rng(seed).standard_normal(count)
    x = np.empty(count)
    x[0] = noise[0]
    for k in range(1, count):
        x[k] = memory * x[k - 1] + noise[k]
    return x


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_effective_count_of_an_autoregressive_chain(memory):
    """n (1 - a) / (1 + a); 10 % is four standard errors at the longest memory."""
    x = autoregressive(memory)
    theory = x.size * (1.0 - memory) / (1.0 + memory)
    assert of(x).effective_count() == pytest.approx(theory, rel=0.1)


def test_the_least_known_parameter_counts():
    quick, slow = autoregressive(0.0, 20_000), autoregressive(0.9, 20_000, seed=3)
    assert of(quick, slow).effective_count() == of(slow).effective_count()
    assert of(quick).effective_count() > 5.0 * of(slow).effective_count()


def test_shift_and_unit_do_not_matter():
    x = autoregressive(0.5, 5_000)
    count = of(x).effective_count()
    assert of(1e3 * x - 7.0).effective_count() == pytest.approx(count, rel=1e-6)


def test_a_chain_that_never_moves_is_one_draw():
    assert of(np.full(500, 3.0)).effective_count() == 1.0
