"""Where the lithium is: slippage, lost inventory, isolated active material.

One balance for the whole cell, per gram of positive active material as built::

    f_p q + (1 - f_p) q_iso - q_start =
        rho [f_n z + (1 - f_n) z_iso - z_start] + loss

q: lithium taken out of the active positive; z: lithium in the active negative;
rho: gram of negative per gram of positive; f: active fractions; q_iso, z_iso:
the state in which isolated particles were cut off and keep their lithium.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]


_SHARE = (1.0, "a share of the active material as built, 0 to 1")
_LIMITS = {
    "np_ratio": (
        np.finfo(np.float64).max,
        "n/p is capacity of the negative / capacity of the positive, e.g. 1.1",
    ),
    "positive_active_fraction": _SHARE,
    "negative_active_fraction": _SHARE,
}


@dataclass(frozen=True, slots=True)
class Inventory:
    """Balance and lithium inventory of one cell or, as arrays, of many.

    All fields broadcast against each other. `loss` is lithium that is in neither
    electrode any more (solid-electrolyte interphase, parasitic reactions on the
    negative side), per gram of positive. Negative values stand for lithium that came
    from elsewhere (electrolyte oxidised at the positive): it fills the negative, but
    its charge is not part of ``f_p (q - q_start)``.
    """

    np_ratio: Array
    positive_active_fraction: Array
    negative_active_fraction: Array
    lithium_loss_mah_per_g_positive: Array
    positive_start_mah_per_g: Array
    negative_start_mah_per_g: Array
    positive_isolated_at_mah_per_g: Array
    negative_isolated_at_mah_per_g: Array

    @classmethod
    def of(cls, cell: Cell, **changes: ArrayLike) -> Inventory:
        """Inventory of a cell as specified; keywords replace single fields.

        Where nothing says in which state material was isolated, it was isolated as
        it was built into the cell.

        Raises
        ------
        SpecError
            If the n/p ratio or an active fraction is not positive and finite.
        """
        spec = cell.spec.inventory
        start: dict[str, ArrayLike] = {
            "np_ratio": cell.np_ratio,
            "positive_active_fraction": spec.positive_active_fraction,
            "negative_active_fraction": spec.negative_active_fraction,
            "lithium_loss_mah_per_g_positive": spec.lithium_loss_mah_per_g_positive,
            "positive_start_mah_per_g": spec.positive_start_mah_per_g,
            "negative_start_mah_per_g": spec.negative_start_mah_per_g,
        }
        if spec.positive_isolated_at_mah_per_g is not None:
            start["positive_isolated_at_mah_per_g"] = (
                spec.positive_isolated_at_mah_per_g
            )
        if spec.negative_isolated_at_mah_per_g is not None:
            start["negative_isolated_at_mah_per_g"] = (
                spec.negative_isolated_at_mah_per_g
            )
        start |= changes
        for side in ("positive", "negative"):  # else cut off as they were built
            start.setdefault(
                f"{side}_isolated_at_mah_per_g", start[f"{side}_start_mah_per_g"]
            )
        values = {k: np.asarray(v, np.float64) for k, v in start.items()}
        for name, (most, remedy) in _LIMITS.items():
            value = values[name]
            if not (float(value.min()) > 0.0 and float(value.max()) <= most):
                bad = value[~((value > 0.0) & (value <= most))]
                raise SpecError(
                    f"{name} must be > 0 and {'finite' if most > 1 else 'at most 1'}; "
                    f"given is {float(bad.flat[0]):g}",
                    where=name,
                    remedy=remedy,
                )
        return cls(**values)

    def with_(self, **changes: ArrayLike) -> Inventory:
        """Replace fields; unlike `of`, all others stay, isolated states included."""
        arrays = {k: np.asarray(v, np.float64) for k, v in changes.items()}
        return replace(self, **arrays)

    def line(self, cell: Cell) -> tuple[Array, Array]:
        """Coefficients of ``z = a + b q``: mAh/g negative, and g/g.

        Solves the balance in the head of this file for z. The first-lithiation
        loss of the negative counts as lost lithium.
        """
        rho = self.np_ratio * cell.mass_per_np_ratio
        f_n = self.negative_active_fraction
        f_p = self.positive_active_fraction
        loss = (
            self.lithium_loss_mah_per_g_positive
            + cell.first_lithiation_loss_mah_per_g * rho
        )
        free = (
            (1.0 - f_p) * self.positive_isolated_at_mah_per_g
            - self.positive_start_mah_per_g
            - loss
        )
        start = (
            self.negative_start_mah_per_g
            - (1.0 - f_n) * self.negative_isolated_at_mah_per_g
        )
        return free / (rho * f_n) + start / f_n, f_p / (rho * f_n)
