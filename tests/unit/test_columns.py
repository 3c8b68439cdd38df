"""The column registry: names, labels, units and what a table must have."""

import re

import polars as pl
import pytest

import equipoise as eqp
from equipoise.core.columns import COLUMNS, REQUIRED, require, to_labels, to_names
from equipoise.core.errors import DataError
from equipoise.core.units import unit_token

TOKENS = {"V": "volt", "A": "ampere", "s": "second", "h": "hour", "Ah": "ah"}
TOKENS |= {"Wh": "wh", "W": "watt", "degC": "celsius", "Pa": "pa", "mAh/g": "mah_per_g"}
TOKENS |= {"1": "", "ohm": "ohm", "Ohm": "ohm", "N": "newton", "Hz": "hertz"}


def test_the_required_columns_are_those_of_the_format():
    assert REQUIRED == ("test_time_second", "voltage_volt", "current_ampere")
    assert [COLUMNS[n].label for n in REQUIRED] == [
        "Test Time / s",
        "Voltage / V",
        "Current / A",
    ]


def test_recommended_columns_are_those_of_the_format():
    assert {c.label for c in COLUMNS.values() if c.level == "recommended"} == {
        "Unix Time / s",
        "Cycle Count / 1",
        "Step Count / 1",
        "Ambient Temperature / degC",
    }


def test_our_own_columns_are_marked_as_such():
    assert {c.name for c in COLUMNS.values() if c.level == "extension"} == {
        "positive_electrode_potential_volt",
        "negative_electrode_potential_volt",
        "passed_capacity_mah_per_g_positive",
        "force_newton",
    }


@pytest.mark.parametrize("column", COLUMNS.values(), ids=lambda c: c.name)
def test_the_unit_of_the_label_is_the_token_of_the_name(column):
    if column.kind == "text":
        assert column.unit == ""
        return
    token = TOKENS[column.unit]
    assert column.name.removesuffix("_positive").endswith(token)
    if token not in ("newton", "hertz"):  # not used in our own names
        assert unit_token(column.name) == token
    assert (column.kind == "count") == (column.unit == "1")


@pytest.mark.parametrize("column", COLUMNS.values(), ids=lambda c: c.name)
def test_every_label_leads_back_to_its_name(column):
    for label in (column.label, *column.older_labels, column.name):
        assert to_names([label]) == [column.name]
    assert to_labels([column.name]) == [column.label]
    assert re.fullmatch(r"[A-Z][\w ]+( / [\w/]+)?", column.label)


def test_what_is_not_known_stays_in_its_place():
    assert to_names(["Notes", "Voltage / V", "T"]) == ["Notes", "voltage_volt", "T"]
    assert to_labels(["notes", "voltage_volt"]) == ["notes", "Voltage / V"]


@pytest.mark.parametrize(
    "pair",
    [
        ("Voltage / V", "voltage_volt"),
        ("Charging Capacity / Ah", "Charge Capacity / Ah"),
        ("Notes", "Notes"),
    ],
)
def test_two_columns_of_one_meaning_are_refused(pair):
    with pytest.raises(DataError, match="two columns are") as caught:
        to_names(["Current / A", *pair], where="cell.csv")
    assert pair[0] in str(caught.value)
    assert pair[1] in str(caught.value)
    assert str(caught.value).startswith("cell.csv: ")


def test_two_names_with_one_label_are_refused():
    with pytest.raises(DataError, match="two columns are 'Voltage / V'"):
        to_labels(["voltage_volt", "Voltage / V"])


def test_a_missing_column_is_named_and_so_are_those_that_are_there():
    with pytest.raises(DataError) as caught:
        require(["voltage_volt", "I/mA"], where="x.csv")
    text = str(caught.value)
    for word in ("x.csv", "'Test Time / s'", "'Current / A'", "voltage_volt, I/mA"):
        assert word in text
    assert "'Voltage / V'" not in text


def test_every_column_of_a_trace_is_registered(lb):
    run = eqp.simulate(lb, eqp.load_protocol("first-cycle"), model="quasi-static")
    assert isinstance(run.trace, pl.DataFrame)
    assert set(run.trace.columns) <= set(COLUMNS)
    require(run.trace.columns)
