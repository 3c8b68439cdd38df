"""What lies between the two rails of a composite: its interface, with derivatives.

Impedances are those of the whole interface of a pellet or electrode: that of one
square centimetre of interface divided by its area in the composite. exp(j w t); a
capacitance has Im Z < 0. Derivatives are by the natural logarithm of the parameters.

====== ======================================================= =================
symbol meaning                                                 unit
====== ======================================================= =================
Q, a   coefficient and exponent of a constant-phase element    S s^a, 1
R_ct   charge transfer                                         ohm
R_D, τ diffusion: radius^2 / D, or thickness^2 / D             ohm, s
R_f, C_f  film over the interface                              ohm, farad
====== ======================================================= =================

For particles of radius r_p: R_D = (-dU/dc / F) r_p / (D a_p), with dU/dc the slope of
the open-circuit potential over the concentration and a_p the area of all particles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.lines.transmission_line import (
    coth_excess,
    coth_product_slope,
    tanh_ratio_and_slope,
)
from equipoise.core.errors import SpecError, nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Geometry = Literal["sphere", "cylinder", "planar"]

GEOMETRIES = ("sphere", "cylinder", "planar")


def constant_phase(
    angular_frequency: ArrayLike, *, coefficient: float, exponent: float
) -> ComplexArray:
    """Admittance Q (j w)^a, siemens, shape of the angular frequency (rad/s).

    Raises
    ------
    SpecError
        If the coefficient is not > 0 or the exponent not in (0, 1].
    """
    if not coefficient > 0.0 or not 0.0 < exponent <= 1.0:
        raise SpecError(
            f"constant-phase element with Q = {coefficient:g}, exponent {exponent:g}",
            where="interface",
            remedy="Q > 0 in S s^a; the exponent is in (0, 1], 1 for a capacitor",
        )
    w = np.asarray(angular_frequency, dtype=np.float64)
    turn = np.exp(0.5j * np.pi * exponent)
    return coefficient * w**exponent * turn


def diffusion(
    angular_frequency: ArrayLike,
    *,
    resistance_ohm: float,
    time_second: float,
    geometry: Geometry = "sphere",
) -> ComplexArray:
    """Impedance of diffusion into particles or a film that nothing leaves.

    Z = R_D / phi(q), q = j w tau: sphere phi = s coth s - 1, planar s tanh s, cylinder
    s I_1(s) / I_0(s), with s = sqrt(q). At low frequency 3, 1 or 2 times
    R_D / (j w tau): a capacitance; at high frequency R_D / s, Warburg's.

    Parameters
    ----------
    angular_frequency
        rad/s, > 0.
    resistance_ohm, time_second
        R_D and tau, > 0.

    Raises
    ------
    SpecError
        If the geometry is not known or a parameter not > 0.
    """
    return _diffusion(angular_frequency, resistance_ohm, time_second, geometry)[0]


@dataclass(frozen=True, slots=True)
class Interface:
    """Interface of a composite: constant-phase element, charge transfer, film.

    Z_c = R_f || C_f + 1 / (Q (j w)^a + 1 / (R_ct + Z_D)). What is None is not there:
    without charge transfer the interface blocks, without film its impedance is 0.

    Attributes
    ----------
    coefficient
        Q of the whole interface, S s^a.
    exponent
        a, in (0, 1].
    charge_transfer_ohm
        None: no charge passes the interface.
    diffusion_ohm, diffusion_second
        R_D and tau behind the charge transfer; both or neither.
    geometry
        Of the diffusion: "sphere", "cylinder" or "planar".
    film_ohm, film_farad
        Interphase in series with all of it; both or neither.
    """

    coefficient: float
    exponent: float
    charge_transfer_ohm: float | None = None
    diffusion_ohm: float | None = None
    diffusion_second: float | None = None
    geometry: Geometry = "sphere"
    film_ohm: float | None = None
    film_farad: float | None = None

    def __post_init__(self) -> None:
        for pair in ("diffusion_ohm diffusion_second", "film_ohm film_farad"):
            first, second = pair.split()
            if (getattr(self, first) is None) != (getattr(self, second) is None):
                raise SpecError(
                    f"only one of {first} and {second} is given",
                    where="interface",
                    remedy="give both or neither",
                )
        if self.diffusion_ohm is not None and self.charge_transfer_ohm is None:
            raise SpecError(
                "diffusion without charge transfer",
                where="interface",
                remedy="give charge_transfer_ohm; 0 if it is fast",
            )

    def impedance_ohm(self, angular_frequency: ArrayLike) -> ComplexArray:
        """Z_c at angular frequencies in rad/s, of their shape."""
        return self.response(angular_frequency)[0]

    def response(
        self, angular_frequency: ArrayLike
    ) -> tuple[ComplexArray, dict[str, ComplexArray]]:
        """Z_c, ohm, and dZ_c / d ln p for every parameter p that is there, ohm."""
        w = np.asarray(angular_frequency, dtype=np.float64)
        y = constant_phase(w, coefficient=self.coefficient, exponent=self.exponent)
        by = {
            "coefficient": y,
            "exponent": y * self.exponent * (np.log(w) + 0.5j * np.pi),
        }
        if self.charge_transfer_ohm is not None:
            faradaic, inner = self._faradaic(w)
            by |= {name: -d / faradaic**2 for name, d in inner.items()}
            y = y + 1.0 / faradaic
        z = 1.0 / y
        by = {name: -d / y**2 for name, d in by.items()}
        if self.film_ohm is not None and self.film_farad is not None:
            turned = 1j * w * self.film_ohm * self.film_farad
            film = self.film_ohm / (1.0 + turned)
            by["film_ohm"] = film / (1.0 + turned)
            by["film_farad"] = -film * turned / (1.0 + turned)
            z = z + film
        return z, by

    def _faradaic(self, w: Array) -> tuple[ComplexArray, dict[str, ComplexArray]]:
        transfer = self.charge_transfer_ohm or 0.0
        z = np.full(w.shape, transfer, dtype=np.complex128)
        by = {"charge_transfer_ohm": z.copy()}
        if self.diffusion_ohm is not None and self.diffusion_second is not None:
            z_d, by["diffusion_second"] = _diffusion(
                w, self.diffusion_ohm, self.diffusion_second, self.geometry
            )
            by["diffusion_ohm"] = z_d
            z = z + z_d
        return z, by


def _diffusion(
    angular_frequency: ArrayLike, resistance: float, time: float, geometry: Geometry
) -> tuple[ComplexArray, ComplexArray]:
    """Z_D and dZ_D / d ln tau."""
    if geometry not in GEOMETRIES:
        raise SpecError(
            f"{geometry!r} is no geometry of diffusion",
            where="interface",
            remedy=nearest(geometry, GEOMETRIES),
        )
    if not (resistance > 0.0 and time > 0.0):
        raise SpecError(
            f"diffusion with {resistance:g} ohm and {time:g} s",
            where="interface",
            remedy="both are > 0",
        )
    w = np.asarray(angular_frequency, dtype=np.float64)
    q: ComplexArray = np.asarray(1j * w * time, dtype=np.complex128)
    phi, slope = _PHI[geometry](q)
    return resistance / phi, -resistance * q * slope / phi**2


def _sphere(q: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    return q * coth_excess(q), coth_product_slope(q)


def _planar(q: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    t, slope = tanh_ratio_and_slope(4.0 * q)
    return q * t, t + 4.0 * q * slope


def _cylinder(q: ComplexArray) -> tuple[ComplexArray, ComplexArray]:
    from scipy.special import ive  # scaled: neither overflows

    s = np.sqrt(q)
    phi = s * ive(1, s) / ive(0, s)
    return phi, 0.5 * (1.0 - phi * phi / q)


_PHI = {"sphere": _sphere, "planar": _planar, "cylinder": _cylinder}
