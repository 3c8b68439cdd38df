"""What is known of a measured cell besides its data: masses, areas, reference."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.core.references import REFERENCES, reference_potential
from equipoise.spec.frozen import Finite, Frozen, Name, NonNegative, Positive

Efficiency = Literal["discharge/charge", "charge/discharge"]
"""Which capacity is divided by which; the second is that of a half cell whose working
electrode is built full of charge (LTO): what comes back over what went in."""


class CellRecord(Frozen):
    """Metadata of one measured (or simulated) cell; every key may be left out.

    Specific capacities are per gram of positive active material (CAM), in a half cell
    of the working electrode: they need `positive_active_mass_mg`.
    """

    name: Name | None = Field(default=None, description="of the cell")
    group: Name | None = Field(
        default=None, description="cells of one design, such as LB: compared as one"
    )
    replicate: Name | None = Field(
        default=None, description="which cell of the group, such as 1 or A"
    )
    positive_active_mass_mg: Positive | None = None
    negative_active_mass_mg: Positive | None = None
    positive_area_cm2: Positive | None = None
    negative_area_cm2: Positive | None = None
    np_ratio: Positive | None = None
    one_c_ma: Positive | None = Field(
        default=None, description="current of 1C; C-rates are currents over it"
    )
    one_c_ma_per_g_positive: Positive | None = Field(
        default=None, description="the same per gram of positive active material"
    )
    reference_electrode: str | None = Field(
        default=None, description=f"one of {', '.join(sorted(REFERENCES))}, or other"
    )
    reference_potential_vs_li_volt: Finite | None = Field(
        default=None, description="if the electrode is not known, or measured otherwise"
    )
    efficiency: Efficiency = "discharge/charge"
    temperature_celsius: Finite | None = None
    stack_pressure_mpa: NonNegative | None = None
    notes: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.one_c_ma is not None and self.one_c_ma_per_g_positive is not None:
            mass = self.positive_active_mass_mg
            if mass is not None:
                other = self.one_c_ma_per_g_positive * mass * 1e-3
                if abs(other - self.one_c_ma) > 1e-3 * self.one_c_ma:
                    msg = (
                        f"one_c_ma = {self.one_c_ma:g} contradicts "
                        f"one_c_ma_per_g_positive = {self.one_c_ma_per_g_positive:g}, "
                        f"which is {other:g} mA for {mass:g} mg"
                    )
                    raise ValueError(msg)
        known = self.reference_electrode in (None, *REFERENCES)
        if not known and self.reference_potential_vs_li_volt is None:
            msg = (
                f"reference_electrode = {self.reference_electrode!r} is not one of "
                f"{', '.join(sorted(REFERENCES))}: give its "
                "reference_potential_vs_li_volt too"
            )
            raise ValueError(msg)
        return self

    @property
    def label(self) -> str:
        """How figures and tables call the cell: its name, else group and replicate."""
        if self.name is not None:
            return self.name
        return " ".join(p for p in (self.group, self.replicate) if p) or "cell"

    @property
    def one_c_ampere(self) -> float | None:
        """Current of 1C; None if it is not known."""
        if self.one_c_ma is not None:
            return self.one_c_ma * 1e-3
        mass, per_gram = self.positive_active_mass_mg, self.one_c_ma_per_g_positive
        if mass is None or per_gram is None:
            return None
        return mass * per_gram * 1e-6

    @property
    def reference_shift_volt(self) -> float | None:
        """What to add to a potential against the reference to have it vs Li+/Li."""
        if self.reference_potential_vs_li_volt is not None:
            return self.reference_potential_vs_li_volt
        if self.reference_electrode is None:
            return None
        return reference_potential(self.reference_electrode)
