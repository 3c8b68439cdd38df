"""The impedance of the simulated cell against closed forms written here anew.

Uniform electrodes: the battery electrode on two rails (specs of this project,
impedance, section 4), for any number of nodes and shells, both electrodes and the cell.
"""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import solve_banded

from engine_cells import LINEAR_POSITIVE, SMOOTH_NEGATIVE, cell
from equipoise.kernels.layout import (
    CAPACITY,
    FLUX,
    INVERSE_RADIUS2,
    MEAN,
    REACTION,
    SURFACE,
)
from equipoise.kernels.line_impedance import (
    COLUMN_ROWS,
    SHELL_BLOCKS,
    line_impedance,
    linearise,
)
from equipoise.kernels.particle_impedance import layered_sphere
from equipoise.sim.electrode import fresh_field
from equipoise.sim.impedance.alternating import Alternating
from equipoise.sim.impedance.at_rest import impedance_of
from equipoise.sim.impedance.electrode_impedance import both_ohm, faces, line_ohm
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh

FARADAY, GAS = 96485.33212, 8.31446261815324
FREQUENCY = np.logspace(6, -5, 111)
S = 2j * np.pi * FREQUENCY
SLOPES = {"positive": 0.9, "negative": 0.2}  # -dU/dx of the linear curves, V
SIDE = {
    "diffusivity_cm2_per_s": 1e-11,
    "exchange_current_ma_per_cm2": 0.3,
    "film_resistance_ohm_cm2": 12.0,
    "double_layer_capacitance_uf_per_cm2": 15.0,
    "film_capacitance_uf_per_cm2": 2.0,
    "ionic_conductivity_millisiemens_per_cm": 0.3,
    "electronic_conductivity_millisiemens_per_cm": 0.8,
}
OTHER = {
    "exchange_current_ma_per_cm2": 0.8,
    "particle_radius_um": 0.7,
    "film_resistance_ohm_cm2": 5.0,
    "double_layer_capacitance_uf_per_cm2": 40.0,
    "film_capacitance_uf_per_cm2": 7.0,
    "electronic_conductivity_millisiemens_per_cm": 2.0,
}
SERIES = {
    "contact_resistance_ohm_cm2": 7.0,
    "positive_contact_share_fraction": 0.3,
    "reference_position_fraction": 0.2,
    "inductance_henry": 2e-7,
    "separator_grain_boundary_fraction": 0.4,
    "separator_grain_boundary_second": 3e-7,
}


def mesh(nodes, shells, grading=2.0):
    return Mesh(
        positive_nodes_count=nodes,
        negative_nodes_count=nodes,
        shells_count=shells,
        shell_grading=grading,
    )


def sphere(D, R, s):
    """``R/D tanh z / (z - tanh z)``, where that cancels by its series."""
    z = R * np.sqrt(s / D)
    e = np.exp(-2.0 * z)
    tanh = (1.0 - e) / (1.0 + e)
    series = 3.0 / z**2 + 0.2 - z**2 / 175.0 + 2.0 * z**4 / 7875.0
    return R / D * np.where(abs(z) < 0.05, series, tanh / (z - tanh))


def battery_electrode(R_i, R_e, Z_c):
    """Ions in at the separator, electrons out at the collector."""
    S = R_i + R_e
    X = np.sqrt(S / Z_c)
    e = np.exp(-2.0 * X)
    csch, coth = 2.0 * np.exp(-X) / (1.0 - e), (1.0 + e) / (1.0 - e)
    return R_i * R_e / S * (1.0 + 2.0 * csch / X) + (R_i**2 + R_e**2) / S * coth / X


def plain_cell(positive=None, negative=None, **changes):
    return cell(
        SIDE | {"open_circuit": LINEAR_POSITIVE} | (positive or {}),
        SIDE | OTHER | {"open_circuit": SMOOTH_NEGATIVE} | (negative or {}),
        **SERIES | changes,
    )


def closed_form(known, side, x, s=S, j=0.0):
    """From the specification alone, not from the lowered arrays; ohm.

    j: reaction current density that flows everywhere, A m-2; of it the overpotential
    is ``2 R T / F asinh(j / (2 i0(x)))``.
    """
    part, own = getattr(known, side), getattr(known.kinetics, side)
    mass_g = 1e-3 * known.positive_mass_mg
    if side == "negative":
        mass_g *= known.np_ratio * known.mass_per_np_ratio
    area, length = part.spec.area_cm2 * 1e-4, part.thickness_um(1e3 * mass_g) * 1e-6
    density = part.material.density_g_per_cm3.value * 1e6  # g m-3
    R, D = own.particle_radius_um.value * 1e-6, own.diffusivity_cm2_per_s.value * 1e-4
    c_max = part.material.theoretical_capacity_mah_per_g.value * 3.6 * density / FARADAY
    active = getattr(known.spec.inventory, f"{side}_active_fraction")
    surface = 3.0 / R * mass_g * active / density  # m2 of the whole electrode
    vacant = x * (1.0 - x)
    whole = vacant + np.sqrt(vacant**2 + 4e-8)  # the engine keeps 1e-4 of both at least
    i0 = 10.0 * own.exchange_current_ma_per_cm2.value * np.sqrt(2.0 * whole)
    kelvin = known.spec.temperature_celsius + 273.15
    transfer = GAS * kelvin / FARADAY / np.sqrt(i0**2 + 0.25 * j**2)
    i0_rise = 0.5 * i0 * (1.0 - 2.0 * x) * (1.0 + vacant / (whole - vacant)) / whole
    falls = SLOPES[side] + transfer * j / i0 * i0_rise
    reaction = transfer + falls / (FARADAY * c_max) * sphere(D, R, s)
    film = own.film_resistance_ohm_cm2.value * 1e-4
    C_film = own.film_capacitance_uf_per_cm2.value * 1e-2
    C_dl = own.double_layer_capacitance_uf_per_cm2.value * 1e-2
    z = film / (1.0 + s * film * C_film) + 1.0 / (s * C_dl + 1.0 / reaction)
    ionic = own.ionic_conductivity_millisiemens_per_cm.value * 0.1
    electronic = own.electronic_conductivity_millisiemens_per_cm.value * 0.1
    rails = length / area / ionic, length / area / electronic
    return battery_electrode(*rails, z / surface)


def series(known, lowered, s=S):
    """Separator with its arc, contacts and inductance on either side, ohm."""
    rates = known.kinetics
    contact = rates.contact_resistance_ohm_cm2.value / known.positive.spec.area_cm2
    whole = lowered.positive_ohm + lowered.negative_ohm - contact
    arc = whole * (0.6 + 0.4 / (1.0 + s * 3e-7))
    return (
        0.3 * contact + 0.8 * arc + s * 1e-7,
        0.7 * contact + 0.2 * arc + s * 1e-7,
    )


def worst(found, expected):
    return np.max(np.abs(found - expected) / np.abs(expected))


MESHES = {"one": (1, 1), "odd": (3, 7), "default": (20, 20), "fine": (60, 40)}


@pytest.mark.parametrize("which", MESHES)
def test_a_uniform_cell_is_the_battery_electrode_of_two_rails(which):
    known = plain_cell()
    lowered = lower(known, mesh=mesh(*MESHES[which]))
    found = impedance_of(
        known,
        frequency_hertz=FREQUENCY,
        passed_capacity_mah_per_g_positive=110.0,
        mesh=mesh(*MESHES[which]),
    )
    rest = series(known, lowered)
    fractions = (found.positive_lithiation_fraction, found.negative_lithiation_fraction)
    assert 0.3 < fractions[0] < 0.7
    assert 0.3 < fractions[1] < 0.7
    for side, x, extra in zip(("positive", "negative"), fractions, rest, strict=True):
        expected = closed_form(known, side, x) + extra
        assert worst(getattr(found, side).impedance_ohm, expected) < 1e-11
    whole = closed_form(known, "positive", fractions[0]) + rest[0]
    whole = whole + closed_form(known, "negative", fractions[1]) + rest[1]
    assert worst(found.cell.impedance_ohm, whole) < 1e-11  # asked: 1e-6


@pytest.mark.parametrize("x", [0.25, 0.8])
@pytest.mark.parametrize("ampere_per_m2", [-9.0, 6.0])
def test_under_a_current_the_exchange_current_changes_with_the_surface(
    x, ampere_per_m2
):
    known = plain_cell()
    lowered = lower(known, mesh=mesh(4, 6))
    state = fresh_field(lowered.positive, x)
    state.column[REACTION] = ampere_per_m2
    found = line_ohm(lowered.positive, state, 0, S, **KEYS | {"flows": True})
    expected = closed_form(known, "positive", x, j=ampere_per_m2)
    assert worst(found, expected) < 1e-11
    # what it is worth: 5 % and more at the lowest frequency
    low = closed_form(known, "positive", 0.5, j=ampere_per_m2)[-1]
    assert abs(expected[-1].imag / low.imag - 1.0) > 0.05


def test_the_electronic_rail_has_the_conductivity_of_all_lithium_in_its_node():
    known = plain_cell(
        {
            "particle_classes": [
                {"name": "fine", "share_fraction": 0.8},
                {"name": "coarse", "share_fraction": 0.2, "radius_ratio": 3.0},
            ],
            "electronic_conductivity_millisiemens_per_cm": {
                "lithiation_fraction": (0.2, 0.9),
                "values": (5.0, 0.05),
            },
        }
    )
    E = lower(known, mesh=mesh(3, 2)).positive
    state = fresh_field(E, 0.5)
    state.column[MEAN, :3], state.column[MEAN, 3:] = 0.3, 0.85
    radius = faces(E)
    shells = np.empty((SHELL_BLOCKS, 2, 6))
    columns, rails = np.empty((COLUMN_ROWS, 6)), np.empty((2, 3))
    linearise(E, state, 0, 0.0, radius, columns, shells, rails)
    mean = 0.8 * 0.3 + 0.2 * 0.85  # by mass, not by number of classes
    grid = np.linspace(0.0, 1.0, E.electronic.size)
    assert rails[0] == pytest.approx(np.interp(mean, grid, E.electronic), rel=1e-9)


def test_layered_particles_of_one_diffusivity_are_the_sphere():
    # a table of two unlike ends takes the way through the layers; the limit of alike
    # ends is the closed form, at every frequency: no shell is too thick for 1 MHz
    known = plain_cell(
        {
            "diffusivity_cm2_per_s": {
                "lithiation_fraction": (0.0, 1.0),
                "values": (1e-11, 1e-11 * (1.0 + 2e-9)),
            }
        }
    )
    lowered = lower(known, mesh=mesh(5, 20))
    state = fresh_field(lowered.positive, 0.5)
    wiggle = 0.5 + 0.2 * np.cos(np.arange(20.0))[:, None]
    state.x[:] = wiggle  # profile without consequence: D is the same to 2e-9
    found = line_ohm(lowered.positive, state, 0, S, **KEYS)
    plain = plain_cell()
    assert worst(found, closed_form(plain, "positive", 0.5)) < 1e-8


def test_classes_of_particles_add_their_admittances():
    classes = [
        {"name": "fine", "share_fraction": 0.7},
        {"name": "coarse", "share_fraction": 0.3, "radius_ratio": 2.5},
    ]
    known = plain_cell({"particle_classes": classes})
    found = impedance_of(
        known,
        frequency_hertz=FREQUENCY,
        passed_capacity_mah_per_g_positive=110.0,
        mesh=mesh(4, 6),
    )
    # no closed form of two unlike classes on a line with rails: take the rails away
    quick = {
        f"{kind}_conductivity_millisiemens_per_cm": 1e9
        for kind in ("ionic", "electronic")
    }
    parts = []
    for radius in (2.0, 5.0):
        one = plain_cell(quick | {"particle_radius_um": radius})
        parts.append(closed_form(one, "positive", found.positive_lithiation_fraction))
    both = 1.0 / (0.7 / parts[0] + 0.3 / parts[1])
    joint = plain_cell(quick | {"particle_classes": classes})
    lowered = lower(joint, mesh=mesh(4, 6))
    got = impedance_of(
        joint,
        frequency_hertz=FREQUENCY,
        passed_capacity_mah_per_g_positive=110.0,
        mesh=mesh(4, 6),
    ).positive_impedance_ohm
    assert worst(got, both + series(joint, lowered)[0]) < 1e-7


@cache
def uneven():
    """A cell whose nodes and particles are all unlike."""
    known = plain_cell(
        {
            "diffusivity_cm2_per_s": {
                "lithiation_fraction": (0.2, 0.9),
                "values": (1e-10, 1e-13),
            },
            "electronic_conductivity_millisiemens_per_cm": {
                "lithiation_fraction": (0.2, 0.9),
                "values": (5.0, 0.05),
            },
        }
    )
    lowered = lower(known, mesh=mesh(12, 9))
    states = fresh_field(lowered.positive, 0.5), fresh_field(lowered.negative, 0.5)
    rng = np.random.default_rng(7)
    for state in states:
        state.x[:] = rng.uniform(0.3, 0.8, state.x.shape)
        state.column[SURFACE + 1] = rng.uniform(0.3, 0.8, state.column.shape[1])
        state.column[MEAN] = rng.uniform(0.3, 0.8, state.column.shape[1])
    return lowered, states


KEYS = {"flows": False, "double_layer_uf_per_cm2": 15.0, "film_uf_per_cm2": 2.0}


def electronic(E, state):
    return np.interp(
        state.column[MEAN], np.linspace(0.0, 1.0, E.electronic.size), E.electronic
    )


def reactions(E, state, s):
    """z / a of every node: each alone, 1 m thick, on rails without resistance."""
    out = []
    for k in range(E.nodes):
        one = E._replace(
            nodes=1,
            width=1.0,
            area=1.0,
            ionic=np.full(1, 1e-20),
            electronic=np.full(2, 1e-20),
            column=E.column[:, k : k + 1],
        )
        here = state._replace(
            x=state.x[:, :, k : k + 1], column=state.column[:, k : k + 1]
        )
        out.append(line_ohm(one, here, 0, s, **KEYS))
    return np.array(out)


def ladder(E, state, s, parts):
    """The electrode as a ladder of resistors with `parts` rungs per node, ohm."""
    h = E.width / parts
    r_e, r_i = (np.repeat(r, parts) * h for r in (electronic(E, state), E.ionic))
    both = [0.5 * (r[1:] + r[:-1]) for r in (r_e, r_i)]
    out = np.empty(s.size, complex)
    for f, z in enumerate(reactions(E, state, s).T):
        rung = np.repeat(z, parts) / h
        own = rung[1:] + rung[:-1] + both[0] + both[1]
        off = np.concatenate((-rung[1:-1], [0.0]))
        right = both[0].astype(complex)
        right[-1] += rung[-1]
        bands = np.array([np.roll(off, 1), own, off])
        ionic = solve_banded((1, 1), bands, right)  # between the rungs
        solid = np.sum(both[0] * (1.0 - ionic)) + 0.5 * r_e[0]
        out[f] = rung[-1] * (1.0 - ionic[-1]) + 0.5 * r_i[-1] + solid
    return out / E.area


def test_an_uneven_line_is_the_limit_of_a_dense_ladder():
    lowered, states = uneven()
    got = line_ohm(lowered.positive, states[0], 0, S[::5], **KEYS)
    coarse = ladder(lowered.positive, states[0], S[::5], 20)
    fine = ladder(lowered.positive, states[0], S[::5], 80)
    assert worst((16.0 * fine - coarse) / 15.0, got) < 2e-6
    ratio = np.max(np.abs(coarse - got)) / np.max(np.abs(fine - got))
    assert 12.0 < ratio < 20.0  # second order: 4**2 is left of the error of the ladder


def test_a_layered_particle_is_the_limit_of_thin_shells():
    # finite volumes for w = D dx, div grad w = s w / D, with 300 shells for each layer
    lowered, states = uneven()
    E, k, parts = lowered.positive, 5, 300
    radius, rows = faces(E), E.column.shape[1]
    shells = np.empty((SHELL_BLOCKS, radius.size - 1, rows))
    columns, rails = np.empty((COLUMN_ROWS, rows)), np.empty((2, E.nodes))
    linearise(E, states[0], 0, 0.0, radius, columns, shells, rails)
    table = E.diffusion[0]
    D = np.interp(states[0].x[0, :, k], np.linspace(0.0, 1.0, table.size), table)
    assert D.max() / D.min() > 10.0
    d = np.repeat(D, parts) * E.column[INVERSE_RADIUS2, k]
    thin = [np.linspace(a, b, parts + 1)[1:] for a, b in pairwise(radius)]
    r = np.concatenate(([0.0], *thin))
    middle, g = 0.5 * (r[1:] + r[:-1]), np.zeros(d.size + 1)
    g[1:-1] = r[1:-1] ** 2 / np.diff(middle)
    for s in 2j * np.pi * np.array([1e-5, 1e-3, 1e-1]):
        own = g[1:] + g[:-1] + s * np.diff(r**3) / 3.0 / d
        right = np.zeros(d.size)
        right[-1] = 1.0  # w' = 1 at the surface
        w = solve_banded((1, 1), np.array([-g[:-1], own, -g[1:]]), right)
        surface = w[-1] + (1.0 - middle[-1])
        p = layered_sphere.py_func(s, np.sqrt(s), radius, shells, k)
        assert abs(p * surface - 1.0) < 3e-5


def test_low_frequencies_see_the_capacity_of_the_electrode():
    # 3 (-dU/dc) / (F s R) per interface is -dU/dx over the charge per unit of x
    known = plain_cell()
    lowered = lower(known, mesh=mesh(5, 5))
    E = lowered.positive
    state = fresh_field(E, 0.5)
    s = np.array([1e-9j])
    found = line_ohm(
        E, state, 0, s, flows=False, double_layer_uf_per_cm2=0.0, film_uf_per_cm2=0.0
    )
    coulomb = E.area * E.column[CAPACITY].sum()
    assert found[0].imag * 1e-9 == pytest.approx(-0.9 / coulomb, rel=1e-9)
    per_interface = 3.0 * E.column[FLUX, 0] * 0.9 / 1e-9
    interface = 3.0 * E.column[CAPACITY].sum() * E.column[FLUX, 0]
    assert per_interface / interface * 1e-9 == pytest.approx(
        0.9 / E.column[CAPACITY].sum(), rel=1e-12
    )


def test_the_direct_current_limits_of_a_resistive_interface():
    # without diffusion: Z_c + S / 3 at low, R_i R_e / S at high frequency
    known = plain_cell(
        {"diffusivity_cm2_per_s": 1.0, "exchange_current_ma_per_cm2": 50.0}
    )
    lowered = lower(known, mesh=mesh(8, 3))
    E, state = lowered.positive, fresh_field(lowered.positive, 0.5)
    capacity = E.area * E.column[CAPACITY].sum()
    s = np.array([1e-3j, 1e14j])
    found = line_ohm(
        E, state, 0, s, flows=False, double_layer_uf_per_cm2=15.0, film_uf_per_cm2=2.0
    )
    length = E.width * E.nodes
    R_i, R_e = E.ionic[0] * length / E.area, 1.0 / 0.08 * length / E.area
    surface = E.column[0, 0] * length * E.area
    transfer = (GAS * 318.15 / FARADAY / 500.0 + 12e-4) / surface
    # R_ct and S are small against 1 / (s C): the next term of the series in s C S
    left = found[0] - 0.9 / (s[0] * capacity)
    assert left.real == pytest.approx(transfer + (R_i + R_e) / 3.0, rel=1e-4)
    assert found[1].real == pytest.approx(R_i * R_e / (R_i + R_e), rel=1e-3)


def test_nothing_overflows_and_nothing_is_lost_beyond_any_measured_range():
    lowered, states = uneven()
    s = 2j * np.pi * np.logspace(-12, 18, 61)
    for z in both_ohm(lowered, states, 0, s, flows=False):
        assert np.isfinite(z).all()


def test_compiled_and_plain_kernels_agree():
    lowered, states = uneven()
    E, rows = lowered.positive, lowered.positive.column.shape[1]
    radius, s = faces(E), S[::20]
    found = []
    for fill, solve in (
        (linearise, line_impedance),
        (linearise.py_func, line_impedance.py_func),
    ):
        shells = np.empty((SHELL_BLOCKS, radius.size - 1, rows))
        columns, rails = np.empty((COLUMN_ROWS, rows)), np.empty((2, E.nodes))
        out = np.empty(s.size, complex)
        fill(E, states[0], 0, 1.0, radius, columns, shells, rails)
        solve(E, s, 0.15, 0.02, radius, columns, shells, rails, out)
        found.append(out)
    assert found[0] == pytest.approx(found[1], rel=1e-13)


def test_no_cell_gives_energy_back():
    lowered, states = uneven()
    quiet = replace(lowered, alternating=Alternating(15.0, 2.0, 15.0, 2.0))
    s = 2j * np.pi * np.logspace(-6, 9, 151)
    for z in both_ohm(quiet, states, 0, s, flows=False):
        assert (z.real > 0.0).all()
        assert (z.imag < 0.0).all()


def test_an_electrode_with_swapped_rails_is_the_same_turned_round():
    lowered, states = uneven()
    E, state = lowered.positive, states[0]
    flat = E._replace(electronic=np.full(2, 3.0), ionic=electronic(E, state))
    turned = state._replace(x=state.x[:, :, ::-1], column=state.column[:, ::-1])
    swapped = E._replace(ionic=np.full(E.nodes, 3.0))
    there = line_ohm(flat, state, 0, S, **KEYS)
    assert worst(line_ohm(swapped, turned, 0, S, **KEYS), there) < 1e-12
    assert worst(line_ohm(E, state, 0, S, **KEYS), there) > 1e-2


def test_the_real_part_follows_from_the_imaginary_one():
    # Kramers-Kronig for Z - Z(infinity) - 1 / (s C), by the trapezoid rule in ln w
    lowered, states = uneven()
    E, state = lowered.positive, states[0]
    w = np.exp(np.linspace(np.log(1e-9), np.log(1e12), 6001))
    z = line_ohm(E, state, 0, 1j * w, **KEYS)
    farad = -1.0 / (z[0].imag * w[0])
    rest = z.imag + 1.0 / (w * farad)
    step = np.log(w[1] / w[0])
    for at in range(2001, 5001, 333):  # the pole lies between two points
        here = np.sqrt(w[at] * w[at + 1])
        real = -2.0 / np.pi * step * np.sum(w * rest * w / (w**2 - here**2))
        real += z[-1].real
        found = line_ohm(E, state, 0, np.array([1j * here]), **KEYS)[0].real
        assert real == pytest.approx(found, rel=2e-4), here
