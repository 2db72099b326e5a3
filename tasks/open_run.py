"""The parent run in MLflow: one for each project file, dataset and code."""

import json
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra import tracking
from infra.storage import open_storage
from tasks.artifacts import DatasetRef, RunRef
from tasks.close_runs import close_runs
from tasks.code_digest import code_digest
from tasks.evaluation.data_html import data_page
from tasks.evaluation.data_plots import plot_data
from tasks.promotion.records import RETRAIN, data_figures, digest_of, flat_params
from tasks.step import step
from tasks.sweep_artifacts import Choice

log = logging.getLogger(__name__)


def code_of_all_steps(**_: Any) -> str:
    """Digest of the code of every verb, whoever imported it: other code is another run."""
    verbs = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return digest_of([code_digest(f"tasks.{verb}") for verb in verbs if verb != "__init__"])


@step(key=code_of_all_steps)
def open_run(
    project: str, settings: dict[str, Any], dataset: DatasetRef, choice: Choice | None
) -> RunRef:
    """Find or make the run that this retraining is recorded in, with these settings.

    `choice` says which of them a sweep has found, if one was asked.
    """
    key = digest_of(settings, dataset.sha256, code_of_all_steps())
    tags = {tracking.ROLE: RETRAIN, "modelworks.dataset": dataset.sha256}
    run = tracking.open_run(project, key, f"retrain-{key[:8]}", tags, flat_params(settings))
    if choice is not None:
        told = {"modelworks.settings": choice.reason, "modelworks.sweep": choice.run.run_id}
        tracking.set_tags(run.run_id, told)
        log.info("settings: %s", choice.reason)
    close_runs(project, "KILLED", keep=run.run_id)
    profile = json.dumps({"rows": dataset.rows, "classes": dataset.classes})
    tracking.log_dataset(run.run_id, dataset.name, dataset.sha256, dataset.uri, profile)
    record_data(run.run_id, dataset)
    log.info("recorded at %s", run.url)
    return RunRef(run_id=run.run_id, url=run.url)


def record_data(run_id: str, dataset: DatasetRef) -> None:
    """Log the data report: as it was written, as a page with pictures, and its figures."""
    path = open_storage().fetch_folder(dataset.uri) / "report.json"
    report = json.loads(path.read_bytes())
    tracking.log_files(run_id, path, "data")
    with TemporaryDirectory() as folder:
        page = data_page(dataset.name, report, plot_data(report, Path(folder)))
        Path(folder, "report.html").write_text(page, encoding="utf-8")
        tracking.log_files(run_id, Path(folder), "data")
    tracking.log_metrics(run_id, data_figures(report))
