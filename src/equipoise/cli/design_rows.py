"""Rows of the tables that `equipoise design` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from equipoise.core.units import unit_symbol

if TYPE_CHECKING:
    import polars as pl

    from equipoise.design.cell_design import CellDesign
    from equipoise.design.weigh_sheet import WeighSheet

WEIGH = {
    "positive_active_mg": ("positive, active", ".3f"),
    "positive_composite_mg": ("positive, composite", ".2f"),
    "negative_active_mg": ("negative, active", ".2f"),
    "negative_composite_mg": ("negative, composite", ".2f"),
    "separator_mg": ("separator", ".0f"),
    "positive_thickness_um": ("positive, thickness", ".0f"),
    "negative_thickness_um": ("negative, thickness", ".0f"),
    "separator_thickness_um": ("separator, thickness", ".0f"),
    "one_c_ma": ("current of 1C", ".3f"),
}

WEIGH_NOTE = (
    "masses given in the file: input; the others from Eq. 1 and the recipe, "
    "thicknesses from densities and porosities: predicted"
)

QUANTITIES = {
    "first_charge_mah_per_g_positive": ("first charge", ".1f"),
    "first_discharge_mah_per_g_positive": ("first discharge", ".1f"),
    "first_charge_mah": ("first charge, whole cell", ".3f"),
    "upper_potential_vs_li_volt": ("upper potential (UP), positive", ".4f"),
    "negative_end_of_charge_potential_vs_li_volt": ("negative, end of charge", ".4f"),
    "negative_end_of_charge_lithiation_fraction": ("negative, lithiation", ".3f"),
    "lower_potential_vs_li_volt": ("lower potential, positive", ".3f"),
    "limiting_electrode_end_of_charge": ("limits the charge", ""),
    "limiting_electrode_end_of_discharge": ("limits the discharge", ""),
    "volume_change_percent": ("volume change of the positive", ".2f"),
    "h2h3_usage_mah_per_g_positive": ("charge above the H2-H3 onset", ".1f"),
    "compensation_fraction": ("compensation fraction kappa", ".3f"),
    "mean_discharge_volt": ("mean discharge voltage", ".3f"),
    "energy_wh_per_kg_positive": ("energy per positive", ".0f"),
    "energy_wh_per_kg_stack": ("energy per stack, as built", ".1f"),
    "energy_wh_per_l_stack": ("energy per stack volume, as built", ".1f"),
    "energy_wh_per_kg_thin_stack": ("energy per stack, {:.0f} µm separator", ".1f"),
    "energy_wh_per_l_thin_stack": ("same, per volume", ".1f"),
}

MAP_COLUMNS = {
    "np_ratio": "n/p",
    "first_charge_mah_per_g_positive": "charge mAh/g",
    "first_discharge_mah_per_g_positive": "discharge mAh/g",
    "upper_potential_vs_li_volt": "UP V",
    "negative_end_of_charge_potential_vs_li_volt": "negative V",
    "volume_change_percent": "volume %",
    "h2h3_usage_mah_per_g_positive": "H2-H3 mAh/g",
    "compensation_fraction": "kappa",
    "energy_wh_per_kg_stack": "stack Wh/kg",
}

_MAP_FORMATS = (".3f", ".1f", ".1f", ".4f", ".4f", ".2f", ".1f", ".2f", ".1f")


def weigh_rows(sheet: WeighSheet) -> list[tuple[str, str, str]]:
    """What, value, unit."""
    rows: list[tuple[str, str, str]] = []
    for key, (label, form) in WEIGH.items():
        value = getattr(sheet, key)
        if value is not None:
            rows.append((label, format(value, form), unit_symbol(key)))
    return rows


def design_rows(d: CellDesign) -> list[tuple[str, str, str, str, str]]:
    """Quantity, value, unit, band, role."""
    rows: list[tuple[str, str, str, str, str]] = []
    for key, (label, form) in QUANTITIES.items():
        value = getattr(d, key)
        if value is None:
            continue
        band = d.band(key)
        shown = f"{band[0]:{form}} to {band[1]:{form}}" if band else ""
        label = label.format(d.thin_separator_um)
        rows.append((label, format(value, form), unit_symbol(key), shown, d.role(key)))
    for r in d.reserves:
        label = f"loss tolerated for {r.charge_drop_fraction:.0%} less charge"
        bound = "≥ " if r.bounded_by_curves else ""
        percent = f"{bound}{r.tolerated_loss_fraction * 100.0:.1f}"
        low, high = r.tolerated_loss_low_fraction, r.tolerated_loss_high_fraction
        band = f"{low * 100.0:.1f} to {high * 100.0:.1f}"
        rows.append((label, percent, "%", band, "predicted"))
    return rows


def map_note(d: CellDesign) -> str:
    """Roles and marks of the map."""
    roles = "all rows predicted"
    if d.calibrated:
        roles = f"n/p {d.np_ratio:.3g} calibrated as above, all other rows predicted"
    return (
        f"{roles}; * beyond the measured curves by more than 1 % of the charge; "
        "- cut-off not reached"
    )


def map_rows(table: pl.DataFrame) -> list[list[str]]:
    """One row per n/p ratio; missing columns and unreachable cells show a dash."""
    return [_map_row(row) for row in table.iter_rows(named=True)]


def _map_row(row: dict[str, Any]) -> list[str]:
    cells = [
        "-" if row.get(key) is None else format(row[key], form)
        for key, form in zip(MAP_COLUMNS, _MAP_FORMATS, strict=True)
    ]
    charge = row["first_charge_mah_per_g_positive"]
    beyond = row["extrapolated_mah_per_g_positive"]
    if charge is not None and beyond is not None and beyond > 0.01 * charge:
        cells[0] += "*"
    return cells
