"""A cell from a file: whose metadata win, what is measured, what is simulated."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import equipoise as eqp
from cycler_files import BDF_LABELS, bdf_text, maccor_text, truth
from equipoise.core.errors import DataError, SpecError
from equipoise.io.bdf import metadata_path, table_bytes
from equipoise.spec.cell_record import CellRecord
from equipoise.study.measured_cell import cell_data_of, load_cell_data

TRUTH = truth(cycles=2)


@pytest.fixture(scope="module")
def run(lb):
    protocol = eqp.load_protocol("first-cycle")
    return eqp.simulate(lb, protocol, model="quasi-static")


@pytest.fixture
def traced(run, tmp_path):
    """The trace of a simulation with its metadata beside."""
    eqp.write_run(run, tmp_path)
    return tmp_path / "trace.bdf.parquet"


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "c7.bdf.csv"
    path.write_bytes(bdf_text(TRUTH))
    return path


ROVI = "Cycle_Index,Q_chg,Q_dis,E_chg,E_dis\n"


@pytest.fixture
def rovi(tmp_path):
    path = tmp_path / "s.csv"
    rows = [f"{i},2,{2 - 0.02 * i},8,{7 - 0.02 * i}\n" for i in range(1, 21)]
    path.write_text(ROVI + "".join(rows))
    return path


# --- measured


def test_capacities_are_those_of_the_truth(measured):
    data = load_cell_data(measured)
    assert data.name == "c7"
    assert data.group == "c7"
    assert data.origin == "measured"
    assert data.recording is not None
    assert data.recording.proven
    assert not data.cycles_derived
    assert data.left_out is None
    total = data.cycles["charging_capacity_ah"].sum()
    assert total == pytest.approx(TRUTH.charged_ah[-1], rel=1e-9)
    total = data.cycles["discharging_energy_wh"].sum()
    assert total == pytest.approx(TRUTH.discharged_wh[-1], rel=2e-3)
    assert data.metadata["source_sha256"] == data.source_sha256


def test_cycles_of_a_file_without_numbers_are_derived(tmp_path):
    labels = {k: v for k, v in BDF_LABELS.items() if k != "cycle"}
    path = tmp_path / "c.bdf.csv"
    path.write_bytes(bdf_text(TRUTH, labels))
    data = load_cell_data(path)
    assert data.cycles_derived
    assert data.cycles["cycle_count"].to_list() == [1, 2]


def test_cycles_between_others_that_are_missing_are_counted(tmp_path):
    rows = [1, 2, 3, 7, 8, 10]
    path = tmp_path / "s.csv"
    path.write_text("Cycle_Index,Q_chg,Q_dis\n" + "".join(f"{i},2,1.9\n" for i in rows))
    assert load_cell_data(path).left_out == (4, 4)


def test_only_a_table_of_cycles_has_no_time_series(rovi):
    data = load_cell_data(rovi)
    assert data.table is None
    assert not data.cycles_derived
    assert data.recording is None
    assert data.metadata["kind"] == "cycles"
    assert data.source_sha256
    with pytest.raises(DataError, match="time series was expected"):
        data.require_table()


def test_columns_that_follow_from_the_record_are_added_to_cycles(rovi):
    data = load_cell_data(rovi, changes={"positive_active_mass_mg": 1e4})
    row = data.cycles.to_dicts()[0]
    assert row["charging_capacity_mah_per_g_positive"] == pytest.approx(200.0)
    assert row["discharging_capacity_mah_per_g_positive"] == pytest.approx(198.0)
    assert row["discharging_energy_wh_per_kg_positive"] == pytest.approx(698.0)


def test_the_efficiency_is_the_one_of_the_record(rovi):
    plain = load_cell_data(rovi).cycles["coulombic_efficiency"]
    other = load_cell_data(rovi, changes={"efficiency": "charge/discharge"})
    turned = other.cycles["coulombic_efficiency"]
    assert plain[0] == pytest.approx(0.99)
    assert (plain * turned - 1.0).abs().max() < 1e-12


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_cycle_table_of_ours_reads_back(measured, tmp_path, form):
    data = load_cell_data(
        measured, changes={"positive_active_mass_mg": 10.0, "one_c_ma": 2.0}
    )
    path = tmp_path / f"back.{form}"
    path.write_bytes(table_bytes(data.cycles, form))
    back = load_cell_data(path)
    assert_frame_equal(back.cycles, data.cycles, rel_tol=1e-12)


def test_another_mass_wins_over_what_stands_in_a_cycle_table(measured, tmp_path):
    data = load_cell_data(
        measured, changes={"positive_active_mass_mg": 10.0, "one_c_ma": 2.0}
    )
    path = tmp_path / "back.parquet"
    path.write_bytes(table_bytes(data.cycles, "parquet"))
    again = load_cell_data(
        path, changes={"positive_active_mass_mg": 20.0, "one_c_ma": 1.0}
    )
    direct = load_cell_data(
        measured, changes={"positive_active_mass_mg": 20.0, "one_c_ma": 1.0}
    )
    for name in data.cycles.columns:
        if name.endswith(("_positive", "c_rate")):
            ratio = again.cycles[name] / direct.cycles[name]
            assert ratio.to_list() == pytest.approx([1.0, 1.0]), name


# --- whose metadata


def test_the_record_beside_is_below_the_one_given_and_options(measured, tmp_path):
    beside = tmp_path / "c7.cell.toml"
    beside.write_text('name = "beside"\npositive_active_mass_mg = 5.0\n')
    assert load_cell_data(measured).name == "beside"
    given = CellRecord(name="given")
    data = load_cell_data(measured, record=given)
    assert data.name == "given"
    assert data.record.positive_active_mass_mg is None
    data = load_cell_data(measured, record=given, changes={"name": "option"})
    assert data.name == "option"
    data = load_cell_data(measured, changes={"positive_active_mass_mg": 10.0})
    assert data.name == "beside"
    specific = data.cycles["charging_capacity_mah_per_g_positive"]
    of_cell = data.cycles["charging_capacity_ah"]
    assert (specific / of_cell).to_list() == pytest.approx([1e5, 1e5])


def test_1c_of_an_option_wins_over_1c_per_gram_of_the_record(measured, tmp_path):
    (tmp_path / "c7.cell.toml").write_text(
        "positive_active_mass_mg = 5.0\none_c_ma_per_g_positive = 200.0\n"
    )
    plain = load_cell_data(measured)
    assert plain.record.one_c_ampere == pytest.approx(1e-3)
    data = load_cell_data(measured, changes={"one_c_ma": 4.0})
    assert data.record.one_c_ampere == pytest.approx(4e-3)
    ratio = plain.cycles["charge_c_rate"] / data.cycles["charge_c_rate"]
    assert ratio.to_list() == pytest.approx([4.0, 4.0])


def test_a_reference_of_an_option_wins_over_a_potential_of_the_record(measured):
    record = CellRecord(
        reference_electrode="in_inli", reference_potential_vs_li_volt=0.6
    )
    data = load_cell_data(
        measured, record=record, changes={"reference_electrode": "lto"}
    )
    assert data.record.reference_shift_volt == pytest.approx(1.55)
    data = load_cell_data(
        measured, record=record, changes={"reference_potential_vs_li_volt": 0.65}
    )
    assert data.record.reference_shift_volt == pytest.approx(0.65)
    assert data.record.reference_electrode == "in_inli"


def test_a_wrong_option_is_refused(measured):
    with pytest.raises(SpecError, match="positive_active_mass_mg"):
        load_cell_data(measured, changes={"positive_active_mass_mg": -1.0})


# --- simulated


def test_cycles_of_a_trace_are_those_of_the_run(run, traced):
    data = load_cell_data(traced)
    assert data.origin == "simulated"
    assert data.name == "LB"
    shared = [n for n in run.cycles.columns if n in data.cycles.columns]
    assert len(shared) > 12
    # the trace has fewer rows than the simulation had substeps: energies are coarser
    coarse = [n for n in shared if "energy" in n or n.startswith("mean_")]
    exact = [n for n in shared if n not in coarse]
    for names, tolerance in ((exact, 1e-9), (coarse, 1e-4)):
        assert_frame_equal(
            data.cycles.select(names), run.cycles.select(names), rel_tol=tolerance
        )


def test_a_run_and_its_file_are_the_same_cell(run, traced):
    direct, file = cell_data_of(run), load_cell_data(traced)
    assert direct.origin == file.origin == "simulated"
    assert direct.recording is None
    assert_frame_equal(direct.cycles, file.cycles, rel_tol=1e-9)
    ours, theirs = (
        x.record.model_dump(exclude_none=True, exclude={"stack_pressure_mpa"})
        for x in (direct, file)
    )
    assert ours == pytest.approx(theirs)


def test_what_the_simulation_wrote_is_below_every_record(traced, run):
    written = load_cell_data(traced).record
    assert written.positive_active_mass_mg == pytest.approx(run.cell.positive_mass_mg)
    given = CellRecord(group="LB", one_c_ma_per_g_positive=100.0)
    data = load_cell_data(traced, record=given)
    assert data.name == "LB"
    assert data.group == "LB"
    assert data.record.np_ratio == written.np_ratio
    assert data.record.one_c_ma is None
    assert data.record.one_c_ma_per_g_positive == 100.0
    (traced.parent / "trace.cell.toml").write_text("positive_active_mass_mg = 1.0\n")
    beside = load_cell_data(traced)
    assert beside.record.positive_active_mass_mg == 1.0
    assert beside.record.one_c_ma == pytest.approx(written.one_c_ma)
    changed = load_cell_data(traced, changes={"positive_active_mass_mg": 2.0})
    ratio = (
        beside.cycles["charging_capacity_mah_per_g_positive"]
        / changed.cycles["charging_capacity_mah_per_g_positive"]
    )
    assert ratio[0] == pytest.approx(2.0)


def test_a_record_may_repeat_a_default_against_the_metadata(traced):
    beside = metadata_path(traced)
    content = json.loads(beside.read_text())
    beside.write_text(json.dumps(content | {"efficiency": "charge/discharge"}))
    turned = load_cell_data(traced)
    assert turned.record.efficiency == "charge/discharge"
    (traced.parent / "trace.cell.toml").write_text('efficiency = "discharge/charge"\n')
    straight = load_cell_data(traced)
    assert straight.record.efficiency == "discharge/charge"
    product = (
        turned.cycles["coulombic_efficiency"] * straight.cycles["coulombic_efficiency"]
    )
    assert product[0] == pytest.approx(1.0)


def test_metadata_that_are_no_json_are_refused(traced):
    metadata_path(traced).write_text("{")
    with pytest.raises(DataError, match="no JSON"):
        load_cell_data(traced)


def test_a_half_cell_keeps_its_efficiency_through_the_file(tmp_path):
    cell = eqp.load_half_cell_setup("zhang2026-lto-inli")
    run = eqp.simulate(cell, eqp.load_protocol("first-cycle"), model="quasi-static")
    eqp.write_run(run, tmp_path)
    data = load_cell_data(tmp_path / "trace.bdf.parquet")
    assert data.record.efficiency == cell_data_of(run).record.efficiency
    assert data.record.positive_active_mass_mg == pytest.approx(
        cell.working.spec.active_mass_mg
    )
    assert_frame_equal(
        data.cycles.select("coulombic_efficiency"),
        run.cycles.select("coulombic_efficiency"),
        rel_tol=1e-6,
    )


# --- a table that was read, written and read again


def test_a_written_measurement_keeps_its_record(tmp_path):
    raw = tmp_path / "m.txt"
    raw.write_bytes(maccor_text(TRUTH))
    changes = {"positive_active_mass_mg": 8.0, "group": "LB", "replicate": "2"}
    data = load_cell_data(raw, changes=changes)
    assert data.name == "LB 2"
    out = eqp.write_bdf(data.table, tmp_path / "o.bdf.parquet", metadata=data.metadata)
    back = load_cell_data(out)
    assert back.record == data.record
    assert back.origin == "measured"
    assert_frame_equal(back.cycles, data.cycles, rel_tol=1e-9)


MAP = """
name = "two potentials"
[columns]
test_time_second = { label = "t", unit = "s" }
voltage_volt = { label = "v", unit = "V" }
current_ampere = { label = "i", unit = "A" }
positive_electrode_potential_volt = { label = "p", unit = "V" }
negative_electrode_potential_volt = { label = "n", unit = "V" }
"""


@pytest.fixture
def against_lto(tmp_path):
    """A table with potentials against LTO, its map, and the true ones vs Li+/Li."""
    negative = np.full(TRUTH.rows, -1.65)
    table = pl.DataFrame(
        {
            "t": TRUTH.seconds,
            "v": TRUTH.volts,
            "i": TRUTH.amperes,
            "p": TRUTH.volts + negative,
            "n": negative,
        }
    )
    path, column_map = tmp_path / "e.csv", tmp_path / "e.toml"
    table.write_csv(path)
    column_map.write_text(MAP)
    return path, column_map, TRUTH.volts + negative + 1.55


def test_the_reference_shifts_potentials_once(against_lto, tmp_path):
    path, column_map, true = against_lto
    lto = {"reference_electrode": "lto"}
    data = load_cell_data(path, column_map=column_map, changes=lto)
    positive = data.require_table()["positive_electrode_potential_volt"]
    assert np.abs(positive.to_numpy() - true).max() < 1e-9
    assert data.metadata["reference_electrode"] == "li"
    assert data.metadata["measured_against"] == "lto"
    out = eqp.write_bdf(data.table, tmp_path / "o.bdf.csv", metadata=data.metadata)
    for back in (load_cell_data(out), load_cell_data(out, changes=lto)):
        again = back.require_table()["positive_electrode_potential_volt"]
        assert np.abs(again.to_numpy() - true).max() < 1e-9


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_unknown_reference_stays_unknown_until_it_is_told(
    against_lto, tmp_path, form
):
    path, column_map, true = against_lto
    data = load_cell_data(path, column_map=column_map)
    assert data.metadata["reference_electrode"] is None
    out = tmp_path / f"o.bdf.{form}"
    eqp.write_bdf(data.table, out, metadata=data.metadata)
    back = load_cell_data(out)
    assert back.metadata["reference_electrode"] is None
    assert any("not known" in f.how for f in back.recording.findings)
    told = load_cell_data(out, changes={"reference_potential_vs_li_volt": 1.55})
    assert told.metadata["reference_electrode"] == "li"
    positive = told.require_table()["positive_electrode_potential_volt"]
    assert np.abs(positive.to_numpy() - true).max() < 1e-9
