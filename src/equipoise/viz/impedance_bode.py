"""Bode plot: modulus and phase over frequency, data and fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.impedance_axes import (
    MOST_NAMES,
    SINGLE_COLUMN_MM,
    decade_axis,
    dense,
    legend_over,
    looks,
    scale_of,
)
from equipoise.viz.labels import MINUS
from equipoise.viz.style import BLACK, GREY, VERMILLION, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.spec.spectrum import Spectrum
    from equipoise.viz.impedance_axes import Look

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

HEIGHT_MM = 88.0


def bode(
    spectra: Sequence[Spectrum],
    *,
    fits: Sequence[Callable[[Array], ComplexArray]] = (),
    outliers: Sequence[NDArray[np.bool_]] = (),
    fit_label: str = "fit",
) -> Figure:
    """Draw |Z| and minus the phase over frequency; a long series without its fits.

    Parameters
    ----------
    fits
        Impedance (ohm, complex) at frequencies (Hz), one per spectrum.
    outliers
        Shape (N,) each: points that are ringed.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    scale = scale_of(spectra)
    shown = looks([s.name or f"spectrum {i}" for i, s in enumerate(spectra, start=1)])
    if len(spectra) > MOST_NAMES:
        fits = ()
    with style():
        figure = new_figure(HEIGHT_MM, width_mm=SINGLE_COLUMN_MM)
        upper, lower = figure.subplots(2, 1, sharex=True)
        for i, (s, look) in enumerate(zip(spectra, shown, strict=True)):
            z = scale.of(i) * s.impedance_ohm
            _points(upper, s.frequency_hertz, np.abs(z), look, fitted=bool(fits))
            _points(lower, s.frequency_hertz, _phase(z), look, fitted=bool(fits))
            if outliers and outliers[i].any():
                bad = outliers[i]
                first = not any(o.any() for o in outliers[:i])
                label = "Kramers-Kronig outlier" if first else "_"
                _rings(upper, s.frequency_hertz[bad], np.abs(z[bad]), label)
                _rings(lower, s.frequency_hertz[bad], _phase(z[bad]), "_")
        for i, fit in enumerate(fits):
            f = dense(spectra[i])
            z = scale.of(i) * fit(f)
            label = "_" if i else fit_label
            upper.plot(f, np.abs(z), color=BLACK, linewidth=0.8, label=label)
            lower.plot(f, _phase(z), color=BLACK, linewidth=0.8)
        first = min(float(s.frequency_hertz[-1]) for s in spectra)
        last = max(float(s.frequency_hertz[0]) for s in spectra)
        lower.set_xlim(first / 1.6, last * 1.6)
        decade_axis(lower)
        decade_axis(upper, "y")
        lower.set_xlabel("Frequency / Hz")
        upper.set_ylabel(f"|Z| / {scale.unit}")
        lower.set_ylabel(f"{MINUS}Phase / °")
        if lower.get_ylim()[0] < 0.0:
            lower.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
        figure.align_ylabels([upper, lower])
        if len(spectra) > 1 or fits or outliers:
            legend_over(figure, upper)
    return figure


def _phase(z: ComplexArray) -> Array:
    """Minus the phase in degrees: capacitive is positive."""
    return -np.degrees(np.angle(z))


def _points(ax: Axes, f: Array, values: Array, look: Look, *, fitted: bool) -> None:
    ax.plot(
        f,
        values,
        linestyle="none" if fitted else "-",
        linewidth=0.6,
        marker=look.marker,
        markersize=3.0,
        markerfacecolor="white",
        markeredgecolor=look.colour,
        markeredgewidth=0.8,
        color=look.colour,
        label=look.name,
    )


def _rings(ax: Axes, f: Array, values: Array, label: str) -> None:
    ax.plot(
        f,
        values,
        linestyle="none",
        marker="o",
        markersize=7.0,
        markerfacecolor="none",
        markeredgecolor=VERMILLION,
        markeredgewidth=1.0,
        label=label,
        zorder=5,
    )
