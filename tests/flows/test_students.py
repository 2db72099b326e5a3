"""What is trained with a teacher is trained without, too: as many steps, on labels alone."""

from typing import Any

import pytest

import flows.retrain
from flows.project import Project
from flows.retrain import aware, pruned
from flows.students import trainings_of
from tasks.artifacts import Role, TeacherOutputs, TrainedModel, Unlabelled
from tests.flows.test_retrain import DATASET

MORE = Unlabelled(uri="", sha256="3", found=0, made=160)
OUTPUTS = TeacherOutputs(uri="", sha256="4", teacher_sha256=("5",), unlabelled=MORE)
PROJECT = Project.model_validate(
    {
        "name": "moods",
        "data": {"source": "moods.csv", "kind": "text", "inputs": ["text"], "target": "mood"},
        "students": [{"name": "bag", "model": "ngram_bag", "epochs": 4}],
        "compress": {
            "distil": {"made_rows": 2},
            "prune": [
                {"name": "small", "of": "bag", "neurons": 0.5, "recover": {"epochs": 1}},
                {"name": "holes", "of": "bag", "sparsity": 0.5},
            ],
            "quantize": ["int8", {"aware": {"epochs": 2, "max_rows": 40}}],
        },
    }
)


def model(name: str, role: Role, parent: str | None = None, zeros: float = 0.0) -> TrainedModel:
    return TrainedModel(
        name=name, role=role, parent=parent, uri="", sha256=name, params=1, zeros=zeros
    )


MODELS = [
    model("teacher", "teacher"),
    model("bag", "student", "teacher"),
    model("bag-control", "control"),
    model("small", "pruned", "bag"),
    model("small-control", "control", "bag"),
    model("holes", "pruned", "bag", 0.5),
    model("holes-control", "control", "bag", 0.5),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the steps are called with, which train nothing."""
    made: list[dict[str, Any]] = []

    def kept(_: Any, calls: list[dict[str, Any]]) -> list[TrainedModel]:
        made.extend(calls)
        return []

    monkeypatch.setattr(flows.retrain, "side_by_side", kept)
    return made


def test_a_student_and_its_control() -> None:
    taught, control = trainings_of(PROJECT.students[0], PROJECT, OUTPUTS, DATASET)
    assert (taught["taught"], taught["parent"]) == ((PROJECT.compress.distil, OUTPUTS), "teacher")
    assert (control["taught"], control["parent"]) == (None, None)
    assert [call["config"].epochs for call in (taught, control)] == [4, 12]


def test_a_pruned_model_and_its_control(calls: list[dict[str, Any]]) -> None:
    pruned(PROJECT, MODELS, OUTPUTS, DATASET)
    assert [call["source"].name for call in calls] == ["bag"] * 4
    assert [call["taught"] is None for call in calls] == [False, True] * 2
    assert [call["prune"].called for call in calls] == ["small", "small", "holes", "holes"]
    assert [call["prune"].recover.epochs for call in calls[:2]] == [1, 3]


def test_a_model_that_learns_with_rounding_and_its_control(calls: list[dict[str, Any]]) -> None:
    """The control goes on from the control of what the other goes on from."""
    aware(PROJECT, MODELS, OUTPUTS, DATASET)
    sources = ["bag", "bag-control", "small", "small-control"]
    assert [call["source"].name for call in calls] == sources
    assert [call["taught"] is None for call in calls] == [False, True] * 2
    assert {call["config"].name for call in calls} == {"bag"}
    assert {call["form"].name for call in calls} == {"int8-aware"}
    assert [call["form"].aware.epochs for call in calls] == [2, 6] * 2
    assert {call["form"].aware.max_rows for call in calls} == {40}
