"""Capacity and Coulombic efficiency along lives, as zhang2026, Fig. 2c, d, 4b, 5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.core.units import unit_symbol
from equipoise.viz.cycling_axes import cycle_axis, legend_below
from equipoise.viz.labels import floats
from equipoise.viz.life_axes import (
    CAPACITY,
    LEVEL_DASH,
    RETENTION,
    LifeLine,
    Lives,
    Members,
    cycle_range,
    draw_life,
    draw_measured,
    end_of_life,
    ends_between,
    few_ticks,
    filled_marker,
    fit_axis,
    known_names,
    life_handles,
    life_lines,
    mark_beyond,
    measured_values,
    open_marker,
    reference_capacity,
)
from equipoise.viz.style import (
    DOUBLE_COLUMN_MM,
    GREY,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

EFFICIENCY = "coulombic_efficiency"
LEAST_EFFICIENCY_PERCENT = 0.2
"""Smallest height of the axis of the efficiency: cyclers are good to some 0.02 %."""
PERCENT = 100.0
MOST_COLUMNS = 3
MARKER_POINTS, ARROW_POINTS = 6.0, 7.0
FROM_ZERO_SHARE = 0.35
"""An axis whose lowest value is below this share of the highest begins at 0."""


def life_capacity(
    lives: Lives,
    *,
    members: Members | None = None,
    measured: Lives | None = None,
    level_retention: float | None = 0.8,
    side_by_side: bool = False,
) -> Figure:
    """Draw discharge capacity, and below it Coulombic efficiency, along lives.

    Cycles of the kind of most cycles are joined; others, as those of a rate test, are
    open squares. Cycles that settle after a jump are left out. Efficiencies far from
    most others are triangles at the frame, and counted.

    Parameters
    ----------
    lives
        `Life.cycles` by name: `cycle_count`, `coulombic_efficiency`,
        `discharging_capacity_mah_per_g_positive`, `discharge_retention`,
        `is_ageing_cycle`, `is_settled`.
    members
        Of each life the members of its ensemble, same columns. Shaded from 5 to 95 %
        of them, as far as all have run; a whisker spans 5 to 95 % of their ends of
        life.
    measured
        Points by name of the life: `cycle_count`, and the capacity or the efficiency
        or both, under the same names; with `standard_deviation_` before the name error
        bars; with `is_calibrated` filled where the model was calibrated on them.
    level_retention
        Share of the reference capacity that ends the life: a dashed line per life, and
        a disc where it is passed, a triangle if it was not reached. None: no line.
    side_by_side
        A column per life, three at most; else all in one panel.

    Raises
    ------
    DataError
        If there is no life, or a column is missing.
    SpecError
        If a level is out of range, there are too many columns, or points are of a life
        that is not drawn.
    """
    points = measured or {}
    _check(lives, level_retention, side_by_side=side_by_side)
    known_names(points, lives, what="measured points")
    found = life_lines(
        lives,
        needs=(CAPACITY, EFFICIENCY, RETENTION),
        members=members,
        needed_by="life_capacity",
    )
    columns = [[line] for line in found] if side_by_side else [found]
    with style():
        figure = new_figure(118.0)
        grid = figure.subplots(
            2,
            len(columns),
            squeeze=False,
            sharex=True,
            sharey="row",
            height_ratios=(1.6, 1.0),
        )
        width_mm = 0.88 * DOUBLE_COLUMN_MM / len(columns)
        first, last = cycle_range(found, points)
        also = measured_values(points, EFFICIENCY, factor=PERCENT)
        fit_axis(
            grid[1, 0], found, EFFICIENCY, factor=PERCENT, also=also,
            least=LEAST_EFFICIENCY_PERCENT,
        )  # fmt: skip
        for (top, low), shown in zip(grid.T, columns, strict=True):
            for line in shown:
                _capacity(top, line, points, level_retention, last, width_mm)
                _efficiency(low, line, points, width_mm)
            mark_beyond(low, shown, EFFICIENCY, factor=PERCENT)
            low.set_xlabel("Cycle")
            if side_by_side:
                top.set_title(shown[0].label)
        _fit_top(grid[0, 0])
        grid[0, 0].set_ylabel(f"Discharge capacity / {unit_symbol(CAPACITY)}")
        grid[1, 0].set_ylabel("Coulombic efficiency / %")
        cycle_axis(grid.ravel(), first, last)
        if len(columns) > 1:
            few_ticks(grid.ravel())
        letter_panels(grid.ravel())
        figure.align_ylabels(grid[:, 0])
        legend_below(figure, _handles(found, points, level_retention))
    return figure


def _check(lives: Lives, level_retention: float | None, *, side_by_side: bool) -> None:
    if level_retention is not None and not 0.0 < level_retention < 1.0:
        raise SpecError(
            f"level_retention = {level_retention:g}",
            remedy="give a share between 0 and 1, e.g. 0.8, or None",
        )
    if side_by_side and len(lives) > MOST_COLUMNS:
        raise SpecError(
            f"{len(lives)} lives side by side cannot be read, at most "
            f"{MOST_COLUMNS} can",
            where="life_capacity",
            remedy="draw several figures, or all lives in one panel",
        )


def _capacity(
    ax: Axes,
    line: LifeLine,
    points: Lives,
    level_retention: float | None,
    last: float,
    width_mm: float,
) -> None:
    """One life, its level and end, its measured points."""
    draw_life(ax, line, CAPACITY)
    if level_retention is not None and line.has_reference:
        _mark_end(ax, line, level_retention, last)
    if line.label in points:
        table = points[line.label]
        draw_measured(ax, table, CAPACITY, line.colour, width_mm=width_mm)


def _mark_end(ax: Axes, line: LifeLine, level_retention: float, last: float) -> None:
    """Level from the reference cycle on; end of life with that of its ensemble."""
    level = level_retention * reference_capacity(line)
    end = end_of_life(line.whole, level_retention)
    start = end.cycle_count - end.life_cycle_count + 1.0
    ax.plot(
        [start, last],
        [level, level],
        color=line.colour,
        linestyle=LEVEL_DASH,
        linewidth=0.7,
        zorder=1.9,
        label="_level",
    )
    if len(line.members) > 1:
        _mark_ensemble(ax, line, level, _ends(line, level_retention), last)
    ax.plot(
        [end.cycle_count],
        [level if not end.censored else _last_capacity(line)],
        linestyle="none",
        marker=">" if end.censored else "o",
        markersize=ARROW_POINTS if end.censored else MARKER_POINTS,
        markerfacecolor="white" if end.censored else line.colour,
        markeredgecolor=line.colour if end.censored else "black",
        markeredgewidth=0.8,
        clip_on=False,
        zorder=3.5,
        label="_censored" if end.censored else "_end",
    )


def _mark_ensemble(
    ax: Axes, line: LifeLine, level: float, ends: tuple[float, float], last: float
) -> None:
    """A bar between the ends of the ensemble, an arrow where it is open."""
    low, high = ends
    if low > last:
        return
    shape = ("|", "|" if high <= last else ">")
    at = (low, min(high, last))
    ax.plot(
        at,
        [level, level],
        color=line.colour,
        linewidth=2.6,
        alpha=0.75,
        solid_capstyle="butt",
        zorder=2.8,
        label="_ends",
    )
    for x, marker in zip(at, shape, strict=True):
        ax.plot(
            [x],
            [level],
            color=line.colour,
            marker=marker,
            markersize=6.0,
            linestyle="none",
            clip_on=False,
            zorder=2.8,
            label="_ends",
        )


def _ends(line: LifeLine, level_retention: float) -> tuple[float, float]:
    found = [end_of_life(m, level_retention) for m in line.whole_members]
    return ends_between(found)


def _last_capacity(line: LifeLine) -> float:
    capacity = floats(line.ageing, CAPACITY, line.label)
    return float(capacity[np.isfinite(capacity)][-1])


def _efficiency(ax: Axes, line: LifeLine, points: Lives, width_mm: float) -> None:
    draw_life(ax, line, EFFICIENCY, factor=PERCENT, inside=True)
    if line.label in points:
        table = points[line.label]
        draw_measured(
            ax, table, EFFICIENCY, line.colour, factor=PERCENT, width_mm=width_mm
        )


def _fit_top(ax: Axes) -> None:
    """Begin at zero where most of the way to it is taken anyway."""
    low, high = ax.get_ylim()
    if low < FROM_ZERO_SHARE * high:
        ax.set_ylim(bottom=0.0)


def _handles(
    lines: Sequence[LifeLine], points: Lives, level_retention: float | None
) -> list[Artist]:
    from matplotlib.lines import Line2D

    labels = [_label(line, level_retention) for line in lines]
    handles = life_handles(lines, labels, points, columns=(CAPACITY, EFFICIENCY))
    ending = [line for line in lines if line.has_reference]
    if level_retention is None or not ending:
        return handles
    text = f"{PERCENT * level_retention:g} % of the reference cycle"
    handles.append(
        Line2D([], [], color=GREY, linestyle=LEVEL_DASH, linewidth=0.7, label=text)
    )
    censored = {end_of_life(line.whole, level_retention).censored for line in ending}
    if False in censored:
        barred = any(
            len(x.members) > 1 and np.isfinite(_ends(x, level_retention)[0])
            for x in ending
        )
        text = "end of life (bar: 5 to 95 %)" if barred else "end of life"
        handles.append(filled_marker("o", text))
    if True in censored:
        handles.append(open_marker(">", "end of the run, level not reached"))
    return handles


def _label(line: LifeLine, level_retention: float | None) -> str:
    """Name, and life with that of the ensemble: ``HB, 80 % after 414 (380 to 450)``."""
    if level_retention is None or not line.has_reference:
        return line.label
    end = end_of_life(line.whole, level_retention)
    more = "> " if end.censored else ""
    text = f"{line.label}, {PERCENT * level_retention:g} % after {more}"
    text += f"{end.life_cycle_count:.0f}"
    if len(line.members) > 1:
        before = end.cycle_count - end.life_cycle_count
        low, high = (x - before for x in _ends(line, level_retention))
        reached = f"{low:.0f} to {high:.0f}" if np.isfinite(high) else f"> {low:.0f}"
        text += f" ({reached})" if np.isfinite(low) else ""
    return f"{text} cycles"
