"""Unit-cell volume change of the positive at a state of charge."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SpecError, nearest
from equipoise.spec.pchip import pchip

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell
    from equipoise.spec.material import VolumeChange

Array = NDArray[np.float64]

_BEYOND = 0.1  # of the range, with the end slope; then held


def volume_variants(cell: Cell) -> dict[str, VolumeChange]:
    """Known volume-change data of the positive, by name; the chosen one first.

    Raises
    ------
    SpecError
        If the cell asks for a variant its material does not have.
    """
    known = {v.name: v for v in cell.positive.material.volume_change}
    chosen = cell.positive.spec.volume_variant
    if chosen is None:
        return known
    if chosen not in known:
        raise SpecError(
            f"the material {cell.positive.material.name!r} has no volume-change "
            f"data named {chosen!r}",
            where=f"{cell.where or cell.name}: positive.volume_variant",
            remedy=nearest(chosen, known) if known else "leave the key out",
        )
    return {chosen: known[chosen]} | known


def volume_change_percent(
    data: VolumeChange, positive_delithiated_mah_per_g: ArrayLike
) -> Array:
    """Volume change against the pristine unit cell, percent, < 0 is contraction.

    Same shape as `positive_delithiated_mah_per_g` (lithium taken out of active
    particles); linear with the end slope for another 10 % beyond the data.
    """
    x, y = _tabulated(data.capacity_mah_per_g, data.volume_change_percent)
    return np.interp(np.asarray(positive_delithiated_mah_per_g, dtype=np.float64), x, y)


@lru_cache(maxsize=64)
def _tabulated(
    capacity: tuple[float, ...], change: tuple[float, ...]
) -> tuple[Array, Array]:
    knots = np.asarray(capacity)
    x = np.linspace(knots[0], knots[-1] + _BEYOND * (knots[-1] - knots[0]), 4097)
    return x, pchip(knots, np.asarray(change), x)


def volume_changes_percent(
    cell: Cell, positive_delithiated_mah_per_g: Array
) -> dict[str, Array]:
    """Volume change by variant; empty for a material without data."""
    return {
        name: volume_change_percent(data, positive_delithiated_mah_per_g)
        for name, data in volume_variants(cell).items()
    }
