"""What a first user of the measured-data commands stumbled over."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from equipoise import DataError
from equipoise.analysis.summary import cycle_summary
from equipoise.io.readers.printed import rounding_of_cells
from equipoise.io.readers.read import read
from equipoise.io.store.store import Store
from equipoise.spec.cell_record import CellRecord
from equipoise.study.campaign import import_of
from equipoise.study.measured_cell import load_cell_data


def test_printed_zeros_count_as_digits():
    assert rounding_of_cells(["2.000", "-2.000"]) == pytest.approx(0.0005)
    assert rounding_of_cells(["2,000"]) == pytest.approx(0.0005)
    assert rounding_of_cells(["2"]) == pytest.approx(0.5)
    assert rounding_of_cells(["0.000", "x"]) is None
    assert rounding_of_cells(["1.5e-4"]) == pytest.approx(0.5e-5)


@pytest.mark.parametrize("form", ["map", "bdf"])
@pytest.mark.parametrize("factor", [1.0, 1.1])
def test_a_round_current_still_proves_the_unit(tmp_path, form, factor):
    """2.000 mA for an hour each way: 10 % more counted is refused."""
    rows = []
    charge = discharge = 0.0
    for k in range(121):
        sign = 1 if k <= 60 else -1
        if 0 < k <= 60:
            charge += 2.0 / 60.0 * factor
        elif k > 61:
            discharge += 2.0 / 60.0 * factor
        rows.append(
            (
                k * 60,
                3.0 + 0.01 * (k if k <= 60 else 120 - k),
                sign * 2.0,
                charge,
                discharge,
            )
        )
    if form == "map":
        head = (
            "Time [s],Voltage [V],Current [mA],Charge Capacity [mAh],"
            "Discharge Capacity [mAh]"
        )
        body = [f"{t},{v:.3f},{i:.3f},{c:.5f},{d:.5f}" for t, v, i, c, d in rows]
        path = tmp_path / "test.csv"
    else:
        head = (
            "Test Time / s,Voltage / V,Current / A,Charging Capacity / Ah,"
            "Discharging Capacity / Ah"
        )
        body = [
            f"{t},{v:.3f},{i / 1e3:.6f},{c / 1e3:.8f},{d / 1e3:.8f}"
            for t, v, i, c, d in rows
        ]
        path = tmp_path / "test.bdf.csv"
    path.write_text("\n".join([head, *body]) + "\n")
    if factor == 1.0:
        assert read(path).proven
        return
    with pytest.raises(DataError, match="counted"):
        read(path)


def series(**more):
    n = 12
    current = np.tile([1.0, 1.0, 1.0, -1.0, -1.0, -1.0], n)
    return pl.DataFrame(
        {
            "test_time_second": np.arange(6 * n) * 3600.0,
            "voltage_volt": np.tile([3.0, 3.5, 4.0, 4.0, 3.5, 3.0], n),
            "current_ampere": current,
            "cycle_count": np.repeat(np.arange(1, n + 1), 6),
            **more,
        }
    )


def test_labels_in_the_rows_of_a_file_decide():
    said = ["Capacity check"] * 6 + ["Aging cycle"] * 60 + [None] * 6
    found = cycle_summary(series(cycle_label=said))
    assert found["cycle_kind"].to_list() == ["check-up"] + ["ageing"] * 11
    assert found["cycle_kind_evidence"].to_list() == ["label"] * 11 + ["inferred"]


def test_a_test_that_begins_with_a_discharge_pairs_charge_with_what_answers_it():
    table = series().drop("cycle_count").slice(3)  # begins with a discharge
    cells = cycle_summary(table)
    assert cells["cycle_kind"][0] == "incomplete"
    assert np.isnan(cells["coulombic_efficiency"][0])
    assert cells["coulombic_efficiency"][1] == pytest.approx(1.0, abs=0.2)
    other = cycle_summary(table, record=CellRecord(efficiency="charge/discharge"))
    assert other["complete"][0]


def test_spectra_of_a_file_are_in_the_store(tmp_path):
    path = tmp_path / "eis.bdf.csv"
    rows = [f"{k},3.5,0.0,{10.0 ** (5 - k)},{10 + k},{-k}" for k in range(5)]
    rows += [f"{10 + k},3.5,0.0,,," for k in range(3)]
    head = (
        "Test Time / s,Voltage / V,Current / A,Frequency / Hz,Real Impedance / ohm,"
        "Imaginary Impedance / ohm"
    )
    path.write_text("\n".join([head, *rows]) + "\n")
    store = Store(tmp_path / "store", create=True)
    store.add_many([import_of(load_cell_data(path))])
    found = store.sql(
        "SELECT count(*) AS n, min(real_impedance_ohm) AS low FROM spectra"
    )
    assert found.row(0) == (5, 10.0)


def test_copies_of_one_file_are_not_told_apart_as_replicates(tmp_path):
    from equipoise.cli.cell_options import told_apart

    series().write_csv(tmp_path / "a.bdf.csv")
    one = load_cell_data(tmp_path / "a.bdf.csv")
    other = replace(one, source_sha256="0" * 64)
    assert [d.name for d in told_apart([one, one, other])] == ["a", "a", "a (2)"]
