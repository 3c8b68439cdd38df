"""Spectra of cells: Kramers-Kronig, R_int and R_ct with their bands, peaks, circuit."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np

from equipoise.analysis.eis.drt.peaks import fit_peaks
from equipoise.analysis.eis.drt.ranges import PAPER_RANGES
from equipoise.analysis.eis.drt.resistances import (
    NOISE_ERRORS,
    resistances,
    resistances_of_series,
)
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import FAMILIES, Tail, ensemble
from equipoise.analysis.eis.kramers_kronig import LIMIT_PERCENT, kramers_kronig
from equipoise.core.errors import DataError, EquipoiseError, SpecError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.analysis.eis.drt.intervals import CredibleBand
    from equipoise.analysis.eis.drt.peaks import Peak, Peaks
    from equipoise.analysis.eis.drt.ranges import TauRange
    from equipoise.analysis.eis.drt.resistances import RangeResistance, Resistances
    from equipoise.analysis.eis.drt.shapes import Shape
    from equipoise.analysis.eis.kramers_kronig import KramersKronig
    from equipoise.spec.spectrum import Spectrum

Cause = Literal["tail", "lambda", "ends", "noise"]
ENSEMBLE = "ensemble"
BATCH = 16
"""Spectra on one grid of frequencies that are solved together."""
MOST_NOISE_RATIO = 3.0
"""Of the noise that the distribution leaves, over that of the Kramers-Kronig test."""
LEAST_NOISE_RATIO = 1e-4
"""Of |Z|: below it no instrument measures, and no misfit matters."""


TAKEN_NAMES = ("series", "faster", "slower", "polarisation", "")
"""Of resistances in the table that are no range."""


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumAnalysis:
    """One spectrum, analysed.

    Attributes
    ----------
    spectrum
        What was analysed, under a name that no other one of the study has.
    kramers_kronig
        Whether it is that of a linear, stable system.
    resistances
        Of the ranges, with the ensemble of tails behind them.
    peaks
        Of the best-supported distribution, in the shape that was asked for.
    circuit
        Fit of the circuit that was asked for, or None.
    credible
        Credible band of the best-supported distribution if it was asked for, or None.
    """

    spectrum: Spectrum
    kramers_kronig: KramersKronig
    resistances: Resistances
    peaks: Peaks
    circuit: CircuitFit | None = None
    credible: CredibleBand | None = None

    @property
    def name(self) -> str:
        """Of the spectrum."""
        return self.spectrum.name

    @property
    def measured_second(self) -> tuple[float, float]:
        """Shortest and longest time constant that the frequencies reach."""
        omega = self.spectrum.angular_frequency
        return 1.0 / float(omega[0]), 1.0 / float(omega[-1])

    @property
    def outside_ohm(self) -> tuple[float, float]:
        """Gamma faster than the first range and slower than the last one, integrated.

        With the best-supported tail; nobody's range, and without a band.
        """
        ranges = [r.tau_range for r in self.resistances.ranges]
        first = min(r.shortest_second for r in ranges)
        last = max(r.longest_second for r in ranges)
        best = self.resistances.best
        before = best.window_ohm(0.0, first) if first > 0.0 else 0.0
        return before, best.window_ohm(last, float("inf")) if isfinite(last) else 0.0

    def beyond_data(self, peak: Peak) -> bool:
        """Whether a peak lies at a time constant that no frequency reaches."""
        first, last = self.measured_second
        near = 1e-6  # a centre at the limit is at it, not beyond
        return not first * (1.0 - near) <= peak.tau_second <= last * (1.0 + near)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: of the file, of the analysis, of the fit."""
        found = self.resistances
        noise, of_test = found.noise_ratio, self.kramers_kronig.noise_ratio
        notes = (*self.spectrum.notes, *found.notes)
        if noise < LEAST_NOISE_RATIO or not noise > MOST_NOISE_RATIO * of_test:
            return notes
        advice = "a smaller lambda"
        if found.best.settings.weighting == "unit":
            advice = 'weighting "modulus", or a smaller lambda'
        return (
            *notes,
            f"the distribution leaves {100 * noise:.2g} % of |Z|, the Kramers-Kronig "
            f"test {100 * of_test:.2g} %: basis or lambda do not follow the data, and "
            f"what is called noise is misfit; try {advice}",
        )


@dataclass(frozen=True, slots=True)
class SpectrumFailure:
    """A spectrum of a series that could not be analysed, and why."""

    name: str
    reason: EquipoiseError


@dataclass(frozen=True, slots=True, eq=False)
class ImpedanceStudy:
    """Spectra analysed in one way.

    Attributes
    ----------
    settings, ranges
        Of the distributions.
    analyses
        In the order given.
    failures
        Spectra that are not among them; empty if `strict`.
    """

    settings: DrtSettings
    ranges: tuple[TauRange, ...]
    analyses: tuple[SpectrumAnalysis, ...]
    failures: tuple[SpectrumFailure, ...] = ()

    def __getitem__(self, name: str) -> SpectrumAnalysis:
        """Analysis of a spectrum by its name."""
        for analysis in self.analyses:
            if analysis.name == name:
                return analysis
        raise KeyError(name)

    @property
    def table(self) -> pl.DataFrame:
        """One row per spectrum; columns as in `impedance_tables.row`."""
        from equipoise.study.impedance_tables import results_table

        return results_table(self.analyses)

    @property
    def peaks(self) -> pl.DataFrame:
        """One row per peak, with the track it belongs to across the spectra."""
        from equipoise.study.impedance_tables import peaks_table

        return peaks_table(self.analyses)


def analyse_spectra(
    spectra: Sequence[Spectrum],
    settings: DrtSettings | None = None,
    *,
    ranges: Sequence[TauRange] = PAPER_RANGES,
    tails: Sequence[Tail | str] = (ENSEMBLE,),
    limit_percent: float = LIMIT_PERCENT,
    peaks_kind: Shape = "gaussian",
    peaks_count: int | None = None,
    circuit: str | None = None,
    credible: bool = False,
    strict: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> ImpedanceStudy:
    """Analyse spectra in one way.

    Parameters
    ----------
    settings
        Of the distributions; default: those of the paper.
    ranges
        Of time constants; default: R_int 1e-5 to 1e-2 s, R_ct 1e-2 to 1 s.
    tails
        Models of the low-frequency tail: "ensemble" (all), names of families, which
        stand for all their members, or tails. Fewer tails make a narrower band, not a
        better known resistance.
    limit_percent
        Of the Kramers-Kronig residual of a decade.
    peaks_kind, peaks_count
        As `kind` and `peaks_count` of `fit_peaks`.
    circuit
        Text of an equivalent circuit that is fitted as well, from the peaks.
    credible
        Also sample the credible band of gamma, 0.3 s each.
    strict
        Raise at the first spectrum that cannot be analysed; otherwise go on, and
        keep it among the failures.
    progress
        Is told how many are done, and how many there are.

    Raises
    ------
    DataError
        If there is no spectrum; with `strict` if one has too few points.
    SpecError
        If a setting, a tail, a range or the circuit is not known.
    FitError
        With `strict`, if a circuit cannot be fitted.
    """
    chosen, wanted = settings or DrtSettings(), tuple(ranges)
    _check(spectra, wanted, tails, circuit)
    named = told_apart(spectra)
    way = _Way(
        chosen, wanted, tuple(tails), limit_percent, peaks_kind, peaks_count, circuit
    )
    done: list[SpectrumAnalysis] = []
    failed: list[SpectrumFailure] = []
    for batch in _batches(named):
        solved = _solved(batch, way)
        for spectrum, found in zip(batch, solved, strict=True):
            if progress is not None:
                progress(len(done) + len(failed), len(named))
            try:
                done.append(way.analysis(spectrum, found, credible=credible))
            except EquipoiseError as error:
                if strict or isinstance(error, SpecError):
                    raise
                failed.append(SpectrumFailure(spectrum.name, error))
    if progress is not None:
        progress(len(named), len(named))
    return ImpedanceStudy(chosen, wanted, tuple(done), tuple(failed))


@dataclass(frozen=True, slots=True)
class _Way:
    """How every spectrum is analysed."""

    settings: DrtSettings
    ranges: tuple[TauRange, ...]
    tails: tuple[Tail | str, ...]
    limit_percent: float
    peaks_kind: Shape
    peaks_count: int | None
    circuit: str | None

    def analysis(
        self, spectrum: Spectrum, found: Resistances | None, *, credible: bool
    ) -> SpectrumAnalysis:
        """Analyse one; `found` are its resistances, if they are known already."""
        tested = kramers_kronig(spectrum, limit_percent=self.limit_percent)
        if found is None:
            found = resistances(
                spectrum,
                self.settings,
                ranges=self.ranges,
                tails=_members(spectrum, self.ranges, self.tails),
            )
        peaks = found.peaks
        if self.peaks_kind != "gaussian" or self.peaks_count is not None:
            peaks = fit_peaks(
                found.best, kind=self.peaks_kind, peaks_count=self.peaks_count
            )
        fit = None if self.circuit is None else _circuit(spectrum, self.circuit, peaks)
        band = _credible(found, self.ranges) if credible else None
        return SpectrumAnalysis(spectrum, tested, found, peaks, fit, band)


def _batches(spectra: Sequence[Spectrum]) -> list[list[Spectrum]]:
    """Neighbours on the same frequencies, at most `BATCH` of them."""
    batches: list[list[Spectrum]] = []
    for spectrum in spectra:
        last = batches[-1] if batches else []
        if (
            last
            and len(last) < BATCH
            and np.array_equal(last[0].frequency_hertz, spectrum.frequency_hertz)
        ):
            last.append(spectrum)
        else:
            batches.append([spectrum])
    return batches


def _solved(batch: list[Spectrum], way: _Way) -> list[Resistances] | list[None]:
    """Resistances of all; none if there is one, or if one of them cannot be solved."""
    if len(batch) > 1:
        try:
            return resistances_of_series(
                batch,
                way.settings,
                ranges=way.ranges,
                tails=_members(batch[0], way.ranges, way.tails),
            )
        except EquipoiseError:
            pass  # one by one it is found out which it is
    return [None] * len(batch)


def _check(
    spectra: Sequence[Spectrum],
    ranges: tuple[TauRange, ...],
    tails: Sequence[Tail | str],
    circuit: str | None,
) -> None:
    """What can be refused before anything is computed."""
    if not spectra:
        raise DataError(
            "there is no spectrum to analyse", remedy="give at least one Spectrum"
        )
    if not ranges:
        raise SpecError(
            "no range of time constants is given",
            remedy="leave ranges out for R_int and R_ct",
        )
    names = [r.name for r in ranges]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise SpecError(
            f"two ranges are called {twice!r}", remedy="give each its own name"
        )
    taken = next((n for n in names if n.lower() in TAKEN_NAMES), None)
    if taken is not None:
        raise SpecError(
            f"a range is called {taken!r}, and the results have a resistance of that "
            "name already",
            remedy="choose another name, e.g. R_1",
        )
    if not tails:
        raise SpecError(
            "no model of the tail is given", remedy=f"leave it out for {ENSEMBLE!r}"
        )
    known = (ENSEMBLE, *FAMILIES)
    for tail in tails:
        if isinstance(tail, str) and tail not in known:
            raise SpecError(f"tail {tail!r} is not known; {nearest(tail, known)}")
    if circuit is not None:
        from equipoise.analysis.eis.circuits.circuit import Circuit

        Circuit.of(circuit)


def told_apart(spectra: Sequence[Spectrum]) -> list[Spectrum]:
    """Spectra under names that differ: "HB", "HB (2)"."""
    from dataclasses import replace

    names: list[str] = []
    found: list[Spectrum] = []
    for i, spectrum in enumerate(spectra, start=1):
        stem = spectrum.name or f"spectrum {i}"
        name, number = stem, 2
        while name in names:
            name, number = f"{stem} ({number})", number + 1
        names.append(name)
        found.append(replace(spectrum, name=name))
    return found


def _members(
    spectrum: Spectrum, ranges: tuple[TauRange, ...], tails: Sequence[Tail | str]
) -> list[Tail] | None:
    """Tails to try: None for all, else those of the families, in their order."""
    if ENSEMBLE in tails:
        return None
    spectrum.require_points(2, "an ensemble of tails")
    reached = 1.0 / float(spectrum.angular_frequency[-1])
    longest = max(min(r.longest_second, reached) for r in ranges)
    every = ensemble(spectrum, longest_arc_second=longest)
    found: list[Tail] = []
    for tail in tails:
        of_it = [t for t in every if t.family == tail] if isinstance(tail, str) else []
        found += [tail] if isinstance(tail, Tail) else of_it
    return list(dict.fromkeys(found))


def _circuit(spectrum: Spectrum, circuit: str, peaks: Peaks) -> CircuitFit:
    from equipoise.analysis.eis.circuits.fit import fit_circuit

    seeds = [(p.tau_second, p.resistance_ohm) for p in peaks.peaks]
    return fit_circuit(spectrum, circuit, peaks=seeds)


def _credible(found: Resistances, ranges: tuple[TauRange, ...]) -> CredibleBand:
    from equipoise.analysis.eis.drt.intervals import credible_band

    return credible_band(found.best, ranges=ranges)


def causes(found: RangeResistance) -> dict[Cause, tuple[float, float]]:
    """What each choice alone does to a resistance: down (<= 0) and up (>= 0), ohm.

    Tail: over all that are supported; lambda: ten times lower and higher; ends: of
    the range, moved by half the resolution; noise: its 95 % interval.
    """
    value, noise = found.value_ohm, NOISE_ERRORS * found.standard_error_ohm
    return {
        "tail": (found.tail_low_ohm - value, found.tail_high_ohm - value),
        "lambda": (found.lambda_low_ohm - value, found.lambda_high_ohm - value),
        "ends": (found.edge_low_ohm - value, found.edge_high_ohm - value),
        "noise": (-noise, noise),
    }


def main_cause(found: RangeResistance) -> Cause | None:
    """Which of `causes` is the widest; None where the resistance is not known."""
    if not isfinite(found.value_ohm):
        return None
    widths: dict[Cause, float] = {
        key: up - down if isfinite(up - down) else 0.0
        for key, (down, up) in causes(found).items()
    }
    return max(widths.items(), key=lambda item: item[1])[0]
