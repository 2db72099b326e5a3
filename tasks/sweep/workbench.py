"""What the trials of a sweep share: the rows, and what was made of them once."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from tasks.artifacts import Split
from tasks.compression.parts import check_parts
from tasks.compression.pruning_judge import Told
from tasks.compression.pruning_rounds import recovery_of, round_by_round
from tasks.compression.sample import Sample, sample_of
from tasks.data.snapshot import Rows as SplitRows
from tasks.sweep.ahead import Ahead, Chain, upcoming
from tasks.sweep.deployed import Deployment
from tasks.sweep.shelf import Shelf
from tasks.sweep.space import Values
from tasks.sweep.target import Target
from tasks.training.blueprint import Blueprint
from tasks.training.blueprints import OF_THE_COURSE
from tasks.training.checkpoint import CheckpointStore
from tasks.training.config import TrainConfig
from tasks.training.course import Course, Material, Setting
from tasks.training.device import choose_device, use_allotted_threads
from tasks.training.fixed_features import with_fixed_features
from tasks.training.job import Rows, TrainingJob, first_state, material_of
from tasks.training.recipes import Lesson, Site, student_job, teacher_job

Thing = TypeVar("Thing")
Took = tuple[float, float]
"""Seconds of the CPU, and by the clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSite(Site):
    """A place that reads, draws and looks through rows once for all trainings."""

    kept: dict[Hashable, Any] = field(default_factory=dict)

    def read(self, split: Split) -> SplitRows:
        """One split as it was prepared."""
        return self._once(("read", split), lambda: Site.read(self, split))

    def rows(self, split: Any) -> Rows:
        """One split."""
        return self._once(split, lambda: Site.rows(self, split))

    def training_rows(
        self, config: TrainConfig, lesson: Lesson | None = None, hints: int = 0
    ) -> Rows:
        """The rows of a training; one object for all that draw alike."""
        key = ("training", *_draw_of(config), _mean_of(lesson), hints)
        return self._once(key, lambda: Site.training_rows(self, config, lesson, hints))

    def blueprint(self, config: TrainConfig, train: Rows) -> Blueprint:
        """The blueprint; vocabularies, means and categories are found once.

        Dropout is a number in the architecture's configuration and nothing else.
        """
        shape = config.model_dump_json(exclude={*OF_THE_COURSE, "max_rows", "dropout"})
        key = (type(config), shape, *_draw_of(config))
        kept = self._once(key, lambda: Site.blueprint(self, config, train))
        if not hasattr(config, "dropout"):
            return kept
        return replace(kept, config={**kept.config, "dropout": config.dropout})

    def _once(self, key: Hashable, make: Callable[[], Thing]) -> Thing:
        if key not in self.kept:
            self.kept[key] = make()
        found: Thing = self.kept[key]
        return found


@dataclass
class Workbench:
    """Makes a trial's training out of its values; what trials share is made once."""

    target: Target
    site: Site
    lesson: Lesson | None = None
    """What the teachers said, taught as each trial's settings say; None: nobody teaches."""
    trained: Blueprint | None = None
    """The teacher, where trials make it smaller; None: each begins with a training."""
    ahead: CheckpointStore | None = None
    """Below it is left what is trained ahead of trials."""
    materials: Shelf[Material] = field(default_factory=Shelf)
    told: dict[Hashable, Told] = field(default_factory=dict)
    """What the parts of the trained model are worth, by who was asked."""

    def __post_init__(self) -> None:
        self.site = KeptSite(
            dataset=self.site.dataset,
            dataset_folder=self.site.dataset_folder,
            compute=self.site.compute.model_copy(update={"workers": 1}),
        )

    @cached_property
    def course(self) -> Course:
        """Of the settings that the project has; what is trained ahead of it does not matter."""
        if self.target.prune is None:
            return self.job({}).course
        config, lesson = self.target.model(), self._lesson_of(self.target)
        source = self.trained or student_job(config, lesson, self.site).blueprint
        return recovery_of(config, self.target.prune, lesson, self.site)(source).course

    @cached_property
    def sample(self) -> Sample:
        """What a quantiser looks at."""
        return sample_of(self.site.dataset_folder, self.site.dataset)

    def upcoming(self, values: Values, seed: int | None = None) -> TrainingJob | Ahead:
        """The training of one trial, by another seed than its own if one is given; or the first
        ahead of it that nobody has made."""
        target = self.target.with_values(values)
        config = target.model()
        if target.prune is not None:
            check_parts(target.prune, config, target.root)  # each may be right without the other
        if seed is not None:
            config = config.model_copy(update={"seed": seed})
        site = self._site_of(target)
        parts = (config, target.distil, site.compute)
        settings = " ".join(part.model_dump_json() for part in parts if part is not None)
        return upcoming(self._chain(target, config, site), settings, self.ahead)

    def job(self, values: Values, seed: int | None = None) -> TrainingJob:
        """The training of one trial, ahead of which there is nothing left to train."""
        found = self.upcoming(values, seed)
        assert isinstance(found, TrainingJob), "what is trained ahead of a trial is made before"
        return found

    def _chain(self, target: Target, config: TrainConfig, site: Site) -> Chain:
        """All trainings of a trial.

        Trials that differ in shares and in their recovery measure once what the parts are worth.
        """
        lesson, prune = self._lesson_of(target), target.prune
        if target.root == "teacher":
            return teacher_job(config, target.lr, site)
        if prune is None:
            return student_job(config, lesson, site)
        source = self.trained or (yield "", student_job(config, lesson, site))
        rows = config.seed, prune.recover.max_rows, prune.rows
        told = self.told.setdefault((rows, prune.importance, lesson and lesson.config), {})
        recovery = recovery_of(config, prune, lesson, site)
        return (yield from round_by_round(source, prune, recovery, told))

    def _lesson_of(self, target: Target) -> Lesson | None:
        """What the teachers said, taught as the target's settings say."""
        if self.lesson is None or target.distil is None:
            return None
        return replace(self.lesson, config=target.distil)

    def _site_of(self, target: Target) -> Site:
        """The place of all trials, or the same with the precision of one."""
        if target.precision is None:
            return self.site
        compute = self.site.compute.model_copy(update={"precision": target.precision})
        return replace(self.site, compute=compute)

    def deployment(self, values: Values) -> Deployment:
        """How the model of a trial is deployed."""
        target = self.target.with_values(values)
        return Deployment(
            dataset=self.site.dataset,
            rows=self.site.read("valid"),
            metric=target.metric,
            form=target.form,
            sample=self.sample,
            deploy=target.deploy,
        )

    def material(self, job: TrainingJob) -> Material:
        """What it learns from, in this process."""
        return self.materials.get(job, lambda: shared_material(job))


def shared_material(job: TrainingJob) -> Material:
    """The rows, encoded; features of them, where a frozen backbone makes the same of a row at
    every pass of every trial."""
    material = material_of(job)
    if not job.blueprint.frozen:
        return material
    device = choose_device(job.compute)
    state = first_state(job, device)
    return with_fixed_features(state, job.course, material, Setting(device))


def timed_material(job: TrainingJob) -> tuple[Material, Took]:
    """The same, and what it took to make it."""
    use_allotted_threads()
    cpu, wall = time.process_time(), time.monotonic()
    material = shared_material(job)
    return material, (time.process_time() - cpu, time.monotonic() - wall)


def _mean_of(lesson: Lesson | None) -> float | None:
    """What decides how the answers of several teachers are one; None: nobody teaches."""
    if lesson is None:
        return None
    return lesson.config.temperature if lesson.config.teachers > 1 else 0.0


def _draw_of(config: TrainConfig) -> tuple[int | None, int | None]:
    """What decides which rows are drawn."""
    return config.max_rows, None if config.max_rows is None else config.seed
