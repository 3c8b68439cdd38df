"""Shapes of a single relaxation in gamma(ln tau), with their derivatives.

symbol   meaning                                           unit
y        ln tau - ln tau_0                                 1
h, s     height and standard deviation of a Gaussian       ohm, 1
R, phi   resistance and exponent of a ZARC                 ohm, 1

The area of a Gaussian is ``h s sqrt(2 pi)``; a ZARC ``R / (1 + (j w tau_0)^phi)`` has
``gamma = R / (2 pi) sin((1 - phi) pi) / (cosh(phi y) - cos((1 - phi) pi))``, area R.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Shape = Literal["gaussian", "zarc"]
SHAPES: tuple[Shape, ...] = ("gaussian", "zarc")

_MOST = 300.0  # cosh beyond it is not needed: gamma is 0 there


def gaussian(y: Array, log_area: float, width: float) -> tuple[Array, Array]:
    """Gamma and its derivatives by (ln area, ln tau_0, ln s).

    Parameters
    ----------
    y
        Shape (n,).
    log_area
        ln of the resistance in ohm.
    width
        ln s.

    Returns
    -------
    tuple
        Shapes (n,) and (3, n).
    """
    s = np.exp(width)
    z = y / s
    value = np.exp(log_area - 0.5 * z * z) / (s * np.sqrt(2.0 * np.pi))
    return value, np.stack([value, value * z / s, value * (z * z - 1.0)])


def zarc(y: Array, log_area: float, width: float) -> tuple[Array, Array]:
    """Gamma and its derivatives by (ln R, ln tau_0, logit-free exponent phi).

    Parameters
    ----------
    y
        Shape (n,).
    log_area
        ln R, R in ohm.
    width
        phi itself, below 1.

    Returns
    -------
    tuple
        Shapes (n,) and (3, n).
    """
    phi = width
    arg = np.clip(phi * y, -_MOST, _MOST)
    top, turn = np.sin((1.0 - phi) * np.pi), np.cos((1.0 - phi) * np.pi)
    bottom = np.cosh(arg) - turn
    value = np.exp(log_area) / (2.0 * np.pi) * top / bottom
    sinh = np.sinh(arg)
    by_centre = value * phi * sinh / bottom
    by_phi = value * (-np.pi * turn / top - (y * sinh - np.pi * top) / bottom)
    return value, np.stack([value, by_centre, by_phi])


def shape(kind: Shape, y: Array, log_area: float, width: float) -> tuple[Array, Array]:
    """Either of the two; `width` is ln s of a Gaussian, phi of a ZARC."""
    return (gaussian if kind == "gaussian" else zarc)(y, log_area, width)


def full_width(kind: Shape, width: float) -> float:
    """Full width at half maximum in ln tau."""
    if kind == "gaussian":
        return float(np.exp(width)) * 2.0 * float(np.sqrt(2.0 * np.log(2.0)))
    turn = np.cos((1.0 - width) * np.pi)
    return 2.0 * float(np.arccosh(2.0 - turn)) / width


def width_for(kind: Shape, full: float) -> float:
    """Shape parameter with about a full width at half maximum in ln tau."""
    if kind == "gaussian":
        return float(np.log(full / (2.0 * np.sqrt(2.0 * np.log(2.0)))))
    candidates = np.linspace(0.4, 0.995, 120)
    widths = np.array([full_width(kind, float(c)) for c in candidates])
    return float(candidates[np.argmin(np.abs(np.log(widths / full)))])
