"""The answer to "what does this cell do?": one design with its bands and notes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from equipoise.core.errors import SpecError, nearest
from equipoise.design.bands import Band, bands, scaled
from equipoise.design.compensation import Reserve, reserve
from equipoise.design.formed import Formed, formed
from equipoise.design.notes import caveats, notes
from equipoise.design.stack import stack, stack_energy
from equipoise.design.volume import volume_changes_percent
from equipoise.design.weigh_sheet import WeighSheet, weigh_sheet
from equipoise.spec.inventory import Inventory

if TYPE_CHECKING:
    from equipoise.design.states import EndState
    from equipoise.spec.cell import Cell

THIN_SEPARATOR_UM = 30.0
"""Engineered separator for the second stack energy (a product, not a pellet)."""


_CHARGE, _DISCHARGE = (
    "first_charge_mah_per_g_positive",
    "first_discharge_mah_per_g_positive",
)
INPUTS = ("np_ratio", "upper_volt", "lower_volt", "thin_separator_um")
_MADE_OF = {
    "first_charge_mah": (_CHARGE,),
    "first_discharge_mah": (_DISCHARGE,),
    "first_cycle_efficiency": (_CHARGE, _DISCHARGE),
}
"""Outputs that only rescale others share their role."""


@dataclass(frozen=True, slots=True)
class CellDesign:
    """A balanced cell: what to weigh and where it will stand. Quasi-static.

    Capacities are per gram of positive active material, potentials vs Li+/Li.
    `calibrated` names the outputs the bundled curves were made to meet; all other
    outputs are predicted from the inputs. `notes` are about this design, `caveats`
    about the materials. None: the material carries no data.
    """

    name: str
    np_ratio: float
    upper_volt: float
    lower_volt: float
    weigh: WeighSheet
    first_charge_mah_per_g_positive: float
    first_discharge_mah_per_g_positive: float
    first_charge_mah: float
    first_discharge_mah: float
    first_cycle_efficiency: float
    upper_potential_vs_li_volt: float
    negative_end_of_charge_potential_vs_li_volt: float
    negative_end_of_charge_lithiation_fraction: float
    lower_potential_vs_li_volt: float
    negative_end_of_discharge_potential_vs_li_volt: float
    negative_end_of_discharge_lithiation_fraction: float
    limiting_electrode_end_of_charge: str
    limiting_electrode_end_of_discharge: str
    volume_change_percent: float | None
    h2h3_usage_mah_per_g_positive: float | None
    compensation_fraction: float
    charge_per_polarisation_mah_per_g_per_volt: float
    reserves: tuple[Reserve, ...]
    mean_discharge_volt: float
    energy_wh_per_kg_positive: float
    energy_wh_per_kg_stack: float
    energy_wh_per_l_stack: float
    thin_separator_um: float
    energy_wh_per_kg_thin_stack: float
    energy_wh_per_l_thin_stack: float
    bands: tuple[Band, ...]
    calibrated: tuple[str, ...]
    notes: tuple[str, ...]
    caveats: tuple[str, ...]

    def role(self, quantity: str) -> str:
        """Whether a quantity is an input, was calibrated or is predicted.

        Raises
        ------
        SpecError
            If a design has no such quantity.
        """
        if quantity in INPUTS:
            return "input"
        if quantity not in {f.name for f in fields(self)}:
            raise SpecError(
                f"a design has no output {quantity!r}",
                remedy=nearest(quantity, [f.name for f in fields(self)]),
            )
        made_of = _MADE_OF.get(quantity, (quantity,))
        known = all(part in self.calibrated for part in made_of)
        return "calibrated" if known else "predicted"

    def band(self, quantity: str) -> tuple[float, float] | None:
        """Low and high of a quantity, None if it has no band."""
        return next(
            ((b.low, b.high) for b in self.bands if b.quantity == quantity), None
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings and lists; the JSON of `equipoise design`."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("weigh", "reserves", "bands"):
            del plain[name]
        plain["masses_mg"] = self.weigh.masses_mg()
        plain["weigh_sheet"] = _plain(self.weigh)
        plain["reserves"] = [
            _plain(r) | {"gain_ratio": r.gain_ratio} for r in self.reserves
        ]
        plain["bands"] = [_plain(b) for b in self.bands]
        plain["roles"] = {
            f.name: self.role(f.name)
            for f in fields(self)
            if isinstance(plain.get(f.name), float) or "limiting" in f.name
        }
        plain["calibrated"] = list(self.calibrated)
        plain["notes"] = list(self.notes)
        plain["caveats"] = list(self.caveats)
        return plain


def design_cell(
    cell: Cell, *, thin_separator_um: float = THIN_SEPARATOR_UM
) -> CellDesign:
    """Weigh sheet, end states, energy, compensation and bands of one cell.

    Parameters
    ----------
    thin_separator_um
        Engineered separator for a second pair of stack energies.

    Raises
    ------
    SpecError
        If the cell cannot reach its window.

    Examples
    --------
    >>> from equipoise import design_cell, load_cell
    >>> lb = design_cell(load_cell("zhang2026-lb"))
    >>> round(lb.first_charge_mah_per_g_positive), lb.limiting_electrode_end_of_charge
    (210, 'negative')
    """
    inventory = Inventory.of(cell)
    result = formed(cell, inventory)
    sheet = weigh_sheet(cell)
    reserves = reserve(cell)
    numbers = _first_cycle(cell, result) | _ends(cell, result)
    energies = _stack_energies(cell, result, thin_separator_um)
    charged, discharged = result.charged, result.discharged
    volumes = volume_changes_percent(
        cell, charged.positive_delithiated_mah_per_g
    ).values()
    has_onset = cell.positive.material.h2h3_onset_vs_li_volt is not None
    usage = float(result.h2h3_usage_mah_per_g_positive)
    return CellDesign(
        name=cell.name,
        weigh=sheet,
        limiting_electrode_end_of_charge=_limiting(charged),
        limiting_electrode_end_of_discharge=_limiting(discharged),
        volume_change_percent=next((float(v) for v in volumes), None),
        h2h3_usage_mah_per_g_positive=usage if has_onset else None,
        reserves=reserves,
        thin_separator_um=thin_separator_um,
        bands=scaled(
            bands(cell, inventory, result),
            "energy_wh_per_kg_positive",
            numbers["energy_wh_per_kg_positive"],
            energies,
        ),
        calibrated=cell.calibrated,
        notes=notes(cell, result, reserves, sheet),
        caveats=caveats(cell),
        **numbers,
        **energies,
    )


def _first_cycle(cell: Cell, result: Formed) -> dict[str, float]:
    charge = float(result.first_charge_mah_per_g_positive)
    discharge = float(result.first_discharge_mah_per_g_positive)
    gram = cell.positive_mass_mg * 1e-3
    return {
        "np_ratio": cell.np_ratio,
        "upper_volt": cell.spec.window.upper_volt,
        "lower_volt": cell.spec.window.lower_volt,
        "first_charge_mah_per_g_positive": charge,
        "first_discharge_mah_per_g_positive": discharge,
        "first_charge_mah": charge * gram,
        "first_discharge_mah": discharge * gram,
        "first_cycle_efficiency": discharge / charge,
        "mean_discharge_volt": float(result.mean_discharge_volt),
        "energy_wh_per_kg_positive": float(result.discharge_energy_wh_per_kg_positive),
    }


def _ends(cell: Cell, result: Formed) -> dict[str, float]:
    """Where both electrodes stand at the two ends."""
    top, bottom = result.charged, result.discharged
    q_n = cell.negative_capacity_mah_per_g
    found = {
        "upper_potential_vs_li_volt": top.terminal_potential_vs_li_volt,
        "negative_end_of_charge_potential_vs_li_volt": (
            top.negative_potential_vs_li_volt
        ),
        "negative_end_of_charge_lithiation_fraction": top.negative_lithiated_mah_per_g
        / q_n,
        "lower_potential_vs_li_volt": bottom.terminal_potential_vs_li_volt,
        "negative_end_of_discharge_potential_vs_li_volt": (
            bottom.negative_potential_vs_li_volt
        ),
        "negative_end_of_discharge_lithiation_fraction": (
            bottom.negative_lithiated_mah_per_g / q_n
        ),
        "compensation_fraction": top.compensation_fraction,
        "charge_per_polarisation_mah_per_g_per_volt": (
            top.charge_per_polarisation_mah_per_g_per_volt
        ),
    }
    return {name: float(value) for name, value in found.items()}


def _plain(record: WeighSheet | Reserve | Band) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def _limiting(end: EndState) -> str:
    return "negative" if float(end.compensation_fraction) > 0.5 else "positive"


def _stack_energies(
    cell: Cell, result: Formed, thin_separator_um: float
) -> dict[str, float]:
    """Of the stack as built, and with the engineered separator."""
    found: dict[str, float] = {}
    for separator_um, stack_name in (
        (None, "stack"),
        (thin_separator_um, "thin_stack"),
    ):
        layers = stack(cell, cell.np_ratio, separator_um=separator_um)
        energy = result.discharge_energy_wh_per_kg_positive
        per_kg, per_l = stack_energy(cell, energy, layers)
        found[f"energy_wh_per_kg_{stack_name}"] = float(per_kg)
        found[f"energy_wh_per_l_{stack_name}"] = float(per_l)
    return found
