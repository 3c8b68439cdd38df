"""What the low-balanced cell holds back: answers to a loss of active positive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.style import (
    BLACK,
    GREY,
    cell_colours,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

COLUMNS = (
    "charge_change_percent",
    "upper_potential_vs_li_volt",
    "compensation_fraction",
)
CLIMB_VOLT = 0.01
"""A rise of the upper potential that is worth the letters O and F (Fig. 7)."""
DROPS = (1.0, 5.0)
"""Losses of charge, percent, at which the reserve is marked."""


def reserve_figure(losses: Mapping[str, pl.DataFrame]) -> Figure:
    """Draw charge kept, upper potential and compensation against the lost positive.

    Parameters
    ----------
    losses
        Table of each cell from `design.compensation_by_loss`, losses rising from 0.
    """
    with style():
        figure = new_figure(76.0)
        axes = figure.subplots(1, 3)
        kept, upper, kappa = axes
        colours = cell_colours(losses)
        widest = max(float(_lost(t)[-1]) for t in losses.values())
        kept.plot(
            [0.0, widest],
            [100.0, 100.0 - widest],
            color=BLACK,
            linewidth=0.9,
            linestyle=(0, (4, 2)),
            label="lost charged: no compensation",
            zorder=5,
        )
        for name, table in losses.items():
            for ax, column in zip(axes, COLUMNS, strict=True):
                y = floats(table, column, "reserve_figure")
                y = y + 100.0 if column.endswith("_percent") else y
                ax.plot(_lost(table), y, color=colours[name], label=name)
        _letters(upper, losses, colours)
        for ax, column in zip(axes, COLUMNS, strict=True):
            kept_label = column.endswith("_percent")
            ax.set_ylabel("Charge kept / %" if kept_label else axis_label(column))
            ax.set_xlabel("Lost active positive / %")
            ax.set_xlim(0.0, widest)
        _drops(kept, losses, colours)
        kept.set_ylim(top=101.5)
        kept.set_title("Charge")
        upper.set_title("Upper potential (UP)")
        kappa.set_title("Compensation")
        kappa.set_ylim(-0.03, 1.03)
        letter_panels(axes)
        _legend(figure, losses, colours)
    return figure


def _lost(table: pl.DataFrame) -> Array:
    return 100.0 * floats(table, "loss_fraction", "reserve_figure")


def _letters(
    ax: Axes, losses: Mapping[str, pl.DataFrame], colours: Mapping[str, str]
) -> None:
    """Write O and F (Fig. 7) at the ends of the line that climbs most."""
    lines = {
        n: floats(t, "upper_potential_vs_li_volt", "reserve_figure")
        for n, t in losses.items()
    }
    name = max(lines, key=lambda n: float(np.ptp(lines[n])))
    lost, upper = _lost(losses[name]), lines[name]
    if float(np.ptp(upper)) < CLIMB_VOLT:
        return
    for where, letter, offset in ((0, "O", (8, -4)), (-1, "F", (-3, -13))):
        ax.plot([lost[where]], [upper[where]], "o", color=colours[name], clip_on=False)
        ax.annotate(
            letter,
            (lost[where], upper[where]),
            xytext=offset,
            textcoords="offset points",
            ha="center",
            color=colours[name],
            weight="bold",
        )


def _drops(
    ax: Axes, losses: Mapping[str, pl.DataFrame], colours: Mapping[str, str]
) -> None:
    """Mark where the charge has dropped by 1 % and 5 %, and write the losses below."""
    written: dict[str, list[str]] = {name: [] for name in losses}
    for drop, marker, symbol in zip(DROPS, ("o", "s"), "○□", strict=True):
        level = 100.0 - drop
        found = {n: _first_below(_lost(t), _kept(t), level) for n, t in losses.items()}
        reached = {n: at for n, at in found.items() if at is not None}
        for name, at in reached.items():
            (dot,) = ax.plot([at], [level], marker, color=colours[name], zorder=6)
            dot.set_markerfacecolor("white")
            written[name].append(f"{symbol} {at:.1f} %")
    for row, (name, texts) in enumerate(reversed(written.items())):
        ax.annotate(
            "   ".join(texts),
            (0.0, 0.0),
            xycoords="axes fraction",
            xytext=(5, 5 + 10 * row),
            textcoords="offset points",
            color=colours[name],
            fontsize=7.0,
            weight="bold",
        )


def _legend(
    figure: Figure, losses: Mapping[str, pl.DataFrame], colours: Mapping[str, str]
) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colours[n], label=n) for n in losses]
    handles.append(
        Line2D(
            [],
            [],
            color=BLACK,
            linewidth=0.9,
            linestyle=(0, (4, 2)),
            label="lost charged: no compensation",
        )
    )
    for drop, marker in zip(DROPS, ("o", "s"), strict=True):
        handles.append(
            Line2D(
                [],
                [],
                color=GREY,
                marker=marker,
                linestyle="none",
                markerfacecolor="white",
                label=f"loss tolerated for {drop:.0f} % less charge",
            )
        )
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=3,
        columnspacing=1.4,
    )


def _kept(table: pl.DataFrame) -> Array:
    return 100.0 + floats(table, "charge_change_percent", "reserve_figure")


def _first_below(lost: Array, kept: Array, level: float) -> float | None:
    below = np.flatnonzero(kept < level)
    if below.size == 0 or below[0] == 0:
        return None
    i = int(below[0])
    t = (kept[i - 1] - level) / (kept[i - 1] - kept[i])
    return float(lost[i - 1] + t * (lost[i] - lost[i - 1]))
