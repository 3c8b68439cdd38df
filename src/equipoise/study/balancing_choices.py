"""Choices that an ageing leaves open, each run at both of its ends.

- Where lost particles leave their lithium: `charged_fraction` 0 and 1.
- Where the missing charge goes: oxidation at the positive, a shuttle, or reduction
  at the negative, of equal size. A Coulombic efficiency does not tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.ageing.ageing import Ageing
from equipoise.ageing.parasitic_current import ParasiticCurrent
from equipoise.kernels.program import End
from equipoise.spec.provenance import Evidence, Sourced

if TYPE_CHECKING:
    from equipoise.sim.life.life import Life

AS_GIVEN = "as given"
HARDLY_VOLT = 1e3
"""Width of a current that hardly depends on a potential."""
QUESTIONS = {
    "positive": "where lost particles of the positive leave their lithium",
    "negative": "where lost particles of the negative leave their lithium",
    "charge": "where the missing charge goes",
}
_PLACES = {
    "positive": "oxidation at the positive",
    "both": "shuttle",
    "negative": "reduction at the negative",
}


@dataclass(frozen=True, slots=True)
class Assumption:
    """One end of a choice: the ageing as given, or changed in one respect.

    Attributes
    ----------
    question
        What is varied, one of `QUESTIONS`; empty for the ageing as given.
    """

    name: str
    question: str
    ageing: Ageing


def assumptions_of(
    ageing: Ageing, lived: Life
) -> tuple[tuple[Assumption, ...], tuple[str, ...]]:
    """Both ends of every choice, without those that are as given."""
    found: list[Assumption] = []
    for side in ("positive", "negative"):
        for share, when in ((0.0, "discharged"), (1.0, "charged")):
            changed = _with_charged_fraction(ageing, side, share)
            if changed != ageing:
                name = f"particles of the {side} are lost {when}"
                found.append(Assumption(name, QUESTIONS[side], changed))
    leaks = [m for m in ageing.mechanisms if isinstance(m, ParasiticCurrent)]
    places = {m.at for m in leaks}
    if len(places) > 1:
        note = (
            "the ageing has parasitic currents at several places; where the missing "
            "charge goes was not varied"
        )
        return tuple(found), (note,)
    for place, name in _PLACES.items():
        if leaks and place not in places:
            moved = _moved(ageing, place, lived)
            found.append(Assumption(name, QUESTIONS["charge"], moved))
    return tuple(found), ()


def _with_charged_fraction(ageing: Ageing, side: str, share: float) -> Ageing:
    changed = tuple(
        m.model_copy(update={"charged_fraction": share})
        if hasattr(m, "charged_fraction") and getattr(m, "electrode", None) == side
        else m
        for m in ageing.mechanisms
    )
    return ageing.model_copy(update={"mechanisms": changed})


def _moved(ageing: Ageing, place: str, lived: Life) -> Ageing:
    """Parasitic currents at another place.

    Between the positive and a shuttle the law stays. To or from the negative the
    current becomes constant, as large as the mean of the reference cycle.
    """
    leaks = [m for m in ageing.mechanisms if isinstance(m, ParasiticCurrent)]
    others = tuple(m for m in ageing.mechanisms if not isinstance(m, ParasiticCurrent))
    if "negative" not in (place, leaks[0].at):
        moved = tuple(m.model_copy(update={"at": place}) for m in leaks)
    else:
        source = "mean of the reference cycle at the highest n/p"
        moved = (
            leaks[0].model_copy(
                update={
                    "at": place,
                    "current_ma_per_g_positive": Sourced(
                        value=_mean_current_ma_per_g(lived, leaks[0].at),
                        source=source,
                        evidence=Evidence.ASSUMED,
                    ),
                    "width_volt": Sourced(
                        value=HARDLY_VOLT, source=source, evidence=Evidence.ASSUMED
                    ),
                    "activation_kj_per_mol": 0.0,
                }
            ),
        )
    return ageing.model_copy(update={"mechanisms": (*others, *moved)})


def _mean_current_ma_per_g(lived: Life, place: str) -> float:
    side = "negative" if place == "negative" else "positive"
    table = lived.cycles
    at = table["cycle_count"] == lived.reference_cycle
    charge = table.filter(at)[f"{side}_side_mah_per_g_positive"][0]
    rows = lived.results[lived.results[:, End.CYCLE] == lived.reference_cycle]
    second = rows[-1, End.END_SECOND] - rows[0, End.START_SECOND]
    return float(charge) * 3600.0 / float(second)
