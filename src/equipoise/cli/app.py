"""The typer application; everything heavy is imported inside the commands."""

from __future__ import annotations

from typing import Annotated

import typer

from equipoise import __version__
from equipoise.cli.compare import compare
from equipoise.cli.curve import curve
from equipoise.cli.cycles import cycles
from equipoise.cli.demo import demo
from equipoise.cli.design import design
from equipoise.cli.dqdv import dqdv
from equipoise.cli.eis import eis
from equipoise.cli.export import export
from equipoise.cli.library import library
from equipoise.cli.life import life
from equipoise.cli.protocol import protocol
from equipoise.cli.read import read
from equipoise.cli.reproduce import reproduce
from equipoise.cli.simulate import simulate
from equipoise.cli.store import app as store
from equipoise.cli.tlm import tlm

app = typer.Typer(
    name="equipoise",
    help="Design, predict and diagnose capacity-balanced solid-state batteries.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: 70 ms less
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    demo,
    design,
    simulate,
    life,
    reproduce,
    read,
    cycles,
    dqdv,
    eis,
    tlm,
    compare,
    protocol,
    curve,
    export,
    library,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(store)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"equipoise {__version__}")
        raise typer.Exit


@app.callback()
def _main(  # pyright: ignore[reportUnusedFunction]
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Version."),
    ] = False,
) -> None:
    """Design, predict and diagnose capacity-balanced solid-state batteries."""
    del version
