"""How far an answer moves over the modelling choices that the data leave open.

Three choices: which reading of the negative's tail, how much lithium stays locked
after the first charge, and which volume data. Each output is followed over all the
choices it depends on; a number that the cell's own file gives (a locked capacity, a
curve) is taken at its word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from equipoise.design.formed import Formed, formed, h2h3_begin_mah_per_g
from equipoise.design.volume import volume_changes_percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from equipoise.spec.cell import Cell
    from equipoise.spec.inventory import Inventory


@dataclass(frozen=True, slots=True)
class Band:
    """Lowest and highest answer over named modelling choices."""

    quantity: str
    low: float
    high: float
    over: str


def bands(cell: Cell, inventory: Inventory, result: Formed) -> tuple[Band, ...]:
    """Bands of one design, at most one per output, nominal answer included."""
    readings = [result] + [
        formed(cell, inventory, negative=v, strict=False)
        for v in cell.negative.variants.values()
    ]
    tail = f"readings of the {cell.negative.material.name} tail"
    return (
        *(_tail_bands(readings, tail) if len(readings) > 1 else ()),
        *_discharge_bands(cell, inventory, readings, tail),
        *_usage_bands(cell, inventory, readings, tail),
        *_volume_bands(cell, readings, tail),
    )


def scaled(
    found: tuple[Band, ...], base: str, nominal: float, outputs: dict[str, float]
) -> tuple[Band, ...]:
    """Add the bands of `outputs`, which are proportional to the output `base`.

    Parameters
    ----------
    nominal
        The nominal answer of `base`.
    outputs
        Nominal answers of the proportional outputs.
    """
    more = [
        Band(name, b.low * value / nominal, b.high * value / nominal, b.over)
        for b in found
        if b.quantity == base
        for name, value in outputs.items()
    ]
    return (*found, *more)


def _band(quantity: str, values: Iterable[float], over: str) -> Band:
    known = [float(v) for v in values if isfinite(v)]
    return Band(quantity, min(known), max(known), over)


def _tail_bands(readings: list[Formed], over: str) -> list[Band]:
    ends = [r.charged for r in readings]
    found = {
        "first_charge_mah_per_g_positive": [
            r.first_charge_mah_per_g_positive for r in readings
        ],
        "upper_potential_vs_li_volt": [e.terminal_potential_vs_li_volt for e in ends],
        "negative_end_of_charge_potential_vs_li_volt": [
            e.negative_potential_vs_li_volt for e in ends
        ],
        "compensation_fraction": [e.compensation_fraction for e in ends],
    }
    return [_band(q, (float(v) for v in values), over) for q, values in found.items()]


def _discharge_bands(
    cell: Cell, inventory: Inventory, readings: list[Formed], tail: str
) -> list[Band]:
    """Discharge and its energy: over the tail and, on top, over the lock.

    The two shifts are added: the tail moves the start of the discharge, the lock
    its end.
    """
    charged = readings[0].charged  # the lock moves the discharge only
    locked = [
        formed(c, inventory, charged=charged, strict=False) for c in _other_locks(cell)
    ]
    choices = [tail] if len(readings) > 1 else []
    if locked:
        lock = cell.positive.material.locked_capacity_mah_per_g
        assert lock is not None  # otherwise there were no others
        choices.append(f"locked lithium {lock.low:g}-{lock.high:g} mAh/g")
    if not choices:
        return []
    over = " and ".join(choices)
    found: list[Band] = []
    for quantity, name in (
        ("first_discharge_mah_per_g_positive", "first_discharge_mah_per_g_positive"),
        ("energy_wh_per_kg_positive", "discharge_energy_wh_per_kg_positive"),
    ):
        nominal = float(getattr(readings[0], name))
        starts = [float(getattr(r, name)) for r in readings]
        shifts = [0.0] + [float(getattr(r, name)) - nominal for r in locked]
        found.append(_band(quantity, (s + d for s in starts for d in shifts), over))
    return found


def _other_locks(cell: Cell) -> list[Cell]:
    lock = cell.positive.material.locked_capacity_mah_per_g
    given = cell.positive.spec.locked_capacity_mah_per_g is not None
    if lock is None or given or lock.low is None or lock.high is None:
        return []
    return [
        replace(cell, positive=replace(cell.positive, spec=spec))
        for value in (lock.low, lock.high)
        for spec in [
            cell.positive.spec.model_copy(update={"locked_capacity_mah_per_g": value})
        ]
    ]


def _usage_bands(
    cell: Cell, inventory: Inventory, readings: list[Formed], tail: str
) -> list[Band]:
    onset = cell.positive.material.h2h3_onset_vs_li_volt
    if onset is None:
        return []
    f_p = float(inventory.positive_active_fraction)
    q = [float(r.charged.positive_delithiated_mah_per_g) for r in readings]
    onsets = [v for v in (onset.value, onset.low, onset.high) if v is not None]
    begins = [h2h3_begin_mah_per_g(cell, v) for v in onsets]
    choices = [tail] if len(readings) > 1 else []
    if len(onsets) > 1:
        choices.append(f"onset {min(onsets):g}-{max(onsets):g} V")
    if not choices:
        return []
    values = [f_p * max(end - begin, 0.0) for end in q for begin in begins]
    return [_band("h2h3_usage_mah_per_g_positive", values, " and ".join(choices))]


def _volume_bands(cell: Cell, readings: list[Formed], tail: str) -> list[Band]:
    q = np.array([float(r.charged.positive_delithiated_mah_per_g) for r in readings])
    by_data = volume_changes_percent(cell, q)
    names = sorted(by_data)
    choices = [tail] if len(readings) > 1 and names else []
    if len(names) > 1:
        choices.append(f"volume data {' / '.join(names)}")
    if not choices:
        return []
    values = [float(v) for data in by_data.values() for v in data]
    return [_band("volume_change_percent", values, " and ".join(choices))]
