"""Numbers of the simulated tests, beside those printed in the paper."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, NotRequired, TypedDict

from equipoise.core.errors import EquipoiseError
from equipoise.core.units import unit_symbol
from equipoise.design.cell_design import design_cell
from equipoise.io.cells import load_cell
from equipoise.report.rows import shown
from equipoise.report.simulated import ELECTRODES, FIRST, RATES
from equipoise.sim.origin import evidence_of_rates, notes, outcome, roles
from equipoise.spec.half_cell_spec import HalfCellSetup
from equipoise.viz.simulation_runs import first_blocks

if TYPE_CHECKING:
    from equipoise.report.simulated import Simulated
    from equipoise.sim.simulate import Run
    from equipoise.spec.kinetics import CellKinetics

CHARGE = "charging_capacity_mah_per_g_positive"
DISCHARGE = "discharging_capacity_mah_per_g_positive"
UPPER = "upper_potential_vs_li_volt"
NOTABLE_VOLT = 0.005
"""Difference of two upper potentials that is explained."""


class Quantity(TypedDict):
    """One number of a simulated cell; `printed` and `section` are of the paper.

    `printed_in`: "short" if printed of the short rate test, before the long cycling.
    """

    key: str
    label: str
    value: float
    unit: str
    role: str
    printed: float | None
    section: str | None
    printed_in: str | None


class SimulatedRow(TypedDict):
    """One line of the table: a shown value and a printed one per cell."""

    label: str
    values: list[tuple[str, str]]
    unit: str
    role: str
    sections: str


class Printed(TypedDict):
    """A number printed in the paper for a library cell."""

    id: str
    cell: str
    of: str
    value: float
    unit: str
    section: str
    test: NotRequired[str]


def printed_values() -> list[Printed]:
    """The printed numbers that simulated ones can be held against."""
    file = resources.files("equipoise.report") / "zhang2026_printed.toml"
    return tomllib.loads(file.read_text("utf-8"))["values"]


def quantities(simulated: Simulated) -> list[Quantity]:
    """First cycle, capacity at each rate, upper potentials of one cell."""
    first, rates, electrodes = (
        simulated.runs[name] for name in (FIRST, RATES, ELECTRODES)
    )
    known = _printed_for(first)
    found = [
        _quantity("first_charge", "first charge, 0.2C", first, 1, CHARGE, known),
        _quantity(
            "first_discharge", "first discharge, 0.2C", first, 1, DISCHARGE, known
        ),
        _quantity(
            "first_upper_potential",
            "upper potential (UP), first charge, 0.2C",
            first,
            1,
            UPPER,
            known,
        ),
    ]
    for block in first_blocks(rates):
        key, label = f"discharge_{block.text}", f"rate test, discharge at {block.text}"
        last = block.last_cycle_count
        found.append(_quantity(key, label, rates, last, DISCHARGE, known))
    for cycle in (1, 2, electrodes.program.cycle_count):
        key = f"upper_potential_cycle_{cycle}"
        label = f"three-electrode test, UP of cycle {cycle}, 0.2C"
        found.append(_quantity(key, label, electrodes, cycle, UPPER, known))
    return found


def _printed_for(run: Run) -> dict[str, Printed]:
    """Printed numbers by key, if the cell is the library's and not a variant of it."""
    name = run.cell.where.removeprefix("library: ")
    rows = {p["of"]: p for p in printed_values() if p["cell"] == name}
    if not rows:
        return {}
    try:
        same = load_cell(name).spec == run.cell.spec
    except EquipoiseError:
        return {}
    return rows if same else {}


def _quantity(
    key: str,
    label: str,
    run: Run,
    cycle: int,
    column: str,
    known: dict[str, Printed],
) -> Quantity:
    """The value of a column of the cycle table in one cycle."""
    table = run.cycles
    at = table["cycle_count"].to_list().index(cycle)
    paper = known.get(key)
    return {
        "key": key,
        "label": label,
        "value": float(table[column][at]),
        "unit": unit_symbol(column),
        "role": roles(run)[column],
        "printed": None if paper is None else float(paper["value"]),
        "section": None if paper is None else paper["section"],
        "printed_in": None if paper is None else paper.get("test"),
    }


def simulated_rows(simulated: Sequence[Simulated]) -> list[SimulatedRow]:
    """The table of a report: cells side by side."""
    rows: list[SimulatedRow] = []
    for line in zip(*(quantities(s) for s in simulated), strict=True):
        first = line[0]
        form = ".4f" if first["unit"] == "V" else ".1f"
        names = [q["role"] for q in line]
        if len(set(names)) > 1:
            names = [f"{r} ({s.label})" for r, s in zip(names, simulated, strict=True)]
        sections = dict.fromkeys(_section(q) for q in line if q["section"])
        rows.append(
            {
                "label": first["label"],
                "values": [
                    (shown(q["value"], form), shown(q["printed"], "g")) for q in line
                ],
                "unit": first["unit"],
                "role": ", ".join(dict.fromkeys(names)),
                "sections": ", ".join(sections),
            }
        )
    return rows


def _section(q: Quantity) -> str:
    return " ".join(text for text in (q["section"], q["printed_in"]) if text)


def differing_potentials(simulated: Sequence[Simulated]) -> list[str]:
    """Why an upper potential is not the one of the design, where they differ."""
    found: list[str] = []
    for s in simulated:
        run = s.runs[FIRST]
        if isinstance(run.cell, HalfCellSetup):
            continue
        upper = float(run.cycles[UPPER][0])
        designed = design_cell(run.cell).upper_potential_vs_li_volt
        if abs(upper - designed) < NOTABLE_VOLT:
            continue
        found.append(
            f"{s.label}: UP of the simulated first charge is {upper:.3f} V, in the "
            f"design {designed:.3f} V. Both end at the same cell voltage, so this is "
            f"the difference of the negative, which in the simulation "
            f"{_why(run.cell.kinetics)}"
        )
    return found


def _why(rates: CellKinetics | None) -> str:
    """What moves the end of charge of a simulation away from that of the design."""
    text = "is polarised by the current"
    if rates and rates.negative.open_circuit is not None:
        text = f"has a curve of its own, at rest, and {text}"
    stretch = rates.positive.open_circuit_stretch_ratio if rates else 1.0
    if stretch != 1.0:
        text += (
            "; the charge stays near that of the design, because the curve of the "
            f"positive at rest is stretched by a factor of {stretch:g}"
        )
    return text


def simulated_notes(simulated: Sequence[Simulated]) -> list[str]:
    """What has to be known of the runs: model, evidence of the rates, caveats."""
    by_evidence: dict[str, list[str]] = {}
    for s in simulated:
        counts = evidence_of_rates(s.runs[RATES]).items()
        text = ", ".join(f"{n} {what}" for what, n in counts)
        by_evidence.setdefault(text, []).append(s.label)
    found = [
        f"Rates of {' and '.join(labels)}, by evidence: {text}."
        for text, labels in by_evidence.items()
    ]
    for s in simulated:
        for name, one in s.runs.items():
            found += [f"{s.label}, {name}: {note}." for note in notes(one)]
    found += [f"{text}." for text in differing_potentials(simulated)]
    for s in simulated:
        rates = s.runs[RATES].cell.kinetics
        found += [c for c in (rates.caveats if rates else ()) if c not in found]
    return found


def simulated_json(simulated: Sequence[Simulated]) -> list[dict[str, object]]:
    """Quantities and outcomes of all runs, for JSON."""
    return [
        {
            "cell": s.label,
            "quantities": quantities(s),
            "runs": [
                {
                    "protocol": name,
                    "model": run.model,
                    "status": outcome(run),
                    "cycles_count": run.cycles.height,
                    "notes": list(notes(run)),
                    "folder": f"simulated/{s.stem}/{name}",
                }
                for name, run in s.runs.items()
            ],
        }
        for s in simulated
    ]
