"""Observed orders: in time, through the electrode, and of the step control."""

import numpy as np
import pytest

from engine_cells import (
    SMALL,
    charge,
    discharge,
    fixed,
    hold,
    machine,
    rest,
    smooth_cell,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import (
    ELECTRONIC,
    FACE,
    FACE_SLOPE,
    INTERFACE,
    POTENTIAL,
    RESISTANCE,
    TRIAL,
)
from equipoise.kernels.porous import distribute
from equipoise.kernels.program import End
from equipoise.sim.electrode import fresh_field
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh, Stepping

WIDE = {"until_voltage_volt": 9.0}


def orders_of(errors, factor=2.0):
    errors = np.array(errors)
    return np.log(errors[:-1] / errors[1:]) / np.log(factor)


def end_of(steps, stepping, mesh=SMALL, **changes):
    """Potential of the positive at the end, V; after a hold it tells the current."""
    driven = machine(smooth_cell(**changes), steps, mesh=mesh, stepping=stepping)
    assert driven.advance(driven.program.steps.shape[0]) == Status.OK
    return driven.finished[-1, End.POSITIVE_VOLT]


WAYS = {
    "charge": (charge(1, until_time_second=1440.0, **WIDE),),
    "charge and discharge": (
        charge(1, until_time_second=1440.0, **WIDE),
        discharge(1, until_time_second=720.0, until_voltage_volt=-9.0),
    ),
    "charge and rest": (charge(1, until_time_second=1440.0, **WIDE), rest(0.05)),
    "charge and hold": (
        charge(1, until_time_second=720.0, **WIDE),
        hold(voltage_volt=2.45, until_time_second=720.0),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_second_order_in_time_with_equal_steps(way):
    """Doubling the steps four times divides the error by four each time.

    Against 32 times finer steps of the same scheme, on the same meshes. The first
    order of the single Euler step at each change of current must not show.
    """
    steps = WAYS[way]
    exact = end_of(steps, fixed(0.02 / 256))
    errors = [abs(end_of(steps, fixed(0.02 / n)) - exact) for n in (1, 2, 4, 8)]
    assert errors[0] < 2e-3
    assert errors[-1] < errors[0] / 30.0  # 64 at second order
    assert orders_of(errors).mean() > 1.75, (errors, orders_of(errors))


def test_error_falls_with_the_tolerance_of_the_step_control():
    """Local error h^3 ~ tolerance, global h^2: slope 2/3 of the logarithms."""
    steps = (
        charge(2, until_time_second=900.0, **WIDE),
        discharge(2, until_time_second=600.0, until_voltage_volt=-9.0),
    )

    def control(tolerance):
        return Stepping(
            tolerance_volt=tolerance,
            first_fraction=1e-6,
            most_fraction=1.0,
            most_substeps_count=1_000_000,
        )

    tolerances = [1e-3, 1e-4, 1e-5, 1e-6]
    exact = end_of(steps, control(1e-9))
    errors = [abs(end_of(steps, control(t)) - exact) for t in tolerances]
    slope = np.polyfit(np.log10(tolerances), np.log10(errors), 1)[0]
    assert slope > 0.55, (errors, slope)
    # a run of a hundred steps does not lose more than a few tolerances
    assert all(e < 10.0 * t for e, t in zip(errors, tolerances, strict=True)), errors


def test_second_order_or_better_through_the_electrode():
    """Poor rails, 1C: the reaction is far from uniform; nodes 5 to 40 against 160."""
    poor = {
        "ionic_conductivity_millisiemens_per_cm": 0.05,
        "electronic_conductivity_millisiemens_per_cm": 0.1,
    }
    steps = (charge(1, until_time_second=720.0, **WIDE),)

    def at(nodes):
        mesh = Mesh(
            positive_nodes_count=nodes, negative_nodes_count=nodes, shells_count=6
        )
        return end_of(steps, fixed(5e-3), mesh, positive=poor, negative=poor)

    exact = at(160)
    errors = [abs(at(n) - exact) for n in (5, 10, 20, 40)]
    assert orders_of(errors).min() > 1.8, (errors, orders_of(errors))
    assert errors[0] < 5e-5  # five nodes are enough


def two_rail(nodes, *, ratio=1.0, thiele=3.0):
    """An electrode with a constant reaction resistance; `thiele`2 = S / Z_c."""
    mesh = Mesh(positive_nodes_count=nodes, negative_nodes_count=1, shells_count=1)
    electrode = lower(smooth_cell(), mesh=mesh).positive
    state = fresh_field(electrode, 0.5)
    length = electrode.width * nodes
    ionic, electronic = 1.0, ratio
    whole = (ionic + electronic) * length
    interface = electrode.column[INTERFACE, 0]
    state.column[RESISTANCE] = whole / thiele**2 * interface * length
    state.column[POTENTIAL] = state.column[TRIAL] = 0.0
    state.node[ELECTRONIC] = electronic
    electrode = electrode._replace(ionic=np.full(nodes, ionic))
    base, slope = distribute(electrode, state)
    assert base == 0.0
    faces = state.node[FACE, :-1] + state.node[FACE_SLOPE, :-1]
    return slope / length, faces, ionic, electronic


def closed_form(R_i, R_e, X):
    """Two rails, ions in at one end, electrons out at the other (own derivation).

    v = phi_s - phi_e on s = x / L obeys v'' = X^2 v with v'(0) = -R_e, v'(1) = R_i
    (unit current), so v = [R_i cosh X s + R_e cosh X (1 - s)] / (X sinh X). With
    i_e = (v' + R_e) / S, and phi_s(0) - phi_e(1) = v(1) + R_e (1 - integral of i_e),
    and the integral of v' = v(1) - v(0).
    """
    S = R_i + R_e
    v0 = (R_i + R_e * np.cosh(X)) / (X * np.sinh(X))
    v1 = (R_i * np.cosh(X) + R_e) / (X * np.sinh(X))
    return v1 + R_e * (1.0 - (v1 - v0 + R_e) / S)


def ionic_current(R_i, R_e, X, s):
    slope = (R_i * np.sinh(X * s) - R_e * np.sinh(X * (1.0 - s))) / np.sinh(X)
    return (slope + R_e) / (R_i + R_e)


RAILS = [(1.0, 3.0), (0.2, 3.0), (5.0, 1.0), (0.01, 8.0), (100.0, 8.0)]


def test_closed_form_agrees_with_the_specification_of_the_impedance():
    """R_iR_e/S (1 + 2/(X sinh X)) + (R_i2 + R_e2)/S coth X / X; limits at both ends."""
    for R_i, R_e, X in ((1.0, 3.0, 0.7), (34.0, 98.0, 4.0), (5.0, 0.0, 2.0)):
        S = R_i + R_e
        other = R_i * R_e / S * (1.0 + 2.0 / (X * np.sinh(X))) + (
            (R_i**2 + R_e**2) / S / np.tanh(X) / X
        )
        assert closed_form(R_i, R_e, X) == pytest.approx(other, rel=1e-13)
    assert closed_form(2.0, 3.0, 40.0) == pytest.approx(
        6.0 / 5.0 + 13.0 / 5.0 / 40.0, rel=1e-12
    )
    X = 1e-2  # slow kinetics: Z_c + S / 3
    assert closed_form(2.0, 3.0, X) == pytest.approx(5.0 / X**2 + 5.0 / 3.0, rel=1e-9)


@pytest.mark.parametrize(("ratio", "thiele"), RAILS)
def test_two_rail_resistance_tends_to_the_closed_form(ratio, thiele):
    """Second order at least, and 1e-6 after one Richardson step at 200 / 400 nodes."""
    exact = closed_form(1.0, ratio, thiele)
    coarse, fine = (two_rail(n, ratio=ratio, thiele=thiele)[0] for n in (200, 400))
    assert (4.0 * fine - coarse) / 3.0 == pytest.approx(exact, rel=1e-6)
    errors = [
        abs(two_rail(n, ratio=ratio, thiele=thiele)[0] / exact - 1.0)
        for n in (10, 20, 40, 80)
    ]
    assert orders_of(errors).min() > 1.9, (errors, orders_of(errors))


@pytest.mark.parametrize(("ratio", "thiele"), RAILS)
def test_linear_reaction_is_second_order_through_the_electrode(ratio, thiele):
    """As `kernels.porous` says: half the width of a node, a quarter of the error.

    The reaction is taken as constant in a node: its mean is off by (thiele / n)**2 / 24
    of itself, the error of the midpoint rule.
    """
    exact = closed_form(1.0, ratio, thiele)
    errors = [
        abs(two_rail(n, ratio=ratio, thiele=thiele)[0] / exact - 1.0)
        for n in (20, 40, 80, 160)
    ]
    assert orders_of(errors).min() > 1.98, (errors, orders_of(errors))
    assert errors[0] < (thiele / 20) ** 2 / 24.0


def test_face_currents_converge():
    errors = []
    for nodes in (20, 40, 80, 160):
        _, faces, R_i, R_e = two_rail(nodes, ratio=0.3, thiele=4.0)
        s = np.arange(1, nodes) / nodes
        errors.append(np.abs(faces - ionic_current(R_i, R_e, 4.0, s)).max())
    assert orders_of(errors).min() > 1.9, (errors, orders_of(errors))
    assert errors[0] < 1e-3


@pytest.mark.parametrize("ratio", [0.0, 0.3, 10.0])
def test_a_single_node_has_exactly_a_third_of_both_rails(ratio):
    found, _, R_i, R_e = two_rail(1, ratio=ratio, thiele=1.0)
    whole = R_i + R_e
    assert found == pytest.approx(whole + whole / 3.0, rel=1e-13)
