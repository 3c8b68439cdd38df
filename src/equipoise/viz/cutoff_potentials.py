"""End potentials of both electrodes over the cycles, as zhang2026, Fig. 6, Table S7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.three_electrode import ENDS, ThreeElectrode
from equipoise.core.errors import DataError
from equipoise.viz.cycling_axes import cycle_axis, legend_below, marker_size
from equipoise.viz.labels import LITHIUM, floats
from equipoise.viz.simulation_axes import write_rates
from equipoise.viz.style import (
    GREY,
    cell_colours,
    dash,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

PANELS = {
    ENDS[1][0]: "Positive, end of charge (UP)",
    ENDS[1][1]: "Negative, end of charge",
    ENDS[-1][0]: "Positive, end of discharge (LP)",
    ENDS[-1][1]: "Negative, end of discharge",
}
"""Column -> title, in the order of the panels."""
PANEL_MM = 76.0
TITLE_LIFT_POINTS = 20.0
"""Room for the rates under the titles."""
LEAST_SPAN_VOLT = 0.004
"""Of an axis: less is noise of a cycler."""
MARKERS = "osD^v"


def cutoff_potentials(
    cells: Mapping[str, ThreeElectrode | pl.DataFrame],
    *,
    desired_vs_li_volt: float | None = None,
    rates: pl.DataFrame | None = None,
) -> Figure:
    """Draw where each electrode stands at the end of charge and of discharge.

    Every panel has its own scale: millivolts of the positive beside the steep tail of
    the negative.

    Parameters
    ----------
    cells
        Results of `analysis.three_electrode.three_electrode`, or cycle tables of cells
        with electrode potentials, measured or simulated, by name.
    desired_vs_li_volt
        Upper potential of the positive that is wanted (DUP), such as 4.30: a line.
    rates
        Rate table of the test (`analysis.rate.rate_table`): C-rates over the panels,
        for a higher rate leaves both electrodes elsewhere.

    Raises
    ------
    DataError
        If there is no cell, or none has an end potential.
    """
    tables = {
        name: given.cycles if isinstance(given, ThreeElectrode) else given
        for name, given in cells.items()
    }
    _check(tables)
    counts = np.concatenate([floats(t, "cycle_count", n) for n, t in tables.items()])
    first, last = float(counts.min()), float(counts.max())
    colours = cell_colours(tables)
    with style():
        figure = new_figure(118.0)
        grid = figure.subplots(2, 2, sharex=True)
        axes: list[Axes] = list(grid.ravel())
        for ax, (column, title) in zip(axes, PANELS.items(), strict=True):
            for i, (name, table) in enumerate(tables.items()):
                _draw(ax, name, table, column, i, colours[name])
            ax.set_title(title)
        if desired_vs_li_volt is not None:
            axes[0].axhline(
                desired_vs_li_volt,
                color=GREY,
                linestyle=(0, (4.0, 2.5)),
                linewidth=0.9,
                label="_desired",
            )
        cycle_axis(axes, first, last)
        for ax in axes:
            _fit(ax)
        for ax in axes[2:]:
            ax.set_xlabel("Cycle")
        for ax in axes[::2]:
            ax.set_ylabel(f"Potential vs {LITHIUM} / V")
        letter_panels(axes)
        _write_rates(axes, rates)
        legend_below(figure, _handles(tables, colours, desired_vs_li_volt))
    return figure


def _check(tables: Mapping[str, pl.DataFrame]) -> None:
    for name, table in tables.items():
        if not any(c in table.columns for c in PANELS):
            raise DataError(
                "the cycles have no end potentials of the electrodes",
                where=name,
                remedy="they need a reference electrode, or a simulated cell",
            )
    values = [
        floats(t, c, n) for n, t in tables.items() for c in PANELS if c in t.columns
    ]
    if not any(np.isfinite(v).any() for v in values):
        raise DataError(
            "no cycle has an end potential to draw",
            where=", ".join(tables) or "cutoff_potentials",
            remedy="give cells with a reference electrode that were cycled",
        )


def _draw(
    ax: Axes, name: str, table: pl.DataFrame, column: str, index: int, colour: str
) -> None:
    if column not in table.columns:
        return
    x, y = floats(table, "cycle_count", name), floats(table, column, name)
    known = np.isfinite(y)
    span = float(np.ptp(x)) + 1.0
    ax.plot(
        x[known],
        y[known],
        color=colour,
        linestyle=dash(index),
        linewidth=0.8,
        marker=MARKERS[index % len(MARKERS)],
        markersize=marker_size(span, PANEL_MM),
        markeredgewidth=0.0,
        label=f"_{name}",
    )


def _fit(ax: Axes) -> None:
    """Fit the axis to its lines, but do not blow noise up to its height."""
    y = np.concatenate(
        [np.asarray(line.get_ydata(), dtype=np.float64) for line in ax.get_lines()]
    )
    y = y[np.isfinite(y)]
    if y.size:
        low, high = float(y.min()), float(y.max())
        room = max(0.06 * (high - low), 0.5 * (LEAST_SPAN_VOLT - (high - low)))
        ax.set_ylim(low - room, high + room)


def _write_rates(axes: list[Axes], rates: pl.DataFrame | None) -> None:
    """Shade every second block; write the rates over the upper panels."""
    if rates is None:
        return
    spans = [
        (f"{rate:.2g}C" if np.isfinite(rate) else "", begin - 0.5, end + 0.5)
        for rate, begin, end in zip(
            floats(rates, "discharge_c_rate", "rates"),
            floats(rates, "first_cycle_count", "rates"),
            floats(rates, "last_cycle_count", "rates"),
            strict=True,
        )
    ]
    for i, ax in enumerate(axes):
        if i < 2:
            ax.set_title(ax.get_title(loc="left"), pad=TITLE_LIFT_POINTS)
        write_rates(ax, spans, width_mm=PANEL_MM, texts=i < 2)


def _handles(
    tables: Mapping[str, pl.DataFrame],
    colours: Mapping[str, str],
    desired_vs_li_volt: float | None,
) -> list[Artist]:
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    for i, name in enumerate(tables):
        line = Line2D([], [], color=colours[name], marker=MARKERS[i % len(MARKERS)])
        line.set(linestyle=dash(i), linewidth=0.8, markersize=4.0, label=name)
        handles.append(line)
    if desired_vs_li_volt is not None:
        text = f"desired upper potential, {desired_vs_li_volt:.2f} V"
        handles.append(
            Line2D([], [], color=GREY, linestyle=(0, (4.0, 2.5)), lw=0.9, label=text)
        )
    return handles
