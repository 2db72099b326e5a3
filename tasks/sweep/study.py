"""Optuna's part of a sweep: who proposes, who gives up early, and what was left half done.

A sampler is made anew for each trial, its draws seeded by the trial's number: so a sweep that was
stopped goes on to propose what it would have proposed.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
import optuna
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from tasks.sweep.config import Objective, SearchConfig
from tasks.sweep.population import AFTER, offspring
from tasks.sweep.space import Dimension, Space, Values, applies, combinations

DIRECTIONS: dict[Objective, Literal["maximize", "minimize"]] = {
    "score": "maximize",
    "parameters": "minimize",
    "seconds": "minimize",
    "quality": "maximize",
    "p50_ms": "minimize",
    "p95_ms": "minimize",
    "size_mb": "minimize",
    "memory_mb": "minimize",
}
REDUCTION = 3
"""Of the trials that reach a rung one in so many goes on (ASHA, arXiv:1810.05934, section 3).

The rungs are at a ninth and a third of the passes: after one of thirty a rising rate has not begun.
"""
JUDGED = (("score",), ("quality",))
"""What is sought where scores alone say who is behind."""


def open_study(
    name: str, storage: BaseStorage, search: SearchConfig, epochs: int, first: Sequence[Values]
) -> optuna.Study:
    """The study of that name, made if need be; `first` are the settings that it tries first."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=storage,
        directions=[DIRECTIONS[each] for each in search.objectives],
        pruner=pruner_of(search, epochs),
        load_if_exists=True,
    )
    queued = len(study.get_trials(deepcopy=False))  # a kill may have left the queue half filled
    for values in first[queued:]:
        study.enqueue_trial(dict(values))
    return study


def first_settings(search: SearchConfig, space: Space, present: Values) -> list[Values]:
    """What is tried before anybody proposes: the settings that the project has, then a grid.

    A grid is tried in an order drawn by the seed: cut short, it has been everywhere.
    """
    if search.sampler != "grid":
        return [present] if present else []
    grid = combinations(space, search.grid_points)
    order = np.random.default_rng(search.seed).permutation(len(grid))
    return [grid[index] for index in order]


def sampler_of(search: SearchConfig, space: Space, number: int) -> BaseSampler:
    """Who proposes the trial of that number."""
    seed = int(np.random.SeedSequence((search.seed, number)).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match search.sampler:
            case "random" | "grid" | "population":
                return RandomSampler(seed=seed)
            case "sobol":  # its place in the sequence stands in the study: one seed for all
                return QMCSampler(seed=search.seed, scramble=True, warn_independent_sampling=False)
            case "cmaes":
                return CmaEsSampler(seed=seed, warn_independent_sampling=False)
            case "nsga2":
                return NSGAIISampler(seed=seed)
            case "tpe":
                return TPESampler(
                    seed=seed,
                    multivariate=True,
                    group=any(each.when for each in space.values()),
                    constant_liar=search.side_by_side > 1,
                )


def pruner_of(search: SearchConfig, epochs: int) -> BasePruner:
    """Who gives up a trial of so many passes, by its scores; several objectives have `fronts`."""
    if search.objectives not in JUDGED or search.sampler == "population":
        return NopPruner()
    match search.pruner:
        case "asha":
            rung = first_rung(epochs)
            return SuccessiveHalvingPruner(min_resource=rung, reduction_factor=REDUCTION)
        case "hyperband":
            return HyperbandPruner(
                min_resource=1, max_resource=max(2, epochs), reduction_factor=REDUCTION
            )
        case "median":
            return MedianPruner(n_startup_trials=5)
        case "wilcoxon":
            return _wilcoxon()
        case "none":
            return NopPruner()


def first_rung(epochs: int) -> int:
    """Passes after which trials of so many are judged first; then after so many times as many."""
    return max(1, math.ceil(epochs / REDUCTION**2))


def _wilcoxon() -> BasePruner:
    """Gives a trial up whose scores are below the best trial's by the signed-rank test, p < 0.1.

    Made for steps that are folds or seeds; here they are passes: scores after the same pass are
    compared in pairs. Those of one training are not independent, so p is a rule of thumb and no
    error rate, and four passes are the fewest that can reach it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return WilcoxonPruner(p_threshold=0.1)


def unfinished(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were running when the last process ended, in their order."""
    return study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def ask(study: optuna.Study, search: SearchConfig, space: Space) -> Trial:
    """The next trial, with a value for each dimension that applies."""
    number = num_begun(study)
    study.sampler = sampler_of(search, space, number)
    trials = study.get_trials(deepcopy=False)
    if search.sampler == "population" and len(trials) == number >= search.population:
        after, values = offspring(trials, search, space, number)
        study.enqueue_trial(dict(values), user_attrs={AFTER: after})
    return with_values(study.ask(), space)


def ask_again(
    study: optuna.Study, search: SearchConfig, space: Space, frozen: FrozenTrial
) -> Trial:
    """A trial that was not finished; values that it has are kept, others proposed as then."""
    study.sampler = sampler_of(search, space, frozen.number)
    return with_values(Trial(study, frozen._trial_id), space)


def num_begun(study: optuna.Study) -> int:
    """Number of the trial that begins next; those that are waiting in the queue have theirs."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return waiting[0].number if waiting else len(study.get_trials(deepcopy=False))


def with_values(trial: Trial, space: Space) -> Trial:
    """The trial, asked for each dimension in turn."""
    values: dict[str, object] = {}
    for name, dimension in space.items():
        if applies(dimension, values):
            values[name] = suggested(trial, name, dimension)
    return trial


def suggested(trial: Trial, name: str, dimension: Dimension) -> object:
    """The value that the trial has for one dimension."""
    if dimension.choice:
        return trial.suggest_categorical(name, dimension.choice)
    if dimension.integer:
        return trial.suggest_int(name, *dimension.integer)
    ends = dimension.log or dimension.linear
    assert ends is not None, "the validator has seen to it"
    return trial.suggest_float(name, *ends, log=dimension.log is not None)


def is_exhausted(search: SearchConfig, study: optuna.Study) -> bool:
    """Whether a grid has been tried whole."""
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    return search.sampler == "grid" and not waiting


def best_of(study: optuna.Study) -> Sequence[FrozenTrial]:
    """The best trial, or those of the Pareto front; none before one is finished."""
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        return []
    return study.best_trials if len(study.directions) > 1 else [study.best_trial]
