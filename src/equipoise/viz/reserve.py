"""What the low-balanced cell holds back: answers to a loss of active positive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.style import (
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
        figure = new_figure(72.0)
        axes = figure.subplots(1, 3)
        kept, upper, kappa = axes
        colours = cell_colours(losses)
        widest = max(float(_lost(t)[-1]) for t in losses.values())
        kept.plot(
            [0.0, widest], [100.0, 100.0 - widest], color=GREY, linewidth=0.9,
            linestyle=(0, (4, 2)), label="no compensation",
        )
        for name, table in losses.items():
            _cell(axes, name, table, colours[name])
        for ax, label in (
            (kept, "Charge kept / %"),
            (upper, axis_label("upper_potential_vs_li_volt")),
            (kappa, axis_label("compensation_fraction")),
        ):
            ax.set_ylabel(label)
            ax.set_xlabel("Lost active positive / %")
            ax.set_xlim(0.0, widest)
        _drops(kept, losses, colours)
        kept.set_title("Charge")
        upper.set_title("UP, line O to F")
        kappa.set_title("Compensation")
        kappa.set_ylim(-0.03, 1.03)
        letter_panels(axes)
    return figure


def _lost(table: pl.DataFrame) -> Array:
    return 100.0 * floats(table, "loss_fraction", "reserve_figure")


def _cell(axes: NDArray[np.object_], name: str, table: pl.DataFrame, colour: str) -> None:
    lost = _lost(table)
    change = floats(table, "charge_change_percent", "reserve_figure")
    upper = floats(table, "upper_potential_vs_li_volt", "reserve_figure")
    kappa = floats(table, "compensation_fraction", "reserve_figure")
    for ax, y in zip(axes, (100.0 + change, upper, kappa), strict=True):
        ax.plot(lost, y, color=colour, label=name)
    for where, letter in ((0, "O"), (-1, "F")):
        axes[1].plot([lost[where]], [upper[where]], "o", color=colour, clip_on=False)
        if float(np.ptp(upper)) > 0.01:
            axes[1].annotate(
                letter, (lost[where], upper[where]), xytext=(0, -11),
                textcoords="offset points", ha="center", color=colour, weight="bold",
            )


def _drops(
    ax: Axes, losses: Mapping[str, pl.DataFrame], colours: Mapping[str, str]
) -> None:
    """Mark where the charge has dropped by 1 % and 5 %, with the loss in the legend."""
    for drop, marker in zip(DROPS, ("o", "s"), strict=True):
        for name, table in losses.items():
            lost = _lost(table)
            kept = 100.0 + floats(table, "charge_change_percent", "reserve_figure")
            at = _first_below(lost, kept, 100.0 - drop)
            if at is not None:
                ax.plot(
                    [at], [100.0 - drop], marker, color=colours[name],
                    markerfacecolor="white", linestyle="none",
                    label=f"{name}: {at:.1f} % for {drop:.0f} % charge",
                )
    ax.legend(loc="lower left", fontsize=6.5)


def _first_below(lost: Array, kept: Array, level: float) -> float | None:
    below = np.flatnonzero(kept < level)
    if below.size == 0 or below[0] == 0:
        return None
    i = int(below[0])
    t = (kept[i - 1] - level) / (kept[i - 1] - kept[i])
    return float(lost[i - 1] + t * (lost[i] - lost[i - 1]))
