"""A batch size that is found by trying: what is tried, when it ends, and what it comes to."""

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from flows.plan import draw_plan
from flows.project import Project
from flows.retrain import pruned, sized_students
from flows.teacher import sized
from tasks.artifacts import BatchSize, DatasetRef, TeacherOutputs
from tasks.step import PLAN
from tasks.training.architectures import Mlp, NgramBag
from tasks.training.batch_size import (
    Bounds,
    Probe,
    best_size,
    bounds_of,
    has_room,
    is_enough,
    probed,
    reason_for,
    rows_a_second,
    sizes,
    spread,
)
from tasks.training.blueprint import Blueprint
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, new_state
from tasks.training.device import Device
from tasks.training.job import Rows, TrainingJob
from tasks.training.losses import LabelLoss
from tasks.training.sklearn_architecture import SklearnEstimator

DATASET = DatasetRef(
    name="p", uri="", sha256="", source_sha256="", kind="table", inputs=("x",), target="y",
    classes=("no", "yes"), rows={},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize(
    ("rows", "workers", "device", "tried"),
    [
        (100_000, 1, "cpu", [8, 16, 32, 64, 128, 256, 512]),
        (100_000, 2, "cpu", [8, 16, 32, 64, 128, 256]),
        (2048, 1, "cpu", [8, 16, 32, 64]),
        (2000, 1, "cuda", [8, 16, 32]),
        (200, 1, "cpu", [6]),
        (3, 2, "cpu", [1]),
        (1_000_000, 1, "cuda", [8 << power for power in range(10)]),
    ],
    ids=["many rows", "two workers", "32 steps a pass", "fewer", "few", "hardly any", "cuda"],
)
def test_what_is_tried(rows: int, workers: int, device: str, tried: list[int]) -> None:
    assert list(sizes(bounds_of(rows, workers, device))) == tried


@pytest.mark.parametrize(
    ("rates", "best", "enough", "why"),
    [
        ([100.0], 8, False, "twice as many pay less than a tenth"),
        ([100.0, 190.0, 300.0], 32, False, "a pass keeps its steps"),
        ([100.0, 190.0, 195.0], 16, False, "twice as many pay less than a tenth"),
        ([100.0, 190.0, 195.0, 185.0], 16, True, "twice as many pay less than a tenth"),
        ([100.0, 106.0, 112.0], 32, False, "a pass keeps its steps"),
        ([100.0, 95.0, 200.0], 32, False, "a pass keeps its steps"),
        ([100.0, 190.0, 0.0], 16, True, "memory does not hold 32"),
        ([0.0], 8, True, "memory does not hold 8"),
    ],
    ids=["one", "all pay", "one pause", "two pauses", "small steps", "hiccup", "memory", "none"],
)
def test_doubling_ends_where_it_no_longer_pays(
    rates: list[float], best: int, enough: bool, why: str
) -> None:
    probes: list[Probe] = [(8 << place, rate) for place, rate in enumerate(rates)]
    assert best_size(probes) == best
    assert is_enough(probes) == enough
    assert reason_for(probes, Bounds(8, 32)).startswith(f"{best} rows at once, as {why} (")


def test_batches_are_spread_over_short_and_long() -> None:
    batches = [np.array([place]) for place in range(10)]
    assert [int(ids[0]) for ids in spread(batches, 1)] == [5]
    assert [int(ids[0]) for ids in spread(batches, 5)] == [1, 3, 5, 7, 9]
    assert spread(batches, 12) == batches


def test_the_next_size_must_have_room_in_main_memory() -> None:
    cpu = Device(torch.device("cpu"), bfloat16=False)
    assert has_room(0, cpu)
    assert not has_room(1 << 50, cpu)
    assert has_room(1 << 50, Device(torch.device("cuda"), bfloat16=False))


def job(count: int, workers: int = 1) -> TrainingJob:
    texts = [f"a {('good', 'bad')[index % 2]} day number {index}" for index in range(count)]
    encoder = {"kind": "hashed_ngrams", "column": "text", "buckets": 1024,
               "word_ngrams": [1, 2], "char_ngrams": [3, 5]}  # fmt: skip
    rows = Rows({"text": texts}, np.arange(count) % 2)
    return TrainingJob(
        blueprint=Blueprint(
            family="ngram_bag",
            config={"num_classes": 2, "buckets": 1024, "width": 8},
            inputs=("text",),
            encoder=encoder,
        ),
        course=Course(epochs=4, batch_size=8, lr=2e-2, seed=7, loss=LabelLoss()),
        compute=ComputeConfig(workers=workers, precision="float32", device="cpu"),
        classes=("no", "yes"),
        train=rows,
        valid=rows.take(np.arange(4)),
    )


def test_a_worker_tries_sizes_on_the_rows_themselves() -> None:
    probes, bounds = probed(job(1100))
    assert bounds == Bounds(8, 34)
    assert [size for size, _ in probes] == [8, 16, 32][: len(probes)]
    assert all(rate > 0 for _, rate in probes)
    assert best_size(probes) in (8, 16, 32)


class Small(nn.Module):
    """A model on a device that holds so many rows at once, and no more."""

    def __init__(self, model: nn.Module, rows: int) -> None:
        super().__init__()
        self.model, self.rows = model, rows

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        if len(input_ids) > self.rows:
            raise MemoryError
        return self.model(input_ids, attention_mask)


def test_a_size_that_memory_does_not_hold_has_no_rate(toy: ModuleType) -> None:
    course, material = toy.toy_course(), toy.toy_material(80)
    state = new_state(Small(toy.toy_state(course).model, 16), course, toy.CPU)
    before = {name: weight.clone() for name, weight in state.trained_weights().items()}
    for size, fits in ((8, True), (16, True), (32, False)):
        rate = rows_a_second(state, replace(course, batch_size=size), material, toy.CPU)
        assert (rate > 0) == fits
    after = state.trained_weights()
    assert all(torch.equal(weight, after[name]) for name, weight in before.items())


def test_all_rows_in_one_step_have_no_batch_to_size() -> None:
    with pytest.raises(ValueError, match="batch_size auto: optimizer gradient_descent takes one"):
        Mlp(batch_size="auto", optimizer="gradient_descent")
    with pytest.raises(ValueError, match="Input should be 'auto'"):
        Mlp(batch_size="huge")


def project(**sections: object) -> Project:
    values = {"name": "p", "data": {"source": "rows.csv", "target": "y", "kind": "table"}}
    return Project.model_validate(values | sections)


def test_the_size_is_asked_once_for_a_student_and_its_control() -> None:
    asked: list[str] = []

    def answer(step: str, key: str) -> BatchSize:
        del key
        asked.append(step)
        return BatchSize(batch_size=128, reason="", probes=())

    token = PLAN.set(answer)
    try:
        auto = {"name": "auto", "model": "mlp", "batch_size": "auto"}
        fixed = {"name": "fixed", "model": "mlp"}
        both = project(students=[auto, fixed])
        students = sized_students(both, DATASET)
        said = TeacherOutputs(uri="", sha256="", teacher_sha256=())
        assert pruned(both, [], said, DATASET) == []
        estimator = SklearnEstimator(name="tree", estimator="tree.DecisionTreeClassifier")
        assert sized(estimator, ComputeConfig(), DATASET) is estimator
    finally:
        PLAN.reset(token)
    assert [student.batch_size for student in students] == [128, 256]
    assert asked == ["size_batch"]
    assert NgramBag(batch_size="auto").of_size(64) == NgramBag(batch_size=64)


@pytest.mark.parametrize("batch_size", [32, "auto"])
def test_a_plan_sizes_batches_when_asked(batch_size: int | str) -> None:
    planned = project(teacher={"model": "mlp", "batch_size": batch_size})
    steps = {step.name: step.seconds for step in draw_plan(planned, 1000, look_up=False)}
    assert ("size_batch" in steps) == (batch_size == "auto")
    assert steps.get("size_batch", 15) == 15
