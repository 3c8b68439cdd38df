"""Capacity and Coulombic efficiency of cycled cells, as in zhang2026, Fig. 2c, d, 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.kinds import KINDS, like_cycles
from equipoise.analysis.replicates import mean_over_replicates
from equipoise.analysis.retention import CycleLife, Reference, cycle_life
from equipoise.core.errors import DataError
from equipoise.viz.cycling_axes import (
    DIRECTIONS,
    KIND_MARKERS,
    Band,
    Scale,
    bands,
    capacity_scale,
    counted,
    cycle_axis,
    legend_below,
    marker_size,
    remark,
    robust_limits,
)
from equipoise.viz.labels import floats
from equipoise.viz.style import GREY, letter_panels, new_figure, style

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.study.measured_cell import CellData
    from equipoise.viz.simulation_runs import Dash

Array = NDArray[np.float64]

EFFICIENCY = "coulombic_efficiency"
LEAST_EFFICIENCY_PERCENT = 0.2
"""Smallest height of the axis of the efficiency: cyclers are good to some 0.02 %."""
PANEL_MM = 160.0
"""Width of a panel on paper, about."""
FROM_ZERO_SHARE = 0.35
"""An axis whose lowest value is below this share of the highest begins at 0."""
LEAST_OPEN_MARKER = 2.4
PARTIAL = ("pulse", "eis", "rest")
"""Kinds that need no charge and discharge of like size."""


class _Rule(NamedTuple):
    """Which cycles are alike, and when their life ends."""

    column: str
    kinds: tuple[str, ...]
    threshold_retention: float | None
    reference: Reference


@dataclass(frozen=True, slots=True)
class _Group:
    """A band with its like cycles and lives."""

    band: Band
    like: tuple[pl.DataFrame, ...]
    rest: tuple[pl.DataFrame, ...]
    lives: tuple[CycleLife, ...]

    @property
    def n(self) -> int:
        """Cells that the mean is of; all of them if no cell has like cycles."""
        return sum(t.height > 0 for t in self.like) or len(self.like)

    @property
    def averaged(self) -> bool:
        """Whether several cells have a like cycle in common."""
        having = [t for t in self.like if t.height]
        counts = [set(t["cycle_count"].to_list()) for t in having]
        return len(having) > 1 and bool(set.intersection(*counts))


def capacity_and_efficiency(
    cells: Sequence[CellData],
    *,
    quantity: str = "discharging",
    groups: bool = True,
    kinds: Sequence[str] = ("ageing",),
    threshold_retention: float | None = 0.8,
    reference: Reference = "auto",
) -> Figure:
    """Draw capacity, and below it Coulombic efficiency, of every cycle.

    Like cycles are joined. Of a group of cells the mean is drawn where all of them
    have the cycle, with ± one standard deviation (n - 1) shaded, and the cells as thin
    lines. Other cycles are small open markers, by kind. Efficiencies far from those of
    like cycles are triangles at the frame, and counted.

    Parameters
    ----------
    cells
        Capacities are per gram if all of them know their mass, else in Ah or mAh.
    quantity
        "discharging" or "charging".
    groups
        Gather cells by the group of their record; else each on its own.
    kinds
        Of the cycles that are alike; see `analysis.kinds`.
    threshold_retention, reference
        Of the dashed line and the cycle lives, as in `analysis.retention.cycle_life`;
        an open triangle at the end of the test: not reached. None: no line.

    Raises
    ------
    DataError
        If there is no cell or no capacity, or a cell is in its group twice.
    SpecError
        If an argument is not what it may be.
    """
    gathered = bands(cells, groups=groups)
    capacity = capacity_scale(cells, quantity)
    rule = _Rule(capacity.column, tuple(kinds), threshold_retention, reference)
    found = [_group(band, rule) for band in gathered]
    efficiency = _efficiency_scale(cells)
    with style():
        figure = new_figure(72.0 if efficiency is None else 118.0)
        rows = 1 if efficiency is None else 2
        axes: list[Axes] = list(
            figure.subplots(
                rows, 1, squeeze=False, sharex=True, height_ratios=(1.6, 1.0)[:rows]
            )[:, 0]
        )
        first, last = _range(found)
        size = marker_size(last - first + 1.0, PANEL_MM)
        for group in found:
            _draw(axes[0], group, capacity, size)
            _mark_lives(axes[0], group, capacity, last)
        _from_zero(axes[0])
        axes[0].set_ylabel(capacity.label)
        _count_missing(axes[0], found, capacity, quantity)
        if efficiency is not None:
            for group in found:
                _draw(axes[1], group, efficiency, max(0.7 * size, 2.0), joined=False)
            _zoom(axes[1], found, efficiency)
            axes[1].set_ylabel(efficiency.label)
        cycle_axis(axes, first, last)
        axes[-1].set_xlabel("Cycle")
        if efficiency is not None:
            letter_panels(axes)
        legend_below(figure, _handles(found, capacity, threshold_retention))
    return figure


def _group(band: Band, rule: _Rule) -> _Group:
    """Like cycles, the others, and the life of each cell."""
    like: list[pl.DataFrame] = []
    rest: list[pl.DataFrame] = []
    lives: list[CycleLife] = []
    for cell in band.cells:
        try:
            table = cell.cycles.sort("cycle_count")
            alike = like_cycles(table, rule.kinds)
            known = np.isfinite(floats(alike, rule.column, "capacity_and_efficiency"))
            alike = alike.filter(known)
            if rule.threshold_retention is not None and alike.height > 1:
                lives.append(_life(cell.cycles, rule, rule.threshold_retention))
        except DataError as error:
            where = f"{cell.name}: {error.where}" if error.where else cell.name
            raise DataError(error.message, where=where, remedy=error.remedy) from error
        like.append(alike)
        rest.append(table.join(alike, on="cycle_count", how="anti"))
    return _Group(band, tuple(like), tuple(rest), tuple(lives))


def _life(cycles: pl.DataFrame, rule: _Rule, threshold_retention: float) -> CycleLife:
    return cycle_life(
        cycles,
        threshold_retention=threshold_retention,
        reference=rule.reference,
        quantity=rule.column,
        kinds=rule.kinds,
    )


def _efficiency_scale(cells: Sequence[CellData]) -> Scale | None:
    """None if no cell has an efficiency."""
    having = [c for c in cells if EFFICIENCY in c.cycles.columns]
    values = [floats(c.cycles, EFFICIENCY, "figure of cycles") for c in having]
    if not any(np.isfinite(v).any() for v in values):
        return None
    ways = {c.record.efficiency for c in having}
    how = "" if ways == {"discharge/charge"} else f" ({' or '.join(sorted(ways))})"
    return Scale(EFFICIENCY, 100.0, f"Coulombic efficiency{how} / %")


def _range(groups: Sequence[_Group]) -> tuple[float, float]:
    counts = np.concatenate(
        [
            floats(c.cycles, "cycle_count", "cycles")
            for g in groups
            for c in g.band.cells
        ]
    )
    return float(counts.min()), float(counts.max())


def _draw(
    ax: Axes, group: _Group, scale: Scale, size: float, *, joined: bool = True
) -> None:
    """Like cycles of each cell, their mean, and the other cycles."""
    band = group.band
    dashes = band.linestyle if joined else "none"
    series = [
        (x, y)
        for table in group.like
        if scale.column in table.columns
        for x, y in [_known(table, scale)]
        if x.size
    ]
    alone = len(series) == 1 or not group.averaged
    for x, y in series:
        ax.plot(
            x,
            y,
            color=band.colour,
            linestyle=dashes if alone or not joined else "-",
            linewidth=1.2 if alone else 0.5,
            marker="o",
            markersize=size if alone else 0.4 * size,
            markeredgewidth=0.0,
            alpha=1.0 if alone else 0.6,
            zorder=2.5 if alone else 2.2,
            label="_cell",
        )
    if len(series) > 1:
        _draw_mean(ax, group, scale, size, dashes)
    for table in group.rest:
        if scale.column in table.columns:
            _draw_rest(ax, band, table, scale, size)


def _known(table: pl.DataFrame, scale: Scale) -> tuple[Array, Array]:
    x, y = floats(table, "cycle_count", "cycles"), scale.of(table)
    known = np.isfinite(y)
    return x[known], y[known]


def _draw_mean(
    ax: Axes, group: _Group, scale: Scale, size: float, dashes: Dash
) -> None:
    """Mean and deviation of the cycles that all cells of the group have."""
    tables = {
        str(i): t
        for i, t in enumerate(group.like)
        if scale.column in t.columns and _known(t, scale)[0].size
    }
    mean = mean_over_replicates(tables, scale.column, kinds=None)
    mean = mean.filter(mean["cells_count"] == len(tables))
    x = floats(mean, "cycle_count", "cycles")
    y = scale.unit_ratio * floats(mean, f"mean_{scale.column}", "mean")
    off = scale.unit_ratio * floats(mean, f"standard_deviation_{scale.column}", "mean")
    band = group.band
    if x.size > 1:
        ax.fill_between(
            x, y - off, y + off, color=band.colour, alpha=0.22, linewidth=0, zorder=2.1
        )
    elif x.size:
        ax.errorbar(x, y, off, color=band.colour, capsize=2.0, linestyle="none")
    ax.plot(
        x,
        y,
        color=band.colour,
        linestyle=dashes,
        marker="o",
        markersize=size,
        markeredgewidth=0.0,
        zorder=2.6,
        label="_mean",
    )


def _draw_rest(
    ax: Axes, band: Band, table: pl.DataFrame, scale: Scale, size: float
) -> None:
    kinds = _kinds(table)
    for kind in np.unique(kinds):
        x, y = _known(table.filter(kinds == kind), scale)
        if x.size == 0:
            continue
        ax.plot(
            x,
            y,
            linestyle="none",
            marker=KIND_MARKERS[kind],
            markersize=max(size, LEAST_OPEN_MARKER),
            markeredgecolor=band.colour,
            markeredgewidth=0.6,
            fillstyle="none",
            zorder=2.4,
            label=f"_{kind}",
        )


def _kinds(table: pl.DataFrame) -> NDArray[np.str_]:
    """Kind of each cycle; what should be whole and is not, is incomplete."""
    rows = table.select("cycle_kind", "complete").iter_rows()
    kinds = ((k if k in KIND_MARKERS else "other", whole) for k, whole in rows)
    return np.array(
        [k if whole or k in PARTIAL else "incomplete" for k, whole in kinds], dtype=str
    )


def _mark_lives(ax: Axes, group: _Group, scale: Scale, last: float) -> None:
    """The threshold of the group from its reference on, and the life of each cell."""
    if not group.lives:
        return
    colour = group.band.colour
    levels = [x.threshold_retention * _reference(x, scale) for x in group.lives]
    start = min(x.reference_cycle_count for x in group.lives)
    ax.plot(
        [start, last],
        [np.mean(levels)] * 2,
        color=colour,
        linestyle=(0, (4.0, 2.5)),
        linewidth=0.7,
        zorder=1.9,
        label="_threshold",
    )
    for life, level in zip(group.lives, levels, strict=True):
        reached = not life.censored
        ax.plot(
            [life.absolute_life_cycle_count if reached else _end(life)],
            [level],
            linestyle="none",
            marker="D" if reached else ">",
            markersize=5.0 if reached else 6.0,
            markerfacecolor=colour if reached else "white",
            markeredgecolor="black" if reached else colour,
            markeredgewidth=0.7,
            clip_on=False,
            zorder=3.5,
            label="_life" if reached else "_censored",
        )


def _reference(life: CycleLife, scale: Scale) -> float:
    """Capacity that is 100 %, as drawn."""
    if scale.column.endswith("_positive"):
        return scale.unit_ratio * life.reference_capacity_mah_per_g_positive
    return scale.unit_ratio * life.reference_capacity_ah


def _end(life: CycleLife) -> float:
    return float(life.reference_cycle_count + life.last_cycle_count)


def _from_zero(ax: Axes) -> None:
    """Begin at zero where most of the way to it is taken anyway."""
    low, high = ax.get_ylim()
    if low < FROM_ZERO_SHARE * high:
        ax.set_ylim(bottom=0.0)


def _count_missing(
    ax: Axes, groups: Sequence[_Group], scale: Scale, quantity: str
) -> None:
    """Say how many cycles have no capacity to draw."""
    missing = 0
    for group in groups:
        for table in group.rest:
            missing += int(np.isnan(scale.of(table)).sum())
    if missing:
        remark(ax, f"{counted(missing, 'cycle')} without {_noun(quantity)} not drawn")


def _noun(quantity: str) -> str:
    return DIRECTIONS[quantity].lower()


def _zoom(ax: Axes, groups: Sequence[_Group], scale: Scale) -> None:
    """Fit the axis to like cycles; what is beyond becomes triangles at the frame."""
    tables = [(g, t) for g in groups for t in g.like + g.rest]
    having = [(g, t) for g, t in tables if scale.column in t.columns]
    like = [scale.of(t) for g in groups for t in g.like if scale.column in t.columns]
    ordinary = np.concatenate(like) if like else np.empty(0)
    if not np.isfinite(ordinary).any():
        ordinary = np.concatenate([scale.of(t) for _, t in having])
    low, high = robust_limits(ordinary, least=LEAST_EFFICIENCY_PERCENT)
    ax.set_ylim(low, high)
    off = 0
    for group, table in having:
        x, y = _known(table, scale)
        for beyond, edge, marker in ((y > high, 1.0, "^"), (y < low, 0.0, "v")):
            off += int(beyond.sum())
            if not beyond.any():
                continue
            ax.plot(
                x[beyond],
                np.full(beyond.sum(), edge),
                linestyle="none",
                marker=marker,
                markersize=3.5,
                markeredgecolor=group.band.colour,
                markeredgewidth=0.6,
                fillstyle="none",
                transform=ax.get_xaxis_transform(),
                clip_on=False,
                zorder=3.0,
                label="_off_scale",
            )
    if off:
        remark(ax, f"{counted(off, 'cycle')} off scale: triangles at the frame")


def _handles(
    groups: Sequence[_Group], scale: Scale, threshold_retention: float | None
) -> list[Artist]:
    """Groups with their number of cells and lives; spread, threshold and kinds."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = [_line(g, threshold_retention) for g in groups]
    if any(g.averaged for g in groups):
        handles.append(
            Patch(color=GREY, alpha=0.3, linewidth=0, label="mean ± SD of the cells")
        )
    if threshold_retention is not None and any(g.lives for g in groups):
        text = f"{100.0 * threshold_retention:g} % of the reference cycle"
        handles.append(
            Line2D([], [], color=GREY, linestyle=(0, (4.0, 2.5)), lw=0.7, label=text)
        )
        censored = {x.censored for g in groups for x in g.lives}
        if False in censored:
            handles.append(_marker("D", "cycle life", filled=True))
        if True in censored:
            handles.append(_marker(">", "life not reached in the test"))
    drawn = {
        str(kind)
        for g in groups
        for t in g.rest
        for kind in np.unique(_kinds(t)[np.isfinite(scale.of(t))])
    }
    return handles + [_marker(KIND_MARKERS[k], k) for k in KINDS if k in drawn]


def _line(group: _Group, threshold_retention: float | None) -> Artist:
    from matplotlib.lines import Line2D

    line = Line2D([], [], color=group.band.colour, marker="o", markersize=3.5)
    joined = any(t.height for t in group.like)
    line.set(linestyle=group.band.linestyle if joined else "none", markeredgewidth=0.0)
    line.set_label(_label(group, threshold_retention))
    return line


def _marker(marker: str, label: str, *, filled: bool = False) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="none", marker=marker, color=GREY, markersize=4.0,
        fillstyle="full" if filled else "none", markeredgewidth=0.7, label=label,
    )  # fmt: skip


def _label(group: _Group, threshold_retention: float | None) -> str:
    """Name, number of cells and cycle lives of a group."""
    text = f"{group.band.label} (n = {group.n})"
    if threshold_retention is None or not group.lives:
        return text
    lives = sorted(
        (x.lower_bound_cycle_count if x.censored else x.life_cycle_count, x.censored)
        for x in group.lives
    )
    ends = list(dict.fromkeys((lives[0], lives[-1])))
    told = " to ".join(f"{'> ' if c else ''}{n:.0f}" for n, c in ends)
    return f"{text}, {100.0 * threshold_retention:g} % after {told} cycles"
