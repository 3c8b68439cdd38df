"""Compensation ledger: capacity lost by cause, and given back by the reserve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError
from equipoise.core.units import unit_symbol
from equipoise.viz.cycling_axes import legend_below
from equipoise.viz.labels import floats
from equipoise.viz.simulation_axes import head
from equipoise.viz.style import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
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

CYCLE, CAUSE = "cycle_count", "cause"
LOSS = "loss_mah_per_g_positive"
LOWEST, HIGHEST = "lowest_mah_per_g_positive", "highest_mah_per_g_positive"
GIVEN_BACK = "given_back_mah_per_g_positive"
COLOURS = {
    "positive isolation": VERMILLION,
    "positive contact loss": ORANGE,
    "positive film": PURPLE,
    "positive diffusion length": "#F0E442",
    "negative wear": GREEN,
    "negative isolation": GREEN,
    "negative contact loss": "#66C5AB",
    "negative film": "#004D38",
    "negative diffusion length": "#B3E2D5",
    "slippage": BLUE,
}
"""Of the causes of `sim.life.counterfactual`; the same in every figure."""
OTHER_COLOURS = (SKY, BLACK, GREY)
LOST_COLOUR = "#C9C9C9"
MOST_LIVES = 3
MOST_STATES = {1: 10, 2: 6, 3: 4}
"""Pairs of bars in a panel, by the number of panels."""
WIDTH = 0.4
"""Of a bar, in distances of two states; two stand beside each other."""
ROOM_SHARE = 0.04
SMALL_SHARE = 0.02
"""Of the axis: segments that are lower have no whisker, it would hide them."""


def life_ledger(
    causes: Mapping[str, pl.DataFrame], states: Mapping[str, pl.DataFrame]
) -> Figure:
    """Draw two bars per state of a life: what was lost to which cause, and the whole.

    Left the causes are stacked; what a cause brings instead of costing is below zero.
    Right the loss, and on top of it, hatched, what the reserve gave back: together what
    the same wear would have cost without it, as the table reckons it. Where the
    negative took instead of giving, the hatched part is inside the loss. Whiskers:
    lowest and highest share of a cause, whatever other causes are undone first.

    Parameters
    ----------
    causes
        By name of the life: `cycle_count`, `cause`, `loss_mah_per_g_positive` and, for
        whiskers, `lowest_mah_per_g_positive`, `highest_mah_per_g_positive`; as
        `sim.life.ledger.Ledger.table` is.
    states
        By the same names: `cycle_count`, `loss_mah_per_g_positive`,
        `given_back_mah_per_g_positive`; as `Ledger.reserve` is.

    Raises
    ------
    DataError
        If there is no life, a column is missing, or a life has no state in both.
    SpecError
        If there are more than three lives, or the names differ.
    """
    _check(causes, states)
    cycles = {n: _shown(n, causes[n], states[n], len(causes)) for n in causes}
    colours = _colours(causes)
    with style():
        figure = new_figure(86.0, width_mm=DOUBLE_COLUMN_MM)
        axes: list[Axes] = list(
            figure.subplots(
                1,
                len(causes),
                squeeze=False,
                sharey=True,
                width_ratios=[len(c) + 0.6 for c in cycles.values()],
            )[0]
        )
        for ax, name in zip(axes, causes, strict=True):
            _stack(ax, causes[name], cycles[name], colours)
            _whole(ax, states[name], cycles[name])
            _states_axis(ax, cycles[name])
            if len(axes) > 1:
                ax.set_title(name)
        for ax, name in zip(axes, causes, strict=True):  # on the axis that all share
            _whiskers(ax, causes[name], cycles[name], list(colours))
        _fit(axes)
        axes[0].set_ylabel(f"Discharge capacity / {unit_symbol(LOSS)}")
        if len(axes) > 1:
            letter_panels(axes)
        head(figure, "Lost by cause (left bars) and in all (right bars)")
        legend_below(figure, _handles(causes, states, colours))
    return figure


def _check(
    causes: Mapping[str, pl.DataFrame], states: Mapping[str, pl.DataFrame]
) -> None:
    if not causes:
        raise DataError(
            "there is no ledger to draw",
            where="life_ledger",
            remedy="give the tables of at least one life, by name",
        )
    if set(causes) != set(states):
        raise SpecError(
            f"causes are of {', '.join(causes)}; states of {', '.join(states)}",
            where="life_ledger",
            remedy="give both tables of each life",
        )
    if len(causes) > MOST_LIVES:
        raise SpecError(
            f"{len(causes)} ledgers side by side cannot be read, at most "
            f"{MOST_LIVES} can",
            where="life_ledger",
            remedy="draw several figures",
        )


def _shown(
    name: str, causes: pl.DataFrame, states: pl.DataFrame, panels_count: int
) -> list[float]:
    """Cycles of the states in both tables, spread evenly if there are many."""
    who = f"life_ledger, {name}"
    both = np.intersect1d(floats(causes, CYCLE, who), floats(states, CYCLE, who))
    if not both.size:
        raise DataError(
            "no state is in both tables",
            where=who,
            remedy="give Ledger.table and Ledger.reserve of the same ledger",
        )
    most = min(MOST_STATES[panels_count], both.size)
    kept = np.unique(np.round(np.linspace(0, both.size - 1, most)).astype(int))
    return [float(both[i]) for i in kept]


def _colours(causes: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """Colour of each cause, in the order of the legend and of the stacks."""
    found: dict[str, str] = {}
    for name, table in causes.items():
        if CAUSE not in table.columns:
            raise DataError(
                f"the table has no column {CAUSE!r}",
                where=f"life_ledger, {name}",
                remedy=f"it has: {', '.join(table.columns)}",
            )
        for cause in table[CAUSE].unique(maintain_order=True).to_list():
            others = sum(c not in COLOURS for c in found)
            other = OTHER_COLOURS[others % len(OTHER_COLOURS)]
            found.setdefault(str(cause), COLOURS.get(str(cause), other))
    return found


def _of(table: pl.DataFrame, cycle: float, cause: str, column: str) -> float:
    """A value of one state and cause; 0 if it is not in the table."""
    import polars as pl

    rows = table.filter((pl.col(CYCLE) == cycle) & (pl.col(CAUSE) == cause))
    values = floats(rows, column, "life_ledger")
    return float(values[0]) if values.size and np.isfinite(values[0]) else 0.0


def _bases(
    table: pl.DataFrame, cycle: float, order: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """Where the segment of each cause begins, and how high it is."""
    up, down = 0.0, 0.0
    found: dict[str, tuple[float, float]] = {}
    for cause in order:
        height = _of(table, cycle, cause, LOSS)
        found[cause] = (up if height >= 0.0 else down, height)
        up, down = up + max(height, 0.0), down + min(height, 0.0)
    return found


def _stack(
    ax: Axes, table: pl.DataFrame, cycles: Sequence[float], colours: Mapping[str, str]
) -> None:
    for i, cycle in enumerate(cycles):
        for cause, (base, height) in _bases(table, cycle, list(colours)).items():
            ax.bar(
                i - 0.5 * WIDTH,
                height,
                WIDTH,
                bottom=base,
                color=colours[cause],
                linewidth=0,
                label=f"_{cause}",
            )


def _whole(ax: Axes, table: pl.DataFrame, cycles: Sequence[float]) -> None:
    import polars as pl

    for i, cycle in enumerate(cycles):
        row = table.filter(pl.col(CYCLE) == cycle)
        lost = float(floats(row, LOSS, "life_ledger")[0])
        given = float(floats(row, GIVEN_BACK, "life_ledger")[0])
        at = i + 0.5 * WIDTH
        ax.bar(at, lost, WIDTH, color=LOST_COLOUR, linewidth=0, label="_lost")
        if np.isfinite(given):
            ax.bar(
                at,
                given,
                WIDTH,
                bottom=lost,
                facecolor="white" if given >= 0.0 else "none",
                edgecolor=BLACK,
                linewidth=0.7,
                hatch="////" if given >= 0.0 else "xxxx",
                label="_given_back" if given >= 0.0 else "_taken",
            )
    ax.axhline(0.0, color=BLACK, linewidth=0.6, zorder=2.5)


def _whiskers(
    ax: Axes, table: pl.DataFrame, cycles: Sequence[float], order: Sequence[str]
) -> None:
    """Ranges of the shares, beside each other within the bar."""
    if LOWEST not in table.columns or HIGHEST not in table.columns:
        return
    low_end, high_end = ax.get_ylim()
    for i, cycle in enumerate(cycles):
        shown = [
            (cause, base)
            for cause, (base, height) in _bases(table, cycle, order).items()
            if abs(height) > SMALL_SHARE * (high_end - low_end)
        ]
        for k, (cause, base) in enumerate(shown):
            low, high = (_of(table, cycle, cause, c) for c in (LOWEST, HIGHEST))
            at = i - WIDTH + WIDTH * (k + 1.0) / (len(shown) + 1.0)
            ax.errorbar(
                at,
                base + 0.5 * (low + high),
                0.5 * abs(high - low),
                fmt="none",
                ecolor=BLACK,
                elinewidth=0.8,
                capsize=1.5,
                capthick=0.8,
                label="_range",
            )


def _fit(axes: Sequence[Axes]) -> None:
    """Room over the bars, and under them if any are below zero."""
    ends = np.concatenate([ax.dataLim.intervaly for ax in axes])
    room = ROOM_SHARE * float(np.ptp(ends))
    low = float(ends.min())
    axes[0].set_ylim(low - room if low < 0.0 else 0.0, float(ends.max()) + room)


def _states_axis(ax: Axes, cycles: Sequence[float]) -> None:
    ax.set_xticks(range(len(cycles)), [f"{c:.0f}" for c in cycles])
    ax.tick_params(axis="x", length=0)
    ax.set_xlim(-0.6, len(cycles) - 0.4)
    ax.set_xlabel("Cycle")


def _handles(
    causes: Mapping[str, pl.DataFrame],
    states: Mapping[str, pl.DataFrame],
    colours: Mapping[str, str],
) -> list[Artist]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [
        Patch(color=colour, linewidth=0, label=cause)
        for cause, colour in colours.items()
    ]
    handles.append(Patch(color=LOST_COLOUR, linewidth=0, label="lost in all"))
    given = np.concatenate([floats(t, GIVEN_BACK, n) for n, t in states.items()])
    for some, face, hatch, text in (
        ((given >= 0.0).any(), "white", "////", "given back by the reserve"),
        ((given < 0.0).any(), LOST_COLOUR, "xxxx", "of it taken by the negative"),
    ):
        if some:
            patch = Patch(facecolor=face, edgecolor=BLACK, hatch=hatch, label=text)
            patch.set_linewidth(0.7)
            handles.append(patch)
    if any(LOWEST in t.columns and HIGHEST in t.columns for t in causes.values()):
        text = "lowest and highest share of a cause"
        handles.append(
            Line2D([], [], color=BLACK, marker="|", markersize=4.0, lw=0.8, label=text)
        )
    return handles
