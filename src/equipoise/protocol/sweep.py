"""A step that measures the impedance of the cell, as it is at that moment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from equipoise.spec.frozen import Frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POINTS = 10_000
"""Of one spectrum; a measured one has about a hundred."""

Hertz = Annotated[float, Field(gt=0.0, le=1e12, allow_inf_nan=False, strict=True)]


class Eis(Frozen):
    """Impedance from a high to a low frequency; it takes no time.

    The defaults are those of zhang2026, sec. 4.10, with 10 points per decade.
    """

    do: Literal["eis"] = "eis"
    highest_frequency_hertz: Hertz = 1e6
    lowest_frequency_hertz: Hertz = 0.1
    points_per_decade_count: Annotated[int, Field(ge=1, strict=True)] = 10

    @model_validator(mode="after")
    def _falls(self) -> Self:
        high, low = self.highest_frequency_hertz, self.lowest_frequency_hertz
        if not high > low:
            msg = (
                f"highest_frequency_hertz = {high:g} must lie above "
                f"lowest_frequency_hertz = {low:g}; a sweep begins at the highest"
            )
            raise ValueError(msg)
        if self.points_count > MOST_POINTS:
            msg = (
                f"this spectrum would have {self.points_count:,} points, at most "
                f"{MOST_POINTS:,} are possible; lower points_per_decade_count"
            )
            raise ValueError(msg)
        return self

    @property
    def points_count(self) -> int:
        """Number of frequencies, both ends included."""
        return 1 + max(1, round(self._decades * self.points_per_decade_count))

    @property
    def _decades(self) -> float:
        return math.log10(self.highest_frequency_hertz / self.lowest_frequency_hertz)

    @property
    def frequency_hertz(self) -> NDArray[np.float64]:
        """Frequencies from the highest to the lowest, equally far apart in log f."""
        return np.geomspace(
            self.highest_frequency_hertz,
            self.lowest_frequency_hertz,
            self.points_count,
        )

    @property
    def label(self) -> str:
        """How a table names the step: ``eis 1 MHz to 100 mHz``."""
        high, low = self.highest_frequency_hertz, self.lowest_frequency_hertz
        return f"eis {_with_prefix(high)} to {_with_prefix(low)}"


def _with_prefix(hertz: float) -> str:
    """A frequency with the prefix of its size."""
    for size, prefix in ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m")):
        if hertz >= size * (1.0 - 1e-9):
            return f"{hertz / size:g} {prefix}Hz"
    return f"{hertz * 1e6:g} µHz"
