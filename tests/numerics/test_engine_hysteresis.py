"""Branches of the open-circuit curve: change with charge, nothing else."""

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import (
    SMALL,
    SMOOTH_NEGATIVE,
    USER,
    cell,
    charge,
    discharge,
    inventory,
    machine,
    protocol,
    rest,
    tried,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import BRANCH
from equipoise.kernels.program import End
from equipoise.protocol.steps import Cycle
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import simulate

KNOTS = [0.0, 90.0, 180.0, 274.98]
GAP_VOLT = 0.2


def parallel_branches(capacity):
    """Two straight branches, 0.2 V apart everywhere."""
    upper = [3.6, 3.9, 4.2, 4.5166]
    ends = {"measured_from_mah_per_g": 0.0, "measured_to_mah_per_g": 274.98}
    return {
        "open_circuit": {
            "form": "table",
            "axis": "delithiated",
            "delithiation": {
                "capacity_mah_per_g": KNOTS,
                "potential_vs_li_volt": upper,
                **ends,
            },
            "lithiation": {
                "capacity_mah_per_g": KNOTS,
                "potential_vs_li_volt": [u - GAP_VOLT for u in upper],
                **ends,
            },
            **USER,
        },
        "hysteresis_capacity_mah_per_g": capacity,
        "diffusivity_cm2_per_s": 1e-9,
    }


def hysteretic(capacity):
    known = cell(parallel_branches(capacity), {"open_circuit": SMOOTH_NEGATIVE})
    return inventory(
        known, positive_start_mah_per_g=100.0, negative_start_mah_per_g=60.0
    )


@pytest.mark.parametrize("capacity", [2.0, 5.0, 20.0])
def test_branch_relaxes_exponentially_with_the_charge(capacity):
    """b = goal + (b0 - goal) exp(-charge / capacity), 63 % after the capacity."""
    for passed in (0.5, 2.0, 10.0):
        driven = machine(
            hysteretic(capacity),
            (
                charge(0.2, until_capacity_mah_per_g_positive=60.0),
                discharge(0.2, until_capacity_mah_per_g_positive=passed),
            ),
            model="spm",
        )
        assert driven.advance(2) == Status.OK
        branch = driven.positive.column[BRANCH, 0]
        start = 1.0
        expected = -1.0 + (1.0 + start) * np.exp(-passed / capacity)
        assert branch == pytest.approx(expected, abs=1e-6)


def test_branch_and_voltage_are_independent_of_the_rate_and_of_rests():
    def at(rate, *, pause):
        steps = [
            charge(
                rate, until_capacity_mah_per_g_positive=60.0, until_voltage_volt=9.0
            ),
            discharge(rate, until_capacity_mah_per_g_positive=3.0),
            rest(50),
        ]
        if pause:
            steps.insert(1, rest(5))
        driven = machine(hysteretic(5.0), steps, model="spm")
        assert driven.advance(len(steps)) == Status.OK
        return driven.positive.column[BRANCH, 0], driven.finished[-1, End.VOLT]

    branch, volt = at(0.1, pause=False)
    for rate, pause in ((1.0, False), (0.1, True), (2.0, True)):
        again = at(rate, pause=pause)
        assert again[0] == pytest.approx(branch, abs=1e-6)
        assert again[1] == pytest.approx(volt, abs=1e-6)
    expected = -1.0 + 2.0 * np.exp(-3.0 / 5.0)
    assert branch == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("model", ["spm", "quasi-static"])
def test_without_a_capacity_the_branch_changes_at_once(model):
    """Charge, then discharge by 2 mAh/g: 0.2 V and two slopes apart."""
    known = cell(
        parallel_branches(5.0) | {"hysteresis_capacity_mah_per_g": None},
        {"open_circuit": SMOOTH_NEGATIVE},
    )
    known = inventory(
        known, positive_start_mah_per_g=100.0, negative_start_mah_per_g=60.0
    )
    run = simulate(
        known,
        protocol(
            charge(1e-3, until_capacity_mah_per_g_positive=10.0),
            discharge(1e-3, until_capacity_mah_per_g_positive=2.0),
        ),
        model=model,
        mesh=SMALL,
    )
    up, down = run.results[:, End.POSITIVE_VOLT]
    slope = (3.9 - 3.6) / 90.0  # V g / mAh, up to the bend of the interpolation
    assert up - down == pytest.approx(GAP_VOLT + 2.0 * slope, abs=1e-3)


@pytest.mark.parametrize("nodes", [5, 20])
@pytest.mark.parametrize("which", ["parallel", "library"])
def test_rest_without_a_hysteresis_capacity_comes_to_its_end(which, nodes):
    """`hysteresis_capacity_mah_per_g` not given is the default of a kinetics file.

    At rest the nodes exchange lithium: some are charged, some discharged.
    """
    known = (
        cell(
            parallel_branches(5.0) | {"hysteresis_capacity_mah_per_g": None},
            {"open_circuit": SMOOTH_NEGATIVE},
        )
        if which == "parallel"
        else cell({"hysteresis_capacity_mah_per_g": None})
    )
    mesh = Mesh(positive_nodes_count=nodes, negative_nodes_count=nodes, shells_count=8)
    run = tried(known, charge(1), rest(1), discharge(1), rest(1), mesh=mesh)
    assert run.status == Status.OK
    assert run.results[:, End.SUBSTEPS].max() < 2000


@pytest.mark.parametrize("rate", [1e-2, 1e-3, 1e-4])
def test_slow_cycles_with_hysteresis_take_no_more_steps_than_fast_ones(rate):
    """The step size is a share of the capacity: slow is not more work."""
    known = cell({"hysteresis_capacity_mah_per_g": 5.0})
    run = tried(known, charge(rate), discharge(rate))
    assert run.status == Status.OK
    assert run.substeps_count < 1000


def test_closed_cycles_with_hysteresis_lose_energy_but_no_charge():
    run = simulate(
        hysteretic(5.0),
        protocol(Cycle(c_rate=0.05, count=4)),
        mesh=SMALL,
        stepping=Stepping(tolerance_volt=1e-5),
    )
    last = run.cycles.row(3, named=True)
    assert last["coulombic_efficiency"] == pytest.approx(1.0, abs=1e-5)
    gap = last["mean_charging_voltage_volt"] - last["mean_discharging_voltage_volt"]
    assert 0.9 * GAP_VOLT < gap < 1.5 * GAP_VOLT


def test_library_cells_begin_on_the_branch_they_will_move_along():
    driven = machine(eqp.load_cell("zhang2026-lb"), (charge(1),))
    assert (driven.positive.column[BRANCH] == 1.0).all()
    assert (driven.negative.column[BRANCH] == -1.0).all()
