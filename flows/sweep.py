"""Which settings? A search over what the project's `sweep.space` names, for one of its models."""

from typing import NamedTuple

from prefect import flow
from prefect.runtime import flow_run

from flows.project import Project
from flows.runs import close_dead_runs, lock_of
from flows.sweep_target import (
    asked_for,
    choice_of,
    kept_fixed,
    learner_of,
    model_of,
    place_of,
    present_values,
    root_of,
    scheduled,
    target_of,
    with_values,
)
from flows.teacher import lesson_of, sized
from tasks.artifacts import DatasetRef
from tasks.confirm_settings import confirm_settings
from tasks.prepare_data import prepare_data
from tasks.record_sweep import record_sweep
from tasks.run_alone import run_alone
from tasks.search_settings import search_settings
from tasks.step import watched
from tasks.sweep.picking import picked, question_of
from tasks.sweep.space import Values
from tasks.sweep.target import Subject
from tasks.sweep_artifacts import STOPPED, Choice, Confirmed, Question, Searched, Stopped
from tasks.training.config import TrainConfig
from tasks.tune_model import tune_model


class Swept(NamedTuple):
    """What was found, and whether to believe it."""

    searched: Searched
    confirmed: Confirmed | None
    """None where there is nothing to confirm: no winner, a front of which the budget picks none, or
    what the project has, or somebody's stop."""
    fixed: Values
    """What all trials had where the project leaves it open."""


@flow(name="sweep", flow_run_name="sweep-{project.name}", persist_result=False)
def sweep(project: Project) -> Swept:
    """Search, train the winner, or the budget's pick, by new seeds, record both."""
    alone = run_alone(lock_of(project.name, "sweep"), flow_run.name, flow_run.id)
    with alone, watched():
        close_dead_runs(project.name, flow_run.id, "sweep")
        return swept(project, prepare_data(project.name, project.data))


def chosen(project: Project, dataset: DatasetRef) -> tuple[Project, Choice]:
    """Return the project with the settings that a sweep's winner is believed to be better by, or
    those that the budget picks; and what was chosen, and why.
    """
    found = swept(project, dataset)
    pick = picked(found.searched.best, found.searched.objectives, project.budget)
    choice = choice_of(found.searched, found.confirmed, found.fixed, pick)
    return with_values(project, choice.values), choice


def swept(project: Project, dataset: DatasetRef) -> Swept:
    """Return what the steps came to, in the order in which they happen."""
    root, search = root_of(project), project.sweep.search
    workers = project.compute.workers if place_of(project, root) == "teacher" else 1
    compute = project.compute.model_copy(update={"workers": workers})
    model = sized(model_of(project, root), compute, dataset)
    lr, schedule = rate_of(project, root, model, dataset)
    model = scheduled(project, model, schedule)
    target = target_of(project, model, lr)
    subject = Subject(
        target=target,
        asked=asked_for(project, root),
        compute=project.compute,
        dataset=dataset,
        outputs=lesson_of(project, dataset) if target.distil else None,
        lasts=search.when == "once",
    )
    present = present_values(project, lr)
    searched = search_settings(project.name, subject, present, project.sweep)
    found, confirmed = proven(project, subject, searched, present)
    record_sweep(project.name, found, confirmed, project.budget)
    return Swept(found, confirmed, kept_fixed(project, root, model, lr))


def proven(
    project: Project, subject: Subject, found: Searched, present: Values
) -> tuple[Searched, Confirmed | None]:
    """Return what new seeds say of the winner, or of what the budget picks of a front; whoever
    stops that stops the sweep.
    """
    winner, about = found.winner, Question()
    pick = picked(found.best, found.objectives, project.budget)
    if pick and found.ended != STOPPED and pick.trial.values != present:
        winner = pick.trial.values
        about = question_of(found.trials, present, found.objectives, project.budget)
    if winner is None:
        return found, None
    try:
        seeds = project.sweep.search.confirm_seeds
        return found, confirm_settings(subject, winner, seeds, about, found.run)
    except Stopped as error:
        return found.model_copy(update={"ended": str(error)}), None


def rate_of(
    project: Project, root: str, model: TrainConfig, dataset: DatasetRef
) -> tuple[float, str | None]:
    """Return the rate of trials that vary another setting, and the schedule that was found with
    it, if any: those that a retraining would take.
    """
    if root == "teacher" and "teacher.lr" not in project.sweep.space:
        tuned = tune_model(model, project.sweep.of_rates, project.compute, dataset)
        return tuned.lr, tuned.schedule
    learner = learner_of(project, root, model)
    return (learner.first_lr if learner.lr == "auto" else learner.lr), None
