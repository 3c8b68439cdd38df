"""Neware .nda and .ndax files, decoded by fastnda (BSD-3-Clause).

One counter of charge and one of energy per step, below zero on discharge. In .ndax the
cycler writes times and charges at some rows only; fastnda fills the rows between by the
current, so that the counter is the cycler's own at the rows it wrote.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
import zipfile
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import states
from equipoise.io.readers.draft import Counter, Draft
from equipoise.io.readers.source import free_memory_bytes

if TYPE_CHECKING:
    from collections.abc import Generator

    import polars as pl

    from equipoise.io.readers.options import Options
    from equipoise.io.readers.source import Source

FORMAT = "Neware"
_NDA = b"NEWARE"
_ZIP = b"PK\x03\x04"
_MEMBERS = (b"data.ndc", b"data_runInfo.ndc", b"VersionInfo.xml", b"TestInfo.xml")
_MEMORY_PER_BYTE = 8.0
"""Peak memory over the size of the unpacked members, as of other binary files."""
SAME_CLOCK_SECOND = 1e-4
"""A clock that never leaves the test time by more says nothing of it."""
_COLUMNS = {
    "test_time_second": "total_time_s",
    "voltage_volt": "voltage_V",
    "cycle_count": "cycle_count",
    "step_count": "step_count",
    "step_index": "step_index",
    "step_time_second": "step_time_s",
    "record_index": "index",
}
_WHOLE = ("cycle_count", "step_count", "step_index", "record_index")
_KEPT = {
    "StartTime": "started_local",
    "start_time": "started_local",
    "Barcode": "barcode",
    "barcode": "barcode",
    "StepName": "program",
    "DevID": "device",
    "UnitID": "unit",
    "ChlID": "channel",
    "SN": "serial",
    "active_mass_mg": "active_mass_mg",
    "Remark": "remark",
    "remark": "remark",
}
"""What is taken from the metadata: addresses and names of computers are not."""


def recognise(source: Source) -> str:
    """Evidence that this is a Neware file; empty if it is not."""
    head = source.head
    if head.startswith(_NDA):
        return "begins with 'NEWARE'"
    if head.startswith(_ZIP):
        member = next((m for m in _MEMBERS if m in head), None)
        if member is not None:
            return f"a zip archive that holds {member.decode()}"
    return ""


def draft(source: Source, options: Options) -> Draft:
    """Read the records.

    Raises
    ------
    DataError
        If the file is cut, damaged, or of a version that fastnda does not know.
    """
    del options  # a Neware file leaves nothing to choose
    where = str(source.path)
    suffix = ".nda" if source.head.startswith(_NDA) else ".ndax"
    if suffix == ".ndax":
        _check_archive(source.raw, where)
    made = Draft(FORMAT, printed=False)
    with _named(source, suffix) as path, _guarded(made, where):
        frame, counted = _frame(path)
    _check_columns(frame, where)
    made.recognised(
        "table",
        f"{suffix} by fastnda, {frame.height} records: {', '.join(frame.columns)}",
    )
    with np.errstate(all="ignore"):
        _fill(made, frame, suffix)
    if counted:
        made.look(
            "cycles", "not in the file: counted by fastnda from charge and discharge"
        )
    if suffix == ".ndax":
        made.recognised(
            "capacity",
            "fastnda fills rows between the cycler's own counts by the current",
        )
    with _named(source, suffix) as path:
        made.metadata |= _metadata(path)
    return made


def _check_archive(raw: bytes, where: str) -> None:
    """Refuse archives that are broken, lack the data, or unpack to too much."""
    try:
        with zipfile.ZipFile(BytesIO(raw)) as archive:
            members = archive.infolist()
            names = [m.filename for m in members]
            unpacked = sum(m.file_size for m in members)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"the archive is cut or damaged ({str(error) or type(error).__name__})",
            where=where,
            remedy="copy the file again from the cycler's computer",
        ) from None
    if "data.ndc" not in names:
        raise DataError(
            f"the archive holds no data.ndc; found: {', '.join(names)[:200] or 'none'}",
            where=where,
            remedy="export the test again from BTSDA as .ndax",
        )
    free = free_memory_bytes()
    if free is not None and unpacked * _MEMORY_PER_BYTE > free:
        raise DataError(
            f"unpacks to {unpacked / 1e9:.1f} GB, which needs about "
            f"{unpacked * _MEMORY_PER_BYTE / 1e9:.0f} GB of memory; "
            f"{free / 1e9:.1f} GB are free",
            where=where,
            remedy="use a machine with more memory",
        )


@contextmanager
def _named(source: Source, suffix: str) -> Generator[Path]:
    """The file under a name that fastnda accepts: it goes by the suffix."""
    if source.path.suffix.lower() == suffix:
        yield source.path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"file{suffix}"
        copy.write_bytes(source.raw)
        yield copy


@contextmanager
def _guarded(made: Draft, where: str) -> Generator[None]:
    """Turn whatever a decoder may raise on broken bytes into one error."""
    import polars as pl

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except (Exception, pl.exceptions.PanicException) as error:
            reason = str(error).strip().splitlines() or [""]
            raise DataError(
                "cannot be decoded: the file is cut, damaged, or of a version that "
                f"fastnda does not know ({type(error).__name__}: {reason[0]:.120})",
                where=where,
                remedy="copy it again; else export it as text (CSV) from BTSDA",
            ) from None
    for warning in caught:
        if type(warning.message).__name__ == "UnverifiedFormatWarning":
            made.look("format", f"{str(warning.message).split(chr(10))[0]:.200}")


def _frame(path: Path) -> tuple[pl.DataFrame, bool]:
    """Records, and whether the cycles were counted by fastnda for want of others."""
    import fastnda

    told = _Told()
    logger = logging.getLogger("fastnda.main")
    logger.addHandler(told)
    try:
        frame = fastnda.read(path, cycle_mode="raw")
    finally:
        logger.removeHandler(told)
    return frame, told.cycles_missing


class _Told(logging.Handler):
    """Listens for the one thing that fastnda says in its log only."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.cycles_missing = False

    def emit(self, record: logging.LogRecord) -> None:
        """Note a missing column of cycles."""
        self.cycles_missing |= "cycle column missing" in record.getMessage()


def _check_columns(frame: pl.DataFrame, where: str) -> None:
    needed = ("total_time_s", "voltage_V", "current_mA")
    missing = [x for x in needed if x not in frame.columns]
    if missing or frame.height == 0:
        raise DataError(
            f"there is no {' and no '.join(missing)}"
            if missing
            else "there is no record",
            where=where,
            remedy="copy the file again after the test; else export it as text (CSV)",
        )


def _fill(made: Draft, frame: pl.DataFrame, suffix: str) -> None:
    import polars as pl

    columns = made.columns
    for name, theirs in _COLUMNS.items():
        if theirs in frame.columns:
            kind = pl.Int64 if name in _WHOLE else pl.Float64
            columns[name] = frame[theirs].cast(kind)
    columns["current_ampere"] = frame["current_mA"].cast(pl.Float64) * 1e-3
    if "step_type" in frame.columns:
        words = frame["step_type"].cast(pl.String)
        columns["step_type"] = words
        made.flow = states.flow_of(words)
    _count(made, frame, "capacity_mAh", "capacity")
    _count(made, frame, "energy_mWh", "energy")
    _clock(made, frame, suffix)
    for theirs in frame.columns:
        if theirs.startswith("aux"):
            own = "temperature_t1_celsius"
            first = theirs.endswith("temperature_degC") and own not in columns
            columns[own if first else theirs] = frame[theirs].cast(pl.Float64)


def _count(
    made: Draft,
    frame: pl.DataFrame,
    theirs: str,
    quantity: Literal["capacity", "energy"],
) -> None:
    """One counter, below zero on discharge, as the two that it is."""
    if theirs not in frame.columns:
        return
    values = _floats(frame, theirs) * 1e-3
    made.counters += [
        Counter(f"{theirs} > 0", quantity, "charge", np.maximum(values, 0.0)),
        Counter(f"{theirs} < 0", quantity, "discharge", np.maximum(-values, 0.0)),
    ]


def _floats(
    frame: pl.DataFrame, name: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    import polars as pl

    values = frame[name].cast(pl.Float64).fill_null(float("nan"))
    return values.to_numpy().astype(np.float64)


def _clock(made: Draft, frame: pl.DataFrame, suffix: str) -> None:
    """The cycler's clock, unless it was made up from the test time."""
    import polars as pl

    if "unix_time_s" not in frame.columns:
        return
    unix = _floats(frame, "unix_time_s")
    offset = unix - _floats(frame, "total_time_s")
    known = offset[np.isfinite(offset)]
    if known.size and float(np.ptp(known)) >= SAME_CLOCK_SECOND:
        made.clock_second = unix
    elif suffix == ".nda":
        made.recognised("clock", "none in the file, but for the start")
        return
    made.columns["unix_time_second"] = pl.Series(unix).fill_nan(None)


def _metadata(path: Path) -> dict[str, object]:
    """Start, channel and names; nothing if the file's own are broken."""
    import fastnda
    import polars as pl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = cast("dict[str, object]", fastnda.read_metadata(path))
    except (Exception, pl.exceptions.PanicException):
        return {}  # the table does not depend on it
    found: dict[str, object] = {}
    _collect(raw, found)
    return found


def _collect(raw: dict[str, object], found: dict[str, object]) -> None:
    for key, value in raw.items():
        if isinstance(value, dict):
            inner = cast("dict[str, object]", value)
            if key in _KEPT and set(inner) == {"Value"}:
                found.setdefault(_KEPT[key], inner["Value"])
            else:
                _collect(inner, found)
        elif key in _KEPT and value not in ("", 0, 0.0, None):
            found.setdefault(_KEPT[key], value)
