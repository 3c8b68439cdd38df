"""Rate capability of measured cells with their scatter, as zhang2026, Fig. 4a, f."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.rate import C_RATES, CURRENTS, SAME_RATE, rate_table
from equipoise.analysis.statistics import mean_and_deviation
from equipoise.core.errors import DataError
from equipoise.core.units import UNITS
from equipoise.viz.cycling_axes import bands, legend_below, rate_axis
from equipoise.viz.labels import floats
from equipoise.viz.style import (
    DOUBLE_COLUMN_MM,
    GREY,
    cell_colours,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.study.measured_cell import CellData

Array = NDArray[np.float64]

PER_GRAM = "discharging_capacity_mah_per_g_positive"
ABSOLUTE = "discharging_capacity_ah"
NORMALISED = "capacity_retention"
MARKERS = "osD^v"
LARGEST_MARKER, LEAST_MARKER = 5.2, 2.8
"""Points; later groups are smaller, so that none hides another of the same value."""
APART = 0.12
"""Of the distance of two blocks: between the groups of cells beside each other."""
MOST_LEVEL, LONGEST_LEVEL = 10, 5
"""Rates, and letters of one, that are written level; more are turned upright."""


class _Group(NamedTuple):
    """Blocks of the cells of a group; arrays have shape (cells, blocks)."""

    label: str
    colour: str
    marker: str
    size: float
    capacity: Array
    normalised: Array
    rate: Array
    charge_rate: Array
    current: Array

    @property
    def n(self) -> int:
        return self.capacity.shape[0]


def rates_by_group(
    cells: Sequence[CellData], *, kinds: Sequence[str] | None = ("rate step",)
) -> dict[str, list[pl.DataFrame]]:
    """Rate tables of cells, gathered by group, for `rate_capability_measured`.

    Parameters
    ----------
    kinds
        As in `analysis.rate.rate_table`, which has more options.

    Raises
    ------
    DataError
        If a cell has no such cycles, naming it.
    """
    found: dict[str, list[pl.DataFrame]] = {}
    for band in bands(cells):
        for cell in band.cells:
            try:
                table = rate_table(cell.cycles, kinds=kinds)
            except DataError as error:
                raise DataError(
                    error.message, where=cell.name, remedy=error.remedy
                ) from error
            found.setdefault(band.label, []).append(table)
    return found


def rate_capability_measured(
    rates: Mapping[str, pl.DataFrame | Sequence[pl.DataFrame]],
) -> Figure:
    """Draw the discharge capacity of each block of a rate test, and normalised.

    Left in the order of the test, right against the C-rate: filled and joined the first
    block of each rate, open the same rate later in the test. Of several cells mean and
    standard deviation (n - 1); of one cell no error bar.

    Parameters
    ----------
    rates
        Rate table of a cell, or those of the cells of a group, by name; see
        `analysis.rate.rate_table` and `rates_by_group`.

    Raises
    ------
    DataError
        If there is no block, or the cells were tested at different rates.
    """
    groups, per_gram = _groups(rates)
    groups, unit = _scaled(groups, per_gram=per_gram)
    by_rate = all(np.isfinite(_middle(g.rate)).any() for g in groups)
    count = 1 + by_rate
    with style():
        figure = new_figure(74.0, width_mm=DOUBLE_COLUMN_MM if by_rate else 130.0)
        axes: list[Axes] = list(
            figure.subplots(1, count, squeeze=False, width_ratios=(1.5, 1.0)[:count])[0]
        )
        for i, group in enumerate(groups):
            _draw_blocks(axes[0], group, APART * (i - 0.5 * (len(groups) - 1)))
        _block_axis(axes[0], groups, unit)
        again = [_draw_normalised(axes[1], g) for g in groups] if by_rate else []
        if by_rate:
            _rates_below(axes[1], groups)
            letter_panels(axes)
        legend_below(figure, _handles(groups, again=any(again)))
    return figure


def _groups(
    rates: Mapping[str, pl.DataFrame | Sequence[pl.DataFrame]],
) -> tuple[list[_Group], bool]:
    """Groups whose blocks are those of one test, and whether they are per gram."""
    by_name = {name: _listed(given) for name, given in rates.items()}
    tables = [(name, t) for name, given in by_name.items() for t in given]
    if not tables or not all(t.height for _, t in tables):
        empty = next((name for name, t in tables if not t.height), "")
        raise DataError(
            "there is no block to draw",
            where=empty or "rate_capability_measured",
            remedy="give tables of analysis.rate.rate_table",
        )
    per_gram = all(PER_GRAM in t.columns for _, t in tables)
    longest = max((t for _, t in tables), key=lambda t: t.height)
    for name, table in tables:
        _check_same(name, table, longest)
    colours = cell_colours(by_name)
    groups = [
        _Group(
            name,
            colours[name],
            MARKERS[i % len(MARKERS)],
            max(LARGEST_MARKER - 1.2 * i, LEAST_MARKER),
            _stacked(given, PER_GRAM if per_gram else ABSOLUTE, longest.height),
            _stacked(given, NORMALISED, longest.height),
            _stacked(given, C_RATES[1], longest.height),
            _stacked(given, C_RATES[0], longest.height),
            _stacked(given, CURRENTS[1], longest.height),
        )
        for i, (name, given) in enumerate(by_name.items())
    ]
    if not any(np.isfinite(g.capacity).any() for g in groups):
        raise DataError("no block has a discharge capacity", where=", ".join(by_name))
    return groups, per_gram


def _listed(given: pl.DataFrame | Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    return list(given) if isinstance(given, Sequence) else [given]


def _check_same(name: str, table: pl.DataFrame, longest: pl.DataFrame) -> None:
    """Refuse a cell whose blocks are not the first ones of the longest test."""
    own, test = (floats(t, C_RATES[1], name) for t in (table, longest))
    test = test[: own.size]
    with np.errstate(invalid="ignore", divide="ignore"):
        other = np.abs(np.log(own / test)) > np.log1p(SAME_RATE)
    if other.any():
        at = int(np.argmax(other))
        raise DataError(
            f"block {at + 1} is at {own[at]:.3g}C, that of another cell at "
            f"{test[at]:.3g}C",
            where=name,
            remedy="draw cells of different tests in figures of their own",
        )


def _stacked(tables: Sequence[pl.DataFrame], column: str, blocks: int) -> Array:
    """A column of several cells, NaN where a test was shorter or knows it not."""
    values = np.full((len(tables), blocks), np.nan)
    for row, table in zip(values, tables, strict=True):
        if column in table.columns:
            row[: table.height] = floats(table, column, "rate_capability_measured")
    return values


def _scaled(groups: list[_Group], *, per_gram: bool) -> tuple[list[_Group], str]:
    """Capacities in the unit drawn."""
    if per_gram:
        return groups, UNITS["mah_per_g"]
    if max(np.nanmax(g.capacity) for g in groups) >= 1.0:
        return groups, UNITS["ah"]
    return [g._replace(capacity=1e3 * g.capacity) for g in groups], UNITS["mah"]


def _middle(values: Array) -> Array:
    return mean_and_deviation(values)[0]


def _draw_blocks(ax: Axes, group: _Group, shift: float) -> None:
    mean, deviation, n = mean_and_deviation(group.capacity)
    known = n > 0
    x = np.arange(1, mean.size + 1)[known] + shift
    ax.errorbar(
        x,
        mean[known],
        deviation[known] if group.n > 1 else None,
        color=group.colour,
        marker=group.marker,
        markersize=group.size,
        linestyle="none",
        elinewidth=0.9,
        capsize=2.0,
        label="_blocks",
    )


def _block_axis(ax: Axes, groups: Sequence[_Group], unit: str) -> None:
    labels, what = _block_labels(groups)
    upright = len(labels) > MOST_LEVEL or max(map(len, labels)) > LONGEST_LEVEL
    ax.set_xticks(
        np.arange(1, len(labels) + 1), labels=labels, rotation=90 if upright else 0
    )
    ax.set_xlim(0.4, len(labels) + 0.6)
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel(what)
    ax.set_ylabel(f"Discharge capacity / {unit}")


def _block_labels(groups: Sequence[_Group]) -> tuple[list[str], str]:
    """Rate of each block, else its current, else its number; and what that is."""
    rate, charge, current = (
        _middle(np.concatenate(parts))
        for parts in zip(
            *((g.rate, g.charge_rate, g.current) for g in groups), strict=True
        )
    )
    if np.isfinite(rate).all():
        pairs = zip(charge, rate, strict=True)
        return [_rate_text(c, d) for c, d in pairs], "Rate, in the order of the test"
    every = np.concatenate([g.current for g in groups])
    with np.errstate(invalid="ignore"):
        off = np.abs(every / current - 1.0)
    if np.isfinite(current).all() and np.nanmax(off) <= SAME_RATE:
        texts = [f"{1e3 * i:.3g}" for i in current]
        return texts, "Current of the discharge / mA, in the order of the test"
    return [str(i + 1) for i in range(rate.size)], "Block of cycles at one current"


def _rate_text(charge: float, discharge: float) -> str:
    """``1C``, or ``0.2C/1C`` where charge and discharge differ."""
    if np.isfinite(charge) and abs(np.log(charge / discharge)) > np.log1p(SAME_RATE):
        return f"{charge:.2g}C/{discharge:.2g}C"
    return f"{discharge:.2g}C"


def _draw_normalised(ax: Axes, group: _Group) -> bool:
    """Percent against rate; return whether a rate came again."""
    mean, deviation, n = mean_and_deviation(100.0 * group.normalised)
    rate = _middle(group.rate)
    first: list[int] = []
    again: list[int] = []
    for i in np.flatnonzero((n > 0) & (rate > 0.0)):
        seen = np.abs(np.log(rate[first] / rate[i])) <= np.log1p(SAME_RATE)
        (again if seen.any() else first).append(int(i))
    first.sort(key=lambda i: float(rate[i]))
    for at, line, fill, size in (
        (first, "-", "full", group.size),
        (again, "none", "none", group.size + 3.0),
    ):
        ax.errorbar(
            rate[at],
            mean[at],
            deviation[at] if group.n > 1 else None,
            color=group.colour,
            linestyle=line,
            linewidth=1.2,
            marker=group.marker,
            markersize=size,
            fillstyle=fill,
            elinewidth=0.9,
            capsize=2.0,
            label="_again" if at is again else "_first",
        )
    return bool(again)


def _rates_below(ax: Axes, groups: Sequence[_Group]) -> None:
    rates = np.concatenate([_middle(g.rate) for g in groups])
    rate_axis(ax, [float(r) for r in rates if r > 0.0])
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("Rate of the discharge")
    ax.set_ylabel(f"Discharge capacity / % of that at {_whole(groups)}")


def _whole(groups: Sequence[_Group]) -> str:
    """The rate whose capacity is 100 %."""
    for group in groups:
        at = np.flatnonzero(np.all(np.abs(group.normalised - 1.0) < 1e-9, axis=0))
        if at.size:
            return f"{_middle(group.rate)[at[0]]:.2g}C"
    return "100 %"


def _handles(groups: Sequence[_Group], *, again: bool) -> list[Artist]:
    from matplotlib.lines import Line2D

    handles: list[Artist] = [
        Line2D(
            [], [], color=g.colour, marker=g.marker, markersize=4.0,
            linestyle="none", label=f"{g.label} (n = {g.n})",
        )
        for g in groups
    ]  # fmt: skip
    if any(g.n > 1 for g in groups):
        handles.append(
            Line2D([], [], color=GREY, marker="|", label="± SD of the cells")
        )
        handles[-1].set(linestyle="none", markersize=8.0)
    if again:
        handles.append(
            Line2D([], [], color=GREY, marker="o", label="same rate later in the test")
        )
        handles[-1].set(linestyle="none", markersize=7.0, fillstyle="none")
    return handles
