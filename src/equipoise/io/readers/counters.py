"""The cycler's own counters: where they are reset, and what they counted in all.

A counter restarts from zero where its value falls; the charge from the last row before
to the first row after is then what the counter shows after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from equipoise.io.readers.draft import Array, Counter

Rule = Literal["test", "cycle", "step", "other"]
ROUNDING_SHARE = 1e-9
"""A fall by less than this share of the largest value is noise of the last digit."""


class Counted(NamedTuple):
    """Increments of a counter.

    Attributes
    ----------
    increments
        Shape (N,), in the counter's unit: since the row before; 0 in the first row
        and where the file has no value.
    resets
        Rows in which it starts anew.
    rule
        Since when it counts.
    """

    increments: Array
    resets: NDArray[np.int64]
    rule: Rule


def counted(
    counter: Counter,
    cycles: NDArray[np.int64] | None,
    steps: NDArray[np.int64] | None,
) -> Counted:
    """Increments of a counter and the rule of its resets.

    Parameters
    ----------
    cycles, steps
        Cycle number and a number that changes with each step, shape (N,).
    """
    values = counter.values
    known = np.flatnonzero(np.isfinite(values))
    increments = np.zeros(values.size)
    if known.size < 2:
        return Counted(increments, known[:0], "test")
    found = values[known]
    steps_up = np.diff(found)
    if counter.direction == "net":
        increments[known[1:]] = steps_up
        return Counted(increments, known[:0], "test")
    eps = ROUNDING_SHARE * float(np.abs(found).max(initial=0.0)) + resolution(found)
    falls = np.flatnonzero(steps_up < -eps) + 1
    up = np.where(steps_up < -eps, found[1:], steps_up)
    increments[known[1:]] = np.maximum(up, 0.0)
    rows = known[falls]
    return Counted(increments, rows, _rule(values, rows, cycles, steps))


def resolution(values: Array) -> float:
    """Half the smallest step of a rounded counter, volt-free and cheap: 0 if fine."""
    some = values[: 20000 : max(values.size // 2000, 1)]
    steps = np.diff(np.unique(np.abs(some[np.isfinite(some)])))
    steps = steps[steps > 0.0]
    return 0.5 * float(steps.min()) if steps.size else 0.0


def _rule(
    values: Array,
    resets: NDArray[np.int64],
    cycles: NDArray[np.int64] | None,
    steps: NDArray[np.int64] | None,
) -> Rule:
    if resets.size == 0:
        return "test"
    for name, marks in (("cycle", cycles), ("step", steps)):
        if marks is None:
            continue
        changes = np.flatnonzero(np.diff(marks) != 0) + 1
        if not np.isin(resets, changes).all():
            continue
        before = values[changes - 1]
        eps = ROUNDING_SHARE * float(np.nanmax(np.abs(values)))
        held = (before > eps) & (values[changes] >= before)
        if not held.any():  # it starts anew at every change, not only at some
            return "cycle" if name == "cycle" else "step"
    return "other"


def column_name(counter: Counter, rule: Rule) -> str:
    """Name in `core.columns` of what this counts; empty if there is none."""
    unit = "ah" if counter.quantity == "capacity" else "wh"
    prefix = {"test": "", "cycle": "cycle_", "step": "step_", "other": None}[rule]
    if prefix is None:
        return ""
    match counter.direction:
        case "charge":
            return f"{prefix}charging_{counter.quantity}_{unit}"
        case "discharge":
            return f"{prefix}discharging_{counter.quantity}_{unit}"
        case "net":
            return f"net_{counter.quantity}_{unit}" if rule == "test" else ""
        case "both":
            if rule == "step" and counter.quantity == "capacity":
                return "step_cumulative_capacity_ah"
            return f"cumulative_{counter.quantity}_{unit}" if rule == "test" else ""
