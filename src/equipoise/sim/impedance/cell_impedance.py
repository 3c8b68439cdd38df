"""The impedance of a cell at one moment: the cell, and either electrode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SolveError
from equipoise.core.status import Status
from equipoise.kernels.layout import MEAN, SURFACE
from equipoise.kernels.stepper import mean_lithiation
from equipoise.sim.impedance.electrode_impedance import both_ohm, potential_volt
from equipoise.spec.spectrum import Spectrum

if TYPE_CHECKING:
    from equipoise.kernels.layout import Field, Porous
    from equipoise.sim.lower import Lowered

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
NEXT_TO_NOTHING = 1e-3
"""Lithium, or vacancies, at a surface that are worth a note."""
MOVING_VOLT = 0.01
"""Potential still to relax that is worth a note: the usual amplitude of a spectrum."""
BY_HYSTERESIS_RATIO = 0.02
"""Change of an impedance by a hysteresis that is worth a note."""
STAYS = 1e-9
"""Hysteresis of which no swing changes the branch: the curve is that of the branch."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CellImpedance:
    """Spectra of a cell and of its electrodes against the reference electrode.

    Attributes
    ----------
    name
        Of the cell and its state, such as ``LB cycle 3, 2.75 V``.
    cycle_count, step_count, time_second
        Where in a protocol; 0 outside of one.
    current_ampere
        That flowed in the step before; charge > 0, 0 at rest.
    voltage_volt, positive_potential_vs_li_volt, negative_potential_vs_li_volt
        At that moment; potentials at the reference electrode.
    positive_lithiation_fraction, negative_lithiation_fraction
        Means of the active material; nan for an ideal counter electrode.
    area_cm2
        Geometric area of the positive; on it are all area-specific values, so that
        those of the electrodes add up to the cell's.
    frequency_hertz
        Shape (N,), falling.
    positive_impedance_ohm, negative_impedance_ohm
        Shape (N,), complex; they add up to the impedance of the cell.
    notes
        What a reader should know of the state.
    """

    name: str
    cycle_count: int
    step_count: int
    time_second: float
    current_ampere: float
    voltage_volt: float
    positive_potential_vs_li_volt: float
    negative_potential_vs_li_volt: float
    positive_lithiation_fraction: float
    negative_lithiation_fraction: float
    area_cm2: float
    frequency_hertz: Array
    positive_impedance_ohm: ComplexArray
    negative_impedance_ohm: ComplexArray
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        """Name, number of points and range."""
        f = self.frequency_hertz
        return (
            f"<CellImpedance {self.name}: {f.size} points, {f[0]:.4g} to "
            f"{f[-1]:.4g} Hz>"
        )

    @property
    def cell(self) -> Spectrum:
        """Of the whole cell."""
        whole = self.positive_impedance_ohm + self.negative_impedance_ohm
        return self._spectrum(whole, "")

    @property
    def positive(self) -> Spectrum:
        """Positive against the reference electrode."""
        return self._spectrum(self.positive_impedance_ohm, ", positive")

    @property
    def negative(self) -> Spectrum:
        """Reference electrode against the negative; nothing in a half cell."""
        return self._spectrum(self.negative_impedance_ohm, ", negative")

    def _spectrum(self, impedance_ohm: ComplexArray, side: str) -> Spectrum:
        return Spectrum.of(
            self.frequency_hertz,
            impedance_ohm,
            area_cm2=self.area_cm2,
            name=f"{self.name}{side}",
            where=f"simulation: {self.name}{side}",
            notes=self.notes,
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """Where and when a cell is measured; voltages as in `CellImpedance`."""

    name: str
    cycle_count: int
    step_count: int
    time_second: float
    current_ampere: float
    positive_potential_vs_li_volt: float
    negative_potential_vs_li_volt: float


def measured(
    lowered: Lowered,
    states: tuple[Field, Field],
    now: int,
    frequency_hertz: Array,
    *,
    moment: Moment,
) -> CellImpedance:
    """Measure the impedance of a cell in the state of its fields.

    Parameters
    ----------
    states
        Fields of the positive and of the negative; `now` as in `Memory.NOW`.
    frequency_hertz
        Shape (N,), > 0.

    Raises
    ------
    SolveError
        If the impedance is not finite.
    """
    frequency = np.sort(frequency_hertz)[::-1]
    s = np.asarray(2j * np.pi * frequency, dtype=np.complex128)
    flows = moment.current_ampere != 0.0
    positive, negative = both_ohm(lowered, states, now, s, flows=flows)
    voltage = (
        moment.positive_potential_vs_li_volt - moment.negative_potential_vs_li_volt
    )
    name = f"{moment.name}, {voltage:.3g} V"
    if not np.isfinite(positive + negative).all():
        raise SolveError(Status.NOT_FINITE, "the impedance is not finite", where=name)
    for array in (frequency, positive, negative):
        array.flags.writeable = False
    return CellImpedance(
        name=name,
        cycle_count=moment.cycle_count,
        step_count=moment.step_count,
        time_second=moment.time_second,
        current_ampere=moment.current_ampere,
        voltage_volt=voltage,
        positive_potential_vs_li_volt=moment.positive_potential_vs_li_volt,
        negative_potential_vs_li_volt=moment.negative_potential_vs_li_volt,
        positive_lithiation_fraction=mean_lithiation(lowered.positive, states[0], now),
        negative_lithiation_fraction=mean_lithiation(lowered.negative, states[1], now),
        area_cm2=lowered.positive_area_cm2,
        frequency_hertz=frequency,
        positive_impedance_ohm=positive,
        negative_impedance_ohm=negative,
        notes=(
            *_notes(lowered, states, now, moment.current_ampere),
            *_hysteresis_notes(lowered, states, now, s, positive + negative, flows),
        ),
    )


def _notes(
    lowered: Lowered, states: tuple[Field, Field], now: int, ampere: float
) -> tuple[str, ...]:
    """What of the state makes its spectrum another one than that of a rested cell."""
    found: list[str] = []
    if ampere != 0.0:
        found.append(
            f"a current of {ampere * 1e3:.3g} mA flows: this is the impedance around "
            "that current; put a rest before it for one at open circuit"
        )
    for side, electrode, state in (
        ("positive", lowered.positive, states[0]),
        ("negative", lowered.negative, states[1]),
    ):
        if electrode.ideal == 0:
            found += _state_notes(side, electrode, state, now, rests=ampere == 0.0)
    return tuple(found)


def _hysteresis_notes(
    lowered: Lowered,
    states: tuple[Field, Field],
    now: int,
    s: ComplexArray,
    found: ComplexArray,
    flows: bool,
) -> list[str]:
    """How much of the impedance rests on how fast branches change, if it is much."""
    notes: list[str] = []
    for side, electrode, origin in (
        ("positive", lowered.positive, lowered.alternating.positive_hysteresis),
        ("negative", lowered.negative, lowered.alternating.negative_hysteresis),
    ):
        if electrode.ideal == 1 or electrode.hysteresis == 0.0:
            continue
        stays = replace(lowered, **{side: electrode._replace(hysteresis=STAYS)})
        positive, negative = both_ohm(stays, states, now, s, flows=flows)
        without = positive + negative
        change = np.abs(found - without) / np.abs(without)
        if change.max() <= BY_HYSTERESIS_RATIO:
            continue
        a, b, hertz = found[-1], without[-1], s[-1].imag / (2.0 * np.pi)
        notes.append(
            f"the hysteresis of the {side} changes the impedance at {hertz:.3g} Hz by "
            f"{100.0 * change[-1]:.2g} %: |Z| from {abs(b):.3g} to {abs(a):.3g} ohm, "
            f"-Im Z from {-b.imag:.3g} to {-a.imag:.3g} ohm; that rests on "
            f"{origin or 'hysteresis_capacity_mah_per_g'}"
        )
    return notes


def _state_notes(
    side: str, electrode: Porous, state: Field, now: int, *, rests: bool
) -> list[str]:
    found: list[str] = []
    surface = state.column[SURFACE + 1]
    low, high = float(surface.min()), float(surface.max())
    for nothing, x, what, less in (
        (low < NEXT_TO_NOTHING, low, "empty", "lithium"),
        (1.0 - high < NEXT_TO_NOTHING, high, "full", "vacancies"),
    ):
        if nothing:
            found.append(
                f"the {side} is {what} at a surface (lithium fraction {x:.4f}): with "
                f"hardly any {less} there its impedance is huge and of little meaning; "
                "measure at another state of charge"
            )
    volts = potential_volt(electrode, state, surface)
    mean = potential_volt(electrode, state, state.column[MEAN + now])
    spread = float(max(np.abs(volts - mean).max(), np.ptp(volts)))
    if rests and spread > MOVING_VOLT:
        found.append(
            f"the {side} is not at rest: its potentials differ by "
            f"{spread * 1e3:.3g} mV; low frequencies are those of the state at that "
            "moment, as if it stood still"
        )
    return found
