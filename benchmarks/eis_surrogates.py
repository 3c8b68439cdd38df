"""Impedance of made-up solid-state cells whose distribution is known exactly.

Six arcs (ZARC elements) in series with a resistance, an inductance and a tail. S1 has
the resistances of one cell of the paper, S2 a small charge-transfer resistance. Only
numpy is needed; the same seed gives the same spectrum everywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

INTERPHASE_SECOND = (1e-5, 1e-2)
"""Relaxation times counted as interphase resistance, R_int."""
CHARGE_TRANSFER_SECOND = (1e-2, 1.0)
"""Relaxation times counted as charge-transfer resistance, R_ct."""
COMPARED_SECOND = (2e-6, 1.0)
"""Where whole curves are compared."""
TAIL_OHM = 14.0
TAIL_SECOND = 5.0


@dataclass(frozen=True, slots=True)
class Arc:
    """ZARC: R / (1 + (j w tau)^phi)."""

    resistance_ohm: float
    tau_second: float
    exponent: float

    def impedance(self, jw: np.ndarray) -> np.ndarray:
        return self.resistance_ohm / (1.0 + (jw * self.tau_second) ** self.exponent)

    def gamma(self, tau: np.ndarray) -> np.ndarray:
        """Its distribution over ln tau, ohm."""
        turned = (1.0 - self.exponent) * math.pi
        u = self.exponent * np.log(tau / self.tau_second)
        shape = math.sin(turned) / (np.cosh(u) - math.cos(turned))
        return self.resistance_ohm / (2.0 * math.pi) * shape


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Series resistance, inductance and arcs."""

    series_ohm: float
    inductance_henry: float
    arcs: tuple[Arc, ...]

    def impedance(self, frequency: np.ndarray) -> np.ndarray:
        """Without any tail, without noise."""
        jw = 2j * math.pi * frequency
        bare = self.series_ohm + self.inductance_henry * jw
        return bare + sum(arc.impedance(jw) for arc in self.arcs)

    def gamma(self, tau: np.ndarray) -> np.ndarray:
        return sum(arc.gamma(tau) for arc in self.arcs)

    def window(self, low: float, high: float) -> float:
        """Integral of gamma from low to high (s), ohm; by the trapezoid rule."""
        tau = np.geomspace(low, high, 20001)
        return float(np.trapezoid(self.gamma(tau), np.log(tau)))


FAST = (Arc(6.0, 3e-7, 0.9), Arc(4.0, 3e-6, 0.9))
SURROGATES = {
    "S1": Surrogate(
        12.0,
        2e-7,
        (
            *FAST,
            Arc(9.3, 6e-5, 0.88),
            Arc(10.0, 1.2e-3, 0.88),
            Arc(22.8, 2.5e-2, 0.88),
            Arc(24.0, 0.22, 0.92),
        ),
    ),
    "S2": Surrogate(
        12.0,
        2e-7,
        (
            *FAST,
            Arc(6.1, 6e-5, 0.88),
            Arc(8.0, 1.2e-3, 0.88),
            Arc(8.2, 2.5e-2, 0.88),
            Arc(7.0, 0.22, 0.92),
        ),
    ),
}


def _power(exponent: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda jw: TAIL_OHM * jw**-exponent


def _finite_space(jw: np.ndarray) -> np.ndarray:
    s = np.sqrt(jw * TAIL_SECOND)
    return TAIL_OHM * math.sqrt(TAIL_SECOND) / (s * np.tanh(s))


def _finite_length(jw: np.ndarray) -> np.ndarray:
    s = np.sqrt(jw * TAIL_SECOND)
    return TAIL_OHM * math.sqrt(TAIL_SECOND) * np.tanh(s) / s


TAILS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "warburg": _power(0.5),
    "cpe 0.42": _power(0.42),
    "cpe 0.60": _power(0.60),
    "finite space": _finite_space,
    "finite length": _finite_length,
    "none": np.zeros_like,
}
"""j w -> impedance in ohm; the finite ones join the Warburg line at high frequency."""


def frequencies(points_per_decade: int = 10) -> np.ndarray:
    """1 MHz to 0.1 Hz, falling."""
    return np.logspace(6.0, -1.0, 7 * points_per_decade + 1)


def measured(
    name: str = "S1",
    tail: str = "warburg",
    noise: float = 1e-3,
    seed: int = 0,
    frequency: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (Hz) and impedance (ohm); noise is relative to |Z|, in both parts."""
    f = frequencies() if frequency is None else frequency
    z = SURROGATES[name].impedance(f) + TAILS[tail](2j * math.pi * f)
    draw = np.random.default_rng(seed).standard_normal((2, f.size))
    return f, z + noise * np.abs(z) * (draw[0] + 1j * draw[1])


def bare(
    name: str, noise: float = 1e-3, seed: int = 0, tail: str = "warburg"
) -> tuple[np.ndarray, np.ndarray]:
    """The same with the true inductance and tail taken away: what nobody can know."""
    f, z = measured(name, tail, noise, seed)
    jw = 2j * math.pi * f
    return f, z - SURROGATES[name].inductance_henry * jw - TAILS[tail](jw)
