"""Speed and accuracy of the engine, against PyBaMM in the same run.

Usage: python benchmarks/bench_engine.py [--quick] [--out FOLDER]

All contestants of a table run in one process, in turn (A B C A B C ...). Processor
time of the process, one thread; wall time is recorded too. Speed without accuracy
means nothing here: both step adaptively, so each is also compared with its own
converged answer on the same mesh. See docs/reference/benchmarks.md.
"""

from __future__ import annotations

# isort: off
from bench_design import PACKAGES, Contestant, Row, Timing, interleaved  # sets threads
from bench_design import process_seconds, say

# isort: on
import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import tracemalloc
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import engine_cell as own
import engine_peer as peer
import numpy as np
from engine_cell import BUNDLED, Ready, oracle_cell, protocol
from engine_figure import draw
from engine_report import markdown
from engine_scaling import batches, parts, scaling

from equipoise import load_cell
from equipoise.kernels._jit import _sources_hash
from equipoise.kernels.simulate import Memory
from equipoise.sim.mesh import Stepping
from equipoise.sim.simulate import simulate

OUR_DEFAULT = Stepping().tolerance_volt
OUR_TOLERANCES = (
    *(1e-2, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 5e-5),
    *(2e-5, 1e-5, 5e-6, 2e-6, 1e-6, 2e-7),
)
THEIR_TOLERANCES = (
    *((1e-2, 1e-4), (1e-3, 1e-3), (1e-3, 1e-4), (1e-4, 1e-4), (1e-4, 1e-5)),
    *((1e-4, 1e-6), (1e-5, 1e-7), (1e-6, 1e-8), (1e-7, 1e-9)),
)
OUR_EXACT = Stepping(
    tolerance_volt=1e-8, most_fraction=1e-3, most_substeps_count=1_000_000
)
FINEST = (80, 160, 2.0)  # nodes, shells, grading
OUR_MESHES = (
    *((5, 10, 1.0), (5, 10, 2.0), (10, 10, 1.0), (10, 10, 2.0), (10, 20, 2.0)),
    *((20, 20, 1.0), (20, 20, 2.0), (20, 40, 2.0), (40, 60, 2.0)),
)
LOOSE = (1e-3, 1e-4)  # of PyBaMM: as exact as 20 x 20 deserves
THEIR_MESHES = (
    *((10, 10, LOOSE), (20, 20, LOOSE), (20, 20, peer.DEFAULT), (20, 40, LOOSE)),
    *((20, 80, LOOSE), (20, 80, peer.DEFAULT), (20, 200, peer.DEFAULT)),
)
VARIANTS = (
    {"most_fraction": 0.1},
    {"first_fraction": 1e-3},
    {"most_fraction": 0.1, "tolerance_volt": 2e-3},
    {"most_fraction": 0.1, "tolerance_volt": 2e-3, "first_fraction": 1e-3},
    {"most_fraction": 0.1, "tolerance_volt": 1e-2, "first_fraction": 1e-3},
)
MUST = {"dfn": 50.0, "spm": 40.0}
AIM = {"dfn": 300.0, "spm": 200.0}
MANY = (100, 1600)
PEER_CYCLES = 10
MODELS = ("dfn", "spm")


def ladders(model: str) -> dict[str, list[dict]]:
    """Both at all their tolerances: how far off their own converged answer."""
    answers = {
        "ours": own.curves(model, OUR_EXACT),
        "theirs": peer.curves(model, peer.EXACT, dense=True),
    }
    ours = [
        {"tolerance": t}
        | own.off(own.curves(model, Stepping(tolerance_volt=t)), answers["ours"])
        for t in OUR_TOLERANCES
    ]
    theirs = []
    for tolerance in THEIR_TOLERANCES:
        found = peer.curves(model, tolerance)
        peer.check(found, peer.solve(peer.simulation(model, tolerance, **_best())))
        theirs.append({"tolerance": tolerance} | own.off(found, answers["theirs"]))
    coulomb = {k: [float(q[-1]) for q, _ in v] for k, v in answers.items()}
    variants = [
        {"stepping": v} | own.off(own.curves(model, Stepping(**v)), answers["ours"])
        for v in VARIANTS
    ]
    return {
        "ours": ours,
        "theirs": theirs,
        "variants": variants,
        "converged_coulomb": coulomb,
    }


def one_cycle(model: str, rounds: int) -> dict:
    """One 1C cycle from the cell as built."""
    say(f"{model}: accuracy")
    found = ladders(model)
    cell = oracle_cell()
    contest = [
        Contestant("simulate()", "", 10, _times(10, lambda: _whole(cell, model))),
    ]
    for t in OUR_TOLERANCES:
        ready = Ready.of(cell, model, stepping=Stepping(tolerance_volt=t))
        count = 10 if t > 1e-5 else 2
        contest.append(Contestant(f"ours {t:g}", "", count, _times(count, ready.run)))
    for v in VARIANTS:
        ready = Ready.of(cell, model, stepping=Stepping(**v))
        contest.append(Contestant(f"ours {v}", "", 10, _times(10, ready.run)))
    settings = []
    exact = found["converged_coulomb"]["theirs"]
    for name, solver in peer.SETTINGS.items():
        built = peer.simulation(model, **solver)
        charge, discharge = peer.capacities(peer.solve(built))
        errors = [charge / exact[0] - 1.0, discharge / exact[1] - 1.0]
        settings.append({"name": name, "capacity_relative": errors})
        contest.append(Contestant(name, "", 1, lambda b=built: peer.solve(b)))
    for t in THEIR_TOLERANCES:
        built = peer.simulation(model, t, **_best())
        contest.append(Contestant(f"theirs {t}", "", 1, lambda b=built: peer.solve(b)))
    say(f"{model}: one cycle")
    rows = {r.name: r for r in interleaved(contest, rounds)}

    for rung in found["ours"]:
        ready = Ready.of(
            cell, model, stepping=Stepping(tolerance_volt=rung["tolerance"])
        )
        rung["substeps"] = int(ready.run().memory[Memory.SUBSTEPS])
        rung |= _timed(rows[f"ours {rung['tolerance']:g}"])
    for rung in found["variants"]:
        ready = Ready.of(cell, model, stepping=Stepping(**rung["stepping"]))
        rung["substeps"] = int(ready.run().memory[Memory.SUBSTEPS])
        rung |= _timed(rows[f"ours {rung['stepping']}"])
    for rung in found["theirs"]:
        rung |= _timed(rows[f"theirs {rung['tolerance']}"])
    for row in settings:
        row |= _timed(rows[row["name"]])
    found |= {"settings": settings, "simulate": _timed(rows["simulate()"])}
    return found | {"ratios": ratios(model, found)}


def _best() -> dict:
    return peer.SETTINGS[peer.BEST]


def _whole(cell: object, model: str) -> object:
    return simulate(cell, protocol(), model=model, trace="none")


def _times(count: int, call: object) -> object:
    def run() -> None:
        for _ in range(count):
            call()

    return run


def _timed(row: Row) -> dict:
    return {
        "cpu_ms": asdict(row.cpu_ms),
        "wall_ms": asdict(row.wall_ms),
        "samples": row.samples,
    }


def at_error(ladder: list[dict], error: float, key: str, which: str) -> dict:
    """CPU ms of a contestant where its error in the discharge is `error`.

    The error of a rung is the largest of it and of all tighter ones: an error that
    passes through zero is luck. Straight between rungs on logarithmic axes.
    """
    rungs = ladder[::-1]  # tightest first
    errors = np.maximum.accumulate([abs(r[key][1]) for r in rungs])
    ms = np.array([r["cpu_ms"][which] for r in rungs])
    reached = bool(errors[0] <= error <= errors[-1])
    at = np.interp(np.log(error), np.log(errors), np.log(ms))
    return {"ms": float(np.exp(at)), "within_ladder": reached}


def ratios(model: str, found: dict) -> list[dict]:
    """PyBaMM's CPU time over ours, at several readings of `equal`.

    Of the medians; of the lowest samples too, which feel other jobs least.
    """
    rows = _ratios(model, found, "median")
    for r, least in zip(rows, _ratios(model, found, "low"), strict=True):
        r["ratio_of_lowest"] = least["ratio"]
    return rows


def _ratios(model: str, found: dict, which: str) -> list[dict]:
    ours = next(r for r in found["ours"] if r["tolerance"] == OUR_DEFAULT)
    theirs = next(r for r in found["theirs"] if tuple(r["tolerance"]) == peer.DEFAULT)
    settings = {r["name"]: r["cpu_ms"][which] for r in found["settings"]}
    default_ms, best_ms = ours["cpu_ms"][which], settings[peer.BEST]
    out = [
        ("default tolerances, PyBaMM not compiled", default_ms, settings[peer.PLAIN]),
        ("default tolerances, PyBaMM compiled", default_ms, best_ms),
        (
            "the same, `simulate()` lowers the cell in every call",
            found["simulate"]["cpu_ms"][which],
            best_ms,
        ),
    ]
    rows = [_ratio(model, w, a, b) for w, a, b in out]
    for key, what in (
        ("capacity_relative", "discharge capacity"),
        ("voltage_rms_mv", "discharge voltage"),
    ):
        error = abs(theirs[key][1])
        a = at_error(found["ours"], error, key, which)
        rows.append(
            _ratio(model, f"equal error of {what}: PyBaMM's default", a["ms"], best_ms)
            | {"within_ladder": a["within_ladder"], "error": error}
        )
        error = abs(ours[key][1])
        b = at_error(found["theirs"], error, key, which)
        rows.append(
            _ratio(model, f"equal error of {what}: our default", default_ms, b["ms"])
            | {"within_ladder": b["within_ladder"], "error": error}
        )
    return rows


def _ratio(model: str, what: str, ours: float, theirs: float) -> dict:
    ratio = theirs / ours
    return {
        "what": what,
        "ours_ms": ours,
        "theirs_ms": theirs,
        "ratio": ratio,
        "must": MUST[model],
        "met": ratio >= MUST[model],
    }


def meshes(rounds: int) -> dict:
    """DFN: the whole error of the discharge, in time and space.

    Against our own finest mesh; PyBaMM's finest comes out close to it.
    """
    cell = oracle_cell()
    finest = own.mesh_of(*FINEST)
    answer = own.curves("dfn", Stepping(tolerance_volt=1e-6), finest)
    contest, found = [], {"ours": [], "theirs": []}
    for m in OUR_MESHES:
        mesh = own.mesh_of(*m)
        ready = Ready.of(cell, "dfn", mesh=mesh)
        errors = own.off(own.curves("dfn", ready.stepping, mesh), answer)
        found["ours"].append({"mesh": m} | errors)
        contest.append(Contestant(f"ours {m}", "", 10, _times(10, ready.run)))
    for m in THEIR_MESHES:
        nodes, shells, tolerance = m
        points = {"nodes": nodes, "shells": shells}
        built = peer.simulation("dfn", tolerance, **points, **_best())
        errors = own.off(peer.curves("dfn", tolerance, **points), answer)
        found["theirs"].append({"mesh": m} | errors)
        contest.append(Contestant(f"theirs {m}", "", 1, lambda b=built: peer.solve(b)))
    rows = {r.name: r for r in interleaved(contest, rounds)}
    for who in ("ours", "theirs"):
        for rung in found[who]:
            rung |= _timed(rows[f"{who} {rung['mesh']}"])
    found["equal"] = [_as_good(found["ours"], rung) for rung in found["theirs"]]
    return found


def _as_good(ours: list[dict], theirs: dict) -> dict:
    """Our cheapest mesh with both errors of the discharge not above PyBaMM's."""
    keys = ("capacity_relative", "voltage_rms_mv")
    enough = [r for r in ours if all(abs(r[k][1]) <= abs(theirs[k][1]) for k in keys)]
    best = min(enough, key=lambda r: r["cpu_ms"]["median"], default=None)
    theirs_ms = theirs["cpu_ms"]["median"]
    found = {"theirs": theirs["mesh"], "theirs_ms": theirs_ms, "ours": None}
    if best is None:
        return found
    ms = best["cpu_ms"]["median"]
    return found | {"ours": best["mesh"], "ours_ms": ms, "ratio": theirs_ms / ms}


def many_cycles(rounds: int) -> list[dict]:
    """Milliseconds per cycle in long runs without time series."""
    oracle, bundled = oracle_cell(), load_cell(BUNDLED)
    contest = []

    def add(name: str, cycles: int, run: object) -> None:
        contest.append(Contestant(name, "", cycles, run))

    def ours(name: str, cell: object, model: str, cycles: int) -> None:
        test = protocol(cycles)
        add(
            f"{name}, {model}, {cycles} cycles",
            cycles,
            lambda: simulate(cell, test, model=model, trace="none"),
        )

    for model in MODELS:
        for cycles in MANY:
            ours("oracle cell", oracle, model, cycles)
    for model in (*MODELS, "quasi-static"):
        ours("LB", bundled, model, 1)
        ours("LB", bundled, model, MANY[0])
    for model in MODELS:
        for name in (peer.PLAIN, peer.BEST):
            built = peer.simulation(model, cycles=PEER_CYCLES, **peer.SETTINGS[name])
            add(
                f"PyBaMM, {model}, {PEER_CYCLES} cycles ({name})",
                PEER_CYCLES,
                lambda b=built: peer.solve(b),
            )
    counts = {c.name: c.calls for c in contest}
    return [
        {"name": row.name, "cycles": counts[row.name]} | _timed(row)
        for row in interleaved(contest, rounds)
    ]


_RSS = """
import gc, resource, sys
sys.path.insert(0, {folder!r})
from engine_cell import oracle_cell, protocol
from equipoise.sim.simulate import simulate

def pages():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1])

simulate(oracle_cell(), protocol(1), model="spm", trace="none")
before, test = pages(), protocol({cycles})
run = simulate(oracle_cell(), test, model="spm", trace="none")
print((pages() - before) * resource.getpagesize())
"""


def memory() -> dict[str, float]:
    """Bytes per cycle: Python's own count (held, peak), and the resident set."""
    held, peak = [], []
    for cycles in MANY:
        gc.collect()
        tracemalloc.start()
        run = simulate(oracle_cell(), protocol(cycles), model="spm", trace="none")
        now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert run.finished
        held.append(now)
        peak.append(most)
    cycles = 20_000
    code = _RSS.format(folder=str(Path(__file__).parent), cycles=cycles)
    grown = [
        int(
            subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True
            ).stdout
        )
        for _ in range(3)
    ]
    more = MANY[1] - MANY[0]
    return {
        "held_bytes_per_cycle": (held[1] - held[0]) / more,
        "peak_bytes_per_cycle": (peak[1] - peak[0]) / more,
        "resident_bytes_per_cycle": float(np.median(grown)) / cycles,
        "resident_cycles": cycles,
    }


_FIRST = (
    "import equipoise as e;"
    "from equipoise.protocol.steps import Cycle, Protocol;"
    "from equipoise.sim.simulate import simulate;"
    "p = Protocol(name='p', steps=(Cycle(do='cycle', c_rate=1.0),));"
    f"simulate(e.load_cell({BUNDLED!r}), p)"
)
PROCESSES = (
    ("python", ["-c", "pass"], True),
    ("import equipoise.sim.simulate", ["-c", _FIRST.rsplit(";", 2)[0]], True),
    ("first simulation, kernels cached", ["-c", _FIRST], True),
    ("first simulation, kernels compiled", ["-c", _FIRST], False),
)


def starting(rounds: int) -> list[dict]:
    """Whole processes, in turn, after a round that is thrown away."""
    spent = {name: ([], []) for name, *_ in PROCESSES}
    for i in range(-1, rounds):
        say(f"  processes, round {i} of {rounds}")
        for name, arguments, cached in PROCESSES:
            wall, cpu = process_seconds(arguments, cached=cached)
            if i >= 0:
                spent[name][0].append(wall)
                spent[name][1].append(cpu)
    return [
        {
            "name": name,
            "samples": rounds,
            "wall_ms": asdict(Timing.of(spent[name][0])),
            "cpu_ms": asdict(Timing.of(spent[name][1])),
        }
        for name, *_ in PROCESSES
    ]


def life(many: list[dict]) -> list[dict]:
    """1600 cycles: ours run, PyBaMM's ten times 160."""
    found = {r["name"]: r["cpu_ms"]["median"] for r in many}
    rows, cycles = [], MANY[1]
    for model in MODELS:
        ours = 1e-3 * cycles * found[f"oracle cell, {model}, {cycles} cycles"]
        for name in (peer.PLAIN, peer.BEST):
            ms = found[f"PyBaMM, {model}, {PEER_CYCLES} cycles ({name})"]
            theirs = 1e-3 * cycles * ms
            rows.append(
                {
                    "what": f"{model.upper()}, default tolerances, PyBaMM {name}",
                    "ours_s": ours,
                    "theirs_s": theirs,
                    "from_cycles": PEER_CYCLES,
                    "ratio": theirs / ours,
                }
            )
    return rows


def requirements(result: dict) -> list[dict]:
    """What is asked of the engine, and what was found."""
    rows = []

    def ask(what: str, limit: str, found: float, unit: str, met: bool) -> None:
        rows.append(
            {"what": what, "limit": limit, "found": found, "unit": unit, "met": met}
        )

    for model in MODELS:
        for k in (0, 1, 3, 4):
            r = result["one_cycle"][model]["ratios"][k]
            ask(
                f"{model.upper()} ratio, one cycle: {r['what']}",
                f">= {MUST[model]:g} (aim {AIM[model]:g})",
                r["ratio"],
                "",
                r["met"],
            )
    for e in result["meshes"]["equal"]:
        nodes, shells, (rtol, atol) = e["theirs"]
        if (nodes, shells) == (20, 20):
            what = f"whole error not above PyBaMM's at 20 x 20, {rtol:g} / {atol:g}"
            limit = f">= {MUST['dfn']:g} (aim {AIM['dfn']:g})"
            ratio = e.get("ratio", float("nan"))
            ask(f"DFN ratio, one cycle: {what}", limit, ratio, "", ratio >= MUST["dfn"])
    many = {r["name"]: r["cpu_ms"]["median"] for r in result["many_cycles"]}
    for model, most in (("dfn", 3.0), ("spm", 0.25)):
        found = 1.6 * many[f"oracle cell, {model}, 1600 cycles"]
        ask(f"{model.upper()}, 1600 cycles", f"<= {most:g}", found, "s", found <= most)
    bytes_ = max(v for k, v in result["memory"].items() if k.endswith("per_cycle"))
    ask("memory per cycle, largest count", "< 1024", bytes_, "B", bytes_ < 1024)
    start = {r["name"]: r for r in result["processes"]}
    bare = start["python"]
    cold = start["first simulation, kernels compiled"]
    warm = start["first simulation, kernels cached"]
    for clock in ("wall_ms", "cpu_ms"):
        name = clock.removesuffix("_ms")
        s = 1e-3 * cold[clock]["median"]
        ask(f"first use, kernels compiled, {name}", "<= 20", s, "s", s <= 20.0)
        s = 1e-3 * (warm[clock]["median"] - bare[clock]["median"])
        ask(f"cached start above bare Python, {name}", "<= 1", s, "s", s <= 1.0)
    return rows


def processor() -> str:
    lines = Path("/proc/cpuinfo")
    if not lines.exists():
        return platform.processor()
    names = [s for s in lines.read_text().splitlines() if s.startswith("model name")]
    return names[0].split(":")[1].strip() if names else platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds; a check")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="folder"
    )
    options = parser.parse_args()
    quick = options.quick

    load = [os.getloadavg()[0]]
    kernels = _sources_hash()
    result: dict = {
        "cell": f"{BUNDLED}, simplified (benchmarks/engine_cell.py)",
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "kernels": kernels,
        "quick": quick,
        "our_default_volt": OUR_DEFAULT,
        "their_default": peer.DEFAULT,
        "best_setting": peer.BEST,
    }
    result["one_cycle"] = {m: one_cycle(m, 3 if quick else 25) for m in MODELS}
    say("meshes")
    result["finest_mesh"] = FINEST
    result["meshes"] = meshes(2 if quick else 11)
    say("many cycles")
    result["many_cycles"] = many_cycles(1 if quick else 7)
    result["life"] = life(result["many_cycles"])
    say("memory")
    result["memory"] = memory()
    result["processes"] = starting(1 if quick else 5)
    say("scaling")
    result["scaling"] = scaling(3 if quick else 25)
    say("parts")
    result["parts"] = parts(3 if quick else 25)
    say("batches")
    result["batches"] = batches(1 if quick else 7)
    load.append(os.getloadavg()[0])
    result["load_average"] = load
    if _sources_hash() != kernels:
        say("the kernels were edited meanwhile: start times are not those of the rest")
        result["kernels"] += ", edited during the run"
    result["requirements"] = requirements(result)

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "engine.json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    (options.out / "engine.md").write_text(text)
    draw(result, options.out / "engine-scaling.png")
    print(text)


if __name__ == "__main__":
    main()
