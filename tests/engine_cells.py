"""Cells, protocols and sums over the shells for the tests of the engine."""

import warnings
from dataclasses import replace

import numpy as np

import equipoise as eqp
from equipoise.core.errors import EquipoiseWarning
from equipoise.kernels.layout import CAPACITY, MEAN
from equipoise.kernels.simulate import Memory
from equipoise.protocol.expand import expand
from equipoise.protocol.steps import Charge, Discharge, Hold, Protocol, Rest
from equipoise.sim.lower import lower
from equipoise.sim.machine import Machine
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import context, simulate
from equipoise.spec.kinetics import CellKinetics
from equipoise.spec.validation import validated

SMALL = Mesh(positive_nodes_count=5, negative_nodes_count=5, shells_count=8)
USER = {"source": "test", "evidence": "user"}

# Closed forms with bounded derivatives: what converges slowly is the scheme.
SMOOTH_POSITIVE = {
    "form": "tanh",
    "axis": "delithiated",
    "capacity_mah_per_g": 274.98,
    "offset_vs_li_volt": 4.6,
    "slope_volt": -0.9,
    "terms": [{"height_volt": -0.08, "steepness": 6.0, "centre": 0.55}],
    "measured_from_mah_per_g": 0.0,
    "measured_to_mah_per_g": 274.98,
    **USER,
}
SMOOTH_NEGATIVE = {
    "form": "tanh",
    "axis": "lithiated",
    "capacity_mah_per_g": 175.1,
    "offset_vs_li_volt": 1.65,
    "slope_volt": -0.2,
    "terms": [],
    "measured_from_mah_per_g": 0.0,
    "measured_to_mah_per_g": 175.1,
    **USER,
}
LINEAR_POSITIVE = SMOOTH_POSITIVE | {"terms": []}


def electrode(**changes):
    """Rates of one electrode; one plain set of numbers under the changes."""
    return {
        "particle_radius_um": 2.0,
        "diffusivity_cm2_per_s": 1e-11,
        "exchange_current_ma_per_cm2": 0.1,
        "ionic_conductivity_millisiemens_per_cm": 0.3,
        "electronic_conductivity_millisiemens_per_cm": 0.5,
        "hysteresis_capacity_mah_per_g": 5.0,
    } | changes


def kinetics(positive=None, negative=None, **changes):
    return validated(
        CellKinetics,
        {
            "reference_temperature_celsius": 45.0,
            "positive": electrode(**(positive or {})),
            "negative": electrode(**{"particle_radius_um": 0.5} | (negative or {})),
            "separator_conductivity_millisiemens_per_cm": 5.0,
        }
        | changes,
        where="test",
    )


def cell(positive=None, negative=None, *, base="zhang2026-lb", spec=None, **changes):
    """The LB cell of the library with other rates; `spec` changes its top keys."""
    known = eqp.load_cell(base)
    if spec:
        known = replace(known, spec=known.spec.model_copy(update=spec))
    return replace(known, kinetics=kinetics(positive, negative, **changes))


def smooth_cell(positive=None, negative=None, **changes):
    """All functions smooth: for observed orders."""
    return cell(
        {"open_circuit": SMOOTH_POSITIVE} | (positive or {}),
        {"open_circuit": SMOOTH_NEGATIVE, "diffusivity_cm2_per_s": 1e-12}
        | (negative or {}),
        **changes,
    )


def changed(known, side, **keys):
    """The same cell with fields of one electrode's specification replaced."""
    part = getattr(known, side)
    spec = part.spec.model_copy(update=keys)
    whole = known.spec.model_copy(update={side: spec})
    return replace(known, spec=whole, **{side: replace(part, spec=spec)})


def inventory(known, **keys):
    """The same cell with another inventory."""
    found = known.spec.inventory.model_copy(update=keys)
    return replace(known, spec=known.spec.model_copy(update={"inventory": found}))


def protocol(*steps):
    return Protocol(name="test", steps=steps)


def charge(c_rate, **limits):
    return Charge(c_rate=float(c_rate), **limits)


def discharge(c_rate, **limits):
    return Discharge(c_rate=float(c_rate), **limits)


def rest(hour):
    return Rest(time_hour=float(hour))


def hold(**limits):
    return Hold(**limits)


def fixed(fraction):
    """Equal substeps of `fraction` hours / C-rate: no error control."""
    return Stepping(
        tolerance_volt=1e6,
        first_fraction=fraction,
        most_fraction=fraction,
        most_substeps_count=10_000_000,
    )


def machine(known, steps, *, model="dfn", mesh=SMALL, stepping=None):
    lowered = lower(known, model=model, mesh=mesh)
    program = expand(protocol(*steps), context(known, lowered))
    return Machine.of(lowered, program, stepping or Stepping())


def now_of(driven):
    return int(driven.memory[Memory.NOW])


def shell_means(porous, state, now):
    """Mean lithium fraction of every column, from its shells."""
    return 3.0 * np.einsum("m,mk->k", porous.shell[1], state.x[now])


def lithium_coulomb(porous, state, now):
    """All lithium of an electrode, from its shells, C."""
    means = shell_means(porous, state, now)
    return porous.area * float(porous.column[CAPACITY] @ means)


def recursion_means(state, now):
    return state.column[MEAN + now]


def capacity_coulomb(porous):
    return porous.area * float(porous.column[CAPACITY].sum())


def tried(known, *steps, mesh=SMALL, **keys):
    """A run that may fail: it says so in its status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EquipoiseWarning)
        return simulate(known, protocol(*steps), mesh=mesh, strict=False, **keys)
