"""Rows of the tables about designs: label, values as printed, unit, role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from equipoise.core.units import unit_symbol
from equipoise.design.cell_design import INPUTS
from equipoise.viz.labels import quantity, signed

if TYPE_CHECKING:
    import polars as pl

    from equipoise.design.cell_design import CellDesign
    from equipoise.design.compensation import Reserve
    from equipoise.report.answers import Answer

NBSP = "\N{NO-BREAK SPACE}"
NO_VALUE = "\N{EN DASH}"

SUMMARY: dict[str, dict[str, tuple[str, str]]] = {
    "Design": {
        "np_ratio": ("n/p ratio", ".3f"),
        "upper_volt": ("upper cut-off voltage", ".3f"),
        "lower_volt": ("lower cut-off voltage", ".3f"),
    },
    "First cycle": {
        "first_charge_mah_per_g_positive": ("first charge", ".1f"),
        "first_discharge_mah_per_g_positive": ("first discharge", ".1f"),
        "first_charge_mah": ("first charge, whole cell", ".3f"),
        "first_discharge_mah": ("first discharge, whole cell", ".3f"),
        "first_cycle_efficiency": ("first-cycle efficiency", ".3f"),
    },
    "End of charge": {
        "upper_potential_vs_li_volt": ("positive vs Li⁺/Li, upper potential UP", ".3f"),
        "negative_end_of_charge_potential_vs_li_volt": ("negative vs Li⁺/Li", ".3f"),
        "negative_end_of_charge_lithiation_fraction": ("negative, lithiation", ".3f"),
        "limiting_electrode_end_of_charge": ("electrode that ends the charge", ""),
        "h2h3_usage_mah_per_g_positive": ("charge above the H2-H3 onset", ".1f"),
        "volume_change_percent": ("volume change of the positive", ".2f"),
    },
    "End of discharge": {
        "lower_potential_vs_li_volt": ("positive vs Li⁺/Li, lower potential LP", ".3f"),
        "negative_end_of_discharge_potential_vs_li_volt": (
            "negative vs Li⁺/Li",
            ".3f",
        ),
        "negative_end_of_discharge_lithiation_fraction": (
            "negative, lithiation",
            ".3f",
        ),
        "limiting_electrode_end_of_discharge": (
            "electrode that ends the discharge",
            "",
        ),
    },
    "Compensation": {
        "compensation_fraction": (
            "compensation fraction κ at the end of charge",
            ".3f",
        ),
        "charge_per_polarisation_mah_per_g_per_volt": (
            "change of the charge per added polarisation",
            ".1f",
        ),
    },
    "Energy": {
        "mean_discharge_volt": ("mean discharge voltage", ".3f"),
        "energy_wh_per_kg_positive": ("energy per mass of positive", ".1f"),
        "energy_wh_per_kg_stack": ("energy per stack mass, as built", ".1f"),
        "energy_wh_per_l_stack": ("energy per stack volume, as built", ".1f"),
        "thin_separator_um": ("thin separator assumed below", ".0f"),
        "energy_wh_per_kg_thin_stack": ("energy per stack mass, thin separator", ".1f"),
        "energy_wh_per_l_thin_stack": (
            "energy per stack volume, thin separator",
            ".1f",
        ),
    },
}
"""All scalars of a `CellDesign`, in groups: label and number format."""

WEIGH = {
    "positive_active_mg": ("positive, active material", ".3f"),
    "positive_composite_mg": ("positive, composite", ".3f"),
    "negative_active_mg": ("negative, active material", ".3f"),
    "negative_composite_mg": ("negative, composite", ".3f"),
    "separator_mg": ("separator", ".1f"),
    "positive_area_cm2": ("positive, area", ".4f"),
    "negative_area_cm2": ("negative, area", ".4f"),
    "separator_area_cm2": ("separator, area", ".4f"),
    "positive_loading_mg_per_cm2": ("positive, active loading", ".2f"),
    "negative_loading_mg_per_cm2": ("negative, active loading", ".2f"),
    "positive_thickness_um": ("positive, thickness", ".0f"),
    "negative_thickness_um": ("negative, thickness", ".0f"),
    "separator_thickness_um": ("separator, thickness", ".0f"),
    "one_c_ma": ("current of 1C", ".3f"),
    "one_c_positive_ma_per_cm2": ("1C per area of the positive", ".3f"),
    "one_c_negative_ma_per_g": ("1C per mass of active negative", ".1f"),
}
_FORMATS = {k: form for group in SUMMARY.values() for k, (_, form) in group.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a value (and a smaller second line) per cell."""

    label: str
    unit: str
    values: tuple[str, ...]
    small: tuple[str, ...] = ()
    role: str = ""


def shown(value: object, form: str) -> str:
    """A value as printed, a dash for None."""
    if value is None:
        return NO_VALUE
    return signed(value, form) if isinstance(value, int | float) else str(value)


def span(low: float, high: float, form: str) -> str:
    """Range, smaller magnitude first; one number if both ends print alike."""
    first, last = (low, high) if abs(low) <= abs(high) else (high, low)
    printed = (signed(first, form), signed(last, form))
    return printed[0] if printed[0] == printed[1] else " to ".join(printed)


def summary_rows(answers: Sequence[Answer]) -> dict[str, list[Row]]:
    """All scalars of all designs, by group."""
    designs = [a.design for a in answers]
    groups = {
        group: [_summary_row(designs, key, *entry) for key, entry in keys.items()]
        for group, keys in SUMMARY.items()
    }
    groups["Compensation"] += _reserve_rows(designs)
    return groups


def _summary_row(designs: Sequence[CellDesign], key: str, label: str, form: str) -> Row:
    values = tuple(shown(getattr(d, key), form) for d in designs)
    bands = [d.band(key) for d in designs]
    spans = ["" if b is None else span(*b, form) for b in bands]
    small = tuple("" if b == v else b for b, v in zip(spans, values, strict=True))
    return Row(
        label,
        unit_symbol(key),
        values,
        small if any(small) else (),
        _role(designs, key),
    )


def _role(designs: Sequence[CellDesign], key: str) -> str:
    if key in INPUTS:
        return "input"
    roles = [d.role(key) for d in designs]
    if len(set(roles)) == 1:
        return roles[0]
    return ", ".join(f"{r} ({d.name})" for r, d in zip(roles, designs, strict=True))


def _reserve_rows(designs: Sequence[CellDesign]) -> list[Row]:
    rows: list[Row] = []
    for reserves in zip(*(d.reserves for d in designs), strict=True):
        drop = f"{100.0 * reserves[0].charge_drop_fraction:.0f}{NBSP}%"
        values = tuple(f"{100.0 * r.tolerated_loss_fraction:.1f}" for r in reserves)
        small = tuple(
            f"{tolerated_loss(r)}; {r.tolerated_mah_per_g_positive:.1f} mAh g⁻¹, "
            f"gain {r.gain_ratio:.1f}"
            for r in reserves
        )
        label = f"loss of positive tolerated for {drop} less charge"
        rows.append(Row(label, "%", values, small, "predicted"))
    return rows


def tolerated_loss(loss: Reserve) -> str:
    """The tolerated loss with its range over where the lithium of the lost is."""
    low = f"{100.0 * loss.tolerated_loss_low_fraction:.1f}"
    high = f"{100.0 * loss.tolerated_loss_high_fraction:.1f}"
    bound = "at least " if loss.bounded_by_curves else ""
    shown = low if is_closed(loss) else f"{low} to {high}"
    return f"{bound}{shown}{NBSP}%"


def is_closed(loss: Reserve) -> bool:
    """Whether both ends of its range print alike."""
    low, high = loss.tolerated_loss_low_fraction, loss.tolerated_loss_high_fraction
    return f"{100.0 * low:.1f}" == f"{100.0 * high:.1f}"


def band_rows(answers: Sequence[Answer]) -> list[tuple[str, str, str, str, str, str]]:
    """Cell, quantity, value, range, unit, over what."""
    labels = {k: label for group in SUMMARY.values() for k, (label, _) in group.items()}
    return [
        (
            a.label,
            labels.get(b.quantity, quantity(b.quantity)),
            shown(getattr(a.design, b.quantity), _FORMATS.get(b.quantity, ".3g")),
            span(b.low, b.high, _FORMATS.get(b.quantity, ".3g")),
            unit_symbol(b.quantity),
            b.over,
        )
        for a in answers
        for b in a.design.bands
    ]


def weigh_rows(answers: Sequence[Answer]) -> list[Row]:
    """Masses, areas, loadings, thicknesses and currents."""
    return [
        Row(
            label,
            unit_symbol(key),
            tuple(shown(getattr(a.design.weigh, key), form) for a in answers),
        )
        for key, (label, form) in WEIGH.items()
    ]


def tolerance_rows(table: pl.DataFrame) -> list[tuple[str, str, str, str, str]]:
    """Error, its size, and what it does to n/p, charge and upper potential."""
    rows: list[tuple[str, str, str, str, str]] = []
    for r in table.iter_rows(named=True):
        total = r["error_percent"] is None
        sign = "" if total else "+"
        effects = (
            signed(r["np_change_ratio"], f"{sign}.4f"),
            signed(r["charge_change_mah_per_g_positive"], f"{sign}.2f"),
            signed(r["upper_potential_change_millivolt"], f"{sign}.2f"),
        )
        size = "" if total else f"+{r['error_percent']:.1f}"
        sign = "±" if total else ""
        np_change, charge, upper = (sign + e for e in effects)
        rows.append((str(r["error_in"]), size, np_change, charge, upper))
    return rows
