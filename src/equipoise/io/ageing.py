"""How a cell ages: from the library, a TOML file or a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from equipoise.ageing.ageing import MECHANISMS, Ageing
from equipoise.ageing.mechanism import Mechanism
from equipoise.core.errors import SpecError, nearest
from equipoise.io.toml_file import read_toml
from equipoise.spec import library
from equipoise.spec.validation import validated

if TYPE_CHECKING:
    from equipoise.spec.cell import Cell

_OTHER_FILES = {
    "window": "a cell",
    "steps": "a protocol",
    "open_circuit": "a material",
    "separator_conductivity_millisiemens_per_cm": "rates (kinetics)",
}
"""A key that tells another kind of file, and what that file is."""


def load_ageing(
    given: str | Path | dict[str, Any],
    *,
    folder: str | Path = ".",
    where: str = "ageing",
) -> Ageing:
    """Resolve mechanisms of ageing: what a cell file gives as `ageing`.

    Parameters
    ----------
    given
        Library name, path of a ``.toml`` file, or the parsed table itself.
    folder
        What a path in `given` is relative to.
    where
        Place of `given`, for messages.

    Raises
    ------
    SpecError
        If there is no such name or file, or a key is wrong; the message names the
        mechanism, counted from 1, and its kind.
    """
    if isinstance(given, dict):
        return _parsed(given, where)
    if not isinstance(given, str | Path):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SpecError(
            f"found {given!r}; a library name, a .toml file or a table was expected",
            where=where,
        )
    name = str(given)
    if name in library.names("ageing"):
        return _parsed(library.read("ageing", name), f"library: ageing/{name}.toml")
    if name.endswith(".toml"):
        path = Path(folder) / name
        return _parsed(read_toml(path), str(path))
    raise SpecError(
        f"there is no ageing {name!r} in the library",
        where=where,
        remedy=f"{nearest(name, library.names('ageing'))}; or give the path of a "
        ".toml file",
    )


def ageing_of(cell: Cell) -> Ageing:
    """The mechanisms that a cell file names; paths are relative to that file.

    Raises
    ------
    SpecError
        If the cell names none, or what it names is wrong; see `load_ageing`.
    """
    given = cell.spec.ageing
    where = cell.where or cell.name
    if given is None:
        raise SpecError(
            f"the cell {cell.name!r} does not say how it ages",
            where=where,
            remedy='add the key ageing to its file, e.g. ageing = "'
            f'{library.names("ageing")[0]}", or give mechanisms from load_ageing',
        )
    return load_ageing(given, folder=cell.folder or ".", where=f"{where}: ageing")


def _parsed(content: dict[str, Any], where: str) -> Ageing:
    """Build the mechanisms one by one, so that messages say which one is wrong."""
    if "mechanisms" not in content:
        _refuse_other_files(content, where)
    if "mechanisms" in content:
        content = content | {"mechanisms": _mechanisms(content["mechanisms"], where)}
    return validated(Ageing, content, where=where)


def _refuse_other_files(content: dict[str, Any], where: str) -> None:
    for key, kind in _OTHER_FILES.items():
        if key in content:
            raise SpecError(
                f"this is {kind}, mechanisms of ageing were expected",
                where=where,
                remedy="such a file has [[mechanisms]], each with a kind: "
                f"{', '.join(MECHANISMS)}",
            )


def _mechanisms(found: object, where: str) -> tuple[Mechanism, ...]:
    if not isinstance(found, list | tuple) or not found:
        what = "is one table" if isinstance(found, dict) else f"= {found!r:.60}"
        raise SpecError(
            f"mechanisms {what}, a list of tables was expected",
            where=where,
            remedy="begin each with [[mechanisms]], in double brackets",
        )
    entries = cast("list[object]", found)
    return tuple(_mechanism(e, where, n) for n, e in enumerate(entries, start=1))


def _mechanism(found: object, where: str, number: int) -> Mechanism:
    place = f"{where}: mechanism {number}"
    if isinstance(found, Mechanism):
        return found
    if not isinstance(found, dict):
        raise SpecError(f"a mechanism is a table, found {found!r:.60}", where=place)
    table = cast("dict[str, Any]", found)
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in MECHANISMS:
        given = "key 'kind' is missing" if kind is None else f"kind = {kind!r:.60}"
        wrong = "" if kind is None else " is no mechanism"
        raise SpecError(
            f"{given}{wrong}",
            where=place,
            remedy=nearest(str(kind), MECHANISMS)
            if kind is not None
            else f"one of: {', '.join(MECHANISMS)}",
        )
    return validated(MECHANISMS[kind], table, where=f"{place} ({kind})")
