"""Limits in which the answer is known without the engine."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import simpson

import equipoise as eqp
from engine_cells import (
    LINEAR_POSITIVE,
    SMALL,
    SMOOTH_NEGATIVE,
    capacity_coulomb,
    cell,
    charge,
    discharge,
    fixed,
    hold,
    inventory,
    kinetics,
    machine,
    protocol,
    rest,
    smooth_cell,
)
from equipoise.core.status import Status
from equipoise.kernels.layout import INTERFACE
from equipoise.kernels.program import End, Sample
from equipoise.protocol.steps import Cycle
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import simulate

THERMAL = 8.31446261815324 * 318.15 / 96485.33212  # R T / F at 45 C, CODATA
EXACT = Stepping(tolerance_volt=1e-6)
WINDOW = {"until_voltage_volt": 9.0}
CONDUCTING = {
    "ionic_conductivity_millisiemens_per_cm": 1e9,
    "electronic_conductivity_millisiemens_per_cm": 1e9,
}


def capacities(run):
    return np.abs(run.results[:, End.COULOMB]) / 3.6 / run.lowered.positive_mass_g


def test_porous_electrodes_without_ohmic_drop_are_single_particles():
    known = cell(CONDUCTING, CONDUCTING)
    steps = protocol(charge(2), rest(0.2), discharge(2))
    runs = [
        simulate(known, steps, mesh=SMALL, model=m, stepping=EXACT)
        for m in ("dfn", "spm")
    ]
    # 1e-7: what the local tolerance of 1e-6 V leaves of the capacity
    np.testing.assert_allclose(capacities(runs[0]), capacities(runs[1]), rtol=1e-6)
    np.testing.assert_allclose(
        runs[0].results[:, End.POSITIVE_VOLT],
        runs[1].results[:, End.POSITIVE_VOLT],
        atol=1e-5,
    )


@pytest.mark.parametrize("model", ["dfn", "spm", "quasi-static"])
def test_at_rest_the_cell_is_at_its_open_circuit_voltage(model):
    """From the half-cell curves themselves, at the lithium contents of the end."""
    known = cell({"open_circuit": LINEAR_POSITIVE}, {"open_circuit": SMOOTH_NEGATIVE})
    run = simulate(
        known,
        protocol(charge(1, until_time_hour=0.5), rest(40)),
        model=model,
        mesh=SMALL,
    )
    end = run.results[-1]
    x, z = end[End.POSITIVE_LITHIATION], end[End.NEGATIVE_LITHIATION]
    assert end[End.POSITIVE_VOLT] == pytest.approx(4.6 - 0.9 * x, abs=1e-6)
    assert end[End.NEGATIVE_VOLT] == pytest.approx(1.65 - 0.2 * z, abs=1e-6)
    charged = run.results[0, End.COULOMB] / 3.6 / run.lowered.positive_mass_g
    assert x == pytest.approx(1.0 - charged / 274.98, abs=1e-10)


@pytest.mark.parametrize("which", ["zhang2026-lb", "zhang2026-hb"])
def test_quasi_static_first_charge_is_that_of_the_design(which):
    """Two independent ways to the same number, from the materials' curves."""
    known = cell(base=which)  # kinetics without curves of their own
    design = eqp.design_cell(known)
    first = simulate(known, protocol(charge(0.2)), model="quasi-static").cycles.row(
        0, named=True
    )
    assert first["charging_capacity_mah_per_g_positive"] == pytest.approx(
        design.first_charge_mah_per_g_positive, rel=1e-4
    )
    assert first["upper_potential_vs_li_volt"] == pytest.approx(
        design.upper_potential_vs_li_volt, abs=1e-4
    )
    assert first["negative_end_of_charge_potential_vs_li_volt"] == pytest.approx(
        design.negative_end_of_charge_potential_vs_li_volt, abs=1e-4
    )


def test_quasi_static_first_charge_of_aged_cells_is_that_of_the_design():
    for keys in (
        {"positive_active_fraction": 0.85},
        {"negative_active_fraction": 0.9, "negative_start_mah_per_g": 12.0},
        {"lithium_loss_mah_per_g_positive": 15.0},
        {"lithium_loss_mah_per_g_positive": -3.0},
        {"positive_start_mah_per_g": 25.0, "negative_start_mah_per_g": 10.0},
    ):
        known = inventory(cell(), **keys)
        design = eqp.design_cell(known)
        run = simulate(known, protocol(charge(0.2)), model="quasi-static")
        assert capacities(run)[0] == pytest.approx(
            design.first_charge_mah_per_g_positive, rel=1e-4
        ), keys
        assert run.results[0, End.POSITIVE_VOLT] == pytest.approx(
            design.upper_potential_vs_li_volt, abs=1e-4
        ), keys


def test_half_cells_first_charge_is_that_of_the_design():
    setup = replace(
        eqp.load_half_cell_setup("zhang2026-ncm85-inli"), kinetics=kinetics()
    )
    design = eqp.design_half_cell(setup)
    run = simulate(setup, protocol(charge(0.1)), model="quasi-static")
    assert capacities(run)[0] == pytest.approx(design.first_charge_mah_per_g, rel=1e-4)


def test_quasi_static_does_not_know_time():
    known = eqp.load_cell("zhang2026-lb")
    slow, fast = (
        simulate(known, protocol(charge(r), discharge(r)), model="quasi-static")
        for r in (0.01, 100.0)
    )
    np.testing.assert_allclose(capacities(slow), capacities(fast), rtol=1e-6)


def test_slow_cycles_come_to_the_quasi_static_capacities():
    """C/500 on the library's cell; polarisation is a few hundredths of a millivolt."""
    known = eqp.load_cell("zhang2026-lb")
    steps = protocol(Cycle(c_rate=0.002))
    slow = simulate(known, steps, mesh=SMALL)
    none = simulate(known, steps, model="quasi-static")
    assert capacities(slow)[0] == pytest.approx(capacities(none)[0], rel=1e-3)
    # the slow full end (D = 3e-14 cm2/s) still costs a little on discharge
    assert 0.97 < capacities(slow)[1] / capacities(none)[1] <= 1.0 + 1e-6


def two_rail_ohm_cm2(R_i, R_e, Z_c):
    X = np.sqrt((R_i + R_e) / Z_c)
    S = R_i + R_e
    return R_i * R_e / S * (1.0 + 2.0 / (X * np.sinh(X))) + (
        (R_i**2 + R_e**2) / S / np.tanh(X) / X
    )


def small_signal(known, mesh, seconds=1e-3):
    """(V - V at rest) / i at the first moment of a tiny current, ohm cm2 of positive.

    1 s at 1e-5 C changes the lithium by 3e-9: what is seen is reaction and rails. The
    particles are made fast, so that they add nothing.
    """
    run = simulate(
        known,
        protocol(
            charge(1e-3, until_capacity_mah_per_g_positive=1.0, **WINDOW),
            rest(1.0),
            charge(1e-3, until_time_second=seconds, **WINDOW),
        ),
        mesh=mesh,
    )
    still, end = run.results[1], run.results[2]
    i = end[End.AMPERE] / known.positive.spec.area_cm2
    return (
        end[[End.POSITIVE_VOLT, End.NEGATIVE_VOLT]]
        - still[[End.POSITIVE_VOLT, End.NEGATIVE_VOLT]]
    ) / i, run


def rails_of(porous, conductivity_ms, exchange_ma):
    """R_i, R_e and Z_c of an electrode of 45 C, ohm cm2."""
    length_cm = porous.width * porous.nodes * 100.0
    R_i, R_e = (length_cm / (c * 1e-3) for c in conductivity_ms)
    area_per_area = porous.column[INTERFACE, 0] * porous.width * porous.nodes
    return R_i, R_e, THERMAL / (exchange_ma * 1e-3) / area_per_area


def linear(**rates):
    """Sloping straight curves, fast particles, half filled: i0 is what is given."""
    fast = {"diffusivity_cm2_per_s": 1e-6} | rates
    known = cell(
        {"open_circuit": LINEAR_POSITIVE} | fast,
        {"open_circuit": SMOOTH_NEGATIVE} | fast,
    )
    return inventory(
        known,
        positive_start_mah_per_g=274.98 / 2.0,
        negative_start_mah_per_g=175.1 / 2.0,
    )


@pytest.mark.parametrize(
    ("conductivity_ms", "exchange_ma"),
    [((0.14, 0.05), 0.05), ((0.05, 5.0), 0.2), ((5.0, 0.05), 0.2), ((1.0, 1.0), 1e-3)],
)
def test_small_currents_meet_the_two_rail_transmission_line(
    conductivity_ms, exchange_ma
):
    """The closed form plus half the separator on either side.

    240 nodes: fronts of L / 24 in the negative are resolved by ten of them.
    """
    known = linear(
        ionic_conductivity_millisiemens_per_cm=conductivity_ms[0],
        electronic_conductivity_millisiemens_per_cm=conductivity_ms[1],
        exchange_current_ma_per_cm2=exchange_ma,
    )
    mesh = Mesh(positive_nodes_count=240, negative_nodes_count=240, shells_count=4)
    found, run = small_signal(known, mesh)
    area = known.positive.spec.area_cm2
    for side, porous, ohm in (
        (0, run.lowered.positive, run.lowered.positive_ohm),
        (1, run.lowered.negative, run.lowered.negative_ohm),
    ):
        exact = two_rail_ohm_cm2(*rails_of(porous, conductivity_ms, exchange_ma))
        exact = exact * area / (porous.area * 1e4) + ohm * area
        assert abs(found[side]) == pytest.approx(exact, rel=3e-4)


def test_slow_reaction_leaves_a_third_of_both_rails():
    """Uniform reaction: L / 3 (1 / s_ion + 1 / s_el) besides reaction and separator."""
    conductivity_ms, exchange_ma = (0.3, 0.1), 1e-5
    known = linear(
        ionic_conductivity_millisiemens_per_cm=conductivity_ms[0],
        electronic_conductivity_millisiemens_per_cm=conductivity_ms[1],
        exchange_current_ma_per_cm2=exchange_ma,
    )
    found, run = small_signal(known, SMALL)
    without = replace(
        known,
        kinetics=linear(exchange_current_ma_per_cm2=exchange_ma, **CONDUCTING).kinetics,
    )
    rails = found - small_signal(without, SMALL)[0]
    R_i, R_e, _ = rails_of(run.lowered.positive, conductivity_ms, exchange_ma)
    assert rails[0] == pytest.approx((R_i + R_e) / 3.0, rel=1e-3)


def test_constant_voltage_decays_with_the_time_constant_of_the_circuit():
    """One-shell particles on straight curves: I(t) is an exponential, tau = R C."""
    known = linear(exchange_current_ma_per_cm2=100.0, **CONDUCTING)
    known = replace(
        known,
        kinetics=known.kinetics.model_copy(
            update={
                "contact_resistance_ohm_cm2": (
                    known.kinetics.contact_resistance_ohm_cm2.model_copy(
                        update={"value": 500.0}
                    )
                )
            }
        ),
    )
    run = simulate(
        known,
        protocol(rest(0.01), hold(voltage_volt=2.62, until_time_hour=0.5)),
        model="spm",
        mesh=Mesh(shells_count=1),
        stepping=Stepping(tolerance_volt=1e-7),
    )
    samples = run.samples[run.samples[:, Sample.STEP] == 2]
    t = samples[:, Sample.SECOND] - run.results[0, End.END_SECOND]
    ampere = samples[:, Sample.AMPERE]
    lowered = run.lowered
    slopes = 0.9 / capacity_coulomb(lowered.positive) + 0.2 / capacity_coulomb(
        lowered.negative
    )  # V per C
    fit = np.polyfit(t, np.log(ampere), 1)
    ohm = (2.62 - run.results[0, End.VOLT]) / np.exp(fit[1])
    assert ohm == pytest.approx(500.0 / known.positive.spec.area_cm2, rel=0.1)
    assert -1.0 / fit[0] == pytest.approx(ohm / slopes, rel=2e-3)
    late = samples[-1]
    assert late[Sample.COULOMB] == pytest.approx(
        np.trapezoid(ampere, t) + ampere[0] * t[0], rel=1e-3
    )


def test_energy_is_the_integral_of_the_voltage():
    run = simulate(
        smooth_cell(),
        protocol(charge(1, until_time_hour=0.5)),
        mesh=SMALL,
        stepping=fixed(1e-3),
    )
    q, v = run.samples[:, Sample.COULOMB], run.samples[:, Sample.VOLT]
    # Simpson through the samples. The engine does not solve the first moment, only
    # the trace shows it: 30 mV over half of the first thousandth, of 2 V
    joule = simpson(v, x=q)
    assert run.results[0, End.JOULE] == pytest.approx(joule, rel=2e-5)
    chord = np.trapezoid(v, q)
    coarse = simulate(
        smooth_cell(),
        protocol(charge(1, until_time_hour=0.5)),
        mesh=SMALL,
        stepping=fixed(2e-2),
    )
    # five thousandths of the way in a step: the chord would be off by 1e-4
    assert coarse.results[0, End.JOULE] == pytest.approx(chord, rel=5e-5)
    assert run.samples[-1, Sample.JOULE] == run.results[0, End.JOULE]


def test_machines_of_one_lowered_cell_share_nothing_that_changes():
    known = smooth_cell()
    first = machine(known, (charge(1),))
    second = machine(known, (charge(1),))
    assert first.advance(1) == Status.OK
    assert (second.positive.x == 1.0).all()
    lowered = lower(known, mesh=SMALL)
    for name in ("column", "ionic", "electronic", "open_circuit", "diffusion"):
        np.testing.assert_array_equal(
            getattr(first.lowered.positive, name), getattr(lowered.positive, name)
        )
