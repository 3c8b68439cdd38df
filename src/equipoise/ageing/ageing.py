"""All mechanisms of a cell together."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SerializeAsAny

from equipoise.ageing.active_fade import ActiveFade
from equipoise.ageing.interphase_growth import InterphaseGrowth
from equipoise.ageing.lattice_contraction import LatticeContraction
from equipoise.ageing.mechanism import Mechanism
from equipoise.ageing.parasitic_current import ParasiticCurrent
from equipoise.core.errors import nearest
from equipoise.spec.frozen import Frozen, Name

MECHANISMS: dict[str, type[Mechanism]] = {
    m.KIND: m
    for m in (LatticeContraction, InterphaseGrowth, ParasiticCurrent, ActiveFade)
}
"""What a file may name; a new mechanism is added here."""


def _mechanism(value: object) -> object:
    if isinstance(value, Mechanism):
        return value
    if not isinstance(value, dict):
        msg = f"found {value!r}; a table with the key 'kind' was expected"
        raise ValueError(msg)
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in MECHANISMS:
        msg = f"kind = {kind!r} is no mechanism; {nearest(str(kind), MECHANISMS)}"
        raise ValueError(msg)
    return MECHANISMS[kind].model_validate(value)


AnyMechanism = Annotated[SerializeAsAny[Mechanism], BeforeValidator(_mechanism)]


class Ageing(Frozen):
    """The mechanisms of a cell, in the order in which they act at the end of a cycle.

    `name` and `title` are for people, `caveats` for everyone who quotes a result.
    """

    name: Name = "given by the user"
    title: str = ""
    mechanisms: tuple[AnyMechanism, ...] = Field(min_length=1)
    caveats: tuple[str, ...] = ()

    def without(self, index: int) -> Self:
        """All but one of the mechanisms (at least one must stay)."""
        kept = self.mechanisms[:index] + self.mechanisms[index + 1 :]
        return self.model_copy(update={"mechanisms": kept})

    def scaled(self, index: int, ratio: float) -> Self:
        """With one mechanism stronger or weaker."""
        changed = list(self.mechanisms)
        changed[index] = changed[index].scaled(ratio)
        return self.model_copy(update={"mechanisms": tuple(changed)})
