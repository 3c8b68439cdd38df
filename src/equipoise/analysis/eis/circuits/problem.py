"""A circuit and a spectrum as a least-squares problem within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from equipoise.analysis.eis.circuits.circuit import LOWEST_EXPONENT, check_value
from equipoise.analysis.eis.circuits.response import Points
from equipoise.core.errors import FitError, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from equipoise.analysis.eis.circuits.circuit import Circuit, CircuitParameter
    from equipoise.analysis.eis.circuits.response import Array
    from equipoise.spec.spectrum import Spectrum

Weighting = Literal["modulus", "unit"]
WEIGHTINGS = ("modulus", "unit")
FAR = 1e4
"""Bounds lie so far outside of what the spectrum covers, as a factor."""


@dataclass(frozen=True, slots=True, eq=False)
class CircuitProblem:
    """What is fitted to what.

    Attributes
    ----------
    circuit, spectrum
        As given.
    at
        Its points.
    weight_ohm
        Shape (N,); residuals are divided by it.
    free_index
        Numbers of the parameters that are fitted.
    values
        Shape (P,); those that are not fitted have their value.
    low, high
        Shape (P,), bounds of the values.
    pinned_index
        Numbers of the parameters with a value or bounds of the caller.
    """

    circuit: Circuit
    spectrum: Spectrum
    at: Points
    weight_ohm: Array
    free_index: tuple[int, ...]
    values: Array
    low: Array
    high: Array
    pinned_index: tuple[int, ...]

    @property
    def logarithmic(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which of the free parameters are fitted as their logarithm."""
        return np.array(
            [self.circuit.parameters[i].positive for i in self.free_index], bool
        )

    def theta(self, values: Array) -> Array:
        """Free parameters as they are fitted."""
        chosen = values[list(self.free_index)]
        return np.where(self.logarithmic, np.log(chosen), chosen)

    def all_values(self, theta: Array) -> Array:
        """All parameters, shape (P,)."""
        values = self.values.copy()
        log = self.logarithmic
        values[list(self.free_index)] = np.where(
            log, np.exp(np.where(log, theta, 0)), theta
        )
        return values

    def model(self, theta: Array) -> tuple[Array, Array]:
        """Weighted residual (2 N,) and its derivatives (P, 2 N)."""
        values = self.all_values(theta)
        free = list(self.free_index)
        z, rows = self.circuit.response(self.at, values)
        residual = (z - self.spectrum.impedance_ohm) / self.weight_ohm
        chain = np.where(self.logarithmic, values[free], 1.0)
        jacobian = rows[free] * (chain[:, None] / self.weight_ohm)
        return residual.view(np.float64), jacobian.view(np.float64)


def problem_of(
    spectrum: Spectrum,
    circuit: Circuit,
    *,
    weighting: Weighting,
    fixed: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
) -> CircuitProblem:
    """State the problem.

    Raises
    ------
    SpecError
        If a name, a value or a bound is wrong.
    FitError
        If the spectrum has fewer values than there are free parameters.
    """
    if weighting not in WEIGHTINGS:
        raise SpecError(
            f"weighting = {weighting!r}",
            where="fit_circuit",
            remedy=f"use one of {', '.join(WEIGHTINGS)}",
        )
    size = np.abs(spectrum.impedance_ohm)
    if not size.all():
        raise FitError(
            f"the impedance is 0 at {spectrum.frequency_hertz[size == 0.0][0]:g} Hz",
            where=spectrum.label,
            remedy="remove points that were not measured",
        )
    values = np.full(len(circuit.parameters), np.nan)
    low, high = _ranges(spectrum, circuit)
    held = _held(circuit, fixed, values)
    pinned = set(held)
    for name, (lowest, highest) in bounds.items():
        i = circuit.index(name)
        _check_bounds(circuit.parameters[i], lowest, highest)
        low[i], high[i] = lowest, highest
        pinned.add(i)
    free = tuple(i for i in range(values.size) if i not in held)
    if not free:
        raise FitError(
            "every parameter is fixed",
            where=f"circuit {str(circuit)!r}",
            remedy="leave one out of `fixed`, or compute Circuit.impedance",
        )
    if 2 * size.size <= len(free):
        raise FitError(
            f"{size.size} points (real and imaginary parts: {2 * size.size} values) "
            f"cannot determine {len(free)} parameters",
            where=f"{spectrum.label}, circuit {str(circuit)!r}",
            remedy="measure more points, take a smaller circuit, or fix parameters",
        )
    weight = size if weighting == "modulus" else np.full_like(size, _rms(size))
    at = Points.of(spectrum.frequency_hertz)
    order = tuple(sorted(pinned))
    return CircuitProblem(circuit, spectrum, at, weight, free, values, low, high, order)


def _rms(size: Array) -> float:
    return float(np.sqrt(np.mean(size**2)))


def _held(circuit: Circuit, fixed: Mapping[str, float], values: Array) -> set[int]:
    """Write the fixed values; their numbers."""
    held: set[int] = set()
    for name, value in fixed.items():
        i = circuit.index(name)
        check_value(circuit.parameters[i], value)
        values[i] = value
        held.add(i)
    return held


def _check_bounds(parameter: CircuitParameter, lowest: float, highest: float) -> None:
    check_value(parameter, lowest)
    check_value(parameter, highest)
    if not lowest < highest:
        raise SpecError(
            f"bounds of {parameter.name}: {lowest:g} is not below {highest:g}",
            where="fit_circuit",
            remedy="give (low, high); for one value use `fixed`",
        )


def _ranges(spectrum: Spectrum, circuit: Circuit) -> tuple[Array, Array]:
    """Bounds from what the spectrum covers, so that they follow its unit."""
    size, omega = np.abs(spectrum.impedance_ohm), spectrum.angular_frequency
    z0, z1 = float(size.min()), float(size.max())
    w0, w1 = float(omega.min()), float(omega.max())
    # a coefficient Q is 1 / (Z omega^alpha), with alpha between its bounds
    power0, power1 = min(w0, w0**LOWEST_EXPONENT), max(w1, w1**LOWEST_EXPONENT)
    by_role = {
        "resistance": (z0 / FAR, z1 * FAR),
        "inductance": (z0 / w1 / FAR, z1 / w0),
        "capacitance": (1.0 / (z1 * w1) / FAR, FAR / (z0 * w0)),
        "phase": (1.0 / (z1 * power1) / FAR, FAR / (z0 * power0)),
        "time": (1.0 / w1 / FAR, FAR / w0),
        "diffusion": (z0 * np.sqrt(power0) / FAR, z1 * power1 * FAR),
        "exponent": (LOWEST_EXPONENT, 1.0),
    }
    low, high = (
        np.array([by_role[p.role][k] for p in circuit.parameters], np.float64)
        for k in range(2)
    )
    return low, high
