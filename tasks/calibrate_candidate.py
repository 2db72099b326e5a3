"""The same answers with a confidence that means what it says."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.storage import open_storage
from tasks.artifacts import Candidate, DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.calibration import fit_temperature
from tasks.kept_answers import kept_answers
from tasks.packaging.answers import load_answers
from tasks.packaging.bundle import bundle_bytes, bundle_with_temperature
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def calibrate_candidate(candidate: Candidate, dataset: DatasetRef) -> Candidate:
    """Fit the bundle's own temperature on validation rows; the bundle that divides by it."""
    storage = open_storage()
    rows = split_rows(storage.fetch_folder(dataset.uri), dataset, "valid")
    found = load_answers(
        storage.fetch_folder(kept_answers(storage, candidate, dataset, "valid", rows.columns))
    )
    temperature = fit_temperature(found, rows.labels)
    log.info("%s: temperature %.3f", candidate.name, temperature)
    if temperature == 1:
        return candidate
    with TemporaryDirectory() as folder:
        bundle = Path(folder, candidate.name)
        digest = bundle_with_temperature(storage.fetch_folder(candidate.uri), bundle, temperature)
        uri = storage.upload_folder(bundle, f"bundles/{digest}")
        about = {"uri": uri, "sha256": digest, "size_bytes": bundle_bytes(bundle)}
    return candidate.model_copy(update=about)
