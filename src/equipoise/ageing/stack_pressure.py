"""Stack pressure: holds contacts together."""

from __future__ import annotations

from pydantic import Field

from equipoise.core.errors import SpecError
from equipoise.spec.frozen import Frozen, Positive
from equipoise.spec.kinetics import NonNegativeNumber


class StackPressure(Frozen):
    """Hazard of contact loss against stack pressure.

    ``hazard(p) = hazard(p_ref) (p_ref / p)**exponent``: our choice. All numbers of
    zhang2026 are at 81 MPa, so nothing there can determine the exponent.
    """

    reference_mpa: Positive = 81.0
    exponent: NonNegativeNumber = Field(description="0: pressure does not matter")

    def hazard_ratio(self, stack_pressure_mpa: float | None) -> float:
        """Hazard over that at the reference pressure.

        Raises
        ------
        SpecError
            If the cell states no pressure, or none at all.
        """
        if self.exponent.value == 0.0:
            return 1.0
        if stack_pressure_mpa is None or stack_pressure_mpa <= 0.0:
            raise SpecError(
                f"the ageing depends on the stack pressure; the cell has "
                f"{stack_pressure_mpa}",
                where="stack_pressure_mpa",
                remedy="give the cell a stack_pressure_mpa > 0",
            )
        return (self.reference_mpa / stack_pressure_mpa) ** self.exponent.value
