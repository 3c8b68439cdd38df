"""The ageing tests of the paper as protocols, and how a life shows its numbers.

The paper prints neither the number of cycles per rate nor what its mean Coulombic
efficiencies leave out; what is assumed is said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.ranges import PAPER_RANGES
from equipoise.analysis.eis.drt.resistances import resistances
from equipoise.analysis.eis.drt.tails import WARBURG, Tail
from equipoise.io.protocols import load_protocol
from equipoise.protocol.steps import AnyStep, Cycle, Eis, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from equipoise.sim.life.life import Life

Array = NDArray[np.float64]
SHORT_RATES = (0.1, 0.2, 0.5, 1.0, 2.0)
RATES = (*SHORT_RATES, 5.0)
SHORT_COUNT = 3
"""Cycles per rate before the long test at 1C; assumed."""
ROUND_COUNT = 7
"""Cycles per rate of the two rounds of Fig. 4a; assumed. Six more at 0.2C make 90."""
RATE_TEST_CYCLES = 90
LAST_CYCLE_290 = 290


def at_0_2c(count: int = 120) -> Protocol:
    """Fig. 2c,d: 0.2C from the first cycle on."""
    return Protocol(name="0.2C", steps=(Cycle(c_rate=0.2, count=count),))


def at_1c(count: int) -> Protocol:
    """Fig. 5: a short sequence of rates, then 1C."""
    before = tuple(Cycle(c_rate=r, count=SHORT_COUNT) for r in SHORT_RATES)
    return Protocol(name="1C", steps=(*before, Cycle(c_rate=1.0, count=count)))


def rates_then_0_2c() -> Protocol:
    """Fig. 4a-e: two rounds of rates (90 cycles), 200 at 0.2C, then the impedance."""
    rounds = tuple(Cycle(c_rate=r, count=ROUND_COUNT) for r in RATES) * 2
    rest = RATE_TEST_CYCLES - 2 * ROUND_COUNT * len(RATES)
    steps: tuple[AnyStep, ...] = (
        *rounds,
        Cycle(c_rate=0.2, count=rest + LAST_CYCLE_290 - RATE_TEST_CYCLES),
        Eis(),
    )
    return Protocol(name="rates, then 0.2C", steps=steps)


def three_electrodes() -> Protocol:
    """Fig. 6, S10: 0.2C to 5C and back to 0.2C in the 24th cycle."""
    return load_protocol("three-electrode-rate-test")


class Seen:
    """Columns of a life over all cycles, interpolated where cycles were jumped."""

    def __init__(self, life: Life) -> None:
        table = life.cycles
        self.life, self.table = life, table.filter(table["is_settled"])
        self.cycles = self.table["cycle_count"].to_numpy().astype(np.float64)

    def at(self, column: str, cycle: float) -> float:
        """A column at a cycle (counted from 1); nan beyond the last one."""
        if not self.cycles.size or cycle > self.life.last_cycle:
            return float("nan")
        return float(np.interp(cycle, self.cycles, self.table[column].to_numpy()))

    def discharge(self, cycle: float) -> float:
        """Discharge capacity at a cycle, mAh/g."""
        return self.at("discharging_capacity_mah_per_g_positive", cycle)

    def mean(self, column: str, first: int, last: int) -> float:
        """Mean of a column over cycles first to last."""
        if not self.cycles.size or last > self.life.last_cycle:
            return float("nan")
        numbers = np.arange(first, last + 1)
        values = self.table[column].to_numpy()
        return float(np.mean(np.interp(numbers, self.cycles, values)))


def kept_after(first: int, last: int) -> Callable[[Life], float]:
    """Observer: discharge of one cycle over that of an earlier one."""

    def observe(life: Life) -> float:
        seen = Seen(life)
        return seen.discharge(last) / seen.discharge(first)

    return observe


def fall_of(column: str, first: int, last: int) -> Callable[[Life], float]:
    """Observer: the fall of a column between two cycles, < 0; a rise is 0."""

    def observe(life: Life) -> float:
        seen = Seen(life)
        return min(seen.at(column, last) - seen.at(column, first), 0.0)

    return observe


def efficiency_percent(first: int, last: int) -> Callable[[Life], float]:
    """Observer: mean Coulombic efficiency of cycles first to last, percent."""

    def observe(life: Life) -> float:
        return 100.0 * Seen(life).mean("coulombic_efficiency", first, last)

    return observe


FIRST_1C = SHORT_COUNT * len(SHORT_RATES) + 1
"""Number of the first cycle of the long test at 1C."""


def cycles_to(level: float) -> Callable[[Life], float]:
    """Observer: cycle life; where it is not reached, continued at the mean rate."""

    def observe(life: Life) -> float:
        found = life.cycle_life(level)
        if not found.censored:
            return found.cycle_count
        retention = Seen(life).table["discharge_retention"].to_numpy()
        if not retention.size or not np.isfinite(retention[-1]):
            return float("nan")
        lost = 1.0 - float(retention[-1])
        return found.cycle_count * (1.0 - level) / max(lost, 1e-3)

    return observe


def resistance_ohm_cm2(symbol: str) -> Callable[[Life], float]:
    """Observer: R_int or R_ct of the last spectrum, on the area of the positive."""
    number = [r.symbol for r in PAPER_RANGES].index(symbol)

    def observe(life: Life) -> float:
        if not life.impedances:
            return float("nan")
        found = resistances(life.impedances[-1].cell, tails=FIT_TAILS)
        read = [m.resistances_ohm[number] for m in found.members]
        return float(np.mean(read)) * life.lowered.positive_area_cm2

    return observe


FIT_TAILS = (WARBURG, Tail("cpe", 0.55), Tail("cpe", 0.6))
"""Particles diffuse; the mean of fixed tails moves smoothly with the parameters, which
the best tail of an ensemble does not."""


def arcs_ohm_cm2(life: Life) -> dict[str, tuple[float, float, float]]:
    """Value, low and high of R_int and R_ct of the last spectrum, by symbol."""
    found = resistances(life.impedances[-1].cell)
    area = life.lowered.positive_area_cm2
    return {
        r.tau_range.symbol: (r.value_ohm * area, r.low_ohm * area, r.high_ohm * area)
        for r in found.ranges
    }
