"""The tables of an impedance benchmark, as in docs/reference/benchmarks.md.

Usage: python benchmarks/eis_report.py [RESULT.json]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cycling_report
from engine_report import number, row, small, table

LIMITS_MS = {
    "one distribution, grid seen before": ("drt", "equipoise", 0.5),
    "Kramers-Kronig test": ("kramers_kronig", "equipoise", 20.0),
    "circuit fit, no guess": ("fit", "equipoise, no guess", 100.0),
    "credible interval": ("interval", "equipoise", 1000.0),
    "process to first distribution": ("process", "equipoise", 1500.0),
}
MOST_PERCENT = 3.0


def limits(
    sections: dict, accuracy: dict[str, dict[str, list[float]]], *, quick: bool
) -> list[dict]:
    """What was asked, and what was found; nothing where a part is missing."""
    found = []
    for what, (key, name, limit) in LIMITS_MS.items():
        rows = {r["name"]: r for r in sections.get(key, {"rows": []})["rows"]}
        if name in rows:
            value = rows[name]["wall_ms"]["median"]
            found.append(_asked(what, limit, "ms", value, quick))
    for cell, (_, charge_transfer, _) in accuracy.get("equipoise", {}).items():
        what = f"error of R_ct, {cell} with its tail, 0.1 % noise"
        found.append(_asked(what, MOST_PERCENT, "%", abs(charge_transfer), quick))
    return found


def _asked(what: str, limit: float, unit: str, value: float, quick: bool) -> dict:
    met = None if quick else value <= limit
    return {"what": what, "limit": limit, "unit": unit, "found": value, "met": met}


def markdown(result: dict) -> str:
    """The whole result as a page."""
    load = " to ".join(f"{x:.1f}" for x in result["load_average"])
    mine, theirs = (
        ", ".join(f"{k} {v}" for k, v in result[key].items())
        for key in ("versions", "versions_of_peers")
    )
    quick = " **A short run: a check, no result.**" if result["quick"] else ""
    return "\n".join(
        [
            "# Impedance against its peers",
            "",
            f"{result['cores']} cores (one used), load {load}; Python "
            f"{result['python']}; {mine}. Peers, in processes of their own: Python "
            f"{result['python_of_peers']}; {theirs}.{quick}",
            "Milliseconds: median (lowest - highest). Written by "
            "`benchmarks/bench_impedance.py`.",
            *tables(result),
            "",
        ]
    )


def tables(result: dict) -> list[str]:
    """Limits and times, then how good the answers are."""
    lines = cycling_report.tables(result)
    lines += _accuracy(result["accuracy_percent"])
    misfits = result["sections"].get("fit", {}).get("misfits", {})
    if misfits:
        lines += [
            "",
            "## Misfit of the circuit",
            *table("", "rms of the residual, mohm"),
        ]
        lines += [row(name, number(1e3 * v)) for name, v in misfits.items()]
    if agreed := result["agreement"]:
        lines += [
            "",
            "Gamma of pyDRTtools against ours on its own problem: as it comes "
            f"{agreed['default_largest_ratio']:.1%} of the maximum at most, "
            f"{agreed['default_norm_ratio']:.1%} in norm; with cvxopt driven to 1e-12 "
            f"{small(agreed['tight_largest_ratio'])} and "
            f"{small(agreed['tight_norm_ratio'])}.",
        ]
    return lines


def _accuracy(found: dict[str, dict[str, list[float]]]) -> list[str]:
    if not found:
        return []
    cells = list(next(iter(found.values())))
    lines = [
        "",
        "## Errors on made-up cells with a Warburg tail, 0.1 % noise",
        "",
        "Integrals of gamma from 1e-5 to 1e-2 s (R_int) and from 1e-2 to 1 s (R_ct) "
        "against the exact ones; curve: rms difference from 2e-6 to 1 s.",
        *table("", *(f"{cell}: R_int, R_ct, curve" for cell in cells)),
    ]
    for name, by_cell in found.items():
        shown = ["{:+.1f} %, {:+.1f} %, {:.0f} %".format(*by_cell[c]) for c in cells]
        lines.append(row(name, *shown))
    return lines


def main() -> None:
    default = Path(__file__).parent / "results" / "impedance.json"
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    lines = tables(json.loads(path.read_text()))
    print("\n".join(f"#{x}" if x.startswith("##") else x for x in lines).strip())


if __name__ == "__main__":
    main()
