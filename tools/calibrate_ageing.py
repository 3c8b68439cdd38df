"""Calibrate the ageing to the HB cells of zhang2026; draw what they leave open.

    python tools/calibrate_ageing.py [--fits FOLDER] [--draws N] [--members N] [--write]

Every hypothesis (study/zhang2026/hypotheses.py) is fitted with every set of fresh
rates, first roughly, and then sampled, beginning from the optima of all fits that share
parameters with it. No number of an aged LB cell is used; two words are
(study/zhang2026/calibration_set.py).
`--fits` keeps fits and draws, so that the script can go on where it stopped. `--write`
renews `study/zhang2026/ensemble.toml`, `spec/library/ageing/zhang2026.toml` and
`docs/reference/ageing-calibration.md`. `--no-words` leaves the two words out and
only prints; `--fresh NAME` restricts either to one set of fresh rates.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from ageing_report import write_ensemble, write_page, write_sets

from equipoise.core.errors import EquipoiseError
from equipoise.fit.ageing import calibrate_ageing, problem_of
from equipoise.fit.inference import Estimate
from equipoise.fit.sampling import Draws, sample
from equipoise.study.zhang2026.calibration_set import model
from equipoise.study.zhang2026.hypotheses import (
    CELL_SPREAD,
    FRESH,
    FRESH_CHI_SQUARE,
    HYPOTHESES,
)

READING_SPREAD = 0.15  # of a resistance read from a spectrum, ln
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
HOPELESS = 500.0  # chi-square of a rough fit beyond which nothing is sampled
TRIED = 8  # draws of each combination tried as the bundled set
CLOSE = 2.0  # in log evidence
FEW = 60.0  # effective draws below which more rounds follow
BY_NAME = {h.name: h for h in HYPOTHESES}


def stem(name: str, fresh: str) -> str:
    """Of the files of a fit."""
    return f"{name.replace(' ', '_')}__{fresh}"


def fitted(job: tuple[str, str, str, bool]) -> dict:
    """A rough fit of one hypothesis with one set of fresh rates; read back if known."""
    name, fresh, folder, words = job
    path = Path(folder) / f"{stem(name, fresh)}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    hypothesis = BY_NAME[name]
    try:
        e = calibrate_ageing(
            model(hypothesis, fresh, words=words),
            hypothesis.parameters(),
            most_evaluations_count=14,
        )
    except EquipoiseError as error:
        print(f"{name}, {fresh}: {error}", file=sys.stderr, flush=True)
        return {"hyp": name, "fresh": fresh, "chi2": float("inf")}
    found = {
        "hyp": name,
        "fresh": fresh,
        "chi2": e.chi_square,
        "cost": e.cost,
        "est": e.estimates,
        "computed": e.computed,
        "scaled": e.scaled.tolist(),
        "cov": e.covariance.tolist(),
        "n": e.evaluations_count,
    }
    path.write_text(json.dumps(found), "utf-8")
    print(f"{name}, {fresh}: chi2 {e.chi_square:.2f}", file=sys.stderr, flush=True)
    return found


def places(fit: dict, others: list[dict]) -> tuple[np.ndarray, ...]:
    """Optima of related fits in the parameters of this one: where to look, too."""
    parameters = BY_NAME[fit["hyp"]].parameters()
    out = []
    for other in others:
        if other is fit or other["chi2"] > HOPELESS:
            continue
        names = [p.name for p in BY_NAME[other["hyp"]].parameters()]
        at = dict(zip(names, other["scaled"], strict=True))
        same_driver = BY_NAME[other["hyp"]].driver == BY_NAME[fit["hyp"]].driver
        if not same_driver:  # hazard and exponent mean something else
            at = {k: v for k, v in at.items() if k not in ("hazard", "exponent")}
        own = dict(zip([p.name for p in parameters], fit["scaled"], strict=True))
        out.append(np.array([at.get(p.name, own[p.name]) for p in parameters]))
    return tuple(out)


def drawn(job: tuple[dict, list[dict], int, int, str, bool]) -> dict:
    """Draws from the posterior of one fit; read back if they are known."""
    fit, others, draws, seed, folder, words = job
    path = Path(folder) / f"{stem(fit['hyp'], fit['fresh'])}.draws{draws}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    parameters = BY_NAME[fit["hyp"]].parameters()
    lives = model(BY_NAME[fit["hyp"]], fit["fresh"], words=words)
    scaled, cov = np.array(fit["scaled"]), np.array(fit["cov"])
    known = places(fit, others)
    began = time.perf_counter()
    for attempt in range(3):
        problem = problem_of(lives, parameters)
        estimate = Estimate(
            parameters,
            lives.targets,
            fit["est"],
            scaled,
            cov,
            cov,
            fit["computed"],
            fit["chi2"],
            fit["cost"],
            fit["n"],
        )
        rng = np.random.default_rng(seed + 1000 * attempt)
        chain = sample(problem, estimate, draws, known=known, rng=rng)
        if chain.effective_count() >= FEW:
            break
        scaled, cov = chain.best_scaled, chain.covariance()  # begin better
    found = told(chain, parameters, lives.targets, seed)
    path.write_text(json.dumps(found), "utf-8")
    print(
        f"{fit['hyp']}, {fit['fresh']}: "
        f"chi2 {fit['chi2']:.2f} -> {found['best']['chi2']:.2f}, "
        f"cost {fit['cost']:.2f} -> {chain.best_cost:.2f}, "
        f"log evidence {chain.log_evidence_ratio:.2f}, "
        f"effective {chain.effective_count():.0f} of {draws}, "
        f"error {chain.emulator_error:.2f}, {time.perf_counter() - began:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    return found


def told(chain: Draws, parameters: tuple, targets: tuple, seed: int) -> dict:
    """What is kept of the draws."""
    pairs = list(zip(parameters, chain.best_scaled, strict=True))
    at = chain.equally_likely(4000, np.random.default_rng(seed))
    best = chain.best_computed
    return {
        "scaled": chain.scaled.tolist(),
        "weight": chain.weight.tolist(),
        "cost": chain.cost.tolist(),
        "computed": [dict(c) for c in chain.computed],
        "effective": chain.effective_count(),
        "error": chain.emulator_error,
        "logev": chain.log_evidence_ratio,
        "evaluations": chain.evaluations_count,
        "best": {
            "cost": chain.best_cost,
            "computed": dict(best),
            "scaled": chain.best_scaled.tolist(),
            "est": {p.name: p.natural(x) for p, x in pairs},
            "chi2": sum(
                ((best[t.name] - t.value) / t.uncertainty) ** 2 for t in targets
            ),
        },
        "known": known_fractions(parameters, chain.covariance()),
        "correlations": np.corrcoef(chain.scaled[at].T).tolist(),
    }


def known_fractions(parameters: tuple, covariance: np.ndarray) -> dict[str, float]:
    """1 - posterior over prior standard deviation, the prior cut at its bounds."""
    rng = np.random.default_rng(0)
    out = {}
    for i, p in enumerate(parameters):
        prior = p.start + p.prior_width * rng.standard_normal(100_000)
        prior = prior[(prior >= p.lower) & (prior <= p.upper)]
        out[p.name] = float(1.0 - np.sqrt(covariance[i, i]) / prior.std())
    return out


def shares_of(fits: list[dict], chains: list[dict]) -> np.ndarray:
    """Posterior share of each: evidence of the ageing, likelihood of the fresh."""
    pairs = zip(fits, chains, strict=True)
    log = np.array([c["logev"] - 0.5 * FRESH_CHI_SQUARE[f["fresh"]] for f, c in pairs])
    w = np.exp(log - log.max())
    return w / w.sum()


def members(
    fits: list[dict], share: np.ndarray, chains: list[dict], count: int
) -> list[dict]:
    """Equally likely draws over all hypotheses, with new LB cells."""
    rng = np.random.default_rng(2026)
    counts = np.floor(share * count).astype(int)
    rest = np.argsort(-(share * count - counts))[: count - int(counts.sum())]
    counts[rest] += 1
    out: list[dict] = []
    for fit, chain, n in zip(fits, chains, counts, strict=True):
        if n == 0:
            continue
        names = BY_NAME[fit["hyp"]].parameters()
        reached = np.cumsum(chain["weight"])
        at = np.searchsorted(reached / reached[-1], (np.arange(n) + rng.random()) / n)
        for k in at:
            values = {
                p.name: p.natural(x)
                for p, x in zip(names, chain["scaled"][k], strict=True)
            }
            spread = CELL_SPREAD * rng.standard_normal(4)
            spread[0] /= np.sqrt(2.0)  # mean of two cells
            cells = ("0.2C", "1C", "rates", "three electrodes")
            out.append(
                {
                    "hypothesis": fit["hyp"],
                    "kinetics": fit["fresh"],
                    "values": values,
                    "lb_cells": dict(zip(cells, spread.tolist(), strict=True)),
                    "reading_ratio": float(
                        np.exp(READING_SPREAD * rng.standard_normal())
                    ),
                }
            )
    return out


def main() -> None:
    """Fit, sample, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=Path, default=Path("build/ageing-fits"))
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--fresh", choices=FRESH)
    parser.add_argument("--no-words", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.fits.mkdir(parents=True, exist_ok=True)
    if given.write and (given.no_words or given.fresh):
        parser.error("--write is for all rates, with the words")
    words, folder = not given.no_words, str(given.fits)
    sets = FRESH if given.fresh is None else (given.fresh,)
    jobs = [(h.name, fresh, folder, words) for fresh in sets for h in HYPOTHESES]
    os.environ.update(dict.fromkeys(THREADS, "1"))  # one process per core
    with ProcessPoolExecutor(given.workers, get_context("spawn")) as pool:
        every = list(pool.map(fitted, jobs))
        fits = sorted((f for f in every if f["chi2"] < HOPELESS), key=_cost)
        todo = [(f, fits, given.draws, i, folder, words) for i, f in enumerate(fits)]
        chains = list(pool.map(drawn, todo))
    share = shares_of(fits, chains)
    for i in np.argsort(-share):
        print(
            f"{fits[i]['hyp']:40s} {fits[i]['fresh']:24s} chi2 "
            f"{chains[i]['best']['chi2']:7.2f} log evidence {chains[i]['logev']:8.2f} "
            f"share {share[i]:.3f}",
            flush=True,
        )
    if given.write:
        write_ensemble(members(fits, share, chains, given.members))
        write_sets(fits, chains, one_cell(fits, chains), BY_NAME)
        hopeless = [f for f in every if f["chi2"] >= HOPELESS]
        write_page(fits, share, chains, hopeless, BY_NAME)


def one_cell(fits: list[dict], chains: list[dict]) -> dict[str, dict]:
    """Per set of fresh rates the draw with which one cell comes nearest to all rows.

    A bundled set is used without a factor per cell. So draws whose factors are small
    are computed again with factors of zero, and the lowest cost is taken; of
    combinations whose log evidence is within `CLOSE` of the best with these rates.
    """
    most = {
        fresh: max(
            c["logev"] for f, c in zip(fits, chains, strict=True) if f["fresh"] == fresh
        )
        for fresh in {f["fresh"] for f in fits}
    }
    out: dict[str, dict] = {}
    for number, (fit, chain) in enumerate(zip(fits, chains, strict=True)):
        if chain["logev"] < most[fit["fresh"]] - CLOSE:
            continue
        parameters = BY_NAME[fit["hyp"]].parameters()
        lives = model(BY_NAME[fit["hyp"]], fit["fresh"])
        problem = problem_of(lives, parameters)
        scaled, cost = np.array(chain["scaled"]), np.array(chain["cost"])
        own = [i for i, p in enumerate(parameters) if p.name.startswith("cell_")]
        off = np.sum(np.square(scaled[:, own] / CELL_SPREAD), axis=1)
        for k in np.argsort(cost + 4.0 * off)[:TRIED]:
            x = scaled[k].copy()
            x[own] = 0.0
            found = problem.compute(x)
            if found is None:
                continue
            residuals = problem.residuals_of(found, x)
            best = out.get(fit["fresh"])
            if best is None or float(residuals @ residuals) < best["cost"]:
                pairs = zip(parameters, x, strict=True)
                out[fit["fresh"]] = {
                    "number": number,
                    "cost": float(residuals @ residuals),
                    "chi2": float(np.sum(np.square(residuals[: len(lives.targets)]))),
                    "computed": dict(found),
                    "est": {p.name: p.natural(v) for p, v in pairs},
                }
    return out


def _cost(fit: dict) -> float:
    return fit["cost"]


if __name__ == "__main__":
    main()
