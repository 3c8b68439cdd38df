"""Columns of the cycle table from the steps, by hand."""

import polars as pl
import pytest

import equipoise as eqp
from engine_cells import SMALL, protocol
from equipoise.protocol.steps import Cycle
from equipoise.sim.simulate import simulate

SIDES = {"charging": ("charge", 1), "discharging": ("discharge", -1)}


def test_efficiencies_means_and_ends_follow_from_the_steps():
    run = simulate(
        eqp.load_cell("zhang2026-lb"),
        protocol(Cycle(c_rate=1.0, count=2, hold_until_c_rate=0.1, rest_hour=0.1)),
        mesh=SMALL,
    )
    for row in run.cycles.to_dicts():
        steps = run.steps.filter(pl.col("cycle_count") == row["cycle_count"])
        q, e = {}, {}
        for name, (side, sign) in SIDES.items():
            part = steps.filter(sign * pl.col("capacity_mah_per_g_positive") > 0.0)
            q[name] = sign * part["capacity_mah_per_g_positive"].sum()
            e[name] = sign * part["energy_wh_per_kg_positive"].sum()
            last = part.to_dicts()[-1]
            key = "upper" if sign > 0 else "lower"
            assert row[f"mean_{name}_voltage_volt"] == pytest.approx(e[name] / q[name])
            assert row[f"{name}_energy_wh_per_kg_positive"] == pytest.approx(e[name])
            for mine, its in (
                (f"end_of_{side}_voltage_volt", "end_voltage_volt"),
                (
                    f"{key}_potential_vs_li_volt",
                    "end_positive_electrode_potential_volt",
                ),
                (
                    f"negative_end_of_{side}_potential_vs_li_volt",
                    "end_negative_electrode_potential_volt",
                ),
            ):
                assert row[mine] == last[its]
        ratio = q["discharging"] / q["charging"]
        assert row["coulombic_efficiency"] == pytest.approx(ratio)
        assert row["energy_efficiency"] == pytest.approx(
            e["discharging"] / e["charging"]
        )
        assert row["energy_efficiency"] < ratio
        assert row["mean_discharging_voltage_volt"] < row["mean_charging_voltage_volt"]
