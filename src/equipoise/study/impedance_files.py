"""Files of spectra -> the spectra that a study is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from equipoise.core.errors import DataError, SpecError
from equipoise.io.spectra.read import read_spectra

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

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
    """

    files: tuple[SpectraFile, ...]
    spectra: tuple[Spectrum, ...]
    sources: tuple[SpectrumSource, ...]


def load_spectra(
    paths: Sequence[str | Path],
    *,
    area_cm2: float | None = None,
    names: Sequence[str] = (),
    only: Sequence[int] = (),
    between_hertz: tuple[float, float] | None = None,
    imaginary_sign: Literal["measured", "negative"] | None = None,
) -> LoadedSpectra:
    """Read files and choose spectra.

    Parameters
    ----------
    area_cm2
        Geometric area of all; wins over that of the files.
    names
        Of all chosen spectra, in order; empty: as the files call them.
    only
        Numbers of the spectra in each file, from 1; empty: all.
    between_hertz
        Lowest and highest frequency that is kept.
    imaginary_sign
        What the column of the imaginary part holds, if the file does not tell.

    Raises
    ------
    DataError
        If a file is absent or no spectrum, or has no spectrum of that number.
    SpecError
        If there are not as many names as spectra.
    """
    files: list[SpectraFile] = []
    spectra: list[Spectrum] = []
    sources: list[SpectrumSource] = []
    for path in paths:
        file = read_spectra(path, area_cm2=area_cm2, imaginary_sign=imaginary_sign)
        files.append(file)
        for number in _numbers(file, only):
            spectrum = file.spectra[number - 1]
            if between_hertz is not None:
                spectrum = spectrum.between(*between_hertz)
            spectra.append(spectrum)
            sources.append(SpectrumSource(file, number - 1))
    if names and len(names) != len(spectra):
        count = len(spectra)
        raise SpecError(
            f"{len(names)} names for {count} spectr{'um' if count == 1 else 'a'}",
            where="names of spectra",
            remedy="give one for each, in the order of the files",
        )
    if names:
        spectra = [replace(s, name=n) for s, n in zip(spectra, names, strict=True)]
    return LoadedSpectra(tuple(files), tuple(spectra), tuple(sources))


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
