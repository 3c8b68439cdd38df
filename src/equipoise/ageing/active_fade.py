"""Active material lost in proportion to the charge that has gone through it.

No claim on its cause: for an electrode that hardly strains, such as LTO.

References
----------
zhang2026 sec. 2.2, Fig. S5: LTO keeps 97 % after 200 cycles at 0.2C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from equipoise.ageing.mechanism import Mechanism
from equipoise.ageing.wear import Side
from equipoise.spec.frozen import Fraction
from equipoise.spec.kinetics import NonNegativeNumber

if TYPE_CHECKING:
    from equipoise.ageing.reading import Reading
    from equipoise.ageing.wear import Wear


class ActiveFade(Mechanism):
    """Isolation per full equivalent cycle: once from empty to full and back."""

    KIND: ClassVar[str] = "active-fade"
    STRENGTH: ClassVar[str] = "loss_per_full_cycle_fraction"

    kind: Literal["active-fade"] = "active-fade"
    electrode: Side = "negative"
    loss_per_full_cycle_fraction: NonNegativeNumber
    charged_fraction: Fraction = 0.0

    def advance(self, reading: Reading, wear: Wear) -> None:
        """Isolate."""
        rate = self.loss_per_full_cycle_fraction.value
        lost = 1.0 - np.exp(-rate * reading.of(self.electrode).swing_fraction)
        wear.lose(self.electrode, lost, charged_fraction=self.charged_fraction)
