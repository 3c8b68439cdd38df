"""The script for PyBaMM, without PyBaMM: what it holds, and what is refused."""

import ast
import json
from dataclasses import replace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import equipoise as eqp
from equipoise.cli.export import export
from equipoise.core.constants import FARADAY_C_PER_MOL
from equipoise.core.errors import SpecError, StoreError
from equipoise.io.pybamm_export import pybamm_parameters, write_pybamm
from equipoise.kernels import porous
from equipoise.kernels.layout import CAPACITY, EXCHANGE, FILM, FLUX, INTERFACE
from equipoise.sim.electrode import WALL_VOLT
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh
from equipoise.spec.kinetics import CellKinetics, ElectrodeKinetics

MESH = Mesh(positive_nodes_count=1, negative_nodes_count=1, shells_count=1)
RATES = {
    "name": "made up",
    "reference_temperature_celsius": 45.0,
    "separator_conductivity_millisiemens_per_cm": 4.83,
    "separator_activation_kj_per_mol": 33.8,
    "contact_resistance_ohm_cm2": 5.0,
    "positive": {
        "particle_radius_um": 2.0,
        "diffusivity_cm2_per_s": {
            "lithiation_fraction": (0.2, 1.0),
            "values": (4e-11, 3e-14),
        },
        "exchange_current_ma_per_cm2": 0.1,
        "ionic_conductivity_millisiemens_per_cm": 0.14,
        "electronic_conductivity_millisiemens_per_cm": 0.5,
    },
    "negative": {
        "particle_radius_um": 0.5,
        "diffusivity_cm2_per_s": 1e-11,
        "exchange_current_ma_per_cm2": 0.2,
        "ionic_conductivity_millisiemens_per_cm": 1.5,
        "electronic_conductivity_millisiemens_per_cm": 1.0,
    },
}
CLASSES = (
    {"name": "fast", "share_fraction": 0.75},
    {
        "name": "slow",
        "share_fraction": 0.25,
        "radius_ratio": 3.0,
        "exchange_ratio": 0.2,
        "film_resistance_ohm_cm2": 40.0,
    },
)


@pytest.fixture
def lb():
    cell = eqp.load_cell("zhang2026-lb")
    return replace(cell, kinetics=CellKinetics.model_validate(RATES))


def with_rates(cell, *, side="positive", **changes):
    given = getattr(cell.kinetics, side).model_dump() | changes
    rates = ElectrodeKinetics.model_validate(given)
    return replace(cell, kinetics=cell.kinetics.model_copy(update={side: rates}))


def table_of(script, name="CELL"):
    """A literal of the script."""
    for node in ast.parse(script).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    raise AssertionError(name)


def test_the_script_is_python_without_equipoise(lb):
    tree = ast.parse(pybamm_parameters(lb).script())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"os", "numpy", "pybamm"}


def test_the_script_holds_the_table_and_the_notes(lb):
    found = pybamm_parameters(lb)
    assert table_of(found.script()) == found.cell
    assert all(note in " ".join(_strings(found.script())) for note in found.notes)


def _strings(script):
    nodes = ast.walk(ast.parse(script))
    return [
        n.value
        for n in nodes
        if isinstance(n, ast.Constant) and n.value.__class__ is str
    ]


@pytest.mark.parametrize("name", ['q"""q', "back\\slash", "it's", "__NOTES__"])
def test_no_name_of_a_cell_breaks_the_script(lb, name):
    cell = replace(lb, spec=lb.spec.model_copy(update={"name": name}))
    assert table_of(pybamm_parameters(cell).script())["name"] == name


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_the_numbers_are_those_of_the_lowered_cell(lb, side):
    cell = with_rates(
        lb,
        side=side,
        contact_area_fraction=0.6,
        film_resistance_ohm_cm2=30.0,
        activation={"exchange_kj_per_mol": 40.0, "film_kj_per_mol": 20.0},
    )
    spec = cell.spec.model_copy(update={"temperature_celsius": 30.0})
    cell = replace(cell, spec=spec)
    lowered = lower(cell, mesh=MESH)
    ours, found = getattr(lowered, side), pybamm_parameters(cell).cell
    e = found[side]
    contact, column = 0.6, ours.column[:, 0]
    interface = 3.0 * e["active_fraction"] / e["radius_m"]
    charge = e["site_concentration_mol_per_m3"] * FARADAY_C_PER_MOL
    assert e["area_m2"] == pytest.approx(ours.area)
    assert e["thickness_m"] == pytest.approx(ours.width)
    assert interface * contact == pytest.approx(column[INTERFACE])
    assert e["exchange_ampere_per_m2"] / contact == pytest.approx(column[EXCHANGE])
    assert e["film_ohm_m2"] * contact == pytest.approx(column[FILM])
    assert 1.0 / (charge * e["radius_m"]) == pytest.approx(column[FLUX] / contact)
    assert charge * e["active_fraction"] * e["thickness_m"] == pytest.approx(
        column[CAPACITY]
    )
    assert 1.0 / e["ionic_siemens_per_m"] == pytest.approx(ours.ionic[0])
    assert found["one_c_ampere"] == pytest.approx(lowered.one_c_ampere)
    start = getattr(lowered, f"{side}_start_fraction")
    assert e["start_x"] == pytest.approx(start)


def test_full_and_empty_particles_react_as_in_the_kernel(lb):
    found = table_of(pybamm_parameters(lb).script(), "LEAST_FRACTION")
    assert found == porous._LEAST_FRACTION
    assert table_of(pybamm_parameters(lb).script(), "WALL_VOLT") == WALL_VOLT


def test_resistances_are_those_of_the_lowered_cell(lb):
    lowered, found = lower(lb, mesh=MESH), pybamm_parameters(lb).cell
    separator = found["separator_thickness_m"] / found["separator_siemens_per_m"]
    whole = found["contact_ohm"] + separator / found["area_m2"]
    assert whole == pytest.approx(lowered.positive_ohm + lowered.negative_ohm)


def test_tables_are_the_curves(lb):
    found = pybamm_parameters(lb, branch="lithiation").cell["positive"]
    curve = found["open_circuit"]
    assert curve["form"] == "table"
    x = np.linspace(*curve["x_range"], len(curve["volt"]))
    capacity = lb.positive.material.theoretical_capacity_mah_per_g.value
    expected = lb.positive.half_cell.lithiation.potential((1.0 - x) * capacity)
    assert curve["volt"] == pytest.approx(expected, rel=0, abs=1e-9)
    assert (np.diff(curve["volt"]) <= 0.0).all()
    assert found["diffusivity_m2_per_s"]["values"][-1] == pytest.approx(3e-18)


def test_a_stretched_curve_is_stretched(lb):
    plain = pybamm_parameters(lb).cell
    for side in ("positive", "negative"):
        cell = with_rates(lb, side=side, open_circuit_stretch_ratio=1.1)
        curve = pybamm_parameters(cell).cell[side]["open_circuit"]
        before = plain[side]["open_circuit"]
        width = np.diff(curve["x_range"]) / np.diff(before["x_range"])
        slopes = np.divide(curve["end_slopes_volt"], before["end_slopes_volt"])
        assert width == pytest.approx(1.1)
        assert slopes == pytest.approx(1.0 / 1.1)
    assert curve["x_full"] == pytest.approx(1.1 * before["x_full"])


def test_lto_is_a_closed_form_unless_its_curve_was_replaced(lb):
    found = pybamm_parameters(lb).cell["negative"]["open_circuit"]
    assert found["form"] == "tailed_plateau"
    assert found["plateau_volt"] == 1.55
    other = replace(lb.negative, half_cell=lb.negative.variants["narrow"])
    found = pybamm_parameters(replace(lb, negative=other)).cell["negative"]
    assert found["open_circuit"]["form"] == "table"


def test_what_is_left_out_is_told(lb, graphite):
    assert "delithiation branch" in " ".join(pybamm_parameters(lb).notes)
    graphite = replace(graphite, kinetics=lb.kinetics)
    found = pybamm_parameters(graphite)
    assert "first lithiation" in " ".join(found.notes)
    assert found.cell["negative"]["start_x"] == pytest.approx(0.0, abs=1e-12)
    lowered = lower(graphite, mesh=MESH)
    assert found.cell["positive"]["start_x"] < lowered.positive_start_fraction


def test_particle_classes_are_refused_or_merged(lb):
    cell = with_rates(lb, particle_classes=CLASSES, film_resistance_ohm_cm2=5.0)
    with pytest.raises(SpecError, match="2 particle classes") as refused:
        pybamm_parameters(cell)
    assert "--single-class" in refused.value.remedy
    found = pybamm_parameters(cell, single_class=True)
    assert "merged" in " ".join(found.notes)
    # interface: 0.75 / 1 + 0.25 / 3 of that of the fast radius
    e, weights = found.cell["positive"], np.array([0.75, 0.25 / 3.0])
    assert e["radius_m"] == pytest.approx(2e-6 / weights.sum())
    shares = weights / weights.sum()
    assert e["exchange_ampere_per_m2"] == pytest.approx(1.0 * (shares @ [1.0, 0.2]))
    assert e["film_ohm_m2"] == pytest.approx(1e-4 * (5.0 + shares @ [0.0, 40.0]))


def test_a_cell_without_rates_is_refused(lb):
    with pytest.raises(SpecError, match="needs the rates"):
        pybamm_parameters(replace(lb, kinetics=None))


def test_a_missing_conductivity_is_refused(lb):
    cell = with_rates(lb, side="negative", ionic_conductivity_millisiemens_per_cm=None)
    with pytest.raises(SpecError, match="conductivity") as refused:
        pybamm_parameters(cell)
    assert "negative.ionic_conductivity" in refused.value.where


def test_the_reference_is_exported(lb):
    kinetics = CellKinetics.model_validate(
        lb.kinetics.model_dump()
        | {"reference_position_fraction": 0.25, "positive_contact_share_fraction": 0.9}
    )
    found = pybamm_parameters(replace(lb, kinetics=kinetics)).cell
    assert found["reference_position_fraction"] == 0.25
    assert found["positive_contact_share_fraction"] == 0.9


def test_a_file_is_written_whole_or_not_at_all(lb, tmp_path):
    path = tmp_path / "lb.py"
    found = write_pybamm(lb, path)
    assert path.read_text("utf-8") == found.script()
    with pytest.raises(StoreError):
        write_pybamm(lb, tmp_path / "nowhere" / "lb.py")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lb.py"]


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(export)
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_command_writes_the_script(command, tmp_path):
    path = tmp_path / "lb.py"
    ran = command("pybamm", "zhang2026-lb", "--out", path, "--single-class")
    assert ran.exit_code == 0, ran.output
    assert "note: " in ran.stdout
    found = pybamm_parameters(eqp.load_cell("zhang2026-lb"), single_class=True)
    assert path.read_text("utf-8") == found.script()


def test_the_command_answers_json(command, tmp_path):
    path = tmp_path / "lb.py"
    options = ("--single-class", "--json", "--branch", "lithiation")
    ran = command("pybamm", "zhang2026-lb", "--out", path, *options)
    found = json.loads(ran.stdout)
    assert found["script"] == str(path)
    assert "lithiation branch" in found["notes"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("PyBaMM", "zhang2026-lb", "--out", "a.py"), "did you mean 'pybamm'"),
        (
            ("comsol", "zhang2026-lb", "--out", "a.py"),
            "not exported to 'comsol'; known",
        ),
        (("pybamm", "zhang2026-lb"), "--out is missing"),
    ],
)
def test_a_wrong_call_is_refused_in_the_style_of_the_house(command, arguments, said):
    error = command(*arguments).exception
    assert isinstance(error, SpecError)
    assert error.exit_code == 2
    assert said in str(error)
    assert "--out" in error.remedy
