"""One row per cycle, by hand and against the cycle table of the simulator."""

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from engine_cells import SMALL, protocol
from equipoise import DataError
from equipoise.analysis.summary import cycle_summary
from equipoise.core.units import unit_token
from equipoise.protocol.steps import Cycle
from equipoise.sim.record import record_of
from equipoise.spec.cell_record import CellRecord

HOUR = [0, 2, 3, 3, 4, 4, 5, 5, 6]
AMPERE = [1, 1, 0.5, 0, 0, -2, -2, 0, 0]
VOLT = [3.0, 4.0, 4.0, 3.9, 3.8, 3.6, 2.6, 3.1, 3.2]


def table_of(repeats=1, **more):
    """Charge 1 A for 2 h from 3 to 4 V, hold to 0.5 A, rest, discharge, rest."""
    n = len(HOUR)
    hours = np.concatenate([np.array(HOUR) + 6.0 * i for i in range(repeats)])
    return pl.DataFrame(
        {
            "test_time_second": 3600.0 * hours,
            "voltage_volt": VOLT * repeats,
            "current_ampere": [float(a) for a in AMPERE * repeats],
            "cycle_count": np.repeat(np.arange(1, repeats + 1), n),
            **more,
        },
        strict=False,
    )


def only_row(table, **options):
    rows = cycle_summary(table, **options).to_dicts()
    assert len(rows) == 1
    return rows[0]


def test_every_quantity_of_a_cycle_by_hand():
    row = only_row(table_of())
    # charge 2 Ah at 3.5 V on average, hold 0.75 Ah at 4 V; discharge 2 Ah at 3.1 V
    expected = {
        "start_time_second": 0.0,
        "end_time_second": 6 * 3600.0,
        "charging_capacity_ah": 2.75,
        "discharging_capacity_ah": 2.0,
        "charging_energy_wh": 10.0,
        "discharging_energy_wh": 6.2,
        "coulombic_efficiency": 2.0 / 2.75,
        "energy_efficiency": 0.62,
        "mean_charging_voltage_volt": 10.0 / 2.75,
        "mean_discharging_voltage_volt": 3.1,
        "end_of_charge_voltage_volt": 4.0,
        "end_of_discharge_voltage_volt": 2.6,
        "maximum_voltage_volt": 4.0,
        "minimum_voltage_volt": 2.6,
        "charge_current_ampere": (2.0 + 0.75 * 0.75) / 2.75,
        "discharge_current_ampere": 2.0,
        "maximum_charge_current_ampere": 1.0,
        "maximum_discharge_current_ampere": 2.0,
    }
    assert {k: row[k] for k in expected} == pytest.approx(expected)
    counts = {k: v for k, v in row.items() if k.endswith("_count")}
    assert counts == {
        "cycle_count": 1,
        "half_cycles_count": 2,
        "rows_count": 9,
        "eis_rows_count": 0,
    }
    assert row["complete"] is True


def test_the_columns_are_those_of_the_contract_and_end_in_their_unit():
    found = cycle_summary(table_of(), record=CellRecord(positive_active_mass_mg=10.0))
    assert found.columns[:5] == [
        "cycle_count",
        "start_time_second",
        "end_time_second",
        "charging_capacity_ah",
        "discharging_capacity_ah",
    ]
    words = {"cycle_kind", "cycle_kind_evidence", "complete"}
    for name in set(found.columns) - words:
        assert unit_token(name) is not None, name
    bare = cycle_summary(table_of(), kinds=False).columns
    assert set(cycle_summary(table_of()).columns) - set(bare) == words


def test_specific_values_and_rates_follow_from_the_record():
    row = only_row(
        table_of(), record=CellRecord(positive_active_mass_mg=20.0, one_c_ma=500.0)
    )
    assert row["charging_capacity_mah_per_g_positive"] == pytest.approx(2750 / 0.02)
    assert row["discharging_capacity_mah_per_g_positive"] == pytest.approx(2000 / 0.02)
    assert row["charging_energy_wh_per_kg_positive"] == pytest.approx(10 / 20e-6)
    assert row["discharging_energy_wh_per_kg_positive"] == pytest.approx(6.2 / 20e-6)
    assert row["discharge_c_rate"] == pytest.approx(4.0)
    assert row["charge_c_rate"] == pytest.approx(row["charge_current_ampere"] / 0.5)


def test_a_half_cell_built_charged_counts_what_comes_back():
    inverted = CellRecord(efficiency="charge/discharge")
    row = only_row(table_of(), record=inverted)
    assert row["coulombic_efficiency"] == pytest.approx(2.75 / 2.0)
    # energy is lost in every cell: what was put in is what is charged
    assert row["energy_efficiency"] == pytest.approx(0.62)


def test_a_missing_side_is_nan_and_never_zero():
    row = only_row(table_of().head(5))
    for name in (
        "discharging_capacity_ah",
        "discharging_energy_wh",
        "coulombic_efficiency",
        "energy_efficiency",
        "mean_discharging_voltage_volt",
        "end_of_discharge_voltage_volt",
        "discharge_current_ampere",
        "maximum_discharge_current_ampere",
    ):
        assert np.isnan(row[name]), name
    assert row["charging_capacity_ah"] == pytest.approx(2.75)
    assert row["cycle_kind"] == "incomplete"
    assert row["complete"] is False


def test_a_rest_has_no_efficiency_even_if_the_cycler_leaks():
    leak = [1e-6, 1e-6, -1e-6, 1e-6]
    table = pl.concat(
        [
            table_of(),
            pl.DataFrame(
                {
                    "test_time_second": [3600.0 * h for h in (6.0, 30.0, 40.0, 50.0)],
                    "voltage_volt": [3.2, 3.3, 3.3, 3.3],
                    "current_ampere": leak,
                    "cycle_count": [2] * 4,
                }
            ),
        ]
    )
    row = cycle_summary(table).row(1, named=True)
    assert np.isnan(row["charging_capacity_ah"])
    assert np.isnan(row["coulombic_efficiency"])
    assert (row["cycle_kind"], row["half_cycles_count"]) == ("rest", 0)
    assert (row["minimum_voltage_volt"], row["rows_count"]) == (3.2, 4)


def test_impedance_rows_change_no_capacity_end_or_extremum():
    eis = pl.DataFrame(
        {
            "test_time_second": [3600.0 * 6.0] * 3,
            "voltage_volt": [-3.7, 9.0, 3.3],
            "current_ampere": [5.0, -5.0, 5.0],
            "cycle_count": [1] * 3,
            "frequency_hertz": [1e3, 1.0, 1e-2],
        }
    )
    with_eis = pl.concat([table_of(), eis], how="diagonal")
    plain, row = only_row(table_of()), only_row(with_eis)
    assert (row.pop("eis_rows_count"), plain.pop("eis_rows_count")) == (3, 0)
    assert (row.pop("rows_count"), plain.pop("rows_count")) == (12, 9)
    assert row == plain
    alone = only_row(eis)
    assert alone["cycle_kind"] == "eis"
    assert np.isnan(alone["maximum_voltage_volt"])


def test_counters_of_charge_and_energy_go_before_the_integral():
    counters = {
        "cycle_charging_capacity_ah": [0, 2, 3, 3, 3, 3, 3, 3, 3.0],
        "cycle_discharging_capacity_ah": [0, 0, 0, 0, 0, 0, 2.5, 2.6, 2.6],
    }
    row = only_row(table_of(**counters))
    assert row["charging_capacity_ah"] == pytest.approx(3.0)
    # the last 0.1 Ah is counted in the first row of the rest, at the voltage before it
    assert row["discharging_capacity_ah"] == pytest.approx(2.6)
    assert row["discharging_energy_wh"] == pytest.approx(2.5 * 3.1 + 0.1 * 2.6)
    assert row["charging_energy_wh"] == pytest.approx(2 * 3.5 + 1 * 4.0)
    energy = {
        "charging_energy_wh": [1, 9, 12, 12, 12, 12, 12, 12, 12.0],
        "discharging_energy_wh": [0, 0, 0, 0, 0, 0, 6, 6, 6.0],
    }
    row = only_row(table_of(**counters, **energy))
    assert row["charging_energy_wh"] == pytest.approx(11.0)  # since the first row
    assert row["energy_efficiency"] == pytest.approx(6 / 11)
    assert row["mean_charging_voltage_volt"] == pytest.approx(11 / 3)
    by_current = only_row(table_of(**counters, **energy), source="current")
    assert by_current == only_row(table_of())


def test_cycles_of_a_counter_that_is_reset_are_counted_from_zero():
    one = [0.1, 2, 3, 3, 3, 3, 3, 3, 3.0]
    other = [0, 0, 0, 0, 0, 0, 2.5, 2.5, 2.5]
    table = table_of(
        3, cycle_charging_capacity_ah=one * 3, cycle_discharging_capacity_ah=other * 3
    )
    found = cycle_summary(table)
    assert found["charging_capacity_ah"].to_list() == pytest.approx([3.0] * 3)
    assert found["discharging_capacity_ah"].to_list() == pytest.approx([2.5] * 3)


def test_without_cycles_they_are_counted_as_the_current_alternates():
    given = cycle_summary(table_of(3))
    derived = cycle_summary(table_of(3).drop("cycle_count"))
    assert derived["cycle_count"].to_list() == [1, 2, 3]
    same = ["charging_capacity_ah", "coulombic_efficiency", "cycle_kind"]
    assert derived.select(same).equals(given.select(same))


def test_electrode_potentials_are_taken_at_the_ends():
    positive = [4.0 + 0.01 * i for i in range(9)]
    row = only_row(table_of(positive_electrode_potential_volt=positive))
    assert row["upper_potential_vs_li_volt"] == 4.02
    assert row["lower_potential_vs_li_volt"] == 4.06
    assert "negative_end_of_charge_potential_vs_li_volt" not in row
    row = only_row(table_of().head(5).with_columns(negative_electrode_potential_volt=1))
    assert row["negative_end_of_charge_potential_vs_li_volt"] == 1.0
    assert np.isnan(row["negative_end_of_discharge_potential_vs_li_volt"])


def test_bad_tables_are_refused():
    with pytest.raises(DataError, match="'Current / A'"):
        cycle_summary(table_of().drop("current_ampere"))
    with pytest.raises(DataError, match="no rows"):
        cycle_summary(table_of().head(0))
    table = table_of(3)
    back = table.with_columns(cycle_count=pl.Series([1] * 9 + [2] * 9 + [1] * 9))
    with pytest.raises(DataError, match="falls from 2 to 1 in row 18"):
        cycle_summary(back)


def test_one_row_and_all_rest_are_answered():
    row = only_row(table_of().head(1))
    assert np.isnan(row["charging_capacity_ah"])
    assert row["cycle_kind"] == "rest"
    rest = cycle_summary(table_of(2).with_columns(current_ampere=0.0))
    assert rest["cycle_kind"].to_list() == ["rest", "rest"]
    assert rest["coulombic_efficiency"].is_nan().all()
    assert rest["maximum_voltage_volt"].to_list() == [4.0, 4.0]


RUNS = {
    "lb": ("zhang2026-lb", "three-electrode-rate-test"),
    "hb": ("zhang2026-hb", "short-rate-test"),
    "lb first": ("zhang2026-lb", "first-cycle"),
    "hb first": ("zhang2026-hb", "first-cycle"),
    "lb short": ("zhang2026-lb", "short-rate-test"),
    "hb three": ("zhang2026-hb", "three-electrode-rate-test"),
    "half cell, charged": ("zhang2026-lto-inli", "formation"),
    "half cell": ("zhang2026-ncm85-inli", "formation"),
    "holds": ("zhang2026-lb", None),
}


def simulated(name, steps):
    half = "inli" in name
    cell = eqp.load_half_cell_setup(name) if half else eqp.load_cell(name)
    if steps is None:
        program = protocol(
            Cycle(c_rate=1.0, count=2, hold_until_c_rate=0.1, rest_hour=0.1)
        )
    else:
        program = eqp.load_protocol(steps)
    return eqp.simulate(cell, program, mesh=SMALL)


@pytest.mark.parametrize("source", ["auto", "current"])
@pytest.mark.parametrize("case", RUNS)
def test_a_simulated_trace_gives_the_cycle_table_of_the_simulator(case, source):
    run = simulated(*RUNS[case])
    found = cycle_summary(run.trace, record=record_of(run), source=source)
    assert found["cycle_count"].to_list() == run.cycles["cycle_count"].to_list()
    holds = case == "holds"
    compared = 0
    for name in set(run.cycles.columns) & set(found.columns):
        if name in ("cycle_count", "end_time_second"):
            continue
        if name.endswith("c_rate") and holds:
            continue  # nominal there, the mean of charge and hold here
        # charge: trapezoids are exact at constant current and follow the samples of a
        # hold; energy: samples of a curved voltage; ends are rows of the trace
        tolerance = 1e-12
        if source == "current" and holds and "potential" not in name:
            tolerance = 2e-3
        elif "energy" in name or name.startswith("mean"):
            tolerance = 3e-4
        elif source == "current":
            tolerance = 1e-11
        np.testing.assert_allclose(
            found[name].to_numpy(),
            run.cycles[name].to_numpy(),
            rtol=tolerance,
            err_msg=name,
        )
        compared += 1
    assert compared >= 14


def test_the_simulated_protocols_get_their_kinds():
    kinds = {
        "short-rate-test": {"rate step"},
        "three-electrode-rate-test": {"rate step"},
        "first-cycle": {"formation"},
    }
    for steps, expected in kinds.items():
        run = simulated("zhang2026-lb", steps)
        assert set(cycle_summary(run.trace)["cycle_kind"]) == expected
    run = simulated("zhang2026-lto-inli", "first-cycle")
    row = only_row(run.trace, record=record_of(run))
    assert row["coulombic_efficiency"] < 1.0
    trap = only_row(run.trace)
    assert trap["coulombic_efficiency"] > 1.0
