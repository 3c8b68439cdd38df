"""How much each mechanism of ageing counts: cycle life with it weaker and stronger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.errors import DataError, SpecError
from equipoise.viz.cycling_axes import legend_below
from equipoise.viz.labels import floats, signed
from equipoise.viz.style import (
    BLACK,
    DOUBLE_COLUMN_MM,
    SKY,
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

PERCENT = 100.0
SIDES = {"weaker": (SKY, ""), "stronger": (VERMILLION, "////")}
"""Colour and hatch, so that they differ without colour, too."""
MOST_LIVES = 3
ROW_MM = 9.0
WIDTH = 0.36
LEAST_PERCENT = 1.0
ROOM_RATIO = 1.45
"""Of the axis over the longest bar: room for the numbers."""


class _Bar(NamedTuple):
    """Change of the cycle life in percent; a lower bound if `censored`."""

    percent: float
    censored: bool


Bars = dict[str, dict[str, _Bar]]
"""Of a life: by mechanism and side."""


def life_sensitivity(
    sensitivities: Mapping[str, pl.DataFrame], *, change_fraction: float = 0.2
) -> Figure:
    """Draw the change of the cycle life with each mechanism weaker and stronger.

    The mechanism that counts most stands at the top, lives side by side in one order.

    Parameters
    ----------
    sensitivities
        By name of the life: `kind`, `place`, `weaker_change_fraction`,
        `stronger_change_fraction` (of the cycle life, relative) and, if lives were cut
        off, `weaker_is_censored`, `stronger_is_censored`; as
        `sim.life.sensitivity.Sensitivities.table` is.
    change_fraction
        How much weaker and stronger: for the legend.

    Raises
    ------
    DataError
        If there is no life, a column is missing, or no change is known.
    SpecError
        If there are more than three lives.
    """
    if len(sensitivities) > MOST_LIVES:
        raise SpecError(
            f"{len(sensitivities)} lives side by side cannot be read, at most "
            f"{MOST_LIVES} can",
            where="life_sensitivity",
            remedy="draw several figures",
        )
    lives = {name: _bars(name, table) for name, table in sensitivities.items()}
    order = _order(lives)
    most = max(
        [abs(b.percent) for bars in lives.values() for m in bars.values() for b in
         m.values() if np.isfinite(b.percent)]
    )  # fmt: skip
    limit = ROOM_RATIO * max(most, LEAST_PERCENT)
    with style():
        width_mm = DOUBLE_COLUMN_MM if len(lives) > 1 else 130.0
        figure = new_figure(22.0 + ROW_MM * len(order), width_mm=width_mm)
        axes: list[Axes] = list(
            figure.subplots(1, len(lives), squeeze=False, sharex=True, sharey=True)[0]
        )
        for ax, (name, bars) in zip(axes, lives.items(), strict=True):
            _draw(ax, bars, order)
            ax.set_xlabel("Change of the cycle life / %")
            ax.set_title(name)
            ax.tick_params(axis="y", length=0)
            ax.spines["left"].set_visible(False)
        axes[0].set_xlim(-limit, limit)
        axes[0].set_ylim(len(order) - 0.5, -0.5)
        axes[0].set_yticks(range(len(order)), order)
        if len(axes) > 1:
            letter_panels(axes)
        legend_below(figure, _handles(change_fraction))
    return figure


def _bars(name: str, table: pl.DataFrame) -> Bars:
    """Bars of a life, by mechanism."""
    who = f"life_sensitivity, {name}"
    change = {s: floats(table, f"{s}_change_fraction", who) for s in SIDES}
    for column in ("kind", "place"):
        if column not in table.columns:
            raise DataError(
                f"the table has no column {column!r}",
                where=who,
                remedy=f"it has: {', '.join(table.columns)}",
            )
    found: Bars = {}
    for i, row in enumerate(table.iter_rows(named=True)):
        found[_mechanism(row, found)] = {
            s: _Bar(PERCENT * float(v[i]), bool(row.get(f"{s}_is_censored")))
            for s, v in change.items()
        }
    return found


def _mechanism(row: Mapping[str, object], known: Mapping[str, object]) -> str:
    """Kind and place, and a number if both are there already."""
    kind = str(row["kind"]).replace("-", " ")
    text = f"{kind[:1].upper()}{kind[1:]}"
    text += f"\n({row['place']})" if row["place"] else ""
    twins = sum(name.startswith(text) for name in known)
    return f"{text} {twins + 1}" if twins else text


def _order(lives: Mapping[str, Bars]) -> list[str]:
    """Mechanisms by their largest change in any life."""
    largest: dict[str, float] = {}
    for bars in lives.values():
        for mechanism, sides in bars.items():
            sizes = [abs(b.percent) for b in sides.values() if np.isfinite(b.percent)]
            largest[mechanism] = max([largest.get(mechanism, -1.0), *sizes])
    if not any(v >= 0.0 for v in largest.values()):
        raise DataError(
            "no change of a cycle life is known",
            where="life_sensitivity",
            remedy="the reference life must reach its end: give it more cycles",
        )
    return sorted(largest, key=lambda m: -largest[m])


def _draw(ax: Axes, bars: Bars, order: Sequence[str]) -> None:
    for i, mechanism in enumerate(order):
        for k, (side, bar) in enumerate(bars.get(mechanism, {}).items()):
            colour, hatch = SIDES[side]
            at = i + (k - 0.5) * WIDTH
            if not np.isfinite(bar.percent):
                ax.annotate(
                    "not known", (0.0, at), (3.0, 0.0), va="center", fontsize=6.5,
                    textcoords="offset points",
                )  # fmt: skip
                continue
            ax.barh(
                at,
                bar.percent,
                0.92 * WIDTH,
                facecolor=colour,
                edgecolor="white",
                hatch=hatch,
                linewidth=0,
                label=f"_{side}",
            )
            _number(ax, bar, at)
    ax.axvline(0.0, color=BLACK, linewidth=0.7, zorder=2.5)


def _number(ax: Axes, bar: _Bar, at: float) -> None:
    """The change at the end of its bar."""
    text = signed(bar.percent, "+.1f")
    text = text if text.strip("+0.") else "0.0"
    right = bar.percent >= 0.0
    ax.annotate(
        f"≥ {text}" if bar.censored else text,
        (bar.percent, at),
        (3.0 if right else -3.0, 0.0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=6.5,
    )


def _handles(change_fraction: float) -> list[Artist]:
    from matplotlib.patches import Patch

    handles: list[Artist] = []
    for sign, (side, (colour, hatch)) in zip((-1.0, 1.0), SIDES.items(), strict=True):
        text = f"{signed(sign * PERCENT * change_fraction, '+g')} % strength ({side})"
        handles.append(
            Patch(facecolor=colour, edgecolor="white", hatch=hatch, lw=0, label=text)
        )
    return handles
