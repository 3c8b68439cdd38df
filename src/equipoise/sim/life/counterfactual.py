"""An aged cell as it would be without some of its wear, or with an endless negative.

symbol   meaning                                                         unit
L        lithium in the connected material of both electrodes            C
I_p      lithium in the isolated particles of the positive; I_n          C
S        lithium gained by side reactions (slippage), < 0: lost          C

Ageing is frozen: no mechanism acts, no side current flows, and the cycle of the
ageing kind is repeated until its capacity settles. Undoing the isolation of an
electrode gives back its particles and the lithium that went with them, undoing the
slippage takes S away again::

    L(undone) = L + [positive isolation] I_p + [negative isolation] I_n - [slippage] S

so that with everything undone L + I_p + I_n - S is left, the lithium of the cell
before it aged. The reckoning is that of `AgeingCell.leave`: the lithium fractions of
the positive stay, the negative takes up the rest, and cycling finds the balance.

The life counts I_p + I_n, not the parts. With one electrode isolated they are known;
with both, the sum is divided as the lost shares times the lithium fractions at the
ends of charge and discharge are, cycle by cycle and particle by particle
(`Isolated`).

An endless negative has its capacity multiplied by `ENDLESS_RATIO` at unchanged
interface, film and conductivities, and stands at the lithium fraction of the middle
of the reference cycle: it keeps its kinetics and its ohmic drop, and has no tail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.ageing.wear import Row
from equipoise.core.status import Status
from equipoise.kernels.layout import (
    CAPACITY,
    FLUX,
    HIGHEST,
    LOWEST,
    MEAN,
    SURFACE,
)
from equipoise.kernels.program import Ask, End, Mode
from equipoise.kernels.side import Law
from equipoise.kernels.simulate import Memory
from equipoise.protocol.expand import Program
from equipoise.sim.life.ageing_cell import AgeingCell, Mark, held_coulomb
from equipoise.sim.tables import AT_ONCE_SECOND, COULOMB_PER_MAH

if TYPE_CHECKING:
    from collections.abc import Collection

    from equipoise.ageing.wear import Side
    from equipoise.kernels.layout import Field, Porous
    from equipoise.sim.life.ageing_cell import AgedState
    from equipoise.sim.life.life import Life

Array = NDArray[np.float64]
ENDLESS_RATIO = 30.0
"""Capacity of an endless negative over that as built."""
SETTLED_FRACTION = 1e-4
"""Change of the capacity from one cycle to the next at which a cell has settled."""
LEAST_CYCLES, MOST_CYCLES = 3, 20
_ROOM_FRACTION = 0.005
"""A levelled electrode stays so far from empty and full."""
_NOTHING_FRACTION, _CONSERVED_FRACTION = 1e-12, 1e-9


class Cause(StrEnum):
    """What can be undone: a kind of wear of one electrode, or the slippage."""

    POSITIVE_ISOLATION = "positive isolation"
    POSITIVE_CONTACT = "positive contact loss"
    POSITIVE_FILM = "positive film"
    POSITIVE_PATH = "positive diffusion length"
    NEGATIVE_ISOLATION = "negative isolation"
    NEGATIVE_CONTACT = "negative contact loss"
    NEGATIVE_FILM = "negative film"
    NEGATIVE_PATH = "negative diffusion length"
    SLIPPAGE = "slippage"


_WEAR: dict[Cause, tuple[int, Row]] = {
    Cause.POSITIVE_ISOLATION: (0, Row.ACTIVE),
    Cause.POSITIVE_CONTACT: (0, Row.CONTACT),
    Cause.POSITIVE_FILM: (0, Row.FILM),
    Cause.POSITIVE_PATH: (0, Row.PATH),
    Cause.NEGATIVE_ISOLATION: (1, Row.ACTIVE),
    Cause.NEGATIVE_CONTACT: (1, Row.CONTACT),
    Cause.NEGATIVE_FILM: (1, Row.FILM),
    Cause.NEGATIVE_PATH: (1, Row.PATH),
}
"""Electrode (0 positive) and row of its wear."""
_AS_BUILT = {Row.ACTIVE: 1.0, Row.CONTACT: 1.0, Row.FILM: 0.0, Row.PATH: 1.0}


@dataclass(frozen=True, slots=True)
class Settled:
    """The last of the cycles that a frozen cell was put through.

    Attributes
    ----------
    charging_capacity_mah_per_g_positive, discharging_capacity_mah_per_g_positive
        Both > 0, per gram of positive as built. They agree when the cell has settled.
    upper_potential_vs_li_volt
        Of the positive at the end of charge.
    lithium_coulomb
        In the connected material, at the start; with an endless negative that of the
        positive alone.
    change_fraction
        Of the discharge, from the cycle before.
    status
        Not OK: a cycle could not be solved, and the numbers are nan.
    """

    charging_capacity_mah_per_g_positive: float
    discharging_capacity_mah_per_g_positive: float
    upper_potential_vs_li_volt: float
    lithium_coulomb: float
    cycle_count: int
    change_fraction: float
    status: Status


class Counterfactuals:
    """Frozen copies of the states of one life.

    Two cells are built, the second with an endless negative; every question puts one
    of them into a state. The life itself does not change.
    """

    def __init__(self, life: Life) -> None:
        self.life = life
        self._isolated = Isolated(life)
        self._program = repeated_cycle(life, MOST_CYCLES)
        self._finite = _frozen(life, self._program, 1.0)
        self._endless = _frozen(life, self._program, ENDLESS_RATIO)
        self._middle_fraction = _middle_fraction(life)

    def causes(self, state: AgedState) -> tuple[Cause, ...]:
        """What there is to undo in a state."""
        found = [
            cause
            for cause, (electrode, row) in _WEAR.items()
            if (self._parts(state.wear)[electrode][row] != _AS_BUILT[row]).any()
        ]
        if state.slipped_coulomb != 0.0:
            found.append(Cause.SLIPPAGE)
        return tuple(found)

    def lithium_coulomb(
        self, state: AgedState, undone: Collection[Cause] = ()
    ) -> float:
        """Lithium in the connected material with some causes undone."""
        now, wear = int(state.memory[Memory.NOW]), self._parts(state.wear)
        held = 0.0
        fields = (state.positive, state.negative)
        for built, field, worn in zip(self._built, fields, wear, strict=True):
            column = built.column.copy()
            column[CAPACITY] *= worn[Row.ACTIVE]
            held += held_coulomb(built._replace(column=column), field, now)
        positive, negative = self._isolated.until(state)
        if Cause.POSITIVE_ISOLATION in undone:
            held += positive
        if Cause.NEGATIVE_ISOLATION in undone:
            held += negative
        return held - (state.slipped_coulomb if Cause.SLIPPAGE in undone else 0.0)

    def run(
        self,
        state: AgedState,
        *,
        undone: Collection[Cause] = (),
        endless_negative: bool = False,
    ) -> Settled:
        """Cycle a frozen copy of a state until it has settled.

        Parameters
        ----------
        undone
            Causes taken away, with the lithium that belongs to them.
        endless_negative
            With a negative that stays on its plateau.
        """
        wear = state.wear.copy()
        for cause in undone:
            if cause in _WEAR:
                electrode, row = _WEAR[cause]
                self._parts(wear)[electrode][row] = _AS_BUILT[row]
        if endless_negative:
            cell = self._endless
            cell.restore(replace(_still(state), wear=wear))
            _level(cell.fields[1], self._middle_fraction)
            held = held_coulomb(cell.porous[0], cell.fields[0], _now(cell))
        else:
            cell = self._finite
            wanted = self.lithium_coulomb(state, undone)
            cell.restore(_still(state))
            cell.leave(wear, wanted)
            _keep_inside(cell)
            held = cell.lithium_coulomb()
            if not abs(held - wanted) <= _CONSERVED_FRACTION * abs(wanted):
                return _unsolved(held, 0, Status.BEYOND_LITHIUM)
        return _settle(cell, held, self.life.lowered.positive_mass_g)

    def reserve_mah_per_g_positive(
        self, state: AgedState, *, undone: Collection[Cause] = ()
    ) -> float:
        """Charge that the tail of the negative holds back in a state."""
        endless = self.run(state, undone=undone, endless_negative=True)
        return (
            endless.charging_capacity_mah_per_g_positive
            - self.run(state, undone=undone).charging_capacity_mah_per_g_positive
        )

    @property
    def _built(self) -> tuple[Porous, Porous]:
        return self.life.lowered.positive, self.life.lowered.negative

    def _parts(self, wear: Array) -> tuple[Array, Array]:
        """Views of a wear vector: positive, negative; shape (len(Row), K)."""
        split = len(Row) * self._built[0].column.shape[1]
        return wear[:split].reshape(len(Row), -1), wear[split:].reshape(len(Row), -1)


class Isolated:
    """Which electrode holds how much of the isolated lithium of a life."""

    def __init__(self, life: Life) -> None:
        self._cycles = life.records[:, Mark.CYCLE]
        low = life.lowered
        self._parts = (
            _Lost.of(life, "positive", low.positive),
            _Lost.of(life, "negative", low.negative),
        )

    def until(self, state: AgedState) -> tuple[float, float]:
        """Lithium in the isolated particles of both electrodes, C; its sum is exact."""
        whole = state.isolated_coulomb
        positive, negative = self.estimate_coulomb(state)
        share = positive / (positive + negative) if positive + negative > 0.0 else 1.0
        return whole * share, whole * (1.0 - share)

    def estimate_coulomb(self, state: AgedState) -> tuple[float, float]:
        """What the lost shares alone would say."""
        i = int(np.searchsorted(self._cycles, state.cycle_count, side="right")) - 1
        if i < 0:
            return 0.0, 0.0
        split = len(Row) * state.positive.column.shape[1]
        wear = state.wear[:split], state.wear[split:]
        fields = (state.positive, state.negative)
        positive, negative = (
            float(part.coulomb[i])
            * part.uneven_ratio(field, 1.0 - worn.reshape(len(Row), -1)[Row.ACTIVE])
            for part, field, worn in zip(self._parts, fields, wear, strict=True)
        )
        return positive, negative


@dataclass(frozen=True, slots=True, eq=False)
class _Lost:
    """Lithium that the lost shares of one electrode held.

    `coulomb` sums it up with the mean lithium fractions of the electrode, per solved
    cycle. Particles are lost at an end of charge or of discharge, as the mechanisms
    say with `charged_fraction` (their mean, where there are several).
    """

    coulomb: Array
    capacity: Array  # as built, any unit
    charged_fraction: float
    charging_empties: bool

    @classmethod
    def of(cls, life: Life, side: Side, built: Porous) -> _Lost:
        positive = side == "positive"
        given = [
            float(getattr(m, "charged_fraction", 0.0))
            for m in life.ageing.mechanisms
            if getattr(m, "electrode", None) == side and hasattr(m, "charged_fraction")
        ]
        share = sum(given) / len(given) if given else 0.0
        lithium = End.POSITIVE_LITHIATION if positive else End.NEGATIVE_LITHIATION
        charged, discharged = _ends(life, lithium)
        held = share * charged + (1.0 - share) * discharged
        capacity = built.column[CAPACITY]
        active = Mark.POSITIVE_ACTIVE if positive else Mark.NEGATIVE_ACTIVE
        lost = -np.diff(life.records[:, active], prepend=1.0)
        coulomb = np.cumsum(np.where(np.isfinite(held), lost * held, 0.0))
        whole = float(capacity.sum()) * built.area
        return cls(coulomb * whole, capacity, share, positive)

    def uneven_ratio(self, field: Field, lost: Array) -> float:
        """Lithium of the lost particles over that of the mean, in the last cycle.

        Sizes and depths that cycle further are lost sooner, and differ in lithium.
        """
        charged, discharged = field.column[LOWEST], field.column[HIGHEST]
        if not self.charging_empties:
            charged, discharged = discharged, charged
        held = self.charged_fraction * charged
        held = held + (1.0 - self.charged_fraction) * discharged
        weight = self.capacity * lost
        left = self.capacity * (1.0 - lost)
        if not weight.sum() > 0.0 or not (left @ held) > 0.0:
            return 1.0
        return float((weight @ held) / weight.sum() * left.sum() / (left @ held))


def repeated_cycle(life: Life, count: int) -> Program:
    """The reference cycle of a life over and over, without impedances."""
    program, blocks = life.program, life.blocks
    at = life.reference_cycle - 1
    start, stop = int(blocks.start_rows[at]), int(blocks.stop_rows[at])
    rows = np.arange(start, stop)
    rows = rows[program.steps[rows, Ask.MODE] != float(Mode.IMPEDANCE)]
    one = program.steps[rows]
    next_row = np.searchsorted(rows, np.minimum(program.skip_to[rows], stop))
    size = rows.size
    steps = np.tile(one, (count, 1))
    steps[:, Ask.CYCLE] = np.repeat(np.arange(1, count + 1), size)
    steps[:, Ask.STEP] = np.arange(1, count * size + 1)
    offset = np.repeat(np.arange(count) * size, size)
    return Program(
        name=f"{program.name}, cycle {at + 1} repeated",
        steps=steps,
        labels=tuple(program.labels[r] for r in rows) * count,
        nominal_c_rate=np.tile(program.nominal_c_rate[rows], count),
        skip_to=(np.tile(next_row, count) + offset).astype(np.int64),
        by_safety=np.tile(program.by_safety[rows], count),
    )


def _frozen(life: Life, program: Program, ratio: float) -> AgeingCell:
    """The cell of a life without mechanisms; its negative `ratio` times as large."""
    positive, negative = life.lowered.positive, life.lowered.negative
    column = negative.column.copy()
    column[CAPACITY] *= ratio
    column[FLUX] /= ratio
    lowered = replace(
        life.lowered,
        positive=positive._replace(column=positive.column.copy()),
        negative=negative._replace(column=column),
    )
    still = life.ageing.model_copy(update={"mechanisms": ()})
    return AgeingCell(life.cell, lowered, program, life.stepping, still)


def _still(state: AgedState) -> AgedState:
    """A state at the start of a program, with nothing going on."""
    return replace(
        state,
        charged_loss=tuple(np.zeros_like(loss) for loss in state.charged_loss),
        notes={},
        place=np.zeros_like(state.place),
        laws=np.zeros((0, len(Law))),
        records_count=0,
    )


def _settle(cell: AgeingCell, lithium_coulomb: float, mass_g: float) -> Settled:
    """Cycle until the discharge changes no more."""
    before = change = charge = discharge = upper = float("nan")
    number = 0
    while not cell.over:
        row = int(cell.machine.place[1])
        status, _ = cell.run_cycle()
        number += 1
        if status != Status.OK:
            return _unsolved(lithium_coulomb, number, status)
        done = cell.machine.results[row : int(cell.machine.place[1])]
        charge, discharge, upper = _read(done)
        change = abs(discharge - before) / max(discharge, 1e-12)
        if number >= LEAST_CYCLES and change <= SETTLED_FRACTION:
            break
        before = discharge
    per_gram = 1.0 / (COULOMB_PER_MAH * mass_g)
    return Settled(
        charge * per_gram,
        discharge * per_gram,
        upper,
        lithium_coulomb,
        number,
        change,
        Status.OK,
    )


def _unsolved(lithium_coulomb: float, number: int, status: Status) -> Settled:
    nan = float("nan")
    return Settled(nan, nan, nan, lithium_coulomb, number, nan, status)


def _read(done: Array) -> tuple[float, float, float]:
    """Charge and discharge (C, both > 0) of a cycle, and its upper potential (V)."""
    coulomb = done[:, End.COULOMB]
    lasted = done[:, End.END_SECOND] - done[:, End.START_SECOND] > AT_ONCE_SECOND
    charging = np.flatnonzero((coulomb > 0.0) & lasted)
    upper = float("nan")
    if charging.size:
        upper = float(done[charging[-1], End.POSITIVE_VOLT])
    charge = float(coulomb[charging].sum())
    return charge, float(-coulomb[(coulomb < 0.0) & lasted].sum()), upper


def _keep_inside(cell: AgeingCell) -> None:
    """Bring lithium fractions beyond empty or full back, the lithium unchanged.

    A negative that was moved too far is levelled; what it cannot hold goes to the
    positive. If that cannot hold it either, the lithium is not what was asked for.
    """
    wanted = cell.lithium_coulomb()
    for electrode, field in zip(cell.porous[::-1], cell.fields[::-1], strict=True):
        whole = float(electrode.column[CAPACITY].sum()) * electrode.area
        missing = (wanted - cell.lithium_coulomb()) / whole
        inside = field.x.min() + missing >= 0.0 and field.x.max() + missing <= 1.0
        if inside and abs(missing) < _NOTHING_FRACTION:
            return
        if inside:
            field.x[:] += missing
            field.column[[MEAN, MEAN + 1, LOWEST, HIGHEST]] += missing
        else:
            mean = held_coulomb(electrode, field, _now(cell)) / whole + missing
            _level(field, min(max(mean, _ROOM_FRACTION), 1.0 - _ROOM_FRACTION))


def _level(field: Field, lithium_fraction: float) -> None:
    """Every particle of an electrode at one lithium fraction."""
    field.x[:] = lithium_fraction
    rows = [MEAN, MEAN + 1, LOWEST, HIGHEST, *range(SURFACE, SURFACE + 4)]
    field.column[rows] = lithium_fraction


def _now(cell: AgeingCell) -> int:
    return int(cell.machine.memory[Memory.NOW])


def _middle_fraction(life: Life) -> float:
    """Lithium fraction of the negative half-way through the reference cycle."""
    charged, discharged = _ends(life, End.NEGATIVE_LITHIATION)
    cycles = life.records[:, Mark.CYCLE]
    i = int(np.searchsorted(cycles, life.reference_cycle))
    if i >= cycles.size:
        return life.lowered.negative_start_fraction
    return 0.5 * float(charged[i] + discharged[i])


def _ends(life: Life, lithium: End) -> tuple[Array, Array]:
    """Lithium fraction of an electrode at the ends of charge and of discharge."""
    results = life.results
    wanted = life.records[:, Mark.CYCLE]
    found: list[Array] = []
    for sign in (1.0, -1.0):
        rows = results[sign * results[:, End.COULOMB] > 0.0]
        last = np.searchsorted(rows[:, End.CYCLE], wanted, side="right") - 1
        found.append(
            rows[np.maximum(last, 0), lithium]
            if rows.shape[0]
            else np.full(wanted.size, np.nan)
        )
    return found[0], found[1]
