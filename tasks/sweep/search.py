"""Which rate? Optuna proposes, Ray tries two side by side, a pure rule chooses.

Optuna's sampler and Ray's tasks are theirs; ours is the join: whole rounds are asked for, run and
told in order, so that the same seed asks for the same rates whoever finishes first.
"""

import time
from dataclasses import replace
from typing import Any

import optuna
import ray

from tasks.artifacts import Tuned
from tasks.sweep.choice import Trials, best_rate, rates_around, reason_for, spread_rates
from tasks.sweep.config import SweepConfig
from tasks.sweep.range_test import (
    LEAST_STEPS,
    Curve,
    Rates,
    curve_of,
    ramp,
    ramp_ends,
    suggestion_of,
)
from tasks.sweep.trial import trial
from tasks.training.batches import steps_per_epoch
from tasks.training.examples import stratified_rows
from tasks.training.job import OnProgress, Rows, TrainingJob

SIDE_BY_SIDE = 2
GRID_TRIALS = 4
"""So many rates are spread evenly; those after them are the sampler's own."""
RAMPS = 2
"""Range tests over other rows, side by side: the mean of their losses is smoother."""
VALID_ROWS = 600


def tuned_rate(
    config: SweepConfig, allowed: Rates, job: TrainingJob, on_progress: OnProgress
) -> Tuned:
    """The rate for `job`, by a range test and a short sweep around what it says."""
    rows = min(config.rows, len(job.train))
    if 2 * rows < LEAST_STEPS * job.course.batch_size:
        return middle_rate(allowed, rows)
    deadline = time.monotonic() + config.max_seconds
    on_progress(0, config.trials + 1, "range test")
    curve = range_test(job, allowed, config.rows)
    suggestion = suggestion_of(curve)
    interval = rates_around(suggestion, allowed)
    short = sampled(job, config.rows, job.course.seed)

    trials: Trials = ()
    study = new_study(interval, config.trials, job.course.seed)
    job_ref = ray.put(short)
    while len(trials) < config.trials and (not trials or time.monotonic() < deadline):
        on_progress(1 + len(trials), config.trials + 1, f"{len(trials)} rates tried")
        count = min(SIDE_BY_SIDE, config.trials - len(trials))
        trials += run_round(study, interval, job_ref, count)
    lr = best_rate(trials, len(short.valid))
    return Tuned(
        lr=lr,
        reason=reason_for(suggestion, trials, lr),
        trials=trials,
        range_test=curve,
        suggested=suggestion.steepest,
    )


def given_rate(lr: float) -> Tuned:
    """A rate that nobody had to search for."""
    return Tuned(
        lr=lr, reason="given in the project file", trials=(), range_test=(), suggested=None
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
    task = ray.remote(num_cpus=1, max_retries=2)(ramp)
    losses: list[list[float]] = ray.get([task.remote(each, ends) for each in jobs])
    return curve_of(losses, ends, steps_per_epoch(len(jobs[0].train), half.batch_size))


def sampled(job: TrainingJob, rows: int, seed: int) -> TrainingJob:
    """The job over one pass of `rows` training rows, judged on a fixed validation sample."""
    return replace(
        job,
        course=replace(job.course, epochs=1),
        train=_sample(job.train, rows, seed),
        valid=_sample(job.valid, VALID_ROWS, job.course.seed),
    )


def new_study(interval: tuple[float, float], trials: int, seed: int) -> optuna.Study:
    """A study whose first trials are spread over the interval."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    spread = min(trials, GRID_TRIALS)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=spread)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for rate in spread_rates(*interval, spread):
        study.enqueue_trial({"lr": rate})
    return study


def run_round(
    study: optuna.Study, interval: tuple[float, float], job_ref: Any, count: int
) -> Trials:
    """Ask for `count` rates, try them side by side, tell their scores in the order asked."""
    asked = [study.ask() for _ in range(count)]
    rates = [each.suggest_float("lr", *interval, log=True) for each in asked]
    task = ray.remote(num_cpus=1, max_retries=2)(trial)
    scores: list[float] = ray.get([task.remote(job_ref, rate) for rate in rates])
    for each, score in zip(asked, scores, strict=True):
        study.tell(each, score)
    return tuple(zip(rates, scores, strict=True))


def _sample(rows: Rows, count: int, seed: int) -> Rows:
    return rows.take(stratified_rows(rows.labels, count, seed))
