"""From starts to the best minimum of a circuit fit, and its arcs in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.errors import result_of
from equipoise.analysis.eis.circuits.start import Sketch, disturbed, starts
from equipoise.analysis.eis.least_squares import Minimum, minimise
from equipoise.core.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from equipoise.analysis.eis.circuits.problem import CircuitProblem
    from equipoise.analysis.eis.circuits.response import Array
    from equipoise.analysis.eis.circuits.result import CircuitFit

GOOD_ENOUGH = 1.2
"""A residual up to so many times that of relaxation lines needs no other start."""
EXACT = 1e-8
"""Relative residual of data without noise."""
PROBE_COUNT = 40
"""Evaluations given to every start; only the best is taken to its end."""
RESTARTS = 24
AGAIN = 5
SAME = 1e-3
"""Residuals that agree like this, relative, are the same minimum."""
SEED = 20260103


def overlaid(
    problem: CircuitProblem, values: Array, given: Mapping[int, float]
) -> Array:
    """Values with those given, and with the fixed ones."""
    whole = values.copy()
    for i, value in given.items():
        whole[i] = value
    held = ~np.isnan(problem.values)
    whole[held] = problem.values[held]
    return whole


def minimum_from(problem: CircuitProblem, values: Array, most: int = 200) -> Minimum:
    """The minimum that is reached from given values."""
    low, high = problem.theta(problem.low), problem.theta(problem.high)
    with np.errstate(all="ignore"):
        return minimise(
            problem.model,
            problem.theta(values),
            low=low,
            high=high,
            most_evaluations_count=most,
        )


def finished(problem: CircuitProblem, minimum: Minimum) -> Minimum:
    """Take a fit to its end, and refuse it if it leads nowhere."""
    if not minimum.converged:
        minimum = minimum_from(problem, problem.all_values(minimum.theta), 400)
    if not np.isfinite(minimum.residual).all():
        raise _nowhere(problem)
    return minimum


def is_good(minimum: Minimum, look: Sketch) -> bool:
    """Whether a fit describes the spectrum as well as relaxation lines do."""
    return minimum.rms_ratio <= max(GOOD_ENOUGH * look.rms_ratio, EXACT)


def search(
    problem: CircuitProblem,
    look: Sketch,
    given: Mapping[int, float],
    peaks: Sequence[tuple[float, float]] | None,
) -> tuple[Minimum, int]:
    """The best of several starts; the first that is good ends the search.

    After the starts from the spectrum, the best is disturbed at random, until it has
    been found again `AGAIN` times or `RESTARTS` have been tried.
    """
    must, each = starts(problem.spectrum, problem.circuit, look=look, peaks=peaks)
    best: Minimum | None = None
    count = again = 0
    for values in each:
        found = minimum_from(problem, overlaid(problem, values, given), PROBE_COUNT)
        count += 1
        best = _better(best, found)
        if best is not None and count >= must and is_good(best, look):
            return best, count
    if best is None:
        raise _nowhere(problem)
    rng = np.random.default_rng(SEED)
    for _ in range(RESTARTS):
        values = disturbed(problem.circuit, problem.all_values(best.theta), rng)
        values = np.clip(values, problem.low, problem.high)
        found = minimum_from(problem, overlaid(problem, values, {}), PROBE_COUNT)
        count += 1
        again += abs(found.rms_ratio / best.rms_ratio - 1.0) < SAME
        if found.rms_ratio < (1.0 - SAME) * best.rms_ratio:
            again = 0
        best = _better(best, found) or best
        if again >= AGAIN or is_good(best, look):
            break
    return best, count


def _better(best: Minimum | None, found: Minimum) -> Minimum | None:
    if not np.isfinite(found.residual).all():
        return best
    return found if best is None or found.rms_ratio < best.rms_ratio else best


def _nowhere(problem: CircuitProblem) -> FitError:
    return FitError(
        "no start gives a finite residual",
        where=f"{problem.spectrum.label}, circuit {str(problem.circuit)!r}",
        remedy="give a start, or check the unit of the spectrum",
    )


def arranged(
    problem: CircuitProblem,
    minimum: Minimum,
    order: list[int],
    weighting: str,
    look: Sketch,
    count: int,
) -> CircuitFit:
    """The result with its arcs in order; the free parameters move along."""
    if order != list(range(len(order))):
        values = problem.all_values(minimum.theta)[order]
        theta = problem.theta(values)
        residual, jacobian = problem.model(theta)
        minimum = Minimum(
            theta, residual, jacobian, minimum.evaluations_count, minimum.converged
        )
    return result_of(
        problem,
        minimum,
        weighting=weighting,
        sketch_rms_ratio=look.rms_ratio,
        starts_count=count,
    )
