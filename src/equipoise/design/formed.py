"""First charge, first discharge and the cycles that follow, for many cells at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.design.states import (
    EndState,
    discharge_curve,
    end_of_charge,
    end_of_discharge,
)

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell
    from equipoise.spec.curve import Curve, HalfCell
    from equipoise.spec.inventory import Inventory

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Formed:
    """A first cycle without kinetics; arrays of one common shape.

    Capacities are per gram of positive active material as built.
    """

    charged: EndState
    discharged: EndState
    first_charge_mah_per_g_positive: Array
    first_discharge_mah_per_g_positive: Array
    h2h3_usage_mah_per_g_positive: Array
    discharge_energy_wh_per_kg_positive: Array

    @property
    def mean_discharge_volt(self) -> Array:
        """Energy over capacity of the first discharge."""
        return (
            self.discharge_energy_wh_per_kg_positive
            / self.first_discharge_mah_per_g_positive
        )


def formed(
    cell: Cell,
    inventory: Inventory,
    *,
    upper_volt: ArrayLike | None = None,
    polarisation_volt: ArrayLike | None = None,
    negative: HalfCell | None = None,
    charged: EndState | None = None,
    strict: bool = True,
) -> Formed:
    """Charge from the as-built state to the upper, discharge to the lower cut-off.

    Parameters are those of `states.end_of_charge`; `charged` is the end of charge
    where it is known already.

    Raises
    ------
    SolveError, SpecError
        If `strict` and a cell does not reach a cut-off.
    """
    line = inventory.line(cell)
    charged = charged or end_of_charge(
        cell,
        inventory,
        upper_volt=upper_volt,
        polarisation_volt=polarisation_volt,
        negative=negative,
        line=line,
        strict=strict,
    )
    discharged = end_of_discharge(
        cell,
        inventory,
        charged,
        polarisation_volt=polarisation_volt,
        negative=negative,
        line=line,
        strict=strict,
    )
    f_p = inventory.positive_active_fraction
    q, q_end = (
        charged.positive_delithiated_mah_per_g,
        discharged.positive_delithiated_mah_per_g,
    )
    return Formed(
        charged,
        discharged,
        f_p * (q - inventory.positive_start_mah_per_g),
        f_p * (q - q_end),
        f_p * h2h3_usage(cell, q),
        _discharge_energy(cell, f_p, line[1], charged, discharged, negative),
    )


def h2h3_usage(cell: Cell, positive_delithiated_mah_per_g: Array) -> Array:
    """Charge taken out above the onset of H2-H3, mAh per gram of active positive.

    Zero for materials without a known onset.
    """
    onset = cell.positive.material.h2h3_onset_vs_li_volt
    if onset is None:
        return np.zeros_like(positive_delithiated_mah_per_g)
    begin = h2h3_begin_mah_per_g(cell, onset.value)
    return np.maximum(positive_delithiated_mah_per_g - begin, 0.0)


def h2h3_begin_mah_per_g(cell: Cell, onset_vs_li_volt: float) -> float:
    """Lithium taken out of the positive when it reaches the onset on charge."""
    return _begin(cell.positive.half_cell.delithiation, onset_vs_li_volt)


@lru_cache(maxsize=256)
def _begin(curve: Curve, potential_vs_li_volt: float) -> float:
    return float(curve.capacity_at(potential_vs_li_volt))


def _discharge_energy(
    cell: Cell,
    f_p: Array,
    b: Array,
    charged: EndState,
    discharged: EndState,
    negative: HalfCell | None,
) -> Array:
    """Energy in mWh per gram of positive as built: exact integrals of the tables."""
    up = discharge_curve(cell)
    un = (negative or cell.negative.half_cell).delithiation
    q1, q0 = (
        charged.positive_delithiated_mah_per_g,
        discharged.positive_delithiated_mah_per_g,
    )
    z1, z0 = (
        charged.negative_lithiated_mah_per_g,
        discharged.negative_lithiated_mah_per_g,
    )
    positive = f_p * (up.integral(q1) - up.integral(q0))
    taken = f_p / b * (un.integral(z1) - un.integral(z0))
    lost = -discharged.polarisation_volt * f_p * (q1 - q0)
    return positive - taken - lost
