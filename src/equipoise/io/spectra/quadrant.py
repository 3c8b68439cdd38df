"""Causality proves the sign of Im Z: a spectrum and its conjugate are not both causal.

What is causal, linear and stable is a sum of relaxations: Z = R + j w L + 1/(j w C) +
sum R_k/(1 + j w tau_k). The real parts of the sum fix the imaginary ones
(Kramers-Kronig), so that with tau_k > 0 the sum fits the spectrum or its conjugate,
never both. R_k may have any sign (inductive loops); L and C may not, because they have
no real part that would prove them: they are settled by passivity.

symbol  meaning                                  unit
f, w    frequency, angular frequency             Hz, rad/s
tau_k   relaxation times, three per decade       s
s       +1 if Im Z is as given, -1 if turned     1
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

PROVEN_RATIO = 2.0
"""The wrong sign leaves so many times the residual of the right one. White noise on a
resistor stays below 1.8 with 8 points and below 1.2 with 70 (1500 draws each)."""
LEAST_POINTS = 8
LEAST_DECADES = 0.5
MOST_DECADES = 40.0
"""More is a broken file."""
PER_DECADE = 3.0
"""Relaxation times; fewer cannot follow a depressed arc, more fit noise."""


@dataclass(frozen=True, slots=True)
class Quadrant:
    """What causality says about one spectrum.

    Attributes
    ----------
    sign
        +1: Im Z is as given; -1: it is turned; 0: not proven.
    residual_ratio
        Of the better sign: root mean square over that of |Z|.
    other_residual_ratio
        Of the other sign.
    imaginary_residual_ratio
        Of the better sign: what is left of Im Z over Im Z, root mean squares.
    """

    sign: Literal[-1, 0, 1]
    residual_ratio: float
    other_residual_ratio: float
    imaginary_residual_ratio: float

    @property
    def contrast_ratio(self) -> float:
        """How many times worse the other sign is; infinite for exact data."""
        if self.residual_ratio <= 0.0:
            return math.inf if self.other_residual_ratio > 0.0 else 1.0
        return self.other_residual_ratio / self.residual_ratio


NOTHING = Quadrant(0, math.nan, math.nan, math.nan)


def quadrant(frequency_hertz: Array, impedance_ohm: ComplexArray) -> Quadrant:
    """Decide by causality whether Im Z has the sign that it should have.

    Parameters
    ----------
    frequency_hertz
        Shape (N,), > 0, in any order.
    impedance_ohm
        Shape (N,), complex, finite.

    Returns
    -------
    Quadrant
        Sign 0 with fewer than 8 points or half a decade, and where noise hides it.

    References
    ----------
    boukamp1995: the linear Kramers-Kronig test with fixed relaxation times.
    """
    f, z = frequency_hertz, impedance_ohm
    if np.unique(f).size < LEAST_POINTS:
        return NOTHING
    if not LEAST_DECADES <= _decades(f) <= MOST_DECADES:
        return NOTHING
    largest = float(np.abs(z).max())
    if not (largest > 0.0 and math.isfinite(largest)):
        return NOTHING
    z = z / largest
    scale = math.sqrt(float(np.mean(np.abs(z) ** 2)))
    weight = 1.0 / np.maximum(np.abs(z), 1e-3 * scale)
    design = _design(2.0 * math.pi * f)
    given, given_imaginary = _residual(design, z, weight)
    turned, turned_imaginary = _residual(design, z.conj(), weight)
    better, worse = min(given, turned), max(given, turned)
    proven = worse > PROVEN_RATIO * better + 1e-9
    sign: Literal[-1, 0, 1] = 0
    if proven:
        sign = 1 if given < turned else -1
    left = given_imaginary if given < turned else turned_imaginary
    return Quadrant(sign, better, worse, left)


def _decades(values: Array) -> float:
    return math.log10(float(values.max())) - math.log10(float(values.min()))


def _design(omega: Array) -> ComplexArray:
    """Columns 1, relaxations, j w L, 1/(j w C); shape (N, 3 + M)."""
    most = max((np.unique(omega).size - 2) // 2, 1)  # leave data to contradict the fit
    count = int(min(max(round(PER_DECADE * _decades(omega)) + 1, 2), most))
    tau = np.geomspace(1.0 / omega.max(), 1.0 / omega.min(), count)
    relaxations = 1.0 / (1.0 + 1j * omega[:, None] * tau[None, :])
    one = np.ones((omega.size, 1), dtype=np.complex128)
    inductance = 1j * omega[:, None] / omega.max()
    capacitance = -1j * omega.min() / omega[:, None]
    return np.hstack([one, relaxations, inductance, capacitance])


def _residual(
    design: ComplexArray, z: ComplexArray, weight: Array
) -> tuple[float, float]:
    """Least relative residual with L, C >= 0, and the share of Im Z that is left."""
    best = (math.inf, math.inf)
    base = design.shape[1] - 2
    target = z * weight
    stacked = np.concatenate([target.real, target.imag])
    for kept in ((base, base + 1), (base,), (base + 1,), ()):
        columns = [*range(base), *kept]
        chosen = design[:, columns] * weight[:, None]
        matrix = np.vstack([chosen.real, chosen.imag])
        try:
            solution = np.linalg.lstsq(matrix, stacked, rcond=1e-9)[0]
        except np.linalg.LinAlgError:  # numbers beyond all measure
            continue
        if kept and solution[base:].min() < 0.0:
            continue
        left = stacked - matrix @ solution
        total = math.sqrt(float(left @ left) / z.size)
        if total < best[0]:
            unweighted = left[z.size :] / weight
            power = float(np.mean(z.imag**2))
            share = math.sqrt(float(np.mean(unweighted**2)) / power) if power else 0.0
            best = (total, share)
        if len(kept) == 2:
            break  # both are as they should be: nothing else can be better
    return best
