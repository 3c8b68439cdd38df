"""Distribution of relaxation times of a spectrum, on Gaussian basis functions.

``Z(f) = R_inf + j 2 pi f L + Z_tail + int gamma(ln tau) / (1 + j 2 pi f tau) d ln tau``
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import erf as _erf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.problem import (
    FWHM,
    basis_impedance,
    distinct,
    problem_of,
)
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import WARBURG, Tail, as_tail
from equipoise.core.errors import DataError, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from equipoise.analysis.eis.drt.problem import Problem
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LEAST_FREQUENCIES = 10
_AREA = float(np.sqrt(np.pi))
_erf_of = np.vectorize(_erf, otypes=[np.float64])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Distribution:
    """A solved distribution.

    Attributes
    ----------
    spectrum
        The points that were used: without inductive ones if they were discarded.
    settings, tail
        As asked for.
    tau_second
        Centres of the basis functions, rising, shape (M,).
    weights_ohm
        Their heights, >= 0, shape (M,).
    series_resistance_ohm, inductance_henry, tail_coefficients
        The other columns; of the tail in ohm s^-exponent (Warburg, CPE), 1/F
        (capacitor) or ohm (finite ones), shape (k,).
    shape_factor_ratio
        epsilon that was used.
    points_per_decade_count
        Mean density of the frequencies; lambda depends on it.
    objective
        Sum of squared residuals plus penalty, in ohm^2.
    kkt_residual_ratio
        Largest violation of the optimality conditions, relative.
    discarded_count
        Points left out because they were inductive.
    """

    spectrum: Spectrum
    settings: DrtSettings
    tail: Tail
    tau_second: Array
    weights_ohm: Array
    series_resistance_ohm: float
    inductance_henry: float
    tail_coefficients: Array
    shape_factor_ratio: float
    points_per_decade_count: float
    objective: float
    kkt_residual_ratio: float
    discarded_count: int

    def __repr__(self) -> str:
        """Spectrum, tail and total polarisation."""
        return (
            f"<Distribution of {self.spectrum.label}, {self.tail.label}: "
            f"{self.polarisation_ohm:.4g} ohm>"
        )

    @property
    def gamma_ohm(self) -> Array:
        """Gamma at `tau_second`, per unit of ln tau, shape (M,)."""
        return self.gamma_at(self.tau_second)

    def gamma_at(self, tau_second: ArrayLike) -> Array:
        """Gamma at any time constants (s), per unit of ln tau; ohm, same shape."""
        log = np.log(np.asarray(tau_second, dtype=np.float64))
        y = log[..., None] - np.log(self.tau_second)
        return np.exp(-((self.shape_factor_ratio * y) ** 2)) @ self.weights_ohm

    @property
    def full_width_decades_count(self) -> float:
        """Width at half maximum of a basis function: the finest that can be seen."""
        return FWHM / self.shape_factor_ratio / np.log(10.0)

    @property
    def columns(self) -> Array:
        """All unknowns of the least-squares problem, in its order, shape (M + k,)."""
        others = [self.series_resistance_ohm]
        if self.settings.inductance == "fit":
            others.append(1e6 * self.inductance_henry)
        return np.concatenate([self.weights_ohm, others, self.tail_coefficients])

    @property
    def polarisation_ohm(self) -> float:
        """Integral of gamma over all ln tau."""
        return float(self.weights_ohm.sum()) * _AREA / self.shape_factor_ratio

    def window_weights(self, shortest_second: float, longest_second: float) -> Array:
        """How much each weight adds to an integral over ln tau, shape (M,)."""
        eps, centre = self.shape_factor_ratio, np.log(self.tau_second)
        with np.errstate(divide="ignore"):  # 0 and infinity are ends too
            ends = np.log([shortest_second, longest_second])
        low, high = (_erf_of(eps * (end - centre)) for end in ends)
        return 0.5 * _AREA / eps * (high - low)

    def window_ohm(self, shortest_second: float, longest_second: float) -> float:
        """Integral of gamma between two time constants (s), in ohm.

        Raises
        ------
        SpecError
            If they are not 0 <= shortest < longest.
        """
        if not 0.0 <= shortest_second < longest_second:
            raise SpecError(
                f"a range from {shortest_second:g} s to {longest_second:g} s",
                remedy="give two times, the shorter one first",
            )
        weights = self.window_weights(shortest_second, longest_second)
        return float(weights @ self.weights_ohm)

    def relaxation_impedance_ohm(self, frequency_hertz: ArrayLike) -> ComplexArray:
        """Impedance of the distribution alone, complex, shape (n,)."""
        frequency = np.atleast_1d(np.asarray(frequency_hertz, dtype=np.float64))
        real, imaginary = basis_impedance(
            frequency, self.tau_second, self.shape_factor_ratio
        )
        return real @ self.weights_ohm + 1j * (imaginary @ self.weights_ohm)

    def tail_impedance_ohm(self, frequency_hertz: ArrayLike) -> ComplexArray:
        """Impedance of the tail alone, complex, shape (n,)."""
        frequency = np.atleast_1d(np.asarray(frequency_hertz, dtype=np.float64))
        return self.tail.columns(2.0 * np.pi * frequency) @ self.tail_coefficients

    def impedance_ohm(self, frequency_hertz: ArrayLike) -> ComplexArray:
        """All of the fit, complex, shape (n,)."""
        frequency = np.atleast_1d(np.asarray(frequency_hertz, dtype=np.float64))
        series = self.series_resistance_ohm + 2j * np.pi * frequency * (
            self.inductance_henry
        )
        return (
            series
            + self.relaxation_impedance_ohm(frequency)
            + self.tail_impedance_ohm(frequency)
        )

    @property
    def residual_ohm(self) -> ComplexArray:
        """Fit minus data, complex, shape (N,)."""
        s = self.spectrum
        return self.impedance_ohm(s.frequency_hertz) - s.impedance_ohm

    @property
    def residual_percent(self) -> float:
        """Root mean square of |fit - data| / |data|."""
        ratio = np.abs(self.residual_ohm) / np.abs(self.spectrum.impedance_ohm)
        return 100.0 * float(np.sqrt(np.mean(ratio**2)))

    @property
    def relaxations(self) -> Spectrum:
        """The data without series resistance, inductance and tail."""
        bare = replace(
            self,
            weights_ohm=np.zeros_like(self.weights_ohm),
        )
        return self.spectrum.minus(bare.impedance_ohm(self.spectrum.frequency_hertz))


def distribution(
    spectrum: Spectrum,
    settings: DrtSettings | None = None,
    *,
    tail: Tail | str = WARBURG,
) -> Distribution:
    """Distribution of relaxation times with one model of the tail.

    Parameters
    ----------
    tail
        A column of the fit without penalty; it costs nothing where there is none.
        Which one is right moves the slow resistances: see `resistances`.

    Raises
    ------
    DataError
        If fewer than ten frequencies are left.
    SpecError
        If the tail is not known.

    References
    ----------
    wan2015; saccoccio2014.
    """
    return distributions([spectrum], settings, tail=tail)[0]


def distributions(
    spectra: Sequence[Spectrum],
    settings: DrtSettings | None = None,
    *,
    tail: Tail | str = WARBURG,
) -> list[Distribution]:
    """Distributions of many spectra; those on the same frequencies as one batch.

    Raises
    ------
    DataError
        If a spectrum has fewer than ten frequencies left, a point with Z = 0, or
        frequencies so dense that the grid of time constants would be too large.
    """
    chosen, wanted = settings or DrtSettings(), as_tail(tail)
    used = [_used(s, chosen) for s in spectra]
    groups: dict[object, list[int]] = {}
    for i, (kept, _) in enumerate(used):
        own = i if chosen.weighting == "modulus" else None
        groups.setdefault((kept.frequency_hertz.tobytes(), own), []).append(i)
    found: list[Distribution | None] = [None] * len(used)
    for members in groups.values():
        first = used[members[0]][0]
        problem = problem_of(
            first.frequency_hertz, chosen, wanted, weight=weight_of(first, chosen)
        )
        data = np.stack([used[i][0].impedance_ohm for i in members])
        x, kkt = problem.solve(data)
        for row, i in enumerate(members):
            found[i] = _distribution(
                used[i], chosen, wanted, problem, x[row], float(kkt[row])
            )
    return [d for d in found if d is not None]


def _used(spectrum: Spectrum, settings: DrtSettings) -> tuple[Spectrum, int]:
    """Points that are fitted, and how many are left out."""
    kept = spectrum
    if settings.inductance == "discard":
        capacitive = spectrum.impedance_ohm.imag <= 0.0
        if not capacitive.any():
            raise DataError(
                "all points have Im Z > 0, so that none is left",
                where=spectrum.label,
                remedy="the sign of Im Z may be turned: a capacitance has Im Z < 0",
            )
        kept = spectrum.only(capacitive)
    if np.abs(spectrum.impedance_ohm).min() <= 0.0:
        raise DataError(
            "a point has Z = 0, which no cell has",
            where=spectrum.label,
            remedy="remove the point from the file",
        )
    if distinct(kept.frequency_hertz).size < LEAST_FREQUENCIES:
        kept.require_points(LEAST_FREQUENCIES, "a distribution of relaxation times")
        raise DataError(
            f"fewer than {LEAST_FREQUENCIES} frequencies differ by more than 0.1 %",
            where=spectrum.label,
            remedy="measure a wider range",
        )
    return kept, spectrum.points_count - kept.points_count


def weight_of(spectrum: Spectrum, settings: DrtSettings) -> Array | None:
    """1 / |Z| with a mean square of one, or None."""
    if settings.weighting == "unit":
        return None
    size = np.abs(spectrum.impedance_ohm)
    return 1.0 / size / np.sqrt(np.mean(1.0 / size**2))


def _distribution(
    used: tuple[Spectrum, int],
    settings: DrtSettings,
    tail: Tail,
    problem: Problem,
    x: Array,
    kkt: float,
) -> Distribution:
    spectrum, discarded = used
    basis, count = problem.basis, problem.basis.tau_second.size
    others = x[count:]
    inductive = settings.inductance == "fit"
    fitted = basis.real @ x[:count] + 1j * (basis.imaginary @ x[:count])
    residual = np.abs(fitted + problem.others @ others - spectrum.impedance_ohm)
    if problem.weight is not None:
        residual = residual * problem.weight
    smooth = float(x[:count] @ basis.penalty @ x[:count])
    objective = float(residual @ residual) + settings.regularisation_ratio * smooth
    return Distribution(
        spectrum,
        settings,
        tail,
        basis.tau_second,
        x[:count],
        float(others[0]),
        1e-6 * float(others[1]) if inductive else 0.0,
        others[2 if inductive else 1 :],
        basis.shape_factor_ratio,
        float(np.log(10.0)) / basis.spacing_ratio,
        objective,
        kkt,
        discarded,
    )
