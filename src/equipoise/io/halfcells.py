"""Half-cell curves of a user's own material, from a declaration in TOML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError, SpecError
from equipoise.core.references import REFERENCES, reference_potential
from equipoise.io.curve_bdf import read_bdf_branch
from equipoise.io.curve_csv import read_csv_columns
from equipoise.io.curve_mat import read_mat_columns
from equipoise.io.like import look_at_like
from equipoise.io.toml_file import read_toml
from equipoise.spec.curve import Curve, HalfCell
from equipoise.spec.curve_file import BranchFile, CurveFile
from equipoise.spec.provenance import Evidence
from equipoise.spec.treatment import Direction, Treatment, treat
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

POTENTIAL_RANGE_VOLT = (-0.1, 5.5)
CAPACITY_RANGE_MAH_PER_G = {"positive": (20.0, 400.0), "negative": (20.0, 4500.0)}
"""Plausible spans: up to the theoretical capacities of Li-rich oxides (with some
margin) and of lithium or silicon."""
NEGATIVE_FRACTION = 0.01
"""Of the span: noise of a counter around zero."""
NORMALISED_SPAN = (0.05, 1.2)


def load_half_cell(path: str | Path) -> tuple[CurveFile, HalfCell]:
    """Read a declaration and the curves it names.

    Raises
    ------
    SpecError
        If the TOML is not readable, or a key is unknown, missing or wrong.
    DataError
        If a measured file is not what it was declared to be.
    """
    path = Path(path)
    content = read_toml(path)
    declaration = validated(CurveFile, content, where=str(path))
    return declaration, read_half_cell(declaration, folder=path.parent)


def read_half_cell(declaration: CurveFile, *, folder: Path) -> HalfCell:
    """Read, convert, check and treat the curves of a declaration.

    Parameters
    ----------
    folder
        What file names are relative to.

    Raises
    ------
    SpecError
        If the reference electrode or the `like` material is unknown, or the axis of
        a branch is open.
    DataError
        If a file is not what it was declared to be.
    """
    reference_potential(declaration.reference)
    curves: dict[Direction, Curve] = {}
    treatments: list[Treatment] = []
    for direction, branch in declaration.branches.items():
        where = str(folder / branch.file)
        capacity, potential = _columns(branch, direction, folder)
        potential = _potential(potential, branch, declaration.reference, where)
        capacity = _specific(capacity, branch, declaration, where)
        previous = next(iter(curves.values()), None)
        capacity = _on_axis(capacity, branch, direction, declaration, previous)
        curve, treatment = treat(
            capacity, potential, direction=direction, axis=declaration.axis, where=where
        )
        _refuse_negative(capacity, declaration, direction, where)
        curves[direction] = curve
        treatments.append(treatment)
    only = next(iter(curves.values()))
    measured = HalfCell(
        declaration.name,
        curves.get("delithiation", only),
        curves.get("lithiation", only),
        declaration.source,
        Evidence.MEASURED,
        tuple(treatments),
    )
    look_at_like(declaration, measured, where=declaration.name)
    return measured


def _refuse_negative(
    capacity: Array, declaration: CurveFile, direction: Direction, where: str
) -> None:
    low, high = float(np.nanmin(capacity)), float(np.nanmax(capacity))
    if low < -NEGATIVE_FRACTION * (high - low):
        raise DataError(
            f"the {declaration.axis} capacity runs from {low:.4g} to {high:.4g} mAh/g; "
            "it counts from the material as it is built into the cell, 0",
            where=f"{where} [{direction}]",
            remedy="a counter that was not set to zero? Give capacity_offset_mah_per_g "
            "(capacity at the file's zero) or align_to_mah_per_g (at its beginning)",
        )


def _columns(
    branch: BranchFile, direction: Direction, folder: Path
) -> tuple[Array, Array]:
    path = folder / branch.file
    if branch.capacity_column is None or branch.potential_column is None:
        return read_bdf_branch(path, direction=direction, cycle=branch.cycle)
    columns = (branch.capacity_column, branch.potential_column)
    match path.suffix.lower():
        case ".mat":
            return read_mat_columns(path, columns=columns, struct=branch.struct)
        case ".parquet":
            raise SpecError(
                f"[{direction}]: Parquet is read as BDF, which names its own columns",
                where=str(path),
                remedy="remove capacity_column, capacity_unit and potential_column",
            )
        case ".xls" | ".xlsx" | ".ods":
            raise DataError(
                "this is a spreadsheet, which is not read",
                where=str(path),
                remedy="save the sheet as CSV",
            )
        case _:
            return read_csv_columns(
                path,
                columns=columns,
                separator=branch.separator,
                decimal=branch.decimal,
            )


def _range(values: Array, name: str, where: str) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise DataError(f"the {name} column holds no numbers", where=where)
    return float(finite.min()), float(finite.max())


def _potential(
    measured: Array, branch: BranchFile, reference: str, where: str
) -> Array:
    """Volt vs Li+/Li."""
    unit = branch.potential_unit
    low, high = _range(measured, "potential", where)
    largest = max(abs(low), abs(high))
    if (unit == "volt" and largest > 10.0) or (unit == "millivolt" and largest < 10.0):
        other = "millivolt" if unit == "volt" else "volt"
        raise DataError(
            f"potentials up to {largest:.4g} {unit}: this looks like {other}",
            where=where,
            remedy=f'set potential_unit = "{other}", or check potential_column',
        )
    scale = 1e-3 if unit == "millivolt" else 1.0
    shift = reference_potential(reference)
    low, high = low * scale, high * scale
    if not _plausible(low + shift, high + shift):
        raise DataError(
            f"{low:.4g} to {high:.4g} V vs {reference!r} is {low + shift:.4g} to "
            f"{high + shift:.4g} V vs Li+/Li, outside {POTENTIAL_RANGE_VOLT[0]:g} to "
            f"{POTENTIAL_RANGE_VOLT[1]:g} V",
            where=where,
            remedy=_reference_hint(low, high),
        )
    return measured * scale + shift


def _plausible(low: float, high: float) -> bool:
    return POTENTIAL_RANGE_VOLT[0] <= low and high <= POTENTIAL_RANGE_VOLT[1]


def _reference_hint(low: float, high: float) -> str:
    shifts = {name: r.potential_vs_li_volt for name, r in REFERENCES.items()}
    fits = [name for name, v in shifts.items() if _plausible(low + v, high + v)]
    if fits:
        return f"check potential_column and reference (possible: {', '.join(fits)})"
    return "check potential_column and potential_unit"


def _specific(
    capacity: Array, branch: BranchFile, declaration: CurveFile, where: str
) -> Array:
    """Capacities per gram, still on the axis of the file."""
    least, most = _range(capacity, "capacity", where)
    span = most - least
    if branch.capacity_unit == "normalised" and not (
        NORMALISED_SPAN[0] <= span <= NORMALISED_SPAN[1]
    ):
        raise DataError(
            f"the normalised capacity spans {span:.4g}, 0 to 1 was expected",
            where=where,
            remedy="percent, Ah or mAh/g are not normalised: check capacity_unit",
        )
    factor = _per_gram(branch.capacity_unit or "ah", branch, declaration)
    low, high = CAPACITY_RANGE_MAH_PER_G[declaration.role]
    if not low <= span * factor <= high:
        raise DataError(
            f"the capacity spans {span * factor:.4g} mAh/g, which a {declaration.role} "
            f"electrode does not have ({low:g} to {high:g} mAh/g expected)",
            where=where,
            remedy=_unit_hint(span, branch, declaration),
        )
    return capacity * factor


def _per_gram(unit: str, branch: BranchFile, declaration: CurveFile) -> float:
    """Factor from the file's capacity to mAh/g; NaN if what it needs is not given."""
    mass = declaration.active_mass_mg or float("nan")
    return {
        "ah": 1e6 / mass,
        "mah": 1e3 / mass,
        "mah_per_g": 1.0,
        "normalised": branch.capacity_span_mah_per_g or float("nan"),
    }[unit]


def _unit_hint(span: float, branch: BranchFile, declaration: CurveFile) -> str:
    low, high = CAPACITY_RANGE_MAH_PER_G[declaration.role]
    declared = branch.capacity_unit or "ah"
    if declared == "normalised":
        return "check capacity_span_mah_per_g"
    for unit in ("ah", "mah", "mah_per_g"):
        value = span * _per_gram(unit, branch, declaration)
        if unit != declared and low <= value <= high:
            return (
                f'capacity_unit = "{unit}" would make it {value:.4g} mAh/g; '
                f'"{declared}" is declared'
            )
    if branch.needs_mass:
        mass = declaration.active_mass_mg
        return f"check capacity_unit and active_mass_mg = {mass:g} (milligrams)"
    return "check capacity_unit and capacity_column"


def _on_axis(
    capacity: Array,
    branch: BranchFile,
    direction: Direction,
    declaration: CurveFile,
    previous: Curve | None,
) -> Array:
    """Move the file's capacities onto the axis common to both branches."""
    runs_up = direction == (
        "delithiation" if declaration.role == "positive" else ("lithiation")
    )
    counts = branch.capacity_counts or direction
    sign = 1.0 if (counts == direction) == runs_up else -1.0
    if branch.capacity_offset_mah_per_g is not None:
        return branch.capacity_offset_mah_per_g + sign * capacity
    begin = branch.align_to_mah_per_g
    if begin is None:
        if sign > 0.0:
            return capacity
        if runs_up:
            begin = 0.0
        elif previous is not None:
            begin = previous.measured_to_mah_per_g
        else:
            raise SpecError(
                f"[{direction}] alone counts its own capacity: nothing says where on "
                f"the {declaration.axis} axis it begins",
                where=branch.file,
                remedy="give align_to_mah_per_g (the capacity at its beginning), or "
                "the other branch too",
            )
    along = sign * capacity
    edge = np.nanmin(along) if runs_up else np.nanmax(along)
    return begin + along - edge
