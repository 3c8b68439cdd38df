"""The documentation as data: pages, fences, keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("[0-9][0-9]_*.py"))
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *DOCS.rglob("*.md"),
    ]
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """A fenced block: its language, its text and the line it begins on."""

    language: str
    text: str
    line: int


def name_of(page: Path) -> str:
    """Path relative to the repository, for test ids."""
    return page.relative_to(ROOT).as_posix()


def fences(page: Path, *languages: str) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = [
        Fence(m[1], m[2], text.count("\n", 0, m.start()) + 2)
        for m in _FENCE.finditer(text)
    ]
    return [f for f in found if not languages or f.language in languages]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def commands(page: Path) -> list[str]:
    """Shell lines that call equipoise."""
    return [
        line.split("#")[0].strip()
        for fence in fences(page, "sh")
        for line in fence.text.splitlines()
        if line.startswith("equipoise ")
    ]
