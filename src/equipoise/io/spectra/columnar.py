"""Spectra as this package writes them (CSV, Parquet), and any Parquet table with some.

Ours has the columns `spectrum_index`, `name`, `frequency_hertz`, `real_impedance_ohm`,
`imaginary_impedance_ohm` and, if an area is known, `area_cm2`; Im Z < 0 is capacitive.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.spectra.draft import Draft
from equipoise.io.spectra.labels import meaning
from equipoise.io.spectra.units import ratio_of, told_unit

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.source import Source
    from equipoise.io.spectra.draft import Array, Options
    from equipoise.io.spectra.labels import Meaning

FORMAT = "equipoise spectra"
OURS = (
    "spectrum_index",
    "name",
    "frequency_hertz",
    "real_impedance_ohm",
    "imaginary_impedance_ohm",
)
AREA = "area_cm2"
_PARQUET = b"PAR1"


def recognise(source: Source) -> str:
    """Evidence of our own columns, or of Parquet; empty if it is neither."""
    if source.head.startswith(_PARQUET):
        return "a Parquet table"
    first = source.head_lines[0].strip() if source.is_text else ""
    if first.split(",")[: len(OURS)] == list(OURS):
        return f"columns {', '.join(OURS)}"
    return ""


def drafts(source: Source, options: Options) -> list[Draft]:
    """Read the table.

    Raises
    ------
    DataError
        If it is damaged, no column holds a frequency and an impedance, or another
        unit is told than a column has.
    """
    where = str(source.path)
    frame = _frame(source)
    parquet = source.head.startswith(_PARQUET)
    ours = frame.columns[: len(OURS)] == list(OURS)
    made = Draft(FORMAT if ours else "Parquet table", where)
    made.ours = ours
    made.row_word = "row" if parquet else "line"
    made.rows = np.arange(frame.height) + (1 if parquet else 2)
    chosen = _chosen(frame, where)
    _fill(made, frame, chosen, options)
    _groups(made, frame)
    if ours and AREA in frame.columns:
        made.areas_cm2 = _floats(frame[AREA], where)
    if not parquet:
        made.say_open_end(source.text_bytes)
    made.say("recognised", "table", f"{frame.height} rows, {frame.width} columns")
    return [made]


_CARTESIAN = ("imaginary", "real")
_FIELDS = {
    "frequency": "frequency_hertz",
    "real": "real_ohm",
    "imaginary": "imaginary_ohm",
    "magnitude": "magnitude_ohm",
    "phase": "phase_radian",
}


def _fill(
    made: Draft,
    frame: pl.DataFrame,
    chosen: dict[str, tuple[str, Meaning]],
    options: Options,
) -> None:
    """Scale the chosen columns and say what their labels do."""
    specific: set[bool] = set()
    for quantity, (column, found) in chosen.items():
        factor, per_area = ratio_of(found, options, made.where)
        if quantity not in ("frequency", "phase"):
            specific.add(per_area)
        values = factor * _floats(frame[column], made.where)
        setattr(made, _FIELDS[quantity], values)
    if len(specific) > 1:
        raise DataError(
            "one part of the impedance is in ohm, the other in ohm cm2",
            where=made.where,
            remedy="write both in the same unit",
        )
    made.area_specific = True in specific

    def unit(quantity: str) -> str:
        found = chosen[quantity][1]
        return found.unit or told_unit(found, options) or ""

    part, size = ("phase", "magnitude") if made.real_ohm is None else _CARTESIAN
    label, found = chosen[part]
    made.imaginary_label = label
    if found.negative:
        made.stated, made.firm = "negative", True
    if "phase" in chosen:
        made.phase_unit = unit("phase")
        made.phase_stated = "negative" if chosen["phase"][1].negative else "measured"
    made.frequency_unit, made.impedance_unit = unit("frequency"), unit(size)


def _groups(made: Draft, frame: pl.DataFrame) -> None:
    """Columns that number or name spectra."""
    for column in frame.columns:
        found = meaning(column)
        if found is None or found.quantity not in ("group", "name"):
            continue
        words = ["" if v is None else str(v) for v in frame[column].to_list()]
        if found.quantity == "name" and made.names is None:
            made.names = words
        made.groups[column] = words


def _chosen(frame: pl.DataFrame, where: str) -> dict[str, tuple[str, Meaning]]:
    """Column and meaning for each quantity of an impedance."""
    found: dict[str, tuple[str, Meaning]] = {}
    for column in frame.columns:
        what = meaning(column)
        if what is None or what.quantity not in _FIELDS:
            continue
        if what.unit_ratio is None and what.quantity != "frequency":
            continue
        if what.quantity in found:
            raise DataError(
                f"columns {found[what.quantity][0]!r} and {column!r} may both be the "
                f"{what.quantity}",
                where=where,
                remedy="remove or rename one",
            )
        found[what.quantity] = (column, what)
    pairs = ({"real", "imaginary"}, {"magnitude", "phase"})
    if "frequency" not in found or not any(p <= set(found) for p in pairs):
        raise DataError(
            "no columns of frequency and impedance; the table has "
            f"{', '.join(frame.columns):.200}",
            where=where,
            remedy="name them frequency_hertz, real_impedance_ohm, "
            "imaginary_impedance_ohm",
        )
    if not pairs[0] <= set(found):
        found.pop("real", None)
        found.pop("imaginary", None)
    return found


def _frame(source: Source) -> pl.DataFrame:
    import polars as pl

    try:
        if source.head.startswith(_PARQUET):
            return pl.read_parquet(io.BytesIO(source.raw))
        return pl.read_csv(source.text_bytes, infer_schema=False)
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,  # no `Exception`: polars gave up
        OSError,
    ) as error:
        why = (str(error).splitlines() or ["it cannot be read"])[0]
        raise DataError(
            f"this table is damaged ({why:.200})",
            where=str(source.path),
            remedy="it was cut or changed; write it again",
        ) from None


def _floats(column: pl.Series, where: str) -> Array:
    """Numbers, NaN where there is none."""
    import polars as pl

    values = column
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        values = text.cast(pl.Float64, strict=False)
        lost = values.is_null() & text.is_not_null() & (text != "")
        if lost.any():
            row = int(lost.arg_max() or 0)
            raise DataError(
                f"column {column.name!r}: {column[row]!r:.40} is not a number",
                where=f"{where}, row {row + 1}",
                remedy="repair or remove the row",
            )
    elif not column.dtype.is_numeric():
        raise DataError(
            f"column {column.name!r} holds {column.dtype}, not numbers",
            where=where,
            remedy="write numbers",
        )
    filled = values.cast(pl.Float64).fill_null(float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)
