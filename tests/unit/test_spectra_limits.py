"""Broken and huge files of spectra: nothing vanishes, nothing impossible is read."""

import io
import time

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import DataError
from equipoise.io.spectra import units
from equipoise.io.spectra.read import read_spectra
from equipoise.io.spectra.write import write_spectra
from equipoise.spec.spectrum import Spectrum

F = np.logspace(5, -2, 36)
Z = 10.0 + 50.0 / (1.0 + (2j * np.pi * F * 1e-2) ** 0.8)
HEAD = "freq/Hz,Re(Z)/Ohm,Im(Z)/Ohm"
ROWS = [
    f"{f!r},{z.real!r},{z.imag!r}" for f, z in zip(F.tolist(), Z.tolist(), strict=True)
]


@pytest.fixture
def reads(tmp_path):
    """Write lines to a file and read it."""

    def read(lines, **told):
        path = tmp_path / "cell.csv"
        path.write_text("\n".join(lines) + "\n")
        return read_spectra(path, **told)

    return read


def said(found, what):
    return " ".join(f.how for f in found.findings if f.what == what)


# rows right below the header ------------------------------------------------------


@pytest.mark.parametrize("many", [1, 2, 3])
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1e6,9.5", "2 cells .* 3 were expected: a broken row"),
        ("1e6,9.5,-1,7", "4 cells .* 3 were expected"),
        ("1e6,high,-1", "'high' is not a number"),
        ("1e6,,-1", "lack a value: line"),
        ("1e6,nan,nan", "lack a value: line"),
        ("1e6", "1 cells .* 3 were expected"),
        ("x6,9.5,-1", "neither numbers nor units"),
    ],
)
def test_a_broken_row_below_the_header_is_refused(reads, row, message, many):
    with pytest.raises(DataError, match=message) as caught:
        reads([HEAD, *[row] * many, *ROWS])
    assert "line" in str(caught.value)
    assert " 2" in str(caught.value)


def test_an_incomplete_row_below_the_header_can_be_left_out(reads):
    found = reads([HEAD, "1e6,,-1", *ROWS], repair=["incomplete-rows"])
    assert found.only.points_count == F.size


def test_rows_of_other_steps_below_the_header_do_not_matter(reads):
    lines = [f"time/s,{HEAD}", *["1,,,"] * 9, *(f"2,{x}" for x in ROWS)]
    assert reads(lines).only.points_count == F.size


# numbers that cannot be -----------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1e16,60,-1", r"frequency 1e\+16 Hz: line 8"),
        ("1e-13,60,-1", "frequency 1e-13 Hz: line 8"),
        ("1e-3,1e31,-1", r"impedance 1e\+31 ohm: line 8"),
        ("1e-3,60,-2e30", r"impedance 2e\+30 ohm: line 8"),
    ],
)
def test_what_no_cell_has_is_refused(reads, row, message):
    with pytest.raises(DataError, match=message):
        reads([HEAD, *ROWS[:6], row])


def test_a_magnitude_that_no_cell_has_is_refused(reads):
    body = [f"{f!r},1e31,-10" for f in F.tolist()]
    with pytest.raises(DataError, match=r"impedance 1e\+31 ohm"):
        reads(["freq/Hz,|Z|/ohm,Phase/deg", *body])


# damaged tables -------------------------------------------------------------------


def test_our_table_without_an_end_is_said(tmp_path):
    spectra = [Spectrum.of(F, k * Z, name=f"cell {k}") for k in (1, 2)]
    path = write_spectra(spectra, tmp_path / "cells.csv")
    assert not said(read_spectra(path), "last line")
    raw = path.read_bytes()
    for cut in (3, len(raw) // 2, 1):
        path.write_bytes(raw[:-cut])
        try:
            found = read_spectra(path)
        except DataError as error:
            assert "lack a value" in str(error)  # noqa: PT017
        else:
            assert "its last number may be too short" in said(found, "last line")


def test_a_panic_of_the_parquet_reader_is_an_error_of_the_file(tmp_path, monkeypatch):
    path = write_spectra(Spectrum.of(F, Z), tmp_path / "cell.parquet")

    def panic(_):
        raise pl.exceptions.PanicException("range end out of bounds")

    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(DataError, match=r"table is damaged \(range end"):
        read_spectra(path)


def test_a_damaged_parquet_table_is_refused_or_finite(tmp_path):
    buffer = io.BytesIO()
    columns = {"f/Hz": F, "Zre/Ohm": Z.real, "Zim/Ohm": Z.imag}
    pl.DataFrame(columns).write_parquet(buffer)
    good = buffer.getvalue()
    path = tmp_path / "cell.parquet"
    rng = np.random.default_rng(5)
    for _ in range(300):
        raw = bytearray(good)
        for at in rng.integers(4, len(raw), 3):
            raw[at] = rng.integers(256)
        path.write_bytes(bytes(raw))
        try:
            found = read_spectra(path)
        except DataError:
            continue
        assert all(np.isfinite(s.impedance_ohm).all() for s in found.spectra)


# huge texts -----------------------------------------------------------------------


@pytest.mark.parametrize("head", ["", HEAD + "\n"])
def test_a_huge_text_is_refused_before_it_is_read(tmp_path, monkeypatch, head):
    monkeypatch.setattr(units, "MOST_TEXT_BYTES", 60_000)
    path = tmp_path / "cell.csv"
    body = "".join(f"{x}\n" for x in ROWS)
    path.write_text(head + 20 * body)
    assert len(read_spectra(path).spectra) == 20
    path.write_text(head + 60 * body)
    with pytest.raises(DataError, match="a text of 0 MB; of spectra at most") as caught:
        read_spectra(path)
    assert "split the file" in caught.value.remedy


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3", "column 1 does not sweep"),
        ("1,2,3,4,5", "5 columns without a header"),
    ],
)
def test_many_lines_of_numbers_are_judged_by_the_first(tmp_path, line, message):
    path = tmp_path / "cell.csv"
    path.write_text(f"{line}\n" * 4_000_000)
    start = time.perf_counter()
    with pytest.raises(DataError, match=message):
        read_spectra(path)
    # the whole of it takes ten seconds and more
    assert time.perf_counter() - start < 2.5


def test_a_header_behind_many_lines_of_text_is_found(reads):
    for remark in ("a remark, of many", "# 17 remarks"):
        lines = [*[remark] * 9000, HEAD, *ROWS]
        assert reads(lines).only.points_count == F.size
