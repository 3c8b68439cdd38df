"""One half-cell curve: both directions, hysteresis, data and extrapolation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import LITHIUM
from equipoise.viz.style import (
    BLACK,
    GREY,
    VERMILLION,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.spec.curve import Curve, HalfCell

Array = NDArray[np.float64]

DIRECTIONS = {"delithiation": VERMILLION, "lithiation": BLACK}
AXES = {
    "delithiated": "Lithium taken out / mAh g⁻¹",
    "lithiated": "Lithium taken up / mAh g⁻¹",
}
DRAWN = 2001


def curve_figure(half_cell: HalfCell) -> Figure:
    """Draw the open-circuit curve of a material; dashed beyond its data.

    A second panel shows the hysteresis where both directions have data.
    """
    branches = {"delithiation": half_cell.delithiation}
    if half_cell.has_hysteresis:
        branches["lithiation"] = half_cell.lithiation
    with style():
        figure = new_figure(105.0 if len(branches) > 1 else 75.0, width_mm=120.0)
        axes = figure.subplots(
            len(branches),
            1,
            sharex=True,
            squeeze=False,
            height_ratios=(2.4, 1.0)[: len(branches)],
        ).ravel()
        for name, curve in branches.items():
            label = name if len(branches) > 1 else "both directions"
            _branch(axes[0], curve, DIRECTIONS[name], label)
        axes[0].set_ylabel(f"Potential vs {LITHIUM} / V")
        axes[0].set_title(f"{half_cell.name} ({half_cell.evidence})")
        axes[0].legend()
        if len(branches) > 1:
            _hysteresis(axes[1], half_cell)
            letter_panels(axes)
        axes[-1].set_xlabel(AXES[half_cell.axis])
    return figure


def _branch(ax: Axes, curve: Curve, colour: str, label: str) -> None:
    low, high = curve.measured_from_mah_per_g, curve.measured_to_mah_per_g
    ends = (
        (curve.start_mah_per_g, low, True),
        (low, high, False),
        (high, curve.stop_mah_per_g, True),
    )
    for start, stop, extrapolated in ends:
        if stop - start <= 1e-9 * abs(curve.stop_mah_per_g):
            continue
        q = np.linspace(start, stop, DRAWN)
        ax.plot(
            q,
            curve.potential(q),
            color=colour,
            linestyle=(0, (2, 1.2)) if extrapolated else "-",
            label=_unused(ax, f"{label}, extrapolated" if extrapolated else label),
        )


def _unused(ax: Axes, label: str) -> str:
    """The label, or a hidden one if the legend has it already."""
    return "_nolegend_" if label in ax.get_legend_handles_labels()[1] else label


def _hysteresis(ax: Axes, half_cell: HalfCell) -> None:
    out, back = half_cell.delithiation, half_cell.lithiation
    low = max(out.measured_from_mah_per_g, back.measured_from_mah_per_g)
    high = min(out.measured_to_mah_per_g, back.measured_to_mah_per_g)
    q = np.linspace(low, high, DRAWN)
    gap = 1e3 * (out.potential(q) - back.potential(q))
    ax.plot(q, gap, color=GREY)
    ax.set_ylim(0.0 if gap.min() >= 0.0 else None, 1.3 * float(np.quantile(gap, 0.98)))
    ax.set_ylabel("Hysteresis / mV")
    ax.set_title("Delithiation minus lithiation")
