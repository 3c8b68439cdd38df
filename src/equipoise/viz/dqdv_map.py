"""dQ/dV over the cycles of a test: lines and maps, as in zhang2026, Fig. 2e, f."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.dqdv import AXES
from equipoise.core.errors import DataError, SpecError
from equipoise.viz.cycling_axes import counted, legend_below, marker_size, wrapped
from equipoise.viz.dqdv_rows import Curves, Direction, Drawn, Rows, drawn
from equipoise.viz.labels import floats
from equipoise.viz.simulation_axes import head
from equipoise.viz.style import (
    DOUBLE_COLUMN_MM,
    PNG_DPI,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colorizer import ColorizingArtist
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

MAP = "viridis"
"""Perceptually uniform, and in order without colour, too."""
MISSING = "#D9D9D9"
MOST_PANELS = 3
"""In a row."""
SPACING = 1.5
"""Cycles further apart than so many usual distances have a gap between them."""
MOST_NAMED = 8
"""Lines that a legend names; more have a colour bar."""
ROOM_SHARE = 0.01
MM_PER_TITLE_LETTER = 2.3
NEGATIVE_SHARE = 0.02
"""Of the scale: values below zero that are worth an arrow at the colour bar."""


def dqdv_lines(
    curves: Curves,
    direction: Direction = "charge",
    *,
    cycles: Sequence[int] | None = None,
) -> Figure:
    """Draw dQ/dV of each cycle as a line, a panel per cell on one scale.

    On discharge -dQ/dV is drawn, so that peaks point up in both directions. A few
    curves that are far higher than all others leave the frame, and are counted.

    Parameters
    ----------
    curves
        Of one cell, or of several by their names; see `analysis.dqdv.dqdv`.
    cycles
        Cycles to draw; by default all. Up to eight are named, more are coloured from
        the first to the last.

    Raises
    ------
    SpecError
        If cells differ in axis or smoothing, or no cycle asked for has a curve.
    DataError
        If a cell has no curve in this direction.
    """
    what = drawn(curves, direction, cycles=cycles)
    numbers = sorted({int(c) for r in what.rows for c in r.cycle_count})
    with style():
        figure, axes = panels(what, 62.0)
        shade = cycle_colours(numbers)
        for ax, rows in zip(axes, what.rows, strict=True):
            for cycle, height in zip(rows.cycle_count, rows.height, strict=True):
                ax.plot(
                    rows.voltage_volt,
                    height,
                    color=shade[int(cycle)],
                    linewidth=1.2 if len(numbers) <= MOST_NAMED else 0.7,
                    label=f"cycle {cycle}",
                )
            ax.axhline(0.0, color="black", linewidth=0.5, zorder=1.0)
        for ax in axes[:: _columns(what)]:
            ax.set_ylabel(what.label)
        axes[0].set_ylim(1.04 * min(what.low, -0.04 * what.top), 1.05 * what.top)
        name_cycles(figure, axes, shade)
    return figure


def dqdv_map(
    curves: Curves,
    direction: Direction = "charge",
    *,
    peaks: pl.DataFrame | Mapping[str, pl.DataFrame] | None = None,
) -> Figure:
    """Draw dQ/dV as colours over potential and cycle, cells side by side on one scale.

    Cycles without a curve, and potentials that a cycle did not reach, are grey; a cycle
    is as high as the usual distance to the next one. An arrow at the end of the scale
    says that some cycles are higher, or some values below zero.

    Parameters
    ----------
    curves
        Of one cell, or of several by their names; see `analysis.dqdv.dqdv`.
    direction
        "charge", or "discharge", of which -dQ/dV is drawn.
    peaks
        From `analysis.peaks.peaks`, of the one cell or by name: dots at their places,
        joined if `track_peaks` numbered them.

    Raises
    ------
    SpecError
        If cells differ in axis or smoothing, or peaks are of a cell not drawn.
    DataError
        If a cell has no curve in this direction.
    """
    from matplotlib.ticker import MaxNLocator

    what = drawn(curves, direction)
    places = peaks_by_name(peaks, what)
    with style():
        figure, axes = panels(what, 72.0, share_y=True)
        bar: ColorizingArtist | None = None
        for ax, rows in zip(axes, what.rows, strict=True):
            bar = _mesh(ax, rows, what)
            if rows.name in places:
                _overlay(ax, rows, places[rows.name])
        for ax in axes[:: _columns(what)]:
            ax.set_ylabel("Cycle")
            ticks = MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
            ax.yaxis.set_major_locator(ticks)
        assert bar is not None
        figure.colorbar(
            bar,
            ax=axes,
            label=what.label,
            aspect=30.0,
            extend=_extend(what),
        )
        _legend(figure, what, places)
    return figure


def panels(
    what: Drawn, height_mm: float, *, share_y: bool = True
) -> tuple[Figure, list[Axes]]:
    """Empty panels, a cell each, with potential along the bottom."""
    count, columns = len(what.rows), _columns(what)
    rows = -(-count // columns)
    width_mm = 120.0 if columns == 1 else DOUBLE_COLUMN_MM
    figure = new_figure(16.0 + height_mm * rows, width_mm=width_mm)
    figure.set_dpi(PNG_DPI)  # of the images inside the SVG
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=share_y)
    for ax in grid.ravel()[count:]:
        ax.remove()
    axes: list[Axes] = list(grid.ravel()[:count])
    for ax, one in zip(axes, what.rows, strict=True):
        ax.set_title(title(one.name, width_mm / columns))
    for ax in axes[max(count - columns, 0) :]:
        ax.set_xlabel(what.along)
        ax.tick_params(labelbottom=True)
    low, high = what.range_volt
    room = ROOM_SHARE * (high - low)
    axes[0].set_xlim(low - room, high + room)
    if count > 1:
        letter_panels(axes)
    head(figure, heading(what, width_mm))
    return figure, axes


def title(name: str, width_mm: float) -> str:
    """A name, in lines that fit over a panel."""
    return wrapped(name, int(width_mm / MM_PER_TITLE_LETTER))


def heading(what: Drawn, width_mm: float) -> str:
    """Direction and smoothing, and how many curves are cut off."""
    beyond = what.beyond_count
    many = f"; {counted(beyond, 'curve')} higher than the scale" if beyond else ""
    return title(what.title + many, width_mm)


def _columns(what: Drawn) -> int:
    return min(len(what.rows), MOST_PANELS)


def cycle_colours(numbers: Sequence[int]) -> dict[int, str]:
    """From the first cycle, dark, to the last, bright, by their numbers."""
    from matplotlib.colors import to_hex

    first, span = numbers[0], max(numbers[-1] - numbers[0], 1)
    return {n: to_hex(_ramp()((n - first) / span)) for n in numbers}


def _ramp() -> Colormap:
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    return ListedColormap(mpl.colormaps["plasma"](np.linspace(0.0, 0.88, 256)))


def name_cycles(figure: Figure, axes: Sequence[Axes], shade: Mapping[int, str]) -> None:
    """A legend for a few cycles, a colour bar for many."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    if len(shade) > MOST_NAMED:
        colour = ScalarMappable(Normalize(min(shade), max(shade)), _ramp())
        ticks = MaxNLocator(integer=True, steps=[1, 2, 5, 10])
        figure.colorbar(colour, ax=axes, label="Cycle", aspect=30.0, ticks=ticks)
        return
    legend_below(
        figure, [Line2D([], [], color=c, label=f"cycle {n}") for n, c in shade.items()]
    )


def spaced(cycle_count: Array) -> tuple[Array, list[int]]:
    """Edges of the rows of a map, and which cycle fills each; -1 for a gap.

    Examples
    --------
    >>> spaced(np.array([1.0, 2.0, 5.0]))[1]
    [0, 1, -1, 2]
    """
    usual = _usual(cycle_count)
    edges = [float(cycle_count[0]) - 0.5 * usual]
    filled: list[int] = []
    for i, cycle in enumerate(cycle_count):
        filled.append(i)
        if i + 1 == cycle_count.size:
            edges.append(float(cycle) + 0.5 * usual)
        elif cycle_count[i + 1] - cycle <= SPACING * usual:
            edges.append(0.5 * float(cycle + cycle_count[i + 1]))
        else:
            edges += [float(cycle) + 0.5 * usual]
            edges += [float(cycle_count[i + 1]) - 0.5 * usual]
            filled.append(-1)
    return np.array(edges), filled


def _usual(cycle_count: Array | NDArray[np.int64]) -> float:
    """Distance from most cycles to the next one."""
    if cycle_count.size == 1:
        return 1.0
    return float(np.percentile(np.diff(cycle_count), 50.0, method="lower"))


def _mesh(ax: Axes, rows: Rows, what: Drawn) -> ColorizingArtist:
    """Colours of one cell."""
    edges, filled = spaced(rows.cycle_count.astype(np.float64))
    height = np.full((len(filled), rows.voltage_volt.size), np.nan)
    known = np.array(filled) >= 0
    height[known] = rows.height
    half = 0.5 * rows.step_volt
    sides = np.append(rows.voltage_volt - half, rows.voltage_volt[-1] + half)
    ax.set_facecolor(MISSING)
    return ax.pcolormesh(
        sides,
        edges,
        np.ma.masked_invalid(height),
        cmap=MAP,
        vmin=0.0,
        vmax=what.top,
        rasterized=True,  # a million cells: an image inside the SVG
    )


def _extend(what: Drawn) -> str:
    """Arrows of the colour bar: values beyond its ends."""
    below, above = what.low < -NEGATIVE_SHARE * what.top, what.beyond_count > 0
    if below and above:
        return "both"
    return "min" if below else "max" if above else "neither"


def peaks_by_name(
    peaks: pl.DataFrame | Mapping[str, pl.DataFrame] | None, what: Drawn
) -> dict[str, pl.DataFrame]:
    """Peaks of each cell that is drawn.

    Raises
    ------
    SpecError
        If one table is given for several cells, or peaks of a cell not drawn.
    """
    names = [r.name for r in what.rows]
    if peaks is None:
        return {}
    if not isinstance(peaks, Mapping):
        if len(names) > 1:
            raise SpecError(
                f"one table of peaks for {len(names)} cells",
                remedy="give a mapping of the names of the cells to their peaks",
            )
        return {names[0]: peaks}
    unknown = [n for n in peaks if n not in names]
    if unknown:
        raise SpecError(
            f"peaks of {unknown[0]!r}, which is not drawn",
            remedy=f"drawn are: {', '.join(names)}",
        )
    return dict(peaks)


def _overlay(ax: Axes, rows: Rows, peaks: pl.DataFrame) -> None:
    """Dots at the peaks of the half-cycles that are drawn."""
    place = next((c for c in AXES.values() if c in peaks.columns), None)
    if place is None:
        raise DataError(
            "the peaks have no place",
            where=rows.name,
            remedy=f"one of {', '.join(AXES.values())}, as analysis.peaks.peaks gives",
        )
    mine = np.isin(floats(peaks, "half_cycle_index", "peaks"), rows.half_cycle_index)
    shown = peaks.filter(mine)
    x, y = floats(shown, place, "peaks"), floats(shown, "cycle_count", "peaks")
    usual = _usual(rows.cycle_count)
    joined = "peak_index" in shown.columns
    tracks = shown["peak_index"].to_numpy() if joined else np.zeros(x.size)
    size = marker_size(float(np.ptp(rows.cycle_count)) + 1.0, 60.0)
    for track in np.unique(tracks):
        on = np.flatnonzero(tracks == track)
        on = on[np.argsort(y[on], kind="stable")]
        breaks = np.flatnonzero(np.diff(y[on]) > SPACING * usual) + 1
        ax.plot(
            np.insert(x[on], breaks, np.nan),
            np.insert(y[on], breaks, np.nan),
            color="white",
            linestyle="-" if joined else "none",
            linewidth=0.8,
            marker="o",
            markersize=min(size, 2.6),
            markeredgecolor="black",
            markeredgewidth=0.15 * min(size, 2.6),
            label="_peaks",
        )


def _legend(figure: Figure, what: Drawn, places: Mapping[str, pl.DataFrame]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    if any(np.isnan(r.height).any() or -1 in _filled(r) for r in what.rows):
        handles.append(Patch(color=MISSING, label="not reached, or no curve"))
    if places:
        handles.append(
            Line2D(
                [], [], linestyle="none", marker="o", markersize=3.0, color="white",
                markeredgecolor="black", markeredgewidth=0.5, label="peak",
            )
        )  # fmt: skip
    legend_below(figure, handles)


def _filled(rows: Rows) -> list[int]:
    return spaced(rows.cycle_count.astype(np.float64))[1]
