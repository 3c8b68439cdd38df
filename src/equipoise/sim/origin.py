"""What the numbers of a run are worth: outcome, notes, roles, evidence of the rates."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import BaseModel

from equipoise.kernels.program import Ask, End, Reason
from equipoise.spec import library
from equipoise.spec.cell import CellSpec
from equipoise.spec.half_cell_spec import HalfCellSetup, HalfCellSpec
from equipoise.spec.kinetics import ONLY_FOR_IMPEDANCE
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from equipoise.sim.simulate import Run

_FIRST_CYCLE = {
    "charging_capacity_mah_per_g_positive": "first_charge_mah_per_g_positive",
    "discharging_capacity_mah_per_g_positive": "first_discharge_mah_per_g_positive",
}
"""Columns of the cycles whose first row has another name in a design."""


def outcome(run: Run) -> str:
    """OK, INTERRUPTED, or the name of the status with which the kernels gave up."""
    return "INTERRUPTED" if run.interrupted else run.status.name


def notes(run: Run) -> tuple[str, ...]:
    """Notes of a run, with the one that its last cycle is not a whole one."""
    if run.finished or not run.results.shape[0]:
        return run.notes
    last, program = run.results[-1], run.program
    cycle, step, reason = (int(last[c]) for c in (End.CYCLE, End.STEP, End.REASON))
    after = int(program.skip_to[step - 1]) if reason == Reason.VOLTAGE else step
    goes_on = (
        after < program.steps.shape[0] and program.steps[after, Ask.CYCLE] == cycle
    )
    if reason == Reason.FAILED or goes_on:
        return (*run.notes, f"cycle {cycle} is not a whole cycle: the run ended in it")
    return run.notes


def roles(run: Run) -> dict[str, str]:
    """Role of every column of the cycles.

    "calibrated" is what the curves (at equilibrium) or the rates (porous electrodes)
    were made to meet in this protocol, as long as the cell is the one they were made
    on. That a protocol goes on longer than the data is not told apart here.
    """
    met = _met_by_curves(run) if run.model == "quasi-static" else _met_by_rates(run)

    def role(name: str) -> str:
        if name == "cycle_count" or name.endswith(("_c_rate", "_voltage_volt")):
            given = not name.startswith("mean_")
            return "input" if given else "predicted"
        stem = name.removesuffix("_capacity_ah")  # the same number in another unit
        same = name if stem == name else f"{stem}_capacity_mah_per_g_positive"
        return "calibrated" if same in met else "predicted"

    return {name: role(name) for name in run.cycles.columns}


def _met_by_curves(run: Run) -> frozenset[str]:
    """Columns that the curves of the materials were made to meet."""
    if isinstance(run.cell, HalfCellSetup) or _other_curves(run):
        return frozenset()
    met = run.cell.calibrated
    return frozenset(n for n in run.cycles.columns if _FIRST_CYCLE.get(n, n) in met)


def _met_by_rates(run: Run) -> frozenset[str]:
    """Columns that the bundled rates were made to meet in this protocol."""
    spec, rates = run.cell.spec, run.cell.kinetics
    runs = spec.origin.runs
    if runs is None or rates is None or run.model != "dfn":
        return frozenset()
    half = isinstance(run.cell, HalfCellSetup)
    kind, model = ("half_cells", HalfCellSpec) if half else ("cells", CellSpec)
    if runs.bundled not in library.names(kind):
        return frozenset()
    where = f"library: {runs.bundled}"
    made_with = validated(model, library.read(kind, runs.bundled), where=where)
    own = made_with.kinetics
    same = (
        spec.model_copy(update={"name": made_with.name}) == made_with
        and own in library.names("kinetics")
        and rates == library.kinetics(str(own))
    )
    return frozenset(runs.columns.get(run.program.name, ())) if same else frozenset()


def _other_curves(run: Run) -> bool:
    """Whether the rates bring open-circuit curves of their own."""
    rates = run.cell.kinetics
    return rates is not None and any(
        side.open_circuit is not None or side.open_circuit_stretch_ratio != 1.0
        for side in (rates.positive, rates.negative)
    )


def evidence_of_rates(run: Run) -> dict[str, int]:
    """How many rates of a cell are assumed, printed, calibrated, ...; most first."""
    rates = run.cell.kinetics
    if rates is None or run.model == "quasi-static":
        return {}
    leave = set[str]() if run.impedances else set(ONLY_FOR_IMPEDANCE)
    if isinstance(run.cell, HalfCellSetup):
        is_positive = run.cell.working.half_cell.axis == "delithiated"
        leave.add("negative" if is_positive else "positive")
    return dict(Counter(_evidence(rates, leave)).most_common())


def _evidence(model: BaseModel, leave: set[str]) -> Iterator[str]:
    """Evidence of every sourced number in a specification, nested ones too."""
    if (found := getattr(model, "evidence", None)) is not None:
        yield str(found)
        return
    for key in type(model).model_fields:
        inner = getattr(model, key)
        if key not in leave and isinstance(inner, BaseModel):
            yield from _evidence(inner, leave)
