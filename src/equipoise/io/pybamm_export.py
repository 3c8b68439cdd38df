"""A cell as one Python script for PyBaMM: the same DFN in another simulator.

The numbers come from the specification, not from the arrays of our own engine: a
comparison of both simulators checks the lowering too. What the script does with them
(areas, tortuosity factors, stoichiometry) is told in its head, `pybamm_script.py.txt`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from importlib import resources
from pprint import pformat
from typing import TYPE_CHECKING, Any

from equipoise import __version__
from equipoise.core.constants import ZERO_CELSIUS_KELVIN
from equipoise.core.errors import SpecError
from equipoise.core.files import write_atomic
from equipoise.io.pybamm_electrode import (
    BranchName,
    Warm,
    electrode_table,
    site_capacity,
)
from equipoise.spec.inventory import Inventory
from equipoise.spec.kinetics import fitting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from equipoise.spec.cell import Cell
    from equipoise.spec.kinetics import CellKinetics


@dataclass(frozen=True, slots=True)
class PyBaMMExport:
    """A cell in the terms of the script.

    Attributes
    ----------
    cell
        The table `CELL` of the script; SI units.
    notes
        What the script leaves out or changes.
    """

    cell: dict[str, Any]
    notes: tuple[str, ...]

    def script(self) -> str:
        """The Python script; it needs numpy and pybamm, not equipoise."""
        text = resources.files("equipoise.io") / "pybamm_script.py.txt"
        filled = {
            "__VERSION__": __version__,
            "__CELL__": _literal(self.cell),
            "__NOTES__": _literal(self.notes),
        }
        # in one pass: a name of a cell may look like a mark
        return re.sub(
            "|".join(filled), lambda mark: filled[mark[0]], text.read_text("utf-8")
        )


def write_pybamm(
    cell: Cell,
    path: str | Path,
    *,
    branch: BranchName = "delithiation",
    single_class: bool = False,
) -> PyBaMMExport:
    """Write the script of a cell; see `pybamm_parameters` for what can be raised.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    export = pybamm_parameters(cell, branch=branch, single_class=single_class)
    write_atomic(path, export.script())
    return export


def pybamm_parameters(
    cell: Cell, *, branch: BranchName = "delithiation", single_class: bool = False
) -> PyBaMMExport:
    """Parameters of a full cell for PyBaMM's DFN.

    Parameters
    ----------
    cell
        A full cell with kinetics.
    branch
        Open-circuit branch of the positive, for both directions; the negative gets
        the other one. There is no hysteresis in the script.
    single_class
        Merge the particle classes of an electrode into one: same interface, and
        means over the interface of exchange current and film.

    Raises
    ------
    SpecError
        If there are no kinetics, several particle classes, no conductivity or no
        current of 1C.
    """
    where = cell.where or cell.name
    rates, one_c = cell.kinetics, cell.one_c_ma_per_g_positive
    if rates is None or one_c is None:
        key = "kinetics" if rates is None else "one_c_ma_per_g_positive"
        raise SpecError(
            "PyBaMM needs the rates of the cell and its current of 1C",
            where=f"{where}: {key}",
            remedy=f"give {key} in the cell file",
        )
    kelvin = cell.spec.temperature_celsius + ZERO_CELSIUS_KELVIN
    m_p = cell.positive_mass_mg
    m_n = m_p * cell.np_ratio * cell.mass_per_np_ratio
    warm = Warm(kelvin, rates.reference_temperature_celsius + ZERO_CELSIUS_KELVIN)
    shares = cell.spec.inventory
    positive = electrode_table(
        cell.positive,
        fitting(rates.positive, cell.positive.material.name, where=where)[0],
        mass_mg=m_p,
        active_share=shares.positive_active_fraction,
        branch=branch,
        warm=warm,
        single_class=single_class,
        where=f"{where}: positive",
    )
    negative = electrode_table(
        cell.negative,
        fitting(rates.negative, cell.negative.material.name, where=where)[0],
        mass_mg=m_n,
        active_share=shares.negative_active_fraction,
        branch="lithiation" if branch == "delithiation" else "delithiation",
        warm=warm,
        single_class=single_class,
        where=f"{where}: negative",
    )
    positive["start_x"], negative["start_x"], late = _start(cell, rates)
    content = {
        "name": cell.name,
        "temperature_kelvin": kelvin,
        "one_c_ampere": one_c * m_p * 1e-6,
        "lower_volt": cell.spec.window.lower_volt,
        "upper_volt": cell.spec.window.upper_volt,
        "positive_mass_gram": m_p * 1e-3,
        "area_m2": positive["area_m2"],
        **_series(cell, rates, warm),
        "positive": positive,
        "negative": negative,
    }
    return PyBaMMExport(content, tuple(_notes(cell, rates, branch, late)))


def _notes(
    cell: Cell, rates: CellKinetics, branch: BranchName, late_mah_per_g: float
) -> Iterator[str]:
    if cell.positive.half_cell.has_hysteresis:
        yield (
            f"the positive follows its {branch} branch in both directions; the "
            "hysteresis is left out"
        )
    else:
        yield "the positive has one branch"
    for side, of in (("positive", rates.positive), ("negative", rates.negative)):
        if len(of.particle_classes) > 1:
            yield f"the particle classes of the {side} are merged into one"
    if late_mah_per_g > 0.0:
        yield (
            f"the negative consumes {late_mah_per_g:.6g} mAh per g of positive on its "
            "first lithiation: that lithium has left the positive before the start "
            "here, and is missing in the first charge"
        )


def _start(cell: Cell, rates: CellKinetics) -> tuple[float, float, float]:
    """Lithium fractions at the start, and lithium lost before it (mAh/g positive)."""
    inventory = Inventory.of(cell)
    a, b = (float(v) for v in inventory.line(cell))
    q0 = float(inventory.positive_start_mah_per_g)
    built = float(inventory.negative_start_mah_per_g)
    q = max(q0, (built - a) / b)
    late = (q - q0) * cell.spec.inventory.positive_active_fraction
    return (
        1.0 - q / site_capacity(cell.positive, rates.positive),
        (a + b * q) / site_capacity(cell.negative, rates.negative),
        late if late > 1e-9 * q else 0.0,
    )


def _series(cell: Cell, rates: CellKinetics, warm: Warm) -> dict[str, float]:
    spec = cell.spec.separator
    solid = cell.separator_material.density_g_per_cm3.value
    solid *= 1.0 - spec.porosity_fraction
    thickness_cm = spec.mass_mg * 1e-3 / solid / cell.separator_area_cm2
    millisiemens = rates.separator_conductivity_millisiemens_per_cm.value
    millisiemens *= warm.factor(rates.separator_activation_kj_per_mol)
    a_p, a_n = cell.positive.spec.area_cm2, cell.negative.spec.area_cm2
    return {
        "separator_thickness_m": thickness_cm * 1e-2,
        "separator_siemens_per_m": 0.1 * millisiemens * math.sqrt(a_n / a_p),
        "contact_ohm": rates.contact_resistance_ohm_cm2.value / a_p,
        "positive_contact_share_fraction": rates.positive_contact_share_fraction,
        "reference_position_fraction": rates.reference_position_fraction,
    }


def _literal(value: object) -> str:
    return pformat(value, width=88, compact=True, sort_dicts=False)
