"""Damaged files: an error that says what is wrong, or a table that is right."""

import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cycler_files import BDF_LABELS, Maccor, bdf_text, maccor_text, truth
from equipoise.core.errors import EquipoiseError, EquipoiseWarning
from equipoise.io.readers.read import read

MADE = truth(cycles=1, every=60)
BDF = {
    **BDF_LABELS,
    "charge_wh": "Charging Energy / Wh",
    "discharge_wh": "Discharging Energy / Wh",
}
FILES = {
    "maccor": maccor_text(MADE),
    "maccor signed": maccor_text(MADE, Maccor(current="signed", reset="never")),
    "bdf": bdf_text(MADE, BDF),
}
NAMES = ("test_time_second", "voltage_volt", "current_ampere")
quick = settings(max_examples=60, derandomize=True, deadline=None)
anything = st.sampled_from(sorted(FILES))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "cell.txt"


def answer(path, raw):
    """The recording, or None if it was refused with a reason."""
    path.write_bytes(raw)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EquipoiseWarning)
            return read(path)
    except EquipoiseError:
        return None


def is_sound(recording):
    """What every table fulfils, damaged or not."""
    arrays = [recording.table[n].to_numpy() for n in NAMES]
    assert all(np.isfinite(a).all() for a in arrays)
    assert (np.diff(arrays[0]) >= 0.0).all()
    for finding in recording.findings:
        if finding.level == "proven" and finding.residual_ratio is not None:
            assert abs(finding.residual_ratio) <= finding.tolerance_ratio + 1e-9


def truth_rows():
    return np.column_stack([MADE.seconds, MADE.volts, MADE.amperes])


def is_part_of_the_truth(recording):
    """Rows of the truth, in its order; the last may have lost digits."""
    found = np.column_stack([recording.table[n].to_numpy() for n in NAMES])
    at = 0
    known = truth_rows()
    for row in found[:-1]:
        while at < len(known) and not np.allclose(known[at], row, rtol=0, atol=1e-6):
            at += 1
        assert at < len(known), row
        at += 1


@quick
@given(name=anything, share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_file_cut_anywhere_is_refused_or_a_part(path, name, share):
    raw = FILES[name]
    recording = answer(path, raw[: int(share * len(raw))])
    if recording is not None:
        is_sound(recording)
        is_part_of_the_truth(recording)


@quick
@given(name=anything, share=st.floats(0.0, 0.99), count=st.integers(1, 3))
def test_a_file_without_some_lines_is_refused_or_a_part(path, name, share, count):
    lines = FILES[name].splitlines(keepends=True)
    at = int(share * len(lines))
    recording = answer(path, b"".join(lines[:at] + lines[at + count :]))
    if recording is not None:
        is_sound(recording)
        is_part_of_the_truth(recording)


@quick
@given(
    name=anything, share=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7)
)
def test_a_turned_bit_never_leads_to_an_unsound_table(path, name, share, bit):
    raw = bytearray(FILES[name])
    raw[int(share * len(raw))] ^= 1 << bit
    recording = answer(path, bytes(raw))
    if recording is not None:
        is_sound(recording)
        assert recording.table.height >= MADE.rows - 2


@quick
@given(
    name=anything,
    share=st.floats(0.0, 1.0, exclude_max=True),
    junk=st.binary(min_size=1, max_size=40),
)
def test_bytes_that_do_not_belong_never_lead_to_an_unsound_table(
    path, name, share, junk
):
    raw = FILES[name]
    at = int(share * len(raw))
    recording = answer(path, raw[:at] + junk + raw[at:])
    if recording is not None:
        is_sound(recording)


def exchanged(raw, separator, line, one, other):
    lines = raw.splitlines(keepends=True)
    cells = lines[line].split(separator)
    cells[one], cells[other] = cells[other], cells[one]
    lines[line] = separator.join(cells)
    return b"".join(lines)


# Rec#, Cyc# and Step may be anything; these may not
MACCOR_PAIRS = [(3, 5), (3, 7), (3, 8), (5, 6), (5, 7), (5, 8), (6, 7), (6, 8), (7, 8)]
BDF_PAIRS = [(0, 1), (0, 2), (1, 2), (1, 4), (2, 4), (2, 5), (4, 5), (4, 6), (5, 7)]


@pytest.mark.parametrize("pair", MACCOR_PAIRS)
@pytest.mark.parametrize("name", ["maccor", "maccor signed"])
def test_exchanged_maccor_columns_are_refused(path, name, pair):
    assert answer(path, exchanged(FILES[name], b"\t", 1, *pair)) is None


@pytest.mark.parametrize("pair", BDF_PAIRS)
def test_exchanged_bdf_columns_are_refused(path, pair):
    raw = FILES["bdf"].replace(b"\n", b",\n", 1).replace(b",\n", b"\n", 1)
    assert answer(path, exchanged(raw, b",", 0, *pair)) is None


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_memory_is_bounded_by_the_size_of_the_file(path, name):
    """Of Python and numpy; the factor of all is in source.MEMORY_PER_BYTE."""
    made = truth(cycles=6, every=3)
    raw = bdf_text(made, BDF) if name == "bdf" else maccor_text(made)
    answer(path, raw)  # imports
    tracemalloc.start()
    try:
        assert answer(path, raw) is not None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8.0 * len(raw)
