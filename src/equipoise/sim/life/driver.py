"""Cycle after cycle: traces, copies of the state, jumps, the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.status import Status
from equipoise.kernels.program import Ask
from equipoise.sim.life.jumping import Jumper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from equipoise.sim.life.ageing_cell import AgedState, AgeingCell
    from equipoise.sim.life.jumping import Jump
    from equipoise.sim.mesh import Mesh, ModelName, Stepping

Array = NDArray[np.float64]
STATE_STEP = 0.02
"""Copies of the state are kept each time the retention has fallen by this."""
PROGRESS_SECOND = 0.2
CLOSE_FRACTION = 0.004
"""A jump over the end of life is taken back if it was longer than this share of it."""


class Driver:
    """Runs an `AgeingCell` to the end of its program or of its life."""

    def __init__(
        self,
        cell: AgeingCell,
        jump: Jump | None,
        until_retention: float | None,
        traced: frozenset[int] | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.cell, self.until = cell, until_retention
        self.jumper = None if jump is None or traced is None else Jumper(cell, jump)
        self.traced, self.progress = traced, progress
        self.samples: list[Array] = []
        self.states: list[AgedState] = []
        self.rows_count = 0
        self.reference_coulomb = float("nan")
        self.level = 1.0 + STATE_STEP  # of the last copy
        self.ended = False
        self._visits = self._visited(traced)
        self._told = 0.0

    @property
    def taken_back_count(self) -> int:
        """Jumps that the error control did not accept."""
        return 0 if self.jumper is None else self.jumper.taken_back_count

    def keep(self, path: str | Path, run: tuple[ModelName, Mesh, Stepping]) -> None:
        """Go on from a checkpoint if there is one, and write it from now on."""

    def run(self) -> tuple[Status, bool]:
        """To the end; the status, and whether it was interrupted."""
        cell = self.cell
        try:
            while not (cell.over or self.ended):
                status = self._cycle()
                if status != Status.OK:
                    return status, False
                self._tell()
        except KeyboardInterrupt:
            self._forget_trial()
            return Status.OK, True
        self._keep_last()
        return Status.OK, False

    def _cycle(self) -> Status:
        cell, jumper = self.cell, self.jumper
        number = cell.cycle + 1
        sampling = self.traced is None or number in self.traced
        status, samples = cell.run_cycle(sampling=sampling)
        if status != Status.OK:
            if jumper is not None and jumper.failed():
                return Status.OK
            del cell.records[self._records_before(number) :]
            return status
        self.rows_count = int(cell.machine.place[1])
        if sampling:
            self.samples += samples
        if self._worn_out(number):
            return Status.OK
        if jumper is not None:
            jumper.solved(self._next_visit(number))
        return Status.OK

    def _records_before(self, number: int) -> int:
        """How many records belong to cycles before one that failed."""
        numbers = [int(r[0]) for r in self.cell.records]
        return int(np.searchsorted(numbers, number))

    def _worn_out(self, number: int) -> bool:
        """Keep copies of the state; whether this cycle ended the life, or went back."""
        cell, blocks = self.cell, self.cell.blocks
        if blocks.kinds[number - 1] != blocks.ageing_kind:
            return False
        found = cell.discharge_coulomb()
        if number == blocks.reference_cycle:
            self.reference_coulomb = found
        retention = found / self.reference_coulomb if self.reference_coulomb else 0.0
        if self.until is not None and not retention >= self.until:
            most = int(CLOSE_FRACTION * number)
            if self.jumper is not None and self.jumper.overshot(most):
                return True
            self.ended = True
        if retention < self.level - STATE_STEP and (
            self.jumper is None or self.jumper.trial is None
        ):
            self.level = retention
            self.states.append(cell.state())
        return self.ended

    def _keep_last(self) -> None:
        """The last state is kept too."""
        if not self.states or self.states[-1].cycle_count != self.cell.cycle:
            self.states.append(self.cell.state())

    def _forget_trial(self) -> None:
        """Back to the last cycle that is certain."""
        jumper = self.jumper
        if jumper is not None and jumper.trial is not None:
            self.cell.restore(jumper.trial.state)
            jumper.trial = None
            self.rows_count = int(self.cell.machine.place[1])

    def _visited(self, traced: frozenset[int] | None) -> NDArray[np.int64]:
        """Cycles that must be solved, sorted."""
        program = self.cell.machine.program
        measured = {int(program.steps[r, Ask.CYCLE]) for r in program.sweeps}
        return np.array(sorted(measured | set(traced or ())), np.int64)

    def _next_visit(self, number: int) -> int:
        """The next cycle after `number` that must be solved."""
        i = int(np.searchsorted(self._visits, number, side="right"))
        beyond = self.cell.blocks.count + 1
        return int(self._visits[i]) if i < self._visits.size else beyond

    def _tell(self) -> None:
        now = time.monotonic()
        if self.progress is not None and (
            now - self._told > PROGRESS_SECOND or self.cell.over or self.ended
        ):
            self._told = now
            self.progress(self.cell.cycle, self.cell.blocks.count)
