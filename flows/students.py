"""The students of a project: how each is trained, beside its control."""

from typing import Any

from flows.project import Project
from flows.teacher import as_long, sized
from tasks.artifacts import DatasetRef, TeacherOutputs
from tasks.training.architectures import StudentConfig


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
