"""All figures of an impedance study, by the stem of their file."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from equipoise.viz.impedance_bars import resistance_bars
from equipoise.viz.impedance_bode import bode
from equipoise.viz.impedance_drt import drt
from equipoise.viz.impedance_nyquist import nyquist
from equipoise.viz.impedance_residuals import residuals
from equipoise.viz.impedance_tails import tail_ensemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from equipoise.study.impedance import SpectrumAnalysis

MOST_SINGLE = 6
"""Spectra that get figures of their own for residuals and tails."""


def impedance_figures(analyses: Sequence[SpectrumAnalysis]) -> dict[str, Figure]:
    """Draw what the number of spectra allows.

    Returns
    -------
    dict
        "nyquist", "bode", "drt", "resistances"; per spectrum, up to six,
        "residuals_NAME" and "tails_NAME" (without the name if there is one), of the
        last range that holds anything.

    Raises
    ------
    DataError
        If there is no spectrum.
    """
    spectra = [a.spectrum for a in analyses]
    found = [a.resistances for a in analyses]
    circuits = [a.circuit for a in analyses if a.circuit is not None]
    as_circuit = len(circuits) == len(analyses) > 0
    fits = (
        [c.impedance for c in circuits]
        if as_circuit
        else [r.best.impedance_ohm for r in found]
    )
    label = "circuit" if as_circuit else "fit"
    doubtful = [a.kramers_kronig.outliers for a in analyses]
    single = len(analyses) == 1
    drawn = {
        "nyquist": nyquist(spectra, fits=fits, outliers=doubtful, fit_label=label),
        "bode": bode(spectra, fits=fits, outliers=doubtful, fit_label=label),
        "drt": drt(
            found,
            names=[a.name for a in analyses],
            peaks=[a.peaks for a in analyses] if single else (),
            credible=[a.credible for a in analyses] if single else (),
        ),
        "resistances": resistance_bars(found, names=[a.name for a in analyses]),
    }
    for a, stem in zip(analyses, _stems(analyses), strict=True):
        if len(analyses) > MOST_SINGLE:
            break
        drawn[f"residuals{stem}"] = residuals(a.kramers_kronig)
        known = [
            r.tau_range.symbol
            for r in a.resistances.ranges
            if isfinite(r.value_ohm) and r.all_high_ohm > 0.0
        ]
        if known and len(a.resistances.members) > 1:
            drawn[f"tails{stem}"] = tail_ensemble(a.resistances, symbol=known[-1])
    return drawn


def _stems(analyses: Sequence[SpectrumAnalysis]) -> list[str]:
    """Ends of file names, each once; empty for a single spectrum."""
    if len(analyses) == 1:
        return [""]
    found: list[str] = []
    for a in analyses:
        stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in a.name)
        name, number = f"_{stem}", 2
        while name in found:
            name, number = f"_{stem}-{number}", number + 1
        found.append(name)
    return found
