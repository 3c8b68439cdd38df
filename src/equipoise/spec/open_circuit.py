"""From an open-circuit form of the library to a `HalfCell`."""

from __future__ import annotations

import numpy as np

from equipoise.core.constants import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    ZERO_CELSIUS_KELVIN,
)
from equipoise.spec.curve import Array, Curve, HalfCell
from equipoise.spec.material import (
    Axis,
    Branch,
    ConstantCurve,
    MsmrBranch,
    MsmrCurve,
    OpenCircuit,
    TableCurve,
    TailedPlateau,
    TanhCurve,
)

_MSMR_SAMPLES = 20001


def half_cell(name: str, form: OpenCircuit) -> HalfCell:
    """Tabulate an open-circuit form.

    Raises
    ------
    SpecError
        If the curve is not monotone along its axis.
    """
    match form:
        case TableCurve():
            known = [b for b in (form.delithiation, form.lithiation) if b is not None]
            curves = [_through(b, form.axis) for b in known]
            out, back = curves[0], curves[-1]
        case TailedPlateau():
            out = back = _tailed_plateau(form)
        case ConstantCurve():
            out = back = Curve.sampled(
                lambda x: np.full_like(x, form.potential_vs_li_volt),
                0.0,
                form.capacity_mah_per_g,
                axis=form.axis,
            )
        case TanhCurve():
            out = back = _tanh(form)
        case MsmrCurve():
            out = _msmr(form, form.delithiation)
            back = out if form.lithiation is None else _msmr(form, form.lithiation)
    return HalfCell(name, out, back, form.source, form.evidence)


def _through(branch: Branch, axis: Axis) -> Curve:
    return Curve.through(
        branch.capacity_mah_per_g,
        branch.potential_vs_li_volt,
        axis=axis,
        measured_mah_per_g=(
            branch.measured_from_mah_per_g,
            branch.measured_to_mah_per_g,
        ),
    )


def _tailed_plateau(form: TailedPlateau) -> Curve:
    def potential(x: Array) -> Array:
        y = x / form.capacity_mah_per_g
        if form.axis == "delithiated":
            y = 1.0 - y
        return (
            form.plateau_vs_li_volt
            + form.head_height_volt * np.exp(-y / form.head_width_fraction)
            - form.tail_height_volt * np.exp((y - 1.0) / form.tail_width_fraction)
        )

    return Curve.sampled(potential, 0.0, form.capacity_mah_per_g, axis=form.axis)


def _tanh(form: TanhCurve) -> Curve:
    def potential(q: Array) -> Array:
        x = q / form.capacity_mah_per_g
        if form.axis == "delithiated":
            x = 1.0 - x
        u = form.offset_vs_li_volt + form.slope_volt * x
        for term in form.terms:
            u = u + term.height_volt * np.tanh(term.steepness * (x - term.centre))
        return u

    span = (form.measured_from_mah_per_g, form.measured_to_mah_per_g)
    return Curve.sampled(potential, *span, axis=form.axis, measured_mah_per_g=span)


def msmr_lithium_content(
    branch: MsmrBranch, u: Array, temperature_celsius: float
) -> Array:
    """Lithium content x(U) of an MSMR branch, shape of `u` (V vs Li+/Li).

    References
    ----------
    Verbrugge et al., J. Electrochem. Soc. 164 (2017) E3243, Eq. 5.
    """
    f = FARADAY_C_PER_MOL / (
        GAS_CONSTANT_J_PER_MOL_K * (temperature_celsius + ZERO_CELSIUS_KELVIN)
    )
    x = np.zeros_like(u)
    for t in branch.terms:
        z = f * (u - t.standard_potential_vs_li_volt) / t.omega
        x += t.occupancy_fraction / (1.0 + np.exp(np.clip(z, -700.0, 700.0)))
    return x


def _msmr(form: MsmrCurve, branch: MsmrBranch) -> Curve:
    u = np.linspace(
        branch.valid_from_vs_li_volt, branch.valid_to_vs_li_volt, _MSMR_SAMPLES
    )
    x = msmr_lithium_content(branch, u, form.temperature_celsius)
    if form.axis == "delithiated":
        q = form.capacity_mah_per_g * (1.0 - x)
    else:  # falling potential on a rising axis
        q, u = form.capacity_mah_per_g * x[::-1], u[::-1]
    return Curve.sampled(
        lambda at: np.interp(at, q, u), float(q[0]), float(q[-1]), axis=form.axis
    )
