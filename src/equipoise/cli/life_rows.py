"""What `equipoise life` prints and writes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from equipoise.ageing.ageing import Ageing
    from equipoise.sim.life.ledger import Ledger
    from equipoise.sim.life.life import EndOfLife, Life
    from equipoise.sim.life.sensitivity import Sensitivities
    from equipoise.sim.simulate import Run

DISCHARGE = "discharging_capacity_mah_per_g_positive"
QUANTITIES = {
    DISCHARGE: ("discharge", ".1f"),
    "charging_capacity_mah_per_g_positive": ("charge", ".1f"),
    "coulombic_efficiency": ("Coulombic efficiency", ".5f"),
    "mean_discharging_voltage_volt": ("mean discharge voltage", ".3f"),
    "upper_potential_vs_li_volt": ("upper potential (UP), positive", ".4f"),
    "negative_end_of_charge_potential_vs_li_volt": ("negative, end of charge", ".4f"),
    "h2h3_usage_mah_per_g_positive": ("charge above the H2-H3 onset", ".1f"),
    "volume_swing_percent": ("volume swing of the positive", ".2f"),
    "positive_active_fraction": ("positive, active", ".4f"),
    "positive_contact_fraction": ("positive, contact", ".4f"),
    "positive_film_growth_ohm_cm2": ("positive, growth of the film", ".2f"),
    "negative_active_fraction": ("negative, active", ".4f"),
    "slippage_mah_per_g_positive": ("lithium gained by side reactions", ".2f"),
    "isolated_lithium_mah_per_g_positive": ("lithium isolated", ".2f"),
}
"""Columns of the cycles that are printed of the first and the last one."""

LEAST_IN_COMMON = 10
"""Cycles of the last block that two tests share, if one is the other cut shorter."""
LEDGER_COLUMNS = {
    "loss_mah_per_g_positive": "loss",
    "lowest_mah_per_g_positive": "at\nleast",
    "highest_mah_per_g_positive": "at\nmost",
    "repaired_alone_mah_per_g_positive": "repaired\nalone",
    "acting_alone_mah_per_g_positive": "acting\nalone",
}
RESERVE_ROWS = {
    "loss_mah_per_g_positive": "all causes",
    "endless_loss_mah_per_g_positive": "the same with an endless negative",
    "given_back_mah_per_g_positive": "given back by the reserve",
    "reserve_at_first_mah_per_g_positive": "reserve without wear",
    "reserve_gone_unused_mah_per_g_positive": "gone with the isolated particles",
    "reserve_left_mah_per_g_positive": "reserve left",
}


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A life and what was computed from it.

    `interrupted` is also true if only what follows the life was cut short; `cut_short`
    says then what that was.
    """

    life: Life
    level_retention: float
    ledger: Ledger | None
    sensitivities: Sensitivities | None
    interrupted: bool
    cut_short: str = ""

    @property
    def cycle_life(self) -> EndOfLife:
        """At the level that was asked for."""
        return self.life.cycle_life(self.level_retention)

    @property
    def status(self) -> str:
        """OK, INTERRUPTED, or why the solver gave up."""
        return "INTERRUPTED" if self.interrupted else str(self.life.status)


def as_run(life: Life) -> Run:
    """The solved cycles of a life as a run: for its notes, roles and files."""
    from equipoise.sim.notes import notes_of, notes_of_spectra
    from equipoise.sim.simulate import Run

    return Run(
        cell=life.cell,
        program=replace(life.program, name=_shipped_name(life)),
        lowered=life.lowered,
        model=life.model,
        mesh=life.mesh,
        stepping=life.stepping,
        results=life.results,
        samples=life.samples,
        status=life.status,
        interrupted=life.interrupted,
        substeps_count=life.substeps_count,
        wall_second=life.wall_second,
        notes=(
            *notes_of(life.results, life.program, life.lowered),
            *notes_of_spectra(life.impedances),
        ),
        impedances=life.impedances,
    )


def _shipped_name(life: Life) -> str:
    """The shipped protocol that a test is, but for the number of its last cycles.

    Only those with calibrated columns are compared, so that a calibrated number is not
    called predicted because its test was described by options.
    """
    from equipoise.io.protocols import load_protocol
    from equipoise.protocol import named
    from equipoise.protocol.expand import expand
    from equipoise.sim.simulate import context

    runs = life.cell.spec.origin.runs
    for name in () if runs is None else runs.columns:
        if name not in named.names():
            continue
        other = expand(load_protocol(name), context(life.cell, life.lowered))
        both = min(other.steps.shape[0], life.program.steps.shape[0])
        equal = (other.steps[:both] == life.program.steps[:both]).all()
        if equal and other.cycle_count >= _last_block(life) + LEAST_IN_COMMON:
            return name
    return life.program.name


def _last_block(life: Life) -> int:
    """Cycles of a test before its last run of equal ones."""
    import numpy as np

    kinds = life.blocks.kinds
    other = np.flatnonzero(kinds != kinds[-1])
    return int(other[-1]) + 1 if other.size else 0


def life_roles(life: Life) -> dict[str, str]:
    """Role of every column of the cycles: input, calibrated or predicted.

    Calibrated is what the bundled rates and the bundled ageing were made to meet, in
    the same test of the same cell; see `[origin.runs]` of its file.
    """
    from equipoise.core.errors import SpecError
    from equipoise.io.ageing import ageing_of
    from equipoise.sim.origin import roles

    found = roles(as_run(life))
    try:
        own = ageing_of(life.cell) == life.ageing
    except SpecError:
        own = False
    if not own:
        found = {k: "input" if v == "input" else "predicted" for k, v in found.items()}
    inputs = ("is_ageing_cycle", "is_settled")
    more = {n: "input" if n in inputs else "predicted" for n in life.cycles.columns}
    return more | found


def evidence_of_ageing(ageing: Ageing) -> dict[str, int]:
    """How many numbers of the mechanisms are assumed, calibrated, ...; most first."""
    from equipoise.spec.provenance import Sourced

    given = [
        getattr(m, key) for m in ageing.mechanisms for key in sorted(m.model_fields_set)
    ]
    kinds = [str(v.evidence) for v in given if isinstance(v, Sourced)]
    return dict(Counter(kinds).most_common())


def say(answer: Answer, files: list[Path], *, as_json: bool) -> None:
    """Print an answer: notes on stderr, tables or one JSON object on stdout."""
    from equipoise.cli.output import echo_json
    from equipoise.sim.origin import notes

    told = list(notes(as_run(answer.life)))
    for note in told:
        typer.echo(f"note: {note}", err=True)
    if as_json:
        echo_json(_content(answer, told) | {"files": [str(f) for f in files]})
        return
    _print_life(answer)
    _print_ledger(answer)
    _print_sensitivities(answer)
    for caveat in answer.life.ageing.caveats:
        typer.echo(f"caveat: {caveat}")
    for file in files:
        typer.echo(f"written: {file}")


def _content(answer: Answer, notes: list[str]) -> dict[str, Any]:
    from equipoise.sim.impedance.table import impedance_summary
    from equipoise.sim.origin import evidence_of_rates

    life, lived = answer.life, answer.cycle_life
    found = answer.sensitivities
    return {
        "cell": life.name,
        "protocol": life.program.name,
        "model": life.model,
        "ageing": life.ageing.name,
        "status": answer.status,
        "finished": not answer.interrupted and not life.status,
        "level_retention": lived.level_retention,
        "cycle_life": None if lived.censored else lived.cycle_count,
        "censored": lived.censored,
        "ran": lived.cycle_count if lived.censored else None,
        "reference_cycle": life.reference_cycle,
        "last_cycle": life.last_cycle,
        "solved_count": life.solved_count,
        "cycles": life.cycles.to_dicts(),
        "ledger": _ledger_content(answer.ledger),
        "sensitivities": None if found is None else found.table.to_dicts(),
        "spectra": impedance_summary(life.impedances),
        "roles": life_roles(life),
        "evidence_of_rates": evidence_of_rates(as_run(life)),
        "evidence_of_ageing": evidence_of_ageing(life.ageing),
        "caveats": list(life.ageing.caveats),
        "notes": notes,
        "seconds": life.wall_second,
    }


def _ledger_content(ledger: Ledger | None) -> dict[str, Any] | None:
    if ledger is None:
        return None
    return {
        "reference_mah_per_g_positive": ledger.reference_mah_per_g_positive,
        "interrupted": ledger.interrupted,
        "causes": ledger.table.to_dicts(),
        "reserve": ledger.reserve.to_dicts(),
        "o_to_f": ledger.o_to_f.to_dicts(),
    }


def _ends(life: Life) -> list[dict[str, Any]]:
    """First and last cycle of the ageing kind; empty if none was finished."""
    table = life.cycles
    rows = table.filter(table["is_ageing_cycle"] & table["is_settled"])
    if not rows.height:
        return []
    return [rows.row(0, named=True), rows.row(-1, named=True)]


def _print_life(answer: Answer) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.core.units import unit_symbol

    life, ends = answer.life, _ends(answer.life)
    role = life_roles(life)
    jumped = life.last_cycle - life.solved_count
    title = (
        f"{life.name}, {life.program.name}: {life.last_cycle} of "
        f"{life.program.cycle_count} cycles"
        f"{f' ({life.solved_count} solved)' if jumped else ''}, {life.model} model"
    )
    header = ("", *(f"cycle {e['cycle_count']}" for e in ends), "unit", "role")
    rows = [
        (label, *(_text(e[key], form) for e in ends), unit_symbol(key), role[key])
        for key, (label, form) in QUANTITIES.items()
    ]
    if ends:
        echo_table(title, header, rows, note=_caption(life), folds_last=True)
    else:
        typer.echo(title)
    typer.echo(_life_line(answer, role[DISCHARGE]))
    if answer.status != "OK":
        more = f" ({answer.cut_short})" if answer.cut_short else ""
        typer.echo(f"status: {answer.status}{more}")


def _text(value: float, form: str) -> str:
    return "-" if value != value else format(value, form)


def _caption(life: Life) -> str:
    from equipoise.sim.origin import evidence_of_rates

    told = [
        f"{name} {', '.join(f'{n} {e}' for e, n in found.items())}"
        for name, found in (
            ("numbers of the ageing:", evidence_of_ageing(life.ageing)),
            ("rates:", evidence_of_rates(as_run(life))),
        )
        if found
    ]
    return "; ".join(
        ["per g of positive active material as built; potentials vs Li+/Li", *told]
    )


def _life_line(answer: Answer, role: str) -> str:
    life, lived = answer.life, answer.cycle_life
    ends = _ends(life)
    if not ends:
        return "cycle life: unknown, no cycle of the test is finished"
    if lived.cycle_count != lived.cycle_count:
        return "cycle life: unknown, no cycle of the test discharged"
    more = "> " if lived.censored else ""
    return (
        f"cycle life: {more}{lived.cycle_count:.0f} cycles to "
        f"{100 * lived.level_retention:g} % of cycle {life.reference_cycle} "
        f"({ends[0][DISCHARGE]:.1f} mAh/g); {role}, ageing {life.ageing.name!r}"
    )


def _print_ledger(answer: Answer) -> None:
    """What was lost to which cause in the last state, and what was given back."""
    from equipoise.cli.output import echo_table

    ledger = answer.ledger
    if ledger is None or not ledger.states:
        return
    reserve = ledger.reserve.row(-1, named=True)
    cycle = reserve["cycle_count"]
    table = ledger.table
    shares = table.filter(table["cycle_count"] == cycle).to_dicts()
    rows = [
        (row["cause"], *(_text(row[key], ".2f") for key in LEDGER_COLUMNS))
        for row in shares
    ]
    empty = ("",) * (len(LEDGER_COLUMNS) - 1)
    rows += [
        (label, _text(reserve[key], ".2f"), *empty)
        for key, label in RESERVE_ROWS.items()
    ]
    share = _text(reserve["compensation_fraction"], ".3f")
    rows.append(("compensation fraction", share, *empty))
    echo_table(
        f"discharge lost until cycle {cycle}, mAh/g",
        ("cause", *LEDGER_COLUMNS.values()),
        rows,
        note="discharge of the settled cell without a cause less that with it; loss: "
        "mean over all orders of repair; predicted",
    )


def _print_sensitivities(answer: Answer) -> None:
    from equipoise.cli.output import echo_table
    from equipoise.core.units import words

    found = answer.sensitivities
    if found is None:
        return
    percent = f"{100 * found.change_fraction:.0f} %"
    rows = [
        (
            f"{r.kind}, {r.place}:\n  {words(r.strength)}",
            *_life_and_change(r.weaker, r.change_fraction(r.weaker)),
            *_life_and_change(r.stronger, r.change_fraction(r.stronger)),
        )
        for r in found.rows
    ]
    header = ("mechanism", f"-{percent}", "change", f"+{percent}", "change")
    echo_table(
        "cycle life with one mechanism weaker or stronger; as it is: "
        f"{_count(found.reference)}",
        header,
        rows,
    )


def _count(found: EndOfLife) -> str:
    return f"{'> ' if found.censored else ''}{found.cycle_count:.0f}"


def _life_and_change(found: EndOfLife, change: float) -> tuple[str, str]:
    if change != change:
        return _count(found), "-"
    return _count(found), f"{'> ' if found.censored else ''}{100 * change:+.1f} %"


def write(answer: Answer, folder: Path, *, form: str, figures: bool) -> list[Path]:
    """Write cycles, steps, trace, spectra, ledger and sensitivities, and figures.

    Parameters
    ----------
    form
        "parquet" or "csv".

    Raises
    ------
    StoreError
        If the folder or a file cannot be written.
    """
    from equipoise.core.files import output_folder, write_atomic
    from equipoise.io.bdf import metadata_path, table_bytes, write_bdf
    from equipoise.io.spectra.write import write_spectra

    run, target = as_run(answer.life), output_folder(folder)
    files = [
        write_atomic(target / f"{name}.{form}", table_bytes(table, form))
        for name, table in _tables(answer, run).items()
    ]
    path = target / f"trace.bdf.{form}"
    write_bdf(run.trace, path, metadata=_metadata(answer, run))
    files += [path, metadata_path(path)]
    if run.impedances:
        files.append(write_spectra(run.spectra, target / f"spectra.{form}"))
    return files + (_figures(answer, target / "figures") if figures else [])


def _tables(answer: Answer, run: Run) -> dict[str, pl.DataFrame]:
    found = {"cycles": answer.life.cycles, "steps": answer.life.steps}
    if run.impedances:
        found["impedances"] = run.impedance_rows
    if answer.ledger is not None:
        found["ledger"] = answer.ledger.table
        found["reserve"] = answer.ledger.reserve
    if answer.sensitivities is not None and answer.sensitivities.rows:
        found["sensitivities"] = answer.sensitivities.table
    return found


def _metadata(answer: Answer, run: Run) -> dict[str, object]:
    """What a reader of the tables has to know."""
    from equipoise.cli.output import finite
    from equipoise.report.run_files import run_metadata

    life, lived = answer.life, answer.cycle_life
    more = {
        "kind": "simulated life",
        "protocol": life.program.name,
        "roles": life_roles(life),
        "jump": None if life.jump is None else life.jump.model_dump(),
        "solved_count": life.solved_count,
        "last_cycle": life.last_cycle,
        "reference_cycle": life.reference_cycle,
        "level_retention": lived.level_retention,
        "cycle_life": None if lived.censored else lived.cycle_count,
        "censored": lived.censored,
        "ageing": life.ageing.model_dump(mode="json", exclude_none=True),
    }
    found = finite(run_metadata(run) | more)
    assert isinstance(found, dict)
    return found


def _figures(answer: Answer, folder: Path) -> list[Path]:
    """Draw what there is to draw: nothing without a finished cycle."""
    from equipoise.cli.output import echo_progress
    from equipoise.viz.life_capacity import life_capacity
    from equipoise.viz.life_ledger import life_ledger
    from equipoise.viz.life_potentials import compensation_line, life_potentials
    from equipoise.viz.life_sensitivity import life_sensitivity
    from equipoise.viz.life_wear import life_wear
    from equipoise.viz.style import save_figure

    life, level = answer.life, answer.level_retention
    if not _ends(life):
        return []
    echo_progress("figures")
    name = life.name
    lives = {name: life.cycles}
    drawn = {
        "capacity": life_capacity(lives, level_retention=level),
        "potentials": life_potentials(lives),
        "wear": life_wear(lives),
    }
    ledger, scaled = answer.ledger, answer.sensitivities
    if ledger is not None and ledger.table.height:
        drawn["ledger"] = life_ledger({name: ledger.table}, {name: ledger.reserve})
        line = compensation_line({name: ledger.o_to_f}, level_retention=level)
        drawn["compensation_line"] = line
    if scaled is not None and scaled.rows and not scaled.reference.censored:
        drawn["sensitivities"] = life_sensitivity(
            {name: scaled.table}, change_fraction=scaled.change_fraction
        )
    return [f for stem, d in drawn.items() for f in save_figure(d, folder, stem)]
