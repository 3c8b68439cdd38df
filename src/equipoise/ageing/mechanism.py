"""What every mechanism is: parameters with sources, and how it advances the wear."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, ClassVar, Self

from equipoise.core.errors import SpecError
from equipoise.spec.frozen import Frozen

if TYPE_CHECKING:
    from equipoise.ageing.reading import Exposure, Reading, SideReaction
    from equipoise.ageing.wear import Wear
    from equipoise.spec.provenance import Sourced


class Mechanism(Frozen):
    """One way in which a cell wears; subclass it in a file of its own.

    A subclass declares its parameters (`kinetics.PositiveNumber` and the like carry
    their source) and what it does: `advance` at the end of each cycle, and, where it
    needs them, `exposures` and `side_reactions`. It changes nothing but the `Wear`.

    Attributes
    ----------
    KIND
        What it is called in files.
    STRENGTH
        Name of the parameter that scales all it does, for sensitivities.
    """

    KIND: ClassVar[str]
    STRENGTH: ClassVar[str]

    def check(self, reading: Reading) -> None:
        """Refuse a cell that lacks what the mechanism reads, before the first cycle.

        Raises
        ------
        SpecError
            If something is missing; which, and what to do.
        """

    def exposures(self) -> tuple[Exposure, ...]:
        """Integrals over time and local potential that `advance` will read."""
        return ()

    def side_reactions(self, wear: Wear, reading: Reading) -> tuple[SideReaction, ...]:  # noqa: ARG002
        """Currents beside the reactions of the electrodes, for the next cycle.

        `reading` is of the cycle before; before the first one, of a cell at rest.
        """
        return ()

    def advance(self, reading: Reading, wear: Wear) -> None:
        """Change the wear by what the cycle just read has done."""

    def scaled(self, ratio: float) -> Self:
        """The same mechanism, stronger or weaker by a ratio.

        Raises
        ------
        SpecError
            If the ratio is negative or not finite.
        """
        if not (isfinite(ratio) and ratio >= 0.0):
            raise SpecError(
                f"a mechanism cannot be made {ratio} times as strong",
                remedy="give a ratio >= 0, e.g. 1.2",
            )
        strength: Sourced = getattr(self, self.STRENGTH)
        changed = strength.model_copy(
            update={
                "value": strength.value * ratio,
                "low": None if strength.low is None else strength.low * ratio,
                "high": None if strength.high is None else strength.high * ratio,
            }
        )
        return self.model_copy(update={self.STRENGTH: changed})
