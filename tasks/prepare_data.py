"""Labelled rows, checked, split without leakage, and kept in S3 under their own digest."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import progress
from infra.storage import open_storage
from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.dataset import reference_of, write_dataset
from tasks.data.drift import Drift, drift_since
from tasks.data.prepare import Prepared, prepare_rows
from tasks.data.report import warnings_of
from tasks.data.source_table import source_digest
from tasks.read_source import with_local_source
from tasks.step import step

FETCHED: dict[str, DataConfig] = {}
"""Configurations whose rows were brought here for the key of a step that has not run yet."""
log = logging.getLogger(__name__)


def source_key(name: str, config: DataConfig) -> str:  # noqa: ARG001 (a step's own parameters)
    """The bytes that the rows come from: another file under the same name is another dataset."""
    # Rows that are fresh today may be too old tomorrow.
    today = datetime.now(UTC).date().isoformat() if config.checks.fresh else ""
    local = with_local_source(config)
    if local is not config:
        FETCHED[config.model_dump_json()] = local
    return source_digest(local, Path()) + today


@step(key=source_key)
def prepare_data(name: str, config: DataConfig) -> DatasetRef:
    """Snapshot the rows that `config` names; `ValueError` says what is wrong with them."""
    # What the key was made of: asked again, the database could answer otherwise.
    fetched = FETCHED.pop(config.model_dump_json(), None)
    config = fetched or with_local_source(config)
    prepared = prepare_rows(config, Path())
    drift = drift_since_last(name, prepared)
    with TemporaryDirectory() as folder:
        digest = write_dataset(prepared, Path(folder), drift)
        uri = open_storage().upload_folder(Path(folder), f"datasets/{name}/{digest}")
    open_storage().put(last_key(name), json.dumps({"uri": uri}).encode())
    for warning in warnings_of(prepared, drift):
        progress.warn("prepare_data", warning)
    log.info("%s: %d rows of %d kept", name, len(prepared.rows), len(prepared.table))
    return reference_of(
        prepared, name, digest, uri=uri, source_sha256=source_digest(config, Path())
    )


def last_key(name: str) -> str:
    """Where the address of a project's last snapshot is kept."""
    return f"datasets/{name}/last.json"


def drift_since_last(name: str, prepared: Prepared) -> dict[str, Drift]:
    """Drift of each column since the last snapshot; nothing when there is none to compare with."""
    if prepared.config.checks.drift is None:
        return {}
    try:
        uri = json.loads(open_storage().get(last_key(name)))["uri"]
    except KeyError:
        return {}
    return drift_since(open_storage().fetch_folder(uri), prepared)
