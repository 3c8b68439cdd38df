"""Spectra that lie in a table of a cycling test: rows with a frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.io.spectra.sweeps import sweeps
from equipoise.spec.spectrum import Spectrum

if TYPE_CHECKING:
    import polars as pl

NEEDED = ("frequency_hertz", "real_impedance_ohm", "imaginary_impedance_ohm")


def spectra_of(
    table: pl.DataFrame, *, area_cm2: float | None = None, name: str = ""
) -> tuple[Spectrum, ...]:
    """Cut the rows of spectra out of a table and into sweeps.

    Parameters
    ----------
    table
        As `read` gives it, or `Store.table(cell, "spectra")`: columns
        `frequency_hertz`, `real_impedance_ohm`, `imaginary_impedance_ohm` (< 0 where
        capacitive) and, if there, `cycle_count`. Rows without a frequency are no
        spectrum.
    area_cm2
        Geometric area for area-specific results.
    name
        Prefix of the names of the spectra.

    Returns
    -------
    tuple of Spectrum
        In the order of the table; empty if it holds none. A new cycle, or a frequency
        range that is run through again, begins a new one.

    Raises
    ------
    DataError
        If a column is missing or holds no numbers, or a row has a frequency but no
        impedance.
    """
    missing = [n for n in NEEDED if n not in table.columns]
    if missing:
        raise DataError(
            f"the table has no column {', '.join(missing)}",
            where=name or "table of spectra",
            remedy="give a table with the columns of an impedance measurement",
        )
    where = name or "table of spectra"
    numbers = {n: _numbers(table, n, where) for n in NEEDED}
    kept = ~np.isnan(numbers["frequency_hertz"])
    if not kept.any():
        return ()
    f, real, imaginary = (numbers[n][kept] for n in NEEDED)
    cycles = np.full(f.size, -1.0)
    if "cycle_count" in table.columns:
        cycles = _numbers(table, "cycle_count", where)[kept]
        cycles = np.where(np.isfinite(cycles), cycles, -1.0)
    found: list[Spectrum] = []
    starts = np.flatnonzero(np.concatenate([[True], cycles[1:] != cycles[:-1]]))
    for begin, end in zip(starts, [*starts[1:], f.size], strict=True):
        if not (f[begin:end] > 0.0).all():
            sets = (np.arange(end - begin),)  # `Spectrum.of` says which row is wrong
        else:
            sets = sweeps(f[begin:end])
        for part in sets:
            at = begin + part
            words = [name] if name else []
            if cycles[begin] >= 0:
                words.append(f"cycle {int(cycles[begin])}")
            if len(sets) > 1 or not words:
                words.append(f"spectrum {len(found) + 1}")
            found.append(
                Spectrum.of(
                    f[at],
                    real[at] + 1j * imaginary[at],
                    area_cm2=area_cm2,
                    name=" ".join(words),
                    where=where,
                )
            )
    return tuple(found)


def _numbers(table: pl.DataFrame, column: str, where: str) -> NDArray[np.float64]:
    """A column as numbers, NaN where there is none."""
    import polars as pl

    values = table[column]
    if not (values.dtype.is_numeric() or values.dtype == pl.Null):
        raise DataError(
            f"column {column!r} holds {values.dtype}, not numbers",
            where=where,
            remedy="cast it to numbers",
        )
    filled = values.cast(pl.Float64).fill_null(float("nan"))
    return np.asarray(filled.to_numpy(), dtype=np.float64)
