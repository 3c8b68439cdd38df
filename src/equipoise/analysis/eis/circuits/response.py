"""Impedance of every circuit element, with its analytic derivatives.

A response takes the points of a spectrum and the parameters of the element, and gives
the impedance, shape (N,), and its derivative by each parameter, each of shape (N,).
All are holomorphic in the parameters, so that a contour integral can check them.

=======  ==============================================================  =============
symbol   meaning                                                         unit
=======  ==============================================================  =============
s        j omega                                                         rad/s
x        j omega tau, or S / Z_c of a line                               1
T(x)     tanh(sqrt x) / sqrt x; finite length, transmissive              1
K(x)     coth(sqrt x) / sqrt x; finite space, blocking                   1
H(x)     1 / (sqrt x sinh sqrt x); coupling of the two rails of a line   1
P(x)     1 / (sqrt x coth sqrt x - 1) = 1 / (x K - 1); sphere            1
=======  ==============================================================  =============
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]
ComplexArray = NDArray[Any]
"""complex128; the stubs of numpy take exp, tanh and sqrt of it for real."""


class Points(NamedTuple):
    """The frequencies of a spectrum as the responses need them.

    Attributes
    ----------
    s
        j omega, shape (N,).
    log_s
        Its logarithm, ln omega + j pi/2, shape (N,).
    """

    s: ComplexArray
    log_s: ComplexArray

    @classmethod
    def of(cls, frequency_hertz: Array) -> Points:
        """Points of frequencies, Hz, shape (N,), > 0."""
        omega = 2.0 * math.pi * np.asarray(frequency_hertz, dtype=np.float64)
        return cls(1j * omega, np.log(omega) + 0.5j * math.pi)


Response = tuple[ComplexArray, tuple[ComplexArray, ...]]

# --- lumped elements


def resistor(at: Points, p: Sequence[float]) -> Response:
    """R."""
    one = np.ones_like(at.s)
    return p[0] * one, (one,)


def inductor(at: Points, p: Sequence[float]) -> Response:
    """L s."""
    return p[0] * at.s, (at.s,)


def capacitor(at: Points, p: Sequence[float]) -> Response:
    """1 / (C s)."""
    z = 1.0 / (p[0] * at.s)
    return z, (-z / p[0],)


def constant_phase(at: Points, p: Sequence[float]) -> Response:
    """1 / (Q s^alpha)."""
    q, alpha = p
    z = np.exp(-alpha * at.log_s) / q
    return z, (-z / q, -z * at.log_s)


def relaxation(at: Points, p: Sequence[float]) -> Response:
    """R / (1 + s tau): resistor and capacitor in parallel."""
    r, tau = p
    u = 1.0 / (1.0 + at.s * tau)
    z = r * u
    return z, (u, -z * u * at.s)


def zarc(at: Points, p: Sequence[float]) -> Response:
    """R / (1 + (s tau)^alpha): resistor and constant-phase element in parallel."""
    r, tau, alpha = p
    log_x = at.log_s + np.log(tau)
    v = np.exp(alpha * log_x)
    u = 1.0 / (1.0 + v)
    z = r * u
    slope = -z * (u * v)
    return z, (u, slope * (alpha / tau), slope * log_x)


# --- diffusion and reaction


def warburg(at: Points, p: Sequence[float]) -> Response:
    """A s^-1/2; semi-infinite diffusion."""
    unit = np.exp(-0.5 * at.log_s)
    return p[0] * unit, (unit,)


def anomalous_warburg(at: Points, p: Sequence[float]) -> Response:
    """A s^-n; semi-infinite diffusion with a free exponent."""
    a, n = p
    unit = np.exp(-n * at.log_s)
    return a * unit, (unit, -a * unit * at.log_s)


def finite_length(at: Points, p: Sequence[float]) -> Response:
    """R T(s tau): diffusion to a sink; R at low frequency."""
    r, tau = p
    t, slope = transmissive(at.s * tau)
    return r * t, (t, r * slope / tau)


def finite_space(at: Points, p: Sequence[float]) -> Response:
    """R K(s tau): diffusion to a wall; R/3 + R/(s tau) at low frequency."""
    r, tau = p
    x = at.s * tau
    k, slope = blocking(x)
    whole = k + 1.0 / x
    return r * whole, (whole, (r / tau) * (slope - 1.0 / x))


def sphere(at: Points, p: Sequence[float]) -> Response:
    """R P(s tau): diffusion into a sphere; R/5 + 3 R/(s tau) at low frequency."""
    r, tau = p
    value, slope = spherical(at.s * tau)
    return r * value, (value, r * slope / tau)


def gerischer(at: Points, p: Sequence[float]) -> Response:
    """R / sqrt(1 + s tau): diffusion with a reaction."""
    r, tau = p
    u = 1.0 / (1.0 + at.s * tau)
    root = np.sqrt(u)
    return r * root, (root, -0.5 * r * root * u * at.s)


# --- transmission lines


def one_rail(at: Points, p: Sequence[float]) -> Response:
    """R_i K(R_i Q s^alpha): de Levie's pore, the other rail without resistance."""
    r, q, alpha = p
    y = q * np.exp(alpha * at.log_s)
    k, slope = blocking(r * y)
    charging = 1.0 / y
    by_log_y = r * slope - charging
    return r * k + charging, (k + slope, by_log_y / q, by_log_y * at.log_s)


def two_rails(at: Points, p: Sequence[float]) -> Response:
    """Battery electrode: ions in at one end, electrons out at the other."""
    r_i, r_e, q, alpha = p
    y = q * np.exp(alpha * at.log_s)
    z, by_i, by_e, by_y = _line(r_i, r_e, y)
    return z, (by_i, by_e, by_y * y / q, by_y * y * at.log_s)


def two_rails_transfer(at: Points, p: Sequence[float]) -> Response:
    """Battery electrode with a charge-transfer resistance along its interface."""
    r_i, r_e, r_ct, q, alpha = p
    charging = q * np.exp(alpha * at.log_s)
    z, by_i, by_e, by_y = _line(r_i, r_e, charging + 1.0 / r_ct)
    by_r = -by_y / r_ct**2
    return z, (by_i, by_e, by_r, by_y * charging / q, by_y * charging * at.log_s)


def _line(r_i: float, r_e: float, y: ComplexArray) -> tuple[ComplexArray, ...]:
    """Impedance of the battery electrode, and its derivatives by R_i, R_e and y.

    The terms 1/x of K and H add up to 1/y, whatever the rails; they are left out of
    the derivatives by the rails, where they would cancel.
    """
    total = r_i + r_e
    shared = r_i * r_e / total
    ends = (r_i**2 + r_e**2) / total
    x = total * y
    k, k_slope = blocking(x)
    h, h_slope = coupling(x)
    z = shared * (1.0 + 2.0 * h) + ends * k + 1.0 / y
    by_log_x = 2.0 * shared * h_slope + ends * k_slope
    cross = 2.0 * r_i * r_e
    by_rails = [
        (other / total) ** 2 * (1.0 + 2.0 * h)
        + (own**2 + cross - other**2) / total**2 * k
        + by_log_x / total
        for own, other in ((r_i, r_e), (r_e, r_i))
    ]
    return z, by_rails[0], by_rails[1], (by_log_x - 1.0 / y) / y


# --- the functions of x, each with its derivative by ln x

SERIES_BELOW = 0.3
"""|x| under which a series replaces the closed form, which loses eps / |x|."""
_B = (
    *(1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510),
    *(43867 / 798, -174611 / 330, 854513 / 138, -236364091 / 2730, 8553103 / 6),
    *(-23749461029 / 870, 8615841276005 / 14322),
)
"""Bernoulli numbers B_2, B_4, ...; the series below converge for |x| < 2.4."""
_OVER = tuple(b / math.factorial(2 * k) for k, b in enumerate(_B, 1))
TANH = tuple(4**k * (4**k - 1) * b for k, b in enumerate(_OVER, 1))
"""Coefficients of T(x)."""
COTH = tuple(4**k * b for k, b in enumerate(_OVER, 1))
"""Coefficients of K(x) - 1/x."""
CSCH = tuple(-2 * (2 ** (2 * k - 1) - 1) * b for k, b in enumerate(_OVER, 1))
"""Coefficients of H(x) - 1/x."""


def _sums(
    coefficients: tuple[float, ...], x: ComplexArray
) -> tuple[ComplexArray, ComplexArray]:
    """A power series, and x times its derivative."""
    value = np.full_like(x, coefficients[-1])
    slope = np.zeros_like(x)
    for c in reversed(coefficients[:-1]):
        slope = slope * x + value
        value = value * x + c
    return value, slope * x


def transmissive(x: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """T(x) and x T'(x); np.tanh does not overflow."""
    root = np.sqrt(x)
    tanh = np.tanh(root)
    value = tanh / root
    slope = 0.5 * (1.0 - tanh**2 - value)
    small = np.abs(x) < SERIES_BELOW
    if small.any():
        value[small], slope[small] = _sums(TANH, x[small])
    return value, slope


def blocking(x: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """K(x) - 1/x, and x times its derivative."""
    root = np.sqrt(x)
    coth = 1.0 / np.tanh(root)
    over = 1.0 / x
    value = coth / root - over
    slope = 0.5 * (1.0 - coth**2 - coth / root) + over
    small = np.abs(x) < SERIES_BELOW
    if small.any():
        value[small], slope[small] = _sums(COTH, x[small])
    return value, slope


def coupling(x: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """H(x) - 1/x, and x times its derivative; exponentials can only vanish."""
    root = np.sqrt(x)
    whole = 2.0 * np.exp(-root) / (-np.expm1(-2.0 * root) * root)
    over = 1.0 / x
    value = whole - over
    slope = over - 0.5 * whole * (1.0 + root / np.tanh(root))
    small = np.abs(x) < SERIES_BELOW
    if small.any():
        value[small], slope[small] = _sums(CSCH, x[small])
    return value, slope


def spherical(x: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """P(x) and x P'(x)."""
    k, k_slope = blocking(x)
    value = 1.0 / (x * k)
    return value, -value * (1.0 + k_slope / k)
