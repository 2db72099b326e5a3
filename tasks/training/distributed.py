"""A training on Ray: `workers` processes, resumed when one dies, watched from the driver.

Many workers are a Ray Train run (DDP); a single one is a Ray task, which starts in a tenth of the
time (tests/benchmarks). Both do the same `work` and leave their result in the checkpoint store.
"""

import os
import threading
from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

import ray
import torch.distributed as dist

from tasks.costs.meter import add, answer_of, measured
from tasks.training.board import Board
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.group import Group
from tasks.training.job import Fitted, OnProgress, TrainingJob, fitted_of, work

Answer = TypeVar("Answer")
MAX_FAILURES = 3
POLL_SECONDS = 0.5
GROUP_TIMEOUT_SECONDS = 60


def fit(job: TrainingJob, store: CheckpointStore, on_progress: OnProgress) -> Fitted:
    """Train on the cluster that this process is connected to, or take up a finished training.

    Either costs the step that asks all that the training took, however often it was killed.
    Raises ValueError when the cluster is too small.
    """
    fitted = fitted_of(store) or _fit(job, store, on_progress)
    add(fitted.used.times(job.compute.workers))
    return fitted


def _fit(job: TrainingJob, store: CheckpointStore, on_progress: OnProgress) -> Fitted:
    check_cluster(job.compute.workers)
    board = _board()
    job_ref = ray.put(job)
    run = _run_task if job.compute.workers == 1 else _run_train
    _watched(lambda: run(job.compute, store, job_ref, board), board, store.path, on_progress)
    fitted = fitted_of(store)
    assert fitted is not None, f"{store.path}: the workers ended and left no final checkpoint"
    return fitted


def asked(question: Callable[[TrainingJob], Answer], job: TrainingJob) -> Answer:
    """What one worker answers about a training that has not begun."""
    gpus = 1 if wants_cuda(job.compute) else 0
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=MAX_FAILURES)(measured(question))
    answer: Answer = answer_of(ray.get(task.remote(job)))
    return answer


def check_cluster(workers: int) -> None:
    """Pass when so many workers of one core can ever run at once."""
    cores = int(resources_of_cluster()["CPU"])
    if workers > cores:
        raise ValueError(f"compute.workers {workers} must be at most {cores}, the cluster's cores")


def _board() -> Any:
    """The one of this connection: to start another for each training takes longer than a short one.

    It is held here, because Ray ends an actor that nobody holds.
    """
    return _board_of(ray.get_runtime_context().get_job_id())


@cache
def _board_of(job: str) -> Any:
    actor = ray.remote(num_cpus=0, max_restarts=-1)(Board)
    return actor.options(name=f"board-{job}", get_if_exists=True).remote()


def _run_task(compute: ComputeConfig, store: CheckpointStore, job_ref: Any, board: Any) -> None:
    gpus = 1 if wants_cuda(compute) else 0
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=MAX_FAILURES)(_single_worker)
    ray.get(task.remote(job_ref, store, board))


def _run_train(compute: ComputeConfig, store: CheckpointStore, job_ref: Any, board: Any) -> None:
    post = partial(board.post.remote, store.path)
    train_by_many(compute, store, lambda group: work(ray.get(job_ref), store, group, post))


def train_by_many(
    compute: ComputeConfig, store: CheckpointStore, part: Callable[[Group], None]
) -> None:
    """A Ray Train run of `compute.workers`, each of which does its part; who dies is replaced."""
    # Ray Train brings Ray Data with it: half a second of every process, which one worker needs not.
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    # The default of 2 s is what the controller waits between looks at its workers.
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
    bucket_path, _, name = store.path.rpartition("/")
    trainer = TorchTrainer(
        # A closure, because Ray records `train_loop_config`, and the store holds a password.
        lambda: part(Group(dist.get_rank(), dist.get_world_size())),
        scaling_config=ScalingConfig(
            num_workers=compute.workers,
            use_gpu=wants_cuda(compute),
            resources_per_worker=None if wants_cuda(compute) else {"CPU": 1},
        ),
        torch_config=TorchConfig(timeout_s=GROUP_TIMEOUT_SECONDS),
        run_config=RunConfig(
            name=name,
            storage_path=bucket_path,
            storage_filesystem=store.filesystem,
            failure_config=FailureConfig(max_failures=MAX_FAILURES),
        ),
    )
    trainer.fit()


def _single_worker(job: TrainingJob, store: CheckpointStore, board: Any) -> None:
    work(job, store, Group(), partial(board.post.remote, store.path))


def resources_of_cluster() -> dict[str, float]:
    """How much there is of each kind, CPU and GPU among them."""
    found: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return {"CPU": 0.0, "GPU": 0.0} | found


def wants_cuda(compute: ComputeConfig) -> bool:
    """Whether a training is to have GPUs of this cluster."""
    has_gpu = resources_of_cluster()["GPU"] >= compute.workers
    return compute.device == "cuda" or (compute.device == "auto" and has_gpu)


def _watched(run: Callable[[], None], board: Any, training: str, on_progress: OnProgress) -> None:
    """Call `run` in a thread of its own and pass on what the board says meanwhile.

    Ray Train takes over Ctrl-C when it is called from the main thread.
    """
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded, name="ray-fit", daemon=True)
    thread.start()
    said = None
    while thread.is_alive():
        thread.join(POLL_SECONDS)
        said = _pass_on(board, training, said, on_progress)
    if failures:
        raise failures[0]


def _pass_on(board: Any, training: str, said: Any, on_progress: OnProgress) -> Any:
    try:
        news = ray.get(board.read.remote(training), timeout=POLL_SECONDS)
    except (ray.exceptions.GetTimeoutError, ray.exceptions.RayActorError):
        return said  # progress is a courtesy, the training goes on
    if news is not None and news != said:
        on_progress(*news)
    return news
