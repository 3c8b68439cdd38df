"""What weighing and recipe errors do to the balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.design.formed import formed
from equipoise.spec.inventory import Inventory

if TYPE_CHECKING:
    import polars as pl

    from equipoise.spec.cell import Cell


@dataclass(frozen=True, slots=True)
class ErrorSource:
    """One independent relative error and how it enters the n/p ratio."""

    what: str
    error_percent: float
    np_exponent: int


DEFAULT_ERRORS = (
    ErrorSource("negative composite mass", 1.0, +1),
    ErrorSource("negative active share of the composite", 1.0, +1),
    ErrorSource("negative specific capacity", 1.0, +1),
    ErrorSource("positive composite mass", 1.0, -1),
    ErrorSource("positive active share of the composite", 1.0, -1),
)


def tolerance(
    cell: Cell, errors: tuple[ErrorSource, ...] = DEFAULT_ERRORS
) -> pl.DataFrame:
    """Effect of each error, and of all together, on charge and upper potential.

    One row per source and a last row "all (root sum of squares)". Effects are half
    the difference between the exact answers at plus and minus the error. Specific
    charge is per gram of the positive that is really there.
    """
    import polars as pl  # 0.5 s: only where a table is made

    factor = np.array(
        [
            (1.0 + sign * e.error_percent / 100.0) ** e.np_exponent
            for e in errors
            for sign in (1, -1)
        ]
    )
    result = formed(cell, Inventory.of(cell, np_ratio=cell.np_ratio * factor))
    charge = result.first_charge_mah_per_g_positive.reshape(-1, 2)
    upper = result.charged.terminal_potential_vs_li_volt.reshape(-1, 2)
    ratio = (cell.np_ratio * factor).reshape(-1, 2)
    half = {
        "np_change_ratio": 0.5 * (ratio[:, 0] - ratio[:, 1]),
        "charge_change_mah_per_g_positive": 0.5 * (charge[:, 0] - charge[:, 1]),
        "upper_potential_change_millivolt": 500.0 * (upper[:, 0] - upper[:, 1]),
    }
    table = pl.DataFrame(
        {
            "error_in": [e.what for e in errors],
            "error_percent": [e.error_percent for e in errors],
        }
        | half
    )
    total = pl.DataFrame(
        {
            "error_in": ["all (root sum of squares)"],
            "error_percent": [None],
        }
        | {name: [float(np.sqrt(np.sum(v**2)))] for name, v in half.items()},
        schema=table.schema,
    )
    return pl.concat([table, total])
