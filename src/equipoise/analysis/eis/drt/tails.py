"""What lies below the measured frequencies: models of the low-frequency tail.

A tail is a column (or two) of the least-squares problem beside the distribution of
relaxation times, with a coefficient >= 0 and no penalty. Which one is right is
rarely known, and it moves R_ct by tens of per cent: `ensemble` gives all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError, nearest

if TYPE_CHECKING:
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Family = Literal[
    "none",
    "warburg",
    "cpe",
    "capacitor",
    "warburg+capacitor",
    "finite-space",
    "finite-length",
]

FAMILIES: tuple[Family, ...] = (
    "none",
    "warburg",
    "cpe",
    "capacitor",
    "warburg+capacitor",
    "finite-space",
    "finite-length",
)
EXPONENTS = tuple(round(0.35 + 0.025 * i, 3) for i in range(25))
"""Of a profiled constant-phase tail, 0.35 to 0.95."""

FINE, COARSE = 24, 6
"""Diffusion times per decade that are tried, where the data feel them and beyond."""

SHORTEST_FRACTION, FELT_FRACTION, LONGEST_FRACTION = 0.2, 6.0, 60.0
"""Shortest, longest that is felt, and longest of them, of 1 / (2 pi f_min)."""

ARC_FRACTION = 2.54
"""t_D over the time constant of the arc of tanh(s) / s, s = sqrt(j w t_D)."""


@dataclass(frozen=True, slots=True)
class Tail:
    """One model of the tail.

    Attributes
    ----------
    family
        "none"; "warburg" (j w)^-1/2; "cpe" (j w)^-exponent; "capacitor" 1/(j w);
        "warburg+capacitor"; "finite-space" coth(s)/s (blocked) and "finite-length"
        tanh(s)/s (transmitted), s = sqrt(j w t_D).
    exponent_ratio
        Of "cpe".
    time_second
        t_D of the two finite ones.
    """

    family: Family
    exponent_ratio: float | None = None
    time_second: float | None = None

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise SpecError(
                f"tail {self.family!r} is not known; {nearest(self.family, FAMILIES)}"
            )
        wants_exponent = self.family == "cpe"
        wants_time = self.family in ("finite-space", "finite-length")
        if wants_exponent != (self.exponent_ratio is not None) or (
            wants_time != (self.time_second is not None)
        ):
            raise SpecError(
                f"tail {self.family!r} with exponent_ratio = {self.exponent_ratio} and "
                f"time_second = {self.time_second}",
                remedy="cpe takes exponent_ratio, the finite ones take time_second, "
                "the others neither",
            )
        if wants_exponent and not 0.0 < (self.exponent_ratio or 0.0) <= 1.0:
            raise SpecError(
                f"exponent_ratio = {self.exponent_ratio} of a tail",
                remedy="give a number above 0, at most 1",
            )
        if wants_time and not 0.0 < (self.time_second or 0.0) < np.inf:
            raise SpecError(
                f"time_second = {self.time_second} of a tail", remedy="give seconds > 0"
            )

    @property
    def label(self) -> str:
        """Name with its parameter."""
        if self.exponent_ratio is not None:
            return f"CPE tail, exponent {self.exponent_ratio:.3g}"
        if self.time_second is not None:
            return f"{self.family} diffusion, t_D {self.time_second:.3g} s"
        return {
            "none": "no tail",
            "warburg": "Warburg tail",
            "capacitor": "capacitor",
            "warburg+capacitor": "Warburg + capacitor",
        }[self.family]

    @property
    def parameters_count(self) -> int:
        """How many numbers it adds to the fit."""
        return {"none": 0, "warburg": 1, "capacitor": 1}.get(self.family, 2)

    def columns(self, angular_frequency: Array) -> ComplexArray:
        """Impedance per unit of each coefficient, shape (N, k)."""
        jw = np.asarray(1j * angular_frequency, dtype=np.complex128)
        s = np.sqrt(jw * (self.time_second or 1.0))
        parts: dict[str, list[NDArray[Any]]] = {
            "none": [],
            "warburg": [jw**-0.5],
            "cpe": [jw ** -(self.exponent_ratio or 0.5)],
            "capacitor": [1.0 / jw],
            "warburg+capacitor": [jw**-0.5, 1.0 / jw],
            "finite-space": [1.0 / (np.tanh(s) * s)],
            "finite-length": [np.tanh(s) / s],
        }
        found = np.zeros((jw.size, len(parts[self.family])), np.complex128)
        for k, part in enumerate(parts[self.family]):
            found[:, k] = part
        return found


NO_TAIL = Tail("none")
WARBURG = Tail("warburg")


def as_tail(tail: Tail | str) -> Tail:
    """Make a tail of its name; the profiled families need their parameter.

    Raises
    ------
    SpecError
        If the name is not known, or the family has a parameter.
    """
    if isinstance(tail, Tail):
        return tail
    if tail not in FAMILIES:
        raise SpecError(f"tail {tail!r} is not known; {nearest(tail, FAMILIES)}")
    if tail in ("cpe", "finite-space", "finite-length"):
        raise SpecError(
            f"tail {tail!r} has a parameter",
            remedy='use e.g. Tail("cpe", exponent_ratio=0.6) or '
            'Tail("finite-space", time_second=5.0), or `resistances`, which tries all',
        )
    return Tail(tail)


def ensemble(spectrum: Spectrum, *, longest_arc_second: float) -> tuple[Tail, ...]:
    """All tails that are tried for a spectrum.

    Parameters
    ----------
    longest_arc_second
        End of the slowest range that counts as reaction: an arc of finite-length
        diffusion faster than that is no tail, it cannot be told from a reaction.
    """
    slowest = 1.0 / float(spectrum.angular_frequency[-1])
    shortest_arc = max(ARC_FRACTION * longest_arc_second, SHORTEST_FRACTION * slowest)
    return (
        NO_TAIL,
        WARBURG,
        Tail("capacitor"),
        Tail("warburg+capacitor"),
        *(Tail("cpe", exponent_ratio=a) for a in EXPONENTS),
        *(
            Tail("finite-space", time_second=t)
            for t in _times(SHORTEST_FRACTION * slowest, slowest)
        ),
        *(Tail("finite-length", time_second=t) for t in _times(shortest_arc, slowest)),
    )


def _times(first: float, slowest: float) -> list[float]:
    """Diffusion times on grids of round numbers, so that spectra share theirs."""
    felt = FELT_FRACTION * slowest
    return [
        *_round_times(first, felt, FINE),
        *_round_times(max(first, felt), LONGEST_FRACTION * slowest, COARSE),
    ]


def _round_times(first: float, last: float, per_decade: int) -> list[float]:
    begin = np.ceil(per_decade * np.log10(first) - 1e-9)
    end = np.floor(per_decade * np.log10(last) + 1e-9)
    return [float(10.0 ** (k / per_decade)) for k in np.arange(begin, end + 1.0)]
