"""The command `dqdv`."""

import json

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from cycler_files import bdf_text, truth

TRUTH = truth(cycles=3, every=10)


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "c7.bdf.csv"
    path.write_bytes(bdf_text(TRUTH))
    return path


@pytest.fixture(scope="module")
def simulated(lb, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    protocol = eqp.load_protocol("formation")
    run = eqp.simulate(lb, protocol, model="quasi-static")
    eqp.write_run(run, folder)
    return folder / "trace.bdf.parquet"


def cell(ran):
    assert ran.code == 0, ran.err
    (found,) = json.loads(ran.out)["cells"]
    return found


def test_json_has_the_documented_keys_and_areas_of_the_truth(cli, measured):
    found = cell(cli("dqdv", measured, "--json"))
    assert set(found) == {"name", "file", "axis", "smoothing", "half_cycles", "peaks"}
    assert found["name"] == "c7"
    assert found["axis"] == "cell"
    assert [(h["cycle_count"], h["direction"]) for h in found["half_cycles"]] == [
        (c, d) for c in (0, 1, 2) for d in (1, -1)
    ]
    charges = [h for h in found["half_cycles"] if h["direction"] > 0]
    total = sum(h["capacity_ah"] + h["cv_capacity_ah"] for h in charges)
    assert total == pytest.approx(TRUTH.charged_ah[-1], rel=1e-9)
    for half in found["half_cycles"]:
        assert half["area_residual_fraction"] < 1e-6 or half["flaw"]


def test_chosen_cycles_are_those_of_the_whole(cli, simulated, tmp_path):
    def curves(*options):
        out = tmp_path / f"out{len(options)}"
        ran = cli("dqdv", simulated, "--out", out, "--no-figures", "--json", *options)
        return cell(ran), {
            k: pl.read_parquet(out / f"LB.{k}.parquet") for k in ("dqdv", "peaks")
        }

    whole, all_of = curves()
    some, chosen = curves("--cycles", "2,4")
    pick = [h for h in whole["half_cycles"] if h["cycle_count"] in (2, 4)]
    assert some["half_cycles"] == pick
    for name, table in all_of.items():
        expected = table.filter(pl.col("cycle_count").is_in([2, 4]))
        assert expected.height > 0
        found, expected = (
            t.drop("half_cycle_index") for t in (chosen[name], expected)
        )  # it counts the half-cycles of the file
        assert found.equals(expected, null_equal=True), name
    ranged = cell(cli("dqdv", simulated, "--cycles", "2:4:2", "--json"))
    assert ranged["half_cycles"] == pick


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_curves_written_hold_the_charge(cli, measured, tmp_path, form):
    out = tmp_path / "out"
    ran = cli(
        "dqdv", measured, "--out", out, "--no-figures", "--format", form, "--json"
    )
    answer = json.loads(ran.out)
    assert {p.name for p in out.iterdir()} == {f"c7.dqdv.{form}", f"c7.peaks.{form}"}
    assert set(answer["files"]) == {str(p) for p in out.iterdir()}
    read = pl.read_csv if form == "csv" else pl.read_parquet
    curves, peaks = (read(out / f"c7.{k}.{form}") for k in ("dqdv", "peaks"))
    assert peaks.height == len(answer["cells"][0]["peaks"])
    height = next(n for n in curves.columns if n.endswith("ah_per_volt"))
    half = answer["cells"][0]["half_cycles"][1]
    one = curves.filter(
        (pl.col("cycle_count") == half["cycle_count"])
        & (pl.col("direction") == half["direction"])
    )
    values = one[height].fill_nan(0.0).to_numpy()
    volts = one["voltage_volt"].to_numpy()
    area = abs(np.trapezoid(values, volts))
    assert area == pytest.approx(half["capacity_ah"], rel=0.01)


def test_mass_gives_specific_heights(cli, measured):
    bare = cli("dqdv", measured)
    assert "Ah V⁻¹" in bare.out
    assert "mAh g⁻¹ V⁻¹" not in bare.out
    assert "mAh g⁻¹ V⁻¹" in cli("dqdv", measured, "--mass-mg", 5).out


@pytest.mark.parametrize("axis", ["positive", "negative"])
def test_the_axis_is_the_potential_of_an_electrode(cli, simulated, axis):
    found = cell(cli("dqdv", simulated, "--axis", axis, "--json"))
    assert found["axis"] == axis
    assert found["peaks"]
    assert f"{axis}_electrode_potential_volt" in found["peaks"][0]
    assert "V vs Li⁺/Li" in cli("dqdv", simulated, "--axis", axis).out


def test_the_plateau_of_the_negative_names_the_peaks_of_the_cell(cli, simulated):
    def named(*options):
        found = cell(cli("dqdv", simulated, "--cycles", 2, "--json", *options))
        return {p["transition"] for p in found["peaks"]} - {"", None}

    assert named("--axis", "positive")
    assert not named()
    assert named("--negative-plateau-volt", 1.55)


def test_no_smoothing_is_said(cli, measured):
    assert cell(cli("dqdv", measured, "--json"))["smoothing"] == "gaussian"
    found = cell(cli("dqdv", measured, "--json", "--smoothing-millivolt", 0))
    assert found["smoothing"] == "none"


def test_figures_of_both_directions(cli, simulated, tmp_path):
    out = tmp_path / "out"
    ran = cli("dqdv", simulated, "--cycles", "2,4", "--out", out)
    assert ran.code == 0, ran.err
    drawn = {p.name for p in (out / "figures").iterdir()}
    for way in ("charge", "discharge"):
        for stem in ("dqdv", "dqdv_map", "dqdv_map_3d"):
            assert {f"{stem}_{way}.svg", f"{stem}_{way}.png"} <= drawn


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--axis", "anode"], "--axis"),
        (["--axis", "positive"], "positive_electrode_potential_volt"),
        (["--cycles", "77"], "there are 0 to 2"),
        (["--cycles", "1.5"], "whole numbers"),
        (["--cycles", "-1"], "numbers of cycles"),
        (["--cycles", "x"], "not a number"),
        (["--step-millivolt", "0"], "step"),
        (["--step-millivolt", "-1"], "step"),
        (["--smoothing-millivolt", "nan"], "smoothing"),
        (["--smoothing-millivolt", "-5"], "smoothing"),
        (["--format", "xlsx"], "xlsx"),
    ],
)
def test_a_wrong_option_ends_with_2_and_writes_nothing(
    cli, measured, tmp_path, options, word
):
    out = tmp_path / "out"
    ran = cli("dqdv", measured, "--out", out, "--no-figures", *options)
    assert ran.code == 2, ran.out
    assert word in ran.err
    assert "Traceback" not in ran.err
    assert not out.exists()


def test_a_table_of_cycles_has_no_curves(cli, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("Cycle_Index,Q_chg,Q_dis\n1,2,1.9\n")
    ran = cli("dqdv", path)
    assert ran.code == 2
    assert "time series was expected" in ran.err
