"""Which learning rate? The step of a retraining, by itself and with more time."""

from typing import NamedTuple

from prefect import flow
from prefect.runtime import flow_run

from flows.project import Project
from flows.runs import close_dead_runs, lock_of
from flows.teacher import sized
from tasks.artifacts import RunRef, Tuned
from tasks.prepare_data import prepare_data
from tasks.record_costs import record_costs
from tasks.record_rates import record_rates
from tasks.run_alone import run_alone
from tasks.step import watched
from tasks.tune_model import tune_model


class Found(NamedTuple):
    """The rate and where it is recorded."""

    tuned: Tuned
    run: RunRef


@flow(name="find-rate", flow_run_name="lr-{project.name}", persist_result=False)
def find_rate(project: Project) -> Found:
    """Search as `project.sweep` says, for the project's teacher; record what was found."""
    alone = run_alone(lock_of(project.name, "find-rate"), flow_run.name, flow_run.id)
    with alone, watched() as ended:
        close_dead_runs(project.name, flow_run.id, "find-rate")
        found = steps(project)
        record_costs(project.name, found.run, ended)
        return found


def steps(project: Project) -> Found:
    """Return what the steps came to, in the order in which they happen."""
    dataset = prepare_data(project.name, project.data)
    teacher = sized(project.teacher, project.compute, dataset)
    tuned = tune_model(teacher, project.sweep.of_rates, project.compute, dataset)
    settings = project.model_dump(mode="json", include={"teacher", "sweep", "compute"})
    return Found(tuned, record_rates(project.name, settings, dataset, tuned))
