"""From the raw records of a run to tables: cycles, steps, time series.

Charge and energy > 0 on charging; specific values per gram of positive active
material as built (half cell: of the working electrode). Potentials are vs Li+/Li at
the reference electrode, so that positive minus negative is the voltage of the cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.kernels.program import End, Reason, Sample

if TYPE_CHECKING:
    import polars as pl

    from equipoise.protocol.expand import Program
    from equipoise.sim.lower import Lowered

Array = NDArray[np.float64]
ENDED_BY = {
    Reason.TIME: "time",
    Reason.VOLTAGE: "voltage",
    Reason.POSITIVE_POTENTIAL: "positive potential",
    Reason.NEGATIVE_POTENTIAL: "negative potential",
    Reason.CURRENT: "current",
    Reason.CAPACITY: "capacity",
    Reason.FAILED: "not solved",
    Reason.MEASURED: "measured",
}
COULOMB_PER_MAH = 3.6
AT_ONCE_SECOND = 1e-6
"""A step that was shorter has passed no charge: it began beyond its limit."""


def step_table(results: Array, program: Program, lowered: Lowered) -> pl.DataFrame:
    """One row per finished step; `results` has shape (S, len(End))."""
    import polars as pl  # 0.5 s: only where a table is made

    step = results[:, End.STEP].astype(np.int64)
    reasons = [ENDED_BY[Reason(int(r))] for r in results[:, End.REASON]]
    per_gram = 1.0 / (COULOMB_PER_MAH * lowered.positive_mass_g)
    seconds = results[:, End.END_SECOND] - results[:, End.START_SECOND]
    unsolved = (results[:, End.REASON] == float(Reason.FAILED)) & (seconds == 0.0)
    results = results.copy()
    results[np.ix_(unsolved, [End.VOLT, End.POSITIVE_VOLT, End.NEGATIVE_VOLT])] = np.nan
    return pl.DataFrame(
        {
            "cycle_count": results[:, End.CYCLE].astype(np.int64),
            "step_count": step,
            "step": [program.labels[i - 1] for i in step],
            "ended_by": reasons,
            "start_time_second": results[:, End.START_SECOND],
            "end_time_second": results[:, End.END_SECOND],
            "capacity_mah_per_g_positive": results[:, End.COULOMB] * per_gram,
            "energy_wh_per_kg_positive": results[:, End.JOULE] * per_gram,
            "end_current_ampere": results[:, End.AMPERE],
            "end_voltage_volt": results[:, End.VOLT],
            "end_positive_electrode_potential_volt": results[:, End.POSITIVE_VOLT],
            "end_negative_electrode_potential_volt": results[:, End.NEGATIVE_VOLT],
            "positive_lithiation_fraction": results[:, End.POSITIVE_LITHIATION],
            "negative_lithiation_fraction": results[:, End.NEGATIVE_LITHIATION],
            "substeps_count": results[:, End.SUBSTEPS].astype(np.int64),
        }
    )


def cycle_table(results: Array, program: Program, lowered: Lowered) -> pl.DataFrame:
    """One row per cycle, NaN where a cycle has no charge or no discharge.

    The Coulombic efficiency is what comes back: discharge over charge, and charge over
    discharge for a half cell that is built charged (LTO). The end of charge
    (discharge) is the last step of the cycle that passed charge in that direction.
    """
    import polars as pl

    cycles, at = np.unique(results[:, End.CYCLE], return_inverse=True)
    n = cycles.size
    per_gram = 1.0 / (COULOMB_PER_MAH * lowered.positive_mass_g)
    columns: dict[str, NDArray[np.float64] | NDArray[np.int64]] = {
        "cycle_count": cycles.astype(np.int64)
    }
    sums: dict[str, Array] = {}
    ends: dict[str, Array] = {}
    for name, sign in (("charge", 1.0), ("discharge", -1.0)):
        seconds = results[:, End.END_SECOND] - results[:, End.START_SECOND]
        flowed = (sign * results[:, End.COULOMB] > 0.0) & (seconds > AT_ONCE_SECOND)
        on = np.flatnonzero(flowed)
        for key, column in (("capacity", End.COULOMB), ("energy", End.JOULE)):
            total = np.bincount(at[on], sign * results[on, column], minlength=n)
            sums[f"{name}_{key}"] = np.where(
                np.bincount(at[on], minlength=n) > 0, total * per_gram, np.nan
            )
        last = np.full(n, -1)
        last[at[on]] = on  # rows are in order of time: the last one stays
        for key in (End.POSITIVE_VOLT, End.NEGATIVE_VOLT, End.VOLT):
            ends[f"{name}_{key.name}"] = np.where(last < 0, np.nan, results[last, key])
        ends[f"{name}_rate"] = _rate_of_first(on, at, n, results, program)
    charge, discharge = sums["charge_capacity"], sums["discharge_capacity"]
    ah_per_specific = 1e-3 * lowered.positive_mass_g
    with np.errstate(divide="ignore", invalid="ignore"):
        columns |= {
            "charge_c_rate": ends["charge_rate"],
            "discharge_c_rate": ends["discharge_rate"],
            "charging_capacity_ah": charge * ah_per_specific,
            "discharging_capacity_ah": discharge * ah_per_specific,
            "charging_capacity_mah_per_g_positive": charge,
            "discharging_capacity_mah_per_g_positive": discharge,
            "coulombic_efficiency": (
                discharge / charge if lowered.charges_first else charge / discharge
            ),
            "charging_energy_wh_per_kg_positive": sums["charge_energy"],
            "discharging_energy_wh_per_kg_positive": sums["discharge_energy"],
            "energy_efficiency": sums["discharge_energy"] / sums["charge_energy"],
            "mean_charging_voltage_volt": sums["charge_energy"] / charge,
            "mean_discharging_voltage_volt": sums["discharge_energy"] / discharge,
            "end_of_charge_voltage_volt": ends["charge_VOLT"],
            "upper_potential_vs_li_volt": ends["charge_POSITIVE_VOLT"],
            "negative_end_of_charge_potential_vs_li_volt": ends["charge_NEGATIVE_VOLT"],
            "end_of_discharge_voltage_volt": ends["discharge_VOLT"],
            "lower_potential_vs_li_volt": ends["discharge_POSITIVE_VOLT"],
            "negative_end_of_discharge_potential_vs_li_volt": ends[
                "discharge_NEGATIVE_VOLT"
            ],
            "end_time_second": _last_of(results[:, End.END_SECOND], at, n),
        }
    return pl.DataFrame(columns)


def _rate_of_first(
    on: NDArray[np.int64],
    at: NDArray[np.int64],
    n: int,
    results: Array,
    program: Program,
) -> Array:
    """Nominal C-rate of the first step `on` of each cycle; NaN where there is none."""
    first = np.full(n, -1)
    first[at[on][::-1]] = on[::-1]
    steps = results[first, End.STEP].astype(np.int64)
    return np.where(first < 0, np.nan, program.nominal_c_rate[steps - 1])


def trace_table(samples: Array, results: Array, lowered: Lowered) -> pl.DataFrame:
    """Time series of the traced cycles under BDF machine names.

    The two cycle capacities count within the cycle, both >= 0; `step_time_second` and
    `passed_capacity_mah_per_g_positive` within the step.
    """
    import polars as pl

    step = samples[:, Sample.STEP].astype(np.int64)
    cycle = samples[:, Sample.CYCLE].astype(np.int64)
    starts = np.zeros(int(step.max(initial=0)) + 1)
    rows = results[:, End.STEP].astype(np.int64)
    inside = rows < starts.size
    starts[rows[inside]] = results[inside, End.START_SECOND]
    coulomb = samples[:, Sample.COULOMB]
    in_cycle = {
        sign: _within_cycle(np.maximum(sign * coulomb, 0.0), step, cycle)
        for sign in (1.0, -1.0)
    }
    return pl.DataFrame(
        {
            "test_time_second": samples[:, Sample.SECOND],
            "voltage_volt": samples[:, Sample.VOLT],
            "current_ampere": samples[:, Sample.AMPERE],
            "cycle_count": cycle,
            "step_count": step,
            "step_time_second": samples[:, Sample.SECOND] - starts[step],
            "cycle_charging_capacity_ah": in_cycle[1.0] / 3600.0,
            "cycle_discharging_capacity_ah": in_cycle[-1.0] / 3600.0,
            "positive_electrode_potential_volt": samples[:, Sample.POSITIVE_VOLT],
            "negative_electrode_potential_volt": samples[:, Sample.NEGATIVE_VOLT],
            "passed_capacity_mah_per_g_positive": np.abs(coulomb)
            / (COULOMB_PER_MAH * lowered.positive_mass_g),
        }
    )


def _last_of(values: Array, at: NDArray[np.int64], n: int) -> Array:
    out = np.full(n, np.nan)
    out[at] = values
    return out


def _within_cycle(
    in_step: Array, step: NDArray[np.int64], cycle: NDArray[np.int64]
) -> Array:
    """Running sum over the steps of a cycle of a charge that runs within steps."""
    if in_step.size == 0:
        return in_step
    last = np.flatnonzero(np.append(np.diff(step) != 0, True))
    done = np.concatenate(([0.0], np.cumsum(in_step[last])))  # before each block
    block = np.concatenate(([0], np.cumsum(np.diff(step) != 0)))
    before = done[block]
    first = np.concatenate(([0], np.flatnonzero(np.diff(cycle) != 0) + 1))
    which = np.searchsorted(first, np.arange(step.size), side="right") - 1
    return in_step + before - before[first[which]]
