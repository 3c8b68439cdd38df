"""Resistances of surrogate cells against exact integrals of their gamma.

The tables are those of the method's specification: medians of five seeds at 0.1 %
noise, made by a prototype with other noise and another solver. Medians of five
scatter by 0.3 (S1) and 0.6 (S2) per cent; printed digits add half a unit.
"""

from functools import cache

import numpy as np
import pytest

from drt_surrogates import (
    FREQUENCY,
    S1,
    S2,
    SURROGATES,
    TAILS,
    WINDOWS,
    noisy,
    random_surrogate,
    reference,
)
from equipoise.analysis.eis.drt.distribution import distribution, distributions
from equipoise.analysis.eis.drt.noise import noise_of
from equipoise.analysis.eis.drt.resistances import resistances_of_series
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import EXPONENTS, Tail
from equipoise.spec.spectrum import Spectrum

SEEDS = range(6)


@cache
def truth(name):
    return SURROGATES[name].windows


def spectra(name, tail, noise, seeds=SEEDS):
    cell = SURROGATES[name].with_tail(tail)
    return [cell.spectrum(noise, seed) for seed in seeds]


def errors(fits, name):
    """Signed errors of R_int and R_ct in %, shape (seeds, 2)."""
    found = np.array([[d.window_ohm(*w) for w in WINDOWS] for d in fits])
    return 100.0 * (found / truth(name) - 1.0)


def test_true_windows_are_those_the_paper_integrates_to():
    # Spec, sec. 2: 21.3 and 43.9 ohm for S1, +10.6 % and -6.3 % of the peak sums
    np.testing.assert_allclose(truth("S1"), [21.3, 43.9], atol=0.05)
    apart = 100.0 * (truth("S1") / [19.3, 46.8] - 1.0)
    np.testing.assert_allclose(apart, [10.6, -6.3], atol=0.06)


@pytest.mark.parametrize("name", ["S1", "S2"])
def test_charge_transfer_is_within_three_percent_with_the_true_tail(name):
    found = errors(distributions(spectra(name, "warburg", 1e-3, range(20))), name)
    assert np.abs(found[:, 1]).max() < 3.0


@pytest.mark.parametrize(
    ("name", "strength", "printed"),
    [
        ("S1", 1e-4, (-2.3, 0.8)),
        ("S1", 1e-3, (-2.3, 1.6)),
        ("S2", 1e-4, (-1.5, 1.0)),
        ("S2", 1e-3, (-1.8, 1.9)),
    ],
)
def test_row_of_table_3_1_with_inductance_and_warburg_columns(name, strength, printed):
    settings = DrtSettings(regularisation_ratio=strength)
    fits = distributions(spectra(name, "warburg", 1e-3, range(20)), settings)
    median = np.median(errors(fits, name), axis=0)
    np.testing.assert_allclose(median, printed, atol=0.8)


def test_at_more_noise_the_scatter_is_that_of_table_3_1():
    fits = distributions(spectra("S1", "warburg", 5e-3, range(40)))
    found = errors(fits, "S1")
    np.testing.assert_allclose(np.median(found, axis=0), [-0.8, 0.6], atol=1.2)
    # the sd of five is 0.35 to 1.67 of the true one (chi^2 of 4, 95 %)
    for sd, printed in zip(found.std(axis=0), (1.9, 0.9), strict=True):
        assert printed / 1.67 < sd < printed / 0.35


TABLE_3_3 = {
    # true tail: error of R_ct (%), S1 and S2, with no column, W, W + C, profiled CPE
    "warburg": ((5.5, 23.0), (0.7, 0.9), (0.7, 0.9), (0.7, 0.9)),
    "cpe 0.42": ((9.0, 32.0), (6.7, 20.0), (6.7, 20.0), (-1.0, 1.7)),
    "cpe 0.60": ((0.6, 10.0), (-8.6, -24.0), (-4.3, -12.0), (0.8, 0.8)),
    "finite space": ((5.0, 24.0), (-2.5, -2.8), (23.0, 69.0), (22.0, 63.0)),
    "finite length": ((6.0, 23.0), (4.8, 14.0), (4.8, 14.0), (-2.6, 1.3)),
    "none": ((0.7, 0.9), (0.7, 0.9), (0.7, 0.9), (0.6, 0.9)),
}


@pytest.mark.parametrize("true", TABLE_3_3)
@pytest.mark.parametrize("column", [0, 1], ids=["S1", "S2"])
def test_rows_of_table_3_3(true, column):
    """A wrong tail misleads by what the table says, and the right one does not."""
    name = ("S1", "S2")[column]
    measured = spectra(name, true, 1e-3, range(20))
    families = [["none"], ["warburg"], ["warburg+capacitor"]]
    families.append([Tail("cpe", exponent_ratio=a) for a in EXPONENTS])
    for k, family in enumerate(families):
        fits = [distributions(measured, tail=t) for t in family]
        best = [min(own, key=lambda d: d.objective) for own in zip(*fits, strict=True)]
        median = float(np.median(errors(best, name)[:, 1]))
        printed = TABLE_3_3[true][k][column]
        # the profile scatters by 2 (S1) and 5 % (S2) from seed to seed
        close = (1.0, 1.6)[column] + 0.03 * abs(printed) + (1.5 if k == 3 else 0.0)
        assert median == pytest.approx(printed, abs=close), (k, median)


@pytest.fixture(scope="module")
def judged():
    """Resistances of all surrogates, tails, noises and seeds of table 3.3."""
    found = {}
    for name in SURROGATES:
        for tail in TAILS:
            for noise in (1e-3, 5e-3):
                batch = spectra(name, tail, noise)
                found[name, tail, noise] = resistances_of_series(batch)
    return found


def covers(r, true):
    return np.array(
        [q.low_ohm <= t <= q.high_ohm for q, t in zip(r.ranges, true, strict=True)]
    )


@pytest.mark.parametrize("noise", [1e-3, 5e-3])
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", SURROGATES)
def test_the_band_holds_the_truth_whatever_the_tail(judged, name, tail, noise):
    for seed, r in enumerate(judged[name, tail, noise]):
        assert covers(r, truth(name)).all(), (seed, r, truth(name))


def test_the_band_is_not_wide_for_nothing(judged):
    """Where the data settle the tail it is narrow: no tail, little noise."""
    for name, most in (("S1", 0.12), ("S2", 0.2)):
        for r in judged[name, "none", 1e-3]:
            q = r["R_ct"]
            assert (q.high_ohm - q.low_ohm) / q.value_ohm < most


def test_the_band_leaves_out_what_the_data_refute(judged):
    # no column at all: +5.5 and +23 % (table 3.3), and far off the data
    for name, more in (("S1", 0.04), ("S2", 0.15)):
        for r in judged[name, "warburg", 1e-3]:
            q = r["R_ct"]
            bare = next(m for m in r.members if m.tail.family == "none")
            assert not bare.supported
            assert bare.resistances_ohm[1] > (1.0 + more) * truth(name)[1]
            assert q.all_high_ohm >= bare.resistances_ohm[1]
            assert q.tail_high_ohm - q.tail_low_ohm < q.all_high_ohm - q.all_low_ohm


def test_the_value_is_within_three_percent_where_the_tail_is_warburgs(judged):
    for name in SURROGATES:
        for r in judged[name, "warburg", 1e-3]:
            assert abs(r["R_ct"].value_ohm / truth(name)[1] - 1.0) < 0.03
            assert abs(r["R_int"].value_ohm / truth(name)[0] - 1.0) < 0.05


def test_refuted_tails_are_wrong_and_supported_ones_include_the_right_one(judged):
    for name in SURROGATES:
        for r in judged[name, "cpe 0.60", 1e-3]:
            kept = {m.tail.label for m in r.members if m.supported}
            assert "CPE tail, exponent 0.6" in kept
            assert "no tail" not in kept
        for r in judged[name, "finite space", 1e-3]:
            times = [
                m.tail.time_second
                for m in r.members
                if m.supported and m.tail.family == "finite-space"
            ]
            assert times
            assert min(times) < 5.5
            assert max(times) > 4.5


@pytest.mark.parametrize("noise", [1e-3, 5e-3])
def test_the_band_covers_random_cells(noise):
    """Cells the settings were not made on; 95 % of the noise, and all models."""
    hits = np.zeros(2)
    for seed in range(60):
        cell = random_surrogate(seed)
        r = resistances_of_series([cell.spectrum(noise, seed)])[0]
        hits += covers(r, cell.windows)
    assert (hits >= 0.9 * 60).all(), hits


@pytest.mark.parametrize("noise", [1e-3, 5e-3, 2e-2])
@pytest.mark.parametrize("weighting", ["unit", "modulus"])
def test_the_noise_is_found(noise, weighting):
    """Within sampling error, 1 / sqrt(2 x 115 degrees of freedom) = 6.6 % each.

    What lambda keeps the fit from following, without any noise, adds in quadrature.
    """
    settings = DrtSettings(weighting=weighting)
    clean = noise_of(distribution(S1.spectrum(), settings)).ratio
    assert clean < 5e-4
    fits = distributions(spectra("S1", "warburg", noise, range(16)), settings)
    ratios = np.array([noise_of(d).ratio for d in fits]) / np.hypot(noise, clean)
    assert abs(ratios.mean() - 1.0) < 3.0 * 0.066 / np.sqrt(16)
    assert ratios.std() < 2.0 * 0.066


@pytest.mark.parametrize("name", ["S1", "S2"])
def test_the_standard_error_is_the_scatter_of_repeated_measurements(name):
    fits = distributions(spectra(name, "warburg", 1e-3, range(300)))
    scatter = np.array([[d.window_ohm(*w) for w in WINDOWS] for d in fits]).std(axis=0)
    claimed = []
    for d in fits[:10]:
        noise, own = noise_of(d), []
        for w in WINDOWS:
            weights = np.zeros(d.columns.size)
            weights[: d.tau_second.size] = d.window_weights(*w)
            own.append(noise.error_of(weights))
        claimed.append(own)
    # 300 repeats know the scatter to 4 %; freeing a weight at 0 is not linear
    np.testing.assert_allclose(np.mean(claimed, axis=0), scatter, rtol=0.25)


def test_windows_of_noisy_uneven_data_are_those_of_the_second_solver():
    f = np.sort(10.0 ** np.random.default_rng(9).uniform(-1, 6, 50))[::-1]
    s = Spectrum.of(f, noisy(S2.impedance(f), 5e-3, 1))
    tail = Tail("finite-length", time_second=5.0)
    d = distribution(s, tail=tail)
    other = reference(
        s,
        tau=d.tau_second,
        epsilon=d.shape_factor_ratio,
        tails=[lambda jw: np.tanh(np.sqrt(5 * jw)) / np.sqrt(5 * jw)],
    )
    for w in WINDOWS:
        assert d.window_ohm(*w) == pytest.approx(other.window(*w), rel=1e-5)
    tau = np.logspace(-6, 0, 50)
    np.testing.assert_allclose(
        d.gamma_at(tau), other.gamma(tau), atol=1e-4 * other.gamma(tau).max()
    )


def test_a_finer_measurement_is_not_worse():
    fine = np.logspace(6, -1, 141)
    strength = DrtSettings(regularisation_ratio=2e-4)
    for cell, true in ((S1, truth("S1")), (S2, truth("S2"))):
        d = distribution(cell.spectrum(1e-3, 1, frequency=fine), strength)
        found = np.array([d.window_ohm(*w) for w in WINDOWS])
        assert np.abs(found / true - 1.0).max() < 0.05
        assert FREQUENCY.size < d.spectrum.points_count
