"""The numbers of a protocol and what each of them may be."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from equipoise.spec.frozen import Finite

Count = Annotated[int, Field(ge=1, strict=True)]
_RATE = re.compile(r"\s*(?:C\s*/\s*([\d.]+)|([\d.]+)\s*C)\s*", re.IGNORECASE)


def _not_a_word(given: object, info: ValidationInfo) -> object:
    """Say how 2C and C/5 are written: the unit is in the key."""
    found = _RATE.fullmatch(given) if isinstance(given, str) else None
    try:
        rate = found and (1.0 / float(found[1]) if found[1] else float(found[2]))
    except (ValueError, ZeroDivisionError):
        return given
    if not rate:
        return given
    msg = f"{given!r} is text, not a number; write {info.field_name} = {rate:.6g}"
    raise ValueError(msg)


CRate = Annotated[
    float,
    Field(gt=0.0, le=1000.0, allow_inf_nan=False, strict=True),
    BeforeValidator(_not_a_word),
]
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
