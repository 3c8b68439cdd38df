"""Contour maps over the n/p ratio and the upper cut-off voltage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.core.units import unit_symbol
from equipoise.viz.labels import axis_label, floats, quantity, signed
from equipoise.viz.style import cell_colours, letter_panels, new_figure, style

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

QUANTITIES = (
    "first_charge_mah_per_g_positive",
    "upper_potential_vs_li_volt",
    "compensation_fraction",
    "volume_change_percent",
)
EXTRAPOLATED_SHARE = 0.01
"""Of the first charge: beyond it a cell is hatched."""
LEVELS = 10
EDGE_SHARE = 0.045
"""Of the axes: labels nearer to the frame would be cut off."""
CLEAR_SHARE = 0.09
"""Of the axes: labels nearer to a marked cell or another label would hide it."""
PALENESS = 0.5
FLAT_SHARE = 1e-4
"""A quantity that varies less, relative to itself or to 1, has no contours."""
LABEL_SHARE = 0.4
"""Of the free length of a contour: where its label goes."""
UNREACHED = "#C8C8C8"


class _Grid(NamedTuple):
    ratio: Array
    volt: Array
    shape: tuple[int, int]


def voltage_map_figure(
    table: pl.DataFrame,
    *,
    quantities: Sequence[str] = QUANTITIES,
    marked: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Draw contour maps of a table of `design.np_voltage_map`.

    Cells whose curves are used beyond the measured range by more than 1 % of the
    charge are hatched; cells that do not reach a cut-off stay grey.

    Parameters
    ----------
    quantities
        Columns to draw, one panel each; those the table lacks are left out.
    marked
        n/p ratio and upper cut-off of the cells to mark, by name.
    """
    shown = [q for q in quantities if q in table.columns]
    grid = _grid(table)
    with style():
        rows = -(-len(shown) // 2)
        figure = new_figure(20.0 + 62.0 * rows)
        axes = figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False)
        for ax, column in zip(axes.ravel(), shown, strict=False):
            _contours(ax, table, grid, column, marked or {})
            _mark(ax, marked or {})
        for ax in axes.ravel()[len(shown) :]:
            ax.set_visible(False)
        for ax in axes.ravel()[max(len(shown) - 2, 0) : len(shown)]:
            ax.set_xlabel(axis_label("np_ratio"))
            ax.tick_params(labelbottom=True)
        axes[0][0].set_xlim(grid.ratio[0], grid.ratio[-1])
        axes[0][0].set_ylim(grid.volt[0], grid.volt[-1])
        for ax in axes[:, 0]:
            ax.set_ylabel(axis_label("upper_volt"))
        letter_panels(axes.ravel()[: len(shown)])
        hatched = [_hatch(ax, table, grid) for ax in axes.ravel()[: len(shown)]]
        _legend(figure, table, marked or {}, hatched=any(hatched))
    return figure


def _grid(table: pl.DataFrame) -> _Grid:
    ratio = np.unique(floats(table, "np_ratio", "voltage_map_figure"))
    volt = np.unique(floats(table, "upper_volt", "voltage_map_figure"))
    if ratio.size * volt.size != table.height or min(ratio.size, volt.size) < 2:
        raise DataError(
            f"{table.height} rows are not a full map of {ratio.size} n/p ratios and "
            f"{volt.size} voltages",
            where="voltage_map_figure",
            remedy="pass the table of np_voltage_map as it is",
        )
    return _Grid(ratio, volt, (ratio.size, volt.size))


def _values(table: pl.DataFrame, grid: _Grid, column: str) -> Array:
    """Values as drawn: rows are voltages, columns are ratios, gaps masked."""
    flat = floats(table.sort("np_ratio", "upper_volt"), column, "voltage_map_figure")
    return np.ma.masked_invalid(flat.reshape(grid.shape).T)


def _pale(name: str) -> Colormap:
    """A colour map mixed with white, so that labels stand out."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    colours = mpl.colormaps[name](np.linspace(0.0, 1.0, 256))
    return ListedColormap(PALENESS + (1.0 - PALENESS) * colours[:, :3])


def _contours(
    ax: Axes,
    table: pl.DataFrame,
    grid: _Grid,
    column: str,
    marked: Mapping[str, tuple[float, float]],
) -> None:
    from matplotlib.ticker import MaxNLocator

    values, pale = _values(table, grid, column), _pale("viridis")
    unit = unit_symbol(column)
    ax.set_title(f"{quantity(column)} / {unit}" if unit else quantity(column))
    ax.set_facecolor(UNREACHED)
    if not np.ma.count(values):
        return
    low, high = float(values.min()), float(values.max())
    if high - low < FLAT_SHARE * max(abs(low), abs(high), 1.0):
        ax.pcolormesh(grid.ratio, grid.volt, 0.0 * values, cmap=pale, vmin=-1, vmax=1)
        ax.set_title(f"{ax.get_title(loc='left')}: {signed(low, '.3g')} everywhere")
        return
    levels = MaxNLocator(LEVELS, steps=[1, 2, 5, 10]).tick_values(low, high)
    digits = max(0, math.ceil(-math.log10(levels[1] - levels[0]) - 1e-9))
    ax.contourf(grid.ratio, grid.volt, values, levels, cmap=pale)
    lines = ax.contour(
        grid.ratio,
        grid.volt,
        values,
        levels,
        colors="#202020",
        linewidths=0.7,
        negative_linestyles="solid",
    )
    labels = ax.clabel(
        lines,
        fmt={level: signed(level, f".{digits}f") for level in levels},
        fontsize=7.0,
        inline=False,
        manual=_label_places(ax, lines.allsegs, marked),
    )
    for text in labels:
        text.set_bbox({"facecolor": "white", "alpha": 0.8, "pad": 0.8, "linewidth": 0})


def _label_places(
    ax: Axes,
    lines: Sequence[Sequence[Array]],
    marked: Mapping[str, tuple[float, float]],
) -> list[tuple[float, float]]:
    """One place per contour: inside the frame, clear of cells and other labels."""
    ends = np.array([ax.get_xlim(), ax.get_ylim()])
    low, span = ends[:, 0], ends[:, 1] - ends[:, 0]
    taken = [(np.array(m) - low) / span for m in marked.values()]
    places: list[tuple[float, float]] = []
    for pieces in lines:
        if not pieces:
            continue
        points = (max(pieces, key=len) - low) / span
        gap = np.min(np.minimum(points, 1.0 - points), axis=1)
        free = gap > EDGE_SHARE
        for other in taken:
            free &= np.hypot(*(points - other).T) > CLEAR_SHARE
        at = np.flatnonzero(free)
        if at.size:
            chosen = points[at[int(LABEL_SHARE * (at.size - 1))]]
            taken.append(chosen)
            x, y = chosen * span + low
            places.append((float(x), float(y)))
    return places


def _hatch(ax: Axes, table: pl.DataFrame, grid: _Grid) -> bool:
    beyond = _values(table, grid, "extrapolated_mah_per_g_positive")
    charge = _values(table, grid, "first_charge_mah_per_g_positive")
    share = beyond / charge
    if not np.ma.count(share) or float(share.max()) <= EXTRAPOLATED_SHARE:
        return False
    ax.contourf(
        grid.ratio,
        grid.volt,
        share,
        [EXTRAPOLATED_SHARE, np.inf],
        colors="none",
        hatches=["////"],
    )
    return True


def _mark(ax: Axes, marked: Mapping[str, tuple[float, float]]) -> None:
    colours = cell_colours(marked)
    for name, (ratio, volt) in marked.items():
        ax.plot(
            [ratio],
            [volt],
            "o",
            color=colours[name],
            markeredgecolor="white",
            markersize=7.0,
            markeredgewidth=1.0,
            label=name,
        )


def _legend(
    figure: Figure,
    table: pl.DataFrame,
    marked: Mapping[str, tuple[float, float]],
    *,
    hatched: bool,
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    colours = cell_colours(marked)
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            color=colours[n],
            marker="o",
            linestyle="none",
            markersize=7.0,
            label=f"{n}, n/p {b:.3g}, {v:.2f} V",
        )
        for n, (b, v) in marked.items()
    ]
    if hatched:
        handles.append(
            Patch(
                facecolor="white",
                edgecolor="#202020",
                hatch="////",
                linewidth=0.5,
                label="extrapolated: beyond the half-cell data by > 1 % of the charge",
            )
        )
    if table["first_charge_mah_per_g_positive"].null_count():
        handles.append(Patch(color=UNREACHED, label="cut-off not reached"))
    if handles:
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(len(handles), 3)
        )
