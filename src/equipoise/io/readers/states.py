"""The cycler's words for charge and discharge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

_DISCHARGE = re.compile(r"^d(_.*)?$|dch|d[_ ]?ch|disc|dis\b|^dis")
_CHARGE = re.compile(r"^c(_.*)?$|ch(a|g|arge)|^cc?cv?_?c")


def direction_of(word: str) -> int:
    """+1 for a word that means charge, -1 for discharge, 0 for all others.

    Examples
    --------
    >>> [direction_of(w) for w in ("C", "D", "R", "CC DChg", "CCCV_Chg", "DCH", "Rest")]
    [1, -1, 0, -1, 1, -1, 0]
    """
    text = word.strip().lower()
    if _DISCHARGE.search(text):
        return -1
    return 1 if _CHARGE.search(text) else 0


def flow_of(words: pl.Series) -> NDArray[np.int8]:
    """Direction of each row, shape (N,), by its word."""
    import polars as pl

    text = words.cast(pl.String).fill_null("")
    known = {w: direction_of(w) for w in text.unique().to_list()}
    return text.replace_strict(known, return_dtype=pl.Int8).to_numpy().astype(np.int8)
