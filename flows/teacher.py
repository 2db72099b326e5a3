"""The teacher of a project, and what it tells the students: as a retraining and a sweep have it."""

from typing import TypeVar

from flows.project import Project
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel, Tuned
from tasks.label_rows import label_rows
from tasks.size_batch import size_batch
from tasks.train_teacher import train_teacher
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.tune_model import tune_model

Settings = TypeVar("Settings")


def teacher_of(project: Project, dataset: DatasetRef) -> tuple[TrainedModel, Tuned]:
    """Return the teacher, and how its learning rate was found."""
    config = sized(project.teacher, project.compute, dataset)
    tuned = tune_model(config, project.sweep.of_rates, project.compute, dataset)
    return train_teacher(config, tuned, project.compute, dataset), tuned


def lesson_of(project: Project, dataset: DatasetRef) -> TeacherOutputs:
    """Return the teacher's answers to the training rows."""
    return lesson_by(*teacher_of(project, dataset), project, dataset)


def lesson_by(
    teacher: TrainedModel, tuned: Tuned, project: Project, dataset: DatasetRef
) -> TeacherOutputs:
    """Return the answers of this teacher, and of those alike by other seeds if there are more."""
    distil, config = project.compress.distil, sized(project.teacher, project.compute, dataset)
    seeds = range(config.seed + 1, config.seed + distil.teachers)
    others = [
        train_teacher(config.model_copy(update={"seed": s}), tuned, project.compute, dataset)
        for s in seeds
    ]
    return label_rows([teacher, *others], project.compute, dataset, distil.has_hints)


def sized(config: Settings, compute: ComputeConfig, dataset: DatasetRef) -> Settings:
    """Return the settings with a batch size that was found where the project says `auto`."""
    if not isinstance(config, TrainConfig) or config.batch_size != "auto":
        return config
    return config.of_size(size_batch(config, compute, dataset).batch_size)
