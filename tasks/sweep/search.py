"""Which rate? Optuna proposes, Ray tries two side by side, a pure rule chooses.

Optuna's sampler and Ray's tasks are theirs; ours is the join: whole rounds are asked for, run and
told in order, so that the same seed asks for the same rates whoever finishes first.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import optuna
import ray
from optuna.trial import TrialState

from tasks.artifacts import RateTrial, Tuned
from tasks.costs.meter import answer_of, measured
from tasks.sweep.choice import (
    agrees,
    best_trial,
    interval_of,
    rates_around,
    reason_for,
    spread_rates,
    widened,
)
from tasks.sweep.config import SweepConfig
from tasks.sweep.range_test import (
    LEAST_STEPS,
    Curve,
    Rates,
    Suggestion,
    curve_of,
    ramp,
    ramp_ends,
    suggestion_of,
)
from tasks.sweep.trial import FAILED, trial
from tasks.training.batches import steps_per_epoch
from tasks.training.examples import stratified_rows
from tasks.training.job import OnProgress, Rows, TrainingJob
from tasks.training.technique import ScheduleName

SIDE_BY_SIDE = 2
GRID_TRIALS = 4
"""So many rates are spread evenly; those after them are the sampler's own."""
RAMPS = 2
"""Range tests over other rows, side by side: the mean of their losses is smoother."""
VALID_ROWS = 600


def tuned_rate(
    config: SweepConfig, allowed: Rates, job: TrainingJob, on_progress: OnProgress
) -> Tuned:
    """The rate for `job`, by a range test and a short sweep around what it says.

    Over all that is allowed where it says nothing. Raises ValueError when no rate could be trained.
    """
    rows = min(config.rows, len(job.train))
    if 2 * rows < LEAST_STEPS * job.course.batch_size:
        return middle_rate(allowed, rows)
    deadline = time.monotonic() + config.max_seconds
    on_progress(0, config.trials + 1, "range test")
    job = replace(job, course=replace(job.course, epochs=config.epochs))
    curve = range_test(job, allowed, config.rows)
    suggestion = suggestion_of(curve)
    interval = rates_around(suggestion, allowed)
    short = [sampled(reseeded(job, seed), config.rows, seed) for seed in seeds_of(config, job)]
    schedules = config.schedules or (job.course.technique.schedule,)

    trials: tuple[RateTrial, ...] = ()
    study = new_study(interval, schedules, config.trials, job.course.seed)
    job_refs = [ray.put(each) for each in short]
    while len(trials) < config.trials and (not trials or time.monotonic() < deadline):
        on_progress(1 + len(trials), config.trials + 1, f"{len(trials)} rates tried")
        count = min(SIDE_BY_SIDE, config.trials - len(trials))
        trials += run_round(study, interval, schedules, job_refs, count)
        interval = widen(study, interval, trials, allowed)
    return settled(trials, suggestion, curve, config, len(short[0].valid))


def settled(
    trials: tuple[RateTrial, ...],
    suggestion: Suggestion | None,
    curve: Curve,
    config: SweepConfig,
    valid_rows: int,
) -> Tuned:
    """What the trials come to, beside what the curve says."""
    best, interval = best_trial(trials, valid_rows), interval_of(trials, valid_rows)
    if best.score <= FAILED:
        rates = [trial.lr for trial in trials]
        raise ValueError(
            f"trainings fell apart at each of {len(rates)} rates from {min(rates):.1e} to "
            f"{max(rates):.1e}: give a lower sweep.lr, or look at the data"
        )
    return Tuned(
        lr=best.lr,
        schedule=best.schedule if config.schedules else None,
        reason=reason_for(suggestion, trials, best, interval),
        interval=interval,
        is_trusted=agrees(suggestion, interval),
        trials=trials,
        range_test=curve,
        suggested=suggestion.steepest if suggestion else None,
    )


def given_rate(lr: float) -> Tuned:
    """A rate that nobody had to search for."""
    return Tuned(
        lr=lr,
        reason="given, by the project file or a sweep's winner",
        trials=(),
        range_test=(),
        suggested=None,
    )


def no_rate(estimator: str) -> Tuned:
    """Of what is fitted, not trained by steps."""
    reason = f"{estimator} has no learning rate"
    return Tuned(lr=0.0, reason=reason, trials=(), range_test=(), suggested=None)


def middle_rate(allowed: Rates, rows: int) -> Tuned:
    """The middle of the rates that are allowed, where rows are too few to search with."""
    reason = f"{rows} rows are too few for a range test: the middle of sweep.lr"
    lr = (allowed[0] * allowed[1]) ** 0.5
    return Tuned(lr=lr, reason=reason, trials=(), range_test=(), suggested=None)


def range_test(job: TrainingJob, allowed: Rates, rows: int) -> Curve:
    """Smoothed loss over the rate, from ramps over other rows, side by side."""
    half = replace(job.course, batch_size=max(1, job.course.batch_size // 2))
    jobs = [
        sampled(replace(job, course=replace(half, seed=half.seed + index)), rows, index)
        for index in range(RAMPS)
    ]
    ends = ramp_ends(allowed)
    task = ray.remote(num_cpus=1, max_retries=2)(measured(ramp))
    losses = [answer_of(one) for one in ray.get([task.remote(each, ends) for each in jobs])]
    steps = half.epochs * steps_per_epoch(len(jobs[0].train), half.batch_size)
    return curve_of(losses, ends, steps)


def sampled(job: TrainingJob, rows: int, seed: int) -> TrainingJob:
    """The job over `rows` training rows, judged on a fixed validation sample."""
    return replace(
        job,
        train=_sample(job.train, rows, seed),
        valid=_sample(job.valid, VALID_ROWS, job.course.seed),
    )


def seeds_of(config: SweepConfig, job: TrainingJob) -> range:
    """The job's own seed first."""
    return range(job.course.seed, job.course.seed + config.seeds)


def reseeded(job: TrainingJob, seed: int) -> TrainingJob:
    """The job from other first weights, over and judged on other rows."""
    return replace(job, course=replace(job.course, seed=seed))


def new_study(
    interval: Rates, schedules: Sequence[ScheduleName], trials: int, seed: int
) -> optuna.Study:
    """A study whose first trials are spread over the interval and take the schedules in turn."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spread = min(trials, GRID_TRIALS * len(schedules))
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=spread)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    rates = spread_rates(*interval, -(-spread // len(schedules)))
    for rate, schedule in list(product(rates, schedules))[:spread]:
        study.enqueue_trial({"lr": rate, "schedule": schedule})
    return study


def widen(
    study: optuna.Study, interval: Rates, trials: Sequence[RateTrial], allowed: Rates
) -> Rates:
    """Once the spread rates are tried: the interval, wider where its end won, and trials there."""
    if any(trial.state == TrialState.WAITING for trial in study.get_trials(deepcopy=False)):
        return interval
    wider = widened(interval, trials, allowed)
    best = max(trials, key=lambda trial: trial.score)
    for old, new in zip(interval, wider, strict=True):
        if old != new:
            for rate in spread_rates(min(old, new), max(old, new), SIDE_BY_SIDE):
                study.enqueue_trial({"lr": rate, "schedule": best.schedule})
    return wider


def run_round(
    study: optuna.Study,
    interval: Rates,
    schedules: Sequence[ScheduleName],
    job_refs: Sequence[Any],
    count: int,
) -> tuple[RateTrial, ...]:
    """Ask for `count` rates, try them side by side, tell their scores in the order asked."""
    asked = [study.ask() for _ in range(count)]
    tried: list[tuple[float, Any]] = [
        (
            each.suggest_float("lr", *interval, log=True),
            each.suggest_categorical("schedule", schedules),
        )
        for each in asked
    ]
    task = ray.remote(num_cpus=1, max_retries=2)(measured(trial))
    refs = [[task.remote(job_ref, *each) for job_ref in job_refs] for each in tried]
    found = tuple(
        RateTrial(lr=lr, schedule=schedule, scores=tuple(map(answer_of, ray.get(each))))
        for (lr, schedule), each in zip(tried, refs, strict=True)
    )
    for each, one in zip(asked, found, strict=True):
        study.tell(each, one.score)
    return found


def _sample(rows: Rows, count: int, seed: int) -> Rows:
    return rows.take(stratified_rows(rows.labels, count, seed))
