"""Figures of cycled cells show their tables, and say what they leave out."""

import dataclasses

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex

from equipoise.analysis.dqdv import dqdv
from equipoise.analysis.peaks import peaks, track_peaks
from equipoise.analysis.rate import rate_table
from equipoise.analysis.replicates import mean_over_replicates, paired_comparison
from equipoise.analysis.three_electrode import three_electrode
from equipoise.core.errors import DataError, SpecError
from equipoise.spec.cell_record import CellRecord
from equipoise.study.measured_cell import CellData
from equipoise.viz.cutoff_potentials import PANELS, cutoff_potentials
from equipoise.viz.cycling import capacity_and_efficiency
from equipoise.viz.cycling_axes import bands, robust_limits, wrapped
from equipoise.viz.cycling_differences import differences
from equipoise.viz.dqdv_map import dqdv_lines, dqdv_map, spaced
from equipoise.viz.dqdv_map_3d import dqdv_map_3d, thinned
from equipoise.viz.dqdv_rows import drawn, smoothing_text
from equipoise.viz.rate_table import rate_capability_measured, rates_by_group
from equipoise.viz.style import KNOWN_CELLS, svg_text

CAPACITY = "discharging_capacity_mah_per_g_positive"
MASS_MG, ONE_C_MA = 20.0, 4.0


def cell(group, replicate, *, first=150.0, fade=0.0005, ageing=60, mass=MASS_MG):
    """One formation cycle, a rate block of three rates, ageing, a check-up at 30."""
    number = 7 + ageing
    count = np.arange(1, number + 1)
    kind = np.array(["formation"] + ["rate step"] * 6 + ["ageing"] * ageing)
    rate = np.concatenate([[0.1], np.repeat([0.1, 0.5, 2.0], 2), np.ones(ageing)])
    specific = first * np.concatenate(
        [[1.1], np.repeat([1.2, 1.1, 0.8], 2), 1.0 - fade * np.arange(ageing)]
    )
    if ageing > 30:
        kind[29], specific[29] = "check-up", 1.1 * first
    efficiency = np.where(kind == "ageing", 0.999, 0.98)
    efficiency[0] = 0.85
    absolute = specific * MASS_MG * 1e-6
    columns = {
        "cycle_count": count,
        "cycle_kind": kind.tolist(),
        "cycle_kind_evidence": ["label"] * number,
        "complete": [True] * number,
        "charging_capacity_ah": absolute / efficiency,
        "discharging_capacity_ah": absolute,
        "coulombic_efficiency": efficiency,
        "charge_current_ampere": rate * ONE_C_MA * 1e-3,
        "discharge_current_ampere": rate * ONE_C_MA * 1e-3,
        "mean_charging_voltage_volt": np.full(number, 2.4),
        "mean_discharging_voltage_volt": np.full(number, 2.2),
    }
    if mass is not None:
        columns |= {
            "charging_capacity_mah_per_g_positive": specific / efficiency,
            CAPACITY: specific,
            "charge_c_rate": rate,
            "discharge_c_rate": rate,
        }
    record = CellRecord(group=group, replicate=replicate, positive_active_mass_mg=mass)
    table = pl.DataFrame(columns)
    return CellData(record.label, None, table, record, "measured", None, {})


def changed(one, table):
    return dataclasses.replace(one, cycles=table)


@pytest.fixture
def four():
    return [
        cell("LB", "1", first=149.0, fade=0.001),
        cell("LB", "2", first=145.0, fade=0.001),
        cell("HB", "1", first=161.0, fade=0.005),
        cell("HB", "2", first=157.0, fade=0.006),
    ]


def series(curve):
    """Time series of cycles whose charge is given as capacity over voltage."""
    parts = []
    for cycle in range(1, curve.shape[0] + 1):
        volt = np.linspace(1.5, 2.7, 241)
        bell = np.exp(-(((volt - 2.2) / 0.06) ** 2))
        density = 1e-3 * (1.0 + curve[cycle - 1] * bell)
        for sign in (1.0, -1.0):
            v, d = volt[:: int(sign)], density[:: int(sign)]
            passed = np.concatenate([[0.0], np.cumsum(0.5 * (d[1:] + d[:-1]) * 0.005)])
            seconds = 1e4 * (2 * cycle + (sign < 0)) + passed * 3.6e6
            parts.append(
                pl.DataFrame(
                    {
                        "test_time_second": seconds,
                        "voltage_volt": v,
                        "current_ampere": np.full(v.size, sign * 1e-3),
                        "cycle_count": np.full(v.size, cycle),
                        "positive_electrode_potential_volt": v + 1.55,
                        "negative_electrode_potential_volt": np.full(v.size, 1.55),
                        "step_charging_capacity_ah": passed * (sign > 0),
                        "step_discharging_capacity_ah": passed * (sign < 0),
                    }
                )
            )
    return pl.concat(parts)


RECORD = CellRecord(name="LB", positive_active_mass_mg=5.0)


@pytest.fixture(scope="module")
def table():
    return series(np.linspace(4.0, 2.0, 6))


@pytest.fixture(scope="module")
def curves(table):
    kept = table.filter(~pl.col("cycle_count").is_in([3, 4]))
    return {"LB": dqdv(kept, record=RECORD), "HB": dqdv(table, record=RECORD)}


def lines(ax, label):
    return [x for x in ax.get_lines() if x.get_label() == label]


def legend(figure):
    return [t.get_text() for one in figure.legends for t in one.get_texts()]


def titles(ax):
    return ax.get_title(loc="left") + " " + ax.get_title(loc="right")


def test_the_mean_of_a_group_is_that_of_the_replicates(four):
    figure = capacity_and_efficiency(four)
    ax = figure.axes[0]
    for group, pair in (("LB", four[:2]), ("HB", four[2:])):
        mean = mean_over_replicates({c.name: c.cycles for c in pair}, CAPACITY)
        (line,) = [x for x in lines(ax, "_mean") if x.get_color() == KNOWN_CELLS[group]]
        np.testing.assert_array_equal(line.get_xdata(), mean["cycle_count"])
        np.testing.assert_allclose(line.get_ydata(), mean[f"mean_{CAPACITY}"])
    assert ax.get_ylabel() == "Discharge capacity / mAh g⁻¹"
    assert figure.axes[1].get_ylabel() == "Coulombic efficiency / %"
    assert figure.axes[1].get_xlabel() == "Cycle"


def test_the_shade_is_one_standard_deviation(four):
    figure = capacity_and_efficiency(four[:2])
    mean = mean_over_replicates({c.name: c.cycles for c in four[:2]}, CAPACITY)
    (shade,) = figure.axes[0].collections
    y = shade.get_paths()[0].vertices[:, 1]
    centre = mean[f"mean_{CAPACITY}"].to_numpy()
    off = mean[f"standard_deviation_{CAPACITY}"].to_numpy()
    assert y.max() == pytest.approx((centre + off).max())
    assert y.min() == pytest.approx((centre - off).min())


def test_single_cells_and_the_legend_tell_n_and_life(four):
    figure = capacity_and_efficiency(four)
    assert len(lines(figure.axes[0], "_cell")) == 4
    said = legend(figure)
    assert said[0].startswith("LB (n = 2), 80 % after > 59 cycles")
    assert said[1].startswith("HB (n = 2), 80 % after 3")
    assert "mean ± SD of the cells" in said
    assert {"formation", "rate step", "check-up"} <= set(said)
    apart = capacity_and_efficiency(four, groups=False)
    assert not lines(apart.axes[0], "_mean")
    assert sum("(n = 1)" in t for t in legend(apart)) == 4


def test_other_kinds_are_open_markers_with_all_their_cycles(four):
    one = four[0]
    figure = capacity_and_efficiency([one])
    for kind in ("formation", "rate step", "check-up"):
        (line,) = lines(figure.axes[0], f"_{kind}")
        want = one.cycles.filter(pl.col("cycle_kind") == kind)
        np.testing.assert_array_equal(line.get_xdata(), want["cycle_count"])
        np.testing.assert_array_equal(line.get_ydata(), want[CAPACITY])
        assert line.get_fillstyle() == "none"


def test_the_threshold_is_of_the_reference_and_lives_are_marked(four):
    figure = capacity_and_efficiency([four[0], four[2]])
    ax = figure.axes[0]
    levels = sorted(line.get_ydata()[0] for line in lines(ax, "_threshold"))
    assert levels == pytest.approx([0.8 * 149.0, 0.8 * 161.0])
    (reached,) = lines(ax, "_life")
    assert reached.get_xdata()[0] == pytest.approx(8 + 40.0)
    (censored,) = lines(ax, "_censored")
    assert censored.get_xdata()[0] == 67
    assert to_hex(censored.get_markerfacecolor()) == "#ffffff"
    none = capacity_and_efficiency([four[0]], threshold_retention=None)
    assert not lines(none.axes[0], "_threshold")
    assert legend(none)[0] == "LB (n = 1)"


def test_efficiencies_off_the_scale_are_counted_and_marked(four):
    ax = capacity_and_efficiency([four[0]]).axes[1]
    low, high = ax.get_ylim()
    assert low < 99.9 < high
    values = 100.0 * four[0].cycles["coulombic_efficiency"].to_numpy()
    beyond = int(((values < low) | (values > high)).sum())
    assert beyond == 8
    assert f"{beyond} cycles off scale" in titles(ax)
    assert sum(len(x.get_xdata()) for x in lines(ax, "_off_scale")) == beyond


def test_without_the_mass_capacities_are_in_mah_or_ah(four):
    bare = cell("LB", "3", mass=None)
    figure = capacity_and_efficiency([four[0], bare], groups=False)
    ax = figure.axes[0]
    assert ax.get_ylabel() == "Discharge capacity / mAh"
    want = 1e3 * four[0].cycles["discharging_capacity_ah"].to_numpy()[7]
    assert lines(ax, "_cell")[0].get_ydata()[0] == pytest.approx(want)
    large = changed(bare, bare.cycles.with_columns(pl.col("^.*_ah$") * 1e3))
    assert capacity_and_efficiency([large]).axes[0].get_ylabel().endswith("/ Ah")


def test_charge_capacity_and_the_other_efficiency_are_named(four):
    record = four[0].record.model_copy(update={"efficiency": "charge/discharge"})
    half = dataclasses.replace(four[0], record=record)
    upper, lower = capacity_and_efficiency([half], quantity="charging").axes
    assert upper.get_ylabel() == "Charge capacity / mAh g⁻¹"
    assert "(charge/discharge)" in lower.get_ylabel()


def test_nan_cycles_are_counted_one_cycle_and_no_efficiency_work(four):
    gaps = four[0].cycles.with_columns(
        pl.when(pl.col("cycle_count").is_in([20, 21]))
        .then(float("nan"))
        .otherwise(pl.col(CAPACITY))
        .alias(CAPACITY)
    )
    figure = capacity_and_efficiency([changed(four[0], gaps)])
    assert "2 cycles without discharge capacity not drawn" in titles(figure.axes[0])
    one = changed(four[0], four[0].cycles[40:41])
    (line,) = lines(capacity_and_efficiency([one]).axes[0], "_cell")
    assert line.get_marker() == "o"
    svg_text(capacity_and_efficiency([one, changed(four[1], four[1].cycles[40:41])]))
    bare = changed(four[0], four[0].cycles.drop("coulombic_efficiency"))
    assert len(capacity_and_efficiency([bare]).axes) == 1


def test_a_rate_test_alone_is_drawn_without_like_cycles(four):
    only = changed(four[0], four[0].cycles[1:7])
    figure = capacity_and_efficiency([only])
    assert not lines(figure.axes[0], "_cell")
    (line,) = lines(figure.axes[0], "_rate step")
    np.testing.assert_array_equal(line.get_ydata(), only.cycles[CAPACITY])


def test_unknown_kinds_are_others_and_cells_without_common_cycles_have_no_mean(four):
    odd = four[0].cycles.with_columns(
        pl.Series(
            "cycle_kind", [None, "of a cycler", *four[0].cycles["cycle_kind"][2:]]
        )
    )
    figure = capacity_and_efficiency([changed(four[0], odd)])
    (line,) = lines(figure.axes[0], "_other")
    assert line.get_xdata().tolist() == [1, 2]
    first, second = four[0].cycles[:40], four[1].cycles[40:]
    parts = [changed(four[0], first), changed(four[1], second)]
    figure = capacity_and_efficiency(parts)
    assert lines(figure.axes[0], "_mean")[0].get_xdata().size == 0
    assert "mean ± SD of the cells" not in legend(figure)


def test_what_cannot_be_drawn_is_said(four):
    with pytest.raises(DataError, match="no cell to draw"):
        capacity_and_efficiency([])
    with pytest.raises(DataError, match="counted twice"):
        capacity_and_efficiency([four[0], four[0]])
    with pytest.raises(SpecError, match="discharging"):
        capacity_and_efficiency(four, quantity="discharge")
    empty = four[0].cycles.with_columns(pl.lit(float("nan")).alias(CAPACITY))
    with pytest.raises(DataError, match="has a discharging capacity"):
        capacity_and_efficiency([changed(four[0], empty)])
    with pytest.raises(DataError, match="LB 1"):
        capacity_and_efficiency([changed(four[0], four[0].cycles.drop("cycle_kind"))])
    with pytest.raises(DataError, match="no kind of cycle"):
        capacity_and_efficiency(four, kinds=("aging",))


def test_cells_without_a_group_stay_apart_even_with_one_name(four):
    record = CellRecord(name="LB", positive_active_mass_mg=MASS_MG)
    alone = dataclasses.replace(four[0], name="LB", record=record)
    found = bands([alone, alone])
    assert [b.label for b in found] == ["LB", "LB (2)"]
    assert [b.colour for b in found] == [KNOWN_CELLS["LB"]] * 2
    assert found[0].linestyle != found[1].linestyle


def test_robust_limits_hold_ordinary_values_and_leave_outliers():
    values = np.append(np.linspace(99.8, 100.0, 50), [12.0, np.nan, 250.0])
    low, high = robust_limits(values, least=0.2)
    assert 99.0 < low <= 99.8
    assert 100.0 <= high < 101.0
    one = robust_limits(np.array([99.9]), least=0.2)
    assert one == pytest.approx((99.8, 100.0))


def test_long_names_are_wrapped(four):
    assert wrapped("a" * 10 + " " + "b" * 10, 12) == "a" * 10 + "\n" + "b" * 10
    record = CellRecord(name="a name " * 30, positive_active_mass_mg=MASS_MG)
    long = dataclasses.replace(four[0], name="a name " * 30, record=record)
    assert "\n" in legend(capacity_and_efficiency([long]))[0]


def test_lines_of_dqdv_are_the_curves(curves):
    dq = curves["HB"]
    figure = dqdv_lines(dq, cycles=[1, 6])
    ax = figure.axes[0]
    (line,) = lines(ax, "cycle 6")
    k = np.flatnonzero((dq.cycle_count == 6) & (dq.direction > 0))[0]
    inside = dq.covered[k]
    np.testing.assert_allclose(
        line.get_ydata()[inside], dq.dqdv_mah_per_g_per_volt[k][inside]
    )
    assert np.isnan(line.get_ydata()[~inside]).all()
    assert ax.get_ylabel() == "dQ/dV / mAh g⁻¹ V⁻¹"
    assert ax.get_xlabel() == "Cell voltage / V"
    assert legend(figure) == ["cycle 1", "cycle 6"]
    assert "SD 5 mV" in figure.get_suptitle()


def test_discharge_is_drawn_upwards_and_named_so(curves):
    figure = dqdv_lines(curves, "discharge")
    assert figure.axes[0].get_ylabel().startswith("\N{MINUS SIGN}dQ/dV")
    assert np.nanmax(lines(figure.axes[0], "cycle 1")[0].get_ydata()) > 0.0
    assert figure.get_suptitle().startswith("Discharge")


def test_maps_share_one_scale_and_missing_cycles_are_gaps(curves):
    figure = dqdv_map(curves)
    left, right, bar = figure.axes
    first, second = left.collections[0], right.collections[0]
    assert first.get_clim() == second.get_clim()
    shown = drawn(curves, "charge")
    np.testing.assert_allclose(
        np.ma.filled(second.get_array(), np.nan), shown.rows[1].height
    )
    values = np.ma.filled(first.get_array(), np.nan)
    assert values.shape[0] == 5
    assert np.isnan(values[2]).all()
    np.testing.assert_allclose(values[[0, 1, 3, 4]], shown.rows[0].height)
    assert bar.get_ylabel() == "dQ/dV / mAh g⁻¹ V⁻¹"
    assert left.get_ylabel() == "Cycle"
    assert legend(figure) == ["not reached, or no curve"]
    assert "LB" in titles(left)
    assert "HB" in titles(right)


def test_the_axis_says_which_potential(table):
    of_positive = dqdv(table, record=RECORD, axis="positive")
    figure = dqdv_map(of_positive)
    assert figure.axes[0].get_xlabel() == "Positive vs Li⁺/Li / V"
    with pytest.raises(SpecError, match="different potentials"):
        dqdv_map({"a": of_positive, "b": dqdv(table, record=RECORD)})


def test_peaks_lie_where_they_were_found(curves):
    found = {name: peaks(dq) for name, dq in curves.items()}
    (dots,) = lines(dqdv_map(curves, peaks=found).axes[1], "_peaks")
    want = found["HB"].filter(pl.col("direction") == 1)
    np.testing.assert_allclose(dots.get_xdata(), want["voltage_volt"])
    np.testing.assert_allclose(dots.get_ydata(), want["cycle_count"])
    tracked = dqdv_map(curves["HB"], peaks=track_peaks(found["HB"]))
    (joined,) = lines(tracked.axes[0], "_peaks")
    assert joined.get_linestyle() == "-"
    with pytest.raises(SpecError, match="one table of peaks"):
        dqdv_map(curves, peaks=found["HB"])
    with pytest.raises(SpecError, match="not drawn"):
        dqdv_map(curves, peaks={"XB": found["HB"]})


def test_curves_smoothed_differently_are_refused(table):
    wide = dqdv(table, record=RECORD, smoothing_millivolt=10.0)
    with pytest.raises(SpecError, match="smoothed differently"):
        dqdv_map({"a": dqdv(table, record=RECORD), "b": wide})
    assert "not smoothed" in smoothing_text(dqdv(table, smoothing="none"))
    savitzky = dqdv(table, smoothing="savitzky-golay", smoothing_millivolt=10.0)
    assert "± 10 mV" in smoothing_text(savitzky)


def test_without_the_mass_dqdv_is_absolute(table):
    figure = dqdv_lines(dqdv(table))
    assert figure.axes[0].get_ylabel() == "dQ/dV / mAh V⁻¹"


def test_one_spike_does_not_make_all_others_pale(curves):
    dq = curves["HB"]
    height = np.tile(dq.dqdv_ah_per_volt[:1], (100, 1))
    height[50] *= 1000.0
    of_each = ("direction", "capacity_ah", "low_volt", "high_volt")
    many = {name: np.repeat(getattr(dq, name)[:1], 100) for name in of_each}
    spiked = dataclasses.replace(
        dq,
        **many,
        cycle_count=np.arange(1, 101),
        dqdv_ah_per_volt=height,
        flaws=("",) * 100,
    )
    shown = drawn(spiked, "charge")
    assert shown.beyond_count == 1
    assert shown.top < 10.0 * np.median(np.nanmax(shown.rows[0].height, axis=1))
    said = dqdv_lines(spiked).get_suptitle().replace("\n", " ")
    assert "1 curve higher than the scale" in said
    flat = dqdv_map_3d(spiked, kind="lines").axes[0]
    assert flat.get_zlim()[1] < 10.0 * shown.top


def test_gaps_follow_the_usual_distance_of_cycles():
    edges, filled = spaced(np.array([10.0, 20.0, 30.0, 60.0]))
    assert filled == [0, 1, 2, -1, 3]
    np.testing.assert_allclose(edges, [5.0, 15.0, 25.0, 35.0, 55.0, 65.0])
    assert spaced(np.array([7.0]))[1] == [0]


def test_three_dimensions_hold_every_cycle_on_one_scale(curves):
    figure = dqdv_map_3d(curves, kind="lines")
    left, right = figure.axes
    assert [x.get_label() for x in right.get_lines()] == [
        f"cycle {n}" for n in range(6, 0, -1)
    ]
    x, y, z = right.get_lines()[-1].get_data_3d()
    rows = drawn(curves, "charge").rows[1]
    known = np.isfinite(rows.height[0])
    np.testing.assert_allclose(x, rows.voltage_volt[known])
    assert set(y) == {1.0}
    np.testing.assert_allclose(z, rows.height[0][known])
    assert left.get_zlim() == right.get_zlim()
    assert left.get_zlabel() == "dQ/dV / mAh g⁻¹ V⁻¹"
    surfaces = dqdv_map_3d(curves)
    assert len(surfaces.axes[0].collections) == 2
    assert len(surfaces.axes[1].collections) == 1
    svg_text(surfaces)


def test_three_dimensions_refuse_what_cannot_be_read(curves):
    with pytest.raises(SpecError, match="side by side"):
        dqdv_map_3d({str(i): curves["LB"] for i in range(4)})
    with pytest.raises(SpecError, match="surface"):
        dqdv_map_3d(curves, kind="surfaces")
    assert thinned(1000, 5).tolist() == [0, 250, 500, 749, 999]


def test_dqdv_that_cannot_be_drawn_is_said(table, curves):
    with pytest.raises(SpecError, match="no curves"):
        dqdv_map({})
    with pytest.raises(SpecError, match="discharge"):
        dqdv_map(curves, "discharging")
    with pytest.raises(SpecError, match="none of the cycles"):
        dqdv_lines(curves, cycles=[99])
    only_up = dqdv(table.filter(pl.col("current_ampere") > 0), record=RECORD)
    with pytest.raises(DataError, match="no half-cycle of discharge"):
        dqdv_map({"LB": only_up}, "discharge")


def test_rate_blocks_are_means_with_deviations(four):
    rates = rates_by_group(four)
    assert {name: len(t) for name, t in rates.items()} == {"LB": 2, "HB": 2}
    figure = rate_capability_measured(rates)
    left, right = figure.axes
    want = np.mean([t[CAPACITY].to_numpy() for t in rates["LB"]], axis=0)
    bars = left.containers[0]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), want)
    off = np.std([t[CAPACITY].to_numpy() for t in rates["LB"]], axis=0, ddof=1)
    segment = bars.lines[2][0].get_segments()[0]
    assert np.ptp(segment[:, 1]) == pytest.approx(2.0 * off[0])
    assert [t.get_text() for t in left.get_xticklabels()] == ["0.1C", "0.5C", "2C"]
    assert left.get_ylabel() == "Discharge capacity / mAh g⁻¹"
    assert right.get_ylabel() == "Discharge capacity / % of that at 0.1C"
    np.testing.assert_allclose(
        right.containers[0].lines[0].get_ydata(), [100.0, 110 / 1.2, 80 / 1.2]
    )
    assert legend(figure)[:2] == ["LB (n = 2)", "HB (n = 2)"]


def test_one_cell_has_no_error_bar_and_rates_that_come_again_are_open(four):
    rates = rate_table(four[0].cycles, kinds=("rate step",))
    again = pl.concat([rates, rates[:1]])
    figure = rate_capability_measured({"LB": again})
    assert all(c.lines[2] == () for c in figure.axes[0].containers)
    assert "same rate later in the test" in legend(figure)
    (x,) = figure.axes[1].containers[1].lines[0].get_xdata()
    assert x == pytest.approx(0.1)


def test_without_one_c_blocks_are_named_by_current():
    bare = cell("LB", "1", mass=None)
    (ax,) = rate_capability_measured(rates_by_group([bare])).axes
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.4", "2", "8"]
    assert ax.get_xlabel().startswith("Current of the discharge / mA")


def test_cells_of_different_rate_tests_are_refused(four):
    rates = rate_table(four[0].cycles, kinds=("rate step",))
    shorter = rate_capability_measured({"LB": rates, "HB": rates[:2]})
    assert shorter.axes[0].containers[1].lines[0].get_xdata().size == 2
    with pytest.raises(DataError, match=r"block 1 is at 0\.5C"):
        rate_capability_measured({"LB": rates, "HB": rates[1:]})
    with pytest.raises(DataError, match="no block"):
        rate_capability_measured({})
    with pytest.raises(DataError, match="LB 1"):
        rates_by_group([changed(four[0], four[0].cycles[7:])])


def test_end_potentials_are_those_of_the_table(table):
    found = three_electrode(table)
    figure = cutoff_potentials(
        {"LB": found, "HB": found.cycles}, desired_vs_li_volt=4.3
    )
    for ax, column in zip(figure.axes, PANELS, strict=True):
        (line,) = lines(ax, "_LB")
        np.testing.assert_array_equal(line.get_ydata(), found.cycles[column])
        np.testing.assert_array_equal(line.get_xdata(), found.cycles["cycle_count"])
        assert len(lines(ax, "_HB")) == 1
        low, high = ax.get_ylim()
        assert high - low >= 0.004 - 1e-12
    (desired,) = lines(figure.axes[0], "_desired")
    assert set(desired.get_ydata()) == {4.3}
    assert "desired upper potential, 4.30 V" in legend(figure)
    assert figure.axes[0].get_ylabel() == "Potential vs Li⁺/Li / V"


def test_rates_are_written_over_end_potentials(four, table):
    ends = three_electrode(table).cycles
    rates = rate_table(four[0].cycles, kinds=("rate step",))
    figure = cutoff_potentials({"LB": ends}, rates=rates)
    assert [t.get_text() for t in figure.axes[0].texts] == ["0.1C", "0.5C", "2C"]
    assert not figure.axes[2].texts


def test_cells_without_electrode_potentials_are_refused(four):
    with pytest.raises(DataError, match="LB 1: the cycles have no end potentials"):
        cutoff_potentials({"LB 1": four[0].cycles})
    with pytest.raises(DataError, match="no cycle has an end potential"):
        cutoff_potentials({})


@pytest.fixture
def groups(four):
    pairs = [(c.record, c.cycles) for c in four]
    return pairs[:2], pairs[2:]


def test_differences_are_those_of_the_comparison(groups):
    compared = paired_comparison(*groups, at=[0, 10, 40])
    figure = differences(compared, names=("LB", "HB"))
    (ax,) = figure.axes
    (line,) = lines(ax, "_difference")
    np.testing.assert_allclose(line.get_ydata(), compared[f"difference_{CAPACITY}"])
    np.testing.assert_array_equal(line.get_xdata(), compared["ageing_cycle_count"])
    (bars,) = [c for c in ax.collections if c.get_label() == "_interval"]
    ends = np.array([s[:, 1] for s in bars.get_segments()])
    np.testing.assert_allclose(ends[:, 0], compared[f"low_difference_{CAPACITY}"])
    assert "LB \N{MINUS SIGN} HB / mAh g⁻¹" in ax.get_ylabel()
    assert ax.get_xlabel() == "Cycles since the reference cycle"
    assert "LB (n = 2) and HB (n = 2)" in legend(figure)[0]
    low, high = ax.get_ylim()
    assert low < 0.0 < high


def test_a_band_of_many_cycles_and_a_range_of_one_row(groups):
    figure = differences(paired_comparison(*groups))
    assert any(c.get_label() == "_interval" for c in figure.axes[0].collections)
    ranged = paired_comparison(*groups, between=(0, 20))
    ax = differences(ranged).axes[0]
    (bar,) = [c for c in ax.collections if c.get_label() == "_range"]
    assert bar.get_segments()[0][:, 0].tolist() == [0.0, 20.0]


def test_differences_of_ratios_are_percentage_points(groups):
    compared = paired_comparison(*groups, "capacity_retention", at=[40])
    (ax,) = differences(compared).axes
    (y,) = lines(ax, "_difference")[0].get_ydata()
    assert y == pytest.approx(100.0 * compared["difference_capacity_retention"][0])
    assert "percentage points" in ax.get_ylabel()


def test_single_cells_have_no_interval_and_say_so(groups):
    compared = paired_comparison(groups[0][:1], groups[1][:1])
    assert any("no interval" in t for t in legend(differences(compared)))
    with pytest.raises(DataError, match="no column difference"):
        differences(compared.drop(f"difference_{CAPACITY}"))
    with pytest.raises(DataError, match="no rows"):
        differences(compared[:0])


def test_two_thousand_cycles_are_all_there():
    long = [cell("LB", str(i), fade=1e-4, ageing=2000) for i in (1, 2)]
    figure = capacity_and_efficiency(long)
    (mean,) = lines(figure.axes[0], "_mean")
    assert mean.get_xdata().size == 1999  # less the check-up
