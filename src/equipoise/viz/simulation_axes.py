"""What the axes of simulated tests share: written rates, the frame of the negative."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.labels import LITHIUM
from equipoise.viz.style import GREY, MM_PER_INCH, SHADE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

Array = NDArray[np.float64]

AGAINST = f"vs {LITHIUM} / V"
STEEP_SHARE = 0.02
"""Of a half cycle at each end: there the negative may be steep."""
POINTS_PER_LETTER = 4.4
"""Width of a letter of the C-rates over a figure, with the room between two."""
LABEL_LIFT_POINTS = 8.0
LEADER: dict[str, Any] = {
    "arrowstyle": "-",
    "color": GREY,
    "linewidth": 0.6,
    "shrinkA": 0.0,
    "shrinkB": 0.0,
}


def head(figure: Figure, text: str) -> None:
    """A title over all panels."""
    figure.suptitle(text, x=0.01, ha="left", weight="bold", fontsize=9.0)


def write_rates(
    ax: Axes,
    spans: Iterable[tuple[str, float, float]],
    *,
    width_mm: float,
    texts: bool = True,
) -> None:
    """Write the rate of each block over it, shade every second one.

    Parameters
    ----------
    spans
        Text, begin and end of each block, in data of the x-axis, in order.
    width_mm
        Of the axes on paper, about: labels that would touch are moved apart, and
        those of the shortest blocks left out if there is no room at all.
    texts
        Write the rates; else only shade.
    """
    spans = list(spans)
    low, high = ax.get_xlim()
    per_point = (high - low) / (width_mm * 72.0 / MM_PER_INCH)
    for _, begin, end in spans[1::2]:
        ax.axvspan(begin, end, color=SHADE, zorder=0, linewidth=0)
    shown = sorted(spans, key=lambda s: s[1] - s[2]) if texts else []
    while shown and sum(_width(s[0]) for s in shown) * per_point > high - low:
        shown.pop()
    shown.sort(key=lambda s: s[1])
    widths = [_width(s[0]) * per_point for s in shown]
    middles = [0.5 * (s[1] + s[2]) for s in shown]
    places = _apart(middles, widths, low, high)
    lifted = ax.get_xaxis_transform() + _lift(ax, LABEL_LIFT_POINTS)
    for (text, _, _), middle, place, width in zip(
        shown, middles, places, widths, strict=True
    ):
        moved = abs(place - middle) > 0.2 * width
        ax.annotate(
            text,
            (middle, 1.0),
            (place, 1.0),
            xycoords=ax.get_xaxis_transform(),
            textcoords=lifted,
            ha="center",
            va="bottom",
            fontsize=7.0,
            annotation_clip=False,
            arrowprops=LEADER if moved else None,
        )


def _lift(ax: Axes, points: float) -> Transform:
    """Move up on paper."""
    from matplotlib.transforms import ScaledTranslation

    figure = ax.get_figure(root=True)
    assert figure is not None
    return ScaledTranslation(0.0, points / 72.0, figure.dpi_scale_trans)


def _width(text: str) -> float:
    return POINTS_PER_LETTER * (len(text) + 1)


def _apart(
    middles: list[float], widths: list[float], low: float, high: float
) -> list[float]:
    """Move labels to the right, then back to the left, until none touch."""
    places: list[float] = []
    edge = low
    for middle, width in zip(middles, widths, strict=True):
        places.append(max(middle, edge + 0.5 * width))
        edge = places[-1] + 0.5 * width
    edge = high
    for i in reversed(range(len(places))):
        places[i] = min(places[i], edge - 0.5 * widths[i])
        edge = places[i] - 0.5 * widths[i]
    return places


def negative_frame(y: Array, share: Array) -> tuple[float, float]:
    """Ends of the axis of the negative, so that its tail can be seen.

    Steep ends of a half cycle, at shares of it near 0 and 1, leave the frame at the
    top if they would take up a third of it or more.
    """
    flat = y[(share >= STEEP_SHARE) & (share <= 1.0 - STEEP_SHARE)]
    low, top = float(y.min()), float(y.max())
    high = float(flat.max()) if flat.size else top
    if top - low <= 1.5 * (high - low):
        high = top
    room = 0.05 * max(high - low, 1e-3)
    return low - room, high + room
