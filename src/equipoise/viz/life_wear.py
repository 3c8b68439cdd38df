"""What wears along lives, in small panels: fractions, film, swing, H2-H3, lithium."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from equipoise.core.units import UNITS
from equipoise.viz.cycling_axes import cycle_axis, legend_below
from equipoise.viz.life_axes import (
    CYCLE,
    LifeLine,
    Lives,
    Members,
    band,
    cycle_range,
    few_ticks,
    life_handles,
    life_lines,
    points,
)
from equipoise.viz.style import (
    DASHES,
    GREY,
    letter_panels,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND_ALPHA = 0.2
NEGATIVE_DASH = DASHES[1]


class _Panel(NamedTuple):
    """A quantity of the positive or the cell, and the same of the negative."""

    title: str
    unit: str
    factor: float
    column: str
    negative_column: str
    least: float


PANELS = (
    _Panel(
        "Active material", "%", 100.0, "positive_active_fraction",
        "negative_active_fraction", 2.0,
    ),
    _Panel(
        "Contact area", "%", 100.0, "positive_contact_fraction",
        "negative_contact_fraction", 2.0,
    ),
    _Panel(
        "Growth of the film", UNITS["ohm_cm2"], 1.0, "positive_film_growth_ohm_cm2",
        "negative_film_growth_ohm_cm2", 0.2,
    ),
    _Panel("Volume swing", "%", 1.0, "volume_swing_percent", "", 0.1),
    _Panel(
        "H2-H3 usage", UNITS["mah_per_g"], 1.0,
        "h2h3_usage_mah_per_g_positive", "", 0.5,
    ),
    _Panel(
        "Lithium inventory", UNITS["mah_per_g"], 1.0,
        "lithium_inventory_mah_per_g_positive", "", 1.0,
    ),
)  # fmt: skip
"""The last number is the smallest height of the axis: less is not worth a panel."""


def life_wear(lives: Lives, *, members: Members | None = None) -> Figure:
    """Draw the wear behind lives against the cycle, a small panel per quantity.

    Only cycles of the kind of most cycles, settled ones, are drawn. The negative is
    dashed, where it wears in any of the lives.

    Parameters
    ----------
    lives
        `Life.cycles` by name: `cycle_count`, `positive_` and
        `negative_active_fraction`, `..._contact_fraction`,
        `..._film_growth_ohm_cm2`, `volume_swing_percent`,
        `h2h3_usage_mah_per_g_positive`, `lithium_inventory_mah_per_g_positive`,
        `is_ageing_cycle`, `is_settled`.
    members
        Of each life the members of its ensemble, same columns: shaded from 5 to 95 %,
        of the positive and the cell only.

    Raises
    ------
    DataError
        If there is no life, or a column is missing.
    SpecError
        If members are of a life that is not drawn.
    """
    needs = [c for p in PANELS for c in (p.column, p.negative_column) if c]
    found = life_lines(lives, needs=needs, members=members, needed_by="life_wear")
    with style():
        figure = new_figure(104.0)
        axes: list[Axes] = list(figure.subplots(2, 3, sharex=True).ravel())
        dashed = [_draw(ax, p, found) for ax, p in zip(axes, PANELS, strict=True)]
        cycle_axis(axes, *cycle_range(found, {}))
        few_ticks(axes)
        for ax in axes[3:]:
            ax.set_xlabel("Cycle")
        letter_panels(axes)
        figure.align_ylabels(axes)
        legend_below(figure, _handles(found, negative=any(dashed)))
    return figure


def _draw(ax: Axes, panel: _Panel, lines: Sequence[LifeLine]) -> bool:
    """Fill a panel; whether the negative is in it."""
    negative = bool(panel.negative_column) and any(
        _changes(line, panel.negative_column) for line in lines
    )
    for line in lines:
        at, low, high = band(line, panel.column, panel.factor)
        if at.size:
            ax.fill_between(
                at, low, high, color=line.colour, alpha=BAND_ALPHA, linewidth=0
            )
        ax.plot(
            *points(line.ageing, panel.column, panel.factor),
            color=line.colour,
            linestyle=line.linestyle,
            linewidth=1.3,
            label="_life",
        )
        if negative:
            ax.plot(
                *points(line.ageing, panel.negative_column, panel.factor),
                color=line.colour,
                linestyle=NEGATIVE_DASH,
                linewidth=1.0,
                label="_negative",
            )
    ax.set_ylabel(f"{panel.title} / {panel.unit}")
    low, high = ax.get_ylim()
    room = 0.5 * max(panel.least - (high - low), 0.0)
    ax.set_ylim(low - room, high + room)
    return negative


def _changes(line: LifeLine, column: str) -> bool:
    _, value = points(line.ageing, column, 1.0)
    return bool(value.size) and float(value.max()) > float(value.min())


def _handles(lines: Sequence[LifeLine], *, negative: bool) -> list[Artist]:
    from matplotlib.lines import Line2D

    labels = [x.label for x in lines]
    handles = life_handles(lines, labels, {}, columns=(CYCLE,), rest=False)
    if negative:
        for text, dashes in (("positive", "-"), ("negative", NEGATIVE_DASH)):
            line = Line2D([], [], color=GREY, linewidth=1.2, label=text)
            line.set(linestyle=dashes)
            handles.append(line)
    return handles
