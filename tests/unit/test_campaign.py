"""Cells into a store and back."""

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import equipoise as eqp
from cycler_files import bdf_text, truth
from equipoise.core.errors import StoreError
from equipoise.io.store.store import Store
from equipoise.study.campaign import cell_data_from, import_of
from equipoise.study.measured_cell import load_cell_data


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store", create=True)


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "c.bdf.csv"
    path.write_bytes(bdf_text(truth(cycles=2)))
    changes = {"positive_active_mass_mg": 10.0, "one_c_ma": 2.0, "group": "LB"}
    return load_cell_data(path, changes=changes)


def test_a_measured_cell_comes_back_as_if_read(store, measured):
    (added,) = store.add_many([import_of(measured)])
    assert not added.already
    back = cell_data_from(store, added.entry.id)
    assert_frame_equal(back.cycles, measured.cycles, check_exact=True)
    assert_frame_equal(back.table, measured.table, check_exact=True)
    assert back.record == measured.record
    assert (back.name, back.group, back.origin) == ("c", "LB", "measured")
    assert back.source_sha256 == measured.source_sha256
    assert back.source == measured.source
    ours, theirs = (eqp.cell_statistics(d).as_dict() for d in (back, measured))
    assert str(ours) == str(theirs)
    row = store.cells().to_dicts()[0]
    assert row["source_format"] == "Battery Data Format"
    assert row["rows_count"] == measured.table.height


def test_a_simulated_cell_stays_simulated(store, tmp_path, lb):
    protocol = eqp.load_protocol("first-cycle")
    run = eqp.simulate(lb, protocol, model="quasi-static")
    eqp.write_run(run, tmp_path / "run")
    data = load_cell_data(tmp_path / "run" / "trace.bdf.parquet")
    store.add_many([import_of(data)])
    back = cell_data_from(store, "LB")
    assert back.origin == "simulated"
    assert back.record == data.record
    assert back.metadata["model"] == "quasi-static"


def test_a_table_of_cycles_has_no_time_series_in_the_store(store, tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("Cycle_Index,Q_chg,Q_dis\n1,2,1.9\n2,2,1.9\n")
    data = load_cell_data(path)
    store.add_many([import_of(data)])
    back = cell_data_from(store, "s")
    assert back.table is None
    assert_frame_equal(back.cycles, data.cycles)


def test_rows_of_impedance_are_spectra_too(store, measured):
    n = measured.table.height
    hertz = [None] * (n - 2) + [1e3, 1.0]
    table = measured.table.with_columns(
        pl.Series("frequency_hertz", hertz, pl.Float64),
        pl.Series("real_impedance_ohm", [None] * (n - 2) + [5.0, 9.0], pl.Float64),
    )
    store.add_many([import_of(replace(measured, table=table))])
    spectra = store.table("c", "spectra")
    assert spectra["frequency_hertz"].to_list() == [1e3, 1.0]
    assert spectra["real_impedance_ohm"].to_list() == [5.0, 9.0]
    assert cell_data_from(store, "c").table.height == n


def test_a_cell_that_is_not_there_is_said(store):
    with pytest.raises(StoreError):
        cell_data_from(store, "c")
