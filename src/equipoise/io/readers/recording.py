"""What a reader returns: the table, and how each of its columns was understood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

Level = Literal["recognised", "proven", "not proven", "look", "repaired"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out about a file.

    Attributes
    ----------
    level
        "recognised": read off the file; "proven": two columns of the file agree;
        "not proven": nothing in the file could; "look": right by itself, but strange;
        "repaired": changed on request.
    what
        Column or property.
    how
        Evidence, with numbers and units.
    residual_ratio, tolerance_ratio
        Of a proof: relative disagreement, and what is allowed.
    """

    level: Level
    what: str
    how: str
    residual_ratio: float | None = None
    tolerance_ratio: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Fit for JSON."""
        content: dict[str, object] = {
            "level": self.level,
            "what": self.what,
            "how": self.how,
        }
        if self.residual_ratio is not None:
            content["residual_ratio"] = self.residual_ratio
            content["tolerance_ratio"] = self.tolerance_ratio
        return content


@dataclass(frozen=True, slots=True)
class Recording:
    """A file as one table in the names and units of `core.columns`.

    Attributes
    ----------
    table
        Rows in the order of the file; current > 0 charges; potentials vs Li+/Li
        if the reference electrode is known, see `metadata`.
    format
        Which reader understood it.
    findings
        How, with proofs and their residuals.
    metadata
        What the file says of itself: start, program, channel, comment, masses.
    path, sha256
        The file, and the hash of its bytes.
    """

    table: pl.DataFrame
    format: str
    findings: tuple[Finding, ...]
    metadata: Mapping[str, object]
    path: Path
    sha256: str

    @property
    def proven(self) -> bool:
        """Whether the unit of the current was proved by a second column."""
        return any(
            f.level == "proven" and f.what.startswith("current: unit")
            for f in self.findings
        )

    def as_metadata(self) -> dict[str, object]:
        """What is written beside the table: source, evidence, the file's own words."""
        return {
            "kind": "measured",
            "source": self.path.name,
            "source_sha256": self.sha256,
            "source_format": self.format,
            "source_metadata": dict(self.metadata),
            "findings": [f.as_dict() for f in self.findings],
        }
