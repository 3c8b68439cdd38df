"""MACCOR text in all its dialects, written from a known truth."""

import numpy as np
import pytest

from cycler_files import Maccor, maccor_text, truth
from equipoise.core.errors import DataError
from equipoise.io.readers.read import read

PREAMBLE_3 = (
    "Today's Date:\t14 December 2020\tDate of Test:\t11 December 2020, 12:22:12 PM",
    "    Filename:\tM50_01\tTester Channel:\t1",
    "Procedure:\tM50.000\tDescription:",
)
PREAMBLE_12 = (
    "Name:\tcell-015.053",
    "Channel:\t53",
    "Tester\tMaccor #4",
    "Procedure\tCW.000",
    "Description\tcapacity \x04   \x03\xff\xff",
    "Started\t5/11/2021 3:40:24 PM",
    "SCap\t0.017",
    "C Rate\t0.002",
    "Ch. max. V\t6.00 V",
    "DisCh. min. V\t0.00 V",
    "Ch. max. I\t5.000 A",
    "DisCh. max. I\t5.000 A",
)
MIMS = {
    "rec": "Rec",
    "cycle": "Cycle P",
    "step": "Step",
    "time": "Test Time [s]",
    "steptime": "Step Time [s]",
    "capacity": "Cap. [Ah]",
    "energy": "Ener. [Wh]",
    "current": "Current [A]",
    "voltage": "Voltage [V]",
    "state": "Md",
    "clock": "DPT Time",
}
PLAIN = Maccor()
UNNAMED = {"time": "TestTime", "steptime": "StepTime"}
DIALECTS = {
    "seconds": PLAIN,
    "minutes": PLAIN.but(
        time="min", labels={"time": "Test (Min)", "steptime": "Step (Min)"}
    ),
    "hours": PLAIN.but(
        time="h", labels={"time": "Test Time (Hr)", "steptime": "Step Time (Hr)"}
    ),
    "days and hh:mm:ss": PLAIN.but(time="d", labels=UNNAMED),
    "colons": PLAIN.but(time="colon", labels=UNNAMED),
    "minutes by the clock": PLAIN.but(time="min", labels=UNNAMED),
    "hours by the charge": PLAIN.but(time="h", labels=UNNAMED, drop=("clock",)),
    "no preamble": PLAIN.but(preamble=()),
    "three lines": PLAIN.but(preamble=PREAMBLE_3),
    "twelve lines": PLAIN.but(
        preamble=PREAMBLE_12, encoding="latin-1", blank_after_header=True
    ),
    "separators at all ends": PLAIN.but(header_trailing=True, row_trailing=True),
    "separator behind the header": PLAIN.but(header_trailing=True),
    "separator behind rows": PLAIN.but(row_trailing=True),
    "signed": PLAIN.but(current="signed"),
    "signed the other way": PLAIN.but(current="inverted"),
    "reset with the direction": PLAIN.but(reset="direction"),
    "reset with the cycle": PLAIN.but(reset="cycle"),
    "never reset": PLAIN.but(reset="never"),
    "two counters": PLAIN.but(
        drop=("capacity", "energy"),
        labels={
            "chgcap": "Chg Capacity (AHr)",
            "dchgcap": "DChg Capacity (AHr)",
            "chgwh": "Chg Energy (WHr)",
            "dchgwh": "DChg Energy (WHr)",
        },
    ),
    "milli units": PLAIN.but(
        labels={"current": "mAmps", "capacity": "mAmp-hr", "energy": "mWatt-hr"},
        scale={"current": 1e3, "capacity": 1e3, "energy": 1e3},
    ),
    "decimal comma": PLAIN.but(decimal=","),
    "semicolons": PLAIN.but(decimal=",", separator=";"),
    "comma-separated": PLAIN.but(
        separator=",",
        preamble=("Today's Date ,28-Nov-23", "Date of Test:,23-Nov-23 3:56:08 PM"),
        labels=MIMS,
        drop=("es",),
        clock="%d-%b-%y %I:%M:%S %p",
    ),
    "AM and PM": PLAIN.but(clock="%m/%d/%Y %I:%M:%S %p"),
    "time of day over midnight": PLAIN.but(clock="%H:%M:%S"),
    "no seconds": PLAIN.but(clock="%m/%d/%Y %H:%M"),
    "lone line feeds": PLAIN.but(end="\n"),
    "lone carriage returns": PLAIN.but(end="\r"),
}
MADE = truth()


@pytest.fixture
def reads(tmp_path):
    def go(made=MADE, dialect=PLAIN, *, edit=None, raw=None, **options):
        path = tmp_path / "cell.001"
        path.write_bytes(maccor_text(made, dialect, edit=edit) if raw is None else raw)
        return read(path, **options)

    return go


def same(recording, made=MADE, *, counters=True):
    table = recording.table
    # durations are printed to a hundredth of a second, minutes to 1e-6
    assert np.allclose(table["test_time_second"], made.seconds, rtol=0, atol=0.011)
    assert np.allclose(table["voltage_volt"], made.volts, rtol=0, atol=1e-8)
    assert np.allclose(table["current_ampere"], made.amperes, rtol=0, atol=1e-10)
    assert table["cycle_count"].to_list() == made.cycles.tolist()
    assert table["step_index"].to_list() == made.steps.tolist()
    if not counters:
        return
    # each reset may lose half of the last printed digit
    for name, total in (
        ("charging_capacity_ah", made.charged_ah),
        ("discharging_capacity_ah", made.discharged_ah),
        ("charging_energy_wh", made.charged_wh),
        ("discharging_energy_wh", made.discharged_wh),
    ):
        assert np.allclose(table[name], total, rtol=0, atol=2e-9), name


def levels(recording, start):
    return {f.level for f in recording.findings if f.what.startswith(start)}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_gives_the_same_table(reads, name):
    recording = reads(dialect=DIALECTS[name])
    assert recording.format == "MACCOR text"
    same(recording)
    assert recording.proven
    assert levels(recording, "current: unit") == {"proven"}
    assert levels(recording, "current: sign") == {"proven"}


def test_step_times_are_in_second(reads):
    for name in ("seconds", "minutes", "hours", "days and hh:mm:ss"):
        table = reads(dialect=DIALECTS[name]).table
        assert np.allclose(table["step_time_second"], MADE.step_seconds, atol=0.011)


def test_a_time_without_unit_clock_or_capacity_is_refused(reads):
    silent = PLAIN.but(labels=UNNAMED, drop=("clock", "capacity", "energy"))
    with pytest.raises(DataError, match="does not say whether its time is in s, min"):
        reads(dialect=silent)


def test_the_preamble_is_metadata_without_control_bytes(reads):
    found = reads(dialect=DIALECTS["twelve lines"]).metadata
    assert found["channel"] == "53"
    assert found["started"] == "5/11/2021 3:40:24 PM"
    assert found["scap"] == "0.017"
    assert not any(ord(c) < 32 for v in found.values() for c in str(v))


@pytest.mark.parametrize("clock", ["%m/%d/%Y %H:%M:%S", "%d-%b-%y %H:%M:%S"])
def test_the_start_is_a_date_of_this_century(reads, clock):
    recording = reads(dialect=PLAIN.but(clock=clock))
    assert recording.metadata["started_local"] == "2024-03-29T22:15:00"
    assert "look" not in levels(recording, "DPt Time")


def test_a_date_that_could_be_read_both_ways_is_pointed_out(reads):
    def early(cells):
        cells["clock"] = [c.replace("03/29", "03/04") for c in cells["clock"]]
        cells["clock"] = [c.replace("03/30", "03/05") for c in cells["clock"]]

    recording = reads(edit=early)
    assert levels(recording, "DPt Time") == {"look"}
    same(recording)


def test_midnight_may_be_printed_as_a_date_alone(reads):
    def bare(cells):
        cells["clock"] = [c.removesuffix(" 00:00:00") for c in cells["clock"]]

    dialect = PLAIN.but()
    text = maccor_text(MADE, dialect, edit=bare)
    assert text.count(b"\t03/30/2024\r\n") == 1
    recording = reads(raw=text)
    assert "proven" in levels(recording, "test time")


def states(at, word):
    def change(cells):
        for row in np.flatnonzero(at):
            cells["state"][row] = word

    return change


def test_words_are_reduced_to_their_first_letter(reads):
    made = truth(states=("CHA", "Discharge", "Pause"))
    same(reads(made), made)


@pytest.mark.parametrize("word", ["S", "P", "O", "A", "X"])
def test_current_in_a_state_without_direction_is_refused(reads, word):
    hold = MADE.steps == 3
    with pytest.raises(DataError, match="neither charge nor discharge"):
        reads(edit=states(hold, word))


@pytest.mark.parametrize("word", ["S", "P", "O", "A"])
def test_a_signed_current_needs_no_state(reads, word):
    hold = MADE.steps == 3
    same(reads(dialect=PLAIN.but(current="signed"), edit=states(hold, word)))


def test_the_row_of_a_suspension_keeps_the_direction(reads):
    last = np.arange(MADE.rows) == np.flatnonzero(MADE.steps == 2)[-1]
    recording = reads(edit=states(last, "S"))
    same(recording)
    assert "look" not in levels(recording, "current")


def test_a_little_current_without_direction_is_pointed_out(reads):
    row = np.arange(MADE.rows) == np.flatnonzero(MADE.steps == 2)[5]
    recording = reads(edit=states(row, "P"))
    assert "look" in levels(recording, "current")


def test_noise_below_zero_makes_no_signed_current(reads):
    """One rest row of -1e-8 A once turned every discharge into a charge."""
    recording = reads(edit=lambda cells: cells["current"].__setitem__(2, "-1e-8"))
    assert np.allclose(recording.table["current_ampere"], MADE.amperes, atol=2e-8)


def test_noise_of_long_rests_makes_no_signed_current(reads):
    made = truth(rest_second=40000, every=20)
    random = np.random.default_rng(0)

    def noise(cells):
        for row in np.flatnonzero(made.amperes == 0.0):
            cells["current"][row] = f"{2e-6 * random.standard_normal():.10f}"

    found = reads(made, edit=noise).table["current_ampere"]
    assert np.allclose(found, made.amperes, rtol=0, atol=1e-10)


def test_swapped_words_contradict_the_voltage(reads):
    def swap(cells):
        cells["state"] = [{"C": "D", "D": "C"}.get(s, s) for s in cells["state"]]

    with pytest.raises(DataError, match="sign"):
        reads(edit=swap)
    with pytest.raises(DataError, match="contradictory"):
        reads(dialect=PLAIN.but(current="signed"), edit=swap)


def test_reversed_leads_are_contradictory(reads):
    with pytest.raises(DataError, match="leads"):
        reads(dialect=PLAIN.but(scale={"voltage": -1.0}))


LIES = {
    "mA labelled A": ({"current": 1e3}, (), "the current is wrong", "mA taken for A"),
    "mAh labelled Ah": ({"capacity": 1e3}, (), "'Amp-hr' is wrong", "mAh taken for Ah"),
    "mV labelled V": ({"voltage": 1e3}, (), "'Watt-hr'", "mV for V"),
    "mWh labelled Wh": ({"energy": 1e3}, (), "'Watt-hr'", "mWh for Wh"),
    "2 percent": ({"current": 1.02}, (), "the current is wrong", "correct the header"),
    "no energy": ({"current": 1e3}, ("energy",), "one of the two", "mA taken for A"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_a_unit_names_its_culprit(reads, name):
    scale, drop, culprit, guess = LIES[name]
    with pytest.raises(DataError) as caught:
        reads(dialect=PLAIN.but(scale=scale, drop=drop))
    assert culprit in str(caught.value)
    assert guess in str(caught.value)


def test_minutes_labelled_second_are_found_by_the_clock(reads):
    with pytest.raises(DataError, match="60 s per unit"):
        reads(dialect=PLAIN.but(time="min"))


def test_minutes_labelled_second_are_found_by_the_charge(reads):
    with pytest.raises(DataError, match="minutes taken for seconds"):
        reads(dialect=PLAIN.but(time="min", drop=("clock",)))


def test_two_columns_of_one_meaning_are_pointed_out(reads):
    recording = reads(dialect=PLAIN.but(labels={"steptime": "Test Time (s)"}))
    assert levels(recording, "Test Time (s)") == {"look"}
    same(recording)


def test_disconnected_channels_are_left_out(reads):
    def aux(cells):
        cells["aux"] = [f"{-2500 - i * 0.01:.2f}" for i in range(MADE.rows)]

    recording = reads(dialect=PLAIN.but(labels={"aux": "Aux #1"}), edit=aux)
    assert "Aux #1" not in recording.table.columns
    assert levels(recording, "auxiliary") == {"look"}


def test_a_column_without_unit_is_refused(reads):
    with pytest.raises(DataError, match="names no unit of current"):
        reads(dialect=PLAIN.but(labels={"current": "Current"}))


LINES = maccor_text(MADE).split(b"\r\n")
BROKEN = {
    "header only": (LINES[:2], "no row below the header"),
    "two files": (LINES + LINES, "header stands again in line 604"),
    "cut line": ([*LINES[:50], LINES[50][:30]], "--repair last-row"),
    "short line": ([*LINES[:9], b"1\t2\t3", *LINES[9:]], "line 10: 3 cells"),
    "text for a number": (
        [*LINES[:9], LINES[9].replace(b"\t3.05", b"\t3.o5"), *LINES[10:]],
        "line 10.*not a number",
    ),
    "mixed decimal signs": (
        [*LINES[:9], LINES[9].replace(b"3.05", b"3,05"), *LINES[10:]],
        "decimal signs are mixed",
    ),
    "time runs back": ([*LINES[:2], LINES[5], *LINES[2:]], "runs back"),
    "long line": ([*LINES[:9], b"7" * 1_100_000, *LINES[9:]], "bytes in one line"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_the_place(reads, name):
    lines, message = BROKEN[name]
    with pytest.raises(DataError, match=message):
        reads(raw=b"\r\n".join(lines), reader="maccor")


def test_a_missing_value_is_refused(reads):
    with pytest.raises(DataError, match="no number in 1 of 599 rows, first in row 4"):
        reads(edit=lambda cells: cells["voltage"].__setitem__(3, ""))


def test_an_impedance_export_says_so(tmp_path):
    path = tmp_path / "cell.EDA0001.041"
    path.write_bytes(b"MACCOR, INC.    AC Impedance Test\r\nFrequency Sweep:\r\n")
    with pytest.raises(DataError, match="impedance"):
        read(path)


def test_other_text_is_no_impedance_export(tmp_path):
    path = tmp_path / "cell.041"
    path.write_text("hello\nworld\n")
    with pytest.raises(DataError, match="no line names record"):
        read(path, reader="maccor")


def test_a_binary_file_asks_for_the_text_export(tmp_path):
    path = tmp_path / "cell.041"
    path.write_bytes(bytes(range(256)) * 50)
    with pytest.raises(DataError, match="MACCOR") as caught:
        read(path)
    assert "Windows" in str(caught.value)
