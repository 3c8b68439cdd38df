"""Elements in series and in parallel: the tree of a circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.elements import ELEMENTS, ElementKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from equipoise.analysis.eis.circuits.response import ComplexArray, Points


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes
    ----------
    code
        Its kind, a key of `ELEMENTS`.
    name
        As written: ``R1``, ``CPE_dl``.
    """

    code: str
    name: str

    @property
    def kind(self) -> ElementKind:
        """Response and parameters."""
        return ELEMENTS[self.code]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Series:
    """Parts one after the other; two or more, none of them a series."""

    parts: tuple[Element | Parallel, ...]

    def __str__(self) -> str:
        return "-".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Parallel:
    """Branches side by side, two or more."""

    parts: tuple[Element | Series | Parallel, ...]

    def __str__(self) -> str:
        return f"p({','.join(str(part) for part in self.parts)})"


Part = Element | Series | Parallel


def in_series(parts: Sequence[Part]) -> Part:
    """One part out of one or more, flat."""
    flat: list[Element | Parallel] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Series) else (part,))
    return flat[0] if len(flat) == 1 else Series(tuple(flat))


def elements_of(part: Part) -> Iterator[Element]:
    """The elements, in the order of the text."""
    if isinstance(part, Element):
        yield part
    else:
        for inner in part.parts:
            yield from elements_of(inner)


def parameters_count(part: Part) -> int:
    """How many parameters the part has."""
    return sum(len(e.kind.parameters) for e in elements_of(part))


def evaluate(
    part: Part, at: Points, values: Sequence[float], rows: ComplexArray, start: int = 0
) -> tuple[ComplexArray, int]:
    """Impedance of a part; derivatives go into `rows`.

    Parameters
    ----------
    part
        The tree.
    at
        The N points.
    values
        Parameters of the whole circuit, in the order of the text.
    rows
        Shape (P, N), filled from row `start` on.
    start
        Number of the first parameter of this part.

    Returns
    -------
    tuple
        Impedance, shape (N,), and the number of the parameter behind the last.
    """
    if isinstance(part, Element):
        stop = start + len(part.kind.parameters)
        z, slopes = part.kind.response(at, values[start:stop])
        for row, slope in enumerate(slopes, start):
            rows[row] = slope
        return z, stop
    stop = start
    if isinstance(part, Series):
        total = np.zeros_like(at.s)
        for inner in part.parts:
            z, stop = evaluate(inner, at, values, rows, stop)
            total += z
        return total, stop
    branches: list[tuple[slice, ComplexArray]] = []
    admittance = np.zeros_like(at.s)
    for inner in part.parts:
        first = stop
        z, stop = evaluate(inner, at, values, rows, first)
        own = 1.0 / z
        admittance += own
        branches.append((slice(first, stop), own))
    z = 1.0 / admittance
    for where, own in branches:
        rows[where] *= (z * own) ** 2
    return z, stop
