"""What the cost of our engine depends on: nodes, shells, substeps, batch; parts."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import numpy as np
from bench_design import Contestant, Timing, interleaved
from engine_cell import BUNDLED, Ready, mesh_of, oracle_cell, protocol
from numba import njit

from equipoise import load_cell
from equipoise.kernels.program import Ask
from equipoise.kernels.simulate import Memory, Setting
from equipoise.kernels.stepper import accept, error, prepare, react_to
from equipoise.protocol.steps import Charge, Protocol
from equipoise.sim.mesh import Stepping
from equipoise.sim.simulate import simulate, simulate_many

if TYPE_CHECKING:
    from equipoise.sim.machine import Machine

COUNTS = (5, 10, 20, 40, 80)
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
BATCHES = (1, 2, 4, 8, 16, 32)
BATCH_CYCLES = 20
CYCLES = 3


def scaling(rounds: int) -> dict[str, list[dict]]:
    """Cost of one cycle against nodes, shells and tolerance; the rest as delivered."""
    cases: dict[str, tuple[str, float, Ready]] = {}
    cell = oracle_cell()
    for model in ("dfn", "spm"):
        for n in COUNTS:
            if model == "dfn":
                ready = Ready.of(cell, model, CYCLES, mesh=mesh_of(nodes=n))
                cases[f"{model} {n} nodes"] = (f"{model} nodes", n, ready)
            ready = Ready.of(cell, model, CYCLES, mesh=mesh_of(shells=n))
            cases[f"{model} {n} shells"] = (f"{model} shells", n, ready)
        for tolerance in TOLERANCES:
            stepping = Stepping(tolerance_volt=tolerance)
            ready = Ready.of(cell, model, CYCLES, stepping=stepping)
            key = f"{model} {tolerance:g} V"
            cases[key] = (f"{model} tolerance", tolerance, ready)
    rows = interleaved(
        [Contestant(k, "", CYCLES, r.run) for k, (_, _, r) in cases.items()], rounds
    )
    found: dict[str, list[dict]] = {}
    for row in rows:
        group, value, ready = cases[row.name]
        substeps = float(ready.run().memory[Memory.SUBSTEPS]) / CYCLES
        found.setdefault(group, []).append(
            {
                "value": value,
                "cpu_ms": asdict(row.cpu_ms),
                "substeps": substeps,
                "us_per_substep": 1e3 * row.cpu_ms.median / substeps,
            }
        )
    return found


def batches(rounds: int) -> list[dict]:
    """`simulate_many` on one and two workers, wall time.

    Next to it, in turn, SHA-256 on one and two threads, which holds no lock: what the
    machine had to give at that moment.
    """
    base, test = load_cell(BUNDLED), protocol(BATCH_CYCLES)
    cells = [base.with_np_ratio(b) for b in np.linspace(1.0, 1.5, max(BATCHES))]
    block = bytes(1 << 20)

    def hashed(workers: int) -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda _: hashlib.sha256(block * 8).digest(), range(16)))

    found = []
    for n in BATCHES:
        wall, cpu, control = ([], []), ([], []), ([], [])
        for i in range(-1, rounds):
            for k in (0, 1):
                w, c = perf_counter(), process_time()
                simulate_many(cells[:n], test, workers_count=k + 1)
                c, w = process_time() - c, perf_counter() - w
                hash_begin = perf_counter()
                hashed(k + 1)
                if i >= 0:
                    control[k].append(perf_counter() - hash_begin)
                    wall[k].append(w)
                    cpu[k].append(c)
        gains = [a / b for a, b in zip(*wall, strict=True)]
        machine = [a / b for a, b in zip(*control, strict=True)]
        found.append(
            {
                "cells": n,
                "cycles_each": BATCH_CYCLES,
                "wall_ms_1_worker": asdict(Timing.of(wall[0])),
                "wall_ms_2_workers": asdict(Timing.of(wall[1])),
                "cpu_ms_1_worker": asdict(Timing.of(cpu[0])),
                "cpu_ms_2_workers": asdict(Timing.of(cpu[1])),
                "speed_up": float(np.median(gains)),
                "speed_up_low": min(gains),
                "speed_up_high": max(gains),
                "control": float(np.median(machine)),
                "control_low": min(machine),
                "control_high": max(machine),
            }
        )
    return found


@njit
def _prepare(E, F, dt, now, i, times):
    for _ in range(times):
        prepare(E, F, dt, 1.0, 2, 9, now, i)


@njit
def _react(E, F, dt, now, i, close, times):
    for _ in range(times):
        prepare(E, F, dt, 1.0, 2, 9, now, i)
        react_to(E, F, i, close)


@njit
def _error(E, F, past, weight, times):
    worst = 0.0
    for _ in range(times):
        worst += error(E, F, 1.0, past, weight, 1.0, 1.0)
    return worst


@njit
def _accept(E, F, dt, now, times):
    for _ in range(times):
        accept(E, F, dt, 1.0, 9, now)


def parts(rounds: int) -> list[dict]:
    """Where one substep of 36 s in the middle of a 1C charge goes, microseconds.

    Kernels alone in a loop, both electrodes. The Newton loop is timed with the close
    tolerance of the engine, and stopped after one iteration.
    """
    half = Protocol(name="half", steps=(Charge(c_rate=1.0, until_time_hour=0.5),))
    cells = {"oracle cell": oracle_cell(), "LB": load_cell(BUNDLED)}
    found = []
    for name, cell in cells.items():
        for model in ("dfn", "spm"):
            run = simulate(cell, half, model=model, trace="none")
            machine = Ready(run.lowered, run.program, run.stepping).run()
            ampere = float(run.program.steps[0, Ask.VALUE])
            samples = [_spent(machine, ampere) for _ in range(rounds + 1)][1:]
            prepared, one, all_, judged, taken = np.median(samples, axis=0)
            found.append(
                {
                    "cell": name,
                    "model": model,
                    "eliminate_us": prepared,
                    "newton_us": all_ - prepared,
                    "newton_iteration_us": one - prepared,
                    "error_us": judged,
                    "accept_us": taken,
                    "sum_us": all_ + judged + taken,
                }
            )
    return found


def _spent(machine: Machine, ampere: float) -> np.ndarray:
    """Microseconds of each part, both electrodes together."""
    times, dt, now = 2000, 36.0, int(machine.memory[Memory.NOW])
    close = float(machine.settings[Setting.TOLERANCE_VOLT])
    past, weight = np.ones(3), np.array([0.1, -0.3, 0.3, -0.1])
    spent = np.zeros(5)
    lowered = machine.lowered
    for E, F, i in (
        (lowered.positive, machine.positive, ampere / lowered.positive.area),
        (lowered.negative, machine.negative, -ampere / lowered.negative.area),
    ):
        jobs = (
            (_prepare, (E, F, dt, now, i)),
            (_react, (E, F, dt, now, i, 1e9)),
            (_react, (E, F, dt, now, i, close)),
            (_error, (E, F, past, weight)),
            (_accept, (E, F, dt, now)),
        )
        for k, (job, arguments) in enumerate(jobs):
            begin = process_time()
            job(*arguments, times)
            spent[k] += 1e6 * (process_time() - begin) / times
    return spent
