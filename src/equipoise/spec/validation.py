"""pydantic's complaints in the words of the user's file."""

from __future__ import annotations

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
                known = _keys(model, path[:-1])
                lines.append(f"unknown key {key!r}; {nearest(path[-1], known)}")
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


def _keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """Known keys of the (nested) model at `path`."""
    for step in path:
        field = model.model_fields.get(step)
        nested = None if field is None else _model_in(field.annotation)
        if nested is None:
            continue
        model = nested
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
