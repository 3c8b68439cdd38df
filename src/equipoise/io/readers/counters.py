"""The cycler's own counters: where they are reset, and what they counted in all.

A counter restarts from zero where its value falls; the charge from the last row before
to the first row after is then what the counter shows after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers.printed import rounding_of
from equipoise.kernels import proofs as kernel

if TYPE_CHECKING:
    from equipoise.io.readers.draft import Array, Counter

Rule = Literal["test", "cycle", "step", "other"]
Marks = NDArray[np.int64]
Reach = Callable[[NDArray[np.int64]], NDArray[np.float64]]
REACH_FACTOR = 1.05
"""The largest current of a file, and what its rounding may add."""
STUCK_SHARE = 0.9
"""A counter that moves in fewer of the intervals with a current is a coarse one."""
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
    reach: Reach | None = None,
) -> Counted:
    """Increments of a counter and the rule of its resets.

    Parameters
    ----------
    cycles, steps
        Cycle number and a number that changes with each step, shape (N,).
    reach
        The most that can pass in the intervals that end in some rows, in the
        counter's unit: by so much it may have risen since it started anew.
    """
    values = counter.values
    increments = np.zeros(values.size)
    resets = np.empty(values.size, np.int64)
    largest = float(np.nanmax(np.abs(values), initial=0.0)) if values.size else 0.0
    eps = ROUNDING_SHARE * largest + resolution(values)
    net = counter.direction == "net"
    count = kernel.increments(values, eps, net, increments, resets)
    if net:
        return Counted(increments, resets[:0], "test")
    rows = resets[:count].copy()
    rule, marks = _rule(counter, rows, (cycles, steps), reach)
    if marks is not None:  # it starts anew at each of them, also where it did not fall
        at = np.flatnonzero(np.diff(marks) != 0) + 1
        at = at[np.isfinite(values[at])]
        increments[at] = np.maximum(values[at], 0.0)
    return Counted(increments, rows, rule)


def granularity(values: Array, moved_ratio: float) -> float:
    """Half of what a counter's value moves by at least, in its unit.

    The printed digits say it, unless the counter often stands still where charge
    passes (`moved_ratio`, see `charge_proof.Totals`): then its own steps are coarser.
    """
    printed = rounding_of(values)
    return max(resolution(values), printed) if moved_ratio < STUCK_SHARE else printed


def resolution(values: Array) -> float:
    """Half the smallest step between values of a counter; 0 if they are all equal."""
    some = values[: 20000 : max(values.size // 2000, 1)]
    steps = np.diff(np.unique(np.abs(some[np.isfinite(some)])))
    steps = steps[steps > 0.0]
    return 0.5 * float(steps.min()) if steps.size else 0.0


def _rule(
    counter: Counter,
    resets: NDArray[np.int64],
    marks_of: tuple[Marks | None, Marks | None],
    reach: Reach | None,
) -> tuple[Rule, Marks | None]:
    """What the file declares if nothing contradicts it, else what the resets say.

    With the marks at which it starts anew: None for a counter of the whole test, or
    one without a rule.
    """
    kinds: tuple[tuple[Rule, Marks | None], ...] = (
        ("cycle", marks_of[0]),
        ("step", marks_of[1]),
    )
    for name, marks in kinds:
        if counter.declared.startswith(f"{name}_") and (
            marks is None or _restarts(counter.values, resets, marks, reach)
        ):
            return name, marks
    if resets.size == 0:
        return "test", None
    for name, marks in kinds:
        if marks is not None and _restarts(counter.values, resets, marks, reach):
            return name, marks
    return "other", None


def _restarts(
    values: Array, resets: NDArray[np.int64], marks: Marks, reach: Reach | None
) -> bool:
    """Whether it starts anew at every change of a mark, and nowhere else."""
    changes = np.flatnonzero(np.diff(marks) != 0) + 1
    if not np.isin(resets, changes).all():
        return False
    before = values[changes - 1]
    eps = ROUNDING_SHARE * float(np.nanmax(np.abs(values)))
    held = (before > eps) & (values[changes] >= before)
    if reach is not None:
        held &= values[changes] > REACH_FACTOR * reach(changes) + eps
    return not held.any()


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
