"""From a resolved cell to what the kernels run on (SI)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from equipoise.core.errors import SpecError
from equipoise.sim.conditions import Conditions
from equipoise.sim.electrode import (
    covered_fraction,
    ideal,
    porous,
    site_capacity_mah_per_g,
)
from equipoise.sim.impedance.alternating import Alternating
from equipoise.spec import library
from equipoise.spec.half_cell_spec import HalfCellSetup
from equipoise.spec.inventory import Inventory
from equipoise.spec.kinetics import fitting

if TYPE_CHECKING:
    from equipoise.kernels.layout import Porous
    from equipoise.sim.mesh import Mesh, ModelName
    from equipoise.spec.cell import Cell
    from equipoise.spec.kinetics import CellKinetics, ElectrodeKinetics

NOT_A_NUMBER = float("nan")


@dataclass(frozen=True, slots=True)
class Lowered:
    """A cell ready to run.

    Attributes
    ----------
    positive, negative
        Electrodes; a half cell has its working electrode as positive and an ideal
        negative.
    positive_start_fraction, negative_start_fraction
        Lithium fractions as built.
    bypass_coulomb
        First-lithiation loss: charge that passes the negative by at first.
    positive_ohm, negative_ohm
        From the electrode to the reference electrode: contacts and separator.
    positive_capacity_mah_per_g, negative_capacity_mah_per_g
        Between lithium fractions 0 and 1.
    positive_covered_fraction, negative_covered_fraction
        Lithium fractions, lowest and highest, that the curves at rest were given for.
    notes
        What of the rates is carried over: to a temperature, from a material.
    alternating
        What only the impedance of the cell depends on.
    """

    positive: Porous
    negative: Porous
    positive_start_fraction: float
    negative_start_fraction: float
    bypass_coulomb: float
    positive_ohm: float
    negative_ohm: float
    one_c_ampere: float
    positive_mass_g: float
    positive_area_cm2: float
    charges_first: bool
    positive_capacity_mah_per_g: float
    negative_capacity_mah_per_g: float
    positive_covered_fraction: tuple[float, float]
    negative_covered_fraction: tuple[float, float]
    notes: tuple[str, ...]
    alternating: Alternating = field(default_factory=Alternating)


def lower(
    cell: Cell | HalfCellSetup, *, model: ModelName = "dfn", mesh: Mesh
) -> Lowered:
    """Lower a full or half cell.

    Raises
    ------
    SpecError
        If the cell has no kinetics, no current for 1C, or lacks a conductivity.
    """
    where = cell.where or cell.spec.name
    rates = cell.kinetics
    if rates is None:
        raise SpecError(
            "the cell has no kinetics (diffusivities, exchange currents, ...)",
            where=f"{where}: kinetics",
            remedy='add kinetics = "zhang2026", or a [kinetics] table '
            "(docs/reference/kinetics-file.md)",
        )
    conditions = Conditions.of(
        model,
        mesh,
        temperature_celsius=cell.spec.temperature_celsius,
        reference_celsius=rates.reference_temperature_celsius,
    )
    if isinstance(cell, HalfCellSetup):
        return _lower_half(cell, rates, conditions, where)
    return _lower_full(cell, rates, conditions, where)


def _lower_full(
    cell: Cell, rates: CellKinetics, conditions: Conditions, where: str
) -> Lowered:
    mesh = conditions.mesh
    own_p, note_p = fitting(
        rates.positive, cell.positive.material.name, where=f"{where}: positive"
    )
    own_n, note_n = fitting(
        rates.negative, cell.negative.material.name, where=f"{where}: negative"
    )
    rates = rates.model_copy(update={"positive": own_p, "negative": own_n})
    active_p = cell.spec.inventory.positive_active_fraction
    active_n = cell.spec.inventory.negative_active_fraction
    m_p = cell.positive_mass_mg
    m_n = m_p * cell.np_ratio * cell.mass_per_np_ratio
    q_p = site_capacity_mah_per_g(cell.positive, rates.positive)
    q_n = site_capacity_mah_per_g(cell.negative, rates.negative)
    contact, separator = _series_ohm(cell, rates, conditions)
    start_p, start_n, missing = _starts(cell, q_p, q_n, where)
    return Lowered(
        positive=porous(
            cell.positive,
            rates.positive,
            conditions,
            mass_mg=m_p,
            active_fraction=active_p,
            nodes_count=mesh.positive_nodes_count,
            where=f"{where}: positive",
        ),
        negative=porous(
            cell.negative,
            rates.negative,
            conditions,
            mass_mg=m_n,
            active_fraction=active_n,
            nodes_count=mesh.negative_nodes_count,
            where=f"{where}: negative",
        ),
        positive_start_fraction=start_p,
        negative_start_fraction=start_n,
        bypass_coulomb=missing * m_n * active_n * 1e-3 * 3.6,
        positive_ohm=contact[0] + separator[0],
        negative_ohm=contact[1] + separator[1],
        one_c_ampere=_one_c_ampere(
            cell.one_c_ma_per_g_positive, m_p, f"{where}: one_c_ma_per_g_positive"
        ),
        positive_mass_g=m_p * 1e-3,
        positive_area_cm2=cell.positive.spec.area_cm2,
        charges_first=True,
        positive_capacity_mah_per_g=q_p,
        negative_capacity_mah_per_g=q_n,
        positive_covered_fraction=covered_fraction(cell.positive, rates.positive),
        negative_covered_fraction=covered_fraction(cell.negative, rates.negative),
        notes=_notes(note_p, note_n, _temperature_note(cell, rates, (own_p, own_n))),
        alternating=Alternating.of(rates, own_p, own_n, separator),
    )


def _starts(
    cell: Cell, q_p: float, q_n: float, where: str
) -> tuple[float, float, float]:
    """Lithium fractions as built; first-lithiation loss in mAh/g of the negative.

    q_p, q_n: capacities between lithium fractions 0 and 1, mAh/g.
    """
    inventory = Inventory.of(cell)
    a, b = (float(v) for v in inventory.line(cell))
    q = float(inventory.positive_start_mah_per_g)
    built, found = float(inventory.negative_start_mah_per_g), a + b * q
    start_p, start_n = 1.0 - q / q_p, max(found, built) / q_n
    _require_fraction(start_p, f"{where}: inventory.positive_start_mah_per_g")
    _require_fraction(start_n, f"{where}: inventory.negative_start_mah_per_g")
    return start_p, start_n, max(built - found, 0.0)


def _lower_half(
    cell: HalfCellSetup, rates: CellKinetics, conditions: Conditions, where: str
) -> Lowered:
    full = cell.working.half_cell.axis == "delithiated"
    own, note = fitting(
        rates.positive if full else rates.negative,
        cell.working.material.name,
        where=f"{where}: working",
    )
    mass = cell.spec.working.active_mass_mg
    assert mass is not None  # the specification demands it
    area = cell.spec.working.area_cm2
    separator_ohm_cm2 = _separator_ohm_cm2(cell, rates, conditions)
    ohm_cm2 = rates.contact_resistance_ohm_cm2.value + separator_ohm_cm2
    one_c = cell.spec.one_c_ma_per_g
    if one_c is None and cell.working.material.one_c_ma_per_g is not None:
        one_c = cell.working.material.one_c_ma_per_g.value
    return Lowered(
        positive=porous(
            cell.working,
            own,
            conditions,
            mass_mg=mass,
            active_fraction=1.0,
            nodes_count=conditions.mesh.positive_nodes_count,
            where=f"{where}: working",
        ),
        negative=ideal(cell.counter_potential_vs_li_volt, area),
        positive_start_fraction=1.0 if full else 0.0,
        negative_start_fraction=NOT_A_NUMBER,
        bypass_coulomb=0.0,
        positive_ohm=0.0 if conditions.without_rates else ohm_cm2 / area,
        negative_ohm=0.0,
        one_c_ampere=_one_c_ampere(one_c, mass, f"{where}: one_c_ma_per_g"),
        positive_mass_g=mass * 1e-3,
        positive_area_cm2=area,
        charges_first=full,
        positive_capacity_mah_per_g=site_capacity_mah_per_g(cell.working, own),
        negative_capacity_mah_per_g=NOT_A_NUMBER,
        positive_covered_fraction=covered_fraction(cell.working, own),
        negative_covered_fraction=(NOT_A_NUMBER, NOT_A_NUMBER),
        notes=_notes(note, _temperature_note(cell, rates, (own,))),
        alternating=Alternating.of(rates, own, None, (separator_ohm_cm2 / area, 0.0)),
    )


def _series_ohm(
    cell: Cell, rates: CellKinetics, conditions: Conditions
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Contacts, and separator from either electrode to the reference electrode.

    The current widens linearly from one disc to the other: ``t / (sigma sqrt(A B))``,
    exact for a truncated cone.
    """
    if conditions.without_rates:
        return (0.0, 0.0), (0.0, 0.0)
    a_p, a_n = cell.positive.spec.area_cm2, cell.negative.spec.area_cm2
    separator = _separator_ohm_cm2(cell, rates, conditions) / math.sqrt(a_p * a_n)
    contact = rates.contact_resistance_ohm_cm2.value / a_p
    share, at = rates.positive_contact_share_fraction, rates.reference_position_fraction
    return (
        (contact * share, contact * (1.0 - share)),
        (separator * (1.0 - at), separator * at),
    )


def _separator_ohm_cm2(
    cell: Cell | HalfCellSetup, rates: CellKinetics, conditions: Conditions
) -> float:
    spec = cell.spec.separator
    area_cm2 = math.pi * (spec.diameter_mm / 20.0) ** 2
    density = library.material(spec.material).density_g_per_cm3.value
    solid = density * (1.0 - spec.porosity_fraction)
    thickness_cm = spec.mass_mg * 1e-3 / solid / area_cm2
    conductivity = rates.separator_conductivity_millisiemens_per_cm.value
    conductivity *= conditions.warming_ratio(rates.separator_activation_kj_per_mol)
    return thickness_cm / (conductivity * 1e-3)


def _notes(*found: str) -> tuple[str, ...]:
    return tuple(note for note in found if note)


def _temperature_note(
    cell: Cell | HalfCellSetup,
    rates: CellKinetics,
    electrodes: tuple[ElectrodeKinetics, ...],
) -> str:
    """What carries the rates to the temperature of the cell, if it is another one."""
    wanted, known = cell.spec.temperature_celsius, rates.reference_temperature_celsius
    if wanted == known:
        return ""
    way = f"rates of {known:g} °C are carried to {wanted:g} °C"
    energies = [e.activation.model_dump(exclude={"source"}) for e in electrodes]
    without = any(not any(e.values()) for e in energies)
    if without:
        return f"{way} without activation energies of an electrode: no prediction"
    sources = dict.fromkeys(e.activation.source for e in electrodes)
    return f"{way} with activation energies: {'; '.join(s for s in sources if s)}"


def _require_fraction(lithiation_fraction: float, where: str) -> None:
    if not 0.0 <= lithiation_fraction <= 1.0:
        raise SpecError(
            f"the electrode would start with a lithium fraction of "
            f"{lithiation_fraction:.3f}, not between 0 (empty) and 1 (full)",
            where=where,
            remedy="check the starts and the lithium loss of the inventory against "
            "the capacities of the materials",
        )


def _one_c_ampere(one_c_ma_per_g: float | None, mass_mg: float, where: str) -> float:
    if one_c_ma_per_g is None:
        raise SpecError(
            "the current of 1C is not known",
            where=where,
            remedy="give it in mA per gram of active material, e.g. 190",
        )
    return one_c_ma_per_g * mass_mg * 1e-6
