"""Resistances and their band; the noise behind it. Accuracy: tests/numerics."""

from dataclasses import replace

import numpy as np
import pytest

from drt_surrogates import FREQUENCY, S1, S2, TAILS, Surrogate
from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.noise import noise_of
from equipoise.analysis.eis.drt.peaks import fit_peaks
from equipoise.analysis.eis.drt.ranges import (
    CHARGE_TRANSFER,
    GRAIN_BOUNDARY,
    INTERPHASE,
    PAPER_RANGES,
    SLOW,
    TauRange,
)
from equipoise.analysis.eis.drt.resistances import resistances, resistances_of_series
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import NO_TAIL, WARBURG, Tail
from equipoise.core.errors import DataError, SpecError
from equipoise.spec.spectrum import Spectrum


@pytest.fixture(scope="module")
def found():
    return resistances(S1.spectrum(1e-3, 1, name="S1"))


def test_the_parts_of_a_band_lie_within_it(found):
    for r in found.ranges:
        assert r.low_ohm <= r.model_low_ohm <= r.value_ohm
        assert r.value_ohm <= r.model_high_ohm <= r.high_ohm
        for part in ("tail", "lambda", "edge"):
            low, high = getattr(r, f"{part}_low_ohm"), getattr(r, f"{part}_high_ohm")
            assert r.model_low_ohm <= low <= r.value_ohm <= high <= r.model_high_ohm
        assert r.all_low_ohm <= r.tail_low_ohm
        assert r.tail_high_ohm <= r.all_high_ohm


def test_the_band_adds_independent_causes_as_squares_around_every_tail(found):
    half = 10**0.1  # FWHM of 0.2 decade at ten points per decade
    for r in found.ranges:
        a, b = r.tau_range.shortest_second, r.tau_range.longest_second
        up_lambda = r.lambda_high_ohm - r.value_ohm
        noise = 1.96 * r.standard_error_ohm
        tops = {0.0: [], noise: []}
        for m in found.members:
            if not m.supported:
                continue
            d = distribution(found.spectrum, tail=m.tail)
            value = d.window_ohm(a, b)
            first = d.window_ohm(a / half, b) - value  # gamma >= 0: wider is more
            second = d.window_ohm(a, b * half) - value
            for extra, top in tops.items():
                squares = first**2 + second**2 + up_lambda**2 + extra**2
                top.append(value + np.sqrt(squares))
        assert r.model_high_ohm == pytest.approx(max(tops[0.0]), rel=1e-9)
        assert r.high_ohm == pytest.approx(max(tops[noise]), rel=1e-9)


def test_values_are_those_of_the_best_distribution(found):
    best = distribution(found.spectrum, tail=found.best.tail)
    for r in found.ranges:
        ends = r.tau_range.shortest_second, r.tau_range.longest_second
        assert r.value_ohm == pytest.approx(best.window_ohm(*ends), rel=1e-9)
        peaks = fit_peaks(best)
        assert r.peak_sum_ohm == pytest.approx(peaks.resistance_in(r.tau_range))
        for factor in (0.1, 10.0):
            other = distribution(
                found.spectrum,
                DrtSettings(regularisation_ratio=factor * 1e-4),
                tail=found.best.tail,
            ).window_ohm(*ends)
            assert r.lambda_low_ohm - 1e-9 <= other <= r.lambda_high_ohm + 1e-9
    assert found["R_ct"] is found["charge_transfer"]
    assert found["R_int"].tau_range == INTERPHASE
    with pytest.raises(KeyError):
        found["R_sei"]


def test_members_are_ranked_by_their_objective(found):
    misfit = np.array([m.misfit_ratio for m in found.members])
    assert misfit.min() == 1.0
    kept = np.array([m.supported for m in found.members])
    assert kept.any()
    assert not kept.all()
    assert misfit[kept].max() < misfit[~kept].min()
    best = [m for m in found.members if m.tail == found.best.tail]
    assert [m.supported for m in best] == [True]
    for k, r in enumerate(found.ranges):
        values = [m.resistances_ohm[k] for m in found.members if m.supported]
        assert (min(values), max(values)) == (r.tail_low_ohm, r.tail_high_ohm)


def test_edges_are_moved_by_half_the_resolution(found):
    half = 10**0.1  # FWHM of 0.2 decade at ten points per decade
    r = found["R_ct"]
    window = found.best.window_ohm
    up = np.hypot(
        window(1e-2 / half, 1) - r.value_ohm, window(1e-2, half) - r.value_ohm
    )
    down = np.hypot(
        window(1e-2 * half, 1) - r.value_ohm, window(1e-2, 1 / half) - r.value_ohm
    )
    assert r.edge_high_ohm == pytest.approx(r.value_ohm + up, rel=1e-9)
    assert r.edge_low_ohm == pytest.approx(r.value_ohm - down, rel=1e-9)


@pytest.mark.parametrize("lowest_hertz", [1.0, 3.0])
@pytest.mark.parametrize("surrogate", [S1, S2], ids=["S1", "S2"])
def test_a_range_beyond_the_data_has_no_upper_end(surrogate, lowest_hertz):
    """Cut at 1 Hz the tail stands for arcs as well; the truth stays in the band."""
    for seed in range(4):
        cut = surrogate.spectrum(1e-3, seed).between(lowest_hertz, 1e6)
        found = resistances(cut)
        assert found["R_ct"].high_ohm == np.inf
        assert found["R_ct"].low_ohm <= surrogate.window(1e-2, 1)
        inner = found["R_int"]
        assert inner.low_ohm <= surrogate.window(1e-5, 1e-2) <= inner.high_ohm
        assert any("Measure down to 0.16 Hz" in n for n in found.notes)
        assert any("no tail is refuted" in n for n in found.notes)


def test_a_range_that_was_not_measured_is_not_a_number():
    found = resistances(S1.spectrum(1e-3, 0).between(1e3, 1e6))
    r = found["R_ct"]
    assert np.isnan([r.value_ohm, r.low_ohm, r.high_ohm, r.standard_error_ohm]).all()
    assert np.isfinite(found["R_int"].low_ohm)


def test_a_series_resistance_that_was_not_seen_is_said():
    z = S1.impedance() + 60.0 / (1 + 2j * np.pi * S1.spectrum().frequency_hertz * 6e-8)
    found = resistances(Spectrum.of(S1.spectrum().frequency_hertz, z - 12.0))
    assert any("R_inf is not resolved" in n for n in found.notes)


def test_an_empty_list_of_ranges_or_tails_is_refused(found):
    for wrong in ({"ranges": []}, {"tails": []}):
        with pytest.raises(SpecError, match="at least one range"):
            resistances(found.spectrum, **wrong)


def test_a_warburg_tail_is_taken_where_the_data_do_not_decide():
    """0.5 % of noise: other tails fit as well, and lie to both sides of the truth."""
    values = [resistances(S2.spectrum(5e-3, s)) for s in range(10)]
    assert {r.best.tail for r in values} == {WARBURG}
    errors = [r["R_ct"].value_ohm / S2.window(1e-2, 1) - 1 for r in values]
    assert np.abs(errors).max() < 0.06  # two standard errors of this noise: 9 %


def test_a_series_is_each_of_its_members():
    spectra = [S1.spectrum(1e-3, 1), S2.spectrum(1e-3, 2)]
    spectra.insert(1, S1.spectrum(1e-3, 3, frequency=np.logspace(5, 0, 40)))
    tails = (NO_TAIL, WARBURG, Tail("cpe", exponent_ratio=0.6))
    together = resistances_of_series(spectra, tails=tails)
    for spectrum, r in zip(spectra, together, strict=True):
        alone = resistances(spectrum, tails=tails)
        assert r.spectrum is spectrum
        assert r.best.tail == alone.best.tail
        for a, b in zip(r.ranges, alone.ranges, strict=True):
            assert a.value_ohm == pytest.approx(b.value_ohm, rel=1e-7)
            assert a.low_ohm == pytest.approx(b.low_ohm, rel=1e-6)
            assert a.high_ohm == pytest.approx(b.high_ohm, rel=1e-6)
    assert resistances_of_series([]) == []


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_the_unit_does_not_matter(found, scale):
    s = found.spectrum
    other = resistances(Spectrum.of(s.frequency_hertz, scale * s.impedance_ohm))
    assert other.best.tail == found.best.tail
    assert other.noise_ratio == pytest.approx(found.noise_ratio, rel=1e-6)
    for a, b in zip(other.ranges, found.ranges, strict=True):
        for part in ("value_ohm", "low_ohm", "high_ohm", "standard_error_ohm"):
            scaled = scale * getattr(b, part)
            assert getattr(a, part) == pytest.approx(scaled, rel=1e-6)


def test_ranges_that_share_all_time_constants_sum_to_the_polarisation():
    ranges = (GRAIN_BOUNDARY, *PAPER_RANGES, SLOW)
    r = resistances(S1.spectrum(1e-3), ranges=ranges)
    total = sum(q.value_ohm for q in r.ranges)
    assert total == pytest.approx(r.best.polarisation_ohm, rel=1e-12)
    assert [q.tau_range for q in r.ranges] == list(ranges)


def test_one_tail_has_no_band_of_tails():
    r = resistances(S1.spectrum(1e-3), tails=[WARBURG])["R_ct"]
    assert r.tail_low_ohm == r.value_ohm == r.tail_high_ohm
    assert r.low_ohm < r.lambda_low_ohm <= r.lambda_high_ohm < r.high_ohm


def test_more_noise_is_a_wider_band():
    widths = []
    for noise in (1e-3, 5e-3, 2e-2):
        r = resistances(S1.with_tail("none").spectrum(noise, 1))
        widths.append([q.high_ohm - q.low_ohm for q in r.ranges])
        errors = [q.standard_error_ohm for q in r.ranges]
        assert (np.array(errors) > 0.0).all()
    assert (np.diff(widths, axis=0) > 0.0).all()


def test_the_standard_error_is_proportional_to_the_noise():
    weights = None
    errors = []
    for noise in (1e-3, 2e-3):
        # the same draw, twice as large: nearly the same active set
        d = distribution(S1.spectrum(noise, 5))
        weights = np.zeros(d.columns.size)
        weights[: d.tau_second.size] = d.window_weights(1e-2, 1.0)
        errors.append(noise_of(d).error_of(weights))
    assert errors[1] / errors[0] == pytest.approx(2.0, rel=0.15)


def test_the_effective_number_of_parameters_lies_between_none_and_all():
    d = distribution(S1.spectrum(1e-3))
    noise = noise_of(d)
    assert 0.0 < noise.parameters_ratio < noise.free.size / 142
    stiff = noise_of(distribution(S1.spectrum(1e-3), DrtSettings(1.0)))
    assert stiff.parameters_ratio < noise.parameters_ratio
    # trace of the hat matrix by its definition: response of the fit to each datum
    step, shift = 1e-6, 0.0
    z = d.spectrum.impedance_ohm
    for k in range(71):
        for unit in (1.0, 1j):
            moved = z.copy()
            moved[k] += step * unit
            change = distribution(Spectrum.of(FREQUENCY, moved)).residual_ohm[k]
            change = change - d.residual_ohm[k]
            part = change.real if unit == 1.0 else change.imag
            shift += 1.0 + part / step
    assert noise.parameters_ratio * 142 == pytest.approx(shift, rel=1e-3)


def test_ranges_beyond_the_data_are_said():
    cut = S1.spectrum(1e-3).between(3.0, 1e6)
    notes = resistances(cut).notes
    assert any("R_ct reaches to 1 s, the data only to 0.05 s" in n for n in notes)
    short = S1.spectrum(1e-3).between(100.0, 1e6)
    notes = resistances(short).notes
    assert any("R_ct" in n and "wholly outside" in n for n in notes)
    assert resistances(S1.spectrum(1e-3)).notes == ()


def test_a_poor_fit_and_lost_points_are_said():
    poor = resistances(S1.spectrum(0.05, 1))
    assert any("the fit is off by" in n for n in poor.notes)
    loop = replace(S1, inductance_henry=3e-6).spectrum(1e-3)
    lost = resistances(loop, DrtSettings(inductance="discard"))
    count = int((loop.impedance_ohm.imag > 0).sum())
    assert any(f"{count} inductive points" in n for n in lost.notes)


@pytest.mark.parametrize(
    "settings",
    [
        DrtSettings(weighting="modulus"),
        DrtSettings(inductance="discard"),
        DrtSettings(derivative=2),
        DrtSettings(shape_factor_ratio=0.5),
        DrtSettings(collocation="drttools", inductance="none"),
    ],
    ids=["modulus", "discard", "second", "literal", "drttools"],
)
def test_every_setting_gives_a_band_around_its_value(settings):
    r = resistances(S1.spectrum(1e-3), settings, tails=(NO_TAIL, WARBURG))
    for q in r.ranges:
        assert np.isfinite([q.low_ohm, q.value_ohm, q.high_ohm]).all()
        assert 0.0 <= q.low_ohm <= q.value_ohm <= q.high_ohm


def test_bands_of_a_single_arc_hold_it():
    arc = Surrogate((20.0,), (1e-3,), (0.85,), TAILS["none"])
    r = resistances(arc.spectrum(1e-3))
    for q, true in zip(r.ranges, arc.windows, strict=True):
        assert q.low_ohm <= true <= q.high_ohm
    assert r["R_int"].value_ohm == pytest.approx(arc.windows[0], rel=0.01)


@pytest.mark.parametrize(
    ("cell", "farad"), [(S1, 0.005), (S1, 0.5), (S2, 0.005), (S2, 0.05)]
)
def test_a_capacitor_in_series_is_a_tail(cell, farad):
    blocked = cell.with_tail(lambda jw: 1.0 / (jw * farad))
    r = resistances(blocked.spectrum(1e-3, 1))
    assert r.best.tail.family in ("capacitor", "warburg+capacitor", "finite-space")
    for q, true in zip(r.ranges, cell.windows, strict=True):
        assert q.low_ohm <= true <= q.high_ohm


def test_own_ranges_are_named_in_the_answer():
    own = TauRange("all", "R_all", 0.0, np.inf)
    r = resistances(S1.spectrum(1e-3, name="S1"), ranges=[own])
    assert r["all"].value_ohm == pytest.approx(r.best.polarisation_ohm)
    assert repr(r).startswith("<Resistances of S1: R_all ")


def test_too_few_frequencies_are_refused():
    f = np.logspace(4, 0, 9)
    with pytest.raises(DataError, match="9 frequencies"):
        resistances(Spectrum.of(f, S1.impedance(f)))


def test_charge_transfer_of_the_two_cells_is_told_apart():
    # S1 44 ohm, S2 15 ohm: bands of cells three times apart do not touch
    a, b = (resistances(c.spectrum(5e-3, 4))["R_ct"] for c in (S1, S2))
    assert a.low_ohm > b.high_ohm
    assert a.tau_range == CHARGE_TRANSFER
