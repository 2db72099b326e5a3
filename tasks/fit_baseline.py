"""The floor that every candidate is compared with."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.storage import open_storage
from tasks.artifacts import DatasetRef, TrainedModel
from tasks.evaluation.baseline import save_baseline
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def fit_baseline(dataset: DatasetRef) -> TrainedModel:
    """Fit the plain model of this kind of data on all training rows."""
    storage = open_storage()
    with TemporaryDirectory() as folder:
        model = Path(folder)
        name, digest, params = save_baseline(storage.fetch_folder(dataset.uri), dataset, model)
        uri = storage.upload_folder(model, f"models/{digest}")
    log.info("%s: %d parameters", name, params)
    return TrainedModel(
        name=name, role="baseline", parent=None, uri=uri, sha256=digest, params=params
    )
