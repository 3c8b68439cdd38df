"""Closed forms of a line of two rails against golden numbers, ladders and limits."""

import numpy as np
import pytest
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import spsolve

import equipoise.analysis.eis.lines.transmission_line as line
from equipoise.analysis.eis.lines.interface import (
    GEOMETRIES,
    Interface,
    constant_phase,
    diffusion,
)
from equipoise.analysis.eis.lines.terminals import OPEN, Terminals, line_between
from equipoise.core.errors import SpecError

RAILS = {"ionic_ohm": 34.0, "electronic_ohm": 98.0}
S, PARALLEL = 132.0, 34.0 * 98.0 / 132.0
FREQUENCY = np.array([1e6, 1e2, 0.1])
BROAD = np.logspace(12, -6, 55)
FORMS = {
    "battery": line.battery_electrode,
    "electron_blocking": line.electron_blocking,
    "ion_blocking": line.ion_blocking,
    "one_sided": line.one_sided,
}


def interface(frequency, coefficient=2e-4, exponent=0.9):
    w = 2.0 * np.pi * np.asarray(frequency)
    return 1.0 / constant_phase(w, coefficient=coefficient, exponent=exponent)


# --- values


GOLDEN = {  # of another implementation, checked there with a ladder of 2000 nodes
    "electron_blocking": [
        25.31395231 - 0.06109074j,
        30.81148872 - 3.09870581j,
        33.99799525 - 0.01251846j,
    ],
    "ion_blocking": [
        25.83667648 - 0.50753936j,
        71.50998070 - 25.74391916j,
        97.98334459 - 0.10400287j,
    ],
    "battery": [
        25.57531440 - 0.28431505j,
        43.02476622 - 19.13666365j,
        1232.33730939 - 7502.89508885j,
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_numbers(name):
    found = FORMS[name](interface(FREQUENCY), **RAILS)
    # printed with eight decimals
    assert np.abs(found - GOLDEN[name]).max() < 1e-8


def ladder(z, r_i, r_e, ends, nodes=2000):
    """Node voltages of a chain of resistors, no closed form; impedance in ohm.

    `ends`: which node joins the left and which the right terminal, ("i", 0) and so on.
    """
    n = nodes
    g_i, g_e = (n - 1) / r_i, (n - 1) / r_e
    weight = np.full(n, 1.0 / (n - 1))
    weight[[0, -1]] *= 0.5
    y = weight / z
    rows, columns, values = [], [], []

    def join(a, b, g):
        rows.extend((a, b, a, b))
        columns.extend((a, b, b, a))
        values.extend((g, g, -g, -g))

    for k in range(n - 1):
        join(k, k + 1, g_i)
        join(n + k, n + k + 1, g_e)
    for k in range(n):
        join(k, n + k, y[k])
    at = {"i": 0, "e": n}
    left, right = (at[rail] + (0 if side == 0 else n - 1) for rail, side in ends)
    matrix = csc_matrix((values, (rows, columns)), shape=(2 * n, 2 * n))
    keep = np.delete(np.arange(2 * n), right)
    current = np.zeros(2 * n, dtype=complex)
    current[left] = 1.0
    voltage = spsolve(matrix[keep][:, keep], current[keep])
    return voltage[np.searchsorted(keep, left)]


ENDS = {
    "battery": (("i", 0), ("e", 1)),
    "electron_blocking": (("i", 0), ("i", 1)),
    "ion_blocking": (("e", 0), ("e", 1)),
    "one_sided": (("i", 0), ("e", 0)),
}


@pytest.mark.parametrize("hertz", [1e4, 1e2, 1.0])
@pytest.mark.parametrize("name", ENDS)
def test_a_dense_ladder_gives_the_same(name, hertz):
    (z,) = interface([hertz])
    found = FORMS[name](z, **RAILS)
    # second order in the spacing: (X / nodes)^2 / 12 is 3e-5 of the arc at 10 kHz
    expected = ladder(z, 34.0, 98.0, ENDS[name])
    assert abs(found / expected - 1.0) < 3e-5


def test_extended_precision_of_the_textbook_forms_agrees():
    z = interface(np.logspace(4, -2, 25))
    x = np.sqrt(np.asarray(S / z, dtype=np.clongdouble))
    if np.finfo(x.dtype).eps > 1e-18:
        pytest.skip("no extended precision on this machine")
    r_i, r_e = np.longdouble(34), np.longdouble(98)
    s = r_i + r_e
    battery = r_i * r_e / s * (1 + 2 / (x * np.sinh(x)))
    battery += (r_i**2 + r_e**2) / s / (np.tanh(x) * x)
    blocking = r_i * r_e / s + r_i**2 / s * np.tanh(x / 2) / (x / 2)
    for name, expected in (("battery", battery), ("electron_blocking", blocking)):
        found = FORMS[name](z, **RAILS)
        assert np.abs(found / expected - 1).max() < 2e-14, name


# --- limits


@pytest.mark.parametrize(
    ("name", "high", "low"),
    [
        ("electron_blocking", PARALLEL, 34.0),
        ("ion_blocking", PARALLEL, 98.0),
        ("battery", PARALLEL, None),
    ],
)
def test_limits_of_frequency(name, high, low):
    ends = interface([1e18, 1e-14])
    found = FORMS[name](ends, **RAILS)
    # 2 / X is left at the high end, u / 12 at the low one
    assert abs(found[0] / high - 1.0) < 1e-6
    expected = ends[1] + S / 3.0 if low is None else low
    assert abs(found[1] / expected - 1.0) < 1e-10


def test_without_electronic_resistance_a_battery_electrode_is_that_of_de_levie():
    z = interface(BROAD)
    x = np.sqrt(34.0 / z)
    found = line.battery_electrode(z, ionic_ohm=34.0, electronic_ohm=0.0)
    assert np.abs(found / (34.0 / (x * np.tanh(x))) - 1.0).max() < 1e-13


@pytest.mark.parametrize("name", FORMS)
def test_a_million_in_x_does_not_overflow(name):
    u = 1e12 * np.exp(1j * np.array([0.1, 0.5, 1.0]) * np.pi / 2)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = line.line_response(name, S / u, **RAILS)
    x = np.sqrt(u)
    share = {"battery": (34**2 + 98**2) / S, "one_sided": S}
    share |= {"electron_blocking": 2 * 34**2 / S, "ion_blocking": 2 * 98**2 / S}
    base = 0.0 if name == "one_sided" else PARALLEL
    assert np.abs((found.impedance_ohm - base) / (share[name] / x) - 1.0).max() < 1e-8
    assert np.isfinite(found.by_interface_ratio).all()


@pytest.mark.parametrize(
    "function",
    [
        line.tanh_ratio,
        line.tanh_ratio_slope,
        line.coth_excess,
        line.coth_product,
        line.coth_product_slope,
        line.csch_product,
    ],
)
def test_series_and_closed_form_meet(function):
    turn = np.exp(1j * np.linspace(-1.5, 1.5, 13))
    below, above = function(turn * (1.0 - 1e-15)), function(turn * (1.0 + 1e-15))
    assert np.abs(above / below - 1.0).max() < 2e-14


def test_smallest_arguments_keep_their_digits():
    u = np.array([1e-300, 1e-20, 1e-8, 1e-4]) * 1j
    assert np.abs(line.tanh_ratio(u) - (1 - u / 12 + u**2 / 120)).max() < 1e-15
    assert np.abs(line.coth_excess(u) - (1 / 3 - u / 45)).max() < 1e-10
    assert np.abs(line.csch_product(u) - (1 - u / 6)).max() < 1e-8
    z = S / u[1:]
    found = line.battery_electrode(z, **RAILS) - z
    # S / 3 beside Z_c: what the double keeps of it
    assert np.all(np.abs(found - S / 3) < 4e-16 * np.abs(z) + 1e-2)


def test_what_is_no_line_is_refused():
    z = interface(FREQUENCY)
    with pytest.raises(SpecError, match="finite resistance"):
        line.battery_electrode(z, ionic_ohm=-1.0, electronic_ohm=1.0)
    with pytest.raises(SpecError, match="no resistance"):
        line.battery_electrode(z, ionic_ohm=0.0, electronic_ohm=0.0)
    with pytest.raises(SpecError, match="0 or not finite"):
        line.battery_electrode(0.0 * z, **RAILS)
    with pytest.raises(SpecError, match="did you mean 'battery'"):
        line.line_response("batery", z, **RAILS)


# --- terminals


@pytest.mark.parametrize("name", ["battery", "electron_blocking", "ion_blocking"])
def test_open_and_short_ends_give_the_special_cases(name):
    z = interface(BROAD)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = line_between(getattr(Terminals, name)(), z, **RAILS)
    assert np.abs(found / FORMS[name](z, **RAILS) - 1.0).max() < 2e-15


def test_golden_number_of_leaky_ends():
    metal = interface([1e3], coefficient=1e-6, exponent=1.0)
    found = line_between(Terminals(metal, 0.0, metal, 0.0), interface([1e3]), **RAILS)
    assert abs(found[0] - (36.86282990 - 11.50447600j)) < 1e-8


def test_very_large_and_very_small_end_impedances_are_open_and_short():
    z = interface(BROAD)
    nearly = Terminals(1e-15, 1e20, 1e20, 1e-15)
    found = line_between(nearly, z, **RAILS)
    # two leaks of 1e20 beside at most 2.4e8 ohm
    assert np.abs(found / FORMS["battery"](z, **RAILS) - 1.0).max() < 1e-10


def test_all_ends_joined_is_two_rails_in_parallel():
    found = line_between(Terminals(0.0, 0.0, 0.0, 0.0), interface(BROAD), **RAILS)
    assert np.abs(found / PARALLEL - 1.0).max() < 1e-15


def test_what_all_current_passes_is_in_series():
    z = interface(BROAD)
    contact = 5.0 - 3.0j
    plain = line_between(Terminals.electron_blocking(), z, **RAILS)
    found = line_between(Terminals(contact, OPEN, contact, OPEN), z, **RAILS)
    assert np.abs(found - plain - 2.0 * contact).max() < 1e-12


def test_the_direction_of_the_current_does_not_matter():
    z, ends = interface(BROAD), (3.0 - 2.0j, 40.0, 7.0, 1.0 - 9.0j)
    forth = line_between(Terminals(*ends), z, **RAILS)
    back = line_between(Terminals(*ends[2:], *ends[:2]), z, **RAILS)
    assert np.abs(forth / back - 1.0).max() < 1e-14


def test_an_end_without_any_path_is_refused():
    with pytest.raises(SpecError, match="left end"):
        line_between(Terminals(OPEN, OPEN, 0.0, 0.0), interface(BROAD), **RAILS)
    with pytest.raises(SpecError, match="not a number"):
        line_between(Terminals(np.nan, 0.0, 0.0, 0.0), interface(BROAD), **RAILS)
    with pytest.raises(SpecError, match=">= 0"):
        line_between(
            Terminals.battery(), interface(BROAD), ionic_ohm=-1.0, electronic_ohm=2.0
        )


# --- interface


FACTOR = {"sphere": 3.0, "cylinder": 2.0, "planar": 1.0}


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_limits_of_diffusion(geometry):
    w = np.array([1e-7, 1e12])
    z = diffusion(w, resistance_ohm=2.0, time_second=3.0, geometry=geometry)
    # capacity = tau / (factor R) at low, Warburg's at high frequency
    assert abs(z[0] * 1j * w[0] * 3.0 / (2.0 * FACTOR[geometry]) - 1.0) < 1e-6
    assert abs(z[1] * np.sqrt(3j * w[1]) / 2.0 - 1.0) < 1e-5


def test_a_sphere_is_as_its_textbook_form():
    w = np.logspace(-1, 3, 20)
    s = np.sqrt(1j * w * 3.0)
    found = diffusion(w, resistance_ohm=2.0, time_second=3.0)
    assert np.abs(found / (2.0 * np.tanh(s) / (s - np.tanh(s))) - 1.0).max() < 1e-11


def test_an_interface_of_all_parts_is_what_its_circuit_says():
    w = 2.0 * np.pi * np.logspace(5, -3, 30)
    part = Interface(2e-4, 0.9, 5.0, 3.0, 20.0, "planar", 2.0, 1e-5)
    z_d = diffusion(w, resistance_ohm=3.0, time_second=20.0, geometry="planar")
    inner = 1.0 / (2e-4 * (1j * w) ** 0.9 + 1.0 / (5.0 + z_d))
    expected = 2.0 / (1.0 + 2e-5j * w) + inner
    assert np.abs(part.impedance_ohm(w) / expected - 1.0).max() < 1e-13


def test_an_interface_with_half_a_part_is_refused():
    with pytest.raises(SpecError, match="diffusion_ohm"):
        Interface(1e-4, 0.9, 1.0, diffusion_ohm=1.0)
    with pytest.raises(SpecError, match="without charge transfer"):
        Interface(1e-4, 0.9, diffusion_ohm=1.0, diffusion_second=1.0)
    with pytest.raises(SpecError, match="Q > 0"):
        constant_phase([1.0], coefficient=0.0, exponent=0.9)
    with pytest.raises(SpecError, match="geometry"):
        diffusion([1.0], resistance_ohm=1.0, time_second=1.0, geometry="cube")
    with pytest.raises(SpecError, match="> 0"):
        diffusion([1.0], resistance_ohm=1.0, time_second=-1.0)


# --- derivatives


def slope(function, at):
    """Fifth-point derivative by ln(at); wrong by h^4, 1e-12, times the fifth one."""
    h = 1e-3

    def f(k):
        return function(at * np.exp(k * h))

    return (8.0 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12.0 * h)


@pytest.mark.parametrize("name", FORMS)
def test_derivatives_of_the_lines(name):
    z = interface(np.logspace(9, -5, 43))
    found = line.line_response(name, z, **RAILS)
    assert np.abs(found.impedance_ohm / FORMS[name](z, **RAILS) - 1).max() < 1e-14

    def at(r_i=34.0, r_e=98.0, factor=1.0):
        return line.line_response(
            name, factor * z, ionic_ohm=r_i, electronic_ohm=r_e
        ).impedance_ohm

    size = np.abs(found.impedance_ohm)
    for by, numeric in (
        (34.0 * found.by_ionic_ratio, slope(lambda r: at(r_i=r), 34.0)),
        (98.0 * found.by_electronic_ratio, slope(lambda r: at(r_e=r), 98.0)),
        (z * found.by_interface_ratio, slope(lambda k: at(factor=k), 1.0)),
    ):
        assert np.abs((by - numeric) / size).max() < 1e-10


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_derivatives_of_the_interface(geometry):
    from dataclasses import replace

    w = 2.0 * np.pi * np.logspace(6, -5, 45)
    part = Interface(2e-4, 0.9, 5.0, 3.0, 20.0, geometry, 2.0, 1e-5)
    z, by = part.response(w)
    assert len(by) == 7
    for name, found in by.items():
        numeric = slope(
            lambda v, name=name: replace(part, **{name: v}).impedance_ohm(w),
            getattr(part, name),
        )
        # the exponent is raised: ln(w)^5 h^4 / 30
        limit = 1e-6 if name == "exponent" else 1e-10
        assert np.abs((found - numeric) / z).max() < limit, name
