import pytest

from equipoise.core.units import OF_WHAT, PURE, UNITS, unit_symbol, unit_token


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("upper_volt", "volt"),
        ("upper_potential_vs_li_volt", "volt"),
        ("first_charge_mah_per_g_positive", "mah_per_g"),
        ("dqdv_mah_per_g_per_volt", "mah_per_g_per_volt"),
        ("resistance_ohm_cm2", "ohm_cm2"),
        ("area_cm2", "cm2"),
        ("loading_mg_per_cm2", "mg_per_cm2"),
        ("energy_wh_per_kg_thin_stack", "wh_per_kg"),
        ("stack_pressure_mpa", "mpa"),
        ("ionic_conductivity_millisiemens_per_cm", "millisiemens_per_cm"),
    ],
)
def test_the_longest_unit_at_the_end_of_a_name_is_found(name, token):
    assert unit_token(name) == token
    assert unit_symbol(name) == UNITS[token]


@pytest.mark.parametrize("word", PURE)
def test_a_pure_number_has_an_empty_unit(word):
    assert unit_token(f"some_{word}") == ""
    assert unit_symbol(f"some_{word}") == ""


@pytest.mark.parametrize("name", ["thickness", "mass", "volt_of_cell", "gram"])
def test_a_name_without_unit_is_recognised_as_such(name):
    assert unit_token(name) is None
    assert unit_symbol(name) == ""


@pytest.mark.parametrize("token", UNITS)
def test_a_bare_unit_says_not_what_it_measures(token):
    assert unit_token(f"quantity_{token}") == token
    assert unit_token(token) != token


def test_tokens_are_lower_case_ascii_and_unambiguous():
    assert all(t == t.lower() and t.isascii() for t in UNITS)
    assert not set(UNITS) & set(PURE)
    assert not set(UNITS) & set(OF_WHAT)


def test_mpa_is_megapascal():
    assert UNITS["mpa"] == "MPa"
