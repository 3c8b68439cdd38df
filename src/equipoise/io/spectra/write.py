"""Write spectra as one plain table that any program opens."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.core.files import write_atomic
from equipoise.io.spectra.columnar import AREA, OURS
from equipoise.spec.spectrum import Spectrum

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDINGS = (".csv", ".parquet")


def write_spectra(spectra: Iterable[Spectrum] | Spectrum, path: str | Path) -> Path:
    """Write one or more spectra; `read_spectra` gives the same numbers back.

    Parameters
    ----------
    spectra
        In the order in which they are numbered.
    path
        Ends in ``.csv`` (shortest text that reads back as the same number) or
        ``.parquet``. Columns: `spectrum_index` from 0, `name`, `frequency_hertz`,
        `real_impedance_ohm`, `imaginary_impedance_ohm` (< 0 where capacitive) and,
        if any spectrum has one, `area_cm2`. Notes are not written.

    Returns
    -------
    Path
        Of the file, which is there whole or not at all.

    Raises
    ------
    DataError
        If there is no spectrum, or the name ends otherwise.
    StoreError
        If the file cannot be written.
    """
    import polars as pl

    target = Path(path)
    chosen = [spectra] if isinstance(spectra, Spectrum) else list(spectra)
    if target.suffix.lower() not in ENDINGS:
        raise DataError(
            f"the name of this file does not end in {' or '.join(ENDINGS)}",
            where=str(target),
            remedy=f"for example {target.stem or 'spectra'}.csv",
        )
    if not chosen:
        raise DataError(
            "there is no spectrum to write",
            where=str(target),
            remedy="give at least one",
        )
    sizes = [s.points_count for s in chosen]
    z = np.concatenate([s.impedance_ohm for s in chosen])
    columns: dict[str, pl.Series] = {
        OURS[0]: pl.Series(np.repeat(np.arange(len(chosen)), sizes)),
        OURS[1]: pl.Series(
            [_one_line(s.name) for s in chosen for _ in range(s.points_count)],
            dtype=pl.String,
        ),
        OURS[2]: pl.Series(np.concatenate([s.frequency_hertz for s in chosen])),
        OURS[3]: pl.Series(np.ascontiguousarray(z.real)),
        OURS[4]: pl.Series(np.ascontiguousarray(z.imag)),
    }
    if any(s.area_cm2 is not None for s in chosen):
        columns[AREA] = pl.Series(
            [s.area_cm2 for s in chosen for _ in range(s.points_count)],
            dtype=pl.Float64,
        )
    buffer = io.BytesIO()
    table = pl.DataFrame(columns)
    if target.suffix.lower() == ".parquet":
        table.write_parquet(buffer)
    else:
        table.write_csv(buffer)
    return write_atomic(target, buffer.getvalue())


def _one_line(name: str) -> str:
    """A name without line ends and control characters: rows are lines."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())
