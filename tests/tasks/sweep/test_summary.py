"""What is said of a sweep, and what is not."""

import optuna
import pytest
from optuna.trial import Trial

from tasks.sweep.summary import what_mattered
from tests.tasks.sweep.studies import conditional, quadratic, study_of, traded_study


def test_the_best_and_what_decided_are_said() -> None:
    said = what_mattered(study_of(quadratic, 60), ["loss"])
    assert said.startswith("60 trials: 60 finished. Lowest loss ")
    assert "(teacher.lr 0.0976, teacher.weight_decay " in said
    assert "The best 15 of 60 trials by loss stand apart in" in said
    assert "teacher.lr (98%); teacher.weight_decay cannot be told from chance." in said


def test_what_became_of_the_trials_is_counted() -> None:
    study = study_of(conditional, 40, higher=True)
    study.ask()
    states = [trial.state.name for trial in study.trials]
    finished, pruned = states.count("COMPLETE"), states.count("PRUNED")
    said = what_mattered(study, ["f1"])
    assert said.startswith(
        f"41 trials: {finished} finished, {pruned} pruned, 4 failed, 1 not ended. Highest f1 0.79"
    )


def test_a_front_is_said_for_several_objectives() -> None:
    study = traded_study(40)
    said = what_mattered(study, ["f1", "latency/p95_ms"])
    assert f"Pareto front of f1 and latency/p95_ms: {len(study.best_trials)} trials (" in said
    assert "Highest f1 0.8" in said
    assert "Lowest latency/p95_ms 0." in said


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (0, "0 trials: none begun."),
        (1, "One finished trial cannot tell which parameters mattered."),
        (8, "8 trials, 8 of them finished, are too few to tell which parameters mattered for loss"),
    ],
)
def test_too_few_trials_are_said_to_be_too_few(trials: int, expected: str) -> None:
    assert expected in what_mattered(study_of(quadratic, trials), ["loss"])


def test_nothing_that_differs_is_said() -> None:
    def equal(trial: Trial) -> float:
        return 0.5 + 0 * trial.suggest_float("x", 0, 1)

    said = what_mattered(study_of(equal, 20), ["loss"])
    assert said.endswith("All 20 have the same loss: nothing that was tried changed it.")
    said = what_mattered(study_of(lambda trial: float(trial.number), 20), ["loss"])
    assert said.endswith("No parameter had more than one value.")


def test_only_failures_have_no_best() -> None:
    study = optuna.create_study()
    study.optimize(lambda _: float("nan"), n_trials=3)
    assert what_mattered(study, ["loss"]) == "3 trials: 3 failed."
