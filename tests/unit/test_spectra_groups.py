"""Which rows of a long table are one spectrum: names, cycles, and rows in turn."""

import numpy as np
import polars as pl
import pytest

from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum

F = np.logspace(5, -2, 36)
Z = 10.0 + 50.0 / (1.0 + (2j * np.pi * F * 1e-2) ** 0.8)
COLUMNS = ["freq/Hz", "Re(Z)/Ohm", "Im(Z)/Ohm"]


def same(spectrum, f=F, z=Z):
    np.testing.assert_allclose(spectrum.frequency_hertz, f, rtol=1e-12)
    np.testing.assert_allclose(spectrum.impedance_ohm, z, rtol=1e-12)


def said(found, what, level="look"):
    return " ".join(f.how for f in found.findings if (f.what, f.level) == (what, level))


@pytest.fixture(params=["csv", "parquet"])
def reads(request, tmp_path):
    """Write label columns, frequencies and impedances, and read them."""

    def read(labels, f, z):
        parts = (f, z.real, z.imag)
        table = pl.DataFrame({**labels, **dict(zip(COLUMNS, parts, strict=True))})
        path = tmp_path / f"cells.{request.param}"
        if request.param == "csv":
            table.write_csv(path)
        else:
            table.write_parquet(path)
        return read_spectra(path)

    return read


def in_turn(*factors):
    """Spectra sorted by frequency: a row of each, in turn."""
    z = np.column_stack([k * Z for k in factors])
    return np.repeat(F, len(factors)), z.ravel()


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("Sample", ["HB1", "HB2"]),
        ("cell", ["HB1", "HB2"]),
        ("cycle number", [1, 2]),
        ("channel", [7, 3]),
    ],
)
def test_rows_in_turn_are_put_together(reads, label, values):
    found = reads({label: values * F.size}, *in_turn(1.0, 2.0))
    assert len(found.spectra) == 2
    same(found.spectra[0])
    same(found.spectra[1], z=2.0 * Z)
    assert "in turn" in said(found, "rows", "recognised")
    if isinstance(values[0], str):
        assert [s.name for s in found.spectra] == values


def test_names_and_cycles_in_turn_are_put_together(reads):
    labels = {"Sample": ["a", "a", "b", "b"] * F.size, "cycle": [1, 2, 1, 2] * F.size}
    found = reads(labels, *in_turn(1.0, 2.0, 3.0, 4.0))
    assert [s.name for s in found.spectra] == ["a", "a", "b", "b"]
    for k, spectrum in enumerate(found.spectra, start=1):
        same(spectrum, z=k * Z)


def test_a_name_that_comes_back_with_a_whole_sweep_stays_where_it_is(reads):
    names = np.repeat(["LB", "HB", "LB"], F.size).tolist()
    z = np.concatenate([k * Z for k in (1.0, 2.0, 3.0)])
    found = reads({"Sample": names}, np.tile(F, 3), z)
    assert [s.name for s in found.spectra] == ["LB", "HB", "LB"]
    for k, spectrum in enumerate(found.spectra, start=1):
        same(spectrum, z=k * Z)


def test_a_number_of_the_point_does_not_group(reads):
    found = reads({"Step": [*range(36)] * 2}, np.tile(F, 2), np.r_[Z, 2.0 * Z])
    assert len(found.spectra) == 2
    same(found.spectra[1], z=2.0 * Z)


def test_a_step_that_comes_back_in_each_sweep_does_not_group(reads):
    # two rows for each of 18 steps, in three sweeps
    steps = np.tile(np.repeat(np.arange(18), 2), 3).tolist()
    z = np.concatenate([k * Z for k in (1.0, 2.0, 3.0)])
    # as an instrument prints them, a little apart in each sweep
    f = np.concatenate([k * F for k in (1.0, 1.001, 1.002)])
    found = reads({"Step": steps}, f, z)
    assert len(found.spectra) == 3
    same(found.spectra[2], 1.002 * F, z=3.0 * Z)


def test_a_label_of_each_point_does_not_group(reads):
    labels = [f"point {i}" for i in range(36)] * 2
    found = reads({"label": labels}, np.tile(F, 2), np.r_[Z, 2.0 * Z])
    assert [s.points_count for s in found.spectra] == [36, 36]
    same(found.spectra[1], z=2.0 * Z)


@pytest.mark.parametrize("rising", [False, True])
def test_a_step_that_goes_on_with_a_sweep_does_not_part_it(reads, rising):
    order = slice(None, None, -1) if rising else slice(None)
    steps = np.repeat([0, 1, 2], 12).tolist()
    found = reads({"Step": steps}, F[order], Z[order])
    same(found.only)
    assert "within a sweep" in said(found, "spectra")


def test_named_parts_of_a_sweep_are_spectra_of_their_own(reads):
    # the names say that they are other cells, though their ranges do not overlap
    names = ["fast"] * 18 + ["slow"] * 18
    found = reads({"Sample": names}, F, Z)
    assert [s.name for s in found.spectra] == ["fast", "slow"]
    same(found.spectra[1], F[18:], Z[18:])


# our own tables -------------------------------------------------------------------

LB = Spectrum.of(F, Z, area_cm2=1.5, name="LB")
HB = Spectrum.of(F, 2.0 * Z, name="HB")
SHORT = Spectrum.of(F[5:9], 3.0 * Z[5:9], name="LB")


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("falling", [True, False])
def test_our_table_sorted_by_frequency_gives_the_same_spectra(tmp_path, form, falling):
    path = write_spectra([LB, HB, SHORT], tmp_path / f"cells.{form}")
    table = pl.read_csv(path) if form == "csv" else pl.read_parquet(path)
    table = table.sort("frequency_hertz", descending=falling, maintain_order=True)
    if form == "csv":
        table.write_csv(path)
    else:
        table.write_parquet(path)
    found = read_spectra(path)
    for one, other in zip((LB, HB, SHORT), found.spectra, strict=True):
        assert (one.name, one.area_cm2) == (other.name, other.area_cm2)
        np.testing.assert_array_equal(one.frequency_hertz, other.frequency_hertz)
        np.testing.assert_array_equal(one.impedance_ohm, other.impedance_ohm)


def test_our_tables_one_behind_the_other_are_not_mixed(tmp_path):
    tables = [
        pl.read_csv(write_spectra(x, tmp_path / f"{i}.csv"), infer_schema=False)
        for i, x in enumerate(([HB, SHORT], [HB, SHORT], [HB], [HB]))
    ]
    path = tmp_path / "all.csv"
    pl.concat(tables).write_csv(path)
    found = read_spectra(path)
    expected = [HB, SHORT, HB, SHORT, HB, HB]
    for one, other in zip(expected, found.spectra, strict=True):
        np.testing.assert_array_equal(one.impedance_ohm, other.impedance_ohm)
