"""Mechanisms of ageing by name, from files and tables, and as a cell names them."""

import math

import pytest

import equipoise as eqp
from equipoise.ageing.ageing import MECHANISMS
from equipoise.core.errors import SpecError
from equipoise.core.units import unit_token
from equipoise.io.ageing import ageing_of, load_ageing
from equipoise.spec import library
from equipoise.spec.provenance import Evidence, Sourced

FADE = """
name = "{name}"
[[mechanisms]]
kind = "active-fade"
loss_per_full_cycle_fraction = {loss}
"""


def fade(loss=1e-4):
    return {
        "name": "mine",
        "mechanisms": [{"kind": "active-fade", "loss_per_full_cycle_fraction": loss}],
    }


# --- the bundled sets


@pytest.mark.parametrize("name", library.names("ageing"))
def test_every_bundled_set_is_whole_named_as_its_file_and_sourced(name):
    found = load_ageing(name)
    assert found.name == name
    assert found.title
    assert found.caveats
    for mechanism in found.mechanisms:
        for key in mechanism.model_fields_set:
            value = getattr(mechanism, key)
            if isinstance(value, Sourced):
                assert value.evidence != Evidence.USER, key
                assert (value.low is None) == (value.high is None)
                low = -math.inf if value.low is None else value.low
                high = math.inf if value.high is None else value.high
                assert low <= value.value <= high, key


def test_the_bundled_set_has_one_mechanism_of_each_kind():
    found = load_ageing("zhang2026")
    assert sorted(m.KIND for m in found.mechanisms) == sorted(MECHANISMS)


@pytest.mark.parametrize("name", library.names("ageing"))
def test_numbers_of_a_bundled_set_have_their_unit_in_their_key(name):
    for table in library.read("ageing", name)["mechanisms"]:
        for key, value in table.items():
            if isinstance(value, dict | int | float) and key != "exponent":
                assert unit_token(key) is not None, key


@pytest.mark.parametrize("cell", ["zhang2026-lb", "zhang2026-hb"])
def test_the_bundled_cells_age_as_the_bundled_set_says(cell):
    assert ageing_of(eqp.load_cell(cell)) == load_ageing("zhang2026")


def test_the_package_carries_the_bundled_set():
    assert "zhang2026" in library.names("ageing")
    assert library.text("ageing", "zhang2026").startswith("# ")


# --- files and tables


def test_a_table_is_taken_as_it_is_and_a_bare_number_is_the_users():
    found = load_ageing(fade(2e-4))
    assert found.name == "mine"
    loss = found.mechanisms[0].loss_per_full_cycle_fraction
    assert loss.value == 2e-4
    assert loss.evidence == Evidence.USER


def test_a_file_is_relative_to_the_folder_given(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text(FADE.format(name="mine", loss=1e-4))
    assert load_ageing("mine.toml", folder=tmp_path) == load_ageing(fade())
    assert load_ageing(tmp_path / "mine.toml") == load_ageing(fade())
    monkeypatch.chdir(tmp_path)
    assert load_ageing("mine.toml") == load_ageing(fade())


def test_a_cell_file_names_a_file_beside_it(edited, tmp_path, monkeypatch):
    path = edited(('ageing = "zhang2026"', 'ageing = "mine.toml"'))
    (tmp_path / "mine.toml").write_text(FADE.format(name="beside", loss=1e-4))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert ageing_of(eqp.load_cell(path)).name == "beside"
    cell = eqp.load_cell("../cell.toml")
    monkeypatch.chdir(tmp_path.parent)  # the path of the cell leads nowhere now
    assert ageing_of(cell).name == "beside"
    assert ageing_of(cell.with_np_ratio(1.3)).name == "beside"
    assert ageing_of(eqp.with_positive(cell, "nca")).name == "beside"


def test_a_cell_file_holds_the_table_itself(edited):
    table = "\n[[ageing.mechanisms]]\nkind = 'active-fade'\n"
    table += "loss_per_full_cycle_fraction = 1e-4\n[separator]"
    path = edited(('ageing = "zhang2026"\n', ""), ("\n[separator]", table))
    found = ageing_of(eqp.load_cell(path))
    assert [m.KIND for m in found.mechanisms] == ["active-fade"]
    assert found.name == "given by the user"


def test_ageing_is_looked_up_when_it_is_asked_for_and_not_before(edited):
    cell = eqp.load_cell(edited(('ageing = "zhang2026"', 'ageing = "absent.toml"')))
    assert cell.spec.ageing == "absent.toml"
    with pytest.raises(SpecError, match="no such file") as caught:
        ageing_of(cell)
    assert "absent.toml" in str(caught.value)


def test_a_cell_that_does_not_say_how_it_ages_is_refused_with_a_way_out(edited):
    path = edited(('ageing = "zhang2026"\n', ""))
    cell = eqp.load_cell(path)
    assert cell.spec.ageing is None
    with pytest.raises(SpecError, match="does not say how it ages") as caught:
        ageing_of(cell)
    assert str(path) in str(caught.value)
    assert 'ageing = "zhang2026"' in caught.value.remedy


# --- mistakes


def changed(**keys):
    content = fade()
    content["mechanisms"][0] |= keys
    return content


WRONG = {
    "unknown name": ("zhang2062", ["no ageing 'zhang2062'", "'zhang2026'", ".toml"]),
    "no text": (7, ["found 7", "a table was expected"]),
    "no mechanisms": ({"name": "mine"}, ["mechanisms", "missing"]),
    "empty": ({"mechanisms": []}, ["a list of tables", "[[mechanisms]]"]),
    "one table": ({"mechanisms": {"kind": "x"}}, ["is one table", "[[mechanisms]]"]),
    "no table": ({"mechanisms": [3]}, ["mechanism 1", "found 3"]),
    "no kind": ({"mechanisms": [{}]}, ["'kind' is missing", "lattice-contraction"]),
    "odd kind": (
        {"mechanisms": [{"kind": "activ-fade"}]},
        ["'activ-fade' is no mechanism", "'active-fade'"],
    ),
    "second": (
        {"mechanisms": [*fade()["mechanisms"], {"kind": "active-fade"}]},
        ["mechanism 2 (active-fade)", "loss_per_full_cycle_fraction", "missing"],
    ),
    "typo": (
        changed(charged_fractoin=0.1),
        ["mechanism 1 (active-fade)", "'charged_fractoin'", "'charged_fraction'"],
    ),
    "negative": (changed(loss_per_full_cycle_fraction=-1.0), ["mechanism 1", "-1"]),
    "text": (changed(loss_per_full_cycle_fraction="1e-4"), ["mechanism 1", "1e-4"]),
    "side": (changed(electrode="anode"), ["electrode", "'anode'", "'positive'"]),
    "evidence": (
        changed(
            loss_per_full_cycle_fraction={
                "value": 1.0,
                "source": "here",
                "evidence": "gut",
            }
        ),
        ["evidence", "'gut'"],
    ),
    "other key": (fade() | {"mechanism": 1}, ["'mechanism'", "'mechanisms'"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_refused_with_its_place(name):
    given, words = WRONG[name]
    with pytest.raises(SpecError) as caught:
        load_ageing(given, where="here")
    text = str(caught.value)
    assert text.startswith("here")
    assert "validation error" not in text
    for word in words:
        assert word in text, text


@pytest.mark.parametrize(
    ("kind", "name", "word"),
    [
        ("cells", "zhang2026-lb", "this is a cell"),
        ("kinetics", "zhang2026", "this is rates"),
        ("materials", "ncm85", "this is a material"),
    ],
)
def test_another_kind_of_file_is_told_apart(edited, kind, name, word):
    path = edited(kind=kind, name=name, to="other.toml")
    with pytest.raises(SpecError, match=word) as caught:
        load_ageing(path)
    assert "[[mechanisms]]" in caught.value.remedy


def test_a_wrong_key_in_a_cell_file_names_the_cell(edited):
    with pytest.raises(SpecError, match="ageing: found 3"):
        eqp.load_cell(edited(('ageing = "zhang2026"', "ageing = 3")))
