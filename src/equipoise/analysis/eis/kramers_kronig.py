"""Is a spectrum that of a linear, stable system? Linear Kramers-Kronig, both parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError
from equipoise.kernels.kramers_kronig import fit

if TYPE_CHECKING:
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Verdict = Literal["consistent", "noisy", "inconsistent", "too few points"]

LEAST_FREQUENCIES = 8
PER_DECADE = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0)
"""Numbers of elements per decade of time constants that are tried."""
BEYOND_DECADES = 0.5
MOST_OF_DATA = 0.8
"""Largest number of unknowns, of the number of data (2 N)."""
LIMIT_PERCENT = 1.0
"""Root mean square residual of a range up to which it is good enough to be used."""
SYSTEMATIC_CORRELATION = 0.5
"""Of neighbouring residuals: noise has none."""
LEAST_IN_RANGE = 4
OUTLIER_SIGMAS = 5.0


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
    omega = spectrum.angular_frequency
    best: tuple[float, int, ComplexArray, Array, Array] | None = None
    for count in _counts(spectrum):
        residual, x, leverage = fit(omega, z, count, BEYOND_DECADES)
        data = 2 * z.size
        left = float((np.abs(residual) ** 2).sum())
        score = data * left / (data - count - 3) ** 2
        if best is None or score < best[0]:
            best = (score, count, residual, x[:count], leverage)
    assert best is not None  # one element is always possible
    _, count, residual, r, leverage = best
    free = np.sqrt(np.maximum(1.0 - leverage, 0.05))
    parts = np.concatenate([residual.real, residual.imag]) / free
    noise = 1.4826 * float(np.median(np.abs(parts)))
    n = z.size
    corrected = parts[:n] + 1j * parts[n:]
    outliers = _outliers(np.abs(corrected), noise, limit_percent)
    positive = float(r[r > 0.0].sum())
    mu = 1.0 - float(-r[r < 0.0].sum()) / positive if positive > 0.0 else 0.0
    return KramersKronig(
        spectrum,
        count,
        residual,
        noise,
        _ranges(spectrum, corrected, outliers, limit_percent),
        outliers,
        mu,
        limit_percent,
    )


def _counts(spectrum: Spectrum) -> list[int]:
    decades = spectrum.decades_count + 2.0 * BEYOND_DECADES
    most = int(MOST_OF_DATA * 2 * np.unique(spectrum.frequency_hertz).size) - 3
    counts = {max(2, min(round(p * decades), most)) for p in PER_DECADE}
    return sorted(counts)


def _outliers(size: Array, noise: float, limit_percent: float) -> NDArray[np.bool_]:
    """Points off by five standard deviations and half the limit, standing alone."""
    off = size > np.sqrt(2.0) * OUTLIER_SIGMAS * noise
    off &= 100.0 * size > 0.5 * limit_percent
    padded = np.concatenate([[False], off, [False]])
    return off & ~padded[:-2] & ~padded[2:]


def _ranges(
    spectrum: Spectrum,
    residual: ComplexArray,
    outliers: NDArray[np.bool_],
    limit_percent: float,
) -> tuple[FrequencyRange, ...]:
    f = spectrum.frequency_hertz
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
                _verdict(own.size, percent, correlation, limit_percent),
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


def _verdict(count: int, percent: float, correlation: float, limit: float) -> Verdict:
    if percent <= limit:
        return "consistent"
    if count < LEAST_IN_RANGE:
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
