"""What mattered is found, what did not is not, and too little says nothing."""

import optuna
import pytest
from optuna.trial import Trial

from tasks.sweep.importance import LEAST_TRIALS, importances, num_best
from tasks.sweep.outcome import outcome_of
from tests.tasks.sweep.studies import conditional, quadratic, random_study, study_of, traded_study


@pytest.mark.parametrize("make", [study_of, random_study], ids=["tpe", "random"])
def test_the_parameter_that_decides_stands_out_and_an_idle_one_does_not(
    make: type[optuna.Study],
) -> None:
    rate, decay = importances(outcome_of(make(quadratic, 60), ["loss"]), 0)
    assert (rate.parameter, rate.stands_out) == ("teacher.lr", True)
    assert (decay.parameter, decay.stands_out) == ("teacher.weight_decay", False)
    assert rate.share > 0.8
    assert rate.share + decay.share == pytest.approx(1)


def test_of_noise_nothing_stands_out() -> None:
    def noise(trial: Trial) -> float:
        for name in "abcd":
            trial.suggest_float(name, 0, 1)
        return float((trial.number * 7919) % 64)

    found = importances(outcome_of(random_study(noise, 64), ["loss"]), 0)
    assert len(found) == 4
    assert not any(one.stands_out for one in found)


def test_a_pruned_trial_is_one_that_was_not_among_the_best() -> None:
    found = importances(outcome_of(study_of(conditional, 60, higher=True), ["f1"]), 0)
    assert found[0].parameter == "teacher.lr"
    assert found[0].stands_out
    assert {one.parameter for one in found} >= {"teacher.momentum", "students.0.layers"}


def test_each_objective_has_its_own() -> None:
    outcome = outcome_of(traded_study(60), ["f1", "ms"])
    assert importances(outcome, 1)[0].parameter == "students.0.width"
    assert next(one for one in importances(outcome, 0) if one.stands_out)


def test_the_same_study_gives_the_same_figures() -> None:
    outcome = outcome_of(study_of(quadratic, 20), ["loss"])
    assert importances(outcome, 0) == importances(outcome, 0)


@pytest.mark.parametrize(
    "study",
    [
        study_of(quadratic, LEAST_TRIALS - 1),
        study_of(lambda trial: 0 * trial.suggest_float("x", 0, 1), 20),
        study_of(lambda trial: float(trial.number), 20),
        optuna.create_study(),
    ],
    ids=["few", "equal", "no-parameter", "none"],
)
def test_where_nothing_can_be_told_nothing_is(study: optuna.Study) -> None:
    assert importances(outcome_of(study, ["loss"]), 0) == ()


@pytest.mark.parametrize(("trials", "expected"), [(10, 5), (20, 5), (64, 16), (1000, 250)])
def test_the_best_are_a_quarter_but_at_least_five(trials: int, expected: int) -> None:
    assert num_best(trials) == expected
