"""What a trial trains ahead of its own passes: the student that is pruned, rounds before the last.

Trials that differ in what comes later share it: it is made once, and left in a store as a
retraining leaves its trainings, so that a kill costs no more there.
"""

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tasks.sweep.passes import CutShort, Deadline
from tasks.sweep.saving import nobody
from tasks.training.blueprint import Blueprint
from tasks.training.checkpoint import CheckpointStore
from tasks.training.course import Material, TrainState
from tasks.training.group import Group
from tasks.training.job import Fitted, TrainingJob, fitted_of, material_of, work_kept
from tasks.training.keeper import Keeper
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import save_trained

Chain = Generator[tuple[str, TrainingJob], Blueprint, TrainingJob]
"""The trainings ahead of a trial's own, each behind what decides it besides the settings of the
model; it is sent what came of each, and returns the trial's own."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A training that nobody has made, or not to its end."""

    job: TrainingJob
    store: CheckpointStore
    """Where it is left."""


def upcoming(chain: Chain, settings: str, stores: CheckpointStore | None) -> TrainingJob | Ahead:
    """The first training of a chain that has not ended in its store, which is one below `stores`.

    Raises `Diverged` where one ahead of others fell apart.
    """
    try:
        decides, job = next(chain)
        while True:
            assert stores is not None, "what is trained ahead of a trial is left somewhere"
            name = hashlib.sha256(f"{settings} {decides}".encode()).hexdigest()[:32]
            store = replace(stores, path=f"{stores.path}/{name}", num_to_keep=1)
            fitted = fitted_of(store)
            if fitted is None:
                return Ahead(job, store)
            decides, job = chain.send(trained_of(job, fitted))
    except StopIteration as over:
        own: TrainingJob = over.value
        return own


def trained_of(job: TrainingJob, fitted: Fitted) -> Blueprint:
    """The model that a training came to, as its folder would have it."""
    with TemporaryDirectory(prefix="ahead-") as folder:
        save_trained(Path(folder), job, fitted.trained, [])
        return trained_blueprint(Path(folder))


def learn(ahead: Ahead, material: Material, deadline: Deadline) -> None:
    """Make a training, or what is left of it; `CutShort` past the deadline."""
    keeper = KeeperUntil(ahead.store, ahead.job.save_seconds, deadline)
    try:
        work_kept(ahead.job, ahead.store, Group(), keeper, material)
    except CutShort:
        keeper.finish()
        raise


def learned(ahead: Ahead) -> None:
    """Make a training from its rows as they were read."""
    learn(ahead, material_of(ahead.job), Deadline())


class KeeperUntil(Keeper):
    """Saves as any training's does; ends it past a deadline."""

    def __init__(self, store: CheckpointStore, save_seconds: float, deadline: Deadline) -> None:
        super().__init__(store, nobody, save_seconds)
        self._deadline = deadline

    def on_step(self, state: TrainState, total_steps: int) -> None:
        """Raises `CutShort` past the deadline."""
        self._deadline.on_step(state, total_steps)
        super().on_step(state, total_steps)
