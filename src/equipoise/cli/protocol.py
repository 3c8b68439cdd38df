"""``equipoise protocol``: the shipped protocols."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from equipoise.protocol.steps import AnyStep


def protocol(
    name: Annotated[
        str, typer.Argument(help="Shipped protocol, or a .toml file; none lists all.")
    ] = "",
    as_toml: Annotated[
        bool, typer.Option("--toml", help="Print the file, to start your own from.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object instead of tables.")
    ] = False,
) -> None:
    """List the shipped test protocols, or show the steps of one.

    Example: equipoise protocol rate-test --toml > my-rate-test.toml
    """
    from equipoise.cli.output import echo_json
    from equipoise.core.errors import SpecError
    from equipoise.io.protocols import load_protocol
    from equipoise.protocol import named

    if as_toml and (as_json or not name):
        raise SpecError(
            "--toml prints one protocol, without --json",
            remedy=f"for example equipoise protocol {named.names()[0]} --toml",
        )
    if not name:
        found = [load_protocol(n) for n in named.names()]
        if as_json:
            pairs = [{"name": p.name, "description": p.description} for p in found]
            echo_json({"protocols": pairs})
            return
        for p in found:
            typer.echo(f"{p.name:<26}{p.description}")
        return
    shown = load_protocol(name)
    if as_toml:
        shipped = name in named.names()
        text = named.text(name) if shipped else Path(name).read_text("utf-8")
        typer.echo(text, nl=False)
    elif as_json:
        content = shown.model_dump(exclude_none=True)
        echo_json(content | {"step_count": shown.step_count})
    else:
        typer.echo(f"{shown.name}: {shown.description}".rstrip(": "))
        for line in _step_lines(shown.steps, ""):
            typer.echo(line)
        typer.echo(f"written out: {shown.step_count} steps")


def _step_lines(steps: tuple[AnyStep, ...], prefix: str) -> list[str]:
    """One line per step, counted as in error messages: 2.1 is the first one in 2."""
    from equipoise.core.units import unit_symbol, words
    from equipoise.protocol.steps import Repeat

    lines: list[str] = []
    for i, step in enumerate(steps, start=1):
        number = f"{prefix}{i}"
        given = step.model_dump(exclude_defaults=True, exclude={"do", "steps"})
        if isinstance(step, Repeat):
            given["count"] = step.count
        said = ", ".join(
            f"{words(k)} {str(v).lower() if isinstance(v, bool) else f'{v:g}'} "
            f"{unit_symbol(k)}".rstrip()
            for k, v in given.items()
        )
        lines.append(f"{number:<6}{step.do.replace('_', ' '):<12}{said}")
        if isinstance(step, Repeat):
            lines += _step_lines(step.steps, f"{number}.")
    return lines
