"""Is a spectrum that of a linear, stable system? Linear Kramers-Kronig, both parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError
from equipoise.kernels.kramers_kronig import deleted, fit, time_constants

if TYPE_CHECKING:
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Verdict = Literal["consistent", "noisy", "inconsistent", "too few points"]

LEAST_FREQUENCIES = 8
PER_DECADE = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
"""Numbers of elements per decade of time constants that are tried."""
BEYOND_DECADES = 0.5
MOST_OF_DATA = 0.6
"""Largest number of unknowns, of the number of data (2 N)."""
LIMIT_PERCENT = 1.0
"""Root mean square residual of a range up to which it is good enough to be used."""
SYSTEMATIC_CORRELATION = 0.5
"""Of neighbouring residuals: noise has none."""
LEAST_IN_RANGE = 4
LEAST_DENSITY = 3.0
"""Points per decade below which a residual may be the lack of points."""
OUTLIER_F = 25.0
"""Of a deleted point: squared distance per degree of freedom over that of the others;
noise reaches it once in 1e8 points."""
MOST_OUTLIERS_FRACTION = 0.1


@dataclass(frozen=True, slots=True)
class FrequencyRange:
    """Verdict on one decade.

    Attributes
    ----------
    lowest_hertz, highest_hertz
        Its points.
    points_count
        How many.
    residual_percent
        Root mean square of |fit - data| / |data|, corrected for the unknowns.
    correlation_ratio
        Of neighbouring residuals, -1 to 1: near 0 for noise, towards 1 for what no
        linear, stable system does (drift, non-linearity).
    verdict
        "consistent": within the limit, or noise-like and small; "noisy": above
        the limit without pattern; "inconsistent": above it with one.
    """

    lowest_hertz: float
    highest_hertz: float
    points_count: int
    residual_percent: float
    correlation_ratio: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KramersKronig:
    """Outcome of the test.

    Attributes
    ----------
    spectrum
        What was tested; nothing is left out.
    elements_count
        Number of RC elements, chosen by generalised cross-validation.
    residual_ratio
        (fit - data) / |data|, complex, shape (N,).
    noise_ratio
        Robust estimate of the noise of one part over |Z|.
    ranges
        Decade by decade, from the highest frequencies down.
    outliers
        Single points far off, with neighbours that are not, shape (N,); the verdict
        on their range is that on the other points.
    mu_ratio
        1 - sum of |negative R| / sum of positive R: near 1, few of them (Schönleber).
    limit_percent
        What was allowed.
    """

    spectrum: Spectrum
    elements_count: int
    residual_ratio: ComplexArray
    noise_ratio: float
    ranges: tuple[FrequencyRange, ...]
    outliers: NDArray[np.bool_]
    mu_ratio: float
    limit_percent: float

    def __repr__(self) -> str:
        """Spectrum and verdict."""
        return f"<KramersKronig of {self.spectrum.label}: {self.verdict}>"

    @property
    def fitted_ohm(self) -> ComplexArray:
        """Impedance of the fit, complex, shape (N,)."""
        z = self.spectrum.impedance_ohm
        return z + self.residual_ratio * np.abs(z)

    @property
    def residual_percent(self) -> float:
        """Root mean square of |fit - data| / |data| over all points."""
        return 100.0 * float(np.sqrt(np.mean(np.abs(self.residual_ratio) ** 2)))

    @property
    def consistent(self) -> bool:
        """No range is noisy or inconsistent."""
        return all(r.verdict in ("consistent", "too few points") for r in self.ranges)

    @property
    def usable_hertz(self) -> tuple[float, float] | None:
        """Longest stretch of decades without a bad one, lowest and highest; or None."""
        best: tuple[float, float] | None = None
        run: list[FrequencyRange] = []
        for r in (*self.ranges, None):
            if r is not None and r.verdict in ("consistent", "too few points"):
                run.append(r)
                continue
            if run:
                ends = run[-1].lowest_hertz, run[0].highest_hertz
                if best is None or ends[1] / ends[0] > best[1] / best[0]:
                    best = ends
            run = []
        return best

    @property
    def verdict(self) -> str:
        """One sentence."""
        alone = self.spectrum.frequency_hertz[self.outliers]
        apart = ""
        if alone.size:
            shown = ", ".join(f"{f:.3g}" for f in alone[:5])
            more = " ..." if alone.size > 5 else ""
            apart = f"; single points stand apart at {shown}{more} Hz"
        if self.consistent:
            return (
                f"consistent with a linear, stable system (residual "
                f"{self.residual_percent:.2g} %){apart}"
            )
        bad = [r for r in self.ranges if r.verdict in ("noisy", "inconsistent")]
        where = ", ".join(
            f"{r.verdict} at {r.lowest_hertz:.3g} to {r.highest_hertz:.3g} Hz "
            f"({r.residual_percent:.2g} %)"
            for r in bad
        )
        usable = self.usable_hertz
        rest = (
            "" if usable is None else f"; usable {usable[0]:.3g} to {usable[1]:.3g} Hz"
        )
        return where + rest + apart


def kramers_kronig(
    spectrum: Spectrum, *, limit_percent: float = LIMIT_PERCENT
) -> KramersKronig:
    """Fit RC elements of any sign on fixed time constants, and judge the residuals.

    Parameters
    ----------
    limit_percent
        Residual of a decade from which on it is called noisy or inconsistent.

    Raises
    ------
    DataError
        If there are fewer than eight frequencies, or a point with Z = 0.
    SpecError
        If the limit is not > 0.

    References
    ----------
    boukamp1995; schoenleber2014 (mu). The number of elements minimises generalised
    cross-validation (golub1979), which does not depend on signs of R.
    """
    if not limit_percent > 0.0:
        raise SpecError(
            f"limit_percent = {limit_percent:g}", remedy="give a residual in %, e.g. 1"
        )
    spectrum.require_points(LEAST_FREQUENCIES, "a Kramers-Kronig test")
    z = spectrum.impedance_ohm
    if np.abs(z).min() <= 0.0:
        raise DataError(
            "a point has Z = 0, so that relative residuals do not exist",
            where=spectrum.label,
            remedy="remove the point",
        )
    used, chosen = _outliers(spectrum, limit_percent)
    corrected = chosen.corrected
    parts = np.concatenate([corrected.real[used], corrected.imag[used]])
    r = chosen.weights[: chosen.count]
    positive = float(r[r > 0.0].sum())
    mu = 1.0 - float(-r[r < 0.0].sum()) / positive if positive > 0.0 else 0.0
    return KramersKronig(
        spectrum,
        chosen.count,
        chosen.residual,
        1.4826 * float(np.median(np.abs(parts))),
        _ranges(spectrum, corrected, ~used, limit_percent),
        ~used,
        mu,
        limit_percent,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One number of elements; `score` is its generalised cross-validation."""

    count: int
    residual: ComplexArray
    weights: Array
    free: Array
    score: float

    @property
    def corrected(self) -> ComplexArray:
        """Residuals as large as the noise is: the fit follows part of it."""
        share = 0.5 * np.trace(self.free, axis1=1, axis2=2)
        return self.residual / np.sqrt(np.maximum(share, 0.05))


def _score(left: float | Array, points: int, count: int) -> float | Array:
    """Generalised cross-validation of a sum of squares over 2 N data."""
    return 2 * points * left / (2 * points - count - 3) ** 2


def _fits(spectrum: Spectrum, used: NDArray[np.bool_]) -> list[_Fit]:
    omega, z = spectrum.angular_frequency, spectrum.impedance_ohm
    points = int(used.sum())
    found: list[_Fit] = []
    for count in _counts(spectrum, points):
        tau = time_constants(omega, count, BEYOND_DECADES)
        residual, weights, free = fit(omega, z, tau, used)
        left = float((np.abs(residual[used]) ** 2).sum())
        score = float(_score(left, points, count))
        found.append(_Fit(count, residual, weights, free, score))
    return found


def _outliers(
    spectrum: Spectrum, limit_percent: float
) -> tuple[NDArray[np.bool_], _Fit]:
    """Points that are fitted, and the fit.

    The point whose deletion helps most is set aside as long as it is far beyond what
    the others leave. If such points lie next to each other or are many, the spectrum
    is noisy or drifts there, and all are fitted again.
    """
    everything = np.ones(spectrum.points_count, np.bool_)
    used = everything.copy()
    most = max(1, int(MOST_OUTLIERS_FRACTION * used.size))
    fits = _fits(spectrum, used)
    while int((~used).sum()) < most + 1:
        at = _worst(fits, used, limit_percent)
        if at is None:
            break
        used[at] = False
        fits = _fits(spectrum, used)
    apart = np.flatnonzero(~used)
    if apart.size > most or (np.diff(apart) < 2).any():
        used, fits = everything, _fits(spectrum, everything)
    return used, min(fits, key=lambda f: f.score)


def _worst(
    fits: list[_Fit], used: NDArray[np.bool_], limit_percent: float
) -> int | None:
    """The point to set aside, or None."""
    points = int(used.sum())
    best: tuple[float, int, float, float] | None = None
    for one in fits:
        away, gain = deleted(one.residual, one.free)
        gain = np.where(used, gain, 0.0)
        at = int(np.argmax(gain))
        total = float((np.abs(one.residual[used]) ** 2).sum())
        left = max(total - float(gain[at]), 0.0)
        freedom = 2 * points - one.count - 5
        if freedom < 1:
            continue
        score = float(_score(left, points - 1, one.count))
        ratio = 0.5 * float(gain[at]) / max(left / freedom, 1e-24)
        if best is None or score < best[0]:
            best = (score, at, ratio, 100.0 * float(np.abs(away[at])))
    if best is None or best[2] < OUTLIER_F or best[3] < 0.5 * limit_percent:
        return None
    return best[1]


def _counts(spectrum: Spectrum, points: int) -> list[int]:
    decades = spectrum.decades_count + 2.0 * BEYOND_DECADES
    different = min(int(np.unique(spectrum.frequency_hertz).size), points)
    most = int(MOST_OF_DATA * 2 * different) - 3
    counts = {max(2, min(round(p * decades), most)) for p in PER_DECADE}
    return sorted(counts)


def _ranges(
    spectrum: Spectrum,
    residual: ComplexArray,
    outliers: NDArray[np.bool_],
    limit_percent: float,
) -> tuple[FrequencyRange, ...]:
    f = spectrum.frequency_hertz
    sparse = f.size < LEAST_DENSITY * spectrum.decades_count
    found: list[FrequencyRange] = []
    for inside in _decades(f):
        kept = inside[~outliers[inside]]
        own = residual[kept if kept.size else inside]
        percent = 100.0 * float(np.sqrt(np.mean(np.abs(own) ** 2)))
        correlation = _correlation(own)
        found.append(
            FrequencyRange(
                float(f[inside[-1]]),
                float(f[inside[0]]),
                int(inside.size),
                percent,
                correlation,
                _verdict(own.size, percent, correlation, limit_percent, sparse=sparse),
            )
        )
    return tuple(found)


def _decades(frequency: Array) -> list[NDArray[np.intp]]:
    """Points of each decade from the top; a decade of few joins its neighbour."""
    # the highest frequency of a decade belongs to it: 1 MHz to 126 kHz, not 1 MHz alone
    decade = np.ceil(np.log10(frequency) - 1e-3).astype(int)
    groups = [np.flatnonzero(decade == d) for d in np.unique(decade)[::-1]]
    joined: list[NDArray[np.intp]] = []
    for group in groups:
        if joined and min(group.size, joined[-1].size) < LEAST_IN_RANGE:
            joined[-1] = np.concatenate([joined[-1], group])
        else:
            joined.append(group)
    return joined


def _verdict(
    count: int, percent: float, correlation: float, limit: float, *, sparse: bool
) -> Verdict:
    if percent <= limit:
        return "consistent"
    if count < LEAST_IN_RANGE or sparse:
        return "too few points"
    return "inconsistent" if correlation > SYSTEMATIC_CORRELATION else "noisy"


def _correlation(residual: ComplexArray) -> float:
    """Of neighbours, both parts together; 0 where there are too few."""
    if residual.size < LEAST_IN_RANGE:
        return 0.0
    pairs = (residual[1:] * np.conj(residual[:-1])).real
    whole = np.abs(residual) ** 2
    power = 0.5 * float(whole[1:].sum() + whole[:-1].sum())
    return float(pairs.sum()) / power if power > 0.0 else 0.0
