"""The multi-site multi-reaction (MSMR) form, its residuals and their derivatives.

symbol   meaning                                               unit
U, x     potential vs Li+/Li; lithium content                  V, 1
U_j      standard potential of reaction j                      V
X_j      its share of the sites, the X_j sum to 1              1
w_j      its width (omega)                                     1
f        F / (R T)                                             1/V
s_j      1 / (1 + exp(f (U - U_j) / w_j)), so x = sum X_j s_j  1
D        |dU/dx| of the measured curve                         V

The residual is D (x_model(U) - x): in volt, and without inverting the model at
every step. The quality that is reported comes from the true inversion.

References
----------
Verbrugge et al., J. Electrochem. Soc. 164 (2017) E3243, Eq. 5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BEYOND_VOLT = 0.6
"""How far outside the window a standard potential may lie (a mathematical tail)."""


class Problem(NamedTuple):
    """What a candidate is compared with; the bounds make parameters unbounded."""

    u: Array
    x: Array
    weight: Array
    f: float
    lowest: Array  # of the 2 n bounded parameters: U_j, ln w_j
    span: Array


class Terms(NamedTuple):
    """Standard potentials (V), widths and occupancies, shape (n,) each."""

    u0: Array
    w: Array
    x: Array


def _logistic(p: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * p))


def terms_of(p: Array, problem: Problem) -> Terms:
    """Terms of unbounded parameters: potentials and widths inside bounds, sum 1."""
    n = p.size // 3
    bounded = problem.lowest + problem.span * _logistic(p[: 2 * n])
    e = np.exp(np.maximum(p[2 * n :] - p[2 * n :].max(), -60.0))
    return Terms(bounded[:n], np.exp(bounded[n:]), e / e.sum())


def sites(u: Array, f: float, terms: Terms) -> Array:
    """Filled share of each reaction, s_j(U), shape (m, n)."""
    return _logistic(-f * (u[:, None] - terms.u0) / terms.w)


def weighted_residual(p: Array, problem: Problem) -> Array:
    """D (x_model(U) - x), volt, shape (m,)."""
    terms = terms_of(p, problem)
    x = sites(problem.u, problem.f, terms) @ terms.x
    return problem.weight * (x - problem.x)


def _natural_jacobian(terms: Terms, problem: Problem) -> Array:
    """D times the derivatives of x_model by U_j, ln w_j and the logits of X_j."""
    s = sites(problem.u, problem.f, terms)
    z = problem.f * (problem.u[:, None] - terms.u0) / terms.w
    g = s * (1.0 - s) * terms.x
    by_x = terms.x * (s - (s @ terms.x)[:, None])
    return problem.weight[:, None] * np.hstack((g * problem.f / terms.w, g * z, by_x))


def jacobian(p: Array, problem: Problem) -> Array:
    """Derivatives of `weighted_residual` by the parameters, shape (m, 3 n)."""
    natural = _natural_jacobian(terms_of(p, problem), problem)
    bounded = problem.span.size
    share = _logistic(p[:bounded])
    natural[:, :bounded] *= problem.span * share * (1.0 - share)
    return natural


def potential(problem: Problem, terms: Terms) -> Array:
    """Invert x(U) at the measured contents by bisection."""
    low = np.full_like(problem.x, problem.u.min() - 2.0 * BEYOND_VOLT)
    high = np.full_like(problem.x, problem.u.max() + 2.0 * BEYOND_VOLT)
    for _ in range(36):  # 2.4 V / 2^36 is far below a nanovolt
        middle = 0.5 * (low + high)
        above = sites(middle, problem.f, terms) @ terms.x > problem.x
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return 0.5 * (low + high)


def standard_errors(
    p: Array, problem: Problem, residual: Array
) -> tuple[Array, Array, Array]:
    """Estimate the standard errors of U_j (V), X_j and ln w_j."""
    terms = terms_of(p, problem)
    natural = _natural_jacobian(terms, problem)
    n = terms.u0.size
    size = np.linalg.norm(natural, axis=0)
    scale = np.maximum(size, 1e-9 * size.max())  # a saturated term moves nothing
    _, singular, axes = np.linalg.svd(natural / scale, full_matrices=False)
    singular = np.maximum(singular, 1e-9 * singular[0])
    stretches = 1 + np.count_nonzero(np.diff(np.sign(residual)))
    root = axes.T / singular / scale[:, None]
    root *= np.sqrt(float(residual @ residual) / stretches)
    by_x = np.diag(terms.x) - np.outer(terms.x, terms.x)
    return (
        np.linalg.norm(root[:n], axis=1),
        np.linalg.norm(by_x @ root[2 * n :], axis=1),
        np.linalg.norm(root[n : 2 * n], axis=1),
    )
