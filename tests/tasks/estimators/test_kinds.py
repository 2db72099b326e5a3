"""Estimators over pictures and series: the features are part of the graph."""

from pathlib import Path
from typing import Any

import pytest

from tasks.artifacts import DatasetRef
from tasks.data.config import DataConfig
from tasks.data.dataset import split_sizes, write_dataset
from tasks.data.prepare import prepare_rows
from tasks.estimators.fitting import fit_estimator
from tasks.estimators.folder import save_estimator
from tasks.packaging.export import export_bundle, prove_alike
from tasks.packaging.predictor import Predictor
from tasks.training.config import ComputeConfig
from tasks.training.model_folder import VALID, load_card, load_own_answers
from tasks.training.recipes import Site
from tasks.training.sklearn_architecture import SklearnEstimator

PROJECTS = Path(__file__).resolve().parents[3] / "flows" / "projects"
DIGITS = {"source": "sklearn://digits", "kind": "image", "target": "digit", "image": {"size": 8}}
VOWELS = {"source": "vowels/train.ts.gz", "kind": "series", "target": "label"}


@pytest.mark.parametrize(
    ("data", "least"), [(DIGITS, 0.85), (VOWELS, 0.85)], ids=["image", "series"]
)
def test_a_forest_over_the_features_of_the_kind(
    data: dict[str, Any], least: float, tmp_path: Path
) -> None:
    prepared = prepare_rows(DataConfig.model_validate(data), PROJECTS)
    (tmp_path / "data").mkdir()
    dataset = DatasetRef(
        name="rows", uri="", sha256=write_dataset(prepared, tmp_path / "data"), source_sha256="",
        kind=data["kind"], target=data["target"], inputs=prepared.config.inputs,
        types=prepared.types, classes=prepared.classes, rows=split_sizes(prepared),
    )  # fmt: skip
    compute = ComputeConfig(workers=1, device="cpu")
    site = Site(dataset=dataset, dataset_folder=tmp_path / "data", compute=compute)
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
