"""Draws from a posterior against closed forms and quadrature."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from equipoise.core.errors import FitError, SpecError
from equipoise.fit.inference import Parameter, Problem, infer
from equipoise.fit.sampling import sample


@dataclass(frozen=True)
class Row:
    name: str
    value: float
    uncertainty: float
    case: str = "one"
    unit: str = "1"


def _straight(count=3, bound=8.0):
    return tuple(
        Parameter(name, 0.0, -bound, bound, 1.0, logarithmic=False)
        for name in "abcdef"[:count]
    )


def _draws(compute, parameters, rows, count=300, seed=0, **more):
    estimate = infer(compute, parameters, rows, most_evaluations_count=10)
    problem = Problem(compute, parameters, rows, more.pop("penalty", None))
    rng = np.random.default_rng(seed)
    return sample(problem, estimate, count, round_count=20, rng=rng, **more), estimate


def test_linear_model_has_the_normal_posterior_and_evidence():
    """Closed form: covariance (A'A + 1)^-1; evidence of a normal distribution."""
    matrix = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]])
    sigma, value = np.array([0.5, 0.8]), np.array([1.0, -0.7])

    def compute(v):
        y = matrix @ [v["a"], v["b"], v["c"]]
        return {"y0": y[0], "y1": y[1]}

    rows = [Row("y0", 1.0, 0.5), Row("y1", -0.7, 0.8)]
    found, estimate = _draws(compute, _straight(), rows)
    scaled = matrix / sigma[:, None]
    covariance = np.linalg.inv(scaled.T @ scaled + np.eye(3))
    mean = covariance @ scaled.T @ (value / sigma)
    n = found.effective_count()
    assert n > 200  # an emulator of a straight line is right
    sd = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(found.weight @ found.scaled - mean) < 4.0 * sd / math.sqrt(n))
    width = np.sqrt(np.diag(found.covariance()))
    assert width == pytest.approx(sd, rel=4.0 / math.sqrt(2.0 * n))
    spread = np.diag(sigma**2) + matrix @ matrix.T
    evidence = -0.5 * value @ np.linalg.solve(spread, value)
    evidence += 0.5 * np.log(np.prod(sigma**2) / np.linalg.det(spread))
    assert found.log_evidence_ratio == pytest.approx(evidence, abs=0.05)
    assert estimate.log_evidence_ratio == pytest.approx(evidence, abs=1e-6)
    assert found.quantile(0.5) == pytest.approx(mean, abs=5.0 * 1.25 * max(sd) / n**0.5)


@pytest.mark.parametrize("sigma", [0.1, 1e-2, 1e-4])
def test_a_posterior_far_narrower_than_its_prior(sigma):
    parameters = (Parameter("a", 0.0, -8.0, 8.0, 1.0, logarithmic=False),)
    found, _ = _draws(lambda v: {"y": v["a"]}, parameters, [Row("y", 0.3, sigma)])
    whole = math.sqrt(1.0 + sigma**2)
    evidence = math.log(sigma / whole) - 0.5 * (0.3 / whole) ** 2
    assert found.log_evidence_ratio == pytest.approx(evidence, abs=0.05)
    assert found.effective_count() > 200


def _bent(v):
    return {"y": v["a"] + v["b"] ** 2}


BENT = [Row("y", 1.5, 0.2)]


def _quadrature(inside=None, bound=8.0):
    """Evidence ratio and mean of b^2 by a fine grid."""
    grid = np.linspace(-bound, bound, 2001)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    prior = np.exp(-0.5 * (a**2 + b**2))
    weight = prior * np.exp(-0.5 * ((a + b**2 - 1.5) / 0.2) ** 2)
    if inside is not None:
        weight = np.where(inside(a, b), weight, 0.0)
    return np.log(weight.sum() / prior.sum()), (weight * b**2).sum() / weight.sum()


def test_two_optima_and_a_bent_ridge():
    """A normal approximation sees one of the two; the draws see both."""
    found, estimate = _draws(_bent, _straight(2), BENT)
    evidence, square = _quadrature()
    assert found.log_evidence_ratio == pytest.approx(evidence, abs=0.15)
    assert abs(estimate.log_evidence_ratio - evidence) > 0.3
    assert found.weight @ found.scaled[:, 1] ** 2 == pytest.approx(square, abs=0.2)
    share = found.weight @ (found.scaled[:, 1] > 0.0)
    assert share == pytest.approx(0.5, abs=0.15)


def test_bounds_cut_prior_and_posterior():
    found, _ = _draws(_bent, _straight(2, bound=1.2), BENT)
    evidence, _ = _quadrature(bound=1.2)
    assert found.log_evidence_ratio == pytest.approx(evidence, abs=0.15)
    assert np.all(np.abs(found.scaled) <= 1.2)


def test_where_the_model_gives_up_there_is_no_draw():
    def compute(v):
        return None if v["b"] > 0.5 else _bent(v)

    found, _ = _draws(compute, _straight(2), BENT, count=500)
    evidence, _ = _quadrature(lambda _, b: b <= 0.5)
    assert np.all(found.scaled[:, 1] <= 0.5)
    assert found.log_evidence_ratio == pytest.approx(evidence, abs=0.3)


def test_a_poor_start_and_a_hint_elsewhere():
    """The estimate is far from the posterior; `known` leads there."""

    def compute(v):
        return {"y": math.tanh(3.0 * v["a"] - 9.0)}

    rows = [Row("y", 1.0, 0.02)]
    parameters = (Parameter("a", 0.0, -6.0, 6.0, 2.0, logarithmic=False),)
    found, estimate = _draws(compute, parameters, rows, known=(np.array([4.0]),))
    assert estimate.cost > 1000.0  # flat at the start: the search stands still
    assert found.best_cost < 8.0
    assert found.quantile(0.05)[0] > 3.0


def test_shares_of_two_optima_in_six_dimensions():
    """Both known; walkers have to go from one to the other (closed form: quadrature).

    y = x0^2 + x0 / 2 near 2, z_i = x_i + 0.3 x0^2 near 1/2: given x0 the others are
    normal, so the share is an integral over x0 alone.
    """
    names = "abcdef"

    def compute(v):
        x0 = v["a"]
        out = {f"z{k}": v[k] + 0.3 * x0 * x0 for k in names[1:]}
        return out | {"y": x0 * x0 + 0.5 * x0}

    rows = [Row("y", 2.0, 0.1)] + [Row(f"z{k}", 0.5, 0.1) for k in names[1:]]
    x = np.linspace(-6.0, 6.0, 200001)
    log = -0.5 * x**2 - 0.5 * ((x**2 + 0.5 * x - 2.0) / 0.1) ** 2
    log += 5.0 * (-0.5 * (0.5 - 0.3 * x**2) ** 2 / 1.01 + 0.5 * math.log(0.01 / 1.01))
    density = np.exp(log)
    share = density[x > 0.0].sum() / density.sum()
    evidence = math.log(density.sum() * (x[1] - x[0]) / math.sqrt(2.0 * math.pi))
    optima = []
    for x0 in (1.1861, -1.6861):
        rest = (0.5 - 0.3 * x0 * x0) / 1.01
        optima.append(np.array([x0, *[rest] * 5]))
    parameters = _straight(6)
    estimate = infer(compute, parameters, rows, most_evaluations_count=10)
    problem = Problem(compute, parameters, rows)
    found = sample(
        problem, estimate, 300, rng=np.random.default_rng(0), known=tuple(optima)
    )
    assert found.weight @ (found.scaled[:, 0] > 0.0) == pytest.approx(share, abs=0.08)
    assert found.log_evidence_ratio == pytest.approx(evidence, abs=0.15)


def test_prior_beyond_its_bounds_has_a_size():
    """The tail of a normal distribution, by its continued fraction to 1e-3."""
    above = (Parameter("a", -12.0, 0.0, 8.0, 1.0, logarithmic=False),)
    below = (Parameter("a", 12.0, -8.0, 0.0, 1.0, logarithmic=False),)
    sizes = [Problem(_bent, p, BENT).log_prior_size() for p in (above, below)]
    tail = -0.5 * 12.0**2 - math.log(12.0 + 1.0 / (12.0 + 2.0 / 12.0))
    assert sizes == pytest.approx([tail, tail], abs=1e-3)


def test_same_seed_same_draws_and_progress():
    told = []
    one, _ = _draws(_bent, _straight(2), BENT, count=50)
    two, _ = _draws(
        _bent, _straight(2), BENT, count=50, progress=lambda *now: told.append(now)
    )
    assert np.array_equal(one.scaled, two.scaled)
    assert np.array_equal(one.weight, two.weight)
    assert told[-1][0] == told[-1][1] == len(told)
    assert one.evaluations_count == len(told)


def test_equally_likely_draws_follow_the_weights():
    found, _ = _draws(_bent, _straight(2), BENT, count=100)
    at = found.equally_likely(20000, np.random.default_rng(1))
    counts = np.bincount(at, minlength=found.weight.size) / 20000
    assert counts == pytest.approx(found.weight, abs=1.0 / 20000)


def test_penalty_counts_but_leaves_no_evidence():
    found, _ = _draws(
        _bent, _straight(2), BENT, count=200, penalty=lambda x: 5.0 * x[:1]
    )
    assert np.isnan(found.log_evidence_ratio)
    # the penalty alone narrows a to 1 / sqrt(26)
    assert math.sqrt(found.covariance()[0, 0]) < 0.3


def test_refusals():
    problem = Problem(_bent, _straight(2), BENT)
    estimate = infer(_bent, _straight(2), BENT, most_evaluations_count=10)
    rng = np.random.default_rng(0)
    with pytest.raises(SpecError, match="draws_count = 0"):
        sample(problem, estimate, 0, rng=rng)
    for keys, said in (
        ({"round_count": 0}, "round_count = 0"),
        ({"round_count": 500}, "round_count = 500"),
        ({"known": (np.array([1.0]),)}, r"shape \(1,\)"),
        ({"known": (np.array([1.0, np.nan]),)}, "not finite"),
    ):
        with pytest.raises(SpecError, match=said):
            sample(problem, estimate, 10, rng=rng, **keys)
    with pytest.raises(SpecError, match="draws_count = 20000"):
        sample(problem, estimate, 20000, rng=rng)
    other = Problem(_bent, _straight(3), BENT)
    with pytest.raises(SpecError, match="other parameters"):
        sample(other, estimate, 10, rng=rng)
    silent = Problem(lambda _: None, _straight(2), BENT)
    with pytest.raises(FitError, match="answers at 0 of 60 places"):
        sample(silent, estimate, 10, rng=rng)
