"""Ask the teacher about every training row."""

import tempfile
from functools import partial
from pathlib import Path

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
    teacher: TrainedModel, compute: ComputeConfig, dataset: DatasetRef, with_features: bool
) -> TeacherOutputs:
    """Return the teacher's logits of the training split in row order, its features too if asked."""
    storage = open_storage()
    connect()
    model, local = storage.fetch_folder(teacher.uri), storage.fetch_folder(dataset.uri)
    say = partial(report, "label_rows")
    if is_network(model):
        logits = label_training_rows(model, dataset, local, compute, say, with_features)
    else:
        logits = load_own_answers(model, LESSON)
    with tempfile.TemporaryDirectory(prefix="outputs-") as folder:
        digest = save_answers(Path(folder), logits)
        uri = storage.upload_folder(Path(folder), f"outputs/{digest}")
    return TeacherOutputs(uri=uri, sha256=digest, teacher_sha256=teacher.sha256)
