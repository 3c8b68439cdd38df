"""Tables without a header: f, Z', Z'', perhaps behind a column that counts the rows.

Nothing but the numbers says what they are, so that everything has to be proved: the
first column must be a sweep of frequencies and the others causal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.spectra.cells import SEPARATORS, cut, decimal_of, is_row, number
from equipoise.io.spectra.draft import Draft
from equipoise.io.spectra.labels import Meaning
from equipoise.io.spectra.quadrant import quadrant
from equipoise.io.spectra.tables import is_comment
from equipoise.io.spectra.units import ratio_of, refuse_huge

if TYPE_CHECKING:
    from equipoise.io.readers.source import Source
    from equipoise.io.spectra.draft import Array, Options

FORMAT = "text without a header"
LEAST_SHARE = 0.7
"""Of the steps of a sweep that go one way."""
LEAST_DECADES = 0.3
LONG_LINES = 400
"""So many rows of a sweep run over more than `LEAST_DECADES`."""
MOST_UNEXPLAINED_RATIO = 0.5
"""Of Im Z: more, and the columns are not Z' and Z''. 5 % of noise leave 0.24."""


def recognise(source: Source) -> str:
    """Evidence of a table of numbers alone; empty if it is none."""
    if not source.is_text:
        return ""
    lines = _content(source.head_lines)[:20]
    if len(source.head) < source.size_bytes:
        lines = lines[:-1]
    if not lines:
        return ""
    separator = _separator([x for _, x in lines])
    return f"lines of numbers, separator {separator!r}" if separator else ""


def drafts(source: Source, options: Options) -> list[Draft]:
    """Read frequency, real and imaginary part.

    Raises
    ------
    DataError
        If the columns cannot be told apart, or a row is broken.
    """
    where = str(source.path)
    refuse_huge(source)
    _refuse_head(source, where)
    text = source.text_bytes.decode("utf-8", errors="replace")
    lines = _content(text.split("\n"))
    separator = _separator([x for _, x in lines[:20]])
    rows = [(at, _trimmed(cut(line, separator))) for at, line in lines]
    width = len(rows[0][1])
    for at, cells in rows:
        if len(cells) != width:
            raise DataError(
                f"{len(cells)} cells, {width} were expected",
                where=f"{where}, line {at}",
                remedy="repair the line; where the comma separates cells, decimals "
                "need a point: else export with semicolons",
            )
    decimal = decimal_of(rows, told=options.decimal, where=where)
    values = np.empty((len(rows), width))
    for i, (at, cells) in enumerate(rows):
        for j, cell in enumerate(cells):
            value = number(cell, decimal)
            if value is None:
                raise DataError(
                    f"{cell!r:.40} is not a number",
                    where=f"{where}, line {at}",
                    remedy="repair or remove the line",
                )
            values[i, j] = value
    made = Draft(FORMAT, where)
    made.rows = np.array([at for at, _ in rows], dtype=np.int64)
    start = _first_column(values, where)
    made.frequency_hertz = values[:, start]
    made.real_ohm, made.imaginary_ohm = values[:, start + 1], values[:, start + 2]
    made.stated = "open"
    made.imaginary_label = f"column {start + 3}"
    made.frequency_unit = options.frequency_unit or ""
    made.impedance_unit = options.impedance_unit or ""
    _scale(made, options)
    _refuse_polar(made, start, told=options.imaginary_sign is not None)
    made.say(
        "recognised",
        "columns",
        f"no header, {len(rows)} rows, separator {separator!r}: frequency, Z', Z'' in "
        f"columns {start + 1} to {start + 3}",
    )
    made.say_open_end(source.text_bytes)
    return [made]


def _refuse_head(source: Source, where: str) -> None:
    """Look at the beginning of a long table before all of it is read."""
    if len(source.head) >= source.size_bytes:
        return
    lines = [x for _, x in _content(source.head_lines[:-1])][:LONG_LINES]
    separator = _separator(lines[:20])
    rows = [_trimmed(cut(x, separator)) for x in lines] if separator else []
    if len(rows) < LONG_LINES or len({len(r) for r in rows}) != 1:
        return  # another message says it better
    values = [[number(c, "," if "," in c else ".") for c in row] for row in rows]
    _first_column(
        np.array([[math.nan if v is None else v for v in row] for row in values]),
        where,
    )


def _content(lines: list[str]) -> list[tuple[int, str]]:
    return [
        (at, x)
        for at, x in enumerate(lines, start=1)
        if x.strip(" \t\x00\x1a") and not is_comment(x)
    ]


def _separator(lines: list[str]) -> str:
    """The one that cuts all of these lines into three cells and more; else empty."""
    for separator in SEPARATORS:
        if separator == "  ":
            continue
        cut_lines = [_trimmed(cut(x, separator)) for x in lines]
        widths = {len(c) for c in cut_lines}
        if min(widths) >= 3 and all(is_row(c, 2) for c in cut_lines):
            cells = [x for c in cut_lines for x in c]
            if all(number(x, "," if "," in x else ".") is not None for x in cells):
                return separator
    return ""


def _trimmed(cells: list[str]) -> list[str]:
    return cells[:-1] if len(cells) > 3 and cells[-1] == "" else cells


def _first_column(values: Array, where: str) -> int:
    """Index of the frequency: the first column, or the one behind row numbers."""
    height, width = values.shape
    counter = values[:, 0]
    start = 0
    counts = np.arange(height) + counter[0]
    if width == 4 and counter[0] in (0.0, 1.0) and np.array_equal(counter, counts):
        start = 1
    elif width != 3:
        raise DataError(
            f"{width} columns without a header",
            where=where,
            remedy="add a header that names them: freq/Hz, Re(Z)/ohm, Im(Z)/ohm; if a "
            "comma separates cells and stands before decimals as well, export with "
            "semicolons",
        )
    if not _is_sweep(values[:, start]):
        others = [i + 1 for i in range(start + 1, width) if _is_sweep(values[:, i])]
        hint = f"; column {others[0]} does" if others else ""
        raise DataError(
            f"column {start + 1} does not sweep through frequencies{hint}",
            where=where,
            remedy="add a header that names the columns: freq/Hz, Re(Z)/ohm, Im(Z)/ohm",
        )
    return start


def _is_sweep(column: Array) -> bool:
    """Whether numbers above zero run over decades, mostly one way."""
    known = column[np.isfinite(column)]
    if known.size < 3 or (known < 0.0).any():
        return False
    positive = known[known > 0.0]
    if positive.size < known.size - max(1, known.size // 20):
        return False
    if math.log10(positive.max() / positive.min()) < LEAST_DECADES:
        return False
    steps = np.sign(np.diff(positive))
    steps = steps[steps != 0.0]
    if steps.size == 0:
        return False
    share = float(max((steps > 0).mean(), (steps < 0).mean()))
    return share >= LEAST_SHARE or _sweeps_twice(positive)


def _sweeps_twice(values: Array) -> bool:
    """Up and down: few turns."""
    steps = np.sign(np.diff(values))
    steps = steps[steps != 0.0]
    return int((np.diff(steps) != 0.0).sum()) <= max(2, values.size // 20)


def _scale(made: Draft, options: Options) -> None:
    """Apply the units that the user says; the numbers alone have none."""
    factor, _ = ratio_of(Meaning("column of f", "frequency"), options, made.where)
    made.frequency_hertz = factor * made.frequency_hertz
    factor, made.area_specific = ratio_of(
        Meaning("column of Z'", "real"), options, made.where
    )
    assert made.real_ohm is not None
    assert made.imaginary_ohm is not None
    made.real_ohm = factor * made.real_ohm
    made.imaginary_ohm = factor * made.imaginary_ohm


def _refuse_polar(made: Draft, start: int, *, told: bool) -> None:
    """Refuse |Z| and phase, which fit into three columns as well."""
    f, first, second = made.frequency_hertz, made.real_ohm, made.imaginary_ohm
    assert first is not None
    assert second is not None
    known = np.isfinite(f) & np.isfinite(first) & np.isfinite(second) & (f > 0.0)
    f, first, second = f[known], first[known], second[known]
    cartesian = quadrant(f, first + 1j * second)
    if math.isnan(cartesian.residual_ratio):
        return
    best = cartesian.imaginary_residual_ratio
    if (first > 0.0).all() and np.abs(second).max() <= 180.0:
        angles = [np.deg2rad(second)]
        angles += [second] if np.abs(second).max() <= math.pi else []
        for angle in angles:
            turned = np.asarray(first * np.exp(1j * angle), dtype=np.complex128)
            polar = quadrant(f, turned)
            if polar.sign and polar.imaginary_residual_ratio < 0.5 * best:
                raise DataError(
                    f"columns {start + 2} and {start + 3} look like |Z| and phase, not "
                    "like Z' and Z''",
                    where=made.where,
                    remedy="add a header that names them: freq/Hz, |Z|/ohm, Phase/deg",
                )
    if best > MOST_UNEXPLAINED_RATIO and not told:
        raise DataError(
            f"the columns cannot be Z' and Z'': causality explains only "
            f"{max(1.0 - best, 0.0):.0%} of column {start + 3}",
            where=made.where,
            remedy="add a header that names the columns: freq/Hz, Re(Z)/ohm, Im(Z)/ohm",
        )
