"""Charge that never comes back: currents beside the reactions of the electrodes.

A Tafel law ``i = i_ref exp((u - E) / w)`` in the mean interface potential u. If
`halving_mah_per_g` is given the products passivate: ``i / (1 + q / q_half)`` with q
the charge consumed so far (for large q the square-root law of a growing film).

- at the positive (oxidation of the electrolyte): charges the negative without
  delithiating the positive: the negative slips towards full;
- at the negative (reduction; SEI): delithiates the positive without lithiating the
  negative: the negative slips towards empty;
- at both (shuttle, electronic leak): discharges the cell, nothing slips.

A Coulombic efficiency does not tell the first from the third.

References
----------
Smith et al., J. Electrochem. Soc. 158 (2011) A447 (slippage and efficiency); Bard and
Faulkner, Electrochemical Methods, sec. 3.4 (Tafel).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from equipoise.ageing.mechanism import Mechanism
from equipoise.ageing.reading import SideReaction, warming_ratio
from equipoise.spec.frozen import Finite
from equipoise.spec.kinetics import Energy, NonNegativeNumber, PositiveNumber

if TYPE_CHECKING:
    from equipoise.ageing.reading import Reading
    from equipoise.ageing.wear import Wear

COULOMB_PER_MAH = 3.6


class ParasiticCurrent(Mechanism):
    """Side reaction at one electrode, or a shuttle between both."""

    KIND: ClassVar[str] = "parasitic-current"
    STRENGTH: ClassVar[str] = "current_ma_per_g_positive"

    kind: Literal["parasitic-current"] = "parasitic-current"
    at: Literal["positive", "negative", "both"] = "positive"
    current_ma_per_g_positive: NonNegativeNumber = Field(
        description="at the reference potential, per gram of positive active material"
    )
    reference_vs_li_volt: Finite = Field(
        default=4.3,
        description="of the positive; for at = negative of the negative, and then "
        "required",
    )
    width_volt: PositiveNumber = Field(
        description="change of potential for an e-fold larger current"
    )
    halving_mah_per_g_positive: PositiveNumber | None = Field(
        default=None, description="charge after which the current is halved"
    )
    activation_kj_per_mol: Energy = 0.0
    reference_temperature_celsius: Finite = 45.0

    @model_validator(mode="after")
    def _has_reference(self) -> Self:
        """The default is a potential of a positive."""
        if (
            self.at == "negative"
            and "reference_vs_li_volt" not in self.model_fields_set
        ):
            msg = (
                'at = "negative" needs reference_vs_li_volt: the potential of the '
                "negative vs Li+/Li at which the current is "
                "current_ma_per_g_positive; only positives have a default"
            )
            raise ValueError(msg)
        return self

    def side_reactions(self, wear: Wear, reading: Reading) -> tuple[SideReaction, ...]:
        """One current."""
        mass = reading.positive.active_mass_g
        ampere = self.current_ma_per_g_positive.value * mass * 1e-3
        ampere *= warming_ratio(
            self.activation_kj_per_mol,
            reading.temperature_celsius,
            self.reference_temperature_celsius,
        )
        half = self.halving_mah_per_g_positive
        if half is not None:
            consumed = wear.memory.get(self._consumed, 0.0)
            ampere /= 1.0 + consumed / (half.value * mass * COULOMB_PER_MAH)
        falls = self.at == "negative"
        width = -self.width_volt.value if falls else self.width_volt.value
        reads = "negative" if falls else "positive"
        return (SideReaction(self.at, ampere, reads, self.reference_vs_li_volt, width),)

    def advance(self, reading: Reading, wear: Wear) -> None:
        """Remember the charge, for the passivation."""
        if self.halving_mah_per_g_positive is None:
            return
        new = (
            reading.negative_side_coulomb
            if self.at == "negative"
            else reading.positive_side_coulomb
        )
        wear.memory[self._consumed] = wear.memory.get(self._consumed, 0.0) + new

    @property
    def _consumed(self) -> str:
        return f"parasitic-current at {self.at}, coulomb"
