"""What each candidate costs to ask, measured where nothing else runs."""

import logging
from collections.abc import Sequence

from infra import progress
from infra.storage import Storage, open_storage
from tasks.artifacts import Candidate, Cost, DatasetRef, Latency, TrainedModel
from tasks.evaluation.isolation import cost_figures, eager_p50_ms, latency_figures
from tasks.evaluation.measure import Columns
from tasks.evaluation.quality import latency_rows
from tasks.step import step
from tasks.training.model_folder import is_network

log = logging.getLogger(__name__)


@step()
def measure_costs(
    candidates: Sequence[Candidate], models: Sequence[TrainedModel], dataset: DatasetRef
) -> list[Cost]:
    """Cost of every candidate, in order: latencies side by side, the rest each in a process of its
    own; a teacher's eager p50 too."""
    storage = open_storage()
    columns = latency_rows(storage.fetch_folder(dataset.uri), dataset).columns
    weights = {model.sha256: model.uri for model in models if model.role == "teacher"}
    progress.report("measure_costs", 0, len(candidates), "latencies, side by side")
    timed = latency_figures([storage.fetch_folder(c.uri) for c in candidates], columns)
    costs = []
    for done, (candidate, figures) in enumerate(zip(candidates, timed, strict=True)):
        progress.report("measure_costs", done, len(candidates), candidate.name)
        eager = _eager(storage, weights.get(candidate.model_sha256), columns)
        others = cost_figures(storage.fetch_folder(candidate.uri), columns)
        log.info("%s: p50 %.2f ms", candidate.name, figures["p50"])
        costs.append(Cost(latency_ms=Latency(**figures), eager_p50_ms=eager, **others))
    return costs


def _eager(storage: Storage, weights_uri: str | None, columns: Columns) -> float | None:
    weights = storage.fetch_folder(weights_uri) if weights_uri else None
    return eager_p50_ms(weights, columns) if weights and is_network(weights) else None
