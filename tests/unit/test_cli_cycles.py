"""The command `cycles`."""

import json
import re

import polars as pl
import pytest

import equipoise as eqp
from cycler_files import bdf_text, maccor_text, truth
from equipoise.study.measured_cell import load_cell_data

TRUTH = truth(cycles=3)
KEYS = {
    "name",
    "group",
    "file",
    "origin",
    "proven",
    "cycles_derived",
    "findings",
    "cell",
    "cycles",
    "life",
    "life_rule",
    "fade",
    "efficiency",
    "rates",
    "recovery",
    "check_ups",
    "electrode_drift",
    "electrode_notes",
    "reasons",
}


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "c7.bdf.csv"
    path.write_bytes(bdf_text(TRUTH))
    return path


@pytest.fixture
def faded(tmp_path):
    """A cell that loses 1 % of its first capacity in each of 40 cycles."""
    path = tmp_path / "f.csv"
    rows = [
        f"{i},{2 - 0.02 * (i - 1)!r},{2 - 0.02 * (i - 1)!r}\n" for i in range(1, 41)
    ]
    path.write_text("Cycle_Index,Q_chg,Q_dis\n" + "".join(rows))
    return path


@pytest.fixture(scope="module")
def simulated(lb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    protocol = eqp.load_protocol("short-rate-test")
    run = eqp.simulate(lb, protocol, model="quasi-static")
    eqp.write_run(run, folder)
    return folder / "trace.bdf.parquet"


def cell(ran):
    assert ran.code == 0, ran.err
    (found,) = json.loads(ran.out)["cells"]
    return found


def test_json_has_the_documented_keys_and_the_cycles_of_the_library(cli, measured):
    found = cell(cli("cycles", measured, "--json"))
    assert set(found) == KEYS
    assert (found["name"], found["group"], found["origin"]) == ("c7", "c7", "measured")
    assert found["proven"] is True
    assert found["cycles_derived"] is False
    assert found["cycles"] == load_cell_data(measured).cycles.to_dicts()
    assert found["rates"] is None
    assert "rates" in found["reasons"]


def test_mass_and_1c_give_specific_capacities_and_rates(cli, measured):
    options = ("--mass-mg", 10, "--one-c-ma", 4)
    found = cell(cli("cycles", measured, "--json", *options))
    row = found["cycles"][0]
    assert row["discharging_capacity_mah_per_g_positive"] == pytest.approx(
        row["discharging_capacity_ah"] * 1e5
    )
    assert row["discharge_c_rate"] == pytest.approx(0.5)
    ran = cli("cycles", measured, *options)
    assert "mAh g⁻¹" in ran.out
    assert "C-rate" in ran.out
    bare = cli("cycles", measured)
    assert "mAh g⁻¹" not in bare.out
    assert "C-rate" not in bare.out
    assert "mAh" in bare.out


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "mAh"), (1e-3, "µAh"), (1e3, " Ah")])
def test_capacities_of_a_cell_are_printed_in_a_fitting_unit(cli, tmp_path, scale, unit):
    path = tmp_path / "s.csv"
    q = 1.9e-3 * scale
    path.write_text(f"Cycle_Index,Q_chg,Q_dis\n1,{q},{q}\n2,{q},{q}\n")
    ran = cli("cycles", path)
    assert ran.code == 0
    assert unit in ran.out
    assert "1.9" in ran.out


def test_life_threshold_and_reference(cli, faded):
    found = cell(cli("cycles", faded, "--json"))
    assert found["proven"] is None
    assert found["life"]["life_cycle_count"] == pytest.approx(20.0)
    assert found["fade"]["fade_per_cycle_percent"] == pytest.approx(1.0)
    found = cell(cli("cycles", faded, "--json", "--threshold", 0.9))
    assert found["life"]["life_cycle_count"] == pytest.approx(10.0)
    found = cell(cli("cycles", faded, "--json", "--reference-cycle", 11))
    assert found["life"]["life_cycle_count"] == pytest.approx(18.0)
    assert "cycle 11" in found["life_rule"]
    text = cli("cycles", faded).out
    assert "life to 80 %: 20 cycles since cycle 1" in text
    assert "fade: 1.0000 % per cycle" in text
    text = cli("cycles", faded, "--threshold", 0.5).out
    assert re.search(r"life to 50 %: not reached .* 39 cycles since cycle 1", text)
    found = cell(cli("cycles", faded, "--json", "--reference-cycle", 99))
    assert found["life"] is None
    assert "99" in found["reasons"]["life"]


def test_cycles_in_the_middle_are_left_out_of_the_print_not_of_json(cli, faded):
    text = cli("cycles", faded).out
    assert "..." in text
    assert "40 cycles, measured" in text
    assert len(cell(cli("cycles", faded, "--json"))["cycles"]) == 40


def test_lacking_cycles_and_derived_ones_are_said(cli, tmp_path):
    path = tmp_path / "s.csv"
    rows = "".join(f"{i},2,1.9\n" for i in (1, 2, 5))
    path.write_text("Cycle_Index,Q_chg,Q_dis\n" + rows)
    assert "2 cycles are not in this file, the first is 3" in cli("cycles", path).out
    other = tmp_path / "d.bdf.csv"
    labels = {"time": "Test Time / s", "voltage": "Voltage / V"}
    other.write_bytes(bdf_text(TRUTH, labels | {"current": "Current / A"}))
    ran = cli("cycles", other)
    assert ran.code == 0, ran.err
    assert "counted as the current alternates" in ran.out


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_are_written_and_read_back(cli, simulated, tmp_path, form):
    out = tmp_path / "out"
    ran = cli(
        "cycles", simulated, "--out", out, "--format", form, "--no-figures", "--json"
    )
    answer = json.loads(ran.out)
    names = {f"LB.{k}.{form}" for k in ("cycles", "rates", "electrodes")}
    assert {p.name for p in out.iterdir()} == names
    assert {f"{out / n}" for n in names} == set(answer["files"])
    back = json.loads(cli("cycles", out / f"LB.cycles.{form}", "--json").out)
    ours, theirs = answer["cells"][0]["cycles"], back["cells"][0]["cycles"]
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert set(a) == set(b)
        for key, value in a.items():
            number = isinstance(value, float)
            assert b[key] == (pytest.approx(value, rel=1e-12) if number else value), key
    reader = pl.read_csv if form == "csv" else pl.read_parquet
    rates = reader(out / f"LB.rates.{form}")
    assert rates.height == len(answer["cells"][0]["rates"])


def test_a_simulation_is_summed_up_like_a_measurement(cli, simulated):
    found = cell(cli("cycles", simulated, "--json"))
    assert found["origin"] == "simulated"
    assert found["name"] == "LB"
    assert found["rates"]
    run = pl.read_parquet(simulated.parent / "cycles.parquet")
    potentials = [r["upper_potential_vs_li_volt"] for r in found["cycles"]]
    assert potentials == pytest.approx(run["upper_potential_vs_li_volt"].to_list())
    text = cli("cycles", simulated).out
    for word in ("UP", "LP", "simulated", "mAh g⁻¹"):
        assert word in text


def test_figures_are_drawn_with_out_only(cli, simulated, tmp_path):
    out = tmp_path / "out"
    ran = cli("cycles", simulated, "--out", out)
    assert ran.code == 0, ran.err
    drawn = {p.name for p in (out / "figures").iterdir()}
    for stem in ("capacity_and_efficiency", "rate_capability", "cutoff_potentials"):
        assert {f"{stem}.svg", f"{stem}.png"} <= drawn
    assert all((out / "figures" / n).stat().st_size > 1000 for n in drawn)
    for name in drawn:
        assert f"written: {out / 'figures' / name}" in ran.out


def test_cells_of_a_group_keep_their_names(cli, tmp_path):
    for name in ("lb1", "lb2"):
        made = truth(cycles=2, span_volt=1.0 if name == "lb1" else 0.9)
        (tmp_path / f"{name}.txt").write_bytes(maccor_text(made))
    out = tmp_path / "out"
    files = [tmp_path / "lb1.txt", tmp_path / "lb2.txt"]
    ran = cli("cycles", *files, "--group", "LB", "--out", out, "--no-figures", "--json")
    assert ran.code == 0, ran.err
    cells = json.loads(ran.out)["cells"]
    assert [c["name"] for c in cells] == ["lb1", "lb2"]
    assert [c["group"] for c in cells] == ["LB", "LB"]
    assert {p.name for p in out.iterdir()} == {
        "lb1.cycles.parquet",
        "lb2.cycles.parquet",
    }


def test_two_cells_of_one_name_do_not_overwrite_each_other(cli, tmp_path):
    files = []
    for folder, base in (("a", 3.0), ("b", 3.1)):
        (tmp_path / folder).mkdir()
        files.append(tmp_path / folder / "c.txt")
        files[-1].write_bytes(maccor_text(truth(cycles=1, base_volt=base)))
    out = tmp_path / "out"
    ran = cli("cycles", *files, "--group", "LB", "--out", out)
    assert ran.code == 0, ran.err
    assert (out / "figures" / "capacity_and_efficiency.svg").exists()
    tables = [pl.read_parquet(p) for p in sorted(out.glob("*.parquet"))]
    assert len(tables) == 2
    assert not tables[0].equals(tables[1])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--format", "xlsx"], "xlsx"),
        (["--mass-mg", "-1"], "positive_active_mass_mg"),
        (["--reader", "nope"], "nope"),
        (["--threshold", "2"], "threshold"),
    ],
)
def test_a_wrong_option_ends_with_2_and_writes_nothing(
    cli, measured, tmp_path, options, word
):
    out = tmp_path / "out"
    ran = cli("cycles", measured, "--out", out, *options)
    assert ran.code == 2
    assert word in ran.err
    assert not out.exists()


def test_one_wrong_file_among_good_ones_writes_nothing(cli, measured, tmp_path):
    out = tmp_path / "out"
    ran = cli("cycles", measured, tmp_path / "none.csv", "--out", out)
    assert ran.code == 2
    assert "none.csv" in ran.err
    assert not out.exists()


def test_out_may_not_be_a_file(cli, measured):
    ran = cli("cycles", measured, "--out", measured, "--no-figures")
    assert ran.code == 2
    assert ran.err.startswith("equipoise: ")
    assert measured.read_bytes() == bdf_text(TRUTH)
