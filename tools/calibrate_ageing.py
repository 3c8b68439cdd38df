"""Calibrate the ageing to the HB cells of zhang2026; draw what they leave open.

    python tools/calibrate_ageing.py [--fits FOLDER] [--draws N] [--members N] [--write]

Every hypothesis (study/zhang2026/hypotheses.py) is fitted with every set of fresh
rates; the posterior of those that matter is sampled. No number of an aged LB cell is
used; two words are (study/zhang2026/calibration_set.py).
`--fits` keeps the fits, so that the script can go on where it stopped. `--write`
renews `study/zhang2026/ensemble.toml`, `spec/library/ageing/zhang2026.toml` and
`docs/reference/ageing-calibration.md`.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from ageing_report import write_ensemble, write_page, write_sets

from equipoise.core.errors import EquipoiseError
from equipoise.fit.ageing import calibrate_ageing, problem_of
from equipoise.fit.inference import Estimate
from equipoise.fit.sampling import sample
from equipoise.study.zhang2026.calibration_set import model
from equipoise.study.zhang2026.hypotheses import (
    CELL_SPREAD,
    FRESH,
    FRESH_CHI_SQUARE,
    HYPOTHESES,
)

LEAST_WEIGHT = 0.03
READING_SPREAD = 0.15  # of a resistance read from a spectrum, ln
BY_NAME = {h.name: h for h in HYPOTHESES}


def fitted(job: tuple[str, str, str]) -> dict:
    """One hypothesis with one set of fresh rates; read back if it is known."""
    name, fresh, folder = job
    path = Path(folder) / f"{name.replace(' ', '_')}__{fresh}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    hypothesis = BY_NAME[name]
    try:
        e = calibrate_ageing(
            model(hypothesis, fresh),
            hypothesis.parameters(),
            most_evaluations_count=14,
        )
    except EquipoiseError as error:
        print(f"{name}, {fresh}: {error}", file=sys.stderr, flush=True)
        return {"hyp": name, "fresh": fresh, "chi2": float("inf"), "logev": -1e9}
    found = {
        "hyp": name,
        "fresh": fresh,
        "chi2": e.chi_square,
        "cost": e.cost,
        "logev": e.log_evidence_ratio,
        "est": e.estimates,
        "computed": e.computed,
        "scaled": e.scaled.tolist(),
        "cov": e.covariance.tolist(),
        "n": e.evaluations_count,
        "known": {
            r["name"]: r["known_fraction"]
            for r in e.parameter_table().iter_rows(named=True)
        },
    }
    path.write_text(json.dumps(found), "utf-8")
    print(f"{name}, {fresh}: chi2 {e.chi_square:.2f}", file=sys.stderr, flush=True)
    return found


def weights(fits: list[dict]) -> np.ndarray:
    """Posterior share of each fit: evidence of the ageing, likelihood of the fresh."""
    log = np.array([f["logev"] - 0.5 * FRESH_CHI_SQUARE[f["fresh"]] for f in fits])
    w = np.exp(log - log.max())
    return w / w.sum()


def drawn(job: tuple[dict, int, int, str]) -> dict:
    """Draws from the posterior of one fit; read back if they are known."""
    fit, draws, seed, folder = job
    stem = f"{fit['hyp'].replace(' ', '_')}__{fit['fresh']}"
    path = Path(folder) / f"{stem}.draws{draws}.json"
    if path.exists():
        return json.loads(path.read_text("utf-8"))
    hypothesis = BY_NAME[fit["hyp"]]
    parameters = hypothesis.parameters()
    lives = model(hypothesis, fit["fresh"])
    scaled, cov = np.array(fit["scaled"]), np.array(fit["cov"])
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
    chain = sample(
        problem_of(lives, parameters),
        estimate,
        draws,
        burn_in_count=60,
        rng=np.random.default_rng(seed),
    )
    found = {
        "scaled": chain.scaled.tolist(),
        "computed": [dict(c) for c in chain.computed],
        "cost": chain.cost.tolist(),
        "accepted": chain.accepted_fraction,
        "effective": chain.effective_count(),
    }
    path.write_text(json.dumps(found), "utf-8")
    print(
        f"{fit['hyp']}, {fit['fresh']}: accepted {chain.accepted_fraction:.2f}, "
        f"effective {chain.effective_count():.0f} of {draws}",
        file=sys.stderr,
        flush=True,
    )
    return found


def members(
    fits: list[dict], share: np.ndarray, chains: dict[int, dict], count: int
) -> list[dict]:
    """Equally likely draws over all hypotheses, with new LB cells."""
    rng = np.random.default_rng(2026)
    counts = np.floor(share * count).astype(int)
    rest = np.argsort(-(share * count - counts))[: count - int(counts.sum())]
    counts[rest] += 1
    out: list[dict] = []
    for i, n in enumerate(counts):
        if n == 0 or i not in chains:
            continue
        fit, chain = fits[i], chains[i]
        names = BY_NAME[fit["hyp"]].parameters()
        at = np.linspace(0, len(chain["scaled"]) - 1, n).round().astype(int)
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
    parser.add_argument("--draws", type=int, default=150)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    given.fits.mkdir(parents=True, exist_ok=True)
    jobs = [(h.name, fresh, str(given.fits)) for fresh in FRESH for h in HYPOTHESES]
    with ProcessPoolExecutor(given.workers) as pool:
        fits = list(pool.map(fitted, jobs))
        share = weights(fits)
        for i in np.argsort(-share):
            print(
                f"{fits[i]['hyp']:34s} {fits[i]['fresh']:24s} chi2 "
                f"{fits[i]['chi2']:7.2f} log evidence {fits[i]['logev']:8.2f} "
                f"share {share[i]:.3f}",
                flush=True,
            )
        wanted = [i for i in range(len(fits)) if share[i] >= LEAST_WEIGHT]
        chains = dict(
            zip(
                wanted,
                pool.map(
                    drawn, [(fits[i], given.draws, i, str(given.fits)) for i in wanted]
                ),
                strict=True,
            )
        )
    kept = np.where(share >= LEAST_WEIGHT, share, 0.0)
    chosen = members(fits, kept / kept.sum(), chains, given.members)
    if given.write:
        write_ensemble(chosen)

        write_sets(fits, chains, BY_NAME)
        write_page(fits, share, chains, BY_NAME)


if __name__ == "__main__":
    main()
