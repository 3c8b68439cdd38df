"""Peaks of a series of spectra: which one is the same as the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.drt.peaks import Peak, Peaks

Array = NDArray[np.float64]

FURTHEST_DECADES = 0.7
"""A peak does not move further than that from one spectrum to the next."""
LONGEST_GAP = 2
"""Spectra in a row in which a peak may be missing and still be the same one."""
AREA_WEIGHT = 0.15
"""What a factor of ten in resistance counts, of a decade in time constant."""


def track_peaks(
    series: Sequence[Peaks],
    *,
    furthest_decades_count: float = FURTHEST_DECADES,
    longest_gap_count: int = LONGEST_GAP,
) -> pl.DataFrame:
    """Link the peaks of consecutive spectra.

    Each spectrum's peaks are matched to the tracks so that the sum of distances is
    smallest (in decades of tau, and a little in resistance) and tracks do not cross:
    the order in tau is kept. A peak without a partner opens a track.

    Parameters
    ----------
    series
        In the order of measurement.
    furthest_decades_count
        Largest change of tau from one spectrum to the next, in decades.
    longest_gap_count
        Spectra in which a peak may be missing.

    Returns
    -------
    polars.DataFrame
        Columns `spectrum_index` (from 0), `track_index` (from 0, in the order of tau
        at first sight), `tau_second`, `resistance_ohm`, `full_width_decades_count`.

    Raises
    ------
    SpecError
        If the distance is not > 0 or the gap is negative.
    """
    if not furthest_decades_count > 0.0 or longest_gap_count < 0:
        raise SpecError(
            f"furthest_decades_count = {furthest_decades_count:g}, "
            f"longest_gap_count = {longest_gap_count}",
            remedy="give a distance > 0 and a gap >= 0",
        )
    rows: list[tuple[int, int, Peak]] = []
    last: dict[int, tuple[int, Peak]] = {}
    number = 0
    for i, peaks in enumerate(series):
        alive = sorted(
            (t for t, (seen, _) in last.items() if i - seen <= longest_gap_count + 1),
            key=lambda t: last[t][1].tau_second,
        )
        found = list(peaks.peaks)
        links = _match([last[t][1] for t in alive], found, furthest_decades_count)
        for j, peak in enumerate(found):
            track = alive[links[j]] if j in links else number
            number += j not in links
            last[track] = (i, peak)
            rows.append((i, track, peak))
    return pl.DataFrame(
        {
            "spectrum_index": pl.Series([r[0] for r in rows], dtype=pl.Int64),
            "track_index": pl.Series([r[1] for r in rows], dtype=pl.Int64),
            "tau_second": pl.Series([r[2].tau_second for r in rows], dtype=pl.Float64),
            "resistance_ohm": pl.Series(
                [r[2].resistance_ohm for r in rows], dtype=pl.Float64
            ),
            "full_width_decades_count": pl.Series(
                [r[2].full_width_decades_count for r in rows], dtype=pl.Float64
            ),
        }
    )


def _match(old: list[Peak], new: list[Peak], furthest: float) -> dict[int, int]:
    """New peak -> old peak, in order, by dynamic programming over both lists."""
    m, n = len(old), len(new)
    best = np.zeros((m + 1, n + 1))  # cost of the first a and b peaks
    best[:, 0] = furthest * np.arange(m + 1)
    best[0, :] = furthest * np.arange(n + 1)
    for a in range(1, m + 1):
        for b in range(1, n + 1):
            pair = best[a - 1, b - 1] + _distance(old[a - 1], new[b - 1], furthest)
            best[a, b] = min(pair, best[a - 1, b] + furthest, best[a, b - 1] + furthest)
    links: dict[int, int] = {}
    a, b = m, n
    while a and b:
        pair = best[a - 1, b - 1] + _distance(old[a - 1], new[b - 1], furthest)
        if best[a, b] == pair:
            links[b - 1] = a - 1
            a, b = a - 1, b - 1
        elif best[a, b] == best[a - 1, b] + furthest:
            a -= 1
        else:
            b -= 1
    return links


def _distance(old: Peak, new: Peak, furthest: float) -> float:
    """Decades between two peaks; infinite where they cannot be the same.

    Leaving both alone costs twice `furthest`, so that any allowed pair is cheaper.
    """
    apart = abs(float(np.log10(new.tau_second / old.tau_second)))
    if apart > furthest:
        return float("inf")
    areas = abs(float(np.log10(new.resistance_ohm / old.resistance_ohm)))
    return apart + min(AREA_WEIGHT * areas, furthest)
