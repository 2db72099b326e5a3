"""A worker's whole part, without Ray: train, finish, resume."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pyarrow import fs

from tasks.artifacts import DatasetRef
from tasks.training.architectures import MiniLMTeacher
from tasks.training.blueprint import Blueprint
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.course import Course
from tasks.training.group import Group
from tasks.training.job import Rows, TrainingJob, fitted_of, run_key, work
from tasks.training.losses import LabelLoss

WORDS = {"good": "yes", "fine": "yes", "bad": "no", "awful": "no"}


def rows(count: int) -> Rows:
    words = [list(WORDS)[index % 4] for index in range(count)]
    return Rows(
        {"text": [f"a {word} day" for word in words]},
        np.array([WORDS[word] == "yes" for word in words], dtype=np.int64),
    )


@pytest.fixture
def job() -> TrainingJob:
    encoder = {"kind": "hashed_ngrams", "column": "text", "buckets": 1024,
               "word_ngrams": [1, 2], "char_ngrams": [3, 5]}  # fmt: skip
    return TrainingJob(
        blueprint=Blueprint(
            family="ngram_bag",
            config={"num_classes": 2, "buckets": 1024, "width": 8},
            inputs=("text",),
            encoder=encoder,
        ),
        course=Course(
            epochs=4,
            batch_size=8,
            lr=2e-2,
            seed=7,
            loss=LabelLoss(),
        ),
        compute=ComputeConfig(workers=1, precision="float32"),
        classes=("no", "yes"),
        train=rows(64),
        valid=rows(16),
    )


def silent(done: float, total: float, message: str) -> None:
    del done, total, message


def test_a_finished_training_is_taken_up_not_repeated(job: TrainingJob, tmp_path: Path) -> None:
    store = CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "run"))
    assert fitted_of(store) is None
    work(job, store, Group(), silent)
    first = fitted_of(store)
    assert first is not None
    assert first.score == 1.0
    work(replace(job, train=rows(0)), store, Group(), silent)
    again = fitted_of(store)
    assert again is not None
    assert all(torch.equal(first.trained[name], again.trained[name]) for name in first.trained)
    assert first.history == again.history


def test_a_run_key_follows_its_inputs(small_dataset: tuple[Path, DatasetRef]) -> None:
    config, data = MiniLMTeacher(), small_dataset[1]
    key = run_key("teacher", "code", data, config, 1e-4, None)
    assert key == run_key("teacher", "code", data, config, 1e-4, None)
    assert key.startswith("teacher-")
    others = [
        run_key("teacher", "other", data, config, 1e-4, None),
        run_key("teacher", "code", data, config.model_copy(update={"seed": 8}), 1e-4, None),
        run_key("teacher", "code", data, config, 2e-4, None),
        run_key("teacher", "code", data, config, 1e-4, "outputs"),
    ]
    assert len({key, *others}) == 5


@pytest.mark.parametrize(
    ("said", "is_another"),
    [
        ({"sha256": "3" * 64}, True),
        ({"class_weights": {"bad": 2.0, "fair": 1.0, "good": 1.0}}, True),
        ({"scaling": {"text": "rank"}}, True),
        ({"types": {"text": "category"}}, True),
        ({"audio": {"bands": 64}}, True),
        ({"uri": "s3://elsewhere/"}, False),
        ({"name": "tempers", "source_sha256": "4" * 64}, False),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_run_key_follows_what_the_data_means(
    small_dataset: tuple[Path, DatasetRef], said: dict[str, Any], is_another: bool
) -> None:
    data = small_dataset[1]
    other = data.model_copy(update=said)
    assert (run_key("teacher", "code", data) != run_key("teacher", "code", other)) == is_another
