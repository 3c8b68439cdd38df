"""What ``equipoise eis --json`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from equipoise.cli.eis_options import WORDS
from equipoise.cli.remedies import in_options, translated
from equipoise.study.impedance import causes, main_cause
from equipoise.study.impedance_gamma import gamma_axis, gamma_band
from equipoise.study.impedance_tables import (
    column_stem,
    member_resistances,
    row,
    specific_capacitance,
)

if TYPE_CHECKING:
    from pathlib import Path

    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.analysis.eis.drt.intervals import CredibleBand
    from equipoise.analysis.eis.drt.ranges import TauRange
    from equipoise.analysis.eis.drt.resistances import RangeResistance
    from equipoise.analysis.eis.kramers_kronig import KramersKronig
    from equipoise.study.impedance import ImpedanceStudy, SpectrumAnalysis
    from equipoise.study.impedance_files import LoadedSpectra

PER_DECADE = 20


def content(
    study: ImpedanceStudy, loaded: LoadedSpectra, written: list[Path]
) -> dict[str, object]:
    """All results; those of a single spectrum stand at the top as well."""
    tracks = _tracks(study)
    spectra = [_spectrum(a, t) for a, t in zip(study.analyses, tracks, strict=True)]
    failures = [(f.path, f.reason) for f in loaded.failures]
    failures += [(f.name, f.reason) for f in study.failures]
    first = spectra[0] if len(spectra) == 1 and not failures else {}
    return {
        **first,
        "settings": asdict(study.settings),
        "ranges": [asdict(r) for r in study.ranges],
        "spectra": spectra,
        "failures": [
            {"name": name, "error": str(translated(reason, WORDS))}
            for name, reason in failures
        ],
        "sources": [
            {
                "file": str(f.path),
                "format": f.format,
                "sha256": f.sha256,
                "sign_proven": f.proven,
                "findings": [x.as_dict() for x in f.findings],
            }
            for f in loaded.files
        ],
        "files": [str(f) for f in written],
    }


def _tracks(study: ImpedanceStudy) -> list[list[int]]:
    """Of the peaks of each spectrum: which across the spectra they are."""
    counts = [len(a.peaks.peaks) for a in study.analyses]
    if len(counts) < 2:  # and polars stays unloaded
        return [list(range(n)) for n in counts]
    every = iter(study.peaks["track_index"].to_list())
    return [[next(every) for _ in range(n)] for n in counts]


def _spectrum(a: SpectrumAnalysis, tracks: list[int]) -> dict[str, object]:
    found = a.resistances
    tau = gamma_axis(found.best, per_decade=PER_DECADE)
    low, high = gamma_band(found, tau)
    content: dict[str, object] = {
        **row(a),
        "notes": [in_options(n, WORDS) for n in a.notes],
        "kramers_kronig": _kramers_kronig(a.kramers_kronig),
        "band": {column_stem(r.tau_range): _band(r) for r in found.ranges},
        "peaks_kind": a.peaks.shape,
        "peaks": [
            asdict(p)
            | {
                "frequency_hertz": p.frequency_hertz,
                "capacitance_farad": p.capacitance_farad,
                "capacitance_uf_per_cm2": specific_capacitance(a, p),
                "beyond_data": a.beyond_data(p),
                "track_index": track,
                "range": next(
                    (r.symbol for r in _ranges(a) if r.holds(p.tau_second)), None
                ),
            }
            for p, track in zip(a.peaks.peaks, tracks, strict=True)
        ],
        "tails": [
            {
                "tail": m.tail.label,
                "tail_family": m.tail.family,
                "misfit_ratio": m.misfit_ratio,
                "supported": m.supported,
                "resistances_ohm": member_resistances(a, m),
            }
            for m in found.members
        ],
        "distribution": {
            "tau_second": tau.tolist(),
            "gamma_ohm": found.best.gamma_at(tau).tolist(),
            "gamma_supported_low_ohm": low.tolist(),
            "gamma_supported_high_ohm": high.tolist(),
        },
    }
    content["credible"] = None if a.credible is None else _credible(a.credible)
    content["circuit"] = None if a.circuit is None else _circuit(a.circuit)
    return content


def _ranges(a: SpectrumAnalysis) -> list[TauRange]:
    return [r.tau_range for r in a.resistances.ranges]


def _band(r: RangeResistance) -> dict[str, object]:
    fields = asdict(r)
    fields.pop("tau_range")
    tau_range = r.tau_range
    alone = {
        name: {"below_ohm": -low, "above_ohm": high}
        for name, (low, high) in causes(r).items()
    }
    return {
        "symbol": tau_range.symbol,
        "shortest_second": tau_range.shortest_second,
        "longest_second": tau_range.longest_second,
        **fields,
        "main_cause": main_cause(r),
        "causes": alone,
    }


def _kramers_kronig(tested: KramersKronig) -> dict[str, object]:
    f = tested.spectrum.frequency_hertz
    return {
        "consistent": tested.consistent,
        "verdict": tested.verdict,
        "residual_percent": tested.residual_percent,
        "noise_ratio": tested.noise_ratio,
        "limit_percent": tested.limit_percent,
        "elements_count": tested.elements_count,
        "mu_ratio": tested.mu_ratio,
        "usable_hertz": tested.usable_hertz,
        "ranges": [asdict(r) for r in tested.ranges],
        "outliers_hertz": f[tested.outliers].tolist(),
    }


def _credible(band: CredibleBand) -> dict[str, object]:
    return {
        "level_fraction": band.level_fraction,
        "samples_count": band.samples_count,
        "tau_second": band.tau_second.tolist(),
        "gamma_mean_ohm": band.mean_ohm.tolist(),
        "gamma_low_ohm": band.low_ohm.tolist(),
        "gamma_high_ohm": band.high_ohm.tolist(),
        "ranges": {
            column_stem(r.tau_range): {
                "mean_ohm": r.mean_ohm,
                "low_ohm": r.low_ohm,
                "high_ohm": r.high_ohm,
            }
            for r in band.ranges
        },
    }


def _circuit(fit: CircuitFit) -> dict[str, object]:
    return {
        "text": str(fit.circuit),
        "rms_percent": fit.rms_percent,
        "converged": fit.converged,
        "parameters": [asdict(p) for p in fit.parameters],
        "arcs": [asdict(a) for a in fit.arcs],
        "aicc": fit.aicc,
        "bic": fit.bic,
        "notes": list(fit.notes),
    }
