"""Resistances of several spectra side by side, with their bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.viz.impedance_axes import (
    SINGLE_COLUMN_MM,
    legend_over,
    looks,
    prefix_of,
    scale_of,
    seconds,
    subscripted,
)
from equipoise.viz.style import (
    BLACK,
    BLUE,
    ORANGE,
    PURPLE,
    VERMILLION,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.analysis.eis.drt.resistances import Resistances
    from equipoise.viz.impedance_axes import Scale

Array = NDArray[np.float64]

HEIGHT_MM = 66.0
MOST_BARS = 6
"""Spectra that are drawn as bars; more become points along the series."""
MOST_NUMBERS = 3
"""Spectra whose values are written over their bars."""
COLOURS = (BLUE, VERMILLION, PURPLE, ORANGE)


def resistance_bars(
    found: Sequence[Resistances], *, names: Sequence[str] = ()
) -> Figure:
    """Draw the resistances of the ranges of several spectra; error bars are bands.

    Up to six spectra are bars, side by side for each range; more are points along
    the series.

    Parameters
    ----------
    names
        Of the spectra; default: their own.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    if not found:
        raise DataError("there is no resistance to draw", remedy="give at least one")
    spectra = [r.spectrum for r in found]
    named = list(names) or [s.name or s.label for s in spectra]
    scale = scale_of(spectra)
    factors, unit = _factors(found, scale)
    with style():
        figure = new_figure(HEIGHT_MM, width_mm=SINGLE_COLUMN_MM)
        ax = figure.subplots()
        if len(found) <= MOST_BARS:
            _bars(ax, found, factors, named)
        else:
            _points(ax, found, factors, named)
        ax.set_ylabel(f"Resistance / {unit}")
        ax.set_ylim(bottom=0.0)
        if len(found) > 1:
            legend_over(figure, ax)
            _mathematical(figure)
    return figure


def _factors(found: Sequence[Resistances], scale: Scale) -> tuple[list[float], str]:
    """From ohm, and the unit: resistances may be far smaller than impedances."""
    areas = [scale.of(i) / scale.prefix_ratio for i in range(len(found))]
    largest = max(
        area * r.high_ohm
        for area, f in zip(areas, found, strict=True)
        for r in f.ranges
    )
    prefix, ratio = prefix_of(largest)
    bare = scale.unit if scale.prefix_ratio == 1.0 else scale.unit[1:]
    return [ratio * area for area in areas], prefix + bare


def _ends(found: Sequence[Resistances], k: int, factors: Sequence[float]) -> Array:
    """Value, and distance to the ends of the band, shape (3, spectra)."""
    rows = [
        (r.ranges[k].value_ohm, r.ranges[k].low_ohm, r.ranges[k].high_ohm)
        for r in found
    ]
    value, low, high = (np.array(rows) * np.array(factors)[:, None]).T
    return np.stack(
        [value, np.maximum(value - low, 0.0), np.maximum(high - value, 0.0)]
    )


def _bars(
    ax: Axes, found: Sequence[Resistances], factors: Sequence[float], names: list[str]
) -> None:
    ranges = [r.tau_range for r in found[0].ranges]
    count = len(found)
    width = 0.76 / count
    for i, look in enumerate(looks(names)):
        at = np.arange(len(ranges)) + (i - 0.5 * (count - 1)) * width
        columns = [_ends([found[i]], k, [factors[i]])[:, 0] for k in range(len(ranges))]
        value, below, above = np.array(columns).T
        ax.bar(
            at,
            value,
            0.9 * width,
            color=look.colour,
            alpha=0.75,
            linewidth=0,
            label=look.name,
        )
        ax.errorbar(
            at,
            value,
            yerr=[below, above],
            fmt="none",
            ecolor=BLACK,
            elinewidth=0.9,
            capsize=2.5,
            capthick=0.9,
        )
        if count <= MOST_NUMBERS:
            for x, v, a in zip(at, value, above, strict=True):
                ax.annotate(
                    f"{v:.3g}",
                    (x, v + a),
                    (0.0, 2.0),
                    textcoords="offset points",
                    ha="center",
                    va="bottom",
                    fontsize=7.0,
                )
    texts = [
        f"{subscripted(r.symbol)}\n{seconds(r.shortest_second)} to "
        f"{seconds(r.longest_second)} s"
        for r in ranges
    ]
    ax.set_xticks(np.arange(len(ranges)), texts)
    for label in ax.get_xticklabels():
        label.set_parse_math(True)
    ax.tick_params(axis="x", length=0)
    ax.margins(y=0.08)


def _points(
    ax: Axes, found: Sequence[Resistances], factors: Sequence[float], names: list[str]
) -> None:
    from matplotlib.ticker import MaxNLocator

    at = np.arange(1, len(found) + 1)
    for k, r in enumerate(found[0].ranges):
        value, below, above = _ends(found, k, factors)
        colour = COLOURS[k % len(COLOURS)]
        ax.fill_between(
            at, value - below, value + above, color=colour, alpha=0.2, linewidth=0
        )
        ax.plot(
            at,
            value,
            color=colour,
            marker="os^D"[k % 4],
            markersize=3.0,
            linewidth=0.9,
            label=subscripted(r.tau_range.symbol),
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(at[0] - 0.5, at[-1] + 0.5)
    ax.set_xlabel(f"Spectrum (1: {names[0]}; {len(names)}: {names[-1]})")
    ax.margins(y=0.08)


def _mathematical(figure: Figure) -> None:
    for legend in figure.legends:
        for text in legend.get_texts():
            text.set_parse_math(r"\mathrm" in text.get_text())
