"""What a reader hands to the proofs: columns, counters, and what is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers.recording import Finding

if TYPE_CHECKING:
    import polars as pl

Array = NDArray[np.float64]
Direction = Literal["charge", "discharge", "both", "net"]
"""What a counter counts; "both": without a sign, "net": charge > 0."""


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


@dataclass(slots=True)
class Draft:
    """A file read, but not proved.

    Attributes
    ----------
    columns
        Name in `core.columns` (or the file's own label) -> values, all of one length.
        Current is in ampere with `current_sign`; time in the unit of
        `time_second_per_unit`, all others in the unit of their name.
    counters
        Charges and energies; the proofs name them.
    current_sign
        "charging positive" if the format fixes it; "magnitude" if the current has no
        sign and `flow` gives it; "unknown" if counters or voltage must tell.
    flow
        +1 charge, -1 discharge, 0 neither, shape (N,): by the cycler's own words.
    clock_second
        Local time of day and date, from any origin, shape (N,); NaN where absent.
    clock_resolution_second
        Of the clock as it is printed.
    time_second_per_unit
        One factor, or all that are possible if the file does not name the unit.
    fixed_sign
        True if the file belongs to a standard, so that another sign is a mistake.
    """

    format: str
    columns: dict[str, pl.Series]
    counters: list[Counter] = field(default_factory=list)
    current_sign: Literal["charging positive", "magnitude", "unknown"] = (
        "charging positive"
    )
    flow: NDArray[np.int8] | None = None
    clock_second: Array | None = None
    clock_resolution_second: float = 1.0
    time_second_per_unit: tuple[float, ...] = (1.0,)
    findings: list[Finding] = field(default_factory=list)
    metadata: dict[str, object] = field(default_factory=dict)
    first_line: int = 1
    """Line (or record) of the file that holds the first row."""

    def floats(self, name: str) -> Array:
        """A column as numbers, NaN where there is none."""
        import polars as pl

        return (
            self.columns[name]
            .cast(pl.Float64)
            .fill_null(float("nan"))
            .to_numpy()
            .astype(np.float64, copy=False)
        )

    def recognised(self, what: str, how: str) -> None:
        """Note something read off the file."""
        self.findings.append(Finding("recognised", what, how))

    def look(self, what: str, how: str) -> None:
        """Note something strange."""
        self.findings.append(Finding("look", what, how))
