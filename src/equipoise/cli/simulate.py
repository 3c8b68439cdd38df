"""``equipoise simulate`` and ``equipoise protocol``: run a test, or look at one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from equipoise.cli.terminal import progress_bar

if TYPE_CHECKING:
    from equipoise.protocol.steps import Protocol
    from equipoise.sim.mesh import Mesh, ModelName, Stepping
    from equipoise.sim.simulate import Run, Traced
    from equipoise.spec.cell import Cell
    from equipoise.spec.half_cell_spec import HalfCellSetup

MOST_ROWS = 20
"""Of the printed table; of more cycles the first and the last are shown."""
TRACE_ALL_UP_TO = 50
"""Cycles of a protocol whose whole time series is kept unless asked otherwise."""

COLUMNS = {  # 79 wide: a narrower terminal would cut numbers
    "cycle_count": ("cycle", ".0f"),
    "charge_c_rate": ("C-rate", ".3g"),
    "charging_capacity_mah_per_g_positive": ("charge\nmAh g⁻¹", ".2f"),
    "discharging_capacity_mah_per_g_positive": ("discharge\nmAh g⁻¹", ".2f"),
    "coulombic_efficiency": ("CE", ".4f"),
    "mean_discharging_voltage_volt": ("mean\nV", ".3f"),
    "upper_potential_vs_li_volt": ("UP\nV", ".4f"),
    "negative_end_of_charge_potential_vs_li_volt": ("negative\nV", ".4f"),
}
HALF_CELL_COLUMNS = {
    **{k: v for k, v in COLUMNS.items() if not k.endswith("_vs_li_volt")},
    "upper_potential_vs_li_volt": ("upper\nV", ".4f"),
    "lower_potential_vs_li_volt": ("lower\nV", ".4f"),
}


CellName = Annotated[
    str, typer.Argument(help="Bundled cell or half cell, or a .toml file.")
]
ProtocolName = Annotated[str, typer.Argument(help="Shipped protocol, or a .toml file.")]
Model = Annotated[
    str,
    typer.Option(
        help="dfn: porous electrodes; spm: one particle each; "
        "quasi-static: no resistance."
    ),
]
Ratio = Annotated[
    float | None, typer.Option("--np", help="Another n/p ratio (full cell).")
]
Nodes = Annotated[
    int | None,
    typer.Option(min=1, max=400, help="Through each electrode. Default: 20."),
]
Shells = Annotated[
    int | None, typer.Option(min=1, max=400, help="In each particle. Default: 20.")
]
Tolerance = Annotated[
    float | None,
    typer.Option(
        "--tolerance-volt",
        "--tolerance",
        help="Local error of both potentials. Default: 0.001.",
    ),
]
Trace = Annotated[
    str,
    typer.Option(
        help="Cycles whose time series is kept: all, none or 1,2,5. Default: all of a "
        f"protocol with at most {TRACE_ALL_UP_TO} cycles, else the first and the last."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="Folder for cycles, steps, trace.bdf with .json, spectra, figures."
    ),
]
Form = Annotated[str, typer.Option("--format", help="With --out: parquet or csv.")]
Figures = Annotated[
    bool,
    typer.Option(
        "--figures/--no-figures",
        "--figure/--no-figure",
        help="With --out: draw figures.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def simulate(
    cell: CellName,
    protocol: ProtocolName,
    model: Model = "dfn",
    np: Ratio = None,
    nodes: Nodes = None,
    shells: Shells = None,
    tolerance_volt: Tolerance = None,
    trace: Trace = "",
    out: Out = None,
    form: Form = "parquet",
    figures: Figures = True,
    as_json: AsJson = False,
) -> None:
    """Run a test protocol on a cell, electrode by electrode.

    Ctrl-C ends it early; what is finished is printed and written.

    Example: equipoise simulate zhang2026-lb rate-test --out lb-rates
    """
    from equipoise.cli.output import told_warnings
    from equipoise.core.files import output_folder
    from equipoise.io.bdf import FORMS
    from equipoise.io.protocols import load_protocol
    from equipoise.sim.origin import outcome
    from equipoise.sim.simulate import MODELS
    from equipoise.sim.simulate import simulate as run_simulation

    with told_warnings():
        _one_of(model, MODELS, "--model")
        chosen = cast("ModelName", model)
        _one_of(form, FORMS, "--format")
        resolved = _loaded(cell, np)
        steps = load_protocol(protocol)
        mesh, stepping = _resolution(nodes, shells, tolerance_volt)
        traced = _traced(trace, resolved, steps, chosen, mesh)
        if out is not None:
            output_folder(out)  # before hours of computing, not after
        with progress_bar(f"{steps.name}, cycles") as told:
            run = run_simulation(
                resolved,
                steps,
                model=chosen,
                mesh=mesh,
                stepping=stepping,
                trace=traced,
                progress=told,
                strict=False,
            )
        files: list[Path] = []
        try:
            if out is not None:
                files += _written(run, out, form, figures)
        finally:  # a full disk does not take the answer away
            _say(run, files, as_json)
    if run.interrupted:
        typer.echo("equipoise: interrupted; finished cycles are kept", err=True)
        raise typer.Exit(130)
    if outcome(run) != "OK":
        raise typer.Exit(3)


def _resolution(
    nodes: int | None, shells: int | None, tolerance_volt: float | None
) -> tuple[Mesh, Stepping]:
    """What was asked for; the library has the defaults of what was not."""
    from equipoise.sim.mesh import Mesh, Stepping
    from equipoise.spec.validation import validated

    mesh = {
        "positive_nodes_count": nodes,
        "negative_nodes_count": nodes,
        "shells_count": shells,
    }
    given = {k: v for k, v in mesh.items() if v is not None}
    stepping = {} if tolerance_volt is None else {"tolerance_volt": tolerance_volt}
    return (
        validated(Mesh, given, where="--nodes, --shells"),
        validated(Stepping, stepping, where="--tolerance-volt"),
    )


def _one_of(found: str, known: tuple[str, ...], option: str) -> None:
    from equipoise.core.errors import SpecError, nearest

    if found not in known:
        raise SpecError(
            f"{found!r} is not known", where=option, remedy=nearest(found, known)
        )


def _loaded(name: str, np_ratio: float | None) -> Cell | HalfCellSetup:
    from equipoise.core.errors import SpecError
    from equipoise.io.cells import is_half_cell, load_cell, load_half_cell_setup

    if not is_half_cell(name):
        cell = load_cell(name)
        return cell if np_ratio is None else cell.with_np_ratio(np_ratio)
    if np_ratio is not None:
        raise SpecError(
            f"{name!r} is a half cell, for which --np has no meaning",
            remedy="leave --np out, or name a full cell",
        )
    return load_half_cell_setup(name)


def _traced(
    text: str,
    cell: Cell | HalfCellSetup,
    protocol: Protocol,
    model: ModelName,
    mesh: Mesh,
) -> Traced | set[int]:
    """Which cycles to trace; refuses those that the protocol does not have."""
    from equipoise.core.errors import SpecError
    from equipoise.protocol.expand import expand
    from equipoise.sim.lower import lower
    from equipoise.sim.simulate import context

    lowered = lower(cell, model=model, mesh=mesh)
    total = expand(protocol, context(cell, lowered)).cycle_count
    if text == "none":
        return "none"
    if text == "all" or (not text and total <= TRACE_ALL_UP_TO):
        return "all"
    if not text:
        return {1, total}
    parts = [p.strip() for p in text.split(",")]
    wrong = [p for p in parts if not _counts(p, total)]
    if wrong:
        raise SpecError(
            f"{wrong[0]!r} is not a cycle of {protocol.name!r}, which has {total}",
            where="--trace",
            remedy="give all, none, or numbers of cycles: --trace 1,2,5",
        )
    return {int(p) for p in parts}


def _counts(text: str, total: int) -> bool:
    """Whether this is a number from 1 to `total`."""
    return text.isdecimal() and len(text) < 10 and 1 <= int(text) <= total


def _written(run: Run, folder: Path, form: str, figures: bool) -> list[Path]:
    from equipoise.report.run_files import write_run

    files = write_run(run, folder, form=form)
    return files + _figures(run, folder / "figures") if figures else files


def _figures(run: Run, folder: Path) -> list[Path]:
    """Draw what there is to draw: nothing without a finished step or a trace."""
    from equipoise.cli.output import echo_progress
    from equipoise.viz import simulation as viz
    from equipoise.viz.style import save_figure

    if not run.results.shape[0]:
        return []
    echo_progress("figures")
    drawn = {"rate_capability": viz.rate_capability([run])}
    if run.trace.height:
        drawn["voltage_profiles"] = viz.voltage_profiles([run])
        drawn["three_electrode"] = viz.three_electrode([run])
    return [f for stem, d in drawn.items() for f in save_figure(d, folder, stem)]


def _say(run: Run, files: list[Path], as_json: bool) -> None:
    from equipoise.cli.output import echo_json
    from equipoise.sim.impedance.table import impedance_summary
    from equipoise.sim.origin import evidence_of_rates, notes, outcome, roles

    for note in notes(run):
        typer.echo(f"note: {note}", err=True)
    if not as_json:
        _print_cycles(run)
        for found in run.spectra:
            f, z = found.frequency_hertz, found.impedance_ohm.real
            typer.echo(
                f"spectrum: {found.name}; {z[0]:.2f} ohm at {f[0]:g} Hz, "
                f"{z[-1]:.2f} ohm at {f[-1]:g} Hz"
            )
        for file in files:
            typer.echo(f"written: {file}")
        return
    echo_json(
        {
            "cell": run.name,
            "protocol": run.program.name,
            "model": run.model,
            "finished": run.finished,
            "status": outcome(run),
            "cycles": run.cycles.to_dicts(),
            "spectra": impedance_summary(run.impedances),
            "roles": roles(run),
            "evidence_of_rates": evidence_of_rates(run),
            "notes": list(notes(run)),
            "seconds": run.wall_second,
            "files": [str(f) for f in files],
        }
    )


def _print_cycles(run: Run) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.spec.half_cell_spec import HalfCellSetup

    half = isinstance(run.cell, HalfCellSetup)
    columns = HALF_CELL_COLUMNS if half else COLUMNS
    rows = [_row(row, columns) for row in run.cycles.to_dicts()]
    if len(rows) > MOST_ROWS:
        middle = ("...",) * len(columns)
        rows = [*rows[: MOST_ROWS // 2], middle, *rows[1 - MOST_ROWS // 2 :]]
    title = (
        f"{run.name}, {run.program.name}: {run.cycles.height} of "
        f"{run.program.cycle_count} cycles, {run.model} model"
    )
    echo_table(title, [c[0] for c in columns.values()], rows, note=_caption(run, half))


def _row(row: dict[str, float], columns: dict[str, tuple[str, str]]) -> tuple[str, ...]:
    """Texts of one cycle; "0.2/1" is a charge at 0.2C and a discharge at 1C."""

    def text(key: str) -> str:
        value = row[key]
        return "-" if value != value else format(value, columns[key][1])

    found = {key: text(key) for key in columns}
    back = row["discharge_c_rate"]
    if back == back and format(back, ".3g") != found["charge_c_rate"]:
        found["charge_c_rate"] += f"/{back:.3g}"
    return tuple(found.values())


def _caption(run: Run, half: bool) -> str:
    from equipoise.sim.origin import evidence_of_rates, roles

    of = "working" if half else "positive"
    parts = [
        f"per g of {of} active material as built; potentials vs Li+/Li",
        "mean: of the discharge",
    ]
    if not half:
        parts.append("UP and negative: at the end of charge")
    evidence = evidence_of_rates(run)
    columns = HALF_CELL_COLUMNS if half else COLUMNS
    found = [k for k, v in roles(run).items() if v == "calibrated" and k in columns]
    if found:
        shown = ", ".join(columns[k][0].split("\n")[0].strip() for k in found)
        parts.append(f"calibrated: {shown}; all else predicted")
    else:
        parts.append("all numbers predicted")
    if evidence:
        parts.append(f"rates: {', '.join(f'{n} {e}' for e, n in evidence.items())}")
    return "; ".join(parts)
