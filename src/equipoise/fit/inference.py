"""Find parameters of a model from measured numbers, and what is known about them.

Weighted least squares with Gaussian priors. Residuals of the computed numbers over
their uncertainty, deviations of the parameters over the width of their prior, and
optional penalties are minimised together; the inverse of the normal matrix at the
optimum is the covariance (Laplace approximation).

References
----------
Seber and Wild, Nonlinear Regression (1989), sec. 2.1 and 12.2; Kass and Raftery, J. Am.
Stat. Assoc. 90 (1995) 773, sec. 4.1 (evidence by Laplace).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import FitError, SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

Array = NDArray[np.float64]
FAILED = 30.0
"""Residual (in standard deviations) of every target while a step is not solved."""
DIFFERENCE = 0.02
"""Step of the derivatives over the width of the prior: far above the scatter that
the step control leaves in a cut-off (1e-4 of a capacity)."""
WIDE_DIFFERENCE = 0.1
"""The same for the covariance at the optimum."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number to find.

    Attributes
    ----------
    start, lower, upper, prior_width
        The prior is a normal distribution around `start` with `prior_width` as its
        standard deviation, cut at the bounds. In the scale of the fit: the decadic
        logarithm if `logarithmic`.
    unit
        Of the number itself, for tables.
    """

    name: str
    start: float
    lower: float
    upper: float
    prior_width: float
    logarithmic: bool = True
    unit: str = ""

    def natural(self, value: float) -> float:
        """The number itself."""
        return float(10.0**value) if self.logarithmic else float(value)


class Measured(Protocol):
    """What a target of a fit has to tell."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def case(self) -> str:
        """The experiment it is from."""
        ...

    @property
    def value(self) -> float:
        """The measured number."""
        ...

    @property
    def uncertainty(self) -> float:
        """One standard deviation."""
        ...

    @property
    def unit(self) -> str:
        """Of the number, for tables."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The optimum and what it is worth.

    Attributes
    ----------
    estimates
        Per parameter, natural scale.
    scaled, covariance, prior_covariance
        In the scale of the fit; the covariance is of the posterior, the other one of
        priors and penalty without any data.
    computed
        Per target.
    chi_square
        Of the targets alone.
    cost
        Of targets, priors and penalties: twice the minimised function.
    """

    parameters: tuple[Parameter, ...]
    targets: tuple[Measured, ...]
    estimates: dict[str, float]
    scaled: Array
    covariance: Array
    prior_covariance: Array
    computed: dict[str, float]
    chi_square: float
    cost: float
    evaluations_count: int

    def residual_table(self) -> pl.DataFrame:
        """Target by target: measured, computed, difference, in percent and in SD."""
        import polars as pl

        rows = [
            {
                "name": t.name,
                "case": t.case,
                "unit": t.unit,
                "measured": t.value,
                "computed": self.computed[t.name],
                "difference": self.computed[t.name] - t.value,
                "difference_percent": (
                    100.0 * (self.computed[t.name] - t.value) / t.value
                    if t.value
                    else float("nan")
                ),
                "deviation_ratio": (self.computed[t.name] - t.value) / t.uncertainty,
            }
            for t in self.targets
        ]
        return pl.DataFrame(rows)

    def parameter_table(self) -> pl.DataFrame:
        """Parameter by parameter: estimate, 95 % interval, how much the data say.

        `known_fraction` is 1 - (posterior over prior standard deviation), the prior
        with its penalty: 0, the data say nothing; 1, the prior does not matter.
        `at_bound` marks an estimate that the bounds hold, `clipped` an interval that
        they cut.
        """
        import polars as pl

        rows: list[dict[str, object]] = []
        width = np.sqrt(np.diag(self.covariance))
        before = np.sqrt(np.diag(self.prior_covariance))
        for p, x, s, w in zip(self.parameters, self.scaled, width, before, strict=True):
            low, high = max(x - 1.96 * s, p.lower), min(x + 1.96 * s, p.upper)
            span = p.upper - p.lower
            held = min(x - p.lower, p.upper - x) < 1e-3 * span
            rows.append(
                {
                    "name": p.name,
                    "unit": p.unit,
                    "estimate": p.natural(float(x)),
                    "low": p.natural(float(low)),
                    "high": p.natural(float(high)),
                    "known_fraction": float(1.0 - s / w),
                    "at_bound": bool(held),
                    "clipped": bool(x - 1.96 * s < p.lower or x + 1.96 * s > p.upper),
                }
            )
        return pl.DataFrame(rows)

    @property
    def effective_parameters_ratio(self) -> float:
        """How many parameters the data determine: trace of what they have narrowed."""
        narrowed = np.linalg.solve(self.prior_covariance, self.covariance)
        return float(len(self.parameters) - np.trace(narrowed))

    @property
    def log_evidence_ratio(self) -> float:
        """Logarithm of the evidence (Laplace), up to a constant of the data.

        Larger is better; unlike chi-square it pays for every parameter with what the
        data narrow it.
        """
        _, posterior = np.linalg.slogdet(self.covariance)
        _, prior = np.linalg.slogdet(self.prior_covariance)
        return float(-0.5 * self.cost + 0.5 * (posterior - prior))

    def correlations(self) -> Array:
        """Correlation matrix of the scaled parameters, shape (n, n)."""
        width = np.sqrt(np.diag(self.covariance))
        return self.covariance / np.outer(width, width)


def infer(
    compute: Callable[[Mapping[str, float]], Mapping[str, float] | None],
    parameters: Sequence[Parameter],
    targets: Sequence[Measured],
    *,
    penalty: Callable[[Array], Array] | None = None,
    starts_count: int = 1,
    most_evaluations_count: int = 60,
    rng: np.random.Generator | None = None,
    progress: Callable[[str], None] | None = None,
) -> Estimate:
    """Find the parameters with which a model computes the targets.

    Parameters
    ----------
    compute
        From natural parameter values by name to the computed number per target; None
        where the model cannot answer.
    penalty
        Further residuals from the scaled parameters, shape (n,) -> (m,).
    starts_count
        Local searches: the first from the starts of the parameters, others from
        random points half a prior width around them (`rng`).

    Raises
    ------
    SpecError
        If nothing is to be found, a prior has no width, or a target no uncertainty.
    FitError
        If no start leads to parameters with which the model answers.
    """
    if starts_count < 1:
        raise SpecError(f"starts_count = {starts_count}", remedy="give at least 1")
    problem = Problem(compute, parameters, targets, penalty)
    rng = rng or np.random.default_rng(0)
    best: tuple[float, Array] | None = None
    for number in range(starts_count):
        start = problem.start
        if number:
            start = start + 0.5 * problem.width * rng.standard_normal(start.size)
        found = _search(problem, start, most_evaluations_count)
        if progress is not None:
            progress(f"start {number + 1}: cost {found[0]:.3f}")
        if best is None or found[0] < best[0]:
            best = found
    assert best is not None  # starts_count >= 1
    cost, scaled = best
    computed = problem.compute(scaled)
    if computed is None:
        raise FitError(
            "no parameters were found with which all steps can be solved",
            where="calibration",
            remedy="start from rates that run, and keep the bounds closer to them",
        )
    jacobian = problem.central(scaled)
    covariance = np.asarray(np.linalg.pinv(jacobian.T @ jacobian), np.float64)
    before = jacobian[len(targets) :]  # priors and penalty
    prior_covariance = np.asarray(np.linalg.pinv(before.T @ before), np.float64)
    chi_square = sum(
        ((computed[t.name] - t.value) / t.uncertainty) ** 2 for t in targets
    )
    return Estimate(
        tuple(parameters),
        tuple(targets),
        problem.natural(scaled),
        scaled,
        covariance,
        prior_covariance,
        dict(computed),
        float(chi_square),
        float(cost),
        problem.evaluations_count,
    )


class Problem:
    """Residuals as a function of the scaled parameters."""

    def __init__(
        self,
        compute: Callable[[Mapping[str, float]], Mapping[str, float] | None],
        parameters: Sequence[Parameter],
        targets: Sequence[Measured],
        penalty: Callable[[Array], Array] | None = None,
    ) -> None:
        if not parameters or not targets:
            raise SpecError(
                "nothing to calibrate", remedy="give parameters and targets"
            )
        for p in parameters:
            if not (p.lower < p.upper and p.prior_width > 0.0):
                raise SpecError(
                    f"parameter {p.name!r}: lower {p.lower:g}, upper {p.upper:g}, "
                    f"prior width {p.prior_width:g}",
                    remedy="lower < upper and a width > 0 are needed",
                )
        for t in targets:
            if not (np.isfinite(t.value) and t.uncertainty > 0.0):
                raise SpecError(
                    f"target {t.name!r}: value {t.value:g}, uncertainty "
                    f"{t.uncertainty:g}",
                    remedy="a finite value and an uncertainty > 0 are needed",
                )
        self.model, self.parameters = compute, tuple(parameters)
        self.targets, self.penalty = tuple(targets), penalty
        self.start = np.array([p.start for p in parameters])
        self.lower = np.array([p.lower for p in parameters])
        self.upper = np.array([p.upper for p in parameters])
        self.width = np.array([p.prior_width for p in parameters])
        self.evaluations_count = 0

    def natural(self, scaled: Array) -> dict[str, float]:
        """Natural values by name."""
        pairs = zip(self.parameters, scaled, strict=True)
        return {p.name: p.natural(float(x)) for p, x in pairs}

    def inside(self, scaled: Array) -> Array:
        """The nearest places within the bounds, shape (..., n)."""
        return np.clip(scaled, self.lower, self.upper)

    def log_prior_size(self) -> float:
        """Logarithm of the integral of ``exp(-cost / 2)`` without any target.

        Raises
        ------
        SpecError
            With a penalty: its integral is not known.
        """
        from scipy.special import ndtr

        if self.penalty is not None:
            raise SpecError(
                "the evidence of a problem with a penalty is not known",
                remedy="compare fits without a penalty",
            )
        high = (self.upper - self.start) / self.width
        low = (self.lower - self.start) / self.width
        flip = low > 0.0  # differences of small tails, not of numbers near 1
        low, high = np.where(flip, -high, low), np.where(flip, -low, high)
        size = np.sqrt(2.0 * np.pi) * self.width * (ndtr(high) - ndtr(low))
        return float(np.sum(np.log(size)))

    def compute(self, scaled: Array) -> Mapping[str, float] | None:
        """All targets; None if the model cannot answer."""
        self.evaluations_count += 1
        return self.model(self.natural(scaled))

    def residuals(self, scaled: Array) -> Array:
        """Targets, then priors, then penalty; in standard deviations."""
        return self.residuals_of(self.compute(scaled), scaled)

    def residuals_of(
        self, computed: Mapping[str, float] | None, scaled: Array
    ) -> Array:
        """The same from numbers already computed."""
        if computed is None:
            off = np.full(len(self.targets), FAILED)
        else:
            off = np.array(
                [(computed[t.name] - t.value) / t.uncertainty for t in self.targets]
            )
            off = np.where(np.isfinite(off), np.clip(off, -1e6, 1e6), FAILED)
        prior = (scaled - self.start) / self.width
        more = np.zeros(0) if self.penalty is None else self.penalty(scaled)
        return np.concatenate([off, prior, more])

    def jacobian(self, scaled: Array) -> Array:
        """Forward differences, away from the nearer bound; shape (residuals, n)."""
        here = self.residuals(scaled)
        out = np.empty((here.size, scaled.size))
        for i in range(scaled.size):
            step = DIFFERENCE * self.width[i]
            if scaled[i] + step > self.upper[i]:
                step = -step
            moved = scaled.copy()
            moved[i] += step
            out[:, i] = (self.residuals(moved) - here) / step
        return out

    def central(self, scaled: Array) -> Array:
        """Central differences over a wide step, for the covariance.

        The step is a tenth of the prior: an interval is about such distances, and
        small scatter of the residuals does not pass for knowledge.
        """
        columns: list[Array] = []
        for i in range(scaled.size):
            step = WIDE_DIFFERENCE * self.width[i]
            up, down = scaled.copy(), scaled.copy()
            up[i] = min(scaled[i] + step, self.upper[i])
            down[i] = max(scaled[i] - step, self.lower[i])
            above, below = self.compute(up), self.compute(down)
            if above is None:  # a model that gives up beside the optimum: one-sided
                up, above = scaled, self.compute(scaled)
            elif below is None:
                down, below = scaled, self.compute(scaled)
            change = self.residuals_of(above, up) - self.residuals_of(below, down)
            columns.append(change / max(up[i] - down[i], 1e-12))
        return np.stack(columns, axis=1)


def _search(problem: Problem, start: Array, most: int) -> tuple[float, Array]:
    """One local search: cost and scaled parameters."""
    from scipy.optimize import least_squares  # 1.4 s: only where it is used

    inside = 1e-6 * (problem.upper - problem.lower)
    start = np.clip(start, problem.lower + inside, problem.upper - inside)
    found = least_squares(
        problem.residuals,
        start,
        bounds=(problem.lower, problem.upper),
        x_scale=problem.width,
        jac=problem.jacobian,  # pyright: ignore[reportArgumentType]
        max_nfev=most,
    )
    return 2.0 * float(found.cost), found.x
