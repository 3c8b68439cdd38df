"""Options of ``equipoise eis``: what they are called, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

import typer

from equipoise.cli.remedies import READING

if TYPE_CHECKING:
    from equipoise.analysis.eis.drt.ranges import TauRange
    from equipoise.analysis.eis.drt.tails import Tail

WORDS = {
    **READING,
    "regularisation_ratio": "--lambda",
    "width_ratio": "--fwhm",
    "shape_factor_ratio": "--shape-factor",
    "derivative": "--derivative",
    "collocation": "--collocation",
    "inductance": "--inductance",
    "weighting": "--weighting",
    'weighting "modulus"': "--weighting modulus",
    "peaks_count": "--peaks-count",
    "names of spectra": "--names",
    "cut with Spectrum.between": "cut with --frequency LOW:HIGH",
    "Spectrum.between": "--frequency LOW:HIGH",
}
"""Arguments of the library -> options."""

Files = Annotated[
    list[Path], typer.Argument(help="Files of spectra, of any instrument.")
]
Area = Annotated[
    str | None,
    typer.Option(
        "--area-cm2", help="Geometric area; gives ohm cm2. One, or one per file."
    ),
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
FrequencyUnit = Annotated[
    str | None,
    typer.Option("--frequency-unit", help="Where the file names none: kHz."),
]
ImpedanceUnit = Annotated[
    str | None,
    typer.Option("--impedance-unit", help="Where the file names none: mOhm."),
]
Decimal = Annotated[
    str | None,
    typer.Option("--decimal", help="Decimal sign, where the file leaves it open."),
]
Repair = Annotated[
    str,
    typer.Option(
        "--repair", help="Rows to leave out: incomplete-rows, zero-frequency."
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
    float | None,
    typer.Option(
        "--fwhm", help="FWHM coefficient: spacing / width of the basis. Default: 0.5."
    ),
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


class Reading(TypedDict):
    """Arguments of `read_spectra` beside path and area."""

    imaginary_sign: Literal["measured", "negative"] | None
    frequency_unit: str | None
    impedance_unit: str | None
    decimal: Literal[".", ","] | None
    repair: list[str]


def reading_of(
    sign: str | None,
    frequency_unit: str | None,
    impedance_unit: str | None,
    decimal: str | None,
    repair: str,
) -> Reading:
    """Options that are passed on to `read_spectra`.

    Raises
    ------
    SpecError
        If the decimal sign is neither.
    """
    from equipoise.core.errors import SpecError

    if decimal not in (None, ".", ","):
        raise SpecError(
            f"{decimal!r} is no decimal sign",
            where="--decimal",
            remedy="use . or a comma: --decimal ,",
        )
    return {
        "imaginary_sign": cast("Literal['measured', 'negative'] | None", sign),
        "frequency_unit": frequency_unit,
        "impedance_unit": impedance_unit,
        "decimal": decimal,
        "repair": [r.strip() for r in repair.split(",") if r.strip()],
    }


def areas_of(text: str | None, files_count: int) -> float | list[float] | None:
    """One area, or one per file: ``0.785,1.539``.

    Raises
    ------
    SpecError
        If one is not > 0, or there are neither one nor as many as files.
    """
    from equipoise.core.errors import SpecError

    if text is None:
        return None
    found: list[float] = []
    for part in text.split(","):
        value = _number(part)
        if value is None or not 0.0 < value < float("inf"):
            raise SpecError(
                f"{part.strip()!r} cm2 is no area",
                where="--area-cm2",
                remedy="give the geometric area of the electrode, > 0; with a point "
                "for decimals, commas between the areas of several files",
            )
        found.append(value)
    if len(found) not in (1, files_count):
        one = files_count == 1
        raise SpecError(
            f"{len(found)} areas for {files_count} file{'' if one else 's'}",
            where="--area-cm2",
            remedy="give one for all, or one for each file in their order; a comma "
            "stands between areas, not before decimals",
        )
    return found[0] if len(found) == 1 else found


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


def numbers_of(text: str) -> list[int]:
    """Numbers of spectra from ``1,3`` or ``1:9:2``.

    Raises
    ------
    SpecError
        If they are not whole numbers from 1.
    """
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


def between_of(text: str) -> tuple[float, float] | None:
    """Lowest and highest frequency from ``0.1:1e6``.

    Raises
    ------
    SpecError
        If it is not LOW:HIGH.
    """
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
