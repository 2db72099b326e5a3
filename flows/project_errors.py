"""What is wrong with a project file, a sentence each: place, field, value, what is allowed."""

import difflib
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.project import Project

Path = tuple[str | int, ...]
NAME_RULE = "1 to 63 of a-z, 0-9, - and _, of which the first is a letter or a digit"


def sentences(error: ValidationError, data: dict[str, Any], place: Callable[[Path], str]) -> str:
    """All problems in `data`, a line each; `place` says where in the user's input a path stands."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors():
        by_path.setdefault(_path_of(detail, data), []).append(detail)
    return "\n".join(
        f"{place(path)}: {dotted(path)}: {_reason(path, details)}"
        for path, details in by_path.items()
        if not _is_consequence(path, by_path)
    )


def dotted(path: Path) -> str:
    """`students.0.epochs`"""
    return ".".join(map(str, path))


def allowed_fields(path: Path) -> tuple[str, ...]:
    """The fields of the section at `path`; none when nothing of ours stands there."""
    model: type[BaseModel] | None = Project
    for step in path:
        if isinstance(step, str) and model is not None:
            field = model.model_fields.get(step)
            model = _section(field.annotation) if field is not None else None
    return tuple(model.model_fields) if model is not None else ()


def unknown_field(path: Path) -> str:
    """The reason to refuse a field that is not one of its section."""
    allowed = allowed_fields(path[:-1])
    close = difflib.get_close_matches(str(path[-1]), allowed, n=1)
    hint = f", did you mean {close[0]}?" if close else ";"
    return f"unknown field{hint} allowed: {', '.join(allowed)}"


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_section(part) for part in typing.get_args(annotation))
    return next((model for model in found if model is not None), None)


def _path_of(detail: ErrorDetails, data: Any) -> Path:
    """The part of an error's location that the user wrote; the rest names pydantic's own parts."""
    path: list[str | int] = []
    for step in detail["loc"]:
        here = isinstance(data, dict) and step in data
        if not here and not (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            return (*path, step) if detail["type"] == "missing" else tuple(path)
        path.append(step)
        data = data[step]
    return tuple(path)


def _is_consequence(path: Path, paths: Iterable[Path]) -> bool:
    """A list whose items are all wrong is called too short as well: the items say enough."""
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


def _reason(path: Path, details: Sequence[ErrorDetails]) -> str:
    first = details[0]
    if first["type"] == "extra_forbidden":
        return unknown_field(path)
    if first["type"] == "missing":
        return "a value is missing" if isinstance(path[-1], int) else "required and missing"
    if first["type"] == "value_error":
        return first["msg"].removeprefix("Value error, ")
    # The members of a union each have their say: "a valid number or 'auto'".
    limits = " or ".join(dict.fromkeys(_limit(detail, path) for detail in details))
    return f"{_shown(first['input'])} must {limits.replace(' or be ', ' or ')}"


def _limit(detail: ErrorDetails, path: Path) -> str:
    match detail["type"]:
        case "string_pattern_mismatch" if path[-1] == "name":
            return f"be {NAME_RULE}"
        case "model_type" | "model_attributes_type":
            return f"be a section with the fields {', '.join(allowed_fields(path))}"
        case "tuple_type" | "list_type":
            return "be a list, such as [a, b]"
        case "too_short" | "too_long":
            return detail["msg"].split(" should ")[-1].split(" after ")[0]
    limit = detail["msg"].removeprefix("Input should ").removeprefix("String should ")
    return limit.split(", unable")[0].split(", got")[0]


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
