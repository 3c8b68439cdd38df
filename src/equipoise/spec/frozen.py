"""The base of every specification: immutable and closed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# strict: TOML is typed, so "2.75" in quotes is a mistake and not a number.
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False, strict=True)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False, strict=True)]
Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False, strict=True)]
Name = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f\ufffe\uffff]+$")]
"""What a person calls a cell: anything printable, on one line."""


class Frozen(BaseModel):
    """Immutable and closed: an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
