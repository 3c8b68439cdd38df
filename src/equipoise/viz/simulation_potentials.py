"""Both electrodes of a simulated test against capacity, a line per rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.viz.labels import axis_label
from equipoise.viz.simulation_axes import AGAINST, negative_frame
from equipoise.viz.simulation_runs import (
    CHARGE,
    DISCHARGE,
    Array,
    Line,
    Runs,
    branch,
    few,
    first_blocks,
    is_half,
    lines,
    models,
    traced_cycles,
)
from equipoise.viz.style import (
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        seen: dict[str, str] = {}
        for (line, electrode), pair in zip(rows, axes, strict=True):
            seen |= _against_capacity(pair, line, electrode, len(drawn) > 1)
            pair[0].set_ylabel(f"{electrode.capitalize()} {AGAINST}")
        for ax in axes[-1]:
            ax.set_xlabel(axis_label("passed_capacity_mah_per_g_positive"))
            ax.set_xlim(left=0.0)
        letter_panels(axes.ravel())
        figure.suptitle(
            f"Potentials at each rate, {models(drawn)}",
            x=0.01,
            ha="left",
            weight="bold",
        )
        _legend(figure, seen)
    return figure


def _against_capacity(
    pair: Sequence[Axes], line: Line, electrode: str, named: bool
) -> dict[str, str]:
    """Draw charge and discharge of one electrode; return the colour of each rate."""
    chosen = _chosen(line.run)
    colours = dict(zip(chosen, _ramp(len(chosen)), strict=True))
    negative = electrode == "negative"
    words = (
        ("lithiation", "delithiation") if negative else ("delithiation", "lithiation")
    )
    shares: list[Array] = []
    values: list[Array] = []
    for ax, direction, word in zip(pair, (CHARGE, DISCHARGE), words, strict=True):
        for text, cycle in chosen.items():
            half = branch(line.run, cycle, direction)
            y = half.negative_volt if negative else half.positive_volt
            ax.plot(half.capacity_mah_per_g, y, color=colours[text], label=text)
            if half.capacity_mah_per_g.size:
                q = half.capacity_mah_per_g
                shares.append(q / max(q[-1], 1e-12))
                values.append(y)
        half_word = "charge" if direction == CHARGE else "discharge"
        title = f"{electrode.capitalize()}, {word} ({half_word})"
        ax.set_title(
            f"{line.label}: {title[:1].lower()}{title[1:]}" if named else title
        )
    if negative and values:
        pair[0].set_ylim(
            *negative_frame(np.concatenate(values), np.concatenate(shares))
        )
    return colours


def _chosen(run: Run) -> dict[str, int]:
    """The cycle drawn for each rate."""
    kept = traced_cycles(run)
    done = int(run.results[-1, 0]) if run.finished else int(run.results[-1, 0]) - 1
    found: dict[str, int] = {}
    for block in first_blocks(run):
        inside = [
            c for c in kept if block.first_cycle_count <= c <= block.last_cycle_count
        ]
        whole = [c for c in inside if c <= done]
        if inside:
            found[block.text] = (whole or inside)[-1]
    return found


def _ramp(count: int) -> list[str]:
    """Colours from slow to fast, dark to bright: in order without colour, too."""
    import matplotlib as mpl
    from matplotlib.colors import to_hex

    return [to_hex(mpl.colormaps["plasma"](x)) for x in np.linspace(0.0, 0.85, count)]


def _legend(figure: Figure, colours: dict[str, str]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=c, label=text) for text, c in colours.items()]
    figure.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), 8)
    )
