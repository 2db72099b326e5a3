"""A bundle's answers to the rows of one split: asked for once, then kept."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from infra.storage import Storage
from tasks.artifacts import Candidate, DatasetRef, Split
from tasks.evaluation.by_name import by_name
from tasks.evaluation.isolation import answers
from tasks.evaluation.measure import Columns
from tasks.evaluation.quality import prediction_prefix
from tasks.packaging.answers import load_answers, save_answers
from tasks.packaging.bundle import read_facts
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


def named_answers(
    storage: Storage, candidate: Candidate, dataset: DatasetRef, split: Split, columns: Columns
) -> tuple[NDArray[np.float32], str]:
    """Return the answers to the rows of `split`, and where they lie: by the dataset's names.

    Those of a bundle that was made of other rows, a champion of an earlier night, are kept twice:
    as it gave them, and as `by_name` moves them.
    """
    uri = kept_answers(storage, candidate, dataset, split, columns)
    found = load_answers(storage.fetch_folder(uri))
    own = read_facts(storage.fetch_folder(candidate.uri)).classes
    moved = by_name(found, own, dataset.classes, dataset.task)
    if moved is found:
        return found, uri
    prefix = prediction_prefix(candidate.sha256, dataset.sha256, split)
    with TemporaryDirectory() as folder:
        save_answers(Path(folder), moved)
        return moved, storage.upload_folder(Path(folder), f"{prefix}-by-name")
