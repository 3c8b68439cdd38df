"""One row per cycle of a time series: capacities, efficiencies, voltages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.classify import classify
from equipoise.analysis.half_cycles import (
    Rows,
    Source,
    cycles_begin_with,
    floats,
    rows_of,
)
from equipoise.kernels import cycling as kernel
from equipoise.kernels.cycling import Count, Row, Sum
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

UNKNOWN = CellRecord()

LEAST_FRACTION = 1e-9
"""Of the largest capacity of a cycle: less is rounding of a step that was over at once,
as when a discharge begins below its cut-off."""

ENDS = slice(Row.END_OF_CHARGE, Row.END_OF_DISCHARGE + 1)

POTENTIALS = (
    ("positive_electrode_potential_volt", Row.END_OF_CHARGE, "upper_potential"),
    (
        "negative_electrode_potential_volt",
        Row.END_OF_CHARGE,
        "negative_end_of_charge_potential",
    ),
    ("positive_electrode_potential_volt", Row.END_OF_DISCHARGE, "lower_potential"),
    (
        "negative_electrode_potential_volt",
        Row.END_OF_DISCHARGE,
        "negative_end_of_discharge_potential",
    ),
)


def cycle_summary(
    table: pl.DataFrame,
    *,
    record: CellRecord = UNKNOWN,
    source: Source = "auto",
    kinds: bool = True,
) -> pl.DataFrame:
    """Reduce a time series, measured or simulated, to one row per cycle.

    What is missing is NaN, never 0. In every cycle,

    charging_capacity_ah, discharging_capacity_ah
        Charge passed in that direction, >= 0; see `equipoise.analysis.half_cycles` for
        counters and integration, rests, and cycles of a table without cycle_count
        (counted from 1 as the current alternates, beginning with
        what the efficiency divides by). NaN where no row carries current in
        that direction. A counter of the whole test is counted from the first row on, of
        a cycle or step from zero.
    charging_energy_wh, discharging_energy_wh
        By the counters of energy if there are any, in the same order; else the integral
        of the voltage over the charge (trapezoids). `source="current"` integrates.
    coulombic_efficiency
        Discharge over charge, or charge over discharge, as `record.efficiency` says.
    energy_efficiency
        Discharging over charging energy, for every cell.
    mean_charging_voltage_volt, mean_discharging_voltage_volt
        Energy over charge.
    end_of_charge_voltage_volt, end_of_discharge_voltage_volt
        Voltage of the last row that carries current in that direction; so are
        upper_potential_vs_li_volt and negative_end_of_charge_potential_vs_li_volt of
        the positive and the negative electrode at the end of charge, and
        lower_potential_vs_li_volt and negative_end_of_discharge_potential_vs_li_volt
        at the end of discharge, where the table has electrode potentials.
    maximum_voltage_volt, minimum_voltage_volt
        Over all rows but impedance rows.
    charge_current_ampere, discharge_current_ampere
        Mean magnitude weighted by the charge; also the largest one.
    half_cycles_count, rows_count, eis_rows_count
        Stretches of one sign of the current, rests ignored; rows; rows with a
        frequency. Impedance rows add nothing to capacities, energies, ends or extrema.
    charging_capacity_mah_per_g_positive, charging_energy_wh_per_kg_positive, ...
        Over `record.positive_active_mass_mg`, if known.
    charge_c_rate, discharge_c_rate
        Mean current over that of 1C, if the record knows it.

    Parameters
    ----------
    table
        Time series of one cell, in order of time; see `equipoise.core.columns`.
    record
        Metadata of the cell.
    source
        "auto" takes counters if there are any; "counter" and "current" insist.
    kinds
        Add cycle_kind, cycle_kind_evidence and complete: see `classify`.

    Returns
    -------
    polars.DataFrame
        In order of cycle_count.

    Raises
    ------
    DataError
        If a required column or value is missing, the table is empty, time or cycles
        run backwards, a counter falls, or there is none and `source` insists on it.
    """
    rows = rows_of(table, source, cycles_begin_with(record))
    sums = np.empty((rows.cycles_count, len(Sum)))
    at = np.empty((rows.cycles_count, len(Row)), np.int64)
    kernel.cycle_sums(
        rows.time_second,
        rows.voltage_volt,
        rows.current_ampere,
        rows.cycle,
        rows.eis,
        rows.rest_ampere,
        tuple(rows.charge),
        tuple(rows.energy),
        sums,
        at,
    )
    passed = sums[:, : Sum.DISCHARGE_AH + 1]
    at[:, ENDS][passed <= LEAST_FRACTION * passed.max()] = -1
    content = _content(rows, sums, at, record)
    for name, end, what in POTENTIALS:
        if name in table.columns:
            content[f"{what}_vs_li_volt"] = _of_rows(floats(table, name), at[:, end])
    import polars as pl

    cycles = pl.DataFrame(content)
    if not kinds:
        return cycles
    return classify(cycles, labels=_labels(table, cycles))


def _labels(table: pl.DataFrame, cycles: pl.DataFrame) -> list[str | None] | None:
    """What the file calls each cycle, if it says so in its rows (`cycle_label`)."""
    import polars as pl

    if not {"cycle_label", "cycle_count"} <= set(table.columns):
        return None
    said = (
        table.lazy()
        .filter(pl.col("cycle_label").is_not_null())
        .group_by(pl.col("cycle_count").cast(pl.Int64))
        .agg(pl.col("cycle_label").cast(pl.String).first())
        .collect()
    )
    return cycles.join(said, on="cycle_count", how="left")["cycle_label"].to_list()


def _content(
    rows: Rows, sums: Array, at: Ints, record: CellRecord
) -> dict[str, Array | Ints]:
    capacity, energy, current, most = (_both(rows, sums, at, s) for s in _SIDES)
    up, down = capacity
    with np.errstate(divide="ignore", invalid="ignore"):
        inverted = record.efficiency == "charge/discharge"
        content: dict[str, Array | Ints] = {
            "cycle_count": rows.cycle[at[:, Row.FIRST]],
            "start_time_second": rows.time_second[at[:, Row.FIRST]],
            "end_time_second": rows.time_second[at[:, Row.LAST]],
            "charging_capacity_ah": up,
            "discharging_capacity_ah": down,
            "charging_energy_wh": energy[0],
            "discharging_energy_wh": energy[1],
            "coulombic_efficiency": up / down if inverted else down / up,
            "energy_efficiency": energy[1] / energy[0],
            "mean_charging_voltage_volt": energy[0] / up,
            "mean_discharging_voltage_volt": energy[1] / down,
            "end_of_charge_voltage_volt": _of_rows(
                rows.voltage_volt, at[:, Row.END_OF_CHARGE]
            ),
            "end_of_discharge_voltage_volt": _of_rows(
                rows.voltage_volt, at[:, Row.END_OF_DISCHARGE]
            ),
            "maximum_voltage_volt": _finite(sums[:, Sum.HIGHEST_VOLT]),
            "minimum_voltage_volt": _finite(sums[:, Sum.LOWEST_VOLT]),
            "charge_current_ampere": current[0] / up,
            "discharge_current_ampere": current[1] / down,
            "maximum_charge_current_ampere": most[0],
            "maximum_discharge_current_ampere": most[1],
            "half_cycles_count": at[:, Row.HALF_CYCLES],
            "rows_count": at[:, Row.ROWS],
            "eis_rows_count": at[:, Row.EIS_ROWS],
        }
    mass, one_c = record.positive_active_mass_mg, record.one_c_ampere
    if mass is not None:
        content |= {
            "charging_capacity_mah_per_g_positive": up * (1e6 / mass),
            "discharging_capacity_mah_per_g_positive": down * (1e6 / mass),
            "charging_energy_wh_per_kg_positive": energy[0] * (1e6 / mass),
            "discharging_energy_wh_per_kg_positive": energy[1] * (1e6 / mass),
        }
    if one_c is not None:
        content |= {
            "charge_c_rate": current[0] / up / one_c,
            "discharge_c_rate": current[1] / down / one_c,
        }
    return content


_SIDES = (
    Sum.CHARGE_AH,
    Sum.CHARGE_WH,
    Sum.CHARGE_AH_AMPERE,
    Sum.CHARGE_MAXIMUM_AMPERE,
)


def _both(rows: Rows, sums: Array, at: Ints, what: Sum) -> tuple[Array, Array]:
    """A quantity of charge and of discharge; NaN where that direction is missing."""
    if what == Sum.CHARGE_WH and rows.energy.mode != Count.NONE:
        what = Sum.COUNTED_CHARGE_WH
    both = np.where(at[:, ENDS] < 0, np.nan, sums[:, what : what + 2])
    return both[:, 0], both[:, 1]


def _of_rows(values: Array, row: Ints) -> Array:
    return np.where(row < 0, np.nan, values[row])


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)
