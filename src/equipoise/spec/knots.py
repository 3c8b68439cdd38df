"""Choose the knots of a monotone cubic: local averages, denser where it bends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.spec.pchip import pchip

Array = NDArray[np.float64]
Edges = NDArray[np.intp]

TOLERANCE_VOLT = 0.3e-3
FIRST_KNOTS = 65
MOST_KNOTS = 1500
MOST_ROUNDS = 14
STEPS_PER_BIN = 3.0
"""A bin lower than this many converter steps is not split: its halves would show
the steps, not the curve."""
NOISE_POINTS = 500
"""Below this many points neighbours differ by the curve itself, not by noise."""


class Noise(NamedTuple):
    """Step of the converter and scatter of the points, volt; 0 when not seen."""

    step_volt: float
    scatter_volt: float


def noise_of(u: Array) -> Noise:
    """Estimate the converter step and the scatter of densely sampled points.

    The step is the usual gap between the values that occur, if a fifth of them
    occur more than once. The scatter comes from second differences, which a smooth
    curve hardly has.
    """
    if u.size < NOISE_POINTS:
        return Noise(0.0, 0.0)
    levels, times = np.unique(u, return_counts=True)
    gaps = np.diff(levels)
    gaps = gaps[gaps > 1e-7]
    repeated = np.mean(times > 1) > 0.2 and gaps.size > 0
    second = np.abs(u[2:] - 2.0 * u[1:-1] + u[:-2])
    return Noise(
        float(np.median(gaps)) if repeated else 0.0,
        float(1.4826 * np.median(second) / np.sqrt(6.0)),
    )


def knots_through(
    q: Array, u: Array, weight: Array, noise: Noise
) -> tuple[Array, Array]:
    """Knots of a monotone cubic through monotone points.

    Starts with about 65 averages and halves those whose halves lie further than
    0.3 mV, or three standard errors, off the cubic on average.

    Parameters
    ----------
    q, u
        Points, `q` rising strictly, `u` monotone, shape (n,).
    weight
        How many measurements each point stands for, shape (n,).

    Returns
    -------
    x, y
        Knots; the first and the last point are always among them.
    """
    edges = _first_edges(q)
    for _ in range(MOST_ROUNDS):
        x, y = _averages(q, weight, edges), _averages(u, weight, edges)
        split = _wanted(edges, u, u - pchip(x, y, q), noise)
        room = MOST_KNOTS - (edges.size - 1)
        if split.size == 0 or room <= 0:
            break
        middle = (edges[split] + edges[split + 1]) // 2
        edges = np.sort(np.concatenate((edges, middle[:room])))
    return _averages(q, weight, edges), _averages(u, weight, edges)


def _first_edges(q: Array) -> Edges:
    inner = np.searchsorted(q, np.linspace(q[0], q[-1], FIRST_KNOTS - 1)[1:-1])
    ends = (0, 1, q.size - 1, q.size)
    return np.unique(np.concatenate((ends, inner))).astype(np.intp)


def _averages(values: Array, weight: Array, edges: Edges) -> Array:
    start = edges[:-1]
    return np.add.reduceat(weight * values, start) / np.add.reduceat(weight, start)


def _wanted(edges: Edges, u: Array, residual: Array, noise: Noise) -> Edges:
    """Bins to halve, worst first."""
    start, stop = edges[:-1], edges[1:]
    count = stop - start
    halves = np.empty(2 * start.size, np.intp)
    halves[0::2], halves[1::2] = start, start + count // 2
    size = np.diff(np.append(halves, u.size))
    total = np.add.reduceat(residual, halves)  # an empty half repeats one residual
    off = np.abs(total) / np.maximum(size, 1)
    worst = np.maximum(off[0::2], off[1::2])
    allowed = np.maximum(
        TOLERANCE_VOLT, 3.0 * noise.scatter_volt / np.sqrt(0.5 * count)
    )
    height = np.abs(u[stop - 1] - u[start])
    split = (
        (count > 1) & (worst > allowed) & (height >= STEPS_PER_BIN * noise.step_volt)
    )
    chosen = np.flatnonzero(split)
    return chosen[np.argsort(-(worst / allowed)[chosen], kind="stable")]
