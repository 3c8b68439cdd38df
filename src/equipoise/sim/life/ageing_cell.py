"""A cell on a program that wears from cycle to cycle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.ageing.reading import Reading
from equipoise.ageing.wear import Wear
from equipoise.core.status import Status
from equipoise.kernels.layout import (
    CAPACITY,
    HIGHEST,
    LOWEST,
    MEAN,
)
from equipoise.kernels.program import End
from equipoise.kernels.side import At, Law, Reads, Side, Watch
from equipoise.kernels.simulate import Memory
from equipoise.kernels.wear import below, is_finite, means, put_on
from equipoise.sim.life.blocks import Blocks
from equipoise.sim.life.surroundings import Surroundings
from equipoise.sim.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from equipoise.ageing.ageing import Ageing
    from equipoise.ageing.reading import Exposure, SideReaction
    from equipoise.kernels.layout import Field, Porous
    from equipoise.protocol.expand import Program
    from equipoise.sim.lower import Lowered
    from equipoise.sim.mesh import Stepping
    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]
SETTLING = 2
"""Cycles solved after a jump: one to settle, one to measure the rate."""
_AT = {"positive": At.POSITIVE, "negative": At.NEGATIVE, "both": At.BOTH}
_READS = {"positive": Reads.POSITIVE, "negative": Reads.NEGATIVE, "cell": Reads.CELL}
_LITHIUM = (MEAN, MEAN + 1)
_SIDES = slice(End.POSITIVE_SIDE_COULOMB, End.NEGATIVE_SIDE_COULOMB + 1)


class Mark(IntEnum):
    """Columns of the record of a cycle: its wear at the end, what went on in it."""

    CYCLE = 0
    POSITIVE_ACTIVE = 1
    POSITIVE_CONTACT = 2
    POSITIVE_FILM = 3  # ohm m2 of interface, on top of that as built
    POSITIVE_PATH = 4
    NEGATIVE_ACTIVE = 5
    NEGATIVE_CONTACT = 6
    NEGATIVE_FILM = 7
    NEGATIVE_PATH = 8
    STRAIN = 9  # percent, volume swing of the positive
    H2H3 = 10  # coulomb beyond the onset
    LITHIUM = 11  # coulomb, in what is still connected
    ISOLATED = 12  # coulomb, lithium in what is not, so far
    SLIPPED = 13  # coulomb, side reactions: lithium gained, so far
    POSITIVE_SIDE = 14  # coulomb, in the cycle
    NEGATIVE_SIDE = 15
    SETTLED = 16  # 0: the first cycle after a jump, it still settles


_POSITIVE = slice(Mark.POSITIVE_ACTIVE, Mark.POSITIVE_PATH + 1)
_NEGATIVE = slice(Mark.NEGATIVE_ACTIVE, Mark.NEGATIVE_PATH + 1)


Ends = tuple[Array, Array]
"""Numbers per column of the positive and of the negative."""
_MOST_TIMES = 20


@dataclass(frozen=True, slots=True, eq=False)
class AgedState:
    """A cell at the end of a cycle: all that is needed to go on from there."""

    cycle_count: int
    positive: Field
    negative: Field
    memory: Array
    wear: Array
    charged_loss: tuple[Array, Array]
    notes: dict[str, float]
    isolated_coulomb: float
    slipped_coulomb: float
    place: NDArray[np.int64]
    laws: Array
    records_count: int


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Views of the rows of one electrode that are read or set in every cycle.

    Attributes
    ----------
    mean, extremes
        Lithium fractions, now and one step back; lowest and highest.
    nodes
        Node of each column.
    """

    capacity: Array
    mean: Array
    extremes: Array
    nodes: NDArray[np.int64]
    area: float

    @classmethod
    def of(cls, electrode: Porous, field: Field) -> _Rows:
        """Of an electrode and its state."""
        return cls(
            electrode.column[CAPACITY],
            field.column[MEAN : MEAN + 2],
            field.column[LOWEST : HIGHEST + 1],
            np.arange(electrode.column.shape[1]) % electrode.nodes,
            electrode.area,
        )


class AgeingCell:
    """A `Machine` whose electrodes wear at the end of each cycle."""

    def __init__(
        self,
        cell: Cell,
        lowered: Lowered,
        program: Program,
        stepping: Stepping,
        ageing: Ageing,
        *,
        sampling: bool = False,
    ) -> None:
        self.cell, self.ageing, self.blocks = cell, ageing, Blocks.of(program)
        wanted = tuple(e for m in ageing.mechanisms for e in m.exposures())
        self.exposures: tuple[Exposure, ...] = tuple(dict.fromkeys(wanted))
        nodes = max(lowered.positive.nodes, lowered.negative.nodes)
        columns = [e.column.shape[1] for e in (lowered.positive, lowered.negative)]
        self.wear = Wear(columns[0], columns[1])
        self.around = {
            side: Surroundings.of(cell, lowered, side)
            for side in ("positive", "negative")
        }
        self.machine = Machine.of(
            lowered,
            program,
            stepping,
            sampling=sampling,
            name=cell.spec.name,
            side=Side(
                np.zeros((0, len(Law))),
                _watches(self.exposures),
                np.zeros((2, len(self.exposures), nodes)),
            ),
        )
        self.built = (lowered.positive.column.copy(), lowered.negative.column.copy())
        self.rows = tuple(
            _Rows.of(e, f) for e, f in zip(self.porous, self.fields, strict=True)
        )
        self.seen = (  # views: they show the cycle just solved
            self.around["positive"].reading(self.fields[0]),
            self.around["negative"].reading(self.fields[1]),
        )
        self.isolated_coulomb = self.slipped_coulomb = 0.0
        self.records: list[Array] = []
        self.has_jumped = False
        self._left_coulomb = self.lithium_coulomb()  # at the end of the last cycle
        self._reactions: list[SideReaction] | None = None  # those that flow; None: any
        fresh = self._reading(0, 0.0, 0.0, 0.0)
        for mechanism in ageing.mechanisms:
            mechanism.check(fresh)
        self._react(fresh)

    @property
    def porous(self) -> tuple[Porous, Porous]:
        """The electrodes, worn."""
        return self.machine.lowered.positive, self.machine.lowered.negative

    @property
    def fields(self) -> tuple[Field, Field]:
        """Their states."""
        return self.machine.positive, self.machine.negative

    @property
    def cycle(self) -> int:
        """Cycles that are over (solved or jumped)."""
        at = int(self.machine.place[0])
        return int(self.blocks.stop_rows.searchsorted(at, side="right"))

    @property
    def over(self) -> bool:
        """Whether the program has come to its end."""
        return self.machine.over

    def run_cycle(self, *, sampling: bool = False) -> tuple[Status, list[Array]]:
        """Solve the next cycle and let it wear the cell; samples if asked for."""
        machine, number = self.machine, self.cycle
        stop, row = int(self.blocks.stop_rows[number]), int(machine.place[1])
        second = float(machine.memory[Memory.SECOND])
        now = int(machine.memory[Memory.NOW])
        machine.side.exposed[:] = 0.0
        for rows in self.rows:
            rows.extremes[:] = rows.mean[now]
        samples: list[Array] = []
        charged = int(self.blocks.charged_rows[number])
        waits = bool(charged) and self.wear.waits
        stops = [charged, stop] if waits else [stop]
        if sampling:
            stops = list(range(int(machine.place[0]) + 1, stop + 1))
        for end in stops:
            if int(machine.place[0]) >= end:
                continue
            status = machine.advance(end, sampling=sampling)
            if sampling:
                samples.append(machine.sampled())
            if status != Status.OK:
                return status, samples
            if end == charged and waits:
                self._let_go(self.wear.lose_charged)
        done = machine.results[row : int(machine.place[1]), _SIDES]
        reading = self._reading(
            number + 1,
            float(machine.memory[Memory.SECOND]) - second,
            *np.add.reduce(done).tolist(),
        )
        self._age(reading)
        self.records.append(self._marks(reading))
        finite = is_finite(self.wear.vector)
        return (Status.OK if finite else Status.WEAR_NOT_FINITE), samples

    def discharge_coulomb(self) -> float:
        """Discharge of the last cycle."""
        rows = self._last_rows()[:, End.COULOMB]
        return -float(np.minimum(rows, 0.0).sum())

    def _last_rows(self) -> Array:
        """Results of the last cycle."""
        results = self.machine.results[: int(self.machine.place[1])]
        first = results.shape[0] - 1
        while first and results[first - 1, End.CYCLE] == results[-1, End.CYCLE]:
            first -= 1
        return results[first:]

    def lithium_coulomb(self) -> float:
        """Lithium in the connected active material of both electrodes."""
        now, total = int(self.machine.memory[Memory.NOW]), 0.0
        for row in self.rows:
            total += float(row.capacity.dot(row.mean[now])) * row.area
        return total

    def ends(self) -> Ends:
        """Lithium fraction of every column of both electrodes, as it is now."""
        now = MEAN + int(self.machine.memory[Memory.NOW])
        positive, negative = (field.column[now].copy() for field in self.fields)
        return positive, negative

    def leave(
        self, wear: Array, lithium_coulomb: float, drift: Ends | None = None
    ) -> None:
        """Set the wear, and the lithium of both electrodes to `lithium_coulomb`.

        With a `drift` (change of the lithium fraction per column) lithium comes and
        goes in proportion to it. What is left then, or all without a drift, is taken
        up by the negative, whose columns are shifted alike.
        """
        self.wear.vector[:] = wear
        self._apply()
        missing = lithium_coulomb - self.lithium_coulomb()
        if drift is not None:
            self._shift(self._along(drift, missing))
            missing = lithium_coulomb - self.lithium_coulomb()
        negative = self.porous[1]
        whole = float(negative.column[CAPACITY].sum()) * negative.area
        self._shift((np.zeros(1), np.full(1, missing / whole)))

    def _shift(self, shifts: Ends) -> None:
        """Add to the lithium fractions of all columns of both electrodes."""
        for field, shift in zip(self.fields, shifts, strict=True):
            field.x[:] += shift
            for rows in (_LITHIUM, (LOWEST, HIGHEST)):
                field.column[list(rows)] += shift

    def _along(self, drift: Ends, missing: float) -> Ends:
        """Shifts along a drift that make up for missing lithium, or for most of it.

        Columns that drift the other way only relax: they stay. No column goes further
        than half of its way to empty or full; what it cannot take the others do.
        """
        ends = self.ends()
        paths = tuple(np.where(d * missing > 0.0, d, 0.0) for d in drift)
        times, shifts = 1.0, (np.zeros_like(drift[0]), np.zeros_like(drift[1]))
        for _ in range(_MOST_TIMES):
            first, second = (
                np.clip(times * d, -0.5 * x, 0.5 * (1.0 - x))
                for d, x in zip(paths, ends, strict=True)
            )
            shifts = (first, second)
            made = sum(
                float(e.column[CAPACITY] @ d) * e.area
                for e, d in zip(self.porous, shifts, strict=True)
            )
            if made == 0.0 or abs(missing / made - 1.0) < 1e-6:
                break
            times *= missing / made
        return shifts

    def cycle_second(self) -> float:
        """Duration of the last cycle."""
        last = self._last_rows()
        return float(last[-1, End.END_SECOND] - last[0, End.START_SECOND])

    def shift_time(self, second: float) -> None:
        """Move the clock, and the cycles solved since the last jump with it."""
        machine = self.machine
        done = machine.results[: int(machine.place[1])]
        since = self.records[-SETTLING][Mark.CYCLE]
        rows = done[:, End.CYCLE] >= since
        done[np.ix_(rows, [End.START_SECOND, End.END_SECOND])] += second
        machine.memory[Memory.SECOND] += second

    def skip(self, cycles: int) -> None:
        """Pass over cycles equal to the one just solved: place and time only."""
        machine, number = self.machine, self.cycle
        second = self.cycle_second()
        machine.place[0] = self.blocks.stop_rows[number + cycles - 1]
        self.has_jumped = True
        machine.memory[Memory.SECOND] += cycles * second

    def state(self) -> AgedState:
        """Copy of everything that changes."""
        machine, wear = self.machine, self.wear
        loss = wear.charged_loss
        return AgedState(
            self.cycle,
            _copied(machine.positive),
            _copied(machine.negative),
            machine.memory.copy(),
            wear.vector.copy(),
            (loss["positive"].copy(), loss["negative"].copy()),
            dict(wear.memory),
            self.isolated_coulomb,
            self.slipped_coulomb,
            machine.place.copy(),
            machine.side.laws.copy(),
            len(self.records),
        )

    def restore(self, state: AgedState) -> None:
        """Go back, or on, to a copy."""
        machine, wear = self.machine, self.wear
        for field, kept in zip(
            self.fields, (state.positive, state.negative), strict=True
        ):
            for array, copy in zip(field, kept, strict=True):
                array[:] = copy
        machine.memory[:], machine.place[:] = state.memory, state.place
        wear.vector[:] = state.wear
        wear.charged_loss["positive"][:] = state.charged_loss[0]
        wear.charged_loss["negative"][:] = state.charged_loss[1]
        wear.memory.clear()
        wear.memory.update(state.notes)
        self.isolated_coulomb = state.isolated_coulomb
        self.slipped_coulomb = state.slipped_coulomb
        self._set_laws(state.laws)
        self._reactions = None
        del self.records[state.records_count :]
        self.has_jumped = False
        self._apply()

    def _reading(
        self, cycle: int, second: float, positive_side: float, negative_side: float
    ) -> Reading:
        exposed = self.machine.side.exposed
        whole: dict[Exposure, Array] = {}
        for i, exposure in enumerate(self.exposures):
            row = self.rows[0 if exposure.side == "positive" else 1]
            whole[exposure] = exposed[0, i, row.nodes]
        spec = self.cell.spec
        return Reading(
            cycle,
            second,
            float(spec.temperature_celsius),
            spec.stack_pressure_mpa,
            self.machine.lowered.one_c_ampere,
            self.seen[0],
            self.seen[1],
            positive_side,
            negative_side,
            whole,
        )

    def _age(self, reading: Reading) -> None:
        self.slipped_coulomb += (
            reading.positive_side_coulomb - reading.negative_side_coulomb
        )

        def advance() -> None:
            for mechanism in self.ageing.mechanisms:
                mechanism.advance(reading, self.wear)

        with np.errstate(over="ignore", invalid="ignore"):  # the status tells it
            self._let_go(advance)
            self._react(reading)

    def _let_go(self, act: Callable[[], None]) -> None:
        """Change the wear, apply it, and count the lithium that went with particles."""
        before = self.lithium_coulomb()
        act()
        self._apply()
        self._left_coulomb = self.lithium_coulomb()
        self.isolated_coulomb += before - self._left_coulomb

    def _apply(self) -> None:
        """From the wear to the rows of the kernels."""
        both = (self.wear.positive, self.wear.negative)
        for electrode, built, wear in zip(self.porous, self.built, both, strict=True):
            put_on(wear, built, electrode.column)

    def _react(self, reading: Reading) -> None:
        """Side reactions of the next cycle."""
        wanted: list[SideReaction] = []
        for mechanism in self.ageing.mechanisms:
            wanted += mechanism.side_reactions(self.wear, reading)
        if wanted != self._reactions:
            self._set_laws(_laws(wanted))
            self._reactions = wanted

    def _set_laws(self, laws: Array) -> None:
        side = self.machine.side
        if side.laws.shape != laws.shape:
            self.machine = self.machine.with_side(side._replace(laws=laws.copy()))
        else:
            side.laws[:] = laws

    def _marks(self, reading: Reading) -> Array:
        marks = np.empty(len(Mark))
        marks[Mark.CYCLE] = reading.cycle_count
        positive, negative = reading.positive, reading.negative
        means(self.wear.positive, positive.weight_fraction, marks[_POSITIVE])
        means(self.wear.negative, negative.weight_fraction, marks[_NEGATIVE])
        marks[Mark.STRAIN] = np.nan
        if positive.volume_percent is not None:
            swing = positive.volume_swing_percent(
                positive.lowest_fraction, positive.highest_fraction
            )
            marks[Mark.STRAIN] = swing.dot(positive.weight_fraction)
        row, onset = self.rows[0], positive.h2h3_onset_fraction
        beyond = below(row.capacity, positive.lowest_fraction, onset)
        marks[Mark.H2H3] = beyond * row.area
        marks[Mark.LITHIUM] = self._left_coulomb
        marks[Mark.ISOLATED] = self.isolated_coulomb
        marks[Mark.SLIPPED] = self.slipped_coulomb
        marks[Mark.POSITIVE_SIDE] = reading.positive_side_coulomb
        marks[Mark.NEGATIVE_SIDE] = reading.negative_side_coulomb
        marks[Mark.SETTLED] = 0.0 if self.has_jumped else 1.0
        self.has_jumped = False
        return marks


def held_coulomb(electrode: Porous, field: Field, now: int) -> float:
    """Lithium in an electrode, as charge."""
    held = float(electrode.column[CAPACITY] @ field.column[MEAN + now])
    return held * electrode.area


def _copied(field: Field) -> Field:
    return type(field)(*(array.copy() for array in field))


def _watches(exposures: tuple[Exposure, ...]) -> Array:
    rows = np.zeros((len(exposures), len(Watch)))
    for row, e in zip(rows, exposures, strict=True):
        row[Watch.ELECTRODE] = 0.0 if e.side == "positive" else 1.0
        row[Watch.REFERENCE_VOLT] = e.reference_vs_li_volt
        row[Watch.PER_VOLT] = 0.0 if e.width_volt is None else 1.0 / e.width_volt
    return rows


def _laws(wanted: list[SideReaction]) -> Array:
    rows = [
        (
            _AT[r.at],
            r.current_ampere,
            _READS[r.reads],
            r.reference_vs_li_volt,
            0.0 if r.width_volt is None else 1.0 / r.width_volt,
        )
        for r in wanted
    ]
    return np.array(rows, np.float64).reshape(-1, len(Law))
