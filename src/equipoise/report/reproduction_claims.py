"""What the paper says in words of how the cells age, and in how many draws it is so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from equipoise.study.zhang2026.lives import FIRST_1C, Seen

if TYPE_CHECKING:
    from equipoise.sim.life.life import Life
    from equipoise.study.zhang2026.predict import Prediction

FIRST = 2
"""Cycle that a change is counted from: the first one forms the cell."""


class Claim(NamedTuple):
    """A change of a column in a test, in one direction (+1 rises, -1 falls)."""

    words: str
    place: str
    case: str
    column: str
    sign: int
    unit: str
    form: str
    first: int = FIRST


CLAIMS = (
    Claim(
        "H2-H3 of HB shrinks at 0.2C", "Fig. 2e", "HB 0.2C",
        "h2h3_usage_mah_per_g_positive", -1, "mAh/g", ".1f",
    ),
    Claim(
        "H2-H3 of LB grows at 0.2C", "Fig. 2f", "LB 0.2C",
        "h2h3_usage_mah_per_g_positive", 1, "mAh/g", ".1f",
    ),
    Claim(
        "the upper potential of LB climbs as it ages", "sec. 2.5, Fig. 7", "LB 0.2C",
        "upper_potential_vs_li_volt", 1, "V", ".3f",
    ),
    Claim(
        "it does so at 1C", "Fig. 7 (a scheme)", "LB 1C",
        "upper_potential_vs_li_volt", 1, "V", ".3f", FIRST_1C + 1,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClaimText:
    """A claim as it is shown: medians at first and last, and draws that agree."""

    words: str
    place: str
    test: str
    first: str
    last: str
    unit: str
    agree: str


def claim_texts(predictions: Sequence[Prediction]) -> list[ClaimText]:
    """Every claim with what the draws say."""
    out: list[ClaimText] = []
    for claim in CLAIMS:
        lives = [p.lives[claim.case] for p in predictions if claim.case in p.lives]
        ends = np.array([_ends(one, claim.column, claim.first) for one in lives])
        agree = int((claim.sign * (ends[:, 1] - ends[:, 0]) > 0.0).sum())
        first, last = (format(v, claim.form) for v in np.median(ends, axis=0))
        share = f"{agree} of {len(lives)}"
        out.append(
            ClaimText(
                claim.words, claim.place, claim.case, first, last, claim.unit, share
            )
        )
    return out


def _ends(life: Life, column: str, first: int) -> tuple[float, float]:
    """A column at the first cycle that counts and at the last one."""
    seen = Seen(life)
    return seen.at(column, first), seen.at(column, life.last_cycle)
