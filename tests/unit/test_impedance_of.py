"""The impedance of a fresh cell at a state of charge: states, limits, wrong input."""

from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import SMALL, cell, electrode, kinetics
from equipoise.core.errors import SpecError
from equipoise.sim.impedance import at_rest
from equipoise.sim.impedance.at_rest import impedance_of
from equipoise.sim.lower import lower
from equipoise.spec.kinetics import CellKinetics, ElectrodeKinetics
from equipoise.spec.provenance import Evidence, Sourced


def measured(known=None, **keys):
    return impedance_of(known or cell(), mesh=SMALL, **keys)


def test_the_voltage_asked_for_is_the_voltage_of_the_cell():
    for volt in (1.8, 2.2, 2.6):
        found = measured(open_circuit_volt=volt)
        assert found.voltage_volt == pytest.approx(volt, abs=1e-9)
        apart = found.positive_potential_vs_li_volt
        apart -= found.negative_potential_vs_li_volt
        assert apart == found.voltage_volt


def test_the_state_of_charge_runs_between_the_ends_of_the_window():
    known = eqp.load_cell("zhang2026-lb")
    low, middle, high = (
        measured(known, state_of_charge_fraction=share) for share in (0.0, 0.5, 1.0)
    )
    window = known.spec.window
    assert high.voltage_volt == pytest.approx(window.upper_volt, abs=1e-6)
    assert low.voltage_volt == pytest.approx(window.lower_volt, abs=1e-6)
    x = [s.positive_lithiation_fraction for s in (low, middle, high)]
    assert x[1] == pytest.approx(0.5 * (x[0] + x[2]), abs=1e-9)


def test_charge_is_conserved_between_the_electrodes():
    known = cell()
    lowered = lower(known, mesh=SMALL)
    a = measured(known, passed_capacity_mah_per_g_positive=60.0)
    b = measured(known, passed_capacity_mah_per_g_positive=160.0)
    lost = a.positive_lithiation_fraction - b.positive_lithiation_fraction
    gained = b.negative_lithiation_fraction - a.negative_lithiation_fraction
    assert lost * lowered.positive_capacity_mah_per_g == pytest.approx(100.0, rel=1e-9)
    per_positive = known.np_ratio * known.mass_per_np_ratio
    assert gained * lowered.negative_capacity_mah_per_g * per_positive == pytest.approx(
        100.0, rel=1e-9
    )


def test_the_first_lithiation_loss_does_not_reach_the_negative(graphite):
    known = replace(graphite, kinetics=kinetics())
    lowered = lower(known, mesh=SMALL)
    lost = lowered.bypass_coulomb / 3.6 / lowered.positive_mass_g
    per_positive = known.np_ratio * known.mass_per_np_ratio
    assert lost == pytest.approx(25.0 * per_positive, rel=1e-9)  # of the material
    start, half, whole, after = (
        measured(known, passed_capacity_mah_per_g_positive=q)
        for q in (0.0, 0.5 * lost, lost, lost + 60.0)
    )
    x = [found.negative_lithiation_fraction for found in (start, half, whole, after)]
    assert x[1:3] == pytest.approx([x[0], x[0]], abs=1e-12)
    gained = (x[3] - x[0]) * lowered.negative_capacity_mah_per_g * per_positive
    assert gained == pytest.approx(60.0, rel=1e-9)
    left = start.positive_lithiation_fraction - half.positive_lithiation_fraction
    assert left * lowered.positive_capacity_mah_per_g == pytest.approx(0.5 * lost)


def test_the_branch_follows_the_way_there():
    known = eqp.load_cell("zhang2026-lb")
    up, down = (
        measured(known, passed_capacity_mah_per_g_positive=120.0, after=way)
        for way in ("charge", "discharge")
    )
    assert up.voltage_volt > down.voltage_volt
    assert up.positive_lithiation_fraction == down.positive_lithiation_fraction


@pytest.fixture
def wide_negative(monkeypatch):
    """The negative has a hysteresis too: 40 mV, and 1 / x_h = 30."""

    def lowered(*args, **keys):
        found = lower(*args, **keys)
        curves = found.negative.open_circuit.copy()
        curves[:, 1] -= 0.04
        negative = found.negative._replace(open_circuit=curves, hysteresis=30.0)
        return replace(found, negative=negative)

    monkeypatch.setattr(at_rest, "lower", lowered)


@pytest.mark.usefixtures("wide_negative")
def test_a_charge_lithiates_the_negative_along_its_lower_branch():
    keys = {"passed_capacity_mah_per_g_positive": 110.0}
    up, down = (measured(after=way, **keys) for way in ("charge", "discharge"))
    change = down.negative_potential_vs_li_volt - up.negative_potential_vs_li_volt
    assert change == pytest.approx(0.04, abs=1e-12)


@pytest.mark.usefixtures("wide_negative")
def test_the_note_on_a_hysteresis_names_its_electrode_and_what_it_rests_on():
    keys = {"passed_capacity_mah_per_g_positive": 110.0}
    notes = measured(frequency_hertz=np.logspace(3, -3, 31), **keys).notes
    (told,) = [note for note in notes if "hysteresis of the negative" in note]
    assert "hysteresis_capacity_mah_per_g = 5 (user)" in told
    bare = cell({}, {"hysteresis_capacity_mah_per_g": None})
    notes = measured(bare, frequency_hertz=[1e-3], **keys).notes
    (told,) = [note for note in notes if "hysteresis of the negative" in note]
    assert "the default of hysteresis_capacity_mah_per_g" in told
    assert "(assumed)" in told


def with_hysteresis_capacity(known, mah_per_g):
    given = Sourced(value=mah_per_g, source="test", evidence=Evidence.USER)
    side = known.kinetics.positive.model_copy(
        update={"hysteresis_capacity_mah_per_g": given}
    )
    rates = known.kinetics.model_copy(update={"positive": side})
    return replace(known, kinetics=rates)


@pytest.mark.parametrize("after", ["charge", "discharge"])
def test_a_note_says_what_an_assumed_hysteresis_does_at_the_lowest_frequency(after):
    known = eqp.load_cell("zhang2026-lb")
    keys = {"frequency_hertz": [1e6, 1.0, 0.01], "after": after}
    keys["passed_capacity_mah_per_g_positive"] = 110.0
    found = measured(known, **keys)
    never = measured(with_hysteresis_capacity(known, 1e9), **keys)  # stays on a branch
    assert never.notes == ()
    (note,) = found.notes
    a, b = (one.cell.impedance_ohm[-1] for one in (found, never))
    assert -a.imag > 1.3 * -b.imag
    assert f"{100.0 * abs(a - b) / abs(b):.2g} %" in note
    assert f"|Z| from {abs(b):.3g} to {abs(a):.3g} ohm" in note
    assert f"-Im Z from {-b.imag:.3g} to {-a.imag:.3g} ohm" in note
    assert "hysteresis of the positive" in note
    assert "hysteresis_capacity_mah_per_g = 5 (assumed)" in note
    assert found.cell.notes == found.notes


def test_no_note_where_a_hysteresis_does_not_matter():
    known = eqp.load_cell("zhang2026-lb")
    keys = {"state_of_charge_fraction": 0.5}
    assert measured(known, frequency_hertz=[1e6, 1.0], **keys).notes == ()
    # a part that the positive adds in no other way: inversely to its capacity
    parts = []
    for mah_per_g in (5.0, 10.0, 1e9):
        one = with_hysteresis_capacity(known, mah_per_g)
        z = measured(one, frequency_hertz=[1e-8], **keys).cell.impedance_ohm
        parts.append(z[0].imag)
    whole, half = parts[0] - parts[2], parts[1] - parts[2]
    assert whole == pytest.approx(2.0 * half, rel=1e-3)


def test_a_half_cell_has_the_whole_inductance_and_the_whole_arc():
    known = eqp.load_half_cell_setup("zhang2026-ncm85-inli")
    keys = {"passed_capacity_mah_per_g_positive": 100.0}
    keys["frequency_hertz"] = [1e6, 1e4]
    plain = measured(known, **keys).positive.impedance_ohm
    update = {
        key: Sourced(value=value, source="test", evidence=Evidence.USER)
        for key, value in (
            ("inductance_henry", 3e-7),
            ("separator_grain_boundary_fraction", 0.5),
            ("separator_grain_boundary_second", 1e-7),
        )
    }
    rates = known.kinetics.model_copy(update=update)
    found = measured(replace(known, kinetics=rates), **keys)
    s = 2j * np.pi * found.frequency_hertz
    contact = rates.contact_resistance_ohm_cm2.value / found.area_cm2
    separator = lower(known, mesh=SMALL).positive_ohm - contact
    arc = separator * 0.5 * (1.0 / (1.0 + s * 1e-7) - 1.0)
    expected = plain + s * 3e-7 + arc
    assert found.positive.impedance_ohm == pytest.approx(expected, rel=1e-12)
    assert np.all(found.negative.impedance_ohm == 0.0)


def test_frequencies_may_come_in_any_order():
    given = [1.0, 1e4, 10.0]
    found = measured(frequency_hertz=given, state_of_charge_fraction=0.5)
    assert found.frequency_hertz.tolist() == [1e4, 10.0, 1.0]
    one = measured(frequency_hertz=10.0, state_of_charge_fraction=0.5)
    assert one.cell.impedance_ohm[0] == found.cell.impedance_ohm[1]


def test_more_double_layer_moves_the_arc_and_keeps_its_ends():
    keys = {"state_of_charge_fraction": 0.5, "frequency_hertz": [1e9, 1e2, 1e-3]}
    few, much = (
        measured(
            cell(*({"double_layer_capacitance_uf_per_cm2": c},) * 2), **keys
        ).cell.impedance_ohm
        for c in (5.0, 50.0)
    )
    assert few[0] == pytest.approx(much[0], rel=1e-2)
    assert few[2] == pytest.approx(much[2], rel=1e-3)
    assert abs(few[1] - much[1]) > 0.05 * abs(few[1])


def test_an_inductance_and_grain_boundaries_are_added_in_series():
    keys = {"state_of_charge_fraction": 0.5, "frequency_hertz": [1e6, 1e4]}
    plain = measured(**keys).cell.impedance_ohm
    changes = {
        "inductance_henry": 3e-7,
        "separator_grain_boundary_fraction": 0.5,
        "separator_grain_boundary_second": 1e-7,
    }
    found = measured(cell(**changes), **keys)
    s = 2j * np.pi * found.frequency_hertz
    lowered = lower(cell(), mesh=SMALL)
    separator = lowered.positive_ohm + lowered.negative_ohm  # no contact resistance
    arc = separator * 0.5 * (1.0 / (1.0 + s * 1e-7) - 1.0)
    expected = plain + s * 3e-7 + arc
    assert found.cell.impedance_ohm == pytest.approx(expected, rel=1e-12)


def test_a_warmer_cell_has_a_lower_impedance():
    known = eqp.load_cell("zhang2026-lb")
    warm = replace(
        known, spec=known.spec.model_copy(update={"temperature_celsius": 60.0})
    )
    keys = {"state_of_charge_fraction": 0.5}
    cool, hot = (measured(one, **keys).cell.impedance_ohm.real for one in (known, warm))
    assert (hot < cool).all()


def test_a_state_beyond_the_curves_is_told():
    inside = measured(open_circuit_volt=2.3)
    assert inside.notes == ()
    beyond = measured(open_circuit_volt=4.0)
    assert any("outside its curve" in note for note in beyond.notes)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"frequency_hertz": [1.0, 0.0]}, "frequency_hertz holds 0"),
        ({"frequency_hertz": [1.0, -5.0]}, "frequency_hertz holds -5"),
        ({"frequency_hertz": [np.nan]}, "frequency_hertz holds nan"),
        ({"frequency_hertz": []}, "shape"),
        ({"frequency_hertz": [[1.0, 2.0]]}, "shape"),
        ({"frequency_hertz": np.ones(10_001)}, "shape"),
        ({"state_of_charge_fraction": 1.2}, "not between 0 and 1"),
        ({"state_of_charge_fraction": np.nan}, "nan"),
        ({"open_circuit_volt": 9.0}, "outside what the cell can reach"),
        ({"passed_capacity_mah_per_g_positive": 500.0}, "more than it can"),
        ({"passed_capacity_mah_per_g_positive": -50.0}, "possible are"),
        ({"after": "rest"}, "after = 'rest'"),
        ({"model": "quasi-static"}, "no resistance"),
        ({"model": "foo"}, "model = 'foo' is not known"),
        ({"frequency_hertz": ["a"]}, "not made of real numbers"),
        ({"frequency_hertz": [[1.0], [1.0, 2.0]]}, "not made of real numbers"),
        ({"frequency_hertz": [1j]}, "not made of real numbers"),
        (
            {"state_of_charge_fraction": 0.5, "open_circuit_volt": 2.0},
            "state_of_charge_fraction and open_circuit_volt",
        ),
    ],
)
def test_wrong_input_is_refused_with_a_remedy(keys, said):
    with pytest.raises(SpecError) as caught:
        measured(**keys)
    assert said in str(caught.value)
    assert caught.value.remedy


def test_a_cell_without_kinetics_is_refused():
    bare = replace(cell(), kinetics=None)
    with pytest.raises(SpecError, match="no kinetics"):
        measured(bare)


def test_rates_of_impedance_have_defaults_and_are_checked():
    plain = ElectrodeKinetics.model_validate(electrode())
    assert plain.double_layer_capacitance_uf_per_cm2.value == 20.0
    assert plain.double_layer_capacitance_uf_per_cm2.evidence == "assumed"
    assert plain.film_capacitance_uf_per_cm2.evidence == "assumed"
    with pytest.raises(ValueError, match=">= 0"):
        ElectrodeKinetics.model_validate(
            electrode(double_layer_capacitance_uf_per_cm2=-1.0)
        )
    sides = {"positive": electrode(), "negative": electrode()}
    sides["separator_conductivity_millisiemens_per_cm"] = 1.0
    for changes, said in (
        ({"separator_grain_boundary_fraction": 0.3}, "needs the time constant"),
        ({"separator_grain_boundary_fraction": 1.3}, "> 1"),
        ({"inductance_henry": -1.0}, ">= 0"),
    ):
        with pytest.raises(ValueError, match=said):
            CellKinetics.model_validate(sides | changes)
