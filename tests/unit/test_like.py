"""A user's curve beside the library material it is declared to be like."""

import warnings

import numpy as np
import pytest

from equipoise.core.errors import EquipoiseWarning, SpecError
from equipoise.core.references import REFERENCES
from equipoise.io.halfcells import read_half_cell
from equipoise.spec import library
from equipoise.spec.curve_file import CurveFile
from equipoise.spec.open_circuit import half_cell
from equipoise.spec.validation import validated

IN_INLI_VOLT = REFERENCES["in_inli"].potential_vs_li_volt


def known(name):
    """What a perfect measurement of a library material would give."""
    return half_cell(name, library.material(name).open_circuit).delithiation


def measured(
    folder,
    *,
    like="ncm85",
    shift_volt=0.0,
    capacity_ratio=1.0,
    branches=("delithiation",),
    **changed,
):
    """Declare a curve of `like`, moved and stretched, and read it.

    Returns the declaration, the half cell and the texts of the warnings.
    """
    curve = known(like)
    positive = curve.axis == "delithiated"
    low, high = curve.measured_from_mah_per_g, curve.measured_to_mah_per_g
    q = np.linspace(low, high, 4000)  # the beginning of graphite is steep
    rows = zip(q * capacity_ratio, curve.potential(q) + shift_volt, strict=True)
    text = "\n".join(["q,u", *(f"{x:.6f},{u:.6f}" for x, u in rows)])
    (folder / "curve.csv").write_text(text, "utf-8")
    table = {
        "file": "curve.csv",
        "capacity_column": "q",
        "capacity_unit": "mah_per_g",
        "potential_column": "u",
        "capacity_counts": "delithiation" if positive else "lithiation",
        "capacity_offset_mah_per_g": 0.0,
    }
    content = {
        "name": "mine",
        "role": "positive" if positive else "negative",
        "reference": "li",
        "source": "a measurement made up for a test",
        "like": like,
        **dict.fromkeys(branches, table),
    }
    declared = validated(CurveFile, content | changed, where="mine.toml")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        curves = read_half_cell(declared, folder=folder)
    assert all(issubclass(w.category, EquipoiseWarning) for w in caught)
    return declared, curves, [str(w.message) for w in caught]


@pytest.mark.parametrize("like", ["ncm85", "nca", "nmc811", "lto", "graphite"])
def test_a_curve_of_the_material_itself_does_not_warn(tmp_path, like):
    branch = "delithiation" if like in ("ncm85", "nca", "nmc811") else "lithiation"
    assert measured(tmp_path, like=like, branches=(branch,))[2] == []


@pytest.mark.parametrize("shift", [-0.1, 0.1])
@pytest.mark.parametrize("ratio", [0.85, 1.15])
def test_a_material_of_the_same_family_does_not_warn(tmp_path, shift, ratio):
    found = measured(tmp_path, shift_volt=shift, capacity_ratio=ratio)[2]
    assert found == []


def test_in_inli_data_declared_as_li_name_in_inli(tmp_path):
    # 0.62 V too low, but a potential that an electrode may have
    _, _, (text,) = measured(tmp_path, shift_volt=-IN_INLI_VOLT)
    assert text.startswith("mine: ")
    assert "620 mV below those of 'ncm85'" in text
    assert "was it measured against 'in_inli'?" in text


def test_li_data_declared_as_in_inli_name_li(tmp_path):
    _, _, (text,) = measured(tmp_path, reference="in_inli")
    assert "620 mV above those of 'ncm85'" in text
    assert "was it measured against 'li'?" in text


def test_lto_data_declared_as_li_name_lto(tmp_path):
    shift = -REFERENCES["lto"].potential_vs_li_volt
    _, _, (text,) = measured(tmp_path, shift_volt=shift)
    assert "was it measured against 'lto'?" in text


def test_in_inli_data_declared_as_such_do_not_warn(tmp_path):
    _, _, found = measured(tmp_path, shift_volt=-IN_INLI_VOLT, reference="in_inli")
    assert found == []


@pytest.mark.parametrize("shift", [0.3, -0.35])
def test_a_shift_that_no_reference_explains_names_the_declared_one(tmp_path, shift):
    _, _, (text,) = measured(tmp_path, shift_volt=shift)
    assert f"{abs(shift) * 1e3:.0f} mV" in text
    assert "check reference = 'li'" in text


def test_the_composites_mass_as_the_active_mass_is_asked_for(tmp_path):
    # the recipe of the paper has 68.6 % of active material: so much is missing
    _, _, (text,) = measured(tmp_path, capacity_ratio=0.686, active_mass_mg=7.88)
    assert "0.69 times the capacity of 'ncm85'" in text
    assert "active_mass_mg = 7.88 the active mass, not the composite's?" in text


@pytest.mark.parametrize("ratio", [0.7, 1.5])
def test_a_capacity_per_gram_far_from_the_material_asks_for_the_column(tmp_path, ratio):
    _, _, (text,) = measured(tmp_path, capacity_ratio=ratio)
    assert f"{ratio:.2f} times" in text
    assert "is the capacity column right?" in text


@pytest.mark.parametrize(
    ("ratio", "warns"), [(0.74, True), (0.76, False), (1.32, False), (1.35, True)]
)
def test_three_quarters_of_the_capacity_and_its_inverse_are_the_limits(
    tmp_path, ratio, warns
):
    assert bool(measured(tmp_path, capacity_ratio=ratio)[2]) == warns


@pytest.mark.parametrize(
    ("shift", "warns"), [(0.19, False), (-0.19, False), (0.21, True), (-0.21, True)]
)
def test_a_fifth_of_a_volt_is_the_limit(tmp_path, shift, warns):
    assert bool(measured(tmp_path, shift_volt=shift)[2]) == warns


def test_without_like_nothing_is_compared(tmp_path):
    declared, _, found = measured(tmp_path, shift_volt=-IN_INLI_VOLT)
    assert found
    alone = declared.model_copy(update={"like": None})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_half_cell(alone, folder=tmp_path)


def test_an_unknown_like_suggests_the_nearest(tmp_path):
    declared, _, _ = measured(tmp_path)
    wrong = declared.model_copy(update={"like": "ncm58"})
    with pytest.raises(SpecError, match=r"'ncm58'(.|\n)*'ncm85'") as caught:
        read_half_cell(wrong, folder=tmp_path)
    assert "mine: like" in str(caught.value)


@pytest.mark.parametrize("like", ["lto", "lpscl"])
def test_a_like_of_another_role_is_refused(tmp_path, like):
    declared, _, _ = measured(tmp_path)
    wrong = declared.model_copy(update={"like": like})
    with pytest.raises(SpecError, match=r"of role 'positive'(.|\n)*same role"):
        read_half_cell(wrong, folder=tmp_path)
