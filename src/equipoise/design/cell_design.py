"""The answer to "what does this cell do?": one design with its bands and notes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.design.compensation import Reserve, reserve
from equipoise.design.formed import Formed, formed
from equipoise.design.inventory import Inventory
from equipoise.design.stack import stack, stack_energy
from equipoise.design.states import reached_mah_per_g
from equipoise.design.volume import volume_changes_percent
from equipoise.design.weigh_sheet import WeighSheet, weigh_sheet

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell

THIN_SEPARATOR_UM = 30.0
"""Engineered separator for the second stack energy (a product, not a pellet)."""
_REACHED_VOLT = 1e-6
NOTABLE_EXTRAPOLATION_FRACTION = 0.01
"""Of the charge: above it, the design carries a note."""


@dataclass(frozen=True, slots=True)
class Band:
    """Lowest and highest answer over a named modelling choice."""

    quantity: str
    low: float
    high: float
    over: str


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
        """Whether a quantity was calibrated or is predicted."""
        per_gram = quantity if "_per_" in quantity else f"{quantity}_per_g_positive"
        known = {quantity, per_gram} & set(self.calibrated)
        return "calibrated" if known else "predicted"

    def band(self, quantity: str) -> tuple[float, float] | None:
        """Low and high over all bands of a quantity, None if there is none."""
        found = [b for b in self.bands if b.quantity == quantity]
        if not found:
            return None
        return min(b.low for b in found), max(b.high for b in found)

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
    charged, discharged = result.charged, result.discharged
    sheet = weigh_sheet(cell)
    energy = float(result.discharge_energy_wh_per_kg_positive)
    as_built = _energy(cell, energy, None)
    thin = _energy(cell, energy, thin_separator_um)
    volumes = {
        k: float(v)
        for k, v in volume_changes_percent(cell, charged.positive_mah_per_g).items()
    }
    charge = float(result.first_charge_mah_per_g_positive)
    discharge = float(result.first_discharge_mah_per_g_positive)
    q_n = cell.negative_capacity_mah_per_g
    return CellDesign(
        name=cell.name,
        np_ratio=cell.np_ratio,
        upper_volt=cell.spec.window.upper_volt,
        lower_volt=cell.spec.window.lower_volt,
        weigh=sheet,
        first_charge_mah_per_g_positive=charge,
        first_discharge_mah_per_g_positive=discharge,
        first_charge_mah=charge * cell.positive_mass_mg * 1e-3,
        first_discharge_mah=discharge * cell.positive_mass_mg * 1e-3,
        first_cycle_efficiency=discharge / charge,
        upper_potential_vs_li_volt=float(charged.upper_potential_vs_li_volt),
        negative_end_of_charge_potential_vs_li_volt=float(
            charged.negative_potential_vs_li_volt
        ),
        negative_end_of_charge_lithiation_fraction=float(
            charged.negative_mah_per_g / q_n
        ),
        lower_potential_vs_li_volt=float(discharged.upper_potential_vs_li_volt),
        negative_end_of_discharge_potential_vs_li_volt=float(
            discharged.negative_potential_vs_li_volt
        ),
        negative_end_of_discharge_lithiation_fraction=float(
            discharged.negative_mah_per_g / q_n
        ),
        limiting_electrode_end_of_charge=_limiting(charged.compensation_fraction),
        limiting_electrode_end_of_discharge=_limiting(discharged.compensation_fraction),
        volume_change_percent=next(iter(volumes.values()), None),
        h2h3_usage_mah_per_g_positive=(
            None
            if cell.positive.material.h2h3_onset_vs_li_volt is None
            else float(result.h2h3_usage_mah_per_g_positive)
        ),
        compensation_fraction=float(charged.compensation_fraction),
        charge_per_polarisation_mah_per_g_per_volt=float(
            charged.charge_per_polarisation_mah_per_g_per_volt
        ),
        reserves=reserve(cell),
        mean_discharge_volt=float(result.mean_discharge_volt),
        energy_wh_per_kg_positive=energy,
        energy_wh_per_kg_stack=as_built[0],
        energy_wh_per_l_stack=as_built[1],
        thin_separator_um=thin_separator_um,
        energy_wh_per_kg_thin_stack=thin[0],
        energy_wh_per_l_thin_stack=thin[1],
        bands=_bands(cell, inventory, result, volumes),
        calibrated=cell.calibrated,
        notes=_notes(cell, result),
        caveats=_caveats(cell),
    )


def _plain(record: WeighSheet | Reserve | Band) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def _limiting(compensation_fraction: NDArray[np.float64]) -> str:
    return "negative" if float(compensation_fraction) > 0.5 else "positive"


def _energy(
    cell: Cell, energy: float, separator_um: float | None
) -> tuple[float, float]:
    layers = stack(cell, cell.np_ratio, separator_um=separator_um)
    per_kg, per_l = stack_energy(cell, energy, layers)
    return float(per_kg), float(per_l)


def _bands(
    cell: Cell, inventory: Inventory, result: Formed, volumes: dict[str, float]
) -> tuple[Band, ...]:
    bands: list[Band] = []
    if cell.negative.variants:
        bands += _tail_bands(cell, inventory, result)
    if len(volumes) > 1:
        low, high = min(volumes.values()), max(volumes.values())
        over = f"volume data {' / '.join(sorted(volumes))}"
        bands.append(Band("volume_change_percent", low, high, over))
    lock = cell.positive.material.locked_capacity_mah_per_g
    if lock is not None and cell.positive.spec.locked_capacity_mah_per_g is None:
        charge = float(result.first_discharge_mah_per_g_positive)
        if lock.low is not None and lock.high is not None:
            bands.append(
                Band(
                    "first_discharge_mah_per_g_positive",
                    charge - (lock.high - lock.value),
                    charge + (lock.value - lock.low),
                    f"locked lithium {lock.low:g}-{lock.high:g} mAh/g",
                )
            )
    return tuple(bands)


def _tail_bands(cell: Cell, inventory: Inventory, result: Formed) -> list[Band]:
    """First charge and upper potential over the readings of the negative's curve."""
    q = [float(result.charged.positive_mah_per_g)]
    q += [
        float(reached_mah_per_g(cell, inventory, negative=variant))
        for variant in cell.negative.variants.values()
    ]
    q_low, q_high = float(np.nanmin(q)), float(np.nanmax(q))
    f_p = float(inventory.positive_active_fraction)
    start = float(inventory.positive_start_mah_per_g)
    u = cell.positive.half_cell.delithiation.potential(np.array([q_low, q_high]))
    u = u + float(result.charged.polarisation_volt)
    over = f"readings of the {cell.negative.material.name} tail"
    return [
        Band(
            "first_charge_mah_per_g_positive",
            f_p * (q_low - start),
            f_p * (q_high - start),
            over,
        ),
        Band("upper_potential_vs_li_volt", float(u[0]), float(u[1]), over),
    ]


def _notes(cell: Cell, result: Formed) -> tuple[str, ...]:
    notes: list[str] = []
    charge = float(result.first_charge_mah_per_g_positive)
    for state, when in ((result.charged, "charge"), (result.discharged, "discharge")):
        beyond = float(state.beyond_mah_per_g)
        if beyond > NOTABLE_EXTRAPOLATION_FRACTION * charge:
            notes.append(
                f"the end of {when} lies {beyond:.1f} mAh/g outside the measured "
                "range of a half-cell curve: an extrapolation"
            )
    stopped = float(
        result.discharged.upper_potential_vs_li_volt
        - result.discharged.negative_potential_vs_li_volt
    )
    if stopped > cell.spec.window.lower_volt + _REACHED_VOLT:
        notes.append(
            f"the discharge ends at {stopped:.2f} V, where the curve of the positive "
            "ends; it is taken to fall vertically from there to the lower cut-off"
        )
    z = float(result.charged.negative_mah_per_g)
    stop = cell.negative.half_cell.lithiation.stop_mah_per_g
    if z > stop:
        notes.append(
            f"the negative is lithiated to {z:.0f} mAh/g, beyond the end of its "
            f"curve at {stop:.0f}"
        )
    if float(result.charged.negative_potential_vs_li_volt) < 0.0:
        notes.append("the negative ends below 0 V vs Li+/Li: lithium may plate")
    return tuple(notes)


def _caveats(cell: Cell) -> tuple[str, ...]:
    materials = (cell.positive.material, cell.negative.material)
    return tuple(f"{m.name}: {c}" for m in materials for c in m.caveats)
