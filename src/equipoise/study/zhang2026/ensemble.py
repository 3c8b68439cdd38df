"""Draws of the calibrated ageing: what the HB cells leave open about LB."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from equipoise.core.errors import SpecError
from equipoise.study.zhang2026.hypotheses import HYPOTHESES, Hypothesis


@dataclass(frozen=True, slots=True)
class Member:
    """One draw.

    Attributes
    ----------
    hypothesis, kinetics
        Names of the mechanisms and of the rates of the fresh cell.
    values
        Parameters, natural scale, those of the three HB cells among them.
    lb_cells
        ln of the hazard of each LB cell over the mean, by test: new cells, drawn from
        the spread from cell to cell.
    reading_ratio
        Of a resistance read from a spectrum over the one computed.
    """

    hypothesis: str
    kinetics: str
    values: dict[str, float]
    lb_cells: dict[str, float]
    reading_ratio: float

    @property
    def mechanisms(self) -> Hypothesis:
        """The combination of mechanisms."""
        for known in HYPOTHESES:
            if known.name == self.hypothesis:
                return known
        raise SpecError(
            f"the hypothesis {self.hypothesis!r} is not known",
            where="ensemble.toml",
            remedy="run tools/calibrate_ageing.py again",
        )


@cache
def members() -> tuple[Member, ...]:
    """All draws, equally likely; written by tools/calibrate_ageing.py."""
    file = resources.files("equipoise.study.zhang2026") / "ensemble.toml"
    content = tomllib.loads(file.read_text("utf-8"))
    return tuple(
        Member(
            row["hypothesis"],
            row["kinetics"],
            dict(row["values"]),
            dict(row["lb_cells"]),
            float(row["reading_ratio"]),
        )
        for row in content["members"]
    )
