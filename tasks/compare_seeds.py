"""A student and its control by several seeds."""

import logging
from collections.abc import Sequence

from infra.storage import open_storage
from tasks.artifacts import Candidate, DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation.confusions import Metric
from tasks.evaluation.quality import FIGURES
from tasks.evaluation.recommended import truth_of
from tasks.evaluation.seeds import gain_over_seeds
from tasks.kept_answers import kept_answers
from tasks.packaging.answers import load_answers
from tasks.quality_artifacts import SeedGain
from tasks.step import step

log = logging.getLogger(__name__)


@step()
def compare_seeds(
    name: str,
    taught: Sequence[Candidate],
    alone: Sequence[Candidate],
    dataset: DatasetRef,
    metric: Metric,
) -> SeedGain:
    """Return what the teacher is worth to the student `name`, from the answers of exported bundles
    to validation rows, seed by seed."""
    storage = open_storage()
    rows = split_rows(storage.fetch_folder(dataset.uri), dataset, "valid")
    truth = truth_of(rows, dataset)

    def score(candidate: Candidate) -> float:
        uri = kept_answers(storage, candidate, dataset, "valid", rows.columns)
        found = load_answers(storage.fetch_folder(uri))
        return FIGURES[dataset.task](found, truth, dataset.classes)[0][metric]

    gain = gain_over_seeds(name, metric, [score(c) for c in taught], [score(c) for c in alone])
    log.info("%s", gain)
    return gain
