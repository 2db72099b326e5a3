"""Search for better settings of one model of the project."""

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from prefect.runtime import flow_run

from infra import tracking
from infra.cluster import connect
from infra.journal import sweep_storage
from infra.storage import arrow_filesystem, open_storage
from infra.trial_runs import STOP, TrialRuns
from tasks.artifacts import RunRef
from tasks.close_runs import ended_with
from tasks.code_digest import code_digest
from tasks.costs.cost import cost_of
from tasks.fetched_lesson import fetched_lesson
from tasks.kept_costs import prices
from tasks.promotion.records import digest_of, flat_params, objective_figures
from tasks.run_alone import run_alone, search_lock
from tasks.step import step
from tasks.sweep.config import SweepConfig
from tasks.sweep.engine import COST
from tasks.sweep.searching import Search, best_trials_of, search, trials_of
from tasks.sweep.space import Values
from tasks.sweep.spending import billed
from tasks.sweep.study import first_settings, open_study
from tasks.sweep.target import Subject
from tasks.sweep.workbench import Workbench
from tasks.sweep_artifacts import LOSS, Searched
from tasks.training.checkpoint import CheckpointStore
from tasks.training.model_folder import trained_blueprint
from tasks.training.recipes import Site

log = logging.getLogger(__name__)
SWEEP = "sweep"
"""The run's role."""
DECIDES = {"sampler", "pruner", "objectives", "grid_points", "rows", "seed"}
"""What of a search decides which trials it makes; where they run, and how many, may change."""
OF_A_POPULATION = {"population", "generation_passes"}


def subject_identity(subject: Subject, **_: Any) -> str:
    """What of the subject decides the answer: its rows only where they are to."""
    return subject.identity


# Made again, by `modelworks sweep` or because the budget has changed, it goes on from its journal.
@step(retries=0, ignore=("subject", "first"), key=subject_identity)
def search_settings(project: str, subject: Subject, first: Values, sweep: SweepConfig) -> Searched:
    """Return what was found; whatever was tried before the budget changed, or a kill, counts."""
    connect()
    with run_alone(search_lock(project), flow_run.name, flow_run.id):
        return _searched(project, subject, first, sweep)


def _searched(project: str, subject: Subject, first: Values, sweep: SweepConfig) -> Searched:
    config, name = sweep.search, study_name(project, subject, sweep)
    store = trial_store(name)
    bench = workbench_of(subject, store)
    metric, quality = f"valid/{bench.course.choose_by}", f"valid/{subject.target.metric}"
    run = open_sweep_run(project, name, subject, sweep)
    queue = first_settings(config, sweep.space, first)
    with ended_with(run.run_id), sweep_storage(name) as storage:
        study = open_study(name, storage, config, bench.course.epochs, queue)
        runs = TrialRuns(
            project,
            run,
            # What is exported has its quality under the name that a score would have.
            metric=f"curve/{metric}" if "quality" in config.objectives else metric,
            sign=-1 if metric == LOSS else 1,
            cost=lambda cpu, gpu: cost_of(cpu, gpu, prices()).metrics(),
            figures=lambda values: trial_figures(config.objectives, values, metric, quality),
        )
        with billed(study), closing(runs):
            runs.catch_up(study.get_trials(deepcopy=False), COST)
            about = Search(
                study, sweep.space, config, sweep.budget, prices(), bench, first, store, metric
            )
            ended = search(about, runs)
            best, trials = tuple(best_trials_of(study)), tuple(trials_of(study))
    log.info("sweep %s: %s; %s", name[:8], ended.engine, ended.why)
    return Searched(
        study=name,
        run=RunRef(run_id=run.run_id, url=run.url),
        best=best,
        trials=trials,
        objectives=config.objectives,
        metric=metric,
        quality=quality,
        engine=ended.engine,
        ended=ended.why,
        wall_seconds=ended.spent.wall,
        cost=ended.cost.metrics(),
    )


def trial_figures(
    objectives: Sequence[str], values: Sequence[float], score: str, quality: str
) -> dict[str, float]:
    """Return what one trial came to; of its score it has the curve."""
    named = dict(zip(objectives, values, strict=True))
    named.pop("score", None)
    return objective_figures(named, score, quality)


def study_name(project: str, subject: Subject, sweep: SweepConfig) -> str:
    """Return what the study is called: the same for all that decides which trials it makes."""
    is_population = sweep.search.sampler == "population"
    decides = DECIDES | (OF_A_POPULATION if is_population else set())
    lasting = sweep.model_dump(mode="json", include={"space": True, "search": decides})
    target = subject.target.model_dump(mode="json")
    return digest_of(project, target, lasting, *subject.learns_from, code())


def open_sweep_run(
    project: str, name: str, subject: Subject, sweep: SweepConfig
) -> tracking.TrackedRun:
    """Return the sweep's run; a tag that ended it once is taken away."""
    tags = {tracking.ROLE: SWEEP, "modelworks.dataset": subject.dataset.sha256}
    params = {"target": subject.target.root, "sweep": sweep.model_dump(mode="json")}
    run = tracking.open_run(project, name, f"sweep-{name[:8]}", tags, flat_params(params))
    tracking.set_tags(run.run_id, {STOP: "false"})
    return run


def trial_store(study: str) -> CheckpointStore:
    """Return where trials that last are saved."""
    return CheckpointStore(arrow_filesystem(), f"{open_storage().bucket}/checkpoints/{study}")


def workbench_of(subject: Subject, store: CheckpointStore) -> Workbench:
    """Return what all trials share; what they train ahead is left below `store`."""
    storage = open_storage()
    local = storage.fetch_folder(subject.dataset.uri)
    site = Site(dataset=subject.dataset, dataset_folder=local, compute=subject.compute)
    distil, outputs = subject.target.distil, subject.outputs
    lesson = fetched_lesson((distil, outputs) if distil and outputs else None, subject.dataset)
    trained = None
    if subject.target.prune and not subject.target.student and outputs:
        trained = trained_blueprint(storage.fetch_folder(outputs.teacher_uris[0]))
    ahead = replace(store, path=f"{store.path}/ahead")
    return Workbench(subject.target, site, lesson, trained, ahead=ahead)


def code() -> str:
    """Return what decides a trial's scores besides its settings: the code of trainings."""
    return code_digest("tasks.sweep.passes") + code_digest("tasks.sweep.workbench")
