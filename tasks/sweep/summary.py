"""A sweep in a few sentences."""

from collections import Counter
from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

from tasks.sweep.importance import LEAST_BEST, LEAST_TRIALS, Importance, importances, num_best
from tasks.sweep.outcome import Outcome, outcome_of

MOST_NAMED = 4
"""Parameters named as important, or as not to be told from chance."""


def what_mattered(study: optuna.Study, objectives: Sequence[str]) -> str:
    """How many trials came to what, the best, and which parameters decided; for people.

    Raises ValueError unless every objective of the study is named once.
    """
    outcome = outcome_of(study, objectives)
    found = [importances(outcome, objective) for objective in range(len(objectives))]
    return told(outcome, found)


def told(outcome: Outcome, found: Sequence[Sequence[Importance]]) -> str:
    """The sentences, given the importances for each objective."""
    sentences = [counted(outcome)]
    if len(found) > 1 and outcome.finished:
        sentences.append(_front(outcome))
    for objective, each in enumerate(found) if outcome.finished else ():
        sentences.append(best_said(outcome, objective))
        sentences.append(decided(outcome, objective, each))
    return " ".join(sentences)


def counted(outcome: Outcome) -> str:
    """`64 trials: 40 finished, 20 pruned, 4 failed.`"""
    states = Counter(trial.state for trial in outcome.study.get_trials(deepcopy=False))
    parts = [
        (len(outcome.finished), "finished"),
        (outcome.endless, "finished without a finite score"),
        (states[TrialState.PRUNED], "pruned"),
        (states[TrialState.FAIL] - outcome.endless, "failed"),
        (states[TrialState.RUNNING], "not ended"),
    ]
    said = ", ".join(f"{count} {name}" for count, name in parts if count) or "none begun"
    total = sum(states.values()) - states[TrialState.WAITING]
    return f"{total} trial{'' if total == 1 else 's'}: {said}."


def best_said(outcome: Outcome, objective: int) -> str:
    """The best score and what gave it."""
    trial, name = outcome.best(objective), outcome.objectives[objective]
    word = "Highest" if outcome.is_higher_better(objective) else "Lowest"
    return f"{word} {name} {trial.values[objective]:.4g}, trial {trial.number}{_with(trial)}."


def decided(outcome: Outcome, objective: int, found: Sequence[Importance]) -> str:
    """Which parameters mattered for one objective, or why nobody can tell."""
    finished, name = len(outcome.finished), outcome.objectives[objective]
    trials = finished + len(outcome.pruned)
    if finished == 1:
        return "One finished trial cannot tell which parameters mattered."
    if not outcome.differs(objective):
        return f"All {finished} have the same {name}: nothing that was tried changed it."
    if not outcome.parameters:
        return "No parameter had more than one value."
    if not found:
        return (
            f"{trials} trials, {finished} of them finished, are too few to tell which parameters "
            f"mattered for {name} (at least {LEAST_TRIALS} and {LEAST_BEST})."
        )
    named = [one for one in found if one.stands_out]
    others = [one.parameter for one in found if not one.stands_out]
    lost = f"{_listed(others)} cannot be told from chance" if others else ""
    if not named:
        return f"In {trials} trials no parameter stands out for {name}: {lost}."
    best = _listed([f"{one.parameter} ({one.share:.0%})" for one in named])
    return (
        f"The best {num_best(trials)} of {trials} trials by {name} stand apart in "
        f"(share of the importance) {best}{'; ' if lost else ''}{lost}."
    )


def _front(outcome: Outcome) -> str:
    front = [str(trial.number) for trial in outcome.study.best_trials]
    count = f"{len(front)} trial{'' if len(front) == 1 else 's'}"
    return f"Pareto front of {_listed(outcome.objectives)}: {count} ({_listed(front)})."


def _with(trial: FrozenTrial) -> str:
    pairs = [f"{name} {_value(value)}" for name, value in trial.params.items()]
    return f" ({', '.join(pairs)})" if pairs else ""


def _value(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _listed(names: Sequence[str]) -> str:
    """`a, b and c`; of very many the first and how many more."""
    shown, more = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    if more > 0:
        shown.append(f"{more} more")
    if len(shown) == 1:
        return shown[0]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
