"""Cycle a cell until it is worn out."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
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
from equipoise.sim.life.tables import life_table, reference_of
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh, ModelName, Stepping
from equipoise.sim.simulate import MODELS, Traced, context, traced_cycles
from equipoise.sim.tables import step_table, trace_table
from equipoise.spec.cell import Cell
from equipoise.spec.half_cell_spec import HalfCellSetup

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import polars as pl

    from equipoise.protocol.expand import Program
    from equipoise.sim.impedance.cell_impedance import CellImpedance
    from equipoise.sim.life.ageing_cell import AgedState
    from equipoise.sim.life.blocks import Blocks
    from equipoise.sim.lower import Lowered

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """When the discharge capacity falls below a share of that of the reference cycle.

    The reference cycle is number 1 here; `analysis.retention.CycleLife`, of a test,
    counts from 0 and is one less for the same cell.

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
        """Cycle that retention is relative to, counted from 1.

        The first of the kind of most cycles, after what goes before them, that
        discharged. If none did, the first of them: all retentions are nan then.
        """
        found = reference_of(self.blocks, self.results, self.records)
        return self.blocks.reference_cycle if found is None else found

    @property
    def ageing_kind(self) -> int:
        """Kind of the reference cycle and of those compared with it: `Blocks.kinds`."""
        return int(self.blocks.kinds[self.reference_cycle - 1])

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

    def cycle_life(self, level_retention: float = 0.8) -> EndOfLife:
        """Cycles until the discharge capacity falls below a share of the reference.

        Only capacities of the ageing kind are looked at (the kind that the protocol
        has most of); a passing between two solved cycles is interpolated. The
        reference cycle is number 1, and all cycles after it count. Where no cycle
        ever discharged there is no life: nan.

        Raises
        ------
        SpecError
            If the level is no number between 0 and 1.
        """
        require_share("level_retention", level_retention, "0.8")
        table = self.cycles
        rows = table.filter(table["is_ageing_cycle"] & table["is_settled"])
        retention = rows["discharge_retention"].to_numpy()
        number = rows["cycle_count"].to_numpy() - (self.reference_cycle - 1.0)
        if retention.size and not np.isfinite(retention[0]):
            return EndOfLife(level_retention, float("nan"), censored=False)
        below = np.flatnonzero(~(retention >= level_retention))
        if not below.size:
            ran = float(number[-1]) if number.size else 0.0
            return EndOfLife(level_retention, ran, censored=True)
        i = int(below[0])
        if i == 0 or not np.isfinite(retention[i]):
            return EndOfLife(level_retention, float(number[i]), censored=False)
        part = (retention[i - 1] - level_retention) / (retention[i - 1] - retention[i])
        at = number[i - 1] + part * (number[i] - number[i - 1])
        return EndOfLife(level_retention, float(at), censored=False)


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
        Cycles (counted from 1) whose time series is kept. Where the life ends before
        one of them a warning says so.
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
        does not have, a keyword is of the wrong kind or out of range, or a cycle is
        to be traced that the protocol does not have.
    SolveError
        If `strict` and a cycle cannot be solved, or the wear is not finite.
    StoreError
        If the checkpoint belongs to another run, is no file, or cannot be written.
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
    _warn(found, trace, strict=strict)
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
    _check_kinds(ageing, protocol, jump, mesh, stepping, checkpoint)
    _check(cell, model, until_retention, progress)
    mesh, stepping = mesh or Mesh(), stepping or Stepping()
    lowered = lower(cell, model=model, mesh=mesh)
    program = expand(protocol, context(cell, lowered))
    if program.sweeps:
        require_rates(model, f"{program.name}: eis")
    traced = _traced(trace, program)
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


def _warn(found: Life, trace: Traced | Collection[int], *, strict: bool) -> None:
    """Say, or raise, that a cycle could not be solved, and what else to look at."""
    _warn_of_reference(found)
    _warn_of_trace(found, trace)
    if found.status == Status.OK:
        return
    number, name = found.last_cycle + 1, found.program.name
    what = f"cycle {number} of {name} could not be finished"
    if strict:
        where = found.cell.where or found.name
        raise SolveError(found.status, what, where=where)
    warnings.warn(f"{what}: {found.status.advice}", EquipoiseWarning, stacklevel=3)


def _warn_of_reference(found: Life) -> None:
    """Retention is relative to the reference cycle: that must be a typical one."""
    table = found.cycles
    at = table.filter(table["cycle_count"] == found.reference_cycle)
    if at.height != 1:
        return
    column = "discharging_capacity_mah_per_g_positive"
    number, reference = found.reference_cycle, at[column][0]
    earlier = table.filter(table["cycle_count"] < number)
    after = table.filter(table["is_ageing_cycle"] & table["is_settled"])
    most = earlier[column].fill_nan(None).max()
    warn = None
    if not isfinite(reference) and found.interrupted:
        return  # a cycle that discharges may come yet
    if not isfinite(reference):
        warn = (
            f"the reference cycle ({number}) has no discharge, and no cycle like it "
            "has: retention and cycle life are not known; make the cycles of the "
            "protocol complete"
        )
    elif isinstance(most, float) and reference < DEAD_FRACTION * most:
        warn = (
            f"the reference cycle ({number}) gives {reference:.3g} mAh/g, "
            f"an earlier one {most:.3g}: the cell was worn out before the cycles that "
            "its life is counted in"
        )
    elif after[column].max() > MOST_RETENTION * reference:  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
        highest = after.row(int(after[column].arg_max() or 0), named=True)
        warn = (
            f"cycle {highest['cycle_count']} gives {highest[column]:.4g} mAh/g, "
            f"{100 * highest[column] / reference:.0f} % of the reference cycle "
            f"({number}, {reference:.4g} mAh/g), which is not typical then, and "
            "retention and cycle life are not either; let the cell settle before the "
            "cycles that are counted: put a formation or a rate test before them"
        )
    if warn is not None:
        warnings.warn(warn, EquipoiseWarning, stacklevel=4)


def _warn_of_trace(found: Life, trace: Traced | Collection[int]) -> None:
    """Cycles that were to be traced may come after the end of the life."""
    last = found.last_cycle
    if isinstance(trace, str) or found.interrupted or found.status:
        return
    beyond = sorted(int(c) for c in trace if c > last)
    if beyond:
        warnings.warn(
            f"{len(beyond)} of the cycles to be traced, from {beyond[0]} on, were not "
            f"reached: cycle {last} was the last; trace earlier ones, or run on with a "
            "lower until_retention",
            EquipoiseWarning,
            stacklevel=4,
        )


DEAD_FRACTION = 0.1
MOST_RETENTION = 1.1
"""A cycle above it says that the reference cycle is not typical."""


def _check(cell: object, model: object, until: object, progress: object) -> None:
    if not isinstance(cell, Cell):
        raise SpecError(
            "the name of a cell was given, not a cell"
            if isinstance(cell, str)
            else "a half cell was given; ageing needs both electrodes"
            if isinstance(cell, HalfCellSetup)
            else f"{cell!r} was given; a cell with both electrodes was expected",
            where="cell",
            remedy="give a full cell, e.g. load_cell('zhang2026-lb')",
        )
    if model not in MODELS:
        raise SpecError(
            f"model = {model!r} is not known",
            where="model",
            remedy=f"use one of: {', '.join(MODELS)}",
        )
    if until is not None:
        require_share("until_retention", until, "0.8, or None")
    if progress is not None and not callable(progress):
        raise SpecError(
            f"progress = {progress!r} cannot be called",
            where="progress",
            remedy="give a function of (cycles finished, cycles in all), or None",
        )


_NEEDED: dict[str, tuple[tuple[type, ...], str]] = {
    "ageing": ((Ageing,), "an ageing: load_ageing(name)"),
    "protocol": ((Protocol,), "a protocol: load_protocol(name), or life_protocol()"),
    "jump": ((Jump, type(None)), "Jump() or None"),
    "mesh": ((Mesh, type(None)), "Mesh() or None"),
    "stepping": ((Stepping, type(None)), "Stepping() or None"),
    "checkpoint": ((str, Path, type(None)), "the path of a file, or None"),
}


def _check_kinds(*given: object) -> None:
    """Of keywords in the order of `_NEEDED`."""
    for (name, (kinds, wanted)), value in zip(_NEEDED.items(), given, strict=True):
        if not isinstance(value, kinds):
            raise SpecError(
                f"{name} = {value!r} is not what is needed",
                where=name,
                remedy=f"give {wanted}",
            )


def require_share(name: str, value: object, example: str) -> None:
    """Refuse what is no number between 0 and 1, both excluded.

    Raises
    ------
    SpecError
        If it is another number, nan, or no number.
    """
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not 0.0 < float(value) < 1.0:  # pyright: ignore[reportArgumentType]
        raise SpecError(
            f"{name} = {value!r} is no share",
            where=name,
            remedy=f"give a number between 0 and 1, e.g. {example}",
        )


def _traced(trace: Traced | Collection[int], program: Program) -> frozenset[int] | None:
    """Cycles to be traced, all of them of the program; None: every one."""
    try:
        found = traced_cycles(trace if isinstance(trace, str) else tuple(trace))
    except (TypeError, ValueError, OverflowError):
        raise SpecError(
            f"trace = {trace!r} holds what is no number of a cycle",
            where="trace",
            remedy='use "all", "none", or numbers of cycles, e.g. [1, 2, 10]',
        ) from None
    beyond = sorted(c for c in found or () if c > program.cycle_count)
    if beyond:
        raise SpecError(
            f"cycle {beyond[0]} is to be traced; {program.name} has "
            f"{program.cycle_count}",
            where="trace",
            remedy=f"give numbers from 1 to {program.cycle_count}",
        )
    return found
