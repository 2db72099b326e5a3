"""Rows without labels, for the teachers to answer: read, or made of training rows."""

import logging
import tempfile
from pathlib import Path

from infra.storage import open_storage
from tasks.artifacts import DatasetRef, Unlabelled
from tasks.data.source_table import source_digest
from tasks.data.unlabelled import FIELD, UnlabelledConfig, write_unlabelled
from tasks.step import step

log = logging.getLogger(__name__)


def source_key(config: UnlabelledConfig, dataset: DatasetRef) -> str:  # noqa: ARG001 (the step's)
    """The bytes that the rows come from."""
    return source_digest(config.source, Path(), FIELD) if config.source else ""


@step(key=source_key)
def gather_rows(config: UnlabelledConfig, dataset: DatasetRef) -> Unlabelled:
    """Return where the rows stand; `ValueError` says what is wrong with their source."""
    storage = open_storage()
    data = storage.fetch_folder(dataset.uri)
    with tempfile.TemporaryDirectory(prefix="unlabelled-") as folder:
        digest, found, made = write_unlabelled(config, Path(), data, dataset, Path(folder))
        uri = storage.upload_folder(Path(folder), f"unlabelled/{digest}")
    log.info("%s: %d rows without labels found, %d made", dataset.name, found, made)
    return Unlabelled(uri=uri, sha256=digest, found=found, made=made)
