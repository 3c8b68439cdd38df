"""``equipoise store``: many cells in one folder, to be asked with SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.cell_options import (
    AsJson,
    Form,
    Group,
    Map,
    Mass,
    OneC,
    ReaderName,
    Reference,
    Repair,
    Sign,
)
from equipoise.cli.terminal import progress_bar

if TYPE_CHECKING:
    import polars as pl

    from equipoise.core.errors import EquipoiseError
    from equipoise.io.store.importing import Added

app = typer.Typer(
    name="store",
    help="Keep cells in a folder of Parquet files and ask them with SQL.",
    no_args_is_help=True,
)
Folder = Annotated[Path, typer.Argument(help="Folder of the store.")]
MOST_ROWS = 40


@app.command()
def add(
    store: Folder,
    files: Annotated[list[Path], typer.Argument(help="Files of cells.")],
    group: Group = None,
    mass_mg: Mass = None,
    one_c_ma: OneC = None,
    reference: Reference = None,
    column_map: Map = None,
    reader: ReaderName = None,
    repair: Repair = "",
    current_sign: Sign = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="A cell that is there with other metadata."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read files, prove them, sum their cycles up and keep all of it.

    A file that is there already changes nothing. Each file is kept as soon as it is
    read; a wrong one does not stop the others, but the command then ends with 2.

    Example: equipoise store add campaign lb1.mpr lb2.mpr --group LB
    """
    from equipoise.cli.cell_options import changes, loaded
    from equipoise.cli.output import told_warnings
    from equipoise.core.errors import EquipoiseError
    from equipoise.io.store.store import Store
    from equipoise.study.campaign import import_of

    changed = changes(
        mass_mg=mass_mg, one_c_ma=one_c_ma, reference=reference, group=group
    )
    kept: list[tuple[Path, Added]] = []
    failed: list[tuple[Path, EquipoiseError]] = []
    with told_warnings(), progress_bar("files", len(files)) as told:
        folder = Store(store, create=True)
        for done, file in enumerate(files, start=1):
            try:
                data = loaded(
                    file,
                    record=None,
                    changed=changed,
                    column_map=column_map,
                    reader=reader,
                    repair=repair,
                    current_sign=current_sign,
                )
                kept.append(
                    (file, folder.add_many([import_of(data)], replace=replace)[0])
                )
            except EquipoiseError as error:
                failed.append((file, error))
            if told is not None:
                told(done, len(files))
    _say_added(kept, failed, as_json)
    if failed:
        raise typer.Exit(2)


def _say_added(
    kept: list[tuple[Path, Added]],
    failed: list[tuple[Path, EquipoiseError]],
    as_json: bool,
) -> None:
    from equipoise.cli.output import echo_json

    for _, error in failed:
        typer.echo(f"equipoise: {error}", err=True)
    if as_json:
        echo_json(
            {
                "added": [
                    {
                        "file": str(f),
                        "cell_id": a.entry.id,
                        "name": a.entry.name,
                        "already": a.already,
                    }
                    for f, a in kept
                ],
                "failed": [{"file": str(f), "error": str(e)} for f, e in failed],
            }
        )
        return
    for file, added in kept:
        word = "already there" if added.already else "added"
        typer.echo(f"{word}: {added.entry.name} ({added.entry.id}) from {file}")
    typer.echo(f"{len(kept)} kept, {len(failed)} failed")


@app.command("list")
def list_cells(store: Folder, as_json: AsJson = False) -> None:
    """List the cells of a store.

    Example: equipoise store list campaign
    """
    from equipoise.cli.output import echo_json, echo_table
    from equipoise.io.store.store import Store

    cells = Store(store).cells()
    if as_json:
        echo_json({"cells": _plain(cells)})
        return
    rows = [
        (
            str(r["name"]),
            str(r["grp"] or "-"),
            str(r["cycles_count"] or "-"),
            f"{r['rows_count'] or 0:,}",
            str(r["source_format"] or "-"),
            str(r["cell_id"]),
        )
        for r in cells.to_dicts()
    ]
    echo_table(
        f"{store}: {cells.height} cells",
        ["name", "group", "cycles", "rows", "format", "id"],
        rows,
    )


@app.command()
def query(
    store: Folder,
    sql: Annotated[
        str, typer.Argument(help="One SELECT over cells, cycles, timeseries.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write the answer: NAME.csv or NAME.parquet.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a store with SQL; the group of a cell is called grp.

    Example: equipoise store query campaign "SELECT name, max(cycle_count) FROM cycles
    JOIN cells USING (cell_id) GROUP BY name"
    """
    from equipoise.cli.output import echo_json, echo_table
    from equipoise.core.errors import DataError
    from equipoise.core.files import write_atomic
    from equipoise.io.bdf import FORMS, table_bytes
    from equipoise.io.store.store import Store

    form = "" if out is None else out.suffix.removeprefix(".")
    if out is not None and form not in FORMS:
        raise DataError(
            f"{out.name!r} ends in neither .csv nor .parquet", where="--out"
        )
    answer = Store(store).sql(sql)
    if out is not None:
        write_atomic(out, table_bytes(answer, form))
    if as_json:
        echo_json({"rows": _plain(answer), "files": [str(out)] if out else []})
        return
    shown = answer.head(MOST_ROWS).rows()
    more = answer.height - len(shown)
    echo_table(
        f"{answer.height} rows",
        answer.columns,
        [tuple(_text(v) for v in row) for row in shown],
        note=f"{more} more rows: --out answer.csv" if more > 0 else "",
    )
    if out is not None:
        typer.echo(f"written: {out}")


@app.command()
def export(
    store: Folder,
    out: Annotated[Path, typer.Option(help="Folder for the BDF files.")],
    where: Annotated[
        str, typer.Option(help="A cell, or a condition: \"grp = 'LB'\". Default: all.")
    ] = "true",
    form: Form = "parquet",
    as_json: AsJson = False,
) -> None:
    """Write cells of a store as BDF, one file each, metadata beside it.

    Example: equipoise store export campaign --where "grp = 'LB'" --out lb --format csv
    """
    from equipoise.cli.output import echo_json
    from equipoise.io.store.store import Store

    files = Store(store).export(where, out, form)
    if as_json:
        echo_json({"files": [str(f) for f in files]})
        return
    for file in files:
        typer.echo(f"written: {file}")


@app.command()
def remove(
    store: Folder,
    cell: Annotated[str, typer.Argument(help="Id, or a name that is unique.")],
) -> None:
    """Take a cell out of a store.

    Example: equipoise store remove campaign lb1
    """
    from equipoise.io.store.store import Store

    entry = Store(store).remove(cell)
    typer.echo(f"removed: {entry.name} ({entry.id})")


@app.command()
def verify(store: Folder, as_json: AsJson = False) -> None:
    """Compare every file of a store with its hash; ends with 2 if one is damaged.

    Example: equipoise store verify campaign
    """
    from equipoise.cli.output import echo_json
    from equipoise.io.store.store import Store

    folder = Store(store)
    problems = folder.verify()
    if as_json:
        echo_json(
            {
                "cells_count": len(folder),
                "problems": [
                    {"file": p.file, "cell_id": p.cell_id, "what": p.what}
                    for p in problems
                ],
            }
        )
    else:
        for p in problems:
            typer.echo(f"{p.file}: {p.what}")
        typer.echo(f"{len(folder)} cells, {len(problems)} problems")
    if problems:
        raise typer.Exit(2)


def _plain(table: pl.DataFrame) -> list[dict[str, object]]:
    """Rows fit for JSON: dates as text."""
    return [
        {
            k: v if isinstance(v, int | float | str | None) else str(v)
            for k, v in r.items()
        }
        for r in table.to_dicts()
    ]


def _text(value: object) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:.6g}"
    return "-" if value is None else str(value)
