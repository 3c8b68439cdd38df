"""The lives a report simulates: numbers, notes, figures, files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.core.files import output_folder, write_atomic
from equipoise.io.ageing import ageing_of
from equipoise.io.bdf import table_bytes
from equipoise.io.protocols import load_protocol
from equipoise.report.answers import labelled
from equipoise.report.drawings import Drawing
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.ledger import compensation_ledger
from equipoise.sim.life.life import life
from equipoise.sim.life.plan import life_protocol
from equipoise.viz.life_capacity import life_capacity
from equipoise.viz.life_ledger import life_ledger
from equipoise.viz.life_potentials import compensation_line, life_potentials
from equipoise.viz.life_wear import life_wear

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from equipoise.sim.life.ledger import Ledger
    from equipoise.sim.life.life import Life
    from equipoise.spec.cell import Cell

LEVEL_RETENTION = 0.8
MOST_CYCLES = 4000
RATE = 1.0
BEFORE = "short-rate-test"
FIRST_LAST = (
    ("discharging_capacity_mah_per_g_positive", "discharge", "mAh/g", ".1f"),
    ("upper_potential_vs_li_volt", "upper potential of the positive", "V", ".3f"),
    ("h2h3_usage_mah_per_g_positive", "charge beyond the H2-H3 onset", "mAh/g", ".1f"),
    ("volume_swing_percent", "volume swing of the positive", "%", ".2f"),
    ("positive_active_fraction", "positive still connected", "1", ".3f"),
    ("positive_contact_fraction", "its contact area", "1", ".3f"),
)
"""Shown of the first and the last cycle at 1C."""
ROLE = "predicted"
MET_BY_HB = "predicted, HB calibrated"
"""The bundled ageing was made to meet the life and the fade of HB at 1C."""


@dataclass(frozen=True, slots=True, eq=False)
class Lived:
    """The life of one cell; `label` and `stem` as in the report."""

    label: str
    stem: str
    life: Life
    ledger: Ledger


def live_cells(
    cells: Sequence[Cell], *, progress: Callable[[str], None] | None = None
) -> list[Lived]:
    """Age the cells at 1C after a short rate test, to 80 % of the first 1C cycle.

    Raises
    ------
    SpecError
        If a cell has no rates or no ageing.
    SolveError
        If a cycle could not be solved.
    """
    protocol = life_protocol(
        rate=RATE, cycles=MOST_CYCLES, before=load_protocol(BEFORE)
    )
    found: list[Lived] = []
    for cell, (label, stem) in zip(cells, labelled(cells), strict=True):
        if progress is not None:
            progress(f"{label}: life at 1C")
        lived = life(
            cell,
            protocol,
            ageing_of(cell),
            jump=Jump(),
            until_retention=LEVEL_RETENTION,
        )
        found.append(Lived(label, stem, lived, compensation_ledger(lived)))
    return found


def life_rows(lives: Sequence[Lived]) -> list[list[str]]:
    """Rows of the comparison: quantity, one value per cell, unit, role."""
    rows = [
        ["cycles at 1C to 80 %", *(_life_text(x.life) for x in lives), "1", MET_BY_HB],
    ]
    for column, name, unit, form in FIRST_LAST:
        values = [_first_last(x.life, column, form) for x in lives]
        met = column == "discharging_capacity_mah_per_g_positive"
        rows.append([name, *values, unit, MET_BY_HB if met else ROLE])
    last = [x.ledger.reserve.tail(1) for x in lives]
    for column, name in (
        ("loss_mah_per_g_positive", "discharge lost at the end"),
        ("given_back_mah_per_g_positive", "given back by the reserve"),
    ):
        values = [f"{r[column][0]:.1f}" for r in last]
        rows.append([name, *values, "mAh/g", ROLE])
    shares = [100.0 * r["compensation_fraction"][0] for r in last]
    rows.append(
        ["share of the loss compensated", *(f"{s:.0f}" for s in shares), "%", ROLE]
    )
    return rows


def life_notes(lives: Sequence[Lived]) -> list[str]:
    """What a reader of the lives must know."""
    if not lives:
        return []
    ageing = lives[0].life.ageing
    solved = ", ".join(
        f"{x.label} {x.life.solved_count} of {x.life.last_cycle}" for x in lives
    )
    return [
        f"Ageing: {ageing.title or ageing.name}. It was calibrated on numbers of HB "
        "cells alone.",
        *ageing.caveats,
        "First and last: cycles at 1C, after a short sequence of rates (three cycles "
        "each, assumed).",
        f"Cycles solved: {solved}; slow states were carried over the others under an "
        "error control of 0.5 %.",
    ]


def life_drawings(lives: Sequence[Lived]) -> list[Drawing]:
    """The figures of the lives, in the order of the report."""
    if not lives:
        return []
    tables: dict[str, pl.DataFrame] = {x.label: x.life.cycles for x in lives}
    lines = {x.label: x.ledger.o_to_f for x in lives}
    drawn = [
        (
            "life_capacity",
            "Capacity and Coulombic efficiency, simulated",
            "At 1C to 80 % of the first 1C cycle; squares: the rates before.",
            life_capacity(tables, level_retention=LEVEL_RETENTION),
        ),
        (
            "life_potentials",
            "Potentials at the ends of charge and discharge",
            "At low n/p the positive starts below the potential that the window "
            "allows; it climbs to it as far as the negative retreats up its tail.",
            life_potentials(tables),
        ),
        (
            "life_line",
            "Compensation line",
            "Upper potential from O, where the cell starts, to F, where its life ends, "
            "against cycles and against the reserve left.",
            compensation_line(lines, level_retention=LEVEL_RETENTION),
        ),
        (
            "life_wear",
            "What wears",
            "Means over the electrode; H2-H3: charge beyond the onset of the "
            "transition.",
            life_wear(tables),
        ),
        (
            "life_ledger",
            "Compensation ledger",
            "Discharge lost to each cause (Shapley attribution over counterfactual "
            "runs), and what the reserve of the negative gave back.",
            life_ledger(
                {x.label: x.ledger.table for x in lives},
                {x.label: x.ledger.reserve for x in lives},
            ),
        ),
    ]
    return [Drawing("life", *one) for one in drawn]


def write_lives(lives: Sequence[Lived], folder: Path) -> list[Path]:
    """Write cycles, ledger and reserve of every life; return the files."""
    files: list[Path] = []
    for x in lives:
        target = output_folder(folder / "lives" / x.stem)
        for name, table in (
            ("cycles", x.life.cycles),
            ("ledger", x.ledger.table),
            ("reserve", x.ledger.reserve),
        ):
            raw = table_bytes(table, "csv")
            files.append(write_atomic(target / f"{name}.csv", raw))
    return files


def life_json(lives: Sequence[Lived]) -> list[dict[str, object]]:
    """The lives, fit for JSON."""
    out: list[dict[str, object]] = []
    for x in lives:
        found = x.life.cycle_life(LEVEL_RETENTION)
        out.append(
            {
                "name": x.label,
                "cycle_life": found.cycle_count,
                "censored": found.censored,
                "level_retention": LEVEL_RETENTION,
                "role": ROLE,
                "reserve": x.ledger.reserve.tail(1).to_dicts()[0],
            }
        )
    return out


def _life_text(found: Life) -> str:
    end = found.cycle_life(LEVEL_RETENTION)
    return f"> {end.cycle_count:.0f}" if end.censored else f"{end.cycle_count:.0f}"


def _first_last(found: Life, column: str, form: str) -> str:
    table = found.cycles
    values = table.filter(table["is_ageing_cycle"] & table["is_settled"])[column]
    return f"{values[0]:{form}} to {values[-1]:{form}}"
