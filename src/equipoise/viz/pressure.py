"""Stack pressure of simulated cells against time, under their voltage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.sim.pressure import pressure_amplitudes
from equipoise.viz.labels import axis_label, floats, signed
from equipoise.viz.simulation_axes import head
from equipoise.viz.style import (
    CELL_COLOUR,
    GREY,
    VERMILLION,
    cell_colours,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

SECOND_PER_HOUR = 3600.0
MOST_CELLS = 3
"""Side by side; more would be too narrow to read."""
BAND_ALPHA = 0.18


def pressure_evolution(tables: Mapping[str, pl.DataFrame]) -> Figure:
    """Draw voltage and change of the stack pressure, a column per cell.

    Shaded: what all volume data and all ranges of the frame allow. Dotted: highest and
    lowest pressure of the last cycle that was charged and discharged, as zhang2026
    draws in Fig. 3a and b, with its peak-to-peak change.

    Parameters
    ----------
    tables
        Label of each cell -> its table from `sim.pressure.pressure_trace`.

    Raises
    ------
    SpecError
        If there is no table, or more than three.
    DataError
        If a table lacks a column.
    """
    if not 1 <= len(tables) <= MOST_CELLS:
        raise SpecError(
            f"{len(tables)} cells cannot be drawn side by side, 1 to {MOST_CELLS} can",
            where="figure of the stack pressure",
            remedy="pass a table per cell; draw several figures of many",
        )
    colours = cell_colours(tables)
    with style():
        figure = new_figure(100.0)
        axes = figure.subplots(
            2,
            len(tables),
            squeeze=False,
            sharex="all",
            sharey="row",
            height_ratios=[0.8, 1.0],
        )
        for column, (label, table) in zip(axes.T, tables.items(), strict=True):
            _draw(column[0], column[1], table, colours[label])
            column[0].set_title(label)
            column[1].set_xlabel("Test time / h")
        axes[0, 0].set_xlim(*_hours(tables))
        axes[0, 0].set_ylabel(axis_label("voltage_volt"))
        axes[1, 0].set_ylabel("Pressure change / MPa")
        letter_panels(axes[0])
        head(figure, "Simulated stack pressure, elastic read-out")
        figure.align_ylabels(axes[:, 0])
    return figure


def _hours(tables: Mapping[str, pl.DataFrame]) -> tuple[float, float]:
    """First and last hour of all tables."""
    seconds = [
        floats(t, "test_time_second", "pressure_evolution") for t in tables.values()
    ]
    begin, end = min(s.min() for s in seconds), max(s.max() for s in seconds)
    return float(begin) / SECOND_PER_HOUR, float(end) / SECOND_PER_HOUR


def _draw(top: Axes, bottom: Axes, table: pl.DataFrame, colour: str) -> None:
    """Fill one column; lines break where cycles were not traced."""
    who = "pressure_evolution"
    hour = floats(table, "test_time_second", who) / SECOND_PER_HOUR
    cycle = floats(table, "cycle_count", who)
    gaps = np.flatnonzero(np.diff(cycle) > 1.0) + 1

    def broken(name: str) -> Array:
        return np.insert(floats(table, name, who), gaps, np.nan)

    time = np.insert(hour, gaps, np.nan)
    top.plot(time, broken("voltage_volt"), color=CELL_COLOUR, linewidth=1.0)
    bottom.axhline(0.0, color=GREY, linewidth=0.5)
    bottom.fill_between(
        time,
        broken("pressure_change_low_mpa"),
        broken("pressure_change_high_mpa"),
        color=colour,
        alpha=BAND_ALPHA,
        linewidth=0,
    )
    bottom.plot(time, broken("pressure_change_mpa"), color=colour, linewidth=1.2)
    _write_amplitude(bottom, table)


def _write_amplitude(ax: Axes, table: pl.DataFrame) -> None:
    """Two dotted lines, and the last whole cycle's change between them."""
    rows = [
        row
        for row in pressure_amplitudes(table).to_dicts()
        if np.isfinite(row["charge_pressure_change_mpa"])
        and np.isfinite(row["discharge_pressure_change_mpa"])
    ]
    if not rows:
        return
    last = rows[-1]
    cycle = floats(table, "cycle_count", "pressure_evolution")
    change = floats(table, "pressure_change_mpa", "pressure_evolution")
    here = change[cycle == last["cycle_count"]]
    for level in (float(here.max()), float(here.min())):
        ax.axhline(level, color=VERMILLION, linestyle=":", linewidth=1.0)
    low, high = (signed(last[f"peak_to_peak_{e}_mpa"], ".2f") for e in ("low", "high"))
    ax.set_title(
        f"cycle {last['cycle_count']}, peak to peak: "
        f"{last['peak_to_peak_mpa']:.2f} MPa ({low} to {high})",
        fontsize=7.0,
        fontweight="normal",
        color=VERMILLION,
    )
