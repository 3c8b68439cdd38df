"""What is strange about a spectrum although it may be right: units, ranges, repeats."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from equipoise.io.spectra.draft import Draft

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

USUAL_OHM = (1e-3, 1e7)
"""Beyond: a battery of more than 100 Ah, or kilo- and megaohm without a word."""
USUAL_HERTZ = (1e-6, 1e8)
NEGATIVE_SHARE = 0.1
ROUND_RATIO = 2e-3
"""A frequency this near to 1, 2 or 5 times a power of ten was typed by somebody."""
LEAST_POINTS = 5


def look(draft: Draft, parts: list[NDArray[np.int64]], impedance: ComplexArray) -> None:
    """Add what is strange to the findings of a draft; nothing is changed.

    Parameters
    ----------
    parts
        Rows of each spectrum.
    impedance
        Shape (N,), in ohm.
    """
    f = draft.frequency_hertz
    size = np.abs(impedance)
    said = "" if draft.impedance_unit else "; its label names no unit"
    if float(size.max()) < USUAL_OHM[0]:
        draft.say(
            "look",
            "impedance: unit",
            f"at most {size.max():.3g} ohm: is it in kohm or Mohm?{said}",
        )
    elif float(np.median(size)) > USUAL_OHM[1]:
        draft.say(
            "look",
            "impedance: unit",
            f"{np.median(size):.3g} ohm in the middle: is it in mohm?{said}",
        )
    elif not draft.impedance_unit and not draft.ours:
        draft.say("not proven", "impedance: unit", "no unit in the file: taken as ohm")
    negative = float((impedance.real < 0.0).mean())
    if negative > NEGATIVE_SHARE:
        draft.say(
            "look",
            "real part",
            f"below zero in {negative:.0%} of the points: are the columns exchanged?",
        )
    _frequencies(draft, f, parts)
    short = [p.size for p in parts if p.size < LEAST_POINTS]
    if short:
        draft.say("look", "spectra", f"{len(short)} of {len(parts)} with < 5 points")
    twins = sum(p.size - np.unique(f[p]).size for p in parts)
    if twins:
        many = "s" if twins > 1 else ""
        draft.say("look", "frequency", f"{twins} point{many} at a repeated frequency")
    steps = [np.sign(np.diff(f[p])) for p in parts]
    if any(s.size and s.min() < 0.0 < s.max() for s in steps):
        draft.say("look", "frequency", "not in order within a spectrum: sorted")


def _frequencies(draft: Draft, f: Array, parts: list[NDArray[np.int64]]) -> None:
    low, high = float(f.min()), float(f.max())
    if low < USUAL_HERTZ[0] or high > USUAL_HERTZ[1]:
        draft.say(
            "look", "frequency: unit", f"{low:.3g} to {high:.3g} Hz: is it in Hz?"
        )
    if draft.frequency_unit:
        return
    if not draft.ours:
        draft.say("not proven", "frequency: unit", "no unit in the file: taken as Hz")
    first = f[parts[0]]
    if _is_round(high / (2.0 * math.pi)) and not _is_round(high):
        draft.say(
            "look",
            "frequency: unit",
            f"the highest, {high:.6g}, is 2 pi times {high / (2.0 * math.pi):.4g}: "
            "is it the angular frequency in rad/s?",
        )
    steps = np.abs(np.diff(first))
    if (
        first.size >= LEAST_POINTS
        and high < 10.0
        and steps.min() > 0.0
        and float(np.ptp(steps)) < 0.05 * float(steps.mean())
    ):
        draft.say(
            "look",
            "frequency",
            f"rises in equal steps of {steps.mean():.3g} up to {high:.3g}: is it a "
            "logarithm?",
        )


def _is_round(value: float) -> bool:
    scaled = value / 10.0 ** math.floor(math.log10(value))
    return min(abs(scaled / r - 1.0) for r in (1.0, 2.0, 5.0, 10.0)) < ROUND_RATIO
