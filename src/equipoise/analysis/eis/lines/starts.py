"""What blocking cells show at a glance: limits, plateaus, starts of the fit.

The spread between the high- and the low-frequency limit is R_e^2 / S in an ion-blocking
and R_i^2 / S in an electron-blocking cell, whatever is in series. The two roots add up
to sqrt(S), so both rails follow from the two spreads; this is also why a pair of cells
determines both conductivities and one cell alone with an unknown series resistance
none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import FitError

if TYPE_CHECKING:
    from equipoise.analysis.eis.lines.blocking_cells import BlockedCell, BlockingModel
    from equipoise.spec.spectrum import Spectrum

Array = NDArray[np.float64]

PEAK_OF_ARC = 10.16
"""|S Y_c| where -Im of tanh(X/2) / (X/2) is largest: 4 x 2.54, for a capacitance."""
BLOCKED_DEGREE = 45.0
"""A phase below -45 degrees at the lowest frequency: nothing passes this cell."""
PLATEAU_DEGREE = 2.0
HALF_DECADE = 10.0**0.5
PLATEAU_CHANGE_FRACTION = 0.01
LEAST_SPREAD_FRACTION = 0.005
FIRST_EXPONENTS = (0.95, 0.75)


@dataclass(frozen=True, slots=True)
class Glance:
    """Limits read off a spectrum.

    Attributes
    ----------
    high_ohm, low_ohm
        Real part where it is nearest to the limits.
    peak_hertz
        Where -Im Z is largest in between.
    plateau
        Whether the low-frequency limit has been reached: phase within 2 degrees of 0
        and |Z| within 1 % over the last half decade.
    """

    high_ohm: float
    low_ohm: float
    peak_hertz: float
    plateau: bool

    @property
    def spread_ohm(self) -> float:
        """Low minus high, ohm."""
        return self.low_ohm - self.high_ohm


def glance(spectrum: Spectrum) -> Glance:
    """Read the limits of a blocking cell off its spectrum."""
    z, f = spectrum.impedance_ohm, spectrum.frequency_hertz
    capacitive = np.flatnonzero(z.imag < 0.0)
    first = int(capacitive[0]) if capacitive.size else 0
    high = float(z.real[first : max(first + 1, z.size // 2)].min())
    last = f <= max(f[-1] * HALF_DECADE, f[max(-4, -f.size)])
    end = z[last]
    phase = abs(float(np.degrees(np.median(np.angle(end)))))
    middle = end.size // 2
    change = float(np.median(np.abs(end[middle:])) / np.median(np.abs(end[:middle])))
    return Glance(
        high,
        float(np.median(z.real[-3:])),
        float(f[first + int(np.argmax(-z.imag[first:]))]),
        phase < PLATEAU_DEGREE and abs(change - 1.0) < PLATEAU_CHANGE_FRACTION,
    )


def refuse_what_cannot_work(cell: BlockedCell) -> None:
    """Refuse a spectrum in which no carrier gets through the composite.

    Raises
    ------
    FitError
        If the phase ends below -45 degrees.
    """
    z = cell.spectrum.impedance_ohm
    phase = float(np.degrees(np.angle(z[-1])))
    if phase < -BLOCKED_DEGREE:
        passing, other = "electrons", "ions"
        if cell.role == "electron_blocking":
            passing, other = other, passing
        raise FitError(
            f"the phase is {phase:.0f} degrees at "
            f"{cell.spectrum.frequency_hertz[-1]:.3g} Hz: both carriers are blocked, "
            f"but {passing} should pass this cell and give a real low-frequency limit",
            where=cell.spectrum.label,
            remedy=f"give a composite that conducts {passing} between contacts that "
            f"block only {other}; an electrolyte alone between metals has no such path",
        )


def refuse_no_arc(cells: tuple[BlockedCell, ...], seen: tuple[Glance, ...]) -> None:
    """Refuse cells that are all plain resistors.

    Raises
    ------
    FitError
        If no spread reaches 0.5 % of its impedance.
    """
    if all(g.spread_ohm < LEAST_SPREAD_FRACTION * abs(g.low_ohm) for g in seen):
        places = " and ".join(c.spectrum.label for c in cells)
        raise FitError(
            "there is no relaxation between the high- and the low-frequency limit",
            where=places,
            remedy="measure to higher and lower frequencies; a plain resistance does "
            "not say which carrier it belongs to",
        )


def pair_starts(model: BlockingModel, seen: tuple[Glance, Glance]) -> list[Array]:
    """Starting vectors of a pair from the two spreads; no arc, no terminals."""
    roots: list[float] = []
    for cell, g in zip(model.cells, seen, strict=True):
        floor = LEAST_SPREAD_FRACTION * abs(g.low_ohm)
        roots.append(float(np.sqrt(max(g.spread_ohm, floor) / cell.per_conductivity)))
    total = sum(roots)
    by_role = dict(zip((c.role for c in model.cells), roots, strict=True))
    electronic = total * by_role["ion_blocking"]
    ionic = total * by_role["electron_blocking"]
    return [_start(model, seen, ionic, electronic, a) for a in FIRST_EXPONENTS]


def single_starts(model: BlockingModel, seen: Glance) -> list[Array]:
    """Starting vectors of one cell whose series resistance is known."""
    cell = model.cells[0]
    series = cell.series_ohm or 0.0
    through = max(seen.low_ohm - series, 1e-3 * abs(seen.low_ohm))
    high = float(np.clip(seen.high_ohm - series, 0.01 * through, 0.99 * through))
    blocked = high * through / (through - high)
    ionic, electronic = blocked, through
    if cell.role == "electron_blocking":
        ionic, electronic = through, blocked
    per = cell.per_conductivity
    return [
        _start(model, (seen,), ionic / per, electronic / per, a)
        for a in FIRST_EXPONENTS
    ]


def _start(
    model: BlockingModel,
    seen: tuple[Glance, ...],
    ionic: float,
    electronic: float,
    exponent: float,
) -> Array:
    """Vector for resistivities in ohm cm; the interface from the peak of an arc."""
    p = np.zeros(len(model.names))
    at = model.index
    p[at["ionic"]], p[at["electronic"]] = -np.log(ionic), -np.log(electronic)
    for i, (cell, g) in enumerate(zip(model.cells, seen, strict=True)):
        if f"coefficient_{i}" in at:
            # the cell with the larger arc shows its interface best
            best = i
            if not model.variant.own_interfaces:
                best = int(np.argmax([x.spread_ohm for x in seen]))
            one, look = model.cells[best], seen[best]
            s = (ionic + electronic) * one.per_conductivity
            w = 2.0 * np.pi * look.peak_hertz
            total = PEAK_OF_ARC / (s * w**exponent)
            p[at[f"coefficient_{i}"]] = np.log(total / one.volume_cm3)
            p[at[f"exponent_{i}"]] = exponent
        parallel = ionic * electronic / (ionic + electronic) * cell.per_conductivity
        p[at[f"series_{i}"]] = max(g.high_ohm - parallel, 0.0)
    return np.clip(p, model.lower, model.upper)
