"""``equipoise tlm``: ionic and electronic conductivity from blocking cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli import eis_options as reading_options
from equipoise.cli.cell_options import AsJson, Figures
from equipoise.cli.remedies import READING

if TYPE_CHECKING:
    from equipoise.analysis.eis.lines.result import (
        Conductivity,
        PartialConductivities,
    )
    from equipoise.cli.eis_options import Reading
    from equipoise.spec.spectrum import Spectrum

ROLES = {"ions": "ion_blocking", "electrons": "electron_blocking"}
TELLING = ("look", "not proven", "repaired")
"""Levels of a reader's findings that bear on the conductivities."""
WORDS = {
    **READING,
    "thickness_um": "--thickness-um",
    "with Spectrum.between": "with --lowest-hertz and --highest-hertz",
    "Spectrum.between": "--lowest-hertz and --highest-hertz",
    " (partial_conductivities)": "",
    ", or None to fit it": "; leave it out to have it fitted",
}
"""Arguments of the library -> options."""

IonBlocking = Annotated[
    Path, typer.Argument(help="Spectrum of the composite between metals.")
]
ElectronBlocking = Annotated[
    Path | None,
    typer.Argument(help="Spectrum of the composite between electrolytes."),
]
Thickness = Annotated[
    float | None,
    typer.Option("--thickness-um", help="Of the composite in both cells."),
]
Area = Annotated[
    float | None,
    typer.Option("--area-cm2", help="Geometric, of both cells."),
]
IonThickness = Annotated[
    float | None,
    typer.Option("--ion-blocking-thickness-um", help="If the cells differ."),
]
ElectronThickness = Annotated[
    float | None,
    typer.Option("--electron-blocking-thickness-um", help="If the cells differ."),
]
IonArea = Annotated[
    float | None,
    typer.Option("--ion-blocking-area-cm2", help="If the cells differ."),
]
ElectronArea = Annotated[
    float | None,
    typer.Option("--electron-blocking-area-cm2", help="If the cells differ."),
]
IonSeries = Annotated[
    float | None,
    typer.Option("--ion-blocking-series-ohm", help="If known: wires. Default: fitted."),
]
ElectronSeries = Annotated[
    float | None,
    typer.Option(
        "--electron-blocking-series-ohm",
        help="If known: separators and wires. Default: fitted.",
    ),
]
Blocks = Annotated[
    str,
    typer.Option(help="With one file: what its cell blocks, ions or electrons."),
]
Lowest = Annotated[
    float | None, typer.Option("--lowest-hertz", help="Leave out below.")
]
Highest = Annotated[
    float | None, typer.Option("--highest-hertz", help="Leave out above.")
]
Inductance = Annotated[
    bool, typer.Option("--inductance/--no-inductance", help="Of the wires.")
]


def tlm(
    ion_blocking: IonBlocking,
    electron_blocking: ElectronBlocking = None,
    thickness_um: Thickness = None,
    area_cm2: Area = None,
    ion_thickness: IonThickness = None,
    electron_thickness: ElectronThickness = None,
    ion_area: IonArea = None,
    electron_area: ElectronArea = None,
    ion_series: IonSeries = None,
    electron_series: ElectronSeries = None,
    blocks: Blocks = "ions",
    lowest_hertz: Lowest = None,
    highest_hertz: Highest = None,
    inductance: Inductance = True,
    imaginary_sign: reading_options.ImaginarySign = None,
    frequency_unit: reading_options.FrequencyUnit = None,
    impedance_unit: reading_options.ImpedanceUnit = None,
    decimal: reading_options.Decimal = None,
    repair: reading_options.Repair = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder for spectra, fit and figure.")
    ] = None,
    figures: Figures = True,
    as_json: AsJson = False,
) -> None:
    """Ionic and electronic conductivity of a composite from a pair of blocking cells.

    Example: equipoise tlm ion.mpr electron.mpr --thickness-um 41 --area-cm2 0.636
    """
    from equipoise.cli.output import told_warnings
    from equipoise.cli.remedies import told_in_options

    with told_warnings(), told_in_options(_words(electron_blocking, blocks)):
        cut = (lowest_hertz, highest_hertz)
        reading = reading_options.reading_of(
            imaginary_sign, frequency_unit, impedance_unit, decimal, repair
        )
        areas = (_own(ion_area, area_cm2), _own(electron_area, area_cm2))
        thick = (
            _own(ion_thickness, thickness_um),
            _own(electron_thickness, thickness_um),
        )
        series = (ion_series, electron_series)
        if electron_blocking is None:
            at = _which(blocks)
            files = [ion_blocking]
            spectra, looks = _read_all(files, [areas[at]], cut, reading)
            found = _of_one(
                spectra[0], at, thick[at], series[at], inductance=inductance
            )
        else:
            files = [ion_blocking, electron_blocking]
            spectra, looks = _read_all(files, list(areas), cut, reading)
            first, second = spectra
            found = _of_pair(first, second, thick, series, inductance=inductance)
        hints = [*looks, *_exchanged_names(files)]
        written = [] if out is None else _written(found, out, figures=figures)
    _say(found, files, hints, written, as_json=as_json)


def _words(electron_blocking: Path | None, blocks: str) -> dict[str, str]:
    """What the arguments of the library are called, for two cells or for one."""
    ion, electron = "--ion-blocking-series-ohm", "--electron-blocking-series-ohm"
    series = f"{ion} or {electron}"
    if electron_blocking is None:
        series = electron if blocks == "electrons" else ion
    return {**WORDS, "series_ohm": series}


def _own(given: float | None, common: float | None) -> float | None:
    """What was given for one cell, else for both; 0 is given too, and is refused."""
    return common if given is None else given


def _which(blocks: str) -> int:
    """0: ions, 1: electrons."""
    from equipoise.core.errors import SpecError, nearest

    if blocks not in ROLES:
        raise SpecError(
            f"{blocks!r} is not known", where="--blocks", remedy=nearest(blocks, ROLES)
        )
    return list(ROLES).index(blocks)


def _read_all(
    paths: list[Path],
    areas: list[float | None],
    cut: tuple[float | None, float | None],
    reading: Reading,
) -> tuple[list[Spectrum], list[str]]:
    """The one spectrum of each file, within the range asked for; what to look at."""
    from equipoise.core.errors import DataError
    from equipoise.io.spectra.read import read_spectra

    spectra: list[Spectrum] = []
    looks: list[str] = []
    hashes: set[str] = set()
    for path, area in zip(paths, areas, strict=True):
        read = read_spectra(path, area_cm2=area, **reading)
        if len(read.spectra) != 1:
            raise DataError(
                f"there are {len(read.spectra)} spectra in this file",
                where=str(path),
                remedy="give a file with the one of this cell alone",
            )
        if read.sha256 in hashes:
            raise DataError(
                "both files are the same",
                where=str(path),
                remedy="give the spectrum of the ion-blocking cell and that of the "
                "electron-blocking cell",
            )
        hashes.add(read.sha256)
        looks += [
            f"{path.name}: {f.what}: {f.how}"
            for f in read.findings
            if f.level in TELLING
        ]
        spectra.append(_between(read.spectra[0], *cut))
    return spectra, looks


def _between(
    spectrum: Spectrum, lowest: float | None, highest: float | None
) -> Spectrum:
    from equipoise.core.errors import SpecError

    for option, value in (("--lowest-hertz", lowest), ("--highest-hertz", highest)):
        if value is not None and not value > 0.0:
            raise SpecError(
                f"{value:g} Hz", where=option, remedy="give a frequency above 0"
            )
    if lowest is None and highest is None:
        return spectrum
    return spectrum.between(lowest or 0.0, highest or float("inf"))


def _of_pair(
    first: Spectrum,
    second: Spectrum,
    thickness: tuple[float | None, float | None],
    series: tuple[float | None, float | None],
    *,
    inductance: bool,
) -> PartialConductivities:
    from equipoise.analysis.eis.lines.partial_conductivities import (
        partial_conductivities,
    )

    return partial_conductivities(
        first,
        second,
        thickness_um=(_needed(thickness[0]), _needed(thickness[1])),
        series_ohm=series,
        inductance=inductance,
    )


def _of_one(
    spectrum: Spectrum,
    which: int,
    thickness: float | None,
    series: float | None,
    *,
    inductance: bool,
) -> PartialConductivities:
    from equipoise.analysis.eis.lines.partial_conductivities import (
        partial_conductivity_of_one,
    )

    return partial_conductivity_of_one(
        spectrum,
        "ion_blocking" if which == 0 else "electron_blocking",
        series_ohm=series,
        thickness_um=_needed(thickness),
        inductance=inductance,
    )


def _needed(thickness: float | None) -> float:
    from equipoise.core.errors import SpecError

    if thickness is None:
        raise SpecError(
            "the thickness of the composite is not given",
            where="--thickness-um",
            remedy="give it as measured under pressure, such as --thickness-um 41",
        )
    return thickness


def _exchanged_names(files: list[Path]) -> list[str]:
    """Whether the names of the files say that they are exchanged."""
    if len(files) < 2:
        return []
    first, second = ("".join(c for c in f.stem.lower() if c.isalpha()) for f in files)
    ion, electron = "ionblock", ("electronblock", "eblock")
    if any(e in first for e in electron) and ion in second:
        return [
            "by their names the files are exchanged: the ion-blocking cell comes first"
        ]
    return []


def _written(found: PartialConductivities, out: Path, *, figures: bool) -> list[Path]:
    import json

    from equipoise.cli.output import echo_progress, finite
    from equipoise.core.files import output_folder, write_atomic

    folder = output_folder(out)
    content = json.dumps(finite(found.as_dict()), indent=2)
    written = [
        write_atomic(folder / "partial_conductivities.json", content + "\n"),
        write_atomic(
            folder / "partial_conductivities_fit.csv", found.table().write_csv()
        ),
    ]
    if figures:
        from equipoise.viz.partial_conductivities import partial_conductivities_figure
        from equipoise.viz.style import save_figure

        echo_progress("figure")
        drawn = partial_conductivities_figure(found)
        written += save_figure(drawn, folder, "partial_conductivities")
    return written


def _say(
    found: PartialConductivities,
    files: list[Path],
    hints: list[str],
    written: list[Path],
    *,
    as_json: bool,
) -> None:
    from equipoise.cli.eis_numbers import folded
    from equipoise.cli.output import echo_json, echo_table
    from equipoise.cli.remedies import in_options

    if as_json:
        content = found.as_dict()
        content["notes"] = [*hints, *found.notes]
        content["spectra"] = [str(f) for f in files]
        echo_json(content | {"files": [str(f) for f in written]})
        return
    title = " and ".join(f.name for f in files)
    echo_table(
        f"Partial conductivities of {title}",
        ("", "mS cm⁻¹", "95 % interval", "band"),
        [_row("ionic", found.ionic), _row("electronic", found.electronic)],
        note="band: the interval, and what all other models say that the data do not "
        "exclude",
    )
    for line in _verdicts(found):
        folded(f"  {line}", indent="    ")
    for note in (*hints, *found.notes):
        folded(f"  look: {in_options(note, WORDS)}", indent="    ")
    for file in written:
        typer.echo(f"written: {file}")


def _row(name: str, c: Conductivity) -> tuple[str, ...]:
    return (
        name if c.determined else f"{name} (not determined)",
        f"{c.value_millisiemens_per_cm:.4g}",
        _ends(c.interval_low_millisiemens_per_cm, c.interval_high_millisiemens_per_cm),
        _ends(c.low_millisiemens_per_cm, c.high_millisiemens_per_cm),
    )


def _ends(low: float, high: float) -> str:
    return f"{low:.4g} to {'open' if high == float('inf') else format(high, '.4g')}"


def _verdicts(found: PartialConductivities) -> list[str]:
    """Fit, cells and models, a line each."""
    chosen = found.models[0]
    lines = [
        f"model: {chosen.name}; misfit {found.misfit_percent:.2f} %",
        f"determined: {found.identifiability}",
    ]
    for c in found.cells:
        passing = "electronic" if c.role == "ion_blocking" else "ionic"
        line = (
            f"{c.role.replace('_', '-')} cell: {c.thickness_um:g} µm, "
            f"{c.area_cm2:g} cm², {passing} rail {c.rail_ohm:.4g} Ω, in series "
            f"{c.series_ohm:.4g} Ω"
        )
        if c.direct_current_ohm == c.direct_current_ohm:
            line += f", plateau {c.direct_current_ohm:.4g} Ω"
        lines.append(line)
    others = [m for m in found.models[1:] if m.supported]
    if others:
        names = "; ".join(m.name for m in others)
        lines.append(f"also supported: {names}")
    return lines
