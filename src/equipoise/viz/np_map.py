"""What the n/p ratio, and the upper cut-off voltage, do to the cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.style import (
    BLACK,
    GREY,
    cell_colours,
    dash,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

PANELS = (
    ("First cycle", "Capacity / mAh g⁻¹"),
    ("Upper potential (UP)", "upper_potential_vs_li_volt"),
    ("H2-H3 usage", "h2h3_usage_mah_per_g_positive"),
    ("Volume of the positive", "volume_change_percent"),
    ("Compensation", "compensation_fraction"),
    ("Energy of the stack", "energy_wh_per_kg_stack"),
)
BAND = "#D9D9D9"
CAPACITIES = (
    "first_charge_mah_per_g_positive",
    "first_discharge_mah_per_g_positive",
)


def np_map_figure(
    table: pl.DataFrame,
    *,
    marked: Mapping[str, float],
    bands: Sequence[pl.DataFrame] = (),
) -> Figure:
    """Draw a map over n/p (`design.np_map`): six quantities on one axis.

    Parameters
    ----------
    table
        Rows sorted by `np_ratio`; a fine grid draws smooth lines.
    marked
        n/p ratio of the cells to mark, by name.
    bands
        The same map under other readings of the half-cell curves: the range of all
        readings is shaded.
    """
    with style():
        figure = new_figure(112.0)
        axes = figure.subplots(2, 3, sharex=True)
        ratio = floats(table, "np_ratio", "np_map_figure")
        for ax, (title, column) in zip(axes.ravel(), PANELS, strict=True):
            ax.set_title(title)
            _panel(ax, table, bands, column)
            _mark(ax, ratio, marked)
        for ax in axes[1]:
            ax.set_xlabel(axis_label("np_ratio"))
        axes[0][0].set_xlim(float(ratio.min()), float(ratio.max()))
        axes[1][1].set_ylim(-0.03, 1.03)
        letter_panels(axes.ravel())
        _legend(figure, marked, table, has_band=bool(bands))
    return figure


def _panel(
    ax: Axes, table: pl.DataFrame, bands: Sequence[pl.DataFrame], column: str
) -> None:
    ratio = floats(table, "np_ratio", "np_map_figure")
    columns = CAPACITIES if column.startswith("Capacity") else (column,)
    ax.set_ylabel(column if len(columns) > 1 else axis_label(column))
    if columns[0] not in table.columns:
        ax.text(0.5, 0.5, "no data", transform=ax.transAxes, ha="center", color=GREY)
        ax.set_yticks([])
        return
    for i, name in enumerate(columns):
        low, high = _range([table, *bands], name)
        ax.fill_between(ratio, low, high, color=BAND, linewidth=0)
        y = floats(table, name, "np_map_figure")
        ax.plot(
            ratio, y, color=BLACK, linestyle=dash(i), label=("charge", "discharge")[i]
        )
    if len(columns) > 1:
        ax.legend(loc="best", frameon=True, edgecolor="none", framealpha=1.0)


def _range(readings: Sequence[pl.DataFrame], column: str) -> tuple[Array, Array]:
    """Lowest and highest value of all readings of the data, at each ratio."""
    names = (column, column)
    if column == "volume_change_percent":
        names = ("volume_change_low_percent", "volume_change_high_percent")
    low, high = ([floats(t, name, "np_map_figure") for t in readings] for name in names)
    return np.fmin.reduce(low), np.fmax.reduce(high)


def _mark(ax: Axes, ratio: Array, marked: Mapping[str, float]) -> None:
    colours = cell_colours(marked)
    for name, at in marked.items():
        ax.axvline(at, color=colours[name], linewidth=0.9, zorder=0)
        for line in [x for x in ax.get_lines() if np.size(x.get_xdata()) == ratio.size]:
            y = float(np.interp(at, ratio, np.asarray(line.get_ydata())))
            ax.plot([at], [y], "o", color=colours[name], label=f"_{name}")


def _legend(
    figure: Figure, marked: Mapping[str, float], table: pl.DataFrame, *, has_band: bool
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
            linewidth=0.9,
            label=f"{n}, n/p {b:.3g}",
        )
        for n, b in marked.items()
    ]
    low = "volume_change_low_percent"
    if has_band or (
        low in table.columns
        and not table[low].equals(table["volume_change_high_percent"])
    ):
        handles.append(Patch(color=BAND, label="range over readings of the data"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
