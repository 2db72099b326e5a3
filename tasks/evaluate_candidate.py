"""What a candidate's answers are worth."""

import logging

from infra.storage import open_storage
from tasks.artifacts import Candidate, Cost, DatasetRef, EvalReport, Split
from tasks.data.snapshot import split_rows
from tasks.evaluation.quality import report_of
from tasks.kept_answers import named_answers
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
    found = named_answers(storage, candidate, dataset, split, rows.columns)
    report = report_of(candidate, cost, rows, dataset, found, split)
    metric = METRICS[dataset.task][0]
    log.info("%s: %s %s %.3f", candidate.name, split, metric, report.metrics[metric])
    return report
