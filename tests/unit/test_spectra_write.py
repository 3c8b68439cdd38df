"""What is written is a plain table, whole, and reads back as it was."""

import csv

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError, StoreError
from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum

F = np.logspace(4, -1, 26)
Z = 10.0 + 50.0 / (1.0 + 2j * np.pi * F * 1e-2)
LB = Spectrum.of(F, Z, area_cm2=1.13, name="LB, 5 C")
HB = Spectrum.of(F[3:], 2.0 * Z[3:], name='HB "fresh"')


@pytest.fixture(params=["csv", "parquet"])
def path(request, tmp_path):
    return tmp_path / f"cells.{request.param}"


def test_several_spectra_come_back(path):
    found = read_spectra(write_spectra([LB, HB, LB], path))
    assert found.format == "equipoise spectra"
    assert [s.name for s in found.spectra] == [LB.name, HB.name, LB.name]
    assert [s.area_cm2 for s in found.spectra] == [1.13, None, 1.13]
    for one, other in zip((LB, HB, LB), found.spectra, strict=True):
        np.testing.assert_array_equal(one.frequency_hertz, other.frequency_hertz)
        np.testing.assert_array_equal(one.impedance_ohm, other.impedance_ohm)


def test_a_spectrum_alone_needs_no_list(path):
    assert read_spectra(write_spectra(LB, path)).only.name == LB.name


def test_our_sign_is_fixed_even_where_causality_objects(path):
    odd = Spectrum.of(F, Z.conj())
    found = read_spectra(write_spectra(odd, path))
    np.testing.assert_array_equal(found.only.impedance_ohm, Z.conj())
    assert any("says the opposite" in f.how for f in found.findings)


def test_any_program_opens_the_csv(tmp_path):
    path = write_spectra([LB, HB], tmp_path / "cells.csv")
    with path.open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["spectrum_index"] for row in table] == ["0"] * 26 + ["1"] * 23
    assert table[0]["name"] == LB.name
    assert float(table[25]["imaginary_impedance_ohm"]) == Z[25].imag < 0.0
    assert table[30]["area_cm2"] == ""


def test_the_area_has_a_column_only_if_one_is_known(tmp_path):
    path = write_spectra(HB, tmp_path / "cells.csv")
    assert path.read_text().split("\n")[0].count(",") == 4


def test_a_parquet_table_of_somebody_else_is_read(tmp_path):
    path = tmp_path / "theirs.parquet"
    table = {"Cycle Count / 1": [1] * 26 + [2] * 26, "Frequency / Hz": np.tile(F, 2)}
    table["Real Impedance / ohm"] = np.tile(Z.real, 2)
    table["Imaginary Impedance / ohm"] = np.tile(Z.imag, 2)
    pl.DataFrame(table).write_parquet(path)
    found = read_spectra(path)
    assert found.proven
    np.testing.assert_array_equal(found.spectra[1].impedance_ohm, Z)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [1.0]}, "no columns of frequency and impedance"),
        ({"f": ["x"] * 3, "Zre": [1.0] * 3, "Zim": [1.0] * 3}, "is not a number"),
        ({"f": [[1]] * 3, "Zre": [1.0] * 3, "Zim": [1.0] * 3}, "not numbers"),
        ({"f": [1.0], "freq": [1.0], "Zre": [1.0], "Zim": [1.0]}, "may both be"),
    ],
)
def test_a_parquet_table_without_a_spectrum_is_refused(tmp_path, table, message):
    path = tmp_path / "theirs.parquet"
    pl.DataFrame(table).write_parquet(path)
    with pytest.raises(DataError, match=message):
        read_spectra(path)


def test_nothing_and_other_endings_are_refused(tmp_path):
    with pytest.raises(DataError, match="no spectrum to write"):
        write_spectra([], tmp_path / "cells.csv")
    with pytest.raises(DataError, match=r"does not end in \.csv"):
        write_spectra(LB, tmp_path / "cells.xlsx")


def test_a_folder_that_is_not_there_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(StoreError):
        write_spectra(LB, tmp_path / "no" / "cells.csv")
    assert not list(tmp_path.iterdir())
