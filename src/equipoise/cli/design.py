"""``equipoise design``: weigh sheet, electrode windows, map over n/p."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from equipoise.design.cell_design import CellDesign
    from equipoise.spec.cell import Cell

DEFAULT_MAP = "0.95,1.0,1.05,1.1,1.15,1.2,1.25,1.3,1.4,1.5,1.75,2.0"


CellName = Annotated[
    str, typer.Argument(help="Bundled cell or half cell, or a .toml file.")
]
Ratios = Annotated[
    str,
    typer.Option(
        "--np",
        help="n/p ratios of the map: 1.0,1.1 or start:stop:step. "
        "A single value also redesigns the cell itself.",
    ),
]
Material = Annotated[
    str, typer.Option(help="Another positive material (library name or .toml).")
]
Upper = Annotated[
    float | None, typer.Option("--upper-volt", help="Another upper cut-off.")
]
Lower = Annotated[
    float | None, typer.Option("--lower-volt", help="Another lower cut-off.")
]
SeparatorUm = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        help="Engineered separator: of the map's stack energy (default: as built) "
        "and of the second stack energy (default: 30).",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object instead of tables.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for report.html, tables (CSV, Parquet), figures."),
]
Figures = Annotated[
    bool, typer.Option("--figures/--no-figures", help="With --out: draw figures.")
]


def design(
    cell: CellName,
    np: Ratios = "",
    positive: Material = "",
    upper: Upper = None,
    lower: Lower = None,
    separator_um: SeparatorUm = None,
    as_json: AsJson = False,
    out: Out = None,
    figures: Figures = True,
) -> None:
    """Balance a cell: what to weigh, where each electrode will stand.

    Example: equipoise design zhang2026-lb --np 1.0,1.1,1.2 --out lb
    """
    from equipoise.cli.numbers import number_list
    from equipoise.cli.output import told_warnings
    from equipoise.io.cells import is_half_cell, load_cell, with_positive

    with told_warnings():
        if is_half_cell(cell):
            given = {
                "--np": np,
                "--positive": positive,
                "--upper-volt": upper,
                "--lower-volt": lower,
                "--separator-um": separator_um,
                "--out": out,
            }
            _half_cell(cell, [k for k, v in given.items() if v], as_json)
            return
        resolved = load_cell(cell)
        if positive:
            resolved = with_positive(resolved, positive)
        if upper is not None or lower is not None:
            resolved = resolved.with_window(lower_volt=lower, upper_volt=upper)
        ratios = number_list(np or DEFAULT_MAP, option="--np")
        if len(ratios) == 1:
            resolved = resolved.with_np_ratio(ratios[0])
            ratios = number_list(DEFAULT_MAP, option="--np")
        own = resolved.np_ratio
        if not any(abs(r - own) < 1e-9 for r in ratios):
            ratios = sorted([*ratios, own])
        _full_cell(resolved, ratios, separator_um, as_json, out, figures)


def _full_cell(
    cell: Cell,
    ratios: list[float],
    separator_um: float | None,
    as_json: bool,
    out: Path | None,
    figures: bool,
) -> None:
    from equipoise.cli.output import echo_json, echo_progress
    from equipoise.design.cell_design import THIN_SEPARATOR_UM, design_cell
    from equipoise.design.np_map import np_map
    from equipoise.design.tolerance import tolerance

    answer = design_cell(cell, thin_separator_um=separator_um or THIN_SEPARATOR_UM)
    table = np_map(cell, ratios, separator_um=separator_um)
    written: dict[str, object] = {}
    if out is not None:
        from equipoise.report.design_report import write_design_report

        done = write_design_report(
            [cell],
            out,
            np_ratios=ratios,
            separator_um=separator_um,
            figures=figures,
            progress=echo_progress,
        )
        written = {
            "report": str(done.report),
            "files": [str(f) for f in done.files],
        }
    if as_json:
        echo_json(
            answer.to_dict()
            | {"map": table.to_dicts(), "tolerance": tolerance(cell).to_dicts()}
            | written
        )
        return
    _print_design(cell, answer)
    _print_map(table, answer, separator_um)
    if written:
        typer.echo(f"report: {written['report']}")


def _half_cell(name: str, given: list[str], as_json: bool) -> None:
    from equipoise.core.errors import SpecError

    if given:
        raise SpecError(
            f"{name!r} is a half cell, for which {', '.join(given)} has no meaning",
            remedy="a half cell takes only --json; edit its file for another window",
        )
    _print_half_cell(name, as_json)


def _print_half_cell(name: str, as_json: bool) -> None:
    from equipoise.cli.output import echo_json, echo_table
    from equipoise.core.units import unit_symbol
    from equipoise.design.half_cell_design import design_half_cell
    from equipoise.io.cells import load_half_cell_setup
    from equipoise.viz.labels import quantity

    answer = design_half_cell(load_half_cell_setup(name))
    if as_json:
        echo_json(answer.to_dict())
        return
    rows = [
        (
            quantity(key),
            f"{value:.4g}" if isinstance(value, float) else str(value),
            unit_symbol(key),
            answer.role(key),
        )
        for key, value in answer.to_dict().items()
        if key != "name"
    ]
    header = ("quantity", "value", "unit", "role")
    note = "charge is delithiation of the working electrode"
    echo_table(f"half cell {answer.name}, quasi-static", header, rows, note=note)


def _print_design(cell: Cell, d: CellDesign) -> None:
    from equipoise.cli.design_rows import WEIGH_NOTE, design_rows, weigh_rows
    from equipoise.cli.output import echo_table

    echo_table(
        f"{d.name}: weigh sheet",
        ("what", "value", "unit"),
        weigh_rows(d.weigh),
    )
    typer.echo(f"{WEIGH_NOTE}\n")
    echo_table(
        f"{d.name}: n/p {d.np_ratio:.3g}, {d.lower_volt:g}-{d.upper_volt:g} V, "
        "quasi-static",
        ("quantity", "value", "unit", "band", "role"),
        design_rows(d),
        note="capacities per g of positive active material, potentials vs Li+/Li",
    )
    _print_tolerance(cell)
    for note in d.notes:
        typer.echo(f"note: {note}")
    known, own = _bundled_and_own(d.caveats)
    for caveat in own:
        typer.echo(f"note: {caveat}")
    if known:
        typer.echo(f"caveats of {' and '.join(known)}: 'equipoise library NAME'")


def _bundled_and_own(caveats: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Names of bundled materials with caveats, and the other caveats in full."""
    from equipoise.spec import library

    names = {c: c.split(":")[0] for c in caveats}
    bundled = library.names("materials")
    known = list(dict.fromkeys(n for n in names.values() if n in bundled))
    return known, [c for c, n in names.items() if n not in bundled]


def _print_tolerance(cell: Cell) -> None:
    from equipoise.design.tolerance import tolerance

    row = tolerance(cell).row(0, named=True)
    typer.echo(
        f"1 % more {row['error_in']}: first charge "
        f"{row['charge_change_mah_per_g_positive']:+.2f} mAh/g, UP "
        f"{row['upper_potential_change_millivolt']:+.1f} mV"
    )


def _print_map(table: pl.DataFrame, d: CellDesign, separator_um: float | None) -> None:
    from equipoise.cli.design_rows import MAP_COLUMNS, map_note, map_rows
    from equipoise.cli.output import echo_table

    separator = "as built" if separator_um is None else f"{separator_um:g} µm"
    echo_table(
        f"{d.name}: map over n/p (stack with separator {separator})",
        tuple(MAP_COLUMNS.values()),
        map_rows(table),
        note=map_note(d),
    )
