"""What the figures of impedance share: units, axes of frequency and tau, labels."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.core.units import UNITS
from equipoise.viz.cycling_axes import wrapped
from equipoise.viz.labels import signed
from equipoise.viz.style import GREY, MM_PER_INCH, cell_colours, dash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from equipoise.analysis.eis.drt.resistances import RangeResistance
    from equipoise.spec.spectrum import Spectrum
    from equipoise.viz.simulation_runs import Dash

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

SINGLE_COLUMN_MM = 89.0
REAL, IMAGINARY = "Z\N{PRIME}", "Z\N{DOUBLE PRIME}"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
UNKNOWN = "–"
POINTS_PER_DECADE = 40
MOST_NAMES = 5
"""Spectra that still have colours of their own; more are a series on one scale."""
NAMES_OF_MANY = 5
"""Names in the legend of a longer series, first and last among them."""
NAME_LETTERS = 34
HANDLE_POINTS, LETTER_POINTS = 28.0, 3.9
"""Of a legend: what stands before a label, and one of its letters."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one of several spectra is drawn; a name "_" stays out of the legend."""

    name: str
    colour: str
    marker: str
    linestyle: Dash


MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")


def looks(names: Sequence[str]) -> list[Look]:
    """Colour, marker and dash of each; a series has the shades of an ordered scale."""
    if len(names) > MOST_NAMES:
        import matplotlib as mpl

        scale = mpl.colormaps["viridis"]
        shades = scale(np.linspace(0.0, 0.9, len(names)))
        told = set(np.linspace(0, len(names) - 1, NAMES_OF_MANY).round().astype(int))
        return [
            Look(name if i in told else "_", _hex(shade), "o", "-")
            for i, (name, shade) in enumerate(zip(names, shades, strict=True))
        ]
    colours = cell_colours(dict.fromkeys(names))
    if len(names) == 1 and names[0] not in ("LB", "HB"):
        colours = {names[0]: "#0072B2"}
    return [
        Look(name, colours[name], MARKERS[i % len(MARKERS)], dash(i))
        for i, name in enumerate(names)
    ]


def _hex(shade: object) -> str:
    from matplotlib.colors import to_hex

    return to_hex(shade)  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True, slots=True)
class Scale:
    """Unit in which impedances are drawn, and how to get there from ohm.

    Attributes
    ----------
    unit
        As printed.
    areas_cm2
        Factor of each spectrum; all 1 if an area is not known.
    prefix_ratio
        1, 1e-3 for kilo, 1e3 for milli.
    """

    unit: str
    areas_cm2: tuple[float, ...]
    prefix_ratio: float

    def of(self, index: int) -> float:
        """Factor from ohm to the axis, of spectrum number `index`."""
        return self.areas_cm2[index] * self.prefix_ratio


def scale_of(spectra: Sequence[Spectrum]) -> Scale:
    """Ohm cm2 if every area is known, else ohm; kilo or milli where that is shorter.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    if not spectra:
        raise DataError("there is no spectrum to draw", remedy="give at least one")
    areas = [s.area_cm2 for s in spectra]
    known = [a for a in areas if a is not None]
    specific = len(known) == len(areas)
    factors = tuple(known) if specific else (1.0,) * len(areas)
    largest = max(
        f * float(np.abs(s.impedance_ohm).max())
        for s, f in zip(spectra, factors, strict=True)
    )
    unit = UNITS["ohm_cm2"] if specific else UNITS["ohm"]
    prefix, ratio = prefix_of(largest)
    return Scale(prefix + unit, factors, ratio)


def prefix_of(largest: float) -> tuple[str, float]:
    """Prefix of the unit for values up to `largest`, and the factor to it.

    Examples
    --------
    >>> prefix_of(2e4), prefix_of(80.0), prefix_of(0.03)
    (('k', 0.001), ('', 1.0), ('m', 1000.0))
    """
    for start, prefix, ratio in ((1e6, "M", 1e-6), (1e4, "k", 1e-3)):
        if largest >= start:
            return prefix, ratio
    return ("m", 1e3) if 0.0 < largest < 0.5 else ("", 1.0)


def dense(spectrum: Spectrum) -> Array:
    """Frequencies for a smooth curve over those of a spectrum, Hz, falling."""
    f = spectrum.frequency_hertz
    if f[0] <= f[-1]:
        return f[:1]
    count = int(np.ceil(POINTS_PER_DECADE * np.log10(f[0] / f[-1]))) + 1
    return np.geomspace(f[0], f[-1], count)


def power_of_ten(exponent: int) -> str:
    """Text of a power of ten.

    Examples
    --------
    >>> power_of_ten(-2), power_of_ten(5)
    ('10⁻²', '10⁵')
    """
    return "10" + str(exponent).translate(SUPERSCRIPTS)


def decade_axis(ax: Axes, which: str = "x", *, every: int | None = None) -> None:
    """Logarithmic axis with powers of ten as text, not as mathematics."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = ax.xaxis if which == "x" else ax.yaxis
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    low, high = ax.get_xlim() if which == "x" else ax.get_ylim()
    decades = abs(log10(high / low))
    step = every or (1 if decades <= 9.0 else 2)
    axis.set_major_locator(LogLocator(base=10.0**step, numticks=20))
    minor = LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=400)
    axis.set_minor_locator(minor)
    if decades < 1.2:  # hardly a power of ten to be seen: plain numbers
        axis.set_major_locator(LogLocator(base=10.0, subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(_plain))
    else:
        axis.set_major_formatter(FuncFormatter(_power))
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(which="minor", size=1.6, width=0.5)


def _plain(value: float, _place: object) -> str:
    return f"{value:g}"


def _power(value: float, _place: object) -> str:
    exponent = log10(value) if value > 0.0 else 0.0
    return power_of_ten(round(exponent)) if abs(exponent % 1.0) < 1e-6 else f"{value:g}"


def seconds(value: float) -> str:
    """A time as text, powers of ten as such.

    Examples
    --------
    >>> seconds(1e-5), seconds(1.0), seconds(0.025)
    ('10⁻⁵', '1', '0.025')
    """
    exponent = log10(value) if 0.0 < value < float("inf") else 0.0
    whole = abs(exponent - round(exponent)) < 1e-9 and round(exponent) != 0
    return power_of_ten(round(exponent)) if whole else f"{value:g}"


def frequency_on_top(ax: Axes) -> None:
    """Frequency 1 / (2 pi tau) along the top of an axis of time constants."""
    first, last = ax.get_xlim()
    top = ax.twiny()
    top.spines["top"].set_visible(True)
    top.set_xlim(1.0 / (2.0 * np.pi * first), 1.0 / (2.0 * np.pi * last))
    decade_axis(top)
    top.set_xlabel("Frequency 1 / (2πτ) / Hz")


def with_band(found: RangeResistance, factor: float = 1.0) -> tuple[str, str]:
    """Value and band as texts, three digits of the width of the band.

    Returns
    -------
    tuple
        E.g. ("44.2", "40.7–50.7"), in ohm times `factor`; ("44.2", "≥ 40.7") where
        the band is open, ("–", "–") where nothing is known.
    """
    value, low, high = (
        factor * x for x in (found.value_ohm, found.low_ohm, found.high_ohm)
    )
    if not isfinite(value):
        return UNKNOWN, UNKNOWN
    width = high - low if isfinite(high) else 0.1 * value
    digits = min(max(1 - floor(log10(width)), 0), 6) if width > 0.0 else 1
    shown = [signed(x, f".{digits}f") for x in (value, low, high)]
    return shown[0], f"{shown[1]}–{shown[2]}" if isfinite(high) else f"≥ {shown[1]}"


def subscripted(symbol: str) -> str:
    """R_int as mathematical text, the subscript upright; other names as they are."""
    head, _, tail = symbol.partition("_")
    plain = tail.isascii() and tail.isalnum() and head.isascii() and head.isalnum()
    return rf"${head}_\mathrm{{{tail}}}$" if plain else symbol


def legend_over(figure: Figure, ax: Axes, *others: Axes, most_columns: int = 3) -> None:
    """Legend under the axes, in as many columns as its labels let it have."""
    known: dict[str, Artist] = {}
    for one in (ax, *others):
        for handle, label in zip(*one.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    if not known:
        return
    labels = [wrapped(label, NAME_LETTERS) for label in known]
    figure.legend(
        list(known.values()),
        labels,
        loc="outside lower center",
        ncols=_columns(labels, most_columns),
        fontsize=7.0,
        columnspacing=1.2,
        handletextpad=0.5,
    )


def _columns(labels: Sequence[str], most: int) -> int:
    """Columns of a legend, filled one after the other, that fit into a column."""
    lengths = [max(map(len, text.splitlines())) for text in labels]
    room = 72.0 * SINGLE_COLUMN_MM / MM_PER_INCH
    for count in range(min(most, len(labels)), 1, -1):
        rows = -(-len(labels) // count)
        widest = [max(lengths[k : k + rows]) for k in range(0, len(labels), rows)]
        if sum(HANDLE_POINTS + LETTER_POINTS * w for w in widest) <= room:
            return count
    return 1


def grey_note(ax: Axes, text: str, place: tuple[float, float], **how: object) -> None:
    """Small grey text at a place in axes coordinates."""
    ax.text(*place, text, transform=ax.transAxes, fontsize=6.5, color=GREY, **how)  # pyright: ignore[reportArgumentType]
