"""Distributions of relaxation times: ranges, peaks, and what the tails leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.study.impedance_gamma import gamma_axis, gamma_band
from equipoise.viz.impedance_axes import (
    MOST_NAMES,
    SINGLE_COLUMN_MM,
    UNKNOWN,
    decade_axis,
    frequency_on_top,
    legend_over,
    looks,
    scale_of,
    subscripted,
    with_band,
)
from equipoise.viz.style import BLACK, GREY, SHADE, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from equipoise.analysis.eis.drt.intervals import CredibleBand
    from equipoise.analysis.eis.drt.peaks import Peaks
    from equipoise.analysis.eis.drt.resistances import RangeResistance, Resistances
    from equipoise.viz.impedance_axes import Look, Scale

Array = NDArray[np.float64]

HEIGHT_MM = 78.0
SHADES = (SHADE, "#DFE8EF")
MOST_VALUES = 3
"""Spectra whose resistances are written into the ranges."""
LINE_FRACTION = 0.075
"""Of the height of the axes, a line of text."""
SMALLEST_POINTS = 4.5
"""Of a text that is squeezed into its range."""
LEFT_OF_DATA_RATIO = 3.0
"""How far below 1 / (2 pi f_max) the axis goes, if gamma is anything there."""


def drt(
    found: Sequence[Resistances],
    *,
    names: Sequence[str] = (),
    peaks: Sequence[Peaks] = (),
    credible: Sequence[CredibleBand | None] = (),
) -> Figure:
    """Draw gamma over tau of one or more spectra.

    Line: the best-supported tail; shaded, unless the series is long: what the other
    supported tails make of gamma. The ranges hold value and band of their resistance.
    Gamma is per ln tau: areas are resistances over ln tau, not over log10 tau.

    Parameters
    ----------
    names
        Of the spectra; default: their own.
    peaks
        One per spectrum: its peaks are drawn as thin lines.
    credible
        One per spectrum: its credible band is drawn dotted.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    if not found:
        raise DataError("there is no distribution to draw", remedy="give at least one")
    spectra = [r.spectrum for r in found]
    scale = scale_of(spectra)
    shown = looks(list(names) or [s.name or s.label for s in spectra])
    with style():
        figure = new_figure(HEIGHT_MM, width_mm=SINGLE_COLUMN_MM)
        ax = figure.subplots()
        top = 0.0
        for i, look in enumerate(shown):
            band = credible[i] if credible else None
            own = peaks[i] if peaks else None
            high = _curve(ax, found[i], look, scale.of(i), own, band, len(found))
            top = max(top, high)
        _limits(ax, found, top)
        values = _ranges(ax, found, scale, shown)
        ax.set_xlabel("Time constant τ / s")
        ax.set_ylabel(f"\N{GREEK SMALL LETTER GAMMA}(ln τ) / {scale.unit}")
        frequency_on_top(ax)
        _edge(ax, found)
        legend_over(figure, ax)
        figure.draw_without_rendering()  # from here on widths on paper are known
        for text, low, high in values:
            _fit_between(ax, text, low, high)
    return figure


def _curve(
    ax: Axes,
    found: Resistances,
    look: Look,
    factor: float,
    peaks: Peaks | None,
    credible: CredibleBand | None,
    count: int,
) -> float:
    """Draw one spectrum of `count`; return its highest gamma."""
    several, many = count > 1, count > MOST_NAMES
    tau = gamma_axis(found.best)
    low, high = (factor * x for x in gamma_band(found, tau))
    gamma = factor * found.best.gamma_at(tau)
    if not many:
        ax.fill_between(
            tau,
            low,
            high,
            color=look.colour,
            alpha=0.30,
            linewidth=0,
            label="_" if several else "supported tails",
        )
    ax.plot(
        tau,
        gamma,
        color=look.colour,
        linestyle=look.linestyle,
        linewidth=0.8 if many else 1.5,
        label=look.name,
    )
    top = float(max(high.max(), gamma.max()))
    if credible is not None:
        ends = (credible.low_ohm, credible.high_ohm)
        label = f"{100 * credible.level_fraction:g} % credible"
        for values in ends:
            ax.plot(
                credible.tau_second,
                factor * values,
                color=look.colour,
                linewidth=0.7,
                linestyle=(0, (1, 1)),
                label=label,
            )
            label = "_"
        inside = credible.tau_second >= _data_start(found)
        top = max(top, float(factor * credible.high_ohm[inside].max()))
    if peaks is not None:
        label = "peaks"
        for peak in peaks.peaks:
            ax.plot(
                tau,
                factor * peaks.curve_ohm(peak, tau),
                color=BLACK,
                linewidth=0.6,
                label=label,
            )
            label = "_"
    return top


def _data_start(found: Resistances) -> float:
    """1 / (2 pi f_max): shorter time constants are an extrapolation."""
    return 1.0 / float(found.best.spectrum.angular_frequency[0])


def _limits(ax: Axes, found: Sequence[Resistances], top: float) -> None:
    first = min(_data_start(r) for r in found)
    last = max(float(r.best.tau_second[-1]) for r in found)
    ax.set_xlim(first / LEFT_OF_DATA_RATIO, last * 1.25)
    decade_axis(ax)
    lines = 3.0 if len(found) == 1 else 1.4 + 1.0 * min(len(found), MOST_VALUES)
    if len(found) > MOST_VALUES:
        lines = 1.6
    ax.set_ylim(0.0, max(top, 1e-30) * 1.04 / (1.0 - LINE_FRACTION * lines))


def _ranges(
    ax: Axes, found: Sequence[Resistances], scale: Scale, shown: Sequence[Look]
) -> list[tuple[Text, float, float]]:
    """Shade the ranges, and write into them what they hold; texts with their ends."""
    first, last = ax.get_xlim()
    place = ax.get_xaxis_transform()
    written: list[tuple[Text, float, float]] = []
    for k, of_first in enumerate(found[0].ranges):
        r = of_first.tau_range
        low, high = max(r.shortest_second, first), min(r.longest_second, last)
        if low >= high:
            continue
        ax.axvspan(low, high, color=SHADES[k % 2], linewidth=0, zorder=0)
        middle = float(np.sqrt(low * high))
        texts = [subscripted(r.symbol) + ("" if found[1:] else f" / {scale.unit}")]
        if len(found) <= MOST_VALUES:
            texts += [
                _value(one.ranges[k], scale.of(i), len(found))
                for i, one in enumerate(found)
            ]
        for i, text in enumerate(texts):
            drawn = ax.text(
                middle,
                0.985 - LINE_FRACTION * i,
                text,
                transform=place,
                ha="center",
                va="top",
                fontsize=(6.0 if found[1:] else 6.5) if i else 7.0,
                color=shown[i - 1].colour if i and found[1:] else BLACK,
                linespacing=1.1,
            )
            drawn.set_parse_math(i == 0)
            written.append((drawn, low, high))
    return written


def _value(r: RangeResistance, factor: float, count: int) -> str:
    value, band = with_band(r, factor)
    if value == UNKNOWN:
        return value
    return f"{value}\n({band})" if count == 1 else f"{value} ({band})"


def _fit_between(ax: Axes, text: Text, low: float, high: float) -> None:
    """Shrink a text until it fits between two time constants; else leave it out."""
    ends = ax.transData.transform([(low, 0.0), (high, 0.0)])[:, 0]
    room = 0.97 * float(ends[1] - ends[0])
    wide = text.get_window_extent().width
    if wide <= room:
        return
    size = float(text.get_fontsize()) * room / wide
    if size < SMALLEST_POINTS and text.get_text().endswith(")"):
        text.set_text(text.get_text().split("(")[0].strip())  # the value without band
        wide = text.get_window_extent().width
        size = float(text.get_fontsize()) * min(room / wide, 1.0)
    text.set_fontsize(size)
    text.set_visible(size >= SMALLEST_POINTS)


def _edge(ax: Axes, found: Sequence[Resistances]) -> None:
    """Mark where the data begin: gamma left of it is an extrapolation."""
    start = min(_data_start(r) for r in found)
    ax.axvline(
        start,
        color=GREY,
        linewidth=0.6,
        linestyle=(0, (2, 2)),
        zorder=0,
        label="limit of the data",
    )
