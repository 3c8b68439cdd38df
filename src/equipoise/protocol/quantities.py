"""The numbers of a protocol and what each of them may be."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from equipoise.spec.frozen import Finite

Count = Annotated[int, Field(ge=1, strict=True)]
CRate = Annotated[float, Field(gt=0.0, le=1000.0, allow_inf_nan=False, strict=True)]
# At most a century: a longer one is a wrong unit, and would overflow.
Hours = Annotated[float, Field(gt=0.0, le=876_600.0, allow_inf_nan=False, strict=True)]
Seconds = Annotated[float, Field(gt=0.0, le=3.2e9, allow_inf_nan=False, strict=True)]
NonNegativeHours = Annotated[
    float, Field(ge=0.0, le=876_600.0, allow_inf_nan=False, strict=True)
]


def _not_millivolt(volt: float) -> float:
    if abs(volt) > 10.0:
        msg = f"{volt:g} looks like millivolt, volt expected"
        raise ValueError(msg)
    return volt


Volt = Annotated[Finite, AfterValidator(_not_millivolt)]
