"""Whether the teacher helps its students and what is pruned, told over several seeds."""

from typing import Any

from flows.project import Project
from flows.students import prunings_of, settings_by_name, sized_students, trainings_of
from tasks.artifacts import Candidate, DatasetRef, RunRef, TeacherOutputs, TrainedModel
from tasks.compare_seeds import compare_seeds
from tasks.compression.config import PruneConfig
from tasks.compression.controls import control_of
from tasks.prune_model import prune_model
from tasks.quality_artifacts import SeedGain
from tasks.record_seeds import record_seeds
from tasks.step import side_by_side
from tasks.train_student import train_student
from tasks.training.architectures import StudentConfig
from tasks.training.config import TrainConfig


def repeated(
    project: Project, models: list[TrainedModel], outputs: TeacherOutputs, dataset: DatasetRef
) -> list[TrainedModel]:
    """Return each student that is taught, each pruned model and their controls by further seeds;
    none of one seed. What is pruned is one of `models`: it recovers anew."""
    if project.evaluate.seeds == 1:
        return []
    students = [
        call
        for student in sized_students(project, dataset)
        for further in by_further_seeds(student, project.evaluate.seeds)
        for call in trainings_of(further, project, outputs, dataset)
    ]
    configs = settings_by_name(project, dataset) if project.compress.prune else {}
    prunings = [
        call
        for prune in project.compress.prune
        for further, config in recovered_anew(prune, configs[prune.of], project.evaluate.seeds)
        for call in prunings_of(further, config, models, project, outputs, dataset)
    ]
    return [*side_by_side(train_student, students), *side_by_side(prune_model, prunings)]


def by_further_seeds(student: StudentConfig, seeds: int) -> list[StudentConfig]:
    """Return its settings with the other seeds, under names of their own."""
    further = range(student.seed + 1, student.seed + seeds) if student.is_taught else ()
    return [
        student.model_copy(update={"name": f"{student.name}-seed-{seed}", "seed": seed})
        for seed in further
    ]


def recovered_anew(
    prune: PruneConfig, config: TrainConfig, seeds: int
) -> list[tuple[PruneConfig, TrainConfig]]:
    """Return a pruning under names of its own, and the other seeds by which its model recovers."""
    return [
        (
            prune.model_copy(update={"name": f"{prune.called}-seed-{seed}"}),
            config.model_copy(update={"seed": seed}),
        )
        for seed in range(config.seed + 1, config.seed + seeds)
    ]


def names_by_seed(project: Project) -> list[list[str]]:
    """Return what each model that has a control is called by each seed; nothing of one seed."""
    seeds, students = project.evaluate.seeds, project.students
    configs: dict[str, Any] = {"teacher": project.teacher, **{s.name: s for s in students}}
    found = [[s.name, *(each.name for each in by_further_seeds(s, seeds))] for s in students]
    for prune in project.compress.prune:
        anew = recovered_anew(prune, configs[prune.of], seeds)
        found.append([prune.called, *(each.called for each, _ in anew)])
    return [names for names in found if len(names) > 1]


def over_seeds(
    project: Project, candidates: list[Candidate], run: RunRef, dataset: DatasetRef
) -> list[SeedGain]:
    """Return what the teacher is worth to each, on validation rows; nothing of one seed."""
    known = {candidate.name: candidate for candidate in candidates}
    about = {"dataset": dataset, "metric": project.gate.metric}
    calls = [
        {
            "name": names[0],
            "taught": [known[name] for name in names],
            "alone": [known[control_of(name)] for name in names],
            **about,
        }
        for names in names_by_seed(project)
    ]
    gains = side_by_side(compare_seeds, calls)
    if gains:
        record_seeds(run, gains)
    return gains
