"""A recorded test at a glance: voltage, electrode potentials and current over time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.style import (
    CELL_COLOUR,
    GREY,
    NEGATIVE_COLOUR,
    POSITIVE_COLOUR,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

SECOND_PER_HOUR = 3600.0
MOST_POINTS = 20_000
"""Drawn a line; of more rows the lowest and highest of each stretch are kept."""
LINES = {
    "voltage_volt": ("cell", CELL_COLOUR),
    "positive_electrode_potential_volt": ("positive", POSITIVE_COLOUR),
    "negative_electrode_potential_volt": ("negative", NEGATIVE_COLOUR),
}


def time_series(table: pl.DataFrame, *, name: str, reference: str = "") -> Figure:
    """Draw voltage, potentials and current of a test against its time.

    Parameters
    ----------
    table
        Time series; see `core.columns`.
    name
        Of the cell.
    reference
        What the potentials are against, such as "Li⁺/Li"; empty if it is not known.
    """
    hours = table["test_time_second"].to_numpy() / SECOND_PER_HOUR
    ampere = table["current_ampere"].to_numpy()
    largest = float(np.abs(ampere).max(initial=0.0))
    factor, unit = (1.0, "A") if largest >= 1.0 else (1e3, "mA")
    there = {c: line for c, line in LINES.items() if c in table.columns}
    with style():
        figure = new_figure(95.0)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        for column, (label, colour) in there.items():
            values = table[column].fill_null(float("nan")).to_numpy()
            at = thinned(values)
            top.plot(hours[at], values[at], color=colour, label=label, linewidth=0.9)
        against = f" vs {reference or 'the reference'}" if len(there) > 1 else ""
        top.set_ylabel(f"Voltage, potential{against} / V" if against else "Voltage / V")
        top.set_title(name, loc="left")
        if len(there) > 1:
            top.legend(loc="best")
        at = thinned(ampere)
        bottom.plot(hours[at], factor * ampere[at], color=CELL_COLOUR, linewidth=0.9)
        bottom.axhline(0.0, color=GREY, linewidth=0.5)
        bottom.set_ylabel(f"Current / {unit}\n(charging > 0)")
        bottom.set_xlabel("Test time / h")
        letter_panels((top, bottom))
    return figure


def thinned(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows to draw: all, or the lowest and highest of each stretch, in order."""
    n = values.size
    if n <= MOST_POINTS:
        return np.arange(n)
    edges = np.linspace(0, n, MOST_POINTS // 2 + 1).astype(np.int64)
    filled = np.where(np.isfinite(values), values, -np.inf)
    rows = [filled[a:b] for a, b in pairwise(edges)]
    low = [a + int(r.argmin()) for a, r in zip(edges[:-1], rows, strict=True)]
    high = [a + int(r.argmax()) for a, r in zip(edges[:-1], rows, strict=True)]
    return np.unique([0, *low, *high, n - 1])
