"""What each electrode does: end potentials, their drift, and whether to trust them.

Potentials are vs Li+/Li, as the table holds them. Three questions have answers of
different worth:

- Does positive minus negative give the voltage? A residual shows a bad contact, or a
  wrong column or offset.
- Do the end potentials drift? With fixed cut-offs both electrodes move together: that
  is the compensation of zhang2026 (Fig. 6, Table S7), or ...
- ... does the reference drift? It shifts both potentials alike, leaving the voltage
  as it is, so no voltage can tell it from the above. It shows only against a feature
  that should not move: the plateau of a two-phase negative electrode (LTO), half way
  between charge and discharge. Without a plateau (graphite, NCM) the state of charge
  at a given charge may drift as well, and the two cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.half_cycles import (
    HalfCycles,
    Source,
    charge_passed,
    cycles_begin_with,
    floats,
    half_cycles,
)
from equipoise.analysis.statistics import theil_sen
from equipoise.core.errors import DataError, SpecError
from equipoise.spec.cell_record import CellRecord

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

POSITIVE = "positive_electrode_potential_volt"
NEGATIVE = "negative_electrode_potential_volt"
MIDDLE = (0.3, 0.7)
"""Share of the charge of a half-cycle within which a plateau is looked for."""
PLATEAU_MILLIVOLT = 8.0
"""Change over that share up to which a potential is a plateau. LTO of the bundled cells
changes by 0.7-7 mV at up to 2C, graphite with silicon (pybop, pseudo-OCV) by 11 mV."""
UNKNOWN = CellRecord()
ENDS = {
    1: ("upper_potential_vs_li_volt", "negative_end_of_charge_potential_vs_li_volt"),
    -1: (
        "lower_potential_vs_li_volt",
        "negative_end_of_discharge_potential_vs_li_volt",
    ),
}
VOLTAGES = {1: "end_of_charge_voltage_volt", -1: "end_of_discharge_voltage_volt"}


@dataclass(frozen=True, slots=True)
class ThreeElectrode:
    """Deconvoluted potentials of one cell.

    Attributes
    ----------
    half_cycles
        One row per half-cycle: cycle_count, direction (+1 charge), capacity_ah, the
        voltage and both potentials in its last row, and the largest and root mean
        square | positive - negative - voltage | of its rows.
    cycles
        One row per cycle, as Table S7: upper and lower potential and those of the
        negative electrode at the same times, and the voltages; NaN where missing.
    drift
        One row per end potential: first and last value, their difference, and the
        Theil-Sen slope in mV per 100 cycles with its 95 % interval.
    reference
        One row per cycle that has both directions: potential of the negative
        electrode in the middle of charge and discharge, half way between them, how
        much it changes there (flatness_millivolt), whether that is a plateau, and how
        far the plateau is from that of the first cycle that has one (shift_millivolt,
        NaN without a plateau: at 5C even LTO has none).
    plateau_found
        Whether two of the chosen cycles or more have a plateau, so that its shift can
        be taken for one of the reference electrode.
    notes
        What was found, in words.
    """

    half_cycles: pl.DataFrame
    cycles: pl.DataFrame
    drift: pl.DataFrame
    reference: pl.DataFrame
    plateau_found: bool
    notes: tuple[str, ...]


def three_electrode(
    table: pl.DataFrame,
    *,
    record: CellRecord = UNKNOWN,
    cycles: Collection[int] | None = None,
    plateau_vs_li_volt: float | None = None,
    source: Source = "auto",
) -> ThreeElectrode:
    """Follow both electrodes of a cell with a reference electrode.

    Parameters
    ----------
    table
        Time series with both electrode potentials.
    record
        Names the reference electrode in the notes.
    cycles
        Cycles whose drift is taken: like ones, for overpotential goes with the rate.
        By default all; the tables hold all in any case.
    plateau_vs_li_volt
        Where the plateau of the negative should be, 1.55 for LTO: the notes then say
        by how much the reference is off.

    Returns
    -------
    ThreeElectrode

    Raises
    ------
    DataError
        If a potential is missing, or no current flows.
    SpecError
        If none of `cycles` is in the table.

    References
    ----------
    zhang2026, Fig. 6 and Table S7; slope and interval: Sen, J. Am. Stat. Assoc. 63
    (1968) 1379.
    """
    import polars as pl

    missing = [c for c in (POSITIVE, NEGATIVE) if c not in table.columns]
    if missing:
        raise DataError(
            f"there is no column {' and '.join(missing)}; found: "
            f"{', '.join(table.columns)}",
            remedy="a cell with two electrodes has no potentials to follow: use "
            "cycle_summary",
        )
    halves = half_cycles(table, source=source, begins=cycles_begin_with(record))
    if len(halves) == 0:
        raise DataError("no current flows in this table: it has no half-cycle")
    columns = ("voltage_volt", POSITIVE, NEGATIVE)
    values = np.stack([floats(table, c) for c in columns])
    ends = _ends(halves, values)
    by_cycle = _per_cycle(ends)
    chosen = by_cycle
    if cycles is not None:
        chosen = by_cycle.filter(pl.col("cycle_count").is_in(list(cycles)))
        if chosen.height == 0:
            first, last = halves.cycle_count[0], halves.cycle_count[-1]
            raise SpecError(
                f"none of the cycles {sorted(cycles)[:5]} is in the table ({first} to "
                f"{last})",
                remedy="give cycles as the table numbers them",
            )
    reference = _reference(halves, charge_passed(table, source), values[2])
    like = reference.filter(
        pl.col("cycle_count").is_in(chosen["cycle_count"].to_list())
    )
    found = int(like["is_plateau"].sum()) > 1
    return ThreeElectrode(
        half_cycles=ends,
        cycles=by_cycle,
        drift=_drifts(chosen),
        reference=reference,
        plateau_found=found,
        notes=_notes(ends, like, found, record, plateau_vs_li_volt),
    )


def _ends(halves: HalfCycles, values: Array) -> pl.DataFrame:
    """Last row of each half-cycle, and how well the potentials make the voltage."""
    import polars as pl

    voltage, positive, negative = values
    last = halves.stop - 1
    off = 1e3 * np.abs(positive - negative - voltage)
    most, square = np.empty(len(halves)), np.empty(len(halves))
    for k, (a, b) in enumerate(zip(halves.start, halves.stop, strict=True)):
        most[k] = off[a:b].max()
        square[k] = np.sqrt(np.mean(off[a:b] ** 2))
    return pl.DataFrame(
        {
            "cycle_count": halves.cycle_count,
            "direction": halves.direction,
            "capacity_ah": halves.capacity_ah,
            "end_voltage_volt": voltage[last],
            "positive_end_potential_vs_li_volt": positive[last],
            "negative_end_potential_vs_li_volt": negative[last],
            "maximum_residual_millivolt": most,
            "rms_residual_millivolt": square,
        }
    )


def _per_cycle(ends: pl.DataFrame) -> pl.DataFrame:
    """Table S7: the last half-cycle of each direction in each cycle."""
    import polars as pl

    cycles = ends["cycle_count"].unique().sort().to_numpy()
    columns: dict[str, Array | Integers] = {"cycle_count": cycles}
    for sign in (1, -1):
        mine = ends.filter(pl.col("direction") == sign)
        at = np.searchsorted(cycles, mine["cycle_count"].to_numpy())
        names = (
            (ENDS[sign][0], "positive_end_potential_vs_li_volt"),
            (ENDS[sign][1], "negative_end_potential_vs_li_volt"),
            (VOLTAGES[sign], "end_voltage_volt"),
        )
        for name, of in names:
            values = np.full(cycles.size, np.nan)
            values[at] = mine[of].to_numpy()  # in order of time: the last one stays
            columns[name] = values
    return pl.DataFrame(columns)


def _drifts(cycles: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    x = cycles["cycle_count"].to_numpy().astype(np.float64)
    rows: list[dict[str, float | str | int]] = []
    for name in (*ENDS[1], *ENDS[-1]):
        y = cycles[name].to_numpy()
        known = np.flatnonzero(np.isfinite(y))
        first, last = (y[known[0]], y[known[-1]]) if known.size else (np.nan, np.nan)
        slope, low, high = theil_sen(x, y)
        rows.append(
            {
                "potential": name,
                "cycles_count": known.size,
                "first_volt": float(first),
                "last_volt": float(last),
                "change_millivolt": float(1e3 * (last - first)),
                "drift_per_100_cycles_millivolt": 1e5 * slope,
                "drift_low_per_100_cycles_millivolt": 1e5 * low,
                "drift_high_per_100_cycles_millivolt": 1e5 * high,
            }
        )
    return pl.DataFrame(rows)


def _reference(halves: HalfCycles, charge: Array, negative: Array) -> pl.DataFrame:
    """Negative electrode in the middle of charge and discharge, per cycle."""
    import polars as pl

    cycles, at = np.unique(halves.cycle_count, return_inverse=True)
    middle = np.full((2, cycles.size), np.nan)
    change = np.full((2, cycles.size), np.nan)
    largest = np.zeros((2, cycles.size))
    for k in range(len(halves)):
        side = int(halves.direction[k] < 0)
        if halves.capacity_ah[k] <= largest[side, at[k]]:
            continue  # a pulse beside the charge or discharge of its cycle
        largest[side, at[k]] = halves.capacity_ah[k]
        a, b = halves.start[k], halves.stop[k]
        share = np.abs(charge[a:b] - charge[a]) / halves.capacity_ah[k]
        inside = (share >= MIDDLE[0]) & (share <= MIDDLE[1])
        if inside.sum() >= 3:
            part = negative[a:b][inside]
            middle[side, at[k]] = np.median(part)
            change[side, at[k]] = 1e3 * abs(_smoothed_change(part))
    half_way = middle.mean(axis=0)
    both = np.isfinite(half_way)
    out = pl.DataFrame(
        {
            "cycle_count": cycles,
            "negative_mid_charge_vs_li_volt": middle[0],
            "negative_mid_discharge_vs_li_volt": middle[1],
            "negative_half_way_vs_li_volt": half_way,
            "flatness_millivolt": change.max(axis=0),
        }
    ).filter(pl.Series(both))
    flat = out["flatness_millivolt"].to_numpy() <= PLATEAU_MILLIVOLT
    plateau = np.where(flat, half_way[both], np.nan)
    first = plateau[flat][0] if flat.any() else np.nan
    return out.with_columns(
        pl.Series("is_plateau", flat),
        pl.Series("shift_millivolt", 1e3 * (plateau - first)),
    )


def _smoothed_change(part: Array) -> float:
    """Change over a stretch: median of its last third less that of its first."""
    third = max(1, part.size // 3)
    return float(np.median(part[-third:]) - np.median(part[:third]))


def _notes(
    ends: pl.DataFrame,
    reference: pl.DataFrame,
    found: bool,
    record: CellRecord,
    plateau: float | None,
) -> tuple[str, ...]:
    most = ends["maximum_residual_millivolt"].to_numpy()
    known = np.isfinite(most)
    notes = [
        f"positive - negative = voltage within {most[known].max():.3g} mV"
        if known.any()
        else "the potentials have gaps in every half-cycle: no check of the voltage"
    ]
    if known.any() and not known.all():
        gaps = int((~known).sum())
        notes.append(f"{gaps:,} of {known.size:,} half-cycles have gaps in a potential")
    import polars as pl

    name = record.reference_electrode or "reference"
    if reference.height == 0:
        notes.append(
            f"no cycle has both directions: a drift of the {name} electrode cannot be "
            "seen"
        )
        return tuple(notes)
    flat = reference.filter(pl.col("is_plateau"))
    if not found:
        least = float(np.min(reference["flatness_millivolt"].to_numpy()))
        notes.append(
            f"the negative changes by {least:.3g} mV or more over the middle of a "
            f"half-cycle ({flat.height} of {reference.height} cycles have a plateau): "
            f"a drift of the {name} electrode cannot be told from one of the state of "
            "charge"
        )
        return tuple(notes)
    shifts = flat["shift_millivolt"].to_numpy()
    notes.append(
        f"the plateau of the negative moves by {shifts[-1] - shifts[0]:+.3g} mV over "
        f"{flat.height} of {reference.height} cycles: so much of the drift of both "
        f"electrodes may be that of the {name} electrode"
    )
    if plateau is not None:
        off = 1e3 * (float(flat["negative_half_way_vs_li_volt"][0]) - plateau)
        notes.append(f"the plateau is {off:+.3g} mV from {plateau:g} V vs Li+/Li")
    return tuple(notes)
