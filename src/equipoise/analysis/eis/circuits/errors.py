"""Errors of a fitted circuit, and what the spectrum does not determine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import stdtrit

from equipoise.analysis.eis.circuits.arcs import Place, places, top_parts
from equipoise.analysis.eis.circuits.parts import Element
from equipoise.analysis.eis.circuits.result import (
    Arc,
    CircuitEstimate,
    CircuitFit,
    worst_pairs,
)

if TYPE_CHECKING:
    from equipoise.analysis.eis.circuits.problem import CircuitProblem
    from equipoise.analysis.eis.circuits.response import Array
    from equipoise.analysis.eis.least_squares import Minimum

CONFIDENCE = 0.95
STRONG_CORRELATION = 0.98
UNDETERMINED = 1e-9
"""Singular value, relative to the largest, below which a direction is not seen."""
SHARE = 0.1
"""Part in such a direction from which on a parameter is named."""
LACKING = 3.0
"""Residual over that of relaxation lines from which on an element is missing."""
HOPELESS_PERCENT = 20.0
"""Residual of a circuit that says nothing about the spectrum."""
MOST_PAIRS = 4


class Errors(NamedTuple):
    """Covariance of theta, shape (P_free, P_free), and what it was made of."""

    covariance: Array
    bounded: Array
    unseen: Array
    condition: float


def errors_of(problem: CircuitProblem, minimum: Minimum) -> Errors:
    """Covariance at a minimum; bounds and unseen directions are left out.

    `bounded` is -1 at the lower bound, +1 at the upper, 0 within; `unseen` is true
    for parameters that are part of a direction the spectrum does not see.
    """
    theta, jacobian = minimum.theta, minimum.jacobian
    low, high = (problem.theta(b) for b in (problem.low, problem.high))
    close = 1e-6
    bounded = np.where(
        theta <= low + close, -1, np.where(theta >= high - close, 1, 0)
    ).astype(np.float64)
    inside = bounded == 0.0
    count = theta.size
    covariance = np.full((count, count), np.nan)
    unseen = np.zeros(count, bool)
    if not inside.any():
        return Errors(covariance, bounded, unseen, 1.0)
    columns = jacobian[inside].T
    scale = np.linalg.norm(columns, axis=0)
    lost = scale == 0.0
    scale[lost] = 1.0
    _, s, v = np.linalg.svd(columns / scale, full_matrices=False)
    seen = s > UNDETERMINED * s[0]
    blind = (np.abs(v[~seen]) > SHARE).any(axis=0) | lost
    freedom = max(minimum.residual.size - count, 1)
    variance = float(minimum.residual @ minimum.residual) / freedom
    half = v[seen].T / s[seen]
    inner = variance * (half @ half.T) / np.outer(scale, scale)
    where = np.flatnonzero(inside)
    covariance[np.ix_(where, where)] = inner
    unseen[where] = blind
    smallest = float(s[-1]) if not lost.any() else 0.0
    condition = float(s[0]) / smallest if smallest > 0.0 else np.inf
    return Errors(covariance, bounded, unseen, condition)


def result_of(
    problem: CircuitProblem,
    minimum: Minimum,
    *,
    weighting: str,
    sketch_rms_ratio: float,
    starts_count: int,
) -> CircuitFit:
    """Put together what a fit found."""
    values = problem.all_values(minimum.theta)
    errors = errors_of(problem, minimum)
    free_count, n = len(problem.free_index), minimum.residual.size
    freedom = n - free_count
    parameters = _parameters(problem, minimum, errors, values, freedom)
    correlation = _correlation(problem, errors)
    spectrum = problem.spectrum
    z = spectrum.impedance_ohm
    fitted, _ = problem.circuit.response(problem.at, values)
    arcs = tuple(_arc(problem, errors, p, values) for p in places(problem.circuit))
    draft = CircuitFit(
        circuit=problem.circuit,
        spectrum=spectrum,
        weighting=weighting,
        parameters=parameters,
        arcs=arcs,
        correlation=correlation,
        residual_percent=100.0 * (z - fitted) / np.abs(z),
        rms_percent=100.0 * minimum.rms_ratio,
        sketch_rms_percent=100.0 * sketch_rms_ratio,
        degrees_of_freedom_count=freedom,
        condition_ratio=errors.condition,
        notes=(),
        starts_count=starts_count,
        converged=minimum.converged,
    )
    return replace(draft, notes=_notes(draft, problem, errors))


def _parameters(
    problem: CircuitProblem,
    minimum: Minimum,
    errors: Errors,
    values: Array,
    freedom: int,
) -> tuple[CircuitEstimate, ...]:
    t = float(stdtrit(freedom, 0.5 * (1.0 + CONFIDENCE)))
    position = {i: k for k, i in enumerate(problem.free_index)}
    found: list[CircuitEstimate] = []
    for i, p in enumerate(problem.circuit.parameters):
        value, state = float(values[i]), "fixed"
        error, low, high = 0.0, value, value
        if i in position:
            k = position[i]
            state = {0: "free", -1: "at lower bound", 1: "at upper bound"}[
                int(errors.bounded[k])
            ]
            sigma = float(np.sqrt(errors.covariance[k, k]))
            sigma = np.inf if errors.unseen[k] else sigma
            place = float(minimum.theta[k])
            low, high = place - t * sigma, place + t * sigma
            if p.positive:
                with np.errstate(over="ignore"):
                    low, high = float(np.exp(low)), float(np.exp(high))
            else:
                low = float(np.maximum(low, problem.low[i]))
                high = float(np.minimum(high, problem.high[i]))
            error = value * sigma if p.positive else sigma
        found.append(
            CircuitEstimate(p.name, p.element, p.unit, value, error, low, high, state)
        )
    return tuple(found)


def _correlation(problem: CircuitProblem, errors: Errors) -> Array:
    count = len(problem.circuit.parameters)
    whole = np.full((count, count), np.nan)
    sigma = np.sqrt(np.diagonal(errors.covariance)).copy()
    sigma[sigma == 0.0] = np.nan
    free = list(problem.free_index)
    whole[np.ix_(free, free)] = errors.covariance / np.outer(sigma, sigma)
    return whole


def _arc(problem: CircuitProblem, errors: Errors, place: Place, values: Array) -> Arc:
    tau, ohm = place.time_constant(values), place.resistance(values)
    alpha = place.alpha(values)
    series = sum(
        float(values[i])
        for part, i in top_parts(problem.circuit)
        if isinstance(part, Element) and part.code == "R"
    )
    surface = np.nan
    if series > 0.0:
        # Brug's formula with Q = tau^alpha / R
        q_root = tau / ohm ** (1.0 / alpha)
        surface = q_root * (1.0 / series + 1.0 / ohm) ** (1.0 - 1.0 / alpha)
    return Arc(
        elements=place.elements,
        resistance_ohm=ohm,
        time_constant_second=tau,
        time_constant_error_second=tau * _log_tau_error(problem, errors, place, values),
        peak_frequency_hertz=1.0 / (2.0 * np.pi * tau),
        alpha_fraction=alpha,
        capacitance_farad=tau / ohm,
        surface_capacitance_farad=float(surface),
    )


def _log_tau_error(
    problem: CircuitProblem, errors: Errors, place: Place, values: Array
) -> float:
    """Standard error of ln tau = (ln R + ln Q) / alpha, or of ln tau itself."""
    alpha = place.alpha(values)
    if place.time_index >= 0:
        weights = {place.time_index: 1.0}
    else:
        log_tau = float(np.log(place.time_constant(values)))
        weights = {
            place.resistance_index: 1.0 / alpha,
            place.coefficient_index: 1.0 / alpha,
        }
        if place.alpha_index >= 0:
            weights[place.alpha_index] = -log_tau / alpha
    position = {i: k for k, i in enumerate(problem.free_index)}
    chosen = {
        position[i]: w
        for i, w in weights.items()
        if i in position and errors.bounded[position[i]] == 0.0
    }
    if any(errors.unseen[k] for k in chosen):
        return float(np.inf)
    index, weight = list(chosen), np.array(list(chosen.values()))
    inner = errors.covariance[np.ix_(index, index)]
    return float(np.sqrt(max(float(weight @ inner @ weight), 0.0))) if index else 0.0


# --- notes


def _notes(fit: CircuitFit, problem: CircuitProblem, errors: Errors) -> tuple[str, ...]:
    notes: list[str] = []
    if not fit.converged:
        notes.append("the fit stopped before its minimum; give a start")
    notes.extend(_bound_notes(fit))
    names = [problem.circuit.names[i] for i in problem.free_index]
    unseen = [n for n, u in zip(names, errors.unseen, strict=True) if u]
    if unseen:
        notes.append(
            f"the spectrum does not determine {', '.join(unseen)}: only a combination, "
            "or nothing at all; fix one of them or take a smaller circuit"
        )
    vague = [
        p.name
        for p in fit.parameters
        if p.state == "free" and p.name not in unseen and p.standard_error > p.value
    ]
    if vague:
        notes.append(f"the standard error of {', '.join(vague)} is above 100 %")
    pairs = worst_pairs(problem.circuit.names, fit.correlation, STRONG_CORRELATION)
    if pairs:
        more = f" and {len(pairs) - MOST_PAIRS} more" if len(pairs) > MOST_PAIRS else ""
        notes.append(
            f"correlated beyond {STRONG_CORRELATION:g}: "
            f"{'; '.join(pairs[:MOST_PAIRS])}{more}"
        )
    if fit.rms_percent > HOPELESS_PERCENT:
        notes.append(
            f"the circuit leaves {fit.rms_percent:.2g} %: it does not describe this "
            "spectrum; look at the sign of the imaginary part, and for outliers"
        )
    elif fit.rms_percent > max(LACKING * fit.sketch_rms_percent, 0.1):
        notes.append(
            f"the circuit leaves {fit.rms_percent:.2g} %, relaxation lines leave "
            f"{fit.sketch_rms_percent:.2g} %: it lacks an element"
        )
    notes.extend(_range_notes(fit))
    return tuple(notes)


def _bound_notes(fit: CircuitFit) -> list[str]:
    notes: list[str] = []
    for p in fit.parameters:
        if not p.state.startswith("at "):
            continue
        if p.name.endswith("_alpha") and p.value == 1.0:
            notes.append(f"{p.name} is 1: a capacitor describes it, C in place of Q")
        else:
            notes.append(
                f"{p.name} = {p.value:.3g} is {p.state}: the spectrum does not need "
                f"{p.element}, or not like this"
            )
    return notes


def _range_notes(fit: CircuitFit) -> list[str]:
    f = fit.spectrum.frequency_hertz
    return [
        f"the arc of {', '.join(arc.elements)} peaks at "
        f"{arc.peak_frequency_hertz:.3g} Hz, outside of the measured "
        f"{f[-1]:.3g} to {f[0]:.3g} Hz"
        for arc in fit.arcs
        if not f[-1] <= arc.peak_frequency_hertz <= f[0]
    ]
