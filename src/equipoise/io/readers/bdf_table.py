"""Battery Data Format: CSV or Parquet, current and older flavours.

The header says everything: "Quantity / unit" labels or machine names. In the format
as it is now a positive current charges; files from before the standard (hours as unit
of time, capacities that start anew with each cycle) count either way, so that their
sign is taken from the counters and the voltage.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.columns import COLUMNS, REQUIRED, to_names
from equipoise.core.errors import DataError
from equipoise.io.readers import states
from equipoise.io.readers.draft import Counter, Direction, Draft
from equipoise.io.readers.labels import Dimension, factor, split_label
from equipoise.io.readers.printed import rounding_of_cells
from equipoise.io.readers.repairs import note_cut_line
from equipoise.io.readers.source import refuse_too_large

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.options import Options
    from equipoise.io.readers.source import Source

FORMAT = "Battery Data Format"
MEMORY_PER_COLUMN = 3.0
"""Peak memory of reading and proving over that of the columns as numbers."""
_TIMES = ("test_time_second", "test_time_hour")
_DIMENSIONS: dict[str, Dimension] = {
    "test_time_second": "time",
    "step_time_second": "time",
    "voltage_volt": "voltage",
    "current_ampere": "current",
    "charging_capacity_ah": "capacity",
    "discharging_capacity_ah": "capacity",
    "charging_energy_wh": "energy",
    "discharging_energy_wh": "energy",
    "ambient_temperature_celsius": "temperature",
}
_QUANTITIES = {
    split_label(label).quantity: name
    for name in _DIMENSIONS
    for label in (COLUMNS[name].label, *COLUMNS[name].older_labels)
}
_RENAMED = {
    "Step Capacity / Ah": "step_cumulative_capacity_ah",
    "Step Type / 1": "step_type",
    "Cycle Index": "cycle_count",
    "Cycle Index / 1": "cycle_count",
    "power_w": "power_watt",
    "step_capacity_ah": "step_cumulative_capacity_ah",
    "charging_capacity_ampere_hour": "charging_capacity_ah",
    "discharging_capacity_ampere_hour": "discharging_capacity_ah",
}
_COUNTED = {
    name
    for name in COLUMNS
    if name.endswith(("_capacity_ah", "_energy_wh")) and "net" not in name
}


def recognise(source: Source) -> str:
    """Evidence that the header is one of the format; empty if it is not."""
    labels = _labels(source)
    names, units = _meant(labels)
    found = set(names)
    clock = next((n for n in _TIMES if n in found), None)
    if clock is None or not {"voltage_volt", "current_ampere"} <= found:
        return ""
    other = " in other units than today's" if units or clock == _TIMES[1] else ""
    return f"columns are named as in the format{other}"


def draft(source: Source, options: Options) -> Draft:
    """Read the table.

    Raises
    ------
    DataError
        If it is no table, or a column holds something else than numbers.
    """
    where = str(source.path)
    labels = _labels(source)
    names, units = _meant(labels)
    to_names(names, where=where)  # refuses two columns of one meaning
    lacking = [n for n in REQUIRED if n not in names and n != _TIMES[0]]
    if lacking or not any(n in names for n in _TIMES):
        raise DataError(
            f"there is no column {', '.join(lacking) or _TIMES[0]}; found: "
            f"{', '.join(labels)}",
            where=where,
            remedy="rename the columns to the labels of the Battery Data Format",
        )
    frame, cut_line = _frame(
        source, labels, names, drop_last="last-row" in options.repairs
    )
    older = "test_time_hour" in names or any(
        x in COLUMNS[n].older_labels or x in _RENAMED
        for x, n in zip(labels, names, strict=True)
        if n in COLUMNS
    )
    made = Draft(
        FORMAT,
        current_sign="unknown" if older else "charging positive",
        printed=not source.head.startswith(b"PAR1"),
    )
    if older:
        made.recognised("flavour", "from before the standard: the sign is not fixed")
    made.recognised("table", f"{frame.height} rows, {frame.width} columns")
    note_cut_line(made, cut_line)
    _note_rounding(made, source, names, units.get(_label_of(labels, names), 1.0))
    for label, column in zip(labels, frame.get_columns(), strict=True):
        _take(made, column, label, units.get(label, 1.0))
    return made


def _take(made: Draft, column: pl.Series, label: str, scale: float) -> None:
    name = column.name
    if scale != 1.0:
        column = column * scale
        made.recognised(label, f"times {scale:g} to {COLUMNS[name].label!r}")
    if name == "test_time_hour":
        made.columns["test_time_second"] = column
        made.time_second_per_unit = (3600.0,)
        made.recognised(label, "test time in h")
    elif name in _COUNTED or name in ("net_capacity_ah", "net_energy_wh"):
        values = column.fill_null(float("nan")).to_numpy()
        quantity = "capacity" if name.endswith("_ah") else "energy"
        made.counters.append(
            Counter(
                label,
                quantity,
                _direction(name),
                np.asarray(values, dtype=np.float64),
                name,
            )
        )
    else:
        made.columns[name] = column
        if name == "step_type":
            flow = states.flow_of(column)
            made.flow = flow if flow.any() else None


def _label_of(labels: list[str], names: list[str]) -> str:
    return labels[names.index("current_ampere")]


def _note_rounding(made: Draft, source: Source, names: list[str], scale: float) -> None:
    """Digits of the current as the first lines print them."""
    if not made.printed:
        return
    at = names.index("current_ampere")
    rows = (line.split(",") for line in source.head_lines[1:-1])
    digit = rounding_of_cells(r[at] for r in rows if len(r) == len(names))
    if digit is not None:
        made.current_rounding_ampere = digit * scale


def _direction(name: str) -> Direction:
    if "discharging" in name:
        return "discharge"
    if "charging" in name:
        return "charge"
    return "net" if "net_" in name else "both"


def _labels(source: Source) -> list[str]:
    """The header; empty where there is none."""
    if source.head.startswith(b"PAR1"):
        return _parquet_names(source)
    if not source.is_text:
        return []
    lines = source.head_lines
    head = next((x for x in lines if x.strip() and not x.startswith("#")), "")
    return [c.strip().strip('"') for c in head.split(",")]


def _parquet_names(source: Source) -> list[str]:
    import polars as pl

    try:
        return list(pl.read_parquet_schema(source.path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this Parquet file is damaged ({str(error).splitlines()[0]})",
            where=str(source.path),
            remedy="it was cut or changed; write it again",
        ) from None


def _meant(labels: list[str]) -> tuple[list[str], dict[str, float]]:
    """Names in `core.columns`, and the factors of labels in another unit."""
    names: list[str] = []
    units: dict[str, float] = {}
    for label in labels:
        (name,) = to_names([_RENAMED.get(label, label)])
        if name not in COLUMNS and " / " in label:
            parts = split_label(label)
            same = _QUANTITIES.get(parts.quantity)
            scale = factor(parts.unit, _DIMENSIONS[same]) if same else None
            if same and scale is not None:
                name, units[label] = same, scale
        names.append(name)
    return names, units


def _frame(
    source: Source, labels: list[str], names: list[str], *, drop_last: bool
) -> tuple[pl.DataFrame, int]:
    """Columns under machine names, and the number of a line that was left out."""
    import polars as pl

    where = str(source.path)
    if source.head.startswith(b"PAR1"):
        try:
            rows = pl.scan_parquet(source.path).select(pl.len()).collect().item()
            refuse_too_large(source.path, 8 * rows * len(names), MEMORY_PER_COLUMN)
            frame = pl.read_parquet(source.path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"this Parquet file is damaged ({str(error).splitlines()[0]})",
                where=where,
                remedy="it was cut or changed; write it again",
            ) from None
        frame.columns = names
        return frame.with_columns([_typed(frame[n], where) for n in names]), 0
    kinds = {"number": pl.Float64, "count": pl.Int64}
    numeric = {
        label: kinds[COLUMNS[n].kind]
        for label, n in zip(labels, names, strict=True)
        if n in COLUMNS and COLUMNS[n].kind != "text"
    }
    if _is_plain(source.head) and len(set(labels)) == len(labels):
        try:
            frame = pl.read_csv(
                source.path,
                schema_overrides=numeric,
                infer_schema_length=1000,
                quote_char=None,
            )  # other words for "no value" are read cell by cell: a quarter slower
        except (pl.exceptions.PolarsError, OSError):
            pass  # read again, cell by cell, to say where
        else:
            if frame.columns == labels and _is_full(frame, source):
                frame.columns = names
                return frame.with_columns([_typed(frame[n], where) for n in names]), 0
    return _slowly(source, names, drop_last=drop_last)


def _is_plain(head: bytes) -> bool:
    """A header in the first line, UTF-8 without a mark, no quotes."""
    marks = (b"#", b"\n", b"\r", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
    return not head.startswith(marks) and b'"' not in head


def _is_full(frame: pl.DataFrame, source: Source) -> bool:
    """Whether no row was short: those are filled up with nulls, without a word."""
    if frame.height and frame.to_series(-1).null_count() == 0:
        return True
    return source.raw.count(b",") == (frame.width - 1) * (frame.height + 1)


def _slowly(
    source: Source, names: list[str], *, drop_last: bool
) -> tuple[pl.DataFrame, int]:
    """Cut into cells, so that what is wrong is found and named."""
    import polars as pl

    from equipoise.io.readers.delimited import read_delimited

    text = source.text_bytes
    lines = text.split(b"\n", 1000)
    at = next(
        i for i, x in enumerate(lines) if x.strip() and not x.lstrip().startswith(b"#")
    )
    if b"\n#" in text:
        text = io.BytesIO(
            b"\n".join(b"" if x.startswith(b"#") else x for x in text.split(b"\n"))
        ).getvalue()
    table = read_delimited(
        str(source.path),
        text,
        header_line=at + 1,
        separator=",",
        drop_last_row=drop_last,
    )
    columns: list[pl.Series] = []
    for index, name in enumerate(names):
        known = COLUMNS.get(name)
        if known is not None and known.kind != "text":
            column = table.numbers(index, ".")
        else:
            column = table.text(index)
            as_number = column.cast(pl.Float64, strict=False)
            if known is None and as_number.null_count() == column.null_count():
                column = as_number
        columns.append(_typed(column.alias(name), str(source.path)))
    return pl.DataFrame(columns), table.cut_line


def _typed(column: pl.Series, where: str) -> pl.Series:
    """A known column as numbers, whole ones if it counts."""
    import polars as pl

    known = COLUMNS.get(column.name)
    if known is None or known.kind == "text":
        return column
    if not column.dtype.is_numeric():
        values = column.cast(pl.Float64, strict=False)
        lost = values.is_null() & column.is_not_null()
        if lost.any():
            row = int(lost.arg_max() or 0)
            raise DataError(
                f"column {known.label!r}, row {row + 1}: {column[row]!r:.40} is not a "
                "number",
                where=where,
                remedy="repair or remove the row",
            )
        column = values
    if known.kind == "count" and not column.dtype.is_integer():
        whole = column.cast(pl.Int64, strict=False)
        lost = (whole.cast(pl.Float64) != column).fill_null(value=True)
        lost &= column.is_not_null()
        if lost.any():
            row = int(lost.arg_max() or 0)
            raise DataError(
                f"column {known.label!r}, row {row + 1}: {column[row]!r} is not a "
                "whole number",
                where=where,
                remedy="counts are whole numbers; check the header of the column",
            )
        column = whole
    return column
