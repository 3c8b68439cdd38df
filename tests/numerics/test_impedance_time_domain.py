"""The impedance against the engine itself: small currents imposed in the time domain.

A small step of current, up and down, gives the step response of the cell in a state;
the inverse Laplace transform of Z(s) / s is the same by way of the impedance. There is
no double layer in the engine: its capacitance is zero here.
"""

from dataclasses import replace

import numpy as np
import pytest

from engine_cells import (
    charge,
    discharge,
    machine,
    protocol,
    rest,
    smooth_cell,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import BRANCH, MEAN, REACTION, SURFACE
from equipoise.kernels.program import End
from equipoise.kernels.simulate import Memory
from equipoise.protocol.expand import expand
from equipoise.protocol.steps import Charge, Discharge
from equipoise.sim.impedance.alternating import Alternating
from equipoise.sim.impedance.electrode_impedance import both_ohm
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import context

SMALL_AMPERE = 1e-6
FINE = Mesh(positive_nodes_count=40, negative_nodes_count=40, shells_count=60)
EXACT = Stepping(
    tolerance_volt=1e-7, first_fraction=1e-9, most_fraction=1.0, sample_fraction=1.0
)
VARIABLE = {
    "diffusivity_cm2_per_s": {
        "lithiation_fraction": (0.2, 0.9),
        "values": (3e-10, 3e-12),
    },
    "electronic_conductivity_millisiemens_per_cm": 0.5,
    "film_resistance_ohm_cm2": 8.0,
}


SLOW = {
    "diffusivity_cm2_per_s": {
        "lithiation_fraction": (0.2, 0.9),
        "values": (3e-11, 3e-13),
    },
}
MEANS = (End.POSITIVE_LITHIATION, End.NEGATIVE_LITHIATION)


def known_cell(positive=None):
    return smooth_cell(VARIABLE | (positive or {}), {"film_resistance_ohm_cm2": 4.0})


def set_uniform(driven, positive, negative):
    for state, x in ((driven.positive, positive), (driven.negative, negative)):
        state.x[:] = x
        state.column[[MEAN, MEAN + 1]] = x
        state.column[SURFACE : SURFACE + 4] = x


def voltage_after(driven, ampere, second):
    """Voltage of a copy of a machine after a constant current for a time."""
    kind = Charge if ampere > 0.0 else Discharge
    step = kind(
        current_ma=abs(ampere) * 1e3,
        until_time_second=float(second),
        until_voltage_volt=9.0 if ampere > 0.0 else -9.0,
    )
    program = expand(protocol(step), context(known_cell(), driven.lowered))
    copied = Machine.of(driven.lowered, program, EXACT)
    for side in ("positive", "negative"):
        for own, given in zip(
            getattr(copied, side), getattr(driven, side), strict=True
        ):
            own[:] = given
    copied.memory[Memory.NOW] = driven.memory[Memory.NOW]
    copied.memory[Memory.BYPASS_COULOMB] = 0.0
    assert copied.advance(1) == Status.OK
    return copied.finished[0, End.VOLT]


def response(driven, t, *, base=0.0, small=SMALL_AMPERE):
    """(V(base + small) - V(base - small)) / (2 small) after times t, ohm."""
    return np.array(
        [
            (
                voltage_after(driven, base + small, one)
                - voltage_after(driven, base - small, one)
            )
            / (2.0 * small)
            for one in t
        ]
    )


def inverse_laplace(transform, t, terms=16):
    """Fixed Talbot contour (Abate, Valko, Int. J. Numer. Meth. Eng. 60 (2004) 979)."""
    r = 2.0 * terms / (5.0 * t)
    theta = np.arange(1, terms) * np.pi / terms
    cot = 1.0 / np.tan(theta)
    s = r * theta * (cot + 1j)
    sigma = theta + (theta * cot - 1.0) * cot
    value = 0.5 * np.exp(r * t) * transform(np.array([r + 0j]))[0]
    value += np.sum(np.exp(t * s) * transform(s) * (1.0 + 1j * sigma))
    return (r / terms * value).real


def by_impedance(driven, t, *, flows):
    lowered = replace(driven.lowered, alternating=Alternating())
    states, now = (driven.positive, driven.negative), int(driven.memory[Memory.NOW])

    def transform(s):
        return sum(both_ohm(lowered, states, now, s, flows=flows)) / s

    return np.array([inverse_laplace(transform, one) for one in t])


def test_the_inverse_transform_is_one():
    t = np.array([0.3, 2.0, 40.0])
    found = [inverse_laplace(lambda s: 1.0 / np.sqrt(s) / s, one) for one in t]
    assert found == pytest.approx(2.0 * np.sqrt(t / np.pi), rel=1e-7)


def test_a_step_from_rest_answers_as_the_impedance_says():
    driven = machine(known_cell(), [rest(1)], mesh=FINE)
    set_uniform(driven, 0.6, 0.4)
    t = np.geomspace(0.1, 1e4, 9)
    found, expected = response(driven, t), by_impedance(driven, t, flows=False)
    assert expected[-1] > 10.0 * expected[0]  # diffusion, then the capacity
    assert found == pytest.approx(expected, rel=6e-4)


def test_the_difference_is_the_mesh_of_the_engine():
    # second order in both meshes; the impedance itself has no error of the mesh here
    t, off = np.array([0.1, 30.0]), []
    for nodes, shells in ((10, 15), (20, 30)):
        mesh = Mesh(
            positive_nodes_count=nodes, negative_nodes_count=nodes, shells_count=shells
        )
        driven = machine(known_cell(), [rest(1)], mesh=mesh)
        set_uniform(driven, 0.6, 0.4)
        off.append(response(driven, t) / by_impedance(driven, t, flows=False) - 1.0)
    assert (off[0] / off[1] > 2.5).all()
    assert (off[0] < 6e-3).all()


def after(current, x, *more):
    """A machine of slow particles after a current at 2C, and what follows."""
    steps = [current, *more]
    driven = machine(known_cell(SLOW), steps, mesh=FINE, stepping=EXACT)
    set_uniform(driven, *x)
    driven.memory[Memory.BYPASS_COULOMB] = 0.0
    assert driven.advance(len(steps)) == Status.OK
    return driven


def test_a_step_soon_after_a_fast_discharge_answers_as_the_impedance_says():
    fast = discharge(2.0, until_time_second=500.0)
    driven = after(fast, (0.35, 0.7), rest(0.02))
    assert np.ptp(driven.positive.x[int(driven.memory[Memory.NOW])]) > 0.3
    t = np.geomspace(1e-3, 1.0, 7)
    found, expected = response(driven, t), by_impedance(driven, t, flows=False)
    assert found == pytest.approx(expected, rel=2.5e-3)
    set_uniform(driven, *(driven.finished[-1, c] for c in MEANS))
    as_if_uniform = by_impedance(driven, t, flows=False)
    assert (np.abs(as_if_uniform / expected - 1.0) > 1.5e-2).all()


def test_a_step_on_top_of_a_current_answers_as_the_impedance_says():
    driven = after(charge(2.0, until_time_second=300.0), (0.6, 0.4))
    ampere = float(driven.memory[Memory.AMPERE])
    t = np.geomspace(1e-3, 1.0, 7)
    found = response(driven, t, base=ampere)
    expected = by_impedance(driven, t, flows=True)
    assert found == pytest.approx(expected, rel=2.5e-3)
    at_rest = replace(driven, memory=driven.memory.copy())
    for state in (at_rest.positive, at_rest.negative):
        state.column[REACTION : REACTION + 2] = 0.0
    still = by_impedance(at_rest, t, flows=False)
    assert (still > 1.02 * expected).all()  # a current makes reactions easier


def test_a_sinusoid_at_rest_sees_the_mean_of_both_directions_of_a_hysteresis():
    """Small, slow, fast particles: what is left is how the curve is walked along."""
    quick = {"diffusivity_cm2_per_s": 1e-7}
    cell = smooth_cell(quick, quick)
    period, parts, small = 1000.0, 200, 2e-6
    time = (np.arange(parts) + 0.5) * period / parts
    ampere = small * np.cos(2.0 * np.pi * time / period)
    steps = [
        (Charge if i > 0.0 else Discharge)(
            current_ma=1e3 * abs(i),
            until_time_second=period / parts,
            until_voltage_volt=9.0 if i > 0.0 else -9.0,
        )
        for i in ampere
    ]
    stepping = Stepping(tolerance_volt=1e-7, first_fraction=1.0, most_fraction=1.0)
    driven = machine(cell, steps * 2, mesh=FINE, stepping=stepping)
    curves = driven.lowered.positive.open_circuit.copy()
    curves[:, 1] -= 0.05  # lithiating
    positive = driven.lowered.positive._replace(open_circuit=curves, hysteresis=50.0)
    driven = replace(driven, lowered=replace(driven.lowered, positive=positive))
    set_uniform(driven, 0.6, 0.4)
    driven.memory[Memory.BYPASS_COULOMB] = 0.0
    driven.positive.column[BRANCH] = 0.4
    s = np.array([2j * np.pi / period])
    lowered = replace(driven.lowered, alternating=Alternating())
    states = (driven.positive, driven.negative)
    expected = sum(both_ohm(lowered, states, 0, s, flows=False))[0]
    assert driven.advance(2 * parts) == Status.OK
    volts = driven.finished[parts - 1 :, End.VOLT]
    ohmic = volts[1:] - expected.real * ampere  # the staircase leads by half a part
    drift = (volts[-1] - volts[0]) * np.arange(1, parts + 1) / parts
    ends = time + 0.5 * period / parts
    found = 2.0 * np.mean((ohmic - drift) * np.exp(-s[0] * ends)) / small
    assert found.imag == pytest.approx(expected.imag, rel=2e-3)
    assert abs(found.real) < 2e-3 * abs(expected)
    no_return = replace(lowered, positive=positive._replace(hysteresis=1e-9))
    on_the_curve = sum(both_ohm(no_return, states, 0, s, flows=False))[0]
    assert on_the_curve.imag > 0.6 * expected.imag


def test_on_top_of_a_current_a_hysteresis_is_walked_one_way():
    quick = {"diffusivity_cm2_per_s": 1e-7}
    slow_charge = charge(0.5, until_time_second=300.0)
    driven = machine(
        smooth_cell(quick, quick), [slow_charge], mesh=FINE, stepping=EXACT
    )
    curves = driven.lowered.positive.open_circuit.copy()
    curves[:, 1] -= 0.05
    positive = driven.lowered.positive._replace(open_circuit=curves, hysteresis=20.0)
    driven = replace(driven, lowered=replace(driven.lowered, positive=positive))
    set_uniform(driven, 0.6, 0.4)
    driven.memory[Memory.BYPASS_COULOMB] = 0.0
    driven.positive.column[BRANCH] = -1.0
    assert driven.advance(1) == Status.OK
    assert -0.5 < driven.positive.column[BRANCH].mean() < 0.5
    ampere = float(driven.memory[Memory.AMPERE])
    t = np.geomspace(1.0, 60.0, 4)
    found = response(driven, t, base=ampere)
    expected = by_impedance(driven, t, flows=True)
    # the branch itself moves on meanwhile, by a tenth of its way in 60 s: that is the
    # frozen state, and first order in t
    assert found == pytest.approx(expected, rel=4e-3)
    without = replace(
        driven,
        lowered=replace(driven.lowered, positive=positive._replace(hysteresis=1e-9)),
    )
    assert by_impedance(without, t, flows=True)[-1] < 0.97 * expected[-1]
