"""What the figures of simulated tests share: lines, traces, blocks of one rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.sim.simulate import Run
from equipoise.spec.half_cell_spec import HalfCellSetup
from equipoise.viz.labels import floats
from equipoise.viz.style import cell_colours, dash

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Runs = Run | Iterable[Run]
Dash = str | tuple[int, tuple[float, ...]]
"""As `style.dash` gives it."""

CHARGE, DISCHARGE = 1, -1
CAPACITY = "discharging_capacity_mah_per_g_positive"
SECOND_PER_HOUR = 3600.0
MOST_RUNS = 3
"""Side by side; more would be too narrow to read."""


@dataclass(frozen=True, slots=True)
class Line:
    """A run and how it is drawn: colour by cell, dash by run of the same cell."""

    run: Run
    label: str
    colour: str
    linestyle: Dash


@dataclass(frozen=True, slots=True)
class Block:
    """Cycles in a row at the same current.

    Attributes
    ----------
    text
        As written over a figure: ``0.2C``, ``1 mA``; ``0.2C/1C`` where charge and
        discharge differ.
    c_rate
        Of the discharge; nan without a known current of 1C.
    first_cycle_count, last_cycle_count
        Numbers of its first and last cycle.
    """

    text: str
    c_rate: float
    first_cycle_count: int
    last_cycle_count: int


class Branch(NamedTuple):
    """One half of a traced cycle."""

    capacity_mah_per_g: Array
    voltage_volt: Array
    positive_volt: Array
    negative_volt: Array


def lines(runs: Runs) -> list[Line]:
    """Give each run a label of its own, a colour and a dash.

    Raises
    ------
    SpecError
        If there is no run, or one that finished nothing.
    """
    found = [runs] if isinstance(runs, Run) else list(runs)
    if not found:
        raise SpecError("there is no run to draw", remedy="pass at least one Run")
    for run in found:
        if not run.results.size:
            raise SpecError(
                "no step of this run was finished",
                where=run.name,
                remedy="draw a run that finished at least one cycle",
            )
    colours = cell_colours(dict.fromkeys(r.name for r in found))
    same_model = len({r.model for r in found}) == 1
    out: list[Line] = []
    for i, run in enumerate(found):
        twins = sum(r.name == run.name for r in found[:i])
        label = run.name if same_model else f"{run.name}, {run.model}"
        number = 1 + sum(x.label.startswith(label) for x in out)
        label = f"{label} ({number})" if any(x.label == label for x in out) else label
        out.append(Line(run, label, colours[run.name], dash(twins)))
    return out


def models(drawn: Iterable[Line]) -> str:
    """The models behind a figure, as its title says them: ``dfn model``."""
    names = list(dict.fromkeys(line.run.model for line in drawn))
    return f"{' and '.join(names)} model{'s' if len(names) > 1 else ''}"


def few(drawn: list[Line]) -> list[Line]:
    """The runs, if there is room for them side by side.

    Raises
    ------
    SpecError
        If there are more than three.
    """
    if len(drawn) > MOST_RUNS:
        raise SpecError(
            f"{len(drawn)} runs side by side cannot be read, at most {MOST_RUNS} can",
            where="figure of both electrodes",
            remedy="draw several figures",
        )
    return drawn


def is_half(run: Run) -> bool:
    """Whether the run is of a half cell: its negative is an ideal counter."""
    return isinstance(run.cell, HalfCellSetup)


def branch(run: Run, cycle: int, direction: int) -> Branch:
    """One half of a cycle, rests after it included; capacities from 0.

    Raises
    ------
    SpecError
        If the cycle is not in the trace.
    """
    rows = _traced(run, cycle)
    current = floats(rows, "current_ampere", "branch")
    moving = np.where(current != 0.0, np.arange(current.size), -1)
    last = np.maximum.accumulate(moving)
    here = (last >= 0) & (np.sign(current[last]) == direction)
    name = "charging" if direction == CHARGE else "discharging"
    ah = floats(rows, f"cycle_{name}_capacity_ah", "branch")[here]
    return Branch(
        1e3 * ah / run.lowered.positive_mass_g,
        floats(rows, "voltage_volt", "branch")[here],
        floats(rows, "positive_electrode_potential_volt", "branch")[here],
        floats(rows, "negative_electrode_potential_volt", "branch")[here],
    )


def traced_cycles(run: Run) -> list[int]:
    """Numbers of the cycles in the trace.

    Raises
    ------
    SpecError
        If none was traced.
    """
    found = np.unique(floats(run.trace, "cycle_count", "traced_cycles")).astype(int)
    if not found.size:
        raise SpecError(
            "this run has no trace",
            where=f"{run.name}, {run.program.name}",
            remedy='simulate with trace="all", or trace={1, 2} for these cycles',
        )
    return [int(c) for c in found]


def _traced(run: Run, cycle: int) -> pl.DataFrame:
    import polars as pl

    total = run.program.cycle_count
    where = f"{run.name}, {run.program.name}"
    if not 1 <= cycle <= total:
        raise SpecError(
            f"there is no cycle {cycle}; the protocol has {total}",
            where=where,
            remedy=f"choose one of 1 to {total}",
        )
    rows = run.trace.filter(pl.col("cycle_count") == cycle)
    if rows.height:
        return rows
    done = int(run.results[-1, 0])
    if cycle > done:
        raise SpecError(
            f"cycle {cycle} was not reached; the run ended in cycle {done}",
            where=where,
            remedy=f"choose one of 1 to {done}",
        )
    raise SpecError(
        f"cycle {cycle} was not traced",
        where=where,
        remedy=f'simulate with trace={{{cycle}}} or trace="all"',
    )


def blocks(run: Run) -> list[Block]:
    """The cycles that passed charge, gathered by their current."""
    texts: dict[int, dict[str, str]] = {}
    steps = run.steps
    for cycle, label in zip(steps["cycle_count"], steps["step"], strict=True):
        word, _, rate = label.partition(" ")
        if word in ("charge", "discharge"):
            texts.setdefault(int(cycle), {}).setdefault(word, rate)
    rates = dict(
        zip(run.cycles["cycle_count"], run.cycles["discharge_c_rate"], strict=True)
    )
    found: list[Block] = []
    for cycle, rate in texts.items():
        text = "/".join(dict.fromkeys(rate.values()))
        before = found[-1] if found else None
        if before and before.text == text and before.last_cycle_count == cycle - 1:
            first = before.first_cycle_count
            found[-1] = Block(text, before.c_rate, first, cycle)
        else:
            found.append(Block(text, float(rates[cycle]), cycle, cycle))
    return found


def first_blocks(run: Run) -> list[Block]:
    """The first block of each rate, in the order of the test."""
    found: dict[str, Block] = {}
    for block in blocks(run):
        found.setdefault(block.text, block)
    return list(found.values())


def cycle_of_each_rate(run: Run) -> dict[str, int]:
    """Of each rate the last traced cycle of its first block, a whole one if possible.

    Raises
    ------
    SpecError
        If no cycle was traced.
    """
    kept = traced_cycles(run)
    done = int(run.results[-1, 0]) if run.finished else int(run.results[-1, 0]) - 1
    found: dict[str, int] = {}
    for block in first_blocks(run):
        inside = [
            c for c in kept if block.first_cycle_count <= c <= block.last_cycle_count
        ]
        whole = [c for c in inside if c <= done]
        if inside:
            found[block.text] = (whole or inside)[-1]
    return found
