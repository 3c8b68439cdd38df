"""Settle the unit of the test time, and see that it runs forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import charge_proof as cp
from equipoise.io.readers import time_proof as tp
from equipoise.io.readers.counters import counted
from equipoise.kernels import proofs as kernel

if TYPE_CHECKING:
    from equipoise.io.readers.work import Work

UNIT_TOLERANCE_RATIO = 0.1
"""Of a charge with the right unit of time: the next unit is off by a factor of 60."""


def settle_time(work: Work) -> None:
    """Bring the time to second, by the file's words, its clock, or its charge.

    Raises
    ------
    DataError
        If the clock contradicts the unit, or nothing tells it.
    """
    draft, factors = work.draft, work.draft.time_second_per_unit
    names = [tp.UNIT_NAMES.get(f, f"{f:g} s") for f in factors]
    clock = None
    if draft.clock_second is not None:
        clock = tp.against_clock(
            work.seconds, draft.clock_second, draft.clock_resolution_second
        )
    factor = factors[0]
    if clock is not None:
        found = tp.unit_by_clock(clock, factors)
        if found is None:
            raise DataError(
                f"the test time is taken to be in {' or '.join(names)}, but the clock "
                f"of the file runs {clock.ratio:.6g} s per unit of it",
                where=work.where,
                remedy="the header of the time column or the clock is wrong",
            )
        factor = found
        work.note(
            "proven",
            "test time: unit",
            f"{tp.UNIT_NAMES.get(factor, factor)}; the clock of the file runs "
            f"{clock.ratio:.6g} s per unit",
            clock.ratio / factor - 1.0,
            tp.CLOCK_TOLERANCE_RATIO,
        )
    elif len(factors) > 1:
        factor = _unit_by_charge(work, factors, names)
    if factor != 1.0:
        work.seconds = work.seconds * factor


def _unit_by_charge(work: Work, factors: tuple[float, ...], names: list[str]) -> float:
    """The unit of time with which the current gives the counted charge."""
    found: set[float] = set()
    total = cp.integral_of(work.rows)
    for counter in work.draft.counters:
        if counter.quantity == "capacity" and counter.direction == "both":
            charge = counted(counter, work.cycles, work.steps).increments.sum()
            found |= {
                f
                for f in factors
                if total > 0.0
                and abs(charge / (f * total) - 1.0) < UNIT_TOLERANCE_RATIO
            }
    if len(found) != 1:
        raise DataError(
            f"the file does not say whether its time is in {', '.join(names)}, and "
            "neither a clock nor a capacity tells",
            where=work.where,
            remedy="export with a date column or with the unit in the header, or give "
            "the unit in a map: --map FILE",
        )
    factor = found.pop()
    unit = tp.UNIT_NAMES.get(factor, str(factor))
    work.note("recognised", "test time: unit", f"{unit}, by the counted charge")
    return factor


def see_order(work: Work) -> None:
    """See that the time runs forward, and tell of twins and gaps.

    Raises
    ------
    DataError
        If it runs back.
    """
    found = np.empty(kernel.LOOKS, dtype=np.int64)
    steps = np.empty(0, np.int64) if work.steps is None else work.steps
    kernel.look(work.seconds, work.volts, work.amperes, steps, found)
    if found[kernel.BACKWARD]:
        i = int(found[kernel.FIRST_BACKWARD])
        raise DataError(
            f"the time runs back in {found[kernel.BACKWARD]} rows, first in row "
            f"{i + 1}: from {work.seconds[i - 1]:.6g} s to {work.seconds[i]:.6g} s",
            where=work.where,
            remedy="two tests joined: --repair backward-time, or cut the file; rows "
            "out of order: --repair sort-time",
        )
    if found[kernel.TWINS]:
        work.note(
            "look",
            "rows",
            f"{found[kernel.TWINS]} rows repeat time, voltage and current of the row "
            f"above (first: row {found[kernel.FIRST_TWIN] + 1}); --repair duplicates "
            "leaves them out",
        )
    gaps = tp.gaps(work.seconds)
    if gaps.size:
        i = int(gaps[0])
        hours = (work.seconds[i] - work.seconds[i - 1]) / 3600.0
        work.note(
            "look", "test time", f"{gaps.size} gaps, first {hours:.3g} h at row {i + 1}"
        )
