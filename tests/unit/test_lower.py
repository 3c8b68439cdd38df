"""From a specification to the arrays of the kernels: units, defaults, states."""

import math
from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import (
    SMALL,
    cell,
    changed,
    charge,
    inventory,
    kinetics,
    lithium_coulomb,
    protocol,
    rest,
)
from equipoise.kernels.layout import (
    CAPACITY,
    EXCHANGE,
    FILM,
    FLUX,
    INTERFACE,
    INVERSE_RADIUS2,
)
from equipoise.kernels.program import End, Sample
from equipoise.sim.electrode import dependence, fresh_field
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh
from equipoise.sim.simulate import simulate
from equipoise.spec.kinetics import Dependence

FARADAY, GAS = 96485.33212, 8.31446261815324  # CODATA 2018
DFN = {"model": "dfn", "mesh": SMALL}


def test_numbers_of_an_electrode_in_si():
    """Each row of the layout from the numbers of the cell file, by hand."""
    known = cell({"film_resistance_ohm_cm2": 3.0, "contact_area_fraction": 0.5})
    porous = lower(known, **DFN).positive
    area_m2 = math.pi * 0.0045**2
    mass_g = 8.5e-3 * area_m2 * 1e4
    length_m = known.positive.thickness_um(mass_g * 1e3) * 1e-6
    density = known.positive.material.density_g_per_cm3.value * 1e6
    share = mass_g / density / (area_m2 * length_m)
    per_volume = density * 274.98 * 3.6
    assert porous.area == pytest.approx(area_m2, rel=1e-12)
    assert porous.width * porous.nodes == pytest.approx(length_m, rel=1e-12)
    expected = {
        INTERFACE: 3.0 * share * 0.5 / 2e-6,
        EXCHANGE: 1.0,  # 0.1 mA/cm2
        FILM: 3e-4,  # 3 ohm cm2
        FLUX: 0.5 / (per_volume * 2e-6),
        INVERSE_RADIUS2: 1.0 / 4e-12,
        CAPACITY: share * per_volume * length_m / porous.nodes,
    }
    for row, value in expected.items():
        np.testing.assert_allclose(porous.column[row], value, rtol=2e-5)
    assert area_m2 * porous.column[CAPACITY].sum() == pytest.approx(
        mass_g * 274.98 * 3.6, rel=2e-5
    )
    np.testing.assert_allclose(porous.ionic, 1.0 / 0.03, rtol=1e-12)  # 0.3 mS/cm
    np.testing.assert_allclose(porous.electronic, 1.0 / 0.05, rtol=1e-12)
    np.testing.assert_allclose(porous.diffusion[0], 1e-15, rtol=1e-12)
    assert porous.thermal_volt == pytest.approx(GAS * 318.15 / FARADAY, rel=1e-9)


def test_flux_interface_and_capacity_agree():
    """dx/dt = -3 flux j, and the charge is the interface's: one F, one c_max."""
    classes = [
        {"name": "a", "share_fraction": 0.6},
        {"name": "b", "share_fraction": 0.4, "radius_ratio": 3.0},
    ]
    known = cell({"particle_classes": classes, "contact_area_fraction": 0.3})
    for porous in (lower(known, **DFN).positive, lower(known, **DFN).negative):
        column = porous.column
        ratio = column[INTERFACE] * porous.width / (3.0 * column[FLUX])
        np.testing.assert_allclose(ratio, column[CAPACITY], rtol=1e-12)


def test_the_mesh_does_not_change_what_is_held():
    known = cell()
    held = []
    for nodes in (1, 7, 40):
        porous = lower(
            known,
            mesh=Mesh(positive_nodes_count=nodes, shells_count=nodes),
        ).positive
        held.append(lithium_coulomb(porous, fresh_field(porous, 0.7), 0))
    assert held == pytest.approx([held[0]] * 3, rel=1e-12)


ENERGIES = {
    "diffusivity_kj_per_mol": 30.0,
    "exchange_kj_per_mol": 50.0,
    "film_kj_per_mol": 40.0,
    "ionic_kj_per_mol": 33.8,
    "electronic_kj_per_mol": 10.0,
}


@pytest.mark.parametrize("celsius", [-20.0, 25.0, 45.0, 80.0])
def test_arrhenius_factors(celsius):
    """exp(-E / R (1 / T - 1 / 318.15 K)); resistances fall, conductivities rise."""
    rates = {"activation": ENERGIES, "film_resistance_ohm_cm2": 3.0}
    at = {"spec": {"temperature_celsius": celsius}}
    warm = lower(cell(rates, rates, **at, separator_activation_kj_per_mol=20.0), **DFN)
    plain = lower(cell(rates, rates, separator_activation_kj_per_mol=20.0), **DFN)

    def factor(kj_per_mol):
        kelvin = celsius + 273.15
        return math.exp(-kj_per_mol * 1e3 / GAS * (1.0 / kelvin - 1.0 / 318.15))

    for w, p in ((warm.positive, plain.positive), (warm.negative, plain.negative)):
        for found, base, expected in (
            (w.column[EXCHANGE], p.column[EXCHANGE], factor(50.0)),
            (w.column[FILM], p.column[FILM], 1.0 / factor(40.0)),
            (w.ionic, p.ionic, 1.0 / factor(33.8)),
            (w.electronic, p.electronic, 1.0 / factor(10.0)),
            (w.diffusion[0], p.diffusion[0], factor(30.0)),
        ):
            np.testing.assert_allclose(found / base, expected, rtol=1e-9)
        np.testing.assert_array_equal(w.column[CAPACITY], p.column[CAPACITY])
    separator = warm.positive_ohm / plain.positive_ohm
    assert separator == pytest.approx(1.0 / factor(20.0), rel=1e-9)


def test_without_energies_only_the_thermal_voltage_knows_the_temperature():
    cold = lower(cell(spec={"temperature_celsius": 0.0}), **DFN).positive
    warm = lower(cell(), **DFN).positive
    np.testing.assert_array_equal(cold.column, warm.column)
    assert cold.thermal_volt / warm.thermal_volt == pytest.approx(273.15 / 318.15)


def test_separator_and_contacts_are_split_by_the_reference_electrode():
    """100 mg of lpscl, 10 mm, 15 % pores; electrodes of 9 and 10 mm: a cone."""
    totals, steps = [], []
    for position in (0.0, 0.25, 1.0):
        lowered = lower(
            cell(
                reference_position_fraction=position,
                contact_resistance_ohm_cm2=8.0,
                positive_contact_share_fraction=0.75,
            ),
            **DFN,
        )
        totals.append(lowered.positive_ohm + lowered.negative_ohm)
        steps.append(lowered.negative_ohm)
    area_p, area_n = math.pi * 0.45**2, math.pi * 0.5**2
    density = eqp.load_cell("zhang2026-lb").separator_material.density_g_per_cm3.value
    thickness = 0.1 / (density * 0.85) / area_n
    separator = thickness / 5e-3 / math.sqrt(area_p * area_n)
    contact = 8.0 / area_p
    assert totals == pytest.approx([separator + contact] * 3, rel=1e-12)
    assert steps == pytest.approx(
        [0.25 * contact, 0.25 * (contact + separator), 0.25 * contact + separator],
        rel=1e-12,
    )


def three_electrode(position):
    return simulate(
        cell(reference_position_fraction=position, contact_resistance_ohm_cm2=8.0),
        protocol(charge(1, until_capacity_mah_per_g_positive=80.0), rest(0.1)),
        mesh=SMALL,
    )


def test_the_reference_moves_the_split_and_nothing_else():
    near, far = three_electrode(0.0), three_electrode(1.0)
    for column in (Sample.VOLT, Sample.AMPERE, Sample.SECOND, Sample.COULOMB):
        np.testing.assert_allclose(
            # 1e-9: potentials steer the step size, so rounding comes back in it
            near.samples[:, column],
            far.samples[:, column],
            rtol=1e-9,
            atol=1e-14,
        )
    shift = near.samples[:, Sample.POSITIVE_VOLT] - far.samples[:, Sample.POSITIVE_VOLT]
    ohm = near.lowered.positive_ohm - far.lowered.positive_ohm
    assert ohm > 5.0
    np.testing.assert_allclose(shift, ohm * near.samples[:, Sample.AMPERE], atol=1e-12)


@pytest.mark.parametrize("position", [0.0, 0.5, 1.0])
def test_potentials_of_the_electrodes_make_the_voltage(position):
    run = three_electrode(position)
    s, r = run.samples, run.results
    for rows, volt, positive, negative in (
        (s, Sample.VOLT, Sample.POSITIVE_VOLT, Sample.NEGATIVE_VOLT),
        (r, End.VOLT, End.POSITIVE_VOLT, End.NEGATIVE_VOLT),
    ):
        off = rows[:, positive] - rows[:, negative] - rows[:, volt]
        assert np.abs(off).max() <= 1e-12


def test_start_fractions_follow_the_inventory():
    known = inventory(
        cell(), positive_start_mah_per_g=27.498, negative_start_mah_per_g=17.5
    )
    lowered = lower(known, **DFN)
    assert lowered.positive_start_fraction == pytest.approx(0.9, rel=1e-9)
    site = lowered.negative_capacity_mah_per_g
    assert lowered.negative_start_fraction == pytest.approx(17.5 / site, rel=1e-9)
    assert lowered.bypass_coulomb == 0.0
    assert (fresh_field(lowered.positive, 0.9).x == 0.9).all()


def test_first_lithiation_loss_is_the_charge_that_passes_by():
    lossy = changed(cell(), "negative", first_lithiation_loss_mah_per_g=25.0)
    lowered = lower(lossy, **DFN)
    negative_g = lossy.positive_mass_mg * lossy.np_ratio * lossy.mass_per_np_ratio / 1e3
    assert lowered.bypass_coulomb == pytest.approx(25.0 * 3.6 * negative_g, rel=1e-9)
    assert lowered.negative_start_fraction == 0.0
    more = inventory(lossy, lithium_loss_mah_per_g_positive=10.0)
    assert lower(more, **DFN).bypass_coulomb - lowered.bypass_coulomb == pytest.approx(
        10.0 * 3.6 * lossy.positive_mass_mg / 1e3, rel=1e-9
    )


def test_active_fractions_scale_interface_and_capacity_alone():
    whole = lower(cell(), **DFN)
    part = lower(
        inventory(cell(), positive_active_fraction=0.8, negative_active_fraction=0.6),
        **DFN,
    )
    for new, old, share in (
        (part.positive, whole.positive, 0.8),
        (part.negative, whole.negative, 0.6),
    ):
        for row in (INTERFACE, CAPACITY):
            np.testing.assert_allclose(new.column[row] / old.column[row], share)
        for row in (EXCHANGE, FILM, FLUX, INVERSE_RADIUS2):
            np.testing.assert_allclose(new.column[row], old.column[row], rtol=1e-12)
        assert new.width == old.width
    assert part.one_c_ampere == whole.one_c_ampere


def test_models_share_everything_but_the_mesh():
    full, single, still = (
        lower(cell(), model=m, mesh=SMALL) for m in ("dfn", "spm", "quasi-static")
    )
    assert (full.positive.nodes, single.positive.nodes, still.positive.nodes) == (
        5,
        1,
        1,
    )
    assert single.positive.shell.shape == full.positive.shell.shape
    assert still.positive.shell.shape[1] == 1
    assert single.positive.column[CAPACITY].sum() == pytest.approx(
        full.positive.column[CAPACITY].sum(), rel=1e-12
    )
    assert (still.positive_ohm, still.negative_ohm) == (0.0, 0.0)
    assert single.positive_ohm == full.positive_ohm


def test_conductivities_of_the_cell_file_stand_in_for_those_of_the_kinetics():
    known = replace(
        eqp.load_cell("zhang2026-lb"),
        kinetics=kinetics(
            {
                "ionic_conductivity_millisiemens_per_cm": None,
                "electronic_conductivity_millisiemens_per_cm": None,
            }
        ),
    )
    porous = lower(known, **DFN).positive
    np.testing.assert_allclose(porous.ionic, 1.0 / 0.014)
    np.testing.assert_allclose(porous.electronic, 1.0 / 0.0048)


def test_dependences_are_straight_in_the_logarithm_and_held_outside():
    given = Dependence(lithiation_fraction=(0.2, 0.6), values=(1e-10, 1e-14))
    table = dependence(given)
    x = np.linspace(0.0, 1.0, table.size)
    assert table[x <= 0.2] == pytest.approx(1e-10)
    assert table[x >= 0.6] == pytest.approx(1e-14)
    assert np.interp(0.4, x, np.log10(table)) == pytest.approx(-12.0, abs=1e-3)


def test_a_stretched_curve_is_the_same_curve_over_more_capacity():
    plain, wide = (
        lower(cell({"open_circuit_stretch_ratio": r}), **DFN).positive
        for r in (1.0, 1.05)
    )
    taken = np.linspace(0.0, 200.0, 21)

    def potential(porous, q):
        x = 1.0 - q / 274.98
        at = (x - porous.open_circuit_start) * porous.open_circuit_per_step
        return np.interp(
            at, np.arange(porous.open_circuit.shape[0]), porous.open_circuit[:, 0]
        )

    np.testing.assert_allclose(
        potential(wide, 1.05 * taken), potential(plain, taken), atol=2e-4
    )
    np.testing.assert_array_equal(wide.column, plain.column)


def test_half_cells_have_one_electrode_and_an_ideal_one():
    lowered = lower(eqp.load_half_cell_setup("zhang2026-ncm85-inli"), **DFN)
    assert lowered.negative.ideal == 1
    assert lowered.charges_first
    assert lowered.positive_start_fraction == 1.0
    other = lower(eqp.load_half_cell_setup("zhang2026-lto-inli"), **DFN)
    assert not other.charges_first
    assert other.positive_start_fraction == 0.0
