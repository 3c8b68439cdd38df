"""PyBaMM's DFN, run by the exported script, gives the same curves as our engine.

The script takes its numbers from the specification, not from our lowered arrays; the
discretisation in space, the time integrator (IDAKLU) and the non-linear solver are
PyBaMM's own. Curves are compared at equal charge passed.

Two cells start away from full and empty particles: there the exchange current
vanishes, and the first seconds show the size of the outermost shell, nothing else.
"""

import types
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from equipoise import load_cell
from equipoise.io.pybamm_export import pybamm_parameters
from equipoise.kernels.program import Sample
from equipoise.protocol.steps import Cycle, Protocol
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import simulate
from equipoise.spec.kinetics import (
    ActivationEnergies,
    CellKinetics,
    Dependence,
    ElectrodeKinetics,
)

pytest.importorskip("pybamm", reason="PyBaMM is not installed here: see make oracle")

pytestmark = pytest.mark.oracle

LIMITS_MILLIVOLT = {0.2: 0.2, 1.0: 0.5, 5.0: 3.0}  # RMS of a curve
EQUAL, FINE = (20, 20), (40, 200)  # nodes, shells of PyBaMM
SAMPLES = 4001
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


def rated(rates: ElectrodeKinetics, **changes) -> ElectrodeKinetics:
    """Other rates, validated: numbers may be bare."""
    return ElectrodeKinetics.model_validate(rates.model_dump() | changes)


def one_branch(cell):
    branch = cell.positive.half_cell.delithiation
    half_cell = replace(cell.positive.half_cell, lithiation=branch)
    return replace(cell, positive=replace(cell.positive, half_cell=half_cell))


def with_inventory(cell, **changes):
    inventory = cell.spec.inventory.model_copy(update=changes)
    return replace(cell, spec=cell.spec.model_copy(update={"inventory": inventory}))


@cache
def plain_cell():
    """LB: variable diffusivity in the positive, all else constant, one branch."""
    cell = one_branch(load_cell("zhang2026-lb"))
    kinetics = CellKinetics.model_validate(RATES)
    return with_inventory(
        replace(cell, kinetics=kinetics),
        positive_start_mah_per_g=15.0,
        negative_start_mah_per_g=5.0,
    )


@cache
def rich_cell():
    """The same with every other rate in use: films, contact, temperature, ..."""
    cell = plain_cell()
    positive = rated(
        cell.kinetics.positive,
        anodic_transfer_fraction=0.4,
        film_resistance_ohm_cm2=20.0,
        contact_area_fraction=0.7,
        electronic_conductivity_millisiemens_per_cm=Dependence(
            lithiation_fraction=(0.3, 0.9), values=(1.0, 0.1)
        ),
        activation=ActivationEnergies(
            diffusivity_kj_per_mol=30.0,
            exchange_kj_per_mol=40.0,
            film_kj_per_mol=25.0,
            ionic_kj_per_mol=33.0,
            electronic_kj_per_mol=10.0,
        ),
    )
    negative = rated(
        cell.kinetics.negative,
        film_resistance_ohm_cm2=10.0,
        contact_area_fraction=0.8,
        diffusivity_cm2_per_s=2e-12,
        open_circuit_stretch_ratio=1.03,
    )
    changes = {"positive": positive, "negative": negative}
    changes |= {"positive_contact_share_fraction": 0.8}
    changes |= {"reference_position_fraction": 0.3}
    kinetics = cell.kinetics.model_copy(update=changes)
    spec = cell.spec.model_copy(update={"temperature_celsius": 35.0})
    return with_inventory(
        replace(cell, kinetics=kinetics, spec=spec),
        positive_active_fraction=0.92,
        negative_active_fraction=0.95,
    )


@cache
def emptied_cell():
    """LTO without lithium at the start: the discharge ends with empty particles."""
    return with_inventory(plain_cell(), negative_start_mah_per_g=0.0)


CELLS = {"plain": plain_cell, "rich": rich_cell, "emptied": emptied_cell}


@cache
def peer(which):
    """The exported script as a module."""
    module = types.ModuleType("peer")
    source = pybamm_parameters(CELLS[which]()).script()
    exec(compile(source, "peer.py", "exec"), module.__dict__)
    return module


@cache
def theirs(which, rate, mesh):
    """Charge and discharge: each (charge passed in coulomb, V, E_p, E_n)."""
    script = peer(which)
    solution = script.simulation(rate, *mesh, rtol=1e-7, atol=1e-9).solve()
    halves = []
    for step in solution.cycles[0].steps:
        hours = step["Discharge capacity [A.h]"].entries
        potentials = script.electrode_potentials(step)
        charge = 3600.0 * np.abs(hours - hours[0])
        halves.append((charge, step["Voltage [V]"].entries, *potentials))
    return halves


@cache
def ours(which, rate, nodes=20, shells=20, grading=1.0):
    run = simulate(
        CELLS[which](),
        Protocol(name="cycle", steps=(Cycle(do="cycle", c_rate=rate),)),
        mesh=Mesh(
            positive_nodes_count=nodes,
            negative_nodes_count=nodes,
            shells_count=shells,
            shell_grading=grading,
        ),
        stepping=Stepping(tolerance_volt=1e-5),
    )
    columns = (Sample.VOLT, Sample.POSITIVE_VOLT, Sample.NEGATIVE_VOLT)
    halves = []
    for step in (1, 2):
        rows = run.samples[run.samples[:, Sample.STEP] == step]
        halves.append((np.abs(rows[:, Sample.COULOMB]), *(rows[:, c] for c in columns)))
    return halves


def rms_millivolt(a, b, *, first=0.001, last=1.0):
    """RMS difference of V, E_p and E_n between two shares of the common charge."""
    top = min(a[0][-1], b[0][-1])
    q = np.linspace(first * top, last * top, SAMPLES)
    off = [
        np.interp(q, a[0], x) - np.interp(q, b[0], y)
        for x, y in zip(a[1:], b[1:], strict=True)
    ]
    return 1e3 * np.sqrt(np.mean(np.square(off), axis=1))


@pytest.mark.parametrize("rate", LIMITS_MILLIVOLT)
def test_charge_curves_agree_with_a_converged_dfn(rate):
    found = rms_millivolt(ours("plain", rate)[0], theirs("plain", rate, FINE)[0])
    assert max(found) <= LIMITS_MILLIVOLT[rate], found


@pytest.mark.parametrize("rate", LIMITS_MILLIVOLT)
def test_charge_curves_agree_on_the_same_mesh(rate):
    # PyBaMM extrapolates the surface from the two outermost shells, to first order in
    # their size while the profile builds up: that start is left to the test above
    found = rms_millivolt(
        ours("plain", rate)[0], theirs("plain", rate, EQUAL)[0], first=0.02
    )
    assert max(found) <= LIMITS_MILLIVOLT[rate], found


@pytest.mark.parametrize("rate", LIMITS_MILLIVOLT)
def test_on_the_same_mesh_ours_is_closer_to_the_converged_answer(rate):
    for half in (0, 1):
        answer = theirs("plain", rate, FINE)[half]
        own = rms_millivolt(ours("plain", rate)[half], answer)[0]
        peers = rms_millivolt(theirs("plain", rate, EQUAL)[half], answer)[0]
        assert own < peers, (half, own, peers)


@pytest.mark.parametrize("rate", LIMITS_MILLIVOLT)
def test_a_discharge_after_it_agrees_when_both_are_fine(rate):
    # surfaces fill up at the end: a sharp event that 20 uniform shells smear
    found = rms_millivolt(
        ours("plain", rate, 40, 60, 2.0)[1], theirs("plain", rate, FINE)[1]
    )
    assert max(found) <= LIMITS_MILLIVOLT[rate], found


@pytest.mark.parametrize(("rate", "relative"), [(0.2, 2e-5), (1.0, 2e-4), (5.0, 3e-3)])
def test_capacities_agree(rate, relative):
    fine = ours("plain", rate, 40, 60, 2.0)
    for own, peers in zip(fine, theirs("plain", rate, FINE), strict=True):
        assert own[0][-1] == pytest.approx(peers[0][-1], rel=relative)


@pytest.mark.parametrize("rate", [0.2, 1.0])
def test_films_contact_temperature_and_conductivities_mean_the_same(rate):
    fine, peers = ours("rich", rate, 40, 60, 2.0), theirs("rich", rate, FINE)
    for half in (0, 1):
        found = rms_millivolt(fine[half], peers[half], first=0.005, last=0.995)
        assert max(found) <= LIMITS_MILLIVOLT[rate], (half, found)


def test_empty_particles_react_alike():
    fine, peers = ours("emptied", 0.2, 20, 60, 2.0), theirs("emptied", 0.2, FINE)
    assert peers[1][3][-1] > 2.0  # beyond the end of the curve, 2.0 V
    assert fine[1][0][-1] == pytest.approx(peers[1][0][-1], rel=5e-5)
    found = rms_millivolt(fine[1], peers[1], last=0.9995)
    assert max(found) <= LIMITS_MILLIVOLT[0.2], found
