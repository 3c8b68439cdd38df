"""Sentences of the report: the answer in brief, its limits, how to repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.core.errors import EquipoiseError
from equipoise.io.cells import load_cell
from equipoise.report.answers import NP_RATIOS
from equipoise.report.rows import NBSP, is_closed, tolerated_loss
from equipoise.spec.half_cell_spec import HalfCellSetup

if TYPE_CHECKING:
    from equipoise.design.compensation import Reserve
    from equipoise.report.answers import Answer
    from equipoise.report.simulated import Simulated
    from equipoise.spec.cell import Cell

SAME = 1e-9
HARDLY_COMPENSATED = 0.005
"""Of 1 mV the negative takes less than what is printed."""


@dataclass(frozen=True, slots=True)
class Brief:
    """One cell in a few words; the numbers stand out."""

    label: str
    title: str
    facts: tuple[tuple[str, str, str], ...]
    sentence: str


def brief(a: Answer) -> Brief:
    """Sum up one design."""
    d = a.design
    return Brief(
        a.label,
        f"{a.label}, n/p {d.np_ratio:.3g}",
        (
            ("first charge", f"{d.first_charge_mah_per_g_positive:.1f}", "mAh g⁻¹"),
            ("upper potential", f"{d.upper_potential_vs_li_volt:.3f}", "V vs Li⁺/Li"),
            ("compensation κ", f"{d.compensation_fraction:.2f}", ""),
            (
                "negative to weigh",
                f"{d.weigh.negative_composite_mg:.2f}",
                "mg composite",
            ),
        ),
        f"The {d.limiting_electrode_end_of_charge} electrode ends the charge. "
        f"{_compensation(d.compensation_fraction)} {_tolerance(d.reserves[0])}",
    )


def _compensation(fraction: float) -> str:
    if fraction < HARDLY_COMPENSATED:
        return (
            "The negative is on its plateau there: it does not retreat, and more "
            "polarisation costs charge, without moving the upper potential."
        )
    return (
        f"Of 1{NBSP}mV more polarisation the upper potential rises by "
        f"{fraction:.2f}{NBSP}mV, because the negative retreats."
    )


def _tolerance(loss: Reserve) -> str:
    drop = f"{100.0 * loss.charge_drop_fraction:.0f}{NBSP}%"
    text = (
        f"The charge has dropped by {drop} once {tolerated_loss(loss)} of the active "
        "positive is lost"
    )
    if is_closed(loss):
        return text + "."
    return (
        f"{text}; the lower end if particles are lost charged, the upper end if they "
        "keep their lithium."
    )


def limits(answers: Sequence[Answer], simulated: Sequence[Simulated] = ()) -> list[str]:
    """What these numbers do not know; printed with every report."""
    found = [
        "The designs are quasi-static: no kinetics, no gradients, no ageing rate. "
        "Their losses and polarisation are prescribed, not predicted.",
    ]
    if simulated:
        found.append(
            "The simulations have kinetics and gradients, but are isothermal, "
            "one-dimensional, without a double layer, heat or stress; cells age "
            "in the lives only. They are worth what their rates are: see the notes "
            "under their table."
        )
    warm = sorted({a.cell.spec.temperature_celsius for a in answers})
    if any(abs(t - 25.0) > 1.0 for t in warm):
        shown = " and ".join(f"{t:g}" for t in warm)
        found.append(
            f"Temperature: the cell runs at {shown} °C; open-circuit curves are used "
            "as measured, mostly near 25 °C, without correction."
        )
    if any(a.cell.negative.variants for a in answers):
        found.append(
            "The tail of the negative is known from few facts only and decides a "
            "low-balanced design: read the bands, not only the values."
        )
    if any(len(a.cell.positive.material.volume_change) > 1 for a in answers):
        found.append(
            "Volume: the data sets for the positive disagree; both are shown, the "
            "first value is the variant chosen in the cell file."
        )
    found.append(
        "Stack energies count both composites, the separator and half of each "
        "collector, no housing. Pressed laboratory separators are far too thick for "
        "a product; the thin-separator rows show what is left without them."
    )
    found.append(
        'Roles: "input" was given; "calibrated" outputs were used to make the bundled '
        'curves and prove nothing; "predicted" outputs follow from them.'
    )
    return found


def commands(answers: Sequence[Answer], np_ratios: Sequence[float]) -> list[str]:
    """Shell lines that repeat each cell; empty for a cell that has no file."""
    found: list[str] = []
    for a in answers:
        options = _options(a.cell, np_ratios)
        if options is not None:
            name = a.cell.where.removeprefix("library: ")
            found.append(
                f"equipoise design {shlex.quote(name)}{options} --out {a.stem}-report"
            )
    return found


def simulate_commands(simulated: Sequence[Simulated]) -> list[str]:
    """Shell lines that repeat each run; none for a cell without such a command."""
    found: list[str] = []
    for s in simulated:
        for protocol, run in s.runs.items():
            cell = run.cell
            if isinstance(cell, HalfCellSetup) or (options := _changes(cell)) is None:
                continue
            if any(not option.startswith("--np ") for option in options):
                continue  # the command takes no other change of a cell
            name = shlex.quote(cell.where.removeprefix("library: "))
            line = " ".join((f"equipoise simulate {name} {protocol}", *options))
            found.append(f"{line} --out {s.stem}-{protocol}")
    return found


def _options(cell: Cell, np_ratios: Sequence[float]) -> str | None:
    """Options that turn the cell's file into this cell with this map; or None."""
    options = _changes(cell)
    if options is None:
        return None
    same_ratio = not any(option.startswith("--np ") for option in options)
    if same_ratio and tuple(np_ratios) != NP_RATIOS:
        options.append(f"--np {','.join(f'{b:.12g}' for b in np_ratios)}")
    return "".join(f" {option}" for option in options)


def _changes(cell: Cell) -> list[str] | None:
    """Options that turn the cell's file into this cell; None without a file."""
    if not cell.where:
        return None
    try:
        original = load_cell(cell.where.removeprefix("library: "))
    except EquipoiseError:
        return None
    found: list[str] = []
    if cell.spec.positive.material != original.spec.positive.material:
        found.append(f"--positive {shlex.quote(str(cell.spec.positive.material))}")
    if abs(cell.np_ratio / original.np_ratio - 1.0) > SAME:
        found.append(f"--np {cell.np_ratio:.12g}")
    for end in ("lower", "upper"):
        volt = getattr(cell.spec.window, f"{end}_volt")
        if volt != getattr(original.spec.window, f"{end}_volt"):
            found.append(f"--{end}-volt {volt:g}")
    return found
