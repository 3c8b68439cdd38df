"""R_int and R_ct of a spectrum: a value, and a band over what is not known.

The model of the low-frequency tail moves R_ct more than anything else. All tails of
`tails.ensemble` are fitted; those that the data do not refute span the band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.distribution import distribution, distributions
from equipoise.analysis.eis.drt.noise import noise_of
from equipoise.analysis.eis.drt.peaks import fit_peaks
from equipoise.analysis.eis.drt.ranges import PAPER_RANGES, TauRange
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import Tail, ensemble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.drt.distribution import Distribution
    from equipoise.analysis.eis.drt.noise import Noise
    from equipoise.analysis.eis.drt.peaks import Peaks
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]

REFUTED = 15.0
"""Of n ln(objective / best): a tail this much worse is refuted (odds of 1 to 1800)."""

LAMBDA_FACTOR = 10.0
"""By which lambda is changed up and down for the band."""

NOISE_ERRORS = 1.96
"""Standard errors of the noise by which the band is wider than the models' (95 %)."""

POOR_PERCENT = 3.0
"""Root mean square residual from which on a fit is said to be poor."""


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One way to analyse the spectrum.

    Attributes
    ----------
    tail, regularisation_ratio
        What was assumed.
    misfit_ratio
        Objective over the smallest one of all tails, at the same lambda.
    supported
        Not refuted by the data.
    resistances_ohm
        Integral over each range, shape (R,).
    """

    tail: Tail
    regularisation_ratio: float
    misfit_ratio: float
    supported: bool
    resistances_ohm: Array


@dataclass(frozen=True, slots=True)
class RangeResistance:
    """Resistance of one range of time constants.

    Attributes
    ----------
    tau_range
        Which.
    value_ohm
        With the best-supported tail.
    peak_sum_ohm
        With the same tail: areas of the Gaussian peaks centred in the range, as in
        the paper. It differs from the integral where a peak straddles an end.
    low_ohm, high_ohm
        The band: `model_low_ohm` to `model_high_ohm`, widened by the noise (95 %).
    model_low_ohm, model_high_ohm
        Over all supported tails, lambda ten times lower and higher, and ends of the
        range moved by half the resolution.
    tail_low_ohm, tail_high_ohm, lambda_low_ohm, lambda_high_ohm
    edge_low_ohm, edge_high_ohm
        What each of the three choices does alone.
    standard_error_ohm
        Of the noise alone.
    all_low_ohm, all_high_ohm
        Over all tails, refuted ones as well: what tools with a fixed tail may say.
    """

    tau_range: TauRange
    value_ohm: float
    peak_sum_ohm: float
    low_ohm: float
    high_ohm: float
    model_low_ohm: float
    model_high_ohm: float
    tail_low_ohm: float
    tail_high_ohm: float
    lambda_low_ohm: float
    lambda_high_ohm: float
    edge_low_ohm: float
    edge_high_ohm: float
    standard_error_ohm: float
    all_low_ohm: float
    all_high_ohm: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Resistances:
    """Resistances of all ranges, and the ensemble behind them.

    Attributes
    ----------
    best
        Distribution with the best-supported tail.
    peaks
        It as a sum of Gaussians.
    ranges
        One per range, in the order asked for.
    members
        All tails at the chosen lambda.
    noise_ratio
        Standard deviation of the noise over |Z|, estimated from the best fit.
    notes
        What a reader should know.
    """

    spectrum: Spectrum
    best: Distribution
    peaks: Peaks
    ranges: tuple[RangeResistance, ...]
    members: tuple[Member, ...]
    noise_ratio: float
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> RangeResistance:
        """Range by its name or symbol."""
        for r in self.ranges:
            if name in (r.tau_range.name, r.tau_range.symbol):
                return r
        raise KeyError(name)

    def __repr__(self) -> str:
        """Values with their bands."""
        shown = ", ".join(
            f"{r.tau_range.symbol} {r.value_ohm:.4g} ({r.low_ohm:.4g} to "
            f"{r.high_ohm:.4g}) ohm"
            for r in self.ranges
        )
        return f"<Resistances of {self.spectrum.label}: {shown}>"


def resistances(
    spectrum: Spectrum,
    settings: DrtSettings | None = None,
    *,
    ranges: Sequence[TauRange] = PAPER_RANGES,
    tails: Sequence[Tail] | None = None,
) -> Resistances:
    """Resistances by integrating the distribution over ranges of time constants.

    Parameters
    ----------
    ranges
        Default: those of the paper, R_int 1e-5 to 1e-2 s and R_ct 1e-2 to 1 s.
    tails
        Models of the low-frequency tail; default: `tails.ensemble`.

    Raises
    ------
    DataError
        If the spectrum has fewer than ten frequencies.
    SpecError
        If no range or no tail is given.
    """
    return resistances_of_series([spectrum], settings, ranges=ranges, tails=tails)[0]


def resistances_of_series(
    spectra: Sequence[Spectrum],
    settings: DrtSettings | None = None,
    *,
    ranges: Sequence[TauRange] = PAPER_RANGES,
    tails: Sequence[Tail] | None = None,
) -> list[Resistances]:
    """`resistances` of many spectra; those on the same frequencies in one batch."""
    chosen = settings or DrtSettings()
    groups: dict[bytes, list[int]] = {}
    for i, spectrum in enumerate(spectra):
        groups.setdefault(spectrum.frequency_hertz.tobytes(), []).append(i)
    found: dict[int, Resistances] = {}
    for members in groups.values():
        batch = [spectra[i] for i in members]
        wanted = tails or ensemble(
            batch[0], longest_arc_second=_slowest_arc_second(batch[0], ranges)
        )
        fits = [distributions(batch, chosen, tail=t) for t in wanted]
        for row, i in enumerate(members):
            found[i] = _judge([f[row] for f in fits], tuple(ranges))
    return [found[i] for i in range(len(spectra))]


def _slowest_arc_second(spectrum: Spectrum, ranges: Sequence[TauRange]) -> float:
    """Longest time constant of a range with an end, that the data reach."""
    reached = 1.0 / float(spectrum.angular_frequency[-1])
    ends = [r.longest_second for r in ranges if isfinite(r.longest_second)]
    return min(max(ends, default=reached), reached)


def _judge(fits: list[Distribution], ranges: tuple[TauRange, ...]) -> Resistances:
    """Weigh the tails of one spectrum and collect the band of each range."""
    spectrum = fits[0].spectrum
    objective = np.array([f.objective for f in fits])
    extra = np.array([f.tail.parameters_count for f in fits])
    count = _effective_count(spectrum)
    worse = count * np.log(objective / objective.min())
    best = int(np.argmin(worse + extra * np.log(count)))
    supported = worse <= REFUTED
    values = np.array(
        [
            [f.window_ohm(r.shortest_second, r.longest_second) for r in ranges]
            for f in fits
        ]
    )
    members = tuple(
        Member(
            f.tail,
            f.settings.regularisation_ratio,
            float(objective[i] / objective.min()),
            bool(supported[i]),
            values[i],
        )
        for i, f in enumerate(fits)
    )
    noise = noise_of(fits[best])
    peaks = fit_peaks(fits[best])
    smoother = [_at_lambda(fits[best], f) for f in (1 / LAMBDA_FACTOR, LAMBDA_FACTOR)]
    found = tuple(
        _range_resistance(
            r, fits[best], values[:, k], supported, best, smoother, noise, peaks
        )
        for k, r in enumerate(ranges)
    )
    return Resistances(
        spectrum,
        fits[best],
        peaks,
        found,
        members,
        noise.ratio,
        _notes(fits[best], ranges),
    )


def _effective_count(spectrum: Spectrum) -> float:
    """Independent data: residuals in ohm weigh points by |Z|, as the noise does."""
    square = np.abs(spectrum.impedance_ohm) ** 2
    return 2.0 * float(square.sum() ** 2 / (square**2).sum())


def _at_lambda(fit: Distribution, factor: float) -> Distribution:
    changed = replace(
        fit.settings,
        regularisation_ratio=factor * fit.settings.regularisation_ratio,
    )
    return distribution(fit.spectrum, changed, tail=fit.tail)


def _range_resistance(
    tau_range: TauRange,
    best: Distribution,
    values: Array,
    supported: NDArray[np.bool_],
    at: int,
    others: list[Distribution],
    noise: Noise,
    peaks: Peaks,
) -> RangeResistance:
    ends = tau_range.shortest_second, tau_range.longest_second
    half = 10.0 ** (0.5 * best.full_width_decades_count)
    moved = [
        best.window_ohm(ends[0] * a, ends[1] * b)
        for a, b in product((1.0 / half, half), repeat=2)
    ]
    value = float(values[at])
    by_lambda = [value, *(d.window_ohm(*ends) for d in others)]
    by_tail = values[supported]
    everything = np.concatenate([by_tail, by_lambda, moved])
    weights = np.zeros_like(best.columns)
    weights[: best.tau_second.size] = best.window_weights(*ends)
    error = noise.error_of(weights)
    low, high = float(everything.min()), float(everything.max())
    return RangeResistance(
        tau_range,
        value,
        peaks.resistance_in(tau_range),
        max(low - NOISE_ERRORS * error, 0.0),
        high + NOISE_ERRORS * error,
        low,
        high,
        float(by_tail.min()),
        float(by_tail.max()),
        min(by_lambda),
        max(by_lambda),
        min(value, *moved),
        max(value, *moved),
        error,
        float(values.min()),
        float(values.max()),
    )


def _notes(best: Distribution, ranges: tuple[TauRange, ...]) -> tuple[str, ...]:
    """What limits the answer: ranges beyond the data, a poor fit, lost points."""
    spectrum = best.spectrum
    fastest = 1.0 / float(spectrum.angular_frequency[0])
    slowest = 1.0 / float(spectrum.angular_frequency[-1])
    said: list[str] = []
    for r in ranges:
        if r.shortest_second >= slowest or r.longest_second <= fastest:
            said.append(
                f"{r.symbol} ({r.text}) lies wholly outside the time constants that "
                f"were measured ({fastest:.2g} to {slowest:.2g} s): it is not known"
            )
        elif r.longest_second > 1.01 * slowest and isfinite(r.longest_second):
            said.append(
                f"{r.symbol} reaches to {r.longest_second:g} s, the data only to "
                f"{slowest:.2g} s: what lies between is missing"
            )
    if best.discarded_count:
        said.append(f"{best.discarded_count} inductive points were discarded")
    if best.residual_percent > POOR_PERCENT:
        said.append(
            f"the fit is off by {best.residual_percent:.2g} % of |Z|: the spectrum is "
            "noisy, drifts, or has features that relaxations cannot describe"
        )
    return tuple(said)
