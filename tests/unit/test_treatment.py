import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter1d

from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.spec.treatment import treat

DATA = Path(__file__).parents[3] / "shared/data"
real_data = pytest.mark.skipif(
    not (DATA / "halfcell").is_dir(), reason=f"no measured curves in {DATA}"
)
UP = {"direction": "delithiation", "axis": "delithiated"}
STEP_VOLT = 0.19e-3  # converter step of the measured files


def true_potential(q):
    """A smooth curve with two steps and a steep beginning, 200 mAh/g long."""
    return (
        3.6
        - 0.5 * np.exp(-q / 1.5)
        + 0.002 * q
        + 0.06 * np.tanh((q - 80.0) / 10.0)
        + 0.08 * np.tanh((q - 160.0) / 5.0)
    )


def measured(name):
    content = loadmat(DATA / "halfcell" / name, simplify_cells=True)
    (struct,) = (v for k, v in content.items() if not k.startswith("__"))
    return struct["normalizedCapacity"] * 210.0, struct["voltage"]


def test_a_clean_curve_is_not_changed():
    q = np.linspace(0.0, 200.0, 2000)
    curve, done = treat(q, true_potential(q), **UP)
    assert done.monotone_changed_count == 0
    assert not done.reversed_order
    assert done.points_read_count == 2000
    assert (done.duplicates_merged_count, done.reversals_sorted_count) == (0, 0)
    assert np.abs(curve.potential(q) - true_potential(q)).max() < 0.5e-3
    assert curve.capacity_mah_per_g[0] == 0.0
    assert curve.stop_mah_per_g == pytest.approx(200.0, abs=1e-9)


def test_a_lithiated_axis_wants_a_falling_potential():
    q = np.linspace(0.0, 130.0, 500)
    u = 1.55 + 0.45 * np.exp(-q / 1.3) - 0.55 * np.exp((q - 130.0) / 4.0)
    curve, _ = treat(q, u, direction="lithiation", axis="lithiated")
    assert np.all(np.diff(curve.potential_vs_li_volt) < 0.0)
    assert np.abs(curve.potential(q) - u).max() < 1e-3


def test_few_points_become_the_knots_themselves():
    q = np.linspace(0.0, 200.0, 12)
    curve, done = treat(q, 3.5 + 0.004 * q, **UP)
    assert done.knots_count == 12
    np.testing.assert_allclose(curve.potential(q), 3.5 + 0.004 * q, atol=2e-6)


def test_a_file_from_high_to_low_capacity_is_reversed_and_reported():
    q = np.linspace(0.0, 200.0, 1000)
    forward, _ = treat(q, true_potential(q), **UP)
    backward, done = treat(q[::-1], true_potential(q[::-1]), **UP)
    assert done.reversed_order
    np.testing.assert_array_equal(
        forward.potential_vs_li_volt, backward.potential_vs_li_volt
    )


def test_equal_capacities_are_averaged_and_counted():
    q = np.repeat(np.linspace(0.0, 200.0, 400), 3)
    u = true_potential(q) + np.tile([-1e-4, 0.0, 1e-4], 400)
    curve, done = treat(q, u, **UP)
    assert done.duplicates_merged_count == 800
    assert np.abs(curve.potential(q) - true_potential(q)).max() < 1e-3


def test_small_steps_back_are_sorted_and_counted():
    q = np.linspace(0.0, 200.0, 1001)
    q[[500, 501]] = q[[501, 500]]
    curve, done = treat(q, true_potential(q), **UP)
    assert done.reversals_sorted_count == 1
    assert np.abs(curve.potential(q) - true_potential(q)).max() < 1e-3


def test_large_steps_back_are_refused_with_their_row():
    q = np.concatenate((np.linspace(0.0, 200.0, 100), np.linspace(150.0, 210.0, 50)))
    with pytest.raises(DataError, match=r"runs back .* data row 101(?s:.*)half-cycles"):
        treat(q, true_potential(q), **UP)


def test_true_plateaus_get_a_tiny_slope_of_the_right_sign():
    q = np.linspace(0.0, 170.0, 3000)
    u = np.clip(3.43 + 0.02 * (q - 85.0), 3.0, 3.43)
    curve, _ = treat(q, u, **UP)
    assert np.all(np.diff(curve.potential_vs_li_volt) > 0.0)
    assert np.abs(curve.potential(q) - u).max() < 0.5e-3


def test_converter_steps_do_not_become_stairs():
    q = np.linspace(0.0, 200.0, 9000)
    coarse = np.round(true_potential(q) / STEP_VOLT) * STEP_VOLT
    assert np.mean(np.diff(coarse) == 0.0) > 0.4
    curve, done = treat(q, coarse, **UP)
    inner = (q > 5.0) & (q < 199.0)
    slope = np.gradient(true_potential(q), q)
    assert np.abs(curve.slope(q) / slope - 1.0)[inner].max() < 0.2
    assert np.abs(curve.potential(q) - true_potential(q))[inner].max() < 0.4e-3
    assert done.knots_count < 400


def test_noise_is_not_followed():
    q = np.linspace(0.0, 200.0, 5000)
    noisy = true_potential(q) + np.random.default_rng(0).normal(0.0, 0.5e-3, q.size)
    curve, done = treat(q, noisy, **UP)
    assert 0.0 < done.monotone_largest_change_millivolt < 5.0
    assert done.monotone_changed_count > 1000
    inner = (q > 5.0) & (q < 199.0)
    assert np.abs(curve.potential(q) - true_potential(q))[inner].max() < 1e-3
    assert done.knots_count < 400


def test_a_change_above_5_millivolt_warns():
    q = np.linspace(0.0, 200.0, 1001)
    u = true_potential(q)
    u[600] -= 0.03
    with pytest.warns(EquipoiseWarning, match=r"data row 601 by \d+"):
        treat(q, u, **UP)


def test_a_change_above_50_millivolt_is_refused_with_its_row():
    q = np.linspace(0.0, 200.0, 1001)
    u = true_potential(q)
    u[600] -= 0.2
    with pytest.raises(DataError, match=r"not monotone: data row 601(?s:.*)pieces"):
        treat(q, u, **UP)


def test_a_transient_at_the_very_end_only_warns():
    q = np.linspace(0.0, 200.0, 1001)
    u = true_potential(q)
    u[-1] -= 0.2
    with pytest.warns(EquipoiseWarning, match="data row 1001"):
        treat(q, u, **UP)


def test_a_curve_that_misses_its_data_warns_with_the_place():
    # 0.2 V between points 0.01 mAh/g apart; the nodes of the table are 0.024 apart
    q = np.linspace(0.0, 200.0, 20001)
    u = 3.5 + 0.001 * q + np.where(q > 100.003, 0.2, 0.0)
    with pytest.warns(EquipoiseWarning, match=r"misses the data by \d+ mV at 100\.0"):
        _, done = treat(q, u, **UP)
    assert done.monotone_changed_count == 0
    assert done.knots_largest_residual_millivolt > 20.0
    smooth = 3.5 + 0.001 * q + 0.1 * np.tanh((q - 100.0) / 0.1)
    _, done = treat(q, smooth, **UP)  # as high within 0.5 mAh/g: no warning
    assert done.knots_largest_residual_millivolt < 1.0


def test_the_wrong_direction_is_refused_and_says_what_to_change():
    q = np.linspace(0.0, 200.0, 1000)
    with pytest.raises(
        DataError, match=r'falls by .* must rise(?s:.*)capacity_counts = "lithiation"'
    ):
        treat(q, true_potential(q)[::-1], **UP)
    with pytest.raises(
        DataError, match=r'rises by .* must fall(?s:.*)capacity_counts = "delithiation"'
    ):
        treat(q, true_potential(q), direction="lithiation", axis="lithiated")


@pytest.mark.parametrize("column", ["capacity", "potential"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_row(column, value):
    q = np.linspace(0.0, 200.0, 50)
    u = true_potential(q)
    (q if column == "capacity" else u)[16] = value
    with pytest.raises(DataError, match=rf"{column} in data row 17 is (nan|inf)"):
        treat(q, u, **UP)


def test_fewer_than_eight_points_are_refused():
    q = np.linspace(0.0, 200.0, 7)
    with pytest.raises(DataError, match="only 7 points, at least 8"):
        treat(q, true_potential(q), **UP)
    with pytest.raises(DataError, match="only 2 different capacities"):
        treat(np.repeat([0.0, 1.0], 10), np.linspace(3.0, 4.0, 20), **UP)


def test_columns_that_cannot_be_a_curve_are_refused():
    with pytest.raises(DataError, match="10 capacities but 9 potentials"):
        treat(np.arange(10.0), np.arange(9.0), **UP)
    with pytest.raises(DataError, match="capacity is 5 in every row"):
        treat(np.full(10, 5.0), np.arange(10.0), **UP)


def test_messages_say_where():
    with pytest.raises(DataError, match=r"^my\.csv \[delithiation\]: only"):
        treat([0.0, 1.0], [3.0, 4.0], where="my.csv", **UP)


def test_ten_thousand_points_take_less_than_50_milliseconds():
    q = np.linspace(0.0, 200.0, 10_000)
    noisy = true_potential(q) + np.random.default_rng(0).normal(0.0, 0.5e-3, q.size)
    treat(q, noisy, **UP)  # imports scipy
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        treat(q, noisy, **UP)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.050


# potentials of the dQ/dV peaks: reference/ncm_dqdv_peaks.csv, Gaussian of 7.5 mV
PEAKS = {
    "tum_LGM36_PE_coin_Cathode_Delithiation_0C02.mat": (3.575, 3.745, 4.005, 4.185),
    "tum_LGM36_PE_coin_Cathode_Lithiation_0C02.mat": (3.562, 3.725, 3.990, 4.170),
    "tum_MoliM35A_PE_Cathode_Delithiation_0C02.mat": (3.562, 3.662, 4.005, 4.175),
    "tum_MoliM35A_PE_Cathode_Lithiation_0C02.mat": (3.512, 3.647, 3.992, 4.157),
}


@real_data
@pytest.mark.parametrize("name", PEAKS)
def test_treatment_keeps_the_peaks_of_measured_curves(name):
    q, u = measured(name)
    direction = "delithiation" if "Delithiation" in name else "lithiation"
    curve, _ = treat(q, u, direction=direction, axis="delithiated")
    v = np.arange(3.05, 4.295, 0.5e-3)
    dqdv = gaussian_filter1d(np.gradient(curve.capacity_at(v), v), 15, mode="nearest")
    for expected in PEAKS[name]:
        near = np.abs(v - expected) < 0.02
        top = v[near][np.argmax(dqdv[near])]
        assert top == pytest.approx(expected, abs=0.005)


@real_data
@pytest.mark.parametrize("name", [*PEAKS, "tum_Gr_Delithiation_Rehm.mat"])
def test_treatment_hardly_moves_measured_points(name):
    q, u = measured(name)
    axis = "lithiated" if "_Gr_" in name else "delithiated"
    direction = "delithiation" if "Delithiation" in name else "lithiation"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve, done = treat(q, u, direction=direction, axis=axis)
    assert done.points_read_count == q.size
    assert done.monotone_largest_change_millivolt < 1.0
    assert done.knots_rms_residual_millivolt < 0.2
    assert done.knots_count < 200
    middle = (q > 1.0) & (q < 209.0)
    assert np.abs(curve.potential(q) - u)[middle].max() < 2e-3
