"""What commands print: JSON, tables, warnings as one line each."""

from __future__ import annotations

import json
import math
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from equipoise import __version__
from equipoise.core.errors import EquipoiseWarning

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence


def echo_json(content: dict[str, Any]) -> None:
    """Print one JSON object that begins with the version; NaN becomes null."""
    typer.echo(json.dumps(finite({"equipoise": __version__} | content), indent=2))


def finite(value: object) -> object:
    """Replace NaN and infinities by None, tuples by lists, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value


def echo_table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    note: str = "",
    *,
    folds_last: bool = False,
) -> None:
    """Print a table; the first column to the left, numbers to the right.

    Where the terminal is narrow the first column folds, or, with `folds_last`, the
    last one, which is then text to the left.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", caption=note or None)
    table.caption_justify = "left"
    folding = len(header) - 1 if folds_last else 0
    for i, name in enumerate(header):
        table.add_column(
            name,
            justify="left" if i in (0, folding) else "right",
            no_wrap=i != folding,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    # a pipe or a file: do not fold at 80 columns
    width = None if sys.stdout.isatty() else 120
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    console.print(table)


@contextmanager
def told_warnings() -> Generator[None]:
    """Print each `EquipoiseWarning` once, as one line on stderr."""
    seen: set[str] = set()
    before = warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], *rest: object, **more: object
    ) -> None:
        if not issubclass(category, EquipoiseWarning):
            before(message, category, *rest, **more)  # pyright: ignore[reportArgumentType]
        elif str(message) not in seen:
            seen.add(str(message))
            typer.echo(f"equipoise: warning: {message}", err=True)

    with warnings.catch_warnings():
        warnings.simplefilter("always", EquipoiseWarning)
        warnings.showwarning = show
        yield


def echo_progress(what: str) -> None:
    """Say on stderr what is being written."""
    typer.echo(f"writing {what} ...", err=True)
