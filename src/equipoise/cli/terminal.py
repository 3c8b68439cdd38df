"""Terminals and files that cannot show every character."""

from __future__ import annotations

import codecs
import io
import sys

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
