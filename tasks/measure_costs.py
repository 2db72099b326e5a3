"""What each candidate costs to ask, measured where nothing else runs."""

import logging
from collections.abc import Sequence

from infra import progress
from infra.storage import Storage, open_storage
from tasks.artifacts import Candidate, Cost, DatasetRef, Latency, TrainedModel
from tasks.evaluation.isolation import cost_figures, eager_p50_ms
from tasks.evaluation.measure import Columns
from tasks.evaluation.quality import latency_rows
from tasks.step import step
from tasks.training.model_folder import is_network

log = logging.getLogger(__name__)


@step()
def measure_costs(
    candidates: Sequence[Candidate], models: Sequence[TrainedModel], dataset: DatasetRef
) -> list[Cost]:
    """Cost of every candidate, in order, one process after the other; a teacher's eager p50 too."""
    storage = open_storage()
    columns = latency_rows(storage.fetch_folder(dataset.uri), dataset).columns
    weights = {model.sha256: model.uri for model in models if model.role == "teacher"}
    costs = []
    for done, candidate in enumerate(candidates):
        progress.report("measure_costs", done, len(candidates), candidate.name)
        costs.append(_cost(storage, candidate, weights.get(candidate.model_sha256), columns))
    return costs


def _cost(
    storage: Storage, candidate: Candidate, weights_uri: str | None, columns: Columns
) -> Cost:
    figures = cost_figures(storage.fetch_folder(candidate.uri), columns)
    weights = storage.fetch_folder(weights_uri) if weights_uri else None
    eager = eager_p50_ms(weights, columns) if weights and is_network(weights) else None
    log.info("%s: p50 %.2f ms", candidate.name, figures["p50"])
    latency = Latency(p50=figures.pop("p50"), p95=figures.pop("p95"))
    return Cost(latency_ms=latency, eager_p50_ms=eager, **figures)
