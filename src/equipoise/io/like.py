"""A user's curve beside the library material it is declared to be like.

Two classic mistakes leave a curve that is plausible by itself: the wrong reference
electrode (the In/InLi scale read as Li) and the composite's mass given as the active
mass. Both show against a similar material.
"""

from __future__ import annotations

import warnings

import numpy as np

from equipoise.core.errors import EquipoiseWarning, SpecError, nearest
from equipoise.core.references import REFERENCES, reference_potential
from equipoise.spec import library
from equipoise.spec.curve import Curve, HalfCell
from equipoise.spec.curve_file import CurveFile
from equipoise.spec.open_circuit import half_cell

LARGEST_SHIFT_VOLT = 0.2
"""Median difference at equal share of the capacity: materials of one family differ
by less, the scales of common reference electrodes by more."""
EXPLAINED_VOLT = 0.12
CAPACITY_RATIO = (0.75, 1.0 / 0.75)
"""Of the capacity between two potentials both curves pass."""
_SHARES = np.linspace(0.2, 0.8, 61)


def look_at_like(declaration: CurveFile, measured: HalfCell, *, where: str) -> None:
    """Warn if a curve is far from that of its `like` material.

    Raises
    ------
    SpecError
        If the `like` material is unknown or of the other role.

    Warns
    -----
    EquipoiseWarning
        If the potentials differ by more than `LARGEST_SHIFT_VOLT`, or the capacity
        is outside `CAPACITY_RATIO` of that of the material.
    """
    name = declaration.like
    if name is None:
        return
    if name not in library.names("materials"):
        raise SpecError(
            f"there is no material {name!r} in the library",
            where=f"{where}: like",
            remedy=nearest(name, library.names("materials")),
        )
    form = library.material(name).open_circuit
    if form is None or form.axis != declaration.axis:
        raise SpecError(
            f"{name!r} is of kind {library.material(name).kind!r}, the curve of role "
            f"{declaration.role!r}",
            where=f"{where}: like",
            remedy="name a material of the same role",
        )
    known = half_cell(name, form).delithiation
    shift = _shift_volt(measured.delithiation, known)
    if abs(shift) > LARGEST_SHIFT_VOLT:
        _warn(_shifted(declaration, shift), where)
        return
    ratio = _capacity_ratio(measured.delithiation, known)
    if ratio is not None and not CAPACITY_RATIO[0] <= ratio <= CAPACITY_RATIO[1]:
        mass = declaration.active_mass_mg
        hint = (
            "is the capacity column right?"
            if mass is None
            else f"is active_mass_mg = {mass:g} the active mass, not the composite's?"
        )
        _warn(
            f"between the same potentials the curve holds {ratio:.2f} times the "
            f"capacity of {name!r}: {hint}",
            where,
        )


def _warn(text: str, where: str) -> None:
    warnings.warn(f"{where}: {text}", EquipoiseWarning, stacklevel=4)


def _measured(curve: Curve, shares: np.ndarray) -> np.ndarray:
    low, high = curve.measured_from_mah_per_g, curve.measured_to_mah_per_g
    return low + shares * (high - low)


def _shift_volt(ours: Curve, known: Curve) -> float:
    """Median of ours minus known at equal shares of the measured capacities."""
    difference = ours.potential(_measured(ours, _SHARES)) - known.potential(
        _measured(known, _SHARES)
    )
    return float(np.median(difference))


def _shifted(declaration: CurveFile, shift: float) -> str:
    side = "above" if shift > 0.0 else "below"
    text = (
        f"the potentials lie {abs(shift) * 1e3:.0f} mV {side} those of "
        f"{declaration.like!r}"
    )
    declared = reference_potential(declaration.reference)
    for name, electrode in REFERENCES.items():
        moved = shift + electrode.potential_vs_li_volt - declared
        if name != declaration.reference and abs(moved) < EXPLAINED_VOLT:
            return f"{text}: was it measured against {name!r}?"
    return f"{text}: check reference = {declaration.reference!r} and the columns"


def _capacity_ratio(ours: Curve, known: Curve) -> float | None:
    """Capacity of ours over known between two potentials both pass; None if none."""
    ends = [c.potential(_measured(c, np.array([0.1, 0.9]))) for c in (ours, known)]
    low = max(float(e.min()) for e in ends)
    high = min(float(e.max()) for e in ends)
    if not high - low > 0.05:
        return None
    spans = [abs(float(np.diff(c.capacity_at([low, high]))[0])) for c in (ours, known)]
    return spans[0] / spans[1] if spans[1] > 0.0 else None
