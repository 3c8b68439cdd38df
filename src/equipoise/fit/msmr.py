"""Fit a multi-site multi-reaction (MSMR) form to an open-circuit curve.

Symbols: see `equipoise.fit.msmr_model`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from equipoise.core.constants import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    ZERO_CELSIUS_KELVIN,
)
from equipoise.core.errors import EquipoiseWarning, FitError, SpecError
from equipoise.fit.msmr_model import (
    BEYOND_VOLT,
    Problem,
    Terms,
    jacobian,
    potential,
    sites,
    standard_errors,
    terms_of,
    weighted_residual,
)
from equipoise.spec.material import MsmrBranch, MsmrTerm

if TYPE_CHECKING:
    from equipoise.spec.curve import Curve

Array = NDArray[np.float64]

SAMPLES = 600
STARTS = 16
TRIMMED_FRACTION = 0.005
"""Share of the capacity left out at either end when no window is given: the first
and last points of a measurement are contact and overpotential."""
WIDTH_RANGE = (0.02, 6.0)
USELESS_RMSE_MILLIVOLT = 25.0
WARNED_RMSE_MILLIVOLT = 5.0
NARROWEST_WINDOW_VOLT = 0.02
POOR_POTENTIAL_VOLT = 0.010
POOR_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class MsmrFit:
    """A fitted MSMR branch, its residuals and how well its terms are determined.

    Attributes
    ----------
    branch
        The terms in order of their potential, and the window they are valid in.
    potential_vs_li_volt, residual_millivolt
        Measured potentials, shape (n,), uniform in capacity, and fit - measured.
    cost
        Half the sum of the squared weighted residuals, V^2.
    standard_potential_error_volt, occupancy_error_fraction, omega_error_ratio
        Standard errors per term, shape (terms,); the last is relative. A stretch of
        residuals of one sign counts as one observation: neighbours are correlated.
    poorly_determined
        One sentence per term that the data hardly determine.
    """

    branch: MsmrBranch
    theoretical_capacity_mah_per_g: float
    temperature_celsius: float
    rmse_millivolt: float
    largest_millivolt: float
    cost: float
    potential_vs_li_volt: Array = field(repr=False)
    residual_millivolt: Array = field(repr=False)
    standard_potential_error_volt: Array = field(repr=False)
    occupancy_error_fraction: Array = field(repr=False)
    omega_error_ratio: Array = field(repr=False)
    poorly_determined: tuple[str, ...]

    @property
    def terms(self) -> tuple[MsmrTerm, ...]:
        """The reactions, lowest potential first."""
        return self.branch.terms


def fit_msmr(
    curve: Curve,
    *,
    terms_count: int = 7,
    theoretical_capacity_mah_per_g: float,
    temperature_celsius: float = 25.0,
    window_vs_li_volt: tuple[float, float] | None = None,
    rng: np.random.Generator | None = None,
) -> MsmrFit:
    """Fit a sum of reactions to a curve, from many starting points.

    The starts are the same at every call, and so is the answer where the curve
    determines it.

    Parameters
    ----------
    curve
        Treated curve; the lithium content is 1 - capacity / theoretical capacity on
        a "delithiated" axis, capacity / theoretical capacity on a "lithiated" one.
    window_vs_li_volt
        Lowest and highest potential to fit; default: all but 0.5 % of the capacity
        at either end.
    rng
        Draws the starting points; default: a fixed seed.

    Raises
    ------
    SpecError
        If the theoretical capacity is smaller than the curve, or the window empty.
    FitError
        If the best of all starts stays above 25 mV.

    Warns
    -----
    EquipoiseWarning
        If the root mean square residual is above 5 mV.

    References
    ----------
    Verbrugge et al., J. Electrochem. Soc. 164 (2017) E3243, Eq. 5.
    """
    if terms_count < 1:
        raise SpecError(f"terms_count must be at least 1; it is {terms_count}")
    f = FARADAY_C_PER_MOL / (
        GAS_CONSTANT_J_PER_MOL_K * (temperature_celsius + ZERO_CELSIUS_KELVIN)
    )
    problem = _problem(
        curve, terms_count, theoretical_capacity_mah_per_g, f, window_vs_li_volt
    )
    peaks = _peaks(curve, problem)
    p, residual = _best(problem, terms_count, peaks, rng or np.random.default_rng(0))
    rmse = float(np.sqrt(np.mean(residual**2))) * 1e3
    if not rmse <= USELESS_RMSE_MILLIVOLT:
        raise FitError(
            f"{terms_count} reactions do not describe this curve: the best of {STARTS} "
            f"starts is {rmse:.1f} mV off (root mean square)",
            remedy="give more terms or a narrower window_vs_li_volt, without the steep "
            "ends",
        )
    if rmse > WARNED_RMSE_MILLIVOLT:
        warnings.warn(
            f"the MSMR fit with {terms_count} terms is {rmse:.1f} mV off (root mean "
            "square); more terms may help",
            EquipoiseWarning,
            stacklevel=2,
        )
    p = _ordered(p, problem)
    terms, weighted = terms_of(p, problem), weighted_residual(p, problem)
    errors = standard_errors(p, problem, weighted)
    low, high = float(problem.u.min()), float(problem.u.max())
    branch = MsmrBranch(
        terms=tuple(
            MsmrTerm(standard_potential_vs_li_volt=a, omega=b, occupancy_fraction=c)
            for a, b, c in zip(*(v.tolist() for v in terms), strict=True)
        ),
        valid_from_vs_li_volt=low,
        valid_to_vs_li_volt=high,
        rmse_millivolt=rmse,
    )
    return MsmrFit(
        branch,
        theoretical_capacity_mah_per_g,
        temperature_celsius,
        rmse,
        float(np.abs(residual).max()) * 1e3,
        0.5 * float(weighted @ weighted),
        problem.u,
        residual * 1e3,
        *errors,
        _poor(terms, errors, low, high),
    )


def _ordered(p: Array, problem: Problem) -> Array:
    """The same terms by rising potential."""
    order = np.argsort(terms_of(p, problem).u0)
    return p.reshape(3, -1)[:, order].ravel()


def _problem(
    curve: Curve,
    terms_count: int,
    theoretical: float,
    f: float,
    window: tuple[float, float] | None,
) -> Problem:
    first, last = curve.measured_from_mah_per_g, curve.measured_to_mah_per_g
    if not (first >= 0.0 and last <= theoretical):
        raise SpecError(
            f"the curve spans {first:.4g} to {last:.4g} mAh/g, beyond 0 to the "
            f"theoretical {theoretical:.4g} mAh/g",
            remedy="check theoretical_capacity_mah_per_g and the offset of the curve",
        )
    if window is None:
        trimmed = TRIMMED_FRACTION * (last - first)
        ends = np.array([first + trimmed, last - trimmed])
    else:
        ends = np.clip(np.sort(curve.capacity_at(window)), first, last)
    q = np.linspace(ends[0], ends[1], SAMPLES)
    u = curve.potential(q)
    if np.ptp(u) < NARROWEST_WINDOW_VOLT:
        raise SpecError(
            f"the window holds only {np.ptp(u) * 1e3:.3g} mV of the curve, which spans "
            f"{curve.potential_vs_li_volt.min():.4g} to "
            f"{curve.potential_vs_li_volt.max():.4g} V vs Li+/Li",
            remedy="give a wider window_vs_li_volt",
        )
    share = q / theoretical
    x = 1.0 - share if curve.axis == "delithiated" else share
    low = np.repeat([u.min() - BEYOND_VOLT, np.log(WIDTH_RANGE[0])], terms_count)
    high = np.repeat([u.max() + BEYOND_VOLT, np.log(WIDTH_RANGE[1])], terms_count)
    return Problem(u, x, np.abs(curve.slope(q)) * theoretical, f, low, high - low)


def _peaks(curve: Curve, problem: Problem) -> Array:
    """Potentials of the dQ/dV peaks, most prominent first."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    u = np.arange(problem.u.min(), problem.u.max(), 1e-3)
    dqdv = np.abs(np.gradient(curve.capacity_at(u), u))
    smooth = gaussian_filter1d(dqdv, 7.5, mode="nearest")
    found, about = find_peaks(smooth, prominence=0.01 * float(smooth.max()))
    return u[found[np.argsort(-about["prominences"])]]


def _best(
    problem: Problem, count: int, peaks: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Parameters and true residuals (V) of the best of many starts."""
    from scipy.optimize import least_squares

    best, best_residual = np.empty(0), np.full(1, np.inf)
    for number in range(STARTS):
        start = _start(problem, count, peaks, rng, spread=number > 0)
        p = least_squares(
            weighted_residual,
            start,
            cast("Any", jacobian),  # scipy's stubs know names only
            args=(problem,),
            method="lm",
            x_scale="jac",
            max_nfev=250,
        ).x
        residual = potential(problem, terms_of(p, problem)) - problem.u
        if np.mean(residual**2) < np.mean(best_residual**2):
            best, best_residual = p, residual
    return best, best_residual


def _start(
    problem: Problem,
    count: int,
    peaks: Array,
    rng: np.random.Generator,
    *,
    spread: bool,
) -> Array:
    """Reactions at the peaks, the rest in the gaps between them, and beyond."""
    low, high = float(problem.u.min()) - 0.1, float(problem.u.max()) + 0.25
    centres = [float(u) for u in peaks[: max(count - 1, 1)]]
    if spread:
        centres = [u + rng.normal(0.0, 0.02) for u in centres]
    while len(centres) < count:
        points = np.sort([low, *centres, high])
        gaps = np.maximum(np.diff(points), 0.0)
        i = rng.choice(gaps.size, p=gaps / gaps.sum()) if spread else gaps.argmax()
        centres.append(
            points[i] + gaps[i] * (rng.uniform(0.25, 0.75) if spread else 0.5)
        )
    width = rng.uniform(np.log(0.4), np.log(4.0), count) if spread else np.zeros(count)
    bounded = np.concatenate((np.sort(centres), width))
    share = np.clip((bounded - problem.lowest) / problem.span, 1e-3, 1.0 - 1e-3)
    p = np.concatenate((np.log(share / (1.0 - share)), np.zeros(count)))
    p[2 * count :] = np.log(_occupancies(problem, terms_of(p, problem)))
    return p


def _occupancies(problem: Problem, terms: Terms) -> Array:
    """Best shares for given potentials and widths, none below 1 %."""
    from scipy.optimize import nnls

    filled = sites(problem.u, problem.f, terms)
    sum_to_one = np.full((1, terms.u0.size), 10.0)
    x, _ = nnls(np.vstack((filled, sum_to_one)), np.append(problem.x, 10.0))
    x = np.maximum(x, 0.01)
    return x / x.sum()


def _poor(
    terms: Terms, errors: tuple[Array, Array, Array], low: float, high: float
) -> tuple[str, ...]:
    """Say of each term that is hardly determined what is not."""
    sentences: list[str] = []
    for u0, w, x, du, dx, dw in zip(*terms, *errors, strict=True):
        faults: list[str] = []
        if not low <= u0 <= high:
            faults.append("lies outside the window, a mathematical tail")
        if w > 0.99 * WIDTH_RANGE[1] or w < 1.01 * WIDTH_RANGE[0]:
            faults.append("has its omega at a bound")
        if du > POOR_POTENTIAL_VOLT:
            faults.append(_unsure("potential", du * 1e3, "mV", 1000.0))
        if dx > POOR_SHARE * x:
            faults.append(_unsure("occupancy", 100.0 * dx / x, "%", 200.0))
        if dw > POOR_SHARE:
            faults.append(_unsure("omega", 100.0 * dw, "%", 200.0))
        if faults:
            sentences.append(f"term at {u0:.3f} V: {'; '.join(faults)}")
    return tuple(sentences)


def _unsure(what: str, error: float, unit: str, hopeless: float) -> str:
    if error > hopeless:
        return f"{what} undetermined"
    return f"{what} +- {error:.0f} {unit}"
