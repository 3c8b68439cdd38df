"""Calibrate the rates of cells to measured numbers, with what is and is not known.

Weighted least squares with Gaussian priors. Residuals of the simulated protocols over
their uncertainty, deviations of the parameters over the width of their prior, and
optional penalties are minimised together; the inverse of the normal matrix at the
optimum is the covariance (Laplace approximation).

References
----------
Seber and Wild, Nonlinear Regression (1989), sec. 2.1 and 12.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import FitError, SpecError
from equipoise.core.status import Status
from equipoise.protocol.expand import expand
from equipoise.sim.lower import lower
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import context
from equipoise.sim.tables import step_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from equipoise.protocol.expand import Program
    from equipoise.protocol.steps import Protocol
    from equipoise.spec.cell import Cell
    from equipoise.spec.half_cell_spec import HalfCellSetup
    from equipoise.spec.kinetics import CellKinetics

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


@dataclass(frozen=True, slots=True)
class Case:
    """A cell and what is done with it."""

    name: str
    cell: Cell | HalfCellSetup
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """A measured number and how a simulation shows it.

    `observe` gets the step table of its case (see `sim.tables.step_table`).
    """

    name: str
    case: str
    observe: Callable[[pl.DataFrame], float]
    value: float
    uncertainty: float
    unit: str


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
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
    targets: tuple[Target, ...]
    estimates: dict[str, float]
    scaled: Array
    covariance: Array
    prior_covariance: Array
    computed: dict[str, float]
    chi_square: float
    cost: float
    evaluations_count: int
    kinetics: CellKinetics

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


def calibrate(
    build: Callable[[Mapping[str, float]], CellKinetics],
    parameters: Sequence[Parameter],
    cases: Sequence[Case],
    targets: Sequence[Target],
    *,
    penalty: Callable[[Array], Array] | None = None,
    mesh: Mesh | None = None,
    stepping: Stepping | None = None,
    starts_count: int = 1,
    most_evaluations_count: int = 60,
    rng: np.random.Generator | None = None,
    progress: Callable[[str], None] | None = None,
) -> Calibration:
    """Find the rates with which the cases show the targets.

    Parameters
    ----------
    build
        Makes the rates from natural parameter values by name.
    penalty
        Further residuals from the scaled parameters, shape (n,) -> (m,), such as
        roughness of a curve.
    starts_count
        Local searches: the first from the starts of the parameters, others from
        random points half a prior width around them (`rng`).

    Raises
    ------
    SpecError
        If a target names a case that does not exist, or nothing is to be found.
    FitError
        If no start leads to parameters with which all steps can be solved.
    """
    if starts_count < 1:
        raise SpecError(f"starts_count = {starts_count}", remedy="give at least 1")
    problem = _Problem(build, parameters, cases, targets, penalty, mesh, stepping)
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
    assert best is not None  # starts_count >= 1 is checked by the problem
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
    natural = problem.natural(scaled)
    return Calibration(
        tuple(parameters),
        tuple(targets),
        natural,
        scaled,
        covariance,
        prior_covariance,
        computed,
        float(chi_square),
        float(cost),
        problem.evaluations_count,
        build(natural),
    )


class _Problem:
    """Residuals of a calibration as a function of the scaled parameters."""

    def __init__(
        self,
        build: Callable[[Mapping[str, float]], CellKinetics],
        parameters: Sequence[Parameter],
        cases: Sequence[Case],
        targets: Sequence[Target],
        penalty: Callable[[Array], Array] | None,
        mesh: Mesh | None,
        stepping: Stepping | None,
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
        known = {c.name for c in cases}
        for t in targets:
            if t.case not in known:
                raise SpecError(
                    f"target {t.name!r} names the case {t.case!r}",
                    remedy=f"the cases are: {', '.join(sorted(known))}",
                )
        self.build, self.parameters = build, tuple(parameters)
        self.cases, self.targets, self.penalty = cases, targets, penalty
        self.mesh, self.stepping = mesh or Mesh(), stepping or Stepping()
        self.start = np.array([p.start for p in parameters])
        self.lower = np.array([p.lower for p in parameters])
        self.upper = np.array([p.upper for p in parameters])
        self.width = np.array([p.prior_width for p in parameters])
        self.programs: dict[str, Program] = {}
        self.evaluations_count = 0

    def natural(self, scaled: Array) -> dict[str, float]:
        pairs = zip(self.parameters, scaled, strict=True)
        return {p.name: p.natural(float(x)) for p, x in pairs}

    def compute(self, scaled: Array) -> dict[str, float] | None:
        """All targets; None if a step is not solved."""
        self.evaluations_count += 1
        rates = self.build(self.natural(scaled))
        tables = {c.name: self._steps(c, rates) for c in self.cases}
        out: dict[str, float] = {}
        for t in self.targets:
            table = tables[t.case]
            if table is None:
                return None
            out[t.name] = float(t.observe(table))
        return out

    def _steps(self, case: Case, rates: CellKinetics) -> pl.DataFrame | None:
        cell = replace(case.cell, kinetics=rates)
        lowered = lower(cell, mesh=self.mesh)
        if case.name not in self.programs:
            self.programs[case.name] = expand(case.protocol, context(cell, lowered))
        program = self.programs[case.name]
        machine = Machine.of(lowered, program, self.stepping)
        if machine.advance(program.steps.shape[0]) != Status.OK:
            return None
        return step_table(machine.finished, program, lowered)

    def residuals(self, scaled: Array) -> Array:
        computed = self.compute(scaled)
        if computed is None:
            off = np.full(len(self.targets), FAILED)
        else:
            off = np.array(
                [(computed[t.name] - t.value) / t.uncertainty for t in self.targets]
            )
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
            change = self.residuals(up) - self.residuals(down)
            columns.append(change / (up[i] - down[i]))
        return np.stack(columns, axis=1)


def _search(problem: _Problem, start: Array, most: int) -> tuple[float, Array]:
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
