"""Smoothers, tested before they are used: each keeps a constant."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite
from typing import Literal, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.kernels import dqdv as kernel

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)
Kind = Literal["gaussian", "savitzky-golay", "none"]
Order = Literal[1, 3, 5, 7]

TRUNCATED_AT = 4.0
"""Gaussian weights end here, in standard deviations: 6e-5 of them are beyond."""
KEPT_TO = 1e-6
"""How well the weights must keep a constant and the powers they are made for."""
MOST_WEIGHTS = 100_001


@dataclass(frozen=True, slots=True)
class Smoothing:
    """A symmetric moving average on an even grid.

    Attributes
    ----------
    kind
        "gaussian", "savitzky-golay" or "none".
    weight_fraction
        Share of each neighbour, shape (2 r + 1,), symmetric, sum 1.
    order
        Polynomials up to this order pass unchanged away from the ends.
    """

    kind: Kind
    weight_fraction: Array
    order: Order

    @property
    def variance(self) -> float:
        """Variance that it adds to a peak, in squared steps of the grid."""
        r = self.weight_fraction.size // 2
        return float(self.weight_fraction @ np.arange(-r, r + 1) ** 2)


def smoother(kind: str, half_width: float, *, order: int = 3) -> Smoothing:
    """Weights of a smoother, proved to keep a constant (and its polynomials).

    Parameters
    ----------
    kind
        "gaussian": `half_width` is the standard deviation. A peak keeps its area and
        its place if it is symmetric, and becomes lower: a logistic one,
        sech²(V / 2w), by the share s²/(4 w²) to first order (1 % for s = 5 mV and
        w = kT/e = 25.7 mV). "savitzky-golay": a polynomial of `order` over
        ± `half_width`: less bias at a peak, more noise, and negative side lobes.
        "none": the bins as they are.
    half_width
        In steps of the grid.
    order
        Of the Savitzky-Golay polynomial, 1 to 7; symmetric weights of an even order
        are those of the odd one above it.

    Raises
    ------
    SpecError
        If the kind is unknown, or the width or the order makes no sense.
    DataError
        If the weights that were computed do not keep what they must.

    References
    ----------
    Savitzky and Golay, Anal. Chem. 36 (1964) 1627. The check is needed: scipy 1.17.1
    returns weights that add up to 3e-10 for 1,001 points and order 5.
    """
    if kind not in get_args(Kind):
        raise SpecError(
            f"smoothing = {kind!r} is not known", remedy=nearest(kind, get_args(Kind))
        )
    if kind == "none":
        return Smoothing("none", np.ones(1), 1)
    if not (isfinite(half_width) and half_width > 0.0):
        raise SpecError(
            f"the width of the smoothing is {half_width:g} steps of the grid",
            remedy='give a width > 0, or smoothing="none"',
        )
    if 2 * TRUNCATED_AT * half_width > MOST_WEIGHTS:
        raise SpecError(
            f"the smoothing spans {half_width:g} steps of the grid",
            remedy="give a coarser grid or a narrower smoothing",
        )
    if kind == "gaussian":
        r = max(1, ceil(TRUNCATED_AT * half_width))
        w = np.exp(-0.5 * (np.arange(-r, r + 1) / half_width) ** 2)
        return checked(Smoothing("gaussian", w / w.sum(), 1))
    if order not in range(1, 8):
        raise SpecError(f"order = {order} of a polynomial", remedy="give 1 to 7")
    return checked(_savitzky_golay(half_width, order | 1))


def _savitzky_golay(half_width: float, order: int) -> Smoothing:
    from scipy.signal import savgol_coeffs  # a second to load, and seldom wanted

    r = round(half_width)
    if 2 * r + 1 <= order:
        raise SpecError(
            f"{2 * r + 1} points of the grid cannot carry a polynomial of order "
            f"{order}",
            remedy="give a wider smoothing, a finer grid or a lower order",
        )
    weights = np.asarray(savgol_coeffs(2 * r + 1, order), np.float64)
    return Smoothing("savitzky-golay", weights, cast("Order", order))


def checked(given: Smoothing) -> Smoothing:
    """Refuse weights that change a constant or a polynomial; scale their sum to 1.

    Raises
    ------
    DataError
        If they are not symmetric, do not add up to 1 (within 1e-6), or do not pass a
        power of the position up to `order` (within 1e-6 of its largest value).
    """
    w = given.weight_fraction
    r = w.size // 2
    along = (np.arange(w.size) - r) / max(r, 1)
    passed = [float(w @ along**p) for p in range(given.order + 1)]
    wanted = [1.0] + [0.0] * given.order
    odd = float(np.max(np.abs(w - w[::-1]), initial=0.0))
    wrong = [abs(a - b) for a, b in zip(passed, wanted, strict=True)]
    if w.size % 2 == 0 or not max(*wrong, odd) <= KEPT_TO:
        raise DataError(
            f"the {given.kind} weights over {w.size} points do not keep what they "
            f"must: a constant 1 becomes {passed[0]:.9g}, powers up to "
            f"{given.order} are wrong by up to {max(wrong[1:]):.2g}",
            remedy="lower the order, narrow the smoothing, coarsen the grid, or take "
            'smoothing="gaussian"',
        )
    even = 0.5 * (w + w[::-1])
    return Smoothing(given.kind, even / even.sum(), given.order)


def smooth(values: Array, by: Smoothing) -> Array:
    """Smooth the last axis of values on an even grid, mirrored at both ends.

    Returns
    -------
    Array
        Shape of `values`; sum and constants along the last axis are kept.

    Raises
    ------
    DataError
        If a value is not finite: it would spread over its neighbours.
    """
    if not np.all(np.isfinite(values)):
        count = int(np.sum(~np.isfinite(values)))
        raise DataError(
            f"{count:,} of {values.size:,} values to smooth are not finite",
            remedy="leave them out, or fill the gap first",
        )
    rows = np.array(values, dtype=np.float64).reshape(-1, values.shape[-1])
    convolve(rows, None, None, np.ones(rows.shape[0]), by)
    return rows.reshape(values.shape)


def convolve(
    rows: Array,
    first: Integers | None,
    last: Integers | None,
    scale: Array,
    by: Smoothing,
) -> None:
    """Smooth rows (K, M) in place, each within first <= j < last, times scale (K,)."""
    k, m = rows.shape
    a = np.zeros(k, np.int64) if first is None else first
    b = np.full(k, m, np.int64) if last is None else last
    work = np.empty(m + by.weight_fraction.size)
    kernel.convolve(rows, a, b, by.weight_fraction, scale, work)
