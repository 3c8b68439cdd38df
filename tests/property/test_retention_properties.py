"""Truths of retention, cycle life and comparisons, tried on random cells."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.analysis.replicates import mean_over_replicates, paired_comparison
from equipoise.analysis.retention import cycle_life, fade_rate, retention

Q = "discharging_capacity_mah_per_g_positive"


def table(capacity, number=None):
    capacity = np.asarray(capacity, dtype=float)
    n = capacity.size
    return pl.DataFrame(
        {
            "cycle_count": np.arange(1, n + 1) if number is None else number,
            "cycle_kind": ["ageing"] * n,
            "complete": [True] * n,
            Q: capacity,
            "discharging_capacity_ah": capacity * 1.234e-5,
        }
    )


capacities = st.lists(st.floats(20.0, 250.0), min_size=3, max_size=40)
losses = st.lists(st.floats(0.1, 8.0), min_size=4, max_size=40)
thresholds = st.floats(0.3, 0.95)
gaps = st.lists(st.integers(1, 30), min_size=40, max_size=40)
same_length = st.integers(2, 12).flatmap(
    lambda n: st.lists(
        st.lists(st.floats(50.0, 250.0), min_size=n, max_size=n), min_size=2, max_size=4
    )
)


@given(capacities)
def test_retention_does_not_depend_on_the_unit(values):
    cycles = table(values)
    per_gram, ah = (
        retention(cycles, quantity=q)["capacity_retention"].to_numpy()
        for q in (Q, "discharging_capacity_ah")
    )
    assert per_gram == pytest.approx(ah, rel=1e-12)


@given(capacities, st.floats(1e-6, 1e6))
def test_retention_does_not_depend_on_the_scale(values, factor):
    one, other = (
        retention(table(np.array(values) * f))["capacity_retention"].to_numpy()
        for f in (1.0, factor)
    )
    assert one == pytest.approx(other, rel=1e-12)


@given(losses, thresholds, st.integers(1, 4), gaps)
def test_a_monotone_fade_crosses_exactly_once(lost, threshold, consecutive, gap):
    capacity = 200.0 - np.concatenate(([0.0], np.cumsum(lost)))
    capacity = np.maximum(capacity, 200.0 * np.exp(-np.arange(capacity.size)) * 1e-3)
    number = np.cumsum(gap[: capacity.size])[: capacity.size]
    capacity = capacity[: number.size]
    cycles = table(capacity, number)
    life = cycle_life(
        cycles, threshold_retention=threshold, consecutive_count=consecutive
    )
    ratio = retention(cycles)["capacity_retention"].to_numpy()
    below = ratio < threshold
    assert np.count_nonzero(np.diff(below.astype(int))) <= 1
    assert not life.recovers
    assert life.censored == (below.sum() < consecutive)
    if life.censored:
        assert math.isnan(life.life_cycle_count)
        assert life.unconfirmed_count == below.sum()
    else:
        first = int(np.argmax(below))
        since = number - number[0]
        assert life.upper_bound_cycle_count == since[first]
        assert life.lower_bound_cycle_count == since[first - 1]


@given(capacities, thresholds, st.integers(1, 3), gaps)
def test_an_interpolated_life_lies_between_its_neighbours(
    values, threshold, consecutive, gap
):
    number = np.cumsum(gap)[: len(values)]
    cycles = table(values[: number.size], number)
    ask = {"threshold_retention": threshold, "consecutive_count": consecutive}
    life = cycle_life(cycles, **ask)
    if life.censored:
        return
    low, high = life.lower_bound_cycle_count, life.upper_bound_cycle_count
    assert low <= life.life_cycle_count <= high
    assert cycle_life(cycles, interpolate=False, **ask).life_cycle_count == high
    ratio = dict(
        retention(cycles).select("ageing_cycle_count", "capacity_retention").iter_rows()
    )
    assert ratio[low] >= threshold > ratio[high]


def reached(life):
    return math.inf if life.censored else life.life_cycle_count


@given(capacities, thresholds, st.floats(0.0, 0.04), st.integers(1, 3))
def test_a_higher_threshold_never_gives_a_longer_life(
    values, threshold, more, consecutive
):
    cycles = table(values)
    low, high = (
        cycle_life(cycles, threshold_retention=x, consecutive_count=consecutive)
        for x in (threshold, threshold + more)
    )
    assert reached(high) <= reached(low) + 1e-9


@given(capacities, thresholds)
def test_asking_for_more_confirmation_never_gives_a_shorter_life(values, threshold):
    cycles = table(values)
    lives = [
        reached(cycle_life(cycles, threshold_retention=threshold, consecutive_count=n))
        for n in (1, 2, 3)
    ]
    assert lives == sorted(lives)


@given(capacities, thresholds, st.floats(0.0, 0.05))
def test_the_earliest_and_the_latest_life_enclose_it(values, threshold, noise):
    life = cycle_life(
        table(values), threshold_retention=threshold, uncertainty_retention=noise
    )
    assert life.earliest_life_cycle_count <= reached(life) + 1e-9
    assert reached(life) <= life.latest_life_cycle_count + 1e-9


@given(capacities, st.integers(1, 1000))
def test_life_does_not_depend_on_where_the_cycler_begins_to_count(values, shift):
    n = len(values)
    one = cycle_life(table(values))
    other = cycle_life(table(values, np.arange(n) + shift))
    assert other.life_cycle_count == pytest.approx(one.life_cycle_count, nan_ok=True)
    assert other.absolute_life_cycle_count - one.absolute_life_cycle_count == (
        pytest.approx(shift - 1, nan_ok=True)
        if not one.censored
        else pytest.approx(math.nan, nan_ok=True)
    )


@given(st.floats(-1.0, 1.0), st.integers(3, 60))
def test_the_fade_of_a_straight_line_is_its_slope(slope_percent, n):
    capacity = 200.0 * (1.0 - slope_percent / 100.0 * np.arange(n))
    fade = fade_rate(table(capacity)).fade_per_cycle_percent
    assert fade == pytest.approx(slope_percent, abs=1e-9)


@given(same_length, st.randoms(use_true_random=False))
def test_the_order_of_the_replicates_changes_nothing(cells, random):
    tables = [table(c) for c in cells]
    shuffled = list(tables)
    random.shuffle(shuffled)
    one, other = (mean_over_replicates(t).to_numpy() for t in (tables, shuffled))
    assert one == pytest.approx(other, rel=1e-12, abs=1e-12)


@given(capacities, st.integers(2, 5))
def test_identical_cells_have_their_own_mean_and_no_scatter(values, n):
    found = mean_over_replicates([table(values)] * n)
    assert found[f"mean_{Q}"].to_list() == values
    assert (found[f"standard_deviation_{Q}"] == 0.0).all()


@given(same_length)
def test_the_mean_lies_between_the_extremes_and_agrees_with_numpy(cells):
    found = mean_over_replicates([table(c) for c in cells])
    values = np.array(cells)
    assert found[f"mean_{Q}"].to_numpy() == pytest.approx(values.mean(axis=0))
    assert found[f"standard_deviation_{Q}"].to_numpy() == pytest.approx(
        values.std(axis=0, ddof=1), abs=1e-9
    )
    assert (found[f"minimum_{Q}"] <= found[f"mean_{Q}"] + 1e-9).all()
    assert (found[f"mean_{Q}"] <= found[f"maximum_{Q}"] + 1e-9).all()


@given(same_length, st.floats(0.1, 10.0))
def test_scaling_both_groups_scales_the_difference_and_not_the_effect(cells, factor):
    a, b = np.array(cells), np.array(cells)[:, ::-1] + 1.0
    one, other = (
        paired_comparison([table(f * x) for x in a], [table(f * x) for x in b])
        for f in (1.0, factor)
    )
    for name in ("difference", "low_difference", "high_difference"):
        column = f"{name}_{Q}"
        assert other[column].to_numpy() == pytest.approx(
            factor * one[column].to_numpy(), rel=1e-6, abs=1e-6, nan_ok=True
        )
    spread = mean_over_replicates([table(x) for x in a])[f"standard_deviation_{Q}"]
    if spread.min() > 1e-3:  # else rounding errors are the spread
        assert other["hedges_g_ratio"].to_numpy() == pytest.approx(
            one["hedges_g_ratio"].to_numpy(), rel=1e-6, abs=1e-9
        )


@given(same_length)
def test_exchanging_the_groups_turns_the_difference_around(cells):
    a, b = [table(c) for c in cells], [table(c[::-1]) for c in cells]
    one, other = paired_comparison(a, b), paired_comparison(b, a)
    for name, turned in (
        ("difference", "difference"),
        ("low_difference", "high_difference"),
    ):
        assert one[f"{name}_{Q}"].to_numpy() == pytest.approx(
            -other[f"{turned}_{Q}"].to_numpy(), rel=1e-9, abs=1e-9, nan_ok=True
        )
