"""Battery Data Format tables as half-cell branches."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.io.curve_bdf import read_bdf_branch

DATA = Path(__file__).parents[3] / "shared/data"
real_data = pytest.mark.skipif(
    not (DATA / "cycling").is_dir(), reason=f"no measured curves in {DATA}"
)


def cycler(cycles=1, *, counters=False):
    """One hour of charge at 1 mA, a rest and one hour of discharge, per cycle."""
    n = 200
    ramp = np.linspace(0.0, 1.0, n)
    rest = np.zeros(10)
    hours = np.concatenate((ramp, 1.0 + 0.1 * np.arange(1, 11), 2.0 + 0.01 + ramp))
    amperes = np.concatenate((np.full(n, 1e-3), rest, np.full(n, -1e-3)))
    volts = np.concatenate((3.0 + ramp, rest + 3.95, 3.9 - ramp))
    frame = {
        "Test Time / s": np.concatenate(
            [3600.0 * (hours + 4.0 * k) for k in range(cycles)]
        ),
        "Current / A": np.tile(amperes, cycles),
        "Voltage / V": np.tile(volts, cycles),
        "Cycle Count / 1": np.repeat(np.arange(1, cycles + 1), hours.size),
    }
    if counters:
        full = np.concatenate((ramp, rest + 1.0, np.ones(n)))
        frame["Charging Capacity / Ah"] = np.tile(1e-3 * full, cycles)
        empty = np.concatenate((np.zeros(n), rest, ramp))
        frame["Discharging Capacity / Ah"] = np.tile(1e-3 * empty, cycles)
    return pl.DataFrame(frame)


@pytest.mark.parametrize("counters", [False, True])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_half_cycle_comes_out_of_a_bdf_table(tmp_path, kind, counters):
    path = tmp_path / f"cell.bdf.{kind}"
    frame = cycler(counters=counters)
    frame.write_csv(path) if kind == "csv" else frame.write_parquet(path)
    q, u = read_bdf_branch(path, direction="delithiation")
    assert (q[0], q[-1]) == (0.0, pytest.approx(1e-3, rel=1e-9))
    assert (u[0], u[-1]) == (3.0, 4.0)
    q, u = read_bdf_branch(path, direction="lithiation")
    assert (q[0], q[-1]) == (0.0, pytest.approx(1e-3, rel=1e-9))
    assert (u[0], u[-1]) == (3.9, pytest.approx(2.9))


def test_machine_names_and_hours_are_read_too(tmp_path):
    path = tmp_path / "cell.bdf.csv"
    cycler().select(
        pl.col("Voltage / V").alias("voltage_volt"),
        pl.col("Current / A").alias("current_ampere"),
        (pl.col("Test Time / s") / 3600.0).alias("Test Time / h"),
    ).write_csv(path)
    q, _ = read_bdf_branch(path, direction="delithiation")
    assert q[-1] == pytest.approx(1e-3, rel=1e-9)


def test_the_cycle_selects_among_several_half_cycles(tmp_path):
    path = tmp_path / "cell.bdf.csv"
    cycler(3).write_csv(path)
    with pytest.raises(DataError, match=r"3 half-cycles are a charge(?s:.*)cycle = 1"):
        read_bdf_branch(path, direction="delithiation")
    q, _ = read_bdf_branch(path, direction="delithiation", cycle=2)
    assert q[-1] == pytest.approx(1e-3, rel=1e-9)
    with pytest.raises(DataError, match="no charge with cycle 7; found: 1, 2, 3"):
        read_bdf_branch(path, direction="delithiation", cycle=7)
    cycler(3).drop("Cycle Count / 1").write_csv(path)
    q, _ = read_bdf_branch(path, direction="lithiation", cycle=3)
    assert q[-1] == pytest.approx(1e-3, rel=1e-9)


def test_a_capacity_column_that_contradicts_the_current_is_refused(tmp_path):
    path = tmp_path / "cell.bdf.csv"
    in_mah = pl.col("Charging Capacity / Ah") * 1e3
    cycler(counters=True).with_columns(in_mah).write_csv(path)
    with pytest.raises(DataError, match=r"says 1 Ah, the integral .* 0\.001 Ah"):
        read_bdf_branch(path, direction="delithiation")
    cycler(counters=True).with_columns(-pl.col("Current / A")).write_csv(path)
    with pytest.raises(DataError, match=r"integral(?s:.*)sign of the current"):
        read_bdf_branch(path, direction="delithiation")


def test_bad_bdf_tables_are_refused(tmp_path):
    path = tmp_path / "cell.bdf.csv"
    cycler().drop("Current / A").write_csv(path)
    with pytest.raises(
        DataError, match=r"no column 'Current / A'(?s:.*)capacity_column"
    ):
        read_bdf_branch(path, direction="delithiation")
    cycler().with_columns(pl.lit("x").alias("Voltage / V")).write_csv(path)
    with pytest.raises(DataError, match="'voltage_volt' holds text"):
        read_bdf_branch(path, direction="delithiation")
    cycler().head(150).write_csv(path)
    with pytest.raises(DataError, match="no discharge in this table"):
        read_bdf_branch(path, direction="lithiation")
    path = tmp_path / "cell.bdf.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(DataError, match="not a readable BDF table"):
        read_bdf_branch(path, direction="delithiation")
    empty = pl.lit(None, dtype=pl.Float64).alias("Voltage / V")
    cycler().with_columns(empty).write_parquet(path)
    with pytest.raises(DataError, match="no number in data row 1"):
        read_bdf_branch(path, direction="delithiation")


@real_data
def test_the_measured_bdf_file_gives_its_discharge():
    file = DATA / "cycling/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv"
    with pytest.raises(DataError, match="2 half-cycles are a discharge"):
        read_bdf_branch(file, direction="lithiation")
    # the file's current has few digits: its integral is 13 % more than the counter
    with pytest.warns(EquipoiseWarning, match=r"0\.0063 Ah.*so few digits"):
        q, u = read_bdf_branch(file, direction="lithiation", cycle=1)
    assert q.size > 10_000
    assert u[-1] < 0.2 < u[0]
    assert np.all(np.diff(q) > 0.0)
    assert q[-1] == pytest.approx(0.0063, rel=1e-9)  # the instrument's own counter
