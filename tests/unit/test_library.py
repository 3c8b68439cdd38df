import tomllib

import pytest

from equipoise.core.errors import SpecError
from equipoise.spec import library
from equipoise.spec.open_circuit import half_cell

MATERIALS = library.names("materials")


def test_the_bundled_cells_are_the_papers_four():
    assert library.names("cells") == ("zhang2026-hb", "zhang2026-lb")
    assert library.names("half_cells") == (
        "zhang2026-lto-inli",
        "zhang2026-ncm85-inli",
    )


@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_file_is_valid_and_named_as_its_content(name):
    assert library.material(name).name == name


@pytest.mark.parametrize("name", MATERIALS)
def test_an_open_circuit_curve_can_be_tabulated(name):
    material = library.material(name)
    forms = [material.open_circuit, *material.alternative_open_circuit.values()]
    for form in forms:
        if form is None:
            continue
        curves = half_cell(name, form)
        expected = "delithiated" if material.kind == "positive" else "lithiated"
        assert curves.axis == expected
        for curve in (curves.delithiation, curves.lithiation):
            u = curve.potential_vs_li_volt
            assert -0.1 < u.min() <= u.max() < 5.0


@pytest.mark.parametrize("name", MATERIALS)
def test_a_range_encloses_its_value(name):
    material = library.material(name)
    for key in type(material).model_fields:
        number = getattr(material, key)
        if getattr(number, "low", None) is not None:
            assert number.low <= number.value, key
        if getattr(number, "high", None) is not None:
            assert number.value <= number.high, key


@pytest.mark.parametrize("name", MATERIALS)
def test_electrodes_carry_a_balancing_capacity_below_the_theoretical_one(name):
    material = library.material(name)
    if material.kind in ("positive", "negative"):
        balancing = material.balancing_capacity_mah_per_g
        theoretical = material.theoretical_capacity_mah_per_g
        assert balancing is not None
        assert theoretical is not None
        assert balancing.value < theoretical.value


def test_an_unknown_material_is_told_with_its_neighbour():
    with pytest.raises(SpecError, match=r"'ncm58'(.|\n)*did you mean 'ncm85'"):
        library.material("ncm58")


def test_a_library_text_is_what_read_parses():
    assert 'name = "LB"' in library.text("cells", "zhang2026-lb")
    assert library.read("cells", "zhang2026-lb")["name"] == "LB"


@pytest.mark.parametrize("name", ["../materials/lto", "zhang2026-lb.toml", ""])
def test_only_listed_names_are_read(name):
    with pytest.raises(SpecError, match="bundled cells"):
        library.text("cells", name)


@pytest.mark.parametrize("kind", library.KINDS)
def test_every_bundled_file_is_given_as_the_text_it_is(kind):
    for name in library.names(kind):
        whole = f"{kind}/{name}"  # names alone are of the first kind that has them
        assert library.bundled_text(whole) == library.text(kind, name)
        assert tomllib.loads(library.bundled_text(name))["name"]


def test_a_text_that_is_not_bundled_suggests_the_nearest():
    with pytest.raises(SpecError, match=r"'zhang2026-l'(.|\n)*'zhang2026-lb'"):
        library.bundled_text("zhang2026-l")
    with pytest.raises(SpecError, match=r"'../materials/lto' is not in the library"):
        library.bundled_text("../materials/lto")
