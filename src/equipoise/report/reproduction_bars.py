"""Bars of R_int and R_ct over all draws, with the printed numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from equipoise.viz.cycling_axes import legend_below
from equipoise.viz.style import BLACK, cell_colours, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.study.zhang2026.reproduce import Row

BARS = {"HB": ("E1", "E2"), "LB": ("P7", "P8")}
"""Rows of R_int and R_ct after cycle 290."""
RANGES = (
    "$R_\\mathrm{int}$\n10 µs to 10 ms",
    "$R_\\mathrm{ct}$\n10 ms to 1 s",
)
WIDTH = 0.36


def resistance_rows_figure(rows: Sequence[Row]) -> Figure:
    """Draw medians with the intervals of all draws; diamonds: printed (HB only)."""
    by_id = {r.id: r for r in rows}
    colours = cell_colours(BARS)
    with style():
        figure = new_figure(66.0, width_mm=88.0)
        ax = figure.subplots()
        for i, (cell, names) in enumerate(BARS.items()):
            found = [by_id[n] for n in names]
            at = [k + (i - 0.5) * WIDTH for k in range(len(found))]
            _bars(ax, at, found, cell, colours[cell])
        ax.set_xticks(range(len(RANGES)), RANGES)
        for label in ax.get_xticklabels():
            label.set_parse_math(True)
        ax.tick_params(axis="x", length=0)
        ax.set_ylabel("Resistance / Ω cm²")
        ax.set_ylim(bottom=0.0)
        ax.margins(y=0.12)
        legend_below(figure, ax.get_legend_handles_labels()[0])
    return figure


def _bars(
    ax: Axes, at: Sequence[float], rows: Sequence[Row], cell: str, colour: str
) -> None:
    """Both bars of a cell, whiskers, values, printed numbers."""
    middle = [r.computed or 0.0 for r in rows]
    role = rows[0].role
    ax.bar(at, middle, 0.92 * WIDTH, color=colour, alpha=0.75, label=f"{cell}, {role}")
    tops = [
        r.high if r.high is not None else m for r, m in zip(rows, middle, strict=True)
    ]
    lows = [
        r.low if r.low is not None else m for r, m in zip(rows, middle, strict=True)
    ]
    below = [m - v for m, v in zip(middle, lows, strict=True)]
    above = [v - m for m, v in zip(middle, tops, strict=True)]
    ax.errorbar(
        at, middle, yerr=[below, above], fmt="none", ecolor=BLACK, elinewidth=0.9,
        capsize=2.5,
    )  # fmt: skip
    for x, value, top in zip(at, middle, tops, strict=True):
        ax.annotate(
            f"{value:.1f}", (x, top), (0.0, 2.0), textcoords="offset points",
            ha="center", va="bottom", fontsize=6.5,
        )  # fmt: skip
    printed = [(x, r.printed) for x, r in zip(at, rows, strict=True)]
    known = [(x, p) for x, p in printed if p is not None]
    if known:
        ax.plot(
            *zip(*known, strict=True), "D", color=colour, markeredgecolor=BLACK,
            markersize=4.5, label=f"{cell}, printed (calibrated on)",
        )  # fmt: skip
