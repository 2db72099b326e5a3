"""The data report of a run in MLflow, with the drift since the project's last snapshot."""

from pathlib import Path

import mlflow
import numpy as np
import pytest

from tasks.data.config import DataConfig
from tasks.open_run import open_run
from tasks.prepare_data import prepare_data

pytestmark = pytest.mark.stack


def config(folder: Path, shift: int) -> DataConfig:
    labels = np.random.default_rng(0).choice(["p", "n"], 300)  # that no column alone predicts
    cities = ["Oslo" if i % 3 else "Rome" for i in range(300)]
    lines = [f"{i % 50 + shift},{cities[i]},{label}" for i, label in enumerate(labels)]
    (folder / "rows.csv").write_text("\n".join(["age,city,y", *lines]) + "\n")
    return DataConfig(
        source=str(folder / "rows.csv"), kind="table", target="y", inputs=("age", "city")
    )


def test_drift_is_recorded_beside_the_run(stack: Path, tmp_path: Path) -> None:
    prepare_data.fn("ages", config(tmp_path, 0))
    dataset = prepare_data.fn("ages", config(tmp_path, 30))
    run = open_run.fn("ages", {"name": "ages"}, dataset, None)
    client = mlflow.MlflowClient()
    metrics = client.get_run(run.run_id).data.metrics
    assert metrics["data/drift/age"] > 0.2 > metrics["data/drift/city"]
    assert metrics["data/warnings"] == 1
    recorded = [file.path for file in client.list_artifacts(run.run_id, "data")]
    names = ("classes.png", "drift.png", "report.html", "report.json")
    assert recorded == [f"data/{name}" for name in names]
