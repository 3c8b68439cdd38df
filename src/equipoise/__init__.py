"""Design, predict and diagnose capacity-balanced solid-state batteries.

>>> import equipoise as eqp
>>> cell = eqp.load_cell("zhang2026-lb")
>>> round(eqp.design_cell(cell).upper_potential_vs_li_volt, 2)
4.19
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from equipoise.core.errors import (
        DataError,
        EquipoiseError,
        EquipoiseWarning,
        FitError,
        SolveError,
        SpecError,
        StoreError,
    )
    from equipoise.design.cell_design import CellDesign, design_cell
    from equipoise.design.compensation import (
        compensation_by_loss,
        compensation_by_polarisation,
        reserve,
    )
    from equipoise.design.half_cell_design import design_half_cell
    from equipoise.design.np_map import np_map, np_voltage_map
    from equipoise.design.profiles import profiles
    from equipoise.design.tolerance import ErrorSource, tolerance
    from equipoise.design.weigh_sheet import weigh_sheet
    from equipoise.fit.msmr import fit_msmr
    from equipoise.io.cells import load_cell, load_half_cell_setup, with_positive
    from equipoise.io.halfcells import load_half_cell
    from equipoise.report.design_report import write_design_report
    from equipoise.spec.inventory import Inventory
    from equipoise.spec.library import bundled_text

_HOME = {
    "CellDesign": "design.cell_design",
    "DataError": "core.errors",
    "EquipoiseError": "core.errors",
    "EquipoiseWarning": "core.errors",
    "ErrorSource": "design.tolerance",
    "FitError": "core.errors",
    "Inventory": "spec.inventory",
    "SolveError": "core.errors",
    "SpecError": "core.errors",
    "StoreError": "core.errors",
    "bundled_text": "spec.library",
    "compensation_by_loss": "design.compensation",
    "compensation_by_polarisation": "design.compensation",
    "design_cell": "design.cell_design",
    "design_half_cell": "design.half_cell_design",
    "fit_msmr": "fit.msmr",
    "load_cell": "io.cells",
    "load_half_cell": "io.halfcells",
    "load_half_cell_setup": "io.cells",
    "np_map": "design.np_map",
    "np_voltage_map": "design.np_map",
    "profiles": "design.profiles",
    "reserve": "design.compensation",
    "tolerance": "design.tolerance",
    "weigh_sheet": "design.weigh_sheet",
    "with_positive": "io.cells",
    "write_design_report": "report.design_report",
}

__all__ = [
    "CellDesign",
    "DataError",
    "EquipoiseError",
    "EquipoiseWarning",
    "ErrorSource",
    "FitError",
    "Inventory",
    "SolveError",
    "SpecError",
    "StoreError",
    "__version__",
    "bundled_text",
    "compensation_by_loss",
    "compensation_by_polarisation",
    "design_cell",
    "design_half_cell",
    "fit_msmr",
    "load_cell",
    "load_half_cell",
    "load_half_cell_setup",
    "np_map",
    "np_voltage_map",
    "profiles",
    "reserve",
    "tolerance",
    "weigh_sheet",
    "with_positive",
    "write_design_report",
]


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562): `import equipoise` stays light."""
    if name not in _HOME:
        msg = f"module 'equipoise' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"equipoise.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
