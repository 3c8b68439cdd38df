"""The bundled materials, cells, kinetics and ageing (TOML files of this package)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from equipoise.core.errors import SpecError, nearest
from equipoise.spec.kinetics import CellKinetics
from equipoise.spec.material import Material
from equipoise.spec.validation import validated

KINDS = ("cells", "half_cells", "kinetics", "materials", "ageing")
"""A name alone is of the first kind that has it; ``kind/name`` tells them apart."""


def _folder(kind: str) -> Traversable:
    return resources.files("equipoise.spec") / "library" / kind


@cache
def names(kind: str) -> tuple[str, ...]:
    """Names of the bundled `kind`, one of `KINDS`."""
    return tuple(
        sorted(p.name[:-5] for p in _folder(kind).iterdir() if p.name.endswith(".toml"))
    )


def text(kind: str, name: str) -> str:
    """One bundled file as it is.

    Raises
    ------
    SpecError
        If there is no such file in the library.
    """
    if name not in names(kind):
        raise SpecError(
            f"there is no {name!r} among the bundled {kind.replace('_', ' ')}",
            remedy=nearest(name, names(kind)),
        )
    return (_folder(kind) / f"{name}.toml").read_text("utf-8")


def bundled_text(name: str) -> str:
    """TOML text of a bundled file of any kind, to start your own from.

    Raises
    ------
    SpecError
        If there is no such name in the library.
    """
    return text(*found(name))


def found(name: str) -> tuple[str, str]:
    """Kind and plain name of a bundled file, from ``name`` or ``kind/name``.

    Raises
    ------
    SpecError
        If there is no such name in the library.
    """
    of, _, own = name.rpartition("/")
    for kind in KINDS:
        if own in names(kind) and of in ("", kind):
            return kind, own
    known = [n for kind in KINDS for n in names(kind)]
    raise SpecError(f"{name!r} is not in the library", remedy=nearest(own, known))


def read(kind: str, name: str) -> dict[str, Any]:
    """Parsed TOML of one bundled file; see `text`."""
    return tomllib.loads(text(kind, name))


@cache
def kinetics(name: str) -> CellKinetics:
    """Bundled rates.

    Raises
    ------
    SpecError
        If the library has no such rates.
    """
    content = read("kinetics", name)
    return validated(CellKinetics, content, where=f"library: {name}.toml")


@cache
def material(name: str) -> Material:
    """A bundled material.

    Raises
    ------
    SpecError
        If the library has no such material.
    """
    return validated(Material, read("materials", name), where=f"library: {name}.toml")
