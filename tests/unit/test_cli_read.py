"""The command `read`."""

import json
import re
import zipfile

import polars as pl
import pytest

import equipoise as eqp
from cycler_files import Maccor, bdf_text, maccor_text, truth
from equipoise.io.bdf import read_bdf, read_metadata

TRUTH = truth(cycles=1)
KEYS = {
    "equipoise",
    "file",
    "format",
    "origin",
    "sha256",
    "rows_count",
    "cycles_count",
    "columns",
    "proven",
    "findings",
    "metadata",
    "cell",
    "files",
}


@pytest.fixture
def maccor(tmp_path):
    path = tmp_path / "c7.txt"
    path.write_bytes(maccor_text(TRUTH))
    return path


def test_json_has_the_documented_keys_and_the_rows_of_the_file(cli, maccor):
    ran = cli("read", maccor, "--json", "--mass-mg", 5, "--one-c-ma", 2)
    assert (ran.code, ran.err) == (0, "")
    answer = json.loads(ran.out)
    assert set(answer) == KEYS
    assert answer["file"] == str(maccor)
    assert "MACCOR" in answer["format"]
    assert answer["origin"] == "measured"
    assert answer["rows_count"] == TRUTH.rows
    assert answer["cycles_count"] == 1
    assert answer["proven"] is True
    assert answer["cell"] == {"positive_active_mass_mg": 5.0, "one_c_ma": 2.0}
    assert answer["files"] == []
    proofs = [f for f in answer["findings"] if f["level"] == "proven"]
    assert proofs
    for proof in proofs:
        if proof.get("residual_ratio") is not None:
            assert abs(proof["residual_ratio"]) <= proof["tolerance_ratio"]


def test_the_summary_says_rows_hours_and_ranges(cli, maccor):
    ran = cli("read", maccor)
    assert ran.code == 0
    hours = (TRUTH.seconds[-1] - TRUTH.seconds[0]) / 3600
    assert re.search(rf"{TRUTH.rows:,} rows, 1 cycles?, {hours:.1f} h", ran.out)
    assert "-2 mA to 2 mA" in ran.out
    assert "proven: " in ran.out
    assert "recognised" not in ran.out


def test_explain_shows_columns_and_what_was_recognised(cli, maccor):
    ran = cli("read", maccor, "--explain")
    assert ran.code == 0
    assert "recognised: format: MACCOR" in ran.out
    for label in ("Voltage / V", "Current / A", "Test Time / s"):
        assert label in ran.out


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_file_written_is_the_table_of_the_library(cli, maccor, tmp_path, form):
    out = tmp_path / f"o.bdf.{form}"
    ran = cli("read", maccor, "--out", out, "--mass-mg", 5)
    assert ran.code == 0
    assert f"written: {out}" in ran.out
    table = read_bdf(out)
    direct = eqp.read(maccor).table
    assert table.columns == direct.columns
    assert table["current_ampere"].equals(direct["current_ampere"])
    beside = read_metadata(out)
    assert beside["cell"] == {"positive_active_mass_mg": 5.0}
    again = json.loads(cli("read", out, "--json").out)
    assert again["rows_count"] == TRUTH.rows
    assert again["cell"] == {"positive_active_mass_mg": 5.0}


@pytest.mark.parametrize("name", ["o.csv", "o.bdf.xlsx", "o"])
def test_a_name_that_is_none_of_bdf_is_refused(cli, maccor, tmp_path, name):
    before = set(tmp_path.iterdir())
    ran = cli("read", maccor, "--out", tmp_path / name)
    assert ran.code == 2
    assert ".bdf." in ran.err
    assert set(tmp_path.iterdir()) == before


def test_a_folder_that_is_not_there_is_said_or_made(cli, maccor, tmp_path):
    out = tmp_path / "new" / "o.bdf.csv"
    ran = cli("read", maccor, "--out", out)
    assert ran.code == (0 if out.exists() else 2)
    assert out.exists() or "new" in ran.err


def test_a_table_of_cycles_is_told_and_not_written_as_bdf(cli, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("Cycle_Index,Q_chg,Q_dis,CE\n1,2,1.9,0.95\n2,2,1.8,0.9\n")
    ran = cli("read", path)
    assert ran.code == 0
    assert "2 cycles" in ran.out
    assert "discharge/charge, proven on 2 cycles" in ran.out
    answer = json.loads(cli("read", path, "--json").out)
    assert set(answer) == KEYS
    assert answer["format"] == "table of cycles"
    assert answer["rows_count"] == 0
    assert answer["cycles_count"] == 2
    assert answer["proven"] is False
    ran = cli("read", path, "--out", tmp_path / "o.bdf.csv")
    assert ran.code == 2
    assert "time series was expected" in ran.err
    assert not (tmp_path / "o.bdf.csv").exists()


def test_an_inverted_efficiency_is_one_warning_on_stderr(cli, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("Cycle_Index,Q_chg,Q_dis,CE\n1,2,1.6,1.25\n2,2,1.6,1.25\n")
    ran = cli("read", path, "--json")
    assert ran.code == 0
    json.loads(ran.out)
    assert ran.err.count("equipoise: warning:") == 1
    assert "charge/discharge" in ran.err


# --- options


def test_the_record_is_the_one_given_else_the_one_beside(cli, maccor, tmp_path):
    (tmp_path / "c7.cell.toml").write_text('name = "beside"\none_c_ma = 3.0\n')
    other = tmp_path / "other.toml"
    other.write_text('name = "other"\n')

    def cell(*options):
        return json.loads(cli("read", maccor, "--json", *options).out)["cell"]

    assert cell() == {"name": "beside", "one_c_ma": 3.0}
    assert cell("--record", other) == {"name": "other"}
    assert cell("--one-c-ma", 1)["one_c_ma"] == 1.0
    ran = cli("read", maccor, "--record", tmp_path / "none.toml")
    assert ran.code == 2
    assert "none.toml" in ran.err


@pytest.mark.parametrize(
    ("option", "key", "value"),
    [
        ("lto", "reference_electrode", "lto"),
        ("0.62", "reference_potential_vs_li_volt", 0.62),
        ("-0.1", "reference_potential_vs_li_volt", -0.1),
    ],
)
def test_a_reference_is_a_name_or_a_potential(cli, maccor, option, key, value):
    ran = cli("read", maccor, "--json", f"--reference-electrode={option}")
    assert json.loads(ran.out)["cell"] == {key: value}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--reference", "gold"], "gold"),
        (["--reference", "nan"], "reference_potential_vs_li_volt"),
        (["--mass-mg", "-5"], "positive_active_mass_mg"),
        (["--mass-mg", "nan"], "positive_active_mass_mg"),
        (["--one-c-ma", "0"], "one_c_ma"),
        (["--reader", "macor"], "'maccor'"),
        (["--repair", "last-rwo"], "'last-row'"),
        (["--repair", "sort-time,backward-time"], "exclude each other"),
        (["--current-sign", "charging negative"], "charging-negative"),
        (["--map", "none.toml"], "none.toml"),
    ],
)
def test_a_wrong_option_ends_with_2_and_a_word(cli, maccor, tmp_path, options, word):
    out = tmp_path / "o.bdf.csv"
    ran = cli("read", maccor, *options, "--out", out)
    assert ran.code == 2, ran.err
    assert word in ran.err
    assert ran.out == ""
    assert not out.exists()


def test_a_forced_reader_is_used(cli, maccor):
    ran = cli("read", maccor, "--reader", "biologic-mpr")
    assert ran.code == 2
    assert str(maccor) in ran.err
    ran = cli("read", maccor, "--reader", "maccor", "--json")
    assert ran.code == 0


def test_a_map_says_what_columns_mean(cli, tmp_path):
    path, column_map = tmp_path / "t.csv", tmp_path / "m.toml"
    pl.DataFrame(
        {"zeit": TRUTH.seconds, "u": TRUTH.volts, "i": TRUTH.amperes * 1e3}
    ).write_csv(path)
    column_map.write_text(
        'name = "mine"\n[columns]\n'
        'test_time_second = { label = "zeit", unit = "s" }\n'
        'voltage_volt = { label = "u", unit = "V" }\n'
        'current_ampere = { label = "i", unit = "mA" }\n'
    )
    bare = cli("read", path)
    assert bare.code == 2
    out = tmp_path / "o.bdf.parquet"
    ran = cli("read", path, "--map", column_map, "--out", out)
    assert ran.code == 0, ran.err
    current = read_bdf(out)["current_ampere"].to_numpy()
    assert abs(current - TRUTH.amperes).max() < 1e-12
    assert "NOT proven" in ran.out


def test_repairs_are_made_on_request_and_said(cli, tmp_path):
    raw = maccor_text(TRUTH, Maccor(end="\n"))
    path = tmp_path / "cut.txt"
    path.write_bytes(raw[: raw.rstrip().rfind(b"\t") - 12])
    refused = cli("read", path)
    assert refused.code == 2
    assert "last-row" in refused.err
    ran = cli("read", path, "--repair", "last-row", "--json")
    assert ran.code == 0, ran.err
    answer = json.loads(ran.out)
    assert answer["rows_count"] == TRUTH.rows - 1
    assert [f for f in answer["findings"] if f["level"] == "repaired"]


def test_the_sign_of_the_current_is_turned_if_told(cli, tmp_path):
    path = tmp_path / "c.bdf.csv"
    path.write_bytes(bdf_text(TRUTH, sign=-1.0))
    refused = cli("read", path)
    assert refused.code == 2
    assert "--current-sign charging-negative" in refused.err
    out = tmp_path / "o.bdf.parquet"
    ran = cli("read", path, "--current-sign", "charging-negative", "--out", out)
    assert ran.code == 0
    assert read_bdf(out)["current_ampere"].to_list() == TRUTH.amperes.tolist()


# --- bad input


def test_unknown_files_end_with_2_and_advice(cli, tmp_path):
    book = tmp_path / "x.xlsx"
    with zipfile.ZipFile(book, "w") as made:
        made.writestr("a", "b")
    text = tmp_path / "x.txt"
    text.write_text("a b c\n1 2 3\n")
    empty = tmp_path / "e.csv"
    empty.touch()
    for path, word in (
        (book, "save the sheet"),
        (text, "--map"),
        (empty, "empty"),
        (tmp_path, "folder"),
        (tmp_path / "none", "no such file"),
    ):
        ran = cli("read", path, "--json")
        assert (ran.code, ran.out) == (2, ""), path
        assert ran.err.startswith("equipoise: ")
        assert word in ran.err
        assert re.search(r"\n  -> ", ran.err)
        assert "Traceback" not in ran.err


def test_a_lie_of_the_counter_is_refused(cli, tmp_path):
    path = tmp_path / "c.txt"
    path.write_bytes(maccor_text(TRUTH, Maccor(scale={"current": 3.0})))
    ran = cli("read", path, "--out", tmp_path / "o.bdf.csv")
    assert ran.code == 2
    assert "current" in ran.err
    assert not (tmp_path / "o.bdf.csv").exists()
