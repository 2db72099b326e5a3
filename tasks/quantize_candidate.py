"""The same graph in fewer bits."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.storage import open_storage
from tasks.artifacts import Candidate, DatasetRef
from tasks.compression.config import QuantizeConfig
from tasks.compression.quantize import quantize_bundle
from tasks.compression.sample import sample_of
from tasks.compression.sparsity import zipped_bytes
from tasks.packaging.bundle import bundle_bytes
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def quantize_candidate(
    candidate: Candidate, form: QuantizeConfig, dataset: DatasetRef
) -> Candidate:
    """Quantise a float bundle; one trained for this form is called after it already."""
    storage = open_storage()
    name = candidate.name if form.aware else f"{candidate.name}-{form.name}"
    sample = sample_of(storage.fetch_folder(dataset.uri), dataset)
    with TemporaryDirectory() as folder:
        bundle = Path(folder, name)
        digest = quantize_bundle(storage.fetch_folder(candidate.uri), bundle, form, sample)
        uri = storage.upload_folder(bundle, f"bundles/{digest}")
        size_bytes = bundle_bytes(bundle)
        zipped = zipped_bytes(bundle) if candidate.zeros else None
    log.info("%s: %.1f MB from %.1f", name, size_bytes / 1e6, candidate.size_bytes / 1e6)
    return candidate.model_copy(
        update={
            "name": name,
            "role": "control" if candidate.role == "control" else "compressed",
            "parent": candidate.parent if form.aware else candidate.name,
            "parents": candidate.parents if form.aware else (candidate.model_sha256,),
            "uri": uri,
            "sha256": digest,
            "size_bytes": size_bytes,
            "zipped_bytes": zipped,
        }
    )
