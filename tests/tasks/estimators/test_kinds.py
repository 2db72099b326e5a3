"""Estimators over pictures, series and sounds: the features are part of the graph."""

from pathlib import Path
from typing import Any

import pytest

from flows.project_file import load_project
from tasks.data.config import DataConfig
from tasks.data.snapshot import split_rows
from tasks.estimators.features import features_of, matrix_of
from tasks.estimators.fitting import fit_estimator
from tasks.estimators.folder import save_estimator
from tasks.packaging.export import export_bundle, prove_alike
from tasks.packaging.predictor import Predictor
from tasks.packaging.predictor.series import SeriesRows
from tasks.training.model_folder import VALID, load_card, load_own_answers
from tasks.training.sklearn_architecture import SklearnEstimator
from tests.in_process import site_of, snapshot

PROJECTS = Path(__file__).resolve().parents[3] / "flows" / "projects"
DIGITS = {"source": "sklearn://digits", "kind": "image", "target": "digit", "image": {"size": 8}}
VOWELS = {"source": "vowels/train.ts.gz", "kind": "series", "target": "label"}
VOICES = load_project(PROJECTS / "voices.yaml").data.model_dump(mode="json")


@pytest.mark.parametrize(
    ("data", "least"),
    [(DIGITS, 0.85), (VOWELS, 0.85), (VOICES, 0.75)],
    ids=["image", "series", "audio"],
)
def test_a_forest_over_the_features_of_the_kind(
    data: dict[str, Any], least: float, tmp_path: Path
) -> None:
    dataset = snapshot(DataConfig.model_validate(data), PROJECTS, tmp_path / "data")
    site = site_of(tmp_path / "data", dataset)
    forest = SklearnEstimator(
        estimator="ensemble.ExtraTreesClassifier", params={"n_estimators": 60}
    )
    fitted = fit_estimator(forest, dataset, site.rows("train"), site.rows("valid"), 1)
    save_estimator(tmp_path / "model", fitted, forest, site)
    valid, test = site.rows("valid"), site.rows("test")
    export_bundle(tmp_path / "model", tmp_path / "bundle", dataset.target, valid.columns)
    predictor = Predictor.load(tmp_path / "bundle")
    own, card = load_own_answers(tmp_path / "model", VALID), load_card(tmp_path / "model")
    prove_alike(tmp_path / "bundle", own, predictor.probabilities(valid.columns), card)
    found = predictor.probabilities(test.columns).argmax(axis=1)
    assert (found == test.labels).mean() > least


def test_series_of_any_length_are_read_many_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = snapshot(DataConfig.model_validate(VOWELS), PROJECTS, tmp_path)
    columns = split_rows(tmp_path, dataset, "train").columns
    sizes: list[int] = []
    alone = SeriesRows.batch

    def counted(self: SeriesRows, rows: Any) -> Any:
        sizes.append(len(rows))
        return alone(self, rows)

    monkeypatch.setattr(SeriesRows, "batch", counted)
    matrix = matrix_of(features_of(dataset, columns, None), columns)
    assert len(sizes) == -(-len(matrix) // 256)
