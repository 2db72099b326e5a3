"""Take the parts out of a trained model that are worth least to it, and let it recover."""

import tempfile
from functools import partial
from pathlib import Path

from infra.cluster import connect
from infra.progress import report
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TrainedModel
from tasks.code_digest import code_digest
from tasks.compression.config import PruneConfig
from tasks.compression.controls import named
from tasks.compression.pruning_rounds import prune_into, recovery_of
from tasks.compression.sparsity import zero_share
from tasks.fetched_lesson import Taught, fetched_lesson, identity_of
from tasks.kept_checkpoints import checkpoints_at
from tasks.step import step
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.job import run_key
from tasks.training.recipes import Site


@step()
def prune_model(
    source: TrainedModel,
    config: TrainConfig,
    prune: PruneConfig,
    taught: Taught | None,
    compute: ComputeConfig,
    dataset: DatasetRef,
) -> TrainedModel:
    """Return the pruned model; when it is not taught, the control of the same shape.

    `config` are the settings that `source` was trained with.
    """
    storage = open_storage()
    connect()
    what = (source.sha256, config, prune, compute, *identity_of(taught))
    key = run_key("prune", code_digest(__name__), dataset, *what)
    local = storage.fetch_folder(dataset.uri)
    site = Site(dataset=dataset, dataset_folder=local, compute=compute)
    name, role = named(prune.called, "pruned", is_control=taught is None)
    lesson = fetched_lesson(taught, dataset)
    with tempfile.TemporaryDirectory(prefix="pruned-") as folder:
        saved = prune_into(
            Path(folder),
            storage.fetch_folder(source.uri),
            prune,
            recovery_of(config, prune, lesson, site),
            lambda start: checkpoints_at(f"{key}-{start}"),
            partial(report, f"prune_model {name}"),
        )
        uri = storage.upload_folder(Path(folder), f"models/{saved.digest}")
        zeros = zero_share(Path(folder)) if prune.is_sparse else 0.0
    return TrainedModel(
        name=name,
        role=role,
        parent=source.name,
        parents=(source.sha256,),
        uri=uri,
        sha256=saved.digest,
        params=saved.params,
        batch_size=source.batch_size,
        zeros=zeros,
    )
