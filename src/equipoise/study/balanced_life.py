"""The life of a cell with one n/p under one assumption, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.sim.life.counterfactual import Counterfactuals
from equipoise.sim.life.ledger import Reserve, own_discharge_mah_per_g_positive
from equipoise.study.balancing_choices import Assumption

if TYPE_CHECKING:
    from equipoise.sim.life.life import Life
    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BalancedLife:
    """The life of a cell with one n/p under one assumption, in numbers.

    Attributes
    ----------
    upper_volt
        Upper cut-off of the cell.
    first_discharging_capacity_mah_per_g_positive
        And the potentials: in the reference cycle.
    lowest_negative_potential_vs_li_volt
        At an end of charge, in the whole life.
    cycle_life_count
        To a share of its own first discharge; censored: at least that.
    same_charge_life_count
        To that share of the first discharge of the highest n/p: the same demand.
    lifetime_discharge_mah_per_g_positive, lifetime_energy_wh_per_kg_positive
        Discharged in its cycle life, without cycles of other kinds (check-ups).
    reserve
        Of the last state; None: it could not be solved.
    """

    assumption: Assumption
    np_ratio: float
    upper_volt: float
    life: Life
    first_discharging_capacity_mah_per_g_positive: float
    upper_potential_vs_li_volt: float
    negative_end_of_charge_potential_vs_li_volt: float
    lowest_negative_potential_vs_li_volt: float
    cycle_life_count: float
    is_censored: bool
    same_charge_life_count: float
    is_same_charge_censored: bool
    lifetime_discharge_mah_per_g_positive: float
    lifetime_energy_wh_per_kg_positive: float
    reserve: Reserve | None

    def __repr__(self) -> str:
        """n/p, assumption and life."""
        return (
            f"<n/p {self.np_ratio:g}, {self.assumption.name}: "
            f"{in_words(self.cycle_life_count, self.is_censored)} cycles>"
        )

    def at_cycle(self, column: str, count: float) -> float:
        """A column of the life, interpolated at a cycle (1 is the reference)."""
        number, values = _settled(self.life, column)
        return float(np.interp(count, number, values))

    def as_dict(self) -> dict[str, float | bool | str]:
        """One row of the tables."""
        own = {name: getattr(self, name) for name in _OWN}
        kept = self.reserve
        of_reserve = {
            name: float("nan") if kept is None else float(getattr(kept, attribute))
            for name, attribute in _OF_RESERVE.items()
        }
        return {"assumption": self.assumption.name} | own | of_reserve


_OF_RESERVE = {
    "compensation_fraction": "compensation_fraction",
    "given_back_mah_per_g_positive": "given_back_mah_per_g_positive",
    "reserve_at_first_mah_per_g_positive": "at_first_mah_per_g_positive",
    "reserve_left_mah_per_g_positive": "left_mah_per_g_positive",
}
_OWN = (
    "np_ratio",
    "upper_volt",
    "first_discharging_capacity_mah_per_g_positive",
    "upper_potential_vs_li_volt",
    "negative_end_of_charge_potential_vs_li_volt",
    "lowest_negative_potential_vs_li_volt",
    "cycle_life_count",
    "is_censored",
    "same_charge_life_count",
    "is_same_charge_censored",
    "lifetime_discharge_mah_per_g_positive",
    "lifetime_energy_wh_per_kg_positive",
)


def balanced_life(
    cell: Cell,
    assumption: Assumption,
    lived: Life,
    best: BalancedLife | None,
    level: float,
) -> BalancedLife:
    """Read a life; `best` sets the charge that is demanded, None: this one does.

    Raises
    ------
    SpecError
        If it ends before the reference cycle.
    """
    number, discharge = _settled(lived, "discharging_capacity_mah_per_g_positive")
    _, energy = _settled(lived, "discharging_energy_wh_per_kg_positive")
    at = lived.cycles.filter(lived.cycles["cycle_count"] == lived.reference_cycle)
    if not number.size or at.height != 1:
        raise SpecError(
            "the life ends before the cycles that it is counted in",
            where=f"{cell.name}, n/p {cell.np_ratio:g}",
            remedy="give a higher n/p, a weaker ageing or less formation",
        )
    first = at.row(0, named=True)
    own = lived.cycle_life(level)
    demanded = level * (
        discharge[0]
        if best is None
        else best.first_discharging_capacity_mah_per_g_positive
    )
    same, is_open = _falls_below(number, discharge, demanded)
    counts = np.arange(1.0, own.cycle_count + 0.5)
    negative = "negative_end_of_charge_potential_vs_li_volt"
    lowest = lived.cycles[negative].min()
    return BalancedLife(
        assumption,
        cell.np_ratio,
        cell.spec.window.upper_volt,
        lived,
        float(discharge[0]),
        float(first["upper_potential_vs_li_volt"]),
        float(first[negative]),
        float(lowest) if isinstance(lowest, float) else float("nan"),
        own.cycle_count,
        own.censored,
        same,
        is_open,
        float(np.interp(counts, number, discharge).sum()),
        float(np.interp(counts, number, energy).sum()),
        _reserve_of(lived),
    )


def _reserve_of(lived: Life) -> Reserve | None:
    """Of the last state; None if one of its frozen cells could not be solved."""
    state, what_if = lived.states[-1], Counterfactuals(lived)
    causes = what_if.causes(state)
    cycle = state.cycle_count
    kept = Reserve(
        cycle,
        what_if.run(state, undone=causes),
        what_if.run(state),
        what_if.run(state, undone=causes, endless_negative=True),
        what_if.run(state, endless_negative=True),
        own_discharge_mah_per_g_positive(lived, cycle),
    )
    return kept if np.isfinite(kept.given_back_mah_per_g_positive) else None


def _settled(lived: Life, column: str) -> tuple[Array, Array]:
    """Number (1 is the reference) and a column of the settled cycles of ageing."""
    table = lived.cycles
    rows = table.filter(table["is_ageing_cycle"] & table["is_settled"])
    number = rows["cycle_count"].to_numpy() - (lived.reference_cycle - 1.0)
    return number, np.nan_to_num(rows[column].to_numpy())


def _falls_below(number: Array, values: Array, level: float) -> tuple[float, bool]:
    """Cycle at which values pass a level, and whether they never do."""
    below = np.flatnonzero(values < level)
    if not below.size:
        return float(number[-1]), True
    i = int(below[0])
    if i == 0:
        return 0.0, False
    part = (values[i - 1] - level) / (values[i - 1] - values[i])
    return float(number[i - 1] + part * (number[i] - number[i - 1])), False


def in_words(count: float, is_censored: bool) -> str:
    """A life as it is told."""
    return f"{'more than ' if is_censored else ''}{count:.0f}"
