"""Whose cost a step is, and what a model took in all."""

import inspect
from typing import Any

import pytest

from tasks.artifacts import Candidate, TeacherOutputs, TrainedModel
from tasks.costs.cost import Cost
from tasks.costs.shares import (
    StepCost,
    by_model,
    cost_of_model,
    spending_of,
    subject_of,
    told,
)
from tasks.label_rows import label_rows
from tasks.training.architectures import TEACHERS


def model(name: str, parent: str | None) -> TrainedModel:
    return TrainedModel(name=name, role="student", parent=parent, uri="", sha256="", params=1)


def candidate(name: str, parent: str | None) -> Candidate:
    about = {"uri": "", "sha256": "", "size_bytes": 1, "params": 1, "model_sha256": ""}
    return Candidate(name=name, role="compressed", parent=parent, **about)


def step(name: str, about: str, hours: float, parent: str | None = None) -> StepCost:
    cost = Cost(cpu_hours=hours, money=hours / 2)
    return StepCost(step=name, about=about, parent=parent, cost=cost, energy_by="watts")


def asked(teachers: list[TrainedModel], hours: float) -> StepCost:
    """As the step is recorded that asks them."""
    inputs = inspect.signature(label_rows.fn).bind(teachers, None, None, False, None, False)
    about, parent = subject_of(OUTPUTS, inputs.arguments, "")
    return step("label_rows", about, hours, parent)


OUTPUTS = TeacherOutputs(uri="", sha256="", teacher_sha256=("a", "b"))
COSTS = {
    "prepare_data-1": step("prepare_data", "", 1),
    "fit_baseline-1": step("fit_baseline", "tfidf", 2),
    "tune_model-1": step("tune_model", "teacher", 4),
    "train_teacher-1": step("train_teacher", "teacher", 8),
    "gather_rows-1": step("gather_rows", "", 2048),
    "label_rows-1": asked([model("teacher", None), model("teacher", None)], 16),
    "train_student-1": step("train_student", "bag", 32, "teacher"),
    "train_student-2": step("train_student", "bag-control", 64),
    "quantize_candidate-1": step("quantize_candidate", "bag-int8", 128, "bag"),
    "measure_costs-1": step("measure_costs", "", 256),
    "promote_model-1": step("promote_model", "bag-int8", 1024),
    "search_settings-1": step("search_settings", "", 512),
}


@pytest.mark.parametrize(
    ("answer", "inputs", "about", "expected"),
    [
        (model("bag", "teacher"), {"config": TEACHERS["text"]}, "", ("bag", "teacher")),
        (
            [candidate("bag-int8", "bag")],
            {"candidate": candidate("bag", None)},
            "",
            ("bag-int8", "bag"),
        ),
        ([], {"candidate": candidate("bag", "teacher")}, "", ("bag", "teacher")),
        (0.1, {"teacher": TEACHERS["text"]}, "teacher", ("teacher", None)),
        (3, {"rows": 3}, "", ("", None)),
        (OUTPUTS, {"teachers": [model("cnn", None), model("cnn", None)]}, "", ("cnn", None)),
        ([1, 2], {"candidates": [candidate("a", None), candidate("b", None)]}, "", ("", None)),
    ],
    ids=["made", "one-of-a-list", "given", "named", "nobody", "alike", "all"],
)
def test_whose_step_it_is(
    answer: Any, inputs: dict[str, Any], about: str, expected: tuple[str, str | None]
) -> None:
    assert subject_of(answer, inputs, about) == expected


def test_a_model_has_its_own_steps() -> None:
    shares = {name: cost.cpu_hours for name, cost in by_model(COSTS.values()).items()}
    assert shares == {"tfidf": 2, "teacher": 28, "bag": 32, "bag-control": 64, "bag-int8": 1152}


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("bag-int8", 1 + 28 + 32 + 128 + 512 + 2048),
        ("bag", 1 + 28 + 32 + 512 + 2048),
        ("bag-control", 1 + 64 + 512 + 2048),
        ("tfidf", 1 + 2 + 512 + 2048),
    ],
)
def test_a_model_costs_what_it_came_from_once(name: str, hours: float) -> None:
    assert cost_of_model(name, COSTS.values()).cpu_hours == hours


def test_what_was_spent_now_is_told_from_what_was_kept() -> None:
    spending = spending_of(COSTS, ["train_student-2", "measure_costs-1"], "bag")
    assert spending.whole.cpu_hours == 4095
    assert spending.now.cpu_hours == 64 + 256
    assert spending.whole.money == 4095 / 2
    assert spending.energy_by == ("watts",)


def test_what_a_person_is_told() -> None:
    assert told(Cost(cpu_hours=0.01, energy_kwh=0.00012)) == "36 CPU s, 0.12 Wh"
    much = Cost(cpu_hours=2.5, gpu_hours=0.5, energy_kwh=0.13, money=3.75)
    assert told(much) == "2.50 CPU h, 1800 GPU s, 130 Wh, money 3.75"
