"""BDF tables and what is written beside them."""

import json
import math
from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import equipoise as eqp
from equipoise.core.errors import DataError, StoreError
from equipoise.io import bdf
from equipoise.kernels.program import End
from equipoise.report import run_files
from equipoise.sim import origin
from equipoise.sim.simulate import simulate
from equipoise.spec.provenance import Evidence


def series(**more):
    return pl.DataFrame(
        {
            "test_time_second": [0.0, 1.0 / 3.0, 1e9],
            "voltage_volt": [2.0, 2.5, math.pi],
            "current_ampere": [1e-3, 0.0, -1e-3],
            "cycle_count": [1, 1, 2],
            **more,
        }
    )


@pytest.fixture(scope="module")
def run():
    cell = eqp.load_cell("zhang2026-lb")
    return simulate(cell, eqp.load_protocol("first-cycle"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_comes_back_as_it_was(tmp_path, form):
    table = series(
        force_newton=[1.0, None, 3.0], step_type=["CC", "", "REST"], mine=["a", "b", ""]
    )
    if form == "csv":  # CSV knows no difference between "" and nothing
        table = table.with_columns(pl.col("step_type", "mine").replace("", None))
    path = eqp.write_bdf(table, tmp_path / f"a.bdf.{form}", metadata={})
    assert_frame_equal(eqp.read_bdf(path), table, check_exact=True)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_header_has_the_labels_of_the_format(tmp_path, form):
    path = eqp.write_bdf(
        series(mine=[1, 2, 3]), tmp_path / f"a.bdf.{form}", metadata={}
    )
    read = pl.read_csv if form == "csv" else pl.read_parquet
    assert read(path).columns == [
        "Test Time / s",
        "Voltage / V",
        "Current / A",
        "Cycle Count / 1",
        "mine",
    ]


def test_metadata_name_the_reference_and_describe_the_columns(tmp_path):
    table = series(positive_electrode_potential_volt=[3.5, 3.6, 3.7])
    path = eqp.write_bdf(table, tmp_path / "a.b.bdf.csv", metadata={"cell": "µ"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.b.bdf.csv", "a.b.bdf.json"]
    content = bdf.read_metadata(path)
    assert content["cell"] == "µ"
    assert content["equipoise"] == eqp.__version__
    assert content["reference_electrode"] == "li"
    assert content["reference_potential_vs_li_volt"] == 0.0
    assert content["columns"]["current_ampere"]["meaning"] == "> 0 charges"
    potential = content["columns"]["positive_electrode_potential_volt"]
    assert potential["level"] == "extension"
    assert potential["unit"] == "V"
    assert "Li+/Li" in potential["meaning"]


def test_another_reference_is_kept(tmp_path):
    given = {"reference_electrode": "lto", "reference_potential_vs_li_volt": 1.55}
    path = eqp.write_bdf(series(), tmp_path / "a.bdf.csv", metadata=given)
    found = bdf.read_metadata(path)
    assert {k: found[k] for k in given} == given


def test_a_table_without_metadata_has_none(tmp_path):
    assert bdf.read_metadata(tmp_path / "a.bdf.csv") == {}


@pytest.mark.parametrize(("text", "word"), [("{", "no JSON"), ("[1]", "a JSON object")])
def test_broken_metadata_are_refused(tmp_path, text, word):
    (tmp_path / "a.bdf.json").write_text(text)
    with pytest.raises(DataError, match=word):
        bdf.read_metadata(tmp_path / "a.bdf.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.bdf", "a.bdf.xlsx", "bdf.parquet"])
def test_a_name_that_hides_the_format_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"\.bdf\.parquet or \.bdf\.csv"):
        eqp.write_bdf(series(), tmp_path / name, metadata={})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), {1, 2}])
def test_metadata_that_are_no_json_are_refused_before_anything_is_written(
    tmp_path, value
):
    with pytest.raises(DataError, match="cannot be written as JSON"):
        eqp.write_bdf(series(), tmp_path / "a.bdf.csv", metadata={"x": value})
    assert not list(tmp_path.iterdir())


def test_a_table_that_lacks_a_required_column_is_not_written(tmp_path):
    with pytest.raises(DataError, match=r"'Current / A'.*found: test_time_second"):
        eqp.write_bdf(
            series().drop("current_ampere"), tmp_path / "a.bdf.csv", metadata={}
        )
    assert not list(tmp_path.iterdir())


def test_the_old_file_survives_a_failed_write(tmp_path, monkeypatch):
    path = eqp.write_bdf(series(), tmp_path / "a.bdf.parquet", metadata={"n": 1})
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        eqp.write_bdf(series(force_newton=[1, 2, 3]), path, metadata={"n": 2})
    assert path.read_bytes() == before
    assert bdf.read_metadata(path)["n"] == 1
    assert len(list(tmp_path.iterdir())) == 2  # no temporary file stays


# --- files of others


HEADER = "Test Time / s,Voltage / V,Current / A,Cycle Count / 1\n"
BAD = {
    "absent column": ("Test Time / s,Voltage / V\n1,2\n", "'Current / A'"),
    "milliseconds": (
        "Test Time / ms,Voltage / V,Current / A\n1,2,3\n",
        "'Test Time / s'",
    ),
    "twice": (HEADER.replace("Cycle Count / 1", "voltage_volt"), "two columns"),
    "same label": (HEADER.replace("Cycle Count / 1", "Voltage / V"), "more than one"),
    "text": (HEADER + "0,2,1,1\n1,low,1,1\n", "data row 2: found 'low'"),
    "half a cycle": (HEADER + "0,2,1,1.5\n", "a whole number was expected"),
    "endless cycle": (HEADER + "0,2,1,inf\n", "a whole number was expected"),
    "empty": ("", "the file is empty"),
    "ragged": (HEADER + "0,2,1,1,9,9\n", "not a readable table"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_table_is_refused_with_the_place(tmp_path, name):
    text, word = BAD[name]
    path = tmp_path / "a.bdf.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=word) as caught:
        eqp.read_bdf(path)
    assert "a.bdf.csv" in str(caught.value)


def test_a_table_that_is_not_there_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        eqp.read_bdf(tmp_path / "a.bdf.csv")
    (tmp_path / "b.bdf.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not a readable table"):
        eqp.read_bdf(tmp_path / "b.bdf.parquet")


def test_numbers_of_a_parquet_table_must_be_numbers(tmp_path):
    path = tmp_path / "a.bdf.parquet"
    series().with_columns(pl.lit(value=True).alias("current_ampere")).write_parquet(
        path
    )
    with pytest.raises(DataError, match="found True, a number"):
        eqp.read_bdf(path)


def test_comments_spaces_older_labels_and_whole_floats_are_read(tmp_path):
    path = tmp_path / "a.bdf"
    path.write_text(
        "# a cycler\ntest_time_second,Voltage / V,Current / A,Cycle Count / 1,"
        "Charge Capacity / Ah,Room\n0, 2.5 ,1e-3,7.0,0.5,B 12\n1,,nan,8.0,0.6,\n"
    )
    table = eqp.read_bdf(path)
    assert table["cycle_count"].to_list() == [7, 8]  # cycles are not renumbered
    assert table["voltage_volt"].to_list() == [2.5, None]
    assert math.isnan(table["current_ampere"][1])
    assert table["charging_capacity_ah"].to_list() == [0.5, 0.6]
    assert table["Room"].to_list() == ["B 12", None]


# --- runs


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_run_is_written_and_read_back(tmp_path, run, form):
    files = eqp.write_run(run, tmp_path / "new/folder", form=form)
    assert [f.name for f in files] == [
        f"cycles.{form}",
        f"steps.{form}",
        f"trace.bdf.{form}",
        "trace.bdf.json",
    ]
    read = pl.read_csv if form == "csv" else pl.read_parquet
    assert_frame_equal(read(files[0]), run.cycles, rel_tol=1e-14, abs_tol=0)
    assert_frame_equal(read(files[1]), run.steps, rel_tol=1e-14, abs_tol=0)
    trace = eqp.read_bdf(files[2])
    assert trace.height == run.trace.height
    for name in set(trace.columns) & set(run.trace.columns):
        assert_frame_equal(
            trace.select(name), run.trace.select(name), rel_tol=1e-12, abs_tol=0
        )


def test_capacities_within_a_cycle_have_the_label_of_that(tmp_path, run):
    """BDF's "Charging Capacity / Ah" runs since the start of the test instead."""
    trace = eqp.read_bdf(eqp.write_run(run, tmp_path)[2])
    assert "charging_capacity_ah" not in trace.columns
    passed = trace["cycle_charging_capacity_ah"].max() * 1e3
    mass = run.lowered.positive_mass_g
    expected = run.cycles["charging_capacity_mah_per_g_positive"][0]
    assert passed / mass == pytest.approx(expected, rel=1e-6)


def test_potentials_in_the_file_differ_by_the_voltage(tmp_path, run):
    trace = eqp.read_bdf(eqp.write_run(run, tmp_path)[2])
    apart = (
        trace["positive_electrode_potential_volt"]
        - trace["negative_electrode_potential_volt"]
        - trace["voltage_volt"]
    )
    assert apart.abs().max() < 1e-12


def test_metadata_of_a_full_cell(run):
    content = run_files.run_metadata(run)
    json.dumps(content, allow_nan=False)
    assert content["cell"] == "LB"
    assert content["protocol"] == "first-cycle"
    assert content["model"] == "dfn"
    assert content["np_ratio"] == 1.1
    assert content["status"] == "OK"
    assert content["finished"] is True
    assert content["mesh"]["positive_nodes_count"] == 20
    assert content["stepping"] == eqp.Stepping().model_dump()
    masses = content["active_masses_mg"]
    sheet = eqp.weigh_sheet(run.cell)
    assert masses["positive"] == pytest.approx(sheet.positive_active_mg, rel=1e-12)
    assert masses["negative"] == pytest.approx(sheet.negative_active_mg, rel=1e-12)
    assert content["one_c_ma"] == pytest.approx(sheet.one_c_ma, rel=1e-12)
    areas = content["areas_cm2"]
    assert areas["positive"] == pytest.approx(math.pi * 0.45**2, rel=1e-12)
    assert sum(content["evidence_of_rates"].values()) > 10


def test_metadata_of_a_half_cell():
    setup = eqp.load_half_cell_setup("zhang2026-lto-inli")
    run = simulate(setup, eqp.load_protocol("first-cycle"))
    content = run_files.run_metadata(run)
    json.dumps(content, allow_nan=False)
    assert content["counter"] == "in_inli"
    assert content["counter_potential_vs_li_volt"] == 0.62
    assert list(content["active_masses_mg"]) == ["working"]
    full = eqp.simulate(
        eqp.load_cell("zhang2026-lb"), eqp.load_protocol("first-cycle"), trace="none"
    )
    fewer = sum(content["evidence_of_rates"].values())
    assert fewer < sum(origin.evidence_of_rates(full).values())  # one electrode only


def own_curves(cell):
    """The cell with the curves of its materials, whatever its rates bring along."""
    sides = {
        side: getattr(cell.kinetics, side).model_copy(
            update={"open_circuit": None, "open_circuit_stretch_ratio": 1.0}
        )
        for side in ("positive", "negative")
    }
    return replace(cell, kinetics=cell.kinetics.model_copy(update=sides))


MET = {
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_capacity_mah_per_g_positive",
    "discharging_capacity_mah_per_g_positive",
    "upper_potential_vs_li_volt",
    "negative_end_of_charge_potential_vs_li_volt",
}


def test_at_equilibrium_the_first_cycle_is_what_the_curves_were_made_to_meet(lb):
    protocol, cell = eqp.load_protocol("first-cycle"), own_curves(lb)
    at_rest = origin.roles(simulate(cell, protocol, model="quasi-static"))
    assert {k for k, v in at_rest.items() if v == "calibrated"} == MET
    other = simulate(cell.with_np_ratio(1.2), protocol, model="quasi-static")
    assert "calibrated" not in origin.roles(other).values()


def test_with_curves_of_the_rates_the_equilibrium_is_predicted(lb):
    cell = own_curves(lb)
    sides = {
        "positive": cell.kinetics.positive.model_copy(
            update={"open_circuit_stretch_ratio": 1.01}
        )
    }
    other = replace(cell, kinetics=cell.kinetics.model_copy(update=sides))
    run = simulate(other, eqp.load_protocol("first-cycle"), model="quasi-static")
    assert set(origin.roles(run).values()) == {"input", "predicted"}


def no_calibrated(model):
    """The same rates, those that are calibrated declared as the user's."""
    changed = {}
    for key in type(model).model_fields:
        value = getattr(model, key)
        if getattr(value, "evidence", None) == Evidence.CALIBRATED:
            changed[key] = value.model_copy(update={"evidence": Evidence.USER})
        elif key in ("positive", "negative"):
            changed[key] = no_calibrated(value)
    return model.model_copy(update=changed)


def test_with_uncalibrated_rates_everything_is_predicted(lb):
    rates = no_calibrated(lb.kinetics)
    run = simulate(replace(lb, kinetics=rates), eqp.load_protocol("first-cycle"))
    assert "calibrated" not in origin.evidence_of_rates(run)
    assert set(origin.roles(run).values()) == {"input", "predicted"}


CAPACITIES = {  # per gram, and the same of the cell
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_capacity_mah_per_g_positive",
    "discharging_capacity_mah_per_g_positive",
}


def calibrated(run):
    return {k for k, v in origin.roles(run).items() if v == "calibrated"}


def test_calibrated_are_the_columns_that_the_rates_were_made_to_meet(lb):
    run = simulate(lb, eqp.load_protocol("first-cycle"))
    assert calibrated(run) == CAPACITIES
    # potentials were met in a cell with 160 mg of separator, not in these with 100
    for name in ("zhang2026-lb", "zhang2026-hb"):
        protocol = eqp.load_protocol("three-electrode-rate-test")
        three = simulate(eqp.load_cell(name), protocol, trace="none")
        assert not calibrated(three)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.with_np_ratio(1.2),
        lambda c: c.with_window(upper_volt=2.70),
        lambda c: c.with_temperature(25.0),
        lambda c: c.with_kinetics(
            c.kinetics.model_copy(update={"reference_position_fraction": 0.4})
        ),
        lambda c: respecified(c, one_c_ma_per_g_positive=200.0),
        lambda c: respecified(
            c, positive=c.spec.positive.model_copy(update={"loading_mg_per_cm2": 8.0})
        ),
    ],
    ids=["np", "window", "temperature", "kinetics", "1C", "loading"],
)
def test_on_any_other_cell_everything_is_predicted(lb, change):
    run = simulate(change(lb), eqp.load_protocol("first-cycle"))
    assert not calibrated(run)


@pytest.mark.parametrize("protocol", ["formation", "gitt", "cycle-1C", "pseudo-ocv"])
def test_in_any_other_protocol_everything_is_predicted(lb, protocol):
    run = simulate(lb, eqp.load_protocol(protocol), trace="none")
    assert not calibrated(run)


def test_other_models_are_predictions(lb):
    run = simulate(lb, eqp.load_protocol("first-cycle"), model="spm")
    assert not calibrated(run)


def respecified(cell, **changes):
    return replace(cell, spec=cell.spec.model_copy(update=changes))


def test_a_run_without_a_trace_still_has_its_metadata(tmp_path, lb):
    run = simulate(lb, eqp.load_protocol("first-cycle"), trace="none")
    for form in ("csv", "parquet"):
        path = eqp.write_run(run, tmp_path / form, form=form)[2]
        table = eqp.read_bdf(path)
        assert table.height == 0
        assert table.schema["voltage_volt"] == pl.Float64
        assert table.schema["cycle_count"] == pl.Int64
        assert bdf.read_metadata(path)["cell"] == "LB"


def test_an_unknown_form_is_refused_before_the_folder_exists(tmp_path, run):
    with pytest.raises(DataError, match="'xlsx'"):
        eqp.write_run(run, tmp_path / "out", form="xlsx")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("rows", [0, 1])
def test_an_interrupted_run_says_whether_its_last_cycle_is_whole(tmp_path, lb, rows):
    protocol = eqp.load_protocol("formation")
    calls = []

    def stop(done, total):
        calls.append((done, total))
        if len(calls) > rows:
            raise KeyboardInterrupt

    run = simulate(lb, protocol, progress=stop)
    assert run.interrupted
    assert run.results.shape[0] == rows + 1
    assert origin.outcome(run) == "INTERRUPTED"
    partial = rows == 0  # the charge alone
    assert any("not a whole cycle" in n for n in origin.notes(run)) == partial
    assert bdf.read_metadata(eqp.write_run(run, tmp_path)[2])["finished"] is False


def test_a_step_that_failed_is_in_a_cycle_that_is_not_whole(lb):
    stepping = eqp.Stepping(most_substeps_count=10)
    with pytest.warns(eqp.EquipoiseWarning, match="could not be finished"):
        run = simulate(
            lb, eqp.load_protocol("formation"), stepping=stepping, strict=False
        )
    assert run.results[-1, End.STEP] == 1
    assert origin.outcome(run) == "TOO_MANY_SUBSTEPS"
    assert "cycle 1 is not a whole cycle" in origin.notes(run)[-1]
