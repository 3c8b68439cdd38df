"""From the content of a TOML file to a `Protocol`, with the step named in errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from equipoise.core.errors import SpecError, nearest
from equipoise.protocol.steps import (
    Charge,
    Cycle,
    Discharge,
    Eis,
    FirstHalf,
    Hold,
    Protocol,
    Repeat,
    Rest,
    SecondHalf,
)
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: dict[str, type[BaseModel]] = {
    "charge": Charge,
    "discharge": Discharge,
    "first_half": FirstHalf,
    "second_half": SecondHalf,
    "hold": Hold,
    "rest": Rest,
    "eis": Eis,
    "cycle": Cycle,
    "repeat": Repeat,
}
"""The word after ``do`` -> the keys of such a step."""

OF_THE_FILE = tuple(k for k in Protocol.model_fields if k != "steps")
DEEPEST = 8
"""Repeats within repeats."""


def parse(content: dict[str, Any], *, where: str) -> Protocol:
    """Build a protocol from parsed TOML.

    Parameters
    ----------
    content
        The tables and keys of the file.
    where
        How messages name the file.

    Raises
    ------
    SpecError
        On the first step that is wrong: file, step (counted from 1, ``2.1`` is the
        first one inside a repeat that is the second), key, value and remedy.
    """
    if "name" not in content:
        _refuse_below_a_table(content, where)
    if "steps" in content:
        steps = _steps(content["steps"], where, number="", depth=0)
        content = content | {"steps": steps}
    return validated(Protocol, content, where=where)


def _refuse_below_a_table(content: dict[str, Any], where: str) -> None:
    """A key below the head of a table belongs to it: TOML has no way back."""
    for table, found in content.items():
        inside = found if isinstance(found, list) else [found]
        if any(isinstance(t, dict) and "name" in t for t in inside):
            shown = f"[[{table}]]" if inside is found else f"[{table}]"
            raise SpecError(
                f"key 'name' is missing; there is one below {shown}",
                where=where,
                remedy=f"{', '.join(OF_THE_FILE)}: write such keys above the first "
                "table, else they belong to that table",
            )


def _steps(found: object, where: str, *, number: str, depth: int) -> list[BaseModel]:
    inside = f"{where}: step {number} (repeat)" if number else where
    if not isinstance(found, list | tuple):
        what = "is one table" if isinstance(found, dict) else f"= {found!r:.60}"
        raise SpecError(
            f"steps {what}, a list of tables was expected",
            where=inside,
            remedy="begin each step with [[steps]], in double brackets",
        )
    entries = cast("Sequence[object]", found)
    if not entries:
        raise SpecError(
            "steps is empty",
            where=inside,
            remedy='add a step, e.g. { do = "cycle", c_rate = 0.2 }',
        )
    if depth > DEEPEST:
        raise SpecError(
            f"repeats within repeats are more than {DEEPEST} deep",
            where=inside,
            remedy="write the inner steps out, or raise a count",
        )
    prefix = f"{number}." if number else ""
    return [
        _step(entry, where, number=f"{prefix}{n}", depth=depth)
        for n, entry in enumerate(entries, start=1)
    ]


def _step(found: object, where: str, *, number: str, depth: int) -> BaseModel:
    place = f"{where}: step {number}"
    if not isinstance(found, dict):
        raise SpecError(
            f"a step is a table, found {found!r:.60}",
            where=place,
            remedy='write e.g. { do = "rest", time_hour = 1 }',
        )
    table = cast("dict[str, Any]", found)
    if "do" not in table:
        raise SpecError(
            f"key 'do' is missing; found {', '.join(table) or 'nothing'}",
            where=place,
            remedy=f"say what the step does: do = one of {', '.join(KINDS)}",
        )
    do = table["do"]
    if not isinstance(do, str) or do not in KINDS:
        raise SpecError(
            f"do = {do!r:.60} is not a kind of step; {nearest(str(do), KINDS)}",
            where=place,
            remedy='e.g. { do = "cycle", c_rate = 0.2 }',
        )
    place = f"{place} ({do})"
    if do == "repeat" and "steps" in table:
        steps = _steps(table["steps"], where, number=number, depth=depth + 1)
        table = table | {"steps": steps}
    return validated(KINDS[do], table, where=place)
