"""Walks on an emulated posterior, its optimum and its size; see `sampling`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.fit.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from equipoise.fit.inference import Problem

Array = NDArray[np.float64]
_BRIDGE_COUNT = 20000
_BLOCK = 500  # points predicted at once
_JUMP_SHARE = 0.2  # of the steps that go from one optimum to another, if there are two


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The emulated posterior ``exp(-cost / 2)`` within the bounds of a problem."""

    problem: Problem
    emulator: Emulator
    doubt: Array  # variance of an emulated residual

    @classmethod
    def learn(
        cls,
        problem: Problem,
        scaled: Array,
        computed: Sequence[Mapping[str, float] | None],
        before: Target | None,
    ) -> Target:
        """Emulate the residuals of the targets (standard deviations)."""
        count = len(problem.targets)
        rows = zip(computed, scaled, strict=True)
        off = np.array([problem.residuals_of(c, x)[:count] for c, x in rows])
        spread = scaled.std(axis=0)  # a posterior may be far narrower than its prior
        emulator = Emulator.fit(
            scaled,
            off,
            np.clip(spread, 1e-9 * problem.width, problem.width),
            before=None if before is None else before.emulator,
        )
        doubt = np.minimum(np.square(emulator.left_out_error()), 1.0)
        return cls(problem, emulator, doubt)

    def cost(self, points: Array) -> Array:
        """Expected cost at points of shape (k, n); infinite beyond the bounds."""
        parts = [
            self._cost(points[i : i + _BLOCK]) for i in range(0, len(points), _BLOCK)
        ]
        return np.concatenate(parts)

    def _cost(self, points: Array) -> Array:
        problem = self.problem
        off = self.emulator.predict(points)
        cost = np.sum(np.square(off) / (1.0 + self.doubt), axis=1)
        cost += np.sum(np.square((points - problem.start) / problem.width), axis=1)
        if problem.penalty is not None:
            cost += [float(np.sum(np.square(problem.penalty(p)))) for p in points]
        inside = np.all((points >= problem.lower) & (points <= problem.upper), axis=1)
        return np.where(inside, cost, np.inf)


def walk(
    target: Target,
    start: Array,
    steps_count: int,
    temperature: float,
    rng: np.random.Generator,
) -> Array:
    """Walkers on ``exp(-cost / 2 / temperature)``; shape (steps, walkers, n).

    Each walker steps along the difference of two of the other half (ter Braak 2006),
    so that steps have the shape of the posterior.
    """
    here = np.array(start)
    cost = target.cost(here)
    count, n = here.shape
    half = count // 2
    out = np.empty((steps_count, count, n))
    for k in range(steps_count):
        for own, other in (
            (np.arange(half), np.arange(half, count)),
            (np.arange(half, count), np.arange(half)),
        ):
            first = rng.choice(other, own.size)
            second = rng.choice(other, own.size)
            jumps = rng.random((own.size, 1)) < _JUMP_SHARE
            scatter = rng.uniform(0.6, 1.2, (own.size, 1))
            length = np.where(jumps, 1.0, 2.38 / np.sqrt(2.0 * n) * scatter)
            there = here[own] + length * (here[first] - here[second])
            there += 1e-3 * here.std(axis=0) * rng.standard_normal(there.shape)
            new = target.cost(there)
            ratio = 0.5 * (cost[own] - new) / temperature
            taken = np.log(rng.random(own.size)) < ratio
            here[own[taken]], cost[own[taken]] = there[taken], new[taken]
        out[k] = here
    return out


def lowest(target: Target, start: Array) -> Array:
    """The optimum of the emulated posterior near a place, shape (n,)."""
    from scipy.optimize import minimize

    problem = target.problem
    step = 1e-4 * problem.width

    def slope(x: Array) -> tuple[float, Array]:
        moved = x + np.diag(np.where(x + step > problem.upper, -step, step))
        costs = target.cost(np.vstack([x, moved]))
        return float(costs[0]), (costs[1:] - costs[0]) / (np.diag(moved) - x)

    found = minimize(
        slope,
        problem.inside(start),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(problem.lower, problem.upper, strict=True)),
        options={"maxiter": 100},
    )
    return problem.inside(np.asarray(found.x, np.float64))


def bridge(
    target: Target, draws: Array, temperature: float, rng: np.random.Generator
) -> float:
    """Logarithm of the integral of ``exp(-cost / 2 / temperature)``.

    By the optimal bridge between draws from it and from a multivariate t fitted to
    half of them (Meng and Wong 1996, eq. 4.1, iterated).
    """
    at = rng.permutation(len(draws))
    fitted, used = draws[at[: len(at) // 2]], draws[at[len(at) // 2 :]]
    n = draws.shape[1]
    mean = fitted.mean(axis=0)
    root = np.linalg.cholesky(np.cov(fitted.T) + 1e-12 * np.diag(target.problem.width))
    freedom = 8.0
    stretch = np.sqrt(freedom / rng.chisquare(freedom, (_BRIDGE_COUNT, 1)))
    other = mean + stretch * (rng.standard_normal((_BRIDGE_COUNT, n)) @ root.T)

    def log_t(x: Array) -> Array:
        from scipy.special import gammaln

        z = np.linalg.solve(root, (x - mean).T)
        size = gammaln(0.5 * (freedom + n)) - gammaln(0.5 * freedom)
        size -= 0.5 * n * np.log(freedom * np.pi) + np.log(np.diag(root)).sum()
        square = np.sum(np.square(z), axis=0)
        return size - 0.5 * (freedom + n) * np.log1p(square / freedom)

    own = -0.5 * target.cost(used) / temperature - log_t(used)
    far = -0.5 * target.cost(other) / temperature - log_t(other)
    shift = float(np.median(own))
    own, far = np.exp(own - shift), np.exp(far - shift)
    share = len(own) / (len(own) + len(far))
    value = 1.0
    for _ in range(200):
        above = np.mean(far / (share * far + (1.0 - share) * value))
        below = np.mean(1.0 / (share * own + (1.0 - share) * value))
        new = float(above / below)
        if abs(new - value) < 1e-8 * value:
            break
        value = new
    return float(np.log(value)) + shift
