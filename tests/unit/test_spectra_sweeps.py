"""Where one spectrum ends and the next begins."""

import numpy as np
import pytest

from equipoise.io.spectra.sweeps import sweeps

DOWN = np.logspace(5, -2, 36)


def sizes(f):
    return [s.size for s in sweeps(np.asarray(f, dtype=float))]


@pytest.mark.parametrize("many", [1, 2, 10])
@pytest.mark.parametrize("f", [DOWN, DOWN[::-1]], ids=["falling", "rising"])
def test_each_sweep_is_a_spectrum(f, many):
    assert sizes(np.tile(f, many)) == [36] * many


def test_down_and_up_are_two():
    assert sizes(np.r_[DOWN, DOWN[::-1][1:]]) == [36, 35]


@pytest.mark.parametrize("seed", range(5))
def test_rows_in_no_order_are_one(seed):
    assert sizes(np.random.default_rng(seed).permutation(DOWN)) == [36]


def test_two_rows_out_of_order_do_not_part_a_sweep():
    f = DOWN.copy()
    f[[10, 11]] = f[[11, 10]]
    assert sizes(f) == [36]


def test_a_repeated_frequency_does_not_part_a_sweep():
    assert sizes(np.repeat(DOWN, 2)) == [72]


def test_high_and_low_frequencies_measured_apart_are_one():
    # the two ranges share half a decade of seven
    assert sizes(np.r_[np.logspace(5, 1, 21), np.logspace(1.5, -2, 18)]) == [39]


def test_every_row_is_in_one_sweep():
    f = np.r_[DOWN, DOWN, DOWN[::-1], DOWN[:7]]
    rows = np.concatenate(sweeps(f))
    np.testing.assert_array_equal(np.sort(rows), np.arange(f.size))
