"""The command `tlm`."""

import json

import numpy as np
import polars as pl
import pytest

from equipoise.analysis.eis.lines.interface import constant_phase
from equipoise.analysis.eis.lines.transmission_line import (
    electron_blocking,
    ion_blocking,
)
from real_data import data_file

GEOMETRY = ("--thickness-um", 41, "--area-cm2", 0.636)
IONIC, ELECTRONIC = 0.14, 0.048
"""mS/cm, rows K1 and K2 of the paper."""


def rails(thickness_um=41.0, *, ionic=IONIC, electronic=ELECTRONIC):
    per = 1e-4 * thickness_um / 0.636
    return {"ionic_ohm": 1e3 * per / ionic, "electronic_ohm": 1e3 * per / electronic}


@pytest.fixture
def files(tmp_path):
    """An ion- and an electron-blocking cell with 0.2 % of noise, as CSV."""
    return written(tmp_path, rails())


def written(tmp_path, of_rails, *, noise=0.002, seed=5):
    rng = np.random.default_rng(seed)
    f = np.logspace(6, -1, 71)
    y = constant_phase(2 * np.pi * f, coefficient=2e-4, exponent=0.9)
    found = []
    for name, z in (
        ("ion-blocking", 0.5 + ion_blocking(1.0 / y, **of_rails)),
        ("electron-blocking", 60.0 + electron_blocking(1.0 / y, **of_rails)),
    ):
        scatter = rng.standard_normal(71) + 1j * rng.standard_normal(71)
        z = z + noise * np.abs(z) * scatter
        path = tmp_path / f"{name}.csv"
        pl.DataFrame(
            {
                "frequency_hertz": f,
                "real_impedance_ohm": z.real,
                "imaginary_impedance_ohm": z.imag,
            }
        ).write_csv(path)
        found.append(path)
    return found


def test_json_has_the_conductivities_and_their_bands(cli, files):
    ran = cli("tlm", *files, *GEOMETRY, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    for name, truth in (("ionic", IONIC), ("electronic", ELECTRONIC)):
        key, unit = f"{name}_conductivity", "millisiemens_per_cm"
        value = found[f"{key}_{unit}"]
        # 0.2 % of noise: 0.35 % standard error of the ionic one
        assert value == pytest.approx(truth, rel=0.012)
        assert found[f"{key}_low_{unit}"] <= value <= found[f"{key}_high_{unit}"]
        assert found[f"{key}_determined"] is True
    assert found["series_assumed"] is False
    assert found["spectra"] == [str(f) for f in files]
    assert found["notes"] == []
    assert len(found["models"]) == 6
    assert [c["role"] for c in found["cells"]] == ["ion_blocking", "electron_blocking"]


def test_text_has_units_intervals_and_cells(cli, files):
    ran = cli("tlm", *files, *GEOMETRY)
    assert ran.code == 0, ran.err
    for words in (
        "mS cm⁻¹",
        "95 % interval",
        "electronic rail 134",
        "in series 0.",
        "model: shared interface; misfit 0.",
        "correlation",
    ):
        assert words in ran.out, words
    assert "look:" not in ran.out


def test_tables_and_figure_are_written(cli, files, tmp_path):
    out = tmp_path / "found"
    ran = cli("tlm", *files, *GEOMETRY, "--out", out)
    assert ran.code == 0, ran.err
    names = {p.name for p in out.iterdir()}
    assert names == {
        "partial_conductivities.json",
        "partial_conductivities_fit.csv",
        "partial_conductivities.svg",
        "partial_conductivities.png",
    }
    told = json.loads((out / "partial_conductivities.json").read_text())
    assert told["misfit_percent"] == pytest.approx(0.2, rel=0.2)
    table = pl.read_csv(out / "partial_conductivities_fit.csv")
    assert table.height == 142
    assert (out / "partial_conductivities.png").read_bytes()[:4] == b"\x89PNG"
    assert ran.out.count("written:") == 4


def test_no_figures_writes_the_tables_only(cli, files, tmp_path):
    out = tmp_path / "found"
    ran = cli("tlm", *files, *GEOMETRY, "--out", out, "--no-figures", "--json")
    assert ran.code == 0
    assert len(json.loads(ran.out)["files"]) == 2


def test_options_of_one_cell_replace_the_common_ones(cli, files):
    common = cli("tlm", *files, *GEOMETRY, "--json")
    apart = cli(
        "tlm",
        *files,
        *("--ion-blocking-thickness-um", 41, "--electron-blocking-thickness-um", 41),
        *("--ion-blocking-area-cm2", 0.636, "--electron-blocking-area-cm2", 0.636),
        *("--thickness-um", 1000, "--area-cm2", 9, "--json"),
    )
    assert apart.out == common.out


def test_exchanged_files_are_told_by_name_and_by_what_is_in_series(cli, files):
    ran = cli("tlm", *reversed(files), *GEOMETRY)
    assert ran.code == 0
    assert "by their names the files are exchanged" in ran.out
    assert "if the files are exchanged, so are the conductivities" in ran.out


def test_one_file_needs_its_series_resistance(cli, files):
    refused = cli("tlm", files[0], *GEOMETRY)
    assert refused.code == 3
    assert "determines neither" in refused.err
    assert "or give --ion-blocking-series-ohm\n" in refused.err
    electrons = cli("tlm", files[1], *GEOMETRY, "--blocks", "electrons")
    assert "or give --electron-blocking-series-ohm\n" in electrons.err
    ran = cli("tlm", files[0], *GEOMETRY, "--ion-blocking-series-ohm", 0.5, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["series_assumed"] is True
    assert "taken as known" in found["notes"][0]
    other = cli(
        "tlm",
        files[1],
        *GEOMETRY,
        *("--blocks", "electrons", "--electron-blocking-series-ohm", 60, "--json"),
    )
    value = json.loads(other.out)["ionic_conductivity_millisiemens_per_cm"]
    assert value == pytest.approx(IONIC, rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--area-cm2", 0.636), "thickness of the composite is not given"),
        (("--thickness-um", 41), "-> give --area-cm2, such as 0.785"),
        ((*GEOMETRY, "--lowest-hertz", 1e9), "no point between"),
        ((*GEOMETRY, "--decimal", "x"), "no decimal sign"),
        ((*GEOMETRY, "--highest-hertz", 1), "needs at least 15"),
        (("--thickness-um", -1, "--area-cm2", 1), "--thickness-um -1"),
    ],
)
def test_mistakes_end_with_code_2_and_say_what_to_do(cli, files, arguments, words):
    ran = cli("tlm", *files, *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert "->" in ran.err


def test_an_unknown_word_for_what_is_blocked_is_refused(cli, files):
    ran = cli("tlm", files[0], *GEOMETRY, "--blocks", "ion")
    assert ran.code == 2
    assert "did you mean 'ions'" in ran.err


def test_an_electrolyte_between_metals_is_no_ion_blocking_composite(cli, files):
    path = data_file("eis/hybrid_drt/converted_PEIS_LPSCl_IonBlocking_-25C.csv")
    ran = cli("tlm", path, files[1], *GEOMETRY)
    assert ran.code == 3
    assert "both carriers are blocked" in ran.err


def test_models_that_leave_a_conductivity_open_widen_its_band(cli, tmp_path):
    """100 times better electronic rails: a small arc alone tells of them."""
    pair = written(tmp_path, rails(ionic=0.05, electronic=5.0), noise=0.005, seed=3)
    ran = cli("tlm", *pair, *GEOMETRY, "--json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    key, unit = "electronic_conductivity", "millisiemens_per_cm"
    low, high = (found[f"{key}_{end}_{unit}"] for end in ("low", "high"))
    inner = [found[f"{key}_interval_{end}_{unit}"] for end in ("low", "high")]
    opened = [
        m for m in found["models"] if not m["supported"] and m["worse_by_aicc"] <= 10
    ]
    assert opened
    assert low < 0.95 * inner[0]
    assert high >= inner[1]
    assert low < 5.0 < high
    assert any("the bands hold the intervals under them" in n for n in found["notes"])
    out = cli("tlm", *pair, *GEOMETRY).out
    assert max(map(len, out.splitlines())) <= 96
    assert "e+0" not in out


def test_a_file_without_units_or_with_gaps_is_told_about(cli, files):
    ion = files[0]
    lines = ion.read_text().splitlines()
    lines[0] = "f,Z',Z''"
    lines[4] = lines[4].split(",")[0] + ",,"
    ion.write_text("\n".join(lines) + "\n")
    refused = cli("tlm", *files, *GEOMETRY)
    assert refused.code == 2
    assert "--repair incomplete-rows" in refused.err
    ran = cli("tlm", *files, *GEOMETRY, "--repair", "incomplete-rows")
    assert ran.code == 0, ran.err


def test_the_same_file_twice_is_refused(cli, files):
    ran = cli("tlm", files[0], files[0], *GEOMETRY)
    assert ran.code == 2
    assert "both files are the same" in ran.err


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("--electron-blocking-area-cm2", "area"),
        ("--ion-blocking-thickness-um", "thickness"),
        ("--highest-hertz", "--highest-hertz"),
    ],
)
def test_a_zero_is_given_and_refused(cli, files, option, word):
    ran = cli("tlm", *files, *GEOMETRY, option, 0)
    assert ran.code == 2
    assert word in ran.err


def test_one_cell_in_ohm_cm2_is_divided_by_its_own_area(cli, tmp_path, files):
    """80 um of a composite; the other cell's area on the command changes nothing."""
    table = pl.read_csv(files[1])
    per_area = tmp_path / "electron-per-area.csv"
    pl.DataFrame(
        {
            "freq/Hz": table["frequency_hertz"],
            "Re(Z)/Ohm cm2": 1.2 * table["real_impedance_ohm"],
            "Im(Z)/Ohm cm2": 1.2 * table["imaginary_impedance_ohm"],
        }
    ).write_csv(per_area)
    common = ("--blocks", "electrons", "--electron-blocking-series-ohm", 60, "--json")
    area = ("--electron-blocking-area-cm2", 1.2)
    answers = []
    for file, more in ((files[1], ()), (per_area, ("--area-cm2", 0.3))):
        ran = cli("tlm", file, "--thickness-um", 41, *area, *more, *common)
        assert ran.code == 0, ran.err
        answers.append(json.loads(ran.out)["ionic_conductivity_millisiemens_per_cm"])
    assert answers[1] == pytest.approx(answers[0], rel=1e-6)
    # made for 0.636 cm2, read as of 1.2 cm2
    assert answers[0] == pytest.approx(IONIC * 0.636 / 1.2, rel=0.02)


def test_what_the_reader_could_not_prove_is_told(cli, tmp_path, files):
    bare = [tmp_path / f"bare-{f.name}" for f in files]
    for path, file in zip(bare, files, strict=True):
        table = pl.read_csv(file)
        table.columns = ["Frequency", "Zreal", "Zimag"]
        table.write_csv(path)
    ran = cli("tlm", *bare, *GEOMETRY, "--json")
    assert ran.code == 0, ran.err
    notes = json.loads(ran.out)["notes"]
    assert any("bare-ion-blocking.csv" in n and "unit" in n for n in notes)
