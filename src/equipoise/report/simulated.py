"""The tests a report simulates, and their figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.io.protocols import load_protocol
from equipoise.report.answers import labelled
from equipoise.report.drawings import Drawing
from equipoise.report.run_files import write_run
from equipoise.sim.simulate import Run, simulate
from equipoise.viz.simulation import (
    normalised_capacity,
    potential_profiles,
    rate_capability,
    three_electrode,
    voltage_profiles,
)

if TYPE_CHECKING:
    from pathlib import Path

    from equipoise.spec.cell import Cell

FIRST, RATES, ELECTRODES = "first-cycle", "rate-test", "three-electrode-rate-test"
PROTOCOLS = (FIRST, RATES, ELECTRODES)
SIDE_BY_SIDE = 3
"""Cells in one figure of both electrodes."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One cell and its runs by protocol; `label` and `stem` as in the report."""

    label: str
    stem: str
    runs: dict[str, Run]


def simulate_cells(
    cells: Sequence[Cell], *, progress: Callable[[str], None] | None = None
) -> list[Simulated]:
    """Run the first cycle, the rate test and the three-electrode test.

    Parameters
    ----------
    progress
        Called with the cell and the protocol before each run.

    Raises
    ------
    SpecError
        If a cell has no rates.
    SolveError
        If a step could not be solved.
    """
    found: list[Simulated] = []
    for cell, (label, stem) in zip(cells, labelled(cells), strict=True):
        runs: dict[str, Run] = {}
        for name in PROTOCOLS:
            if progress is not None:
                progress(f"{label}: {name}")
            runs[name] = simulate(cell, load_protocol(name))
        found.append(Simulated(label, stem, runs))
    return found


def write_runs(simulated: Sequence[Simulated], folder: Path) -> list[Path]:
    """Write cycles, steps and traces (BDF) of every run; return the files."""
    files: list[Path] = []
    for s in simulated:
        for name, run in s.runs.items():
            files += write_run(run, folder / "simulated" / s.stem / name)
    return files


def simulated_drawings(simulated: Sequence[Simulated]) -> list[Drawing]:
    """The figures of the simulated tests, in the order of the report."""
    if not simulated:
        return []
    first, rates = ([s.runs[name] for s in simulated] for name in (FIRST, RATES))
    drawn = [
        Drawing(
            "simulated_pair",
            "simulated_first_cycle",
            "First cycle, simulated",
            "Cell voltage against the capacity of each half cycle at 0.2C, per gram of "
            "positive active material; the discharge begins at 0.",
            voltage_profiles(first),
        ),
        Drawing(
            "simulated_pair",
            "simulated_normalised",
            "Rate capability relative to the first rate, simulated",
            "Last cycle of each block. Dots: first round; circles: second round.",
            normalised_capacity(rates),
        ),
        Drawing(
            "simulated",
            "simulated_profiles",
            "Cell voltage at each rate, simulated",
            "Last cycle of the first round of each rate in the rate test, from 0 in "
            "each half cycle.",
            voltage_profiles(rates),
        ),
        Drawing(
            "simulated",
            "simulated_rates",
            "Rate test, simulated",
            "Discharge capacity of every cycle of a fresh cell that does not age.",
            rate_capability(rates),
        ),
    ]
    for start in range(0, len(simulated), SIDE_BY_SIDE):
        part = simulated[start : start + SIDE_BY_SIDE]
        drawn += _electrodes([s.runs[ELECTRODES] for s in part], start)
    return drawn


def _electrodes(runs: Sequence[Run], start: int) -> list[Drawing]:
    end = "" if start == 0 else f"_{start // SIDE_BY_SIDE + 1}"
    return [
        Drawing(
            "simulated",
            f"simulated_electrodes{end}",
            "Both electrodes during the three-electrode rate test, simulated",
            "Circles: ends of charge. There the negative moves by as much as the upper "
            "potential of the positive, since the cell voltage ends the charge. "
            "The steep fall of the negative at the start of the first charge may leave "
            "the frame.",
            three_electrode(runs),
        ),
        Drawing(
            "simulated",
            f"simulated_potentials{end}",
            "Both electrodes at each rate, simulated",
            "Last cycle of the first block of each rate in the three-electrode test. "
            "Where the negative bends down at the end of charge it leaves its plateau "
            "for its tail. A steep rise of the negative at the end of discharge may "
            "leave the frame.",
            potential_profiles(runs),
        ),
    ]
