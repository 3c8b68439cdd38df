"""dQ/dV and dV/dQ: known curves, conserved charge, traps of real data."""

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from equipoise.analysis.dqdv import dqdv, dqdv_map, dqdv_of, dvdq, dvdq_of
from equipoise.analysis.half_cycles import half_cycles
from equipoise.analysis.smoothing import Smoothing, checked, smooth, smoother
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError
from equipoise.spec.cell_record import CellRecord

PLACES = np.array([2.05, 2.20, 2.45, 2.63])
CHARGES = np.array([60.0, 60.0, 40.0, 30.0]) * 1e-3
WIDTHS = np.array([25.0, 40.0, 30.0, 12.0]) * 1e-3
ONE = np.array([0])


def passed(volt):
    """Charge of four logistic peaks, Ah."""
    return (CHARGES / (1 + np.exp((PLACES - volt[:, None]) / WIDTHS))).sum(axis=1)


def exact(volt):
    """Its derivative, Ah/V."""
    x = (volt[:, None] - PLACES) / (2 * WIDTHS)
    return (CHARGES / (4 * WIDTHS) / np.cosh(x) ** 2).sum(axis=1)


def blurred(volt, sigma):
    """The derivative under a Gaussian, on a fine grid of its own."""
    shift = np.arange(-5, 5, 0.02) * sigma
    weight = np.exp(-0.5 * (shift / sigma) ** 2)
    return sum(w * exact(volt - s) for s, w in zip(shift, weight, strict=True)) / (
        weight.sum()
    )


def charged(rows=1500, noise=0.0, seed=1):
    """Charge at constant current: even steps of charge, noisy voltages."""
    fine = np.linspace(1.35, 2.75, 20_001)
    q = np.linspace(passed(fine)[0], passed(fine)[-1], rows)
    v = np.interp(q, passed(fine), fine)
    return q - q[0], v + np.random.default_rng(seed).normal(0.0, noise, rows)


def one(q, v, **options):
    return dqdv_of(q, v, ONE, np.array([q.size]), **options)


def series(q, v, current, cycle=None, **more):
    """A time series whose net counter is `q`."""
    n = q.size
    cycle = np.ones(n, int) if cycle is None else cycle
    return pl.DataFrame(
        {
            "test_time_second": np.arange(n, dtype=float),
            "voltage_volt": v,
            "current_ampere": current,
            "cycle_count": cycle,
            "net_capacity_ah": q,
            **more,
        }
    )


@pytest.mark.parametrize("rows", [1000, 2000])
@pytest.mark.parametrize(("place", "sigma"), [(2.63, 5.0), (2.05, 10.0)])
def test_known_peaks_are_found_to_1_percent_and_half_a_millivolt(rows, place, sigma):
    """With 0.1 mV of noise, against the exact curve under the same Gaussian.

    The place of a broad peak (88 mV wide at half height) needs the wider Gaussian: its
    top is so flat that noise moves it by 0.6 mV (standard deviation) with 5 mV.
    """
    for seed in range(5):
        q, v = charged(rows, noise=1e-4, seed=seed)
        dq = one(q, v, by=smoother("gaussian", sigma))
        near = np.abs(dq.voltage_volt - place) < 0.03
        x, y = dq.voltage_volt[near], dq.dqdv_ah_per_volt[0, near]
        wanted = blurred(x, 1e-3 * sigma)
        assert y.max() == pytest.approx(wanted.max(), rel=0.01)
        # the top of the peak, as a parabola fitted over +-8 mV
        top = [
            np.roots(np.polyder(np.polyfit(x[s] - place, c[s], 2)))[0]
            for c in (y, wanted)
            for s in [np.abs(x - x[wanted.argmax()]) < 8e-3]
        ]
        assert abs(top[0] - top[1]) < 5e-4
        assert dq.area_residual_fraction[0] < 1e-9
        area = dq.dqdv_ah_per_volt[0].sum() * dq.step_volt
        assert area == pytest.approx(q[-1], rel=1e-9)


def test_smoothing_lowers_a_logistic_peak_by_what_the_docstring_says():
    w, sigma = 25.7e-3, 5e-3
    v = np.linspace(1.0, 3.0, 40_001)
    dq = one(1.0 / (1.0 + np.exp((2.0 - v) / w)), v)
    lost = 1.0 - dq.dqdv_ah_per_volt.max() * 4 * w
    assert lost == pytest.approx(sigma**2 / (4 * w**2), rel=0.05)


def test_discharge_is_below_zero_and_mirrors_the_charge():
    q, v = charged()
    up, down = one(q, v), one(-q, v[::-1])
    assert up.direction[0] == 1
    assert down.direction[0] == -1
    turned = one(q[-1] - q, v[::-1])  # other rows, so the same curve with its sign
    assert turned.dqdv_ah_per_volt == pytest.approx(-up.dqdv_ah_per_volt, abs=1e-9)
    assert down.dqdv_ah_per_volt.max() <= 0.0


def test_turning_points_are_not_scrambled():
    """Overshoot, relaxation and reversed first points stay where they were.

    Sorting by voltage would join the charge of the relaxation (2.20 V) to rows of the
    half-cycle at that voltage, which are hours away: steps of charge of any sign.
    """
    q, v = charged(1200)
    clean = one(q, v)
    v = v.copy()
    v[:6] = v[:6][::-1]  # the first points run backwards
    v[600:620] -= np.linspace(0.05, 0.0, 20)  # dips, and recovers
    v[-4:] = v[-1] + np.array([0.006, 0.004, 0.002, 0.0])  # overshoots, and returns
    dq = one(q, v, voltage_range_volt=(1.3, 2.8))
    assert dq.dqdv_ah_per_volt.min() >= 0.0
    assert dq.dqdv_ah_per_volt.sum() * 1e-3 == pytest.approx(q[-1], rel=1e-12)
    # away from what was disturbed the curve is the clean one
    same = (dq.voltage_volt > 2.3) & (dq.voltage_volt < 2.60)
    at = np.interp(dq.voltage_volt[same], clean.voltage_volt, clean.dqdv_ah_per_volt[0])
    assert dq.dqdv_ah_per_volt[0, same] == pytest.approx(at, rel=1e-6)


def test_sorting_by_voltage_would_fail_the_test_above():
    """What the trap does: the naive way has slopes of both signs."""
    q, v = charged(1200)
    v = v.copy()
    v[600:620] -= np.linspace(0.05, 0.0, 20)
    order = np.argsort(v)
    naive = np.gradient(np.interp(np.arange(1.4, 2.74, 1e-3), v[order], q[order]))
    assert naive.min() < 0.0


def test_plateaus_and_repeated_voltages_keep_their_charge():
    v = np.array([2.0, 2.1, 2.1, 2.1, 2.1, 2.2])
    q = np.array([0.0, 1.0, 3.0, 5.0, 6.0, 7.0])
    dq = one(q, v, by=smoother("none", 1))
    assert dq.dqdv_ah_per_volt.sum() * dq.step_volt == pytest.approx(7.0, rel=1e-12)
    assert dq.dqdv_ah_per_volt.max() == pytest.approx(5000.0 + 10.0, rel=1e-3)
    assert dq.dqdv_ah_per_volt[0, 50] == pytest.approx(10.0)


def with_hold(tail=100):
    q, v = charged(800)
    more = 0.02 * (1 - np.exp(-np.arange(1, tail + 1) / 20))
    current = np.concatenate([np.full(800, 0.1), 0.1 * np.exp(-np.arange(tail) / 20)])
    current[800:] *= 0.98
    return series(
        np.concatenate([q, q[-1] + more]),
        np.concatenate([v, np.full(tail, v[-1])]),
        current,
    )


def test_a_hold_is_apart_by_default_and_can_be_included():
    table = with_hold()
    apart, included = dqdv(table), dqdv(table, hold="included")
    total = half_cycles(table).capacity_ah[0]
    assert apart.cv_capacity_ah[0] == pytest.approx(0.02 * (1 - np.exp(-5)), rel=1e-9)
    assert apart.capacity_ah[0] + apart.cv_capacity_ah[0] == pytest.approx(total)
    assert included.capacity_ah[0] == pytest.approx(total, rel=1e-12)
    assert included.cv_capacity_ah == pytest.approx(apart.cv_capacity_ah)
    assert included.area_residual_fraction[0] < 1e-12
    assert included.dqdv_ah_per_volt.max() > 3 * apart.dqdv_ah_per_volt.max()
    assert included.hold_included
    assert not apart.hold_included


def test_a_flat_end_at_full_current_is_no_hold():
    q = np.linspace(0.0, 1.0, 500)
    v = 2.0 + 0.5 * np.minimum(q, 0.7)  # plateau: the last 30 % at one voltage
    for end in (0.1, 0.097):  # steady, or as a cycler's current wavers
        current = np.full(500, 0.1)
        current[-3:] = end
        dq = dqdv(series(q, v, current))
        assert dq.cv_capacity_ah[0] == 0.0
        assert dq.capacity_ah[0] == pytest.approx(1.0)


def test_a_range_leaves_charge_outside_and_says_how_much():
    q, v = charged()
    whole, part = one(q, v), one(q, v, voltage_range_volt=(2.2, 2.5))
    inside = (whole.voltage_volt > 2.2) & (whole.voltage_volt < 2.5)
    assert part.voltage_volt == pytest.approx(whole.voltage_volt[inside])
    assert part.dqdv_ah_per_volt[0] == pytest.approx(
        whole.dqdv_ah_per_volt[0, inside], rel=1e-9
    )
    area = part.dqdv_ah_per_volt.sum() * part.step_volt
    assert area + part.outside_capacity_ah[0] == pytest.approx(q[-1], rel=1e-12)
    assert part.outside_capacity_ah[0] > 0.3 * q[-1]
    assert part.area_residual_fraction[0] < 1e-12
    with pytest.raises(DataError, match="no half-cycle is between 3 and 4 V"):
        one(q, v, voltage_range_volt=(3.0, 4.0))


def test_flawed_half_cycles_are_rows_of_nan_and_are_counted():
    q, v = charged(500)
    gap = v.copy()
    gap[100] = np.nan
    parts = [
        (q, v),
        (q[:2], v[:2]),
        (q, gap),
        (np.zeros(500), v),
        (q, np.full(500, 2.0)),
    ]
    stops = np.cumsum([p[0].size for p in parts])
    starts = stops - [p[0].size for p in parts]
    charge, volt = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
    with pytest.warns(EquipoiseWarning, match="4 of 5 half-cycles have no curve"):
        dq = dqdv_of(charge, volt, starts, stops)
    assert dq.flaws == (
        "",
        "fewer than 3 rows",
        "a value is not finite",
        "no charge",
        "the voltage spans less than one bin",
    )
    assert np.isnan(dq.dqdv_ah_per_volt[1:]).all()
    assert np.isnan(dq.area_residual_fraction[1:]).all()
    assert np.isfinite(dq.dqdv_ah_per_volt[0]).all()
    assert set(dq.table()["half_cycle_index"]) == {0}
    with pytest.raises(DataError, match=r"none of 1 half-cycles.*no charge"):
        one(np.zeros(500), v)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"step_volt": 0.0}, SpecError, "step of the grid is 0"),
        ({"hold": "maybe"}, SpecError, "hold = 'maybe'"),
        ({"smoothing": "gausian"}, SpecError, "did you mean 'gaussian'"),
        ({"smoothing_millivolt": -1.0}, SpecError, "width of the smoothing"),
        ({"axis": "anode"}, SpecError, "axis = 'anode'"),
        ({"axis": "positive"}, DataError, "positive_electrode_potential_volt"),
        ({"step_volt": 1e-9, "smoothing": "none"}, DataError, "coarser step"),
    ],
)
def test_wrong_options_say_what_to_do(arguments, error, says):
    with pytest.raises(error, match=says):
        dqdv(with_hold(), **arguments)


def test_half_cycles_must_be_inside_the_rows():
    q, v = charged(100)
    with pytest.raises(DataError, match="inside 0 to 100"):
        dqdv_of(q, v, ONE, np.array([101]))
    with pytest.raises(DataError, match="do not make half-cycles"):
        dqdv_of(q, v[:-1], ONE, np.array([99]))
    with pytest.raises(DataError, match="2 cycle numbers for 1"):
        one(q, v, cycle_count=np.array([1, 2]))
    with pytest.raises(DataError, match="directions of 1 half-cycles"):
        one(q, v, direction=np.array([0]))


def test_a_discharge_of_one_row_is_a_discharge_without_a_curve():
    q, v = charged(300)
    table = series(
        np.concatenate([q, [q[-1] - 1e-4], q - 1e-4]),
        np.concatenate([v, [2.6], v]),
        np.concatenate([np.full(300, 0.1), [-0.1], np.full(300, 0.1)]),
    )
    with pytest.warns(EquipoiseWarning, match="1 because fewer than 3 rows"):
        dq = dqdv(table)
    assert dq.direction.tolist() == [1, -1, 1]
    assert dq.capacity_ah[1] == pytest.approx(1e-4)


def test_scipys_savgol_that_returns_zeros_is_refused():
    """savgol_coeffs(1001, 5) sums to 3e-10 in scipy 1.17.1: all curves would be 0."""
    from scipy.signal import savgol_coeffs

    if abs(savgol_coeffs(1001, 5).sum() - 1.0) > 1e-6:  # not so in a later scipy
        with pytest.raises(DataError, match=r"do not keep[^>]*-> lower the order"):
            smoother("savitzky-golay", 500, order=5)
    zeros = Smoothing("savitzky-golay", np.full(1001, 1e-13), 5)
    with pytest.raises(DataError, match=r"a constant 1 becomes 1\.001e-10"):
        checked(zeros)


@pytest.mark.parametrize(
    "weights", [[0.2, 0.5, 0.3], [0.5, 0.5], [0.3, 0.5, 0.3], [np.nan] * 3]
)
def test_weights_that_shift_or_scale_are_refused(weights):
    with pytest.raises(DataError, match="do not keep"):
        checked(Smoothing("gaussian", np.array(weights), 1))


@pytest.mark.parametrize(("half_width", "order"), [(8, 2), (10, 3), (40, 5), (20, 7)])
def test_savitzky_golay_keeps_its_polynomials_inside(half_width, order):
    x = np.linspace(-1.0, 1.0, 301)
    y = np.polynomial.Polynomial([1, -2, 3, 0.5, -1, 2, 1, -3][: order + 1])(x)
    by = smoother("savitzky-golay", half_width, order=order)
    inside = slice(half_width, -half_width)
    assert smooth(y, by)[inside] == pytest.approx(y[inside], abs=1e-6)


def test_smoothing_says_no_to_nonsense():
    with pytest.raises(SpecError, match="cannot carry"):
        smoother("savitzky-golay", 2, order=5)
    with pytest.raises(SpecError, match="order = 9"):
        smoother("savitzky-golay", 20, order=9)
    with pytest.raises(SpecError, match="coarser grid"):
        smoother("gaussian", 1e6)
    with pytest.raises(DataError, match="1 of 5 values"):
        smooth(np.array([1.0, 2.0, np.nan, 1.0, 1.0]), smoother("gaussian", 1))


def test_the_variance_of_a_gaussian_is_its_own():
    assert smoother("gaussian", 5.0).variance == pytest.approx(25.0, rel=2e-3)
    assert smoother("none", 1.0).variance == 0.0


def test_savitzky_golay_and_no_smoothing_conserve_the_charge_too():
    q, v = charged(noise=3e-4)
    for kind in ("savitzky-golay", "none"):
        dq = dqdv(series(q, v, np.full(q.size, 0.1)), smoothing=kind)
        assert dq.area_residual_fraction[0] < 1e-12
        assert dq.smoothing.kind == kind


def two_cycles(counts=(1, 4)):
    q, v = charged(600)
    return series(
        np.concatenate([q, q[::-1], q, q[::-1]]),
        np.concatenate([v, v[::-1], v, v[::-1]]),
        np.tile(np.repeat([0.1, -0.1], 600), 2),
        np.repeat(counts, 1200),
    )


def test_a_map_has_rows_of_nan_for_missing_cycles():
    dq = dqdv(two_cycles(), record=CellRecord(positive_active_mass_mg=10.0))
    cycles, volt, z = dqdv_map(dq, "charge")
    assert cycles.tolist() == [1, 2, 3, 4]
    assert z.shape == (4, volt.size)
    assert np.isnan(z[1:3]).all()
    assert z[0] == pytest.approx(z[3])
    assert dqdv_map(dq, "discharge")[2][0].max() <= 0.0
    assert dqdv_map(dq, "charge", per_gram=True)[2][0] == pytest.approx(1e5 * z[0])
    with pytest.raises(SpecError, match="direction = 'up'"):
        dqdv_map(dq, "up")


def test_a_map_adds_the_parts_of_a_charge_that_a_pulse_divides():
    q, v = charged(900)
    table = series(
        np.concatenate([q[:450], q[449] - np.arange(1, 11) * 1e-5, q[440:]]),
        np.concatenate([v[:450], v[449] - np.linspace(0.01, 0.02, 10), v[440:]]),
        np.concatenate([np.full(450, 0.1), np.full(10, -0.1), np.full(460, 0.1)]),
    )
    dq = dqdv(table)
    assert dq.direction.tolist() == [1, -1, 1]
    _, _, z = dqdv_map(dq, "charge")
    assert z.sum() * dq.step_volt == pytest.approx(dq.capacity_ah[[0, 2]].sum())
    covered = dqdv_map(dq, "discharge", covered_only=True)[2]
    assert np.isnan(covered[0, 0])
    assert np.nanmin(covered) < 0.0


def test_a_map_of_one_direction_needs_that_direction():
    q, v = charged(300)
    with pytest.raises(DataError, match="has a curve on discharge"):
        dqdv_map(one(q, v), "discharge")
    with pytest.raises(DataError, match="mass of positive active material"):
        dqdv_map(one(q, v), "charge", per_gram=True)


def test_the_long_table_has_its_units_and_only_what_was_covered():
    dq = dqdv(two_cycles(), record=CellRecord(positive_active_mass_mg=10.0))
    table = dq.table()
    assert table.columns == [
        "cycle_count",
        "direction",
        "half_cycle_index",
        "voltage_volt",
        "dqdv_ah_per_volt",
        "dqdv_mah_per_g_per_volt",
    ]
    assert table.height == int(dq.covered.sum())
    assert dq.table(covered_only=False).height == dq.dqdv_ah_per_volt.size
    first = table.filter(pl.col("half_cycle_index") == 0)
    assert first["dqdv_ah_per_volt"].sum() * 1e-3 == pytest.approx(dq.capacity_ah[0])


def test_dvdq_is_the_slope_and_integrates_to_the_voltage_change():
    table = two_cycles()
    dv = dvdq(table, smoothing_ah=0.2e-3)
    assert dv.residual_volt.max() < 1e-9
    step = dv.step_ah
    change = np.nansum(dv.dvdq_volt_per_ah, axis=1) * step
    assert change == pytest.approx(dv.voltage_change_volt, abs=1e-9)
    assert dv.voltage_change_volt == pytest.approx([1.4, -1.4, 1.4, -1.4], abs=1e-6)
    fine = np.linspace(1.35, 2.75, 20_001)
    volt = np.interp(dv.passed_capacity_ah, passed(fine) - passed(fine)[0], fine)
    middle = slice(200, 800)
    wanted = 1.0 / exact(volt[middle])
    assert dv.dvdq_volt_per_ah[0, middle] == pytest.approx(wanted, rel=0.02)
    assert np.all(dv.dvdq_volt_per_ah[1, middle] < 0.0)


def test_dvdq_is_nan_beyond_the_end_of_a_shorter_half_cycle():
    q, v = charged(500)
    stops = np.array([500, 750])
    dv = dvdq_of(
        np.concatenate([q, q[:250]]),
        np.concatenate([v, v[:250]]),
        np.array([0, 500]),
        stops,
        step_ah=q[-1] / 200,
        by=smoother("gaussian", 2.0),
    )
    assert np.isfinite(dv.dvdq_volt_per_ah[0]).all()
    assert np.isfinite(dv.dvdq_volt_per_ah[1, :99]).all()
    assert np.isnan(dv.dvdq_volt_per_ah[1, 101:]).all()


def test_charge_beside_the_rows_of_a_half_cycle_is_in_its_curve():
    """Sparse rows: the counter has moved when the first row of the charge is logged."""
    q, v = charged(200)
    step = q[1]
    table = series(
        np.concatenate([[0.0], q + step, [q[-1] + 1.5 * step]]),
        np.concatenate([[1.2], v, [2.7]]),
        np.concatenate([[0.0], np.full(200, 0.1), [0.0]]),
    )
    dq = dqdv(table)
    assert half_cycles(table).capacity_ah[0] == pytest.approx(q[-1] + 1.5 * step)
    assert dq.capacity_ah[0] == pytest.approx(q[-1] + 1.5 * step, rel=1e-12)
    assert dq.area_residual_fraction[0] < 1e-12
    assert dq.low_volt[0] >= 1.35  # not the voltage of the rest before


@pytest.fixture(scope="module")
def first_cycles(lb, hb):
    protocol = eqp.load_protocol("first-cycle")
    return {"lb": eqp.simulate(lb, protocol), "hb": eqp.simulate(hb, protocol)}


@pytest.mark.parametrize("axis", ["cell", "positive", "negative"])
def test_simulated_curves_hold_the_charge_of_the_cycle(first_cycles, axis):
    for run in first_cycles.values():
        dq = dqdv(run.trace, axis=axis)
        assert dq.axis == axis
        assert dq.area_residual_fraction.max() < 1e-9
        total = half_cycles(run.trace).capacity_ah
        assert dq.capacity_ah + dq.cv_capacity_ah == pytest.approx(total, rel=1e-12)
        area = dq.dqdv_ah_per_volt.sum(axis=1) * dq.step_volt
        assert area == pytest.approx(dq.direction * dq.capacity_ah, rel=1e-9)


def test_a_thousand_cycles_take_a_fraction_of_a_second():
    """Spec: 0.15 s; measured 0.05 s of arrays. The bound leaves room for slow CI."""
    import time

    q, v = charged(1000)
    charge = np.tile(np.concatenate([q, q[::-1]]), 1000)
    volt = np.tile(np.concatenate([v, v[::-1]]), 1000)
    starts = np.arange(2000) * 1000
    dqdv_of(charge, volt, starts[:2], starts[:2] + 1000)  # compiles
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        dq = dqdv_of(charge, volt, starts, starts + 1000)
        took.append(time.perf_counter() - begin)
    assert dq.dqdv_ah_per_volt.shape[0] == 2000
    assert min(took) < 1.0
