"""Covariance and profile likelihood for fits of a dozen parameters.

References
----------
Seber & Wild, Nonlinear Regression (1989), sec. 5.9: profile likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis import least_squares

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]

COST_TOLERANCE = 1e-10
"""Relative gain of an iteration that ends the search; noise moves the cost by 1e-2."""
PROFILE_TOLERANCE = 0.02
"""Relative, of the distance to the end of an interval."""
WIDEST_LOG = float(np.log(1e3))
"""An interval that reaches this far is open on that side."""
MOST_REFITS = 24
LONGEST_LOG = 1.0
"""Of a step along a profile: a factor of e."""
FAR_ABOVE = 3.0
"""Rises after which another start is tried."""


@dataclass(frozen=True, slots=True, eq=False)
class LineMinimum:
    """Where a search ended.

    Attributes
    ----------
    parameters
        Shape (P,).
    residual, jacobian
        Shapes (M,) and (M, P) there.
    converged
        Whether the last iteration gained next to nothing.
    """

    parameters: Array
    residual: Array
    jacobian: Array
    converged: bool

    @property
    def cost(self) -> float:
        """Sum of squares."""
        return float(self.residual @ self.residual)


def minimise(
    residual: Callable[[Array], tuple[Array, Array]],
    start: Array,
    *,
    lower: Array,
    upper: Array,
    free: NDArray[np.bool_],
    longest_step: Array,
    most_iterations: int,
) -> LineMinimum:
    """Least squares within bounds.

    Parameters
    ----------
    residual
        Parameters, shape (P,), to the residual, (M,), and its Jacobian, (M, P).
    start, lower, upper, longest_step
        Shape (P,).
    free
        Shape (P,); what is False keeps its value.
    """
    held = np.clip(start, lower, upper)

    def model(p: Array) -> tuple[Array, Array]:
        r, jacobian = residual(p)
        return r, jacobian.T

    found = least_squares.minimise(
        model,
        held,
        low=np.where(free, lower, held),
        high=np.where(free, upper, held),
        longest_step=longest_step,
        smallest_gain_ratio=COST_TOLERANCE,
        most_evaluations_count=most_iterations + 1,
    )
    return LineMinimum(
        found.theta, found.residual, found.jacobian.T, converged=found.converged
    )


def covariance(
    jacobian: Array, free: NDArray[np.bool_], variance: float
) -> tuple[Array, float]:
    """Covariance of the parameters, (P, P), 0 for those not free; and a rank number.

    The second result is the smallest over the largest singular value of the Jacobian
    with columns of length one: below 1e-8 a combination is not determined at all.
    """
    count = jacobian.shape[1]
    moving = np.flatnonzero(free)
    columns = jacobian[:, moving]
    length = np.linalg.norm(columns, axis=0)
    length = np.where(length > 0.0, length, 1.0)
    _, singular, vt = np.linalg.svd(columns / length, full_matrices=False)
    rank = float(singular[-1] / singular[0]) if singular[0] > 0.0 else 0.0
    safe = np.maximum(singular, 1e-14 * max(float(singular[0]), 1e-300))
    inner = (vt.T / safe**2) @ vt
    full = np.zeros((count, count))
    full[np.ix_(moving, moving)] = variance * inner / np.outer(length, length)
    return full, rank


def profile_interval(
    refit: Callable[[float, Array], LineMinimum],
    best: LineMinimum,
    *,
    index: int,
    spread: Array,
    rise: float,
    standard_error: float,
) -> tuple[float, float]:
    """Where the cost, minimised over all other parameters, has risen by `rise`.

    Parameters
    ----------
    refit
        LineMinimum with parameter `index` held at a value, from a start.
    spread
        Shape (P,): how all parameters move with this one, 1 for itself.
    standard_error
        From the Jacobian; where the search begins.

    Returns
    -------
    tuple of float
        Lower and upper end; infinite if the cost never rises that far.
    """
    ends = [
        _end(refit, best, index, sign * spread, sign, rise, standard_error)
        for sign in (-1.0, 1.0)
    ]
    return ends[0], ends[1]


def _end(
    refit: Callable[[float, Array], LineMinimum],
    best: LineMinimum,
    index: int,
    direction: Array,
    sign: float,
    rise: float,
    standard_error: float,
) -> float:
    """One end: the distance is corrected as if the cost rose as its square.

    Valleys are curved: where the straight way ends high up, the last point that was
    low is the better start.
    """
    centre = float(best.parameters[index])
    distance = min(max(2.0 * standard_error, 1e-6), LONGEST_LOG)
    low, inside = best, 0.0
    outside = np.inf
    for _ in range(MOST_REFITS):
        value = centre + sign * distance
        at = refit(value, low.parameters + (distance - inside) * direction)
        if at.cost - best.cost > FAR_ABOVE * rise or not at.converged:
            other = refit(value, low.parameters)
            at = other if other.cost < at.cost else at
        risen = max(at.cost - best.cost, 1e-6 * rise)
        better = float(distance * np.sqrt(rise / risen))
        if abs(better / distance - 1.0) < PROFILE_TOLERANCE:
            return centre + sign * better
        if risen < rise:
            low, inside = at, max(inside, distance)
            if distance >= WIDEST_LOG:
                return sign * np.inf
        else:
            outside = min(outside, distance)
        distance = _next(better, distance, inside, outside)
    return centre + sign * distance


def _next(better: float, distance: float, inside: float, outside: float) -> float:
    """Distance to try: between what is known to be inside and outside."""
    trial = min(max(better, 0.2 * distance), distance + LONGEST_LOG, WIDEST_LOG)
    if not inside < trial < outside:
        trial = 0.5 * (inside + min(outside, WIDEST_LOG))
    return trial
