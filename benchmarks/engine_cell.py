"""The cell of the engine benchmark, and our engine on it.

LB of zhang2026 with one particle class, one open-circuit branch, constant
conductivities and a diffusivity of the positive that depends on lithium: what PyBaMM
and we both can solve exactly as written. The same cell as in tests/oracle/test_dfn.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from equipoise import load_cell
from equipoise.kernels.program import Sample
from equipoise.protocol.expand import expand
from equipoise.protocol.steps import Cycle, Protocol
from equipoise.sim.lower import lower
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import context, simulate
from equipoise.spec.kinetics import CellKinetics

if TYPE_CHECKING:
    from equipoise.protocol.expand import Program
    from equipoise.sim.lower import Lowered
    from equipoise.sim.mesh import ModelName
    from equipoise.spec.cell import Cell

BUNDLED = "zhang2026-lb"
RATES = {
    "name": "oracle",
    "reference_temperature_celsius": 45.0,
    "separator_conductivity_millisiemens_per_cm": 4.83,
    "separator_activation_kj_per_mol": 33.8,
    "contact_resistance_ohm_cm2": 5.0,
    "positive": {
        "particle_radius_um": 2.0,
        "diffusivity_cm2_per_s": {
            "lithiation_fraction": (0.2, 0.6, 1.0),
            "values": (4e-11, 2e-11, 4e-12),
        },
        "exchange_current_ma_per_cm2": 0.1,
        "ionic_conductivity_millisiemens_per_cm": 0.14,
        "electronic_conductivity_millisiemens_per_cm": 0.5,
    },
    "negative": {
        "particle_radius_um": 0.5,
        "diffusivity_cm2_per_s": 1e-11,
        "exchange_current_ma_per_cm2": 0.2,
        "ionic_conductivity_millisiemens_per_cm": 1.5,
        "electronic_conductivity_millisiemens_per_cm": 1.0,
    },
}
START = {"positive_start_mah_per_g": 15.0, "negative_start_mah_per_g": 5.0}

Curve = tuple[np.ndarray, np.ndarray]  # charge passed since the start of a step, volt


@cache
def oracle_cell() -> Cell:
    """The cell that both contestants get."""
    cell = load_cell(BUNDLED)
    half_cell = cell.positive.half_cell
    half_cell = replace(half_cell, lithiation=half_cell.delithiation)
    cell = replace(
        cell,
        positive=replace(cell.positive, half_cell=half_cell),
        kinetics=CellKinetics.model_validate(RATES),
    )
    inventory = cell.spec.inventory.model_copy(update=START)
    return replace(cell, spec=cell.spec.model_copy(update={"inventory": inventory}))


def protocol(cycles: int = 1) -> Protocol:
    """1C charge and discharge between the ends of the window."""
    return Protocol(name="1C", steps=(Cycle(do="cycle", c_rate=1.0, count=cycles),))


def mesh_of(nodes: int = 20, shells: int = 20, grading: float = 1.0) -> Mesh:
    return Mesh(
        positive_nodes_count=nodes,
        negative_nodes_count=nodes,
        shells_count=shells,
        shell_grading=grading,
    )


@dataclass(frozen=True)
class Ready:
    """A cell lowered and a protocol written out: what PyBaMM calls built."""

    lowered: Lowered
    program: Program
    stepping: Stepping

    @classmethod
    def of(
        cls,
        cell: Cell,
        model: ModelName,
        cycles: int = 1,
        *,
        mesh: Mesh | None = None,
        stepping: Stepping | None = None,
    ) -> Ready:
        lowered = lower(cell, model=model, mesh=mesh or Mesh())
        program = expand(protocol(cycles), context(cell, lowered))
        return cls(lowered, program, stepping or Stepping())

    def run(self) -> Machine:
        """From the fresh cell to the end of the program."""
        machine = Machine.of(self.lowered, self.program, self.stepping)
        status = machine.advance(self.program.steps.shape[0])
        assert machine.over, status
        return machine


def curves(
    model: ModelName, stepping: Stepping, mesh: Mesh | None = None
) -> list[Curve]:
    """Charge and discharge of the first cycle."""
    run = simulate(oracle_cell(), protocol(), model=model, stepping=stepping, mesh=mesh)
    found = []
    for step in (1, 2):
        rows = run.samples[run.samples[:, Sample.STEP] == step]
        found.append((np.abs(rows[:, Sample.COULOMB]), rows[:, Sample.VOLT]))
    return found


def off(found: list[Curve], answer: list[Curve]) -> dict[str, list[float]]:
    """How far a cycle is from the converged one, [charge, discharge].

    Capacities: relative, signed. Voltage: root mean square over the charge passed, at
    the contestant's own time steps, mV.
    """
    capacity, millivolt = [], []
    for (q, v), (q_answer, v_answer) in zip(found, answer, strict=True):
        capacity.append(float(q[-1] / q_answer[-1] - 1.0))
        inside = q <= q_answer[-1]
        q, v = q[inside], v[inside]
        weight = np.gradient(q)
        square = (v - np.interp(q, q_answer, v_answer)) ** 2
        millivolt.append(float(1e3 * np.sqrt(np.sum(weight * square) / np.sum(weight))))
    return {"capacity_relative": capacity, "voltage_rms_mv": millivolt}
