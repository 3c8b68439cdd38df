"""Cycler files written from a known truth, in the dialects that readers must know.

The truth is a cell of 2 mAh with a straight open-circuit curve, integrated with steps
of one second; the files hold only every n-th row of it. Nothing here uses a reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

CAPACITY_AH = 2.0e-3
RESISTANCE_OHM = 10.0
START = datetime(2024, 3, 29, 22, 15, 0)


@dataclass(frozen=True)
class Truth:
    """Rows of a test; all arrays have one length."""

    seconds: np.ndarray
    volts: np.ndarray
    amperes: np.ndarray
    """> 0 charges."""
    cycles: np.ndarray
    steps: np.ndarray
    """Number of the step in the program."""
    step_seconds: np.ndarray
    states: np.ndarray
    charged_ah: np.ndarray
    """Whole test, never reset; the next three too."""
    discharged_ah: np.ndarray
    charged_wh: np.ndarray
    discharged_wh: np.ndarray

    @property
    def rows(self):
        return self.seconds.size

    def take(self, rows):
        """Some rows, in any order."""
        return Truth(*(getattr(self, n)[rows] for n in self.__dataclass_fields__))


def truth(
    cycles=2,
    every=30,
    c_rate=1.0,
    hold=True,
    base_volt=3.0,
    span_volt=1.0,
    states="CDR",
    pulses=False,
    rest_second=600,
):
    """A rest, then cycles of charge, hold, rest, discharge and rest."""
    one_c = CAPACITY_AH * c_rate
    soc, clock, chunks, number = 0.05, 0.0, [], 0
    word_c, word_d, word_r = states

    def add(word, current, step, cycle):
        nonlocal soc, clock, number
        fine = np.asarray(current, dtype=float)
        n = fine.size
        passed = np.concatenate(([0.0], np.cumsum(fine[1:]))) / 3600.0
        inside = soc + passed / CAPACITY_AH
        volts = base_volt + span_volt * inside + RESISTANCE_OHM * fine
        keep = np.unique(np.append(np.arange(0, n, every), n - 1))
        power = fine * volts
        wh = np.concatenate(([0.0], np.cumsum(power[1:]))) / 3600.0
        chunks.append(
            {
                "t": clock + keep,
                "v": volts[keep],
                "i": fine[keep],
                "c": np.full(keep.size, cycle),
                "s": np.full(keep.size, step),
                "st": keep.astype(float),
                "w": np.full(keep.size, word),
                "q": passed[keep],
                "e": wh[keep],
                "n": np.full(keep.size, number),
            }
        )
        soc, clock, number = float(inside[-1]), clock + n - 1, number + 1

    add(word_r, np.zeros(rest_second + 1), 1, 0)
    for cycle in range(cycles):
        flow = np.full(int(3600 / c_rate * 0.85) + 1, one_c)
        if pulses:
            flow[(np.arange(flow.size) % 60) >= 30] = 0.0
            flow = flow * 2.0
        add(word_c, flow, 2, cycle)
        if hold:
            add(word_c, one_c * np.exp(-np.arange(901) / 300.0), 3, cycle)
        add(word_r, np.zeros(rest_second + 1), 4, cycle)
        back = int((soc - 0.05) * CAPACITY_AH / one_c * 3600.0)
        add(word_d, np.full(back + 1, -one_c), 5, cycle)
        add(word_r, np.zeros(rest_second + 1), 6, cycle)
    whole = {k: np.concatenate([c[k] for c in chunks]) for k in chunks[0]}

    def running(key, sign):
        out, base = [], 0.0
        for chunk in chunks:
            part = np.maximum(sign * chunk[key], 0.0)
            out.append(base + part)
            base += float(part[-1])
        return np.concatenate(out)

    return Truth(
        whole["t"],
        whole["v"],
        whole["i"],
        whole["c"],
        whole["s"],
        whole["st"],
        whole["w"],
        running("q", 1.0),
        running("q", -1.0),
        running("e", 1.0),
        running("e", -1.0),
    )


def since(total, marks):
    """A running total, restarted where a mark changes."""
    starts = np.flatnonzero(np.concatenate(([True], np.diff(marks) != 0)))
    # the row before the change holds what had passed when the new interval began
    base = np.concatenate(([0.0], total[starts[1:] - 1]))
    which = np.searchsorted(starts, np.arange(total.size), side="right") - 1
    return total - base[which]


def step_marks(made):
    """A number that changes with every step."""
    changed = np.diff(made.steps) != 0
    return np.concatenate(([0], np.cumsum(changed)))


def direction_marks(made):
    """A number that changes where the direction does, rests left out."""
    sign = np.sign(made.amperes)
    last = 0.0
    out = np.zeros(sign.size)
    for i, s in enumerate(sign):
        last = s or last
        out[i] = last
    return np.concatenate(([0], np.cumsum(np.diff(out) != 0)))


def one_counter(up, down, made, reset):
    """The unsigned counter of both directions, restarted as a MACCOR does."""
    both = up + down
    marks = {
        "step": step_marks(made),
        "direction": direction_marks(made),
        "cycle": made.cycles,
        "never": np.zeros(made.rows),
    }[reset]
    return since(both, marks)


@dataclass(frozen=True)
class Maccor:
    """A dialect of the MACCOR text export."""

    separator: str = "\t"
    end: str = "\r\n"
    encoding: str = "utf-8"
    decimal: str = "."
    preamble: tuple[str, ...] = (
        "Today's Date 03/30/2024  Date of Test:\t03/29/2024\t Filename:\tC:\\a\\b.001 "
        "Procedure: proc.000\tComment/Barcode: cell 7",
    )
    blank_after_header: bool = False
    header_trailing: bool = False
    row_trailing: bool = False
    labels: dict = field(
        default_factory=lambda: {
            "rec": "Rec#",
            "cycle": "Cyc#",
            "step": "Step",
            "time": "Test (Sec)",
            "steptime": "Step (Sec)",
            "capacity": "Amp-hr",
            "energy": "Watt-hr",
            "current": "Amps",
            "voltage": "Volts",
            "state": "State",
            "es": "ES",
            "clock": "DPt Time",
        }
    )
    time: str = "s"
    """s, min, h, d (0d hh:mm:ss), colon (:0:00:00:01)."""
    clock: str = "%m/%d/%Y %H:%M:%S"
    current: str = "magnitude"
    """magnitude, signed, inverted."""
    reset: str = "step"
    scale: dict = field(default_factory=dict)
    """Factors on what is printed: to tell a lie, or for another unit."""
    digits: int = 10

    def but(self, *, drop=(), labels=None, **changes):
        """The same with changes; labels by key, `drop` leaves columns out."""
        new = {**self.labels, **(labels or {})}
        for key in drop:
            del new[key]
        return replace(self, labels=new, **changes)


def duration(second, form):
    """Text of a duration."""
    whole = int(second)
    days, rest = divmod(whole, 86400)
    h, m, s = rest // 3600, rest // 60 % 60, rest % 60
    fraction = f"{second - whole:.2f}"[1:]
    if form == "d":
        return f"{days:3d}d {h:02d}:{m:02d}:{s:02d}{fraction}"
    return f":{days}:{h:02d}:{m:02d}:{s:02d}"


def maccor_cells(made, dialect):
    """Columns of text, by key."""
    n, digits = made.rows, dialect.digits
    scale = {"time": 1.0} | dialect.scale

    def printed(values, key, places=None):
        factor = scale.get(key, 1.0)
        places = digits if places is None else places
        return [
            f"{v:.{places}f}".replace(".", dialect.decimal)
            for v in np.asarray(values) * factor
        ]

    def times(values):
        if dialect.time in ("d", "colon"):
            return [duration(v, dialect.time) for v in values]
        unit = {"s": 1.0, "min": 60.0, "h": 3600.0}[dialect.time]
        return printed(values / unit, "time", 6)

    sign = {
        "magnitude": np.abs(made.amperes),
        "signed": made.amperes,
        "inverted": -made.amperes,
    }[dialect.current]
    cells = {
        "rec": [str(i + 1) for i in range(n)],
        "cycle": [str(c) for c in made.cycles],
        "step": [str(s) for s in made.steps],
        "time": times(made.seconds),
        "steptime": times(made.step_seconds),
        "capacity": printed(
            one_counter(made.charged_ah, made.discharged_ah, made, dialect.reset),
            "capacity",
        ),
        "energy": printed(
            one_counter(made.charged_wh, made.discharged_wh, made, dialect.reset),
            "energy",
        ),
        "current": printed(sign, "current"),
        "voltage": printed(made.volts, "voltage", 8),
        "state": list(made.states),
        "es": ["1"] * n,
        "clock": [
            (START + timedelta(seconds=int(s))).strftime(dialect.clock)
            for s in made.seconds
        ],
    }
    for key, total in (("chgcap", "charged_ah"), ("dchgcap", "discharged_ah")):
        cells[key] = printed(since(getattr(made, total), made.cycles), key)
    for key, total in (("chgwh", "charged_wh"), ("dchgwh", "discharged_wh")):
        cells[key] = printed(since(getattr(made, total), made.cycles), key)
    return cells


def maccor_text(made, dialect=None, *, edit=None):
    """The bytes of a MACCOR export; `edit` may change the columns of text."""
    dialect = dialect or Maccor()
    cells = maccor_cells(made, dialect)
    if edit is not None:
        edit(cells)
    sep = dialect.separator
    lines = list(dialect.preamble)
    lines.append(
        sep.join(dialect.labels.values()) + (sep if dialect.header_trailing else "")
    )
    if dialect.blank_after_header:
        lines.append("")
    tail = sep if dialect.row_trailing else ""
    columns = [cells[k] for k in dialect.labels]
    lines += [sep.join(row) + tail for row in zip(*columns, strict=True)]
    return (dialect.end.join(lines) + dialect.end).encode(dialect.encoding)


BDF_LABELS = {
    "time": "Test Time / s",
    "voltage": "Voltage / V",
    "current": "Current / A",
    "cycle": "Cycle Count / 1",
    "charge": "Charging Capacity / Ah",
    "discharge": "Discharging Capacity / Ah",
}


def bdf_columns(made, *, sign=1.0, **factors):
    """Numbers of a BDF table by key; factors tell a lie or stand for another unit."""
    columns = {
        "time": made.seconds,
        "voltage": made.volts,
        "current": sign * made.amperes,
        "cycle": made.cycles,
        "step": step_marks(made),
        "charge": made.charged_ah,
        "discharge": made.discharged_ah,
        "charge_wh": made.charged_wh,
        "discharge_wh": made.discharged_wh,
    }
    return {k: v * factors[k] if k in factors else v for k, v in columns.items()}


def bdf_text(made, labels=None, *, end="\n", encoding="utf-8", sign=1.0, **factors):
    """A BDF table as CSV."""
    labels = labels or BDF_LABELS
    columns = bdf_columns(made, sign=sign, **factors)
    lines = [",".join(labels.values())]
    rows = zip(*(columns[k].tolist() for k in labels), strict=True)
    lines += [",".join(map(repr, row)) for row in rows]
    return (end.join(lines) + end).encode(encoding)
