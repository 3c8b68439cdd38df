"""An equivalent circuit: impedance and Jacobian from its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.circuits.parts import (
    Element,
    Part,
    elements_of,
    evaluate,
)
from equipoise.analysis.eis.circuits.response import Points
from equipoise.analysis.eis.circuits.text import part_of
from equipoise.core.errors import SpecError, nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from equipoise.analysis.eis.circuits.elements import Role
    from equipoise.analysis.eis.circuits.response import Array, ComplexArray

LOWEST_EXPONENT = 0.3
"""Flatter arcs are no arcs; a fit that ends here has the wrong circuit."""


@dataclass(frozen=True, slots=True)
class CircuitParameter:
    """One parameter of a circuit.

    Attributes
    ----------
    name
        ``R1_ohm``, ``Q1_alpha``.
    element
        Name of its element.
    unit
        As it is printed.
    role
        What it is; decides range and start.
    meaning
        In words.
    """

    name: str
    element: str
    unit: str
    role: Role
    meaning: str

    @property
    def positive(self) -> bool:
        """Whether it is fitted as its logarithm."""
        return self.role != "exponent"


@dataclass(frozen=True, slots=True)
class Circuit:
    """An equivalent circuit.

    Attributes
    ----------
    root
        Its tree of `Element`, `Series` and `Parallel`.
    parameters
        In the order of the text.

    Examples
    --------
    >>> circuit = Circuit.of("R0 - p(R1, Q1) - W1")
    >>> str(circuit)
    'R0-p(R1,Q1)-W1'
    >>> circuit.names
    ('R0_ohm', 'R1_ohm', 'Q1_coefficient', 'Q1_alpha', 'W1_coefficient')
    """

    root: Part
    parameters: tuple[CircuitParameter, ...]

    @classmethod
    def of(cls, text: str | Circuit | Part) -> Circuit:
        """Read a circuit from its text; a circuit or a tree is taken as it is.

        Raises
        ------
        SpecError
            With the position, if the text cannot be read.
        """
        if isinstance(text, Circuit):
            return text
        root = part_of(text) if isinstance(text, str) else text
        parameters = tuple(
            CircuitParameter(f"{e.name}_{p.suffix}", e.name, p.unit, p.role, p.meaning)
            for e in elements_of(root)
            for p in e.kind.parameters
        )
        return cls(root, parameters)

    def __str__(self) -> str:
        return str(self.root)

    @property
    def elements(self) -> tuple[Element, ...]:
        """In the order of the text."""
        return tuple(elements_of(self.root))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(p.name for p in self.parameters)

    def index(self, name: str) -> int:
        """Number of a parameter, from 0.

        Parameters
        ----------
        name
            Of the parameter, or of an element that has only one.

        Raises
        ------
        SpecError
            If there is no such parameter.
        """
        if name in self.names:
            return self.names.index(name)
        of_element = [i for i, p in enumerate(self.parameters) if p.element == name]
        if len(of_element) == 1:
            return of_element[0]
        known = [self.names[i] for i in of_element]
        raise SpecError(
            f"there is no parameter {name!r}",
            where=f"circuit {str(self)!r}",
            remedy=f"{name} has {', '.join(known)}"
            if known
            else nearest(name, self.names),
        )

    def vector(self, parameters: Mapping[str, float] | Sequence[float]) -> Array:
        """Values in the order of the text, shape (P,).

        Parameters
        ----------
        parameters
            All of them by name, or in order.

        Raises
        ------
        SpecError
            If one is missing, is not known, or is out of its range: > 0, exponents
            up to 1.
        """
        values = np.full(len(self.parameters), np.nan)
        if isinstance(parameters, Mapping):
            for name, value in parameters.items():
                values[self.index(name)] = value
        elif len(parameters) == values.size:
            values[:] = parameters
        else:
            raise SpecError(
                f"{len(parameters)} values; the circuit has {values.size} parameters",
                where=f"circuit {str(self)!r}",
                remedy=f"give them in this order: {', '.join(self.names)}",
            )
        missing = [n for n, v in zip(self.names, values, strict=True) if np.isnan(v)]
        if missing:
            raise SpecError(
                f"no value for {', '.join(missing)}",
                where=f"circuit {str(self)!r}",
                remedy="give a number for every parameter",
            )
        for parameter, value in zip(self.parameters, values, strict=True):
            check_value(parameter, float(value))
        return values

    def impedance(
        self,
        frequency_hertz: ArrayLike,
        parameters: Mapping[str, float] | Sequence[float],
    ) -> ComplexArray:
        """Impedance, ohm, shape (N,).

        Parameters
        ----------
        frequency_hertz
            Shape (N,), > 0.
        parameters
            All of them by name, or in order.

        Raises
        ------
        SpecError
            If a parameter is missing, unknown or out of range.
        """
        return self._response(frequency_hertz, parameters)[0]

    def jacobian(
        self,
        frequency_hertz: ArrayLike,
        parameters: Mapping[str, float] | Sequence[float],
    ) -> ComplexArray:
        """Derivatives of the impedance by each parameter, shape (N, P).

        Raises
        ------
        SpecError
            If a parameter is missing, unknown or out of range.
        """
        return self._response(frequency_hertz, parameters)[1].T

    def _response(
        self,
        frequency_hertz: ArrayLike,
        parameters: Mapping[str, float] | Sequence[float],
    ) -> tuple[ComplexArray, ComplexArray]:
        values = self.vector(parameters)
        frequency = np.atleast_1d(np.asarray(frequency_hertz, dtype=np.float64))
        if not (frequency > 0.0).all():
            raise SpecError(
                f"frequency_hertz holds {frequency.min():g}; frequencies are > 0",
                where=f"circuit {str(self)!r}",
                remedy="leave out the direct-current point",
            )
        return self.response(Points.of(frequency), values)

    def response(self, at: Points, values: Array) -> tuple[ComplexArray, ComplexArray]:
        """Impedance (N,) and derivatives (P, N) without any check, for a fit."""
        rows = np.empty((len(self.parameters), at.s.size), np.complex128)
        z, _ = evaluate(self.root, at, values.tolist(), rows)
        return z, rows


def check_value(parameter: CircuitParameter, value: float) -> None:
    """Refuse a value outside of what the parameter means.

    Raises
    ------
    SpecError
        If it is not finite, not > 0, or an exponent above 1.
    """
    highest = np.inf if parameter.positive else 1.0
    if not (np.isfinite(value) and 0.0 < value <= highest):
        allowed = "> 0 and finite" if parameter.positive else "in (0, 1]"
        raise SpecError(
            f"{parameter.name} = {value:g} must be {allowed}",
            where=f"{parameter.meaning} of {parameter.element}",
            remedy="leave the element out if it is not there",
        )
