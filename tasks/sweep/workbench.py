"""What the trials of a sweep share: the rows, and what was made of them once."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tasks.sweep.space import Values
from tasks.sweep.target import Target
from tasks.training.course import Course, Material
from tasks.training.job import Rows, TrainingJob, material_of
from tasks.training.recipes import Lesson, Site, student_job, teacher_job


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptSite(Site):
    """A place that reads each split once."""

    kept: dict[str, Rows] = field(default_factory=dict)

    def rows(self, split: Any, teacher: Any = None) -> Rows:
        """One split, with the teacher's logits if there are any."""
        if split not in self.kept:
            self.kept[split] = Site.rows(self, split)
        return replace(self.kept[split], teacher=teacher)


@dataclass
class Workbench:
    """Makes a trial's training out of its values; rows are read, and encoded, once for all."""

    target: Target
    site: Site
    teacher_logits: Any = None
    """[N, C], in row order of the training split; None: nobody teaches."""
    materials: dict[str, Material] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.site = KeptSite(
            dataset=self.site.dataset,
            dataset_folder=self.site.dataset_folder,
            compute=self.site.compute.model_copy(update={"workers": 1}),
        )

    @cached_property
    def course(self) -> Course:
        """Of the settings that the project has."""
        return self.job({}).course

    def job(self, values: Values, seed: int | None = None) -> TrainingJob:
        """The training of one trial, by another seed than its own if one is given."""
        target = self.target.with_values(values)
        config = target.model()
        if seed is not None:
            config = config.model_copy(update={"seed": seed})
        site = self._site_of(target)
        if target.root == "teacher":
            return teacher_job(config, target.lr, site)
        taught = target.distil is not None and self.teacher_logits is not None
        lesson = Lesson(target.distil, self.teacher_logits) if taught and target.distil else None
        return student_job(config, lesson, site)

    def _site_of(self, target: Target) -> Site:
        """The place of all trials, or the same with the precision of one."""
        if target.precision is None:
            return self.site
        compute = self.site.compute.model_copy(update={"precision": target.precision})
        return replace(self.site, compute=compute)

    def material(self, job: TrainingJob) -> Material:
        """Its rows, encoded; shared by all trials that read the same rows in the same way."""
        key = _key(job)
        if key not in self.materials:
            self.materials[key] = material_of(job)
        return self.materials[key]


def _key(job: TrainingJob) -> str:
    blueprint, train = job.blueprint, job.train
    digest = hashlib.sha256(json.dumps(blueprint.encoder, sort_keys=True, default=str).encode())
    digest.update(str((blueprint.inputs, len(train), train.teacher is None)).encode())
    digest.update(train.labels.tobytes())
    for name, content in sorted(blueprint.files.items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()
