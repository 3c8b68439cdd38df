"""Draws from the posterior of a fit whose model is slow.

A Gaussian-process emulator of the targets (`emulator`) is improved where the posterior
is, by rounds: walk on the emulated posterior, compute the model at some of the places,
learn. In the end the model itself is computed at draws from the emulated posterior, and
each draw gets the weight by which the emulator was wrong. So the answer rests on the
model; a poor emulator costs draws, it does not bias them. The sum of weights gives the
evidence without assuming that the posterior is normal. The same seed gives the same
draws.

References
----------
Robert and Casella, Monte Carlo Statistical Methods (2004), sec. 3.3 (importance
sampling); Kong, J. Am. Stat. Assoc. 89 (1994) 278 (effective number); ter Braak, Stat.
Comput. 16 (2006) 239 (walkers that step along differences of others); Meng and Wong,
Stat. Sin. 6 (1996) 831 (normalisation by a bridge).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import FitError, SpecError
from equipoise.fit.walking import Target, bridge, lowest, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from equipoise.fit.inference import Estimate, Problem

Array = NDArray[np.float64]
ROUNDS = (8.0, 4.0, 2.0, 1.5, 1.2, 1.2)
"""Temperature of each round: wide first, then where the posterior is."""
WIDER = 1.2
"""Temperature of the last draws: their tails are heavier than the posterior's."""
_MOST_LEARNED = 400  # points an emulator learns from: the best known
_RELEVANT = 80.0  # cost above the best beyond which a point teaches nothing
_WALKERS = 96
_MOST_TRIES = 5
_LEAST_EFFECTIVE = 3.0  # draws below which there is no evidence
MOST_DRAWS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Weighted draws.

    Attributes
    ----------
    scaled
        Shape (draws, n), in the scale of the fit.
    computed
        Targets of each draw, by the model itself.
    cost
        Of targets, priors and penalty, shape (draws,).
    weight
        Shape (draws,), sum 1.
    log_evidence_ratio
        Logarithm of the evidence over that of the prior alone; nan with a penalty, or
        where fewer than three draws count.
    best_scaled, best_computed, best_cost
        The lowest cost met anywhere.
    emulator_error
        Root mean square of predicted minus computed cost over two at the last draws,
        about its weighted mean: below 1, most draws count.
    """

    scaled: Array
    computed: tuple[Mapping[str, float], ...]
    cost: Array
    weight: Array
    log_evidence_ratio: float
    best_scaled: Array
    best_computed: Mapping[str, float]
    best_cost: float
    emulator_error: float
    evaluations_count: int

    def effective_count(self) -> float:
        """Effective number of independent draws, 1 / sum of squared weights."""
        return float(1.0 / np.sum(np.square(self.weight)))

    def quantile(self, share: float) -> Array:
        """Weighted quantile of every parameter, shape (n,)."""
        out = np.empty(self.scaled.shape[1])
        for i, column in enumerate(self.scaled.T):
            order = np.argsort(column, kind="stable")
            reached = np.cumsum(self.weight[order]) - 0.5 * self.weight[order]
            out[i] = np.interp(share, reached, column[order])
        return out

    def covariance(self) -> Array:
        """Weighted covariance of the scaled parameters, shape (n, n)."""
        off = self.scaled - self.weight @ self.scaled
        return np.asarray((off * self.weight[:, None]).T @ off, np.float64)

    def equally_likely(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of draws that stand for all with equal weights (systematic)."""
        at = (np.arange(count) + rng.random()) / count
        reached = np.cumsum(self.weight)
        return np.asarray(np.searchsorted(reached / reached[-1], at), np.int64)


def sample(
    problem: Problem,
    estimate: Estimate,
    draws_count: int,
    *,
    round_count: int = 60,
    rng: np.random.Generator,
    known: tuple[Array, ...] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Draws:
    """Draw from the posterior ``exp(-cost / 2)`` within the bounds.

    Parameters
    ----------
    problem
        The same that led to the estimate.
    estimate
        Where to begin; it need not be the optimum.
    draws_count
        Of the model at the end; the rounds before need about as many.
    round_count
        Computations per round of learning.
    known
        Further places where the posterior may be, shape (n,) each, such as optima of
        related fits.
    progress
        Told how many computations are done and how many there will be.

    Raises
    ------
    SpecError
        If no draw is asked for, or too many; if a place or the estimate does not
        belong to the problem.
    FitError
        If the model answers almost nowhere near the estimate.
    """
    _check(problem, estimate, draws_count, round_count, known)
    first = 6 * estimate.scaled.size + len(known)
    total = first + len(ROUNDS) * round_count + draws_count
    book = _Book(problem, total, progress)
    book.compute(np.array([problem.inside(k) for k in known]))
    for _ in range(_MOST_TRIES):  # a model may answer only here and there
        book.compute(_around(problem, estimate, first - len(known), rng))
        if book.answered_count >= first // 2:
            break
    target = None
    walkers = None
    for temperature in ROUNDS:
        target = book.learn(target)
        walkers = walk(target, book.best(_WALKERS, rng), 600, temperature, rng)[-1]
        at = rng.permutation(len(walkers))[: round_count - 1]
        book.compute(np.vstack([walkers[at], lowest(target, book.best_scaled)]))
    assert walkers is not None
    target = book.learn(target)
    path = walk(target, walkers, 1500, WIDER, rng)[300:]
    pool = path[::10].reshape(-1, walkers.shape[1])
    log_size = bridge(target, pool, WIDER, rng)
    chosen = pool[rng.choice(len(pool), draws_count, replace=False)]
    start = len(book.scaled)
    book.compute(chosen)
    return _weighted(book, target, chosen, start, log_size)


def _check(
    problem: Problem,
    estimate: Estimate,
    draws_count: object,
    round_count: object,
    known: tuple[Array, ...],
) -> None:
    for name, count, most in (
        ("draws_count", draws_count, MOST_DRAWS),
        ("round_count", round_count, _WALKERS),
    ):
        whole = isinstance(count, (int, np.integer)) and not isinstance(count, bool)
        if not whole or not 1 <= int(str(count)) <= most:
            raise SpecError(f"{name} = {count!r}", remedy=f"ask for 1 to {most}")
    if tuple(estimate.parameters) != problem.parameters:
        raise SpecError(
            "the estimate has other parameters than the problem",
            remedy="give the estimate that the same parameters led to",
        )
    for place in known:
        at = np.asarray(place, np.float64)
        if at.shape != problem.start.shape or not np.all(np.isfinite(at)):
            raise SpecError(
                f"known holds a place of shape {at.shape}, or one that is not finite",
                remedy=f"give finite numbers of shape {problem.start.shape}, in the "
                "scale of the fit",
            )


def _weighted(
    book: _Book, target: Target, chosen: Array, start: int, log_size: float
) -> Draws:
    cost = np.array(book.cost[start:])
    log_weight = -0.5 * cost + 0.5 * target.cost(chosen) / WIDER
    most = float(np.max(log_weight))
    if not np.isfinite(most):
        raise FitError(
            "the model answers at none of the draws",
            where="sampling",
            remedy="begin closer to parameters with which it runs",
        )
    raw = np.exp(log_weight - most)
    weight = raw / raw.sum()
    kept = weight > 0.0
    # spread of the error of ln(density) where the posterior is, not in its far tails
    near = cost < np.min(cost) + 3.0 * chosen.shape[1]
    off = log_weight[near & np.isfinite(log_weight)]
    evidence = float("nan")  # of a problem with a penalty
    if book.problem.penalty is None:
        evidence = log_size + most + float(np.log(raw.mean()))
        evidence -= book.problem.log_prior_size()
    if 1.0 / np.sum(np.square(weight)) < _LEAST_EFFECTIVE:
        evidence = float("nan")  # one draw decides: the emulator has not found it
    found = [book.computed[start + i] for i in np.flatnonzero(kept)]
    return Draws(
        chosen[kept],
        tuple(f for f in found if f is not None),
        cost[kept],
        weight[kept],
        evidence,
        book.best_scaled,
        book.best_computed,
        book.best_cost,
        float(np.std(off)),
        book.problem.evaluations_count,
    )


class _Book:
    """All computations of a sampling."""

    def __init__(
        self,
        problem: Problem,
        total: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.problem, self.total, self.progress = problem, total, progress
        self.scaled: list[Array] = []
        self.computed: list[Mapping[str, float] | None] = []
        self.cost: list[float] = []

    def compute(self, points: Array) -> None:
        """Compute the model at points of shape (k, n)."""
        for x in points:
            found = self.problem.compute(x)
            off = self.problem.residuals_of(found, x)
            good = found is not None and all(
                np.isfinite(found[t.name]) for t in self.problem.targets
            )
            self.scaled.append(np.array(x, np.float64))
            self.computed.append(found if good else None)
            self.cost.append(float(off @ off) if good else np.inf)
            if self.progress is not None:
                self.progress(len(self.cost), max(self.total, len(self.cost)))

    @property
    def _order(self) -> NDArray[np.int64]:
        cost = np.array(self.cost)
        order = np.argsort(cost, kind="stable")
        return order[np.isfinite(cost[order])]

    @property
    def answered_count(self) -> int:
        """At how many places the model answered."""
        return int(np.sum(np.isfinite(self.cost)))

    @property
    def best_cost(self) -> float:
        """The lowest cost."""
        return self.cost[self._order[0]]

    @property
    def best_scaled(self) -> Array:
        """Where it is."""
        return self.scaled[self._order[0]]

    @property
    def best_computed(self) -> Mapping[str, float]:
        """The targets there."""
        found = self.computed[self._order[0]]
        assert found is not None  # its cost is finite
        return found

    def best(self, count: int, rng: np.random.Generator) -> Array:
        """Starts of walkers: from the best points, a little apart."""
        order = self._order[:count]
        at = np.resize(order, count)
        points = np.array([self.scaled[i] for i in at])
        apart = 0.002 * self.problem.width * rng.standard_normal(points.shape)
        return self.problem.inside(points + apart)

    def learn(self, before: Target | None) -> Target:
        """The emulated posterior from what is known by now."""
        order = self._order
        if order.size < self.problem.start.size + 3:
            raise FitError(
                f"the model answers at {order.size} of {len(self.cost)} places "
                "around the estimate",
                where="sampling",
                remedy="begin closer to parameters with which it runs",
            )
        cost = np.array(self.cost)[order]
        least = 4 * self.problem.start.size
        known = np.sum(cost < cost[0] + _RELEVANT)
        used = order[: int(np.clip(known, least, _MOST_LEARNED))]
        return Target.learn(
            self.problem,
            np.array([self.scaled[i] for i in used]),
            [self.computed[i] for i in used],
            before,
        )


def _around(
    problem: Problem, estimate: Estimate, count: int, rng: np.random.Generator
) -> Array:
    """Points around an estimate, a multivariate t; no wider than the priors."""
    n = estimate.scaled.size
    values, axes = np.linalg.eigh(
        estimate.covariance / np.outer(problem.width, problem.width)
    )
    root = axes * np.sqrt(np.clip(values, 1e-8, 1.0))
    normal = rng.standard_normal((count, n)) @ root.T
    stretch = np.sqrt(5.0 / rng.chisquare(5.0, (count, 1)))
    points = estimate.scaled + normal * stretch * problem.width
    points[0] = estimate.scaled
    return problem.inside(points)
