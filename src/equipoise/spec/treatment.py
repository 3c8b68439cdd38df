"""Make a measured half-cell branch monotone, and say what was changed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.spec.curve import Curve
from equipoise.spec.knots import knots_through, noise_of

if TYPE_CHECKING:
    from equipoise.spec.material import Axis

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Direction = Literal["delithiation", "lithiation"]

FEWEST_POINTS = 8
SAME_CAPACITY_FRACTION = 1e-6
"""Capacities closer than this share of the span are one point: a curve is kept
as 8193 nodes, a hundred times coarser."""
SORTABLE_FRACTION = 0.01
"""Steps back in capacity up to this share of the span are jitter, not a splice."""
END_FRACTION = 0.02
"""The outer share of the span where a contact transient may be levelled."""
REFUSED_CHANGE_VOLT = 0.050
WARNED_RESIDUAL_VOLT = 0.02
END_JUMP_VOLT = {"delithiated": 0.3, "lithiated": 1.0}
"""Between an end point and its neighbour. The steep ends of real files: 0.15 V for
NCM, 0.6 V for graphite that is nearly empty."""
GAP_FRACTION, GAP_STEPS, GAP_VOLT = 0.05, 5.0, 0.02
"""A stretch without data: more than this share of the span, and so many usual steps,
if the potential changes by more than this across it."""
WARNED_CHANGE_VOLT = 0.005
PLATEAU_RISE_VOLT = 1e-6
"""Rise given to the whole curve so that true plateaus keep a slope."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was done to a measured branch before it became a `Curve`.

    Attributes
    ----------
    direction
        "delithiation" or "lithiation".
    reversed_order
        The points ran from high to low capacity.
    duplicates_merged_count
        Points that shared their capacity with a neighbour and were averaged.
    reversals_sorted_count
        Points that stepped back in capacity a little and were sorted.
    monotone_changed_count
        Points moved by the isotonic regression.
    knots_largest_residual_millivolt
        Largest distance between the curve and the monotone points.
    """

    direction: str
    points_read_count: int
    reversed_order: bool
    duplicates_merged_count: int
    reversals_sorted_count: int
    monotone_changed_count: int
    monotone_largest_change_millivolt: float
    monotone_rms_change_millivolt: float
    knots_count: int
    knots_largest_residual_millivolt: float
    knots_rms_residual_millivolt: float


def treat(
    capacity_mah_per_g: ArrayLike,
    potential_vs_li_volt: ArrayLike,
    *,
    direction: Direction,
    axis: Axis,
    where: str = "",
) -> tuple[Curve, Treatment]:
    """Turn a measured branch into a monotone curve, and report every change.

    Parameters
    ----------
    capacity_mah_per_g
        Shape (n,), on the common axis; rising or falling.
    potential_vs_li_volt
        Shape (n,).
    direction
        Which way the lithium went.
    axis
        What the capacity counts. The potential must rise with a "delithiated"
        capacity and fall with a "lithiated" one.
    where
        File or key, for messages.

    Raises
    ------
    DataError
        If a value is not finite, fewer than 8 points remain, the capacity runs
        back by more than 1 % of its span, the potential runs against the axis, or
        making it monotone would move a point by more than 50 mV away from the ends.

    Warns
    -----
    EquipoiseWarning
        If an end point jumps, if a stretch of the capacity has no data, if making it
        monotone moves a point by more than 5 mV, or the curve through
        the knots misses a monotone point by more than 20 mV.

    References
    ----------
    Isotonic regression: Barlow et al., Statistical Inference under Order
    Restrictions (1972), pool-adjacent-violators.
    """
    where = f"{where} [{direction}]" if where else f"[{direction}]"
    q, u = _columns(capacity_mah_per_g, potential_vs_li_volt, where)
    read = q.size
    reversed_order = bool(q[-1] < q[0])
    rows = np.arange(read)
    if reversed_order:
        q, u, rows = q[::-1], u[::-1], rows[::-1]
    q, u, rows, sorted_count = _sorted(q, u, rows, where)
    q, u, rows, weight = _merged(q, u, rows)
    if q.size < FEWEST_POINTS:
        raise _too_few(q.size, "different capacities", where)
    sign = 1.0 if axis == "delithiated" else -1.0
    _check_trend(u, axis, direction, where)
    _look_at_gaps(q, u, axis, where)
    noise = noise_of(u)
    monotone = sign * _monotone(sign * u, weight)
    change = np.abs(monotone - u)
    _check_change(q, change, rows, where)
    x, y = knots_through(q, monotone, weight, noise)
    y = sign * np.maximum.accumulate(sign * y)
    y = y + sign * PLATEAU_RISE_VOLT * (x - x[0]) / (x[-1] - x[0])
    curve = Curve.through(x, y, axis=axis)
    residual = np.abs(curve.potential(q) - monotone)
    _look_at_residual(q, residual, where)
    return curve, Treatment(
        direction,
        read,
        reversed_order,
        read - q.size,
        sorted_count,
        int(np.count_nonzero(change > 1e-9)),
        float(change.max()) * 1e3,
        _rms(change) * 1e3,
        x.size,
        float(residual.max()) * 1e3,
        _rms(residual) * 1e3,
    )


def _look_at_gaps(q: Array, u: Array, axis: Axis, where: str) -> None:
    """Warn of a jump at either end, and of stretches without data."""
    steps, rises = np.diff(q), np.abs(np.diff(u))
    span = float(q[-1] - q[0])
    gap = max(GAP_FRACTION * span, GAP_STEPS * float(np.median(steps)))
    for end, name in ((0, "first"), (-1, "last")):
        if rises[end] > END_JUMP_VOLT[axis] or steps[end] > gap:
            _warn(
                f"{where}: the {name} point lies {rises[end]:.2g} V and "
                f"{steps[end]:.3g} mAh/g from its neighbour: is it a measurement?"
            )
            return
    inner = np.where((steps > gap) & (rises > GAP_VOLT), steps, 0.0)
    worst = int(np.argmax(inner))
    if inner[worst] > 0.0:
        _warn(
            f"{where}: no data between {q[worst]:.1f} and {q[worst + 1]:.1f} mAh/g, "
            f"{rises[worst] * 1e3:.0f} mV apart; the curve is guessed there"
        )


def _warn(text: str) -> None:
    warnings.warn(text, EquipoiseWarning, stacklevel=4)


def _look_at_residual(q: Array, residual: Array, where: str) -> None:
    worst = int(np.argmax(residual))
    if residual[worst] > WARNED_RESIDUAL_VOLT:
        warnings.warn(
            f"{where}: the curve misses the data by {residual[worst] * 1e3:.0f} mV at "
            f"{q[worst]:.2f} mAh/g ({np.count_nonzero(residual > WARNED_CHANGE_VOLT)} "
            f"points by more than {WARNED_CHANGE_VOLT * 1e3:g} mV): a jump that is "
            "steeper than the table, or noise that was averaged",
            EquipoiseWarning,
            stacklevel=3,
        )


def _rms(x: Array) -> float:
    return float(np.sqrt(np.mean(x * x)))


def _too_few(count: int, what: str, where: str) -> DataError:
    return DataError(
        f"only {count} {what}, at least {FEWEST_POINTS} are needed for a curve",
        where=where,
        remedy="give the whole branch, not its end points",
    )


def _columns(
    capacity: ArrayLike, potential: ArrayLike, where: str
) -> tuple[Array, Array]:
    q = np.asarray(capacity, dtype=np.float64).ravel()
    u = np.asarray(potential, dtype=np.float64).ravel()
    if q.size != u.size:
        raise DataError(
            f"{q.size} capacities but {u.size} potentials",
            where=where,
            remedy="both columns must have one value per row",
        )
    for name, values in (("capacity", q), ("potential", u)):
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise DataError(
                f"the {name} in data row {bad[0] + 1} is {values[bad[0]]:g}"
                + (f" (and {bad.size - 1} more rows)" if bad.size > 1 else ""),
                where=where,
                remedy="remove the rows without a value",
            )
    if q.size < FEWEST_POINTS:
        raise _too_few(q.size, "points", where)
    if not np.ptp(q) > 0.0:
        raise DataError(
            f"the capacity is {q[0]:g} in every row",
            where=where,
            remedy="check capacity_column",
        )
    return q, u


def _sorted(
    q: Array, u: Array, rows: Rows, where: str
) -> tuple[Array, Array, Rows, int]:
    """Sort small steps back in capacity; refuse large ones."""
    back = np.maximum.accumulate(q) - q
    count = int(np.count_nonzero(back > 0.0))
    if count == 0:
        return q, u, rows, 0
    worst, span = int(np.argmax(back)), float(np.ptp(q))
    if back[worst] > SORTABLE_FRACTION * span:
        raise DataError(
            f"the capacity runs back by {back[worst]:.4g} mAh/g "
            f"({100 * back[worst] / span:.3g} % of its span) up to data row "
            f"{rows[worst] + 1}",
            where=where,
            remedy="give one charge or one discharge only: this looks like several "
            "half-cycles in one table",
        )
    order = np.argsort(q, kind="stable")
    return q[order], u[order], rows[order], count


def _merged(q: Array, u: Array, rows: Rows) -> tuple[Array, Array, Rows, Array]:
    """Average points of equal capacity; the weight is how many they were."""
    apart = np.diff(q) > SAME_CAPACITY_FRACTION * (q[-1] - q[0])
    start = np.flatnonzero(np.concatenate(([True], apart)))
    if start.size == q.size:
        return q, u, rows, np.ones_like(q)
    weight = np.diff(np.append(start, q.size)).astype(np.float64)
    return (
        np.add.reduceat(q, start) / weight,
        np.add.reduceat(u, start) / weight,
        rows[start],
        weight,
    )


def _check_trend(u: Array, axis: Axis, direction: Direction, where: str) -> None:
    tenth = max(u.size // 10, 2)
    rise = float(u[-tenth:].mean() - u[:tenth].mean())
    if (rise if axis == "delithiated" else -rise) >= -WARNED_CHANGE_VOLT:
        return
    other = "lithiation" if direction == "delithiation" else "delithiation"
    raise DataError(
        f"the potential {'falls' if rise < 0.0 else 'rises'} by {abs(rise):.3g} V from "
        f"the low to the high capacity, but it must "
        f"{'rise' if axis == 'delithiated' else 'fall'} with the {axis} capacity",
        where=where,
        remedy="what the capacity counts is declared the wrong way round: set "
        f'capacity_counts = "{other}" (or remove that line if it says so already); '
        'or the role ("positive" / "negative") or the two columns are exchanged',
    )


def _monotone(rising: Array, weight: Array) -> Array:
    if not (np.diff(rising) < 0.0).any():
        return rising
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(rising, weights=weight).x, np.float64)


def _check_change(q: Array, change: Array, rows: Rows, where: str) -> None:
    margin = END_FRACTION * (q[-1] - q[0])
    inside = (q >= q[0] + margin) & (q <= q[-1] - margin)
    worst = int(np.argmax(np.where(inside, change, 0.0)))
    if inside[worst] and change[worst] > REFUSED_CHANGE_VOLT:
        raise DataError(
            f"the potential is not monotone: data row {rows[worst] + 1} would have "
            f"to move by {change[worst] * 1e3:.0f} mV",
            where=where,
            remedy="the direction is probably wrong, or the table joins pieces of "
            "different measurements (pulses, rests, several half-cycles)",
        )
    worst = int(np.argmax(change))
    if change[worst] > WARNED_CHANGE_VOLT:
        warnings.warn(
            f"{where}: making the potential monotone moved data row "
            f"{rows[worst] + 1} by {change[worst] * 1e3:.1f} mV "
            f"({np.count_nonzero(change > WARNED_CHANGE_VOLT)} points by more than "
            f"{WARNED_CHANGE_VOLT * 1e3:g} mV)",
            EquipoiseWarning,
            stacklevel=3,
        )
