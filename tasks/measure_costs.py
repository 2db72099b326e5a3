"""What each candidate costs to ask, measured where nothing else runs."""

import logging
from collections.abc import Sequence

from infra import progress
from infra.storage import Storage, open_storage
from tasks.artifacts import Candidate, Cost, DatasetRef, Latency, TrainedModel
from tasks.evaluation.isolation import cost_figures, eager_figures, latency_figures
from tasks.evaluation.measure import Columns
from tasks.evaluation.quality import latency_rows
from tasks.packaging.deploy import ALONE, DeployConfig
from tasks.step import step
from tasks.training.model_folder import is_network

log = logging.getLogger(__name__)


@step()
def measure_costs(
    candidates: Sequence[Candidate],
    models: Sequence[TrainedModel],
    dataset: DatasetRef,
    deploy: DeployConfig = ALONE,
) -> list[Cost]:
    """Cost of every candidate, in order: latencies side by side, the rest each in a process of its
    own; of a teacher in eager torch too."""
    storage = open_storage()
    columns = latency_rows(storage.fetch_folder(dataset.uri), dataset).columns
    weights = {model.sha256: model.uri for model in models if model.role == "teacher"}
    progress.report("measure_costs", 0, len(candidates), "latencies, side by side")
    timed = latency_figures([storage.fetch_folder(c.uri) for c in candidates], columns, deploy)
    costs = []
    for done, (candidate, figures) in enumerate(zip(candidates, timed, strict=True)):
        progress.report("measure_costs", done, len(candidates), candidate.name)
        eager = _eager(storage, weights.get(candidate.model_sha256), columns, deploy)
        others = cost_figures(storage.fetch_folder(candidate.uri), columns, deploy)
        log.info("%s: p50 %.2f ms", candidate.name, figures["p50"])
        costs.append(Cost(latency_ms=Latency(**figures), **eager, **others))
    return costs


def _eager(
    storage: Storage, weights_uri: str | None, columns: Columns, deploy: DeployConfig
) -> dict[str, float]:
    weights = storage.fetch_folder(weights_uri) if weights_uri else None
    if weights is None or not is_network(weights):
        return {}
    found = eager_figures(weights, columns, deploy)
    return {f"eager_{name}": value for name, value in found.items()}
