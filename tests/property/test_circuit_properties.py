"""Any circuit: its text, its derivatives, its passivity; any text: an answer."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.elements import SPELLINGS
from equipoise.analysis.eis.circuits.parts import (
    Element,
    Parallel,
    elements_of,
    in_series,
)
from equipoise.core.errors import SpecError

FREQUENCY = np.logspace(6, -2, 17)


def parts():
    leaf = st.builds(
        lambda spelling: Element(SPELLINGS[spelling], spelling),
        st.sampled_from(sorted(SPELLINGS)),
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(in_series),
            st.lists(inner, min_size=2, max_size=3).map(lambda p: Parallel(tuple(p))),
        ),
        max_leaves=8,
    )


@st.composite
def circuits(draw):
    """Circuits whose elements are numbered in the order of their text."""
    tree = draw(parts())
    number = iter(range(100))

    def numbered(part):
        if isinstance(part, Element):
            return Element(part.code, f"{part.name}{next(number)}")
        return type(part)(tuple(numbered(p) for p in part.parts))

    return Circuit.of(numbered(tree))


def values_of(circuit, rng):
    return [
        10 ** rng.uniform(-4, 2) if p.positive else rng.uniform(0.3, 1.0)
        for p in circuit.parameters
    ]


@given(circuits())
def test_the_text_of_a_circuit_reads_back_as_the_circuit(circuit):
    again = Circuit.of(str(circuit))
    assert again == circuit
    assert str(again) == str(circuit)
    assert len(set(again.names)) == len(again.names)
    assert [e.name for e in elements_of(again.root)] == [
        e.name for e in circuit.elements
    ]


@given(st.text(alphabet="RCLQWop(),-_ 01²é\n", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        circuit = Circuit.of(text)
    except SpecError:
        return
    assert Circuit.of(str(circuit)) == circuit


@given(circuits(), st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_derivatives_are_differences(circuit, seed):
    values = values_of(circuit, np.random.default_rng(seed))
    z = circuit.impedance(FREQUENCY, values)
    rows = circuit.jacobian(FREQUENCY, values)
    for k, value in enumerate(values):
        h = 1e-5 * value if value < 0.9999 or circuit.parameters[k].positive else 0.0
        if h == 0.0 or (not circuit.parameters[k].positive and value + 2 * h > 1.0):
            continue
        fine, coarse = (_quotient(circuit, values, k, step) for step in (h, 2 * h))
        # rounding 1e-16/1e-5 of Z and curvature (1e-5 ln s)^2, both relative to Z / p;
        # beside a resonance the quotient itself is off by a third of what a step twice
        # as long changes
        room = 1e-6 * (np.abs(rows[:, k]) + 1e-2 * np.abs(z) / value)
        assert (np.abs(rows[:, k] - fine) < room + 0.4 * np.abs(fine - coarse)).all()


def _quotient(circuit, values, k, step):
    up, down = list(values), list(values)
    up[k], down[k] = values[k] + step, values[k] - step
    change = circuit.impedance(FREQUENCY, up) - circuit.impedance(FREQUENCY, down)
    return change / (2.0 * step)


@given(circuits(), st.integers(0, 2**32 - 1))
def test_a_circuit_of_passive_elements_is_passive(circuit, seed):
    values = values_of(circuit, np.random.default_rng(seed))
    z = circuit.impedance(FREQUENCY, values)
    assert np.isfinite(z).all()
    assert (z.real >= -1e-9 * np.abs(z)).all()


@given(circuits(), st.integers(0, 2**32 - 1), st.floats(-6.0, 6.0))
def test_larger_impedances_of_all_elements_scale_the_whole(circuit, seed, decades):
    values = values_of(circuit, np.random.default_rng(seed))
    factor = 10.0**decades
    power = {"capacitance": -1, "phase": -1, "time": 0, "exponent": 0}
    scaled = [
        v * factor ** power.get(p.role, 1)
        for v, p in zip(values, circuit.parameters, strict=True)
    ]
    a, b = (circuit.impedance(FREQUENCY, v) for v in (values, scaled))
    # rounding of nearly cancelling admittances of inductors is larger than eps
    assert np.allclose(b / factor, a, rtol=1e-7)
