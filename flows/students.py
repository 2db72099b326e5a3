"""The students and pruned models of a project: how each is trained, beside its control."""

from typing import Any

from flows.project import Project
from flows.teacher import Passes, as_long, sized
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel
from tasks.compression.config import PruneConfig
from tasks.fetched_lesson import Taught
from tasks.training.architectures import StudentConfig
from tasks.training.config import TrainConfig


def sized_students(project: Project, dataset: DatasetRef) -> list[StudentConfig]:
    """Return each student's settings, once for itself and its control: one worker trains either."""
    alone = project.compute.model_copy(update={"workers": 1})
    return [sized(student, alone, dataset) for student in project.students]


def settings_by_name(project: Project, dataset: DatasetRef) -> dict[str, Any]:
    """Return the settings that each model was trained with; the teacher is `teacher`."""
    teacher = sized(project.teacher, project.compute, dataset)
    return {"teacher": teacher, **{c.name: c for c in sized_students(project, dataset)}}


def trainings_of(
    student: StudentConfig, project: Project, outputs: TeacherOutputs, dataset: DatasetRef
) -> list[dict[str, Any]]:
    """Return the calls that train it: with the teacher, and without; of one that cannot be taught
    the second alone."""
    site = {"compute": project.compute, "dataset": dataset}
    if not student.is_taught:
        return [{"config": student, "taught": None, "parent": None, **site}]
    return [
        {"config": config, "taught": taught, "parent": taught and project.teacher.name, **site}
        for config, taught in with_control(student, project, outputs, dataset)
    ]


def prunings_of(
    prune: PruneConfig,
    config: TrainConfig,
    models: list[TrainedModel],
    project: Project,
    outputs: TeacherOutputs,
    dataset: DatasetRef,
) -> list[dict[str, Any]]:
    """Return the calls that prune one of `models`, which was trained by `config`: it recovers from
    the teacher's answers, and from labels alone."""
    sources = {"teacher" if model.role == "teacher" else model.name: model for model in models}
    site = {"compute": project.compute, "dataset": dataset}
    about = {"source": sources[prune.of], "config": config, **site}
    return [
        {"prune": prune.model_copy(update={"recover": recover}), "taught": taught, **about}
        for recover, taught in with_control(prune.recover, project, outputs, dataset)
    ]


def with_control(
    config: Passes, project: Project, outputs: TeacherOutputs, dataset: DatasetRef
) -> list[tuple[Passes, Taught | None]]:
    """Return a training's settings with what it is taught, and its control's: as many steps on
    labels alone."""
    lesson = (project.compress.distil, outputs)
    return [(config, lesson), (as_long(config, outputs, dataset), None)]
