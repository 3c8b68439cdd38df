"""What ``equipoise eis`` prints: a screen for one spectrum, a row for each of many."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING

import typer

from equipoise.cli.output import echo_table
from equipoise.study.impedance import causes, main_cause
from equipoise.study.impedance_tables import worst_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.analysis.eis.drt.resistances import RangeResistance, Resistances
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
PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"))
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
    area = "" if s.area_cm2 is None else f", {s.area_cm2:g} cm²"
    typer.echo(
        f"{a.name}: {file.path.name}{of_many}, {file.format}; {s.points_count} points, "
        f"{hertz(f[0])} to {hertz(f[-1])}{area}"
    )
    for line in _finding_lines(file):
        _line(*line)
    _line("Kramers-Kronig", a.kramers_kronig.verdict)
    r_inf = best.series_resistance_ohm
    specific = "" if s.area_cm2 is None else f" ({r_inf * s.area_cm2:.4g} Ω cm²)"
    inductance = (
        f"L {prefixed(best.inductance_henry, 'H')}"
        if best.settings.inductance == "fit"
        else "no inductance is fitted"
    )
    _line("in series", f"R_inf {r_inf:.4g} Ω{specific}, {inductance}")
    _echo_ranges(a)
    for name, text in _method_lines(found):
        _line(name, text)
    _echo_peaks(a)
    if a.credible is not None:
        shown = ", ".join(
            f"{r.tau_range.symbol} {r.low_ohm:.4g} to {r.high_ohm:.4g} Ω"
            for r in a.credible.ranges
        )
        level = 100 * a.credible.level_fraction
        _line("credible", f"{level:g} % for this tail and lambda: {shown}")
    if a.circuit is not None:
        _echo_circuit(a.circuit)
    for note in (*s.notes, *found.notes):
        _line("note", note)


def _line(name: str, text: str) -> None:
    typer.echo(f"  {name + ':':<16}{text}")


def _finding_lines(file: SpectraFile) -> list[tuple[str, str]]:
    """The proof of the sign, and all that asks for an eye."""
    lines: list[tuple[str, str]] = []
    for x in file.findings:
        if x.what == "imaginary part: sign":
            level = "NOT proven" if x.level == "not proven" else x.level
            lines.append(("sign of Im Z", f"{level}: {x.how}"))
        elif x.level in ("not proven", "look", "repaired"):
            lines.append((x.level, f"{x.what}: {x.how}"))
    kept = lines[:MOST_NOTES]
    if len(lines) > len(kept):
        kept.append(("more", f"{len(lines) - len(kept)} findings with --json"))
    return kept


def _echo_ranges(a: SpectrumAnalysis) -> None:
    area = a.spectrum.area_cm2
    factor, unit = (1.0, "Ω") if area is None else (area, "Ω cm²")
    rows = [_range_row(r, factor) for r in a.resistances.ranges]
    ranges = "; ".join(
        f"{r.tau_range.symbol}: tau {r.tau_range.text}" for r in a.resistances.ranges
    )
    echo_table(
        "",
        ["", unit, "band", *CAUSES],
        rows,
        note=f"{ranges}\nband: what the data do not decide. Its parts: tail models "
        "they support,\nlambda / 10 and x 10, ends of the range by half the "
        "resolution, noise (95 %)",
    )
    for r in a.resistances.ranges:
        _line(r.tau_range.symbol, _range_text(r, a))


def _range_text(r: RangeResistance, a: SpectrumAnalysis) -> str:
    """In ohm, if the table is not; where the band comes from; sum of its peaks."""
    area = a.spectrum.area_cm2
    factor = 1.0 if area is None else area
    parts: list[str] = []
    if area is not None:
        value, band = with_band(r)
        parts.append(f"{value} ({band}) Ω")
    why = f"mostly from {WHY[main_cause(r)]}"
    if r.value_ohm > 0.0:
        width = 100.0 * (r.high_ohm - r.low_ohm) / r.value_ohm
        why = f"band {width:.0f} % wide, {why}"
    parts.append(why)
    total = factor * a.peaks.resistance_in(r.tau_range)
    parts.append(f"its peaks: {total:.4g}")
    return "; ".join(parts)


def _range_row(r: RangeResistance, factor: float) -> tuple[str, ...]:
    alone = causes(r)
    parts = [
        f"±{short(factor * alone[key][1])}"
        if key == "noise"
        else " ".join(
            sign + short(factor * abs(part)) if part else "0"
            for sign, part in zip("-+", alone[key], strict=True)
        )
        for key in CAUSES
    ]
    return (r.tau_range.symbol, *with_band(r, factor), *parts)


def with_band(
    r: RangeResistance, factor: float = 1.0, *, digits: int = 3
) -> tuple[str, str]:
    """Value and band, with as many decimals as the band deserves.

    As many digits of its width: 44.17, 40.74–50.74.
    """
    value, low, high = (factor * x for x in (r.value_ohm, r.low_ohm, r.high_ohm))
    if not high > low:
        return f"{value:.4g}", f"{low:.4g}–{high:.4g}"
    decimals = min(max(digits - 1 - floor(log10(high - low)), 0), 9)
    return f"{value:.{decimals}f}", f"{low:.{decimals}f}–{high:.{decimals}f}"


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
        f"epsilon {best.shape_factor_ratio:.4g}: functions "
        f"{best.full_width_decades_count:.3g} decades wide (FWHM), "
        f"{per_decade:.3g} points per decade"
    )
    if settings.shape_factor_ratio is None:
        basis = f"FWHM coefficient {settings.width_ratio:g} = {basis}"
    return [
        ("tail", tail),
        (
            "lambda",
            f"{settings.regularisation_ratio:g}, derivative {settings.derivative}, "
            f"residuals {weights}; its weight depends on the points per decade",
        ),
        ("basis", basis),
        (
            "fit",
            f"off by {best.residual_percent:.2g} % of |Z|; noise "
            f"{100 * found.noise_ratio:.2g} %",
        ),
    ]


def _echo_peaks(a: SpectrumAnalysis) -> None:
    area = a.spectrum.area_cm2
    factor, unit = (1.0, "Ω") if area is None else (area, "Ω cm²")
    zarc = a.peaks.shape == "zarc"
    rows: list[tuple[str, ...]] = []
    for i, p in enumerate(a.peaks.peaks, start=1):
        home = next(
            (
                r.tau_range.symbol
                for r in a.resistances.ranges
                if r.tau_range.holds(p.tau_second)
            ),
            "-",
        )
        rows.append(
            (
                f"P{i}",
                f"{p.tau_second:.3g}",
                hertz(p.frequency_hertz),
                f"{factor * p.resistance_ohm:.4g}",
                f"{p.full_width_decades_count:.2f}",
                *([f"{p.exponent_ratio:.3f}"] if zarc else []),
                prefixed(p.capacitance_farad, "F"),
                home,
            )
        )
    shape = "ZARC" if zarc else "Gaussian"
    header = ["", "tau / s", "f", unit, "width / decades"]
    echo_table(
        "",
        [*header, *(["phi"] if zarc else []), "C = tau / R", "in"],
        rows,
        note=f"{shape} peaks; their sum misses "
        f"{100 * a.peaks.residual_ratio:.2g} % of gamma",
    )


def _echo_circuit(fit: CircuitFit) -> None:
    rows = [
        (
            p.name,
            f"{p.value:.4g}",
            p.state if p.state != "free" else f"{p.relative_error_percent:.2g} %",
            "-" if p.state != "free" else f"{p.low:.4g} to {p.high:.4g}",
            p.unit or "-",
        )
        for p in fit.parameters
    ]
    echo_table(
        "",
        ["", "value", "error", "95 %", "unit"],
        rows,
        note=f"{fit.circuit}: off by {fit.rms_percent:.2g} %",
    )
    for note in fit.notes:
        _line("circuit", note)


def _echo_files(loaded: LoadedSpectra) -> None:
    """What the files are; only what asks for an eye."""
    for file in loaded.files:
        count = len(file.spectra)
        proven = "sign of Im Z proven" if file.proven else "sign of Im Z NOT proven"
        typer.echo(
            f"{file.path.name}: {file.format}, {count} "
            f"spectr{'um' if count == 1 else 'a'}, {proven}"
        )
        for name, text in _finding_lines(file):
            if name != "sign of Im Z":
                _line(name, text)


def _echo_many(study: ImpedanceStudy) -> None:
    areas = [a.spectrum.area_cm2 for a in study.analyses]
    specific = None not in areas
    unit = "Ω cm²" if specific else "Ω"
    symbols = [f"{r.symbol}\n{unit}" for r in study.ranges]
    header = ["spectrum", "K-K", *symbols, "tail"]
    rows = [_row(a, specific) for a in study.analyses]
    echo_table(
        f"{len(rows)} spectra",
        header,
        rows,
        note="; ".join(f"{r.symbol}: tau {r.text}" for r in study.ranges)
        + "; K-K: Kramers-Kronig\n"
        + _method_note(study),
    )
    _echo_notes(study.analyses)


def _row(a: SpectrumAnalysis, specific: bool) -> tuple[str, ...]:
    factor = (a.spectrum.area_cm2 or 1.0) if specific else 1.0
    found = a.resistances
    verdict = worst_verdict(a.kramers_kronig)
    values = [with_band(r, factor, digits=2) for r in found.ranges]
    return (
        a.name,
        "ok" if verdict == "consistent" else verdict,
        *(f"{value} ({band})" for value, band in values),
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
        notes = [*a.spectrum.notes, *a.resistances.notes]
        if not a.kramers_kronig.consistent:
            notes.insert(0, a.kramers_kronig.verdict)
        for note in notes:
            said.setdefault(note, []).append(a.name)
    lines = list(said.items())
    for note, names in lines[:MOST_NOTES]:
        who = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        if len(names) == len(analyses) > 1:
            who = "all"
        typer.echo(f"  {who}: {note}")
    if len(lines) > MOST_NOTES:
        typer.echo(f"  {len(lines) - MOST_NOTES} more notes with --json or --out")


def hertz(value: float) -> str:
    """A frequency with its prefix: 50.5 kHz."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m")):
        if value >= 0.9995 * factor or factor == 1e-3:
            return f"{value / factor:.3g} {prefix}Hz"
    raise AssertionError


def prefixed(value: float, unit: str) -> str:
    """A small quantity with its prefix: 202 nH."""
    for factor, prefix in PREFIXES:
        if abs(value) >= 0.9995 * factor:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value / PREFIXES[-1][0]:.3g} {PREFIXES[-1][1]}{unit}" if value else "0"


def short(value: float) -> str:
    """A number of two digits for a crowded column, without exponent up to 10^5."""
    size = abs(value)
    if size >= 99.5:
        return f"{value:.0f}" if size < 1e5 else f"{value:.2g}"
    return f"{value:.2g}" if size >= 0.005 else "0"
