"""Ask the teachers about every training row."""

import logging
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, Task, TeacherOutputs, TrainedModel, Unlabelled
from tasks.data.scale import scaled
from tasks.data.snapshot import split_rows
from tasks.estimators.answering import graph_answers
from tasks.fetched_lesson import fetched_rows
from tasks.packaging.answers import save_answers
from tasks.step import step
from tasks.training.config import ComputeConfig
from tasks.training.examples import Columns
from tasks.training.labelling import answers_to
from tasks.training.model_folder import LESSON, VALID, is_network, load_own_answers
from tasks.training.teacher_shares import shares_by_quality

log = logging.getLogger(__name__)


@step()
def label_rows(
    teachers: Sequence[TrainedModel],
    compute: ComputeConfig,
    dataset: DatasetRef,
    with_features: bool,
    unlabelled: Unlabelled | None,
    by_quality: bool,
) -> TeacherOutputs:
    """Return each teacher's logits of the training split in row order, side by side, its features
    behind them if asked; those of rows without labels follow. And their shares `by_quality`."""
    storage = open_storage()
    connect()
    local = storage.fetch_folder(dataset.uri)
    train = split_rows(local, dataset, "train").columns
    parts = [train, *([fetched_rows(unlabelled, dataset)] if unlabelled else [])]
    folders = [storage.fetch_folder(teacher.uri) for teacher in teachers]
    said = [_said(each, parts, compute, dataset.task, with_features) for each in folders]
    logits = np.concatenate(said, axis=1)
    with tempfile.TemporaryDirectory(prefix="outputs-") as folder:
        digest = save_answers(Path(folder), logits)
        uri = storage.upload_folder(Path(folder), f"outputs/{digest}")
    teacher_sha256 = tuple(teacher.sha256 for teacher in teachers)
    return TeacherOutputs(
        uri=uri,
        sha256=digest,
        teacher_sha256=teacher_sha256,
        teacher_uris=tuple(teacher.uri for teacher in teachers),
        shares=_shares(folders, local, compute, dataset) if by_quality else (),
        unlabelled=unlabelled,
    )


def _shares(
    models: Sequence[Path], data: Path, compute: ComputeConfig, dataset: DatasetRef
) -> tuple[float, ...]:
    """How much each teacher has to say, by its answers to the validation rows."""
    valid, say = split_rows(data, dataset, "valid"), partial(report, "label_rows")
    said = [
        answers_to(valid.columns, model, dataset.task, compute, say)
        if is_network(model)
        else load_own_answers(model, VALID)
        for model in models
    ]
    shares = shares_by_quality(said, scaled(valid.labels, dataset.scale))
    log.info("shares of the teachers: %s", ", ".join(f"{share:.3f}" for share in shares))
    return shares


def _said(
    model: Path, parts: Sequence[Columns], compute: ComputeConfig, task: Task, with_features: bool
) -> NDArray[np.float32]:
    """What one teacher says of the training rows, and of those without labels."""
    if is_network(model):
        say = partial(report, "label_rows")
        found = [answers_to(rows, model, task, compute, say, with_features) for rows in parts]
    else:
        others = [graph_answers(model, rows) for rows in parts[1:]]
        found = [load_own_answers(model, LESSON), *others]
    return np.concatenate(found)
