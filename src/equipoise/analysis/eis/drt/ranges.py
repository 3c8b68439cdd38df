"""Ranges of time constants, and what the paper calls them."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from equipoise.core.errors import SpecError


@dataclass(frozen=True, slots=True)
class TauRange:
    """A range of time constants, ends in seconds.

    Attributes
    ----------
    name
        Of the resistance in it, e.g. "interphase".
    symbol
        For figures, e.g. "R_int".
    shortest_second, longest_second
        A process belongs to the range that holds its centre; the upper end is not
        included.
    """

    name: str
    symbol: str
    shortest_second: float
    longest_second: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.shortest_second < self.longest_second:
            raise SpecError(
                f"range {self.name!r} runs from {self.shortest_second:g} s to "
                f"{self.longest_second:g} s",
                remedy="give two times, the shorter one first",
            )

    def holds(self, tau_second: float) -> bool:
        """Whether a time constant lies in it."""
        return self.shortest_second <= tau_second < self.longest_second

    @property
    def text(self) -> str:
        """The range as printed."""
        return f"{self.shortest_second:g} to {self.longest_second:g} s"


GRAIN_BOUNDARY = TauRange("high_frequency", "R_hf", 0.0, 1e-5)
INTERPHASE = TauRange("interphase", "R_int", 1e-5, 1e-2)
CHARGE_TRANSFER = TauRange("charge_transfer", "R_ct", 1e-2, 1.0)
SLOW = TauRange("slow", "R_slow", 1.0, inf)

PAPER_RANGES = (INTERPHASE, CHARGE_TRANSFER)
"""Zhang et al. 2026, sec. 4.10; faster is grain boundary and contact."""
