"""Speed of a design and of an n/p x voltage map, against PyBaMM in the same run.

Usage: python benchmarks/bench_design.py [--quick] [--out FOLDER]

All contestants run in one process on the same points, in turn (A B C A B C ...), so
that a slow spell of a shared machine hits all of them. One sample is one pass over
all points, divided by their number. See docs/reference/benchmarks.md.
"""

from __future__ import annotations

import os

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"
os.environ["POLARS_MAX_THREADS"] = "1"

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING

import numpy as np
from pybamm_cell import PeerCell

from equipoise import design_cell, load_cell, np_voltage_map
from equipoise.design.formed import formed
from equipoise.design.states import end_of_charge, end_of_discharge
from equipoise.spec.inventory import Inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from equipoise.spec.cell import Cell

CELL = "zhang2026-lb"
NP_RATIOS = (1.0, 1.1, 1.25, 1.5)
UPPER_VOLTS = (2.55, 2.65, 2.75)
MAP_NP_RATIOS = np.linspace(1.0, 1.5, 100)
MAP_UPPER_VOLTS = np.linspace(2.55, 2.75, 100)
MAP_CELLS = MAP_NP_RATIOS.size * MAP_UPPER_VOLTS.size
LIMITS_MS = {"design_cell": 1.0, "np_voltage_map": 500.0}  # asked of this project
PACKAGES = ("equipoise", "numpy", "numba", "polars", "pybamm", "casadi")


@dataclass(frozen=True, slots=True)
class Timing:
    """Median, lowest and highest of the samples, milliseconds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, seconds: list[float]) -> Timing:
        ms = [1e3 * s for s in seconds]
        return cls(statistics.median(ms), min(ms), max(ms))


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant: wall and CPU time of one call."""

    name: str
    what: str
    samples: int
    wall_ms: Timing
    cpu_ms: Timing


@dataclass(frozen=True, slots=True)
class Contestant:
    """`run` is one pass over `calls` calls."""

    name: str
    what: str
    calls: int
    run: Callable[[], object]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def interleaved(contestants: list[Contestant], rounds: int) -> list[Row]:
    """Time all contestants in turn, after two rounds that are thrown away."""
    wall: dict[str, list[float]] = {c.name: [] for c in contestants}
    cpu: dict[str, list[float]] = {c.name: [] for c in contestants}
    for i in range(-2, rounds):
        for c in contestants:
            w, p = time.perf_counter(), time.process_time()
            c.run()
            p, w = time.process_time() - p, time.perf_counter() - w
            if i >= 0:
                wall[c.name].append(w / c.calls)
                cpu[c.name].append(p / c.calls)
        if i % 10 == 0:
            say(f"  round {i} of {rounds}")
    return [
        Row(
            c.name,
            c.what,
            len(wall[c.name]),
            Timing.of(wall[c.name]),
            Timing.of(cpu[c.name]),
        )
        for c in contestants
    ]


def solving(base: Cell, peer: PeerCell, rounds: int) -> list[Row]:
    """Designs, states and maps, warm."""
    cells = [
        base.with_np_ratio(b).with_window(upper_volt=v)
        for b in NP_RATIOS
        for v in UPPER_VOLTS
    ]
    inventories = [Inventory.of(cell) for cell in cells]
    inputs = [peer.inputs(c, i) for c, i in zip(cells, inventories, strict=True)]
    grid_b, grid_v = (
        x.ravel() for x in np.meshgrid(MAP_NP_RATIOS, MAP_UPPER_VOLTS, indexing="ij")
    )

    def states() -> None:
        for cell, inventory in zip(cells, inventories, strict=True):
            end_of_discharge(cell, inventory, end_of_charge(cell, inventory))

    def batch() -> None:
        formed(base, Inventory.of(base, np_ratio=grid_b), upper_volt=grid_v)

    n = len(cells)
    columns = np_voltage_map(base, 1.1, 2.75).width
    return interleaved(
        [
            Contestant(
                "design_cell",
                "the whole design: weigh sheet, states, energy, reserve, bands",
                n,
                lambda: [design_cell(c) for c in cells],
            ),
            Contestant(
                "pybamm.ElectrodeSOHSolver.solve",
                "both end states and energy; built once, starts at the last answer",
                n,
                lambda: [peer.solve(i) for i in inputs],
            ),
            Contestant(
                "formed",
                "both end states, capacities and energy, inventory included",
                n,
                lambda: [formed(c, Inventory.of(c)) for c in cells],
            ),
            Contestant(
                "pybamm bare solve",
                "only PyBaMM's non-linear system inside that solver (private)",
                n,
                lambda: [peer.bare_solve(i) for i in inputs],
            ),
            Contestant("end states", "end_of_charge and end_of_discharge", n, states),
            Contestant(
                "np_voltage_map",
                f"{MAP_CELLS} cells, a table of {columns} columns",
                1,
                lambda: np_voltage_map(base, MAP_NP_RATIOS, MAP_UPPER_VOLTS),
            ),
            Contestant("formed, batch", f"{MAP_CELLS} cells, no table", 1, batch),
        ],
        rounds,
    )


def agreement(base: Cell, peer: PeerCell) -> dict[str, float]:
    """Largest differences between both over the timed points."""
    capacity, millivolt, energy = [0.0], [0.0], [0.0]
    for b in NP_RATIOS:
        for v in UPPER_VOLTS:
            cell = base.with_np_ratio(b).with_window(upper_volt=v)
            inventory = Inventory.of(cell)
            ours, theirs = formed(cell, inventory), peer.state(cell, inventory)
            for state, q, up, un in (
                (
                    ours.charged,
                    theirs.charged_positive_mah_per_g,
                    theirs.charged_positive_volt,
                    theirs.charged_negative_volt,
                ),
                (
                    ours.discharged,
                    theirs.discharged_positive_mah_per_g,
                    theirs.discharged_positive_volt,
                    theirs.discharged_negative_volt,
                ),
            ):
                capacity.append(abs(float(state.positive_delithiated_mah_per_g) - q))
                millivolt += [
                    1e3 * abs(float(state.positive_potential_vs_li_volt) - up),
                    1e3 * abs(float(state.negative_potential_vs_li_volt) - un),
                ]
            energy.append(
                abs(
                    float(ours.discharge_energy_wh_per_kg_positive)
                    - theirs.energy_wh_per_kg_positive
                )
            )
    return {
        "passed_capacity_mah_per_g_positive": max(capacity),
        "potential_millivolt": max(millivolt),
        "energy_wh_per_kg_positive": max(energy),
    }


_FIRST = f"import equipoise as e; e.design_cell(e.load_cell({CELL!r}))"
_FIRST_PEER = (
    "import pybamm as p;"
    "p.lithium_ion.get_min_max_stoichiometries(p.ParameterValues('Chen2020'))"
)
PROCESSES = (
    ("python", "bare interpreter", ["-c", "pass"]),
    ("import equipoise", "lazy names only", ["-c", "import equipoise"]),
    ("equipoise --help", "command line", ["-m", "equipoise", "--help"]),
    ("first design", "import, load LB, design it; kernels cached", ["-c", _FIRST]),
    ("first design, no cache", "the same, kernels compiled", ["-c", _FIRST]),
    ("import pybamm", "peer", ["-c", "import pybamm"]),
    (
        "first pybamm solve",
        "peer: import, build, solve its own Chen2020 once",
        ["-c", _FIRST_PEER],
    ),
)


def starting(rounds: int) -> list[Row]:
    """Whole processes, in turn, after a round that is thrown away."""
    wall: dict[str, list[float]] = {name: [] for name, *_ in PROCESSES}
    cpu: dict[str, list[float]] = {name: [] for name, *_ in PROCESSES}
    for i in range(-1, rounds):
        say(f"  processes, round {i} of {rounds}")
        for name, _, arguments in PROCESSES:
            w, p = process_seconds(arguments, cached="no cache" not in name)
            if i >= 0:
                wall[name].append(w)
                cpu[name].append(p)
    return [
        Row(name, what, rounds, Timing.of(wall[name]), Timing.of(cpu[name]))
        for name, what, _ in PROCESSES
    ]


def process_seconds(arguments: list[str], *, cached: bool) -> tuple[float, float]:
    """Wall and CPU seconds of one Python process."""
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        if not cached:
            environment["XDG_CACHE_HOME"] = folder
        before, w = getrusage(RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        w, after = time.perf_counter() - w, getrusage(RUSAGE_CHILDREN)
    return w, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ratios(rows: dict[str, Row]) -> list[dict[str, object]]:
    """Peer's median wall time over ours, like for like."""
    pairs = (
        ("first cycle of one cell, public calls", "formed", "esoh", 1),
        ("whole design against end states only", "design_cell", "esoh", 1),
        ("two roots only, PyBaMM's private solve", "end states", "bare", 1),
        ("map, PyBaMM extrapolated", "np_voltage_map", "esoh", MAP_CELLS),
        (
            "batch, PyBaMM's private solve extrapolated",
            "formed, batch",
            "bare",
            MAP_CELLS,
        ),
    )
    peers = {"esoh": "pybamm.ElectrodeSOHSolver.solve", "bare": "pybamm bare solve"}
    found = []
    for what, ours, peer, times in pairs:
        ours_ms = rows[ours].wall_ms.median
        peer_ms = rows[peers[peer]].wall_ms.median * times
        found.append(
            {
                "what": what,
                "ours": ours,
                "peer": peers[peer],
                "ours_ms": ours_ms,
                "peer_ms": peer_ms,
                "peer_solves": times,
                "ratio": peer_ms / ours_ms,
            }
        )
    return found


def markdown(result: dict) -> str:
    """The tables of a result, as in docs/reference/benchmarks.md."""
    versions = ", ".join(f"{k} {v}" for k, v in result["versions"].items())
    lines = [
        "# Design and map against PyBaMM",
        "",
        f"{result['cores']} cores (one used), Python {result['python']}; {versions}.",
        "Median (lowest - highest), milliseconds. Written by "
        "`benchmarks/bench_design.py`.",
        "",
        "| like for like | ours | PyBaMM | ratio |",
        "|---|---|---|---|",
    ]
    for r in result["ratios"]:
        times = f" ({r['peer_solves']} x one solve)" if r["peer_solves"] > 1 else ""
        lines.append(
            f"| {r['what']} | {_ms(r['ours_ms'])} | {_ms(r['peer_ms'])}{times} "
            f"| {_ratio(r['ratio'])} |"
        )
    for title, rows in (
        ("one call, warm", result["warm"]),
        ("one process", result["processes"]),
    ):
        lines += [
            "",
            f"| {title} | what | wall | CPU | samples |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {r['name']} | {r['what']} | {_span(r['wall_ms'])} "
            f"| {_span(r['cpu_ms'])} | {r['samples']} |"
            for r in rows
        ]
    lines += ["", "| asked | limit | found |", "|---|---|---|"]
    lines += [
        f"| {t['name']} | {t['limit_ms']:g} | {_ms(t['found_ms'])} |"
        for t in result["limits"]
    ]
    a = result["agreement"]
    lines += [
        "",
        "Largest difference from PyBaMM over the timed points: "
        f"{a['passed_capacity_mah_per_g_positive']:.1e} mAh/g, "
        f"{a['potential_millivolt']:.1e} mV, "
        f"{a['energy_wh_per_kg_positive']:.1e} Wh/kg.",
        "",
    ]
    return "\n".join(lines)


def _ms(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{float(f'{value:.2g}'):.0f}"


def _span(t: dict[str, float]) -> str:
    return f"{_ms(t['median'])} ({_ms(t['low'])} - {_ms(t['high'])})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds; a check")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="folder"
    )
    options = parser.parse_args()

    base = load_cell(CELL)
    peer = PeerCell(base, hysteresis=True)
    say("agreement with PyBaMM")
    agreed = agreement(base, peer)
    say("warm calls")
    warm = solving(base, peer, 5 if options.quick else 60)
    say("processes")
    processes = starting(1 if options.quick else 7)

    rows = {r.name: r for r in warm}
    result = {
        "cell": CELL,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "quick": options.quick,
        "points": {"np_ratio": NP_RATIOS, "upper_volt": UPPER_VOLTS},
        "ratios": ratios(rows),
        "limits": [
            {"name": k, "limit_ms": v, "found_ms": rows[k].wall_ms.median}
            for k, v in LIMITS_MS.items()
        ],
        "agreement": agreed,
        "warm": [asdict(r) for r in warm],
        "processes": [asdict(r) for r in processes],
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "design.json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    (options.out / "design.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
