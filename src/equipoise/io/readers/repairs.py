"""Changes to the rows of a file, made only on request and written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.columns import REQUIRED
from equipoise.core.errors import SpecError, nearest
from equipoise.io.readers.recording import Finding
from equipoise.io.readers.time_proof import backward_rows, duplicated_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from equipoise.io.readers.draft import Draft

REPAIRS = {
    "last-row": "leave out an incomplete last line",
    "backward-time": "where the time runs back, go on from the row before",
    "sort-time": "put the rows in the order of their time",
    "duplicates": "leave out rows that repeat the row above",
}

_TELLING = (*REQUIRED, "cycle_count", "step_count", "step_index")
"""A step begins with the time, voltage and current with which the one before ends."""


def checked(repairs: Iterable[str]) -> frozenset[str]:
    """The repairs asked for.

    Raises
    ------
    SpecError
        If one is not known, or two exclude each other.
    """
    wanted = frozenset(repairs)
    for name in sorted(wanted):
        if name not in REPAIRS:
            raise SpecError(
                f"{name!r} is no repair", where="repair", remedy=nearest(name, REPAIRS)
            )
    if {"backward-time", "sort-time"} <= wanted:
        raise SpecError(
            "backward-time and sort-time exclude each other",
            where="repair",
            remedy="backward-time for tests joined one after the other, sort-time for "
            "rows out of order",
        )
    return wanted


def repair(draft: Draft, wanted: frozenset[str]) -> None:
    """Apply repairs of rows, in the order sort, duplicates, backward."""
    if "sort-time" in wanted:
        time = draft.floats("test_time_second")
        order = np.argsort(time, kind="stable")
        moved = int((order != np.arange(order.size)).sum())
        if moved:
            _keep(draft, order)
            _note(draft, "rows", f"{moved} rows moved into the order of time")
    if "duplicates" in wanted:
        twins = duplicated_rows(
            [draft.floats(n) for n in _TELLING if n in draft.columns]
        )
        if twins.size:
            rows = draft.columns["test_time_second"].len()
            _keep(draft, np.delete(np.arange(rows), twins))
            _note(draft, "rows", f"{twins.size} rows that repeat the row above removed")
    if "backward-time" in wanted:
        _continue_time(draft)


def note_cut_line(draft: Draft, line: int) -> None:
    """Write down that the last line was left out; 0: it was not."""
    if line:
        _note(draft, "rows", f"line {line} was incomplete: left out")


def _continue_time(draft: Draft) -> None:
    """Shift the time behind each jump back by what is needed to go on."""
    import polars as pl

    time = draft.floats("test_time_second")
    back = backward_rows(time)
    if back.size == 0:
        return
    forward = np.diff(time)
    usual = float(np.median(forward[forward > 0.0])) if (forward > 0.0).any() else 0.0
    steps = np.where(forward < 0.0, usual, forward)
    mended = time[0] + np.concatenate(([0.0], np.cumsum(steps)))
    draft.columns["test_time_second"] = pl.Series("test_time_second", mended)
    draft.clock_second = None  # it does not run with a mended time
    at = ", ".join(str(i + 1) for i in back[:5])
    _note(
        draft,
        "test time",
        f"ran back in {back.size} rows (row {at}); goes on by {usual:g} there",
    )


def _keep(draft: Draft, rows: NDArray[np.int64]) -> None:
    from dataclasses import replace

    for name, column in draft.columns.items():
        draft.columns[name] = column.gather(rows)
    draft.counters = [replace(c, values=c.values[rows]) for c in draft.counters]
    if draft.flow is not None:
        draft.flow = draft.flow[rows]
    if draft.clock_second is not None:
        draft.clock_second = draft.clock_second[rows]


def _note(draft: Draft, what: str, how: str) -> None:
    draft.findings.append(Finding("repaired", what, how))
