"""What a report shows of a single draw: traced lives, spectra, pressure, ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.dqdv import DifferentialCapacity, dqdv
from equipoise.analysis.eis.drt.resistances import Resistances, resistances
from equipoise.sim.life.ledger import Ledger, compensation_ledger
from equipoise.sim.pressure import pressure_notes, pressure_trace
from equipoise.spec.cell_record import CellRecord
from equipoise.study.zhang2026.representative import pressure_run, solved_life

if TYPE_CHECKING:
    import polars as pl

    from equipoise.sim.life.ageing_cell import AgedState
    from equipoise.sim.life.life import Life
    from equipoise.study.zhang2026.predict import Prediction

CELLS = {"HB": "zhang2026-hb", "LB": "zhang2026-lb"}
TRACED = (2, *range(10, 121, 10))
"""Cycles at 0.2C whose dQ/dV is drawn."""
STATES_COUNT = 7
"""Of a ledger, spread over the life."""


@dataclass(frozen=True, slots=True, eq=False)
class SingleDraw:
    """Everything by name of the cell, HB first.

    Attributes
    ----------
    curves
        dQ/dV of the charge and discharge of some cycles at 0.2C.
    spectra
        Resistances, with the distribution behind them, after cycle 290.
    pressures, pressure_notes
        Of the first five cycles at 0.1C.
    ledgers
        Along the test at 1C.
    """

    prediction: Prediction
    curves: dict[str, DifferentialCapacity]
    spectra: dict[str, Resistances]
    pressures: dict[str, pl.DataFrame]
    pressure_notes: dict[str, tuple[str, ...]]
    ledgers: dict[str, Ledger]


def single_draw(
    prediction: Prediction, *, progress: Callable[[str], None] | None = None
) -> SingleDraw:
    """Simulate the tests of one draw again, with traces and states.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted: nothing is returned in part.
    """
    told = progress or _silent
    member = prediction.member
    curves: dict[str, DifferentialCapacity] = {}
    ledgers: dict[str, Ledger] = {}
    for name in CELLS:
        told(f"{name}: 0.2C, traced")
        slow = solved_life(member, f"{name} 0.2C", trace=TRACED)
        record = CellRecord(positive_active_mass_mg=slow.cell.positive_mass_mg)
        curves[name] = dqdv(slow.trace, record=record)
        told(f"{name}: 1C, every cycle")
        fast = solved_life(member, f"{name} 1C")
        told(f"{name}: ledger")
        ledgers[name] = compensation_ledger(fast, _spread(fast))
    told("pressure")
    runs = {name: pressure_run(member, cell) for name, cell in CELLS.items()}
    return SingleDraw(
        prediction,
        curves,
        {name: _spectrum(prediction.lives[f"{name} rates"]) for name in CELLS},
        {name: pressure_trace(run) for name, run in runs.items()},
        {name: pressure_notes(run) for name, run in runs.items()},
        ledgers,
    )


def _spread(life: Life) -> list[AgedState]:
    """States of the ageing kind, spread evenly over the cycles, with the last one."""
    states = [s for s in life.states if s.cycle_count > life.reference_cycle]
    cycles = np.array([s.cycle_count for s in states])
    if not cycles.size:
        return list(life.states)
    wanted = np.linspace(0.0, cycles[-1], STATES_COUNT + 1)[1:]
    nearest = {int(np.argmin(np.abs(cycles - at))) for at in wanted}
    return [states[i] for i in sorted(nearest)]


def _spectrum(life: Life) -> Resistances:
    """Resistances of the last spectrum of a life."""
    return resistances(life.impedances[-1].cell)


def _silent(what: str) -> None:
    del what
