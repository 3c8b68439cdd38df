"""The simulated tests of capacity-balanced cells in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.simulation import draw_capacities, draw_profiles
from equipoise.viz.simulation_axes import AGAINST, head, write_rates
from equipoise.viz.simulation_potentials import draw_potentials, rate_colours
from equipoise.viz.simulation_runs import (
    CHARGE,
    Line,
    Runs,
    blocks,
    lines,
    models,
)
from equipoise.viz.style import new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UPPER = "upper_potential_vs_li_volt"
RATES_MM, UPPER_MM = 95.0, 72.0
"""Width of panels on paper, about."""


def overview(first: Runs, rates: Runs, electrodes: Runs) -> Figure:
    """Draw first cycle, rate test, tail of the negative and upper potentials.

    Parameters
    ----------
    first
        Runs whose first cycle was traced.
    rates
        Runs of a rate test.
    electrodes
        Traced runs at several rates; the negative of the first of them is drawn.
    """
    begun, rated, split = lines(first), lines(rates), lines(electrodes)
    with style():
        figure = new_figure(135.0)
        grid = figure.add_gridspec(2, 10)
        profiles, capacities, tail, upper = (
            figure.add_subplot(grid[row, columns])
            for row, columns in (
                (0, slice(0, 4)),
                (0, slice(4, 10)),
                (1, slice(0, 5)),
                (1, slice(5, 10)),
            )
        )
        draw_profiles(profiles, begun, 1)
        draw_capacities(capacities, rated, width_mm=RATES_MM)
        _tail(tail, split[0])
        _upper_potentials(upper, split)
        titles = {
            profiles: "(a)  First cycle",
            capacities: "(b)  Rate test",
            tail: f"(c)  Negative of {split[0].label}, charge at each rate",
            upper: "(d)  Ends of charge at each rate",
        }
        for ax, title in titles.items():
            ax.set_title(title, pad=22.0 if ax in (capacities, upper) else None)
        handles, names = capacities.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(names))
        head(figure, f"Simulated fresh cells, {models([*begun, *rated, *split])}")
    return figure


def _tail(ax: Axes, line: Line) -> None:
    """The negative on charge, each line with its rate at its end."""
    colours = rate_colours([line.run])
    low, high = draw_potentials(ax, line, "negative", CHARGE, colours)
    ax.set_ylim(low - 0.05 * (high - low), high)
    for drawn in ax.get_lines():
        x, y = np.asarray(drawn.get_xdata()), np.asarray(drawn.get_ydata())
        if x.size:
            ax.annotate(
                str(drawn.get_label()),
                (float(x[-1]), float(y[-1])),
                xytext=(0.0, -3.0),
                textcoords="offset points",
                ha="center",
                va="top",
                fontsize=7.0,
                color=drawn.get_color(),
            )
    ax.set_xlim(left=0.0)
    ax.set_xlabel(axis_label("passed_capacity_mah_per_g_positive"))
    ax.set_ylabel(f"Negative {AGAINST}")


def _upper_potentials(ax: Axes, drawn: Sequence[Line]) -> None:
    for line in drawn:
        ax.plot(
            floats(line.run.cycles, "cycle_count", "overview"),
            floats(line.run.cycles, UPPER, "overview"),
            "-o",
            color=line.colour,
            linewidth=0.8,
            markersize=3.5,
            label=line.label,
        )
    longest = max(drawn, key=lambda x: x.run.program.cycle_count)
    ax.set_xlim(0.5, longest.run.program.cycle_count + 0.5)
    spans = [
        (b.text, b.first_cycle_count - 0.5, b.last_cycle_count + 0.5)
        for b in blocks(longest.run)
    ]
    write_rates(ax, spans, width_mm=UPPER_MM)
    ax.set_xlabel("Cycle")
    ax.set_ylabel(axis_label(UPPER))
