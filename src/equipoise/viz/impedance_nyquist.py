"""Nyquist plot: both axes alike, decades marked, fit and doubtful points shown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.viz.impedance_axes import (
    IMAGINARY,
    MOST_NAMES,
    NAMES_OF_MANY,
    REAL,
    SINGLE_COLUMN_MM,
    dense,
    legend_over,
    looks,
    power_of_ten,
    scale_of,
)
from equipoise.viz.labels import MINUS
from equipoise.viz.style import BLACK, GREY, VERMILLION, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.spec.spectrum import Spectrum
    from equipoise.viz.impedance_axes import Look, Scale

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Box = tuple[float, float, float, float]
"""Left, right, bottom, top on paper."""

LOWEST_MM, HIGHEST_MM = 40.0, 110.0
SIDE_MM, ENDS_MM = 15.0, 14.0
"""Of a figure, what labels and ticks need beside and below the axes."""
ROOM = 0.06
LETTER_POINTS, LINE_POINTS = 4.4, 8.5
OWN_RATIO = 0.85
"""A label is so much nearer to its own mark than to any other."""
APART_RATIO = 5.0
"""Spectra that differ more in size have panels of their own."""
MOST_PANELS = 3
FROM_ZERO_RATIO = 0.35
"""Of the axis of Z': so much may stay empty for it to begin at 0."""
FURTHEST_DECADE = 0.06
"""A point marks a decade if it is that close to it, in decades."""


def nyquist(
    spectra: Sequence[Spectrum],
    *,
    fits: Sequence[Callable[[Array], ComplexArray]] = (),
    outliers: Sequence[NDArray[np.bool_]] = (),
    offset: bool = False,
    fit_label: str = "fit",
) -> Figure:
    """Draw -Z'' over Z' of one or more spectra; a long series without its fits.

    Where the largest is more than five times the smallest, small ones have a panel of
    their own below.

    Parameters
    ----------
    fits
        Impedance (ohm, complex) at frequencies (Hz), one per spectrum; e.g.
        `Distribution.impedance_ohm` or `CircuitFit.impedance`.
    outliers
        Shape (N,) each: points that are ringed, e.g. `KramersKronig.outliers`.
    offset
        Shift every spectrum but the last upwards, so that none lies on another.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    _ = scale_of(spectra)  # refuses none at all, as every figure does
    shown = looks([s.name or f"spectrum {i}" for i, s in enumerate(spectra, start=1)])
    many = len(spectra) > MOST_NAMES
    groups = _by_size(spectra)
    legend_mm = 5.0 * np.ceil((min(len(spectra), NAMES_OF_MANY) + bool(fits)) / 3.0)
    panels = [
        _Panel.of(
            [spectra[i] for i in group],
            [shown[i] for i in group],
            [] if many else [fits[i] for i in group if fits],
            [outliers[i] for i in group if outliers],
            offset=offset,
            legend_mm=legend_mm if group is groups[-1] else 0.0,
        )
        for group in groups
    ]
    heights = [p.height_mm for p in panels]
    with style():
        figure = new_figure(sum(heights), width_mm=SINGLE_COLUMN_MM)
        ratios = {"height_ratios": [*heights[:-1], heights[-1] - legend_mm]}
        axes = figure.subplots(
            len(panels), 1, squeeze=False, gridspec_kw=ratios if panels[1:] else None
        )[:, 0]
        for ax, panel in zip(axes, panels, strict=True):
            panel.draw(ax, fit_label, with_fit=bool(fits) and not many)
        if len(spectra) > 1 or fits or any(o.any() for o in outliers):
            legend_over(figure, *axes)
        figure.draw_without_rendering()  # from here on places on paper are known
        for ax, panel in zip(axes, panels, strict=True):
            _decades(figure, ax, panel, ends_only=many)
    return figure


def _by_size(spectra: Sequence[Spectrum]) -> list[list[int]]:
    """Indices of spectra that fit into one panel, the largest first."""
    areas = [s.area_cm2 for s in spectra]
    specific = None not in areas
    size = [
        float(np.abs(s.impedance_ohm).max()) * (s.area_cm2 or 1.0 if specific else 1.0)
        for s in spectra
    ]
    groups: list[list[int]] = []
    for i in sorted(range(len(spectra)), key=lambda i: -size[i]):
        full = len(groups) == MOST_PANELS
        if groups and (full or size[i] * APART_RATIO >= size[groups[-1][0]]):
            groups[-1].append(i)
        else:
            groups.append([i])
    return [sorted(g) for g in groups]


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """Spectra of one pair of axes, scaled."""

    spectra: list[Spectrum]
    looks: list[Look]
    fits: list[Callable[[Array], ComplexArray]]
    outliers: list[NDArray[np.bool_]]
    scale: Scale
    data: list[ComplexArray]
    shifts: list[float]
    height_mm: float
    limits: tuple[float, float, float, float]

    @classmethod
    def of(
        cls,
        spectra: list[Spectrum],
        shown: list[Look],
        fits: list[Callable[[Array], ComplexArray]],
        outliers: list[NDArray[np.bool_]],
        *,
        offset: bool,
        legend_mm: float,
    ) -> Self:
        """Scale the data, and choose height and limits."""
        scale = scale_of(spectra)
        data = [scale.of(i) * s.impedance_ohm for i, s in enumerate(spectra)]
        shifts = _shifts(data) if offset else [0.0] * len(data)
        height, limits = _frame(data, shifts, legend_mm)
        return cls(spectra, shown, fits, outliers, scale, data, shifts, height, limits)

    def draw(self, ax: Axes, fit_label: str, *, with_fit: bool) -> None:
        """Points, rings and fits."""
        for i, look in enumerate(self.looks):
            points = self.data[i] + 1j * -self.shifts[i]
            _points(ax, points, look, with_fit=with_fit)
            if self.outliers and self.outliers[i].any():
                doubtful = points[self.outliers[i]]
                _rings(ax, doubtful, first=_first(self.outliers, i))
        for i, fit in enumerate(self.fits):
            z = self.scale.of(i) * fit(dense(self.spectra[i])) - 1j * self.shifts[i]
            label = "_" if i else fit_label
            ax.plot(z.real, -z.imag, color=BLACK, linewidth=0.8, label=label)
        unit = self.scale.unit
        ax.set_xlabel(f"{REAL} / {unit}")
        ax.set_ylabel(
            f"{MINUS}{IMAGINARY} / {unit}" + (" (offset)" if any(self.shifts) else "")
        )
        ax.axis(self.limits)
        ax.set_aspect("equal", anchor="SW")
        if self.limits[2] < 0.0:
            ax.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)


def _first(outliers: Sequence[NDArray[np.bool_]], i: int) -> bool:
    return not any(o.any() for o in outliers[:i])


def _shifts(data: Sequence[ComplexArray]) -> list[float]:
    """Upward shift of each, the last one at 0."""
    found, top = [0.0], 0.0
    for below, z in zip(data[:0:-1], data[-2::-1], strict=True):
        top += 0.75 * float((-below.imag).max() - min((-z.imag).min(), 0.0))
        found.append(top)
    return found[::-1]


def _box(
    data: Sequence[ComplexArray], shifts: Sequence[float]
) -> tuple[float, float, float, float]:
    real = np.concatenate([z.real for z in data])
    up = np.concatenate([s - z.imag for z, s in zip(data, shifts, strict=True)])
    left, right = float(real.min()), float(real.max())
    if 0.0 < left < FROM_ZERO_RATIO * right:
        left = 0.0
    return left, right, min(float(up.min()), 0.0), max(float(up.max()), 0.0)


def _frame(
    data: Sequence[ComplexArray], shifts: Sequence[float], legend_mm: float
) -> tuple[float, tuple[float, float, float, float]]:
    """Height of the figure (mm) and limits of the axes, so that these fill it."""
    left, right, low, high = _box(data, shifts)
    room = ROOM * max(right - left, high - low, 1e-30)
    right, high = right + room, high + 1.4 * room
    left -= room if left != 0.0 else 0.0
    low -= room if low < 0.0 else 0.0
    wide = SINGLE_COLUMN_MM - SIDE_MM
    rest = ENDS_MM + legend_mm
    height = wide * (high - low) / (right - left) + rest
    height = float(np.clip(height, LOWEST_MM, HIGHEST_MM))
    ratio = (height - rest) / wide
    if ratio > (high - low) / (right - left):
        high = low + ratio * (right - left)
    else:
        right = left + (high - low) / ratio
    return height, (left, right, low, high)


def _points(ax: Axes, z: ComplexArray, look: Look, *, with_fit: bool) -> None:
    ax.plot(
        z.real,
        -z.imag,
        linestyle="none" if with_fit else "-",
        linewidth=0.6,
        marker=look.marker,
        markersize=3.0,
        markerfacecolor="white",
        markeredgecolor=look.colour,
        markeredgewidth=0.8,
        color=look.colour,
        label=look.name,
        clip_on=False,
    )


def _rings(ax: Axes, z: ComplexArray, *, first: bool) -> None:
    ax.plot(
        z.real,
        -z.imag,
        linestyle="none",
        marker="o",
        markersize=7.0,
        markerfacecolor="none",
        markeredgecolor=VERMILLION,
        markeredgewidth=1.0,
        label="Kramers-Kronig outlier" if first else "_",
        zorder=5,
        clip_on=False,
    )


def _decades(figure: Figure, ax: Axes, panel: _Panel, *, ends_only: bool) -> None:
    """Fill the markers at powers of ten, and name them where there is room."""
    spectra, data, shifts, shown = (
        panel.spectra,
        panel.data,
        panel.shifts,
        panel.looks,
    )
    points = np.concatenate(
        [
            ax.transData.transform(np.stack([z.real, s - z.imag], axis=1))
            for z, s in zip(data, shifts, strict=True)
        ]
    )
    per_point = figure.dpi / 72.0
    marks: list[tuple[Array, int, Look]] = []
    ends = (0, len(spectra) - 1)
    for i, spectrum in enumerate(spectra):
        if ends_only and i not in ends:
            continue
        for index, exponent in _at_powers(spectrum):
            z = data[i][index] - 1j * shifts[i]
            ax.plot(
                [z.real],
                [-z.imag],
                marker=shown[i].marker,
                markersize=3.2,  # no larger than the point: neighbours stay seen
                color=shown[i].colour,
                zorder=2.1,
                clip_on=False,
            )
            place = ax.transData.transform((z.real, -z.imag))
            marks.append((place, exponent, shown[i]))
    taken: list[Box] = []
    for i, (at, exponent, look) in enumerate(marks):
        text = power_of_ten(exponent) + (" Hz" if not taken else "")
        others = np.array([m[0] for k, m in enumerate(marks) if k != i])
        offset = _place(ax, at, text, points, others, taken, per_point)
        if offset is not None:
            ax.annotate(
                text,
                tuple(ax.transData.inverted().transform(at)),
                offset,
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=6.5,
                color=look.colour,
            )


def _at_powers(spectrum: Spectrum) -> list[tuple[int, int]]:
    """Index of the point nearest to each power of ten, low frequencies first."""
    log = np.log10(spectrum.frequency_hertz)
    found: list[tuple[int, int]] = []
    for exponent in range(
        int(np.ceil(log[-1] - 0.01)), int(np.floor(log[0] + 0.01)) + 1
    ):
        index = int(np.argmin(np.abs(log - exponent)))
        if abs(log[index] - exponent) <= FURTHEST_DECADE:
            found.append((index, exponent))
    return found


def _place(
    ax: Axes,
    at: Array,
    text: str,
    points: Array,
    others: Array,
    taken: list[Box],
    per_point: float,
) -> tuple[float, float] | None:
    """Offset in points of the label with the fewest data under it, or None.

    It must be nearer to its own mark than to the others.
    """
    wide = 0.5 * LETTER_POINTS * len(text) * per_point
    high = 0.5 * LINE_POINTS * per_point
    frame = ax.get_window_extent()
    best: tuple[float, tuple[float, float], Box] | None = None
    # above, below, then the sides, near before far
    for far, (dx, dy) in product((1.0, 1.7, 2.6), DIRECTIONS):
        x = at[0] + dx * (wide + 3.0 * far * per_point)
        y = at[1] + dy * (high + 3.0 * far * per_point)
        box = (x - wide, x + wide, y - high, y + high)
        if box[0] < frame.x0 or box[1] > frame.x1 or box[2] < frame.y0 + 1:
            continue
        if any(_overlap(box, other) for other in taken):
            continue
        if others.size:
            nearest = np.hypot(others[:, 0] - x, others[:, 1] - y).min()
            if np.hypot(at[0] - x, at[1] - y) > OWN_RATIO * nearest:
                continue
        inside = (points[:, 0] > box[0] - 2) & (points[:, 0] < box[1] + 2)
        inside &= (points[:, 1] > box[2] - 2) & (points[:, 1] < box[3] + 2)
        cost = float(inside.sum()) + 0.3 * far
        if best is None or cost < best[0] - 1e-9:
            offset = ((x - at[0]) / per_point, (y - at[1]) / per_point)
            best = (cost, offset, box)
    if best is None or best[0] >= 2.0:
        return None
    taken.append(best[2])
    return best[1]


DIRECTIONS = ((0, 1), (0, -1), (1, -1), (-1, 1), (1, 1), (-1, -1), (1, 0), (-1, 0))


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]
