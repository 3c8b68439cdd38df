"""Mistakes in users' files that once gave a wrong number without a word."""

import json
import sys

import numpy as np
import polars as pl
import pytest
from scipy.io import savemat

import equipoise as eqp
from equipoise.cli import main
from equipoise.core.errors import DataError, EquipoiseWarning, SpecError
from equipoise.io.curve_csv import read_csv_columns
from equipoise.io.curve_mat import read_mat_columns
from equipoise.io.halfcells import read_half_cell
from equipoise.spec.curve_file import CurveFile
from equipoise.spec.treatment import treat
from equipoise.spec.validation import validated

MASS_MG = 5.41


@pytest.fixture(scope="module")
def known():
    """The bundled NCM85 charge branch as a user would measure it."""
    curve = eqp.load_cell("zhang2026-lb").positive.half_cell.delithiation
    q = np.linspace(27.0, 227.0, 600)
    return q, curve.potential(q)


def declared(folder, **changes):
    branch = {
        "file": "c.csv",
        "capacity_column": "Q",
        "capacity_unit": "mah_per_g",
        "potential_column": "E",
    } | changes.pop("branch", {})
    content = {
        "name": "mine",
        "role": "positive",
        "reference": "li",
        "source": "a test",
        "like": "ncm85",
        "delithiation": branch,
    } | changes
    curve_file = validated(CurveFile, content, where="mine.toml")
    return read_half_cell(curve_file, folder=folder)


def write(folder, q, u, header="Q,E", name="c.csv"):
    rows = [f"{a:.8g},{b:.8g}" for a, b in zip(q, u, strict=True)]
    (folder / name).write_text("\n".join([header, *rows]))


def bdf(folder, q, u, factor):
    hours = (q - q[0]) * 1e-6 * MASS_MG / 1.0823e-4
    pl.DataFrame(
        {
            "Test Time / s": hours * 3600.0,
            "Voltage / V": u,
            "Current / A": np.full(q.size, 1.0823e-4),
            "Charging Capacity / Ah": (q - q[0]) * 1e-6 * MASS_MG * factor,
        }
    ).write_csv(folder / "c.bdf.csv")


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.3])
def test_a_wrong_capacity_counter_is_refused_at_constant_current(
    tmp_path, known, factor
):
    # five printed digits of current leave no room for 10 %
    bdf(tmp_path, *known, factor)
    with pytest.raises(DataError, match="integral of the current"):
        declared(
            tmp_path,
            active_mass_mg=MASS_MG,
            delithiation={"file": "c.bdf.csv", "capacity_offset_mah_per_g": 27.0},
        )


def test_a_right_capacity_counter_is_read_at_constant_current(tmp_path, known):
    bdf(tmp_path, *known, 1.0)
    half_cell = declared(
        tmp_path,
        active_mass_mg=MASS_MG,
        delithiation={"file": "c.bdf.csv", "capacity_offset_mah_per_g": 27.0},
    )
    q, u = known
    assert half_cell.delithiation.potential(q[300]) == pytest.approx(u[300], abs=1e-3)


def test_both_spellings_of_a_bdf_column_are_refused(tmp_path, known):
    bdf(tmp_path, *known, 1.0)
    path = tmp_path / "c.bdf.csv"
    frame = pl.read_csv(path)
    frame.with_columns(voltage_volt=pl.col("Voltage / V") + 0.1).write_csv(path)
    with pytest.raises(DataError, match="two columns are 'voltage_volt'"):
        declared(tmp_path, active_mass_mg=MASS_MG, delithiation={"file": "c.bdf.csv"})


def test_two_bdf_columns_of_one_name_are_refused(tmp_path, known):
    bdf(tmp_path, *known, 1.0)
    path = tmp_path / "c.bdf.csv"
    lines = path.read_text().splitlines()
    twice = [f"{line},{line.split(',')[1]}" for line in lines]
    path.write_text("\n".join(twice))
    with pytest.raises(DataError, match="2 columns are named 'Voltage / V'"):
        declared(tmp_path, active_mass_mg=MASS_MG, delithiation={"file": "c.bdf.csv"})


def test_column_numbers_are_not_a_data_point(tmp_path, known):
    write(tmp_path, *known, header="0,1")
    with pytest.raises(DataError, match="column numbers, not data"):
        read_csv_columns(tmp_path / "c.csv", columns=("1", "2"))


def test_a_header_of_years_is_a_header(tmp_path, known):
    write(tmp_path, *known, header="2024,2025")
    q, u = read_csv_columns(tmp_path / "c.csv", columns=("2024", "2025"))
    np.testing.assert_allclose((q[0], u[-1]), (known[0][0], known[1][-1]), rtol=1e-6)


def test_two_columns_of_one_name_are_refused_with_their_places(tmp_path):
    (tmp_path / "c.csv").write_text("Q,E,Q,E\n0,3,0,3.1\n1,3.1,1,3.2\n")
    with pytest.raises(DataError, match=r"named 'Q' \(positions 1, 3\)"):
        read_csv_columns(tmp_path / "c.csv", columns=("Q", "E"))


def test_replicates_in_a_matlab_matrix_are_not_interleaved(tmp_path, known):
    q, u = known
    both = {"Q": np.column_stack([q, q]), "E": np.column_stack([u, u + 0.045])}
    savemat(tmp_path / "c.mat", both)
    with pytest.raises(DataError, match=r"shape \(600, 2\)"):
        read_mat_columns(tmp_path / "c.mat", columns=("Q", "E"))


def test_complex_potentials_are_refused(tmp_path, known):
    q, u = known
    savemat(tmp_path / "c.mat", {"Q": q, "E": u + 0.01j})
    with pytest.raises(DataError, match="complex"):
        read_mat_columns(tmp_path / "c.mat", columns=("Q", "E"))


def test_a_counter_that_was_not_set_to_zero_is_refused(tmp_path, known):
    q, u = known
    write(tmp_path, q - 100.0, u)
    with pytest.raises(DataError, match="-73 to 127 mAh/g"):
        declared(tmp_path)


def test_a_bogus_first_point_is_pointed_at(known):
    q, u = np.append(0.0, known[0]), np.append(0.0, known[1])
    with pytest.warns(EquipoiseWarning, match="the first point lies 3.6 V"):
        treat(q, u, direction="delithiation", axis="delithiated")


def test_a_bogus_last_point_is_pointed_at(known):
    q, u = np.append(known[0], 228.0), np.append(known[1], 5.0)
    with pytest.warns(EquipoiseWarning, match="the last point lies"):
        treat(q, u, direction="delithiation", axis="delithiated")


def test_a_stretch_without_data_is_said(known):
    q, u = known
    kept = (q < 80.0) | (q > 160.0)
    with pytest.warns(EquipoiseWarning, match=r"no data between 79\.\d and 160\.\d"):
        treat(q[kept], u[kept], direction="delithiation", axis="delithiated")


def test_a_plateau_without_points_is_no_gap():
    # LTO: 60 % of the capacity at one potential needs no points
    q = np.concatenate([np.linspace(0, 20, 60), np.linspace(100, 132, 120)])
    u = 1.55 + 0.45 * np.exp(-q / 1.32) - 0.55 * np.exp((q / 132 - 1) / 0.0337)
    treat(q, u, direction="lithiation", axis="lithiated")  # warnings are errors


def test_a_file_named_like_another_part_is_refused(tmp_path, known):
    write(tmp_path, *known)
    (tmp_path / "c65.toml").write_text(
        'name = "mine"\nrole = "positive"\nreference = "li"\nsource = "a test"\n'
        'like = "ncm85"\n[delithiation]\nfile = "c.csv"\ncapacity_column = "Q"\n'
        'capacity_unit = "mah_per_g"\npotential_column = "E"\n'
    )
    with pytest.raises(SpecError, match="'c65' is already a part"):
        eqp.with_positive(eqp.load_cell("zhang2026-lb"), str(tmp_path / "c65.toml"))


def test_a_zero_among_the_calibrated_inputs_is_compared(tmp_path):
    text = eqp.bundled_text("zhang2026-lb")
    path = tmp_path / "lb.toml"
    path.write_text(
        text.replace("locked_capacity_mah_per_g = 27", "locked_capacity_mah_per_g = 0")
    )
    assert eqp.load_cell(path).calibrated == ()


def test_calibrated_without_its_conditions_is_refused(tmp_path):
    text = eqp.bundled_text("zhang2026-lb")
    path = tmp_path / "lb.toml"
    path.write_text(text[: text.index("[origin.calibrated_at]")])
    with pytest.raises(SpecError, match=r"need \[origin.calibrated_at\]"):
        eqp.load_cell(path)


def test_a_half_cell_cannot_call_its_outputs_calibrated(tmp_path):
    path = tmp_path / "half.toml"
    path.write_text(
        eqp.bundled_text("zhang2026-lto-inli").replace(
            'source = "zhang2026"\n',
            'source = "zhang2026"\ncalibrated = ["first_charge_mah_per_g"]\n',
        )
        + "[origin.calibrated_at]\nnp_ratio = 1.0\n"
    )
    with pytest.raises(SpecError, match="half cell has no calibrated outputs"):
        eqp.load_half_cell_setup(path)


@pytest.mark.parametrize("name", ["LB [/b]", "[red]LB", ":smile:", r"$\frac{1}$"])
def test_odd_names_are_printed_and_drawn_as_they_are(
    tmp_path, monkeypatch, capsys, name
):
    cell = tmp_path / "cell.toml"
    cell.write_text(
        eqp.bundled_text("zhang2026-lb").replace('"LB"', json.dumps(name), 1)
    )
    out = tmp_path / "out"
    quick = [] if "$" in name else ["--no-figures"]  # only "$" matters when drawn
    monkeypatch.setattr(
        sys, "argv", ["equipoise", "design", str(cell), "--out", str(out), *quick]
    )
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    assert name in capsys.readouterr().out
    assert (out / "report.html").exists()


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n"])
def test_control_characters_in_a_name_are_refused(tmp_path, character):
    cell = tmp_path / "cell.toml"
    name = json.dumps(f"LB{character}")
    cell.write_text(eqp.bundled_text("zhang2026-lb").replace('"LB"', name, 1))
    with pytest.raises(SpecError, match="name"):
        eqp.load_cell(cell)


def test_a_thickness_of_nothing_is_noted(lb):
    spec = lb.positive.spec.model_copy(update={"loading_mg_per_cm2": 0.0085})
    from dataclasses import replace

    thin = replace(
        lb,
        spec=lb.spec.model_copy(update={"positive": spec}),
        positive=replace(lb.positive, spec=spec),
    )
    assert any("µm thick" in note for note in eqp.design_cell(thin).notes)
    assert not any("thick" in note for note in eqp.design_cell(lb).notes)


def test_the_report_and_the_screen_use_one_separator(tmp_path, monkeypatch, capsys):
    arguments = ["design", "zhang2026-lb", "--separator-um", "15", "--no-figures"]
    monkeypatch.setattr(
        sys, "argv", ["equipoise", *arguments, "--json", "--out", str(tmp_path)]
    )
    with pytest.raises(SystemExit):
        main()
    shown = json.loads(capsys.readouterr().out)
    written = json.loads((tmp_path / "design.json").read_text())["cells"][0]
    for key in ("thin_separator_um", "energy_wh_per_kg_thin_stack"):
        assert shown[key] == written[key]


def test_a_cut_cache_of_the_kernels_is_dropped(tmp_path):
    from equipoise.kernels._jit import _drop_broken

    whole, cut, empty = (tmp_path / n for n in ("a.nbc", "b.nbc", "c.nbi"))
    whole.write_bytes(b"\x80\x04.")
    cut.write_bytes(b"\x80\x04")
    empty.write_bytes(b"")
    _drop_broken(tmp_path)
    assert (whole.exists(), cut.exists(), empty.exists()) == (True, False, False)
