"""A whole search for settings: where trials run, what they are worth, what was found."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import optuna
import torch
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from tasks.costs.cost import Cost, Prices
from tasks.costs.meter import Used, add
from tasks.sweep.apart import why_apart
from tasks.sweep.benches import Actors
from tasks.sweep.config import Engine, SearchConfig, SweepBudget
from tasks.sweep.engine import SPENT, TROUBLE, WHOLE, Sweep, Watcher
from tasks.sweep.passes import Stopped
from tasks.sweep.population import AFTER, Leg, leg_of, num_trials
from tasks.sweep.probe import seconds_alone, timed
from tasks.sweep.runners import InProcess, Runner
from tasks.sweep.saving import Saving, forget
from tasks.sweep.shares import Share, places
from tasks.sweep.space import Space, Values, corners
from tasks.sweep.spending import Ledger, Spent, keep_used
from tasks.sweep.study import ask, best_of
from tasks.sweep.target import trains_ahead
from tasks.sweep.teams import Teams
from tasks.sweep.together import Together
from tasks.sweep.workbench import Workbench
from tasks.sweep.worth import at_a_rung, at_the_end
from tasks.sweep_artifacts import SettingsTrial
from tasks.training.checkpoint import CheckpointStore
from tasks.training.distributed import resources_of_cluster, wants_cuda
from tasks.training.job import TrainingJob

log = logging.getLogger(__name__)

NAMES = {
    "in_process": "in this process, one after the other",
    "actors": "side by side in warm processes",
    "together": "together as one batched program",
}
LEAST_TOGETHER, MOST_TOGETHER = 8, 64
ROUNDS = 4
"""A crew's trials are proposed at once, knowing those of the crews before it: so many at least."""
SOME = 6
"""Settings by which it is seen, beside the corners, whether trials can be trained together."""
START_SECONDS = 4.0
"""Until warm processes of the cluster have begun, torch imported."""


@dataclass(frozen=True, slots=True)
class Search:
    """What one search is about."""

    study: optuna.Study
    space: Space
    config: SearchConfig
    budget: SweepBudget
    prices: Prices
    workbench: Workbench
    first: Values
    store: CheckpointStore | None = None
    """For trials in the cluster; None: those that were killed begin again."""
    metric: str = "score"
    """What a score is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a search ended."""

    why: str
    engine: str
    spent: Spent
    cost: Cost


def search(about: Search, watcher: Watcher) -> Ended:
    """Try settings until the budget is used or nothing is left to try."""
    study, told = about.study, Used()

    def save(spent: dict[str, float]) -> None:
        nonlocal told
        fresh, told = ledger.of_passes.minus(told), ledger.of_passes
        # What this process has used is measured where it is used.
        add(fresh if isinstance(runner, Actors | Teams) else Used(gpu=fresh.gpu))
        study.set_user_attr(SPENT, spent)
        keep_used(study)

    objective, *_ = about.config.objectives
    ledger = Ledger(about.budget, about.prices, study.user_attrs.get(SPENT, {}), save)
    engine, make = engine_of(about, watcher.stopped)
    runner = make()
    sweep = Sweep(
        study=study,
        space=about.space,
        search=about.config,
        budget=about.budget,
        ledger=ledger,
        runner=runner,
        watcher=watcher,
        measure=at_the_end(about.workbench, about.config.objectives, runner),
        measure_at_rung=at_a_rung(about.workbench, about.config.objectives, runner),
        passes=about.workbench.course.epochs,
        metric=objective if objective != "score" else about.metric,
    )
    try:
        why = sweep.run()
    finally:
        runner.close()
    if why == WHOLE and about.config.sampler == "population" and about.store:
        forget(about.store)  # those of the last two generations
    if why == WHOLE and about.workbench.ahead:
        forget(about.workbench.ahead)
    spent = ledger.spent
    return Ended(why, engine, spent, spent.cost(about.prices))


def engine_of(about: Search, stopped: Stopped) -> tuple[str, Callable[[], Runner]]:
    """Where trials run, in a sentence, and how it is begun."""
    config, workbench = about.config, about.workbench
    crew = min(MOST_TOGETHER, max(LEAST_TOGETHER, about.budget.trials // ROUNDS))
    ways: dict[str, Callable[[], Runner]] = {
        "in_process": lambda: InProcess(workbench, stopped),
        "actors": lambda: cluster_of(about),
        "together": lambda: Together(workbench, crew, stopped=stopped),
    }
    if config.engine == "together" and (why := why_apart(some_jobs(about), crew)):
        raise ValueError(f"sweep.search.engine together: {why}; allowed: auto, in_process, actors")
    if asked := engine_asked_for(config):
        way, said = asked
        return said, ways[way]
    if wants_cuda(workbench.site.compute) and not torch.cuda.is_available():
        return f"{NAMES['actors']}: the GPUs are there, not here", ways["actors"]
    if why := why_one_by_one(about):
        return f"{NAMES['in_process']}: {why}", ways["in_process"]
    why = why_not_together(about, crew)
    if not why:
        return f"{NAMES['together']}, {crew} at a time", ways["together"]
    seconds = seconds_of_one(about)
    one_by_one = seconds * about.budget.trials
    beside = START_SECONDS + one_by_one / config.side_by_side
    chosen = "in_process" if one_by_one <= beside else "actors"
    return f"{NAMES[chosen]}: a trial takes about {seconds:.2f} s; {why}", ways[chosen]


def why_one_by_one(about: Search) -> str:
    """Why one trial is made at a time; nothing where several may be."""
    if trains_ahead(about.workbench.target.prune, about.space):
        # It is made once for all that share it: by the one that needs it first.
        return "a student, or a round, that a trial trains ahead is trained alone"
    return "sweep.search.side_by_side is 1" if about.config.side_by_side == 1 else ""


def engine_asked_for(config: SearchConfig) -> tuple[Engine, str] | None:
    """What the project leaves no choice about, and the sentence; None: it leaves one."""
    if config.workers > 1:
        return "actors", f"in the cluster, each trial by {config.workers} workers"
    if config.sampler == "population":
        return "actors", f"{NAMES['actors']}, a population of {config.population}"
    if config.engine != "auto":
        return config.engine, f"{NAMES[config.engine]}, as the project says"
    return None


def cluster_of(about: Search) -> Actors | Teams:
    """Warm processes, or teams, with what a trial of this search may hold."""
    config, store, workers = about.config, about.store, about.config.workers
    saving = Saving(store, config.save_seconds) if store else None
    has_gpu = wants_cuda(about.workbench.site.compute.model_copy(update={"workers": workers}))
    each = Share(config.cores * workers, config.gpus * workers if has_gpu else 0.0, workers)
    why = why_one_by_one(about)
    if why and config.side_by_side > 1:
        log.warning("sweep.search.side_by_side %d: one at a time, %s", config.side_by_side, why)
    wanted = 1 if why else config.side_by_side
    slots = places(wanted, each, resources_of_cluster())
    if workers > 1:
        if saving is None:
            raise ValueError(f"sweep.search.workers {workers}: they leave what they made in S3")
        return Teams(about.workbench, slots, each, saving)
    legs = about_population(about) if config.sampler == "population" else None
    return Actors(about.workbench, slots, each, saving, legs)


def about_population(about: Search) -> Callable[[int], Leg]:
    """Which passes the trial of a number makes; `ValueError` where no population can be trained."""
    config, course, study = about.config, about.workbench.course, about.study
    needed = num_trials(config, course.epochs)
    if needed > about.budget.trials:
        raise ValueError(
            f"sweep.budget.trials {about.budget.trials}: a population of {config.population} takes "
            f"{needed}, {config.population} for every {config.generation_passes} of "
            f"{course.epochs} passes"
        )
    if course.technique.patience is not None:
        raise ValueError("patience: a member of a population goes through all passes; leave it out")
    if about.store is None:
        raise ValueError("sweep.search.sampler population: its members are handed on in S3")

    def leg(number: int) -> Leg:
        trial = study.get_trials(deepcopy=False)[number]
        return leg_of(config, course.epochs, number, trial.user_attrs.get(AFTER))

    return leg


def why_not_together(about: Search, crew: int) -> str:
    """Why trials are not trained as one batched program; nothing when they can, and it pays."""
    if about.config.is_deployed:
        return "what is measured of an exported model is measured of one at a time"
    if about.budget.trials < LEAST_TOGETHER:
        return f"fewer than {LEAST_TOGETHER} trials are not trained together"
    jobs = some_jobs(about)
    if why := why_apart(jobs, crew):
        return f"trials cannot be trained together: {why}"
    crew_jobs = [jobs[index % len(jobs)] for index in range(crew)]
    timing = timed(crew_jobs, about.workbench.material(jobs[0]))
    return "" if timing.pays else str(timing)


def some_jobs(about: Search) -> list[TrainingJob]:
    """Trainings of settings from all over the space, of those that make one."""
    jobs = []
    for values in some_settings(about):
        with suppress(ValueError):
            jobs.append(about.workbench.job(values))
    return jobs or [about.workbench.job({})]


def some_settings(about: Search) -> list[Values]:
    """A few settings from all over the space, and its corners: whatever differs is seen."""
    config = about.config.model_copy(update={"sampler": "random", "objectives": ("score",)})
    scratch = optuna.create_study(storage=InMemoryStorage())
    drawn = [ask(scratch, config, about.space).params for _ in range(SOME)]
    return [*drawn, *corners(about.space)]


def seconds_of_one(about: Search) -> float:
    """What the steps of the first settings would take; of others, where with these there is
    nothing to train."""
    for values in (about.first, *some_settings(about)):
        with suppress(ValueError):
            job = about.workbench.job(values)
            return seconds_alone(job, about.workbench.material(job))
    return 0.0


def trials_of(study: optuna.Study) -> list[SettingsTrial]:
    """Every trial that has ended, by number."""
    ended = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    return [described(each) for each in study.get_trials(deepcopy=False, states=ended)]


def best_trials_of(study: optuna.Study) -> list[SettingsTrial]:
    """The best, or those of the Pareto front."""
    return [described(each) for each in best_of(study)]


def described(trial: FrozenTrial) -> SettingsTrial:
    """A trial as the rest of the house knows it."""
    scores: Sequence[float] = [value for _, value in sorted(trial.intermediate_values.items())]
    return SettingsTrial(
        number=trial.number,
        values=dict(trial.params),
        state=trial.state.name.lower(),
        scores=tuple(scores),
        objectives=tuple(trial.values or ()) if trial.state == TrialState.COMPLETE else (),
        trouble=trial.user_attrs.get(TROUBLE, ""),
    )
