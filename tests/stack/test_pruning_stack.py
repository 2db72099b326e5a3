"""Pruning in rounds on a real cluster and a real store: stopped in the last, it goes on there."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from infra.cluster import connect
from infra.storage import arrow_filesystem, open_storage
from tasks.compression.config import PruneConfig, RecoverConfig
from tasks.compression.pruning_rounds import prune_into, recovery_of
from tasks.data.config import DataConfig
from tasks.training.architectures import Transformer
from tasks.training.checkpoint import CheckpointStore
from tasks.training.job import OnProgress, fitted_of
from tasks.training.recipes import SavedModel, Site, student_job
from tests.in_process import Stop, site_of, snapshot, taught

RUN = os.environ.setdefault("MODELWORKS_TRAINING_TEST", uuid4().hex[:8])
CONFIG = Transformer(name="small", layers=2, width=16, heads=4, feed_forward=32, epochs=1)
PRUNE = PruneConfig(heads=0.5, neurons=0.5, rounds=2, rows=20, recover=RecoverConfig(epochs=40))
pytestmark = pytest.mark.stack


def silent(done: float, total: float, message: str) -> None:
    del done, total, message


def site_in(folder: Path) -> Site:
    random = np.random.default_rng(7)
    days = [" ".join(f"w{word}" for word in random.integers(0, 500, 8)) for _ in range(200)]
    lines = [f"{'good' if row % 2 else 'bad'} {day},{row % 2}" for row, day in enumerate(days)]
    (folder / "days.csv").write_text("\n".join(["text,mood", *lines]), encoding="utf-8")
    about = {"source": "days.csv", "kind": "text", "inputs": ["text"], "target": "mood"}
    dataset = snapshot(DataConfig.model_validate(about), folder, folder / "rows")
    return site_of(folder / "rows", dataset)


def test_a_pruning_that_was_stopped_goes_on_in_its_round(
    stack: Path,
    tmp_path: Path,
) -> None:
    connect()
    site = site_in(tmp_path)
    source = taught(student_job(CONFIG, None, site), tmp_path / "source")
    stores: dict[str, CheckpointStore] = {}

    def store_of(run: str) -> Callable[[str], CheckpointStore]:
        def store(start: str) -> CheckpointStore:
            path = f"{open_storage().bucket}/checkpoints/test-{RUN}-{run}-{start}"
            return stores.setdefault(f"{run}-{start}", CheckpointStore(arrow_filesystem(), path))

        return store

    def prune(run: str, on_progress: OnProgress) -> SavedModel:
        folder = tmp_path / run
        folder.mkdir(exist_ok=True)
        job_of = recovery_of(CONFIG, PRUNE, None, site)
        return prune_into(folder, source, PRUNE, job_of, store_of(run), on_progress)

    def stop_in_the_second(done: float, total: float, message: str) -> None:
        del total, message
        if len(stores) == 2 * PRUNE.rounds and done:
            raise Stop

    whole = prune("whole", silent)
    with pytest.raises(Stop):
        prune("stopped", stop_in_the_second)
    first = next(store for name, store in stores.items() if name.startswith("stopped"))
    before = fitted_of(first)
    assert prune("stopped", silent).digest == whole.digest
    after = fitted_of(first)
    assert before is not None
    assert after is not None
    assert before.history == after.history, "the first round was not trained again"
