"""Estimators from a project's words to a predictor, and what students learn from them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.compression.distil_config import DistilConfig
from tasks.compression.gain import is_smaller
from tasks.data.snapshot import split_rows
from tasks.estimators.answering import graph_answers
from tasks.estimators.features import features_of, matrix_of
from tasks.estimators.fitting import FittedEstimator, fit_estimator
from tasks.estimators.folder import save_estimator
from tasks.packaging.answers import load_answers, save_answers
from tasks.packaging.bundle import bundle_bytes
from tasks.packaging.export import export_bundle, prove_alike
from tasks.packaging.predictor import Predictor
from tasks.training.answers import logits_of
from tasks.training.architectures import Mlp
from tasks.training.blueprint import first_model
from tasks.training.config import ComputeConfig
from tasks.training.course import Setting, new_state
from tasks.training.examples import encode
from tasks.training.job import material_of
from tasks.training.loop import train
from tasks.training.model_folder import (
    LESSON,
    VALID,
    is_network,
    load_card,
    load_own_answers,
)
from tasks.training.recipes import Lesson, Site, student_job
from tasks.training.sklearn_architecture import SklearnEstimator, SklearnTeacher, unfitted
from tests.in_process import CPU, quantized

SiteOf = Callable[[str], Site]


def fitted_of(config: SklearnEstimator, site: Site) -> FittedEstimator:
    return fit_estimator(config, site.dataset, site.rows("train"), site.rows("valid"), 1)


def bundled(config: SklearnEstimator, site: Site, folder: Path) -> Path:
    """The bundle of the estimator, which is proven to answer as scikit-learn did."""
    saved = save_estimator(folder / "model", fitted_of(config, site), config, site)
    assert saved.exports
    assert saved.params > 0
    columns = site.rows("valid").columns
    export_bundle(folder / "model", folder / "bundle", site.dataset.target, columns)
    found = Predictor.load(folder / "bundle").probabilities(columns)
    own = load_own_answers(folder / "model", VALID)
    prove_alike(folder / "bundle", own, found, load_card(folder / "model"))
    assert not list(folder.rglob("*.pkl")) + list(folder.rglob("*.joblib"))
    return folder / "bundle"


def by_scikit_learn(config: SklearnEstimator, site: Site) -> np.ndarray:
    """Probabilities, or numbers in their own unit, of the holdout: without any graph."""
    rows, asked = site.rows("train"), site.rows("test")
    features = features_of(site.dataset, rows.columns, None)
    numbers = [matrix_of(features, each.columns) for each in (rows, asked)]
    estimator = unfitted(config).fit(numbers[0], rows.labels)
    if site.dataset.scale is None:
        return np.asarray(estimator.predict_proba(numbers[1]))
    mean, deviation = site.dataset.scale
    return np.asarray(estimator.predict(numbers[1])[:, None] * deviation + mean)


@pytest.mark.parametrize(
    ("name", "estimator", "params"),
    [
        ("cancer", "ensemble.RandomForestClassifier", {"n_estimators": 20}),
        ("wine", "ensemble.ExtraTreesClassifier", {"n_estimators": 20}),
        ("cancer", "ensemble.HistGradientBoostingClassifier", {"max_iter": 20}),
        ("wine", "ensemble.HistGradientBoostingClassifier", {"max_iter": 20}),
        ("wine", "ensemble.GradientBoostingClassifier", {"n_estimators": 20}),
        ("cancer", "linear_model.LogisticRegression", {}),
        ("wine", "neural_network.MLPClassifier", {"hidden_layer_sizes": [8], "max_iter": 20}),
        ("cancer", "neighbors.KNeighborsClassifier", {}),
        ("diabetes", "ensemble.RandomForestRegressor", {"n_estimators": 20}),
        ("diabetes", "ensemble.HistGradientBoostingRegressor", {"max_iter": 20}),
        ("diabetes", "svm.SVR", {}),
    ],
    ids=lambda value: value.split(".")[-1] if isinstance(value, str) else None,
)
def test_the_bundle_answers_the_holdout_as_scikit_learn_does(
    site_of: SiteOf, tmp_path: Path, name: str, estimator: str, params: dict[str, Any]
) -> None:
    site = site_of(name)
    config = SklearnEstimator(estimator=estimator, params=params)
    bundle = bundled(config, site, tmp_path)
    found = Predictor.load(bundle).probabilities(site.rows("test").columns)
    expected = by_scikit_learn(config, site)
    unit = site.dataset.scale[1] if site.dataset.scale else 1.0
    np.testing.assert_allclose(found, expected, atol=2e-5 * unit)


def test_a_class_that_no_row_has_gets_next_to_no_probability(
    site_of: SiteOf, tmp_path: Path
) -> None:
    site = site_of("wine")
    rows = site.rows("train")
    two = rows.take(np.flatnonzero(rows.labels != 1))
    config = SklearnEstimator(estimator="tree.DecisionTreeClassifier")
    fitted = fit_estimator(config, site.dataset, two, site.rows("valid"), 1)
    save_estimator(tmp_path / "model", fitted, config, site)
    columns = site.rows("valid").columns
    export_bundle(tmp_path / "model", tmp_path / "bundle", "y", columns)
    found = Predictor.load(tmp_path / "bundle").probabilities(columns)
    assert found.shape[1] == 3
    assert found[:, 1].max() < 1e-6
    assert found[:, [0, 2]].max(axis=0).min() > 0.9


def test_the_same_fit_is_the_same_folder(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of("cancer")
    config = SklearnTeacher(
        estimator="ensemble.RandomForestClassifier", params={"n_estimators": 10}
    )
    digests = {
        save_estimator(tmp_path / str(turn), fitted_of(config, site), config, site).digest
        for turn in range(2)
    }
    assert len(digests) == 1


def test_texts_are_read_by_their_terms(
    small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    compute = ComputeConfig(workers=1, device="cpu")
    site = Site(dataset=small_dataset[1], dataset_folder=small_dataset[0], compute=compute)
    for estimator in ("naive_bayes.MultinomialNB", "ensemble.HistGradientBoostingClassifier"):
        config = SklearnEstimator(estimator=estimator, terms=40)
        bundle = bundled(config, site, tmp_path / estimator)
        assert len(json.loads((bundle / "vocabulary.json").read_text())["terms"]) == 40
        test = split_rows(small_dataset[0], small_dataset[1], "test")
        found = Predictor.load(bundle).probabilities(test.columns)
        assert (found.argmax(axis=1) == test.labels).mean() > 0.9


def test_a_forest_teaches_what_it_has_not_seen(site_of: SiteOf) -> None:
    site = site_of("diabetes")
    labels = site.rows("train").labels
    forest = SklearnTeacher(
        estimator="ensemble.RandomForestRegressor", params={"n_estimators": 30}, folds=1
    )
    errors = []
    for config in (forest, forest.model_copy(update={"folds": 3})):
        lesson = fitted_of(config, site).lesson
        assert lesson is not None
        errors.append(float(np.square(lesson[:, 0] - labels).mean()))
    assert errors[0] < 0.15  # by heart
    assert 0.4 < errors[1] < 0.9  # as on rows that are new to it


def test_rows_beyond_max_rows_are_answered_too(site_of: SiteOf) -> None:
    site = site_of("cancer")
    config = SklearnTeacher(estimator="linear_model.LogisticRegression", max_rows=60)
    lesson = fitted_of(config, site).lesson
    labels = site.rows("train").labels
    assert lesson is not None
    assert lesson.shape == (len(labels), 2)
    assert (lesson.argmax(axis=1) == labels).mean() > 0.85


def test_a_network_learns_from_boosting_alone(site_of: SiteOf, tmp_path: Path) -> None:
    site = site_of("cancer")
    config = SklearnTeacher(
        estimator="ensemble.HistGradientBoostingClassifier", params={"max_iter": 30}
    )
    save_estimator(tmp_path / "model", fitted_of(config, site), config, site)
    assert not is_network(tmp_path / "model")
    save_answers(tmp_path / "outputs", load_own_answers(tmp_path / "model", LESSON))
    lesson = Lesson(DistilConfig(temperature=1, weight=1.0), load_answers(tmp_path / "outputs"))
    student = Mlp(name="mlp", epochs=30, batch_size=32, hidden=(16,))
    job = student_job(student, lesson, site)
    state = new_state(first_model(job.blueprint, 7), job.course, CPU)
    material = material_of(job)
    lies = replace(material.train, labels=1 - material.train.labels)  # the teacher alone is right
    train(state, job.course, replace(material, train=lies), Setting(CPU))
    asked = encode(material.encoder, site.rows("test").columns, site.rows("test").labels)
    state.model.load_state_dict(state.model.state_dict() | state.best_weights)
    found = logits_of(state.model, material.encoder, asked, Setting(CPU))
    assert (found.argmax(axis=1) == asked.labels).mean() > 0.85


@pytest.mark.parametrize("name", ["cancer", "diabetes"])
def test_a_teacher_answers_other_rows_by_its_graph(
    site_of: SiteOf, tmp_path: Path, name: str
) -> None:
    site, kind = site_of(name), "Regressor" if name == "diabetes" else "Classifier"
    config = SklearnTeacher(estimator=f"ensemble.RandomForest{kind}", params={"n_estimators": 20})
    fitted = fitted_of(config, site)
    save_estimator(tmp_path / "model", fitted, config, site)
    answers = graph_answers(tmp_path / "model", site.rows("valid").columns)
    np.testing.assert_allclose(answers, fitted.valid, atol=1e-4)


def test_what_does_not_export_teaches_and_is_refused_as_a_candidate(
    site_of: SiteOf, tmp_path: Path
) -> None:
    site = site_of("diabetes")
    teacher = SklearnTeacher(estimator="kernel_ridge.KernelRidge")
    fitted = fitted_of(teacher, site)
    saved = save_estimator(tmp_path / "model", fitted, teacher, site)
    assert not saved.exports
    assert load_own_answers(tmp_path / "model", LESSON).shape == (site.dataset.rows["train"], 1)
    student = SklearnEstimator(estimator=teacher.estimator, name="ridge")
    with pytest.raises(
        ValueError,
        match=r"estimator kernel_ridge\.KernelRidge of ridge may teach and not be a candidate: "
        r"KernelRidge has no ONNX form",
    ):
        save_estimator(tmp_path / "no", fitted, student, site)
    sentence = r"unlabelled and made_rows: kernel_ridge\.KernelRidge has no ONNX form"
    with pytest.raises(ValueError, match=sentence):
        graph_answers(tmp_path / "model", site.rows("valid").columns)


def test_what_scikit_learn_cannot_learn_is_one_sentence(site_of: SiteOf) -> None:
    config = SklearnEstimator(estimator="naive_bayes.MultinomialNB", name="bayes")
    sentence = "naive_bayes.MultinomialNB of bayes: Negative values in data passed to"
    with pytest.raises(ValueError, match=sentence):
        fitted_of(config, site_of("wine"))


def test_a_teacher_without_an_answer_is_refused(site_of: SiteOf) -> None:
    config = SklearnTeacher(estimator="semi_supervised.LabelPropagation")
    with pytest.raises(ValueError, match=r"LabelPropagation of teacher: no answer to \d+ of 1"):
        fitted_of(config, site_of("wine"))


def test_int8_of_trees_is_no_smaller(site_of: SiteOf, tmp_path: Path) -> None:
    config = SklearnEstimator(estimator="tree.DecisionTreeClassifier")
    site = site_of("cancer")
    bundle = bundled(config, site, tmp_path)
    quantized((site.dataset_folder, site.dataset), bundle, tmp_path / "int8")
    assert not is_smaller(bundle_bytes(tmp_path / "int8"), bundle_bytes(bundle))


def test_an_estimator_weighs_its_rows_or_says_that_it_cannot(site_of: SiteOf) -> None:
    site = site_of("cancer")
    rows, valid = site.rows("train"), site.rows("valid")
    heavy = replace(rows, weights=np.where(rows.labels == 1, 20.0, 1.0))

    def found(name: str, train_rows: Any) -> float:
        config = SklearnTeacher(estimator=name, params={"max_depth": 2}, folds=2)
        fitted = fit_estimator(config, site.dataset, train_rows, valid, 1)
        assert fitted.lesson is not None
        return float(np.exp(fitted.lesson[:, 1]).mean())

    assert found("tree.DecisionTreeClassifier", heavy) > found("tree.DecisionTreeClassifier", rows)
    config = SklearnEstimator(estimator="neighbors.KNeighborsClassifier")
    sentence = r"KNeighborsClassifier of teacher takes no weights: data\.weight and"
    with pytest.raises(ValueError, match=sentence):
        fit_estimator(config, site.dataset, heavy, valid, 1)
