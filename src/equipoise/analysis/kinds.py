"""Kinds of cycles, what cyclers call them, and the choice of cycles of one kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from equipoise.core.errors import DataError, nearest

if TYPE_CHECKING:
    import polars as pl

KINDS: dict[str, str] = {
    "formation": "first cycles, at a lower rate of their own",
    "rate step": "of a block of short runs at three or more rates",
    "ageing": "the cycle that is repeated most",
    "check-up": "at another rate or over a wider window, between runs of ageing",
    "pulse": "current in pulses, as for a resistance (HPPC, DCIR)",
    "eis": "impedance only",
    "rest": "no charge passed",
    "incomplete": "one direction only, or charge and discharge of unlike size",
    "other": "none of these",
}
"""Kind of a cycle -> what it means."""

SPELLINGS: tuple[tuple[str, str], ...] = (
    ("pulse", r"hppc|pulses?|dcir|dcr|gitt|pitt"),
    ("eis", r"p?eis|geis|impedance|spectrum"),
    ("formation", r"formation|forming|conditioning|activation|initiali[sz]ation"),
    ("rate step", r"rates?|rate ?step|rate ?test|rate ?capability|crate"),
    (
        "check-up",
        r"check ?ups?|capacity (?:check|test)|rpt|reference (?:performance|cycle)"
        r"|diagnostics?|characteri[sz]ation",
    ),
    ("ageing", r"age?ing|cycling|cycle ?life|long ?term|endurance"),
    ("incomplete", r"incomplete|aborted|interrupted"),
    ("rest", r"rest|ocv|pause|storage"),
    ("other", r"other"),
)
"""Kind -> how files call it: whole words, the first that is found."""

_WORDS = tuple((k, re.compile(rf"(?:^| )(?:{p})(?: |$)")) for k, p in SPELLINGS)


def kind_of_label(label: str | None) -> str | None:
    """Return the kind that a label means, None for a label that is not known.

    Examples
    --------
    >>> kind_of_label("Capacity check")
    'check-up'
    >>> kind_of_label("Aging cycle")
    'ageing'
    >>> kind_of_label("Segment 7") is None
    True
    """
    plain = " ".join(re.findall(r"[a-z]+", (label or "").lower()))
    return next((kind for kind, word in _WORDS if word.search(plain)), None)


def like_cycles(
    cycles: pl.DataFrame,
    kind: str | Sequence[str] = "ageing",
    *,
    complete: bool = True,
) -> pl.DataFrame:
    """Choose the cycles that may be compared: those of one kind.

    Statistics of efficiencies and capacities over all cycles of a test mix what is
    unlike: a check-up, a pulse and an ageing cycle have nothing in common.

    Parameters
    ----------
    cycles
        Cycle table with cycle_kind and complete, from `cycle_summary` or `classify`.
    kind
        One of `KINDS`, or several.
    complete
        Leave out cycles without both a charge and a discharge of like size, even if
        their label gives them this kind.

    Raises
    ------
    DataError
        If there is no such kind, or the cycles are not classified.
    """
    import polars as pl

    wanted = [kind] if isinstance(kind, str) else list(kind)
    for one in wanted:
        if one not in KINDS:
            raise DataError(f"{one!r} is no kind of cycle", remedy=nearest(one, KINDS))
    missing = [n for n in ("cycle_kind", "complete") if n not in cycles.columns]
    if missing:
        raise DataError(
            f"the cycles have no column {missing[0]!r}; found: "
            f"{', '.join(cycles.columns)}",
            where="cycle table",
            remedy="use equipoise.analysis.classify.classify first",
        )
    like = cycles.filter(pl.col("cycle_kind").is_in(wanted))
    return like.filter(pl.col("complete")) if complete else like
