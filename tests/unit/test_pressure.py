"""The stack pressure of a run is what its volume change does to a stiff frame."""

import dataclasses
import math

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex

from equipoise import load_cell, load_half_cell_setup
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError
from equipoise.io.protocols import load_protocol
from equipoise.kernels.program import End, Sample
from equipoise.protocol.parsing import parse
from equipoise.sim.pressure import (
    Layer,
    compliance_um_per_mpa,
    positive_delithiated_mah_per_g,
    pressure_amplitudes,
    pressure_notes,
    pressure_trace,
    stack_compliances_um_per_mpa,
)
from equipoise.sim.simulate import simulate
from equipoise.spec.frame import Frame, edges
from equipoise.spec.material import VolumeChange
from equipoise.spec.validation import validated
from equipoise.viz.pressure import pressure_evolution
from equipoise.viz.style import KNOWN_CELLS, VERMILLION

SHORT = parse(
    {
        "name": "operando",
        "steps": [
            {"do": "rest", "time_hour": 12},
            {"do": "cycle", "c_rate": 0.1, "count": 3},
        ],
    },
    where="test",
)
CHANGE = "pressure_change_mpa"
RIGID_LAYERS = {
    f"{layer}_modulus_gpa": 1e9 for layer in ("positive", "separator", "negative")
}


def framed(**changes):
    return validated(Frame, changes, where="test")


def exact(value):
    """Sourced without a range."""
    return {"value": value, "source": "test", "evidence": "user"}


@pytest.fixture(scope="module")
def runs():
    cells = {n: load_cell(f"zhang2026-{n}") for n in ("lb", "hb")}
    return {n: simulate(c, SHORT, model="spm") for n, c in cells.items()}


@pytest.fixture(scope="module")
def lb(runs):
    return runs["lb"]


@pytest.fixture(scope="module")
def table(lb):
    return pressure_trace(lb)


def with_cell(run, **sides):
    return dataclasses.replace(run, cell=dataclasses.replace(run.cell, **sides))


def with_volume(electrode, *data):
    material = electrode.material.model_copy(update={"volume_change": data})
    return dataclasses.replace(electrode, material=material)


def volume(name, capacity, percent):
    return VolumeChange(
        name=name,
        capacity_mah_per_g=capacity,
        volume_change_percent=percent,
        measured_to_mah_per_g=capacity[-1],
        source="test",
        evidence="user",
    )


# --- lithium


def test_lithium_at_the_end_of_each_step_is_that_of_the_kernels(lb):
    q = positive_delithiated_mah_per_g(lb)
    step = lb.samples[:, Sample.STEP]
    capacity = lb.lowered.positive_capacity_mah_per_g
    for row in lb.results:
        last = np.flatnonzero(step == row[End.STEP])[-1]
        wanted = (1.0 - row[End.POSITIVE_LITHIATION]) * capacity
        assert q[last] == pytest.approx(wanted, abs=1e-9)


def test_lithium_follows_the_charge_inside_a_step(lb):
    q = positive_delithiated_mah_per_g(lb)
    charging = lb.samples[:, Sample.STEP] == 2
    passed = lb.trace["passed_capacity_mah_per_g_positive"].to_numpy()
    assert charging.sum() > 50
    assert q[charging] == pytest.approx(passed[charging], abs=1e-7)


def test_what_the_charge_does_not_explain_is_spread_over_the_step(lb):
    results = lb.results.copy()
    results[0, End.POSITIVE_LITHIATION] -= 0.01  # the rest has delithiated by itself
    q = positive_delithiated_mah_per_g(dataclasses.replace(lb, results=results))
    resting = lb.samples[:, Sample.STEP] == 1
    seconds = lb.samples[resting, Sample.SECOND]
    wanted = 0.01 * lb.lowered.positive_capacity_mah_per_g * seconds / seconds[-1]
    assert q[resting] == pytest.approx(wanted, abs=1e-7)


def test_a_traced_cycle_is_the_same_without_the_others(lb, table):
    alone = pressure_trace(simulate(lb.cell, SHORT, model="spm", trace={2}))
    same = table.filter(pl.col("cycle_count") == 2)
    assert alone["cycle_count"].unique().to_list() == [2]
    assert alone[CHANGE].min() == pytest.approx(same[CHANGE].min(), rel=1e-4)
    assert alone[CHANGE][0] == pytest.approx(same[CHANGE][0], rel=1e-3)


# --- pressure


def test_a_charge_lowers_the_pressure_and_a_discharge_raises_it(table):
    found = pressure_amplitudes(table)
    assert found["cycle_count"].to_list() == [1, 2, 3]
    for edge in ("", "_low", "_high"):
        assert (found[f"charge_pressure_change{edge}_mpa"] < 0.0).all()
        assert (found[f"discharge_pressure_change{edge}_mpa"] > 0.0).all()


def test_the_rest_before_the_first_charge_is_the_baseline(table):
    resting = table.filter(pl.col("test_time_second") < 12 * 3600.0)
    assert resting.height > 10
    assert resting[CHANGE].abs().max() < 1e-9
    assert resting["stack_pressure_mpa"].to_numpy() == pytest.approx(81.0)


def test_the_band_holds_the_pressure(table):
    low, high = (table[f"pressure_change_{e}_mpa"] for e in ("low", "high"))
    assert (low <= table[CHANGE]).all()
    assert (table[CHANGE] <= high).all()
    assert float(low.min()) < 2.0 * float(table[CHANGE].min())


def test_pressure_is_thickness_over_compliance(lb, table):
    compliance, stiffest, softest = stack_compliances_um_per_mpa(lb.cell, Frame())
    assert stiffest < compliance < softest
    ours = table["thickness_change_um"].to_numpy() / compliance
    assert table[CHANGE].to_numpy() == pytest.approx(ours)


def test_thickness_is_that_of_the_active_material_times_the_transfer(lb, table):
    electrode = lb.cell.positive
    layer_um = electrode.thickness_um(lb.cell.positive_mass_mg)
    volume_cm3 = layer_um * 1e-4 * electrode.spec.area_cm2
    active_cm3 = (
        lb.cell.positive_mass_mg * 1e-3 / electrode.material.density_g_per_cm3.value
    )
    at = int(table["volume_change_percent"].arg_min())
    wanted = (
        0.62
        * layer_um
        * (active_cm3 / volume_cm3)
        * table["volume_change_percent"][at]
        / 100.0
    )
    assert table["thickness_change_um"][at] == pytest.approx(wanted, rel=1e-9)
    assert 30.0 < layer_um < 60.0
    assert 0.35 < active_cm3 / volume_cm3 < 0.55


def test_hb_to_lb_is_the_ratio_of_their_volume_changes(runs):
    tables = {n: pressure_trace(r, framed(**RIGID_LAYERS)) for n, r in runs.items()}
    volumes = {n: t["volume_change_percent"].min() for n, t in tables.items()}
    pressures = {n: t[CHANGE].min() for n, t in tables.items()}
    ratio = volumes["hb"] / volumes["lb"]
    assert ratio > 1.1
    assert pressures["hb"] / pressures["lb"] == pytest.approx(ratio, rel=1e-6)
    # the thicker LTO of HB yields a little more: 0.4 %
    soft = {n: pressure_trace(r)[CHANGE].min() for n, r in runs.items()}
    assert soft["hb"] / soft["lb"] == pytest.approx(ratio, rel=0.01)


def test_the_ratio_of_two_cells_does_not_hang_on_the_frame(runs):
    def ratio(**changes):
        low = {n: pressure_trace(r, framed(**changes)) for n, r in runs.items()}
        return low["hb"][CHANGE].min() / low["lb"][CHANGE].min()

    wanted = ratio()
    assert ratio(frame_stiffness_kn_per_mm=20.0) == pytest.approx(wanted, rel=0.01)
    assert ratio(transfer_fraction=0.4) == pytest.approx(wanted, rel=1e-9)


def test_a_stiffer_frame_sees_more(lb):
    amplitudes = [
        -pressure_trace(lb, framed(frame_stiffness_kn_per_mm=k))[CHANGE].min()
        for k in (1e-3, 10.0, 60.0, 500.0, 1e9)
    ]
    assert amplitudes == sorted(amplitudes)
    assert amplitudes[0] == pytest.approx(0.0, abs=1e-5)


def test_a_constant_force_leaves_the_pressure_alone(lb):
    table = pressure_trace(lb, framed(frame_stiffness_kn_per_mm=0.0))
    assert table[CHANGE].abs().max() == 0.0
    assert table["thickness_change_um"].min() < -0.1


def test_two_layers_and_a_frame_in_series():
    # 1 cm2: 20 um of 4 GPa yield 5 nm, 900 um of 18 GPa on half the area 100 nm,
    # the frame of 50 kN/mm 2 um per MPa (100 N)
    layers = [Layer(20.0, 1.0, 4.0), Layer(900.0, 0.5, 18.0)]
    found = compliance_um_per_mpa(layers, area_cm2=1.0, frame_stiffness_kn_per_mm=50.0)
    assert found == pytest.approx(0.005 + 0.1 + 2.0, rel=1e-12)
    free_um = -0.421
    assert free_um / found == pytest.approx(-0.2, rel=1e-12)
    nothing = compliance_um_per_mpa(layers, area_cm2=1, frame_stiffness_kn_per_mm=0)
    assert math.isinf(nothing)


def test_printed_force_and_pressure_belong_to_the_area_of_the_separator(lb):
    newton_per_mm2 = 6350.0 / (100.0 * lb.cell.separator_area_cm2)
    assert newton_per_mm2 == pytest.approx(81.0, abs=0.5)  # zhang2026 sec. 4.11


def test_a_negative_with_data_breathes_too(lb, table):
    grows = with_volume(
        lb.cell.negative, volume("g", (0.0, 100.0, 200.0), (0.0, 5.0, 10.0))
    )
    moved = pressure_trace(with_cell(lb, negative=grows))
    at = int(table[CHANGE].arg_min())
    row = lb.results[1]
    z = row[End.NEGATIVE_LITHIATION] * lb.lowered.negative_capacity_mah_per_g
    start = lb.lowered.negative_start_fraction * lb.lowered.negative_capacity_mah_per_g
    mass = lb.cell.positive_mass_mg * lb.cell.np_ratio * lb.cell.mass_per_np_ratio
    solid_um = (
        mass / grows.spec.area_cm2 / grows.material.density_g_per_cm3.value * 10.0
    )
    more = moved["thickness_change_um"][at] - table["thickness_change_um"][at]
    assert more == pytest.approx(0.62 * solid_um * 0.0005 * (z - start), rel=1e-3)
    assert "data" in pressure_notes(with_cell(lb, negative=grows))[1]


def test_isolated_material_does_not_breathe(lb):
    inventory = lb.cell.spec.inventory.model_copy(
        update={"positive_active_fraction": 0.5}
    )
    spec = lb.cell.spec.model_copy(update={"inventory": inventory})
    half = pressure_trace(with_cell(lb, spec=spec))
    whole = pressure_trace(lb)
    at = int(whole["volume_change_percent"].arg_min())
    assert half["thickness_change_um"][at] == pytest.approx(
        0.5 * whole["thickness_change_um"][at], rel=1e-6
    )


def test_a_cell_without_a_pressure_has_changes_only(lb):
    spec = lb.cell.spec.model_copy(update={"stack_pressure_mpa": None})
    table = pressure_trace(with_cell(lb, spec=spec))
    assert table["stack_pressure_mpa"].is_nan().all()
    assert table[CHANGE].min() < 0.0


def test_a_pressure_below_zero_is_warned_about(lb):
    spec = lb.cell.spec.model_copy(update={"stack_pressure_mpa": 0.1})
    with pytest.warns(EquipoiseWarning, match="lose contact"):
        pressure_trace(with_cell(lb, spec=spec))


# --- what cannot be told


def test_a_run_without_a_trace_is_refused(lb):
    bare = simulate(lb.cell, SHORT, model="spm", trace="none")
    with pytest.raises(SpecError, match="no trace") as raised:
        pressure_trace(bare)
    assert 'trace="all"' in raised.value.remedy


def test_a_half_cell_is_refused():
    setup = load_half_cell_setup("zhang2026-ncm85-inli")
    run = simulate(setup, load_protocol("first-cycle"), model="spm")
    for ask in (pressure_trace, pressure_notes, positive_delithiated_mah_per_g):
        with pytest.raises(SpecError, match="counter electrode"):
            ask(run)


def test_a_positive_without_data_is_refused(lb):
    spec = lb.cell.positive.spec.model_copy(update={"volume_variant": None})
    bare = with_volume(dataclasses.replace(lb.cell.positive, spec=spec))
    with pytest.raises(SpecError, match="no volume-change data"):
        pressure_trace(with_cell(lb, positive=bare))


def test_an_unknown_variant_of_the_negative_is_refused(lb):
    spec = lb.cell.negative.spec.model_copy(update={"volume_variant": "x"})
    negative = dataclasses.replace(lb.cell.negative, spec=spec)
    assert pressure_trace(lb).height  # zero strain without asking for a variant
    with pytest.raises(SpecError, match="named 'x'"):
        pressure_trace(with_cell(lb, negative=negative))


@pytest.mark.parametrize(
    "wrong",
    [
        {"frame_stiffness_kn_per_mm": -1.0},
        {"transfer_fraction": 1.2},
        {"transfer_fraction": exact(0.5) | {"high": 1.5}},
        {"transfer_fraction": exact(0.5) | {"low": 0.6}},
        {"separator_modulus_gpa": 0.0},
        {"separator_modulus_gpa": exact(1.0) | {"low": 0.0}},
        {"stiffness": 1.0},
    ],
)
def test_an_impossible_frame_is_refused(wrong):
    with pytest.raises(SpecError):
        framed(**wrong)


def test_the_default_frame_says_that_it_is_assumed():
    frame = Frame()
    for key in type(frame).model_fields:
        number = getattr(frame, key)
        if key != "name":
            assert number.evidence == "assumed"
            low, high = edges(number)
            assert low < number.value < high
    nu = 0.3  # a thin layer that cannot change its width
    assert frame.transfer_fraction.value == pytest.approx(
        (1 + nu) / (3 * (1 - nu)), abs=0.002
    )


# --- amplitudes, notes, figure


def test_amplitudes_of_a_made_up_table():
    change = [0.0, -0.1, -0.4, -0.4, -0.1, 0.0]
    table = pl.DataFrame(
        {
            "cycle_count": [1, 1, 1, 1, 1, 2],
            "current_ampere": [0.0, 1.0, 1.0, 0.0, -1.0, 0.0],
            "pressure_change_mpa": change,
            "pressure_change_low_mpa": [2.0 * c for c in change],
            "pressure_change_high_mpa": [0.5 * c for c in change],
        }
    )
    first, second = pressure_amplitudes(table).to_dicts()
    assert first["charge_pressure_change_mpa"] == pytest.approx(-0.3)
    assert first["charge_pressure_change_low_mpa"] == pytest.approx(-0.6)
    assert first["charge_pressure_change_high_mpa"] == pytest.approx(-0.15)
    assert first["discharge_pressure_change_mpa"] == 0.0  # of one sample
    assert first["peak_to_peak_mpa"] == pytest.approx(0.4)
    assert first["peak_to_peak_high_mpa"] == pytest.approx(0.8)
    assert math.isnan(second["charge_pressure_change_mpa"])
    assert second["peak_to_peak_mpa"] == 0.0


def test_amplitudes_need_the_columns_of_a_pressure_trace():
    with pytest.raises(DataError, match="current_ampere"):
        pressure_amplitudes(pl.DataFrame({"cycle_count": [1]}))


def test_notes_name_the_frame_the_zero_strain_and_the_first_two_cycles(runs):
    frame, negative, volumes, alike = pressure_notes(runs["hb"])
    assert "60 kN/mm (30 to 120, assumed)" in frame
    assert "94 % of the compliance" in frame
    assert "lto" in negative
    assert "no strain" in negative
    assert volumes.startswith("volume change B of the positive, in the band also A")
    assert "data end at 227 mAh/g" in volumes  # 0.1C goes further than 0.2C
    assert "data end" not in pressure_notes(runs["lb"])[2]
    assert "first two cycles" in alike


def test_the_figure_shows_the_tables_and_dotted_extents(runs):
    tables = {r.name: pressure_trace(r) for r in runs.values()}
    figure = pressure_evolution(tables)
    assert [ax.get_ylabel() for ax in figure.axes[::2]] == [
        "Cell voltage / V",
        "Pressure change / MPa",
    ]
    for ax, (name, table) in zip(figure.axes[2:], tables.items(), strict=True):
        drawn = next(x for x in ax.lines if x.get_color() == KNOWN_CELLS[name])
        assert np.asarray(drawn.get_ydata()) == pytest.approx(table[CHANGE].to_numpy())
        dotted = [x for x in ax.lines if to_hex(x.get_color()) == VERMILLION.lower()]
        levels = sorted(np.asarray(x.get_ydata())[0] for x in dotted)
        last = table.filter(pl.col("cycle_count") == 3)[CHANGE]
        assert levels == pytest.approx([last.min(), last.max()])
        assert len(ax.collections) == 1
        assert "cycle 3" in ax.get_title(loc="left")


def test_the_figure_breaks_its_lines_and_needs_no_whole_cycle(table):
    some = table.filter(pl.col("cycle_count") != 2)
    line = pressure_evolution({"LB": some}).axes[0].lines[0]
    assert np.isnan(np.asarray(line.get_ydata())).sum() == 1
    resting = table.filter(pl.col("test_time_second") < 12 * 3600.0)
    bottom = pressure_evolution({"LB": resting}).axes[1]
    assert bottom.get_title(loc="left") == ""


def test_too_many_or_no_cells_are_not_drawn(table):
    for tables in ({}, {str(i): table for i in range(4)}):
        with pytest.raises(SpecError, match="side by side"):
            pressure_evolution(tables)
