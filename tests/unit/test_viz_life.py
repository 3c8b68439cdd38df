"""Figures of lives show the tables they are drawn from, and say what they leave out."""

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex

from equipoise.ageing.ageing import Ageing
from equipoise.analysis.dqdv import dqdv
from equipoise.core.errors import DataError, SpecError
from equipoise.io.cells import load_cell
from equipoise.protocol.parsing import parse
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import life
from equipoise.spec.cell_record import CellRecord
from equipoise.viz.dqdv_map import dqdv_map
from equipoise.viz.life_axes import end_of_life
from equipoise.viz.life_capacity import life_capacity
from equipoise.viz.life_ledger import life_ledger
from equipoise.viz.life_potentials import PANELS, compensation_line, life_potentials
from equipoise.viz.life_predictions import ROLES, life_predictions
from equipoise.viz.life_sensitivity import life_sensitivity
from equipoise.viz.life_wear import life_wear
from equipoise.viz.style import KNOWN_CELLS, svg_text

CAPACITY = "discharging_capacity_mah_per_g_positive"
UPPER = "upper_potential_vs_li_volt"
TRACED = (1, 100, 200)


def number(value):
    return {"value": value, "source": "test", "evidence": "assumed"}


def ageing(hazard=0.003):
    return Ageing.model_validate(
        {
            "mechanisms": [
                {
                    "kind": "lattice-contraction",
                    "hazard_per_cycle_fraction": number(hazard),
                    "exponent": number(4.0),
                    "frailty_ratio": number(0.0),
                    "contact_ratio": number(2.0),
                },
                {
                    "kind": "active-fade",
                    "loss_per_full_cycle_fraction": number(1.5e-4),
                },
            ]
        }
    )


PROTOCOL = parse(
    {
        "name": "rates, then 1C",
        "steps": [
            {"do": "cycle", "c_rate": 0.2, "count": 2},
            {"do": "cycle", "c_rate": 2, "count": 2},
            {"do": "cycle", "c_rate": 1, "count": 600},
        ],
    },
    where="test",
)


def lived(name, hazard=0.003, **options):
    cell = load_cell(f"zhang2026-{name.lower()}")
    options = {"until_retention": 0.7, "jump": Jump()} | options
    return life(cell, PROTOCOL, ageing(hazard), model="spm", **options)


@pytest.fixture(scope="module")
def lives():
    return {name: lived(name, trace=TRACED) for name in ("HB", "LB")}


@pytest.fixture(scope="module")
def tables(lives):
    return {name: found.cycles for name, found in lives.items()}


@pytest.fixture(scope="module")
def members():
    return {"HB": [lived("HB", h).cycles for h in (0.002, 0.003, 0.004)]}


def made(labels, ax):
    """Lines of an axes with one of these labels."""
    return [x for x in ax.get_lines() if x.get_label() in labels]


def legend(figure):
    return [t.get_text() for t in figure.legends[0].get_texts()]


def settled(table, *, kind=True):
    return table.filter(pl.col("is_settled") & (pl.col("is_ageing_cycle") == kind))


def told_life(retention, *, unsettled=()):
    """A life table with what an end of life needs."""
    count = np.arange(1, len(retention) + 1)
    return pl.DataFrame(
        {
            "cycle_count": count,
            CAPACITY: 150.0 * np.array(retention),
            "coulombic_efficiency": np.full(count.size, 0.999),
            "discharge_retention": retention,
            "is_ageing_cycle": np.ones(count.size, dtype=bool),
            "is_settled": ~np.isin(count, unsettled),
        }
    )


def test_capacity_draws_the_settled_ageing_cycles(tables):
    figure = life_capacity(tables)
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "Discharge capacity / mAh g⁻¹",
        "Coulombic efficiency / %",
    ]
    assert not all(t["is_settled"].all() for t in tables.values())
    for line, (name, table) in zip(
        made(("_life",), figure.axes[0]), tables.items(), strict=True
    ):
        rows = settled(table)
        np.testing.assert_array_equal(line.get_xdata(), rows["cycle_count"])
        np.testing.assert_array_equal(line.get_ydata(), rows[CAPACITY])
        assert to_hex(line.get_color()) == KNOWN_CELLS[name].lower()
    for line, table in zip(
        made(("_rest",), figure.axes[0]), tables.values(), strict=True
    ):
        np.testing.assert_array_equal(
            line.get_ydata(), settled(table, kind=False)[CAPACITY]
        )


@pytest.mark.parametrize("level", [0.9, 0.75])
def test_the_end_of_life_is_that_of_the_life(lives, tables, level):
    for name, found in lives.items():
        end, own = end_of_life(tables[name], level), found.cycle_life(level)
        assert end.censored is own.censored is False
        assert end.life_cycle_count == pytest.approx(own.cycle_count, rel=1e-12)
        before = found.reference_cycle - 1.0
        assert end.cycle_count == pytest.approx(own.cycle_count + before, rel=1e-12)


def test_the_end_is_interpolated_and_drawn_at_its_level():
    table = told_life([1.0, 0.9, 0.7, 0.6])
    end = end_of_life(table, 0.8)
    assert end == (pytest.approx(2.5), pytest.approx(2.5), False)
    figure = life_capacity({"LB": table})
    (mark,) = made(("_end",), figure.axes[0])
    assert mark.get_xdata()[0] == pytest.approx(2.5)
    assert mark.get_ydata()[0] == pytest.approx(0.8 * 150.0)
    (level,) = made(("_level",), figure.axes[0])
    np.testing.assert_allclose(level.get_xydata(), [[1.0, 120.0], [4.0, 120.0]])


def test_a_settling_cycle_in_between_does_not_end_a_life_but_the_last_one_may():
    dip = told_life([1.0, 0.7, 0.95, 0.9], unsettled=[2])
    assert end_of_life(dip, 0.8) == (4.0, 4.0, True)
    stopped = told_life([1.0, 0.9, 0.7], unsettled=[3])
    assert end_of_life(stopped, 0.8).censored is False
    assert end_of_life(stopped, 0.8).cycle_count == pytest.approx(2.5)


def test_a_life_that_does_not_end_says_so():
    figure = life_capacity({"LB": told_life([1.0, 0.95, 0.9])})
    (mark,) = made(("_censored",), figure.axes[0])
    assert mark.get_ydata()[0] == pytest.approx(135.0)
    assert legend(figure) == [
        "LB, 80 % after > 3 cycles",
        "80 % of the reference cycle",
        "end of the run, level not reached",
    ]


def test_without_a_reference_cycle_there_is_no_level():
    early = told_life([1.0, 0.99]).with_columns(
        is_ageing_cycle=pl.lit(value=False), discharge_retention=pl.lit(float("nan"))
    )
    figure = life_capacity({"LB": early})
    assert not made(("_level", "_end", "_censored"), figure.axes[0])
    assert legend(figure) == ["LB", "other cycles"]
    with pytest.raises(DataError, match="no cycle has a discharge retention"):
        end_of_life(early, 0.8)


def test_the_band_is_of_all_members_and_ends_with_the_first(tables, members):
    figure = life_capacity({"HB": tables["HB"]}, members=members)
    (shade,) = figure.axes[0].collections
    x = shade.get_paths()[0].vertices[:, 0]
    ends = [settled(m)["cycle_count"].to_list()[-1] for m in members["HB"]]
    assert x.max() == min(ends) < max(ends)
    solved = settled(tables["HB"])["cycle_count"].to_numpy()
    at = float(solved[solved < x.max()][-1])
    values = [
        np.interp(at, settled(m)["cycle_count"], settled(m)[CAPACITY])
        for m in members["HB"]
    ]
    y = shade.get_paths()[0].vertices[x == at, 1]
    assert y.max() == pytest.approx(np.percentile(values, 95.0))
    assert y.min() == pytest.approx(np.percentile(values, 5.0))
    low, high = sorted(end_of_life(m, 0.8).life_cycle_count for m in members["HB"])[
        :: len(members["HB"]) - 1
    ]
    assert f"({low:.0f} to {high:.0f}) cycles" in legend(figure)[0]
    assert "5 to 95 % of 3 ensemble members" in legend(figure)


def test_measured_points_tell_whether_the_model_was_calibrated_on_them(tables):
    measured = pl.DataFrame(
        {
            "cycle_count": [5, 100, 200],
            CAPACITY: [160.0, 150.0, None],
            f"standard_deviation_{CAPACITY}": [1.0, None, None],
            "is_calibrated": [True, False, False],
        }
    )
    figure = life_capacity(tables, measured={"HB": measured})
    filled, opened = made(("_measured",), figure.axes[0])
    assert (filled.get_ydata(), opened.get_ydata()) == ([160.0], [150.0])
    assert opened.get_markerfacecolor() == "white" != filled.get_markerfacecolor()
    assert not made(("_measured",), figure.axes[1])
    assert {"measured, calibrated on", "measured, not calibrated on"} <= set(
        legend(figure)
    )
    with pytest.raises(SpecError, match="measured points of 'XB'"):
        life_capacity(tables, measured={"XB": measured})
    with pytest.raises(SpecError, match="members of 'XB'"):
        life_capacity(tables, members={"XB": [tables["HB"]]})


def test_efficiencies_far_off_are_counted_at_the_frame():
    table = told_life(np.linspace(1.0, 0.9, 50)).with_columns(
        coulombic_efficiency=pl.Series([0.75] + [0.999] * 49)
    )
    figure = life_capacity({"LB": table})
    (mark,) = made(("_off_scale",), figure.axes[1])
    assert mark.get_xdata() == [1]
    assert figure.axes[1].get_title(loc="right").startswith("1 cycle off scale")
    low, high = figure.axes[1].get_ylim()
    assert 99.0 < low < 99.9 < high < 100.5


def test_lives_side_by_side_share_their_scales(tables):
    figure = life_capacity(tables, side_by_side=True, level_retention=None)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "(a)  HB", "(b)  LB", "(c)", "(d)",
    ]  # fmt: skip
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert legend(figure) == ["HB", "LB", "other cycles"]
    with pytest.raises(SpecError, match="4 lives side by side"):
        life_capacity(dict.fromkeys("abcd", tables["HB"]), side_by_side=True)
    with pytest.raises(SpecError, match="level_retention = 80"):
        life_capacity(tables, level_retention=80.0)


def test_potentials_are_those_of_the_table(tables):
    figure = life_potentials(tables, desired_vs_li_volt=4.3)
    for ax, column in zip(figure.axes, PANELS, strict=True):
        low, high = ax.get_ylim()
        for line, table in zip(made(("_life",), ax), tables.values(), strict=True):
            rows = settled(table)[column].to_numpy()
            inside = (rows >= low) & (rows <= high)
            assert inside.mean() > 0.5
            np.testing.assert_array_equal(
                line.get_ydata(), np.where(inside, rows, np.nan)
            )
    (desired,) = made(("_desired",), figure.axes[0])
    assert desired.get_ydata()[0] == 4.3 < figure.axes[0].get_ylim()[1]
    assert "desired upper potential, 4.30 V" in legend(figure)


def states(retention=(1.0, 0.95, 0.85, 0.75)):
    return pl.DataFrame(
        {
            "cycle_count": [1, 101, 301, 501],
            UPPER: [4.19, 4.20, 4.22, 4.24],
            "reserve_left_mah_per_g_positive": [14.0, 10.0, 6.0, 2.0],
            "discharge_retention": list(retention),
        }
    )


def test_the_compensation_line_goes_from_o_to_f():
    figure = compensation_line({"LB": states()})
    for ax, last in zip(figure.axes, (401.0, 4.0), strict=True):
        (o,), (f,) = made(("_O",), ax), made(("_F",), ax)
        assert o.get_ydata()[0] == 4.19
        assert f.get_xdata()[0] == pytest.approx(last)
        assert f.get_ydata()[0] == pytest.approx(4.23)
        assert to_hex(f.get_markerfacecolor()) == KNOWN_CELLS["LB"].lower()
        (after,) = made(("_after",), ax)
        assert after.get_ydata()[-1] == 4.24
        (ticks,) = made(("_tick",), ax)
        np.testing.assert_allclose(ticks.get_ydata(), [4.20, 4.21, 4.22])
    assert legend(figure)[0] == "LB, F: 80 %, cycle 401"
    left, right = figure.axes[1].get_xlim()
    assert left > right  # the reserve is used up to the right


def test_f_is_open_where_the_life_did_not_end():
    figure = compensation_line(
        {"LB": states((1.0, 0.97, 0.93, 0.9))}, against="cycle", desired_vs_li_volt=4.3
    )
    (ax,) = figure.axes
    (f,) = made(("_F",), ax)
    assert (f.get_xdata()[0], f.get_markerfacecolor()) == (501, "white")
    assert legend(figure)[0] == "LB, F: 90 %, end of the run, cycle 501"
    without = states().drop("reserve_left_mah_per_g_positive")
    compensation_line({"LB": without}, against="cycle")
    with pytest.raises(DataError, match="reserve_left"):
        compensation_line({"LB": without})
    with pytest.raises(SpecError, match="against = 'time'"):
        compensation_line({"LB": states()}, against="time")


def test_wear_draws_the_negative_only_where_it_wears(tables):
    figure = life_wear(tables)
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "Active material / %",
        "Contact area / %",
        "Growth of the film / Ω cm²",
        "Volume swing / %",
        "H2-H3 usage / mAh g⁻¹",
        "Lithium inventory / mAh g⁻¹",
    ]
    counts = [len(made(("_negative",), ax)) for ax in figure.axes]
    assert counts == [2, 0, 0, 0, 0, 0]
    for line, table in zip(
        made(("_life",), figure.axes[0]), tables.values(), strict=True
    ):
        expected = 100.0 * settled(table)["positive_active_fraction"]
        np.testing.assert_array_equal(line.get_ydata(), expected)
    assert legend(figure) == ["HB", "LB", "positive", "negative"]


def ledger(*, given=(1.0, 4.0), third=(0.5, -0.5)):
    causes = pl.DataFrame(
        {
            "cycle_count": [100] * 3 + [500] * 3,
            "cause": ["positive isolation", "negative isolation", "mine"] * 2,
            "loss_mah_per_g_positive": [4.0, 1.0, third[0], 20.0, 5.0, third[1]],
            "lowest_mah_per_g_positive": [3.0, 0.5, 0.4, 18.0, 3.0, -0.6],
            "highest_mah_per_g_positive": [5.0, 1.5, 0.6, 22.0, 7.0, -0.4],
        }
    )
    lost = causes.group_by("cycle_count").agg(pl.col("loss_mah_per_g_positive").sum())
    states = lost.sort("cycle_count").with_columns(
        given_back_mah_per_g_positive=pl.Series(given)
    )
    return causes, states


def bars(ax, label):
    found = [p for c in ax.containers if c.get_label() == label for p in c.patches]
    return [(b.get_y(), b.get_height()) for b in found]


def test_the_ledger_stacks_causes_and_what_the_reserve_gave_back():
    causes, whole = ledger()
    figure = life_ledger({"LB": causes}, {"LB": whole})
    (ax,) = figure.axes
    assert bars(ax, "_positive isolation") == [(0.0, 4.0), (0.0, 20.0)]
    assert bars(ax, "_negative isolation") == [(4.0, 1.0), (20.0, 5.0)]
    assert bars(ax, "_mine") == [(5.0, 0.5), (0.0, -0.5)]
    assert bars(ax, "_lost") == [(0.0, 5.5), (0.0, 24.5)]
    assert bars(ax, "_given_back") == [(5.5, 1.0), (24.5, 4.0)]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["100", "500"]
    segments = [
        s for c in ax.collections for s in c.get_segments() if np.ptp(s[:, 1]) > 0.0
    ]
    spans = [tuple(np.round(s[:, 1], 9)) for s in segments]
    assert (18.0, 22.0) in spans
    assert (23.0, 27.0) in spans  # the second cause stands on the first
    low, high = ax.get_ylim()
    assert low < -0.5
    assert high > 28.5


def test_a_negative_that_takes_is_inside_the_loss():
    causes, whole = ledger(given=(1.0, -4.0))
    plain = causes.drop("lowest_mah_per_g_positive")
    figure = life_ledger({"LB": plain}, {"LB": whole})
    assert bars(figure.axes[0], "_taken") == [(24.5, -4.0)]
    assert "of it taken by the negative" in legend(figure)
    assert "lowest and highest share of a cause" not in legend(figure)


def test_a_ledger_needs_both_tables_of_each_life():
    causes, whole = ledger()
    with pytest.raises(SpecError, match="causes are of LB; states of HB"):
        life_ledger({"LB": causes}, {"HB": whole})
    later = whole.with_columns(cycle_count=pl.col("cycle_count") + 1)
    with pytest.raises(DataError, match="no state is in both"):
        life_ledger({"LB": causes}, {"LB": later})
    with pytest.raises(DataError, match="cause"):
        life_ledger({"LB": causes.drop("cause")}, {"LB": whole})
    many = dict.fromkeys("abcd", causes)
    with pytest.raises(SpecError, match="4 ledgers"):
        life_ledger(many, dict.fromkeys("abcd", whole))


def test_many_states_are_thinned_from_the_first_to_the_last():
    causes, whole = ledger()
    numbers = [10 * k for k in range(1, 31)]
    one, row = causes.head(3), whole.head(1)
    causes = pl.concat([one.with_columns(cycle_count=pl.lit(n)) for n in numbers])
    whole = pl.concat([row.with_columns(cycle_count=pl.lit(n)) for n in numbers])
    (ax,) = life_ledger({"LB": causes}, {"LB": whole}).axes
    ticks = [t.get_text() for t in ax.get_xticklabels()]
    assert (ticks[0], ticks[-1], len(ticks)) == ("10", "300", 10)


def predictions():
    return pl.DataFrame(
        [
            ("B3", "n/p", "1", 1.5, 1.5, None, None, "input"),
            ("A1", "capacity", "mAh/g", 160.0, 162.4, 158.4, 164.0, "calibrated"),
            ("A7", "retention", "%", 75.0, 60.0, 59.0, 150.0, "predicted"),
            ("P1", "cycles", "cycles", None, 900.0, 720.0, 1350.0, "blind"),
            ("E1", "resistance", "ohm cm2", 19.3, None, None, None, "calibrated"),
        ],
        schema=[
            *("id", "quantity", "unit", "printed", "computed", "low", "high", "role")
        ],
        orient="row",
    )


def test_predictions_are_percent_off_the_printed_number():
    figure = life_predictions(predictions())
    compared, blind = (ax for ax in figure.axes if ax.get_xlabel())
    at = [x.get_xdata()[0] for x in made(("_computed",), compared)]
    np.testing.assert_allclose(at, [0.0, 1.5, -20.0], atol=1e-9)
    spans = [x.get_xdata() for x in made(("_interval",), compared)]
    np.testing.assert_allclose(spans[0], [-1.0, 2.5], atol=1e-9)
    colours = [to_hex(x.get_markerfacecolor()) for x in made(("_computed",), compared)]
    roles = ("input", "calibrated", "predicted")
    assert colours == [ROLES[r][0].lower() for r in roles]
    (interval,) = made(("_interval",), blind)
    np.testing.assert_allclose(interval.get_xdata(), [-20.0, 50.0])
    assert blind.get_xlabel() == "Interval / % of the prediction"
    assert [t.get_text() for t in compared.get_yticklabels()] == [
        "B3  n/p",
        "A1  capacity",
        "A7  retention",
    ]
    numbers = [t.get_text() for ax in figure.axes for t in ax.get_yticklabels()]
    assert "160 | 162.4 (158.4 to 164.0) mAh/g" in numbers
    assert "– | 900 (720 to 1350) cycles" in numbers
    assert "1.5 | 1.500" in numbers


def test_what_is_beyond_the_axis_of_predictions_is_an_arrow():
    many = pl.concat([predictions()[[1]]] * 20 + [predictions()[[2]]])
    figure = life_predictions(many)
    ax = figure.axes[0]
    limit = ax.get_xlim()[1]
    assert limit < 20.0
    found = sorted(x.get_xdata()[0] for x in made(("_beyond",), ax))
    np.testing.assert_allclose(found, [-limit, -limit, limit])
    assert len(made(("_computed",), ax)) == 20


def test_predictions_refuse_what_they_do_not_know():
    table = predictions()
    only = life_predictions(table, roles=["blind"])
    assert len([ax for ax in only.axes if ax.get_xlabel()]) == 1
    with pytest.raises(SpecError, match="'guess'"):
        life_predictions(table, roles=["guess"])
    with pytest.raises(DataError, match="'guess'"):
        life_predictions(table.with_columns(role=pl.lit("guess")))
    with pytest.raises(DataError, match="no row has a computed number"):
        life_predictions(table[[4]])
    with pytest.raises(DataError, match="'unit'"):
        life_predictions(table.drop("unit"))
    with pytest.raises(SpecError, match="61 rows"):
        life_predictions(pl.concat([table[[1]]] * 61))


def sensitivities(*, censored=False):
    return pl.DataFrame(
        {
            "kind": ["active-fade", "lattice-contraction", "active-fade"],
            "place": ["negative", "positive", "negative"],
            "weaker_change_fraction": [-0.02, 0.25, float("nan")],
            "weaker_is_censored": [False, censored, True],
            "stronger_change_fraction": [0.03, -0.16, 0.0],
            "stronger_is_censored": [False] * 3,
        }
    )


def test_the_mechanism_that_counts_most_is_on_top():
    figure = life_sensitivity({"LB": sensitivities(censored=True)}, change_fraction=0.1)
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "Lattice contraction\n(positive)",
        "Active fade\n(negative)",
        "Active fade\n(negative) 2",
    ]
    widths = {c.get_label(): [] for c in ax.containers}
    for c in ax.containers:
        widths[c.get_label()] += [p.get_width() for p in c.patches]
    np.testing.assert_allclose(widths["_weaker"], [25.0, -2.0])
    np.testing.assert_allclose(widths["_stronger"], [-16.0, 3.0, 0.0])
    texts = [t.get_text() for t in ax.texts]
    assert texts == ["≥ +25.0", "−16.0", "−2.0", "+3.0", "not known", "0.0"]
    assert legend(figure) == ["−10 % strength (weaker)", "+10 % strength (stronger)"]


def test_sensitivities_without_a_reference_are_refused():
    unknown = sensitivities().with_columns(
        weaker_change_fraction=pl.lit(float("nan")),
        stronger_change_fraction=pl.lit(float("nan")),
    )
    with pytest.raises(DataError, match="no change of a cycle life"):
        life_sensitivity({"LB": unknown})
    with pytest.raises(DataError, match="no change of a cycle life"):
        life_sensitivity({})
    with pytest.raises(SpecError, match="4 lives"):
        life_sensitivity(dict.fromkeys("abcd", sensitivities()))


def test_the_trace_of_a_life_feeds_the_maps_of_dqdv(lives):
    curves = {
        name: dqdv(
            found.trace,
            record=CellRecord(
                positive_active_mass_mg=1e3 * found.lowered.positive_mass_g
            ),
            axis="positive",
        )
        for name, found in lives.items()
    }
    for name, found in lives.items():
        here = [c for c in TRACED if c <= found.last_cycle]
        dq = curves[name]
        assert sorted({int(c) for c in dq.cycle_count}) == here
        charge = dq.capacity_ah[dq.direction == 1] / found.lowered.positive_mass_g
        rows = found.cycles.filter(pl.col("cycle_count").is_in(here))
        expected = rows["charging_capacity_mah_per_g_positive"]
        np.testing.assert_allclose(1e3 * charge, expected, rtol=1e-6)
    assert len(dqdv_map(curves).axes) == 3  # two maps and their scale


@pytest.mark.parametrize(
    ("draw", "column"),
    [
        (life_capacity, CAPACITY),
        (life_capacity, "coulombic_efficiency"),
        (life_potentials, UPPER),
        (life_wear, "volume_swing_percent"),
        (life_wear, "negative_contact_fraction"),
    ],
)
def test_a_missing_column_and_no_life_are_named(tables, draw, column):
    with pytest.raises(DataError, match=column) as caught:
        draw({"HB": tables["HB"].drop(column)})
    assert "HB" in caught.value.where
    with pytest.raises(DataError, match="no life"):
        draw({})
    unsettled = tables["HB"].with_columns(is_settled=pl.lit(value=False))
    with pytest.raises(DataError, match="no settled cycle"):
        draw({"HB": unsettled})


def test_the_same_life_gives_the_same_figure(tables):
    one, two = (svg_text(life_capacity(tables)) for _ in range(2))
    assert one == two
