"""A bundle's answers to the rows of one split: asked for once, then kept."""

from pathlib import Path
from tempfile import TemporaryDirectory

from infra.storage import Storage
from tasks.artifacts import Candidate, DatasetRef, Split
from tasks.evaluation.isolation import answers
from tasks.evaluation.measure import Columns
from tasks.evaluation.quality import prediction_prefix
from tasks.packaging.answers import save_answers
from tasks.packaging.manifest import MANIFEST


def kept_answers(
    storage: Storage, candidate: Candidate, dataset: DatasetRef, split: Split, columns: Columns
) -> str:
    """Return where the answers to the rows of `split` lie; ask the bundle if need be."""
    prefix = prediction_prefix(candidate.sha256, dataset.sha256, split)
    if storage.exists(f"{prefix}/{MANIFEST}"):
        return f"s3://{storage.bucket}/{prefix}/"
    with TemporaryDirectory() as folder:
        save_answers(Path(folder), answers(storage.fetch_folder(candidate.uri), columns))
        return storage.upload_folder(Path(folder), prefix)
