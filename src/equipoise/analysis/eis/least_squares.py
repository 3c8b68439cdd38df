"""Least squares within bounds: Levenberg and Marquardt with an analytic Jacobian.

Bounds are kept by projection: a parameter at a bound whose gradient points outward is
left out of the step; steps are clipped. Damping follows the gain ratio (Nielsen).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Array = NDArray[np.float64]

FIRST_DAMPING = 1e-3
LONGEST_STEP = 3.0
"""Of a logarithm: a factor of 20 in one step."""
STEEPEST_COSINE = 1e-9
"""Converged when no column of the Jacobian is less orthogonal to the residual."""
SMALLEST_GAIN = 1e-12
"""Converged when the sum of squares falls by less, relative, twice in a row."""
SMALLEST_RESIDUAL = 1e-13
"""Rounding: a relative residual below it is no information."""


@dataclass(frozen=True, slots=True, eq=False)
class Minimum:
    """Where a fit ended.

    Attributes
    ----------
    theta
        Shape (P,), transformed parameters.
    residual
        Shape (M,), weighted.
    jacobian
        Shape (P, M), its derivatives.
    evaluations_count
        How often the model was computed.
    converged
        False if it stopped at the limit of evaluations.
    """

    theta: Array
    residual: Array
    jacobian: Array
    evaluations_count: int
    converged: bool

    @property
    def cost(self) -> float:
        """Sum of squares."""
        return float(self.residual @ self.residual)

    @property
    def rms_ratio(self) -> float:
        """Root mean square of the weighted residual."""
        return float(np.sqrt(np.mean(self.residual**2)))


def minimise(
    model: Callable[[Array], tuple[Array, Array]],
    theta: Array,
    *,
    low: Array,
    high: Array,
    longest_step: Array | float = LONGEST_STEP,
    smallest_gain_ratio: float = SMALLEST_GAIN,
    most_evaluations_count: int = 200,
) -> Minimum:
    """Minimise the sum of squares of a residual.

    Parameters
    ----------
    model
        theta (P,) to residual (M,) and its derivatives (P, M).
    theta
        Start, shape (P,).
    low, high
        Bounds, shape (P,); a parameter whose bounds are equal keeps its value.
    longest_step
        Of each parameter, shape (P,), or of all: the whole step is shortened to it.
    smallest_gain_ratio
        The search ends when the sum of squares falls by less twice in a row.
    most_evaluations_count
        Stop after so many.
    """
    theta = np.clip(theta, low, high)
    residual, jacobian = model(theta)
    cost = float(residual @ residual)
    damping, growth, idle = FIRST_DAMPING, 2.0, 0
    floor = SMALLEST_RESIDUAL**2 * residual.size
    count, converged = 1, theta.size == 0
    while count < most_evaluations_count and not converged:
        gradient = jacobian @ residual
        curvature = jacobian @ jacobian.T
        scale = np.diagonal(curvature).copy()
        scale[scale <= 0.0] = 1.0
        free = ~(
            ((theta <= low) & (gradient > 0.0)) | ((theta >= high) & (gradient < 0.0))
        )
        cosine = np.abs(gradient[free]) / np.sqrt(scale[free] * max(cost, floor))
        if cost <= floor or not free.any() or cosine.max() < STEEPEST_COSINE:
            converged = True
            break
        step = _step(curvature, gradient, scale * damping, free, longest_step)
        trial = np.clip(theta + step, low, high)
        step = trial - theta
        new_residual, new_jacobian = model(trial)
        count += 1
        new_cost = float(new_residual @ new_residual)
        promised = -float(2.0 * gradient @ step + step @ curvature @ step)
        gained = cost - new_cost
        if np.isfinite(new_cost) and gained > 0.0:
            quality = gained / promised if promised > 0.0 else 0.5
            damping *= max(0.1, 1.0 - (2.0 * quality - 1.0) ** 3)
            damping, growth = max(damping, 1e-15), 2.0
            idle = idle + 1 if gained < smallest_gain_ratio * cost else 0
            theta, residual, jacobian, cost = (
                trial,
                new_residual,
                new_jacobian,
                new_cost,
            )
        else:
            damping *= growth
            growth *= 2.0
            # rounding leaves nothing to gain
            idle = 2 if damping > 1e12 or not step.any() else idle
        converged = idle >= 2
    return Minimum(theta, residual, jacobian, count, converged)


def _step(
    curvature: Array,
    gradient: Array,
    damping: Array,
    free: NDArray[np.bool_],
    longest_step: Array | float,
) -> Array:
    """Damped Gauss-Newton step of the free parameters, shortened where too long."""
    step = np.zeros_like(gradient)
    inner = curvature[np.ix_(free, free)] + np.diag(damping[free])
    try:
        step[free] = np.linalg.solve(inner, -gradient[free])
    except np.linalg.LinAlgError:
        step[free] = -gradient[free] / np.diagonal(inner)
    too_long = float((np.abs(step) / longest_step).max())
    return step / too_long if too_long > 1.0 else step
