import pytest

from equipoise.core.errors import SpecError
from equipoise.spec.cell import CellSpec, Window
from equipoise.spec.library import read
from equipoise.spec.validation import validated


def lb():
    return read("cells", "zhang2026-lb")


def complaint(content, model=CellSpec):
    with pytest.raises(SpecError) as caught:
        validated(model, content, where="my.toml")
    text = str(caught.value)
    assert text.startswith("my.toml: ")
    return text


def test_good_content_builds_the_model():
    window = validated(Window, {"lower_volt": 1, "upper_volt": 2}, where="w")
    assert (window.lower_volt, window.upper_volt) == (1.0, 2.0)


def test_an_unknown_key_is_named_with_the_nearest_known_one():
    content = lb()
    content["window"]["uper_volt"] = 2.8
    text = complaint(content)
    assert "'window.uper_volt'" in text
    assert "did you mean 'upper_volt'?" in text
    assert "typo" in text


def test_an_unknown_top_level_key_is_named():
    text = complaint(lb() | {"temprature_celsius": 45})
    assert "did you mean 'temperature_celsius'?" in text


def test_a_missing_key_is_named_with_its_table():
    content = lb()
    del content["separator"]["mass_mg"]
    assert "key 'separator.mass_mg' is missing" in complaint(content)


def test_a_wrong_value_is_shown_with_its_key():
    content = lb()
    content["positive"]["diameter_mm"] = -9
    text = complaint(content)
    assert "positive.diameter_mm = -9" in text
    assert "greater than 0" in text


def test_several_problems_are_told_at_once():
    content = lb()
    content["positive"]["diameter_mm"] = -9
    del content["window"]["lower_volt"]
    text = complaint(content)
    assert "positive.diameter_mm" in text
    assert "window.lower_volt" in text


def test_a_long_value_is_cut_short():
    content = lb() | {"temperature_celsius": "x" * 500}
    assert len(max(complaint(content).splitlines(), key=len)) < 160


def test_a_table_in_place_of_a_number_is_refused():
    content = lb()
    content["window"]["upper_volt"] = {"volt": 2.75}
    assert "window.upper_volt" in complaint(content)


@pytest.mark.parametrize("value", [5, 5.0, True, ["ncm85"]])
def test_a_material_of_the_wrong_type_is_named_by_the_users_key(value):
    content = lb()
    content["positive"]["material"] = value
    text = complaint(content)
    assert "positive.material = " in text, text
    assert "function-after" not in text, text
    assert "CurveFile" not in text, text


def test_a_typo_in_an_inline_curve_is_named_by_the_users_key_only():
    content = lb()
    content["positive"]["material"] = {
        "name": "ncm85",
        "role": "positive",
        "reference": "li",
        "source": "ours",
        "lik": "ncm85",
        "delithiation": {
            "file": "a.csv",
            "capacity_column": "q",
            "capacity_unit": "mah_per_g",
            "potential_column": "u",
        },
    }
    text = complaint(content)
    assert "did you mean 'like'?" in text, text
    assert "'positive.material.lik'" in text, text
