"""Rates belong to materials and to a temperature; a run says what is carried over."""

from dataclasses import replace

import pytest

import equipoise as eqp
from equipoise import SpecError
from equipoise.io.pybamm_export import pybamm_parameters
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh

MESH = Mesh(positive_nodes_count=3, negative_nodes_count=3, shells_count=4)
LB = eqp.load_cell("zhang2026-lb")
FIRST = eqp.load_protocol("first-cycle")


def other_negative(cell, name):
    """The same cell with the curve of another material as its negative."""
    material = cell.negative.material.model_copy(update={"name": name})
    return replace(cell, negative=replace(cell.negative, material=material))


def test_a_curve_of_another_material_is_refused():
    """LTO's curve at rest must not be simulated in place of graphite."""
    cell = other_negative(LB, "graphite")
    for use in (lambda: lower(cell, mesh=MESH), lambda: pybamm_parameters(cell)):
        with pytest.raises(SpecError) as error:
            use()
        assert "belong to 'lto'" in error.value.message
        assert "open_circuit" in error.value.message
        assert "graphite" in error.value.remedy


def test_rates_without_a_curve_are_carried_over_and_said():
    cell = eqp.with_positive(LB, "nca")
    run = eqp.simulate(cell, FIRST, mesh=MESH, trace="none")
    assert any("rates of ncm85 stand for those of nca" in n for n in run.notes)
    # the stretch corrects the axis of one curve, and must not bend another one
    positive = cell.kinetics.positive.model_copy(
        update={"material": None, "open_circuit_stretch_ratio": 1.0}
    )
    unstretched = cell.with_kinetics(
        cell.kinetics.model_copy(update={"positive": positive})
    )
    again = eqp.simulate(unstretched, FIRST, mesh=MESH, trace="none")
    assert again.cycles.equals(run.cycles)
    assert not any("stand for" in n for n in again.notes)


def test_like_leaves_curve_capacity_and_classes_to_the_old_material():
    base = eqp.load_kinetics("zhang2026")
    table = {"like": "zhang2026", "negative": {"material": "graphite"}}
    negative = eqp.load_kinetics(table).negative
    assert base.negative.open_circuit is not None
    assert negative.open_circuit is None
    assert negative.lithium_capacity_mah_per_g is None
    assert negative.particle_classes == ()
    assert negative.diffusivity_cm2_per_s == base.negative.diffusivity_cm2_per_s
    same = {"like": "zhang2026", "negative": {"material": "lto"}}
    assert eqp.load_kinetics(same).negative == base.negative
    run = eqp.simulate(
        other_negative(LB, "graphite").with_kinetics(eqp.load_kinetics(table)),
        FIRST,
        mesh=MESH,
        trace="none",
    )
    assert run.finished


def test_another_temperature_is_said_with_its_energies():
    notes = lower(LB.with_temperature(25.0), mesh=MESH).notes
    assert len(notes) == 1
    assert "45 °C are carried to 25 °C" in notes[0]
    assert "assumed" in notes[0]
    assert lower(LB, mesh=MESH).notes == ()


def test_without_energies_another_temperature_is_no_prediction():
    negative = LB.kinetics.negative.model_copy(
        update={"activation": type(LB.kinetics.negative.activation)()}
    )
    cell = LB.with_kinetics(LB.kinetics.model_copy(update={"negative": negative}))
    notes = lower(cell.with_temperature(25.0), mesh=MESH).notes
    assert "no prediction" in notes[0]


def test_a_colder_cell_gives_less():
    found = [
        eqp.simulate(LB.with_temperature(t), FIRST, mesh=MESH, trace="none")
        .cycles["discharging_capacity_mah_per_g_positive"]
        .item()
        for t in (60.0, 45.0, 25.0, 0.0)
    ]
    assert found == sorted(found, reverse=True)
    assert found[1] - found[2] > 3.0  # 20 K at 35 kJ/mol: half the diffusivity


def test_an_impossible_temperature_is_refused():
    with pytest.raises(SpecError, match="temperature_celsius"):
        LB.with_temperature(-300.0)


def test_a_negative_below_lithium_is_said():
    low = LB.with_window(upper_volt=4.8)
    run = eqp.simulate(low, FIRST, mesh=MESH, trace="none", strict=False)
    assert any("below 0 V lithium is plated" in n for n in run.notes)


@pytest.mark.parametrize("key", ["diffusivity_kj_per_mol", "ionic_kj_per_mol"])
def test_joule_for_kilojoule_is_refused(key):
    table = {"like": "zhang2026", "positive": {"activation": {key: 35_000.0}}}
    with pytest.raises(SpecError, match="looks like J/mol"):
        eqp.load_kinetics(table)
