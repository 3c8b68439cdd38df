"""Spectra of a run as one long table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.sim.impedance.cell_impedance import CellImpedance

STATE = (
    "name",
    "cycle_count",
    "step_count",
    "time_second",
    "current_ampere",
    "voltage_volt",
    "positive_potential_vs_li_volt",
    "negative_potential_vs_li_volt",
    "positive_lithiation_fraction",
    "negative_lithiation_fraction",
    "area_cm2",
)
"""Fields of `CellImpedance` that are the same in all rows of a spectrum."""


def impedance_table(impedances: Sequence[CellImpedance]) -> pl.DataFrame:
    """One row per frequency; the state of the cell is repeated in each.

    Returns
    -------
    polars.DataFrame
        The columns of `STATE`, `frequency_hertz`, `real_impedance_ohm` and
        `imaginary_impedance_ohm` (< 0 where capacitive) of the cell, and the same of
        both electrodes against the reference electrode (`positive_`, `negative_`).
    """
    import polars as pl

    types = {"name": pl.String, "cycle_count": pl.Int64, "step_count": pl.Int64}
    counts = [found.frequency_hertz.size for found in impedances]
    columns: dict[str, pl.Series] = {}
    for key in STATE:
        values = [getattr(found, key) for found in impedances]
        one = pl.Series(key, values, dtype=types.get(key, pl.Float64))
        columns[key] = one.gather(np.repeat(np.arange(len(counts)), counts))

    def joined(key: str, parts: list[np.ndarray]) -> None:
        whole = np.concatenate(parts) if parts else np.zeros(0)
        columns[key] = pl.Series(key, whole, dtype=pl.Float64)

    joined("frequency_hertz", [found.frequency_hertz for found in impedances])
    for side in ("", "positive_", "negative_"):
        parts = [
            found.positive_impedance_ohm + found.negative_impedance_ohm
            if not side
            else getattr(found, f"{side}impedance_ohm")
            for found in impedances
        ]
        joined(f"{side}real_impedance_ohm", [z.real for z in parts])
        joined(f"{side}imaginary_impedance_ohm", [z.imag for z in parts])
    return pl.DataFrame(columns)


def impedance_summary(impedances: Sequence[CellImpedance]) -> list[dict[str, object]]:
    """What was measured, one entry per spectrum, fit for JSON; no number is NaN."""

    def entry(found: CellImpedance) -> dict[str, object]:
        state = {key: getattr(found, key) for key in STATE}
        f, z = found.frequency_hertz, found.cell.impedance_ohm
        return {
            **{k: None if v != v else v for k, v in state.items()},
            "points_count": f.size,
            "highest_frequency_hertz": float(f[0]),
            "lowest_frequency_hertz": float(f[-1]),
            "highest_frequency_real_impedance_ohm": float(z[0].real),
            "lowest_frequency_real_impedance_ohm": float(z[-1].real),
            "notes": list(found.notes),
        }

    return [entry(found) for found in impedances]
