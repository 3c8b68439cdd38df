"""Recognition of formats, and what is said of files that nothing recognises."""

import gzip
import hashlib
import io
import os
import sqlite3
import zipfile

import pytest

import equipoise as eqp
from cycler_files import bdf_text, maccor_text, truth
from equipoise.core.errors import DataError, EquipoiseError, SpecError
from equipoise.io.readers.read import READERS, measured_metadata, read
from equipoise.spec.cell_record import CellRecord

TRUTH = truth(cycles=1)
BDF, MACCOR = bdf_text(TRUTH), maccor_text(TRUTH)


@pytest.fixture
def file(tmp_path):
    def write(raw, name="cell.dat"):
        path = tmp_path / name
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return path

    return write


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("xl/workbook.xml", "<x/>")
    return buffer.getvalue()


def database(tmp_path):
    path = tmp_path / "made.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["x.mpr", "x.001", "x", "x.xlsx", "x.csv"])
def test_the_content_decides_never_the_name(file, name):
    assert read(file(BDF, name)).format == "Battery Data Format"
    assert "MACCOR" in read(file(MACCOR, name)).format


def test_the_recording_says_where_it_is_from(file):
    path = file(BDF)
    found = read(path)
    assert found.path == path
    assert found.sha256 == hashlib.sha256(BDF).hexdigest()
    assert found.findings[0].what == "format"
    assert "as in the format" in found.findings[0].how
    assert found.proven
    assert found.table.height == TRUTH.rows


UNKNOWN = {
    "a spreadsheet": (zipped(), "x.xlsx", ["zip archive", "CSV"]),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0" + bytes(600), "x.xls", ["CSV"]),
    "Access": (
        b"\x00\x01\x00\x00Standard Jet DB" + bytes(600),
        "x.res",
        ["Access", "Arbin", "export CSV"],
    ),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "x.h5", ["HDF5", "export it as text"]),
    "gzip": (gzip.compress(BDF), "x.csv.gz", ["gzip", "unpack it first"]),
    "MACCOR": (bytes(range(256)), "a.034", ["MACCOR", "export it as text (ASCII)"]),
    "a zip named like MACCOR": (zipped(), "a.034", ["zip archive"]),
    "binary": (b"\x01\x02\x00\xff" * 99, "x.bin", ["begins with", "export it as text"]),
    "text": ("a,b\n1,2\n", "x.csv", ["'a,b'", "--map", "map"]),
    "prose": ("Dear colleague,\n\nas agreed.\n", "x.txt", ["Dear colleague", "--map"]),
    "empty": (b"", "x.csv", ["empty"]),
    "blank": (b"\n\n  \n", "x.csv", ["no reader knows"]),
    "cut Parquet": (b"PAR1" + bytes(40), "x.parquet", ["Parquet"]),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_an_unknown_file_says_what_it_looks_like_and_what_helps(file, case):
    raw, name, words = UNKNOWN[case]
    path = file(raw, name)
    with pytest.raises(DataError) as caught:
        read(path)
    text = str(caught.value)
    assert name in text
    assert caught.value.remedy
    for word in words:
        assert word in text, text


def test_a_database_is_recognised(file, tmp_path):
    with pytest.raises(DataError, match="SQLite database"):
        read(file(database(tmp_path), "x.db"))


def test_a_long_line_is_not_printed_whole(file):
    with pytest.raises(DataError) as caught:
        read(file("x" * 5000 + "\n"))
    assert len(str(caught.value)) < 500


def test_a_folder_and_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="folder"):
        read(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none.mpr")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="rights of files")
def test_a_file_without_rights(file):
    path = file(BDF)
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        read(path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", [*UNKNOWN, "BDF", "MACCOR text", "cut BDF"])
def test_a_reader_that_is_forced_reads_or_refuses(file, reader, case):
    own = {"BDF": BDF, "MACCOR text": MACCOR, "cut BDF": BDF[: len(BDF) // 2]}
    raw, name = (own[case], "x.dat") if case in own else UNKNOWN[case][:2]
    path = file(raw, name)
    try:
        found = read(path, reader=reader)
    except EquipoiseError:
        return
    assert case in own
    assert found.table.height > 1


def test_an_unknown_reader_or_repair_names_the_nearest(file):
    path = file(BDF)
    with pytest.raises(SpecError, match="'macor' is no reader") as caught:
        read(path, reader="macor")
    assert "'maccor'" in str(caught.value)
    with pytest.raises(SpecError, match="no repair") as caught:
        read(path, repair=["last-rwo"])
    assert "'last-row'" in str(caught.value)


def test_a_reader_that_was_asked_for_is_said(file):
    found = read(file(BDF), reader="table")
    assert found.format != "Battery Data Format"
    assert found.findings[0].what == "format"


def test_a_current_of_the_other_sign_needs_the_word_of_the_user(file):
    path = file(bdf_text(TRUTH, sign=-1.0))
    with pytest.raises(DataError, match="wrong sign") as caught:
        read(path)
    assert "--current-sign charging-negative" in str(caught.value)
    found = read(path, current_sign="charging negative")
    straight = read(file(BDF, "b.dat"))
    assert found.table["current_ampere"].equals(straight.table["current_ampere"])
    with pytest.raises(DataError, match="wrong sign"):
        read(file(BDF, "c.dat"), current_sign="charging negative")


def test_metadata_to_be_written_hold_source_findings_and_record(file):
    path = file(BDF)
    record = CellRecord(name="c7", positive_active_mass_mg=5.0)
    found = read(path, record=record)
    content = measured_metadata(found, record)
    assert content["kind"] == "measured"
    assert content["name"] == "c7"
    assert content["cell"] == {"name": "c7", "positive_active_mass_mg": 5.0}
    assert content["source"] == "cell.dat"
    assert content["source_sha256"] == found.sha256
    assert len(content["findings"]) == len(found.findings)
    # without electrode potentials nothing is said of a reference
    assert "measured_against" not in content


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_written_is_read_back(file, tmp_path, form):
    found = read(file(MACCOR))
    out = eqp.write_bdf(
        found.table, tmp_path / f"o.bdf.{form}", metadata=found.as_metadata()
    )
    again = read(out)
    assert again.proven
    for name in ("test_time_second", "voltage_volt", "current_ampere", "cycle_count"):
        assert again.table[name].equals(found.table[name]), name
