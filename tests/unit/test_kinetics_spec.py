import json
import math
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

import equipoise as eqp
from equipoise.core.errors import SpecError
from equipoise.core.units import unit_symbol, unit_token
from equipoise.io.kinetics import load_kinetics
from equipoise.spec import library
from equipoise.spec.kinetics import CellKinetics, Dependence
from equipoise.spec.material import OpenCircuit
from equipoise.spec.provenance import Evidence, Sourced
from equipoise.spec.validation import validated
from equipoise.viz.labels import quantity

LIKE = {"like": "zhang2026"}
WHERE = "cell.toml: kinetics"


@pytest.fixture
def load(tmp_path):
    def load(given):
        return load_kinetics(given, folder=tmp_path, where=WHERE)

    return load


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


def changed(**over):
    """A complete table of its own with changes, without `like`."""
    return library.read("kinetics", "zhang2026") | over


def positive(**over):
    return LIKE | {"positive": over}


# --- what is bundled


def test_the_bundled_rates_are_for_the_papers_cell(load):
    rates = load("zhang2026")
    assert isinstance(rates, CellKinetics)
    assert rates.name == "zhang2026"
    assert rates.reference_temperature_celsius == 45.0
    assert rates.positive.particle_radius_um.value == 2.0
    assert rates.positive.particle_radius_um.evidence is Evidence.PAPER
    assert isinstance(rates.positive.diffusivity_cm2_per_s, Dependence)


def test_the_separator_follows_from_the_library_electrolyte(load):
    """Arrhenius from 25 to 45 C: the value, and its range of energies."""
    rates = load("zhang2026")
    lpscl = library.material("lpscl").ionic_conductivity_millisiemens_per_cm

    def at_45(kj_per_mol):
        step = (1 / 298.15 - 1 / 318.15) / 8.314462618e-3
        return lpscl.value * math.exp(kj_per_mol * step)

    number = rates.separator_conductivity_millisiemens_per_cm
    energy = rates.separator_activation_kj_per_mol
    assert number.value == pytest.approx(at_45(energy), abs=0.005)
    assert number.low == pytest.approx(at_45(0.30 * 96.485), abs=0.01)
    assert number.high == pytest.approx(at_45(0.40 * 96.485), abs=0.01)


def test_the_pristine_conductivities_are_those_of_the_bundled_cell(load, lb):
    rates, spec = load("zhang2026").positive, lb.positive.spec
    ionic = rates.ionic_conductivity_millisiemens_per_cm
    electronic = rates.electronic_conductivity_millisiemens_per_cm
    assert ionic.value == spec.ionic_conductivity_millisiemens_per_cm
    assert electronic.values[-1] == spec.electronic_conductivity_millisiemens_per_cm
    assert electronic.lithiation_fraction[-1] == 1.0


@pytest.mark.parametrize("name", library.names("kinetics"))
def test_bundled_rates_are_valid_and_named_as_their_file(load, name):
    rates = load(name)
    assert rates.name == name
    assert rates.title


def keys_of_numbers(table):
    for key, value in table.items():
        if isinstance(value, dict):
            if "value" in value or "lithiation_fraction" in value:
                yield key
            else:
                yield from keys_of_numbers(value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for entry in value:
                yield from keys_of_numbers(entry)
        elif isinstance(value, int | float):
            yield key


@pytest.mark.parametrize("name", library.names("kinetics"))
def test_bundled_numbers_end_in_their_unit(name):
    found = set(keys_of_numbers(library.read("kinetics", name)))
    assert len(found) > 5
    assert {k for k in found if unit_token(k) is None} == set()


@pytest.mark.parametrize("kind", ["cells", "half_cells"])
def test_every_bundled_cell_has_rates(kind):
    load_it = eqp.load_cell if kind == "cells" else eqp.load_half_cell_setup
    for name in library.names(kind):
        assert load_it(name).kinetics.name == "zhang2026"


def test_rates_leave_the_quasi_static_answers_alone(lb):
    bare = replace(lb, kinetics=None)
    assert lb.calibrated == bare.calibrated != ()
    with_rates, without = eqp.design_cell(lb), eqp.design_cell(bare)
    assert (
        with_rates.first_charge_mah_per_g_positive
        == without.first_charge_mah_per_g_positive
    )


# --- resolving


def test_a_path_is_relative_to_the_folder(load, write):
    write("rates/mine.toml", library.text("kinetics", "zhang2026"))
    assert load("rates/mine.toml") == load("zhang2026")


def test_a_table_needs_no_name(load):
    table = changed()
    del table["name"]
    rates = load(table)
    assert rates.name == "given by the user"
    assert rates.positive == load("zhang2026").positive


def test_a_table_is_not_changed_by_loading_it(load):
    table = positive(particle_radius_um=3.0)
    load(table)
    assert table == positive(particle_radius_um=3.0)


def test_a_bare_number_is_the_users(load):
    number = load(positive(particle_radius_um=3)).positive.particle_radius_um
    assert number.value == 3.0
    assert number.evidence is Evidence.USER
    assert number.low is number.high is None


def test_like_takes_the_rest_from_the_library(load):
    base = load("zhang2026")
    rates = load(positive(exchange_current_ma_per_cm2=0.02))
    assert rates.name == "zhang2026, changed"
    assert rates.positive.exchange_current_ma_per_cm2.value == 0.02
    assert rates.positive.particle_radius_um == base.positive.particle_radius_um
    assert rates.negative == base.negative
    assert rates.caveats == base.caveats
    same = ("positive", "name")
    assert rates.model_dump(exclude=set(same)) == base.model_dump(exclude=set(same))


def test_a_name_of_its_own_is_kept(load):
    assert load(LIKE | {"name": "slow"}).name == "slow"


def test_like_alone_changes_nothing(load):
    assert load(LIKE) == load("zhang2026")


def test_a_number_is_replaced_with_its_source_and_range(load):
    new = {"value": 6.0, "source": "my own pellet", "evidence": "user"}
    rates = load(LIKE | {"separator_conductivity_millisiemens_per_cm": new})
    found = rates.separator_conductivity_millisiemens_per_cm
    assert found.model_dump() == Sourced(**new).model_dump()
    assert found.low is None  # not that of the library


def test_a_part_of_a_number_does_not_keep_the_rest_of_the_old(load):
    with pytest.raises(SpecError, match=r"conductivity_\w+\.source' is missing"):
        load(LIKE | {"separator_conductivity_millisiemens_per_cm": {"value": 6.0}})
    with pytest.raises(SpecError, match=r"conductivity_\w+\.value' is missing"):
        load(LIKE | {"separator_conductivity_millisiemens_per_cm": {"low": 6.0}})


def test_a_dependence_is_replaced_as_a_whole(load):
    new = {"lithiation_fraction": [0.0, 1.0], "values": [1e-11, 1e-13]}
    found = load(positive(diffusivity_cm2_per_s=new)).positive.diffusivity_cm2_per_s
    assert found.values == (1e-11, 1e-13)
    assert (found.source, found.evidence) == ("given by the user", Evidence.USER)


def test_a_number_and_a_dependence_replace_each_other(load):
    number = load(positive(diffusivity_cm2_per_s=2e-12))
    assert number.positive.diffusivity_cm2_per_s.value == 2e-12
    new = {"lithiation_fraction": [0.0, 1.0], "values": [1e-11, 1e-13]}
    over = load(LIKE | {"negative": {"diffusivity_cm2_per_s": new}})
    assert over.negative.diffusivity_cm2_per_s.values == (1e-11, 1e-13)
    table = {"value": 1e-12, "source": "mine", "evidence": "user"}
    sourced = load(positive(diffusivity_cm2_per_s=table))
    assert sourced.positive.diffusivity_cm2_per_s.source == "mine"


CLASSES = [
    {"name": "good", "share_fraction": 0.7},
    {"name": "slow", "share_fraction": 0.3, "radius_ratio": 2.0},
]


def test_lists_and_curves_are_replaced_and_groups_merged(load, write):
    constant = {
        "form": "constant",
        "axis": "delithiated",
        "source": "made up",
        "evidence": "assumed",
        "capacity_mah_per_g": 200.0,
        "potential_vs_li_volt": 3.8,
    }
    tanh = {
        "form": "tanh",
        "axis": "delithiated",
        "source": "made up",
        "evidence": "assumed",
        "capacity_mah_per_g": 200.0,
        "offset_vs_li_volt": 4.0,
        "slope_volt": -0.5,
        "terms": [],
        "measured_from_mah_per_g": 0.0,
        "measured_to_mah_per_g": 190.0,
    }
    activation = {"ionic_kj_per_mol": 30.0, "exchange_kj_per_mol": 50.0}
    under = positive(
        particle_classes=CLASSES,
        open_circuit=constant,
        activation=activation | {"source": "some paper"},
    )
    over = under["positive"] | {
        "particle_classes": [{"name": "all", "share_fraction": 1.0}],
        "open_circuit": tanh,
        "activation": {"exchange_kj_per_mol": 55.0},
    }
    lines = [f"{k} = {_toml(v)}" for k, v in under["positive"].items()]
    text = 'like = "zhang2026"\nname = "base"\n[positive]\n'
    write("base.toml", text + "\n".join(lines))
    base, rates = load("base.toml"), load({"like": "base.toml", "positive": over})
    assert [c.name for c in base.positive.particle_classes] == ["good", "slow"]
    assert [c.name for c in rates.positive.particle_classes] == ["all"]
    assert rates.positive.open_circuit.form == "tanh"  # nothing of "constant" is left
    assert rates.positive.activation.exchange_kj_per_mol == 55.0
    assert rates.positive.activation.ionic_kj_per_mol == 30.0
    assert base.positive.activation.source == "some paper"
    assert rates.positive.activation.source == "given by the user, else some paper"
    assert rates.name == "base.toml, changed"


def _toml(value):
    if isinstance(value, dict):
        inside = ", ".join(f"{k} = {_toml(v)}" for k, v in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(v) for v in value)}]"
    return json.dumps(value)


def test_like_in_a_file_is_relative_to_that_file(load, write):
    write("deep/base.toml", 'like = "zhang2026"\nname = "deep"\n')
    write("deep/top.toml", 'like = "base.toml"\ncontact_resistance_ohm_cm2 = 7\n')
    rates = load("deep/top.toml")
    assert rates.contact_resistance_ohm_cm2.value == 7.0
    assert rates.name == "base.toml, changed"
    assert load({"like": "deep/top.toml"}) == rates
    with pytest.raises(SpecError, match="no such file"):
        load({"like": "base.toml"})


def test_a_chain_of_like_is_applied_from_the_bottom_up(load, write):
    write("a.toml", 'like = "zhang2026"\nnegative.particle_radius_um = 1\n')
    write("b.toml", 'like = "a.toml"\npositive.particle_radius_um = 3\n')
    rates = load({"like": "b.toml", "negative": {"particle_radius_um": 4.0}})
    assert rates.positive.particle_radius_um.value == 3.0
    assert rates.negative.particle_radius_um.value == 4.0
    base = load("zhang2026").negative.exchange_current_ma_per_cm2
    assert rates.negative.exchange_current_ma_per_cm2 == base


@pytest.mark.parametrize(
    "files",
    [
        {"a.toml": "a.toml"},
        {"a.toml": "./a.toml"},
        {"a.toml": "b.toml", "b.toml": "a.toml"},
        {"a.toml": "b.toml", "b.toml": "c.toml", "c.toml": "b.toml"},
        {"a.toml": "sub/b.toml", "sub/b.toml": "../a.toml"},
    ],
)
def test_a_circle_of_like_is_refused(load, write, files):
    for name, like in files.items():
        write(name, f'like = "{like}"\ncontact_resistance_ohm_cm2 = 1\n')
    for given in ("a.toml", {"like": "a.toml"}):
        with pytest.raises(SpecError, match=r"circle: a\.toml -> ") as caught:
            load(given)
        assert caught.value.remedy
        assert "like" in caught.value.where


def test_two_files_may_be_like_the_same(load, write):
    write("base.toml", 'like = "zhang2026"\n')
    write("one.toml", 'like = "base.toml"\npositive.particle_radius_um = 1\n')
    assert load("one.toml") != load("base.toml") == load("zhang2026")


# --- in a cell file

KEY = '\nkinetics = "zhang2026"\n'


def test_a_cell_without_rates_is_a_cell(edited):
    cell = eqp.load_cell(edited((KEY, "\n")))
    assert cell.kinetics is None
    assert cell.spec.kinetics is None


def test_a_cell_file_names_a_file_beside_it(edited, write):
    write("rates.toml", 'like = "zhang2026"\nname = "mine"\n')
    cell = eqp.load_cell(edited((KEY, '\nkinetics = "rates.toml"\n')))
    assert cell.kinetics.name == "mine"
    assert cell.spec.kinetics == "rates.toml"


def test_a_cell_file_holds_a_table(edited):
    table = '{ like = "zhang2026", positive.particle_radius_um = 2.5 }'
    cell = eqp.load_cell(edited((KEY, f"\nkinetics = {table}\n")))
    assert cell.kinetics.positive.particle_radius_um.value == 2.5
    assert cell.calibrated  # rates are no input of the calibrated outputs


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"zhang2062"', ["'zhang2062'", "did you mean 'zhang2026'?", ".toml file"]),
        ("5", ["found 5", "a library name, a .toml file or a table"]),
        ("true", ["found True"]),
        ('["zhang2026"]', ["found ['zhang2026']"]),
        ("{}", ["key 'positive' is missing", 'like = "zhang2026"']),
        (
            '{ like = "zhang2026", contact_resistence_ohm_cm2 = 3 }',
            ["'contact_resistence_ohm_cm2'", "'contact_resistance_ohm_cm2'?"],
        ),
    ],
)
@pytest.mark.parametrize("kind", ["cells", "half_cells"])
def test_wrong_rates_are_refused_with_the_cells_file(edited, kind, value, words):
    name = {"cells": "zhang2026-lb", "half_cells": "zhang2026-lto-inli"}[kind]
    path = edited((KEY, f"\nkinetics = {value}\n"), kind=kind, name=name)
    load_it = eqp.load_cell if kind == "cells" else eqp.load_half_cell_setup
    with pytest.raises(SpecError) as caught:
        load_it(path)
    text = str(caught.value)
    for word in ["cell.toml: kinetics: ", *words]:
        assert word in text, text
    assert "pydantic" not in text


def test_a_half_cell_keeps_the_rates_of_both_electrodes(edited, load):
    value = '{ like = "zhang2026", negative.particle_radius_um = 0.3 }'
    path = edited(
        (KEY, f"\nkinetics = {value}\n"), kind="half_cells", name="zhang2026-lto-inli"
    )
    setup = eqp.load_half_cell_setup(path)
    assert setup.working.material.kind == "negative"
    assert setup.kinetics.negative.particle_radius_um.value == 0.3
    assert setup.kinetics.positive == load("zhang2026").positive


def test_a_half_cell_needs_no_rates(edited):
    path = edited((KEY, "\n"), kind="half_cells", name="zhang2026-lto-inli")
    assert eqp.load_half_cell_setup(path).kinetics is None


def test_changed_cells_keep_their_rates(lb):
    for cell in (
        eqp.with_positive(lb, "nca"),
        lb.with_np_ratio(1.3),
        lb.with_window(upper_volt=2.6),
    ):
        assert cell.kinetics is lb.kinetics


# --- what is refused


def test_an_unknown_name_is_told_with_its_neighbour(load):
    with pytest.raises(SpecError) as caught:
        load("zhang206")
    assert caught.value.where == WHERE
    assert "'zhang206'" in caught.value.message
    assert "did you mean 'zhang2026'?" in caught.value.remedy


@pytest.mark.parametrize("given", ["", "../kinetics/zhang2026", "zhang2026-lb", "lto"])
def test_only_listed_names_are_read(load, given):
    with pytest.raises(SpecError, match="no kinetics"):
        load(given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, ["rates.toml", "no such file"]),
        ("", ["rates.toml", "empty"]),
        ("name = ", ["rates.toml", "not valid TOML"]),
        ('like = "zhang2062"', ["rates.toml: like", "'zhang2026'?"]),
        ('like = "other.toml"', ["other.toml", "no such file"]),
        ("like = 5", ["rates.toml", "like = 5", "a library name or a .toml"]),
        ('name = "x"', ["rates.toml", "'positive' is missing", 'like = "zhang2026"']),
    ],
)
def test_a_wrong_file_is_named(load, write, text, words):
    if text is not None:
        write("rates.toml", text)
    for given in ("rates.toml", {"like": "rates.toml"}):
        with pytest.raises(SpecError) as caught:
            load(given)
        for word in words:
            assert word in str(caught.value), str(caught.value)


def test_an_error_below_is_told_where_it_stands(load, write):
    path = write("base.toml", 'like = "zhang2026"\npositive.particle_radius_um = -1\n')
    with pytest.raises(SpecError) as caught:
        load({"like": "base.toml", "positive": {"particle_radius_um": 2.0}})
    assert caught.value.where == str(path)


def dependence(**over):
    good = {"lithiation_fraction": [0.2, 1.0], "values": [1e-11, 1e-13]}
    return positive(diffusivity_cm2_per_s=good | over)


WRONG = {
    "NaN": (positive(particle_radius_um=math.nan), ["particle_radius_um", "nan"]),
    "infinite": (positive(particle_radius_um=math.inf), ["particle_radius_um", "inf"]),
    "NaN in a table": (
        positive(
            particle_radius_um={
                "value": math.nan,
                "source": "mine",
                "evidence": "user",
            }
        ),
        ["positive.particle_radius_um.value = nan", "finite"],
    ),
    "NaN or dependence": (
        positive(diffusivity_cm2_per_s=math.nan),
        ["positive.diffusivity_cm2_per_s.value = nan", "finite"],
    ),
    "NaN in a dependence": (
        dependence(values=[1e-11, math.nan]),
        ["positive.diffusivity_cm2_per_s.values.1 = nan"],
    ),
    "NaN of a plain number": (
        LIKE | {"separator_activation_kj_per_mol": math.nan},
        ["separator_activation_kj_per_mol = nan"],
    ),
    "text": (
        positive(particle_radius_um="2.0"),
        ["positive.particle_radius_um: found '2.0'"],
    ),
    "text or dependence": (
        positive(diffusivity_cm2_per_s="1e-11"),
        ["positive.diffusivity_cm2_per_s: found '1e-11'"],
    ),
    "text in a dependence": (
        dependence(values=["1e-11", 1e-13]),
        ["positive.diffusivity_cm2_per_s.values.0 = '1e-11'"],
    ),
    "text of a plain number": (
        LIKE | {"reference_temperature_celsius": "45"},
        ["reference_temperature_celsius = '45'"],
    ),
    "truth value": (
        LIKE | {"contact_resistance_ohm_cm2": True},
        ["contact_resistance_ohm_cm2: found True"],
    ),
    "truth value in a table": (
        positive(
            particle_radius_um={"value": True, "source": "mine", "evidence": "user"}
        ),
        ["positive.particle_radius_um.value = True"],
    ),
    "list": (positive(particle_radius_um=[2.0]), ["particle_radius_um: found [2.0]"]),
    "zero radius": (positive(particle_radius_um=0), ["radius_um: 0 must be > 0"]),
    "zero diffusivity": (
        positive(diffusivity_cm2_per_s=0.0),
        ["positive.diffusivity_cm2_per_s: 0 must be > 0"],
    ),
    "negative resistance": (
        LIKE | {"contact_resistance_ohm_cm2": -1.0},
        ["contact_resistance_ohm_cm2: -1 must be >= 0"],
    ),
    "number without its source": (
        positive(diffusivity_cm2_per_s={"value": 1e-11}),
        ["'positive.diffusivity_cm2_per_s.source' is missing"],
    ),
    "unknown evidence": (
        positive(
            particle_radius_um={"value": 1.0, "source": "mine", "evidence": "good"}
        ),
        ["positive.particle_radius_um.evidence = 'good'", "'assumed'"],
    ),
    "neither number nor dependence": (
        positive(diffusivity_cm2_per_s={"valeu": 1e-11}),
        ["positive.diffusivity_cm2_per_s: ", "'lithiation_fraction'", "'valeu'"],
    ),
    "empty table": (
        positive(diffusivity_cm2_per_s={}),
        ["positive.diffusivity_cm2_per_s: ", "an empty table"],
    ),
    "dependence where none is": (
        positive(
            particle_radius_um={"lithiation_fraction": [0, 1], "values": [1.0, 2.0]}
        ),
        ["'positive.particle_radius_um.value' is missing", "lithiation_fraction"],
    ),
    "more values than fractions": (
        dependence(values=[1e-11, 1e-12, 1e-13]),
        ["positive.diffusivity_cm2_per_s: 2 lithium fractions but 3 in values"],
    ),
    "a range of another length": (
        dependence(low=[1e-12]),
        ["2 lithium fractions but 1 in low"],
    ),
    "falling fractions": (
        dependence(lithiation_fraction=[1.0, 0.2]),
        ["lithiation_fraction must rise strictly"],
    ),
    "equal fractions": (
        dependence(lithiation_fraction=[0.5, 0.5]),
        ["lithiation_fraction must rise strictly"],
    ),
    "negative value of a dependence": (
        dependence(values=[1e-11, -1e-13]),
        ["positive.diffusivity_cm2_per_s.values.1 = -1e-13", "greater than 0"],
    ),
    "one point": (
        dependence(lithiation_fraction=[0.5], values=[1e-11]),
        ["lithiation_fraction = [0.5]", "at least 2"],
    ),
    "misspelt key of a dependence": (
        dependence(valus=[1.0]),
        ["'positive.diffusivity_cm2_per_s.valus'", "did you mean 'values'?"],
    ),
    "shares below 1": (
        positive(particle_classes=CLASSES[:1]),
        ["positive: share_fraction", "add up to 0.7, not 1"],
    ),
    "shares above 1": (
        positive(particle_classes=[*CLASSES, CLASSES[1]]),
        ["add up to 1.3, not 1"],
    ),
    "a share of nothing": (
        positive(particle_classes=[*CLASSES, {"name": "no", "share_fraction": 0.0}]),
        ["positive.particle_classes.2.share_fraction = 0.0", "greater than 0"],
    ),
    "misspelt key of a class": (
        positive(particle_classes=[CLASSES[0] | {"radius_ration": 2.0}]),
        ["particle_classes.0.radius_ration", "did you mean 'radius_ratio'?"],
    ),
    "more contact than surface": (
        positive(contact_area_fraction=1.2),
        ["positive: contact_area_fraction = 1.2"],
    ),
    "transfer all on one side": (
        positive(anodic_transfer_fraction=1.0),
        ["positive.anodic_transfer_fraction = 1.0"],
    ),
    "negative energy": (
        positive(activation={"ionic_kj_per_mol": -1.0}),
        ["positive.activation.ionic_kj_per_mol = -1.0"],
    ),
    "kelvin": (
        LIKE | {"reference_temperature_celsius": 318.15},
        ["reference_temperature_celsius = 318.15", "200"],
    ),
    "share of the contact": (
        LIKE | {"positive_contact_share_fraction": 1.5},
        ["positive_contact_share_fraction = 1.5"],
    ),
    "misspelt key": (
        LIKE | {"refrence_position_fraction": 0.5},
        ["'refrence_position_fraction'", "did you mean 'reference_position_fraction'?"],
    ),
    "misspelt key of an electrode": (
        positive(particle_radus_um=2.0),
        ["'positive.particle_radus_um'", "did you mean 'particle_radius_um'?"],
    ),
    "another unit": (
        positive(particle_radius_mm=2.0),
        ["'positive.particle_radius_mm'", "did you mean 'particle_radius_um'?"],
    ),
    "misspelt electrode": (
        LIKE | {"postive": {"particle_radius_um": 1.0}},
        ["'postive'", "did you mean 'positive'?"],
    ),
    "an electrode that is a number": (LIKE | {"positive": 3}, ["positive = 3"]),
    "unknown form of a curve": (
        positive(open_circuit={"form": "tabel"}),
        ["positive.open_circuit", "'tabel'", "'table'"],
    ),
    "like is a number": (
        {"like": 5},
        ["like = 5", "a library name or a .toml file was expected"],
    ),
    "like is a table": ({"like": {"like": "zhang2026"}}, ["like = {"]),
    "like is empty": ({"like": ""}, ["kinetics: like: ", "known: zhang2026"]),
    "an empty name": (LIKE | {"name": ""}, ["name = ''"]),
    "no source of rates": (5, ["found 5", "a library name"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_in_words(load, case):
    given, words = WRONG[case]
    with pytest.raises(SpecError) as caught:
        load(given)
    text = str(caught.value)
    assert text.startswith(WHERE)
    for word in words:
        assert word in text, text
    assert "function-" not in text
    assert "[number]" not in text
    assert "[dependence]" not in text


def test_a_key_that_is_missing_is_named(load):
    for key in ("positive", "negative", "separator_conductivity_millisiemens_per_cm"):
        table = changed()
        del table[key]
        with pytest.raises(SpecError, match=f"key '{key}' is missing") as caught:
            load(table)
        assert 'like = "zhang2026"' in caught.value.remedy


def test_rates_cannot_be_changed(load):
    with pytest.raises(ValueError, match="frozen"):
        load("zhang2026").positive.anodic_transfer_fraction = 0.4


def test_rates_survive_being_written_out(load):
    rates = load(positive(particle_classes=CLASSES))
    again = validated(CellKinetics, rates.model_dump(exclude_none=True), where="x")
    assert again == rates


# --- shown and described


def row(key, name, number, value, span=""):
    evidence, source = number.evidence.value, number.source
    return (name, f"{value:g}", unit_symbol(key), span, evidence, source)


def shown_rows(text):
    """Rows of the printed tables; what was folded into further lines is joined."""
    rows = []
    for line in text.splitlines():
        cells = [c.strip() for c in line.split("│")[1:-1]]
        if cells and not cells[0] and rows:
            rows[-1] = [
                " ".join((a, b)).strip() for a, b in zip(rows[-1], cells, strict=True)
            ]
        elif cells:
            rows.append(cells)
    return {tuple(r) for r in rows}


def test_the_library_shows_every_number_with_its_source(cli, load):
    ran = cli("library", "zhang2026")
    assert ran.code == 0
    shown = shown_rows(ran.out)
    rates = load("zhang2026")
    told = 0
    for model in (rates, rates.positive, rates.negative):
        for key in type(model).model_fields:
            number, name = getattr(model, key), quantity(key)
            if isinstance(number, Sourced):
                span = "" if number.low is None else f"{number.low:g}-{number.high:g}"
                assert row(key, name, number, number.value, span) in shown, ran.out
                told += 1
            elif isinstance(number, Dependence):
                spans = zip(number.low, number.high, strict=True)
                points = zip(
                    number.lithiation_fraction, number.values, spans, strict=True
                )
                for x, value, (low, high) in points:
                    at, span = f"{name}, x = {x:g}", f"{low:g}-{high:g}"
                    assert row(key, at, number, value, span) in shown, ran.out
                    told += 1
    assert told > 15
    energy = f"{rates.separator_activation_kj_per_mol:g}"
    assert ("Separator activation", energy, "kJ mol⁻¹", "", "", "") in shown
    for word in ("positive electrode", "negative electrode", "x: lithium fraction"):
        assert word in ran.out
    assert ran.out.count("caveat: ") == len(rates.caveats) > 0


def test_what_a_file_may_hold_beyond_the_bundled_one_can_be_shown(load):
    from equipoise.cli.library import _rows

    new = {
        "lithiation_fraction": [0.0, 1.0],
        "values": [1e-11, 1e-13],
        "low": [5e-12, 5e-14],
        "high": [2e-11, 2e-13],
    }
    curve = {
        "form": "constant",
        "axis": "delithiated",
        "source": "made up",
        "evidence": "assumed",
        "capacity_mah_per_g": 200.0,
        "potential_vs_li_volt": 3.8,
    }
    rates = load(
        positive(
            diffusivity_cm2_per_s=new,
            particle_classes=CLASSES,
            open_circuit=curve,
            activation={"ionic_kj_per_mol": 30.0, "source": "some paper"},
        )
    )
    rows = _rows(rates.positive)
    user = ("user", "given by the user")
    assert ("Diffusivity, x = 0", "1e-11", "cm² s⁻¹", "5e-12-2e-11", *user) in rows
    assert ("slow: Radius ratio", "2", "", "", "", "") in rows
    assert ("good: Share fraction", "0.7", "", "", "", "") in rows
    assert ("Open circuit", "constant", "", "", "assumed", "made up") in rows
    assert ("Activation: Ionic", "30", "kJ mol⁻¹", "", "", "some paper") in rows


def test_the_list_names_the_kind_in_full(cli):
    rows = [re.findall(r"[\w-]+", x) for x in cli("library").out.splitlines()]
    assert ["zhang2026", "kinetics"] in rows
    assert ["zhang2026-lto-inli", "half", "cell"] in rows
    assert json.loads(cli("library", "--json").out)["kinetics"] == [
        "zhang2026",
        "zhang2026-transfer-0.1",
        "zhang2026-transfer-0.5",
    ]


def test_the_file_is_given_as_toml_and_json(cli, load, write):
    text = cli("library", "zhang2026", "--toml").out
    assert text == library.bundled_text("zhang2026")
    write("copy.toml", text)
    assert load("copy.toml") == load("zhang2026")
    shown = json.loads(cli("library", "zhang2026", "--json").out)
    assert shown["positive"] == tomllib.loads(text)["positive"]


def keys(model):
    for name, field in model.model_fields.items():
        yield name
        if field.annotation is not None and field.annotation != OpenCircuit | None:
            for nested in models(field.annotation):
                yield from keys(nested)


def models(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models(inner)


def test_every_key_is_described_and_none_is_made_up(repo):
    page = Path(repo, "docs/reference/kinetics-file.md").read_text("utf-8")
    rows = [x.split("|")[1] for x in page.splitlines() if x.startswith("| `")]
    described = {k for first in rows for k in re.findall(r"`(\w+)`", first)}
    real = set(keys(CellKinetics))
    assert {"share_fraction", "ionic_kj_per_mol", "values"} <= real
    assert described == real | {"like"}
