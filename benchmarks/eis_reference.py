"""The regularised problem of DRTtools solved exactly, by a route of its own.

Nothing of equipoise is used: the matrices come from a fine trapezoid rule, the least
squares with all unknowns >= 0 from scipy's `nnls` on the stacked factor
[A'; A''; sqrt(lambda) M^1/2]. Slow and plain on purpose: it judges the fast ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import erf


@dataclass(frozen=True, slots=True)
class Problem:
    """Matrices of one spectrum: columns R, L (if fitted), tails, then one per tau."""

    real: np.ndarray
    imaginary: np.ndarray
    penalty: np.ndarray
    tau_second: np.ndarray
    epsilon: float
    extra: int

    @classmethod
    def of(
        cls,
        frequency: np.ndarray,
        tau: np.ndarray | None = None,
        *,
        inductance: bool,
        tails: tuple[np.ndarray, ...] = (),
        epsilon: float | None = None,
        coefficient: float = 0.5,
    ) -> Problem:
        """Gaussian basis, first derivative; tau = 1/f unless given.

        `tails` are impedances (ohm) of which a multiple >= 0 is fitted, unpenalised.
        """
        omega = 2.0 * math.pi * frequency
        tau = 1.0 / frequency if tau is None else tau
        if epsilon is None:
            step = abs(float(np.mean(np.diff(np.log(frequency)))))
            epsilon = coefficient * 2.0 * math.sqrt(math.log(2.0)) / step
        real, imaginary = kernels(np.log(np.outer(omega, tau)), epsilon)
        ones, zeros = np.ones((omega.size, 1)), np.zeros((omega.size, 1))
        left = [ones, zeros] if inductance else [ones]
        right = [zeros, omega[:, None]] if inductance else [zeros]
        left += [tail.real[:, None] for tail in tails]
        right += [tail.imag[:, None] for tail in tails]
        extra = len(left)
        a = epsilon * np.subtract.outer(np.log(tau), np.log(tau))
        penalty = np.zeros((tau.size + extra,) * 2)
        penalty[extra:, extra:] = (
            epsilon * math.sqrt(math.pi / 2.0) * (1.0 - a**2) * np.exp(-(a**2) / 2.0)
        )
        return cls(
            np.hstack([*left, real]),
            np.hstack([*right, imaginary]),
            penalty,
            tau,
            epsilon,
            extra,
        )

    def solve(self, impedance: np.ndarray, strength: float) -> np.ndarray:
        """All unknowns, >= 0; columns are scaled, the penalty's root is symmetric."""
        values, vectors = np.linalg.eigh(self.penalty)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))).T
        stacked = np.vstack([self.real, self.imaginary, math.sqrt(strength) * root])
        wanted = np.zeros(stacked.shape[0])
        wanted[: 2 * impedance.size] = np.concatenate([impedance.real, impedance.imag])
        scale = np.linalg.norm(stacked, axis=0)
        x, _ = nnls(stacked / scale, wanted, maxiter=100 * scale.size)
        return x / scale

    def slope(self, x: np.ndarray, z: np.ndarray, strength: float) -> np.ndarray:
        """Half the gradient of the objective."""
        out = self.real.T @ (self.real @ x - z.real)
        out += self.imaginary.T @ (self.imaginary @ x - z.imag)
        return out + strength * (self.penalty @ x)

    def objective(self, x: np.ndarray, z: np.ndarray, strength: float) -> float:
        real, imaginary = self.real @ x - z.real, self.imaginary @ x - z.imag
        return float(
            real @ real + imaginary @ imaginary + strength * x @ self.penalty @ x
        )

    def gamma(self, x: np.ndarray, tau: np.ndarray) -> np.ndarray:
        """Distribution at any tau, ohm."""
        y = np.subtract.outer(np.log(tau), np.log(self.tau_second))
        return np.exp(-((self.epsilon * y) ** 2)) @ x[self.extra :]

    def window(self, x: np.ndarray, low: float, high: float) -> float:
        """Integral of gamma over ln tau from low to high (s), ohm; exact."""
        at = np.log(self.tau_second)
        top = erf(self.epsilon * (math.log(high) - at))
        bottom = erf(self.epsilon * (math.log(low) - at))
        area = math.sqrt(math.pi) / (2.0 * self.epsilon)
        return float(area * (top - bottom) @ x[self.extra :])


def kernels(u: np.ndarray, epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Real and imaginary response of one Gaussian; u = ln(omega tau)."""
    y = np.linspace(-7.0 / epsilon, 7.0 / epsilon, 401)
    weight = np.exp(-((epsilon * y) ** 2)) * (y[1] - y[0])
    v = u[..., None] + y
    real = 0.5 * (1.0 - np.tanh(v))
    imaginary = -0.5 / np.cosh(v)
    return real @ weight, imaginary @ weight
