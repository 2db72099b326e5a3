"""A study as what may be drawn of it: trials that finished with a score, parameters that differ."""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState


@dataclass(frozen=True, slots=True)
class Outcome:
    """A copy of a study in memory, read once: storage may be a database far away."""

    study: optuna.Study
    """Same trials, same numbers, objectives named; a score that is not finite counts as failed."""
    objectives: tuple[str, ...]
    finished: tuple[FrozenTrial, ...]
    """With a finite score in every objective, in order of their numbers."""
    pruned: tuple[FrozenTrial, ...]
    """Stopped early, after at least one value was reported."""
    endless: int
    """Trials that finished with a score that is not finite."""
    parameters: tuple[str, ...]
    """Those that had more than one value in the finished trials, in order of their names."""

    def is_higher_better(self, objective: int) -> bool:
        """Whether that objective is maximised."""
        return bool(self.study.directions[objective] == StudyDirection.MAXIMIZE)

    def scores(self, objective: int) -> list[float]:
        """Of the finished trials."""
        return [trial.values[objective] for trial in self.finished]

    def best(self, objective: int) -> FrozenTrial:
        """The first trial that has the best score; there must be a finished one."""
        sign = -1 if self.is_higher_better(objective) else 1
        return min(self.finished, key=lambda trial: sign * trial.values[objective])

    def differs(self, objective: int) -> bool:
        """Whether two finished trials have different scores: only then there is aught to see."""
        return len(set(self.scores(objective))) > 1

    def where_pruned(self, name: str) -> tuple[list[float], list[float]]:
        """Of trials that were stopped early: values of a parameter, and the last they reported."""
        stopped = [trial for trial in self.pruned if name in trial.params]
        lasts = [trial.intermediate_values[max(trial.intermediate_values)] for trial in stopped]
        found = [(t.params[name], y) for t, y in zip(stopped, lasts, strict=True) if isfinite(y)]
        return [value for value, _ in found], [last for _, last in found]

    def alone(self, objective: int) -> optuna.Study:
        """The same trials with this one objective."""
        if len(self.objectives) == 1:
            return self.study
        trials = self.study.get_trials()
        for trial in trials:
            trial.values = trial.values and [trial.values[objective]]
        with quietly():
            study = optuna.create_study(direction=self.study.directions[objective])
            study.add_trials(trials)
        return study

    def is_choice(self, parameter: str) -> bool:
        """Whether the values are names, not numbers."""
        return any(
            isinstance(trial.distributions.get(parameter), CategoricalDistribution)
            for trial in self.finished
        )

    def is_log(self, parameter: str) -> bool:
        """Whether the values were asked for on a logarithmic scale."""
        found = [trial.distributions.get(parameter) for trial in self.finished]
        return any(getattr(each, "log", False) for each in found)


def outcome_of(study: optuna.Study, objectives: Sequence[str]) -> Outcome:
    """What there is to see; ValueError unless every objective of the study is named once."""
    if len(set(objectives)) != len(study.directions) or len(objectives) != len(study.directions):
        raise ValueError(
            f"objectives {', '.join(objectives) or '(none)'}: "
            f"{len(study.directions)} different names were expected, one for each of the study's"
        )
    trials = study.get_trials()
    endless = [trial for trial in trials if not _is_sound(trial)]
    for trial in endless:
        trial.state, trial.values = TrialState.FAIL, None
    with quietly():
        copy = optuna.create_study(directions=study.directions)
        copy.set_metric_names(list(objectives))
        copy.add_trials(trials)  # All of them: it numbers them anew.
    trials = copy.get_trials(deepcopy=False)
    finished = tuple(trial for trial in trials if trial.state == TrialState.COMPLETE)
    pruned = [trial for trial in trials if trial.state == TrialState.PRUNED]
    return Outcome(
        study=copy,
        objectives=tuple(objectives),
        finished=finished,
        pruned=tuple(trial for trial in pruned if trial.intermediate_values),
        endless=len(endless),
        parameters=_differing(finished),
    )


def opposite(study: optuna.Study, objective: int) -> optuna.Study:
    """A copy whose `objective` has the opposite sign and is sought the other way.

    Of a score that is minus a loss: the loss.
    """
    trials, directions = study.get_trials(), list(study.directions)
    is_highest = directions[objective] == StudyDirection.MAXIMIZE
    directions[objective] = StudyDirection.MINIMIZE if is_highest else StudyDirection.MAXIMIZE
    for trial in trials:
        if trial.values is not None:
            signs = [-1 if place == objective else 1 for place in range(len(directions))]
            trial.values = [s * value for s, value in zip(signs, trial.values, strict=True)]
        steps = trial.intermediate_values.items()  # there are none of several objectives
        trial.intermediate_values = {step: -value for step, value in steps}
    with quietly():
        copy = optuna.create_study(directions=directions)
        copy.add_trials(trials)
    return copy


@contextmanager
def quietly() -> Iterator[None]:
    """Optuna's notices that a part of it is experimental, or a figure empty, are not shown."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _is_sound(trial: FrozenTrial) -> bool:
    return trial.state != TrialState.COMPLETE or all(map(math.isfinite, trial.values))


def _differing(trials: Sequence[FrozenTrial]) -> tuple[str, ...]:
    names = sorted({name for trial in trials for name in trial.params})
    return tuple(
        name
        for name in names
        if len({str(trial.params[name]) for trial in trials if name in trial.params}) > 1
    )
