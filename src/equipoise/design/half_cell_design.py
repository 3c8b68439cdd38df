"""What a half cell should deliver between its cut-offs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from equipoise.core.errors import SpecError

if TYPE_CHECKING:
    from equipoise.spec.curve import Curve
    from equipoise.spec.half_cell_spec import HalfCellSetup


_INPUTS = (
    "lower_potential_vs_li_volt",
    "upper_potential_vs_li_volt",
    "active_mass_mg",
    "composite_mass_mg",
    "one_c_ma",
)


@dataclass(frozen=True, slots=True)
class HalfCellDesign:
    """Masses, current and quasi-static capacities of a half cell.

    Charge is delithiation of the working electrode, discharge its lithiation;
    capacities are per gram of its active material between the cut-offs.
    """

    name: str
    lower_potential_vs_li_volt: float
    upper_potential_vs_li_volt: float
    active_mass_mg: float
    composite_mass_mg: float
    thickness_um: float
    one_c_ma: float | None
    first_charge_mah_per_g: float
    first_discharge_mah_per_g: float

    def role(self, quantity: str) -> str:
        """Whether a quantity is an input or is predicted."""
        return "input" if quantity in _INPUTS else "predicted"

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings."""
        return asdict(self)


def design_half_cell(setup: HalfCellSetup) -> HalfCellDesign:
    """Capacities between the cut-offs of a half cell.

    Raises
    ------
    SpecError
        If the working electrode's curve does not overlap the window.
    """
    spec, working = setup.spec, setup.working
    shift = setup.counter_potential_vs_li_volt
    low, high = spec.window.lower_volt + shift, spec.window.upper_volt + shift
    out, back = working.half_cell.delithiation, working.half_cell.lithiation
    for curve in (out, back):
        u = curve.potential_vs_li_volt
        if low > float(u.max()) or high < float(u.min()):
            raise SpecError(
                f"the window {low:.2f}-{high:.2f} V vs Li+/Li does not overlap the "
                f"curve of {working.material.name!r}, {float(u.min()):.2f}-"
                f"{float(u.max()):.2f} V",
                where=f"{setup.where or spec.name}: window",
                remedy="the window is the voltage against the counter electrode "
                f"{setup.counter.name!r} ({shift:g} V vs Li+/Li)",
            )
    lock = working.spec.locked_capacity_mah_per_g
    if lock is None and working.material.locked_capacity_mah_per_g is not None:
        lock = working.material.locked_capacity_mah_per_g.value
    if lock is not None and out.axis == "delithiated":
        seen_at = working.material.locked_at_vs_li_volt
        at = None if seen_at is None else seen_at.value
        back = back.stretched(lock, at_vs_li_volt=at)
    first_loss = 0.0
    if out.axis == "lithiated":  # consumed once, on the first lithiation
        first_loss = working.spec.first_lithiation_loss_mah_per_g or 0.0
        known = working.material.first_lithiation_loss_mah_per_g
        if working.spec.first_lithiation_loss_mah_per_g is None and known is not None:
            first_loss = known.value
    mass = spec.working.active_mass_mg
    assert mass is not None  # the specification demands it
    one_c = spec.one_c_ma_per_g
    if one_c is None and working.material.one_c_ma_per_g is not None:
        one_c = working.material.one_c_ma_per_g.value
    return HalfCellDesign(
        name=spec.name,
        lower_potential_vs_li_volt=low,
        upper_potential_vs_li_volt=high,
        active_mass_mg=mass,
        composite_mass_mg=mass / spec.working.active_fraction,
        thickness_um=working.thickness_um(mass),
        one_c_ma=None if one_c is None else one_c * mass * 1e-3,
        first_charge_mah_per_g=_first_charge(out, low, high),
        first_discharge_mah_per_g=_between(back, low, high) + first_loss,
    )


def _between(curve: Curve, low: float, high: float) -> float:
    ends = curve.capacity_at(np.array([low, high]))
    return float(abs(ends[1] - ends[0]))


def _first_charge(curve: Curve, low: float, high: float) -> float:
    if (
        curve.axis == "delithiated"
    ):  # built lithiated: starts at zero, not at the cut-off
        return float(curve.capacity_at(high))
    return _between(curve, low, high)
