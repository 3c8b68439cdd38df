"""A number's name ends in its unit, in fields and in the library's TOML keys."""

import dataclasses
import inspect
import re
import typing

import numpy as np
import pytest
from pydantic import BaseModel
from test_public_names import MODULES, defined_in

from equipoise.core.units import unit_token
from equipoise.spec import library

EXEMPT = {  # field -> why it has no unit of its own
    "Basis.gram": "pure numbers, the matrix A' A",
    "Basis.imaginary": "impedance per ohm: pure numbers",
    "Basis.penalty": "pure numbers, the matrix M of wan2015",
    "Basis.real": "impedance per ohm: pure numbers",
    "Candidate.unit_covariance": "in the scale of the fit",
    "Candidate.worse_by_aicc": "an information criterion, for comparison only",
    "CircuitEstimate.high": "in the unit of CircuitEstimate.unit",
    "CircuitEstimate.low": "in the unit of CircuitEstimate.unit",
    "CircuitEstimate.standard_error": "in the unit of CircuitEstimate.unit",
    "CircuitEstimate.value": "in the unit of CircuitEstimate.unit",
    "CircuitFit.correlation": "pure numbers",
    "CircuitProblem.high": "each in the unit of its parameter",
    "CircuitProblem.low": "each in the unit of its parameter",
    "CircuitProblem.values": "each in the unit of its parameter",
    "Distribution.objective": "ohm squared, for comparison only",
    "Distribution.tail_coefficients": "units as the tail has: its docstring",
    "ElementKind.response": "a function",
    "FittedParameter.standard_error": "in the unit of FittedParameter.unit",
    "FittedParameter.value": "in the unit of FittedParameter.unit",
    "Interface.coefficient": "S s^alpha, the unit depends on the exponent",
    "Interface.exponent": "an exponent",
    "KramersKronig.outliers": "true or false",
    "LineMinimum.jacobian": "in the scale of the fit",
    "LineMinimum.parameters": "in the scale of the fit",
    "LineMinimum.residual": "weighted, pure numbers",
    "Minimum.jacobian": "in the scale of the fit",
    "Minimum.residual": "weighted, pure numbers",
    "Minimum.theta": "in the scale of the fit",
    "Noise.free": "numbers of columns",
    "Ensemble.best": "the number of a tail",
    "Ensemble.supported": "true or false",
    "PairModel.worse_by_aicc": "an information criterion, for comparison only",
    "Problem.hessian": "pure numbers, scaled to a unit diagonal",
    "Problem.inverse": "pure numbers, scaled to a unit diagonal",
    "Problem.scale": "of the columns, one over the root of the diagonal",
    "Problem.weight": "of residuals, pure numbers",
    "Sketch.warburg_coefficient": "ohm s^-1/2, a unit without a name",
    "Counter.values": "Ah or Wh, as Counter.quantity says",
    "Source.size_bytes": "bytes, no unit of a quantity in a table",
    "TableForm.header_line": "a number that names a line",
    "TableForm.skip_lines": "lines, in the words of a user",
    "TextTable.cut_line": "a number that names a line",
    "TextTable.header_line": "a number that names a line",
    "TextTable.line_numbers": "numbers that name lines",
    "Band.low": "in the unit of Band.quantity",
    "Band.high": "in the unit of Band.quantity",
    "Sourced.value": "in the unit of the key that holds it",
    "Sourced.low": "in the unit of the key that holds it",
    "Sourced.high": "in the unit of the key that holds it",
    "EndState.status": "a code, `Status`",
    "ErrorSource.np_exponent": "an exponent, +1 or -1",
    "TanhTerm.steepness": "pure number of a closed form, as published",
    "TanhTerm.centre": "lithium content of a closed form, as published",
    "MsmrTerm.omega": "pure number, symbol of verbrugge2017",
    "ElectrodeSpec.mass_fractions": "parts by mass, the plural of a fraction",
    "BranchFile.cycle": "a number that names a cycle, not a quantity",
    "Dependence.values": "in the unit of the key that holds it",
    "Dependence.low": "in the unit of the key that holds it",
    "Dependence.high": "in the unit of the key that holds it",
    "Program.steps": "columns as in `kernels.program.Ask`",
    "Program.skip_to": "row numbers",
    "Run.results": "columns as in `kernels.program.End`",
    "Run.samples": "columns as in `kernels.program.Sample`",
    "Program.by_safety": "true or false",
    "Machine.settings": "entries as in `kernels.simulate.Setting`",
    "Machine.results": "columns as in `kernels.program.End`",
    "Machine.trace": "columns as in `kernels.program.Sample`",
    "Machine.memory": "entries as in `kernels.simulate.Memory`",
    "Machine.place": "row numbers",
    "Parameter.start": "in the scale of the fit, `Parameter.unit`",
    "Parameter.lower": "in the scale of the fit, `Parameter.unit`",
    "Parameter.upper": "in the scale of the fit, `Parameter.unit`",
    "Parameter.prior_width": "in the scale of the fit, `Parameter.unit`",
    "AgedState.charged_loss": "shares of the active material, per column",
    "AgedState.laws": "columns as in `kernels.side.Law`",
    "AgedState.memory": "columns as in `kernels.simulate.Memory`",
    "AgedState.notes": "numbers of mechanisms, each in a unit of its own",
    "AgedState.place": "row numbers",
    "AgedState.wear": "rows as in `ageing.wear.Row`",
    "Asked.traced": "numbers of cycles",
    "Blocks.ageing_kind": "a number that names a kind of cycle",
    "Draws.computed": "each in the unit of its target",
    "Draws.cost": "pure number, for comparison only",
    "Draws.best_computed": "each in the unit of its target",
    "Draws.best_cost": "pure number, for comparison only",
    "Draws.best_scaled": "in the scale of the fit",
    "Draws.emulator_error": "of a logarithm: pure number",
    "Draws.weight": "pure number, sum 1",
    "Emulator.centre": "in the units of the inputs, whatever they are",
    "Emulator.inputs": "over their width: pure numbers",
    "Emulator.width": "in the units of the inputs, whatever they are",
    "Target.doubt": "of residuals in standard deviations: pure number",
    "Draws.scaled": "in the scale of the fit",
    "Life.records": "columns as in `sim.life.ageing_cell.Mark`",
    "Life.results": "columns as in `kernels.program.End`",
    "Life.samples": "columns as in `kernels.program.Sample`",
    "LifeModel.build": "a function",
    "LifeTarget.observe": "a function",
    "LifeTarget.uncertainty": "in the unit of LifeTarget.unit",
    "LifeTarget.value": "in the unit of LifeTarget.unit",
    "Member.lb_cells": "logarithms, pure numbers",
    "Member.values": "each in the unit of its Parameter",
    "Prediction.numbers": "each in the unit of its row of the paper",
    "Reading.exposures": "s, weighted: see `Exposure`",
    "Row.computed": "in the unit of Row.unit",
    "Row.high": "in the unit of Row.unit",
    "Row.low": "in the unit of Row.unit",
    "Row.printed": "in the unit of Row.unit",
    "Trial.before": "change per cycle of slow states, units as these",
    "Trial.length": "cycles",
    "Trial.past": "cycles",
    "Trial.rate": "change per cycle of slow states, units as these",
    "Trial.slow": "slow states: units in the docstring of `sim.life.jumping`",
    "Trial.sum": "change of slow states, units as these",
    "Target.observe": "a function",
    "Target.value": "in the unit of Target.unit",
    "Target.uncertainty": "in the unit of Target.unit",
    "Calibration.chi_square": "pure number, its name in statistics",
    "Calibration.computed": "each in the unit of its Target",
    "Calibration.cost": "pure number, for comparison only",
    "Calibration.covariance": "in the scale of the fit",
    "Calibration.estimates": "each in the unit of its Parameter",
    "Calibration.prior_covariance": "in the scale of the fit",
    "Calibration.scaled": "in the scale of the fit",
    "Estimate.estimates": "each in the unit of its Parameter",
    "Estimate.scaled": "in the scale of the fit",
    "Estimate.covariance": "in the scale of the fit",
    "Estimate.prior_covariance": "in the scale of the fit",
    "Estimate.computed": "each in the unit of its Target",
    "Estimate.chi_square": "pure number, its name in statistics",
    "Estimate.cost": "pure number, for comparison only",
    "Mesh.shell_grading": "an exponent",
    "MsmrFit.cost": "weighted objective of a fit, for comparison only",
}
KEYS_EXEMPT = {"value", "low", "high", "steepness", "centre", "omega"}
NUMERIC = (float, int, np.floating, np.integer)


def is_numeric(annotation):
    """Whether float, int or an array is somewhere in an annotation (not bool)."""
    if isinstance(annotation, str):
        return bool(re.search(r"\b(float|int|Array|NDArray)\b", annotation))
    if annotation is bool:
        return False
    if inspect.isclass(annotation) and not typing.get_args(annotation):
        return issubclass(annotation, (*NUMERIC, np.ndarray))
    if typing.get_origin(annotation) is typing.Literal:
        return False
    return any(is_numeric(a) for a in typing.get_args(annotation)) or (
        typing.get_origin(annotation) is np.ndarray
    )


def fields():
    for module in MODULES:
        for name, thing in defined_in(module):
            if not inspect.isclass(thing) or name.startswith("_"):
                continue
            if issubclass(thing, BaseModel):
                hints = {k: f.annotation for k, f in thing.model_fields.items()}
            elif dataclasses.is_dataclass(thing):
                hints = {f.name: f.type for f in dataclasses.fields(thing)}
            else:
                continue
            for field, annotation in hints.items():
                if is_numeric(annotation):
                    yield f"{name}.{field}"


FIELDS = sorted(set(fields()))


def test_the_search_finds_numeric_fields():
    assert len(FIELDS) > 120
    assert "Window.upper_volt" in FIELDS
    assert "CellDesign.volume_change_percent" in FIELDS  # float | None
    assert "Inventory.np_ratio" in FIELDS  # an array
    assert "Window.model_config" not in FIELDS


@pytest.mark.parametrize("field", [f for f in FIELDS if f not in EXEMPT])
def test_a_numeric_field_ends_in_its_unit(field):
    name = field.partition(".")[2]
    assert unit_token(name) is not None, f"{field} has no registered unit"


def test_every_exemption_is_still_needed():
    assert set(EXEMPT) <= set(FIELDS)
    for field in EXEMPT:
        assert unit_token(field.partition(".")[2]) is None, field


def number_keys(table):
    """Keys that hold a number, a list of numbers, or a sourced number."""
    for key, value in table.items():
        if isinstance(value, dict):
            if "value" in value:
                yield key
            elif key not in ("mass_fractions",):
                yield from number_keys(value)
        elif isinstance(value, list):
            if value and isinstance(value[0], dict):
                for entry in value:
                    yield from number_keys(entry)
            elif value and isinstance(value[0], (int, float)):
                yield key
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield key


@pytest.mark.parametrize("kind", ["cells", "half_cells", "materials"])
def test_a_number_in_the_library_has_its_unit_in_its_key(kind):
    found = set()
    for name in library.names(kind):
        found |= set(number_keys(library.read(kind, name)))
    assert len(found) > 5
    without = {k for k in found if unit_token(k) is None} - KEYS_EXEMPT
    assert not without
