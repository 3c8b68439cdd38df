"""The shipped protocols (TOML files of this package)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from equipoise.core.errors import SpecError, nearest


def _folder() -> Traversable:
    return resources.files("equipoise.protocol") / "library"


@cache
def names() -> tuple[str, ...]:
    """Names of the shipped protocols."""
    return tuple(
        sorted(p.name[:-5] for p in _folder().iterdir() if p.name.endswith(".toml"))
    )


def text(name: str) -> str:
    """One shipped protocol as it is, TOML, to start your own from.

    Raises
    ------
    SpecError
        If there is no such protocol.
    """
    if name not in names():
        raise SpecError(
            f"there is no protocol {name!r} among the shipped ones",
            remedy=nearest(name, names()),
        )
    return (_folder() / f"{name}.toml").read_text("utf-8")
