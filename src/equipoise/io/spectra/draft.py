"""What a reader of spectra hands on: columns in Hz and ohm, and what is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import SpecError, nearest
from equipoise.io.readers.recording import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from equipoise.io.spectra.cells import Decimal

Array = NDArray[np.float64]
Sign = Literal["measured", "negative"]
Stated = Literal["measured", "negative", "open"]

REPAIRS = {
    "incomplete-rows": "leave out rows in which a value is missing",
    "zero-frequency": "leave out rows whose frequency is not above zero",
}


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of a reading, see `read.read_spectra`."""

    area_cm2: float | None = None
    imaginary_sign: Sign | None = None
    frequency_unit: str | None = None
    impedance_unit: str | None = None
    decimal: Decimal | None = None
    repairs: frozenset[str] = frozenset()


class Draft:
    """One table of impedances, read but not proved.

    Attributes
    ----------
    frequency_hertz
        Shape (N,), in the order of the file; NaN where the file has no value.
    real_ohm, imaginary_ohm
        Shape (N,), the second with the sign of the file; None if the file has
        magnitude and phase.
    magnitude_ohm, phase_radian
        Shape (N,); beside the two above they are witnesses.
    stated
        Sign of the imaginary part (else the phase) by its label; "open": no label.
    firm
        Whether the program fixes that sign, so that a contradiction is an error.
    ours
        Written by this package: the sign is ours, `groups` alone part spectra.
    phase_unit, frequency_unit, impedance_unit
        As the label says; empty: it says none.
    area_specific
        Whether the "ohm" are ohm cm2.
    groups
        Label -> one text per row; a change begins another spectrum.
    names
        One text per row, shape (N,), or None.
    rows
        Number of each row in the file, shape (N,), and what it counts.
    """

    def __init__(self, format: str, where: str) -> None:
        self.format, self.where = format, where
        self.frequency_hertz: Array = np.empty(0)
        self.real_ohm: Array | None = None
        self.imaginary_ohm: Array | None = None
        self.magnitude_ohm: Array | None = None
        self.phase_radian: Array | None = None
        self.stated: Stated = "measured"
        self.phase_stated: Sign = "measured"
        self.imaginary_label = ""
        self.firm = self.ours = False
        self.phase_unit = self.frequency_unit = self.impedance_unit = ""
        self.area_specific = False
        self.area_cm2: float | None = None
        self.areas_cm2: Array | None = None
        self.groups: dict[str, list[str]] = {}
        self.names: list[str] | None = None
        self.rows: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.row_word = "line"
        self.findings: list[Finding] = []
        self.metadata: dict[str, object] = {}

    def say(
        self,
        level: Literal["recognised", "proven", "not proven", "look", "repaired"],
        what: str,
        how: str,
        residual: float | None = None,
        tolerance: float | None = None,
    ) -> None:
        """Add a finding."""
        self.findings.append(Finding(level, what, how, residual, tolerance))

    def say_open_end(self, text: bytes) -> None:
        """Say it if the last line of a text has no end."""
        if not text.endswith((b"\n", b"\x1a", b"\x00")):
            self.say(
                "look",
                "last line",
                "has no end: if the file was cut there, its last number may be too "
                "short, and what came behind it is lost",
            )

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Only the chosen rows, shape (N,)."""
        self.order(np.flatnonzero(rows))

    def order(self, chosen: NDArray[np.int64]) -> None:
        """Rows in another order, shape (M,): indices of those that are kept."""
        for name in (
            "frequency_hertz",
            "real_ohm",
            "imaginary_ohm",
            "magnitude_ohm",
            "phase_radian",
            "areas_cm2",
            "rows",
        ):
            values = getattr(self, name)
            if values is not None:
                setattr(self, name, values[chosen])
        for label, words in self.groups.items():
            self.groups[label] = [words[i] for i in chosen]
        if self.names is not None:
            self.names = [self.names[i] for i in chosen]

    def at(self, rows: NDArray[np.bool_]) -> str:
        """Where the first chosen rows are, for messages."""
        chosen = self.rows[rows]
        shown = ", ".join(str(int(i)) for i in chosen[:5])
        more = ", ..." if chosen.size > 5 else ""
        return f"{self.row_word}{'s' if chosen.size > 1 else ''} {shown}{more}"


def checked(repairs: Iterable[str]) -> frozenset[str]:
    """The repairs asked for.

    Raises
    ------
    SpecError
        If one is not known.
    """
    wanted = frozenset([repairs] if isinstance(repairs, str) else repairs)
    for name in sorted(wanted):
        if name not in REPAIRS:
            raise SpecError(
                f"{name!r} is no repair", where="repair", remedy=nearest(name, REPAIRS)
            )
    return wanted
