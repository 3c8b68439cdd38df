"""Peaks of a distribution: how many, where, how large."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.problem import FWHM
from equipoise.analysis.eis.drt.ranges import PAPER_RANGES
from equipoise.analysis.eis.drt.shapes import (
    SHAPES,
    Shape,
    full_width,
    shape,
    width_for,
)
from equipoise.analysis.eis.least_squares import minimise
from equipoise.core.errors import SpecError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.drt.distribution import Distribution
    from equipoise.analysis.eis.drt.ranges import TauRange

Array = NDArray[np.float64]

POINTS_PER_DECADE = 40
LEAST_HEIGHT = 0.02
"""Of the highest peak: lower maxima are ripple."""
LEAST_RISE = 0.02
"""Of the highest peak: how far a maximum stands above the valley to a higher one."""
LEAST_SHOULDER = 0.15
"""Curvature of a shoulder over the largest one."""
FURTHEST_LOG = 1.5
"""How far a centre may move from where it was found, in ln tau (0.65 decades)."""
WIDEST_LOG = 7.0
"""Widest full width at half maximum in ln tau, three decades."""
LEAST_AREA = 0.003
"""Of all areas: a smaller peak is nothing, unless its number was asked for."""
MOST_PEAKS = 20
AT_BOUND = 1e-6


@dataclass(frozen=True, slots=True)
class Peak:
    """One relaxation.

    Attributes
    ----------
    tau_second
        Centre.
    resistance_ohm
        Area over ln tau.
    full_width_decades_count
        Full width at half maximum, in decades of tau.
    exponent_ratio
        phi of a ZARC; None for a Gaussian.
    height_ohm
        Gamma at its centre.
    bounded
        Its centre or width ended at a limit of the fit: neither is determined.
    """

    tau_second: float
    resistance_ohm: float
    full_width_decades_count: float
    exponent_ratio: float | None
    height_ohm: float
    bounded: bool = False

    @property
    def frequency_hertz(self) -> float:
        """1 / (2 pi tau)."""
        return 1.0 / (2.0 * np.pi * self.tau_second)

    @property
    def capacitance_farad(self) -> float:
        """Tau / R."""
        return self.tau_second / self.resistance_ohm


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """A distribution as a sum of peaks, rising in tau.

    Attributes
    ----------
    tau_second, gamma_ohm
        Where the sum was fitted, and gamma there, shape (n,).
    residual_ratio
        Norm of what the sum leaves over the norm of gamma.
    """

    shape: Shape
    peaks: tuple[Peak, ...]
    tau_second: Array
    gamma_ohm: Array
    residual_ratio: float

    def curve_ohm(self, peak: Peak, tau_second: Array) -> Array:
        """Gamma of one of the peaks at time constants (s), shape (n,)."""
        y = np.log(tau_second / peak.tau_second)
        return shape(self.shape, y, float(np.log(peak.resistance_ohm)), _width(peak))[0]

    def sum_ohm(self, tau_second: Array) -> Array:
        """Gamma of all peaks at time constants (s), shape (n,)."""
        total = np.zeros(np.shape(tau_second))
        for peak in self.peaks:
            total = total + self.curve_ohm(peak, tau_second)
        return total

    def resistance_in(self, tau_range: TauRange) -> float:
        """Sum of the areas of the peaks whose centre lies in a range, in ohm."""
        return float(
            sum(p.resistance_ohm for p in self.peaks if tau_range.holds(p.tau_second))
        )


def fit_peaks(
    distribution: Distribution,
    *,
    kind: Shape = "gaussian",
    peaks_count: int | None = None,
    shortest_second: float | None = None,
    longest_second: float | None = None,
) -> Peaks:
    """Describe a distribution by a sum of peaks; none where gamma is zero.

    Parameters
    ----------
    kind
        "gaussian", as DRTtools and the paper: it misses 5 to 30 % of the area of a real
        depressed arc; "zarc" has the tails of such an arc, but gamma has been widened
        by the regularisation: its area is 4 to 9 % too large. Exact is neither: fit a
        circuit to the spectrum for the resistance of one arc.
    peaks_count
        How many; default: every maximum and every clear shoulder.
    shortest_second, longest_second
        Where gamma is fitted; default: everywhere.

    Raises
    ------
    SpecError
        If the kind is not known or the count is not 1 to 20.

    References
    ----------
    Paper, sec. 4.10: Gaussians within 1e-5 to 1 s, assigned by their centres.
    """
    if kind not in SHAPES:
        raise SpecError(f"shape of peaks {kind!r}; {nearest(str(kind), SHAPES)}")
    if peaks_count is not None and not 1 <= peaks_count <= MOST_PEAKS:
        raise SpecError(
            f"peaks_count = {peaks_count}", remedy=f"give 1 to {MOST_PEAKS}"
        )
    log = _axis(distribution, shortest_second, longest_second)
    gamma = distribution.gamma_at(np.exp(log))
    if not gamma.max() > 0.0:
        return Peaks(kind, (), np.exp(log), gamma, 0.0)
    finest = FWHM / distribution.shape_factor_ratio
    centres = _starts(log, gamma, finest, peaks_count)
    theta, bounded = _fit(log, gamma, centres, kind, finest)
    if peaks_count is None:
        area = np.exp(theta[:, 0])
        kept = area > LEAST_AREA * area.sum()
        theta, bounded = theta[kept], bounded[kept]
    return _peaks(theta, bounded, kind, log, gamma)


def resistances_by_peaks(
    peaks: Peaks, ranges: Sequence[TauRange] = PAPER_RANGES
) -> dict[str, float]:
    """Sum of the peak areas in each range, in ohm, by the symbol of the range."""
    return {r.symbol: peaks.resistance_in(r) for r in ranges}


def _width(peak: Peak) -> float:
    if peak.exponent_ratio is not None:
        return peak.exponent_ratio
    return width_for("gaussian", peak.full_width_decades_count * float(np.log(10.0)))


def _axis(
    distribution: Distribution, shortest: float | None, longest: float | None
) -> Array:
    tau = distribution.tau_second
    low = max(tau[0], shortest) if shortest else tau[0]
    high = min(tau[-1], longest) if longest else tau[-1]
    if not low < high:
        raise SpecError(
            f"peaks between {low:g} s and {high:g} s",
            remedy=f"the distribution runs from {tau[0]:.3g} to {tau[-1]:.3g} s",
        )
    count = max(20, int(np.ceil(POINTS_PER_DECADE * np.log10(high / low))) + 1)
    return np.linspace(np.log(low), np.log(high), count)


def _starts(
    log: Array, gamma: Array, finest: float, peaks_count: int | None
) -> list[float]:
    """Centres in ln tau: maxima, then shoulders, the most prominent first."""
    found = _maxima(gamma)
    curvature = -np.gradient(np.gradient(gamma, log), log)
    shoulders = [
        i
        for i in _maxima(np.maximum(curvature, 0.0))
        if curvature[i] > LEAST_SHOULDER * curvature.max()
        and gamma[i] > LEAST_HEIGHT * gamma.max()
    ]
    order = sorted(found, key=lambda i: -gamma[i])
    order += sorted(shoulders, key=lambda i: -curvature[i])
    chosen: list[float] = []
    for i in order:
        if all(abs(log[i] - c) > finest for c in chosen):
            chosen.append(float(log[i]))
        if len(chosen) == (peaks_count or MOST_PEAKS):
            break
    while peaks_count is not None and len(chosen) < peaks_count:
        chosen.append(_widest_gap(chosen, log))
    return sorted(chosen)


def _widest_gap(chosen: list[float], log: Array) -> float:
    ends = np.array([log[0], *sorted(chosen), log[-1]])
    i = int(np.argmax(np.diff(ends)))
    return float(0.5 * (ends[i] + ends[i + 1]))


def _maxima(values: Array) -> list[int]:
    """Indices of maxima that stand out, ends included."""
    padded = np.concatenate([[0.0], values, [0.0]])
    candidates = [
        i - 1
        for i in range(1, padded.size - 1)
        if padded[i] > padded[i - 1] and padded[i] >= padded[i + 1]
    ]
    top = float(values.max())
    kept: list[int] = []
    for i in sorted(candidates, key=lambda i: -values[i]):
        if values[i] < LEAST_HEIGHT * top:
            break
        valleys = [values[min(i, k) : max(i, k) + 1].min() for k in kept]
        if all(values[i] - v > LEAST_RISE * top for v in valleys):
            kept.append(i)
    return kept


def _fit(
    log: Array, gamma: Array, centres: list[float], kind: Shape, finest: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Parameters (ln area, ln tau_0, width) of each peak, (K, 3); which are bounded."""
    scale = float(np.abs(gamma).max())
    data = gamma / scale
    gaps = np.diff([log[0] - 1.0, *centres, log[-1] + 1.0])
    start, low, high = [], [], []
    narrow, wide = _width_bounds(kind, finest)
    for i, centre in enumerate(centres):
        full = float(np.clip(min(gaps[i], gaps[i + 1]), 1.2 * finest, 2.5))
        height = float(np.interp(centre, log, data))
        area = max(height, 1e-3) * full * 1.06
        start += [np.log(area), centre, np.clip(width_for(kind, full), narrow, wide)]
        low += [np.log(1e-6), max(centre - FURTHEST_LOG, log[0]), narrow]
        high += [np.log(1e3), min(centre + FURTHEST_LOG, log[-1]), wide]

    def model(theta: Array) -> tuple[Array, Array]:
        left, rows = -data, []
        for a, c, w in theta.reshape(-1, 3):
            value, slope = shape(kind, log - c, a, w)
            left = left + value
            rows.append(slope)
        return left, np.concatenate(rows)

    best = minimise(model, np.array(start), low=np.array(low), high=np.array(high))
    found = best.theta.reshape(-1, 3).copy()
    found[:, 0] += np.log(scale)
    order = np.argsort(found[:, 1])
    return found[order], _bounded(best.theta, np.array(low), np.array(high))[order]


def _bounded(theta: Array, low: Array, high: Array) -> NDArray[np.bool_]:
    """Peaks whose centre or width lies at a bound, shape (K,)."""
    at = (theta <= low + AT_BOUND) | (theta >= high - AT_BOUND)
    return np.any(at.reshape(-1, 3)[:, 1:], axis=1)


def _width_bounds(kind: Shape, finest: float) -> tuple[float, float]:
    narrow, wide = width_for(kind, 0.7 * finest), width_for(kind, WIDEST_LOG)
    return min(narrow, wide), max(narrow, wide)


def _peaks(
    theta: Array, bounded: NDArray[np.bool_], kind: Shape, log: Array, gamma: Array
) -> Peaks:
    found: list[Peak] = []
    total = np.zeros_like(gamma)
    for (a, c, w), at_limit in zip(theta, bounded, strict=True):
        total = total + shape(kind, log - c, a, w)[0]
        found.append(
            Peak(
                float(np.exp(c)),
                float(np.exp(a)),
                full_width(kind, w) / float(np.log(10.0)),
                float(w) if kind == "zarc" else None,
                float(shape(kind, np.zeros(1), a, w)[0][0]),
                bool(at_limit),
            )
        )
    left = float(np.linalg.norm(total - gamma) / np.linalg.norm(gamma))
    return Peaks(kind, tuple(found), np.exp(log), gamma, left)
