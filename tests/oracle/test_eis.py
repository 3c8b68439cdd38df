"""PyBaMM's impedance of a fresh cell, on the exported script, is ours in the limit.

The same DFN with the surface form of PyBaMM, whose double layer is ours; frequencies
where its meshes are fine enough, and its error falls with them towards our answer.
"""

import types
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from test_dfn import RATES, one_branch, with_inventory

from equipoise import load_cell
from equipoise.io.pybamm_export import pybamm_parameters
from equipoise.sim.impedance.at_rest import impedance_of
from equipoise.sim.mesh import Mesh
from equipoise.spec.kinetics import CellKinetics

pybamm = pytest.importorskip(
    "pybamm", reason="PyBaMM is not installed here: see make oracle"
)

pytestmark = pytest.mark.oracle

FREQUENCY = np.logspace(6, -4, 31)
MICROFARAD = {"positive": 25.0, "negative": 12.0}  # per cm2 of interface


@cache
def fresh_cell():
    """Half charged, one branch; numbers of the comparison of charge curves."""
    sides = {
        side: RATES[side] | {"double_layer_capacitance_uf_per_cm2": value}
        for side, value in MICROFARAD.items()
    }
    cell = one_branch(load_cell("zhang2026-lb"))
    kinetics = CellKinetics.model_validate(RATES | sides)
    return with_inventory(
        replace(cell, kinetics=kinetics),
        positive_start_mah_per_g=110.0,
        negative_start_mah_per_g=70.0,
    )


def ours():
    return impedance_of(fresh_cell(), frequency_hertz=FREQUENCY).cell.impedance_ohm


@cache
def theirs(nodes, shells):
    script = types.ModuleType("peer")
    source = pybamm_parameters(fresh_cell()).script()
    exec(compile(source, "peer.py", "exec"), script.__dict__)
    options = {
        "contact resistance": "true",
        "transport efficiency": "tortuosity factor",
        "surface form": "differential",
    }
    model = pybamm.lithium_ion.DFN(options, build=False)
    model.submodels["electrolyte diffusion"] = (
        pybamm.electrolyte_diffusion.ConstantConcentration(model.param, model.options)
    )
    model.build_model()
    values = script.parameter_values()
    values.update(
        {
            f"{side.capitalize()} electrode double-layer capacity [F.m-2]": value * 1e-2
            for side, value in MICROFARAD.items()
        },
        check_already_exists=False,
    )
    points = {"x_n": nodes, "x_s": 10, "x_p": nodes, "r_n": shells, "r_p": shells}
    simulation = pybamm.EISSimulation(model, parameter_values=values, var_pts=points)
    return np.array(simulation.solve(FREQUENCY).impedance)


def test_the_spectra_agree_and_more_so_with_a_finer_mesh_of_theirs():
    own = ours()
    coarse, fine = (np.abs(theirs(*m) / own - 1.0) for m in ((20, 50), (80, 200)))
    # its nodes see 1 MHz last: the current enters a few um of the electrodes there
    assert np.max(fine) < 4e-3
    assert np.max(fine[FREQUENCY < 1e4]) < 2e-3
    assert np.max(fine[FREQUENCY < 0.1]) < 4e-4
    settled = FREQUENCY < 1e4
    assert np.median(coarse[settled] / fine[settled]) > 4.0


def test_a_uniform_state_needs_no_mesh_of_ours():
    own = ours()
    mesh = Mesh(positive_nodes_count=5, negative_nodes_count=5, shells_count=5)
    few = impedance_of(fresh_cell(), frequency_hertz=FREQUENCY, mesh=mesh)
    assert np.max(np.abs(few.cell.impedance_ohm / own - 1.0)) < 1e-10
