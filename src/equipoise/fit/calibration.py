"""Calibrate the rates of cells to measured numbers; see `inference` for the method."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from equipoise.core.errors import SpecError
from equipoise.core.status import Status
from equipoise.fit.inference import Estimate, Parameter, infer
from equipoise.protocol.expand import expand
from equipoise.sim.lower import lower
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import context
from equipoise.sim.tables import step_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from equipoise.protocol.expand import Program
    from equipoise.protocol.steps import Protocol
    from equipoise.spec.cell import Cell
    from equipoise.spec.half_cell_spec import HalfCellSetup
    from equipoise.spec.kinetics import CellKinetics

__all__ = ["Calibration", "Case", "Parameter", "Target", "calibrate"]


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
class Calibration(Estimate):
    """An estimate, and the rates that it stands for."""

    kinetics: CellKinetics


def calibrate(
    build: Callable[[Mapping[str, float]], CellKinetics],
    parameters: Sequence[Parameter],
    cases: Sequence[Case],
    targets: Sequence[Target],
    *,
    penalty: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
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
    known = {c.name for c in cases}
    for t in targets:
        if t.case not in known:
            raise SpecError(
                f"target {t.name!r} names the case {t.case!r}",
                remedy=f"the cases are: {', '.join(sorted(known))}",
            )
    model = _Model(build, cases, targets, mesh or Mesh(), stepping or Stepping())
    found = infer(
        model.compute,
        parameters,
        targets,
        penalty=penalty,
        starts_count=starts_count,
        most_evaluations_count=most_evaluations_count,
        rng=rng,
        progress=progress,
    )
    parts = {f.name: getattr(found, f.name) for f in fields(found)}
    return Calibration(**parts, kinetics=build(found.estimates))


class _Model:
    """From parameters to the targets, by way of simulations."""

    def __init__(
        self,
        build: Callable[[Mapping[str, float]], CellKinetics],
        cases: Sequence[Case],
        targets: Sequence[Target],
        mesh: Mesh,
        stepping: Stepping,
    ) -> None:
        self.build, self.cases, self.targets = build, cases, targets
        self.mesh, self.stepping = mesh, stepping
        self.programs: dict[str, Program] = {}

    def compute(self, values: Mapping[str, float]) -> dict[str, float] | None:
        """All targets; None if a step is not solved."""
        rates = self.build(values)
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
