import os
import stat
import tempfile

import pytest

from equipoise.core.errors import StoreError
from equipoise.core.files import output_folder, write_atomic


def test_an_output_folder_is_made_with_its_parents(tmp_path):
    folder = output_folder(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_an_existing_output_folder_keeps_its_files(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    assert output_folder(str(tmp_path)) == tmp_path
    assert (tmp_path / "old.txt").read_text() == "old"


@pytest.mark.parametrize("below", ["", "inside"])
def test_a_file_in_place_of_the_folder_is_named(tmp_path, below):
    file = tmp_path / "report"
    file.write_text("x")
    with pytest.raises(StoreError, match=r"report(.|\n)*is a file(.|\n)*--out"):
        output_folder(file / below if below else file)


def test_a_read_only_folder_is_named_with_a_remedy(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(StoreError, match=r"Permission denied(.|\n)*--out") as caught:
        output_folder(tmp_path / "out")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("content", ["dQ/dV in mAh g⁻¹ V⁻¹\n", b"\x89PNG\r\n"])
def test_written_content_reads_back_byte_for_byte(tmp_path, content):
    path = write_atomic(tmp_path / "f", content)
    raw = content if isinstance(content, bytes) else content.encode("utf-8")
    assert path.read_bytes() == raw
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_written_file_is_as_readable_as_the_umask_allows(tmp_path):
    old = os.umask(0o022)
    try:
        path = write_atomic(tmp_path / "f", "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_old_file_and_no_remains(tmp_path, monkeypatch):
    target = tmp_path / "table.csv"
    target.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"table\.csv(.|\n)*No space left"):
        write_atomic(target, "new and longer")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    target = tmp_path / "report.html"
    target.mkdir()
    with pytest.raises(StoreError, match=r"report\.html"):
        write_atomic(target, "x")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_an_absent_parent_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="cannot write"):
        write_atomic(tmp_path / "no" / "f", "x")
