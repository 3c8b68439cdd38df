"""From a specified electrode and its rates to the arrays of the kernels (SI)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.constants import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K
from equipoise.core.errors import SpecError
from equipoise.kernels.layout import (
    BRANCH,
    CAPACITY,
    EXCHANGE,
    FIELD_COLUMN_ROWS,
    FIELD_NODE_ROWS,
    FIELD_SHELL_BLOCKS,
    FILM,
    FLUX,
    HIGHEST,
    INTERFACE,
    INVERSE_RADIUS2,
    LOWEST,
    MEAN,
    SURFACE,
    Field,
    Porous,
)
from equipoise.kernels.particle import sphere
from equipoise.spec.kinetics import Dependence, ParticleClass
from equipoise.spec.open_circuit import half_cell

if TYPE_CHECKING:
    from equipoise.sim.conditions import Conditions
    from equipoise.spec.curve import HalfCell
    from equipoise.spec.electrode import Electrode
    from equipoise.spec.kinetics import ElectrodeKinetics
    from equipoise.spec.provenance import Sourced

Array = NDArray[np.float64]

OPEN_CIRCUIT_NODES = 4097
DEPENDENCE_NODES = 1025
WALL_VOLT = 1000.0
"""Slope added to the open-circuit curves beyond empty and full, per unit of x: a
window of 1.4 V ends within 0.15 % of the capacity."""
AT_ONCE_RATIO = 1e3
"""Steepest hysteresis: the branch has changed after a thousandth of x (0.3 mAh/g of
an NCM). A jump at any change of sign would let a resting cell chatter."""
OHM_CM_PER_MS = 10.0  # 1 / (mS/cm) in ohm m
WHOLE = (ParticleClass(name="all", share_fraction=1.0),)


def porous(
    electrode: Electrode,
    rates: ElectrodeKinetics,
    conditions: Conditions,
    *,
    mass_mg: float,
    active_fraction: float,
    nodes_count: int,
    where: str,
) -> Porous:
    """Lower one porous electrode.

    Parameters
    ----------
    mass_mg, active_fraction
        Active material as built, and what of it still takes part.

    Raises
    ------
    SpecError
        If a conductivity is not given.
    """
    nodes = conditions.nodes_count(nodes_count)
    area_m2 = electrode.spec.area_cm2 * 1e-4
    length_m = electrode.thickness_um(mass_mg) * 1e-6
    site_capacity = site_capacity_mah_per_g(electrode, rates)
    energies, no_rate = rates.activation, conditions.rate_ratio
    ionic = _ionic_millisiemens_per_cm(electrode, rates, where)
    ionic *= conditions.warming_ratio(energies.ionic_kj_per_mol)
    diffusivity = dependence(rates.diffusivity_cm2_per_s) * 1e-4
    diffusivity *= conditions.warming_ratio(energies.diffusivity_kj_per_mol) * no_rate
    kelvin = conditions.temperature_kelvin
    open_circuit = _open_circuit_volt(electrode, rates, site_capacity)
    return Porous(
        nodes=nodes,
        ideal=0,
        ideal_volt=0.0,
        area=area_m2,
        width=length_m / nodes,
        thermal_volt=GAS_CONSTANT_J_PER_MOL_K * kelvin / FARADAY_C_PER_MOL,
        alpha_a=rates.anodic_transfer_fraction,
        open_circuit_start=-1.0 / (OPEN_CIRCUIT_NODES - 1.0),
        open_circuit_per_step=OPEN_CIRCUIT_NODES - 1.0,
        hysteresis=_hysteresis_ratio(rates, site_capacity, open_circuit),
        column=np.repeat(
            _classes(
                electrode, rates, conditions, mass_mg * active_fraction, length_m, nodes
            ),
            nodes,
            axis=1,
        ),
        ionic=np.full(nodes, OHM_CM_PER_MS / ionic / no_rate),
        electronic=_electronic_ohm_m(electrode, rates, conditions, where),
        open_circuit=open_circuit,
        diffusion=np.stack([diffusivity, _integral(diffusivity)]),
        shell=np.stack(sphere(conditions.shells_count, conditions.mesh.shell_grading)),
    )


def ideal(potential_vs_li_volt: float, area_cm2: float) -> Porous:
    """A counter electrode of constant potential."""
    none, table = np.zeros(1), np.zeros((6, 1))
    return Porous(
        nodes=1,
        ideal=1,
        ideal_volt=potential_vs_li_volt,
        area=area_cm2 * 1e-4,
        width=1.0,
        thermal_volt=0.025,
        alpha_a=0.5,
        open_circuit_start=0.0,
        open_circuit_per_step=1.0,
        hysteresis=1.0,
        column=table,
        ionic=none,
        electronic=none,
        open_circuit=table,
        diffusion=table,
        shell=table,
    )


def fresh_field(electrode: Porous, lithiation_fraction: float) -> Field:
    """State of an electrode as built: every particle at one lithium fraction.

    The branch of the open-circuit curve is that of the direction that leads away
    from the start: full particles can only be delithiated.
    """
    columns, shells = electrode.column.shape[1], electrode.shell.shape[1]
    column = np.zeros((FIELD_COLUMN_ROWS, columns))
    column[[MEAN, MEAN + 1, LOWEST, HIGHEST]] = lithiation_fraction
    column[SURFACE : SURFACE + 4] = lithiation_fraction
    column[BRANCH] = 1.0 if lithiation_fraction > 0.5 else -1.0
    return Field(
        x=np.full((2, shells, columns), lithiation_fraction),
        column=column,
        shells=np.zeros((FIELD_SHELL_BLOCKS, shells, columns)),
        node=np.zeros((FIELD_NODE_ROWS, electrode.nodes)),
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


def dependence(given: Sourced | Dependence) -> Array:
    """Table over the lithium fraction 0 to 1, in the unit it is given in."""
    if not isinstance(given, Dependence):
        return np.full(2, given.value)
    x = np.linspace(0.0, 1.0, DEPENDENCE_NODES)
    logarithm = np.interp(x, given.lithiation_fraction, np.log(given.values))
    return np.exp(logarithm)


def _classes(
    electrode: Electrode,
    rates: ElectrodeKinetics,
    conditions: Conditions,
    mass_mg: float,
    length_m: float,
    nodes: int,
) -> Array:
    """Rows of `Porous.column` with one column per particle class."""
    density_g_per_m3 = electrode.material.density_g_per_cm3.value * 1e6
    volume_m3 = electrode.spec.area_cm2 * 1e-4 * length_m
    share = mass_mg * 1e-3 / density_g_per_m3 / volume_m3  # of the volume
    charge_per_m3 = density_g_per_m3 * site_capacity_mah_per_g(electrode, rates) * 3.6
    contact = rates.contact_area_fraction.value
    energies, no_rate = rates.activation, conditions.rate_ratio
    exchange = rates.exchange_current_ma_per_cm2.value * 10.0 * no_rate
    exchange *= conditions.warming_ratio(energies.exchange_kj_per_mol)
    film = rates.film_resistance_ohm_cm2.value
    film *= conditions.warming_ratio(-energies.film_kj_per_mol)
    classes = rates.particle_classes or WHOLE
    out = np.empty((6, len(classes)))
    for i, c in enumerate(classes):
        radius = rates.particle_radius_um.value * 1e-6 * c.radius_ratio
        out[INTERFACE, i] = 3.0 * share * c.share_fraction * contact / radius
        out[EXCHANGE, i] = exchange * c.exchange_ratio
        out[FILM, i] = (film + c.film_resistance_ohm_cm2) * 1e-4 / no_rate
        out[FLUX, i] = contact / (charge_per_m3 * radius)
        out[INVERSE_RADIUS2, i] = 1.0 / radius**2
        out[CAPACITY, i] = share * c.share_fraction * charge_per_m3 * length_m / nodes
    return out


def _ionic_millisiemens_per_cm(
    electrode: Electrode, rates: ElectrodeKinetics, where: str
) -> float:
    own = rates.ionic_conductivity_millisiemens_per_cm
    given = electrode.spec.ionic_conductivity_millisiemens_per_cm
    if own is not None:
        return own.value
    if given is None:
        raise _no_conductivity("ionic", where)
    return given


def _electronic_ohm_m(
    electrode: Electrode, rates: ElectrodeKinetics, conditions: Conditions, where: str
) -> Array:
    """Electronic resistivity as a table over the lithium fraction."""
    own = rates.electronic_conductivity_millisiemens_per_cm
    given = electrode.spec.electronic_conductivity_millisiemens_per_cm
    if own is not None:
        table = dependence(own)
    elif given is not None:
        table = np.full(2, given)
    else:
        raise _no_conductivity("electronic", where)
    warming = conditions.warming_ratio(rates.activation.electronic_kj_per_mol)
    return OHM_CM_PER_MS / (table * warming) / conditions.rate_ratio


def _integral(table: Array) -> Array:
    """Integral of a table over [0, 1] from 0 to its nodes, by trapezoids."""
    parts = 0.5 * (table[1:] + table[:-1]) / (table.size - 1)
    return np.concatenate(([0.0], np.cumsum(parts)))


def _open_circuit_volt(
    electrode: Electrode, rates: ElectrodeKinetics, site_capacity: float
) -> Array:
    """Potentials over the lithium fraction, shape (n, 2): delithiating, lithiating.

    One node beyond 0 and 1 on either side: an electrode without vacancies or without
    lithium cannot go on, whatever slope its curve ends with.
    """
    curves = open_circuit_curves(electrode, rates)
    x = np.linspace(0.0, 1.0, OPEN_CIRCUIT_NODES)
    held = site_capacity * (1.0 - x if curves.axis == "delithiated" else x)
    held = held / rates.open_circuit_stretch_ratio
    table = np.empty((OPEN_CIRCUIT_NODES + 2, 2))
    for i, curve in enumerate((curves.delithiation, curves.lithiation)):
        table[1:-1, i] = curve.potential(held)
    wall = WALL_VOLT * (x[1] - x[0])
    table[0] = 2.0 * table[1] - table[2] + wall
    table[-1] = 2.0 * table[-2] - table[-3] - wall
    return table


def open_circuit_curves(electrode: Electrode, rates: ElectrodeKinetics) -> HalfCell:
    """Curves at rest: those of the rates if they bring some, else the material's."""
    if rates.open_circuit is None:
        return electrode.half_cell
    return half_cell(electrode.material.name, rates.open_circuit)


def covered_fraction(
    electrode: Electrode, rates: ElectrodeKinetics
) -> tuple[float, float]:
    """Lithium fractions, lowest and highest, that were measured in their direction.

    Delithiation runs to the lowest, lithiation to the highest.
    """
    curves = open_circuit_curves(electrode, rates)
    out, back = curves.delithiation, curves.lithiation
    scale = rates.open_circuit_stretch_ratio / site_capacity_mah_per_g(electrode, rates)
    if curves.axis == "delithiated":
        return (
            1.0 - scale * out.measured_to_mah_per_g,
            1.0 - scale * back.measured_from_mah_per_g,
        )
    return scale * out.measured_from_mah_per_g, scale * back.measured_to_mah_per_g


def _hysteresis_ratio(
    rates: ElectrodeKinetics, site_capacity: float, open_circuit: Array
) -> float:
    """1 / (change of x after which the branch has changed to 63 %); 0: one curve."""
    if np.array_equal(open_circuit[:, 0], open_circuit[:, 1]):
        return 0.0
    needed = rates.hysteresis_capacity_mah_per_g
    if needed is None:
        return AT_ONCE_RATIO
    return min(site_capacity / needed.value, AT_ONCE_RATIO)


def _no_conductivity(kind: str, where: str) -> SpecError:
    key = f"{kind}_conductivity_millisiemens_per_cm"
    return SpecError(
        f"the effective {kind} conductivity of the electrode is not given",
        where=f"{where}.{key}",
        remedy="give it in the cell file or in its kinetics",
    )
