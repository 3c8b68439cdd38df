"""Rows of the printed map over n/p."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.core.units import unit_symbol
from equipoise.design.notes import NOTABLE_EXTRAPOLATION_FRACTION
from equipoise.report.rows import shown, span

if TYPE_CHECKING:
    from equipoise.report.answers import Answer

COLUMNS = {
    "np_ratio": ("n/p", ".3f"),
    "first_charge_mah_per_g_positive": ("first charge", ".1f"),
    "first_discharge_mah_per_g_positive": ("first discharge", ".1f"),
    "upper_potential_vs_li_volt": ("UP", ".3f"),
    "negative_end_of_charge_potential_vs_li_volt": ("negative", ".3f"),
    "h2h3_usage_mah_per_g_positive": ("H2-H3 usage", ".1f"),
    "volume_change_percent": ("volume change", ".2f"),
    "compensation_fraction": ("κ", ".3f"),
    "energy_wh_per_kg_stack": ("stack energy", ".2f"),
}
SAME_RATIO = 1e-6


@dataclass(frozen=True, slots=True)
class MapTable:
    """A map as printed: header with units, rows, and which cells they are."""

    title: str
    header: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    has_extrapolated: bool


def map_table(family: Sequence[Answer], *, has_h2h3: bool) -> MapTable:
    """Map of cells that differ in n/p only; a star marks an extrapolation."""
    first = family[0]
    columns = {
        key: entry
        for key, entry in COLUMNS.items()
        if key in first.map.columns and (has_h2h3 or not key.startswith("h2h3"))
    }
    rows = [
        (_cells_at(row["np_ratio"], family), _row(row, columns))
        for row in first.map.iter_rows(named=True)
    ]
    return MapTable(
        ", ".join(a.label for a in family),
        tuple((label, unit_symbol(key)) for key, (label, _) in columns.items()),
        tuple(rows),
        any(values[0].endswith("*") for _, values in rows),
    )


def _cells_at(np_ratio: float, family: Sequence[Answer]) -> str:
    return ", ".join(
        a.label for a in family if abs(a.cell.np_ratio / np_ratio - 1.0) < SAME_RATIO
    )


def _row(row: dict[str, Any], columns: dict[str, tuple[str, str]]) -> tuple[str, ...]:
    values = {key: shown(row[key], form) for key, (_, form) in columns.items()}
    low, high = (row.get(f"volume_change_{end}_percent") for end in ("low", "high"))
    if low is not None and high is not None:
        form = columns["volume_change_percent"][1]
        band = span(low, high, form)
        if band != shown(low, form):
            values["volume_change_percent"] += f" ({band})"
    charge = row["first_charge_mah_per_g_positive"] or 0.0
    beyond = row["extrapolated_mah_per_g_positive"] or 0.0
    if beyond > NOTABLE_EXTRAPOLATION_FRACTION * charge:
        values["np_ratio"] += "*"
    return tuple(values.values())
