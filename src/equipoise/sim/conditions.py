"""Temperature, model and mesh under which a cell is lowered."""

from __future__ import annotations

import math
from dataclasses import dataclass

from equipoise.core.constants import GAS_CONSTANT_J_PER_MOL_K, ZERO_CELSIUS_KELVIN
from equipoise.sim.mesh import Mesh, ModelName

NO_RESISTANCE_RATIO = 1e12
"""Factor on conductivities, diffusivities and exchange currents of the quasi-static
model: what is left of any polarisation is below a picovolt."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all electrodes of a cell share.

    Attributes
    ----------
    temperature_kelvin, reference_kelvin
        Of the cell, and the one its rates belong to.
    """

    model: ModelName
    mesh: Mesh
    temperature_kelvin: float
    reference_kelvin: float

    @classmethod
    def of(
        cls,
        model: ModelName,
        mesh: Mesh,
        *,
        temperature_celsius: float,
        reference_celsius: float,
    ) -> Conditions:
        """Conditions from temperatures in Celsius."""
        zero = ZERO_CELSIUS_KELVIN
        return cls(model, mesh, temperature_celsius + zero, reference_celsius + zero)

    @property
    def without_rates(self) -> bool:
        """Whether the model has no resistance and no time."""
        return self.model == "quasi-static"

    @property
    def rate_ratio(self) -> float:
        """By how much all rates are raised: 1, or as good as infinite."""
        return NO_RESISTANCE_RATIO if self.without_rates else 1.0

    @property
    def shells_count(self) -> int:
        """Shells of a particle."""
        return 1 if self.without_rates else self.mesh.shells_count

    def nodes_count(self, wanted: int) -> int:
        """Nodes of an electrode: one, but for the porous-electrode model."""
        return wanted if self.model == "dfn" else 1

    def warming_ratio(self, energy_kj_per_mol: float) -> float:
        """Arrhenius factor from the reference to the temperature of the cell."""
        inverse = 1.0 / self.temperature_kelvin - 1.0 / self.reference_kelvin
        return math.exp(-energy_kj_per_mol * 1e3 / GAS_CONSTANT_J_PER_MOL_K * inverse)
