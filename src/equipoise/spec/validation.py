"""pydantic's complaints in the words of the user's file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from equipoise.core.errors import SpecError, nearest

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], content: dict[str, Any], *, where: str) -> M:
    """Build `model` from parsed TOML.

    Raises
    ------
    SpecError
        On the first problems: file, key, value found, what was expected.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise _translated(model, error, content, where) from None


def _translated(
    model: type[BaseModel],
    error: ValidationError,
    content: dict[str, Any],
    where: str,
) -> SpecError:
    lines: list[str] = []
    remedy = ""
    problems = error.errors(include_url=False)
    named = {_path(p["loc"]) for p in problems if _is_model_branch(p["loc"])}
    for problem in problems:
        path = list(_path(problem["loc"]))
        if problem["loc"][-1:] == ("str",) and any(
            len(n) > len(path) and n[: len(path)] == tuple(path) for n in named
        ):
            continue  # the table that stands there was read as a table
        key = ".".join(path) or "(the whole file)"
        found = problem.get("input")
        match problem["type"]:
            case "extra_forbidden":
                lines.append(f"unknown key {key!r}; {_suggestion(model, path)}")
                remedy = remedy or "unknown keys are refused so that no typo is lost"
            case "missing":
                lines.append(f"key {key!r} is missing")
                table = _table_with(content, path)
                if table:
                    lines[-1] += f"; there is one below [{table}]"
                    remedy = remedy or (
                        "top-level keys stand above the first table, else they belong "
                        "to that table"
                    )
            case "value_error":
                text = problem["msg"].removeprefix("Value error, ")
                lines.append(f"{key}: {text}" if path else text)
            case "model_type" | "string_type" if tuple(path) != problem["loc"]:
                line = f"{key} = {_short(found)}: a name or a table was expected"
                lines += [] if line in lines else [line]
            case _:
                lines.append(f"{key} = {_short(found)}: {problem['msg'].lower()}")
    return SpecError("\n  ".join(lines), where=where, remedy=remedy)


def _table_with(content: dict[str, Any], path: list[str]) -> str:
    """Head of the table that swallowed a top-level key written below it."""
    for name, found in content.items():
        if len(path) == 1 and isinstance(found, dict) and path[0] in found:
            return name
    return ""


def _path(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The user's keys: without the names pydantic gives to branches of a union."""
    return tuple(str(p) for i, p in enumerate(loc) if not _is_branch(p, i))


def _is_branch(step: int | str, index: int) -> bool:
    return index > 0 and (step == "str" or "[" in str(step))


def _is_model_branch(loc: tuple[int | str, ...]) -> bool:
    return any("[" in str(step) for step in loc)


def _short(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."


def _suggestion(model: type[BaseModel], path: list[str]) -> str:
    """Nearest known key: at the same place first, then anywhere in the file."""
    word, place = path[-1], path[:-1]
    here = list(_at(model, place).model_fields)
    if get_close_matches(word, here, n=1, cutoff=0.75):
        return nearest(word, here)
    everywhere = {key.rsplit(".", 1)[-1]: key for key in _all_keys(model)}
    close = get_close_matches(word, everywhere, n=1, cutoff=0.75)
    return f"did you mean {everywhere[close[0]]!r}?" if close else nearest(word, here)


def _at(model: type[BaseModel], place: list[str]) -> type[BaseModel]:
    for step in place:
        field = model.model_fields.get(step)
        model = (field and _model_in(field.annotation)) or model
    return model


def _all_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        nested = _model_in(field.annotation)
        if nested is not None:
            keys += _all_keys(nested, f"{prefix}{name}.")
    return keys


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
