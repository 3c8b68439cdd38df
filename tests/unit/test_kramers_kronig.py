"""The linear Kramers-Kronig test: what passes, what does not, and where."""

import numpy as np
import pytest

from drt_surrogates import CLEANED, FREQUENCY, S1, S2, TAILS, noisy
from equipoise.analysis.eis.kramers_kronig import kramers_kronig
from equipoise.core.errors import DataError, SpecError
from equipoise.kernels.kramers_kronig import columns, deleted, fit, time_constants
from equipoise.spec.spectrum import Spectrum

JW = 2j * np.pi * FREQUENCY
RAMP = np.linspace(0.0, 1.0, 71) ** 4


def judged(z, frequency=FREQUENCY, **limits):
    return kramers_kronig(Spectrum.of(frequency, z, name="made"), **limits)


CONSISTENT = {
    **{f"S1 {t}": S1.with_tail(t).impedance() for t in TAILS},
    **{f"S2 {t}": S2.with_tail(t).impedance() for t in TAILS},
    "a resistor": 10.0 + 0.0 * JW,
    "a capacitor in series": S1.impedance() + 1.0 / (JW * 1e-3),
    "a pure capacitor": 10.0 + 1.0 / (JW * 1e-9),
    "a cable": S1.impedance() + JW * 5e-6,
    # an adsorbed intermediate: inductive at low frequency, R_k < 0, yet linear
    "an inductive loop": S1.with_tail("none").impedance() - 8.0 / (1.0 + JW * 0.8),
}


@pytest.mark.parametrize("noise", [0.0, 1e-3, 5e-3])
@pytest.mark.parametrize("name", CONSISTENT)
def test_linear_stable_systems_are_consistent(name, noise):
    k = judged(noisy(CONSISTENT[name], noise, 11))
    assert k.consistent
    assert k.verdict.startswith("consistent with a linear, stable system")
    assert k.usable_hertz == (FREQUENCY[-1], FREQUENCY[0])
    assert not k.outliers.any()
    # |residual| of two parts, less what the unknowns follow
    assert k.residual_percent <= 100.0 * np.sqrt(2.0) * noise * 1.15 + 0.02


@pytest.mark.parametrize("noise", [1e-3, 5e-3])
def test_the_noise_is_estimated(noise):
    found = [judged(noisy(S1.impedance(), noise, s)).noise_ratio for s in range(20)]
    # a median of some 110 free parts is known to 11 %, 20 of them to 3 %
    assert np.mean(found) == pytest.approx(noise, rel=0.1)


def test_a_turned_sign_is_inconsistent_everywhere():
    k = judged(np.conj(noisy(CLEANED.impedance(), 1e-3, 0)))
    assert {r.verdict for r in k.ranges} == {"inconsistent"}
    assert k.usable_hertz is None
    assert not k.consistent


@pytest.mark.parametrize("seed", range(5))
def test_noise_at_low_frequency_is_noisy_there_only(seed):
    z = noisy(S1.impedance(), 1e-3, seed)
    z[-10:] = noisy(S1.impedance(), 0.03, seed + 50)[-10:]
    k = judged(z)
    assert [r.verdict for r in k.ranges] == ["consistent"] * 6 + ["noisy"]
    # a fit of some of the noise leaves less, not more, than sqrt(2) 3 %
    assert 1.5 < k.ranges[-1].residual_percent < 6.0
    assert k.usable_hertz == pytest.approx((10**0.1, 1e6))
    assert "noisy at 0.1 to 1 Hz" in k.verdict
    assert "usable 1.26 to 1e+06 Hz" in k.verdict


@pytest.mark.parametrize("seed", range(5))
def test_drift_is_inconsistent_where_it_acts(seed):
    k = judged(noisy(S1.impedance(), 1e-3, seed) * (1.0 + 0.2 * RAMP))
    assert not k.consistent
    assert [r.verdict for r in k.ranges[-3:]] == ["inconsistent"] * 3
    assert k.ranges[0].verdict == "consistent"
    assert min(r.correlation_ratio for r in k.ranges[-3:]) > 0.5


@pytest.mark.parametrize(
    ("at", "size"), [(12, 0.05), (30, 0.05), (12, 0.03), (30, 0.03), (55, 0.03)]
)
def test_a_single_outlier_is_named_and_the_rest_is_judged(at, size):
    z = noisy(S1.impedance(), 1e-3, 3)
    z[at] *= 1.0 + size
    k = judged(z)
    assert np.flatnonzero(k.outliers).tolist() == [at]
    assert k.consistent
    assert f"single points stand apart at {FREQUENCY[at]:.3g} Hz" in k.verdict
    assert k.spectrum.points_count == 71  # nothing is left out


def test_the_limit_decides():
    z = noisy(S1.impedance(), 5e-3, 1)
    assert judged(z).consistent
    strict = judged(z, limit_percent=0.1)
    assert {r.verdict for r in strict.ranges} == {"noisy"}
    assert strict.limit_percent == 0.1
    assert judged(noisy(S1.impedance(), 0.02, 1), limit_percent=5.0).consistent


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_a_limit_must_be_positive(limit):
    with pytest.raises(SpecError, match="limit_percent"):
        judged(S1.impedance(), limit_percent=limit)


def test_what_cannot_be_tested_is_refused():
    f = np.logspace(3, 0, 7)
    with pytest.raises(DataError, match="7 frequencies") as caught:
        judged(S1.impedance(f), f)
    assert caught.value.where == "made"
    z = S1.impedance()
    z[5] = 0.0
    with pytest.raises(DataError, match="Z = 0"):
        judged(z)


def test_eight_frequencies_are_enough():
    f = np.logspace(3, 2, 8)
    k = judged(noisy(S1.impedance(f), 1e-3, 0), f)
    assert k.consistent
    assert sum(r.points_count for r in k.ranges) == 8


def test_decades_hold_all_points_once_from_the_top():
    k = judged(noisy(S1.impedance(), 1e-3, 0))
    assert [r.points_count for r in k.ranges] == [10, 10, 10, 10, 10, 10, 11]
    assert k.ranges[0].highest_hertz == 1e6
    assert k.ranges[-1].lowest_hertz == 0.1
    for a, b in zip(k.ranges, k.ranges[1:], strict=False):
        assert a.lowest_hertz > b.highest_hertz


def test_residual_fit_and_data_belong_together():
    k = judged(noisy(S1.impedance(), 1e-3, 0))
    z = k.spectrum.impedance_ohm
    np.testing.assert_allclose(
        (k.fitted_ohm - z) / np.abs(z), k.residual_ratio, atol=1e-12
    )
    rms = np.sqrt(np.mean(np.abs(k.residual_ratio) ** 2))
    assert k.residual_percent == pytest.approx(100 * rms)
    assert -10.0 < k.mu_ratio <= 1.0


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_does_not_matter(scale):
    z = noisy(S1.impedance(), 1e-3, 0)
    a, b = judged(z), judged(scale * z)
    assert a.elements_count == b.elements_count
    np.testing.assert_allclose(a.residual_ratio, b.residual_ratio, atol=1e-10)


def test_the_fit_is_that_of_lstsq():
    omega, z = 2 * np.pi * FREQUENCY, noisy(S1.impedance(), 5e-3, 2)
    tau = time_constants(omega, 16, 0.5)
    residual, x, free = fit(omega, z, tau, np.ones(71, bool))
    assert tau[0] == pytest.approx(10**-0.5 / omega.max())
    assert tau[-1] == pytest.approx(10**0.5 / omega.min())
    A = columns(omega, tau) / np.abs(z)[:, None]
    A = np.vstack([A.real, A.imag])
    b = np.concatenate([(z / np.abs(z)).real, (z / np.abs(z)).imag])
    expected = A @ np.linalg.lstsq(A, b, rcond=None)[0] - b
    np.testing.assert_allclose(residual.real, expected[:71], atol=1e-9)
    np.testing.assert_allclose(residual.imag, expected[71:], atol=1e-9)
    np.testing.assert_allclose(A @ x - b, expected, atol=1e-9)
    # what the fit follows: rank 16 + R, L, C
    assert np.trace(np.eye(2) - free, axis1=1, axis2=2).sum() == pytest.approx(19.0)


def test_a_deleted_point_is_predicted_as_by_a_fit_without_it():
    omega, z = 2 * np.pi * FREQUENCY, noisy(S1.impedance(), 5e-3, 2)
    tau, used = time_constants(omega, 16, 0.5), np.ones(71, bool)
    residual, _, free = fit(omega, z, tau, used)
    away, gain = deleted(residual, free)
    for at in (0, 7, 40, 70):
        left = used.copy()
        left[at] = False
        without, _, _ = fit(omega, z, tau, left)
        assert without[at] == pytest.approx(away[at], rel=1e-6)
        saved = (np.abs(residual) ** 2).sum() - (np.abs(without[left]) ** 2).sum()
        assert saved == pytest.approx(gain[at], rel=1e-6)


@pytest.mark.parametrize("size", [0.03, 0.05j, 0.1, -0.3j])
def test_a_point_that_is_off_is_found_wherever_it_is(size):
    clean = noisy(S1.impedance(), 1e-3, 3)
    # the last point hangs on one neighbour: a deviation along the tail may be a tail
    for at in (0, 1, 5, 20, 33, 50, 66, 69, *([70] if abs(size) > 0.03 else [])):
        z = clean.copy()
        z[at] *= 1 + size
        k = judged(z)
        assert np.flatnonzero(k.outliers).tolist() == [at]
        assert k.consistent


def test_few_points_per_decade_are_no_noise():
    f = np.geomspace(1e6, 0.1, 12)
    z = noisy(S1.impedance(f), 1e-3, 0)
    assert "noisy" not in {r.verdict for r in judged(z, f).ranges}


def test_elements_of_the_fit_are_what_they_say():
    omega = np.array([1e5, 10.0, 0.1])
    A = columns(omega, np.array([1e-3, 1.0]))
    np.testing.assert_allclose(A[:, 0], 1.0 / (1.0 + 1j * omega * 1e-3))
    np.testing.assert_allclose(A[:, 2], 1.0)
    np.testing.assert_allclose((A[:, 3] / omega).imag, A[0, 3].imag / 1e5)
    np.testing.assert_allclose(A[:, 3] * A[:, 4], 1.0)  # j w / m times m / (j w)
    assert (A[:, 4].imag < 0).all()


def test_a_synthetic_spectrum_of_rc_elements_leaves_nothing():
    tau = time_constants(2 * np.pi * FREQUENCY, 12, 0.5)
    r = np.linspace(1.0, 5.0, 12)
    z = 3.0 + columns(2 * np.pi * FREQUENCY, tau)[:, :12] @ r
    residual, x, _ = fit(2 * np.pi * FREQUENCY, z, tau, np.ones(71, bool))
    assert np.abs(residual).max() < 1e-12
    np.testing.assert_allclose(x[:12], r, rtol=1e-7)
    assert x[12] == pytest.approx(3.0, rel=1e-7)
