"""Where a number comes from."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from equipoise.spec.frozen import Finite, Frozen


class Evidence(StrEnum):
    """How well a number is supported, best first."""

    MEASURED = "measured"  # the user's own curve
    USER = "user"  # declared in the user's own file
    PAPER = "paper"  # printed in the article the cell is taken from
    PUBLIC = "public"  # seen in a named public source
    COMPUTED = "computed"  # follows from other sourced numbers
    FITTED = "fitted"  # our fit to named public data
    CALIBRATED = "calibrated"  # adjusted so that the model meets named measurements
    TEXTBOOK = "textbook"  # handed down, not looked up
    ASSUMED = "assumed"  # our choice; a sensitivity, not a fact


class Sourced(Frozen):
    """A number with its source, its evidence class and, if known, its range."""

    value: Finite
    source: str = Field(min_length=3, description="bib key with place, or file")
    evidence: Evidence
    low: Finite | None = None
    high: Finite | None = None
    note: str = ""
