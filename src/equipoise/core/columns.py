"""The columns of a time series: one contract for measured and simulated tables.

In code tables have machine names, on disk the preferred labels of the Battery Data
Format (BDF). Columns that the format does not have yet are marked as extensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from equipoise.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

BDF_VERSION = "1.2.0"
"""Of the ontology from which names and labels are taken."""

Level = Literal["required", "recommended", "optional", "extension", "older"]
Kind = Literal["number", "count", "text"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        Machine name; it ends in the unit.
    label
        Preferred label, "Quantity / unit", as in the header of a file.
    level
        As of BDF, or "extension": ours; "older": before the standard was fixed.
    meaning
        What is counted, from when on, and which sign it has.
    older_labels
        Labels of earlier versions of the format that mean the same.
    """

    name: str
    label: str
    level: Level = "optional"
    meaning: str = ""
    kind: Kind = "number"
    older_labels: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """Unit as in the label; "1" for pure numbers, "" for text."""
        return self.label.partition(" / ")[2]


CYCLE = "since the start of the cycle, >= 0"
TEST = "since the start of the test, never reset, >= 0"
STEP = "since the start of the step, >= 0"
VS_LI = "vs Li+/Li at the reference electrode; positive - negative = voltage"

_ALL = (
    Column(
        "test_time_second", "Test Time / s", "required", "since the start of the test"
    ),
    Column("voltage_volt", "Voltage / V", "required", "positive minus negative"),
    Column("current_ampere", "Current / A", "required", "> 0 charges"),
    Column("unix_time_second", "Unix Time / s", "recommended", "since 1970, UTC"),
    Column("cycle_count", "Cycle Count / 1", "recommended", "as reported", "count"),
    Column("step_count", "Step Count / 1", "recommended", "of all steps", "count"),
    Column("ambient_temperature_celsius", "Ambient Temperature / degC", "recommended"),
    Column("record_index", "Record Index / 1", kind="count"),
    Column("step_index", "Step Index / 1", kind="count"),
    Column("step_id", "Step ID", meaning="of the test program", kind="text"),
    Column("step_type", "Step Type", meaning="as reported", kind="text"),
    Column("step_time_second", "Step Time / s", meaning=STEP),
    Column(
        "charging_capacity_ah",
        "Charging Capacity / Ah",
        meaning=TEST,
        older_labels=("Charge Capacity / Ah",),
    ),
    Column(
        "discharging_capacity_ah",
        "Discharging Capacity / Ah",
        meaning=TEST,
        older_labels=("Discharge Capacity / Ah",),
    ),
    Column("net_capacity_ah", "Net Capacity / Ah", meaning="charge > 0"),
    Column("cumulative_capacity_ah", "Cumulative Capacity / Ah", meaning=TEST),
    Column("cycle_charging_capacity_ah", "Cycle Charging Capacity / Ah", meaning=CYCLE),
    Column(
        "cycle_discharging_capacity_ah",
        "Cycle Discharging Capacity / Ah",
        meaning=CYCLE,
    ),
    Column("step_charging_capacity_ah", "Step Charging Capacity / Ah", meaning=STEP),
    Column(
        "step_discharging_capacity_ah", "Step Discharging Capacity / Ah", meaning=STEP
    ),
    Column(
        "step_cumulative_capacity_ah",
        "Step Cumulative Capacity / Ah",
        meaning=STEP,
        older_labels=("Step Capacity / Ah",),
    ),
    Column("charging_energy_wh", "Charging Energy / Wh", meaning=TEST),
    Column("discharging_energy_wh", "Discharging Energy / Wh", meaning=TEST),
    Column("net_energy_wh", "Net Energy / Wh", meaning="charge > 0"),
    Column("cumulative_energy_wh", "Cumulative Energy / Wh", meaning=TEST),
    Column("cycle_charging_energy_wh", "Cycle Charging Energy / Wh", meaning=CYCLE),
    Column(
        "cycle_discharging_energy_wh", "Cycle Discharging Energy / Wh", meaning=CYCLE
    ),
    Column("step_charging_energy_wh", "Step Charging Energy / Wh", meaning=STEP),
    Column("step_discharging_energy_wh", "Step Discharging Energy / Wh", meaning=STEP),
    Column("power_watt", "Power / W", meaning="> 0 charges"),
    Column("internal_resistance_ohm", "Internal Resistance / Ohm"),
    Column("frequency_hertz", "Frequency / Hz"),
    Column("real_impedance_ohm", "Real Impedance / ohm"),
    Column(
        "imaginary_impedance_ohm",
        "Imaginary Impedance / ohm",
        meaning="as reported: < 0 where capacitive",
    ),
    Column("ambient_pressure_pa", "Ambient Pressure / Pa"),
    Column("applied_pressure_pa", "Applied Pressure / Pa", meaning="controlled"),
    Column("surface_pressure_pa", "Surface Pressure / Pa", meaning="measured"),
    Column("surface_temperature_celsius", "Surface Temperature / degC"),
    *(
        Column(
            f"temperature_t{i}_celsius",
            f"Temperature T{i} / degC",
            older_labels=(f"Surface Temperature T{i} / degC",),
        )
        for i in range(1, 6)
    ),
    Column(
        "positive_electrode_potential_volt",
        "Positive Electrode Potential / V",
        "extension",
        VS_LI,
    ),
    Column(
        "negative_electrode_potential_volt",
        "Negative Electrode Potential / V",
        "extension",
        VS_LI,
    ),
    Column(
        "passed_capacity_mah_per_g_positive",
        "Passed Capacity per Positive Mass / mAh/g",
        "extension",
        f"{STEP}; per gram of positive active material as built",
    ),
    Column("force_newton", "Force / N", "extension", "compressive > 0"),
    Column("test_time_hour", "Test Time / h", "older", "since the start of the test"),
)

COLUMNS: dict[str, Column] = {c.name: c for c in _ALL}
"""Machine name -> column."""

REQUIRED: tuple[str, ...] = tuple(c.name for c in _ALL if c.level == "required")

_NAMES: dict[str, str] = {
    label: c.name for c in _ALL for label in (c.label, *c.older_labels)
}


def to_labels(names: Iterable[str]) -> list[str]:
    """Preferred labels of machine names, in order; what is not known stays.

    Raises
    ------
    DataError
        If two of them get the same label.

    Examples
    --------
    >>> to_labels(["voltage_volt", "cycle_count", "my_column"])
    ['Voltage / V', 'Cycle Count / 1', 'my_column']
    """
    given = list(names)
    meant = [COLUMNS[n].label if n in COLUMNS else n for n in given]
    _refuse_twins(given, meant, "")
    return meant


def to_names(labels: Iterable[str], *, where: str = "") -> list[str]:
    """Machine names of labels, preferred or older, in order; what is not known stays.

    Parameters
    ----------
    where
        How messages name the table.

    Raises
    ------
    DataError
        If two labels mean the same column.

    Examples
    --------
    >>> to_names(["Voltage / V", "Charge Capacity / Ah", "cycle_count", "Notes"])
    ['voltage_volt', 'charging_capacity_ah', 'cycle_count', 'Notes']
    """
    given = list(labels)
    meant = [_NAMES.get(label, label) for label in given]
    _refuse_twins(given, meant, where)
    return meant


def require(names: Iterable[str], *, where: str = "") -> None:
    """Refuse a table that lacks a column every time series must have.

    Raises
    ------
    DataError
        If test time, voltage or current is missing; it says what is there.
    """
    found = list(names)
    missing = [COLUMNS[n] for n in REQUIRED if n not in found]
    if missing:
        wanted = ", ".join(f"{c.label!r} (or {c.name!r})" for c in missing)
        raise DataError(
            f"there is no column {wanted}, which the Battery Data Format requires; "
            f"found: {', '.join(found)}",
            where=where,
            remedy="rename the columns to these labels; units are fixed by them",
        )


def _refuse_twins(given: list[str], meant: list[str], where: str) -> None:
    twice = sorted({name for name in meant if meant.count(name) > 1})
    if twice:
        same = [g for g, m in zip(given, meant, strict=True) if m == twice[0]]
        raise DataError(
            f"two columns are {twice[0]!r}: {', '.join(same)}",
            where=where,
            remedy="keep the one that is right",
        )
