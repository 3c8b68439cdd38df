"""The shared type of spectra: checked, sorted, read-only."""

import numpy as np
import pytest

from drt_surrogates import FREQUENCY, S1
from equipoise.core.errors import DataError
from equipoise.spec.spectrum import Spectrum

THREE = ([1.0, 100.0, 10.0], [3 - 1j, 1 - 3j, 2 - 2j])


def test_points_are_sorted_from_the_highest_frequency_down_with_their_impedance():
    s = Spectrum.of(*THREE)
    np.testing.assert_array_equal(s.frequency_hertz, [100.0, 10.0, 1.0])
    np.testing.assert_array_equal(s.impedance_ohm, [1 - 3j, 2 - 2j, 3 - 1j])
    assert any("no order" in n for n in s.notes)


def test_a_rising_sweep_is_turned_without_remark():
    s = Spectrum.of(FREQUENCY[::-1], S1.impedance()[::-1])
    np.testing.assert_array_equal(s.frequency_hertz, FREQUENCY)
    np.testing.assert_array_equal(s.impedance_ohm, S1.impedance())
    assert s.notes == ()


@pytest.mark.parametrize(
    ("frequency", "said"),
    [
        ([10.0, 10.0, 1.0], "1 of the points is"),
        ([10, 10, 1, 1], "2 of the points are"),
    ],
)
def test_repeated_frequencies_are_kept_in_their_order_and_said(frequency, said):
    z = np.arange(len(frequency)) + 1.0
    s = Spectrum.of(frequency, z)
    np.testing.assert_array_equal(s.impedance_ohm, z)
    assert [said in n for n in s.notes] == [True]


def test_what_was_given_is_copied_and_what_is_held_is_read_only():
    f, z = np.array([2.0, 1.0]), np.array([1 + 0j, 2 + 0j])
    s = Spectrum.of(f, z)
    f[0], z[0] = 99.0, 99.0
    assert s.frequency_hertz[0] == 2.0
    assert s.impedance_ohm[0] == 1.0
    for part in (s, s.only(np.array([True, False])), s.minus(np.ones(2))):
        with pytest.raises(ValueError, match="read-only"):
            part.impedance_ohm[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        s.frequency_hertz[0] = 1.0


@pytest.mark.parametrize(
    ("f", "z", "said"),
    [
        ([1.0, 2.0], [1.0], r"shape \(2,\), impedances of shape \(1,\)"),
        ([], [], "no point"),
        ([1.0, 0.0], [1.0, 1.0], "point 2 has the frequency 0 Hz"),
        ([-5.0, 1.0], [1.0, 1.0], "point 1 has the frequency -5 Hz"),
        ([1.0, np.nan], [1.0, 1.0], "point 2 is not a number"),
        ([1.0, np.inf], [1.0, 1.0], "point 2 is not a number"),
        ([1.0, 2.0], [complex(1, np.nan), 1.0], "point 1 is not a number"),
        ([1.0, 2.0, 3.0], [1.0, complex(np.inf, 0), np.nan], r"\(2 such points\)"),
    ],
)
def test_wrong_points_are_refused_with_their_place(f, z, said):
    with pytest.raises(DataError, match=said) as caught:
        Spectrum.of(f, z, where="cell.csv")
    assert caught.value.where == "cell.csv"
    assert caught.value.remedy


@pytest.mark.parametrize("area", [0.0, -1.0, float("nan"), float("inf")])
def test_an_area_must_be_a_positive_number(area):
    with pytest.raises(DataError, match="area_cm2"):
        Spectrum.of([1.0], [1.0], area_cm2=area)
    with pytest.raises(DataError, match="area_cm2"):
        Spectrum.of([1.0], [1.0]).with_area(area)


def test_a_range_holds_its_ends_even_as_printed():
    s = Spectrum.of(FREQUENCY, S1.impedance())
    assert s.between(1.0, 1e3).points_count == 31
    printed = Spectrum.of([1000.0002, 10.0, 0.09999995], [1, 2, 3])
    assert printed.between(0.1, 1000.0).points_count == 3
    assert printed.between(0.10001, 999.99).points_count == 1
    with pytest.raises(DataError, match="no point between") as caught:
        s.between(1e7, 1e8)
    assert "0.1 to 1e+06 Hz" in caught.value.remedy


def test_an_impedance_in_series_can_be_taken_off():
    s = Spectrum.of(FREQUENCY, S1.impedance(), area_cm2=0.8, name="S1")
    left = s.minus(np.full(71, 12.0 + 0j))
    np.testing.assert_allclose(left.impedance_ohm + 12.0, s.impedance_ohm, rtol=1e-14)
    assert (left.area_cm2, left.name) == (0.8, "S1")


def test_another_area_keeps_the_notes_once():
    s = Spectrum.of([10, 1, 10, 1], [1, 2, 3, 4], notes=("scaled by 2",))
    again = s.with_area(0.785)
    assert again.area_cm2 == 0.785
    assert again.notes == s.notes
    assert len(s.notes) == 3


def test_derived_quantities():
    s = Spectrum.of(FREQUENCY, S1.impedance(), name="S1")
    assert s.points_count == 71
    assert s.decades_count == pytest.approx(7.0, abs=1e-12)
    np.testing.assert_allclose(s.angular_frequency, 2 * np.pi * FREQUENCY)
    assert repr(s) == "<Spectrum S1: 71 points, 1e+06 to 0.1 Hz>"
    assert (s.label, Spectrum.of([1], [1]).label) == ("S1", "spectrum")
    assert Spectrum.of([1], [1], name="a", where="b.csv").label == "b.csv"


def test_points_are_counted_by_different_frequencies():
    s = Spectrum.of(np.repeat([1.0, 2.0, 3.0], 4), np.ones(12))
    s.require_points(3, "a test")
    with pytest.raises(DataError, match="3 frequencies; a test needs at least 4"):
        s.require_points(4, "a test")


@pytest.mark.parametrize("area", ["1", True, -1.0, 0, np.nan, np.inf])
def test_an_area_is_a_number_above_zero(area):
    with pytest.raises(DataError, match="area_cm2"):
        Spectrum.of([1.0, 2.0], [1.0, 2.0], area_cm2=area)
    assert Spectrum.of([1.0], [1.0], area_cm2=np.float64(0.5)).area_cm2 == 0.5


def test_frequencies_are_real_numbers():
    for wrong in ([1j], ["a"], [None]):
        with pytest.raises(DataError):
            Spectrum.of(wrong, [1.0])
