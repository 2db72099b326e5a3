"""Ask the teachers about every training row."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel
from tasks.packaging.answers import save_answers
from tasks.step import step
from tasks.training.config import ComputeConfig
from tasks.training.labelling import label_training_rows
from tasks.training.model_folder import LESSON, is_network, load_own_answers


@step()
def label_rows(
    teachers: Sequence[TrainedModel],
    compute: ComputeConfig,
    dataset: DatasetRef,
    with_features: bool,
) -> TeacherOutputs:
    """Return each teacher's logits of the training split in row order, side by side, its features
    behind them if asked."""
    storage = open_storage()
    connect()
    local = storage.fetch_folder(dataset.uri)
    said = [
        _said(storage.fetch_folder(teacher.uri), local, compute, dataset, with_features)
        for teacher in teachers
    ]
    logits = np.concatenate(said, axis=1)
    with tempfile.TemporaryDirectory(prefix="outputs-") as folder:
        digest = save_answers(Path(folder), logits)
        uri = storage.upload_folder(Path(folder), f"outputs/{digest}")
    teacher_sha256 = tuple(teacher.sha256 for teacher in teachers)
    return TeacherOutputs(uri=uri, sha256=digest, teacher_sha256=teacher_sha256)


def _said(
    model: Path, data: Path, compute: ComputeConfig, dataset: DatasetRef, with_features: bool
) -> NDArray[np.float32]:
    if not is_network(model):
        return load_own_answers(model, LESSON)
    say = partial(report, "label_rows")
    return label_training_rows(model, dataset, data, compute, say, with_features)
