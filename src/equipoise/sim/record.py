"""The record of a simulated cell: its tables are analysed like measured ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.spec.cell_record import CellRecord
from equipoise.spec.half_cell_spec import HalfCellSetup

if TYPE_CHECKING:
    from equipoise.sim.simulate import Run


def record_of(run: Run) -> CellRecord:
    """Masses, areas, current of 1C and reference of the cell of a run."""
    cell = run.cell
    content: dict[str, object] = {
        "name": run.name,
        "one_c_ma": run.lowered.one_c_ampere * 1e3,
        "reference_electrode": "li",
        "temperature_celsius": float(cell.spec.temperature_celsius),
        "stack_pressure_mpa": cell.spec.stack_pressure_mpa,
        "efficiency": "discharge/charge"
        if run.lowered.charges_first
        else "charge/discharge",
    }
    if isinstance(cell, HalfCellSetup):
        working = cell.working.spec
        content |= {
            "positive_active_mass_mg": working.active_mass_mg,
            "positive_area_cm2": working.area_cm2,
        }
        return CellRecord.model_validate(content)
    content |= {
        "positive_active_mass_mg": cell.positive_mass_mg,
        "negative_active_mass_mg": cell.positive_mass_mg
        * cell.np_ratio
        * cell.mass_per_np_ratio,
        "positive_area_cm2": cell.positive.spec.area_cm2,
        "negative_area_cm2": cell.negative.spec.area_cm2,
        "np_ratio": cell.np_ratio,
    }
    return CellRecord.model_validate(content)
