"""Which cycles of a program are alike, and where they begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.kernels.program import Ask, Mode

if TYPE_CHECKING:
    from equipoise.protocol.expand import Program

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The cycles of a program; arrays over cycles, cycle c at index c - 1.

    Attributes
    ----------
    start_rows, stop_rows
        Rows of the program: from, up to (exclusive).
    charged_rows
        Row after the last charge of the cycle: there the cell is charged.
    kinds
        Number of its kind: cycles of one kind have the same steps.
    ageing_kind
        The kind of most cycles.
    alike_until
        Last cycle of the run of equal cycles that a cycle stands in.
    reference_cycle_count
        Cycle that retention is relative to: the first of the ageing.
    """

    start_rows: Rows
    stop_rows: Rows
    charged_rows: Rows
    kinds: Rows
    ageing_kind: int
    alike_until: Rows
    reference_cycle_count: int

    @classmethod
    def of(cls, program: Program) -> Blocks:
        """From a program written out."""
        cycles = program.steps[:, Ask.CYCLE].astype(np.int64)
        count = int(cycles[-1])
        numbers = np.arange(1, count + 1)
        start = np.searchsorted(cycles, numbers, side="left")
        stop = np.searchsorted(cycles, numbers, side="right")
        kinds = _kinds(program, start, stop)
        ageing = int(np.bincount(kinds).argmax())
        turns = (
            np.flatnonzero(np.diff(kinds)) + 1
        )  # cycles after which the kind changes
        ends = np.append(turns, count)
        alike = ends[np.searchsorted(ends, numbers)]
        return cls(
            start,
            stop,
            _charged_rows(program, start, stop),
            kinds,
            ageing,
            alike,
            _reference_cycle(kinds == ageing),
        )

    @property
    def count(self) -> int:
        """Number of cycles."""
        return int(self.kinds.size)

    @property
    def reference_cycle(self) -> int:
        """The same as `reference_cycle_count`."""
        return self.reference_cycle_count


def _reference_cycle(is_ageing: NDArray[np.bool_]) -> int:
    """First cycle of the ageing.

    It begins the first run of equal cycles that is at least half as long as the
    longest: not a step of a rate test that happens to have the same rate.
    """
    mine = np.flatnonzero(is_ageing)
    begins = np.flatnonzero(np.diff(mine, prepend=mine[0] - 2) > 1)
    lengths = np.diff(np.append(begins, mine.size))
    long = int(np.argmax(2 * lengths >= lengths.max()))
    return int(mine[begins[long]]) + 1


def _charged_rows(program: Program, start: Rows, stop: Rows) -> Rows:
    """Row after the last charge of a cycle and the holds that follow; 0: no charge."""
    mode, rows = program.steps[:, Ask.MODE], np.arange(program.steps.shape[0])
    charging = (mode == float(Mode.CURRENT)) & (program.steps[:, Ask.VALUE] > 0.0)
    last = np.maximum.accumulate(np.where(charging, rows, -1))[stop - 1]
    goes_on = np.append(mode == float(Mode.VOLTAGE), False)
    ends = np.where(goes_on, rows.size, np.append(rows, rows.size))
    after = np.minimum.accumulate(ends[::-1])[::-1][last + 1]
    return np.where(last >= start, np.minimum(after, stop), 0)


def _kinds(program: Program, start: Rows, stop: Rows) -> Rows:
    """Number of the kind of each cycle, in order of appearance."""
    rows = np.arange(program.steps.shape[0])
    sweeps = np.isin(rows, list(program.sweeps))
    own = program.skip_to - rows  # relative: equal in equal cycles
    steps = np.column_stack([program.steps, own, sweeps])
    steps[:, [Ask.CYCLE, Ask.STEP]] = 0.0
    seen: dict[bytes, int] = {}
    kinds = [
        seen.setdefault(steps[a:b].tobytes(), len(seen))
        for a, b in zip(start.tolist(), stop.tolist(), strict=True)
    ]
    return np.array(kinds, np.int64)
