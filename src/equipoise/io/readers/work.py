"""What the proofs of one file look at, and where they write what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers import charge_proof as cp
from equipoise.io.readers import sign_proof as sp
from equipoise.io.readers.recording import Finding

if TYPE_CHECKING:
    from equipoise.io.readers.counters import Reach
    from equipoise.io.readers.draft import Array, Draft

LARGEST_COUNT = 2.0**62


class Work:
    """The arrays of a draft; the proofs bring them to second and charging > 0.

    Attributes
    ----------
    seconds, volts, amperes
        Shape (N,).
    cycles, steps
        Cycle number, and a number that changes with every step, shape (N,); None if
        the file has none.
    """

    def __init__(self, draft: Draft, where: str) -> None:
        self.draft, self.where = draft, where
        self.seconds: Array = draft.floats("test_time_second")
        self.volts: Array = draft.floats("voltage_volt")
        self.amperes: Array = draft.floats("current_ampere")
        self.cycles = _counts(draft, "cycle_count")
        self.steps = self._steps()

    @property
    def rows(self) -> cp.Rows:
        """What integrals are taken over: all rows but those of a spectrum."""
        return cp.Rows(self.seconds, self.volts, self.amperes, self._direct())

    def _direct(self) -> NDArray[np.uint8]:
        """1 for rows of no spectrum, whose single values tell nothing; empty: all."""
        if "frequency_hertz" not in self.draft.columns:
            return np.empty(0, dtype=np.uint8)
        direct = ~(self.draft.floats("frequency_hertz") > 0.0)
        direct[1:] &= direct[:-1].copy()  # nor the interval behind a spectrum
        return direct.astype(np.uint8)

    @property
    def rest_ampere(self) -> float:
        """Current below which a row is a rest; spectra do not count."""
        use = self.rows.use
        return sp.rest_ampere(self.amperes * use if use.size else self.amperes)

    def reach(self, quantity: str) -> Reach:
        """Most charge (Ah) or energy (Wh) of the intervals that end in some rows."""
        most = self.most_ampere
        if quantity == "energy":
            most *= max(float(self.volts.max()), -float(self.volts.min()))

        def at(rows: NDArray[np.int64]) -> Array:
            return most * (self.seconds[rows] - self.seconds[rows - 1]) / 3600.0

        return at

    @property
    def most_ampere(self) -> float:
        """Largest current in either direction."""
        return max(float(self.amperes.max()), -float(self.amperes.min()))

    def _steps(self) -> NDArray[np.int64] | None:
        """Changes with every step; with the direction if steps have no number."""
        draft = self.draft
        names = [n for n in ("step_count", "step_index") if n in draft.columns][:1]
        marks = [] if self.cycles is None else [self.cycles]
        marks += [m for n in names if (m := _counts(draft, n)) is not None]
        if not names and draft.flow is not None:
            marks.append(draft.flow.astype(np.int64))
        if len(marks) < 2:
            return marks[0] if marks else None
        changed = np.zeros(marks[0].size, dtype=bool)
        for mark in marks:
            changed[1:] |= mark[1:] != mark[:-1]
        return np.cumsum(changed)

    def note(
        self,
        level: Literal["proven", "not proven", "look", "recognised"],
        what: str,
        how: str,
        residual: float | None = None,
        tolerance: float | None = None,
    ) -> None:
        """Add a finding."""
        self.draft.findings.append(Finding(level, what, how, residual, tolerance))


def _counts(draft: Draft, name: str) -> NDArray[np.int64] | None:
    """A column of whole numbers without gaps, else None."""
    column = draft.columns.get(name)
    if column is None or column.null_count():
        return None
    if column.dtype.is_integer():
        return np.asarray(column.to_numpy(), dtype=np.int64)
    values = draft.floats(name)
    whole = (np.abs(values) < LARGEST_COUNT) & (values == np.round(values))
    return values.astype(np.int64) if whole.all() else None
