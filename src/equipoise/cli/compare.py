"""``equipoise compare``: two groups of cells side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.cell_options import (
    AsJson,
    Figures,
    Form,
    Map,
    Mass,
    OneC,
    ReaderName,
    Reference,
    Repair,
)

if TYPE_CHECKING:
    from equipoise.study.comparison import Comparison
    from equipoise.study.measured_cell import CellData

MOST_ROWS = 24
"""Printed; of more cycles as many are chosen evenly, and a note says so."""
Side = Annotated[
    str,
    typer.Argument(
        help="A file, several with commas between, a folder, or a group of the store."
    ),
]


def compare(
    a: Side,
    b: Side,
    store: Annotated[
        Path | None, typer.Option(help="Take both from this store, by group or name.")
    ] = None,
    at: Annotated[
        str, typer.Option(help="Cycles since the reference: 0,100,200. Default: all.")
    ] = "",
    threshold: Annotated[
        float, typer.Option(help="Retention that ends a life.", min=0.0, max=1.0)
    ] = 0.8,
    names: Annotated[str, typer.Option(help="Names of the two groups: LB,HB.")] = "",
    mass_mg: Mass = None,
    one_c_ma: OneC = None,
    reference: Reference = None,
    column_map: Map = None,
    reader: ReaderName = None,
    repair: Repair = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for tables and figures.")
    ] = None,
    form: Form = "parquet",
    figures: Figures = True,
    as_json: AsJson = False,
) -> None:
    """Compare two groups of cells cycle by cycle: mean, SD, difference, life.

    Example: equipoise compare lb1.mpr,lb2.mpr hb1.mpr,hb2.mpr --names LB,HB
    """
    from equipoise.cli.cell_options import changes, loaded, told_apart
    from equipoise.cli.output import told_warnings
    from equipoise.study.comparison import cells_of
    from equipoise.study.comparison import compare as compute

    with told_warnings():
        wanted = _at(at)
        if store is None:
            changed = changes(mass_mg=mass_mg, one_c_ma=one_c_ma, reference=reference)
            how = (reader, column_map, repair)
            cells = [
                cells_of(x, lambda f: loaded(f, None, changed, *how)) for x in (a, b)
            ]
        else:
            cells = _from_store(store, a, b)
        called = _names(names, cells, (a, b))
        both = told_apart([*cells[0], *cells[1]])
        cells = [both[: len(cells[0])], both[len(cells[0]) :]]
        found = compute(
            cells[0],
            cells[1],
            name_a=called[0],
            name_b=called[1],
            at=wanted,
            threshold_retention=threshold,
        )
        written = [] if out is None else _written(found, out, form)
        if out is not None and figures:
            written += _figures(cells, found, out / "figures")
    _say(found, written, as_json)


def _at(text: str) -> list[int] | None:
    from equipoise.cli.numbers import number_list
    from equipoise.core.errors import SpecError

    if not text:
        return None
    numbers = number_list(text, option="--at")
    if any(n != int(n) or n < 0 for n in numbers):
        raise SpecError(
            f"{text!r} are not numbers of cycles",
            where="--at",
            remedy="whole numbers: --at 0,100,200",
        )
    return [int(n) for n in numbers]


def _from_store(folder: Path, a: str, b: str) -> list[list[CellData]]:
    from equipoise.io.store.store import Store
    from equipoise.study.comparison import cells_of_group

    store = Store(folder)
    return [cells_of_group(store, text) for text in (a, b)]


def _names(
    text: str, cells: list[list[CellData]], given: tuple[str, str]
) -> tuple[str, str]:
    """Names of the groups: as given, else of the records, else of the files."""
    from equipoise.core.errors import SpecError

    if text:
        parts = [p.strip() for p in text.split(",")]
        if len(parts) != 2 or parts[0] == parts[1] or not all(parts):
            raise SpecError(
                f"{text!r} are not two names", where="--names", remedy="--names LB,HB"
            )
        return parts[0], parts[1]
    found: list[str] = []
    for group, argument in zip(cells, given, strict=True):
        groups = {d.group for d in group}
        found.append(groups.pop() if len(groups) == 1 else Path(argument).name)
    return (found[0], found[1]) if found[0] != found[1] else ("A", "B")


def _written(found: Comparison, out: Path, form: str) -> list[Path]:
    from equipoise.core.files import output_folder, write_atomic
    from equipoise.io.bdf import table_bytes

    tables = {"differences": found.differences}
    if found.retention_differences is not None:
        tables["retention-differences"] = found.retention_differences
    for key, table in zip(("a", "b"), found.means, strict=True):
        tables[f"means-{key}"] = table
    content = {n: table_bytes(t, form) for n, t in tables.items()}
    folder = output_folder(out)
    return [write_atomic(folder / f"{n}.{form}", raw) for n, raw in content.items()]


def _figures(
    cells: list[list[CellData]], found: Comparison, folder: Path
) -> list[Path]:
    from dataclasses import replace

    from equipoise.cli.cycles import labelled
    from equipoise.cli.output import echo_progress
    from equipoise.viz.cycling import capacity_and_efficiency
    from equipoise.viz.cycling_differences import differences
    from equipoise.viz.style import save_figure

    echo_progress("figures")
    grouped = [
        replace(d, record=d.record.model_copy(update={"group": name}))
        for name, group in zip((found.name_a, found.name_b), cells, strict=True)
        for d in labelled(group)
    ]
    names = (found.name_a, found.name_b)
    drawn = {
        "capacity_and_efficiency": capacity_and_efficiency(grouped),
        "differences": differences(found.differences, names=names),
    }
    return [f for stem, d in drawn.items() for f in save_figure(d, folder, stem)]


def _say(found: Comparison, written: list[Path], as_json: bool) -> None:
    from equipoise.cli.output import echo_json

    if as_json:
        echo_json(found.as_dict() | {"files": [str(f) for f in written]})
        return
    _print(found)
    for file in written:
        typer.echo(f"written: {file}")


def _print(found: Comparison) -> None:
    from equipoise.cli.output import echo_table

    table, quantity = found.differences, found.quantity
    factor, unit = (1.0, "mAh g⁻¹") if quantity.endswith("positive") else (1e3, "mAh")
    count = table.columns[0]
    rows = [
        (
            str(r[count]),
            f"{r[f'mean_a_{quantity}'] * factor:.4g}",
            f"{r[f'mean_b_{quantity}'] * factor:.4g}",
            f"{r[f'difference_{quantity}'] * factor:+.3g}",
            _interval(r, quantity, factor),
        )
        for r in _some(table.to_dicts())
    ]
    echo_table(
        f"{found.name_a} ({len(found.cells_a)} cells) and {found.name_b} "
        f"({len(found.cells_b)}): discharge capacity, {unit}",
        [
            "cycles since\nthe reference" if count.startswith("age") else "cycle",
            found.name_a,
            found.name_b,
            "difference",
            "95 % interval",
        ],
        rows,
        note="; ".join([str(table["basis"][0]), *_not_shown(table.height)]),
    )
    for line in _lives(found):
        typer.echo(f"  {line}")


def _not_shown(height: int) -> list[str]:
    if height <= MOST_ROWS:
        return []
    return [f"{MOST_ROWS} of {height} cycles shown: --out or --json for all"]


def _some(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    """At most MOST_ROWS rows, evenly over all."""
    if len(rows) <= MOST_ROWS:
        return rows
    last = len(rows) - 1
    return [rows[round(i * last / (MOST_ROWS - 1))] for i in range(MOST_ROWS)]


def _interval(row: dict[str, float], quantity: str, factor: float) -> str:
    low, high = row[f"low_difference_{quantity}"], row[f"high_difference_{quantity}"]
    if low != low:
        return "unknown"
    return f"{low * factor:+.3g} to {high * factor:+.3g}"


def _lives(found: Comparison) -> list[str]:
    lines: list[str] = []
    if found.lives is not None:
        pairs = zip((found.name_a, found.name_b), found.lives, strict=True)
        for name, lives in pairs:
            shown = ", ".join(
                f"> {x.lower_bound_cycle_count:.0f}"
                if x.censored
                else f"{x.life_cycle_count:.0f}"
                for x in lives
            )
            share = 100 * lives[0].threshold_retention
            lines.append(f"cycles to {share:g} %, {name}: {shown}")
    life = found.life
    if life is not None:
        if life.life_ratio == life.life_ratio:
            lines.append(f"life {found.name_a} / {found.name_b}: {life.life_ratio:.3g}")
        elif life.least_life_ratio > 0.0 or life.greatest_life_ratio < float("inf"):
            lines.append(
                f"life {found.name_a} / {found.name_b}: between "
                f"{life.least_life_ratio:.3g} and {life.greatest_life_ratio:.3g}, for "
                "not every cell reached the threshold"
            )
        if life.apart:
            lines.append(
                "every life of one group is beyond every one of the other; by chance "
                f"that happens with {100 * life.chance_of_apart_fraction:.0f} %"
            )
    lines += [f"no {what}: {why}" for what, why in found.reasons.items()]
    return lines
