"""What is wrong with a project file, a sentence each: place, field, value, what is allowed."""

import difflib
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flows.project import Project
from tasks.training.architectures import StudentConfig

Path = tuple[str | int, ...]
NAME_RULE = "1 to 63 of a-z, 0-9, - and _, of which the first is a letter or a digit"


def sentences(error: ValidationError, data: dict[str, Any], place: Callable[[Path], str]) -> str:
    """All problems in `data`, a line each; `place` says where in the user's input a path stands."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors():
        by_path.setdefault(_path_of(detail, data), []).append(detail)
    return "\n".join(
        ": ".join(filter(None, (place(path), dotted(path), _reason(path, details, data))))
        for path, details in by_path.items()
        if not _is_consequence(path, by_path)
    )


def dotted(path: Path) -> str:
    """`students.0.epochs`"""
    return ".".join(map(str, path))


def allowed_fields(path: Path, data: Any) -> tuple[str, ...]:
    """The fields of the section at `path`; none when nothing of ours stands there."""
    annotation, data = _at(path, data)
    found = _section(annotation, data)
    return tuple(found.model_fields) if found is not None else ()


def holds_any_name(path: Path, data: Any) -> bool:
    """Whether the section at `path` has names that are not ours: parameters of an estimator."""
    return typing.get_origin(_at(path, data)[0]) is dict


def _at(path: Path, data: Any) -> tuple[Any, Any]:
    """What the field at `path` may hold, and what it holds."""
    annotation: Any = Project
    for step in path:
        if isinstance(step, str) and typing.get_origin(annotation) is dict:
            annotation = typing.get_args(annotation)[1]
        elif isinstance(step, str):
            model = _section(annotation, data)
            field = model.model_fields.get(step) if model is not None else None
            annotation = field.annotation if field is not None else None
        data = _part(data, step)
    return annotation, data


def unknown_field(path: Path, data: Any) -> str:
    """The reason to refuse a field that is not one of its section."""
    allowed = allowed_fields(path[:-1], data)
    close = difflib.get_close_matches(str(path[-1]), allowed, n=1)
    hint = f", did you mean {close[0]}?" if close else ";"
    return f"unknown field{hint} allowed: {', '.join(allowed)}"


def _section(annotation: Any, data: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `X | None` or `tuple[X, ...]`.

    Of several it is the one of the architecture that `data` names, else the first.
    """
    models = list(_models(annotation))
    named = _part(data, "model")
    chosen = (m for m in models if "model" in m.model_fields)
    return next((m for m in chosen if m.model_fields["model"].default == named), None) or next(
        iter(models), None
    )


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def _part(data: Any, step: str | int) -> Any:
    """What stands under `step`; None where nothing does."""
    if isinstance(data, list):
        return data[step] if isinstance(step, int) and step < len(data) else None
    return data.get(step) if isinstance(data, dict) else None


def _path_of(detail: ErrorDetails, data: Any) -> Path:
    """The part of an error's location that the user wrote; the rest names pydantic's own parts."""
    path: list[str | int] = []
    for step in detail["loc"]:
        if isinstance(step, str) and step == _part(data, "model"):
            continue  # pydantic names the architecture on the way to its field
        here = isinstance(data, dict) and step in data
        if not here and not (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            return (*path, step) if detail["type"] == "missing" else tuple(path)
        path.append(step)
        data = data[step]
    return (*path, "model") if detail["type"].startswith("union_tag") else tuple(path)


def _is_consequence(path: Path, paths: Iterable[Path]) -> bool:
    """A list whose items are all wrong is called too short as well: the items say enough."""
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


def _reason(path: Path, details: Sequence[ErrorDetails], data: Any) -> str:
    first = details[0]
    if first["type"] == "extra_forbidden":
        return unknown_field(path, data)
    if first["type"] == "missing":
        return "a value is missing" if isinstance(path[-1], int) else "required and missing"
    if first["type"].startswith("union_tag"):
        known = ", ".join(model.model_fields["model"].default for model in _models(StudentConfig))
        found = _part(first["input"], "model")
        return f"{_shown(found)} must be one of {known}" if found else f"missing, one of {known}"
    if first["type"] == "value_error":
        return first["msg"].removeprefix("Value error, ")
    # The members of a union each have their say: "a valid number or 'auto'".
    limits = " or ".join(dict.fromkeys(_limit(detail, path, data) for detail in details))
    return f"{_shown(first['input'])} must {limits.replace(' or be ', ' or ')}"


def _limit(detail: ErrorDetails, path: Path, data: Any) -> str:
    match detail["type"]:
        case "string_pattern_mismatch" if path[-1] == "name":
            return f"be {NAME_RULE}"
        case "model_type" | "model_attributes_type":
            return f"be a section with the fields {', '.join(allowed_fields(path, data))}"
        case "tuple_type" | "list_type":
            return "be a list, such as [a, b]"
        case "too_short" | "too_long":
            return detail["msg"].split(" should ")[-1].split(" after ")[0]
    limit = detail["msg"].removeprefix("Input should ").removeprefix("String should ")
    return limit.split(", unable")[0].split(", got")[0]


def _shown(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
