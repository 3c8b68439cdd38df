import tomllib

import pytest

import equipoise as eqp
from equipoise.core.errors import DataError, SpecError
from equipoise.spec import library

NP = "np_ratio = 1.1 "
CURVE = """\
name = "{name}"
role = "positive"
reference = "li"
like = "ncm85"
source = "made up for a test"
[delithiation]
file = "charge.csv"
capacity_column = "q"
capacity_unit = "mah_per_g"
potential_column = "u"
"""


def with_curve(folder, *, name="my_ncm", stem="my_ncm"):
    rows = ["q,u", *(f"{q},{3.4 + q / 250.0:.6f}" for q in range(0, 226, 5))]
    (folder / "charge.csv").write_text("\n".join(rows))
    (folder / f"{stem}.toml").write_text(CURVE.format(name=name))


def test_a_copy_of_the_bundled_file_is_the_bundled_cell(edited, lb):
    copy = eqp.load_cell(edited())
    assert copy.spec == lb.spec
    assert eqp.design_cell(copy).first_charge_mah_per_g_positive == (
        eqp.design_cell(lb).first_charge_mah_per_g_positive
    )


def test_a_path_may_be_text_or_path(edited):
    path = edited()
    assert eqp.load_cell(str(path)).spec == eqp.load_cell(path).spec


def test_a_byte_order_mark_is_ignored(edited, lb):
    path = edited()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert eqp.load_cell(path).spec == lb.spec


BROKEN = {
    "unknown key": ([(NP, "np_ration = 1.1 ")], ["balance.np_ration", "'np_ratio'"]),
    "fractions sum to 98": (
        [("lpscl = 29.4", "lpscl = 27.4")],
        ["positive", "mass_fractions", "98", "not rescaled"],
    ),
    "material not in its fractions": (
        [("{ ncm85 = 68.6,", "{ nmc = 68.6,")],
        ["positive.mass_fractions", "'ncm85'", "nmc, lpscl, c65, pib", "add ncm85"],
    ),
    "np and loading": (
        [("[balance]", "loading_mg_per_cm2 = 11.6\n[balance]")],
        ["np_ratio", "loading_mg_per_cm2", "both are given"],
    ),
    "window upside down": (
        [("upper_volt = 2.75", "upper_volt = 1.0")],
        ["window", "upper_volt = 1 ", "lower_volt = 1.35"],
    ),
    "millivolt": (
        [("upper_volt = 2.75", "upper_volt = 2750")],
        ["window", "2750", "millivolt"],
    ),
    "np zero": ([(NP, "np_ratio = 0 ")], ["balance.np_ratio = 0"]),
    "np negative": ([(NP, "np_ratio = -1 ")], ["balance.np_ratio = -1"]),
    "np nan": ([(NP, "np_ratio = nan ")], ["balance.np_ratio = nan", "finite"]),
    "np inf": ([(NP, "np_ratio = inf ")], ["balance.np_ratio = inf", "finite"]),
    "np text": ([(NP, 'np_ratio = "high" ')], ["balance.np_ratio = 'high'", "number"]),
    "positive larger than separator": (
        [("diameter_mm = 9 ", "diameter_mm = 11 ")],
        ["positive.diameter_mm = 11", "separator.diameter_mm = 10", "touch"],
    ),
    "unknown material": (
        [('"ncm85"', '"ncm86"'), ("ncm85 = 68", "ncm86 = 68")],
        ["positive.material", "'ncm86'", "did you mean 'ncm85'?"],
    ),
    "unknown separator": (
        [('material = "lpscl"', 'material = "lpsc"')],
        ["separator.material", "'lpsc'", "did you mean 'lpscl'?"],
    ),
    "carbon as separator": (
        [('material = "lpscl"', 'material = "c65"')],
        ["separator.material", "not an electrolyte", "use 'lpscl'"],
    ),
    "graphite as positive": (
        [('"ncm85"', '"graphite"'), ("ncm85 = 68", "graphite = 68")],
        ["positive.material", "'graphite' is a negative", "built lithiated"],
    ),
    "electrolyte as negative": (
        [('"lto"', '"lpscl"')],
        ["negative.material", "no open-circuit curve", "graphite, lto"],
    ),
    "unknown component": (
        [("pib = 1.0", "ptfe = 1.0")],
        ["positive.mass_fractions", "'ptfe'", "[components.ptfe]"],
    ),
    "porosity one": (
        [("porosity_fraction = 0.10       # assumed, 5-15", "porosity_fraction = 1 #")],
        ["positive.porosity_fraction", "less than 1"],
    ),
    "table for number": (
        [("mass_mg = 100 ", "mass_mg = { value = 100 } ")],
        ["separator.mass_mg", "number"],
    ),
    "missing table": (
        [("[separator]", "[separador]")],
        ["'separador'", "did you mean 'separator'?", "'separator' is missing"],
    ),
    "decimal comma": (
        [("upper_volt = 2.75", "upper_volt = 2,75")],
        ["not valid TOML", "line 11", "decimal points"],
    ),
    "unclosed text": (
        [('name = "LB"', 'name = "LB')],
        ["not valid TOML", "line 2", "quoted text"],
    ),
    "key twice": ([('name = "LB"', 'name = "LB"\nname = "x"')], ["TOML", "line 3"]),
    "temperature in kelvin": (
        [("temperature_celsius = 45", "temperature_celsius = 318")],
        ["temperature_celsius", "200"],
    ),
    "unknown volume data": (
        [('volume_variant = "B"', 'volume_variant = "b"')],
        ["positive.volume_variant", "'b'", "did you mean 'B'?"],
    ),
    "no such curve file": (
        [('"ncm85"', '"mine.toml"'), ("ncm85 = 68", "mine = 68")],
        ["mine.toml", "no such file", "check the path"],
    ),
    "lower cut-off above the cell": (
        [("lower_volt = 1.35", "lower_volt = 2.745")],
        ["window", "nothing to discharge", "lower_volt"],
    ),
    "window out of reach": (
        [("upper_volt = 2.75", "upper_volt = 3.5"), (NP, "np_ratio = 1.5 ")],
        ["window.upper_volt", "never reaches 3.5 V", "lower the cut-off"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_by_file_key_and_remedy(name, edited):
    replacements, words = BROKEN[name]
    path = edited(*replacements)
    with pytest.raises(SpecError) as caught:
        eqp.design_cell(eqp.load_cell(path))
    text = str(caught.value)
    for word in ["cell.toml", *words] if name != "no such curve file" else words:
        assert word in text, text
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_says_where_to_start_from(tmp_path, content):
    path = tmp_path / "cell.toml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"cell\.toml: the file is empty") as caught:
        eqp.load_cell(path)
    assert "equipoise library zhang2026-lb --toml" in str(caught.value)


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(SpecError, match=r"is a folder(.|\n)*the file inside"):
        eqp.load_cell(tmp_path)


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"absent\.toml: there is no such file"):
        eqp.load_cell(tmp_path / "absent.toml")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_text_in_another_encoding_is_refused_with_its_byte(edited, encoding):
    path = edited(("# LTO", "# Gewicht in µg, LTO"))
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    with pytest.raises(SpecError, match=r"not UTF-8 text \(byte \d+: 0x") as caught:
        eqp.load_cell(path)
    assert "save the file as UTF-8" in str(caught.value)
    assert "cell.toml" in str(caught.value)


def test_binary_content_is_refused(tmp_path):
    path = tmp_path / "cell.toml"
    path.write_bytes(bytes(range(128)))
    with pytest.raises(SpecError, match=r"cell\.toml"):
        eqp.load_cell(path)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(SpecError, match=r"'zhang2026-l'(.|\n)*'zhang2026-lb'"):
        eqp.load_cell("zhang2026-l")


def test_a_bundled_half_cell_is_not_a_full_cell():
    with pytest.raises(SpecError) as caught:
        eqp.load_cell("zhang2026-lto-inli")
    text = str(caught.value)
    assert "did you mean 'zhang2026-lto-inli'" not in text, text
    assert "half cell" in text, text


def test_a_bundled_full_cell_is_not_a_half_cell():
    with pytest.raises(SpecError) as caught:
        eqp.load_half_cell_setup("zhang2026-lb")
    text = str(caught.value)
    assert "did you mean 'zhang2026-lb'" not in text, text
    assert "full cell" in text, text


def test_a_half_cell_file_is_not_a_full_cell(edited):
    path = edited(kind="half_cells", name="zhang2026-lto-inli")
    with pytest.raises(SpecError, match=r"half cell(.|\n)*load_half_cell_setup"):
        eqp.load_cell(path)
    assert eqp.load_half_cell_setup(path).counter.name == "in_inli"


@pytest.mark.parametrize(
    ("counter", "word"), [("lto", "constant potential"), ("in_inl", "'in_inli'")]
)
def test_a_counter_electrode_must_be_constant_and_known(edited, counter, word):
    path = edited(
        ('"in_inli"', f'"{counter}"'), kind="half_cells", name="zhang2026-lto-inli"
    )
    with pytest.raises(SpecError, match=word) as caught:
        eqp.load_half_cell_setup(path)
    assert "counter" in str(caught.value), caught.value


def test_a_component_of_ones_own_needs_only_its_density(edited, lb):
    path = edited(
        ("pib = 1.0", "ptfe = 1.0"),
        ("[separator]", "[components.ptfe]\ndensity_g_per_cm3 = 2.2\n[separator]"),
    )
    cell = eqp.load_cell(path)
    assert cell.positive.density_g_per_cm3 > lb.positive.density_g_per_cm3


def test_a_curve_of_ones_own_lies_beside_the_cell(edited, tmp_path):
    with_curve(tmp_path)
    cell = eqp.load_cell(
        edited(('"ncm85"', '"my_ncm.toml"'), ("ncm85 = 68", "my_ncm = 68"))
    )
    assert cell.positive.material.name == "my_ncm"
    assert cell.positive.material.density_g_per_cm3.value == 4.795  # like ncm85
    assert 50.0 < eqp.design_cell(cell).first_charge_mah_per_g_positive < 250.0


def test_a_curve_file_may_be_named_otherwise_than_its_material(edited, tmp_path):
    # fractions follow the file, as ElectrodeSpec.material_name says
    with_curve(tmp_path, name="my_ncm", stem="batch12")
    cell = eqp.load_cell(
        edited(('"ncm85"', '"batch12.toml"'), ("ncm85 = 68", "batch12 = 68"))
    )
    assert cell.positive.spec.active_fraction == pytest.approx(0.686)


def test_an_error_in_a_curve_names_the_curve_file(edited, tmp_path):
    with_curve(tmp_path)
    (tmp_path / "charge.csv").write_text("")
    path = edited(('"ncm85"', '"my_ncm.toml"'), ("ncm85 = 68", "my_ncm = 68"))
    with pytest.raises(DataError, match=r"charge\.csv"):
        eqp.load_cell(path)


def test_another_positive_takes_the_place_of_the_old_one(lb):
    cell = eqp.with_positive(lb, "nca")
    assert cell.positive.material.name == "nca"
    assert cell.positive.spec.mass_fractions["nca"] == 68.6
    assert "ncm85" not in cell.positive.spec.mass_fractions
    assert cell.np_ratio == lb.np_ratio
    assert lb.positive.material.name == "ncm85"


@pytest.mark.parametrize("stem", ["my_ncm", "batch12"])
def test_another_positive_may_be_a_curve_of_ones_own(lb, tmp_path, stem):
    with_curve(tmp_path, name="my_ncm", stem=stem)
    cell = eqp.with_positive(lb, str(tmp_path / f"{stem}.toml"))
    assert cell.positive.material.name == "my_ncm"
    assert cell.positive.spec.active_fraction == pytest.approx(0.686)


@pytest.mark.parametrize(
    ("material", "word"),
    [
        ("graphite", "cannot be the positive"),
        ("ncm58", "'ncm85'"),
        ("in_inli", "counter"),
        ("pib", "binder"),
    ],
)
def test_what_is_not_a_positive_is_refused(lb, material, word):
    with pytest.raises(SpecError, match=word):
        eqp.with_positive(lb, material)


@pytest.mark.parametrize("kind", ["cells", "half_cells"])
def test_every_bundled_cell_can_be_designed(kind):
    for name in library.names(kind):
        assert tomllib.loads(library.text(kind, name))["name"]
        if kind == "cells":
            assert eqp.design_cell(eqp.load_cell(name)).first_charge_mah > 0.0
        else:
            answer = eqp.design_half_cell(eqp.load_half_cell_setup(name))
            assert answer.first_charge_mah_per_g > 0.0


def test_a_curve_of_ones_own_is_not_calibrated_whatever_its_name(edited, tmp_path):
    with_curve(tmp_path, name="ncm85", stem="ncm85")
    # `positive = "ncm85"` of [origin.calibrated_at] stays: only the name is the same
    cell = eqp.load_cell(edited(('\nmaterial = "ncm85"', '\nmaterial = "ncm85.toml"')))
    assert cell.positive.half_cell.source == "made up for a test"
    assert cell.positive.material.name == "ncm85"
    assert cell.locked_capacity_mah_per_g == 27.0  # taken over: one branch
    assert eqp.design_cell(cell).calibrated == ()
