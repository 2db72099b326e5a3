"""Trials on scikit-learn's digits: as a table, and as pictures."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pyarrow import fs
from sklearn.datasets import load_digits

from tasks.data.config import DataConfig
from tasks.sweep.saving import Saving
from tasks.sweep.space import Values
from tasks.sweep.target import Target
from tasks.sweep.workbench import Workbench
from tasks.training.architectures import Lenet, Mlp, SmallLenet
from tasks.training.checkpoint import CheckpointStore
from tasks.training.image_architectures import ImageAugmentConfig
from tasks.training.job import TrainingJob
from tasks.training.losses import LabelLoss
from tasks.training.recipes import student_job
from tests.in_process import site_of, snapshot

PICTURES = {"source": "sklearn://digits", "kind": "image", "target": "digit", "image": {"size": 8}}
STILL = ImageAugmentConfig(shift=0, rotate=0)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mlp_job(tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """Two hidden layers over 64 columns, 401 rows."""
    folder = tmp_path_factory.mktemp("table")
    digits = load_digits()
    table = pd.DataFrame(digits.data, columns=[f"p{index}" for index in range(64)])
    table.assign(digit=digits.target.astype(str)).to_csv(folder / "digits.csv", index=False)
    config = DataConfig(source="digits.csv", kind="table", target="digit")
    dataset = snapshot(config, folder, folder / "snapshot", "digits")
    # Not a multiple of the batch size: batches of one epoch differ by a row.
    model = Mlp(name="mlp", hidden=(32, 16), epochs=3, batch_size=32, max_rows=401, dropout=0.1)
    return student_job(model, None, site_of(folder / "snapshot", dataset))


@pytest.fixture(scope="session")
def lenet_job(tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """Two convolutions over 8 x 8 pixels, 201 rows; its weights are averaged."""
    folder = tmp_path_factory.mktemp("pictures")
    dataset = snapshot(DataConfig.model_validate(PICTURES), folder, folder / "snapshot", "digits")
    model = Lenet(
        name="lenet", filters=(8, 16), hidden=(32,), epochs=2, max_rows=201, augment=STILL
    )
    job = student_job(model, None, site_of(folder / "snapshot", dataset))
    return replace(job, valid=job.valid.take(np.arange(100)))


def changed(job: TrainingJob, **changes: Any) -> TrainingJob:
    """The job with these: a field of the course or of the technique, `smoothing` or `dropout`."""
    course, technique = job.course, job.course.technique
    own = {
        name: changes.pop(name) for name in list(changes) if name in type(technique).model_fields
    }
    if "smoothing" in changes:
        changes["loss"] = LabelLoss(smoothing=changes.pop("smoothing"))
    if "dropout" in changes:
        config = {**job.blueprint.config, "dropout": changes.pop("dropout")}
        job = replace(job, blueprint=replace(job.blueprint, config=config))
    technique = technique.model_copy(update=own)
    return replace(job, course=replace(course, technique=technique, **changes))


class Deadly:
    """A loss that kills the process that computes it."""

    def __call__(self, *_: object) -> None:
        signal.raise_signal(signal.SIGKILL)


def dying(job: TrainingJob) -> TrainingJob:
    """The job, which kills whoever trains it at the first step."""
    loss: Any = Deadly()
    return replace(job, course=replace(job.course, loss=loss))


class Perhaps:
    """A workbench of two trials: one dies, the other does not."""

    def __init__(self, job: TrainingJob, dies: TrainingJob) -> None:
        self._job, self._dies = job, dies
        self.materials = self

    def upcoming(self, values: Values) -> TrainingJob:
        return self._dies if values["a.dies"] else self._job

    def find(self, job: TrainingJob) -> None:
        del job


@pytest.fixture(scope="module")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    folder = tmp_path_factory.mktemp("digits")
    data = DataConfig.model_validate(
        {
            "source": "sklearn://digits",
            "kind": "image",
            "target": "digit",
            "image": {"size": 8},
            "max_rows": 300,
        }
    )
    dataset = snapshot(data, folder, folder / "rows", "digits")
    model = SmallLenet(name="small", epochs=3, batch_size=32, choose_by="loss", augment=STILL)
    target = Target(root="students.0", settings=model.model_dump(mode="json"), lr=3e-3)
    return Workbench(target, site_of(folder / "rows", dataset))


@pytest.fixture
def saving(tmp_path: Path) -> Saving:
    """A store in which trials are saved after every pass."""
    return Saving(CheckpointStore(fs.LocalFileSystem(), str(tmp_path / "trials")), 0.0)
