"""Accuracy of all tools on made-up cells whose distribution is known.

Usage: python benchmarks/eis_tables.py [--seeds 5] [--noise 1e-3]

Signed error of the window integrals R_int and R_ct against the exact distribution (not
against the sum of resistances), and the rms difference of the curves from 2e-6 to 1 s;
medians over the seeds. Prints two tables; see docs/reference/benchmarks.md.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import numpy as np
from eis_call import Peer, why_absent
from eis_reference import Problem
from eis_surrogates import (
    CHARGE_TRANSFER_SECOND,
    COMPARED_SECOND,
    INTERPHASE_SECOND,
    SURROGATES,
    TAIL_SECOND,
    TAILS,
    bare,
    measured,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[np.ndarray, np.ndarray, bool], "Found"]

STRENGTH = 1e-4
EXPONENTS = tuple(np.arange(0.35, 0.96, 0.05))


class Found:
    """A distribution on a fine grid."""

    def __init__(self, tau: np.ndarray, gamma: np.ndarray) -> None:
        order = np.argsort(tau)
        self.log_tau, self.gamma_ohm = np.log(tau[order]), gamma[order]

    def gamma(self, tau: np.ndarray) -> np.ndarray:
        return np.interp(np.log(tau), self.log_tau, self.gamma_ohm, left=0.0, right=0.0)

    def window(self, low: float, high: float) -> float:
        tau = np.geomspace(low, high, 4001)
        return float(np.trapezoid(self.gamma(tau), np.log(tau)))


def errors(name: str, found: Found) -> tuple[float, float, float]:
    """R_int and R_ct (signed) and curve, percent."""
    cell = SURROGATES[name]
    windows = [
        100.0 * (found.window(*w) / cell.window(*w) - 1.0)
        for w in (INTERPHASE_SECOND, CHARGE_TRANSFER_SECOND)
    ]
    tau = np.geomspace(*COMPARED_SECOND, 2001)
    true = cell.gamma(tau)
    off = np.linalg.norm(found.gamma(tau) - true) / np.linalg.norm(true)
    return windows[0], windows[1], 100.0 * float(off)


def of_peer(peer: Peer, **settings: object) -> Answer:
    def answer(f: np.ndarray, z: np.ndarray, taken_away: bool) -> Found:
        more = (
            {} if peer.tool in ("hybrid", "pydrt_") else {"inductance": not taken_away}
        )
        got = peer.ask("drt", f, z, **(settings | {k: int(v) for k, v in more.items()}))
        return Found(got["tau_second"], got["gamma_ohm"])

    return answer


FINE = np.geomspace(1e-9, 1e2, 8001)


def joint(tails: str, *, strength: float = STRENGTH, drttools: bool = False) -> Answer:
    """The exact solution with tail columns; tau = 1/(2 pi f) unless as DRTtools."""

    def answer(f: np.ndarray, z: np.ndarray, taken_away: bool) -> Found:
        tau = (1.0 if drttools else 1.0 / (2.0 * math.pi)) / f
        jw = 2j * math.pi * f
        best: tuple[float, Problem, np.ndarray] | None = None
        for columns in _columns(tails, jw):
            problem = Problem.of(f, tau, inductance=not taken_away, tails=columns)
            x = problem.solve(z, strength)
            cost = problem.objective(x, z, strength)
            if best is None or cost < best[0]:
                best = cost, problem, x
        assert best is not None
        return Found(FINE, best[1].gamma(best[2], FINE))

    return answer


def _columns(tails: str, jw: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    if tails == "W":
        return [(jw**-0.5,)]
    if tails == "W+C":
        return [(jw**-0.5, 1.0 / jw)]
    if tails == "profiled":
        return [(jw**-a,) for a in EXPONENTS]
    if tails == "coth":
        s = np.sqrt(jw * TAIL_SECOND)
        return [(1.0 / (s * np.tanh(s)),)]
    return [()]


def row(name: str, answer: Answer, cells: list[Callable]) -> None:
    """One line; each cell gives, for a seed, surrogate, f, Z and whether cleaned."""
    shown = []
    for cell in cells:
        off = np.array([errors(n, answer(f, z, k)) for n, f, z, k in cell()])
        a, b, c = np.median(off, axis=0)
        spread = off[:, 1].std(ddof=1) if len(off) > 1 else 0.0
        shown.append(f"{a:+.1f}/{b:+.1f} (sd {spread:.1f}), {c:.0f}")
    print(f"| {name} | " + " | ".join(shown) + " |", flush=True)


def cases(name: str, cleaned: bool, tail: str, noise: float, seeds: int) -> Callable:
    def made() -> list[tuple[str, np.ndarray, np.ndarray, bool]]:
        source = bare if cleaned else measured
        return [
            (name, *source(name, noise=noise, seed=k, tail=tail), cleaned)
            for k in range(seeds)
        ]

    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--noise", type=float, default=1e-3)
    options = parser.parse_args()
    both = [
        cases(name, cleaned, "warburg", options.noise, options.seeds)
        for name in SURROGATES
        for cleaned in (True, False)
    ]
    print("R_int/R_ct %, curve %: S1 cleaned | S1 | S2 cleaned | S2")
    contestants: dict[str, tuple[str, dict]] = {
        "pyDRTtools": ("drttools", {}),
        "pyDRTtools, cvxopt to 1e-12": ("drttools", {"tolerance": 1e-12}),
        "pyDRTtools, shape factor 0.5": (
            "drttools",
            {"shape": "Shape Factor", "coefficient": 0.5},
        ),
        "pyDRTtools, GCV": ("drttools", {"selection": "GCV"}),
        "pyimpspec TR-RBF": ("impspec", {}),
        "hybrid-drt": ("hybrid", {}),
        "hybrid-drt, phasances": ("hybrid", {"phasance": True}),
        "PyDRT": ("pydrt_", {}),
    }
    absent = {tool: why_absent(tool) for tool, _ in contestants.values()}
    for name, (tool, settings) in contestants.items():
        if absent[tool]:
            print(f"| {name} | {absent[tool]} |")
            continue
        with Peer(tool) as peer:
            row(name, of_peer(peer, **settings), both)
    row("exact, none, tau = 1/f", joint("none", drttools=True), both)
    row("exact, W, tau = 1/(2 pi f)", joint("W"), both)
    row("exact, W, lambda 1e-3", joint("W", strength=1e-3), both)
    print("\nR_int/R_ct %: S1 | S2 of exact solutions, by true tail")
    for tail in TAILS:
        pair = [cases(n, False, tail, options.noise, options.seeds) for n in SURROGATES]
        for column in ("none", "W", "W+C", "profiled", "coth"):
            row(f"{tail}: {column}", joint(column), pair)


if __name__ == "__main__":
    main()
