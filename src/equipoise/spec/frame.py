"""The frame around a cell, and how stiff the layers between its plates are.

Nobody has printed these numbers for the cells of zhang2026: the defaults are assumed,
each with a range that the band of the stack pressure carries on.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from equipoise.spec.frozen import Frozen, Name
from equipoise.spec.kinetics import NonNegativeNumber, PositiveNumber
from equipoise.spec.provenance import Evidence, Sourced


def _in_order(number: Sourced) -> Sourced:
    low, high = edges(number)
    if not 0.0 <= low <= number.value <= high:
        msg = (
            f"found low = {low:g}, value = {number.value:g}, high = {high:g}; they "
            "must rise and not be below 0"
        )
        raise ValueError(msg)
    return number


def _a_modulus(number: Sourced) -> Sourced:
    low, _ = edges(number)
    if not low > 0.0:
        msg = f"low = {low:g} must be > 0"
        raise ValueError(msg)
    return number


def _a_share(number: Sourced) -> Sourced:
    _, high = edges(number)
    if high > 1.0:
        msg = f"{high:g} > 1: more than the whole volume change"
        raise ValueError(msg)
    return number


def edges(number: Sourced) -> tuple[float, float]:
    """Lowest and highest value of a sourced number; the number itself without a range.

    Examples
    --------
    >>> edges(Sourced(value=2.0, high=3.0, source="test", evidence="user"))
    (2.0, 3.0)
    """
    low = number.value if number.low is None else number.low
    high = number.value if number.high is None else number.high
    return low, high


Stiffness = Annotated[NonNegativeNumber, AfterValidator(_in_order)]
Share = Annotated[
    NonNegativeNumber, AfterValidator(_in_order), AfterValidator(_a_share)
]
Modulus = Annotated[
    PositiveNumber, AfterValidator(_in_order), AfterValidator(_a_modulus)
]


def _frame_stiffness() -> Sourced:
    return Sourced(
        value=60.0,
        low=30.0,
        high=120.0,
        source="our choice; zhang2026 sec. 4.11 prints 'rigid frame' and no number",
        evidence=Evidence.ASSUMED,
        note="pistons of steel, 10 mm wide and together 60 mm long: 260 kN/mm; force "
        "sensor of 10 kN that yields 0.05 mm: 200; plates and rods: 130; in series 60",
    )


def _transfer() -> Sourced:
    return Sourced(
        value=0.62,
        low=1.0 / 3.0,
        high=1.0,
        source="thin layer held laterally, (1 + nu) / (3 (1 - nu)) with nu = 0.3",
        evidence=Evidence.ASSUMED,
        note="nu = 0 gives 1/3, nu = 1/2 (or plastic flow) 1; voids that open at the "
        "particles would take it below 1/3",
    )


def _separator_modulus() -> Sourced:
    return Sourced(
        value=13.0,
        low=5.0,
        high=22.0,
        source="our choice: dense Li6PS5Cl, 22.1 GPa (Deng et al. 2016, first "
        "principles), times (1 - 0.15) cubed for the pores",
        evidence=Evidence.ASSUMED,
        note="22.1 GPa was seen quoted, the article was not looked up; bad contacts of "
        "cold-pressed grains are why low is lower",
    )


def _positive_modulus() -> Sourced:
    return Sourced(
        value=15.0,
        low=3.0,
        high=40.0,
        source="our choice: hard oxide in a porous sulfide with a rubbery binder",
        evidence=Evidence.ASSUMED,
    )


def _negative_modulus() -> Sourced:
    return Sourced(
        value=15.0,
        low=5.0,
        high=30.0,
        source="our choice: a fifth of hard oxide in a porous sulfide",
        evidence=Evidence.ASSUMED,
    )


class Frame(Frozen):
    """What holds the stack under pressure, and what yields.

    `frame_stiffness_kn_per_mm` is that of everything outside of the three layers, in
    series: pistons, force sensor, plates, rods; 1 kN/mm = 1 MN/m. 0 is a constant
    force (pneumatic piston): the pressure then does not change.

    `transfer_fraction` says how much of the volume change of the particles, in percent
    of the layer, becomes a change of its thickness. A layer of 45 um that sticks to
    the separator and to its foil over 9 mm cannot change its width. Its particles
    shrink by e in volume, freely by e/3 in each direction; holding the two lateral
    ones pulls on the layer, and as an elastic isotropic body it thins by
    ``(e/3) (1 + nu) / (1 - nu)``: by e/3 without lateral contraction (nu = 0), by all
    of e where the matrix keeps its volume (nu = 1/2), as a sulfide that creeps does.

    The moduli are those of the layers as pressed, pores included, through the
    thickness. Held laterally, a layer is stiffer than by its Young's modulus, by 35 %
    for nu = 0.3: less than what the moduli are uncertain by.
    """

    name: Name = "rigid frame, assumed"
    frame_stiffness_kn_per_mm: Stiffness = Field(default_factory=_frame_stiffness)
    transfer_fraction: Share = Field(default_factory=_transfer)
    positive_modulus_gpa: Modulus = Field(default_factory=_positive_modulus)
    separator_modulus_gpa: Modulus = Field(default_factory=_separator_modulus)
    negative_modulus_gpa: Modulus = Field(default_factory=_negative_modulus)
