"""What the tail gives back: responses to ageing, and the reserve.

All answers are quasi-static: they follow where the electrodes stand, not how fast
they age. Ageing is prescribed (lost active positive, growing polarisation).

References
----------
zhang2026 Fig. 7 (compensation line O to F).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SpecError
from equipoise.design.formed import formed
from equipoise.design.states import end_of_charge, reached_mah_per_g
from equipoise.design.volume import volume_changes_percent
from equipoise.spec.inventory import Inventory

if TYPE_CHECKING:
    import polars as pl

    from equipoise.spec.cell import Cell

Array = NDArray[np.float64]

LARGEST_DROP = 0.4
RESERVE_GRID = 0.5 * np.linspace(0.0, 1.0, 65) ** 2
"""Losses of active positive searched for a reserve: dense where drops are small."""


def compensation_by_loss(
    cell: Cell,
    loss_fraction: ArrayLike,
    *,
    isolated_at_mah_per_g: float | None = None,
) -> pl.DataFrame:
    """Response to a loss of active positive material, one row per loss.

    `charge` is the first charge, from the as-built state; `discharge` is what then
    cycles. The lithium that stays behind after the first charge is part of the
    former only, so a loss weighs a little less on the discharge.

    Parameters
    ----------
    loss_fraction
        Lost share of the active positive, shape (m,), 0 <= loss < 1.
    isolated_at_mah_per_g
        State (lithium taken out) in which particles were cut off. Default: as
        built, with all their lithium (the reference tables); the locked capacity:
        lost in the discharged cell after formation; larger: lost charged, their
        lithium stays in the negative.

    Raises
    ------
    SpecError
        If a loss is not in [0, 1), or a cell does not reach a cut-off.
    """
    loss = np.atleast_1d(np.asarray(loss_fraction, np.float64))
    if not np.all((loss >= 0.0) & (loss < 1.0)):
        raise SpecError(
            f"loss_fraction must be from 0 to below 1; given are values from "
            f"{float(np.min(loss)):g} to {float(np.max(loss)):g}",
            where="loss_fraction",
            remedy="0.05 stands for 5 % of the active positive",
        )
    if isolated_at_mah_per_g is None:
        isolated_at_mah_per_g = cell.spec.inventory.positive_start_mah_per_g
    inventory = _after_loss(cell, loss, isolated_at_mah_per_g)
    return _response(cell, "loss_fraction", loss, inventory, 0.0)


def _after_loss(cell: Cell, loss: Array, isolated_at: ArrayLike) -> Inventory:
    """Inventory after losing a share of what is active now.

    What was isolated before and what is lost now make one mean state.
    """
    now = Inventory.of(cell)
    before = now.positive_active_fraction
    active = before * (1.0 - loss)
    gone = np.where(active < 1.0, 1.0 - active, 1.0)
    held = (1.0 - before) * now.positive_isolated_at_mah_per_g
    mean = (held + before * loss * np.asarray(isolated_at, np.float64)) / gone
    return now.with_(
        positive_active_fraction=active, positive_isolated_at_mah_per_g=mean
    )


def compensation_by_polarisation(
    cell: Cell, polarisation_volt: ArrayLike
) -> pl.DataFrame:
    """Response to a growing overpotential on charge, one row per value, shape (m,).

    Raises
    ------
    SpecError
        If a value is negative, or a cell does not reach a cut-off.
    """
    eta = np.atleast_1d(np.asarray(polarisation_volt, np.float64))
    if not np.all(eta >= 0.0):
        raise SpecError(
            f"polarisation_volt must be >= 0; the smallest given is "
            f"{float(np.min(eta)):g}",
            where="polarisation_volt",
            remedy="volts lost on charge, for example 0.02",
        )
    inventory = Inventory.of(cell, np_ratio=np.full_like(eta, cell.np_ratio))
    return _response(cell, "polarisation_volt", eta, inventory, eta)


def _response(
    cell: Cell, driver: str, values: Array, inventory: Inventory, eta: ArrayLike
) -> pl.DataFrame:
    import polars as pl  # 0.5 s: only where a table is made

    charged = end_of_charge(cell, inventory, polarisation_volt=eta)
    result = formed(
        cell, inventory, polarisation_volt=eta, charged=charged, strict=False
    )
    fresh = formed(cell, Inventory.of(cell), strict=False)
    charge = result.first_charge_mah_per_g_positive
    discharge = result.first_discharge_mah_per_g_positive
    columns = {
        driver: values,
        "charge_mah_per_g_positive": charge,
        "charge_per_active_mah_per_g": charged.positive_delithiated_mah_per_g,
        "charge_change_percent": _change(charge, fresh.first_charge_mah_per_g_positive),
        "discharge_mah_per_g_positive": discharge,
        "discharge_change_percent": _change(
            discharge, fresh.first_discharge_mah_per_g_positive
        ),
        "upper_potential_vs_li_volt": charged.terminal_potential_vs_li_volt,
        "negative_end_of_charge_potential_vs_li_volt": (
            charged.negative_potential_vs_li_volt
        ),
        "compensation_fraction": charged.compensation_fraction,
        "h2h3_usage_mah_per_g_positive": result.h2h3_usage_mah_per_g_positive,
    }
    for name, volume in volume_changes_percent(
        cell, charged.positive_delithiated_mah_per_g
    ).items():
        columns[f"volume_change_{name.lower()}_percent"] = volume
    return pl.DataFrame(columns).with_columns(pl.all().fill_nan(None))


def _change(now: Array, fresh: Array) -> Array:
    """Percent of the cell as it is specified."""
    return (now / float(fresh) - 1.0) * 100.0


@dataclass(frozen=True, slots=True)
class Reserve:
    """How much active positive can be lost before the charge has dropped.

    The answer depends on where the lithium of the lost particles is. Lost with all
    their lithium (the reference case) the negative is left emptier and retreats
    up its tail; lost charged, their lithium stays in the negative and nothing is
    given back. `low` and `high` span the states in between and the readings of the
    negative's tail.

    `bounded_by_curves` is true where a search left the half-cell curves before the
    drop was reached: the tolerated loss is then a lower bound.
    """

    charge_drop_fraction: float
    tolerated_loss_fraction: float
    tolerated_loss_low_fraction: float
    tolerated_loss_high_fraction: float
    tolerated_mah_per_g_positive: float
    bounded_by_curves: bool

    @property
    def gain_ratio(self) -> float:
        """Tolerated loss over drop: 1 without any reserve."""
        return self.tolerated_loss_fraction / self.charge_drop_fraction


def reserve(
    cell: Cell, charge_drop_fraction: float | tuple[float, ...] = (0.01, 0.05)
) -> tuple[Reserve, ...]:
    """Loss of active positive tolerated for given drops of the charge capacity.

    The central answer isolates particles with all their lithium (as built). The
    range goes from there to particles lost fully charged, and over the readings of
    the negative's curve.

    Parameters
    ----------
    charge_drop_fraction
        Drops of the charge, each above 0 and at most `LARGEST_DROP`.

    Raises
    ------
    SpecError
        If a drop is outside that range.
    """
    drops = np.atleast_1d(np.asarray(charge_drop_fraction, np.float64))
    if not np.all((drops > 0.0) & (drops <= LARGEST_DROP)):
        raise SpecError(
            f"charge_drop_fraction must be above 0 and at most {LARGEST_DROP:g}; "
            f"given is {', '.join(f'{d:g}' for d in drops)}",
            where="charge_drop_fraction",
            remedy="0.05 stands for 5 % less charge",
        )
    as_built = cell.spec.inventory.positive_start_mah_per_g
    inventory = _after_loss(cell, RESERVE_GRID, as_built)
    line = inventory.line(cell)
    readings = (None, *cell.negative.variants.values())
    charges = [
        inventory.positive_active_fraction
        * (reached_mah_per_g(cell, line, negative=reading) - as_built)
        for reading in readings
    ]
    return tuple(_reserve(float(d), charges) for d in drops)


def _reserve(drop: float, charges: list[Array]) -> Reserve:
    """One drop: the nominal reading first, then the others.

    Particles lost charged leave the state of the negative as it is, so the charge
    falls in proportion: the tolerated loss is the drop itself.
    """
    found = [_crossing(charge / charge[0], 1.0 - drop) for charge in charges]
    loss = [f[0] for f in found]
    return Reserve(
        charge_drop_fraction=drop,
        tolerated_loss_fraction=loss[0],
        tolerated_loss_low_fraction=min(drop, *loss),
        tolerated_loss_high_fraction=max(drop, *loss),
        tolerated_mah_per_g_positive=loss[0] * float(charges[0][0]),
        bounded_by_curves=any(f[1] for f in found),
    )


def _crossing(kept: Array, level: float) -> tuple[float, bool]:
    """First loss at which `kept` falls below `level`, and whether it is a bound.

    The first: lithium left in the negative may let the charge rise before it falls.
    """
    past = ~(kept >= level)
    j = int(past.argmax())
    if not past[j]:
        return float(RESERVE_GRID[-1]), True
    if not np.isfinite(kept[j]):
        return float(RESERVE_GRID[max(j - 1, 0)]), True
    first = min(max(j - 2, 0), RESERVE_GRID.size - 3)
    three = slice(first, first + 3)
    return _inverse_quadratic(kept[three] - level, RESERVE_GRID[three]), False


def _inverse_quadratic(y: Array, x: Array) -> float:
    """Where a falling curve through three points passes zero (Lagrange)."""
    (a, b, c), (p, q, r) = y.tolist(), x.tolist()
    if not (a > b > c):  # not falling: the straight line of the last two
        return q + (r - q) * b / (b - c)
    return (
        p * b * c / ((a - b) * (a - c))
        + q * a * c / ((b - a) * (b - c))
        + r * a * b / ((c - a) * (c - b))
    )
