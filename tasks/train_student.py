"""Train a small model: with the teacher's answers, or without them as its control."""

import tempfile
from functools import partial
from pathlib import Path

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TrainedModel
from tasks.code_digest import code_digest
from tasks.compression.controls import named
from tasks.estimators.folder import estimator_into
from tasks.fetched_lesson import Taught, fetched_lesson, identity_of
from tasks.kept_checkpoints import checkpoints_at
from tasks.step import step
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.job import run_key
from tasks.training.recipes import Site, student_job, train_into
from tasks.training.sklearn_architecture import SklearnEstimator


@step()
def train_student(
    config: TrainConfig | SklearnEstimator,
    taught: Taught | None,
    compute: ComputeConfig,
    dataset: DatasetRef,
    parent: str | None,
) -> TrainedModel:
    """Return the student; when it is not taught and could be, the control of the same budget."""
    storage = open_storage()
    connect()
    what = (config, compute, *identity_of(taught))
    key = run_key("student", code_digest(__name__), dataset, *what)
    store = checkpoints_at(key)
    local = storage.fetch_folder(dataset.uri)
    site = Site(dataset=dataset, dataset_folder=local, compute=compute)
    is_control = config.is_taught and taught is None
    name, role = named(config.name, "student", is_control=is_control)
    lesson = fetched_lesson(taught, dataset)
    say = partial(report, f"train_student {name}")
    with tempfile.TemporaryDirectory(prefix="student-") as folder:
        if isinstance(config, SklearnEstimator):
            saved = estimator_into(Path(folder), config, site, 1, say)
        else:
            saved = train_into(Path(folder), student_job(config, lesson, site), store, say)
        uri = storage.upload_folder(Path(folder), f"models/{saved.digest}")
    return TrainedModel(
        name=name,
        role=role,
        parent=parent,
        parents=taught[1].teacher_sha256 if taught else (),
        uri=uri,
        sha256=saved.digest,
        params=saved.params,
        batch_size=getattr(config, "batch_size", None),
    )
