"""Residuals of the Kramers-Kronig test, with the verdict on every decade."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from equipoise.viz.cycling_axes import wrapped
from equipoise.viz.impedance_axes import (
    IMAGINARY,
    REAL,
    SINGLE_COLUMN_MM,
    decade_axis,
    grey_note,
)
from equipoise.viz.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SHADE,
    VERMILLION,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.analysis.eis.kramers_kronig import KramersKronig, Verdict

HEIGHT_MM = 70.0
TITLE = "Kramers-Kronig"
COLOURS: dict[Verdict, str] = {
    "consistent": GREEN,
    "noisy": ORANGE,
    "inconsistent": VERMILLION,
    "too few points": GREY,
}
HATCHES: dict[Verdict, str] = {"noisy": "....", "inconsistent": "////"}
LEAST_LIMIT_RATIO = 1.6
"""Half height of the axis over the limit, at least: the band has to be seen."""
ROBUST_PERCENTILE = 97.0


def residuals(tested: KramersKronig) -> Figure:
    """Draw (fit - data) / |data| of both parts over frequency, in %.

    The shaded band is what was allowed for the root mean square of a decade; the
    strip above holds that of each decade, coloured by its verdict. Points beyond the
    axis are drawn as triangles at its edge.
    """
    with style():
        figure = new_figure(HEIGHT_MM, width_mm=SINGLE_COLUMN_MM)
        strip, ax = figure.subplots(2, 1, sharex=True, height_ratios=(1.0, 7.0))
        f = tested.spectrum.frequency_hertz
        ax.set_xlim(f[-1] / 1.4, f[0] * 1.4)
        decade_axis(ax)
        limit = tested.limit_percent
        ax.axhspan(-limit, limit, color=SHADE, linewidth=0, zorder=0)
        ax.axhline(0.0, color=GREY, linewidth=0.5, zorder=1)
        _curves(ax, tested)
        ax.set_xlabel("Frequency / Hz")
        ax.set_ylabel("(Fit − data) / |Z| / %")
        grey_note(ax, f"limit ±{limit:g} %", (0.99, 0.02), ha="right", va="bottom")
        _strip(strip, tested)
        name = tested.spectrum.name
        strip.set_title(wrapped(f"{name}: {TITLE}", 40) if name else TITLE)
        _legend(figure, ax, tested)
    return figure


def _curves(ax: Axes, tested: KramersKronig) -> None:
    f, percent = tested.spectrum.frequency_hertz, 100.0 * tested.residual_ratio
    size = np.maximum(np.abs(percent.real), np.abs(percent.imag))
    ordinary = float(np.percentile(size, ROBUST_PERCENTILE))
    edge = max(1.25 * ordinary, LEAST_LIMIT_RATIO * tested.limit_percent)
    if size.max() <= 1.5 * edge:
        edge = max(edge, 1.1 * float(size.max()))
    ax.set_ylim(-edge, edge)
    for values, label, colour, marker in (
        (np.real(percent), REAL, BLUE, "o"),
        (np.imag(percent), IMAGINARY, VERMILLION, "s"),
    ):
        inside = np.abs(values) <= edge
        ax.plot(
            f,
            np.where(inside, values, np.nan),
            color=colour,
            linewidth=0.7,
            marker=marker,
            markersize=2.6,
            markerfacecolor="white",
            markeredgewidth=0.7,
            label=label,
        )
        for sign, triangle in ((1.0, "^"), (-1.0, "v")):
            beyond = sign * values > edge
            ax.plot(
                f[beyond],
                np.full(int(beyond.sum()), 0.97 * sign * edge),
                linestyle="none",
                marker=triangle,
                markersize=4.0,
                color=colour,
            )
    alone = tested.outliers
    if alone.any():
        ax.plot(
            f[alone],
            np.clip(
                np.where(
                    np.abs(np.real(percent)) >= np.abs(np.imag(percent)),
                    np.real(percent),
                    np.imag(percent),
                )[alone],
                -0.97 * edge,
                0.97 * edge,
            ),
            linestyle="none",
            marker="o",
            markersize=7.5,
            markerfacecolor="none",
            markeredgecolor=GREY,
            markeredgewidth=0.9,
            label="outlier",
        )


def _strip(ax: Axes, tested: KramersKronig) -> None:
    """One cell per decade with its root mean square residual."""
    ends = _ends(tested)
    for r, (low, high) in zip(tested.ranges, ends, strict=True):
        ax.axvspan(
            low,
            high,
            facecolor=COLOURS[r.verdict],
            edgecolor="white",
            linewidth=1.0,
            alpha=0.45,
            hatch=HATCHES.get(r.verdict),
        )
        text = f"{r.residual_percent:.2g}"
        ax.text(
            float(np.sqrt(low * high)), 0.47, text, ha="center", va="center", fontsize=6
        )
    ax.set_ylim(0.0, 1.0)
    ax.set_yticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(axis="x", which="both", length=0, labelbottom=False)
    ax.set_ylabel("rms\n/ %", rotation=0, ha="right", va="center", fontsize=6.5)


def _ends(tested: KramersKronig) -> list[tuple[float, float]]:
    """Cells that touch: they meet half-way between the points of two decades."""
    ranges = tested.ranges
    edges = [ranges[0].highest_hertz]
    edges += [
        float(np.sqrt(a.lowest_hertz * b.highest_hertz)) for a, b in pairwise(ranges)
    ]
    edges.append(ranges[-1].lowest_hertz)
    return list(zip(edges[1:], edges[:-1], strict=True))


def _legend(figure: Figure, ax: Axes, tested: KramersKronig) -> None:
    from matplotlib.patches import Patch

    handles, labels = ax.get_legend_handles_labels()
    verdicts = {r.verdict for r in tested.ranges}
    seen: list[Verdict] = [v for v in COLOURS if v in verdicts]
    patches = [
        Patch(facecolor=COLOURS[v], alpha=0.45, hatch=HATCHES.get(v), label=v)
        for v in seen
    ]
    figure.legend(
        [*handles, *patches],
        [*labels, *seen],
        loc="outside lower center",
        ncols=3 if len(handles) + len(patches) > 5 else 5,
        fontsize=7.0,
        columnspacing=1.0,
        handletextpad=0.5,
    )
