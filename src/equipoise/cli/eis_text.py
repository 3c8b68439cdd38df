"""What ``equipoise eis`` prints: a screen for one spectrum, a row for each of many."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import typer

from equipoise.cli.eis_numbers import (
    UNKNOWN,
    folded,
    hertz,
    line,
    percent,
    prefixed,
    short,
    significant,
    unit_for,
    with_band,
)
from equipoise.cli.eis_options import WORDS
from equipoise.cli.output import echo_table
from equipoise.cli.remedies import in_options
from equipoise.study.impedance import causes, main_cause
from equipoise.study.impedance_tables import specific_capacitance, worst_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.analysis.eis.drt.peaks import Peak
    from equipoise.analysis.eis.drt.resistances import RangeResistance, Resistances
    from equipoise.cli.eis_numbers import Unit
    from equipoise.io.spectra.read import SpectraFile
    from equipoise.study.impedance import Cause, ImpedanceStudy, SpectrumAnalysis
    from equipoise.study.impedance_files import LoadedSpectra

CAUSES: tuple[Cause, ...] = ("tail", "lambda", "ends", "noise")
WHY: dict[Cause, str] = {
    "tail": "the model of the tail",
    "lambda": "lambda",
    "ends": "the ends of the range",
    "noise": "the noise",
}
MOST_NOTES = 6


def echo_study(study: ImpedanceStudy, loaded: LoadedSpectra) -> None:
    """Print the results."""
    if len(loaded.spectra) == 1:
        for analysis in study.analyses:
            _echo_one(analysis, loaded)
        return
    _echo_files(loaded)
    if study.analyses:
        _echo_many(study)


def _echo_one(a: SpectrumAnalysis, loaded: LoadedSpectra) -> None:
    s, found, best = a.spectrum, a.resistances, a.resistances.best
    f = s.frequency_hertz
    source = loaded.sources[0]
    file, number = source.file, source.spectrum_index + 1
    of_many = f", spectrum {number}" if len(file.spectra) > 1 else ""
    area = "" if s.area_cm2 is None else f", {s.area_cm2:.4g} cm²"
    folded(
        f"{a.name}: {file.path.name}{of_many}, {file.format}; {s.points_count} points, "
        f"{hertz(f[0])} to {hertz(f[-1])}{area}"
    )
    for name, text in _finding_lines(file):
        line(name, text)
    line("Kramers-Kronig", a.kramers_kronig.verdict)
    inductance = (
        f"L {prefixed(best.inductance_henry, 'H')}"
        if best.settings.inductance == "fit"
        else "no inductance is fitted"
    )
    r_inf = best.series_resistance_ohm
    unit = unit_for([r_inf], s.area_cm2)
    line(
        "in series", f"R_inf {unit.factor_ratio * r_inf:.4g} {unit.text}, {inductance}"
    )
    _echo_ranges(a)
    for name, text in _method_lines(found):
        line(name, text)
    _echo_peaks(a)
    if a.credible is not None:
        unit = unit_for([r.high_ohm for r in a.credible.ranges], s.area_cm2)
        shown = ", ".join(
            f"{r.tau_range.symbol} {significant(unit.factor_ratio * r.low_ohm)} to "
            f"{significant(unit.factor_ratio * r.high_ohm)} {unit.text}"
            for r in a.credible.ranges
        )
        level = 100 * a.credible.level_fraction
        line("credible", f"{level:g} % for this tail and lambda: {shown}")
    if a.circuit is not None:
        _echo_circuit(a.circuit, specific=s.area_cm2 is not None)
    for note in a.notes:
        line("note", in_options(note, WORDS))


def _finding_lines(file: SpectraFile) -> list[tuple[str, str]]:
    """The proof of the sign, and all that asks for an eye."""
    lines: list[tuple[str, str]] = []
    for x in file.findings:
        if x.what == "imaginary part: sign":
            level = "NOT proven" if x.level == "not proven" else x.level
            lines.append(("sign of Im Z", f"{level}: {in_options(x.how, WORDS)}"))
        elif x.level in ("not proven", "look", "repaired"):
            lines.append((x.level, f"{x.what}: {in_options(x.how, WORDS)}"))
    kept = lines[:MOST_NOTES]
    if len(lines) > len(kept):
        kept.append(("more", f"{len(lines) - len(kept)} findings with --json"))
    return kept


def _unit_of_ranges(a: SpectrumAnalysis, area_cm2: float | None) -> Unit:
    return unit_for([r.value_ohm for r in a.resistances.ranges], area_cm2)


def _echo_ranges(a: SpectrumAnalysis) -> None:
    area, found = a.spectrum.area_cm2, a.resistances.ranges
    unit = _unit_of_ranges(a, area)
    ranges = "; ".join(f"{r.tau_range.symbol}: tau {r.tau_range.text}" for r in found)
    echo_table(
        "",
        ["", unit.text, "band", *CAUSES],
        [_range_row(r, unit.factor_ratio) for r in found],
        note=f"{ranges}. Band: what the data do not decide; its parts, each alone: "
        "tail models they support, lambda / 10 and x 10, ends of the range by half "
        "the resolution, noise (95 %)",
    )
    if area is not None:
        bare = _unit_of_ranges(a, None)
        shown = [
            "{} {} ({})".format(r.tau_range.symbol, *with_band(r, bare.factor_ratio))
            for r in found
        ]
        r_inf = bare.factor_ratio * a.resistances.best.series_resistance_ohm
        line(f"in {bare.text}", ", ".join([f"R_inf {r_inf:.4g}", *shown]))
    for r in found:
        line(r.tau_range.symbol, _range_text(r, a, unit))
    line("outside", _outside_text(a, unit))


def _range_text(r: RangeResistance, a: SpectrumAnalysis, unit: Unit) -> str:
    """Where the band comes from, and the sum of the peaks."""
    cause = main_cause(r)
    if cause is None:
        return "not known: the data do not reach these time constants"
    why = f"mostly from {WHY[cause]}"
    if not isfinite(r.high_ohm):
        why = "at least so much: the data cover a part of this range only"
    elif r.value_ohm > 0.0:
        width = 100.0 * (r.high_ohm - r.low_ohm) / r.value_ohm
        why = f"band {percent(width)} wide, {why}"
    total = unit.factor_ratio * a.peaks.resistance_in(r.tau_range)
    return f"{why}; its peaks sum to {significant(total, 4)} {unit.text}"


def _outside_text(a: SpectrumAnalysis, unit: Unit) -> str:
    """What belongs to no range."""
    ranges = [r.tau_range for r in a.resistances.ranges]
    ends = (
        min(ranges, key=lambda r: r.shortest_second),
        max(ranges, key=lambda r: r.longest_second),
    )
    ratio, whole = unit.factor_ratio, a.resistances.best.polarisation_ohm
    texts = [
        f"{short(ratio * ohm, ratio * whole)} {unit.text} {word} than {r.symbol}"
        for ohm, word, r in zip(a.outside_ohm, ("faster", "slower"), ends, strict=True)
    ]
    return f"{texts[0]}, {texts[1]} (best fit, no band)"


def _range_row(r: RangeResistance, factor: float) -> tuple[str, ...]:
    if not isfinite(r.value_ohm):
        return (r.tau_range.symbol, *[UNKNOWN] * (2 + len(CAUSES)))
    alone = causes(r)
    parts = [
        f"±{short(factor * alone[key][1], factor * r.value_ohm)}"
        if key == "noise"
        else _two_sided(alone[key], factor, r.value_ohm)
        for key in CAUSES
    ]
    return (r.tau_range.symbol, *with_band(r, factor), *parts)


def _two_sided(parts: tuple[float, float], factor: float, value_ohm: float) -> str:
    shown = [short(factor * abs(p), factor * value_ohm) for p in parts]
    signed = zip("-+", shown, strict=True)
    return " ".join(text if text == "0" else sign + text for sign, text in signed)


def _method_lines(found: Resistances) -> list[tuple[str, str]]:
    """Tail, lambda, basis, quality of the fit: what the numbers rest on."""
    best, settings = found.best, found.best.settings
    supported = sum(m.supported for m in found.members)
    refuted = len(found.members) - supported
    tail = f"{best.tail.label}, chosen by you: its band is nil"
    if len(found.members) > 1:
        tail = (
            f"{best.tail.label} is best; of {len(found.members)} models the data "
            f"support {supported} and refute {refuted}"
        )
    weights = "in ohm" if settings.weighting == "unit" else "relative to |Z|"
    per_decade = best.points_per_decade_count
    basis = (
        f"epsilon {best.shape_factor_ratio:.4g}, "
        f"{best.full_width_decades_count:.3g} decades wide; "
        f"{per_decade:.3g} points per decade"
    )
    if settings.shape_factor_ratio is None:
        basis = f"FWHM coefficient {settings.width_ratio:g} = {basis}"
    return [
        ("tail", tail),
        (
            "lambda",
            f"{settings.regularisation_ratio:g}, derivative {settings.derivative}, "
            f"residuals {weights}",
        ),
        ("basis", basis),
        (
            "fit",
            f"off by {percent(best.residual_percent)} of |Z|; noise "
            f"{percent(100 * found.noise_ratio)}",
        ),
    ]


def _echo_peaks(a: SpectrumAnalysis) -> None:
    if not a.peaks.peaks:
        line("peaks", "none: the distribution is empty")
        return
    area, peaks = a.spectrum.area_cm2, a.peaks.peaks
    unit = unit_for([p.resistance_ohm for p in peaks], area)
    zarc = a.peaks.shape == "zarc"
    rows: list[tuple[str, ...]] = []
    for i, p in enumerate(peaks, start=1):
        per_area = specific_capacitance(a, p)
        capacitance = (
            prefixed(p.capacitance_farad, "F")
            if per_area is None
            else prefixed(1e-6 * per_area, "F/cm²")
        )
        rows.append(
            (
                f"P{i}" + (" *" if p.bounded else ""),
                f"{p.tau_second:.3g}",
                hertz(p.frequency_hertz),
                f"{unit.factor_ratio * p.resistance_ohm:.4g}",
                f"{p.full_width_decades_count:.2f}",
                *([f"{p.exponent_ratio:.3f}"] if zarc else []),
                capacitance,
                _place(a, p),
            )
        )
    shape = "ZARC" if zarc else "Gaussian"
    header = ["", "tau / s", "f", unit.text, "decades", *(["phi"] if zarc else [])]
    note = (
        f"{shape} peaks, width in decades at half height; their sum misses "
        f"{percent(100 * a.peaks.residual_ratio)} of gamma"
    )
    if any(p.bounded for p in peaks):
        note += "; *: width or centre at a limit of the fit"
    if any(a.beyond_data(p) for p in peaks):
        note += "; beyond data: no frequency reaches this time constant"
    echo_table("", [*header, "C = tau / R", "in"], rows, note=note)


def _place(a: SpectrumAnalysis, peak: Peak) -> str:
    """Range of a peak, and whether it lies beyond the data."""
    symbols = [
        r.tau_range.symbol
        for r in a.resistances.ranges
        if r.tau_range.holds(peak.tau_second)
    ]
    beyond = ["beyond data"] if a.beyond_data(peak) else []
    return ", ".join([*symbols[:1], *beyond]) or "-"


def _echo_circuit(fit: CircuitFit, *, specific: bool) -> None:
    rows = [
        (
            p.name,
            f"{p.value:.4g}",
            p.state if p.state != "free" else percent(p.relative_error_percent),
            UNKNOWN
            if p.state != "free" or not isfinite(p.low + p.high)
            else f"{p.low:.4g} to {p.high:.4g}",
            p.unit or "-",
        )
        for p in fit.parameters
    ]
    note = f"{fit.circuit}: off by {percent(fit.rms_percent)}"
    if specific:
        note += "; values of the whole cell, not per cm²"
    echo_table("", ["", "value", "error", "95 %", "unit"], rows, note=note)
    for text in fit.notes:
        line("circuit", text)


def _echo_files(loaded: LoadedSpectra) -> None:
    """What the files are; only what asks for an eye."""
    for file in loaded.files:
        count = len(file.spectra)
        proven = "sign of Im Z proven" if file.proven else "sign of Im Z NOT proven"
        folded(
            f"{file.path.name}: {file.format}, {count} "
            f"spectr{'um' if count == 1 else 'a'}, {proven}"
        )
        for name, text in _finding_lines(file):
            if name != "sign of Im Z" or not text.startswith("proven"):
                line(name, text)


def _echo_many(study: ImpedanceStudy) -> None:
    areas = [a.spectrum.area_cm2 for a in study.analyses]
    specific = None not in areas
    values = [
        (a.spectrum.area_cm2 or 1.0 if specific else 1.0) * r.value_ohm
        for a in study.analyses
        for r in a.resistances.ranges
    ]
    unit = unit_for(values, None)
    symbols = [f"{r.symbol}\n{unit.text}{' cm²' * specific}" for r in study.ranges]
    header = ["spectrum", "K-K", *symbols, "tail"]
    rows = [_row(a, unit.factor_ratio, specific=specific) for a in study.analyses]
    echo_table(
        f"{len(rows)} spectra",
        header,
        rows,
        note="; ".join(f"{r.symbol}: tau {r.text}" for r in study.ranges)
        + "; K-K: Kramers-Kronig; "
        + _method_note(study),
    )
    _echo_notes(study.analyses)


def _row(a: SpectrumAnalysis, factor: float, *, specific: bool) -> tuple[str, ...]:
    factor *= (a.spectrum.area_cm2 or 1.0) if specific else 1.0
    found = a.resistances
    verdict = worst_verdict(a.kramers_kronig)
    values = [with_band(r, factor, digits=2) for r in found.ranges]
    return (
        a.name,
        "ok" if verdict == "consistent" else verdict,
        *(v if v == UNKNOWN else f"{v} ({band})" for v, band in values),
        found.best.tail.family,
    )


def _method_note(study: ImpedanceStudy) -> str:
    bests = [a.resistances.best for a in study.analyses]
    epsilons = sorted({round(b.shape_factor_ratio, 3) for b in bests})
    shown = (
        f"{epsilons[0]:g}"
        if len(epsilons) == 1
        else f"{epsilons[0]:g} to {epsilons[-1]:g}"
    )
    return (
        f"lambda {study.settings.regularisation_ratio:g}, epsilon {shown} "
        f"({bests[0].full_width_decades_count:.2g} decades)"
    )


def _echo_notes(analyses: Sequence[SpectrumAnalysis]) -> None:
    """Verdicts that are bad and notes, each once, with the spectra it is said of."""
    said: dict[str, list[str]] = {}
    for a in analyses:
        notes = list(a.notes)
        if not a.kramers_kronig.consistent:
            notes.insert(0, a.kramers_kronig.verdict)
        for note in notes:
            said.setdefault(in_options(note, WORDS), []).append(a.name)
    lines = list(said.items())
    for note, names in lines[:MOST_NOTES]:
        who = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        if len(names) == len(analyses) > 1:
            who = "all"
        folded(f"  {who}: {note}", indent="    ")
    if len(lines) > MOST_NOTES:
        typer.echo(f"  {len(lines) - MOST_NOTES} more notes with --json or --out")
