"""Impedance of ion- and electron-blocking cells of one composite, with derivatives.

Between metals only electrons pass the ends of a composite, between electrolytes only
ions. The rail that passes is called through (t), the other blocked (b); with S = r_t +
r_b, u = S Y_c and w = S Y_b

    Z = r_t r_b / S + (r_t^2 / S) f,    f = t / (1 + t w / 2),

t = tanh(X/2) / (X/2), X = sqrt(u), Y_c the admittance of the interface and Y_b that of
what joins each blocked end to its terminal (0: nothing passes). This is the general
solution of `terminals` with the same ends at both sides.

Conductivities are in S/cm, coefficients of the interface in S s^a per cm3 of composite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.lines.transmission_line import tanh_ratio_and_slope

if TYPE_CHECKING:
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Role = Literal["ion_blocking", "electron_blocking"]

CM_PER_UM = 1e-4
EXPONENT_RANGE = (0.4, 1.0)
"""Of an interface; below 0.5 it is a Warburg impedance rather than a double layer."""
LOG_RANGE = (-46.0, 46.0)
"""1e-20 to 1e20: no limit in practice, but no overflow either."""
MICROHENRY = 1e-6
LONGEST_LOG_STEP = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class BlockedCell:
    """One measured cell: which carrier is blocked, its geometry, its spectrum."""

    role: Role
    thickness_um: float
    area_cm2: float
    spectrum: Spectrum
    series_ohm: float | None = None

    @property
    def per_conductivity(self) -> float:
        """Thickness / area, 1/cm: a resistance is this over the conductivity."""
        return self.thickness_um * CM_PER_UM / self.area_cm2

    @property
    def volume_cm3(self) -> float:
        """Of the composite."""
        return self.thickness_um * CM_PER_UM * self.area_cm2


@dataclass(frozen=True, slots=True)
class Variant:
    """What a model of the cells assumes.

    Attributes
    ----------
    own_interfaces
        Each cell has its own interface; otherwise they share it, per volume.
    separator_arc
        The electron-blocking cell has R || CPE in series: the electrolyte between
        composite and contacts, or its contacts.
    terminal_capacity
        The blocked rail is joined to the contacts by a double layer, as large per area
        in both cells.
    inductance
        Each cell has wires with an inductance.
    """

    own_interfaces: bool = False
    separator_arc: bool = False
    terminal_capacity: bool = False
    inductance: bool = True

    @property
    def name(self) -> str:
        """In words, for tables."""
        parts = ["own interfaces" if self.own_interfaces else "shared interface"]
        if self.separator_arc:
            parts.append("arc of the separators")
        if self.terminal_capacity:
            parts.append("capacity at the blocked ends")
        return ", ".join(parts)


def through_line(
    r_t: float, r_b: float, y_c: ComplexArray, y_b: ComplexArray | None
) -> tuple[ComplexArray, ...]:
    """Z and its derivatives by ln r_t, ln r_b, ln y_c and ln y_b, ohm."""
    s = r_t + r_b
    u = s * y_c
    t, slope = tanh_ratio_and_slope(u)
    if y_b is None:
        f, f_u, wf_w = t, slope, np.zeros_like(t)
    else:
        w = s * y_b
        damped = 1.0 / (1.0 + 0.5 * t * w)
        f = t * damped
        f_u, wf_w = damped**2 * slope, -0.5 * w * f * f
    share = r_t / s
    uf_u = u * f_u
    z = share * r_b + share * r_t * f
    common = share**2 * (uf_u + wf_w)
    by_t = r_t * ((r_b / s) ** 2 + (2.0 - share) * share * f + common)
    by_b = r_b * (share**2 * (1.0 - f) + common)
    front = share * r_t
    return z, by_t, by_b, front * uf_u, front * wf_w


class BlockingModel:
    """A variant for given cells: names, bounds, impedances, weighted residuals.

    The parameters are one vector; `names` says what is where. Conductivities,
    coefficients, the resistance and time of the arc enter as natural logarithms;
    exponents, series resistances (ohm) and inductances (uH) as they are.

    Attributes
    ----------
    names, index
        Of the P parameters, and where each one is.
    lower, upper
        Bounds, shape (P,).
    free
        Shape (P,); False for a resistance in series that is known.
    """

    def __init__(self, cells: tuple[BlockedCell, ...], variant: Variant) -> None:
        self.cells, self.variant = cells, variant
        log, exponent = LOG_RANGE, EXPONENT_RANGE
        known: list[tuple[str, tuple[float, float]]] = [
            ("ionic", log),
            ("electronic", log),
        ]
        for i in range(len(self.cells) if self.variant.own_interfaces else 1):
            known += [(f"coefficient_{i}", log), (f"exponent_{i}", exponent)]
        for i, cell in enumerate(self.cells):
            fixed = cell.series_ohm
            known.append(
                (f"series_{i}", (0.0, np.inf) if fixed is None else (fixed, fixed))
            )
            if self.variant.inductance:
                known.append((f"inductance_{i}", (0.0, np.inf)))
        if self.variant.separator_arc:
            w = self.cells[-1].spectrum.angular_frequency
            fastest, slowest = -np.log(10.0 * w[0]), np.log(10.0 / w[-1])
            known += [
                ("arc_ohm", log),
                ("arc_second", (float(fastest), float(slowest))),
                ("arc_exponent", (0.5, 1.0)),
            ]
        if self.variant.terminal_capacity:
            known.append(("terminal", log))
        self.names: tuple[str, ...] = tuple(n for n, _ in known)
        self.index: dict[str, int] = {n: i for i, n in enumerate(self.names)}
        self.lower: Array = np.array([b[0] for _, b in known])
        self.upper: Array = np.array([b[1] for _, b in known])
        self.free: NDArray[np.bool_] = self.upper > self.lower
        spectra = [c.spectrum for c in self.cells]
        self._log_jw: list[ComplexArray] = [
            np.log(1j * s.angular_frequency) for s in spectra
        ]
        self._weight: list[Array] = [1.0 / np.abs(s.impedance_ohm) for s in spectra]

    @property
    def longest_step(self) -> Array:
        """Largest change of each parameter in one iteration."""
        logs = self.lower == LOG_RANGE[0]
        return np.where(logs, LONGEST_LOG_STEP, np.inf)

    def impedance_ohm(self, parameters: Array, cell: int) -> ComplexArray:
        """Of one cell at its measured frequencies."""
        return self._response(parameters, cell)[0]

    def residual(self, parameters: Array) -> tuple[Array, Array]:
        """(model - measured) / |measured|, real then imaginary; and its Jacobian.

        Returns
        -------
        residual
            Shape (M,), M = twice the points of all cells, one.
        jacobian
            Shape (M, P).
        """
        residuals: list[Array] = []
        jacobians: list[Array] = []
        for i, cell in enumerate(self.cells):
            z, by = self._response(parameters, i)
            weight = self._weight[i]
            off = (z - cell.spectrum.impedance_ohm) * weight
            residuals += [off.real, off.imag]
            scaled = by * weight
            jacobians += [scaled.real.T, scaled.imag.T]
        return np.concatenate(residuals), np.concatenate(jacobians)

    def _response(self, p: Array, i: int) -> tuple[ComplexArray, ComplexArray]:
        """Impedance, shape (N,), and derivatives by all parameters, shape (P, N)."""
        cell, at, log_jw = self.cells[i], self.index, self._log_jw[i]
        own = i if self.variant.own_interfaces else 0
        a = p[at[f"exponent_{own}"]]
        turned = np.exp(a * log_jw)
        y_c = np.exp(p[at[f"coefficient_{own}"]]) * cell.volume_cm3 * turned
        y_b = None
        if self.variant.terminal_capacity:
            y_b = np.exp(p[at["terminal"]]) * cell.area_cm2 * turned
        rails = ("electronic", "ionic")
        through, blocked = rails if cell.role == "ion_blocking" else rails[::-1]
        r_t, r_b = (cell.per_conductivity * np.exp(-p[at[n]]) for n in rails)
        if cell.role == "electron_blocking":
            r_t, r_b = r_b, r_t
        z, by_t, by_b, by_c, by_end = through_line(float(r_t), float(r_b), y_c, y_b)
        by = np.zeros((p.size, z.size), dtype=np.complex128)
        by[at[through]], by[at[blocked]] = -by_t, -by_b
        by[at[f"coefficient_{own}"]] = by_c
        by[at[f"exponent_{own}"]] = (by_c + by_end) * log_jw
        if y_b is not None:
            by[at["terminal"]] = by_end
        z = z + p[at[f"series_{i}"]]
        by[at[f"series_{i}"]] = 1.0
        if self.variant.inductance:
            wires = 1j * MICROHENRY * cell.spectrum.angular_frequency
            z = z + p[at[f"inductance_{i}"]] * wires
            by[at[f"inductance_{i}"]] = wires
        if self.variant.separator_arc and cell.role == "electron_blocking":
            z = z + self._arc(p, log_jw, by)
        return z, by

    def _arc(self, p: Array, log_jw: ComplexArray, by: ComplexArray) -> ComplexArray:
        """R / (1 + (j w tau)^a); its derivatives go into `by`."""
        at = self.index
        a, log_tau = p[at["arc_exponent"]], p[at["arc_second"]]
        turned = np.exp(a * (log_jw + log_tau))
        z = np.exp(p[at["arc_ohm"]]) / (1.0 + turned)
        slope = -z * turned / (1.0 + turned)
        by[at["arc_ohm"]] = z
        by[at["arc_second"]] = slope * a
        by[at["arc_exponent"]] = slope * (log_jw + log_tau)
        return z
