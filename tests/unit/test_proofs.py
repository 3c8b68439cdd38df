"""Proofs of unit, sign and time: what they must catch, and what they cannot know."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cycler_files import BDF_LABELS, bdf_columns, bdf_text, since, step_marks, truth
from equipoise.core.errors import DataError
from equipoise.io.readers import charge_proof as cp
from equipoise.io.readers import clocks
from equipoise.io.readers import sign_proof as sp
from equipoise.io.readers import time_proof as tp
from equipoise.io.readers.counters import (
    column_name,
    counted,
    granularity,
    resolution,
)
from equipoise.io.readers.draft import Counter
from equipoise.io.readers.printed import rounding_of
from equipoise.io.readers.read import read

MADE = truth()
ENERGY = {**BDF_LABELS, "charge_wh": "Charging Energy / Wh"}
NO_COUNTER = {k: BDF_LABELS[k] for k in ("time", "voltage", "current")}


@pytest.fixture
def reads(tmp_path):
    def go(made=MADE, labels=None, **options):
        path = tmp_path / "a.bdf.csv"
        sign = options.pop("current_sign", None)
        path.write_bytes(bdf_text(made, labels, **options))
        return read(path, current_sign=sign)

    return go


def level(recording, what):
    return {f.level for f in recording.findings if f.what.startswith(what)}


# unit


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 1 / 60, 0.5, 0.98, 1.02, 60, 1e3, 1e6])
def test_a_current_off_by_a_factor_is_refused(reads, factor):
    with pytest.raises(DataError, match="counted"):
        reads(current=factor)


def rows_of(seconds, amperes=None):
    """Rows at 1 A (or as given) and 1 V, all of them looked at."""
    ones = np.ones(seconds.size)
    amperes = ones if amperes is None else amperes
    return cp.Rows(seconds, ones, amperes, np.empty(0, np.uint8))


def counter_of(gained, direction="charge"):
    return Counter("Ah", "capacity", direction, np.cumsum(gained))


def test_one_per_cent_is_the_border():
    """On arrays, so that nothing but the ratio matters."""
    rows = rows_of(np.arange(0.0, 36001.0, 1.0))
    for ratio, kind in (
        (1.0099, "proven"),
        (1.0101, "wrong"),
        (0.9901, "proven"),
        (0.9899, "wrong"),
    ):
        gained = np.full(rows.seconds.size, 10.0 / ratio / (rows.seconds.size - 1))
        found = cp.verdict(
            cp.totals(rows, counter_of(gained), gained), rounding=0.0, slack=0.0
        )
        assert found.kind == kind
        assert found.residual_ratio == pytest.approx(ratio - 1.0, abs=1e-3)


def test_a_regular_test_is_judged_by_the_same_one_per_cent(reads):
    """The distance of its rows is not the last digit of its counter."""
    made = truth(cycles=60, hold=False, every=240, c_rate=1.037123)
    assert level(reads(made), "current: unit") == {"proven"}
    with pytest.raises(DataError, match="counted"):
        reads(made, current=1.03)


def test_the_energy_tells_the_unit_of_the_voltage(reads):
    assert level(reads(labels=ENERGY), "voltage") == {"proven"}
    with pytest.raises(DataError, match="Energy"):
        reads(labels=ENERGY, voltage=1e3)


def test_without_any_counter_the_unit_is_not_proven(reads):
    recording = reads(labels=NO_COUNTER)
    assert level(recording, "current: unit") == {"not proven"}
    assert level(recording, "current: sign") == {"proven"}  # by the voltage
    assert "not proven" in {f.level for f in recording.findings}


def test_no_charge_proves_nothing(reads):
    zeros = np.zeros(MADE.rows)
    still = replace(MADE, amperes=zeros, charged_ah=zeros, discharged_ah=zeros)
    recording = reads(still)
    assert not recording.proven
    assert level(recording, "current") == {"not proven"}


@pytest.mark.parametrize("factors", [{"charge": 0, "discharge": 0}, {"discharge": -1}])
def test_counters_of_zero_or_below_are_refused(reads, factors):
    with pytest.raises(DataError, match="counted 0 Ah"):
        reads(**factors)


def test_few_digits_prove_no_unit(reads):
    rough = replace(
        MADE,
        amperes=np.round(MADE.amperes * 2e-1, 4),
        charged_ah=MADE.charged_ah * 0.2,
        discharged_ah=MADE.discharged_ah * 0.2,
    )
    assert np.abs(rough.amperes).max() == 4e-4
    recording = reads(rough)
    assert "proven" not in {
        f.level
        for f in recording.findings
        if f.what.startswith("current: unit") and abs(f.residual_ratio or 0.0) > 0.02
    }


def test_rows_far_apart_prove_no_unit(reads):
    ends = np.flatnonzero(np.diff(np.append(step_marks(MADE), -1)) != 0)
    recording = reads(MADE.take(ends))
    assert level(recording, "current: unit") == {"not proven"}
    assert not any(
        f.what.startswith("current: unit") and f.level == "proven"
        for f in recording.findings
    )


@pytest.mark.parametrize("every", [1, 7, 13])
def test_pulses_are_integrated(reads, every):
    made = truth(pulses=True, every=every)
    assert level(reads(made), "current: unit") == {"proven"}


def test_the_tail_of_a_hold_is_integrated(reads):
    made = truth(every=120)
    found = [f for f in reads(made).findings if f.what.startswith("current: unit")]
    assert {f.level for f in found} == {"proven"}
    assert all(abs(f.residual_ratio) < 0.01 for f in found)


def test_a_change_of_unit_that_cancels_in_the_total_is_caught(reads):
    """One half-cycle ten times too large, ten others too small by as much."""
    made = truth(cycles=24, hold=False, every=60)
    charge = made.steps == 2
    wrong = np.ones(made.rows)
    wrong[charge & (made.cycles == 3)] = 3.0
    wrong[charge & np.isin(made.cycles, (10, 11))] = 1e-3
    lie = replace(made, amperes=made.amperes * wrong)
    gained = np.diff(made.charged_ah, prepend=0.0)
    rows = rows_of(lie.seconds, lie.amperes)
    found = cp.totals(rows, counter_of(gained), gained).middle
    assert found == pytest.approx(made.charged_ah[-1], rel=5e-3)  # hidden
    with pytest.raises(DataError, match="factor of two"):
        reads(lie)


def test_values_may_be_missing_from_a_counter(tmp_path):
    for share in (0.3, 0.95):
        columns = bdf_columns(MADE)
        random = np.random.default_rng(5)
        rows = []
        for row in zip(*(columns[k].tolist() for k in BDF_LABELS), strict=True):
            cells = [repr(x) for x in row]
            for i in (4, 5):
                if random.random() < share:
                    cells[i] = ""
            rows.append(",".join(cells))
        path = tmp_path / "nulls.bdf.csv"
        path.write_text("\n".join([",".join(BDF_LABELS.values()), *rows]) + "\n")
        recording = read(path)
        assert level(recording, "current: unit") == {"proven"}
        assert recording.table["charging_capacity_ah"].null_count() > 0.2 * MADE.rows


def test_a_counter_that_begins_late_is_compared_from_there_on(tmp_path):
    """Its first value says nothing of what passed before it."""
    columns = bdf_columns(MADE)
    late = MADE.rows // 3
    lines = [",".join(BDF_LABELS.values())]
    for i, row in enumerate(zip(*(columns[k].tolist() for k in BDF_LABELS))):  # noqa: B905
        cells = [repr(x) for x in row]
        lines.append(",".join(cells[:4] + (["", ""] if i < late else cells[4:])))
    path = tmp_path / "late.bdf.csv"
    path.write_text("\n".join(lines) + "\n")
    assert level(read(path), "current: unit") == {"proven"}


# sign


def test_the_standard_fixes_the_sign(reads):
    with pytest.raises(DataError, match="charged where the current is below zero"):
        reads(sign=-1.0)
    with pytest.raises(DataError, match="the voltage says"):
        reads(labels=NO_COUNTER, sign=-1.0)


def test_the_user_may_say_the_sign_but_not_against_the_file(reads):
    recording = reads(sign=-1.0, current_sign="charging negative")
    assert np.array_equal(recording.table["current_ampere"], MADE.amperes)
    with pytest.raises(DataError, match="sign"):
        reads(current_sign="charging negative")


def test_reversed_leads_contradict_the_counters(reads):
    with pytest.raises(DataError, match="contradictory"):
        reads(voltage=-1.0)


def test_exchanged_counters_contradict_the_voltage(reads):
    lie = replace(MADE, charged_ah=MADE.discharged_ah, discharged_ah=MADE.charged_ah)
    with pytest.raises(DataError, match="contradictory"):
        reads(lie)


def test_a_symmetric_cell_is_passive_too(reads):
    flat = replace(MADE, volts=0.02 * np.sign(MADE.amperes) + 1e-5)
    assert level(reads(flat), "current: sign") == {"proven"}
    with pytest.raises(DataError, match="sign"):
        reads(flat, labels=NO_COUNTER, sign=-1.0)


@pytest.mark.parametrize("seed", range(8))
def test_noise_of_the_voltage_tells_no_sign(reads, seed):
    """Around zero volt, as a symmetric cell at a small current."""
    random = np.random.default_rng(seed)
    noisy = replace(MADE, volts=1e-3 * random.standard_normal(MADE.rows))
    assert level(reads(noisy, labels=NO_COUNTER), "current: sign") == {"not proven"}
    with pytest.raises(DataError, match="counters"):
        reads(noisy, sign=-1.0)
    assert level(reads(noisy), "current: sign") == {"proven"}


def test_a_flickering_last_digit_tells_no_sign():
    random = np.random.default_rng(0)
    volts = np.round(3.0 + 1e-4 * random.integers(0, 2, 400), 4)
    assert sp.by_voltage(np.full(400, 1e-3), volts).sign == 0


@pytest.mark.parametrize("noise", [0.0, 1e-4, 1e-3])
def test_a_slow_curve_with_noise_tells_the_sign(noise):
    random = np.random.default_rng(1)
    volts = 3.0 + 0.3 * np.linspace(0, 1, 5000) + noise * random.standard_normal(5000)
    assert sp.by_voltage(np.full(5000, 1e-3), volts).sign == 1
    assert sp.by_voltage(np.full(5000, -1e-3), volts).sign == -1


def test_a_little_noise_below_zero_is_no_sign():
    amperes = np.abs(MADE.amperes)
    amperes[3] = -1e-8
    assert not sp.is_signed(amperes)
    assert sp.is_signed(MADE.amperes)


# time


def test_a_pause_does_not_change_the_unit():
    time = np.arange(0.0, 5000.0, 10.0)
    clock = time + np.where(time > 2000.0, 7200.0, 0.0)  # stopped for two hours
    found = tp.against_clock(time / 60.0, clock, 1.0)
    assert tp.unit_by_clock(found, (1.0, 60.0, 3600.0)) == 60.0


def test_a_clock_of_minutes_tells_of_a_long_test_only():
    time = np.arange(0.0, 3600.0, 10.0)
    assert tp.against_clock(time, np.floor(time / 60.0) * 60.0, 60.0) is None
    time = np.arange(0.0, 360000.0, 10.0)
    found = tp.against_clock(time, np.floor(time / 60.0) * 60.0, 60.0)
    assert tp.unit_by_clock(found, (1.0, 60.0)) == 1.0


def test_a_clock_that_fits_no_unit_is_no_proof():
    time = np.arange(0.0, 5000.0, 10.0)
    found = tp.against_clock(time, 7.0 * time, 1.0)
    assert tp.unit_by_clock(found, (1.0, 60.0, 3600.0)) is None


def test_gaps_are_pointed_out(reads):
    gone = MADE.take((MADE.seconds < 4000.0) | (MADE.seconds > 9000.0))
    recording = reads(gone, labels=NO_COUNTER)
    assert "look" in level(recording, "test time")


# counters


def increments(values, cycles=None, steps=None, direction="both", declared=""):
    counter = Counter(
        "c", "capacity", direction, np.asarray(values, float), declared=declared
    )
    as_marks = [None if m is None else np.asarray(m) for m in (cycles, steps)]
    return counter, counted(counter, *as_marks)


def test_increments_are_exact_across_resets():
    values = [0, 1, 2, 0, 3, 0.5, 0.75, 0.0, 0.0, 4]
    _, found = increments(values)
    assert found.increments.tolist() == [0, 1, 1, 0, 3, 0.5, 0.25, 0, 0, 4]
    assert found.resets.tolist() == [3, 5, 7]


def test_a_counter_that_does_not_begin_at_zero_counts_from_its_first_row():
    _, found = increments([5, 6, 8])
    assert found.increments.sum() == 3


@pytest.mark.parametrize("rule", ["test", "cycle", "step"])
def test_the_rule_of_resets_gives_the_name(rule):
    total = MADE.charged_ah + MADE.discharged_ah
    steps = step_marks(MADE)
    marks = {"test": np.zeros(MADE.rows), "cycle": MADE.cycles, "step": steps}[rule]
    counter, found = increments(since(total, marks), MADE.cycles, steps)
    assert found.rule == rule
    assert found.increments.sum() == pytest.approx(total[-1], abs=1e-15)
    names = {
        "test": "cumulative_capacity_ah",
        "cycle": "",
        "step": "step_cumulative_capacity_ah",
    }
    assert column_name(counter, found.rule) == names[rule]


def test_resets_at_other_places_have_no_name_but_a_sum():
    counter, found = increments([0, 1, 2, 0, 1, 2], cycles=[0] * 6, steps=[0] * 6)
    assert found.rule == "other"
    assert found.increments.sum() == 4
    assert column_name(counter, found.rule) == ""


def test_what_the_file_declares_holds_if_nothing_contradicts_it():
    declared = "cycle_charging_capacity_ah"
    one_cycle = [0, 1, 2, 3]
    _, found = increments(one_cycle, [1] * 4, None, "charge", declared)
    assert found.rule == "cycle"
    goes_on = [0, 1, 2, 3]
    _, found = increments(goes_on, [1, 1, 2, 2], None, "charge", declared)
    assert found.rule == "test"


def test_a_net_counter_may_fall():
    _, found = increments([0, 1, 2, 1, -1], direction="net")
    assert found.increments.tolist() == [0, 1, 1, -1, -2]
    assert found.resets.size == 0


def test_missing_values_are_bridged():
    nan = float("nan")
    _, found = increments([nan, 1, nan, 3, nan])
    assert found.increments.tolist() == [0, 0, 0, 2, 0]


def test_the_last_digit_is_told_from_the_distance_of_rows():
    charge = np.round(np.arange(100) * 0.0133, 6)
    assert resolution(charge) == pytest.approx(0.0133 / 2)
    assert granularity(charge, 1.0) == pytest.approx(0.5e-4)
    coarse = np.floor(np.arange(100) * 0.1) * 0.004  # stands still ten rows long
    rows = rows_of(np.arange(0.0, 100.0))
    moved = cp.totals(rows, Counter("Ah", "capacity", "charge", coarse), coarse * 0.0)
    assert moved.moved_ratio == pytest.approx(9 / 99)
    assert granularity(coarse, moved.moved_ratio) == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("values", "half"), [([0.1, 0.25], 0.005), ([10.0, 20.0], 5.0), ([0.0], 0.0)]
)
def test_the_rounding_is_half_of_the_last_printed_place(values, half):
    assert rounding_of(np.array(values)) == pytest.approx(half)


@pytest.mark.parametrize("factor", [3.0, 1 / 3.0])
def test_a_half_cycle_that_is_off_either_way_is_found(factor):
    amperes = np.where(np.arange(1000) % 500 < 250, 1.0, -1.0)
    rows = rows_of(np.arange(0.0, 1000.0), amperes)
    gained = np.full(1000, 1.0 / 3600.0)
    gained[0] = 0.0

    def found(increments):
        counter = counter_of(increments, "both")
        return cp.wrong_row(rows, counter, increments, rest_ampere=1e-4, slack=0.0)

    assert found(gained) is None
    gained[500:750] *= factor
    assert found(gained) == 500


def test_one_wrong_half_cycle_of_many_small_ones_is_found():
    """Each is four parts in a thousand of the charge."""
    amperes = np.where(np.arange(24_000) % 200 < 100, 1.0, -1.0)
    rows = rows_of(np.arange(0.0, 24_000.0), amperes)
    gained = np.full(24_000, 1.0 / 3600.0)
    gained[7000:7100] *= 10.0
    counter = counter_of(gained, "both")
    row = cp.wrong_row(rows, counter, gained, rest_ampere=1e-4, slack=0.0)
    assert row == 7000


def test_a_clock_off_by_some_per_cent_confirms_no_unit():
    time = np.arange(0.0, 5000.0, 10.0)
    found = tp.against_clock(time, 1.03 * time, 1.0)
    assert found.ratio == pytest.approx(1.03)
    assert tp.unit_by_clock(found, (1.0,)) is None


# printed times


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("  2d 02:52:21.57", 2 * 86400 + 2 * 3600 + 52 * 60 + 21.57),
        (":1:00:00:01", 86401.0),
        ("3:00:00:01", 3 * 86400 + 1.0),
        ("125:10:05", 125 * 3600 + 605.0),
        ("00:00:00,5", 0.5),
        ("  0d 00:00:0", 0.0),
    ],
)
def test_durations_are_in_second(text, second):
    column = pl.Series([text.strip()])
    assert clocks.is_duration(column)
    assert clocks.durations(column)[0] == pytest.approx(second)


@pytest.mark.parametrize("text", ["12.5", "03/29/2024 10:00:00", "1d", "::", "10:00"])
def test_other_texts_are_no_durations(text):
    assert not clocks.is_duration(pl.Series([text]))


def test_a_time_of_day_goes_on_over_midnight():
    found = clocks.clock(
        pl.Series(["23:59:50", "00:00:10", None, "12:00:00", "11:00:00"])
    )
    known = found.second[[0, 1, 3, 4]]
    assert np.diff(known).tolist() == [20.0, 12 * 3600 - 10.0, 23 * 3600.0]
    assert np.isnan(found.second[2])
    assert found.first == ""


@pytest.mark.parametrize(
    ("text", "iso", "certain"),
    [
        ("03/29/2024 14:00:00", "2024-03-29T14:00:00", True),
        ("29/03/2024 14:00:00", "2024-03-29T14:00:00", True),
        ("03/04/2024 02:00:00 PM", "2024-03-04T14:00:00", False),
        ("03/29/24 14:00", "2024-03-29T14:00:00", True),
        ("29-Mar-24 2:00:00 PM", "2024-03-29T14:00:00", True),
        ("29-Mar-2024 14:00:00", "2024-03-29T14:00:00", True),
        ("29.03.2024 14:00:00.000", "2024-03-29T14:00:00", True),
        ("2024-03-29 14:00:00", "2024-03-29T14:00:00", True),
    ],
)
def test_dates_are_read(text, iso, certain):
    found = clocks.clock(pl.Series([text]))
    assert (found.first, found.certain) == (iso, certain)


def test_words_are_no_dates():
    assert clocks.clock(pl.Series(["never", "03/29/2024 14:00:00"])) is None
    assert clocks.clock(pl.Series([None, None], dtype=pl.String)) is None


def test_a_change_of_direction_between_two_rows_opens_the_bounds():
    """From +1 A to -1 A in one hour: nothing to 2 Ah pass in both directions."""
    rows = rows_of(np.array([0.0, 3600.0]), np.array([1.0, -1.0]))
    found = cp.totals(rows, counter_of(np.zeros(2), "both"), np.zeros(2))
    assert (found.lowest, found.middle, found.highest) == (0.0, 1.0, 2.0)
    one = cp.totals(rows, counter_of(np.zeros(2)), np.zeros(2))
    assert (one.lowest, one.middle, one.highest) == (0.0, 0.5, 1.0)


def test_a_net_counter_is_compared_by_what_it_moved():
    """2 Ah up and 2 Ah down are 4 Ah, not none."""
    seconds = np.arange(5.0) * 3600.0
    rows = rows_of(seconds, np.array([1.0, 1.0, 1.0, -1.0, -1.0]))
    gained = np.array([0.0, 1.0, 1.0, -1.0, -1.0])
    assert cp.totals(rows, counter_of(gained, "net"), gained).counted == 4.0


def test_intervals_without_a_value_do_not_tell_how_often_a_counter_moves():
    values = np.full(100, np.nan)
    values[::10] = np.arange(10.0)
    rows = rows_of(np.arange(100.0))
    counter = Counter("Ah", "capacity", "charge", values)
    assert cp.totals(rows, counter, np.zeros(100)).moved_ratio == 1.0  # none to tell
