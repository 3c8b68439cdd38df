"""MACCOR text exports: many dialects of one table.

A preamble of 0 to 13 lines, then a header that begins with the record number. One
capacity counter without a sign; the current mostly without one, too: the state column
says what it does (C charge, D discharge, R rest, S suspended, P pause). The test time
is in seconds, minutes, or "2d 02:52:21"; "TestTime" alone names no unit, so that the
clock column has to tell. Dialects: docs/howto/read-maccor.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import clocks, states
from equipoise.io.readers.delimited import (
    TextTable,
    decimal_sign,
    read_delimited,
    sniff_separator,
)
from equipoise.io.readers.draft import Counter, Direction, Draft
from equipoise.io.readers.labels import Dimension, Label, factor, split_label
from equipoise.io.readers.repairs import note_cut_line

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from equipoise.io.readers.delimited import Decimal
    from equipoise.io.readers.options import Options
    from equipoise.io.readers.source import Source

FORMAT = "MACCOR text"
MOST_PREAMBLE_LINES = 40
_RECORD = ("rec#", "rec")
COLDEST_CELSIUS = -273.15


class _Meaning(NamedTuple):
    """What a header stands for; a unit if the name itself says it."""

    name: str
    dimension: Dimension
    unit: str = ""


_MEANINGS: dict[str, _Meaning] = {
    "rec#": _Meaning("record_index", "none"),
    "rec": _Meaning("record_index", "none"),
    "cyc#": _Meaning("cycle_count", "none"),
    "cycle": _Meaning("cycle_count", "none"),
    "cycle id": _Meaning("cycle_count", "none"),
    "cycle c": _Meaning("cycle_count", "none"),
    "cycle p": _Meaning("Cycle P", "none"),
    "step": _Meaning("step_index", "none"),
    "step id": _Meaning("step_index", "none"),
    "full step #": _Meaning("step_count", "none"),
    "test": _Meaning("test_time_second", "time"),
    "test time": _Meaning("test_time_second", "time"),
    "testtime": _Meaning("test_time_second", "time"),
    "prog time": _Meaning("test_time_second", "time"),
    "step time": _Meaning("step_time_second", "time"),
    "steptime": _Meaning("step_time_second", "time"),
    "amp-hr": _Meaning("both", "capacity", "Ah"),
    "mamp-hr": _Meaning("both", "capacity", "mAh"),
    "cap.": _Meaning("both", "capacity"),
    "capacity": _Meaning("both", "capacity"),
    "chg capacity": _Meaning("charge", "capacity"),
    "dchg capacity": _Meaning("discharge", "capacity"),
    "watt-hr": _Meaning("both", "energy", "Wh"),
    "mwatt-hr": _Meaning("both", "energy", "mWh"),
    "ener.": _Meaning("both", "energy"),
    "energy": _Meaning("both", "energy"),
    "chg energy": _Meaning("charge", "energy"),
    "dchg energy": _Meaning("discharge", "energy"),
    "amps": _Meaning("current_ampere", "current", "A"),
    "mamps": _Meaning("current_ampere", "current", "mA"),
    "current": _Meaning("current_ampere", "current"),
    "volts": _Meaning("voltage_volt", "voltage", "V"),
    "voltage": _Meaning("voltage_volt", "voltage"),
    "state": _Meaning("state", "none"),
    "md": _Meaning("state", "none"),
    "status": _Meaning("state", "none"),
    "dpt time": _Meaning("clock", "none"),
    "dpt-time": _Meaning("clock", "none"),
    "dpt": _Meaning("clock", "none"),
    "dcir": _Meaning("internal_resistance_ohm", "resistance"),
    "evtemp": _Meaning("ambient_temperature_celsius", "temperature"),
    "ev temp": _Meaning("ambient_temperature_celsius", "temperature", "C"),
    "temp 1": _Meaning("temperature_t1_celsius", "temperature", "C"),
}
_STEP_TIME = _MEANINGS["step time"]
_WANTED = ("test_time_second", "voltage_volt", "current_ampere", "state")


def recognise(source: Source) -> str:
    """Evidence that this is a MACCOR export; empty if it is not."""
    if not source.is_text:
        return ""
    lines = source.head_lines[:MOST_PREAMBLE_LINES]
    at = _header_line(lines)
    if at:
        return f"line {at} names record, step, state, current and voltage"
    if (
        lines
        and lines[0].upper().startswith("MACCOR, INC.")
        and "Impedance" in lines[0]
    ):
        return "the first line names MACCOR and an AC impedance test"
    return ""


def _meaning(label: Label) -> _Meaning | None:
    """Of a header; "Step (Sec)" is a time, "Step" a number."""
    if label.quantity == "step" and label.unit:
        return _STEP_TIME
    return _MEANINGS.get(label.quantity)


def _header_line(lines: list[str]) -> int:
    """Number (from 1) of the line with the columns; 0 if there is none."""
    for number, line in enumerate(lines, start=1):
        cells = [split_label(c) for c in re.split(r"[\t,;]", line)]
        names = {_MEANINGS[c.quantity].name for c in cells if c.quantity in _MEANINGS}
        if {"record_index", "state", "voltage_volt", "current_ampere"} <= names:
            return number
    return 0


def draft(source: Source, options: Options) -> Draft:
    """Read the table.

    Raises
    ------
    DataError
        If it is an impedance export, a column is missing or has no known unit, or a
        row is broken.
    """
    where = str(source.path)
    text = source.text_bytes
    lines = source.head_lines
    at = _header_line(lines[:MOST_PREAMBLE_LINES])
    if not at:
        if recognise(source):
            raise DataError(
                "this is an impedance (FRA) export, not a time series",
                where=where,
                remedy="read it with `equipoise eis` or `read_spectra`",
            )
        raise DataError(
            "no line names record, state, current and voltage",
            where=where,
            remedy="export it as text with these columns; docs/howto/read-maccor.md "
            "lists the headers that are understood",
        )
    separator = sniff_separator(lines[at - 1], [x for x in lines[at:] if x.strip()])
    table = read_delimited(
        where,
        text,
        header_line=at,
        separator=separator,
        drop_last_row="last-row" in options.repairs,
    )
    made = Draft(FORMAT, current_sign="unknown")
    made.recognised(
        "table",
        f"header in line {at}, separator {separator!r}, {table.frame.height} rows, "
        f"{source.encoding}",
    )
    note_cut_line(made, table.cut_line)
    _Columns(table, made, where).read()
    made.metadata |= preamble(lines[: at - 1])
    return made


class _Columns:
    """The columns of one table, one after the other."""

    def __init__(self, table: TextTable, made: Draft, where: str) -> None:
        self.table, self.made, self.where = table, made, where
        self.labels = [split_label(h) for h in table.header]
        self.meanings = [_meaning(x) for x in self.labels]
        names = [m.name for m in self.meanings if m is not None]
        missing = [n for n in _WANTED if n not in names]
        if missing:
            raise DataError(
                f"there is no column for {', '.join(missing)}; found: "
                f"{', '.join(h for h in table.header if h)}",
                where=where,
                remedy="export these columns too",
            )
        numeric = [
            i
            for i, m in enumerate(self.meanings)
            if m is not None and m.name in ("voltage_volt", "current_ampere", "both")
        ]
        self.decimal: Decimal = decimal_sign(table, numeric)
        if self.decimal == ",":
            made.recognised("numbers", "decimal comma")

    def read(self) -> None:
        """Fill the draft."""
        other: list[int] = []
        for index, meaning in enumerate(self.meanings):
            if meaning is None:
                other.append(index)
            elif meaning.name == "state":
                self._state(index)
            elif meaning.name == "clock":
                self._clock(index)
            elif meaning.dimension == "time":
                self._time(index, meaning)
            else:
                self._number(index, meaning)
        self._rest(other)
        columns = self.made.columns
        if "cycle_count" not in columns and "Cycle P" in columns:
            columns["cycle_count"] = columns.pop("Cycle P")
            self.made.recognised("cycles", "column 'Cycle P', of the program")

    def _number(self, index: int, meaning: _Meaning) -> None:
        values = self.table.numbers(index, self.decimal)
        scale = self._scale(index, meaning)
        if meaning.dimension in ("capacity", "energy"):
            array = values.fill_null(float("nan")).to_numpy() * scale
            self.made.counters.append(
                Counter(
                    self.table.header[index],
                    "capacity" if meaning.dimension == "capacity" else "energy",
                    _direction(meaning.name),
                    array.astype(np.float64),
                )
            )
            return
        name = meaning.name
        if name in self.made.columns:
            self._left_out(index)
            return
        if name == "internal_resistance_ohm" and not (values.fill_null(0) != 0).any():
            return
        if name == "cycle_count" and meaning is _MEANINGS["cycle c"]:
            self.made.recognised("cycles", "column 'Cycle C', the cycler's own count")
        if name == "current_ampere":
            digit = self.table.rounding(index)
            self.made.current_rounding_ampere = None if digit is None else digit * scale
        column = values * scale if scale != 1.0 else values
        self.made.columns[name] = (
            _whole(column) if meaning.dimension == "none" else column
        )

    def _left_out(self, index: int) -> None:
        self.made.look(
            self.table.header[index],
            "means the same as a column before it, which is taken: left out",
        )

    def _scale(self, index: int, meaning: _Meaning) -> float:
        if meaning.dimension == "none":
            return 1.0
        unit = self.labels[index].unit or meaning.unit
        found = factor(unit, meaning.dimension) if unit else None
        if found is None:
            raise DataError(
                f"column {self.table.header[index]!r} names no unit of "
                f"{meaning.dimension} that is known",
                where=self.where,
                remedy="add it to the header, such as 'Current (A)'",
            )
        if meaning.dimension in ("current", "voltage"):
            self.made.recognised(
                self.table.header[index], f"{meaning.dimension} in {unit}"
            )
        return found

    def _time(self, index: int, meaning: _Meaning) -> None:
        text = self.table.text(index)
        label = self.labels[index]
        name = meaning.name
        if clocks.is_duration(text):
            values = clocks.durations(text)
            factors: tuple[float, ...] = (1.0,)
            how = "days and hh:mm:ss"
        else:
            values = self.table.numbers(index, self.decimal)
            found = factor(label.unit, "time") if label.unit else None
            factors = (found,) if found is not None else (1.0, 60.0, 3600.0)
            how = label.unit or "no unit named: s, min or h"
        if name in self.made.columns:
            self._left_out(index)
        elif name == "test_time_second":
            self.made.columns[name] = values
            self.made.time_second_per_unit = factors
            self.made.recognised(self.table.header[index], f"test time, {how}")
        elif len(factors) == 1:
            self.made.columns[name] = values * factors[0]

    def _state(self, index: int) -> None:
        text = self.table.text(index)
        self.made.columns["step_type"] = text
        self.made.flow = _with_suspensions(text.str.slice(0, 1))
        counts = text.value_counts(sort=True)
        shown = ", ".join(f"{w} {n}" for w, n in counts.head(8).rows())
        self.made.recognised(self.table.header[index], f"states and rows: {shown}")

    def _clock(self, index: int) -> None:
        text = self.table.text(index)
        found = clocks.clock(text)
        if found is None:
            self.made.look(self.table.header[index], "is no date and time: not used")
            return
        self.made.clock_second = found.second
        self.made.clock_resolution_second = clocks.resolution_second(text)
        if found.first:
            self.made.metadata["started_local"] = found.first
            if not found.certain:
                self.made.look(
                    self.table.header[index], "day and month could be exchanged"
                )

    def _rest(self, indices: list[int]) -> None:
        """Columns without a meaning here: kept if they hold anything."""
        empty: list[str] = []
        channels = 0
        for index in indices:
            header = self.table.header[index]
            text = self.table.text(index)
            if not header or header in self.made.columns:
                continue
            if text.n_unique() <= 1:
                empty.append(header)
                continue
            try:
                values: pl.Series = self.table.numbers(index, self.decimal)
            except DataError:
                self.made.columns[header] = text
                continue
            if header.startswith("Aux") and (values.max() or 0.0) < COLDEST_CELSIUS:  # pyright: ignore[reportOperatorIssue]
                channels += 1
                continue
            self.made.columns[header] = values
        if channels:
            self.made.look(
                "auxiliary channels",
                f"{channels} of them read below absolute zero: not connected, left out",
            )
        if empty:
            self.made.recognised(
                "columns", f"{len(empty)} with one value throughout left out"
            )


def _with_suspensions(letters: pl.Series) -> NDArray[np.int8]:
    """Direction of each row; the row that marks a suspension goes on as before."""
    flow = states.flow_of(letters)
    suspended = (letters.fill_null("") == "S").to_numpy()
    marks = np.flatnonzero(suspended[1:] & ~suspended[:-1]) + 1
    flow[marks] = flow[marks - 1]
    return flow


def _direction(name: str) -> Direction:
    match name:
        case "charge" | "discharge":
            return name
        case _:
            return "both"


def _whole(values: pl.Series) -> pl.Series:
    import polars as pl

    whole = values.cast(pl.Int64, strict=False)
    same = (whole.cast(pl.Float64) == values).fill_null(value=True)
    return whole if same.all() else values


_KEYS = re.compile(
    r"(?:^|\s)(?P<key>Today's Date|Date of Test|Filename|Procedure|Comment/Barcode|"
    r"Tester Channel|Description)(?::\s*|(?<=Date)\s*|\t)"
    r"|^(?P<first>Name|Channel|Tester|Started|SCap|C Rate|Ch\. max\. V|"
    r"DisCh\. min\. V|Ch\. max\. I|DisCh\. max\. I)\s*[:\t]\s*"
)


def preamble(lines: list[str]) -> dict[str, object]:
    """What the lines above the header say, control bytes removed."""
    found: dict[str, object] = {}
    for raw in lines:
        line = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", " ", raw).replace("''", "'")
        marks = list(_KEYS.finditer(line))
        ends = [*(m.start() for m in marks[1:]), len(line)]
        for mark, end in zip(marks, ends[: len(marks)], strict=True):
            value = re.sub(r"\s+", " ", line[mark.end() : end]).strip(" :\t")
            if value:
                found.setdefault((mark["key"] or mark["first"]).lower(), value)
    return found
