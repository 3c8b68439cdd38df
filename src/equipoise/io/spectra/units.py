"""Unit of a column: what its label says, or what the user says where it says none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.core.errors import DataError
from equipoise.io.spectra.labels import is_angular, unit_of

if TYPE_CHECKING:
    from equipoise.io.readers.source import Source
    from equipoise.io.spectra.draft import Options
    from equipoise.io.spectra.labels import Meaning, Quantity

MOST_TEXT_BYTES = 50_000_000
"""Half a million points with ten columns; reading takes 55 bytes of memory for each."""
_OHMS = ("real", "imaginary", "magnitude")


def told_unit(column: Meaning, options: Options) -> str | None:
    """What the user says about the unit of a column."""
    if column.quantity == "frequency":
        return options.frequency_unit
    return options.impedance_unit if column.quantity in _OHMS else None


def ratio_of(column: Meaning, options: Options, where: str) -> tuple[float, bool]:
    """Factor to Hz, ohm (cm2) or radian, and whether it is area-specific.

    Raises
    ------
    DataError
        If the unit is not known, or the user contradicts the label.
    """
    told = told_unit(column, options)
    if told is not None:
        known = unit_of(told, column.quantity)
        if known is None:
            raise unknown_unit(told, column.quantity, where)
        stated = column.unit and column.unit_ratio is not None
        if stated and known != (column.unit_ratio, column.area_specific):
            raise DataError(
                f"column {column.label!r} is in {column.unit!r}, not {told!r}",
                where=where,
                remedy="leave out the unit, or correct the header",
            )
        return known
    if column.unit_ratio is None:
        if column.quantity == "frequency" and is_angular(column.label):
            raise DataError(
                f"column {column.label!r} is named as an angular frequency, but its "
                f"unit {column.unit!r} is one of frequency",
                where=where,
                remedy="name it freq/Hz or omega/(rad/s), or say frequency_unit=",
            )
        raise unknown_unit(column.unit, column.quantity, where)
    return column.unit_ratio, column.area_specific


def unknown_unit(unit: str, quantity: Quantity, where: str) -> DataError:
    """Refusal of a unit, with those that are known."""
    expected = {
        "frequency": "Hz, kHz, MHz, mHz, rad/s",
        "phase": "deg, rad",
    }.get(quantity, "ohm, mOhm, kOhm, MOhm, each also times cm2")
    return DataError(
        f"{unit!r} is no unit of the {quantity} that is known",
        where=where,
        remedy=f"use one of {expected}; capitals matter (mOhm, MOhm)",
    )


def refuse_huge(source: Source) -> None:
    """Refuse a text that is too large for one of spectra.

    Raises
    ------
    DataError
        If it has more than 50 MB.
    """
    if source.size_bytes > MOST_TEXT_BYTES:
        raise DataError(
            f"a text of {source.size_bytes / 1e6:.0f} MB; of spectra at most "
            f"{MOST_TEXT_BYTES / 1e6:.0f} MB are read",
            where=str(source.path),
            remedy="export the rows with a frequency alone, or split the file; a "
            "Parquet table may be larger",
        )
