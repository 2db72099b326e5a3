"""The floor: in the bundle what it was in scikit-learn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tasks.artifacts import DatasetRef
from tasks.data.snapshot import split_rows
from tasks.evaluation import baseline
from tasks.evaluation.baseline import save_baseline
from tasks.evaluation.tfidf import fit_sklearn
from tasks.packaging.export import export_bundle
from tasks.packaging.manifest import verify_manifest
from tasks.packaging.predictor import Predictor


def test_the_bundle_answers_as_scikit_learn(
    small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    data, dataset = small_dataset
    name, _, params = save_baseline(data, dataset, tmp_path / "model")
    assert name == "tfidf-logreg"
    assert params > 0
    verify_manifest(tmp_path / "model")
    valid = split_rows(data, dataset, "valid")
    export_bundle(tmp_path / "model", tmp_path / "bundle", "mood", valid.columns)
    found = Predictor.load(tmp_path / "bundle").probabilities(valid.columns)
    vectorizer, model = fit_sklearn(split_rows(data, dataset, "train"), ["text"])
    expected = model.predict_proba(vectorizer.transform(valid.columns["text"]))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found.argmax(axis=1) == valid.labels).mean() > 0.9


def test_the_same_rows_give_the_same_baseline(
    small_dataset: tuple[Path, DatasetRef], tmp_path: Path
) -> None:
    digests = {save_baseline(*small_dataset, tmp_path / str(i))[1] for i in range(2)}
    assert len(digests) == 1


def test_two_classes_have_two_columns(
    small_dataset: tuple[Path, DatasetRef], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, dataset = small_dataset
    rows = split_rows(data, dataset, "train")
    two = rows.take(np.flatnonzero(rows.labels != 1))
    two = replace(two, labels=two.labels // 2)
    monkeypatch.setattr(baseline, "split_rows", lambda *_: two)
    both = dataset.model_copy(update={"classes": ("bad", "good")})
    save_baseline(data, both, tmp_path / "model")
    export_bundle(tmp_path / "model", tmp_path / "bundle", "mood", {"text": ["late crew", "kind"]})
    predictor = Predictor.load(tmp_path / "bundle")
    columns = {"text": ["awful late rude", "lovely quick kind"]}
    assert predictor.labels(predictor.probabilities(columns)) == ["bad", "good"]
