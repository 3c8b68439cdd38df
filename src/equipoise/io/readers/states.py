"""The cycler's words for charge and discharge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

_NEITHER = re.compile(
    r"rest|ruhe|pause|wait|ocv|repos|suspend|check|change|chann|chamber|charakter|"
    r"charact|mechan|techn|exchange|disconn|disab|disp|distr|eis\b"
)
_DISCHARGE = re.compile(
    r"^d(_.*)?$|(?<![a-z0-9])d[_ -]?ch|cd[_ -]?ch|dchg|disc|dis\b|d[ée]charge|"
    r"entlad|放电"
)
_CHARGE = re.compile(
    r"^c(_.*)?$|\bcha$|ch(g|rg|arg)|^cc?cv?_?c|(?<!ent)lad(en|ung|e\b)|充电"
)


def direction_of(word: str) -> int:
    """+1 for a word that means charge, -1 for discharge, 0 for all others.

    Examples
    --------
    >>> [direction_of(w) for w in ("C", "D", "R", "CC DChg", "CCCV_Chg", "DCH", "Rest")]
    [1, -1, 0, -1, 1, -1, 0]
    """
    text = word.strip().lower()
    if _NEITHER.search(text):
        return 0
    if _DISCHARGE.search(text):
        return -1
    return 1 if _CHARGE.search(text) else 0


def flow_of(words: pl.Series) -> NDArray[np.int8]:
    """Direction of each row, shape (N,), by its word."""
    import polars as pl

    text = words.cast(pl.String).fill_null("")
    known = {w: direction_of(w) for w in text.unique().to_list()}
    return text.replace_strict(known, return_dtype=pl.Int8).to_numpy().astype(np.int8)
