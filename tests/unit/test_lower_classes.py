"""Lowering of particle classes, half cells, covered ranges, losses."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import equipoise as eqp
from engine_cells import SMALL, cell, changed, inventory, kinetics
from equipoise.kernels.layout import (
    CAPACITY,
    EXCHANGE,
    FILM,
    FLUX,
    INTERFACE,
    INVERSE_RADIUS2,
)
from equipoise.sim.electrode import covered_fraction
from equipoise.sim.lower import lower

CLASSES = [
    {"name": "fine", "share_fraction": 0.7},
    {
        "name": "coarse",
        "share_fraction": 0.3,
        "radius_ratio": 2.5,
        "exchange_ratio": 0.2,
        "film_resistance_ohm_cm2": 20.0,
    },
]
DFN = {"model": "dfn", "mesh": SMALL}


def test_every_key_of_a_particle_class_reaches_its_columns():
    known = cell({"particle_classes": CLASSES, "film_resistance_ohm_cm2": 3.0})
    porous = lower(known, **DFN).positive
    fine, coarse = porous.column[:, 0], porous.column[:, porous.nodes]
    for row, ratio in {
        INTERFACE: 0.3 / 0.7 / 2.5,
        EXCHANGE: 0.2,
        FILM: 23.0 / 3.0,
        FLUX: 1.0 / 2.5,
        INVERSE_RADIUS2: 1.0 / 6.25,
        CAPACITY: 0.3 / 0.7,
    }.items():
        assert coarse[row] / fine[row] == pytest.approx(ratio, rel=1e-12)
    assert fine[FILM] == pytest.approx(3e-4, rel=1e-12)


def test_quasi_static_has_no_film():
    known = cell({"film_resistance_ohm_cm2": 3.0})
    still = lower(known, model="quasi-static", mesh=SMALL).positive
    assert still.column[FILM].max() < 1e-15


@pytest.mark.parametrize(
    ("name", "exchange"), [("zhang2026-ncm85-inli", 2.0), ("zhang2026-lto-inli", 7.0)]
)
def test_a_half_cell_takes_the_rates_of_its_side_and_the_whole_contact(name, exchange):
    def lowered(contact):
        rates = kinetics(
            {"exchange_current_ma_per_cm2": 0.2},
            {"exchange_current_ma_per_cm2": 0.7},
            contact_resistance_ohm_cm2=contact,
            positive_contact_share_fraction=0.25,
        )
        setup = replace(eqp.load_half_cell_setup(name), kinetics=rates)
        return lower(setup, **DFN), setup.spec.working.area_cm2

    (with_8, area), (without, _) = lowered(8.0), lowered(0.0)
    assert with_8.positive.column[EXCHANGE] == pytest.approx(exchange, rel=1e-12)
    assert with_8.positive_ohm - without.positive_ohm == pytest.approx(8.0 / area)
    assert with_8.negative_ohm == 0.0


def test_isolated_negative_does_not_change_what_its_first_lithiation_consumes():
    lossy = changed(cell(), "negative", first_lithiation_loss_mah_per_g=25.0)
    part = inventory(lossy, negative_active_fraction=0.6)
    assert lower(part, **DFN).bypass_coulomb == pytest.approx(
        lower(lossy, **DFN).bypass_coulomb, rel=1e-12
    )


def half(axis, out, back):
    def branch(span):
        return SimpleNamespace(
            measured_from_mah_per_g=span[0], measured_to_mah_per_g=span[1]
        )

    curves = SimpleNamespace(
        axis=axis, delithiation=branch(out), lithiation=branch(back)
    )
    rates = SimpleNamespace(
        open_circuit=None,
        open_circuit_stretch_ratio=1.05,
        lithium_capacity_mah_per_g=SimpleNamespace(value=210.0),
    )
    return SimpleNamespace(half_cell=curves), rates


def test_covered_range_is_stretched_and_each_end_of_its_own_branch():
    """Delithiation runs to the lowest x, lithiation to the highest."""
    ends = covered_fraction(*half("delithiated", (20.0, 180.0), (10.0, 170.0)))
    assert ends == pytest.approx(
        (1.0 - 1.05 * 180.0 / 210.0, 1.0 - 1.05 * 10.0 / 210.0)
    )
    ends = covered_fraction(*half("lithiated", (5.0, 150.0), (15.0, 160.0)))
    assert ends == pytest.approx((1.05 * 5.0 / 210.0, 1.05 * 160.0 / 210.0))
