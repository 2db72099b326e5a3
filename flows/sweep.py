"""Which settings? A search over what the project's `sweep.space` names, for one of its models."""

from typing import NamedTuple

from prefect import flow
from prefect.runtime import flow_run

from flows.project import Project
from flows.retrain import sized, teacher_of
from flows.sweep_target import model_of, present_values, root_of, target_of
from tasks.artifacts import DatasetRef, TeacherOutputs
from tasks.confirm_settings import confirm_settings
from tasks.label_rows import label_rows
from tasks.prepare_data import prepare_data
from tasks.record_costs import record_costs
from tasks.record_sweep import record_sweep
from tasks.run_alone import run_alone
from tasks.search_settings import search_settings
from tasks.step import watched
from tasks.sweep.target import Subject
from tasks.sweep_artifacts import Confirmed, Searched
from tasks.training.config import TrainConfig
from tasks.tune_model import tune_model


class Swept(NamedTuple):
    """What was found, and whether to believe it."""

    searched: Searched
    confirmed: Confirmed | None
    """None where there is nothing to confirm: no winner, no one winner, or somebody's stop."""


@flow(name="sweep", flow_run_name="sweep-{project.name}", persist_result=False)
def sweep(project: Project) -> Swept:
    """Search, train the winner by new seeds, record both."""
    with run_alone(f"{project.name}-sweep", flow_run.name, flow_run.id), watched() as ended:
        swept = steps(project)
        record_costs(project.name, swept.searched.run, ended)
        return swept


def steps(project: Project) -> Swept:
    """Return what the steps came to, in the order in which they happen."""
    root, search = root_of(project), project.sweep.search
    dataset = prepare_data(project.name, project.data)
    model = sized(model_of(project, root), project.compute, dataset)
    lr = rate_of(project, root, model, dataset)
    target = target_of(project, model, lr)
    outputs = lesson_of(project, dataset) if target.distil else None
    subject = Subject(target=target, compute=project.compute, dataset=dataset, outputs=outputs)
    found = search_settings(project.name, subject, present_values(project, lr), project.sweep)
    confirmed = None
    if found.winner is not None:
        confirmed = confirm_settings(subject, found.winner, search.confirm_seeds)
    record_sweep(found, confirmed)
    return Swept(found, confirmed)


def rate_of(project: Project, root: str, model: TrainConfig, dataset: DatasetRef) -> float:
    """Return the rate of trials that vary another setting: the one that a retraining would take."""
    if root == "teacher" and "teacher.lr" not in project.sweep.space:
        return tune_model(model, project.sweep.of_rates, project.compute, dataset).lr
    return model.first_lr if model.lr == "auto" else model.lr


def lesson_of(project: Project, dataset: DatasetRef) -> TeacherOutputs:
    """Return the teacher's answers, as the retraining of the project has them."""
    teacher, _ = teacher_of(project, dataset)
    return label_rows(teacher, project.compute, dataset)
