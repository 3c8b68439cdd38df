"""A lowered cell with its state, stepped through a program by the kernels."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SolveError
from equipoise.core.status import Status
from equipoise.kernels.layout import MEAN
from equipoise.kernels.program import Ask, End, Reason, Sample
from equipoise.kernels.side import Side, no_side
from equipoise.kernels.simulate import SCRATCH_SHAPE, Memory, Setting, run
from equipoise.kernels.stepper import mean_lithiation
from equipoise.sim.electrode import fresh_field
from equipoise.sim.impedance.cell_impedance import CellImpedance, Moment, measured
from equipoise.sim.impedance.electrode_impedance import potential_volt

if TYPE_CHECKING:
    from equipoise.kernels.layout import Field
    from equipoise.protocol.expand import Program
    from equipoise.protocol.sweep import Eis
    from equipoise.sim.lower import Lowered
    from equipoise.sim.mesh import Stepping

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """One cell on one program; its arrays are what changes in a simulation.

    Attributes
    ----------
    program
        What to do; `place[0]` is the next of its steps.
    results
        One row per finished step, shape (S, len(End)); `place[1]` are filled.
    memory
        See `kernels.simulate.Memory`.
    name
        Of the cell, for its spectra.
    impedances
        Those measured so far.
    side
        Side reactions, and exposures of the interfaces.
    """

    lowered: Lowered
    program: Program
    settings: Array
    positive: Field
    negative: Field
    results: Array
    trace: Array
    memory: Array
    place: NDArray[np.int64]
    name: str = "cell"
    impedances: list[CellImpedance] = field(default_factory=list[CellImpedance])
    side: Side = field(default_factory=no_side)

    @classmethod
    def of(
        cls,
        lowered: Lowered,
        program: Program,
        stepping: Stepping,
        *,
        sampling: bool = False,
        name: str = "cell",
        side: Side | None = None,
    ) -> Machine:
        """A cell as built at the start of its program.

        With `sampling` there is room for the time series of a step.
        """
        rows = 2 * stepping.most_substeps_count + 1000 if sampling else 1
        settings = np.zeros(len(Setting))
        settings[Setting.TOLERANCE_VOLT] = stepping.tolerance_volt
        settings[Setting.FIRST_FRACTION] = stepping.first_fraction
        settings[Setting.MOST_FRACTION] = stepping.most_fraction
        settings[Setting.SAMPLE_FRACTION] = stepping.sample_fraction
        settings[Setting.MOST_SUBSTEPS] = stepping.most_substeps_count
        settings[Setting.ONE_C_AMPERE] = lowered.one_c_ampere
        settings[Setting.POSITIVE_OHM] = lowered.positive_ohm
        settings[Setting.NEGATIVE_OHM] = lowered.negative_ohm
        memory = np.zeros(len(Memory))
        memory[Memory.BYPASS_COULOMB] = lowered.bypass_coulomb
        memory[[Memory.POSITIVE_DIFFERENCE, Memory.NEGATIVE_DIFFERENCE]] = np.nan
        return cls(
            lowered,
            program,
            settings,
            fresh_field(lowered.positive, lowered.positive_start_fraction),
            fresh_field(lowered.negative, lowered.negative_start_fraction),
            np.zeros((program.steps.shape[0], len(End))),
            np.zeros((rows, len(Sample))),
            memory,
            np.zeros(2, np.int64),
            name,
            side=no_side() if side is None else side,
        )

    def with_side(self, side: Side) -> Machine:
        """The same machine, its arrays shared, with other side reactions."""
        return replace(self, side=side)

    @property
    def over(self) -> bool:
        """Whether the program has come to its end."""
        return int(self.place[0]) >= self.program.steps.shape[0]

    @property
    def next_cycle(self) -> int:
        """Cycle of the next step."""
        return int(self.program.steps[int(self.place[0]), Ask.CYCLE])

    @property
    def finished(self) -> Array:
        """Results of the finished steps."""
        return self.results[: int(self.place[1])]

    def advance(self, stop: int, *, sampling: bool = False) -> Status:
        """Run steps until `stop` (an index into the program), or until one fails."""
        self.memory[Memory.SAMPLES] = 0.0
        self.settings[Setting.SAMPLING] = float(sampling)
        sweeps = self.program.sweeps
        if not sweeps:
            return self._run(stop)
        rows, stop = list(sweeps), min(stop, self.program.steps.shape[0])
        while (at := int(self.place[0])) < stop:
            if at in sweeps:
                status = self._measure(at, sweeps[at])
            else:
                following = bisect_left(rows, at)
                end = rows[following] if following < len(rows) else stop
                status = self._run(min(end, stop))
            if status != Status.OK:
                return status
        return Status.OK

    def _run(self, stop: int) -> Status:
        """Steps without an impedance among them."""
        status = run(
            self.lowered.positive,
            self.positive,
            self.lowered.negative,
            self.negative,
            self.settings,
            self.side,
            self.program.steps,
            self.program.skip_to,
            self.results,
            self.trace,
            self.memory,
            np.zeros(SCRATCH_SHAPE),
            self.place,
            stop,
        )
        return Status(int(status))

    def _measure(self, at: int, sweep: Eis) -> Status:
        """The step `at` of the program: an impedance, and a row without duration."""
        row, done = self.results[int(self.place[1])], int(self.place[1])
        if done:
            row[:] = self.results[done - 1]
        else:
            self._as_built(row)
        second = self.memory[Memory.SECOND]
        row[End.CYCLE] = self.program.steps[at, Ask.CYCLE]
        row[End.STEP] = self.program.steps[at, Ask.STEP]
        row[End.START_SECOND] = row[End.END_SECOND] = second
        row[[End.COULOMB, End.JOULE, End.SUBSTEPS]] = 0.0
        row[End.REASON] = float(Reason.MEASURED)
        cycle = int(row[End.CYCLE])
        moment = Moment(
            f"{self.name} cycle {cycle}",
            cycle,
            int(row[End.STEP]),
            float(second),
            float(self.memory[Memory.AMPERE]),
            float(row[End.POSITIVE_VOLT]),
            float(row[End.NEGATIVE_VOLT]),
        )
        states, now = (self.positive, self.negative), int(self.memory[Memory.NOW])
        self.place[1] += 1
        try:
            found = measured(
                self.lowered, states, now, sweep.frequency_hertz, moment=moment
            )
        except SolveError as error:
            row[End.REASON] = float(Reason.FAILED)
            return error.status
        self.impedances.append(found)
        self.place[0] += 1
        return Status.OK

    def _as_built(self, row: Array) -> None:
        """Potentials and lithium of a cell that has not done a step yet."""
        low = self.lowered
        for electrode, state, volt, mean, surface in (
            (
                low.positive,
                self.positive,
                End.POSITIVE_VOLT,
                End.POSITIVE_LITHIATION,
                End.POSITIVE_SURFACE_LITHIATION,
            ),
            (
                low.negative,
                self.negative,
                End.NEGATIVE_VOLT,
                End.NEGATIVE_LITHIATION,
                End.NEGATIVE_SURFACE_LITHIATION,
            ),
        ):
            row[volt] = potential_volt(electrode, state, state.column[MEAN])[0]
            row[mean] = row[surface] = mean_lithiation(electrode, state, 0)
        row[End.VOLT] = row[End.POSITIVE_VOLT] - row[End.NEGATIVE_VOLT]

    def sampled(self) -> Array:
        """Copy of the samples of the last `advance`."""
        return self.trace[: int(self.memory[Memory.SAMPLES])].copy()
