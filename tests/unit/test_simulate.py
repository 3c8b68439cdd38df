"""`simulate`: the same numbers whichever way they are asked for; tables."""

import pickle
import threading

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from engine_cells import (
    SMALL,
    cell,
    changed,
    charge,
    discharge,
    hold,
    machine,
    protocol,
    rest,
)
from equipoise.core.errors import EquipoiseWarning, SolveError
from equipoise.core.status import Status
from equipoise.kernels.program import End, Sample
from equipoise.protocol.steps import Cycle, Repeat
from equipoise.sim import simulate as module
from equipoise.sim.mesh import Stepping
from equipoise.sim.simulate import simulate, simulate_many

STEPS = (
    Cycle(c_rate=1.0, count=3, hold_until_c_rate=0.1, rest_hour=0.2),
    charge(0.5),
    rest(0.5),
    discharge(2),
)


@pytest.fixture(scope="module")
def once():
    return simulate(eqp.load_cell("zhang2026-lb"), protocol(*STEPS), mesh=SMALL)


def again(**keys):
    return simulate(
        eqp.load_cell("zhang2026-lb"), protocol(*STEPS), **{"mesh": SMALL} | keys
    )


def test_a_run_is_bitwise_reproducible(once):
    other = again()
    np.testing.assert_array_equal(other.results, once.results)
    np.testing.assert_array_equal(other.samples, once.samples)
    assert other.substeps_count == once.substeps_count


@pytest.mark.parametrize("trace", ["none", (), (2,), (1, 4), range(2, 4), {3}])
def test_what_is_traced_does_not_change_the_results(once, trace):
    other = again(trace=trace)
    np.testing.assert_array_equal(other.results, once.results)
    kept = frozenset() if trace == "none" else frozenset(trace)
    rows = np.isin(once.samples[:, Sample.CYCLE], list(kept))
    np.testing.assert_array_equal(other.samples, once.samples[rows])


@pytest.mark.parametrize("chunk_second", [1e-9, 1e-4, 1e3])
@pytest.mark.parametrize("trace", ["none", (2,)])
def test_chunks_do_not_change_the_results(once, monkeypatch, chunk_second, trace):
    monkeypatch.setattr(module, "CHUNK_SECOND", chunk_second)
    np.testing.assert_array_equal(again(trace=trace).results, once.results)


@pytest.mark.parametrize("stride", [1, 2, 3, 7, 100])
def test_a_machine_may_be_advanced_in_any_stride(once, stride):
    driven = machine(eqp.load_cell("zhang2026-lb"), STEPS)
    while not driven.over:
        stop = min(int(driven.place[0]) + stride, driven.program.steps.shape[0])
        assert driven.advance(stop) == Status.OK
    np.testing.assert_array_equal(driven.finished, once.results)


def cells_of_three_kinds():
    lb = eqp.load_cell("zhang2026-lb")
    return [lb, cell(), eqp.load_cell("zhang2026-hb"), lb.with_np_ratio(1.3)]


@pytest.mark.parametrize("workers", [1, 2, 5, None])
def test_many_cells_in_threads_are_bitwise_those_one_by_one(workers):
    cells = cells_of_three_kinds() * 3
    many = simulate_many(cells, protocol(*STEPS), workers_count=workers, mesh=SMALL)
    assert len(many) == len(cells)
    for known, run in zip(cells, many, strict=True):
        alone = simulate(known, protocol(*STEPS), mesh=SMALL, trace="none")
        np.testing.assert_array_equal(run.results, alone.results)
        assert run.cell is known


def test_a_bad_cell_among_many_keeps_its_place_and_its_status():
    cells = cells_of_three_kinds()
    bad = cell({"film_resistance_ohm_cm2": 1e300})
    with pytest.warns(EquipoiseWarning, match="could not be finished"):
        many = simulate_many(
            [*cells[:2], bad, *cells[2:]], protocol(*STEPS), mesh=SMALL
        )
    assert [run.status == Status.OK for run in many] == [True, True, False, True, True]
    assert many[2].status.advice
    assert not many[2].finished
    for known, run in zip(cells, [*many[:2], *many[3:]], strict=True):
        alone = simulate(known, protocol(*STEPS), mesh=SMALL, trace="none")
        np.testing.assert_array_equal(run.results, alone.results)
    with pytest.raises(SolveError) as caught:
        simulate(bad, protocol(*STEPS), mesh=SMALL)
    assert caught.value.status == many[2].status


def test_no_cells_make_no_runs():
    assert simulate_many([], protocol(*STEPS)) == []


def test_one_cell_may_run_in_two_threads_at_once(once):
    found = {}

    def work(key):
        found[key] = again(trace="none").results

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in range(4):
        np.testing.assert_array_equal(found[key], once.results)


def test_progress_ends_with_all_cycles():
    told = []
    again(progress=lambda done, total: told.append((done, total)), trace="none")
    assert told[-1] == (4, 4)
    assert all(0 <= done <= total == 4 for done, total in told)
    assert [d for d, _ in told] == sorted(d for d, _ in told)


def test_an_interrupt_keeps_what_was_finished(once, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_SECOND", 1e-9)
    calls = []

    def stop(done, _):
        calls.append(done)
        if len(calls) == 5:
            raise KeyboardInterrupt

    run = again(progress=stop)
    assert run.interrupted
    assert not run.finished
    assert run.status == Status.OK
    assert run.results.shape[0] == 5
    np.testing.assert_array_equal(run.results, once.results[:5])
    assert run.cycles.height == 1


def test_cycles_add_up_the_steps(once):
    steps, cycles = once.steps, once.cycles
    assert cycles["cycle_count"].to_list() == [1, 2, 3, 4]
    q = pl.col("capacity_mah_per_g_positive")
    charged = (
        steps.group_by("cycle_count", maintain_order=True)
        .agg(q.filter(q > 0).sum())["capacity_mah_per_g_positive"]
        .to_numpy()
    )
    np.testing.assert_allclose(
        cycles["charging_capacity_mah_per_g_positive"], charged, rtol=1e-13
    )
    assert cycles["charge_c_rate"].to_list() == pytest.approx([1, 1, 1, 0.5])
    assert cycles["discharge_c_rate"].to_list() == pytest.approx([1, 1, 1, 2])
    assert cycles["end_time_second"][-1] == once.results[-1, End.END_SECOND]
    assert steps["ended_by"].to_list()[:5] == [
        "voltage",
        "current",
        "time",
        "voltage",
        "time",
    ]


def test_steps_follow_each_other_without_a_gap(once):
    start, end = (once.results[:, c] for c in (End.START_SECOND, End.END_SECOND))
    np.testing.assert_array_equal(start[1:], end[:-1])
    assert start[0] == 0.0
    time = once.samples[:, Sample.SECOND]
    assert (np.diff(time) > 0.0).all()
    last = np.flatnonzero(np.diff(once.samples[:, Sample.STEP], append=-1.0))
    np.testing.assert_array_equal(time[last], end)
    np.testing.assert_array_equal(
        once.samples[last, Sample.COULOMB], once.results[:, End.COULOMB]
    )
    np.testing.assert_array_equal(
        once.samples[last, Sample.VOLT], once.results[:, End.VOLT]
    )
    first = np.append(0, last[:-1] + 1)  # the first moment of each step
    np.testing.assert_allclose(time[first], start, atol=2e-9)
    assert (once.samples[first, Sample.COULOMB] == 0.0).all()


def test_trace_counts_charge_within_the_cycle(once):
    trace, cycles = once.trace, once.cycles
    gram = once.lowered.positive_mass_g
    last = trace.group_by("cycle_count", maintain_order=True).last()
    np.testing.assert_allclose(
        last["cycle_charging_capacity_ah"].to_numpy() * 1e3 / gram,
        cycles["charging_capacity_mah_per_g_positive"],
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        last["cycle_discharging_capacity_ah"].to_numpy() * 1e3 / gram,
        cycles["discharging_capacity_mah_per_g_positive"],
        rtol=1e-12,
    )
    assert (trace["step_time_second"] >= 0.0).all()
    off = (
        trace["positive_electrode_potential_volt"]
        - trace["negative_electrode_potential_volt"]
        - trace["voltage_volt"]
    )
    assert off.abs().max() <= 1e-12


def test_a_run_without_a_trace_has_an_empty_table():
    run = again(trace="none")
    assert run.trace.height == 0
    assert run.trace.columns == again().trace.columns


def test_a_repeat_stops_when_a_voltage_is_reached():
    """GITT: pulses until the first that ends by its voltage, then what follows."""
    pulses = Repeat(
        count=100,
        stop_when_voltage_reached=True,
        steps=(charge(0.2, until_time_hour=0.2), rest(0.2)),
    )
    run = simulate(
        eqp.load_cell("zhang2026-lb"), protocol(pulses, discharge(0.2)), mesh=SMALL
    )
    ended = run.steps["ended_by"].to_list()
    assert ended.count("voltage") == 2
    assert ended.index("voltage") == len(ended) - 2  # no rest after it
    assert run.finished
    traced = simulate(
        eqp.load_cell("zhang2026-lb"),
        protocol(pulses, discharge(0.2)),
        mesh=SMALL,
        trace="none",
    )
    np.testing.assert_array_equal(traced.results, run.results)


def test_notes_tell_the_first_lithiation_loss():
    lossy = changed(cell(), "negative", first_lithiation_loss_mah_per_g=20.0)
    run = simulate(lossy, protocol(charge(0.5)), mesh=SMALL)
    taken = 20.0 * lossy.np_ratio * lossy.mass_per_np_ratio
    assert any(f"first {taken:.1f} mAh/g" in n for n in run.notes)
    assert not simulate(cell(), protocol(charge(0.5)), mesh=SMALL).notes


def test_a_cell_is_not_changed_by_running_it():
    known = eqp.load_cell("zhang2026-lb")
    before = pickle.dumps(known.spec)
    simulate(known, protocol(charge(1), hold(until_c_rate=0.1)), mesh=SMALL)
    assert pickle.dumps(known.spec) == before


def test_looser_stepping_costs_less():
    loose, usual, tight = (
        again(stepping=Stepping(tolerance_volt=t)).substeps_count
        for t in (1e-2, 1e-4, 1e-6)
    )
    assert loose < usual < tight
