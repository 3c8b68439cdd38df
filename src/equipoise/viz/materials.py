"""The same recipe with other positive materials, over n/p."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.style import (
    cell_colours,
    dash,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

COLUMNS = (
    ("first_charge_mah_per_g_positive", "First charge"),
    ("upper_potential_vs_li_volt", "Upper potential (UP)"),
    ("compensation_fraction", "Compensation"),
)


def material_comparison_figure(tables: Mapping[str, pl.DataFrame]) -> Figure:
    """Draw first charge, upper potential and compensation of several materials.

    Parameters
    ----------
    tables
        Map over n/p (`design.np_map`) of each positive material, by its name.
    """
    with style():
        figure = new_figure(76.0)
        axes = figure.subplots(1, len(COLUMNS))
        colours = cell_colours(tables)
        for ax, (column, title) in zip(axes, COLUMNS, strict=True):
            for i, (name, table) in enumerate(tables.items()):
                ax.plot(
                    floats(table, "np_ratio", "material_comparison_figure"),
                    floats(table, column, "material_comparison_figure"),
                    color=colours[name],
                    linestyle=dash(i),
                    label=name,
                )
            ax.set_title(title)
            ax.set_xlabel(axis_label("np_ratio"))
            ax.set_ylabel(axis_label(column))
        axes[-1].set_ylim(-0.03, 1.03)
        letter_panels(axes)
        figure.legend(
            handles=axes[0].get_legend_handles_labels()[0],
            loc="outside lower center",
            ncols=min(len(tables), 4),
        )
    return figure
