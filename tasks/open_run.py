"""The parent run in MLflow: one for each project file, dataset and code."""

import json
import logging
from typing import Any

from infra import tracking
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, RunRef
from tasks.close_runs import close_runs
from tasks.code_digest import code_digest
from tasks.promotion.records import RETRAIN, data_figures, digest_of, flat_params
from tasks.step import STEPS, step

log = logging.getLogger(__name__)


def code_of_all_steps(**_: Any) -> str:
    """Digest of the code of every step: other code is another run."""
    modules = {task.fn.__module__ for task in STEPS.values()}
    return digest_of(sorted(code_digest(module) for module in modules))


@step(key=code_of_all_steps)
def open_run(project: str, settings: dict[str, Any], dataset: DatasetRef) -> RunRef:
    """Find or make the run that this retraining is recorded in."""
    key = digest_of(settings, dataset.sha256, code_of_all_steps())
    tags = {tracking.ROLE: RETRAIN, "modelworks.dataset": dataset.sha256}
    run = tracking.open_run(project, key, f"retrain-{key[:8]}", tags, flat_params(settings))
    close_runs(project, "KILLED", keep=run.run_id)
    profile = json.dumps({"rows": dataset.rows, "classes": dataset.classes})
    tracking.log_dataset(run.run_id, dataset.name, dataset.sha256, dataset.uri, profile)
    report = open_storage().fetch_folder(dataset.uri) / "report.json"
    tracking.log_files(run.run_id, report, "data")
    tracking.log_metrics(run.run_id, data_figures(json.loads(report.read_bytes())))
    log.info("recorded at %s", run.url)
    return RunRef(run_id=run.run_id, url=run.url)
