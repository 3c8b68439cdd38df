"""The files of a run: cycles, steps, spectra, and the trace as BDF with metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.core.columns import BDF_VERSION
from equipoise.core.files import output_folder, write_atomic
from equipoise.io.bdf import metadata_path, table_bytes, write_bdf
from equipoise.io.spectra.write import write_spectra
from equipoise.sim.impedance.table import impedance_summary
from equipoise.sim.origin import evidence_of_rates, notes, outcome, roles
from equipoise.spec.half_cell_spec import HalfCellSetup

if TYPE_CHECKING:
    from pathlib import Path

    from equipoise.sim.simulate import Run
    from equipoise.spec.cell import Cell


def write_run(run: Run, folder: str | Path, *, form: str = "parquet") -> list[Path]:
    """Write cycles, steps, the trace as BDF with its metadata, and spectra.

    Parameters
    ----------
    folder
        Created if missing; files of an earlier run are replaced one by one.
    form
        "parquet" or "csv".

    Returns
    -------
    list of Path
        cycles, steps, trace.bdf and its trace.bdf.json; of a run with impedances also
        spectra (of the cell, as `read_spectra` reads them) and impedances (with those
        of the electrodes, and the state of the cell).

    Raises
    ------
    DataError
        If the form is neither.
    StoreError
        If the folder or a file cannot be written.
    """
    named = [("cycles", run.cycles), ("steps", run.steps)]
    if run.impedances:
        named.append(("impedances", run.impedance_rows))
    tables = {f"{name}.{form}": table_bytes(table, form) for name, table in named}
    target = output_folder(folder)
    files = [write_atomic(target / name, raw) for name, raw in tables.items()]
    path = target / f"trace.bdf.{form}"
    write_bdf(run.trace, path, metadata=run_metadata(run))
    written = [*files[:2], path, metadata_path(path)]
    if run.impedances:
        written += [write_spectra(run.spectra, target / f"spectra.{form}"), *files[2:]]
    return written


def run_metadata(run: Run) -> dict[str, object]:
    """What a reader of the tables of a run has to know, fit for JSON."""
    cell, spec = run.cell, run.cell.spec
    one_c = run.lowered.one_c_ampere
    return {
        "kind": "simulated",
        "bdf": BDF_VERSION,
        "cell": run.name,
        "protocol": run.program.name,
        "model": run.model,
        "mesh": run.mesh.model_dump(),
        "stepping": run.stepping.model_dump(),
        "efficiency": "discharge/charge"
        if run.lowered.charges_first
        else "charge/discharge",
        "status": outcome(run),
        "finished": run.finished,
        "notes": [*notes(run)],
        "temperature_celsius": spec.temperature_celsius,
        "window": spec.window.model_dump(),
        "one_c_ma": 1e3 * one_c,
        **(_half_cell(cell) if isinstance(cell, HalfCellSetup) else _full_cell(cell)),
        "kinetics": None if cell.kinetics is None else cell.kinetics.name,
        "evidence_of_rates": evidence_of_rates(run),
        **({"spectra": impedance_summary(run.impedances)} if run.impedances else {}),
        "roles": roles(run),
        "roles_of": "the columns of the cycles; the time series is predicted",
    }


def _full_cell(cell: Cell) -> dict[str, object]:
    positive = cell.positive_mass_mg
    return {
        "np_ratio": cell.np_ratio,
        "active_masses_mg": {
            "positive": positive,
            "negative": positive * cell.np_ratio * cell.mass_per_np_ratio,
        },
        "areas_cm2": {
            "positive": cell.positive.spec.area_cm2,
            "negative": cell.negative.spec.area_cm2,
            "separator": cell.separator_area_cm2,
        },
    }


def _half_cell(cell: HalfCellSetup) -> dict[str, object]:
    return {
        "counter": cell.spec.counter,
        "counter_potential_vs_li_volt": cell.counter_potential_vs_li_volt,
        "active_masses_mg": {"working": cell.working.spec.active_mass_mg},
        "areas_cm2": {"working": cell.working.spec.area_cm2},
    }
