"""What must hold for any cell: signs, orders, inverses."""

import numpy as np
import pytest
from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

import equipoise as eqp
from engine_cells import (
    SMALL,
    cell,
    charge,
    discharge,
    hold,
    kinetics,
    protocol,
    tried,
)
from equipoise.core.status import Status
from equipoise.kernels.porous import overpotential
from equipoise.kernels.program import End
from equipoise.protocol.steps import Cycle
from equipoise.sim.mesh import Mesh
from equipoise.sim.simulate import simulate

THERMAL = 0.0274
# Found examples are small enough; shrinking them would take most of the time.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
FEW = settings(max_examples=15, phases=QUICK)
MESH = Mesh(positive_nodes_count=4, negative_nodes_count=4, shells_count=6)

alphas = st.floats(0.1, 0.9)
extents = st.floats(-6.0, 6.0)  # decades of |j| / i0
signs = st.sampled_from([-1.0, 1.0])


def butler_volmer(eta, i0, alpha):
    v = eta / THERMAL
    # expm1 keeps the difference exact where both terms are near one
    return i0 * (np.expm1(alpha * v) - np.expm1(-(1.0 - alpha) * v))


@given(alpha=alphas, decades=extents, sign=signs, exchange=st.floats(-9.0, 4.0))
@settings(max_examples=400)
def test_overpotential_inverts_butler_volmer(alpha, decades, sign, exchange):
    i0 = 10.0**exchange
    j = sign * i0 * 10.0**decades
    eta, per_ratio = overpotential(j, i0, alpha, THERMAL)
    assert eta * sign > 0.0
    assert butler_volmer(eta, i0, alpha) == pytest.approx(j, rel=1e-9)
    assert per_ratio > 0.0


@given(alpha=st.sampled_from([0.5]) | alphas, decades=extents, sign=signs)
@settings(max_examples=200)
def test_slope_of_the_overpotential_is_its_derivative(alpha, decades, sign):
    ratio = sign * 10.0**decades
    h = 1e-4 * abs(ratio)
    up, down = (overpotential(ratio + d, 1.0, alpha, THERMAL)[0] for d in (h, -h))
    slope = overpotential(ratio, 1.0, alpha, THERMAL)[1]
    # 1e-6 from h^2, and the rounding of eta over the difference of eta
    rounding = 1e-12 * max(abs(up), 1e-3) / (up - down)
    assert (up - down) / (2.0 * h) == pytest.approx(slope, rel=1e-6 + rounding)


@given(decades=extents, sign=signs)
def test_equal_coefficients_are_the_limit_of_unequal_ones(decades, sign):
    j = sign * 10.0**decades
    near = overpotential(j, 1.0, 0.5 + 1e-9, THERMAL)[0]
    assert near == pytest.approx(overpotential(j, 1.0, 0.5, THERMAL)[0], rel=1e-7)


@example(alpha=0.9921875, decades=0.25, sign=-1.0)
@given(alpha=st.floats(0.001, 0.999), decades=extents, sign=signs)
@settings(max_examples=400)
def test_overpotential_for_all_coefficients_the_specification_takes(
    alpha, decades, sign
):
    j = sign * 10.0**decades
    assume(abs(np.log(1.0 + abs(j))) / min(alpha, 1.0 - alpha) < 600.0)
    eta, _ = overpotential(j, 1.0, alpha, THERMAL)
    assert butler_volmer(eta, 1.0, alpha) == pytest.approx(j, rel=1e-6)


@given(alpha=alphas)
def test_no_current_needs_no_overpotential(alpha):
    eta, per_ratio = overpotential(0.0, 1.0, alpha, THERMAL)
    assert eta == 0.0
    assert per_ratio == pytest.approx(THERMAL, rel=1e-9)


def delivered(known, rate, **keys):
    """Discharge from one charged state: charged slowly, held."""
    run = tried(
        known,
        charge(0.1),
        hold(until_c_rate=0.01),
        discharge(rate),
        mesh=MESH,
        **keys,
    )
    assert run.status == Status.OK
    return -run.results[2, End.COULOMB] / 3.6 / run.lowered.positive_mass_g


RESISTANCES = {
    "contact": lambda f: {"contact_resistance_ohm_cm2": 10.0 * f},
    "separator": lambda f: {"separator_conductivity_millisiemens_per_cm": 5.0 / f},
}


@pytest.mark.parametrize("which", RESISTANCES)
@given(low=st.floats(0.1, 5.0), more=st.floats(1.05, 5.0), rate=st.floats(0.2, 3.0))
@FEW
def test_more_series_resistance_never_gives_more_capacity(which, low, more, rate):
    less = delivered(cell(**RESISTANCES[which](low)), rate)
    # 1e-4: the tolerance of the steps; a held charge ends alike for both
    assert delivered(cell(**RESISTANCES[which](low * more)), rate) <= less * (
        1.0 + 1e-4
    )


@given(low=st.floats(0.0, 50.0), more=st.floats(1.0, 100.0), rate=st.floats(0.2, 2.0))
@FEW
def test_more_film_resistance_never_gives_more_charge(low, more, rate):
    found = [
        tried(cell({"film_resistance_ohm_cm2": film}), charge(rate), mesh=MESH).results[
            0, End.COULOMB
        ]
        for film in (low, low + more)
    ]
    assert found[1] <= found[0] * (1.0 + 1e-4)


@given(slow=st.floats(0.1, 2.0), faster=st.floats(1.05, 4.0))
@FEW
def test_higher_rates_never_discharge_more(slow, faster):
    known = eqp.load_cell("zhang2026-lb")
    assert delivered(known, slow * faster) <= delivered(known, slow) * (1.0 + 1e-4)


@st.composite
def rates_of_cells(draw):
    def one(low, high):
        return draw(st.floats(np.log10(low), np.log10(high)).map(lambda p: 10.0**p))

    def side():
        return {
            "particle_radius_um": one(0.2, 3.0),
            "diffusivity_cm2_per_s": one(3e-12, 1e-9),
            "exchange_current_ma_per_cm2": one(1e-2, 1.0),
            "ionic_conductivity_millisiemens_per_cm": one(0.1, 10.0),
            "electronic_conductivity_millisiemens_per_cm": one(0.1, 100.0),
            "anodic_transfer_fraction": draw(st.floats(0.3, 0.7)),
        }

    return side(), side(), one(0.05, 2.0)


@given(rates=rates_of_cells())
@settings(max_examples=25, phases=QUICK)
def test_plausible_cells_are_solved_with_positive_capacities(rates):
    positive, negative, c_rate = rates
    run = tried(cell(positive, negative), Cycle(c_rate=c_rate, count=2), mesh=MESH)
    assert run.status == Status.OK
    cycles = run.cycles
    for key in ("charging", "discharging"):
        q = cycles[f"{key}_capacity_mah_per_g_positive"].to_numpy()
        q = q[np.isfinite(q)]  # a cell at its cut-off at once passes nothing
        assert (q >= 0.0).all()
        assert (q < 275.0).all()
    assert np.isfinite(run.results).all()


@given(rates=rates_of_cells())
@settings(max_examples=10, phases=QUICK)
def test_efficiency_of_closed_cycles_comes_to_one(rates):
    """Without side reactions a periodic state returns all charge."""
    positive, negative, c_rate = rates
    run = simulate(
        cell(positive, negative),
        protocol(Cycle(c_rate=c_rate, count=40)),
        mesh=MESH,
        trace="none",
    )
    last = run.cycles.row(39, named=True)
    assume(last["charging_capacity_mah_per_g_positive"] > 20.0)
    assert last["coulombic_efficiency"] == pytest.approx(1.0, abs=1e-3)
    assert last["energy_efficiency"] < 1.0 + 1e-6


@given(position=st.floats(0.0, 1.0), share=st.floats(0.0, 1.0))
@FEW
def test_the_reference_electrode_changes_no_voltage(position, share):
    known = cell(
        reference_position_fraction=position,
        positive_contact_share_fraction=share,
        contact_resistance_ohm_cm2=5.0,
    )
    run = simulate(known, protocol(charge(1)), mesh=SMALL, trace="none")
    plain = simulate(
        cell(contact_resistance_ohm_cm2=5.0),
        protocol(charge(1)),
        mesh=SMALL,
        trace="none",
    )
    assert run.results[0, End.COULOMB] == pytest.approx(
        plain.results[0, End.COULOMB], rel=1e-8
    )


@given(value=st.floats(max_value=0.0) | st.just(float("nan")))
@FEW
def test_no_diffusivity_below_zero_is_taken(value):
    with pytest.raises(eqp.SpecError):
        kinetics({"diffusivity_cm2_per_s": value})
