"""Where a step ends: exactly at its limit, and at the first one."""

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import (
    SMALL,
    cell,
    charge,
    discharge,
    hold,
    inventory,
    protocol,
    rest,
    smooth_cell,
)
from equipoise.kernels.program import End, Reason, Sample
from equipoise.protocol.steps import Charge, Discharge
from equipoise.sim.mesh import Stepping
from equipoise.sim.simulate import simulate

LIBRARY = ("zhang2026-lb", "zhang2026-hb")


def ran(known, *steps, **keys):
    return simulate(known, protocol(*steps), **{"mesh": SMALL} | keys)


def specific(run):
    return run.results[:, End.COULOMB] / 3.6 / run.lowered.positive_mass_g


@pytest.mark.parametrize("rate", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("which", LIBRARY)
def test_voltage_at_the_end_of_a_step_is_the_cut_off(which, rate):
    known = eqp.load_cell(which)
    run = ran(known, *(charge(rate), discharge(rate)) * 2)
    window = known.spec.window
    wanted = [window.upper_volt, window.lower_volt] * 2
    np.testing.assert_allclose(run.results[:, End.VOLT], wanted, rtol=0.0, atol=1e-6)
    assert (run.results[:, End.REASON] == Reason.VOLTAGE).all()


def capacity_at(known, rate, tolerance):
    stepping = Stepping(
        tolerance_volt=tolerance, first_fraction=1e-6, most_substeps_count=1_000_000
    )
    low = {"until_voltage_volt": 1.9}
    return specific(ran(known, charge(rate), discharge(rate, **low), stepping=stepping))


def half_way():
    """Smooth, and both surfaces away from full and from empty all the time."""
    return inventory(
        smooth_cell(), positive_start_mah_per_g=40.0, negative_start_mah_per_g=25.0
    )


@pytest.mark.parametrize("rate", [0.2, 1.0])
def test_charge_at_the_cut_off_does_not_depend_on_the_tolerance(rate):
    """1e-6 of the charge passed, against a hundred times tighter steps."""
    found, tight = (capacity_at(half_way(), rate, t) for t in (1e-6, 1e-8))
    np.testing.assert_allclose(found, tight, rtol=1e-6)


def test_charge_at_the_cut_off_converges_at_high_rate():
    """3C ends within the diffusion transient (10-35 mAh/g): error ~ tolerance^(2/3)."""
    exact = capacity_at(half_way(), 3.0, 1e-10)
    errors = np.array(
        [np.abs(capacity_at(half_way(), 3.0, t) / exact - 1.0) for t in (1e-4, 1e-6)]
    )
    assert errors[0].max() < 2e-3  # what the default tolerance means
    assert (errors[1] < errors[0] / 10.0 ** (2 * 0.5)).all()  # 10^(4/3) expected


@pytest.mark.parametrize("which", LIBRARY)
def test_default_tolerance_gives_the_capacity_to_a_thousandth(which):
    known = eqp.load_cell(which)
    for rate in (0.2, 1.0):
        found, tight = (
            specific(
                ran(
                    known,
                    charge(rate),
                    discharge(rate),
                    stepping=Stepping(tolerance_volt=t, most_substeps_count=1_000_000),
                )
            )
            for t in (1e-4, 1e-6)
        )
        np.testing.assert_allclose(found, tight, rtol=1e-3)


def test_cut_off_is_where_small_equal_steps_cross_it():
    """Brute force: the last stretch in 20,000 equal steps, the crossing by a line."""
    known = smooth_cell()
    tight = Stepping(tolerance_volt=1e-7, most_substeps_count=1_000_000)
    whole = ran(known, charge(1), stepping=tight)
    second = whole.results[0, End.END_SECOND]
    beyond = 9.0  # out of the way of the brute force
    near = ran(
        known,
        charge(1, until_time_second=1.001 * second, until_voltage_volt=beyond),
        stepping=Stepping(
            tolerance_volt=1e-7, most_fraction=1e-5, most_substeps_count=1_000_000
        ),
    )
    volt = near.samples[:, Sample.VOLT]
    coulomb = near.samples[:, Sample.COULOMB]
    k = int(np.argmax(volt >= known.spec.window.upper_volt))
    part = (known.spec.window.upper_volt - volt[k - 1]) / (volt[k] - volt[k - 1])
    crossing = coulomb[k - 1] + part * (coulomb[k] - coulomb[k - 1])
    assert whole.results[0, End.COULOMB] == pytest.approx(crossing, rel=1e-6)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-2, 1e3])
def test_cut_off_is_met_exactly_however_long_the_substeps(tolerance):
    run = ran(
        eqp.load_cell("zhang2026-lb"),
        charge(1),
        discharge(1),
        stepping=Stepping(tolerance_volt=tolerance, most_fraction=0.3),
    )
    np.testing.assert_allclose(
        run.results[:, End.VOLT], [2.75, 1.35], rtol=0.0, atol=1e-6
    )


def test_limits_of_charge_and_time_are_met_exactly():
    run = ran(
        half_way(),
        charge(1, until_capacity_mah_per_g_positive=57.125),
        discharge(2, until_capacity_mah_per_g_positive=13.5, until_voltage_volt=0.1),
        charge(0.5, until_time_second=777.25),
        rest(0.125),
        discharge(1, until_time_hour=0.05),
    )
    got = specific(run)
    assert got[:2] == pytest.approx([57.125, -13.5], rel=2e-9)
    assert [int(r) for r in run.results[:, End.REASON]] == [
        Reason.CAPACITY,
        Reason.CAPACITY,
        Reason.TIME,
        Reason.TIME,
        Reason.TIME,
    ]
    took = run.results[:, End.END_SECOND] - run.results[:, End.START_SECOND]
    assert took[2:] == pytest.approx([777.25, 450.0, 180.0], rel=1e-12)
    one_c = run.lowered.one_c_ampere
    assert run.results[2, End.COULOMB] == pytest.approx(0.5 * one_c * 777.25, rel=1e-12)
    assert run.results[4, End.COULOMB] == pytest.approx(-one_c * 180.0, rel=1e-12)
    assert took[0] == pytest.approx(run.results[0, End.COULOMB] / one_c, rel=1e-12)


def test_electrode_potentials_are_limits_met_exactly():
    wide = {"until_voltage_volt": 9.0}
    low = {"until_voltage_volt": 0.1}
    run = ran(
        half_way(),
        charge(1, until_positive_potential_vs_li_volt=4.0, **wide),
        discharge(1, until_positive_potential_vs_li_volt=3.8, **low),
        charge(1, until_negative_potential_vs_li_volt=1.54, **wide),
        discharge(1, until_negative_potential_vs_li_volt=1.68, **low),
    )
    reasons = [int(r) for r in run.results[:, End.REASON]]
    assert reasons == [Reason.POSITIVE_POTENTIAL] * 2 + [Reason.NEGATIVE_POTENTIAL] * 2
    found = [
        *run.results[:2, End.POSITIVE_VOLT],
        *run.results[2:, End.NEGATIVE_VOLT],
    ]
    np.testing.assert_allclose(found, [4.0, 3.8, 1.54, 1.68], rtol=0.0, atol=1e-8)


def test_hold_ends_at_its_current_and_keeps_its_voltage():
    run = ran(
        eqp.load_cell("zhang2026-lb"),
        charge(1),
        hold(until_c_rate=0.05),
        discharge(1),
        hold(voltage_volt=1.35, until_current_ma=0.02),
        hold(voltage_volt=2.0, until_time_hour=0.1),
    )
    one_c = run.lowered.one_c_ampere
    ends = run.results[:, End.AMPERE]
    assert ends[1] == pytest.approx(0.05 * one_c, rel=1e-8)
    assert ends[3] == pytest.approx(-2e-5, rel=1e-8)
    assert [int(r) for r in run.results[[1, 3, 4], End.REASON]] == [
        Reason.CURRENT,
        Reason.CURRENT,
        Reason.TIME,
    ]
    for step, volt in ((2, 2.75), (4, 1.35), (5, 2.0)):
        held = run.samples[run.samples[:, Sample.STEP] == step, Sample.VOLT]
        assert held.size > 3
        np.testing.assert_allclose(held, volt, rtol=0.0, atol=1e-9)
    # the current of a hold goes on from where the charge ended
    first = run.samples[run.samples[:, Sample.STEP] == 2][0]
    assert first[Sample.AMPERE] == pytest.approx(one_c, rel=2e-2)


def test_charge_of_a_hold_does_not_depend_on_the_tolerance():
    known = smooth_cell()
    steps = (charge(2), hold(until_c_rate=0.1))
    found, tight = (
        ran(known, *steps, stepping=Stepping(tolerance_volt=t)).results
        for t in (1e-6, 1e-8)
    )
    np.testing.assert_allclose(found[:, End.COULOMB], tight[:, End.COULOMB], rtol=1e-5)


def test_a_step_already_beyond_its_limit_passes_no_charge_and_says_so():
    run = ran(
        eqp.load_cell("zhang2026-lb"),
        charge(1),
        charge(2),
        charge(3),
        discharge(1),
    )
    got = specific(run)
    assert np.abs(got[1:3]).max() < 1e-9 * got[0]
    assert got[3] < -100.0
    (note,) = run.notes
    assert "cut-off from the first moment" in note
    assert "charge 2C" in note
    assert "and 1 more" in note
    assert [int(r) for r in run.results[1:3, End.REASON]] == [Reason.VOLTAGE] * 2


@pytest.mark.parametrize("longest", [0.02, 0.5])
@pytest.mark.parametrize("apart", [-1e-3, -1e-5, 1e-5, 1e-3])
def test_of_two_limits_within_one_substep_the_first_ends_the_step(apart, longest):
    known = eqp.load_cell("zhang2026-lb")
    stepping = Stepping(most_fraction=longest)
    whole = specific(ran(known, charge(1), stepping=stepping))[0]
    asked = float(whole * (1.0 + apart))
    run = ran(
        known, charge(1, until_capacity_mah_per_g_positive=asked), stepping=stepping
    )
    end = run.results[0]
    if apart < 0.0:
        assert end[End.REASON] == Reason.CAPACITY
        assert specific(run)[0] == pytest.approx(asked, rel=2e-9)
        assert end[End.VOLT] < 2.75
    else:
        assert end[End.REASON] == Reason.VOLTAGE
        assert specific(run)[0] == pytest.approx(whole, rel=1e-6)
        assert end[End.VOLT] == pytest.approx(2.75, abs=1e-6)


@pytest.mark.parametrize("apart", [-1e-4, 1e-4])
def test_time_and_voltage_in_one_substep(apart):
    known = eqp.load_cell("zhang2026-lb")
    whole = ran(known, charge(1)).results[0, End.END_SECOND]
    asked = float(whole * (1.0 + apart))
    end = ran(known, charge(1, until_time_second=asked)).results[0]
    if apart < 0.0:
        assert end[End.REASON] == Reason.TIME
        assert end[End.END_SECOND] == pytest.approx(asked, rel=1e-12)
    else:
        assert end[End.REASON] == Reason.VOLTAGE
        assert end[End.END_SECOND] == pytest.approx(whole, rel=1e-7)


def test_two_potentials_whose_limits_are_met_at_the_same_charge():
    """The one that is met 20 microvolt earlier wins, either way round."""
    known = eqp.load_cell("zhang2026-lb")
    steps = {"until_capacity_mah_per_g_positive": 100.0, "until_voltage_volt": 9.0}
    at = ran(known, charge(1, **steps)).results[0]
    positive, negative = at[End.POSITIVE_VOLT], at[End.NEGATIVE_VOLT]
    for shift, reason in (
        (-2e-5, Reason.POSITIVE_POTENTIAL),
        (2e-3, Reason.NEGATIVE_POTENTIAL),
    ):
        end = ran(
            known,
            charge(
                1,
                until_positive_potential_vs_li_volt=float(positive + shift),
                until_negative_potential_vs_li_volt=float(negative),
                until_voltage_volt=9.0,
            ),
        ).results[0]
        assert end[End.REASON] == reason
        assert end[End.COULOMB] <= at[End.COULOMB] * (1.0 + 1e-6)


def test_events_through_a_steep_end_of_the_curve():
    """A tail that falls 0.5 V over 1 % of the capacity: still exact."""
    steep = {
        "form": "tailed_plateau",
        "axis": "lithiated",
        "capacity_mah_per_g": 175.1,
        "plateau_vs_li_volt": 1.55,
        "head_height_volt": 0.4,
        "head_width_fraction": 0.01,
        "tail_height_volt": 0.5,
        "tail_width_fraction": 0.01,
        "source": "test",
        "evidence": "user",
    }
    run = ran(cell(negative={"open_circuit": steep}), *(charge(1), discharge(1)) * 3)
    np.testing.assert_allclose(
        run.results[:, End.VOLT], [2.75, 1.35] * 3, rtol=0.0, atol=1e-6
    )


def test_one_microsecond_steps_are_taken_as_they_are():
    run = ran(
        half_way(),
        Charge(current_ma=1.0, until_time_second=1e-6),
        Charge(current_ma=1.0, until_time_second=1e-3),
        Discharge(current_ma=1.0, until_time_second=1e-5, until_voltage_volt=-9.0),
    )
    got = run.results[:, End.COULOMB]
    assert got == pytest.approx([1e-9, 1e-6, -1e-8], rel=1e-9)
