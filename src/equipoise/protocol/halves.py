"""Steps at constant current: a charge, a discharge, or half of a cycle."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.quantities import CRate, Hours, Seconds, Volt
from equipoise.spec.frozen import Frozen, Positive


def keys_given(step: Frozen, *keys: str) -> list[str]:
    """Those of the keys that are there."""
    return [k for k in keys if getattr(step, k) is not None]


def at_most_one(step: Frozen, *keys: str) -> None:
    """Refuse keys that say the same thing twice.

    Raises
    ------
    ValueError
        If more than one of them is there.
    """
    if len(given := keys_given(step, *keys)) > 1:
        msg = f"give one of {', '.join(keys)}; given are {' and '.join(given)}"
        raise ValueError(msg)


class Rated(Frozen):
    """A constant current, by one of four keys; always > 0, the step has the sign."""

    c_rate: CRate | None = Field(default=None, description="by the cell's own 1C")
    current_ma: Positive | None = Field(default=None, description="of the cell")
    current_ma_per_cm2: Positive | None = Field(
        default=None, description="per area of the positive"
    )
    current_ma_per_g_positive: Positive | None = Field(
        default=None, description="per active mass of the positive"
    )

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        keys = tuple(Rated.model_fields)
        at_most_one(self, *keys)
        if not keys_given(self, *keys):
            msg = f"a current is missing; give one of {', '.join(keys)}"
            raise ValueError(msg)
        return self


class Half(Rated):
    """A half cycle at constant current; it ends at the first limit it meets."""

    until_capacity_mah_per_g_positive: Positive | None = Field(
        default=None, description="passed in this step"
    )
    until_time_hour: Hours | None = None
    until_time_second: Seconds | None = None
    until_positive_potential_vs_li_volt: Volt | None = None
    until_negative_potential_vs_li_volt: Volt | None = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        at_most_one(self, "until_time_hour", "until_time_second")
        return self


class Charge(Half):
    """Charge at constant current, at most to the window's upper end."""

    do: Literal["charge"] = "charge"
    until_voltage_volt: Volt | None = Field(
        default=None, description="default: the window's upper end"
    )


class Discharge(Half):
    """Discharge at constant current, at most to the window's lower end."""

    do: Literal["discharge"] = "discharge"
    until_voltage_volt: Volt | None = Field(
        default=None, description="default: the window's lower end"
    )


class FirstHalf(Half):
    """The half cycle that a cell begins with: a charge, or a discharge."""

    do: Literal["first_half"] = "first_half"


class SecondHalf(Half):
    """The half cycle that leads back, to the other end of the window."""

    do: Literal["second_half"] = "second_half"
