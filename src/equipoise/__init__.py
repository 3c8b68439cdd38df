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
    from equipoise.io.bdf import read_bdf, write_bdf
    from equipoise.io.cells import load_cell, load_half_cell_setup, with_positive
    from equipoise.io.halfcells import load_half_cell
    from equipoise.io.kinetics import load_kinetics
    from equipoise.io.protocols import load_protocol
    from equipoise.io.pybamm_export import write_pybamm
    from equipoise.report.design_report import write_design_report
    from equipoise.report.run_files import write_run
    from equipoise.sim.mesh import Mesh, Stepping
    from equipoise.sim.simulate import Run, simulate, simulate_many
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
    "Mesh": "sim.mesh",
    "Run": "sim.simulate",
    "SolveError": "core.errors",
    "SpecError": "core.errors",
    "Stepping": "sim.mesh",
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
    "load_kinetics": "io.kinetics",
    "load_protocol": "io.protocols",
    "np_map": "design.np_map",
    "np_voltage_map": "design.np_map",
    "profiles": "design.profiles",
    "read_bdf": "io.bdf",
    "reserve": "design.compensation",
    "simulate": "sim.simulate",
    "simulate_many": "sim.simulate",
    "tolerance": "design.tolerance",
    "weigh_sheet": "design.weigh_sheet",
    "with_positive": "io.cells",
    "write_bdf": "io.bdf",
    "write_design_report": "report.design_report",
    "write_pybamm": "io.pybamm_export",
    "write_run": "report.run_files",
}

__all__ = [
    "CellDesign",
    "DataError",
    "EquipoiseError",
    "EquipoiseWarning",
    "ErrorSource",
    "FitError",
    "Inventory",
    "Mesh",
    "Run",
    "SolveError",
    "SpecError",
    "Stepping",
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
    "load_kinetics",
    "load_protocol",
    "np_map",
    "np_voltage_map",
    "profiles",
    "read_bdf",
    "reserve",
    "simulate",
    "simulate_many",
    "tolerance",
    "weigh_sheet",
    "with_positive",
    "write_bdf",
    "write_design_report",
    "write_pybamm",
    "write_run",
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
