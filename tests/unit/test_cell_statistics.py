"""Everything that the cycles of a cell say at once, and why the rest is not said."""

import json

import pytest

import equipoise as eqp
from equipoise.cli.output import finite
from equipoise.core.errors import SpecError
from equipoise.study.cell_statistics import cell_statistics
from equipoise.study.measured_cell import cell_data_of, load_cell_data

KEYS = {
    "life",
    "fade",
    "efficiency",
    "recovery",
    "rates",
    "check_ups",
    "electrode_drift",
    "electrode_notes",
    "reasons",
}

COLUMNS = (
    "cycle_count",
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charge_current_ampere",
    "discharge_current_ampere",
    "maximum_charge_current_ampere",
    "maximum_discharge_current_ampere",
)


@pytest.fixture
def cell(tmp_path):
    """A cell of a table of cycles, from discharge capacities and currents."""

    def make(capacities, ampere=1.0, name="cell"):
        currents = ampere if isinstance(ampere, list) else [ampere] * len(capacities)
        rows = [
            f"{i},{q / 0.999!r},{q!r},{a},{a},{a},{a}\n"
            for i, (q, a) in enumerate(zip(capacities, currents, strict=True), start=1)
        ]
        path = tmp_path / f"{name}.csv"
        path.write_text(",".join(COLUMNS) + "\n" + "".join(rows))
        return load_cell_data(path)

    return make


def test_a_straight_fade_has_the_life_of_its_slope(cell):
    found = cell_statistics(cell([2.0 * (1 - 0.01 * i) for i in range(40)]))
    assert found.life is not None
    assert found.life.life_cycle_count == pytest.approx(20.0)
    assert not found.life.censored
    assert found.life.reference_capacity_ah == 2.0
    assert found.fade is not None
    assert found.fade.fade_per_cycle_percent == pytest.approx(1.0)
    assert found.efficiency is not None
    assert found.efficiency.median_coulombic_efficiency == pytest.approx(0.999)


def test_threshold_reference_and_confirmation_are_passed_on(cell):
    data = cell([2.0 * (1 - 0.01 * i) for i in range(40)])
    half = cell_statistics(data, threshold_retention=0.9)
    assert half.life.life_cycle_count == pytest.approx(10.0)
    later = cell_statistics(data, reference=11)
    assert later.life.reference_cycle_count == 11
    # 0.8 of the capacity of cycle 11, which is 0.9 of the first: 0.72
    assert later.life.life_cycle_count == pytest.approx(18.0)
    assert later.fade.fade_per_cycle_percent == pytest.approx(1.0 / 0.9)
    unsure = cell_statistics(data, consecutive_count=30)
    assert unsure.life.censored
    assert unsure.life.unconfirmed_count == 19


def test_a_life_that_was_not_reached_is_a_bound(cell):
    life = cell_statistics(cell([2.0 * (1 - 0.01 * i) for i in range(10)])).life
    assert life.censored
    assert life.lower_bound_cycle_count == 9
    assert life.life_cycle_count != life.life_cycle_count


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold_retention": 1.5},
        {"consecutive_count": 0},
    ],
)
def test_an_option_that_may_not_be_is_refused_not_explained_away(cell, wrong):
    with pytest.raises(SpecError):
        cell_statistics(cell([2.0] * 10), **wrong)


def test_a_reference_that_no_like_cycle_has_is_a_reason(cell):
    found = cell_statistics(cell([2.0] * 10), reference=99)
    assert found.life is None
    assert "99" in found.reasons["life"]


def test_a_rate_block_has_rates_and_their_recovery(cell):
    currents = [0.2] * 3 + [0.4] * 3 + [1.0] * 3 + [0.2] * 3 + [0.5] * 30
    sizes = [2.0] * 3 + [1.9] * 3 + [1.6] * 3 + [1.96] * 3 + [1.85] * 30
    found = cell_statistics(cell(sizes, currents))
    assert found.rates is not None
    assert found.recovery is not None
    assert found.recovery.recovery_retention == pytest.approx(0.98)
    assert found.life.reference_cycle_count == 13
    assert "rates" not in found.reasons


def test_currents_under_our_names_keep_their_sign(cell):
    cycles = cell([2.0] * 3, 0.5).cycles
    for name in COLUMNS[3:]:
        assert cycles[name].to_list() == [0.5] * 3, name


def test_what_is_lacking_has_a_reason(cell):
    found = cell_statistics(cell([2.0] * 12))
    lacking = {"rates", "check_ups", "electrodes"}
    assert lacking <= set(found.reasons)
    assert found.rates is None
    assert found.recovery is None
    assert "potentials" in found.reasons["electrodes"]
    assert "recovery" not in found.reasons  # follows from the rates


def test_a_lone_cycle_gives_no_statistics_but_an_answer(cell):
    found = cell_statistics(cell([2.0]))
    content = found.as_dict()
    assert set(content) >= KEYS
    assert all(reason for reason in found.reasons.values())


def test_the_dictionary_is_fit_for_json(cell):
    found = cell_statistics(cell([2.0 * (1 - 0.01 * i) for i in range(40)]))
    content = json.loads(json.dumps(finite(found.as_dict()), allow_nan=False))
    assert set(content) == KEYS | {"life_rule"}
    assert content["life_rule"] == found.life.rule
    assert content["life"]["life_cycle_count"] == pytest.approx(20.0)
    assert content["rates"] is None
    assert content["reasons"] == dict(found.reasons)


def test_potentials_of_unlike_cycles_are_shown_without_drift(lb):
    run = eqp.simulate(lb, eqp.load_protocol("formation"), model="quasi-static")
    found = cell_statistics(cell_data_of(run))
    assert found.electrodes is not None
    assert found.electrodes.cycles.height == 4
    potential = found.electrodes.cycles["upper_potential_vs_li_volt"].to_list()
    assert potential == pytest.approx(
        run.cycles["upper_potential_vs_li_volt"].to_list()
    )
    aged = cell_data_of(run).cycles["cycle_kind"].to_list().count("ageing")
    assert (found.electrodes.drift.height > 0) == (aged > 1)
    assert ("electrode_drift" in found.reasons) == (aged < 2)
