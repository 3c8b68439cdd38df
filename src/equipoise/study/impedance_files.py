"""Files of spectra -> the spectra that a study is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from equipoise.core.errors import DataError, EquipoiseError, SpecError
from equipoise.io.spectra.read import read_spectra

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from equipoise.io.spectra.cells import Decimal
    from equipoise.io.spectra.read import SpectraFile
    from equipoise.spec.spectrum import Spectrum


@dataclass(frozen=True, slots=True)
class SpectrumSource:
    """Where a spectrum comes from.

    Attributes
    ----------
    file
        As it was read.
    spectrum_index
        Which of its spectra, from 0.
    """

    file: SpectraFile
    spectrum_index: int


@dataclass(frozen=True, slots=True)
class FileFailure:
    """A file of several that could not be read, and why."""

    path: str
    reason: EquipoiseError


@dataclass(frozen=True, slots=True)
class LoadedSpectra:
    """Spectra of one or more files.

    Attributes
    ----------
    files
        As they were read, with what was proven.
    spectra
        The chosen ones, cut to the chosen frequencies, in the order of the files.
    sources
        Of each spectrum.
    failures
        Files that are not among them; empty if `strict`.
    """

    files: tuple[SpectraFile, ...]
    spectra: tuple[Spectrum, ...]
    sources: tuple[SpectrumSource, ...]
    failures: tuple[FileFailure, ...] = ()


def load_spectra(
    paths: Sequence[str | Path],
    *,
    area_cm2: float | Sequence[float] | None = None,
    names: Sequence[str] = (),
    only: Sequence[int] = (),
    between_hertz: tuple[float, float] | None = None,
    imaginary_sign: Literal["measured", "negative"] | None = None,
    frequency_unit: str | None = None,
    impedance_unit: str | None = None,
    decimal: Decimal | None = None,
    repair: Iterable[str] = (),
    strict: bool = True,
) -> LoadedSpectra:
    """Read files and choose spectra.

    Parameters
    ----------
    area_cm2
        Geometric area of all, or one per file; wins over that of the files.
    names
        Of all chosen spectra, in order; empty: as the files call them.
    only
        Numbers of the spectra in each file, from 1; empty: all.
    between_hertz
        Lowest and highest frequency that is kept.
    imaginary_sign, frequency_unit, impedance_unit, decimal, repair
        As of `read_spectra`: what a file does not tell, and rows to leave out.
    strict
        Raise at the first file that cannot be read; otherwise go on while there is
        another one, and keep it among the failures.

    Raises
    ------
    DataError
        If a file is absent or no spectrum, or has no spectrum of that number.
    SpecError
        If there are not as many names as spectra, or areas as files.
    """
    areas = _areas(area_cm2, len(paths))
    repairs = tuple(repair)
    files: list[SpectraFile] = []
    spectra: list[Spectrum] = []
    sources: list[SpectrumSource] = []
    failures: list[FileFailure] = []
    for path, area in zip(paths, areas, strict=True):
        try:
            file = read_spectra(
                path,
                area_cm2=area,
                imaginary_sign=imaginary_sign,
                frequency_unit=frequency_unit,
                impedance_unit=impedance_unit,
                decimal=decimal,
                repair=repairs,
            )
            numbers = _numbers(file, only)
            chosen = [file.spectra[n - 1] for n in numbers]
            if between_hertz is not None:
                chosen = [s.between(*between_hertz) for s in chosen]
        except DataError as error:
            failures.append(FileFailure(str(path), error))
            if strict or len(failures) == len(paths):
                raise failures[0].reason from None
            continue
        files.append(file)
        spectra += chosen
        sources += [SpectrumSource(file, n - 1) for n in numbers]
    found = LoadedSpectra(tuple(files), tuple(spectra), tuple(sources), tuple(failures))
    return _named(found, names, [str(p) for p in paths]) if names else found


def _areas(
    area_cm2: float | Sequence[float] | None, count: int
) -> Sequence[float | None]:
    if area_cm2 is None or isinstance(area_cm2, int | float):
        return [area_cm2] * count
    if len(area_cm2) in (1, count):
        return list(area_cm2) * (count if len(area_cm2) == 1 else 1)
    raise SpecError(
        f"{len(area_cm2)} areas for {count} file{'' if count == 1 else 's'}",
        where="area_cm2",
        remedy="give one for all, or one for each in their order",
    )


def _named(
    found: LoadedSpectra, names: Sequence[str], paths: list[str]
) -> LoadedSpectra:
    """Spectra under names of one's own; a file that failed takes its name with it."""
    count = len(found.spectra)
    failed = {f.path for f in found.failures}
    if failed and len(names) == len(paths) and count == len(found.files):
        names = [n for n, p in zip(names, paths, strict=True) if p not in failed]
    elif failed:
        raise found.failures[0].reason  # nobody knows whose the names are
    if len(names) != count:
        raise SpecError(
            f"{len(names)} names for {count} spectr{'um' if count == 1 else 'a'}",
            where="names of spectra",
            remedy="give one for each, in the order of the files",
        )
    named = [replace(s, name=n) for s, n in zip(found.spectra, names, strict=True)]
    return replace(found, spectra=tuple(named))


def _numbers(file: SpectraFile, only: Sequence[int]) -> list[int]:
    count = len(file.spectra)
    for number in only:
        if not 1 <= number <= count:
            has = "one spectrum" if count == 1 else f"{count} spectra"
            raise DataError(
                f"there is no spectrum number {number}: this file has {has}",
                where=str(file.path),
                remedy="count from 1",
            )
    return list(only) or list(range(1, count + 1))
