"""The commands of `store`."""

import json

import polars as pl
import pytest

from cycler_files import bdf_text, maccor_text, truth
from equipoise.io.bdf import read_bdf
from equipoise.study.measured_cell import load_cell_data

TRUTHS = {name: truth(cycles=1, span_volt=v) for name, v in (("a", 1.0), ("b", 0.9))}


@pytest.fixture
def files(tmp_path):
    """Two cells in two formats."""
    paths = [tmp_path / "a.bdf.csv", tmp_path / "b.txt"]
    paths[0].write_bytes(bdf_text(TRUTHS["a"]))
    paths[1].write_bytes(maccor_text(TRUTHS["b"]))
    return paths


@pytest.fixture
def store(tmp_path):
    return tmp_path / "campaign"


def rows(cli, store, sql):
    ran = cli("store", "query", store, sql, "--json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["rows"]


# --- add and list


def test_add_says_what_was_kept(cli, store, files):
    ran = cli("store", "add", store, *files, "--group", "LB", "--json")
    assert (ran.code, ran.err) == (0, "")
    answer = json.loads(ran.out)
    assert set(answer) == {"equipoise", "added", "failed"}
    assert answer["failed"] == []
    assert [a["file"] for a in answer["added"]] == [str(f) for f in files]
    assert [a["name"] for a in answer["added"]] == ["a", "b"]
    assert [a["already"] for a in answer["added"]] == [False, False]
    cells = json.loads(cli("store", "list", store, "--json").out)["cells"]
    assert {c["name"]: c["grp"] for c in cells} == {"a": "LB", "b": "LB"}
    assert {c["cell_id"] for c in cells} == {a["cell_id"] for a in answer["added"]}
    assert {c["rows_count"] for c in cells} == {t.rows for t in TRUTHS.values()}
    for key in ("source_path", "source_sha256", "imported_utc"):
        assert all(c[key] for c in cells)
    text = cli("store", "list", store).out
    assert "2 cells" in " ".join(text.split())
    assert "MACCOR" in text


def test_adding_twice_changes_nothing(cli, store, files):
    cli("store", "add", store, *files)
    before = json.loads(cli("store", "list", store, "--json").out)
    ran = cli("store", "add", store, *files)
    assert ran.code == 0
    assert ran.out.count("already there: ") == 2
    assert "2 kept, 0 failed" in ran.out
    answer = json.loads(cli("store", "add", store, *files, "--json").out)
    assert [a["already"] for a in answer["added"]] == [True, True]
    assert json.loads(cli("store", "list", store, "--json").out) == before


def test_a_bad_file_among_good_ones_keeps_the_good(cli, store, files, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    wanted = [files[0], bad, tmp_path / "none.csv", files[1]]
    ran = cli("store", "add", store, *wanted)
    assert ran.code == 2
    assert "2 kept, 2 failed" in ran.out
    assert "bad.csv" in ran.err
    assert "none.csv" in ran.err
    assert "Traceback" not in ran.err
    assert {r["name"] for r in rows(cli, store, "SELECT name FROM cells")} == {"a", "b"}
    answer = json.loads(cli("store", "add", store, *wanted, "--json").out)
    assert [f["file"] for f in answer["failed"]] == [str(bad), str(wanted[2])]
    assert all(f["error"] for f in answer["failed"])


def test_another_record_needs_replace(cli, store, files):
    path = files[0]
    cli("store", "add", store, path)
    ran = cli("store", "add", store, path, "--mass-mg", 5)
    assert ran.code == 2
    assert "replace" in ran.err
    sql = "SELECT positive_active_mass_mg AS mass FROM cells"
    assert rows(cli, store, sql) == [{"mass": None}]
    ran = cli("store", "add", store, path, "--mass-mg", 5, "--replace")
    assert ran.code == 0, ran.err
    assert rows(cli, store, sql) == [{"mass": 5.0}]
    (row,) = rows(
        cli, store, "SELECT max(charging_capacity_mah_per_g_positive) AS q FROM cycles"
    )
    assert row["q"] == pytest.approx(TRUTHS["a"].charged_ah[-1] * 1e6 / 5)


def test_records_beside_files_are_used_and_options_win(cli, store, files, tmp_path):
    (tmp_path / "a.cell.toml").write_text('name = "A7"\ngroup = "X"\none_c_ma = 2.0\n')
    ran = cli("store", "add", store, *files, "--group", "LB", "--one-c-ma", 4)
    assert ran.code == 0, ran.err
    found = rows(cli, store, "SELECT name, grp, one_c_ma FROM cells ORDER BY name")
    assert found == [
        {"name": "A7", "grp": "LB", "one_c_ma": 4.0},
        {"name": "b", "grp": "LB", "one_c_ma": 4.0},
    ]
    (rate,) = rows(
        cli,
        store,
        "SELECT discharge_c_rate AS r FROM cycles JOIN cells USING (cell_id) "
        "WHERE name = 'A7'",
    )
    assert rate["r"] == pytest.approx(0.5)


@pytest.mark.parametrize("option", ["--reader", "--current-sign", "--repair", "--map"])
def test_a_wrong_option_keeps_nothing(cli, store, files, option):
    ran = cli("store", "add", store, files[0], option, "nope")
    assert ran.code == 2
    assert "nope" in ran.err
    assert json.loads(cli("store", "list", store, "--json").out)["cells"] == []


def test_a_folder_of_other_files_is_never_made_a_store(cli, files, tmp_path):
    ran = cli("store", "add", tmp_path, *files)
    assert ran.code == 2
    assert set(tmp_path.iterdir()) == set(files)


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("verify",),
        ("query", "SELECT 1"),
        ("remove", "a"),
        ("export", "--out", "x"),
    ],
)
def test_a_store_that_is_not_there_ends_with_2(cli, store, command):
    ran = cli("store", command[0], store, *command[1:])
    assert ran.code == 2
    assert str(store) in ran.err
    assert not store.exists()


# --- query


def test_queries_see_the_numbers_of_the_files(cli, store, files):
    cli("store", "add", store, *files)
    found = rows(
        cli,
        store,
        "SELECT name, count(*) AS n, max(voltage_volt) AS top FROM timeseries "
        "JOIN cells USING (cell_id) GROUP BY name ORDER BY name",
    )
    assert [(r["name"], r["n"]) for r in found] == [
        (name, t.rows) for name, t in TRUTHS.items()
    ]
    for row, made in zip(found, TRUTHS.values(), strict=True):
        assert row["top"] == pytest.approx(made.volts.max(), abs=1e-7)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_answer_is_written_whole_and_printed_in_part(
    cli, store, files, tmp_path, form
):
    cli("store", "add", store, *files)
    out = tmp_path / f"answer.{form}"
    sql = "SELECT test_time_second FROM timeseries"
    ran = cli("store", "query", store, sql, "--out", out)
    assert ran.code == 0, ran.err
    total = sum(t.rows for t in TRUTHS.values())
    assert f"{total - 40} more rows" in ran.out
    assert f"written: {out}" in ran.out
    read = pl.read_csv if form == "csv" else pl.read_parquet
    assert read(out).height == total


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nothing FROM cells",
        "SELEKT 1",
        "",
        "DELETE FROM cells",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')",
    ],
)
def test_an_error_of_sql_ends_with_2_and_writes_nothing(
    cli, store, files, tmp_path, sql
):
    cli("store", "add", store, files[0])
    out = tmp_path / "answer.csv"
    ran = cli("store", "query", store, sql, "--out", out)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("equipoise: ")
    assert "Traceback" not in ran.err
    assert not out.exists()


def test_the_ending_of_an_answer_is_checked(cli, store, files, tmp_path):
    cli("store", "add", store, files[0])
    out = tmp_path / "answer.xlsx"
    ran = cli("store", "query", store, "SELECT 1 AS x", "--out", out)
    assert ran.code == 2
    assert ".csv" in ran.err
    assert not out.exists()


def test_nan_and_nothing_are_dashes_and_null(cli, store, files):
    cli("store", "add", store, files[0])
    sql = "SELECT 'nan'::DOUBLE AS x, NULL AS y, DATE '2024-01-02' AS z"
    assert rows(cli, store, sql) == [{"x": None, "y": None, "z": "2024-01-02"}]
    assert "nan" not in cli("store", "query", store, sql).out.lower().split("x", 1)[1]


# --- export, remove, verify


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_reads_back_as_the_same_cell(cli, store, files, tmp_path, form):
    cli("store", "add", store, *files, "--group", "LB", "--mass-mg", 5)
    out = tmp_path / "out"
    ran = cli("store", "export", store, "--out", out, "--format", form, "--where", "b")
    assert ran.code == 0, ran.err
    (exported,) = out.glob(f"*.bdf.{form}")
    assert f"written: {exported}" in ran.out
    direct = load_cell_data(
        files[1], changes={"group": "LB", "positive_active_mass_mg": 5.0}
    )
    table = read_bdf(exported)
    assert table.columns == direct.table.columns
    assert table["voltage_volt"].equals(direct.table["voltage_volt"])
    back = load_cell_data(exported)
    assert back.record.group == "LB"
    assert back.record.positive_active_mass_mg == 5.0
    assert back.cycles["discharging_capacity_mah_per_g_positive"][0] == pytest.approx(
        direct.cycles["discharging_capacity_mah_per_g_positive"][0]
    )


def test_an_export_chooses_by_a_condition(cli, store, files, tmp_path):
    cli("store", "add", store, *files)
    out = tmp_path / "out"
    ran = cli("store", "export", store, "--out", out, "--json")
    assert len([f for f in json.loads(ran.out)["files"] if ".bdf." in f]) >= 2
    some = tmp_path / "some"
    cli("store", "export", store, "--out", some, "--where", "name = 'a'")
    assert len(list(some.glob("*.bdf.parquet"))) == 1
    none = tmp_path / "none"
    ran = cli("store", "export", store, "--out", none, "--where", "nme = 'a'")
    assert ran.code == 2
    assert not none.exists()


def test_a_removed_cell_is_gone(cli, store, files):
    cli("store", "add", store, *files)
    ran = cli("store", "remove", store, "a")
    assert ran.code == 0
    assert "removed: a (" in ran.out
    assert rows(cli, store, "SELECT name FROM cells") == [{"name": "b"}]
    again = cli("store", "remove", store, "a")
    assert again.code == 2
    assert "'a'" in again.err


def test_verify_finds_a_damaged_and_a_lost_file(cli, store, files):
    cli("store", "add", store, *files)
    ran = cli("store", "verify", store)
    assert ran.code == 0
    assert "2 cells, 0 problems" in ran.out
    first, second = sorted((store / "timeseries").glob("*.parquet"))[:2]
    raw = bytearray(first.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    first.write_bytes(raw)
    second.unlink()
    ran = cli("store", "verify", store)
    assert ran.code == 2
    assert "2 cells, 2 problems" in ran.out
    answer = json.loads(cli("store", "verify", store, "--json").out)
    assert answer["cells_count"] == 2
    assert len(answer["problems"]) == 2
    for problem in answer["problems"]:
        assert set(problem) == {"file", "cell_id", "what"}
        assert problem["what"]
