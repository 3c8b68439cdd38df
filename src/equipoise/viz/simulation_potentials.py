"""Both electrodes of a simulated test against capacity, a line per rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.viz.labels import axis_label
from equipoise.viz.simulation_axes import AGAINST, head, negative_frame
from equipoise.viz.simulation_runs import (
    CHARGE,
    DISCHARGE,
    Array,
    Line,
    Runs,
    branch,
    cycle_of_each_rate,
    few,
    is_half,
    lines,
    models,
)
from equipoise.viz.style import (
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.sim.simulate import Run


def potential_profiles(runs: Runs) -> Figure:
    """Draw the potential of each electrode against capacity, one line per rate.

    Of each rate the last traced cycle of its first block is drawn. The frame of the
    negative holds its tail at the end of charge whole; a steep first or last 2 % of
    a line may leave it at the top. Of a half cell the working electrode is drawn.

    Raises
    ------
    SpecError
        If no cycle was traced, or more than three runs are given.
    """
    drawn = few(lines(runs))
    rows = [
        (line, electrode)
        for line in drawn
        for electrode in (
            ("working",) if is_half(line.run) else ("positive", "negative")
        )
    ]
    with style():
        figure = new_figure(18.0 + 52.0 * len(rows))
        axes = figure.subplots(len(rows), 2, squeeze=False, sharex=True, sharey="row")
        colours = rate_colours(line.run for line in drawn)
        for (line, electrode), pair in zip(rows, axes, strict=True):
            _draw_pair(pair, line, electrode, colours)
            if len(drawn) > 1:
                for ax in pair:
                    title = ax.get_title(loc="left")
                    ax.set_title(f"{line.label}: {title[:1].lower()}{title[1:]}")
            pair[0].set_ylabel(f"{electrode.capitalize()} {AGAINST}")
        for ax in axes[-1]:
            ax.set_xlabel(axis_label("passed_capacity_mah_per_g_positive"))
            ax.set_xlim(left=0.0)
        letter_panels(axes.ravel())
        head(figure, f"Potentials at each rate, {models(drawn)}")
        rate_legend(figure, colours)
    return figure


def _draw_pair(
    pair: Sequence[Axes], line: Line, electrode: str, colours: Mapping[str, str]
) -> None:
    """Charge and discharge of one electrode."""
    ends = [
        draw_potentials(ax, line, electrode, direction, colours)
        for ax, direction in zip(pair, (CHARGE, DISCHARGE), strict=True)
    ]
    if electrode == "negative":
        low, high = zip(*ends, strict=True)
        pair[0].set_ylim(min(low), max(high))


def draw_potentials(
    ax: Axes, line: Line, electrode: str, direction: int, colours: Mapping[str, str]
) -> tuple[float, float]:
    """Draw one half cycle at each rate; return the ends of a fitting y-axis.

    Parameters
    ----------
    electrode
        "positive", "negative", or "working" of a half cell.
    direction
        `CHARGE` or `DISCHARGE`.
    colours
        Of each rate, from `rate_colours`.
    """
    negative = electrode == "negative"
    shares: list[Array] = []
    values: list[Array] = []
    for text, cycle in cycle_of_each_rate(line.run).items():
        half = branch(line.run, cycle, direction)
        q, y = half.capacity_mah_per_g, half.positive_volt
        y = half.negative_volt if negative else y
        ax.plot(q, y, color=colours[text], label=text)
        if q.size:
            shares.append(q / max(q[-1], 1e-12))
            values.append(y)
    charge = direction == CHARGE
    word = "delithiation" if charge != negative else "lithiation"
    half_word = "charge" if charge else "discharge"
    ax.set_title(f"{electrode.capitalize()}, {word} ({half_word})")
    if not values:
        return ax.get_ylim()
    return negative_frame(np.concatenate(values), np.concatenate(shares))


def rate_colours(runs: Iterable[Run]) -> dict[str, str]:
    """Colour of each rate drawn, from the first to the last: dark to bright."""
    texts = list(dict.fromkeys(t for run in runs for t in cycle_of_each_rate(run)))
    return ramp(texts)


def ramp(texts: Sequence[str]) -> dict[str, str]:
    """In order without colour, too: each is brighter than the one before."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    places = np.linspace(0.0, 0.85, len(texts))
    colours = [to_hex(mpl.colormaps["plasma"](x)) for x in places]
    return dict(zip(texts, colours, strict=True))


def rate_legend(figure: Figure, colours: Mapping[str, str]) -> None:
    """The rates under a figure."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=c, label=text) for text, c in colours.items()]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), 8)
    )
