"""Fit an equivalent circuit to a spectrum (CNLS)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.arcs import arrangement_by_speed
from equipoise.analysis.eis.circuits.circuit import Circuit, check_value
from equipoise.analysis.eis.circuits.problem import (
    CircuitProblem,
    Weighting,
    problem_of,
)
from equipoise.analysis.eis.circuits.search import (
    arranged,
    finished,
    minimum_from,
    overlaid,
    search,
)
from equipoise.analysis.eis.circuits.start import sketch
from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.spec.spectrum import Spectrum


def fit_circuit(
    spectrum: Spectrum,
    circuit: str | Circuit,
    *,
    start: Mapping[str, float] | None = None,
    weighting: Weighting = "modulus",
    fixed: Mapping[str, float] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    peaks: Sequence[tuple[float, float]] | None = None,
) -> CircuitFit:
    """Fit the parameters of an equivalent circuit.

    Complex non-linear least squares: positive parameters are fitted as their
    logarithms, exponents between 0.3 and 1, by Levenberg-Marquardt with analytic
    derivatives. Arcs of one shape are ordered: the fastest comes first in the text.

    Parameters
    ----------
    spectrum
        What was measured.
    circuit
        Its text, ``R0-L0-p(R1,Q1)-W1``, or a `Circuit`.
    start
        Values to begin with, by name of the parameter (or of an element that has only
        one). If all free parameters are given, the fit starts there and nowhere else;
        otherwise the others are found from the spectrum.
    weighting
        ``modulus``: residuals relative to |Z| of each point; ``unit``: all alike.
    fixed
        Values that are not fitted. An arc with such a parameter keeps its place.
    bounds
        (low, high) by name, in place of bounds from the range of the spectrum. An arc
        with such a parameter keeps its place.
    peaks
        (time constant, s; resistance, ohm) of relaxations, for example from the
        distribution of relaxation times; gathered if there are more than arcs.

    Raises
    ------
    SpecError
        If the circuit cannot be read, or a name or value is wrong.
    FitError
        If there are fewer values than parameters, or no start leads anywhere.

    References
    ----------
    Boukamp, Solid State Ionics 20 (1986) 31 (CNLS); Nielsen, Damping parameter in
    Marquardt's method, IMM-REP-1999-05.
    """
    parsed = Circuit.of(circuit)
    problem = problem_of(
        spectrum, parsed, weighting=weighting, fixed=fixed or {}, bounds=bounds or {}
    )
    _check_peaks(peaks)
    given = _given(problem, start or {})
    look = sketch(spectrum, parsed, weight_ohm=problem.weight_ohm)
    if set(problem.free_index) <= set(given):
        minimum = minimum_from(problem, overlaid(problem, problem.values, given))
        count = 1
    else:
        minimum, count = search(problem, look, given, peaks)
    minimum = finished(problem, minimum)
    values = problem.all_values(minimum.theta)
    order = arrangement_by_speed(parsed, values, pinned=problem.pinned_index)
    return arranged(problem, minimum, order, weighting, look, count)


def _given(problem: CircuitProblem, start: Mapping[str, float]) -> dict[int, float]:
    """Starting values by number; fixed ones are skipped."""
    given: dict[int, float] = {}
    for name, value in start.items():
        i = problem.circuit.index(name)
        check_value(problem.circuit.parameters[i], value)
        if i in problem.free_index and not problem.low[i] <= value <= problem.high[i]:
            raise SpecError(
                f"start of {problem.circuit.names[i]} = {value:g} is outside of its "
                f"bounds, {problem.low[i]:.3g} to {problem.high[i]:.3g}",
                where=f"{problem.spectrum.label}, circuit {str(problem.circuit)!r}",
                remedy="check its unit; wider bounds can be given with `bounds`",
            )
        given[i] = value
    return given


def _check_peaks(peaks: Sequence[tuple[float, float]] | None) -> None:
    for tau, ohm in peaks or ():
        if not (0.0 < tau < np.inf and 0.0 < ohm < np.inf):
            raise SpecError(
                f"peak ({tau:g} s, {ohm:g} ohm): both must be > 0 and finite",
                where="peaks",
                remedy="give (time constant in s, resistance in ohm)",
            )
