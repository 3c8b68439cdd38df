"""From column names to axis labels, and from columns to arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.core.units import unit_symbol, words

if TYPE_CHECKING:
    import polars as pl

MINUS = "\N{MINUS SIGN}"
LITHIUM = "Li⁺/Li"

QUANTITIES = {
    "np_ratio": "n/p ratio",
    "one_c_ma": "Current of 1C",
    "upper_volt": "Upper cut-off voltage",
    "voltage_volt": "Cell voltage",
    "passed_capacity_mah_per_g_positive": "Capacity",
    "positive_electrode_potential_volt": f"Potential vs {LITHIUM}",
    "negative_electrode_potential_volt": f"Potential vs {LITHIUM}",
    "upper_potential_vs_li_volt": f"Upper potential vs {LITHIUM}",
    "negative_end_of_charge_potential_vs_li_volt": f"Negative vs {LITHIUM}",
    "volume_change_percent": "Volume change",
    "h2h3_usage_mah_per_g_positive": "H2-H3 usage",
    "compensation_fraction": "Compensation fraction κ",
    "one_c_ma_per_g": "Current of 1C",
    "h2h3_onset_vs_li_volt": f"H2-H3 onset vs {LITHIUM}",
    "dqdv_mah_per_g_per_volt": "dQ/dV",
    "positive_dqdv_mah_per_g_per_volt": "dQ/dV, positive",
    "negative_dqdv_mah_per_g_per_volt": "dQ/dV, negative",
    "energy_wh_per_kg_positive": "Energy per positive",
    "energy_wh_per_kg_stack": "Stack energy",
    "energy_wh_per_l_stack": "Stack energy",
}
"""Columns whose printed quantity is not just the words of their name."""


def quantity(column: str) -> str:
    """Printed quantity of a column, without its unit.

    Examples
    --------
    >>> quantity("first_charge_mah_per_g_positive")
    'First charge'
    >>> quantity("lower_potential_vs_li_volt")
    'Lower potential vs Li⁺/Li'
    """
    if column in QUANTITIES:
        return QUANTITIES[column]
    text = words(column).replace(" vs li", f" vs {LITHIUM}")
    return text[:1].upper() + text[1:]


def axis_label(column: str) -> str:
    """Axis label "Quantity / unit" of a column; pure numbers carry no unit.

    Examples
    --------
    >>> axis_label("first_charge_mah_per_g_positive")
    'First charge / mAh g⁻¹'
    >>> axis_label("np_ratio")
    'n/p ratio'
    """
    symbol = unit_symbol(column)
    return f"{quantity(column)} / {symbol}" if symbol else quantity(column)


def signed(value: float, form: str) -> str:
    """Format a number with a real minus sign, zero without one.

    Examples
    --------
    >>> signed(-4.3, ".1f") == MINUS + "4.3", signed(-0.001, ".1f")
    (True, '0.0')
    """
    text = format(value, form)
    if text.startswith("-"):
        digits = text[1:]
        return digits if not digits.strip("0.") else MINUS + digits
    return text


def floats(table: pl.DataFrame, column: str, needed_by: str) -> NDArray[np.float64]:
    """A column as floats, shape (rows,), nulls as NaN.

    Raises
    ------
    DataError
        If the table has no such column.
    """
    if column not in table.columns:
        raise DataError(
            f"the table has no column {column!r}",
            where=needed_by,
            remedy=f"it has: {', '.join(table.columns)}",
        )
    return table[column].cast(float).to_numpy().astype(np.float64, copy=False)
