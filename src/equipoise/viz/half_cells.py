"""Both electrodes and the cell against one charge axis (the idea of Fig. 2a, b)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
CAPACITY = "passed_capacity_mah_per_g_positive"
DOTTED = (0, (1.0, 1.0))
DASHED = (0, (3, 1.5))
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
        figure = new_figure(150.0 + 4.5 * len(designs))
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
        _mark_ends(axes, designs, charges, discharges or {})
        _shade_h2h3(axes[0], h2h3_onset_vs_li_volt)
        _window(axes[2], designs)
        letter_panels(axes.ravel())
        _legends(figure, axes[0][0], designs, charges, discharges or {})
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
    order = sorted(
        profiles, key=lambda n: -float(floats(profiles[n], CAPACITY, "half_cells")[-1])
    )
    for rank, name in enumerate(order):
        q = floats(profiles[name], CAPACITY, "half_cells")
        u = floats(profiles[name], column, "half_cells")
        beyond = _beyond(profiles[name], column)
        width = 2.6 if rank == 0 and len(order) > 1 else 1.3
        for ax in pair:
            _line(ax, q, u, beyond, colours[name], width, "-")
        if name in discharges:
            back = q[-1] - floats(discharges[name], CAPACITY, "half_cells")
            v = floats(discharges[name], column, "half_cells")
            _line(
                whole,
                back,
                v,
                _beyond(discharges[name], column),
                colours[name],
                0.9,
                DASHED,
            )
    _limits(whole, column, [*profiles.values(), *discharges.values()], 0.0, 0.3)
    _limits(zoom, column, profiles.values(), ZOOM_FROM * longest, 0.02)


def _beyond(table: pl.DataFrame, column: str) -> NDArray[np.bool_]:
    """Where a shown curve rests on potentials that were not measured."""
    sides = ("positive", "negative")
    used = [s for s in sides if column.startswith(s)] or list(sides)
    names = [f"{s}_extrapolated_mah_per_g_positive" for s in used]
    columns = [floats(table, n, "half_cells") for n in names]
    return np.max(columns, axis=0) > 0.0


def _line(
    ax: Axes,
    q: Array,
    u: Array,
    beyond: NDArray[np.bool_],
    colour: str,
    width: float,
    dash: str | tuple[int, tuple[float, ...]],
) -> None:
    """Draw a curve, dotted and thinner where it was not measured."""
    ax.plot(q, np.where(beyond, np.nan, u), color=colour, lw=width, linestyle=dash)
    if beyond.any():
        rest = np.where(beyond, u, np.nan)
        ax.plot(q, rest, color=colour, lw=0.6 * width, linestyle=DOTTED)


def _limits(
    ax: Axes,
    column: str,
    tables: Iterable[pl.DataFrame],
    from_mah_per_g: float,
    least_volt: float,
) -> None:
    """Scale to what the negative's curve covers, and never to a plateau's noise."""
    shown: list[Array] = []
    for table in tables:
        inside = floats(table, "negative_lithiation_fraction", "half_cells") >= 0.0
        late = floats(table, CAPACITY, "half_cells") >= from_mah_per_g
        shown.append(floats(table, column, "half_cells")[inside & late])
    values = np.concatenate(shown)
    low, high = float(values.min()), float(values.max())
    margin = max(0.08 * (high - low), 0.5 * (least_volt - (high - low)))
    ax.set_ylim(low - margin, high + margin)


def _frame(axes: NDArray[np.object_], longest: float) -> None:
    for ax, low in zip(axes[2], (-0.02, ZOOM_FROM), strict=True):
        ax.set_xlabel(axis_label(CAPACITY))
        ax.set_xlim(low * longest, 1.03 * longest)


def _mark_ends(
    axes: NDArray[np.object_],
    designs: Mapping[str, CellDesign],
    charges: Mapping[str, Array],
    discharges: Mapping[str, pl.DataFrame],
) -> None:
    colours = cell_colours(charges)
    for rank, (name, d) in enumerate(designs.items()):
        end, colour = float(charges[name][-1]), colours[name]
        ends = (
            d.upper_potential_vs_li_volt,
            d.negative_end_of_charge_potential_vs_li_volt,
            d.upper_volt,
        )
        for pair, value in zip(axes, ends, strict=True):
            for ax, size in zip(pair, (4.0, 5.5), strict=True):
                ax.plot([end], [value], "o", color=colour, markersize=size, zorder=4)
        if name in discharges:
            left = end - float(floats(discharges[name], CAPACITY, "half_cells")[-1])
            (square,) = axes[0][0].plot(
                [left], [d.lower_potential_vs_li_volt], "s", color=colour
            )
            # Cells often end at the same point: squares of falling size stay visible.
            square.set_markersize(4.0 + 2.5 * (len(designs) - 1 - rank))
            square.set_markerfacecolor("none")


def _legends(
    figure: Figure,
    ax: Axes,
    designs: Mapping[str, CellDesign],
    charges: Mapping[str, Array],
    discharges: Mapping[str, pl.DataFrame],
) -> None:
    from matplotlib.lines import Line2D

    keys = [
        Line2D([], [], color=GREY, linewidth=1.3, label="charge"),
        Line2D([], [], color=GREY, lw=0.9, linestyle=DOTTED, label="not measured"),
        Line2D([], [], color=GREY, marker="o", linestyle="none", label="its end, UP"),
    ]
    if discharges:
        keys += [
            Line2D(
                [], [], color=GREY, linewidth=0.9, linestyle=DASHED, label="discharge"
            ),
            Line2D(
                [],
                [],
                color=GREY,
                marker="s",
                markerfacecolor="none",
                linestyle="none",
                label="its end, LP",
            ),
        ]
    ax.legend(handles=keys, loc="lower right", ncols=2, columnspacing=1.2)
    colours = cell_colours(charges)
    cells = [
        Line2D([], [], color=colours[n], marker="o", label=_values(n, charges[n], d))
        for n, d in designs.items()
    ]
    figure.legend(handles=cells, loc="outside lower center")


def _values(name: str, charge: Array, d: CellDesign) -> str:
    return (
        f"{name}: {float(charge[-1]):.1f} mAh g⁻¹, "
        f"UP {d.upper_potential_vs_li_volt:.3f} V, "
        f"negative {d.negative_end_of_charge_potential_vs_li_volt:.3f} V, "
        f"LP {d.lower_potential_vs_li_volt:.3f} V"
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
