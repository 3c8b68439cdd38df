"""How finely numbers are printed: a share of their truth that the digits leave open."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LEVELS = 500
MOST_CELLS = 20_000
MOST_VALUES = 20_000
"""Of which digits are looked at, evenly over the file."""


def rounding_of(values: NDArray[np.float64]) -> float:
    """Half a unit of the last printed decimal place, in the unit of the values.

    0.0002 A may stand for anything between 0.00015 and 0.00025 A. Values that were
    never printed have all digits, and give next to nothing.
    """
    found = _nonzero(values[:: max(values.size // MOST_VALUES, 1)])
    if found.size == 0:
        found = _nonzero(values)
    if found.size == 0:
        return 0.0
    some = np.unique(np.abs(found[:: max(found.size // 5000, 1)]))
    levels = some[:: max(some.size // MOST_LEVELS, 1)]
    places = [Decimal(repr(float(v))).normalize().as_tuple().exponent for v in levels]
    return 0.5 * 10.0 ** min(int(p) for p in places)


def rounding_of_cells(cells: Iterable[str]) -> float | None:
    """The same of numbers as text, printed zeros included; None if none is a number.

    "2.000" may stand for anything between 1.9995 and 2.0005.
    """
    places: list[int] = []
    for cell in islice(cells, MOST_CELLS):
        try:
            number = Decimal(cell.strip().strip('"').replace(",", "."))
        except InvalidOperation:
            continue
        if number.is_finite() and number:
            places.append(int(number.as_tuple().exponent))
    return 0.5 * 10.0 ** min(places) if places else None


def _nonzero(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values) & (values != 0.0)]
