"""Credible bands: reproducible, ordered, and those of the posterior."""

from itertools import pairwise

import numpy as np
import pytest

from drt_surrogates import CLEANED, FREQUENCY, S1, S2, WINDOWS
from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.intervals import credible_band
from equipoise.analysis.eis.drt.problem import problem_of
from equipoise.analysis.eis.drt.ranges import TauRange
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.core.errors import FitError, SpecError
from equipoise.spec.spectrum import Spectrum


@pytest.fixture(scope="module")
def fit():
    return distribution(S1.spectrum(1e-3, 1))


@pytest.fixture(scope="module")
def band(fit):
    return credible_band(fit, samples_count=2000)


def test_the_same_seed_is_the_same_band(fit):
    a, b = (credible_band(fit, samples_count=200, seed=3) for _ in range(2))
    np.testing.assert_array_equal(a.low_ohm, b.low_ohm)
    np.testing.assert_array_equal(a.mean_ohm, b.mean_ohm)
    other = credible_band(fit, samples_count=200, seed=4)
    assert (other.mean_ohm != a.mean_ohm).any()


def test_a_band_is_ordered_and_never_negative(band):
    assert (band.low_ohm >= 0.0).all()
    assert (band.low_ohm <= band.mean_ohm).all()
    assert (band.mean_ohm <= band.high_ohm).all()
    for r in band.ranges:
        assert 0.0 <= r.low_ohm < r.mean_ohm < r.high_ohm
    assert band.samples_count == 2000
    assert band.tau_second.shape == band.low_ohm.shape


def test_a_higher_level_is_a_wider_band(fit):
    levels = (0.5, 0.9, 0.99)
    bands = [credible_band(fit, samples_count=500, level_fraction=v) for v in levels]
    for a, b in pairwise(bands):
        assert (b.high_ohm >= a.high_ohm).all()
        assert (b.low_ohm <= a.low_ohm).all()
        for narrow, wide in zip(a.ranges, b.ranges, strict=True):
            assert wide.low_ohm < narrow.low_ohm
            assert narrow.high_ohm < wide.high_ohm


def test_the_spread_is_that_of_the_residuals(fit, band):
    r = fit.residual_ohm
    own = np.std(np.concatenate([r.real, r.imag]))
    assert band.residual_spread_ohm == pytest.approx(own, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_band_of_a_range_is_near_the_optimum_and_widens_with_the_noise(seed):
    small, large = (
        credible_band(distribution(S2.spectrum(n, seed)), samples_count=400)
        for n in (1e-3, 4e-3)
    )
    for a, b, window in zip(small.ranges, large.ranges, WINDOWS, strict=True):
        best = distribution(S2.spectrum(1e-3, seed)).window_ohm(*window)
        # the mode of a truncated posterior may lie at an end of its interval
        own = a.high_ohm - a.low_ohm
        assert a.low_ohm - 0.25 * own < best < a.high_ohm + 0.25 * own
        wider = (b.high_ohm - b.low_ohm) / own
        # proportional without walls, less with them; 400 samples know 99 % ends to
        # 20 %
        assert 1.2 < wider < 4.0 * 1.3


def test_without_active_walls_the_posterior_is_the_normal_one():
    """A large lambda lifts all weights in the middle off zero: moments are linear."""
    settings = DrtSettings(regularisation_ratio=1.0, inductance="none")
    d = distribution(S1.spectrum(1e-4, 1), settings)
    window = TauRange("middle", "R", 1e-4, 1e-1)
    band = credible_band(d, samples_count=8000, ranges=[window], level_fraction=0.9)
    problem = problem_of(FREQUENCY, settings, d.tail)
    weights = np.zeros(d.columns.size)
    ends = window.shortest_second, window.longest_second
    weights[: d.tau_second.size] = d.window_weights(*ends)
    covariance = np.linalg.inv(problem.hessian) * band.residual_spread_ohm**2
    scaled = weights * problem.scale
    sigma = float(np.sqrt(scaled @ covariance @ scaled))
    r = band.ranges[0]
    assert r.mean_ohm == pytest.approx(d.window_ohm(*ends), abs=0.5 * sigma)
    # 5 to 95 % of a normal distribution: +- 1.645 sigma; 8000 samples know it to 2 %
    assert (r.high_ohm - r.low_ohm) / (2 * 1.645 * sigma) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_the_unit_does_not_matter(fit, scale):
    s = fit.spectrum
    other = distribution(Spectrum.of(s.frequency_hertz, scale * s.impedance_ohm))
    a, b = (credible_band(d, samples_count=500) for d in (fit, other))
    assert b.residual_spread_ohm == pytest.approx(scale * a.residual_spread_ohm)
    for one, two in zip(a.ranges, b.ranges, strict=True):
        width = one.high_ohm - one.low_ohm
        # rounding parts the trajectories; the distribution they sample is one
        assert two.mean_ohm / scale == pytest.approx(one.mean_ohm, abs=0.1 * width)
        assert (two.high_ohm - two.low_ohm) / scale == pytest.approx(width, rel=0.3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"samples_count": 99}, "samples_count = 99"),
        ({"samples_count": 100_001}, "samples_count = 100001"),
        ({"level_fraction": 0.0}, "level_fraction = 0"),
        ({"level_fraction": 1.0}, "level_fraction = 1"),
        ({"level_fraction": float("nan")}, "level_fraction = nan"),
    ],
)
def test_what_means_nothing_is_refused(fit, arguments, said):
    with pytest.raises(SpecError, match=said):
        credible_band(fit, **arguments)


def test_bells_too_wide_for_a_posterior_are_refused():
    d = distribution(CLEANED.spectrum(1e-3), DrtSettings(shape_factor_ratio=0.5))
    with pytest.raises(FitError, match=r"shape factor of 0\.5"):
        credible_band(d)


@pytest.mark.parametrize(
    "settings",
    [
        DrtSettings(weighting="modulus"),
        DrtSettings(inductance="none", collocation="drttools"),
        DrtSettings(width_ratio=1.0, regularisation_ratio=1e-3),
        DrtSettings(derivative=2),
    ],
    ids=["modulus", "drttools", "narrow", "second"],
)
def test_every_setting_has_a_band_around_its_optimum(settings):
    d = distribution(S1.spectrum(1e-3, 2), settings)
    band = credible_band(d, samples_count=300)
    for r, window in zip(band.ranges, WINDOWS, strict=True):
        wide = r.high_ohm - r.low_ohm
        assert r.low_ohm - wide < d.window_ohm(*window) < r.high_ohm + wide
    assert np.isfinite(band.high_ohm).all()
