"""What a reader hands to the proofs: columns, counters, and what is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers.recording import Finding

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Direction = Literal["charge", "discharge", "both", "net"]
"""What a counter counts; "both": without a sign, "net": charge > 0."""
CurrentIs = Literal["charging positive", "magnitude", "unknown"]


@dataclass(frozen=True, slots=True)
class Counter:
    """A charge (Ah) or energy (Wh) that the cycler counted itself.

    Attributes
    ----------
    label
        As in the file.
    quantity
        "capacity" in Ah or "energy" in Wh.
    values
        Shape (N,); NaN where the file has nothing.
    declared
        Name in `core.columns` if the file itself says since when it counts, else
        empty: then the resets decide.
    """

    label: str
    quantity: Literal["capacity", "energy"]
    direction: Direction
    values: Array
    declared: str = ""


class Draft:
    """A file read, but not proved: what a reader fills, column by column.

    Parameters
    ----------
    format
        Which reader made it.
    current_sign
        "charging positive" if the format fixes it; "magnitude" if the current has no
        sign and `flow` gives it; "unknown" if counters or voltage must tell.
    printed
        Whether numbers were read as digits, which may be few.

    Attributes
    ----------
    columns
        Name in `core.columns` (or the file's own label) -> values, all of one length.
        Current is in ampere with `current_sign`; time in the unit of
        `time_second_per_unit`, all others in the unit of their name.
    counters
        Charges and energies; the proofs name them.
    current_rounding_ampere
        Half of the last printed place of the current; None to take it from the values.
    flow
        +1 charge, -1 discharge, 0 neither, shape (N,): by the cycler's own words.
    clock_second
        Local time of day and date, from any origin, shape (N,); NaN where absent.
    clock_resolution_second
        Of the clock as it is printed.
    time_second_per_unit
        One factor, or all that are possible if the file does not name the unit.
    """

    def __init__(
        self,
        format: str,
        *,
        current_sign: CurrentIs = "charging positive",
        printed: bool = True,
    ) -> None:
        self.format, self.current_sign, self.printed = format, current_sign, printed
        self.columns: dict[str, pl.Series] = {}
        self.counters: list[Counter] = []
        self.current_rounding_ampere: float | None = None
        self.flow: NDArray[np.int8] | None = None
        self.clock_second: Array | None = None
        self.clock_resolution_second = 1.0
        self.time_second_per_unit: tuple[float, ...] = (1.0,)
        self.findings: list[Finding] = []
        self.metadata: dict[str, object] = {}

    def floats(self, name: str) -> Array:
        """A column as numbers, NaN where there is none."""
        import polars as pl

        column = self.columns[name]
        if column.dtype != pl.Float64:
            column = column.cast(pl.Float64)
        if column.null_count():
            column = column.fill_null(float("nan"))
        return np.asarray(column.to_numpy(), dtype=np.float64)

    def recognised(self, what: str, how: str) -> None:
        """Note something read off the file."""
        self.findings.append(Finding("recognised", what, how))

    def look(self, what: str, how: str) -> None:
        """Note something strange."""
        self.findings.append(Finding("look", what, how))
