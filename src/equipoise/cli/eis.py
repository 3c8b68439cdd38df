"""``equipoise eis``: what impedance spectra say, and how well they can say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from equipoise.cli.cell_options import AsJson, Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from equipoise.analysis.eis.drt.ranges import TauRange
    from equipoise.analysis.eis.drt.settings import DrtSettings
    from equipoise.analysis.eis.drt.tails import Tail
    from equipoise.core.errors import EquipoiseError
    from equipoise.study.impedance import ImpedanceStudy
    from equipoise.study.impedance_files import LoadedSpectra

TABLE_ENDINGS = (".csv", ".parquet")

Files = Annotated[
    list[Path], typer.Argument(help="Files of spectra, of any instrument.")
]
Area = Annotated[
    float | None,
    typer.Option("--area-cm2", help="Geometric area; gives ohm cm2."),
]
Names = Annotated[
    str,
    typer.Option("--names", "--name", help="Of the spectra: HB,LB. Default: by file."),
]
Only = Annotated[
    str, typer.Option(help="Spectra of each file, from 1: 1,3 or 1:9:2. Default: all.")
]
Frequency = Annotated[str, typer.Option(help="LOW:HIGH in Hz. Default: all points.")]
ImaginarySign = Annotated[
    str | None,
    typer.Option(
        "--imaginary-sign",
        help="measured (the column is Im Z) or negative (-Im Z), if not told.",
    ),
]
Ranges = Annotated[
    str,
    typer.Option(
        help="NAME:FROM:TO in s, commas between. "
        "Default: R_int:1e-5:1e-2,R_ct:1e-2:1, as in the paper."
    ),
]
TailOption = Annotated[
    str,
    typer.Option(
        "--tail",
        help="ensemble (all models), or some of: none, warburg, cpe, capacitor, "
        "warburg+capacitor, finite-space, finite-length; cpe:0.6, finite-space:5.",
    ),
]
Lambda = Annotated[
    float, typer.Option("--lambda", help="Regularisation; the paper's is 1e-4.")
]
Width = Annotated[
    float,
    typer.Option("--fwhm", help="FWHM coefficient: spacing / width of the basis."),
]
ShapeFactor = Annotated[
    float | None,
    typer.Option("--shape-factor", help="Epsilon itself, instead of --fwhm."),
]
Derivative = Annotated[int, typer.Option(help="That is penalised: 1 or 2.")]
Collocation = Annotated[
    str,
    typer.Option(
        help="extended: tau from below 1/(2 pi f_max) to 1/(2 pi f_min); "
        "drttools: tau = 1/f."
    ),
]
Inductance = Annotated[str, typer.Option(help="fit, none or discard (Im Z > 0).")]
Weighting = Annotated[str, typer.Option(help="unit (ohm, as DRTtools) or modulus.")]
PeaksKind = Annotated[str, typer.Option("--peaks", help="gaussian or zarc.")]
PeaksCount = Annotated[
    int | None, typer.Option("--peaks-count", help="Default: all that stand out.")
]
CircuitText = Annotated[
    str | None, typer.Option("--circuit", help='Fit it too: "R0-p(R1,Q1)-W1".')
]
Credible = Annotated[
    bool, typer.Option("--credible", help="Credible band of gamma, 99 %.")
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for tables; or NAME.csv, NAME.parquet: results only."),
]
FigureFolder = Annotated[Path | None, typer.Option("--figures", help="Folder.")]


def eis(
    files: Files,
    area_cm2: Area = None,
    names: Names = "",
    only: Only = "",
    frequency: Frequency = "",
    ranges: Ranges = "",
    tail: TailOption = "ensemble",
    regularisation: Lambda = 1e-4,
    width: Width = 0.5,
    shape_factor: ShapeFactor = None,
    derivative: Derivative = 1,
    collocation: Collocation = "extended",
    inductance: Inductance = "fit",
    weighting: Weighting = "unit",
    peaks: PeaksKind = "gaussian",
    peaks_count: PeaksCount = None,
    circuit: CircuitText = None,
    credible: Credible = False,
    imaginary_sign: ImaginarySign = None,
    out: Out = None,
    form: Form = "parquet",
    figures: FigureFolder = None,
    as_json: AsJson = False,
) -> None:
    """Kramers-Kronig test, relaxation times, R_int and R_ct with their bands.

    Example: equipoise eis hb.mpr lb.mpr --area-cm2 0.785 --names HB,LB --figures eis
    """
    settings = _settings(
        regularisation_ratio=regularisation,
        width_ratio=width,
        shape_factor_ratio=shape_factor,
        derivative=derivative,
        collocation=collocation,
        inductance=inductance,
        weighting=weighting,
    )
    wanted, tails = ranges_of(ranges), tails_of(tail)
    _check(peaks, form, out, figures)
    loaded = _loaded(files, area_cm2, names, only, frequency, imaginary_sign)
    study = _study(
        loaded, settings, wanted, tails, peaks, peaks_count, circuit, credible
    )
    written = [] if out is None else _written(study, out, form)
    if figures is not None and study.analyses:
        written += _figures(study, figures)
    _say(study, loaded, written, as_json)
    if study.failures:
        raise _failed(study)


def _settings(**values: object) -> DrtSettings:
    from equipoise.analysis.eis.drt.settings import DrtSettings

    return DrtSettings(**values)  # pyright: ignore[reportArgumentType]


def _check(kind: str, form: str, out: Path | None, figures: Path | None) -> None:
    """Refuse what would fail only after all work is done."""
    from equipoise.core.errors import SpecError, nearest

    for option, value, known in (
        ("--peaks", kind, ("gaussian", "zarc")),
        ("--format", form, ("parquet", "csv")),
    ):
        if value not in known:
            raise SpecError(
                f"{value!r} is not known", where=option, remedy=nearest(value, known)
            )
    for folder in (None if out is not None and _is_table(out) else out, figures):
        if folder is not None and folder.exists():
            from equipoise.core.files import output_folder

            output_folder(folder)


def _is_table(out: Path) -> bool:
    return out.suffix.lower() in TABLE_ENDINGS and not out.is_dir()


def ranges_of(text: str) -> tuple[TauRange, ...]:
    """Ranges of time constants from ``R_int:1e-5:1e-2,R_ct:1e-2:1``.

    Raises
    ------
    SpecError
        If a part is not NAME:FROM:TO.
    """
    from equipoise.analysis.eis.drt import ranges as known
    from equipoise.core.errors import SpecError

    if not text.strip():
        return known.PAPER_RANGES
    named = (
        known.GRAIN_BOUNDARY,
        known.INTERPHASE,
        known.CHARGE_TRANSFER,
        known.SLOW,
    )
    names = {r.symbol.lower(): r.name for r in named}
    found: list[TauRange] = []
    for part in text.split(","):
        words = [w.strip() for w in part.split(":")]
        ends = [_number(w) for w in words[1:]]
        if len(words) != 3 or not words[0] or None in ends:
            raise SpecError(
                f"{part.strip()!r} is not NAME:FROM:TO",
                where="--ranges",
                remedy="for example --ranges R_int:1e-5:1e-2,R_ct:1e-2:1; times in s, "
                "inf for no end",
            )
        name = names.get(words[0].lower(), _plain(words[0]))
        low, high = (cast("float", e) for e in ends)
        found.append(known.TauRange(name, words[0], low, high))
    return tuple(found)


def _plain(symbol: str) -> str:
    """A symbol as part of a column's name: R_gb -> gb."""
    plain = "".join(c.lower() if c.isascii() and c.isalnum() else "_" for c in symbol)
    return plain.removeprefix("r_").strip("_") or "range"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value else None


def tails_of(text: str) -> list[Tail | str]:
    """Tails from ``ensemble``, ``none,warburg`` or ``cpe:0.6``.

    Raises
    ------
    SpecError
        If one is not known.
    """
    from equipoise.analysis.eis.drt.tails import FAMILIES, Tail
    from equipoise.core.errors import SpecError, nearest
    from equipoise.study.impedance import ENSEMBLE

    found: list[Tail | str] = []
    for part in (p.strip() for p in text.split(",") if p.strip()):
        family, _, parameter = part.partition(":")
        if family not in (ENSEMBLE, *FAMILIES):
            raise SpecError(
                f"{family!r} is no model of the tail",
                where="--tail",
                remedy=nearest(family, (ENSEMBLE, *FAMILIES)),
            )
        if not parameter:
            found.append(family)
            continue
        value = _number(parameter)
        key = {"cpe": "exponent_ratio"}.get(family, "time_second")
        if value is None or family not in ("cpe", "finite-space", "finite-length"):
            raise SpecError(
                f"{part!r} is not understood",
                where="--tail",
                remedy="cpe:EXPONENT, finite-space:SECONDS and finite-length:SECONDS "
                "have a number, the others none",
            )
        found.append(Tail(family, **{key: value}))
    if not found:
        raise SpecError("no tail is given", where="--tail", remedy="e.g. ensemble")
    return found


def _loaded(
    files: list[Path],
    area_cm2: float | None,
    names: str,
    only: str,
    frequency: str,
    sign: str | None,
) -> LoadedSpectra:
    from equipoise.core.errors import SpecError
    from equipoise.study.impedance_files import load_spectra

    if area_cm2 is not None and not 0.0 < area_cm2 < float("inf"):
        raise SpecError(
            f"{area_cm2:g} cm2 is no area",
            where="--area-cm2",
            remedy="give the geometric area of the electrode, > 0",
        )
    named = [n.strip() for n in names.split(",")] if names.strip() else []
    return load_spectra(
        files,
        area_cm2=area_cm2,
        names=named,
        only=_only(only),
        between_hertz=_between(frequency),
        imaginary_sign=cast("Literal['measured', 'negative'] | None", sign),
    )


def _only(text: str) -> list[int]:
    from equipoise.cli.numbers import number_list
    from equipoise.core.errors import SpecError

    numbers = number_list(text, option="--only") if text.strip() else []
    if any(n != int(n) or n < 1 for n in numbers):
        raise SpecError(
            f"{text!r} are not numbers of spectra",
            where="--only",
            remedy="whole numbers from 1: --only 1,3",
        )
    return [int(n) for n in numbers]


def _between(text: str) -> tuple[float, float] | None:
    from equipoise.core.errors import SpecError

    if not text.strip():
        return None
    ends = [_number(p) for p in text.split(":")]
    if len(ends) != 2 or None in ends:
        raise SpecError(
            f"{text!r} is not LOW:HIGH",
            where="--frequency",
            remedy="for example --frequency 0.1:1e6, in Hz",
        )
    low, high = (cast("float", e) for e in ends)
    if not 0.0 <= low < high:
        raise SpecError(
            f"{low:g} to {high:g} Hz is no range",
            where="--frequency",
            remedy="give the lower end first",
        )
    return low, high


def _study(
    loaded: LoadedSpectra,
    settings: DrtSettings,
    ranges: Sequence[TauRange],
    tails: Sequence[Tail | str],
    peaks: str,
    peaks_count: int | None,
    circuit: str | None,
    credible: bool,
) -> ImpedanceStudy:
    from equipoise.study.impedance import analyse_spectra

    several = len(loaded.spectra) > 1
    return analyse_spectra(
        loaded.spectra,
        settings,
        ranges=ranges,
        tails=tails,
        peaks_kind=cast("Literal['gaussian', 'zarc']", peaks),
        peaks_count=peaks_count,
        circuit=circuit,
        credible=credible,
        strict=not several,
        progress=_progress if several else None,
    )


def _progress(done: int, total: int) -> None:
    """One line on stderr that counts, if somebody watches."""
    import sys

    if sys.stderr.isatty():
        typer.echo(f"\ranalysed {done} of {total} spectra", err=True, nl=done == total)
    elif done == total:
        typer.echo(f"analysed {total} spectra", err=True)


def _written(study: ImpedanceStudy, out: Path, form: str) -> list[Path]:
    """All tables are made before the first is written."""
    from equipoise.core.files import output_folder, write_atomic
    from equipoise.io.bdf import table_bytes
    from equipoise.study import impedance_tables as tables

    done = study.analyses
    if not done:
        return []
    if _is_table(out):
        output_folder(out.parent)
        form = out.suffix.lower().removeprefix(".")
        return [write_atomic(out, table_bytes(study.table, form))]
    content = {
        "results": study.table,
        "peaks": study.peaks,
        "gamma": tables.gamma_table(done),
        "tails": tables.tails_table(done),
        "fits": tables.fits_table(done),
    }
    if done[0].circuit is not None:
        content["circuit"] = tables.circuit_table(done)
    raw = {stem: table_bytes(table, form) for stem, table in content.items()}
    folder = output_folder(out)
    return [write_atomic(folder / f"{n}.{form}", b) for n, b in raw.items()]


def _figures(study: ImpedanceStudy, folder: Path) -> list[Path]:
    from equipoise.cli.output import echo_progress
    from equipoise.viz.impedance_figures import impedance_figures
    from equipoise.viz.style import save_figure

    echo_progress("figures")
    drawn = impedance_figures(study.analyses)
    return [f for stem, d in drawn.items() for f in save_figure(d, folder, stem)]


def _say(
    study: ImpedanceStudy, loaded: LoadedSpectra, written: list[Path], as_json: bool
) -> None:
    from equipoise.cli import eis_text
    from equipoise.cli.output import echo_json

    if as_json:
        from equipoise.cli.eis_content import content

        echo_json(content(study, loaded, written))
        return
    eis_text.echo_study(study, loaded)
    for file in written:
        typer.echo(f"written: {file}")


def _failed(study: ImpedanceStudy) -> EquipoiseError:
    """What failed of a series, after the rest is printed and written."""
    from equipoise.core.errors import DataError

    failures = study.failures
    if len(failures) == 1:
        return failures[0].reason
    shown = "\n".join(f"  {f.name}: {f.reason.message}" for f in failures[:10])
    more = f"\n  and {len(failures) - 10} more" if len(failures) > 10 else ""
    return DataError(
        f"{len(failures)} spectra could not be analysed:\n{shown}{more}",
        remedy="the others are above; leave these out with --only",
    )
