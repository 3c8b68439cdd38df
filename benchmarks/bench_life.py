"""Speed of cell lives, against PyBaMM in the same run.

Usage: python benchmarks/bench_life.py [--quick] [--out FOLDER]

One process, contestants in turn, processor time of one thread. Ours: all mechanisms of
the bundled ageing on the bundled HB cell, 1,600 cycles at 1C, every cycle solved and
with jumps. PyBaMM: loss of active material on both electrodes (current-driven) on the
cell of the engine benchmark, IDAKLU with `store_first_last`, compiled and not. Its SPM
runs 1,600 cycles; its DFN runs a few, extrapolated and labelled so. It solves less
physics here: no film, no slippage, no local strain.
"""

from __future__ import annotations

# isort: off
from bench_design import Contestant, Row, interleaved, say  # sets threads

# isort: on
import argparse
import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import engine_peer as peer
import pybamm

from equipoise import load_cell
from equipoise.io.ageing import ageing_of
from equipoise.protocol.steps import Cycle, Protocol
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import life

CYCLES = 1600
PEER_DFN_CYCLES = 10
PEER_SPM_CYCLES = 1600
LAM_PER_SECOND = 8e-9  # of the volume fraction at 1C: about 20 % in 1,600 cycles
CELLS = ("zhang2026-hb", "zhang2026-lb")
LIMITS = {
    "dfn, every cycle": (3.0, 0.3),
    "spm, every cycle": (0.25, 0.02),
    "dfn, jumps": (0.3, 0.05),
}


def worn(cell: object, model: str, jump: Jump | None) -> object:
    """A life of 1,600 cycles at 1C."""
    protocol = Protocol(name="1C", steps=(Cycle(c_rate=1.0, count=CYCLES),))
    return life(
        cell,
        protocol,
        ageing_of(cell),
        model=model,
        jump=jump,
        until_retention=None,
    )


def peer_simulation(model: str, cycles: int, **solver: object) -> pybamm.Simulation:
    """1C cycles with loss of active material on both electrodes."""
    given = peer.script()
    values, cell = given.parameter_values(), given.CELL
    values["Lower voltage cut-off [V]"] -= given.OUTSIDE_VOLT
    values["Upper voltage cut-off [V]"] += given.OUTSIDE_VOLT
    steps = tuple(
        pybamm.step.current(
            sign * cell["one_c_ampere"], duration=5 * 3600.0, termination=f"{volt} V"
        )
        for sign, volt in ((-1.0, cell["upper_volt"]), (1.0, cell["lower_volt"]))
    )

    def rate(current: object, temperature: object) -> object:  # noqa: ARG001
        return -LAM_PER_SECOND * abs(current) / abs(current + 1e-12)

    values.update(
        {
            "Positive electrode current-driven LAM rate": rate,
            "Negative electrode current-driven LAM rate": rate,
        },
        check_already_exists=False,
    )
    options = {
        "contact resistance": "true",
        "transport efficiency": "tortuosity factor",
        "loss of active material": "current-driven",
    }
    if model == "dfn":
        own = given.model()
        built = type(own)({**own.options, "loss of active material": "current-driven"})
    else:
        built = pybamm.lithium_ion.SPM(options)
    return pybamm.Simulation(
        built,
        parameter_values=values,
        experiment=pybamm.Experiment([steps] * cycles),
        var_pts={"x_n": 20, "x_s": 10, "x_p": 20, "r_n": 20, "r_p": 20},
        solver=pybamm.IDAKLUSolver(rtol=1e-4, atol=1e-6, **solver),
    )


def contestants(quick: bool) -> list[Contestant]:
    """Ours and theirs; names say what is extrapolated."""
    out: list[Contestant] = []
    for name in CELLS:
        cell = load_cell(name)
        for model in ("dfn", "spm"):
            for jump in (None, Jump()):
                what = "every cycle" if jump is None else "jumps"
                out.append(
                    Contestant(
                        f"ours, {cell.name}, {model}, {what}",
                        "",
                        1,
                        lambda c=cell, m=model, j=jump: worn(c, m, j),
                    )
                )
    for setting in (peer.PLAIN, peer.BEST):
        for model, cycles in (
            ("dfn", PEER_DFN_CYCLES),
            ("spm", 100 if quick else PEER_SPM_CYCLES),
        ):
            built = peer_simulation(model, cycles, **peer.SETTINGS[setting])
            out.append(
                Contestant(
                    f"PyBaMM, {model}, {cycles} cycles ({setting})",
                    "",
                    1,
                    lambda b=built: peer.solve(b),
                )
            )
    return out


def accuracy() -> list[dict]:
    """Cycle life with jumps against every cycle solved."""
    found = []
    for name in CELLS:
        cell = load_cell(name)
        for model in ("dfn", "spm"):
            full, jumped = worn(cell, model, None), worn(cell, model, Jump())
            a, b = full.cycle_life(0.8), jumped.cycle_life(0.8)
            found.append(
                {
                    "cell": cell.name,
                    "model": model,
                    "full": a.cycle_count,
                    "jumped": b.cycle_count,
                    "censored": a.censored or b.censored,
                    "relative": b.cycle_count / a.cycle_count - 1.0,
                    "solved": jumped.solved_count,
                    "cycles": jumped.last_cycle,
                }
            )
    return found


def per_1600(row: Row) -> float:
    """Seconds of CPU per 1,600 cycles, from the median."""
    seconds = row.cpu_ms.median * 1e-3
    if not row.name.startswith("PyBaMM"):
        return seconds
    cycles = int(row.name.split(",")[2].split()[0])
    return seconds * CYCLES / cycles


def markdown(found: dict) -> str:
    """The results as a page."""
    lines = [
        "# Benchmark of cell lives",
        "",
        f"{found['machine']}; "
        f"{', '.join(f'{k} {v}' for k, v in found['versions'].items())}.",
        "CPU seconds of one thread, medians of one run, contestants in turn. 1,600 "
        "cycles at 1C; PyBaMM's DFN is extrapolated from "
        f"{PEER_DFN_CYCLES} cycles.",
        "",
        "| contestant | s per 1,600 cycles | PyBaMM best / this |",
        "|---|---|---|",
    ]
    best = {
        m: min(
            r["seconds"] for r in found["rows"] if r["name"].startswith(f"PyBaMM, {m}")
        )
        for m in ("dfn", "spm")
    }
    for r in found["rows"]:
        model = "dfn" if ", dfn" in r["name"] else "spm"
        lines.append(
            f"| {r['name']} | {r['seconds']:.3f} | {best[model] / r['seconds']:.0f} |"
        )
    lines += [
        "",
        "## Cycle life with jumps against every cycle solved",
        "",
        "| cell | model | full | jumped | off | cycles solved |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {a['cell']} | {a['model']} | {a['full']:.1f} | {a['jumped']:.1f} | "
        f"{100 * a['relative']:+.2f} % | {a['solved']} of {a['cycles']} |"
        for a in found["accuracy"]
    ]
    lines += [
        "",
        "## Limits",
        "",
        "| what | must, s | aim, s | found, s |",
        "|---|---|---|---|",
    ]
    for what, (must, aim) in LIMITS.items():
        model, way = what.split(", ")
        worst = max(
            r["seconds"]
            for r in found["rows"]
            if r["name"].startswith("ours") and f", {model}, {way}" in r["name"]
        )
        lines.append(f"| {what} | {must:g} | {aim:g} | {worst:.3f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    given = parser.parse_args()
    say("accuracy")
    exact = accuracy()
    say("speed")
    rows = interleaved(contestants(given.quick), 2 if given.quick else 5)
    found = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "versions": {p: version(p) for p in ("equipoise", "pybamm", "numba", "numpy")},
        "cycles": CYCLES,
        "rows": [
            {"name": r.name, "seconds": per_1600(r), "cpu_ms": asdict(r.cpu_ms)}
            for r in rows
        ],
        "accuracy": exact,
    }
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "life.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (given.out / "life.md").write_text(markdown(found), "utf-8")
    print(markdown(found))


if __name__ == "__main__":
    main()
