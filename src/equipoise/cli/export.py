"""``equipoise export``: a cell for another simulator."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from equipoise.io.pybamm_export import BranchName


class Simulator(StrEnum):
    """Where to."""

    PYBAMM = "pybamm"


class Branch(StrEnum):
    """Which open-circuit branch of the positive."""

    DELITHIATION = "delithiation"
    LITHIATION = "lithiation"


_NAMES: dict[Branch, BranchName] = {
    Branch.DELITHIATION: "delithiation",
    Branch.LITHIATION: "lithiation",
}


def export(
    simulator: Annotated[
        str, typer.Argument(help=f"The other simulator: {', '.join(Simulator)}.")
    ],
    cell: Annotated[str, typer.Argument(help="Bundled full cell, or a .toml file.")],
    out: Annotated[
        Path | None, typer.Option(help="The Python script to write; required.")
    ] = None,
    branch: Annotated[
        Branch, typer.Option(help="Open-circuit branch of the positive.")
    ] = Branch.DELITHIATION,
    single_class: Annotated[
        bool, typer.Option("--single-class", help="Merge the particle classes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Write a cell as a script for another simulator: parameters, model, one cycle.

    Example: equipoise export pybamm zhang2026-lb --single-class --out lb.py
    """
    from equipoise.cli.output import echo_json, told_warnings
    from equipoise.io.cells import load_cell
    from equipoise.io.pybamm_export import write_pybamm

    to, script = _simulator(simulator), _script(out, simulator, cell)
    with told_warnings():
        resolved = load_cell(cell)
        done = write_pybamm(
            resolved, script, branch=_NAMES[branch], single_class=single_class
        )
    if as_json:
        echo_json(
            {
                "simulator": to.value,
                "cell": done.cell["name"],
                "script": str(script),
                "notes": list(done.notes),
            }
        )
        return
    for note in done.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"script: {script}")


def _simulator(name: str) -> Simulator:
    from equipoise.core.errors import SpecError, nearest

    known = [s.value for s in Simulator]
    if name not in known:
        raise SpecError(
            f"cells are not exported to {name!r}; {nearest(name, known)}",
            where="export",
            remedy="e.g. equipoise export pybamm zhang2026-lb --out lb.py",
        )
    return Simulator(name)


def _script(out: Path | None, simulator: str, cell: str) -> Path:
    from equipoise.core.errors import SpecError

    if out is None:
        raise SpecError(
            "--out is missing: the Python script to write",
            where="export",
            remedy=f"e.g. equipoise export {simulator} {cell} --out cell.py",
        )
    return out
