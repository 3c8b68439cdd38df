"""Truths of dQ/dV that hold for any data, however noisy."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from equipoise.analysis.dqdv import dqdv_of, dvdq_of
from equipoise.analysis.peaks import peaks
from equipoise.analysis.smoothing import smooth, smoother

SMOOTHERS = st.one_of(
    st.just(smoother("none", 1)),
    st.floats(0.2, 40.0).map(lambda w: smoother("gaussian", w)),
    st.tuples(st.integers(4, 40), st.integers(1, 6)).map(
        lambda t: smoother("savitzky-golay", t[0], order=t[1])
    ),
)


@st.composite
def half_cycles(draw):
    """Random walks in voltage: noise, drift, jumps, plateaus, any direction."""
    n = draw(st.integers(3, 120))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    volt = 3.0 + np.cumsum(rng.normal(draw(st.floats(0, 5e-3)), 5e-3, n))
    volt[rng.random(n) < 0.2] = 3.01  # repeated voltages
    charge = np.cumsum(rng.exponential(1e-3, n) * (rng.random(n) < 0.8))
    sign = draw(st.sampled_from([1.0, -1.0]))
    assume(charge[-1] > charge[0])
    assume(volt.max() - volt.min() > 2e-3)
    return sign * charge, volt


def one(charge, volt, **options):
    return dqdv_of(charge, volt, np.array([0]), np.array([charge.size]), **options)


@given(half_cycles(), SMOOTHERS, st.sampled_from([1e-3, 3.3e-4, 2e-3]))
def test_the_area_is_the_charge(half_cycle, by, step):
    charge, volt = half_cycle
    assume(volt.max() - volt.min() > step)
    dq = one(charge, volt, by=by, step_volt=step)
    area = dq.dqdv_ah_per_volt.sum() * dq.step_volt
    assert area == pytest.approx(charge[-1] - charge[0], rel=1e-9)
    assert dq.area_residual_fraction[0] < 1e-9


@given(half_cycles(), SMOOTHERS, st.integers(-4000, 4000))
def test_a_shift_of_the_voltage_shifts_the_curve(half_cycle, by, bins):
    charge, volt = half_cycle
    step = 2.0**-10  # whole steps are exact in binary, so the bins are the same ones
    volt = np.round(volt * 2**30) / 2**30
    a = one(charge, volt, by=by, step_volt=step)
    b = one(charge, volt + bins * step, by=by, step_volt=step)
    scale = np.abs(a.dqdv_ah_per_volt).max()
    assert b.voltage_volt - a.voltage_volt == pytest.approx(bins * step)
    assert b.dqdv_ah_per_volt == pytest.approx(a.dqdv_ah_per_volt, abs=1e-9 * scale)


@given(half_cycles(), SMOOTHERS, st.floats(1e-3, 1e3), st.floats(-10, 10))
def test_the_curve_scales_with_the_charge_wherever_it_is_counted_from(
    half_cycle, by, factor, offset
):
    charge, volt = half_cycle
    a = one(charge, volt, by=by)
    b = one(factor * charge + offset, volt, by=by)
    scale = np.abs(a.dqdv_ah_per_volt).max()
    scaled = b.dqdv_ah_per_volt / factor
    assert scaled == pytest.approx(
        a.dqdv_ah_per_volt, abs=1e-6 * scale * max(1, 1 / factor)
    )


@given(half_cycles())
def test_a_charge_is_nowhere_below_zero_and_a_discharge_nowhere_above(half_cycle):
    charge, volt = half_cycle
    dq = one(charge, volt)
    assert (dq.dqdv_ah_per_volt * dq.direction[:, None]).min() >= -1e-9


@given(SMOOTHERS, st.floats(-1e3, 1e3), st.integers(1, 300))
def test_every_smoother_keeps_a_constant_up_to_both_ends(by, value, n):
    assert smooth(np.full(n, value), by) == pytest.approx(np.full(n, value), rel=1e-9)


@given(SMOOTHERS, hnp.arrays(float, st.integers(1, 200), elements=st.floats(-1, 1)))
def test_every_smoother_keeps_the_sum(by, values):
    assert smooth(values, by).sum() == pytest.approx(values.sum(), abs=1e-9)


@given(half_cycles(), half_cycles())
def test_half_cycles_do_not_disturb_each_other(first, second):
    n = first[0].size
    dq = dqdv_of(
        np.concatenate([first[0], second[0]]),
        np.concatenate([first[1], second[1]]),
        np.array([0, n]),
        np.array([n, n + second[0].size]),
    )
    for k, alone in enumerate(one(*h) for h in (first, second)):
        mine = dq.dqdv_ah_per_volt[k]
        inside = np.isin(np.round(dq.voltage_volt, 6), np.round(alone.voltage_volt, 6))
        scale = np.abs(alone.dqdv_ah_per_volt).max()
        assert mine[inside] == pytest.approx(
            alone.dqdv_ah_per_volt[0], abs=1e-9 * scale
        )
        assert not mine[~inside].any()


@given(half_cycles())
def test_a_window_divides_the_charge(half_cycle):
    charge, volt = half_cycle
    low, high = volt.min(), volt.max()
    third = low + (high - low) / 3
    dq = one(charge, volt, voltage_range_volt=(third, high))
    area = abs(dq.dqdv_ah_per_volt.sum() * dq.step_volt)
    total = area + dq.outside_capacity_ah[0]
    assert total == pytest.approx(abs(charge[-1] - charge[0]), rel=1e-9)


@given(half_cycles())
def test_areas_of_peaks_never_exceed_the_charge(half_cycle):
    dq = one(*half_cycle)
    found = peaks(dq, minimum_prominence_fraction=0.0)
    if found.height:
        total = found["capacity_ah"].sum()
        assert total == pytest.approx(dq.capacity_ah[0], rel=1e-9)
        assert found["low_volt"].to_list()[1:] == found["high_volt"].to_list()[:-1]


@given(half_cycles(), st.floats(0.5, 10.0))
def test_the_integral_of_dvdq_is_the_change_of_the_voltage(half_cycle, width):
    charge, volt = half_cycle
    dv = dvdq_of(
        charge,
        volt,
        np.array([0]),
        np.array([charge.size]),
        step_ah=abs(charge[-1] - charge[0]) / 50,
        by=smoother("gaussian", width),
    )
    change = np.nansum(dv.dvdq_volt_per_ah) * dv.step_ah
    assert change == pytest.approx(volt[-1] - volt[0], abs=1e-9)
