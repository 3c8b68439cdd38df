"""``equipoise demo``: the main job on the bundled cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.design.cell_design import CellDesign
    from equipoise.report.lives import Lived
    from equipoise.report.simulated import Simulated

CELLS = ("zhang2026-lb", "zhang2026-hb")
OTHER_POSITIVES = ("nca", "nmc811")


def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object instead of tables.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path(
        "equipoise-demo"
    ),
) -> None:
    """Design, simulate and age the paper's two cells (LB and HB); write a report.

    Example: equipoise demo --out my-demo
    """
    from equipoise.cli.output import echo_json, echo_progress, told_warnings
    from equipoise.design.cell_design import design_cell
    from equipoise.io.cells import load_cell, with_positive
    from equipoise.report.design_report import write_design_report
    from equipoise.report.lives import life_json, live_cells
    from equipoise.report.simulated import simulate_cells
    from equipoise.report.simulated_rows import simulated_json

    with told_warnings():
        cells = [load_cell(name) for name in CELLS]
        designs = [design_cell(c) for c in cells]
        simulated = simulate_cells(cells, progress=_echo_simulating)
        lives = live_cells(cells, progress=_echo_simulating)
        done = write_design_report(
            cells,
            out,
            materials=[
                cells[0],
                *(with_positive(cells[0], m) for m in OTHER_POSITIVES),
            ],
            simulated=simulated,
            lives=lives,
            command="equipoise demo",
            progress=echo_progress,
        )
    if as_json:
        content = {
            "report": str(done.report),
            "cells": [d.to_dict() for d in designs],
            "simulations": simulated_json(simulated),
            "lives": life_json(lives),
        }
        echo_json(content)
        return
    _echo_designs(designs)
    _echo_simulated(simulated)
    _echo_lives(lives)
    typer.echo(f"report: {done.report.resolve()}")


def _echo_simulating(what: str) -> None:
    """Say on stderr what is being simulated."""
    typer.echo(f"simulating {what} ...", err=True)


def _echo_designs(designs: Sequence[CellDesign]) -> None:
    from equipoise.cli.design_rows import design_rows
    from equipoise.cli.output import echo_table

    lb, hb = (design_rows(d) for d in designs)
    rows = [
        (a[0], a[1], _open(a[3]), b[1], _open(b[3]), a[2], a[4])
        for a, b in zip(lb, hb, strict=True)
    ]
    names = [d.name for d in designs]
    echo_table(
        "LTO | Li6PS5Cl | NCM85 with n/p 1.1 (LB) and 1.5 (HB), quasi-static",
        ("quantity", names[0], "band", names[1], "band", "unit", "role"),
        rows,
        note="capacities per g of positive active material, potentials vs Li+/Li",
    )


def _open(band: str) -> str:
    """The band, unless both ends print alike."""
    low, _, high = band.partition(" to ")
    return "" if low == high else band


def _echo_simulated(simulated: Sequence[Simulated]) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.report.simulated_rows import differing_potentials, simulated_rows

    header = ["quantity"]
    for s in simulated:
        header += [s.label, "printed"]
    rows = [
        [
            row["label"],
            *(text for pair in row["values"] for text in pair),
            row["unit"],
            row["role"].replace(", ", ",\n"),
            row["sections"],
        ]
        for row in simulated_rows(simulated)
    ]
    note = (
        "printed: in the paper, sec. as given (short: its short rate test, other cells "
        "of the kind); of each rate the last cycle of its first block; three-electrode "
        "potentials are printed for LB only, with a separator of 160 mg instead of 100"
    )
    echo_table(
        "The same fresh cells, simulated (dfn model)",
        (*header, "unit", "role", "sec."),
        rows,
        note="\n".join((note, *differing_potentials(simulated))),
    )


def _echo_lives(lives: Sequence[Lived]) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.report.lives import life_rows

    echo_table(
        "The same cells aged at 1C to 80 % (dfn model; first to last cycle)",
        ("quantity", *(x.label for x in lives), "unit", "role"),
        life_rows(lives),
        note="ageing calibrated on numbers of HB cells alone: LB is predicted; "
        "intervals: equipoise reproduce zhang2026",
    )
