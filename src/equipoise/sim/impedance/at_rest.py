"""Impedance of a fresh, rested cell at any state of charge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError
from equipoise.kernels.layout import BRANCH, CAPACITY
from equipoise.protocol.sweep import MOST_POINTS, Eis
from equipoise.sim.electrode import fresh_field
from equipoise.sim.impedance.cell_impedance import CellImpedance, Moment, measured
from equipoise.sim.impedance.electrode_impedance import potential_volt
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh, ModelName
from equipoise.sim.notes import BEYOND_FRACTION

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from equipoise.kernels.layout import Field, Porous
    from equipoise.sim.lower import Lowered
    from equipoise.spec.cell import Cell
    from equipoise.spec.half_cell_spec import HalfCellSetup

Array = NDArray[np.float64]
Direction = Literal["charge", "discharge"]
HALVINGS = 60


def impedance_of(
    cell: Cell | HalfCellSetup,
    *,
    frequency_hertz: ArrayLike | None = None,
    state_of_charge_fraction: float | None = None,
    open_circuit_volt: float | None = None,
    passed_capacity_mah_per_g_positive: float | None = None,
    after: Direction = "charge",
    model: ModelName = "dfn",
    mesh: Mesh | None = None,
) -> CellImpedance:
    """Impedance of a cell as built, brought to a state of charge and fully at rest.

    Parameters
    ----------
    frequency_hertz
        Shape (N,), > 0, in any order; default: 1 MHz to 100 mHz, 10 per decade.
    state_of_charge_fraction
        0 and 1 where the open-circuit voltage is at the lower and upper end of the
        window, or where the cell can go no further; in between by charge.
    open_circuit_volt
        Instead: the voltage of the cell at rest.
    passed_capacity_mah_per_g_positive
        Instead: net charge passed since it was built, charge > 0, per gram of positive
        active material (half cell: of the working electrode). The default is 0.
    after
        Direction that led there; it chooses the branches of the open-circuit curves.
    model
        "dfn" or "spm": one node per electrode, still an exact line.

    Raises
    ------
    SpecError
        If the cell lacks rates, the model is not known or has no rates
        ("quasi-static"), several states are given, or the state or a frequency is
        impossible.

    Notes
    -----
    Of a cell that was cycled: a step ``eis`` in the protocol of `simulate`.

    References
    ----------
    Kernel and equations: `kernels.line_impedance`; Meyers, Doyle, Darling, Newman,
    J. Electrochem. Soc. 147 (2000) 2930.
    """
    where = cell.where or cell.spec.name
    require_rates(model, where)
    frequency = _frequencies(frequency_hertz)
    lowered = lower(cell, model=model, mesh=mesh or Mesh())
    _one_state(
        {
            "state_of_charge_fraction": state_of_charge_fraction,
            "open_circuit_volt": open_circuit_volt,
            "passed_capacity_mah_per_g_positive": passed_capacity_mah_per_g_positive,
        },
        where,
    )
    if after not in ("charge", "discharge"):
        raise SpecError(
            f"after = {after!r}", where=where, remedy='give "charge" or "discharge"'
        )
    line = _Line(lowered, 1.0 if after == "charge" else -1.0)
    if open_circuit_volt is not None:
        coulomb = line.at_voltage(open_circuit_volt, where)
    elif state_of_charge_fraction is not None:
        window = cell.spec.window
        coulomb = line.at_share(
            state_of_charge_fraction, window.lower_volt, window.upper_volt, where
        )
    else:
        coulomb = line.passed(passed_capacity_mah_per_g_positive or 0.0, where)
    states = line.states(coulomb)
    volts = line.potentials(coulomb)
    moment = Moment(cell.spec.name, 0, 0, 0.0, 0.0, *volts)
    found = measured(lowered, states, 0, frequency, moment=moment)
    return replace(
        found, notes=(*lowered.notes, *_beyond(lowered, found), *found.notes)
    )


def require_rates(model: ModelName, where: str) -> None:
    """Refuse a model that has none.

    Raises
    ------
    SpecError
        If the model is "quasi-static", or not known.
    """
    if model not in get_args(ModelName):
        raise SpecError(
            f"model = {model!r} is not known",
            where=where,
            remedy='use the model "dfn" or "spm"',
        )
    if model == "quasi-static":
        raise SpecError(
            'the model "quasi-static" has no resistance and no time, hence no '
            "impedance",
            where=where,
            remedy='use the model "dfn" or "spm"',
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """All states of rest of a cell over the charge passed since it was built."""

    lowered: Lowered
    sign: float  # +1: the positive was delithiated on the way

    def fractions(self, coulomb: float) -> tuple[float, float]:
        low = self.lowered
        taken = max(coulomb - low.bypass_coulomb, min(coulomb, 0.0))
        return (
            low.positive_start_fraction - coulomb / _coulomb(low.positive),
            low.negative_start_fraction + taken / _coulomb(low.negative),
        )

    def states(self, coulomb: float) -> tuple[Field, Field]:
        p, n = self.fractions(coulomb)
        states = (
            fresh_field(self.lowered.positive, p),
            fresh_field(self.lowered.negative, n),
        )
        states[0].column[BRANCH], states[1].column[BRANCH] = self.sign, -self.sign
        return states

    def potentials(self, coulomb: float) -> tuple[float, float]:
        low = self.lowered
        p, n = (
            potential_volt(electrode, state, np.array(x))
            for electrode, state, x in zip(
                (low.positive, low.negative),
                self.states(coulomb),
                self.fractions(coulomb),
                strict=True,
            )
        )
        return float(p.flat[0]), float(n.flat[0])

    def voltage(self, coulomb: float) -> float:
        p, n = self.potentials(coulomb)
        return p - n

    def ends(self) -> tuple[float, float]:
        """Charge at which an electrode is full or empty: lowest, highest."""
        low = self.lowered
        whole_p, p = _coulomb(low.positive), low.positive_start_fraction
        least, most = -(1.0 - p) * whole_p, p * whole_p
        if low.negative.ideal == 1:
            return least, most
        whole_n, n = _coulomb(low.negative), low.negative_start_fraction
        return (
            max(least, -n * whole_n),
            min(most, low.bypass_coulomb + (1.0 - n) * whole_n),
        )

    def at_voltage(self, volt: float, where: str) -> float:
        low, high = self.ends()
        least, most = self.voltage(low), self.voltage(high)
        if not least <= volt <= most:
            raise SpecError(
                f"open_circuit_volt = {volt:g} lies outside what the cell can reach, "
                f"{least:.3f} to {most:.3f} V",
                where=where,
                remedy="choose a voltage in between",
            )
        return self._root(volt)

    def _root(self, volt: float) -> float:
        """Charge at an open-circuit voltage, or the nearer end."""
        low, high = self.ends()
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if self.voltage(middle) < volt:
                low = middle
            else:
                high = middle
        return 0.5 * (low + high)

    def at_share(self, share: float, lower: float, upper: float, where: str) -> float:
        if not 0.0 <= share <= 1.0:
            raise SpecError(
                f"state_of_charge_fraction = {share:g} is not between 0 and 1",
                where=where,
                remedy="0.5 is half charged",
            )
        start, end = self._root(lower), self._root(upper)
        return start + share * (end - start)

    def passed(self, mah_per_g: float, where: str) -> float:
        coulomb = mah_per_g * self.lowered.positive_mass_g * 3.6
        low, high = self.ends()
        if not low <= coulomb <= high:
            per_gram = 1.0 / (self.lowered.positive_mass_g * 3.6)
            raise SpecError(
                f"passed_capacity_mah_per_g_positive = {mah_per_g:g}: an electrode "
                "would hold less than no lithium, or more than it can",
                where=where,
                remedy=f"possible are {low * per_gram:.4g} to {high * per_gram:.4g}",
            )
        return coulomb


def _coulomb(electrode: Porous) -> float:
    """Charge per unit of x of a whole electrode."""
    if electrode.ideal == 1:
        return np.inf
    return electrode.area * float(electrode.column[CAPACITY].sum())


def _beyond(lowered: Lowered, found: CellImpedance) -> list[str]:
    """Notes on electrodes whose curves are only extended there."""
    sides = (
        (
            "positive",
            found.positive_lithiation_fraction,
            lowered.positive_covered_fraction,
        ),
        (
            "negative",
            found.negative_lithiation_fraction,
            lowered.negative_covered_fraction,
        ),
    )
    return [
        f"the {side} is outside its curve, with a lithium fraction of {x:.3f}; the "
        f"curve covers {low:.3f} to {high:.3f}"
        for side, x, (low, high) in sides
        if max(low - x, x - high) > BEYOND_FRACTION
    ]


def _frequencies(given: ArrayLike | None) -> Array:
    if given is None:
        return Eis().frequency_hertz
    try:
        if np.iscomplexobj(given):
            msg = "they are complex"
            raise TypeError(msg)
        found = np.atleast_1d(np.array(given, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise SpecError(
            f"frequency_hertz is not made of real numbers ({error})",
            where="frequency_hertz",
            remedy="give frequencies in Hz; s = 2j pi f is made of them here",
        ) from None
    if found.ndim != 1 or not 0 < found.size <= MOST_POINTS:
        raise SpecError(
            f"frequency_hertz has the shape {found.shape}",
            where="frequency_hertz",
            remedy=f"give a list of 1 to {MOST_POINTS:,} frequencies",
        )
    wrong = ~(np.isfinite(found) & (found > 0.0))
    if wrong.any():
        raise SpecError(
            f"frequency_hertz holds {found[wrong][0]:g}; it must be > 0 and finite",
            where="frequency_hertz",
            remedy="give them in Hz, not as logarithms; a resistance at zero frequency "
            "does not exist in a cell with a finite capacity",
        )
    return found


def _one_state(given: dict[str, float | None], where: str) -> None:
    named = [key for key, value in given.items() if value is not None]
    if len(named) > 1:
        raise SpecError(
            f"{' and '.join(named)} both say how far the cell is charged",
            where=where,
            remedy="give one of them",
        )
    for key, value in given.items():
        if value is not None and not np.isfinite(value):
            raise SpecError(f"{key} = {value:g}", where=where, remedy="give a number")
