"""From a resolved cell to the arrays of the kernels (SI)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.constants import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    ZERO_CELSIUS_KELVIN,
)
from equipoise.core.errors import SpecError
from equipoise.kernels.layout import (
    BRANCH,
    BRANCH_NEW,
    CAPACITY,
    EXCHANGE,
    FIELD_COLUMN_ROWS,
    FIELD_NODE_ROWS,
    FIELD_SHELL_BLOCKS,
    FILM,
    FLUX,
    INTERFACE,
    INVERSE_RADIUS2,
    MEAN,
    SURFACE,
    Field,
    Porous,
)
from equipoise.kernels.particle import sphere
from equipoise.sim.mesh import Mesh, ModelName
from equipoise.spec.half_cell_spec import HalfCellSetup
from equipoise.spec.inventory import Inventory
from equipoise.spec.kinetics import Dependence, ParticleClass
from equipoise.spec.open_circuit import half_cell

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell
    from equipoise.spec.curve import HalfCell
    from equipoise.spec.electrode import Electrode
    from equipoise.spec.kinetics import ActivationEnergies, ElectrodeKinetics

Array = NDArray[np.float64]

OPEN_CIRCUIT_NODES = 4097
DEPENDENCE_NODES = 1025
NO_RESISTANCE = 1e12
"""Factor on conductivities, diffusivities and exchange currents of the quasi-static
model: what is left of any polarisation is below a picovolt."""
AT_ONCE = 1e12  # hysteresis without a capacity


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


def lower(
    cell: Cell | HalfCellSetup, *, model: ModelName = "dfn", mesh: Mesh
) -> Lowered:
    """Lower a full or half cell.

    Raises
    ------
    SpecError
        If the cell has no kinetics, no current for 1C, or lacks a conductivity.
    """
    if isinstance(cell, HalfCellSetup):
        return _lower_half(cell, model, mesh)
    rates = cell.kinetics
    if rates is None:
        raise _no_kinetics(cell.where or cell.name)
    inventory = Inventory.of(cell)
    spec = cell.spec
    where = cell.where or cell.name
    m_p = cell.positive_mass_mg
    m_n = m_p * cell.np_ratio * cell.mass_per_np_ratio
    kelvin = _kelvin(spec.temperature_celsius)
    reference = _kelvin(rates.reference_temperature_celsius)
    q_p = site_capacity_mah_per_g(cell.positive, rates.positive)
    q_n = site_capacity_mah_per_g(cell.negative, rates.negative)
    positive = _porous(
        cell.positive,
        rates.positive,
        q_p,
        m_p,
        mesh.positive_nodes_count,
        mesh,
        share=spec.inventory.positive_active_fraction,
        kelvin=kelvin,
        reference_kelvin=reference,
        model=model,
        where=f"{where}: positive",
    )
    negative = _porous(
        cell.negative,
        rates.negative,
        q_n,
        m_n,
        mesh.negative_nodes_count,
        mesh,
        share=spec.inventory.negative_active_fraction,
        kelvin=kelvin,
        reference_kelvin=reference,
        model=model,
        where=f"{where}: negative",
    )
    a, b = (float(v) for v in inventory.line(cell))
    q0 = float(inventory.positive_start_mah_per_g)
    z0, built = a + b * q0, float(inventory.negative_start_mah_per_g)
    missing = max(built - z0, 0.0)
    per_positive = spec.inventory.positive_active_fraction / b  # rho f_n
    series = _series_ohm(cell, rates, kelvin, reference)
    if model == "quasi-static":
        series = (0.0, 0.0)
    return Lowered(
        positive=positive,
        negative=negative,
        positive_start_fraction=1.0 - q0 / q_p,
        negative_start_fraction=max(z0, built) / q_n,
        bypass_coulomb=missing * per_positive * m_p * 1e-3 * 3.6,
        positive_ohm=series[0],
        negative_ohm=series[1],
        one_c_ampere=_one_c_ampere(cell.one_c_ma_per_g_positive, m_p, where),
        positive_mass_g=m_p * 1e-3,
        positive_area_cm2=cell.positive.spec.area_cm2,
        charges_first=True,
        positive_capacity_mah_per_g=q_p,
        negative_capacity_mah_per_g=q_n,
    )


def _lower_half(cell: HalfCellSetup, model: ModelName, mesh: Mesh) -> Lowered:
    rates, spec = cell.kinetics, cell.spec
    where = cell.where or spec.name
    if rates is None:
        raise _no_kinetics(where)
    of = (
        rates.positive
        if cell.working.half_cell.axis == "delithiated"
        else rates.negative
    )
    q = site_capacity_mah_per_g(cell.working, of)
    mass = spec.working.active_mass_mg
    assert mass is not None  # the specification demands it
    kelvin = _kelvin(spec.temperature_celsius)
    reference = _kelvin(rates.reference_temperature_celsius)
    working = _porous(
        cell.working,
        of,
        q,
        mass,
        mesh.positive_nodes_count,
        mesh,
        share=1.0,
        kelvin=kelvin,
        reference_kelvin=reference,
        model=model,
        where=f"{where}: working",
    )
    area = spec.working.area_cm2
    separator = _separator_ohm_cm2(cell, rates, kelvin, reference) / area
    contact = rates.contact_resistance_ohm_cm2.value / area
    if model == "quasi-static":
        separator = contact = 0.0
    one_c = spec.one_c_ma_per_g
    if one_c is None and cell.working.material.one_c_ma_per_g is not None:
        one_c = cell.working.material.one_c_ma_per_g.value
    full = cell.working.half_cell.axis == "delithiated"
    return Lowered(
        positive=working,
        negative=_ideal(cell.counter_potential_vs_li_volt, area),
        positive_start_fraction=1.0 if full else 0.0,
        negative_start_fraction=float("nan"),
        bypass_coulomb=0.0,
        positive_ohm=contact + separator,
        negative_ohm=0.0,
        one_c_ampere=_one_c_ampere(one_c, mass, where),
        positive_mass_g=mass * 1e-3,
        positive_area_cm2=area,
        charges_first=full,
        positive_capacity_mah_per_g=q,
        negative_capacity_mah_per_g=float("nan"),
    )


def site_capacity_mah_per_g(electrode: Electrode, rates: ElectrodeKinetics) -> float:
    """Capacity between lithium fractions 0 and 1, per gram of active material."""
    if rates.lithium_capacity_mah_per_g is not None:
        return rates.lithium_capacity_mah_per_g.value
    known = electrode.material.theoretical_capacity_mah_per_g
    if known is not None:
        return known.value
    curves = electrode.half_cell
    return max(curves.delithiation.stop_mah_per_g, curves.lithiation.stop_mah_per_g)


def _porous(
    electrode: Electrode,
    rates: ElectrodeKinetics,
    site_capacity: float,
    mass_mg: float,
    nodes: int,
    mesh: Mesh,
    *,
    share: float,
    kelvin: float,
    reference_kelvin: float,
    model: ModelName,
    where: str,
) -> Porous:
    shells = mesh.shells_count
    if model != "dfn":
        nodes = 1
    if model == "quasi-static":
        shells = 1
    no_rate = NO_RESISTANCE if model == "quasi-static" else 1.0
    energies = rates.activation

    def warmed(value: float, energy_kj_per_mol: float) -> float:
        return value * _arrhenius(energy_kj_per_mol, kelvin, reference_kelvin)

    spec = electrode.spec
    area_m2 = spec.area_cm2 * 1e-4
    length_m = electrode.thickness_um(mass_mg) * 1e-6
    density_g_per_m3 = electrode.material.density_g_per_cm3.value * 1e6
    volume_fraction = mass_mg * 1e-3 * share / (density_g_per_m3 * area_m2 * length_m)
    charge_per_m3 = density_g_per_m3 * site_capacity * 3.6  # F c_max
    contact = rates.contact_area_fraction.value
    classes = rates.particle_classes or (ParticleClass(name="all", share_fraction=1.0),)
    radius = [rates.particle_radius_um.value * 1e-6 * c.radius_ratio for c in classes]
    film = warmed(rates.film_resistance_ohm_cm2.value, -energies.film_kj_per_mol)
    exchange = warmed(
        rates.exchange_current_ma_per_cm2.value, energies.exchange_kj_per_mol
    )

    ionic = rates.ionic_conductivity_millisiemens_per_cm
    ionic_ms = (
        spec.ionic_conductivity_millisiemens_per_cm if ionic is None else ionic.value
    )
    if ionic_ms is None:
        raise _no_conductivity("ionic", where)
    diffusivity = dependence(rates.diffusivity_cm2_per_s) * (
        warmed(1e-4, energies.diffusivity_kj_per_mol) * no_rate
    )
    start, per_step, table = _open_circuit(electrode, rates, site_capacity)
    hysteresis = rates.hysteresis_capacity_mah_per_g
    per_volume = [
        3.0 * volume_fraction * c.share_fraction * contact / r
        for c, r in zip(classes, radius, strict=True)
    ]
    held = volume_fraction * charge_per_m3 * length_m / nodes
    rows = {
        INTERFACE: per_volume,
        EXCHANGE: [exchange * 10.0 * c.exchange_ratio * no_rate for c in classes],
        FILM: [(film + c.film_resistance_ohm_cm2) * 1e-4 / no_rate for c in classes],
        FLUX: [contact / (charge_per_m3 * r) for r in radius],
        INVERSE_RADIUS2: [1.0 / r**2 for r in radius],
        CAPACITY: [held * c.share_fraction for c in classes],
    }
    return Porous(
        nodes=nodes,
        ideal=0,
        ideal_volt=0.0,
        ideal_ohm_m2=0.0,
        area=area_m2,
        width=length_m / nodes,
        thermal_volt=GAS_CONSTANT_J_PER_MOL_K * kelvin / FARADAY_C_PER_MOL,
        alpha_a=rates.anodic_transfer_fraction,
        open_circuit_start=start,
        open_circuit_per_step=per_step,
        hysteresis=AT_ONCE if hysteresis is None else site_capacity / hysteresis.value,
        column=np.repeat([rows[i] for i in range(len(rows))], nodes, axis=1),
        ionic=np.full(
            nodes, 10.0 / warmed(ionic_ms, energies.ionic_kj_per_mol) / no_rate
        ),
        electronic=_electronic(spec, rates, warmed, no_rate, where),
        open_circuit=table,
        diffusion=np.stack([diffusivity, _integral(diffusivity)]),
        shell=np.stack(sphere(shells, mesh.shell_grading)),
    )


def _electronic(spec, rates, warmed, no_rate: float, where: str) -> Array:
    given = rates.electronic_conductivity_millisiemens_per_cm
    if given is None:
        if spec.electronic_conductivity_millisiemens_per_cm is None:
            raise _no_conductivity("electronic", where)
        table = np.full(2, spec.electronic_conductivity_millisiemens_per_cm)
    else:
        table = dependence(given)
    return (
        10.0 / (table * warmed(1.0, rates.activation.electronic_kj_per_mol)) / no_rate
    )


def dependence(given) -> Array:
    """Table over the lithium fraction 0 to 1, in the unit it is given in."""
    if not isinstance(given, Dependence):
        return np.full(2, given.value)
    x = np.linspace(0.0, 1.0, DEPENDENCE_NODES)
    return np.exp(np.interp(x, given.lithiation_fraction, np.log(given.values)))


def _integral(table: Array) -> Array:
    """Integral of a table over [0, 1] from 0 to its nodes, by trapezoids."""
    parts = 0.5 * (table[1:] + table[:-1]) / (table.size - 1)
    return np.concatenate(([0.0], np.cumsum(parts)))


def _open_circuit(
    electrode: Electrode, rates: ElectrodeKinetics, site_capacity: float
) -> tuple[float, float, Array]:
    """Start, nodes per unit of x, and the table (V): delithiating, lithiating."""
    curves: HalfCell = electrode.half_cell
    if rates.open_circuit is not None:
        curves = half_cell(electrode.material.name, rates.open_circuit)
    x = np.linspace(0.0, 1.0, OPEN_CIRCUIT_NODES)
    taken = site_capacity * (1.0 - x if curves.axis == "delithiated" else x)
    taken = taken / rates.open_circuit_stretch_ratio
    table = np.column_stack(
        [curves.delithiation.potential(taken), curves.lithiation.potential(taken)]
    )
    return 0.0, float(OPEN_CIRCUIT_NODES - 1), np.ascontiguousarray(table)


def _ideal(potential_vs_li_volt: float, area_cm2: float) -> Porous:
    none, table = np.zeros(1), np.zeros((6, 1))
    return Porous(
        1,
        1,
        potential_vs_li_volt,
        0.0,
        area_cm2 * 1e-4,
        1.0,
        0.025,
        0.5,
        0.0,
        1.0,
        1.0,
        table,
        none,
        none,
        table,
        table,
        table,
    )


def field(electrode: Porous, start_fraction: float) -> Field:
    """Fresh state: every particle at one lithium fraction, last delithiated or not.

    The branch is that of the direction that moves away from the start: full
    particles can only be delithiated.
    """
    columns, shells = electrode.column.shape[1], electrode.shell.shape[1]
    column = np.zeros((FIELD_COLUMN_ROWS, columns))
    column[[MEAN, MEAN + 1]] = start_fraction
    column[SURFACE : SURFACE + 4] = start_fraction
    column[[BRANCH, BRANCH_NEW]] = 1.0 if start_fraction > 0.5 else -1.0
    return Field(
        x=np.full((2, shells, columns), start_fraction),
        column=column,
        shells=np.zeros((FIELD_SHELL_BLOCKS, shells, columns)),
        node=np.zeros((FIELD_NODE_ROWS, electrode.nodes)),
    )


def _series_ohm(
    cell: Cell, rates, kelvin: float, reference: float
) -> tuple[float, float]:
    """Resistance on either side of the reference electrode, ohm.

    The current widens linearly from one disc to the other: ``t / (sigma sqrt(A B))``,
    exact for a truncated cone.
    """
    a_p, a_n = cell.positive.spec.area_cm2, cell.negative.spec.area_cm2
    separator = _separator_ohm_cm2(cell, rates, kelvin, reference) / math.sqrt(
        a_p * a_n
    )
    contact = rates.contact_resistance_ohm_cm2.value / a_p
    at, share = rates.reference_position_fraction, rates.positive_contact_share_fraction
    return (
        contact * share + separator * (1.0 - at),
        contact * (1.0 - share) + separator * at,
    )


def _separator_ohm_cm2(cell, rates, kelvin: float, reference: float) -> float:
    spec = cell.spec.separator
    area_cm2 = math.pi * (spec.diameter_mm / 20.0) ** 2
    solid = _separator_density(cell) * (1.0 - spec.porosity_fraction)
    thickness_cm = spec.mass_mg * 1e-3 / solid / area_cm2
    conductivity = rates.separator_conductivity_millisiemens_per_cm.value * _arrhenius(
        rates.separator_activation_kj_per_mol, kelvin, reference
    )
    return thickness_cm / (conductivity * 1e-3)


def _separator_density(cell) -> float:
    if isinstance(cell, HalfCellSetup):
        from equipoise.spec import library

        return library.material(cell.spec.separator.material).density_g_per_cm3.value
    return cell.separator_material.density_g_per_cm3.value


def _kelvin(celsius: float) -> float:
    return celsius + ZERO_CELSIUS_KELVIN


def _arrhenius(energy_kj_per_mol: float, kelvin: float, reference: float) -> float:
    return math.exp(
        -energy_kj_per_mol
        * 1e3
        / GAS_CONSTANT_J_PER_MOL_K
        * (1.0 / kelvin - 1.0 / reference)
    )


def _one_c_ampere(one_c_ma_per_g: float | None, mass_mg: float, where: str) -> float:
    if one_c_ma_per_g is None:
        raise SpecError(
            "the current of 1C is not known",
            where=f"{where}: one_c_ma_per_g_positive",
            remedy="give it in mA per gram of active material, e.g. 190",
        )
    return one_c_ma_per_g * mass_mg * 1e-6


def _no_kinetics(where: str) -> SpecError:
    return SpecError(
        "the cell has no kinetics: diffusivities, exchange currents, conductivities",
        where=f"{where}: kinetics",
        remedy='add kinetics = "zhang2026", or a [kinetics] table '
        "(docs/reference/kinetics-file.md)",
    )


def _no_conductivity(kind: str, where: str) -> SpecError:
    key = f"{kind}_conductivity_millisiemens_per_cm"
    return SpecError(
        f"the effective {kind} conductivity of the electrode is not given",
        where=f"{where}.{key}",
        remedy="give it in the cell file or in its kinetics",
    )
