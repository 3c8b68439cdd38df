"""What a circuit fit found: values, errors, arcs, and what cannot be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike

    from equipoise.analysis.eis.circuits.circuit import Circuit
    from equipoise.analysis.eis.circuits.response import Array, ComplexArray
    from equipoise.spec.spectrum import Spectrum


@dataclass(frozen=True, slots=True)
class CircuitEstimate:
    """One parameter of a fitted circuit.

    Attributes
    ----------
    name, element, unit
        As in `CircuitParameter`.
    value
        The estimate.
    standard_error
        In the unit of the value; 0 if fixed, NaN at a bound, infinite where the
        spectrum does not determine it.
    low, high
        95 % interval; of positive parameters in the logarithm, so not symmetric.
    state
        ``free``, ``fixed``, ``at lower bound`` or ``at upper bound``.
    """

    name: str
    element: str
    unit: str
    value: float
    standard_error: float
    low: float
    high: float
    state: str

    @property
    def relative_error_percent(self) -> float:
        """Standard error over value."""
        return 100.0 * self.standard_error / self.value


@dataclass(frozen=True, slots=True)
class Arc:
    """What follows for an arc.

    Attributes
    ----------
    elements
        Names of its elements.
    resistance_ohm
        Its resistance.
    time_constant_second
        tau, or (R Q)^(1/alpha).
    time_constant_error_second
        Its standard error, from the covariance of the parameters.
    peak_frequency_hertz
        1 / (2 pi tau), where -Im Z of the arc is largest.
    alpha_fraction
        Exponent; 1 of a capacitor.
    capacitance_farad
        tau / R = (R^(1-alpha) Q)^(1/alpha), of Hsu and Mansfeld: relaxation times
        are distributed through the depth of a layer.
    surface_capacitance_farad
        Q^(1/alpha) (1/R_s + 1/R)^(1-1/alpha), of Brug et al.: they are distributed
        along the surface, charged through the resistance R_s in series. NaN without
        R_s.

    References
    ----------
    Hsu and Mansfeld, Corrosion 57 (2001) 747; Brug, van den Eeden, Sluyters-Rehbach
    and Sluyters, J. Electroanal. Chem. 176 (1984) 275.
    """

    elements: tuple[str, ...]
    resistance_ohm: float
    time_constant_second: float
    time_constant_error_second: float
    peak_frequency_hertz: float
    alpha_fraction: float
    capacitance_farad: float
    surface_capacitance_farad: float


@dataclass(frozen=True, slots=True, eq=False)
class CircuitFit:
    """A circuit fitted to a spectrum.

    Attributes
    ----------
    circuit, spectrum
        What was fitted to what.
    weighting
        ``modulus``: residuals relative to |Z| of their point; ``unit``: to the root
        mean square of |Z|.
    parameters
        In the order of the text.
    arcs
        In the order of the text; of one shape the fastest comes first.
    correlation
        Shape (P, P), of the fitted parameters (logarithms, exponents); NaN for those
        that are fixed or at a bound.
    residual_percent
        Shape (N,), complex: 100 (Z_measured - Z_fit) / |Z_measured|.
    rms_percent
        Root mean square of the weighted residual, real and imaginary parts.
    sketch_rms_percent
        The same of a free description by relaxation lines; if the fit is far above,
        the circuit lacks something.
    degrees_of_freedom_count
        2 N minus fitted parameters.
    condition_ratio
        Largest over smallest singular value of the scaled Jacobian.
    notes
        What to look at: bounds, correlations, errors, ranges.
    starts_count
        From how many starts it was tried.
    converged
        Whether the minimum was reached.
    """

    circuit: Circuit
    spectrum: Spectrum
    weighting: str
    parameters: tuple[CircuitEstimate, ...]
    arcs: tuple[Arc, ...]
    correlation: Array
    residual_percent: ComplexArray
    rms_percent: float
    sketch_rms_percent: float
    degrees_of_freedom_count: int
    condition_ratio: float
    notes: tuple[str, ...]
    starts_count: int
    converged: bool

    def __getitem__(self, name: str) -> CircuitEstimate:
        """A parameter by its name, or by that of an element that has only one."""
        return self.parameters[self.circuit.index(name)]

    @property
    def values(self) -> dict[str, float]:
        """Name -> value; what `Circuit.impedance` takes."""
        return {p.name: p.value for p in self.parameters}

    @property
    def reduced_chi_square(self) -> float:
        """Sum of squared weighted residuals over the degrees of freedom.

        The weights are 1: it is the square of the relative noise of each part if the
        circuit is right.
        """
        n = 2 * self.residual_percent.size
        return (self.rms_percent / 100.0) ** 2 * n / self.degrees_of_freedom_count

    @property
    def aicc(self) -> float:
        """Criterion of Akaike, corrected for few data, up to a constant.

        Only differences on the same spectrum with the same weighting mean something.

        References
        ----------
        Burnham and Anderson, Model Selection and Multimodel Inference (2002), section
        2.4: least squares with unknown variance.
        """
        n, k = self._sizes()
        small = 2.0 * k * (k + 1) / (n - k - 1) if n > k + 1 else np.inf
        return self._log_likelihood_term(n) + 2.0 * k + small

    @property
    def bic(self) -> float:
        """Criterion of Bayes (Schwarz), up to the same constant."""
        n, k = self._sizes()
        return self._log_likelihood_term(n) + k * float(np.log(n))

    def _sizes(self) -> tuple[int, int]:
        """Number of values, and of parameters with the variance."""
        n = 2 * int(self.residual_percent.size)
        return n, n - self.degrees_of_freedom_count + 1

    def _log_likelihood_term(self, n: int) -> float:
        # 1e-15 relative: below it, only rounding is compared
        return 2.0 * n * float(np.log(max(self.rms_percent / 100.0, 1e-15)))

    def impedance(self, frequency_hertz: ArrayLike | None = None) -> ComplexArray:
        """Impedance of the fit, ohm; at the frequencies of the spectrum by default."""
        at = (
            self.spectrum.frequency_hertz
            if frequency_hertz is None
            else frequency_hertz
        )
        return self.circuit.impedance(at, self.values)

    def table(self) -> pl.DataFrame:
        """One row per parameter: value, standard error, 95 % interval, unit, state."""
        import polars as pl

        return pl.DataFrame(
            {
                "parameter": [p.name for p in self.parameters],
                "value": [p.value for p in self.parameters],
                "standard_error": [p.standard_error for p in self.parameters],
                "low": [p.low for p in self.parameters],
                "high": [p.high for p in self.parameters],
                "unit": [p.unit for p in self.parameters],
                "state": [p.state for p in self.parameters],
            }
        )

    def __repr__(self) -> str:
        return f"<CircuitFit {self.circuit}: rms {self.rms_percent:.3g} %>"


def worst_pairs(names: tuple[str, ...], correlation: Array, limit: float) -> list[str]:
    """Pairs of parameters whose correlation is beyond a limit, the worst first."""
    upper = np.triu(np.nan_to_num(np.abs(correlation)), 1)
    rows, columns = np.nonzero(upper > limit)
    order = np.argsort(-upper[rows, columns])
    return [f"{names[rows[k]]} and {names[columns[k]]}" for k in order]
