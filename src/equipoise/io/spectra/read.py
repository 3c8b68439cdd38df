"""Read impedance spectra: recognise the format by its content, read it, prove it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol, cast

import numpy as np

from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.io.readers.recording import Finding
from equipoise.io.readers.source import Source, open_source
from equipoise.io.spectra.draft import Draft, Options, checked
from equipoise.io.spectra.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from equipoise.io.spectra.cells import Decimal
    from equipoise.spec.spectrum import Spectrum


class Reader(Protocol):
    """One module of this package per family of formats."""

    FORMAT: str

    def recognise(self, source: Source) -> str:
        """Evidence that the file has this format; empty if it has not."""
        ...

    def drafts(self, source: Source, options: Options) -> list[Draft]:
        """Read the tables of the file; sign and sweeps are left open."""
        ...


READERS = {
    "spectra": "columnar",
    "biologic-mpr": "biologic_mpr",
    "text": "text",
    "headerless": "headerless",
}
"""Name -> module, in the order in which they are asked."""

_MAGIC = {
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"PK\x03\x04": "a zip archive, such as a spreadsheet: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Office file: save the sheet as CSV",
    b"\x89HDF": "HDF5: export the spectrum as CSV",
    b"MATLAB 5.0": "a MATLAB file: export the spectrum as CSV",
}

_ELECTRODES = b"negative_imaginary_impedance_ohm"
"""A column of the other table that a simulation writes."""


@dataclass(frozen=True, slots=True)
class SpectraFile:
    """A file of impedance spectra, and how it was understood.

    Attributes
    ----------
    spectra
        In the order of the file; each from the highest frequency to the lowest, in
        ohm of the whole cell, a capacitance at Im Z < 0.
    findings
        What was read off, proven, not proven, turned or left out.
    format
        Which program wrote it.
    metadata
        What the file says of itself.
    sha256
        Of its bytes.
    """

    spectra: tuple[Spectrum, ...]
    findings: tuple[Finding, ...]
    format: str
    metadata: Mapping[str, object]
    path: Path
    sha256: str

    @property
    def only(self) -> Spectrum:
        """The spectrum of a file that holds one.

        Raises
        ------
        DataError
            If it holds several.
        """
        if len(self.spectra) == 1:
            return self.spectra[0]
        raise DataError(
            f"{len(self.spectra)} spectra, one was expected",
            where=str(self.path),
            remedy="choose one of .spectra by its number",
        )

    @property
    def proven(self) -> bool:
        """Whether causality proved the sign of Im Z, as labelled or turned."""
        signs = [f for f in self.findings if f.what == "imaginary part: sign"]
        return any(f.level == "proven" or "was turned" in f.how for f in signs)


def read_spectra(
    path: str | Path,
    *,
    area_cm2: float | None = None,
    imaginary_sign: Literal["measured", "negative"] | None = None,
    frequency_unit: str | None = None,
    impedance_unit: str | None = None,
    decimal: Decimal | None = None,
    repair: Iterable[str] = (),
    reader: str | None = None,
) -> SpectraFile:
    """Read all impedance spectra of one file, their signs proved by causality.

    Parameters
    ----------
    path
        Any text table with frequency and impedance (Bio-Logic, Gamry, ZPlot, Autolab,
        MACCOR, CH Instruments, VersaStudio, CSV of any dialect, with or without
        header), Bio-Logic .mpr, Parquet, or what `write_spectra` wrote. The content
        decides, never the name.
    area_cm2
        Geometric area, for area-specific results; it overrides that of the file. If
        the file is in ohm cm2, the impedance is divided by it.
    imaginary_sign
        "measured": the column is Im Z, capacitive below zero; "negative": -Im Z. By
        default label and causality have to tell.
    frequency_unit, impedance_unit
        Of columns whose label has none: "kHz", "mOhm", "ohm cm2".
    decimal
        Decimal sign, where the file leaves it open.
    repair
        Names from `draft.REPAIRS`: rows to leave out. Without them none is.
    reader
        Name from `READERS`.

    Returns
    -------
    SpectraFile
        Spectra and findings; those of level "look" ask for a human eye.

    Raises
    ------
    DataError
        If the file is absent, holds no spectrum, is broken, or contradicts itself;
        the message says where, and what to do.
    SpecError
        If a reader, a repair or a choice is not known.
    """
    if imaginary_sign not in (None, "measured", "negative"):
        raise SpecError(
            f"imaginary_sign = {imaginary_sign!r} is not known",
            where="imaginary_sign",
            remedy='use "measured" (Im Z) or "negative" (-Im Z)',
        )
    source = open_source(path)
    options = Options(
        area_cm2,
        imaginary_sign,
        frequency_unit,
        impedance_unit,
        decimal,
        checked(repair),
    )
    name = _chosen(source, reader)
    module = _module(name)
    with np.errstate(all="ignore"):  # a broken file holds any number
        try:
            drafts = module.drafts(source, options)
        except DataError:
            _refuse_electrodes(source)
            raise
        spectra: list[Spectrum] = []
        for draft in drafts:
            spectra += settle(draft, options, source.path.stem)
    if len(drafts) > 1:
        spectra = [
            replace(s, name=s.name if _named(drafts) else f"{source.path.stem} {i}")
            for i, s in enumerate(spectra, start=1)
        ]
    why = module.recognise(source) or "as was asked for"
    first = Finding("recognised", "format", f"{drafts[0].format}: {why}")
    return SpectraFile(
        tuple(spectra),
        (first, *(f for d in drafts for f in d.findings)),
        drafts[0].format,
        {k: v for d in reversed(drafts) for k, v in d.metadata.items()},
        source.path,
        source.sha256(),
    )


def _named(drafts: list[Draft]) -> bool:
    """Whether the file names its spectra itself."""
    return all(d.names is not None for d in drafts)


def _module(name: str) -> Reader:
    return cast("Reader", import_module(f"equipoise.io.spectra.{READERS[name]}"))


def _chosen(source: Source, reader: str | None) -> str:
    if reader is not None:
        if reader not in READERS:
            raise SpecError(
                f"{reader!r} is no reader",
                where="reader",
                remedy=nearest(reader, READERS),
            )
        return reader
    for name in READERS:
        if _module(name).recognise(source):
            return name
    raise _unknown(source)


def _refuse_electrodes(source: Source) -> None:
    """Name the file to read, if this one is of the simulation and beside it."""
    if _ELECTRODES not in source.path.read_bytes():
        return
    beside = source.path.with_name(f"spectra{source.path.suffix}")
    raise DataError(
        "this is the table of the impedances of cell and electrodes that a simulation "
        "writes, with the state of the cell",
        where=str(source.path),
        remedy=f"read the spectra of the cell: {beside}"
        if beside.exists()
        else "read the file spectra that was written with it",
    )


def _unknown(source: Source) -> DataError:
    head = source.head
    where = str(source.path)
    kind = next((k for mark, k in _MAGIC.items() if head.startswith(mark)), "")
    if kind or not source.is_text:
        what, _, advice = kind.partition(": ")
        return DataError(
            f"not a format of spectra that is known "
            f"({what or 'binary, begins with ' + repr(head[:8])})",
            where=where,
            remedy=advice or "export it as text, with units in the header",
        )
    lines = [x for x in source.head_lines if x.strip()][:3]
    shown = "; ".join(repr(x[:70]) for x in lines)
    begins = f"the text begins {shown}" if lines else "there are only blanks"
    return DataError(
        f"no header names a frequency and an impedance; {begins}",
        where=where,
        remedy="name the columns in the header: freq/Hz, Re(Z)/ohm, Im(Z)/ohm (or "
        "|Z|/ohm and Phase/deg)",
    )
