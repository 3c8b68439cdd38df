"""The calibrated rates show the fresh cells of the paper (rows of role "fit").

One set for both cells: every capacity within 4 %, every potential within 6 mV (the
aim set for the calibration; the cells of one kind differ by up to 5 % themselves:
R5 and S5). The cases and what is read from them are those of the calibration; the
mesh is the default one, finer than the one it was made with.
"""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from equipoise import load_cell, simulate

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT.parent / "shared/paper/reference_values.csv"
sys.path.insert(0, str(ROOT / "tools"))
from calibrate_fresh_cell import cases, read_targets  # noqa: E402

TARGETS = read_targets(REFERENCE) if REFERENCE.exists() else []
ROLE_FIT_ROWS = 33  # in reference_values.csv; two of them are volume changes
CASES = {c.name: c for c in cases()}

needs_reference = pytest.mark.skipif(
    not REFERENCE.exists(), reason="needs ../shared/paper/reference_values.csv"
)


@cache
def steps(name):
    case = CASES[name]
    return simulate(case.cell, case.protocol, trace="none").steps


@needs_reference
def test_all_rows_are_compared():
    assert len(TARGETS) == ROLE_FIT_ROWS - 2


@needs_reference
@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_row(target):
    computed = target.observe(steps(target.case))
    if target.unit.startswith("V"):
        assert computed == pytest.approx(target.value, abs=0.006)
    elif target.unit == "%":  # a Coulombic efficiency: 4 % of it would test nothing
        assert computed == pytest.approx(target.value, abs=1.0)
    else:
        assert computed == pytest.approx(target.value, rel=0.04)


def test_one_set_of_rates_for_both_cells():
    lb, hb = load_cell("zhang2026-lb"), load_cell("zhang2026-hb")
    assert lb.kinetics == hb.kinetics
    other = replace(hb, spec=hb.spec.model_copy(update={"name": lb.name}))
    changed = other.with_np_ratio(lb.np_ratio)
    spec = changed.spec.model_copy(update={"origin": lb.spec.origin})
    assert spec == lb.spec  # nothing but the mass of the anode differs


def test_lb_holds_its_cathode_back_at_every_rate():
    for case in ("LB rates", "HB rates"):
        assert steps(case)["ended_by"].to_list() == ["voltage"] * 24
    lb = steps("LB rates")["end_positive_electrode_potential_volt"][::2]
    hb = steps("HB rates")["end_positive_electrode_potential_volt"][::2]
    assert (lb < hb - 0.05).all()


def test_the_tail_is_there_at_every_rate():
    """At the end of charge LTO lies lower in LB than in HB (paper, Fig. 6c)."""
    lb = steps("LB rates")["end_negative_electrode_potential_volt"][::2]
    hb = steps("HB rates")["end_negative_electrode_potential_volt"][::2]
    assert (lb < hb - 0.05).all()


def test_normalised_capacities_hardly_depend_on_the_balance():
    """Fig. 4f: nearly identical normalised capacities, irrespective of the rate."""
    lb = steps("LB rates")["capacity_mah_per_g_positive"][3::4]
    hb = steps("HB rates")["capacity_mah_per_g_positive"][3::4]
    assert (lb / lb[0]).to_list() == pytest.approx((hb / hb[0]).to_list(), abs=0.05)
