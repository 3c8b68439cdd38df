"""What the noise of the data does to a distribution: linear, on its active set.

With the noise proportional to abs(Z), of standard deviation s, and the solution
``x_F = K A_F' b``, ``K = (A_F' A_F + lambda M_F)^-1`` on the free columns F, the
covariance is ``K A_F' S A_F K`` with ``S = s^2 diag(abs(Z)^2)``. The fit follows part
of the noise; s is corrected for it: ``E[r' W r] = s^2 tr(W (1 - P) D (1 - P)')``, P
the matrix that takes data to fit, W = 1/abs(Z)^2, D = abs(Z)^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.distribution import weight_of
from equipoise.analysis.eis.drt.problem import problem_of

if TYPE_CHECKING:
    from equipoise.analysis.eis.drt.distribution import Distribution

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Noise of a spectrum and how it reaches the distribution.

    Attributes
    ----------
    ratio
        Standard deviation of real and imaginary part over abs(Z).
    spread_ohm
        Change of each free column per standard deviation of each datum, shape
        (F, 2 N): its square is the covariance.
    free
        Free columns, basis functions first, shape (F,).
    parameters_ratio
        Effective number of parameters over the number of data (trace of P).
    """

    ratio: float
    spread_ohm: Array
    free: NDArray[np.intp]
    parameters_ratio: float

    def error_of(self, weights: Array) -> float:
        """Standard error of a sum over all columns with `weights`, shape (M + k,)."""
        return float(np.linalg.norm(weights[self.free] @ self.spread_ohm))


def noise_of(distribution: Distribution) -> Noise:
    """Estimate the noise from the residuals of a distribution."""
    d = distribution
    spectrum = d.spectrum
    size = np.abs(spectrum.impedance_ohm)
    weight = weight_of(spectrum, d.settings)
    problem = problem_of(spectrum.frequency_hertz, d.settings, d.tail, weight=weight)
    x = d.columns
    free = np.flatnonzero(x > 0.0)
    design = problem.design()[:, free]
    scale = problem.scale[free]
    inner = np.linalg.pinv(problem.hessian[np.ix_(free, free)], hermitian=True)
    to_columns = (inner * scale[:, None] * scale[None, :]) @ design.T
    to_fit = design @ to_columns
    sizes = np.concatenate([size, size])
    if weight is not None:
        sizes = sizes * np.concatenate([weight, weight])
    left = np.eye(sizes.size) - to_fit
    expected = float((((left * sizes[None, :]) / sizes[:, None]) ** 2).sum())
    residual = d.residual_ohm
    relative = np.concatenate([residual.real, residual.imag]) / np.tile(size, 2)
    found = float(np.sqrt((relative @ relative) / max(expected, 1.0)))
    return Noise(
        found,
        to_columns * (found * sizes)[None, :],
        free,
        float(np.trace(to_fit)) / sizes.size,
    )
