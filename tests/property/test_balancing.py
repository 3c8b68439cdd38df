"""Truths of every balance, tried on random cells."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import equipoise as eqp
from equipoise.design.formed import formed
from equipoise.design.states import end_of_charge
from equipoise.design.weigh_sheet import weigh_sheet
from equipoise.spec.cell import CellSpec
from equipoise.spec.inventory import Inventory
from equipoise.spec.validation import validated

LB = eqp.load_cell("zhang2026-lb")
TINY = 1e-8  # mAh/g or V: the kernel's tolerance, well below any weighing

ratios = st.floats(0.8, 3.0)
more = st.floats(1e-3, 0.5)
volts = st.floats(2.2, 2.8)


def charge_and_upper(np_ratio, upper_volt=2.75, polarisation_volt=0.0):
    state = end_of_charge(
        LB,
        Inventory.of(LB, np_ratio=np_ratio),
        upper_volt=upper_volt,
        polarisation_volt=polarisation_volt,
    )
    return (
        float(state.positive_delithiated_mah_per_g),
        float(state.terminal_potential_vs_li_volt),
        float(state.negative_potential_vs_li_volt),
    )


@given(ratios, more, volts)
def test_more_negative_never_charges_less(ratio, added, volt):
    less, more_ = charge_and_upper(ratio, volt), charge_and_upper(ratio + added, volt)
    assert less[0] <= more_[0] + TINY


@given(ratios, more, volts)
def test_less_negative_never_raises_the_upper_potential(ratio, added, volt):
    less, more_ = charge_and_upper(ratio, volt), charge_and_upper(ratio + added, volt)
    assert less[1] <= more_[1] + TINY


@given(ratios, volts, st.floats(1e-4, 0.05))
def test_a_higher_cut_off_never_charges_less(ratio, volt, added):
    low, high = charge_and_upper(ratio, volt), charge_and_upper(ratio, volt + added)
    assert low[0] <= high[0] + TINY
    assert low[1] <= high[1] + TINY
    assert low[2] >= high[2] - TINY


@given(ratios, volts, st.floats(0.0, 0.2), st.floats(1e-4, 0.1))
def test_more_polarisation_never_charges_further(ratio, volt, eta, added):
    quiet = charge_and_upper(ratio, volt, eta)
    loud = charge_and_upper(ratio, volt, eta + added)
    assert loud[0] <= quiet[0] + TINY
    # all polarisation is put on the positive: what a reference electrode shows rises
    assert loud[1] >= quiet[1] - TINY


@given(ratios, st.floats(0.01, 0.4))
def test_particles_lost_charged_take_exactly_their_share(ratio, loss):
    cell = LB.with_np_ratio(ratio)
    full = float(formed(cell, Inventory.of(cell)).first_charge_mah_per_g_positive)
    table = eqp.compensation_by_loss(cell, loss, isolated_at_mah_per_g=full)
    charge = table["charge_mah_per_g_positive"][0]
    assert charge == pytest.approx((1.0 - loss) * full, abs=1e-7)


@given(ratios, st.floats(0.01, 0.4))
def test_particles_lost_pristine_never_take_more_than_their_share(ratio, loss):
    cell = LB.with_np_ratio(ratio)
    full = float(formed(cell, Inventory.of(cell)).first_charge_mah_per_g_positive)
    charge = eqp.compensation_by_loss(cell, loss)["charge_mah_per_g_positive"][0]
    assert (1.0 - loss) * full - TINY <= charge <= full + TINY


@given(st.floats(0.01, 0.10))
def test_the_tail_of_low_balancing_gives_back_most_of_a_small_loss(loss):
    change = eqp.compensation_by_loss(LB, loss)["charge_change_percent"][0]
    assert change > -0.45 * 100.0 * loss  # -4.0 % for 10 % in the reference table


@given(st.floats(0.7, 3.0), st.floats(0.5, 40.0), st.floats(6.0, 10.0), st.booleans())
def test_a_weigh_sheet_gives_its_ratio_back(ratio, loading, diameter, by_loading):
    positive = LB.spec.positive.model_copy(
        update={"loading_mg_per_cm2": loading, "diameter_mm": diameter}
    )
    spec = LB.spec.model_copy(update={"positive": positive})
    cell = replace(LB, spec=spec, positive=replace(LB.positive, spec=positive))
    sheet = weigh_sheet(cell.with_np_ratio(ratio))
    mass = (
        {"loading_mg_per_cm2": sheet.negative_loading_mg_per_cm2}
        if by_loading
        else {"composite_mass_mg": sheet.negative_composite_mg}
    )
    weighed = {
        "positive": {
            **positive.model_dump(exclude_none=True, exclude={"loading_mg_per_cm2"}),
            "composite_mass_mg": sheet.positive_composite_mg,
        },
        "negative": LB.spec.negative.model_dump(exclude_none=True) | mass,
        "balance": LB.spec.balance.model_dump(exclude={"np_ratio"}),
    }
    content = spec.model_dump(exclude_none=True) | weighed
    spec = validated(CellSpec, content, where="weighed")
    again = replace(
        cell,
        spec=spec,
        positive=replace(cell.positive, spec=spec.positive),
        negative=replace(cell.negative, spec=spec.negative),
    )
    assert again.np_ratio == pytest.approx(ratio, rel=1e-12)
    assert again.positive_mass_mg == pytest.approx(sheet.positive_active_mg, rel=1e-12)


@given(st.floats(0.5, 40.0), st.floats(5.0, 10.0), st.floats(5.0, 10.0))
def test_specific_capacities_do_not_depend_on_the_size_of_the_cell(
    loading, diameter, other_diameter
):
    positive = LB.spec.positive.model_copy(
        update={"loading_mg_per_cm2": loading, "diameter_mm": diameter}
    )
    negative = LB.spec.negative.model_copy(update={"diameter_mm": other_diameter})
    spec = LB.spec.model_copy(update={"positive": positive, "negative": negative})
    cell = replace(
        LB,
        spec=spec,
        positive=replace(LB.positive, spec=positive),
        negative=replace(LB.negative, spec=negative),
    )
    ours, theirs = (formed(c, Inventory.of(c)) for c in (cell, LB))
    for name in (
        "first_charge_mah_per_g_positive",
        "first_discharge_mah_per_g_positive",
        "discharge_energy_wh_per_kg_positive",
    ):
        assert float(getattr(ours, name)) == float(getattr(theirs, name))
    scale = loading * diameter**2 / (8.5 * 81.0)
    assert weigh_sheet(cell).negative_active_mg == pytest.approx(
        scale * weigh_sheet(LB).negative_active_mg, rel=1e-12
    )


@given(st.floats(0.8, 3.0), st.floats(0.8, 1.0), st.floats(0.0, 5.0))
def test_a_discharge_never_brings_more_than_the_charge(ratio, active, loss):
    inventory = Inventory.of(
        LB,
        np_ratio=ratio,
        positive_active_fraction=active,
        lithium_loss_mah_per_g_positive=loss,
    )
    result = formed(LB, inventory)
    assert result.first_discharge_mah_per_g_positive > 0.0
    assert (
        result.first_discharge_mah_per_g_positive
        <= result.first_charge_mah_per_g_positive
    )


@given(ratios, st.floats(0.0, 30.0), st.floats(0.5, 10.0))
def test_lithium_lost_from_the_negative_raises_its_potential(ratio, loss, added):
    less, more_ = (
        end_of_charge(
            LB,
            Inventory.of(LB, np_ratio=ratio, lithium_loss_mah_per_g_positive=x),
        )
        for x in (loss, loss + added)
    )
    assert (
        more_.negative_potential_vs_li_volt >= less.negative_potential_vs_li_volt - TINY
    )
    assert (
        more_.terminal_potential_vs_li_volt >= less.terminal_potential_vs_li_volt - TINY
    )


@given(ratios)
def test_kappa_is_a_share(ratio):
    state = end_of_charge(LB, Inventory.of(LB, np_ratio=ratio))
    assert 0.0 <= state.compensation_fraction <= 1.0
    assert state.charge_per_polarisation_mah_per_g_per_volt < 0.0


@given(st.lists(ratios, min_size=1, max_size=8))
def test_a_map_is_the_same_in_any_company(some):
    table = eqp.np_map(LB, some)
    alone = [eqp.np_map(LB, r)["first_charge_mah_per_g_positive"][0] for r in some]
    assert table["first_charge_mah_per_g_positive"].to_list() == alone


@given(st.floats(0.02, 3.0), st.floats(1.0, 2.0), st.floats(2.2, 2.8))
def test_a_solved_cell_never_discharges_less_than_nothing(ratio, lower, upper):
    row = eqp.np_map(LB.with_window(lower_volt=lower, upper_volt=upper), ratio).row(
        0, named=True
    )
    if row["status"] == 0:
        charge = row["first_charge_mah_per_g_positive"]
        assert 0.0 <= row["first_discharge_mah_per_g_positive"] <= charge


numbers = st.floats(0.1, 100.0)


@given(
    ratio=st.floats(1e-3, 1e3),
    loading=numbers,
    lower=st.floats(-1.0, 2.0),
    width=st.floats(0.01, 5.0),
    parts=st.tuples(numbers, numbers, numbers),
    porosity=st.floats(0.0, 0.99),
    name=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1),
)
def test_a_cell_survives_a_round_trip_through_toml(
    ratio, loading, lower, width, parts, porosity, name
):
    content = LB.spec.model_dump(mode="json", exclude_none=True)
    total = sum(parts)
    content["name"] = name
    content["balance"]["np_ratio"] = ratio
    content["window"] = {"lower_volt": lower, "upper_volt": lower + width}
    content["positive"] |= {
        "loading_mg_per_cm2": loading,
        "porosity_fraction": porosity,
        "mass_fractions": {
            "ncm85": parts[0] / total,
            "lpscl": parts[1] / total,
            "c65": parts[2] / total,
        },
    }
    spec = validated(CellSpec, content, where="before")
    written = to_toml(spec.model_dump(mode="json", exclude_none=True))
    read = validated(CellSpec, tomllib.loads(written), where="after")
    assert read == spec


def to_toml(table, path=""):
    """Write nested tables of numbers, text and lists (enough for a cell)."""
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    lines = [f"{k} = {scalar(v)}" for k, v in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            inner = f"{path}.{key}" if path else key
            lines += [f"[{inner}]", to_toml(value, inner)]
    return "\n".join(lines)


def scalar(value):
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(scalar(v) for v in value) + "]"
    return repr(value)


@given(ratios, st.floats(-0.05, 0.05))
def test_two_equal_cells_give_equal_answers(ratio, shift):
    upper = np.array([2.7, 2.7]) + shift
    state = end_of_charge(
        LB, Inventory.of(LB, np_ratio=[ratio, ratio]), upper_volt=upper
    )
    assert (
        state.positive_delithiated_mah_per_g[0]
        == state.positive_delithiated_mah_per_g[1]
    )
