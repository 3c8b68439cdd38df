"""What is right by itself in a table, but strange enough to be said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers import sign_proof as sp
from equipoise.io.readers.draft import Array, Draft

ONE_DIRECTION = 0.95
"""Share of the voltage's path that runs one way if a test only charges."""
HURRIED_SHARE = 0.01
SHORTEST_HURRY_SECOND = 10.0
"""Clocks are stored late or rounded by seconds; a wrong unit adds up to more."""


def look_at_values(made: Draft) -> None:
    """Things that are right by themselves, but strange."""
    volts, amperes = (made.floats(n) for n in ("voltage_volt", "current_ampere"))
    spectrum: NDArray[np.bool_] = np.zeros(volts.size, dtype=np.bool_)
    if "frequency_hertz" in made.columns:
        spectrum = np.isfinite(made.floats("frequency_hertz"))
    below = int((volts[spectrum] < 0.0).sum())
    if below:
        made.look("voltage", f"below zero in {below} rows with a frequency")
    _look_at_direction(made, amperes, volts)


def _look_at_direction(made: Draft, amperes: Array, volts: Array) -> None:
    """A magnitude that nothing gives a direction to."""
    apart = {c.direction for c in made.counters} & {"discharge", "net"}
    if apart or made.flow is not None or not np.isfinite(amperes).all():
        return
    if (amperes < 0.0).any() or not (amperes > 0.0).any():
        return
    if abs(sp.by_voltage(amperes, volts).agreement) < ONE_DIRECTION:
        made.look(
            "current: sign",
            "never below zero, while the voltage falls as well as rises: if it has "
            "no sign, name the column of states (step_type) in a map",
        )


def look_at_clock(made: Draft, clock: Array, per_unit: float) -> None:
    """A pause makes the clock run on; nothing makes the test time run ahead."""
    passed = np.diff(made.floats("test_time_second")) * per_unit
    slack = max(2.0 * made.clock_resolution_second, SHORTEST_HURRY_SECOND)
    rows = np.flatnonzero(passed > 1.05 * np.diff(clock) + slack)
    ahead = float((passed - np.diff(clock))[rows].sum())
    if rows.size and ahead > HURRIED_SHARE * float(passed.sum()):
        made.look(
            "test time",
            f"runs ahead of the clock by {ahead / 3600.0:.3g} h in {rows.size} "
            f"rows, first in row {rows[0] + 2}",
        )
