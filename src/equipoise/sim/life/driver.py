"""Cycle after cycle: traces, copies of the state, jumps, the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.status import Status
from equipoise.kernels.program import Ask
from equipoise.sim.life.ageing_cell import Mark
from equipoise.sim.life.checkpoint import Checkpoint, Snapshot, parts_of
from equipoise.sim.life.jumping import Jumper
from equipoise.sim.life.tables import discharged_coulomb, may_be_reference

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
COPY_SECOND = 0.05
"""What an interruption within a cycle may cost: the last copy to go back to."""
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
        self.reference_cycle: int | None = None  # until one of the ageing discharges
        self.reference_coulomb = float("nan")
        self.level = 1.0 + 2.0 * STATE_STEP  # of the last copy
        self.retention = float("nan")  # of the last ageing cycle
        self.ended = False
        self.checkpoint: Checkpoint | None = None
        self._certain: Snapshot | None = None  # the last moment to go back to
        self._copied = -np.inf
        self._is_between = True  # cycles
        self._visits = self._visited(traced)
        self._told = 0.0

    @property
    def taken_back_count(self) -> int:
        """Jumps that the error control did not accept."""
        return 0 if self.jumper is None else self.jumper.taken_back_count

    def keep(self, path: str | Path, run: tuple[ModelName, Mesh, Stepping]) -> None:
        """Go on from a checkpoint if there is one, and write it from now on.

        To be called before `run`; `run` is what the driver itself does not know.

        Raises
        ------
        StoreError
            If the file is damaged or belongs to another run, or cannot be written.
        """
        self.checkpoint = Checkpoint(path, parts_of(self, run))
        self.checkpoint.resume(self)

    def run(self) -> tuple[Status, bool]:
        """To the end; the status, and whether it was interrupted.

        An interruption within a cycle, or while a jump is on trial, takes the cell
        back to the last certain moment. A disk that is full when a checkpoint is to
        be written is an `EquipoiseWarning`.
        """
        if self.ended:  # a checkpoint of the end
            return Status.OK, False
        cell = self.cell
        try:
            self._settled()
            while not (cell.over or self.ended):
                self._is_between = False
                status = self._cycle()
                if status != Status.OK:
                    self._save(self._certain)
                    return status, False
                self._settled()
                self._tell()
            self._keep_last()
            self._save(Snapshot.of(self, ended=True))
        except KeyboardInterrupt:
            self._go_back()
            self._save(self._certain)
            return Status.OK, True
        return Status.OK, False

    def _settled(self) -> None:
        """Between two cycles: a copy to go back to, and the checkpoint, if due."""
        now = time.monotonic()
        if now - self._copied >= COPY_SECOND:
            self._certain = Snapshot.of(self)
            self._copied = now
        self._is_between = True
        if self.checkpoint is not None and self.checkpoint.is_due(now):
            self.checkpoint.write(self, self._certain or Snapshot.of(self))

    def _go_back(self) -> None:
        """After an interruption: to the last certain moment."""
        if self._is_between:
            self._certain = Snapshot.of(self)
        if self._certain is not None:
            self._certain.bring_back(self)

    def _save(self, moment: Snapshot | None) -> None:
        if self.checkpoint is not None and moment is not None:
            self.checkpoint.write(self, moment)

    def _cycle(self) -> Status:
        cell, jumper = self.cell, self.jumper
        number = cell.cycle + 1
        sampling = self.traced is None or number in self.traced
        status, samples = cell.run_cycle(sampling=sampling)
        if status != Status.OK:
            if jumper is not None and jumper.failed():
                return Status.OK
            del cell.records[self._records_before(number) :]
            found = cell.machine.impedances
            found[:] = [one for one in found if one.cycle_count < number]
            if status == Status.NOT_FINITE:  # what a cell is made of is finite
                return Status.WEAR_NOT_FINITE
            return status
        self.rows_count = int(cell.machine.place[1])
        if sampling:
            self.samples += samples
        if self._worn_out(number):
            return Status.OK
        stands = jumper is None or jumper.solved(self._next_visit(number))
        if stands:
            self._keep_if_fallen()
        return Status.OK

    def _records_before(self, number: int) -> int:
        """How many records belong to cycles before one that failed."""
        numbers = [int(r[0]) for r in self.cell.records]
        return int(np.searchsorted(numbers, number))

    def _worn_out(self, number: int) -> bool:
        """Whether this cycle ended the life, or was taken back."""
        cell, kinds = self.cell, self.cell.blocks.kinds
        if cell.records[-1][Mark.SETTLED] == 0.0:  # judged by the next one
            return False
        reference = self._reference(number)
        if reference is None or kinds[number - 1] != kinds[reference - 1]:
            return False
        retention = cell.discharge_coulomb() / self.reference_coulomb
        self.retention = retention
        if self.until is not None and not retention >= self.until:
            most = int(CLOSE_FRACTION * number)
            if self.jumper is not None and self.jumper.overshot(most):
                return True
            self.ended = True
        return self.ended

    def _reference(self, number: int) -> int | None:
        """The reference cycle, which may be the one just solved; None: not yet."""
        cell = self.cell
        if self.reference_cycle is None and may_be_reference(cell.blocks, number):
            results = cell.machine.results[: self.rows_count]
            if discharged_coulomb(results, number):
                self.reference_cycle = number
                self.reference_coulomb = cell.discharge_coulomb()
        return self.reference_cycle

    def _keep_if_fallen(self) -> None:
        """Keep a copy of the state where the retention has fallen by a step.

        With jumps it is the one that the jump just begun sets out from: the last
        that is certain.
        """
        if not self.retention < self.level - STATE_STEP:
            return
        trial = None if self.jumper is None else self.jumper.trial
        begun = self.jumper is not None and self.jumper.since == 0
        if trial is not None and not begun:
            return  # on the way: not certain yet
        self.level = self.retention
        self.states.append(self.cell.state() if trial is None else trial.state)

    def _keep_last(self) -> None:
        """The last state is kept too."""
        if not self.states or self.states[-1].cycle_count != self.cell.cycle:
            self.states.append(self.cell.state())

    def _visited(self, traced: frozenset[int] | None) -> NDArray[np.int64]:
        """Cycles that must be solved, sorted."""
        program = self.cell.machine.program
        measured = {int(program.steps[r, Ask.CYCLE]) for r in program.sweeps}
        return np.array(sorted(measured | set(traced or ())), np.int64)

    def _next_visit(self, number: int) -> int:
        """The next cycle after `number` that must be solved.

        That is each one as long as the reference is looked for.
        """
        looks = number >= self.cell.blocks.reference_cycle
        if looks and self.reference_cycle is None:
            return number + 1
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
