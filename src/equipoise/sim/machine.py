"""A lowered cell with its state, stepped through a program by the kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.status import Status
from equipoise.kernels.program import Ask, End, Sample
from equipoise.kernels.simulate import SCRATCH_SHAPE, Memory, Setting, run
from equipoise.sim.electrode import fresh_field

if TYPE_CHECKING:
    from equipoise.kernels.layout import Field
    from equipoise.protocol.expand import Program
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

    @classmethod
    def of(
        cls,
        lowered: Lowered,
        program: Program,
        stepping: Stepping,
        *,
        sampling: bool = False,
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
        )

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
        status = run(
            self.lowered.positive,
            self.positive,
            self.lowered.negative,
            self.negative,
            self.settings,
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

    def sampled(self) -> Array:
        """Copy of the samples of the last `advance`."""
        return self.trace[: int(self.memory[Memory.SAMPLES])].copy()
