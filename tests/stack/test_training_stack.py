"""Training on a real cluster and a real store: killed anywhere, it ends with the same weights."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
import pytest
import ray
import torch

from infra.cluster import connect
from infra.storage import arrow_filesystem, open_storage
from tasks.training.blueprint import Blueprint
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.course import Course
from tasks.training.distributed import check_cluster, fit
from tasks.training.job import Fitted, Rows, TrainingJob
from tasks.training.losses import LabelLoss

ROOT = Path(__file__).resolve().parents[2]
WORDS = ("good", "fine", "bad", "awful", "dull", "great")
RUN = os.environ.setdefault("MODELWORKS_TRAINING_TEST", uuid4().hex[:8])
"""In the names of the runs: a stack that stays up remembers those of the last session."""
LONG = 240
"""Epochs that last for several looks at the board, so that a training is met while it runs."""
pytestmark = pytest.mark.stack


def rows(count: int) -> Rows:
    words = [WORDS[index % 6] for index in range(count)]
    texts = [f"a {word} day number {index}" for index, word in enumerate(words)]
    labels = [int(word in WORDS[::2]) for word in words]
    return Rows({"text": texts}, np.array(labels, dtype=np.int64))


def job(workers: int, epochs: int) -> TrainingJob:
    encoder = {"kind": "hashed_ngrams", "column": "text", "buckets": 1 << 14,
               "word_ngrams": [1, 2], "char_ngrams": [3, 5]}  # fmt: skip
    shape = {"num_classes": 2, "buckets": 1 << 14, "width": 16}
    return TrainingJob(
        blueprint=Blueprint(family="ngram_bag", config=shape, inputs=("text",), encoder=encoder),
        course=Course(
            epochs=epochs,
            batch_size=8,
            lr=5e-3,
            seed=7,
            loss=LabelLoss(),
        ),
        compute=ComputeConfig(workers=workers, device="cpu", precision="float32"),
        classes=("no", "yes"),
        train=rows(240),
        valid=rows(24),
        save_seconds=0.5,
    )


def store(name: str) -> CheckpointStore:
    path = f"{open_storage().bucket}/checkpoints/test-{RUN}-{name}"
    return CheckpointStore(arrow_filesystem(), path)


def silent(done: float, total: float, message: str) -> None:
    del done, total, message


def same_weights(first: Fitted, second: Fitted) -> bool:
    names = set(first.trained) | set(second.trained)
    return all(torch.equal(first.trained[name], second.trained[name]) for name in names)


def steps_of(fitted: Fitted) -> list[float]:
    return [point["step"] for point in fitted.history]


def ray_workers(home: Path, title: str) -> list[psutil.Process]:
    """Processes of this home's cluster that run `title`."""
    found = []
    for process in psutil.process_iter():
        try:
            if title in " ".join(process.cmdline()) and str(home) in str(process.environ()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def killer(home: Path, title: str, after_step: int) -> Callable[[float, float, str], None]:
    """Kills one worker, once, when the training is past a step."""
    killed: list[int] = []

    def on_progress(done: float, total: float, message: str) -> None:
        del total, message
        if done >= after_step and not killed:
            victim = ray_workers(home, title)[0]
            victim.kill()
            killed.append(victim.pid)

    on_progress.killed = killed  # type: ignore[attr-defined]
    return on_progress


@pytest.mark.parametrize(
    ("workers", "epochs", "title"),
    [(1, LONG, "ray::_single_worker"), (2, 40, "ray::RayTrainWorker")],
)
def test_a_killed_worker_changes_nothing(
    stack: Path, workers: int, epochs: int, title: str
) -> None:
    connect()
    work = job(workers, epochs)
    whole = fit(work, store(f"whole-{workers}"), silent)
    kill = killer(stack, title, after_step=300)
    resumed = fit(work, store(f"killed-{workers}"), kill)
    assert kill.killed  # type: ignore[attr-defined]
    assert same_weights(whole, resumed)
    assert steps_of(whole) == steps_of(resumed)


def test_a_killed_driver_goes_on_where_it_was(stack: Path) -> None:
    connect()
    whole = fit(job(1, LONG), store("driver-whole"), silent)
    script = (
        "import runpy, sys; m = runpy.run_path(sys.argv[1]); m['connect']();"
        "m['fit'](m['job'](1, m['LONG']), m['store']('driver-killed'),"
        " lambda done, total, message: print(done, flush=True))"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", script, __file__],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert driver.stdout is not None
    for line in driver.stdout:
        if line.strip().replace(".", "").isdigit() and float(line) > 300:
            break
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    checkpoint = store("driver-killed").latest()
    assert checkpoint is not None
    assert 0 < checkpoint.step < 30 * LONG
    resumed = fit(job(1, LONG), store("driver-killed"), silent)
    assert same_weights(whole, resumed)
    assert steps_of(whole) == steps_of(resumed)


def test_two_trainings_run_side_by_side_in_threads(stack: Path) -> None:
    connect()
    with ThreadPoolExecutor(2) as pool:
        fitted = list(
            pool.map(lambda name: fit(job(1, 3), store(f"pair-{name}"), silent), ["a", "b"])
        )
    assert same_weights(*fitted)
    # Still there, and raises if it is not: another one for the next training would take longer.
    ray.get_actor(f"board-{ray.get_runtime_context().get_job_id()}")


def test_more_workers_than_cores_are_refused(stack: Path) -> None:
    connect()
    with pytest.raises(ValueError, match=r"compute\.workers 64 must be at most \d+"):
        check_cluster(64)
