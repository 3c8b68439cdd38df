"""Tables with one row per cycle, of other programs and our own."""

import math
import warnings

import polars as pl
import pytest

from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.io.bdf import table_bytes
from equipoise.io.cycle_tables import is_cycle_table, read_cycles
from real_data import data_file

HEADER = "Cycle_Index,Cycle_Label,Q_chg,Q_dis,CE,E_chg,E_dis,I_min,I_max"


@pytest.fixture
def rovi(tmp_path):
    """Write rows of a summary in the names of the ROVI toolkit."""

    def write(*rows, header=HEADER, end="\n", name="summary.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes((end.join((header, *rows)) + end).encode(encoding))
        return path

    return write


ROWS = (
    "1,formation,2.5,2.0,0.8,9.0,7.0,-1.0,0.5",
    "2,,2.0,1.96,0.98,7.5,7.0,-2.0,1.5",
    "3,RPT,2.0,1.97,0.985,7.5,7.1,-0.2,0.2",
)


def test_columns_get_our_names_units_and_signs(rovi):
    found = read_cycles(rovi(*ROWS))
    first, second, third = found.table.to_dicts()
    assert [r["cycle_count"] for r in (first, second, third)] == [1, 2, 3]
    assert found.table["cycle_count"].dtype == pl.Int64
    assert second["charging_capacity_ah"] == 2.0
    assert second["discharging_capacity_ah"] == 1.96
    assert second["coulombic_efficiency"] == pytest.approx(0.98)
    assert second["energy_efficiency"] == pytest.approx(7.0 / 7.5)
    assert second["mean_charging_voltage_volt"] == pytest.approx(3.75)
    assert second["mean_discharging_voltage_volt"] == pytest.approx(7.0 / 1.96)
    assert second["maximum_discharge_current_ampere"] == 2.0
    assert second["maximum_charge_current_ampere"] == 1.5
    assert found.labels == ["formation", None, "RPT"]
    assert found.findings[0] == "3 cycles"
    assert "discharge/charge, proven on 3 cycles" in found.findings[1]


def test_an_inverted_efficiency_warns_and_is_turned(rovi):
    path = rovi("1,,2.0,1.6,1.25,,,,", "2,,2.0,1.8,1.111111,,,,")
    with pytest.warns(EquipoiseWarning, match="charge/discharge, proven on 2 cycles"):
        found = read_cycles(path)
    given = found.table["coulombic_efficiency"].to_list()
    assert given == pytest.approx([0.8, 0.9])
    assert any("charge/discharge" in f for f in found.findings)


def test_an_efficiency_of_neither_ratio_fails(rovi):
    path = rovi("1,,2.0,1.6,0.97,,,,", "2,,2.0,1.8,0.97,,,,")
    with pytest.raises(DataError, match="fits neither") as caught:
        read_cycles(path)
    assert "summary.csv" in str(caught.value)


def test_an_efficiency_in_percent_is_not_passed_off_as_a_ratio(rovi):
    with pytest.raises(DataError, match="fits neither"):
        read_cycles(rovi("1,,2.0,1.6,80,,,,", "2,,2.0,1.8,90,,,,"))


def test_a_cycle_without_discharge_does_not_refute_the_others(rovi):
    found = read_cycles(rovi("1,,2,1,0.5,,,,", "2,,1,0.9,0.9,,,,", "3,,1,0,0,,,,"))
    assert "discharge/charge, proven on 3" in found.findings[1]
    assert found.table["coulombic_efficiency"].to_list() == [0.5, 0.9, 0.0]


def test_an_efficiency_without_capacities_is_not_proven(rovi):
    found = read_cycles(rovi("1,,2.0,,0.97,,,,", "2,,,1.8,,,,,"))
    assert "not proven" in found.findings[1]


def test_missing_values_are_nan_never_zero(rovi):
    found = read_cycles(rovi("1,,2.0,NaN,NaN,,,,", "2,,2.0,1.8,0.9,7,6,-1,1"))
    first = found.table.to_dicts()[0]
    for name in (
        "discharging_capacity_ah",
        "coulombic_efficiency",
        "charging_energy_wh",
        "energy_efficiency",
    ):
        assert math.isnan(first[name]), name
    # no current was given for the first cycle
    assert not first["maximum_charge_current_ampere"] > 0


def test_twin_cycles_fail_by_their_number(rovi):
    path = rovi("1,,2,1.9,0.95,,,,", "7,,2,1.9,0.95,,,,", "7,,2,1.9,0.95,,,,")
    with pytest.raises(DataError, match="cycle 7 stands in more than one row"):
        read_cycles(path)


@pytest.mark.parametrize("number", ["1.5", "", "NaN"])
def test_a_number_of_a_cycle_is_whole(rovi, number):
    with pytest.raises(DataError, match="missing or not whole in column 'cycle_count'"):
        read_cycles(rovi("1,,2,1.9,0.95,,,,", f"{number},,2,1.9,0.95,,,,"))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2,,x,1.9,0.95,,,,", "'Q_chg': 'x' is not a number"),
        ("2,,2,1.9", "line 3"),
    ],
)
def test_a_wrong_cell_is_named_by_its_line(rovi, row, words):
    with pytest.raises(DataError) as caught:
        read_cycles(rovi("1,,2,1.9,0.95,,,,", row))
    assert words in str(caught.value)


def test_a_header_alone_is_refused(rovi):
    with pytest.raises(DataError, match="no row below the header"):
        read_cycles(rovi())


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_form_of_the_text_does_not_matter(rovi, end, encoding, separator):
    plain = read_cycles(rovi(*ROWS, name="plain.csv"))
    rows = [r.replace(",", separator) for r in ROWS]
    header = HEADER.replace(",", separator)
    path = rovi(*rows, header=header, end=end, encoding=encoding)
    assert is_cycle_table(path)
    assert read_cycles(path).table.equals(plain.table)


def test_columns_without_a_meaning_are_left_out(rovi):
    found = read_cycles(rovi("1,abc,2,1.9", header="Cycle_Index,Remark,Q_chg,Q_dis"))
    assert "Remark" not in found.table.columns
    assert found.findings == ("1 cycles",)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Cycle_Index,Q_chg,Q_dis", True),
        ("cycle_count,charging_capacity_ah,discharging_capacity_ah", True),
        ("cycle_count,coulombic_efficiency", True),
        ("Cycle_Index,Q_chg", False),
        ("cycle_count,charging_capacity_ah,discharging_capacity_ah,voltage_volt", 0),
        ("Test Time / s,Voltage / V,Current / A", False),
        ("", False),
    ],
)
def test_the_header_decides(rovi, header, expected):
    path = rovi("1,1,1,1", header=header)
    assert is_cycle_table(path) is bool(expected)


def test_what_is_none_says_what_was_expected(rovi, tmp_path):
    binary = tmp_path / "b.csv"
    binary.write_bytes(bytes(range(256)))
    for path in (rovi("1,2", header="a,b"), binary):
        with pytest.raises(DataError, match="no header of a table of cycles") as caught:
            read_cycles(path)
        assert "Cycle_Index" in str(caught.value)


def ours():
    return pl.DataFrame(
        {
            "cycle_count": [1, 2],
            "charging_capacity_ah": [2.0, 2.0],
            "discharging_capacity_ah": [1.0, float("nan")],
            "coulombic_efficiency": [0.5, float("nan")],
            "cycle_kind": ["formation", "incomplete"],
            "cycle_kind_evidence": ["inferred", "label"],
            "complete": [True, False],
        }
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_our_own_table_comes_back(tmp_path, form):
    path = tmp_path / f"a.cycles.{form}"
    path.write_bytes(table_bytes(ours(), form))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_cycles(path)
    assert found.table.equals(ours(), null_equal=True)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_our_own_table_without_capacities_is_refused(tmp_path, form):
    table = ours().drop("charging_capacity_ah")
    path = tmp_path / f"a.{form}"
    path.write_bytes(table_bytes(table, form))
    with pytest.raises(DataError, match="no column charging_capacity_ah"):
        read_cycles(path)


def test_a_damaged_parquet_table_is_said(tmp_path):
    raw = table_bytes(ours(), "parquet")
    path = tmp_path / "a.parquet"
    path.write_bytes(raw[: len(raw) // 2])
    assert not is_cycle_table(path)
    with pytest.raises(DataError):
        read_cycles(path)


def test_the_table_of_a_real_cell():
    found = read_cycles(data_file("cycling/rovi_p492-13-summary.csv"))
    ratio = (
        found.table["discharging_capacity_ah"] / found.table["charging_capacity_ah"]
    ).fill_nan(None)
    assert "discharge/charge, proven" in found.findings[1]
    assert (
        found.table["coulombic_efficiency"]
        .fill_nan(None)
        .equals(ratio, check_names=False)
    )
    assert (found.table["cycle_count"].diff().drop_nulls() > 0).all()
