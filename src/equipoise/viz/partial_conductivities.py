"""Blocking cells of a composite: Nyquist plots with the fitted lines, and residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import MINUS
from equipoise.viz.style import (
    BLACK,
    GREY,
    NEGATIVE_COLOUR,
    POSITIVE_COLOUR,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.analysis.eis.lines.result import (
        Conductivity,
        FittedCell,
        PartialConductivities,
    )

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

IONIC_COLOUR, ELECTRONIC_COLOUR = NEGATIVE_COLOUR, POSITIVE_COLOUR
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
PREFIXES = ((1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz"), (1e-3, "mHz"), (1e-6, "µHz"))
CLOSEST_FRACTION = 0.055
"""Labels of decades closer than this share of the real axis are left out."""
MARGIN_FRACTION = 0.12
HEIGHT_TO_WIDTH = 0.72
BESIDE_FRACTION = 0.12
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ON_DECADE = 0.051
"""Decades of frequency within which a point stands for a whole one: 10 a decade."""
LEAST_RESIDUAL_PERCENT = 1.0
WIDTH_OF_ONE_MM = 95.0


def partial_conductivities_figure(found: PartialConductivities) -> Figure:
    """Draw one column per cell: Nyquist plot with the fit, residuals over frequency.

    Filled points are whole decades of frequency. The conductivity beside each cell is
    that of the carrier that passes it, with its band.
    """
    with style():
        count = len(found.cells)
        figure = (
            new_figure(112.0)
            if count > 1
            else new_figure(112.0, width_mm=WIDTH_OF_ONE_MM)
        )
        axes = figure.subplots(2, count, squeeze=False, height_ratios=(2.1, 1.0))
        largest = LEAST_RESIDUAL_PERCENT
        for cell, (upper, lower) in zip(found.cells, axes.T, strict=True):
            electrons = cell.role == "ion_blocking"
            colour = ELECTRONIC_COLOUR if electrons else IONIC_COLOUR
            _nyquist(upper, cell, colour)
            blocked, passing = (
                ("Ion", "electronic") if electrons else ("Electron", "ionic")
            )
            upper.set_title(f"{blocked}-blocking cell")
            _conductivity(
                upper, passing, found.electronic if electrons else found.ionic, colour
            )
            largest = max(largest, _residuals(lower, cell, colour))
        for lower in axes[1]:
            lower.set_ylim(-1.15 * largest, 1.15 * largest)
        axes[1][0].set_ylabel(f"Fit {MINUS} data / % of |Z|")
        letter_panels(axes.ravel())
    return figure


def _nyquist(ax: Axes, cell: FittedCell, colour: str) -> None:
    z, fit, f = cell.measured_ohm, cell.fitted_ohm, cell.frequency_hertz
    ax.plot(
        z.real,
        -z.imag,
        "o",
        markersize=3.6,
        markerfacecolor="white",
        markeredgecolor=colour,
        markeredgewidth=0.8,
        label="data",
    )
    ax.plot(fit.real, -fit.imag, color=BLACK, linewidth=1.1, label="fit")
    whole = _decades(f)
    ax.plot(z.real[whole], -z.imag[whole], "o", markersize=3.6, color=colour)
    width = _equal_scales(ax, np.concatenate((z, fit)))
    _label_decades(ax, z.real[whole], -z.imag[whole], f[whole], width)
    ax.set_xlabel("Re Z / Ω")
    ax.set_ylabel(f"{MINUS}Im Z / Ω")
    ax.legend(loc="upper right")


def _equal_scales(ax: Axes, z: ComplexArray) -> float:
    """One ohm as long on both axes, room for the text above; width in ohm."""
    left, right = float(z.real.min()), float(z.real.max())
    bottom, top = float((-z.imag).min()), float((-z.imag).max())
    width = max(right - left, (top - bottom) / (HEIGHT_TO_WIDTH - 0.3), 1e-12)
    margin = MARGIN_FRACTION * width
    width += 2.0 * margin
    middle = 0.5 * (left + right)
    ax.set_xlim(middle - 0.5 * width, middle + 0.5 * width)
    lowest = min(bottom, 0.0) - 0.5 * margin
    ax.set_ylim(lowest, lowest + HEIGHT_TO_WIDTH * width)
    ax.set_box_aspect(HEIGHT_TO_WIDTH)
    return width


def _decades(f: Array) -> NDArray[np.intp]:
    """Points at whole decades, from low frequency to high."""
    exponents = np.arange(np.ceil(np.log10(f[-1])), np.floor(np.log10(f[0])) + 1.0)
    nearest = [int(np.argmin(np.abs(np.log10(f) - e))) for e in exponents]
    on = [
        i
        for i, e in zip(nearest, exponents, strict=True)
        if abs(np.log10(f[i]) - e) <= ON_DECADE
    ]
    return np.array(on, dtype=np.intp)


def _label_decades(ax: Axes, x: Array, y: Array, f: Array, width: float) -> None:
    """Write frequencies outside the arc, beside their points, where there is room."""
    centre = 0.5 * sum(ax.get_xlim())
    written: list[tuple[float, float]] = []
    for at, up, hertz in sorted(zip(x, y, f, strict=True), key=lambda p: -p[1]):
        if any(
            np.hypot(at - a, up - b) < 2.0 * CLOSEST_FRACTION * width
            for a, b in written
        ):
            continue
        written.append((at, up))
        aside = (at - centre) / width
        side = 0 if abs(aside) < BESIDE_FRACTION else int(np.sign(aside))
        ax.annotate(
            _frequency(float(hertz)),
            (at, up),
            xytext=(5.0 * side, 2.0 if side else 4.5),
            textcoords="offset points",
            ha=("right", "center", "left")[side + 1],
            va="bottom",
            fontsize=6.5,
            color=GREY,
        )


def _frequency(hertz: float) -> str:
    for size, unit in PREFIXES:
        if hertz >= 0.99 * size:
            return f"{hertz / size:.3g} {unit}"
    return f"{hertz:.1g} Hz"


def _power_of_ten(value: float) -> str:
    exponent = round(float(np.log10(value)))
    return f"10{str(exponent).translate(SUPERSCRIPT)}"


def _conductivity(ax: Axes, name: str, found: Conductivity, colour: str) -> None:
    symbol = f"{SIGMA}(el)" if name == "electronic" else f"{SIGMA}(ion)"
    value = found.value_millisiemens_per_cm
    low, high = found.low_millisiemens_per_cm, found.high_millisiemens_per_cm
    text = f"{symbol} = {_three(value)} mS cm⁻¹"
    if np.isfinite(high):
        text += f"\nband {_three(low)} to {_three(high)}"
    else:
        text += "\nnot determined"
    ax.text(
        0.03,
        0.97,
        text,
        transform=ax.transAxes,
        ha="left",
        va="top",
        color=colour,
        fontweight="bold",
    )


def _three(value: float) -> str:
    """Three digits, trailing zeros kept."""
    return f"{value:#.3g}".rstrip(".")


def _residuals(ax: Axes, cell: FittedCell, colour: str) -> float:
    f, off = cell.frequency_hertz, cell.residual_percent
    ax.axhline(0.0, color=GREY, linewidth=0.7)
    ax.semilogx(f, off.real, "-", color=colour, linewidth=1.0, label="Re")
    ax.semilogx(
        f, off.imag, linestyle=(0, (1.2, 1.2)), color=BLACK, linewidth=1.0, label="Im"
    )
    ax.xaxis.set_major_formatter(lambda x, _: _power_of_ten(x))
    ax.set_title("Residuals")
    ax.set_xlabel("Frequency / Hz")
    ax.legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 0.98))
    return float(max(np.abs(off.real).max(), np.abs(off.imag).max()))
