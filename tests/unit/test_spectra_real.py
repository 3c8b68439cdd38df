"""Real files of instruments: what they hold, and that causality proves their sign."""

import re

import numpy as np
import pytest

from equipoise.core.errors import DataError
from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from real_data import data_file

FILES = {  # file -> format, points
    "eis/hybrid_drt/PEIS_SSB.mpr": ("Bio-Logic .mpr", 89),
    "eis/hybrid_drt/converted_PEIS_SSB.csv": ("separated text", 89),
    "eis/hybrid_drt/converted_PEIS_LPSCl_IonBlocking_-25C.csv": ("separated text", 79),
    "eis/impedance_py/exampleData.csv": ("text without a header", 66),
    "eis/impedance_py/exampleDataAutolab.txt": ("Autolab FRA", 41),
    "eis/impedance_py/exampleDataBioLogic.mpt": ("Bio-Logic text", 43),
    "eis/impedance_py/exampleDataGamry.DTA": ("Gamry .DTA", 72),
    "eis/impedance_py/exampleDataZPlot.z": ("ZPlot .z", 21),
    "eis/pydrttools/1ZARC.csv": ("separated text", 81),
    "eis/pydrttools/2ZARC0.csv": ("separated text", 81),
    "eis/pydrttools/2ZARC3.csv": ("separated text", 81),
    "eis/pydrttools/data_1.csv": ("text without a header", 107),
    "biologic/bdf_PEIS-0.mpr": ("Bio-Logic .mpr", 60),
    "cycling/rovi_p492-13-raw.csv": ("separated text", 78),
}


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_read_and_its_sign_is_proven(name):
    format, points = FILES[name]
    found = read_spectra(data_file(name))
    assert found.format == format
    assert found.only.points_count == points
    assert found.proven
    assert not [f for f in found.findings if f.level in ("look", "repaired")] or (
        # the last number of these files stands at the very end
        {f.what for f in found.findings if f.level == "look"} == {"last line"}
    )


@pytest.mark.parametrize("name", FILES)
def test_the_low_frequencies_of_a_real_file_are_capacitive(name):
    spectrum = read_spectra(data_file(name)).only
    lower = spectrum.impedance_ohm[spectrum.points_count // 2 :]
    assert np.median(lower.imag) < 0.0
    assert (spectrum.impedance_ohm.real > 0.0).all()


@pytest.mark.parametrize("name", FILES)
def test_a_turned_copy_of_a_real_file_is_turned_back(name, tmp_path):
    spectrum = read_spectra(data_file(name)).only
    z = spectrum.impedance_ohm
    lines = [
        f"{f!r};{a!r};{-b!r}".replace(".", ",")
        for f, a, b in zip(
            spectrum.frequency_hertz.tolist(),
            z.real.tolist(),
            z.imag.tolist(),
            strict=True,
        )
    ]
    for head in (["f;Zreal;Zimag"], []):
        path = tmp_path / "turned.csv"
        path.write_text("\n".join(head + lines) + "\n")
        back = read_spectra(path).only
        np.testing.assert_array_equal(back.impedance_ohm, z)


def test_the_binary_file_equals_its_converted_text_point_by_point():
    binary = read_spectra(data_file("eis/hybrid_drt/PEIS_SSB.mpr")).only
    text = read_spectra(data_file("eis/hybrid_drt/converted_PEIS_SSB.csv")).only
    # single precision in the one, all of its digits in the other
    np.testing.assert_array_equal(binary.frequency_hertz, text.frequency_hertz)
    np.testing.assert_array_equal(binary.impedance_ohm, text.impedance_ohm)


def test_gamry_agrees_with_its_own_magnitude_and_phase():
    path = data_file("eis/impedance_py/exampleDataGamry.DTA")
    found = read_spectra(path)
    (magnitude,) = [f for f in found.findings if f.what == "Z' and Z''"]
    # seven digits are printed
    assert magnitude.level == "proven"
    assert magnitude.residual_ratio < 1e-6
    rows = re.findall(r"^\t\d+\t.*$", path.read_text("latin-1"), re.MULTILINE)
    last = rows[-1].split("\t")
    assert found.only.frequency_hertz[-1] == float(last[3])
    assert found.only.impedance_ohm[-1] == complex(float(last[4]), float(last[5]))


def test_the_preamble_of_zplot_is_no_row():
    found = read_spectra(data_file("eis/impedance_py/exampleDataZPlot.z"))
    assert found.only.frequency_hertz[0] == 3e5
    assert found.only.impedance_ohm[0] == 147.77 - 11.335j
    assert found.only.area_cm2 is None  # 1 is what ZPlot writes where nobody said


def test_the_area_of_the_program_is_taken_and_can_be_overridden():
    path = data_file("biologic/bdf_PEIS-0.mpr")
    assert read_spectra(path).only.area_cm2 == pytest.approx(1.539, rel=1e-6)
    assert read_spectra(path, area_cm2=2.0).only.area_cm2 == 2.0


def test_the_spectrum_of_a_cycling_table_stands_in_its_rows():
    found = read_spectra(data_file("cycling/rovi_p492-13-raw.csv"))
    assert any("1943 of 2021 without" in f.how for f in found.findings)


@pytest.mark.parametrize("name", ["biologic/bdf_GCPL-0.mpr", "biologic/bdf_MB-0.mpr"])
def test_a_cycling_file_has_no_spectrum(name):
    with pytest.raises(DataError, match="no spectrum in this file"):
        read_spectra(data_file(name))


@pytest.mark.parametrize(
    "name",
    ["maccor/cellpy_maccor_001.txt", "cycling/rovi_p492-13-summary.csv"],
)
def test_a_time_series_without_frequencies_is_refused(name):
    with pytest.raises(DataError, match="no header names a frequency"):
        read_spectra(data_file(name))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_all_real_files_in_one_table_come_back(form, tmp_path):
    spectra = [read_spectra(data_file(name)).only for name in FILES]
    path = write_spectra(spectra, tmp_path / f"all.{form}")
    back = read_spectra(path).spectra
    for one, other in zip(spectra, back, strict=True):
        assert one.name == other.name
        assert one.area_cm2 == other.area_cm2
        np.testing.assert_array_equal(one.frequency_hertz, other.frequency_hertz)
        np.testing.assert_array_equal(one.impedance_ohm, other.impedance_ohm)
