"""Cycle a cell until it is worn out."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import EquipoiseWarning, SolveError, SpecError
from equipoise.core.status import Status
from equipoise.kernels.program import Sample
from equipoise.kernels.simulate import Memory
from equipoise.protocol.expand import expand
from equipoise.protocol.steps import Protocol
from equipoise.sim.impedance.at_rest import require_rates
from equipoise.sim.life.ageing_cell import AgeingCell, Mark
from equipoise.sim.life.driver import Driver
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.tables import life_table
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh, ModelName, Stepping
from equipoise.sim.simulate import MODELS, Traced, context, traced_cycles
from equipoise.sim.tables import step_table, trace_table
from equipoise.spec.cell import Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import polars as pl

    from equipoise.protocol.expand import Program
    from equipoise.sim.impedance.cell_impedance import CellImpedance
    from equipoise.sim.life.ageing_cell import AgedState
    from equipoise.sim.life.blocks import Blocks
    from equipoise.sim.lower import Lowered

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CycleLife:
    """When the discharge capacity falls below a share of that of the reference cycle.

    Attributes
    ----------
    level_retention
        The share, e.g. 0.8.
    cycle_count
        Cycles of the ageing block from the reference cycle on (which is number 1)
        until the level is passed, interpolated; if `censored`, those that were run.
    censored
        The level was not reached: the life is longer than `cycle_count`.
    """

    level_retention: float
    cycle_count: float
    censored: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Life:
    """A cell cycled until the end of its program, or of its life.

    Attributes
    ----------
    results, samples
        Raw rows of the solved cycles, see `kernels.program.End` and `Sample`.
    records
        Wear per solved cycle, see `sim.life.ageing_cell.Mark`; SI.
    lowered
        The cell as built.
    jump
        How slow states were carried; None: every cycle was solved.
    states
        Copies of the cell along its life, to go on from (ledger, reserve).
    status, interrupted
        As in `Run`: what was finished before is kept.
    """

    cell: Cell
    ageing: Ageing
    program: Program
    lowered: Lowered
    blocks: Blocks
    model: ModelName
    mesh: Mesh
    stepping: Stepping
    jump: Jump | None
    results: Array
    samples: Array
    records: Array
    states: tuple[AgedState, ...]
    status: Status
    interrupted: bool
    until_retention: float | None
    substeps_count: int
    wall_second: float
    impedances: tuple[CellImpedance, ...]
    taken_back_count: int

    def __repr__(self) -> str:
        """Cell, protocol, and how far it came."""
        return (
            f"<Life of {self.name}, {self.program.name}, {self.model}: "
            f"{self.solved_count} of {self.last_cycle} cycles solved, {self.status}"
            f"{', interrupted' if self.interrupted else ''}>"
        )

    @property
    def name(self) -> str:
        """Name of the cell."""
        return self.cell.spec.name

    @property
    def last_cycle(self) -> int:
        """Number of the last finished cycle."""
        return int(self.records[-1, Mark.CYCLE]) if self.records.shape[0] else 0

    @property
    def solved_count(self) -> int:
        """Cycles that were solved; the others were jumped over."""
        return int(self.records.shape[0])

    @property
    def reference_cycle(self) -> int:
        """Cycle that retention is relative to: first of the kind of most cycles."""
        return self.blocks.reference_cycle

    @property
    def cycles(self) -> pl.DataFrame:
        """One row per solved cycle: what was measured, and the wear behind it."""
        return life_table(self)

    @property
    def steps(self) -> pl.DataFrame:
        """One row per step of the solved cycles."""
        return step_table(self.results, self.program, self.lowered)

    @property
    def trace(self) -> pl.DataFrame:
        """Samples of the traced cycles under BDF machine names, charge > 0."""
        return trace_table(self.samples, self.results, self.lowered)

    def cycle_life(self, level_retention: float = 0.8) -> CycleLife:
        """Cycles until the discharge capacity falls below a share of the reference.

        Only cycles of the ageing kind count (those that the protocol has most of);
        a passing between two solved cycles is interpolated. A cell whose reference
        cycle gives nothing has no life: nan.
        """
        table = self.cycles
        rows = table.filter(table["is_ageing_cycle"] & table["is_settled"])
        retention = rows["discharge_retention"].to_numpy()
        number = rows["cycle_count"].to_numpy() - (self.reference_cycle - 1.0)
        if retention.size and not np.isfinite(retention[0]):
            return CycleLife(level_retention, float("nan"), censored=False)
        below = np.flatnonzero(~(retention >= level_retention))
        if not below.size:
            ran = float(number[-1]) if number.size else 0.0
            return CycleLife(level_retention, ran, censored=True)
        i = int(below[0])
        if i == 0 or not np.isfinite(retention[i]):
            return CycleLife(level_retention, float(number[i]), censored=False)
        part = (retention[i - 1] - level_retention) / (retention[i - 1] - retention[i])
        at = number[i - 1] + part * (number[i] - number[i - 1])
        return CycleLife(level_retention, float(at), censored=False)


def life(
    cell: Cell,
    protocol: Protocol,
    ageing: Ageing,
    *,
    model: ModelName = "dfn",
    mesh: Mesh | None = None,
    stepping: Stepping | None = None,
    jump: Jump | None = None,
    until_retention: float | None = 0.8,
    trace: Traced | Collection[int] = "none",
    checkpoint: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    strict: bool = True,
) -> Life:
    """Run a protocol on a cell that wears.

    Parameters
    ----------
    ageing
        The mechanisms, from `load_ageing` or written in code.
    jump
        None: every cycle is solved. Else slow states are carried over cycles that
        are alike, with the error control of `Jump`; cycles that are traced or
        measure an impedance are always solved.
    until_retention
        End when the discharge of an ageing cycle falls below this share of that of
        the reference cycle; None: run the whole protocol.
    trace
        Cycles (counted from 1) whose time series is kept.
    checkpoint
        File to go on from after an interruption, with the same result. It is written
        every few seconds and belongs to exactly this run.
    progress
        Called with (cycles finished, cycles in all).
    strict
        Raise when a cycle cannot be solved; else `status` says so and what was
        finished is kept.

    Raises
    ------
    SpecError
        If the cell is a half cell or lacks rates, the ageing asks for what the cell
        does not have, or a keyword is out of range.
    SolveError
        If `strict` and a cycle cannot be solved, or the wear is not finite.
    StoreError
        If the checkpoint belongs to another run, or cannot be written.
    """
    found = attempt(
        cell,
        protocol,
        ageing,
        model=model,
        mesh=mesh,
        stepping=stepping,
        jump=jump,
        until_retention=until_retention,
        trace=trace,
        checkpoint=checkpoint,
        progress=progress,
    )
    _warn(found, strict=strict)
    return found


def attempt(
    cell: Cell,
    protocol: Protocol,
    ageing: Ageing,
    *,
    model: ModelName = "dfn",
    mesh: Mesh | None = None,
    stepping: Stepping | None = None,
    jump: Jump | None = None,
    until_retention: float | None = 0.8,
    trace: Traced | Collection[int] = "none",
    checkpoint: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Life:
    """`life` that neither raises nor warns where a cycle cannot be solved.

    For fits and sweeps in threads: the status tells it.

    Raises
    ------
    SpecError, StoreError
        As `life`.
    """
    mesh, stepping = mesh or Mesh(), stepping or Stepping()
    _check(cell, ageing, protocol, jump, model, until_retention)
    lowered = lower(cell, model=model, mesh=mesh)
    program = expand(protocol, context(cell, lowered))
    if program.sweeps:
        require_rates(model, f"{program.name}: eis")
    traced = traced_cycles(trace)
    worn = AgeingCell(
        cell,
        lower(cell, model=model, mesh=mesh),
        program,
        stepping,
        ageing,
        sampling=traced is None or bool(traced),
    )
    begin = time.perf_counter()
    driver = Driver(worn, jump, until_retention, traced, progress)
    if checkpoint is not None:
        driver.keep(checkpoint, (model, mesh, stepping))
    status, interrupted = driver.run()
    machine, samples = worn.machine, driver.samples
    return Life(
        cell=cell,
        ageing=ageing,
        program=program,
        lowered=lowered,
        blocks=worn.blocks,
        model=model,
        mesh=mesh,
        stepping=stepping,
        jump=jump,
        results=machine.results[: driver.rows_count].copy(),
        samples=np.concatenate(samples) if samples else np.zeros((0, len(Sample))),
        records=np.array(worn.records).reshape(-1, len(Mark)),
        states=tuple(driver.states),
        status=status,
        interrupted=interrupted,
        until_retention=until_retention,
        substeps_count=int(machine.memory[Memory.SUBSTEPS]),
        wall_second=time.perf_counter() - begin,
        impedances=tuple(machine.impedances),
        taken_back_count=driver.taken_back_count,
    )


def _warn(found: Life, *, strict: bool) -> None:
    """Say, or raise, that a cycle could not be solved; and see `_warn_of_reference`."""
    _warn_of_reference(found)
    if found.status == Status.OK:
        return
    number, name = found.last_cycle + 1, found.program.name
    what = f"cycle {number} of {name} could not be finished"
    if strict:
        where = found.cell.where or found.name
        raise SolveError(found.status, what, where=where)
    warnings.warn(f"{what}: {found.status.advice}", EquipoiseWarning, stacklevel=3)


def _warn_of_reference(found: Life) -> None:
    """Retention is relative to the reference cycle: it must not be a dead cell's."""
    table = found.cycles
    at = table.filter(table["cycle_count"] == found.reference_cycle)
    if at.height != 1:
        return
    column = "discharging_capacity_mah_per_g_positive"
    reference, most = at[column][0], table[column].max()
    if not isfinite(reference):
        warnings.warn(
            f"the reference cycle ({found.reference_cycle}) has no discharge: "
            "retention and cycle life are not known; begin the protocol with a charge, "
            "or make its cycles complete",
            EquipoiseWarning,
            stacklevel=4,
        )
        return
    if not isinstance(most, float) or reference >= DEAD_FRACTION * most:
        return
    warnings.warn(
        f"the reference cycle ({found.reference_cycle}) gives {reference:.3g} mAh/g, "
        f"an earlier one {most:.3g}: the cell was worn out before the cycles that its "
        "life is counted in",
        EquipoiseWarning,
        stacklevel=4,
    )


DEAD_FRACTION = 0.1


def _check(
    cell: Cell,
    ageing: object,
    protocol: object,
    jump: object,
    model: ModelName,
    until_retention: float | None,
) -> None:
    if not isinstance(cell, Cell):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SpecError(
            "the name of a cell was given, not a cell"
            if isinstance(cell, str)
            else "a half cell was given; ageing needs both electrodes",
            remedy="give a full cell, e.g. load_cell('zhang2026-lb')",
        )
    for name, value, kind in (
        ("ageing", ageing, Ageing),
        ("protocol", protocol, Protocol),
        ("jump", jump, (Jump, type(None))),
    ):
        if not isinstance(value, kind):
            raise SpecError(
                f"{name} = {value!r} is not what is needed",
                remedy="ageing: load_ageing(name); protocol: load_protocol(name); "
                "jump: Jump() or None",
            )
    if model not in MODELS:
        raise SpecError(
            f"model = {model!r} is not known", remedy=f"use one of: {', '.join(MODELS)}"
        )
    if until_retention is not None and not 0.0 < until_retention < 1.0:
        raise SpecError(
            f"until_retention = {until_retention:g}",
            remedy="give a share between 0 and 1, e.g. 0.8, or None",
        )
