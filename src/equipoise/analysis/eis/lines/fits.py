"""Fits of several models to blocking cells, and how the data choose between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.lines.solver import (
    LineMinimum,
    covariance,
    minimise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.lines.blocking_cells import BlockingModel

Array = NDArray[np.float64]

SUPPORTED_AICC = 10.0
"""Burnham & Anderson, Model Selection (2002), sec. 2.6: more than 10 above the best, a
model has essentially no support. The simplest that has some gives the values: an arc is
searched for along all frequencies, so noise alone often lowers the AICc by 2 to 6."""
DETERMINED_LOG = 0.1
"""Standard error of a logarithm: 95 % within 20 %."""
LARGEST_CORRELATION = 0.95
FIRST_TERMINAL = 1e-5
"""10 uF/cm2, a double layer."""
FIRST_ARC_FRACTION = 0.1
ARC_PLACES = (0.15, 0.5, 0.85)
"""Where an arc is looked for first, as shares of the decades measured."""
VANISHING = {
    "terminal": ("terminal",),
    "arc_ohm": ("arc_ohm", "arc_second", "arc_exponent"),
}
VANISHED_NOISE = 0.3
"""Norm of the change by a factor of e, in standard deviations of one residual."""
LEAST_NOISE_SQUARED = 1e-10
"""10 ppm: no instrument is better, so a closer fit is no argument for a model."""
BOUND_TOLERANCE = 1e-9
FIRST_ITERATIONS, MOST_ITERATIONS = 6, 60


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A model with its minimum; `covariance` per unit variance of the residuals."""

    model: BlockingModel
    minimum: LineMinimum
    unit_covariance: Array
    rank_ratio: float
    worse_by_aicc: float = 0.0
    correlation_ratio: float = 0.0

    @property
    def parameters_count(self) -> int:
        """Free ones."""
        return int(np.count_nonzero(self.model.free))

    @property
    def observations_count(self) -> int:
        """Real and imaginary parts."""
        return int(self.minimum.residual.size)

    @property
    def misfit_percent(self) -> float:
        """Root mean square, per real or imaginary part."""
        return 100.0 * float(np.sqrt(self.minimum.cost / self.observations_count))

    @property
    def variance(self) -> float:
        """Of a residual, as if neighbours were independent times what they are not."""
        freedom = max(self.observations_count - self.parameters_count, 1)
        rho = self.correlation_ratio
        return self.minimum.cost / freedom * (1.0 + rho) / (1.0 - rho)

    def standard_error(self, name: str) -> float:
        """Of a parameter in the scale of the fit; NaN if it is fixed."""
        i = self.model.index[name]
        if not self.model.free[i]:
            return float("nan")
        return float(np.sqrt(self.variance * self.unit_covariance[i, i]))

    def at_bound(self, name: str) -> bool:
        """Whether a free parameter ended at a bound."""
        i = self.model.index[name]
        p = self.minimum.parameters[i]
        inside = self.model.lower[i] + BOUND_TOLERANCE < p
        inside = inside and p < self.model.upper[i] - BOUND_TOLERANCE
        return bool(self.model.free[i] and not inside)

    @property
    def plausible(self) -> bool:
        """Whether the data do not exclude it."""
        return self.worse_by_aicc <= SUPPORTED_AICC

    @property
    def supported(self) -> bool:
        """Plausible, and both conductivities are determined under it."""
        wide = max(self.standard_error("ionic"), self.standard_error("electronic"))
        return self.plausible and wide < DETERMINED_LOG


def best_of(model: BlockingModel, starts: Sequence[Array]) -> LineMinimum:
    """The minimum from the start that is the lowest after a few iterations."""

    def search(start: Array, most_iterations: int) -> LineMinimum:
        return minimise(
            model.residual,
            start,
            lower=model.lower,
            upper=model.upper,
            free=model.free,
            longest_step=model.longest_step,
            most_iterations=most_iterations,
        )

    first = [search(start, FIRST_ITERATIONS) for start in starts]
    return search(min(first, key=lambda m: m.cost).parameters, MOST_ITERATIONS)


def candidate(model: BlockingModel, minimum: LineMinimum) -> Candidate:
    """A minimum with its covariance.

    Parameters at a bound count as free: they could move inwards, and what they would
    take along belongs into the errors of the others. An arc or a capacity that has
    shrunk to nothing is held: the model is then the plain one.
    """
    free = model.free.copy()
    noise = float(np.sqrt(minimum.cost / minimum.residual.size))
    for first, members in VANISHING.items():
        if first not in model.index:
            continue
        effect = float(np.linalg.norm(minimum.jacobian[:, model.index[first]]))
        if effect < VANISHED_NOISE * noise:
            free[[model.index[m] for m in members]] = False
    unit, ratio = covariance(minimum.jacobian, free, 1.0)
    return Candidate(model, minimum, unit, ratio)


def rank(found: list[Candidate]) -> list[Candidate]:
    """Simplest of those within 10 of the lowest AICc first, then by AICc.

    The number of independent observations is that of the residuals divided by
    (1 + rho) / (1 - rho), rho their correlation from point to point in the best fit: a
    feature that no model has must not decide between them.
    """
    from dataclasses import replace

    lowest = min(found, key=lambda c: c.minimum.cost)
    rho = neighbour_correlation(lowest)
    independent = lowest.observations_count * (1.0 - rho) / (1.0 + rho)
    values = [_aicc(c, independent) for c in found]
    least = min(values)
    told = [
        replace(c, worse_by_aicc=v - least, correlation_ratio=rho)
        for c, v in zip(found, values, strict=True)
    ]
    good = [c for c in told if c.plausible]
    first = min(good, key=lambda c: (c.parameters_count, c.worse_by_aicc))
    rest = [c for c in told if c is not first]
    return [first, *sorted(rest, key=lambda c: c.worse_by_aicc)]


def neighbour_correlation(fit: Candidate) -> float:
    """Lag-one correlation of residuals along frequency, 0 if it could be chance."""
    products = squares = 0.0
    at, count = 0, 0
    for cell in fit.model.cells:
        size = cell.spectrum.points_count
        for _ in range(2):
            part = fit.minimum.residual[at : at + size]
            products += float(part[1:] @ part[:-1])
            squares += float(part @ part)
            at, count = at + size, count + size - 1
    rho = products / squares if squares > 0.0 else 0.0
    chance = 2.0 / np.sqrt(count)
    return min(rho, LARGEST_CORRELATION) if rho > chance else 0.0


def extended_starts(
    plain: BlockingModel, found: Array, wanted: BlockingModel
) -> list[Array]:
    """Starts of a larger model from the minimum of the plain one."""
    p = np.zeros(len(wanted.names))
    for name, i in wanted.index.items():
        source = name
        if name.startswith(("coefficient_", "exponent_")) and name not in plain.index:
            source = name[:-1] + "0"
        if source in plain.index:
            p[i] = found[plain.index[source]]
    if wanted.variant.terminal_capacity:
        p[wanted.index["terminal"]] = np.log(FIRST_TERMINAL)
    if not wanted.variant.separator_arc:
        return [np.clip(p, wanted.lower, wanted.upper)]
    cell = wanted.cells[-1].spectrum
    size = FIRST_ARC_FRACTION * float(np.abs(cell.impedance_ohm[-1]))
    slowest, fastest = np.log(cell.angular_frequency[[-1, 0]])
    starts: list[Array] = []
    for share in ARC_PLACES:
        q = p.copy()
        q[wanted.index["arc_ohm"]] = np.log(size)
        q[wanted.index["arc_second"]] = -(fastest + share * (slowest - fastest))
        q[wanted.index["arc_exponent"]] = 0.9
        series = wanted.index[f"series_{len(wanted.cells) - 1}"]
        q[series] = max(q[series] - size, 0.0)
        starts.append(np.clip(q, wanted.lower, wanted.upper))
    return starts


def _aicc(fit: Candidate, independent: float) -> float:
    """Corrected Akaike criterion, Gaussian residuals of unknown variance."""
    k = fit.parameters_count + 1
    n = max(independent, k + 2.0)
    mean = max(fit.minimum.cost / fit.observations_count, LEAST_NOISE_SQUARED)
    return n * float(np.log(mean)) + 2.0 * k + 2.0 * k * (k + 1) / (n - k - 1.0)
