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


def drafts(source: Source, options: Options) -> list[Draft]:  # noqa: ARG001
    """Read the table.

    Raises
    ------
    DataError
        If it is damaged, or no column holds a frequency and an impedance.
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
    for quantity, (column, found) in chosen.items():
        factor = 1.0 if found.unit_ratio is None else found.unit_ratio
        setattr(made, _FIELDS[quantity], factor * _floats(frame[column], where))
    imaginary = chosen.get("imaginary", chosen.get("phase"))
    if imaginary is not None:
        made.imaginary_label = imaginary[0]
        if imaginary[1].negative:
            made.stated, made.firm = "negative", True
    made.frequency_unit = chosen["frequency"][1].unit
    made.impedance_unit = chosen.get("real", chosen.get("magnitude", ("", None)))[0]
    made.area_specific = any(m.area_specific for _, m in chosen.values())
    for column in frame.columns:
        found = meaning(column)
        if found is not None and found.quantity == "group":
            made.groups[column] = [str(v) for v in frame[column].to_list()]
    if "name" in frame.columns:
        made.names = [str(v or "") for v in frame["name"].to_list()]
    if ours and AREA in frame.columns:
        made.areas_cm2 = _floats(frame[AREA], where)
    made.say("recognised", "table", f"{frame.height} rows, {frame.width} columns")
    return [made]


_FIELDS = {
    "frequency": "frequency_hertz",
    "real": "real_ohm",
    "imaginary": "imaginary_ohm",
    "magnitude": "magnitude_ohm",
    "phase": "phase_radian",
}


def _chosen(frame: pl.DataFrame, where: str) -> dict[str, tuple[str, Meaning]]:
    """Column and meaning for each quantity of an impedance."""
    found: dict[str, tuple[str, Meaning]] = {}
    for column in frame.columns:
        what = meaning(column)
        if what is None or what.quantity not in _FIELDS or what.unit_ratio is None:
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
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this table is damaged ({str(error).splitlines()[0]})",
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
