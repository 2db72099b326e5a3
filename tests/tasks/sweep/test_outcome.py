"""A study is read once, whatever became of its trials."""

import math

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import Trial, TrialState

from tasks.sweep.outcome import opposite, outcome_of
from tests.tasks.sweep.studies import conditional, count_of, quadratic, study_of, traded_study


def test_numbers_stay_whatever_became_of_the_trials() -> None:
    study = study_of(conditional, 30, higher=True)
    study.enqueue_trial({"teacher.lr": 1e-3})
    outcome = outcome_of(study, ["f1"])
    assert len(outcome.finished) == count_of(study, TrialState.COMPLETE)
    assert len(outcome.pruned) == count_of(study, TrialState.PRUNED) > 0
    assert outcome.best(0).number == study.best_trial.number
    assert [trial.number for trial in outcome.study.trials] == list(range(31))


def test_a_score_that_is_not_finite_is_no_score() -> None:
    def endless(trial: Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        return -math.inf if trial.number == 2 else x

    outcome = outcome_of(study_of(endless, 6), ["loss"])
    assert outcome.endless == 1
    assert [trial.number for trial in outcome.finished] == [0, 1, 3, 4, 5]


def test_the_study_itself_is_left_as_it_was() -> None:
    study = study_of(quadratic, 5)
    before = study.get_trials()
    outcome_of(study, ["loss"]).study.enqueue_trial({"teacher.lr": 0.5})
    assert study.get_trials() == before


def test_a_parameter_of_one_value_is_not_one_that_differs() -> None:
    def fixed(trial: Trial) -> float:
        trial.suggest_categorical("fixed", [None])
        trial.suggest_int("same", 3, 3)
        return trial.suggest_categorical("real", [0.1, 0.2])

    outcome = outcome_of(study_of(fixed, 12), ["loss"])
    assert outcome.parameters == ("real",)


def test_one_objective_of_several() -> None:
    outcome = outcome_of(traded_study(20), ["f1", "ms"])
    alone = outcome.alone(1)
    assert alone.best_value == min(outcome.scores(1))
    assert outcome.alone(0).best_value == max(outcome.scores(0))


@pytest.mark.parametrize("objectives", [[], ["a", "b"]], ids=["none", "two"])
def test_every_objective_is_named(objectives: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^objectives .*: 1 different names were expected"):
        outcome_of(optuna.create_study(), objectives)


def test_a_name_stands_for_one_objective() -> None:
    with pytest.raises(ValueError, match="objectives f1, f1: 2 different names were expected"):
        outcome_of(traded_study(1), ["f1", "f1"])


def test_minus_a_loss_is_told_as_a_loss() -> None:
    study = study_of(conditional, 30, higher=True)
    turned = opposite(study, 0)
    assert turned.direction == StudyDirection.MINIMIZE
    assert turned.best_trial.number == study.best_trial.number
    assert turned.best_value == -study.best_value
    for old, new in zip(study.trials, turned.trials, strict=True):
        assert (old.state, old.params) == (new.state, new.params)
        steps = old.intermediate_values.items()
        assert new.intermediate_values == {step: -value for step, value in steps}
    assert study.direction == StudyDirection.MAXIMIZE


def test_one_objective_of_several_is_turned() -> None:
    study = traded_study(12)
    turned = opposite(study, 0)
    assert turned.directions == [StudyDirection.MINIMIZE, study.directions[1]]
    assert [t.values for t in turned.trials] == [[-t.values[0], t.values[1]] for t in study.trials]
    assert [t.number for t in turned.best_trials] == [t.number for t in study.best_trials]


def test_a_pruned_trial_stands_where_it_was_when_it_was() -> None:
    outcome = outcome_of(study_of(conditional, 30, higher=True), ["f1"])
    values, lasts = outcome.where_pruned("teacher.lr")
    pruned = [trial for trial in outcome.pruned if "teacher.lr" in trial.params]
    assert values == [trial.params["teacher.lr"] for trial in pruned]
    assert lasts == [list(trial.intermediate_values.values())[-1] for trial in pruned]
    assert outcome.where_pruned("absent") == ([], [])
