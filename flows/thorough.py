"""Whether the teacher helps its students, told over several seeds."""

from flows.project import Project
from flows.students import sized_students, trainings_of
from tasks.artifacts import Candidate, DatasetRef, RunRef, TeacherOutputs, TrainedModel
from tasks.compare_seeds import compare_seeds
from tasks.quality_artifacts import SeedGain
from tasks.record_seeds import record_seeds
from tasks.step import side_by_side
from tasks.train_student import train_student
from tasks.training.architectures import StudentConfig


def repeated(project: Project, outputs: TeacherOutputs, dataset: DatasetRef) -> list[TrainedModel]:
    """Return each student that is taught, and its control, by further seeds; none of one seed."""
    calls = [
        call
        for student in sized_students(project, dataset)
        for further in by_further_seeds(student, project.evaluate.seeds)
        for call in trainings_of(further, project, outputs, dataset)
    ]
    return side_by_side(train_student, calls)


def by_further_seeds(student: StudentConfig, seeds: int) -> list[StudentConfig]:
    """Return its settings with the other seeds, under names of their own."""
    further = range(student.seed + 1, student.seed + seeds) if student.is_taught else ()
    return [
        student.model_copy(update={"name": f"{student.name}-seed-{seed}", "seed": seed})
        for seed in further
    ]


def over_seeds(
    project: Project, candidates: list[Candidate], run: RunRef, dataset: DatasetRef
) -> list[SeedGain]:
    """Return what the teacher is worth to each student, on validation rows; nothing of one seed."""
    known = {candidate.name: candidate for candidate in candidates}
    calls = []
    for student in project.students:
        if further := by_further_seeds(student, project.evaluate.seeds):
            names = [each.name for each in (student, *further)]
            taught = [known[name] for name in names]
            alone = [known[f"{name}-control"] for name in names]
            calls.append({"name": student.name, "taught": taught, "alone": alone})
    about = {"dataset": dataset, "metric": project.gate.metric}
    gains = side_by_side(compare_seeds, [{**call, **about} for call in calls])
    if gains:
        record_seeds(run, gains)
    return gains
