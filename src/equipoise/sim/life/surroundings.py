"""What the mechanisms read of a cell that does not change while it ages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.ageing.reading import ElectrodeReading
from equipoise.design.volume import volume_change_percent, volume_variants
from equipoise.kernels.layout import CAPACITY, HIGHEST, LOWEST

if TYPE_CHECKING:
    from equipoise.ageing.wear import Side
    from equipoise.kernels.layout import Field, Porous
    from equipoise.sim.lower import Lowered
    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]
TABLE_NODES = 1025


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """One electrode as built, for its readings; see `ElectrodeReading`."""

    weight_fraction: Array
    capacity_mah_per_g: float
    active_mass_g: float
    volume_percent: Array | None
    h2h3_onset_fraction: float

    @classmethod
    def of(cls, cell: Cell, lowered: Lowered, side: Side) -> Surroundings:
        """Of the positive or the negative of a cell."""
        positive = side == "positive"
        electrode = cell.positive if positive else cell.negative
        porous = lowered.positive if positive else lowered.negative
        capacity = (
            lowered.positive_capacity_mah_per_g
            if positive
            else lowered.negative_capacity_mah_per_g
        )
        share = porous.column[CAPACITY] / porous.column[CAPACITY].sum()
        mass_g = lowered.positive_mass_g
        if not positive:
            mass_g *= cell.np_ratio * cell.mass_per_np_ratio
        onset = electrode.material.h2h3_onset_vs_li_volt
        return cls(
            share,
            capacity,
            mass_g,
            _volume_percent(cell, side, capacity),
            float("nan") if onset is None else _fraction_at(porous, onset.value),
        )

    def reading(self, field: Field) -> ElectrodeReading:
        """The cycle that the extremes of a field have seen."""
        return ElectrodeReading(
            self.weight_fraction,
            field.column[LOWEST],
            field.column[HIGHEST],
            self.capacity_mah_per_g,
            self.active_mass_g,
            self.volume_percent,
            self.h2h3_onset_fraction,
        )


def _volume_percent(cell: Cell, side: Side, capacity: float) -> Array | None:
    x = np.linspace(0.0, 1.0, TABLE_NODES)
    if side == "positive":
        known = list(volume_variants(cell).values())
    else:
        known = list(cell.negative.material.volume_change)
    if not known:
        return None
    curves = cell.positive if side == "positive" else cell.negative
    moved = 1.0 - x if curves.half_cell.axis == "delithiated" else x
    return volume_change_percent(known[0], capacity * moved)


def _fraction_at(porous: Porous, onset_volt: float) -> float:
    """Lithium fraction at which the delithiating curve passes a potential."""
    curve = porous.open_circuit[1:-1, 0]
    x = np.linspace(0.0, 1.0, curve.size)
    if not curve.min() <= onset_volt <= curve.max():
        return float("nan")
    beyond = int(np.argmax(curve < onset_volt))  # the curve falls with x
    return float(x[beyond])
