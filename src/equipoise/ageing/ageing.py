"""All mechanisms of a cell together."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from equipoise.ageing.active_fade import ActiveFade
from equipoise.ageing.interphase_growth import InterphaseGrowth
from equipoise.ageing.lattice_contraction import LatticeContraction
from equipoise.ageing.mechanism import Mechanism
from equipoise.ageing.parasitic_current import ParasiticCurrent
from equipoise.core.errors import SpecError, nearest
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

    @model_validator(mode="after")
    def _passivation_is_its_own(self) -> Self:
        """A passivating current counts all side charge of its electrode as its own."""
        currents = [m for m in self.mechanisms if isinstance(m, ParasiticCurrent)]
        for one in currents:
            if one.halving_mah_per_g_positive is None:
                continue
            for other in currents:
                if other is not one and {one.at, other.at} != {"positive", "negative"}:
                    msg = (
                        f"a parasitic-current at {one.at} with "
                        f"halving_mah_per_g_positive beside another one at {other.at}: "
                        "their charges are not told apart; leave the halving out, or "
                        "one of them"
                    )
                    raise ValueError(msg)
        return self

    def without(self, index: int) -> Self:
        """All but one of the mechanisms.

        Raises
        ------
        SpecError
            If there is no such mechanism, or it is the only one.
        """
        if len(self.mechanisms) == 1 or index not in range(len(self.mechanisms)):
            raise SpecError(
                f"mechanism {index} of {len(self.mechanisms)} cannot be left out",
                remedy="they count from 0, and at least one must stay",
            )
        kept = self.mechanisms[:index] + self.mechanisms[index + 1 :]
        return self.model_copy(update={"mechanisms": kept})

    def scaled(self, index: int, ratio: float) -> Self:
        """With one mechanism stronger or weaker."""
        changed = list(self.mechanisms)
        changed[index] = changed[index].scaled(ratio)
        return self.model_copy(update={"mechanisms": tuple(changed)})
