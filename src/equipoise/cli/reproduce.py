"""``equipoise reproduce``: every printed number of a paper, computed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.terminal import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.study.zhang2026.ensemble import Member
    from equipoise.study.zhang2026.reproduce import Reproduction, Row

PAPERS = ("zhang2026",)
LEAST_DRAWS = 2
WIDE = 132
"""Letters in a line of a table that does not go to a terminal."""
ROOMY = 100
"""Letters in a line from which on each row tells its role, too."""


def reproduce(
    paper: Annotated[str, typer.Argument(help=f"One of: {', '.join(PAPERS)}.")],
    draws: Annotated[
        int | None,
        typer.Option(
            min=LEAST_DRAWS,
            help="Of the calibrated ageing, spread over all that there are. "
            "Default: all.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for rows, lives of one draw, report.html, figures."),
    ] = None,
    figures: Annotated[
        bool,
        typer.Option(
            "--figures/--no-figures",
            "--figure/--no-figure",
            help="With --out: draw figures.",
        ),
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object instead of tables.")
    ] = False,
) -> None:
    """Compute every printed number and figure of the ageing tests of a paper.

    Takes about a minute. Rows are input, calibrated, predicted or blind (predicted,
    and the printed number withheld).

    Example: equipoise reproduce zhang2026 --out zhang2026
    """
    from equipoise.cli.output import told_warnings
    from equipoise.core.files import output_folder
    from equipoise.study.zhang2026.reproduce import reproduce as compute

    _known(paper)
    chosen = _chosen(draws)
    if out is not None:
        output_folder(out)  # before a minute of computing, not after
    kept = "nothing is kept"
    try:
        with told_warnings():
            with progress_bar("draws", len(chosen)) as told:
                if told is None:
                    typer.echo(f"simulating {len(chosen)} draws ...", err=True)
                found = compute(draws=chosen, progress=told)
            kept = "files that are written are whole"
            report: Path | None = None
            try:
                if out is not None:
                    report = _written(found, out, figures, draws)
            finally:  # a full disk does not take the answer away
                _say(found, report, as_json)
    except KeyboardInterrupt:
        typer.echo(f"equipoise: interrupted; {kept}", err=True)
        raise typer.Exit(130) from None


def _known(paper: str) -> None:
    from equipoise.core.errors import SpecError, nearest

    if paper not in PAPERS:
        raise SpecError(
            f"the paper {paper!r} is not known",
            where="PAPER",
            remedy=nearest(paper, PAPERS),
        )


def _chosen(count: int | None) -> tuple[Member, ...]:
    """Draws spread evenly over all: they are sorted by hypothesis."""
    from equipoise.core.errors import SpecError
    from equipoise.study.zhang2026.ensemble import members

    every = members()
    if count is None:
        return every
    if count > len(every):
        raise SpecError(
            f"{count} draws asked for, there are {len(every)}",
            where="--draws",
            remedy="give fewer, or leave it out for all",
        )
    last = len(every) - 1
    return tuple(every[round(i * last / (count - 1))] for i in range(count))


def _written(found: Reproduction, out: Path, figures: bool, draws: int | None) -> Path:
    import shlex

    from equipoise.cli.output import echo_progress
    from equipoise.report.reproduction import write_reproduction

    words = ["equipoise", "reproduce", PAPERS[0], "--out", shlex.quote(str(out))]
    words += [] if draws is None else ["--draws", str(draws)]
    words += [] if figures else ["--no-figures"]
    done = write_reproduction(
        found,
        out,
        figures=figures,
        command=" ".join(words),
        progress=echo_progress,
    )
    return done.report


def _say(found: Reproduction, report: Path | None, as_json: bool) -> None:
    from equipoise import __version__
    from equipoise.cli.output import echo_json
    from equipoise.report.reproduction_rows import (
        by_role,
        reproduction_json,
        summaries,
    )

    if as_json:
        path = None if report is None else str(report)
        echo_json(reproduction_json(found, report=path, version=__version__))
        return
    for role, rows in by_role(found.rows).items():
        _print_rows(role, rows)
    for line in summaries(found.rows):
        typer.echo(line)
    typer.echo(f"draws: {len(found.predictions)}")
    if report is not None:
        typer.echo(f"report: {report.resolve()}")


def _print_rows(role: str, rows: Sequence[Row]) -> None:
    """One table per role; condition and quantity fold where there is no room."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from equipoise.report.reproduction_rows import MEANING, condensed, row_text

    width = None if sys.stdout.isatty() else WIDE
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    shown = condensed(rows)
    few = len(shown) < len(rows)
    table = Table(
        title=f"{role}: {MEANING[role]}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption="P2: every 500th cycle; all with --json or --out" if few else None,
        caption_justify="left",
    )
    table.add_column("row", no_wrap=True)
    table.add_column("cell", no_wrap=True)
    table.add_column("condition: quantity", overflow="fold", min_width=12)
    table.add_column("printed", justify="right", overflow="fold", max_width=12)
    table.add_column("computed", justify="right", no_wrap=True)
    table.add_column("90 % interval", justify="right", no_wrap=True)
    roomy = console.width >= ROOMY  # else the title alone tells the role
    for name in ("unit", *(("role",) if roomy else ()), "within"):
        table.add_column(name, no_wrap=True)
    for row in shown:
        t = row_text(row)
        what = f"{t.condition}: {t.quantity}"
        kind = (t.role,) if roomy else ()
        values = (t.printed, t.computed, t.interval, t.unit, *kind, t.within)
        table.add_row(t.id, t.config, what, *values)
    console.print(table)
