"""The tables of an engine benchmark, as in docs/reference/benchmarks.md."""

from __future__ import annotations


def number(value: float) -> str:
    """Three digits, never in powers of ten above 1."""
    return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"


def ratio(value: float) -> str:
    """Two digits."""
    return f"{value:.1f}" if value < 10 else f"{float(f'{value:.2g}'):.0f}"


def span(t: dict[str, float]) -> str:
    """Median (lowest - highest)."""
    return f"{number(t['median'])} ({number(t['low'])} - {number(t['high'])})"


def small(value: float) -> str:
    text = f"{value:.1e}".replace("e-0", "e-")
    return text.removesuffix("e+00")


def table(*columns: str) -> list[str]:
    return ["", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def markdown(result: dict) -> str:
    """All tables of a result."""
    versions = ", ".join(f"{k} {v}" for k, v in result["versions"].items())
    load = " to ".join(f"{x:.1f}" for x in result["load_average"])
    lines = [
        "# Engine against PyBaMM",
        "",
        f"{result['processor']}, {result['cores']} cores (one used), load {load}; "
        f"Python {result['python']}; {versions}; kernels {result['kernels']}.",
        "CPU milliseconds unless said otherwise: median (lowest - highest). Written by "
        "`benchmarks/bench_engine.py`.",
        *table("asked", "limit", "found", "met"),
    ]
    for r in result["requirements"]:
        shown = number(r["found"]) if r["unit"] else ratio(r["found"])
        met = "yes" if r["met"] else "**no**"
        lines.append(row(r["what"], r["limit"], f"{shown} {r['unit']}".strip(), met))
    for model, found in result["one_cycle"].items():
        lines += [*_one_cycle(model, found)]
    lines += _meshes(result)
    lines += _many(result)
    lines += _scaling(result)
    return "\n".join([*lines, ""])


def _one_cycle(model: str, found: dict) -> list[str]:
    name = "DFN 20 x 20" if model == "dfn" else "SPM, 20 shells"
    lines = [
        "",
        f"## One 1C cycle, {name}",
        *table("compared at", "ours", "PyBaMM", "ratio", "of the lowest"),
    ]
    for r in found["ratios"]:
        note = "" if r.get("within_ladder", True) else " (beyond the tolerances run)"
        if "error" in r:
            unit = " mV" if "voltage" in r["what"] else ""
            note = f" ({small(r['error'])}{unit}){note}"
        lines.append(
            row(
                r["what"] + note,
                number(r["ours_ms"]),
                number(r["theirs_ms"]),
                ratio(r["ratio"]),
                ratio(r["ratio_of_lowest"]),
            )
        )
    errors = (
        "capacity error, charge",
        "discharge",
        "voltage RMS mV, charge",
        "discharge",
    )
    lines += table("ours, tolerance V", "CPU", "wall", "substeps", *errors)
    lines += [
        row(
            f"{r['tolerance']:g}",
            span(r["cpu_ms"]),
            number(r["wall_ms"]["median"]),
            str(r["substeps"]),
            *_errors(r),
        )
        for r in found["ours"]
    ]
    lines += table("ours, other stepping", "CPU", "wall", "substeps", *errors)
    lines += [
        row(
            ", ".join(f"{k} {v:g}" for k, v in r["stepping"].items()),
            span(r["cpu_ms"]),
            number(r["wall_ms"]["median"]),
            str(r["substeps"]),
            *_errors(r),
        )
        for r in found["variants"]
    ]
    lines += table("PyBaMM, rtol / atol", "CPU", "wall", *errors)
    lines += [
        row(
            "{:g} / {:g}".format(*r["tolerance"]),
            span(r["cpu_ms"]),
            number(r["wall_ms"]["median"]),
            *_errors(r),
        )
        for r in found["theirs"]
    ]
    lines += table("PyBaMM, settings", "CPU", "wall", *errors[:2])
    lines += [
        row(
            r["name"],
            span(r["cpu_ms"]),
            number(r["wall_ms"]["median"]),
            *(small(abs(e)) for e in r["capacity_relative"]),
        )
        for r in found["settings"]
    ]
    one = found["converged_coulomb"]
    lines += ["", "Converged in time, charge and discharge in coulomb: "]
    lines[-1] += "; ".join(f"{k} {v[0]:.5f}, {v[1]:.5f}" for k, v in one.items()) + "."
    return lines


def _errors(rung: dict) -> list[str]:
    both = (*rung["capacity_relative"], *rung["voltage_rms_mv"])
    return [small(abs(e)) if e else "0" for e in both]


def _meshes(result: dict) -> list[str]:
    found, finest = result["meshes"], result["finest_mesh"]
    lines = [
        "",
        "## Whole error of the discharge, DFN",
        "",
        "In time and space, against ours at {} nodes, {} shells, grading {:g}.".format(
            *finest
        ),
        *table("nodes x shells", "CPU", "capacity error", "voltage RMS mV"),
    ]
    for who, name in (("ours", "ours"), ("theirs", "PyBaMM")):
        lines += [
            row(
                f"{name}, {_mesh(r['mesh'])}",
                span(r["cpu_ms"]),
                _signed(r["capacity_relative"][1]),
                small(r["voltage_rms_mv"][1]),
            )
            for r in found[who]
        ]
    lines += table("PyBaMM", "ours, both errors not above", "ms", "ours, ms", "ratio")
    for e in found["equal"]:
        cells = ["none that was run", number(e["theirs_ms"]), "", ""]
        if e["ours"]:
            cells[0] = _mesh(e["ours"])
            cells[2:] = number(e["ours_ms"]), ratio(e["ratio"])
        lines.append(row(_mesh(e["theirs"]), *cells))
    return lines


def _mesh(mesh: list) -> str:
    nodes, shells, third = mesh
    name = f"{nodes} x {shells}"
    if isinstance(third, float):
        return name + (f", grading {third:g}" if third != 1.0 else "")
    return name + ", {:g} / {:g}".format(*third)


def _signed(value: float) -> str:
    return ("+" if value > 0 else "−") + small(abs(value))


def _many(result: dict) -> list[str]:
    lines = [
        "",
        "## Many 1C cycles, no time series",
        *table("run", "per cycle, CPU", "wall", "all, CPU s"),
    ]
    lines += [
        row(
            r["name"],
            span(r["cpu_ms"]),
            number(r["wall_ms"]["median"]),
            number(1e-3 * r["cpu_ms"]["median"] * r["cycles"]),
        )
        for r in result["many_cycles"]
    ]
    lines += table("1600 cycles of the oracle cell", "ours, s", "PyBaMM, s", "ratio")
    lines += [
        row(
            r["what"],
            number(r["ours_s"]),
            f"{number(r['theirs_s'])} (extrapolated from {r['from_cycles']})",
            ratio(r["ratio"]),
        )
        for r in result["life"]
    ]
    m = result["memory"]
    lines += [
        "",
        f"Memory per cycle: {m['held_bytes_per_cycle']:.0f} B held, "
        f"{m['peak_bytes_per_cycle']:.0f} B at the peak (tracemalloc, 1600 cycles "
        f"less 100); {m['resident_bytes_per_cycle']:.0f} B of the resident set (growth "
        f"over {m['resident_cycles']} cycles).",
        *table("one process", "wall", "CPU", "samples"),
    ]
    lines += [
        row(r["name"], span(r["wall_ms"]), span(r["cpu_ms"]), str(r["samples"]))
        for r in result["processes"]
    ]
    return lines


def _scaling(result: dict) -> list[str]:
    lines = [
        "",
        "## What the cost depends on",
        *table("per cycle", "value", "CPU", "substeps", "µs per substep"),
    ]
    for group, rungs in result["scaling"].items():
        lines += [
            row(
                group,
                f"{r['value']:g}",
                span(r["cpu_ms"]),
                f"{r['substeps']:.0f}",
                number(r["us_per_substep"]),
            )
            for r in rungs
        ]
    lines += table(
        "one substep, µs",
        "eliminate particles, predict",
        "Newton",
        "of it one iteration",
        "error",
        "accept",
        "sum",
    )
    lines += [
        row(
            f"{r['cell']}, {r['model']}",
            *(
                number(r[f"{k}_us"])
                for k in (
                    "eliminate",
                    "newton",
                    "newton_iteration",
                    "error",
                    "accept",
                    "sum",
                )
            ),
        )
        for r in result["parts"]
    ]
    cycles = result["batches"][0]["cycles_each"]
    lines += table(
        f"`simulate_many`, cells of {cycles} cycles",
        "wall, 1 worker",
        "wall, 2 workers",
        "CPU, 1 worker",
        "CPU, 2 workers",
        "speed-up",
        "speed-up of SHA-256",
    )
    lines += [
        row(
            str(b["cells"]),
            span(b["wall_ms_1_worker"]),
            span(b["wall_ms_2_workers"]),
            number(b["cpu_ms_1_worker"]["median"]),
            number(b["cpu_ms_2_workers"]["median"]),
            f"{b['speed_up']:.2f} ({b['speed_up_low']:.2f} - {b['speed_up_high']:.2f})",
            f"{b['control']:.2f} ({b['control_low']:.2f} - {b['control_high']:.2f})",
        )
        for b in result["batches"]
    ]
    return lines
