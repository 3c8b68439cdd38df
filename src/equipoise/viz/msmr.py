"""A fitted MSMR curve: its reactions and its residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.constants import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    ZERO_CELSIUS_KELVIN,
)
from equipoise.viz.labels import LITHIUM, MINUS
from equipoise.viz.style import (
    BLACK,
    GREY,
    SKY,
    VERMILLION,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from equipoise.fit.msmr import MsmrFit

Array = NDArray[np.float64]

GRID = 601


def msmr_figure(fit: MsmrFit) -> Figure:
    """Draw dQ/dU of the fit, of each reaction and of the data, and the residuals."""
    potential = fit.potential_vs_li_volt
    u = np.linspace(float(potential.min()), float(potential.max()), GRID)
    reactions = _dqdu(fit, u)
    with style():
        figure = new_figure(105.0, width_mm=130.0)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1.0))
        for i, reaction in enumerate(reactions):
            upper.fill_between(
                u,
                0.0,
                reaction,
                color=SKY,
                alpha=0.3,
                linewidth=0.6,
                label=f"{len(reactions)} reactions" if i == 0 else "_nolegend_",
            )
        upper.plot(*_measured(fit), color=GREY, linewidth=2.6, alpha=0.6, label="data")
        upper.plot(u, reactions.sum(axis=0), color=BLACK, linewidth=1.1, label="fit")
        upper.set_ylabel("dQ/dU / mAh g⁻¹ V⁻¹")
        upper.set_ylim(bottom=0.0)
        upper.set_title("Reactions")
        upper.legend()
        lower.axhline(0.0, color=GREY, linewidth=0.7)
        lower.plot(potential, fit.residual_millivolt, color=VERMILLION, linewidth=1.0)
        lower.set_ylabel(f"Fit {MINUS} data / mV")
        lower.set_xlabel(f"Potential vs {LITHIUM} / V")
        lower.set_title(
            f"Residual: RMSE {fit.rmse_millivolt:.2f} mV, "
            f"largest {fit.largest_millivolt:.1f} mV"
        )
        lower.set_xlim(float(u[0]), float(u[-1]))
        letter_panels((upper, lower))
    return figure


def _inverse_thermal_volt(fit: MsmrFit) -> float:
    kelvin = fit.temperature_celsius + ZERO_CELSIUS_KELVIN
    return FARADAY_C_PER_MOL / (GAS_CONSTANT_J_PER_MOL_K * kelvin)


def _sites(fit: MsmrFit, u: Array) -> Array:
    """Occupied share of the sites of each reaction, shape (terms, n)."""
    f = _inverse_thermal_volt(fit)
    u0 = np.array([[t.standard_potential_vs_li_volt] for t in fit.terms])
    omega = np.array([[t.omega] for t in fit.terms])
    return 0.5 * (1.0 - np.tanh(0.5 * f * (u - u0) / omega))


def _dqdu(fit: MsmrFit, u: Array) -> Array:
    """Differential capacity of each reaction, mAh/g/V, shape (terms, n)."""
    s = _sites(fit, u)
    share = np.array([[t.occupancy_fraction / t.omega] for t in fit.terms])
    scale = fit.theoretical_capacity_mah_per_g * _inverse_thermal_volt(fit)
    return scale * share * s * (1.0 - s)


def _measured(fit: MsmrFit) -> tuple[Array, Array]:
    """Potential and |dQ/dU| of the data, uniform in capacity.

    The content follows from the fit at the fitted potential (data + residual).
    """
    measured = fit.potential_vs_li_volt
    occupancy = np.array([t.occupancy_fraction for t in fit.terms])
    x = occupancy @ _sites(fit, measured + 1e-3 * fit.residual_millivolt)
    order = np.argsort(measured)
    u, q = measured[order], fit.theoretical_capacity_mah_per_g * x[order]
    return u, np.abs(np.gradient(q) / np.maximum(np.gradient(u), 1e-9))
