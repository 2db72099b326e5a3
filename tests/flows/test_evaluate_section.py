"""What a project file may say about evaluation, and what a plan makes of it."""

from typing import Any

import pytest

from flows.plan import draw_plan
from flows.project import Project
from flows.retrain import exported
from tasks.artifacts import Candidate, DatasetRef, TrainedModel
from tasks.step import PLAN

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
        ({"slices": ["y"]}, {}, "evaluate.slices 'y' is data.target, by which the report divides"),
        (
            {"slices": ["pixels"]},
            {"kind": "image", "inputs": ["pixels"]},
            "evaluate.slices 'pixels': an input of kind image has no values to divide by",
        ),
        ({"slices": 3}, {}, "Input should be a valid tuple"),
        ({"slices": [3]}, {"inputs": 3, "beside": 3}, "Input should be a valid"),
    ],
    ids=["regression", "unknown", "slice of the target", "slice of pictures", "no list", "numbers"],
)
def test_what_makes_no_sense_is_refused(
    evaluate: dict[str, Any], data: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        project(evaluate, **data)


def test_what_is_sliced_by_and_no_input_is_kept_beside_the_rows() -> None:
    asked = project({"slices": ["age", "site"]}, inputs=["age", "sex"], beside=["camera"])
    assert asked.data.beside == ("camera", "site")
    assert project({"slices": ["site"]}).data.beside == ("site",)
    again = type(asked).model_validate(asked.model_dump(mode="json"))
    assert again.data == asked.data


@pytest.mark.parametrize("how", ["none", "temperature"])
def test_a_plan_calibrates_when_asked(how: str) -> None:
    steps = [step.name for step in draw_plan(project({"calibrate": how}), 1000, look_up=False)]
    assert ("calibrate_candidate" in steps) == (how == "temperature")


def test_nothing_is_calibrated_unless_asked() -> None:
    assert project({}).evaluate.calibrate == "none"


@pytest.mark.parametrize("how", ["none", "temperature"])
def test_float_and_quantised_bundles_are_calibrated_each_for_itself(how: str) -> None:
    asked: list[str] = []
    student = Candidate(
        name="mlp", role="student", parent="teacher", uri="s3://b/1/", sha256="1" * 64,
        size_bytes=1, params=1, model_sha256="2" * 64,
    )  # fmt: skip
    answers = {"export_model": student, "quantize_candidate": student}

    def kept(step: str, key: str) -> Any:
        asked.append(step)
        return answers.get(step, f"calibrated {key[-8:]}")

    dataset = DatasetRef(
        name="p", uri="s3://b/d/", sha256="3" * 64, source_sha256="4" * 64, kind="table",
        inputs=("x",), target="y", classes=("a", "b"), rows={"train": 1},
    )  # fmt: skip
    model = TrainedModel(
        name="mlp", role="student", parent=None, uri="s3://b/m/", sha256="2" * 64, params=1
    )
    token = PLAN.set(kept)
    try:
        found = exported(project({"calibrate": how}), [model], dataset)
    finally:
        PLAN.reset(token)
    calibrated = ["calibrate_candidate"] * (2 if how == "temperature" else 0)
    assert asked == ["export_model", "quantize_candidate", *calibrated]
    assert len(found) == 2
