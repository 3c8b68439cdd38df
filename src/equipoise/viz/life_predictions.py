"""Printed numbers and ours, row by row: dots with intervals, the role by colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.viz.cycling_axes import legend_below, wrapped
from equipoise.viz.labels import floats, signed
from equipoise.viz.style import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN_MM,
    GREY,
    ORANGE,
    SHADE,
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

NUMBERS = ("printed", "computed", "low", "high")
TEXTS = ("id", "quantity", "unit", "role")
BEFORE = ("config", "condition")
"""Optional columns, written before the quantity."""
ROLES = {
    "input": (GREY, "s"),
    "calibrated": (ORANGE, "o"),
    "predicted": (BLUE, "D"),
    "blind": (VERMILLION, "^"),
}
"""Colour and marker, so that roles differ without colour, too."""
PERCENT = 100.0
MOST_ROWS = 60
ROW_MM, LINE_MM = 4.3, 2.6
"""Height of a row, and of each line of its name after the first."""
NAME_LETTERS = 56
SMALL_POINTS = 6.4
ORDINARY_SHARE, ROOM_RATIO, LEAST_PERCENT = 0.9, 1.25, 2.0
"""The axis holds this share of all ends with room around them, and at least so much;
what is beyond ends in an arrow."""
DIGITS = 4


class _Row(NamedTuple):
    """A number: printed (nan: withheld), computed, its interval (nan: none)."""

    name: str
    unit: str
    role: str
    printed: float
    computed: float
    low: float
    high: float

    @property
    def base(self) -> float:
        """What 0 % is."""
        return self.printed if self.is_compared else self.computed

    @property
    def is_compared(self) -> bool:
        return math.isfinite(self.printed) and self.printed != 0.0

    def percent(self, value: float) -> float:
        return PERCENT * (value - self.base) / abs(self.base)

    @property
    def ends(self) -> list[float]:
        """Dot and ends of the interval, in percent."""
        values = (self.computed, self.low, self.high)
        return [self.percent(v) for v in values if math.isfinite(v)]


def life_predictions(
    rows: pl.DataFrame, *, roles: Sequence[str] | None = None
) -> Figure:
    """Draw each computed number with its interval, in percent off the printed one.

    Rows without a printed number, such as blind predictions, stand in a panel of their
    own, their interval in percent of the prediction itself: nothing in it says that
    they are right. Both numbers are written beside each row.

    Parameters
    ----------
    rows
        `id`, `quantity`, `unit` ("1": none), `printed` (null: withheld), `computed`,
        `low`, `high` (null: no interval), `role`: input, calibrated, predicted or
        blind; and, if there are, `config` and `condition`. Rows without a computed
        number are left out.
    roles
        Those to draw; None: all.

    Raises
    ------
    DataError
        If a column is missing, a role unknown, or no row is left.
    SpecError
        If a role asked for is unknown, or there are more than 60 rows.
    """
    found = _rows(rows, roles)
    parts = [
        ([r for r in found if r.is_compared], "Computed less printed / % of printed"),
        ([r for r in found if not r.is_compared], "Interval / % of the prediction"),
    ]
    parts = [(part, label) for part, label in parts if part]
    heights = [sum(_height_mm(r) for r in part) for part, _ in parts]
    with style():
        figure = new_figure(sum(heights) + 15.0 * len(parts), width_mm=DOUBLE_COLUMN_MM)
        axes: list[Axes] = list(
            figure.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
        )
        for ax, (part, label) in zip(axes, parts, strict=True):
            _draw(ax, part)
            ax.set_xlabel(label)
        if len(axes) > 1:
            axes[0].set_title("Compared with printed numbers")
            axes[1].set_title("Not printed, or withheld")
            letter_panels(axes)
        legend_below(figure, _handles(found))
    return figure


def _rows(table: pl.DataFrame, roles: Sequence[str] | None) -> list[_Row]:
    for column in TEXTS:
        if column not in table.columns:
            raise DataError(
                f"the table has no column {column!r}",
                where="life_predictions",
                remedy=f"it has: {', '.join(table.columns)}",
            )
    for role in roles or ():
        if role not in ROLES:
            raise SpecError(f"role {role!r} is not known", remedy=nearest(role, ROLES))
    columns = [floats(table, c, "life_predictions") for c in NUMBERS]
    found: list[_Row] = []
    for row, *values in zip(table.iter_rows(named=True), *columns, strict=True):
        role, name = str(row["role"]), _name(row)
        if role not in ROLES:
            raise DataError(
                f"role {role!r} is not known", where=name, remedy=nearest(role, ROLES)
            )
        if (roles is None or role in roles) and math.isfinite(values[1]):
            unit = str(row["unit"] or "")
            unit = "" if unit == "1" else unit
            found.append(_Row(name, unit, role, *(float(v) for v in values)))
    if not found:
        raise DataError(
            "no row has a computed number",
            where="life_predictions",
            remedy="give rows with numbers in the column computed",
        )
    if len(found) > MOST_ROWS:
        raise SpecError(
            f"{len(found)} rows do not fit on a page, at most {MOST_ROWS} do",
            where="life_predictions",
            remedy='choose some by roles=("predicted", "blind"), or filter the table',
        )
    return found


def _name(row: dict[str, object]) -> str:
    """Number of the row, where it is from, what it is."""
    before = ", ".join(str(row[c]) for c in BEFORE if row.get(c))
    return f"{row['id']}  {before}{': ' if before else ''}{row['quantity']}"


def _height_mm(row: _Row) -> float:
    return ROW_MM + LINE_MM * wrapped(row.name, NAME_LETTERS).count("\n")


def _draw(ax: Axes, rows: Sequence[_Row]) -> None:
    """A row each, from the top; the last one ends at 0 mm."""
    limit = _limit(rows)
    top = sum(_height_mm(r) for r in rows)
    places: list[float] = []
    edge = top
    for i, row in enumerate(rows):
        height = _height_mm(row)
        if i % 2:
            ax.axhspan(edge - height, edge, color=SHADE, linewidth=0, zorder=0.0)
        places.append(edge - 0.5 * height)
        _whisker(ax, row, places[-1], limit)
        edge -= height
    ax.axvline(0.0, color=BLACK, linewidth=0.7, zorder=1.0)
    ax.set_xlim(-limit, limit)
    names = [wrapped(r.name, NAME_LETTERS) for r in rows]
    beside = ax.twinx()
    for one, texts in ((ax, names), (beside, [_numbers(r) for r in rows])):
        one.set_ylim(0.0, top)
        one.set_yticks(places, texts, fontsize=SMALL_POINTS)
        one.tick_params(axis="y", length=0)
        one.spines["left"].set_visible(False)
    for label in ax.get_yticklabels():
        label.set_horizontalalignment("left")
    _to_the_left(ax, names)


def _to_the_left(ax: Axes, names: Sequence[str]) -> None:
    """Names begin, and do not end, at one place."""
    letters = max(len(line) for name in names for line in name.splitlines())
    ax.tick_params(axis="y", pad=0.53 * SMALL_POINTS * letters)


def _limit(rows: Sequence[_Row]) -> float:
    """End of the axis in percent: one far row must not make all others small."""
    ends = sorted(abs(e) for r in rows for e in r.ends)
    usual = ends[min(int(ORDINARY_SHARE * len(ends)), len(ends) - 1)]
    return max(min(ROOM_RATIO * usual, 1.08 * ends[-1]), LEAST_PERCENT)


def _whisker(ax: Axes, row: _Row, place: float, limit: float) -> None:
    colour, marker = ROLES[row.role]
    at = row.percent(row.computed)
    if math.isfinite(row.low) and math.isfinite(row.high):
        ends = [row.percent(row.low), row.percent(row.high)]
        inside = [min(max(e, -limit), limit) for e in ends]
        ax.plot(
            inside,
            [place, place],
            color=colour,
            linewidth=1.4,
            solid_capstyle="butt",
            label="_interval",
        )
        for end in ends:
            if abs(end) <= limit:
                ax.plot([end], [place], "|", color=colour, markersize=5.0, label="_end")
            else:
                _arrow(ax, math.copysign(limit, end), place, colour)
    if abs(at) > limit:
        _arrow(ax, math.copysign(limit, at), place, colour)
        return
    ax.plot(
        [at],
        [place],
        linestyle="none",
        marker=marker,
        markersize=4.6,
        markerfacecolor=colour,
        markeredgecolor="white",
        markeredgewidth=0.5,
        clip_on=False,
        zorder=3.0,
        label="_computed",
    )


def _arrow(ax: Axes, x: float, place: float, colour: str) -> None:
    ax.plot(
        [x],
        [place],
        linestyle="none",
        marker="<" if x < 0.0 else ">",
        markersize=4.0,
        color=colour,
        clip_on=False,
        zorder=2.8,
        label="_beyond",
    )


def _numbers(row: _Row) -> str:
    """``161 | 160.9 (158.2 to 163.4) mAh/g``: printed, computed, interval."""
    digits = _decimals(row)
    printed = f"{row.printed:g}" if math.isfinite(row.printed) else "–"
    text = f"{printed} | {signed(row.computed, f'.{digits}f')}"
    if math.isfinite(row.low) and math.isfinite(row.high):
        low, high = (signed(v, f".{digits}f") for v in (row.low, row.high))
        text += f" ({low} to {high})"
    return f"{text} {row.unit}".rstrip()


def _decimals(row: _Row) -> int:
    """So that the largest number has four digits."""
    largest = max(abs(v) for v in row[3:] if math.isfinite(v))
    if largest == 0.0:
        return 0
    return min(max(DIGITS - 1 - math.floor(math.log10(largest)), 0), 6)


def _handles(rows: Sequence[_Row]) -> list[Artist]:
    from matplotlib.lines import Line2D

    used = [role for role in ROLES if any(r.role == role for r in rows)]
    handles: list[Artist] = []
    for role in used:
        colour, marker = ROLES[role]
        line = Line2D([], [], color=colour, marker=marker, linewidth=1.4)
        line.set(markersize=4.6, markeredgecolor="white", label=role)
        handles.append(line)
    text = "beside each row: printed | computed (interval)"
    handles.append(Line2D([], [], linestyle="none", label=text))
    return handles
