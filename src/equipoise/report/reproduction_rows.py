"""The rows of the paper as texts, and how many of them are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.study.zhang2026.reproduce import printed_rows

if TYPE_CHECKING:
    from equipoise.study.zhang2026.reproduce import Reproduction, Row

ROLES = ("input", "calibrated", "predicted", "blind")
MEANING = {
    "input": "given: a number of the design, or of how it was measured",
    "calibrated": "the model was made to meet it",
    "predicted": "the model was not made to meet it; the paper prints it",
    "blind": "predicted without the printed number, which is withheld",
}
DECIMALS = {
    "cycles": 0,
    "mAh/g": 1,
    "mAh/g_LTO": 1,
    "%": 1,
    "ohm cm2": 1,
    "1": 2,
    "V (cell)": 3,
    "V": 4,
}
"""Of computed numbers, by unit; more where the paper prints as many."""
MOST_DECIMALS = 4
CONDENSED, CONDENSED_STEP = "P2", 500
"""A row at many cycles, and which of them a terminal shows."""
NONE = "-"


@dataclass(frozen=True, slots=True)
class RowText:
    """A row as it is shown; `within` is "yes", "no" or "-"."""

    id: str
    config: str
    condition: str
    quantity: str
    unit: str
    printed: str
    computed: str
    interval: str
    role: str
    within: str
    place: str
    note: str


def row_text(row: Row) -> RowText:
    """Write a row with as many digits as it deserves."""
    printed = _printed().get(row.id) or NONE
    if row.role == "blind":
        printed = NONE
    interval = NONE
    if row.low is not None and row.high is not None and row.role != "input":
        interval = f"{number(row, row.low)} to {number(row, row.high)}"
    return RowText(
        row.id,
        row.config,
        row.condition,
        row.quantity,
        "" if row.unit == "1" else row.unit,
        printed,
        number(row, row.computed),
        interval,
        row.role,
        NONE if row.within is None else ("yes" if row.within else "no"),
        row.place,
        row.note,
    )


def number(row: Row, value: float | None) -> str:
    """A computed value of a row."""
    if value is None or not np.isfinite(value):
        return NONE
    if row.role == "input":
        return f"{value:.6g}"
    mantissa = (_printed().get(row.id) or "").partition(".")[2]
    more = min(len(mantissa) + 1, MOST_DECIMALS) if mantissa else 0
    return f"{value:.{max(DECIMALS.get(row.unit, 3), more)}f}"


def _printed() -> dict[str, str]:
    return {r["id"]: r.get("printed", "") for r in printed_rows()}


def by_role(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows in the order of the roles; only roles that occur."""
    found = {role: [r for r in rows if r.role == role] for role in ROLES}
    return {role: some for role, some in found.items() if some}


def condensed(rows: Sequence[Row]) -> list[Row]:
    """Without most cycles of the row that has many."""
    return [
        r
        for r in rows
        if not r.id.startswith(f"{CONDENSED}.")
        or int(r.id.partition(".")[2]) % CONDENSED_STEP == 0
    ]


def summaries(rows: Sequence[Row]) -> list[str]:
    """One line per role, such as "calibrated: 38 of 41 within the 90 % interval"."""
    return [f"{role}: {_summary(role, some)}" for role, some in by_role(rows).items()]


def _summary(role: str, rows: Sequence[Row]) -> str:
    compared = [r for r in rows if r.within is not None]
    met = sum(bool(r.within) for r in compared)
    rest = len(rows) - len(compared)
    if role == "blind":
        return f"{len(rows)} numbers, nothing to compare them with (withheld)"
    if role == "input":
        text = f"{met} of {len(compared)} taken as printed"
        more = f"; {rest} are words, or no number of the model"
    else:
        text = f"{met} of {len(compared)} within the 90 % interval"
        more = f"; {rest} not compared"
    return text + (more if rest else "")


def reproduction_json(
    found: Reproduction, *, report: str | None, version: str
) -> dict[str, object]:
    """Everything as one JSON object; infinite numbers are null."""
    return {
        "equipoise": version,
        "paper": "zhang2026",
        "rows": [row_json(r) for r in found.rows],
        "report": report,
        "draws": len(found.predictions),
    }


def row_json(row: Row) -> dict[str, object]:
    """One row with plain numbers."""
    keys = ("id", "quantity", "unit", "printed", "computed", "low", "high")
    more = ("role", "within", "config", "condition", "place", "note")
    return {k: _finite(getattr(row, k)) for k in (*keys, *more)}


def _finite(value: object) -> object:
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
