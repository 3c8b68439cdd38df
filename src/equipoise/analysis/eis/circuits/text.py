"""Text of a circuit to its tree: ``R0-L0-p(R1,Q1)-p(R2-Wo1,C2)``.

::

    series   = item ("-" item)*
    item     = "p(" series ("," series)+ ")"  |  "(" series ")"  |  name
    name     = code [number | "_" word]       R1, CPE2, R_ct, ZARC1

The spelling is that of impedance.py; blanks are ignored.
"""

from __future__ import annotations

import re

from equipoise.analysis.eis.circuits.elements import SPELLINGS
from equipoise.analysis.eis.circuits.parts import (
    Element,
    Parallel,
    Part,
    elements_of,
    in_series,
)
from equipoise.core.errors import SpecError, nearest

LONGEST_TEXT = 1000
DEEPEST = 20
MOST_ELEMENTS = 40
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_SPLIT = re.compile(r"([A-Za-z]+)(\d+|_\w+)?", re.ASCII)


def part_of(text: str) -> Part:
    """Parse the text of a circuit.

    Raises
    ------
    SpecError
        With the position, if the text is empty, too long or too deep, an element is
        not known or is there twice, a bracket is open, or a parallel has fewer than
        two branches.
    """
    if len(text) > LONGEST_TEXT:
        raise SpecError(
            f"the text of the circuit has {len(text)} characters; at most "
            f"{LONGEST_TEXT} are read",
            where=repr(text[:30] + "..."),
            remedy="fit a part of it, or fewer elements",
        )
    reader = _Reader(text)
    part = reader.series(0)
    if reader.rest():
        left = reader.rest()[0]
        raise reader.problem(
            f"unexpected {left!r}",
            "there is no open bracket that it closes"
            if left == ")"
            else "elements are joined by '-' and, inside of p( ), parted by ','",
        )
    _check_names(part, reader)
    return part


class _Reader:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def rest(self) -> str:
        """Text not yet read, after blanks."""
        while self.place < len(self.text) and self.text[self.place].isspace():
            self.place += 1
        return self.text[self.place :]

    def problem(self, message: str, remedy: str, place: int | None = None) -> SpecError:
        """An error that shows where."""
        at = self.place if place is None else place
        return SpecError(
            f"{message} at position {at + 1}",
            where=f"circuit {self.text!r}",
            remedy=remedy,
        )

    def takes(self, mark: str) -> bool:
        """Whether the next character is `mark`; it is then read."""
        if self.rest().startswith(mark):
            self.place += 1
            return True
        return False

    def series(self, depth: int) -> Part:
        """Items joined by '-'."""
        if depth > DEEPEST:
            raise self.problem(
                f"brackets are nested deeper than {DEEPEST}",
                "write the circuit with fewer levels",
            )
        parts = [self.item(depth)]
        while self.takes("-"):
            parts.append(self.item(depth))
        return in_series(parts)

    def item(self, depth: int) -> Part:
        """A parallel, a group, or an element."""
        rest = self.rest()
        if re.match(r"[pP]\s*\(", rest):
            opened = self.place
            self.place += rest.index("(") + 1
            return self.parallel(depth, opened)
        if rest.startswith("("):
            opened = self.place
            self.place += 1
            inner = self.series(depth + 1)
            self.close(opened)
            return inner
        found = _NAME.match(rest)
        if found is None:
            what = f"{rest[0]!r}" if rest else "the end of the text"
            raise self.problem(
                f"an element was expected, found {what}",
                "write elements like R0, Q1, W1, joined by '-'; side by side: p(R1,Q1)",
            )
        begun = self.place
        self.place += found.end()
        return self.element(found[0], begun)

    def parallel(self, depth: int, opened: int) -> Part:
        """Branches, after ``p(``."""
        if self.takes(")"):
            raise self.problem(
                "p() is empty", "give two branches or more: p(R1,Q1)", opened
            )
        branches = [self.series(depth + 1)]
        while self.takes(","):
            branches.append(self.series(depth + 1))
        self.close(opened)
        if len(branches) < 2:
            raise self.problem(
                f"p({branches[0]}) has one branch only",
                "give two branches or more, parted by ',': p(R1,Q1)",
                opened,
            )
        return Parallel(tuple(branches))

    def close(self, opened: int) -> None:
        """Read the closing bracket."""
        if self.takes(")"):
            return
        rest = self.rest()
        if rest and rest[0] not in ",-(":
            raise self.problem(
                f"unexpected {rest[0]!r}",
                "elements are joined by '-' and, inside of p( ), parted by ','",
            )
        raise self.problem(
            f"the bracket opened at position {opened + 1} is not closed",
            "add ')' behind its last branch",
        )

    def element(self, name: str, begun: int) -> Element:
        """An element by its name."""
        split = _SPLIT.fullmatch(name)
        code = split[1] if split else name
        if split is None or code not in SPELLINGS:
            raise self.problem(
                f"there is no element {code!r}", nearest(code, SPELLINGS), begun
            )
        return Element(SPELLINGS[code], name)


def _check_names(part: Part, reader: _Reader) -> None:
    """Every name once, and not too many."""
    seen: set[str] = set()
    for number, element in enumerate(elements_of(part), 1):
        if element.name in seen:
            place = [m.start() for m in _NAME.finditer(reader.text)]
            names = [m[0] for m in _NAME.finditer(reader.text)]
            second = [p for p, n in zip(place, names, strict=True) if n == element.name]
            raise reader.problem(
                f"the element {element.name!r} is there twice, the second time",
                f"number them: {element.name}, {_next_name(element.name, part)}",
                second[1],
            )
        if number > MOST_ELEMENTS:
            raise reader.problem(
                f"more than {MOST_ELEMENTS} elements",
                "no spectrum determines so many; leave some out",
                0,
            )
        seen.add(element.name)


def _next_name(name: str, part: Part) -> str:
    """A name of the same kind that is still free."""
    taken = {e.name for e in elements_of(part)}
    split = _SPLIT.fullmatch(name)
    code = split[1] if split else name
    number = 1
    while f"{code}{number}" in taken:
        number += 1
    return f"{code}{number}"
