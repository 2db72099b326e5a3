"""All rounds of one pruning on the cluster: each prunes, and recovers as a training of its own."""

import hashlib
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from pathlib import Path

from tasks.compression.config import PruneConfig
from tasks.compression.pruning import pruned
from tasks.compression.pruning_judge import Told
from tasks.training.blueprint import Blueprint
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import TrainConfig
from tasks.training.distributed import asked
from tasks.training.job import OnProgress, TrainingJob
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Lesson, SavedModel, Site, recovery_job, train_into

Recovery = Callable[[Blueprint], TrainingJob]
"""From a model to the training by which it recovers."""


def prune_into(
    folder: Path,
    source: Path,
    prune: PruneConfig,
    job_of: Recovery,
    store_of: Callable[[str], CheckpointStore],
    on_progress: OnProgress,
) -> SavedModel:
    """Fill `folder` with the model in `source`, made smaller and recovered round by round.

    What a unit is worth is told again after a kill, and comes out the same; so a training that had
    begun is found in its store, which is named by what it starts from.
    """
    blueprint = trained_blueprint(source)
    whole = replace(blueprint, start=None, files={})
    for number in range(1, prune.rounds + 1):
        smaller = asked(_question(prune, number, whole), job_of(blueprint))
        store = store_of(hashlib.sha256(smaller.start or b"").hexdigest()[:16])
        saved = train_into(folder, job_of(smaller), store, on_progress)
        blueprint = trained_blueprint(folder)
    return saved


def round_by_round(
    source: Blueprint, prune: PruneConfig, job_of: Recovery, told: Told
) -> Generator[tuple[str, TrainingJob], Blueprint, TrainingJob]:
    """The training by which a model recovers after each round; the last one's is returned.

    Before it stands what decides it besides `source` and `job_of`; it is sent the model that came
    of it. Parts go here, by what `told` holds of other prunings of the same model.
    """
    whole = replace(source, start=None, files={})
    for number in range(1, prune.rounds):
        job = job_of(pruned(job_of(source), prune, number, whole, told))
        source = yield f"{prune.model_dump_json()} {number}", job
    return job_of(pruned(job_of(source), prune, prune.rounds, whole, told))


def _question(
    prune: PruneConfig, number: int, whole: Blueprint
) -> Callable[[TrainingJob], Blueprint]:
    """What a worker is asked about a training: a function, since Ray takes no partial one."""

    def question(job: TrainingJob) -> Blueprint:
        return pruned(job, prune, number, whole)

    return question


def recovery_of(
    config: TrainConfig, prune: PruneConfig, lesson: Lesson | None, site: Site
) -> Recovery:
    """How the model that was trained by `config` recovers."""
    recovery = partial(recovery_job, prune.recovering(config), lesson, site)
    return partial(_with_zeros_held, recovery) if prune.is_sparse else recovery


def _with_zeros_held(recovery: Recovery, blueprint: Blueprint) -> TrainingJob:
    job = recovery(blueprint)
    return replace(job, course=replace(job.course, zeros_stay=True))
