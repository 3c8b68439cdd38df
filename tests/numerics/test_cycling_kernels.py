"""Kernels of cycling: their Python source, their order, and numpy beside them."""

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.half_cycles import charge_passed, rows_of
from equipoise.analysis.summary import cycle_summary
from equipoise.kernels import cycling as kernel
from equipoise.kernels.cycling import Row, Sum

RNG = np.random.default_rng(20261122)


def random_series(n=400, cycles=7):
    """Random currents with rests and impedance rows, counters of all kinds."""
    ampere = RNG.normal(size=n)
    ampere[RNG.random(n) < 0.2] = 0.0
    ampere = np.repeat(ampere[::8], 8)[:n]
    cycle = np.sort(RNG.integers(1, cycles + 1, n))
    step = np.arange(n) // 8
    seconds = np.cumsum(RNG.uniform(0.0, 60.0, n))
    passed = np.diff(seconds, prepend=seconds[0]) / 3600.0 * ampere
    up, down = np.maximum(passed, 0.0), np.maximum(-passed, 0.0)
    frequency = np.where(RNG.random(n) < 0.05, 1e3, np.nan)
    return pl.DataFrame(
        {
            "test_time_second": seconds,
            "voltage_volt": RNG.uniform(3.0, 4.0, n),
            "current_ampere": ampere,
            "cycle_count": cycle,
            "step_count": step,
            "charging_capacity_ah": np.cumsum(up),
            "discharging_capacity_ah": np.cumsum(down),
            "step_charging_capacity_ah": since(up, step, cycle),
            "step_discharging_capacity_ah": since(down, step, cycle),
            "net_capacity_ah": np.cumsum(passed),
            "step_cumulative_capacity_ah": since(up + down, step, cycle),
            "step_charging_energy_wh": since(3.7 * up, step, cycle),
            "step_discharging_energy_wh": since(3.5 * down, step, cycle),
            "frequency_hertz": frequency,
        }
    )


def since(added, *resets):
    """A counter that starts anew where one of `resets` changes."""
    total = np.cumsum(added)
    change = np.zeros(added.size, dtype=bool)
    for key in resets:
        change[1:] |= np.diff(key) != 0
    before = np.where(change, np.concatenate(([0.0], total[:-1])), 0.0)
    return total - np.maximum.accumulate(before)


TABLE = random_series()
KINDS = {
    "current": [],
    "whole test": ["charging_capacity_ah", "discharging_capacity_ah"],
    "step": ["step_charging_capacity_ah", "step_discharging_capacity_ah"],
    "net": ["net_capacity_ah"],
    "unsigned": ["step_cumulative_capacity_ah"],
    "energy": ["step_charging_energy_wh", "step_discharging_energy_wh"],
}


def rows_with(columns):
    counters = [c for c in TABLE.columns if c.endswith(("_ah", "_wh"))]
    return rows_of(TABLE.drop(set(counters) - set(columns)))


def sums_of(function, rows):
    out = np.empty((rows.cycles_count, len(Sum)))
    at = np.empty((rows.cycles_count, len(Row)), np.int64)
    function(
        rows.time_second,
        rows.voltage_volt,
        rows.current_ampere,
        rows.cycle,
        rows.eis,
        rows.rest_ampere,
        tuple(rows.charge),
        tuple(rows.energy),
        out,
        at,
    )
    return out, at


@pytest.mark.parametrize("kind", KINDS)
def test_the_sums_are_their_python_source(kind):
    rows = rows_with(KINDS[kind])
    out, at = sums_of(kernel.cycle_sums, rows)
    out_python, at_python = sums_of(kernel.cycle_sums.py_func, rows)
    np.testing.assert_array_equal(at, at_python)
    np.testing.assert_allclose(out, out_python, rtol=1e-12, atol=1e-14)
    assert out[:, Sum.CHARGE_AH].min() > 0.0
    assert at[:, Row.EIS_ROWS].sum() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_charges_of_rows_are_their_python_source(kind):
    rows = rows_with(KINDS[kind])
    found = []
    for function in (kernel.row_charges, kernel.row_charges.py_func):
        own, running = np.empty(rows.time_second.size), np.empty(rows.time_second.size)
        where = (
            rows.time_second,
            rows.current_ampere,
            rows.cycle,
            rows.eis,
            rows.rest_ampere,
        )
        function(*where, tuple(rows.charge), own, running)
        found.append((own, running))
    np.testing.assert_allclose(*(own for own, _ in found), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(*(r for _, r in found), rtol=1e-12, atol=1e-15)
    out, _ = sums_of(kernel.cycle_sums, rows)
    net = out[:, Sum.CHARGE_AH] - out[:, Sum.DISCHARGE_AH]
    own = found[0][0]
    by_cycle = [own[rows.cycle == c].sum() for c in np.unique(rows.cycle)]
    np.testing.assert_allclose(net, by_cycle, rtol=1e-10, atol=1e-13)


def test_surveys_and_stretches_are_their_python_source():
    rows = rows_with([])
    assert kernel.survey(rows.time_second, rows.voltage_volt, rows.cycle) == (
        kernel.survey.py_func(rows.time_second, rows.voltage_volt, rows.cycle)
    )
    n = int(kernel.half_cycles(*marks(rows), *(np.empty(0, np.int64),) * 3))
    found = []
    for function in (kernel.half_cycles, kernel.half_cycles.py_func):
        out = [np.empty(n, np.int64) for _ in range(3)]
        assert function(*marks(rows), *out) == n
        found.append(out)
    np.testing.assert_array_equal(*found)
    numbers = []
    for function in (kernel.derive_cycles, kernel.derive_cycles.py_func):
        out = np.empty(rows.time_second.size, np.int64)
        function(rows.current_ampere, rows.eis, rows.rest_ampere, -1, out)
        numbers.append(out)
    np.testing.assert_array_equal(*numbers)
    falling = np.array([0.0, 1.0, np.nan, 0.5, 2.0])
    key = np.array([1, 1, 1, 1, 1])
    for function in (kernel.first_fall, kernel.first_fall.py_func):
        assert function(falling, key, key, False, 0.1) == 3
        assert function(falling, key, key, False, 0.6) == -1
        assert function(falling, key, np.array([1, 1, 1, 2, 2]), True, 0.1) == -1


def marks(rows):
    return rows.current_ampere, rows.cycle, rows.eis, rows.rest_ampere


def test_the_running_charge_is_the_trapezoid_of_numpy():
    table = TABLE.select("test_time_second", "current_ampere", "voltage_volt")
    hours = table["test_time_second"].to_numpy() / 3600.0
    net = np.trapezoid(table["current_ampere"].to_numpy(), hours)
    assert charge_passed(table)[-1] == pytest.approx(net, rel=1e-9)


def curved(rows):
    """Charge at a current that falls, against a voltage that bends; one hour."""
    hours = np.linspace(0.0, 1.0, rows)
    ampere = np.exp(-hours)
    passed = 1.0 - ampere
    return pl.DataFrame(
        {
            "test_time_second": 3600.0 * hours,
            "voltage_volt": 3.0 + passed**2,
            "current_ampere": ampere,
            "cycle_count": np.ones(rows, dtype=np.int64),
        }
    )


@pytest.mark.parametrize("name", ["charging_capacity_ah", "charging_energy_wh"])
def test_charge_and_energy_converge_with_second_order(name):
    passed = 1.0 - np.exp(-1.0)
    exact = {
        "charging_capacity_ah": passed,
        "charging_energy_wh": 3.0 * passed + passed**3 / 3.0,
    }[name]
    errors = [abs(cycle_summary(curved(n + 1))[name][0] - exact) for n in (20, 40, 80)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert errors[-1] < 1e-4
    np.testing.assert_allclose(orders, 2.0, atol=0.05)


def test_long_sums_lose_no_digits():
    n = 200_000
    table = pl.DataFrame(
        {
            "test_time_second": 0.1 * np.arange(n + 1),
            "voltage_volt": np.full(n + 1, 3.7),
            "current_ampere": np.full(n + 1, 0.3),
            "cycle_count": np.ones(n + 1, dtype=np.int64),
        }
    )
    row = cycle_summary(table).row(0, named=True)
    assert row["charging_capacity_ah"] == pytest.approx(0.3 * n / 36000.0, rel=1e-11)
    assert row["mean_charging_voltage_volt"] == pytest.approx(3.7, rel=1e-11)
