"""Closed forms of a composite with an ionic and an electronic rail.

====== ==================================================================== ========
symbol meaning                                                              unit
====== ==================================================================== ========
R_i    resistance of the ionic rail, thickness / (conductivity x area)      ohm
R_e    resistance of the electronic rail                                    ohm
S      R_i + R_e                                                            ohm
Z_c    impedance of the whole interface between the rails, Im < 0           ohm
u      S / Z_c, the square of X in the literature                           1
s      place, 0 at the left end, 1 at the right end                         1
v      potential of the ionic minus that of the electronic rail, I = 1 A    ohm
====== ==================================================================== ========

With the current in the rails i_i + i_e = I the line obeys v'' = u v. All results are
even in X, so they are functions of u, and smooth at u = 0. Written with u none of them
overflows, and none loses digits where u is small. exp(j w t); a capacitance has
Im Z < 0.

References
----------
Siroma et al., J. Power Sources 316 (2016) 215; Bisquert, Phys. Chem. Chem. Phys. 2
(2000) 4185.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError, nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ComplexArray = NDArray[np.complex128]
Connection = Literal["battery", "electron_blocking", "ion_blocking", "one_sided"]

CONNECTIONS = ("battery", "electron_blocking", "ion_blocking", "one_sided")
SERIES_BELOW = 1.0
"""|u| below which derivatives are summed up: the closed forms lose digits there, and
the series, which converge to |u| = pi^2, need `SERIES_TERMS` terms for 1e-17."""
SERIES_TERMS = 18


def _cotangent_series() -> NDArray[np.float64]:
    """Coefficients a_n of X coth X = 1 + sum a_n u^n, n = 1, 2, ...

    From the derivative 2 u g' = g - g^2 + u, order by order.
    """
    a = np.zeros(SERIES_TERMS + 2)
    a[0], a[1] = 1.0, 1.0 / 3.0
    for n in range(2, a.size):
        a[n] = -np.dot(a[1:n], a[n - 1 : 0 : -1]) / (2.0 * n + 1.0)
    return a[1:]


_A = _cotangent_series()
# tanh x = 2 coth 2x - coth x, so tanh(X/2)/(X/2) = 4 (g(u) - g(u/4)) / u
_TANH = 4.0 * _A * (1.0 - 0.25 ** np.arange(1, _A.size + 1))
_TANH_SLOPE = _TANH[1:] * np.arange(1, _TANH.size)


def _sum(coefficients: NDArray[np.float64], u: ComplexArray) -> ComplexArray:
    """Polynomial by Horner's rule, lowest coefficient first."""
    total = np.full(u.shape, coefficients[-1], dtype=np.complex128)
    for c in coefficients[-2::-1]:
        total = total * u + c
    return total


def root(u: ComplexArray) -> ComplexArray:
    """X = sqrt(u), Re X >= 0."""
    return np.sqrt(u)


def tanh_ratio(u: ComplexArray) -> ComplexArray:
    """t(u) = tanh(X/2) / (X/2), 1 at u = 0; 2/X where |X| is large."""
    return tanh_ratio_and_slope(u)[0]


def tanh_ratio_slope(u: ComplexArray) -> ComplexArray:
    """dt/du; -1/12 at u = 0."""
    return tanh_ratio_and_slope(u)[1]


def tanh_ratio_and_slope(u: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    """t(u) and dt/du = (sech^2(X/2) - t) / 2u, with one root and one exponential."""
    small = np.abs(u) < SERIES_BELOW
    w = np.where(small, 1.0, u)
    x = root(w)
    decay = np.exp(-x)
    tanh = (1.0 - decay) / (1.0 + decay)
    t = 2.0 * tanh / x
    slope = ((1.0 - tanh) * (1.0 + tanh) - t) / (2.0 * w)
    if small.any():
        w = np.where(small, u, 0.0)
        t = np.where(small, _sum(_TANH, w), t)
        slope = np.where(small, _sum(_TANH_SLOPE, w), slope)
    return t, slope


def coth_excess(u: ComplexArray) -> ComplexArray:
    """(X coth X - 1) / u, 1/3 at u = 0."""
    small = np.abs(u) < SERIES_BELOW
    w = np.where(small, 1.0, u)
    x = root(w)
    closed = (x / np.tanh(x) - 1.0) / w
    return np.where(small, _sum(_A, np.where(small, u, 0.0)), closed)


def coth_product(u: ComplexArray) -> ComplexArray:
    """g(u) = X coth X, 1 at u = 0."""
    return 1.0 + u * coth_excess(u)


def coth_product_slope(u: ComplexArray) -> ComplexArray:
    """dg/du = (g - h^2) / 2u; 1/3 at u = 0."""
    small = np.abs(u) < SERIES_BELOW
    w = np.where(small, 1.0, u)
    closed = (coth_product(w) - csch_product(w) ** 2) / (2.0 * w)
    series = _A * np.arange(1, _A.size + 1)
    return np.where(small, _sum(series, np.where(small, u, 0.0)), closed)


def csch_product(u: ComplexArray) -> ComplexArray:
    """h(u) = X / sinh X, 1 at u = 0; 0 where X is large."""
    x = root(u)
    still = x == 0.0
    x = np.where(still, 1.0, x)
    return np.where(still, 1.0, 2.0 * x * np.exp(-x) / -np.expm1(-2.0 * x))


@dataclass(frozen=True, slots=True, eq=False)
class LineResponse:
    """Impedance of a line and its partial derivatives.

    Attributes
    ----------
    impedance_ohm
        Shape of the interface impedance, complex.
    by_ionic_ratio, by_electronic_ratio, by_interface_ratio
        dZ/dR_i, dZ/dR_e, dZ/dZ_c, ohm per ohm; Z is holomorphic in all three.
    """

    impedance_ohm: ComplexArray
    by_ionic_ratio: ComplexArray
    by_electronic_ratio: ComplexArray
    by_interface_ratio: ComplexArray


def battery_electrode(
    interface_ohm: ArrayLike, *, ionic_ohm: float, electronic_ohm: float
) -> ComplexArray:
    """Electrode of a battery: ions enter at the left, electrons at the right end.

    Z = R_i R_e / S + (Z_c / S^2) (2 R_i R_e h + (R_i^2 + R_e^2) g), with
    h = X / sinh X and g = X coth X. At high frequency R_i R_e / S, at low frequency
    Z_c + S / 3.

    Parameters
    ----------
    interface_ohm
        Z_c of the whole electrode, any shape, complex, Im < 0 for a capacitance.
    ionic_ohm, electronic_ohm
        Of the rails, >= 0, not both 0.

    Returns
    -------
    ndarray
        Complex, of the shape of `interface_ohm`, ohm.

    Raises
    ------
    SpecError
        If a resistance is negative or not finite, both are 0, or an interface
        impedance is 0 or not finite.

    Examples
    --------
    >>> z = battery_electrode(1.0 - 2.0j, ionic_ohm=3e-9, electronic_ohm=0.0)
    >>> bool(abs(z - (1.0 - 2.0j + 1e-9)) < 1e-12)
    True
    """
    z, r_i, r_e, s = _checked(interface_ohm, ionic_ohm, electronic_ohm)
    u = s / z
    both = 2.0 * r_i * r_e * csch_product(u) + (r_i**2 + r_e**2) * coth_product(u)
    return r_i * r_e / s + z / s**2 * both


def electron_blocking(
    interface_ohm: ArrayLike, *, ionic_ohm: float, electronic_ohm: float
) -> ComplexArray:
    """Composite between two electrolytes: only ions pass the ends.

    Z = R_i R_e / S + R_i^2 / S tanh(X/2) / (X/2): R_i R_e / S at high frequency and
    R_i, all ionic, for direct current. Parameters, result and errors as in
    `battery_electrode`.
    """
    z, r_i, r_e, s = _checked(interface_ohm, ionic_ohm, electronic_ohm)
    return r_i * r_e / s + r_i**2 / s * tanh_ratio(s / z)


def ion_blocking(
    interface_ohm: ArrayLike, *, ionic_ohm: float, electronic_ohm: float
) -> ComplexArray:
    """Composite between two metals: only electrons pass the ends.

    Z = R_i R_e / S + R_e^2 / S tanh(X/2) / (X/2): R_i R_e / S at high frequency and
    R_e, all electronic, for direct current. Parameters, result and errors as in
    `battery_electrode`.
    """
    return electron_blocking(
        interface_ohm, ionic_ohm=electronic_ohm, electronic_ohm=ionic_ohm
    )


def one_sided(
    interface_ohm: ArrayLike, *, ionic_ohm: float, electronic_ohm: float
) -> ComplexArray:
    """Both rails contacted at one end, from the one to the other: Z_c X coth X.

    At low frequency Z_c + S / 3, at high frequency sqrt(S Z_c). This is no sum of the
    other connections. Parameters, result and errors as in `battery_electrode`.
    """
    z, _, _, s = _checked(interface_ohm, ionic_ohm, electronic_ohm)
    return z * coth_product(s / z)


def line_response(
    connection: Connection,
    interface_ohm: ArrayLike,
    *,
    ionic_ohm: float,
    electronic_ohm: float,
) -> LineResponse:
    """Impedance of one of the four connections with its partial derivatives.

    Parameters
    ----------
    connection
        "battery", "electron_blocking", "ion_blocking" or "one_sided".
    interface_ohm, ionic_ohm, electronic_ohm
        As in `battery_electrode`.

    Notes
    -----
    For a logarithm as the parameter multiply: dZ / d ln R = R dZ/dR.

    Raises
    ------
    SpecError
        If the connection is not known, or as in `battery_electrode`.
    """
    z, r_i, r_e, _ = _checked(interface_ohm, ionic_ohm, electronic_ohm)
    if connection == "electron_blocking":
        return LineResponse(*_through(z, r_i, r_e))
    if connection == "ion_blocking":
        total, by_e, by_i, by_z = _through(z, r_e, r_i)
        return LineResponse(total, by_i, by_e, by_z)
    if connection == "one_sided":
        return _one_sided_response(z, r_i + r_e)
    if connection == "battery":
        return _battery_response(z, r_i, r_e)
    raise SpecError(
        f"{connection!r} is no connection of the rails",
        where="connection",
        remedy=nearest(connection, CONNECTIONS),
    )


def _through(
    z: ComplexArray, r_t: float, r_b: float
) -> tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray]:
    """Line with one rail through (t) and one blocked (b): Z, dZ/dr_t, /dr_b, /dz."""
    s = r_t + r_b
    u = s / z
    t, slope = tanh_ratio_and_slope(u)
    total = r_t * r_b / s + r_t**2 / s * t
    share = r_t / s
    common = share * r_t / z * slope
    by_t = (r_b / s) ** 2 + (2.0 - share) * share * t + common
    by_b = share**2 * (1.0 - t) + common
    return total, by_t, by_b, -(share**2) * u**2 * slope


def _one_sided_response(z: ComplexArray, s: float) -> LineResponse:
    u = s / z
    slope = coth_product_slope(u)
    g = coth_product(u)
    return LineResponse(z * g, slope, slope, g - u * slope)


def _battery_response(z: ComplexArray, r_i: float, r_e: float) -> LineResponse:
    s = r_i + r_e
    u = s / z
    g, h = coth_product(u), csch_product(u)
    g_u, h_u = coth_product_slope(u), -0.5 * h * coth_excess(u)
    cross, squares = 2.0 * r_i * r_e, r_i**2 + r_e**2
    sum_ = cross * h + squares * g
    by_u = cross * h_u + squares * g_u
    total = r_i * r_e / s + z / s**2 * sum_

    def by(own: float, other: float) -> ComplexArray:
        direct = 2.0 * (other * h + own * g) - 2.0 * sum_ / s
        return (other / s) ** 2 + z / s**2 * direct + by_u / s**2

    by_z = (sum_ - u * by_u) / s**2
    return LineResponse(total, by(r_i, r_e), by(r_e, r_i), by_z)


def _checked(
    interface_ohm: ArrayLike, ionic_ohm: float, electronic_ohm: float
) -> tuple[ComplexArray, float, float, float]:
    z = np.asarray(interface_ohm, dtype=np.complex128)
    for name, value in (("ionic_ohm", ionic_ohm), ("electronic_ohm", electronic_ohm)):
        if not (value >= 0.0 and np.isfinite(value)):
            raise SpecError(
                f"{name} = {value:g}",
                where="transmission line",
                remedy="a rail has a finite resistance >= 0, in ohm",
            )
    if ionic_ohm + electronic_ohm == 0.0:
        raise SpecError(
            "both rails have no resistance",
            where="transmission line",
            remedy="then the impedance is that of the interface alone",
        )
    if not np.all(np.isfinite(z)) or np.any(z == 0.0):
        raise SpecError(
            "an interface impedance is 0 or not finite",
            where="transmission line",
            remedy="give frequencies > 0 and an interface with a finite impedance",
        )
    return z, float(ionic_ohm), float(electronic_ohm), float(ionic_ohm + electronic_ohm)
