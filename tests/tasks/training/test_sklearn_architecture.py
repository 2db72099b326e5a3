"""Which estimators a project file may name, with which parameters."""

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.training.sklearn_architecture import (
    SklearnEstimator,
    SklearnTeacher,
    check_task,
    estimators,
    unfitted,
)


def test_the_names_are_scikit_learns_own_classifiers_and_regressors() -> None:
    names = estimators()
    assert {"ensemble.RandomForestClassifier", "svm.SVR", "tree.ExtraTreeClassifier"} <= set(names)
    assert "ensemble.RandomForestRegressor" not in estimators("classifier")
    strange = {"Mixin", "Voting", "Stacking", "SelfTraining", "Base", "_"}
    assert [n for n in names if any(part in n.split(".")[1] for part in strange)] == []


def test_seed_and_threads_reach_the_estimator() -> None:
    config = SklearnEstimator(estimator="sklearn.ensemble.RandomForestClassifier", seed=11)
    made = unfitted(config, jobs=2)
    assert (made.random_state, made.n_jobs) == (11, 2)


@pytest.mark.parametrize(
    ("estimator", "params", "sentence"),
    [
        ("ensemble.RandomForestClasifier", {}, "did you mean ensemble.RandomForestClassifier?"),
        ("RandomForestClassifier", {}, "did you mean ensemble.RandomForestClassifier?"),
        ("os.system", {}, "no classifier or regressor of scikit-learn; allowed are the classes of"),
        ("utils.estimator_checks.check_estimator", {}, "no classifier or regressor"),
        ("calibration.LinearSVC", {}, "no classifier or regressor"),
        ("svm.SVC.__init__", {}, "no classifier or regressor"),
        ("ensemble.VotingClassifier", {}, "no classifier or regressor"),
        ("svm.SVR", {"c": 1.0}, "params.c is no parameter of svm.SVR; allowed: kernel, degree"),
        ("svm.SVR", {"gama": 1.0}, "params.gama .* did you mean gamma?"),
        ("svm.SVR", {"C": -1.0}, "params of svm.SVR: The 'C' parameter of SVR must be a float"),
        ("tree.ExtraTreeClassifier", {"random_state": 3}, "params.random_state follows from seed"),
        ("ensemble.BaggingClassifier", {"n_jobs": 3}, "params.n_jobs follows from compute.workers"),
        ("ensemble.BaggingClassifier", {"estimator": "x"}, "'estimator' parameter .* Got 'x'"),
    ],
)
def test_what_scikit_learn_does_not_have_is_refused(
    estimator: str, params: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SklearnEstimator(estimator=estimator, params=params)


@pytest.mark.parametrize(
    ("config", "kind", "task", "sentence"),
    [
        (
            SklearnTeacher(estimator="svm.SVR"), "table", "classification",
            "estimator svm.SVR of teacher is a regressor; task classification needs a classifier, "
            "did you mean svm.SVC?",
        ),
        (
            SklearnEstimator(estimator="tree.DecisionTreeClassifier", name="a"), "table",
            "regression", "of a is a classifier; task regression needs a regressor, did you mean "
            "tree.DecisionTreeRegressor?",
        ),
        (
            SklearnEstimator(estimator="linear_model.Perceptron"), "text", "classification",
            "estimator linear_model.Perceptron of teacher gives no probabilities as it is set up",
        ),
        (
            SklearnEstimator(estimator="svm.SVR", terms=50), "table", "regression",
            "terms 50 of teacher: data.kind table has no terms",
        ),
    ],
    ids=lambda value: getattr(value, "estimator", None),
)  # fmt: skip
def test_an_estimator_of_another_task_is_refused(
    config: SklearnEstimator, kind: str, task: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")):
        check_task(config, kind, task)


def test_a_linear_classifier_with_a_logarithmic_loss_has_probabilities() -> None:
    config = SklearnEstimator(estimator="linear_model.SGDClassifier", params={"loss": "log_loss"})
    check_task(config, "text", "classification")
