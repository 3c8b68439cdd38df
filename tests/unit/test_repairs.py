"""Repairs: asked for by name, written down, and nothing else is changed."""

import numpy as np
import pytest

from cycler_files import BDF_LABELS, bdf_text, maccor_text, truth
from equipoise.core.errors import DataError, SpecError
from equipoise.io.readers.read import read
from equipoise.io.readers.repairs import REPAIRS, checked

MADE = truth()
LABELS = {**BDF_LABELS, "step": "Step Count / 1"}
LINES = bdf_text(MADE, LABELS).split(b"\n")[:-1]


@pytest.fixture
def reads(tmp_path):
    def go(lines, *repair):
        path = tmp_path / "a.bdf.csv"
        path.write_bytes(b"\n".join(lines) + b"\n")
        return read(path, repair=repair)

    return go


def repaired(recording):
    return [f.how for f in recording.findings if f.level == "repaired"]


def test_a_whole_file_is_not_changed_by_any_repair(reads):
    plain = reads(LINES)
    for name in ("last-row", "backward-time", "sort-time"):
        recording = reads(LINES, name)
        assert recording.table.equals(plain.table)
        assert not repaired(recording)


def test_an_unknown_repair_is_named(reads):
    with pytest.raises(SpecError, match="no repair") as caught:
        reads(LINES, "sorttime")
    assert "sort-time" in str(caught.value)


def test_two_repairs_exclude_each_other():
    with pytest.raises(SpecError, match="exclude each other"):
        checked(["sort-time", "backward-time"])
    assert checked(REPAIRS.keys() - {"sort-time"})


def test_a_cut_last_line_is_left_out(reads):
    cut = [*LINES[:-1], LINES[-1][:9]]
    with pytest.raises(DataError, match="last-row"):
        reads(cut)
    recording = reads(cut, "last-row")
    assert np.array_equal(recording.table["test_time_second"], MADE.seconds[:-1])
    assert repaired(recording)


def test_a_cut_last_line_of_a_maccor_file_is_left_out(tmp_path):
    path = tmp_path / "a.001"
    path.write_bytes(maccor_text(MADE)[:-40])
    recording = read(path, repair=["last-row"])
    assert recording.table.height == MADE.rows - 1
    assert repaired(recording)


def test_duplicates_are_left_out(reads):
    twins = [*LINES[:9], LINES[8], LINES[8], *LINES[9:]]
    recording = reads(twins)
    assert recording.table.height == MADE.rows + 2
    assert any(f.level == "look" and "repeat" in f.how for f in recording.findings)
    recording = reads(twins, "duplicates")
    assert recording.table.equals(reads(LINES).table)
    assert repaired(recording) == ["2 rows that repeat the row above removed"]
    assert recording.proven


def test_the_first_row_of_a_step_is_no_duplicate(tmp_path):
    """A hold begins with the time, voltage and current with which the charge ends."""
    path = tmp_path / "a.001"
    path.write_bytes(maccor_text(MADE))
    assert not any("repeat" in f.how for f in read(path).findings)
    recording = read(path, repair=["duplicates"])
    assert recording.table.height == MADE.rows
    assert not repaired(recording)


def test_rows_out_of_order_are_sorted(reads):
    random = np.random.default_rng(3)
    moved = random.permutation(np.arange(10, 40))
    strewn = [*LINES[:11], *(LINES[i + 1] for i in moved), *LINES[41:]]
    with pytest.raises(DataError, match="sort-time"):
        reads(strewn)
    recording = reads(strewn, "sort-time")
    assert np.array_equal(recording.table["test_time_second"], MADE.seconds)
    assert np.array_equal(recording.table["voltage_volt"], MADE.volts)
    assert len(repaired(recording)) == 1
    assert "moved into the order of time" in repaired(recording)[0]


def test_joined_tests_go_on_one_after_the_other(reads):
    joined = [*LINES, *LINES[1:]]
    with pytest.raises(DataError, match="backward-time"):
        reads(joined)
    recording = reads(joined, "backward-time")
    time = recording.table["test_time_second"].to_numpy()
    n = MADE.rows
    usual = np.median(np.diff(MADE.seconds)[np.diff(MADE.seconds) > 0])
    assert np.array_equal(time[:n], MADE.seconds)
    assert np.allclose(time[n:], MADE.seconds + MADE.seconds[-1] + usual)
    assert repaired(recording) == [
        f"ran back in 1 rows (row {n + 1}); goes on by {usual:g} there"
    ]
    charged = [
        f.how for f in recording.findings if f.what.startswith("current: unit (Charg")
    ]
    assert f"counted {2 * MADE.charged_ah[-1]:.5g} Ah" in charged[0]


def test_a_clock_set_back_once_is_repaired_from_there_on(reads):
    made = truth(every=60)
    text = bdf_text(made).split(b"\n")[:-1]
    late = 200
    shifted = [
        b",".join([repr(float(r.split(b",")[0]) - 500.0).encode(), *r.split(b",")[1:]])
        for r in text[late + 1 :]
    ]
    recording = reads([*text[: late + 1], *shifted], "backward-time")
    time = recording.table["test_time_second"].to_numpy()
    assert (np.diff(time) >= 0).all()
    assert np.allclose(np.diff(time), np.diff(made.seconds), atol=60.0)


def test_no_repair_hides_a_contradiction(tmp_path):
    path = tmp_path / "b.bdf.csv"
    path.write_bytes(bdf_text(MADE, current=1e3))
    for name in REPAIRS:
        with pytest.raises(DataError, match="counted"):
            read(path, repair=[name])
