"""What an aged cell has lost to which cause, and what its reserve gave back.

symbol     meaning                                                        unit
N          causes present; A: some of them, undone                         -
C(A)       discharge of the settled, frozen cell with A undone             mAh/g
phi_i      loss charged to cause i                                         mAh/g
E(A)       the same with an endless negative                              mAh/g
R          reserve, E - C                                                 mAh/g
rho        E(none) / E(N): what the wear leaves of an endless cell         1

The loss C(N) - C(none) is divided by Shapley's rule, the mean over all orders in
which the causes may be undone::

    phi_i = sum over A without i of |A|! (|N| - |A| - 1)! / |N|! (C(A + i) - C(A))

which adds up to the loss exactly, whatever the causes do to each other. How much
they do is told by the range of the differences C(A + i) - C(A).

With an endless negative the same wear leaves the share rho of the discharge. A cell
that fades in proportion, such as one whose particles are lost charged, keeps the same
share: its tail holds back as much of every particle as before. What a cell has above
that was given back by its reserve, and the reserve is spent on three things::

    given back = C(none) - rho C(N)
    gone unused = (1 - rho) R(N)          with the particles it was the reserve of
    left = R(none)
    given back + gone unused + left = R(N)

References
----------
Shapley, in Contributions to the Theory of Games II (Princeton, 1953) 307;
zhang2026 sec. 2.5 and Fig. 7 (compensation line from O to F).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING, cast

import numpy as np

from equipoise.core.errors import SpecError
from equipoise.kernels.program import End
from equipoise.sim.life.ageing_cell import AgedState
from equipoise.sim.life.counterfactual import Cause, Counterfactuals, Settled
from equipoise.sim.life.life import Life
from equipoise.sim.life.tables import discharged_coulomb
from equipoise.sim.tables import COULOMB_PER_MAH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

MOST_CAUSES = 6
"""With more, those of the negative count as one: 2^6 runs for a state at the most."""
NEGATIVE_WEAR = "negative wear"
LEAST_LOSS_FRACTION = 0.003
"""Of the discharge: a smaller loss of the positive has no share to give back."""
NO_LOSS_MAH_PER_G = 0.05
"""Below it a share of the loss is noise of the step control, and nan."""
NO_LINE_FRACTION = 0.01
"""A first reserve below this share of the discharge draws no line from O to F (HB)."""


@dataclass(frozen=True, slots=True)
class CauseShare:
    """What one cause has cost, discharge per gram of positive.

    Attributes
    ----------
    loss_mah_per_g_positive
        By Shapley's rule; the shares of a state add up to its loss.
    lowest_mah_per_g_positive, highest_mah_per_g_positive
        Over all sets of other causes that may have been undone before.
    repaired_alone_mah_per_g_positive
        What undoing only this one would bring (first in).
    acting_alone_mah_per_g_positive
        What it would have cost without all others (last in).
    """

    cause: str
    loss_mah_per_g_positive: float
    lowest_mah_per_g_positive: float
    highest_mah_per_g_positive: float
    repaired_alone_mah_per_g_positive: float
    acting_alone_mah_per_g_positive: float


@dataclass(frozen=True, slots=True)
class Reserve:
    """A state, with and without its wear, as it is and with an endless negative.

    Attributes
    ----------
    unworn, worn
        Everything undone, nothing undone.
    endless_unworn, endless_worn
        The same with an endless negative.
    own_mah_per_g_positive
        Discharge of that cycle in the life itself; nan: not of the ageing kind, or
        not solved.
    """

    cycle_count: int
    unworn: Settled
    worn: Settled
    endless_unworn: Settled
    endless_worn: Settled
    own_mah_per_g_positive: float

    @property
    def loss_mah_per_g_positive(self) -> float:
        """Discharge lost."""
        return _discharge(self.unworn) - _discharge(self.worn)

    @property
    def endless_loss_mah_per_g_positive(self) -> float:
        """Discharge that the same wear costs with an endless negative."""
        return _discharge(self.endless_unworn) - _discharge(self.endless_worn)

    @property
    def endless_retention(self) -> float:
        """What the wear leaves of the discharge with an endless negative."""
        whole = _discharge(self.endless_unworn)
        return _discharge(self.endless_worn) / whole if whole > 0.0 else float("nan")

    @property
    def given_back_mah_per_g_positive(self) -> float:
        """Discharge above that of a fade in proportion; < 0: the negative faded."""
        proportional = self.endless_retention * _discharge(self.unworn)
        return _discharge(self.worn) - proportional

    @property
    def compensation_fraction(self) -> float:
        """Given back over what a fade in proportion would have taken; nan: nothing."""
        share = 1.0 - self.endless_retention
        lost = share * _discharge(self.unworn)
        if not (lost >= NO_LOSS_MAH_PER_G and share >= LEAST_LOSS_FRACTION):
            return float("nan")
        return self.given_back_mah_per_g_positive / lost

    @property
    def at_first_mah_per_g_positive(self) -> float:
        """Reserve without the wear: charge that the tail of the negative holds back."""
        return _charge(self.endless_unworn) - _charge(self.unworn)

    @property
    def gone_unused_mah_per_g_positive(self) -> float:
        """Reserve that went with the positive it was the reserve of."""
        return (1.0 - self.endless_retention) * self.at_first_mah_per_g_positive

    @property
    def left_mah_per_g_positive(self) -> float:
        """Reserve left."""
        return _charge(self.endless_worn) - _charge(self.worn)


@dataclass(frozen=True, slots=True)
class StateLedger:
    """One state: its reserve, and its loss by cause."""

    reserve: Reserve
    shares: tuple[CauseShare, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Ledger:
    """The compensation ledger of a life.

    Attributes
    ----------
    causes
        In the order of the table; those that are present in any of the states.
    reference_mah_per_g_positive
        Discharge of the reference cycle of the life; nan: no cycle discharged.
    interrupted
        The states are only those that were finished, see `ledger_so_far`.
    """

    name: str
    reference_cycle_count: int
    reference_mah_per_g_positive: float
    causes: tuple[str, ...]
    states: tuple[StateLedger, ...]
    interrupted: bool = False

    def __repr__(self) -> str:
        """Cell, and how much is in it."""
        return (
            f"<Ledger of {self.name}: {len(self.states)} states, "
            f"{len(self.causes)} causes{', interrupted' if self.interrupted else ''}>"
        )

    @property
    def table(self) -> pl.DataFrame:
        """One row per state and cause; the losses of a state add up to its own."""
        rows = [
            (s.reserve.cycle_count, share) for s in self.states for share in s.shares
        ]
        return _frame(
            {
                "cycle_count": [cycle for cycle, _ in rows],
                "cause": [share.cause for _, share in rows],
                **{
                    name: [float(getattr(share, name)) for _, share in rows]
                    for name in _SHARE_COLUMNS
                },
            }
        )

    @property
    def reserve(self) -> pl.DataFrame:
        """One row per state: loss, what the reserve gave back, what is left of it.

        `unworn_discharge_...` is the discharge with everything undone;
        `history_...` that less the reference cycle of the life: wear before the
        reference cycle, and a first cycle that has not settled. `unseen_...` is the
        discharge of the settled frozen cell less that of the cycle in the life: side
        currents within a cycle, and the same.
        """
        states = [s.reserve for s in self.states]

        def column(read: Callable[[Reserve], float]) -> list[float]:
            return [float(read(state)) for state in states]

        reference = self.reference_mah_per_g_positive
        return _frame(
            {
                "cycle_count": [s.cycle_count for s in states],
                "loss_mah_per_g_positive": column(lambda s: s.loss_mah_per_g_positive),
                "endless_loss_mah_per_g_positive": column(
                    lambda s: s.endless_loss_mah_per_g_positive
                ),
                "given_back_mah_per_g_positive": column(
                    lambda s: s.given_back_mah_per_g_positive
                ),
                "compensation_fraction": column(lambda s: s.compensation_fraction),
                "reserve_at_first_mah_per_g_positive": column(
                    lambda s: s.at_first_mah_per_g_positive
                ),
                "reserve_gone_unused_mah_per_g_positive": column(
                    lambda s: s.gone_unused_mah_per_g_positive
                ),
                "reserve_left_mah_per_g_positive": column(
                    lambda s: s.left_mah_per_g_positive
                ),
                "upper_potential_vs_li_volt": column(
                    lambda s: s.worn.upper_potential_vs_li_volt
                ),
                "desired_upper_potential_vs_li_volt": column(
                    lambda s: s.endless_worn.upper_potential_vs_li_volt
                ),
                "discharge_mah_per_g_positive": column(lambda s: _discharge(s.worn)),
                "unworn_discharge_mah_per_g_positive": column(
                    lambda s: _discharge(s.unworn)
                ),
                "history_mah_per_g_positive": column(
                    lambda s: _discharge(s.unworn) - reference
                ),
                "unseen_mah_per_g_positive": column(
                    lambda s: _discharge(s.worn) - s.own_mah_per_g_positive
                ),
            }
        )

    @property
    def o_to_f(self) -> pl.DataFrame:
        """See the function `o_to_f`."""
        return _line(
            [s.reserve for s in self.states],
            self.reference_cycle_count,
            self.reference_mah_per_g_positive,
        )


_SHARE_COLUMNS = (
    "loss_mah_per_g_positive",
    "lowest_mah_per_g_positive",
    "highest_mah_per_g_positive",
    "repaired_alone_mah_per_g_positive",
    "acting_alone_mah_per_g_positive",
)


def compensation_ledger(
    life: Life, states: Iterable[AgedState] | None = None
) -> Ledger:
    """Attribute the loss along a life to its causes, and reckon its reserve.

    Each state is cycled with ageing frozen, on the model, mesh and stepping of the
    life: once for every set of causes that may be undone, and twice with an endless
    negative.

    Parameters
    ----------
    states
        Of that life; None: all that it kept.

    Raises
    ------
    SpecError
        If this is no life, or a state is not one of it.
    """
    found = ledger_so_far(life, states)
    if found.interrupted:  # who asks for all of it is not given a part
        raise KeyboardInterrupt
    return found


def ledger_so_far(
    life: Life,
    states: Iterable[AgedState] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Ledger:
    """`compensation_ledger` that an interruption (Ctrl-C) ends, not discards.

    Parameters
    ----------
    states
        Of that life; None: all that it kept.
    progress
        Called with (states finished, states in all).

    Returns
    -------
    Ledger
        After an interruption that of the states that are finished.

    Raises
    ------
    SpecError
        As `compensation_ledger`.
    """
    parts: dict[str, frozenset[Cause]] = {}
    found: list[StateLedger] = []
    interrupted = False
    try:
        runs = _runs_of(life, states)
        parts = _parts({cause for run in runs for cause in run.present})
        for run in runs:
            shares = shapley(run.discharge_without, parts)
            found.append(StateLedger(_reserve(life, run), shares))
            if progress is not None:
                progress(len(found), len(runs))
    except KeyboardInterrupt:
        interrupted = True
    return Ledger(
        life.name,
        life.reference_cycle,
        _reference_mah_per_g_positive(life),
        tuple(parts),
        tuple(found),
        interrupted,
    )


def o_to_f(life: Life, states: Iterable[AgedState] | None = None) -> pl.DataFrame:
    """Follow the compensation line of zhang2026, Fig. 7: upper potential and reserve.

    The first row is O: the first state without its wear, at the reference cycle.

    Returns
    -------
    polars.DataFrame
        `cycle_count`, `upper_potential_vs_li_volt`, `desired_upper_...` (with an
        endless negative and the same wear), `reserve_left_mah_per_g_positive`,
        `discharge_retention` (settled and frozen, over the reference cycle of the
        life) and `position_fraction`: how far the upper potential has come from O (0)
        to the desired one (F, 1); nan where the two are one (HB).

    Raises
    ------
    SpecError
        If this is no life, or a state is not one of it.
    """
    return _line(
        [_reserve(life, run) for run in _runs_of(life, states)],
        life.reference_cycle,
        _reference_mah_per_g_positive(life),
    )


def shapley(
    worth: Callable[[frozenset[Cause]], float], parts: Mapping[str, frozenset[Cause]]
) -> tuple[CauseShare, ...]:
    """Divide ``worth(all) - worth(none)`` among named parts.

    Parameters
    ----------
    worth
        Discharge with a set of causes undone, mAh/g; called once for every union.
    parts
        Causes of each part; no cause is in two of them.
    """
    names = tuple(parts)
    count = len(names)
    known = {
        frozenset(chosen): worth(frozenset[Cause]().union(*(parts[c] for c in chosen)))
        for size in range(count + 1)
        for chosen in combinations(names, size)
    }
    found: list[CauseShare] = []
    for name in names:
        gains = {
            away: known[away | {name}] - worth_away
            for away, worth_away in known.items()
            if name not in away
        }
        mean = sum(
            factorial(len(away)) * factorial(count - len(away) - 1) * gain
            for away, gain in gains.items()
        ) / factorial(count)
        others = frozenset(names) - {name}
        low, high = min(gains.values()), max(gains.values())
        alone, last = gains[frozenset()], gains[others]
        found.append(CauseShare(name, mean, low, high, alone, last))
    return tuple(found)


def own_discharge_mah_per_g_positive(life: Life, cycle: int) -> float:
    """Discharge of a cycle of the ageing kind in the life itself; else nan."""
    solved = bool((life.results[:, End.CYCLE] == cycle).any())
    if not solved or life.blocks.kinds[cycle - 1] != life.ageing_kind:
        return float("nan")
    coulomb = discharged_coulomb(life.results, cycle)
    return coulomb / (COULOMB_PER_MAH * life.lowered.positive_mass_g)


def _reference_mah_per_g_positive(life: Life) -> float:
    """Discharge of the reference cycle; nan: it gave none."""
    return own_discharge_mah_per_g_positive(life, life.reference_cycle) or float("nan")


class _Runs:
    """The frozen runs of one state, each made once."""

    def __init__(self, what_if: Counterfactuals, state: AgedState) -> None:
        self.what_if, self.state = what_if, state
        self.present = frozenset(what_if.causes(state))
        self._known: dict[tuple[frozenset[Cause], bool], Settled] = {}

    def settled(
        self, undone: frozenset[Cause], *, endless_negative: bool = False
    ) -> Settled:
        """With some causes undone; those that are not present change nothing."""
        key = (undone & self.present, endless_negative)
        if key not in self._known:
            self._known[key] = self.what_if.run(
                self.state, undone=key[0], endless_negative=endless_negative
            )
        return self._known[key]

    def discharge_without(self, undone: frozenset[Cause]) -> float:
        """Discharge with some causes undone, mAh/g."""
        return _discharge(self.settled(undone))


def _runs_of(life: Life, states: Iterable[AgedState] | None) -> list[_Runs]:
    chosen = _states_of(life, states)
    if not chosen:
        return []
    what_if = Counterfactuals(life)
    return [_Runs(what_if, state) for state in chosen]


def _states_of(life: object, states: object) -> tuple[AgedState, ...]:
    """The states of a life that are asked for; refuses what is none of them."""
    if not isinstance(life, Life):
        raise SpecError(
            f"{life!r} is not a life",
            where="life",
            remedy="give what life(cell, protocol, ageing) returned",
        )
    if states is None:
        return life.states
    remedy = "give states of this life: life.states, or some of them: life.states[-1:]"
    if isinstance(states, AgedState) or not isinstance(states, Iterable):
        raise SpecError(
            f"states = {type(states).__name__}; several states are expected",
            where="states",
            remedy=remedy,
        )
    chosen = tuple(cast("Iterable[object]", states))
    found: list[AgedState] = []
    for state in chosen:
        if not isinstance(state, AgedState):
            raise SpecError(f"{state!r} is not a state", where="states", remedy=remedy)
        if not any(_is_same(state, own) for own in life.states):
            raise SpecError(
                f"the state of cycle {state.cycle_count} is not one of the life of "
                f"{life.name}",
                where="states",
                remedy=remedy,
            )
        found.append(state)
    return tuple(found)


def _is_same(a: AgedState, b: AgedState) -> bool:
    """Whether two states are one, or copies of one (such as from a checkpoint)."""
    if a is b:
        return True
    return (
        a.cycle_count == b.cycle_count
        and a.isolated_coulomb == b.isolated_coulomb
        and a.slipped_coulomb == b.slipped_coulomb
        and all(
            np.array_equal(one, other, equal_nan=True)
            for one, other in (
                (a.wear, b.wear),
                (a.memory, b.memory),
                (a.positive.x, b.positive.x),
                (a.negative.x, b.negative.x),
            )
        )
    )


def _parts(present: set[Cause]) -> dict[str, frozenset[Cause]]:
    """Causes under the names of the ledger, those of the negative as one if many."""
    ordered = [cause for cause in Cause if cause in present]
    if len(ordered) <= MOST_CAUSES:
        return {cause.value: frozenset({cause}) for cause in ordered}
    together = frozenset(c for c in ordered if c.value.startswith("negative"))
    alone = {c.value: frozenset({c}) for c in ordered if c not in together}
    return {**alone, NEGATIVE_WEAR: together}


def _reserve(life: Life, runs: _Runs) -> Reserve:
    cycle = runs.state.cycle_count
    return Reserve(
        cycle,
        runs.settled(runs.present),
        runs.settled(frozenset()),
        runs.settled(runs.present, endless_negative=True),
        runs.settled(frozenset(), endless_negative=True),
        own_discharge_mah_per_g_positive(life, cycle),
    )


def _line(
    states: Sequence[Reserve], reference_cycle: int, reference_mah_per_g: float
) -> pl.DataFrame:
    points: list[tuple[int, Settled, Settled]] = [
        (s.cycle_count, s.worn, s.endless_worn) for s in states
    ]
    if states:
        first = states[0]
        points.insert(0, (reference_cycle, first.unworn, first.endless_unworn))
    upper = [p[1].upper_potential_vs_li_volt for p in points]
    desired = [p[2].upper_potential_vs_li_volt for p in points]
    reserve = [_charge(p[2]) - _charge(p[1]) for p in points]
    discharge = [_discharge(p[1]) for p in points]
    has_line = bool(points) and reserve[0] >= NO_LINE_FRACTION * discharge[0]
    return _frame(
        {
            "cycle_count": [p[0] for p in points],
            "upper_potential_vs_li_volt": upper,
            "desired_upper_potential_vs_li_volt": desired,
            "reserve_left_mah_per_g_positive": reserve,
            "discharge_retention": [d / reference_mah_per_g for d in discharge],
            "position_fraction": [
                (u - upper[0]) / (d - upper[0]) if has_line else float("nan")
                for u, d in zip(upper, desired, strict=True)
            ],
        }
    )


def _charge(settled: Settled) -> float:
    return settled.charging_capacity_mah_per_g_positive


def _discharge(settled: Settled) -> float:
    return settled.discharging_capacity_mah_per_g_positive


def _frame(columns: dict[str, list[int] | list[str] | list[float]]) -> pl.DataFrame:
    import polars as pl  # 0.5 s: only where a table is made

    kinds = {"cycle_count": pl.Int64, "cause": pl.String}
    schema = {name: kinds.get(name, pl.Float64) for name in columns}
    return pl.DataFrame(columns, schema=schema)
