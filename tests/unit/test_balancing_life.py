"""Does a low n/p help? Lives at several n/p, both ends of choices, and a verdict."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from equipoise.core.errors import SpecError
from equipoise.io.ageing import load_ageing
from equipoise.io.cells import load_cell
from equipoise.protocol.parsing import parse
from equipoise.sim.life.ledger import compensation_ledger
from equipoise.study.balancing_choices import AS_GIVEN, QUESTIONS
from equipoise.study.balancing_life import low_balancing
from equipoise.study.balancing_words import plating

STRAIN = {
    "kind": "lattice-contraction",
    "hazard_per_cycle_fraction": 0.0015,
    "exponent": 4,
}
OXIDATION = {
    "kind": "parasitic-current",
    "current_ma_per_g_positive": 0.1,
    "width_volt": 0.3,
}
REDUCTION = {
    "kind": "parasitic-current",
    "at": "negative",
    "current_ma_per_g_positive": 0.05,
    "reference_vs_li_volt": 0.1,
    "width_volt": 0.1,
}
CHARGED = "particles of the positive are lost charged"
CELL = """
name = "NCM85 | {name}"
[window]
lower_volt = 2.2
upper_volt = {upper}
[positive]
material = "ncm85"
diameter_mm = 9
loading_mg_per_cm2 = 8.5
mass_fractions = {{ ncm85 = 70, lpscl = 30 }}
[negative]
material = "{material}"
diameter_mm = 10
mass_fractions = {{ {name} = 60, lpscl = 40 }}
[balance]
np_ratio = 1.2
{balance}
[separator]
mass_mg = 100
diameter_mm = 10
[kinetics]
separator_conductivity_millisiemens_per_cm = 2.0
[kinetics.positive]
particle_radius_um = 2.0
diffusivity_cm2_per_s = 1e-11
exchange_current_ma_per_cm2 = 0.1
ionic_conductivity_millisiemens_per_cm = 0.2
electronic_conductivity_millisiemens_per_cm = 10.0
[kinetics.negative]
particle_radius_um = 1.0
diffusivity_cm2_per_s = 1e-10
exchange_current_ma_per_cm2 = 0.5
ionic_conductivity_millisiemens_per_cm = 0.3
electronic_conductivity_millisiemens_per_cm = 100.0
"""
SLOPE = """
name = "slope"
role = "negative"
reference = "li"
source = "made up: a straight slope"
density_g_per_cm3 = 2.3
balancing_capacity_mah_per_g = 1800
[lithiation]
file = "slope.csv"
capacity_column = "q"
capacity_unit = "mah_per_g"
potential_column = "E"
"""


@pytest.fixture
def folder(tmp_path):
    """NCM85 against graphite, a slope, and Li-In; the numbers are made up."""
    cells = {
        "graphite": ("graphite", 4.2, ""),
        "slope": ("slope.toml", 4.1, ""),
        "in_inli": ("in_inli", 3.68, "negative_capacity_mah_per_g = 233.4"),
    }
    for name, (material, upper, balance) in cells.items():
        text = CELL.format(name=name, material=material, upper=upper, balance=balance)
        (tmp_path / f"cell-{name}.toml").write_text(text)
    (tmp_path / "slope.toml").write_text(SLOPE)
    with (tmp_path / "slope.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["q", "E"])
        x = np.linspace(0.0, 1.0, 401)
        volt = 0.45 - 0.38 * x + 0.6 * np.exp(-x / 0.02)
        writer.writerows(zip((2000 * x).round(3), volt.round(6), strict=True))
    return tmp_path


def protocol(count=1500):
    step = {"do": "cycle", "c_rate": 0.2, "count": count}
    return parse({"name": "life", "steps": [step]}, where="test")


def ageing(*mechanisms):
    return load_ageing({"mechanisms": list(mechanisms)})


def asked(cell, *mechanisms, count=1500, **options):
    found = cell if not isinstance(cell, str) else load_cell(cell)
    return low_balancing(found, protocol(count), ageing(*mechanisms), **options)


@pytest.fixture(scope="module")
def lto():
    return asked("zhang2026-lb", STRAIN, np_ratios=(1.5, 1.1))


def shares(study):
    return study.table["compensation_fraction"].to_list()


# --- where it helps: a tail, and strain


def test_low_balancing_helps_where_strain_isolates_particles(lto):
    assert lto.outcomes == {1.1: "helps"}
    low, high = lto.of(1.1), lto.of(1.5)
    assert low.cycle_life_count > 1.5 * high.cycle_life_count
    assert low.same_charge_life_count > 1.2 * high.same_charge_life_count
    lost = [1.0 - one.at_cycle("positive_active_fraction", 100) for one in (low, high)]
    assert lost[0] < 0.8 * lost[1]
    assert "helps" in lto.verdict
    assert not lto.warnings


def test_its_tail_gives_back_and_the_high_one_has_none(lto):
    low, high = shares(lto)
    assert low > 0.15
    assert abs(high) < 0.03
    ledger = compensation_ledger(lto.of(1.1).life, lto.of(1.1).life.states[-1:])
    assert ledger.reserve["compensation_fraction"][0] == pytest.approx(low)


def test_particles_lost_charged_give_next_to_nothing_back(lto):
    assert lto.of(1.1, CHARGED).reserve.compensation_fraction < 0.25 * shares(lto)[0]
    assert lto.outcome(1.1, CHARGED) == "helps"  # by the wear avoided


def test_a_low_balance_costs_charge_at_first(lto):
    first = lto.table["first_discharging_capacity_mah_per_g_positive"].to_list()
    assert first[0] < first[1] - 10.0
    assert f"costs {first[1] - first[0]:.1f} mAh/g" in lto.verdict


def test_the_table_has_a_row_per_balance_and_the_band(lto):
    assert lto.table["np_ratio"].to_list() == [1.1, 1.5]
    assert lto.cases.height == 2 * len(lto.assumptions) == 4
    for row in lto.table.iter_rows(named=True):
        lives = [
            lto.of(row["np_ratio"], a.name).cycle_life_count for a in lto.assumptions
        ]
        assert row["lowest_cycle_life_count"] == min(lives)
        assert row["highest_cycle_life_count"] == max(lives)


def test_a_lower_cut_off_is_run_with_the_same_first_upper_potential(lto):
    other, low, high = lto.lower_cut_offs[1.1], lto.of(1.1), lto.of(1.5)
    assert other.np_ratio == 1.5
    assert other.upper_volt < high.upper_volt
    assert other.upper_potential_vs_li_volt == pytest.approx(
        low.upper_potential_vs_li_volt, abs=0.003
    )
    assert other.reserve.compensation_fraction < 0.3 * shares(lto)[0]
    assert lto.cut_offs.height == 1


def test_the_discharge_over_a_life_is_the_sum_of_its_cycles():
    options = {"np_ratios": (1.1, 1.5), "vary": False, "until_retention": 0.97}
    for one in asked("zhang2026-lb", STRAIN, jump=None, **options).found:
        rows = one.life.cycles.head(round(one.cycle_life_count))
        for column, whole in (
            (
                "discharging_capacity_mah_per_g_positive",
                one.lifetime_discharge_mah_per_g_positive,
            ),
            (
                "discharging_energy_wh_per_kg_positive",
                one.lifetime_energy_wh_per_kg_positive,
            ),
        ):
            assert whole == pytest.approx(rows[column].sum(), rel=1e-12)


def test_jumps_do_not_move_the_numbers():
    options = {"np_ratios": (1.1, 1.5), "vary": False, "until_retention": 0.9}
    jumped = asked("zhang2026-lb", STRAIN, **options).table
    solved = asked("zhang2026-lb", STRAIN, jump=None, **options).table
    for column in ("cycle_life_count", "lifetime_discharge_mah_per_g_positive"):
        assert jumped[column].to_numpy() == pytest.approx(
            solved[column].to_numpy(), rel=0.01
        )


# --- choices


def test_oxidation_fills_the_tail_and_the_answer_depends_on_it():
    study = asked("zhang2026-lb", STRAIN, OXIDATION, np_ratios=(1.1, 1.5))
    assert study.outcomes == {1.1: "depends"}
    assert study.outcome(1.1) == "helps by its own share only"
    assert study.outcome(1.1, "shuttle") == "helps"
    assert QUESTIONS["charge"] in study.verdict
    assert study.of(1.1).reserve.compensation_fraction < 0.0
    assert study.of(1.1, "shuttle").reserve.compensation_fraction > 0.15


def test_a_moved_current_is_as_large_as_it_was():
    study = asked("zhang2026-lb", OXIDATION, np_ratios=(1.1, 1.5), count=3)
    given = study.of(1.5).life.cycles["positive_side_mah_per_g_positive"][0]
    for place, side in (
        ("reduction at the negative", "negative"),
        ("shuttle", "positive"),
        ("shuttle", "negative"),
    ):
        moved = study.of(1.5, place).life.cycles[f"{side}_side_mah_per_g_positive"][0]
        assert moved == pytest.approx(given, rel=0.01)


def test_currents_at_two_places_are_not_moved():
    study = asked(
        "zhang2026-lb", STRAIN, OXIDATION, REDUCTION, np_ratios=(1.1, 1.5), count=3
    )
    assert [a.name for a in study.assumptions] == [AS_GIVEN, CHARGED]
    assert "was not varied" in study.verdict


def test_both_ends_are_run_of_a_share_between_and_of_the_negative():
    fade = {"kind": "active-fade", "loss_per_full_cycle_fraction": 1e-4}
    mixed = STRAIN | {"charged_fraction": 0.5}
    study = asked("zhang2026-lb", mixed, fade, np_ratios=(1.1, 1.5), count=3)
    assert [a.name for a in study.assumptions] == [
        AS_GIVEN,
        "particles of the positive are lost discharged",
        CHARGED,
        "particles of the negative are lost charged",
    ]


def test_nothing_is_varied_on_request():
    study = asked("zhang2026-lb", STRAIN, np_ratios=(1.1, 1.5), count=3, vary=False)
    assert [a.name for a in study.assumptions] == [AS_GIVEN]


# --- where it does not, or in part


def test_a_slope_gives_back_in_part(folder, lto):
    study = asked(
        load_cell(folder / "cell-slope.toml"), STRAIN, np_ratios=(0.9, 1.1, 1.5)
    )
    assert study.outcomes == {0.9: "helps", 1.1: "helps"}
    for b in (0.9, 1.1, 1.5):
        kept = study.of(b).reserve
        left = kept.left_mah_per_g_positive / kept.at_first_mah_per_g_positive
        assert left > 0.2
    tail = lto.of(1.1).reserve
    assert tail.left_mah_per_g_positive < 0.1 * tail.at_first_mah_per_g_positive
    assert shares(study)[0] > shares(study)[1] > shares(study)[2] > 0.0


def test_a_flat_negative_has_no_reserve(folder):
    cell = load_cell(folder / "cell-in_inli.toml")
    study = asked(cell, STRAIN, np_ratios=(1.2, 1.5))
    assert study.outcomes == {1.2: "does not help"}
    assert "no reserve" in study.verdict
    assert max(map(abs, shares(study))) < 0.02
    assert not study.lower_cut_offs


def test_lost_lithium_is_not_given_back_and_a_full_graphite_is_below_zero(folder):
    cell = load_cell(folder / "cell-graphite.toml")
    study = asked(cell, REDUCTION, np_ratios=(0.9, 1.0, 1.3), vary=False)
    assert study.outcomes[1.0] == "does not help"
    assert study.outcomes[0.9] != "helps"
    assert study.of(0.9).negative_end_of_charge_potential_vs_li_volt < 0.0
    assert all(math.isnan(share) for share in shares(study))
    for b in (0.9, 1.0, 1.3):
        slipped = study.of(b).life.cycles["slippage_mah_per_g_positive"]
        assert slipped[-1] < -20.0
    assert "nothing to compensate" in study.verdict
    assert "(lithium plating)" in study.verdict
    assert [w for w in study.warnings if "n/p 0.9" in w and "plating" in w]
    assert not [w for w in study.warnings if "n/p 1.3" in w and "plating" in w]


def test_the_worst_assumption_warns_of_plating(folder):
    cell = load_cell(folder / "cell-graphite.toml")
    study = asked(cell, REDUCTION, np_ratios=(1.0, 1.3))
    told = [w for w in study.warnings if "plating" in w]
    assert told
    assert all("if oxidation at the positive" in w for w in told)


def test_a_negative_hardly_above_lithium_is_a_risk(lto):
    low = lto.of(1.1)
    near = replace(low, lowest_negative_potential_vs_li_volt=0.01)
    below = replace(low, lowest_negative_potential_vs_li_volt=-0.01)
    assert plating([low]) == []
    assert "risk of lithium plating" in plating([near])[0]
    assert "if as given" not in plating([below, near])[0]
    assert "expect lithium plating" in plating([below])[0]


def test_a_lower_balance_that_begins_higher_is_followed_to_the_same_charge(folder):
    cell = load_cell(folder / "cell-graphite.toml")  # more of it consumes more lithium
    study = asked(cell, REDUCTION, np_ratios=(1.1, 1.5), vary=False)
    low, high = study.of(1.1), study.of(1.5)
    assert (
        low.first_discharging_capacity_mah_per_g_positive
        > high.first_discharging_capacity_mah_per_g_positive
    )
    assert not low.is_same_charge_censored
    assert low.same_charge_life_count > low.cycle_life_count
    assert "mAh/g more at first" in study.verdict


# --- ends that are not reached, and what is refused


def test_lives_that_did_not_end_are_compared_at_their_last_cycle():
    study = asked("zhang2026-lb", STRAIN, np_ratios=(1.1, 1.5), count=60)
    assert study.table["is_censored"].all()
    assert study.outcome(1.1) == "helps by its own share only"
    assert "more than 60" in study.verdict
    assert "left after 60 cycles" in study.verdict


def test_cells_without_ageing_that_matters_are_not_helped():
    weak = STRAIN | {"hazard_per_cycle_fraction": 1e-9}
    study = asked("zhang2026-lb", weak, np_ratios=(1.2, 1.5), count=20, vary=False)
    assert study.outcomes == {1.2: "does not help"}


def test_what_cannot_be_compared_is_refused(lto):
    with pytest.raises(SpecError, match="at least two"):
        asked("zhang2026-lb", STRAIN, np_ratios=(1.1, 1.1))
    with pytest.raises(SpecError, match="was not run"):
        lto.of(1.3)
    with pytest.raises(SpecError, match="np_ratio"):
        asked("zhang2026-lb", STRAIN, np_ratios=(-1.0, 1.5))
    with pytest.raises(SpecError, match="until_retention"):
        asked("zhang2026-lb", STRAIN, until_retention=1.5)


def test_a_study_and_a_life_tell_what_they_are(lto):
    assert repr(lto) == "<LowBalancing of LB: n/p 1.1 helps>"
    assert repr(lto.of(1.5)).startswith("<n/p 1.5, as given: ")
