"""Fine-tune the large model that the students learn from."""

import tempfile
from functools import partial
from pathlib import Path

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TrainedModel, Tuned
from tasks.code_digest import code_digest
from tasks.estimators.folder import estimator_into
from tasks.kept_checkpoints import checkpoints_at
from tasks.step import step
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.job import run_key
from tasks.training.recipes import Site, teacher_job, train_into
from tasks.training.sklearn_architecture import SklearnTeacher


@step()
def train_teacher(
    config: TrainConfig | SklearnTeacher, tuned: Tuned, compute: ComputeConfig, dataset: DatasetRef
) -> TrainedModel:
    """Return the teacher, trained by `compute.workers` workers at the tuned rate."""
    storage = open_storage()
    if tuned.schedule is not None:
        config = config.model_copy(update={"schedule": tuned.schedule})
    connect()
    key = run_key("teacher", code_digest(__name__), dataset, config, tuned.lr, compute)
    store = checkpoints_at(key)
    local = storage.fetch_folder(dataset.uri)
    site = Site(dataset=dataset, dataset_folder=local, compute=compute)
    with tempfile.TemporaryDirectory(prefix="teacher-") as folder:
        say = partial(report, "train_teacher")
        if isinstance(config, SklearnTeacher):
            saved = estimator_into(Path(folder), config, site, compute.workers, say)
        else:
            saved = train_into(Path(folder), teacher_job(config, tuned.lr, site), store, say)
        uri = storage.upload_folder(Path(folder), f"models/{saved.digest}")
    return TrainedModel(
        name=config.name,
        role="teacher",
        parent=None,
        uri=uri,
        sha256=saved.digest,
        params=saved.params,
        exports=saved.exports,
        batch_size=getattr(config, "batch_size", None),
    )
