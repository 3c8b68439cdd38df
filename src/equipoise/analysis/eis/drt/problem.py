"""The least-squares problem behind a distribution of relaxation times.

Matrices depend on the frequencies and the settings only, so they are made once for
all spectra of a series.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.kernels import drt as kernel
from equipoise.kernels.active_set import nonnegative_series

if TYPE_CHECKING:
    from equipoise.analysis.eis.drt.settings import DrtSettings
    from equipoise.analysis.eis.drt.tails import Tail

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

FWHM = 2.0 * sqrt(log(2.0))
"""Full width at half maximum of exp(-y^2)."""

KKT_TOLERANCE = 1e-10
WORST_CONDITION = 1e12
"""Of a unit-diagonal H that is still solved on normal equations."""

KEPT_BASES, KEPT_PROBLEMS = 16, 160
MOST_FUNCTIONS = 1000
SAME_FREQUENCY = 1e-3
"""Of ln f: closer frequencies are one frequency measured twice."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Gaussian basis functions on a grid of time constants.

    Attributes
    ----------
    tau_second
        Centres, rising, shape (M,).
    shape_factor_ratio
        epsilon: a basis function is exp(-(eps (ln tau - ln tau_m))^2).
    spacing_ratio
        Mean spacing of ln tau.
    real, imaginary
        Impedance of one ohm of each, shape (N, M).
    penalty, gram
        M, and A' A without weights, both shape (M, M).
    """

    tau_second: Array
    shape_factor_ratio: float
    spacing_ratio: float
    real: Array
    imaginary: Array
    penalty: Array
    gram: Array


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """``min |A x - b|^2 + lambda x' M x`` over x >= 0, ready for any data b.

    Attributes
    ----------
    basis
        The first M columns of A.
    others
        The other columns, complex, shape (N, k): series resistance, inductance
        (per microhenry) if fitted, tail.
    hessian
        A' A + lambda M, scaled to a unit diagonal, shape (M + k, M + k).
    scale
        x = scale * (x of the scaled problem), shape (M + k,).
    inverse
        Of `hessian`: the unconstrained answer is the first guess; None where it is
        not definite enough, then the stacked problem is solved.
    weight
        Of the residuals, shape (N,); None: 1.
    """

    basis: Basis
    others: ComplexArray
    regularisation_ratio: float
    hessian: Array
    scale: Array
    inverse: Array | None
    weight: Array | None

    @property
    def columns_count(self) -> int:
        """Unknowns: basis functions and other columns."""
        return int(self.scale.size)

    def design(self) -> Array:
        """Rows of the data, real then imaginary, weighted; shape (2 N, M + k)."""
        real = np.hstack([self.basis.real, self.others.real])
        imaginary = np.hstack([self.basis.imaginary, self.others.imag])
        if self.weight is not None:
            real = real * self.weight[:, None]
            imaginary = imaginary * self.weight[:, None]
        return np.vstack([real, imaginary])

    def right_sides(self, impedance: ComplexArray) -> Array:
        """Scaled A' b of spectra, shape (S, N) -> (S, M + k)."""
        w = 1.0 if self.weight is None else self.weight**2
        re, im = impedance.real * w, impedance.imag * w
        first = re @ self.basis.real + im @ self.basis.imaginary
        second = re @ self.others.real + im @ self.others.imag
        return np.hstack([first, second]) * self.scale

    def solve(self, impedance: ComplexArray) -> tuple[Array, Array]:
        """Weights of all columns and KKT residuals.

        Parameters
        ----------
        impedance
            Shape (S, N), in any unit.

        Returns
        -------
        tuple
            x, shape (S, M + k), >= 0, in the unit of the impedance; and the largest
            violation of the optimality conditions over max |A' b|, shape (S,).
        """
        sides = np.ascontiguousarray(self.right_sides(impedance))
        x = np.empty_like(sides)
        failed = np.ones(x.shape[0], np.bool_)
        if self.inverse is not None:
            x, _, status = _pivot(self.hessian, self.inverse, sides)
            failed = status != 0
        for row in np.flatnonzero(failed):
            x[row] = self._stacked(impedance[row]) / self.scale
        return x * self.scale, _violation(x, x @ self.hessian - sides, sides)

    def _stacked(self, impedance: ComplexArray) -> Array:
        """Lawson and Hanson on [A; sqrt(lambda) M^(1/2)]: slow, for singular H."""
        from scipy.optimize import nnls

        values, vectors = np.linalg.eigh(self.basis.penalty)
        root = np.sqrt(self.regularisation_ratio * np.clip(values, 0.0, None))
        smooth = np.zeros((values.size, self.columns_count))
        smooth[:, : values.size] = root[:, None] * vectors.T
        w = 1.0 if self.weight is None else self.weight
        data = np.concatenate([impedance.real * w, impedance.imag * w])
        whole = np.vstack([self.design(), smooth]) * self.scale
        right = np.concatenate([data, np.zeros(values.size)])
        answer, _ = nnls(whole, right, maxiter=100 * self.columns_count)
        return answer * self.scale


def _pivot(
    hessian: Array, inverse: Array, sides: Array
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Block principal pivoting of all right sides, each starting from the last one."""
    count, n = sides.shape
    x, y = np.empty((count, n)), np.empty((count, n))
    status = np.empty(count, np.int64)
    nonnegative_series(  # pyright: ignore[reportUnknownMemberType]
        hessian,
        sides,
        KKT_TOLERANCE,
        sides[0] @ inverse > 0.0,
        x,
        y,
        np.empty((n, n)),
        np.empty(n),
        np.empty(n, np.int64),
        status,
    )
    return x, y, status


def _violation(x: Array, multiplier: Array, sides: Array) -> Array:
    """Largest |gradient| where x > 0, largest negative one where x = 0, relative."""
    off = np.where(x > 0.0, np.abs(multiplier), np.maximum(-multiplier, 0.0))
    return off.max(axis=1) / np.maximum(np.abs(sides).max(axis=1), 1e-300)


def distinct(frequency_hertz: Array) -> Array:
    """Frequencies that differ by more than a thousandth, falling.

    A repeated measurement may have another last digit; it is no finer grid.
    """
    found = np.unique(frequency_hertz)[::-1]
    apart = np.concatenate([[True], np.diff(np.log(found)) < -SAME_FREQUENCY])
    return found[apart]


def basis_of(frequency_hertz: Array, settings: DrtSettings) -> Basis:
    """Basis functions for frequencies, shape (N,), falling."""
    return _basis(
        np.ascontiguousarray(frequency_hertz).tobytes(),
        settings.width_ratio,
        settings.shape_factor_ratio,
        settings.derivative,
        settings.collocation,
        settings.short_side_decades_count,
    )


def problem_of(
    frequency_hertz: Array,
    settings: DrtSettings,
    tail: Tail,
    *,
    weight: Array | None = None,
) -> Problem:
    """The problem for frequencies, shape (N,), falling; `weight` has shape (N,)."""
    if weight is None:
        key = np.ascontiguousarray(frequency_hertz).tobytes()
        return _problem(key, settings, tail)
    return _assemble(frequency_hertz, settings, tail, weight)


@lru_cache(maxsize=KEPT_BASES)
def _basis(
    frequencies: bytes,
    width: float,
    shape: float | None,
    derivative: int,
    collocation: str,
    decades: float,
) -> Basis:
    frequency = np.frombuffer(frequencies)
    different = distinct(frequency)
    spacing = float(np.mean(np.diff(np.log(1.0 / different))))
    if collocation == "drttools":
        tau = 1.0 / different
    else:
        last = 1.0 / (2.0 * pi * different[-1])
        first = 10.0**-decades / (2.0 * pi * different[0])
        count = round(log(last / first) / spacing)
        if count >= MOST_FUNCTIONS:
            raise DataError(
                f"{log(10.0) / spacing:.3g} frequencies per decade would need "
                f"{count + 1:,} basis functions; at most {MOST_FUNCTIONS:,} can be",
                remedy="10 to 20 frequencies per decade say as much: leave out others",
            )
        tau = last * np.exp(-spacing * np.arange(count, -1, -1.0))
    epsilon = width * FWHM / spacing if shape is None else shape
    real, imaginary = basis_impedance(frequency, tau, epsilon)
    penalty = np.empty((tau.size, tau.size))
    kernel.penalty(np.log(tau), epsilon, derivative, penalty)
    gram = real.T @ real + imaginary.T @ imaginary
    return Basis(tau, epsilon, spacing, real, imaginary, penalty, gram)


def basis_impedance(
    frequency_hertz: Array, tau_second: Array, shape_factor_ratio: float
) -> tuple[Array, Array]:
    """Real and imaginary impedance of one ohm of each basis function, (N, M)."""
    nodes, weights = kernel.quadrature(shape_factor_ratio)
    shape = (frequency_hertz.size, tau_second.size)
    real, imaginary = np.empty(shape), np.empty(shape)
    log_omega, log_tau = np.log(2.0 * pi * frequency_hertz), np.log(tau_second)
    kernel.basis(log_omega, log_tau, nodes, weights, real, imaginary)
    return real, imaginary


@lru_cache(maxsize=KEPT_PROBLEMS)
def _problem(frequencies: bytes, settings: DrtSettings, tail: Tail) -> Problem:
    return _assemble(np.frombuffer(frequencies), settings, tail, None)


def _assemble(
    frequency: Array, settings: DrtSettings, tail: Tail, weight: Array | None
) -> Problem:
    basis = basis_of(frequency, settings)
    omega = 2.0 * pi * frequency
    inductive = settings.inductance == "fit"
    series = np.ones((omega.size, 2 if inductive else 1), np.complex128)
    if inductive:
        series[:, 1] = 1e-6j * omega
    others = np.hstack([series, tail.columns(omega)])
    real, imaginary, gram = basis.real, basis.imaginary, basis.gram
    other_real, other_imaginary = others.real, others.imag
    if weight is not None:
        real, imaginary = (a * weight[:, None] for a in (real, imaginary))
        gram = real.T @ real + imaginary.T @ imaginary
        other_real, other_imaginary = (
            a * weight[:, None] for a in (other_real, other_imaginary)
        )
    cross = real.T @ other_real + imaginary.T @ other_imaginary
    corner = other_real.T @ other_real + other_imaginary.T @ other_imaginary
    smooth = gram + settings.regularisation_ratio * basis.penalty
    hessian = np.block([[smooth, cross], [cross.T, corner]])
    scale = 1.0 / np.sqrt(np.diag(hessian))
    hessian = np.ascontiguousarray(hessian * scale[:, None] * scale[None, :])
    return Problem(
        basis,
        others,
        settings.regularisation_ratio,
        hessian,
        scale,
        _inverse(hessian),
        weight,
    )


def _inverse(hessian: Array) -> Array | None:
    """Inverse, or None where rounding would decide."""
    try:
        inverse: Array = np.linalg.inv(hessian).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    condition = np.linalg.norm(hessian, 1) * np.linalg.norm(inverse, 1)
    return inverse if condition < WORST_CONDITION else None
