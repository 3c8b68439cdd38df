"""Broken Bio-Logic files: an error that says so, or a table that is one; never a crash.

Bytes are cut, flipped, appended and overwritten with large counts.
"""

import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.core.columns import REQUIRED
from equipoise.core.errors import EquipoiseError
from equipoise.io.readers.read import read
from equipoise.spec.cell_record import CellRecord

few = settings(max_examples=150, derandomize=True, deadline=None)
MOST_BYTES = 50_000_000
"""Of memory, for files of some kB."""


def _module(name, payload, version, *, new):
    head = b"MODULE" + name.ljust(10) + name.ljust(25)
    if new:
        head += struct.pack("<IIII", 0xFFFFFFFF, len(payload), 0, version)
    else:
        head += struct.pack("<II", len(payload), version)
    return head + b"09/02/24" + payload


def _mpr(version):
    """Settings, 40 records of flags, time, dq, Q-Qo, control and Ewe, and a log."""
    new = version >= 10
    ids = [1, 2, 3, 21, 31, 65, 131, 4, 7, 13, 5, 6]
    kinds = [("flags", "u1"), ("Ns", "<u2"), ("t", "<f8"), ("dq", "<f8")]
    rows = np.zeros(40, [*kinds, ("Q", "<f8"), ("set", "<f4"), ("E", "<f4")])
    rows["t"] = np.linspace(0.0, 3900.0, 40)
    rows["set"] = np.where(rows["t"] < 2000.0, 1.0123, -1.0123)
    rows["flags"] = np.where(rows["set"] > 0, 5, 1)
    rows["dq"] = np.diff(rows["t"], prepend=0.0) * rows["set"] / 3600.0
    rows["Q"] = np.cumsum(rows["dq"])
    rows["E"] = 3.0 + rows["Q"] + 0.05 * np.sign(rows["set"])
    head = struct.pack("<IH" if new else "<IB", 40, len(ids))
    head += struct.pack(f"<{len(ids)}H", *ids)
    data = head.ljust(1007 if new else 406, b"\0") + rows.tobytes()
    raw = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + bytes(4)
    raw += _module(b"VMP Set", b"\x04" + bytes(800), 10 * new, new=new)
    raw += _module(b"VMP data", data, version, new=new)
    return raw + _module(b"VMP LOG", bytes(800), 10 * new, new=new)


def _mpt():
    times = np.linspace(0.0, 3900.0, 40)
    milli = np.where(times < 2000.0, 1.0123, -1.0123)
    net = np.cumsum(np.diff(times, prepend=0.0) * milli) / 3600.0
    lines = ["EC-Lab ASCII FILE", "Nb header lines : 5", "", "Comments : µ"]
    lines.append("time/s\tEwe/V\tI/mA\t(Q-Qo)/mA.h\t")
    lines += [
        "\t".join(f"{x:.9E}" for x in row).replace(".", ",") + "\t"
        for row in zip(times, 3.0 + net, milli, net, strict=True)
    ]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


FILES = {"new.mpr": _mpr(11), "old.mpr": _mpr(3), "text.mpt": _mpt()}
names = st.sampled_from(sorted(FILES))


def outcome(raw, name):
    """Rows that were read, or None for an error made for people."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(raw)
        try:
            table = read(path, record=CellRecord()).table
        except EquipoiseError:
            return None
    for column in REQUIRED:
        assert table[column].is_finite().all()
    assert (table["test_time_second"].diff().drop_nulls() >= 0.0).all()
    return table.height


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_whole_file_is_read(name):
    assert outcome(FILES[name], name) == 40


@few
@given(names, st.floats(0.0, 1.0))
def test_a_cut_file_never_loses_rows_in_silence(name, share):
    raw = FILES[name]
    cut = raw[: max(int(share * len(raw)), 1)]
    rows = outcome(cut, name)
    if name.endswith(".mpr"):  # the text has no count of its rows
        assert rows in (None, 40)


@few
@given(
    names,
    st.lists(
        st.tuples(st.floats(0.0, 0.9999), st.integers(0, 7)), min_size=1, max_size=4
    ),
)
def test_flipped_bits_are_an_error_or_a_table(name, flips):
    raw = bytearray(FILES[name])
    for share, bit in flips:
        raw[int(share * len(raw))] ^= 1 << bit
    outcome(bytes(raw), name)


@few
@given(names, st.binary(min_size=1, max_size=300))
def test_a_tail_of_garbage_changes_no_row_of_a_binary_file(name, tail):
    rows = outcome(FILES[name] + tail, name)
    if name.endswith(".mpr"):
        assert rows == 40


@few
@given(
    st.sampled_from(["new.mpr", "old.mpr"]),
    st.integers(0, 1300),
    st.sampled_from([0xFFFFFFFF, 0x7FFFFFFF, 0x10000, 0]),
)
def test_large_counts_allocate_nothing(name, at, count):
    raw = bytearray(FILES[name])
    data = raw.index(b"VMP data")
    struct.pack_into("<I", raw, data + at, count)
    tracemalloc.start()
    outcome(bytes(raw), name)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MOST_BYTES


@few
@given(st.binary(max_size=600))
def test_any_bytes_behind_the_mark_are_an_error(body):
    head = FILES["new.mpr"][:52]
    assert outcome(head + body, "x.mpr") is None
    assert outcome(head + b"MODULEVMP data  " + body, "x.mpr") is None
