"""End potentials, drift, consistency, and what tells a drifting reference."""

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from equipoise.analysis.dqdv import dqdv
from equipoise.analysis.statistics import theil_sen
from equipoise.analysis.three_electrode import three_electrode
from equipoise.core.errors import DataError, SpecError
from equipoise.spec.cell_record import CellRecord

POSITIVE = "positive_electrode_potential_volt"
NEGATIVE = "negative_electrode_potential_volt"
LIKE = [2, 3, 24]  # cycles of the rate test at 0.2C, after the first


@pytest.fixture(scope="module")
def run(lb):
    return eqp.simulate(lb, eqp.load_protocol("three-electrode-rate-test"))


@pytest.fixture(scope="module")
def result(run):
    return three_electrode(run.trace, plateau_vs_li_volt=1.55)


def shifted(table, volt):
    """Both potentials against a reference that is off by -volt; the voltage stays."""
    return table.with_columns(pl.col(POSITIVE) + volt, pl.col(NEGATIVE) + volt)


def test_end_potentials_are_those_of_the_run(run, result):
    assert result.cycles["cycle_count"].to_list() == run.cycles["cycle_count"].to_list()
    for name in result.cycles.columns:
        ours, theirs = result.cycles[name].to_numpy(), run.cycles[name].to_numpy()
        assert ours == pytest.approx(theirs, abs=1e-9), name


def test_end_potentials_are_also_in_the_table_of_half_cycles(run, result):
    up = result.half_cycles.filter(pl.col("direction") == 1)
    assert up["positive_end_potential_vs_li_volt"].to_numpy() == pytest.approx(
        run.cycles["upper_potential_vs_li_volt"].to_numpy(), abs=1e-9
    )
    assert result.half_cycles["maximum_residual_millivolt"].max() < 1e-6


def test_a_wrong_offset_of_one_electrode_is_seen(run):
    off = run.trace.with_columns(pl.col(NEGATIVE) + 0.012)
    result = three_electrode(off)
    assert result.half_cycles["rms_residual_millivolt"].min() == pytest.approx(12.0)
    assert "within 12 mV" in result.notes[0]


def test_drift_of_like_cycles_is_change_and_slope(run):
    cycles = run.cycles.filter(pl.col("cycle_count").is_in([22, 23, 24]))
    known = cycles["upper_potential_vs_li_volt"].to_numpy()
    drift = three_electrode(run.trace, cycles=[22, 23, 24]).drift.row(0, named=True)
    assert drift["potential"] == "upper_potential_vs_li_volt"
    assert drift["cycles_count"] == 3
    assert drift["change_millivolt"] == pytest.approx(1e3 * (known[-1] - known[0]))
    with pytest.raises(SpecError, match="none of the cycles"):
        three_electrode(run.trace, cycles=[1000])


def test_a_drift_put_in_comes_out(run):
    slope = 2e-5  # volt per cycle: 2 mV per 100 cycles
    added = shifted(run.trace, slope * pl.col("cycle_count"))
    before = three_electrode(run.trace, cycles=LIKE).drift
    after = three_electrode(added, cycles=LIKE).drift
    change = (after["change_millivolt"] - before["change_millivolt"]).to_numpy()
    assert change == pytest.approx(1e3 * slope * 22, abs=1e-6)


def test_a_drifting_reference_moves_the_plateau_and_not_the_voltage(run):
    """Two truths with the same voltage: only the plateau of LTO tells them apart."""
    added = shifted(run.trace, -2e-4 * (pl.col("cycle_count") - 2))
    steady = three_electrode(run.trace, cycles=LIKE)
    drifting = three_electrode(added, cycles=LIKE)
    assert drifting.half_cycles["maximum_residual_millivolt"].max() < 1e-6
    shifts = []
    for result in (steady, drifting):
        assert result.plateau_found
        like = result.reference.filter(pl.col("cycle_count").is_in(LIKE))
        shift = like["shift_millivolt"].to_numpy()
        shifts.append(shift[-1] - shift[0])
    assert abs(shifts[0]) < 1.0  # the simulated reference does not drift
    assert shifts[1] - shifts[0] == pytest.approx(-0.2 * 22, abs=1e-6)


def test_the_plateau_of_lto_is_where_it_should_be(result):
    half_way = result.reference.filter("is_plateau")["negative_half_way_vs_li_volt"]
    assert half_way.to_numpy() == pytest.approx(1.55, abs=2.5e-3)
    assert "mV from 1.55 V vs Li+/Li" in result.notes[-1]
    # at 5C the lithiation tail begins too early for a plateau
    assert not result.reference["is_plateau"].all()
    assert np.isnan(
        result.reference.filter(~pl.col("is_plateau"))["shift_millivolt"].to_numpy()
    ).all()


def test_without_a_plateau_a_reference_cannot_be_checked(run):
    slope = pl.col("passed_capacity_mah_per_g_positive") * 1e-3
    sloped = run.trace.with_columns(pl.col(NEGATIVE) - slope)
    result = three_electrode(sloped, record=CellRecord(reference_electrode="lto"))
    assert not result.plateau_found
    assert "drift of the lto electrode cannot be told" in result.notes[-1]


def test_one_direction_alone_says_so(run):
    up = run.trace.filter((pl.col("cycle_count") == 2) & (pl.col("current_ampere") > 0))
    result = three_electrode(up)
    assert result.reference.height == 0
    assert not result.plateau_found
    assert "no cycle has both directions" in result.notes[-1]
    assert np.isnan(result.cycles["lower_potential_vs_li_volt"][0])
    lower = result.drift.filter(pl.col("potential") == "lower_potential_vs_li_volt")
    assert lower["cycles_count"][0] == 0
    assert np.isnan(lower["change_millivolt"][0])


def test_gaps_in_a_potential_are_counted(run):
    gap = pl.when(pl.col("cycle_count") == 3).then(None).otherwise(pl.col(NEGATIVE))
    result = three_electrode(run.trace.with_columns(gap.alias(NEGATIVE)))
    assert any("2 of 48 half-cycles have gaps" in n for n in result.notes)
    row = result.cycles.filter(pl.col("cycle_count") == 3)
    assert np.isnan(row["negative_end_of_charge_potential_vs_li_volt"][0])
    assert 3 not in result.reference["cycle_count"].to_list()


def test_a_cell_without_reference_electrode_is_refused(run):
    with pytest.raises(DataError, match="no column positive_electrode_potential_volt"):
        three_electrode(run.trace.drop(POSITIVE))
    with pytest.raises(DataError, match="no current flows"):
        three_electrode(run.trace.with_columns(current_ampere=pl.lit(0.0)))


def test_theil_sen_is_that_of_scipy_and_ignores_an_outlier():
    from scipy.stats import theilslopes

    rng = np.random.default_rng(5)
    x = np.arange(40.0)
    y = 3.0 - 0.02 * x + rng.normal(0, 0.05, 40)
    wanted = theilslopes(y, x)
    ours = theil_sen(x, y)
    assert ours == pytest.approx((wanted.slope, wanted.low_slope, wanted.high_slope))
    y[7] = 1e3
    assert theil_sen(x, y)[0] == pytest.approx(wanted.slope, abs=2e-3)
    y[7] = np.nan
    assert np.isfinite(theil_sen(x, y)[0])


def test_theil_sen_of_few_and_of_many_points():
    assert np.isnan(theil_sen(np.array([1.0]), np.array([1.0]))).all()
    assert np.isnan(theil_sen(np.ones(3), np.arange(3.0))[0])
    slope, low, _ = theil_sen(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 4.0]))
    assert slope == 1.0
    assert np.isnan(low)
    x = np.arange(5000.0)
    assert theil_sen(x, 2.0 * x)[0] == pytest.approx(2.0)


@pytest.fixture(scope="module")
def measured(shared_data):
    """T-cell, one direction; the reference is at 0.31 V vs Li+/Li (pybop, BSD-3)."""
    path = shared_data / "biologic" / "pybop_Tesla4680_Tcell_pOCV_data.txt"
    if not path.is_file():
        pytest.skip("the three-electrode file is not there")
    raw = pl.read_csv(
        path, separator="\t", decimal_comma=True, infer_schema_length=None
    )
    return raw.select(
        test_time_second=pl.col("time/s"),
        voltage_volt=pl.col("Ewe-Ece/V"),
        current_ampere=pl.col("I/mA") * 1e-3,
        positive_electrode_potential_volt=pl.col("Ewe/V") + 0.31,
        negative_electrode_potential_volt=pl.col("Ece/V") + 0.31,
    )


def test_measured_potentials_make_the_voltage_to_1_millivolt(measured):
    record = CellRecord(
        reference_electrode="other", reference_potential_vs_li_volt=0.31
    )
    result = three_electrode(measured, record=record)
    assert result.half_cycles["maximum_residual_millivolt"].max() < 1.0
    assert not result.plateau_found  # graphite and silicon


def test_measured_curves_of_all_axes_hold_the_same_charge(measured):
    curves = {a: dqdv(measured, axis=a) for a in ("cell", "positive", "negative")}
    for dq in curves.values():
        assert dq.area_residual_fraction[dq.usable].max() < 1e-9
        assert dq.capacity_ah == pytest.approx(curves["cell"].capacity_ah, rel=1e-12)
