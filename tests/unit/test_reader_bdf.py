"""Battery Data Format: current and older flavours, other units, damaged files."""

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from cycler_files import BDF_LABELS, bdf_columns, bdf_text, since, step_marks, truth
from equipoise.core.errors import DataError
from equipoise.io.bdf import read_bdf, write_bdf
from equipoise.io.readers.read import read

MADE = truth()
NAMES = {
    "time": "test_time_second",
    "voltage": "voltage_volt",
    "current": "current_ampere",
    "cycle": "cycle_count",
    "charge": "charging_capacity_ah",
    "discharge": "discharging_capacity_ah",
}
HOURS = {
    **BDF_LABELS,
    "time": "Test Time / h",
    "charge": "Charge Capacity / Ah",
    "discharge": "Discharge Capacity / Ah",
}
MILLI = {
    "time": "Test Time / min",
    "voltage": "Voltage / mV",
    "current": "Current / mA",
    "cycle": "Cycle Count / 1",
    "charge": "Charging Capacity / mAh",
    "discharge": "Discharging Capacity / mAh",
}
FLAVOURS = {
    "labels": {},
    "machine names": {"labels": NAMES},
    "hours, discharging positive": {"labels": HOURS, "time": 1 / 3600, "sign": -1.0},
    "hours, charging positive": {"labels": HOURS, "time": 1 / 3600},
    "milli units and minutes": {
        "labels": MILLI,
        "time": 1 / 60,
        "voltage": 1e3,
        "current": 1e3,
        "charge": 1e3,
        "discharge": 1e3,
    },
    "Windows line ends": {"end": "\r\n"},
    "UTF-16": {"encoding": "utf-16"},
    "byte order mark": {"encoding": "utf-8-sig", "end": "\r\n"},
}
LINES = bdf_text(MADE).split(b"\n")


def written(tmp_path, raw, name="a.bdf.csv"):
    path = tmp_path / name
    path.write_bytes(raw)
    return path


def same(recording):
    table = recording.table
    assert recording.format == "Battery Data Format"
    for key, values in bdf_columns(MADE).items():
        if key not in NAMES or (name := NAMES[key]) not in table.columns:
            continue
        assert np.allclose(table[name], values, rtol=1e-12, atol=1e-18), name
    assert table.height == MADE.rows


@pytest.mark.parametrize("name", FLAVOURS)
def test_every_flavour_gives_the_same_table(tmp_path, name):
    recording = read(written(tmp_path, bdf_text(MADE, **FLAVOURS[name])))
    same(recording)
    assert recording.proven


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a", "a.mpr", "a.nda", "A.001"])
def test_the_content_decides_and_not_the_name(tmp_path, name):
    same(read(written(tmp_path, bdf_text(MADE), name)))


def test_parquet_is_recognised_under_any_name(tmp_path):
    frame = read_bdf(written(tmp_path, bdf_text(MADE)))
    path = tmp_path / "table.csv"
    frame.write_parquet(path)
    same(read(path))


@pytest.mark.parametrize("length", [4, 100, -300, -1])
def test_a_cut_parquet_file_is_damaged(tmp_path, length):
    whole = tmp_path / "a.parquet"
    read_bdf(written(tmp_path, bdf_text(MADE))).write_parquet(whole)
    cut = written(tmp_path, whole.read_bytes()[:length], "b.parquet")
    with pytest.raises(DataError, match="damaged"):
        read(cut)


@pytest.mark.parametrize("at", [0, 1, 300])
def test_comment_lines_are_no_rows(tmp_path, at):
    """Also with as many commas as the header has."""
    for comment in (b"# hello", b"# a,b,c,d,e,f"):
        lines = [*LINES[:at], comment, *LINES[at:]]
        same(read(written(tmp_path, b"\n".join(lines))))


def test_blank_lines_are_no_rows(tmp_path):
    same(read(written(tmp_path, b"\n".join([b"", *LINES[:9], b"", *LINES[9:], b""]))))


def test_quoted_headers_are_understood(tmp_path):
    header = b",".join(b'"%s"' % c for c in LINES[0].split(b","))
    same(read(written(tmp_path, b"\n".join([header, *LINES[1:]]))))


def test_it_agrees_with_the_plain_reader_on_a_current_file(tmp_path):
    path = written(tmp_path, bdf_text(MADE))
    assert read(path).table.equals(read_bdf(path).select(read(path).table.columns))


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_simulated_trace_comes_back_as_it_was(tmp_path, form):
    cell = eqp.load_cell("zhang2026-lb")
    run = eqp.simulate(cell, eqp.load_protocol("first-cycle"), model="quasi-static")
    path = write_bdf(run.trace, tmp_path / f"run.bdf.{form}", metadata={})
    recording = read(path)
    for column in run.trace.get_columns():
        assert recording.table[column.name].equals(column), column.name
    found = {f.what: f.level for f in recording.findings}
    assert found["electrode potentials"] == "proven"
    assert found["current: sign"] == "proven"
    assert "look" not in found.values()
    assert recording.proven


def test_exchanged_electrodes_are_refused(tmp_path):
    cell = eqp.load_cell("zhang2026-lb")
    run = eqp.simulate(cell, eqp.load_protocol("first-cycle"), model="quasi-static")
    names = ("positive_electrode_potential_volt", "negative_electrode_potential_volt")
    lie = run.trace.rename({names[0]: names[1], names[1]: names[0]})
    path = write_bdf(lie, tmp_path / "lie.bdf.csv", metadata={})
    with pytest.raises(DataError, match="mixed up"):
        read(path)


def test_the_sign_trap_of_the_older_flavour(tmp_path):
    """A file from before the standard that says "discharge" where current > 0."""
    columns = bdf_columns(MADE, sign=-1.0)
    step = step_marks(MADE)
    words = {0.0: "rest", 1.0: "charge", -1.0: "discharge"}
    frame = pl.DataFrame(
        {
            "Test Time / h": columns["time"] / 3600.0,
            "Current / A": columns["current"],
            "Voltage / V": columns["voltage"],
            "Step Type / 1": [words[s] for s in np.sign(MADE.amperes)],
            "Step Index / 1": step,
            "Charge Capacity / Ah": since(MADE.charged_ah, step),
            "Discharge Capacity / Ah": since(MADE.discharged_ah, step),
        }
    )
    path = tmp_path / "old.csv"
    frame.write_csv(path)
    recording = read(path)
    table = recording.table
    assert np.array_equal(table["current_ampere"], MADE.amperes)
    assert np.allclose(table["charging_capacity_ah"], MADE.charged_ah, atol=1e-15)
    assert np.allclose(
        table["step_discharging_capacity_ah"], since(MADE.discharged_ah, step)
    )
    assert any("turned" in f.how for f in recording.findings)
    assert {f.level for f in recording.findings if "Capacity" in f.what} >= {"look"}


def test_the_current_of_a_known_export_bug_is_refused(tmp_path):
    """Current / A a million times too large."""
    with pytest.raises(DataError, match=r"factor 1e\+06"):
        read(written(tmp_path, bdf_text(MADE, current=1e6)))


@pytest.mark.parametrize(
    "twin", [b"test_time_second", b"Voltage / V", b"Voltage / mV", b"Test Time / s"]
)
def test_two_columns_of_one_meaning_are_refused(tmp_path, twin):
    raw = bdf_text(MADE).replace(b"Cycle Count / 1", twin, 1)
    with pytest.raises(DataError, match="two columns are"):
        read(written(tmp_path, raw))


def test_other_columns_keep_their_names(tmp_path):
    raw = bdf_text(MADE).replace(b"Cycle Count / 1", b"Mood / -", 1)
    assert "Mood / -" in read(written(tmp_path, raw)).table.columns


BROKEN = {
    "header only": (LINES[:1], "no row"),
    "text": ([*LINES[:5], LINES[5].replace(b",3.05", b",x"), *LINES[6:]], "line 6"),
    "NaN": ([*LINES[:5], LINES[5].replace(b",3.05", b",NaN"), *LINES[6:]], "no number"),
    "inf": ([*LINES[:5], LINES[5].replace(b",3.05", b",inf"), *LINES[6:]], "no number"),
    "empty": ([*LINES[:5], LINES[5].replace(b",3.05", b","), *LINES[6:]], "no number"),
    "short": ([*LINES[:5], LINES[5][:8], *LINES[6:]], "line 6.* cells"),
    "long": ([*LINES[:5], LINES[5] + b",1", *LINES[6:]], "line 6: 7 cells"),
    "cut": ([*LINES[:99], LINES[99][:9]], "line 100: the last line"),
    "twice": ([*LINES[:-1], *LINES], "header stands again in line 601"),
    "joined": ([*LINES[:-1], *LINES[1:]], "runs back in 1 "),
    "half a count": (
        [*LINES[:5], LINES[5].replace(b",0,", b",0.5,"), *LINES[6:]],
        "whole number",
    ),
    "a line of a megabyte": ([*LINES[:5], b"7" * 1_100_000, *LINES[5:]], "one line"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_the_place(tmp_path, name):
    lines, message = BROKEN[name]
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, b"\n".join(lines)), reader="bdf")


@pytest.mark.parametrize("rows", [1, 2])
def test_one_or_two_rows_are_read_and_prove_nothing(tmp_path, rows):
    recording = read(written(tmp_path, b"\n".join(LINES[: rows + 1])))
    assert recording.table.height == rows
    assert not recording.proven


def test_the_metadata_name_the_source_and_its_hash(tmp_path):
    from hashlib import sha256

    path = written(tmp_path, bdf_text(MADE))
    found = read(path).as_metadata()
    assert found["source"] == "a.bdf.csv"
    assert found["source_sha256"] == sha256(path.read_bytes()).hexdigest()
    assert found["kind"] == "measured"
