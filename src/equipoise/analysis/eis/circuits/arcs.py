"""Arcs of a circuit: which elements form one, how fast it is, and their order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.parts import (
    Element,
    Parallel,
    Part,
    Series,
    elements_of,
    parameters_count,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.circuits.circuit import Circuit
    from equipoise.analysis.eis.circuits.response import Array

TIMED = ("K", "ZARC", "G", "Ws")
"""Elements that are an arc of their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an arc is among the parameters of its circuit.

    Attributes
    ----------
    elements
        Names of its elements.
    shape
        Text with codes in place of names; arcs of one shape can change places.
    first_index, stop_index
        Its parameters are ``values[first_index:stop_index]``.
    resistance_index
        Of its resistance.
    time_index
        Of its time constant, or -1.
    coefficient_index
        Of its C or Q, or -1.
    alpha_index
        Of its exponent, or -1.
    """

    elements: tuple[str, ...]
    shape: str
    first_index: int
    stop_index: int
    resistance_index: int
    time_index: int = -1
    coefficient_index: int = -1
    alpha_index: int = -1

    def resistance(self, values: Sequence[float] | Array) -> float:
        """Resistance of the arc, ohm."""
        return float(values[self.resistance_index])

    def alpha(self, values: Sequence[float] | Array) -> float:
        """Exponent; 1 of a capacitor."""
        return float(values[self.alpha_index]) if self.alpha_index >= 0 else 1.0

    def time_constant(self, values: Sequence[float] | Array) -> float:
        """Time constant, s: tau, or (R Q)^(1/alpha)."""
        if self.time_index >= 0:
            return float(values[self.time_index])
        product = self.resistance(values) * float(values[self.coefficient_index])
        return product ** (1.0 / self.alpha(values))


def top_parts(circuit: Circuit) -> list[tuple[Part, int]]:
    """Parts in series, each with the number of its first parameter."""
    root = circuit.root
    found: list[tuple[Part, int]] = []
    start = 0
    for part in root.parts if isinstance(root, Series) else (root,):
        found.append((part, start))
        start += parameters_count(part)
    return found


def places(circuit: Circuit) -> tuple[Place, ...]:
    """The arcs of a circuit, in the order of its text."""
    found = (_place(part, start) for part, start in top_parts(circuit))
    return tuple(p for p in found if p is not None)


def _place(part: Part, start: int) -> Place | None:
    names = tuple(e.name for e in elements_of(part))
    stop = start + parameters_count(part)
    if isinstance(part, Element):
        if part.code not in TIMED:
            return None
        alpha = start + 2 if part.code == "ZARC" else -1
        return Place(names, part.code, start, stop, start, start + 1, -1, alpha)
    if not isinstance(part, Parallel) or len(part.parts) != 2:
        return None
    resistance = coefficient = alpha = -1
    offset = start
    for branch in part.parts:
        lone = isinstance(branch, Element)
        if lone and branch.code in ("C", "Q"):
            coefficient = offset
            alpha = offset + 1 if branch.code == "Q" else -1
        else:
            resistance = _resistor_in(branch, offset)
        offset += parameters_count(branch)
    if resistance < 0 or coefficient < 0:
        return None
    return Place(names, _shape(part), start, stop, resistance, -1, coefficient, alpha)


def _resistor_in(branch: Part, offset: int) -> int:
    """Number of the only resistor in series in a branch, or -1."""
    inner = branch.parts if isinstance(branch, Series) else (branch,)
    found = -1
    for part in inner:
        if isinstance(part, Element) and part.code == "R":
            if found >= 0:
                return -1
            found = offset
        offset += parameters_count(part)
    return found


def _shape(part: Part) -> str:
    """Text of a part with codes in place of names."""
    if isinstance(part, Element):
        return part.code
    joined = [_shape(inner) for inner in part.parts]
    return "-".join(joined) if isinstance(part, Series) else f"p({','.join(joined)})"


def arrangement_by_speed(
    circuit: Circuit, values: Array, *, pinned: Sequence[int] = ()
) -> list[int]:
    """Order of the parameters that puts the fastest arc of every shape first.

    Parameters
    ----------
    values
        Shape (P,).
    pinned
        Parameters with a value or bounds of their own; their arcs stay.

    Returns
    -------
    list of int
        ``values[order]`` is the same impedance, sorted.
    """
    movable = [p for p in places(circuit) if not _touches(p, pinned)]
    wanted = {
        shape: sorted(group, key=lambda p: p.time_constant(values))
        for shape, group in _by_shape(movable)
    }
    return _moved(len(circuit.parameters), movable, wanted)


def arrangement_like(
    circuit: Circuit,
    values: Array,
    earlier: Array,
    *,
    pinned: Sequence[int] = (),
) -> list[int]:
    """Order of the parameters that keeps every arc what it was in `earlier`.

    Arcs of one shape are assigned so that the sum of |ln tau| and |ln R| by which
    they moved is least.
    """
    # scipy.optimize is loaded only where arcs have to be told apart
    from scipy.optimize import linear_sum_assignment

    movable = [p for p in places(circuit) if not _touches(p, pinned)]
    wanted: dict[str, list[Place]] = {}
    for shape, group in _by_shape(movable):
        cost = [
            [_moved_by(old, new, earlier, values) for new in group] for old in group
        ]
        _, columns = linear_sum_assignment(np.array(cost))
        wanted[shape] = [group[int(c)] for c in columns]
    return _moved(len(circuit.parameters), movable, wanted)


def _touches(place: Place, pinned: Sequence[int]) -> bool:
    return any(place.first_index <= i < place.stop_index for i in pinned)


def _by_shape(found: list[Place]) -> list[tuple[str, list[Place]]]:
    ordered = sorted(found, key=lambda p: (p.shape, p.first_index))
    return [(s, list(g)) for s, g in groupby(ordered, key=lambda p: p.shape)]


def _moved_by(old: Place, new: Place, earlier: Array, values: Array) -> float:
    time = math.log(new.time_constant(values) / old.time_constant(earlier))
    resistance = math.log(new.resistance(values) / old.resistance(earlier))
    return abs(time) + abs(resistance)


def _moved(
    count: int, movable: list[Place], wanted: dict[str, list[Place]]
) -> list[int]:
    order = list(range(count))
    for shape, group in _by_shape(movable):
        for target, source in zip(group, wanted[shape], strict=True):
            order[target.first_index : target.stop_index] = range(
                source.first_index, source.stop_index
            )
    return order
