"""The students and pruned models of a project: how each is trained, beside its control."""

from typing import Any

from flows.project import Project
from flows.teacher import as_long, sized
from tasks.artifacts import DatasetRef, TeacherOutputs, TrainedModel
from tasks.compression.config import PruneConfig
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
    without = {"distil": None, "outputs": None, "parent": None, **site}
    if not student.is_taught:
        return [{"config": student, **without}]
    lesson = {"distil": project.compress.distil, "outputs": outputs, "parent": project.teacher.name}
    control = as_long(student, outputs, dataset)
    return [{"config": student, **lesson, **site}, {"config": control, **without}]


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
    alone = prune.model_copy(update={"recover": as_long(prune.recover, outputs, dataset)})
    lesson = (project.compress.distil, outputs)
    return [{"prune": prune, "taught": lesson, **about}, {"prune": alone, "taught": None, **about}]
