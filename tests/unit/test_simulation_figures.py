"""Figures of simulated tests show the tables they are drawn from."""

import dataclasses
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex

from equipoise import load_cell, load_half_cell_setup
from equipoise.core.errors import EquipoiseError, SpecError
from equipoise.io.protocols import load_protocol
from equipoise.protocol.parsing import parse
from equipoise.sim.simulate import simulate
from equipoise.viz.simulation import (
    normalised_capacity,
    potential_profiles,
    rate_capability,
    three_electrode,
    voltage_profiles,
)
from equipoise.viz.simulation_overview import overview
from equipoise.viz.simulation_runs import blocks, first_blocks, lines
from equipoise.viz.style import KNOWN_CELLS

DISCHARGE = "discharging_capacity_mah_per_g_positive"
SHORT = parse(
    {
        "name": "short",
        "steps": [
            {"do": "cycle", "c_rate": 0.5, "count": 2},
            {"do": "cycle", "c_rate": 1, "count": 2},
            {"do": "cycle", "charge_c_rate": 0.5, "discharge_c_rate": 1},
            {"do": "rest", "time_hour": 1},
            {"do": "cycle", "c_rate": 0.5},
        ],
    },
    where="test",
)


@pytest.fixture(scope="module")
def cells():
    return [load_cell("zhang2026-lb"), load_cell("zhang2026-hb")]


@pytest.fixture(scope="module")
def runs(cells):
    return [simulate(c, SHORT, model="spm") for c in cells]


@pytest.fixture(scope="module")
def half_run():
    setup = load_half_cell_setup("zhang2026-lto-inli")
    return simulate(setup, load_protocol("formation"), model="spm")


def labels(figure):
    return {t for ax in figure.axes for t in (ax.get_xlabel(), ax.get_ylabel()) if t}


def drawn(ax):
    """Lines with data, without legend entries."""
    return [x for x in ax.get_lines() if np.size(x.get_xdata())]


def texts(ax):
    return [t.get_text() for t in ax.texts]


def test_blocks_gather_equal_currents_and_name_both_rates(runs):
    found = [
        (b.text, b.c_rate, b.first_cycle_count, b.last_cycle_count)
        for b in blocks(runs[0])
    ]
    assert found == [
        ("0.5C", 0.5, 1, 2),
        ("1C", 1.0, 3, 4),
        ("0.5C/1C", 1.0, 5, 5),
        ("0.5C", 0.5, 6, 6),
    ]
    assert [b.first_cycle_count for b in first_blocks(runs[0])] == [1, 3, 5]


def test_runs_of_one_cell_differ_in_dash_and_label(cells, runs):
    other = simulate(cells[0], SHORT, model="quasi-static")
    found = lines([*runs, other, other])
    assert [x.label for x in found] == [
        "LB, spm",
        "HB, spm",
        "LB, quasi-static",
        "LB, quasi-static (2)",
    ]
    assert [x.colour for x in found[:3]] == [
        KNOWN_CELLS["LB"],
        KNOWN_CELLS["HB"],
        KNOWN_CELLS["LB"],
    ]
    assert len({str(x.linestyle) for x in found if x.run.name == "LB"}) == 3


def test_voltage_profiles_are_the_trace(runs):
    figure = voltage_profiles(runs, 3)
    (ax,) = figure.axes
    assert labels(figure) == {"Capacity / mAh g⁻¹", "Cell voltage / V"}
    assert ax.get_title(loc="left") == "Cycle 3 at 1C, spm model"
    shown = drawn(ax)
    assert len(shown) == 4  # charge and discharge of two cells
    run = runs[1]
    row = run.cycles.filter(pl.col("cycle_count") == 3)
    trace = run.trace.filter(pl.col("cycle_count") == 3)
    charge, discharge = shown[2:]
    assert to_hex(charge.get_color()) == KNOWN_CELLS["HB"].lower()
    for line, sign, column in (
        (charge, 1, "charging_capacity_mah_per_g_positive"),
        (discharge, -1, DISCHARGE),
    ):
        x, y = (np.asarray(v) for v in line.get_data())
        moving = trace.filter(sign * pl.col("current_ampere") > 0)
        np.testing.assert_array_equal(y, moving["voltage_volt"].to_numpy())
        assert x[0] < 1.0  # both begin at 0
        assert x[-1] == pytest.approx(row[column][0], rel=1e-9)
        assert np.all(np.diff(x) >= 0.0)
    (legend,) = figure.legends
    assert legend.get_texts()[1].get_text() == (
        f"HB: charge {row['charging_capacity_mah_per_g_positive'][0]:.1f}, "
        f"discharge {row[DISCHARGE][0]:.1f} mAh g⁻¹"
    )


def test_a_single_run_is_as_good_as_a_list(runs):
    one, several = voltage_profiles(runs[0], 1), voltage_profiles(runs[:1], 1)
    assert len(drawn(one.axes[0])) == len(drawn(several.axes[0])) == 2


def test_a_test_at_several_rates_shows_the_last_cycle_of_each(runs):
    figure = voltage_profiles(runs)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["(a)  LB", "(b)  HB"]
    assert figure.get_suptitle() == "Last cycle of each rate, spm model"
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["0.5C", "1C", "0.5C/1C"]
    for ax, run in zip(figure.axes, runs, strict=True):
        shown = drawn(ax)
        assert [x.get_label() for x in shown[::2]] == ["0.5C", "1C", "0.5C/1C"]
        table = run.cycles[DISCHARGE].to_numpy()[[1, 3, 4]]
        ends = [x.get_xdata()[-1] for x in shown[1::2]]
        np.testing.assert_allclose(ends, table, rtol=1e-9)
        low, high = ax.get_xlim()
        assert low == 0.0
        assert high > max(np.max(x.get_xdata()) for x in shown)
    (only,) = voltage_profiles(runs[0]).axes
    assert only.get_title(loc="left") == "LB"


def test_of_many_rates_a_few_are_drawn(cells):
    rates = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 2.0)
    many = parse(
        {"name": "many", "steps": [{"do": "cycle", "c_rate": r} for r in rates]},
        where="test",
    )
    run = simulate(cells[0], many, model="spm")
    names = [x.get_label() for x in drawn(voltage_profiles(run).axes[0])[::2]]
    assert len(names) == 6
    assert (names[0], names[-1]) == ("0.2C", "2C")


def test_at_one_rate_the_first_traced_cycle_is_drawn(cells):
    equal = parse(
        {"name": "equal", "steps": [{"do": "cycle", "c_rate": 1, "count": 3}]},
        where="test",
    )
    run = simulate(cells[0], equal, model="spm", trace={2, 3})
    (ax,) = voltage_profiles(run).axes
    assert ax.get_title(loc="left") == "Cycle 2 at 1C, spm model"


def test_rests_belong_to_the_half_cycle_before(cells):
    run = simulate(cells[0], load_protocol("gitt"), model="spm")
    charge, discharge = drawn(voltage_profiles(run).axes[0])
    assert charge.get_ydata().size + discharge.get_ydata().size == run.trace.height


def test_rate_capability_shows_the_table_and_the_rates(runs):
    figure = rate_capability(runs)
    (ax,) = figure.axes
    assert labels(figure) == {"Cycle", "Discharge capacity / mAh g⁻¹"}
    for line, run in zip(drawn(ax), runs, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), run.cycles[DISCHARGE])
        np.testing.assert_array_equal(line.get_xdata(), run.cycles["cycle_count"])
    assert texts(ax) == ["0.5C", "1C", "0.5C/1C", "0.5C"]
    assert len(ax.patches) == 2  # every second block is shaded
    assert ax.get_ylim()[0] == 0.0
    assert figure.get_suptitle() == "Discharge capacity, spm model"
    untraced = simulate(runs[0].cell, SHORT, model="spm", trace="none")
    assert len(drawn(rate_capability(untraced).axes[0])) == 1


def test_rates_of_short_blocks_are_written_apart(runs):
    figure = three_electrode(runs)
    figure.canvas.draw()
    for ax in figure.axes[:2]:
        boxes = sorted((t.get_window_extent() for t in ax.texts), key=lambda b: b.x0)
        assert len(boxes) == 4
        for left, right in pairwise(boxes):
            assert left.x1 <= right.x0


def test_normalised_capacity_is_relative_to_the_first_rate(runs):
    figure = normalised_capacity(runs)
    (ax,) = figure.axes
    assert labels(figure) == {
        "Rate of the discharge",
        "Discharge capacity / % of the first rate",
    }
    capacity = runs[0].cycles[DISCHARGE].to_numpy()
    first, later = drawn(ax)[:2]
    np.testing.assert_array_equal(first.get_xdata(), [0.5, 1.0])
    expected = 100.0 * capacity[[1, 3]] / capacity[1]
    np.testing.assert_allclose(first.get_ydata(), expected, rtol=1e-12)
    expected = 100.0 * capacity[[4, 5]] / capacity[1]
    np.testing.assert_allclose(later.get_ydata(), expected, rtol=1e-12)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.5C", "1C"]


def test_three_electrode_shows_potentials_that_add_up_to_the_voltage(runs):
    figure = three_electrode(runs)
    assert labels(figure) == {
        "Positive\nvs Li⁺/Li / V",
        "Negative\nvs Li⁺/Li / V",
        "Cell voltage / V",
        "Upper potential\nvs Li⁺/Li / V",
        "Time / h",
    }
    grid = np.array(figure.axes).reshape(4, 2)
    for column, run in zip(grid.T, runs, strict=True):
        positive, negative, cell = (drawn(ax)[0] for ax in column[:3])
        hours = run.trace["test_time_second"].to_numpy() / 3600.0
        np.testing.assert_array_equal(positive.get_xdata(), hours)
        np.testing.assert_allclose(
            positive.get_ydata() - negative.get_ydata(), cell.get_ydata(), atol=1e-9
        )
        (upper,) = drawn(column[3])
        table = run.cycles["upper_potential_vs_li_volt"]
        np.testing.assert_array_equal(upper.get_ydata(), table)
        low, high = column[1].get_ylim()  # a narrow frame that holds every tail
        assert low < min(negative.get_ydata())
        assert high - low < 0.4


def test_cycles_that_were_not_traced_break_the_line(cells):
    run = simulate(cells[0], SHORT, model="spm", trace={1, 2, 6})
    line = drawn(three_electrode(run).axes[0])[0]
    assert np.isnan(line.get_ydata()).sum() == 1
    # of the rates without a traced cycle there is no line
    assert len(drawn(potential_profiles(run).axes[0])) == 1


def test_potential_profiles_draw_each_electrode_at_each_rate(runs):
    figure = potential_profiles(runs[0])
    assert labels(figure) == {
        "Positive vs Li⁺/Li / V",
        "Negative vs Li⁺/Li / V",
        "Capacity / mAh g⁻¹",
    }
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "(a)  Positive, delithiation (charge)",
        "(b)  Positive, lithiation (discharge)",
        "(c)  Negative, lithiation (charge)",
        "(d)  Negative, delithiation (discharge)",
    ]
    ends = runs[0].cycles["negative_end_of_charge_potential_vs_li_volt"].to_numpy()
    for ax in figure.axes:
        assert [x.get_label() for x in drawn(ax)] == ["0.5C", "1C", "0.5C/1C"]
    tail = figure.axes[2]
    for line, end in zip(drawn(tail), ends[[1, 3, 4]], strict=True):
        assert line.get_ydata()[-1] == pytest.approx(end, abs=2e-3)
        assert tail.get_ylim()[0] < line.get_ydata().min()
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()] == ["0.5C", "1C", "0.5C/1C"]


def test_a_rate_has_one_colour_in_all_runs(runs, cells):
    formation = simulate(cells[1], load_protocol("formation"), model="spm")
    figure = potential_profiles([runs[0], formation])
    (legend,) = figure.legends
    names = [t.get_text() for t in legend.get_texts()]
    assert names == ["0.5C", "1C", "0.5C/1C", "0.1C", "0.2C"]
    colour = dict(
        zip(names, [h.get_color() for h in legend.legend_handles], strict=True)
    )
    assert len(set(colour.values())) == 5
    for ax in figure.axes:
        for line in drawn(ax):
            assert line.get_color() == colour[line.get_label()]


def test_a_half_cell_shows_its_working_electrode_only(half_run):
    figure = three_electrode(half_run)
    assert labels(figure) == {
        "Working\nvs Li⁺/Li / V",
        "Cell voltage / V",
        "Time / h",
    }
    figure = potential_profiles(half_run)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "(a)  Working, delithiation (charge)",
        "(b)  Working, lithiation (discharge)",
    ]
    assert drawn(figure.axes[1])[0].get_ydata()[-1] == pytest.approx(1.0, abs=0.01)
    for draw in (voltage_profiles, rate_capability, normalised_capacity):
        assert len(draw(half_run).axes) == 1


def test_what_cannot_be_drawn_says_what_to_do(cells, runs):
    untraced = simulate(cells[0], SHORT, model="spm", trace="none")
    partly = simulate(cells[0], SHORT, model="spm", trace={2})
    ended = dataclasses.replace(
        partly, results=partly.results[:4], samples=partly.samples[:0]
    )
    empty = dataclasses.replace(partly, results=partly.results[:0])
    for draw, message in (
        (lambda: voltage_profiles(untraced), r"not traced\n.*trace=\{1\}"),
        (lambda: voltage_profiles(partly, 1), "cycle 1 was not traced"),
        (lambda: voltage_profiles(partly, 7), "no cycle 7; the protocol has 6"),
        (lambda: voltage_profiles(ended, 5), "ended in cycle 2"),
        (lambda: three_electrode(untraced), r"no trace\n.*trace=\"all\""),
        (lambda: potential_profiles(untraced), "no trace"),
        (lambda: potential_profiles([runs[0]] * 4), "at most 3"),
        (lambda: rate_capability([]), "no run to draw"),
        (lambda: rate_capability(empty), "no step of this run was finished"),
    ):
        with pytest.raises(SpecError) as caught:
            draw()
        assert isinstance(caught.value, EquipoiseError)
        assert caught.match("(?s)" + message)
        assert caught.value.remedy


def test_normalised_capacity_needs_a_c_rate(cells):
    only_charge = parse(
        {"name": "charge", "steps": [{"do": "charge", "c_rate": 1}]}, where="test"
    )
    run = simulate(cells[0], only_charge, model="spm")
    with pytest.raises(SpecError, match="C-rate and a discharge capacity"):
        normalised_capacity(run)
    assert len(drawn(voltage_profiles(run).axes[0])) == 1


def test_overview_shows_four_panels(runs):
    figure = overview(runs, runs, runs)
    assert labels(figure) == {
        "Capacity / mAh g⁻¹",
        "Cell voltage / V",
        "Cycle",
        "Discharge capacity / mAh g⁻¹",
        "Negative vs Li⁺/Li / V",
        "Upper potential vs Li⁺/Li / V",
    }
    assert texts(figure.axes[2]) == ["0.5C", "1C", "0.5C/1C"]
    table = runs[0].cycles["upper_potential_vs_li_volt"]
    np.testing.assert_array_equal(drawn(figure.axes[3])[0].get_ydata(), table)
