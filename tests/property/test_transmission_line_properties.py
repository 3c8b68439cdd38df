"""Truths that hold for any line of two rails."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import equipoise.analysis.eis.lines.transmission_line as line
from equipoise.analysis.eis.lines.interface import constant_phase
from equipoise.analysis.eis.lines.terminals import OPEN, Terminals, line_between

RESISTANCE = st.floats(1e-3, 1e6)
EXPONENT = st.floats(0.3, 1.0)
COEFFICIENT = st.floats(1e-9, 1e2)
HERTZ = np.logspace(8, -4, 25)


def interface(coefficient, exponent):
    w = 2.0 * np.pi * HERTZ
    return 1.0 / constant_phase(w, coefficient=coefficient, exponent=exponent)


@given(RESISTANCE, RESISTANCE, COEFFICIENT, EXPONENT)
def test_a_passive_line_never_gives_energy(r_i, r_e, q, a):
    z = interface(q, a)
    for name in line.CONNECTIONS:
        found = line.line_response(
            name, z, ionic_ohm=r_i, electronic_ohm=r_e
        ).impedance_ohm
        assert np.isfinite(found).all()
        assert (found.real > 0.0).all()
        assert (found.imag <= 1e-12 * np.abs(found)).all()


@given(RESISTANCE, RESISTANCE, COEFFICIENT, EXPONENT)
def test_the_real_part_of_a_blocking_cell_lies_between_its_limits(r_i, r_e, q, a):
    z = interface(q, a)
    found = line.electron_blocking(z, ionic_ohm=r_i, electronic_ohm=r_e).real
    assert (found <= r_i * (1.0 + 1e-12)).all()
    assert (found >= r_i * r_e / (r_i + r_e) * (1.0 - 1e-12)).all()
    # falling frequency, rising resistance: a relaxation
    assert (np.diff(found) >= -1e-12 * r_i).all()


@given(RESISTANCE, RESISTANCE, COEFFICIENT, EXPONENT, st.floats(1e-3, 1e3))
def test_resistances_scale(r_i, r_e, q, a, factor):
    z = interface(q, a)
    one = line.battery_electrode(z, ionic_ohm=r_i, electronic_ohm=r_e)
    other = line.battery_electrode(
        factor * z, ionic_ohm=factor * r_i, electronic_ohm=factor * r_e
    )
    assert np.abs(other / (factor * one) - 1.0).max() < 1e-12


@given(RESISTANCE, RESISTANCE, COEFFICIENT, EXPONENT)
def test_the_two_rails_are_alike(r_i, r_e, q, a):
    z = interface(q, a)
    one = line.battery_electrode(z, ionic_ohm=r_i, electronic_ohm=r_e)
    other = line.battery_electrode(z, ionic_ohm=r_e, electronic_ohm=r_i)
    assert np.abs(one / other - 1.0).max() < 1e-13


@given(RESISTANCE, RESISTANCE, COEFFICIENT, EXPONENT, RESISTANCE)
def test_another_path_never_raises_a_resistive_line(r_i, r_e, q, a, end):
    """Rayleigh: real interface and ends, so that all is a net of resistors."""
    z = np.abs(interface(q, a))
    rails = {"ionic_ohm": r_i, "electronic_ohm": r_e}
    blocked = line_between(Terminals(OPEN, 0.0, OPEN, 0.0), z, **rails).real
    leaky = line_between(Terminals(end, 0.0, end, 0.0), z, **rails).real
    assert (leaky <= blocked * (1.0 + 1e-11)).all()
