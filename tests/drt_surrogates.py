"""Made-up cells whose distribution of relaxation times is known, and a second solver.

Six arcs (ZARC) in series with 12 ohm, 0.2 uH and a low-frequency tail; S1 has the
resistances of one cell of the paper, S2 a small charge transfer. True windows are
integrals of the exact gamma by adaptive quadrature. `reference` solves the same
problem as the package by another route: brute-force quadrature for the matrices, and
Lawson and Hanson's NNLS on the stacked factor instead of normal equations.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import quad
from scipy.optimize import nnls
from scipy.special import erf

from equipoise.spec.spectrum import Spectrum

INTERPHASE = (1e-5, 1e-2)
CHARGE_TRANSFER = (1e-2, 1.0)
WINDOWS = (INTERPHASE, CHARGE_TRANSFER)
FREQUENCY = np.logspace(6, -1, 71)
TAU_SECOND = (3e-7, 3e-6, 6e-5, 1.2e-3, 2.5e-2, 0.22)
EXPONENT = (0.9, 0.9, 0.88, 0.88, 0.88, 0.92)


def warburg_like(coefficient, exponent):
    return lambda jw: coefficient * jw**-exponent


def finite_space(coefficient, second):
    """Blocked diffusion; it joins `warburg_like(coefficient, 0.5)`."""

    def impedance(jw):
        s = np.sqrt(jw * second)
        return coefficient * np.sqrt(second) / (s * np.tanh(s))

    return impedance


def finite_length(coefficient, second):
    """Transmitted diffusion."""

    def impedance(jw):
        s = np.sqrt(jw * second)
        return coefficient * np.sqrt(second) * np.tanh(s) / s

    return impedance


TAILS = {
    "warburg": warburg_like(14.0, 0.5),
    "cpe 0.42": warburg_like(14.0, 0.42),
    "cpe 0.60": warburg_like(14.0, 0.60),
    "finite space": finite_space(14.0, 5.0),
    "finite length": finite_length(14.0, 5.0),
    "none": np.zeros_like,
}


@dataclass(frozen=True)
class Surrogate:
    """Arcs in series with a resistance, an inductance and a tail."""

    resistance_ohm: tuple[float, ...]
    tau_second: tuple[float, ...] = TAU_SECOND
    exponent: tuple[float, ...] = EXPONENT
    tail: object = TAILS["warburg"]
    series_ohm: float = 12.0
    inductance_henry: float = 2e-7

    def impedance(self, frequency=FREQUENCY):
        jw = 2j * np.pi * frequency
        z = self.series_ohm + self.inductance_henry * jw + self.tail(jw)
        for r, t, p in zip(
            self.resistance_ohm, self.tau_second, self.exponent, strict=True
        ):
            z = z + r / (1.0 + (jw * t) ** p)
        return z

    def gamma(self, tau):
        total = 0.0
        for r, t, p in zip(
            self.resistance_ohm, self.tau_second, self.exponent, strict=True
        ):
            turn = (1.0 - p) * np.pi
            bell = np.cosh(p * np.log(tau / t)) - np.cos(turn)
            total = total + r / (2.0 * np.pi) * np.sin(turn) / bell
        return total

    def window(self, shortest, longest):
        """Integral of gamma over ln tau."""
        inside = [np.log(t) for t in self.tau_second if shortest < t < longest]
        value, _ = quad(
            lambda y: self.gamma(np.exp(y)),
            np.log(shortest),
            np.log(longest),
            points=inside or None,
            epsabs=1e-11,
            epsrel=1e-11,
            limit=200,
        )
        return value

    @property
    def windows(self):
        """R_int and R_ct."""
        return np.array([self.window(*w) for w in WINDOWS])

    def with_tail(self, tail):
        return replace(self, tail=TAILS[tail] if isinstance(tail, str) else tail)

    def spectrum(self, noise=0.0, seed=0, frequency=FREQUENCY, name=""):
        """Noise is relative to |Z|, independent in both parts."""
        z = noisy(self.impedance(frequency), noise, seed)
        return Spectrum.of(frequency, z, name=name)


def noisy(z, noise, seed):
    draw = np.random.default_rng(seed).standard_normal((2, z.size))
    return z + noise * np.abs(z) * (draw[0] + 1j * draw[1])


S1 = Surrogate((6.0, 4.0, 9.3, 10.0, 22.8, 24.0))
S2 = Surrogate((6.0, 4.0, 6.1, 8.0, 8.2, 7.0))
SURROGATES = {"S1": S1, "S2": S2}
CLEANED = replace(S1, tail=TAILS["none"], inductance_henry=0.0)


def random_surrogate(seed):
    """Resistances, time constants, exponents and tail drawn anew, around S1."""
    draw = np.random.default_rng(seed)
    resistance = np.array(S1.resistance_ohm) * np.exp(draw.normal(0.0, 0.6, 6))
    tau = np.array(TAU_SECOND) * np.exp(draw.normal(0.0, 0.25, 6))
    exponent = draw.uniform(0.82, 0.95, 6)
    coefficient = 14.0 * np.exp(draw.normal(0.0, 0.4))
    second = np.exp(draw.uniform(np.log(2.0), np.log(15.0)))
    tail = (
        TAILS["none"],
        warburg_like(coefficient, 0.5),
        warburg_like(coefficient, draw.uniform(0.38, 0.7)),
        finite_space(coefficient, second),
        # faster than 3 s its arc, at t_D / 2.54, lies within R_ct: it is no tail
        finite_length(coefficient, max(second, 3.0)),
    )[draw.integers(5)]
    return Surrogate(tuple(resistance), tuple(tau), tuple(exponent), tail)


@dataclass(frozen=True)
class Reference:
    """Answer of the second solver."""

    tau: np.ndarray
    epsilon: float
    weights: np.ndarray
    others: np.ndarray
    objective: float

    def window(self, shortest, longest):
        y = self.epsilon * (np.log([shortest, longest])[:, None] - np.log(self.tau))
        low, high = erf(y)
        return float(self.weights @ (high - low) * np.sqrt(np.pi) / self.epsilon / 2.0)

    def gamma(self, tau):
        y = np.log(tau)[:, None] - np.log(self.tau)
        return np.exp(-((self.epsilon * y) ** 2)) @ self.weights


def reference_matrices(frequency, tau, epsilon):
    """A' and A'' by a trapezoid rule with 801 nodes over +- 7 / epsilon."""
    y = np.linspace(-7.0, 7.0, 801) / epsilon
    bell = np.exp(-((epsilon * y) ** 2)) * (y[1] - y[0])
    z = 1.0 / (1.0 + 2j * np.pi * frequency[:, None, None] * (tau[:, None] * np.exp(y)))
    a = (z * bell).sum(axis=-1)
    return a.real, a.imag


def reference_penalty(tau, epsilon, derivative=1):
    """M in closed form (spec of Wan 2015); itself tested against quadrature."""
    a = epsilon * (np.log(tau)[:, None] - np.log(tau))
    if derivative == 1:
        return epsilon * np.sqrt(np.pi / 2) * (1 - a**2) * np.exp(-(a**2) / 2)
    bell = np.exp(-(a**2) / 2) * (3 - 6 * a**2 + a**4)
    return epsilon**3 * np.sqrt(np.pi / 2) * bell


def reference(
    spectrum,
    *,
    tau,
    epsilon,
    strength=1e-4,
    tails=(),
    inductive=True,
    derivative=1,
    weight=None,
):
    """`min |A x - b|^2 + strength x' M x` over x >= 0 by NNLS on the stacked factor.

    Matrices are brute force, not the kernel's; tails are functions of j w.
    """
    f, z = spectrum.frequency_hertz, spectrum.impedance_ohm
    jw = 2j * np.pi * f
    real, imaginary = reference_matrices(f, tau, epsilon)
    others = [np.ones(f.size, complex), *([1e-6 * jw] if inductive else [])]
    others = np.stack([*others, *(t(jw) for t in tails)], axis=1)
    w = np.ones(f.size) if weight is None else weight
    design = np.hstack([real + 1j * imaginary, others]) * w[:, None]
    values, vectors = np.linalg.eigh(reference_penalty(tau, epsilon, derivative))
    smooth = np.zeros((tau.size, design.shape[1]))
    roots = np.sqrt(strength * np.clip(values, 0.0, None))
    smooth[:, : tau.size] = (vectors * roots).T
    stacked = np.vstack([design.real, design.imag, smooth])
    right = np.concatenate([(z * w).real, (z * w).imag, np.zeros(tau.size)])
    size = np.linalg.norm(stacked, axis=0)
    x, left = nnls(stacked / size, right, maxiter=30_000)
    x = x / size
    return Reference(tau, epsilon, x[: tau.size], x[tau.size :], left**2)
