"""A store under kill -9, with readers beside its writer, and with two writers."""

import hashlib
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import StoreError
from equipoise.io.store import Import, Store
from equipoise.io.store.layout import locked
from equipoise.spec.cell_record import CellRecord

# Forked from a server that has imported everything: a start takes 20 ms, not 1 s, and
# polars has no threads yet that a fork would lose.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["polars", "duckdb", "pytest", "equipoise.io.store"])
ROWS = 300
CELLS = 10


def imported(i, version=0):
    key = hashlib.sha256(f"source {i}".encode()).hexdigest()
    cycle_count = np.arange(ROWS) // 100 + 1
    value = np.full(ROWS, float(version))
    timeseries = pl.DataFrame(
        {
            "test_time_second": np.arange(ROWS) + 1000.0 * i,
            "voltage_volt": value,
            "current_ampere": value,
            "cycle_count": cycle_count,
        }
    )
    cycles = pl.DataFrame(
        {"cycle_count": [1, 2, 3], "x_ratio": 0.5, "capacity_ah": value[:3]}
    )
    return Import(
        key,
        f"cell {i}",
        {"timeseries": timeseries, "cycles": cycles},
        CellRecord(positive_active_mass_mg=1.0 + version),
    )


def check_whole(store, versions=(0,)):
    """Every cell that is visible has both tables, of one version."""
    names = store.cells()["name"].to_list()
    for name in names:
        i = int(name.split()[1])
        for kind in ("timeseries", "cycles"):
            found = store.table(name, kind)
            version = int(found[:, 1 if kind == "timeseries" else 2][0])
            assert version in versions
            assert found.equals(imported(i, version).tables[kind])
    damaged = [p for p in store.verify() if p.cell_id]
    assert damaged == []
    return names


def wait_for(path):
    deadline = time.monotonic() + 30.0
    while not Path(path).exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.001)


# --- children --------------------------------------------------------------------


def add_cells(folder, started):
    """Import one by one, then the rest at once, then replace: all ways to write."""
    store = Store(folder)
    Path(started).touch()
    for i in range(CELLS // 2):
        store.add_many([imported(i)])
    store.add_many(imported(i) for i in range(CELLS))
    for i in range(CELLS):
        store.add_many([imported(i, version=1)], replace=True)


def die_at_step(folder, step, action):
    """Kill this process before its n-th change of the disk; 0: never, but count."""
    count = 0

    def here(path):
        nonlocal count
        if str(path).startswith(folder):
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(event, args):
        changes = event in {"os.rename", "os.remove", "os.mkdir"}
        if changes or (event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)):
            here(args[0])

    real = os.fsync

    def fsync(handle):
        here(folder)
        real(handle)

    def half_written(self, raw):
        """Half of the bytes, and a moment to die in."""
        if self.begun:
            return self.stream.write(raw)
        self.begun = True
        written = self.stream.write(memoryview(raw)[: len(raw) // 2])
        here(folder)
        return written

    class HalfWriting:
        def __init__(self, stream):
            self.stream = stream
            self.begun = False

        def __enter__(self):
            return self

        def __exit__(self, *what):
            self.stream.close()

        def __getattr__(self, name):
            return getattr(self.stream, name)

        write = half_written

    opened = Path.open

    def half_open(self, mode="r", buffering=-1, **named):
        stream = opened(self, mode, buffering, **named)
        return HalfWriting(stream) if mode == "xb" else stream

    Path.open = half_open
    os.fsync = fsync
    sys.addaudithook(watch)
    if action == "create":
        Store(folder, create=True)
    elif action == "replace":
        Store(folder).add_many([imported(0, version=1)], replace=True)
    elif action == "remove":
        Store(folder).remove("cell 0")
    else:
        Store(folder).add_many([imported(1), imported(2)])
    (Path(folder).parent / "steps").write_text(str(count))


def hold_the_lock(folder, started):
    with locked(Path(folder), 10.0):
        Path(started).touch()
        time.sleep(60.0)


def add_own(folder, first):
    store = Store(folder, wait_second=30.0)
    for i in range(first, first + 10):
        store.add_many([imported(i)])


def replace_often(folder, times):
    store = Store(folder)
    for version in range(1, times + 1):
        for i in range(3):
            store.add_many([imported(i, version=version)], replace=True)
        store.add_many([imported(2 + version)])


def started_process(target, *arguments):
    process = PROCESSES.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def run_to_end(target, *arguments):
    process = started_process(target, *arguments)
    process.join(60.0)
    return process.exitcode


# --- tests -----------------------------------------------------------------------


def test_a_writer_killed_at_any_time_leaves_only_whole_cells(tmp_path):
    folder = tmp_path / "store"
    Store(folder, create=True)
    process = started_process(add_cells, str(folder), str(tmp_path / "first"))
    wait_for(tmp_path / "first")
    begin = time.perf_counter()
    process.join(60.0)
    lasts = time.perf_counter() - begin
    rng = np.random.default_rng(4)
    for trial in range(20):
        folder = tmp_path / f"store {trial}"
        store = Store(folder, create=True)
        started = tmp_path / f"started {trial}"
        process = started_process(add_cells, str(folder), str(started))
        wait_for(started)
        time.sleep(rng.uniform(0.0, lasts))
        process.kill()
        process.join()
        check_whole(store, versions=(0, 1))
        store.add_many((imported(i) for i in range(CELLS)), replace=True)
        assert store.verify() == ()
        if trial % 5 == 0:
            assert len(check_whole(store)) == CELLS


@pytest.mark.parametrize("action", ["create", "add", "replace", "remove"])
def test_killed_before_every_single_change_of_the_disk(tmp_path, action):
    def prepared(name):
        folder = tmp_path / name / "store"
        if action == "create":
            folder.parent.mkdir()
        else:
            Store(folder, create=True).add_many([imported(0)])
        return folder

    assert run_to_end(die_at_step, str(prepared("all")), 0, action) == 0
    steps = int((tmp_path / "all" / "steps").read_text())
    assert steps >= 6
    outcomes = []
    for step in range(1, steps + 1):
        folder = prepared(str(step))
        code = run_to_end(die_at_step, str(folder), step, action)
        assert code == -signal.SIGKILL
        store = Store(folder, create=action == "create")
        names = check_whole(store, versions=(0, 1))
        outcomes.append((len(names), store.cells()["positive_active_mass_mg"].sum()))
        store.add_many([imported(i) for i in range(4)], replace=True)
        assert store.verify() == ()
        assert len(check_whole(store)) == 4
    before, after = {
        "create": ((0, 0.0), (0, 0.0)),
        "add": ((1, 1.0), (3, 3.0)),
        "replace": ((1, 1.0), (1, 2.0)),
        "remove": ((1, 1.0), (0, 0.0)),
    }[action]
    # Before the commit all is as it was, after it all is done: nothing between.
    assert set(outcomes) == {before, after}
    assert outcomes == sorted(outcomes, key=lambda outcome: outcome == after)


def test_the_lock_of_a_killed_writer_is_free(tmp_path):
    store = Store(tmp_path / "store", create=True, wait_second=0.1)
    process = started_process(
        hold_the_lock, str(store.folder), str(tmp_path / "started")
    )
    wait_for(tmp_path / "started")
    with pytest.raises(StoreError, match=f"process {process.pid} is writing"):
        store.add_many([imported(0)])
    assert len(store) == 0  # reading needs no lock
    process.kill()
    process.join()
    assert not store.add_many([imported(0)])[0].already


def test_two_writers_take_turns(tmp_path):
    folder = str(tmp_path / "store")
    store = Store(folder, create=True)
    writers = [started_process(add_own, folder, first) for first in (0, 5)]
    for writer in writers:
        writer.join(60.0)
        assert writer.exitcode == 0
    assert len(check_whole(store)) == 15
    assert store.verify() == ()


def test_readers_see_only_whole_cells_while_a_writer_replaces_them(tmp_path):
    folder = str(tmp_path / "store")
    store = Store(folder, create=True)
    store.add_many([imported(i) for i in range(3)])
    times = 8
    writer = started_process(replace_often, folder, times)
    reads = 0
    while writer.is_alive() or reads < 5:
        reads += 1
        check_whole(store, versions=range(times + 1))
        found = store.sql("""
            SELECT cell_id, count(*) AS n, min(voltage_volt) AS low,
                max(voltage_volt) AS high, any_value(positive_active_mass_mg) - 1 AS v
            FROM timeseries JOIN cells USING (cell_id) GROUP BY cell_id
        """)
        assert set(found["n"]) == {ROWS}
        assert found["low"].equals(found["high"].alias("low"))
        assert found["low"].to_list() == found["v"].to_list()
    writer.join()
    assert writer.exitcode == 0
    assert len(check_whole(store, versions=range(times + 1))) == 3 + times
    store.add_many([imported(99)])  # what readers kept on the disk goes
    assert store.verify() == ()
