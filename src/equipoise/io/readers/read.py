"""Read a cycler file: recognise its format, read it, prove it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from equipoise.core.errors import DataError, SpecError, nearest
from equipoise.io.bdf import read_metadata
from equipoise.io.cell_records import find_record
from equipoise.io.readers.options import Options
from equipoise.io.readers.prove import prove
from equipoise.io.readers.recording import Finding, Recording
from equipoise.io.readers.repairs import checked
from equipoise.io.readers.settle_sign import CurrentSign
from equipoise.io.readers.source import Source, open_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from equipoise.io.readers.draft import Draft
    from equipoise.spec.cell_record import CellRecord


POTENTIALS = {"positive_electrode_potential_volt", "negative_electrode_potential_volt"}


class Reader(Protocol):
    """One module of this package per format."""

    FORMAT: str

    def recognise(self, source: Source) -> str:
        """Evidence that the file has this format; empty if it has not."""
        ...

    def draft(self, source: Source, options: Options) -> Draft:
        """Read the file; units and signs may be left open for the proofs."""
        ...


READERS = {
    "bdf": "bdf_table",
    "biologic-mpr": "biologic_mpr",
    "biologic-mpt": "biologic_mpt",
    "neware": "neware",
    "maccor": "maccor",
    "table": "mapped",
}
"""Name on the command line -> module, in the order in which they are asked."""


def read(
    path: str | Path,
    *,
    reader: str | None = None,
    column_map: str | Path | None = None,
    record: CellRecord | None = None,
    repair: Iterable[str] = (),
    current_sign: CurrentSign | None = None,
) -> Recording:
    """Read one cycler file as a table in BDF names, its units and signs proved.

    Parameters
    ----------
    reader
        Name from `READERS`; by default the file's content decides, never its name.
    column_map
        A TOML file that says what the columns of a table mean.
    record
        Metadata of the cell; by default those of ``<file>.cell.toml`` beside it.
    repair
        Names from `repairs.REPAIRS`; without them nothing is changed.
    current_sign
        "charging negative" if the file counts so and its format does not say.

    Returns
    -------
    Recording
        Table, findings (with the residuals of the proofs) and metadata.

    Raises
    ------
    DataError
        If the file is absent, of no known format, broken, or contradicts itself.
    SpecError
        If a reader or a repair is not known.
    """
    source = open_source(path)
    options = Options(
        checked(repair),
        None if column_map is None else Path(column_map),
        find_record(source.path) if record is None else record,
    )
    name = _chosen(source, reader, options)
    module = _module(name)
    with ThreadPoolExecutor(1) as beside:  # hashing releases the interpreter
        draft = module.draft(source, options)
        if name == "bdf":
            _bring_to_li(draft, source, options)
        sha256 = beside.submit(source.sha256)
        table = prove(
            draft,
            str(source.path),
            repairs=options.repairs,
            current_sign=current_sign,
        )
    findings = [
        Finding("recognised", "format", f"{draft.format}: {_why(module, source)}")
    ]
    return Recording(
        table,
        draft.format,
        (*findings, *draft.findings),
        draft.metadata,
        source.path,
        sha256.result(),
    )


def _bring_to_li(draft: Draft, source: Source, options: Options) -> None:
    """Shift potentials of a BDF table that was written with an unknown reference."""
    here = sorted(POTENTIALS & set(draft.columns))
    beside = read_metadata(source.path) if here and _may_have(source.path) else {}
    if beside.get("reference_electrode", "li") is not None:
        return
    shift = options.record.reference_shift_volt
    if shift is None:
        draft.metadata["reference_electrode"] = None
        draft.look(
            "electrode potentials",
            "against a reference electrode that was not known when the table was "
            "written: give reference_electrode in the cell record",
        )
        return
    for column in here:
        draft.columns[column] = draft.columns[column] + shift
    draft.recognised(
        "electrode potentials", f"{shift:+.4g} V: vs Li+/Li by the cell record"
    )


def _may_have(file: Path) -> bool:
    """Whether the name of a file is one that metadata are written beside."""
    return ".bdf." in file.name


def _why(module: Reader, source: Source) -> str:
    return module.recognise(source) or "as was asked for"


def _module(name: str) -> Reader:
    return cast("Reader", import_module(f"equipoise.io.readers.{READERS[name]}"))


def _chosen(source: Source, reader: str | None, options: Options) -> str:
    if reader is not None:
        if reader not in READERS:
            raise SpecError(
                f"{reader!r} is no reader",
                where="reader",
                remedy=nearest(reader, READERS),
            )
        return reader
    if options.column_map is not None:
        return "table"
    for name in READERS:
        if _module(name).recognise(source):
            return name
    raise _unknown(source)


def _unknown(source: Source) -> DataError:
    """Say what an unknown file looks like, and what would help."""
    where = str(source.path)
    head = source.head
    if head.startswith(b"PAR1"):
        import polars as pl

        names = ", ".join(pl.read_parquet_schema(source.path))
        return DataError(
            f"a Parquet table without time, voltage and current; it has {names:.200}",
            where=where,
            remedy="name the time series, such as trace.bdf.parquet of a simulation",
        )
    if not source.is_text:
        kind = next((k for mark, k in _MAGIC.items() if head.startswith(mark)), "")
        if source.path.suffix[1:].isdecimal():
            kind = kind or "perhaps a MACCOR file as the cycler stores it"
        return DataError(
            f"not a known binary format ({kind or 'begins with ' + repr(head[:8])})",
            where=where,
            remedy=_ADVICE.get(kind, "export it as text, with units in the header"),
        )
    lines = [x for x in source.head_lines if x.strip()][:3]
    shown = "; ".join(repr(x[:70]) for x in lines)
    return DataError(
        f"no reader knows this text; it begins {shown}",
        where=where,
        remedy="describe its columns in a map (a few lines of TOML: equipoise read "
        "--map FILE; see docs/howto/read-any-table.md)",
    )


_MAGIC = {
    b"MATLAB 5.0": "a MATLAB file",
    b"PK\x03\x04": "a zip archive, such as a spreadsheet (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Office file (.xls)",
    b"\x89HDF": "HDF5",
    b"SQLite format 3": "an SQLite database, such as Arbin's .res relatives",
    b"\x00\x01\x00\x00Standard Jet": "an Access database (Arbin .res)",
    b"\x1f\x8b": "a gzip archive",
}
_ADVICE = {
    _MAGIC[b"MATLAB 5.0"]: "half-cell curves go to 'equipoise curve'; export a test as "
    "CSV",
    _MAGIC[b"PK\x03\x04"]: "save the sheet with the data as CSV",
    _MAGIC[b"\xd0\xcf\x11\xe0"]: "save the sheet with the data as CSV",
    _MAGIC[b"\x1f\x8b"]: "unpack it first",
    _MAGIC[b"\x00\x01\x00\x00Standard Jet"]: "export CSV from the cycler's program",
    "perhaps a MACCOR file as the cycler stores it": "its format needs the maker's "
    "Windows library: export it as text (ASCII) from the MACCOR program",
}


def measured_metadata(recording: Recording, record: CellRecord) -> dict[str, object]:
    """Metadata of a recording and of its cell, to be written beside the table.

    Electrode potentials in the table are vs Li+/Li if the record (or the file itself)
    knows the reference electrode, else against whatever was used: then both keys of
    the reference are null.
    """
    known = record.model_dump(exclude_none=True, exclude_defaults=True)
    content: dict[str, object] = recording.as_metadata() | {"cell": known}
    if record.name is not None:
        content["name"] = record.name
    if POTENTIALS & set(recording.table.columns):
        named = recording.metadata.get("reference_electrode", "li")
        vs_li = record.reference_shift_volt is not None or named == "li"
        content["reference_electrode"] = "li" if vs_li else None
        content["reference_potential_vs_li_volt"] = 0.0 if vs_li else None
        content["measured_against"] = record.reference_electrode or named
    return content
