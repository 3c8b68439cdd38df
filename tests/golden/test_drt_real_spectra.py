"""Measured spectra, end to end; they lie beside the project and are skipped without.

hybrid-drt (BSD-3): a solid-state cell NCM-LPSCl | LPSCl | InLi near 0 % state of
charge, 7 MHz to 10 mHz, and an LPSCl pellet between steel at -25 C. pyDRTtools (MIT):
tutorial spectra of one and two ZARC elements with noise of constant size, in ohm.
"""

import numpy as np
import pytest

from equipoise.analysis.eis.drt.distribution import distribution
from equipoise.analysis.eis.drt.peaks import fit_peaks
from equipoise.analysis.eis.drt.resistances import resistances
from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.analysis.eis.drt.tails import NO_TAIL, WARBURG, Tail
from equipoise.analysis.eis.kramers_kronig import kramers_kronig
from equipoise.spec.spectrum import Spectrum
from real_data import data_file

NAMED = (NO_TAIL, WARBURG, Tail("cpe", exponent_ratio=0.7), Tail("capacitor"))


def table(name, columns, head=1):
    points = np.loadtxt(data_file(f"eis/{name}"), delimiter=",", skiprows=head)
    f, re, im = points[:, columns].T
    return Spectrum.of(f, re + 1j * im, name=name)


@pytest.fixture(scope="module")
def cell():
    return table("hybrid_drt/converted_PEIS_SSB.csv", [0, 1, 2])


@pytest.fixture(scope="module")
def pellet():
    return table("hybrid_drt/converted_PEIS_LPSCl_IonBlocking_-25C.csv", [0, 1, 2])


def test_the_cell_is_consistent_with_kramers_and_kronig(cell):
    k = kramers_kronig(cell)
    assert k.consistent
    assert k.usable_hertz == pytest.approx((0.01, 7e6), rel=1e-3)
    assert k.residual_percent < 0.3


def test_the_cell_between_1_mhz_and_100_mhz_by_tail_and_weighting(cell):
    """Spec, sec. 3.4: R_ct 765 to 1034 ohm over tails and weighting, R_int steady."""
    cut = cell.between(0.1, 1e6)
    found = np.array(
        [
            [distribution(cut, DrtSettings(weighting=w), tail=t).window_ohm(*ends)
             for ends in ((1e-5, 1e-2), (1e-2, 1.0))]
            for t in NAMED
            for w in ("unit", "modulus")
        ]
    )  # fmt: skip
    assert found[:, 1].min() == pytest.approx(765.0, rel=0.01)
    assert found[:, 1].max() == pytest.approx(1034.0, rel=0.02)
    spread = np.ptp(found, axis=0) / np.median(found, axis=0)
    assert spread[0] < 0.12
    assert spread[1] > 0.16


def test_the_band_of_the_cell_holds_what_named_tails_say(cell):
    cut = cell.between(0.1, 1e6)
    r = resistances(cut)
    q = r["R_ct"]
    for tail in NAMED:
        value = distribution(cut, tail=tail).window_ohm(1e-2, 1.0)
        assert q.all_low_ohm - 1e-6 <= value <= q.all_high_ohm + 1e-6
    # the model, not the noise, decides
    assert q.high_ohm - q.low_ohm > 10.0 * q.standard_error_ohm
    assert r.best.residual_percent < 0.3
    assert r.notes == ()


def test_a_decade_more_does_not_contradict_the_band(cell):
    """Down to 10 mHz the tail is seen; the answer lies in the band of the cut one."""
    short = resistances(cell.between(0.1, 1e6))
    whole = resistances(cell)
    for a, b in zip(short.ranges, whole.ranges, strict=True):
        assert max(a.low_ohm, b.low_ohm) < min(a.high_ohm, b.high_ohm)
        assert b.low_ohm <= a.value_ohm <= b.high_ohm
        assert b.high_ohm - b.low_ohm < a.high_ohm - a.low_ohm
    assert whole.best.residual_percent < 0.5
    assert whole.best.kkt_residual_ratio <= 1e-8
    # R_inf of a pellet stack, and most of the real axis at 10 mHz is polarisation
    assert 0.0 <= whole.best.series_resistance_ohm < cell.impedance_ohm[0].real
    real = cell.impedance_ohm[-1].real
    tail = whole.best.tail_impedance_ohm(cell.frequency_hertz[-1:])[0].real
    total = whole.best.series_resistance_ohm + whole.best.polarisation_ohm + tail
    assert total == pytest.approx(real, rel=0.3)


def test_peaks_of_the_cell_are_its_polarisation(cell):
    r = resistances(cell)
    areas = sum(p.resistance_ohm for p in r.peaks.peaks)
    assert areas == pytest.approx(r.best.polarisation_ohm, rel=0.15)
    assert 3 <= len(r.peaks.peaks) <= 12


def test_a_blocking_pellet_is_a_capacitor_not_an_arc(pellet):
    assert kramers_kronig(pellet).consistent
    r = resistances(pellet)
    # steel blocks: -Im Z rises to 8 Mohm, a CPE of exponent near 1
    assert r.best.tail.family in ("cpe", "capacitor", "warburg+capacitor")
    tail = r.best.tail_impedance_ohm(pellet.frequency_hertz)
    assert abs(tail[-1]) > 0.8 * abs(pellet.impedance_ohm[-1])
    for q in r.ranges:
        # next to megohms, no resistance in these ranges is known: the band says so
        assert (q.high_ohm - q.low_ohm) > q.value_ohm


# raw: Re Z at the lowest less at the highest frequency, ohm; two arcs: their sum
TUTORIAL = {"1ZARC": 50.0, "2ZARC0": 60.0, "2ZARC3": 100.0}


@pytest.mark.parametrize("name", TUTORIAL)
def test_tutorial_spectra_give_their_resistance(name):
    s = table(f"pydrttools/{name}.csv", [1, 2, 3])
    assert (s.points_count, s.frequency_hertz[0]) == (81, 1e6)
    d = distribution(s, tail="none")
    assert d.kkt_residual_ratio <= 1e-8
    raw = s.impedance_ohm.real[-3:].mean() - s.impedance_ohm.real[:3].mean()
    total = d.series_resistance_ohm + d.polarisation_ohm
    assert raw == pytest.approx(TUTORIAL[name], abs=1.5)
    assert total == pytest.approx(10.0 + TUTORIAL[name], abs=1.0)


def test_the_single_arc_of_the_tutorial():
    s = table("pydrttools/1ZARC.csv", [1, 2, 3])
    d = distribution(s, tail="none")
    assert d.series_resistance_ohm == pytest.approx(10.0, abs=0.3)
    # at 1 MHz Im Z is w L
    raw = s.impedance_ohm.imag[0] / (2e6 * np.pi)
    assert d.inductance_henry == pytest.approx(raw, rel=0.03)
    peak = fit_peaks(d, kind="zarc", peaks_count=1).peaks[0]
    assert peak.resistance_ohm == pytest.approx(50.0, rel=0.03)
    # -Im Z of an arc is largest at its own frequency, noisy and flat there
    top = s.frequency_hertz[np.argmin(s.impedance_ohm.imag)]
    assert abs(np.log10(peak.frequency_hertz / top)) < 0.2


def test_two_arcs_of_the_tutorial_are_two_peaks():
    d = distribution(table("pydrttools/2ZARC3.csv", [1, 2, 3]), tail="none")
    fast, slow = fit_peaks(d, kind="zarc", peaks_count=2).peaks
    for peak in (fast, slow):
        assert peak.resistance_ohm == pytest.approx(50.0, rel=0.1)
    assert slow.tau_second / fast.tau_second == pytest.approx(1e3, rel=0.3)


@pytest.mark.parametrize(
    "name", ["pydrttools/data_1.csv", "impedance_py/exampleData.csv"]
)
def test_lithium_ion_spectra_run_through(name):
    s = table(name, [0, 1, 2], head=0)
    assert kramers_kronig(s).consistent
    r = resistances(s)
    assert r.best.residual_percent < 1.0
    span = np.ptp(s.impedance_ohm.real)
    for q in r.ranges:
        assert 0.0 < q.low_ohm <= q.value_ohm <= q.high_ohm < span
