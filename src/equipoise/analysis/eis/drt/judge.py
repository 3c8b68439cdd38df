"""Which tails the data support, and what every choice does to the resistances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, nan, pi
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.tails import EXPONENTS, WARBURG

if TYPE_CHECKING:
    from equipoise.analysis.eis.drt.distribution import Distribution
    from equipoise.analysis.eis.drt.ranges import TauRange

Array = NDArray[np.float64]

REFUTED = 15.0
"""Of n ln(objective / best): a tail this much worse is refuted (odds of 1 to 1800)."""

WARBURG_LEAD = 6.0
"""Of n ln(objective) + k ln n: within it a Warburg tail is taken for the value."""

LAMBDA_FACTORS = 0.1, 10.0
"""Of lambda, for the band."""

POOR_PERCENT = 3.0
"""Root mean square residual from which on a fit is said to be poor."""

CLOSE = 1.01
"""A range ends within the data if it does within a per cent."""

UNRESOLVED_FRACTION = 0.05
"""Of Re Z at the highest frequency: a smaller R_inf was not seen."""

WIDE_DECADES = 2.0
"""Of |Z|: residuals in ohm then leave the small end of the spectrum to chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Ensemble:
    """Distributions of one spectrum with all tails, weighed.

    Attributes
    ----------
    fits
        One per tail.
    ranges
        Of time constants.
    misfit_ratio
        Objective over the smallest, shape (T,).
    supported
        Not refuted, shape (T,).
    best
        Index of the tail of the value.
    values_ohm
        Integrals over each range, shape (T, R, 5): as asked for; with the lower end
        moved down and up by half the resolution; with the upper end moved so.
    at_other_lambda_ohm
        With smaller and larger lambda and the best tail, shape (2, R).
    """

    fits: list[Distribution]
    ranges: tuple[TauRange, ...]
    misfit_ratio: Array
    supported: NDArray[np.bool_]
    best: int
    values_ohm: Array
    at_other_lambda_ohm: Array

    @classmethod
    def of(cls, fits: list[Distribution], ranges: tuple[TauRange, ...]) -> Self:
        """Weigh the tails of one spectrum."""
        objective = np.maximum([f.objective for f in fits], np.finfo(float).tiny)
        count = effective_count(fits[0])
        worse = count * np.log(objective / objective.min())
        supported = worse <= REFUTED
        best = _best(fits, worse, count)
        values = np.stack([_integrals(f, ranges) for f in fits])
        others = np.stack(
            [
                _integrals(_at_lambda(fits[best], factor), ranges)[:, 0]
                for factor in LAMBDA_FACTORS
            ]
        )
        ratio = objective / objective.min()
        return cls(fits, ranges, ratio, supported, best, values, others)

    def end_changes_ohm(self, k: int) -> Array:
        """What either end does to range k, shape (T, 2, 2): end; down and up, ohm."""
        changes = self.values_ohm[:, k, 1:] - self.values_ohm[:, k, :1]
        pairs = changes.reshape(-1, 2, 2)
        lowest = np.minimum(pairs.min(axis=2), 0.0)
        highest = np.maximum(pairs.max(axis=2), 0.0)
        return np.stack([lowest, highest], axis=2)

    def band_ohm(self, k: int, noise_ohm: float) -> tuple[float, float]:
        """Band of range k.

        Around every supported tail the independent causes (either end of the range,
        lambda, the noise) add up as squares; the band holds them all. Where the data
        end before the slowest range, a tail may stand for reactions: then no tail is
        refuted, and a range that goes on beyond the data has no upper end. A range
        that was not measured at all has neither.
        """
        if self.outside(k):
            return nan, nan
        centre = self.values_ohm[:, k, 0]
        by_lambda = self.at_other_lambda_ohm[:, k] - centre[self.best]
        extremes = min(float(by_lambda.min()), 0.0), max(float(by_lambda.max()), 0.0)
        ends = (self.end_changes_ohm(k) ** 2).sum(axis=1)
        low, high = (
            np.sqrt(ends[:, side] + extremes[side] ** 2 + noise_ohm**2)
            for side in (0, 1)
        )
        inside = self.supported if self.complete else np.ones_like(self.supported)
        bottom = max(float((centre - low)[inside].min()), 0.0)
        if self.beyond(k):
            return bottom, inf
        return bottom, float((centre + high)[inside].max())

    @property
    def _measured_second(self) -> tuple[float, float]:
        omega = self.fits[0].spectrum.angular_frequency
        return 1.0 / float(omega[0]), 1.0 / float(omega[-1])

    def outside(self, k: int) -> bool:
        """Whether no time constant of range k was measured."""
        fastest, slowest = self._measured_second
        r = self.ranges[k]
        return r.shortest_second >= slowest or r.longest_second <= fastest

    def beyond(self, k: int) -> bool:
        """Whether range k has an end, and goes on where the data end."""
        longest = self.ranges[k].longest_second
        return isfinite(longest) and longest > CLOSE * self._measured_second[1]

    @property
    def complete(self) -> bool:
        """Whether the data reach the end of the slowest range that has one."""
        return not any(self.beyond(k) for k in range(len(self.ranges)))


def effective_count(fit: Distribution) -> float:
    """Independent data: residuals in ohm weigh points by |Z|, as the noise does."""
    if fit.settings.weighting == "modulus":
        return 2.0 * fit.spectrum.points_count
    size = np.abs(fit.spectrum.impedance_ohm)
    square = (size / size.max()) ** 2
    return 2.0 * float(square.sum() ** 2 / (square**2).sum())


def _best(fits: list[Distribution], worse: Array, count: float) -> int:
    extra = np.array([f.tail.parameters_count for f in fits])
    score = worse + extra * np.log(count)
    best = int(np.argmin(score))
    for i, f in enumerate(fits):
        if f.tail == WARBURG and score[i] - score[best] < WARBURG_LEAD:
            return i
    return best


def _integrals(fit: Distribution, ranges: tuple[TauRange, ...]) -> Array:
    """Shape (R, 5): the range itself, then one of its ends moved."""
    half = 10.0 ** (0.5 * fit.full_width_decades_count)
    back = 1.0 / half
    moves = ((1.0, 1.0), (back, 1.0), (half, 1.0), (1.0, back), (1.0, half))
    weights = [
        fit.window_weights(r.shortest_second * a, r.longest_second * b)
        for r in ranges
        for a, b in moves
    ]
    found = np.stack(weights) @ fit.weights_ohm
    return np.maximum(found, 0.0).reshape(len(ranges), len(moves))


def _at_lambda(fit: Distribution, factor: float) -> Distribution:
    changed = replace(
        fit.settings,
        regularisation_ratio=factor * fit.settings.regularisation_ratio,
    )
    return distribution(fit.spectrum, changed, tail=fit.tail)


def _which(exponent: float | None) -> str:
    return "smallest" if exponent == EXPONENTS[0] else "largest"


def notes_of(ensemble: Ensemble) -> tuple[str, ...]:
    """What limits the answer: ranges beyond the data, a poor fit, lost points."""
    best = ensemble.fits[ensemble.best]
    spectrum = best.spectrum
    fastest = 1.0 / float(spectrum.angular_frequency[0])
    slowest = 1.0 / float(spectrum.angular_frequency[-1])
    said: list[str] = []
    for k, r in enumerate(ensemble.ranges):
        if ensemble.outside(k):
            said.append(
                f"{r.symbol} ({r.text}) lies wholly outside the time constants that "
                f"were measured ({fastest:.2g} to {slowest:.2g} s): it is not known"
            )
            continue
        if ensemble.beyond(k):
            said.append(
                f"{r.symbol} reaches to {r.longest_second:g} s, the data only to "
                f"{slowest:.2g} s: the value is the measured part, without upper end. "
                f"Measure down to {1.0 / (2.0 * pi * r.longest_second):.2g} Hz"
            )
        if 0.0 < r.shortest_second < fastest / CLOSE:
            said.append(
                f"{r.symbol} begins at {r.shortest_second:g} s, the data at "
                f"{fastest:.2g} s: what is faster may be part of R_inf"
            )
    if not ensemble.complete:
        said.append(
            "the data end before the slowest range does: the tail also stands for "
            "slower reactions and may take part of every range; no tail is refuted"
        )
    if best.tail.exponent_ratio in (EXPONENTS[0], EXPONENTS[-1]):
        said.append(
            f"the best tail has the {_which(best.tail.exponent_ratio)} exponent tried: "
            "it may stand for reactions or a capacitor"
        )
    first = float(spectrum.impedance_ohm.real[0])
    if best.series_resistance_ohm < UNRESOLVED_FRACTION * first:
        said.append(
            f"R_inf is not resolved: Re Z is {first:.3g} ohm at the highest frequency, "
            "and the fit gives it to relaxations faster than the data"
        )
    if best.discarded_count:
        said.append(f"{best.discarded_count} inductive points were discarded")
    if best.residual_percent > POOR_PERCENT:
        said.append(
            f"the fit is off by {best.residual_percent:.2g} % of |Z|: the spectrum is "
            "noisy, drifts, or has features that relaxations cannot describe"
        )
    size = np.abs(spectrum.impedance_ohm)
    wide = float(np.log10(size.max() / size.min()))
    if wide > WIDE_DECADES and best.settings.weighting == "unit":
        said.append(
            f"|Z| spans {wide:.1f} decades: residuals in ohm say little about "
            'the small end; compare with weighting "modulus"'
        )
    return tuple(said)
