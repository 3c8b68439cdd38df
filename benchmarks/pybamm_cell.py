"""One of our cells as PyBaMM sees it, for the benchmarks and the oracle tests.

PyBaMM gets the curves from where we have them, not our tables: the knots of the
positive through its own PCHIP, the closed form of LTO as a symbolic function.
Stoichiometry is only a coordinate there. It is put so that the used range stays in
0.1-0.95, because PyBaMM adds asymptotes to every potential near 0 and 1. Beyond
their ends the curves go on with the end slope: cubic pieces turn round there, and
PyBaMM, which starts every solve at the last answer, finds roots that do not exist::

    y = Y_PRISTINE - q / (SPAN q_stop)     x = X_EMPTY + z / (SPAN z_stop)

q: lithium taken out of the positive, z: in the negative, mAh per gram of active
material. The lithium inventory is counted here from the cell as built, without
`Inventory.line`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"  # before the import: it asks there

import numpy as np
import pybamm
from scipy.interpolate import PchipInterpolator

from equipoise.spec.material import TableCurve, TailedPlateau

if TYPE_CHECKING:
    from collections.abc import Callable

    from equipoise.spec.cell import Cell
    from equipoise.spec.inventory import Inventory
    from equipoise.spec.material import Branch

Y_PRISTINE = 0.95
X_EMPTY = 0.10
SPAN = 1.25
_UPPER = "Open-circuit voltage at 100% SOC [V]"
_LOWER = "Open-circuit voltage at 0% SOC [V]"


@dataclass(frozen=True, slots=True)
class PeerState:
    """PyBaMM's answer in our units: mAh per gram of active material, V vs Li+/Li."""

    charged_positive_mah_per_g: float
    charged_negative_mah_per_g: float
    charged_positive_volt: float
    charged_negative_volt: float
    discharged_positive_mah_per_g: float
    discharged_negative_mah_per_g: float
    discharged_positive_volt: float
    discharged_negative_volt: float
    passed_capacity_mah_per_g_positive: float
    energy_wh_per_kg_positive: float


class PeerCell:
    """`ElectrodeSOHSolver` for the curves of a cell, built once, solved often.

    Parameters
    ----------
    hysteresis
        PyBaMM's "one-state hysteresis": the charged state on the delithiation
        branch of the positive, the discharged one on the lithiation branch. Else
        the delithiation branch for both.
    """

    def __init__(self, cell: Cell, *, hysteresis: bool) -> None:
        self.positive_span = SPAN * cell.positive.half_cell.delithiation.stop_mah_per_g
        self.negative_span = SPAN * cell.negative.half_cell.lithiation.stop_mah_per_g
        self.direction = "discharge" if hysteresis else None
        option = ("single", "one-state hysteresis") if hysteresis else "single"
        self.solver = pybamm.lithium_ion.ElectrodeSOHSolver(
            self._parameters(cell),
            options=pybamm.BatteryModelOptions({"open-circuit potential": option}),
        )

    def _parameters(self, cell: Cell) -> pybamm.ParameterValues:
        form = cell.positive.material.open_circuit
        assert isinstance(form, TableCurve)
        assert form.delithiation is not None
        assert form.lithiation is not None
        out = self._positive(*_knots(form.delithiation))
        seen_at = cell.positive.material.locked_at_vs_li_volt
        back = self._positive(
            *_locked(
                form.lithiation,
                cell.locked_capacity_mah_per_g,
                None if seen_at is None else seen_at.value,
            )
        )
        return pybamm.ParameterValues(
            {
                "Positive electrode OCP [V]": out,
                "Positive electrode delithiation OCP [V]": out,
                "Positive electrode lithiation OCP [V]": back,
                "Negative electrode OCP [V]": self._negative(cell),
                "Positive electrode OCP entropic change [V.K-1]": 0.0,
                "Negative electrode OCP entropic change [V.K-1]": 0.0,
                _UPPER: "[input]",
                _LOWER: "[input]",
                "Reference temperature [K]": 298.15,
                "Ambient temperature [K]": 298.15,
                "Initial temperature [K]": 298.15,
                "Electrode height [m]": 0.01,
                "Electrode width [m]": 0.01,
                "Number of electrodes connected in parallel to make a cell": 1.0,
            }
        )

    def _positive(self, q: np.ndarray, u: np.ndarray) -> Callable:
        y = np.ascontiguousarray((Y_PRISTINE - q / self.positive_span)[::-1])
        falling = np.ascontiguousarray(u[::-1])

        slopes = PchipInterpolator(y, falling).derivative()(y[[0, -1]])

        def potential(sto):
            inside = pybamm.maximum(pybamm.minimum(sto, y[-1]), y[0])
            return (
                pybamm.Interpolant(y, falling, inside, interpolator="pchip")
                + slopes[0] * pybamm.minimum(sto - y[0], 0.0)
                + slopes[1] * pybamm.maximum(sto - y[-1], 0.0)
            )

        return potential

    def _negative(self, cell: Cell) -> Callable:
        form = cell.negative.material.open_circuit
        assert isinstance(form, TailedPlateau)

        def potential(sto):
            z = (sto - X_EMPTY) * (self.negative_span / form.capacity_mah_per_g)
            head = pybamm.exp(-z / form.head_width_fraction)
            tail = pybamm.exp((z - 1.0) / form.tail_width_fraction)
            return (
                form.plateau_vs_li_volt
                + form.head_height_volt * head
                - form.tail_height_volt * tail
            )

        return potential

    def inputs(self, cell: Cell, inventory: Inventory) -> dict[str, float]:
        """Electrode capacities, lithium (A.h) and cut-offs of one cell."""
        m_p = cell.positive_mass_mg * 1e-6  # kg, so that kg * mAh/g = A.h
        m_n = m_p * cell.mass_per_np_ratio * float(inventory.np_ratio)
        f_p = float(inventory.positive_active_fraction)
        f_n = float(inventory.negative_active_fraction)
        pristine = Y_PRISTINE * self.positive_span
        empty = X_EMPTY * self.negative_span
        positive = (
            pristine
            - float(inventory.positive_start_mah_per_g)
            - (1.0 - f_p) * (pristine - float(inventory.positive_isolated_at_mah_per_g))
        )
        negative = (
            empty
            + float(inventory.negative_start_mah_per_g)
            - (1.0 - f_n) * (empty + float(inventory.negative_isolated_at_mah_per_g))
        )
        lost = m_p * float(inventory.lithium_loss_mah_per_g_positive)
        lost += m_n * cell.first_lithiation_loss_mah_per_g
        return {
            "Q_p": m_p * f_p * self.positive_span,
            "Q_n": m_n * f_n * self.negative_span,
            "Q_Li": m_p * positive + m_n * negative - lost,
            _UPPER: cell.spec.window.upper_volt,
            _LOWER: cell.spec.window.lower_volt,
        }

    def solve(self, inputs: dict[str, float]) -> dict[str, float]:
        """PyBaMM's own dictionary of results."""
        return self.solver.solve(inputs, direction=self.direction)

    def bare_solve(self, inputs: dict[str, float]) -> np.ndarray:
        """Only the non-linear system (x_100, x_0), without results around it.

        Reaches into a private attribute: a lower bound for PyBaMM, not its interface.
        """
        simulation = self.solver._get_electrode_soh_sims_full(self.direction)
        return simulation.solver.solve(simulation.built_model, [0], inputs=inputs).y

    def state(self, cell: Cell, inventory: Inventory) -> PeerState:
        """Solve one cell and give the answer in our units."""
        inputs = self.inputs(cell, inventory)
        found = self.solve(inputs)
        m_p = cell.positive_mass_mg * 1e-6
        return PeerState(
            (Y_PRISTINE - found["y_100"]) * self.positive_span,
            (found["x_100"] - X_EMPTY) * self.negative_span,
            found["Up(y_100)"],
            found["Un(x_100)"],
            (Y_PRISTINE - found["y_0"]) * self.positive_span,
            (found["x_0"] - X_EMPTY) * self.negative_span,
            found["Up(y_0)"],
            found["Un(x_0)"],
            found["Q"] / m_p,
            found["Maximum theoretical energy [W.h]"] / m_p,
        )


def _knots(branch: Branch) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(branch.capacity_mah_per_g), np.asarray(
        branch.potential_vs_li_volt
    )


def _locked(
    branch: Branch, lock_mah_per_g: float | None, at_vs_li_volt: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Lithiation branch whose capacity at a potential is the lock, if one is known."""
    q, u = _knots(branch)
    if lock_mah_per_g is None:
        return q, u
    begin = branch.measured_from_mah_per_g
    if at_vs_li_volt is not None:
        fine = np.linspace(q[0], q[-1], 2_000_001)
        begin = float(np.interp(at_vs_li_volt, PchipInterpolator(q, u)(fine), fine))
    stop = q[-1]
    return stop - (stop - q) * (stop - lock_mah_per_g) / (stop - begin), u
