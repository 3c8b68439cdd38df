"""Numbers of ``equipoise eis`` as text: units by size, bands, prefixes, long lines."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from equipoise.analysis.eis.drt.resistances import RangeResistance

WIDTH = 96
"""Columns at which lines are folded."""
LABEL = 16
UNKNOWN = "–"
PREFIXES = (
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
)
NEGLIGIBLE = 1e-4
"""Of a value: what is smaller is printed as 0."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of a table; `factor_ratio` times a number in ohm is one in it."""

    text: str
    factor_ratio: float


def unit_for(values_ohm: Iterable[float], area_cm2: float | None) -> Unit:
    """Ohm, or ohm cm2 where an area is known, with the prefix that fits the largest.

    Examples
    --------
    >>> unit_for([0.02, 0.003], None), unit_for([2e4], 0.5)
    (Unit(text='mΩ', factor_ratio=1000.0), Unit(text='kΩ cm²', factor_ratio=0.0005))
    """
    area = 1.0 if area_cm2 is None else area_cm2
    sizes = [abs(area * v) for v in values_ohm if isfinite(v)]
    largest = max(sizes, default=0.0)
    prefix, ratio = "", 1.0
    if 0.0 < largest < 0.1:
        prefix, ratio = "m", 1e3
    elif largest >= 1e7:
        prefix, ratio = "M", 1e-6
    elif largest >= 1e4:
        prefix, ratio = "k", 1e-3
    return Unit(prefix + ("Ω" if area_cm2 is None else "Ω cm²"), ratio * area)


def with_band(
    r: RangeResistance, factor: float = 1.0, *, digits: int = 3
) -> tuple[str, str]:
    """Value and band, with as many decimals as the band deserves.

    As many digits of its width: 44.17, 40.74–50.74. An open band is "≥ 40.7", what is
    not known "–".
    """
    value, low, high = (factor * x for x in (r.value_ohm, r.low_ohm, r.high_ohm))
    if not isfinite(value):
        return UNKNOWN, UNKNOWN
    if not isfinite(high):
        return significant(value), f"≥ {significant(low)}"
    if not high > low:
        return f"{value:.4g}", f"{low:.4g}–{high:.4g}"
    decimals = min(max(digits - 1 - floor(log10(high - low)), 0), 9)
    return f"{value:.{decimals}f}", f"{low:.{decimals}f}–{high:.{decimals}f}"


def significant(value: float, digits: int = 3) -> str:
    """A number of so many digits, without an exponent up to 10^6.

    Examples
    --------
    >>> significant(430.2, 2), significant(0.000123), significant(12.34)
    ('430', '0.000123', '12.3')
    """
    if not isfinite(value):
        return UNKNOWN
    size = abs(value)
    if value == 0.0:
        return "0"
    if not 1e-6 <= size < 1e6:
        return f"{value:.{digits}g}"
    rounded = float(f"{value:.{digits}g}")
    decimals = max(digits - 1 - floor(log10(abs(rounded))), 0)
    return f"{rounded:.{decimals}f}"


def percent(value: float) -> str:
    """Two digits and the sign of per cent, without an exponent.

    Examples
    --------
    >>> percent(102.0), percent(0.58), percent(7e-6), percent(2e7)
    ('100 %', '0.58 %', '< 0.0001 %', '> 1000000 %')
    """
    if not isfinite(value):
        return UNKNOWN
    if 0.0 < abs(value) < 1e-4:
        return "< 0.0001 %"
    return "> 1000000 %" if value >= 1e6 else f"{significant(value, 2)} %"


def short(value: float, reference: float) -> str:
    """Two digits for a crowded column; 0 where it is nothing beside `reference`."""
    if not isfinite(value):
        return "open" if value == float("inf") else UNKNOWN
    return "0" if abs(value) < NEGLIGIBLE * abs(reference) else significant(value, 2)


def hertz(value: float) -> str:
    """A frequency with its prefix: 50.5 kHz."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m")):
        if value >= 0.9995 * factor or factor == 1e-3:
            return f"{value / factor:.3g} {prefix}Hz"
    raise AssertionError


def prefixed(value: float, unit: str) -> str:
    """A quantity with its prefix: 202 nH."""
    for factor, prefix in PREFIXES:
        if abs(value) >= 0.9995 * factor:
            return f"{significant(value / factor)} {prefix}{unit}"
    return f"{value / PREFIXES[-1][0]:.3g} {PREFIXES[-1][1]}{unit}" if value else "0"


def line(name: str, text: str) -> None:
    """Print a line with its label, folded."""
    folded(f"  {name + ':':<{LABEL}}{text}", indent=" " * (LABEL + 2))


def folded(text: str, *, indent: str = "  ") -> None:
    """Print a paragraph, folded; a number stays with its unit."""
    kept = re.sub(r" (?=cm²|%|Ω|mΩ|kΩ)", "\N{NO-BREAK SPACE}", text)
    lines = textwrap.wrap(
        kept,
        WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    typer.echo("\n".join(lines).replace("\N{NO-BREAK SPACE}", " "))
