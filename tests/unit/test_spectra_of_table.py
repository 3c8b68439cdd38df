"""Spectra inside a cycling table, and inside the store."""

import numpy as np
import polars as pl
import pytest

import equipoise as eqp
from equipoise.core.errors import DataError
from real_data import data_file

F = np.geomspace(1e5, 1.0, 26)
Z = 5.0 + 20.0 / (1.0 + 2j * np.pi * F * 1e-3)


def cycling_table():
    """Two cycles; a sweep down in the first, down and up again in the second."""
    parts = []
    for cycle, f, z in ((1, F, Z), (2, F, 2 * Z), (2, F[::-1], 3 * Z[::-1])):
        rest = pl.DataFrame({"cycle_count": [cycle] * 3, "voltage_volt": [2.0] * 3})
        sweep = pl.DataFrame(
            {
                "cycle_count": [cycle] * f.size,
                "voltage_volt": [2.0] * f.size,
                "frequency_hertz": f,
                "real_impedance_ohm": z.real,
                "imaginary_impedance_ohm": z.imag,
            }
        )
        parts += [rest, sweep]
    return pl.concat(parts, how="diagonal")


def test_each_cycle_and_each_sweep_is_a_spectrum_of_its_own():
    found = eqp.spectra_of(cycling_table(), area_cm2=0.5, name="LB")
    assert [s.name for s in found] == [
        "LB cycle 1",
        "LB cycle 2 spectrum 2",
        "LB cycle 2 spectrum 3",
    ]
    for factor, spectrum in zip((1, 2, 3), found, strict=True):
        np.testing.assert_array_equal(spectrum.frequency_hertz, F)
        np.testing.assert_array_equal(spectrum.impedance_ohm, factor * Z)
        assert spectrum.area_cm2 == 0.5


def test_rows_without_a_frequency_are_no_spectrum():
    table = cycling_table().with_columns(frequency_hertz=pl.lit(None, dtype=float))
    assert eqp.spectra_of(table) == ()


def test_a_table_without_impedance_is_refused():
    with pytest.raises(DataError, match="imaginary_impedance_ohm"):
        eqp.spectra_of(cycling_table().drop("imaginary_impedance_ohm"))


def test_a_frequency_without_impedance_is_refused():
    table = cycling_table()
    table[5, "real_impedance_ohm"] = None
    with pytest.raises(DataError, match="not a number"):
        eqp.spectra_of(table)


def test_the_store_gives_back_the_spectra_of_a_file(tmp_path):
    path = data_file("eis/hybrid_drt/PEIS_SSB.mpr")
    store = eqp.Store(tmp_path / "store", create=True)
    added = store.add_many([eqp.import_of(eqp.load_cell_data(path))])[0]
    (back,) = eqp.spectra_of(store.table(added.entry.id, "spectra"))
    (direct,) = eqp.read_spectra(path).spectra
    np.testing.assert_array_equal(back.frequency_hertz, direct.frequency_hertz)
    np.testing.assert_array_equal(back.impedance_ohm, direct.impedance_ohm)


def test_rows_without_a_cycle_are_one_spectrum():
    table = pl.DataFrame(
        {
            "cycle_count": np.full(F.size, np.nan),
            "frequency_hertz": F,
            "real_impedance_ohm": Z.real,
            "imaginary_impedance_ohm": Z.imag,
        }
    )
    (found,) = eqp.spectra_of(table, name="LB")
    assert found.name == "LB"
    np.testing.assert_array_equal(found.impedance_ohm, Z)


@pytest.mark.parametrize(
    "column", ["frequency_hertz", "real_impedance_ohm", "cycle_count"]
)
def test_a_column_of_text_is_refused(column):
    table = cycling_table().with_columns(pl.lit("high").alias(column))
    with pytest.raises(DataError, match=f"'{column}' holds String, not numbers"):
        eqp.spectra_of(table)


def test_an_infinite_frequency_is_refused():
    table = cycling_table()
    table[5, "frequency_hertz"] = np.inf
    with pytest.raises(DataError):
        eqp.spectra_of(table)
