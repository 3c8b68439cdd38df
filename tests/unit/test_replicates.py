"""Means over cells, groups against each other, and what few cells can say."""

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats
from test_retention import after_rate_block, table

from equipoise.analysis.replicates import (
    compare_cycle_life,
    mean_over_replicates,
    paired_comparison,
)
from equipoise.analysis.retention import cycle_life
from equipoise.analysis.statistics import (
    hedges_correction,
    mean_and_deviation,
    theil_sen,
    welch,
)
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError
from equipoise.spec.cell_record import CellRecord

Q = "discharging_capacity_mah_per_g_positive"
HB = [table([199.0, 190.0, 178.0]), table([197.0, 186.0, 160.0])]
LB = [table([185.0, 184.0, 182.0]), table([186.0, 184.0, 180.0])]


# --- mean over replicates


def test_the_mean_of_two_cells_by_hand():
    found = mean_over_replicates(HB)
    assert found["cycle_count"].to_list() == [1, 2, 3]
    assert found[f"mean_{Q}"].to_list() == [198.0, 188.0, 169.0]
    assert found[f"standard_deviation_{Q}"].to_list() == pytest.approx(
        [math.sqrt(2.0), math.sqrt(8.0), math.sqrt(162.0)]  # |difference| / sqrt(2)
    )
    assert found[f"minimum_{Q}"].to_list() == [197.0, 186.0, 160.0]
    assert found[f"maximum_{Q}"].to_list() == [199.0, 190.0, 178.0]
    assert found["cells_count"].to_list() == [2, 2, 2]


def test_one_cell_has_no_scatter_rather_than_none_of_it():
    found = mean_over_replicates({"A": HB[0]})
    assert found[f"standard_deviation_{Q}"].is_nan().all()
    assert found[f"mean_{Q}"].to_list() == [199.0, 190.0, 178.0]


def test_cells_of_different_length_say_how_many_there_are():
    found = mean_over_replicates([HB[0], HB[1].head(2)])
    assert found["cells_count"].to_list() == [2, 2, 1]
    assert found[f"mean_{Q}"][2] == 178.0
    assert math.isnan(found[f"standard_deviation_{Q}"][2])
    both = mean_over_replicates([HB[0], HB[1].head(2)], minimum_cells_count=2)
    assert both["cycle_count"].to_list() == [1, 2]


def test_a_cycle_missing_in_one_cell_is_not_interpolated():
    found = mean_over_replicates([HB[0], HB[1].filter(pl.col("cycle_count") != 2)])
    assert found["cells_count"].to_list() == [2, 1, 2]


def test_cells_numbered_differently_are_aligned_by_their_reference():
    shifted = after_rate_block([197.0, 186.0, 160.0])
    by_number = mean_over_replicates([HB[0], shifted])
    assert by_number["cells_count"].max() == 1
    aligned = mean_over_replicates([HB[0], shifted], align="ageing_cycle_count")
    assert aligned["ageing_cycle_count"].to_list() == [0, 1, 2]
    assert aligned[f"mean_{Q}"].to_list() == [198.0, 188.0, 169.0]


@pytest.mark.parametrize("align", ["cycle_count", "ageing_cycle_count"])
def test_retention_is_computed_for_each_cell_with_its_own_reference(align):
    found = mean_over_replicates(HB, "capacity_retention", align=align)
    assert found["mean_capacity_retention"][0] == 1.0
    assert found["standard_deviation_capacity_retention"][0] == 0.0
    assert found["mean_capacity_retention"][2] == pytest.approx(
        0.5 * (178 / 199 + 160 / 197)
    )


def test_any_quantity_of_the_cycle_table_can_be_averaged():
    cells = [
        c.with_columns(coulombic_efficiency=pl.lit(e))
        for c, e in zip(HB, (0.99, 0.97), strict=True)
    ]
    found = mean_over_replicates(
        cells, "coulombic_efficiency", align="ageing_cycle_count"
    )
    assert found["mean_coulombic_efficiency"].to_list() == pytest.approx([0.98] * 3)


def test_records_name_the_cells_and_one_cell_is_not_two():
    one, two = (CellRecord(group="HB", replicate=r) for r in "12")
    pairs = [(one, HB[0]), (two, HB[1])]
    assert mean_over_replicates(pairs).equals(mean_over_replicates(HB))
    with pytest.raises(DataError, match="two cells are 'HB 1'"):
        mean_over_replicates([(one, HB[0]), (one, HB[1])])
    unnamed = [(CellRecord(), HB[0]), (CellRecord(), HB[1])]
    assert mean_over_replicates(unnamed).equals(mean_over_replicates(HB))


def test_cells_of_two_groups_are_not_silently_one():
    pairs = [(CellRecord(group=g), c) for g, c in (("HB", HB[0]), ("LB", LB[0]))]
    with pytest.warns(EquipoiseWarning, match="groups HB, LB are taken as one"):
        mean_over_replicates(pairs)


@pytest.mark.parametrize(
    ("cells", "arguments", "message"),
    [
        ([], {}, "no cell"),
        ({}, {}, "no cell"),
        ({"HB 1": HB[0], "HB 2": table([])}, {}, "HB 2: replicates: the cycle table"),
        ({"HB 1": HB[0].drop(Q)}, {}, "give positive_active_mass_mg"),
        ([table([1.0, 1.0], first=[3, 3])], {}, "cell 1: replicates: cycle 3 is in"),
        ([table([1.0], complete=False)], {}, "none of the 1 cycles is complete"),
        (
            [HB[0], after_rate_block([1.0])],
            {"minimum_cells_count": 2},
            "most is 1 of 2",
        ),
    ],
)
def test_bad_cells_are_refused_by_name(cells, arguments, message):
    with pytest.raises(DataError) as refused:
        mean_over_replicates(cells, **arguments)
    assert message in str(refused.value)


@pytest.mark.parametrize("arguments", [{"align": "time"}, {"minimum_cells_count": 0}])
def test_a_wrong_argument_is_refused(arguments):
    with pytest.raises(SpecError):
        mean_over_replicates(HB, **arguments)


# --- groups against each other


def test_the_difference_by_hand():
    """Cycle 1: 198 - 185.5; variances 2 and 0.5, n = 2: se^2 = 1.25, df = 25/17."""
    found = paired_comparison(HB, LB, at=[0])
    assert found[f"difference_{Q}"][0] == 12.5
    assert found["degrees_of_freedom_count"][0] == pytest.approx(25 / 17)
    g = 12.5 / math.sqrt(1.25) / math.sqrt(math.pi)  # J(2) = 1 / sqrt(pi)
    assert found["hedges_g_ratio"][0] == pytest.approx(g)
    assert found["basis"][0] == (
        "n = 2 and 2: interval from t with 1.5 degrees of freedom"
    )


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_is_that_of_scipy(confidence):
    rng = np.random.default_rng(8)
    a = [table(rng.normal(180.0, 5.0, 4)) for _ in range(3)]
    b = [table(rng.normal(170.0, 1.0, 4)) for _ in range(5)]
    found = paired_comparison(a, b, confidence_fraction=confidence)
    for i in range(4):
        test = stats.ttest_ind(
            [c[Q][i] for c in a], [c[Q][i] for c in b], equal_var=False
        )
        low, high = test.confidence_interval(confidence)
        assert found[f"low_difference_{Q}"][i] == pytest.approx(low, rel=1e-10)
        assert found[f"high_difference_{Q}"][i] == pytest.approx(high, rel=1e-10)
        assert found["degrees_of_freedom_count"][i] == pytest.approx(test.df)


def test_a_range_compares_one_mean_per_cell():
    """Cycles are no replicates: 3 cycles of 2 cells are n = 2, not 6."""
    found = paired_comparison(HB, LB, between=(0, 2))
    assert found.height == 1
    means = [[c[Q].mean() for c in g] for g in (HB, LB)]
    low, high = stats.ttest_ind(*means, equal_var=False).confidence_interval(0.95)
    assert found[f"low_difference_{Q}"][0] == pytest.approx(low)
    assert found[f"high_difference_{Q}"][0] == pytest.approx(high)
    assert found["a_cells_count"][0] == 2
    assert found["cycles_count"][0] == 3


def test_a_range_takes_only_cycles_that_every_cell_has():
    found = paired_comparison(HB, [LB[0], LB[1].head(2)], between=(0, 9))
    assert (found["first_cycle_count"][0], found["last_cycle_count"][0]) == (0, 1)
    assert found[f"mean_a_{Q}"][0] == pytest.approx(193.0)


def test_one_cell_in_a_group_gives_a_difference_without_interval():
    found = paired_comparison(HB, LB[:1], at=[0])
    assert found[f"difference_{Q}"][0] == 13.0
    assert math.isnan(found[f"low_difference_{Q}"][0])
    assert math.isnan(found["hedges_g_ratio"][0])
    assert "one cell has no scatter" in found["basis"][0]


def test_equal_readings_give_no_interval_of_zero_width():
    found = paired_comparison([HB[0]] * 2, [LB[0]] * 2, at=[0])
    assert found[f"difference_{Q}"][0] == 14.0
    assert math.isnan(found[f"high_difference_{Q}"][0])
    assert math.isnan(found["hedges_g_ratio"][0])
    assert "neither group has any spread" in found["basis"][0]


def test_at_chosen_cycles_in_the_order_given():
    found = paired_comparison(HB, LB, at=[2, 0])
    assert found["ageing_cycle_count"].to_list() == [2, 0]
    assert found[f"difference_{Q}"].to_list() == [-12.0, 12.5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"at": [0, 7]}, "have ageing_cycle_count 7; common: 0 to 2"),
        ({"at": []}, "have any ageing_cycle_count"),
        ({"between": (5, 9)}, "no cycle from 5 to 9"),
    ],
)
def test_cycles_that_are_not_there_are_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        paired_comparison(HB, LB, **arguments)


def test_groups_without_a_common_cycle_are_refused():
    later = [table([1.0, 1.0], first=10)]
    with pytest.raises(DataError, match="1 to 3 and 10 to 11"):
        paired_comparison(HB, later, align="cycle_count")


@pytest.mark.parametrize(
    "arguments", [{"at": [1], "between": (0, 1)}, {"confidence_fraction": 95.0}]
)
def test_a_wrong_question_is_refused(arguments):
    with pytest.raises(SpecError):
        paired_comparison(HB, LB, **arguments)


# --- cycle lives


def lives(*first_below, length=100):
    """Cells that hold 90 % and fall to 70 % at a cycle: their life is half before."""
    cells = []
    for at in first_below:
        capacity = np.full(length, 90.0)
        capacity[0] = 100.0
        capacity[at:] = 70.0
        cells.append(cycle_life(table(capacity)))
    return cells


def test_the_ratio_of_lives_is_that_of_geometric_means():
    found = compare_cycle_life(lives(41, 81), lives(11, 21))
    a, b = np.log([40.5, 80.5]), np.log([10.5, 20.5])
    assert found.life_ratio == pytest.approx(math.exp(a.mean() - b.mean()))
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert found.low_life_ratio == pytest.approx(math.exp(low))
    assert found.high_life_ratio == pytest.approx(math.exp(high))
    assert found.least_life_ratio == pytest.approx(found.life_ratio)
    assert found.greatest_life_ratio == pytest.approx(found.life_ratio)
    assert (found.shortest_a_cycle_count, found.longest_a_cycle_count) == (40.5, 80.5)
    assert found.apart


def test_ranges_of_two_and_two_cells_fall_apart_by_chance_in_one_of_three():
    found = compare_cycle_life(lives(41, 81), lives(11, 21))
    assert found.chance_of_apart_fraction == pytest.approx(1 / 3)
    rng = np.random.default_rng(0)
    draws = rng.random((20000, 4))
    a, b = draws[:, :2], draws[:, 2:]
    apart = (a.min(1) > b.max(1)) | (b.min(1) > a.max(1))
    assert apart.mean() == pytest.approx(1 / 3, abs=0.015)


def test_lives_that_overlap_are_not_apart():
    assert not compare_cycle_life(lives(11, 81), lives(21, 41)).apart


def test_a_censored_life_bounds_the_ratio_from_below():
    found = compare_cycle_life(lives(1000, 81), lives(11, 21))
    assert found.a_censored_count == 1
    assert math.isnan(found.life_ratio)
    assert math.isnan(found.low_life_ratio)
    least = math.sqrt(99.0 * 80.5) / math.sqrt(10.5 * 20.5)
    assert found.least_life_ratio == pytest.approx(least)
    assert found.greatest_life_ratio == math.inf
    assert found.longest_a_cycle_count == math.inf
    assert found.apart
    turned = compare_cycle_life(lives(11, 21), lives(1000, 81))
    assert turned.apart
    assert turned.least_life_ratio == 0.0
    assert turned.greatest_life_ratio == pytest.approx(1 / least)


def test_two_censored_groups_cannot_be_compared():
    found = compare_cycle_life(lives(1000), lives(1000))
    assert (found.least_life_ratio, found.greatest_life_ratio) == (0.0, math.inf)
    assert not found.apart


def test_lives_by_different_rules_are_refused():
    other = cycle_life(table([100.0, 60.0, 60.0, 60.0]), threshold_retention=0.7)
    with pytest.raises(DataError, match="different thresholds or rules"):
        compare_cycle_life(lives(11), [other])
    with pytest.raises(DataError, match="without cells"):
        compare_cycle_life([], lives(11))


# --- statistics


def test_the_correction_for_few_cells_is_exact():
    assert hedges_correction(2) == pytest.approx(1.0 / math.sqrt(math.pi))
    assert hedges_correction(50) == pytest.approx(1 - 3 / (4 * 50 - 1), rel=1e-4)
    assert math.isnan(hedges_correction(1))


def test_what_n_2_and_2_gives_by_chance_is_as_documented():
    """|g| of one population: median 0.46, 95 % below 2.4 (docstring of hedges_g)."""
    t = stats.t.ppf([0.75, 0.975], 2)
    assert t * hedges_correction(2) == pytest.approx([0.46, 2.43], abs=0.005)
    a, b = np.random.default_rng(1).normal(size=(2, 2, 4000))
    cells = [[table(x) for x in g] for g in (a, b)]
    g = paired_comparison(*cells, align="cycle_count")["hedges_g_ratio"].abs()
    assert g.median() == pytest.approx(0.46, abs=0.03)


def test_an_interval_of_two_and_two_cells_covers_the_truth():
    """Nominal 95 % with 1 to 2 degrees of freedom; Welch errs to the safe side."""
    a, b = np.random.default_rng(2).normal(size=(2, 2, 4000))
    _, low, high, freedom = welch(*(mean_and_deviation(x) for x in (a, b)))
    assert 0.95 < ((low < 0.0) & (high > 0.0)).mean() < 0.99
    assert freedom.min() >= 1.0
    assert freedom.max() <= 2.0 + 1e-12


def test_mean_and_deviation_of_a_column_without_values_are_nan():
    mean, deviation, n = mean_and_deviation(np.array([[1.0, np.nan], [2.0, np.nan]]))
    assert mean[0] == 1.5
    assert np.isnan(mean[1])
    assert np.isnan(deviation[1])
    assert n.tolist() == [2, 0]


def test_the_median_slope_is_that_of_all_pairs():
    x, y = np.array([0.0, 1.0, 3.0, 4.0]), np.array([0.0, 1.0, 2.0, 9.0])
    pairs = [(y[j] - y[i]) / (x[j] - x[i]) for i in range(4) for j in range(i + 1, 4)]
    slope, low, high = theil_sen(x, y)
    assert slope == pytest.approx(np.median(pairs))
    assert low <= slope <= high
