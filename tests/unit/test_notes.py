from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp

PLATING = "the negative ends below 0 V vs Li+/Li: lithium may plate"


def end_of_graphite(cell, np_ratio):
    design = eqp.design_cell(cell.with_np_ratio(np_ratio))
    return design, design.negative_end_of_charge_potential_vs_li_volt


@pytest.fixture(scope="module")
def ratio_at_0_volt(graphite):
    """n/p at which the graphite just reaches 0 V on the first charge.

    Its curve ends at 0.043 V and is followed 5 % beyond, down to -0.09 V.
    """
    low, high = 0.94, 1.05
    assert end_of_graphite(graphite, low)[1] < 0.0 < end_of_graphite(graphite, high)[1]
    for _ in range(30):
        middle = 0.5 * (low + high)
        if end_of_graphite(graphite, middle)[1] < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@pytest.mark.parametrize(("factor", "plates"), [(0.999, True), (1.001, False)])
def test_a_graphite_cell_has_the_plating_note_only_below_0_volt(
    graphite, ratio_at_0_volt, factor, plates
):
    design, potential = end_of_graphite(graphite, factor * ratio_at_0_volt)
    # 0.1 % of 350 mAh/g at the end slope of 7.5 mV per mAh/g: some millivolts
    assert abs(potential) < 0.02
    assert (potential < 0.0) == plates
    assert (PLATING in design.notes) == plates


def test_a_wide_negative_has_no_note(graphite):
    design, potential = end_of_graphite(graphite, 1.1)
    assert potential > 0.05
    assert not any("plate" in n or "beyond the end" in n for n in design.notes)


def test_an_emptied_negative_is_named_as_what_ends_the_discharge(lb):
    inventory = lb.spec.inventory.model_copy(
        update={"lithium_loss_mah_per_g_positive": 50.0}
    )
    cell = replace(lb, spec=lb.spec.model_copy(update={"inventory": inventory}))
    # at 0.5 V the head of LTO (2.0 V) is still below the cut-off
    notes = eqp.design_cell(cell.with_window(lower_volt=0.5)).notes
    assert any("where the curve of the negative ends" in n for n in notes)


def test_an_extrapolation_is_noted_above_1_percent_of_the_charge(hb):
    # HB charges 227 mAh/g, where the curve of the positive ends
    for volt in np.linspace(2.76, 2.84, 9):
        d = eqp.design_cell(hb.with_window(upper_volt=float(volt)))
        beyond = d.first_charge_mah_per_g_positive - 227.0
        noted = any("end of charge lies" in n for n in d.notes)
        assert noted == (beyond > 0.01 * d.first_charge_mah_per_g_positive), volt
