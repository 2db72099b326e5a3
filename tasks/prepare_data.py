"""Labelled rows, checked, split without leakage, and kept in S3 under their own digest."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import progress
from infra.storage import open_storage
from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.dataset import split_sizes, write_dataset
from tasks.data.prepare import prepare_rows
from tasks.data.report import warnings_of
from tasks.data.scale import scale_of
from tasks.data.source_table import source_digest
from tasks.step import step

log = logging.getLogger(__name__)


def source_key(name: str, config: DataConfig) -> str:  # noqa: ARG001 (a step's own parameters)
    """The bytes that the rows come from: another file under the same name is another dataset."""
    return source_digest(config, Path())


@step(key=source_key)
def prepare_data(name: str, config: DataConfig) -> DatasetRef:
    """Snapshot the rows that `config` names; `ValueError` says what is wrong with them."""
    prepared = prepare_rows(config, Path())
    with TemporaryDirectory() as folder:
        digest = write_dataset(prepared, Path(folder))
        uri = open_storage().upload_folder(Path(folder), f"datasets/{name}/{digest}")
    for warning in warnings_of(prepared):
        progress.warn("prepare_data", warning)
    log.info("%s: %d rows of %d kept", name, len(prepared.rows), len(prepared.table))
    return DatasetRef(
        name=name,
        uri=uri,
        sha256=digest,
        source_sha256=source_digest(config, Path()),
        kind=config.kind,
        inputs=prepared.config.inputs,
        target=config.target,
        types=prepared.types,
        task=config.task,
        classes=prepared.classes,
        scale=scale_of(prepared),
        rows=split_sizes(prepared),
    )
