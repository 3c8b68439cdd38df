"""Files before they are read: kind, size, encoding."""

import hashlib
from time import perf_counter

import pytest

from cycler_files import bdf_text, truth
from equipoise.core.errors import DataError
from equipoise.io.readers import source as module
from equipoise.io.readers.read import read
from equipoise.io.readers.source import free_memory_bytes, open_source


def written(tmp_path, raw, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(raw)
    return open_source(path)


@pytest.mark.parametrize("name", ["", "no", "no/where.csv"])
def test_what_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"folder|no such file"):
        open_source(tmp_path / name)


def test_a_name_that_no_system_takes_is_refused():
    with pytest.raises(DataError, match="cannot be read"):
        open_source("a\0b.csv")


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="empty"):
        written(tmp_path, b"")


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    source = written(tmp_path, b"x")

    def denied(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(source.path), "read_bytes", denied)
    with pytest.raises(DataError, match="Permission denied"):
        _ = source.raw


def test_a_file_of_terabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.001"
    with path.open("wb") as stream:
        stream.truncate(10_000_000_000_000)  # sparse: takes no room on the disk
    begin = perf_counter()
    with pytest.raises(DataError, match=r"10000\.0 GB, which needs about") as caught:
        read(path)
    assert perf_counter() - begin < 1.0
    assert "split it at cycles" in str(caught.value)


@pytest.mark.parametrize(("suffix", "factor"), [(".csv", 6.0), (".mpr", 8.0)])
def test_the_free_memory_decides(tmp_path, monkeypatch, suffix, factor):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"x" * 1000)
    monkeypatch.setattr(module, "free_memory_bytes", lambda: int(1000 * factor))
    assert open_source(path).size_bytes == 1000
    monkeypatch.setattr(module, "free_memory_bytes", lambda: int(1000 * factor) - 1)
    with pytest.raises(DataError, match="of memory"):
        open_source(path)
    monkeypatch.setattr(module, "free_memory_bytes", lambda: None)
    assert open_source(path).size_bytes == 1000


def test_the_free_memory_is_a_sensible_number():
    found = free_memory_bytes()
    assert found is None or 1e6 < found < 1e15


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"plain", "utf-8"),
        ("µ°Ω".encode(), "utf-8"),
        ("µ°".encode("latin-1"), "latin-1"),
        ("µ°".encode("utf-8-sig"), "utf-8-sig"),
        ("µ°".encode("utf-16"), "utf-16"),
        ("µ°".encode("utf-16-be").join([b"\xfe\xff", b""]), "utf-16"),
    ],
)
def test_the_encoding_is_seen_from_the_bytes(tmp_path, raw, encoding):
    found = written(tmp_path, raw)
    assert found.encoding == encoding
    assert found.text_bytes == raw.decode(encoding).encode()
    assert found.head_text.strip("\ufeff") == raw.decode(encoding)
    assert found.sha256() == hashlib.sha256(raw).hexdigest()


def test_all_line_ends_become_line_feeds(tmp_path):
    assert written(tmp_path, b"a\r\nb\rc\nd").text_bytes == b"a\nb\nc\nd"


def test_half_of_a_utf_16_character_is_refused(tmp_path):
    with pytest.raises(DataError, match="UTF-16"):
        _ = written(tmp_path, "ab".encode("utf-16")[:-1]).text_bytes


@pytest.mark.parametrize("shift", range(4))
def test_a_character_at_the_border_of_the_head_does_no_harm(tmp_path, shift):
    text = "x" * (module.HEAD_BYTES - shift) + "µΩ℃" * 10
    assert written(tmp_path, text.encode()).head_text.startswith("xxxx")
    assert set(written(tmp_path, text.encode()).head_text) <= set("xµΩ℃")


def test_stray_control_bytes_leave_it_text(tmp_path):
    assert written(tmp_path, b"Description\x04\x03" + b" words" * 100).is_text
    assert not written(tmp_path, bytes(range(256)) * 10).is_text
    assert not written(tmp_path, b"\0" * 100).is_text


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (b"PK\x03\x04" + b"\0" * 99, "a.xlsx", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 99, "a.xls", "Office"),
        (b"\x1f\x8b" + b"\0" * 99, "a.csv.gz", "gzip"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 99, "a.h5", "HDF5"),
        (b"hello\n\nworld\n", "a.csv", "begins 'hello'; 'world'"),
        (b"\n\n\n", "a.csv", "no reader"),
    ],
)
def test_an_unknown_file_is_described(tmp_path, raw, name, message):
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message):
        read(path)


def test_an_unknown_reader_is_named(tmp_path):
    from equipoise.core.errors import SpecError

    path = tmp_path / "a.csv"
    path.write_bytes(bdf_text(truth(cycles=1)))
    with pytest.raises(SpecError, match="no reader") as caught:
        read(path, reader="maccorr")
    assert "maccor" in str(caught.value)
