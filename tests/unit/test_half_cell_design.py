import json
from dataclasses import replace

import pytest

import equipoise as eqp
from equipoise.core.errors import SpecError


@pytest.fixture(scope="module")
def ncm():
    return eqp.load_half_cell_setup("zhang2026-ncm85-inli")


@pytest.fixture(scope="module")
def lto():
    return eqp.load_half_cell_setup("zhang2026-lto-inli")


def rewindowed(setup, lower_volt, upper_volt):
    window = setup.spec.window.model_copy(
        update={"lower_volt": lower_volt, "upper_volt": upper_volt}
    )
    return replace(setup, spec=setup.spec.model_copy(update={"window": window}))


def test_the_window_is_shifted_by_the_counter_electrode(ncm):
    d = eqp.design_half_cell(ncm)
    assert d.lower_potential_vs_li_volt == pytest.approx(2.90)
    assert d.upper_potential_vs_li_volt == pytest.approx(4.30)


def test_a_positive_charges_from_the_pristine_state_and_locks_some_lithium(ncm):
    d = eqp.design_half_cell(ncm)
    assert d.first_charge_mah_per_g == pytest.approx(227.0, abs=0.1)
    # 227 - 27 locked, seen at 2.90 V, the lower end of this window
    assert d.first_discharge_mah_per_g == pytest.approx(200.0, abs=1e-6)


def test_lto_holds_its_capacity_between_1_and_2_volt(lto):
    d = eqp.design_half_cell(lto)
    assert d.first_charge_mah_per_g == pytest.approx(132.0, abs=1e-6)
    assert d.first_discharge_mah_per_g == pytest.approx(132.0, abs=1e-6)
    assert d.active_mass_mg == pytest.approx(9.0)
    assert d.one_c_ma == pytest.approx(175.0 * 9.0e-3)


def test_the_first_lithiation_of_graphite_includes_what_it_consumes(edited):
    path = edited(
        ('"lto"', '"graphite"'),
        ("{ lto = 30", "{ graphite = 30"),
        ("lower_volt = 0.38", "lower_volt = -0.57"),
        ("upper_volt = 1.38", "upper_volt = 0.88"),
        kind="half_cells",
        name="zhang2026-lto-inli",
    )
    setup = eqp.load_half_cell_setup(path)
    d = eqp.design_half_cell(setup)
    known = setup.working.material.first_lithiation_loss_mah_per_g.value
    assert known == 25.0  # graphite.toml: an assumed placeholder, but not nothing
    # one curve for both directions: what comes back is what went in less the loss
    assert d.first_discharge_mah_per_g - d.first_charge_mah_per_g == pytest.approx(
        25.0, abs=1e-9
    )
    own = setup.spec.working.model_copy(update={"first_lithiation_loss_mah_per_g": 0.0})
    lossless = replace(setup, working=replace(setup.working, spec=own))
    assert eqp.design_half_cell(lossless).first_discharge_mah_per_g == pytest.approx(
        d.first_charge_mah_per_g, abs=1e-9
    )


def test_every_number_of_a_half_cell_is_an_input_or_predicted(ncm):
    d = eqp.design_half_cell(ncm)
    assert d.role("upper_potential_vs_li_volt") == "input"
    assert d.role("active_mass_mg") == "input"
    # even where the curve was mapped to the paper: the mapping is of the full cell
    assert d.role("first_charge_mah_per_g") == "predicted"
    assert not hasattr(d, "calibrated")


def test_a_lock_given_by_the_user_wins_over_the_materials(ncm):
    own = ncm.working.spec.model_copy(update={"locked_capacity_mah_per_g": 10.0})
    d = eqp.design_half_cell(replace(ncm, working=replace(ncm.working, spec=own)))
    assert d.first_discharge_mah_per_g == pytest.approx(217.0, abs=1e-6)  # 227 - 10


def test_a_narrower_window_delivers_less(lto):
    narrow = eqp.design_half_cell(rewindowed(lto, 0.90, 1.00))
    assert narrow.first_discharge_mah_per_g < 131.0


@pytest.mark.parametrize(("low", "high"), [(-0.61, 0.30), (1.40, 2.0)])
def test_a_window_off_the_curve_names_the_counter_electrode(lto, low, high):
    with pytest.raises(SpecError, match="does not overlap") as caught:
        eqp.design_half_cell(rewindowed(lto, low, high))
    text = str(caught.value)
    for word in ("window", "'lto'", "1.00", "2.00", "'in_inli'", "0.62"):
        assert word in text, text


def test_the_answer_is_plain(ncm):
    plain = eqp.design_half_cell(ncm).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["name"] == "NCM85|InLi"
