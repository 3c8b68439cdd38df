"""The fresh cells of the paper: what is simulated, and how each row is seen in it.

Discharge capacities are those of the second of two symmetric cycles at each rate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from equipoise.fit.calibration import Case
from equipoise.io.cells import load_cell, load_half_cell_setup
from equipoise.protocol.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from equipoise.protocol.steps import Protocol
    from equipoise.spec.cell import Cell

RATES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
CAPACITY_SPREAD_FRACTION = 0.015
"""Standard deviation among cells of one kind (R3 and S4, R5 and S5)."""


def with_thick_separator(cell: Cell) -> Cell:
    """The three-electrode cell: 160 mg of separator (sec. 4.5)."""
    thick = cell.spec.separator.model_copy(update={"mass_mg": 160.0})
    return replace(cell, spec=cell.spec.model_copy(update={"separator": thick}))


def cycles(*rates: float, count: int = 2) -> Protocol:
    """A protocol of symmetric cycles."""
    steps = [{"do": "cycle", "c_rate": float(r), "count": count} for r in rates]
    return parse({"name": "calibration", "steps": steps}, where="calibration")


def cases() -> list[Case]:
    """The experiments that the rows of role "fit" belong to."""
    lb, hb = load_cell("zhang2026-lb"), load_cell("zhang2026-hb")
    pause = parse(
        {
            "name": "first",
            "steps": [
                {
                    "do": "charge",
                    "c_rate": 0.2,
                    "until_capacity_mah_per_g_positive": 210.0,
                },
                {"do": "charge", "c_rate": 0.2},
                {"do": "discharge", "c_rate": 0.2},
            ],
        },
        where="calibration",
    )
    rates = cycles(*RATES)
    return [
        Case("HB first", hb, pause),
        Case("LB first", lb, cycles(0.2, count=1)),
        Case("HB rates", hb, rates),
        Case("LB rates", lb, rates),
        Case("LB three electrodes", with_thick_separator(lb), cycles(0.2)),
        Case("NCM85 half", load_half_cell_setup("zhang2026-ncm85-inli"), cycles(0.1)),
        Case("LTO half", load_half_cell_setup("zhang2026-lto-inli"), cycles(0.1, 0.2)),
    ]


def charge(*steps: int) -> Callable[[pl.DataFrame], float]:
    """Charge passed in the given steps (counted from 0), mAh/g."""
    return lambda t: abs(sum(t["capacity_mah_per_g_positive"][i] for i in steps))


def ended_at(step: int, column: str) -> Callable[[pl.DataFrame], float]:
    """A potential or voltage at the end of a step."""
    return lambda t: t[column][step]


def observers() -> dict[str, tuple[str, Callable[[pl.DataFrame], float]]]:
    """How each row of the paper is seen, by its id: case and observer."""
    at_rate = {rate: 4 * i + 3 for i, rate in enumerate(RATES)}
    potential = "end_positive_electrode_potential_volt"
    out: dict[str, tuple[str, Callable[[pl.DataFrame], float]]] = {
        "C1": ("HB first", charge(0, 1)),
        "C2": ("HB first", charge(2)),
        "C5": ("HB first", ended_at(0, "end_voltage_volt")),
        "L1": ("HB first", charge(2)),
        "C3": ("LB first", charge(0)),
        "C4": ("LB first", charge(1)),
        "L3": ("LB first", charge(1)),
        "C6": ("NCM85 half", lambda t: 100.0 * charge(1)(t) / charge(0)(t)),
        "C8": ("LTO half", charge(6)),
        "A1": ("HB rates", charge(at_rate[1.0])),
        "A2": ("LB rates", charge(at_rate[1.0])),
        "T1": ("LB three electrodes", ended_at(0, potential)),
        "T2": ("LB three electrodes", ended_at(2, potential)),
    }
    for cell, names in {
        "HB rates": {"R1": 0.1, "R3": 1.0, "R5": 2.0, "R7": 5.0}
        | {"S1": 0.1, "S2": 0.2, "S3": 0.5, "S4": 1.0, "S5": 2.0},
        "LB rates": {"R2": 0.1, "R4": 1.0, "R6": 2.0, "R8": 5.0}
        | {"S6": 0.1, "S7": 0.2, "S8": 0.5, "S9": 1.0, "S10": 2.0},
    }.items():
        for name, rate in names.items():
            out[name] = (cell, charge(at_rate[rate]))
    return out


def uncertainty(row: Mapping[str, str]) -> float:
    """One standard deviation of a printed value; keys "unit" and "value".

    1.5 % of a capacity (cells of one kind differ by it: R3 and S4, R5 and S5), 2 mV
    of a potential, 8 mV of a read-off voltage.
    """
    if row["unit"] == "V":
        return 0.002
    if row["unit"] == "V (cell)":
        return 0.008
    if row["unit"] == "%":
        return 0.8
    return CAPACITY_SPREAD_FRACTION * float(row["value"])
