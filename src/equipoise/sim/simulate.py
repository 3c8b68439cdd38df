"""Simulate a protocol on a cell, electrode by electrode."""

from __future__ import annotations

import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import EquipoiseWarning, SolveError, SpecError
from equipoise.core.status import Status
from equipoise.kernels.program import Ask, End, Sample
from equipoise.kernels.simulate import Memory
from equipoise.protocol.expand import Context, expand
from equipoise.sim.impedance.at_rest import require_rates
from equipoise.sim.impedance.table import impedance_table
from equipoise.sim.lower import lower
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, ModelName, Stepping
from equipoise.sim.notes import notes_of, notes_of_spectra
from equipoise.sim.tables import cycle_table, step_table, trace_table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import polars as pl

    from equipoise.protocol.expand import Program
    from equipoise.protocol.steps import Protocol
    from equipoise.sim.impedance.cell_impedance import CellImpedance
    from equipoise.sim.lower import Lowered
    from equipoise.spec.cell import Cell
    from equipoise.spec.half_cell_spec import HalfCellSetup
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]
MODELS: tuple[ModelName, ...] = ("dfn", "spm", "quasi-static")
CHUNK_SECOND = 0.2
"""How long the kernels run before progress is told and Ctrl-C is heard."""

Traced = Literal["all", "none"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run:
    """A simulated protocol.

    Attributes
    ----------
    finished
        The protocol came to its end: not interrupted, no failure.
    status
        `Status.OK`, or why the kernels gave up; what was finished before is kept.
    results, samples
        Raw records, see `kernels.program.End` and `Sample`; SI, of the whole cell.
    substeps_count, wall_second
        Cost of the run.
    notes
        What a reader should know: steps that stopped at once or never.
    impedances
        Those of the steps ``eis``, cell and electrodes, in order.
    """

    cell: Cell | HalfCellSetup
    program: Program
    lowered: Lowered
    model: ModelName
    mesh: Mesh
    stepping: Stepping
    results: Array
    samples: Array
    status: Status
    interrupted: bool
    substeps_count: int
    wall_second: float
    notes: tuple[str, ...]
    impedances: tuple[CellImpedance, ...] = ()

    def __repr__(self) -> str:
        """Cell, protocol, model and how far it came."""
        done = self.results.shape[0]
        return (
            f"<Run of {self.name}, {self.program.name}, {self.model}: {done} of "
            f"{self.program.steps.shape[0]} steps, {self.status}"
            f"{', interrupted' if self.interrupted else ''}>"
        )

    @property
    def name(self) -> str:
        """Name of the cell."""
        return self.cell.spec.name

    @property
    def finished(self) -> bool:
        """Whether the whole protocol was run."""
        return self.status == Status.OK and not self.interrupted

    @property
    def cycles(self) -> pl.DataFrame:
        """One row per cycle: capacities, efficiencies, potentials at the cut-offs."""
        return cycle_table(self.results, self.program, self.lowered)

    @property
    def steps(self) -> pl.DataFrame:
        """One row per finished step of the protocol."""
        return step_table(self.results, self.program, self.lowered)

    @property
    def trace(self) -> pl.DataFrame:
        """Samples of the traced cycles under BDF machine names, charge > 0."""
        return trace_table(self.samples, self.results, self.lowered)

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        """Spectra of the cell, one per step ``eis``; electrodes: `impedances`."""
        return tuple(found.cell for found in self.impedances)

    @property
    def impedance_rows(self) -> pl.DataFrame:
        """One row per frequency of all spectra: cell, electrodes, state of the cell."""
        return impedance_table(self.impedances)


def simulate(
    cell: Cell | HalfCellSetup,
    protocol: Protocol,
    *,
    model: ModelName = "dfn",
    mesh: Mesh | None = None,
    stepping: Stepping | None = None,
    trace: Traced | Collection[int] = "all",
    progress: Callable[[int, int], None] | None = None,
    strict: bool = True,
) -> Run:
    """Run a protocol on a cell as built.

    Parameters
    ----------
    protocol
        From `load_protocol`, or written in code.
    model
        "dfn": porous electrodes; "spm": one particle and the ohmic drop of a uniform
        reaction per electrode; "quasi-static": no resistance, no time.
    trace
        Cycles (counted from 1) whose time series is kept; the summary per cycle and
        step always is.
    progress
        Called with (cycles finished, cycles in all), about five times a second.
    strict
        Raise when the equations could not be solved; else the run says so in
        `status` and keeps what was finished.

    Returns
    -------
    Run
        A keyboard interrupt ends it early with what was finished (`interrupted`).

    Raises
    ------
    SpecError
        If the cell lacks rates, or the protocol does not fit the cell; or it measures
        an impedance and the model is "quasi-static".
    SolveError
        If `strict` and a step could not be solved.

    References
    ----------
    Newman and Tiedemann, AIChE J. 21 (1975) 25; Doyle, Fuller, Newman, J. Electrochem.
    Soc. 140 (1993) 1526, with a single-ion electrolyte.
    """
    mesh, stepping = mesh or Mesh(), stepping or Stepping()
    if model not in MODELS:
        raise SpecError(
            f"model = {model!r} is not known", remedy=f"use one of: {', '.join(MODELS)}"
        )
    lowered = lower(cell, model=model, mesh=mesh)
    program = expand(protocol, context(cell, lowered))
    traced = traced_cycles(trace)
    sampling = traced is None or bool(traced)
    if program.sweeps:
        require_rates(model, f"{program.name}: eis")
    name = cell.spec.name
    machine = Machine.of(lowered, program, stepping, sampling=sampling, name=name)
    begin = time.perf_counter()
    parts, status, interrupted = _drive(machine, traced, progress)
    samples = np.concatenate(parts) if parts else np.zeros((0, len(Sample)))
    run = Run(
        cell,
        program,
        lowered,
        model,
        mesh,
        stepping,
        machine.finished,
        samples,
        status,
        interrupted,
        int(machine.memory[Memory.SUBSTEPS]),
        time.perf_counter() - begin,
        notes_of(machine.finished, program, lowered)
        + notes_of_spectra(machine.impedances),
        tuple(machine.impedances),
    )
    if status != Status.OK:
        row = machine.finished[-1]
        what = (
            f"step {int(row[End.STEP])} (cycle {int(row[End.CYCLE])}, "
            f"{program.labels[int(row[End.STEP]) - 1]}) could not be finished"
        )
        if strict:
            raise SolveError(status, what, where=cell.where or cell.spec.name)
        warnings.warn(f"{what}: {status.advice}", EquipoiseWarning, stacklevel=2)
    return run


def simulate_many(
    cells: Sequence[Cell | HalfCellSetup],
    protocol: Protocol,
    *,
    workers_count: int | None = None,
    model: ModelName = "dfn",
    mesh: Mesh | None = None,
    stepping: Stepping | None = None,
    trace: Traced | Collection[int] = "none",
) -> list[Run]:
    """Run one protocol on many cells in parallel threads; the kernels hold no lock.

    A cell that cannot be solved keeps its place, with its status.

    Raises
    ------
    SpecError
        If a cell lacks rates, or the protocol does not fit a cell.
    """

    def one(cell: Cell | HalfCellSetup) -> Run:
        return simulate(
            cell,
            protocol,
            model=model,
            mesh=mesh,
            stepping=stepping,
            trace=trace,
            strict=False,
        )

    with ThreadPoolExecutor(workers_count or os.cpu_count()) as pool:
        return list(pool.map(one, cells))


def context(cell: Cell | HalfCellSetup, lowered: Lowered) -> Context:
    """What a protocol has to know of a lowered cell."""
    window = cell.spec.window
    return Context(
        window_lower_volt=window.lower_volt,
        window_upper_volt=window.upper_volt,
        one_c_ampere=lowered.one_c_ampere,
        positive_mass_g=lowered.positive_mass_g,
        positive_area_cm2=lowered.positive_area_cm2,
        charges_first=lowered.charges_first,
    )


def traced_cycles(trace: Traced | Collection[int]) -> frozenset[int] | None:
    """Cycles to be traced; None: all of them.

    Raises
    ------
    SpecError
        If these are no numbers of cycles.
    """
    if trace == "all":
        return None
    if trace == "none":
        return frozenset()
    try:
        cycles = frozenset(int(c) for c in trace)
        good = not isinstance(trace, str) and cycles == frozenset(trace)
    except (TypeError, ValueError, OverflowError):
        good, cycles = False, frozenset[int]()
    if not good or any(c < 1 for c in cycles):
        raise SpecError(
            f"trace = {trace!r}",
            remedy='use "all", "none", or numbers of cycles, e.g. [1, 2, 10]',
        )
    return cycles


def _drive(
    machine: Machine,
    traced: frozenset[int] | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[Array], Status, bool]:
    """Run to the end; traced steps one by one, the others in chunks."""
    parts: list[Array] = []
    total, size = machine.program.cycle_count, 1
    steps = machine.program.steps
    try:
        while not machine.over:
            begin = time.perf_counter()
            at = int(machine.place[0])
            keep = traced is None or machine.next_cycle in traced
            stop = at + 1 if keep else _untraced(steps, at, size, traced or frozenset())
            status = machine.advance(stop, sampling=keep)
            if keep:
                parts.append(machine.sampled())
            if status != Status.OK:
                return parts, status, False
            took = time.perf_counter() - begin
            size = max(1, min(100_000, int(size * min(4.0, CHUNK_SECOND / took))))
            if progress is not None:
                done = total if machine.over else machine.next_cycle - 1
                progress(done, total)
    except KeyboardInterrupt:
        return parts, Status.OK, True
    return parts, Status.OK, False


def _untraced(steps: Array, at: int, size: int, traced: frozenset[int]) -> int:
    """Where a chunk of at most `size` steps without a traced cycle ends."""
    stop = min(at + size, steps.shape[0])
    if not traced:
        return stop
    cycles = steps[at:stop, Ask.CYCLE]
    hits = np.isin(cycles, np.fromiter(traced, np.float64))
    return at + int(np.argmax(hits)) if hits.any() else stop
