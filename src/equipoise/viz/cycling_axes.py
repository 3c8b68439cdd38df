"""What the figures of cycled cells share: groups, kinds, scales, legends."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.core.units import UNITS
from equipoise.viz.labels import floats
from equipoise.viz.style import MM_PER_INCH, cell_colours, dash

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.study.measured_cell import CellData
    from equipoise.viz.simulation_runs import Dash

Array = NDArray[np.float64]

KIND_MARKERS = {
    "formation": "o",
    "rate step": "s",
    "ageing": "+",
    "check-up": "D",
    "pulse": "^",
    "eis": "*",
    "rest": "_",
    "incomplete": "x",
    "other": "v",
}
"""Of the cycles that are not compared; the kinds are those of `analysis.kinds`."""
DIRECTIONS = {"discharging": "Discharge capacity", "charging": "Charge capacity"}
LARGEST_MARKER, SMALLEST_MARKER = 4.0, 1.2
"""Points; between them as there is room between two cycles."""
MOST_TICKS = 12
"""C-rates written on an axis."""
LETTER_POINTS, HANDLE_POINTS = 4.3, 30.0
"""Width of a letter of a legend and of what stands before a label."""
ROW_POINTS = 11.5
LONGEST_LABEL = 90
ORDINARY_PERCENT = (5.0, 95.0)
"""Percentiles of values that a robust axis shows with room around them."""


@dataclass(frozen=True, slots=True)
class Band:
    """Cells that are compared as one, and how they are drawn."""

    label: str
    cells: tuple[CellData, ...]
    colour: str
    linestyle: Dash


@dataclass(frozen=True, slots=True)
class Scale:
    """A column, its unit over the one that is drawn, and the label of the axis."""

    column: str
    unit_ratio: float
    label: str

    def of(self, table: pl.DataFrame) -> Array:
        """Values as drawn, NaN where missing."""
        return self.unit_ratio * floats(table, self.column, "figure of cycles")


def bands(cells: Sequence[CellData], *, groups: bool = True) -> list[Band]:
    """Gather cells by the group of their record, in order of first appearance.

    A cell without a group is a band of its own, even if another has its name.

    Raises
    ------
    DataError
        If there is no cell, or one cell of a group is there twice.
    """
    if not cells:
        raise DataError("there is no cell to draw", remedy="give at least one CellData")
    found: list[tuple[str, list[CellData]]] = []
    for cell in cells:
        group = cell.record.group if groups else None
        mates = next(
            (m for _, m in found if group is not None and _group(m) == group), None
        )
        if mates is None:
            found.append((group or cell.name, [cell]))
            continue
        if cell.record.label in {m.record.label for m in mates}:
            raise DataError(
                f"two cells are {cell.record.label!r}; counted twice, one cell looks "
                "like two",
                where=f"group {group}",
                remedy="give name, or group and replicate, in the record of each cell",
            )
        mates.append(cell)
    colours = cell_colours(dict.fromkeys(name for name, _ in found))
    shades = list(colours.values())
    out: list[Band] = []
    for i, (name, mates) in enumerate(found):
        twins = sum(other == name for other, _ in found[:i])
        same = sum(c == colours[name] for c in shades[: list(colours).index(name)])
        label = f"{name} ({twins + 1})" if twins else name
        out.append(Band(label, tuple(mates), colours[name], dash(twins + same)))
    return out


def _group(cells: Sequence[CellData]) -> str | None:
    return cells[0].record.group


def capacity_scale(cells: Iterable[CellData], quantity: str) -> Scale:
    """Capacity per gram if every cell knows its mass, else in Ah or mAh.

    Parameters
    ----------
    quantity
        "discharging" or "charging".

    Raises
    ------
    SpecError
        If the quantity is neither.
    DataError
        If a cell lacks the column, or no cycle has a capacity.
    """
    if quantity not in DIRECTIONS:
        raise SpecError(
            f"quantity = {quantity!r} is not known",
            remedy=nearest(quantity, DIRECTIONS),
        )
    cells = list(cells)
    tables = [c.cycles for c in cells]
    column = f"{quantity}_capacity_mah_per_g_positive"
    unit, factor = UNITS["mah_per_g"], 1.0
    if not all(column in t.columns for t in tables):
        column = f"{quantity}_capacity_ah"
        _require(cells, column)
        unit = UNITS["ah"]
    values = np.concatenate([floats(t, column, "figure of cycles") for t in tables])
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise DataError(
            f"no cycle of {', '.join(c.name for c in cells)} has a {quantity} capacity",
            where="figure of cycles",
            remedy="give cells that were cycled",
        )
    if column.endswith("_ah") and values.max() < 1.0:
        unit, factor = UNITS["mah"], 1e3
    return Scale(column, factor, f"{DIRECTIONS[quantity]} / {unit}")


def _require(cells: Sequence[CellData], column: str) -> None:
    for cell in cells:
        if column not in cell.cycles.columns:
            raise DataError(
                f"the cycles have no column {column!r}, nor have all cells the "
                "capacity per gram",
                where=cell.name,
                remedy=f"it has: {', '.join(cell.cycles.columns)}",
            )


def marker_size(cycles_count: float, width_mm: float) -> float:
    """Points, so that the markers of neighbouring cycles just do not touch."""
    room = 0.65 * width_mm * 72.0 / MM_PER_INCH / max(cycles_count, 1.0)
    return min(max(room, SMALLEST_MARKER), LARGEST_MARKER)


def robust_limits(values: Array, *, least: float) -> tuple[float, float]:
    """Ends of an axis that ordinary values fill, however far off a few others are.

    Parameters
    ----------
    values
        Those that matter; NaN are left out.
    least
        Smallest height of the axis.
    """
    known = values[np.isfinite(values)]
    low, high = (float(x) for x in np.percentile(known, ORDINARY_PERCENT))
    span = max(high - low, 0.5 * least)
    near = known[(known >= low - span) & (known <= high + span)]
    low, high = min(low, float(near.min())), max(high, float(near.max()))
    room = max(0.08 * (high - low), 0.5 * (least - (high - low)))
    return low - room, high + room


def cycle_axis(axes: Iterable[Axes], first: float, last: float) -> None:
    """Whole cycles along the bottom of shared axes."""
    from matplotlib.ticker import MaxNLocator

    for ax in axes:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        room = max(0.5 if last > first else 1.5, 0.015 * (last - first))
        ax.set_xlim(first - room, last + room)


def rate_axis(ax: Axes, rates: Sequence[float]) -> None:
    """Logarithmic axis whose ticks are the rates of the test."""
    ordered = sorted(rates)
    gap = (ordered[-1] / ordered[0]) ** (1.0 / MOST_TICKS)
    ticks = [ordered[0]]
    for rate in ordered[1:]:
        if rate > max(gap, 1.05) * ticks[-1]:
            ticks.append(rate)
    ax.set_xscale("log")
    ax.set_xticks(ticks, labels=[f"{r:.2g}C" for r in ticks])
    ax.minorticks_off()
    ax.set_xlim(ordered[0] / 1.3, ordered[-1] * 1.3)


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """One legend under all panels, which make room for it.

    It has as many columns as its labels let it; the figure becomes higher by its rows.
    """
    if not handles:
        return
    labels = [wrapped(str(h.get_label()), LONGEST_LABEL) for h in handles]
    longest = max(len(line) for text in labels for line in text.splitlines())
    width = figure.get_figwidth() * 72.0
    columns = int(width // (HANDLE_POINTS + LETTER_POINTS * longest))
    columns = min(max(columns, 1), len(handles))
    rows = -(-len(handles) // columns) * max(t.count("\n") + 1 for t in labels)
    figure.set_figheight(figure.get_figheight() + (rows * ROW_POINTS + 4.0) / 72.0)
    figure.legend(
        handles=handles, labels=labels, loc="outside lower center", ncols=columns
    )


def wrapped(text: str, letters: int) -> str:
    """Break a long name into lines."""
    return "\n".join(textwrap.wrap(text, letters)) or text


def remark(ax: Axes, text: str) -> None:
    """What the reader of a panel must know, small, over its right end."""
    from matplotlib.text import Text

    title: Text = ax.set_title(text, loc="right")
    title.set_fontsize(7.0)
    title.set_fontweight("normal")


def counted(count: int, what: str) -> str:
    """A number and its noun.

    Examples
    --------
    >>> counted(1, "cycle"), counted(3, "cycle")
    ('1 cycle', '3 cycles')
    """
    return f"{count} {what}" + ("" if count == 1 else "s")
