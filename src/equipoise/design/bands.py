"""How far an answer moves over a modelling choice that the data leave open."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from equipoise.design.formed import Formed, formed
from equipoise.design.volume import volume_changes_percent

if TYPE_CHECKING:
    from equipoise.design.inventory import Inventory
    from equipoise.spec.cell import Cell


@dataclass(frozen=True, slots=True)
class Band:
    """Lowest and highest answer over a named modelling choice."""

    quantity: str
    low: float
    high: float
    over: str


def bands(cell: Cell, inventory: Inventory, result: Formed) -> tuple[Band, ...]:
    """Bands of one design: readings of the tail, volume data, locked lithium.

    A number that the cell's own file gives (a locked capacity, a curve) is taken
    at its word and has no band.
    """
    return (
        *_tail_bands(cell, inventory, result),
        *_volume_bands(cell, result),
        *_lock_bands(cell, result),
    )


def _quantities(cell: Cell, result: Formed) -> dict[str, float]:
    charged = result.charged
    found = {
        "first_charge_mah_per_g_positive": result.first_charge_mah_per_g_positive,
        "first_discharge_mah_per_g_positive": result.first_discharge_mah_per_g_positive,
        "upper_potential_vs_li_volt": charged.upper_potential_vs_li_volt,
        "negative_end_of_charge_potential_vs_li_volt": (
            charged.negative_potential_vs_li_volt
        ),
        "compensation_fraction": charged.compensation_fraction,
        "energy_wh_per_kg_positive": result.discharge_energy_wh_per_kg_positive,
    }
    if cell.positive.material.h2h3_onset_vs_li_volt is not None:
        found["h2h3_usage_mah_per_g_positive"] = result.h2h3_usage_mah_per_g_positive
    for volume in volume_changes_percent(cell, charged.positive_mah_per_g).values():
        found["volume_change_percent"] = volume
        break  # the chosen data; the others have a band of their own
    return {name: float(value) for name, value in found.items()}


def _tail_bands(cell: Cell, inventory: Inventory, result: Formed) -> list[Band]:
    variants = cell.negative.variants
    if not variants:
        return []
    answers = [_quantities(cell, result)] + [
        _quantities(cell, formed(cell, inventory, negative=v, strict=False))
        for v in variants.values()
    ]
    over = f"readings of the {cell.negative.material.name} tail"
    found: list[Band] = []
    for name in answers[0]:
        values = [a[name] for a in answers if isfinite(a[name])]
        found.append(Band(name, min(values), max(values), over))
    return found


def _volume_bands(cell: Cell, result: Formed) -> list[Band]:
    by_data = volume_changes_percent(cell, result.charged.positive_mah_per_g)
    if len(by_data) < 2:
        return []
    values = [float(v) for v in by_data.values()]
    over = f"volume data {' / '.join(sorted(by_data))}"
    return [Band("volume_change_percent", min(values), max(values), over)]


def _lock_bands(cell: Cell, result: Formed) -> list[Band]:
    lock = cell.positive.material.locked_capacity_mah_per_g
    given = cell.positive.spec.locked_capacity_mah_per_g is not None
    if lock is None or given or lock.low is None or lock.high is None:
        return []
    discharge = float(result.first_discharge_mah_per_g_positive)
    return [
        Band(
            "first_discharge_mah_per_g_positive",
            discharge - (lock.high - lock.value),
            discharge + (lock.value - lock.low),
            f"locked lithium {lock.low:g}-{lock.high:g} mAh/g",
        )
    ]
