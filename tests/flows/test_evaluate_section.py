"""What a project file may say about evaluation, and what a plan makes of it."""

from typing import Any

import pytest

from flows.plan import draw_plan
from flows.project import Project

DATA = {"source": "rows.csv", "target": "y", "kind": "table"}


def project(evaluate: dict[str, Any], **data: Any) -> Project:
    values = {"name": "p", "data": {**DATA, **data}, "evaluate": evaluate}
    return Project.model_validate(values)


@pytest.mark.parametrize(
    ("evaluate", "data", "sentence"),
    [
        (
            {"calibrate": "temperature"},
            {"task": "regression"},
            "evaluate.calibrate temperature: task regression answers without a confidence, only "
            "none is allowed",
        ),
        ({"calibrate": "isotonic"}, {}, "Input should be 'none' or 'temperature'"),
        ({"slices": ["age"]}, {"inputs": ["sex"]}, "evaluate.slices 'age' must be one of"),
        (
            {"slices": ["pixels"]},
            {"kind": "image", "inputs": ["pixels"]},
            "evaluate.slices 'pixels': kind image has no columns with values to divide by",
        ),
    ],
    ids=["regression", "unknown", "slice of no input", "slice of pictures"],
)
def test_what_makes_no_sense_is_refused(
    evaluate: dict[str, Any], data: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        project(evaluate, **data)


@pytest.mark.parametrize("how", ["none", "temperature"])
def test_a_plan_calibrates_when_asked(how: str) -> None:
    steps = [step.name for step in draw_plan(project({"calibrate": how}), 1000, look_up=False)]
    assert ("calibrate_candidate" in steps) == (how == "temperature")


def test_nothing_is_calibrated_unless_asked() -> None:
    assert project({}).evaluate.calibrate == "none"
