"""How much each mechanism of ageing counts: cycle life with it stronger and weaker."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import SpecError
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import EndOfLife, life, require_share

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from equipoise.ageing.mechanism import Mechanism
    from equipoise.protocol.steps import Protocol
    from equipoise.sim.mesh import Mesh, ModelName, Stepping
    from equipoise.spec.cell import Cell

FINE = Jump(tolerance_fraction=0.001)
"""Jumps whose error in the cycle life is small beside what a mechanism changes."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Cycle life with one mechanism weaker and stronger.

    Attributes
    ----------
    number_index
        Place of the mechanism among those of the ageing, from 1.
    kind, place, strength
        What it is, the electrode it concerns, and the parameter that was scaled.
    weaker, stronger
        Cycle lives with the strength times 1 - and 1 + the change.
    reference
        Cycle life with all mechanisms as they are.
    """

    number_index: int
    kind: str
    place: str
    strength: str
    weaker: EndOfLife
    stronger: EndOfLife
    reference: EndOfLife

    def change_fraction(self, found: EndOfLife) -> float:
        """Relative change of the life; a lower bound if `found` is censored.

        nan if the reference is.
        """
        if self.reference.censored or not self.reference.cycle_count > 0.0:
            return math.nan
        return found.cycle_count / self.reference.cycle_count - 1.0


@dataclass(frozen=True, slots=True)
class Sensitivities:
    """Of all mechanisms.

    Attributes
    ----------
    change_fraction
        How much weaker and stronger: the strengths are times 1 - this and 1 + this.
    rows
        In the order of the mechanisms; of an interrupted computation, those that are
        finished.
    """

    reference: EndOfLife
    change_fraction: float
    rows: tuple[Sensitivity, ...]
    interrupted: bool

    @property
    def table(self) -> pl.DataFrame:
        """One row per mechanism; the columns ``*_is_censored`` mark lower bounds."""
        import polars as pl  # 0.5 s: only where a table is made

        return pl.DataFrame(
            [
                {
                    "mechanism_index": row.number_index,
                    "kind": row.kind,
                    "place": row.place,
                    "strength": row.strength,
                    "weaker_life_count": row.weaker.cycle_count,
                    "weaker_is_censored": row.weaker.censored,
                    "weaker_change_fraction": row.change_fraction(row.weaker),
                    "stronger_life_count": row.stronger.cycle_count,
                    "stronger_is_censored": row.stronger.censored,
                    "stronger_change_fraction": row.change_fraction(row.stronger),
                }
                for row in self.rows
            ]
        )


def life_sensitivities(
    cell: Cell,
    protocol: Protocol,
    ageing: Ageing,
    *,
    change_fraction: float = 0.2,
    level_retention: float = 0.8,
    model: ModelName = "dfn",
    mesh: Mesh | None = None,
    stepping: Stepping | None = None,
    jump: Jump | None = FINE,
    progress: Callable[[int, int], None] | None = None,
) -> Sensitivities:
    """Cycle life with each mechanism in turn made weaker and stronger.

    Parameters
    ----------
    change_fraction
        Strengths are times 1 - this and 1 + this; between 0 and 1, both excluded.
        `Mechanism.STRENGTH` says which parameter it is.
    level_retention
        Share of the reference capacity that ends the life.
    jump
        As for `life`; None: every cycle is solved.
    progress
        Called with (lives computed, lives in all).

    Returns
    -------
    Sensitivities
        After an interruption (Ctrl-C) with the mechanisms that are finished.

    Raises
    ------
    SpecError
        If a keyword is out of range, or as `life` raises it.
    SolveError
        If a life cannot be computed to its end.
    """
    require_share("change_fraction", change_fraction, "0.2 for 20 %")
    require_share("level_retention", level_retention, "0.8")
    if not isinstance(ageing, Ageing):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SpecError(
            f"ageing = {ageing!r} is not what is needed",
            where="ageing",
            remedy="give an ageing: load_ageing(name)",
        )
    count = len(ageing.mechanisms)
    done = 0

    def lived(worn: Ageing) -> EndOfLife | None:
        """The life, or None if it was interrupted."""
        nonlocal done
        found = life(
            cell,
            protocol,
            worn,
            model=model,
            mesh=mesh,
            stepping=stepping,
            jump=jump,
            until_retention=level_retention,
        )
        done += 1
        if progress is not None and not found.interrupted:
            progress(done, 1 + 2 * count)
        return None if found.interrupted else found.cycle_life(level_retention)

    reference = lived(ageing)
    if reference is None:
        nothing = EndOfLife(level_retention, 0.0, censored=True)
        return Sensitivities(nothing, change_fraction, (), interrupted=True)
    rows: list[Sensitivity] = []
    for i, mechanism in enumerate(ageing.mechanisms):
        weaker = lived(ageing.scaled(i, 1.0 - change_fraction))
        stronger = None
        if weaker is not None:
            stronger = lived(ageing.scaled(i, 1.0 + change_fraction))
        if weaker is None or stronger is None:
            break
        rows.append(_row(i, mechanism, weaker, stronger, reference))
    return Sensitivities(
        reference, change_fraction, tuple(rows), interrupted=len(rows) < count
    )


def _row(
    index: int,
    mechanism: Mechanism,
    weaker: EndOfLife,
    stronger: EndOfLife,
    reference: EndOfLife,
) -> Sensitivity:
    place = getattr(mechanism, "electrode", getattr(mechanism, "at", ""))
    return Sensitivity(
        index + 1,
        mechanism.KIND,
        str(place),
        mechanism.STRENGTH,
        weaker,
        stronger,
        reference,
    )
