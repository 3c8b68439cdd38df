"""Peaks followed through a series of spectra."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drt_surrogates import FREQUENCY, S1
from equipoise.analysis.eis.drt.distribution import distributions
from equipoise.analysis.eis.drt.peaks import Peak, Peaks, fit_peaks
from equipoise.analysis.eis.drt.series import track_peaks
from equipoise.core.errors import SpecError


def peaks(*centres, areas=None):
    """Made-up peaks at powers of ten."""
    areas = [10.0] * len(centres) if areas is None else areas
    made = [Peak(10.0**c, a, 0.5, None, a) for c, a in zip(centres, areas, strict=True)]
    return Peaks("gaussian", tuple(made), np.ones(1), np.ones(1), 0.0)


def tracks(series, **limits):
    """Lists of track numbers, one per spectrum."""
    table = track_peaks(series, **limits)
    return [
        table.filter(pl.col("spectrum_index") == i)["track_index"].to_list()
        for i in range(len(series))
    ]


def test_peaks_keep_their_identity_while_they_drift():
    series = [peaks(-5 + 0.2 * k, -3 + 0.3 * k, -1 + 0.1 * k) for k in range(8)]
    assert tracks(series) == [[0, 1, 2]] * 8


def test_a_peak_that_is_missing_for_a_while_is_the_same_when_it_returns():
    series = [peaks(-5, -3, -1), peaks(-5, -1), peaks(-5, -1), peaks(-5, -3.1, -1)]
    assert tracks(series) == [[0, 1, 2], [0, 2], [0, 2], [0, 1, 2]]
    # a gap longer than allowed opens a new track
    assert tracks(series, longest_gap_count=1)[3] == [0, 3, 2]
    assert tracks(series, longest_gap_count=0)[3] == [0, 3, 2]
    assert tracks(series[:2] + series[3:], longest_gap_count=1)[2] == [0, 1, 2]


def test_a_new_peak_opens_a_track_and_leaves_the_others_alone():
    series = [peaks(-5, -1), peaks(-5, -3, -1), peaks(-5, -3, -1)]
    assert tracks(series) == [[0, 1], [0, 2, 1], [0, 2, 1]]


def test_a_jump_is_another_peak():
    assert tracks([peaks(-5), peaks(-4.2)]) == [[0], [1]]
    assert tracks([peaks(-5), peaks(-4.2)], furthest_decades_count=1.0) == [[0], [0]]


def test_areas_decide_where_time_constants_do_not():
    # halfway between two old peaks: the one as large as it
    old = peaks(-3.3, -2.7, areas=[100.0, 1.0])
    assert tracks([old, peaks(-3.0, areas=[100.0])])[1] == [0]
    assert tracks([old, peaks(-3.0, areas=[1.0])])[1] == [1]


def test_the_nearest_assignment_is_made_for_all_together():
    # greedily, the first new peak would take the second old one
    series = [peaks(-5.0, -4.5), peaks(-4.6, -4.1)]
    assert tracks(series) == [[0, 1], [0, 1]]


def test_the_table_repeats_the_peaks():
    series = [peaks(-5, -1, areas=[3.0, 7.0]), peaks(-5, -1, areas=[4.0, 8.0])]
    table = track_peaks(series)
    assert table.columns == [
        "spectrum_index",
        "track_index",
        "tau_second",
        "resistance_ohm",
        "full_width_decades_count",
    ]
    assert table["resistance_ohm"].to_list() == [3.0, 7.0, 4.0, 8.0]
    np.testing.assert_allclose(table["tau_second"], [1e-5, 0.1, 1e-5, 0.1])


def test_nothing_to_track_is_an_empty_table():
    assert track_peaks([]).is_empty()
    assert track_peaks([peaks(), peaks()]).is_empty()
    assert tracks([peaks(-5), peaks(), peaks(-5)]) == [[0], [], [0]]


@pytest.mark.parametrize(
    "limits", [{"furthest_decades_count": 0.0}, {"longest_gap_count": -1}]
)
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(SpecError, match="furthest_decades_count"):
        track_peaks([peaks(-5)], **limits)


def test_growing_arcs_of_real_spectra_are_followed():
    grown = []
    for k in range(6):
        factor = 1.0 + 0.1 * k * np.array([0, 0, 1, 1, 2, 2])
        cell = type(S1)(tuple(np.array(S1.resistance_ohm) * factor))
        grown.append(cell.spectrum(1e-3, k, frequency=FREQUENCY))
    series = [fit_peaks(d, peaks_count=6) for d in distributions(grown)]
    table = track_peaks(series)
    slow = table.filter(pl.col("tau_second").is_between(0.1, 0.5))
    assert slow["track_index"].n_unique() == 1
    assert slow.height == 6
    r = slow["resistance_ohm"].to_numpy()
    # 24 ohm doubles; Gaussians follow to some 10 %
    assert r[-1] / r[0] == pytest.approx(2.0, rel=0.15)


centres = st.lists(
    st.floats(-6.0, 0.0).map(lambda c: round(c, 3)), max_size=6, unique=True
).map(sorted)


@settings(max_examples=150)
@given(st.lists(centres, max_size=6))
def test_tracks_never_cross_or_share_a_peak(spectra):
    found = tracks([peaks(*c) for c in spectra])
    for own, c in zip(found, spectra, strict=True):
        assert len(own) == len(c)
        assert len(set(own)) == len(own)
    for (one, a), (two, b) in pairwise(zip(found, spectra, strict=True)):
        shared = [t for t in one if t in two]
        assert [t for t in two if t in shared] == shared
        for t in shared:
            assert abs(a[one.index(t)] - b[two.index(t)]) <= 0.7 + 1e-9
    numbers = sorted({t for own in found for t in own})
    assert numbers == list(range(len(numbers)))
