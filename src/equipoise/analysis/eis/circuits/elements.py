"""The closed set of circuit elements: spelling, parameters, units, response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from equipoise.analysis.eis.circuits import response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Role = Literal[
    "resistance",
    "inductance",
    "capacitance",
    "phase",
    "time",
    "diffusion",
    "exponent",
]
"""What a parameter is: decides its transformation, its range and its start."""


@dataclass(frozen=True, slots=True)
class ParameterKind:
    """A parameter of an element.

    Attributes
    ----------
    suffix
        Follows the name of the element: ``ohm`` in ``R1_ohm``.
    unit
        As it is printed.
    role
        What it is.
    meaning
        In words.
    """

    suffix: str
    unit: str
    role: Role
    meaning: str


@dataclass(frozen=True, slots=True)
class ElementKind:
    """A kind of element.

    Attributes
    ----------
    code
        How it is spelled in the text of a circuit.
    meaning
        In words.
    formula
        Impedance, with s = j omega.
    parameters
        In the order of the response.
    response
        Impedance and derivatives, see `response`.
    """

    code: str
    meaning: str
    formula: str
    parameters: tuple[ParameterKind, ...]
    response: Callable[[response.Points, Sequence[float]], response.Response]


_OHM = ParameterKind("ohm", "Ω", "resistance", "resistance")
_SECOND = ParameterKind("second", "s", "time", "time constant")
_ALPHA = ParameterKind("alpha", "", "exponent", "exponent of the constant phase")
_Q = ParameterKind("coefficient", "Ω⁻¹ s^alpha", "phase", "coefficient Q")
_A = ParameterKind("coefficient", "Ω s^-1/2", "diffusion", "Warburg coefficient")
_A_N = ParameterKind("coefficient", "Ω s^-n", "diffusion", "Warburg coefficient")
_N = ParameterKind("exponent", "", "exponent", "exponent of the diffusion")
_ION = ParameterKind("ion_ohm", "Ω", "resistance", "resistance of the ion rail")
_ELECTRON = ParameterKind(
    "electron_ohm", "Ω", "resistance", "resistance of the electron rail"
)
_TRANSFER = ParameterKind("transfer_ohm", "Ω", "resistance", "charge transfer")

_LIST = (
    ElementKind("R", "resistor", "R", (_OHM,), response.resistor),
    ElementKind(
        "L",
        "inductor",
        "L s",
        (ParameterKind("henry", "H", "inductance", "inductance"),),
        response.inductor,
    ),
    ElementKind(
        "C",
        "capacitor",
        "1/(C s)",
        (ParameterKind("farad", "F", "capacitance", "capacitance"),),
        response.capacitor,
    ),
    ElementKind(
        "Q",
        "constant-phase element",
        "1/(Q s^alpha)",
        (_Q, _ALPHA),
        response.constant_phase,
    ),
    ElementKind(
        "K",
        "R and C in parallel, by time constant",
        "R/(1 + s tau)",
        (_OHM, _SECOND),
        response.relaxation,
    ),
    ElementKind(
        "ZARC",
        "R and Q in parallel, by time constant",
        "R/(1 + (s tau)^alpha)",
        (_OHM, _SECOND, _ALPHA),
        response.zarc,
    ),
    ElementKind("W", "semi-infinite diffusion", "A s^-1/2", (_A,), response.warburg),
    ElementKind(
        "Wn",
        "semi-infinite diffusion, free exponent",
        "A s^-n",
        (_A_N, _N),
        response.anomalous_warburg,
    ),
    ElementKind(
        "Ws",
        "diffusion to a sink (transmissive)",
        "R tanh(sqrt(s tau))/sqrt(s tau)",
        (_OHM, _SECOND),
        response.finite_length,
    ),
    ElementKind(
        "Wo",
        "diffusion to a wall (blocking)",
        "R coth(sqrt(s tau))/sqrt(s tau)",
        (_OHM, _SECOND),
        response.finite_space,
    ),
    ElementKind(
        "Sph",
        "diffusion into a sphere",
        "R/(sqrt(s tau) coth(sqrt(s tau)) - 1)",
        (_OHM, _SECOND),
        response.sphere,
    ),
    ElementKind(
        "G",
        "Gerischer: diffusion with reaction",
        "R/sqrt(1 + s tau)",
        (_OHM, _SECOND),
        response.gerischer,
    ),
    ElementKind(
        "TLMQ",
        "porous electrode, one resistive rail (de Levie)",
        "R_i coth(X)/X, X^2 = R_i Q s^alpha",
        (_ION, _Q, _ALPHA),
        response.one_rail,
    ),
    ElementKind(
        "TLM",
        "battery electrode, two rails, constant-phase interface",
        "R_i R_e/S (1 + 2/(X sinh X)) + (R_i^2 + R_e^2)/S coth(X)/X, "
        "S = R_i + R_e, X^2 = S Q s^alpha",
        (_ION, _ELECTRON, _Q, _ALPHA),
        response.two_rails,
    ),
    ElementKind(
        "TLMR",
        "battery electrode, two rails, interface with charge transfer",
        "as TLM with X^2 = S (Q s^alpha + 1/R_ct)",
        (_ION, _ELECTRON, _TRANSFER, _Q, _ALPHA),
        response.two_rails_transfer,
    ),
)

ELEMENTS: dict[str, ElementKind] = {kind.code: kind for kind in _LIST}
"""Code -> kind."""

SPELLINGS: dict[str, str] = {
    **{code: code for code in ELEMENTS},
    "CPE": "Q",
    "Zarc": "ZARC",
}
"""Spelling in a text -> code; CPE and Zarc are those of impedance.py."""
