"""The columns of a table by a map: units, signs, clocks, counters, and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.columns import COLUMNS
from equipoise.core.errors import DataError
from equipoise.core.references import reference_potential
from equipoise.io.readers import clocks, states
from equipoise.io.readers import time_proof as tp
from equipoise.io.readers.column_map import CLOCK, NUMBER_CLOCKS, dimension_of
from equipoise.io.readers.delimited import NOTHING, TextTable, decimal_sign
from equipoise.io.readers.draft import Array, Counter, Direction, Draft
from equipoise.io.readers.labels import factor, split_label
from equipoise.io.readers.mapped_clocks import number_clock, stamps
from equipoise.io.readers.mapped_looks import look_at_clock, look_at_values
from equipoise.io.readers.recording import Finding

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.column_map import ColumnMap, Entry, Matched
    from equipoise.io.readers.delimited import Decimal
    from equipoise.io.readers.options import Options

COLDEST_CELSIUS = -273.15
MOST_DIGITS = 15
MOST_SAMPLES = 200
"""Cells that are looked at to tell durations and dates from numbers."""
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(?:,\d{3})+$"
_LABELS = {c.label for c in COLUMNS.values()}


class Filling:
    """The columns of one table, brought into a draft.

    Parameters
    ----------
    units
        Column -> unit, of a row of units below the header.
    """

    def __init__(
        self,
        mapping: ColumnMap,
        matched: Matched,
        table: TextTable,
        units: dict[int, str],
        made: Draft,
        options: Options,
        where: str,
    ) -> None:
        self.mapping, self.matched, self.table = mapping, matched, table
        self.units, self.made = units, made
        self.options, self.where = options, where
        self.decimal: Decimal = self._decimal()

    def read(self) -> None:
        """Fill the draft."""
        columns = self.matched.columns
        if CLOCK in columns:
            self._clock(columns[CLOCK])
        for name, index in columns.items():
            entry = self.mapping.columns[name]
            dimension = dimension_of(name)
            if name == CLOCK:
                continue
            if name == "step_type":
                self._states(index)
            elif name in COLUMNS and COLUMNS[name].kind == "text":
                self.made.columns[name] = self.table.text(index)
            elif dimension == "time":
                self._time(name, index, entry)
            elif dimension == "none":
                self.made.columns[name] = self._whole(index)
            elif dimension in ("capacity", "energy"):
                self._counter(name, index, entry)
            else:
                self._number(name, index, entry)
        if self.matched.clock >= 0:
            self._clock_as_time(self.matched.clock)
        for name, index in self.matched.text.items():
            self.made.columns[name] = self.table.text(index)
        self._sign()
        self._backward()
        self._against_clock()
        self._potentials()
        look_at_values(self.made)
        self._rest()

    def _header(self, index: int) -> str:
        return self.table.header[index]

    def _some(self, index: int) -> pl.Series:
        """The first cells of a column, cheaper than all of them."""
        import polars as pl

        cells = self.table.frame.to_series(index).head(MOST_SAMPLES)
        text = cells.str.strip_chars(' \t"')
        empty = text.is_in(NOTHING)
        return text.filter(~empty.fill_null(value=True)).cast(pl.String)

    # --- numbers

    def _decimal(self) -> Decimal:
        told = self.mapping.table.decimal
        if told is not None or self.table.separator == ",":
            return told or "."
        numeric = [
            i
            for n, i in self.matched.columns.items()
            if dimension_of(n) != "none" and not clocks.is_duration(self._some(i))
        ]
        found = decimal_sign(self.table, numeric)
        if found == ",":
            for index in numeric:
                self._refuse_thousands(index)
            self.made.recognised("numbers", "decimal comma")
        return found

    def _refuse_thousands(self, index: int) -> None:
        """1,234 beside 987: the comma may separate thousands."""
        text = self.table.text(index).drop_nulls()
        comma = text.str.contains(",", literal=True)
        plain = text.filter(~comma & ~text.is_in(["0", "1"]))
        commas = text.filter(comma)
        if not len(commas) or not len(plain):
            return
        if commas.str.contains(_THOUSANDS).all():
            raise DataError(
                f"column {self._header(index)!r}: the comma of {commas[0]!r} may stand "
                f"before decimals or before thousands ({plain[0]!r} has none)",
                where=self.where,
                remedy='export without separators of thousands, or say decimal = "," '
                "in [table] of a map",
            )

    def _unit(self, name: str, index: int, entry: Entry) -> tuple[str, float]:
        """Unit of a column and its factor: the map's word, else the header's."""
        dimension = dimension_of(name)
        header = split_label(self._header(index)).unit or self.units.get(index, "")
        of_header = factor(header, dimension) if header else None
        if entry.unit is not None:
            of_map = factor(entry.unit, dimension)
            assert of_map is not None  # the map was validated
            if header and of_header != of_map:
                self.made.look(
                    self._header(index),
                    f"taken to be in {entry.unit}, as the map says; the file says "
                    f"{header}",
                )
            return entry.unit, of_map
        if of_header is None:
            raise DataError(
                f"column {self._header(index)!r} names no unit of {dimension} that is "
                "known",
                where=f"{self.where}, line {self.table.header_line}",
                remedy=f"give it in a map: {name} = {{ label = "
                f'"{self._header(index)}", unit = "..." }}',
            )
        return header, of_header

    def _scaled(self, index: int, scale: float) -> pl.Series:
        """A column times a factor; decimals stay decimals (1.3 mA is 0.0013 A)."""
        import polars as pl

        values = self.table.numbers(index, self.decimal)
        if scale == 1.0:
            return values
        power = round(float(np.log10(scale)))
        places = self._places(index)
        if places is None or not np.isclose(scale, 10.0**power, rtol=1e-12):
            return values * scale
        digits = max(places - power, 0)
        if digits > MOST_DIGITS:
            return values * scale
        array = values.fill_null(float("nan")).to_numpy() * scale
        return pl.Series(values.name, np.round(array, digits)).fill_nan(None)

    def _places(self, index: int) -> int | None:
        """Decimals that are printed at most; None if there are powers of ten."""
        import polars as pl

        cells = self.table.frame.to_series(index)
        if cells.str.contains(r"\d[eE][+-]?\d").any():
            return None
        lengths = cells.str.extract(r"[.,](\d*)[\s\"]*$", 1).str.len_chars()
        most = lengths.cast(pl.Int64).max()
        return int(most) if isinstance(most, int) else 0

    def _number(self, name: str, index: int, entry: Entry) -> None:
        unit, scale = self._unit(name, index, entry)
        values = self._scaled(index, scale)
        dimension = dimension_of(name)
        if name == "current_ampere":
            digit = self.table.rounding(index)
            self.made.current_rounding_ampere = None if digit is None else digit * scale
        if entry.negated:
            values = -values
        if dimension == "temperature":
            values = self._no_sensor(index, values)
            if values.null_count() == len(values):
                return
        if dimension in ("current", "voltage"):
            self.made.recognised(self._header(index), f"{dimension} in {unit}")
        self.made.columns[name] = values

    def _no_sensor(self, index: int, values: pl.Series) -> pl.Series:
        import polars as pl

        cold = (values < COLDEST_CELSIUS).fill_null(value=False)
        if not cold.any():
            return values
        self.made.look(
            self._header(index),
            f"{int(cold.sum())} of {len(values)} rows read below absolute zero: no "
            "sensor, left empty",
        )
        kept = pl.select(pl.when(~cold).then(values)).to_series()
        return kept.alias(values.name)

    def _whole(self, index: int) -> pl.Series:
        import polars as pl

        values = self.table.numbers(index, self.decimal)
        whole = values.cast(pl.Int64, strict=False)
        lost = (whole.cast(pl.Float64) != values).fill_null(value=True)
        lost &= values.is_not_null()
        if lost.any():
            row = int(lost.arg_max() or 0)
            raise DataError(
                f"column {self._header(index)!r}: {values[row]!r} is not a whole "
                "number, and this column counts",
                where=f"{self.where}, line {self.table.line_of(row)}",
                remedy="check the header; take it out of the map if it counts nothing",
            )
        return whole

    def _counter(self, name: str, index: int, entry: Entry) -> None:
        unit, scale = self._unit(name, index, entry)
        values = self._scaled(index, scale)
        array = values.fill_null(float("nan")).to_numpy().astype(np.float64)
        direction = _direction(name)
        how = f"{'energy' if dimension_of(name) == 'energy' else 'capacity'} in {unit}"
        if entry.negated:
            array = -array
        if direction == "both" and bool((array < 0.0).any()):
            array = np.abs(array)
            how += ", below zero on discharge: taken without its sign"
        self.made.recognised(self._header(index), how)
        self.made.counters.append(
            Counter(
                self._header(index),
                "energy" if dimension_of(name) == "energy" else "capacity",
                direction,
                array,
                name if name.startswith(("cycle_", "step_")) else "",
            )
        )

    # --- direction

    def _states(self, index: int) -> None:
        text = self.table.text(index)
        self.made.columns["step_type"] = text
        words = self.mapping.states
        if words is None:
            flow = states.flow_of(text)
        else:
            flow = np.zeros(len(text), dtype=np.int8)
            lower = text.fill_null("").str.to_lowercase()
            for sign, listed in ((1, words.charge), (-1, words.discharge)):
                known = [w.strip().lower() for w in listed]
                flow[lower.is_in(known).to_numpy()] = sign
        self.made.flow = flow if flow.any() else None
        counts = text.value_counts(sort=True)
        shown = ", ".join(f"{w} {n}" for w, n in counts.head(8).rows())
        self.made.recognised(self._header(index), f"states and rows: {shown}")

    def _sign(self) -> None:
        """What the map says of the sign of the current."""
        made, name = self.made, "current_ampere"
        match self.mapping.columns[name].sign:
            case "charging positive":
                made.current_sign = "charging positive"
            case "charging negative":
                made.columns[name] = -made.columns[name]
                made.current_sign = "charging positive"
                made.recognised("current: sign", "charging < 0 by the map: turned")
            case "magnitude":
                below = (made.columns[name] < 0.0).fill_null(value=False)
                if below.any():
                    row = int(below.arg_max() or 0)
                    raise DataError(
                        f"the current has no sign by the map, but is below zero in row "
                        f"{row + 1}",
                        where=f"{self.where}, line {self.table.line_of(row)}",
                        remedy='sign = "charging positive" or "charging negative"',
                    )
                # without words the counters tell, which "unknown" looks at
                made.current_sign = "unknown" if made.flow is None else "magnitude"
            case _:
                made.current_sign = "unknown"

    # --- time

    def _time(self, name: str, index: int, entry: Entry) -> None:
        some = self._some(index)
        header = self._header(index)
        if clocks.is_duration(some):
            values = clocks.durations(self.table.text(index))
            per_unit, how = 1.0, "hh:mm:ss"
        else:
            self._refuse_stamps(name, index, some)
            how, per_unit = self._unit(name, index, entry)
            values = self.table.numbers(index, self.decimal)
        if name == "test_time_second":
            self.made.time_second_per_unit = (per_unit,)
            self.made.columns[name] = values
            self.made.recognised(header, f"test time, {how}")
        else:
            self.made.columns[name] = values * per_unit

    def _refuse_stamps(self, name: str, index: int, some: pl.Series) -> None:
        if some.str.contains(r"\d[/-]\d|\d:\d").any() and clocks.clock(some):
            raise DataError(
                f"column {self._header(index)!r} holds dates ({some[0]!r})",
                where=self.where,
                remedy=f'say so in a map: {name} = {{ clock = "{self._header(index)}" '
                "}",
            )

    def _clock(self, index: int) -> None:
        """The clock as a witness of the time."""
        seconds = self._clock_second(index, self.mapping.columns[CLOCK].format)
        if seconds is None:
            self.made.look(self._header(index), "is no date and time: not used")
            return
        self.made.clock_second = seconds

    def _clock_as_time(self, index: int) -> None:
        entry = self.mapping.columns["test_time_second"]
        seconds = self._clock_second(index, entry.format)
        if seconds is None:
            raise DataError(
                f"column {self._header(index)!r} is no date and time "
                f"({self.table.text(index).drop_nulls().head(1).to_list()})",
                where=self.where,
                remedy='give its format in the map: format = "%d.%m.%Y %H:%M:%S"',
            )
        import polars as pl

        known = seconds[np.isfinite(seconds)]
        self.made.columns["test_time_second"] = pl.Series(seconds - known[0])
        self.made.clock_second = None  # it would prove itself
        self.made.recognised(
            self._header(index),
            "test time by the clock, to "
            f"{self.made.clock_resolution_second:g} s; pauses count",
        )

    def _clock_second(self, index: int, form: str | None) -> Array | None:
        """Second since 1970 of a column of dates; None if it holds none."""
        if form in NUMBER_CLOCKS:
            numbers = self.table.numbers(index, self.decimal)
            found = number_clock(numbers, form, self._places(index))
        else:
            found = stamps(self.table.text(index), form)
        if found is None:
            return None
        self.made.clock_resolution_second = found.resolution_second
        if found.first:
            self.made.metadata["started_local"] = found.first
            if not found.certain:
                self.made.look(self._header(index), "day and month could be exchanged")
        if found.universal:
            self._unix(found.second)
        return found.second

    def _unix(self, seconds: Array) -> None:
        import polars as pl

        if "unix_time_second" not in self.matched.columns:
            self.made.columns["unix_time_second"] = pl.Series(seconds).fill_nan(None)

    def _backward(self) -> None:
        """A test time that starts anew with each step: say so, or mend it on request.

        The clock tells how long a gap was, else the time since the step began.
        """
        import polars as pl

        if {"sort-time"} & self.options.repairs:
            return
        time = self.made.floats("test_time_second")
        back = tp.backward_rows(time)
        if back.size == 0:
            return
        if "backward-time" not in self.options.repairs:
            row = int(back[0])
            raise DataError(
                f"the time runs back in {back.size} rows, first in row {row + 1}: from "
                f"{time[row - 1]:.6g} to {time[row]:.6g}",
                where=f"{self.where}, line {self.table.line_of(row)}",
                remedy="it starts anew with each step, or two tests are joined: "
                "--repair backward-time; rows out of order: --repair sort-time; or "
                'take the clock in a map: test_time_second = { clock = "..." }',
            )
        (per_unit,) = self.made.time_second_per_unit
        steps = np.diff(time)
        clock, how = self.made.clock_second, "the time since the restart"
        steps[back - 1] = np.maximum(time[back], 0.0)
        if clock is not None:
            passed = np.diff(clock)[back - 1] / per_unit
            use = np.isfinite(passed) & (passed >= 0.0)
            steps[back[use] - 1] = passed[use]
            how = f"the clock in {int(use.sum())} of them"
        mended = time[0] + np.concatenate(([0.0], np.cumsum(steps)))
        self.made.columns["test_time_second"] = pl.Series(mended)
        self.made.findings.append(
            Finding(
                "repaired",
                "test time",
                f"ran back in {back.size} rows (first: row {back[0] + 1}); goes on "
                f"there by {how}",
            )
        )

    def _against_clock(self) -> None:
        """Name the unit that the clock would confirm."""
        made = self.made
        if made.clock_second is None:
            return
        found = tp.against_clock(
            made.floats("test_time_second"),
            made.clock_second,
            made.clock_resolution_second,
        )
        factors = made.time_second_per_unit
        if found is None:
            return
        if tp.unit_by_clock(found, factors) is not None:
            look_at_clock(made, made.clock_second, factors[0])
            return
        other = tp.unit_by_clock(found, tuple(tp.UNIT_NAMES))
        if other is None:
            return
        index = self.matched.columns["test_time_second"]
        raise DataError(
            f"column {self._header(index)!r} is taken to be in "
            f"{tp.UNIT_NAMES.get(factors[0], factors[0])}, but the clock of the file "
            f"runs {found.ratio:.4g} s per unit of it",
            where=self.where,
            remedy="say in a map what it holds: test_time_second = { label = "
            f'"{self._header(index)}", unit = "{tp.UNIT_NAMES[other]}" }}',
        )

    # --- what is left

    def _potentials(self) -> None:
        made = self.made
        known = True
        for name in ("positive", "negative"):
            column = f"{name}_electrode_potential_volt"
            if column not in made.columns:
                continue
            entry = self.mapping.columns[column]
            shift = entry.reference_potential_vs_li_volt
            if shift is None and entry.reference is not None:
                shift = reference_potential(entry.reference)
            by = "map"
            if shift is None:
                shift, by = self.options.record.reference_shift_volt, "cell record"
            if shift is None:
                known = False
                made.look(
                    column,
                    "against a reference electrode that is not known: give reference "
                    "in the map or reference_electrode in the cell record",
                )
                continue
            made.columns[column] = made.columns[column] + shift
            made.recognised(column, f"{shift:+.4g} V: vs Li+/Li by the {by}")
        if not known:
            made.metadata["reference_electrode"] = None

    def _rest(self) -> None:
        """Columns without a meaning here: kept if they hold more than one value."""
        import polars as pl

        made, constant = self.made, 0
        wanted = self.mapping.keep
        for index, header in enumerate(self.table.header):
            if not header or self._is_read(index):
                continue
            if wanted != "all" and header not in wanted:
                continue
            text = self.table.text(index)
            if wanted == "all" and text.n_unique() <= 1:
                constant += 1
                continue
            name = self._free_name(header)
            dotted = text
            if self.decimal == ",":
                dotted = text.str.replace_all(",", ".", literal=True)
            values = dotted.cast(pl.Float64, strict=False)
            numeric = values.null_count() == text.null_count()
            made.columns[name] = values if numeric else text
        if constant:
            made.recognised("columns", f"{constant} with one value throughout left out")

    def _is_read(self, index: int) -> bool:
        named = {*self.matched.columns.values(), *self.matched.text.values()}
        return index in named or index == self.matched.clock

    def _free_name(self, header: str) -> str:
        """A label that is no name of a proved column, and stands once."""
        name = header
        if header in COLUMNS or header in _LABELS or header in self.made.columns:
            name = f"{header} (as in the file)"
        count = 1
        while name in self.made.columns:
            count += 1
            name = f"{header} (as in the file, {count})"
        return name


def _direction(name: str) -> Direction:
    if "discharging" in name:
        return "discharge"
    if "charging" in name:
        return "charge"
    return "net" if name.startswith("net_") else "both"
