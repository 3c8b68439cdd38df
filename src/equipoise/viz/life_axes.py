"""What the figures of lives share: which cycles, ends of life, bands, open markers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError
from equipoise.viz.cycling_axes import counted, marker_size, remark, robust_limits
from equipoise.viz.labels import floats
from equipoise.viz.style import GREY, cell_colours, dash

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from equipoise.viz.simulation_runs import Dash

Array = NDArray[np.float64]
Lives = Mapping[str, "pl.DataFrame"]
"""`Life.cycles` of each life, by name."""
Members = Mapping[str, Sequence["pl.DataFrame"]]
"""`Life.cycles` of the members of an ensemble, by name of the life they belong to."""

CAPACITY = "discharging_capacity_mah_per_g_positive"
CYCLE, RETENTION = "cycle_count", "discharge_retention"
AGEING, SETTLED = "is_ageing_cycle", "is_settled"
DEVIATION = "standard_deviation_"
"""Before the name of a column of measured points: their error bars."""
CALIBRATED = "is_calibrated"
"""Column of measured points: true where the model was calibrated on them."""
BAND_PERCENT = (5.0, 95.0)
BAND_ALPHA = 0.2
EVEN_COUNT = 400
"""Cycles, evenly spread, that an axis is fitted to: a life with jumps has most of its
solved cycles at the start."""
FEW_CYCLES = 100
"""Solved cycles up to which each has a dot: a life with jumps shows where it stood."""
DOT_POINTS = 2.4
OPEN_POINTS = 3.2
MEASURED_POINTS = 4.5
NARROW_TICKS = 4
LEVEL_DASH = (0, (4.0, 2.5))


class End(NamedTuple):
    """Where the retention of a life passes a level.

    Attributes
    ----------
    cycle_count
        In the numbers of the test; the last cycle if `censored`.
    life_cycle_count
        The same, the reference cycle being number 1.
    censored
        The level was not reached.
    """

    cycle_count: float
    life_cycle_count: float
    censored: bool


@dataclass(frozen=True, slots=True)
class LifeLine:
    """A life and how it is drawn.

    Attributes
    ----------
    whole
        All rows, settling ones included.
    ageing, rest
        Settled cycles of the kind of most cycles, and of other kinds.
    members
        Settled ageing cycles of each member of its ensemble.
    whole_members
        All rows of them.
    """

    label: str
    colour: str
    linestyle: Dash
    whole: pl.DataFrame
    ageing: pl.DataFrame
    rest: pl.DataFrame
    members: tuple[pl.DataFrame, ...]
    whole_members: tuple[pl.DataFrame, ...]

    @property
    def has_reference(self) -> bool:
        """Whether the cycle that is 100 % was reached."""
        return np.isfinite(reference_capacity(self))


def life_lines(
    lives: Lives,
    *,
    needs: Sequence[str],
    members: Members | None = None,
    needed_by: str,
) -> list[LifeLine]:
    """Sort the cycles of each life, give it a colour, and a dash if colours repeat.

    Cycles that settle after a jump (`is_settled` false) are left out. Tables without
    the columns `is_settled` and `is_ageing_cycle` are taken as they are.

    Raises
    ------
    DataError
        If there is no life, a column is missing, or no settled cycle is left.
    SpecError
        If members are of a life that is not drawn.
    """
    if not lives:
        raise DataError(
            "there is no life to draw",
            where=needed_by,
            remedy="give Life.cycles of at least one, by name",
        )
    known_names(members or {}, lives, what="members")
    colours = cell_colours(lives)
    out: list[LifeLine] = []
    for i, (name, table) in enumerate(lives.items()):
        mine = tuple((members or {}).get(name, ()))
        for one in (table, *mine):
            for column in (CYCLE, *needs):
                floats(one, column, f"{needed_by}, {name}")
        ageing, rest = settled_cycles(table)
        if not (ageing.height or rest.height):
            raise DataError(
                "no settled cycle is in the table",
                where=f"{needed_by}, {name}",
                remedy="give Life.cycles of a life that finished a cycle",
            )
        names = list(lives)[:i]
        twins = sum(colours[other] == colours[name] for other in names)
        inside = tuple(settled_cycles(m)[0] for m in mine)
        line = LifeLine(
            name, colours[name], dash(twins), table, ageing, rest, inside, mine
        )
        out.append(line)
    return out


def known_names(given: Mapping[str, object], lives: Lives, *, what: str) -> None:
    """Refuse what belongs to a life that is not drawn.

    Raises
    ------
    SpecError
        Naming it.
    """
    unknown = [n for n in given if n not in lives]
    if unknown:
        raise SpecError(
            f"{what} of {unknown[0]!r}, which is not drawn",
            remedy=f"drawn are: {', '.join(lives)}",
        )


def settled_cycles(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Settled cycles of the ageing kind, and settled ones of other kinds, in order."""
    import polars as pl

    rows = table.sort(CYCLE)
    if SETTLED in rows.columns:
        rows = rows.filter(pl.col(SETTLED))
    if AGEING not in rows.columns:
        return rows, rows.clear()
    return rows.filter(pl.col(AGEING)), rows.filter(~pl.col(AGEING))


def reference_capacity(line: LifeLine) -> float:
    """Capacity that is 100 %, in mAh per gram of positive; NaN if not known."""
    capacity = floats(line.ageing, CAPACITY, line.label)
    ratio = capacity / floats(line.ageing, RETENTION, line.label)
    known = ratio[np.isfinite(ratio)]
    return float(np.median(known)) if known.size else float("nan")


def end_of_life(table: pl.DataFrame, level_retention: float) -> End:
    """Cycle at which the discharge retention falls below a level, interpolated.

    As `Life.cycle_life`; a life that stopped below the level stopped at its last row,
    settled or not.

    Raises
    ------
    DataError
        If the table has no retention.
    """
    import polars as pl

    rows = table.sort(CYCLE)
    if AGEING in rows.columns:
        rows = rows.filter(pl.col(AGEING))
    who = "end of life"
    cycle, retention = floats(rows, CYCLE, who), floats(rows, RETENTION, who)
    if not np.isfinite(retention).any():
        raise DataError(
            "no cycle has a discharge retention",
            where=who,
            remedy="give a table whose reference cycle was finished",
        )
    first = cycle[0]
    if SETTLED in rows.columns:
        settled = rows[SETTLED].to_numpy().astype(bool)
        settled[-1] |= bool(retention[-1] < level_retention)
        cycle, retention = cycle[settled], retention[settled]
    below = np.flatnonzero(~(retention >= level_retention))
    if not below.size:
        return End(float(cycle[-1]), float(cycle[-1] - first + 1.0), censored=True)
    i = int(below[0])
    at = float(cycle[i])
    if i > 0 and np.isfinite(retention[i]):
        part = (retention[i - 1] - level_retention) / (retention[i - 1] - retention[i])
        at = float(cycle[i - 1] + part * (cycle[i] - cycle[i - 1]))
    return End(at, at - float(first) + 1.0, censored=False)


def ends_between(ends: Sequence[End]) -> tuple[float, float]:
    """5 and 95 % of the ends of an ensemble; infinity where it was not reached."""
    at = [float("inf") if e.censored else e.cycle_count for e in ends]
    low, high = np.percentile(at, BAND_PERCENT, method="inverted_cdf")
    return float(low), float(high)


def points(table: pl.DataFrame, column: str, factor: float) -> tuple[Array, Array]:
    """Cycle and value, where there is one."""
    x, y = floats(table, CYCLE, column), factor * floats(table, column, column)
    known = np.isfinite(y)
    return x[known], y[known]


def band(line: LifeLine, column: str, factor: float) -> tuple[Array, Array, Array]:
    """Cycle, 5 and 95 % of the ensemble there; only where no member has ended."""
    x, _ = points(line.ageing, column, factor)
    found = [points(m, column, factor) for m in line.members]
    found = [f for f in found if f[0].size]
    if len(found) < 2:
        return np.empty(0), np.empty(0), np.empty(0)
    first, last = max(f[0][0] for f in found), min(f[0][-1] for f in found)
    at = np.union1d(x[(x >= first) & (x <= last)], [first, last])
    low, high = np.percentile([np.interp(at, *f) for f in found], BAND_PERCENT, axis=0)
    return at, low, high


def draw_life(
    ax: Axes, line: LifeLine, column: str, *, factor: float = 1.0, inside: bool = False
) -> None:
    """Band of the ensemble, line of the ageing cycles, open markers of the others.

    Parameters
    ----------
    inside
        Leave out what is beyond the axis, fitted before; see `mark_beyond`.
    """
    least, most = ax.get_ylim() if inside else (-np.inf, np.inf)
    at, low, high = band(line, column, factor)
    if at.size:
        ax.fill_between(
            at, low, high, color=line.colour, alpha=BAND_ALPHA, linewidth=0, zorder=2.0
        )
    x, y = points(line.ageing, column, factor)
    ax.plot(
        x,
        np.where((y >= least) & (y <= most), y, np.nan),
        color=line.colour,
        linestyle=line.linestyle,
        linewidth=1.2,
        marker="o" if x.size <= FEW_CYCLES else "",
        markersize=DOT_POINTS,
        markeredgewidth=0.0,
        zorder=2.5,
        label="_life",
    )
    if line.rest.height:
        x, y = points(line.rest, column, factor)
        ax.plot(
            x,
            np.where((y >= least) & (y <= most), y, np.nan),
            linestyle="none",
            marker="s",
            markersize=OPEN_POINTS,
            markeredgecolor=line.colour,
            markeredgewidth=0.6,
            fillstyle="none",
            zorder=2.4,
            label="_rest",
        )


def draw_measured(
    ax: Axes,
    table: pl.DataFrame,
    column: str,
    colour: str,
    *,
    factor: float = 1.0,
    width_mm: float,
) -> None:
    """Points with error bars; filled where the model was calibrated on them."""
    if column not in table.columns:
        return
    x, y = floats(table, CYCLE, column), factor * floats(table, column, column)
    known = np.isfinite(y)
    used = np.zeros(x.size, dtype=bool)
    if CALIBRATED in table.columns:
        used = table[CALIBRATED].fill_null(value=False).to_numpy().astype(bool)
    size = max(marker_size(float(x.size), width_mm), 2.0)
    size = MEASURED_POINTS if x.size <= FEW_CYCLES else size
    if f"{DEVIATION}{column}" in table.columns:
        off = factor * floats(table, f"{DEVIATION}{column}", column)
        some = known & np.isfinite(off)
        ax.errorbar(
            x[some],
            y[some],
            off[some],
            fmt="none",
            ecolor=colour,
            elinewidth=0.8,
            capsize=2.0,
            zorder=2.9,
        )
    for chosen, fill in ((known & used, colour), (known & ~used, "white")):
        if chosen.any():
            ax.plot(
                x[chosen],
                y[chosen],
                linestyle="none",
                marker="D",
                markersize=size,
                markerfacecolor=fill,
                markeredgecolor="black" if fill == colour else colour,
                markeredgewidth=0.6 if fill == colour else 0.9,
                clip_on=False,
                zorder=3.0,
                label="_measured",
            )


def fit_axis(
    ax: Axes,
    lines: Sequence[LifeLine],
    column: str,
    *,
    factor: float = 1.0,
    least: float,
    also: Sequence[Array] = (),
) -> None:
    """Fit the axis to most ageing cycles; see `mark_beyond` for the others.

    Parameters
    ----------
    least
        Smallest height of the axis, as drawn.
    also
        More values that must be inside, such as measured ones, as drawn.
    """
    found = [_even(*points(line.ageing, column, factor)) for line in lines]
    for line in lines:
        at, below, above = band(line, column, factor)
        found += [_even(at, below), _even(at, above)]
    if not any(f.size for f in found):
        found = [points(line.rest, column, factor)[1] for line in lines]
    if not any(f.size for f in found):
        return
    low, high = robust_limits(np.concatenate(found), least=least)
    more = [v[np.isfinite(v)] for v in also]
    more = [v for v in more if v.size]
    room = 0.04 * (high - low)
    if more:
        low = min(low, min(float(v.min()) for v in more) - room)
        high = max(high, max(float(v.max()) for v in more) + room)
    ax.set_ylim(low, high)


def _even(cycle: Array, value: Array) -> Array:
    """Values at cycles spread evenly over a life."""
    if not cycle.size:
        return value
    return np.interp(np.linspace(cycle[0], cycle[-1], EVEN_COUNT), cycle, value)


def mark_beyond(
    ax: Axes, lines: Sequence[LifeLine], column: str, *, factor: float = 1.0
) -> None:
    """Triangles at the frame for the cycles beyond the axis, and how many."""
    off = 0
    for line in lines:
        for table in (line.ageing, line.rest):
            if table.height:
                off += _at_frame(ax, points(table, column, factor), line.colour)
    if off:
        remark(ax, f"{counted(off, 'cycle')} off scale: triangles at the frame")


def _at_frame(ax: Axes, at: tuple[Array, Array], colour: str) -> int:
    """Triangles where values leave the axis; how many."""
    (x, y), (low, high) = at, ax.get_ylim()
    for beyond, edge, marker in ((y > high, 1.0, "^"), (y < low, 0.0, "v")):
        if beyond.any():
            ax.plot(
                x[beyond],
                np.full(int(beyond.sum()), edge),
                linestyle="none",
                marker=marker,
                markersize=3.5,
                markeredgecolor=colour,
                markeredgewidth=0.6,
                fillstyle="none",
                transform=ax.get_xaxis_transform(),
                clip_on=False,
                zorder=3.0,
                label="_off_scale",
            )
    return int(((y > high) | (y < low)).sum())


def measured_values(
    measured: Lives, column: str, *, factor: float = 1.0
) -> list[Array]:
    """Values of all measured points of a column, as drawn."""
    return [
        factor * floats(t, column, n)
        for n, t in measured.items()
        if column in t.columns
    ]


def cycle_range(lines: Sequence[LifeLine], measured: Lives) -> tuple[float, float]:
    """First and last cycle of all lives and measured points."""
    ends = [floats(line.whole, CYCLE, line.label) for line in lines]
    ends += [floats(t, CYCLE, n) for n, t in measured.items() if t.height]
    return min(float(e.min()) for e in ends), max(float(e.max()) for e in ends)


def few_ticks(axes: Iterable[Axes]) -> None:
    """So few cycles along the bottom of narrow panels that none touch."""
    from matplotlib.ticker import MaxNLocator

    for ax in axes:
        locator = MaxNLocator(nbins=NARROW_TICKS, integer=True, steps=[1, 2, 5, 10])
        ax.xaxis.set_major_locator(locator)


def life_handles(
    lines: Sequence[LifeLine],
    labels: Sequence[str],
    measured: Lives,
    *,
    columns: Sequence[str],
    rest: bool = True,
) -> list[Artist]:
    """Legend entries: lives, band, other cycles, measured points."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    for line, label in zip(lines, labels, strict=True):
        handle = Line2D([], [], color=line.colour, linewidth=1.2, label=label)
        handle.set(linestyle=line.linestyle)
        handles.append(handle)
    banded = sorted({len(x.members) for x in lines if len(x.members) > 1})
    if banded:
        many = "–".join(str(n) for n in dict.fromkeys((banded[0], banded[-1])))
        text = f"5 to 95 % of {many} ensemble members"
        handles.append(Patch(color=GREY, alpha=0.3, linewidth=0, label=text))
    if rest and any(line.rest.height for line in lines):
        handles.append(open_marker("s", "other cycles"))
    used: set[bool] = set()
    for table in measured.values():
        if any(c in table.columns for c in columns):
            flags = table[CALIBRATED].to_list() if CALIBRATED in table.columns else [0]
            used |= {bool(f) for f in flags}
    if True in used:
        handles.append(filled_marker("D", "measured, calibrated on"))
    if False in used:
        text = "measured, not calibrated on" if True in used else "measured"
        handles.append(open_marker("D", text))
    return handles


def open_marker(marker: str, label: str) -> Artist:
    """Legend entry of an open marker."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="none", marker=marker, color=GREY, markersize=4.0,
        fillstyle="none", markeredgewidth=0.8, label=label,
    )  # fmt: skip


def filled_marker(marker: str, label: str) -> Artist:
    """Legend entry of a filled marker."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="none", marker=marker, color=GREY, markersize=4.5,
        markeredgecolor="black", markeredgewidth=0.6, label=label,
    )  # fmt: skip
