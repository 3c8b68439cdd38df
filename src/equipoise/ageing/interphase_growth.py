"""A film that grows between particles and electrolyte, by diffusion through itself.

``d(R**2)/dt = k exp((u - E) / w)``: parabolic at a constant local potential u. The
rate is given as the film that a thousand hours at the reference potential E grow.

References
----------
Wagner, Z. Phys. Chem. B 21 (1933) 25 (parabolic growth); zhang2026 sec. 2.4 (R_int).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from equipoise.ageing.mechanism import Mechanism
from equipoise.ageing.reading import Exposure, Reading, warming_ratio
from equipoise.ageing.wear import Row, Side
from equipoise.kernels.wear import grow
from equipoise.spec.frozen import Finite
from equipoise.spec.kinetics import Energy, NonNegativeNumber, PositiveNumber

if TYPE_CHECKING:
    from equipoise.ageing.wear import Wear

M2_PER_CM2 = 1e-4
MOST_FILM_OHM_M2 = 1e4


class InterphaseGrowth(Mechanism):
    """Parabolic growth of a film, faster at higher (or lower) local potential."""

    KIND: ClassVar[str] = "interphase-growth"
    STRENGTH: ClassVar[str] = "film_after_1000_hour_ohm_cm2"

    kind: Literal["interphase-growth"] = "interphase-growth"
    electrode: Side = "positive"
    film_after_1000_hour_ohm_cm2: NonNegativeNumber = Field(
        description="per area of active interface, at the reference potential"
    )
    reference_vs_li_volt: Finite = 4.2
    width_volt: PositiveNumber | None = Field(
        default=None,
        description="change of potential for an e-fold faster growth; none: no "
        "dependence. On the negative the growth is faster at lower potential",
    )
    activation_kj_per_mol: Energy = 0.0
    reference_temperature_celsius: Finite = 45.0

    @model_validator(mode="after")
    def _has_reference(self) -> Self:
        """The default is a potential of a positive; without a width none matters."""
        is_given = "reference_vs_li_volt" in self.model_fields_set
        if (
            self.electrode == "negative"
            and self.width_volt is not None
            and not is_given
        ):
            msg = (
                'electrode = "negative" with width_volt needs reference_vs_li_volt: '
                "the potential of the negative vs Li+/Li at which the film grows by "
                "film_after_1000_hour_ohm_cm2; only positives have a default"
            )
            raise ValueError(msg)
        return self

    def _exposure(self) -> Exposure:
        width = None if self.width_volt is None else self.width_volt.value
        if width is not None and self.electrode == "negative":
            width = -width
        return Exposure(self.electrode, self.reference_vs_li_volt, width)

    def exposures(self) -> tuple[Exposure, ...]:
        """One: weighted time at the local potential."""
        return (self._exposure(),)

    def advance(self, reading: Reading, wear: Wear) -> None:
        """Grow."""
        second = reading.exposures[self._exposure()]
        grown = self.film_after_1000_hour_ohm_cm2.value * M2_PER_CM2
        warming = warming_ratio(
            self.activation_kj_per_mol,
            reading.temperature_celsius,
            self.reference_temperature_celsius,
        )
        film = wear.of(self.electrode)[Row.FILM]
        grow(film, second, grown * grown * warming, MOST_FILM_OHM_M2)
