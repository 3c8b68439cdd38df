"""The command `compare`."""

import json
import shutil

import polars as pl
import pytest

from cycler_files import bdf_text, truth

KEYS = {
    "equipoise",
    "a",
    "b",
    "quantity",
    "differences",
    "retention_differences",
    "means",
    "lives",
    "life_comparison",
    "reasons",
    "files",
}
PER_CELL = "difference_discharging_capacity_ah"


@pytest.fixture
def cell(tmp_path):
    """Write a cell that loses `fade` of its first capacity in each of 30 cycles."""

    def write(name, start, fade=0.01, folder=None):
        rows = [
            f"{i + 1},{q!r},{q!r}\n"
            for i, q in enumerate(start * (1 - fade * k) for k in range(30))
        ]
        path = (folder or tmp_path) / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("Cycle_Index,Q_chg,Q_dis\n" + "".join(rows))
        return path

    return write


@pytest.fixture
def four(cell):
    lb = f"{cell('lb1', 2.0)},{cell('lb2', 2.2)}"
    return lb, f"{cell('hb1', 1.0, 0.02)},{cell('hb2', 1.1, 0.02)}"


def test_json_has_the_documented_keys(cli, four):
    ran = cli("compare", *four, "--names", "LB,HB", "--json")
    assert (ran.code, ran.err) == (0, "")
    answer = json.loads(ran.out)
    assert set(answer) == KEYS
    assert answer["a"] == {"name": "LB", "cells": ["lb1", "lb2"]}
    assert answer["b"] == {"name": "HB", "cells": ["hb1", "hb2"]}
    assert len(answer["differences"]) == 30
    assert answer["differences"][0][PER_CELL] == pytest.approx(1.05)
    assert [x["life_cycle_count"] for x in answer["lives"]["a"]] == pytest.approx(
        [20.0, 20.0]
    )
    assert answer["life_comparison"]["life_ratio"] == pytest.approx(2.0)
    assert answer["reasons"] == {}


def test_the_print_says_difference_interval_and_lives(cli, four):
    ran = cli("compare", *four, "--names", "LB,HB", "--at", "0,10")
    assert ran.code == 0
    assert "LB (2 cells) and HB (2)" in ran.out
    assert "+1.05e+03" in ran.out
    assert " to " in ran.out
    assert "cycles to 80 %, LB: 20, 20" in ran.out
    assert "life LB / HB: 2" in ran.out
    assert "33 %" in ran.out  # by chance apart


def test_one_cell_has_no_interval(cli, cell):
    a, b = cell("a", 2.0), cell("b", 1.0)
    ran = cli("compare", a, b)
    assert ran.code == 0
    assert "unknown" in ran.out
    assert "no interval" in ran.out
    answer = json.loads(cli("compare", a, b, "--json").out)
    assert answer["differences"][0]["low_" + PER_CELL] is None
    assert (answer["a"]["name"], answer["b"]["name"]) == ("a", "b")


def test_only_the_cycles_asked_for(cli, four):
    answer = json.loads(cli("compare", *four, "--at", "0,7", "--json").out)
    assert [d["ageing_cycle_count"] for d in answer["differences"]] == [0, 7]
    assert [d["ageing_cycle_count"] for d in answer["retention_differences"]] == [0, 7]
    assert answer["retention_differences"][1][
        "difference_capacity_retention"
    ] == pytest.approx(0.07)


def test_mass_and_threshold(cli, four):
    answer = json.loads(
        cli("compare", *four, "--mass-mg", 1e4, "--threshold", 0.9, "--json").out
    )
    assert answer["quantity"] == "discharging_capacity_mah_per_g_positive"
    first = answer["differences"][0]
    assert first[f"difference_{answer['quantity']}"] == pytest.approx(105.0)
    assert answer["lives"]["b"][0]["life_cycle_count"] == pytest.approx(5.0)
    assert "mAh g⁻¹" in cli("compare", *four, "--mass-mg", 1e4).out


def test_no_ageing_cycles_is_stated(cli, tmp_path):
    paths = []
    for name, q in (("a", 1.0), ("b", 0.9)):
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text(f"Cycle_Index,Q_chg,Q_dis\n1,1.2,{q}\n")
    ran = cli("compare", *paths)
    assert ran.code == 0
    assert "all complete cycles are compared" in ran.out
    answer = json.loads(cli("compare", *paths, "--json").out)
    assert answer["lives"] is None
    assert answer["life_comparison"] is None
    assert answer["reasons"]
    assert answer["differences"][0]["cycle_count"] == 1


def test_folders_are_groups(cli, cell, tmp_path):
    for folder, size in (("lb", 2.0), ("hb", 1.0)):
        for i in (1, 2):
            cell(f"c{i}", size + 0.1 * i, folder=tmp_path / folder)
    (tmp_path / "lb" / "notes.md").write_text("none")
    answer = json.loads(cli("compare", tmp_path / "lb", tmp_path / "hb", "--json").out)
    assert answer["a"] == {"name": "lb", "cells": ["c1", "c2"]}
    assert answer["b"]["name"] == "hb"


def test_groups_of_a_store(cli, cell, tmp_path):
    store = tmp_path / "store"
    for group, size in (("LB", 2.0), ("HB", 1.0)):
        files = [cell(f"{group}{i}", size + 0.1 * i) for i in (1, 2)]
        ran = cli("store", "add", store, *files, "--group", group)
        assert ran.code == 0, ran.err
    answer = json.loads(cli("compare", "LB", "HB", "--store", store, "--json").out)
    assert answer["a"] == {"name": "LB", "cells": ["LB1", "LB2"]}
    assert answer["differences"][0][PER_CELL] == pytest.approx(1.0)
    single = cli("compare", "LB", "HB2", "--store", store, "--json")
    assert json.loads(single.out)["b"]["cells"] == ["HB2"]
    wrong = cli("compare", "LB", "XB", "--store", store)
    assert wrong.code == 2
    assert "groups: HB, LB" in wrong.err
    assert cli("compare", "LB", "HB", "--store", tmp_path / "none").code == 2


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_are_written_and_read_back(cli, four, tmp_path, form):
    out = tmp_path / "out"
    ran = cli(
        "compare", *four, "--out", out, "--format", form, "--no-figures", "--json"
    )
    answer = json.loads(ran.out)
    names = ("differences", "retention-differences", "means-a", "means-b")
    assert {p.name for p in out.iterdir()} == {f"{n}.{form}" for n in names}
    assert set(answer["files"]) == {str(p) for p in out.iterdir()}
    read = pl.read_csv if form == "csv" else pl.read_parquet
    table = read(out / f"differences.{form}")
    assert table[PER_CELL].to_list() == pytest.approx(
        [d[PER_CELL] for d in answer["differences"]]
    )


def test_figures(cli, four, tmp_path):
    out = tmp_path / "out"
    ran = cli("compare", *four, "--names", "LB,HB", "--out", out)
    assert ran.code == 0, ran.err
    stems = ("capacity_and_efficiency", "differences")
    drawn = {p.name for p in (out / "figures").iterdir()}
    assert drawn == {f"{s}.{e}" for s in stems for e in ("svg", "png")}


def test_measured_time_series_are_compared(cli, tmp_path):
    for name, span in (("a", 1.0), ("b", 0.9)):
        made = bdf_text(truth(cycles=2, span_volt=span))
        (tmp_path / f"{name}.bdf.csv").write_bytes(made)
    ran = cli("compare", tmp_path / "a.bdf.csv", tmp_path / "b.bdf.csv", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["differences"]


# --- bad input


def test_the_same_file_twice_is_refused(cli, cell, tmp_path):
    a, copy = cell("a", 2.0), tmp_path / "copy.csv"
    shutil.copy(a, copy)
    out = tmp_path / "out"
    for arguments in ((a, a), (a, copy), (f"{a},{copy}", cell("b", 1.0))):
        ran = cli("compare", *arguments, "--out", out)
        assert ran.code == 2
        assert "same data" in ran.err
        assert not out.exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--names", "LB"], "--names"),
        (["--names", "LB,LB"], "--names"),
        (["--names", "LB,"], "--names"),
        (["--at", "0.5"], "--at"),
        (["--at", "x"], "--at"),
        (["--at", "-1"], "--at"),
        (["--at", "999"], "999"),
        (["--threshold", "3"], "threshold"),
        (["--format", "xlsx"], "xlsx"),
        (["--mass-mg", "0"], "positive_active_mass_mg"),
    ],
)
def test_a_wrong_option_ends_with_2_and_writes_nothing(
    cli, four, tmp_path, options, word
):
    out = tmp_path / "out"
    ran = cli("compare", *four, "--out", out, "--no-figures", *options)
    assert ran.code == 2, ran.out
    assert word in ran.err
    assert "Traceback" not in ran.err
    assert not out.exists()


@pytest.mark.parametrize("side", ["none.csv", ",", "empty"])
def test_a_side_without_cells_is_said(cli, cell, tmp_path, side):
    (tmp_path / "empty").mkdir()
    path = side if side == "," else tmp_path / side
    ran = cli("compare", cell("a", 2.0), path)
    assert ran.code == 2
    assert ran.err.startswith("equipoise: ")
    assert side in ran.err
