"""End potentials along lives (zhang2026, Table S7), and the way from O to F (Fig. 7).

Ageing lets the negative retreat along its tail: the upper potential of the positive
climbs from O, as built, towards the desired one, and uses up a reserve. F is where the
life ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError
from equipoise.viz.cycling_axes import cycle_axis, legend_below
from equipoise.viz.labels import LITHIUM, axis_label, floats
from equipoise.viz.life_axes import (
    CYCLE,
    LEVEL_DASH,
    RETENTION,
    End,
    Lives,
    Members,
    cycle_range,
    draw_life,
    draw_measured,
    end_of_life,
    fit_axis,
    known_names,
    life_handles,
    life_lines,
    mark_beyond,
    measured_values,
)
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

    from equipoise.viz.simulation_runs import Dash

Array = NDArray[np.float64]
Against = Literal["both", "cycle", "reserve"]

UPPER = "upper_potential_vs_li_volt"
RESERVE = "reserve_left_mah_per_g_positive"
PANELS = {
    UPPER: "Positive, end of charge (UP)",
    "lower_potential_vs_li_volt": "Positive, end of discharge (LP)",
    "negative_end_of_charge_potential_vs_li_volt": "Negative, end of charge",
}
"""Column -> title, in the order of the panels."""
PANEL_MM = 160.0
LEAST_SPAN_VOLT = 0.004
"""Of an axis: less is noise of a cycler."""
DESIRED = "desired_upper_potential_vs_li_volt"
RETENTION_STEP = 0.05
"""Between the ticks along the way from O to F."""
LETTER_POINTS = 9.0


def life_potentials(
    lives: Lives,
    *,
    members: Members | None = None,
    measured: Lives | None = None,
    desired_vs_li_volt: float | None = None,
) -> Figure:
    """Draw upper and lower potential of the positive, and the end of the negative.

    Each panel has its own scale, fitted to the ageing cycles; the few beyond it, as
    those of a rate test, are triangles at the frame.

    Parameters
    ----------
    lives
        `Life.cycles` by name: `cycle_count`, `upper_potential_vs_li_volt`,
        `lower_potential_vs_li_volt`, `negative_end_of_charge_potential_vs_li_volt`,
        `is_ageing_cycle`, `is_settled`.
    members, measured
        As in `life_capacity`, with these columns; a measured table may lack some.
    desired_vs_li_volt
        Upper potential that is wanted (DUP), such as 4.30: a line.

    Raises
    ------
    DataError
        If there is no life, or a column is missing.
    SpecError
        If points or members are of a life that is not drawn.
    """
    given = measured or {}
    known_names(given, lives, what="measured points")
    found = life_lines(
        lives, needs=tuple(PANELS), members=members, needed_by="life_potentials"
    )
    with style():
        figure = new_figure(140.0)
        axes: list[Axes] = list(figure.subplots(3, 1, sharex=True))
        for ax, (column, title) in zip(axes, PANELS.items(), strict=True):
            also = measured_values(given, column)
            if column == UPPER and desired_vs_li_volt is not None:
                also.append(np.array([desired_vs_li_volt]))
                _desired(ax, desired_vs_li_volt)
            fit_axis(ax, found, column, least=LEAST_SPAN_VOLT, also=also)
            for line in found:
                draw_life(ax, line, column, inside=True)
                if line.label in given:
                    table = given[line.label]
                    draw_measured(ax, table, column, line.colour, width_mm=PANEL_MM)
            ax.set_title(title)
            mark_beyond(ax, found, column)
        cycle_axis(axes, *cycle_range(found, given))
        axes[-1].set_xlabel("Cycle")
        figure.supylabel(f"Potential vs {LITHIUM} / V", fontsize=8.0)
        letter_panels(axes)
        figure.align_ylabels(axes)
        handles = life_handles(
            found, [x.label for x in found], given, columns=tuple(PANELS)
        )
        legend_below(figure, handles + _desired_handle(desired_vs_li_volt))
    return figure


def _desired(ax: Axes, desired_vs_li_volt: float) -> None:
    ax.axhline(
        desired_vs_li_volt,
        color=GREY,
        linestyle=LEVEL_DASH,
        linewidth=0.9,
        zorder=1.8,
        label="_desired",
    )


def _desired_handle(desired_vs_li_volt: float | None) -> list[Artist]:
    from matplotlib.lines import Line2D

    if desired_vs_li_volt is None:
        return []
    text = f"desired upper potential, {desired_vs_li_volt:.2f} V"
    return [Line2D([], [], color=GREY, linestyle=LEVEL_DASH, lw=0.9, label=text)]


class _Way(NamedTuple):
    """States of a life in order, and its end."""

    label: str
    colour: str
    linestyle: Dash
    cycle: Array
    upper: Array
    reserve: Array
    retention: Array
    desired: Array | None
    end: End

    def at(self, column: Array, cycle: float) -> float:
        """A column at a cycle, interpolated."""
        return float(np.interp(cycle, self.cycle, column))


def compensation_line(
    states: Mapping[str, pl.DataFrame],
    *,
    against: Against = "both",
    desired_vs_li_volt: float | None = None,
    level_retention: float = 0.8,
) -> Figure:
    """Draw the upper potential from O to F, as zhang2026, Fig. 7, with computed states.

    O is the first state; F where the retention passes the level, or, with an open
    marker, the last state if it does not. Ticks on the way are 5 % of retention apart.

    Parameters
    ----------
    states
        States of each life by name: `cycle_count`, `upper_potential_vs_li_volt`,
        `reserve_left_mah_per_g_positive` (>= 0; not needed against the cycle alone),
        `discharge_retention`; as `sim.life.ledger.o_to_f` gives them. With
        `desired_upper_potential_vs_li_volt` a thin dashed line per life: where its
        positive would end with an endless negative.
    against
        "cycle", "reserve" (falling to the right, so that O is left), or "both".
    desired_vs_li_volt
        Upper potential that is wanted (DUP): a line.
    level_retention
        Retention that ends the life.

    Raises
    ------
    DataError
        If there is no life, a column is missing, or a life has no state.
    SpecError
        If `against` is none of these, or the level is out of range.
    """
    if against not in ("both", "cycle", "reserve"):
        raise SpecError(
            f"against = {against!r} is not known",
            remedy='use "both", "cycle" or "reserve"',
        )
    if not 0.0 < level_retention < 1.0:
        raise SpecError(
            f"level_retention = {level_retention:g}",
            remedy="give a share between 0 and 1, e.g. 0.8",
        )
    ways = _ways(states, level_retention, with_reserve=against != "cycle")
    shown = ["cycle", "reserve"] if against == "both" else [against]
    with style():
        figure = new_figure(80.0, width_mm=183.0 if against == "both" else 120.0)
        axes: list[Axes] = list(
            figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
        )
        for ax, what in zip(axes, shown, strict=True):
            if desired_vs_li_volt is not None:
                _desired(ax, desired_vs_li_volt)
            for way in ways:
                _draw_way(ax, way, way.cycle if what == "cycle" else way.reserve)
            _along(ax, ways, what)
        axes[0].margins(y=0.09)
        axes[0].set_ylabel(axis_label(UPPER))
        if len(axes) > 1:
            letter_panels(axes)
        handles = _way_handles(ways, level_retention)
        legend_below(figure, handles + _desired_handle(desired_vs_li_volt))
    return figure


def _ways(
    states: Mapping[str, pl.DataFrame], level_retention: float, *, with_reserve: bool
) -> list[_Way]:
    if not states:
        raise DataError(
            "there is no life to draw",
            where="compensation_line",
            remedy="give the states of at least one, by name",
        )
    colours = cell_colours(states)
    ways: list[_Way] = []
    for i, (name, table) in enumerate(states.items()):
        who = f"compensation_line, {name}"
        floats(table, CYCLE, who)
        table = table.sort(CYCLE)
        upper, retention = floats(table, UPPER, who), floats(table, RETENTION, who)
        known = np.isfinite(upper) & np.isfinite(retention)
        reserve = floats(table, RESERVE, who) if with_reserve else np.zeros(upper.size)
        known &= np.isfinite(reserve)
        if not known.any():
            raise DataError(
                "no state has an upper potential, a reserve and a retention",
                where=who,
                remedy="give states of a life that finished its reference cycle",
            )
        table = table.filter(known)
        twins = sum(colours[n] == colours[name] for n in list(states)[:i])
        ways.append(
            _Way(
                name,
                colours[name],
                dash(twins),
                floats(table, CYCLE, who),
                upper[known],
                reserve[known],
                retention[known],
                floats(table, DESIRED, who) if DESIRED in table.columns else None,
                end_of_life(table, level_retention),
            )
        )
    return ways


def _draw_way(ax: Axes, way: _Way, along: Array) -> None:
    """Line with ticks, O and F; what comes after F is thin."""
    if way.desired is not None:
        ax.plot(
            along,
            way.desired,
            color=way.colour,
            linestyle=LEVEL_DASH,
            linewidth=0.8,
            zorder=1.9,
            label="_desired",
        )
    end = way.end.cycle_count
    inside = way.cycle <= end
    x = np.append(along[inside], way.at(along, end))
    y = np.append(way.upper[inside], way.at(way.upper, end))
    ax.plot(
        x, y, color=way.colour, linestyle=way.linestyle, linewidth=1.6, label="_way"
    )
    after = way.cycle > end
    if after.any():
        ax.plot(
            np.append(x[-1], along[after]),
            np.append(y[-1], way.upper[after]),
            color=way.colour,
            linestyle=(0, (1.2, 1.6)),
            linewidth=1.0,
            label="_after",
        )
    ticks = _retention_ticks(way)
    ax.plot(
        [way.at(along, c) for c in ticks],
        [way.at(way.upper, c) for c in ticks],
        linestyle="none",
        marker="o",
        markersize=3.2,
        markerfacecolor="white",
        markeredgecolor=way.colour,
        markeredgewidth=0.9,
        zorder=2.6,
        label="_tick",
    )
    _letter(ax, float(x[0]), float(y[0]), "O", way.colour, filled=True)
    _letter(
        ax, float(x[-1]), float(y[-1]), "F", way.colour, filled=not way.end.censored
    )


def _retention_ticks(way: _Way) -> list[float]:
    """Cycles before the end at which another 5 % of the capacity are gone."""
    best = int(np.argmax(way.retention))
    cycle, retention = way.cycle[best:], way.retention[best:]
    levels = np.arange(1.0 - RETENTION_STEP, 0.0, -RETENTION_STEP)
    low = float(retention.min())
    falling = np.minimum.accumulate(retention)
    at = [float(np.interp(-v, -falling, cycle)) for v in levels if low <= v < 1.0]
    return [c for c in at if c < way.end.cycle_count * (1.0 - 1e-9)]


def _letter(
    ax: Axes, x: float, y: float, text: str, colour: str, *, filled: bool
) -> None:
    """A disc that holds its letter: it needs no place beside it."""
    ax.plot(
        [x],
        [y],
        linestyle="none",
        marker="o",
        markersize=LETTER_POINTS,
        markerfacecolor=colour if filled else "white",
        markeredgecolor=colour,
        markeredgewidth=1.0,
        clip_on=False,
        zorder=3.5,
        label=f"_{text}",
    )
    ax.annotate(
        text,
        (x, y),
        ha="center",
        va="center_baseline",
        fontsize=6.5,
        fontweight="bold",
        color="white" if filled else colour,
        annotation_clip=False,
        zorder=4.0,
    )


def _along(ax: Axes, ways: Sequence[_Way], what: str) -> None:
    """Ends and label of the lower axis."""
    if what == "cycle":
        first = min(float(w.cycle[0]) for w in ways)
        cycle_axis([ax], first, max(float(w.cycle[-1]) for w in ways))
        ax.set_xlabel("Cycle")
        return
    most = max(float(w.reserve.max()) for w in ways)
    least = min(0.0, *(float(w.reserve.min()) for w in ways))
    room = 0.04 * max(most - least, 1.0)
    ax.set_xlim(most + room, least - room)
    ax.set_xlabel(axis_label(RESERVE))


def _way_handles(ways: Sequence[_Way], level_retention: float) -> list[Artist]:
    from matplotlib.lines import Line2D

    handles: list[Artist] = []
    for way in ways:
        line = Line2D([], [], color=way.colour, linewidth=1.6)
        line.set(linestyle=way.linestyle, label=_way_label(way, level_retention))
        handles.append(line)
    tick = Line2D([], [], linestyle="none", marker="o", markersize=3.2, color=GREY)
    tick.set(fillstyle="none", label=f"every {100 * RETENTION_STEP:g} % of retention")
    handles.append(tick)
    if any(way.desired is not None for way in ways):
        text = "with an endless negative"
        handles.append(
            Line2D([], [], color=GREY, linestyle=LEVEL_DASH, linewidth=0.8, label=text)
        )
    return handles


def _way_label(way: _Way, level_retention: float) -> str:
    end = way.end
    if end.censored:
        percent = f"{100.0 * float(way.retention[-1]):.0f} %, end of the run"
    else:
        percent = f"{100.0 * level_retention:g} %"
    return f"{way.label}, F: {percent}, cycle {end.cycle_count:.0f}"
