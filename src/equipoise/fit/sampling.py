"""Draws from the posterior of a fit, for intervals that do not assume it is normal.

Metropolis-Hastings with two kinds of proposals by turns: independent ones from a
multivariate t distribution around the optimum (wide tails), and small steps along
the axes of the covariance. The same seed gives the same draws.

References
----------
Tierney, Ann. Statist. 22 (1994) 1701, secs. 2.3 and 2.4 (independence and random-walk
kernels, mixtures of them).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from equipoise.fit.inference import Estimate, Problem

Array = NDArray[np.float64]
_FREEDOM = 5.0  # of the t distribution
_STEP = 1.2  # of the random walk, over the posterior, divided by the root of n
_SHARE_INDEPENDENT = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """A chain of parameters.

    Attributes
    ----------
    scaled
        Shape (draws, n), in the scale of the fit.
    computed
        Targets of each draw.
    cost
        Of targets, priors and penalty, shape (draws,).
    accepted_fraction
        Of the proposals.
    """

    scaled: Array
    computed: tuple[Mapping[str, float], ...]
    cost: Array
    accepted_fraction: float

    def effective_count(self) -> float:
        """Effective number of independent draws: the least over the parameters.

        By the sums of pairs of autocorrelations while they are positive, after Geyer
        (Statist. Sci. 7 (1992) 473); conservative where a chain alternates.
        """
        return min(_effective(column) for column in self.scaled.T)


def sample(
    problem: Problem,
    estimate: Estimate,
    draws_count: int,
    *,
    burn_in_count: int = 100,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Draws:
    """Draw from the posterior ``exp(-cost / 2)`` within the bounds.

    Parameters
    ----------
    problem
        The same that led to the estimate.
    draws_count
        Kept, after `burn_in_count` that are thrown away.

    Raises
    ------
    SpecError
        If no draw is asked for.
    """
    if draws_count < 1:
        raise SpecError(f"draws_count = {draws_count}", remedy="ask for at least one")
    size = estimate.scaled.size
    values, axes = np.linalg.eigh(estimate.covariance)
    root = axes * np.sqrt(np.maximum(values, 0.0))
    inverse = np.asarray(np.linalg.pinv(estimate.covariance), np.float64)
    here = np.clip(estimate.scaled, problem.lower, problem.upper)
    computed = problem.compute(here)
    cost = _cost(problem, computed, here)
    kept: list[Array] = []
    numbers: list[Mapping[str, float]] = []
    costs: list[float] = []
    accepted, total = 0, burn_in_count + draws_count
    for k in range(total):
        independent = rng.random() < _SHARE_INDEPENDENT
        normal = root @ rng.standard_normal(size)
        if independent:
            stretch = np.sqrt(_FREEDOM / rng.chisquare(_FREEDOM))
            there = estimate.scaled + normal * stretch
        else:
            there = here + _STEP / np.sqrt(size) * normal
        ratio = -np.inf
        found: Mapping[str, float] | None = None
        new = np.inf
        if np.all((there >= problem.lower) & (there <= problem.upper)):
            found = problem.compute(there)
            new = _cost(problem, found, there)
            ratio = 0.5 * (cost - new)
            if independent:
                ratio += _log_t(here - estimate.scaled, inverse, size)
                ratio -= _log_t(there - estimate.scaled, inverse, size)
        if found is not None and np.log(rng.random()) < ratio:
            here, cost, computed = there, new, found
            accepted += 1
        if k >= burn_in_count:
            assert computed is not None  # the optimum can be computed
            kept.append(here)
            numbers.append(computed)
            costs.append(cost)
        if progress is not None:
            progress(k + 1, total)
    return Draws(np.array(kept), tuple(numbers), np.array(costs), accepted / total)


def _cost(
    problem: Problem, computed: Mapping[str, float] | None, scaled: Array
) -> float:
    return float(np.sum(problem.residuals_of(computed, scaled) ** 2))


def _log_t(off: Array, inverse: Array, size: int) -> float:
    """Logarithm of the density of the t distribution, up to a constant."""
    return float(
        -0.5 * (_FREEDOM + size) * np.log1p(float(off @ inverse @ off) / _FREEDOM)
    )


def _effective(x: Array) -> float:
    n = x.size
    off = x - x.mean()
    variance = float(off @ off) / n
    if n < 4 or variance == 0.0:
        return 1.0
    total = 1.0
    for lag in range(1, n - 1, 2):
        pair = sum(float(off[: n - k] @ off[k:]) / n / variance for k in (lag, lag + 1))
        if pair <= 0.0:
            break
        total += 2.0 * pair
    return n / total
