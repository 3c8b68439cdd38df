"""Does a low n/p lengthen the life of a cell? Lives at several n/p, and a verdict.

A low n/p works in two ways. The negative ends the charge, and so the positive stops
at a lower potential, strains less and wears less. And as the cell ages the negative
is filled less, the upper potential climbs, and charge is given back, see
`sim.life.ledger`. A lower cut-off voltage does the first without the second: it is
run beside. Choices that the ageing leaves open are run at both of their ends, see
`balancing_choices`.

References
----------
zhang2026 secs. 2.3 to 2.5 (low balancing of LTO and NCM85).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from equipoise.core.errors import SolveError, SpecError
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import life
from equipoise.study import balancing_words as words
from equipoise.study.balanced_life import BalancedLife, balanced_life
from equipoise.study.balancing_choices import AS_GIVEN, Assumption, assumptions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.ageing.ageing import Ageing
    from equipoise.protocol.steps import Protocol
    from equipoise.sim.life.life import Life
    from equipoise.sim.mesh import Mesh, ModelName
    from equipoise.spec.cell import Cell
    from equipoise.study.balancing_words import Outcome

Pair = tuple[BalancedLife, BalancedLife]
"""A low n/p and the highest."""
SAME_UPPER_VOLT = 0.003
"""How closely a lower cut-off meets the upper potential of a low n/p."""
BEYOND_RATIO = 0.99
"""A life to a demanded charge runs until a little below it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LowBalancing:
    """Lives at several n/p under several assumptions, and what follows.

    Attributes
    ----------
    level_retention
        Where lives end.
    found
        By assumption and n/p, the ageing as given first, n/p rising.
    rivals
        Per low n/p: the highest n/p with a cut-off that gives the same first upper
        potential; None where there is no such cut-off.
    notes
        On choices that could not be varied.
    """

    name: str
    level_retention: float
    assumptions: tuple[Assumption, ...]
    found: tuple[BalancedLife, ...]
    rivals: tuple[BalancedLife | None, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Name and outcomes."""
        told = ", ".join(f"n/p {k:g} {v}" for k, v in self.outcomes.items())
        return f"<LowBalancing of {self.name}: {told}>"

    def of(self, np_ratio: float, assumption: str = AS_GIVEN) -> BalancedLife:
        """One of the lives.

        Raises
        ------
        SpecError
            If it was not run.
        """
        for one in self.found:
            if one.np_ratio == np_ratio and one.assumption.name == assumption:
                return one
        raise SpecError(
            f"n/p {np_ratio:g} {assumption!r} was not run",
            remedy=f"n/p: {', '.join(f'{b:g}' for b in self.np_ratios)}; assumptions: "
            + ", ".join(a.name for a in self.assumptions),
        )

    @property
    def table(self) -> pl.DataFrame:
        """One row per n/p, with the ageing as given and the band of the lives.

        `lowest_cycle_life_count` and `highest_...` are over all assumptions; a
        censored life counts with the cycles that were run.
        """
        import polars as pl

        rows: list[dict[str, float | bool | str]] = []
        for b in self.np_ratios:
            lives = [self.of(b, a.name).cycle_life_count for a in self.assumptions]
            row = self.of(b).as_dict()
            del row["assumption"]
            rows.append(
                row
                | {
                    "lowest_cycle_life_count": min(lives),
                    "highest_cycle_life_count": max(lives),
                }
            )
        return pl.DataFrame(rows)

    @property
    def cases(self) -> pl.DataFrame:
        """One row per assumption and n/p."""
        import polars as pl

        return pl.DataFrame([one.as_dict() for one in self.found])

    @property
    def cut_offs(self) -> pl.DataFrame:
        """One row per low n/p: the highest n/p charged to the same upper potential."""
        import polars as pl

        return pl.DataFrame([one.as_dict() for one in self.lower_cut_offs.values()])

    @property
    def np_ratios(self) -> tuple[float, ...]:
        """All n/p, rising."""
        return tuple(sorted({one.np_ratio for one in self.found}))

    @property
    def lower_cut_offs(self) -> dict[float, BalancedLife]:
        """By low n/p: the rival with a lower cut-off, where there is one."""
        pairs = zip(self.low_np_ratios, self.rivals, strict=True)
        return {b: rival for b, rival in pairs if rival is not None}

    @property
    def low_np_ratios(self) -> tuple[float, ...]:
        """All but the highest, which they are compared with."""
        return self.np_ratios[:-1]

    @property
    def outcomes(self) -> dict[float, Outcome]:
        """Per low n/p, over all assumptions; "depends" where they disagree."""
        return {b: self._overall(b) for b in self.low_np_ratios}

    def outcome(self, np_ratio: float, assumption: str = AS_GIVEN) -> Outcome:
        """Of one low n/p under one assumption.

        It helps if the cell lives longer both to a share of its own first discharge
        and to the same charge.
        """
        return words.outcome_of(*self._pair(np_ratio, assumption))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Per n/p: lithium plating, at the worst assumption; use beyond a curve."""
        found: list[str] = []
        for b in self.np_ratios:
            cases = [one for one in self.found if one.np_ratio == b]
            found += words.plating(cases)
            found += words.beyond_curves(self.of(b))
        return tuple(found)

    @property
    def verdict(self) -> str:
        """A paragraph per low n/p, then warnings and what was not varied."""
        parts = [self._paragraph(b) for b in self.low_np_ratios]
        parts += [f"Warning: {w}." for w in self.warnings]
        parts += [f"Note: {n}." for n in self.notes]
        return "\n".join(parts)

    def _pair(self, np_ratio: float, assumption: str) -> Pair:
        return self.of(np_ratio, assumption), self.of(self.np_ratios[-1], assumption)

    def _overall(self, np_ratio: float) -> Outcome:
        given = self.outcome(np_ratio)
        others = [self.outcome(np_ratio, a.name) for a in self.assumptions]
        return given if all(found == given for found in others) else "depends"

    def _what_matters(self, np_ratio: float) -> str:
        """Questions whose ends change the outcome, and how."""
        given = self.outcome(np_ratio)
        told: dict[str, list[str]] = {}
        for a in self.assumptions:
            found = self.outcome(np_ratio, a.name)
            if found != given:
                told.setdefault(a.question, []).append(f"{a.name}: {found}")
        return " and on ".join(f"{q} ({'; '.join(t)})" for q, t in told.items())

    def _paragraph(self, np_ratio: float) -> str:
        low, high = self._pair(np_ratio, AS_GIVEN)
        outcome = self._overall(np_ratio)
        head = f"n/p {np_ratio:g} against {high.np_ratio:g}: {outcome}"
        if outcome == "depends":
            given = self.outcome(np_ratio)
            head += f" on {self._what_matters(np_ratio)}; as given: {given}"
        if words.goes_below_plating(low):
            head += ", with the negative below 0 V vs Li+/Li (lithium plating)"
        other = self.lower_cut_offs.get(np_ratio)
        reasons = (
            words.lives(low, high, self.level_retention),
            words.band([self._pair(np_ratio, a.name) for a in self.assumptions]),
            words.price(low, high),
            words.wear(low, high),
            words.reserve(low),
            "" if other is None else words.cut_off(other, low, high),
        )
        return f"{head}. {' '.join(f'{r}.' for r in reasons if r)}"


def low_balancing(
    cell: Cell,
    protocol: Protocol,
    ageing: Ageing,
    *,
    np_ratios: Sequence[float] = (1.0, 1.1, 1.2, 1.5),
    until_retention: float = 0.8,
    jump: Jump | None = Jump(),  # noqa: B008
    model: ModelName = "spm",
    mesh: Mesh | None = None,
    vary: bool = True,
) -> LowBalancing:
    """Cycle a cell to its end at several n/p, and judge whether a low n/p helps.

    Parameters
    ----------
    np_ratios
        At least two; the highest is what the others are compared with.
    until_retention
        Where a life ends, as a share of its own first discharge.
    vary
        Run both ends of the choices that the ageing leaves open; False: as given.

    Raises
    ------
    SpecError
        If there are fewer than two n/p, or `life` refuses cell or ageing.
    SolveError
        If a cycle cannot be solved; the message names n/p and assumption.
    """
    ratios = tuple(sorted({float(b) for b in np_ratios}))
    if len(ratios) < 2:
        raise SpecError(
            f"np_ratios = {tuple(np_ratios)}: at least two are compared",
            remedy="give a low and a high n/p, e.g. (1.1, 1.5)",
        )
    worker = _Worker(protocol, until_retention, jump, model, mesh)
    given = Assumption(AS_GIVEN, "", ageing)
    high = worker.run(cell.with_np_ratio(ratios[-1]), given, None)
    assumptions, notes = (given,), ()
    if vary:
        more, notes = assumptions_of(ageing, high.life)
        assumptions = (given, *more)
    found: list[BalancedLife] = []
    for assumption in assumptions:
        top = cell.with_np_ratio(ratios[-1])
        best = high if assumption is given else worker.run(top, assumption, None)
        found += [
            worker.run(cell.with_np_ratio(b), assumption, best) for b in ratios[:-1]
        ]
        found.append(best)
    lows = found[: len(ratios) - 1]
    rivals = tuple(worker.same_upper(cell, low, high) for low in lows)
    return LowBalancing(
        cell.name,
        until_retention,
        assumptions,
        tuple(found),
        rivals,
        notes,
    )


@dataclass(frozen=True, slots=True)
class _Worker:
    """Runs lives that differ in cell and assumption only."""

    protocol: Protocol
    until_retention: float
    jump: Jump | None
    model: ModelName
    mesh: Mesh | None

    def run(
        self, cell: Cell, assumption: Assumption, best: BalancedLife | None
    ) -> BalancedLife:
        """One life; `best` sets the charge that is demanded, None: this one does."""
        level = self.until_retention
        lived = self._live(cell, assumption, level)
        one = balanced_life(cell, assumption, lived, best, level)
        if best is None or one.is_censored or not one.is_same_charge_censored:
            return one
        # it began above `best`: its own life is over before it falls below that charge
        began = one.first_discharging_capacity_mah_per_g_positive
        wanted = level * best.first_discharging_capacity_mah_per_g_positive
        longer = self._live(cell, assumption, BEYOND_RATIO * wanted / began)
        same = balanced_life(cell, assumption, longer, best, level)
        return replace(
            one,
            same_charge_life_count=same.same_charge_life_count,
            is_same_charge_censored=same.is_same_charge_censored,
        )

    def _live(self, cell: Cell, assumption: Assumption, until_retention: float) -> Life:
        try:
            return life(
                cell,
                self.protocol,
                assumption.ageing,
                model=self.model,
                mesh=self.mesh,
                jump=self.jump,
                until_retention=until_retention,
            )
        except SolveError as error:
            what = f"n/p {cell.np_ratio:g}, {assumption.name}: {error}"
            raise SolveError(error.status, what) from error

    def same_upper(
        self, cell: Cell, low: BalancedLife, high: BalancedLife
    ) -> BalancedLife | None:
        """The highest n/p with the first upper potential of a lower one (secant)."""
        wanted = low.upper_potential_vs_li_volt
        top = cell.with_np_ratio(high.np_ratio)
        if high.upper_potential_vs_li_volt - wanted < SAME_UPPER_VOLT:
            return None
        before, volt, slope = high, high.upper_volt, 1.0
        for _ in range(4):
            volt -= (before.upper_potential_vs_li_volt - wanted) / slope
            if not volt > cell.spec.window.lower_volt:
                return None
            now = self.run(top.with_window(upper_volt=volt), low.assumption, high)
            if abs(now.upper_potential_vs_li_volt - wanted) < SAME_UPPER_VOLT:
                return now
            moved = now.upper_potential_vs_li_volt - before.upper_potential_vs_li_volt
            slope = moved / (volt - before.upper_volt)
            before = now
            if not slope > 0.05:  # the protocol has cut-offs of its own
                return None
        return None
