"""dQ/dV of the cell and of each electrode on one axis, to attribute each peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.style import (
    CELL_COLOUR,
    NEGATIVE_COLOUR,
    POSITIVE_COLOUR,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

LINES = (
    ("positive_dqdv_mah_per_g_per_volt", "positive", POSITIVE_COLOUR, 2.4),
    ("negative_dqdv_mah_per_g_per_volt", "negative", NEGATIVE_COLOUR, 1.5),
    ("dqdv_mah_per_g_per_volt", "cell", CELL_COLOUR, 1.2),
)
SKIPPED_FRACTION = 0.02
"""First share of the charge left out of the axis: a steep start, without peaks."""
HEADROOM = 1.3


def dqdv_figure(profiles: Mapping[str, pl.DataFrame]) -> Figure:
    """Draw dQ/dV against the cell voltage, and what share of dV/dQ each electrode has.

    ``1 / dQdV(cell) = 1 / dQdV(positive) + 1 / dQdV(negative)``: the electrode with
    the smaller dQ/dV shapes the cell. A plateau has an infinite one and is clipped.

    Parameters
    ----------
    profiles
        Charge or discharge of each cell (`design.profiles`), one column each.
    """
    with style():
        figure = new_figure(105.0)
        axes = figure.subplots(
            2,
            len(profiles),
            sharex=True,
            sharey="row",
            squeeze=False,
            height_ratios=(1.6, 1.0),
        )
        tops: list[float] = []
        starts: list[float] = []
        highest = max(float(t["voltage_volt"].max()) for t in profiles.values())  # pyright: ignore[reportArgumentType]
        for (name, table), (upper, lower) in zip(profiles.items(), axes.T, strict=True):
            top, start = _column(upper, lower, table)
            tops.append(top)
            starts.append(start)
            upper.set_title(name)
            lower.set_xlabel(axis_label("voltage_volt"))
        axes[0][0].set_ylim(0.0, HEADROOM * max(tops))
        axes[0][0].set_xlim(min(starts), highest + 0.01)
        axes[1][0].set_ylim(0.0, 1.0)
        axes[0][0].set_ylabel(axis_label("dqdv_mah_per_g_per_volt"))
        axes[1][0].set_ylabel("Share of dV/dQ")
        letter_panels(axes.ravel())
        lines, areas = (ax.get_legend_handles_labels()[0] for ax in axes[:, 0])
        figure.legend(handles=lines + areas, loc="outside lower center", ncols=5)
    return figure


def _column(upper: Axes, lower: Axes, table: pl.DataFrame) -> tuple[float, float]:
    """Draw one cell; return its highest cell dQ/dV and where the axis starts."""
    volt = floats(table, "voltage_volt", "dqdv_figure")
    q = floats(table, "passed_capacity_mah_per_g_positive", "dqdv_figure")
    cell = floats(table, "dqdv_mah_per_g_per_volt", "dqdv_figure")
    lithiation = floats(table, "negative_lithiation_fraction", "dqdv_figure")
    shown = (q >= SKIPPED_FRACTION * q[-1]) & (lithiation >= 0.0)
    top = float(np.nanmax(cell[shown]))
    for column, label, colour, width in LINES:
        y = floats(table, column, "dqdv_figure")
        # Far above the frame instead of infinite: the line leaves at the top.
        y = np.minimum(y, 10.0 * top)
        upper.plot(volt, y, color=colour, linewidth=width, label=label)
    share = floats(table, "compensation_fraction", "dqdv_figure")
    lower.fill_between(
        volt,
        share,
        1.0,
        color=POSITIVE_COLOUR,
        alpha=0.35,
        linewidth=0,
        label="share of positive",
    )
    lower.fill_between(
        volt,
        0.0,
        share,
        color=NEGATIVE_COLOUR,
        alpha=0.6,
        linewidth=0,
        label="share of negative (κ)",
    )
    return top, float(np.min(volt[shown]))
