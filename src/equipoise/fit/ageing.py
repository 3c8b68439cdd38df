"""Calibrate ageing to measured lives; see `inference` for the method.

One set of mechanisms for all cells, and, where wanted, a factor per cell on what
differs from cell to cell: `build` is told the case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from equipoise.core.errors import SpecError
from equipoise.core.status import Status
from equipoise.fit.inference import Estimate, Problem, infer
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from equipoise.ageing.ageing import Ageing
    from equipoise.fit.inference import Parameter
    from equipoise.protocol.steps import Protocol
    from equipoise.sim.life.life import Life
    from equipoise.sim.mesh import Mesh, ModelName, Stepping
    from equipoise.spec.cell import Cell
    from equipoise.spec.kinetics import CellKinetics


@dataclass(frozen=True, slots=True)
class LifeCase:
    """A cell and the protocol of its life."""

    name: str
    cell: Cell
    protocol: Protocol
    until_retention: float | None = None


@dataclass(frozen=True, slots=True)
class LifeTarget:
    """A measured number and how a simulated life shows it; `observe` gets the life."""

    name: str
    case: str
    observe: Callable[[Life], float]
    value: float
    uncertainty: float
    unit: str


_JUMP = Jump()


@dataclass(frozen=True, slots=True)
class LifeModel:
    """From natural parameter values to computed targets.

    Attributes
    ----------
    build
        From parameter values and the name of a case to the rates and the ageing.
    jump
        How slow states are carried; None: every cycle is solved.
    """

    build: Callable[[Mapping[str, float], str], tuple[CellKinetics, Ageing]]
    cases: tuple[LifeCase, ...]
    targets: tuple[LifeTarget, ...]
    mesh: Mesh | None = None
    stepping: Stepping | None = None
    jump: Jump | None = _JUMP
    model: ModelName = "dfn"

    def lives(self, values: Mapping[str, float]) -> dict[str, Life]:
        """The life of each case; they may end early, with their status."""
        return {case.name: self._life(case, values) for case in self.cases}

    def compute(self, values: Mapping[str, float]) -> dict[str, float] | None:
        """All targets; None if a life breaks off."""
        lives = self.lives(values)
        if any(found.status != Status.OK for found in lives.values()):
            return None
        return {t.name: float(t.observe(lives[t.case])) for t in self.targets}

    def _life(self, case: LifeCase, values: Mapping[str, float]) -> Life:
        rates, ageing = self.build(values, case.name)
        return attempt(
            replace(case.cell, kinetics=rates),
            case.protocol,
            ageing,
            model=self.model,
            mesh=self.mesh,
            stepping=self.stepping,
            jump=self.jump,
            until_retention=case.until_retention,
        )


def calibrate_ageing(
    model: LifeModel,
    parameters: Sequence[Parameter],
    *,
    starts_count: int = 1,
    most_evaluations_count: int = 40,
    rng: np.random.Generator | None = None,
    progress: Callable[[str], None] | None = None,
) -> Estimate:
    """Find the ageing with which the cases show the targets.

    Raises
    ------
    SpecError
        If a target names a case that does not exist, or nothing is to be found.
    FitError
        If no start leads to lives that can be simulated.
    """
    _check(model)
    return infer(
        model.compute,
        parameters,
        model.targets,
        starts_count=starts_count,
        most_evaluations_count=most_evaluations_count,
        rng=rng,
        progress=progress,
    )


def problem_of(model: LifeModel, parameters: Sequence[Parameter]) -> Problem:
    """The problem of a calibration, for `sampling.sample`.

    Raises
    ------
    SpecError
        As `calibrate_ageing`.
    """
    _check(model)
    return Problem(model.compute, parameters, model.targets)


def _check(model: LifeModel) -> None:
    known = {case.name for case in model.cases}
    for target in model.targets:
        if target.case not in known:
            raise SpecError(
                f"target {target.name!r} names the case {target.case!r}",
                remedy=f"the cases are: {', '.join(sorted(known))}",
            )
