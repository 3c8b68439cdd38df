"""Impedance: distributions, Kramers-Kronig, circuits, intervals, against peers.

Usage: python benchmarks/bench_impedance.py [--quick] [--out FOLDER]

The peers run in .venv-eis (benchmarks/eis_peers.txt), each in one process that is kept,
and measure themselves; all take turns (A B C A B C ...), on one thread, on the same
spectra. Beside every time stands how good the answer is. See
docs/reference/benchmarks.md.
"""

from __future__ import annotations

# isort: off
from bench_design import say  # sets threads
# isort: on

import argparse
import gc
import json
import os
import platform
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING

import eis_call
import eis_ours as ours
import numpy as np
from bench_design import Timing, process_seconds
from cycling_peers import section
from eis_call import ONE_THREAD, Peer, PeerError
from eis_report import limits, markdown
from eis_surrogates import SURROGATES, measured
from eis_tables import FINE, Found, errors

from equipoise.spec.spectrum import Spectrum

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = ("equipoise", "numpy", "scipy", "numba")
WITH_DRT = {
    "drttools": "pyDRTtools",
    "impspec": "pyimpspec TR-RBF",
    "hybrid": "hybrid-drt",
    "pydrt_": "PyDRT",
}
SLOW = 2
"""Samples of contestants that take seconds; they have no warm-up."""
FAST = 20
"""Calls in one sample of what takes a millisecond."""
Seconds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Run:
    """`run` gives wall and CPU seconds of a `times`-th of the work, `most` times."""

    name: str
    what: str
    run: Callable[[], Seconds]
    most: int = 1000
    times: float = 1.0


class Bench:
    """The peers that are there, and what is not."""

    def __init__(self, stack: ExitStack) -> None:
        self.missing: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.peers: dict[str, Peer] = {}
        for tool in eis_call.TOOLS:
            try:
                self.peers[tool] = stack.enter_context(Peer(tool))
            except PeerError as error:
                self.missing[tool] = str(error)
                say(f"not there: {tool} ({error})")
                continue
            self.versions |= self.peers[tool].versions

    def mine(
        self, name: str, what: str, run: Callable[[], object], calls: int = 1
    ) -> list[Run]:
        """Ours, if what it calls is there; a sample is the mean of `calls`."""
        try:
            run()
        except (ImportError, AttributeError, FileNotFoundError) as error:
            self.missing[name] = f"{type(error).__name__}: {error}"
            say(f"not there: {name} ({error})")
            return []
        return [Run(name, what, lambda: _timed(run, calls))]

    def theirs(
        self,
        tool: str,
        name: str,
        what: str,
        task: str,
        spectrum: Spectrum,
        most: int = 1000,
        times: float = 1.0,
        **settings: object,
    ) -> list[Run]:
        """A peer, if it is there."""
        if (peer := self.peers.get(tool)) is None:
            return []

        def run() -> Seconds:
            found = _asked(peer, task, spectrum, **settings)
            return found["wall_second"], found["cpu_second"]

        return [Run(name, what, run, most, times)]


def _asked(peer: Peer, task: str, spectrum: Spectrum, **settings: object) -> dict:
    return peer.ask(task, spectrum.frequency_hertz, spectrum.impedance_ohm, **settings)


def _timed(run: Callable[[], object], calls: int) -> Seconds:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return wall / calls, cpu / calls


def in_turn(runs: list[Run], rounds: int) -> list[dict]:
    """All in turn, after a round that is thrown away (not of slow ones)."""
    spent: dict[str, list[Seconds]] = {r.name: [] for r in runs}
    for i in range(-1, rounds):
        for r in runs:
            if len(spent[r.name]) >= r.most or (i < 0 and r.most <= SLOW):
                continue
            found = r.run()
            if i >= 0:
                spent[r.name].append(found)
    return [_row(r, spent[r.name]) for r in runs if spent[r.name]]


def _row(r: Run, found: list[Seconds]) -> dict:
    wall, cpu = (Timing.of([s[k] * r.times for s in found]) for k in (0, 1))
    shown = {"wall_ms": _plain(wall), "cpu_ms": _plain(cpu)}
    head = {"name": r.name, "what": r.what, "samples": len(found)}
    return head | shown | {"times": r.times}


def _plain(t: Timing) -> dict[str, float]:
    return {"median": t.median, "low": t.low, "high": t.high}


# --- contests ---


def distributions(bench: Bench, rounds: int) -> dict:
    """One spectrum, warm, and a hundred."""
    spectrum, number = ours.surrogate(), count()
    one = [
        *bench.mine(
            "equipoise",
            "inductance and Warburg tail fitted, exact; a grid seen before",
            lambda: ours.drt(spectrum),
            FAST,
        ),
        *bench.mine(
            "equipoise, as DRTtools",
            "the problem that pyDRTtools solves, exact; a grid seen before",
            lambda: ours.drt_as_drttools(spectrum),
            FAST,
        ),
        *bench.mine(
            "equipoise, another grid each time",
            "the default, matrices assembled",
            lambda: ours.drt(ours.another_grid(spectrum, next(number))),
            FAST,
        ),
        *bench.mine(
            "equipoise resistances()",
            "R_int and R_ct, their band over all models of the tail",
            lambda: ours.resistances(spectrum),
        ),
        *bench.theirs("drttools", "pyDRTtools", "cvxopt", "drt", spectrum),
        *bench.theirs("impspec", "pyimpspec TR-RBF", "cvxopt", "drt", spectrum),
        *bench.theirs("hybrid", "hybrid-drt", "error model fitted", "drt", spectrum),
        *bench.theirs("pydrt_", "PyDRT", "scipy nnls", "drt", spectrum),
    ]
    hundred = [
        *bench.mine("equipoise, batch", "one call", ours.drt_batch),
        *(
            run
            for tool, name in WITH_DRT.items()
            for run in bench.theirs(
                tool, name, "one of them", "drt", spectrum, times=ours.BATCH
            )
        ),
    ]
    title = f"{spectrum.points_count} points, 1 MHz to 0.1 Hz, lambda 1e-4"
    few = min(rounds, 5)
    return {
        "drt": section(
            f"One distribution, {title}", "", in_turn(one, rounds), one[0].name
        ),
        "batch": section(
            f"{ours.BATCH} distributions on one grid",
            "",
            in_turn(hundred, few),
            hundred[0].name,
        ),
    }


def testing(bench: Bench, rounds: int) -> dict:
    """Kramers-Kronig."""
    spectrum = ours.surrogate()
    task = "kramers_kronig"
    runs = [
        *bench.mine(
            "equipoise",
            "number of elements by cross-validation, verdict per decade",
            lambda: ours.kramers_kronig(spectrum),
            FAST,
        ),
        *bench.theirs(
            "impedance_py", "impedance.py linKK", "as in its tutorial", task, spectrum
        ),
        *bench.theirs(
            "impedance_py",
            "impedance.py linKK, default",
            "real part only, no capacitance",
            task,
            spectrum,
            part="real",
            capacitance=False,
            most=50,
        ),
        *bench.theirs(
            "impspec",
            "pyimpspec, one range",
            "range of time constants not varied",
            task,
            spectrum,
            most=SLOW,
            extensions=0,
        ),
        *bench.theirs("impspec", "pyimpspec", "default", task, spectrum, most=SLOW),
    ]
    title = f"Linear Kramers-Kronig test, {spectrum.points_count} points"
    return {task: section(title, "", in_turn(runs, rounds), runs[0].name)}


def fitting(bench: Bench, rounds: int) -> dict:
    """The circuit of impedance.py's tutorial on its spectrum."""
    try:
        spectrum = ours.example()
    except FileNotFoundError as error:
        bench.missing["circuit fits"] = f"{error.filename} is not here"
        return {}
    what = "from the guess of the tutorial"
    runs = [
        *bench.mine(
            "equipoise, no guess",
            "starts from the spectrum",
            lambda: ours.fit(spectrum),
        ),
        *bench.mine("equipoise", what, lambda: ours.fit(spectrum, guess=True)),
        *bench.theirs("impedance_py", "impedance.py", what, "fit", spectrum),
        *bench.theirs("impspec", "pyimpspec", what, "fit", spectrum, most=SLOW),
        *bench.theirs(
            "impspec",
            "pyimpspec, auto",
            "all its methods and weights",
            "fit",
            spectrum,
            most=1,
            method="auto",
            weight="auto",
        ),
    ]
    title = f"Circuit {ours.CIRCUIT} on {spectrum.points_count} measured points"
    found = section(title, "", in_turn(runs, rounds), runs[0].name)
    return {"fit": found | {"misfits": _misfits(bench, spectrum)}}


def _misfits(bench: Bench, spectrum: Spectrum) -> dict[str, float]:
    """Root mean square of |fit - data|, ohm: not all find the same minimum."""
    z, found = spectrum.impedance_ohm, {}
    for name, guess in (("equipoise, no guess", False), ("equipoise", True)):
        if name not in bench.missing:
            off = ours.fit(spectrum, guess=guess).impedance() - z
            found[name] = float(np.sqrt(np.mean(np.abs(off) ** 2)))
    for tool, name in (("impedance_py", "impedance.py"), ("impspec", "pyimpspec")):
        if tool in bench.peers:
            answer = _asked(bench.peers[tool], "fit", spectrum)
            found[name] = float(answer["rms_ohm"])
    return found


def believing(bench: Bench, rounds: int) -> dict:
    """99 % credible intervals of gamma."""
    spectrum = ours.surrogate()
    runs = [
        *bench.mine("equipoise", "1500 samples, >= 0", lambda: ours.interval(spectrum)),
        *bench.theirs(
            "drttools",
            "pyDRTtools",
            "2000 samples, 501 dropped, >= 0",
            "interval",
            spectrum,
            most=1,
        ),
        *bench.theirs(
            "hybrid",
            "hybrid-drt",
            "Gaussian, without the bound at 0",
            "interval",
            spectrum,
        ),
    ]
    if not runs:
        return {}
    title = "Credible interval of a distribution"
    return {"interval": section(title, "", in_turn(runs, rounds), runs[0].name)}


def starting(bench: Bench, rounds: int, folder: Path) -> dict:
    """From a process's start to its first distribution."""
    spectrum = ours.surrogate()
    f, z = spectrum.frequency_hertz, spectrum.impedance_ohm
    path = folder / "spectrum.txt"
    np.savetxt(path, np.column_stack([f, z.real, z.imag]))
    own = {
        "python": ("bare interpreter", ["-c", "pass"]),
        "numpy and scipy": ("their import", ["-c", "import numpy, scipy.optimize"]),
        "equipoise": (
            "import, read, distribution; kernels cached",
            ["-c", ours.COLD, str(path)],
        ),
    }
    runs = []
    for name, (what, arguments) in own.items():
        if name == "equipoise" and name in bench.missing:
            continue
        runs.append(
            Run(name, what, lambda a=arguments: process_seconds(a, cached=True))
        )
    runs += [
        Run(name, "import, distribution", lambda t=tool: _cold(t, f, z))
        for tool, name in WITH_DRT.items()
        if tool in bench.peers
    ]
    rows = in_turn(runs, min(rounds, 5))
    return {
        "process": section("One process to its first answer", "", rows, "equipoise")
    }


def _cold(tool: str, f: np.ndarray, z: np.ndarray) -> Seconds:
    """Wall clock to the answer; CPU time of the whole process."""
    before = getrusage(RUSAGE_CHILDREN)
    wall = eis_call.cold(tool, "drt", f, z)
    after = getrusage(RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# --- how good ---


def accuracy(bench: Bench, seeds: int) -> dict[str, dict[str, list[float]]]:
    """Errors of R_int, R_ct and the curve (%), medians over the seeds."""
    found: dict[str, dict[str, list[float]]] = {}

    def of(name: str, answer: Callable[[Spectrum], Found]) -> None:
        for cell in SURROGATES:
            off = [
                errors(cell, answer(Spectrum.of(*measured(cell, seed=seed))))
                for seed in range(seeds)
            ]
            found.setdefault(name, {})[cell] = np.median(off, axis=0).tolist()

    def asked(peer: Peer) -> Callable[[Spectrum], Found]:
        def answer(spectrum: Spectrum) -> Found:
            got = _asked(peer, "drt", spectrum)
            return Found(got["tau_second"], got["gamma_ohm"])

        return answer

    if "equipoise" not in bench.missing:
        of("equipoise", lambda s: Found(FINE, ours.drt(s).gamma_at(FINE)))
        of(
            "equipoise, as DRTtools",
            lambda s: Found(FINE, ours.drt_as_drttools(s).gamma_at(FINE)),
        )
    for tool, name in WITH_DRT.items():
        if tool in bench.peers:
            of(name, asked(bench.peers[tool]))
    return found


def agreement(bench: Bench) -> dict[str, float]:
    """Ours against pyDRTtools on its own problem, as it comes and solved tightly."""
    if "drttools" not in bench.peers or "equipoise" in bench.missing:
        return {}
    spectrum, found = ours.surrogate(), {}
    mine = ours.drt_as_drttools(spectrum)
    for name, tolerance in (("default", None), ("tight", 1e-12)):
        got = _asked(bench.peers["drttools"], "drt", spectrum, tolerance=tolerance)
        gamma, own = got["gamma_ohm"], mine.gamma_at(got["tau_second"])
        off = np.abs(gamma - own)
        found[f"{name}_largest_ratio"] = float(off.max() / own.max())
        found[f"{name}_norm_ratio"] = float(np.linalg.norm(off) / np.linalg.norm(own))
    return found


def measure(bench: Bench, rounds: int, folder: Path) -> dict:
    """All sections."""
    sections: dict[str, dict] = {}
    for name, part in (
        ("distributions", lambda: distributions(bench, rounds)),
        ("Kramers-Kronig", lambda: testing(bench, rounds)),
        ("circuits", lambda: fitting(bench, rounds)),
        ("intervals", lambda: believing(bench, min(rounds, 5))),
        ("processes", lambda: starting(bench, rounds, folder)),
    ):
        say(name)
        sections |= part()
    return sections


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds; a check")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results", help="folder"
    )
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    load, begin = [os.getloadavg()[0]], time.perf_counter()
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="equipoise-bench-")
        )
        bench = Bench(stack)
        sections = measure(bench, 2 if options.quick else 15, Path(folder))
        say("accuracy")
        good = accuracy(bench, 1 if options.quick else 5)
        agreed = agreement(bench)
    load.append(os.getloadavg()[0])
    result = {
        "quick": options.quick,
        "cores": os.cpu_count(),
        "load_average": load,
        "seconds": time.perf_counter() - begin,
        "python": platform.python_version(),
        "python_of_peers": _version_of(eis_call.interpreter()),
        "versions": {name: version(name) for name in PACKAGES},
        "versions_of_peers": bench.versions,
        "missing": bench.missing,
        "limits": limits(sections, good, quick=options.quick),
        "accuracy_percent": good,
        "agreement": agreed,
        "sections": sections,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "impedance.json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    (options.out / "impedance.md").write_text(text)
    print(text)


def _version_of(python: Path) -> str:
    if not python.exists():
        return ""
    code = "import platform; print(platform.python_version())"
    found = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


if __name__ == "__main__":
    main()
