"""What a candidate's answers are worth."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.storage import Storage, open_storage
from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Split
from tasks.data.snapshot import split_rows
from tasks.evaluation.isolation import answers
from tasks.evaluation.measure import Columns
from tasks.evaluation.quality import (
    prediction_prefix,
    report_of,
)
from tasks.packaging.answers import load_answers, save_answers
from tasks.packaging.manifest import MANIFEST
from tasks.promotion.config import METRICS
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def evaluate_candidate(
    candidate: Candidate, cost: Cost, dataset: DatasetRef, split: Split
) -> EvalReport:
    """Every figure of one candidate on one split, from the bundle's own answers."""
    storage = open_storage()
    rows = split_rows(storage.fetch_folder(dataset.uri), dataset, split)
    prefix = prediction_prefix(candidate.sha256, dataset.sha256, split)
    uri = f"s3://{storage.bucket}/{prefix}/"
    if not storage.exists(f"{prefix}/{MANIFEST}"):
        uri = _put_answers(storage, candidate, rows.columns, prefix)
    found = load_answers(storage.fetch_folder(uri))
    report = report_of(candidate, cost, rows, dataset, (found, uri), split)
    metric = METRICS[dataset.task][0]
    log.info("%s: %s %s %.3f", candidate.name, split, metric, report.metrics[metric])
    return report


def _put_answers(storage: Storage, candidate: Candidate, columns: Columns, prefix: str) -> str:
    with TemporaryDirectory() as folder:
        save_answers(Path(folder), answers(storage.fetch_folder(candidate.uri), columns))
        return storage.upload_folder(Path(folder), prefix)
