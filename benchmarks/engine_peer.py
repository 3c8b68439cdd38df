"""PyBaMM on the cell of the engine benchmark, with the settings that matter for speed.

Model and parameters come from the script that `equipoise export` writes; the DFN is
the script's own, the SPM is PyBaMM's, with the same parameters.
"""

from __future__ import annotations

import os
import types
from functools import cache
from typing import TYPE_CHECKING

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"  # before the import: it asks there

import numpy as np
import pybamm
from engine_cell import oracle_cell

from equipoise.io.pybamm_export import pybamm_parameters

if TYPE_CHECKING:
    from engine_cell import Curve

DEFAULT = (1e-4, 1e-6)  # rtol, atol of IDAKLUSolver
EXACT = (1e-9, 1e-11)
NODES = SHELLS = 20
SEPARATOR_NODES = 10
COMPILED = {"compile": True}
SETTINGS = {
    "as it comes": {},
    "store_first_last": {"store_first_last": True},
    "output_variables": {"output_variables": ["Voltage [V]"]},
    "store_first_last, compiled": {"store_first_last": True, "options": COMPILED},
    "the same, algebraic error suppressed": {
        "store_first_last": True,
        "options": COMPILED | {"suppress_algebraic_error": True},
    },
    "the same, Newton three times looser": {
        "store_first_last": True,
        "options": COMPILED | {"nonlinear_convergence_coefficient": 1.0},
    },
    "the same, banded linear solver": {
        "store_first_last": True,
        "options": COMPILED | {"linear_solver": "SUNLinSol_Band", "jacobian": "banded"},
    },
}
PLAIN, BEST = "store_first_last", "store_first_last, compiled"


@cache
def script() -> types.ModuleType:
    """The exported script of the cell, as a module."""
    module = types.ModuleType("exported")
    source = pybamm_parameters(oracle_cell()).script()
    exec(compile(source, "exported.py", "exec"), module.__dict__)
    return module


def simulation(
    model: str,
    tolerance: tuple[float, float] = DEFAULT,
    *,
    cycles: int = 1,
    nodes: int = NODES,
    shells: int = SHELLS,
    **solver: object,
) -> pybamm.Simulation:
    """1C cycles between the cut-offs, built on its first solve."""
    given = script()
    values, cell = given.parameter_values(), given.CELL
    # the steps end at the cut-offs; those of the model only bound it
    values["Lower voltage cut-off [V]"] -= given.OUTSIDE_VOLT
    values["Upper voltage cut-off [V]"] += given.OUTSIDE_VOLT
    steps = tuple(
        pybamm.step.current(
            sign * cell["one_c_ampere"], duration=5 * 3600.0, termination=f"{volt} V"
        )
        for sign, volt in ((-1.0, cell["upper_volt"]), (1.0, cell["lower_volt"]))
    )
    options = {
        "contact resistance": "true",
        "transport efficiency": "tortuosity factor",
    }
    return pybamm.Simulation(
        given.model() if model == "dfn" else pybamm.lithium_ion.SPM(options),
        parameter_values=values,
        experiment=pybamm.Experiment([steps] * cycles),
        var_pts={
            "x_n": nodes,
            "x_s": SEPARATOR_NODES,
            "x_p": nodes,
            "r_n": shells,
            "r_p": shells,
        },
        solver=pybamm.IDAKLUSolver(rtol=tolerance[0], atol=tolerance[1], **solver),
    )


def solve(built: pybamm.Simulation) -> pybamm.Solution:
    """Once more from the fresh cell, on what was built and discretised before."""
    return built.solve(calc_esoh=False)


def curves(
    model: str,
    tolerance: tuple[float, float],
    *,
    dense: bool = False,
    **points: int,
) -> list[Curve]:
    """Charge and discharge of the first cycle.

    At PyBaMM's own time steps, or at many more through its Hermite interpolation:
    what others are compared with must not suffer from straight lines.
    """
    built = simulation(model, tolerance, options=COMPILED, **points)
    ampere = script().CELL["one_c_ampere"]
    share = np.linspace(0.0, 1.0, 20_001)
    share = np.unique(np.concatenate((share, share**4, 1.0 - share**4)))
    found = []
    for step in solve(built).cycles[0].steps:
        begin, end = step.t[0], step.t[-1]
        if dense:
            times = np.minimum(begin + share * (end - begin), end)
            volt = step["Voltage [V]"](times)
        else:
            times, volt = step.t, step["Voltage [V]"].entries
        found.append(((times - begin) * ampere, volt))
    return found


def capacities(solution: pybamm.Solution) -> list[float]:
    """Charge passed in each step of a solution, coulomb."""
    ampere = script().CELL["one_c_ampere"]
    return [
        float(step.t[-1] - step.t[0]) * ampere
        for cycle in solution.cycles
        for step in cycle.steps
    ]


def check(found: list[Curve], solution: pybamm.Solution) -> None:
    """The stored curve and the timed solve are the same numbers."""
    both = zip(found, capacities(solution), strict=True)
    assert all(np.isclose(q[-1], c, rtol=1e-7) for (q, _), c in both)
