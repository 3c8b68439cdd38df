"""Where a circuit fit begins: relaxation times by non-negative least squares.

The spectrum is first described by resistors with capacitors on a grid of time
constants, in series with what the circuit has besides arcs. The lines that come out are
gathered into as many groups as the circuit has arcs. How well this description fits is
kept as well: a circuit that fits as well has found its minimum.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from equipoise.analysis.eis.circuits.arcs import Place, places, top_parts
from equipoise.analysis.eis.circuits.parts import Element, parameters_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from equipoise.analysis.eis.circuits.circuit import Circuit
    from equipoise.analysis.eis.circuits.response import Array, ComplexArray
    from equipoise.spec.spectrum import Spectrum

LINES_PER_DECADE = 6
FIRST_ALPHA = 0.85
"""Exponent of an arc to begin with; most measured arcs lie between 0.7 and 1."""
TAIL_CODES = ("W", "Wn", "Wo", "Sph", "C", "Q", "TLM", "TLMQ")
ARRANGEMENTS = 6
"""At most so many ways to assign groups to arcs of different shapes are tried."""
GROUPINGS = (
    (0.5, 0, False),
    (0.5, 1, False),
    (1.0, 0, False),
    (0.5, 0, True),
    (0.25, 0, False),
    (0.5, 2, False),
)
"""How lines are gathered: power of the weight; how many of the slow groups are no arc,
because the tail is not that of the sketch; whether lines faster than the highest
frequency count (what noise and stray inductance leave of the series resistance)."""
SPLITS = 0.6
"""Share of the disturbed starts that split an arc; the others are random."""
SPREAD = 1.0
"""Standard deviation of a disturbed start, of logarithms."""


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What a quick look at a spectrum says.

    Attributes
    ----------
    series_ohm
        Resistance in series.
    inductance_henry
        Inductance in series, 0 if there is none.
    tau_second, line_ohm
        Lines of relaxation, shape (K,).
    warburg_coefficient
        A of A s^-1/2, ohm s^-1/2; 0 if there is none.
    series_capacitance_farad
        Capacitance in series; infinite if there is none.
    rms_ratio
        Root mean square of the weighted residual of this description.
    """

    series_ohm: float
    inductance_henry: float
    tau_second: Array
    line_ohm: Array
    warburg_coefficient: float
    series_capacitance_farad: float
    rms_ratio: float


def sketch(spectrum: Spectrum, circuit: Circuit, *, weight_ohm: Array) -> Sketch:
    """Describe a spectrum by lines of relaxation and what the circuit has besides.

    Parameters
    ----------
    weight_ohm
        Shape (N,), or one for all; residuals are divided by it.
    """
    omega, z = spectrum.angular_frequency, spectrum.impedance_ohm
    codes = {e.code for e in circuit.elements}
    count = int(np.ceil(LINES_PER_DECADE * (spectrum.decades_count + 0.5))) + 1
    tau = np.geomspace(0.3 / omega.max(), 1.0 / omega.min(), count)
    extra: dict[str, ComplexArray] = {"R": np.ones_like(z)}
    if "L" in codes:
        extra["L"] = 1j * omega
    if codes & {*TAIL_CODES} - {"C", "Q"}:
        extra["W"] = (1j * omega) ** -0.5
    if codes & {*TAIL_CODES} - {"W", "Wn"}:
        extra["C"] = 1.0 / (1j * omega)
    lines = [1.0 / (1.0 + 1j * omega * t) for t in tau]
    matrix = np.ascontiguousarray(np.array([*extra.values(), *lines]) / weight_ohm)
    target = np.ascontiguousarray(z / weight_ohm).view(np.float64)
    columns = matrix.view(np.float64)
    size = np.linalg.norm(columns, axis=1)
    scaled = columns.T / size
    try:
        found, _ = nnls(scaled, target, maxiter=50 * size.size)
    except RuntimeError:
        # a start need not be the optimum
        found = np.maximum(np.linalg.lstsq(scaled, target, rcond=1e-6)[0], 0.0)
    norm = np.linalg.norm(scaled @ found - target)
    x = found / size
    named = dict(zip(extra, x, strict=False))
    ohm = x[len(extra) :]
    inverse = float(named.get("C", 0.0))
    return Sketch(
        series_ohm=float(named["R"]),
        inductance_henry=float(named.get("L", 0.0)),
        warburg_coefficient=float(named.get("W", 0.0)),
        series_capacitance_farad=1.0 / inverse if inverse > 0.0 else np.inf,
        tau_second=tau[ohm > 0.0],
        line_ohm=ohm[ohm > 0.0],
        rms_ratio=float(norm / np.sqrt(target.size)),
    )


def gathered(
    tau_second: Array, line_ohm: Array, count: int, *, power: float
) -> tuple[Array, Array]:
    """Gather lines into groups.

    Parameters
    ----------
    tau_second, line_ohm
        Shape (K,).
    count
        How many groups.
    power
        Weight of a line is its resistance to this power: 1 lets large arcs be
        split, 0 looks at the distances only.

    Returns
    -------
    tuple
        tau, s, and R, ohm, of the groups, shape (count,), fastest first. Groups that
        minimise the weighted squared distance in ln tau, exactly.
    """
    order = np.argsort(tau_second)
    x, r = np.log(tau_second[order]), line_ohm[order]
    while x.size < count:
        # the largest line is parted into two, a factor of four apart
        k = int(np.argmax(r))
        x = np.insert(x, k, x[k] - np.log(2.0))
        x[k + 1] += np.log(2.0)
        r = np.insert(r, k, 0.5 * r[k])
        r[k + 1] *= 0.5
    edges = _segments(x, r**power, count)
    tau, total = [], []
    for a, b in pairwise(edges):
        total.append(float(r[a:b].sum()))
        tau.append(float(np.exp(np.average(x[a:b], weights=r[a:b]))))
    return np.array(tau), np.array(total)


def _segments(x: Array, weight: Array, count: int) -> list[int]:
    """Edges of the segments of least weighted variance, by dynamic programming."""
    n = x.size
    w, wx, wxx = (np.concatenate([[0.0], np.cumsum(weight * x**k)]) for k in range(3))
    a, b = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    mass = w[b] - w[a]
    inside = mass > 0.0
    cost = np.where(b > a, 0.0, np.inf)
    spread = wxx[b] - wxx[a] - (wx[b] - wx[a]) ** 2 / np.where(inside, mass, 1.0)
    cost += np.where(b > a, np.maximum(spread, 0.0), 0.0)
    best = cost[0]
    cuts: list[np.ndarray[tuple[int, ...], np.dtype[np.intp]]] = []
    for _ in range(count - 1):
        through = best[:, None] + cost
        cuts.append(np.argmin(through, axis=0))
        best = np.min(through, axis=0)
    edges = [n]
    for cut in reversed(cuts):
        edges.append(int(cut[edges[-1]]))
    return [0, *reversed(edges)]


def starts(
    spectrum: Spectrum,
    circuit: Circuit,
    *,
    look: Sketch,
    peaks: Sequence[tuple[float, float]] | None = None,
) -> tuple[int, Iterator[Array]]:
    """Starting values, the most promising first.

    Parameters
    ----------
    look
        From `sketch`.
    peaks
        (tau, s; resistance, ohm) in place of the lines of `look`.

    Returns
    -------
    tuple
        How many of them have to be tried because arcs of different shapes can be
        assigned in more than one way, and the values, each of shape (P,).
    """
    arcs = (*places(circuit), *_lines_with_transfer(circuit), *_loose(circuit))
    ways = list(islice(_assignments(arcs), ARRANGEMENTS))
    tau, ohm = look.tau_second, look.line_ohm
    if peaks is not None:
        tau = np.array([t for t, _ in peaks], dtype=np.float64)
        ohm = np.array([r for _, r in peaks], dtype=np.float64)
    if tau.size == 0:
        middle = 1.0 / np.sqrt(np.prod(spectrum.angular_frequency[[0, -1]]))
        tau, ohm = np.array([middle]), np.array([np.ptp(spectrum.impedance_ohm.real)])
        ohm = np.maximum(ohm, 1e-3 * np.abs(spectrum.impedance_ohm).max())
    tail = any(e.code in (*TAIL_CODES, "Ws") for e in circuit.elements)
    chosen = [g for g in GROUPINGS if tail or g[1] == 0]
    if not arcs:
        chosen = [g for g in chosen if g[0] == 0.5 and g[1] < 2]
    inner = tau > 1.0 / float(spectrum.angular_frequency.max())
    has_edge = peaks is None and bool(inner.any()) and not bool(inner.all())

    def each() -> Iterator[Array]:
        for power, dropped, whole in chosen:
            if whole and not has_edge:
                continue
            use = np.ones(tau.size, bool) if whole or not has_edge else inner
            count = max(len(arcs) + dropped, 1)
            times, ohms = gathered(tau[use], ohm[use], count, power=power)
            slow = None
            if dropped:
                over = slice(len(arcs), None)
                slow = float(times[over].max()), float(ohms[over].sum())
            for way in ways:
                taken = times[: len(arcs)], ohms[: len(arcs)]
                yield _filled(spectrum, circuit, look, arcs, taken, way, slow)

    must = len(ways) * (2 if tail else 1) if len(ways) > 1 else 1
    return must, each()


def disturbed(circuit: Circuit, values: Array, rng: np.random.Generator) -> Array:
    """Other values: one arc split at the cost of another, or random."""
    found = values.copy()
    arcs = places(circuit)
    if len(arcs) > 1 and rng.uniform() < SPLITS:
        split, lost = rng.choice(len(arcs), 2, replace=False)
        tau, ohm = arcs[split].time_constant(values), arcs[split].resistance(values)
        apart = np.exp(rng.uniform(0.5, 2.0))
        _fill_arc(found, arcs[split], tau / apart, 0.5 * ohm)
        _fill_arc(found, arcs[lost], tau * apart, 0.5 * ohm)
        return found
    for i, parameter in enumerate(circuit.parameters):
        if parameter.positive:
            found[i] *= np.exp(SPREAD * rng.standard_normal())
        else:
            found[i] = rng.uniform(0.5, 0.98)
    return found


def _lines_with_transfer(circuit: Circuit) -> tuple[Place, ...]:
    """Transmission lines with charge transfer: their interface is an arc."""
    found: list[Place] = []
    start = 0
    for e in circuit.elements:
        stop = start + len(e.kind.parameters)
        if e.code == "TLMR":
            place = Place((e.name,), e.code, start, stop, start + 2)
            found.append(replace(place, coefficient_index=start + 3))
        start = stop
    return tuple(found)


def _loose(circuit: Circuit) -> tuple[Place, ...]:
    """Resistors and capacitors in nested parts, paired in the order of the text."""
    taken = {i for p in places(circuit) for i in range(p.first_index, p.stop_index)}
    taken |= {i for part, i in top_parts(circuit) if isinstance(part, Element)}
    resistors: list[int] = []
    capacitors: list[tuple[int, int]] = []
    start = 0
    for e in circuit.elements:
        if e.code == "R" and start not in taken:
            resistors.append(start)
        if e.code in ("C", "Q") and start not in taken:
            capacitors.append((start, start + 1 if e.code == "Q" else -1))
        start += len(e.kind.parameters)
    return tuple(
        Place((), "loose", r, r + 1, r, -1, c, alpha)
        for r, (c, alpha) in zip(resistors, capacitors, strict=False)
    )


def _assignments(arcs: tuple[Place, ...]) -> Iterator[tuple[int, ...]]:
    """Ways to give groups to arcs; arcs of one shape keep their order."""
    shapes = [a.shape for a in arcs]
    for word in _words(shapes):
        slots = {s: iter([k for k, w in enumerate(word) if w == s]) for s in shapes}
        yield tuple(next(slots[s]) for s in shapes)


def _words(shapes: list[str]) -> Iterator[list[str]]:
    """Different orders of the shapes, the given one first."""
    if len(set(shapes)) <= 1:
        yield list(shapes)
        return
    for first in dict.fromkeys(shapes):
        rest = list(shapes)
        rest.remove(first)
        for word in _words(rest):
            yield [first, *word]


def _filled(
    spectrum: Spectrum,
    circuit: Circuit,
    look: Sketch,
    arcs: tuple[Place, ...],
    groups: tuple[Array, Array],
    way: tuple[int, ...],
    slow: tuple[float, float] | None,
) -> Array:
    """Values of all parameters."""
    values = _defaults(spectrum, circuit)
    _fill_series(values, circuit, look)
    for arc, group in zip(arcs, way, strict=True):
        _fill_arc(values, arc, float(groups[0][group]), float(groups[1][group]))
    _fill_tails(values, spectrum, circuit, look, slow)
    return values


def _fill_arc(values: Array, arc: Place, tau: float, ohm: float) -> None:
    if arc.alpha_index >= 0:
        values[arc.alpha_index] = FIRST_ALPHA
    values[arc.resistance_index] = ohm
    if arc.shape == "TLMR":
        # at zero frequency S/3 of the rails adds to the charge transfer
        values[arc.resistance_index] = 0.5 * ohm
        values[arc.first_index : arc.first_index + 2] = ohm, 0.5 * ohm
    if arc.time_index >= 0:
        values[arc.time_index] = tau
    else:
        values[arc.coefficient_index] = tau ** arc.alpha(values) / ohm


def _defaults(spectrum: Spectrum, circuit: Circuit) -> Array:
    """Values of the right size for a spectrum of this size and range."""
    omega, size = spectrum.angular_frequency, np.abs(spectrum.impedance_ohm)
    middle = float(np.sqrt(omega[0] * omega[-1]))
    ohm = float(np.median(size))
    by_role = {
        "resistance": ohm,
        "inductance": 0.1 * float(size[0] / omega[0]),
        "capacitance": 1.0 / (middle * ohm),
        "phase": 1.0 / (middle**FIRST_ALPHA * ohm),
        "time": 1.0 / middle,
        "diffusion": float(size[-1] * np.sqrt(omega[-1])),
        "exponent": FIRST_ALPHA,
    }
    return np.array([by_role[p.role] for p in circuit.parameters])


def _fill_series(values: Array, circuit: Circuit, look: Sketch) -> None:
    """Resistors and inductors in series share what the sketch found."""
    top = [(p, i) for p, i in top_parts(circuit) if isinstance(p, Element)]
    for code, whole in (("R", look.series_ohm), ("L", look.inductance_henry)):
        found = [i for part, i in top if part.code == code]
        for i in found:
            if whole > 0.0:
                values[i] = whole / len(found)


def _fill_tails(
    values: Array,
    spectrum: Spectrum,
    circuit: Circuit,
    look: Sketch,
    slow: tuple[float, float] | None,
) -> None:
    """Diffusion, and capacitors in series, from the lowest frequencies.

    `slow` is (tau, R) of lines that belong to the tail, if there are any.
    """
    slowest = float(spectrum.angular_frequency[-1])
    lowest = float(np.abs(spectrum.impedance_ohm[-1].imag))
    tiny = 1e-3 * max(lowest, float(np.abs(spectrum.impedance_ohm).min()))
    a = max(look.warburg_coefficient, tiny * np.sqrt(slowest))
    stiff = max(1.0 / look.series_capacitance_farad, tiny * slowest)
    if slow is not None:
        a = max(a, slow[1] / np.sqrt(slow[0]))
    top = {i for part, i in top_parts(circuit) if isinstance(part, Element)}
    start = 0
    for element in circuit.elements:
        code, k = element.code, start
        start += parameters_count(element)
        if code in ("W", "Wn"):
            values[k] = a
            if code == "Wn":
                values[k + 1] = 0.5
        elif code in ("Wo", "Sph"):
            values[k : k + 2] = _finite(code, a, stiff, slow, slowest)
        elif code == "C" and k in top:
            values[k] = 1.0 / stiff
        elif code == "Q" and k in top:
            level = max(lowest, tiny)
            values[k : k + 2] = 1.0 / (level * slowest**FIRST_ALPHA), FIRST_ALPHA
        elif code in ("TLM", "TLMQ"):
            _fill_line(values, k, code, a, stiff)


FIRST_LINE = {"Wo": (3.0, 10.0, 1.0), "Sph": (5.0, 20.0, 3.0)}
"""R over the sum of the relaxation lines, tau over the slowest, tau/(R C)."""


def _finite(
    code: str, a: float, stiff: float, slow: tuple[float, float] | None, slowest: float
) -> tuple[float, float]:
    """R and tau of finite-space diffusion.

    From its relaxation lines if they were found, or from A = R / sqrt(tau) and the
    capacitance at the lowest frequencies.
    """
    ohms, times, share = FIRST_LINE[code]
    if slow is not None:
        return ohms * slow[1], times * slow[0]
    tau = min((share * a / stiff) ** 2, 30.0 / slowest)
    return float(a * np.sqrt(tau)), float(tau)


def _fill_line(values: Array, k: int, code: str, a: float, stiff: float) -> None:
    """Rails from A^2 = R / Q, the capacitance from the lowest frequencies."""
    rail = a**2 / stiff
    q_index = {"TLMQ": 1, "TLM": 2}[code]
    values[q_index + k] = 1.0 / stiff
    values[k] = rail
    if code != "TLMQ":
        # the rails can be exchanged: begin with the ions as the slower ones
        values[k], values[k + 1] = 0.7 * rail, 0.3 * rail
