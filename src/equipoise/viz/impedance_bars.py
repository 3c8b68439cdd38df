"""Resistances of several spectra side by side, with their bands."""

from __future__ import annotations

import re
from math import isfinite
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
MOST_BARS = 5
"""Spectra that are drawn as bars; more become points along the series."""
MOST_TICKS = 12
"""Spectra whose names stand along the axis."""
NAME_LETTERS = 14
MOST_NUMBERS = 3
"""Spectra whose values are written over their bars."""
COLOURS = (BLUE, VERMILLION, PURPLE, ORANGE)


def resistance_bars(
    found: Sequence[Resistances], *, names: Sequence[str] = ()
) -> Figure:
    """Draw the resistances of the ranges of several spectra; error bars are bands.

    Up to five spectra are bars, side by side for each range; more are points along
    the series, over the number in which their names differ (a cycle, a voltage).

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
    ends = [
        area * ohm
        for area, f in zip(areas, found, strict=True)
        for r in f.ranges
        for ohm in (r.value_ohm, r.high_ohm)
        if isfinite(ohm)
    ]
    largest = max(ends, default=0.0)
    prefix, ratio = prefix_of(largest)
    bare = scale.unit if scale.prefix_ratio == 1.0 else scale.unit[1:]
    return [ratio * area for area in areas], prefix + bare


def _ends(found: Sequence[Resistances], k: int, factors: Sequence[float]) -> Array:
    """Value, distance to the ends of the band, whether it is open; (4, spectra)."""
    rows = [
        (r.ranges[k].value_ohm, r.ranges[k].low_ohm, r.ranges[k].high_ohm)
        for r in found
    ]
    value, low, high = (np.array(rows) * np.array(factors)[:, None]).T
    opened = np.isinf(high)
    high = np.where(opened, value, high)
    return np.stack(
        [value, np.maximum(value - low, 0.0), np.maximum(high - value, 0.0), opened]
    )


def _bars(
    ax: Axes, found: Sequence[Resistances], factors: Sequence[float], names: list[str]
) -> None:
    ranges = [r.tau_range for r in found[0].ranges]
    count = len(found)
    width = 0.76 / count
    for i, look in enumerate(looks(names)):
        at = np.arange(len(ranges), dtype=np.float64)
        at += (i - 0.5 * (count - 1)) * width
        columns = [_ends([found[i]], k, [factors[i]])[:, 0] for k in range(len(ranges))]
        value, below, above, opened = np.array(columns).T
        ax.bar(
            at,
            np.nan_to_num(value),
            0.9 * width,
            color=look.colour,
            alpha=0.75,
            linewidth=0,
            label=look.name,
        )
        inside = np.isfinite(value)
        ax.errorbar(
            at[inside],
            value[inside],
            yerr=[below[inside], above[inside]],
            fmt="none",
            ecolor=BLACK,
            elinewidth=0.9,
            capsize=2.5,
            capthick=0.9,
        )
        _open_ends(ax, at, value, opened > 0.0, BLACK)
        if count <= MOST_NUMBERS:
            _numbers(ax, at, value, above, opened > 0.0)
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


def _open_ends(
    ax: Axes, at: Array, value: Array, opened: NDArray[np.bool_], colour: str
) -> None:
    """Arrow heads over bands that have no upper end."""
    ax.plot(
        at[opened],
        value[opened],
        linestyle="none",
        marker="^",
        markersize=4.0,
        color=colour,
        zorder=4,
    )


def _numbers(
    ax: Axes, at: Array, value: Array, above: Array, opened: NDArray[np.bool_]
) -> None:
    for x, v, a, is_open in zip(at, value, above, opened, strict=True):
        known = np.isfinite(v)
        ax.annotate(
            f"{v:.3g}" if known else "–",
            (x, v + a if known else 0.0),
            (0.0, 4.0 if is_open else 2.0),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7.0,
        )


def _points(
    ax: Axes, found: Sequence[Resistances], factors: Sequence[float], names: list[str]
) -> None:
    at = _along(ax, names)
    for k, r in enumerate(found[0].ranges):
        value, below, above, opened = _ends(found, k, factors)
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
        _open_ends(ax, at, value, opened > 0.0, colour)
    room = 0.04 * float(at.max() - at.min())
    ax.set_xlim(at.min() - room, at.max() + room)
    ax.margins(y=0.08)


def _along(ax: Axes, names: list[str]) -> Array:
    """Where each spectrum stands: at the number in its name, or one by one."""
    from matplotlib.ticker import MaxNLocator

    number, label = counted(names)
    if number is not None:
        ax.set_xlabel(label)
        if np.all(number == np.round(number)):
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        return number
    at = np.arange(1.0, len(names) + 1.0)
    if len(names) <= MOST_TICKS:
        short = [
            n if len(n) <= NAME_LETTERS else n[: NAME_LETTERS - 1] + "…" for n in names
        ]
        ax.set_xticks(at, short, rotation=45.0, ha="right", rotation_mode="anchor")
        return at
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_xlabel(f"Spectrum (1: {names[0]}; {len(names)}: {names[-1]})")
    return at


def counted(names: Sequence[str]) -> tuple[Array | None, str]:
    """Numbers in which names differ, if it is one and rises or falls throughout.

    Returns
    -------
    tuple
        Shape (n,) or None; the name with "…" for the number.

    Examples
    --------
    >>> counted(["LB cycle 9", "LB cycle 10"])
    (array([ 9., 10.]), 'LB cycle …')
    """
    parts = [re.split(r"(\d+(?:\.\d+)?)", name) for name in names]
    if len({len(p) for p in parts}) != 1:
        return None, ""
    columns = list(zip(*parts, strict=True))
    differing = [i for i, c in enumerate(columns) if len(set(c)) > 1]
    if len(differing) != 1 or differing[0] % 2 == 0:
        return None, ""
    values = np.array([float(x) for x in columns[differing[0]]])
    steps = np.diff(values)
    if not (np.all(steps > 0.0) or np.all(steps < 0.0)):
        return None, ""
    first = list(parts[0])
    first[differing[0]] = "…"
    label = "".join(first).strip()
    return values, label if label.strip("… ") else "Spectrum"


def _mathematical(figure: Figure) -> None:
    for legend in figure.legends:
        for text in legend.get_texts():
            text.set_parse_math(r"\mathrm" in text.get_text())
