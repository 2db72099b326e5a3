"""Reading a project file: YAML in, a frozen `Project` out, every mistake named with its line."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from flows.project import Project, with_models
from flows.project_errors import Path as FieldPath
from flows.project_errors import allowed_fields, dotted, holds_any_name, sentences, unknown_field
from flows.sweep_problems import problems
from flows.unread import unread
from tasks.data.config import SQL
from tasks.data.partitions import partitions_of
from tasks.data.source import resolve_source
from tasks.training.architectures import PretrainedEncoder
from tasks.training.encoder_folder import with_folder

MAX_BYTES = 1_000_000


@dataclass
class _Document:
    """Plain values, and where each of them was written."""

    name: str
    values: dict[str, Any]
    lines: dict[FieldPath, int] = field(default_factory=dict)
    overrides: dict[FieldPath, str] = field(default_factory=dict)

    def place(self, path: FieldPath) -> str:
        """`--set ...` or `file:line` of a field; of the section around it when it is missing."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.overrides:
                return f"--set {self.overrides[path[:length]]}"
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name


def load_project(path: Path, overrides: Sequence[str] = ()) -> Project:
    """The project in the YAML file at `path`, with `key.key=value` overrides applied.

    A relative `data.source` becomes absolute, so that the project can be run from anywhere.
    Raises `ValueError`: one line for each problem, with place, field, value and what is allowed.
    """
    document = _read(path)
    for override in overrides:
        _apply(override, document)
    try:
        project = Project.model_validate(document.values)
    except ValidationError as error:
        raise ValueError(sentences(error, with_models(document.values), document.place)) from error
    for name, reason in problems(project):
        raise ValueError(f"{document.place(('sweep', 'space', name))}: {name}: {reason}")
    for name, reason in unread(project):
        field = tuple(int(part) if part.isdecimal() else part for part in name.split("."))
        raise ValueError(f"{document.place(field)}: {name}: {reason}")
    return _with_encoders(_with_source(project, path, document), path, document)


def project_schema() -> dict[str, Any]:
    """JSON Schema of a project file, for editors."""
    schema = Project.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _with_source(project: Project, path: Path, document: _Document) -> Project:
    may_be_folder = project.data.may_be_folder

    def found(source: str, *field: str) -> str:
        if source.startswith(SQL) and field[0] == "data":
            return source
        try:
            local = resolve_source(
                source, path.resolve().parent, dotted(field), folder=may_be_folder
            )
            if local.is_dir() and project.data.is_partitioned:
                partitions_of(local, f"{dotted(field)} {source!r}")
        except ValueError as error:
            raise ValueError(f"{document.place(field)}: {error}") from error
        return source if "://" in source else str(local)

    data = project.data
    files = {name: found(file, "data", "split", name) for name, file in data.split.files.items()}
    changes = {
        "source": found(data.source, "data", "source"),
        "split": data.split.model_copy(update=files),
    }
    own: dict[str, Any] = {"data": data.model_copy(update=changes)}
    distil = project.compress.distil
    if distil.unlabelled is not None:
        source = found(distil.unlabelled, "compress", "distil", "unlabelled")
        distil = distil.model_copy(update={"unlabelled": source})
        own["compress"] = project.compress.model_copy(update={"distil": distil})
    return project.model_copy(update=own)


def _with_encoders(project: Project, path: Path, document: _Document) -> Project:
    """The project with the folders of its own encoders checked, absolute and with their digest."""

    def found(config: Any, *field: str | int) -> Any:
        if not isinstance(config, PretrainedEncoder):
            return config
        try:
            return with_folder(config, path.resolve().parent)
        except ValueError as error:
            raise ValueError(f"{document.place(field)}: {dotted(field)}: {error}") from error

    students = tuple(found(each, "students", i) for i, each in enumerate(project.students))
    teacher = found(project.teacher, "teacher")
    return project.model_copy(update={"teacher": teacher, "students": students})


def _read(path: Path) -> _Document:
    text = _text_of(path)
    try:
        node = _parsed(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{path.name}:{line}: {_yaml_problem(error)}") from error
    except YAMLError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path.name}: not valid YAML: {reason}") from error
    lines: dict[FieldPath, int] = {}
    values = _plain(node, (), lines, path.name)
    if not isinstance(values, dict):
        found = "nothing" if values is None else "a list" if isinstance(values, list) else "text"
        raise ValueError(
            f"{path.name}: {found} where fields were expected: {', '.join(allowed_fields((), {}))}"
        )
    return _Document(path.name, values, lines)


def _parsed(text: str) -> Any:
    """The nodes of a YAML text; `YAMLError` for whatever is wrong with it."""
    try:
        return YAML(typ="rt").load(io.StringIO(text))
    except YAMLError:
        raise
    except Exception as error:  # ruamel's constructors fail in many ways on `!!int`, `[[[[...`
        raise YAMLError(str(error)) from error


def _text_of(path: Path) -> str:
    try:
        if path.is_dir():
            raise ValueError(f"{path} is a directory, a project file (YAML) was expected")
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(
                f"{path} has {path.stat().st_size:,} bytes, a project file at most {MAX_BYTES:,} "
                "(is it the data? `modelworks init` makes a project file for it)"
            )
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ValueError(f"{path}: no such file, a project file (YAML) was expected") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(f"{path.name}:{line}: not UTF-8, which a project file must be") from error
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error


def _yaml_problem(error: MarkedYAMLError) -> str:
    if isinstance(error, DuplicateKeyError):
        key = str(error.problem).split('"')[1]
        return f"{key}: stands twice, each field may stand once"
    return f"not valid YAML: {error.problem or error.context}"


def _plain(node: Any, path: FieldPath, lines: dict[FieldPath, int], name: str) -> Any:
    """Built-in values of a parsed node; the line of each field goes into `lines`."""
    if isinstance(node, CommentedMap):
        lines |= {(*path, str(key)): place[0] + 1 for key, place in (node.lc.data or {}).items()}
        return {str(k): _plain(v, (*path, str(k)), lines, name) for k, v in node.items()}
    if isinstance(node, CommentedSeq):
        lines |= {(*path, index): place[0] + 1 for index, place in (node.lc.data or {}).items()}
        return [_plain(value, (*path, index), lines, name) for index, value in enumerate(node)]
    return _scalar(node, path, f"{name}:{lines[path]}" if path in lines else name)


def _scalar(node: Any, path: FieldPath, place: str) -> Any:
    if isinstance(node, TaggedScalar):
        raise ValueError(f"{place}: {dotted(path)}: a tag ({node.tag}) is not allowed")
    if isinstance(node, float) and not math.isfinite(node):
        raise ValueError(f"{place}: {dotted(path)}: {node} must be a finite number")
    for built_in in (bool, int, float, str):  # ruamel's scalars remember how they were written
        if isinstance(node, built_in):
            return built_in(node)
    return node


def _apply(override: str, document: _Document) -> None:
    """Put the value of one `key.key=value` where its key says."""
    key, separator, text = override.partition("=")
    if not separator or not key.strip():
        raise ValueError(f"--set {override}: must be KEY=VALUE, such as teacher.epochs=1")
    path = tuple(int(part) if part.isdecimal() else part for part in key.strip().split("."))
    try:
        value = _plain(_parsed(text), path, {}, f"--set {override}")
    except YAMLError as error:
        raise ValueError(f"--set {override}: the value is not valid YAML") from error
    document.overrides[path] = override
    section: Any = document.values
    for depth, step in enumerate(path[:-1]):
        section = _enter(section, path[:depth], step, document)
    _check_slot(section, path[:-1], path[-1], document)
    section[path[-1]] = value


def _enter(section: Any, above: FieldPath, step: str | int, document: _Document) -> Any:
    """The part of `section` under `step`; what the file leaves out starts from its default."""
    _check_slot(section, above, step, document)
    if isinstance(section, dict) and section.get(step) is None:
        section[step] = _default((*above, step), document)
    return section[step]


def _check_slot(section: Any, above: FieldPath, step: str | int, document: _Document) -> None:
    """Raise `ValueError` unless `section` can hold something under `step`."""
    override = next(reversed(document.overrides.values()))
    if isinstance(section, list):
        if not isinstance(step, int) or step >= len(section):
            raise ValueError(
                f"--set {override}: {dotted(above)} is a list with the places 0 to "
                f"{len(section) - 1}, not {step!r}"
            )
    elif not isinstance(section, dict):
        raise ValueError(f"--set {override}: {dotted(above)} is {section!r}, without fields")
    elif holds_any_name(above, document.values):
        return
    elif step not in allowed_fields(above, document.values):
        raise ValueError(f"--set {override}: {unknown_field((*above, step), document.values)}")


def _default(path: FieldPath, document: _Document) -> Any:
    """What an absent part stands for: the usual students, else an empty section."""
    filled = with_models(document.values)
    return filled[path[0]] if len(path) == 1 and path[0] in ("teacher", "students") else {}
