"""PyBaMM's ElectrodeSOHSolver finds the same end states in the same cell.

It shares nothing with ours but the published form of the curves: own PCHIP, own
symbolic LTO, own Newton solver, lithium counted apart.
"""

from dataclasses import replace

import pytest

from equipoise import load_cell
from equipoise.design.formed import formed
from equipoise.spec.inventory import Inventory

pytest.importorskip("pybamm", reason="PyBaMM is not installed here: see make oracle")

from pybamm_cell import PeerCell

pytestmark = pytest.mark.oracle

# PyBaMM stops at a residual of 1e-6 V, on slopes > 1e-3 V g/mAh. Our tables of 8193
# nodes are off by h^2 U''/8 = 0.008 mV at the steepest place, the head of LTO.
CAPACITY_MAH_PER_G = 1e-3
POTENTIAL_VOLT = 2e-5
ENERGY_WH_PER_KG = 5e-3  # PyBaMM: trapezoids over 1000 points; ours: exact on tables

CELLS = ("zhang2026-lb", "zhang2026-hb")
NP_RATIOS = (0.9, 1.1, 1.5, 2.0)
WINDOWS = ((1.35, 2.75), (1.35, 2.40), (1.80, 2.75))


def without_hysteresis(cell):
    """The delithiation branch for both directions, nothing locked."""
    branch = cell.positive.half_cell.delithiation
    half_cell = replace(cell.positive.half_cell, lithiation=branch)
    material = cell.positive.material.model_copy(
        update={"locked_capacity_mah_per_g": None}
    )
    positive = replace(cell.positive, material=material, half_cell=half_cell)
    return replace(cell, positive=positive)


@pytest.fixture(scope="module", params=CELLS)
def cell(request):
    return load_cell(request.param)


@pytest.fixture(scope="module", params=[True, False], ids=["hysteresis", "one-branch"])
def balanced(request, cell):
    """A cell and PyBaMM's solver for its curves."""
    chosen = cell if request.param else without_hysteresis(cell)
    return chosen, PeerCell(chosen, hysteresis=request.param)


def assert_same(cell, peer, inventory):
    ours, theirs = formed(cell, inventory), peer.state(cell, inventory)
    charged, discharged = ours.charged, ours.discharged
    f_p = inventory.positive_active_fraction
    start = inventory.positive_start_mah_per_g
    charge = f_p * (theirs.charged_positive_mah_per_g - start)
    for capacity, expected in (
        (ours.first_charge_mah_per_g_positive, charge),
        (
            ours.first_discharge_mah_per_g_positive,
            theirs.passed_capacity_mah_per_g_positive,
        ),
        (charged.positive_delithiated_mah_per_g, theirs.charged_positive_mah_per_g),
        (charged.negative_lithiated_mah_per_g, theirs.charged_negative_mah_per_g),
        (
            discharged.positive_delithiated_mah_per_g,
            theirs.discharged_positive_mah_per_g,
        ),
        (discharged.negative_lithiated_mah_per_g, theirs.discharged_negative_mah_per_g),
    ):
        assert float(capacity) == pytest.approx(expected, rel=0, abs=CAPACITY_MAH_PER_G)
    for potential, expected in (
        (charged.positive_potential_vs_li_volt, theirs.charged_positive_volt),
        (charged.negative_potential_vs_li_volt, theirs.charged_negative_volt),
        (discharged.positive_potential_vs_li_volt, theirs.discharged_positive_volt),
        (discharged.negative_potential_vs_li_volt, theirs.discharged_negative_volt),
    ):
        assert float(potential) == pytest.approx(expected, rel=0, abs=POTENTIAL_VOLT)
    assert float(ours.discharge_energy_wh_per_kg_positive) == pytest.approx(
        theirs.energy_wh_per_kg_positive, rel=0, abs=ENERGY_WH_PER_KG
    )


def test_the_cell_as_built_ends_in_the_same_states(balanced):
    cell, peer = balanced
    assert_same(cell, peer, Inventory.of(cell))


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: f"{w[0]}-{w[1]}V")
@pytest.mark.parametrize("np_ratio", NP_RATIOS)
def test_other_balances_and_windows_end_in_the_same_states(balanced, np_ratio, window):
    base, peer = balanced
    lower, upper = window
    cell = base.with_np_ratio(np_ratio).with_window(lower_volt=lower, upper_volt=upper)
    assert_same(cell, peer, Inventory.of(cell))


@pytest.mark.parametrize(
    "aged",
    [
        {"positive_active_fraction": 0.85},
        {"positive_active_fraction": 0.9, "positive_isolated_at_mah_per_g": 200.0},
        {"negative_active_fraction": 0.9, "negative_isolated_at_mah_per_g": 20.0},
        {"lithium_loss_mah_per_g_positive": 12.0},
        {"positive_start_mah_per_g": 15.0, "negative_start_mah_per_g": 9.0},
    ],
    ids=lambda aged: next(iter(aged)),
)
def test_an_aged_inventory_ends_in_the_same_states(balanced, aged):
    # 1.8 V: at 1.35 V without hysteresis the emptied LTO leaves its table, where
    # ours is a line and PyBaMM's the exponential
    base, peer = balanced
    cell = base.with_window(lower_volt=1.8)
    assert_same(cell, peer, Inventory.of(cell, **aged))
