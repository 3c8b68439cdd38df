"""``equipoise eis``: what impedance spectra say, and how well they can say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import typer

from equipoise.cli import eis_options as options
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
MOST_FILES_SHOWN = 4
WIDTH_RATIO = 0.5
"""FWHM coefficient if none is given."""


def eis(
    files: options.Files,
    area_cm2: options.Area = None,
    names: options.Names = "",
    only: options.Only = "",
    frequency: options.Frequency = "",
    ranges: options.Ranges = "",
    tail: options.TailOption = "ensemble",
    regularisation: options.Lambda = 1e-4,
    width: options.Width = None,
    shape_factor: options.ShapeFactor = None,
    derivative: options.Derivative = 1,
    collocation: options.Collocation = "extended",
    inductance: options.Inductance = "fit",
    weighting: options.Weighting = "unit",
    peaks: options.PeaksKind = "gaussian",
    peaks_count: options.PeaksCount = None,
    circuit: options.CircuitText = None,
    credible: options.Credible = False,
    imaginary_sign: options.ImaginarySign = None,
    frequency_unit: options.FrequencyUnit = None,
    impedance_unit: options.ImpedanceUnit = None,
    decimal: options.Decimal = None,
    repair: options.Repair = "",
    out: options.Out = None,
    form: Form = "parquet",
    figures: options.FigureFolder = None,
    as_json: AsJson = False,
) -> None:
    """Kramers-Kronig test, relaxation times, R_int and R_ct with their bands.

    Example: equipoise eis hb.mpr lb.mpr --area-cm2 0.785 --names HB,LB --figures eis
    """
    from equipoise.cli.remedies import told_in_options

    with told_in_options(options.WORDS):
        settings = _settings(
            width,
            shape_factor,
            regularisation_ratio=regularisation,
            derivative=derivative,
            collocation=collocation,
            inductance=inductance,
            weighting=weighting,
        )
        wanted, tails = options.ranges_of(ranges), options.tails_of(tail)
        _check(peaks, form, out, figures)
        reading = options.reading_of(
            imaginary_sign, frequency_unit, impedance_unit, decimal, repair
        )
        loaded = _loaded(files, area_cm2, names, only, frequency, reading)
        study = _study(
            loaded, settings, wanted, tails, peaks, peaks_count, circuit, credible
        )
        written = [] if out is None else _written(study, out, form)
        if figures is not None and study.analyses:
            written += _figures(study, figures)
        _say(study, loaded, written, as_json)
        if study.failures or loaded.failures:
            raise _failed(study, loaded)


def _settings(
    width: float | None, shape_factor: float | None, **values: object
) -> DrtSettings:
    from equipoise.analysis.eis.drt.settings import DrtSettings
    from equipoise.core.errors import SpecError

    if width is not None and shape_factor is not None:
        raise SpecError(
            f"--fwhm {width:g} and --shape-factor {shape_factor:g} both set the width "
            "of the basis functions",
            where="--shape-factor",
            remedy="give one of them",
        )
    return DrtSettings(
        width_ratio=WIDTH_RATIO if width is None else width,
        shape_factor_ratio=shape_factor,
        **values,  # pyright: ignore[reportArgumentType]
    )


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


def _loaded(
    files: list[Path],
    area_cm2: str | None,
    names: str,
    only: str,
    frequency: str,
    reading: options.Reading,
) -> LoadedSpectra:
    from equipoise.study.impedance_files import load_spectra

    return load_spectra(
        files,
        area_cm2=options.areas_of(area_cm2, len(files)),
        names=[n.strip() for n in names.split(",")] if names.strip() else [],
        only=options.numbers_of(only),
        between_hertz=options.between_of(frequency),
        strict=len(files) == 1,
        **reading,
    )


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

    several = len(loaded.spectra) + len(loaded.failures) > 1
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
    for text in written_lines(written):
        typer.echo(text)


def written_lines(files: Sequence[Path]) -> list[str]:
    """One line per file; if there are many, one per folder."""
    if len(files) <= MOST_FILES_SHOWN:
        return [f"written: {f}" for f in files]
    folders = list(dict.fromkeys(f.parent for f in files))
    counts = [sum(f.parent == folder for f in files) for folder in folders]
    return [
        f"written: {n} file{'s' if n > 1 else ''} in {folder}"
        for folder, n in zip(folders, counts, strict=True)
    ]


def _failed(study: ImpedanceStudy, loaded: LoadedSpectra) -> EquipoiseError:
    """What failed of several, after the rest is printed and written."""
    from equipoise.cli.remedies import translated
    from equipoise.core.errors import DataError

    failures = [(f.path, f.reason) for f in loaded.failures]
    failures += [(f.name, f.reason) for f in study.failures]
    for _, reason in failures:
        translated(reason, options.WORDS)
    if len(failures) == 1:
        return failures[0][1]
    shown = "\n".join(f"  {name}: {why.message}" for name, why in failures[:10])
    more = f"\n  and {len(failures) - 10} more" if len(failures) > 10 else ""
    what = "files or spectra" if loaded.failures else "spectra"
    return DataError(
        f"{len(failures)} {what} could not be analysed:\n{shown}{more}",
        remedy="the others are above; leave out the files, or spectra with --only",
    )
