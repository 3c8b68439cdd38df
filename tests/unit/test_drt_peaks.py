"""Peaks of a distribution, on distributions made of known ones."""

from dataclasses import replace

import numpy as np
import pytest

from drt_surrogates import CLEANED, S1, TAILS, Surrogate
from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.peaks import fit_peaks, resistances_by_peaks
from equipoise.analysis.eis.drt.ranges import CHARGE_TRANSFER, INTERPHASE, TauRange
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.shapes import shape
from equipoise.core.errors import SpecError

BLANK = distribution(CLEANED.spectrum(name="made"), tail="none")


class Made:
    """A distribution whose gamma is a formula; all else is that of a real one."""

    def __init__(self, gamma):
        self.gamma_at = gamma
        self.tau_second = BLANK.tau_second
        self.shape_factor_ratio = BLANK.shape_factor_ratio
        self.spectrum = BLANK.spectrum


def made_of(kind, parts):
    """Sum of shapes: (resistance, tau, width)."""

    def gamma(tau):
        log = np.log(tau)
        return sum(shape(kind, log - np.log(t), np.log(r), w)[0] for r, t, w in parts)

    return Made(gamma)


GAUSSIANS = [
    (4.0, 2e-6, np.log(0.6)),
    (10.0, 1e-4, np.log(0.8)),
    (3.0, 3e-3, np.log(0.5)),
    (20.0, 0.1, np.log(0.9)),
]
ZARCS = [(9.3, 6e-5, 0.88), (10.0, 2e-3, 0.8), (22.8, 5e-2, 0.92)]


@pytest.mark.parametrize(("kind", "parts"), [("gaussian", GAUSSIANS), ("zarc", ZARCS)])
def test_known_peaks_are_recovered(kind, parts):
    found = fit_peaks(made_of(kind, parts), kind=kind)
    assert len(found.peaks) == len(parts)
    for peak, (r, t, w) in zip(found.peaks, parts, strict=True):
        assert peak.resistance_ohm == pytest.approx(r, rel=1e-4)
        assert peak.tau_second == pytest.approx(t, rel=1e-4)
        top = shape(kind, np.zeros(1), np.log(r), w)[0][0]
        assert peak.height_ohm == pytest.approx(top, rel=1e-3)
        assert (peak.exponent_ratio is None) == (kind == "gaussian")
        if kind == "zarc":
            assert peak.exponent_ratio == pytest.approx(w, rel=1e-4)
        else:
            full = np.exp(w) * 2 * np.sqrt(2 * np.log(2)) / np.log(10)
            assert peak.full_width_decades_count == pytest.approx(full, rel=1e-4)
    assert found.residual_ratio < 1e-5


def test_a_shoulder_is_a_peak():
    # 1.4 standard deviations apart two Gaussians have one maximum, and two bends
    parts = [(10.0, 1e-3, np.log(0.6)), (4.0, 1e-3 * np.exp(1.4), np.log(0.5))]
    gamma = made_of("gaussian", parts).gamma_at(np.geomspace(1e-5, 1e-1, 800))
    assert ((gamma[1:-1] > gamma[:-2]) & (gamma[1:-1] > gamma[2:])).sum() == 1
    found = fit_peaks(made_of("gaussian", parts))
    assert len(found.peaks) == 2
    total = sum(p.resistance_ohm for p in found.peaks)
    assert total == pytest.approx(14.0, rel=1e-3)


def test_peaks_rise_in_tau_and_sum_to_the_curve():
    d = distribution(S1.spectrum(1e-3))
    for kind in ("gaussian", "zarc"):
        found = fit_peaks(d, kind=kind)
        centres = [p.tau_second for p in found.peaks]
        assert centres == sorted(centres)
        by_hand = sum(found.curve_ohm(p, found.tau_second) for p in found.peaks)
        np.testing.assert_allclose(found.sum_ohm(found.tau_second), by_hand)
        left = np.linalg.norm(by_hand - found.gamma_ohm)
        left /= np.linalg.norm(found.gamma_ohm)
        assert found.residual_ratio <= left * (1.0 + 1e-9)
        # what is left out below 0.3 % of the area is all that differs
        assert found.residual_ratio == pytest.approx(left, abs=0.01)
        areas = sum(p.resistance_ohm for p in found.peaks)
        assert areas == pytest.approx(d.polarisation_ohm, rel=0.1)


def test_six_arcs_are_six_peaks():
    for kind in ("gaussian", "zarc"):
        found = fit_peaks(distribution(S1.spectrum(1e-3, 1)), kind=kind, peaks_count=6)
        logs = np.log10([p.tau_second for p in found.peaks])
        np.testing.assert_allclose(logs, np.log10(S1.tau_second), atol=0.3)


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_as_many_peaks_as_asked_for(count):
    found = fit_peaks(made_of("gaussian", GAUSSIANS), peaks_count=count)
    assert len(found.peaks) == count
    residual = fit_peaks(made_of("gaussian", GAUSSIANS), peaks_count=4).residual_ratio
    assert found.residual_ratio >= residual - 1e-6 or count > 4


def test_a_range_confines_the_peaks():
    found = fit_peaks(
        made_of("gaussian", GAUSSIANS), shortest_second=1e-5, longest_second=1.0
    )
    assert found.tau_second[0] == pytest.approx(1e-5)
    assert found.tau_second[-1] == pytest.approx(1.0)
    main = [p for p in found.peaks if p.resistance_ohm > 1.0]
    np.testing.assert_allclose([p.resistance_ohm for p in main], [10, 3, 20], rtol=0.02)


def test_areas_are_assigned_by_their_centres():
    found = fit_peaks(made_of("gaussian", GAUSSIANS))
    sums = resistances_by_peaks(found)
    assert sums["R_int"] == pytest.approx(13.0, rel=1e-3)
    assert sums["R_ct"] == pytest.approx(20.0, rel=1e-3)
    assert found.resistance_in(CHARGE_TRANSFER) == sums["R_ct"]
    assert found.resistance_in(TauRange("x", "x", 10.0, 20.0)) == 0.0


def test_peak_sums_of_the_paper_differ_from_windows_as_they_must():
    """Table 3.1: six-peak Gaussian sums within some per cent of the arcs' totals."""
    found = []
    for seed in range(8):
        d = distribution(S1.spectrum(1e-3, seed), DrtSettings(1e-3))
        sums = resistances_by_peaks(fit_peaks(d))
        found.append([sums["R_int"] / 19.3 - 1.0, sums["R_ct"] / 46.8 - 1.0])
    # printed for lambda 1e-3: +1.6 / +0.8 %, sd 1.2 %
    assert np.abs(np.median(found, axis=0)).max() < 0.05


@pytest.mark.parametrize("phi", [0.7, 0.85, 0.95])
def test_one_gaussian_misses_a_part_of_an_arc(phi):
    """Its heavy tails: 5 to 30 % of the area (spec, sec. 3.2)."""
    arc = made_of("zarc", [(20.0, 1e-3, phi)])
    one = fit_peaks(arc, peaks_count=1).peaks[0]
    assert -0.3 < one.resistance_ohm / 20.0 - 1.0 < -0.05
    assert one.tau_second == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_a_zarc_is_nearer_to_a_measured_arc_than_a_gaussian(seed):
    arc = Surrogate((20.0,), (1e-3,), (0.85,), TAILS["none"])
    d = distribution(arc.spectrum(1e-3, seed), tail="none")
    like = fit_peaks(d, kind="zarc", peaks_count=1).peaks[0]
    bell = fit_peaks(d, peaks_count=1).peaks[0]
    # gamma ripples about the truth (lambda 1e-4), so neither is exact
    assert abs(like.resistance_ohm - 20.0) < 0.6 * abs(bell.resistance_ohm - 20.0)
    assert like.exponent_ratio == pytest.approx(0.85, abs=0.05)
    assert like.tau_second == pytest.approx(1e-3, rel=0.05)


def test_quantities_of_a_peak():
    peak = fit_peaks(made_of("gaussian", GAUSSIANS)).peaks[1]
    assert peak.frequency_hertz == pytest.approx(1 / (2 * np.pi * 1e-4), rel=1e-4)
    assert peak.capacitance_farad == pytest.approx(1e-5, rel=1e-3)


def test_the_unit_does_not_matter():
    parts = [(1e-6 * r, t, w) for r, t, w in GAUSSIANS]
    small = fit_peaks(made_of("gaussian", parts))
    for peak, (r, _, _) in zip(small.peaks, parts, strict=True):
        assert peak.resistance_ohm == pytest.approx(r, rel=1e-4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "gauss"}, "did you mean 'gaussian'"),
        ({"peaks_count": 0}, "peaks_count = 0"),
        ({"peaks_count": 21}, "peaks_count = 21"),
        ({"shortest_second": 1.0, "longest_second": 0.1}, "peaks between"),
        ({"shortest_second": 1e3}, "peaks between"),
    ],
)
def test_what_means_nothing_is_refused(arguments, said):
    with pytest.raises(SpecError, match=said):
        fit_peaks(BLANK, **arguments)


def test_an_empty_distribution_has_no_peak():
    empty = replace(BLANK, weights_ohm=np.zeros_like(BLANK.weights_ohm))
    found = fit_peaks(empty)
    assert found.peaks == ()
    assert found.resistance_in(INTERPHASE) == 0.0
    assert (found.sum_ohm(found.tau_second) == 0.0).all()


def test_a_peak_at_a_limit_of_the_fit_says_so():
    """A width of five decades is more than is allowed; a usual one is none."""
    for decades, bounded in ((5.0, True), (0.6, False)):
        wide = np.exp(-(((np.log(BLANK.tau_second) + 7.0) / decades) ** 2))
        made = replace(BLANK, weights_ohm=wide)
        peaks = fit_peaks(made, peaks_count=1).peaks
        assert [p.bounded for p in peaks] == [bounded]
