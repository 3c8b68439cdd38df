"""What the paper says of the ageing of LB and HB, and when it would not be so.

The hazard law is ours, and so is its strength: only signs and orders are tested, each
beside a case in which the claim fails. zhang2026 secs. 2.3 to 2.5, Figs. 2 and 7.
"""

from functools import cache

import numpy as np
import pytest

import equipoise as eqp
from equipoise.ageing.ageing import Ageing
from equipoise.protocol.parsing import parse
from equipoise.sim.life.life import life
from equipoise.sim.mesh import Mesh

LB, HB = "zhang2026-lb", "zhang2026-hb"
MESH = Mesh(positive_nodes_count=6, negative_nodes_count=6, shells_count=8)
CALM = 12
"""Cycles after which the cells have settled: the first ones climb by themselves."""


def strained(**keys):
    return {
        "kind": "lattice-contraction",
        "hazard_per_cycle_fraction": 3e-3,
        "exponent": 4.0,
    } | keys


CAUSES = {
    "strain": strained(),  # isolated when discharged: lithium goes with it
    "strain, half charged": strained(charged_fraction=0.5),
    "strain, charged": strained(charged_fraction=1.0),  # lithium stays behind
    "film": {
        "kind": "interphase-growth",
        "film_after_1000_hour_ohm_cm2": 400.0,
        "width_volt": 0.1,
    },
    "negative fade": {"kind": "active-fade", "loss_per_full_cycle_fraction": 3e-3},
    "reduction": {
        "kind": "parasitic-current",
        "at": "negative",
        "current_ma_per_g_positive": 0.01,
        "reference_vs_li_volt": 1.55,
        "width_volt": 1.0,
    },
}


@cache
def aged(cell, cause, c_rate):
    step = {"do": "cycle", "c_rate": c_rate, "count": 400}
    return life(
        eqp.load_cell(cell),
        parse({"name": "p", "steps": [step]}, where="test"),
        Ageing.model_validate({"mechanisms": [CAUSES[cause]]}),
        model="spm",
        mesh=MESH,
        until_retention=0.7,
    )


def column(cell, cause, c_rate, name):
    """A column of the cycles once the cell has settled."""
    return aged(cell, cause, c_rate).cycles[name].to_numpy()[CALM:]


def upper(cell, cause, c_rate):
    return column(cell, cause, c_rate, "upper_potential_vs_li_volt")


def usage(cell, cause, c_rate):
    return column(cell, cause, c_rate, "h2h3_usage_mah_per_g_positive")


def life_of(cell, cause, c_rate):
    return aged(cell, cause, c_rate).cycle_life(0.8).cycle_count


# --- the upper potential


def test_the_upper_potential_of_lb_climbs_towards_4_30_v_and_saturates_there():
    """4.30 V is where the cell ends once the negative stays on its plateau."""
    up = upper(LB, "strain", 0.2)
    assert np.all(np.diff(up) > 0.0)
    assert up[0] < 4.21
    assert 4.28 < up[-1] < 4.30
    third = up.size // 3
    assert up[-1] - up[-third] < 0.5 * (up[2 * third] - up[third])


def test_the_climb_is_the_retreat_of_the_negative_up_its_tail():
    found = aged(LB, "strain", 0.2).cycles[CALM:]
    up = found["upper_potential_vs_li_volt"].to_numpy()
    low = found["negative_end_of_charge_potential_vs_li_volt"].to_numpy()
    assert up - up[0] == pytest.approx(low - low[0], abs=1e-3)
    assert low[-1] > low[0] + 0.08


@pytest.mark.parametrize("c_rate", [0.2, 1.0])
def test_the_upper_potential_of_hb_stays(c_rate):
    assert np.ptp(upper(HB, "strain", c_rate)) < 0.010


def test_at_1c_too_lb_climbs_and_hb_does_not():
    climb = {cell: upper(cell, "strain", 1.0) for cell in (LB, HB)}
    assert climb[LB][-1] - climb[LB][0] > 0.05
    assert climb[HB][-1] - climb[HB][0] < 0.010


def test_counter_case_lb_does_not_climb_if_isolated_particles_are_empty():
    """Their lithium stays in the negative, whose window then moves with the loss."""
    up = upper(LB, "strain, charged", 0.2)
    lost = 1.0 - column(LB, "strain, charged", 0.2, "positive_active_fraction")[-1]
    assert lost > 0.2
    assert np.ptp(up) < 0.010
    half = upper(LB, "strain, half charged", 0.2)
    whole = upper(LB, "strain", 0.2)
    assert np.ptp(up) < np.ptp(half) < np.ptp(whole)


def test_counter_case_with_a_fading_negative_lb_and_hb_fall():
    for cell in (LB, HB):
        up = upper(cell, "negative fade", 0.2)
        assert up[-1] < up[0] - 0.05


def test_slippage_alone_lets_lb_climb_with_no_material_lost():
    """Cut-off potentials do not tell slippage from isolation: spec of ageing, 2.2."""
    up = upper(LB, "reduction", 0.2)
    assert (column(LB, "reduction", 0.2, "positive_active_fraction") == 1.0).all()
    assert up[-1] > up[0] + 0.02


# --- the H2-H3 transition


def test_h2h3_usage_of_lb_rises_first_while_that_of_hb_falls():
    lb, hb = usage(LB, "strain", 0.2), usage(HB, "strain", 0.2)
    assert lb.argmax() > 30
    assert lb.max() > lb[0] + 4.0
    assert np.all(np.diff(lb[:30]) > 0.0)
    assert np.all(np.diff(hb) < 0.0)
    assert lb[0] < 0.7 * hb[0], "LB skips part of the transition at first"


def test_counter_case_polarisation_alone_lowers_it_in_lb():
    for c_rate in (0.2, 1.0):
        lb = usage(LB, "film", c_rate)
        assert np.all(np.diff(lb) < 0.0)
        film = column(LB, "film", c_rate, "positive_film_growth_ohm_cm2")
        assert film[-1] > film[0] > 0.0


def test_counter_case_charged_isolation_lowers_it_in_both():
    for cell in (LB, HB):
        assert np.all(np.diff(usage(cell, "strain, charged", 0.2)) < 0.0)


def test_the_film_raises_the_upper_potential_though_less_is_delithiated():
    """Why cut-off potentials mislead: up by polarisation, usage down."""
    up, h2h3 = upper(LB, "film", 1.0), usage(LB, "film", 1.0)
    assert up[-1] > up[0] + 0.001
    assert h2h3[-1] < h2h3[0]


# --- the life


@pytest.mark.parametrize("c_rate", [0.2, 1.0])
def test_lb_lives_longer_than_hb(c_rate):
    assert life_of(LB, "strain", c_rate) > 1.3 * life_of(HB, "strain", c_rate)


@pytest.mark.parametrize("c_rate", [0.2, 1.0])
def test_counter_case_with_a_fading_negative_hb_lives_longer(c_rate):
    """The small negative of LB is then the disadvantage."""
    lb, hb = (life_of(cell, "negative fade", c_rate) for cell in (LB, HB))
    assert hb > 1.3 * lb


def test_lb_swings_less_at_first_and_more_as_it_ages():
    """-4.3 % against -5.1 % in the paper; the damage rate follows."""
    lb, hb = (column(cell, "strain", 0.2, "volume_swing_percent") for cell in (LB, HB))
    assert lb[0] < hb[0] - 0.3
    assert lb[40] > lb[0] + 0.1
    assert hb[40] == pytest.approx(hb[0], abs=0.05)


def test_lb_gives_back_part_of_what_it_loses_and_hb_nothing():
    """Capacity kept over material kept: the reserve, while it lasts."""
    kept = {}
    for cell in (LB, HB):
        found = aged(cell, "strain", 0.2).cycles
        active = np.append(1.0, found["positive_active_fraction"].to_numpy()[:-1])
        charge = found["charging_capacity_mah_per_g_positive"].to_numpy()
        ratio = charge[CALM:] / charge[CALM] * active[CALM] / active[CALM:]
        kept[cell] = float(np.interp(0.1, 1.0 - active[CALM:], ratio))
    assert kept[HB] == pytest.approx(1.0, abs=0.01)
    assert kept[LB] > 1.03


def test_damage_at_1c_is_several_times_smaller_than_at_0_2c():
    """Spec of ageing, 2.4: it follows the depth that is reached."""
    for cell in (LB, HB):
        lives = [life_of(cell, "strain", c_rate) for c_rate in (0.2, 1.0)]
        assert lives[1] > 2.0 * lives[0]
