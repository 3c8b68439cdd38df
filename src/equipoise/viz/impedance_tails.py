"""What every model of the low-frequency tail makes of a resistance."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.viz.impedance_axes import (
    SINGLE_COLUMN_MM,
    decade_axis,
    grey_note,
    power_of_ten,
    scale_of,
    subscripted,
    with_band,
)
from equipoise.viz.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SHADE,
    SKY,
    VERMILLION,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.analysis.eis.drt.resistances import (
        Member,
        RangeResistance,
        Resistances,
    )
    from equipoise.analysis.eis.drt.tails import Family

Array = NDArray[np.float64]

HEIGHT_MM = 82.0
FAMILIES: dict[Family, tuple[str, str, str]] = {
    "none": ("no tail", BLACK, "X"),
    "warburg": ("Warburg", BLUE, "D"),
    "capacitor": ("capacitor", GREY, "P"),
    "warburg+capacitor": ("Warburg + C", SKY, "s"),
    "cpe": ("CPE", ORANGE, "o"),
    "finite-space": ("finite space", GREEN, "^"),
    "finite-length": ("finite length", PURPLE, "v"),
}
LEAST_EXCESS_PERCENT = 0.1
"""Where a misfit as good as the best is drawn: a logarithm has no zero."""
TICKS = (0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)


def tail_ensemble(found: Resistances, *, symbol: str = "") -> Figure:
    """Draw a resistance with each model of the tail over how badly it fits.

    Filled: supported by the data, open: refuted. Grey: the whole band; darker: what
    the supported tails alone span. Members of a family are joined in the order of
    their parameter.

    Parameters
    ----------
    symbol
        Of the range, e.g. "R_ct"; default: the last one.

    Raises
    ------
    SpecError
        If there is no such range.
    DataError
        If the data do not reach it.
    """
    at = _index(found, symbol)
    r = found.ranges[at]
    if not isfinite(r.value_ohm):
        raise DataError(
            f"{r.tau_range.symbol} ({r.tau_range.text}) is not known: the data do not "
            "reach it",
            where=found.spectrum.label,
            remedy="draw another range, or measure lower frequencies",
        )
    scale = scale_of([found.spectrum])
    factor = scale.of(0)
    excess = _excess(found.members)
    values = factor * np.array([m.resistances_ohm[at] for m in found.members])
    with style():
        figure = new_figure(HEIGHT_MM, width_mm=SINGLE_COLUMN_MM)
        ax = figure.subplots()
        ax.axhspan(
            factor * r.low_ohm, _top(r, factor, values), color=SHADE, linewidth=0
        )
        ax.axhspan(
            factor * r.tail_low_ohm,
            factor * r.tail_high_ohm,
            color="#D6D6D6",
            linewidth=0,
        )
        ax.axhline(factor * r.value_ohm, color=GREY, linewidth=0.6)
        for family in FAMILIES:
            _family(ax, found.members, excess, values, family)
        _star(ax, found, excess, values)
        ax.set_xlim(0.7 * LEAST_EXCESS_PERCENT, max(2.0 * float(excess.max()), 30.0))
        _x_axis(ax)
        _y_limits(ax, r, factor, values)
        _border(ax, found.members, excess)
        name = subscripted(r.tau_range.symbol)
        label = ax.set_ylabel(f"{name} / {scale.unit}")
        label.set_parse_math(True)
        ax.set_xlabel("Misfit above the smallest of all / %")
        _title(ax, r, factor, scale.unit)
        _legend(figure, ax)
    return figure


def _index(found: Resistances, symbol: str) -> int:
    if not symbol:
        return len(found.ranges) - 1
    known = [r.tau_range.symbol for r in found.ranges]
    if symbol not in known:
        raise SpecError(f"range {symbol!r}; {nearest(symbol, known)}")
    return known.index(symbol)


def _excess(members: Sequence[Member]) -> Array:
    """Misfit over the best one, minus one, in %; at least what can be drawn."""
    ratio = np.array([m.misfit_ratio for m in members])
    return np.maximum(100.0 * (ratio - 1.0), LEAST_EXCESS_PERCENT)


def _family(
    ax: Axes, members: Sequence[Member], excess: Array, values: Array, family: Family
) -> None:
    own = [i for i, m in enumerate(members) if m.tail.family == family]
    if not own:
        return
    label, colour, marker = FAMILIES[family]
    ax.plot(excess[own], values[own], color=colour, linewidth=0.6, alpha=0.6)
    for supported in (True, False):
        some = [i for i in own if members[i].supported is supported]
        if not some:
            continue
        ax.plot(
            excess[some],
            values[some],
            linestyle="none",
            marker=marker,
            markersize=4.0 if supported else 3.4,
            markerfacecolor=colour if supported else "white",
            markeredgecolor=colour,
            markeredgewidth=0.8,
            label=label,
            zorder=3 if supported else 2,
        )
        label = "_"


def _star(ax: Axes, found: Resistances, excess: Array, values: Array) -> None:
    best = next(i for i, m in enumerate(found.members) if m.tail == found.best.tail)
    ax.plot(
        excess[best],
        values[best],
        linestyle="none",
        marker="*",
        markersize=10.0,
        markerfacecolor="white",
        markeredgecolor=VERMILLION,
        markeredgewidth=1.0,
        label="value",
        zorder=5,
    )


def _x_axis(ax: Axes) -> None:
    decade_axis(ax)
    ticks = [t for t in TICKS if t <= ax.get_xlim()[1]]
    names = [f"{t:g}" if t < 1e3 else power_of_ten(round(np.log10(t))) for t in ticks]
    ax.set_xticks(ticks, labels=[f"≤{names[0]}", *names[1:]])


def _top(r: RangeResistance, factor: float, values: Array) -> float:
    """Upper end of the band; of an open one something above all that is drawn."""
    if isfinite(r.high_ohm):
        return factor * r.high_ohm
    return 100.0 * max(float(values.max()), factor * r.value_ohm, 1e-30)


def _y_limits(ax: Axes, r: RangeResistance, factor: float, values: Array) -> None:
    """All models, but never so far off that the band becomes a line."""
    low, high = factor * r.low_ohm, factor * r.high_ohm
    if not isfinite(high):  # it ends above the figure
        high = factor * max(r.tail_high_ohm, 1.2 * r.value_ohm)
    reach = 2.5 * max(high - low, 1e-30)
    bottom = max(float(values.min()), low - reach)
    top = min(float(values.max()), high + reach)
    bottom, top = min(bottom, low), max(top, high)
    room = 0.06 * (top - bottom) or 0.1 * abs(top) or 1.0  # nothing is in the range
    ax.set_ylim(max(bottom - room, 0.0) if bottom >= 0.0 else bottom, top + room)
    beyond = values > ax.get_ylim()[1]
    if beyond.any():
        grey_note(
            ax,
            f"{int(beyond.sum())} above, up to {values.max():.3g}",
            (0.985, 0.985),
            ha="right",
            va="top",
        )


def _border(ax: Axes, members: Sequence[Member], excess: Array) -> None:
    """Line between supported and refuted."""
    good = [e for e, m in zip(excess, members, strict=True) if m.supported]
    bad = [e for e, m in zip(excess, members, strict=True) if not m.supported]
    if not bad:
        return
    border = float(np.sqrt(max(good) * min(bad)))
    ax.axvline(border, color=BLACK, linewidth=0.7, linestyle=(0, (4, 2)))
    place = ax.get_xaxis_transform()
    for text, where, x in (
        (f"{len(good)} supported ", "right", border),
        (f" {len(bad)} refuted", "left", border),
    ):
        ax.text(x, 0.015, text, transform=place, ha=where, va="bottom", fontsize=6.5)


def _title(ax: Axes, r: RangeResistance, factor: float, unit: str) -> None:
    value, band = with_band(r, factor)
    name = subscripted(r.tau_range.symbol)
    title = ax.set_title(f"{name} = {value} ({band}) {unit}", fontweight="normal")
    title.set_parse_math(True)


def _legend(figure: Figure, ax: Axes) -> None:
    from matplotlib.patches import Patch

    handles, labels = ax.get_legend_handles_labels()
    patches = [
        Patch(facecolor="#D6D6D6", label="supported tails"),
        Patch(facecolor=SHADE, label="band"),
    ]
    figure.legend(
        [*handles, *patches],
        [*labels, *(str(p.get_label()) for p in patches)],
        loc="outside lower center",
        ncols=4,
        fontsize=6.5,
        columnspacing=0.9,
        handletextpad=0.4,
        handlelength=1.4,
    )
