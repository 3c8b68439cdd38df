"""Elements: derivatives, limits, and the golden numbers of the transmission line."""

import warnings

import numpy as np
import pytest

from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.elements import ELEMENTS, SPELLINGS
from equipoise.analysis.eis.circuits.response import Points

FREQUENCY = np.logspace(7, -4, 89)
S = 2j * np.pi * FREQUENCY


def impedance(text, *values, frequency=FREQUENCY):
    return Circuit.of(text).impedance(frequency, values)


def close(a, b, tolerance=1e-12):
    assert np.max(np.abs(a - b) / np.abs(b)) < tolerance


def contour_derivative(response, at, p, k, radius, nodes=16):
    """Cauchy's integral around parameter k: exact but for rounding."""
    total = 0.0
    for m in range(nodes):
        turn = np.exp(2j * np.pi * m / nodes)
        total = (
            total + response(at, [*p[:k], p[k] + radius * turn, *p[k + 1 :]])[0] / turn
        )
    return total / (nodes * radius)


@pytest.mark.parametrize("code", ELEMENTS)
def test_derivatives_are_those_of_a_contour_integral(code):
    kind, at = ELEMENTS[code], Points.of(FREQUENCY)
    rng = np.random.default_rng(1)
    for _ in range(30):
        p = [
            rng.uniform(0.3, 1.0) if q.role == "exponent" else 10 ** rng.uniform(-6, 3)
            for q in kind.parameters
        ]
        z, slopes = kind.response(at, p)
        for k, slope in enumerate(slopes):
            # exponents turn the phase: a wide circle would meet the poles of coth
            exponent = kind.parameters[k].role == "exponent"
            radius = (0.01 if exponent else 0.1) * p[k]
            expected = contour_derivative(kind.response, at, p, k, radius)
            # rounding of the integral is 1e-16 |Z| over its radius
            room = 1e-9 * np.abs(expected) + 1e-14 * np.abs(z) / radius
            assert (np.abs(slope - expected) < room).all(), (code, k)


def test_every_element_has_a_spelling_of_its_own():
    assert len({SPELLINGS[s] for s in SPELLINGS}) == len(ELEMENTS) == 15
    assert SPELLINGS["CPE"] == "Q"


def test_simple_elements():
    close(impedance("R0", 3.0), 3.0 + 0 * S)
    close(impedance("L0", 2e-7), 2e-7 * S)
    close(impedance("C0", 1e-3), 1 / (1e-3 * S))
    close(impedance("Q0", 1e-3, 0.8), 1 / (1e-3 * S**0.8))
    close(impedance("W0", 14.0), 14.0 / np.sqrt(S))
    close(impedance("Wn0", 14.0, 0.4), 14.0 / S**0.4)
    close(impedance("G0", 5.0, 0.1), 5.0 / np.sqrt(1 + 0.1 * S))


def test_an_ideal_zarc_is_a_resistor_with_a_capacitor():
    close(impedance("ZARC0", 7.0, 1e-2, 1.0), impedance("p(R0,C0)", 7.0, 1e-2 / 7.0))
    close(impedance("ZARC0", 7.0, 1e-2, 1.0), impedance("K0", 7.0, 1e-2))


def test_a_zarc_is_a_resistor_with_a_constant_phase():
    q = 1e-2**0.85 / 7.0
    close(impedance("ZARC0", 7.0, 1e-2, 0.85), impedance("p(R0,Q0)", 7.0, q, 0.85))


def test_a_sink_is_a_resistor_at_low_and_a_warburg_at_high_frequency():
    assert impedance("Ws0", 5.0, 1.0, frequency=[1e-9])[0] == pytest.approx(5.0)
    # Im of R (1 - x/3): -R omega tau / 3
    slow = impedance("Ws0", 5.0, 1.0, frequency=[1e-6])[0]
    assert slow.imag == pytest.approx(-5.0 * 2e-6 * np.pi / 3.0, rel=1e-6)
    fast = [1e6]
    close(
        impedance("Ws0", 5.0, 1.0, frequency=fast), impedance("W0", 5.0, frequency=fast)
    )


def test_a_wall_is_a_capacitor_in_series_with_a_third_of_its_resistance():
    slow = np.array([1e-5])
    expected = impedance("R0-C0", 5.0 / 3.0, 1.0 / 5.0, frequency=slow)
    # the next term is R x / 45: 7e-6 of the resistance
    assert impedance("Wo0", 5.0, 1.0, frequency=slow).real == pytest.approx(
        expected.real, rel=1e-5
    )
    assert impedance("Wo0", 5.0, 1.0, frequency=slow).imag == pytest.approx(
        expected.imag, rel=1e-8
    )
    fast = [1e6]
    close(
        impedance("Wo0", 5.0, 1.0, frequency=fast), impedance("W0", 5.0, frequency=fast)
    )


def test_a_sphere_stores_three_times_less_per_time_than_a_plane():
    slow = np.array([1e-5])
    # tanh(s)/(s - tanh(s)) = 3/x + 1/5 - ...; section 4 of the specification
    z = impedance("Sph0", 5.0, 1.0, frequency=slow)[0]
    assert z.real == pytest.approx(5.0 / 5.0, rel=1e-5)
    assert z.imag == pytest.approx(-3.0 * 5.0 / (2e-5 * np.pi), rel=1e-8)
    at = np.sqrt(S * 1.0)
    close(
        impedance("Sph0", 5.0, 1.0)[:70],
        (5 * np.tanh(at) / (at - np.tanh(at)))[:70],
        1e-9,
    )


def test_golden_numbers_of_the_battery_electrode():
    # R_i = 34, R_e = 98, Z_c = 1/(2e-4 (j omega)^0.9): two-rail ladder
    found = impedance("TLM0", 34.0, 98.0, 2e-4, 0.9, frequency=[1e6, 1e2, 0.1])
    golden = [
        25.57531440 - 0.28431505j,
        43.02476622 - 19.13666365j,
        1232.33730939 - 7502.89508885j,
    ]
    assert found == pytest.approx(np.array(golden), abs=1e-8)


def test_limits_of_the_two_rails():
    s, q, alpha = S, 2e-4, 0.9
    rails = impedance("TLM0", 34.0, 98.0, q, alpha)
    assert rails[0] == pytest.approx(34.0 * 98.0 / 132.0, rel=0.02)
    # low frequency: Z_c + S/3
    assert (rails[-1] - 1 / (q * s[-1] ** alpha)).real == pytest.approx(44.0, rel=1e-6)
    # no resistance for the electrons: de Levie, sqrt(R Z_c) coth sqrt(R / Z_c)
    z_c = 1 / (q * s**alpha)
    pore = np.sqrt(34.0 * z_c) / np.tanh(np.sqrt(34.0 / z_c))
    close(impedance("TLMQ0", 34.0, q, alpha), pore, 1e-9)
    close(impedance("TLM0", 34.0, 1e-12, q, alpha), pore, 1e-9)
    # no resistance at all: the interface
    close(
        impedance("TLMR0", 1e-9, 1e-9, 60.0, q, alpha)[30:],
        impedance("p(R0,Q0)", 60.0, q, alpha)[30:],
        1e-9,
    )
    # no charge transfer: blocking
    close(impedance("TLMR0", 34.0, 98.0, 1e18, q, alpha), rails, 1e-9)


def test_the_rails_can_change_places():
    a = impedance("TLMR0", 34.0, 98.0, 60.0, 2e-4, 0.9)
    close(a, impedance("TLMR0", 98.0, 34.0, 60.0, 2e-4, 0.9))


@pytest.mark.parametrize("code", ELEMENTS)
def test_nothing_overflows(code):
    kind = ELEMENTS[code]
    at = Points.of(np.logspace(12, -12, 49))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (1e-9, 1.0, 1e9):
            p = [0.9 if q.role == "exponent" else size for q in kind.parameters]
            z, slopes = kind.response(at, p)
            assert np.isfinite(z).all()
            assert all(np.isfinite(s).all() for s in slopes)


def test_branches_in_parallel_add_their_admittances():
    a, b = impedance("R0-C0", 3.0, 1e-3), impedance("L0-W0", 1e-6, 2.0)
    found = impedance("p(R0-C0,L0-W0)", 3.0, 1e-3, 1e-6, 2.0)
    close(found, 1.0 / (1.0 / a + 1.0 / b))


def test_the_jacobian_of_a_nested_circuit():
    circuit = Circuit.of("R0-p(C0,R1-p(Q1,R2-Wo2))-TLM3")
    values = [1.0, 1e-6, 5.0, 1e-3, 0.8, 7.0, 3.0, 2.0, 8.0, 4.0, 0.1, 0.9]
    rows = circuit.jacobian(FREQUENCY, values)
    assert rows.shape == (FREQUENCY.size, 12)
    for k, value in enumerate(values):
        h = 1e-6 * value
        up, down = list(values), list(values)
        up[k], down[k] = value + h, value - h
        expected = (
            circuit.impedance(FREQUENCY, up) - circuit.impedance(FREQUENCY, down)
        ) / (2 * h)
        # central differences: rounding 1e-16/1e-6 of Z, curvature 1e-12
        room = (
            1e-8 * np.abs(expected)
            + 1e-9 * np.abs(circuit.impedance(FREQUENCY, values)) / value
        )
        assert (np.abs(rows[:, k] - expected) < room).all(), circuit.names[k]
