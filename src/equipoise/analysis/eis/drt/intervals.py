"""Credible band of a distribution: the posterior of its weights, sampled exactly.

With Gaussian noise of one standard deviation s for all residuals (as DRTtools; s is
that of the residuals) and the penalty as a prior, the weights are normal with
``S^-1 = (A' A + lambda M) / s^2``, cut off at zero. The band says how far noise and
prior let gamma move; not whether tail, lambda or range are right: see `resistances`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.distribution import weight_of
from equipoise.analysis.eis.drt.problem import problem_of
from equipoise.analysis.eis.drt.ranges import PAPER_RANGES
from equipoise.core.errors import FitError, SpecError
from equipoise.kernels.truncated import sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.drt.distribution import Distribution
    from equipoise.analysis.eis.drt.ranges import TauRange

Array = NDArray[np.float64]

FIRST_DROPPED = 100
"""Samples until the start is forgotten; where few walls bind neighbours are
uncorrelated, where many do (mean far below zero) they are not."""
LEAST_SAMPLES, MOST_SAMPLES = 100, 100_000
MOST_BOUNCES = 10_000_000
"""Off the walls x = 0, for a thousand samples: about three seconds. Cells with a tail
need a few per cent of it; where a spectrum is one clean arc nearly all weights are
zero, and the walls are everywhere."""
POINTS_PER_DECADE = 20


@dataclass(frozen=True, slots=True)
class RangeInterval:
    """Posterior of the resistance of one range.

    Attributes
    ----------
    mean_ohm, low_ohm, high_ohm
        Mean, and the ends that hold `CredibleBand.level_fraction` of the samples.
    """

    tau_range: TauRange
    mean_ohm: float
    low_ohm: float
    high_ohm: float


@dataclass(frozen=True, slots=True, eq=False)
class CredibleBand:
    """Pointwise credible interval of gamma.

    Attributes
    ----------
    tau_second
        Shape (n,).
    mean_ohm, low_ohm, high_ohm
        Of gamma per unit of ln tau, shape (n,).
    level_fraction
        Share of the samples inside, e.g. 0.99.
    ranges
        The same for integrals over ranges.
    samples_count
        How many were drawn: fewer than asked for where that would take too long.
    residual_spread_ohm
        s.
    """

    tau_second: Array
    mean_ohm: Array
    low_ohm: Array
    high_ohm: Array
    level_fraction: float
    ranges: tuple[RangeInterval, ...]
    samples_count: int
    residual_spread_ohm: float


def credible_band(
    distribution: Distribution,
    *,
    samples_count: int = 1000,
    level_fraction: float = 0.99,
    ranges: Sequence[TauRange] = PAPER_RANGES,
    seed: int = 0,
) -> CredibleBand:
    """Sample the posterior of a distribution.

    Parameters
    ----------
    samples_count
        100 to 100,000.
    seed
        Of the random numbers: the same seed gives the same band.

    Raises
    ------
    SpecError
        If the count or the level is out of range.
    FitError
        If the posterior has no finite width (basis functions too wide), or cannot be
        sampled because nearly all weights are zero.

    References
    ----------
    effat2017; pakman2014; liu2020.
    """
    if not LEAST_SAMPLES <= samples_count <= MOST_SAMPLES:
        raise SpecError(
            f"samples_count = {samples_count}",
            remedy=f"give {LEAST_SAMPLES} to {MOST_SAMPLES:,}",
        )
    if not 0.0 < level_fraction < 1.0:
        raise SpecError(f"level_fraction = {level_fraction:g}", remedy="e.g. 0.99")
    columns, spread = _samples(distribution, samples_count, seed)
    weights = columns[:, : distribution.tau_second.size]
    tau = _axis(distribution)
    y = np.log(tau)[:, None] - np.log(distribution.tau_second)
    gamma = weights @ np.exp(-((distribution.shape_factor_ratio * y) ** 2)).T
    tails = 0.5 * (1.0 - level_fraction)
    low, high = np.quantile(gamma, [tails, 1.0 - tails], axis=0)
    found: list[RangeInterval] = []
    for r in ranges:
        own = weights @ distribution.window_weights(r.shortest_second, r.longest_second)
        ends = np.quantile(own, [tails, 1.0 - tails])
        found.append(
            RangeInterval(r, float(own.mean()), float(ends[0]), float(ends[1]))
        )
    return CredibleBand(
        tau,
        gamma.mean(axis=0),
        low,
        high,
        level_fraction,
        tuple(found),
        columns.shape[0],
        spread,
    )


def _samples(d: Distribution, count: int, seed: int) -> tuple[Array, float]:
    """Samples of all columns, shape (count, M + k), and s in ohm."""
    spectrum = d.spectrum
    weight = weight_of(spectrum, d.settings)
    problem = problem_of(spectrum.frequency_hertz, d.settings, d.tail, weight=weight)
    if problem.inverse is None:
        raise FitError(
            f"with a shape factor of {d.shape_factor_ratio:.3g} the basis functions "
            "are so wide that the weights have no finite posterior",
            where=spectrum.label,
            remedy="use the FWHM coefficient 0.5, or a larger lambda",
        )
    residual = d.residual_ohm if weight is None else d.residual_ohm * weight
    spread = float(np.std(np.concatenate([residual.real, residual.imag])))
    spread = max(spread, 1e-12 * float(np.abs(spectrum.impedance_ohm).max()))
    middle = problem.inverse @ problem.right_sides(spectrum.impedance_ohm[None, :])[0]
    covariance = 0.5 * spread**2 * (problem.inverse + problem.inverse.T)
    start = d.columns / problem.scale
    start = start + 1e-9 * max(float(start.max()), 1e-300)
    normals = np.random.default_rng(seed).standard_normal(
        (count + FIRST_DROPPED, middle.size)
    )
    out = np.empty_like(normals)
    drawn = sample(
        middle,
        covariance,
        np.linalg.cholesky(covariance),
        start,
        normals,
        out,
        np.empty((3, middle.size)),
        int(MOST_BOUNCES * max(1.0, count / 1000.0)),
    )
    if drawn < FIRST_DROPPED + LEAST_SAMPLES:
        raise FitError(
            "the posterior of the distribution cannot be sampled in reasonable time: "
            "nearly all of its weights are held at zero",
            where=spectrum.label,
            remedy="a spectrum of one clean arc, or without noise, needs no credible "
            "band: fit a circuit",
        )
    return out[FIRST_DROPPED:drawn] * problem.scale, spread


def _axis(d: Distribution) -> Array:
    decades = float(np.log10(d.tau_second[-1] / d.tau_second[0]))
    count = int(np.ceil(POINTS_PER_DECADE * decades)) + 1
    return np.geomspace(d.tau_second[0], d.tau_second[-1], count)
