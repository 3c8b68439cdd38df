"""Progress on a terminal; terminals and files that cannot show every character."""

from __future__ import annotations

import codecs
import io
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PLAIN = {
    "⁻": "-",
    "−": "-",
    "–": "-",
    "⁺": "+",
    "¹": "1",
    "²": "2",
    "³": "3",
    "µ": "u",
    "Ω": "Ohm",
    "°": "deg",
    "Å": "A",
    "κ": "kappa",
    "≥": ">=",
    "×": "x",
    "…": "...",
    "\u00a0": " ",
}
"""What stands in for characters of units where the encoding lacks them."""


def say_it_plainly() -> None:
    """Let stdout and stderr write `PLAIN` (or "?") instead of failing."""
    codecs.register_error("equipoise_plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="equipoise_plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(c, "?") for c in text), error.end


@contextmanager
def progress_bar(
    name: str, total_count: int | None = None
) -> Generator[Callable[[int, int], None] | None]:
    """Show a bar on stderr while the block runs, if that is a terminal.

    Parameters
    ----------
    name
        What is counted, in front of the bar.
    total_count
        How many there are; None: not known before the first call. One is not counted.

    Yields
    ------
    Callable or None
        To be called with (finished, in all); None: no bar is shown.
    """
    if total_count == 1 or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*shown, Remaining(), console=console, transient=True) as bar:
        task = bar.add_task(name, total=total_count)
        yield lambda done, total: bar.update(task, completed=done, total=total)
