"""Columns under EC-Lab's labels, on their way into a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from equipoise.io.readers.draft import Array, Draft


class Labelled:
    """The columns of one recording, and the draft that they go to.

    Attributes
    ----------
    all
        Label -> values, all of one length.
    left
        Those of them that have found no meaning yet.
    ac
        Rows of an impedance spectrum, shape (N,).
    """

    def __init__(self, made: Draft, cells: dict[str, pl.Series], where: str) -> None:
        self.made, self.all, self.left, self.where = made, cells, dict(cells), where
        self.ac = self._ac()

    def _ac(self) -> NDArray[np.bool_]:
        """Rows of an impedance spectrum."""
        rows = next(iter(self.all.values())).len() if self.all else 0
        if "freq/Hz" not in self.all:
            return np.zeros(rows, dtype=np.bool_)
        return self.floats("freq/Hz") > 0.0

    def floats(self, label: str) -> Array:
        """A column as numbers, NaN where there is none."""
        import polars as pl

        values = self.all[label].cast(pl.Float64).fill_null(float("nan"))
        return values.to_numpy().astype(np.float64)

    def either(self, labels: tuple[str, ...]) -> tuple[Array, str] | None:
        """First of several columns; rows of a spectrum may be in a later one."""
        found = [x for x in labels if x in self.all]
        if not found:
            return None
        values = self.floats(found[0])
        self.left.pop(found[0], None)
        for other in found[1:]:
            more = self.floats(other)
            use = self.ac & ~(np.abs(values) > 0.0) & np.isfinite(more)
            values = np.where(use, more, values)
        return values, found[0]

    def mode(self) -> NDArray[np.int64] | None:
        """1 galvanostatic, 2 potentiostatic, 3 rest; None if the file has none."""
        if "mode" not in self.all:
            return None
        values = self.floats("mode")
        return values.astype(np.int64) if np.isfinite(values).all() else None

    def absent(self, what: str) -> DataError:
        """The error for a column that is needed."""
        return DataError(
            f"there is no column of {what}; found: {', '.join(self.all)}",
            where=self.where,
            remedy="export this column too (EC-Lab: Export as Text, all variables)",
        )


def series_of(values: Array) -> pl.Series:
    """Numbers as a column, NaN as null."""
    import polars as pl

    return pl.Series(values).fill_nan(None)
