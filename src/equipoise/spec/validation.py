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
        raise _translated(model, error, where) from None


def _translated(
    model: type[BaseModel], error: ValidationError, where: str
) -> SpecError:
    lines: list[str] = []
    remedy = ""
    for problem in error.errors(include_url=False):
        path = [str(p) for p in problem["loc"]]
        key = ".".join(path) or "(the whole file)"
        found = problem.get("input")
        match problem["type"]:
            case "extra_forbidden":
                lines.append(f"unknown key {key!r}; {_suggestion(model, path)}")
                remedy = remedy or "unknown keys are refused so that no typo is lost"
            case "missing":
                lines.append(f"key {key!r} is missing")
            case "value_error":
                text = problem["msg"].removeprefix("Value error, ")
                lines.append(f"{key}: {text}" if path else text)
            case _:
                lines.append(f"{key} = {_short(found)}: {problem['msg'].lower()}")
    return SpecError("\n  ".join(lines), where=where, remedy=remedy)


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
