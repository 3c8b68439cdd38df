"""Fatigue of an electrode by the volume swing of its particles.

Each cycle strains the particles by the difference of their volume between the two
ends of the cycle. The hazard of losing a contact grows with that strain::

    h = hazard (s / s_ref)**exponent,   s = max(strain - threshold, 0)

and so for `s_ref`. The contacts are not alike: the weakest go first. With hazards
that are gamma-distributed among the contacts (variance `frailty` at mean 1) the
surviving share S after a summed hazard H is ``(1 + frailty H)**(-1 / frailty)``, that
is ``dS/dH = -S**(1 + frailty)``; frailty 0 is the exponential decay.

The damage is split: isolated particles (active fraction), contact area of those that
stay (`contact_ratio` times the hazard), and cracks that lengthen the way of lithium
(`path_ratio`). Particles isolated when charged leave their lithium in the negative,
those isolated when discharged take it with them: `charged_fraction`.

References
----------
zhang2026 secs. 2.3 and 2.4 (contraction, cracks, contact loss); Vaupel, Manton and
Stallard, Demography 16 (1979) 439, eq. 6 (gamma frailty). The power law is our choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from equipoise.ageing.mechanism import Mechanism
from equipoise.ageing.stack_pressure import StackPressure
from equipoise.ageing.wear import LEAST_FRACTION, Row, Side
from equipoise.core.errors import SpecError
from equipoise.kernels.wear import add_hazard, at_least, beyond
from equipoise.spec.frozen import Fraction, Positive
from equipoise.spec.kinetics import NonNegativeNumber, PositiveNumber
from equipoise.spec.kinetics import zero as nothing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from equipoise.ageing.reading import ElectrodeReading, Reading
    from equipoise.ageing.wear import Wear

MOST_HAZARD = 5.0
"""Per cycle: what is left is below a hundredth; more only overflows."""


class LatticeContraction(Mechanism):
    """Isolation, contact loss and cracks by the volume swing of each cycle."""

    KIND: ClassVar[str] = "lattice-contraction"
    STRENGTH: ClassVar[str] = "hazard_per_cycle_fraction"

    kind: Literal["lattice-contraction"] = "lattice-contraction"
    electrode: Side = "positive"
    driver: Literal["whole", "h2-h3"] = Field(
        default="whole",
        description="the whole strain of a cycle, or only what lies beyond the onset "
        "of the H2-H3 transition",
    )
    hazard_per_cycle_fraction: NonNegativeNumber = Field(
        description="of isolation, in a cycle with the reference strain"
    )
    reference_strain_percent: Positive = 5.0
    threshold_strain_percent: NonNegativeNumber = Field(default_factory=nothing)
    exponent: PositiveNumber
    frailty_ratio: NonNegativeNumber = Field(
        default_factory=nothing, description="variance of the hazard among contacts"
    )
    contact_ratio: NonNegativeNumber = Field(
        default_factory=nothing, description="hazard of contact area over isolation"
    )
    path_ratio: NonNegativeNumber = Field(
        default_factory=nothing, description="growth of ln(diffusion length) per hazard"
    )
    charged_fraction: Fraction = Field(
        default=0.0, description="share of the particles that is isolated when charged"
    )
    stack_pressure: StackPressure | None = None

    @model_validator(mode="after")
    def _beyond_threshold(self) -> Self:
        threshold = self.threshold_strain_percent.value
        if self.reference_strain_percent <= threshold:
            msg = (
                f"reference_strain_percent = {self.reference_strain_percent:g} must "
                f"lie above threshold_strain_percent = {threshold:g}"
            )
            raise ValueError(msg)
        return self

    def check(self, reading: Reading) -> None:
        """Volume data, the onset of H2-H3 and the stack pressure where needed."""
        electrode, where = reading.of(self.electrode), f"ageing: {self.KIND}"
        if electrode.volume_percent is None:
            raise SpecError(
                f"the material of the {self.electrode} has no volume-change data",
                where=where,
                remedy="give the material volume_change data, or leave the mechanism "
                "out",
            )
        if self.driver == "h2-h3" and np.isnan(electrode.h2h3_onset_fraction):
            raise SpecError(
                f"the onset of the H2-H3 transition of the {self.electrode} is not "
                "known, or beyond its curve",
                where=where,
                remedy="give the material h2h3_onset_vs_li_volt, or use driver = "
                '"whole"',
            )
        if self.stack_pressure is not None:
            self.stack_pressure.hazard_ratio(reading.stack_pressure_mpa)

    def strain_percent(self, electrode: ElectrodeReading) -> NDArray[np.float64]:
        """Volume swing of the cycle per column, percent of the volume as built."""
        low, high = electrode.lowest_fraction, electrode.highest_fraction
        if self.driver == "h2-h3":
            onset = electrode.h2h3_onset_fraction
            low, high = np.minimum(low, onset), np.minimum(high, onset)
        return electrode.volume_swing_percent(low, high)

    def hazard(self, strain_percent: NDArray[np.float64]) -> NDArray[np.float64]:
        """Hazard of isolation in a cycle with a strain; same shape."""
        threshold = self.threshold_strain_percent.value
        ratio = np.empty(strain_percent.size)
        beyond(strain_percent, threshold, self.reference_strain_percent, ratio)
        raised = ratio**self.exponent.value
        return np.minimum(self.hazard_per_cycle_fraction.value * raised, MOST_HAZARD)

    def advance(self, reading: Reading, wear: Wear) -> None:
        """Isolate, detach, crack."""
        here = wear.of(self.electrode)
        hazard = self.hazard(self.strain_percent(reading.of(self.electrode)))
        if self.stack_pressure is not None:
            hazard = hazard * self.stack_pressure.hazard_ratio(
                reading.stack_pressure_mpa
            )
        frailty = self.frailty_ratio.value
        lost = 1.0 - survivors(here[Row.ACTIVE], hazard, frailty)
        wear.lose(self.electrode, lost, charged_fraction=self.charged_fraction)
        if self.contact_ratio.value > 0.0:
            contact = here[Row.CONTACT]
            kept = survivors(contact, self.contact_ratio.value * hazard, frailty)
            at_least(contact * kept, LEAST_FRACTION, contact)
        if self.path_ratio.value > 0.0:
            here[Row.PATH] *= np.exp(self.path_ratio.value * hazard)


def survivors(
    left: NDArray[np.float64], hazard: NDArray[np.float64], frailty: float
) -> NDArray[np.float64]:
    """Share of those left that survive a further hazard, exact for gamma frailty."""
    if frailty == 0.0:
        return np.exp(-hazard)
    ratio = left**frailty
    add_hazard(hazard, frailty, ratio)
    return ratio ** (-1.0 / frailty)
