"""Results of an impedance study as tables."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from equipoise.study.impedance import main_cause
from equipoise.study.impedance_gamma import gamma_axis, gamma_band

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.analysis.eis.drt.peaks import Peak
    from equipoise.analysis.eis.drt.ranges import TauRange
    from equipoise.analysis.eis.drt.resistances import Member, RangeResistance
    from equipoise.analysis.eis.kramers_kronig import KramersKronig
    from equipoise.study.impedance import SpectrumAnalysis


def row(analysis: SpectrumAnalysis) -> dict[str, object]:
    """Results of a spectrum by the names of their columns.

    Of every range, by its name: `interphase_resistance_ohm`, the same with `_low_ohm`
    and `_high_ohm` (the band), `_standard_error_ohm` (noise alone), `_peak_sum_ohm`
    and `_main_cause` (of the width of the band); in ohm cm2 too, None where the area
    is not known. A resistance that the data do not reach is None; with a value, a
    `_high` of None is an open end. `faster_resistance` and `slower_resistance` lie
    outside of all ranges.
    """
    s, found = analysis.spectrum, analysis.resistances
    best, tested = found.best, analysis.kramers_kronig
    usable = tested.usable_hertz
    content: dict[str, object] = {
        "name": analysis.name,
        "source": s.where,
        "area_cm2": s.area_cm2,
        "points_count": s.points_count,
        "highest_hertz": float(s.frequency_hertz[0]),
        "lowest_hertz": float(s.frequency_hertz[-1]),
    }
    for r in found.ranges:
        content |= _range_columns(r, analysis)
    for side, ohm in zip(("faster", "slower"), analysis.outside_ohm, strict=True):
        content[f"{side}_resistance_ohm"] = known(ohm)
        content[f"{side}_resistance_ohm_cm2"] = _specific(ohm, s.area_cm2)
    content |= {
        "series_resistance_ohm": best.series_resistance_ohm,
        "series_resistance_ohm_cm2": _specific(best.series_resistance_ohm, s.area_cm2),
        "inductance_henry": best.inductance_henry,
        "polarisation_ohm": best.polarisation_ohm,
        "tail": best.tail.label,
        "tail_family": best.tail.family,
        "tails_count": len(found.members),
        "tails_supported_count": sum(m.supported for m in found.members),
        "noise_percent": 100.0 * found.noise_ratio,
        "residual_percent": best.residual_percent,
        "shape_factor_ratio": best.shape_factor_ratio,
        "full_width_decades_count": best.full_width_decades_count,
        "points_per_decade_count": best.points_per_decade_count,
        "kramers_kronig": worst_verdict(tested),
        "kramers_kronig_residual_percent": tested.residual_percent,
        "kramers_kronig_outliers_count": int(tested.outliers.sum()),
        "usable_lowest_hertz": None if usable is None else usable[0],
        "usable_highest_hertz": None if usable is None else usable[1],
        "notes": "; ".join(analysis.notes),
    }
    return content


def column_stem(tau_range: TauRange) -> str:
    """Name of a range as the beginning of a column's name."""
    return tau_range.name.replace("-", "_").replace(" ", "_")


def _range_columns(r: RangeResistance, analysis: SpectrumAnalysis) -> dict[str, object]:
    stem = f"{column_stem(r.tau_range)}_resistance"
    area = analysis.spectrum.area_cm2
    values = {
        stem: r.value_ohm,
        f"{stem}_low": r.low_ohm,
        f"{stem}_high": r.high_ohm,
        f"{stem}_standard_error": r.standard_error_ohm,
        f"{stem}_peak_sum": analysis.peaks.resistance_in(r.tau_range),
    }
    content: dict[str, object] = {f"{k}_ohm": known(v) for k, v in values.items()}
    content |= {f"{k}_ohm_cm2": _specific(v, area) for k, v in values.items()}
    return content | {f"{stem}_main_cause": main_cause(r)}


def known(value: float) -> float | None:
    """None for what is not known (NaN) or open (infinite)."""
    return value if isfinite(value) else None


def _specific(ohm: float, area_cm2: float | None) -> float | None:
    return None if area_cm2 is None else known(ohm * area_cm2)


def worst_verdict(tested: KramersKronig) -> str:
    """The worst verdict on a decade."""
    verdicts = {r.verdict for r in tested.ranges}
    return next(
        (v for v in ("inconsistent", "noisy") if v in verdicts),
        "consistent",
    )


def results_table(analyses: Sequence[SpectrumAnalysis]) -> pl.DataFrame:
    """One row per spectrum."""
    import polars as pl

    rows = [row(a) for a in analyses]
    columns = {k: [r[k] for r in rows] for k in (rows[0] if rows else ())}
    # a column of nothing but None is one of numbers
    return pl.DataFrame(
        {k: pl.Series(v, dtype=_dtype(k, v)) for k, v in columns.items()}
    )


def _dtype(column: str, values: list[object]) -> type[pl.DataType] | None:
    import polars as pl

    if set(values) != {None}:
        return None
    return pl.String if column.endswith("_main_cause") else pl.Float64


def peaks_table(analyses: Sequence[SpectrumAnalysis]) -> pl.DataFrame:
    """One row per peak; `track_index` links the peaks of consecutive spectra.

    `beyond_data`: no frequency reaches its time constant; `bounded`: its width or its
    centre ended at a limit of the fit.
    """
    import polars as pl

    from equipoise.analysis.eis.drt.series import track_peaks

    tracked = track_peaks([a.peaks for a in analyses])
    every = [(a, p) for a in analyses for p in a.peaks.peaks]
    return tracked.select("spectrum_index", "track_index").with_columns(
        name=pl.Series([a.name for a, _ in every], dtype=pl.String),
        tau_second=pl.Series([p.tau_second for _, p in every], dtype=pl.Float64),
        frequency_hertz=pl.Series(
            [p.frequency_hertz for _, p in every], dtype=pl.Float64
        ),
        resistance_ohm=pl.Series(
            [p.resistance_ohm for _, p in every], dtype=pl.Float64
        ),
        resistance_ohm_cm2=pl.Series(
            [_specific(p.resistance_ohm, a.spectrum.area_cm2) for a, p in every],
            dtype=pl.Float64,
        ),
        full_width_decades_count=pl.Series(
            [p.full_width_decades_count for _, p in every], dtype=pl.Float64
        ),
        exponent_ratio=pl.Series(
            [p.exponent_ratio for _, p in every], dtype=pl.Float64
        ),
        capacitance_farad=pl.Series(
            [p.capacitance_farad for _, p in every], dtype=pl.Float64
        ),
        capacitance_uf_per_cm2=pl.Series(
            [specific_capacitance(a, p) for a, p in every], dtype=pl.Float64
        ),
        beyond_data=pl.Series([a.beyond_data(p) for a, p in every], dtype=pl.Boolean),
        bounded=pl.Series([p.bounded for _, p in every], dtype=pl.Boolean),
    )


def specific_capacitance(analysis: SpectrumAnalysis, peak: Peak) -> float | None:
    """Tau / R of a peak per geometric area, uF/cm2; None without an area."""
    area = analysis.spectrum.area_cm2
    return None if area is None else known(1e6 * peak.capacitance_farad / area)


def gamma_table(analyses: Sequence[SpectrumAnalysis]) -> pl.DataFrame:
    """Gamma of the best-supported tail, and the smallest and largest supported one."""
    import polars as pl

    parts: list[pl.DataFrame] = []
    for a in analyses:
        tau = gamma_axis(a.resistances.best)
        low, high = gamma_band(a.resistances, tau)
        columns = {
            "name": [a.name] * tau.size,
            "tau_second": tau,
            "gamma_ohm": a.resistances.best.gamma_at(tau),
            "gamma_supported_low_ohm": low,
            "gamma_supported_high_ohm": high,
            "gamma_peaks_ohm": a.peaks.sum_ohm(tau),
        }
        if a.credible is not None:
            c, log = a.credible, np.log(tau)
            for name, values in (("low", c.low_ohm), ("high", c.high_ohm)):
                at = np.interp(log, np.log(c.tau_second), values)
                columns[f"gamma_credible_{name}_ohm"] = at
        parts.append(pl.DataFrame(columns))
    return pl.concat(parts)


def member_resistances(analysis: SpectrumAnalysis, member: Member) -> list[object]:
    """Of each range, in ohm; None where the data do not reach."""
    ranges = analysis.resistances.ranges
    return [
        float(ohm) if isfinite(r.value_ohm) else None
        for r, ohm in zip(ranges, member.resistances_ohm, strict=True)
    ]


def tails_table(analyses: Sequence[SpectrumAnalysis]) -> pl.DataFrame:
    """One row per spectrum and tail: misfit, verdict, resistances."""
    import polars as pl

    rows: list[dict[str, object]] = []
    for a in analyses:
        stems = [column_stem(r.tau_range) for r in a.resistances.ranges]
        for m in a.resistances.members:
            values = zip(stems, member_resistances(a, m), strict=True)
            rows.append(
                {
                    "name": a.name,
                    "tail": m.tail.label,
                    "tail_family": m.tail.family,
                    "exponent_ratio": m.tail.exponent_ratio,
                    "time_second": m.tail.time_second,
                    "misfit_ratio": m.misfit_ratio,
                    "supported": m.supported,
                    **{f"{n}_resistance_ohm": v for n, v in values},
                }
            )
    whole = dict.fromkeys(("exponent_ratio", "time_second"), pl.Float64)
    whole |= {k: pl.Float64 for r in rows for k in r if k.endswith("_ohm")}
    return pl.DataFrame(rows, schema_overrides=whole, infer_schema_length=None)


def fits_table(analyses: Sequence[SpectrumAnalysis]) -> pl.DataFrame:
    """Data, fit of the distribution and Kramers-Kronig residuals, point by point."""
    import polars as pl

    parts: list[pl.DataFrame] = []
    for a in analyses:
        s, tested = a.spectrum, a.kramers_kronig
        fitted = a.resistances.best.impedance_ohm(s.frequency_hertz)
        off = 100.0 * tested.residual_ratio
        columns: dict[str, object] = {
            "name": [a.name] * s.points_count,
            "frequency_hertz": s.frequency_hertz,
            "real_impedance_ohm": s.impedance_ohm.real,
            "imaginary_impedance_ohm": s.impedance_ohm.imag,
            "fitted_real_impedance_ohm": fitted.real,
            "fitted_imaginary_impedance_ohm": fitted.imag,
            "kramers_kronig_real_residual_percent": np.real(off),
            "kramers_kronig_imaginary_residual_percent": np.imag(off),
            "outlier": tested.outliers,
        }
        if a.circuit is not None:
            z = a.circuit.impedance(s.frequency_hertz)
            columns["circuit_real_impedance_ohm"] = np.real(z)
            columns["circuit_imaginary_impedance_ohm"] = np.imag(z)
        parts.append(pl.DataFrame({k: _owned(v) for k, v in columns.items()}))
    return pl.concat(parts)


def circuit_table(analyses: Sequence[SpectrumAnalysis]) -> pl.DataFrame:
    """Parameters of the fitted circuits, one row each."""
    import polars as pl

    return pl.concat(
        a.circuit.table().select(pl.lit(a.name).alias("name"), pl.all())
        for a in analyses
        if a.circuit is not None
    )


def _owned(values: object) -> object:
    """Contiguous memory, for polars."""
    return np.ascontiguousarray(values) if isinstance(values, np.ndarray) else values
