import json
import tomllib

import pytest

from equipoise.spec import library


def test_without_a_name_everything_is_listed(cli):
    ran = cli("library")
    assert ran.code == 0
    for kind in ("cells", "half_cells", "materials"):
        for name in library.names(kind):
            assert name in ran.out


def test_the_list_is_json_on_request(cli):
    found = json.loads(cli("library", "--json").out)
    assert found["cells"] == list(library.names("cells"))
    assert found["equipoise"]


def test_a_cell_is_printed_as_the_file_it_is(cli):
    ran = cli("library", "zhang2026-lb", "--toml")
    assert ran.code == 0
    assert ran.out == library.text("cells", "zhang2026-lb")
    assert tomllib.loads(ran.out)["name"] == "LB"


def test_a_material_shows_its_sources_and_caveats(cli):
    out = cli("library", "lto").out
    for word in ("132", "zhang2026", "paper", "caveat:", "mAh g"):
        assert word in out, out


@pytest.mark.parametrize("name", library.names("materials"))
def test_every_material_can_be_shown_in_every_form(cli, name):
    assert cli("library", name).code == 0
    assert tomllib.loads(cli("library", name, "--toml").out)["name"] == name
    assert json.loads(cli("library", name, "--json").out)["name"] == name


def test_an_unknown_name_is_an_input_error(cli):
    ran = cli("library", "lot")
    assert ran.code == 2
    assert "'lot' is not in the library" in ran.err
    assert "did you mean 'lto'?" in ran.err
    assert ran.out == ""
