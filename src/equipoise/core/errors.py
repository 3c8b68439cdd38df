"""One error tree; every message says what, found what, where and what to do next.

::

    EquipoiseError            exit code 2 on the command line, unless noted
    +-- SpecError             a specification (TOML, keyword) is wrong
    +-- DataError             a measured file or table is wrong
    +-- SolveError            the model gave up (exit code 3); carries a Status
    +-- FitError              a fit failed or is not identifiable (exit code 3)
    +-- StoreError            a file could not be written or read back

    EquipoiseWarning          answered, but look
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from equipoise.core.status import Status


class EquipoiseError(Exception):
    """Root of all errors raised on purpose by equipoise.

    Parameters
    ----------
    message
        What is wrong, including the value that was found.
    where
        File, row or key that holds the value.
    remedy
        What the user can do about it.
    """

    exit_code = 2

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        self.message, self.where, self.remedy = message, where, remedy
        super().__init__(message)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  -> {self.remedy}" if self.remedy else text


class SpecError(EquipoiseError):
    """A specification (TOML file, keyword or option) is wrong."""


class DataError(EquipoiseError):
    """A measured file or table is wrong, or not what it was declared to be."""


class SolveError(EquipoiseError):
    """The model could not answer; `status` says why."""

    exit_code = 3

    def __init__(
        self, status: Status, message: str, *, where: str = "", remedy: str = ""
    ) -> None:
        self.status = status
        super().__init__(message, where=where, remedy=remedy or status.advice)


class FitError(EquipoiseError):
    """A fit did not converge, or the data cannot determine what was asked."""

    exit_code = 3


class StoreError(EquipoiseError):
    """A file could not be written, or not be read back."""


class EquipoiseWarning(UserWarning):
    """Answered, but look: an extrapolation, a large correction, a poor residual."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, or the list of what is known.

    Examples
    --------
    >>> nearest("np_ration", ["np_ratio", "window"])
    "did you mean 'np_ratio'?"
    """
    known = sorted(known)
    plain = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), plain, n=1, cutoff=0.6)
    if close:
        return f"did you mean {plain[close[0]]!r}?"
    return f"known: {', '.join(known)}"
