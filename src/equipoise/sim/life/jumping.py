"""Carry slow states over many cycles, and check it by solving cycles again.

symbol   meaning                                                     unit
y        slow states: ln active, ln contact, film2, ln path per        -
         column, lithium, isolated and slipped charge, memories
g        change of y in one solved cycle                              per cycle
n        cycles jumped over; m: between the two rates known before    1

After a solved cycle N with rate g(N), and g(N - m) from before, the rate of the next
n cycles is extrapolated linearly and summed. Then `SETTLING` cycles are solved, the
last of them gives g(N + n + SETTLING). The parabola through the three rates gives a
better sum; the state is corrected by the difference, and the difference over the sum
is the error estimate. If it is beyond the tolerance, the jump is taken back and tried
with fewer cycles. An error of a rate of 1 % is one of 1 % in the cycles it takes: the
tolerance is that of the cycle life.

Only states that change slowly are extrapolated. The lithium fractions of the
positive stay, the negative takes up the change of the lithium inventory, and the
settling cycles bring both to where the worn cell runs. While particles are isolated
charged, lithium is taken from where it has been going from cycle to cycle: slow
particles would not find there in two.

References
----------
Kirchgraber, Numer. Math. 53 (1988) (multirevolution methods, the idea); the
scheme is an Adams-Bashforth step with a variable-step Adams-Moulton correction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.ageing.wear import Row
from equipoise.sim.life.ageing_cell import SETTLING
from equipoise.spec.frozen import Frozen

if TYPE_CHECKING:
    from equipoise.sim.life.ageing_cell import AgedState, AgeingCell, Ends

Array = NDArray[np.float64]
FIRST_CYCLES = 6
"""Cycles solved at the start of a run of equal ones, before the first jump."""
FIRST_LENGTH = 4
_MOST_GROWTH, _LEAST_GROWTH, _SAFETY = 2.0, 0.3, 0.9


class Jump(Frozen):
    """How far slow states may be carried.

    Attributes
    ----------
    tolerance_fraction
        Estimated relative error of the wear in one jump, and so of the cycle life.
    most_count
        Cycles of one jump at the most.
    """

    tolerance_fraction: Annotated[float, Field(gt=0.0, le=0.2, strict=True)] = 0.005
    most_count: Annotated[int, Field(ge=2, le=100_000, strict=True)] = 200


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A jump not yet confirmed."""

    state: AgedState
    slow: Array
    rate: Array
    before: Array
    past: int  # m
    length: int  # n
    sum: Array
    cycle_second: float  # duration of the cycle before the jump
    drift: Ends | None  # where lithium came from and went to


class Jumper:
    """Decides after every solved cycle whether and how far to jump."""

    def __init__(self, cell: AgeingCell, jump: Jump) -> None:
        self.cell, self.jump = cell, jump
        self.length = FIRST_LENGTH
        self.trial: Trial | None = None
        self.node: tuple[int, Array] | None = None  # cycle and rate of the last node
        self.since = 0  # cycles solved since the last jump, or since cycles are equal
        self.before: Array | None = None  # slow states one cycle ago
        self.ends: Ends | None = None  # lithium fractions one cycle ago
        self.drift: Ends | None = None  # their change per cycle, mean of some nodes
        self.scale = _scale(cell)
        self.kind = -1
        self.taken_back_count = 0

    def solved(self, stop_before: int) -> bool:
        """After each solved cycle; jumps, if it can, to before cycle `stop_before`.

        Returns whether the solved cycle stands: not when a jump was taken back.
        """
        cell = self.cell
        kind = int(cell.blocks.kinds[cell.cycle - 1])
        now = slow_states(cell)
        if kind != self.kind:
            self.kind, self.since, self.node, self.before = kind, 0, None, None
            self.length = FIRST_LENGTH
        if self.before is not None and self.before.size != now.size:
            self.before, self.node, self.since = None, None, 0  # a new memory
        rate = None if self.before is None else now - self.before
        self.before = now
        self.since += 1
        ends, self.ends = self.ends, cell.ends()
        if rate is None:
            return True
        if self.trial is not None:
            if self.since < SETTLING:
                return True
            if not self._confirmed(self.trial, rate):
                return False
            now = self.before
            assert now is not None
        elif self.since < FIRST_CYCLES:
            if self.since == FIRST_CYCLES - 3:
                self.node = (cell.cycle, rate)
            return True
        self._drifted(ends)
        self._next(now, rate, stop_before)
        return True

    def _drifted(self, ends: Ends | None) -> None:
        """Note where lithium moves, while particles take it along when charged.

        The mean with what was known damps the slow particles, which follow a jump
        for tens of cycles.
        """
        if ends is None or self.ends is None or not self.cell.wear.waits:
            self.drift = None
            return
        new = (self.ends[0] - ends[0], self.ends[1] - ends[1])
        if self.drift is not None:
            new = (0.5 * (new[0] + self.drift[0]), 0.5 * (new[1] + self.drift[1]))
        self.drift = new

    def failed(self) -> bool:
        """After a cycle that could not be solved: whether a jump is to blame.

        It is taken back, and tried shorter; the shortest is not tried again before
        some cycles more are solved.
        """
        trial = self.trial
        if trial is None:
            return False
        if trial.length > 2:
            self._take_back(trial, 0.25)
            return True
        self.cell.restore(trial.state)
        self.trial, self.taken_back_count = None, self.taken_back_count + 1
        self.before, self.node, self.since = trial.slow, None, 0
        self.ends, self.drift = None, trial.drift
        self.length = FIRST_LENGTH
        return True

    def overshot(self, most: int) -> bool:
        """Take the last jump back if it was longer than `most` cycles."""
        if self.trial is None or self.trial.length <= max(most, 2):
            return False
        self._take_back(self.trial, 0.25)
        return True

    def _confirmed(self, trial: Trial, rate: Array) -> bool:
        """Correct the jump, or take it back."""
        n, m, S = trial.length, trial.past, trial.length + SETTLING
        ahead, behind = (rate - trial.rate) / S, (trial.rate - trial.before) / m
        c = (ahead - behind) / (S + m)
        b = ahead - c * S
        better = (
            n * trial.rate + b * n * (n + 1) / 2 + c * n * (n + 1) * (2 * n + 1) / 6
        )
        difference = better - trial.sum
        worn = _norm(better, self.scale)
        off = _norm(difference, self.scale) / worn if worn > 0.0 else 0.0
        tolerance = self.jump.tolerance_fraction
        grow = _SAFETY * (tolerance / max(off, 1e-12)) ** 0.5
        if not off <= 2.0 * tolerance and n > 2:
            self._take_back(trial, min(max(grow, 0.1), 0.5))
            return False
        self.length = round(n * min(max(grow, _LEAST_GROWTH), _MOST_GROWTH))
        self.node = (trial.state.cycle_count, trial.rate)
        self.trial = None
        self.cell.shift_time(0.5 * n * (self.cell.cycle_second() - trial.cycle_second))
        assert self.before is not None
        self.before = set_slow_states(self.cell, self.before + difference)
        return True

    def _take_back(self, trial: Trial, ratio: float) -> None:
        self.cell.restore(trial.state)
        self.trial, self.taken_back_count = None, self.taken_back_count + 1
        self.before, self.drift = trial.slow, trial.drift
        self.length = max(int(trial.length * ratio), 2)
        self._go(trial.slow, trial.rate, trial.before, trial.past)

    def _next(self, now: Array, rate: Array, stop_before: int) -> None:
        cell = self.cell
        assert self.node is not None
        past = cell.cycle - self.node[0]
        alike = int(cell.blocks.alike_until[cell.cycle - 1])
        room = min(alike, stop_before - 1) - cell.cycle - SETTLING
        self.length = min(self.length, self.jump.most_count, room)
        if self.length < 2:
            self.length = 2 if room >= 2 else FIRST_LENGTH
            if room < 2:
                self.node = (cell.cycle - 1, rate) if past < 1 else self.node
                return
        self._go(now, rate, self.node[1], past)

    def _go(self, now: Array, rate: Array, before: Array, past: int) -> None:
        cell, n = self.cell, self.length
        slope = (rate - before) / past
        total = n * rate + slope * (n * (n + 1) / 2)
        second = cell.cycle_second()
        self.trial = Trial(
            cell.state(), now, rate, before, past, n, total, second, self.drift
        )
        self.since, self.ends = 0, None
        cell.skip(n)
        self.before = set_slow_states(cell, now + total, self.drift)


def slow_states(cell: AgeingCell) -> Array:
    """Slow states of a cell at the end of a cycle, see the module."""
    loss = cell.wear.charged_loss
    parts = [
        _transformed(cell.wear.positive, loss["positive"]),
        _transformed(cell.wear.negative, loss["negative"]),
    ]
    totals = [cell.lithium_coulomb(), cell.isolated_coulomb, cell.slipped_coulomb]
    return np.concatenate([*parts, totals, list(cell.wear.memory.values())])


def set_slow_states(cell: AgeingCell, slow: Array, drift: Ends | None = None) -> Array:
    """Make slow states those of the cell; returns them as they then are.

    For `drift` see `AgeingCell.leave`.
    """
    size, whole = cell.wear.positive.size, cell.wear.vector.size
    loss = cell.wear.charged_loss
    wear = np.concatenate(
        [
            _back(slow[:size], loss["positive"]),
            _back(slow[size:whole], loss["negative"]),
        ]
    )
    cell.isolated_coulomb = float(slow[whole + 1])
    cell.slipped_coulomb = float(slow[whole + 2])
    for name, value in zip(list(cell.wear.memory), slow[whole + 3 :], strict=True):
        cell.wear.memory[name] = float(value)
    cell.leave(wear, float(slow[whole]), drift)
    return slow_states(cell)


def _transformed(wear: Array, charged_loss: Array) -> Array:
    """What is to be lost at the next end of charge counts as lost."""
    out = wear.copy()
    logs = [Row.ACTIVE, Row.CONTACT, Row.PATH]
    out[logs] = np.log(wear[logs])
    out[Row.ACTIVE] += np.log1p(-np.minimum(charged_loss, MOST_LOSS))
    out[Row.FILM] = wear[Row.FILM] ** 2
    return out.ravel()


MOST_LOSS = 1.0 - 1e-6


def _back(slow: Array, charged_loss: Array) -> Array:
    out = slow.reshape(len(Row), -1).copy()
    logs = [Row.ACTIVE, Row.CONTACT, Row.PATH]
    out[logs] = np.exp(np.minimum(out[logs], [[0.0], [0.0], [5.0]]))
    out[Row.ACTIVE] /= 1.0 - np.minimum(charged_loss, MOST_LOSS)
    out[Row.FILM] = np.sqrt(np.maximum(out[Row.FILM], 0.0))
    return out.ravel()


_WEIGHT = {Row.ACTIVE: 1.0, Row.CONTACT: 0.3, Row.FILM: 0.0, Row.PATH: 0.3}
"""How much a relative change counts in an error, over one of the active material."""


def _scale(cell: AgeingCell) -> Array:
    """Weights of the slow states in an error estimate."""
    parts: list[Array] = []
    for electrode, wear in zip(
        cell.porous, (cell.wear.positive, cell.wear.negative), strict=True
    ):
        rows = np.zeros_like(wear)
        for row, weight in _WEIGHT.items():
            rows[row] = weight / wear.shape[1]
        j = cell.machine.lowered.one_c_ampere / electrode.area / electrode.width
        j /= float(electrode.column[0].sum())
        rows[Row.FILM] = (j / _FILM_VOLT) ** 2 / wear.shape[1]
        parts.append(rows.ravel())
    whole = cell.lithium_coulomb()
    inventory = [1.0 / whole, 0.0, 0.0] if whole > 0.0 else [0.0] * 3
    return np.concatenate([*parts, inventory])


_FILM_VOLT = 0.3
"""Drop of 1C over a film that weighs like all of the active material."""


def _norm(change: Array, scale: Array) -> float:
    return float(np.abs(change[: scale.size]) @ scale)
