"""Kernels of one electrode against other ways to the same number."""

import numpy as np
import pytest

from engine_cells import (
    SMALL,
    cell,
    changed,
    charge,
    hold,
    machine,
    protocol,
    smooth_cell,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import (
    CAPACITY,
    ELECTRONIC,
    INTERFACE,
    MEAN,
    POTENTIAL,
    RESISTANCE,
    SURFACE,
    TRIAL,
)
from equipoise.kernels.porous import _exchange, distribute, predict
from equipoise.kernels.program import End, Sample
from equipoise.kernels.stepper import mean_lithiation
from equipoise.sim.electrode import fresh_field
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh
from equipoise.sim.simulate import simulate

CLASSES = [
    {"name": "fine", "share_fraction": 0.7},
    {"name": "coarse", "share_fraction": 0.3, "radius_ratio": 2.5},
]


def least_dissipation(h, re, ri, per_J, open_u):
    """Terminal potential as (base, slope) over i, from the least of a quadratic form.

    Currents distribute themselves so that ``sum of open_u J + per_J J**2 / 2 + half
    the heat of both rails`` is least; its derivative by i is the terminal potential.
    """
    n = re.size
    jump = np.diff(np.eye(n + 1), axis=0)  # faces -> reaction of the nodes

    def heat(w):  # integral of w f**2 for f linear between the faces
        out = np.zeros((n + 1, n + 1))
        for k in range(n):
            out[k : k + 2, k : k + 2] += h * w[k] / 6.0 * np.array([[2.0, 1], [1, 2]])
        return out

    electronic = np.zeros((n + 1, n + 1))  # i - f, with i the last face
    electronic[:, -1] = 1.0
    electronic -= np.eye(n + 1)
    K = jump.T @ np.diag(per_J) @ jump + heat(ri)
    K += electronic.T @ heat(re) @ electronic
    c = jump.T @ open_u
    inner = slice(1, n)
    A, B = K[inner, inner], K[inner, -1]
    base = c[-1] - B @ np.linalg.solve(A, c[inner])
    return base, K[-1, -1] - B @ np.linalg.solve(A, B)


@pytest.mark.parametrize("nodes", [2, 3, 7])
def test_unequal_resistivities_share_the_current_with_the_least_dissipation(nodes):
    rng = np.random.default_rng(nodes)
    mesh = Mesh(positive_nodes_count=nodes, negative_nodes_count=1, shells_count=1)
    electrode = lower(smooth_cell(), mesh=mesh).positive
    state = fresh_field(electrode, 0.5)
    re, ri, resistance, open_u = rng.uniform(0.2, 5.0, (4, nodes))
    per_J = resistance * 1e-5
    state.column[RESISTANCE] = per_J * electrode.column[INTERFACE] * electrode.width
    state.column[POTENTIAL], state.column[TRIAL] = open_u, 0.0
    state.node[ELECTRONIC] = re
    found = distribute(electrode._replace(ionic=ri), state)
    expected = least_dissipation(electrode.width, re, ri, per_J, open_u)
    assert found == pytest.approx(expected, rel=1e-11)


def two_classes():
    dependence = {"lithiation_fraction": [0.0, 1.0], "values": [5.0, 0.05]}
    known = cell(
        {
            "particle_classes": CLASSES,
            "electronic_conductivity_millisiemens_per_cm": dependence,
        }
    )
    mesh = Mesh(positive_nodes_count=3, negative_nodes_count=1, shells_count=2)
    electrode = lower(known, mesh=mesh).positive
    state = fresh_field(electrode, 0.5)
    state.column[MEAN : MEAN + 2] = np.array([0.2, 0.3, 0.4, 0.9, 0.8, 0.7])
    return (
        electrode,
        state,
        0.7 * np.array([0.2, 0.3, 0.4]) + 0.3 * np.array([0.9, 0.8, 0.7]),
    )


def test_electronic_resistivity_follows_the_mean_lithium_of_the_node():
    """Weighted by capacity; 5 mS/cm without lithium, 0.05 when full, log-linear."""
    electrode, state, mean = two_classes()
    predict(electrode, state, 1.0, 1.0, 0, 0, 0.0)
    expected = 10.0 / (5.0 * 0.01**mean)  # ohm m
    np.testing.assert_allclose(state.node[ELECTRONIC], expected, rtol=1e-4)


def test_mean_lithiation_is_weighted_by_capacity():
    electrode, state, mean = two_classes()
    assert electrode.column[CAPACITY, 0] > electrode.column[CAPACITY, 3]
    assert mean_lithiation(electrode, state, 0) == pytest.approx(mean.mean(), rel=1e-12)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("x", [0.1, 0.5, 0.9])
def test_exchange_current_has_the_exponents_of_its_docstring(alpha, x):
    """x**alpha_c (1 - x)**alpha_a over its value at one half, and d ln / dx."""
    ratio, growth = _exchange(x, alpha)
    assert ratio == pytest.approx(
        2.0 * x ** (1.0 - alpha) * (1.0 - x) ** alpha, rel=1e-5
    )
    assert growth == pytest.approx((1.0 - alpha) / x - alpha / (1.0 - x), abs=1e-4)


def test_surface_lithium_of_a_step_is_that_next_to_the_separator():
    poor = {"ionic_conductivity_millisiemens_per_cm": 0.02}
    driven = machine(cell(poor, poor), (charge(1, until_time_second=600.0),))
    assert driven.advance(1) == Status.OK
    for state, column in (
        (driven.positive, End.POSITIVE_SURFACE_LITHIATION),
        (driven.negative, End.NEGATIVE_SURFACE_LITHIATION),
    ):
        surfaces = state.column[SURFACE + 1]
        assert np.ptp(surfaces) > 0.01  # far from uniform
        assert driven.finished[0, column] == surfaces[-1]


def test_a_hold_during_the_first_lithiation_leaves_the_negative_at_rest():
    """Its potential differs from that at rest by the separator alone."""
    lossy = changed(cell(), "negative", first_lithiation_loss_mah_per_g=80.0)
    steps = (
        charge(1, until_voltage_volt=1.7),
        hold(voltage_volt=1.75, until_time_hour=0.05),
    )
    run = simulate(lossy, protocol(*steps), mesh=SMALL)
    held = run.samples[run.samples[:, Sample.STEP] == 2]
    passed = run.results[:, End.COULOMB].sum()
    assert 0.0 < passed < run.lowered.bypass_coulomb
    np.testing.assert_allclose(held[:, Sample.VOLT], 1.75, atol=1e-9)
    at_rest = (
        held[:, Sample.NEGATIVE_VOLT]
        + run.lowered.negative_ohm * held[:, Sample.AMPERE]
    )
    assert held[0, Sample.AMPERE] > 1.05 * held[-1, Sample.AMPERE] > 0.0
    np.testing.assert_allclose(at_rest, at_rest[0], atol=1e-9)
