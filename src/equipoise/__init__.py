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
    from equipoise.ageing.active_fade import ActiveFade
    from equipoise.ageing.ageing import Ageing
    from equipoise.ageing.interphase_growth import InterphaseGrowth
    from equipoise.ageing.lattice_contraction import LatticeContraction
    from equipoise.ageing.mechanism import Mechanism
    from equipoise.ageing.parasitic_current import ParasiticCurrent
    from equipoise.ageing.stack_pressure import StackPressure
    from equipoise.analysis.check_ups import check_ups
    from equipoise.analysis.classify import classify
    from equipoise.analysis.dqdv import DifferentialCapacity, dqdv, dqdv_map, dvdq
    from equipoise.analysis.eis.circuits.circuit import Circuit
    from equipoise.analysis.eis.circuits.compare import compare_circuits
    from equipoise.analysis.eis.circuits.fit import fit_circuit
    from equipoise.analysis.eis.circuits.result import CircuitFit
    from equipoise.analysis.eis.circuits.series import fit_series
    from equipoise.analysis.eis.drt.distribution import (
        Distribution,
        distribution,
        distributions,
    )
    from equipoise.analysis.eis.drt.intervals import CredibleBand, credible_band
    from equipoise.analysis.eis.drt.peaks import fit_peaks
    from equipoise.analysis.eis.drt.ranges import TauRange
    from equipoise.analysis.eis.drt.resistances import (
        Resistances,
        resistances,
        resistances_of_series,
    )
    from equipoise.analysis.eis.drt.settings import DrtSettings
    from equipoise.analysis.eis.drt.tails import Tail
    from equipoise.analysis.eis.kramers_kronig import KramersKronig, kramers_kronig
    from equipoise.analysis.eis.lines.partial_conductivities import (
        partial_conductivities,
        partial_conductivity_of_one,
    )
    from equipoise.analysis.kinds import like_cycles
    from equipoise.analysis.peaks import (
        peaks,
        track_peaks,
        window_charge,
        windows_of_cell,
    )
    from equipoise.analysis.rate import rate_recovery, rate_table
    from equipoise.analysis.replicates import (
        compare_cycle_life,
        mean_over_replicates,
        paired_comparison,
    )
    from equipoise.analysis.retention import CycleLife, cycle_life, fade_rate, retention
    from equipoise.analysis.summary import cycle_summary
    from equipoise.analysis.three_electrode import ThreeElectrode, three_electrode
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
    from equipoise.io.ageing import ageing_of, load_ageing
    from equipoise.io.bdf import read_bdf, write_bdf
    from equipoise.io.cell_records import load_record
    from equipoise.io.cells import load_cell, load_half_cell_setup, with_positive
    from equipoise.io.cycle_tables import read_cycles
    from equipoise.io.halfcells import load_half_cell
    from equipoise.io.kinetics import load_kinetics
    from equipoise.io.protocols import load_protocol
    from equipoise.io.pybamm_export import write_pybamm
    from equipoise.io.readers.read import read
    from equipoise.io.readers.recording import Recording
    from equipoise.io.spectra.of_table import spectra_of
    from equipoise.io.spectra.read import SpectraFile, read_spectra
    from equipoise.io.spectra.write import write_spectra
    from equipoise.io.store.store import Store
    from equipoise.report.design_report import write_design_report
    from equipoise.report.run_files import write_run
    from equipoise.sim.impedance.at_rest import impedance_of
    from equipoise.sim.impedance.cell_impedance import CellImpedance
    from equipoise.sim.life.jumping import Jump
    from equipoise.sim.life.ledger import Ledger, compensation_ledger
    from equipoise.sim.life.life import Life, life
    from equipoise.sim.life.plan import life_protocol
    from equipoise.sim.life.sensitivity import life_sensitivities
    from equipoise.sim.mesh import Mesh, Stepping
    from equipoise.sim.pressure import pressure_amplitudes, pressure_trace
    from equipoise.sim.record import record_of
    from equipoise.sim.simulate import Run, simulate, simulate_many
    from equipoise.spec.cell_record import CellRecord
    from equipoise.spec.frame import Frame
    from equipoise.spec.inventory import Inventory
    from equipoise.spec.library import bundled_text
    from equipoise.spec.spectrum import Spectrum
    from equipoise.study.campaign import import_of
    from equipoise.study.cell_statistics import cell_statistics
    from equipoise.study.comparison import Comparison, compare
    from equipoise.study.measured_cell import CellData, cell_data_of, load_cell_data

_HOME = {
    "ActiveFade": "ageing.active_fade",
    "Ageing": "ageing.ageing",
    "CellData": "study.measured_cell",
    "CellDesign": "design.cell_design",
    "CellImpedance": "sim.impedance.cell_impedance",
    "CellRecord": "spec.cell_record",
    "Circuit": "analysis.eis.circuits.circuit",
    "CircuitFit": "analysis.eis.circuits.result",
    "Comparison": "study.comparison",
    "CredibleBand": "analysis.eis.drt.intervals",
    "CycleLife": "analysis.retention",
    "DataError": "core.errors",
    "DifferentialCapacity": "analysis.dqdv",
    "Distribution": "analysis.eis.drt.distribution",
    "DrtSettings": "analysis.eis.drt.settings",
    "EquipoiseError": "core.errors",
    "EquipoiseWarning": "core.errors",
    "ErrorSource": "design.tolerance",
    "FitError": "core.errors",
    "Frame": "spec.frame",
    "InterphaseGrowth": "ageing.interphase_growth",
    "Inventory": "spec.inventory",
    "Jump": "sim.life.jumping",
    "KramersKronig": "analysis.eis.kramers_kronig",
    "LatticeContraction": "ageing.lattice_contraction",
    "Ledger": "sim.life.ledger",
    "Life": "sim.life.life",
    "Mechanism": "ageing.mechanism",
    "Mesh": "sim.mesh",
    "ParasiticCurrent": "ageing.parasitic_current",
    "Recording": "io.readers.recording",
    "Resistances": "analysis.eis.drt.resistances",
    "Run": "sim.simulate",
    "SolveError": "core.errors",
    "SpecError": "core.errors",
    "SpectraFile": "io.spectra.read",
    "Spectrum": "spec.spectrum",
    "StackPressure": "ageing.stack_pressure",
    "Stepping": "sim.mesh",
    "Store": "io.store.store",
    "StoreError": "core.errors",
    "Tail": "analysis.eis.drt.tails",
    "TauRange": "analysis.eis.drt.ranges",
    "ThreeElectrode": "analysis.three_electrode",
    "ageing_of": "io.ageing",
    "bundled_text": "spec.library",
    "cell_data_of": "study.measured_cell",
    "cell_statistics": "study.cell_statistics",
    "check_ups": "analysis.check_ups",
    "classify": "analysis.classify",
    "compare": "study.comparison",
    "compare_circuits": "analysis.eis.circuits.compare",
    "compare_cycle_life": "analysis.replicates",
    "compensation_by_loss": "design.compensation",
    "compensation_by_polarisation": "design.compensation",
    "compensation_ledger": "sim.life.ledger",
    "credible_band": "analysis.eis.drt.intervals",
    "cycle_life": "analysis.retention",
    "cycle_summary": "analysis.summary",
    "design_cell": "design.cell_design",
    "design_half_cell": "design.half_cell_design",
    "distribution": "analysis.eis.drt.distribution",
    "distributions": "analysis.eis.drt.distribution",
    "dqdv": "analysis.dqdv",
    "dqdv_map": "analysis.dqdv",
    "dvdq": "analysis.dqdv",
    "fade_rate": "analysis.retention",
    "fit_circuit": "analysis.eis.circuits.fit",
    "fit_msmr": "fit.msmr",
    "fit_peaks": "analysis.eis.drt.peaks",
    "fit_series": "analysis.eis.circuits.series",
    "impedance_of": "sim.impedance.at_rest",
    "import_of": "study.campaign",
    "kramers_kronig": "analysis.eis.kramers_kronig",
    "life": "sim.life.life",
    "life_protocol": "sim.life.plan",
    "life_sensitivities": "sim.life.sensitivity",
    "like_cycles": "analysis.kinds",
    "load_ageing": "io.ageing",
    "load_cell": "io.cells",
    "load_cell_data": "study.measured_cell",
    "load_half_cell": "io.halfcells",
    "load_half_cell_setup": "io.cells",
    "load_kinetics": "io.kinetics",
    "load_protocol": "io.protocols",
    "load_record": "io.cell_records",
    "mean_over_replicates": "analysis.replicates",
    "np_map": "design.np_map",
    "np_voltage_map": "design.np_map",
    "paired_comparison": "analysis.replicates",
    "partial_conductivities": "analysis.eis.lines.partial_conductivities",
    "partial_conductivity_of_one": "analysis.eis.lines.partial_conductivities",
    "peaks": "analysis.peaks",
    "pressure_amplitudes": "sim.pressure",
    "pressure_trace": "sim.pressure",
    "profiles": "design.profiles",
    "rate_recovery": "analysis.rate",
    "rate_table": "analysis.rate",
    "read": "io.readers.read",
    "read_bdf": "io.bdf",
    "read_cycles": "io.cycle_tables",
    "read_spectra": "io.spectra.read",
    "record_of": "sim.record",
    "reserve": "design.compensation",
    "resistances": "analysis.eis.drt.resistances",
    "resistances_of_series": "analysis.eis.drt.resistances",
    "retention": "analysis.retention",
    "simulate": "sim.simulate",
    "simulate_many": "sim.simulate",
    "spectra_of": "io.spectra.of_table",
    "three_electrode": "analysis.three_electrode",
    "tolerance": "design.tolerance",
    "track_peaks": "analysis.peaks",
    "weigh_sheet": "design.weigh_sheet",
    "window_charge": "analysis.peaks",
    "windows_of_cell": "analysis.peaks",
    "with_positive": "io.cells",
    "write_bdf": "io.bdf",
    "write_design_report": "report.design_report",
    "write_pybamm": "io.pybamm_export",
    "write_run": "report.run_files",
    "write_spectra": "io.spectra.write",
}

__all__ = [
    "ActiveFade",
    "Ageing",
    "CellData",
    "CellDesign",
    "CellImpedance",
    "CellRecord",
    "Circuit",
    "CircuitFit",
    "Comparison",
    "CredibleBand",
    "CycleLife",
    "DataError",
    "DifferentialCapacity",
    "Distribution",
    "DrtSettings",
    "EquipoiseError",
    "EquipoiseWarning",
    "ErrorSource",
    "FitError",
    "Frame",
    "InterphaseGrowth",
    "Inventory",
    "Jump",
    "KramersKronig",
    "LatticeContraction",
    "Ledger",
    "Life",
    "Mechanism",
    "Mesh",
    "ParasiticCurrent",
    "Recording",
    "Resistances",
    "Run",
    "SolveError",
    "SpecError",
    "SpectraFile",
    "Spectrum",
    "StackPressure",
    "Stepping",
    "Store",
    "StoreError",
    "Tail",
    "TauRange",
    "ThreeElectrode",
    "__version__",
    "ageing_of",
    "bundled_text",
    "cell_data_of",
    "cell_statistics",
    "check_ups",
    "classify",
    "compare",
    "compare_circuits",
    "compare_cycle_life",
    "compensation_by_loss",
    "compensation_by_polarisation",
    "compensation_ledger",
    "credible_band",
    "cycle_life",
    "cycle_summary",
    "design_cell",
    "design_half_cell",
    "distribution",
    "distributions",
    "dqdv",
    "dqdv_map",
    "dvdq",
    "fade_rate",
    "fit_circuit",
    "fit_msmr",
    "fit_peaks",
    "fit_series",
    "impedance_of",
    "import_of",
    "kramers_kronig",
    "life",
    "life_protocol",
    "life_sensitivities",
    "like_cycles",
    "load_ageing",
    "load_cell",
    "load_cell_data",
    "load_half_cell",
    "load_half_cell_setup",
    "load_kinetics",
    "load_protocol",
    "load_record",
    "mean_over_replicates",
    "np_map",
    "np_voltage_map",
    "paired_comparison",
    "partial_conductivities",
    "partial_conductivity_of_one",
    "peaks",
    "pressure_amplitudes",
    "pressure_trace",
    "profiles",
    "rate_recovery",
    "rate_table",
    "read",
    "read_bdf",
    "read_cycles",
    "read_spectra",
    "record_of",
    "reserve",
    "resistances",
    "resistances_of_series",
    "retention",
    "simulate",
    "simulate_many",
    "spectra_of",
    "three_electrode",
    "tolerance",
    "track_peaks",
    "weigh_sheet",
    "window_charge",
    "windows_of_cell",
    "with_positive",
    "write_bdf",
    "write_design_report",
    "write_pybamm",
    "write_run",
    "write_spectra",
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
