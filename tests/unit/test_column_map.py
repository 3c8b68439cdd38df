"""Maps: what they may say, how headers are found, and the bundled ones."""

import tomllib

import pytest

from equipoise.core.columns import COLUMNS, REQUIRED
from equipoise.core.errors import SpecError
from equipoise.io.readers.column_map import (
    NAMES,
    ColumnMap,
    bundled_maps,
    closest,
    dimension_of,
    fits,
    headers_of,
    load_map,
    match,
)

SMALLEST = """\
name = "mine"

[columns]
test_time_second = "Time"
voltage_volt = ["Voltage", "U"]
current_ampere = { label = "Current", unit = "mA" }
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "my.toml"
        path.write_text(text, "utf-8")
        return load_map(path)[0]

    return write


def test_three_forms_say_the_same(written):
    columns = written(SMALLEST).columns
    assert columns["test_time_second"].label == ("Time",)
    assert columns["voltage_volt"].label == ("Voltage", "U")
    assert columns["current_ampere"].unit == "mA"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Time"', '"Time"\nvoltage = "U"', "'voltage' is no column; did you mean"),
        ("test_time_second", "step_time_second", "there is no test_time_second"),
        ('name = "mine"', 'nam = "mine"', "unknown key 'nam'; did you mean 'name'"),
        ('"mA" }', '"mAh" }', "'mAh' is no unit of current; known: a, amp"),
        ('"mA" }', '"mA", sgn = "unknown" }', "did you mean 'columns.sign'|sgn"),
        ('"mA" }', '"mA", sign = "plus" }', "charging positive"),
        ('"mA" }', '"mA", sign = "magnitude" }', "needs a column that says which way"),
        ('"mA" }', '"mA", format = "unix" }', "format means nothing here"),
        ('"mA" }', '"mA", negated = true }', "negated means nothing here"),
        ('"mA" }', '"mA", reference = "li" }', "reference means nothing here"),
        ('"mA" }', '"mA", clock = "Date" }', "clock means nothing here"),
        ('{ label = "Current", unit', "{ unit", "no label is given"),
        ('["Voltage", "U"]', '""', "at least 1 character"),
        ('"Time"', '"Time"\nstep_type = { label = "S", unit = "s" }', "has no unit"),
    ],
)
def test_mistakes_are_named(written, old, new, message):
    assert old in SMALLEST
    with pytest.raises(SpecError, match=message) as caught:
        written(SMALLEST.replace(old, new, 1))
    assert "my.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[table]\nseperator = ";"\n', "did you mean 'separator'"),
        ('[table]\nencoding = "utf-9"\n', "is no encoding"),
        ("[table]\nheader_line = 3\nskip_lines = 2\n", "say the same"),
        ("[table]\nheader_line = 0\n", "greater than or equal to 1"),
        (
            '[states]\ncharge = "C"\ndischarge = "D"\n',
            "needs the column with the words",
        ),
        ('[text]\nvoltage_volt = "V"\n', "a name of your own"),
        ('[text]\n"Two Words" = "V"\n', "a name of your own"),
    ],
)
def test_mistakes_in_other_tables_are_named(written, more, message):
    with pytest.raises(SpecError, match=message):
        written(SMALLEST + more)


def test_a_reference_needs_a_name_or_a_potential(written):
    entry = 'positive_electrode_potential_volt = { label = "P", reference = %s }\n'
    assert written(SMALLEST + entry % '"lto"')
    assert written(SMALLEST + entry % '"gold", reference_potential_vs_li_volt = 3.1')
    with pytest.raises(SpecError, match="reference = 'gold' is not one of"):
        written(SMALLEST + entry % '"gold"')


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SpecError, match="no such file"):
        load_map(tmp_path / "absent.toml")


def headers(*cells):
    return headers_of(list(cells))


def made(**columns):
    given = {"test_time_second": "t", "voltage_volt": "u", "current_ampere": "i"}
    return ColumnMap.model_validate({"name": "m", "columns": given | columns})


@pytest.mark.parametrize(
    "header",
    ["Current", "current", "CURRENT (A)", "Current [mA]", "Current/A", "Current_uA"],
)
def test_headers_are_compared_by_their_quantity(header):
    mapping = made(current_ampere="Current")
    found = match(mapping, headers("t", "u", header))
    assert found.columns["current_ampere"] == 2
    assert found.complete


@pytest.mark.parametrize("header", ["Current (V)", "Current density", "Currents", "I"])
def test_other_quantities_are_not_taken(header):
    found = match(made(current_ampere="Current"), headers("t", "u", header))
    assert found.missing == ("current_ampere",)
    assert not found.complete


def test_the_unit_decides_between_equal_words():
    mapping = made(charging_capacity_ah="Charge", charging_energy_wh="Charge")
    found = match(mapping, headers("t", "u", "i", "Charge (mWh)", "Charge (mAh)"))
    assert found.columns["charging_capacity_ah"] == 4
    assert found.columns["charging_energy_wh"] == 3


def test_the_first_label_that_is_there_counts():
    mapping = made(voltage_volt=["Ecell", "u"])
    assert match(mapping, headers("t", "u", "i")).columns["voltage_volt"] == 1
    both = match(mapping, headers("t", "u", "i", "Ecell"))
    assert both.columns["voltage_volt"] == 3


def test_letters_that_differ_in_size_only_are_told_apart():
    mapping = made(ambient_temperature_celsius="T")
    found = match(mapping, headers("T", "t", "u", "i"))
    assert found.columns["ambient_temperature_celsius"] == 0
    assert found.columns["test_time_second"] == 1
    alone = match(mapping, headers("t", "u", "i"))
    assert "ambient_temperature_celsius" in alone.missing


def test_doubled_headers_are_reported():
    found = match(made(), headers("t", "u", "i", "u"))
    assert found.twice == {"voltage_volt": ["u", "u"]}


def test_marks_of_comments_are_no_part_of_a_header():
    for mark in ("~", "#", "\ufeff", '"'):
        assert headers(f"{mark}Time[s]")[0].quantity == "time"


def test_the_nearest_header_is_offered():
    assert closest(("Voltage",), headers("Time", "Voltge (V)")) == (
        "did you mean 'Voltge (V)'?"
    )
    assert closest(("Voltage",), headers("xyz")) == ""


def test_every_column_of_the_contract_can_be_mapped():
    assert set(COLUMNS) - set(NAMES) == {
        "test_time_hour",
        "passed_capacity_mah_per_g_positive",
    }
    for name in NAMES:
        unit = COLUMNS[name].unit if name in COLUMNS else ""
        assert (dimension_of(name) == "none") == (unit in ("", "1")) or not unit


def test_bundled_maps_are_sound(repo):
    folder = repo / "src/equipoise/io/readers/maps"
    maps = bundled_maps()
    assert sorted(f"{n}.toml" for n in maps) == sorted(p.name for p in folder.iterdir())
    page = (repo / "docs/reference/column-map.md").read_text("utf-8")
    for name, mapping in maps.items():
        assert f"`{name}`" in page
        assert mapping.description
        assert set(REQUIRED) <= set(mapping.columns)
        assert mapping.recognise or name == "generic"


def test_no_bundled_map_knows_a_table_of_cycles():
    found = headers(
        "Cycle_Index", "Test_Time(s)", "Current(A)", "Voltage(V)", "Vmax_On_Cycle(V)"
    )
    assert [n for n, m in bundled_maps().items() if fits(m, found)] == []


def keys(model):
    for name, field in model.model_fields.items():
        yield name
        for inner in _models(field.annotation):
            yield from keys(inner)


def _models(annotation):
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def test_every_key_of_a_map_is_described(repo):
    page = (repo / "docs/reference/column-map.md").read_text("utf-8")
    missing = [k for k in keys(ColumnMap) if f"`{k}`" not in page]
    assert missing == []


def test_the_maps_on_the_pages_are_valid(repo):
    import re

    for name in ("docs/howto/read-any-table.md", "docs/reference/column-map.md"):
        text = (repo / name).read_text("utf-8")
        blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.M | re.S)
        assert blocks
        for block in blocks:
            content = tomllib.loads(block)
            if "name" in content:
                assert ColumnMap.model_validate(content)
