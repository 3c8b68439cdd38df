"""Load a protocol: one of the shipped ones, or a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from equipoise.core.errors import SpecError, nearest
from equipoise.io.toml_file import read_toml
from equipoise.protocol import named
from equipoise.protocol.parsing import parse
from equipoise.protocol.steps import Protocol
from equipoise.spec import library

_CELL_KEYS = {"positive", "negative", "working", "window", "separator"}


def load_protocol(name_or_path: str | Path) -> Protocol:
    """Load a shipped protocol or a TOML file.

    Parameters
    ----------
    name_or_path
        Name of a shipped protocol (``rate-test``) or path of a ``.toml`` file.

    Raises
    ------
    SpecError
        If the file, a step or a key in it is wrong.
    """
    text = str(name_or_path)
    if text in named.names():
        return parse(tomllib.loads(named.text(text)), where=f"library: {text}")
    if not text.strip():
        raise SpecError(
            "no protocol is named",
            remedy="give a shipped protocol or a .toml file; there are: "
            + ", ".join(named.names()),
        )
    path = Path(name_or_path)
    if _exists(path) or path.suffix == ".toml" or "/" in text:
        content = read_toml(path)
        if "steps" not in content and _CELL_KEYS & content.keys():
            raise SpecError(
                "this is a cell, a protocol was expected",
                where=text,
                remedy="a protocol has a name and [[steps]]",
            )
        return parse(content, where=text)
    if text in (*library.names("cells"), *library.names("half_cells")):
        raise SpecError(
            f"{text!r} is a bundled cell, a protocol was expected",
            remedy=f"there are: {', '.join(named.names())}",
        )
    raise SpecError(
        f"{text!r} is neither a shipped protocol nor a file",
        remedy=f"{nearest(text, named.names())}, or give the path of a .toml file",
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # e.g. a name longer than file names can be
        return False
