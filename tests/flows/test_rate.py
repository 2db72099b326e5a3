"""`modelworks lr` searches wider and longer than a retraining does."""

from pathlib import Path

import pytest

from flows.cli.rate import searching
from flows.project_file import load_project

PROJECTS = Path(__file__).resolve().parents[2] / "flows" / "projects"


def test_a_rate_that_was_given_is_looked_for_too() -> None:
    project = load_project(PROJECTS / "digits.yaml", ["teacher.lr=0.01"])
    found = searching(project, trials=6, seeds=2)
    assert (found.teacher.lr, found.sweep.trials, found.sweep.seeds) == ("auto", 6, 2)
    assert found.sweep.lr is not None
    low, high = found.sweep.lr
    assert high / low == pytest.approx(1000)


def test_the_projects_own_interval_holds() -> None:
    project = load_project(PROJECTS / "sentiment.yaml")
    assert searching(project, trials=6, seeds=2).sweep.lr == project.sweep.lr


def test_an_estimator_has_no_rate() -> None:
    with pytest.raises(ValueError, match="HistGradientBoostingClassifier has no learning rate"):
        searching(load_project(PROJECTS / "flights.yaml"), trials=6, seeds=2)


def test_a_trial_of_few_rows_takes_more_passes_but_no_more_than_the_teacher() -> None:
    project = load_project(PROJECTS / "digits.yaml", ["sweep.rows=600", "teacher.batch_size=32"])
    assert searching(project, trials=6, seeds=2).sweep.epochs == 8
    short = load_project(PROJECTS / "digits.yaml", ["sweep.rows=600", "teacher.epochs=3"])
    assert searching(short, trials=6, seeds=2).sweep.epochs == 3
