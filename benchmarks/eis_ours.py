"""Every call of equipoise that bench_impedance.py measures, in one place.

What is not there (a module not yet written, a real file that is missing) raises
ImportError or FileNotFoundError and becomes a line of "missing" in the results.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from eis_surrogates import measured

from equipoise.spec.spectrum import Spectrum

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2] / "shared" / "data" / "eis"
CIRCUIT = "R0-p(R1,C1)-p(R2-Wo1,C2)"
GUESS = (0.01, 0.01, 100.0, 0.01, 0.05, 100.0, 1.0)
"""Of impedance.py's tutorial, in the order of its text."""
BATCH = 100

_DRT = "equipoise.analysis.eis.drt"

COLD = """
import sys
import numpy as np
from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.spec.spectrum import Spectrum
f, re, im = np.loadtxt(sys.argv[1]).T
print(distribution(Spectrum.of(f, re + 1j * im)).polarisation_ohm)
"""


def _from(module: str, name: str) -> Callable:
    return getattr(importlib.import_module(module), name)


@cache
def surrogate(seed: int = 0) -> Spectrum:
    """S1 with its Warburg tail and 0.1 % noise."""
    return Spectrum.of(*measured("S1", seed=seed))


@cache
def example() -> Spectrum:
    """impedance.py's measured spectrum, capacitive points."""
    table = np.loadtxt(ROOT / "impedance_py" / "exampleData.csv", delimiter=",")
    table = table[table[:, 2] < 0.0]
    return Spectrum.of(table[:, 0], table[:, 1] + 1j * table[:, 2])


def drt(spectrum: Spectrum) -> object:
    """The default: inductance and Warburg tail fitted, extended grid."""
    return _from(f"{_DRT}.distribution", "distribution")(spectrum)


def drt_as_drttools(spectrum: Spectrum, inductance: str = "fit") -> object:
    """DRTtools' own problem."""
    settings = _from(f"{_DRT}.settings", "DrtSettings")(
        collocation="drttools", inductance=inductance
    )
    return _from(f"{_DRT}.distribution", "distribution")(
        spectrum, settings, tail="none"
    )


def another_grid(spectrum: Spectrum, number: int) -> Spectrum:
    """The same at frequencies that no cache knows."""
    scale = 1.0 + 1e-9 * number
    return Spectrum.of(spectrum.frequency_hertz * scale, spectrum.impedance_ohm)


def drt_batch() -> list:
    """100 spectra on one grid."""
    spectra = [surrogate(seed) for seed in range(BATCH)]
    return _from(f"{_DRT}.distribution", "distributions")(spectra)


def resistances(spectrum: Spectrum) -> object:
    """R_int and R_ct with the band over all models of the tail."""
    return _from(f"{_DRT}.resistances", "resistances")(spectrum)


def interval(spectrum: Spectrum) -> object:
    """Credible band of DRTtools' own problem, as many samples; solving it included."""
    run = _from(f"{_DRT}.intervals", "credible_band")
    return run(drt_as_drttools(spectrum), samples_count=1500)


def kramers_kronig(spectrum: Spectrum) -> object:
    return _from("equipoise.analysis.eis.kramers_kronig", "kramers_kronig")(spectrum)


def fit(spectrum: Spectrum, *, guess: bool = False, weighting: str = "unit") -> object:
    """The tutorial's circuit; without its guess, from the spectrum alone."""
    run = _from("equipoise.analysis.eis.circuits.fit", "fit_circuit")
    start = None
    if guess:
        names = (
            _from("equipoise.analysis.eis.circuits.circuit", "Circuit")
            .of(CIRCUIT)
            .names
        )
        start = dict(zip(names, GUESS, strict=True))
    return run(spectrum, CIRCUIT, start=start, weighting=weighting)
