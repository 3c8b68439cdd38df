import math
from dataclasses import replace

import pytest

from equipoise.core.errors import SpecError
from equipoise.spec.cell import CellSpec
from equipoise.spec.library import read
from equipoise.spec.validation import validated


def spec(*changes):
    """The LB cell with ("table.key", value) changed; None removes a key."""
    content = read("cells", "zhang2026-lb")
    for path, value in changes:
        *tables, key = path.split(".")
        at = content
        for table in tables:
            at = at.setdefault(table, {})
        if value is None:
            del at[key]
        else:
            at[key] = value
    return validated(CellSpec, content, where="cell.toml")


def test_the_library_cell_is_the_papers():
    cell = spec()
    assert cell.positive.loading_mg_per_cm2 == 8.5
    assert cell.window.lower_volt == 1.35
    assert cell.stack_pressure_mpa == 81.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("window.lower_volt", 2.75)], ["window", "2.75", "above"]),
        ([("window.lower_volt", 3.0)], ["upper_volt = 2.75", "lower_volt = 3"]),
        (
            [("window.lower_volt", 1350), ("window.upper_volt", 2750)],
            ["2750", "millivolt", "volt expected"],
        ),
        ([("balance.np_ratio", 0)], ["balance.np_ratio = 0", "greater than 0"]),
        ([("balance.np_ratio", -1.1)], ["balance.np_ratio = -1.1", "greater than 0"]),
        ([("balance.np_ratio", math.nan)], ["balance.np_ratio = nan"]),
        ([("balance.np_ratio", math.inf)], ["balance.np_ratio = inf", "finite"]),
        ([("balance.np_ratio", None)], ["np_ratio", "loading", "neither"]),
        ([("negative.loading_mg_per_cm2", 11.6)], ["np_ratio", "both are given"]),
        (
            [("positive.loading_mg_per_cm2", None)],
            ["positive", "composite_mass_mg is missing"],
        ),
        ([("positive.composite_mass_mg", 7.9)], ["positive", "not both"]),
        ([("positive.diameter_mm", 11)], ["positive.diameter_mm = 11", "separator"]),
        ([("negative.diameter_mm", 10.1)], ["negative.diameter_mm", "touch"]),
        ([("positive.porosity_fraction", 1.0)], ["porosity_fraction = 1.0", "less"]),
        ([("separator.porosity_fraction", 1.0)], ["separator.porosity_fraction"]),
        (
            [("positive.mass_fractions.lpscl", 27.4)],
            ["mass_fractions", "98", "not to 100", "not rescaled"],
        ),
        ([("positive.mass_fractions", {})], ["positive.mass_fractions"]),
        ([("positive.mass_fractions.pib", 0)], ["positive.mass_fractions.pib"]),
        (
            [("temperature_celsius", 318.15)],
            ["temperature_celsius", "looks like kelvin", "200", "write 45"],
        ),
        ([("temperature_celsius", 205)], ["temperature_celsius", "200"]),
        ([("temperature_celsius", 1e4)], ["temperature_celsius", "200"]),
        ([("separator.mass_mg", -100)], ["separator.mass_mg = -100"]),
        ([("stack_pressure_mpa", -1)], ["stack_pressure_mpa"]),
        ([("polarisation.resistance_ohm_cm2", -1)], ["resistance_ohm_cm2"]),
        ([("inventory.positive_active_fraction", 0)], ["positive_active_fraction"]),
        ([("inventory.positive_active_fraction", 1.1)], ["positive_active_fraction"]),
        ([("name", "")], ["name"]),
    ],
    ids=lambda v: str(v)[:60] if isinstance(v, list) and v and v[0][0] else None,
)
def test_a_wrong_cell_is_refused_in_words(changes, words):
    with pytest.raises(SpecError) as caught:
        spec(*changes)
    for word in ["cell.toml", *words]:
        assert word in str(caught.value), str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("balance.np_ratio", True),
        ("balance.np_ratio", "1.1"),
        ("positive.diameter_mm", "9"),
        ("window.upper_volt", True),
        ("temperature_celsius", False),
    ],
)
def test_text_and_truth_values_are_not_numbers(key, value):
    with pytest.raises(SpecError, match=key.replace(".", r"\.")):
        spec((key, value))


def test_specifications_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        spec().window.lower_volt = 1.0


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_mass_fractions_may_add_up_to_one_or_to_hundred(scale):
    parts = {"lto": 0.30 * scale, "lpscl": 0.65 * scale, "c65": 0.05 * scale}
    cell = spec(("negative.mass_fractions", parts))
    assert cell.negative.active_fraction == pytest.approx(0.30, rel=1e-12)


def test_a_recipe_printed_with_three_digits_is_accepted():
    parts = {"lto": 33.3, "lpscl": 33.3, "c65": 33.3}  # 99.9 in all
    cell = spec(("negative.mass_fractions", parts))
    assert cell.negative.active_fraction == pytest.approx(1 / 3, rel=1e-12)


def test_np_ratio_follows_from_the_mass_of_the_negative(lb):
    weighed = spec(
        ("balance.np_ratio", None), ("negative.composite_mass_mg", 30.341894547)
    )
    cell = replace(
        lb, spec=weighed, negative=replace(lb.negative, spec=weighed.negative)
    )
    assert cell.np_ratio == pytest.approx(1.1, rel=1e-9)


def test_another_np_ratio_releases_the_mass_of_the_negative(lb):
    weighed = spec(("balance.np_ratio", None), ("negative.loading_mg_per_cm2", 11.6))
    cell = replace(
        lb, spec=weighed, negative=replace(lb.negative, spec=weighed.negative)
    )
    changed = cell.with_np_ratio(1.3)
    assert changed.np_ratio == 1.3
    assert changed.negative.spec.loading_mg_per_cm2 is None
    assert changed.spec.negative.loading_mg_per_cm2 is None
    assert cell.np_ratio == pytest.approx(1.1, abs=0.01)  # the old one is unchanged


@pytest.mark.parametrize("ratio", [0.0, -1.0, math.nan])
def test_an_impossible_np_ratio_is_refused(lb, ratio):
    with pytest.raises(SpecError, match=r"np_ratio = .* > 0") as caught:
        lb.with_np_ratio(ratio)
    assert "capacity of the negative" in str(caught.value)


def test_an_infinite_np_ratio_is_refused(lb):
    with pytest.raises(SpecError, match="np_ratio"):
        lb.with_np_ratio(math.inf)


def aged(cell, **values):
    inventory = cell.spec.inventory.model_copy(update=values)
    return replace(cell, spec=cell.spec.model_copy(update={"inventory": inventory}))


def test_only_the_calibrated_design_says_so(lb, hb):
    for cell in (lb, hb):
        assert cell.calibrated
        assert cell.with_np_ratio(cell.np_ratio).calibrated == cell.calibrated
        assert cell.with_window(upper_volt=2.75).calibrated == cell.calibrated


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.with_np_ratio(1.2),
        lambda c: c.with_np_ratio(1.1001),
        lambda c: c.with_window(upper_volt=2.7),
        lambda c: c.with_window(lower_volt=1.5),
        lambda c: aged(c, positive_active_fraction=0.9),
        lambda c: aged(c, lithium_loss_mah_per_g_positive=1.0),
    ],
)
def test_another_design_is_not_calibrated(lb, change):
    assert change(lb).calibrated == ()


def test_another_size_of_the_calibrated_design_still_is(lb):
    # per gram nothing changes with the loading
    positive = lb.spec.positive.model_copy(update={"loading_mg_per_cm2": 20.0})
    cell = replace(
        lb,
        spec=lb.spec.model_copy(update={"positive": positive}),
        positive=replace(lb.positive, spec=positive),
    )
    assert cell.calibrated == lb.calibrated


def test_another_window_keeps_the_cut_off_that_is_not_given(lb):
    window = lb.with_window(upper_volt=2.6).spec.window
    assert (window.lower_volt, window.upper_volt) == (1.35, 2.6)
    window = lb.with_window(lower_volt=1.5).spec.window
    assert (window.lower_volt, window.upper_volt) == (1.5, 2.75)


def test_an_inverted_window_is_a_specification_error(lb):
    with pytest.raises(SpecError, match=r"upper_volt = 1\b"):
        lb.with_window(upper_volt=1.0)


def test_a_material_without_balancing_capacity_needs_it_in_the_cell(lb):
    bare = lb.positive.material.model_copy(
        update={"balancing_capacity_mah_per_g": None}
    )
    cell = replace(
        lb,
        spec=spec(("balance.positive_capacity_mah_per_g", None)),
        positive=replace(lb.positive, material=bare),
    )
    with pytest.raises(SpecError, match=r"balance\.positive_capacity_mah_per_g"):
        _ = cell.positive_capacity_mah_per_g


def test_what_a_cell_gives_overrides_its_material(lb):
    own = spec(
        ("positive.locked_capacity_mah_per_g", 12.0),
        ("negative.first_lithiation_loss_mah_per_g", 3.0),
        ("one_c_ma_per_g_positive", 200),
    )
    cell = replace(
        lb,
        spec=own,
        positive=replace(lb.positive, spec=own.positive),
        negative=replace(lb.negative, spec=own.negative),
    )
    assert cell.locked_capacity_mah_per_g == 12.0
    assert cell.first_lithiation_loss_mah_per_g == 3.0
    assert cell.one_c_ma_per_g_positive == 200.0
    assert lb.locked_capacity_mah_per_g == 27.0
