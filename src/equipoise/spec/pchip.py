"""Monotone cubic interpolation (PCHIP), light enough for the bundled curves.

The same formulas as `scipy.interpolate.PchipInterpolator`, without its 1 s import.

References
----------
Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300 (interior slopes);
Moler, Numerical Computing with MATLAB (2004) sec. 3.6 (end slopes).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pchip_slopes(x: Array, y: Array) -> Array:
    """Slopes at the knots, shape (n,), that keep the interpolant monotone."""
    h, d = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.zeros_like(y)
    same = d[:-1] * d[1:] > 0.0
    w1, w2 = 2.0 * h[1:] + h[:-1], h[1:] + 2.0 * h[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        harmonic = (w1 + w2) / (w1 / d[:-1] + w2 / d[1:])
    slopes[1:-1] = np.where(same, harmonic, 0.0)
    slopes[0] = _end_slope(h[0], h[1], d[0], d[1])
    slopes[-1] = _end_slope(h[-1], h[-2], d[-1], d[-2])
    return slopes


def _end_slope(h0: float, h1: float, d0: float, d1: float) -> float:
    slope = ((2.0 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
    if np.sign(slope) != np.sign(d0):
        return 0.0
    if np.sign(d0) != np.sign(d1) and abs(slope) > 3.0 * abs(d0):
        return 3.0 * d0
    return slope


def pchip(x: Array, y: Array, at: Array) -> Array:
    """Interpolate knots `(x, y)`, x rising strictly; linear beyond the ends."""
    slopes = pchip_slopes(x, y)
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2)
    h = x[i + 1] - x[i]
    t = (at - x[i]) / h
    inside = (
        y[i] * (1.0 + 2.0 * t) * (1.0 - t) ** 2
        + h * slopes[i] * t * (1.0 - t) ** 2
        + y[i + 1] * t**2 * (3.0 - 2.0 * t)
        + h * slopes[i + 1] * t**2 * (t - 1.0)
    )
    below = y[0] + slopes[0] * (at - x[0])
    above = y[-1] + slopes[-1] * (at - x[-1])
    return np.where(at < x[0], below, np.where(at > x[-1], above, inside))
