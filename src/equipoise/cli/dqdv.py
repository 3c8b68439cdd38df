"""``equipoise dqdv``: differential capacity, its peaks and its maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from equipoise.cli.cell_options import (
    AsJson,
    Figures,
    Form,
    Map,
    Mass,
    ReaderName,
    Record,
    Reference,
    Repair,
    Sign,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from equipoise.analysis.dqdv import DifferentialCapacity
    from equipoise.analysis.peaks import Window
    from equipoise.study.measured_cell import CellData

MOST_PEAKS = 16
AXES = ("cell", "positive", "negative")
COLUMN = {
    "cell": "voltage_volt",
    "positive": "positive_electrode_potential_volt",
    "negative": "negative_electrode_potential_volt",
}


def dqdv(
    files: Annotated[list[Path], typer.Argument(help="Files with time series.")],
    axis: Annotated[
        str, typer.Option(help="cell, positive or negative: whose potential.")
    ] = "cell",
    cycles: Annotated[
        str, typer.Option(help="Only these: 1,2,50 or 1:100:10. Default: all.")
    ] = "",
    smoothing_millivolt: Annotated[
        float, typer.Option("--smoothing-millivolt", help="Gaussian; 0 for none.")
    ] = 5.0,
    step_millivolt: Annotated[
        float, typer.Option("--step-millivolt", help="Of the grid.")
    ] = 1.0,
    negative_plateau: Annotated[
        float | None,
        typer.Option(
            "--negative-plateau-volt",
            help="Names the peaks of NCM on the cell voltage: 1.55 for LTO.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for curves, peaks and figures.")
    ] = None,
    record: Record = None,
    mass_mg: Mass = None,
    reference: Reference = None,
    column_map: Map = None,
    reader: ReaderName = None,
    repair: Repair = "",
    current_sign: Sign = None,
    form: Form = "parquet",
    figures: Figures = True,
    as_json: AsJson = False,
) -> None:
    """Differential capacity of every half-cycle, its area checked, and its peaks.

    Example: equipoise dqdv cell.mpr --negative-plateau-volt 1.55 --out cell-dqdv
    """
    from equipoise.cli.cell_options import changes, loaded, told_apart
    from equipoise.cli.output import told_warnings

    with told_warnings():
        wanted = _numbers(cycles)
        _check(axis, smoothing_millivolt)
        known = changes(mass_mg=mass_mg, reference=reference)
        how = (reader, column_map, repair, current_sign)
        cells = told_apart([loaded(f, record, known, *how) for f in files])
        curves = [
            _curves(d, wanted, axis, smoothing_millivolt, step_millivolt) for d in cells
        ]
        peaks = [_peaks(dq, axis, negative_plateau) for dq in curves]
        written = [] if out is None else _written(cells, curves, peaks, out, form)
        if out is not None and figures:
            written += _figures(cells, curves, out / "figures")
    _say(cells, curves, peaks, written, as_json)


def _check(axis: str, smoothing: float) -> None:
    from equipoise.core.errors import SpecError, nearest

    if axis not in AXES:
        raise SpecError(
            f"{axis!r} is not known", where="--axis", remedy=nearest(axis, AXES)
        )
    if not 0.0 <= smoothing < float("inf"):
        raise SpecError(
            f"{smoothing:g} mV is no width",
            where="--smoothing-millivolt",
            remedy="0 for none",
        )


def _numbers(text: str) -> list[int]:
    from equipoise.cli.numbers import number_list
    from equipoise.core.errors import SpecError

    if not text:
        return []
    numbers = number_list(text, option="--cycles")
    if any(n != int(n) or n < 0 for n in numbers):
        raise SpecError(
            f"{text!r} are not numbers of cycles",
            where="--cycles",
            remedy="whole numbers: --cycles 1,2,50",
        )
    return [int(n) for n in numbers]


def _curves(
    data: CellData, wanted: list[int], axis: str, smoothing: float, step: float
) -> DifferentialCapacity:
    from equipoise.analysis.dqdv import dqdv as compute
    from equipoise.core.errors import DataError

    found = compute(
        data.require_table(),
        record=data.record,
        axis=cast("Literal['cell', 'positive', 'negative']", axis),
        step_volt=1e-3 * step,
        smoothing="gaussian" if smoothing > 0.0 else "none",
        smoothing_millivolt=smoothing,
    )
    if not wanted:
        return found
    chosen = found.of_cycles(wanted)
    if not chosen.cycle_count.size:
        first, last = found.cycle_count[0], found.cycle_count[-1]
        raise DataError(
            f"none of the cycles {', '.join(map(str, wanted[:5]))} has a half-cycle; "
            f"there are {first} to {last}",
            where=data.source,
            remedy="choose with --cycles, or leave it out for all",
        )
    return chosen


def _peaks(dq: DifferentialCapacity, axis: str, plateau: float | None) -> pl.DataFrame:
    from equipoise.analysis.peaks import NCM_WINDOWS, peaks, windows_of_cell

    windows: Sequence[Window] = ()
    if axis == "positive":
        windows = NCM_WINDOWS
    elif axis == "cell" and plateau is not None:
        windows = windows_of_cell(negative_potential_volt=plateau)
    return peaks(dq, windows=windows)


def _written(
    cells: Sequence[CellData],
    curves: Sequence[DifferentialCapacity],
    peaks: Sequence[pl.DataFrame],
    out: Path,
    form: str,
) -> list[Path]:
    from equipoise.cli.cycles import names_of
    from equipoise.core.files import output_folder, write_atomic
    from equipoise.io.bdf import table_bytes

    content: dict[str, bytes] = {}
    for name, dq, found in zip(names_of(cells), curves, peaks, strict=True):
        content[f"{name}.dqdv"] = table_bytes(dq.table(), form)
        content[f"{name}.peaks"] = table_bytes(found, form)
    folder = output_folder(out)
    return [write_atomic(folder / f"{n}.{form}", raw) for n, raw in content.items()]


def _figures(
    cells: Sequence[CellData], curves: Sequence[DifferentialCapacity], folder: Path
) -> list[Path]:
    """Curves and maps of both directions; a map needs two cycles."""
    from equipoise.cli.cycles import names_of
    from equipoise.cli.output import echo_progress
    from equipoise.viz.dqdv_map import dqdv_lines, dqdv_map
    from equipoise.viz.dqdv_map_3d import MOST_PANELS, dqdv_map_3d
    from equipoise.viz.style import save_figure

    echo_progress("figures")
    named = dict(zip(names_of(cells), curves, strict=True))
    drawn = {}
    for direction, sign in (("charge", 1), ("discharge", -1)):
        at = {
            n: c for n, c in named.items() if ((c.direction == sign) & c.usable).any()
        }
        if not at:
            continue
        way = cast("Literal['charge', 'discharge']", direction)
        drawn[f"dqdv_{direction}"] = dqdv_lines(at, way)
        many = {
            n: c
            for n, c in at.items()
            if len(set(c.cycle_count[c.direction == sign])) > 1
        }
        if many:
            drawn[f"dqdv_map_{direction}"] = dqdv_map(many, way)
        if many and len(many) <= MOST_PANELS:
            drawn[f"dqdv_map_3d_{direction}"] = dqdv_map_3d(many, way)
    return [f for stem, d in drawn.items() for f in save_figure(d, folder, stem)]


def _say(
    cells: Sequence[CellData],
    curves: Sequence[DifferentialCapacity],
    peaks: Sequence[pl.DataFrame],
    written: list[Path],
    as_json: bool,
) -> None:
    from equipoise.cli.output import echo_json

    if as_json:
        content = [
            _content(d, dq, p) for d, dq, p in zip(cells, curves, peaks, strict=True)
        ]
        echo_json({"cells": content, "files": [str(f) for f in written]})
        return
    for data, dq, found in zip(cells, curves, peaks, strict=True):
        _print_peaks(data, dq, found)
    for file in written:
        typer.echo(f"written: {file}")


def _content(
    data: CellData, dq: DifferentialCapacity, peaks: pl.DataFrame
) -> dict[str, object]:
    return {
        "name": data.name,
        "file": data.source,
        "axis": dq.axis,
        "smoothing": dq.smoothing.kind,
        "half_cycles": [
            {
                "cycle_count": int(dq.cycle_count[k]),
                "direction": int(dq.direction[k]),
                "capacity_ah": float(dq.capacity_ah[k]),
                "cv_capacity_ah": float(dq.cv_capacity_ah[k]),
                "area_residual_fraction": float(dq.area_residual_fraction[k]),
                "flaw": dq.flaws[k],
            }
            for k in range(dq.cycle_count.size)
        ],
        "peaks": peaks.to_dicts(),
    }


def _print_peaks(data: CellData, dq: DifferentialCapacity, peaks: pl.DataFrame) -> None:
    import numpy as np

    from equipoise.cli.output import echo_table

    place = COLUMN[dq.axis]
    specific = "height_mah_per_g_per_volt" in peaks.columns
    height, area = (
        ("height_mah_per_g_per_volt", "capacity_mah_per_g_positive")
        if specific
        else ("height_ah_per_volt", "capacity_ah")
    )
    shown = peaks.head(MOST_PEAKS).to_dicts()
    rows = [
        (
            str(r["cycle_count"]),
            "charge" if r["direction"] > 0 else "discharge",
            f"{r[place]:.4f}",
            f"{r[height]:.4g}",
            f"{r[area]:.4g}",
            str(r["transition"]),
        )
        for r in shown
    ]
    usable = dq.usable
    residual = float(np.max(dq.area_residual_fraction[usable])) if usable.any() else 0.0
    more = peaks.height - len(rows)
    echo_table(
        f"{data.name}: dQ/dV of {int(usable.sum())} half-cycles, {dq.axis} potential",
        [
            "cycle",
            "direction",
            "V" if dq.axis == "cell" else "V vs Li⁺/Li",
            "height\nmAh g⁻¹ V⁻¹" if specific else "height\nAh V⁻¹",
            "area\nmAh g⁻¹" if specific else "area\nAh",
            "transition",
        ],
        rows,
        note=f"area under the curves = charge within {residual:.1e}"
        + (f"; {more} more peaks with --out or --json" if more > 0 else ""),
    )
