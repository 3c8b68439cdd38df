"""Both electrodes of a simulated test against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.simulation_axes import AGAINST, head, negative_frame, write_rates
from equipoise.viz.simulation_runs import (
    SECOND_PER_HOUR,
    Array,
    Runs,
    blocks,
    few,
    is_half,
    lines,
    models,
    traced_cycles,
)
from equipoise.viz.style import (
    CELL_COLOUR,
    DOUBLE_COLUMN_MM,
    NEGATIVE_COLOUR,
    POSITIVE_COLOUR,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.sim.simulate import Run

ROWS = {
    "positive": ("positive_electrode_potential_volt", POSITIVE_COLOUR),
    "negative": ("negative_electrode_potential_volt", NEGATIVE_COLOUR),
    "cell": ("voltage_volt", CELL_COLOUR),
}
ENDS = {
    "positive": "end_positive_electrode_potential_volt",
    "negative": "end_negative_electrode_potential_volt",
}


def three_electrode(runs: Runs) -> Figure:
    """Draw both potentials and the cell voltage against time, a column per run.

    Circles: ends of charge; those of the positive are drawn again below, magnified:
    its upper potential. A half cell shows its working electrode only, the counter
    electrode is constant.

    Raises
    ------
    SpecError
        If no cycle was traced, or more than three runs are given.
    """
    drawn = few(lines(runs))
    working = all(is_half(line.run) for line in drawn)
    rows = ("positive", "cell") if working else ("positive", "negative", "cell", "end")
    ratios = [1.0, 1.0, 1.0, 0.8][: len(rows)]
    with style():
        figure = new_figure(30.0 + 33.0 * sum(ratios))
        axes = figure.subplots(
            len(rows),
            len(drawn),
            squeeze=False,
            sharex="col",
            sharey="row",
            height_ratios=ratios,
        )
        for column, line in zip(axes.T, drawn, strict=True):
            _against_time(dict(zip(rows, column, strict=True)), line.run)
            _write_blocks(column, line.run, DOUBLE_COLUMN_MM / len(drawn) - 18.0)
            column[0].set_title(line.label, pad=20.0)
            column[-1].set_xlabel("Time / h")
        names = {
            "positive": f"{'Working' if working else 'Positive'}\n{AGAINST}",
            "negative": f"Negative\n{AGAINST}",
            "cell": axis_label("voltage_volt"),
            "end": f"Upper potential\n{AGAINST}",
        }
        for row, ax in zip(rows, axes[:, 0], strict=True):
            ax.set_ylabel(names[row])
        what = "Working electrode and cell" if working else "Both electrodes and cell"
        head(figure, f"{what}, {models(drawn)}")
        figure.align_ylabels(axes[:, 0])
    return figure


def _against_time(axes: dict[str, Axes], run: Run) -> None:
    """Fill one column; lines break where cycles were not traced."""
    kept = traced_cycles(run)
    table = run.trace
    hour = floats(table, "test_time_second", "three_electrode") / SECOND_PER_HOUR
    cycle = floats(table, "cycle_count", "three_electrode")
    gaps = np.flatnonzero(np.diff(cycle) > 1.0) + 1
    for row, (column, colour) in ROWS.items():
        if row in axes:
            y = floats(table, column, "three_electrode")
            axes[row].plot(
                np.insert(hour, gaps, np.nan),
                np.insert(y, gaps, np.nan),
                color=colour,
                linewidth=1.0,
            )
    if "negative" in axes:
        y = floats(table, ROWS["negative"][0], "three_electrode")
        _grow(axes["negative"], negative_frame(y, _share_of_step(run, table)))
    at, ends = _ends_of_charge(run, kept)
    for row in ("positive", "negative"):
        if row in axes:
            axes[row].plot(
                at,
                ends[row],
                "o",
                color=CELL_COLOUR,
                fillstyle="none",
                markersize=3.5,
                markeredgewidth=0.7,
                clip_on=False,
            )
    if "end" in axes:
        axes["end"].plot(
            at, ends["positive"], "-o", color=POSITIVE_COLOUR, lw=0.8, markersize=3.0
        )
        axes["end"].lines[0].set_clip_on(False)


def _share_of_step(run: Run, table: pl.DataFrame) -> Array:
    """How much of its step was over at each sample; nan in an unfinished step."""
    steps = run.steps
    begin = floats(steps, "start_time_second", "three_electrode")
    end = floats(steps, "end_time_second", "three_electrode")
    number = floats(steps, "step_count", "three_electrode").astype(int)
    at = floats(table, "step_count", "three_electrode").astype(int)
    duration = np.full(max(number.max(), at.max()) + 1, np.nan)
    duration[number] = np.maximum(end - begin, 1e-12)
    return floats(table, "step_time_second", "three_electrode") / duration[at]


def _grow(ax: Axes, frame: tuple[float, float]) -> None:
    """Widen a row that several runs share, never narrow it."""
    low, high = frame
    if not ax.get_autoscaley_on():
        low, high = min(low, ax.get_ylim()[0]), max(high, ax.get_ylim()[1])
    ax.set_ylim(low, high)


def _ends_of_charge(run: Run, kept: Sequence[int]) -> tuple[Array, dict[str, Array]]:
    """Hours and potentials at the end of charge of the traced cycles."""
    table = run.steps
    cycle = floats(table, "cycle_count", "three_electrode")
    charging = np.flatnonzero(
        (floats(table, "capacity_mah_per_g_positive", "three_electrode") > 0.0)
        & np.isin(cycle, kept)
    )
    last = charging[np.append(np.diff(cycle[charging]) > 0.0, True)[: charging.size]]
    hour = floats(table, "end_time_second", "three_electrode") / SECOND_PER_HOUR
    return hour[last], {
        row: floats(table, column, "three_electrode")[last]
        for row, column in ENDS.items()
    }


def _write_blocks(column: Sequence[Axes], run: Run, width_mm: float) -> None:
    """C-rates over the first panel, their shading in all of them."""
    number = floats(run.steps, "cycle_count", "three_electrode")
    begin = floats(run.steps, "start_time_second", "three_electrode")
    end = floats(run.steps, "end_time_second", "three_electrode")
    column[0].set_xlim(0.0, float(end[-1]) / SECOND_PER_HOUR)
    spans = [
        (
            b.text,
            float(begin[number >= b.first_cycle_count][0]) / SECOND_PER_HOUR,
            float(end[number <= b.last_cycle_count][-1]) / SECOND_PER_HOUR,
        )
        for b in blocks(run)
    ]
    for ax in column:
        write_rates(ax, spans, width_mm=width_mm, texts=ax is column[0])
