"""One electrode in the terms of the PyBaMM script: numbers and curves, SI."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from equipoise.core.constants import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K
from equipoise.core.errors import SpecError
from equipoise.spec.kinetics import Dependence, ParticleClass
from equipoise.spec.material import TailedPlateau
from equipoise.spec.open_circuit import half_cell

if TYPE_CHECKING:
    from equipoise.spec.curve import Curve
    from equipoise.spec.electrode import Electrode
    from equipoise.spec.kinetics import ElectrodeKinetics
    from equipoise.spec.provenance import Sourced

BranchName = Literal["delithiation", "lithiation"]
Table = dict[str, Any]

THINNING = 8
"""Every 8th node of a curve is written: 1025 of 8193, joined by a monotone cubic."""
SAME_CURVE_VOLT = 1e-9
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Warm:
    """Arrhenius factors at the temperature of the cell."""

    temperature_kelvin: float
    reference_temperature_kelvin: float

    def factor(self, energy_kj_per_mol: float) -> float:
        """Value at the temperature of the cell over that at the reference."""
        inverse = 1.0 / self.reference_temperature_kelvin
        inverse -= 1.0 / self.temperature_kelvin
        return math.exp(energy_kj_per_mol * 1e3 / GAS_CONSTANT_J_PER_MOL_K * inverse)


def site_capacity(electrode: Electrode, rates: ElectrodeKinetics) -> float:
    """Capacity between lithium fractions 0 and 1, mAh per gram of active material."""
    if rates.lithium_capacity_mah_per_g is not None:
        return rates.lithium_capacity_mah_per_g.value
    if electrode.material.theoretical_capacity_mah_per_g is not None:
        return electrode.material.theoretical_capacity_mah_per_g.value
    curves = electrode.half_cell
    return max(curves.delithiation.stop_mah_per_g, curves.lithiation.stop_mah_per_g)


def electrode_table(
    electrode: Electrode,
    rates: ElectrodeKinetics,
    *,
    mass_mg: float,
    active_share: float,
    branch: BranchName,
    warm: Warm,
    single_class: bool,
    where: str,
) -> Table:
    """Table of one electrode for the script, `start_x` apart.

    The contact fraction f of the interface goes into the kinetics of the whole one:
    with ``j' = f j`` the exchange current is f times, the film 1/f times as large.

    Raises
    ------
    SpecError
        If a conductivity is missing, or there are several particle classes.
    """
    spec, energies = electrode.spec, rates.activation
    radius_ratio, exchange, film = _merged(
        rates, single_class=single_class, where=f"{where}.particle_classes"
    )
    film += rates.film_resistance_ohm_cm2.value * warm.factor(-energies.film_kj_per_mol)
    contact = rates.contact_area_fraction.value
    density = electrode.material.density_g_per_cm3.value * 1e6  # g/m3
    capacity = site_capacity(electrode, rates)
    thickness = electrode.thickness_um(mass_mg) * 1e-6
    area = spec.area_cm2 * 1e-4
    ionic = _conductivity(
        rates.ionic_conductivity_millisiemens_per_cm,
        spec.ionic_conductivity_millisiemens_per_cm,
        f"{where}.ionic_conductivity_millisiemens_per_cm",
    )
    electronic = _conductivity(
        rates.electronic_conductivity_millisiemens_per_cm,
        spec.electronic_conductivity_millisiemens_per_cm,
        f"{where}.electronic_conductivity_millisiemens_per_cm",
    )
    return {
        "area_m2": area,
        "thickness_m": thickness,
        "active_fraction": mass_mg * 1e-3 * active_share / (density * area * thickness),
        "radius_m": rates.particle_radius_um.value * 1e-6 * radius_ratio,
        "site_concentration_mol_per_m3": density * capacity * 3.6 / FARADAY_C_PER_MOL,
        "diffusivity_m2_per_s": _dependence(
            rates.diffusivity_cm2_per_s,
            1e-4 * warm.factor(energies.diffusivity_kj_per_mol),
        ),
        "exchange_ampere_per_m2": 10.0 * exchange * contact
        * rates.exchange_current_ma_per_cm2.value
        * warm.factor(energies.exchange_kj_per_mol),
        "anodic_transfer": rates.anodic_transfer_fraction,
        "film_ohm_m2": 1e-4 * film / contact,
        "ionic_siemens_per_m": _dependence(
            ionic, 0.1 * warm.factor(energies.ionic_kj_per_mol)
        ),
        "electronic_siemens_per_m": _dependence(
            electronic, 0.1 * warm.factor(energies.electronic_kj_per_mol)
        ),
        "start_x": 0.0,
        "open_circuit": _open_circuit(electrode, rates, capacity, branch),
    }  # fmt: skip


def _merged(
    rates: ElectrodeKinetics, *, single_class: bool, where: str
) -> tuple[float, float, float]:
    """Radius ratio, exchange ratio and extra film (ohm cm2) of all classes together.

    The interface of a class goes with share / radius: its sum is kept, the others are
    means over it.
    """
    classes = rates.particle_classes or (ParticleClass(name="all", share_fraction=1.0),)
    if len(classes) > 1 and not single_class:
        raise SpecError(
            f"{len(classes)} particle classes; the script has one particle per node",
            where=where,
            remedy="single_class=True (--single-class) merges them into their mean",
        )
    weight = np.array([c.share_fraction / c.radius_ratio for c in classes])
    share = weight / weight.sum()
    exchange = share @ np.array([c.exchange_ratio for c in classes])
    film = share @ np.array([c.film_resistance_ohm_cm2 for c in classes])
    return 1.0 / float(weight.sum()), float(exchange), float(film)


def _conductivity(
    rate: Sourced | Dependence | None, built: float | None, where: str
) -> Sourced | Dependence | float:
    given = built if rate is None else rate
    if given is None:
        raise SpecError(
            "PyBaMM needs this effective conductivity",
            where=where,
            remedy="give it in the cell file or in its kinetics",
        )
    return given


def _dependence(given: Sourced | Dependence | float, factor: float) -> float | Table:
    if isinstance(given, Dependence):
        values = [float(v * factor) for v in given.values]
        return {"x": list(given.lithiation_fraction), "values": values}
    return factor * (given if isinstance(given, int | float) else given.value)


def _open_circuit(
    electrode: Electrode, rates: ElectrodeKinetics, capacity: float, branch: BranchName
) -> Table:
    """Closed form where the curve is one, else its nodes; both over x."""
    capacity /= rates.open_circuit_stretch_ratio
    form, curves = electrode.material.open_circuit, electrode.half_cell
    if rates.open_circuit is not None:
        form = rates.open_circuit
        curves = half_cell(electrode.material.name, form)
    curve = curves.delithiation if branch == "delithiation" else curves.lithiation
    x = 1.0 - curve.capacity_mah_per_g / capacity
    volt = curve.potential_vs_li_volt
    if curve.axis == "lithiated":
        x = curve.capacity_mah_per_g / capacity
    else:
        x, volt = x[::-1], volt[::-1]
    slopes = np.diff(volt)[[0, -1]] / (x[1] - x[0])
    table: Table = {
        "x_range": [float(x[0]), float(x[-1])],
        "end_slopes_volt": [float(s) for s in slopes],
    }
    if isinstance(form, TailedPlateau) and _is_form(curve, form):
        return table | {
            "form": "tailed_plateau",
            "x_full": form.capacity_mah_per_g / capacity,
            "plateau_volt": form.plateau_vs_li_volt,
            "head_volt": form.head_height_volt,
            "head_width": form.head_width_fraction,
            "tail_volt": form.tail_height_volt,
            "tail_width": form.tail_width_fraction,
        }
    nodes = volt[::THINNING]
    if (volt.size - 1) % THINNING:  # a table that another step divides
        nodes = volt
    return table | {"form": "table", "volt": [round(float(v), _DIGITS) for v in nodes]}


def _is_form(curve: Curve, form: TailedPlateau) -> bool:
    """Whether a curve is the closed form itself, not one that replaced it."""
    y = curve.capacity_mah_per_g / form.capacity_mah_per_g
    if curve.axis == "delithiated":
        return False  # the script writes it over lithium that is put in
    volt = (
        form.plateau_vs_li_volt
        + form.head_height_volt * np.exp(-y / form.head_width_fraction)
        - form.tail_height_volt * np.exp((y - 1.0) / form.tail_width_fraction)
    )
    return bool(np.max(np.abs(volt - curve.potential_vs_li_volt)) < SAME_CURVE_VOLT)
