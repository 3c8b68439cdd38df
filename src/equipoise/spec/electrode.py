"""A composite electrode as it is specified, and as it is resolved."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from equipoise.spec.curve_file import CurveFile
from equipoise.spec.frozen import Fraction, Frozen, NonNegative, Positive

if TYPE_CHECKING:
    from equipoise.spec.curve import HalfCell
    from equipoise.spec.material import Material

SUM_TOLERANCE = 0.005
"""Mass fractions must add up to 1 (or 100) within 0.5 %: printed recipes are
rounded to three digits."""


def disc_area_cm2(diameter_mm: float) -> float:
    """Area of a disc.

    Examples
    --------
    >>> round(disc_area_cm2(9), 4)
    0.6362
    """
    return math.pi * (diameter_mm / 20.0) ** 2


class ElectrodeSpec(Frozen):
    """A composite electrode: a disc of active material, electrolyte, additives."""

    material: str | CurveFile = Field(
        description="library name, a .toml file declaring a curve, or that table"
    )
    diameter_mm: Positive
    loading_mg_per_cm2: Positive | None = Field(
        default=None, description="active material per area of this electrode"
    )
    composite_mass_mg: Positive | None = Field(
        default=None, description="as weighed; an alternative to the loading"
    )
    mass_fractions: dict[str, Positive] = Field(
        min_length=1, description="parts by mass, adding up to 1 or 100"
    )
    porosity_fraction: Fraction = Field(default=0.10, lt=1.0)
    ionic_conductivity_millisiemens_per_cm: Positive | None = None
    electronic_conductivity_millisiemens_per_cm: Positive | None = None
    volume_variant: str | None = Field(
        default=None, description="which volume-change data of the material to use"
    )
    locked_capacity_mah_per_g: NonNegative | None = Field(
        default=None, description="overrides the material (positive electrode)"
    )
    first_lithiation_loss_mah_per_g: NonNegative | None = Field(
        default=None, description="overrides the material (negative electrode)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.loading_mg_per_cm2 is not None and self.composite_mass_mg is not None:
            msg = "give loading_mg_per_cm2 or composite_mass_mg, not both"
            raise ValueError(msg)
        total = sum(self.mass_fractions.values())
        whole = 100.0 if total > 2.0 else 1.0
        if abs(total / whole - 1.0) > SUM_TOLERANCE:
            parts = " + ".join(f"{v:g}" for v in self.mass_fractions.values())
            msg = (
                f"mass_fractions add up to {total:g} ({parts}), not to {whole:g}; "
                "correct the recipe, parts are not rescaled silently"
            )
            raise ValueError(msg)
        return self

    @property
    def material_name(self) -> str:
        """Name of the active material, the key of `mass_fractions`."""
        if isinstance(self.material, CurveFile):
            return self.material.name
        return self.material.rsplit("/", 1)[-1].removesuffix(".toml")

    @property
    def fractions(self) -> dict[str, float]:
        """Mass fractions that add up to 1."""
        total = sum(self.mass_fractions.values())
        return {name: part / total for name, part in self.mass_fractions.items()}

    @property
    def active_fraction(self) -> float:
        """Mass of active material per mass of composite."""
        return self.fractions[self.material_name]

    @property
    def area_cm2(self) -> float:
        """Geometric area of this electrode."""
        return disc_area_cm2(self.diameter_mm)

    @property
    def has_mass(self) -> bool:
        """Whether the specification fixes the mass of this electrode."""
        return self.loading_mg_per_cm2 is not None or self.composite_mass_mg is not None

    @property
    def active_mass_mg(self) -> float | None:
        """Active mass that the specification fixes, None if the balance does."""
        if self.loading_mg_per_cm2 is not None:
            return self.loading_mg_per_cm2 * self.area_cm2
        if self.composite_mass_mg is not None:
            return self.composite_mass_mg * self.active_fraction
        return None


@dataclass(frozen=True, slots=True)
class Electrode:
    """A specified electrode together with its material and curves.

    Attributes
    ----------
    density_g_per_cm3
        Of the pore-free composite, from the densities of its parts.
    variants
        Other readings of the open-circuit curve, for bands; may be empty.
    """

    spec: ElectrodeSpec
    material: Material
    half_cell: HalfCell
    density_g_per_cm3: float
    variants: dict[str, HalfCell] = field(default_factory=dict[str, "HalfCell"])

    def thickness_um(self, active_mass_mg: float) -> float:
        """Thickness of the layer that holds `active_mass_mg`, pores included."""
        areal = active_mass_mg / self.spec.active_fraction / self.spec.area_cm2
        solid = self.density_g_per_cm3 * (1.0 - self.spec.porosity_fraction)
        return areal / solid * 10.0


def solid_density_g_per_cm3(
    fractions: dict[str, float], densities_g_per_cm3: dict[str, float]
) -> float:
    """Pore-free density of a mixture given by mass fractions that add up to 1."""
    return 1.0 / sum(w / densities_g_per_cm3[name] for name, w in fractions.items())
