"""Both electrodes and the cell against one charge axis (the idea of Fig. 2a, b)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import axis_label, floats
from equipoise.viz.style import (
    GREY,
    SHADE,
    cell_colours,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.design.cell_design import CellDesign

Array = NDArray[np.float64]

ROWS = (
    ("positive_electrode_potential_volt", "Positive electrode"),
    ("negative_electrode_potential_volt", "Negative electrode"),
    ("voltage_volt", "Cell"),
)
CAPACITY = "capacity_mah_per_g_positive"
ZOOM_FROM = 0.80
"""The right-hand panels show the last fifth of the largest charge."""


def stacked_half_cells(
    profiles: Mapping[str, pl.DataFrame],
    designs: Mapping[str, CellDesign],
    *,
    discharges: Mapping[str, pl.DataFrame] | None = None,
    h2h3_onset_vs_li_volt: float | None = None,
) -> Figure:
    """Draw potentials and voltage of all cells over the charge, and the end of it.

    Parameters
    ----------
    profiles
        First charge of each cell (`design.profiles`).
    designs
        Design of each cell; gives the cut-offs and the marked end potentials.
    discharges
        First discharge of each cell, drawn back from the end of charge.
    h2h3_onset_vs_li_volt
        Shades the positive above this potential.
    """
    with style():
        figure = new_figure(150.0)
        axes = figure.subplots(
            3, 2, width_ratios=(1.25, 1.0), height_ratios=(1.0, 0.9, 1.0), sharex="col"
        )
        charges = {n: floats(t, CAPACITY, "half_cells") for n, t in profiles.items()}
        longest = max(float(q[-1]) for q in charges.values())
        for (column, title), (whole, zoom) in zip(ROWS, axes, strict=True):
            _curves((whole, zoom), column, profiles, discharges or {}, longest)
            whole.set_ylabel(axis_label(column))
            whole.set_title(title)
            zoom.set_title("End of charge")
        _frame(axes, longest)
        _mark_end_potentials(axes, designs, charges, discharges or {})
        _shade_h2h3(axes[0], h2h3_onset_vs_li_volt)
        _window(axes[2], designs)
        letter_panels(axes.ravel())
    return figure


def _curves(
    pair: tuple[Axes, Axes],
    column: str,
    profiles: Mapping[str, pl.DataFrame],
    discharges: Mapping[str, pl.DataFrame],
    longest: float,
) -> None:
    whole, zoom = pair
    colours = cell_colours(profiles)
    # The longer charge goes below and thicker: cells share most of the curve.
    order = sorted(profiles, key=lambda n: -float(profiles[n][CAPACITY].max()))  # pyright: ignore[reportArgumentType]
    seen: list[Array] = []
    for rank, name in enumerate(order):
        q = floats(profiles[name], CAPACITY, "half_cells")
        u = floats(profiles[name], column, "half_cells")
        width = 2.6 if rank == 0 and len(order) > 1 else 1.3
        for ax in pair:
            ax.plot(q, u, color=colours[name], linewidth=width, label=name)
        seen.append(u[q >= ZOOM_FROM * longest])
        if name in discharges:
            back = q[-1] - floats(discharges[name], CAPACITY, "half_cells")
            v = floats(discharges[name], column, "half_cells")
            whole.plot(
                back, v, color=colours[name], linewidth=0.9, linestyle=(0, (3, 1.5))
            )
    shown = np.concatenate(seen)
    margin = 0.08 * max(float(np.ptp(shown)), 0.02)
    zoom.set_ylim(float(shown.min()) - margin, float(shown.max()) + margin)


def _frame(axes: NDArray[np.object_], longest: float) -> None:
    for ax, low in zip(axes[2], (-0.02, ZOOM_FROM), strict=True):
        ax.set_xlabel(axis_label(CAPACITY))
        ax.set_xlim(low * longest, 1.03 * longest)
    whole = axes[1][0]
    low, high = whole.get_ylim()
    if high - low < 0.3:  # a plateau: do not blow its noise up
        whole.set_ylim(low - 0.15, high + 0.15)


def _mark_end_potentials(
    axes: NDArray[np.object_],
    designs: Mapping[str, CellDesign],
    charges: Mapping[str, Array],
    discharges: Mapping[str, pl.DataFrame],
) -> None:
    colours = cell_colours(charges)
    for rank, (name, d) in enumerate(designs.items()):
        end = float(charges[name][-1])
        ends = (
            (d.upper_potential_vs_li_volt, f"{name}: UP {{:.3f}} V"),
            (d.negative_end_of_charge_potential_vs_li_volt, f"{name}: {{:.3f}} V"),
            (d.upper_volt, f"{name}: {end:.1f} mAh g⁻¹"),
        )
        for (whole, zoom), (value, text) in zip(axes, ends, strict=True):
            dot = {"color": colours[name], "linestyle": "none", "clip_on": False}
            whole.plot([end], [value], marker="o", markersize=4.0, **dot)
            label = text.format(value)
            zoom.plot([end], [value], marker="o", label=label, **dot)
        if name in discharges:
            left = end - float(floats(discharges[name], CAPACITY, "half_cells")[-1])
            low = d.lower_potential_vs_li_volt
            label = f"{name}: LP {low:.3f} V"
            axes[0][0].plot(
                [left],
                [low],
                marker="s",
                markersize=4.0 + 2.5 * (len(designs) - 1 - rank),
                markerfacecolor="none",
                color=colours[name],
                linestyle="none",
                label=label,
            )
    _legends(axes, list(charges), has_discharge=bool(discharges))


def _legends(
    axes: NDArray[np.object_], names: list[str], *, has_discharge: bool
) -> None:
    for row, (whole, zoom) in enumerate(axes):
        handles, labels = zoom.get_legend_handles_labels()
        dots = [(h, t) for h, t in zip(handles, labels, strict=True) if ": " in t]
        place = ("upper left", "lower left", "lower right")[row]
        zoom.legend(*zip(*dots, strict=True), loc=place)
        if row == 0:
            handles, labels = whole.get_legend_handles_labels()
            known = dict(zip(labels, handles, strict=True))
            points = [t for t in labels if t not in names]
            lines = whole.legend(
                [known[t] for t in (*names, *points)],
                [*names, *points],
                loc="lower right",
                ncols=2 if points else 1,
                columnspacing=1.2,
            )
            lines.set_title(
                "solid: charge, dashed: discharge" if has_discharge else "first charge",
                prop={"size": 7.0},
            )


def _shade_h2h3(pair: NDArray[np.object_], onset: float | None) -> None:
    if onset is None:
        return
    for ax in pair:
        low, high = ax.get_ylim()
        if high > onset:
            ax.axhspan(max(onset, low), high, color=SHADE, zorder=0, linewidth=0)
            ax.set_ylim(low, high)
    pair[0].annotate(
        f"H2-H3, above {onset:.2f} V",
        (0.02, onset),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=7.0,
        color=GREY,
    )


def _window(pair: NDArray[np.object_], designs: Mapping[str, CellDesign]) -> None:
    cutoffs = {(d.lower_volt, d.upper_volt) for d in designs.values()}
    line = {"color": GREY, "linewidth": 0.8, "linestyle": (0, (4, 2)), "zorder": 0}
    for lower, upper in sorted(cutoffs):
        for ax in pair:
            ax.axhline(upper, **line)
        pair[0].axhline(lower, **line)
        for volt, what, up in ((lower, "lower", True), (upper, "upper", False)):
            pair[0].annotate(
                f"{what} cut-off {volt:.2f} V",
                (0.5, volt),
                xycoords=("axes fraction", "data"),
                xytext=(0, 3 if up else -3),
                textcoords="offset points",
                ha="center",
                va="bottom" if up else "top",
                fontsize=7.0,
                color=GREY,
            )
