import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure

from equipoise import (
    compensation_by_loss,
    design_cell,
    load_cell,
    np_map,
    np_voltage_map,
    profiles,
    with_positive,
)
from equipoise.core.errors import DataError, StoreError
from equipoise.fit.msmr import MsmrFit
from equipoise.spec.material import MsmrBranch, MsmrTerm
from equipoise.viz.dqdv import dqdv_figure
from equipoise.viz.half_cell import curve_figure
from equipoise.viz.half_cells import stacked_half_cells
from equipoise.viz.labels import axis_label, floats, signed
from equipoise.viz.materials import material_comparison_figure
from equipoise.viz.msmr import msmr_figure
from equipoise.viz.np_map import np_map_figure
from equipoise.viz.reserve import reserve_figure
from equipoise.viz.style import RC, cell_colours, save_figure, style, svg_text
from equipoise.viz.voltage_map import voltage_map_figure

RATIOS = np.linspace(0.95, 2.0, 41)


@pytest.fixture(scope="module")
def cells():
    return {c.name: c for c in map(load_cell, ("zhang2026-lb", "zhang2026-hb"))}


def labels(figure):
    return {t for ax in figure.axes for t in (ax.get_xlabel(), ax.get_ylabel()) if t}


def titles(figure):
    return " ".join(ax.get_title(loc="left") for ax in figure.axes)


def texts(figure):
    shown = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
    for ax in figure.axes:
        shown += [t.get_text() for t in ax.texts]
        if ax.get_legend():
            shown += [t.get_text() for t in ax.get_legend().get_texts()]
    return shown


def half_cells(cells):
    return stacked_half_cells(
        {n: profiles(c, points=101) for n, c in cells.items()},
        {n: design_cell(c) for n, c in cells.items()},
        discharges={n: profiles(c, "discharge", points=101) for n, c in cells.items()},
        h2h3_onset_vs_li_volt=4.1,
    )


def test_half_cells_show_both_electrodes_the_cell_and_the_end_potentials(cells):
    figure = half_cells(cells)
    assert labels(figure) == {
        "Potential vs Li⁺/Li / V",
        "Cell voltage / V",
        "Capacity / mAh g⁻¹",
    }
    shown = " ".join(texts(figure))
    for part in ("UP 4.193 V", "UP 4.300 V", "1.443 V", "above 4.10 V", "2.75 V"):
        assert part in shown
    # charge and discharge of two cells, each again dotted where the positive is not
    # measured (charge below 27 mAh/g, discharge below 3.0 V); two dots, two squares
    assert len(figure.axes[0].get_lines()) == 2 * 2 * 2 + 2 + 2
    low, high = figure.axes[3].get_ylim()  # the tail fills its panel
    assert 1.40 < low < 1.443
    assert 1.55 < high < 1.60


def test_np_map_draws_six_panels_and_marks_the_cells(cells):
    table = np_map(cells["LB"], RATIOS)
    figure = np_map_figure(table, marked={"LB": 1.1, "HB": 1.5}, bands=[table])
    assert labels(figure) == {
        "Capacity / mAh g⁻¹",
        "Upper potential vs Li⁺/Li / V",
        "H2-H3 usage / mAh g⁻¹",
        "Volume change / %",
        "Compensation fraction κ",
        "Stack energy / Wh kg⁻¹",
        "n/p ratio",
    }
    assert texts(figure)[:3] == [
        "LB, n/p 1.1",
        "HB, n/p 1.5",
        "range over readings of the data",
    ]
    dots = [x for x in figure.axes[1].get_lines() if x.get_marker() == "o"]
    heights = [float(x.get_ydata()[0]) for x in dots]
    assert heights == pytest.approx([4.193, 4.300], abs=2e-3)


def test_np_map_says_where_a_material_has_no_data(cells):
    table = np_map(with_positive(cells["LB"], "nmc811"), RATIOS)
    figure = np_map_figure(table, marked={})
    assert "no data" in texts(figure)


def test_voltage_map_labels_contours_and_hatches_extrapolation(cells):
    table = np_voltage_map(
        cells["LB"], np.linspace(0.9, 1.6, 21), np.linspace(2.5, 2.8, 21)
    )
    figure = voltage_map_figure(table, marked={"LB": (1.1, 2.75)})
    assert labels(figure) == {"n/p ratio", "Upper cut-off voltage / V"}
    assert "First charge / mAh g⁻¹" in titles(figure)
    assert "Volume change / %" in titles(figure)
    shown = texts(figure)
    assert {"210", "4.20", "0.5", "−4.5"} <= set(shown)
    assert any("extrapolated" in t for t in shown)
    assert "LB, n/p 1.1, 2.75 V" in shown


def test_voltage_map_of_one_value_or_none_warns_of_nothing(cells):
    ratios, volts = np.linspace(1.0, 1.2, 5), np.linspace(2.5, 2.7, 5)
    table = np_voltage_map(cells["LB"], ratios, volts)
    flat = table.with_columns(compensation_fraction=pl.lit(0.0))
    assert "0 everywhere" in titles(voltage_map_figure(flat))
    empty = table.with_columns(
        pl.lit(None, pl.Float64).alias(c)
        for c in ("first_charge_mah_per_g_positive", "compensation_fraction")
    )
    assert "cut-off not reached" in texts(voltage_map_figure(empty))
    with pytest.raises(DataError, match="not a full map"):
        voltage_map_figure(table.head(7))


def test_dqdv_attributes_peaks_and_clips_the_plateau(cells):
    tables = {n: profiles(c) for n, c in cells.items()}
    figure = dqdv_figure(tables)
    assert labels(figure) == {
        "dQ/dV / mAh g⁻¹ V⁻¹",
        "Share of dV/dQ",
        "Cell voltage / V",
    }
    assert [len(ax.get_lines()) for ax in figure.axes] == [3, 3, 0, 0]
    top = figure.axes[0].get_ylim()[1]
    assert 600.0 < top < 1200.0
    assert texts(figure)[:3] == ["positive", "negative", "cell"]


def test_reserve_marks_the_loss_for_one_and_five_percent(cells):
    losses = {
        n: compensation_by_loss(c, np.linspace(0.0, 0.25, 51)) for n, c in cells.items()
    }
    figure = reserve_figure(losses)
    assert labels(figure) == {
        "Charge kept / %",
        "Upper potential vs Li⁺/Li / V",
        "Compensation fraction κ",
        "Lost active positive / %",
    }
    shown = " ".join(texts(figure))
    assert "○ 4.6 %   □ 11.3 %" in shown
    assert "○ 1.0 %   □ 5.0 %" in shown
    assert {"O", "F"} <= set(texts(figure))


def test_material_comparison_has_one_line_per_material(cells):
    tables = {
        m: np_map(with_positive(cells["LB"], m), RATIOS) for m in ("ncm85", "nca")
    }
    figure = material_comparison_figure(tables)
    assert [len(ax.get_lines()) for ax in figure.axes] == [2, 2, 2]
    assert "First charge / mAh g⁻¹" in labels(figure)
    dashes = [line.get_linestyle() for line in figure.axes[0].get_lines()]
    assert len(set(dashes)) == 2


def test_curve_shows_hysteresis_and_dashes_the_extrapolation(cells):
    figure = curve_figure(cells["LB"].positive.half_cell)
    assert labels(figure) == {
        "Potential vs Li⁺/Li / V",
        "Hysteresis / mV",
        "Lithium taken out / mAh g⁻¹",
    }
    assert "delithiation, extrapolated" in texts(figure)
    single = curve_figure(cells["LB"].negative.half_cell)
    assert labels(single) == {"Potential vs Li⁺/Li / V", "Lithium taken up / mAh g⁻¹"}


@pytest.fixture
def fit():
    terms = tuple(
        MsmrTerm(standard_potential_vs_li_volt=u, occupancy_fraction=x, omega=1.5)
        for u, x in ((3.7, 0.6), (4.1, 0.4))
    )
    x = np.linspace(0.9, 0.1, 200)
    u = np.linspace(3.55, 4.25, 4001)
    f = 96485.33212 / (8.31446261815324 * 298.15)
    content = sum(
        t.occupancy_fraction
        / (1.0 + np.exp(f * (u - t.standard_potential_vs_li_volt) / t.omega))
        for t in terms
    )
    measured = np.interp(x, content[::-1], u[::-1])
    branch = MsmrBranch(
        terms=terms,
        valid_from_vs_li_volt=float(measured[0]),
        valid_to_vs_li_volt=float(measured[-1]),
        rmse_millivolt=0.1,
    )
    none = np.zeros(2)
    return MsmrFit(
        branch,
        275.0,
        25.0,
        0.1,
        0.3,
        0.0,
        measured,
        np.zeros(200),
        none,
        none,
        none,
        (),
    )


def test_msmr_shows_reactions_data_and_residual(fit):
    figure = msmr_figure(fit)
    assert labels(figure) == {
        "dQ/dU / mAh g⁻¹ V⁻¹",
        "Fit − data / mV",
        "Potential vs Li⁺/Li / V",
    }
    data, total = figure.axes[0].get_lines()
    u, y = data.get_data()
    model = np.interp(u, *total.get_data())
    # the data were made by the model: both lines are one
    assert np.asarray(y)[2:-2] == pytest.approx(model[2:-2], abs=5.0)
    assert "RMSE 0.10 mV" in titles(figure)


def test_saved_files_are_deterministic_and_keep_text(cells, tmp_path):
    table = np_map(cells["LB"], RATIOS)
    first, second = (
        save_figure(np_map_figure(table, marked={"LB": 1.1}), tmp_path / d, "map")
        for d in ("a", "b")
    )
    assert [p.name for p in first] == ["map.svg", "map.png"]
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()
    svg = first[0].read_text("utf-8")
    assert "Upper potential vs Li⁺/Li / V" in svg
    assert "dc:date" not in svg
    assert first[1].read_bytes().startswith(b"\x89PNG")


def test_a_figure_is_a_figure_and_leaves_the_settings_alone(cells):
    before = dict(mpl.rcParams)
    figure = curve_figure(cells["LB"].negative.half_cell)
    svg_text(figure)
    assert isinstance(figure, Figure)
    assert dict(mpl.rcParams) == before
    with style():
        assert mpl.rcParams["font.size"] == RC["font.size"]


def test_saving_onto_a_file_says_so(cells, tmp_path):
    (tmp_path / "taken").write_text("")
    figure = curve_figure(cells["LB"].negative.half_cell)
    with pytest.raises(StoreError, match="folder was expected"):
        save_figure(figure, tmp_path / "taken", "map")


@pytest.mark.parametrize(
    ("column", "label"),
    [
        ("first_charge_mah_per_g_positive", "First charge / mAh g⁻¹"),
        ("energy_wh_per_l_stack", "Stack energy / Wh L⁻¹"),
        ("lower_potential_vs_li_volt", "Lower potential vs Li⁺/Li / V"),
        ("loss_fraction", "Loss fraction"),
        ("np_ratio", "n/p ratio"),
    ],
)
def test_axis_labels_come_from_the_column_name(column, label):
    assert axis_label(column) == label


def test_known_cells_keep_their_colour_and_others_differ():
    colours = cell_colours(["X", "HB", "Y", "LB"])
    assert colours["LB"] == cell_colours(["LB"])["LB"]
    assert len(set(colours.values())) == 4


def test_numbers_carry_a_real_minus_sign_and_no_negative_zero():
    assert signed(-1.25, ".2f") == "\N{MINUS SIGN}1.25"
    assert signed(-0.001, ".2f") == "0.00"


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match="no column 'np_ratio'"):
        floats(pl.DataFrame({"a": [1.0]}), "np_ratio", "np_map_figure")
