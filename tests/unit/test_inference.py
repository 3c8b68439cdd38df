"""Inference against closed forms: a linear model with normal priors has them all."""

from dataclasses import dataclass

import numpy as np
import pytest

from equipoise.core.errors import FitError, SpecError
from equipoise.fit.inference import FAILED, Parameter, Problem, infer

NUMBER = 1e-6
"""Relative: the model is linear, so what is left is the optimiser's tolerance."""


@dataclass(frozen=True)
class Number:
    name: str
    value: float
    uncertainty: float
    case: str = "made up"
    unit: str = "1"


class Linear:
    """Targets A x with normal noise; x has a normal prior. Bounds are far away."""

    def __init__(self, seed=0, targets=6, width=(0.7, 1.5, 3.0)):
        rng = np.random.default_rng(seed)
        self.A = rng.standard_normal((targets, len(width)))
        self.mean = rng.standard_normal(len(width))
        self.width = np.array(width)
        self.noise = rng.uniform(0.2, 0.6, targets)
        self.y = self.A @ (self.mean + self.width * rng.standard_normal(len(width)))
        self.calls = 0

    @property
    def parameters(self):
        return [
            Parameter(f"x{i}", m, m - 50.0, m + 50.0, w, logarithmic=False)
            for i, (m, w) in enumerate(zip(self.mean, self.width, strict=True))
        ]

    @property
    def targets(self):
        return [
            Number(f"y{i}", v, s)
            for i, (v, s) in enumerate(zip(self.y, self.noise, strict=True))
        ]

    def __call__(self, values):
        self.calls += 1
        x = np.array([values[f"x{i}"] for i in range(self.width.size)])
        return {f"y{i}": v for i, v in enumerate(self.A @ x)}

    def posterior(self, penalty=None):
        """Mean and covariance; the penalty is (L x - c), rows of unit weight."""
        precision = np.diag(self.width**-2)
        pull = precision @ self.mean
        if penalty is not None:
            L, c = penalty
            precision, pull = precision + L.T @ L, pull + L.T @ c
        prior = np.linalg.inv(precision)
        weighted = self.A.T / self.noise**2
        covariance = np.linalg.inv(precision + weighted @ self.A)
        return covariance @ (pull + weighted @ self.y), covariance, prior

    def log_marginal(self):
        """Logarithm of the density of y with x integrated out."""
        S = (self.A * self.width**2) @ self.A.T + np.diag(self.noise**2)
        off = self.y - self.A @ self.mean
        _, size = np.linalg.slogdet(2.0 * np.pi * S)
        return -0.5 * (off @ np.linalg.solve(S, off) + size)

    def constant(self):
        """What `log_evidence_ratio` leaves out: it belongs to the data alone."""
        return -float(np.sum(np.log(np.sqrt(2.0 * np.pi) * self.noise)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("targets", [1, 3, 9])
def test_mean_covariance_and_evidence_of_a_linear_model_are_exact(seed, targets):
    model = Linear(seed, targets)
    fit = infer(model, model.parameters, model.targets)
    mean, covariance, prior = model.posterior()
    width = np.sqrt(np.diag(covariance))
    assert fit.scaled == pytest.approx(mean, abs=1e-4 * width.min())
    assert fit.covariance == pytest.approx(covariance, rel=NUMBER, abs=1e-9)
    assert fit.prior_covariance == pytest.approx(prior, rel=NUMBER, abs=1e-9)
    evidence = fit.log_evidence_ratio + model.constant()
    assert evidence == pytest.approx(model.log_marginal(), abs=1e-5)
    known = 3 - np.trace(np.linalg.solve(prior, covariance))
    assert fit.effective_parameters_ratio == pytest.approx(known, abs=1e-6)
    off = (model.A @ mean - model.y) / model.noise
    assert fit.chi_square == pytest.approx(off @ off, rel=1e-4, abs=1e-6)
    pulled = (mean - model.mean) / model.width
    assert fit.cost == pytest.approx(off @ off + pulled @ pulled, rel=1e-4)


def test_a_penalty_counts_with_the_prior():
    model = Linear(4)
    L, c = np.array([[1.0, -1.0, 0.0], [0.0, 2.0, 1.0]]), np.array([0.3, -0.2])
    fit = infer(model, model.parameters, model.targets, penalty=lambda x: L @ x - c)
    mean, covariance, prior = model.posterior((L, c))
    assert fit.scaled == pytest.approx(mean, abs=1e-5)
    assert fit.covariance == pytest.approx(covariance, rel=NUMBER, abs=1e-9)
    assert fit.prior_covariance == pytest.approx(prior, rel=NUMBER, abs=1e-9)


def test_the_logarithm_is_the_scale_of_a_logarithmic_parameter():
    """y = a lg k is linear in lg k; the estimate is k."""
    k = Parameter("k", 1.0, -4.0, 4.0, 0.5, unit="ohm")
    fit = infer(lambda v: {"y": 2.0 * np.log10(v["k"])}, [k], [Number("y", 3.0, 0.4)])
    precision = 0.5**-2 + (2.0 / 0.4) ** 2
    mean = (1.0 * 0.5**-2 + 2.0 * 3.0 / 0.4**2) / precision
    assert fit.estimates["k"] == pytest.approx(10.0**mean, rel=1e-5)
    row = fit.parameter_table().row(0, named=True)
    reach = 1.96 / np.sqrt(precision)
    assert row["low"] == pytest.approx(10.0 ** (mean - reach), rel=1e-5)
    assert row["high"] == pytest.approx(10.0 ** (mean + reach), rel=1e-5)
    assert row["known_fraction"] == pytest.approx(1.0 - 2.0 / precision**0.5, abs=1e-6)
    assert (row["unit"], row["at_bound"], row["clipped"]) == ("ohm", False, False)


def test_a_bound_holds_and_is_told():
    """The truth is 5, two widths beyond the bound: what is above 2 is cut."""
    x = Parameter("x", 0.0, -3.0, 2.0, 1.0, logarithmic=False)
    asked = []

    def model(values):
        asked.append(values["x"])
        return {"y": values["x"]}

    fit = infer(model, [x], [Number("y", 5.0, 0.5)], starts_count=3)
    assert min(asked) >= -3.0
    assert max(asked) <= 2.0
    assert fit.estimates["x"] == pytest.approx(2.0, abs=1e-3)
    row = fit.parameter_table().row(0, named=True)
    assert row["at_bound"]
    assert row["clipped"]
    assert row["high"] == 2.0
    # one-sided differences of a linear model are exact too
    assert fit.covariance[0, 0] == pytest.approx(1.0 / (1.0 + 4.0), rel=1e-6)


def test_an_unknown_parameter_keeps_its_prior_and_costs_no_evidence():
    model = Linear(2)
    spare = Parameter("spare", 0.5, -9.0, 9.0, 2.0, logarithmic=False)
    without = infer(model, model.parameters, model.targets)
    with_it = infer(model, [*model.parameters, spare], model.targets)
    assert with_it.covariance[3, 3] == pytest.approx(4.0, rel=1e-9)
    assert with_it.correlations()[3, :3] == pytest.approx(np.zeros(3), abs=1e-9)
    evidence = without.log_evidence_ratio
    assert with_it.log_evidence_ratio == pytest.approx(evidence, abs=1e-6)
    ratio = without.effective_parameters_ratio
    assert with_it.effective_parameters_ratio == pytest.approx(ratio, abs=1e-6)


def test_evidence_charges_for_what_the_data_narrow():
    """A second offset that fits no better is charged; one that is needed is not."""
    first = Parameter("a", 0.0, -50.0, 50.0, 1.0, logarithmic=False)
    second = Parameter("b", 0.0, -50.0, 50.0, 10.0, logarithmic=False)
    same = [Number("y0", 1.0, 0.1), Number("y1", 1.0, 0.1)]
    apart = [Number("y0", 1.0, 0.1), Number("y1", 9.0, 0.1)]

    def model(v):
        return {"y0": v["a"], "y1": v["a"] + v.get("b", 0.0)}

    gain = {}
    for name, targets in {"same": same, "apart": apart}.items():
        one, two = (
            infer(model, [first], targets),
            infer(model, [first, second], targets),
        )
        assert two.cost <= one.cost + 1e-6
        gain[name] = two.log_evidence_ratio - one.log_evidence_ratio
    assert gain["same"] < -3.0  # ln(0.14 / 10)
    assert gain["apart"] > 100.0


def test_the_residual_table_says_how_far_off_each_target_is():
    model = Linear(1)
    targets = [*model.targets, Number("nothing", 0.0, 1.0)]
    fit = infer(lambda v: model(v) | {"nothing": 0.5}, model.parameters, targets)
    table = fit.residual_table()
    assert table["name"].to_list() == [t.name for t in targets]
    for row, t in zip(table.iter_rows(named=True), targets, strict=True):
        off = fit.computed[t.name] - t.value
        assert row["difference"] == pytest.approx(off)
        assert row["deviation_ratio"] == pytest.approx(off / t.uncertainty)
    percent = table["difference_percent"].to_list()
    assert np.isnan(percent[-1])  # of a measured 0
    assert percent[0] == pytest.approx(100.0 * table["difference"][0] / model.y[0])


def test_calls_of_the_model_are_counted():
    model = Linear(3)
    fit = infer(model, model.parameters, model.targets)
    assert fit.evaluations_count == model.calls


def two_valleys(values):
    """Minima of the misfit at x = -1 and, deeper, at +1.2."""
    x = values["x"]
    return {"y": (x + 1.0) * (x - 1.2) * 4.0, "z": 0.2 * (x - 1.2)}


def test_more_starts_find_the_deeper_valley():
    x = Parameter("x", -0.8, -3.0, 3.0, 4.0, logarithmic=False)
    targets = [Number("y", 0.0, 0.1), Number("z", 0.0, 0.1)]
    said = []
    one = infer(two_valleys, [x], targets, progress=said.append)
    many = infer(two_valleys, [x], targets, starts_count=6, progress=said.append)
    again = infer(
        two_valleys, [x], targets, starts_count=6, rng=np.random.default_rng(0)
    )
    assert one.estimates["x"] == pytest.approx(-1.0, abs=0.1)
    assert many.estimates["x"] == pytest.approx(1.2, abs=0.1)
    assert many.cost < one.cost
    assert again.scaled == pytest.approx(many.scaled, abs=0.0)
    assert [s.partition(":")[0] for s in said[1:]] == [
        f"start {n}" for n in range(1, 7)
    ]


# --- a model that cannot answer


def limited(values):
    """x where it is below 1.5."""
    return None if values["x"] >= 1.5 else {"y": values["x"], "z": 2.0}


X = Parameter("x", 0.0, -5.0, 5.0, 1.0, logarithmic=False)
FAR = [Number("y", 3.0, 1.0), Number("z", 1.0, 1.0)]


def test_where_the_model_cannot_answer_every_target_is_far_off():
    problem = Problem(limited, [X], FAR, penalty=lambda x: 7.0 * x)
    there = problem.residuals(np.array([2.0]))
    assert there == pytest.approx([FAILED, FAILED, 2.0, 14.0])
    here = problem.residuals(np.array([1.0]))
    assert here == pytest.approx([-2.0, 1.0, 1.0, 7.0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_fails_alone(value):
    problem = Problem(lambda v: {"y": v["x"], "z": value}, [X], FAR)
    assert problem.residuals(np.zeros(1)) == pytest.approx([-3.0, FAILED, 0.0])


def test_a_search_stays_where_the_model_answers():
    """The optimum of y alone is 1.5, the very edge; before it the cost only falls."""
    targets = [Number("y", 2.4, 1.0), FAR[1]]
    fit = infer(limited, [X], targets)
    assert fit.scaled[0] == pytest.approx(1.2, abs=1e-3)
    assert fit.computed["y"] == pytest.approx(1.2, abs=1e-3)


def test_a_model_that_never_answers_is_an_error():
    with pytest.raises(FitError, match="no parameters were found") as error:
        infer(lambda _: None, [X], FAR, most_evaluations_count=3)
    assert error.value.remedy


def test_differences_stay_within_the_bounds():
    """Forward, or backward at the upper bound; exact for a straight line."""
    asked = []

    def model(values):
        asked.append(values["x"])
        return {"y": 3.0 * values["x"], "z": 0.0}

    problem = Problem(model, [X], FAR)
    for at in (-5.0, 0.0, 5.0):
        for slopes in (problem.jacobian, problem.central):
            assert slopes(np.array([at])) == pytest.approx(
                np.array([[3.0], [0.0], [1.0]])
            )
    assert min(asked) >= -5.0
    assert max(asked) <= 5.0


# --- what is refused


@pytest.mark.parametrize(("parameters", "targets"), [([], FAR), ([X], [])])
def test_nothing_to_find_is_refused(parameters, targets):
    with pytest.raises(SpecError, match="nothing to calibrate"):
        infer(limited, parameters, targets)


@pytest.mark.parametrize(
    "parameter",
    [Parameter("p", 0.0, 1.0, 1.0, 1.0), Parameter("p", 0.0, -1.0, 1.0, 0.0)],
    ids=["no room", "no width"],
)
def test_a_parameter_without_room_or_width_is_refused(parameter):
    with pytest.raises(SpecError, match="'p'") as error:
        infer(limited, [X, parameter], FAR)
    assert "width > 0" in error.value.remedy


@pytest.mark.parametrize(
    "target",
    [Number("t", 1.0, 0.0), Number("t", 1.0, -1.0), Number("t", np.nan, 1.0)],
    ids=["certain", "negative", "no number"],
)
def test_a_target_without_a_number_or_uncertainty_is_refused(target):
    with pytest.raises(SpecError, match="'t'"):
        infer(limited, [X], [*FAR, target])


def test_no_start_is_refused():
    with pytest.raises(SpecError, match="starts_count = 0"):
        infer(limited, [X], FAR, starts_count=0)
