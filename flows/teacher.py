"""The teacher of a project, and what it tells the students: as a retraining and a sweep have it."""

from typing import TypeVar

from pydantic import BaseModel

from flows.project import Project
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel, Tuned, Unlabelled
from tasks.data.checks_config import ChecksConfig
from tasks.data.unlabelled import UnlabelledConfig
from tasks.gather_rows import gather_rows
from tasks.label_rows import label_rows
from tasks.size_batch import size_batch
from tasks.train_teacher import train_teacher
from tasks.training.config import ComputeConfig, TrainConfig
from tasks.tune_model import tune_model

Settings = TypeVar("Settings")
Passes = TypeVar("Passes", bound=BaseModel)
"""Settings of a training, or of a recovery."""
AS_IT_IS = {"query": None, "window": None, "time": None, "max_rows": None, "checks": ChecksConfig()}
"""Of a source of rows without labels, which is read whole."""


def teacher_of(project: Project, dataset: DatasetRef) -> tuple[TrainedModel, Tuned]:
    """Return the teacher, and how its learning rate was found."""
    config = sized(project.teacher, project.compute, dataset)
    tuned = tune_model(config, project.sweep.of_rates, project.compute, dataset)
    return train_teacher(config, tuned, project.compute, dataset), tuned


def lesson_of(project: Project, dataset: DatasetRef) -> TeacherOutputs:
    """Return the teacher's answers to the training rows, and to those without labels."""
    unlabelled = unlabelled_of(project, dataset)
    return lesson_by(*teacher_of(project, dataset), project, dataset, unlabelled)


def unlabelled_of(project: Project, dataset: DatasetRef) -> Unlabelled | None:
    """Return the rows without labels that the project asks for.

    Before the teacher is trained: what is wrong with their source is said at once.
    """
    distil = project.compress.distil
    if not distil.has_unlabelled:
        return None
    source = None
    if distil.unlabelled is not None:
        source = project.data.model_copy(update={"source": distil.unlabelled, **AS_IT_IS})
    config = UnlabelledConfig(
        source=source,
        most_rows=distil.most_unlabelled,
        made_rows=distil.made_rows,
        seed=project.teacher.seed,
    )
    return gather_rows(config, dataset)


def lesson_by(
    teacher: TrainedModel,
    tuned: Tuned,
    project: Project,
    dataset: DatasetRef,
    unlabelled: Unlabelled | None,
) -> TeacherOutputs:
    """Return the answers of this teacher, and of those alike by other seeds if there are more."""
    distil, config = project.compress.distil, sized(project.teacher, project.compute, dataset)
    seeds = range(config.seed + 1, config.seed + distil.teachers)
    others = [
        train_teacher(config.model_copy(update={"seed": s}), tuned, project.compute, dataset)
        for s in seeds
    ]
    teachers = [teacher, *others]
    by_quality = distil.teacher_weights == "by_quality"
    about = (dataset, distil.has_hints, unlabelled, by_quality)
    return label_rows(teachers, project.compute, *about)


def as_long(config: Passes, outputs: TeacherOutputs, dataset: DatasetRef) -> Passes:
    """Return the settings with the passes over labelled rows that take as many steps as a student
    takes, whose passes are over rows without labels, too: its control's."""
    if outputs.unlabelled is None:
        return config
    labelled, epochs = dataset.rows["train"], getattr(config, "epochs", 0)
    epochs = round(epochs * (labelled + outputs.unlabelled.rows) / labelled)
    return config.model_copy(update={"epochs": epochs})


def sized(config: Settings, compute: ComputeConfig, dataset: DatasetRef) -> Settings:
    """Return the settings with a batch size that was found where the project says `auto`."""
    if not isinstance(config, TrainConfig) or config.batch_size != "auto":
        return config
    return config.of_size(size_batch(config, compute, dataset).batch_size)
