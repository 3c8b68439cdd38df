"""Cycler data for benchmarks: made up, the same in every run, with a known truth.

A cell whose charge is a sum of four logistic peaks of voltage is charged and discharged
at constant current, with noise of current and voltage as cyclers have it. So dQ/dV is
known exactly, and the counters are the integral of the current that is in the table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from equipoise.core.columns import to_labels

if TYPE_CHECKING:
    from collections.abc import Callable

PLACES_VOLT = np.array([2.05, 2.20, 2.45, 2.63])
CHARGES_AH = np.array([60.0, 60.0, 40.0, 30.0]) * 1e-3
WIDTHS_VOLT = np.array([25.0, 40.0, 30.0, 12.0]) * 1e-3
SHARP_VOLT = float(PLACES_VOLT[-1])
"""The narrowest peak, 42 mV wide at half height: smoothing lowers it most."""
LOWEST_VOLT, HIGHEST_VOLT = 1.35, 2.75
POLARISATION_VOLT = 0.01
STEP_SECOND = 3.6
CURRENT_AMPERE = 0.19
FADE_PER_CYCLE = 1e-4
CURRENT_NOISE_RATIO = 1e-4
VOLTAGE_NOISE_VOLT = 1e-4
RESTS = (5, 10, 5)
"""Rows at rest before the charge, between, and after the discharge of every cycle."""
SEED = 20260


def passed_ah(volt: np.ndarray) -> np.ndarray:
    """Charge in the cell at a voltage without current."""
    x = (PLACES_VOLT - np.asarray(volt)[..., None]) / WIDTHS_VOLT
    return (CHARGES_AH / (1.0 + np.exp(x))).sum(axis=-1)


RANGE_AH = float(np.diff(passed_ah(np.array([LOWEST_VOLT, HIGHEST_VOLT])))[0])


def exact_dqdv(volt: np.ndarray, *, capacity_ah: float, shift: float) -> np.ndarray:
    """True dQ/dV (Ah/V) of a half-cycle of this capacity, shifted by polarisation."""
    x = (np.asarray(volt)[..., None] - shift - PLACES_VOLT) / (2.0 * WIDTHS_VOLT)
    whole = (CHARGES_AH / (4.0 * WIDTHS_VOLT) / np.cosh(x) ** 2).sum(axis=-1)
    return whole * (capacity_ah / RANGE_AH)


def curve_errors(
    curve: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    halves: list[tuple[np.ndarray, np.ndarray, float]],
) -> dict[str, float]:
    """Medians of the relative errors of curves of charge.

    Of the height of the sharpest peak, of the area, and of all of it (rms over the
    maximum, without 20 mV at the ends). `halves`: charge since the start and voltage of
    the rows, and all that passed, up to the middle between rows.
    """
    found = []
    for charge, volt, capacity in halves:
        x, y = curve(charge, volt)
        truth = exact_dqdv(x, capacity_ah=capacity, shift=POLARISATION_VOLT)
        near = np.abs(x - SHARP_VOLT - POLARISATION_VOLT) < 0.03
        inside = (x > volt.min() + 0.02) & (x < volt.max() - 0.02)
        found.append(
            (
                y[near].max() / truth[near].max() - 1.0,
                np.trapezoid(y, x) / capacity - 1.0,
                float(np.sqrt(np.mean((y - truth)[inside] ** 2)) / truth.max()),
            )
        )
    names = ("peak_height_ratio", "area_ratio", "rms_ratio")
    return dict(zip(names, np.median(found, axis=0).tolist(), strict=True))


def charges(second: np.ndarray, ampere: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charge and discharge (Ah) of each row: each current holds for half of the time.

    Shape (N,), flat, since the row before; both >= 0.
    """
    hours = np.diff(second) / 3600.0
    out = []
    for sign in (1.0, -1.0):
        part = np.maximum(sign * ampere, 0.0)
        row = np.zeros(part.size)
        row[1:] = 0.5 * hours * (part[1:] + part[:-1])
        out.append(row)
    return out[0], out[1]


def time_series(cycles: int, rows_per_cycle: int = 2000) -> pl.DataFrame:
    """Table in machine names, counters since the start of the test."""
    half = (rows_per_cycle - sum(RESTS)) // 2
    sizes = (RESTS[0], half, RESTS[1], half, rows_per_cycle - half * 2 - sum(RESTS[:2]))
    pattern = np.repeat([0.0, 1.0, 0.0, -1.0, 0.0], sizes)
    generator = np.random.default_rng(SEED)
    shape = (cycles, rows_per_cycle)
    fade = 1.0 - FADE_PER_CYCLE * np.arange(cycles)
    noise = 1.0 + CURRENT_NOISE_RATIO * generator.standard_normal(shape)
    ampere = np.round(CURRENT_AMPERE * fade[:, None] * pattern * noise, 5)
    second = np.round(STEP_SECOND * np.arange(cycles * rows_per_cycle), 1)
    up, down = charges(second, ampere.ravel())
    inside = np.cumsum((up - down).reshape(shape), axis=1)
    top = inside.max(axis=1, keepdims=True)
    # the discharge ends where the charge began, whatever its noise was
    bottom = inside[:, -1:] * (np.arange(rows_per_cycle) > sum(sizes[:3]))
    share = np.clip((inside - bottom) / (top - bottom), 0.0, 1.0)
    fine = np.linspace(LOWEST_VOLT, HIGHEST_VOLT, 40_001)
    truth = passed_ah(fine)
    volt = np.interp(truth[0] + share * RANGE_AH, truth, fine)
    volt += POLARISATION_VOLT * pattern
    volt += VOLTAGE_NOISE_VOLT * generator.standard_normal(shape)
    return pl.DataFrame(
        {
            "test_time_second": second,
            "voltage_volt": np.round(volt.ravel(), 5),
            "current_ampere": ampere.ravel(),
            "cycle_count": np.repeat(np.arange(1, cycles + 1), rows_per_cycle),
            "charging_capacity_ah": np.round(np.cumsum(up), 5),
            "discharging_capacity_ah": np.round(np.cumsum(down), 5),
        }
    )


@dataclass(frozen=True, slots=True)
class Files:
    """What the readers get."""

    csv: Path
    parquet: Path
    maccor: Path
    small: Path


def write_files(table: pl.DataFrame, folder: Path) -> Files:
    """Write the table in all formats."""
    labelled = table.rename(
        dict(zip(table.columns, to_labels(table.columns), strict=True))
    )
    files = Files(
        csv=folder / "large.bdf.csv",
        parquet=folder / "large.bdf.parquet",
        maccor=folder / "large.txt",
        small=folder / "small.bdf.csv",
    )
    labelled.write_csv(files.csv)
    labelled.write_parquet(files.parquet)
    labelled.head(4000).write_csv(files.small)
    # about as many bytes as the CSV file
    _write_maccor(table.head((table.height * 9) // 20), files.maccor)
    return files


def _write_maccor(table: pl.DataFrame, path: Path) -> None:
    """The flavour "Test (Sec)": unsigned current, capacity of the step."""
    sign = table["current_ampere"].sign().cast(pl.Int8).to_numpy()
    count = table["cycle_count"].to_numpy()
    begins = np.ones(sign.size, dtype=bool)
    begins[1:] = (np.diff(sign) != 0) | (np.diff(count) != 0)
    first = np.flatnonzero(begins)
    step = np.cumsum(begins)
    second, volt = (table[n].to_numpy() for n in ("test_time_second", "voltage_volt"))
    up, down = charges(second, table["current_ampere"].to_numpy())
    energy = (up + down) * volt

    def of_step(values: np.ndarray) -> np.ndarray:
        total = np.cumsum(values)
        return np.round(total - total[first][step - 1], 8)

    clock = pl.Series("t", (second * 1e6).astype(np.int64)).cast(pl.Duration("us"))
    clock = clock + pl.datetime(2024, 1, 2, 3, 4, 5)
    frame = table.select(
        pl.int_range(1, pl.len() + 1).alias("Rec#"),
        pl.col("cycle_count").alias("Cyc#"),
        pl.Series("Step", step),
        pl.col("test_time_second").alias("Test (Sec)"),
        pl.Series("Step (Sec)", np.round(second - second[first][step - 1], 1)),
        pl.Series("Amp-hr", of_step(up + down)),
        pl.Series("Watt-hr", of_step(energy)),
        pl.col("current_ampere").abs().alias("Amps"),
        pl.col("voltage_volt").alias("Volts"),
        pl.Series("State", np.array(["R", "C", "D"])[sign]),
        pl.lit(1).alias("ES"),
        clock.dt.strftime("%m/%d/%Y %H:%M:%S").alias("DPt Time"),
    )
    head = (
        "Today's Date 01/03/2025  Date of Test:\t01/02/2024\t Filename:\tmade-up.001\n"
    )
    with path.open("wb") as stream:
        stream.write(head.encode())
        frame.write_csv(stream, separator="\t", float_precision=8)


CYCLE_COLUMNS = (
    "cycle_count",
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "coulombic_efficiency",
    "charging_energy_wh",
    "discharging_energy_wh",
    "end_of_charge_voltage_volt",
    "end_of_discharge_voltage_volt",
)
NOMINAL_AH = 2e-3
END_OF_LIFE_RATIO = 0.8


def cell_cycles(cell: int, cycles: int) -> pl.DataFrame:
    """Ageing of one cell: 10 to 40 % lost at the last cycle, 0.1 % of noise."""
    generator = np.random.default_rng((SEED, cell))
    number = np.arange(1, cycles + 1)
    lost = generator.uniform(0.1, 0.4) * number / cycles

    def noisy(values: np.ndarray | float) -> np.ndarray:
        return values * (1.0 + 1e-3 * generator.standard_normal(cycles))

    discharge = noisy(NOMINAL_AH * (1.0 - lost))
    charge = discharge * noisy(1.001)
    columns = (
        number,
        charge,
        discharge,
        discharge / charge,
        noisy(charge * 2.2),
        noisy(discharge * 2.1),
        noisy(2.75 * np.ones(cycles)),
        noisy(1.35 * np.ones(cycles)),
    )
    return pl.DataFrame(dict(zip(CYCLE_COLUMNS, columns, strict=True)))


def source_of(cell: int) -> str:
    """A SHA-256 as of a file of this cell."""
    return hashlib.sha256(f"cell {cell}".encode()).hexdigest()


def real_mpr() -> Path | None:
    """The measured .mpr file, where the folder of data is at hand."""
    name = "shared/data/biologic/datalab_jdb11-1_gcpl_C09.mpr"
    for parent in Path(__file__).resolve().parents:
        if (parent / name).exists():
            return parent / name
    return None
