"""A test written as any table comes back, or is refused: never silently different."""

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cycler_files import START, since, step_marks, truth
from equipoise.core.errors import DataError, EquipoiseError
from equipoise.io.readers.read import read

TIMES = {"s": 1.0, "min": 60.0, "h": 3600.0}
CURRENTS = {"A": 1.0, "mA": 1e-3, "uA": 1e-6}
VOLTAGES = {"V": 1.0, "mV": 1e-3}
CHARGES = {"Ah": 1.0, "mAh": 1e-3}
ENERGIES = {"Wh": 1.0, "mWh": 1e-3}
STYLES = ("{} [{}]", "{} ({})", "{}/{}", "{}_{}", "{}[{}]", "{} / {}")
WORDS = (
    ("CC Chg", "CC DChg", "Rest"),
    ("C", "D", "R"),
    ("charge", "discharge", "pause"),
    ("CHA", "DCH", "PAU"),
)
LINES = ("Test: Zelle 5 für KIT", "a;b", "Started,2024-03-29", "seen \x85 here", "")
fast = settings(max_examples=50, derandomize=True, deadline=None)


@cache
def made(kind):
    return (
        truth(cycles=2),
        truth(cycles=1, every=7, base_volt=0.1, hold=False),
        truth(cycles=3, every=60, c_rate=2.0),
        truth(cycles=2, every=13, base_volt=2.0, span_volt=2.0, rest_second=61),
    )[kind]


@dataclass(frozen=True)
class Flavour:
    kind: int
    separator: str
    comma: bool
    style: str
    time: str
    current: str
    voltage: str
    charge: str
    energy: str
    fixed: bool
    sign: str
    words: int | None
    counters: str
    energies: bool
    clock: bool
    preamble: int
    encoding: str
    crlf: bool
    trailing: bool
    extra: bool

    def columns(self):
        """(header, cells) of the table."""
        t = made(self.kind)
        found = []

        def number(values, digits):
            form = f".{digits}f" if self.fixed else f".{digits + 4}g"
            cells = [format(float(x) + 0.0, form) for x in values]
            return [c.replace(".", ",") for c in cells] if self.comma else cells

        def label(name, unit):
            return self.style.format(name, unit)

        if self.time == "hms":
            cells = [
                f"{int(s) // 3600:02d}:{int(s) // 60 % 60:02d}:{s % 60:06.3f}"
                for s in t.seconds
            ]
            found.append(("Time", cells))
        else:
            found.append(
                (
                    label("Time", self.time),
                    number(t.seconds / TIMES[self.time], 6),
                )
            )
        volts = t.volts / VOLTAGES[self.voltage]
        found.append((label("Voltage", self.voltage), number(volts, 4)))
        amperes = {
            "signed": t.amperes,
            "reversed": -t.amperes,
            "magnitude": np.abs(t.amperes),
        }[self.sign] / CURRENTS[self.current]
        unit = "µA" if self.current == "uA" else self.current
        found.append((label("Current", unit), number(amperes, 7)))
        found += self.counted(t, label, number)
        if self.words is not None:
            names = dict(zip("CDR", WORDS[self.words], strict=True))
            found.append(("Step Type", [names[s] for s in t.states]))
        if self.clock:
            stamps = [START + timedelta(seconds=float(s)) for s in t.seconds]
            found.append(("Date", [f"{s:%Y-%m-%d %H:%M:%S}" for s in stamps]))
        if self.extra:
            found.append(("Channel", ["7"] * t.rows))
            found.append(("Note", [f"n{k % 3}" for k in range(t.rows)]))
        return found

    def counted(self, t, label, number):
        marks = {
            "test": np.zeros(t.rows),
            "cycle": t.cycles,
            "step": step_marks(t),
        }.get(self.counters)
        if marks is None:
            return []
        found = [("Cycle", [str(int(c)) for c in t.cycles])]
        found.append(("Step", [str(int(c)) for c in t.steps]))
        for name, total in (
            ("Charge Capacity", t.charged_ah),
            ("Discharge Capacity", t.discharged_ah),
        ):
            values = since(total, marks) / CHARGES[self.charge]
            found.append((label(name, self.charge), number(values, 9)))
        if self.energies:
            for name, total in (
                ("Charge Energy", t.charged_wh),
                ("Discharge Energy", t.discharged_wh),
            ):
                values = since(total, marks) / ENERGIES[self.energy]
                found.append((label(name, self.energy), number(values, 9)))
        return found

    def text(self, columns, rows=None):
        headers = [h for h, _ in columns]
        cells = [c for _, c in columns]
        count = len(cells[0])
        lines = list(LINES[: self.preamble])
        end = self.separator if self.trailing else ""
        lines.append(self.separator.join(headers) + end)
        lines += [
            self.separator.join(c[row] for c in cells) + end
            for row in (range(count) if rows is None else rows)
        ]
        return lines

    def coded(self, lines):
        text = "".join(x + ("\r\n" if self.crlf else "\n") for x in lines)
        return text.encode(self.encoding)


@st.composite
def flavours(draw):
    separator = draw(st.sampled_from([",", ";", "\t"]))
    sign = draw(st.sampled_from(["signed", "reversed", "magnitude"]))
    words = draw(st.none() | st.integers(0, len(WORDS) - 1))
    counters = draw(st.sampled_from(["none", "test", "cycle", "step"]))
    if sign == "magnitude" and counters == "none":
        words = words or 0
    return Flavour(
        draw(st.integers(0, 3)),
        separator,
        separator != "," and draw(st.booleans()),
        draw(st.sampled_from(STYLES)),
        draw(st.sampled_from([*TIMES, "hms"])),
        draw(st.sampled_from([*CURRENTS])),
        draw(st.sampled_from([*VOLTAGES])),
        draw(st.sampled_from([*CHARGES])),
        draw(st.sampled_from([*ENERGIES])),
        draw(st.booleans()),
        sign,
        words,
        counters,
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, len(LINES))),
        draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def recording(raw, **options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.csv"
        path.write_bytes(raw)
        return read(path, **options)


def near(t):
    """What the printed digits leave open, of time, voltage and current."""
    return (
        2e-2 + 1e-9 * t.seconds.max(),
        1e-4 * max(1.0, np.abs(t.volts).max()),
        2e-7,
    )


def rows_of(table):
    names = ("test_time_second", "voltage_volt", "current_ampere")
    return np.column_stack([table[n].to_numpy() for n in names])


def differing(table, t):
    """Which of time, voltage and current are not in the truth, row by row."""
    found, true = rows_of(table), np.column_stack([t.seconds, t.volts, t.amperes])
    scale = np.array(near(t))
    after = np.searchsorted(t.seconds, found[:, 0] - scale[0])
    good = np.zeros(len(found), dtype=bool)
    for ahead in range(4):  # rows of equal time at a change of step
        at = np.minimum(after + ahead, t.rows - 1)
        good |= (np.abs(found - true[at]) <= scale).all(axis=1)
    if good.all():
        return set()
    names = np.array(["time", "voltage", "current"])
    if len(found) != t.rows:
        return set(names)
    return set(names[(np.abs(found - true) > scale).any(axis=0)]) or set(names)


def told(reading, names):
    """Whether findings speak of what differs."""
    what = [f.what for f in reading.findings if f.level in ("look", "not proven")]
    about = {
        "time": ("test time", "current: unit", "last line", "rows"),
        "voltage": ("voltage", "last line"),
        "current": ("current", "last line"),
    }
    return all(any(w.startswith(about[n]) for w in what) for n in names)


def never_silent(raw, t):
    try:
        reading = recording(raw)
    except DataError:
        return
    different = differing(reading.table, t)
    assert told(reading, different), (different, reading.findings)


@given(flavour=flavours())
@fast
def test_every_flavour_comes_back(flavour):
    t = made(flavour.kind)
    reading = recording(flavour.coded(flavour.text(flavour.columns())))
    table = reading.table
    assert table.height == t.rows
    for found, true, allowed in zip(
        rows_of(table).T, (t.seconds, t.volts, t.amperes), near(t), strict=True
    ):
        np.testing.assert_allclose(found, true, rtol=0.0, atol=allowed)
    assert ("Note" in table.columns) == flavour.extra
    assert "Channel" not in table.columns
    if flavour.counters != "none":
        assert reading.proven
        total = {"charging": t.charged_ah, "discharging": t.discharged_ah}
        for name, true in total.items():
            found = table[f"{name}_capacity_ah"].to_numpy()
            np.testing.assert_allclose(found, true, atol=1e-3 * true.max())


@given(flavour=flavours(), data=st.data())
@fast
def test_a_wrong_unit_is_never_silent(flavour, data):
    columns = flavour.columns()
    which = data.draw(st.integers(0, 2))
    names = (TIMES, VOLTAGES, CURRENTS)[which]
    header, cells = columns[which]
    unit = (flavour.time, flavour.voltage, flavour.current)[which]
    assume(unit != "hms")
    other = data.draw(st.sampled_from([u for u in names if u != unit]))
    name = ("Time", "Voltage", "Current")[which]
    columns[which] = (flavour.style.format(name, other), cells)
    assert columns[which][0] != header
    raw = flavour.coded(flavour.text(columns))
    never_silent(raw, made(flavour.kind))
    apart = flavour.counters != "none"
    proved = which != 1 or flavour.energies
    if (apart and proved) or (which == 0 and flavour.clock):
        with pytest.raises(DataError):
            recording(raw)


@given(flavour=flavours(), data=st.data())
@fast
def test_a_lost_column_is_never_silent(flavour, data):
    columns = flavour.columns()
    lost = data.draw(st.integers(0, len(columns) - 1))
    left = [c for i, c in enumerate(columns) if i != lost]
    where = data.draw(st.sampled_from(["both", "header", "rows"]))
    lines = flavour.text(left)
    if where != "both":
        whole = flavour.text(columns)
        at = flavour.preamble
        lines = (
            [*whole[:at], lines[at], *whole[at + 1 :]]
            if where == "header"
            else [*whole[: at + 1], *lines[at + 1 :]]
        )
    never_silent(flavour.coded(lines), made(flavour.kind))


@given(flavour=flavours(), data=st.data())
@fast
def test_lost_doubled_and_swapped_rows_are_never_silent(flavour, data):
    t = made(flavour.kind)
    a = data.draw(st.integers(0, t.rows - 2))
    b = data.draw(st.integers(a + 1, min(a + 40, t.rows - 1)))
    rows = list(range(t.rows))
    match data.draw(st.sampled_from(["cut", "double", "swap"])):
        case "cut":
            rows = rows[:a] + rows[b:]
        case "double":
            rows = rows[:b] + rows[a:]
        case "swap":
            rows[a], rows[b] = rows[b], rows[a]
    never_silent(flavour.coded(flavour.text(flavour.columns(), rows)), t)


@given(flavour=flavours(), data=st.data())
@fast
def test_another_sign_in_the_header_is_never_silent(flavour, data):
    columns = flavour.columns()
    which = data.draw(st.integers(0, len(columns) - 1))
    header, cells = columns[which]
    at = data.draw(st.integers(0, len(header) - 1))
    new = data.draw(st.sampled_from("0159AmMhsuVxX _/[)#%"))
    columns[which] = (header[:at] + new + header[at + 1 :], cells)
    never_silent(flavour.coded(flavour.text(columns)), made(flavour.kind))


@given(flavour=flavours(), data=st.data())
@fast
def test_a_cut_file_is_never_silent(flavour, data):
    raw = flavour.coded(flavour.text(flavour.columns()))
    cut = data.draw(st.integers(1, len(raw) - 1))
    never_silent(raw[:cut], made(flavour.kind))


@given(flavour=flavours(), data=st.data())
@fast
def test_broken_files_raise_our_errors_only(flavour, data):
    raw = bytearray(flavour.coded(flavour.text(flavour.columns(), range(40))))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, 300))
    with suppress(EquipoiseError):
        recording(bytes(raw[start:]) or b"\n")


@given(raw=st.binary(min_size=1, max_size=400), mapped=st.booleans())
@fast
def test_any_bytes_raise_our_errors_only(raw, mapped):
    with pytest.raises(EquipoiseError):
        recording(raw, column_map="generic" if mapped else None)


@pytest.mark.parametrize(
    "raw",
    [
        b"x" * 1_500_000,
        b"Time [s],Voltage [V],Current [A]\n" + b"1," * 700_000,
        b"Time [s],Voltage [V],Current [A]\n" + b"1" * 1_500_000 + b",2,3\n",
        b"," * 1_500_000,
        b"Time [s];" * 200_000,
        b'Time [s],Voltage [V],Current [A]\n"' + b"1,2,3\n" * 100_000,
    ],
)
@pytest.mark.parametrize("mapped", [None, "generic"])
def test_huge_lines_raise_our_errors_only(raw, mapped):
    with pytest.raises(EquipoiseError):
        recording(raw, column_map=mapped)
