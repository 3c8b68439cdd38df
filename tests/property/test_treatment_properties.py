import warnings

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.spec.pchip import pchip
from equipoise.spec.treatment import treat

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(8, 3000)
slow = settings(deadline=None, max_examples=60)


def noisy_curve(seed, size, noise_volt, step_volt=0.0):
    rng = np.random.default_rng(seed)
    q = np.sort(rng.uniform(0.0, 200.0, size)) + np.arange(size) * 1e-3
    u = 3.0 + np.cumsum(rng.exponential(1.0, size)) / size
    u += rng.normal(0.0, noise_volt, size)
    if step_volt:
        u = np.round(u / step_volt) * step_volt
    return q, u


def treated(q, u, **declared):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EquipoiseWarning)
        return treat(q, u, **declared)


@slow
@given(seeds, sizes, st.floats(0.0, 3e-3), st.sampled_from([0.0, 0.2e-3, 2e-3]))
def test_a_treated_curve_rises_strictly_over_the_measured_range(
    seed, size, noise, step
):
    q, u = noisy_curve(seed, size, noise, step)
    curve, done = treated(q, u, direction="delithiation", axis="delithiated")
    assert np.all(np.diff(curve.potential_vs_li_volt) > 0.0)
    assert curve.start_mah_per_g <= q[1]
    assert curve.stop_mah_per_g >= q[-2]
    assert u.min() - 1e-5 <= curve.potential_vs_li_volt[0]
    assert curve.potential_vs_li_volt[-1] <= u.max() + 1e-5
    assert done.points_read_count == size


@slow
@given(seeds, sizes, st.floats(0.0, 3e-3))
def test_the_order_of_the_rows_does_not_matter(seed, size, noise):
    q, u = noisy_curve(seed, size, noise)
    one, _ = treated(q, u, direction="delithiation", axis="delithiated")
    two, done = treated(q[::-1], u[::-1], direction="delithiation", axis="delithiated")
    assert done.reversed_order
    np.testing.assert_array_equal(one.potential_vs_li_volt, two.potential_vs_li_volt)


@slow
@given(seeds, sizes, st.floats(0.0, 3e-3))
def test_the_two_axes_are_mirror_images(seed, size, noise):
    q, u = noisy_curve(seed, size, noise)
    up, a = treated(q, u, direction="delithiation", axis="delithiated")
    down, b = treated(q, -u, direction="lithiation", axis="lithiated")
    np.testing.assert_allclose(
        up.potential_vs_li_volt, -down.potential_vs_li_volt, atol=1e-12
    )
    assert a.monotone_changed_count == b.monotone_changed_count


@slow
@given(seeds, st.integers(100, 2000), st.floats(0.0, 1e-3))
def test_treating_a_treated_curve_changes_nothing_in_its_points(seed, size, noise):
    q, u = noisy_curve(seed, size, noise)
    curve, _ = treated(q, u, direction="delithiation", axis="delithiated")
    again = treated(
        curve.capacity_mah_per_g,
        curve.potential_vs_li_volt,
        direction="delithiation",
        axis="delithiated",
    )[1]
    assert again.monotone_changed_count == 0
    assert again.reversals_sorted_count == again.duplicates_merged_count == 0


@slow
@given(seeds, st.integers(8, 200))
def test_anything_is_treated_or_refused_in_our_words(seed, size):
    rng = np.random.default_rng(seed)
    table = rng.normal(100.0, 50.0, size).cumsum(), rng.normal(0.1, 1.0, size).cumsum()
    try:
        curve, _ = treated(*table, direction="delithiation", axis="delithiated")
    except DataError:
        return
    assert np.all(np.diff(curve.potential_vs_li_volt) > 0.0)


@slow
@given(seeds, st.integers(4, 60))
def test_pchip_passes_its_knots_and_stays_between_them(seed, size):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(1e-3, 1.0, size))
    y = np.cumsum(rng.choice([0.0, 1.0], size) * rng.exponential(1.0, size))
    at = np.sort(rng.uniform(x[0], x[-1], 500))
    np.testing.assert_allclose(pchip(x, y, x), y, atol=1e-12)
    assert np.all(np.diff(pchip(x, y, at)) >= -1e-12)
