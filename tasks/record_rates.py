"""What a search for a learning rate found, as a run of its own in MLflow."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra import tracking
from tasks.artifacts import DatasetRef, RunRef, Tuned
from tasks.evaluation.plots import plot_learning_rates
from tasks.promotion.records import digest_of, flat_params
from tasks.step import step

LEARNING_RATE = "learning_rate"
"""The run's role."""


@step()
def record_rates(
    project: str, settings: dict[str, Any], dataset: DatasetRef, tuned: Tuned
) -> RunRef:
    """Write the picture, the figures and the sentence; the run that holds them."""
    key = digest_of(settings, dataset.sha256, tuned.model_dump_json())
    tags = {tracking.ROLE: LEARNING_RATE, "modelworks.dataset": dataset.sha256}
    run = tracking.open_run(project, key, f"lr-{key[:8]}", tags, flat_params(settings))
    tracking.set_tags(run.run_id, {"modelworks.learning_rate": tuned.reason})
    tracking.log_metrics(run.run_id, {"tuned/lr": tuned.lr} | _ends(tuned))
    with TemporaryDirectory() as folder:
        picture = plot_learning_rates(tuned, Path(folder, "learning_rates.png"))
        tracking.log_files(run.run_id, picture, "plots")
        found = Path(folder, "learning_rates.json")
        found.write_text(json.dumps(tuned.model_dump(mode="json"), indent=1), encoding="utf-8")
        tracking.log_files(run.run_id, found)
    tracking.end_run(run.run_id, "FINISHED")
    return RunRef(run_id=run.run_id, url=run.url)


def _ends(tuned: Tuned) -> dict[str, float]:
    low, high = tuned.interval or (tuned.lr, tuned.lr)
    return {"tuned/lowest": low, "tuned/highest": high}
