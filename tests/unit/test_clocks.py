"""Durations and dates, as cyclers print them."""

import numpy as np
import polars as pl
import pytest

from equipoise.io.readers import clocks
from equipoise.io.readers.mapped_clocks import number_clock, stamps


def text(*cells):
    return pl.Series(list(cells), dtype=pl.String)


@pytest.mark.parametrize(
    ("cell", "second"),
    [
        ("00:05:10", 310.0),
        ("0:05:10.5", 310.5),
        ("0:05:10,5", 310.5),
        ("25:00:00", 90000.0),
        ("2d 02:52:21.57", 2 * 86400 + 2 * 3600 + 52 * 60 + 21.57),
        (":0:00:00:01", 1.0),
        ("1:02:03:04", 86400 + 2 * 3600 + 3 * 60 + 4.0),
    ],
)
def test_durations(cell, second):
    assert clocks.is_duration(text(cell, None))
    assert clocks.durations(text(cell)).to_list() == pytest.approx([second])


@pytest.mark.parametrize("cell", ["1.5", "12:30", "2024-03-29 10:00:00", "x"])
def test_other_text_is_no_duration(cell):
    assert not clocks.is_duration(text(cell))
    assert clocks.durations(text(cell)).to_list() == [None]


def test_nothing_is_no_duration_and_no_clock():
    assert not clocks.is_duration(text(None))
    assert clocks.clock(text(None)) is None
    assert clocks.clock(text()) is None


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ("2024-03-29 22:15:00", "2024-03-29T22:15:00"),
        ("2024/03/29 22:15:00.25", "2024-03-29T22:15:00.250000"),
        ("29.03.2024 22:15:00", "2024-03-29T22:15:00"),
        ("03/29/2024 10:15:00 PM", "2024-03-29T22:15:00"),
        ("29-Mar-24 10:15:00 PM", "2024-03-29T22:15:00"),
        ("03/29/2024 22:15", "2024-03-29T22:15:00"),
        ("29/03/2024 22:15:00", "2024-03-29T22:15:00"),
    ],
)
def test_dates(cell, first):
    found = clocks.clock(text(cell, cell))
    assert found.first == first
    assert found.certain


def test_day_and_month_may_be_exchanged():
    assert not clocks.clock(text("03/04/2024 22:15:00")).certain
    both = clocks.clock(text("03/04/2024 22:15:00", "03/29/2024 22:15:00"))
    assert both.certain


def test_a_time_of_day_passes_midnight():
    found = clocks.clock(text("23:59:59", None, "00:00:01"))
    assert found.first == ""
    np.testing.assert_allclose(found.second[[0, 2]], [86399.0, 86401.0])
    assert np.isnan(found.second[1])


@pytest.mark.parametrize(
    ("cell", "second"), [("10:00:00", 1.0), ("10:00:00.25", 1e-3), ("10:00", 60.0)]
)
def test_resolutions(cell, second):
    assert clocks.resolution_second(text(cell)) == second


@pytest.mark.parametrize(
    ("cell", "second"),
    [
        ("1970-01-02T00:00:00Z", 86400.0),
        ("1970-01-02T00:00:00+02:00", 79200.0),
        ("1970-01-02 00:00:00.5-0130", 91800.5),
    ],
)
def test_zones_are_taken_off(cell, second):
    found = stamps(text(cell, cell), None)
    assert found.second.tolist() == [second, second]
    assert found.universal
    assert found.first.startswith("1970-01-02T00:00:00")


def test_a_date_is_no_zone_and_half_the_zones_are_none():
    assert not stamps(text("1970-01-02 00:00:00"), None).universal
    assert stamps(text("1970-01-02T00:00:00Z", "1970-01-02T00:00:00"), None) is None


def test_formats_of_a_map():
    found = stamps(text("29.3.24 22-15"), "%d.%m.%y %H-%M")
    assert found.first == "2024-03-29T22:15:00"
    zoned = stamps(text("1970-01-02 01:00:00 +0100"), "%Y-%m-%d %H:%M:%S %z")
    assert zoned.universal
    assert zoned.second.tolist() == [86400.0]
    assert stamps(text("29.3.24"), "%d.%m.%y") is not None
    assert stamps(text("29.3.24 x"), "%d.%m.%y") is None
    assert stamps(text("29.3.24"), "%Q%Q") is None
    assert stamps(text("29.3.24"), "") is None


def test_years_of_two_digits_are_not_the_first_century():
    found = stamps(text("29.03.24 10:00:00"), None)
    assert found is not None
    assert found.first == "2024-03-29T10:00:00"
    assert stamps(text("29.03.24 10:00:00"), "%d.%m.%Y %H:%M:%S") is None


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("unix", 1711750500.0),
        ("unix ms", 1711750500e3),
        ("excel", 45380.0 + (22 + 0.25) / 24),
        ("matlab", 739340.0 + (22 + 0.25) / 24),
    ],
)
def test_numbers_as_clocks(form, value):
    found = number_clock(pl.Series([value, None]), form, 9)
    assert found.first.startswith("2024-03-29T22:1")
    assert np.isnan(found.second[1])
    assert found.universal == form.startswith("unix")
    assert number_clock(pl.Series([1e15]), form, 9) is None
    assert number_clock(pl.Series([None], dtype=pl.Float64), form, 9) is None
