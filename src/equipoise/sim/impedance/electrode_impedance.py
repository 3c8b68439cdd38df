"""Impedance of the electrodes of a lowered cell at the state of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.kernels.layout import BRANCH
from equipoise.kernels.line_impedance import (
    COLUMN_ROWS,
    SHELL_BLOCKS,
    line_impedance,
    linearise,
)

if TYPE_CHECKING:
    from equipoise.kernels.layout import Field, Porous
    from equipoise.sim.lower import Lowered

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
F_PER_M2 = 1e-2
"""Of a microfarad per cm2."""


def line_ohm(
    electrode: Porous,
    state: Field,
    now: int,
    s: ComplexArray,
    *,
    flows: bool,
    double_layer_uf_per_cm2: float,
    film_uf_per_cm2: float,
) -> ComplexArray:
    """Impedance of one electrode, ohm; zero for an ideal counter electrode.

    Parameters
    ----------
    now
        Which of the pairs in the state is the newer one (`Memory.NOW`).
    s
        Shape (N,), complex frequencies in rad/s; ``2j pi f`` for a spectrum.
    flows
        Whether a current flows through the cell: it decides on the hysteresis.

    References
    ----------
    Kernel and equations: `kernels.line_impedance`.
    """
    out = np.zeros(s.size, np.complex128)
    if electrode.ideal == 1:
        return out
    columns = np.empty((COLUMN_ROWS, electrode.column.shape[1]))
    shells = np.empty((SHELL_BLOCKS, electrode.shell.shape[1], columns.shape[1]))
    rails = np.empty((2, electrode.nodes))
    radius = faces(electrode)
    linearise(electrode, state, now, float(flows), radius, columns, shells, rails)
    line_impedance(
        electrode,
        s,
        double_layer_uf_per_cm2 * F_PER_M2,
        film_uf_per_cm2 * F_PER_M2,
        radius,
        columns,
        shells,
        rails,
        out,
    )
    return out / electrode.area


def faces(electrode: Porous) -> Array:
    """Radii of the faces of the shells in the unit sphere, shape (M + 1,)."""
    inside = np.cbrt(3.0 * np.cumsum(electrode.shell[1, :-1]))
    return np.concatenate(([0.0], inside, [1.0]))


def both_ohm(
    lowered: Lowered,
    states: tuple[Field, Field],
    now: int,
    s: ComplexArray,
    *,
    flows: bool,
) -> tuple[ComplexArray, ComplexArray]:
    """Positive and negative against the reference electrode, ohm, shape (N,) each.

    Their sum is the impedance of the cell: separator, contacts and inductance are in
    them, the separator up to the reference electrode, half of the inductance each
    (all of it in the working electrode of a half cell).
    """
    a = lowered.alternating
    share, tau = a.grain_boundary_fraction, a.grain_boundary_second
    arc = share * (1.0 / (1.0 + s * tau) - 1.0)  # what the arc takes off
    half = 1.0 if lowered.negative.ideal == 1 else 0.5
    positive = (
        line_ohm(
            lowered.positive,
            states[0],
            now,
            s,
            flows=flows,
            double_layer_uf_per_cm2=a.positive_double_layer_uf_per_cm2,
            film_uf_per_cm2=a.positive_film_uf_per_cm2,
        )
        + lowered.positive_ohm
        + a.positive_separator_ohm * arc
        + s * a.inductance_henry * half
    )
    negative = (
        line_ohm(
            lowered.negative,
            states[1],
            now,
            s,
            flows=flows,
            double_layer_uf_per_cm2=a.negative_double_layer_uf_per_cm2,
            film_uf_per_cm2=a.negative_film_uf_per_cm2,
        )
        + lowered.negative_ohm
        + a.negative_separator_ohm * arc
        + s * a.inductance_henry * (1.0 - half)
    )
    return positive, negative


def potential_volt(electrode: Porous, state: Field, at: Array) -> Array:
    """Open-circuit potentials of all columns at lithium fractions, shape (K,), V."""
    if electrode.ideal == 1:
        return np.full(1, electrode.ideal_volt)
    size = electrode.open_circuit.shape[0]
    x = electrode.open_circuit_start + np.arange(size) / electrode.open_circuit_per_step
    out, back = (np.interp(at, x, electrode.open_circuit[:, i]) for i in (0, 1))
    if electrode.hysteresis == 0.0:
        return out
    return back + 0.5 * (1.0 + state.column[BRANCH]) * (out - back)
