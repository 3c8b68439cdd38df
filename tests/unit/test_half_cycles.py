"""Half-cycles and charge passed, by hand."""

import numpy as np
import polars as pl
import pytest

from equipoise import DataError
from equipoise.analysis.half_cycles import charge_passed, half_cycles
from equipoise.analysis.summary import cycle_summary


def series(hour, ampere, volt=None, **more):
    """A time series; time in hours, so that 1 A for 1 h is 1 Ah."""
    ampere = np.asarray(ampere, dtype=float)
    return pl.DataFrame(
        {
            "test_time_second": 3600.0 * np.asarray(hour, dtype=float),
            "voltage_volt": np.full(ampere.size, 3.5) if volt is None else volt,
            "current_ampere": ampere,
            **more,
        },
        strict=False,
    )


# charge 1 A for 2 h, hold that falls to 0.5 A, rest, discharge 2 A for 1 h, rest
HOUR = [0, 0, 2, 3, 3, 4, 4, 5, 5, 6]
AMPERE = [0, 1, 1, 0.5, 0, 0, -2, -2, 0, 0]


def test_a_hold_belongs_to_its_charge_and_a_rest_to_nothing():
    found = half_cycles(series(HOUR, AMPERE, cycle_count=[7] * 10))
    assert len(found) == 2
    assert found.direction.tolist() == [1, -1]
    assert found.start.tolist() == [1, 6]
    assert found.stop.tolist() == [4, 8]
    assert found.cycle_count.tolist() == [7, 7]
    assert found.capacity_ah == pytest.approx([2.75, 2.0])
    assert (found.source, found.cycles_derived) == ("current", False)


def test_the_charge_passed_is_signed_and_begins_with_zero():
    passed = charge_passed(series(HOUR, AMPERE))
    assert passed == pytest.approx([0, 0, 2, 2.75, 2.75, 2.75, 2.75, 0.75, 0.75, 0.75])


def test_a_rest_within_a_charge_does_not_end_it():
    found = half_cycles(series([0, 1, 1, 2, 2, 3], [1, 1, 0, 0, 1, 1]))
    assert found.direction.tolist() == [1]
    assert (found.start[0], found.stop[0]) == (0, 6)
    assert found.capacity_ah == pytest.approx([2.0])


def test_a_change_of_cycle_ends_a_half_cycle():
    found = half_cycles(series([0, 1, 1, 2], [1, 1, 1, 1], cycle_count=[1, 1, 2, 2]))
    assert found.cycle_count.tolist() == [1, 2]
    assert found.capacity_ah == pytest.approx([1.0, 1.0])


def test_where_the_sign_jumps_each_current_holds_for_half_of_the_time():
    found = half_cycles(series([0, 1, 2, 3], [1, 1, -2, -2]))
    assert found.capacity_ah == pytest.approx([1.5, 3.0])


def test_a_current_below_a_ten_thousandth_of_the_largest_is_rest():
    table = series([0, 1, 1, 101], [1.0, 1.0, 0.99e-4, 0.99e-4])
    assert half_cycles(table).stop.tolist() == [2]
    assert charge_passed(table)[-1] == pytest.approx(1.0)
    more = series([0, 1, 1, 101], [1.0, 1.0, 1.01e-4, 1.01e-4])
    assert half_cycles(more).stop.tolist() == [4]
    assert charge_passed(more)[-1] == pytest.approx(1.0101)


def test_impedance_rows_carry_no_current():
    table = series(
        [0, 1, 1, 2, 3], [1, 1, 5, -5, 0], frequency_hertz=[None, None, 1e3, 1.0, None]
    )
    found = half_cycles(table)
    assert found.capacity_ah == pytest.approx([1.0])
    assert found.stop.tolist() == [2]


@pytest.mark.parametrize(
    ("begins", "ampere", "cycles"),
    [
        ("charge", [1, 1, -1, -1, 0, 1, -1], [1, 1, 2, 2]),
        ("discharge", [-1, -1, 1, 1, 0, -1, 1], [1, 1, 2, 2]),
        ("charge", [0, 1, 0, 1, -1, 0, -1], [1, 1]),
        # a discharge before the first charge answers none: it is a cycle of its own
        ("charge", [-1, -1, 1, 1, 0, -1, 1], [1, 2, 2, 3]),
        ("discharge", [1, 1, -1, -1, 0, 1, -1], [1, 2, 2, 3]),
    ],
)
def test_derived_cycles_pair_what_belongs_together(begins, ampere, cycles):
    found = half_cycles(series(range(7), ampere), begins=begins)
    assert found.cycles_derived
    assert found.cycle_count.tolist() == cycles


def test_a_given_cycle_count_is_never_renumbered():
    table = series(range(6), [1, -1, 1, -1, 1, -1], cycle_count=[0, 0, 5, 5, 6, 9])
    found = half_cycles(table)
    assert not found.cycles_derived
    assert found.cycle_count.tolist() == [0, 0, 5, 5, 6, 9]


def test_rows_without_a_cycle_belong_to_the_one_before():
    table = series(range(5), [1, 1, 1, 1, 1], cycle_count=[None, 3, None, 4, None])
    assert half_cycles(table).cycle_count.tolist() == [3, 4]
    assert half_cycles(table).stop.tolist() == [3, 5]
    empty = pl.Series([None] * 5, dtype=pl.Int64)
    assert half_cycles(series(range(5), [1] * 5, cycle_count=empty)).cycles_derived


WHOLE = {"charging_capacity_ah": [5, 6, 6, 7], "discharging_capacity_ah": [0, 0, 2, 2]}
CYCLE = {
    "cycle_charging_capacity_ah": [0, 3, 3, 4],
    "cycle_discharging_capacity_ah": [0, 0, 5, 5],
}
STEP = {
    "step_charging_capacity_ah": [0, 10, 0, 11],
    "step_discharging_capacity_ah": [0, 0, 12, 0],
}
STEPS = {"step_count": [1, 1, 2, 3]}


@pytest.mark.parametrize(
    ("counters", "expected", "source"),
    [
        (STEPS | STEP | CYCLE | WHOLE, [1, 2, 1], "charging_capacity_ah"),
        (STEPS | STEP | CYCLE, [3, 5, 1], "cycle_charging_capacity_ah"),
        (STEPS | STEP, [10, 12, 11], "step_charging_capacity_ah"),
        (STEP, [1.5, 1.0, 0.5], "current"),
        (
            STEPS | {"step_cumulative_capacity_ah": [0, 4, 6, 3]},
            [4, 6, 3],
            "step_cumulative_capacity_ah",
        ),
        ({"net_capacity_ah": [7, 9, 6, 8]}, [2, 3, 2], "net_capacity_ah"),
        ({}, [1.5, 1.0, 0.5], "current"),
    ],
)
def test_counters_are_preferred_in_their_order(counters, expected, source):
    table = series(range(4), [1, 1, -1, 1], cycle_count=[1] * 4, **counters)
    found = half_cycles(table)
    assert found.capacity_ah == pytest.approx(expected)
    assert found.source.split(",")[0] == source
    by_current = half_cycles(table, source="current")
    assert by_current.capacity_ah == pytest.approx([1.5, 1.0, 0.5])
    assert by_current.source == "current"


def test_a_counter_starts_from_zero_where_it_is_reset():
    table = series(
        range(6),
        [1, 1, -1, 1, 1, -1],
        cycle_count=[1, 1, 1, 2, 2, 2],
        cycle_charging_capacity_ah=[0.5, 1.5, 1.5, 0.25, 1.25, 1.25],
        cycle_discharging_capacity_ah=[0, 0, 1, 0, 0, 1],
    )
    assert half_cycles(table).capacity_ah == pytest.approx([1.5, 1.0, 1.25, 1.0])
    assert charge_passed(table) == pytest.approx([0, 1, 0, 0.25, 1.25, 0.25])


def test_a_counter_may_be_silent_at_rest_but_not_under_current():
    hours, ampere = [0, 1, 2, 3], [1, 1, 0, -1]
    silent = {
        "charging_capacity_ah": [0.0, 3.0, None, 3.0],
        "discharging_capacity_ah": [0.0, 0.0, None, 4.0],
    }
    found = half_cycles(series(hours, ampere, **silent))
    assert found.capacity_ah == pytest.approx([3.0, 4.0])
    silent["charging_capacity_ah"] = [0.0, None, 3.0, 3.0]
    assert half_cycles(series(hours, ampere, **silent)).source == "current"


def test_a_counter_of_the_cycle_is_useless_without_cycles():
    table = series(range(4), [1, 1, -1, -1], **CYCLE)
    assert half_cycles(table).source == "current"
    with pytest.raises(DataError, match="no capacity counter"):
        half_cycles(table, source="counter")


def test_a_counter_that_falls_or_is_negative_is_refused_with_its_row():
    fine = {"discharging_capacity_ah": [0.0, 0.0, 0.0]}
    table = series(range(3), [1, 1, 1], charging_capacity_ah=[0, 2, 1.0], **fine)
    with pytest.raises(DataError, match="charging_capacity_ah falls from 2 to 1 in ro"):
        half_cycles(table)
    assert len(half_cycles(table, source="current")) == 1
    table = series(range(3), [1, 1, 1], charging_capacity_ah=[0, -1, -2.0], **fine)
    with pytest.raises(DataError, match="row 1"):
        charge_passed(table)
    table = series(range(3), [1, 1, 1], charging_capacity_ah=[0, 2, 1.9999], **fine)
    assert half_cycles(table).capacity_ah == pytest.approx([1.9999])


def test_a_table_at_rest_has_no_half_cycles():
    found = half_cycles(series(range(3), [0, 0, 0]))
    assert len(found) == 0
    assert found.capacity_ah.shape == found.cycle_count.shape == (0,)
    assert charge_passed(series(range(3), [0, 0, 0])).tolist() == [0, 0, 0]


def test_a_table_of_one_row_passes_no_charge():
    assert half_cycles(series([0], [1])).capacity_ah.tolist() == [0.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test_time_second": [0.0, 2.0, 1.0]}, "runs back from 2 to 1 in row 2"),
        ({"test_time_second": [0.0, np.nan, 1.0]}, "test_time_second is nan in row 1"),
        ({"voltage_volt": [3.0, 3.0, np.inf]}, "voltage_volt is inf in row 2"),
        ({"current_ampere": [3.0, np.nan, 0.0]}, "current_ampere is nan in row 1"),
        ({"current_ampere": [3.0, None, 0.0]}, "current_ampere has no value in row 1"),
        ({"cycle_count": [1, 2, 1]}, "cycle_count falls from 2 to 1 in row 2"),
        ({"cycle_count": [1.0, 1.5, 2.0]}, "no whole numbers"),
    ],
)
def test_a_bad_table_is_refused_and_says_where(change, message):
    table = series(range(3), [1, 1, 1]).with_columns(
        **{k: pl.Series(v) for k, v in change.items()}
    )
    with pytest.raises(DataError, match=message):
        half_cycles(table)


def test_a_missing_column_an_empty_table_and_a_wrong_source_are_refused():
    table = series(range(3), [1, 1, 1])
    with pytest.raises(DataError, match="voltage_volt"):
        half_cycles(table.drop("voltage_volt"))
    with pytest.raises(DataError, match="no rows"):
        half_cycles(table.head(0))
    with pytest.raises(DataError, match="'counters'"):
        charge_passed(table, "counters")


def test_integers_chunks_and_single_precision_change_nothing():
    table = series(HOUR, AMPERE, cycle_count=[1] * 10)
    parts = pl.concat([table.head(3), table.tail(7)], rechunk=False).with_columns(
        pl.col("current_ampere").cast(pl.Float32), pl.col("cycle_count").cast(pl.UInt16)
    )
    assert half_cycles(parts).capacity_ah == pytest.approx([2.75, 2.0])
    assert table["current_ampere"].to_list() == AMPERE


@pytest.mark.parametrize("source", ["counter", "current"])
def test_cycles_that_were_left_out_put_no_charge_into_the_next_one(source):
    """Whole-test counters, efficiency 0.9: 48 cycles in between hide 4.8 Ah."""
    n = 100
    up, down = (
        np.r_[np.full(10, 0.1), np.zeros(10)],
        np.r_[np.zeros(10), np.full(10, 0.09)],
    )
    whole = series(
        0.1 * np.arange(20 * n),
        np.tile(np.r_[np.ones(10), np.full(10, -0.9)], n),
        cycle_count=np.repeat(np.arange(1, n + 1), 20),
        charging_capacity_ah=np.cumsum(np.tile(up, n)),
        discharging_capacity_ah=np.cumsum(np.tile(down, n)),
    )
    few = whole.filter(pl.col("cycle_count").is_in([2, 50]))
    found = cycle_summary(few, source=source)
    # the first row of a piece has nothing before it: 9 of 10 intervals, or 9.5
    lost = 0.1 if source == "counter" else 0.05
    assert found["charging_capacity_ah"].to_list() == pytest.approx([1.0 - lost] * 2)
    assert found["discharging_capacity_ah"].to_list() == pytest.approx(
        [0.9, 0.9] if source == "counter" else [0.9 - 0.045] * 2, abs=1e-9
    )
    assert abs(charge_passed(few, source)).max() < 1.1
