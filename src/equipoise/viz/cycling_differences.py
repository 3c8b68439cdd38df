"""Difference of two groups of cells with its interval, cycle by cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.core.units import unit_symbol
from equipoise.viz.cycling_axes import (
    counted,
    cycle_axis,
    legend_below,
    marker_size,
    remark,
    robust_limits,
    wrapped,
)
from equipoise.viz.labels import MINUS, floats, quantity
from equipoise.viz.style import BLACK, GREY, VERMILLION, new_figure, style

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

AXES = {
    "ageing_cycle_count": "Cycles since the reference cycle",
    "cycle_count": "Cycle",
}
PANEL_MM = 150.0
LONGEST_LABEL = 40
"""Letters of a line beside the axis."""
FEW = 40
"""Cycles up to which each has an error bar of its own, not a band."""
LEAST_SHARE = 1e-3
"""Of the largest difference: smallest height of the axis."""


def differences(
    comparison: pl.DataFrame,
    *,
    names: tuple[str, str] = ("A", "B"),
    confidence_fraction: float = 0.95,
) -> Figure:
    """Draw the difference of the means of two groups, first minus second.

    Parameters
    ----------
    comparison
        From `analysis.replicates.paired_comparison`; with `between` its one row is
        drawn over the range of cycles that it is the mean of.
    names
        Of the two groups.
    confidence_fraction
        What the interval was computed with; the table does not say.

    Raises
    ------
    DataError
        If the table is no comparison, or has no difference to draw.
    """
    column = _quantity(comparison)
    scale = 100.0 if not unit_symbol(column) else 1.0
    x, begin, end = _cycles(comparison)
    y, low, high = (
        scale * floats(comparison, f"{p}difference_{column}", "differences")
        for p in ("", "low_", "high_")
    )
    if not np.isfinite(y).any():
        raise DataError(
            "no cycle has a difference to draw",
            where="differences",
            remedy="the groups need cycles in common, see paired_comparison",
        )
    with style():
        figure = new_figure(74.0, width_mm=150.0)
        ax = figure.subplots()
        ax.axhline(0.0, color=BLACK, linewidth=0.7, zorder=1.5)
        size = marker_size(float(x.size), PANEL_MM)
        _draw_interval(ax, x, low, high)
        ax.hlines(y, begin, end, color=VERMILLION, linewidth=1.2, label="_range")
        ax.plot(
            x, y, color=VERMILLION, marker="o", markersize=size, lw=1.0,
            markeredgewidth=0.0, zorder=3.0, label="_difference",
        )  # fmt: skip
        _fit(ax, y, low, high)
        cycle_axis([ax], float(begin.min()), float(end.max()))
        align = next((a for a in AXES if a in comparison.columns), "ageing_cycle_count")
        ax.set_xlabel(AXES[align])
        unit = unit_symbol(column) or "percentage points"
        what = wrapped(f"{names[0]} {MINUS} {names[1]} / {unit}", LONGEST_LABEL)
        ax.set_ylabel(f"{_name(column)}\n{what}")
        legend_below(figure, _handles(comparison, names, confidence_fraction, low))
    return figure


def _quantity(comparison: pl.DataFrame) -> str:
    """Column that was compared."""
    found = [c for c in comparison.columns if c.startswith("difference_")]
    if len(found) != 1 or comparison.height == 0:
        what = "no rows" if found else "no column difference_..."
        raise DataError(
            f"the comparison has {what}",
            where="differences",
            remedy="give the table of analysis.replicates.paired_comparison",
        )
    return found[0].removeprefix("difference_")


def _name(column: str) -> str:
    text = quantity(column).replace("Discharging", "Discharge")
    return text.replace("Charging", "Charge")


def _cycles(comparison: pl.DataFrame) -> tuple[Array, Array, Array]:
    """Where to draw each row, and the first and last cycle it stands for."""
    align = next((a for a in AXES if a in comparison.columns), None)
    if align is not None:
        x = floats(comparison, align, "differences")
        return x, x, x
    begin = floats(comparison, "first_cycle_count", "differences")
    end = floats(comparison, "last_cycle_count", "differences")
    return 0.5 * (begin + end), begin, end


def _draw_interval(ax: Axes, x: Array, low: Array, high: Array) -> None:
    """Bars for a few cycles, a band for many."""
    if x.size <= FEW:
        ax.vlines(x, low, high, color=GREY, linewidth=1.2, label="_interval")
        return
    ax.fill_between(x, low, high, color=GREY, alpha=0.3, linewidth=0, label="_interval")


def _fit(ax: Axes, y: Array, low: Array, high: Array) -> None:
    """Show zero and the ordinary intervals; count those that leave the frame."""
    ends = np.concatenate([y, low, high])
    known = ends[np.isfinite(ends)]
    least = max(LEAST_SHARE * float(np.abs(known).max()), 1e-9)
    bottom, top = robust_limits(known, least=least)
    bottom = min(bottom, float(np.nanmin(y)), 0.0)
    top = max(top, float(np.nanmax(y)), 0.0)
    room = 0.04 * (top - bottom)
    ax.set_ylim(bottom - room, top + room)
    beyond = int(((low < bottom - room) | (high > top + room)).sum())
    if beyond:
        remark(ax, f"{counted(beyond, 'interval')} beyond the frame")


def _handles(
    comparison: pl.DataFrame,
    names: tuple[str, str],
    confidence_fraction: float,
    low: Array,
) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    n = [_number(comparison, f"{g}_cells_count") for g in ("a", "b")]
    cells = " and ".join(f"{name} (n = {k})" for name, k in zip(names, n, strict=True))
    handles: list[Artist] = [
        Line2D([], [], color=VERMILLION, marker="o", ms=3.5, label=f"mean of {cells}")
    ]
    if np.isfinite(low).any():
        text = f"{100.0 * confidence_fraction:g} % interval of each cycle (Welch)"
    else:
        text = "no interval: a group has one cell, or none has any spread"
    handles.append(Patch(color=GREY, alpha=0.3, linewidth=0, label=text))
    return handles


def _number(comparison: pl.DataFrame, column: str) -> str:
    """Cells of a group: one number, or from the fewest to the most."""
    if column not in comparison.columns:
        return "not known"
    values = floats(comparison, column, "differences")
    low, high = int(values.min()), int(values.max())
    return f"{low}" if low == high else f"{low} to {high}"
