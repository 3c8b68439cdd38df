"""The tables of a cycler-data benchmark, as in docs/reference/benchmarks.md.

Usage: python benchmarks/cycling_report.py [RESULT.json]

prints the tables of a result without its title, to be put into that page.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine_report import number, ratio, row, span, table

LIMITS = {
    "CSV with all proofs, over bare polars": (1.5, ""),
    "cycle summary, from the current": (60.0, "ms"),
    "cycle summary, from the counters, classified": (60.0, "ms"),
    "dQ/dV of all half-cycles, from the table": (150.0, "ms"),
    "store: import of all cells": (270.0, "ms"),
    "store: end of life of all cells": (55.0, "ms"),
    "store: 10 M rows written": (740.0, "ms"),
    "store: one cycle of one cell": (9.0, "ms"),
}


def limits(found: dict, *, quick: bool) -> list[dict]:
    """What was asked, and what was found."""

    def median(key: str, name: str) -> float:
        rows = {r["name"]: r for r in found[key]["rows"]}
        return rows[name]["wall_ms"]["median"]

    values = (
        median("csv", "equipoise read()") / median("csv", "polars"),
        median("sums", "equipoise, from the current"),
        median("sums", "equipoise, from the counters, classified"),
        median("dqdv", "equipoise dqdv()"),
        median("import", "equipoise Store.add_many"),
        median("query", "equipoise Store.sql"),
        median("series_write", "equipoise Store.add_many"),
        median("series_read", "equipoise Store.table"),
    )
    return [
        {
            "what": what,
            "limit": limit,
            "unit": unit,
            "found": value,
            "met": None if quick else value <= limit,  # of other sizes
        }
        for (what, (limit, unit)), value in zip(LIMITS.items(), values, strict=True)
    ]


def markdown(result: dict) -> str:
    """The whole result as a page."""
    load = " to ".join(f"{x:.1f}" for x in result["load_average"])
    quick = " **A short run on small data: a check, no result.**"
    return "\n".join(
        [
            "# Cycler data against its peers",
            "",
            f"{result['cores']} cores, load {load}; Python {result['python']}; "
            f"{_versions(result)}. Threads: polars and DuckDB "
            f"{result['threads']['polars']}, all else one."
            + (quick if result["quick"] else ""),
            "Milliseconds: median (lowest - highest). Written by "
            "`benchmarks/bench_cycling.py`.",
            *tables(result),
            "",
        ]
    )


def _versions(result: dict) -> str:
    return ", ".join(f"{k} {v}" for k, v in result["versions"].items())


def tables(result: dict) -> list[str]:
    """Lines of all tables: limits first, then every section."""
    lines = [*table("asked", "limit", "found", "met")]
    for r in result["limits"]:
        shown = f"{number(r['found'])} {r['unit']}".strip()
        met = {True: "yes", False: "**no**", None: "not judged"}[r["met"]]
        limit = f"<= {r['limit']:g} {r['unit']}".strip()
        lines.append(row(r["what"], limit, shown, met))
    for key, section in result["sections"].items():
        lines += ["", f"## {section['title']}"]
        if key == "csv_memory":
            lines += _memory(section)
            continue
        if section["note"]:
            lines += ["", section["note"]]
        lines += _timed(section)
        if "errors" in section:
            lines += _errors(section)
        if "bytes" in section:
            sizes = ", ".join(
                f"{k} {v / 1e6:.0f} MB" for k, v in section["bytes"].items() if v
            )
            lines += ["", f"On disk: {sizes}."]
    if result["missing"]:
        lines += ["", "## Not installable", *table("peer", "why")]
        lines += [row(name, why) for name, why in result["missing"].items()]
    return lines


def _timed(section: dict) -> list[str]:
    against = section["against"]
    base = next(
        (r["wall_ms"]["median"] for r in section["rows"] if r["name"] == against), None
    )
    head = ["", "what", "wall", "CPU", *(["over ours"] if base else []), "samples"]
    lines = [*table(*head)]
    for r in section["rows"]:
        note = f", **extrapolated** x {r['times']:g}" if r["times"] != 1.0 else ""
        wall = r["wall_ms"]["median"]
        lines.append(
            row(
                r["name"],
                r["what"] + note,
                span(r["wall_ms"]),
                span(r["cpu_ms"]),
                *(
                    [ratio(wall / base) if wall >= 0.1 * base else f"{wall / base:.2f}"]
                    if base
                    else []
                ),
                str(r["samples"]),
            )
        )
    return lines


def _errors(section: dict) -> list[str]:
    lines = [*table("curve", "height of the sharp peak", "area", "rms of the maximum")]
    lines += [
        row(
            name,
            f"{e['peak_height_ratio']:+.1%}",
            f"{e['area_ratio']:+.2%}",
            f"{e['rms_ratio']:.1%}",
        )
        for name, e in section["errors"].items()
    ]
    return lines


def _memory(section: dict) -> list[str]:
    lines = [*table("a fresh process", "peak above start", "over the file's size")]
    for name, size in section["bytes"].items():
        times = size / section["file_bytes"]
        lines.append(row(name, f"{size / 1e6:.0f} MB", f"{times:.1f}"))
    return lines


def main() -> None:
    default = Path(__file__).parent / "results" / "cycling.json"
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    lines = tables(json.loads(path.read_text()))
    print("\n".join(f"#{x}" if x.startswith("##") else x for x in lines).strip())


if __name__ == "__main__":
    main()
