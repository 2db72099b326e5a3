"""One training as a value that travels to the workers, and what a worker does with it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from torch import Tensor

from tasks.artifacts import DatasetRef, Task
from tasks.costs.meter import Used
from tasks.data.arrow_column import appended, taken
from tasks.training.absent import absent, is_labelled
from tasks.training.batches import RowIds
from tasks.training.blueprint import Blueprint, first_model, open_encoder
from tasks.training.checkpoint import Checkpoint, CheckpointStore
from tasks.training.config import ComputeConfig
from tasks.training.course import Course, Material, Point, Setting, TrainState, new_state
from tasks.training.device import Device, choose_device, use_allotted_threads
from tasks.training.examples import Columns, encode
from tasks.training.fixed_features import answer_features, are_features, with_fixed_features
from tasks.training.gradients import Diverged
from tasks.training.group import Group
from tasks.training.keeper import Keeper, Post
from tasks.training.loop import train
from tasks.training.resume import final_checkpoint_of, is_final, restore
from tasks.training.tutors import Tutor

OnProgress = Callable[[float, float, str], None]


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows as they were read."""

    columns: Columns
    labels: NDArray[Any]
    """Index into the dataset's classes, or standard scores, [N]; see `is_labelled`."""
    teacher: NDArray[np.float32] | None = None
    """Logits, [N, C]."""
    weights: NDArray[Any] | None = None
    """How much each row counts, [N]; None: all alike."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def labelled(self) -> "Rows":
        """Those with a label."""
        known = is_labelled(self.labels)
        return self if known.all() else self.take(np.flatnonzero(known))

    def with_unlabelled(self, columns: Columns) -> "Rows":
        """These rows and behind them others without a label, which count 1 each."""
        count = len(next(iter(columns.values()), ()))
        if not count:
            return self
        return Rows(
            {name: appended([column, columns[name]]) for name, column in self.columns.items()},
            np.append(self.labels, absent(count, self.labels)),
            self.teacher,
            None if self.weights is None else np.append(self.weights, np.ones(count)),
        )

    def take(self, ids: RowIds) -> "Rows":
        """The rows of these positions, in this order."""
        return Rows(
            {name: taken(column, ids) for name, column in self.columns.items()},
            self.labels[ids],
            None if self.teacher is None else self.teacher[ids],
            None if self.weights is None else self.weights[ids],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingJob:
    """Everything that decides the weights."""

    blueprint: Blueprint
    course: Course
    compute: ComputeConfig
    task: Task = "classification"
    classes: tuple[str, ...]
    scale: tuple[float, float] | None = None
    """Of a regression, whose labels are standard scores."""
    train: Rows
    valid: Rows
    tutors: tuple[Tutor, ...] = ()
    """Who reads along, where the loss asks for hints of tokens."""
    save_seconds: float = 40.0
    """A kill costs at most this much work, and an upload; does not change the weights."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a training leaves."""

    trained: dict[str, Tensor]
    """The best epoch's weights, without those that stayed as they were."""
    history: list[Point]
    score: float
    """Validation score of the best epoch."""
    used: Used
    """By the first worker; each other does as much."""


def without_rows(job: TrainingJob) -> TrainingJob:
    """The job to send to where its rows, encoded, are already."""
    nothing = Rows({}, np.zeros(0, np.int64))
    return replace(job, train=nothing, valid=nothing)


def run_key(
    step: str, code: str, dataset: DatasetRef, *inputs: BaseModel | str | float | None
) -> str:
    """Name of a training: the same for the same step, code, meaning of the data, and inputs."""
    parts = [
        part.model_dump(mode="json") if isinstance(part, BaseModel) else part for part in inputs
    ]
    text = json.dumps([step, code, dataset.meaning, parts], sort_keys=True)
    return f"{step}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def work(job: TrainingJob, store: CheckpointStore, group: Group, post: Post) -> None:
    """One worker's whole part: resume, train, and leave the final checkpoint in the store."""
    work_kept(job, store, group, Keeper(store, post, job.save_seconds, is_active=group.is_first))


def work_kept(
    job: TrainingJob,
    store: CheckpointStore,
    group: Group,
    keeper: Keeper,
    given: Material | None = None,
) -> None:
    """The same, watched by `keeper`, from what somebody has made of the rows, if it is given."""
    use_allotted_threads()
    newest = _newest_checkpoint(store, group)
    if is_final(newest):
        return
    device = choose_device(job.compute)
    state = state_for(job, device, given) if given else first_state(job, device)
    if newest is not None:
        restore(state, newest)
    trouble = None
    setting = Setting(device, group, keeper)
    material = given or with_fixed_features(state, job.course, material_of(job), setting, store)
    try:
        train(state, job.course, material, setting)
    except Diverged as error:  # kept like a result: doing it again would end the same
        trouble = str(error)
    keeper.finish()
    if group.is_first:
        store.save(final_checkpoint_of(state, trouble))


def first_state(job: TrainingJob, device: Device) -> TrainState:
    """The training at step 0."""
    model = first_model(job.blueprint, job.course.seed)
    return new_state(model, job.course, device, job.blueprint.frozen, job.tutors)


def state_for(job: TrainingJob, device: Device, material: Material) -> TrainState:
    """The training at step 0 of a model that reads `material`: rows, or features of them."""
    state = first_state(job, device)
    if are_features(material):
        answer_features(state.model)
    return state


def material_of(job: TrainingJob) -> Material:
    """The rows, encoded."""
    encoder = open_encoder(job.blueprint)
    train, valid = (
        encode(encoder, rows.columns, rows.labels, rows.teacher, rows.weights)
        for rows in (job.train, job.valid)
    )
    return Material(encoder=encoder, train=train, valid=valid)


def reading_of(job: TrainingJob) -> str:
    """sha256 of what decides its encoded rows, or their features, besides the rows."""
    blueprint = job.blueprint
    parts: list[Any] = [blueprint.encoder, blueprint.inputs]
    if blueprint.frozen:  # features may stand in for rows
        shape = {name: value for name, value in blueprint.config.items() if name != "dropout"}
        varied, place = job.course.augment is not None, job.compute.model_dump(mode="json")
        start = hashlib.sha256(blueprint.start or b"").hexdigest()
        parts += [shape, blueprint.pretrained, blueprint.kept_ids, start, blueprint.frozen]
        parts += [varied, place]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode())
    for name, content in sorted(blueprint.files.items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()


def fitted_of(store: CheckpointStore) -> Fitted | None:
    """The result of a finished training, None while it is not finished.

    Raises Diverged when that is how it ended.
    """
    newest = store.latest()
    if newest is None or not is_final(newest):
        return None
    facts = newest.facts
    if facts["trouble"]:
        raise Diverged(facts["trouble"])
    return Fitted(newest.tensors, facts["history"], facts["best_score"], Used(*facts["used"]))


def _newest_checkpoint(store: CheckpointStore, group: Group) -> Checkpoint | None:
    """The checkpoint that the first worker found newest, on every worker."""
    found = store.latest() if group.is_first else None
    step = group.of_first(-1 if found is None else found.step)
    if group.is_first or step < 0:
        return found
    return store.load(step)
