"""The step language of a protocol, as a user writes it (TOML, units in the keys).

::

    name = "my-rate-test"
    [[steps]]
    do = "cycle"
    c_rate = 0.2
    count = 3
    [[steps]]
    do = "charge"
    c_rate = 1
    until_positive_potential_vs_li_volt = 4.2

See docs/howto/protocols.md for every key.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.halves import (
    Charge,
    Discharge,
    FirstHalf,
    Half,
    SecondHalf,
    at_most_one,
    keys_given,
)
from equipoise.protocol.quantities import (
    Count,
    CRate,
    Hours,
    NonNegativeHours,
    Seconds,
    Volt,
)
from equipoise.protocol.sweep import Eis
from equipoise.spec.frozen import Frozen, Name, Positive

__all__ = [
    "AnyStep",
    "Charge",
    "Cycle",
    "Discharge",
    "Eis",
    "FirstHalf",
    "Half",
    "Hold",
    "Protocol",
    "Repeat",
    "Rest",
    "SecondHalf",
    "Step",
]

MOST_STEPS = 1_000_000
"""Of a protocol as written out: about a hundred megabytes of program."""

Direction = Literal["charge", "discharge"]


class Hold(Frozen):
    """Constant voltage until the current has fallen, or for a time."""

    do: Literal["hold"] = "hold"
    voltage_volt: Volt | None = Field(
        default=None, description="default: the voltage limit of the step before"
    )
    until_c_rate: CRate | None = None
    until_current_ma: Positive | None = None
    until_time_hour: Hours | None = None
    until_time_second: Seconds | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        currents = ("until_c_rate", "until_current_ma")
        times = ("until_time_hour", "until_time_second")
        at_most_one(self, *currents)
        at_most_one(self, *times)
        if not keys_given(self, *currents, *times):
            msg = (
                "this hold would never end; give one of "
                f"{', '.join((*currents, *times))}"
            )
            raise ValueError(msg)
        return self


class Rest(Frozen):
    """No current."""

    do: Literal["rest"] = "rest"
    time_hour: Hours | None = None
    time_second: Seconds | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        at_most_one(self, "time_hour", "time_second")
        if not keys_given(self, "time_hour", "time_second"):
            msg = "this rest would never end; give time_hour or time_second"
            raise ValueError(msg)
        return self


class Cycle(Frozen):
    """Charge and discharge (or the reverse) between the ends of the window."""

    do: Literal["cycle"] = "cycle"
    c_rate: CRate | None = Field(default=None, description="of both halves")
    charge_c_rate: CRate | None = None
    discharge_c_rate: CRate | None = None
    rest_hour: NonNegativeHours = Field(default=0.0, description="after each half")
    hold_until_c_rate: CRate | None = Field(
        default=None, description="constant voltage after the charge"
    )
    count: Count = 1

    @model_validator(mode="after")
    def _rates(self) -> Self:
        own = keys_given(self, "charge_c_rate", "discharge_c_rate")
        if self.c_rate is not None and own:
            msg = f"give c_rate or {' and '.join(own)}, not both"
            raise ValueError(msg)
        if self.c_rate is None and len(own) < 2:
            msg = "give c_rate, or both charge_c_rate and discharge_c_rate"
            raise ValueError(msg)
        return self


class Repeat(Frozen):
    """The same steps again and again."""

    do: Literal["repeat"] = "repeat"
    count: Count
    stop_when_voltage_reached: bool = Field(
        default=False,
        strict=True,
        description="leave when a charge or discharge in it ends by its voltage",
    )
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _can_stop(self) -> Self:
        if self.stop_when_voltage_reached:
            inside = list(_leaves(self.steps))
            if any(isinstance(s, Cycle) for s in inside):
                msg = (
                    "stop_when_voltage_reached: a cycle ends at its voltage limits, so "
                    "this would stop in the first one; write charge or discharge steps"
                )
                raise ValueError(msg)
            if not any(isinstance(s, Half) for s in inside):
                msg = (
                    "stop_when_voltage_reached: there is no charge or discharge among "
                    "these steps that could reach its voltage"
                )
                raise ValueError(msg)
        return self


AnyStep = (
    Charge | Discharge | FirstHalf | SecondHalf | Hold | Rest | Eis | Cycle | Repeat
)
Step = Annotated[AnyStep, Field(discriminator="do")]
Repeat.model_rebuild()


class Protocol(Frozen):
    """A test as a sequence of steps."""

    name: Name
    description: str = ""
    first: Direction | None = Field(
        default=None, description="what a cycle starts with; default: the cell's"
    )
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.step_count > MOST_STEPS:
            msg = (
                f"written out these are {self.step_count:,} steps, at most "
                f"{MOST_STEPS:,} are possible; lower a count"
            )
            raise ValueError(msg)
        return self

    @property
    def step_count(self) -> int:
        """Number of steps as written out."""
        return _written(self.steps)


def _leaves(steps: tuple[AnyStep, ...]) -> list[AnyStep]:
    """All steps, those within repeats too, without the repeats."""
    found: list[AnyStep] = []
    for step in steps:
        found += _leaves(step.steps) if isinstance(step, Repeat) else [step]
    return found


def _written(steps: tuple[AnyStep, ...]) -> int:
    count = 0
    for step in steps:
        match step:
            case Repeat():
                count += step.count * _written(step.steps)
            case Cycle():
                hold = step.hold_until_c_rate is not None
                rests = 2 if step.rest_hour > 0.0 else 0
                count += step.count * (2 + hold + rests)
            case _:
                count += 1
    return count
