"""Rows of one spectrum that stand between those of others, brought together.

A long table that somebody sorted by frequency holds the rows of all cells in turn; its
column of names, cells or cycles then changes in every row.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.io.spectra.draft import Draft
from equipoise.io.spectra.labels import meaning
from equipoise.io.spectra.sweeps import changes

LEAST_FREQUENCIES = 3
"""Of each value of a label: fewer, and it counts points."""
LEAST_SPAN_SHARE = 0.3
"""Of the decades of the table that each value has to run through: a step that stands
for a part of the sweep has less."""
LEAST_CHANGES_SHARE = 0.34
"""Per row; a number that changes more seldom parts blocks of rows."""


def regroup(draft: Draft) -> bool:
    """Order the rows by the labels that alternate; whether there are any.

    A name that comes back names the same cell; a number only if it changes almost from
    row to row. In our own tables `spectrum_index` alone decides.
    """
    labels = list(draft.groups)
    if draft.ours:
        again = bool(labels) and _returns(draft.groups[labels[0]])
        chosen = labels if again else []
    else:
        chosen = [x for x in labels if _alternates(draft, x)]
    if not chosen:
        return False
    keys = list(zip(*(draft.groups[x] for x in chosen), strict=True))
    place: dict[tuple[str, ...], float] = {}
    for key in keys:
        index = key[0]
        own = draft.ours and index.isdecimal()
        place.setdefault(key, float(index) if own else float(len(place)))
    order = np.argsort(np.array([place[k] for k in keys]), kind="stable")
    if np.array_equal(order, np.arange(order.size)):
        return False
    draft.order(order.astype(np.int64))
    draft.say(
        "recognised",
        "rows",
        f"of {len(place)} spectra in turn, put together by column "
        f"{', '.join(map(repr, chosen))}",
    )
    return True


def _returns(words: list[str]) -> bool:
    return changes(words).size + 1 > len(set(words))


def _alternates(draft: Draft, label: str) -> bool:
    words = draft.groups[label]
    if not _returns(words):
        return False
    all_of = np.array(words)
    f = np.log(draft.frequency_hertz)
    of_each: list[NDArray[np.float64]] = [f[all_of == w] for w in set(words)]
    if min(np.unique(x).size for x in of_each) < LEAST_FREQUENCIES:
        return False
    found = meaning(label)
    if found is not None and found.quantity == "name":
        return True
    if changes(words).size < LEAST_CHANGES_SHARE * len(words):
        return False
    least = min(float(np.ptp(x)) for x in of_each)
    return least >= LEAST_SPAN_SHARE * float(np.ptp(f))
