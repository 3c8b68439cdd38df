"""What passes through the terminals is what the shells of the particles hold."""

from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import (
    SMALL,
    capacity_coulomb,
    cell,
    changed,
    charge,
    discharge,
    hold,
    inventory,
    kinetics,
    lithium_coulomb,
    machine,
    now_of,
    protocol,
    recursion_means,
    rest,
    shell_means,
)
from equipoise.core.status import Status
from equipoise.kernels.program import End, Reason
from equipoise.protocol.steps import Cycle, Repeat
from equipoise.sim.simulate import simulate

ALL_KINDS = (
    charge(1),
    hold(until_c_rate=0.05),
    rest(1),
    discharge(2, until_capacity_mah_per_g_positive=60.0),
    discharge(0.5, until_time_hour=0.3),
    charge(3, until_positive_potential_vs_li_volt=3.95),
    hold(voltage_volt=2.2, until_time_hour=0.5),
    discharge(1),
    rest(0.5),
)
TWO_CLASSES = {
    "particle_classes": [
        {"name": "fine", "share_fraction": 0.7},
        {
            "name": "coarse",
            "share_fraction": 0.3,
            "radius_ratio": 2.5,
            "exchange_ratio": 0.3,
            "film_resistance_ohm_cm2": 20.0,
        },
    ]
}


def unequal_areas():
    return changed(eqp.load_cell("zhang2026-lb"), "positive", diameter_mm=6.0)


def aged():
    return inventory(
        eqp.load_cell("zhang2026-lb"),
        positive_active_fraction=0.9,
        negative_active_fraction=0.85,
        positive_start_mah_per_g=20.0,
        negative_start_mah_per_g=15.0,
    )


CELLS = {
    "library": lambda: eqp.load_cell("zhang2026-lb"),  # hysteresis, D(x), sigma(x)
    "two classes": lambda: cell(TWO_CLASSES, TWO_CLASSES),
    "unequal areas": unequal_areas,
    "asymmetric reaction": lambda: cell({"anodic_transfer_fraction": 0.3}),
    "part of the surface": lambda: cell({"contact_area_fraction": 0.4}),
    "aged": aged,
}


def run_through(driven):
    """Yield, after every step, (charge so far, throughput, now)."""
    charge_c = throughput = 0.0
    while not driven.over:
        assert driven.advance(int(driven.place[0]) + 1) == Status.OK
        passed = driven.finished[-1, End.COULOMB]
        charge_c += passed
        throughput += abs(passed)
        yield charge_c, throughput, now_of(driven)


@pytest.mark.parametrize("model", ["dfn", "spm"])
@pytest.mark.parametrize("which", CELLS)
def test_both_electrodes_hold_the_charge_that_passed(which, model):
    """1e-12 of the throughput: thousands of roundings of 1e-16 each, no more."""
    driven = machine(CELLS[which](), ALL_KINDS, model=model)
    sides = (
        (driven.lowered.positive, driven.positive, -1.0),
        (driven.lowered.negative, driven.negative, 1.0),
    )
    before = [lithium_coulomb(porous, state, 0) for porous, state, _ in sides]
    for charge_c, throughput, now in run_through(driven):
        for (porous, state, sign), start in zip(sides, before, strict=True):
            change = lithium_coulomb(porous, state, now) - start
            assert change == pytest.approx(
                sign * charge_c, rel=0.0, abs=1e-12 * throughput
            )
    moved = np.abs(driven.finished[:, End.COULOMB])
    assert (moved > 0.0).sum() == 7  # the rests alone pass nothing


def test_half_cell_conserves_against_an_ideal_counter_electrode():
    setup = eqp.load_half_cell_setup("zhang2026-ncm85-inli")
    driven = machine(setup, (charge(1), rest(0.2), discharge(2)))
    porous, state = driven.lowered.positive, driven.positive
    start = lithium_coulomb(porous, state, 0)
    for charge_c, throughput, now in run_through(driven):
        change = lithium_coulomb(porous, state, now) - start
        assert change == pytest.approx(-charge_c, rel=0.0, abs=1e-12 * throughput)


def test_mean_lithium_follows_the_shells_over_fifty_cycles():
    """The mean has its own recursion; it may drift from the shells by rounding."""
    driven = machine(
        eqp.load_cell("zhang2026-lb"),
        (Cycle(c_rate=1.0, count=50, rest_hour=0.1, hold_until_c_rate=0.2),),
    )
    while not driven.over:
        assert driven.advance(driven.program.steps.shape[0]) == Status.OK
    now = now_of(driven)
    for porous, state in (
        (driven.lowered.positive, driven.positive),
        (driven.lowered.negative, driven.negative),
    ):
        off = np.abs(shell_means(porous, state, now) - recursion_means(state, now))
        assert off.max() < 1e-11
    reported = driven.finished[-1, End.POSITIVE_LITHIATION]
    porous = driven.lowered.positive
    held = lithium_coulomb(porous, driven.positive, now) / capacity_coulomb(porous)
    assert reported == pytest.approx(held, abs=1e-11)
    throughput = np.abs(driven.finished[:, End.COULOMB]).sum()
    drift = (held - 1.0) * capacity_coulomb(porous) + driven.finished[
        :, End.COULOMB
    ].sum()
    assert abs(drift) < 1e-12 * throughput


def consumed(driven):
    """Charge that passed the terminals and is not in the negative, C."""
    porous, now = driven.lowered.negative, now_of(driven)
    built = capacity_coulomb(porous) * driven.lowered.negative_start_fraction
    taken_up = lithium_coulomb(porous, driven.negative, now) - built
    return driven.finished[:, End.COULOMB].sum() - taken_up


LOSSY = {
    "charge 0.1C": (charge(0.1), discharge(0.1)),
    "charge 1C": (charge(1), discharge(1)),
    "charge 5C": (charge(5), discharge(5)),
    "hold": (hold(voltage_volt=2.6, until_time_hour=3.0), discharge(1)),
    "loss in two steps": (charge(1, until_capacity_mah_per_g_positive=5.0), charge(1)),
    "pauses": (
        Repeat(
            count=6, steps=(charge(1, until_capacity_mah_per_g_positive=4.0), rest(0.1))
        ),
        charge(1),
    ),
}


@pytest.mark.parametrize("steps", LOSSY)
def test_first_lithiation_consumes_exactly_the_loss(steps):
    """10 mAh per gram of negative, whatever the way the charge is passed."""
    lossy = changed(
        eqp.load_cell("zhang2026-lb"), "negative", first_lithiation_loss_mah_per_g=10.0
    )
    driven = machine(lossy, LOSSY[steps])
    while not driven.over:
        assert driven.advance(driven.program.steps.shape[0]) == Status.OK
    negative_g = lossy.positive_mass_mg * lossy.np_ratio * lossy.mass_per_np_ratio / 1e3
    assert driven.lowered.bypass_coulomb == pytest.approx(10.0 * 3.6 * negative_g)
    assert consumed(driven) == pytest.approx(
        10.0 * 3.6 * negative_g, rel=1e-9
    )  # 1e-9: the smallest substep


def test_without_a_loss_nothing_is_consumed():
    driven = machine(eqp.load_cell("zhang2026-lb"), ALL_KINDS, mesh=SMALL)
    while not driven.over:
        assert driven.advance(driven.program.steps.shape[0]) == Status.OK
    throughput = np.abs(driven.finished[:, End.COULOMB]).sum()
    assert abs(consumed(driven)) < 1e-12 * throughput


def test_graphite_loses_its_first_lithiation_and_no_more(graphite):
    """25 mAh/g of graphite never return; later cycles are closed."""
    known = replace(graphite, kinetics=kinetics())
    run = simulate(
        known, protocol(Cycle(c_rate=0.1, count=4, hold_until_c_rate=0.02)), mesh=SMALL
    )
    lost = (
        known.first_lithiation_loss_mah_per_g * known.np_ratio * known.mass_per_np_ratio
    )
    assert known.first_lithiation_loss_mah_per_g == 25.0
    cycles = run.cycles
    capacity = cycles["charging_capacity_mah_per_g_positive"].to_numpy()
    efficiency = cycles["coulombic_efficiency"].to_numpy()
    assert efficiency[0] < 1.0 - 0.9 * lost / capacity[0]
    assert efficiency[3] == pytest.approx(1.0, abs=2e-3)
    assert any(f"first {lost:.1f} mAh/g are consumed" in n for n in run.notes)


def test_a_hold_that_discharges_gives_no_charge_back_to_the_loss():
    """Part of the loss is paid, then a hold discharges: the negative takes part."""
    lossy = changed(
        eqp.load_cell("zhang2026-lb"), "negative", first_lithiation_loss_mah_per_g=40.0
    )
    steps = (
        charge(1, until_capacity_mah_per_g_positive=40.0),
        rest(1.0),
        hold(voltage_volt=1.4, until_time_hour=0.5),
        charge(0.5),
    )
    driven = machine(lossy, steps)
    while not driven.over:
        assert driven.advance(driven.program.steps.shape[0]) == Status.OK
    negative_g = lossy.positive_mass_mg * lossy.np_ratio * lossy.mass_per_np_ratio / 1e3
    assert consumed(driven) == pytest.approx(40.0 * 3.6 * negative_g, rel=1e-9)


FLAT = {
    "form": "constant",
    "axis": "lithiated",
    "capacity_mah_per_g": 170.0,
    "potential_vs_li_volt": 1.55,
    "source": "test",
    "evidence": "assumed",
}
TWO = [
    {"name": "fast", "share_fraction": 0.7},
    {"name": "slow", "share_fraction": 0.3, "radius_ratio": 4.0},
]


@pytest.mark.parametrize("classes", [[], TWO], ids=["one class", "two classes"])
def test_quasi_static_lithium_is_balanced_on_a_flat_curve(classes):
    """Without resistance u - f is rounding alone, and must not move lithium."""
    flat = cell(
        negative={
            "open_circuit": FLAT,
            "lithium_capacity_mah_per_g": 170.0,
            "particle_classes": classes,
        }
    )
    driven = machine(flat, (charge(0.2), discharge(0.2)) * 10, model="quasi-static")
    assert driven.advance(20) == Status.OK
    porous, now = driven.lowered.negative, now_of(driven)
    built = capacity_coulomb(porous) * driven.lowered.negative_start_fraction
    taken_up = lithium_coulomb(porous, driven.negative, now) - built
    throughput = np.abs(driven.finished[:, End.COULOMB]).sum()
    passed = driven.finished[:, End.COULOMB].sum()
    assert taken_up == pytest.approx(passed, abs=1e-9 * throughput)


@pytest.mark.parametrize("model", ["dfn", "quasi-static"])
@pytest.mark.parametrize("volt", [2.1, 2.3, 2.6])
def test_holds_of_any_length_end_at_their_limit(model, volt):
    steps = (
        charge(0.2),
        discharge(0.2),
        hold(voltage_volt=volt, until_c_rate=0.05, until_time_hour=2000.0),
        hold(voltage_volt=volt, until_time_hour=2000.0),
    )
    driven = machine(eqp.load_cell("zhang2026-lb"), steps, model=model)
    assert driven.advance(4) == Status.OK
    assert driven.finished[2, End.REASON] == Reason.CURRENT
    assert driven.finished[3, End.REASON] == Reason.TIME
    assert driven.finished[3, End.VOLT] == pytest.approx(volt, abs=1e-9)
    assert driven.finished[3, End.SUBSTEPS] < 2000
