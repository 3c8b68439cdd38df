"""Make a measured half-cell branch monotone, and say what was changed."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import NDArray
import numpy as np

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was done to a measured branch before it became a `Curve`."""

    direction: str                      # "delithiation" | "lithiation"
    points_read_count: int
    reversed_order: bool                # file ran from high to low capacity
    duplicates_merged_count: int        # points with equal capacity, averaged
    reversals_sorted_count: int         # points that stepped back in capacity (small), sorted
    monotone_changed_count: int         # points moved by the isotonic regression
    monotone_largest_change_millivolt: float
    monotone_rms_change_millivolt: float
    knots_count: int
    knots_largest_residual_millivolt: float   # |curve through knots - isotonic data|
    knots_rms_residual_millivolt: float
