"""Labelled text tables: separated text in any dialect, and what instruments export."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.spectra.cells import decimal_of, is_grouped, number
from equipoise.io.spectra.draft import Draft
from equipoise.io.spectra.flavours import flavour
from equipoise.io.spectra.labels import is_angular
from equipoise.io.spectra.tables import has_header, only_numbers, tables
from equipoise.io.spectra.units import (
    MOST_TEXT_BYTES,
    ratio_of,
    refuse_huge,
    told_unit,
)

if TYPE_CHECKING:
    from equipoise.io.readers.source import Source
    from equipoise.io.spectra.cells import Decimal
    from equipoise.io.spectra.draft import Array, Options
    from equipoise.io.spectra.labels import Meaning, Quantity
    from equipoise.io.spectra.tables import Table

FORMAT = "separated text"
SAME_RATIO = 1e-5
"""Two columns of one quantity agree to their printed digits."""


def recognise(source: Source) -> str:
    """Evidence of a header with frequency and impedance; empty if there is none."""
    if not source.is_text:
        return ""
    head = source.head_lines
    at = has_header(head)
    if not at and len(source.head) < source.size_bytes:
        if source.size_bytes > MOST_TEXT_BYTES or only_numbers(head[:-1]):
            return ""  # without reading millions of lines that are no header either
        at = has_header(_lines(source))
    return f"line {at} names frequency and impedance" if at else ""


def drafts(source: Source, options: Options) -> list[Draft]:
    """Read all tables; those with the same header become one draft.

    Raises
    ------
    DataError
        If a row is broken, a unit is not known, or columns are missing or doubled.
    """
    where = str(source.path)
    refuse_huge(source)
    lines = _lines(source)
    found = tables(lines, where)
    if not found:
        at = has_header(lines)
        raise DataError(
            "there is no row below the header" if at else "no header names frequency",
            where=f"{where}, line {at}" if at else where,
            remedy="export the file again when the measurement has data",
        )
    joined: dict[tuple[str, ...], list[Table]] = {}
    for table in found:
        joined.setdefault(tuple(table.labels), []).append(table)
    made = [_draft(group, lines, where, options) for group in joined.values()]
    made[0].say(
        "recognised",
        "table",
        f"{len(found)} table{'s' if len(found) > 1 else ''}, names in line "
        f"{found[0].header_line}, separator {found[0].separator!r}, {source.encoding}",
    )
    made[-1].say_open_end(source.text_bytes)
    return made


def _lines(source: Source) -> list[str]:
    return source.text_bytes.decode("utf-8", errors="replace").split("\n")


def _draft(group: list[Table], lines: list[str], where: str, options: Options) -> Draft:
    first = group[0]
    about = flavour(lines, first.header_line)
    made = Draft(about.format or FORMAT, where)
    made.firm, made.metadata = about.firm, dict(about.metadata)
    made.area_cm2 = about.area_cm2
    rows = [r for t in group for r in t.rows]
    meant = [
        i
        for i, c in enumerate(first.columns)
        if c is not None and c.quantity not in ("group", "name")
    ]
    decimal = decimal_of(
        [(line, [cells[i] for i in meant]) for line, cells in rows],
        told=options.decimal,
        where=where,
    )
    if decimal == ",":
        made.say("recognised", "numbers", "decimal comma")
    made.rows = np.array([line for line, _ in rows], dtype=np.int64)
    columns = _Columns(first, rows, decimal, options, where)
    columns.fill(made)
    if about.format:  # programs of instruments write Hz and ohm where they name none
        made.frequency_unit = made.frequency_unit or "Hz"
        made.impedance_unit = made.impedance_unit or "ohm"
    if len(group) > 1:
        made.groups["table"] = [str(i) for i, t in enumerate(group) for _ in t.rows]
    return made


class _Columns:
    """The columns of a table, chosen by what their labels mean."""

    def __init__(
        self,
        table: Table,
        rows: list[tuple[int, list[str]]],
        decimal: Decimal,
        options: Options,
        where: str,
    ) -> None:
        self.table, self.rows = table, rows
        self.decimal: Decimal = decimal
        self.options, self.where = options, where

    def fill(self, made: Draft) -> None:
        """Choose, scale and hand over."""
        frequency = self._one("frequency")
        real, imaginary = self._one("real"), self._one("imaginary")
        magnitude, phase = self._one("magnitude"), self._one("phase")
        if frequency is None or (
            (real is None or imaginary is None) and (magnitude is None or phase is None)
        ):
            raise self._missing()
        made.frequency_hertz = self._scaled(frequency)
        made.frequency_unit = self._unit(frequency)
        shown = [self._label(frequency)]
        specific: set[bool] = set()
        if real is not None and imaginary is not None:
            made.real_ohm = self._scaled(real)
            made.imaginary_ohm = self._scaled(imaginary)
            made.stated = "negative" if self._of(imaginary).negative else "measured"
            made.firm |= made.stated == "negative"
            made.imaginary_label = self._label(imaginary)
            made.impedance_unit = self._unit(real)
            specific = {self._specific(real), self._specific(imaginary)}
            shown += [self._label(real), self._label(imaginary)]
        if magnitude is not None and (phase is not None or made.real_ohm is not None):
            values = self._scaled(magnitude)
            own = {self._specific(magnitude)}
            if made.real_ohm is None or own == specific:
                made.magnitude_ohm = values
                specific |= own
        if phase is not None:
            made.phase_radian = self._scaled(phase)
            made.phase_unit = self._unit(phase)
            turned = self._of(phase).negative
            made.phase_stated = "negative" if turned else "measured"
            if made.real_ohm is None and magnitude is not None:
                made.stated, made.firm = made.phase_stated, made.firm or turned
                made.imaginary_label = self._label(phase)
                made.impedance_unit = self._unit(magnitude)
                shown += [self._label(magnitude), self._label(phase)]
        if len(specific) > 1:
            raise DataError(
                "one part of the impedance is in ohm, the other in ohm cm2",
                where=self._header(),
                remedy="export both in the same unit",
            )
        made.area_specific = True in specific
        made.say("recognised", "columns", ", ".join(repr(x) for x in shown))
        self._groups(made)

    def _groups(self, made: Draft) -> None:
        for index, column in enumerate(self.table.columns):
            if column is None or column.quantity not in ("group", "name"):
                continue
            words = [cells[index].strip().strip('"') for _, cells in self.rows]
            if column.quantity == "name" and made.names is None:
                made.names = words
            made.groups[self.table.labels[index]] = words

    def _header(self) -> str:
        return f"{self.where}, line {self.table.header_line}"

    def _of(self, index: int) -> Meaning:
        column = self.table.columns[index]
        assert column is not None
        return column

    def _label(self, index: int) -> str:
        return self.table.labels[index]

    def _unit(self, index: int) -> str:
        column = self._of(index)
        return column.unit or told_unit(column, self.options) or ""

    def _specific(self, index: int) -> bool:
        return ratio_of(self._of(index), self.options, self._header())[1]

    def _one(self, quantity: Quantity) -> int | None:
        """Index of the column with a quantity; in ohm before ohm cm2."""
        candidates = [
            i
            for i, c in enumerate(self.table.columns)
            if c is not None and c.quantity == quantity
        ]
        if len(candidates) > 1:
            plain = [i for i in candidates if not self._of(i).area_specific]
            candidates = plain or candidates
        if len(candidates) > 1 and quantity == "frequency":
            hertz = [
                i
                for i in candidates
                if "rad" not in self._unit(i).lower() and not is_angular(self._label(i))
            ]
            candidates = hertz or candidates
        if len(candidates) > 1 and quantity == "magnitude":
            barred = [i for i in candidates if "|" in self._label(i)]
            candidates = barred or candidates
        if len(candidates) > 1:
            candidates.sort(key=lambda i: self._of(i).negative)
            self._agree(candidates)
        return candidates[0] if candidates else None

    def _agree(self, candidates: list[int]) -> None:
        first = self._signed(candidates[0])
        for other in candidates[1:]:
            values = self._signed(other)
            known = np.isfinite(first) & np.isfinite(values)
            scale = float(np.abs(first[known]).max()) if known.any() else 0.0
            worst = np.abs(first - values)[known].max() if known.any() else math.inf
            if not worst <= SAME_RATIO * scale:
                raise DataError(
                    f"columns {self._label(candidates[0])!r} and "
                    f"{self._label(other)!r} may both be it, and differ",
                    where=self._header(),
                    remedy="remove the one that is not meant",
                )

    def _signed(self, index: int) -> Array:
        values = self._scaled(index)
        return -values if self._of(index).negative else values

    def _scaled(self, index: int) -> Array:
        """Values of a column in Hz, ohm (cm2) or radian, with the file's sign."""
        factor, _ = ratio_of(self._of(index), self.options, self._header())
        return factor * self._numbers(index)

    def _numbers(self, index: int) -> Array:
        values = np.empty(len(self.rows))
        for i, (line, cells) in enumerate(self.rows):
            value = number(cells[index], self.decimal)
            if value is None and is_grouped(cells[index]):
                raise DataError(
                    f"column {self._label(index)!r}: {cells[index]!r:.40} has "
                    "separators of thousands",
                    where=f"{self.where}, line {line}",
                    remedy="export the numbers without separators of thousands",
                )
            if value is None:
                raise DataError(
                    f"column {self._label(index)!r}: {cells[index]!r:.40} is not a "
                    "number",
                    where=f"{self.where}, line {line}",
                    remedy="repair or remove the line; decimal signs must be the same "
                    "in the whole file",
                )
            values[i] = value
        return values

    def _missing(self) -> DataError:
        quantities = {c.quantity for c in self.table.columns if c is not None}
        shown = ", ".join(x for x in self.table.labels if x)
        if "admittance" in quantities:
            what = "the table holds admittances, not impedances"
            remedy = "export Z' and Z'' (Z = 1/Y)"
        elif "frequency" not in quantities:
            what = "the table holds the logarithm of the frequency only"
            remedy = "export the frequency in Hz"
        else:
            what = "the table lacks a part of the impedance"
            remedy = "export Z' and Z'', or |Z| and phase"
        return DataError(
            f"{what}; the headers are {shown:.200}",
            where=self._header(),
            remedy=remedy,
        )
