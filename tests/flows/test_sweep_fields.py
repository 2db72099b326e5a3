"""What a project may say of how a model is trained, a sweep may vary."""

from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from flows.project import Project
from flows.sweep_problems import problems
from flows.unread import unread
from tasks.training.augments import AUGMENTS
from tasks.training.technique import (
    READ_BY,
    OptimizerName,
    ScheduleName,
    ScoreName,
    Technique,
)

WORDS = (
    *(*get_args(OptimizerName), *get_args(ScheduleName), *get_args(ScoreName)),
    *("none", "ema", "swa", "auto"),
)
VALUES: tuple[Any, ...] = (None, False, True, 0.0, 0.05, 0.5, 1, 2, *WORDS)
"""Of which some are allowed in each field."""
TEACHERS = {"image": "lenet", "audio": "audio_cnn", "text": "transformer", "table": "mlp"}
DATA = {"source": "rows.csv", "target": "y"}


def project(kind: str, teacher: dict[str, Any], space: dict[str, Any] | None = None) -> Project:
    """One of that kind; a constant rate and no average are what every optimizer has."""
    model = {"model": TEACHERS[kind], "schedule": "constant", "averaging": "none", **teacher}
    inputs = {} if kind == "table" else {"inputs": ["x"]}
    values = {"name": "p", "data": {**DATA, "kind": kind, **inputs}, "teacher": model}
    return Project.model_validate(values | ({"sweep": {"space": space}} if space else {}))


def allowed(kind: str, field: str, within: str = "") -> list[Any]:
    """The values that the project file may hold."""
    found = []
    for value in VALUES:
        own = {field: value}
        try:
            project(kind, {within: own} if within else own)
        except ValidationError:
            continue
        found.append(value)
    return found


FIELDS = [("table", "", name) for name in Technique.model_fields] + [
    (kind, "augment", name)
    for kind in ("image", "audio", "text")
    for name in type(project(kind, {}).teacher.augment).model_fields
]


def test_every_augmentation_is_walked_through() -> None:
    walked = {type(project(kind, {}).teacher.augment) for kind in ("image", "audio", "text")}
    classes: set[type[BaseModel]] = {base for each in walked for base in each.__mro__}
    assert set(AUGMENTS) <= classes, "a bag's is what a text's begins with"


@pytest.mark.parametrize(("kind", "within", "field"), FIELDS, ids=".".join)
def test_every_field_of_a_technique_is_a_dimension(kind: str, within: str, field: str) -> None:
    values = allowed(kind, field, within)
    assert len(values) > 1
    name = ".".join(filter(None, ("teacher", within, field)))
    dimensions: list[dict[str, Any]] = [{"choice": values}]
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) > 1 and any(isinstance(number, float) for number in numbers):
        dimensions.append({"linear": [min(numbers), max(numbers)]})
    elif len(numbers) > 1:
        dimensions.append({"integer": [min(numbers), max(numbers)]})
    own = {READ_BY[field][0]: READ_BY[field][1][0]} if field in READ_BY else {}
    for dimension in dimensions:
        assert list(problems(project(kind, own, {name: dimension}))) == []


@pytest.mark.parametrize("field", READ_BY)
def test_what_nothing_reads_is_refused_and_what_a_trial_reads_is_not(field: str) -> None:
    reader, readers = READ_BY[field]
    usual = {"optimizer": "adamw", "schedule": "constant", "averaging": "none"}[reader]
    why = f"read by {reader} {' and '.join(readers)} alone, not by {usual}; leave it out"
    name, varied = f"teacher.{field}", {"linear": [0.1, 0.6]}
    assert list(unread(project("table", {field: 0.35}))) == [(name, why)]
    assert list(problems(project("table", {}, {name: varied}))) == [(name, why)]
    never = {"linear": [0.1, 0.6], "when": {f"teacher.{reader}": [usual]}}
    tried = {f"teacher.{reader}": {"choice": [usual, readers[0]]}}
    assert list(problems(project("table", {}, {**tried, name: never}))) == [(name, why)]
    for space in (tried, {**tried, name: varied}):
        fine = project("table", {field: 0.35}, space)
        assert list(problems(fine)) + list(unread(fine)) == []
    elsewhere = {f"teacher.{reader}": {"choice": [usual]}}
    for read in readers:
        assert list(unread(project("table", {reader: read, field: 0.35}))) == []
        # The file's own settings are trained, too: where no trial is believed.
        assert list(unread(project("table", {reader: read, field: 0.35}, elsewhere))) == []


def test_schedules_that_are_tried_with_the_rates_read_their_factors() -> None:
    own = project("table", {"step_factor": 0.35}).model_dump(mode="json")
    assert list(unread(Project.model_validate(own | {"sweep": {"schedules": ["step"]}}))) == []
