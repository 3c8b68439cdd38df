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
    """

    start_rows: Rows
    stop_rows: Rows
    charged_rows: Rows
    kinds: Rows
    ageing_kind: int
    alike_until: Rows

    @classmethod
    def of(cls, program: Program) -> Blocks:
        """From a program written out."""
        cycles = program.steps[:, Ask.CYCLE].astype(np.int64)
        count = int(cycles[-1])
        numbers = np.arange(1, count + 1)
        start = np.searchsorted(cycles, numbers, side="left")
        stop = np.searchsorted(cycles, numbers, side="right")
        charging = (program.steps[:, Ask.MODE] == float(Mode.CURRENT)) & (
            program.steps[:, Ask.VALUE] > 0.0
        )
        holding = program.steps[:, Ask.MODE] == float(Mode.VOLTAGE)
        charged = np.array(
            [
                _after_charge(charging, holding, a, b)
                for a, b in zip(start, stop, strict=True)
            ]
        )
        kinds = _kinds(program, start, stop)
        ageing = int(np.bincount(kinds).argmax())
        turns = (
            np.flatnonzero(np.diff(kinds)) + 1
        )  # cycles after which the kind changes
        ends = np.append(turns, count)
        alike = ends[np.searchsorted(ends, numbers)]
        return cls(start, stop, charged, kinds, ageing, alike)

    @property
    def count(self) -> int:
        """Number of cycles."""
        return int(self.kinds.size)

    @property
    def reference_cycle(self) -> int:
        """Cycle that retention is relative to: the first of the ageing.

        That is the first cycle of the kind of most cycles, in the first run of equal
        ones that is at least half as long as the longest: not a step of a rate test
        that happens to have the same rate.
        """
        mine = np.flatnonzero(self.kinds == self.ageing_kind)
        begins = np.flatnonzero(np.diff(mine, prepend=mine[0] - 2) > 1)
        lengths = np.diff(np.append(begins, mine.size))
        long = int(np.argmax(2 * lengths >= lengths.max()))
        return int(mine[begins[long]]) + 1


def _after_charge(
    charging: NDArray[np.bool_], holding: NDArray[np.bool_], start: int, stop: int
) -> int:
    """Row after the last charge of a cycle and the hold that follows; 0: no charge."""
    found = np.flatnonzero(charging[start:stop])
    if not found.size:
        return 0
    after = start + int(found[-1]) + 1
    while after < stop and holding[after]:
        after += 1
    return after


def _kinds(program: Program, start: Rows, stop: Rows) -> Rows:
    """Number of the kind of each cycle, in order of appearance."""
    steps = program.steps.copy()
    steps[:, [Ask.CYCLE, Ask.STEP]] = 0.0
    own = program.skip_to - np.arange(steps.shape[0])  # relative: equal in equal cycles
    seen: dict[bytes, int] = {}
    kinds = np.empty(start.size, np.int64)
    for i, (a, b) in enumerate(zip(start, stop, strict=True)):
        sweeps = tuple(int(r - a) for r in program.sweeps if a <= r < b)
        key = steps[a:b].tobytes() + own[a:b].tobytes() + str(sweeps).encode()
        kinds[i] = seen.setdefault(key, len(seen))
    return kinds
