"""Numbers of the simulated tests, beside those printed in the paper."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from equipoise.core.errors import EquipoiseError
from equipoise.core.units import unit_symbol
from equipoise.io.bdf import evidence_of_rates, notes, roles
from equipoise.io.cells import load_cell
from equipoise.report.rows import shown
from equipoise.report.simulated import ELECTRODES, FIRST, RATES
from equipoise.viz.simulation_runs import first_blocks

if TYPE_CHECKING:
    from equipoise.report.simulated import Simulated
    from equipoise.sim.simulate import Run

CHARGE = "charging_capacity_mah_per_g_positive"
DISCHARGE = "discharging_capacity_mah_per_g_positive"
UPPER = "upper_potential_vs_li_volt"
FORMATS = {CHARGE: ".1f", DISCHARGE: ".1f", UPPER: ".4f"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a simulated cell.

    Attributes
    ----------
    key
        Names it in JSON and in the table of printed values.
    label
        For a reader.
    column
        Of the cycle table; it gives unit and format.
    text, printed
        As shown; a dash where nothing is printed.
    section
        Of the paper; empty where nothing is printed.
    """

    key: str
    label: str
    column: str
    value_in_unit: float
    printed_in_unit: float | None
    section: str
    role: str
