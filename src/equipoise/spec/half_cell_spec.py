"""A half cell: one working electrode against a counter of constant potential."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from equipoise.spec.cell import Component, KineticsGiven, Origin, Separator, Window
from equipoise.spec.electrode import Electrode, ElectrodeSpec
from equipoise.spec.frozen import Finite, Frozen, Name, NonNegative, Positive

if TYPE_CHECKING:
    from equipoise.spec.kinetics import CellKinetics
    from equipoise.spec.material import Material


class HalfCellSpec(Frozen):
    """A half cell; the window is the voltage of working minus counter electrode."""

    name: Name
    temperature_celsius: Finite = Field(default=25.0, ge=-60.0, le=200.0)
    stack_pressure_mpa: NonNegative | None = None
    window: Window
    working: ElectrodeSpec
    counter: str = Field(description="library name of a counter electrode")
    separator: Separator
    components: dict[str, Component] = Field(default_factory=dict)
    origin: Origin = Origin()
    one_c_ma_per_g: Positive | None = None
    kinetics: KineticsGiven = Field(
        default=None, description="rates of both electrodes, as in a full cell"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.working.has_mass:
            msg = "working: loading_mg_per_cm2 or composite_mass_mg is missing"
            raise ValueError(msg)
        if self.origin.calibrated:
            msg = "origin.calibrated: a half cell has no calibrated outputs"
            raise ValueError(msg)
        return self


@dataclass(frozen=True, slots=True)
class HalfCellSetup:
    """A half cell with its materials and curves looked up.

    The kinetics hold both electrodes; the kind of the working material says which of
    them is the working electrode.
    """

    spec: HalfCellSpec
    working: Electrode
    counter: Material
    counter_potential_vs_li_volt: float
    where: str = ""
    kinetics: CellKinetics | None = None
