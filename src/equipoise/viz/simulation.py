"""Figures of simulated tests: voltage profiles and rate capability.

Every function takes one `Run` or several and returns a figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import SpecError
from equipoise.core.units import unit_symbol
from equipoise.viz.labels import axis_label, floats
from equipoise.viz.simulation_axes import head, write_rates
from equipoise.viz.simulation_potentials import (
    potential_profiles,
    ramp,
    rate_legend,
)
from equipoise.viz.simulation_runs import (
    CAPACITY,
    CHARGE,
    DISCHARGE,
    Block,
    Line,
    Runs,
    blocks,
    branch,
    cycle_of_each_rate,
    lines,
    models,
    traced_cycles,
)
from equipoise.viz.simulation_time import three_electrode
from equipoise.viz.style import (
    BLACK,
    MM_PER_INCH,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "normalised_capacity",
    "potential_profiles",
    "rate_capability",
    "three_electrode",
    "voltage_profiles",
]

MARKERS = "osD^v"
LARGEST_MARKER, SMALLEST_MARKER = 4.0, 1.2
"""Points; between them as there is room between two cycles."""
MOST_RATES, MOST_PANELS = 6, 3
"""Lines in a panel and panels in a row of the voltage profiles."""
MOST_TICKS = 12
"""C-rates written on an axis."""


def voltage_profiles(runs: Runs, cycle: int | None = None) -> Figure:
    """Draw cell voltage against specific capacity, charge and discharge from 0.

    Parameters
    ----------
    runs
        Runs whose trace holds the cycle.
    cycle
        Counted from 1. Default: of a test at several rates a line per rate, the last
        traced cycle of its first block (six rates at most, and each run in a panel
        of its own); else the first traced cycle.

    Raises
    ------
    SpecError
        If the cycle does not exist, was not reached, or was not traced.
    """
    drawn = lines(runs)
    if cycle is None:
        traced = all(line.run.trace.height for line in drawn)
        rates = [_some(cycle_of_each_rate(line.run)) for line in drawn if traced]
        if any(len(r) > 1 for r in rates):
            return _profiles_at_each_rate(drawn, rates)
        cycle = traced_cycles(drawn[0].run)[0] if traced else 1
    with style():
        figure = new_figure(82.0, width_mm=120.0)
        ax = figure.subplots()
        draw_profiles(ax, drawn, cycle)
        figure.legend(loc="outside lower center")
    return figure


def _some(cycles: dict[str, int]) -> dict[str, int]:
    """At most `MOST_RATES` of them, spread from the first to the last."""
    count = min(len(cycles), MOST_RATES)
    kept = {round(k) for k in np.linspace(0, len(cycles) - 1, count)}
    return {text: n for k, (text, n) in enumerate(cycles.items()) if k in kept}


def _profiles_at_each_rate(
    drawn: Sequence[Line], rates: Sequence[dict[str, int]]
) -> Figure:
    """A panel per run with a line per rate."""
    columns = min(len(drawn), MOST_PANELS)
    count = -(-len(drawn) // columns)
    colours = ramp(list(dict.fromkeys(text for run in rates for text in run)))
    with style():
        figure = new_figure(
            18.0 + 72.0 * count, width_mm=120.0 if columns == 1 else 183.0
        )
        grid = figure.subplots(count, columns, squeeze=False, sharex=True, sharey=True)
        for ax in grid.ravel()[len(drawn) :]:
            ax.remove()
        panels = grid.ravel()[: len(drawn)]
        for ax, line, cycles in zip(panels, drawn, rates, strict=True):
            for text, cycle in cycles.items():
                for direction in (CHARGE, DISCHARGE):
                    half = branch(line.run, cycle, direction)
                    x, y = half.capacity_mah_per_g, half.voltage_volt
                    ax.plot(x, y, color=colours[text], label=text)
            ax.set_title(line.label)
            ax.set_xlabel(axis_label("passed_capacity_mah_per_g_positive"))
        for ax in grid[:, 0]:
            ax.set_ylabel(axis_label("voltage_volt"))
        panels[0].set_xlim(left=0.0)  # shared: once all lines are drawn
        if len(panels) > 1:
            letter_panels(panels)
        head(figure, f"Last cycle of each rate, {models(drawn)}")
        rate_legend(figure, colours)
    return figure


def draw_profiles(ax: Axes, drawn: Sequence[Line], cycle: int) -> None:
    """Fill the axes of `voltage_profiles`."""
    for line in drawn:
        said: list[str] = []
        for name, direction in (("charge", CHARGE), ("discharge", DISCHARGE)):
            half = branch(line.run, cycle, direction)
            if half.capacity_mah_per_g.size:
                said.append(f"{name} {half.capacity_mah_per_g.max():.1f}")
            ax.plot(
                half.capacity_mah_per_g,
                half.voltage_volt,
                color=line.colour,
                linestyle=line.linestyle,
                label="_nolegend_",
            )
        text = f"{line.label}: {', '.join(said)} mAh g⁻¹"
        ax.plot([], [], color=line.colour, linestyle=line.linestyle, label=text)
    ax.set_xlim(left=0.0)
    ax.set_xlabel(axis_label("passed_capacity_mah_per_g_positive"))
    ax.set_ylabel(axis_label("voltage_volt"))
    ax.set_title(f"Cycle {cycle}{_rate_of(drawn, cycle)}, {models(drawn)}")


def _rate_of(drawn: Sequence[Line], cycle: int) -> str:
    """The rate of a cycle for the title, if it is the same in all runs."""
    found = {
        b.text
        for line in drawn
        for b in blocks(line.run)
        if b.first_cycle_count <= cycle <= b.last_cycle_count
    }
    return f" at {found.pop()}" if len(found) == 1 else ""


def rate_capability(runs: Runs) -> Figure:
    """Draw the discharge capacity of every cycle, the C-rate over each block."""
    drawn = lines(runs)
    with style():
        figure = new_figure(80.0)
        ax = figure.subplots()
        draw_capacities(ax, drawn, width_mm=165.0)
        head(figure, f"Discharge capacity, {models(drawn)}")
        if len(drawn) > 1:
            figure.legend(loc="outside lower center", ncols=min(len(drawn), 4))
    return figure


def draw_capacities(ax: Axes, drawn: Sequence[Line], *, width_mm: float) -> None:
    """Fill the axes of `rate_capability`, about so wide on paper."""
    from matplotlib.ticker import MaxNLocator

    most = max(int(line.run.results[-1, 0]) for line in drawn)
    room = 0.65 * width_mm * 72.0 / MM_PER_INCH / most
    for i, line in enumerate(drawn):
        cycle = floats(line.run.cycles, "cycle_count", "rate_capability")
        capacity = floats(line.run.cycles, CAPACITY, "rate_capability")
        ax.plot(
            cycle,
            capacity,
            marker=MARKERS[i % len(MARKERS)],
            linestyle="none",
            markersize=min(max(room, SMALLEST_MARKER), LARGEST_MARKER),
            color=line.colour,
            fillstyle="full" if line.linestyle == "-" else "none",
            label=line.label,
        )
    ax.set_xlim(0.5, most + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("Cycle")
    ax.set_ylabel(f"Discharge capacity / {unit_symbol(CAPACITY)}")
    longest = max(drawn, key=lambda x: int(x.run.results[-1, 0]))
    write_rates(
        ax,
        [
            (b.text, b.first_cycle_count - 0.5, b.last_cycle_count + 0.5)
            for b in blocks(longest.run)
        ],
        width_mm=width_mm,
    )


def normalised_capacity(runs: Runs) -> Figure:
    """Draw the discharge capacity over that of the first rate, against the C-rate.

    Of each block of cycles at one rate the last cycle counts. Filled and joined: the
    first block of each rate; open: same rate later in the test to it.

    Raises
    ------
    SpecError
        If the cell has no current of 1C, or the first capacity is not > 0.
    """
    drawn = lines(runs)
    with style():
        figure = new_figure(82.0, width_mm=120.0)
        ax = figure.subplots()
        rates: set[float] = set()
        again = False
        for line in drawn:
            first, later = _normalised(line)
            again |= bool(later)
            rates |= set(first)
            x, y = np.array(list(first)), np.array(list(first.values()))
            ax.plot(
                x, y, color=line.colour, ls=line.linestyle, marker="o", label=line.label
            )
            if later:
                x, y = np.array(later).T
                ax.plot(x, y, "o", color=line.colour, fillstyle="none", markersize=8.0)
        _rate_axis(ax, sorted(rates))
        ax.set_ylim(bottom=0.0)
        ax.set_ylabel("Discharge capacity / % of the first rate")
        ax.set_title(f"Normalised capacity, {models(drawn)}")
        if again:
            ax.plot(
                [], [], "o", color=BLACK, fillstyle="none", markersize=8.0,
                label="same rate later in the test",
            )  # fmt: skip
        ax.legend(loc="lower left")
    return figure


def _normalised(line: Line) -> tuple[dict[float, float], list[tuple[float, float]]]:
    """Percent of the first rate: by rate, and for each block that comes again."""
    table = line.run.cycles
    numbers = floats(table, "cycle_count", "normalised_capacity")
    capacity = floats(table, CAPACITY, "normalised_capacity")
    first: dict[float, float] = {}
    later: list[tuple[float, float]] = []
    unit = None
    for block in blocks(line.run):
        value = _last_capacity(block, numbers, capacity)
        if not np.isfinite(block.c_rate) or value is None:
            continue
        unit = value if unit is None else unit
        percent = 100.0 * value / unit
        if block.c_rate in first:
            later.append((block.c_rate, percent))
        else:
            first[block.c_rate] = percent
    if unit is None:
        raise SpecError(
            "no cycle of this run has a C-rate and a discharge capacity > 0",
            where=line.label,
            remedy="give the current of 1C in the cell file and run whole cycles",
        )
    return first, later


def _last_capacity(
    block: Block, numbers: np.ndarray, capacity: np.ndarray
) -> float | None:
    """Discharge capacity of the last cycle of a block that has one."""
    inside = (numbers >= block.first_cycle_count) & (numbers <= block.last_cycle_count)
    known = capacity[inside & (capacity > 0.0)]
    return float(known[-1]) if known.size else None


def _rate_axis(ax: Axes, rates: Sequence[float]) -> None:
    """Logarithmic axis whose ticks are the rates of the test."""
    ax.set_xscale("log")
    gap = (rates[-1] / rates[0]) ** (1.0 / MOST_TICKS)
    ticks = [rates[0]]
    for rate in rates[1:]:
        if rate >= gap * ticks[-1]:
            ticks.append(rate)
    ax.set_xticks(ticks, labels=[f"{r:g}C" for r in ticks])
    ax.minorticks_off()
    ax.set_xlim(rates[0] / 1.3, rates[-1] * 1.3)
    ax.set_xlabel("Rate of the discharge")
