"""Where one spectrum of a table ends and the next begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LEAST_POINTS = 3
"""Of a sweep; shorter runs are rows out of order."""
MOST_RUNS_SHARE = 0.3
"""Runs per row beyond which a table is in no order rather than of many sweeps."""
OVERLAP_SHARE = 0.5
"""A run that covers so much of the shorter one's range again is another sweep."""


def sweeps(frequency_hertz: Array) -> tuple[Indices, ...]:
    """Rows of each sweep through the frequencies, in the order of the file.

    Parameters
    ----------
    frequency_hertz
        Shape (N,), > 0.

    Returns
    -------
    tuple
        One array of indices for each sweep; a sweep down and up again is two, because
        the halves were measured at different times. Rows in no order are one.

    Examples
    --------
    >>> [len(s) for s in sweeps(np.array([100.0, 10.0, 1.0, 100.0, 10.0, 1.0]))]
    [3, 3]
    """
    f = np.log(frequency_hertz)
    runs = _runs(f)
    if len(runs) == 1 or len(runs) > MOST_RUNS_SHARE * f.size + 1:
        return (np.arange(f.size),)
    joined: list[list[Indices]] = []
    for run in runs:
        if joined and not _again(f, np.concatenate(joined[-1]), run):
            joined[-1].append(run)
        else:
            joined.append([run])
    return tuple(np.concatenate(j) for j in joined)


def changes(words: list[str]) -> Indices:
    """Rows (from 0) at which a label changes.

    Examples
    --------
    >>> changes(["1", "1", "2"])
    array([2])
    """
    return np.array(
        [i for i in range(1, len(words)) if words[i] != words[i - 1]], dtype=np.int64
    )


def _runs(f: Array) -> list[Indices]:
    """Rows between turns of the direction; equal frequencies do not turn it.

    A frequency that is measured twice at the turn belongs once to either side.
    """
    starts = [0]
    direction = 0
    for i in range(1, f.size):
        step = int(np.sign(f[i] - f[i - 1]))
        if step == 0:
            continue
        if direction == 0:
            direction = step
        elif step != direction:
            twice = i - 1 > starts[-1] + 1 and f[i - 1] == f[i - 2]
            starts.append(i - 1 if twice else i)
            direction = step if twice else 0
    ends = [*starts[1:], f.size]
    return [np.arange(a, b) for a, b in zip(starts, ends, strict=True)]


def _again(f: Array, before: Indices, run: Indices) -> bool:
    """Whether a run covers frequencies that the rows before it have covered."""
    low = max(float(f[before].min()), float(f[run].min()))
    high = min(float(f[before].max()), float(f[run].max()))
    shorter = min(float(np.ptp(f[before])), float(np.ptp(f[run])))
    if run.size < LEAST_POINTS or before.size < LEAST_POINTS or shorter == 0.0:
        return False
    return high - low > OVERLAP_SHARE * shorter
