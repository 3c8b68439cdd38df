"""How a distribution of relaxation times is computed."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from equipoise.core.errors import SpecError

Collocation = Literal["extended", "drttools"]
Inductance = Literal["fit", "none", "discard"]
Weighting = Literal["unit", "modulus"]
Derivative = Literal[1, 2]
WHERE = "settings of the distribution of relaxation times"
MOST_DECADES = 6.0
SHAPE_FACTORS = 0.05, 200.0


@dataclass(frozen=True, slots=True)
class DrtSettings:
    """Settings; the defaults are those of the paper, on a better grid.

    Attributes
    ----------
    regularisation_ratio
        lambda. It does not depend on the unit of the impedance, but on the number
        of points: twice as many points per decade halve its weight.
    width_ratio
        "FWHM coefficient" of DRTtools: spacing of ln tau over the full width at half
        maximum of a basis function.
    shape_factor_ratio
        Shape factor epsilon itself, instead of `width_ratio`.
    derivative
        Which derivative of gamma is penalised.
    collocation
        "extended": tau from `short_side_decades_count` below 1 / (2 pi f_max) to
        exactly 1 / (2 pi f_min), spaced as the frequencies; "drttools": tau = 1 / f.
    inductance
        "fit" a series inductance, "none", or "discard" points with Im Z > 0 and
        fit none.
    weighting
        "unit": residuals in ohm, as DRTtools; "modulus": relative to abs(Z), with
        the same sum of weights.

    References
    ----------
    wan2015; paper, sec. 4.10 (lambda 1e-4, "shape factor 0.5").
    """

    regularisation_ratio: float = 1e-4
    width_ratio: float = 0.5
    shape_factor_ratio: float | None = None
    derivative: Derivative = 1
    collocation: Collocation = "extended"
    short_side_decades_count: float = 1.0
    inductance: Inductance = "fit"
    weighting: Weighting = "unit"

    def __post_init__(self) -> None:
        _require_positive("regularisation_ratio", self.regularisation_ratio)
        _require_positive("width_ratio", self.width_ratio)
        if not 0.0 <= self.short_side_decades_count <= MOST_DECADES:
            raise SpecError(
                f"short_side_decades_count = {self.short_side_decades_count:g}",
                where=WHERE,
                remedy=f"give 0 to {MOST_DECADES:g}; 1 is usual",
            )
        low, high = SHAPE_FACTORS
        if self.shape_factor_ratio is not None and not (
            low <= self.shape_factor_ratio <= high
        ):
            raise SpecError(
                f"shape_factor_ratio = {self.shape_factor_ratio:g}",
                where=WHERE,
                remedy=f"give {low:g} to {high:g}; 3.6 is usual at 10 per decade",
            )
        _require_one_of("derivative", self.derivative, (1, 2))
        _require_one_of("collocation", self.collocation, ("extended", "drttools"))
        _require_one_of("inductance", self.inductance, ("fit", "none", "discard"))
        _require_one_of("weighting", self.weighting, ("unit", "modulus"))


def _require_positive(key: str, value: float) -> None:
    if not (value > 0.0 and isfinite(value)):
        raise SpecError(
            f"{key} = {value:g} must be > 0 and finite",
            where=WHERE,
            remedy="lambda = 1e-4 and an FWHM coefficient of 0.5 are usual",
        )


def _require_one_of(key: str, value: object, known: tuple[object, ...]) -> None:
    if value not in known:
        raise SpecError(
            f"{key} = {value!r} is not known",
            where=WHERE,
            remedy=f"use one of: {', '.join(map(str, known))}",
        )
