"""Find the batch size of a training whose project says `auto`."""

import logging

from infra.cluster import connect
from infra.storage import open_storage
from tasks.artifacts import BatchSize, DatasetRef
from tasks.step import step
from tasks.training.batch_size import batch_size_for
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.training.recipes import Site

log = logging.getLogger(__name__)


@step(about="config")
def size_batch(config: TrainConfig, compute: ComputeConfig, dataset: DatasetRef) -> BatchSize:
    """Return the size, measured once: whatever is resumed or repeated takes the same."""
    connect()
    local = open_storage().fetch_folder(dataset.uri)
    found = batch_size_for(config, Site(dataset=dataset, dataset_folder=local, compute=compute))
    log.info("%s: batch_size %d, %s", config.name, found.batch_size, found.reason)
    return found
