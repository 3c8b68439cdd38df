"""Truths of cycle tables that hold for every test."""

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.analysis.classify import classify
from equipoise.analysis.half_cycles import charge_passed, half_cycles
from equipoise.analysis.summary import cycle_summary

SUMS = (
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_energy_wh",
    "discharging_energy_wh",
)
currents = st.one_of(st.just(0.0), st.floats(0.05, 5.0), st.floats(-5.0, -0.05))
steps = st.lists(st.tuples(currents, st.floats(0.1, 3.0)), min_size=1, max_size=25)


def trace_of(steps, *, rows=4, counters=True, number_cycles=True):
    """Steps of (A, h), each from and to a row, as a cycler writes them."""
    parts, hour, volt = [], 0.0, 3.5
    for i, (ampere, hours) in enumerate(steps):
        end = volt + 0.05 * ampere * hours
        parts.append(
            pl.DataFrame(
                {
                    "test_time_second": 3600.0
                    * np.linspace(hour, hour + hours, rows + 1),
                    "voltage_volt": np.linspace(volt, end, rows + 1),
                    "current_ampere": np.full(rows + 1, ampere),
                    "cycle_count": np.full(rows + 1, i // 4),
                    "step_count": np.full(rows + 1, i),
                }
            )
        )
        hour, volt = hour + hours, end
    table = pl.concat(parts)
    if not number_cycles:
        table = table.drop("cycle_count")
    if not counters:
        return table
    hours = np.diff(table["test_time_second"], prepend=0.0) / 3600.0
    passed = hours * table["current_ampere"].to_numpy()
    return table.with_columns(
        charging_capacity_ah=np.cumsum(np.maximum(passed, 0.0)),
        discharging_capacity_ah=np.cumsum(np.maximum(-passed, 0.0)),
    )


@given(
    steps, st.booleans(), st.booleans(), st.sampled_from(("auto", "current", "counter"))
)
def test_the_charges_of_all_half_cycles_are_the_net_integral(
    steps, counters, numbered, source
):
    assume(counters or source != "counter")
    table = trace_of(steps, counters=counters, number_cycles=numbered)
    net = sum(ampere * hours for ampere, hours in steps)
    found = half_cycles(table, source=source)
    assert np.all(found.capacity_ah >= 0.0)
    signed = float(np.sum(found.direction * found.capacity_ah))
    assert signed == pytest.approx(net, abs=1e-9)
    assert charge_passed(table, source)[-1] == pytest.approx(net, abs=1e-9)
    cycles = cycle_summary(table, source=source).fill_nan(0.0)
    both = cycles[SUMS[0]].sum() - cycles[SUMS[1]].sum()
    assert both == pytest.approx(net, abs=1e-9)
    assert cycles["half_cycles_count"].sum() == len(found)
    assert cycles["rows_count"].sum() == table.height


@given(steps)
def test_half_cycles_are_of_one_sign_and_alternate_within_a_cycle(steps):
    table = trace_of(steps, counters=False)
    found = half_cycles(table)
    ampere = table["current_ampere"].to_numpy()
    covered = 0
    for j in range(len(found)):
        inside = ampere[found.start[j] : found.stop[j]] * found.direction[j]
        assert inside.min() >= 0.0
        assert inside[0] > 0.0
        assert inside[-1] > 0.0
        covered += np.count_nonzero(inside)
        if j and found.cycle_count[j] == found.cycle_count[j - 1]:
            assert found.direction[j] == -found.direction[j - 1]
    assert covered == np.count_nonzero(ampere)


@given(steps)
def test_the_current_and_its_counters_agree(steps):
    table = trace_of(steps)
    by_counter, by_current = (
        cycle_summary(table, source=s, kinds=False) for s in ("counter", "current")
    )
    for name in by_counter.columns:
        np.testing.assert_allclose(
            by_counter[name].to_numpy(),
            by_current[name].to_numpy(),
            rtol=1e-9,
            atol=1e-12,
            err_msg=name,
        )


@given(steps, st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6), st.booleans())
def test_rows_between_rows_change_no_sum(steps, fractions, counters):
    table = trace_of(steps, counters=counters)
    split = split_rows(table, fractions)
    assert split.height > table.height
    before, after = cycle_summary(table), cycle_summary(split)
    for name in SUMS:
        np.testing.assert_allclose(before[name], after[name], rtol=1e-9, atol=1e-12)
    same = ["cycle_count", "half_cycles_count", "end_of_charge_voltage_volt"]
    assert before.select(same).equals(after.select(same))


def split_rows(table, fractions):
    """A row between two rows of a step, at the fractions in turn."""
    first, second = table[:-1], table[1:]
    share = np.resize(np.array(fractions), first.height)
    between = pl.DataFrame(
        {
            name: first[name] + share * (second[name] - first[name])
            if table[name].dtype == pl.Float64
            else first[name]
            for name in table.columns
        }
    ).filter(first["step_count"] == second["step_count"])
    return pl.concat([table, between]).sort(
        "step_count", "test_time_second", maintain_order=True
    )


@given(steps, st.floats(1e-3, 1e3))
def test_sums_follow_the_current_and_efficiencies_do_not(steps, scale):
    table = trace_of(steps, counters=False)
    larger = table.with_columns(pl.col("current_ampere") * scale)
    before, after = cycle_summary(table), cycle_summary(larger)
    for name in (*SUMS, "charge_current_ampere", "maximum_discharge_current_ampere"):
        np.testing.assert_allclose(after[name], before[name] * scale, rtol=1e-9)
    for name in ("coulombic_efficiency", "energy_efficiency"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-9)


rates = st.sampled_from((0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0))
block = st.tuples(st.integers(1, 15), rates, rates, st.floats(0.0, 1.2))
blocks = st.lists(block, min_size=1, max_size=8)


def cycles_of(blocks, scale=1.0):
    """Cycle table of blocks of (cycles, rates, what comes back of the charge)."""
    rows = [b[1:] for b in blocks for _ in range(b[0])]
    charge, discharge, back = np.array(rows).T
    end = 3600.0 * np.cumsum(1 / charge + 1 / discharge)
    n = len(rows)
    return pl.DataFrame(
        {
            "cycle_count": np.arange(n),
            "start_time_second": np.concatenate(([0.0], end[:-1])),
            "end_time_second": end,
            "charging_capacity_ah": np.full(n, scale),
            "discharging_capacity_ah": back * scale,
            "end_of_charge_voltage_volt": 4.2 - 0.01 * charge,
            "end_of_discharge_voltage_volt": np.full(n, 3.0),
            "maximum_charge_current_ampere": charge * scale,
            "maximum_discharge_current_ampere": discharge * scale,
            "half_cycles_count": np.full(n, 2),
        }
    )


@given(blocks, st.sampled_from((1e-6, 1e-3, 0.037, 1.0, 50.0)))
def test_kinds_do_not_depend_on_the_size_of_the_cell(blocks, scale):
    one, other = classify(cycles_of(blocks)), classify(cycles_of(blocks, scale))
    assert one["cycle_kind"].to_list() == other["cycle_kind"].to_list()
    assert one["complete"].to_list() == other["complete"].to_list()


@given(blocks, st.integers(1, 5), st.booleans())
def test_rests_change_no_other_kind(blocks, number, before):
    table = cycles_of(blocks)
    rests = table.head(1).select(
        *(pl.lit(None, dtype=t).alias(n) for n, t in table.schema.items())
    )
    rests = pl.concat([rests] * number)
    parts = [rests, table] if before else [table, rests]
    longer = pl.concat(parts).with_columns(
        cycle_count=pl.int_range(table.height + number)
    )
    found, alone = classify(longer), classify(table)
    kinds = found["cycle_kind"].to_list()
    own = kinds[number:] if before else kinds[: table.height]
    assert own == alone["cycle_kind"].to_list()
    assert kinds.count("rest") == alone["cycle_kind"].to_list().count("rest") + number


@given(blocks)
def test_classification_is_deterministic_and_decides_every_cycle(blocks):
    table = cycles_of(blocks)
    once, twice = classify(table), classify(classify(table))
    assert once.equals(twice)
    assert once["cycle_kind"].null_count() == 0
    assert "" not in once["cycle_kind"].to_list()
    like = once.filter(pl.col("cycle_kind") == "ageing")
    if like.height:
        groups = like.group_by(
            "maximum_charge_current_ampere", "maximum_discharge_current_ampere"
        ).len()
        assert groups.height == 1


@given(st.integers(2, 60), rates, rates, st.floats(0.51, 1.2))
def test_cycles_that_are_all_alike_are_all_ageing(n, charge, discharge, back):
    found = classify(cycles_of([(n, charge, discharge, back)]))
    assert set(found["cycle_kind"]) == {"ageing"}


@settings(max_examples=30)
@given(steps, st.floats(1.0, 100.0))
def test_a_rest_at_the_end_of_a_test_adds_nothing(steps, hours):
    assume(any(ampere for ampere, _ in steps))
    table = trace_of(steps, counters=False)
    last = table.tail(1)
    rest = pl.concat([last, last]).with_columns(
        current_ampere=pl.Series([0.0, 0.0]),
        test_time_second=last["test_time_second"][0] + pl.Series([0.0, 3600.0 * hours]),
    )
    before, after = cycle_summary(table), cycle_summary(pl.concat([table, rest]))
    for name in (*SUMS, "coulombic_efficiency", "end_of_discharge_voltage_volt"):
        np.testing.assert_allclose(before[name], after[name], rtol=1e-12)
