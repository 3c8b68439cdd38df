"""Peaks of dQ/dV over the cycles, and the charge in the windows of phase transitions.

Peaks are those of the smoothed curve: none is a rise that the cut-off ends, and there
is no baseline. What lies between two valleys belongs to the peak between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.dqdv import AXES, DifferentialCapacity
from equipoise.core.errors import DataError, SpecError
from equipoise.kernels import dqdv as kernel

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAST_PROMINENCE_FRACTION = 0.02
"""Of the highest point of the curve; noise of a good cycler stays below 1 %."""
LARGEST_SHIFT_VOLT = 0.03
"""From one cycle to the next; peaks of NCM are at least 0.15 V apart."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of potentials in which a transition passes its charge."""

    name: str
    low_volt: float
    high_volt: float
    source: str = ""


_SOURCE = "our dQ/dV of rehm2025 (LG M36, C/50)"
NCM_WINDOWS: tuple[Window, ...] = (
    Window("H1-M", 3.45, 3.88, f"{_SOURCE}: peaks at 3.56-3.58 and 3.73-3.75 V"),
    Window("M-H2", 3.88, 4.10, f"{_SOURCE}: peak at 3.99-4.01 V, valley at 3.88 V"),
    Window("H2-H3", 4.10, 4.30, f"{_SOURCE}: peak at 4.17-4.19 V, valley at 4.10 V"),
)
"""Of Ni-rich NCM vs Li+/Li; zhang2026 sec. 2.2 has H2-H3 at 2.65 V vs LTO, 4.20 V."""


def windows_of_cell(
    windows: Sequence[Window] = NCM_WINDOWS, *, negative_potential_volt: float
) -> tuple[Window, ...]:
    """Windows of the positive electrode as cell voltages.

    Parameters
    ----------
    negative_potential_volt
        Of the negative electrode vs Li+/Li, such as 1.55 on the plateau of LTO. Where
        it leaves the plateau (the end of charge of an LB cell) or carries
        overpotential, so does the window: prefer curves with axis="positive".
    """
    if not np.isfinite(negative_potential_volt):
        raise SpecError(
            f"negative_potential_volt = {negative_potential_volt}",
            remedy="give a finite potential vs Li+/Li, such as 1.55 for LTO",
        )
    return tuple(
        Window(
            w.name,
            w.low_volt - negative_potential_volt,
            w.high_volt - negative_potential_volt,
            w.source,
        )
        for w in windows
    )


def peaks(
    dq: DifferentialCapacity,
    *,
    minimum_prominence_fraction: float = LEAST_PROMINENCE_FRACTION,
    windows: Sequence[Window] = (),
) -> pl.DataFrame:
    """Peaks of every half-cycle, in order of voltage; flawed half-cycles have none.

    Parameters
    ----------
    minimum_prominence_fraction
        Height over the higher of the two valleys beside the peak, as a share of the
        highest point of the curve.
    windows
        Names for the peaks inside; on the axis of `dq`.

    Returns
    -------
    polars.DataFrame
        cycle_count, direction, half_cycle_index, transition (a name from `windows` or
        ""), the place (voltage_volt, or the column of the electrode), height and
        prominence (ah_per_volt, > 0 in both directions), capacity_ah between the
        valleys low_volt and high_volt (their sum is all charge in the curve), and
        full_width_half_maximum_volt: NaN where a valley or the cut-off is higher than
        half of the peak. Per gram too if the mass is known.

    Raises
    ------
    SpecError
        If the prominence is not between 0 and 1.
    """
    import polars as pl

    if not 0.0 <= minimum_prominence_fraction < 1.0:
        raise SpecError(
            f"minimum_prominence_fraction = {minimum_prominence_fraction:g}",
            remedy="give a share of the highest point, such as 0.02",
        )
    sign = dq.direction.astype(np.float64)[:, None]
    z: Array = np.where(dq.usable[:, None], sign * dq.dqdv_ah_per_volt, 0.0)
    first, last = _covered(dq)
    rows, bins, over = _found(z, first, last, minimum_prominence_fraction)
    left, right = np.empty(rows.size, np.int64), np.empty(rows.size, np.int64)
    area, width = np.empty(rows.size), np.empty(rows.size)
    kernel.measure_peaks(z, first, last, rows, bins, left, right, area, width)
    shift, height = _top(z, rows, bins)
    step, edge = dq.step_volt, dq.voltage_volt[0] - 0.5 * dq.step_volt
    place = dq.voltage_volt[bins] + shift * step
    columns: dict[str, Array | Integers | list[str]] = {
        "cycle_count": dq.cycle_count[rows],
        "direction": dq.direction[rows],
        "half_cycle_index": rows,
        "transition": _names(place, windows),
        AXES[dq.axis]: place,
        "height_ah_per_volt": height,
        "prominence_ah_per_volt": over,
        "capacity_ah": area * step,
        "full_width_half_maximum_volt": width * step,
        "low_volt": edge + left * step,
        "high_volt": edge + right * step,
    }
    if dq.positive_active_mass_mg is not None:
        per_gram = 1e6 / dq.positive_active_mass_mg
        columns["height_mah_per_g_per_volt"] = height * per_gram
        columns["capacity_mah_per_g_positive"] = area * step * per_gram
    return pl.DataFrame(columns)


def track_peaks(
    found: pl.DataFrame, *, maximum_shift_volt: float = LARGEST_SHIFT_VOLT
) -> pl.DataFrame:
    """Follow peaks from half-cycle to half-cycle of the same direction.

    The nearest peaks are matched first, each at most once; a track keeps its last
    place over half-cycles that lack it. A peak that fits no track begins a new one.

    Parameters
    ----------
    found
        From `peaks`.
    maximum_shift_volt
        Between one half-cycle and the next one that has the peak.

    Returns
    -------
    polars.DataFrame
        `found` with peak_index: counted from 0 in each direction, in order of first
        appearance and then of voltage.

    Raises
    ------
    SpecError
        If the shift is not > 0.
    """
    import polars as pl

    if not maximum_shift_volt > 0.0:
        raise SpecError(
            f"maximum_shift_volt = {maximum_shift_volt:g}", remedy="give one > 0"
        )
    place = next(found[c].to_numpy() for c in AXES.values() if c in found.columns)
    halves = found["half_cycle_index"].to_numpy()
    direction = found["direction"].to_numpy()
    index = np.full(found.height, -1, np.int64)
    for sign in (1, -1):
        tracks: list[float] = []
        mine = np.flatnonzero(direction == sign)
        begins = np.flatnonzero(np.diff(halves[mine], prepend=-1) != 0)
        for group in np.split(mine, begins[1:]):
            index[group] = _matched(tracks, place[group], maximum_shift_volt)
    return found.with_columns(pl.Series("peak_index", index))


def window_charge(
    dq: DifferentialCapacity, low_volt: float, high_volt: float
) -> pl.DataFrame:
    """Charge of each half-cycle between two voltages (or potentials) of the axis.

    The smoothed curve is integrated: across the ends of the window smoothing moves
    about half of its variance times the slope of the curve there.

    Returns
    -------
    polars.DataFrame
        cycle_count, direction, half_cycle_index, window_capacity_ah (>= 0; NaN where
        the half-cycle has a flaw), window_fraction of its charge, and if the mass is
        known window_capacity_mah_per_g_positive. With the window of H2-H3 this is its
        usage. A hold at constant voltage counts only if it is in the curve.

    Raises
    ------
    SpecError
        If low is not below high.
    DataError
        If the window is beside the grid.
    """
    import polars as pl

    if not low_volt < high_volt:
        raise SpecError(
            f"the window from {low_volt:g} to {high_volt:g} V is empty",
            remedy="give low_volt < high_volt",
        )
    half = 0.5 * dq.step_volt
    low, high = dq.voltage_volt - half, dq.voltage_volt + half
    if low_volt >= high[-1] or high_volt <= low[0]:
        raise DataError(
            f"no curve is between {low_volt:g} and {high_volt:g} V: they reach from "
            f"{low[0]:.4g} to {high[-1]:.4g} V",
            remedy="windows vs Li+/Li go with axis='positive'; for the cell voltage "
            "use windows_of_cell",
        )
    part = np.clip(np.minimum(high, high_volt) - np.maximum(low, low_volt), 0.0, None)
    charge = dq.direction * (dq.dqdv_ah_per_volt @ part)
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = charge / dq.capacity_ah
    columns: dict[str, Array | Integers] = {
        "cycle_count": dq.cycle_count,
        "direction": dq.direction,
        "half_cycle_index": np.arange(dq.direction.size, dtype=np.int64),
        "window_capacity_ah": charge,
        "window_fraction": fraction,
    }
    if dq.positive_active_mass_mg is not None:
        per_gram = 1e6 / dq.positive_active_mass_mg
        columns["window_capacity_mah_per_g_positive"] = charge * per_gram
    return pl.DataFrame(columns)


def _covered(dq: DifferentialCapacity) -> tuple[Integers, Integers]:
    """Bins that the charge of each half-cycle is in, first <= j < last."""
    edge = dq.voltage_volt[0] - 0.5 * dq.step_volt
    low, high = (np.where(dq.usable, v, edge) for v in (dq.low_volt, dq.high_volt))
    first = np.floor((low - edge) / dq.step_volt + 0.5).astype(np.int64)
    last = np.floor((high - edge) / dq.step_volt + 0.5).astype(np.int64)
    most = dq.voltage_volt.size
    return np.clip(first, 0, most), np.clip(last, 0, most)


def _found(
    z: Array, first: Integers, last: Integers, least: float
) -> tuple[Integers, Integers, Array]:
    none = np.empty(0, np.int64)
    count = int(kernel.find_peaks(z, first, last, least, none, none, np.empty(0)))
    rows, bins = np.empty(count, np.int64), np.empty(count, np.int64)
    over = np.empty(count)
    kernel.find_peaks(z, first, last, least, rows, bins, over)
    return rows, bins, over


def _top(z: Array, rows: Integers, bins: Integers) -> tuple[Array, Array]:
    """Parabola through a maximum and its neighbours: shift in bins, and height."""
    a, b, c = z[rows, bins - 1], z[rows, bins], z[rows, bins + 1]
    bend = a - 2.0 * b + c
    flat = bend >= 0.0  # the middle of a flat top
    shift = np.where(flat, 0.0, 0.5 * (a - c) / np.where(flat, 1.0, bend))
    return shift, b - 0.25 * (a - c) * shift


def _names(place: Array, windows: Sequence[Window]) -> list[str]:
    names = np.full(place.size, "", dtype=object)
    for w in windows:
        names[(place >= w.low_volt) & (place < w.high_volt)] = w.name
    return names.tolist()


def _matched(tracks: list[float], place: Array, most: float) -> Integers:
    """Track of each peak of one half-cycle; extends and renews `tracks`."""
    index = np.full(place.size, -1, np.int64)
    if tracks:
        far = np.abs(np.array(tracks)[:, None] - place)
        for at in np.argsort(far, axis=None, kind="stable"):
            t, p = np.unravel_index(at, far.shape)
            if far[t, p] > most:
                break
            if index[p] < 0 and not np.any(index == t):
                index[p] = t
    for p in range(place.size):
        if index[p] < 0:
            index[p] = len(tracks)
            tracks.append(0.0)
        tracks[int(index[p])] = float(place[p])
    return index
