"""dQ/dV over the cycles of a test in three dimensions, as zhang2026, Fig. S7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError, nearest
from equipoise.viz.dqdv_map import MAP, cycle_colours, heading, spaced, title
from equipoise.viz.dqdv_rows import Curves, Direction, Drawn, Rows, drawn
from equipoise.viz.simulation_axes import head
from equipoise.viz.style import (
    DOUBLE_COLUMN_MM,
    PNG_DPI,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mpl_toolkits.mplot3d.axes3d import Axes3D

Array = NDArray[np.float64]
Kind = Literal["surface", "lines"]

KINDS = ("surface", "lines")
MOST_CYCLES, MOST_BINS = 120, 300
"""Rows and columns of a surface: finer ones cannot be told apart on paper."""
MOST_LINES = 60
MOST_PANELS = 3
PANELS_MM = (76.0, 70.0, 52.0)
"""Heights of one, two and three panels in a row."""
LINE_MM = 4.6
LABEL_PAD_POINTS, TICK_PAD_POINTS = -1.0, -1.0
ZOOM = {1: 0.95, 2: 0.95, 3: 0.85}
VIEW = (30.0, -62.0)
"""Elevation and azimuth, degrees: late cycles behind."""


def dqdv_map_3d(
    curves: Curves, direction: Direction = "charge", *, kind: Kind = "surface"
) -> Figure:
    """Draw dQ/dV as heights over potential and cycle, cells side by side on one scale.

    A few curves that are far higher than all others are cut off, and counted.

    Parameters
    ----------
    curves
        Of one cell, or of several by their names; see `analysis.dqdv.dqdv`.
    direction
        "charge", or "discharge", of which -dQ/dV is drawn.
    kind
        "surface", with gaps where cycles are missing, or a stack of "lines": 60 at
        most, evenly chosen, the first and the last among them.

    Raises
    ------
    SpecError
        If the kind is unknown, there are more than three cells, or these differ in
        axis or smoothing.
    DataError
        If a cell has no curve in this direction.
    """
    if kind not in KINDS:
        raise SpecError(f"kind = {kind!r} is not known", remedy=nearest(kind, KINDS))
    what = drawn(curves, direction)
    count = len(what.rows)
    if count > MOST_PANELS:
        raise SpecError(
            f"{count} cells side by side cannot be read, at most {MOST_PANELS} can",
            remedy="draw several figures",
        )
    with style():
        width_mm = 100.0 if count == 1 else DOUBLE_COLUMN_MM
        names = [title(rows.name, width_mm / count) for rows in what.rows]
        above = heading(what, width_mm)
        lines = max(n.count("\n") for n in names) + above.count("\n") + 2.4
        height_mm = PANELS_MM[count - 1] + LINE_MM * lines
        figure = new_figure(height_mm, width_mm=width_mm)
        figure.set_dpi(PNG_DPI)  # of the images inside the SVG
        figure.set_layout_engine("none")  # it cuts off labels in three dimensions
        axes: list[Axes3D] = []
        for i, (rows, name) in enumerate(zip(what.rows, names, strict=True)):
            ax = figure.add_subplot(1, count, i + 1, projection="3d")
            top = 1.0 - LINE_MM * lines / height_mm
            ax.set_position(((i + 0.02) / count, 0.02, 0.88 / count, top - 0.02))
            axes.append(ax)
            (_surface if kind == "surface" else _lines)(ax, rows, what)
            _frame(ax, what)
            ax.set_title(name, loc="left", y=1.0, pad=2.0)
        if count > 1:
            letter_panels(axes)
        head(figure, above)
    return figure


def _frame(ax: Axes3D, what: Drawn) -> None:
    """Labels and ends of the axes: the same in all panels but for the cycles."""
    from matplotlib.ticker import MaxNLocator

    cycles = np.concatenate([r.cycle_count for r in what.rows])
    first, last = float(cycles.min()), float(cycles.max())
    ax.set_xlabel(what.along)
    ax.set_ylabel("Cycle")
    ax.set_zlabel(what.label)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.labelpad = LABEL_PAD_POINTS
    ax.tick_params(pad=TICK_PAD_POINTS)
    ax.set_xlim(*what.range_volt)
    ax.set_ylim(first - (first == last), last + (first == last))
    ax.set_zlim(what.low, what.top)
    most = 5 if len(what.rows) < MOST_PANELS else 3
    ax.xaxis.set_major_locator(MaxNLocator(most))
    ax.yaxis.set_major_locator(MaxNLocator(most, integer=True))
    ax.zaxis.set_major_locator(MaxNLocator(most))
    ax.view_init(*VIEW)
    ax.set_box_aspect((1.2, 1.2, 0.8), zoom=ZOOM[len(what.rows)])  # pyright: ignore[reportArgumentType]


def _surface(ax: Axes3D, rows: Rows, what: Drawn) -> None:
    """A surface per stretch of cycles without a gap; a lone cycle is a line."""
    low, high = what.range_volt
    inside = (rows.voltage_volt >= low) & (rows.voltage_volt <= high)
    bins = np.flatnonzero(inside)  # 3-D axes do not clip: it would hide the ticks
    bins = bins[thinned(bins.size, MOST_BINS)]
    for stretch in stretches(rows):
        at = stretch[thinned(stretch.size, MOST_CYCLES)]
        z = _closed(rows.height[at][:, bins], what.top)
        x, y = rows.voltage_volt[bins], rows.cycle_count[at].astype(np.float64)
        if at.size == 1:
            ax.plot(x, np.full(x.size, y[0]), z[0], color="black", linewidth=0.8)
            continue
        surface = ax.plot_surface(
            *np.meshgrid(x, y),
            z,
            cmap=MAP,
            vmin=0.0,
            vmax=what.top,
            rstride=1,
            cstride=1,
            linewidth=0.0,
            antialiased=False,
        )
        surface.set_rasterized(True)  # ten thousands of facets: an image in the SVG


def _lines(ax: Axes3D, rows: Rows, what: Drawn) -> None:
    """Lines from the last cycle to the first, so that earlier ones are in front."""
    numbers = sorted({int(c) for r in what.rows for c in r.cycle_count})
    shade = cycle_colours(numbers)
    for at in thinned(rows.cycle_count.size, MOST_LINES)[::-1]:
        cycle = int(rows.cycle_count[at])
        known = np.isfinite(rows.height[at])
        x = rows.voltage_volt[known]
        ax.plot(
            x,
            np.full(x.size, float(cycle)),
            np.minimum(rows.height[at][known], what.top),
            color=shade[cycle],
            linewidth=0.8,
            label=f"cycle {cycle}",
        )


def stretches(rows: Rows) -> list[NDArray[np.int64]]:
    """Rows of successive cycles, split where cycles are missing."""
    filled = np.array(spaced(rows.cycle_count.astype(np.float64))[1])
    parts = np.split(filled, np.flatnonzero(filled < 0))
    return [part[part >= 0] for part in parts]


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """Indices, at most so many, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _closed(height: Array, top: float) -> Array:
    """Cut off at the scale, and down to zero where a half-cycle was not."""
    return np.where(np.isfinite(height), np.minimum(height, top), 0.0)
