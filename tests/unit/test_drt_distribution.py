"""The distribution: optimum of its problem by a second route, and its invariances."""

from dataclasses import replace

import numpy as np
import pytest

from drt_surrogates import (
    CLEANED,
    FREQUENCY,
    S1,
    S2,
    TAILS,
    WINDOWS,
    Surrogate,
    noisy,
    reference,
    reference_matrices,
    reference_penalty,
)
from equipoise.analysis.eis.drt.distribution import distribution, distributions
from equipoise.analysis.eis.drt.problem import _violation, problem_of
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import NO_TAIL, WARBURG, Tail
from equipoise.core.errors import DataError, SpecError
from equipoise.spec.spectrum import Spectrum

RNG = np.random.default_rng(20261122)
UNEVEN = np.sort(10.0 ** RNG.uniform(-1.0, 6.0, 60))[::-1]
SPECTRA = {
    "S1": S1.spectrum(1e-3, 1),
    "S2": S2.spectrum(5e-3, 2),
    "uneven": S1.spectrum(1e-3, 3, frequency=UNEVEN),
    "repeated": S1.spectrum(1e-2, 4, frequency=np.repeat(FREQUENCY[::2], 2)),
    "ten": S1.spectrum(1e-3, 5, frequency=np.logspace(6, -1, 10)),
    "one decade": S1.spectrum(1e-3, 6, frequency=np.logspace(3, 2, 15)),
    "low": Surrogate((5.0,), (1e5,), (0.9,), TAILS["none"]).spectrum(
        1e-3, 7, frequency=np.logspace(-4, -7, 31)
    ),
    "high": replace(CLEANED, tau_second=(1e-14,) * 6, resistance_ohm=(2.0,) * 6)
    .spectrum(1e-3, 8, frequency=np.logspace(14, 9, 51)),
}  # fmt: skip


def windows(d):
    return np.array([d.window_ohm(*w) for w in WINDOWS])


def same(a, b, scale=1.0, rtol=1e-9):
    """Two distributions agree, their ohms apart by a factor."""
    size = b.polarisation_ohm + b.series_resistance_ohm
    np.testing.assert_allclose(
        a.window_ohm(0, np.inf) / scale, b.polarisation_ohm, rtol
    )
    np.testing.assert_allclose(windows(a) / scale, windows(b), rtol, atol=rtol * size)
    np.testing.assert_allclose(
        a.gamma_ohm / scale, b.gamma_ohm, rtol, atol=rtol * b.gamma_ohm.max()
    )
    assert a.series_resistance_ohm / scale == pytest.approx(
        b.series_resistance_ohm, rel=rtol, abs=rtol * size
    )


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize(
    "settings",
    [
        DrtSettings(),
        DrtSettings(collocation="drttools", inductance="none"),
        DrtSettings(derivative=2, regularisation_ratio=1e-3),
        DrtSettings(weighting="modulus"),
        DrtSettings(width_ratio=0.4),
        DrtSettings(shape_factor_ratio=0.5),
    ],
    ids=["default", "drttools", "second", "modulus", "wide", "literal"],
)
def test_it_is_the_optimum_that_lawson_and_hanson_find(name, settings):
    spectrum = SPECTRA[name]
    d = distribution(spectrum, settings)
    assert d.kkt_residual_ratio <= 1e-8
    assert (d.columns >= 0.0).all()
    size = np.abs(spectrum.impedance_ohm)
    weight = 1.0 / size / np.sqrt(np.mean(size**-2.0))
    other = reference(
        spectrum,
        tau=d.tau_second,
        epsilon=d.shape_factor_ratio,
        strength=settings.regularisation_ratio,
        tails=[lambda jw: jw**-0.5],
        inductive=settings.inductance == "fit",
        derivative=settings.derivative,
        weight=weight if settings.weighting == "modulus" else None,
    )
    # both stop at rounding of the data: 1e-13 of their sum of squares
    data = (np.abs(spectrum.impedance_ohm) ** 2).sum()
    assert d.objective == pytest.approx(other.objective, rel=1e-7, abs=1e-12 * data)
    if d.shape_factor_ratio > 2.0:  # narrower bells: the optimum is one point
        close = 1e-5 * (d.polarisation_ohm + d.series_resistance_ohm)
        theirs = [other.window(*w) for w in WINDOWS]
        np.testing.assert_allclose(windows(d), theirs, atol=close)
        assert d.series_resistance_ohm == pytest.approx(other.others[0], abs=close)


@pytest.mark.parametrize("name", ["S1", "S2", "uneven", "repeated", "low"])
def test_conditions_of_an_optimum_hold_with_matrices_of_another_make(name):
    spectrum = SPECTRA[name]
    d = distribution(spectrum)
    f = spectrum.frequency_hertz
    real, imaginary = reference_matrices(f, d.tau_second, d.shape_factor_ratio)
    jw = 2j * np.pi * f
    design = np.hstack(
        [real + 1j * imaginary, np.stack([jw**0, 1e-6 * jw, jw**-0.5], axis=1)]
    )
    smooth = np.zeros((design.shape[1],) * 2)
    count = d.tau_second.size
    smooth[:count, :count] = reference_penalty(d.tau_second, d.shape_factor_ratio)
    left = design @ d.columns - spectrum.impedance_ohm
    gradient = (design.conj().T @ left).real + 1e-4 * smooth @ d.columns
    size = np.sqrt((np.abs(design) ** 2).sum(axis=0) + 1e-4 * np.diag(smooth))
    gradient = gradient / size
    scale = np.abs((design.conj().T @ spectrum.impedance_ohm).real / size).max()
    assert (gradient >= -1e-8 * scale).all()
    assert np.abs(gradient[d.columns > 0.0]).max() <= 1e-8 * scale


def test_the_reported_violation_is_the_largest():
    # free: any gradient; at zero: only a negative one; over the largest right side
    x = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    gradient = np.array([[0.1, -0.3, 9.0], [-0.5, 0.2, -0.1]])
    sides = np.array([[2.0, -4.0, 1.0], [1.0, 0.5, 0.0]])
    np.testing.assert_allclose(_violation(x, gradient, sides), [0.3 / 4, 0.5 / 1])


def test_objective_and_residual_are_those_of_the_answer():
    for settings in (DrtSettings(), DrtSettings(weighting="modulus")):
        d = distribution(SPECTRA["S1"], settings)
        z, f = d.spectrum.impedance_ohm, d.spectrum.frequency_hertz
        jw = 2j * np.pi * f
        by_hand = (
            d.series_resistance_ohm
            + jw * d.inductance_henry
            + d.tail_coefficients[0] * jw**-0.5
            + d.relaxation_impedance_ohm(f)
        )
        np.testing.assert_allclose(d.impedance_ohm(f), by_hand, rtol=1e-13)
        left = by_hand - z
        np.testing.assert_allclose(d.residual_ohm, left, atol=1e-11)
        relative = np.sqrt(np.mean(np.abs(left / z) ** 2))
        assert d.residual_percent == pytest.approx(100 * relative, rel=1e-9)
        penalty = problem_of(f, settings, WARBURG).basis.penalty
        smooth = 1e-4 * d.weights_ohm @ penalty @ d.weights_ohm
        weight = np.ones_like(f)
        if settings.weighting == "modulus":
            weight = 1 / np.abs(z) / np.sqrt(np.mean(np.abs(z) ** -2.0))
        total = (np.abs(left * weight) ** 2).sum() + smooth
        assert d.objective == pytest.approx(total, rel=1e-9)


def test_the_impedance_of_the_distribution_is_the_integral_over_gamma():
    d = distribution(SPECTRA["S1"])
    log = np.linspace(np.log(1e-9), np.log(1e2), 20_001)
    gamma = d.gamma_at(np.exp(log))
    for f in (1e5, 10.0, 0.3):
        whole = np.trapezoid(gamma / (1 + 2j * np.pi * f * np.exp(log)), log)
        assert abs(d.relaxation_impedance_ohm(f)[0] - whole) < 1e-9 * abs(whole)
    for ends in (*WINDOWS, (3e-4, 7e-2)):
        y = np.linspace(*np.log(ends), 20_001)
        area = np.trapezoid(d.gamma_at(np.exp(y)), y)
        assert d.window_ohm(*ends) == pytest.approx(area, rel=1e-7)
    total = d.window_ohm(0.0, 1e-3) + d.window_ohm(1e-3, np.inf)
    assert total == pytest.approx(d.polarisation_ohm, rel=1e-13)
    np.testing.assert_allclose(
        d.relaxations.impedance_ohm,
        d.relaxation_impedance_ohm(FREQUENCY) - d.residual_ohm,
        atol=1e-11,
    )


@pytest.mark.parametrize("scale", [1e-3, 1e6, 1e-12])
@pytest.mark.parametrize("weighting", ["unit", "modulus"])
def test_the_unit_of_the_impedance_does_not_matter(scale, weighting):
    settings = DrtSettings(weighting=weighting)
    s = SPECTRA["S1"]
    scaled = Spectrum.of(s.frequency_hertz, scale * s.impedance_ohm)
    a, b = distribution(scaled, settings), distribution(s, settings)
    same(a, b, scale)
    assert a.inductance_henry == pytest.approx(scale * b.inductance_henry, rel=1e-6)


def test_a_resistance_in_series_is_found_in_series():
    s = SPECTRA["S1"]
    plain = distribution(s)
    shifted = distribution(s.minus(np.full(71, -100.0 + 0j)))
    np.testing.assert_allclose(shifted.gamma_ohm, plain.gamma_ohm, atol=1e-8)
    more = shifted.series_resistance_ohm - plain.series_resistance_ohm
    assert more == pytest.approx(100.0, abs=1e-8)


def test_an_inductance_in_series_is_found_in_series():
    s = SPECTRA["S1"]
    plain = distribution(s)
    shifted = distribution(s.minus(-2j * np.pi * FREQUENCY * 3e-6))
    np.testing.assert_allclose(shifted.gamma_ohm, plain.gamma_ohm, atol=1e-7)
    more = shifted.inductance_henry - plain.inductance_henry
    assert more == pytest.approx(3e-6, rel=1e-8)
    # the true one, 0.2 uH, is 1.26 of 13 ohm at 1 MHz, known to 0.1 %
    assert plain.inductance_henry == pytest.approx(2e-7, rel=0.03)


def test_a_tail_coefficient_in_series_is_found_in_series():
    s = SPECTRA["S1"]
    jw = 2j * np.pi * FREQUENCY
    for tail in (WARBURG, Tail("finite-space", time_second=5.0)):
        column = tail.columns(2 * np.pi * FREQUENCY)[:, 0]
        plain = distribution(s, tail=tail)
        shifted = distribution(s.minus(-30.0 * column), tail=tail)
        more = shifted.tail_coefficients[0] - plain.tail_coefficients[0]
        assert more == pytest.approx(30.0, rel=1e-7)
        np.testing.assert_allclose(shifted.gamma_ohm, plain.gamma_ohm, atol=1e-6)
    both = distribution(s, tail="warburg+capacitor")
    added = distribution(s.minus(-1.0 / (jw * 0.5)), tail="warburg+capacitor")
    more = added.tail_coefficients - both.tail_coefficients
    assert more[1] == pytest.approx(2.0, rel=0.1)  # 1 / F; shared if it was held at 0


def test_order_of_the_points_does_not_matter():
    s = SPECTRA["repeated"]
    order = RNG.permutation(s.points_count)
    shuffled = Spectrum.of(s.frequency_hertz[order], s.impedance_ohm[order])
    same(distribution(shuffled), distribution(s), rtol=1e-8)


def test_a_repeated_measurement_weighs_as_two():
    # all points twice is half the regularisation
    s = SPECTRA["S1"]
    twice = Spectrum.of(np.tile(FREQUENCY, 2), np.tile(s.impedance_ohm, 2))
    half = DrtSettings(regularisation_ratio=0.5e-4)
    same(distribution(twice), distribution(s, half), rtol=1e-7)
    assert distribution(twice).points_per_decade_count == pytest.approx(10.0)


def test_the_same_lambda_on_twice_the_points_is_half_of_it():
    """M is per ln tau, the data per point: 20 per decade want twice the lambda."""
    fine = np.logspace(6, -1, 141)
    strong, basis = 0.3, {"width_ratio": 0.5, "shape_factor_ratio": 3.6}
    settings = DrtSettings(regularisation_ratio=strong, **basis)
    coarse = distribution(CLEANED.spectrum(), settings, tail="none")
    doubled = replace(settings, regularisation_ratio=2 * strong)
    # the finer grid has more centres too; a smooth gamma does not mind
    dense = distribution(CLEANED.spectrum(frequency=fine), doubled, tail="none")
    unequal = distribution(CLEANED.spectrum(frequency=fine), settings, tail="none")
    tau = np.logspace(-6, 0, 200)
    apart = np.linalg.norm(dense.gamma_at(tau) - coarse.gamma_at(tau))
    wrong = np.linalg.norm(unequal.gamma_at(tau) - coarse.gamma_at(tau))
    assert apart < 0.35 * wrong
    assert dense.points_per_decade_count == pytest.approx(20.0)


def test_a_batch_is_each_of_its_members():
    many = [S1.spectrum(1e-3, k) for k in range(6)]
    many += [S2.spectrum(5e-3, k) for k in range(6)]
    many.insert(3, SPECTRA["uneven"])  # other frequencies in between
    many.insert(7, SPECTRA["ten"])
    for settings in (DrtSettings(), DrtSettings(weighting="modulus")):
        together = distributions(many, settings)
        for spectrum, d in zip(many, together, strict=True):
            assert d.spectrum is spectrum
            same(d, distribution(spectrum, settings), rtol=1e-7)
    assert distributions([]) == []


def test_inductive_points_are_discarded_on_demand():
    loop = replace(S1, inductance_henry=3e-6).spectrum(1e-3)
    inductive = int((loop.impedance_ohm.imag > 0).sum())
    assert inductive > 3
    d = distribution(loop, DrtSettings(inductance="discard"))
    assert d.discarded_count == inductive
    assert d.spectrum.points_count == 71 - inductive
    assert (d.spectrum.impedance_ohm.imag <= 0).all()
    assert d.inductance_henry == 0.0
    # the same as giving the rest, with no inductance
    alone = distribution(
        loop.only(loop.impedance_ohm.imag <= 0), DrtSettings(inductance="none")
    )
    same(d, alone)
    assert distribution(loop).discarded_count == 0


def test_more_regularisation_is_smoother_and_fits_worse():
    s = SPECTRA["S1"]
    left, rough = [], []
    penalty = problem_of(FREQUENCY, DrtSettings(), NO_TAIL).basis.penalty
    for strength in np.logspace(-6, 1, 8):
        d = distribution(s, DrtSettings(regularisation_ratio=strength))
        left.append((np.abs(d.residual_ohm) ** 2).sum())
        rough.append(d.weights_ohm @ penalty @ d.weights_ohm)
    # exact consequences of minimising left + strength * rough
    assert (np.diff(left) > -1e-9 * np.array(left[1:])).all()
    assert (np.diff(rough) < 1e-9 * np.array(rough[:-1])).all()


def test_one_arc_is_recovered():
    zarc = Surrogate((20.0,), (1e-3,), (0.85,), TAILS["none"])
    d = distribution(zarc.spectrum(1e-3, 1), tail="none")
    # 0.1 % of |Z| <= 32 ohm on 71 x 2 data: resistances to some 0.1 %
    assert d.series_resistance_ohm == pytest.approx(12.0, rel=0.005)
    assert d.polarisation_ohm == pytest.approx(20.0, rel=0.005)
    half = d.window_ohm(0.0, 1e-3)
    assert half == pytest.approx(10.0, rel=0.02)  # symmetric about its centre


def test_a_literal_shape_factor_hides_peaks():
    """Spec, item 1: eps = 0.5 is singular, and shows 3 or 4 of the six peaks."""
    s = CLEANED.spectrum()
    tau = np.logspace(-7, 0, 400)

    def maxima(settings):
        gamma = distribution(s, settings, tail="none").gamma_at(tau)
        return int(((gamma[1:-1] > gamma[:-2]) & (gamma[1:-1] > gamma[2:])).sum())

    assert maxima(DrtSettings(shape_factor_ratio=0.5)) <= 4
    assert maxima(DrtSettings()) >= 6


@pytest.mark.parametrize("factor", [0.1, 0.5, 2.0])
def test_near_singular_problems_take_the_other_road(factor):
    settings = DrtSettings(shape_factor_ratio=factor)
    assert problem_of(FREQUENCY, settings, WARBURG).inverse is None
    d = distribution(SPECTRA["S1"], settings)
    assert d.kkt_residual_ratio <= 1e-8
    if factor == 2.0:  # bells of 0.36 decades follow the data to their noise
        assert d.residual_percent < 0.15  # sqrt(2) 0.1 %, less what the fit follows


def test_a_spectrum_that_pivoting_gives_up_on_is_still_solved():
    # a negative resistance: nothing fits, all columns compete for nothing
    bad = Spectrum.of(FREQUENCY, noisy(S1.impedance() - 90.0, 1e-3, 0))
    d = distribution(bad)
    assert d.kkt_residual_ratio <= 1e-8
    assert d.series_resistance_ohm == 0.0


@pytest.mark.parametrize("count", [1, 9])
def test_too_few_frequencies_are_refused(count):
    f = np.repeat(np.logspace(3, 0, count), 3)
    with pytest.raises(DataError, match=f"{count} frequencies") as caught:
        distribution(Spectrum.of(f, np.ones(f.size), where="short.csv"))
    assert caught.value.where == "short.csv"


def test_a_turned_sign_is_named_when_all_points_would_go():
    turned = Spectrum.of(FREQUENCY, np.conj(CLEANED.impedance()))
    with pytest.raises(DataError, match="Im Z > 0") as caught:
        distribution(turned, DrtSettings(inductance="discard"))
    assert "sign" in caught.value.remedy
    # without discarding, the misfit shows it
    assert distribution(turned).residual_percent > 10.0


def test_a_discard_that_leaves_too_few_is_refused():
    z = np.conj(CLEANED.impedance())
    z[:5] = CLEANED.impedance()[:5]
    with pytest.raises(DataError, match="5 frequencies"):
        distribution(Spectrum.of(FREQUENCY, z), DrtSettings(inductance="discard"))


def test_a_zero_impedance_has_no_relative_residual():
    z = S1.impedance()
    z[3] = 0.0
    with pytest.raises(DataError, match="Z = 0"):
        distribution(Spectrum.of(FREQUENCY, z), DrtSettings(weighting="modulus"))


def test_a_name_of_a_tail_is_enough_where_it_has_no_parameter():
    s = SPECTRA["S1"]
    same(distribution(s, tail="warburg"), distribution(s, tail=WARBURG))
    assert distribution(s, tail="none").tail_coefficients.size == 0
    with pytest.raises(SpecError, match="did you mean 'warburg'"):
        distribution(s, tail="warberg")


def test_it_prints_its_spectrum_tail_and_polarisation():
    d = distribution(S1.spectrum(name="S1"))
    assert repr(d).startswith("<Distribution of S1, Warburg tail: ")
    assert d.full_width_decades_count == pytest.approx(0.2, rel=1e-9)


def test_frequencies_within_a_thousandth_are_one():
    """A sweep measured twice, with another last digit, is no finer grid."""
    f = np.logspace(6, -1, 71)
    twice = np.concatenate([f, f * (1 + 1e-6)])
    one = distribution(Spectrum.of(f, S1.impedance(f)))
    both = distribution(Spectrum.of(twice, S1.impedance(twice)))
    assert both.shape_factor_ratio == pytest.approx(one.shape_factor_ratio, rel=1e-6)
    few = np.concatenate([f[:8], f[:8] * (1 + 1e-6)])
    with pytest.raises(DataError, match=r"differ by more than 0\.1 %"):
        distribution(Spectrum.of(few, S1.impedance(few)))


def test_a_very_dense_grid_is_refused_before_it_fills_the_memory():
    f = np.geomspace(1.0, 1.015, 12)
    with pytest.raises(DataError, match="basis functions"):
        distribution(Spectrum.of(f, S1.impedance(f)))
