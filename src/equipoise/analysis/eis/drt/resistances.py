"""R_int and R_ct of a spectrum: a value, and a band over what is not known.

The model of the low-frequency tail moves R_ct more than anything else. All tails of
`tails.ensemble` are fitted; those that the data do not refute span the band.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.distribution import distributions
from equipoise.analysis.eis.drt.judge import Ensemble, notes_of
from equipoise.analysis.eis.drt.noise import noise_of
from equipoise.analysis.eis.drt.peaks import fit_peaks
from equipoise.analysis.eis.drt.ranges import PAPER_RANGES, TauRange
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import Tail, ensemble
from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.drt.distribution import Distribution
    from equipoise.analysis.eis.drt.noise import Noise
    from equipoise.analysis.eis.drt.peaks import Peaks
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]

NOISE_ERRORS = 1.96
"""Standard errors of the noise by which the band is wider than the models' (95 %)."""


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
        The band: as from `model_low_ohm` to `model_high_ohm`, with the noise (95 %)
        as one more cause.
    model_low_ohm, model_high_ohm
        Around every supported tail, what moving either end of the range by half the
        resolution and a lambda ten times lower or higher do, added as squares.
    tail_low_ohm, tail_high_ohm, lambda_low_ohm, lambda_high_ohm
    edge_low_ohm, edge_high_ohm
        What each of the three choices does alone; lambda and ends with the best tail.
    standard_error_ohm
        Of the noise alone.
    all_low_ohm, all_high_ohm
        Over all tails, refuted ones as well: what tools with a fixed tail may say.

    Notes
    -----
    A range that goes on beyond the data has no upper end (infinite); one that was
    not measured at all is NaN throughout.
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
        Distribution with the best-supported tail; a Warburg tail if it is about as
        good as the best.
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

    The value is that of the tail with the smallest ``n ln F + k ln n`` (F objective, k
    parameters of the tail, n effective number of data), or of the Warburg tail if that
    is within 6 of it: particles diffuse, so it is the first guess, and where the data
    do not decide the other tails lie to both sides of it.

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
    if not ranges or (tails is not None and not tails):
        raise SpecError(
            f"{len(ranges)} ranges of time constants and "
            f"{'the usual' if tails is None else len(tails)} tails",
            remedy="give at least one range and one tail, or leave them out",
        )
    groups: dict[bytes, list[int]] = {}
    for i, spectrum in enumerate(spectra):
        groups.setdefault(spectrum.frequency_hertz.tobytes(), []).append(i)
    found: dict[int, Resistances] = {}
    for members in groups.values():
        batch = [spectra[i] for i in members]
        wanted = tails or ensemble(
            batch[0], longest_arc_second=slowest_arc_second(batch[0], ranges)
        )
        fits = [distributions(batch, chosen, tail=t) for t in wanted]
        for row, i in enumerate(members):
            found[i] = _resistances([f[row] for f in fits], tuple(ranges))
    return [found[i] for i in range(len(spectra))]


def slowest_arc_second(spectrum: Spectrum, ranges: Sequence[TauRange]) -> float:
    """Longest time constant that counts as a reaction and is reached by the data."""
    reached = 1.0 / float(spectrum.angular_frequency[-1])
    return min(max(r.longest_second for r in ranges), reached)


def _resistances(fits: list[Distribution], ranges: tuple[TauRange, ...]) -> Resistances:
    weighed = Ensemble.of(fits, ranges)
    best = fits[weighed.best]
    peaks = fit_peaks(best)
    noise = noise_of(best)
    members = tuple(
        Member(
            f.tail,
            f.settings.regularisation_ratio,
            float(weighed.misfit_ratio[i]),
            bool(weighed.supported[i]),
            weighed.values_ohm[i, :, 0],
        )
        for i, f in enumerate(fits)
    )
    found = tuple(
        _range_resistance(weighed, k, noise, peaks) for k in range(len(ranges))
    )
    notes = notes_of(weighed)
    return Resistances(best.spectrum, best, peaks, found, members, noise.ratio, notes)


def _range_resistance(
    ensemble: Ensemble, k: int, noise: Noise, peaks: Peaks
) -> RangeResistance:
    tau_range, best = ensemble.ranges[k], ensemble.fits[ensemble.best]
    if ensemble.outside(k):
        return RangeResistance(tau_range, *([nan] * (len(fields(RangeResistance)) - 1)))
    every = ensemble.values_ohm[:, k, 0]
    supported = every[ensemble.supported]
    value = float(every[ensemble.best])
    by_lambda = [value, *ensemble.at_other_lambda_ohm[:, k].tolist()]
    ends = ensemble.end_changes_ohm(k)[ensemble.best]
    down, up = np.sqrt((ends**2).sum(axis=0))
    weights = np.zeros_like(best.columns)
    window = best.window_weights(tau_range.shortest_second, tau_range.longest_second)
    weights[: best.tau_second.size] = window
    error = noise.error_of(weights)
    return RangeResistance(
        tau_range,
        value,
        peaks.resistance_in(tau_range),
        *ensemble.band_ohm(k, NOISE_ERRORS * error),
        *ensemble.band_ohm(k, 0.0),
        float(supported.min()),
        float(supported.max()),
        min(by_lambda),
        max(by_lambda),
        max(value - float(down), 0.0),
        value + float(up),
        error,
        float(every.min()),
        float(every.max()),
    )
