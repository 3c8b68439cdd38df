"""Rates of a cell: from the library, a TOML file or a table, as such or changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeGuard

from equipoise.core.errors import SpecError, nearest
from equipoise.io.toml_file import read_toml
from equipoise.spec import library
from equipoise.spec.kinetics import CellKinetics
from equipoise.spec.validation import validated

WHOLE = ("value", "lithiation_fraction", "form")
"""A table with one of these keys is one quantity: it is replaced, never mixed."""


def load_kinetics(
    given: str | dict[str, Any],
    *,
    folder: str | Path = ".",
    where: str = "kinetics",
) -> CellKinetics:
    """Resolve rates: what a cell file gives as `kinetics`.

    A file or table with ``like = "NAME"`` (library name or ``.toml`` path) changes
    that one: tables are merged key by key; numbers with their sources, dependences,
    curves and lists are replaced.

    Parameters
    ----------
    given
        Library name, path of a ``.toml`` file, or the parsed table itself.
    folder
        What paths in `given` are relative to; those in a file are relative to it.
    where
        Place of `given`, for messages.

    Raises
    ------
    SpecError
        If there is no such name or file, a key is wrong, or `like` comes back to a
        file it began with.
    """
    return _resolved(given, Path(folder), where, ())[1]


Step = tuple[str, str]
"""A file on the way: what it is, and how it was named."""
Resolved = tuple[dict[str, Any], CellKinetics]


def _resolved(
    given: object, folder: Path, where: str, trail: tuple[Step, ...]
) -> Resolved:
    if isinstance(given, dict):
        return _changed(given, folder, where, trail)
    if not isinstance(given, str):
        raise SpecError(
            f"found {given!r}; a library name, a .toml file or a table was expected",
            where=where,
        )
    if given in library.names("kinetics"):
        content, inside = library.read("kinetics", given), Path.cwd()
        place = step = f"library: {given}"
    elif given.endswith(".toml"):
        path = folder / given
        content, inside, place = read_toml(path), path.parent, str(path)
        step = str(path.resolve())
    else:
        raise SpecError(
            f"there are no kinetics {given!r} in the library",
            where=where,
            remedy=f"{nearest(given, library.names('kinetics'))}; or give the path of "
            "a .toml file",
        )
    if step in (s for s, _ in trail):
        way = " -> ".join([*(name for _, name in trail), given])
        raise SpecError(
            f"like goes round in a circle: {way}",
            where=where,
            remedy="one of these files must give all its numbers itself",
        )
    return _changed(content, inside, place, (*trail, (step, given)))


def _changed(
    content: dict[str, Any], folder: Path, where: str, trail: tuple[Step, ...]
) -> Resolved:
    """A table as it is, or over the one it is `like`."""
    own = {key: value for key, value in content.items() if key != "like"}
    if "like" not in content:
        return own, _validated(own, where)
    like = content["like"]
    if not isinstance(like, str):
        raise SpecError(
            f"like = {like!r}: a library name or a .toml file was expected", where=where
        )
    base, model = _resolved(like, folder, f"{where}: like", trail)
    if not own:
        return base, model
    whole = _merged({"name": f"{like}, changed"} | own, base)
    return whole, validated(CellKinetics, whole, where=where)


def _validated(content: dict[str, Any], where: str) -> CellKinetics:
    try:
        return validated(CellKinetics, content, where=where)
    except SpecError as error:
        if error.remedy or "is missing" not in error.message:
            raise
        raise SpecError(
            error.message,
            where=where,
            remedy='take what is not given from the library with like = "zhang2026"',
        ) from None


def _merged(over: dict[str, Any], under: dict[str, Any]) -> dict[str, Any]:
    found = dict(under)
    for key, new in over.items():
        old = under.get(key)
        if _is_group(new) and _is_group(old):
            found[key] = _merged(new, _of_material(old, new.get("material")))
        else:
            found[key] = new
    if "source" in under and "source" not in over:  # it no longer stands for all
        found["source"] = f"given by the user, else {under['source']}"
    return found


OF_THE_MATERIAL = (
    "open_circuit",
    "open_circuit_stretch_ratio",
    "lithium_capacity_mah_per_g",
    "particle_classes",
)


def _of_material(under: dict[str, Any], material: object) -> dict[str, Any]:
    """What another material may take over: not its curve, capacity and classes."""
    if material is None or material == under.get("material"):
        return under
    return {k: v for k, v in under.items() if k not in OF_THE_MATERIAL}


def _is_group(given: object) -> TypeGuard[dict[str, Any]]:
    """Whether this is a table of quantities, not one quantity."""
    return isinstance(given, dict) and not any(key in given for key in WHOLE)
