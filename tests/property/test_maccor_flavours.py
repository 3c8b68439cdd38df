"""Whatever the dialect of a MACCOR export is, the table is the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cycler_files import Maccor, maccor_text, truth
from equipoise.io.readers.read import read

TIMES = {
    ("s", "Test (Sec)"),
    ("min", "Test (Min)"),
    ("h", "Test Time (Hr)"),
    ("s", "Test Time [s]"),
    ("s", "TestTime(s)"),
    ("d", "TestTime"),
    ("colon", "Test Time"),
    ("min", "TestTime"),
}
CURRENTS = ("Amps", "Current (A)", "Current [A]", "mAmps", "Current(mA)")
CAPACITIES = ("Amp-hr", "Capacity (AHr)", "Cap. [Ah]", "mAmp-hr", "Capacity(mAh)")
CLOCKS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d-%b-%y %H:%M:%S", "%H:%M:%S")
MADE = {
    (cycles, rate): truth(cycles=cycles, c_rate=rate, every=20)
    for cycles in (1, 3)
    for rate in (0.93, 2.0)
}


@st.composite
def dialects(draw):
    time, label = draw(st.sampled_from(sorted(TIMES)))
    current = draw(st.sampled_from(CURRENTS))
    capacity = draw(st.sampled_from(CAPACITIES))
    separator, decimal = draw(
        st.sampled_from([("\t", "."), ("\t", ","), (";", ","), (",", "."), (";", ".")])
    )
    preamble = draw(
        st.lists(st.text("abc :./\\\x03\x04°\xffé", max_size=60), max_size=12)
    )
    plain = Maccor(
        separator=separator,
        decimal=decimal,
        end=draw(st.sampled_from(["\n", "\r\n"])),
        encoding=draw(st.sampled_from(["utf-8", "latin-1"])),
        preamble=tuple(preamble),
        blank_after_header=draw(st.booleans()),
        header_trailing=draw(st.booleans()),
        row_trailing=draw(st.booleans()),
        time=time,
        clock=draw(st.sampled_from(CLOCKS)),
        current=draw(st.sampled_from(["magnitude", "signed", "inverted"])),
        reset=draw(st.sampled_from(["step", "direction", "cycle", "never"])),
    )
    scale = {
        "current": 1e3 if current in ("mAmps", "Current(mA)") else 1.0,
        "capacity": 1e3 if capacity in ("mAmp-hr", "Capacity(mAh)") else 1.0,
    }
    unnamed = label == "TestTime" and time == "min"
    drop = [
        key
        for key in ("energy", "es", "clock")
        if draw(st.booleans()) and not (key == "clock" and unnamed)
    ]
    labels = {"time": label, "current": current, "capacity": capacity}
    return plain.but(labels=labels, drop=drop, scale=scale)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(dialect=dialects(), key=st.sampled_from(sorted(MADE)))
def test_every_dialect_gives_the_truth(tmp_path_factory, dialect, key):
    made = MADE[key]
    path = tmp_path_factory.mktemp("maccor") / "cell.001"
    path.write_bytes(maccor_text(made, dialect))
    recording = read(path)
    table = recording.table
    assert recording.proven
    # durations with colons are printed in whole seconds, the others to 0.01 s
    assert np.allclose(table["test_time_second"], made.seconds, rtol=0, atol=0.011)
    assert np.allclose(table["voltage_volt"], made.volts, rtol=0, atol=1e-8)
    assert np.allclose(table["current_ampere"], made.amperes, rtol=0, atol=1e-10)
    assert np.allclose(table["charging_capacity_ah"], made.charged_ah, atol=2e-9)
    assert np.allclose(table["discharging_capacity_ah"], made.discharged_ah, atol=2e-9)
