"""``equipoise life``: cycle a cell until it is worn out."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from equipoise.cli.simulate import AsJson, Figures, Form, Nodes, Shells, Tolerance
from equipoise.cli.terminal import progress_bar

if TYPE_CHECKING:
    from equipoise.ageing.ageing import Ageing
    from equipoise.cli.life_rows import Answer
    from equipoise.protocol.steps import Protocol
    from equipoise.sim.life.jumping import Jump
    from equipoise.sim.mesh import Mesh, ModelName, Stepping
    from equipoise.spec.cell import Cell

    Plan = tuple[str | None, int | None, str | None, int | None, str | None, int | None]

RATE, CHECK_UP_RATE, CYCLES = "1C", "0.1C", 2000
LEVEL = 0.8
"""Share that a cycle life belongs to if the run does not end by one."""
MODELS = ("dfn", "spm")
PLAN = (
    "--rate",
    "--cycles",
    "--before",
    "--check-up-every",
    "--check-up-rate",
    "--eis-every",
)
"""Options that describe a test, in the order of `Plan`."""
_RATE = re.compile(r"C/(?P<over>[\d.]+)|(?P<rate>[\d.]+)C?", re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,9}):(\d{1,9})(?::(\d{1,9}))?")

Rate = Annotated[
    str | None, typer.Option(help=f"Of the cycles: 1C, 0.2C or C/5. Default: {RATE}.")
]
Cycles = Annotated[
    int | None, typer.Option(min=1, help=f"At that rate. Default: {CYCLES}.")
]
Before = Annotated[
    str | None, typer.Option(help="Protocol that goes first, such as short-rate-test.")
]
CheckUpEvery = Annotated[
    int | None, typer.Option(min=1, help="A slow cycle every so many cycles.")
]
CheckUpRate = Annotated[
    str | None, typer.Option(help="Of these slow cycles. Default: 0.1C.")
]
EisEvery = Annotated[
    int | None,
    typer.Option(min=1, help="Rest 1 h and an impedance every so many cycles."),
]
ProtocolName = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        help="A whole test instead: shipped protocol, or a .toml file.",
    ),
]
Until = Annotated[
    str,
    typer.Option(help="End at this share of the first capacity; none: run it all."),
]
AgeingName = Annotated[
    str | None,
    typer.Option("--ageing", help="Library name, or a .toml file. Default: the cell's"),
]
Model = Annotated[
    str, typer.Option(help="dfn: porous electrodes; spm: one particle each.")
]
Ratio = Annotated[float | None, typer.Option("--np", help="Another n/p ratio.")]
Jumping = Annotated[
    bool,
    typer.Option("--jump/--no-jump", help="Carry slow states over alike cycles."),
]
JumpTolerance = Annotated[
    float | None,
    typer.Option(
        "--jump-tolerance-fraction",
        "--jump-tolerance",
        help="Error of the cycle life by jumps. Default: 0.005.",
    ),
]
Trace = Annotated[
    str, typer.Option(help="Cycles whose time series is kept: none, 1,2,5 or 1:900:100")
]
Sensitive = Annotated[
    bool,
    typer.Option(
        "--sensitivity", help="Also the life with each mechanism 20 % weaker, stronger."
    ),
]
WithLedger = Annotated[
    bool,
    typer.Option("--ledger/--no-ledger", help="What was lost to which cause."),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(help="File to go on from after an interruption; created if missing."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="The checkpoint must exist already.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for cycles, steps, trace.bdf with .json, figures."),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """The numbers behind the options, and what they are to be computed for."""

    cell: Cell
    protocol: Protocol
    ageing: Ageing
    model: ModelName
    mesh: Mesh
    stepping: Stepping
    jump: Jump | None
    until_retention: float | None
    traced: frozenset[int]

    @classmethod
    def of(
        cls,
        cell: Cell,
        ageing: str | None,
        protocol: Protocol,
        model: ModelName,
        resolution: tuple[Mesh, Stepping],
        jump: Jump | None,
        until: str,
        trace: str,
    ) -> Asked:
        """With the texts understood that need the others for it."""
        from equipoise.io.ageing import ageing_of, load_ageing
        from equipoise.protocol.expand import expand
        from equipoise.sim.lower import lower
        from equipoise.sim.simulate import context

        mechanisms = (
            ageing_of(cell) if ageing is None else load_ageing(ageing, where="--ageing")
        )
        mesh, stepping = resolution
        lowered = lower(cell, model=model, mesh=mesh)
        total = expand(protocol, context(cell, lowered)).cycle_count
        traced = _traced(trace, total)
        share = _until(until)
        return cls(
            cell, protocol, mechanisms, model, mesh, stepping, jump, share, traced
        )


def life(
    cell: Annotated[str, typer.Argument(help="Bundled cell, or a .toml file.")],
    rate: Rate = None,
    cycles: Cycles = None,
    before: Before = None,
    check_up_every: CheckUpEvery = None,
    check_up_rate: CheckUpRate = None,
    eis_every: EisEvery = None,
    protocol: ProtocolName = None,
    until: Until = "0.8",
    ageing: AgeingName = None,
    model: Model = "dfn",
    np: Ratio = None,
    nodes: Nodes = None,
    shells: Shells = None,
    tolerance_volt: Tolerance = None,
    jump: Jumping = True,
    jump_tolerance_fraction: JumpTolerance = None,
    trace: Trace = "none",
    ledger: WithLedger = True,
    sensitivity: Sensitive = False,
    checkpoint: Checkpoint = None,
    resume: Resume = False,
    out: Out = None,
    form: Form = "parquet",
    figures: Figures = True,
    as_json: AsJson = False,
) -> None:
    """Cycle a cell until it is worn out: cycle life, and what wore it.

    Ctrl-C ends it early; what is finished is printed and written.

    Example: equipoise life zhang2026-lb --before short-rate-test --out lb-life
    """
    from equipoise.cli.output import told_warnings

    plan = (rate, cycles, before, check_up_every, check_up_rate, eis_every)
    with told_warnings():
        asked = Asked.of(
            _cell(cell, np),
            ageing,
            _protocol(protocol, plan),
            _model(model),
            _resolution(nodes, shells, tolerance_volt),
            _jump(jump, jump_tolerance_fraction),
            until,
            trace,
        )
        writing = Writing(out, form, figures, as_json)
        _check_checkpoint(checkpoint, resume)
        writing.check()  # before minutes of computing, not after
        answer = _lived(asked, checkpoint, ledger=ledger, sensitivity=sensitivity)
        writing.done(answer)
    if answer.interrupted:
        _tell_interrupted(answer, checkpoint)
        raise typer.Exit(130)
    if answer.life.status:
        raise typer.Exit(3)


def _tell_interrupted(answer: Answer, checkpoint: Path | None) -> None:
    """What is there, and how to get the rest."""
    written = checkpoint is not None and checkpoint.is_file()
    more = f"; go on with --checkpoint {checkpoint}" if written else ""
    if answer.cut_short:
        kept = f"{answer.cut_short}; the life itself is finished and kept"
    else:
        kept = "interrupted; finished cycles are kept"
    typer.echo(f"equipoise: {kept}{more}", err=True)


@dataclass(frozen=True, slots=True)
class Writing:
    """Where an answer goes."""

    out: Path | None
    form: str
    figures: bool
    as_json: bool

    def check(self) -> None:
        """Refuse what cannot be written."""
        from equipoise.core.files import output_folder
        from equipoise.io.bdf import FORMS

        _one_of(self.form, FORMS, "--format")
        if self.out is not None:
            output_folder(self.out)

    def done(self, answer: Answer) -> None:
        """Write and print it."""
        from equipoise.cli.life_rows import say, write

        files: list[Path] = []
        try:
            if self.out is not None:
                files += write(answer, self.out, form=self.form, figures=self.figures)
        finally:  # a full disk does not take the answer away
            say(answer, files, as_json=self.as_json)


def _lived(
    asked: Asked, checkpoint: Path | None, *, ledger: bool, sensitivity: bool
) -> Answer:
    """The life, and what is computed from it."""
    from equipoise.cli.life_rows import Answer
    from equipoise.sim.life.life import life as run_life

    with progress_bar(f"{asked.protocol.name}, cycles") as told:
        found = run_life(
            asked.cell,
            asked.protocol,
            asked.ageing,
            model=asked.model,
            mesh=asked.mesh,
            stepping=asked.stepping,
            jump=asked.jump,
            until_retention=asked.until_retention,
            trace=asked.traced or "none",
            checkpoint=checkpoint,
            progress=told,
            strict=False,
        )
    level = asked.until_retention or LEVEL
    answer = Answer(found, level, None, None, found.interrupted)
    if found.interrupted or found.status:
        return answer
    if ledger:
        answer = _with_ledger(answer)
    if sensitivity and not answer.interrupted:
        answer = _with_sensitivities(answer, asked)
    return answer


def _with_ledger(answer: Answer) -> Answer:
    """And its ledger; of an interrupted one the states that are finished."""
    from equipoise.sim.life.ledger import ledger_so_far

    count, books = len(answer.life.states), None
    try:  # between the lines, too: the life itself is there
        with progress_bar("ledger, states", count) as told:
            books = ledger_so_far(answer.life, progress=told)
    except KeyboardInterrupt:
        pass
    if books is not None and not books.interrupted:
        return replace(answer, ledger=books)
    done = 0 if books is None else len(books.states)
    return replace(
        answer,
        ledger=books if done else None,
        interrupted=True,
        cut_short=f"the ledger was interrupted after {done} of {count} states",
    )


def _with_sensitivities(answer: Answer, asked: Asked) -> Answer:
    """And its sensitivities; of interrupted ones the mechanisms that are finished."""
    from equipoise.sim.life.sensitivity import life_sensitivities

    count, scaled = len(asked.ageing.mechanisms), None
    try:
        with progress_bar("sensitivities, lives") as told:
            scaled = life_sensitivities(
                asked.cell,
                asked.protocol,
                asked.ageing,
                level_retention=answer.level_retention,
                model=asked.model,
                mesh=asked.mesh,
                stepping=asked.stepping,
                progress=told,
            )
    except KeyboardInterrupt:
        pass
    if scaled is not None and not scaled.interrupted:
        return replace(answer, sensitivities=scaled)
    done = 0 if scaled is None else len(scaled.rows)
    return replace(
        answer,
        sensitivities=scaled,
        interrupted=True,
        cut_short="the sensitivities were interrupted after "
        f"{done} of {count} mechanisms",
    )


def _cell(name: str, np_ratio: float | None) -> Cell:
    from equipoise.core.errors import SpecError
    from equipoise.io.cells import is_half_cell, load_cell

    if is_half_cell(name):
        raise SpecError(
            f"{name!r} is a half cell; a life needs both electrodes",
            remedy="name a full cell, e.g. zhang2026-lb",
        )
    cell = load_cell(name)
    return cell if np_ratio is None else cell.with_np_ratio(np_ratio)


def _protocol(name: str | None, plan: Plan) -> Protocol:
    """A protocol by name, or the one that the other options describe."""
    from equipoise.cli.remedies import told_in_options
    from equipoise.core.errors import SpecError
    from equipoise.io.protocols import load_protocol
    from equipoise.sim.life.plan import life_protocol

    if name is not None:
        wrong = [o for o, v in zip(PLAN, plan, strict=True) if v is not None]
        if wrong:
            raise SpecError(
                f"--protocol is a whole test; it goes without {', '.join(wrong)}",
                remedy="leave one of them out",
            )
        return load_protocol(name)
    rate, cycles, before, check_up_every, check_up_rate, eis_every = plan
    if check_up_rate is not None and check_up_every is None:
        raise SpecError(
            "a rate of check-ups is given, but not how often they are",
            where="--check-up-rate",
            remedy="add --check-up-every 100, or leave it out",
        )
    words = {o.removeprefix("--").replace("-", "_"): o for o in PLAN}
    with told_in_options(words):
        return life_protocol(
            rate=_rate(RATE if rate is None else rate, "--rate"),
            cycles=CYCLES if cycles is None else cycles,
            before=None if before is None else load_protocol(before),
            check_up_every=check_up_every,
            check_up_rate=_rate(check_up_rate or CHECK_UP_RATE, "--check-up-rate"),
            eis_every=eis_every,
        )


def _rate(text: str, option: str) -> float:
    """1C, 0.2C, C/5 or a bare number."""
    from equipoise.core.errors import SpecError

    found = _RATE.fullmatch(text.strip())
    try:
        if found is not None:
            over = found["over"]
            return float(found["rate"]) if over is None else 1.0 / float(over)
    except (ValueError, ZeroDivisionError):
        pass
    raise SpecError(
        f"{text!r} is no C-rate", where=option, remedy="write 1C, 0.2C or C/5"
    )


def _model(name: str) -> ModelName:
    _one_of(name, MODELS, "--model")
    return cast("ModelName", name)


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


def _jump(wanted: bool, tolerance_fraction: float | None) -> Jump | None:
    from equipoise.core.errors import SpecError
    from equipoise.sim.life.jumping import Jump
    from equipoise.spec.validation import validated

    if not wanted and tolerance_fraction is not None:
        raise SpecError(
            "--no-jump solves every cycle; a tolerance of jumps has no meaning then",
            where="--jump-tolerance-fraction",
            remedy="leave one of them out",
        )
    if not wanted:
        return None
    given = (
        {} if tolerance_fraction is None else {"tolerance_fraction": tolerance_fraction}
    )
    return validated(Jump, given, where="--jump-tolerance-fraction")


def _until(text: str) -> float | None:
    from equipoise.core.errors import SpecError

    if text.strip().lower() == "none":
        return None
    try:
        share = float(text)
    except ValueError:
        share = float("nan")
    if not 0.0 < share < 1.0:
        percent = f"; did you mean {share / 100:g}?" if 1.0 < share < 100.0 else ""
        raise SpecError(
            f"{text!r} is no share of the capacity between 0 and 1{percent}",
            where="--until",
            remedy="give e.g. 0.8, or none to run the whole protocol",
        )
    return share


def _traced(text: str, total: int) -> frozenset[int]:
    """Which cycles to trace; refuses those that the protocol does not have."""
    from equipoise.core.errors import SpecError

    found: set[int] = set()
    for part in [] if text.strip() == "none" else text.split(","):
        span = _SPAN.fullmatch(part.strip())
        low, high, step = (
            (part.strip(), part.strip(), "1") if span is None else span.groups("1")
        )
        if not (_counts(low, total) and _counts(high, total) and int(step) > 0):
            raise SpecError(
                f"{part.strip()!r} is not among the cycles 1 to {total} of the test",
                where="--trace",
                remedy="give none, numbers, or first:last:step: --trace 1,2,1:900:100",
            )
        cycles = range(int(low), int(high) + 1, int(step))
        if not cycles:
            raise SpecError(
                f"{part.strip()!r} holds no cycle: it begins after it ends",
                where="--trace",
                remedy=f"write first:last:step, the first one first: {high}:{low}",
            )
        found |= set(cycles)
    return frozenset(found)


def _counts(text: str, total: int) -> bool:
    """Whether this is a number from 1 to `total`."""
    return text.isdecimal() and len(text) < 10 and 1 <= int(text) <= total


def _check_checkpoint(path: Path | None, resume: bool) -> None:
    from equipoise.core.errors import SpecError, StoreError
    from equipoise.sim.life.checkpoint import require_file

    if resume and path is None:
        raise SpecError(
            "--resume needs --checkpoint FILE",
            remedy="name the file that the interrupted run wrote",
        )
    if path is None:
        return
    require_file(path)
    if resume and not path.is_file():
        raise SpecError(
            "there is no such checkpoint to go on from",
            where=str(path),
            remedy="check the path, or leave --resume out to begin anew",
        )
    if not path.parent.is_dir():
        raise StoreError(
            "a checkpoint is a file in a folder that exists",
            where=str(path),
            remedy="name a file, e.g. --checkpoint lb.checkpoint",
        )


def _one_of(found: str, known: tuple[str, ...], option: str) -> None:
    from equipoise.core.errors import SpecError, nearest

    if found not in known:
        raise SpecError(
            f"{found!r} is not known", where=option, remedy=nearest(found, known)
        )
