"""A line of two rails whose four ends may be joined to the outside by any impedance.

A current of 1 A enters at the left terminal, is shared by the two rails and leaves at
the right terminal. At each end each rail reaches the terminal through an impedance: 0
is a short, infinity an open end, both exact. The symbols are those of
`transmission_line`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.lines.transmission_line import (
    coth_product,
    tanh_ratio,
)
from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ComplexArray = NDArray[np.complex128]
OPEN = float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class Terminals:
    """Impedances between the ends of the rails and the terminals of the cell.

    Attributes
    ----------
    ionic_left_ohm, electronic_left_ohm, ionic_right_ohm, electronic_right_ohm
        Each a number or an array over frequency, complex; 0 joins the rail to the
        terminal, infinity ends it.

    Examples
    --------
    A metal that blocks ions with 1 uF at both ends, at 1 kHz:

    >>> double_layer = 1.0 / (2j * np.pi * 1e3 * 1e-6)
    >>> ends = Terminals(double_layer, 0.0, double_layer, 0.0)
    """

    ionic_left_ohm: ComplexArray | complex
    electronic_left_ohm: ComplexArray | complex
    ionic_right_ohm: ComplexArray | complex
    electronic_right_ohm: ComplexArray | complex

    @classmethod
    def battery(cls) -> Terminals:
        """Ions at the left, electrons at the right."""
        return cls(0.0, OPEN, OPEN, 0.0)

    @classmethod
    def electron_blocking(cls) -> Terminals:
        """Electrolyte at both ends."""
        return cls(0.0, OPEN, 0.0, OPEN)

    @classmethod
    def ion_blocking(cls) -> Terminals:
        """Metal at both ends."""
        return cls(OPEN, 0.0, OPEN, 0.0)


def line_between(
    terminals: Terminals,
    interface_ohm: ArrayLike,
    *,
    ionic_ohm: float,
    electronic_ohm: float,
) -> ComplexArray:
    """Impedance between the terminals of a line of two rails.

    Parameters
    ----------
    terminals
        What joins the four ends; arrays have the shape of `interface_ohm`.
    interface_ohm
        Z_c of the whole line, complex, Im < 0 for a capacitance.
    ionic_ohm, electronic_ohm
        Resistances of the rails, >= 0, not both 0.

    Returns
    -------
    ndarray
        Complex, of the shape of `interface_ohm`, ohm.

    Raises
    ------
    SpecError
        If both rails are open at one end, a resistance is negative, or an interface
        impedance is 0 or not finite.

    Notes
    -----
    The unknowns are v at both ends, with v' = -g v(0) + h v(1) at the left end
    (g = X coth X, h = X / sinh X). Each end impedance enters as a pair (n, d) with
    admittance n / d, so open and short ends are ordinary numbers. In the determinant
    g^2 - h^2 = u is used, and g and h as 1/t +- u t / 4 with t = tanh(X/2) / (X/2):
    nothing cancels at low frequency.

    References
    ----------
    Siroma et al., Electrochim. Acta 160 (2015) 313: general terminals.
    """
    z = np.asarray(interface_ohm, dtype=np.complex128)
    s = ionic_ohm + electronic_ohm
    _check(z, ionic_ohm, electronic_ohm)
    left = _End.of(terminals.ionic_left_ohm, terminals.electronic_left_ohm, s, "left")
    right = _End.of(
        terminals.ionic_right_ohm, terminals.electronic_right_ohm, s, "right"
    )
    u = s / z
    t, g = tanh_ratio(u), coth_product(u)
    h = 1.0 / t - 0.25 * u * t
    c0 = left.mismatch(ionic_ohm, electronic_ohm)
    c1 = right.mismatch(ionic_ohm, electronic_ohm)
    p0, m0, p1, m1 = left.both, left.either, right.both, right.either
    # g and h of the two right-hand sides, sorted by what cancels
    odd, even = (c0 * m1 - c1 * m0) / t, (c0 * m1 + c1 * m0) * 0.25 * u * t
    determinant = p0 * p1 + (p0 * m1 + p1 * m0) * g + m0 * m1 * u
    v0 = (c0 * p1 + odd + even) / determinant
    v1 = (-c1 * p0 + odd - even) / determinant
    i_left = (electronic_ohm + g * v0 - h * v1) / s
    i_right = (electronic_ohm + h * v0 - g * v1) / s
    rail = ionic_ohm * (electronic_ohm - (v1 - v0)) / s
    return left.drop(i_left, v0) + rail + right.drop(i_right, -v1)


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """One end: admittances n / (d S) of the ionic (i) and the electronic (e) rail."""

    n_i: ComplexArray
    d_i: ComplexArray
    n_e: ComplexArray
    d_e: ComplexArray
    s: float

    @classmethod
    def of(
        cls,
        ionic: ComplexArray | complex,
        electronic: ComplexArray | complex,
        s: float,
        side: str,
    ) -> _End:
        n_i, d_i = _pair(ionic, s)
        n_e, d_e = _pair(electronic, s)
        if np.any((n_i == 0.0) & (n_e == 0.0)):
            raise SpecError(
                f"both rails are open at the {side} end: no current can pass",
                where="terminals",
                remedy="join one rail; for both contacts at one end use `one_sided`",
            )
        return cls(n_i, d_i, n_e, d_e, s)

    @property
    def both(self) -> ComplexArray:
        return self.n_i * self.n_e

    @property
    def either(self) -> ComplexArray:
        return self.n_i * self.d_e + self.n_e * self.d_i

    def mismatch(self, ionic_ohm: float, electronic_ohm: float) -> ComplexArray:
        return self.n_i * self.d_e * ionic_ohm - self.n_e * self.d_i * electronic_ohm

    def drop(self, i_ionic: ComplexArray, v: ComplexArray) -> ComplexArray:
        """Voltage over the end of the ionic rail, by way of the better joined rail.

        `v` counts in the direction of the current: ionic minus electronic rail at the
        left end, its negative at the right one.
        """
        by_ions = np.abs(self.n_i) >= np.abs(self.n_e)
        z_i = self.s * self.d_i / np.where(by_ions, self.n_i, 1.0)
        z_e = self.s * self.d_e / np.where(by_ions, 1.0, self.n_e)
        return np.where(by_ions, z_i * i_ionic, z_e * (1.0 - i_ionic) - v)


def _pair(impedance: ComplexArray | complex, s: float) -> tuple[ComplexArray, ...]:
    z = np.asarray(impedance, dtype=np.complex128)
    if np.any(np.isnan(z)):
        raise SpecError(
            "an impedance of a terminal is not a number",
            where="terminals",
            remedy="0 joins a rail to the terminal, infinity leaves it open",
        )
    is_open = np.isinf(z)
    scaled = np.where(is_open, 0.0, z) / s
    n = 1.0 / (1.0 + np.abs(scaled))
    return np.where(is_open, 0.0, n), np.where(is_open, 1.0, scaled * n)


def _check(z: ComplexArray, ionic_ohm: float, electronic_ohm: float) -> None:
    if not (ionic_ohm >= 0.0 and electronic_ohm >= 0.0):
        raise SpecError(
            f"rails of {ionic_ohm:g} and {electronic_ohm:g} ohm",
            where="terminals",
            remedy="resistances are >= 0, in ohm",
        )
    if not 0.0 < ionic_ohm + electronic_ohm < float("inf"):
        raise SpecError(
            f"rails of {ionic_ohm:g} and {electronic_ohm:g} ohm",
            where="terminals",
            remedy="the two together are > 0 and finite",
        )
    if not np.all(np.isfinite(z)) or np.any(z == 0.0):
        raise SpecError(
            "an interface impedance is 0 or not finite",
            where="terminals",
            remedy="give frequencies > 0 and an interface with a finite impedance",
        )
