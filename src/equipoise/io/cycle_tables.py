"""Tables with one row per cycle, ours or another program's, in the names of ours.

The ratio that a file calls Coulombic efficiency is compared with its capacities: some
programs divide charge by discharge.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.core.errors import DataError, EquipoiseWarning
from equipoise.io.readers.delimited import read_delimited, sniff_separator
from equipoise.io.readers.source import Source, open_source

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

EFFICIENCY_TOLERANCE_RATIO = 1e-3
LEAST_FITTING_SHARE = 0.99
"""Of the cycles; the rest may be cut cycles that are counted otherwise."""


class CycleTable(NamedTuple):
    """Cycles of one cell, not classified yet.

    Attributes
    ----------
    table
        As `analysis.summary.cycle_summary` gives it, as far as the file knows.
    labels
        What the file calls each cycle; None where it says nothing.
    findings
        How columns were understood, a line each.
    """

    table: pl.DataFrame
    labels: list[str | None]
    findings: tuple[str, ...]
    source: Source


_KNOWN: dict[str, str] = {
    "Cycle_Index": "cycle_count",
    "tsecs_start": "start_time_second",
    "tsecs_end": "end_time_second",
    "Q_chg": "charging_capacity_ah",
    "Q_dis": "discharging_capacity_ah",
    "E_chg": "charging_energy_wh",
    "E_dis": "discharging_energy_wh",
    "V_min": "minimum_voltage_volt",
    "V_max": "maximum_voltage_volt",
    "I_min": "maximum_discharge_current_ampere",
    "I_max": "maximum_charge_current_ampere",
    "CE": "efficiency as given",
}
"""Headers of the ROVI battery data toolkit; < 0 discharges there as with us."""
_SIGNS = {"I_min": -1.0, "I_max": 1.0}
_NEEDED = {"cycle_count", "charging_capacity_ah", "discharging_capacity_ah"}
_OURS = {"cycle_count", "coulombic_efficiency"}
_OUR_COUNTS = {"cycle_count", "half_cycles_count", "rows_count", "eis_rows_count"}


def is_cycle_table(path: str | Path) -> bool:
    """Whether a file has one row per cycle, by its header.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    return bool(_kind(open_source(path)))


def read_cycles(path: str | Path) -> CycleTable:
    """Read a table with one row per cycle: CSV or Parquet.

    Raises
    ------
    DataError
        If it is none, a cell is no number, a cycle stands twice, or its efficiency
        fits neither ratio of its capacities.
    """
    source = open_source(path)
    kind = _kind(source)
    where = str(source.path)
    if not kind:
        raise DataError(
            "no header of a table of cycles was found",
            where=where,
            remedy="expected 'cycle_count' with capacities, or Cycle_Index, Q_chg, "
            "Q_dis",
        )
    table = _parquet(source) if kind == "parquet" else _text(source)
    lacking = sorted(_NEEDED - set(table.columns))
    if lacking:
        raise DataError(
            f"this table of cycles has no column {', '.join(lacking)}",
            where=where,
            remedy="write it with its capacities",
        )
    counts = [n for n in table.columns if n in _OUR_COUNTS]
    table = table.with_columns(_whole(table[n], where) for n in counts)
    findings = [f"{table.height} cycles"]
    labels: list[str | None] = [None] * table.height
    if "cycle_label" in table.columns:
        labels = table["cycle_label"].to_list()
    twice = table["cycle_count"].is_duplicated()
    if twice.any():
        number = table["cycle_count"][int(twice.arg_max() or 0)]
        raise DataError(
            f"cycle {number} stands in more than one row",
            where=where,
            remedy="a table of cycles has one row for each",
        )
    if "efficiency as given" in table.columns:
        findings.append(_efficiency(table, where))
        table = table.drop("efficiency as given")
    return CycleTable(_derived(table), labels, tuple(findings), source)


def _kind(source: Source) -> str:
    if source.head.startswith(b"PAR1"):
        import polars as pl

        try:
            names = set(pl.read_parquet_schema(source.path))
        except (pl.exceptions.PolarsError, OSError):
            return ""
        return "parquet" if names >= _OURS and "voltage_volt" not in names else ""
    if not source.is_text:
        return ""
    cells = _header(source)
    if set(cells) >= _OURS or {_KNOWN.get(c, c) for c in cells} >= _NEEDED:
        return "" if {"voltage_volt", "Voltage / V"} & set(cells) else "text"
    return ""


def _header(source: Source) -> list[str]:
    line = source.head_text.split("\n", 1)[0]
    separator = sniff_separator(line, [])
    return [c.strip().strip('"') for c in line.split(separator)]


def _parquet(source: Source) -> pl.DataFrame:
    import polars as pl

    try:
        return pl.read_parquet(source.path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"this Parquet file is damaged ({str(error).splitlines()[0]})",
            where=str(source.path),
            remedy="write it again",
        ) from None


def _text(source: Source) -> pl.DataFrame:
    import polars as pl

    line = source.head_text.split("\n", 1)[0]
    cut = read_delimited(
        str(source.path),
        source.text_bytes,
        header_line=1,
        separator=sniff_separator(line, []),
    )
    columns: dict[str, pl.Series] = {}
    for index, header in enumerate(cut.header):
        name = "cycle_label" if header == "Cycle_Label" else _KNOWN.get(header, header)
        foreign = "Cycle_Index" in cut.header and header not in _KNOWN
        if name in columns or (foreign and name != "cycle_label"):
            continue
        if name in ("cycle_label", "cycle_kind", "cycle_kind_evidence", "label"):
            columns[name] = cut.text(index)
        elif name == "complete":
            columns[name] = cut.text(index).str.to_lowercase() == "true"
        else:
            columns[name] = cut.numbers(index, ".") * _SIGNS.get(header, 1.0)
        if header in _SIGNS:  # of the other direction alone it has the other sign
            columns[name] = columns[name].clip(lower_bound=0.0)
    return pl.DataFrame({n: c.alias(n) for n, c in columns.items()})


def _whole(counts: pl.Series, where: str) -> pl.Series:
    """A column of counts as integers."""
    import polars as pl

    whole = counts.cast(pl.Int64, strict=False)
    if whole.null_count() or not (whole == counts).all():
        raise DataError(
            f"a number is missing or not whole in column {counts.name!r}",
            where=where,
            remedy="one whole number a row",
        )
    return whole


def _efficiency(table: pl.DataFrame, where: str) -> str:
    """Which ratio the file's own efficiency is."""
    given = _floats(table, "efficiency as given")
    charge, discharge = (
        _floats(table, f"{d}charging_capacity_ah") for d in ("", "dis")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        both = {
            "discharge/charge": discharge / charge,
            "charge/discharge": charge / discharge,
        }
    known = np.isfinite(given) & np.isfinite(both["discharge/charge"])
    if not known.any():
        return "its efficiency is not proven: no cycle has both capacities"
    for name, ratio in both.items():
        fits = np.isclose(
            given[known], ratio[known], rtol=EFFICIENCY_TOLERANCE_RATIO, atol=0.0
        )  # a cycle without discharge has 0 and infinity
        if fits.mean() >= LEAST_FITTING_SHARE:
            text = f"its efficiency is {name}, proven on {int(known.sum())} cycles"
            if name == "charge/discharge":
                warnings.warn(
                    f"{where}: {text}; here the efficiency is discharge/charge",
                    EquipoiseWarning,
                    stacklevel=3,
                )
            return text
    raise DataError(
        "its Coulombic efficiency fits neither discharge/charge nor charge/discharge "
        "of its capacities",
        where=where,
        remedy="one of the three columns is wrong, or of other cycles",
    )


def _derived(table: pl.DataFrame) -> pl.DataFrame:
    """Add what follows from the columns of another program."""
    import polars as pl

    floats = [n for n in table.columns if table[n].dtype.is_float()]
    table = table.with_columns(pl.col(floats).fill_null(float("nan")))
    if "coulombic_efficiency" in table.columns:
        return table
    charge, discharge = (
        _floats(table, f"{d}charging_capacity_ah") for d in ("", "dis")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        added = {"coulombic_efficiency": discharge / charge}
        if {"charging_energy_wh", "discharging_energy_wh"} <= set(table.columns):
            up, down = (_floats(table, f"{d}charging_energy_wh") for d in ("", "dis"))
            added |= {
                "energy_efficiency": down / up,
                "mean_charging_voltage_volt": up / charge,
                "mean_discharging_voltage_volt": down / discharge,
            }
    return table.with_columns(pl.Series(n, v) for n, v in added.items())


def _floats(table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    import polars as pl

    return table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
