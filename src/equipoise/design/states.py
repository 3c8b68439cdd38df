"""Quasi-static states: where both electrodes stand at a cut-off voltage.

References
----------
zhang2026 Eq. 1 and Fig. 2; specs of this project, "Equilibrium model":
U_p(q) - U_n(z) + i R = V with z on the line of `Inventory`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.core.errors import SolveError, SpecError
from equipoise.core.status import Status
from equipoise.kernels.cutoff import cutoff, stand
from equipoise.spec.curve import Curve

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell
    from equipoise.spec.curve import HalfCell
    from equipoise.spec.inventory import Inventory

Array = NDArray[np.float64]

BEYOND_FRACTION = 0.05
"""How far beyond its table a curve may be followed (of its length), flagged."""


@dataclass(frozen=True, slots=True)
class EndState:
    """Both electrodes at a cut-off; arrays of one common shape.

    Attributes
    ----------
    positive_delithiated_mah_per_g
        Lithium taken out of the active positive, per gram of it.
    negative_lithiated_mah_per_g
        Lithium in the active negative, per gram of it.
    positive_potential_vs_li_volt, negative_potential_vs_li_volt
        Open-circuit potentials, polarisation not included.
    polarisation_volt
        Added on charge (> 0), taken off on discharge (< 0).
    positive_slope_volt_g_per_mah, negative_slope_volt_g_per_mah
        dU_p/dQ and |dU_n|/dQ with Q the charge of the cell per gram of positive
        as built, at constant everything else.
    beyond_mah_per_g
        By how much either curve was used outside its measured range.
    status
        `Status` codes; where not 0 all values are NaN.
    """

    positive_delithiated_mah_per_g: Array
    negative_lithiated_mah_per_g: Array
    positive_potential_vs_li_volt: Array
    negative_potential_vs_li_volt: Array
    polarisation_volt: Array
    positive_slope_volt_g_per_mah: Array
    negative_slope_volt_g_per_mah: Array
    beyond_mah_per_g: Array
    status: NDArray[np.int8]

    @property
    def terminal_potential_vs_li_volt(self) -> Array:
        """Positive potential a reference electrode would show: with polarisation.

        All polarisation is put on the positive side (the convention of the
        reference tables); a three-electrode cell would divide it.
        """
        return self.positive_potential_vs_li_volt + self.polarisation_volt

    @property
    def compensation_fraction(self) -> Array:
        """kappa: share of a growing polarisation that the negative gives back.

        ``kappa = |dU_n/dQ| / (|dU_p/dQ| + |dU_n/dQ|)``: 0 on a plateau, towards 1
        on a steep tail.
        """
        total = self.positive_slope_volt_g_per_mah + self.negative_slope_volt_g_per_mah
        return self.negative_slope_volt_g_per_mah / total

    @property
    def charge_per_polarisation_mah_per_g_per_volt(self) -> Array:
        """Change of the charge per added polarisation, < 0."""
        return -1.0 / (
            self.positive_slope_volt_g_per_mah + self.negative_slope_volt_g_per_mah
        )


def end_of_charge(
    cell: Cell,
    inventory: Inventory,
    *,
    upper_volt: ArrayLike | None = None,
    polarisation_volt: ArrayLike | None = None,
    negative: HalfCell | None = None,
    line: tuple[Array, Array] | None = None,
    strict: bool = True,
) -> EndState:
    """State where the charging cell reaches its upper cut-off.

    Parameters
    ----------
    upper_volt
        Cut-off, broadcast against the inventory; default: the cell's window.
    polarisation_volt
        Overpotential of the whole cell, >= 0; default: the cell's resistance
        times current density.
    negative
        Another reading of the negative's curve (for bands).
    line
        ``inventory.line(cell)``, where it is known already.
    strict
        Raise when a cut-off is not reached; else NaN and a status code.

    Raises
    ------
    SolveError, SpecError
        If `strict` and a cell does not reach the cut-off.
    """
    half_cell = negative or cell.negative.half_cell
    volt = cell.spec.window.upper_volt if upper_volt is None else upper_volt
    eta = polarisation(cell) if polarisation_volt is None else polarisation_volt
    positive = cell.positive.half_cell.delithiation
    state = _solve(
        positive,
        half_cell.lithiation,
        line or inventory.line(cell),
        inventory.positive_active_fraction,
        np.asarray(volt, np.float64),
        np.asarray(eta, np.float64),
        _charge_bracket(positive),
    )
    begun = inventory.positive_start_mah_per_g > state.positive_delithiated_mah_per_g
    if strict and begun.any():
        q = float(np.asarray(state.positive_delithiated_mah_per_g)[begun].flat[0])
        raise SpecError(
            f"as built, the cell is already past its upper cut-off: charging would "
            f"end at {q:.1f} mAh/g taken out of the positive",
            where=f"{cell.where or cell.name}: inventory.positive_start_mah_per_g",
            remedy="start below that, or raise window.upper_volt",
        )
    if strict:
        _require(state, cell, "upper_volt", volt)
    return state


def end_of_discharge(
    cell: Cell,
    inventory: Inventory,
    charged: EndState,
    *,
    lower_volt: ArrayLike | None = None,
    polarisation_volt: ArrayLike | None = None,
    negative: HalfCell | None = None,
    line: tuple[Array, Array] | None = None,
    strict: bool = True,
) -> EndState:
    """State where the discharging cell reaches its lower cut-off.

    Starts from `charged`; follows the lithiation branch of the positive, whose
    lower end is moved to the locked capacity. A positive curve that ends above the
    cut-off is taken to fall vertically at its end, and the potential of an emptied
    negative to rise vertically: the discharge stops there, with the cell still above
    its lower cut-off. Parameters as for `end_of_charge`.

    Raises
    ------
    SolveError, SpecError
        If `strict` and a cell does not reach the cut-off.
    """
    half_cell = negative or cell.negative.half_cell
    volt = cell.spec.window.lower_volt if lower_volt is None else lower_volt
    eta = polarisation(cell) if polarisation_volt is None else polarisation_volt
    positive = discharge_curve(cell)
    a, b = line = line or inventory.line(cell)
    emptied = np.maximum(
        positive.start_mah_per_g, (half_cell.delithiation.start_mah_per_g - a) / b
    )
    top = charged.positive_delithiated_mah_per_g
    state = _solve(
        positive,
        half_cell.delithiation,
        line,
        inventory.positive_active_fraction,
        np.asarray(volt, np.float64),
        -np.asarray(eta, np.float64),
        (emptied, top),
        ends_at_curve=True,
    )
    if strict and (state.status == int(Status.NOTHING_TO_DISCHARGE)).any():
        i = int(np.argmax(state.status == int(Status.NOTHING_TO_DISCHARGE)))
        q = float(
            np.broadcast_to(
                charged.positive_delithiated_mah_per_g, state.status.shape
            ).flat[i]
        )
        raise SpecError(
            f"nothing to discharge: the charge ends at {q:.1f} mAh/g, where the "
            "discharging cell is already below its lower cut-off (the lithium that "
            f"does not return is {cell.locked_capacity_mah_per_g or 0.0:g} mAh/g)",
            where=f"{cell.where or cell.name}: window.lower_volt",
            remedy="raise upper_volt or lower lower_volt",
        )
    if strict:
        _require(state, cell, "lower_volt", volt)
    return state


def reached_mah_per_g(
    cell: Cell, line: tuple[Array, Array], *, negative: HalfCell | None = None
) -> Array:
    """Only where the charge stops: lithium taken out of the active positive.

    NaN where the cut-off is not reached. The fast path of `end_of_charge` for
    searches over many inventories, given by their `Inventory.line`.
    """
    positive = cell.positive.half_cell.delithiation
    lithiation = (negative or cell.negative.half_cell).lithiation
    target = np.asarray(cell.spec.window.upper_volt - polarisation(cell))
    q, _, shape = _stop(positive, lithiation, line, target, _charge_bracket(positive))
    return q.reshape(shape)


def discharge_curve(cell: Cell) -> Curve:
    """Lithiation branch of the positive with its lower end at the locked capacity.

    Raises
    ------
    SpecError
        If the lock is as large as the curve.
    """
    branch = cell.positive.half_cell.lithiation
    lock = cell.locked_capacity_mah_per_g
    if lock is None:
        return branch
    if lock >= branch.measured_to_mah_per_g:
        raise SpecError(
            f"a locked capacity of {lock:g} mAh/g leaves nothing of a curve that ends "
            f"at {branch.measured_to_mah_per_g:g} mAh/g",
            where=f"{cell.where or cell.name}: positive.locked_capacity_mah_per_g",
            remedy="it is the loss of the first cycle, typically 10-30 mAh/g",
        )
    seen_at = cell.positive.material.locked_at_vs_li_volt
    return _locked(branch, lock, None if seen_at is None else seen_at.value)


@lru_cache(maxsize=64)
def _locked(branch: Curve, lock_mah_per_g: float, at_vs_li_volt: float | None) -> Curve:
    return branch.stretched(lock_mah_per_g, at_vs_li_volt=at_vs_li_volt)


def polarisation(cell: Cell) -> float:
    """Overpotential of the cell from its resistance and C-rate, volt."""
    p = cell.spec.polarisation
    if p.resistance_ohm_cm2 == 0.0 or p.c_rate_ratio == 0.0:
        return 0.0
    one_c = cell.one_c_ma_per_g_positive
    if one_c is None:
        raise SpecError(
            "a C-rate is given but the current of 1C is not known",
            where="one_c_ma_per_g_positive",
            remedy="give the current of 1C in mA per gram of positive",
        )
    area = cell.positive.spec.area_cm2
    density_ma_per_cm2 = p.c_rate_ratio * one_c * cell.positive_mass_mg * 1e-3 / area
    return p.resistance_ohm_cm2 * density_ma_per_cm2 * 1e-3


def _reach(curve: Curve) -> float:
    length = curve.stop_mah_per_g - curve.start_mah_per_g
    return curve.stop_mah_per_g + BEYOND_FRACTION * length


def _charge_bracket(positive: Curve) -> tuple[Array, Array]:
    low = max(positive.start_mah_per_g, 0.0)
    return np.asarray(low), np.asarray(_reach(positive))


def _stop(
    positive: Curve,
    negative: Curve,
    line: tuple[Array, Array],
    target: Array,
    bracket: tuple[Array, Array],
) -> tuple[Array, NDArray[np.int8], tuple[int, ...]]:
    """Flat q and status of all cells, and the shape they had."""
    low, high = bracket
    high = np.minimum(high, (_reach(negative) - line[0]) / line[1])
    given = (*line, target, low, high)
    shape = np.broadcast(*given).shape
    rows = np.empty((5, *shape))
    for row, values in enumerate(given):
        rows[row] = values
    a, b, v, lo, hi = rows.reshape(5, -1)
    q, status = np.empty_like(a), np.empty(a.size, np.int8)
    cutoff(
        positive.potential_vs_li_volt,
        positive.start_mah_per_g,
        1.0 / positive.step_mah_per_g,
        negative.potential_vs_li_volt,
        negative.start_mah_per_g,
        1.0 / negative.step_mah_per_g,
        a,
        b,
        v,
        lo,
        hi,
        q,
        status,
    )
    return q, status, shape


def _solve(
    positive: Curve,
    negative: Curve,
    line: tuple[Array, Array],
    positive_active_fraction: Array,
    volt: Array,
    eta: Array,
    bracket: tuple[Array, Array],
    *,
    ends_at_curve: bool = False,
) -> EndState:
    flat_q, flat_status, shape = _stop(positive, negative, line, volt - eta, bracket)
    if ends_at_curve:
        low, high = (np.broadcast_to(x, shape).ravel() for x in bracket)
        emptied = flat_status == int(Status.CUTOFF_BELOW_CURVES)
        flat_q[emptied] = low[emptied]
        flat_status[emptied] = int(Status.OK)
        # below the cut-off when charged, or more lithium locked than was charged
        nothing = (flat_status == int(Status.CUTOFF_ABOVE_CURVES)) | (low > high)
        flat_q[nothing] = np.nan
        flat_status[nothing] = int(Status.NOTHING_TO_DISCHARGE)
    f_p, (a, b) = positive_active_fraction, line
    rows = np.empty((2, *shape))
    rows[0], rows[1] = a, b
    flat_a, flat_b = rows.reshape(2, -1)
    out = np.empty((6, flat_q.size))
    stand(
        positive.potential_vs_li_volt,
        positive.slope_volt_g_per_mah,
        positive.start_mah_per_g,
        1.0 / positive.step_mah_per_g,
        negative.potential_vs_li_volt,
        negative.slope_volt_g_per_mah,
        negative.start_mah_per_g,
        1.0 / negative.step_mah_per_g,
        (positive.measured_from_mah_per_g, positive.measured_to_mah_per_g),
        (negative.measured_from_mah_per_g, negative.measured_to_mah_per_g),
        flat_a,
        flat_b,
        flat_q,
        out,
    )
    q, status = flat_q.reshape(shape), flat_status.reshape(shape)
    z, u_p, u_n, slope_p, slope_n, beyond = out.reshape(6, *shape)
    return EndState(
        q,
        z,
        u_p,
        u_n,
        np.where(status == 0, eta, np.nan),
        slope_p / f_p,
        -slope_n * b / f_p,
        beyond * f_p,
        status,
    )


def _require(state: EndState, cell: Cell, key: str, volt: ArrayLike) -> None:
    if not state.status.any():
        return
    i = int(np.argmax(state.status != 0))
    status = Status(int(state.status.flat[i]))
    v = float(np.broadcast_to(np.asarray(volt), state.status.shape).flat[i])
    where = f"{cell.where or cell.name}: window.{key}"
    if status is Status.NOT_FINITE:
        raise SolveError(status, "an input of the balance is not finite", where=where)
    p, n = cell.positive.half_cell, cell.negative.half_cell
    span = (
        f"the positive's curve spans {_span(p.delithiation)} and the negative's "
        f"{_span(n.lithiation)}, V vs Li+/Li"
    )
    how = "never reaches" if status is Status.CUTOFF_ABOVE_CURVES else "is already past"
    raise SpecError(
        f"the cell {how} {v:g} V; {span}", where=where, remedy=status.advice
    )


def _span(curve: Curve) -> str:
    u = curve.potential_vs_li_volt
    return f"{float(u.min()):.3f}-{float(u.max()):.3f}"
