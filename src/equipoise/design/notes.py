"""What a reader must know about one design, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from equipoise.design.compensation import Reserve
    from equipoise.design.formed import Formed
    from equipoise.design.weigh_sheet import WeighSheet
    from equipoise.spec.cell import Cell

PLAUSIBLE_UM = (1.0, 3000.0)
"""Thickness of an electrode layer: a film of one particle to a thick pellet."""
_REACHED_VOLT = 1e-6
_EMPTY_MAH_PER_G = 1e-6
NOTABLE_EXTRAPOLATION_FRACTION = 0.01
"""Of the charge: above it, the design carries a note."""


def notes(
    cell: Cell, result: Formed, reserves: tuple[Reserve, ...], sheet: WeighSheet
) -> tuple[str, ...]:
    """Notes on one design: extrapolations, bounds, plating."""
    found = [
        *_extrapolations(result),
        *_discharge_end(cell, result),
        *_negative_end(cell, result),
        *_thicknesses(sheet),
    ]
    if any(r.bounded_by_curves for r in reserves):
        found.append(
            "a tolerated loss is a lower bound: with more loss the positive leaves "
            "its half-cell curve before the charge has dropped that far"
        )
    return tuple(found)


def caveats(cell: Cell) -> tuple[str, ...]:
    """Caveats of both materials, each with the name of its material."""
    materials = (cell.positive.material, cell.negative.material)
    return tuple(f"{m.name}: {c}" for m in materials for c in m.caveats)


def _thicknesses(sheet: WeighSheet) -> list[str]:
    layers = {
        "positive": sheet.positive_thickness_um,
        "negative": sheet.negative_thickness_um,
    }
    low, high = PLAUSIBLE_UM
    return [
        f"the {name} electrode would be {thickness:.3g} µm thick: check loading "
        "(mg/cm2), masses (mg) and diameters (mm)"
        for name, thickness in layers.items()
        if not low <= thickness <= high
    ]


def _extrapolations(result: Formed) -> list[str]:
    charge = float(result.first_charge_mah_per_g_positive)
    states = {"charge": result.charged, "discharge": result.discharged}
    return [
        f"the end of {when} lies {float(state.beyond_mah_per_g):.1f} mAh/g outside the "
        "measured range of a half-cell curve: an extrapolation"
        for when, state in states.items()
        if float(state.beyond_mah_per_g) > NOTABLE_EXTRAPOLATION_FRACTION * charge
    ]


def _discharge_end(cell: Cell, result: Formed) -> list[str]:
    end = result.discharged
    stopped = float(
        end.terminal_potential_vs_li_volt - end.negative_potential_vs_li_volt
    )
    if stopped <= cell.spec.window.lower_volt + _REACHED_VOLT:
        return []
    empty = cell.negative.half_cell.delithiation.start_mah_per_g
    side = "positive"
    if float(end.negative_lithiated_mah_per_g) <= empty + _EMPTY_MAH_PER_G:
        side = "negative"
    return [
        f"the discharge ends at {stopped:.2f} V, where the curve of the {side} ends; "
        "it is taken to go on vertically to the lower cut-off"
    ]


def _negative_end(cell: Cell, result: Formed) -> list[str]:
    found: list[str] = []
    z = float(result.charged.negative_lithiated_mah_per_g)
    stop = cell.negative.half_cell.lithiation.stop_mah_per_g
    if z > stop:
        found.append(
            f"the negative is lithiated to {z:.0f} mAh/g, beyond the end of its "
            f"curve at {stop:.0f}"
        )
    if float(result.charged.negative_potential_vs_li_volt) < 0.0:
        found.append("the negative ends below 0 V vs Li+/Li: lithium may plate")
    return found
